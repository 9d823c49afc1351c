"""T7 for rows of orders (O6): cancels first, then each new order is cut (S5), rounded (F5) and put into the book."""

from __future__ import annotations

import numpy as np

from ..core.codes import OrderStatus, OrderType, Reason, Rule, TimeInForce
from ..core.jit import kernel
from ..core.rounding import snapped, whole_lots
from ..execution.orders import begin_order, clear_order
from .decide import cut_at_decision, risk_is_refused
from .desk import Queue
from .limits import ASKED, cut_by_limits
from .matching import log_order
from .resting import cancel_book, end_order

__all__ = ["REQUEST", "cancel_when_closing", "take_orders"]

REQUEST = np.dtype(
    [
        ("t", "i8"),  # bar of the decision
        ("n", "i8"),  # asset
        ("type", "i8"),
        ("tif", "i8"),
        ("until", "i8"),
        ("tag", "i8"),  # -1 in a cancel: all of the asset
        ("reduce_only", "i8"),
        ("priority", "f8"),
        ("quantity", "f8"),  # signed
        ("limit", "f8"),  # prices in the units strategies read (T9)
        ("stop", "f8"),
        ("trail", "f8"),
        ("trail_by", "f8"),
        ("own_stop", "f8"),
        ("own_target", "f8"),
        ("own_trail", "f8"),
    ],
    align=True,
)
"""One row of `Orders` as the step takes it."""

_MARKET, _LIMIT, _STOP_LIMIT = int(OrderType.MARKET), int(OrderType.LIMIT), int(OrderType.STOP_LIMIT)
_CANCEL = int(OrderType.CANCEL)
_SIGNAL = int(Reason.SIGNAL)
_REJECTED, _CANCELLED = int(OrderStatus.REJECTED), int(OrderStatus.CANCELLED)
_FOK = int(TimeInForce.FOK)
_ASKED_TO, _DELISTED, _LOT = int(Rule.CANCEL), int(Rule.DELISTED), int(Rule.LOT)
_MARGIN, _ZONE = int(Rule.MARGIN), int(Rule.ZONE)


@kernel
def cancel_when_closing(book, g, acct, log):  # type: ignore[no-untyped-def]
    """F13, Z3: what could open something is cancelled while all is being closed."""
    if acct.margin_call == 1:
        cancel_book(book, -1, 1, _MARGIN, acct, g, log)
    elif acct.liquidating == 1:
        cancel_book(book, -1, 1, _ZONE, acct, g, log)


@kernel
def take_orders(asked, book, desk, rules, stops, zones, terms, log):  # type: ignore[no-untyped-def]
    """The rows of this bar, `asked`, that are for assets of the account."""
    lo, hi, acct, assets = desk
    first, last, requests = asked
    orders, used, g = book.orders, book.used, assets[lo].g
    cancel_when_closing(book, g, acct, log)
    for r in range(first, last):
        row = requests[r]
        if row.type == _CANCEL and lo <= row.n < hi:
            _cancel(row, book, acct, log)
    if terms is not None:
        if last > first:
            _measure_waiting(book, desk)
    for r in range(first, last):
        row = requests[r]
        if row.type != _CANCEL and lo <= row.n < hi:
            _write(row, orders[used[0]], assets[row.n], acct)
            _ask(orders[used[0]], assets[row.n], acct, stops, zones, terms)
            used[0] += 1
    if terms is not None:
        cut_by_limits(Queue(0, used[0], orders), desk, rules, stops, terms)
    for k in range(used[0]):
        o = orders[k]
        if o.order_active == 1 and o.g == g and o.order_stage != 0:
            _accept(o, assets[o.n], acct, log)


@kernel
def _cancel(row, book, acct, log):  # type: ignore[no-untyped-def]
    for k in range(book.used[0]):
        o = book.orders[k]
        if o.order_active == 1 and o.n == row.n and (row.tag == -1 or o.tag == row.tag):
            end_order(o, _CANCELLED, _ASKED_TO, acct, log)


