"""All state of a simulation: flat records that can be named, printed, saved and compared."""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from .._typing import Records
from ..core.state import padded, records, schema_hash, words
from ..execution.orders import ORDER_FIELDS, RESTING
from ..risk.levels import LEVEL_FIELDS
from ..risk.sizing import STATS_FIELDS
from ..risk.zones import ZONE_FIELDS

__all__ = ["ACCOUNT", "ASSET", "STATE_SCHEMA", "Books", "empty_book", "make_books", "open_orders", "with_room"]

ACCOUNT = np.dtype(
    [
        ("cash", "f8"),
        ("equity", "f8"),  # at the last mark
        ("initial", "f8"),
        ("realized", "f8"),  # before commission
        ("fees", "f8"),  # commission so far
        ("bar_costs", "f8"),  # commission and slippage of the fills being executed (W2 gross)
        ("weights_base", "f8"),  # equity the last row of weights was taken of (W2)
        ("bars", "i8"),  # seen so far, the number of the next one
        ("day", "i8"),  # session date of this bar
        ("last_day", "i8"),  # and of the one before
        ("time", "i8"),  # label of this bar, ns UTC
        ("flow", "f8"),  # asked for in this bar (F15), and what of it was paid
        ("paid", "f8"),
        ("flows", "f8"),  # paid so far
        ("carry", "f8"),  # T2 so far, a cost
        ("dividends", "f8"),
        ("day_start", "f8"),  # reference of the daily loss (Z4)
        ("room", "f8"),  # for new risk inside this bar (T5), and the tolerance of its test
        ("room_slack", "f8"),
        ("share_sum", "f8"),  # of 1/sigma over its assets (S3)
        *STATS_FIELDS,
        ("next_id", "i8"),
        ("waiting", "i8"),  # orders in the queue
        ("day_blocked", "i8"),
        ("margin_call", "i8"),  # F13 holds at this T6
        ("ruined", "i8"),
        ("empty", "i8"),  # F15: all was withdrawn, and nothing paid in since
        ("broke", "i8"),  # Z8 left the market in this bar
        *ZONE_FIELDS,
        ("peak_before", "f8"),  # the five zone fields before this bar's T6, for redoing it (T7)
        ("zone_before", "i8"),
        ("halted_before", "i8"),
        ("liquidating_before", "i8"),
        ("halted_bars_before", "i8"),
        ("day_blocked_before", "i8"),
    ],
    align=True,
)

_CELL = [  # of this bar, or the last one that had anything to do with more than its end
    ("open", "f8"),
    ("high", "f8"),
    ("low", "f8"),
    ("close", "f8"),  # NaN: no market
    ("volume", "f8"),
    ("bar_sigma", "f8"),
    ("value", "f8"),  # strength, weight or quantity; NaN changes nothing
    ("signal", "u1"),  # 1 enter long, 2 exit long, 4 enter short, 8 exit short
    ("delists", "u1"),  # 1: at the end of this bar (T10)
    ("haircut", "f8"),
    ("split", "f8"),  # T1: 1 none
    ("dividend", "f8"),
    ("funding", "f8"),  # T2: 0 none
    ("volume_left", "f8"),  # F7: what this bar still takes; inf where that is off
]

_INSTRUMENT = [
    ("kind", "u1"),  # Instrument (F12)
    ("multiplier", "f8"),
    ("lot", "f8"),
    ("tick", "f8"),
    ("min_notional", "f8"),
    ("floor", "f8"),  # least price of a sale (F1): 0, or -inf where prices may be negative
    ("initial_margin", "f8"),  # money per unit, 0: the account's
    ("maintenance_margin", "f8"),
    ("borrow_rate", "f8"),  # a year
]

_POSITION = [
    ("q", "f8"),  # signed
    ("avg", "f8"),  # average entry price (F9)
    ("mark", "f8"),  # last valid close
    ("settled", "f8"),  # price up to which a contract's moves are in cash (F12)
    ("scale", "f8"),  # A, the product of split ratios so far (T9)
    ("group_price", "f8"),  # what the orders being filled pay (F4), NaN none
    ("kept", "f8"),  # of the position after what waits to close it (Z5, Z7), signed
    ("orders_now", "i8"),  # of the book that fill in this phase of the bar (O6)
    ("fresh_price", "f8"),  # of that fill
    ("full_high", "f8"),  # of the bar, where less of it counts (P8)
    ("full_low", "f8"),
    ("fresh", "i8"),  # 1 to 3: opened inside this bar by a limit, a stop, a stop-limit (P8)
    ("sigma", "f8"),  # per-bar volatility up to the last bar (F1)
    *LEVEL_FIELDS,
    ("delisted", "u1"),
    ("stopped_t", "i8"),  # bar in which P closed it (P9), -1 none
    ("entry_t", "i8"),
    ("entry_day", "i8"),
]

