"""Ready-made strategies: frozen parameters, rows for all bars, a feed that steps; and a registry that knows them by name.

Classes load on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .basic import BuyAndHold, FixedWeights
    from .bollinger import BollingerReversion
    from .donchian import DonchianBreakout
    from .known import MACrossover
    from .macd import MacdCross
    from .momentum import MomentumRotation
    from .naming import StrategyType
    from .pairs import PairsReversion
    from .per_symbol import PerSymbol
    from .portfolio import BasePortfolioStrategy, HybridPortfolio, MACrossoverPortfolio, MultiStrategyPortfolio, PortfolioConfig
    from .registry import CONFIG_CLASSES, REGISTRY, STRATEGY_CLASSES, StrategyRegistry, create_strategy, register_strategy
    from .rsi import RsiReversion
    from .supertrend import SupertrendFollow
    from .trend import EmaCross, SmaCross
    from .volatility_target import VolatilityTargetedTrend

__all__ = [
    "CONFIG_CLASSES", "REGISTRY", "STRATEGY_CLASSES", "BasePortfolioStrategy", "BollingerReversion", "BuyAndHold", "DonchianBreakout",
    "EmaCross", "FixedWeights", "HybridPortfolio", "MACrossover", "MACrossoverPortfolio", "MacdCross", "MomentumRotation",
    "MultiStrategyPortfolio", "PairsReversion", "PerSymbol", "PortfolioConfig", "RsiReversion", "SmaCross", "StrategyRegistry",
    "StrategyType", "SupertrendFollow", "VolatilityTargetedTrend", "create_strategy", "register_strategy",
]  # fmt: skip

_OF_MODULE = {
    "basic": ("BuyAndHold", "FixedWeights"),
    "bollinger": ("BollingerReversion",),
    "donchian": ("DonchianBreakout",),
    "known": ("MACrossover",),
    "macd": ("MacdCross",),
    "momentum": ("MomentumRotation",),
    "naming": ("StrategyType",),
    "pairs": ("PairsReversion",),
    "per_symbol": ("PerSymbol",),
    "portfolio": ("BasePortfolioStrategy", "HybridPortfolio", "MACrossoverPortfolio", "MultiStrategyPortfolio", "PortfolioConfig"),
    "registry": ("CONFIG_CLASSES", "REGISTRY", "STRATEGY_CLASSES", "StrategyRegistry", "create_strategy", "register_strategy"),
    "rsi": ("RsiReversion",),
    "supertrend": ("SupertrendFollow",),
    "trend": ("EmaCross", "SmaCross"),
    "volatility_target": ("VolatilityTargetedTrend",),
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
