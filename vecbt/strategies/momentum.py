"""Momentum over assets (PFM-05): hold the ones that rose most, and choose again on a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayN, ArrayTN
from ..core.space import Parameter
from ..data.bar import NormalBar
from ..data.bars import Bars
from ..data.calendar import SessionClock
from ..data.market import Market
from ..engine.inputs import Weights
from ..engine.strategy import Strategy, written
from ..indicators.plan import Indicator, IndicatorPlan, PlanStream
from ..indicators.save import pack, unpack
from ..indicators.shape import readonly
from .schedule import PERIODS, begins_of, first_in_period, period_of

__all__ = ["MomentumRotation", "RotationFeed"]


@dataclass(frozen=True)
class MomentumRotation(Strategy):
    """Equal weights for the assets with the highest past returns, chosen at the first bar of every period.

    Source: Jegadeesh and Titman, Returns to buying winners and selling losers, Journal of Finance 48 (1993); a past return that must be
    above zero is the absolute momentum of Antonacci, Dual Momentum Investing (2014).

    Parameters
    ----------
    lookback : bars of the past return, counted for each asset in bars that had a market
    top_n : how many assets are held, each with a weight of 1/top_n; the places that nobody takes stay cash
    every : "bar", "day", "week", "month", "quarter" or "year", by session dates
    skip : bars left out between the past return and now, against the reversal of the last weeks
    absolute : True: only assets whose past return is above zero are chosen

    It gives target weights, at the first bar with a market that an asset has in a period; between them nothing is said, so weights drift.
    Chosen from are the assets that have a market at the first bar of the period and a past return; equal returns go by the order of the
    symbols. Before any asset has a past return nothing is said.
    """

    lookback: int = Parameter(126, low=1, integer=True)
    top_n: int = Parameter(5, low=1, integer=True)
    every: str = Parameter("month", choices=PERIODS[1:])
    skip: int = Parameter(0, low=0, integer=True)
    absolute: bool = Parameter(False, choices=(True, False))

    @property
    def warmup(self) -> int:
        """Bars before the first past return."""
        return self.lookback + self.skip

    @property
    def plan(self) -> IndicatorPlan:
        """The returns of which the past one is made: to now, and of the bars left out."""
        declared = {"whole": Indicator("roc", self.lookback + self.skip)}
        return IndicatorPlan(declared | ({"recent": Indicator("roc", self.skip)} if self.skip else {}))

    def targets(self, columns: NDArray[np.float64]) -> ArrayN:
        """The weights (N,) of a period, from the returns (K, N) in percent at its first bar; NaN for all where there are none."""
        past, floor = columns[0], 0.0
        if self.skip:
            with np.errstate(divide="ignore", invalid="ignore"):
                past, floor = (100.0 + columns[0]) / (100.0 + columns[1]), 1.0
        known = np.isfinite(past)
        if not known.any():
            return np.full(len(past), np.nan)
        wanted = known & (past > floor) if self.absolute else known
        order = np.argsort(-past, kind="stable")
        chosen = order[wanted[order]][: self.top_n]
        out = np.zeros(len(past))
        out[chosen] = 1.0 / self.top_n
        return out

    def rows(self, bars: Bars) -> Weights:
        """The weights at each asset's first bar of a period, NaN on the others."""
        columns = np.stack(list(self.plan.on(bars).values()))
        begins = begins_of(bars.session, self.every)
        targets: ArrayTN = np.full((bars.T, bars.N), np.nan)
        for t in np.flatnonzero(begins):
            targets[t] = self.targets(columns[:, t])
        held = targets[np.flatnonzero(begins)][np.cumsum(begins) - 1]
        return Weights(np.where(first_in_period(~np.isnan(bars.close), begins), held, np.nan))

    def feed(self, market: Market) -> RotationFeed:
        """Steps the returns; remembers the weights of the period, and who has been told."""
        return RotationFeed(self, market)


class RotationFeed:
    """The stepping feed of MomentumRotation."""

    def __init__(self, strategy: MomentumRotation, market: Market) -> None:
        self._strategy, self._clock = strategy, SessionClock(market)
        self._stream = PlanStream(strategy.plan, market.N)
        self._prices, self._columns = np.empty((5, 1, market.N)), np.empty((len(strategy.plan.columns), 1, market.N))
        self._steps = self._stream.steppers(readonly(self._prices), None, self._columns)
        self._period = np.array([np.iinfo(np.int64).min])
        self._targets = np.full(market.N, np.nan)
        self._told = np.zeros(market.N, dtype=bool)

    def update(self, bar: NormalBar) -> Weights:
        """Weights (N,) of one more bar, NaN where nothing changes."""
        self._prices[:, 0] = bar.prices
        for step in self._steps:
            step()
        every = self._strategy.every
        period = period_of(np.array([self._clock.day(bar.time)]), every)
        if every == "bar" or period[0] != self._period[0]:
            self._period[:] = period
            self._targets[:] = self._strategy.targets(self._columns[:, 0])
            self._told[:] = False
        first = ~np.isnan(bar.close) & ~self._told
        self._told |= first
        return Weights(np.where(first, self._targets, np.nan))

    @property
    def _parts(self) -> list[NDArray[Any]]:
        return [self._period, self._targets, self._told, *self._stream.parts]

    def _header(self) -> dict[str, Any]:
        return {"kind": "rotation", "strategy": written(self._strategy), "indicators": self._stream.header}

    def save(self) -> bytes:
        """The state as bytes."""
        return pack(self._header(), *self._parts)

    def restore(self, data: bytes) -> None:
        """Go on from saved bytes; StateError when they are of another strategy or other parameters."""
        for part, saved in zip(self._parts, unpack(data, self._header()), strict=True):
            part[...] = saved.view(part.dtype)
