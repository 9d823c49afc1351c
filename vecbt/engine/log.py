"""Records of what happened: orders, fills, trades. Kernels append to preallocated records and count; nothing allocates."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._typing import Records
from ..core import memory
from ..core.jit import kernel
from ..core.state import records
from ..execution.orders import RESTING

__all__ = ["FILL", "FILLS_PER_BAR", "ORDER", "ORDERS_PER_BAR", "RECORDS_PER_ORDER", "TRADE", "Log", "has_room", "make_log"]

FILL = np.dtype(
    [
        ("t", "i8"),  # bar of the fill
        ("asset", "i8"),
        ("account", "i8"),
        ("order", "i8"),  # id of the order within its account
        ("q", "f8"),  # signed
        ("price", "f8"),  # with slippage
        ("ref", "f8"),  # without
        ("commission", "f8"),  # money
        ("slippage", "f8"),  # money lost against ref, >= 0
        ("reason", "i8"),
    ],
    align=True,
)

ORDER = np.dtype(
    [
        ("id", "i8"),
        ("t", "i8"),  # bar of the decision
        ("asset", "i8"),
        ("account", "i8"),
        ("close_q", "f8"),  # signed part that closes, as queued
        ("open_q", "f8"),  # signed part that opens, as queued; NaN when sized at the fill
        ("wanted", "f8"),  # signed, before any cut; NaN when sized at the fill
        ("filled", "f8"),  # signed
        ("price", "f8"),  # of the fill, NaN without one
        ("commission", "f8"),
        ("t_done", "i8"),  # bar in which it was settled, -1 while pending
        ("status", "i8"),
        ("reason", "i8"),
        ("cut_by", "i8"),  # bit mask of Rule
        ("priority", "f8"),
    ],
    align=True,
)

TRADE = np.dtype(
    [
        ("asset", "i8"),
        ("account", "i8"),
        ("side", "i8"),  # +1 long, -1 short
        ("entry_t", "i8"),
        ("exit_t", "i8"),
        ("quantity", "f8"),  # total entered, >= 0
        ("entry_price", "f8"),  # average of all entries
        ("exit_price", "f8"),  # average of all exits
        ("gross", "f8"),  # realized before commission
        ("commission", "f8"),
        ("carry", "f8"),  # T2 of the asset, a cost
        ("dividends", "f8"),
        ("pnl", "f8"),  # gross less commission and carry, plus dividends (M4)
        ("reason", "i8"),
        ("mae", "f8"),  # fraction of the entry price, >= 0 (M7)
        ("mfe", "f8"),
        ("initial_risk", "f8"),  # money; NaN without a stop
        ("stop", "f8"),  # first stop, NaN without one
    ],
    align=True,
)


class Log(NamedTuple):
    """Room for records and how much of it is used: `counts` is [orders, fills, trades], `scratch` one order for fills outside any queue."""

    orders: Records
    fills: Records
    trades: Records
    scratch: Records
    counts: np.ndarray


ORDERS_PER_BAR = 8
"""Most order records an asset can add in one bar beside those of the book: a fraction paid out, what waited, what replaces it, a protective
exit, one inside the bar, a delisting, a refusal, a close fill."""

FILLS_PER_BAR = 6
"""Most fills, and most ended trades, of an asset in one bar beside those of the book: a fraction, at the open, two exits, at the close."""

RECORDS_PER_ORDER = 3
"""Most records of each kind that an order of the book can add in one bar: closing part, opening part, its own end."""


@kernel
def has_room(log, assets, orders_in_book):  # type: ignore[no-untyped-def]
    """Whether the log can take one more bar of so many assets and orders, whatever happens in it."""
    orders = log.orders.shape[0] - log.counts[0]
    fills = log.fills.shape[0] - log.counts[1]
    trades = log.trades.shape[0] - log.counts[2]
    extra = RECORDS_PER_ORDER * orders_in_book
    most = FILLS_PER_BAR * assets + extra
    return orders >= ORDERS_PER_BAR * assets + extra and fills >= most and trades >= most


def make_log(orders: int, fills: int, trades: int) -> Log:
    """An empty log with room for so many records of each kind, not zeroed: who writes one fills every field."""
    room = ((ORDER, orders), (FILL, fills), (TRADE, trades))
    kept_orders, kept_fills, kept_trades = (memory.empty((count,), dtype).view(np.recarray) for dtype, count in room)
    return Log(kept_orders, kept_fills, kept_trades, records(RESTING, 1), np.zeros(3, dtype=np.int64))
