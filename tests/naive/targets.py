"""W: target weights and quantities become orders."""

from __future__ import annotations

from fractions import Fraction

from .fit import commission, slipped_price
from .numbers import SLACK, tidy
from .scenario import Order
from .sizes import Sizes
from .state import ZERO

__all__ = ["Targets"]


class Targets(Sizes):
    """The part of the engine that moves holdings to targets."""

    def targets(self, t: int, rows: dict[int, Fraction | int | None]) -> dict[int, Fraction]:
        """Target quantities of a row, forbidden sides made 0 (S1)."""
        wanted = {n: Fraction(v) for n, v in rows.items() if v is not None}
        forbidden = {"long": -1, "short": 1, "both": 0}[self.scenario.direction]
        wanted = {n: ZERO if v * forbidden > 0 else v for n, v in wanted.items()}
        if self.scenario.inputs != "weights":
            return wanted
        quantities: dict[int, Fraction] = {}
        for g in range(self.G):
            quantities |= self.weights_to_quantities(t, g, {n: w for n, w in wanted.items() if self.account(n) == g})
        return quantities

    def weights_to_quantities(self, t: int, g: int, weights: dict[int, Fraction]) -> dict[int, Fraction]:
        """W1-W3 for one account: the band first, then the equity that is left after the row's own costs."""
        equity = self.equity(g)
        self.broke(g)
        moving = {n: w for n, w in weights.items() if not self.in_band(t, n, w, equity)}
        base = equity if self.scenario.weights_of == "gross" else self.after_costs(t, moving, equity)
        return {n: self.units_of(t, n, w, base) for n, w in moving.items()}

    def units_of(self, t: int, n: int, weight: Fraction, base: Fraction) -> Fraction:
        """Units at `|c[t]|`; 0 where there is no equity, or no price (F12)."""
        unit = abs(self.price_at(t, n)) * self.x[n]
        return ZERO if base <= 0 or unit == 0 else tidy(weight * base / unit)

    def in_band(self, t: int, n: int, weight: Fraction, equity: Fraction) -> bool:
        """W3; 0 always closes."""
        band = Fraction(self.scenario.band)
        if band == 0 or weight == 0 or equity <= 0:
            return False
        distance = abs(self.held(n) * self.x[n] * abs(self.price_at(t, n)) / equity - weight)
        return self.watch.at_most(distance, band, "band")

    def after_costs(self, t: int, weights: dict[int, Fraction], equity: Fraction) -> Fraction:
        """W2 net: `E = V - cost(E)` from V on, to 1e-12 of V, at most 50 rounds, then the smallest E met."""
        least = now = equity
        for _ in range(50):
            if now <= 0:
                return ZERO
            new = tidy(equity - sum((self.row_cost(t, n, self.units_of(t, n, w, now)) for n, w in weights.items()), ZERO))
            if abs(new - now) <= abs(equity) / 10**12:
                return new
            least, now = min(least, new), new
        return least

    def row_cost(self, t: int, n: int, target: Fraction) -> Fraction:
        """W2: commission and slippage of going to `target` at `c[t]`, before any cut or rounding."""
        c, costs = self.price_at(t, n), self.scenario.costs
        q = target - self.held(n)
        if self.met(target, self.held(n)):
            return ZERO
        sigma = self.sigma[t - 1][n] if t > 0 else ZERO
        price = slipped_price(costs, c, 1 if q > 0 else -1, q, sigma, self.bars.volume[t][n], self.negative[n])
        return commission(costs, q, price, self.x[n]) + abs(q * (price - c)) * self.x[n]

    def met(self, target: Fraction, held: Fraction) -> bool:
        """W1: a target within 1e-9 of what is held is met."""
        gap, allowed = abs(target - held), SLACK * max(abs(target), abs(held))
        self.watch.slack(gap, allowed, "target met", held)
        return gap <= allowed

    def move(self, t: int, n: int, target: Fraction) -> None:
        """From what is held to a target: closing part, opening part, one order."""
        q = self.held(n)
        if self.met(target, q):
            self.end_waiting(t, n)
            return
        if target == 0:
            self.close_whole(t, n, "signal")
            return
        if q * target < 0:
            close, opening = -q, target
        elif abs(target) < abs(q):
            close, opening = target - q, ZERO
        else:
            close, opening = ZERO, target - q
        order = Order(t, n, "signal", Fraction(1), close, opening, target - q)
        if close and not opening:
            order.close = self.to_lot(order, close)
        self.propose(order, "stop" if opening and self.no_atr(t, n) else "")

    def end_waiting(self, t: int, n: int) -> None:
        raise NotImplementedError

    def close_whole(self, t: int, n: int, reason: str) -> None:
        raise NotImplementedError

    def propose(self, order: Order, refusal: str = "") -> None:
        raise NotImplementedError

    def no_atr(self, t: int, n: int) -> bool:
        raise NotImplementedError
