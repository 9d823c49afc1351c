"""Trend following on two moving averages: SmaCross and EmaCross."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..core.space import Parameter
from ..indicators.plan import Indicator
from .sides import DIRECTIONS, Turning, turned

__all__ = ["EmaCross", "SmaCross", "cross_rule"]


def cross_rule(now, before, params, state):  # type: ignore[no-untyped-def]
    """A trade when `quick` changes its side of `calm`."""
    return turned(now.quick, now.calm, state, params.direction)


@dataclass(frozen=True)
class _Cross(Turning):
    """Two averages of the close, and a trade when the fast one changes its side of the slow one."""

    fast: int = Parameter(20, low=1, integer=True, below="slow")
    slow: int = Parameter(100, low=2, integer=True)
    direction: str = Parameter("long", choices=DIRECTIONS)

    average: ClassVar[str]
    rule = staticmethod(cross_rule)

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
    Source: the double crossover method of Murphy, Technical Analysis of the Financial Markets (1999), chapter 9.
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
