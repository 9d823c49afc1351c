"""Section O: the orders in the book meet a bar. What triggers is decided by the bar alone; the fills are those of `matching`."""

from __future__ import annotations

import math

from ..core.codes import OrderStatus, OrderType, Rule, TimeInForce
from ..core.jit import kernel
from ..core.rounding import snapped, tick_down, tick_up, whole_lots
from ..execution.orders import clear_order
from .account import settle, touch
from .before import split_order
from .desk import Queue
from .matching import AT_OPEN, INSIDE, can_fill, end_of_fill, fill_openings, is_new, log_order, room_at, settle_part, start_order

__all__ = [
    "cancel_book", "end_order", "expire_book", "fill_market", "fill_resting", "measure_room", "split_book", "sweep_book", "trail_book",
]  # fmt: skip

_LIMIT, _STOP, _STOP_LIMIT = int(OrderType.LIMIT), int(OrderType.STOP), int(OrderType.STOP_LIMIT)
_TRAILING, _MARKET = int(OrderType.TRAILING), int(OrderType.MARKET)
_DAY, _GTD, _IOC, _FOK = int(TimeInForce.DAY), int(TimeInForce.GTD), int(TimeInForce.IOC), int(TimeInForce.FOK)
_CANCELLED, _PARTIAL, _REJECTED = int(OrderStatus.CANCELLED), int(OrderStatus.PARTIAL), int(OrderStatus.REJECTED)
_LOT, _VOLUME = int(Rule.LOT), int(Rule.VOLUME)
_EXPIRED, _DIRECTION, _REDUCE_ONLY = int(Rule.EXPIRED), int(Rule.DIRECTION), int(Rule.REDUCE_ONLY)
_WAITS, _PRICED, _SETTLED = 0, 1, 2  # stages of an order while it executes, as in `matching`
_NOT_NOW, _OPEN, _WITHIN = 0, 1, 2
_BY_LIMIT, _BY_STOP, _BY_BOTH, _BY_OPEN = 1, 2, 3, 4  # how a position was opened in this bar (P8)


@kernel
def end_order(o, status, rule, acct, log):  # type: ignore[no-untyped-def]
    """An order leaves the book without (more) fills; one that has some is partial."""
    o.order_cut_by |= rule
    log_order(o, acct.bars, _PARTIAL if o.order_done > 0.0 else status, log)
    clear_order(o)


@kernel
def expire_book(book, g, acct, log):  # type: ignore[no-untyped-def]
    """O3 at T3: DAY orders of another session, GTD orders whose time has come."""
    for k in range(book.used[0]):
        o = book.orders[k]
        if o.order_active == 1 and o.g == g:
            over = o.tif == _DAY and o.session != -1 and o.session != acct.day
            if over or (o.tif == _GTD and acct.time >= o.until):
                end_order(o, _CANCELLED, _EXPIRED, acct, log)


@kernel
def split_book(book, g, assets):  # type: ignore[no-untyped-def]
    """T1 for the orders that rest."""
    for k in range(book.used[0]):
        o = book.orders[k]
        if o.order_active == 1 and o.g == g and assets[o.n].split != 1.0:
            a = assets[o.n]
            ratio = a.split
            split_order(o, ratio)
            o.quantity *= ratio
            o.limit /= ratio
            o.stop /= ratio
            o.trail_by /= ratio
            o.watermark /= ratio
            o.own_stop /= ratio
            o.own_target /= ratio


@kernel
def cancel_book(book, n, only_risk, rule, acct, g, log):  # type: ignore[no-untyped-def]
    """End the orders of an account, or of asset `n` alone (-1: all); `only_risk` spares those that may only reduce."""
    for k in range(book.used[0]):
        o = book.orders[k]
        mine = o.order_active == 1 and o.g == g and (n == -1 or o.n == n)
        if mine and (only_risk == 0 or o.reduce_only == 0):
            end_order(o, _CANCELLED, rule, acct, log)


@kernel
def sweep_book(book):  # type: ignore[no-untyped-def]
    """Close the gaps that ended orders leave, in order; what is free is zero."""
    orders, used, kept = book.orders, book.used, 0
    for k in range(used[0]):
        if orders[k].order_active == 1:
            if kept != k:
                orders[kept] = orders[k]
            kept += 1
    for k in range(kept, used[0]):
        orders[k] = orders[orders.shape[0] - 1]  # the last one is never used
    used[0] = kept


@kernel
def fill_market(at, book, desk, rules, stops, log):  # type: ignore[no-untyped-def]
    """T4: market orders of the book at the open; at the close with `fill="close"`."""
    lo, _, acct, assets = desk
    count = 0
    for k in range(book.used[0]):
        o = book.orders[k]
        if o.order_active == 1 and o.g == assets[lo].g:
            a = assets[o.n]
            o.where = _NOT_NOW
            if o.type == _MARKET and (at == AT_OPEN or is_new(o, acct)) and _meets(a, o, acct, rules, log):
                o.where = _OPEN
                o.ref = a.open if at == AT_OPEN else a.close
                count += 1
    if count > 0:
        _fill_ready(at, book, desk, rules, stops, log)


