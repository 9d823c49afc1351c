"""The money: the one routine that books a fill (F3, F6, F9, F12), and the trade it belongs to (M4, M7)."""

from __future__ import annotations

import math

from ..core.codes import Reason
from ..core.jit import kernel, spine
from ..risk.levels import clear_levels, set_levels
from .log import next_fill, next_trade

__all__ = ["close_leg", "extremes", "open_leg", "settle", "settle_move", "touch"]

_STOP, _TIME = int(Reason.STOP), int(Reason.TIME)  # the reasons of P: stop, trail, target, time


@kernel
def settle_move(a, acct, price):  # type: ignore[no-untyped-def]
    """F12: a contract's move up to `price` goes to cash; what is paid in full has none."""
    if a.kind != 0:
        if a.q != 0.0:
            acct.cash += a.q * a.multiplier * (price - a.settled)
        a.settled = price


@kernel
def close_leg(a, o, acct):  # type: ignore[no-untyped-def]
    """The closing part of order `o` of asset `a` at its price: cash and quantity. `o.order_closed` and its fee are set."""
    side = 1.0 if a.q > 0.0 else -1.0
    if a.kind == 0:
        acct.cash += side * o.order_closed * o.order_price * a.multiplier - o.order_fee
    else:
        settle_move(a, acct, o.order_price)
        acct.cash -= o.order_fee
    acct.bar_costs += o.order_fee + abs(o.order_price - o.order_ref) * o.order_closed * a.multiplier
    if o.order_closed == abs(a.q):
        a.q = 0.0
    else:
        a.q -= side * o.order_closed


@kernel
def open_leg(a, o, acct, side, extra_fee):  # type: ignore[no-untyped-def]
    """The opening part of an order at its price: cash and quantity. `o.order_opened` is set."""
    if a.kind == 0:
        acct.cash -= side * o.order_opened * o.order_price * a.multiplier + extra_fee
    else:
        settle_move(a, acct, o.order_price)
        acct.cash -= extra_fee
    acct.bar_costs += extra_fee + abs(o.order_price - o.order_ref) * o.order_opened * a.multiplier
    a.q += side * o.order_opened
    o.order_fee += extra_fee


@spine
def extremes(side, worst, best, high, low):  # type: ignore[no-untyped-def]
    """M7: the worst and the best price a position has met, after it met these."""
    if side > 0.0:
        return low if low < worst else worst, high if high > best else best
    return high if high > worst else worst, low if low < best else best


@kernel
def touch(a, side, high, low):  # type: ignore[no-untyped-def]
    """M7: prices met while the position was held."""
    a.worst, a.best = extremes(side, a.worst, a.best, high, low)


@kernel
def settle(a, o, acct, now, stops, log):  # type: ignore[no-untyped-def]
    """After the legs of order `o` are filled: realize, average, run the trade, set the levels, log the fill."""
    total = o.order_closed + o.order_opened
    fee_of_close = o.order_fee * o.order_closed / total
    acct.fees += o.order_fee
    o.order_done += total
    o.order_value += total * o.order_price
    money = abs(total * o.order_price) * a.multiplier
    o.order_notional += money
    o.order_rated += money * o.order_rate
    o.order_paid += o.order_fee
    slipped = abs(o.order_price - o.order_ref) * total * a.multiplier
    held_side = 1.0 if o.order_held > 0.0 else -1.0
    if o.order_closed > 0.0:
        gross = o.order_closed * a.multiplier * (o.order_price - a.avg) * held_side
        acct.realized += gross
        a.exited += o.order_closed
        a.exited_value += o.order_closed * o.order_price
        a.gross += gross
        a.commission += fee_of_close
        touch(a, held_side, o.order_price, o.order_price)
        if o.order_closed == abs(o.order_held):
            _end_trade(a, o, acct, now, log)
    side = -held_side if o.order_closed > 0.0 else 1.0
    if o.order_opened > 0.0:
        side = 1.0 if a.q > 0.0 else -1.0
        if o.own_stop == o.own_stop:
            a.own_stop = o.own_stop
        if o.own_target == o.own_target:
            a.own_target = o.own_target
        if o.own_trail > 0.0:
            a.own_trail = o.own_trail
        _enter(a, o, now, acct.day, side, o.order_fee - fee_of_close)
        set_levels(a, side, stops)
        if a.entered == o.order_opened:
            a.fresh = o.order_how
            a.fresh_price = o.order_price
            a.first_stop = a.stop
            a.initial_risk = o.order_opened * a.multiplier * abs(a.avg - a.stop)
    o.order_side = side
    _log_fill(a, o, now, side * total, slipped, log)


@kernel
def _enter(a, o, now, day, side, fee):  # type: ignore[no-untyped-def]
    """F9: an increase is averaged by quantity; a new trade starts at its fill."""
    before = abs(a.q) - o.order_opened if a.entered > 0.0 else 0.0
    if a.entered == 0.0:
        a.avg = o.order_price
        a.entry_t = now
        a.entry_day = day
        a.watermark = o.order_price
        a.worst = o.order_price
        a.best = o.order_price
    else:
        a.avg = (before * a.avg + o.order_opened * o.order_price) / (before + o.order_opened)
        if (a.avg - a.watermark) * side > 0.0:
            a.watermark = a.avg
        touch(a, side, o.order_price, o.order_price)
    a.level_atr = a.atr
    a.level_tick = a.tick
    a.entered += o.order_opened
    a.entered_value += o.order_opened * o.order_price
    a.commission += fee


@kernel
def _log_fill(a, o, now, q, slipped, log):  # type: ignore[no-untyped-def]
    fill = next_fill(log)
    fill.t = now
    fill.asset = a.n
    fill.account = a.g
    fill.order = o.order_id
    fill.q = q
    fill.price = o.order_price
    fill.ref = o.order_ref
    fill.commission = o.order_fee
    fill.slippage = slipped
    fill.reason = o.order_reason


@kernel
def _end_trade(a, o, acct, now, log):  # type: ignore[no-untyped-def]
    """M4: the position is flat; write its trade and forget it."""
    side = 1.0 if o.order_held > 0.0 else -1.0
    entry = a.entered_value / a.entered
    trade = next_trade(log)
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
    trade.carry = a.trade_carry
    trade.dividends = a.trade_dividends
    trade.pnl = a.gross - a.commission - a.trade_carry + a.trade_dividends
    trade.reason = o.order_reason
    against, favour = (entry - a.worst) * side, (a.best - entry) * side
    paid = abs(entry)
    trade.mae = math.nan if paid == 0.0 else (against / paid if against > 0.0 else 0.0)
    trade.mfe = math.nan if paid == 0.0 else (favour / paid if favour > 0.0 else 0.0)
    trade.initial_risk = a.initial_risk
    trade.stop = a.first_stop
    _count_trade(a, acct, trade.pnl)
    if _STOP <= o.order_reason <= _TIME:
        a.stopped_t = now  # P9
    _forget_trade(a)


@kernel
def _count_trade(a, acct, pnl):  # type: ignore[no-untyped-def]
    """S3: the account's own record of wins and losses, each over the notional entered."""
    paid = abs(a.entered_value) * a.multiplier
    part = pnl / paid if paid > 0.0 else 0.0
    if pnl > 0.0:
        acct.wins += 1
        acct.win_sum += part
    else:
        acct.losses += 1
        acct.loss_sum -= part


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
    a.trade_carry = 0.0
    a.trade_dividends = 0.0
    a.worst = math.nan
    a.best = math.nan
    a.initial_risk = math.nan
    a.first_stop = math.nan
