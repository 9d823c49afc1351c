"""vectorbt's side, in the environment where it is installed: `python -m benchmarks.peers.with_vectorbt W1 numba`."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
import vectorbt as vbt

from .. import work
from . import side

SHARED: dict[str, Any] = {"fees": work.COMMISSION_RATE, "init_cash": work.CASH}
SLIPPAGE = work.SLIPPAGE_BPS * 1e-4


def _series(given: side.Work, frequency: str) -> dict[str, pd.Series]:
    index = pd.date_range("2010-01-01", periods=len(given.data["close"]), freq=frequency)
    return {name: pd.Series(values, index=index) for name, values in given.data.items()}


def _answer(portfolio: Any) -> side.Answer:
    found = portfolio.final_value(), portfolio.sharpe_ratio(), -portfolio.max_drawdown(), portfolio.trades.count()
    return side.Answer(*(np.atleast_1d(np.asarray(values, dtype=float)) for values in found))


def long_run(engine: str) -> None:
    """W1, with the equity curve."""
    given = side.long_run()
    close = _series(given, "min")["close"]

    def run() -> side.Answer:
        fast, slow = (vbt.MA.run(close, window) for window in (work.FAST, work.SLOW))
        entries, exits = fast.ma_crossed_above(slow), fast.ma_crossed_below(slow)
        portfolio = vbt.Portfolio.from_signals(close, entries, exits, slippage=SLIPPAGE, freq="min", engine=engine, **SHARED)
        portfolio.value()
        return _answer(portfolio)

    side.measured(f"vectorbt {engine}", given, run)


def crossings(engine: str) -> None:
    """W2, as one matrix."""
    given = side.crossings()
    close = _series(given, "D")["close"]

    def run() -> side.Answer:
        fast, slow = vbt.MA.run_combs(close, window=np.arange(2, 102), r=2, short_names=["fast", "slow"])
        entries, exits = fast.ma_crossed_above(slow), fast.ma_crossed_below(slow)
        return _answer(vbt.Portfolio.from_signals(close, entries, exits, slippage=SLIPPAGE, freq="D", engine=engine, **SHARED))

    side.measured(f"vectorbt {engine}", given, run)


def exits(engine: str, targets: int) -> None:
    """W3a, as one matrix: it has one slot for a stop, fixed or trailing."""
    given = side.exits(targets)
    prices = _series(given, "D")
    distance, trails, target = side.levels(targets)
    never = pd.Series(False, index=prices["close"].index)

    def run() -> side.Answer:
        portfolio = vbt.Portfolio.from_signals(
            prices["close"], prices["entries"], never, open=prices["open"], high=prices["high"], low=prices["low"],
            sl_stop=distance[None, :], sl_trail=(trails == 1.0)[None, :], tp_stop=target[None, :], freq="D", engine=engine, **SHARED,
        )  # fmt: skip
        return _answer(portfolio)

    side.measured(f"vectorbt {engine}", given, run)


if __name__ == "__main__":
    workloads = {"W1": long_run, "W2": crossings, "W3a/10": lambda e: exits(e, 20), "W3a": lambda e: exits(e, 200)}
    side.begin("vectorbt", "vectorbt-rust", "numpy", "pandas", "numba")
    workloads[sys.argv[1]](sys.argv[2])
