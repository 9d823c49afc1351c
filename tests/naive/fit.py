"""What things cost (F1, F2) and how much fits (F4, F10, S3): exact, by walking the pieces of a piecewise linear function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from .numbers import root, tidy
from .scenario import Costs

__all__ = ["Claim", "commission", "largest_factor", "slipped_price", "upper_quantity"]


def slipped_price(costs: Costs, ref: Fraction, side: int, quantity: Fraction, sigma: Fraction, volume: Fraction | None) -> Fraction:
    """F1: the price of a market order of `quantity` units at `ref`, at least 0. Without a volume (None, 0) there is no impact."""
    share = Fraction(costs.slippage_bps) / 10000
    if costs.volume_share and quantity and volume:
        share += Fraction(costs.volume_share) * sigma * root(abs(quantity) / volume)
    return max(Fraction(0), tidy(ref + side * (share * abs(ref) + costs.half_spread)))


def commission(costs: Costs, quantity: Fraction, price: Fraction, multiplier: Fraction, maker: bool = False) -> Fraction:
    """F2 for one order of `|quantity|` units; an order of nothing costs nothing."""
    if quantity == 0:
        return Fraction(0)
    return _clipped(costs, abs(quantity), abs(price * multiplier), maker)


def _clipped(costs: Costs, quantity: Fraction, notional_per_unit: Fraction, maker: bool = False) -> Fraction:
    rate = costs.maker_rate if maker and costs.maker_rate is not None else costs.rate
    raw = quantity * notional_per_unit * rate + quantity * costs.per_unit + costs.per_order
    raw = max(raw, Fraction(costs.minimum))
    return raw if costs.maximum_rate is None else min(raw, costs.maximum_rate * quantity * notional_per_unit)


def _kinks(costs: Costs, unit: Fraction) -> list[Fraction]:
    """Quantities where the commission changes its slope, `unit` being the notional of one."""
    slope = unit * costs.rate + costs.per_unit
    points = []
    if slope > 0:
        points.append((Fraction(costs.minimum) - costs.per_order) / slope)
    if costs.maximum_rate is not None:
        if costs.maximum_rate * unit > 0:
            points.append(Fraction(costs.minimum) / (costs.maximum_rate * unit))
        steeper = costs.maximum_rate * unit - slope
        if steeper > 0:
            points.append(Fraction(costs.per_order) / steeper)
    return [p for p in points if p > 0]


@dataclass
class Claim:
    """New risk that wants room: `opening` units at `price` on top of `closing` units of the same order, all >= 0."""

    costs: Costs
    opening: Fraction
    closing: Fraction
    price: Fraction
    multiplier: Fraction

    @property
    def unit(self) -> Fraction:
        return abs(self.price * self.multiplier)

    def need(self, factor: Fraction) -> Fraction:
        """Gross taken and commission added by `factor` times the opening part; at 0 the limit from above."""
        extra = factor * self.opening
        before = commission(self.costs, self.closing, self.price, self.multiplier)
        return extra * self.unit + _clipped(self.costs, self.closing + extra, self.unit) - before

    def kinks(self) -> list[Fraction]:
        return [(p - self.closing) / self.opening for p in _kinks(self.costs, self.unit)]


def _walk(need: Callable[[Fraction], Fraction], kinks: list[Fraction], room: Fraction) -> Fraction:
    """The largest factor in [0, 1] with `need(factor) <= room`, `need` rising and linear between the kinks."""
    stops = sorted({Fraction(0), Fraction(1), *(k for k in kinks if 0 < k < 1)})
    if need(stops[0]) >= room:
        return Fraction(0)
    for left, right in pairwise(stops):
        if need(right) > room:
            low, high = need(left), need(right)
            return left + (right - left) * (room - low) / (high - low)
    return Fraction(1)


def largest_factor(claims: list[Claim], room: Fraction) -> Fraction:
    """F10: the common factor of a group of equal priority."""
    return _walk(lambda f: sum((c.need(f) for c in claims), Fraction(0)), [k for c in claims for k in c.kinks()], room)


def upper_quantity(costs: Costs, closing: Fraction, price: Fraction, multiplier: Fraction, budget: Fraction) -> Fraction:
    """S3 `cash`: the opening quantity that takes the whole budget, its commission included."""
    if budget <= 0:
        return Fraction(0)
    most = budget / abs(price * multiplier)
    claim = Claim(costs, most, closing, price, multiplier)
    return most * largest_factor([claim], budget)
