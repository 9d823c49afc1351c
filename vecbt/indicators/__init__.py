"""Indicators: per family one file with step, run and public function; `stream` gives the same one bar at a time.

Functions take arrays, pandas, polars or Bars and give the same type back. `catalog()` finds every one by its name, `Indicator` names
one with its parameters for a strategy. Names load on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .convergence import macd, ppo
    from .exponential import dema, kama, tema
    from .moving import ema, sma
    from .oscillators import momentum, roc, rsi, tsi
    from .activity import volume_ratio, volume_zscore
    from .cloud import ichimoku
    from .overnight import yang_zhang
    from .plan import Indicator, IndicatorPlan, PlanStream
    from .ranges import garman_klass, parkinson, rogers_satchell
    from .registry import catalog, find, stream
    from .stochastics import stoch_rsi, stochastic, williams_r
    from .typical import cci, mfi
    from .volatility import atr, close_sigma, true_range
    from .volume_averages import session_vwap, vwap, vwma
    from .weighted import alma, hma, wma

__all__ = [
    "Indicator", "IndicatorPlan", "PlanStream", "alma", "atr", "catalog", "cci", "close_sigma", "dema", "ema", "find", "hma", "kama",
    "macd", "mfi", "momentum", "ppo", "roc", "rsi", "session_vwap", "sma", "stoch_rsi", "stochastic", "stream", "tema", "true_range",
    "tsi", "vwap", "vwma", "williams_r", "wma",
]  # fmt: skip

_OF_MODULE = {
    "convergence": ("macd", "ppo"),
    "exponential": ("dema", "kama", "tema"),
    "moving": ("ema", "sma"),
    "oscillators": ("momentum", "roc", "rsi", "tsi"),
    from .trailing import parabolic_sar, supertrend
    from .trend import adx, aroon
    from .volatility import atr, close_sigma, ewma_volatility, natr, true_range
    from .volume import accumulation_distribution, cmf, obv
    "Indicator",
    "IndicatorPlan",
    "PlanStream",
    "accumulation_distribution",
    "adx",
    "aroon",
    "atr",
    "catalog",
    "close_sigma",
    "cmf",
    "ema",
    "ewma_volatility",
    "find",
    "garman_klass",
    "ichimoku",
    "natr",
    "obv",
    "parabolic_sar",
    "parkinson",
    "rogers_satchell",
    "sma",
    "stream",
    "supertrend",
    "true_range",
    "volume_ratio",
    "volume_zscore",
    "yang_zhang",
]
    "activity": ("volume_ratio", "volume_zscore"),
    "cloud": ("ichimoku",),
    "overnight": ("yang_zhang",),
    "plan": ("Indicator", "IndicatorPlan", "PlanStream"),
    "ranges": ("garman_klass", "parkinson", "rogers_satchell"),
    "registry": ("catalog", "find", "stream"),
    "stochastics": ("stoch_rsi", "stochastic", "williams_r"),
    "typical": ("cci", "mfi"),
    "volatility": ("atr", "close_sigma", "true_range"),
    "volume_averages": ("session_vwap", "vwap", "vwma"),
    "weighted": ("alma", "hma", "wma"),
    "trailing": ("parabolic_sar", "supertrend"),
    "trend": ("adx", "aroon"),
    "volatility": ("atr", "close_sigma", "ewma_volatility", "natr", "true_range"),
    "volume": ("accumulation_distribution", "cmf", "obv"),
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
