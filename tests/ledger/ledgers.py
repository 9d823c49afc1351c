"""What the tests of the ledger run, here and in processes of their own."""

from __future__ import annotations

import functools
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

import vecbt as vb
from vecbt.analytics.result import Result
from vecbt.analytics.sweep import Sweep
from vecbt.ledger import store

COSTS = vb.Costs(commission_rate=0.001)
SPACE = {"fast": [2, 3], "slow": [6, 9, 14]}


@functools.cache
def days(*symbols: str) -> vb.Bars:
    """Bundled daily bars of the year 2000 and some more."""
    return vb.samples.load("us_daily", symbols=list(symbols or ("AAPL", "IBM")))[:260]


def run(bars: vb.Bars, fast: int = 3, slow: int = 9, **keywords: Any) -> Result:
    """One configuration."""
    return vb.backtest(bars, vb.strategies.SmaCross(fast, slow), **{"costs": COSTS, **keywords})


def six(bars: vb.Bars, **keywords: Any) -> Sweep:
    """Six configurations, (3, 9) among them."""
    given = {"costs": COSTS, "progress": False, "threads": 1, "space": SPACE, "strategy": vb.strategies.SmaCross(2, 20)}
    return vb.sweep(bars, **(given | keywords))


def closed() -> Path:
    """The file, closed by this process and whole in itself."""
    while store._open:
        store._open.pop().close()
    return vb.ledger.path()


def tampered(*statements: str) -> None:
    """Change the file as no writer does."""
    with closing(sqlite3.connect(closed())) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def flip(needle: bytes) -> None:
    """One bit of the file, where these bytes stand."""
    data = bytearray(closed().read_bytes())
    data[data.index(needle) + 1] ^= 1
    vb.ledger.path().write_bytes(data)


def other_prices(bars: vb.Bars, change: Callable[[np.ndarray], np.ndarray], **more: Any) -> vb.Bars:
    """Bars with each of the four prices changed."""
    prices = [change(np.array(field)) for field in (bars.open, bars.high, bars.low, bars.close)]
    return vb.Bars.from_numpy(*prices, index=bars.index, symbols=bars.symbols, **more)


def write_runs(name: int, count: int) -> None:
    """Runs `count` backtests, as the process of this number; says after each what became of it."""
    bars = days("AAPL")[:60]
    for k in range(count):
        number = name * count + k
        found = run(bars, 2 + number % 7, 10 + number // 7)
        print(found.trials.recorded, found.trials.head, flush=True)


if __name__ == "__main__":
    write_runs(int(sys.argv[1]), int(sys.argv[2]))
