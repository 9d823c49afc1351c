"""The anchored windows of `Moments` at work: as a record keeps them, as most indicators read them, and more sums over the same chunks.

A bar without a market leaves the window as it is and has sums that are NaN; so have bars before the window is full. What is computed
from the sums then needs no cases of its own.

Sums of cubes, of distances by time and of products of two series ride on the chunks of a `Moments` and share its anchor: each keeps the
sum over the chunk that fills, and `window` more places in the buffer for the suffix sums of the chunk before. They are called after the
moments of the bar, with the place that the value has taken (`past.head`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ..core.jit import kernel, spine
from .windows import Moments, moments_next

__all__ = [
    "PAIR_FIELDS", "Pair", "cubes_next", "moments_deviation", "moments_load", "moments_store", "pair_load", "pair_next", "pair_product",
    "pair_store", "run_length", "spread_next", "trend_next",
]  # fmt: skip

_CELLS = 8192


@kernel
def run_length(assets):  # type: ignore[no-untyped-def]
    """Bars that a run takes of one asset before it goes to the next: few, so that the rows of its outputs stay in the cache."""
    return max(1, _CELLS // max(assets, 1))


@kernel
def moments_load(state):  # type: ignore[no-untyped-def]
    """The MOMENTS_FIELDS of a record as values."""
    return Moments(state.anchor, state.first, state.second, state.head, state.count)


@kernel
def moments_store(state, now):  # type: ignore[no-untyped-def]
    """The values back into the record."""
    state.anchor = now.anchor
    state.first = now.first
    state.second = now.second
    state.head = now.head
    state.count = now.filled


@spine
def spread_next(past, buffer, window, value):  # type: ignore[no-untyped-def]
    """`moments_next` of a full window: the sum is NaN before there are `window` values and on a missing one, which does not enter."""
    if value != value:
        return past, math.nan, 0.0
    now, total, squares = moments_next(past, buffer, window, value)
    return now, total if now.filled >= window else math.nan, squares


@kernel
def moments_deviation(now, sum_, value):  # type: ignore[no-untyped-def]
    """The value less the mean of the window, by distances: far from zero the mean itself is rounded."""
    return (value - now.anchor) - sum_ / now.filled


@spine
def cubes_next(prefix, past, now, buffer, window, value):  # type: ignore[no-untyped-def]
    """(sum of cubed distances over the chunk, over the window), after `spread_next` went from `past` to `now`; buffer from 3 * window."""
    if value != value:
        return prefix, math.nan
    head = past.head
    if head == 0:
        prefix = 0.0
        if past.filled > 0:
            _cubes_anew(buffer, window, now.anchor)
    distance = value - now.anchor
    prefix += distance * distance * distance
    return prefix, prefix + buffer[3 * window + head + 1] if head + 1 < window else prefix


@kernel
def _cubes_anew(buffer, window, anchor):  # type: ignore[no-untyped-def]
    """Suffix sums over the chunk before; its first value has left the window and made room for the newest."""
    suffix = 0.0
    for i in range(window - 1, 0, -1):
        distance = buffer[i] - anchor
        suffix += distance * distance * distance
        buffer[3 * window + i] = suffix


@spine
def trend_next(prefix, past, now, buffer, window, value):  # type: ignore[no-untyped-def]
    """(sum of distances times bars since the chunk began, over the chunk, over the window), else as `cubes_next`.

    Values of the chunk before count negative bars, so that the newest value always stands at `past.head`.
    """
    if value != value:
        return prefix, math.nan
    head = past.head
    if head == 0:
        prefix = 0.0
        if past.filled > 0:
            _trend_anew(buffer, window, now.anchor)
    prefix += head * (value - now.anchor)
    return prefix, prefix + buffer[3 * window + head + 1] if head + 1 < window else prefix


@kernel
def _trend_anew(buffer, window, anchor):  # type: ignore[no-untyped-def]
    suffix = 0.0
    for i in range(window - 1, 0, -1):
        suffix += (i - window) * (buffer[i] - anchor)
        buffer[3 * window + i] = suffix


PAIR_FIELDS = [
    ("anchor", "f8"), ("first", "f8"), ("second", "f8"), ("other_anchor", "f8"), ("other_first", "f8"), ("other_second", "f8"),
    ("product", "f8"), ("head", "i8"), ("count", "i8"),
]  # fmt: skip
"""Fields that the state of a kernel needs to keep a `Pair`; its buffer row has 7 * window places."""


class Pair(NamedTuple):
    """Moments of two series over the same bars, and the sum of products of their distances over the chunk."""

    values: Moments
    other: Moments
    product: float


@kernel
def pair_load(state):  # type: ignore[no-untyped-def]
    """The PAIR_FIELDS of a record as values."""
    values = Moments(state.anchor, state.first, state.second, state.head, state.count)
    other = Moments(state.other_anchor, state.other_first, state.other_second, state.head, state.count)
    return Pair(values, other, state.product)


@kernel
def pair_store(state, now):  # type: ignore[no-untyped-def]
    """The values back into the record."""
    moments_store(state, now.values)
    state.other_anchor = now.other.anchor
    state.other_first = now.other.first
    state.other_second = now.other.second
    state.product = now.product


@spine
def pair_next(past, buffer, other_buffer, window, value, other):  # type: ignore[no-untyped-def]
    """The window after one more bar, and its sums: (Pair, (sum, squares) of the values, those of the other, sum of products).

    Sums are NaN before there are `window` bars and on a bar on which either is missing, which does not enter. `other_buffer` is the
    buffer from 3 * window on.
    """
    if value != value or other != other:
        return past, (math.nan, 0.0), (math.nan, 0.0), math.nan
    head, product = past.values.head, past.product
    mine, total, squares = spread_next(past.values, buffer, window, value)
    its, other_total, other_squares = spread_next(past.other, other_buffer, window, other)
    if head == 0:
        product = 0.0
        if past.values.filled > 0:
            _products_anew(buffer, other_buffer, window, mine.anchor, its.anchor)
    product += (value - mine.anchor) * (other - its.anchor)
    products = product + other_buffer[3 * window + head + 1] if head + 1 < window else product
    return Pair(mine, its, product), (total, squares), (other_total, other_squares), products


@kernel
def _products_anew(buffer, other_buffer, window, anchor, other_anchor):  # type: ignore[no-untyped-def]
    suffix = 0.0
    for i in range(window - 1, 0, -1):
        suffix += (buffer[i] - anchor) * (other_buffer[i] - other_anchor)
        other_buffer[3 * window + i] = suffix


@kernel
def pair_product(now, total, other_total, products):  # type: ignore[no-untyped-def]
    """Sum of products of the deviations from both means; NaN as the sums are."""
    if products != products:
        return math.nan
    return products - total * other_total / now.values.filled
