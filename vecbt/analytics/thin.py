"""Fewer points for a picture of many bars, without losing an extreme."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayT

__all__ = ["spans", "thin"]


def thin(values: ArrayT, limit: int) -> NDArray[np.int64]:
    """Places of at most about `limit` of the values `(T,)`: first and last, and least and greatest of equal stretches between.

    NaN is never an extreme. All places where there are no more than `limit`.
    """
    count = len(values)
    if count <= limit:
        return np.arange(count)
    length = -(-2 * count // limit)
    stretches = -(-count // length)
    padded = np.full(stretches * length, np.nan)
    padded[:count] = values
    grid = padded.reshape(stretches, length)
    first = np.arange(stretches) * length
    least = first + np.where(np.isnan(grid), np.inf, grid).argmin(axis=1)
    greatest = first + np.where(np.isnan(grid), -np.inf, grid).argmax(axis=1)
    return np.unique(np.concatenate([[0], least, greatest, [count - 1]]).clip(max=count - 1))


def spans(levels: NDArray[Any], limit: int) -> list[tuple[int, int, int]]:
    """Stretches of equal level as `(level, first, past)`, level 0 left out; a long series is seen through its highest level per stretch."""
    count = len(levels)
    length = max(1, -(-count // limit))
    starts = np.arange(0, count, length)
    highest = np.maximum.reduceat(levels, starts) if count else levels
    changes = np.flatnonzero(np.diff(highest)) + 1
    edges = np.concatenate([[0], changes, [len(highest)]])
    found = []
    for low, past in pairwise(edges):
        if past > low and highest[low] > 0:
            found.append((int(highest[low]), int(low * length), int(min(past * length, count))))
    return found
