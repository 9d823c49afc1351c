"""T7: what is wanted, in the order margin and risk exits, time exits, the strategy's row (S, F13, Z3, P6, P9)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from . import resting
from .position import entry_stop
from .scenario import Order
from .state import ZERO
from .targets import Targets

__all__ = ["Decisions"]


class Decisions(Targets):
    """The part of the engine that decides."""

    def decide(self, t: int) -> None:
        """All decisions of one bar; what is left of them waits in `working` (and in section O's book)."""
        s = self.scenario
        self.asked: list[Order] = []
        self.done = self.risk_exits(t) | self.time_exits(t)
        self.done |= {n for n, o in self.working.items() if o.reason in ("stop", "trail", "target")}  # F7's rests
        if s.fill == "close":
            self.done |= self.protected  # P9
        if s.inputs == "orders":
            resting.at_decision(self, t, s.rows[t])
            return
        rows: dict[int, Any] = {n: s.rows[t][n] for n in range(self.N) if n not in self.done and self.valid(t, n) and not self.gone(t, n)}
        if s.inputs in ("signals", "strengths"):
            for n, value in rows.items():
                self.follow(t, n, value)
        else:
            for n, target in self.targets(t, rows).items():
                self.move(t, n, target)
        self.cut_new_risk(t, self.asked)
        for order in self.asked:
            self.let_work(order)

    def risk_exits(self, t: int) -> set[int]:
        """F13 and Z3: while margin calls, or `liquidate_at` is reached, what is held is closed and waiting new risk cancelled."""
        done = set()
        for n in range(self.N):
            risk = self.risk[self.account(n)]
            called = risk.margin or risk.ruined
            if not (called or risk.liquidating):
                continue
            if n in self.working and self.working[n].open:
                self.cancel(t, n, "margin" if called else "zone")
            resting.cancel(self, t, n, "margin" if called else "zone", True)
            if self.held(n):
                self.close_whole(t, n, "margin" if called else "risk")
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
        self.end_waiting(t, n)
        self.let_work(self.enter_log(Order(t, n, reason, Fraction(1), q, ZERO, q, exit=True)))

    def propose(self, order: Order, refusal: str = "") -> None:
        """S4 and Z6: log a decision and end what still waits; `cut_new_risk` then says what is left of it."""
        n, t = order.asset, order.t
        self.end_waiting(t, n)
        self.enter_log(order)
        order.at = self.price_at(t, n)
        order.first_stop = entry_stop(self.stops, order.at, 1 if order.open > 0 else -1, self.terms(t, n))
        if refusal:
            self.refuse(order, refusal)
        self.asked.append(order)

    def let_work(self, order: Order) -> None:
        """It waits for its fill, unless nothing is left of it."""
        if order.close or order.open:
            self.working[order.asset] = order
        else:
            order.status, order.t_done = "rejected", order.t

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
        close = -q if q * side < 0 else ZERO
        no_atr = "stop" if self.no_atr(t, n) else ""
        if self.scenario.size.kind == "cash":
            fraction = Fraction(self.scenario.size.value)
            order = Order(t, n, "signal", priority, close, Fraction(side), None, cash_fraction=fraction)
            self.propose(order, "cash" if self.broke(self.account(n)) else no_atr)
            return
        units, rule = self.size(t, n, side, priority)
        if units is None:
            self.propose(Order(t, n, "signal", priority, close, Fraction(side), None), rule)
            return
        order = Order(t, n, "signal", priority, close, side * units, close + side * units)
        self.propose(order, "cash" if units == 0 else no_atr)

    def no_atr(self, t: int, n: int) -> bool:
        """S5: a stop is asked for whose ATR is not there yet."""
        stops = self.scenario.stops
        asked = stops is not None and any(d is not None and d.kind == "atr" for d in (stops.hard, stops.trailing, stops.take_profit))
        return asked and self.atr_at(t, n) is None

    def enter_log(self, order: Order) -> Order:
        raise NotImplementedError
