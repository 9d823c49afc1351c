"""What an import may cost: heavy packages are loaded when they are used."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

from tests.house.source import ROOT

HEAVY = (
    "numba pandas polars scipy matplotlib statsmodels arch rich pydantic typer exchange_calendars pyarrow duckdb yfinance yaml"
).split()
HELP_SECONDS = 0.3


def _environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"PYTHONPATH": str(ROOT)}


def _loaded_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint('\\n'.join(sorted({{name.split('.')[0] for name in sys.modules}})), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=_environment(), check=True, timeout=60)
    return set(done.stderr.split())


def test_import_vecbt_loads_nothing_heavy() -> None:
    assert not _loaded_after("import vecbt") & set(HEAVY)


HELP = "from vecbt.cli import main\nsys.argv = ['vecbt', '--help']\ntry:\n    main()\nexcept SystemExit as done:\n    assert not done.code"


def test_help_loads_only_the_command_line() -> None:
    assert not _loaded_after(HELP) & (set(HEAVY) | {"numpy"}) - {"typer", "rich"}


def _seconds_of(code: str) -> list[float]:
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, env=_environment(), check=True, timeout=60)
        taken.append(time.perf_counter() - start)
    return taken


def test_help_is_quick() -> None:
    """In seconds on a machine that is itself; where that is slow or busy, against what the parser of the command line costs there."""
    seconds, parser = _seconds_of(f"import sys\n{HELP}"), min(_seconds_of("import typer"))
    measured = f"vecbt --help: {min(seconds):.2f} s at best, {statistics.median(seconds):.2f} s as a rule; import typer {parser:.2f} s"
    assert min(seconds) <= max(HELP_SECONDS, 3.0 * parser), measured


def test_the_ledger_is_looked_at_without_the_engine() -> None:
    assert not _loaded_after("import vecbt as vb\nvb.ledger.path(), vb.ledger.verify") & set(HEAVY)
