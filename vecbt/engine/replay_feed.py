"""The default feed: evaluate the whole strategy on the bars so far, or on the last of them, and answer with the last row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.bar import NormalBar
from ..data.bars import Bars
from ..data.market import Market
from ..errors import StateError
from ..indicators.save import pack, unpack
from .inputs import AlignedInputs
from .strategy import declared_lookback, evaluate, written

if TYPE_CHECKING:
    from .strategy import Strategy

__all__ = ["ReplayFeed"]

_FIRST_ROOM = 256


class ReplayFeed:
    """Right for any strategy, because it never has a later bar; the work grows with the square of the number of bars.

    It keeps the bars so far (5, room, N) and doubles the room when it is full; what `rows` gets is a view. Where the strategy declares a
    `lookback`, it keeps and gives the last `lookback` bars only (all there are, before there are so many), and the work grows no more.
    """

    def __init__(self, strategy: Strategy, market: Market) -> None:
        self._strategy, self._market = strategy, market
        self._lookback = declared_lookback(strategy)
        self._block = np.empty((5, _FIRST_ROOM, market.N))
        self._index = np.empty(_FIRST_ROOM, dtype=np.int64)
        self._count = 0

    def update(self, bar: NormalBar) -> AlignedInputs:
        """The last row of the strategy on all bars so far, this one included."""
        at = self._count
        if at == len(self._index):
            at = self._make_room(2 * at)
        self._block[:, at] = bar.prices
        self._index[at] = bar.time
        self._count = at + 1
        return evaluate(self._strategy, self._bars()).row(-1)

    def _make_room(self, room: int) -> int:
        """Room for more bars. Those that no row can need again go; the number of those that stay."""
        kept = self._kept()
        block, index = self._block[:, kept], self._index[kept]
        self._count = len(index)
        room = room if self._lookback is None else max(_FIRST_ROOM, 2 * self._lookback)
        self._block = np.empty((5, room, block.shape[2]))  # a new one: a strategy may have kept a view of the old
        self._index = np.empty(room, dtype=np.int64)
        self._block[:, : self._count] = block
        self._index[: self._count] = index
        return self._count

    def _kept(self) -> slice:
        """Where the bars stand that a row may use."""
        return slice(0 if self._lookback is None else max(0, self._count - self._lookback), self._count)

    def _bars(self) -> Bars:
        kept = self._kept()
        block = self._block[:, kept]
        has_market = ~np.isnan(block[3])
        # a volume is there for all bars with a market or for none
        has_volume = not has_market.any() or not bool(np.isnan(block[4][has_market][0]))
        return Bars._trusted(block, self._index[kept], self._market, has_volume=has_volume)

    def _header(self) -> dict[str, Any]:
        strategy = self._strategy
        return {
            "kind": "replay",
            "strategy": written(strategy),
            "symbols": list(self._market.symbols),
            "lookback": self._lookback,
        }

    def save(self) -> bytes:
        """The bars so far, or those that a row may use, as bytes."""
        kept = self._kept()
        return pack(self._header(), self._block[:, kept], self._index[kept])

    def restore(self, data: bytes) -> None:
        """Go on from saved bytes; StateError when they are of another strategy, other parameters or other symbols."""
        block, index = unpack(data, self._header())
        if block.shape != (5, len(index), self._market.N):
            raise StateError(f"the saved bars have shape {block.shape}; expected (5, {len(index)}, {self._market.N})")
        if self._lookback is not None and len(index) > self._lookback:
            raise StateError(f"the saved state holds {len(index)} bars; a lookback of {self._lookback} keeps no more than that")
        self._count = 0
        self._make_room(max(_FIRST_ROOM, 2 * len(index)))
        self._block[:, : len(index)] = block
        self._index[: len(index)] = index
        self._count = len(index)
