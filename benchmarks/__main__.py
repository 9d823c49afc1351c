"""`python -m benchmarks [WORK ...]`: measure, print the table, write `benchmarks/latest.json`."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable

from .table import LATEST, Disagreement, Row, machine, show, write

NOISE = 1.5
"""A figure is measured once more where it misses its bound by less than this factor; what misses it by more does so again."""


def _cases() -> dict[str, Callable[[], list[Row]]]:
    from .agents import learning_agents
    from .cases import bar_by_bar, every_feature, long_run, rebalanced
    from .columns import six_metrics
    from .drivers import own_time_of_searches
    from .evidence import luck
    from .executors import elsewhere
    from .indicators import indicators_on_a_panel
    from .ledger import recording
    from .permutations import permuted
    from .python_sweeps import array_code
    from .risk_sweeps import risk_rules
    from .searches import genetic
    from .starts import first_chunks, start_of_a_process
    from .stop_sweeps import exits
    from .sweeps import crossings
    from .walks import walks

    return {
        "W1": long_run,
        "W2": crossings,
        "W3": exits,
        "W4": rebalanced,
        "W5": bar_by_bar,
        "W6": six_metrics,
        "W7": indicators_on_a_panel,
        "features": every_feature,
        "risk": risk_rules,
        "array": array_code,
        "evidence": luck,
        "permuted": permuted,
        "start": start_of_a_process,
        "chunk": first_chunks,
        "ledger": recording,
        "agents": learning_agents,
        "walk": walks,
        "search": genetic,
        "genetic": own_time_of_searches,
        "executors": elsewhere,
    }


def main(wanted: list[str]) -> int:
    """Exit status 0 when all was measured, whatever the figures; 1 when a result is wrong, 2 for an unknown name."""
    cases = _cases()
    unknown = [name for name in wanted if name not in cases]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; known: {', '.join(cases)}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="vecbt-ledger-") as folder:  # on, as it is for whoever runs vecbt, and none of theirs
        os.environ["VECBT_LEDGER"] = folder
        return _measured(wanted, cases)


def _measured(wanted: list[str], cases: dict[str, Callable[[], list[Row]]]) -> int:
    about = machine()
    print(", ".join(f"{name} {value}" for name, value in about.items()), flush=True)
    rows: list[Row] = []
    for name in wanted or cases:
        try:
            found = cases[name]()
        except Disagreement as error:
            print(f"nothing was timed: {error}", file=sys.stderr)
            return 1
        if any(not row.ok and row.value <= NOISE * (row.must or 0.0) for row in found):
            print(f"\n{name} missed; once more. First measured:\n{show(found)}", flush=True)
            found = cases[name]()
        rows += found
    print("\n" + show(rows))
    write(rows, about)
    missed = sum(not row.ok for row in rows)
    print(f"\n{missed} of {len(rows)} figures miss what they must reach; written to benchmarks/{LATEST.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
