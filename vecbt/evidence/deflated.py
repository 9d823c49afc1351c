"""Probabilistic and deflated Sharpe ratios, the track record they need, and the best ratio that luck brings among many trials."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ConfigError
from ._gate import Numbers, checked_share, scalar_or_array, undefined
from .maximum import expected_maximum
from .moments import FEWEST_BARS, Moments
from .sharpe import sharpe_error, sharpe_variance
from .trials import EffectiveTrials

__all__ = ["deflated_sharpe", "expected_maximum_sharpe", "minimum_track_record", "probabilistic_sharpe", "trial_variance"]


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


def trial_variance(of: Moments, average_correlation: float = 0.0) -> float:
    """Variance of an estimated Sharpe ratio *per bar*, from how the ratios of all trials differ.

    Parameters
    ----------
    of : Moments
        Of all trials, arrays (C,); ratios that are NaN take no part.
    average_correlation : float
        Mean correlation of all pairs of trials, below 1 (`EffectiveTrials.average_correlation`); one below 0 counts as 0.

    Returns
    -------
    float
        `var(SR, ddof=1)/(1 - rho)`; NaN with fewer than two known ratios.

    Notes
    -----
    Errors that trials share do not show in their differences: of equally uncertain estimates with the mean correlation rho the variance
    across trials is on average `1 - rho` times the variance of each. Papers that deflate by variance across trials mean independent ones.
    """
    shared = max(float(average_correlation), 0.0)
    if not shared < 1.0:
        raise ConfigError(f"average_correlation must be below 1; found {average_correlation!r}: such trials are one trial")
    ratios = np.atleast_1d(np.asarray(of.sharpe))
    known = ratios[np.isfinite(ratios)]
    return float(np.var(known, ddof=1)) / (1.0 - shared) if len(known) > 1 else float("nan")


def deflated_sharpe(of: Moments, trials: float | EffectiveTrials, variance: float | None = None) -> Numbers:
    """Probability that the true Sharpe ratio is above what luck brings among so many trials (DSR).

    Parameters
    ----------
    of : Moments
        Of the one that was chosen, or of many.
    trials : float or EffectiveTrials
        Number of independent trials, at least 1, or what `effective_trials` found.
    variance : float, optional
        Variance of the Sharpe ratios *per bar* across independent trials. Left out, `of` must be that of all trials, and it is
        `trial_variance` of these, with the average correlation where `trials` has it.

    Returns
    -------
    float or array (C,)
        `probabilistic_sharpe(of, expected_maximum_sharpe(trials, variance))`; with one trial the benchmark is 0. NaN also where the
        effective number is.

    Notes
    -----
    Bailey and Lopez de Prado, "The deflated Sharpe ratio", *Journal of Portfolio Management* 40 (2014) 94-107.
    """
    count, shared = (trials.effective, trials.average_correlation) if isinstance(trials, EffectiveTrials) else (float(trials), 0.0)
    if of.bars < FEWEST_BARS or np.isnan(count):
        return undefined(of.sharpe)
    if count == 1.0:
        return probabilistic_sharpe(of)
    if variance is None:
        variance = trial_variance(of, min(shared, 1.0 - 1e-12))
        if np.isnan(variance):
            raise ConfigError("variance is missing, and there are no two known Sharpe ratios to take it from; give that of all trials")
    return probabilistic_sharpe(of, expected_maximum_sharpe(count, variance))
