"""What every strategy is compared with: buy and hold, and fixed weights rebalanced on a schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayN
from ..core.space import Parameter
from ..data.bar import NormalBar
from ..data.bars import Bars
from ..data.calendar import session_days
from ..data.market import Market
from ..engine.inputs import Signals, Weights
from ..engine.strategy import Strategy, written
from ..errors import ConfigError, nearest
from ..indicators.save import pack, unpack
from .schedule import PERIODS, begins_of, period_of

__all__ = ["BuyAndHold", "BuyAndHoldFeed", "FixedWeights", "FixedWeightsFeed"]


def _first_present(close: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where each asset has its first market, (T, N)."""
    present = ~np.isnan(close)
    seen = np.zeros_like(present)
    seen[1:] = np.logical_or.accumulate(present[:-1], axis=0)
    return present & ~seen


@dataclass(frozen=True)
class BuyAndHold(Strategy):
    """Buy each asset at its first bar and keep it: the yardstick of Malkiel, A Random Walk Down Wall Street (1973)."""

    def rows(self, bars: Bars) -> Signals:
        """An entry at the first bar of each asset that has a market."""
        return Signals(entries=_first_present(bars.close))

    def feed(self, market: Market) -> BuyAndHoldFeed:
        """Remembers which assets were seen."""
        return BuyAndHoldFeed(market)


class BuyAndHoldFeed:
    """The stepping feed of BuyAndHold."""

    def __init__(self, market: Market) -> None:
        self._seen = np.zeros(market.N, dtype=bool)

    def update(self, bar: NormalBar) -> Signals:
        """Entries (N,) of one more bar."""
        first = ~np.isnan(bar.close) & ~self._seen
        self._seen = self._seen | first
        return Signals(entries=first)

    def save(self) -> bytes:
        """The state as bytes."""
        return pack({"kind": "buy and hold", "assets": len(self._seen)}, self._seen)

    def restore(self, data: bytes) -> None:
        """Go on from saved bytes."""
        (self._seen,) = unpack(data, {"kind": "buy and hold", "assets": len(self._seen)})


@dataclass(frozen=True)
class FixedWeights(Strategy):
    """Hold fixed weights, bought at each asset's first bar and restored at the first bar of every period.

    Source: Perold and Sharpe, Dynamic strategies for asset allocation, Financial Analysts Journal 44 (1988), who call it constant mix; 1/N
    is the benchmark of DeMiguel, Garlappi and Uppal, Review of Financial Studies 22 (2009).

    Parameters
    ----------
    weights : mapping symbol -> weight (fraction of equity, negative: short; symbols left out: 0), or None: 1/N each
    every : "once", "bar", "day", "week", "month", "quarter" or "year", by session dates
    """

    weights: Mapping[str, float] | None = field(default=None, hash=False)  # a mapping has no hash; equality compares it
    every: str = Parameter("month", choices=PERIODS)

    def check(self) -> None:
        """Weights must be finite numbers by symbol."""
        if self.weights is None:
            return
        if not isinstance(self.weights, Mapping) or not self.weights:
            raise ConfigError(f"FixedWeights.weights is {self.weights!r}; expected a mapping such as {{'AAPL': 0.6}}, or None for 1/N each")
        for symbol, weight in self.weights.items():
            if isinstance(weight, bool) or not isinstance(weight, (int, float, np.integer, np.floating)) or not np.isfinite(weight):
                raise ConfigError(f"FixedWeights.weights[{symbol!r}] is {weight!r}; expected a finite number")
        object.__setattr__(self, "weights", dict(self.weights))

    def targets(self, market: Market) -> ArrayN:
        """The weights (N,); ConfigError for a symbol the market does not have."""
        if self.weights is None:
            return np.full(market.N, 1.0 / market.N)
        for symbol in self.weights:
            if symbol not in market.symbols:
                raise ConfigError(f"FixedWeights.weights names {symbol!r}, which is no symbol; {nearest(symbol, market.symbols)}")
        return np.array([float(self.weights.get(symbol, 0.0)) for symbol in market.symbols])

    def rows(self, bars: Bars) -> Weights:
        """The weights on bars that rebalance, NaN on the others."""
        begins = begins_of(bars.session, self.every)
        return Weights(np.where(begins[:, None] | _first_present(bars.close), self.targets(bars.market), np.nan))

    def feed(self, market: Market) -> FixedWeightsFeed:
        """Remembers the period and which assets were seen."""
        return FixedWeightsFeed(self, market)


class FixedWeightsFeed:
    """The stepping feed of FixedWeights."""

    def __init__(self, strategy: FixedWeights, market: Market) -> None:
        self._strategy, self._market = strategy, market
        self._targets = strategy.targets(market)
        self._seen = np.zeros(market.N, dtype=bool)
        self._period: int | None = None

    def update(self, bar: NormalBar) -> Weights:
        """Weights (N,) of one more bar, NaN where nothing changes."""
        day = session_days(np.array([bar.time], dtype=np.int64), self._market)
        period = int(period_of(day, self._strategy.every)[0])
        begins = period != self._period or self._strategy.every == "bar"
        first = ~np.isnan(bar.close) & ~self._seen
        self._seen, self._period = self._seen | first, period
        return Weights(np.where(begins | first, self._targets, np.nan))

    def _header(self) -> dict[str, Any]:
        return {"kind": "fixed weights", "strategy": written(self._strategy), "assets": len(self._seen)}

    def save(self) -> bytes:
        """The state as bytes."""
        period = np.array([] if self._period is None else [self._period], dtype=np.int64)
        return pack(self._header(), self._seen, period)

    def restore(self, data: bytes) -> None:
        """Go on from saved bytes; StateError when they are of another strategy or other parameters."""
        self._seen, period = unpack(data, self._header())
        self._period = int(period[0]) if len(period) else None
