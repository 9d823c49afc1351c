"""What single trades brought (M4, M5): averages of winners and losers, extremes, streaks, longs and shorts. One streaming step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._typing import Records
from ..core.jit import kernel, kernel_loop
from ..core.state import records
from ..indicators.shape import readonly

__all__ = [
    "OUTCOMES_METRICS",
    "OUTCOMES_STATE",
    "outcomes_init",
    "outcomes_metrics",
    "outcomes_of",
    "outcomes_read",
    "outcomes_run",
    "outcomes_step",
]

OUTCOMES_STATE = np.dtype(
    [
        ("wins", "i8"),
        ("losers", "i8"),
        ("profit", "f8"),  # sum of pnl > 0
        ("loss", "f8"),  # minus the sum of pnl < 0
        ("best", "f8"),
        ("worst", "f8"),
        ("streak", "i8"),  # of winners > 0, of losers < 0, 0 after a trade that was neither
        ("winning", "i8"),  # longest so far
        ("losing", "i8"),
        ("held", "i8"),  # longest holding so far, bars; -1 before the first trade
        ("longs", "i8"),
        ("shorts", "i8"),
        ("long_pnl", "f8"),
        ("short_pnl", "f8"),
    ],
    align=True,
)

OUTCOMES_METRICS = np.dtype(
    [
        (name, "f8")
        for name in (
            "average_win",
            "average_loss",
            "payoff_ratio",
            "best_trade",
            "worst_trade",
            "longest_winning_streak",
            "longest_losing_streak",
            "longest_holding_bars",
            "long_trades",
            "short_trades",
            "long_pnl",
            "short_pnl",
        )
    ],
    align=True,
)

_NAN = math.nan


@kernel
def outcomes_init(state):  # type: ignore[no-untyped-def]
    """No trade yet."""
    state.wins = 0
    state.losers = 0
    state.profit = 0.0
    state.loss = 0.0
    state.best = -math.inf
    state.worst = math.inf
    state.streak = 0
    state.winning = 0
    state.losing = 0
    state.held = -1
    state.longs = 0
    state.shorts = 0
    state.long_pnl = 0.0
    state.short_pnl = 0.0


@kernel
def outcomes_step(state, trade):  # type: ignore[no-untyped-def]
    """One closed trade, in the order of their ends: any record with `pnl`, `side`, `entry_t` and `exit_t`."""
    pnl = trade.pnl
    state.best = max(state.best, pnl)
    state.worst = min(state.worst, pnl)
    state.held = max(state.held, trade.exit_t - trade.entry_t)
    if pnl > 0.0:
        state.wins += 1
        state.profit += pnl
        state.streak = max(state.streak, 0) + 1
        state.winning = max(state.winning, state.streak)
    elif pnl < 0.0:
        state.losers += 1
        state.loss -= pnl
        state.streak = min(state.streak, 0) - 1
        state.losing = max(state.losing, -state.streak)
    else:
        state.streak = 0
    if trade.side > 0:
        state.longs += 1
        state.long_pnl += pnl
    else:
        state.shorts += 1
        state.short_pnl += pnl


@kernel
def outcomes_metrics(state, out):  # type: ignore[no-untyped-def]
    """Read the metrics off a state into the record `out`."""
    out.average_win = state.profit / state.wins if state.wins > 0 else _NAN
    out.average_loss = state.loss / state.losers if state.losers > 0 else _NAN
    out.payoff_ratio = out.average_win / out.average_loss if state.losers > 0 else _NAN
    known = state.longs + state.shorts > 0
    out.best_trade = state.best if known else _NAN
    out.worst_trade = state.worst if known else _NAN
    out.longest_holding_bars = float(state.held) if known else _NAN
    out.longest_winning_streak = float(state.winning)
    out.longest_losing_streak = float(state.losing)
    out.long_trades = float(state.longs)
    out.short_trades = float(state.shorts)
    out.long_pnl = state.long_pnl
    out.short_pnl = state.short_pnl


@kernel_loop
def outcomes_run(states, trades):  # type: ignore[no-untyped-def]
    """All trades in the order they were closed, each into the state of its account."""
    for k in range(trades.shape[0]):
        outcomes_step(states[trades[k].account], trades[k])


@kernel_loop
def outcomes_read(states, out):  # type: ignore[no-untyped-def]
    """Metrics of all accounts."""
    for account in range(states.shape[0]):
        outcomes_metrics(states[account], out[account])


def outcomes_of(trades: Any, accounts: int) -> Records:
    """Metrics of a trade log by account, `(accounts,)` records of `OUTCOMES_METRICS`: `average_loss` is positive money, streaks are trades.

    A trade without profit or loss ends both kinds of streak. Undefined is NaN: no winner, no loser, no trade (M5).
    """
    states, out = records(OUTCOMES_STATE, accounts), records(OUTCOMES_METRICS, accounts)
    for account in range(accounts):
        outcomes_init(states[account])
    outcomes_run(states, readonly(trades))
    outcomes_read(states, out)
    return out
