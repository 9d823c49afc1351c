"""Parameters as the step takes them, and the bars it walks over in batch."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..core.jit import kernel, spine, unsigned
from ..core.places import first_byte, peek_int
from ..execution.costs import COST_FIELDS
from ..risk.sizing import SIZE_FIELDS

__all__ = ["RULES", "TERMS", "Row", "Rows", "last_prices", "load_cell", "load_events", "load_said", "next_said", "row_asks"]

RULES = np.dtype(
    [
        ("kind", "i8"),  # InputKind
        ("at_close", "i8"),  # T7: fill="close"
        ("longs", "i8"),  # S1: direction allows them
        ("shorts", "i8"),
        ("accumulate", "i8"),
        ("net", "i8"),  # W2
        ("band", "f8"),
        ("optimistic", "i8"),
        ("through", "i8"),
        ("leverage", "f8"),  # F4's L
        ("maintenance", "f8"),  # F13
        ("participation", "f8"),  # F7, 0: off
        ("keep_rest", "i8"),  # F7: the rest waits
        ("uses_volume", "i8"),
        ("exits_inside", "i8"),  # Z8
        ("needs_worst", "i8"),  # Z1: judged at the bar's worst prices
        ("looks_inside", "i8"),  # a rule looks into bars; else only orders that wait do
        ("looks_always", "i8"),  # into all of them, not only where a level is met
        ("levels_only", "i8"),  # stops and targets, none of time, are all that does
        ("desk", "i8"),  # where the rule of the strategy stands (engine.rule), 0: none
        *COST_FIELDS,
        *SIZE_FIELDS,
    ],
    align=True,
)
"""What every run has; stops, zones and terms are records of their own, None when off, so that being off costs nothing."""

TERMS = np.dtype(
    [
        ("interest_rate", "f8"),  # T2, a year
        ("daily_loss", "f8"),  # Z4, 0: off
        ("max_heat", "f8"),  # Z5 to Z9, inf: off
        ("max_trade_loss", "f8"),
        ("max_position", "f8"),
        ("max_position_value", "f8"),
        ("max_gross", "f8"),
        ("max_net", "f8"),
    ],
    align=True,
)
"""What an account has beyond that: actions, carry, deposits, limits."""


class Rows(NamedTuple):
    """All bars of a batch.

    `prices` (5TN,) open high low close volume, field by field and bar by bar; `flags` (TN,) uint8, `values`, `atr`, `sigma` (TN,)
    float64, or (0,) where there are none; `day` (T,) session dates; `time` (T,) labels; `delist_bar`, `haircut` (N,); `events`
    (3, T, N) split, dividend, funding, or (0, 0, 0); `eventful` (T,) 1 at and after bars with any of these or a delisting; `flow` (T,)
    deposits, or (0,); `orders` the requests by bar, of which `starts[t]` to `starts[t + 1] - 1` are those of bar t, or None; `dense`
    (CALM_ROWS, N) is room for `engine.calm`.
    """

    prices: np.ndarray
    flags: np.ndarray
    values: np.ndarray
    atr: np.ndarray
    sigma: np.ndarray
    day: np.ndarray
    time: np.ndarray
    delist_bar: np.ndarray
    haircut: np.ndarray
    events: np.ndarray
    eventful: np.ndarray
    flow: np.ndarray
    orders: np.ndarray | None
    starts: np.ndarray
    dense: np.ndarray


class Row(NamedTuple):
    """One bar of all assets, among many in a batch, alone in a stream.

    The number of asset `n` stands at `at + n` in `flags`, `values`, `atr` and `sigma`; its open, high, low, close and volume there in
    `prices`, each `size` places after the one before. `happens`: splits, dividends or funding may stand in the records; `leaves`: an asset
    is delisted at its end; `says`: the strategy may say something of one.
    """

    prices: np.ndarray
    size: int
    at: int
    happens: bool
    leaves: bool
    says: bool
    flags: np.ndarray
    values: np.ndarray
    atr: np.ndarray
    sigma: np.ndarray


@spine
def load_cell(a, n, row):  # type: ignore[no-untyped-def]
    """The bar's numbers into the record of asset `n`."""
    at = row.at + n
    a.open = row.prices[unsigned(at)]
    a.high = row.prices[unsigned(row.size + at)]
    a.low = row.prices[unsigned(2 * row.size + at)]
    a.close = row.prices[unsigned(3 * row.size + at)]
    a.volume = row.prices[unsigned(4 * row.size + at)]
    if row.flags.shape[0] > 0:
        a.signal = row.flags[at]
    if row.values.shape[0] > 0:
        a.value = row.values[at]
    if row.sigma.shape[0] > 0:
        a.bar_sigma = row.sigma[at]


@kernel
def load_said(a, n, row):  # type: ignore[no-untyped-def]
    """What the strategy says of asset `n`, into its record."""
    if row.flags.shape[0] > 0:
        a.signal = row.flags[row.at + n]
    if row.values.shape[0] > 0:
        a.value = row.values[row.at + n]


@spine
def last_prices(n, row):  # type: ignore[no-untyped-def]
    """High, low and close of asset `n`."""
    at = row.at + n
    return row.prices[unsigned(row.size + at)], row.prices[unsigned(2 * row.size + at)], row.prices[unsigned(3 * row.size + at)]


@spine
def row_asks(first, last, row):  # type: ignore[no-untyped-def]
    """Whether the strategy says anything at the places `first` to `last - 1`: a flag, or a number."""
    flags, numbers = 0, 0
    if row.flags.shape[0] > 0:
        for place in range(first, last):
            flags |= row.flags[unsigned(place)]
    if row.values.shape[0] > 0:
        for place in range(first, last):
            numbers += 0 if math.isnan(row.values[unsigned(place)]) else 1
    return flags != 0 or numbers > 0


@spine
def next_said(bar, stop, count, row):  # type: ignore[no-untyped-def]
    """The first bar from `bar` on that says something of any of `count` assets, or `stop`; `bar` itself where there are no rows."""
    start, end = bar * count, stop * count
    if row.flags.shape[0] > 0:
        there = row.flags.ctypes.data
        while start + 8 <= end:
            eight = peek_int(there + start, 0)
            if eight != 0:
                return (start + first_byte(eight)) // count
            start += 8
        while start < end and row.flags[unsigned(start)] == 0:
            start += 1
    elif row.values.shape[0] > 0:
        while start < end and math.isnan(row.values[unsigned(start)]):
            start += 1
    return start // count


@kernel
def load_events(assets, t, rows):  # type: ignore[no-untyped-def]
    """Delistings, splits, dividends and funding of bar `t`, and after such a bar that there are none; whether an asset is delisted."""
    leaves = False
    for n in range(assets.shape[0]):
        a = assets[n]
        a.delists = 1 if rows.delist_bar[n] == t else 0
        a.haircut = rows.haircut[n] if rows.delist_bar[n] == t else 0.0
        if rows.events.shape[0] > 0:
            a.split = rows.events[0, t, n]
            a.dividend = rows.events[1, t, n]
            a.funding = rows.events[2, t, n]
        leaves = leaves or a.delists == 1
    return leaves
