"""The anchored windows of `Moments` at work: as a record keeps them, and as most indicators read them.

A bar without a market leaves the window as it is and has sums that are NaN; so have bars before the window is full. What is computed
from the sums then needs no cases of its own.
"""

from __future__ import annotations

import math

from ..core.jit import kernel, spine
from .windows import Moments, moments_next

__all__ = ["moments_deviation", "moments_load", "moments_store", "spread_next"]


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
