"""Probabilistic and deflated Sharpe ratios, the track record they need, and the best ratio that luck brings among many trials."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ConfigError
from ._gate import Numbers, checked_share, scalar_or_array, undefined
from .moments import FEWEST_BARS, Moments
from .sharpe import sharpe_error, sharpe_variance

__all__ = [
    "deflated_sharpe", "expected_maximum", "expected_maximum_sharpe", "minimum_track_record", "probabilistic_sharpe", "trials_of_maximum",
]  # fmt: skip

_EULER = 0.5772156649015329


def probabilistic_sharpe(of: Moments, benchmark: Any = 0.0) -> Numbers:
    """Probability that the true Sharpe ratio is above a benchmark, given the estimate, its length and its moments (PSR).

    Parameters
    ----------
    of : Moments
        Of returns, blocks or known numbers.
    benchmark : float or array (C,)
        Sharpe ratio *per bar* that is to be beaten.

    Returns
    -------
    float or array (C,)
        `Phi((SR - SR*)*sqrt(T - 1)/sqrt(1 - skew*SR + (kurtosis - 1)/4*SR^2))`, 0 to 1. NaN where the ratio
        is, and with fewer than eight bars.

    Notes
    -----
    Bailey and Lopez de Prado, "The Sharpe ratio efficient frontier", *Journal of Risk* 15 (2012) 3-44. Returns are taken as independent:
    where they follow each other, it says too much; `sharpe_error_hac` tells.
    """
    from scipy.special import ndtr

    distance = np.asarray(of.sharpe) - np.asarray(benchmark, dtype=np.float64)
    return scalar_or_array(ndtr(distance / np.asarray(sharpe_error(of))), distance.ndim == 0)


def minimum_track_record(of: Moments, benchmark: Any = 0.0, confidence: float = 0.95) -> Numbers:
    """Bars that are needed to say with this confidence that the true Sharpe ratio is above a benchmark (MinTRL).

    Parameters
    ----------
    of : Moments
        Of returns, blocks or known numbers; its own length does not matter.
    benchmark : float or array (C,)
        Sharpe ratio *per bar* that is to be beaten.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    float or array (C,)
        `1 + (1 - skew*SR + (kurtosis - 1)/4*SR^2)*(z/(SR - SR*))^2`, bars, not rounded up; infinite where the ratio is not above the
        benchmark: no length would do. NaN where the ratio is NaN.

    Notes
    -----
    Bailey and Lopez de Prado (2012), equation 11.
    """
    from scipy.special import ndtri

    z = float(ndtri(checked_share(confidence, "confidence")))
    distance = np.asarray(of.sharpe) - np.asarray(benchmark, dtype=np.float64)
    above = distance > 0.0
    needed = 1.0 + np.asarray(sharpe_variance(of)) * (z / np.where(above, distance, 1.0)) ** 2
    return scalar_or_array(np.where(above | np.isnan(distance), needed, np.inf), distance.ndim == 0)


def expected_maximum(trials: Any) -> Numbers:
    """Expected largest of so many independent standard normal numbers: `(1 - g)*z(1 - 1/N) + g*z(1 - 1/(N*e))`, g Euler's constant.

    Parameters
    ----------
    trials : float or array
        N, at least 1; an effective number need not be whole.

    Returns
    -------
    float or array
        0 for one trial. For a few trials it is a few per cent off (0.52 for two, where 0.56 is exact), for a hundred less than one.

    Notes
    -----
    Bailey, Borwein, Lopez de Prado and Zhu, *Notices of the AMS* 61 (2014) 458-471, proposition 1. Below two trials the formula
    falls under zero; there it is a straight line, from 0 for one.
    """
    from scipy.special import ndtri

    count = np.asarray(trials, dtype=np.float64)
    if not (count[np.isfinite(count)] >= 1.0).all() or np.isinf(count).any():
        raise ConfigError(f"trials must be finite and at least 1; found {trials!r}")
    many = np.maximum(count, 2.0)
    value = (1.0 - _EULER) * ndtri(1.0 - 1.0 / many) + _EULER * ndtri(1.0 - 1.0 / (many * np.e))
    return scalar_or_array(np.where(count < 2.0, (count - 1.0) * value, value), count.ndim == 0)


def trials_of_maximum(maximum: float, most: float) -> float:
    """The inverse of `expected_maximum`: how many independent trials would have this expected maximum, 1 to `most`."""
    if not maximum > 0.0:
        return 1.0
    low, high = 1.0, float(most)
    if float(expected_maximum(high)) <= maximum:
        return high
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if float(expected_maximum(middle)) < maximum else (low, middle)
    return high


def expected_maximum_sharpe(trials: Any, variance: Any) -> Numbers:
    """The largest Sharpe ratio that luck alone is expected to bring among so many independent trials without any skill (SR0).

    Parameters
    ----------
    trials : float or array
        Number of independent trials, at least 1; see `effective_trials` for trials that resemble each other.
    variance : float or array
        Variance of the Sharpe ratios *per bar* across trials (`numpy.var(ratios, ddof=1)`); an annual one divided by bars a year.

    Returns
    -------
    float or array
        *Per bar*: `sqrt(variance)*expected_maximum(trials)`.

    Notes
    -----
    Bailey and Lopez de Prado (2014), equation 1.
    """
    spread = np.asarray(variance, dtype=np.float64)
    if (spread < 0.0).any():
        raise ConfigError(f"variance must not be negative; found {variance!r}")
    value = np.sqrt(spread) * np.asarray(expected_maximum(trials))
    return scalar_or_array(value, value.ndim == 0)


def deflated_sharpe(of: Moments, trials: Any, variance: Any = None) -> Numbers:
    """Probability that the true Sharpe ratio is above what luck brings among so many trials (DSR).

    Parameters
    ----------
    of : Moments
        Of the one that was chosen, or of many.
    trials : float
        Number of independent trials, at least 1.
    variance : float, optional
        Variance of the Sharpe ratios *per bar* across trials; left out, that of the ratios in `of`, which must be those of all trials.

    Returns
    -------
    float or array (C,)
        `probabilistic_sharpe(of, expected_maximum_sharpe(trials, variance))`; with one trial the benchmark is 0.

    Notes
    -----
    Bailey and Lopez de Prado, "The deflated Sharpe ratio", *Journal of Portfolio Management* 40 (2014) 94-107.
    """
    if of.bars < FEWEST_BARS:
        return undefined(of.sharpe)
    return probabilistic_sharpe(of, expected_maximum_sharpe(trials, _variance(of) if variance is None else variance))


def _variance(of: Moments) -> float:
    """Of the ratios that are known."""
    ratios = np.asarray(of.sharpe)
    known = ratios[np.isfinite(ratios)]
    if ratios.ndim == 0 or len(known) < 2:
        raise ConfigError(f"variance is missing, and {len(np.atleast_1d(known))} known Sharpe ratio(s) have none; give that of all trials")
    return float(np.var(known, ddof=1))
