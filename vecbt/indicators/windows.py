"""Sums over the last `window` values, without drift.

Values are taken in chunks of one window. While a chunk fills, its own values are added up in prefix sums; the buffer still holds, from
`head` on, the suffix sums of the chunk before. Together they are the sum of the window: nothing is ever subtracted, so no error stays
behind, not even after a huge value, and a bar costs two additions whatever the window.

`Window` sums the values themselves. `Moments` sums the distances from an anchor and their squares: the anchor is the first value of the
chunk, which is in the window as long as the chunk is used, so the sums are as small as the window is wide and a variance loses at most a
factor of the window's length in precision, at any level of prices. A flat window has sums of exactly 0.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..core.jit import kernel, kernel_loop, spine

__all__ = [
    "MOMENTS_FIELDS", "SIDE_BY_SIDE", "WINDOW_FIELDS", "Moments", "Window", "chunk_length", "missing_in", "moments_add", "moments_mean",
    "moments_next", "moments_variance", "part_ways", "window_next", "window_sum",
]  # fmt: skip

_SHORTEST = 64
_CELLS = 65_536

SIDE_BY_SIDE = 8
"""Assets from which on it pays to keep their values in rows, asset beside asset, while a run goes from bar to bar."""

WINDOW_FIELDS = [("prefix", "f8"), ("head", "i8"), ("count", "i8")]
"""Fields that the state of a kernel needs to keep a `Window`; its buffer row has as many places as the window."""

MOMENTS_FIELDS = [("anchor", "f8"), ("first", "f8"), ("second", "f8"), ("head", "i8"), ("count", "i8")]
"""Fields that the state of a kernel needs to keep `Moments`; its buffer row has 3 * window places."""


@kernel
def chunk_length(assets):  # type: ignore[no-untyped-def]
    """Bars that a run takes of one asset before it goes to the next: its values stay in registers, the rows in the cache."""
    return max(_SHORTEST, _CELLS // max(assets, 1))


@kernel
def missing_in(values):  # type: ignore[no-untyped-def]
    """How many values are missing."""
    missing = 0
    for n in range(values.shape[0]):
        missing += values[n] != values[n]
    return missing


@kernel_loop
def part_ways(states, buffers):  # type: ignore[no-untyped-def]
    """From here on each asset has its buffer for itself: rows of all assets become one row for each, and `apart` is 1.

    A run over many assets keeps them side by side, as a ring of rows, until some miss a bar that others have: their windows then stand at
    different places of their chunks, and stay so.
    """
    assets, places = buffers.shape
    ring, kept = buffers.reshape(places, assets), np.empty((assets, places))
    for n in range(assets):
        for i in range(places):
            kept[n, i] = ring[i, n]
    for n in range(assets):
        states[n].apart = 1
        for i in range(places):
            buffers[n, i] = kept[n, i]


class Window(NamedTuple):
    """A window at work, beside its buffer. A run keeps it in registers: from bar to bar, memory would cost more than the sum."""

    prefix: float
    head: int
    filled: int


@spine
def window_next(past, buffer, value):  # type: ignore[no-untyped-def]
    """The window after `value`, whose sum `window_sum` has given. A full chunk becomes suffix sums."""
    window = buffer.shape[0]
    filled = past.filled + 1 if past.filled < window else past.filled
    head = past.head + 1
    if head < window:
        return Window(past.prefix + value, head, filled)
    suffix = 0.0
    for i in range(window - 1, -1, -1):
        suffix += buffer[i]
        buffer[i] = suffix
    return Window(0.0, 0, filled)


@spine
def window_sum(past, buffer, value):  # type: ignore[no-untyped-def]
    """Take one value into the buffer; the sum of the last `len(buffer)` values, of all of them while there are fewer."""
    head = past.head
    buffer[head] = value
    if head + 1 < buffer.shape[0]:
        return past.prefix + value + buffer[head + 1]
    return past.prefix + value


class Moments(NamedTuple):
    """A window of distances from an anchor, beside its buffer: the values, then suffix sums of distances and of their squares."""

    anchor: float
    first: float
    second: float
    head: int
    filled: int


@spine
def moments_add(first, second, distance):  # type: ignore[no-untyped-def]
    """The sums of distances and of their squares with one more."""
    return first + distance, second + distance * distance


@spine
def moments_next(past, buffer, window, value):  # type: ignore[no-untyped-def]
    """The window after one more value, and the sums of distances and of squared distances over it: (Moments, sum, sum of squares).

    While there are fewer than `window` values the sums are over all of them.
    """
    anchor, first, second, head = past.anchor, past.first, past.second, past.head
    if head == 0:
        anchor, first, second = value, 0.0, 0.0
        if past.filled > 0:
            _anchor_anew(buffer, window, anchor)
    buffer[head] = value
    first, second = moments_add(first, second, value - anchor)
    sum_, squares = first, second
    if head + 1 < window:
        sum_ += buffer[window + head + 1]
        squares += buffer[2 * window + head + 1]
    filled = past.filled + 1 if past.filled < window else past.filled
    return Moments(anchor, first, second, head + 1 if head + 1 < window else 0, filled), sum_, squares


@kernel
def _anchor_anew(buffer, window, anchor):  # type: ignore[no-untyped-def]
    """The full chunk of values becomes suffix sums of distances from the new anchor."""
    first, second = 0.0, 0.0
    for i in range(window - 1, -1, -1):
        first, second = moments_add(first, second, buffer[i] - anchor)
        buffer[window + i] = first
        buffer[2 * window + i] = second


@kernel
def moments_mean(now, sum_):  # type: ignore[no-untyped-def]
    """The mean of the values in the window."""
    return now.anchor + sum_ / now.filled


@kernel
def moments_variance(now, sum_, squares, ddof):  # type: ignore[no-untyped-def]
    """The variance of the values in the window, NaN where there are no more than `ddof` and for sums that are NaN."""
    if now.filled <= ddof:
        return math.nan
    rest = squares - sum_ * sum_ / now.filled
    return (0.0 if rest < 0.0 else rest) / (now.filled - ddof)
