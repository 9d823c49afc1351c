"""Trend following on two moving averages: SmaCross and EmaCross."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..core.space import Parameter
from ..engine.inputs import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from ..engine.rule_strategy import RuleStrategy
from ..indicators.plan import Indicator

__all__ = ["EmaCross", "SmaCross", "cross_rule"]

DIRECTIONS = ("long", "short", "both")


def cross_rule(now, before, params, state):  # type: ignore[no-untyped-def]
    """A trade when `quick` changes its side of `calm`: a first side is no change; ties and missing averages keep the side."""
    side = 0
    if now.quick > now.calm:
        side = 1
    if now.quick < now.calm:
        side = -1
    last = state.side
    if side != 0:
        state.side = side
    if side == 0 or last == 0 or side == last:
        return 0
    if side > 0:
        return EXIT_SHORT if params.direction == 1 else ENTER_LONG
    return EXIT_LONG if params.direction == 0 else ENTER_SHORT


@dataclass(frozen=True)
class _Cross(RuleStrategy):
    """Two averages of the close, and a trade when the fast one changes its side of the slow one."""

    fast: int = Parameter(20, low=1, integer=True, below="slow")
    slow: int = Parameter(100, low=2, integer=True)
    direction: str = Parameter("long", choices=DIRECTIONS)

    average: ClassVar[str]
    state: ClassVar[Mapping[str, str]] = {"side": "i8"}
    rule = staticmethod(cross_rule)

    @property
    def warmup(self) -> int:
        """Bars before the first possible cross: the slow average needs `slow` bars, a change needs one more."""
        return self.slow

    def indicators(self) -> Mapping[str, Indicator]:
        """`quick` and `calm`, the two averages."""
        return {"quick": Indicator(self.average, self.fast), "calm": Indicator(self.average, self.slow)}


@dataclass(frozen=True)
class SmaCross(_Cross):
    """Crossing of two simple moving averages of the close.

    Parameters
    ----------
    fast, slow : windows in bars, fast < slow
    direction : "long" enters long when fast rises above slow and exits when it falls below; "short" is the mirror;
        "both" reverses at each cross

    A cross needs a side before: the first side after the warmup is none. Equal averages and missing bars keep the side.
    """

    average: ClassVar[str] = "sma"


@dataclass(frozen=True)
class EmaCross(_Cross):
    """Crossing of two exponential moving averages of the close; everything else as in `SmaCross`.

    Parameters
    ----------
    fast, slow : spans in bars, fast < slow
    direction : "long", "short" or "both"
    """

    average: ClassVar[str] = "ema"