_TRADE = [  # the one that runs
    ("entered", "f8"),
    ("entered_value", "f8"),
    ("exited", "f8"),
    ("exited_value", "f8"),
    ("gross", "f8"),
    ("commission", "f8"),
    ("trade_carry", "f8"),
    ("trade_dividends", "f8"),
    ("worst", "f8"),
    ("best", "f8"),
    ("initial_risk", "f8"),
    ("first_stop", "f8"),
]

_FIELDS = [("n", "i8"), ("g", "i8"), *_INSTRUMENT, *_CELL, *_POSITION, *_TRADE, *ORDER_FIELDS]
_TOGETHER = (  # a cache line each: what every bar looks at, prices, an order that fills, its fill, the trade
    "q", "mark", "worst", "best", "multiplier", "maintenance_margin", "kind", "delists", "delisted", "signal", "order_active",
    "close", "value", "open", "high", "low", "volume", "initial_margin", "group_price",
    "order_stage", "g", "n", "order_priority", "order_now", "order_price", "order_cash", "order_open_q",
    "order_closed", "order_opened", "order_fee", "order_ref", "order_held", "order_close_all", "order_close_q", "lot",
    "order_whole", "order_limit", "order_cut_by", "order_rate", "order_done", "order_paid", "order_notional", "order_rated",
    "order_id", "order_t", "order_reason", "order_wanted", "order_side", "order_value", "order_how", "order_rest",
    "avg", "entered", "entered_value", "exited", "exited_value", "gross", "commission", "orders_now",
    "min_notional", "volume_left", "floor", "sigma", "fresh", "entry_t", "entry_day", "watermark",
)  # fmt: skip
_LINE = 64


def _laid_out(fields: list[tuple[str, str]], first: tuple[str, ...]) -> np.dtype[Any]:
    """A record that begins with the `first` fields, an odd number of cache lines long: the same line of all records fits the cache."""
    order = sorted(fields, key=lambda field: first.index(field[0]) if field[0] in first else len(first))
    dense = np.dtype(order, align=True)
    return padded(dense, (-(-dense.itemsize // _LINE) | 1) * _LINE)


ASSET = _laid_out(_FIELDS, _TOGETHER)
"""All an asset has: who it is, this bar's numbers, the position, its trade, and its one working order.

What is looked at together stands in one cache line: with hundreds of assets, reaching the records is most of a bar.
"""

STATE_SCHEMA = schema_hash(ACCOUNT, ASSET, RESTING)
"""Names the layout of the state; a saved state of another layout is refused."""

_UNKNOWN = (
    "avg", "mark", "atr", "level_atr", "watermark", "trail", "stop", "target", "initial_risk", "first_stop", "worst", "best",
    "own_stop", "own_target", "group_price",
)  # fmt: skip


class Books(NamedTuple):
    """All state of a simulation.

    Account `g` holds the assets `spans[g]` to `spans[g + 1] - 1`. `resting` is the book of orders (section O), of which the
    first `used[0]` are in use, the rest zero; None where the inputs are no orders.
    """

    accounts: Records
    assets: Records
    spans: np.ndarray
    resting: Records | None
    used: np.ndarray


def open_orders(books: Books) -> Records:
    """The orders in the book, in the order they were given."""
    book: Records = records(RESTING, 0) if books.resting is None else books.resting[: books.used[0]].view(np.recarray)
    return book


def empty_book(books: Books) -> None:
    """Forget all orders in the book, which have ended."""
    if books.resting is not None:
        books.resting[:] = np.zeros(1, dtype=RESTING)
        books.used[0] = 0


def with_room(books: Books, count: int) -> Books:
    """The same books with room for `count` more orders, and as many again as there is."""
    assert books.resting is not None
    grown = records(RESTING, 2 * len(books.resting) + count)
    grown[: len(books.resting)] = books.resting
    return books._replace(resting=grown)


@functools.cache
def _blank_asset() -> np.ndarray:
    """An asset of which nothing is held or known, as `words`."""
    blank: np.ndarray = records(ASSET, 1).view(np.ndarray)
    blank["stopped_t"] = -1
    for name in ("split", "scale"):
        blank[name] = 1.0
    blank["volume_left"] = math.inf
    for name in (*_UNKNOWN, "bar_sigma", "value"):
        blank[name] = math.nan
    return words(blank)


def make_books(spans: np.ndarray, room: int = 0) -> Books:
    """Empty books: no money, no positions; an order book where `room` is given."""
    accounts, assets = records(ACCOUNT, len(spans) - 1), records(ASSET, int(spans[-1]))
    words(assets)[:] = _blank_asset()
    fields = assets.view(np.ndarray)  # a field of these takes a tenth of the time
    fields["n"] = np.arange(len(assets))
    fields["g"] = np.searchsorted(spans, fields["n"], side="right") - 1
    return Books(accounts, assets, spans, records(RESTING, room) if room else None, np.zeros(1, dtype=np.int64))
