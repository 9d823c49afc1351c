"""What Sharpe statistics are made of: the ratio per bar, skewness and kurtosis, from returns or from sums over blocks of the bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayTN
from ..metrics import sharpe, volatility
from ._gate import Numbers, as_returns, block_edges, checked_blocks, checked_count, edges_of, scalar_or_array

__all__ = ["FEWEST_BARS", "Moments", "bars_of_blocks", "block_sums", "moments", "moments_of_blocks", "moments_of_sharpe"]

FEWEST_BARS = 8
"""Bars below which skewness and kurtosis say nothing, and with them every statistic that is made of them."""

_NO_SPREAD = 1e-12  # a variance below this part of the mean square cannot be told from rounding of sums
_PIECE = 4096  # sets at a time


@dataclass(frozen=True, eq=False)
class Moments:
    """Moments of simple returns per bar: numbers, or arrays (C,) over columns or sets.

    Attributes
    ----------
    bars : number of returns, T
    sharpe : the Sharpe ratio *per bar*, `mean(r - rf)/std(r, ddof=1)`, as `metrics.sharpe` gives it with one bar a year
    skew : third standardised moment, over T terms
    kurtosis : fourth standardised moment, over T terms, not in excess: 3 for normal returns

    NaN where returns are NaN, have no spread (M5), or are fewer than two.
    """

    bars: int
    sharpe: Numbers
    skew: Numbers
    kurtosis: Numbers

    def __str__(self) -> str:
        if np.ndim(self.sharpe):
            return f"moments of {np.size(self.sharpe):,} columns over {self.bars:,} bars"
        return f"{self.bars:,} bars: Sharpe per bar {self.sharpe:.4f}, skew {self.skew:.2f}, kurtosis {self.kurtosis:.2f}"


def moments(returns: Any, *, rf: float = 0.0) -> Moments:
    """Moments of returns.

    Parameters
    ----------
    returns : array_like, shape (T,) or (T, C)
        Simple returns per bar, fractions.
    rf : float
        Riskless return *per bar*.

    Returns
    -------
    Moments
        Of floats for a series, else of arrays (C,). The Sharpe ratio is that of `metrics.sharpe`, bit for bit.

    Notes
    -----
    Rules M2 and M5 of the semantics.
    """
    matrix, single = as_returns(returns)
    ratio, spread = sharpe(matrix, periods_per_year=1.0, rf=rf), volatility(matrix, periods_per_year=1.0)
    skew, kurtosis = np.full((2, matrix.shape[1]), np.nan)
    for first in range(0, matrix.shape[1], 64):  # some columns at a time: the distances are as large as the returns
        part = slice(first, first + 64)
        skew[part], kurtosis[part] = _shape(matrix[:, part], spread[part] > 0.0)
    return Moments(len(matrix), *(scalar_or_array(values, single) for values in (ratio, skew, kurtosis)))


def _shape(matrix: ArrayTN, spreads: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Skewness and kurtosis by column, NaN where nothing spreads."""
    out = np.full((2, matrix.shape[1]), np.nan)
    if len(matrix) and spreads.any():
        away = matrix[:, spreads] - matrix[:, spreads].mean(axis=0)
        away /= np.abs(away).max(axis=0)  # their size cancels: tiny returns would vanish in their fourth power
        square = away * away
        variance = square.mean(axis=0)
        out[0, spreads] = (square * away).mean(axis=0) / variance**1.5
        out[1, spreads] = (square * square).mean(axis=0) / variance**2
    return out[0], out[1]


