"""How a metric stands among neighbouring parameter sets: a lone peak is chance, a plateau may be more."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_DIMENSIONS", "Neighbourhoods", "neighbourhoods"]

MOST_DIMENSIONS = 6
"""Parameters whose neighbours are looked for: there are 3**K offsets."""


class Neighbourhoods(NamedTuple):
    """A number for each set: other sets in its neighbourhood, and mean, least, greatest and deviation of all in it."""

    neighbours: NDArray[np.int64]
    average: NDArray[np.float64]
    least: NDArray[np.float64]
    greatest: NDArray[np.float64]
    deviation: NDArray[np.float64]


def neighbourhoods(ranks: NDArray[np.int64], groups: NDArray[np.int64], values: NDArray[np.float64]) -> Neighbourhoods:
    """Statistics of each set and those around it.

    Parameters
    ----------
    ranks : (L, K), at most 6 parameters: the place of the value on its grid
    groups : (L,), only sets of one group are neighbours
    values : (L,), of the metric; sets where it is not finite are in no neighbourhood and have none

    Returns
    -------
    Neighbourhoods
        Of (L,). All but `neighbours` are NaN for a set that is not finite, or has no neighbour. The deviation is that of the population.
        Mean and deviation are updated set by set (Welford, Technometrics 4 (1962) 419).
    """
    fine = np.flatnonzero(np.isfinite(values))
    points, found = np.column_stack([groups[fine], ranks[fine]]), values[fine]
    key, steps = _keys(points)
    order = np.argsort(key, kind="stable")
    unique, first, count = np.unique(key[order], return_index=True, return_counts=True)
    n, average, squares = np.zeros(len(fine), dtype=np.int64), np.zeros(len(fine)), np.zeros(len(fine))
    least, greatest = np.full(len(fine), np.inf), np.full(len(fine), -np.inf)
    for offset in itertools.product((-1, 0, 1), repeat=ranks.shape[1]):
        shift = np.array((0, *offset), dtype=np.int64)
        wanted = key + (shift.astype(np.uint64) * steps).sum(dtype=np.uint64)
        place = np.minimum(np.searchsorted(unique, wanted), max(len(unique) - 1, 0))
        at = np.flatnonzero(unique[place] == wanted)
        at = at[(points[order[first[place[at]]]] == points[at] + shift).all(axis=1)]
        for again in range(int(count.max(initial=1))):  # the same parameters may come more than once
            at = at[count[place[at]] > again]
            x = found[order[first[place[at]] + again]]
            n[at] += 1
            gap = x - average[at]
            average[at] += gap / n[at]
            squares[at] += gap * (x - average[at])
            least[at], greatest[at] = np.minimum(least[at], x), np.maximum(greatest[at], x)
    return _spread(fine, len(values), n, [average, least, greatest, np.sqrt(squares / np.maximum(n, 1))])


def _spread(fine: NDArray[np.int64], length: int, n: NDArray[np.int64], found: list[NDArray[np.float64]]) -> Neighbourhoods:
    neighbours = np.zeros(length, dtype=np.int64)
    neighbours[fine] = n - 1
    columns: list[Any] = []
    for part in found:
        column = np.full(length, np.nan)
        column[fine] = np.where(n > 1, part, np.nan)
        columns.append(column)
    return Neighbourhoods(neighbours, *columns)


def _keys(points: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """A number for each point, different for different points, and by how much it changes with a step in each column.

    A sum of products modulo 2**64 with random odd factors: another draw where two points meet.
    """
    distinct = len(np.unique(points, axis=0))
    rng = np.random.default_rng(0)
    while True:
        steps: NDArray[np.uint64] = np.asarray(2 * rng.integers(0, 2**63, points.shape[1], dtype=np.uint64) + 1)
        key: NDArray[np.uint64] = (points.astype(np.uint64) * steps).sum(axis=1, dtype=np.uint64)
        if len(np.unique(key)) == distinct:
            return key, steps
