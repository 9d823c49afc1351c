"""Is any of very many sets better than a benchmark, and which? A bootstrap of sums over blocks of the bars, in constant memory.

The unit that is drawn is a block: a resample of the sums is a resample of the returns in whole blocks. What is compared is the mean return.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, InputError
from ._gate import as_returns, checked_blocks, checked_count, checked_share
from .moments import bars_of_blocks, block_sums
from .resampled import TILE, draws, mean_blocks, resample_spans, stationary_weights

__all__ = ["RealityCheck", "StepwiseTest", "Superiority", "reality_check_of_blocks", "spa_of_blocks", "step_m_of_blocks"]

_PIECE = 512  # sets that are read at a time
_NO_SPREAD = 1e-24
_ROUNDING = 1e-12  # a resample that draws every block once gives the statistic again: it is not above it
_Array = NDArray[np.float64]
_Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Superiority:
    """What the test of superior predictive ability found: p-values of "no set is better than the benchmark".

    Attributes
    ----------
    sets, left_out : sets that took part, and those that did not: not measured (NaN), or without any spread
    statistic : the largest statistic; studentised, of standard errors, else `sqrt(T)` times the mean difference
    best : row of the set that has it
    lower, consistent, upper : p-values after Hansen's three ways to recentre; `consistent` is the one to use
    bars, block_length, resamples, seed, studentized : how it was drawn; `block_length` is the mean, in bars
    reason, needed : why there are no numbers ("" where there are), and how many bars, or sets, there must be
    """

    sets: int
    left_out: int
    statistic: float
    best: int
    lower: float
    consistent: float
    upper: float
    bars: int
    block_length: float
    resamples: int
    seed: int
    studentized: bool
    reason: str = ""
    needed: int = 0

    def __str__(self) -> str:
        head = f"SPA of {self.sets:,} sets over {self.bars:,} bars"
        if self.reason:
            return f"{head}: {self.reason}"
        drawn = f"{self.resamples:,} resamples, mean length {self.block_length:.0f} bars, seed {self.seed}"
        return f"{head}: p {self.consistent:.3f} ({self.lower:.3f} to {self.upper:.3f}); best is row {self.best} ({drawn})"


@dataclass(frozen=True)
class RealityCheck:
    """White's reality check: `probability` is the p-value of "no set is better than the benchmark"; the rest as in `Superiority`."""

    sets: int
    left_out: int
    statistic: float
    best: int
    probability: float
    bars: int
    block_length: float
    resamples: int
    seed: int
    reason: str = ""
    needed: int = 0

    def __str__(self) -> str:
        head = f"Reality check of {self.sets:,} sets over {self.bars:,} bars"
        return f"{head}: {self.reason}" if self.reason else f"{head}: p {self.probability:.3f}; best is row {self.best}"


@dataclass(frozen=True, eq=False)
class StepwiseTest:
    """The sets that are better than the benchmark, all of them at once at a level of error.

    Attributes
    ----------
    sets, left_out : as in `Superiority`
    superior : int64, rows of the sets that are better, ascending
    size : the probability of one wrong set or more among them is at most this
    critical : what a statistic had to exceed, a number a round
    bars, block_length, resamples, seed, studentized, reason, needed : as in `Superiority`
    """

    sets: int
    left_out: int
    superior: _Rows
    size: float
    critical: tuple[float, ...]
    bars: int
    block_length: float
    resamples: int
    seed: int
    studentized: bool
    reason: str = ""
    needed: int = 0

    def __str__(self) -> str:
        head = f"StepM of {self.sets:,} sets over {self.bars:,} bars"
        if self.reason:
            return f"{head}: {self.reason}"
        return f"{head}: {len(self.superior):,} better than the benchmark at {self.size:.0%}, in {len(self.critical)} rounds"


