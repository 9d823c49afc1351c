"""How two processes share the tests (`pytest -n 2 --dist loadfile`).

Most of a run from a cold cache is spent on compiling the engine: a minute for each kind of input it is compiled for. Two processes that
begin with its tests compile all of it twice. So one process has the files that compile it (`COMPILE`), as one piece of work; the other
begins with what needs no engine (`WITHOUT`) and finds the rest compiled when it gets there. What is long on its own comes before the many
short files, so that neither process waits for the other at the end.
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
    "tests/evidence/", "tests/data/", "tests/core/", "tests/risk/", "tests/oracle/", "tests/naive/", "tests/logs/", "tests/signals/",
)  # fmt: skip
LONG = (
    "tests/rules/", "tests/strategies/", "tests/engine/", "tests/analytics/", "tests/docs/", "tests/cache/", "notebooks/", "tests/fuzz/",
)  # fmt: skip
ORDER = (*COMPILE, *WITHOUT, *LONG)


def rank(file: str) -> int:
    """The place of a file in the order of work."""
    return next((place for place, name in enumerate(ORDER) if file == name or (name.endswith("/") and file.startswith(name))), len(ORDER))


class CompileOnce(LoadFileScheduling):  # type: ignore[misc]
    """File by file in the order of `rank`; the files that compile the engine are one."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return "the engine" if file in COMPILE else file
