"""Fills: reductions first, then new risk by priority (T4, F4-F7, F10), and the booking of each (F2, F3, F9)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from . import resting
from .decide import Decisions
from .fit import Claim, Tally, commission, largest_factor, rate_of, slipped_price, upper_quantity
from .jobs import Job
from .numbers import SLACK, down_to_lot, snapped, tidy
from .position import Draft, Position, entry_stop
from .scenario import Fill, Order
from .state import ZERO

__all__ = ["Fills"]


class Fills(Decisions):
    """The part of the engine that books."""

    costs_now: list[Fraction]  # of the fills made together (W2 gross)
    ended: list[tuple[Draft, str]]  # trades they brought to zero, and why

    def fill_jobs(self, t: int, jobs: list[Job], place: str) -> None:
        """T4's order for one session of fills; `place` is open, inside or close."""
        self.costs_now, self.ended = [ZERO] * self.G, []
        jobs = sorted(jobs, key=lambda j: (j.resolve, j.order.number))  # the account's own orders, then those of section O
        for job in jobs:
            if self.working.get(job.n) is job.order:
                del self.working[job.n]
        for job in jobs:
            job.several = job.resolve and sum(j.n == job.n for j in jobs) > 1
        for job in jobs:
            self.reduce_turn(t, job, place)
            if job.several:
                self.book_fill(t, job)  # O6: a closing part is a fill of its own then
        for g in range(self.G):
            mine = [j for j in jobs if self.account(j.n) == g and (j.resolve or j.order.open or j.order.cash_fraction is not None)]
            for priority in sorted({j.order.priority for j in mine}, reverse=True):
                self.open_group(t, g, [j for j in mine if j.order.priority == priority], place)
        for job in jobs:
            self.book_fill(t, job)
        self.log.trades += [draft.finish(t, reason) for draft, reason in self.ended]
        for job in jobs:
            self.finish(t, job)

    # ---- F7 --------------------------------------------------------------------------------------------------------------

    def market_price(self, t: int, n: int, ref: Fraction, side: int, units: Fraction) -> Fraction:
        """F1 for `units` bought or sold, sigma up to the bar before."""
        sigma = self.sigma[t - 1][n] if t > 0 else ZERO
        volume = self.bars.volume[t][n]
        return slipped_price(self.scenario.costs, ref, side, units, sigma, volume, self.negative[n])

    def allot(self, t: int, job: Job, close: Fraction, opening: Fraction) -> None:
        """F7 at an order's first turn: the piece of what it asks that volume allows, closing first, and the price of that piece."""
        if job.given is not None:
            return
        n, left = job.n, self.left[job.n]
        job.want_close = close
        if left is not None and not self.watch.at_most(close + opening, left, "volume", spoilt=False):
            job.limited = True
            if job.whole:  # each part by itself
                job.refused = True
                job.order.cut_by.add("volume")
                close, opening = (close if close <= left else ZERO), ZERO
            elif close >= left:
                close, opening = (left if close == left else down_to_lot(left, self.lot[n], self.watch)), ZERO
            else:
                opening = down_to_lot(left - close, self.lot[n], self.watch)
        job.price = self.piece_price(t, job, close + opening)
        least = Fraction(self.bars.min_notional[n]) * (1 - SLACK)
        if job.limited and opening and self.under(opening * abs(job.price) * self.x[n], least):
            opening = ZERO  # a piece that is nothing yet
            job.price = self.piece_price(t, job, close)
        job.given, job.piece_open = close + opening, opening
        if left is not None:
            most = (self.bars.volume[t][n] or ZERO) * (self.scenario.participation or ZERO)
            self.left[n] = left - job.given if left - job.given > SLACK * most else ZERO  # a rounding error of volume is none

    def under(self, money: Fraction, least: Fraction) -> bool:
        self.watch.slack(money, least, "minimum")
        return money < least

    def piece_price(self, t: int, job: Job, units: Fraction) -> Fraction:
        return job.ref if job.maker else self.market_price(t, job.n, job.ref, job.side, units)

    # ---- reductions --------------------------------------------------------------------------------------------------------

    def closable(self, job: Job) -> Fraction:
        """What the order closes of the position of now."""
        held = self.held(job.n)
        if held * job.side >= 0:
            return ZERO
        if job.resolve:
            used = abs(job.closed) + abs(job.opened) + job.lost
            job.quantity = job.side * (used + snapped(abs(job.quantity) - used, abs(held)))
            return min(abs(held), abs(job.quantity) - used)
        return abs(held) if job.order.exit else min(abs(job.order.close), abs(held))

    def reduce_turn(self, t: int, job: Job, place: str) -> None:
        """Reductions need no cash; the closing part of a flip is one of them."""
        want = self.closable(job)
        if want == 0 or job.refused:
            return
        opening = ZERO
        if not job.resolve:
            opening = abs(job.order.open) if job.order.cash_fraction is None else ZERO
        elif not self.opens_nothing(job):
            opening = abs(job.quantity) - want
        part = want
        if job.resolve and want < abs(self.held(job.n)):
            part = down_to_lot(want, self.lot[job.n], self.watch)
        self.allot(t, job, part, opening)
        job.want_close = want
        c = min(part, job.spare)
        if c:
            self.close_part(t, job, job.side * c, place)

    def opens_nothing(self, job: Job) -> bool:
        """`reduce_only`, or a side `direction` forbids (O6)."""
        return job.reduce_only or job.side == {"long": -1, "short": 1, "both": 0}[self.scenario.direction]

    def close_part(self, t: int, job: Job, q: Fraction, place: str) -> None:
        """Book `q` units (signed) against the position."""
        n = job.n
        position = self.positions[n]
        assert position is not None
        if place != "close" and position.inside != t:
            position.draft.met(self.bars.open[t][n])  # M7: a trade that ends in T4 or T5 adds the open of its bar
        self.book_piece(job, q)
        job.closed += q
        job.shares.append((position.draft, abs(q)))
        self.take_off(n, q, job.price)
        if self.positions[n] is None:
            self.ended.append((position.draft, job.order.reason))

    def take_off(self, n: int, q: Fraction, price: Fraction) -> None:
        """Reduce the position; at zero it is gone, its trade is finished by the caller."""
        position = self.positions[n]
        assert position is not None
        self.pay(n, q, price)
        position.reduce(q, price, self.x[n])
        if position.q == 0:
            self.positions[n] = None

    def book_piece(self, job: Job, q: Fraction) -> None:
        """F2: what this piece adds to the commission of the order's total."""
        order, unit = job.order, abs(job.price) * self.x[job.n]
        rate = rate_of(self.scenario.costs, job.maker)
        more = Tally.of(order).more(self.scenario.costs, abs(q), unit, rate)
        order.filled += q
        order.money += q * job.price
        order.notional += abs(q) * unit
        order.rated += abs(q) * unit * rate
        order.paid += more
        job.commission += more
        self.charge(job.n, more)
        self.costs_now[self.account(job.n)] += more + abs(q * (job.price - job.ref)) * self.x[job.n]

    # ---- new risk ----------------------------------------------------------------------------------------------------------

    def open_group(self, t: int, g: int, jobs: list[Job], place: str) -> None:
        """F4 and F10 for new risk of one priority, then lot and minimum."""
        jobs = [j for j in jobs if self.asks(t, j)]
        if not jobs:
            return
        prices = {n: self.price_at(t, n, place == "close") for n in self.mine(g)}
        gross_mode = self.scenario.inputs == "weights" and self.scenario.weights_of == "gross"
        for job in jobs:
            prices[job.n] = job.ref if gross_mode else job.price
        room, whole = self.room_inside[g] if place == "inside" else self.room_at(g, prices)
        if gross_mode:
            room, whole = room + self.L * self.costs_now[g], whole + self.L * self.costs_now[g]
        self.size_by_cash(jobs, self.some(room, whole))
        factor = self.common_factor(jobs, room, whole, gross_mode)
        for job in jobs:
            self.open_part(t, job, factor, place)

    def asks(self, t: int, job: Job) -> bool:
        """Whether an order comes for room; how much is `piece_open`."""
        if job.refused or (job.limited and job.want_close > abs(job.closed) and not job.resolve):
            return False
        if not job.resolve:
            self.allot(t, job, ZERO, abs(job.order.open) if job.order.cash_fraction is None else ZERO)
            return job.piece_open > 0 or job.order.cash_fraction is not None
        opening = abs(job.quantity) - job.want_close
        if opening and self.opens_nothing(job):
            if not job.limited:
                job.order.cut_by.add("reduce_only" if job.reduce_only else "direction")
                job.refused = True
            return False
        if opening == 0:
            if not job.closed and not job.limited:
                job.order.cut_by.add("lot")  # less than a lot of a partial reduction
            return False
        self.allot(t, job, ZERO, opening)
        return job.piece_open > 0 and not job.refused

    def some(self, room: Fraction, whole: Fraction) -> Fraction:
        """F10: a room below 1e-9 of `L*equity` is none."""
        least = SLACK * abs(whole)
        self.watch.slack(room, least, "room", whole)
        return room if room >= least else ZERO

    def size_by_cash(self, jobs: list[Job], room: Fraction) -> None:
        """S3 `cash`: each takes its share of the room this group finds, costs included (never with volume share)."""
        for job in jobs:
            order = job.order
            if order.cash_fraction is not None:
                assert order.sized_at_fill is not None
                job.piece_open = tidy(upper_quantity(self.claim(job), order.sized_at_fill * room))
                job.given = (job.given or ZERO) + job.piece_open
                order.open = job.piece_open if order.open > 0 else -job.piece_open

    def claim(self, job: Job, gross_mode: bool = False) -> Claim:
        unit = self.gross_unit(job.n, job.ref if gross_mode else job.price)
        worth = abs(job.price) * self.x[job.n]
        return Claim(self.scenario.costs, job.piece_open, worth, unit, self.L, Tally.of(job.order), job.maker)

    def common_factor(self, jobs: list[Job], room: Fraction, whole: Fraction, gross_mode: bool) -> Fraction:
        """The largest factor that fits; 1 where the whole group fits within 1e-9 of `L*equity`. FOK that would be cut leave."""
        while True:
            factor = self.factor(jobs, room, whole, gross_mode)
            cut = [j for j in jobs if j.whole and j.piece_open and (factor < 1 or self.lots(j) != j.piece_open)]
            if not cut:
                return factor
            for job in cut:
                self.lose(job, job.piece_open)
                job.piece_open, job.refused = ZERO, True
                job.order.cut_by.add("cash" if factor < 1 else "lot")

    def lots(self, job: Job) -> Fraction:
        return down_to_lot(job.piece_open, self.lot[job.n], self.watch)

    def factor(self, jobs: list[Job], room: Fraction, whole: Fraction, gross_mode: bool) -> Fraction:
        if self.some(room, whole) == 0:
            return ZERO  # and nothing fits it, not even an order that needs nothing
        claims = [self.claim(j, gross_mode) for j in jobs if j.piece_open]
        if gross_mode:
            wanted = sum((c.opening * c.gross for c in claims), ZERO)
        else:
            wanted = sum((c.need(Fraction(1)) for c in claims), ZERO)
        self.watch.slack(wanted - room + whole, whole * (1 + SLACK), "group fits")
        if wanted <= room + SLACK * abs(whole):
            return Fraction(1)
        return room / wanted if gross_mode else largest_factor(claims, room)

    def lose(self, job: Job, units: Fraction) -> None:
        """What F4 and the rules after it cut is lost; its volume goes back."""
        job.lost += units
        left = self.left[job.n]
        self.left[job.n] = None if left is None else left + units

    def open_part(self, t: int, job: Job, factor: Fraction, place: str) -> None:
        order, n, q = job.order, job.n, job.piece_open
        if job.refused:
            return
        if factor < 1 and q:
            order.cut_by.add("cash")
            self.watch.booked(factor)  # a share that floats do not hold: nor what they make of a product that they would
            q = tidy(q * factor)
        if q == 0:
            order.cut_by.add("cash")
        q = self.to_lot(order, q)
        least = Fraction(self.bars.min_notional[n])
        if q and least and self.under(q * abs(job.price) * self.x[n], least * (1 - SLACK)):
            order.cut_by.add("minimum")
            q = ZERO
        self.lose(job, job.piece_open - q)
        if q and job.resolve and self.held(job.n) * job.side < 0:
            q = snapped(q, abs(self.held(job.n)))
            q -= self.close_own(t, job, q, place)
        if q:
            self.put_on(t, job, job.side * q, place)

    def close_own(self, t: int, job: Job, q: Fraction, place: str) -> Fraction:
        """Section O: a position that the same group opened on the other side is closed by what was to open."""
        held = self.held(job.n)
        c = min(abs(held), q) if held * job.side < 0 else ZERO
        if c:
            self.close_part(t, job, job.side * c, place)
        return c

    def put_on(self, t: int, job: Job, q: Fraction, place: str) -> None:
        """Book the opening part: cash, commission on top of the closing part's, position."""
        n, p, g = job.n, job.price, self.account(job.n)
        before = job.commission
        self.pay(n, q, p)
        self.book_piece(job, q)
        job.opened += q
        if place == "inside":
            room, whole = self.room_inside[g]
            self.room_inside[g] = room - abs(q) * self.gross_unit(n, p) - self.L * (job.commission - before), whole
        atr = self.atr_at(t if place == "close" else t - 1, n)
        position = self.positions[n]
        if position is None:
            self.positions[n] = position = self.new_position(t, n, q, p, atr, job)
            job.begun = position.draft
        else:
            job.begun = position.draft
            position.add(q, p, atr)
            position.take(job.order.bracket)
            self.watch.priced(n, position.q, q, position.average)
            self.start_trail(t, n, position, atr)

    def new_position(self, t: int, n: int, q: Fraction, p: Fraction, atr: Fraction | None, job: Job | None = None) -> Position:
        """A position from flat at `t` (bar -1 for a starting one, F14), with its first stop and initial risk (M7)."""
        side = 1 if q > 0 else -1
        bracket = None if job is None else job.order.bracket
        terms = self.terms(t, n)
        terms.atr = atr
        first = entry_stop(self.stops, p, side, terms, bracket)
        risk = None if first is None else abs(q) * self.x[n] * abs(p - first)
        draft = Draft(n, side, t, risk, entered=abs(q), paid=abs(q) * p, multiplier=self.x[n])
        draft.met(p)
        position = Position(q, p, t, self.bars.session[max(t, 0)], atr, p, draft, opened_by=job)
        position.take(bracket)
        if job is not None and job.inside:
            position.inside = t
        self.start_trail(t, n, position, atr)
        return position

    def start_trail(self, t: int, n: int, position: Position, atr: Fraction | None) -> None:
        """P2: a trail that is armed by a fill has its level from then on, whatever a later fill of the bar puts in its place."""
        if self.stops is not None:
            position.arm(self.stops, self.watch)
            position.trail = position.trail_from(self.stops, replace(self.terms(t, n), atr=atr), self.watch)

    # ---- what became of it -----------------------------------------------------------------------------------------------------

    def book_fill(self, t: int, job: Job) -> None:
        """One fill, one commission, shared by quantity between the trades it closes and the one it opens (F6)."""
        order, n, q = job.order, job.n, job.closed + job.opened - job.logged
        if q == 0:
            return
        self.watch.booked(q, job.price, job.commission)
        self.watch.priced(n, job.price)
        self.log.fills.append(Fill(t, n, q, job.price, job.commission, order.reason, order))
        for draft, units in job.shares:
            draft.commission += job.commission * units / abs(q)
        if job.begun is not None:
            job.begun.commission += job.commission * job.opened / q
        job.logged, job.commission, job.shares = job.closed + job.opened, ZERO, []
        self.cash[self.account(n)] = tidy(self.cash[self.account(n)])

    def finish(self, t: int, job: Job) -> None:
        """F7: what volume left over waits, or is dropped; otherwise the order has ended."""
        order, n = job.order, job.n
        if self.rest_of(job):
            if not (job.drop or self.scenario.participation_rest == "drop"):
                if job.resolve:
                    resting.rested(self, t, job)
                else:
                    self.working[n] = order
                return
            order.cut_by.add("volume")
        found_nothing = not (job.closed or job.opened or order.cut_by)  # dies with its position
        self.end(t, order, ("partial" if order.filled else "cancelled") if found_nothing else "")
        if order.reason in ("time", "stop", "trail", "target") and job.closed and self.positions[n] is None:
            self.protected.add(n)  # P9

    def rest_of(self, job: Job) -> bool:
        """Whether volume left something over; a signal order then says what it still wants."""
        order = job.order
        if job.resolve:
            rest = abs(job.quantity) - abs(job.closed) - abs(job.opened) - job.lost
            return job.limited and not job.refused and rest > 0
        if not job.limited:
            return False
        closing = abs(self.held(job.n)) if order.exit else job.want_close - abs(job.closed)
        opening = abs(order.open) - job.piece_open
        order.close, order.open = job.side * closing, job.side * opening
        return bool(closing or opening)

    def end(self, t: int, order: Order, status: str = "") -> None:
        """Z6: filled, partial after a cut, rejected where nothing was filled; or as `status` says."""
        if self.working.get(order.asset) is order:
            del self.working[order.asset]
        order.t_done = t
        order.status = status or ("rejected" if order.filled == 0 else ("partial" if order.cut_by else "filled"))

    def enter_log(self, order: Order) -> Order:
        """Orders are numbered in the order of their decisions."""
        order.number = len(self.log.orders)
        self.log.orders.append(order)
        return order

    def book_exit(self, t: int, n: int, q: Fraction, price: Fraction, paid: Fraction, reason: str) -> None:
        """A fill outside the order book: T1's fractions, T10, T8."""
        position = self.positions[n]
        assert position is not None
        draft = position.draft
        self.watch.booked(q, price, paid)
        self.charge(n, paid)
        self.take_off(n, q, price)
        self.cash[self.account(n)] = tidy(self.cash[self.account(n)])
        draft.commission += paid
        order = Order(t, n, reason, Fraction(1), q, ZERO, q, status="filled", t_done=t, filled=q, money=q * price, paid=paid)
        self.log.fills.append(Fill(t, n, q, price, paid, reason, self.enter_log(order)))
        if self.positions[n] is None:
            self.log.trades.append(draft.finish(t, reason))

    def close_cost(self, n: int, q: Fraction, price: Fraction) -> Fraction:
        return commission(self.scenario.costs, q, price, self.x[n])
