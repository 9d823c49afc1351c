"""Trend of each asset, at a size that its volatility allows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..core.space import Parameter
from ..engine.inputs import Weights
from ..engine.rule_strategy import RuleStrategy
from ..indicators.plan import Indicator
from .sides import DIRECTIONS

__all__ = ["VolatilityTargetedTrend", "volatility_target_rule"]


def volatility_target_rule(now, before, params, state):  # type: ignore[no-untyped-def]
    """The target weight where it is another side, or further than the band from the last one said; else nan."""
    annual = now.sigma * math.sqrt(params.periods)
    if not annual > 0.0 or now.past != now.past:
        return math.nan
    weight = 0.0
    if now.past > 0.0 and params.direction != 1:
        weight = params.share * min(params.most, params.target / annual)
    if now.past < 0.0 and params.direction != 0:
        weight = -params.share * min(params.most, params.target / annual)
    last = state.weight
    if state.said == 1 and abs(weight - last) <= params.inertia * abs(last):
        return math.nan
    state.weight = weight
    state.said = 1
    return weight


@dataclass(frozen=True)
class VolatilityTargetedTrend(RuleStrategy):
    """Time series momentum: the side of the past return, at a weight of target volatility over volatility.

    Source: Moskowitz, Ooi and Pedersen, Time series momentum, Journal of Financial Economics 104 (2012), equation 5; their volatility has
    a centre of mass of 60 days, which is the default `decay`. That small changes of a target are left alone is position inertia (Carver,
    Systematic Trading, 2015, chapter 11).

    Parameters
    ----------
    window : bars of the past return whose sign is the side; a return of exactly 0 is flat
    target : volatility that a position shall have, a fraction per year
    decay : of the volatility, see `vb.indicators.ewma_volatility`
    periods : bars in a year
    most : largest weight before `share`, a fraction of equity
    share : of the equity for each asset: 1/N where N assets share one account
    inertia : a target nearer than this to the last one said, as a fraction of it, is not said
    direction : sides that may be held: "long", "short" or "both"

    It gives target weights. Where the price does not move (volatility 0) nothing is said.
    """

    window: int = Parameter(252, low=1, integer=True)
    target: float = Parameter(0.15, low=0.0)
    decay: float = Parameter(0.9836, low=0.0, high=1.0)
    periods: float = Parameter(252.0, low=1.0)
    most: float = Parameter(1.0, low=0.0)
    share: float = Parameter(1.0, low=0.0)
    inertia: float = Parameter(0.1, low=0.0)
    direction: str = Parameter("both", choices=DIRECTIONS)

    gives: ClassVar[Any] = Weights
    state: ClassVar[Mapping[str, str]] = {"weight": "f8", "said": "i8"}
    rule = staticmethod(volatility_target_rule)

    def indicators(self) -> Mapping[str, Indicator]:
        """`past`, the return over the window in percent, and `sigma` per bar."""
        return {"past": Indicator("roc", self.window), "sigma": Indicator("ewma_volatility", self.decay)}
