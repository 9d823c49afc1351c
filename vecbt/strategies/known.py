"""Strategies that everybody knows, under the names and parameters they are known by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._typing import ArrayTN
from ..core.space import Parameter
from ..data.bars import Bars
from ..data.market import Market
from ..engine.inputs import Inputs
from ..engine.strategy import Strategy
from ..indicators.plan import Indicator, IndicatorPlan
from ..signals.combined import Columns, Combined, Machine, View, WithColumns
from .trend import SmaCross

__all__ = ["MACrossover", "RsiStrategy"]

_SAYS = {"long": (1.0, 0.0), "short": (0.0, -1.0), "both": (1.0, -1.0)}
"""Strengths of an oversold and of an overbought market."""


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


@dataclass(frozen=True)
class RsiStrategy(Combined):
    """Buy what is oversold, leave it when it is overbought, by the relative strength index; between the levels nothing changes.

    Parameters
    ----------
    window : bars of the RSI
    lower, upper : levels from 0 to 100, lower < upper: oversold below the one, overbought above the other
    direction : "long" buys the oversold and leaves the overbought; "short" sells the overbought and leaves the oversold; "both" reverses
    """

    window: int = Parameter(14, low=1, integer=True)
    lower: float = Parameter(30.0, low=0.0, high=100.0, below="upper")
    upper: float = Parameter(70.0, low=0.0, high=100.0)
    direction: str = Parameter("long", choices=("long", "short", "both"))

    def _plan(self) -> IndicatorPlan:
        return IndicatorPlan({"rsi": Indicator("rsi", self.window)})

    @property
    def own_warmup(self) -> int:
        """Bars before the first RSI."""
        return self._plan().warmup

    def machine(self, market: Market) -> Machine:
        """The RSI, and two comparisons."""
        columns = Columns(self._plan(), market)
        oversold, overbought = _SAYS[self.direction]

        def says(view: View) -> ArrayTN:
            value = columns.run(view)["rsi"]
            return np.where(value < self.lower, oversold, np.where(value > self.upper, overbought, np.nan))

        return WithColumns(columns, says)
