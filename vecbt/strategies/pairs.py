"""Two assets whose price ratio comes back to its mean."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayN
from ..core.jit import kernel, kernel_loop
from ..core.space import Parameter
from ..data.bar import NormalBar
from ..data.bars import Bars
from ..data.market import Market
from ..engine.inputs import Weights
from ..engine.strategy import Strategy, written
from ..errors import ConfigError, nearest
from ..indicators.compute import compute
from ..indicators.registry import find
from ..indicators.save import pack, unpack
from ..indicators.streaming import IndicatorStream

__all__ = ["PairsFeed", "PairsReversion", "pair_next", "pair_run"]


@kernel
def pair_next(side, score, entry, leave):  # type: ignore[no-untyped-def]
    """The side of the ratio after one more bar, 1 long, -1 short, 0 flat: entered beyond `entry`, left within `leave` of the mean."""
    if score != score:
        return side
    if score > entry:
        return -1.0
    if score < -entry:
        return 1.0
    if (side > 0.0 and score >= -leave) or (side < 0.0 and score <= leave):
        return 0.0
    return side


@kernel_loop
def pair_run(side, scores, entry, leave, out):  # type: ignore[no-untyped-def]
    """All bars from the side (1,) on: the side where it changes, NaN where it stays, into `out` (T,)."""
    for t in range(scores.shape[0]):
        now = pair_next(side[0], scores[t], entry, leave)
        out[t] = now if now != side[0] else math.nan
        side[0] = now


def _ratio(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """first/second where both prices are above 0, else NaN."""
    good = (first > 0.0) & (second > 0.0)
    return np.where(good, first, np.nan) / np.where(good, second, 1.0)


@dataclass(frozen=True)
class PairsReversion(Strategy):
    """Trade the ratio of two prices against its distance from its mean, by a rolling z-score.

    Source: Gatev, Goetzmann and Rouwenhorst, Pairs trading, Review of Financial Studies 19 (2006), whose rule is two standard deviations;
    the ratio and its moving z-score are those of Chan, Algorithmic Trading (2013), chapter 3.

    Parameters
    ----------
    first, second : symbols of the pair; None: the market's two assets, in their order
    window : bars of the mean and the standard deviation of the ratio first/second
    entry : standard deviations from the mean beyond which the pair is entered: above, short `first` and long `second`; below, the other
        way round
    leave : standard deviations from the mean at which it is left, from the side where it was entered
    weight : of each leg, a fraction of equity

    It gives target weights for both legs, on the bars where the side changes; other assets are left alone. Bars on which either asset has
    no market, or no price above 0, are left out of the ratio, and nothing is said there.
    """

    first: str | None = None
    second: str | None = None
    window: int = Parameter(60, low=2, integer=True)
    entry: float = Parameter(2.0, low=0.0)
    leave: float = Parameter(0.5, low=0.0, below="entry")
    weight: float = Parameter(0.5, low=0.0)

    def check(self) -> None:
        """Both symbols or none."""
        if (self.first is None) != (self.second is None) or (self.first is not None and self.first == self.second):
            raise ConfigError(f"PairsReversion.first is {self.first!r}, second is {self.second!r}; expected two symbols, or None for both")

    @property
    def warmup(self) -> int:
        """Bars before the first z-score."""
        return self.window - 1

    def legs(self, market: Market) -> tuple[int, int]:
        """Columns of the two assets; ConfigError for a symbol the market does not have."""
        if self.first is None or self.second is None:
            if market.N != 2:
                raise ConfigError(f"PairsReversion trades two assets, and there are {market.N}; name them: first=..., second=...")
            return 0, 1
        for symbol in (self.first, self.second):
            if symbol not in market.symbols:
                raise ConfigError(f"PairsReversion names {symbol!r}, which is no symbol; {nearest(symbol, market.symbols)}")
        return market.symbols.index(self.first), market.symbols.index(self.second)

    def weights(self, sides: ArrayN, legs: tuple[int, int], assets: int) -> NDArray[np.float64]:
        """Target weights (T, N) from the sides (T,) of the ratio, NaN where they stay."""
        out = np.full((len(sides), assets), np.nan)
        out[:, legs[0]] = self.weight * sides
        out[:, legs[1]] = -self.weight * sides
        return out + 0.0  # one way to write zero

    def rows(self, bars: Bars) -> Weights:
        """Weights of both legs where the side changes."""
        legs = self.legs(bars.market)
        ratio = _ratio(bars.close[:, legs[0]], bars.close[:, legs[1]])
        scores = np.ascontiguousarray(compute(find("zscore"), (ratio,), self.window))
        sides = np.empty(bars.T)
        pair_run(np.zeros(1), scores, self.entry, self.leave, sides)
        return Weights(self.weights(sides, legs, bars.N))

    def feed(self, market: Market) -> PairsFeed:
        """Steps the z-score; remembers the side."""
        return PairsFeed(self, market)


class PairsFeed:
    """The stepping feed of PairsReversion."""

    def __init__(self, strategy: PairsReversion, market: Market) -> None:
        self._strategy, self._assets = strategy, market.N
        self._legs = strategy.legs(market)
        self._stream = IndicatorStream(find("zscore"), strategy.window)
        self._side = np.zeros(1)

    def update(self, bar: NormalBar) -> Weights:
        """Weights (N,) of one more bar, NaN where nothing changes."""
        first, second = self._legs
        score = self._stream.update(_ratio(bar.close[first : first + 1], bar.close[second : second + 1]))
        said = np.empty(1)
        pair_run(self._side, np.ascontiguousarray(score), self._strategy.entry, self._strategy.leave, said)
        return Weights(self._strategy.weights(said, self._legs, self._assets)[0])

    @property
    def _parts(self) -> list[NDArray[Any]]:
        return [self._side, *self._stream.parts]

    def _header(self) -> dict[str, Any]:
        header = {"kind": "pair", "strategy": written(self._strategy), "assets": self._assets, "legs": list(self._legs)}
        return {**header, "indicator": self._stream.header}

    def save(self) -> bytes:
        """The state as bytes."""
        return pack(self._header(), *self._parts)

    def restore(self, data: bytes) -> None:
        """Go on from saved bytes; StateError when they are of another strategy, other parameters or other assets."""
        for part, saved in zip(self._parts, unpack(data, self._header()), strict=True):
            part[...] = saved.view(part.dtype)
