"""The crossing of averages under the names that other programs have for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..core.space import Parameter
from ..data.bars import Bars
from ..data.market import Market
from ..engine.inputs import Inputs
from ..engine.strategy import Strategy
from .trend import SmaCross

__all__ = ["MACrossover"]


@dataclass(frozen=True)
class MACrossover(Strategy):
    """`SmaCross` under its other names.

    Parameters
    ----------
    short_window, long_window : bars of the two averages, short_window < long_window
    direction : "long", "short" or "both"
    """

    short_window: int = Parameter(10, low=1, integer=True, below="long_window")
    long_window: int = Parameter(50, low=2, integer=True)
    direction: str = Parameter("long", choices=("long", "short", "both"))

    @property
    def _cross(self) -> SmaCross:
        return SmaCross(self.short_window, self.long_window, self.direction)

    @property
    def warmup(self) -> int:
        """That of the averages."""
        return self._cross.warmup

    def rows(self, bars: Bars) -> Inputs:
        """Signals for all bars."""
        return self._cross.rows(bars)

    def feed(self, market: Market) -> Any:
        """Steps the two averages."""
        return self._cross.feed(market)
