"""How much was done: time in the market, turnover, costs. One streaming step over bars and one over fills."""

from __future__ import annotations

import math

import numpy as np

from .._typing import ArrayTG, Records
from ..core.jit import borrowed, kernel, kernel_loop
from ..core.state import records
from ..indicators.shape import readonly
from ._columns import checked_periods
from .holdings import Holdings, change_held, lent, next_change

__all__ = [
    "ACTIVITY_METRICS",
    "ACTIVITY_PARAMS",
    "ACTIVITY_STATE",
    "activity_fill",
    "activity_init",
    "activity_metrics",
    "activity_of",
    "activity_run",
    "activity_step",
]

ACTIVITY_PARAMS = np.dtype([("periods_per_year", "f8")], align=True)
ACTIVITY_STATE = np.dtype(
    [
        ("bars", "i8"),
        ("bars_held", "i8"),  # bars at whose close something was held
        ("equity", "f8"),  # sum over bars
        ("traded", "f8"),  # sum of |q*price*x| over fills
        ("commission", "f8"),
        ("slippage", "f8"),
    ],
    align=True,
)
ACTIVITY_METRICS = np.dtype([(name, "f8") for name in ("exposure_time", "turnover", "commission", "slippage", "fees")], align=True)

_NAN = math.nan


@kernel
def activity_init(state):  # type: ignore[no-untyped-def]
    """Nothing done yet."""
    state.bars = 0
    state.bars_held = 0
    state.equity = 0.0
    state.traded = 0.0
    state.commission = 0.0
    state.slippage = 0.0


@kernel
def activity_step(state, equity, account, first, past, held):  # type: ignore[no-untyped-def]
    """Bars `first` to `past - 1` of one account, between which it did nothing: its equity `(T, G)`, and whether it held anything."""
    total = state.equity
    for t in range(first, past):
        total += equity[t, account]
    state.equity = total
    state.bars += past - first
    if held:
        state.bars_held += past - first


@kernel
def activity_fill(state, fill, multiplier):  # type: ignore[no-untyped-def]
    """One fill: any record with `q`, `price`, `commission` and `slippage`."""
    state.traded += abs(fill.q * fill.price * multiplier)
    state.commission += fill.commission
    state.slippage += fill.slippage


@kernel
def activity_metrics(state, params, out):  # type: ignore[no-untyped-def]
    """Read the metrics off a state into the record `out`.

    `exposure_time` is the share of bars at whose close something was held; `turnover` the value bought and sold a year over the
    mean equity (buying and selling the whole equity once a year is 2), NaN where the mean equity is not positive; `commission`,
    `slippage` and their sum `fees` are money.
    """
    out.commission = state.commission
    out.slippage = state.slippage
    out.fees = state.commission + state.slippage
    out.exposure_time = _NAN
    out.turnover = _NAN
    if state.bars > 0:
        out.exposure_time = state.bars_held / state.bars
        if state.equity > 0.0:
            # the mean equity is equity/bars and the years are bars/P: bars cancel
            out.turnover = state.traded / state.equity * params.periods_per_year


@kernel
def _count_held(held, shared, counts):  # type: ignore[no-untyped-def]
    """How many positions each account has."""
    for g in range(counts.shape[0]):
        counts[g] = 0
    for n in range(held.shape[0]):
        if held[n] != 0.0:
            counts[0 if shared else n] += 1


@kernel_loop
def activity_run(states, equity, given, held, counts):  # type: ignore[no-untyped-def]
    """All bars of equity `(T, G)` and all fills, each into the state of its account.

    `given` are `Holdings`, `held` `(N,)` the quantities before the first bar, `counts` `(G,)` room for positions by account.
    """
    bars, accounts = equity.shape
    given, held, equity, counts = lent(given), borrowed(held), borrowed(equity), borrowed(counts)
    t, k = 0, 0
    while t < bars:
        k = change_held(given, held, k, t)
        past = next_change(given, k, t)
        _count_held(held, accounts == 1, counts)
        for g in range(accounts):
            activity_step(states[g], equity, g, t, past, counts[g] > 0)
        t = past
    fills = given.fills
    for k in range(fills.shape[0]):
        activity_fill(states[fills[k].account], fills[k], given.multiplier[fills[k].asset])


@kernel_loop
def _read(states, params, out):  # type: ignore[no-untyped-def]
    for account in range(states.shape[0]):
        activity_metrics(states[account], params[0], out[account])


def activity_of(given: Holdings, equity: ArrayTG, periods_per_year: float) -> Records:
    """Metrics of activity by account, `(G,)` records of `ACTIVITY_METRICS`; `equity` is money `(T, G)`."""
    accounts = equity.shape[1]
    states, out, params = records(ACTIVITY_STATE, accounts), records(ACTIVITY_METRICS, accounts), records(ACTIVITY_PARAMS, 1)
    params["periods_per_year"] = checked_periods(periods_per_year)
    for account in range(accounts):
        activity_init(states[account])
    counts = np.zeros(accounts, dtype=np.int64)
    activity_run(states, readonly(np.ascontiguousarray(equity)), given, given.quantity.copy(), counts)
    _read(states, params, out)
    return out