@kernel
def _meets(a, o, acct, rules, log):  # type: ignore[no-untyped-def]
    """O3: whether the order meets this bar. Its first one dates a DAY order; without volume there an IOC or FOK is over (F7)."""
    if math.isnan(a.close):
        return False
    if o.met == 0:
        o.session = acct.day
    o.met += 1
    if can_fill(a, rules):
        return True
    if o.tif == _IOC or o.tif == _FOK:
        end_order(o, _REJECTED, _VOLUME, acct, log)
    return False


@kernel
def measure_room(desk, rules):  # type: ignore[no-untyped-def]
    """T5: the room that T4 left, at the open."""
    desk.acct.room, desk.acct.room_slack = room_at(AT_OPEN, desk, rules)


@kernel
def fill_resting(book, desk, rules, stops, log):  # type: ignore[no-untyped-def]
    """T5, after the protective exits: what this bar triggers is filled."""
    lo, _, acct, assets = desk
    count = 0
    for k in range(book.used[0]):
        o = book.orders[k]
        if o.order_active == 1 and o.g == assets[lo].g:
            a = assets[o.n]
            o.where = _NOT_NOW
            if o.type != _MARKET and _meets(a, o, acct, rules, log):
                _trigger(a, o, rules.through)
                if (o.tif == _IOC or o.tif == _FOK) and o.where != _OPEN:
                    end_order(o, _CANCELLED, _EXPIRED, acct, log)
                if o.order_active == 1 and o.where != _NOT_NOW:
                    count += 1
    if count > 0:
        _fill_ready(INSIDE, book, desk, rules, stops, log)


@kernel
def _passes(price, limit, side, through):  # type: ignore[no-untyped-def]
    """O1: the price is at the limit or better; better, where it must trade through."""
    if through == 1:
        return (limit - price) * side > 0.0
    return (limit - price) * side >= 0.0


@kernel
def _at(o, where, ref, how):  # type: ignore[no-untyped-def]
    o.where = where
    o.ref = ref
    o.order_how = how


@kernel
def _stop_level(a, o, side):  # type: ignore[no-untyped-def]
    """O2, O5: where a stop stands in this bar, on a tick toward the market (F5). A trailing one follows: a sale's from below."""
    level = o.stop
    if o.type == _TRAILING:
        level = o.watermark + side * (o.trail * o.watermark + o.trail_by)
    return tick_down(level, a.tick) if side > 0.0 else tick_up(level, a.tick)


@kernel
def _trigger(a, o, through):  # type: ignore[no-untyped-def]
    """O1, O2: whether and where the order meets this bar. Mirrored by `side`, so that "high" is where a buy stop waits."""
    side = 1.0 if o.quantity > 0.0 else -1.0
    high = a.high if side > 0.0 else a.low
    low = a.low if side > 0.0 else a.high
    if o.type == _LIMIT or (o.type == _STOP_LIMIT and o.triggered == 1):
        _meet_limit(a, o, low, side, through)
        return
    if o.type == _TRAILING and math.isnan(o.watermark):
        return  # given before the asset's first bar
    level = _stop_level(a, o, side)
    if (a.open - level) * side >= 0.0:
        if o.type == _STOP_LIMIT:
            o.triggered = 1
            _meet_limit(a, o, low, side, through)
        else:
            _at(o, _OPEN, a.open, _BY_OPEN)
    elif (high - level) * side >= 0.0:
        if o.type != _STOP_LIMIT:
            _at(o, _WITHIN, level, _BY_STOP)
            return
        o.triggered = 1
        limit = _limit_level(a, o, side)
        if _passes(level, limit, side, through):
            _at(o, _WITHIN, level, _BY_STOP)
        elif _passes(a.close, limit, side, through):
            _at(o, _WITHIN, limit, _BY_BOTH)


@kernel
def _limit_level(a, o, side):  # type: ignore[no-untyped-def]
    """F5: on a tick away from the market."""
    return tick_down(o.limit, a.tick) if side > 0.0 else tick_up(o.limit, a.tick)


@kernel
def _meet_limit(a, o, low, side, through):  # type: ignore[no-untyped-def]
    """O1."""
    limit = _limit_level(a, o, side)
    if _passes(a.open, limit, side, through):
        _at(o, _OPEN, a.open, _BY_OPEN)
    elif _passes(low, limit, side, through):
        _at(o, _WITHIN, limit, _BY_LIMIT)


@kernel
def _fill_ready(at, book, desk, rules, stops, log):  # type: ignore[no-untyped-def]
    """The orders whose `where` is set: reductions by id, then new risk by priority, then what remains of each."""
    lo, hi, acct, assets = desk
    orders, used, g = book.orders, book.used[0], assets[lo].g
    for n in range(lo, hi):
        assets[n].orders_now = 0
    for k in range(used):
        if _is_ready(orders[k], g):
            assets[orders[k].n].orders_now += 1
    for k in range(used):
        o = orders[k]
        if _is_ready(o, g) and assets[o.n].q * o.quantity < 0.0:
            _reduce(assets[o.n], o, acct, rules, stops, log)
    _open_by_priority(at, book, desk, rules, stops, log)
    for k in range(used):
        if _is_ready(orders[k], g):
            _finish(assets[orders[k].n], orders[k], acct, rules, stops, log)
    for n in range(lo, hi):
        assets[n].orders_now = 0


