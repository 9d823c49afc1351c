"""Names: of the strategies that come with the package, those other programs have for them, and for their parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

__all__ = ["BUILT_IN", "OTHER_NAMES", "StrategyType", "parameter_names"]

BUILT_IN = {
    "BollingerReversion": "bollinger",
    "BuyAndHold": "basic",
    "DonchianBreakout": "donchian",
    "EmaCross": "trend",
    "FixedWeights": "basic",
    "HybridPortfolio": "portfolio",
    "MACrossover": "known",
    "MACrossoverPortfolio": "portfolio",
    "MacdCross": "macd",
    "MomentumRotation": "momentum",
    "MultiStrategyPortfolio": "portfolio",
    "PairsReversion": "pairs",
    "PerSymbol": "per_symbol",
    "RsiReversion": "rsi",
    "SmaCross": "trend",
    "SupertrendFollow": "supertrend",
    "VolatilityTargetedTrend": "volatility_target",
}
"""Class name to the module of this package it stands in."""


class StrategyType(StrEnum):
    """The kinds of strategies that come with the package, by the names that files of other programs use."""

    BOLLINGER = "bollinger_bands"
    BUY_AND_HOLD = "buy_and_hold"
    DONCHIAN = "donchian_breakout"
    EMA_CROSSOVER = "ema_crossover"
    FIXED_WEIGHTS = "fixed_weights"
    MACD = "macd"
    MA_CROSSOVER = "ma_crossover"
    MOMENTUM = "momentum"
    PAIRS = "pairs"
    RSI = "rsi"
    SUPERTREND = "supertrend"
    VOLATILITY_TARGET = "volatility_target"

    @property
    def class_name(self) -> str:
        """What its class is called here."""
        return OTHER_NAMES[self.value]


OTHER_NAMES = {
    "MACrossoverStrategy": "SmaCross",
    "bollinger_bands": "BollingerReversion",
    "buy_and_hold": "BuyAndHold",
    "donchian_breakout": "DonchianBreakout",
    "ema_crossover": "EmaCross",
    "fixed_weights": "FixedWeights",
    "ma_crossover": "SmaCross",
    "macd": "MacdCross",
    "momentum": "MomentumRotation",
    "pairs": "PairsReversion",
    "rsi": "RsiReversion",
    "supertrend": "SupertrendFollow",
    "volatility_target": "VolatilityTargetedTrend",
}
"""Another name of a strategy to its name here."""

_PARAMETERS = (
    ("window", "lookback", "lookback_days", "lookback_period", "lookback_bars", "period", "length", "timeperiod"),
    ("fast", "fast_period", "fast_window", "short_window", "short_period"),
    ("slow", "slow_period", "slow_window", "long_window", "long_period"),
)
"""Names that mean the same parameter of a strategy."""


def parameter_names(given: Mapping[str, Any], known: Iterable[str]) -> tuple[dict[str, Any], list[str]]:
    """Parameters under the names a strategy has for them, and a sentence for each that had another one."""
    names, out, notes = set(known), dict(given), []
    for key in given:
        for group in _PARAMETERS:
            own = [name for name in group if name in names]
            if key in group and key not in names and len(own) == 1 and own[0] not in out:
                out[own[0]] = out.pop(key)
                unit = ", counted in bars" if key.endswith("_days") else ""
                notes.append(f"parameter {key!r} was read as {own[0]!r}{unit}; write {own[0]!r}")
    return out, notes
