"""Trade metrics: one streaming step over closed trades (M4, M5, M7)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._typing import Records
from ..core.jit import kernel, kernel_loop
from ..core.state import records
from ..errors import InputError
from ..indicators.shape import readonly

__all__ = [
    "TRADES_METRICS",
    "TRADES_STATE",
    "trade_metrics",
    "trades_counted",
    "trades_init",
    "trades_metrics",
    "trades_of",
    "trades_read",
    "trades_run",
    "trades_step",
]

TRADES_STATE = np.dtype(
    [
        ("count", "i8"),
        ("wins", "i8"),
        ("profit", "f8"),  # sum of pnl > 0
        ("loss", "f8"),  # minus the sum of pnl < 0
        ("pnl", "f8"),
        ("with_risk", "i8"),  # trades that had a stop
        ("multiples", "f8"),  # sum of pnl over initial risk
        ("mae", "f8"),
        ("mfe", "f8"),
        ("holding_bars", "i8"),
    ],
    align=True,
)

TRADES_METRICS = np.dtype(
    [
        (name, "f8")
        for name in (
            "trades",
            "win_rate",
            "profit_factor",
            "expectancy",
            "r_expectancy",
            "average_mae",
            "average_mfe",
            "average_holding_bars",
        )
    ],
    align=True,
)

_TRADE = np.dtype(
    [(name, "f8") for name in ("pnl", "initial_risk", "mae", "mfe")] + [(name, "i8") for name in ("entry_t", "exit_t", "account")],
    align=True,
)
_NAN = math.nan


@kernel
def trades_init(state):  # type: ignore[no-untyped-def]
    """No trade yet."""
    state.count = 0
    state.wins = 0
    state.profit = 0.0
    state.loss = 0.0
    state.pnl = 0.0
    state.with_risk = 0
    state.multiples = 0.0
    state.mae = 0.0
    state.mfe = 0.0
    state.holding_bars = 0


@kernel
def trades_step(state, trade):  # type: ignore[no-untyped-def]
    """One closed trade: any record with `pnl`, `initial_risk` (NaN without a stop), `mae`, `mfe`, `entry_t` and `exit_t`."""
    state.count += 1
    state.pnl += trade.pnl
    if trade.pnl > 0.0:
        state.wins += 1
        state.profit += trade.pnl
    elif trade.pnl < 0.0:
        state.loss -= trade.pnl
    if trade.initial_risk > 0.0:
        state.with_risk += 1
        state.multiples += trade.pnl / trade.initial_risk
    state.mae += trade.mae
    state.mfe += trade.mfe
    state.holding_bars += trade.exit_t - trade.entry_t


@kernel
def trades_counted(count, out):  # type: ignore[no-untyped-def]
    """Metrics of trades of which nothing is known but how many there are: the others are NaN."""
    out.trades = float(count)
    out.win_rate = _NAN
    out.profit_factor = _NAN
    out.expectancy = _NAN
    out.r_expectancy = _NAN
    out.average_mae = _NAN
    out.average_mfe = _NAN
    out.average_holding_bars = _NAN


@kernel
def trades_metrics(state, out):  # type: ignore[no-untyped-def]
    """Read the metrics off a state into the record `out`."""
    trades_counted(state.count, out)
    if state.count > 0:
        out.win_rate = state.wins / state.count
        out.expectancy = state.pnl / state.count
        out.average_mae = state.mae / state.count
        out.average_mfe = state.mfe / state.count
        out.average_holding_bars = state.holding_bars / state.count
    if state.loss > 0.0:
        out.profit_factor = state.profit / state.loss
    if state.with_risk > 0:
        out.r_expectancy = state.multiples / state.with_risk


@kernel_loop
def trades_run(states, trades):  # type: ignore[no-untyped-def]
    """All trades in the order they were closed, each into the state of its account."""
    for k in range(trades.shape[0]):
        trades_step(states[trades[k].account], trades[k])


@kernel_loop
def trades_read(states, out):  # type: ignore[no-untyped-def]
    """Metrics of all accounts."""
    for account in range(states.shape[0]):
        trades_metrics(states[account], out[account])


def _column(value: Any, name: str, count: int | None, missing: float) -> Any:
    if value is None:
        return np.full(count or 0, missing)
    column = np.asarray(value, dtype=np.float64)
    if column.ndim != 1 or (count is not None and column.shape[0] != count):
        raise InputError(f"{name} has shape {column.shape}; expected {'(trades,)' if count is None else f'({count},), one number a trade'}")
    return column


def trade_metrics(pnl: Any, *, initial_risk: Any = None, mae: Any = None, mfe: Any = None, holding_bars: Any = None) -> dict[str, float]:
    """Metrics of closed trades, of any origin.

    Parameters
    ----------
    pnl : array_like, shape (K,)
        Money, net of commission and carry, one number a trade; NaN is refused.
    initial_risk : array_like, shape (K,), optional
        Money at risk between entry and first stop; NaN or zero: the trade had none.
    mae, mfe : array_like, shape (K,), optional
        Greatest adverse and favourable excursion, fractions of the entry price.
    holding_bars : array_like of int, shape (K,), optional
        Bars from the entry's to the exit's.

    Returns
    -------
    dict
        `trades`, `win_rate` (share with pnl > 0), `profit_factor` (gross profit over gross loss), `expectancy` (mean pnl, money),
        `r_expectancy` (mean pnl over initial risk, over trades that had one), `average_mae`, `average_mfe`, `average_holding_bars`.
        Undefined is NaN: no trade, no losing trade for the profit factor, no trade with a stop, no such column.

    Notes
    -----
    Rules M4, M5 and M7 of the semantics; the R multiple is Tharp's (*Trade Your Way to Financial Freedom*, 1998).
    """
    money = _column(pnl, "pnl", None, 0.0)
    if np.isnan(money).any():
        raise InputError(f"pnl is NaN at trade {int(np.argmax(np.isnan(money)))}; leave out trades that are still open")
    count = money.shape[0]
    rows = np.zeros(count, dtype=_TRADE).view(np.recarray)
    rows["pnl"] = money
    for name, value in (("initial_risk", initial_risk), ("mae", mae), ("mfe", mfe)):
        rows[name] = _column(value, name, count, _NAN)
    rows["exit_t"] = _column(holding_bars, "holding_bars", count, 0.0).astype(np.int64)
    found = trades_of(rows, 1)[0]
    metrics = {name: float(found[name]) for name in TRADES_METRICS.names or ()}
    return metrics if holding_bars is not None else {**metrics, "average_holding_bars": _NAN}


def trades_of(trades: Records, accounts: int) -> Records:
    """Metrics of a trade log by account, `(accounts,)` records."""
    states, out = records(TRADES_STATE, accounts), records(TRADES_METRICS, accounts)
    trades_run(states, readonly(trades))
    trades_read(states, out)
    return out