def spa_of_blocks(
    fine: Any,
    bars: int,
    *,
    benchmark: Any = None,
    studentize: bool = True,
    block_length: float | None = None,
    resamples: int = 1_000,
    seed: int = 0,
) -> Superiority:
    """Test of superior predictive ability of very many sets, from sums over blocks as a sweep keeps them.

    Parameters
    ----------
    fine : float64, shape (C, B, K)
        Sums of r (and any more powers) over B parts of the bars (`Sweep.fine`); may be a map of a file.
    bars : int
        Bars in all, T; part b holds those from b*T//B to (b + 1)*T//B - 1.
    benchmark : None, array (T,) or array (B, K)
        What is to be beaten: doing nothing, a series of returns per bar, or its sums over the same blocks.
    studentize : bool
        Whether differences are divided by their standard error, as in the paper. A set that is steady then counts as much as a wild one.
    block_length : float, optional
        Mean length in bars of a stretch that is drawn, at least one block, rounded to whole ones; left out, the root of T.
    resamples, seed : int
        Resamples, and the seed of their draws.

    Returns
    -------
    Superiority
        Without numbers, and with a reason, where no set varies, or there are fewer bars than blocks.

    Notes
    -----
    Hansen, "A test for superior predictive ability", *Journal of Business and Economic Statistics* 23 (2005) 365-380. The statistic is not
    floored at zero, which changes p-values of statistics below zero only. The standard error is that of the stationary bootstrap over
    the blocks, in closed form (Politis and Romano 1994), and a p-value is the share of resamples above the statistic: 0 means less than one
    of them. The draws are those of arch's StationaryBootstrap over B observations with this seed; `arch.bootstrap.SPA` uses differences as
    they are, so with `studentize=False` and one bar a block it gives the same numbers.
    """
    work = _Resampling.of(fine, bars, benchmark, block_length, resamples, seed)
    about = (work.bars, work.block_length, work.resamples, seed, bool(studentize))
    if work.reason:
        nan = math.nan
        return Superiority(len(work.rows), work.left_out, nan, -1, nan, nan, nan, *about, work.reason, work.needed)
    values = work.values(studentize)
    best = int(values.argmax())
    beaten = float(values[best]) + _ROUNDING * max(1.0, abs(float(values[best])))
    found = (work.maxima(np.arange(len(work.rows)), studentize) > beaten).mean(axis=1)
    shares = [float(share) for share in found]
    return Superiority(len(work.rows), work.left_out, float(values[best]), int(work.rows[best]), shares[0], shares[1], shares[2], *about)


def reality_check_of_blocks(
    fine: Any, bars: int, *, benchmark: Any = None, block_length: float | None = None, resamples: int = 1_000, seed: int = 0
) -> RealityCheck:
    """White's reality check of very many sets, from sums over blocks: the differences as they are, all recentred at zero.

    Parameters, and what is left out, are those of `spa_of_blocks`. Poor sets make it hard to find a good one, and wild ones speak loudest:
    `spa_of_blocks` is the better test.

    Notes
    -----
    White, "A reality check for data snooping", *Econometrica* 68 (2000) 1097-1126. Equal to `upper` of the other test, not studentised.
    """
    of = spa_of_blocks(fine, bars, benchmark=benchmark, studentize=False, block_length=block_length, resamples=resamples, seed=seed)
    return RealityCheck(
        of.sets, of.left_out, of.statistic, of.best, of.upper, of.bars, of.block_length, of.resamples, of.seed, of.reason, of.needed
    )


def step_m_of_blocks(
    fine: Any,
    bars: int,
    *,
    benchmark: Any = None,
    size: float = 0.05,
    recentre: Literal["consistent", "upper"] = "consistent",
    studentize: bool = True,
    block_length: float | None = None,
    resamples: int = 1_000,
    seed: int = 0,
) -> StepwiseTest:
    """Which of very many sets are better than a benchmark, from sums over blocks.

    Parameters
    ----------
    fine, bars, benchmark, studentize, block_length, resamples, seed : as in `spa_of_blocks`
    size : float
        The probability of naming one set or more wrongly.
    recentre : "consistent" or "upper"
        Which sets count as possibly as good as the benchmark: those that are not clearly worse, or all.

    Notes
    -----
    Romano and Wolf, "Stepwise multiple testing as formalized data snooping", *Econometrica* 73 (2005) 1237-1282, which is
    `recentre="upper"`; "consistent" is its refinement by Hsu, Hsu and Kuan, *Journal of Empirical Finance* 17 (2010) 471-484, and what
    arch does. Each round leaves out the sets that were found and takes the `1 - size` quantile of the largest resampled statistic among
    the rest.
    """
    if recentre not in ("consistent", "upper"):
        raise ConfigError(f"recentre must be 'consistent' or 'upper'; found {recentre!r}")
    level = checked_share(size, "size")
    work = _Resampling.of(fine, bars, benchmark, block_length, resamples, seed)
    about = (work.bars, work.block_length, work.resamples, seed, bool(studentize), work.reason, work.needed)
    found, critical = np.zeros(len(work.rows), dtype=np.bool_), []
    values = work.values(studentize)
    while not work.reason and not found.all():
        largest = work.maxima(np.flatnonzero(~found), studentize)[("lower", "consistent", "upper").index(recentre)]
        critical.append(float(np.quantile(largest, 1.0 - level)))
        better = ~found & (values > critical[-1])
        if not better.any():
            break
        found |= better
    return StepwiseTest(len(work.rows), work.left_out, work.rows[found], level, tuple(critical), *about)


