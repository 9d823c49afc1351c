"""Settings of all tests: hypothesis profiles, and which tests also run uncompiled.

`VECBT_TEST_PROFILE` chooses the profile: `test` (default: the same examples every time) or `check` (other examples at
each run; `make check` prints the seed and `make check SEED=...` repeats it). Where kernels run uncompiled, examples are fewer.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

import pytest
from hypothesis import HealthCheck, settings

# what tests run is no trial of whoever runs them: each process has a ledger of its own, which its children inherit
os.environ["VECBT_LEDGER"] = tempfile.mkdtemp(prefix="vecbt-ledger-")
atexit.register(shutil.rmtree, os.environ["VECBT_LEDGER"], ignore_errors=True)

PROFILE = os.environ.get("VECBT_TEST_PROFILE", "test")
INTERPRETED = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0") or os.environ.get("VECBT_ENGINE") == "python"

# a first example compiles its kernels: no deadline, and slow generation is no fault
_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("test", derandomize=True, max_examples=20 if INTERPRETED else 60, **_COMMON)
settings.register_profile("check", print_blob=True, max_examples=60 if INTERPRETED else 500, **_COMMON)
settings.load_profile(PROFILE)


def pytest_report_header(config: pytest.Config) -> str:
    """Say in the first lines of a run what it runs on."""
    engine = "uncompiled" if INTERPRETED else "compiled"
    folder = os.environ.get("VECBT_CACHE_DIR", "the default folder")
    return f"vecbt: profile {PROFILE!r}, kernels {engine}, cached in {folder}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the bar itself also run uncompiled, whether they say so or not: its rules always, the rest of them in `make check`."""
    for item in items:
        part = item.path.relative_to(item.config.rootpath).parts[1]
        long = part in ("engine", "fuzz") or item.path.name.startswith("test_D_")
        if part in ("engine", "fuzz", "rules") and (not long or PROFILE == "check"):
            item.add_marker(pytest.mark.interpreted)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line where the pages of reports were not tested in a browser, also where reasons are not shown."""
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if report.nodeid.startswith("tests/browser/")]
    if skipped:
        terminalreporter.write_line(f"{len(skipped)} tests of pages were skipped: no browser here (on Debian: apt-get install chromium)")
