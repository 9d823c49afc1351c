"""Settings of all tests: hypothesis profiles, and which tests also run uncompiled.

`VECBT_TEST_PROFILE` chooses the profile: `test` (default: the same examples every time) or `check` (other examples at
each run; `make check` prints the seed and `make check SEED=...` repeats it). Where kernels run uncompiled, examples are fewer.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.sharing import CompileOnce, rank

# what tests run is no trial of whoever runs them: each process has a ledger of its own, which its children inherit
os.environ["VECBT_LEDGER"] = tempfile.mkdtemp(prefix="vecbt-ledger-")
atexit.register(shutil.rmtree, os.environ["VECBT_LEDGER"], ignore_errors=True)

PROFILE = os.environ.get("VECBT_TEST_PROFILE", "test")
INTERPRETED = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0") or os.environ.get("VECBT_ENGINE") == "python"

# uncompiled these are for `make check`: they take long, and their kernels also run uncompiled in quicker tests
SLOW_UNCOMPILED = (
    "tests/analytics/",
    "tests/engine/test_event_strategy.py::test_d2_strategies_that_see_the_account",
    "tests/engine/test_sweep.py::test_a_thread_that_is_told_to_end",
    "tests/engine/test_sweep.py::test_d1_a_rule_that_sees_the_account",
    "tests/engine/test_windows.py::test_d6_order_and_threads_change_no_bit",
    "tests/rules/test_neutral.py",
    "tests/strategies/test_ready_made.py::test_the_warmup_is_no_longer",
)

# a first example compiles its kernels: no deadline, and slow generation is no fault
_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("test", derandomize=True, max_examples=10 if INTERPRETED else 30, **_COMMON)
settings.register_profile("check", print_blob=True, max_examples=60 if INTERPRETED else 500, **_COMMON)
settings.load_profile(PROFILE)


def pytest_report_header(config: pytest.Config) -> str:
    """Say in the first lines of a run what it runs on."""
    engine = "uncompiled" if INTERPRETED else "compiled"
    folder = os.environ.get("VECBT_CACHE_DIR", "the default folder")
    return f"vecbt: profile {PROFILE!r}, kernels {engine}, cached in {folder}"


def _runs_uncompiled(path: Path, rootpath: Path) -> bool:
    """Tests of the bar itself also run uncompiled, whether they say so or not: its rules always, the rest of them in `make check`."""
    part = path.relative_to(rootpath).parts[1]
    long = part in ("engine", "fuzz") or path.name.startswith("test_D_")
    return part in ("engine", "fuzz", "rules") and (not long or PROFILE == "check")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where only what runs uncompiled is asked for, files without any are not even imported."""
    if not config.option.markexpr.startswith("interpreted") or collection_path.suffix != ".py":
        return None
    has_some = _runs_uncompiled(collection_path, config.rootpath) or "mark.interpreted" in collection_path.read_text(encoding="utf-8")
    return None if has_some else True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what runs uncompiled, and what of it does so in `make check` only; put the work of two processes in order."""
    for item in items:
        if _runs_uncompiled(item.path, item.config.rootpath):
            item.add_marker(pytest.mark.interpreted)
        if INTERPRETED and item.nodeid.startswith(SLOW_UNCOMPILED):
            item.add_marker(pytest.mark.slow)
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: rank(item.nodeid.partition("::")[0]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Files are shared out as `tests.sharing` says."""
    return CompileOnce(config, log) if config.option.dist == "loadfile" else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line where the pages of reports were not tested in a browser, also where reasons are not shown."""
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if report.nodeid.startswith("tests/browser/")]
    if skipped:
        terminalreporter.write_line(f"{len(skipped)} tests of pages were skipped: no browser here (on Debian: apt-get install chromium)")
