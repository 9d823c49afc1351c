"""What follows from a run by arithmetic: positions, exposure, drawdown, returns.

Arrays are the caller's own, new each time they are asked for.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayTG, ArrayTN
from ..core import memory
from ..metrics.drawdowns import drawdowns_of
from ..metrics.holdings import Holdings, exposures, holdings, positions
from ..metrics.returns import flow_returns_of, simple_returns_of

if TYPE_CHECKING:
    from ..engine.run import Run

__all__ = ["Curves"]


class Curves:
    """Derived series of one run: `(T, N)` by asset, `(T, G)` by account."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @cached_property
    def holdings(self) -> Holdings:
        """What positions follow from: fills, splits, and what was held before the first bar (F14)."""
        bars, given = self._run.bars, self._run.setup.positions or {}
        quantity, price = np.zeros(bars.N), np.full(bars.N, np.nan)
        for symbol, (q, p) in given.items():
            quantity[bars.symbols.index(symbol)], price[bars.symbols.index(symbol)] = q, p
        splits = None if bars.actions is None else bars.actions.split
        return holdings(self._run.fills, quantity, price, bars.close, bars.market.multiplier, splits)

    @property
    def positions(self) -> ArrayTN:
        """Signed quantity at each close, from starting positions and fills."""
        return positions(self.holdings)

    @property
    def exposures(self) -> ArrayTG:
        """Gross and net exposure, fractions of equity: `(2, T, G)`."""
        return exposures(self.holdings, self._run.equity)

    @property
    def drawdown(self) -> ArrayTG:
        """Drawdown at each close, a fraction of the peak (Z1)."""
        return drawdowns_of(self.performance[1], self._run.initial)[0]

    @property
    def returns(self) -> ArrayTG:
        """Simple return of each bar (M1)."""
        copy = memory.empty(self.performance[0].shape)
        copy[...] = self.performance[0]
        return copy

    @cached_property
    def performance(self) -> tuple[ArrayTG, ArrayTG]:
        """Simple returns, and the equity they make: what it is but for deposits and withdrawals (M1). Kept: several figures need them."""
        run = self._run
        if run.flows is None:
            return simple_returns_of(run.equity, run.initial), run.equity
        return flow_returns_of(run.equity, run.flows, run.initial)

    @property
    def plain(self) -> bool:
        """Whether equity is all the account earned: nothing was paid in or out."""
        return self._run.flows is None or not self._run.flows.any()

    @property
    def separate(self) -> bool:
        """Whether each asset has an account of its own."""
        return bool(self._run.equity.shape[1] > 1)

    def per_account(self, flags: NDArray[Any]) -> NDArray[np.int64]:
        """How many of the assets flagged `(N,)` each account has, `(G,)`."""
        return flags.astype(np.int64) if self.separate else np.array([int(flags.sum())], dtype=np.int64)
