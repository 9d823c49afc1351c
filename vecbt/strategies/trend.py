"""Trend following on two moving averages: SmaCross and EmaCross.

Averages and the crossing rule are stepped in one compiled loop, so that no average is ever written down. `rows` runs it over
all bars, the feed over one: both say the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayTN, Block
from ..core.codes import InputKind
from ..core.direct import direct
from ..core.jit import kernel, kernel_loop
from ..core.space import Parameter
from ..core.state import plain, schema_hash
from ..data.bar import NormalBar
from ..data.bars import Bars
from ..data.market import Market
from ..engine.inputs import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, AlignedInputs
from ..engine.strategy import Strategy, written
from ..errors import ConfigError
from ..indicators.moving import ema_init, ema_step, sma_init, sma_load, sma_next, sma_store
from ..indicators.save import pack, unpack
from ..indicators.shape import readonly
from ..indicators.windows import chunk_length

__all__ = ["CrossFeed", "EmaCross", "SmaCross", "cross_next", "ema_cross_run", "sma_cross_run"]

_SAYS = {
    "long": (ENTER_LONG, EXIT_LONG),
    "short": (EXIT_SHORT, ENTER_SHORT),
    "both": (ENTER_LONG, ENTER_SHORT),
}
"""What a cross upwards and one downwards say."""


@kernel
def cross_next(before, fast, slow, says):  # type: ignore[no-untyped-def]
    """One bar of one asset: the flags, and the side last taken (1 above, -1 below, 0 none yet).

    A first side is no change; ties and missing averages keep the side.
    """
    side = 0
    if fast > slow:
        side = 1
    if fast < slow:
        side = -1
    flags = 0
    if side > 0 and before < 0:
        flags = says[0]
    if side < 0 and before > 0:
        flags = says[1]
    return flags, side if side != 0 else before


@kernel_loop
def sma_cross_run(fast, fast_buffers, slow, slow_buffers, befores, says, prices, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on: flags uint8 (T, N) into `out`."""
    bars, length = prices.shape[0], chunk_length(prices.shape[1])
    for start in range(0, bars, length):
        for n in range(prices.shape[1]):
            a, a_buffer, b, b_buffer = sma_load(fast[n]), fast_buffers[n], sma_load(slow[n]), slow_buffers[n]
            before = befores[n]
            for t in range(start, min(start + length, bars)):
                quick, a = sma_next(a, a_buffer, prices[t, n])
                calm, b = sma_next(b, b_buffer, prices[t, n])
                flags, before = cross_next(before, quick, calm, says)
                out[t, n] = flags
            sma_store(fast[n], a)
            sma_store(slow[n], b)
            befores[n] = before


@kernel_loop
def ema_cross_run(fast, fast_params, slow, slow_params, befores, says, prices, out):  # type: ignore[no-untyped-def]
    """The same with exponential averages."""
    for t in range(prices.shape[0]):
        for n in range(prices.shape[1]):
            quick = ema_step(fast[n], prices[0], fast_params[0], prices[t, n])
            calm = ema_step(slow[n], prices[0], slow_params[0], prices[t, n])
            out[t, n], befores[n] = cross_next(befores[n], quick, calm, says)


def _sma_state(window: int, assets: int) -> tuple[Any, Any]:
    states, buffers, _ = sma_init(assets, window)
    return states, buffers


def _ema_state(window: int, assets: int) -> tuple[Any, Any]:
    states, _, params = ema_init(assets, window)
    return states, params


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

    _state: ClassVar[Any]  # (window, assets) to what an average keeps: states and buffers, or states and parameters
    _run: ClassVar[Any]  # one of the loops above

    def rows(self, bars: Bars) -> AlignedInputs:
        """Signals for all bars."""
        flags = np.empty((bars.T, bars.N), dtype=np.uint8)
        CrossFeed(self, bars.market).run(readonly(np.ascontiguousarray(bars.close)), flags)
        return AlignedInputs(InputKind.SIGNALS, flags, None)

    def feed(self, market: Market) -> CrossFeed:
        """Steps the two averages: two additions a bar, whatever the windows."""
        return CrossFeed(self, market)


class CrossFeed:
    """The stepping feed of SmaCross and EmaCross. Its state: two averages and the side last taken, per asset."""

    kind = InputKind.SIGNALS

    def __init__(self, strategy: _Cross, market: Market) -> None:
        self._strategy = strategy
        kind = type(strategy)
        averages = (*kind._state(strategy.fast, market.N), *kind._state(strategy.slow, market.N))
        self._parts = [*averages, np.zeros(market.N, dtype=np.int64)]
        self._arguments = (*(plain(part) if part.dtype.names else part for part in self._parts), _SAYS[strategy.direction])
        self._prices = np.empty((1, market.N))
        self._view = readonly(self._prices)

    def run(self, prices: ArrayTN, out: NDArray[np.uint8]) -> None:
        """All bars of read-only closes (T, N): flags (T, N) into `out`; the state goes on."""
        type(self._strategy)._run(*self._arguments, prices, out)

    def update(self, bar: NormalBar) -> AlignedInputs:
        """Signals (1, N) of one more bar."""
        self._prices[0] = bar.close
        flags = np.empty(self._prices.shape, dtype=np.uint8)
        self.run(self._view, flags)
        return AlignedInputs(InputKind.SIGNALS, flags, None)

    def stepper(self, prices: Block, out: NDArray[np.uint8]) -> Callable[[], object]:
        """The same as a compiled call, see `SteppingFeed`."""
        arguments = (*self._arguments, prices[3], out)
        return partial(direct(type(self._strategy)._run, *arguments), *arguments)

    def _header(self) -> dict[str, Any]:
        layout = schema_hash(*(part.dtype for part in self._parts if part.dtype.names))
        return {"kind": "cross", "strategy": written(self._strategy), "assets": self._prices.shape[1], "layout": layout}

    def save(self) -> bytes:
        """The state as bytes."""
        return pack(self._header(), *self._parts)

    def restore(self, data: bytes) -> None:
        """Go on from saved bytes; StateError when they are of another strategy or other parameters."""
        for part, saved in zip(self._parts, unpack(data, self._header()), strict=True):
            part[...] = saved.view(part.dtype)


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

    _state = staticmethod(_sma_state)
    _run = staticmethod(sma_cross_run)


@dataclass(frozen=True)
class EmaCross(_Cross):
    """Crossing of two exponential moving averages of the close; everything else as in `SmaCross`.

    Parameters
    ----------
    fast, slow : spans in bars, fast < slow
    direction : "long", "short" or "both"
    """

    _state = staticmethod(_ema_state)
    _run = staticmethod(ema_cross_run)
