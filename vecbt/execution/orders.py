"""The working order of an asset (S4)."""

from __future__ import annotations

from ..core.jit import kernel

__all__ = ["ORDER_FIELDS", "clear_order"]

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
    ("order_stage", "i8"),  # 0 waits, 1 executes, 2 its opening part is settled
    ("order_ref", "f8"),
    ("order_price", "f8"),
    ("order_held", "f8"),  # signed position before the fill
    ("order_closed", "f8"),  # quantity, >= 0
    ("order_opened", "f8"),
    ("order_fee", "f8"),
]
"""What an asset remembers of its order; quantities are signed unless said otherwise."""


@kernel
def clear_order(a):  # type: ignore[no-untyped-def]
    """Forget an order that is settled: every field to zero, so that equal histories leave equal bytes."""
    a.order_active = 0
    a.order_id = 0
    a.order_t = 0
    a.order_close_all = 0
    a.order_close_q = 0.0
    a.order_open_q = 0.0
    a.order_cash = 0.0
    a.order_wanted = 0.0
    a.order_priority = 0.0
    a.order_reason = 0
    a.order_cut_by = 0
    a.order_stage = 0
    a.order_ref = 0.0
    a.order_price = 0.0
    a.order_held = 0.0
    a.order_closed = 0.0
    a.order_opened = 0.0
    a.order_fee = 0.0
