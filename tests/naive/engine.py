"""The reference engine: one bar after the other, T4 to T8, in exact arithmetic. Slow and obvious; nothing here knows vecbt."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

from .decide import Decisions
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
class Engine(Decisions):
    """All state of a run. `Decisions` holds T7: what is wanted; this class holds what becomes of it."""

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

    def can_fill(self, t: int, n: int) -> bool:
        """F8, and volume 0 under volume share fills nothing."""
        if not self.valid(t, n):
            return False
        return not (self.scenario.costs.volume_share and self.bars.volume[t][n] == 0)

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

    def meet_open(self, t: int, n: int, draft: Draft) -> None:
        """M7: a trade that ends in T4 or T5 adds the open of its bar (at the close it has met the whole bar already)."""
        draft.met(self.bars.open[t][n])

    def take_off(self, n: int, q: Fraction, price: Fraction) -> None:
        """Reduce the position; at zero it is gone, its trade is finished by the caller."""
        position = self.positions[n]
        assert position is not None
        position.reduce(q, price, self.x[n])
        if position.q == 0:
            self.positions[n] = None

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
        if gross_mode:
            wanted = sum((abs(j.order.open * j.ref) * self.x[j.order.asset] for j in jobs), Fraction(0))
        else:
            opening = [j for j in jobs if j.order.open]
            claims = [Claim(self.scenario.costs, abs(j.order.open), abs(j.closed), j.price, self.x[j.order.asset]) for j in opening]
            wanted = sum((c.need(Fraction(1)) for c in claims), Fraction(0))
        self.watch.slack(wanted + gross, equity * (1 + SLACK), "group fits")
        if wanted + gross <= equity + SLACK * abs(equity):
            return Fraction(1)
        if room == 0 or wanted == 0:
            return Fraction(0)
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
        if job.price == 0:
            self.watch.fragile.append("a fill at 0")
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

    def end_trade(self, t: int, draft: Draft, reason: str) -> None:
        self.log.trades.append(draft.finish(t, reason))

    # ---- T5, T10, T8 -----------------------------------------------------------------------------------------------------

    def protect(self, t: int) -> None:
        """T5: protective exits meet the bar, then this bar's extreme moves the watermark."""
        stops = self.scenario.stops
        for n in range(self.N):
            position = self.positions[n]
            if position is None or stops is None or not self.valid(t, n):
                continue
            atr = self.atr[t - 1][n] if t > 0 else None
            if position.atr is None:
                position.atr = atr  # F14: the first there is
            position.arm(stops, self.watch)
            position.raise_trail(stops, atr, self.tick[n], self.watch)
            hit = self.met_level(t, n, position) if self.can_fill(t, n) else None
            if hit is not None:
                self.leave(t, n, *hit)
                self.protected.add(n)
                continue
            extreme = (self.bars.high if position.side > 0 else self.bars.low)[t][n]
            assert extreme is not None
            if position.side * extreme > position.side * position.watermark:
                position.watermark = extreme
            position.arm(stops, self.watch)

    def met_level(self, t: int, n: int, position: Position) -> tuple[Fraction, str] | None:
        """P3-P5: reference price and reason of the exit inside this bar, if any. Signs make a short a long."""
        stops, s = self.scenario.stops, position.side
        assert stops is not None
        o, good, bad = self.bars.open[t][n], self.bars.high[t][n], self.bars.low[t][n]
        assert o is not None and good is not None and bad is not None
        if s < 0:
            good, bad = bad, good
        stop = position.stop(stops, self.tick[n], self.watch)
        target = position.target(stops, self.tick[n], self.watch)
        shaky = position.shaky(self.tick[n], self.watch)
        gap = stop is not None and self.watch.at_most(s * o, s * stop[0], "gap", spoilt=shaky)
        stopped = stop is not None and self.watch.at_most(s * bad, s * stop[0], "stop", spoilt=shaky)
        past = target is not None and self.beyond(s * o, s * target, shaky)
        reached = past or (target is not None and self.beyond(s * good, s * target, shaky))
        take = (o if past else target, "target")
        if reached and stopped:
            stop_wins = gap if self.scenario.intrabar == "optimistic" else gap or not past  # an open past both is a stop
        else:
            stop_wins = stopped
        if stop_wins:
            assert stop is not None
            return (o if gap else stop[0], stop[1])
        return take if reached else None  # type: ignore[return-value]

    def beyond(self, price: Fraction, target: Fraction, shaky: bool) -> bool:
        """P4: touch, or through where `trade_through` asks for it."""
        if self.scenario.trade_through:
            return not self.watch.at_most(price, target, "target", spoilt=shaky)
        return self.watch.at_most(target, price, "target", spoilt=shaky)

    def leave(self, t: int, n: int, ref: Fraction, reason: str) -> None:
        """A protective exit of the whole position; a target is a limit order (no slippage, maker rate)."""
        position = self.positions[n]
        assert position is not None
        q, maker = -position.q, reason == "target"
        self.meet_open(t, n, position.draft)
        sigma = self.sigma[t - 1][n] if t > 0 else Fraction(0)
        side = 1 if q > 0 else -1
        price = ref if maker else slipped_price(self.scenario.costs, ref, side, q, sigma, self.bars.volume[t][n])
        self.exit_at(t, n, price, commission(self.scenario.costs, q, price, self.x[n], maker), reason)

    def exit_at(self, t: int, n: int, price: Fraction, paid: Fraction, reason: str) -> None:
        """Close a position outside the order book: P, T10, T8."""
        position, g = self.positions[n], self.account(n)
        assert position is not None
        q, draft = -position.q, position.draft
        self.watch.booked(price, paid)
        if price == 0 and reason != "delisting":
            self.watch.fragile.append("a fill at 0")
        self.cash[g] = tidy(self.cash[g] - q * price * self.x[n] - paid)
        self.take_off(n, q, price)
        draft.commission += paid
        order = Order(t, n, reason, Fraction(1), q, Fraction(0), q, status="filled", t_done=t, filled=q, price=price)
        self.log.orders.append(order)
        self.log.fills.append(Fill(t, n, q, price, paid, reason, order))
        self.end_trade(t, draft, reason)

    def delist(self, t: int) -> None:
        """T10: at the end of the bar, after T5 and before the mark, without costs; orders are cancelled."""
        for n, (bar, haircut) in self.bars.delisted.items():
            if bar != t:
                continue
            self.cancel(t, n, "delisted")
            if self.positions[n] is not None:
                m = self.bars.close[t][n] if self.valid(t, n) else self.mark[n]
                assert m is not None
                price = m * (1 - Fraction(haircut))
                self.exit_at(t, n, price, Fraction(0), "delisting")

    def close_all(self, t: int) -> None:
        """T8: after the last bar everything is closed at `m`, with costs."""
        for order in list(self.working.values()):
            self.cancel(t, order.asset)
        for n in range(self.N):
            position = self.positions[n]
            if position is None:
                continue
            m = self.mark[n]
            assert m is not None
            side, sigma = -position.side, self.sigma[t][n]  # the last bar is over
            volume = self.bars.volume[t][n] if self.valid(t, n) else None
            price = slipped_price(self.scenario.costs, m, side, position.q, sigma, volume)
            paid = commission(self.scenario.costs, position.q, price, self.x[n])
            self.exit_at(t, n, price, paid, "end")
        self.log.positions[-1] = [self.held(n) for n in range(self.N)]
        self.log.cash[-1] = list(self.cash)
        self.log.equity[-1] = [self.equity(g) for g in range(self.G)]

    def meet_bar(self, t: int) -> None:
        """M7, P8: a bar that was lived through to its close counts in full, an entry in T4 included."""
        for n in range(self.N):
            position = self.positions[n]
            if position is not None and self.valid(t, n):
                position.draft.met(self.bars.high[t][n])
                position.draft.met(self.bars.low[t][n])

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
