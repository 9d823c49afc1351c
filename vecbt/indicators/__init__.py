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
    from .plan import Indicator, IndicatorPlan, PlanStream
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
    "plan": ("Indicator", "IndicatorPlan", "PlanStream"),
    "registry": ("catalog", "find", "stream"),
    "stochastics": ("stoch_rsi", "stochastic", "williams_r"),
    "typical": ("cci", "mfi"),
    "volatility": ("atr", "close_sigma", "true_range"),
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
