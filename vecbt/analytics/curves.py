"""What follows from a run by arithmetic: positions, exposure, drawdown, returns. Arrays, each computed once, when asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayN, ArrayTG, ArrayTN
from ..metrics.drawdowns import drawdowns_of
from ..metrics.holdings import exposures, marks, position_values, positions
from ..metrics.returns import simple_returns_of

if TYPE_CHECKING:
    from ..engine.run import Run

__all__ = ["Curves"]


class Curves:
    """Derived series of one run: `(T, N)` by asset, `(T, G)` by account."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @cached_property
    def start(self) -> tuple[ArrayN, ArrayN]:
        """Quantities and entry prices before the first bar, `(N,)` each (F14); 0 and NaN where nothing was held."""
        market, given = self._run.bars.market, self._run.setup.positions or {}
        quantity, price = np.zeros(len(market.symbols)), np.full(len(market.symbols), np.nan)
        for symbol, (q, p) in given.items():
            quantity[market.symbols.index(symbol)], price[market.symbols.index(symbol)] = q, p
        return quantity, price

    @cached_property
    def positions(self) -> ArrayTN:
        """Signed quantity at each close, from starting positions and fills."""
        return positions(self._run.fills, self.start[0], self._run.bars.T)

    @cached_property
    def values(self) -> ArrayTN:
        """Signed value of each position at its mark, the last valid close (T6)."""
        mark = marks(self._run.bars.close, self.start[1])
        return position_values(self.positions, mark, self._run.bars.market.multiplier)

    @cached_property
    def exposures(self) -> tuple[ArrayTG, ArrayTG]:
        """Gross and net exposure, fractions of equity."""
        return exposures(self.values, self._run.equity)

    @cached_property
    def held(self) -> NDArray[np.bool_]:
        """Whether an account holds anything at each close."""
        held: NDArray[np.bool_] = self.positions != 0.0
        return held if self.separate else np.asarray(held.any(axis=1, keepdims=True))

    @cached_property
    def drawdown(self) -> ArrayTG:
        """Drawdown at each close, a fraction of the peak (Z1)."""
        return drawdowns_of(self._run.equity, self._run.initial)[0]

    @cached_property
    def returns(self) -> ArrayTG:
        """Simple return of each bar (M1)."""
        return simple_returns_of(self._run.equity, self._run.initial)

    @property
    def separate(self) -> bool:
        """Whether each asset has an account of its own."""
        return bool(self._run.equity.shape[1] > 1)

    def per_account(self, flags: NDArray[Any]) -> NDArray[np.int64]:
        """How many of the assets flagged `(N,)` each account has, `(G,)`."""
        return flags.astype(np.int64) if self.separate else np.array([int(flags.sum())], dtype=np.int64)