@kernel
def _open_by_priority(at, book, desk, rules, stops, log):  # type: ignore[no-untyped-def]
    """New risk, group by group: an order that only opens takes what volume is left (F7) when its group's turn comes, by id."""
    lo, _, acct, assets = desk
    orders, used, g = book.orders, book.used[0], assets[lo].g
    highest = _highest(book, g)
    while highest >= 0.0:
        opening = 0
        for k in range(used):
            o = orders[k]
            if _is_ready(o, g) and o.order_priority == highest:
                if o.order_stage == _WAITS:
                    opening += _start(assets[o.n], o, abs(o.quantity), 0.0, acct, rules)
                elif o.order_stage == _PRICED:
                    opening += 1
        if opening > 0:
            fill_openings(Queue(0, used, orders), opening, at, desk, rules, stops, log)
        highest = _highest(book, g)


@kernel
def _highest(book, g):  # type: ignore[no-untyped-def]
    """The highest priority of the orders that have something to open, or whose turn is yet to come; -1: none."""
    highest = -1.0
    for k in range(book.used[0]):
        o = book.orders[k]
        if _is_ready(o, g) and o.order_stage < _SETTLED and o.order_priority > highest:
            highest = o.order_priority
    return highest


@kernel
def _is_ready(o, g):  # type: ignore[no-untyped-def]
    return o.order_active == 1 and o.g == g and o.where != _NOT_NOW


@kernel
def _reduce(a, o, acct, rules, stops, log):  # type: ignore[no-untyped-def]
    """What it closes of what is held now; what it opens has its turn later."""
    met = a.open if o.where == _WITHIN else o.ref
    touch(a, a.q, met, met)
    quantity = snapped(abs(o.quantity), abs(a.q))
    _start(a, o, quantity, quantity if quantity < abs(a.q) else abs(a.q), acct, rules)
    if o.order_closed > 0.0 and a.orders_now > 1:
        settle_part(a, o, acct, stops, log)


@kernel
def _start(a, o, quantity, closing, acct, rules):  # type: ignore[no-untyped-def]
    """Let it take volume for what it closes and opens, and fill what it closes; whether (1) or not (0) it opens something."""
    side = 1.0 if o.quantity > 0.0 else -1.0
    opening, forbidden, rule = quantity - closing, 0.0, _refusal(o, side, rules)
    if 0.0 < closing < abs(a.q):
        closing = whole_lots(closing, a.lot)
        if closing <= 0.0:
            o.order_cut_by |= _LOT
    if rule != 0:
        opening, forbidden = 0.0, opening
    o.order_close_q = side * closing
    o.order_open_q = side * opening
    if closing == 0.0 and opening == 0.0:
        if forbidden > 0.0:
            o.order_cut_by |= rule
        o.order_stage = _SETTLED
        return 0
    opens = start_order(a, o, acct, o.ref, rules)
    if forbidden > 0.0:
        if o.order_closed == closing:
            o.order_cut_by |= rule
        elif o.order_whole == 0:
            o.order_open_q = side * forbidden  # F7: waits with the rest
    return opens


@kernel
def _refusal(o, side, rules):  # type: ignore[no-untyped-def]
    """O6: the rule that lets the order open nothing, 0 if none does."""
    if o.reduce_only == 1:
        return _REDUCE_ONLY
    if side > 0.0:
        return _DIRECTION if rules.longs == 0 else 0
    return _DIRECTION if rules.shorts == 0 else 0


@kernel
def _finish(a, o, acct, rules, stops, log):  # type: ignore[no-untyped-def]
    """Book what is filled, and let a rest wait."""
    if o.order_closed + o.order_opened > 0.0:
        settle(a, o, acct, acct.bars, stops, log)
    side = 1.0 if o.quantity > 0.0 else -1.0
    keep = 0 if o.tif == _IOC or o.tif == _FOK else rules.keep_rest
    if not end_of_fill(a, o, keep, acct, log):
        o.quantity = side * (abs(o.order_close_q) + abs(o.order_open_q))
        if o.type == _STOP or o.type == _TRAILING:
            o.type = _MARKET
            o.order_limit = 0
        if o.type != _MARKET:
            o.order_close_q = 0.0


@kernel
def trail_book(book, g, assets):  # type: ignore[no-untyped-def]
    """O5: after the bar's test its best price counts."""
    for k in range(book.used[0]):
        o = book.orders[k]
        if o.order_active == 1 and o.g == g and o.type == _TRAILING:
            a = assets[o.n]
            best, side = (a.low, 1.0) if o.quantity > 0.0 else (a.high, -1.0)
            if math.isnan(o.watermark):
                o.watermark = best  # given before the asset's first bar
            elif not math.isnan(a.close) and (best - o.watermark) * side < 0.0:
                o.watermark = best
