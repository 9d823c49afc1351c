"""Single metrics of how returns are distributed, by name, each read off `measure`."""

from __future__ import annotations

from typing import Any

from .measure import measure

__all__ = ["downside_deviation", "kurtosis", "omega", "skew", "tail_ratio"]


def downside_deviation(returns: Any, *, periods_per_year: float, mar: float = 0.0) -> Any:
    """Annualized downside deviation: `sqrt(mean(min(r - mar, 0)^2))*sqrt(P)`, the mean taken over all bars.

    Parameters
    ----------
    returns : array_like, shape (T,) or (T, C)
        Simple returns per bar, fractions.
    periods_per_year : float
        Bars a year, `P`.
    mar : float
        Minimum acceptable return *per bar*.

    Returns
    -------
    float or array of shape (C,)
        A fraction a year, `>= 0`; exactly 0 where it is below 1e-12 of the largest |r|. NaN without rows or with a NaN in the column.

    Notes
    -----
    Rules M2 and M5 of the semantics: what `sortino` divides by. Sortino and Price, *Journal of Investing* 3 (1994) 59-64.
    """
    return measure(returns, ("downside_deviation",), periods_per_year=periods_per_year, mar=mar)["downside_deviation"]


def omega(returns: Any, *, mar: float = 0.0) -> Any:
    """Omega ratio: the sum of `r - mar` over bars above `mar`, over the sum of `mar - r` over bars below it.

    Parameters
    ----------
    returns : array_like, shape (T,) or (T, C)
        Simple returns per bar, fractions.
    mar : float
        The threshold, a return *per bar*.

    Returns
    -------
    float or array of shape (C,)
        A ratio, `>= 0`; above 1 exactly where the mean return is above `mar`. NaN without rows, with a NaN in the column, or where nothing
        is below `mar` (by more than 1e-12 of the largest |r|, on average).

    Notes
    -----
    Rule M5 of the semantics; Keating and Shadwick, *Journal of Performance Measurement* 6 (2002) 59-84.
    """
    return measure(returns, ("omega",), periods_per_year=1.0, mar=mar)["omega"]


def skew(returns: Any) -> Any:
    """Skew of a sample: `G1 = m3/m2^1.5*sqrt(n*(n - 1))/(n - 2)`, m2 and m3 the mean powers of distances from the mean.

    Parameters
    ----------
    returns : array_like, shape (T,) or (T, C)
        Simple returns per bar, fractions.

    Returns
    -------
    float or array of shape (C,)
        No unit; below zero, large losses are more frequent than large gains. NaN with fewer than three rows, a NaN in the column, or a
        spread of zero (below 1e-12 of the largest |r|).

    Notes
    -----
    Rule M5 of the semantics; Joanes and Gill, *The Statistician* 47 (1998) 183-189. pandas defines it the same.
    """
    return measure(returns, ("skew",), periods_per_year=1.0)["skew"]


def kurtosis(returns: Any) -> Any:
    """Excess kurtosis of a sample: `G2 = (n - 1)/((n - 2)*(n - 3))*((n + 1)*(m4/m2^2 - 3) + 6)`; 0 for a normal distribution.

    Parameters
    ----------
    returns : array_like, shape (T,) or (T, C)
        Simple returns per bar, fractions.

    Returns
    -------
    float or array of shape (C,)
        No unit; above zero, both tails are heavier than normal ones. NaN with fewer than four rows, a NaN in the column, or a spread of
        zero (below 1e-12 of the largest |r|).

    Notes
    -----
    Rule M5 of the semantics; Joanes and Gill, *The Statistician* 47 (1998) 183-189. pandas defines it the same.
    """
    return measure(returns, ("kurtosis",), periods_per_year=1.0)["kurtosis"]


def tail_ratio(returns: Any, *, alpha: float = 0.05) -> Any:
    """Tail ratio: size of the (1 - alpha)-quantile of returns over that of the alpha-quantile, both linearly interpolated.

    Parameters
    ----------
    returns : array_like, shape (T,) or (T, C)
        Simple returns per bar, fractions.
    alpha : float
        Share of the bars in each tail, between 0 and 1.

    Returns
    -------
    float or array of shape (C,)
        A ratio, `>= 0`; above 1, the good tail reaches further than the bad one. NaN without rows, with a NaN in the column, or where the
        lower quantile is 0.

    Notes
    -----
    Quantiles as in `var` (M3); the ratio as in empyrical, which has it from Quantopian.
    """
    return measure(returns, ("tail_ratio",), periods_per_year=1.0, alpha=alpha)["tail_ratio"]
