"""The money: the one routine that books a fill (F3, F6, F9), and the trade it belongs to (M4, M7)."""

from __future__ import annotations

import math

from ..core.codes import Reason
from ..core.jit import kernel
from ..risk.levels import clear_levels, set_levels

__all__ = ["close_leg", "open_leg", "settle", "touch"]

_STOP, _TIME = int(Reason.STOP), int(Reason.TIME)  # the reasons of P: stop, trail, target, time


@kernel
def close_leg(a, acct):  # type: ignore[no-untyped-def]
    """The closing part of an order at its price: cash and quantity. `a.order_closed` and its commission so far are set."""
    side = 1.0 if a.q > 0.0 else -1.0
    acct.cash += side * a.order_closed * a.order_price * a.multiplier - a.order_fee
    acct.bar_costs += a.order_fee + abs(a.order_price - a.order_ref) * a.order_closed * a.multiplier
    if a.order_closed == abs(a.q):
        a.q = 0.0
    else:
        a.q -= side * a.order_closed


@kernel
def open_leg(a, acct, side, extra_fee):  # type: ignore[no-untyped-def]
    """The opening part of an order at its price: cash and quantity. `a.order_opened` is set."""
    acct.cash -= side * a.order_opened * a.order_price * a.multiplier + extra_fee
    acct.bar_costs += extra_fee + abs(a.order_price - a.order_ref) * a.order_opened * a.multiplier
    a.q += side * a.order_opened
    a.order_fee += extra_fee


@kernel
def touch(a, side, high, low):  # type: ignore[no-untyped-def]
    """M7: prices met while the position was held."""
    worst = low if side > 0.0 else high
    best = high if side > 0.0 else low
    if (worst - a.worst) * side < 0.0:
        a.worst = worst
    if (best - a.best) * side > 0.0:
        a.best = best


@kernel
def settle(a, acct, now, stops, log):  # type: ignore[no-untyped-def]
    """After the legs of the asset's order are filled: realize, average, run the trade, set the levels, log the fill."""
    total = a.order_closed + a.order_opened
    fee_of_close = a.order_fee * a.order_closed / total
    acct.fees += a.order_fee
    slipped = abs(a.order_price - a.order_ref) * total * a.multiplier
    held_side = 1.0 if a.order_held > 0.0 else -1.0
    if a.order_closed > 0.0:
        gross = a.order_closed * a.multiplier * (a.order_price - a.avg) * held_side
        acct.realized += gross
        a.exited += a.order_closed
        a.exited_value += a.order_closed * a.order_price
        a.gross += gross
        a.commission += fee_of_close
        touch(a, held_side, a.order_price, a.order_price)
        if a.order_closed == abs(a.order_held):
            _end_trade(a, now, log)
    side = -held_side if a.order_closed > 0.0 else 1.0
    if a.order_opened > 0.0:
        side = 1.0 if a.q > 0.0 else -1.0
        _enter(a, now, acct.day, side, a.order_fee - fee_of_close)
        set_levels(a, side, stops)
        if a.entered == a.order_opened:
            a.first_stop = a.stop
            a.initial_risk = a.order_opened * a.multiplier * abs(a.avg - a.stop)
    _log_fill(a, now, side * total, slipped, log)


@kernel
def _enter(a, now, day, side, fee):  # type: ignore[no-untyped-def]
    """F9: an increase is averaged by quantity; a new trade starts at its fill."""
    before = abs(a.q) - a.order_opened if a.entered > 0.0 else 0.0
    if a.entered == 0.0:
        a.avg = a.order_price
        a.entry_t = now
        a.entry_day = day
        a.watermark = a.order_price
        a.worst = a.order_price
        a.best = a.order_price
    else:
        a.avg = (before * a.avg + a.order_opened * a.order_price) / (before + a.order_opened)
        if (a.avg - a.watermark) * side > 0.0:
            a.watermark = a.avg
        touch(a, side, a.order_price, a.order_price)
    a.level_atr = a.atr
    a.entered += a.order_opened
    a.entered_value += a.order_opened * a.order_price
    a.commission += fee


@kernel
def _log_fill(a, now, q, slipped, log):  # type: ignore[no-untyped-def]
    fill = log.fills[log.counts[1]]
    fill.t = now
    fill.asset = a.n
    fill.account = a.g
    fill.order = a.order_id
    fill.q = q
    fill.price = a.order_price
    fill.ref = a.order_ref
    fill.commission = a.order_fee
    fill.slippage = slipped
    fill.reason = a.order_reason
    log.counts[1] += 1


@kernel
def _end_trade(a, now, log):  # type: ignore[no-untyped-def]
    """M4: the position is flat; write its trade and forget it."""
    side = 1.0 if a.order_held > 0.0 else -1.0
    entry = a.entered_value / a.entered
    trade = log.trades[log.counts[2]]
    trade.asset = a.n
    trade.account = a.g
    trade.side = int(side)
    trade.entry_t = a.entry_t
    trade.exit_t = now
    trade.quantity = a.entered
    trade.entry_price = entry
    trade.exit_price = a.exited_value / a.exited
    trade.gross = a.gross
    trade.commission = a.commission
    trade.pnl = a.gross - a.commission
    trade.reason = a.order_reason
    against, favour = (entry - a.worst) * side, (a.best - entry) * side
    trade.mae = math.nan if entry <= 0.0 else (against / entry if against > 0.0 else 0.0)
    trade.mfe = math.nan if entry <= 0.0 else (favour / entry if favour > 0.0 else 0.0)
    trade.initial_risk = a.initial_risk
    trade.stop = a.first_stop
    log.counts[2] += 1
    if _STOP <= a.order_reason <= _TIME:
        a.stopped_t = now  # P9
    _forget_trade(a)


@kernel
def _forget_trade(a):  # type: ignore[no-untyped-def]
    """Back to flat, so that equal histories leave equal bytes."""
    clear_levels(a)
    a.avg = math.nan
    a.entry_t = 0
    a.entry_day = 0
    a.entered = 0.0
    a.entered_value = 0.0
    a.exited = 0.0
    a.exited_value = 0.0
    a.gross = 0.0
    a.commission = 0.0
    a.worst = math.nan
    a.best = math.nan
    a.initial_risk = math.nan
    a.first_stop = math.nan
