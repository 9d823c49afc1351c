"""What a search costs beside the sets it tries: the genetic algorithm's own time, and pymoo's driving the same objective."""

from __future__ import annotations

import importlib.util
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import vecbt as vb
from vecbt.optimize.variables import Variables

from .table import Disagreement, Row

Worth = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""From genes (n, K) to scores (n, M), higher is better."""


def own_seconds(searcher: Any, worth: Worth) -> tuple[float, int]:
    """Seconds of a search less those of its objective, and how many sets it tried."""
    begun, spent, sets = time.perf_counter(), 0.0, 0
    while len(genes := searcher.ask()):
        at = time.perf_counter()
        scores = worth(genes)
        spent += time.perf_counter() - at
        searcher.tell(scores, np.zeros(len(genes)))
        sets += len(genes)
    return time.perf_counter() - begun - spent, sets


def pymoo_seconds(over: Variables, worth: Worth, objectives: int, population: int, generations: int, seed: int) -> tuple[float, int]:
    """The same of pymoo: its genetic algorithm, with several objectives its NSGA-II, with the operators of ours and its own defaults."""
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.algorithms.soo.nonconvex.ga import GA
    from pymoo.core.problem import Problem
    from pymoo.optimize import minimize

    counted = {"seconds": 0.0, "sets": 0.0}

    class Wrapped(Problem):
        def __init__(self) -> None:
            super().__init__(n_var=len(over), n_obj=objectives, xl=over.low, xu=over.high)

        def _evaluate(self, x: Any, out: Any, *args: Any, **kwargs: Any) -> None:
            at = time.perf_counter()
            out["F"] = -worth(over.repaired(x))
            counted["seconds"] += time.perf_counter() - at
            counted["sets"] += len(x)

    begun = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs
        minimize(Wrapped(), (GA if objectives == 1 else NSGA2)(pop_size=population), ("n_gen", generations), seed=seed, verbose=False)
    return time.perf_counter() - begun - counted["seconds"], int(counted["sets"])


def own_time_of_searches(population: int = 200, generations: int = 50, calls: int = 7) -> list[Row]:
    """Of 50 generations of 200 sets of five numbers, for an objective that costs nearly nothing; the least of some calls, turn about."""
    over = _numbers()
    rows = []
    for objectives in (1, 2):
        ours, theirs = [], []
        for seed in range(calls):
            searcher = vb.Genetic(population, generations).searcher(over, objectives, seed)
            seconds, sets = own_seconds(searcher, _worth(objectives))
            if sets != population * generations:
                raise Disagreement(f"the genetic algorithm tried {sets:,} sets; expected {population * generations:,}")
            ours.append(seconds)
            if importlib.util.find_spec("pymoo"):
                theirs.append(pymoo_seconds(over, _worth(objectives), objectives, population, generations, seed)[0])
        what = f"{generations} generations x {population} sets, {'one objective' if objectives == 1 else 'two objectives'}"
        rows.append(Row("genetic", f"own time, {what}", min(ours), "s", "", 0.1, 0.05))
        if theirs:
            named = f"pymoo's {'GA' if objectives == 1 else 'NSGA-II'} {min(theirs):.3g} s"
            rows.append(Row("genetic", f"own time against pymoo's, {what}", min(ours) / min(theirs), "x", named, 0.25))
    return rows


def _numbers() -> Variables:
    """Five of them."""
    return Variables.of({f"x{k}": (-5.0, 5.0) for k in range(5)}, vb.Space("nothing", ()), {})


def _worth(objectives: int) -> Worth:
    """Distances from a point for each objective."""
    points = np.arange(objectives) * 0.5

    def worth(genes: NDArray[np.float64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = -((genes[:, None, :] - points[:, None]) ** 2).sum(axis=2)
        return found

    return worth
