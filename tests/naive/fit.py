"""What things cost (F1, F2) and how much fits (F4, F10, S3): exact, by walking the pieces of a piecewise linear function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations, pairwise

from .numbers import root, tidy
from .scenario import Costs, Order

__all__ = ["Claim", "Tally", "commission", "largest_factor", "slipped_price", "upper_quantity"]

ZERO = Fraction(0)


def slipped_price(
    costs: Costs, ref: Fraction, side: int, quantity: Fraction, sigma: Fraction, volume: Fraction | None, negative: bool = False
) -> Fraction:
    """F1: the price of a market order for `quantity`, at least 0 unless prices may be negative; no impact without a volume (None, 0)."""
    share = Fraction(costs.slippage_bps) / 10000
    if costs.volume_share and quantity and volume:
        share += Fraction(costs.volume_share) * sigma * root(abs(quantity) / volume)
    price = tidy(ref + side * (share * abs(ref) + costs.half_spread))
    return price if negative else max(ZERO, price)


@dataclass
class Tally:
    """F2: what an order has traded so far, and the commission booked for it."""

    units: Fraction = ZERO
    notional: Fraction = ZERO
    rated: Fraction = ZERO  # money times its rate: maker and taker fills may be mixed
    paid: Fraction = ZERO

    @classmethod
    def of(cls, order: Order) -> Tally:
        return cls(abs(order.filled), order.notional, order.rated, order.paid)

    def more(self, costs: Costs, quantity: Fraction, unit: Fraction, rate: Fraction) -> Fraction:
        """What `quantity` further units, each worth `unit`, add to the commission; at 0 the limit from above."""
        units, notional = self.units + quantity, self.notional + quantity * unit
        raw = self.rated + quantity * unit * rate + units * costs.per_unit + costs.per_order
        raw = max(raw, Fraction(costs.minimum))
        total = raw if costs.maximum_rate is None else min(raw, costs.maximum_rate * notional)
        return max(ZERO, total - self.paid)

    def kinks(self, costs: Costs, unit: Fraction, rate: Fraction) -> list[Fraction]:
        """Quantities where the commission may change its slope: crossings of the lines it is clipped from."""
        lines = [
            (self.rated + self.units * costs.per_unit + costs.per_order, unit * rate + costs.per_unit),
            (Fraction(costs.minimum), ZERO),
            (self.paid, ZERO),
        ]
        if costs.maximum_rate is not None:
            lines.append((costs.maximum_rate * self.notional, costs.maximum_rate * unit))
        points = [(b[0] - a[0]) / (a[1] - b[1]) for a, b in combinations(lines, 2) if a[1] != b[1]]
        return [Fraction(p) for p in points if p > 0]


def rate_of(costs: Costs, maker: bool) -> Fraction:
    """F2: limit orders pay the maker rate where there is one."""
    return Fraction(costs.maker_rate if maker and costs.maker_rate is not None else costs.rate)


def commission(costs: Costs, quantity: Fraction, price: Fraction, multiplier: Fraction, maker: bool = False) -> Fraction:
    """F2 for one order of `|quantity|` units; an order of nothing costs nothing."""
    if quantity == 0:
        return ZERO
    return Tally().more(costs, abs(quantity), abs(price * multiplier), rate_of(costs, maker))


@dataclass
class Claim:
    """New risk that wants room: `opening` units, each worth `unit`, taking `gross` of the room, and `leverage` times their commission."""

    costs: Costs
    opening: Fraction
    unit: Fraction
    gross: Fraction
    leverage: Fraction = Fraction(1)
    tally: Tally = field(default_factory=Tally)
    maker: bool = False

    def need(self, factor: Fraction) -> Fraction:
        """The room `factor` times the opening part takes."""
        extra = factor * self.opening
        return extra * self.gross + self.leverage * self.tally.more(self.costs, extra, self.unit, rate_of(self.costs, self.maker))

    def kinks(self) -> list[Fraction]:
        return [p / self.opening for p in self.tally.kinks(self.costs, self.unit, rate_of(self.costs, self.maker))]


def _walk(need: Callable[[Fraction], Fraction], kinks: list[Fraction], room: Fraction) -> Fraction:
    """The largest factor in [0, 1] with `need(factor) <= room`, `need` rising and linear between the kinks."""
    stops = sorted({ZERO, Fraction(1), *(k for k in kinks if 0 < k < 1)})
    if need(stops[0]) >= room:
        return ZERO
    for left, right in pairwise(stops):
        if need(right) > room:
            low, high = need(left), need(right)
            return left + (right - left) * (room - low) / (high - low)
    return Fraction(1)


def largest_factor(claims: list[Claim], room: Fraction) -> Fraction:
    """F10: the common factor of a group of equal priority."""
    return _walk(lambda f: sum((c.need(f) for c in claims), ZERO), [k for c in claims for k in c.kinks()], room)


def upper_quantity(claim: Claim, budget: Fraction) -> Fraction:
    """S3 `cash`: the opening quantity that takes the whole budget, its commission included; `claim.opening` is found here."""
    if budget <= 0 or claim.gross == 0:
        return ZERO
    claim.opening = budget / claim.gross
    return claim.opening * largest_factor([claim], budget)
