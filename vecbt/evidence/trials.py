"""How many independent trials are as many as those that were made, which resemble each other?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._gate import as_returns, checked_blocks, checked_count
from .maximum import trials_of_maximum
from .moments import bars_of_blocks
from .resampled import TILE, resample_spans

__all__ = ["EffectiveTrials", "effective_trials", "effective_trials_of_blocks"]

_PIECE = 512  # sets at a time
_NO_SPREAD = 1e-12
_FEWEST = 8
_Array = NDArray[np.float64]


@dataclass(frozen=True)
class EffectiveTrials:
    """The number of independent trials whose best is as lucky as the best of these.

    Attributes
    ----------
    trials, left_out : trials that were looked at, and those that were not: not measured (NaN), or without any spread
    effective : the effective number, 1 to `trials`; NaN where nothing can be said
    maximum, error : expected largest of as many standard normal numbers with the trials' correlations, and the error of drawing it
    average_correlation : mean of all pairs
    by_average : `rho + (1 - rho)*trials`, rho the average correlation (not below 0): the simpler estimate, an upper one as a rule
    rows : bars, or blocks of bars, that the correlations come from
    draws, seed : how the maximum was drawn
    reason, needed : why there is no number ("" where there is), and how many rows, or trials, there must be
    """

    trials: int
    left_out: int
    effective: float
    maximum: float
    error: float
    average_correlation: float
    by_average: float
    rows: int
    draws: int
    seed: int
    reason: str = ""
    needed: int = 0

    def __str__(self) -> str:
        if self.reason:
            return f"{self.trials:,} trials: {self.reason}"
        found = f"{self.effective:,.1f}" if self.effective < 100 else f"{self.effective:,.0f}"
        return f"{self.trials:,} trials are as many as {found} independent ones (average correlation {self.average_correlation:.2f})"


def effective_trials(returns: Any, *, draws: int = 1_000, seed: int = 0) -> EffectiveTrials:
    """Effective number of trials from a matrix of returns.

    Parameters
    ----------
    returns : array_like, shape (T, C)
        Simple returns per bar, a column a trial.
    draws, seed : int
        How often the maximum is drawn, and the seed.

    Returns
    -------
    EffectiveTrials
        NaN with a reason with fewer than eight bars or no column that varies.

    Notes
    -----
    Deflation needs the expected maximum of the trials' estimation errors, and nothing else; so that is what is estimated, and turned into a
    number of independent trials by the inverse of `expected_maximum`. The errors are jointly normal with the correlations of the returns;
    their maximum is drawn with Gaussian multipliers: for g of independent standard normal numbers, a bar each, `max_c(sum_t(g_t*z_tc))`, z
    the standardised columns (Chernozhukov, Chetverikov and Kato, *Annals of Statistics* 41 (2013) 2786-2819, where it is shown to hold for
    many more columns than bars). Counts of eigenvalues (Cheverud 2001; Li and Ji, *Heredity* 95 (2005) 221-227) cannot exceed the number of
    bars, clusters (Lopez de Prado and Lewis 2019) need a choice of their number, and neither goes through many columns in constant memory.

    Every column is looked at, none is sampled. Correlations from few rows make independent trials look related, so the number is too low
    where `effective` comes near to or exceeds the number of rows: of 1,000 independent ones some 900 are found from 1,000 rows, some 640
    from 64; of 100,000 a quarter.
    """
    matrix, _ = as_returns(returns)

    def away(rows: slice) -> tuple[_Array, _Array]:
        part = matrix[:, rows].T
        return (part - part.mean(axis=1, keepdims=True) if len(matrix) else part), np.abs(part).max(axis=1, initial=0.0)

    return _effective(matrix.shape[1], len(matrix), away, draws, seed)


def effective_trials_of_blocks(fine: Any, bars: int, *, draws: int = 1_000, seed: int = 0) -> EffectiveTrials:
    """Effective number of trials from sums over blocks of the bars, as a sweep keeps them, in memory that does not grow with the sets.

    Parameters
    ----------
    fine : float64, shape (C, B, K)
        Sums of r (and any more powers) over B parts of the bars (`Sweep.fine`); may be a map of a file.
    bars : int
        Bars in all, T.
    draws, seed : see `effective_trials`, where the method stands

    Notes
    -----
    Correlations are those of the block sums.
    """
    array, parts = checked_blocks(fine, 1, "fine"), bars_of_blocks(bars, np.shape(fine)[1]).astype(np.float64)

    def away(rows: slice) -> tuple[_Array, _Array]:
        sums = np.asarray(array[rows])[:, :, 0]
        return sums - (sums.sum(axis=1) / bars)[:, None] * parts, np.abs(sums).max(axis=1)

    return _effective(len(array), int((parts > 0).sum()), away, draws, seed)


def _effective(columns: int, rows: int, away: Callable[[slice], tuple[_Array, _Array]], draws: Any, seed: Any) -> EffectiveTrials:
    """From deviations (n, rows) of some columns at a time, and the largest value of each."""
    half = (checked_count(draws, "draws", 2) + 1) // 2
    rng = np.random.default_rng(checked_count(seed, "seed", 0))
    normal, largest, least = None, np.full(half, -np.inf), np.full(half, np.inf)
    total, kept, spans = 0.0, 0, resample_spans(rows, half)
    for first in range(0, columns, _PIECE):
        with np.errstate(invalid="ignore", over="ignore"):  # sums that are infinite
            part, size = away(slice(first, first + _PIECE))
            scale = np.abs(part).max(axis=1, initial=0.0)
        varies = (scale > _NO_SPREAD * size) & np.isfinite(scale)  # a NaN does not
        part = part[varies] / scale[varies, None]
        if normal is None:
            normal = rng.standard_normal((part.shape[1], half))
        part /= np.sqrt((part * part).sum(axis=1, keepdims=True))
        total, kept = total + part.sum(axis=0), kept + len(part)
        for tile in range(0, len(part), TILE):
            for span in spans:
                value = part[tile : tile + TILE] @ normal[:, span]
                np.maximum(largest[span], value.max(axis=0), out=largest[span])
                np.minimum(least[span], value.min(axis=0), out=least[span])
    nan = float("nan")
    if kept == 0 or rows < _FEWEST:
        reason, needed = (f"too few rows: {_FEWEST} are needed", _FEWEST) if rows < _FEWEST else ("no trial varies", 1)
        return EffectiveTrials(kept, columns - kept, nan, nan, nan, nan, nan, rows, 2 * half, int(seed), reason, needed)
    both = (largest - least) / 2.0  # of a draw and its mirror image
    maximum, error = float(both.mean()), float(both.std() / np.sqrt(half))
    average = float((np.dot(total, total) - kept) / (kept * (kept - 1.0))) if kept > 1 else 1.0
    share = min(max(average, 0.0), 1.0)
    effective = trials_of_maximum(maximum, kept)
    by_average = share + (1.0 - share) * kept
    return EffectiveTrials(kept, columns - kept, effective, maximum, error, average, by_average, rows, 2 * half, int(seed))
