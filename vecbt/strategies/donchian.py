"""Breakout of a channel of highs and lows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..core.space import Parameter
from ..engine.inputs import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from ..engine.rule_strategy import RuleStrategy
from ..indicators.plan import Indicator
from .sides import DIRECTIONS, permitted

__all__ = ["DonchianBreakout", "donchian_rule"]


def donchian_rule(now, before, params, state):  # type: ignore[no-untyped-def]
    """A close beyond the channels of the bars before: comparisons with a channel that is not there yet are false."""
    flags = 0
    if now.close > before.top:
        flags |= ENTER_LONG
    if now.close < before.floor:
        flags |= EXIT_LONG
    if now.close < before.bottom:
        flags |= ENTER_SHORT
    if now.close > before.ceiling:
        flags |= EXIT_SHORT
    return permitted(flags, params.direction)


@dataclass(frozen=True)
class DonchianBreakout(RuleStrategy):
    """Buy a close above the highest high of the bars before, sell one below a lower, shorter channel.

    Source: R. Donchian's four-week rule, in the form of the Turtles: 20 bars to enter, 10 to leave (Faith, Way of the Turtle, 2007).

    Parameters
    ----------
    entry : bars before this one whose highest high (lowest low) a close must pass to enter long (short)
    leave : bars before this one whose lowest low (highest high) a close must pass to exit a long (short) position
    direction : "long", "short" or "both"

    A close beyond the channel of entry asks for the position on every such bar: after a stop it is entered again at the next new high.
    """

    entry: int = Parameter(20, low=1, integer=True)
    leave: int = Parameter(10, low=1, integer=True)
    direction: str = Parameter("long", choices=DIRECTIONS)

    rule = staticmethod(donchian_rule)

    @property
    def warmup(self) -> int:
        """Bars before the shorter channel of bars before can be passed."""
        return min(self.entry, self.leave)

    def indicators(self) -> Mapping[str, Indicator]:
        """`top` and `bottom`, the channel of entry; `ceiling` and `floor`, that of exit."""
        return {
            "top": Indicator("rolling_max", self.entry, of="high"),
            "bottom": Indicator("rolling_min", self.entry, of="low"),
            "ceiling": Indicator("rolling_max", self.leave, of="high"),
            "floor": Indicator("rolling_min", self.leave, of="low"),
        }
