"""Protective levels of one position by hand, from the kernels of the simulation (P1 to P4)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._typing import Records
from ..core.codes import Reason
from ..core.state import records
from ..errors import ConfigError, nearest
from .levels import LEVEL_FIELDS, clear_levels, exit_at, move_levels, set_levels
from .stops import Atr, Stops

__all__ = ["AtrTrail", "StopLossManager"]

_PRICES = [(name, "f8") for name in ("open", "high", "low", "close", "avg", "tick", "scale")]
_POSITION = np.dtype([*_PRICES, *LEVEL_FIELDS], align=True)
_SIDES = {"long": 1.0, "short": -1.0}
_ANSWERS = {int(Reason.STOP): "stop_loss", int(Reason.TRAIL): "stop_loss", int(Reason.TARGET): "take_profit", 0: "hold"}


def _side(position_type: Any) -> float:
    if not isinstance(position_type, str) or position_type not in _SIDES:
        raise ConfigError(f"position_type is {position_type!r}; expected 'long' or 'short' ({nearest(str(position_type), _SIDES)})")
    return _SIDES[position_type]


def _price(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating) or not 0.0 < value < math.inf:
        raise ConfigError(f"{name} is {value!r}; expected a price > 0")
    return float(value)


def _position(entry_price: Any) -> Any:
    """One position entered at this price, as the kernels of the levels read it."""
    a = records(_POSITION, 1)[0]
    clear_levels(a)
    a.avg = a.watermark = _price("entry_price", entry_price)
    a.scale = 1.0
    a.atr = a.level_atr = math.nan
    return a


def _meet(a: Any, price: float) -> None:
    a.open = a.high = a.low = a.close = price


@dataclass(frozen=True)
class StopLossManager:
    """Stop loss and take profit of a position by hand; `stops()` gives the same rules to a simulation.

    Parameters
    ----------
    stop_loss_pct, take_profit_pct : float
        Distances from the entry price, as fractions: 0.02 is 2 %.
    atr_multiplier : float
        Width of the dynamic stop in average true ranges.
    """

    stop_loss_pct: float = 0.02
    take_profit_pct: float = 0.04
    atr_multiplier: float = 2.0

    def __post_init__(self) -> None:
        for name in ("stop_loss_pct", "take_profit_pct"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 < value < 1.0:
                raise ConfigError(f"StopLossManager.{name} is {value!r}; expected a fraction between 0 and 1: 2 % is 0.02")
        Atr(self.atr_multiplier)

    def stops(self) -> Stops:
        """The same stop and target for `backtest(..., stops=)`."""
        return Stops(hard=self.stop_loss_pct, take_profit=self.take_profit_pct)

    def check_exit_conditions(self, entry_price: float, current_price: float, position_type: str) -> str:
        """What the price asks of a position: `"stop_loss"`, `"take_profit"` or `"hold"`.

        A price at a level is met. Shorts mirror longs. One price says nothing about the way to it: a simulation looks at
        the whole bar (P3 to P5).
        """
        side, a = _side(position_type), _position(entry_price)
        set_levels(a, side, self.stops().record()[0])
        _meet(a, _price("current_price", current_price))
        _, reason = exit_at(a, side, 0, 0)
        return _ANSWERS[int(reason)]

    def dynamic_stop_loss(
        self,
        entry_price: float,
        current_price: float,
        volatility: float,
        position_type: str = "long",
        *,
        previous_stop: float | None = None,
    ) -> float:
        """The stop of a trail `atr_multiplier` average true ranges from the better of entry and current price.

        Parameters
        ----------
        volatility : float
            Average true range, in price units.
        previous_stop : float, optional
            The stop so far. With it the answer only ever moves with the position, never back; `trail` remembers it for you.

        Returns
        -------
        float
            The stop price.
        """
        trail = AtrTrail(entry_price, position_type, self.atr_multiplier)
        if previous_stop is not None:
            trail.stop = _price("previous_stop", previous_stop)
        return trail.update(current_price, volatility)

    def trail(self, entry_price: float, position_type: str = "long") -> AtrTrail:
        """A dynamic stop that remembers how far it has come."""
        return AtrTrail(entry_price, position_type, self.atr_multiplier)


class AtrTrail:
    """A stop so many average true ranges from the best price met; it only ever moves with the position (P2).

    Parameters
    ----------
    entry_price : float
    position_type : {"long", "short"}
    atr_multiplier : float
    """

    def __init__(self, entry_price: float, position_type: str = "long", atr_multiplier: float = 2.0) -> None:
        self._side = _side(position_type)
        self._rule: Records = Stops(trailing=Atr(atr_multiplier)).record()
        self._a = _position(entry_price)

    @property
    def stop(self) -> float:
        """The level so far; NaN before the first update."""
        return float(self._a.trail)

    @stop.setter
    def stop(self, level: float) -> None:
        self._a.trail = self._a.stop = _price("stop", level)

    def update(self, price: float, volatility: float) -> float:
        """The stop after this price (or the best one of a bar), with the average true range in price units."""
        _meet(self._a, _price("current_price", price))
        self._a.atr = _price("volatility", volatility)
        move_levels(self._a, self._side, (price, price, price), self._rule[0])
        return self.stop

    def is_hit(self, price: float) -> bool:
        """Whether this price is at or beyond the stop so far."""
        _meet(self._a, _price("current_price", price))
        _, reason = exit_at(self._a, self._side, 0, 0)
        return int(reason) != 0
