"""Bars in another order: each moves as one of the old ones did, so that what is left of a pattern over time is chance."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._typing import ArrayTN
from ...data.bars import Bars
from ...data.market import Market
from ...errors import ConfigError

__all__ = ["Moves", "block_order"]


def block_order(bars: int, block: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """An order of bars 0 to `bars - 1` (int64): the first stays, the others are cut into runs of `block`, which change places.

    Where the first cut falls is drawn, too, so that no two neighbours always stay together.
    """
    if block == 1:
        return np.concatenate([[0], 1 + rng.permutation(bars - 1)]).astype(np.int64)
    first = 1 + int(rng.integers(block))
    edges = np.unique(np.concatenate([[1], np.arange(first, bars, block), [max(bars, 1)]]))
    runs = [np.arange(start, stop) for start, stop in itertools.pairwise(edges)]
    return np.concatenate([[0], *(runs[k] for k in rng.permutation(len(runs)))]).astype(np.int64)


@dataclass(frozen=True)
class Moves:
    """How prices move from bar to bar, as ratios, so that they can be put together in any order.

    A bar is its open over the last close, dividends added, and its high, low and close over its open; volume and funding go with it. All
    assets change places together, so what they do at the same time is kept, and what one bar has to do with the next is not. Splits are in
    the prices, as strategies read them (T9). A bar without a market stays one; an asset that ends early goes on ending early, wherever its
    empty bars fall.

    Attributes
    ----------
    bars : as they were
    gap, high, low, close : float64 (T, N), ratios; NaN without a market
    first : float64 (N,), the price before the first move of each asset
    """

    bars: Bars
    gap: ArrayTN
    high: ArrayTN
    low: ArrayTN
    close: ArrayTN
    first: NDArray[np.float64]

    @classmethod
    def of(cls, bars: Bars) -> Moves:
        """Those of bars; ConfigError for prices that may be 0 or less, which have no ratios."""
        if bars.market.allow_negative.any():
            name = bars.symbols[int(np.flatnonzero(bars.market.allow_negative)[0])]
            raise ConfigError(f"prices of {name} may be negative, and shuffled bars are made of ratios; leave such assets out")
        prices = bars.for_strategies.block[:4]
        paid = 0.0 if bars.actions is None else bars.actions.dividend * bars.actions.scale
        opened, closed = prices[0], prices[3]
        last = _last_known(closed)
        before = np.vstack([np.full((1, bars.N), np.nan), last[:-1]])
        gap = np.where(np.isnan(before), 1.0, (opened + paid) / before)
        gap[np.isnan(opened)] = np.nan
        seen = ~np.isnan(opened)
        at = np.argmax(seen, axis=0)
        return cls(bars, gap, prices[1] / opened, prices[2] / opened, closed / opened, opened[at, np.arange(bars.N)])

    def ordered(self, order: NDArray[np.int64]) -> Bars:
        """Bars (T, N) with the old labels whose moves stand in this order; an order of all places gives total-return prices.

        Prices below a bar's low or above its high cannot come out of it: all of a bar's prices are products with the same open.
        """
        gap, body = self.gap[order], self.close[order]
        market = ~np.isnan(gap)
        steps = np.empty((2 * len(order), len(self.first)))
        steps[0::2], steps[1::2] = np.where(market, gap, 1.0), np.where(market, body, 1.0)
        steps[0] *= self.first
        levels = np.cumprod(steps, axis=0)
        block = np.empty((5, *gap.shape))
        block[0] = np.where(market, levels[0::2], np.nan)
        block[3] = np.where(market, levels[1::2], np.nan)
        block[1], block[2] = block[0] * self.high[order], block[0] * self.low[order]
        block[4] = self.bars.for_strategies.block[4][order]
        funding = None if self.bars.funding is None else np.ascontiguousarray(self.bars.funding[order])
        about: dict[str, Any] = {"source": self.bars.periods_per_year_source, "has_volume": self.bars.has_volume, "funding": funding}
        made = Bars._trusted(block, self.bars.index, _market_of(self.bars, funding is not None), **about)
        made.__dict__["session"] = self.bars.session  # the labels are the same; finding their sessions takes longer than a run
        return made


def _market_of(bars: Bars, events: bool) -> Market:
    """The market without splits and dividends, which are in the prices."""
    return replace(bars.market, events=events) if bars.market.events != events else bars.market


def _last_known(values: ArrayTN) -> ArrayTN:
    """Each column's last number so far; NaN before its first."""
    at = np.where(np.isnan(values), -1, np.arange(len(values))[:, None])
    at = np.maximum.accumulate(at, axis=0)
    found = np.take_along_axis(values, np.maximum(at, 0), axis=0)
    return np.where(at < 0, np.nan, found)
