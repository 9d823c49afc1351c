"""All that one track record says about its Sharpe ratio, in one object."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ConfigError, InputError
from ..metrics import sharpe
from ..metrics._columns import checked_periods
from ._gate import as_returns, checked_share
from .deflated import expected_maximum_sharpe, minimum_track_record, probabilistic_sharpe
from .moments import FEWEST_BARS, moments
from .sharpe import annual_factor, default_lags, sharpe_error, sharpe_error_hac

__all__ = ["SharpeEvidence", "sharpe_evidence"]


@dataclass(frozen=True)
class SharpeEvidence:
    """What a track record says about its Sharpe ratio. NaN with a reason where it says nothing.

    Attributes
    ----------
    bars, periods_per_year : length, and bars a year
    sharpe, annual_sharpe : the ratio per bar and a year; both those of `metrics.sharpe`, bit for bit
    skew, kurtosis : of the returns; 0 and 3 for normal ones
    error_normal, error_nonnormal, error_hac : standard errors *per bar*
    lags : lags of the last one, and of the autocorrelations
    autocorrelation_factor, adjusted_annual_sharpe : what takes the place of `sqrt(P)`, and the annual ratio with it
    confidence : of the interval and of the record that is needed
    low, high : interval of the ratio *per bar*, both sides, with the widest of the three errors
    benchmark : ratio *per bar* that was to be beaten: the one given, or what luck brings among the trials, if that is more
    trials : number of independent trials, 1: nothing was chosen among others
    probability : that the true ratio is above the benchmark: probabilistic, with trials deflated
    needed : bars that are needed to say so with this confidence; infinite where no number would do
    reason : why there are no numbers, "" where there are; `needed` is then the least number of bars
    """

    bars: int
    periods_per_year: float
    sharpe: float
    annual_sharpe: float
    skew: float
    kurtosis: float
    error_normal: float
    error_nonnormal: float
    error_hac: float
    lags: int
    autocorrelation_factor: float
    adjusted_annual_sharpe: float
    confidence: float
    low: float
    high: float
    benchmark: float
    trials: float
    probability: float
    needed: float
    reason: str = ""

    @property
    def annual_error(self) -> float:
        """The widest standard error, a year's: times `sqrt(P)`."""
        return max(self.error_normal, self.error_nonnormal, self.error_hac) * math.sqrt(self.periods_per_year)

    @property
    def needed_years(self) -> float:
        """`needed` in years."""
        return self.needed / self.periods_per_year

    def __str__(self) -> str:
        head = f"Sharpe ratio {self.annual_sharpe:.2f} a year over {self.bars:,} bars ({self.bars / self.periods_per_year:.1f} years)"
        if self.reason:
            return f"{head}: {self.reason}"
        root = math.sqrt(self.periods_per_year)
        name = f"deflated for {self.trials:,.0f} trials" if self.trials > 1.0 else "probabilistic"
        record = "no record is long enough" if math.isinf(self.needed) else f"{self.needed:,.0f} bars ({self.needed_years:.1f} years)"
        return "\n".join(
            [
                head,
                f"  {self.confidence:.0%} interval {self.low * root:.2f} to {self.high * root:.2f} a year",
                f"  standard error a year: {self.error_normal * root:.2f} if normal, {self.error_nonnormal * root:.2f} "
                f"with skew {self.skew:.2f} and kurtosis {self.kurtosis:.1f}, {self.error_hac * root:.2f} with {self.lags} lags",
                f"  with autocorrelation {self.adjusted_annual_sharpe:.2f} a year: a bar's ratio times {self.autocorrelation_factor:.2f} "
                f"in place of {root:.2f}",
                f"  probability to be above {self.benchmark * root:.2f} a year: {self.probability:.3f} ({name})",
                f"  record needed for {self.confidence:.0%}: {record}",
            ]
        )


def sharpe_evidence(
    returns: Any,
    *,
    periods_per_year: float,
    rf: float = 0.0,
    benchmark: float = 0.0,
    trials: float = 1.0,
    variance: float | None = None,
    confidence: float = 0.95,
    lags: int | None = None,
) -> SharpeEvidence:
    """What one track record says about its Sharpe ratio.

    Parameters
    ----------
    returns : array_like, shape (T,)
        Simple returns per bar, fractions.
    periods_per_year : float
        Bars a year.
    rf : float
        Riskless return *per bar*.
    benchmark : float
        Annual Sharpe ratio that is to be beaten.
    trials : float
        Number of independent trials this one was chosen among; with more than one, `variance` is needed.
    variance : float, optional
        Variance of the Sharpe ratios *per bar* across these trials.
    confidence : float
        Of the interval and of the record that is needed.
    lags : int, optional
        Lags of autocorrelation; left out, `floor(4*(T/100)^(2/9))`.

    Notes
    -----
    The pieces are `sharpe_error`, `sharpe_error_hac`, `annual_factor`, `probabilistic_sharpe`, `expected_maximum_sharpe` and
    `minimum_track_record`; their docstrings name the papers.
    """
    matrix, single = as_returns(returns)
    if not single:
        raise InputError(f"returns have shape {matrix.shape}; expected one series (T,). For many columns use moments() and its functions")
    if trials > 1.0 and variance is None:
        raise ConfigError(f"variance is missing: {trials:g} trials need the variance of their Sharpe ratios per bar")
    periods, share = checked_periods(periods_per_year), checked_share(confidence, "confidence")
    series = matrix[:, 0]
    of = moments(series, rf=rf)
    annual = float(sharpe(series, periods_per_year=periods, rf=rf))
    lagged = min(default_lags(of.bars), max(of.bars - 1, 0)) if lags is None else lags
    luck = float(expected_maximum_sharpe(trials, variance)) if trials > 1.0 and variance is not None else -math.inf
    beaten = max(benchmark / math.sqrt(periods), luck)
    errors = [float(sharpe_error(of, "normal")), float(sharpe_error(of)), float(sharpe_error_hac(series, lags=lags, rf=rf))]
    factor = float(annual_factor(series, periods_per_year=periods, lags=lags))
    reason = _reason(of.bars, series, float(of.sharpe), lagged)
    wide = _quantile(0.5 + share / 2.0) * max(errors) if not reason else math.nan
    return SharpeEvidence(
        of.bars, periods, float(of.sharpe), annual, float(of.skew), float(of.kurtosis), errors[0], errors[1], errors[2], lagged,
        factor, float(of.sharpe) * factor, share, float(of.sharpe) - wide, float(of.sharpe) + wide, beaten,
        float(trials), float(probabilistic_sharpe(of, beaten)),
        float(max(FEWEST_BARS, lagged + 1)) if reason else float(minimum_track_record(of, beaten, share)), reason,
    )  # fmt: skip


def _quantile(share: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(share))


def _reason(bars: int, series: Any, ratio: float, lags: int) -> str:
    """Why nothing can be said."""
    if np.isnan(series).any():
        return f"returns are NaN on {int(np.isnan(series).sum()):,} bars"
    if bars < FEWEST_BARS or bars <= lags:
        return f"too short: {max(FEWEST_BARS, lags + 1)} bars are needed"
    return "returns do not vary" if math.isnan(ratio) else ""
