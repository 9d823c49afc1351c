"""All that a stream's step reads and writes, in one block of memory, and the compiled call that takes it on by one bar.

Each array that a compiled function is handed costs about as much as the arithmetic of a bar, so this one is handed the block, and finds
the others in it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._typing import Block, IndexT
from ..core.jit import borrowed, kernel_loop, spine
from ..core.state import plain
from ..risk.levels import STOP_PARAMS
from ..risk.zones import ZONE_PARAMS
from .bar import bar_step, sweep_if_any
from .books import ACCOUNT, ASSET, Books
from .desk import Queue
from .inputs import Flags
from .log import FILLS_PER_BAR, ORDERS_PER_BAR, RECORDS_PER_ORDER, lay_out, log_bytes, logged, start_log
from .rows import RULES, Row
from .setup import Rules

__all__ = ["Workspace", "step_workspace"]


def _record(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The same layout, whose elements have attributes where the step runs uncompiled."""
    return np.dtype((np.record, dtype))


_ACCOUNT, _ASSET, _RULES, _STOPS, _ZONES = (_record(dtype) for dtype in (ACCOUNT, ASSET, RULES, STOP_PARAMS, ZONE_PARAMS))
_INTEGER, _NUMBER, _FLAG = np.dtype(np.int64), np.dtype(np.float64), np.dtype(np.uint8)
_BYTE = _FLAG


class Workspace:
    """The block of one stream and views into it.

    Attributes
    ----------
    block, starts : uint8 (bytes,); int64, where its parts begin, in the order of the views below, and where the last one ends
    accounts, assets, spans, used : as in `Books`; the first two stand first, and `state()` gives their bytes
    common, stops, zones : as in `Rules`
    log : Log with room for the records of one bar and of `orders_in_book` orders
    prices : float64 (5, 1, N), the bar: open, high, low, close, volume
    values, atr, sigma : float64 (1, N); flags : uint8 (1, N). Its inputs, as in `AlignedInputs`, and its volatility. What is not used
        stays blank: NaN, and flags 0
    numbers : float64 (8N,), prices to sigma in one
    read : float64 (5, 1, N), beside the block: the bar as strategies read it (T9), where that is not the same
    """

    def __init__(self, spans: IndexT, orders_in_book: int = 0) -> None:
        accounts, assets, extra = len(spans) - 1, int(spans[-1]), RECORDS_PER_ORDER * orders_in_book
        orders, fills = ORDERS_PER_BAR * assets + extra, FILLS_PER_BAR * assets + extra
        parts: list[tuple[np.dtype[Any], int]] = [
            (_ACCOUNT, accounts), (_ASSET, assets), (_INTEGER, len(spans)), (_INTEGER, 1), (_RULES, 1), (_STOPS, 1), (_ZONES, 1),
            (_BYTE, log_bytes(orders, fills, fills)), (_NUMBER, 8 * assets), (_FLAG, assets),
        ]  # fmt: skip
        self.orders_in_book = orders_in_book
        self.starts = np.cumsum([0, *(dtype.itemsize * count for dtype, count in parts)], dtype=np.int64)
        self.block = np.zeros(int(self.starts[-1]), dtype=np.uint8)
        ends = zip(parts, self.starts[:-1], self.starts[1:], strict=True)
        views: list[Any] = [self.block[first:end].view(dtype) for (dtype, _), first, end in ends]
        self.accounts, self.assets, self.spans, self.used, self.common, self.stops, self.zones, log, numbers, flags = views
        self.spans[:] = spans
        self.log = lay_out(log, orders, fills)
        numbers[:] = np.nan
        self.numbers = numbers
        rows = numbers.reshape(8, 1, assets)
        self.prices: Block = rows[:5]
        self.values, self.atr, self.sigma = rows[5:]
        self.flags: Flags = flags.reshape(1, assets)
        self.read: Block = np.empty((5, 1, assets))
        self.state = self.block[: self.starts[2]].data.tobytes

    def go_on_from(self, other: Workspace) -> None:
        """Take over the bar of a smaller one."""
        self.numbers[:], self.flags[:], self.read[:] = other.numbers, other.flags, other.read

    def hold(self, books: Books, rules: Rules) -> Books:
        """Take in books and rules; the same books, whose records stand in the block from now on."""
        for into, part in zip((self.accounts, self.assets, self.used), (books.accounts, books.assets, books.used), strict=True):
            into[:] = part
        for into, rule in zip((self.common, self.stops, self.zones), rules[:3], strict=True):
            into[:] = rule
        accounts, assets = (part.view(np.recarray) for part in (self.accounts, self.assets))
        return Books(accounts, assets, self.spans, books.resting, self.used)

    def arguments(self, books: Books, rules: Rules) -> tuple[Any, ...]:
        """The first arguments of `step_workspace`."""
        return self.block, self.starts, *(None if part is None else plain(part) for part in (rules.terms, books.resting))


@kernel_loop
def step_workspace(memory, starts, terms, resting, asked, day, time):  # type: ignore[no-untyped-def]
    """One bar for every account: session date `day`, label `time`; `asked` are its rows of orders, or None where inputs are no orders.

    What numbers and flags do not say stands in the records already. The log then holds this bar only: returns how many records.
    """
    block, at, book = borrowed(memory), borrowed(starts), borrowed(resting)
    accounts, assets = block[at[0] : at[1]].view(_ACCOUNT), block[at[1] : at[2]].view(_ASSET)
    spans, used = block[at[2] : at[3]].view(np.int64), block[at[3] : at[4]].view(np.int64)
    books = (accounts, assets, spans, book, used)
    common, stops, zones = block[at[4] : at[5]].view(_RULES), block[at[5] : at[6]].view(_STOPS), block[at[6] : at[7]].view(_ZONES)
    laws = (common, stops, zones, borrowed(terms))
    log, numbers, flags, count = block[at[7] : at[8]], block[at[8] : at[9]].view(np.float64), block[at[9] : at[10]], assets.shape[0]
    start_log(log)
    values, atr, sigma = numbers[5 * count : 6 * count], numbers[6 * count : 7 * count], numbers[7 * count :]
    leaves = False
    for n in range(count):
        leaves = leaves or assets[n].delists == 1
    row = Row(numbers, count, 0, True, leaves, True, flags, values, atr, sigma)
    for g in range(accounts.shape[0]):
        accounts[g].day = day
        accounts[g].time = time
        bar_step(books, g, laws, row, _all_of(asked), log)
    sweep_if_any(book, used)
    return logged(log)


@spine
def _all_of(asked):  # type: ignore[no-untyped-def]
    """All rows of orders, or None where the inputs are no orders."""
    if asked is not None:
        return Queue(0, asked.shape[0], borrowed(asked))
    else:
        return None
