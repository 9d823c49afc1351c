"""What tests of searches run, here and in processes of their own that are killed: small searches on a few bars."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

import vecbt as vb
from vecbt.optimize.genetic import Genetic
from vecbt.optimize.history import Generation
from vecbt.optimize.search import search
from vecbt.optimize.searched import Search
from vecbt.strategies import SmaCross

COSTS = vb.Costs(commission_rate=0.001)
BARS = vb.synthetic.garch_jumps(T=120, N=1, seed=4)
SPACE: dict[str, Any] = {"fast": (2, 8), "slow": (4, 30), "stops.hard": [None, vb.Pct(2.0), vb.Pct(5.0)]}
METHOD = Genetic(population=10, generations=5)


def small(checkpoint: Path | None = None, **other: Any) -> Search:
    """Five generations of ten sets; `other` in place of what is usual."""
    given: dict[str, Any] = {"objective": "total_return", "method": METHOD, "costs": COSTS, "progress": False, "threads": 1, "seed": 3}
    given |= {"bars": BARS, "strategy": SmaCross(3, 10), "space": SPACE, "checkpoint": checkpoint}
    return search(**(given | other))


def assert_same(found: Search, wanted: Search) -> None:
    """All that a search found, bit for bit; how long it took is no result."""
    assert found.table.equals(wanted.table) and found.refused.equals(wanted.refused)
    assert found.generations.drop("seconds").equals(wanted.generations.drop("seconds"))
    assert found.scores.tobytes() == wanted.scores.tobytes()
    assert (found.ended, found.partial) == (wanted.ended, wanted.partial)


def slowly(folder: str) -> None:
    """A search that says when its first generations are kept, and then waits to be killed."""
    from vecbt.optimize import keeping

    keeping._EVERY = 0.0

    def told(found: Generation) -> bool:
        if found.number == 3:
            print("go", flush=True)
            time.sleep(600)
        return False

    small(Path(folder), stop=told)


def drawdown_and_return(metrics: dict[str, Any]) -> Any:
    """A function of arrays."""
    return metrics["total_return"] - np.minimum(metrics["max_drawdown"], 1.0)
