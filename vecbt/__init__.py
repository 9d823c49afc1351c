"""vecbt: a vectorized backtesting engine whose batch run and bar-by-bar replay agree to the last bit.

>>> import vecbt as vb
>>> bars = vb.samples.load("us_daily")
>>> result = vb.backtest(bars, vb.strategies.SmaCross(20, 100), costs=vb.Costs(commission_rate=0.001))

Names load on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Atr": "risk.stops",
    "Bar": "data.bar",
    "Bars": "data.bars",
    "Cash": "risk.sizing",
    "Costs": "execution.costs",
    "Decision": "engine.decision",
    "FixedFractionalSizing": "risk.sizing",
    "Market": "data.market",
    "Notional": "risk.sizing",
    "Parameter": "core.space",
    "ParityReport": "engine.check",
    "Pct": "risk.stops",
    "Price": "risk.stops",
    "Quantities": "engine.inputs",
    "Result": "analytics.result",
    "Risk": "risk.zones",
    "Signals": "engine.inputs",
    "Stops": "risk.stops",
    "Strategy": "engine.strategy",
    "Stream": "engine.stream",
    "Strengths": "engine.inputs",
    "Ticks": "risk.stops",
    "Units": "risk.sizing",
    "Weight": "risk.sizing",
    "Weights": "engine.inputs",
    "Zones": "risk.zones",
    "backtest": "api",
    "check_parity": "api",
}
"""Public name -> module of the package it lives in."""

_MODULES = {
    "errors": "errors",
    "indicators": "indicators",
    "metrics": "metrics",
    "samples": "data.samples",
    "strategies": "strategies",
    "synthetic": "data.synthetic",
}
"""Public submodules under the name people use."""

if TYPE_CHECKING:
    from . import errors, indicators, metrics, strategies
    from .analytics.result import Result
    from .api import backtest, check_parity
    from .core.space import Parameter
    from .data import samples, synthetic
    from .data.bar import Bar
    from .data.bars import Bars
    from .data.market import Market
    from .engine.check import ParityReport
    from .engine.decision import Decision
    from .engine.inputs import Quantities, Signals, Strengths, Weights
    from .engine.strategy import Strategy
    from .engine.stream import Stream
    from .execution.costs import Costs
    from .risk.sizing import Cash, FixedFractionalSizing, Notional, Units, Weight
    from .risk.stops import Atr, Pct, Price, Stops, Ticks
    from .risk.zones import Risk, Zones

__all__ = [
    "Atr",
    "Bar",
    "Bars",
    "Cash",
    "Costs",
    "Decision",
    "FixedFractionalSizing",
    "Market",
    "Notional",
    "Parameter",
    "ParityReport",
    "Pct",
    "Price",
    "Quantities",
    "Result",
    "Risk",
    "Signals",
    "Stops",
    "Strategy",
    "Stream",
    "Strengths",
    "Ticks",
    "Units",
    "Weight",
    "Weights",
    "Zones",
    "__version__",
    "backtest",
    "check_parity",
    "errors",
    "indicators",
    "metrics",
    "samples",
    "strategies",
    "synthetic",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        value: Any = importlib.import_module(f".{_MODULES[name]}", __name__)
    elif name in _HOME:
        value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    else:
        raise AttributeError(f"module 'vecbt' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
