"""Anchored windows of many assets, asset beside asset, while all of them stand at the same place of their chunks.

What `moments_next` keeps for each asset stands here in rows of all assets, which the processor takes several at a time. The memory of
the buffers is `3 * window` such rows, until the assets part ways (`windows.part_ways`). The sums are those of `windows`, in the same
order, so the bits are the same.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..core.jit import borrowed, kernel, kernel_loop
from .windows import missing_in, moments_add

__all__ = ["Spread", "spread_all", "spread_load", "spread_store"]


class Spread(NamedTuple):
    """Rows (N,): MOMENTS_FIELDS, then the sums over the window after a bar, NaN and 0 where there is none; a row of zeros."""

    anchor: Any
    first: Any
    second: Any
    total: Any
    squares: Any
    nothing: Any


@kernel_loop
def spread_load(states):  # type: ignore[no-untyped-def]
    """The rows of states that are not apart."""
    assets = states.shape[0]
    rows = Spread(np.empty(assets), np.empty(assets), np.empty(assets), np.empty(assets), np.empty(assets), np.empty(assets))
    for n in range(assets):
        rows.anchor[n], rows.first[n], rows.second[n] = states[n].anchor, states[n].first, states[n].second
        rows.nothing[n] = 0.0
    return rows


@kernel
def spread_store(states, rows, place):  # type: ignore[no-untyped-def]
    """The rows back into the states; `place` is (head, count) of all."""
    for n in range(states.shape[0]):
        states[n].anchor, states[n].first, states[n].second = rows.anchor[n], rows.first[n], rows.second[n]
        states[n].head, states[n].count = place


@kernel
def _suffixes(values, into, after, anchors):  # type: ignore[no-untyped-def]
    """Suffix sums from a row of values on, after those of the next row: (sums, sums of squares) each."""
    (firsts, seconds), (next_first, next_second) = into, after
    for n in range(anchors.shape[0]):
        firsts[n], seconds[n] = moments_add(next_first[n], next_second[n], values[n] - anchors[n])


@kernel
def _begin_chunk(rows, ring, window, values, filled):  # type: ignore[no-untyped-def]
    """What `moments_next` does at the start of a chunk."""
    anchors, firsts, seconds = rows.anchor, rows.first, rows.second
    for n in range(values.shape[0]):
        anchors[n], firsts[n], seconds[n] = values[n], 0.0, 0.0
    after = (rows.nothing, rows.nothing)
    for i in range(window - 1 if filled > 0 else -1, -1, -1):
        into = (borrowed(ring[window + i]), borrowed(ring[2 * window + i]))
        _suffixes(borrowed(ring[i]), into, after, anchors)
        after = into


@kernel
def _bar(rows, here, rest, values):  # type: ignore[no-untyped-def]
    """What `moments_next` does on every bar; `here` takes the values, `rest` is what the chunk before has left in the window."""
    firsts, seconds, totals, squares = rows.first, rows.second, rows.total, rows.squares
    rest_first, rest_second = rest
    for n in range(values.shape[0]):
        here[n] = values[n]
        first, second = moments_add(firsts[n], seconds[n], values[n] - rows.anchor[n])
        firsts[n] = first
        seconds[n] = second
        totals[n] = first + rest_first[n]
        squares[n] = second + rest_second[n]


@kernel
def spread_all(rows, ring, window, place, values):  # type: ignore[no-untyped-def]
    """One bar of all assets: (place after it, how many miss it). Nothing has changed where some miss it and others do not."""
    missing, (head, filled) = missing_in(values), place
    if missing == 0:
        if head == 0:
            _begin_chunk(rows, ring, window, values, filled)
        after, filled = head + 1 if head + 1 < window else 0, min(filled + 1, window)
        rest = (rows.nothing, rows.nothing)
        if after > 0:
            rest = (borrowed(ring[window + after]), borrowed(ring[2 * window + after]))
        _bar(rows, borrowed(ring[head]), rest, values)
        head = after
    if missing > 0 or filled < window:
        for n in range(values.shape[0]):
            rows.total[n], rows.squares[n] = math.nan, 0.0
    return (head, filled), missing
