"""Indicators: per family one file with step, run, public function and streaming form.

Functions take arrays, pandas, polars or Bars and give the same type back; `...Stream` is the same step, one bar at a time.
Names load on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .moving import EmaStream, SmaStream, ema, sma
    from .volatility import AtrStream, SigmaStream, atr, close_sigma, true_range

__all__ = ["AtrStream", "EmaStream", "SigmaStream", "SmaStream", "atr", "close_sigma", "ema", "sma", "true_range"]

_HOME = {
    "AtrStream": "volatility",
    "EmaStream": "moving",
    "SigmaStream": "volatility",
    "SmaStream": "moving",
    "atr": "volatility",
    "close_sigma": "volatility",
    "ema": "moving",
    "sma": "moving",
    "true_range": "volatility",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