def moments_of_blocks(blocks: Any, bars: int, *, rf: float = 0.0) -> Moments:
    """Moments of many sets from sums over blocks of the bars, as a sweep keeps them.

    Parameters
    ----------
    blocks : float64, shape (C, B, 4)
        Sums of r, r^2, r^3, r^4 over B parts of the bars (`Sweep.blocks`); may be a map of a file.
    bars : int
        Bars in all, T.
    rf : float
        Riskless return *per bar*.

    Returns
    -------
    Moments
        Arrays (C,). Equal to `moments` of the returns to about 1e-12 where Sharpe ratios per bar are of the order of one or less:
        the sums leave a variance as a difference. One below 1e-12 of the mean square counts as no spread, and gives NaN.

    Notes
    -----
    Memory does not grow with the sets beyond the three answers.
    """
    array, count = checked_blocks(blocks, 4), checked_count(bars, "bars")
    out = np.full((3, len(array)), np.nan)
    for first in range(0, len(array), _PIECE):
        part = slice(first, first + _PIECE)
        with np.errstate(invalid="ignore", over="ignore"):  # sums that are infinite
            out[:, part] = _of_sums(np.asarray(array[part]).sum(axis=1), count, rf)
    return Moments(count, *out)


def _of_sums(sums: NDArray[np.float64], bars: int, rf: float) -> NDArray[np.float64]:
    """Sharpe ratio, skewness and kurtosis (3, C) from sums (C, K) of at least four powers."""
    out = np.full((3, len(sums)), np.nan)
    mean, raw = sums[:, 0] / bars, sums[:, 1:4].T / bars
    variance = raw[0] - mean * mean
    fine = variance > _NO_SPREAD * raw[0]
    if bars < 2 or not fine.any():
        return out
    mean, variance, raw = mean[fine], variance[fine], raw[:, fine]
    out[0, fine] = (mean - rf) / np.sqrt(variance * (bars / (bars - 1)))
    third = raw[1] - 3.0 * mean * raw[0] + 2.0 * mean**3
    fourth = raw[2] - 4.0 * mean * raw[1] + 6.0 * mean**2 * raw[0] - 3.0 * mean**4
    out[1, fine], out[2, fine] = third / variance**1.5, fourth / variance**2
    return out


def moments_of_sharpe(sharpe_per_bar: Any, bars: int, *, skew: Any = 0.0, kurtosis: Any = 3.0) -> Moments:
    """Moments that are known as numbers, such as those of a published track record; normal returns where nothing is said.

    Parameters
    ----------
    sharpe_per_bar : float or array (C,)
        *Per bar*: an annualised one divided by the root of bars a year.
    bars : int
        Number of returns.
    skew, kurtosis : float or array (C,)
        Kurtosis is not in excess: 3 for normal returns.
    """
    single = np.ndim(sharpe_per_bar) == 0
    given = np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in (sharpe_per_bar, skew, kurtosis)))
    return Moments(checked_count(bars, "bars"), *(scalar_or_array(value, single) for value in given))


def block_sums(returns: Any, count: int = 16, powers: int = 4) -> NDArray[np.float64]:
    """Sums of powers of returns over equal parts of the bars, cut where a sweep cuts them.

    Parameters
    ----------
    returns : array_like, shape (T,) or (T, C)
        Simple returns per bar, fractions.
    count : int
        Parts, B; part b holds the bars from b*T//B to (b + 1)*T//B - 1.
    powers : int
        Sums of r to r^K.

    Returns
    -------
    numpy.ndarray, shape (C, B, K)
        NaN in the parts where a return is. A part without bars has sums of 0.
    """
    matrix, _ = as_returns(returns)
    parts, most = checked_count(count, "count"), checked_count(powers, "powers")
    edges, out = block_edges(len(matrix), parts), np.empty((matrix.shape[1], parts, most))
    for b in range(parts):
        rows = np.asarray(matrix[edges[b] : edges[b + 1]])
        power = np.ones_like(rows)
        for k in range(most):
            power = power * rows
            out[:, b, k] = power.sum(axis=0)
    return out


def bars_of_blocks(bars: int, count: int) -> NDArray[np.int64]:
    """How many bars each part has, (count,)."""
    return np.diff(edges_of(bars, count))
