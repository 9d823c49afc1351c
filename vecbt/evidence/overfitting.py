"""The probability of backtest overfitting: is what was best in one half of the bars any better than the rest in the other half?"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from ._gate import as_returns, checked_blocks, checked_count
from .cscv import Best, Room, Splits, count_outside, find_winners, make_room
from .moments import bars_of_blocks, block_sums

__all__ = ["Overfitting", "pbo", "pbo_of_blocks"]

_MOST_BLOCKS = 20  # 184,756 splits
_PIECE = 4096  # sets that are read at a time
_SAMPLE = 128  # sets whose results outside stand for those of all
_GRID = 201
_NO_SPREAD = 1e-12
_Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Overfitting:
    """What combinatorially symmetric cross-validation found. Each split is one choice of half the blocks; Sharpe ratios are *per bar*.

    Attributes
    ----------
    sets, left_out : sets that took part, and those that did not: not measured (NaN), or without any spread over all bars
    bars, blocks, splits : T, B, and B!/(B/2)!^2
    probability : share of splits whose winner inside is at or below the median outside (PBO)
    logits : (splits,) `log(w/(1 - w))` of the winner's relative rank outside, `w = rank/(N + 1)`, 1 the worst; 0 is the median
    inside, outside : (splits,) the winner's Sharpe ratio in its half and in the other
    winners : (splits,) int64, its row among the sets that were given
    slope, intercept, r_squared : of the line through inside and outside (performance degradation)
    loss : share of splits whose winner has a negative ratio outside
    grid, chosen_below, all_below : (201,) ratios, and the share of splits, and of sets and splits, that is at or below them outside
    second : (201,) integral of `all_below - chosen_below` up to there
    sampled : number of sets that stand for all in `all_below`, evenly spaced
    reason, needed : why there are no numbers ("" where there are), and how many bars, or sets, there must be
    """

    sets: int
    left_out: int
    bars: int
    blocks: int
    splits: int
    probability: float
    logits: _Array
    inside: _Array
    outside: _Array
    winners: NDArray[np.int64]
    slope: float
    intercept: float
    r_squared: float
    loss: float
    grid: _Array
    chosen_below: _Array
    all_below: _Array
    second: _Array
    sampled: int
    reason: str = ""
    needed: int = 0

    @property
    def first_order(self) -> bool:
        """Whether choosing the best inside dominates a choice at random outside: it is never more often below any ratio."""
        return not self.reason and bool((self.chosen_below <= self.all_below + 1e-12).all())

    @property
    def second_order(self) -> bool:
        """Whether it does so for everyone who is averse to risk: the integral is never negative."""
        return not self.reason and bool((self.second >= -1e-12).all())

    def __str__(self) -> str:
        head = f"PBO of {self.sets:,} sets over {self.bars:,} bars, {self.blocks} blocks"
        if self.reason:
            return f"{head}: {self.reason}"
        order = "first" if self.first_order else "second" if self.second_order else "no"
        return "\n".join(
            [
                f"{head}: {self.probability:.3f} ({self.splits:,} splits; {self.left_out:,} sets left out)",
                f"  the winner's Sharpe ratio per bar: {self.inside.mean():.4f} inside, {self.outside.mean():.4f} outside; "
                f"below zero outside in {self.loss:.1%} of splits",
                f"  outside = {self.intercept:.4f} {self.slope:+.3f} x inside, R2 {self.r_squared:.3f}",
                f"  against a choice at random: {order}-order dominance",
            ]
        )


def pbo(returns: Any, *, blocks: int = 16, rf: float = 0.0, threads: int | None = None) -> Overfitting:
    """Probability of backtest overfitting of the columns of a matrix of returns.

    Parameters
    ----------
    returns : array_like, shape (T, C)
        Simple returns per bar, a column a trial.
    blocks : int
        An even number from 2 to 20; the bars are cut as `block_sums` cuts them.
    rf, threads : see `pbo_of_blocks`

    Notes
    -----
    `pbo_of_blocks` of `block_sums(returns, blocks, 2)`.
    """
    matrix, _ = as_returns(returns)
    count = _even(blocks)
    return pbo_of_blocks(block_sums(matrix, count, 2), len(matrix), rf=rf, threads=threads)


def pbo_of_blocks(blocks: Any, bars: int, *, rf: float = 0.0, threads: int | None = None) -> Overfitting:
    """Probability of backtest overfitting from sums over blocks, as a sweep keeps them, in memory that does not grow with the sets.

    For each choice of half the blocks the set with the highest Sharpe ratio inside is looked up outside, among all sets.

    Parameters
    ----------
    blocks : float64, shape (C, B, K)
        Sums of r, r^2 and any more over B parts of the bars (`Sweep.blocks`), B even, 2 to 20; may be a map of a file.
    bars : int
        Bars in all, T; part b holds those from b*T//B to (b + 1)*T//B - 1.
    rf : float
        Riskless return *per bar*.
    threads : int, optional
        All cores where left out; the answer does not hang on it.

    Returns
    -------
    Overfitting
        Without numbers, and with a reason, where fewer than two sets vary or a block has fewer than two bars.

    Notes
    -----
    Bailey, Borwein, Lopez de Prado and Zhu, "The probability of backtest overfitting", *Journal of Computational Finance* 20 (2017) 39-69.
    Equal ones: of several winners the first in order is taken, and equal ranks outside are shared (their mean). A set that is not measured,
    or whose returns have no spread over all bars, takes no part. One without spread in a half (a variance below 1e-12 of the mean square)
    is worth 0 there: doing nothing is worse than a gain and better than a loss. Every sum is one of at most two sums over blocks, made
    once; nothing is added and taken away again.
    """
    array, count, total = checked_blocks(blocks, 2), _even(np.shape(blocks)[1]), checked_count(bars, "bars")
    workers = max(1, os.cpu_count() or 1) if threads is None else checked_count(threads, "threads")
    numbers = _usable(array, total)
    if len(numbers) < 2 or total < 2 * count:
        return _nothing(len(numbers), len(array) - len(numbers), total, count)
    splits = _all_splits(bars_of_blocks(total, count), rf)
    work = _Work(array, numbers, splits, workers)
    best = work.winners()
    above, equal = work.ranks(best.outside)
    rank = (len(numbers) - above - equal) + (equal + 1) / 2.0
    logits = np.log(rank / (len(numbers) + 1.0 - rank)).reshape(-1)
    inside = _ratio(best.inside, splits.bars).reshape(-1)
    outside = _ratio(best.outside, splits.bars[:, ::-1]).reshape(-1)
    slope, intercept, fit = _line(inside, outside)
    sample = numbers[np.unique(np.linspace(0, len(numbers) - 1, min(_SAMPLE, len(numbers))).astype(np.int64))]
    curves = _curves(outside, _all_outside(np.asarray(array[sample][:, :, :2]), splits))
    return Overfitting(
        len(numbers), len(array) - len(numbers), total, count, len(logits), float((logits <= 0.0).mean()), logits, inside, outside,
        best.which.reshape(-1), slope, intercept, fit, float((outside < 0.0).mean()), *curves, len(sample),
    )  # fmt: skip


def _even(count: Any) -> int:
    if checked_count(count, "blocks", 2) % 2 or count > _MOST_BLOCKS:
        raise ConfigError(f"blocks must be an even number from 2 to {_MOST_BLOCKS}, so that halves are alike; found {count}")
    return int(count)


def _nothing(sets: int, left_out: int, bars: int, count: int) -> Overfitting:
    none, nan = np.empty(0), math.nan
    short = bars < 2 * count
    reason = f"too few bars: {2 * count} are needed for {count} blocks" if short else "two sets or more must vary"
    whole = np.empty(0, dtype=np.int64)
    numbers = (none, none, none, whole, nan, nan, nan, nan, none, none, none, none)
    return Overfitting(sets, left_out, bars, count, 0, nan, *numbers, 0, reason, 2 * count if short else 2)


def _usable(array: _Array, bars: int) -> NDArray[np.int64]:
    """Rows of the sets that were measured and vary."""
    found = np.zeros(len(array), dtype=np.bool_)
    for first in range(0, len(array), _PIECE):
        with np.errstate(invalid="ignore", over="ignore"):  # sums that are infinite
            part = np.asarray(array[first : first + _PIECE])[:, :, :2].sum(axis=1)
            found[first : first + _PIECE] = part[:, 1] - part[:, 0] ** 2 / bars > _NO_SPREAD * part[:, 1]
    return np.flatnonzero(found)


def _all_splits(bars: NDArray[np.int64], rf: float) -> Splits:
    """Every choice of half the blocks that has the first one, and with it its complement."""
    half = len(bars) // 2
    masks = np.arange(2**half, dtype=np.int64)
    bits = (masks[:, None] >> np.arange(half)) & 1
    sizes, lower, upper = bits.sum(axis=1), bits @ bars[:half], bits @ bars[half:]
    low, high = np.nonzero((sizes[:, None] + sizes[None, :] == half) & (bits[:, :1] == 1))
    inside = (lower[low] + upper[high]).astype(np.float64)
    return Splits(low, high, np.column_stack([inside, float(bars.sum()) - inside]), float(rf))


class _Work:
    """Both passes over all sets, a piece at a time, on threads."""

    def __init__(self, array: _Array, numbers: NDArray[np.int64], splits: Splits, threads: int) -> None:
        self._array, self._numbers, self._splits = array, numbers, splits
        self._starts = range(0, len(numbers), _PIECE if len(numbers) > threads * _PIECE else max(64, -(-len(numbers) // threads)))
        self._threads = min(threads, len(self._starts))
        self._local, self._made = threading.local(), []  # type: ignore[var-annotated]

    def _each(self, function: Callable[[int], None]) -> list[Any]:
        """The function for every piece; what its threads made."""
        self._local, self._made = threading.local(), []
        if self._threads == 1:
            for first in self._starts:
                function(first)
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(function, self._starts))
        return self._made

    def _own(self, make: Callable[[], Any]) -> tuple[Any, Room]:
        """What belongs to this thread."""
        if not hasattr(self._local, "kept"):
            self._local.kept = make(), make_room(self._array.shape[1])
            self._made.append(self._local.kept[0])
        return self._local.kept  # type: ignore[no-any-return]

    def _piece(self, first: int) -> tuple[_Array, NDArray[np.int64]]:
        numbers = self._numbers[first : first + self._starts.step]
        return np.ascontiguousarray(self._array[numbers][:, :, :2]), numbers

    def winners(self) -> Best:
        """Of every half the set that is worth most in it; of equal ones the first."""
        shape = (len(self._splits.low), 2)

        def make() -> Best:
            return Best(np.full(shape, -np.inf), np.full(shape, np.nan), np.full(shape, -1, dtype=np.int64))

        def run(first: int) -> None:
            best, room = self._own(make)
            find_winners(*self._piece(first), self._splits, best, room)

        all_of = self._each(run)
        for other in all_of[1:]:
            mine = all_of[0]
            better = (other.inside > mine.inside) | ((other.inside == mine.inside) & (other.which < mine.which))
            for ours, theirs in zip(mine, other, strict=True):
                ours[better] = theirs[better]
        return all_of[0]  # type: ignore[no-any-return]

    def ranks(self, outside: _Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """How many are worth more than each winner outside, and how many the same, itself among them."""

        def run(first: int) -> None:
            counts, room = self._own(lambda: (np.zeros(outside.shape, dtype=np.int64), np.zeros(outside.shape, dtype=np.int64)))
            count_outside(self._piece(first)[0], self._splits, outside, counts[0], counts[1], room)

        all_of = self._each(run)
        return sum(counts[0] for counts in all_of), sum(counts[1] for counts in all_of)


def _ratio(worth: _Array, bars: _Array) -> _Array:
    """The Sharpe ratio per bar of what a half is worth."""
    return np.sign(worth) * np.sqrt(np.abs(worth) * (bars - 1.0)) / bars


def _all_outside(sums: _Array, splits: Splits) -> _Array:
    """Sharpe ratios (2P, C) of a few sets outside of every half."""
    half = sums.shape[1] // 2
    bits = np.concatenate([(mask[:, None] >> np.arange(half)) & 1 for mask in (splits.low, splits.high)], axis=1).astype(np.float64)
    inside = [bits @ sums[:, :, power].T for power in range(2)]
    outside = [(1.0 - bits) @ sums[:, :, power].T for power in range(2)]
    out = []
    for (one, two), bars in zip((outside, inside), (splits.bars[:, 1:], splits.bars[:, :1]), strict=True):
        over, spread = one - bars * splits.rf, two - one * one / bars
        varies = spread > _NO_SPREAD * two
        out.append(_ratio(np.where(varies, over * np.abs(over) / np.where(varies, spread, 1.0), 0.0), bars))
    return np.concatenate(out)


def _line(inside: _Array, outside: _Array) -> tuple[float, float, float]:
    """Slope, intercept and R2 of the least-squares line; NaN where nothing varies."""
    x, y = inside - inside.mean(), outside - outside.mean()
    xx, xy, yy = float(x @ x), float(x @ y), float(y @ y)
    if not xx > 1e-24 * float(inside @ inside):
        return math.nan, math.nan, math.nan
    slope = xy / xx
    return slope, float(outside.mean()) - slope * float(inside.mean()), xy * xy / (xx * yy) if yy > 0.0 else math.nan


def _curves(chosen: _Array, everyone: _Array) -> tuple[_Array, _Array, _Array, _Array]:
    """A grid, both distributions on it, and the integral of their difference."""
    everyone = np.sort(everyone.reshape(-1))
    grid = np.linspace(min(chosen.min(), everyone[0]), max(chosen.max(), everyone[-1]), _GRID)
    below = np.searchsorted(np.sort(chosen), grid, side="right") / len(chosen)
    others = np.searchsorted(everyone, grid, side="right") / len(everyone)
    gap = others - below
    second = np.concatenate([[0.0], np.cumsum((gap[1:] + gap[:-1]) / 2.0 * np.diff(grid))])
    return grid, below, others, second
