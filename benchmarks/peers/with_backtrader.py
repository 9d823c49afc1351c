"""backtrader's side, in the environment where it is installed: `python -m benchmarks.peers.with_backtrader W2`."""

from __future__ import annotations

import sys
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from .. import work
from . import side

SETS = 4
SLIPPAGE = work.SLIPPAGE_BPS * 1e-4


class Cross(bt.Strategy):
    """Two averages, all cash in and out."""

    params = (("fast", 10), ("slow", 50))

    def __init__(self) -> None:
        averages = (bt.indicators.SMA(self.data.close, period=window) for window in (self.p.fast, self.p.slow))
        self.cross = bt.indicators.CrossOver(*averages)
        self.closed = 0

    def next(self) -> None:
        """One bar."""
        price = self.data.close[0]
        if not self.position and self.cross > 0:
            # a hair less than all: the last bit too much is refused
            self.buy(size=self.broker.getcash() * (1.0 - 1e-12) / (price * (1.0 + SLIPPAGE) * (1.0 + work.COMMISSION_RATE)))
        elif self.position and self.cross < 0:
            self.close()

    def notify_trade(self, trade: Any) -> None:
        """A trade opened or closed."""
        self.closed += int(trade.isclosed)


def crossings() -> None:
    """W2, so many of its sets."""
    given = side.crossings()
    chosen = np.linspace(0, given.sets - 1, SETS).astype(int)
    index = pd.date_range("2010-01-01", periods=len(given.data["close"]), freq="D")
    frame = pd.DataFrame({name: given.data[name] for name in ("open", "high", "low", "close", "volume")}, index=index)
    fast, slow = (part[chosen].tolist() for part in work.pairs_of_w2(101))

    def one(f: int, s: int) -> tuple[float, ...]:
        test = bt.Cerebro()
        test.adddata(bt.feeds.PandasData(dataname=frame))
        test.addstrategy(Cross, fast=f, slow=s)
        test.broker.setcash(work.CASH)
        test.broker.setcommission(commission=work.COMMISSION_RATE)
        test.broker.set_coc(True)
        test.broker.set_checksubmit(False)
        test.broker.set_slippage_perc(SLIPPAGE, slip_match=True, slip_out=True, slip_open=True)
        yearly = {"timeframe": bt.TimeFrame.Days, "factor": 365, "annualize": True, "riskfreerate": 0.0}
        test.addanalyzer(bt.analyzers.SharpeRatio, _name="sharpe", **yearly)
        test.addanalyzer(bt.analyzers.DrawDown, _name="drawdown")
        (done,) = test.run()
        sharpe = done.analyzers.sharpe.get_analysis()["sharperatio"]
        return test.broker.getvalue(), sharpe, done.analyzers.drawdown.get_analysis().max.drawdown / 100.0, done.closed

    def run() -> side.Answer:
        return side.Answer(*np.array([one(f, s) for f, s in zip(fast, slow, strict=True)], dtype=float).T)

    side.measured("backtrader", given, run, chosen)


if __name__ == "__main__":
    side.begin("backtrader", "numpy", "pandas", "numba")
    {"W2": crossings}[sys.argv[1]]()
