"""Indicators: per family one file with step, run and public function; `stream` gives the same one bar at a time.

Functions take arrays, pandas, polars or Bars and give the same type back. `catalog()` finds every one by its name, `Indicator` names
one with its parameters for a strategy. Names load on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bands import bollinger, donchian, keltner
    from .crossing import crossed_above, crossed_below
    from .extremes import rolling_argmax, rolling_argmin, rolling_max, rolling_min
    from .lags import bars_since, lag
    from .moving import ema, sma
    from .plan import Indicator, IndicatorPlan, PlanStream
    from .ranks import rolling_median, rolling_quantile, rolling_rank
    from .registry import catalog, find, stream
    from .relative import beta, correlation, covariance
    from .rolling import regression_slope, rolling_skew, rolling_std, zscore
    from .volatility import atr, close_sigma, true_range

__all__ = [
    "Indicator",
    "IndicatorPlan",
    "PlanStream",
    "atr",
    "bars_since",
    "beta",
    "bollinger",
    "catalog",
    "close_sigma",
    "correlation",
    "covariance",
    "crossed_above",
    "crossed_below",
    "donchian",
    "ema",
    "find",
    "keltner",
    "lag",
    "regression_slope",
    "rolling_argmax",
    "rolling_argmin",
    "rolling_max",
    "rolling_median",
    "rolling_min",
    "rolling_quantile",
    "rolling_rank",
    "rolling_skew",
    "rolling_std",
    "sma",
    "stream",
    "true_range",
    "zscore",
]

_OF_MODULE = {
    "bands": ("bollinger", "donchian", "keltner"),
    "crossing": ("crossed_above", "crossed_below"),
    "extremes": ("rolling_argmax", "rolling_argmin", "rolling_max", "rolling_min"),
    "lags": ("bars_since", "lag"),
    "moving": ("ema", "sma"),
    "plan": ("Indicator", "IndicatorPlan", "PlanStream"),
    "ranks": ("rolling_median", "rolling_quantile", "rolling_rank"),
    "registry": ("catalog", "find", "stream"),
    "relative": ("beta", "correlation", "covariance"),
    "rolling": ("regression_slope", "rolling_skew", "rolling_std", "zscore"),
    "volatility": ("atr", "close_sigma", "true_range"),
}
_HOME = {name: module for module, names in _OF_MODULE.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
