"""S5 at T7: what cuts or refuses the new risk of a row: F13, zones, Z4, Z9, Z7, Z5, lot; scarce room goes group by group (F10)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from . import resting
from .numbers import SLACK, down_to_lot, tidy
from .position import entry_stop
from .scenario import Order, Risk
from .state import ZERO, State

__all__ = ["Cuts"]


@dataclass
class Part:
    """Units of one asset that are held or may come to be: signed, with their price and what a unit loses at its stop."""

    asset: int
    q: Fraction
    unit: Fraction  # |price| times multiplier
    heat: Fraction


class Cuts(State):
    """The part of the engine that says how much of what is wanted may be asked for."""

    def cut_new_risk(self, t: int, orders: list[Order]) -> None:
        """All new orders of a row: first what refuses each by itself, then scarce room, then lots."""
        opening = [o for o in orders if o.open]
        for order in opening:
            self.cut_alone(order)
        for g in range(self.G) if replace(self.scenario.risk, daily_loss=None) != Risk() else ():
            mine = [o for o in opening if self.account(o.asset) == g and o.open and o.cash_fraction is None]
            for order in [o for o in mine if self.mark[o.asset] is None]:
                mine.remove(self.refuse(order, "position"))  # Z7: no price, no measure
            parts = self.parts(t, g, orders)
            for priority in sorted({o.priority for o in mine}, reverse=True):
                self.cut_group(g, [o for o in mine if o.priority == priority], parts)
        for order in opening:
            if order.open and order.cash_fraction is None:
                order.open = self.to_lot(order, order.open)

    def cut_alone(self, order: Order) -> None:
        """Margin, zone, daily loss."""
        risk, zones = self.risk[self.account(order.asset)], self.scenario.zones
        factor = Fraction(1) if zones is None else Fraction(zones.factors[risk.zone])
        if risk.margin or risk.ruined:
            self.refuse(order, "margin")
        elif risk.halted_at is not None or factor == 0:
            self.refuse(order, "zone")
        elif factor != 1:
            order.cut_by.add("zone")
        if order.open and risk.blocked:
            self.refuse(order, "daily_loss")
        if not order.open:
            return
        if order.cash_fraction is not None:
            order.sized_at_fill = order.cash_fraction * factor
        else:
            order.open *= factor

    def refuse(self, order: Order, rule: str) -> Order:
        order.cut_by.add(rule)
        order.open, order.cash_fraction = ZERO, None
        return order

    def to_lot(self, order: Order, q: Fraction) -> Fraction:
        """F5: what is rounded is the order; `lot` is a rule that refuses, where less than one is left."""
        rounded = down_to_lot(q, self.lot[order.asset], self.watch)
        if q and not rounded:
            order.cut_by.add("lot")
        return tidy(rounded)

    # ---- Z5, Z7, Z9 --------------------------------------------------------------------------------------------------------

    def parts(self, t: int, g: int, orders: list[Order]) -> list[Part]:
        """What an account holds once all that waits or was decided to be closed is closed, and what waits to open."""
        out = []
        for n in self.mine(g):
            price = self.price_at(t, n)
            waiting = self.waiting(t, n)
            closing = sum((c for c, _, _ in waiting), ZERO) + sum((o.close for o in orders if o.asset == n), ZERO)
            held = self.held(n)
            left = held + closing if abs(closing) < abs(held) else ZERO
            if left:
                out.append(self.part(n, left, price, self.stop_after(t, n)))
            out += [self.part(n, q, price, stop) for _, q, stop in waiting if q]
        return out

    def waiting(self, t: int, n: int) -> list[tuple[Fraction, Fraction, Fraction | None]]:
        """Closing part, opening part and first stop (at the price of now) of what waits already."""
        order = self.working.get(n)
        if order is None:
            return resting.waiting(self, t, n)
        stop = entry_stop(self.stops, self.price_at(t, n), 1 if order.open > 0 else -1, self.terms(t, n))
        return [(order.close, order.open, stop), *resting.waiting(self, t, n)]

    def part(self, n: int, q: Fraction, price: Fraction, stop: Fraction | None) -> Part:
        """Z5's measure: what a unit loses from the price to its stop; all of it without one."""
        unit, side = abs(price) * self.x[n], 1 if q > 0 else -1
        return Part(n, q, unit, unit if stop is None else max(ZERO, side * (price - stop)) * self.x[n])

    def stop_after(self, t: int, n: int) -> Fraction | None:
        """The stop of a position as it acts in the next bar; None where it has none."""
        position = self.positions[n]
        if position is None or self.stops is None:
            return None
        terms = self.terms(t, n)
        found = position.stop(self.stops, terms, self.watch, position.trail_from(self.stops, terms, self.watch))
        return None if found is None else found[0]

    def cut_group(self, g: int, orders: list[Order], parts: list[Part]) -> None:
        """Z9, Z7 and Z5 for new risk of one priority; what is left of it is there for the next."""
        risk, limits, equity = self.scenario.risk, self.scenario.risk.limits, self.equity(g)
        whole = self.L * equity
        for n in sorted({o.asset for o in orders}):
            of_n = [o for o in orders if o.asset == n]
            self.fit(of_n, parts, "trade_loss", self.top(risk.trade_loss, equity), lambda p: p.heat, whole)
            tightest = self.least(self.top(limits.position, equity), limits.position_value)
            self.fit(of_n, parts, "position", tightest, lambda p: p.unit, whole)
        self.fit(orders, parts, "gross", self.top(limits.gross, equity), lambda p: p.unit, whole)
        self.fit_net(orders, parts, self.top(limits.net, equity), whole)
        self.fit(orders, parts, "heat", self.top(risk.heat, equity), lambda p: p.heat, whole)
        parts += [self.part(o.asset, o.open, o.at, o.first_stop) for o in orders if o.open]

    def top(self, fraction: Fraction | int | None, equity: Fraction) -> Fraction | None:
        return None if fraction is None else Fraction(fraction) * equity

    def least(self, a: Fraction | None, b: Fraction | int | None) -> Fraction | None:
        if a is None or b is None:
            return a if b is None else Fraction(b)
        return min(a, Fraction(b))

    def fit(
        self, orders: list[Order], parts: list[Part], rule: str, limit: Fraction | None, size: Callable[[Part], Fraction], whole: Fraction
    ) -> None:
        """Cut a group by one factor to what a limit leaves; `trade_loss` and `position` look at the side of one asset."""
        orders = [o for o in orders if o.open]
        if limit is None or not orders:
            return
        if rule in ("trade_loss", "position"):
            for side in (1, -1):
                of_side = [o for o in orders if o.open * side > 0]
                there = [p for p in parts if p.asset == orders[0].asset and p.q * side > 0]
                self.scale(of_side, rule, limit - self.total(there, size), size, whole)
        else:
            self.scale(orders, rule, limit - self.total(parts, size), size, whole)

    def total(self, parts: list[Part], size: Callable[[Part], Fraction]) -> Fraction:
        return sum((abs(p.q) * size(p) for p in parts), ZERO)

    def scale(self, orders: list[Order], rule: str, room: Fraction, size: Callable[[Part], Fraction], whole: Fraction) -> None:
        wanted = self.total([self.part(o.asset, o.open, o.at, o.first_stop) for o in orders], size)
        if orders:
            self.apply(orders, rule, room, wanted, whole)

    def apply(self, orders: list[Order], rule: str, room: Fraction, wanted: Fraction, whole: Fraction) -> None:
        """F10: whole within 1e-9 of `L*equity`; a room below that is none."""
        least = SLACK * abs(whole)
        self.watch.slack(room, least, rule, whole)
        self.watch.slack(wanted, room + least, rule, whole)
        if room <= least:
            for order in orders:
                self.refuse(order, rule)
        elif wanted > room + least:
            self.watch.booked(room / wanted)
            for order in orders:
                order.cut_by.add(rule)
                order.open = tidy(order.open * room / wanted)

    def fit_net(self, orders: list[Order], parts: list[Part], limit: Fraction | None, whole: Fraction) -> None:
        """Z7: `|net|` may grow up to its limit, or shrink and cross as far to the other side."""
        orders = [o for o in orders if o.open]
        if limit is None or not orders:
            return
        base = self.signed(parts)
        more = self.signed([self.part(o.asset, o.open, o.at, o.first_stop) for o in orders])
        against, least = base * more < 0, SLACK * abs(whole)
        self.watch.slack(abs(more), least, "net", whole)
        if abs(more) > least:
            self.apply(orders, "net", limit + abs(base) if against else limit - abs(base), abs(more), whole)

    def signed(self, parts: list[Part]) -> Fraction:
        return sum((p.q * p.unit for p in parts), ZERO)
