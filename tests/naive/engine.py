"""The reference engine: one bar after the other, T1 to T8, in exact arithmetic. Slow and obvious; nothing here knows vecbt.

What it does stands in modules of their own, each a class on top of the one before: `state` what there is to know, `cuts` and `sizes`
how much may be asked for, `targets` and `decide` T7, `fills` the booking, `begin` T1 to T3, `exits` T5, T10, T8.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from . import resting
from .exits import Exits
from .jobs import Job
from .scenario import Log, Order, Scenario
from .state import ZERO, RiskState

__all__ = ["Engine", "simulate"]


def simulate(scenario: Scenario) -> Log:
    """Run a scenario and return what happened."""
    engine = Engine(scenario)
    engine.fix_trails(-1)
    for t in range(engine.T):
        engine.bar(t)
    if scenario.liquidate_at_end:
        engine.close_all(engine.T - 1)
    engine.returns()
    engine.log.fragile = engine.watch.fragile
    return engine.log


class Engine(Exits):
    """The bar, and T6."""

    def bar(self, t: int) -> None:
        """T1 to T7 of one bar."""
        self.protected = set()
        self.left = [self.volume_left(t, n) for n in range(self.N)]
        self.actions(t)
        self.carry(t)
        self.session(t)
        jobs = [Job(o, self.price_at(t, o.asset, close=False)) for o in self.working.values() if self.can_fill(t, o.asset)]
        self.fill_jobs(t, jobs + resting.at_open(self, t), "open")
        self.room_inside = [self.room_at(g, {n: self.price_at(t, n, close=False) for n in self.mine(g)}) for g in range(self.G)]
        self.protect(t)
        resting.inside(self, t)
        self.delist(t)
        self.liquidate_inside(t)
        for n in range(self.N):
            self.meet_bar(t, n)
        self.settle(t)
        self.judge_and_decide(t)
        self.fix_trails(t)
        self.record()

    def fix_trails(self, t: int) -> None:
        """P2, D5: the trailing level of the next bar stands now; a split divides it (T1)."""
        for n, position in enumerate(self.positions):
            if position is not None and self.stops is not None:
                position.trail = position.trail_from(self.stops, self.terms(t, n), self.watch)

    def volume_left(self, t: int, n: int) -> Fraction | None:
        """F7: what the orders of an asset may fill in this bar."""
        volume, most = self.bars.volume[t][n], self.scenario.participation
        return None if most is None or volume is None else volume * most

    def settle(self, t: int) -> None:
        """T6: mark at the close; a contract's move since it was settled goes into cash (F12)."""
        for n in range(self.N):
            if not self.valid(t, n):
                continue
            c = self.price_at(t, n)
            self.mark[n] = c
            if self.contract(n):
                self.pay(n, ZERO, c)

    def judge_and_decide(self, t: int) -> None:
        """T6 and T7; with close fills T6 is done again from its values before this bar."""
        worst = [self.worst_equity(t, g) for g in range(self.G)]
        before = [replace(r) for r in self.risk]
        self.risk = [self.judge(t, g, before[g], worst[g]) for g in range(self.G)]
        self.decide(t)
        if self.scenario.fill == "close":
            jobs = [self.at_close(t, o) for o in self.working.values() if o.t == t and self.can_fill(t, o.asset)]
            self.fill_jobs(t, jobs + resting.at_close(self, t), "close")
            self.settle(t)
            self.risk = [self.judge(t, g, before[g], worst[g]) for g in range(self.G)]

    def at_close(self, t: int, order: Order) -> Job:
        return Job(order, self.price_at(t, order.asset))

    def record(self) -> None:
        """The line of this bar."""
        self.log.equity.append([self.equity(g) for g in range(self.G)])
        self.log.cash.append(list(self.cash))
        self.log.zone.append([r.zone for r in self.risk])
        self.log.positions.append([self.held(n) for n in range(self.N)])

    def returns(self) -> None:
        """M1: simple, on the equity before and what was paid in."""
        before = self.log.initial
        for equity, paid in zip(self.log.equity, self.log.flows, strict=True):
            bases = [b + p for b, p in zip(before, paid, strict=True)]
            self.log.returns.append([self.return_of(g, e, b) for g, (e, b) in enumerate(zip(equity, bases, strict=True))])
            before = equity

    def return_of(self, g: int, equity: Fraction, base: Fraction) -> Fraction | None:
        """None where nothing was left to earn on; 0 where all was withdrawn before any ruin."""
        if base > 0:
            return equity / base - 1
        return ZERO if base == equity == 0 and all(row[g] not in (None, -1) for row in self.log.returns) else None

    # ---- T6 --------------------------------------------------------------------------------------------------------------

    def worst_equity(self, t: int, g: int) -> Fraction:
        """Z1 intrabar: what is held after T5 and not delisted, each asset at its worst extreme. Contracts are settled by now."""
        total = self.cash[g]
        for n in self.mine(g):
            q = self.held(n)
            worst = ((self.bars.low if q > 0 else self.bars.high)[t][n] if self.valid(t, n) else self.mark[n]) or ZERO
            total += self.worth(n, worst)
        return total

    def judge(self, t: int, g: int, before: RiskState, worst: Fraction) -> RiskState:
        """F13, Z1, Z3 and Z4 at the mark of this bar, from the values before it."""
        zones, equity = self.scenario.zones, self.equity(g)
        now = replace(before, peak=max(before.peak, equity))
        self.judge_margin(g, now, equity)
        self.judge_day(now, equity)
        if zones is None:
            return now
        if now.halted_at is not None and zones.cooldown_bars is not None and t - now.halted_at >= zones.cooldown_bars:
            return replace(now, peak=equity, zone=0, halted_at=None, liquidating=False)
        if now.empty:
            now.zone = 0 if now.halted_at is None else len(zones.boundaries)
            return now
        judged, peak = (min(worst, equity), before.peak) if zones.mark == "intrabar" else (equity, now.peak)
        reached = sum(self.watch.at_most(judged, peak * (1 - Fraction(b)), "zone") for b in zones.boundaries)
        at, last = zones.liquidate_at, len(zones.boundaries)
        if at is not None and self.watch.at_most(judged, peak * (1 - Fraction(at)), "liquidate"):
            now.liquidating = True
        if now.halted_at is None and (reached == last or now.liquidating):
            now.halted_at = t
        now.zone = reached if now.halted_at is None else last  # latched; `liquidate_at` halts as EMERGENCY does
        return now

    def judge_margin(self, g: int, now: RiskState, equity: Fraction) -> None:
        """F13: under maintenance; ruin is latched."""
        need = ZERO
        for n in self.mine(g):
            q, own = abs(self.held(n)), self.last_margin[n]
            need += q * own if own else q * abs(self.mark[n] or ZERO) * self.x[n] * self.scenario.maintenance
        now.margin = not self.watch.at_most(need, equity, "margin", scale=self.log.initial[g])
        if not now.empty and self.watch.at_most(equity, self.log.initial[g] / 10**9, "ruin", scale=self.log.initial[g]):
            now.ruined = True

    def judge_day(self, now: RiskState, equity: Fraction) -> None:
        """Z4: blocked until the next session, recovery or not."""
        limit = self.scenario.risk.daily_loss
        if limit is not None and not now.empty and self.watch.at_most(equity, now.day_start * (1 - Fraction(limit)), "daily loss"):
            now.blocked = True
