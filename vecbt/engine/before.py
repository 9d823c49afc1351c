"""What happens before the open: corporate actions (T1), carry (T2), a new session (T3), deposits and withdrawals (F15)."""

from __future__ import annotations

import math

from ..core.codes import Instrument, OrderStatus, Reason, Rule
from ..core.jit import kernel
from ..core.rounding import whole_lots
from ..execution.orders import begin_order, clear_order
from ..risk.levels import set_levels
from .account import close_leg, settle
from .log import scratch_order
from .matching import AT_MARK, log_order, room_at

__all__ = ["before_open", "begin_day", "split_order"]

_CASH_INSTRUMENT, _PERPETUAL = int(Instrument.CASH), int(Instrument.PERPETUAL)
_SPLIT = int(Reason.SPLIT)
_FILLED = int(OrderStatus.FILLED)
_LOT = int(Rule.LOT)
_BORROW_YEAR, _INTEREST_YEAR = 365.0, 360.0  # days (T2)


@kernel
def before_open(desk, row, rules, stops, terms, log):  # type: ignore[no-untyped-def]
    """T1 to T3 for one account, in their order; unless something happens, the records have no split, dividend or funding."""
    lo, hi, acct, assets = desk
    cash = acct.cash
    acct.paid = 0.0
    days = acct.day - acct.last_day if acct.bars > 0 else 0
    if row.happens:
        for n in range(lo, hi):
            a = assets[n]
            if a.split != 1.0:
                _split(a, acct, row.prices[row.at + n], stops, log)
            if a.dividend != 0.0 and a.q != 0.0:
                _credit(a, acct, a.q * a.dividend)
    if row.happens or days != 0:  # borrow is paid for days
        for n in range(lo, hi):
            if assets[n].q != 0.0:
                _carry(assets[n], acct, days)
    if cash < 0.0 and terms.interest_rate > 0.0:
        _pay_carry(acct, -cash * terms.interest_rate * days / _INTEREST_YEAR)
    begin_day(acct)
    if acct.flow != 0.0:
        _flow(desk, rules)


@kernel
def begin_day(acct):  # type: ignore[no-untyped-def]
    """T3: where this bar is of another session, the daily loss (Z4) counts from the equity of now."""
    if acct.bars == 0 or acct.day != acct.last_day:
        acct.day_start = acct.equity
        acct.day_blocked = 0
    acct.last_day = acct.day


@kernel
def _split(a, acct, price, stops, log):  # type: ignore[no-untyped-def]
    """T1: more units at a lower price; the fraction of a unit is paid out, at the open `price`."""
    k = a.split
    a.scale *= k
    a.q *= k
    a.entered *= k
    a.exited *= k
    a.mark /= k
    a.settled /= k
    a.avg /= k
    a.atr /= k
    a.level_atr /= k
    a.level_tick /= k
    a.watermark /= k
    a.trail /= k
    a.own_stop /= k
    a.own_target /= k
    a.worst /= k
    a.best /= k
    a.first_stop /= k
    if a.q != 0.0:
        set_levels(a, 1.0 if a.q > 0.0 else -1.0, stops)
    if a.order_active == 1:
        split_order(a, k)
        _round_reduction(a)
    if a.lot >= 1.0 and a.q != 0.0:
        fraction = abs(a.q) - whole_lots(abs(a.q), 1.0)
        if fraction > 1e-9 * abs(a.q):
            _pay_fraction(a, acct, (fraction, price), stops, log)


@kernel
def split_order(o, k):  # type: ignore[no-untyped-def]
    """The quantities of an order that waits."""
    o.order_open_q *= k
    o.order_wanted *= k
    o.order_done *= k
    o.order_close_q *= k


@kernel
def _round_reduction(a):  # type: ignore[no-untyped-def]
    """A partial reduction that waits is rounded to lots again; orders of the book are where they fill."""
    if a.order_close_all == 0 and a.order_close_q != 0.0:
        whole = whole_lots(abs(a.order_close_q), a.lot)
        if whole <= 0.0:
            a.order_cut_by |= _LOT
            whole = 0.0
        a.order_close_q = whole if a.order_close_q > 0.0 else -whole


@kernel
def _pay_fraction(a, acct, part, stops, log):  # type: ignore[no-untyped-def]
    """A fill of its own without costs, outside the queue: the asset's waiting order is put aside and taken up again."""
    fraction, price = part
    row = scratch_order(log)
    row.n = a.n
    row.g = a.g
    begin_order(row, acct, _SPLIT)
    row.order_held = a.q
    row.order_closed = fraction if fraction < abs(a.q) else abs(a.q)
    row.order_close_q = -row.order_closed if a.q > 0.0 else row.order_closed
    row.order_wanted = row.order_close_q
    row.order_ref = a.mark if math.isnan(price) else price
    row.order_price = row.order_ref
    close_leg(a, row, acct)
    settle(a, row, acct, acct.bars, stops, log)
    log_order(row, acct.bars, _FILLED, log)
    clear_order(row)


@kernel
def _credit(a, acct, amount):  # type: ignore[no-untyped-def]
    """A cash dividend, paid by the short."""
    acct.cash += amount
    acct.dividends += amount
    a.trade_dividends += amount


@kernel
def _pay_carry(acct, amount):  # type: ignore[no-untyped-def]
    acct.cash -= amount
    acct.carry += amount


@kernel
def _carry(a, acct, days):  # type: ignore[no-untyped-def]
    """T2 of one asset: borrow of a short paid in full, funding of a perpetual."""
    cost = 0.0
    if a.kind == _CASH_INSTRUMENT and a.q < 0.0 and a.borrow_rate > 0.0:
        cost = -a.q * a.mark * a.multiplier * a.borrow_rate * days / _BORROW_YEAR
    if a.kind == _PERPETUAL and a.funding != 0.0:
        cost = a.q * a.mark * a.multiplier * a.funding
    if cost != 0.0:
        _pay_carry(acct, cost)
        a.trade_carry += cost


@kernel
def _flow(desk, rules):  # type: ignore[no-untyped-def]
    """F15: a deposit, or a withdrawal of at most the room there is."""
    acct = desk.acct
    paid = acct.flow
    if paid < 0.0:
        room, _ = room_at(AT_MARK, desk, rules)
        most = room / rules.leverage if room > 0.0 else 0.0
        if -paid >= most:
            paid = -most
            if most > 0.0 and _holds_nothing(desk):
                paid = -acct.cash  # all there is, to the last digit
    if acct.equity > 0.0:
        factor = (acct.equity + paid) / acct.equity
        acct.peak *= factor
        acct.day_start *= factor
    elif acct.empty == 1:
        acct.peak = paid
        acct.day_start = paid
    acct.cash += paid
    if paid > 0.0:
        acct.empty = 0
    elif paid < 0.0 and acct.cash == 0.0 and _holds_nothing(desk):
        acct.empty = 1
        acct.peak = 0.0
        acct.day_start = 0.0
    acct.flows += paid
    acct.paid = paid


@kernel
def _holds_nothing(desk):  # type: ignore[no-untyped-def]
    for n in range(desk.lo, desk.hi):
        if desk.assets[n].q != 0.0:
            return False
    return True
