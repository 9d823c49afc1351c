"""backtesting.py's side, in the environment where it is installed: `python -m benchmarks.peers.with_backtesting W2`."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
from backtesting.lib import FractionalBacktest, Strategy, crossover
from backtesting.test import SMA

from .. import work
from . import side

SETS = 20


class Cross(Strategy):
    """Two averages, all cash in and out."""

    fast, slow = 10, 50

    def init(self) -> None:
        """Averages over all bars."""
        self.quick = self.I(SMA, self.data.Close, self.fast)
        self.calm = self.I(SMA, self.data.Close, self.slow)

    def next(self) -> None:
        """One bar."""
        if not self.position and crossover(self.quick, self.calm):
            self.buy()
        elif self.position and crossover(self.calm, self.quick):
            self.position.close()


def crossings() -> None:
    """W2, so many of its sets."""
    given = side.crossings()
    chosen = np.linspace(0, given.sets - 1, SETS).astype(int)
    index = pd.date_range("2010-01-01", periods=len(given.data["close"]), freq="D")
    names = {"Open": "open", "High": "high", "Low": "low", "Close": "close", "Volume": "volume"}
    frame = pd.DataFrame({name: given.data[field] for name, field in names.items()}, index=index)
    fast, slow = (part[chosen].tolist() for part in work.pairs_of_w2(101))

    def run() -> side.Answer:
        test = FractionalBacktest(
            frame, Cross, cash=work.CASH, commission=work.COMMISSION_RATE, spread=work.SLIPPAGE_BPS * 1e-4, trade_on_close=True,
            finalize_trades=True,
        )  # fmt: skip
        rows: list[tuple[Any, ...]] = []
        for f, s in zip(fast, slow, strict=True):
            stats = test.run(fast=f, slow=s)
            rows.append((stats["Equity Final [$]"], stats["Sharpe Ratio"], -stats["Max. Drawdown [%]"] / 100.0, stats["# Trades"]))
        return side.Answer(*np.array(rows, dtype=float).T)

    side.measured("backtesting.py", given, run, chosen)


if __name__ == "__main__":
    side.begin("backtesting", "numpy", "pandas", "numba")
    {"W2": crossings}[sys.argv[1]]()
