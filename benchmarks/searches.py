"""A genetic search with ledger and checkpoints on, against the bare sweeps of its generations, and against pymoo driving the same sweep."""

from __future__ import annotations

import importlib.util
import statistics
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import vecbt as vb
from vecbt.core.sets import sets_of
from vecbt.optimize.genetic import Genetic
from vecbt.optimize.search import search
from vecbt.optimize.searched import Search
from vecbt.optimize.variables import Range

from .cases import KEYWORDS
from .sweeps import bars_of_w2
from .table import Disagreement, Row

STRATEGY = vb.strategies.SmaCross(20, 100)
SPACE: dict[str, Any] = {"fast": (2, 60), "slow": (20, 250), "stops.hard": Range(0.01, 0.2)}
MUST, AIM, MUST_OWN, AIM_OWN, MUST_PEER = 2.0, 1.3, 0.1, 0.05, 0.25


def _searched(bars: vb.Bars, method: Genetic, seed: int) -> tuple[Search, float]:
    """A search with a checkpoint, and its seconds."""
    with tempfile.TemporaryDirectory(prefix="vecbt-search-") as folder:
        begun = time.perf_counter()
        found = search(
            bars, STRATEGY, SPACE, method=method, seed=seed, checkpoint=Path(folder) / "kept", progress=False, **KEYWORDS
        )  # fmt: skip
        return found, time.perf_counter() - begun


def _bare(bars: vb.Bars, found: Search) -> float:
    """Seconds of the sweeps of the same generations; Disagreement where a set gave another number."""
    spaces = [
        part.select(list(SPACE)).to_dicts() for part in found.table.partition_by("generation", maintain_order=True)
    ]  # fmt: skip
    sets = [sets_of(space, STRATEGY.space, STRATEGY.parameters) for space in spaces]
    begun = time.perf_counter()
    swept = [vb.sweep(bars, STRATEGY, each, blocks=False, progress=False, **KEYWORDS) for each in sets]
    seconds = time.perf_counter() - begun
    ratios = np.concatenate([each.table["sharpe"].to_numpy() for each in swept])
    if not np.array_equal(ratios, found.table["sharpe"].to_numpy(), equal_nan=True):
        raise Disagreement("a set of the search has another Sharpe ratio in a sweep")
    return seconds


def genetic(count: int = 5_000, population: int = 200, generations: int = 50, calls: int = 2) -> list[Row]:
    """So many generations of so many sets of three parameters, one of them a stop."""
    bars, method = bars_of_w2(count), Genetic(population=population, generations=generations)
    _searched(bars, Genetic(population=population, generations=2), 0)
    ratios, owns, totals = [], [], []
    for seed in range(1, calls + 1):
        found, total = _searched(bars, method, seed)
        inside = float(found.generations["seconds"].sum())
        ratios.append(total / _bare(bars, found))
        owns.append(total - inside)
        totals.append(total)
    what, own = f"{generations} generations x {population} sets x {count:,} bars", min(owns)
    said = f"total {statistics.median(totals):.2f} s, {len(found):,} sets, ledger and checkpoint on"
    rows = [
        Row("search", f"genetic, {what}: total", statistics.median(ratios), "x its sweeps", said, must=MUST, aim=AIM),
        Row("search", "its own time", own, "s", f"{own / generations * 1e3:.2f} ms a generation", must=MUST_OWN, aim=AIM_OWN),
    ]
    if importlib.util.find_spec("pymoo") is not None:
        theirs = min(_pymoo(bars, method, seed) for seed in range(1, calls + 1))
        said = f"pymoo driving the same sweeps {theirs:.2f} s"
        rows.append(Row("search", "its own time", own / theirs, "x pymoo's", said, must=MUST_PEER))
    return rows


def _pymoo(bars: vb.Bars, method: Genetic, seed: int) -> float:
    """Seconds that pymoo's genetic algorithm needs for itself: total less the sweeps it asks for."""
    from pymoo.algorithms.soo.nonconvex.ga import GA
    from pymoo.core.problem import Problem
    from pymoo.optimize import minimize

    spent = [0.0]
    low, high = np.array([2.0, 20.0, 0.01]), np.array([60.0, 250.0, 0.2])

    class Sharpe(Problem):  # type: ignore[misc]
        """The same space: whole numbers rounded, fast below slow."""

        def __init__(self) -> None:
            super().__init__(n_var=3, n_obj=1, n_ieq_constr=1, xl=low, xu=high)

        def _evaluate(self, x: Any, out: dict[str, Any], *args: Any, **kwargs: Any) -> None:
            begun = time.perf_counter()
            whole = np.rint(x[:, :2])
            rows = [{"fast": int(f), "slow": int(s), "stops.hard": float(h)} for (f, s), h in zip(whole, x[:, 2], strict=True) if f < s]
            values = vb.sweep(bars, STRATEGY, rows, blocks=False, progress=False, **KEYWORDS).run.returns["sharpe"][:, 0]
            spent[0] += time.perf_counter() - begun
            score = np.full(len(x), 1e6)
            score[whole[:, 0] < whole[:, 1]] = -np.nan_to_num(values, nan=-1e6)
            out["F"], out["G"] = score[:, None], (whole[:, 0] - whole[:, 1] + 1.0)[:, None]

    begun = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs
        minimize(Sharpe(), GA(pop_size=method.population), ("n_gen", method.generations), seed=seed)
    return time.perf_counter() - begun - spent[0]
