"""MACD against its signal line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..core.space import Parameter
from ..indicators.plan import Indicator
from .sides import DIRECTIONS, Turning, turned

__all__ = ["MacdCross", "macd_rule"]


def macd_rule(now, before, params, state):  # type: ignore[no-untyped-def]
    """A trade when the line changes its side of its signal line."""
    return turned(now.macd_macd, now.macd_signal, state, params.direction)


@dataclass(frozen=True)
class MacdCross(Turning):
    """Crossing of the MACD line and its signal line (Appel, Technical Analysis: Power Tools for Active Investors, 2005, chapter 8).

    Parameters
    ----------
    fast, slow : spans in bars of the two averages, fast < slow
    signal : span of the average of their distance
    direction : "long" enters long when the line rises above its signal line and exits when it falls below; "short" is the mirror;
        "both" reverses at each cross

    The first side is no cross. Equal lines and missing bars keep the side.
    """

    fast: int = Parameter(12, low=1, integer=True, below="slow")
    slow: int = Parameter(26, low=2, integer=True)
    signal: int = Parameter(9, low=2, integer=True)
    direction: str = Parameter("long", choices=DIRECTIONS)

    rule = staticmethod(macd_rule)

    def indicators(self) -> Mapping[str, Indicator]:
        """`macd`: line, signal line and histogram."""
        return {"macd": Indicator("macd", self.fast, self.slow, self.signal)}
