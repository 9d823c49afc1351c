"""W2: sweeps of two moving averages, against a hand-written loop on as many threads; and what a sweep costs beside its sets."""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np

import vecbt as vb

from . import work
from .cases import KEYWORDS, agree
from .loops import SLIPPAGE
from .starts import child
from .sweep_loops import ROOFLINE_MS, crosses
from .table import CALLS, Row, in_turn, least
from .user_cross import UserCross

ASKED = ("total_return", "sharpe", "max_drawdown", "trades")
"""What the workloads are to measure of each set."""

FULL = 4_950 * 5_000
"""Sets times bars of the workload as it is defined."""


def bars_of_w2(count: int) -> vb.Bars:
    """Days of one asset."""
    return vb.Bars.from_numpy(**work.walk_of_w2(count), index=work.days(count), symbols=("X",), asset_class="crypto")


def sweep_of_w2(bars: vb.Bars, strategy: Any, most: int, threads: int, **more: Any) -> vb.Sweep:
    """All pairs of windows from 2 to `most`; `more` are further keywords, a `space` further parameters."""
    space = {"fast": range(2, most), "slow": range(3, most + 1), **more.pop("space", {})}
    return vb.sweep(bars, strategy, space, threads=threads, progress=False, **{"metrics": ASKED, **KEYWORDS, **more})


def bounds(more: dict[str, Any]) -> tuple[float, float] | tuple[None, None]:
    """What must be reached, and the aim, in loops; none where all metrics are measured: the loops measure what the workloads ask for."""
    return (None, None) if "metrics" in more else (3.0, 1.0)


def compared(sweep: vb.Sweep, theirs: work.Array, periods: float, what: str) -> None:
    """Disagreement unless every line is what the loop found for its set."""
    table = sweep.table
    agree(f"{what} final equity", (1.0 + table["total_return"].to_numpy()) * work.CASH / theirs[:, 0], np.ones(len(theirs)))
    agree(f"{what} Sharpe ratio", table["sharpe"].to_numpy(), theirs[:, 1] / theirs[:, 2] * periods**0.5)
    agree(f"{what} max drawdown", table["max_drawdown"].to_numpy(), theirs[:, 3])
    agree(f"{what} trades", table["trades"].to_numpy(), theirs[:, 4])


def crossings(count: int = 5_000, most: int = 101, larger: int = 200, wide: bool = True) -> list[Row]:
    """W2: all pairs of windows from 2 to `most`; by the ready-made strategy, by a user's, and, if it is `wide`, with many more sets."""
    bars, (fast, slow) = bars_of_w2(count), work.pairs_of_w2(most)
    close = np.ascontiguousarray(bars.close[:, 0])
    costs, rows = (work.COMMISSION_RATE, SLIPPAGE), []
    ready = vb.strategies.SmaCross()

    def loop(threads: int) -> work.Array:
        return crosses(close, (fast, slow), costs, work.CASH, threads)

    cases: list[tuple[Any, str, dict[str, Any]]] = [
        (ready, "SmaCross", {}), (UserCross(), "a user's strategy", {}), (ready, "SmaCross, no block sums", {"blocks": False}),
        (ready, "SmaCross, all metrics", {"metrics": None}),
    ]  # fmt: skip
    for strategy, name, more in cases:
        compared(sweep_of_w2(bars, strategy, most, 2, **more), loop(2), bars.market.periods_per_year or 0.0, f"W2 {name}")
        for threads in (1, 2):
            ours = lambda s=strategy, n=threads, m=more: sweep_of_w2(bars, s, most, n, **m)  # type: ignore[misc]  # noqa: E731
            taken, reference = in_turn(ours, lambda n=threads: loop(n))  # type: ignore[misc]
            what = f"{name}: {len(fast):,} sets x {count:,} bars, threads: {threads}"
            said = f"hand-written loop on as many {reference * 1e3:.1f} ms; {len(fast) * count / taken / 1e6:,.0f} M bar-steps/s"
            rows.append(Row("W2", what, taken / reference, "x loop", said, *bounds(more)))
    if len(fast) * count == FULL:
        alone = least(lambda: loop(1))
        said = f"{alone * 1e3:.1f} ms on one thread at best, there {ROOFLINE_MS['W2']:g} ms"
        rows.append(Row("W2", "the loop itself against a quicker machine's", alone * 1e3 / ROOFLINE_MS["W2"], "x", said))
    return [*rows, *(many_sets(count, most, larger) if wide else []), _fixed(bars)]


def many_sets(count: int, most: int, larger: int, rates: int = 200, short: int = 500) -> list[Row]:
    """In a process of their own: more windows; and all pairs at so many commission rates, over fewer bars."""
    figures: Any = child(f"from benchmarks.sweep_memory import measured\nmeasured({count}, {most}, {larger}, {rates}, {short})")
    wide, long, plain = figures
    said = "{seconds:.2f} s on 2 threads, {each:.1f} us a set, {steps:,.0f} M bar-steps/s; table {table:.0f} MB"
    slower, said_plain = plain["steps"] / long["steps"], f"W2 in the same process {plain['steps']:,.0f} M bar-steps/s"
    what = f"{long['sets']:,} sets x {short:,} bars, all metrics, no block sums: "
    return [
        Row("W2", f"{wide['sets']:,} sets x {count:,} bars: resident memory grows", wide["grown"], "MB", said.format(**wide), must=100.0),
        Row("W2", what + "memory grows beyond the table", long["grown"] - long["table"], "MB", said.format(**long), must=100.0),
        Row("W2", what + "bar-steps/s slower than W2", slower, "x", said_plain, must=1.25),
    ]


def _fixed(bars: vb.Bars) -> Row:
    """One set, 100 bars."""
    few, seconds = bars[:100], []
    for _ in range(4 * CALLS):
        start = time.perf_counter()
        vb.sweep(few, vb.strategies.SmaCross(), {"fast": [5]}, threads=1, progress=False, **KEYWORDS)
        seconds.append(time.perf_counter() - start)
    return Row("W2", "one set, 100 bars: what a call costs", statistics.median(seconds) * 1e3, "ms", "", must=5.0, aim=1.0)
