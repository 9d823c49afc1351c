"""The reference engine: one bar after the other, T4 to T8, in exact arithmetic. Slow and obvious; nothing here knows vecbt."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

from .exits import Exits
from .fit import Claim, commission, largest_factor, slipped_price, upper_quantity
from .numbers import SLACK, tidy
from .position import Draft, Position, entry_stop
from .scenario import Fill, Log, Order, Scenario

__all__ = ["simulate"]


def simulate(scenario: Scenario) -> Log:
    """Run a scenario and return what happened."""
    engine = Engine(scenario)
    for t in range(engine.T):
        engine.bar(t)
    if scenario.liquidate_at_end:
        engine.close_all(engine.T - 1)
    engine.log.fragile = engine.watch.fragile
    return engine.log


@dataclass
class RiskState:
    """Z1-Z3 of one account."""

    peak: Fraction
    zone: int = 0
    halted_at: int | None = None
    liquidating: bool = False


@dataclass
class Job:
    """An order on its way through one session of fills."""

    order: Order
    ref: Fraction
    price: Fraction
    closed: Fraction = Fraction(0)
    opened: Fraction = Fraction(0)
    closing_commission: Fraction = Fraction(0)
    closing_draft: Draft | None = None


@dataclass
class Engine(Exits):
    """All state of a run. `Decisions` holds T7, what is wanted; `Exits` the protective exits; this class the bar, the fills and T6."""

    scenario: Scenario
    costs_now: list[Fraction] = field(default_factory=list)  # of the fills made together (W2 gross)

    def __post_init__(self) -> None:
        self.setup()
        self.costs_now = [Fraction(0)] * self.G
        self.risk = [RiskState(peak=e) for e in self.log.initial]

    # ---- one bar -------------------------------------------------------------------------------------------------------

    def bar(self, t: int) -> None:
        """T4 to T7 of one bar."""
        self.protected = set()
        self.execute(t, [o for o in list(self.working.values()) if self.can_fill(t, o.asset)], at_close=False)
        self.protect(t)
        self.meet_bar(t)
        self.delist(t)
        for n in range(self.N):
            if self.valid(t, n):
                self.mark[n] = self.bars.close[t][n]
        worst = [self.worst_equity(t, g) for g in range(self.G)]
        before = [replace(r) for r in self.risk]
        self.risk = [self.judge(t, g, before[g], worst[g]) for g in range(self.G)]
        decided = self.decide(t)
        if self.scenario.fill == "close":
            self.execute(t, [o for o in decided if self.can_fill(t, o.asset)], at_close=True)
            self.risk = [self.judge(t, g, before[g], worst[g]) for g in range(self.G)]
        self.record()

    def record(self) -> None:
        """The line of this bar."""
        self.log.equity.append([self.equity(g) for g in range(self.G)])
        self.log.cash.append(list(self.cash))
        self.log.zone.append([r.zone for r in self.risk])
        self.log.positions.append([self.held(n) for n in range(self.N)])

    # ---- T4 and close fills ----------------------------------------------------------------------------------------------

    def execute(self, t: int, orders: list[Order], at_close: bool) -> None:
        """T4's order: reductions first, then new risk by falling priority, equal priorities together (F10)."""
        self.costs_now = [Fraction(0)] * self.G
        jobs = []
        for order in orders:
            self.working.pop(order.asset, None)
            jobs.append(self.begin(t, order, at_close))
        for job in jobs:
            self.close_part(t, job)
        for g in range(self.G):
            mine = [j for j in jobs if self.account(j.order.asset) == g and (j.order.open or j.order.cash_fraction is not None)]
            for priority in sorted({j.order.priority for j in mine}, reverse=True):
                self.open_group(t, g, [j for j in mine if j.order.priority == priority], at_close)
        for job in jobs:
            self.finish(t, job)
            if job.order.reason == "time":
                self.protected.add(job.order.asset)  # P9

    def begin(self, t: int, order: Order, at_close: bool) -> Job:
        n = order.asset
        ref = (self.bars.close if at_close else self.bars.open)[t][n]
        assert ref is not None
        return Job(order, ref, self.price(t, order, ref, order.close + order.open))

    def price(self, t: int, order: Order, ref: Fraction, q: Fraction) -> Fraction:
        """F1 for `q` units before F4, sigma up to the bar before."""
        n = order.asset
        sigma = self.sigma[t - 1][n] if t > 0 else Fraction(0)
        side = 1 if order.close + order.open > 0 else -1
        return slipped_price(self.scenario.costs, ref, side, q, sigma, self.bars.volume[t][n])

    def close_part(self, t: int, job: Job) -> None:
        """Reductions need no cash; the closing part of a flip is one of them."""
        n, q = job.order.asset, job.order.close
        if q == 0:
            return
        position = self.positions[n]
        assert position is not None
        job.closed, job.closing_draft = q, position.draft
        job.closing_commission = commission(self.scenario.costs, q, job.price, self.x[n])
        self.cash[self.account(n)] -= q * job.price * self.x[n] + job.closing_commission
        self.costs_now[self.account(n)] += job.closing_commission + abs(q * (job.price - job.ref)) * self.x[n]
        self.take_off(n, q, job.price)
        self.meet_open(t, n, job.closing_draft)

    def open_group(self, t: int, g: int, jobs: list[Job], at_close: bool) -> None:
        """F4 and F10 for new risk of one priority, then lot and minimum."""
        gross_mode = self.scenario.inputs == "weights" and self.scenario.weights_of == "gross"
        values = [self.value(t, n, at_close) for n in range(self.N)]
        for job in jobs:
            values[job.order.asset] = job.ref if gross_mode else job.price
        self.size_by_cash(g, jobs, values)
        equity, gross = self.value_of(g, values)
        if gross_mode:
            equity += self.costs_now[g]
        factor = self.common_factor(jobs, equity, gross, gross_mode)
        for job in jobs:
            self.open_part(t, job, factor, at_close)

    def value(self, t: int, n: int, at_close: bool) -> Fraction:
        """F4: others at the open, or at the close for close fills; without a market at `m`."""
        if not self.valid(t, n):
            return self.mark[n] or Fraction(0)
        price = (self.bars.close if at_close else self.bars.open)[t][n]
        assert price is not None
        return price

    def value_of(self, g: int, values: list[Fraction]) -> tuple[Fraction, Fraction]:
        equity, gross = self.cash[g], Fraction(0)
        for n in range(self.N):
            if self.account(n) == g:
                worth = self.held(n) * self.x[n] * values[n]
                equity += worth
                gross += abs(worth)
        return equity, gross

    def size_by_cash(self, g: int, jobs: list[Job], values: list[Fraction]) -> None:
        """S3 `cash`: each takes its share of the room this group finds, costs included (never with volume share)."""
        room = self.room(*self.value_of(g, values))
        for job in jobs:
            order = job.order
            if order.cash_fraction is not None:
                assert order.sized_at_fill is not None
                most = upper_quantity(self.scenario.costs, abs(job.closed), job.price, self.x[order.asset], order.sized_at_fill * room)
                order.open = tidy(most) if order.open > 0 else -tidy(most)

    def room(self, equity: Fraction, gross: Fraction) -> Fraction:
        """F4 and F10: what new risk may still take; less than 1e-9 of equity is none."""
        room, least = equity - gross, SLACK * abs(equity)
        self.watch.slack(room, least, "room", equity)
        return room if room >= least else Fraction(0)

    def common_factor(self, jobs: list[Job], equity: Fraction, gross: Fraction, gross_mode: bool) -> Fraction:
        """The largest factor that fits; 1 where the whole group fits within 1e-9 of equity."""
        room = self.room(equity, gross)
        if room == 0:
            return Fraction(0)  # and nothing fits it, not even an order that needs nothing
        if gross_mode:
            wanted = sum((abs(j.order.open * j.ref) * self.x[j.order.asset] for j in jobs), Fraction(0))
        else:
            opening = [j for j in jobs if j.order.open]
            claims = [Claim(self.scenario.costs, abs(j.order.open), abs(j.closed), j.price, self.x[j.order.asset]) for j in opening]
            wanted = sum((c.need(Fraction(1)) for c in claims), Fraction(0))
        self.watch.slack(wanted + gross, equity * (1 + SLACK), "group fits")
        if wanted + gross <= equity + SLACK * abs(equity):
            return Fraction(1)
        return room / wanted if gross_mode else largest_factor(claims, room)

    def open_part(self, t: int, job: Job, factor: Fraction, at_close: bool) -> None:
        order, n = job.order, job.order.asset
        q = order.open
        if factor < 1 and q:
            order.cut_by.add("cash")
            q = tidy(q * factor)
        if q == 0:
            order.cut_by.add("cash")
        q = self.to_lot(order, q)
        least = Fraction(self.bars.min_notional[n])
        if q and least:
            size = abs(q * job.price) * self.x[n]
            self.watch.slack(size, least * (1 - SLACK), "minimum")
            if size < least * (1 - SLACK):
                order.cut_by.add("minimum")
                q = Fraction(0)
        if q:
            job.opened = q
            self.put_on(t, job, at_close)

    def put_on(self, t: int, job: Job, at_close: bool) -> None:
        """Book the opening part: cash, commission on top of the closing part's, position."""
        n, q, p = job.order.asset, job.opened, job.price
        g = self.account(n)
        more = commission(self.scenario.costs, job.closed + q, p, self.x[n]) - job.closing_commission
        self.cash[g] -= q * p * self.x[n] + more
        self.costs_now[g] += more + abs(q * (p - job.ref)) * self.x[n]
        atr = self.atr[t][n] if at_close else (self.atr[t - 1][n] if t > 0 else None)
        position = self.positions[n]
        if position is None:
            self.positions[n] = self.new_position(t, n, q, p, atr)
            return
        position.add(q, p, atr)
        self.watch.priced(n, position.q, q, position.average)
        if self.scenario.stops is not None:
            position.arm(self.scenario.stops, self.watch)

    def new_position(self, t: int, n: int, q: Fraction, p: Fraction, atr: Fraction | None) -> Position:
        """A position from flat at `t` (bar -1 for a starting one, F14), with its first stop and initial risk (M7)."""
        stops, side = self.scenario.stops, 1 if q > 0 else -1
        first = entry_stop(stops, p, side, atr, self.tick[n])
        risk = None if first is None else abs(q) * self.x[n] * abs(p - first)
        draft = Draft(n, side, t, risk, entered=abs(q), paid=abs(q) * p)
        draft.met(p)
        position = Position(q, p, t, self.bars.session[max(t, 0)], atr, p, draft)
        if stops is not None:
            position.arm(stops, self.watch)
        return position

    def finish(self, t: int, job: Job) -> None:
        """One fill, one commission, shared by quantity between the trade it closes and the one it opens (F6)."""
        order, n = job.order, job.order.asset
        order.t_done, order.filled = t, job.closed + job.opened
        order.status = "rejected" if order.filled == 0 else ("partial" if order.cut_by else "filled")
        if order.filled == 0:
            return
        order.price = job.price
        paid = commission(self.scenario.costs, order.filled, job.price, self.x[n])
        self.watch.booked(order.filled, job.price, paid)
        self.watch.priced(n, job.price)
        self.log.fills.append(Fill(t, n, order.filled, job.price, paid, order.reason, order))
        share = paid * job.closed / order.filled
        position = self.positions[n]
        if job.closing_draft is not None:
            job.closing_draft.commission += share
            if position is None or position.draft is not job.closing_draft:
                self.end_trade(t, job.closing_draft, order.reason)
        if job.opened and position is not None:
            position.draft.commission += paid - share
        self.cash[self.account(n)] = tidy(self.cash[self.account(n)])

    # ---- T6 --------------------------------------------------------------------------------------------------------------

    def worst_equity(self, t: int, g: int) -> Fraction:
        """Z1 intrabar: what is held after T5 and not delisted, each asset at its worst extreme."""
        total = self.cash[g]
        for n in range(self.N):
            q = self.held(n)
            if self.account(n) != g or q == 0:
                continue
            worst = (self.bars.low if q > 0 else self.bars.high)[t][n] if self.valid(t, n) else self.mark[n]
            assert worst is not None
            total += q * self.x[n] * worst
        return total

    def judge(self, t: int, g: int, before: RiskState, worst: Fraction) -> RiskState:
        """Z1 and Z3 at the mark of this bar, from the values before it."""
        zones, equity = self.scenario.zones, self.equity(g)
        now = replace(before, peak=max(before.peak, equity))
        if zones is None:
            return now
        if now.halted_at is not None and zones.cooldown_bars is not None and t - now.halted_at >= zones.cooldown_bars:
            return RiskState(peak=equity)
        judged, peak = (min(worst, equity), before.peak) if zones.mark == "intrabar" else (equity, now.peak)
        reached = sum(self.watch.at_most(judged, peak * (1 - Fraction(b)), "zone") for b in zones.boundaries)
        at, last = zones.liquidate_at, len(zones.boundaries)
        if at is not None and self.watch.at_most(judged, peak * (1 - Fraction(at)), "liquidate"):
            now.liquidating = True
        if now.halted_at is None and (reached == last or now.liquidating):
            now.halted_at = t
        now.zone = reached if now.halted_at is None else last  # latched; `liquidate_at` halts as EMERGENCY does
        return now
