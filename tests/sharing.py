"""How two processes share the tests (`pytest -n 2 --dist loadfile`).

Most of a run from a cold cache is spent on compiling the engine: a minute for each kind of input it is compiled for. Two processes that
begin with its tests compile all of it twice. So one process has the files that compile it (`COMPILE`), as one piece of work; the other
begins with what needs no engine (`WITHOUT`) and comes to plain runs, sweeps and orders when the first has compiled them. What is long on
its own comes before the many short files, so that neither process waits for the other at the end.
"""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling

COMPILE = (
    "tests/signals/test_accounts.py",  # batch and stream, plain and with terms
    "tests/engine/test_sweep.py",
    "tests/engine/test_stream_quick.py",  # streams of orders
    "tests/engine/test_audit.py",  # batches of orders
    "tests/engine/test_event_strategy.py",
)
WITHOUT = (
    "tests/indicators/test_abreast.py", "tests/indicators/test_every_kernel.py", "tests/indicators/", "tests/house/", "tests/metrics/",
    "tests/evidence/", "tests/data/", "tests/core/", "tests/risk/", "tests/oracle/", "tests/naive/", "tests/logs/",
)  # fmt: skip
PLAIN = (  # batches and streams without orders are compiled by now
    "tests/analytics/test_plots.py", "tests/analytics/test_tearsheet.py", "tests/analytics/test_returns_report.py",
    "tests/analytics/test_tearsheet_forms.py", "tests/analytics/test_bars_plot.py", "tests/analytics/test_saved.py",
    "tests/strategies/", "tests/signals/", "tests/causality/",
)  # fmt: skip
SWEEPS = (
    "tests/analytics/", "tests/evidence/test_overfitting.py", "tests/optimize/", "tests/executors/", "tests/cli/", "tests/ledger/",
    "tests/config/", "tests/house/test_benchmarks.py", "tests/house/test_budget.py", "notebooks/",
)  # fmt: skip
ORDERS = ("tests/docs/", "tests/cache/", "tests/rules/", "tests/fuzz/", "tests/engine/")
ORDER = (*COMPILE, *WITHOUT, *PLAIN, *SWEEPS, *ORDERS)
FILES = {name: place for place, name in enumerate(ORDER) if not name.endswith("/")}
FOLDERS = {name: place for place, name in enumerate(ORDER) if name.endswith("/")}


def rank(file: str) -> int:
    """The place of a file in the order of work: its own, or that of its folder."""
    return FILES.get(file, next((place for name, place in FOLDERS.items() if file.startswith(name)), len(ORDER)))


class CompileOnce(LoadFileScheduling):  # type: ignore[misc]
    """File by file in the order of `rank`; the files that compile the engine are one."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return "the engine" if file in COMPILE else file
