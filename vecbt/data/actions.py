"""Splits and dividends hidden in adjusted prices: a factor that changes is an event, and its size says which."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayT

__all__ = ["implied_actions"]

_NOISE = 1e-4
"""Changes of the factor below this come from rounding of adjusted prices."""

_RATIO_ERROR = 1e-4
"""How far a change may be from a simple ratio, relative, and still be a split."""


def _simple_ratio(change: float) -> float | None:
    """The split ratio p/q (q <= 4 of either) that a change of factor stands for; None where it is no simple one, or below 5:4."""
    ratio = Fraction(change if change >= 1.0 else 1.0 / change).limit_denominator(4)
    exact = float(ratio) if change >= 1.0 else 1.0 / float(ratio)
    near = abs(change / exact - 1.0) <= _RATIO_ERROR
    return exact if near and ratio >= Fraction(5, 4) else None


def implied_actions(close: NDArray[np.float64], adjusted: NDArray[np.float64]) -> tuple[ArrayT, ArrayT]:
    """Splits and cash dividends that a fully adjusted close implies.

    Parameters
    ----------
    close : (T,) raw closes > 0
    adjusted : (T,) closes adjusted for splits and dividends

    Returns
    -------
    splits : (T,) ratio new per old on the first bar after the split, NaN elsewhere
    dividends : (T,) cash per unit on the first bar without the right, NaN elsewhere

    Let f = adjusted/close and r[t] = f[t]/f[t-1]. A split of ratio k gives r = k. A dividend d gives r = 1 + d/close[t], the
    return of one who puts it back at that close, so d = (r - 1)*close[t]. A change within 1e-4 of a simple ratio from 5:4 on is
    a split (and its reverse), any other above 1e-4 a dividend; changes below that are rounding. A fall of the price alone,
    however large, is no event: the factor does not move.
    """
    factor = adjusted / close
    splits = np.full(len(close), np.nan)
    dividends = np.full(len(close), np.nan)
    change = factor[1:] / factor[:-1]
    for t in np.flatnonzero(np.abs(change - 1.0) > _NOISE) + 1:
        ratio = _simple_ratio(float(change[t - 1]))
        if ratio is not None:
            splits[t] = ratio
        elif change[t - 1] > 1.0:
            dividends[t] = (change[t - 1] - 1.0) * close[t]
    return splits, dividends
