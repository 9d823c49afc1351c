"""Confidence intervals of any metric: the bars are drawn again in stretches of random length."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .. import metrics
from ..errors import ConfigError, InputError, nearest
from ..metrics._columns import checked_periods
from ._gate import as_returns, checked_count, checked_share

__all__ = ["INTERVAL_METRICS", "Interval", "bootstrap_interval", "optimal_block"]

_Array = NDArray[np.float64]
_FEWEST = 20
_CELLS = 2_000_000  # returns that are drawn at a time
_UNDEFINED = 0.05


def _of_returns(name: str, periods: float) -> Callable[[_Array], _Array]:
    function = getattr(metrics, name)
    return lambda drawn: np.asarray(function(drawn, periods_per_year=periods))


def _of_tail(name: str, periods: float) -> Callable[[_Array], _Array]:
    function = getattr(metrics, name)
    return lambda drawn: np.asarray(function(drawn))


def _of_equity(name: str, periods: float) -> Callable[[_Array], _Array]:
    def measured(drawn: _Array) -> _Array:
        return np.asarray(metrics.return_metrics(np.cumprod(1.0 + drawn, axis=0), 1.0, periods_per_year=periods)[name])

    return measured


def _mean(name: str, periods: float) -> Callable[[_Array], _Array]:
    return lambda drawn: drawn.mean(axis=0)


_KINDS: dict[str, Callable[[str, float], Callable[[_Array], _Array]]] = {
    "cagr": _of_equity,
    "calmar": _of_equity,
    "cvar": _of_tail,
    "max_drawdown": _of_equity,
    "mean": _mean,
    "sharpe": _of_returns,
    "sortino": _of_returns,
    "total_return": _of_equity,
    "ulcer": _of_equity,
    "var": _of_tail,
    "volatility": _of_returns,
}
_OF_A_YEAR = {"cagr", "calmar", "sharpe", "sortino", "volatility"}
INTERVAL_METRICS = tuple(_KINDS)
"""Metrics that `bootstrap_interval` knows by name: those of `vecbt.metrics`, and `mean`, the mean return of a bar."""


@dataclass(frozen=True)
class Interval:
    """A confidence interval.

    Attributes
    ----------
    metric, value : what was measured, and what it is of the returns as they were
    low, high, confidence, method : the interval
    error : standard deviation of the metric over the resamples
    bars, block_length, resamples, seed : how it was drawn; `block_length` is the mean, in bars
    undefined : resamples whose metric is NaN; they are left out, up to one in twenty
    reason, needed : why there is no interval ("" where there is), and how many bars, or resamples, there must be
    """

    metric: str
    value: float
    low: float
    high: float
    confidence: float
    method: str
    error: float
    bars: int
    block_length: int
    resamples: int
    seed: int
    undefined: int = 0
    reason: str = ""
    needed: int = 0

    def __str__(self) -> str:
        head = f"{self.metric} {self.value:.4g}"
        if self.reason:
            return f"{head}: {self.reason}"
        drawn = f"{self.resamples:,} resamples, mean length {self.block_length} bars, seed {self.seed}"
        return f"{head}, {self.confidence:.0%} interval {self.low:.4g} to {self.high:.4g} ({self.method}; {drawn})"


def optimal_block(returns: Any) -> int:
    """Mean length in bars, rounded and at least 1, of the stretches a stationary bootstrap of this series should draw.

    Parameters
    ----------
    returns : array_like, shape (T,)
        Without NaN. Where it has no spread, or the rule finds no length, the root of T.

    Notes
    -----
    Politis and White (2004) with the correction of Patton, Politis and White (2009): `arch.bootstrap.optimal_block_length`. It grows with
    autocorrelation; what returns' volatility does is not seen.
    """
    matrix, single = as_returns(returns)
    if not single or np.isnan(matrix).any():
        raise InputError(f"returns have shape {matrix.shape} with {int(np.isnan(matrix).sum())} NaN; expected one series without any")
    series = matrix[:, 0]
    root = max(1, round(math.sqrt(len(series))))
    if len(series) < _FEWEST or not np.ptp(series) > 0.0:
        return root
    from arch.bootstrap import optimal_block_length

    with np.errstate(all="ignore"):
        found = float(optimal_block_length(series)["stationary"].iloc[0])
    return max(1, min(round(found), len(series))) if math.isfinite(found) else root


def bootstrap_interval(
    returns: Any,
    metric: str | Callable[[_Array], float] = "sharpe",
    *,
    periods_per_year: float | None = None,
    confidence: float = 0.95,
    method: Literal["percentile", "basic"] = "percentile",
    block_length: int | None = None,
    resamples: int = 1_000,
    seed: int = 0,
) -> Interval:
    """Confidence interval of a metric by the stationary bootstrap.

    Parameters
    ----------
    returns : array_like, shape (T,)
        Simple returns per bar, fractions.
    metric : str or function
        A name of `INTERVAL_METRICS`, measured by `vecbt.metrics` (equity is the product of `1 + r`, from 1), or a function that gives a
        number of returns (T,).
    periods_per_year : float, optional
        Bars a year, needed by those that are annual.
    confidence : float
        Between 0 and 1; both tails are cut alike.
    method : "percentile" or "basic"
        Quantiles of the resampled metrics, or these mirrored at the value: `2*value - quantile`. Greatest drawdowns and the like are skewed
        and bounded; there "percentile" stays in range.
    block_length : int, optional
        Mean length of a stretch in bars; left out, `optimal_block`.
    resamples, seed : int
        Resamples, and the seed of their draws.

    Returns
    -------
    Interval
        NaN with a reason with fewer than 20 bars, a NaN among returns, an undefined metric, or where it is undefined in more than one
        resample of twenty.

    Notes
    -----
    Politis and Romano (1994), drawn by `arch.bootstrap.StationaryBootstrap`. Equal seeds and lengths draw equal bars, whatever the metric.
    """
    matrix, single = as_returns(returns)
    if not single:
        raise InputError(f"returns have shape {matrix.shape}; expected one series (T,)")
    if method not in ("percentile", "basic"):
        raise ConfigError(f"method must be 'percentile' or 'basic'; found {method!r}")
    share, most = checked_share(confidence, "confidence"), checked_count(resamples, "resamples", 10)
    name, measure = _measure(metric, periods_per_year)
    series, first = matrix[:, 0], checked_count(seed, "seed", 0)
    length, bars, missing = 1, len(series), int(np.isnan(series).sum())
    if block_length is not None:
        length = checked_count(block_length, "block_length")
    elif missing == 0 and bars >= _FEWEST:
        length = optimal_block(series)

    def nothing(value: float, undefined: int, reason: str, needed: int) -> Interval:
        nan = math.nan
        return Interval(name, value, nan, nan, share, method, nan, bars, length, most, first, undefined, reason, needed)

    if missing or bars < _FEWEST:
        reason = f"returns are NaN on {missing:,} bars" if missing else f"too few bars: {_FEWEST} are needed"
        return nothing(math.nan, 0, reason, _FEWEST)
    value = float(measure(matrix)[0])
    if not math.isfinite(value):
        return nothing(value, 0, "the metric is undefined", 0)
    found = np.concatenate([measure(drawn) for drawn in _resampled(series, length, most, first)])
    known = found[np.isfinite(found)]
    undefined = most - len(known)
    if undefined > _UNDEFINED * most:
        return nothing(value, undefined, f"the metric is undefined in {undefined:,} of {most:,} resamples", 0)
    low, high = (float(q) for q in np.quantile(known, [0.5 - share / 2.0, 0.5 + share / 2.0]))
    if method == "basic":
        low, high = 2.0 * value - high, 2.0 * value - low
    return Interval(name, value, low, high, share, method, float(known.std(ddof=1)), bars, length, most, first, undefined)


def _measure(metric: Any, periods_per_year: float | None) -> tuple[str, Callable[[_Array], _Array]]:
    """Its name, and what measures every column of drawn returns (T, K)."""
    if callable(metric):
        return getattr(metric, "__name__", "metric"), lambda drawn: np.array([float(metric(column)) for column in drawn.T.copy()])
    if metric not in _KINDS:
        raise ConfigError(f"metric {metric!r} is not known; {nearest(str(metric), _KINDS)}")
    if metric in _OF_A_YEAR and periods_per_year is None:
        raise ConfigError(f"periods_per_year is missing: {metric} is annual and needs the number of bars a year")
    return metric, _KINDS[metric](metric, 1.0 if periods_per_year is None else checked_periods(periods_per_year))


def _resampled(series: _Array, length: int, resamples: int, seed: int) -> Iterator[_Array]:
    """Drawn returns (T, K), some resamples at a time."""
    from arch.bootstrap import StationaryBootstrap

    each = max(1, _CELLS // len(series))
    rows = np.empty((each, len(series)), dtype=np.int64)
    kept = 0
    for drawn, _ in StationaryBootstrap(length, np.arange(len(series)), seed=seed).bootstrap(resamples):
        rows[kept] = drawn[0]
        kept += 1
        if kept == each:
            yield np.ascontiguousarray(series[rows].T)
            kept = 0
    if kept:
        yield np.ascontiguousarray(series[rows[:kept]].T)
