"""What single-asset strategies share: sides, their changes, and levels that are crossed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..core.jit import kernel
from ..engine.inputs import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from ..engine.rule_strategy import RuleStrategy
from ..indicators.crossing import cross_next

__all__ = ["DIRECTIONS", "Turning", "faded", "permitted", "turned"]

DIRECTIONS = ("long", "short", "both")
_LONG = ENTER_LONG | EXIT_LONG
_SHORT = ENTER_SHORT | EXIT_SHORT


@kernel
def permitted(flags, direction):  # type: ignore[no-untyped-def]
    """The flags of the sides that may be held: 0 long, 1 short, 2 both."""
    if direction == 0:
        return flags & _LONG
    return flags & _SHORT if direction == 1 else flags


@kernel
def turned(one, other, state, direction):  # type: ignore[no-untyped-def]
    """A trade when `one` changes its side of `other`: a first side is no change; ties and missing values keep the side.

    `state.side` is the side last taken: 1 above, -1 below, 0 none yet.
    """
    crossed, state.side = cross_next(state.side, one, other, (1, -1))
    if crossed > 0:
        return EXIT_SHORT if direction == 1 else ENTER_LONG
    if crossed < 0:
        return EXIT_LONG if direction == 0 else ENTER_SHORT
    return 0


@kernel
def faded(level, state, low, middle, high, direction):  # type: ignore[no-untyped-def]
    """Against the move: long when `level` falls below `low`, short when it rises above `high`, out when it reaches `middle` again.

    What counts is the way from the last value there was, which `state` keeps (`level`, and `seen` once there is one).
    """
    if level != level:
        return 0
    was, seen = state.level, state.seen
    state.level = level
    state.seen = 1
    if seen == 0:
        return 0
    flags = 0
    if was >= low and level < low:
        flags |= ENTER_LONG
    if was < middle and level >= middle:
        flags |= EXIT_LONG
    if was <= high and level > high:
        flags |= ENTER_SHORT
    if was > middle and level <= middle:
        flags |= EXIT_SHORT
    return permitted(flags, direction)


@dataclass(frozen=True)
class Turning(RuleStrategy):
    """Base of strategies that trade where something changes: the first value is no change, so they need one bar more than it."""

    state: ClassVar[Mapping[str, str]] = {"side": "i8"}

    @property
    def warmup(self) -> int:
        """Bars before the first possible change: those before the first values, and that of the first values."""
        return self.plan.warmup + 1
