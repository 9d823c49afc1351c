"""Supertrend: with the trend until a close beyond the band that follows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..core.space import Parameter
from ..indicators.plan import Indicator
from .sides import DIRECTIONS, Turning, turned

__all__ = ["SupertrendFollow", "supertrend_rule"]


def supertrend_rule(now, before, params, state):  # type: ignore[no-untyped-def]
    """A trade when the trend turns."""
    return turned(now.trend_direction, 0.0, state, params.direction)


@dataclass(frozen=True)
class SupertrendFollow(Turning):
    """Trade the turns of Supertrend (O. Seban; no paper, see `vb.indicators.supertrend` for the definition).

    Parameters
    ----------
    window : bars of the ATR
    multiplier : ATR from the middle of the bar to the band
    direction : "long" enters long when the trend turns up and exits when it turns down; "short" is the mirror; "both" reverses

    The indicator begins in a down trend: the first trade is its first turn.
    """

    window: int = Parameter(10, low=1, integer=True)
    multiplier: float = Parameter(3.0, low=0.0)
    direction: str = Parameter("long", choices=DIRECTIONS)

    rule = staticmethod(supertrend_rule)

    def indicators(self) -> Mapping[str, Indicator]:
        """`trend`: line and direction."""
        return {"trend": Indicator("supertrend", self.window, self.multiplier)}
