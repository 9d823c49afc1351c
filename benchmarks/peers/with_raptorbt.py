"""raptorbt's side, in the environment where it is installed: `python -m benchmarks.peers.with_raptorbt W1`."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import raptorbt

from .. import work
from . import side

ENGINE = "raptorbt (batch: all cores)"


def _prices(given: side.Work, step: int) -> tuple[Any, ...]:
    data = given.data
    times = np.arange(len(data["close"]), dtype=np.int64) * step + np.datetime64("2010-01-01", "ns").astype(np.int64)
    return (times, *(data[name] for name in ("open", "high", "low", "close", "volume")))


def _config(periods: float, slippage: float) -> Any:
    return raptorbt.BacktestConfig(
        initial_capital=work.CASH, fees=work.COMMISSION_RATE, slippage=slippage, fill_timing="same_bar_close", periods_per_year=periods
    )


def _crossed(fast: side.Array, slow: side.Array) -> tuple[Any, Any]:
    """Where the first goes above the second, and below."""
    entries, exits = np.zeros(len(fast), dtype=bool), np.zeros(len(fast), dtype=bool)
    np.logical_and(fast[1:] > slow[1:], fast[:-1] <= slow[:-1], out=entries[1:])
    np.logical_and(fast[1:] < slow[1:], fast[:-1] >= slow[:-1], out=exits[1:])
    return entries, exits


def _answer(results: list[Any]) -> side.Answer:
    found = [result.metrics for result in results]
    rows = [(m.end_value, m.sharpe_ratio, m.max_drawdown_pct / 100.0, m.total_trades) for m in found]
    return side.Answer(*np.array(rows, dtype=float).T)


def long_run() -> None:
    """W1: averages of its own, crossings by numpy, one run."""
    given = side.long_run()
    prices, config = _prices(given, 60_000_000_000), _config(side.MINUTES, work.SLIPPAGE_BPS * 1e-4)

    def run() -> side.Answer:
        fast, slow = (raptorbt.sma(given.data["close"], window) for window in (work.FAST, work.SLOW))
        result = raptorbt.run_single_backtest(*prices, *_crossed(fast, slow), config=config)
        result.equity_curve()
        return _answer([result])

    side.measured("raptorbt", given, run)


def crossings() -> None:
    """W2: averages once a window, a set of signals for each pair, run as a batch."""
    given = side.crossings()
    prices, config, pairs = _prices(given, 86_400_000_000_000), _config(side.YEAR, work.SLIPPAGE_BPS * 1e-4), work.pairs_of_w2(101)

    def run() -> side.Answer:
        averages = {window: raptorbt.sma(given.data["close"], window) for window in range(2, 102)}
        items = [
            raptorbt.BatchSingleItem(str(c), *_crossed(averages[fast], averages[slow]))
            for c, (fast, slow) in enumerate(zip(*(part.tolist() for part in pairs), strict=True))
        ]
        return _answer([result for _, result in raptorbt.batch_single_backtest(*prices, items, config)])

    side.measured(ENGINE, given, run)


def exits(targets: int) -> None:
    """W3a: the same signals in every item, stops and targets in its configuration."""
    given = side.exits(targets)
    prices, entries = _prices(given, 86_400_000_000_000), given.data["entries"].astype(bool)
    never = np.zeros(len(entries), dtype=bool)

    def run() -> side.Answer:
        items = []
        for c, (distance, trails, target) in enumerate(zip(*side.levels(targets), strict=True)):
            config = _config(side.YEAR, 0.0)
            (config.set_trailing_stop if trails else config.set_fixed_stop)(float(distance))
            config.set_fixed_target(float(target))
            items.append(raptorbt.BatchSingleItem(str(c), entries, never, config=config))
        return _answer([result for _, result in raptorbt.batch_single_backtest(*prices, items, _config(side.YEAR, 0.0))])

    side.measured(ENGINE, given, run)


if __name__ == "__main__":
    side.begin("raptorbt", "numpy", "numba")
    {"W1": long_run, "W2": crossings, "W3a/10": lambda: exits(20), "W3a": lambda: exits(200)}[sys.argv[1]]()
