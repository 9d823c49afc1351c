"""Signals: generators, filters, ensembles and aggregators. All of them are strategies: they run, stream, replay and sweep as any other.

A signal is a strength in [-1, 1] per bar and asset. Composites hold their members and combine what these stand for; `vb.backtest` takes
each of them where it takes a strategy. Names load on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .aggregate import (
        BaseAggregationConfig,
        BaseAggregator,
        PortfolioAggregationConfig,
        PortfolioSignalAggregator,
        VolatilityAdjustedAggregator,
        VolatilityConfig,
        WeightedAverageAggregator,
        WeightedAverageConfig,
        create_aggregator,
        register_aggregator,
    )
    from .base import BaseSignalGenerator, SignalGenerator, SteppedGenerator, configurable
    from .correlation import strategy_correlation
    from .ensemble import DecisionRecord, Ensemble, EnsembleSignalGenerator
    from .factory import create_signal_generator, register_signal_generator, signal_generators
    from .filters import (
        CooldownFilter,
        MinimumHoldFilter,
        RegimeFilter,
        SessionHoursFilter,
        SignalFilter,
        SmoothingFilter,
        ThresholdFilter,
        VolatilityFilter,
    )
    from .manager import EnsembleManager
    from .records import SignalRecord, StrategySignal, TradingSignal
    from .rules import TechnicalRule
    from .technical import TechnicalSignalGenerator
    from .voting import VotingMode
    from .weights import DynamicWeights

__all__ = [
    "BaseAggregationConfig", "BaseAggregator", "BaseSignalGenerator", "CooldownFilter", "DecisionRecord", "DynamicWeights", "Ensemble",
    "EnsembleManager", "EnsembleSignalGenerator", "MinimumHoldFilter", "PortfolioAggregationConfig", "PortfolioSignalAggregator",
    "RegimeFilter", "SessionHoursFilter", "SignalFilter", "SignalGenerator", "SignalRecord", "SmoothingFilter", "SteppedGenerator",
    "StrategySignal", "TechnicalRule", "TechnicalSignalGenerator", "ThresholdFilter", "TradingSignal", "VolatilityAdjustedAggregator",
    "VolatilityConfig", "VolatilityFilter", "VotingMode", "WeightedAverageAggregator", "WeightedAverageConfig", "configurable",
    "create_aggregator", "create_signal_generator", "register_aggregator", "register_signal_generator", "signal_generators",
    "strategy_correlation",
]  # fmt: skip

_OF_MODULE = {
    "aggregate": (
        "BaseAggregationConfig", "BaseAggregator", "PortfolioAggregationConfig", "PortfolioSignalAggregator",
        "VolatilityAdjustedAggregator", "VolatilityConfig", "WeightedAverageAggregator", "WeightedAverageConfig",
        "create_aggregator", "register_aggregator",
    ),
    "base": ("BaseSignalGenerator", "SignalGenerator", "SteppedGenerator", "configurable"),
    "correlation": ("strategy_correlation",),
    "ensemble": ("DecisionRecord", "Ensemble", "EnsembleSignalGenerator"),
    "factory": ("create_signal_generator", "register_signal_generator", "signal_generators"),
    "filters": (
        "CooldownFilter", "MinimumHoldFilter", "RegimeFilter", "SessionHoursFilter", "SignalFilter", "SmoothingFilter", "ThresholdFilter",
        "VolatilityFilter",
    ),
    "manager": ("EnsembleManager",),
    "records": ("SignalRecord", "StrategySignal", "TradingSignal"),
    "rules": ("TechnicalRule",),
    "technical": ("TechnicalSignalGenerator",),
    "voting": ("VotingMode",),
    "weights": ("DynamicWeights",),
}  # fmt: skip
_HOME = {name: module for module, names in _OF_MODULE.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