@kernel
def _measure_waiting(book, desk):  # type: ignore[no-untyped-def]
    """Z5, Z7: what each order that waits would close and open if it filled alone against the position of now."""
    lo, _, _, assets = desk
    for k in range(book.used[0]):
        o = book.orders[k]
        if o.order_active == 1 and o.g == assets[lo].g:
            a, side, quantity, closing = assets[o.n], 1.0 if o.quantity > 0.0 else -1.0, abs(o.quantity), 0.0
            if a.q * side < 0.0:
                quantity = snapped(quantity, abs(a.q))
                closing = quantity if quantity < abs(a.q) else abs(a.q)
            o.order_close_q = side * closing if o.type == _MARKET else 0.0
            o.order_open_q = side * (quantity - closing) if o.reduce_only == 0 else 0.0


@kernel
def _write(row, o, a, acct):  # type: ignore[no-untyped-def]
    """The row into a free place of the book: prices raw (T9)."""
    begin_order(o, acct, _SIGNAL)
    o.n = row.n
    o.g = a.g
    o.type = row.type
    o.tif = row.tif
    o.until = row.until
    o.session = -1
    o.met = 0
    o.tag = row.tag
    o.reduce_only = row.reduce_only
    o.triggered = 0
    o.order_priority = row.priority
    o.order_limit = 1 if row.type == _LIMIT or row.type == _STOP_LIMIT else 0
    o.order_whole = 1 if row.tif == _FOK else 0
    o.quantity = row.quantity
    o.order_wanted = row.quantity
    o.limit = row.limit / a.scale
    o.stop = row.stop / a.scale
    o.trail = row.trail
    o.trail_by = row.trail_by / a.scale
    o.watermark = a.mark
    o.own_stop = row.own_stop / a.scale
    o.own_target = row.own_target / a.scale
    o.own_trail = row.own_trail


@kernel
def _ask(o, a, acct, stops, zones, terms):  # type: ignore[no-untyped-def]
    """O6: what it would close and open if it filled alone against the position of now; the cuts that need no room."""
    side = 1.0 if o.quantity > 0.0 else -1.0
    quantity, closing = abs(o.quantity), 0.0
    if a.q * side < 0.0:
        quantity = snapped(quantity, abs(a.q))
        closing = quantity if quantity < abs(a.q) else abs(a.q)
    opening = quantity - closing
    o.order_close_q = side * closing
    o.order_open_q = 0.0
    o.order_stage = ASKED
    if o.reduce_only == 0 and closing > 0.0 and risk_is_refused(acct, zones, terms):
        o.reduce_only = 1  # and stays so, should the position be gone at its fill
        if opening > 0.0:
            cut_at_decision(a, o, opening, acct, stops, zones, terms)
            o.quantity = side * closing
    elif a.delisted == 1:
        o.order_cut_by |= _DELISTED
    elif o.reduce_only == 0 and opening > 0.0:
        left = cut_at_decision(a, o, opening, acct, stops, zones, terms)
        o.order_open_q = side * left if left > 0.0 else 0.0


@kernel
def _accept(o, a, acct, log):  # type: ignore[no-untyped-def]
    """F5, and the end of an order that asks for nothing any more."""
    o.order_stage = 0
    side = 1.0 if o.quantity > 0.0 else -1.0
    closing = abs(o.order_close_q)
    if closing != abs(a.q):
        closing = whole_lots(closing, a.lot)
    opening = whole_lots(abs(o.order_open_q), a.lot)
    if opening <= 0.0 and o.order_open_q != 0.0:
        o.order_cut_by |= _LOT
    quantity = closing + opening
    if o.reduce_only == 1:  # what it reduces beyond the position of now is found at its fill
        quantity = closing if abs(o.order_close_q) == abs(o.quantity) else abs(o.quantity)
    if a.delisted == 1 or quantity <= 0.0:
        if o.order_cut_by == 0:
            o.order_cut_by |= _LOT
        log_order(o, acct.bars, _REJECTED, log)
        clear_order(o)
        return
    o.quantity = side * quantity
    o.order_close_q = side * closing if o.type == _MARKET else 0.0
    o.order_open_q = side * opening