@dataclass(frozen=True, eq=False)
class _Resampling:
    """Sets that take part, their mean differences and standard errors, and what is drawn."""

    array: _Array
    benchmark: _Array
    bars: int
    counts: _Array
    rows: _Rows
    left_out: int
    mean: _Array
    error: _Array
    drawn: _Array
    stretch: int
    reason: str = ""
    needed: int = 0

    @classmethod
    def of(cls, fine: Any, bars: Any, benchmark: Any, block_length: Any, resamples: Any, seed: Any) -> _Resampling:
        array, total = checked_blocks(fine, 1, "fine"), checked_count(bars, "bars")
        most, first = checked_count(resamples, "resamples"), checked_count(seed, "seed", 0)
        if block_length is not None and not 1.0 <= float(block_length) <= total:
            raise ConfigError(f"block_length must lie between one bar and all {total}; found {block_length!r}")
        count = array.shape[1]
        parts = bars_of_blocks(total, count).astype(np.float64)
        beaten, stretch = _benchmark(benchmark, total, count), mean_blocks(block_length, total, count)
        if total < count:
            none, nothing = np.empty(0), np.empty(0, dtype=np.int64)
            reason = f"too few bars: {count} are needed for {count} blocks"
            return cls(array, beaten, total, parts, nothing, len(array), none, none, np.empty((most, 0)), stretch, reason, count)
        mean, error = _errors(array, beaten, parts, stationary_weights(count, stretch))
        rows = np.flatnonzero(error > 0.0)
        if len(rows) == 0:
            drawn = np.empty((most, 0))
            return cls(array, beaten, total, parts, rows, len(array), mean[rows], error[rows], drawn, stretch, "no set varies", 1)
        times = draws(count, stretch, most, first).astype(np.float64)
        return cls(
            array, beaten, total, parts, rows, len(array) - len(rows), mean[rows], error[rows], times / (times @ parts)[:, None], stretch
        )

    @property
    def block_length(self) -> float:
        """The mean of a stretch, in bars."""
        return float(self.stretch * self.bars / self.array.shape[1])

    @property
    def resamples(self) -> int:
        """How many."""
        return len(self.drawn)

    def values(self, studentize: bool) -> _Array:
        """The statistic of each set."""
        return math.sqrt(self.bars) * self.mean / (self.error if studentize else 1.0)

    def maxima(self, chosen: _Rows, studentize: bool) -> _Array:
        """The largest statistic among the chosen sets in each resample, recentred in three ways: lower, consistent, upper (3, R)."""
        out, root = np.full((3, self.resamples), -np.inf), math.sqrt(self.bars)
        bound = -math.sqrt(2.0 * math.log(max(math.log(self.bars), 1.0)))
        spans = resample_spans(len(self.counts), self.resamples)
        weights = [np.ascontiguousarray(self.drawn[span].T) for span in spans]
        mean, error = self.mean[chosen], self.error[chosen]
        # how many of the three ways leave a set as poor as it was: not worse than the benchmark, not clearly, clearly
        kinds = (mean < 0.0).astype(np.int64) + (root * mean / error < bound)
        for kind in range(3):
            for part in _pieces(chosen[kinds == kind]):
                scale = root / (self.error[part] if studentize else np.ones(len(part)))
                sums = (np.asarray(self.array[self.rows[part]])[:, :, 0] - self.benchmark) * scale[:, None]
                centre = (self.mean[part] * scale)[:, None]
                for first in range(0, len(part), TILE):
                    tile = slice(first, first + TILE)
                    for span, drawn in zip(spans, weights, strict=True):
                        value = sums[tile] @ drawn
                        if kind:
                            np.maximum(out[:kind, span], value.max(axis=0), out=out[:kind, span])
                        value -= centre[tile]
                        np.maximum(out[kind:, span], value.max(axis=0), out=out[kind:, span])
        return out


def _pieces(rows: _Rows) -> Iterator[_Rows]:
    for first in range(0, len(rows), _PIECE):
        yield rows[first : first + _PIECE]


def _benchmark(benchmark: Any, bars: int, count: int) -> _Array:
    """Sums of the benchmark's returns over the blocks, (B,)."""
    if benchmark is None:
        return np.zeros(count)
    if np.ndim(benchmark) == 2 and np.shape(benchmark)[0] == count:
        found = np.asarray(benchmark, dtype=np.float64)[:, 0]
    else:
        series, single = as_returns(benchmark, "benchmark")
        if not single or len(series) != bars:
            expected = f"({bars},), a return per bar, or ({count}, ...), sums over blocks"
            raise InputError(f"benchmark has shape {np.shape(benchmark)}; expected {expected}")
        found = block_sums(series[:, 0], count, 1)[0, :, 0]
    if not np.isfinite(found).all():
        raise InputError("benchmark has returns that are not known (NaN); give one that is known on every bar")
    return found


def _errors(array: _Array, benchmark: _Array, parts: _Array, weights: _Array) -> tuple[_Array, _Array]:
    """Mean difference per bar of each set, and `sqrt(T)` times its standard error; 0 where nothing spreads or something is not known."""
    mean, error, bars = np.empty(len(array)), np.zeros(len(array)), float(parts.sum())
    for first in range(0, len(array), _PIECE):
        part = slice(first, first + _PIECE)
        with np.errstate(invalid="ignore", over="ignore"):  # sums that are infinite
            sums = np.asarray(array[part])[:, :, 0] - benchmark
            mean[part] = sums.sum(axis=1) / bars
            away = sums - mean[part, None] * parts
            variance = ((away @ weights) * away).sum(axis=1)
            known = variance > _NO_SPREAD * (sums * sums).sum(axis=1)
        error[part][known] = np.sqrt(variance[known] / bars)
    return mean, error
