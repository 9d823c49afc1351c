"""The compiled loops of combinatorially symmetric cross-validation: all sets times all splits, from sums over blocks.

Kernels of this package call kernels of their own module only: numba sees by itself when such a file was edited, so the package takes no
part in the hash that names the cache, and an edit here compiles no engine again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..core.jit import borrowed, kernel, kernel_loop

__all__ = ["TILE", "Best", "Room", "Splits", "count_outside", "find_winners", "make_room"]

TILE = 64
"""Sets at a time: the sums of all halves of so many stay in the processor's cache."""

_NO_SPREAD = 1e-12


class Splits(NamedTuple):
    """Pairs of halves, P of them, each the complement of the other.

    `low`, `high` int64 (P,) the blocks inside the first half as bits, of the lower and of the upper half of all blocks; `bars` float64
    (P, 2) of both; `rf` the riskless return per bar.
    """

    low: np.ndarray
    high: np.ndarray
    bars: np.ndarray
    rf: float


class Best(NamedTuple):
    """The winner of each half so far: `inside` and `outside` (P, 2) what it is worth in it and in the other, `which` (P, 2) its number."""

    inside: np.ndarray
    outside: np.ndarray
    which: np.ndarray


class Room(NamedTuple):
    """Where a thread works: `low`, `high` (2, 2**h, TILE) sums of r and r^2 over any of the lower and upper blocks; `worth` (2, TILE)."""

    low: np.ndarray
    high: np.ndarray
    worth: np.ndarray


def make_room(count: int) -> Room:
    """For so many blocks."""
    shape = (2, 2 ** (count // 2), TILE)
    return Room(np.zeros(shape), np.zeros(shape), np.zeros((2, TILE)))


@kernel
def _fill(sums, first, width, offset, table):  # type: ignore[no-untyped-def]
    """Sums over any of the blocks from `offset` on, of `width` sets: each one block more than an earlier one."""
    for mask in range(1, table.shape[1]):
        block, rest = 0, mask
        while rest % 2 == 0:
            rest //= 2
            block += 1
        before = mask - (1 << block)
        for power in range(2):
            for j in range(width):
                table[power, mask, j] = table[power, before, j] + sums[first + j, offset + block, power]


@kernel
def _measure(low, high, worth, splits, pair, width):  # type: ignore[no-untyped-def]
    """What `width` sets are worth in both halves of a pair: `m*|m|/d`, a rising function of the Sharpe ratio; without spread 0."""
    whole = low.shape[1] - 1
    inner, upper = splits.low[pair], splits.high[pair]
    outer, lower = whole - inner, whole - upper
    bars, others = splits.bars[pair, 0], splits.bars[pair, 1]
    free, rest, share, part = bars * splits.rf, others * splits.rf, 1.0 / bars, 1.0 / others
    for j in range(width):
        one = low[0, inner, j] + high[0, upper, j]
        two = low[1, inner, j] + high[1, upper, j]
        over, spread = one - free, two - one * one * share
        fine = spread > _NO_SPREAD * two
        worth[0, j] = (over * abs(over) if fine else 0.0) / (spread if fine else 1.0)
        one = low[0, outer, j] + high[0, lower, j]
        two = low[1, outer, j] + high[1, lower, j]
        over, spread = one - rest, two - one * one * part
        fine = spread > _NO_SPREAD * two
        worth[1, j] = (over * abs(over) if fine else 0.0) / (spread if fine else 1.0)


@kernel_loop
def find_winners(sums, numbers, splits, best, room):  # type: ignore[no-untyped-def]
    """Sets `sums` (C, B, 2), which have rising `numbers` (C,), against the winners so far: a later one must be better, not equal."""
    low, high, worth = borrowed(room.low), borrowed(room.high), borrowed(room.worth)
    half, pairs = sums.shape[1] // 2, splits.low.shape[0]
    for first in range(0, sums.shape[0], TILE):
        width = min(TILE, sums.shape[0] - first)
        _fill(sums, first, width, 0, low)
        _fill(sums, first, width, half, high)
        for pair in range(pairs):
            _measure(low, high, worth, splits, pair, width)
            for side in range(2):
                bound, better = best.inside[pair, side], 0
                for j in range(width):
                    better += 1 if worth[side, j] > bound else 0
                if better > 0:
                    for j in range(width):
                        if worth[side, j] > best.inside[pair, side]:
                            best.inside[pair, side] = worth[side, j]
                            best.outside[pair, side] = worth[1 - side, j]
                            best.which[pair, side] = numbers[first + j]


@kernel_loop
def count_outside(sums, splits, outside, above, equal, room):  # type: ignore[no-untyped-def]
    """How many sets are worth more, and how many the same, as the winner `outside` (P, 2) of each half, both in the other half."""
    low, high, worth = borrowed(room.low), borrowed(room.high), borrowed(room.worth)
    half, pairs = sums.shape[1] // 2, splits.low.shape[0]
    for first in range(0, sums.shape[0], TILE):
        width = min(TILE, sums.shape[0] - first)
        _fill(sums, first, width, 0, low)
        _fill(sums, first, width, half, high)
        for pair in range(pairs):
            _measure(low, high, worth, splits, pair, width)
            for side in range(2):
                bound, more, same = outside[pair, side], 0, 0
                for j in range(width):
                    value = worth[1 - side, j]
                    more += 1 if value > bound else 0
                    same += 1 if value == bound else 0
                above[pair, side] += more
                equal[pair, side] += same
