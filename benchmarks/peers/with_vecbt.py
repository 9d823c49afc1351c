"""Our own side: `python -m benchmarks.peers.with_vecbt W1`."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import vecbt as vb

from .. import work
from ..cases import KEYWORDS, make_bars
from . import side


def _answer(sweep: vb.Sweep) -> side.Answer:
    table = sweep.table
    return side.Answer(*(table[name].to_numpy().astype(float) for name in ("final_equity", "sharpe", "max_drawdown", "trades")))


def _days(given: side.Work) -> vb.Bars:
    prices = {name: given.data[name] for name in ("open", "high", "low", "close", "volume")}
    return vb.Bars.from_numpy(**prices, index=work.days(len(prices["close"])), symbols=("X",), asset_class="crypto")


def long_run() -> None:
    """W1: account series, fills, trades, statistics."""
    given = side.long_run()
    bars = make_bars(given.data)

    def run() -> side.Answer:
        result = vb.backtest(bars, vb.strategies.SmaCross(work.FAST, work.SLOW), **KEYWORDS)
        equity, _, _, stats = result.equity, result.fills, result.trades, result.stats()
        return side.Answer(*(np.array([v]) for v in (equity.iloc[-1], stats["sharpe"], stats["max_drawdown"], float(stats["trades"]))))

    side.measured("vecbt", given, run)


def crossings() -> None:
    """W2, as it is called and without block sums, which no peer keeps; one thread, as the loop."""
    given = side.crossings()
    bars, space = _days(given), {"fast": range(2, 101), "slow": range(3, 102)}
    for threads in (1, 2):

        def run(threads: int = threads) -> side.Answer:
            found = vb.sweep(bars, vb.strategies.SmaCross(), space, threads=threads, blocks=False, progress=False, **KEYWORDS)
            return _answer(found)

        side.measured(f"vecbt, threads: {threads}", given, run)


def exits(targets: int) -> None:
    """W3a."""
    given = side.exits(targets)
    bars, entries = _days(given), given.data["entries"][:, None]
    space: list[dict[str, Any]] = [
        {"stops.hard": None if trails else float(s), "stops.trailing": float(s) if trails else None, "stops.take_profit": float(goal)}
        for s, trails, goal in zip(*side.levels(targets), strict=True)
    ]
    keywords = KEYWORDS | {"costs": vb.Costs(commission_rate=work.COMMISSION_RATE)}
    for threads in (1, 2):

        def run(threads: int = threads) -> side.Answer:
            return _answer(vb.sweep(bars, vb.Signals(entries=entries), space, threads=threads, blocks=False, progress=False, **keywords))

        side.measured(f"vecbt, threads: {threads}", given, run)


if __name__ == "__main__":
    side.begin("vecbt", "numpy", "pandas", "polars", "numba")
    {"W1": long_run, "W2": crossings, "W3a/10": lambda: exits(20), "W3a": lambda: exits(200)}[sys.argv[1]]()
