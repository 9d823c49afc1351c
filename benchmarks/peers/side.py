"""What every engine's side shares: the workloads, the loop in the same process, and how results are compared and printed.

Nothing of vecbt is imported here: this runs where it is not installed.
"""

from __future__ import annotations

import gc
import json
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .. import work
from ..loops import SLIPPAGE, account_loop
from ..sweep_loops import crosses, stops

Array = work.Array
CALLS = 3
SAME = 1e-9
YEAR = 365.0
MINUTES = 365.0 * 1_440.0


class Answer(NamedTuple):
    """Of each set (C,): the last equity, Sharpe ratio, largest drawdown as a positive fraction, trades as the engine counts them."""

    final: Array
    sharpe: Array
    drawdown: Array
    trades: Array


@dataclass
class Line:
    """One engine on one workload.

    Attributes
    ----------
    first, seconds, loop : the first call, the median of later ones, and the hand-written loop's, for as many sets
    peak : MB resident at most in the process
    equal : sets whose money is the loop's, to 1e-9: the last equity and the largest drawdown
    by_target : further sets whose money is that of a loop in which a stop comes before a target that the open was past (P5)
    by_sharpe : sets with that money, and another Sharpe ratio
    by_open : sets in which a trade more is counted, the one that is still open
    miscounted : sets whose trades are neither
    """

    workload: str
    engine: str
    sets: int
    bars: int
    first: float
    seconds: float
    loop: float
    peak: float
    equal: int
    by_target: int
    by_sharpe: int
    by_open: int
    miscounted: int


@dataclass(frozen=True)
class Work:
    """A workload: its data, its sets, and the loop that does it. The loop's argument is whether P5 puts such a target first."""

    name: str
    periods: float
    data: dict[str, Array]
    sets: int
    loop: Callable[[bool], Array]


def long_run(bars: int = 1_000_000) -> Work:
    """W1: one run; averages of 10 and 50, all cash in and out at the close that crosses."""
    data = work.walk_of_w1(bars)
    series, fills, trades = np.empty((4, bars)), np.empty((40_000, 5)), np.empty((20_000, 6))
    rates = (work.COMMISSION_RATE, SLIPPAGE)

    def loop(_: bool) -> Array:
        _, count, mean, deviation, deepest = account_loop(data["close"], (work.FAST, work.SLOW), rates, work.CASH, series, fills, trades)
        return np.array([[series[0, -1], mean, deviation, deepest, count, float(series[2, -1] != 0.0)]])

    return Work("W1", MINUTES, data, 1, loop)


def crossings(bars: int = 5_000, most: int = 101) -> Work:
    """W2: all pairs of averages from 2 to `most`."""
    data, pairs = work.walk_of_w2(bars), work.pairs_of_w2(most)
    rates = (work.COMMISSION_RATE, SLIPPAGE)
    return Work("W2", YEAR, data, len(pairs[0]), lambda _: crosses(data["close"], pairs, rates, work.CASH))


def levels(targets: int) -> tuple[Array, Array, Array]:
    """W3a: each of 20 distances as a hard stop and as a trailing one, with so many targets: distance, 1 where it trails, target."""
    distance, trails, target = work.grid(work.levels_of_w3()[0], np.array([0.0, 1.0]), np.linspace(0.01, 0.20, targets))
    return distance, trails, target


def exits(targets: int, bars: int = 5_000) -> Work:
    """W3a: entries at random, one stop that is either fixed or trailing, and a target."""
    data, entries = work.walk_of_w3(bars)
    distance, trails, target = levels(targets)
    hard, trail = np.where(trails == 0.0, distance, 1.0), np.where(trails == 1.0, distance, 1.0)
    rules = work.COMMISSION_RATE
    given = data | {"entries": entries}
    return Work("W3a", YEAR, given, len(hard), lambda first: stops(data, entries, (hard, trail, target), (rules, first), work.CASH))


def measured(engine: str, given: Work, run: Callable[[], Answer], chosen: Array | None = None) -> None:
    """Time the engine and the loop in turn, compare, and print the line as JSON.

    `chosen` are the numbers of the sets that the engine runs, where all of them would take too long; the loop's time is then that part of
    its time for all.
    """
    start = time.perf_counter()
    answer = run()
    first = time.perf_counter() - start
    given.loop(True)
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(CALLS):
        for function, taken in ((run, seconds[0]), (lambda: given.loop(True), seconds[1])):
            gc.collect()
            start = time.perf_counter()
            result = function()
            taken.append(time.perf_counter() - start)
            del result
    sets = given.sets if chosen is None else len(chosen)
    part = slice(None) if chosen is None else chosen.astype(np.int64)
    ours, other = (given.loop(first_target)[part] for first_target in (True, False))
    same, otherwise = _same_money(answer, ours), _same_money(answer, other)
    fitting = np.where(same[:, None], ours, other)
    with np.errstate(invalid="ignore", divide="ignore"):
        sharpe = fitting[:, 1] / fitting[:, 2] * given.periods**0.5
    open_too = (answer.trades == fitting[:, 4] + 1) & (fitting[:, 5] == 1.0)
    line = Line(
        given.name, engine, sets, len(given.data["close"]), first, statistics.median(seconds[0]),
        statistics.median(seconds[1]) * sets / given.sets, _peak_mb(), int(same.sum()), int((otherwise & ~same).sum()),
        int(((same | otherwise) & ~_near(answer.sharpe, sharpe)).sum()), int(open_too.sum()),
        int((~open_too & (answer.trades != fitting[:, 4])).sum()),
    )  # fmt: skip
    print(json.dumps(asdict(line)), flush=True)


def _near(theirs: Array, ours: Array) -> Array:
    return np.abs(theirs - ours) <= SAME * np.maximum(1.0, np.abs(ours))


def _same_money(answer: Answer, loop: Array) -> Array:
    """Which sets have the loop's money."""
    return _near(answer.final / loop[:, 0], np.ones(len(loop))) & _near(answer.drawdown, loop[:, 3])


def begin(*packages: str) -> None:
    """Say, as the first line of JSON, which versions are measured; those that are installed."""
    found = [f"python {platform.python_version()}"]
    for package in packages:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    print(json.dumps({"versions": ", ".join(found)}), flush=True)


def _peak_mb() -> float:
    """The most memory of this process that was resident, 2**20 bytes; NaN where the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return float("nan")
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), float("nan"))
