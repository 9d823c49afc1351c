"""Indicators: per family one file with step, run and public function; `stream` gives the same one bar at a time.

Functions take arrays, pandas, polars or Bars and give the same type back. `catalog()` finds every one by its name, `Indicator` names
one with its parameters for a strategy. Names load on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bands import bollinger
    from .moving import ema, sma
    from .plan import Indicator, IndicatorPlan, PlanStream
    from .registry import catalog, find, stream
    from .volatility import atr, close_sigma, true_range

__all__ = [
    "Indicator", "IndicatorPlan", "PlanStream", "atr", "bollinger", "catalog", "close_sigma", "ema", "find", "sma", "stream", "true_range",
]  # fmt: skip

_OF_MODULE = {
    "bands": ("bollinger",),
    "moving": ("ema", "sma"),
    "plan": ("Indicator", "IndicatorPlan", "PlanStream"),
    "registry": ("catalog", "find", "stream"),
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
