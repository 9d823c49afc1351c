"""What is remembered of an order: the working order of an asset (S4), and those that rest in the book (O)."""

from __future__ import annotations

import numpy as np

from ..core.jit import kernel

__all__ = ["ORDER_FIELDS", "RESTING", "begin_order", "clear_order", "forget_fill"]

ORDER_FIELDS = [
    ("order_active", "i8"),  # 0: none
    ("order_id", "i8"),
    ("order_t", "i8"),  # bar of the decision
    ("order_close_all", "i8"),  # closes whatever is held at the fill
    ("order_close_q", "f8"),  # else: signed partial reduction
    ("order_open_q", "f8"),  # signed new risk
    ("order_cash", "f8"),  # signed fraction of the room at the fill, 0 unless sized there
    ("order_wanted", "f8"),  # signed, before any cut
    ("order_priority", "f8"),
    ("order_reason", "i8"),
    ("order_cut_by", "i8"),
    ("order_limit", "i8"),  # 1: fills as a limit order does: no slippage, the maker's rate
    ("order_whole", "i8"),  # 1: whole or nothing (FOK)
    ("order_how", "i8"),  # how this bar triggers it, for a position it opens (P8); 0: before or at the open, or at the close
    ("order_stage", "i8"),  # 0 waits, others: see engine.matching
    ("order_now", "f8"),  # signed part of the new risk that this bar's volume allows (F7)
    ("order_ref", "f8"),
    ("order_price", "f8"),
    ("order_side", "f8"),  # of the fill: +1 bought, -1 sold
    ("order_held", "f8"),  # signed position before the fill
    ("order_closed", "f8"),  # quantity of this fill, >= 0
    ("order_opened", "f8"),
    ("order_fee", "f8"),  # of this fill
    ("order_done", "f8"),  # filled in all, quantity
    ("order_value", "f8"),  # its sum of quantity times price
    ("order_notional", "f8"),  # its sum of money, absolute
    ("order_rated", "f8"),  # its sum of money times the rate of each fill
    ("order_rate", "f8"),  # of this fill
    ("order_rest", "i8"),  # 1: a rest that waits for the next open (F7)
    ("order_paid", "f8"),  # commission of all its fills
]
"""What is remembered of every order; quantities are signed unless said otherwise."""

RESTING = np.dtype(
    [
        ("n", "i8"),  # asset
        ("g", "i8"),  # account
        ("type", "i8"),
        ("tif", "i8"),
        ("until", "i8"),  # GTD: ns UTC
        ("session", "i8"),  # DAY: date of the first valid bar met, -1 before
        ("met", "i8"),  # valid bars met
        ("tag", "i8"),
        ("reduce_only", "i8"),
        ("triggered", "i8"),  # a stop that has traded
        ("limit", "f8"),
        ("stop", "f8"),
        ("trail", "f8"),  # fraction, 0: none
        ("trail_by", "f8"),  # price units, 0: none
        ("watermark", "f8"),
        ("own_stop", "f8"),  # bracket prices, NaN: none
        ("own_target", "f8"),
        ("own_trail", "f8"),  # bracket trail, fraction, 0: none
        ("quantity", "f8"),  # signed, what is left of it
        ("ref", "f8"),  # where this bar triggers it, before slippage
        ("where", "i8"),  # 0 not in this bar, 1 at the open, 2 inside
        *ORDER_FIELDS,
    ],
    align=True,
)
"""An order in the book (section O)."""


@kernel
def forget_fill(o):  # type: ignore[no-untyped-def]
    """What belongs to one fill only, to zero."""
    o.order_stage = 0
    o.order_how = 0
    o.order_now = 0.0
    o.order_ref = 0.0
    o.order_price = 0.0
    o.order_held = 0.0
    o.order_closed = 0.0
    o.order_opened = 0.0
    o.order_fee = 0.0


@kernel
def clear_order(o):  # type: ignore[no-untyped-def]
    """Forget an order that is settled: every field to zero, so that equal histories leave equal bytes."""
    forget_fill(o)
    o.order_active = 0
    o.order_id = 0
    o.order_t = 0
    o.order_close_all = 0
    o.order_close_q = 0.0
    o.order_open_q = 0.0
    o.order_cash = 0.0
    o.order_wanted = 0.0
    o.order_priority = 0.0
    o.order_reason = 0
    o.order_cut_by = 0
    o.order_limit = 0
    o.order_whole = 0
    o.order_side = 0.0
    o.order_done = 0.0
    o.order_value = 0.0
    o.order_notional = 0.0
    o.order_rated = 0.0
    o.order_rate = 0.0
    o.order_rest = 0
    o.order_paid = 0.0


@kernel
def begin_order(o, acct, reason):  # type: ignore[no-untyped-def]
    """A new order of this bar, its number taken from the account."""
    o.order_active = 1
    o.order_id = acct.next_id
    o.order_t = acct.bars
    o.order_reason = reason
    o.order_priority = 1.0
    acct.next_id += 1
