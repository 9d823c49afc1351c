"""The few functions that bind the engine and the analytics."""

from __future__ import annotations

from typing import Any, Unpack

from .analytics.result import Result
from .data.bars import Bars
from .engine.audit import audit as audit_run
from .engine.batch import simulate
from .engine.check import ParityReport, aligned_inputs, replay
from .engine.keywords import Keywords, explicit
from .engine.setup import Setup
from .errors import DataError

__all__ = ["backtest", "check_parity"]


@explicit
def backtest(bars: Bars, strategy: Any, *, audit: bool = False, **keywords: Unpack[Keywords]) -> Result:
    """Run a strategy, or its inputs, over all bars.

    Parameters
    ----------
    bars : Bars
        Prices, `T` bars of `N` assets.
    strategy : Strategy, function `rows(bars)`, Signals, Strengths, Weights or Quantities
        What decides at each bar (S1).
    audit : bool
        Work the accounts out again from the fills and compare (F3).
    **keywords
        costs (required), sizing, stops, risk, initial_capital, fill, direction, accumulate, weights_of, band, intrabar,
        trade_through, accounts, positions, liquidate_at_end: see `Setup`, which explains each.

    Returns
    -------
    Result
        Statistics, curves, orders, fills, trades, plots and reports.

    Raises
    ------
    ConfigError, DataError, InputError, StrategyError
        An argument, the bars, the inputs or the strategy cannot be used; the message says why and what to do.
    AuditError
        The books do not add up, which is a fault of vecbt.
    """
    setup = Setup.of(**keywords)
    given, inputs = aligned_inputs(_checked(bars), strategy)
    run = simulate(bars, given, inputs, setup)
    if audit:
        audit_run(run)
    return Result(run)


@explicit
def check_parity(
    bars: Bars,
    strategy: Any,
    *,
    restarts: int = 3,
    seed: int = 0,
    progress: Any = None,
    **keywords: Unpack[Keywords],
) -> ParityReport:
    """Replay a run bar by bar, with save, kill and restore at random bars, and demand equal bytes at each bar (D1, D3).

    Parameters
    ----------
    bars, strategy, **keywords
        As for `backtest`.
    restarts, seed : int
        How often, and at which random bars, the stream is restored from its save.
    progress : callable (done, total), optional
        Called after each bar.
    """
    return replay(_checked(bars), strategy, Setup.of(**keywords), restarts=restarts, seed=seed, progress=progress)


def _checked(bars: Any) -> Bars:
    if not isinstance(bars, Bars):
        raise DataError(f"bars is {type(bars).__name__}; expected Bars: make them with Bars.from_pandas, from_polars, read_csv, …")
    return bars
