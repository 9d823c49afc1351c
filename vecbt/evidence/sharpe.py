"""How far a Sharpe ratio may be off: standard errors under four assumptions, and what autocorrelation does to a year's ratio.

Everything here is *per bar* unless its name says `annual`. A year's ratio and its error are both `sqrt(P)` times those of a bar as long as
returns are not autocorrelated; `annual_factor` is what stands in place of `sqrt(P)` where they are.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from ..metrics import sharpe, volatility
from ..metrics._columns import checked_periods
from ._gate import Numbers, as_returns, checked_count, scalar_or_array
from .moments import FEWEST_BARS, Moments

__all__ = ["annual_factor", "default_lags", "sharpe_error", "sharpe_error_hac", "sharpe_variance"]


def sharpe_variance(of: Moments) -> Numbers:
    """`1 - skew*SR + (kurtosis - 1)/4*SR^2`: T times the variance of an estimated Sharpe ratio of independent returns.

    Notes
    -----
    Mertens (2002), Opdyke, *Journal of Asset Management* 8 (2007) 308-336; with skew 0 and kurtosis 3 it is `1 + SR^2/2` of Lo (2002). NaN
    where the moments are, or where nothing is left (returns that take two values only).
    """
    ratio = np.asarray(of.sharpe)
    value = 1.0 - np.asarray(of.skew) * ratio + (np.asarray(of.kurtosis) - 1.0) / 4.0 * ratio**2
    return scalar_or_array(np.where(value > 1e-12, value, np.nan), np.ndim(of.sharpe) == 0)


def sharpe_error(of: Moments, method: Literal["nonnormal", "normal"] = "nonnormal") -> Numbers:
    """Standard error of a Sharpe ratio *per bar*, of independent returns.

    Parameters
    ----------
    of : Moments
        Of `moments`, `moments_of_blocks` or `moments_of_sharpe`.
    method : "nonnormal" or "normal"
        `sqrt((1 - skew*SR + (kurtosis - 1)/4*SR^2)/(T - 1))`, or `sqrt((1 + SR^2/2)/(T - 1))`, which is the same for normal returns.

    Returns
    -------
    float or array (C,)
        NaN where the ratio is NaN or there are fewer than eight bars.

    Notes
    -----
    Lo, *Financial Analysts Journal* 58 (2002) 36-52; Mertens (2002). Both divide by T; T - 1 is that of Bailey and Lopez de Prado (2012),
    so that the probabilistic Sharpe ratio is the normal distribution at `(SR - SR*)/error`.
    """
    if method not in ("nonnormal", "normal"):
        raise ConfigError(f"method must be 'nonnormal' or 'normal'; found {method!r}")
    single = np.ndim(of.sharpe) == 0
    if of.bars < FEWEST_BARS:
        return scalar_or_array(np.full(np.shape(of.sharpe), np.nan), single)
    term = sharpe_variance(of) if method == "nonnormal" else 1.0 + 0.5 * np.asarray(of.sharpe) ** 2
    return scalar_or_array(np.sqrt(np.asarray(term) / (of.bars - 1)), single)


def default_lags(bars: int) -> int:
    """Lags that are looked at where none are given: `floor(4*(T/100)^(2/9))`, Newey and West (1994)."""
    return int(4.0 * (bars / 100.0) ** (2.0 / 9.0))


def _checked_lags(lags: int | None, bars: int) -> int:
    return min(default_lags(bars), max(bars - 1, 0)) if lags is None else checked_count(lags, "lags", 0)


def sharpe_error_hac(returns: Any, *, lags: int | None = None, rf: float = 0.0) -> Numbers:
    """Standard error of a Sharpe ratio *per bar* that allows for autocorrelation and changing volatility.

    Parameters
    ----------
    returns : array_like, shape (T,) or (T, C)
        Simple returns per bar, fractions.
    lags : int, optional
        Lags of the Bartlett kernel; left out, `floor(4*(T/100)^(2/9))`. With 0 it is `sharpe_error` to rounding.
    rf : float
        Riskless return *per bar*.

    Returns
    -------
    float or array (C,)
        NaN where the ratio is NaN, or with fewer than eight bars or not more bars than lags.

    Notes
    -----
    The ratio is a function of two moments, so its error is that of the mean of `z - SR/2*(z^2 - 1)`, z the standardised returns (the delta
    method; Lo 2002, section "Non-IID returns", whose GMM error it is). The long-run variance is that of statsmodels' OLS on a constant with
    `cov_type="HAC"` (Newey and West 1987), times T/(T - 1).
    """
    matrix, single = as_returns(returns)
    bars, lagged = len(matrix), _checked_lags(lags, len(matrix))
    ratio, spread = sharpe(matrix, periods_per_year=1.0, rf=rf), volatility(matrix, periods_per_year=1.0)
    out = np.full(matrix.shape[1], np.nan)
    if bars >= FEWEST_BARS and bars > lagged:
        from statsmodels.regression.linear_model import OLS

        for column in np.flatnonzero(np.isfinite(ratio) & (spread > 0.0)):
            z = _standardised(matrix[:, column])
            pull = z - ratio[column] / 2.0 * (z * z - 1.0)
            fitted = OLS(pull, np.ones(bars)).fit(cov_type="HAC", cov_kwds={"maxlags": lagged, "use_correction": False})
            out[column] = float(fitted.bse[0]) * np.sqrt(bars / (bars - 1))
    return scalar_or_array(out, single)


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean 0 and mean square 1."""
    away = values - values.mean()
    away /= np.abs(away).max()
    return away / np.sqrt((away * away).mean())  # type: ignore[no-any-return]


def annual_factor(returns: Any, *, periods_per_year: float, lags: int | None = None) -> Numbers:
    """What a Sharpe ratio per bar is multiplied with for a year, where returns are autocorrelated: `q/sqrt(q + 2*sum((q - k)*rho_k))`.

    Parameters
    ----------
    returns : array_like, shape (T,) or (T, C)
        Simple returns per bar, fractions.
    periods_per_year : float
        Bars a year, q.
    lags : int, optional
        Autocorrelations rho_1 to rho_lags are used, those beyond count as zero; left out, `floor(4*(T/100)^(2/9))`. Lo uses q - 1, which
        needs many years.

    Returns
    -------
    float or array (C,)
        `sqrt(q)` without autocorrelation, less where returns follow each other, which a smooth strategy's do. NaN where there is no spread,
        with fewer than eight bars or not more bars than lags, or where nothing is left under the root.

    Notes
    -----
    Lo (2002), equation 20. The error of the ratio that it gives is this factor times `sharpe_error_hac`; that the autocorrelations are
    estimated too is not counted.
    """
    matrix, single = as_returns(returns)
    q, bars = checked_periods(periods_per_year), len(matrix)
    lagged, out = _checked_lags(lags, bars), np.full(matrix.shape[1], np.nan)
    spread = volatility(matrix, periods_per_year=1.0)
    if bars >= FEWEST_BARS and bars > lagged:
        for column in np.flatnonzero(spread > 0.0):
            z = _standardised(matrix[:, column])
            inside = q + sum(2.0 * (q - k) * float(z[k:] @ z[:-k]) / bars for k in range(1, lagged + 1) if k < q)
            if inside > 0.0:
                out[column] = q / np.sqrt(inside)
    return scalar_or_array(out, single)
