"""Ready-made strategies: frozen parameters, rows for all bars, a feed that steps."""

from __future__ import annotations

from .basic import BuyAndHold, FixedWeights
from .known import MACrossover, RsiStrategy
from .trend import EmaCross, SmaCross

__all__ = ["BuyAndHold", "EmaCross", "FixedWeights", "MACrossover", "RsiStrategy", "SmaCross"]
