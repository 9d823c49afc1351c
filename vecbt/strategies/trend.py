"""Trend following on two moving averages: SmaCross and EmaCross.

The crossing rule is one elementwise function. `rows` applies it to whole matrices, the feed to one row, and both get
their averages from the same compiled step, so both say the same to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayTN
from ..core.space import Parameter
from ..data.bar import NormalBar
from ..data.bars import Bars
from ..data.market import Market
from ..engine.inputs import Signals
from ..engine.strategy import Strategy
from ..errors import ConfigError
from ..indicators.moving import EmaStream, SmaStream, ema, sma
from ..indicators.save import pack, unpack

__all__ = ["CrossFeed", "EmaCross", "SmaCross"]

Sides = NDArray[np.int8]


def _sides(fast: ArrayTN, slow: ArrayTN) -> Sides:
    """1 where fast is above slow, -1 where it is below, 0 where they are equal or one is missing."""
    return (fast > slow).astype(np.int8) - (fast < slow).astype(np.int8)


def _sides_before(sides: Sides) -> Sides:
    """The last side taken before each bar (T, N); 0 where there was none. Ties and missing bars take no side."""
    bar = np.where(sides != 0, np.arange(1, len(sides) + 1, dtype=np.int64)[:, None], 0)
    last = np.zeros_like(bar)
    np.maximum.accumulate(bar[:-1], axis=0, out=last[1:])
    taken = np.concatenate([np.zeros((1, sides.shape[1]), dtype=np.int8), sides])
    return np.take_along_axis(taken, last, axis=0)


def _cross_signals(side: Sides, before: Sides, direction: str) -> Signals:
    """Signals where the side changes; a first side is no change. For a matrix (T, N) or a row (N,)."""
    up = (side > 0) & (before < 0)
    down = (side < 0) & (before > 0)
    if direction == "long":
        return Signals(entries=up, exits=down)
    if direction == "short":
        return Signals(short_entries=down, short_exits=up)
    return Signals(entries=up, short_entries=down)


@dataclass(frozen=True)
class _Cross(Strategy):
    """Two averages of the close, and a trade when the fast one changes its side of the slow one."""

    fast: int = Parameter(20, low=1, integer=True)
    slow: int = Parameter(100, low=2, integer=True)
    direction: str = Parameter("long", choices=("long", "short", "both"))

    def check(self) -> None:
        """The fast average must be the shorter one."""
        if self.fast >= self.slow:
            raise ConfigError(f"{self.name}.fast is {self.fast}, slow is {self.slow}; expected fast < slow")

    @property
    def warmup(self) -> int:
        """Bars before the first possible cross: the slow average needs `slow` bars, a change needs one more."""
        return self.slow

    _average: ClassVar[Any]  # sma or ema: (Bars, window) to (T, N)
    _stream: ClassVar[type[SmaStream] | type[EmaStream]]

    def rows(self, bars: Bars) -> Signals:
        """Signals for all bars."""
        average = type(self)._average
        side = _sides(average(bars, self.fast), average(bars, self.slow))
        return _cross_signals(side, _sides_before(side), self.direction)

    def feed(self, market: Market) -> CrossFeed:
        """Steps the two averages: two additions a bar, whatever the windows."""
        return CrossFeed(self, market)


class CrossFeed:
    """The stepping feed of SmaCross and EmaCross. Its state: two averages and the side last taken, per asset."""

    def __init__(self, strategy: _Cross, market: Market) -> None:
        self._strategy = strategy
        self._fast, self._slow = strategy._stream(market.N, strategy.fast), strategy._stream(market.N, strategy.slow)
        self._before: Sides = np.zeros(market.N, dtype=np.int8)

    def update(self, bar: NormalBar) -> Signals:
        """Signals (N,) of one more bar."""
        side = _sides(self._fast.update(bar.close), self._slow.update(bar.close))
        signals = _cross_signals(side, self._before, self._strategy.direction)
        self._before = np.where(side != 0, side, self._before)
        return signals

    def _header(self) -> dict[str, Any]:
        return {"kind": "cross", "strategy": repr(self._strategy), "assets": len(self._before)}

    def save(self) -> bytes:
        """The state as bytes."""
        parts = [np.frombuffer(stream.save(), dtype=np.uint8) for stream in (self._fast, self._slow)]
        return pack(self._header(), self._before, *parts)

    def restore(self, data: bytes) -> None:
        """Go on from saved bytes; StateError when they are of another strategy or other parameters."""
        before, fast, slow = unpack(data, self._header())
        self._fast.restore(fast.tobytes())
        self._slow.restore(slow.tobytes())
        self._before = before


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

    _average = staticmethod(sma)
    _stream = SmaStream


@dataclass(frozen=True)
class EmaCross(_Cross):
    """Crossing of two exponential moving averages of the close; everything else as in `SmaCross`.

    Parameters
    ----------
    fast, slow : spans in bars, fast < slow
    direction : "long", "short" or "both"
    """

    _average = staticmethod(ema)
    _stream = EmaStream
