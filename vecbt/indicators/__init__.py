"""Indicators: per family one file with step, run and public function; `stream` gives the same one bar at a time.

Functions take arrays, pandas, polars or Bars and give the same type back. `catalog()` finds every one by its name, `Indicator` names
one with its parameters for a strategy. Names load on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .activity import volume_ratio, volume_zscore
    from .bands import bollinger, donchian, keltner
    from .cloud import ichimoku
    from .convergence import macd, ppo
    from .crossing import crossed_above, crossed_below
    from .exponential import dema, kama, tema
    from .extremes import rolling_argmax, rolling_argmin, rolling_max, rolling_min
    from .lags import bars_since, lag
    from .moving import ema, sma
    from .oscillators import momentum, roc, rsi, tsi
    from .overnight import yang_zhang
    from .plan import Indicator, IndicatorPlan, PlanStream
    from .ranges import garman_klass, parkinson, rogers_satchell
    from .ranks import rolling_median, rolling_quantile, rolling_rank
    from .registry import catalog, find, stream
    from .relative import beta, correlation, covariance
    from .rolling import regression_slope, rolling_skew, rolling_std, zscore
    from .stochastics import stoch_rsi, stochastic, williams_r
    from .trailing import parabolic_sar, supertrend
    from .trend import adx, aroon
    from .typical import cci, mfi
    from .volatility import atr, close_sigma, ewma_volatility, natr, true_range
    from .volume import accumulation_distribution, cmf, obv
    from .volume_averages import session_vwap, vwap, vwma
    from .weighted import alma, hma, wma

__all__ = [
    "Indicator",
    "IndicatorPlan",
    "PlanStream",
    "accumulation_distribution",
    "adx",
    "alma",
    "aroon",
    "atr",
    "bars_since",
    "beta",
    "bollinger",
    "catalog",
    "cci",
    "close_sigma",
    "cmf",
    "correlation",
    "covariance",
    "crossed_above",
    "crossed_below",
    "dema",
    "donchian",
    "ema",
    "ewma_volatility",
    "find",
    "garman_klass",
    "hma",
    "ichimoku",
    "kama",
    "keltner",
    "lag",
    "macd",
    "mfi",
    "momentum",
    "natr",
    "obv",
    "parabolic_sar",
    "parkinson",
    "ppo",
    "regression_slope",
    "roc",
    "rogers_satchell",
    "rolling_argmax",
    "rolling_argmin",
    "rolling_max",
    "rolling_median",
    "rolling_min",
    "rolling_quantile",
    "rolling_rank",
    "rolling_skew",
    "rolling_std",
    "rsi",
    "session_vwap",
    "sma",
    "stoch_rsi",
    "stochastic",
    "stream",
    "supertrend",
    "tema",
    "true_range",
    "tsi",
    "volume_ratio",
    "volume_zscore",
    "vwap",
    "vwma",
    "williams_r",
    "wma",
    "yang_zhang",
    "zscore",
]

_OF_MODULE = {
    "activity": ("volume_ratio", "volume_zscore"),
    "bands": ("bollinger", "donchian", "keltner"),
    "cloud": ("ichimoku",),
    "convergence": ("macd", "ppo"),
    "crossing": ("crossed_above", "crossed_below"),
    "exponential": ("dema", "kama", "tema"),
    "extremes": ("rolling_argmax", "rolling_argmin", "rolling_max", "rolling_min"),
    "lags": ("bars_since", "lag"),
    "moving": ("ema", "sma"),
    "oscillators": ("momentum", "roc", "rsi", "tsi"),
    "overnight": ("yang_zhang",),
    "plan": ("Indicator", "IndicatorPlan", "PlanStream"),
    "ranges": ("garman_klass", "parkinson", "rogers_satchell"),
    "ranks": ("rolling_median", "rolling_quantile", "rolling_rank"),
    "registry": ("catalog", "find", "stream"),
    "relative": ("beta", "correlation", "covariance"),
    "rolling": ("regression_slope", "rolling_skew", "rolling_std", "zscore"),
    "stochastics": ("stoch_rsi", "stochastic", "williams_r"),
    "trailing": ("parabolic_sar", "supertrend"),
    "trend": ("adx", "aroon"),
    "typical": ("cci", "mfi"),
    "volatility": ("atr", "close_sigma", "ewma_volatility", "natr", "true_range"),
    "volume": ("accumulation_distribution", "cmf", "obv"),
    "volume_averages": ("session_vwap", "vwap", "vwma"),
    "weighted": ("alma", "hma", "wma"),
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
