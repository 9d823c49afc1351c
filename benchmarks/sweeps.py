"""W2: sweeps of two moving averages, against a hand-written loop on as many threads; and what a sweep costs beside its sets."""

from __future__ import annotations

import resource
import statistics
import time
from typing import Any

import numpy as np

import vecbt as vb

from . import work
from .cases import KEYWORDS, agree
from .loops import SLIPPAGE
from .sweep_loops import crosses
from .table import CALLS, Row, in_turn
from .user_cross import UserCross


def _bars(count: int) -> tuple[vb.Bars, work.Array]:
    data = work.walk(count, 0.01, 0.0, seed=2)
    return vb.Bars.from_numpy(**data, index=work.days(count), symbols=("X",), asset_class="crypto"), data["close"]


def _sweep(bars: vb.Bars, strategy: Any, most: int, threads: int) -> vb.Sweep:
    space = {"fast": range(2, most), "slow": range(3, most + 1)}
    return vb.sweep(bars, strategy, space, threads=threads, progress=False, **KEYWORDS)


def _compared(sweep: vb.Sweep, theirs: work.Array, periods: float, what: str) -> None:
    table = sweep.table
    agree(f"{what} final equity", table["final_equity"].to_numpy() / theirs[:, 0], np.ones(len(theirs)))
    agree(f"{what} Sharpe ratio", table["sharpe"].to_numpy(), theirs[:, 1] / theirs[:, 2] * periods**0.5)
    agree(f"{what} max drawdown", table["max_drawdown"].to_numpy(), theirs[:, 3])
    agree(f"{what} trades", table["trades"].to_numpy(), theirs[:, 4])


def crossings(count: int = 5_000, most: int = 101, larger: int = 200, wide: bool = True) -> list[Row]:
    """W2: all pairs of windows from 2 to `most`; by the ready-made strategy, by a user's, and with windows up to `larger`."""
    bars, close = _bars(count)
    fast, slow = (np.array(part) for part in zip(*[(f, s) for f in range(2, most) for s in range(f + 1, most + 1)], strict=True))
    costs, rows = (work.COMMISSION_RATE, SLIPPAGE), []

    def loop(threads: int) -> work.Array:
        return crosses(close, (fast, slow), costs, work.CASH, threads)

    for strategy, name in ((vb.strategies.SmaCross(), "SmaCross"), (UserCross(), "a user's strategy")):
        _compared(_sweep(bars, strategy, most, 2), loop(2), bars.market.periods_per_year or 0.0, f"W2 {name}")
        for threads in (1, 2):
            taken, reference = in_turn(lambda s=strategy, n=threads: _sweep(bars, s, most, n), lambda n=threads: loop(n))  # type: ignore[misc]
            what = f"{name}: {len(fast):,} sets x {count:,} bars, threads: {threads}"
            said = f"hand-written loop on as many {reference * 1e3:.1f} ms; {len(fast) * count / taken / 1e6:,.0f} M bar-steps/s"
            rows.append(Row("W2", what, taken / reference, "x loop", said, must=3.0, aim=1.0))
    return [*rows, *(_larger(bars, larger) if wide else []), _fixed(bars)]


def _larger(bars: vb.Bars, most: int) -> list[Row]:
    """The same with more windows: time a set, and memory beyond the table."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    found = _sweep(bars, vb.strategies.SmaCross(), most, 2)
    seconds = time.perf_counter() - start
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    said = f"{seconds:.2f} s on 2 threads, {seconds / len(found) * 1e6:.0f} us a set"
    return [Row("W2", f"{len(found):,} sets: resident memory grows", grown, "MB", said, must=100.0)]


def _fixed(bars: vb.Bars) -> Row:
    """One set, 100 bars."""
    few, seconds = bars[:100], []
    for _ in range(4 * CALLS):
        start = time.perf_counter()
        vb.sweep(few, vb.strategies.SmaCross(), {"fast": [5]}, threads=1, progress=False, **KEYWORDS)
        seconds.append(time.perf_counter() - start)
    return Row("W2", "one set, 100 bars: what a call costs", statistics.median(seconds) * 1e3, "ms", "", must=5.0, aim=1.0)
