"""The highest value of the last `window` and how many bars ago it came, at a cost that does not depend on the window.

Values are taken in chunks of one window, as in `windows.py`: while a chunk fills, its own highest value so far is kept; the buffer still
holds, from `head` on, the highest values of the rest of the chunk before. The higher of both is that of the window. The lowest value is
the highest of the negated ones, which rounds nothing.

`Channel` is both, of highs and of lows: the range of prices in the window.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .._typing import ArrayTN
from ..core.jit import kernel, spine

__all__ = ["CHANNEL_FIELDS", "Channel", "Peak", "channel_buffers", "channel_next", "peak_next"]

CHANNEL_FIELDS = [("top", "f8"), ("top_place", "i8"), ("bottom", "f8"), ("bottom_place", "i8"), ("head", "i8"), ("count", "i8")]
"""Fields that the state of a kernel needs to keep a `Channel`; its buffer row has 4 * window places, made by `channel_buffers`."""


def channel_buffers(assets: int, window: int) -> ArrayTN:
    """Buffers (N, 4*window) of channels in which nothing has been seen yet."""
    return np.full((assets, 4 * window), -math.inf)


class Peak(NamedTuple):
    """The highest value of the chunk so far and its place in it; where the chunk stands, and how many values the window holds."""

    best: float
    place: int
    head: int
    filled: int


@spine
def peak_next(past, buffer, window, value):  # type: ignore[no-untyped-def]
    """The window after one more value, its highest value and the age of that in bars: (Peak, highest, age). The latest of equals counts.

    The buffer has 2 * window places: values, which become the highest from there to the end of the chunk, and their places.
    """
    head = past.head
    filled = past.filled + 1 if past.filled < window else past.filled
    # choices between two values, not branches: whether a price is a new high cannot be foreseen
    newer = head == 0 or value >= past.best
    best = value if newer else past.best
    place = head if newer else past.place
    buffer[head] = value
    if head + 1 == window:
        _rest_of_chunk(buffer, window)
        return Peak(best, place, 0, filled), best, head - place
    rest = buffer[head + 1]
    highest = rest if rest > best else best
    age = head + window - int(buffer[window + head + 1]) if rest > best else head - place
    return Peak(best, place, head + 1, filled), highest, age


@kernel
def _rest_of_chunk(buffer, window):  # type: ignore[no-untyped-def]
    """Each value becomes the highest from there to the end of the chunk, the latest of equals."""
    best, place = -math.inf, float(window - 1)
    for i in range(window - 1, -1, -1):
        newer = buffer[i] > best
        best = buffer[i] if newer else best
        place = float(i) if newer else place
        buffer[i] = best
        buffer[window + i] = place


class Channel(NamedTuple):
    """The windows of highs and of negated lows, at the same place."""

    high: Peak
    low: Peak


@spine
def channel_next(past, buffer, window, high, low):  # type: ignore[no-untyped-def]
    """The windows after one more bar: (Channel, highest high, its age, lowest low, its age)."""
    highs, highest, high_age = peak_next(past.high, buffer[: 2 * window], window, high)
    lows, lowest, low_age = peak_next(past.low, buffer[2 * window :], window, -low)
    return Channel(highs, lows), highest, high_age, -lowest, low_age
