"""Against the move: closes outside Bollinger's bands that come back to the middle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..core.space import Parameter
from ..indicators.plan import Indicator
from .sides import DIRECTIONS, Turning, faded

__all__ = ["BollingerReversion", "bollinger_rule"]


def bollinger_rule(now, before, params, state):  # type: ignore[no-untyped-def]
    """A trade when %b crosses 0 (the lower band), 0.5 (the middle) or 1 (the upper band)."""
    return faded(now.bands_percent, state, 0.0, 0.5, 1.0, params.direction)


@dataclass(frozen=True)
class BollingerReversion(Turning):
    """Buy a close below the lower band, sell at the middle one (Bollinger, Bollinger on Bollinger Bands, 2001; %b is his).

    Parameters
    ----------
    window : bars of the mean and the standard deviation
    width : standard deviations from the middle to a band
    direction : "long" enters long when the close falls below the lower band and exits when it reaches the middle; "short" is the mirror,
        with the upper band; "both" does both

    What counts is the crossing, from the last value of %b to this one: the first value crosses nothing. A flat window has no %b.
    """

    window: int = Parameter(20, low=2, integer=True)
    width: float = Parameter(2.0, low=0.0)
    direction: str = Parameter("long", choices=DIRECTIONS)

    state: ClassVar[Mapping[str, str]] = {"level": "f8", "seen": "i8"}
    rule = staticmethod(bollinger_rule)

    def indicators(self) -> Mapping[str, Indicator]:
        """`bands`: upper, middle, lower, bandwidth, percent."""
        return {"bands": Indicator("bollinger", self.window, self.width)}
