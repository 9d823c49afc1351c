"""Against the move: RSI that leaves its middle and comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..core.space import Parameter
from ..indicators.plan import Indicator
from .sides import DIRECTIONS, Turning, faded

__all__ = ["RsiReversion", "rsi_rule"]


def rsi_rule(now, before, params, state):  # type: ignore[no-untyped-def]
    """A trade when the RSI crosses one of its three levels."""
    return faded(now.rsi, state, params.oversold, params.leave, params.overbought, params.direction)


@dataclass(frozen=True)
class RsiReversion(Turning):
    """Buy what fell too fast, by the relative strength index (Wilder, New Concepts in Technical Trading Systems, 1978, section 6).

    Parameters
    ----------
    window : bars of the RSI
    oversold : RSI, 0 to 100, below which a long position is entered
    leave : RSI at which a position is left, from either side
    overbought : RSI above which a short position is entered
    direction : "long" enters long when the RSI falls below `oversold` and exits when it reaches `leave`; "short" is the mirror, with
        `overbought`; "both" does both

    What counts is the crossing of a level, from the last value to this one: the first value crosses nothing, and a position that a stop
    has closed is not entered again before the RSI was back above `oversold`.
    """

    window: int = Parameter(14, low=1, integer=True)
    oversold: float = Parameter(30.0, low=0.0, high=100.0, below="leave")
    leave: float = Parameter(50.0, low=0.0, high=100.0, below="overbought")
    overbought: float = Parameter(70.0, low=0.0, high=100.0)
    direction: str = Parameter("long", choices=DIRECTIONS)

    state: ClassVar[Mapping[str, str]] = {"level": "f8", "seen": "i8"}
    rule = staticmethod(rsi_rule)

    def indicators(self) -> Mapping[str, Indicator]:
        """`rsi` of the close."""
        return {"rsi": Indicator("rsi", self.window)}
