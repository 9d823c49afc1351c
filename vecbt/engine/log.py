"""Records of what happened: orders, fills, trades. Kernels append to preallocated records and count; nothing allocates."""

from __future__ import annotations

import functools
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Records
from ..core import memory
from ..core.jit import kernel, record_at
from ..execution.orders import RESTING

__all__ = [
    "FILL", "FILLS_PER_BAR", "ORDER", "ORDERS_PER_BAR", "RECORDS_PER_ORDER", "TRADE", "Log", "bars_of_room", "count_trade", "has_room",
    "lay_out", "log_bytes", "logged", "make_log", "make_trade_log", "next_fill", "next_order", "next_trade", "scratch_order", "start_log",
    "trade_at", "trades_logged",
]  # fmt: skip

Block = NDArray[np.uint8]

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


_HEADS = (
    "orders", "fills", "trades", "orders_at", "fills_at", "trades_at", "end", "scratch", "order_step", "fill_step",
)  # fmt: skip
HEAD = np.dtype([(name, "i8") for name in _HEADS])
"""How many records a log holds, and where in its block they begin, in bytes; `scratch` is one order for fills outside any queue.

`order_step`, `fill_step` are the bytes from one order, one fill, to the next; 0: each is written over the last, and only counted.
"""


def _record(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The same layout, whose elements have attributes where the kernels run uncompiled."""
    return np.dtype((np.record, dtype))


_HEAD, _ORDER, _FILL, _TRADE, _SCRATCH = (_record(dtype) for dtype in (HEAD, ORDER, FILL, TRADE, RESTING))
_ORDER_BYTES, _FILL_BYTES, _TRADE_BYTES = ORDER.itemsize, FILL.itemsize, TRADE.itemsize


class Log:
    """A log as Python sees it. Kernels take its block alone.

    Attributes
    ----------
    block : uint8 (bytes,): its head, the scratch order, then the records
    counts : int64 (3,), orders, fills and trades in use
    """

    def __init__(self, block: Block) -> None:
        self.block = block
        self.counts = block[:24].view(np.int64)

    @functools.cached_property
    def parts(self) -> tuple[Records, Records, Records]:
        """Orders, fills and trades."""
        head = self.block[: HEAD.itemsize].view(HEAD)[0]
        places = [int(head[name]) for name in ("orders_at", "fills_at", "trades_at", "end")]
        orders, fills, trades = (self.block[first:last] for first, last in pairwise(places))
        return orders.view(ORDER).view(np.recarray), fills.view(FILL).view(np.recarray), trades.view(TRADE).view(np.recarray)

    @property
    def orders(self) -> Records:
        """All orders there is room for."""
        return self.parts[0]

    @property
    def fills(self) -> Records:
        """All fills there is room for."""
        return self.parts[1]

    @property
    def trades(self) -> Records:
        """All trades there is room for."""
        return self.parts[2]


ORDERS_PER_BAR = 8
"""Most order records an asset can add in one bar beside those of the book: a fraction paid out, what waited, what replaces it, a protective
exit, one inside the bar, a delisting, a refusal, a close fill."""

FILLS_PER_BAR = 6
"""Most fills, and most ended trades, of an asset in one bar beside those of the book: a fraction, at the open, two exits, at the close."""

RECORDS_PER_ORDER = 3
"""Most records of each kind that an order of the book can add in one bar: closing part, opening part, its own end."""


@kernel
def bars_of_room(log, assets, orders_in_book):  # type: ignore[no-untyped-def]
    """How many bars more of so many assets and orders the log can take, whatever happens in them."""
    head = record_at(log, 0, _HEAD)
    extra = RECORDS_PER_ORDER * orders_in_book
    most = FILLS_PER_BAR * assets + extra
    trades = (head.end - head.trades_at - head.trades * _TRADE_BYTES) // (most * _TRADE_BYTES)
    if head.order_step == 0:
        return trades
    orders = (head.fills_at - head.orders_at - head.orders * _ORDER_BYTES) // ((ORDERS_PER_BAR * assets + extra) * _ORDER_BYTES)
    fills = (head.trades_at - head.fills_at - head.fills * _FILL_BYTES) // (most * _FILL_BYTES)
    return min(orders, fills, trades)


@kernel
def has_room(log, trades):  # type: ignore[no-untyped-def]
    """Whether the log can take so many trades more."""
    head = record_at(log, 0, _HEAD)
    return head.trades_at + (head.trades + trades) * _TRADE_BYTES <= head.end


@kernel
def next_order(log):  # type: ignore[no-untyped-def]
    """The next order record, counted; whoever asks for it fills every field. So it is with fills and trades."""
    head = record_at(log, 0, _HEAD)
    head.orders += 1
    return record_at(log, head.orders_at + (head.orders - 1) * head.order_step, _ORDER)


@kernel
def next_fill(log):  # type: ignore[no-untyped-def]
    """The next fill record."""
    head = record_at(log, 0, _HEAD)
    head.fills += 1
    return record_at(log, head.fills_at + (head.fills - 1) * head.fill_step, _FILL)


@kernel
def next_trade(log):  # type: ignore[no-untyped-def]
    """The next trade record."""
    head = record_at(log, 0, _HEAD)
    head.trades += 1
    return record_at(log, head.trades_at + (head.trades - 1) * _TRADE_BYTES, _TRADE)


@kernel
def count_trade(log):  # type: ignore[no-untyped-def]
    """One trade more, of which nothing is kept: for a log whose trades nobody reads."""
    record_at(log, 0, _HEAD).trades += 1


@kernel
def trades_logged(log):  # type: ignore[no-untyped-def]
    """How many trades there are."""
    return record_at(log, 0, _HEAD).trades


@kernel
def trade_at(log, k):  # type: ignore[no-untyped-def]
    """Trade number `k`."""
    return record_at(log, record_at(log, 0, _HEAD).trades_at + k * _TRADE_BYTES, _TRADE)


@kernel
def scratch_order(log):  # type: ignore[no-untyped-def]
    """An order for a fill outside any queue."""
    return record_at(log, record_at(log, 0, _HEAD).scratch, _SCRATCH)


@kernel
def start_log(log):  # type: ignore[no-untyped-def]
    """Forget all records."""
    head = record_at(log, 0, _HEAD)
    head.orders = 0
    head.fills = 0
    head.trades = 0


@kernel
def logged(log):  # type: ignore[no-untyped-def]
    """How many records there are, of all kinds."""
    head = record_at(log, 0, _HEAD)
    return head.orders + head.fills + head.trades


def log_bytes(orders: int, fills: int, trades: int) -> int:
    """Length of the block of a log with room for so many records of each kind."""
    return HEAD.itemsize + RESTING.itemsize + orders * _ORDER_BYTES + fills * _FILL_BYTES + trades * _TRADE_BYTES


def lay_out(block: Block, orders: int, fills: int, *, only_last: bool = False) -> Log:
    """An empty log in a block: room for so many orders and fills, and for trades in what is left. Records are not zeroed.

    `only_last`: of orders and fills the last one alone is kept.
    """
    scratch = HEAD.itemsize
    orders_at = scratch + RESTING.itemsize
    fills_at = orders_at + orders * _ORDER_BYTES
    trades_at = fills_at + fills * _FILL_BYTES
    block[:orders_at] = 0
    steps = (0, 0) if only_last else (_ORDER_BYTES, _FILL_BYTES)
    block[:scratch].view(HEAD)[0] = (0, 0, 0, orders_at, fills_at, trades_at, len(block), scratch, *steps)
    return Log(block)


def make_log(orders: int, fills: int, trades: int) -> Log:
    """An empty log with room for so many records of each kind, not zeroed: who writes one fills every field."""
    return lay_out(memory.empty((log_bytes(orders, fills, trades),), np.uint8), orders, fills)


def make_trade_log(trades: int) -> Log:
    """A log that keeps trades, with room for so many; of orders and fills it only has the last one."""
    return lay_out(memory.empty((log_bytes(1, 1, trades),), np.uint8), 1, 1, only_last=True)
