"""What it costs to run sets in other processes: for each piece of a sweep, and how a strategy in plain Python scales from one to two."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

import vecbt as vb
from vecbt.executors import Executor, pace

from .cases import KEYWORDS
from .sweeps import bars_of_w2
from .table import Disagreement, Row
from .user_filter import filtered_cross

ROOT = Path(__file__).resolve().parents[1]
STORE = 100_000_000  # bytes of the object store of Ray's only node


def kinds() -> tuple[str, ...]:
    """Executors that can be measured here."""
    return ("threads", "processes", "ray") if importlib.util.find_spec("ray") else ("threads", "processes")


@contextmanager
def _started(kind: str, workers: int) -> Iterator[Executor]:
    options = {"num_cpus": workers, "object_store_memory": STORE, "runtime_env": {"env_vars": {"PYTHONPATH": str(ROOT)}}}
    more: dict[str, Any] = {"address": "local", "options": options} if kind == "ray" else {}
    with vb.executors.make(kind, workers=workers, **more) as executor:
        yield executor


def _swept(bars: vb.Bars, strategy: Any, space: Any, executor: Executor) -> vb.Sweep:
    return vb.sweep(bars, strategy, space, executor=executor, progress=False, **KEYWORDS)


def _least(bars: vb.Bars, strategy: Any, space: Any, executor: Executor, calls: int) -> float:
    """Seconds of the call that was disturbed least, workers warm."""
    taken = []
    for _ in range(calls):
        begun = time.perf_counter()
        _swept(bars, strategy, space, executor)
        taken.append(time.perf_counter() - begun)
    return min(taken)


def elsewhere(count: int = 5_000, each: int = 5, calls: int = 3, only: tuple[str, ...] | None = None) -> list[Row]:
    """Of each executor the speed of two workers by that of one, and what a piece costs beside its sets; `each` values of 3 parameters."""
    bars = bars_of_w2(count)
    space: dict[str, Any] = {"fast": range(5, 5 + each), "slow": range(30, 30 + 5 * each, 5), "overbought": np.linspace(55.0, 85.0, each)}
    sets = len(list(product(*space.values())))
    wanted = _swept(bars, filtered_cross(), space, vb.executors.Threads(2)).table
    rows = []
    for kind in only or kinds():
        taken, start = {}, 0.0
        for workers in (1, 2):
            begun = time.perf_counter()
            with _started(kind, workers) as executor:
                if not _swept(bars, filtered_cross(), space, executor).table.equals(wanted):
                    raise Disagreement(f"executors: lines of {kind} are not those of threads")
                start = time.perf_counter() - begun
                _swept(bars, filtered_cross(), space, executor)  # a worker that began late is warm now, too
                taken[workers] = _least(bars, filtered_cross(), space, executor, calls)
                if workers == 1 and kind != "threads":
                    rows.append(_cost_of_a_piece(kind, bars, executor, calls))
        said = f"{sets} sets x {count:,} bars of pandas: {taken[1]:.2f} s, {taken[2]:.2f} s; the first time, with the start, {start:.1f} s"
        rows.append(Row("executors", f"{kind}: two workers, times as fast as one", taken[1] / taken[2], "x", said))
    return rows


def _cost_of_a_piece(kind: str, bars: vb.Bars, executor: Executor, calls: int) -> Row:
    """Milliseconds of a piece beside what its sets take: many small pieces less one large one."""
    space, small = {"fast": range(2, 34), "slow": range(40, 72, 4)}, 8
    strategy, pieces = vb.strategies.SmaCross(), 256 // small
    _swept(bars, strategy, space, executor)
    whole = _least(bars, strategy, space, executor, calls)
    kept, pace._MOST_SETS = pace._MOST_SETS, small
    try:
        parts = _least(bars, strategy, space, executor, calls)
    finally:
        pace._MOST_SETS = kept
    said = f"256 sets of SmaCross in pieces of {small}: {parts * 1e3:.0f} ms, in as many as are usual {whole * 1e3:.0f} ms"
    return Row("executors", f"{kind}: a piece, beside its sets", max(parts - whole, 0.0) / pieces * 1e3, "ms", said)
