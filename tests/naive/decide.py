"""T7: what is wanted, in the order risk exits, time exits, the strategy's row (S, W, Z2, Z3, P6, P9)."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from .fit import commission, slipped_price
from .numbers import SLACK, Watch, atr_table, down_to_lot, sigma_table, tidy
from .position import Position, entry_stop
from .scenario import Log, Order, Scenario

if TYPE_CHECKING:
    from .engine import RiskState

__all__ = ["Decisions"]


class Decisions:
    """The half of the engine that decides; the other half is `engine.Engine`."""

    scenario: Scenario
    risk: list[RiskState]

    def setup(self) -> None:
        """F14: capital, starting positions at entry prices, everything indicators say beforehand."""
        s, self.bars = self.scenario, self.scenario.bars
        self.T, self.N = len(self.bars.close), len(self.bars.close[0])
        self.G = self.N if s.separate else 1
        self.x = [Fraction(v) for v in self.bars.multiplier]
        self.lot = [Fraction(v) for v in self.bars.lot]
        self.tick = [Fraction(v) for v in self.bars.tick]
        self.atr = atr_table(self.bars, s.stops.atr_window if s.stops else 1)
        self.sigma = sigma_table(self.bars, s.costs.volume_window)
        self.watch = Watch()
        self.cash = [Fraction(s.capital)] * self.G
        self.mark: list[Fraction | None] = [None] * self.N
        self.positions: list[Position | None] = [None] * self.N
        self.working: dict[int, Order] = {}
        self.protected: set[int] = set()
        for n, (q, price) in s.positions.items():
            self.mark[n] = Fraction(price)
            self.positions[n] = self.new_position(-1, n, Fraction(q), Fraction(price), None)
        self.log = Log(initial=[self.equity(g) for g in range(self.G)])

    def new_position(self, t: int, n: int, q: Fraction, p: Fraction, atr: Fraction | None) -> Position:
        raise NotImplementedError

    def account(self, n: int) -> int:
        return n if self.scenario.separate else 0

    def held(self, n: int) -> Fraction:
        position = self.positions[n]
        return Fraction(0) if position is None else position.q

    def valid(self, t: int, n: int) -> bool:
        """A market in this bar; bars after a delisting are ignored."""
        gone = self.bars.delisted.get(n)
        return self.bars.close[t][n] is not None and (gone is None or t <= gone[0])

    def equity(self, g: int) -> Fraction:
        worth = (self.held(n) * self.x[n] * (self.mark[n] or 0) for n in range(self.N) if self.account(n) == g)
        return tidy(self.cash[g] + sum(worth, Fraction(0)))

    def broke(self, g: int) -> bool:
        """No equity: every size is 0 (S3)."""
        return self.watch.at_most(self.equity(g), Fraction(0), "equity is 0", scale=self.log.initial[g])

    # ---- T7 --------------------------------------------------------------------------------------------------------------

    def decide(self, t: int) -> list[Order]:
        """All decisions of one bar; returns the new orders that wait to be filled."""
        s = self.scenario
        self.new: list[Order] = []
        done = self.risk_exits(t) | self.time_exits(t)
        rows: dict[int, Any] = {}
        for n in range(self.N):
            gone = self.bars.delisted.get(n)
            if n in done or not self.valid(t, n) or (gone is not None and t >= gone[0]):
                continue
            if s.fill == "close" and n in self.protected:
                continue  # P9
            rows[n] = s.rows[t][n]
        if s.inputs in ("signals", "strengths"):
            for n, value in rows.items():
                self.follow(t, n, value)
        else:
            self.move_to_targets(t, rows)
        return [o for o in self.new if self.working.get(o.asset) is o]

    def risk_exits(self, t: int) -> set[int]:
        """Z3: while halted with `liquidate_at` reached, what is held is closed and waiting new risk is cancelled."""
        done = set()
        for n in range(self.N):
            if not self.risk[self.account(n)].liquidating:
                continue
            if n in self.working and self.working[n].open:
                self.cancel(t, n, "zone")
            if self.held(n):
                self.close_whole(t, n, "risk")
                done.add(n)
        return done

    def time_exits(self, t: int) -> set[int]:
        """P6: market or not."""
        stops, done = self.scenario.stops, set()
        for n in range(self.N):
            position = self.positions[n]
            if stops is None or position is None:
                continue
            bars = stops.time_bars is not None and t - position.t_entry >= stops.time_bars
            days = stops.time_days is not None and self.bars.session[t] - position.session >= stops.time_days
            if bars or days:
                self.close_whole(t, n, "time")
                done.add(n)
        return done

    def close_whole(self, t: int, n: int, reason: str) -> None:
        """An exit of the whole position, unless one waits already."""
        waiting = self.working.get(n)
        if waiting is not None and waiting.close == -self.held(n) and not waiting.open:
            return
        q = -self.held(n)
        self.submit(Order(t, n, reason, Fraction(1), q, Fraction(0), q))

    def submit(self, order: Order) -> None:
        """S4 and Z6: log the decision, replace what still waits, and let it work unless nothing is left of it."""
        n, t = order.asset, order.t
        self.end_waiting(t, n)
        self.log.orders.append(order)
        self.new.append(order)
        if order.close or order.open:
            self.working[n] = order
        else:
            order.status, order.t_done = "rejected", t

    def end_waiting(self, t: int, n: int) -> None:
        """S4: a new decision ends what waits."""
        waiting = self.working.pop(n, None)
        if waiting is not None:
            waiting.status, waiting.t_done = "replaced", t

    def cancel(self, t: int, n: int, rule: str | None = None) -> None:
        order = self.working.pop(n, None)
        if order is not None:
            order.status, order.t_done = "cancelled", t
            if rule is not None:
                order.cut_by.add(rule)

    def cut(self, order: Order, refused: bool = False) -> Order:
        """S5 at T7: no stop yet, zone, lot; new risk only."""
        n = order.asset
        risk, zones = self.risk[self.account(n)], self.scenario.zones
        if not order.open:
            return order
        if refused:
            return self.refuse(order, "stop")
        if risk.halted_at is not None:
            return self.refuse(order, "zone")
        factor = Fraction(1) if zones is None else Fraction(zones.factors[risk.zone])
        if factor == 0:
            return self.refuse(order, "zone")
        if factor != 1:
            order.cut_by.add("zone")
        if order.cash_fraction is not None:
            order.sized_at_fill = order.cash_fraction * factor
            return order
        order.open = self.to_lot(order, order.open * factor)
        return order

    def refuse(self, order: Order, rule: str) -> Order:
        order.cut_by.add(rule)
        order.open, order.cash_fraction = Fraction(0), None
        return order

    def to_lot(self, order: Order, q: Fraction) -> Fraction:
        """F5: what is rounded is the order; `lot` is a rule that refuses, where less than one is left."""
        rounded = down_to_lot(q, self.lot[order.asset], self.watch)
        if q and not rounded:
            order.cut_by.add("lot")
        return tidy(rounded)

    # ---- S: signals and strengths ------------------------------------------------------------------------------------------

    def follow(self, t: int, n: int, value: Any) -> None:
        """S1, S2: one asset's booleans or strength against what is held."""
        q = self.held(n)
        waiting = self.working.get(n)
        there = q or (waiting.open if waiting else q)  # what an exit is an exit of: held, or waiting to be
        want, leave, priority = self.read(value, there)
        side_forbidden = {"long": -1, "short": 1, "both": 0}[self.scenario.direction]
        if want and want == side_forbidden:
            want, leave = 0, want * there < 0  # S1: an exit of the other side
        if want and want * q > 0 and not self.scenario.accumulate:
            return
        if want:
            self.enter(t, n, want, priority)
        elif leave and q:
            self.close_whole(t, n, "signal")
        elif leave:
            self.end_waiting(t, n)

    def read(self, value: Any, q: Fraction) -> tuple[int, bool, Fraction]:
        """Side wanted (0: none), whether what is there shall go, priority (T4)."""
        if self.scenario.inputs == "strengths":
            if value is None:
                return 0, False, Fraction(1)
            return (value > 0) - (value < 0), value == 0, abs(value)
        entry, leave, short_entry, short_leave = value
        if entry and leave:
            entry = leave = False  # F11
        if short_entry and short_leave:
            short_entry = short_leave = False
        if entry and short_entry:
            entry = short_entry = False
        want = 1 if entry else -1 if short_entry else 0
        return want, bool(leave if q > 0 else short_leave), Fraction(1)

    def enter(self, t: int, n: int, side: int, priority: Fraction) -> None:
        """An entry, an addition or a reversal in one order."""
        q = self.held(n)
        close = -q if q * side < 0 else Fraction(0)
        if self.scenario.size.kind == "cash":
            order = Order(t, n, "signal", priority, close, Fraction(side), None, cash_fraction=Fraction(self.scenario.size.value))
            self.submit(self.refuse(order, "cash") if self.broke(self.account(n)) else self.cut(order, self.no_atr(t, n)))
            return
        size = self.size(t, n, side, priority)
        opening = Fraction(0) if size is None else side * size
        placeholder = Fraction(side if size is None else 0)
        wanted = None if size is None else close + opening
        order = Order(t, n, "signal", priority, close, opening or placeholder, wanted)
        self.submit(self.refuse(order, "cash") if size == 0 else self.cut(order, size is None or self.no_atr(t, n)))

    def no_atr(self, t: int, n: int) -> bool:
        """S5: a stop is asked for whose ATR is not there yet."""
        stops = self.scenario.stops
        asked = stops is not None and any(d is not None and d.kind == "atr" for d in (stops.hard, stops.trailing, stops.take_profit))
        return asked and self.atr[t][n] is None

    def size(self, t: int, n: int, side: int, priority: Fraction) -> Fraction | None:
        """S3: units at `c[t]` from the equity of T6; None where a fixed fractional size finds no stop."""
        size, equity = self.scenario.size, self.equity(self.account(n))
        c = self.bars.close[t][n]
        assert c is not None
        value, unit = Fraction(size.value), c * self.x[n]
        if self.broke(self.account(n)):
            return Fraction(0)
        if size.kind == "units":
            return value
        if size.kind == "notional":
            return tidy(value / unit)
        if size.kind == "weight":
            return tidy(value * equity * (priority if size.scale else 1) / unit)
        stop = entry_stop(self.scenario.stops, c, side, self.atr[t][n], self.tick[n])
        if stop is None or side * stop >= side * c:
            return None
        return tidy(min(value * equity / (self.x[n] * abs(c - stop)), size.most * equity / unit))

    # ---- W and target quantities ---------------------------------------------------------------------------------------------

    def move_to_targets(self, t: int, rows: dict[int, Any]) -> None:
        """Target weights or quantities become orders with priority 1."""
        targets = {n: Fraction(v) for n, v in rows.items() if v is not None}
        forbidden = {"long": -1, "short": 1, "both": 0}[self.scenario.direction]
        for n, v in targets.items():
            if v * forbidden > 0:
                targets[n] = Fraction(0)
        if self.scenario.inputs == "weights":
            quantities: dict[int, Fraction] = {}
            for g in range(self.G):
                quantities |= self.weights_to_quantities(t, g, {n: w for n, w in targets.items() if self.account(n) == g})
            targets = quantities
        for n, target in targets.items():
            self.move(t, n, target)

    def weights_to_quantities(self, t: int, g: int, weights: dict[int, Fraction]) -> dict[int, Fraction]:
        """W1-W3 for one account: the band first, then the equity that is left after the row's own costs."""
        equity = self.equity(g)
        self.broke(g)
        moving = {n: w for n, w in weights.items() if not self.in_band(t, n, w, equity)}
        units = {}
        for n in moving:
            c = self.bars.close[t][n]
            assert c is not None
            units[n] = c * self.x[n]
        base = equity if self.scenario.weights_of == "gross" else self.after_costs(t, moving, units, equity)
        if base <= 0:
            return {n: Fraction(0) for n in moving}
        return {n: tidy(w * base / units[n]) for n, w in moving.items()}

    def in_band(self, t: int, n: int, weight: Fraction, equity: Fraction) -> bool:
        """W3; 0 always closes."""
        band, c = Fraction(self.scenario.band), self.bars.close[t][n]
        if band == 0 or weight == 0 or equity <= 0 or c is None:
            return False
        distance = abs(self.held(n) * self.x[n] * c / equity - weight)
        return self.watch.at_most(distance, band, "band")

    def after_costs(self, t: int, weights: dict[int, Fraction], units: dict[int, Fraction], equity: Fraction) -> Fraction:
        """W2 net: `E = V - cost(E)` from V on, to 1e-12 of V, at most 50 rounds, then the smallest E met."""
        least = now = equity
        for _ in range(50):
            if now <= 0:
                return Fraction(0)
            new = tidy(equity - sum((self.row_cost(t, n, w * now / units[n]) for n, w in weights.items()), Fraction(0)))
            if abs(new - now) <= abs(equity) / 10**12:
                return new
            least, now = min(least, new), new
        return least

    def row_cost(self, t: int, n: int, target: Fraction) -> Fraction:
        """W2: commission and slippage of going to `target` at `c[t]`, before any cut or rounding."""
        c, costs = self.bars.close[t][n], self.scenario.costs
        assert c is not None
        q = target - self.held(n)
        if self.met(target, self.held(n)):
            return Fraction(0)
        sigma = self.sigma[t - 1][n] if t > 0 else Fraction(0)
        price = slipped_price(costs, c, 1 if q > 0 else -1, q, sigma, self.bars.volume[t][n])
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
            close, opening = target - q, Fraction(0)
        else:
            close, opening = Fraction(0), target - q
        order = Order(t, n, "signal", Fraction(1), close, opening, target - q)
        if close and not opening:
            order.close = self.to_lot(order, close)
        self.submit(self.cut(order, self.no_atr(t, n)))
