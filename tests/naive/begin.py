"""T1 to T3 and F15: what happens to holdings before the bar's market opens."""

from __future__ import annotations

from fractions import Fraction

from . import resting
from .fills import Fills
from .numbers import binary, down_to_lot, tidy
from .state import ZERO

__all__ = ["Begin"]


class Begin(Fills):
    """The part of the engine that comes before T4."""

    # ---- T1 --------------------------------------------------------------------------------------------------------------

    def actions(self, t: int) -> None:
        """Splits and dividends of this bar and those that wait; booked where there is a market, or at the delisting."""
        for n in range(self.N):
            ends = n in self.bars.delisted and self.bars.delisted[n][0] == t
            if ends or not self.gone(t, n):
                self.note_actions(t, n)
            if self.valid(t, n):
                self.book_actions(t, n, self.price_at(t, n, close=False))
            elif ends:
                self.book_actions(t, n, None)

    def note_actions(self, t: int, n: int) -> None:
        """Ratios multiply; a dividend that waits is divided by the ratios that come after it."""
        k = Fraction(self.bars.splits.get((t, n), 1))
        self.due_split[n] *= k
        self.due_dividend[n] = self.due_dividend[n] / k + Fraction(self.bars.dividends.get((t, n), 0))

    def book_actions(self, t: int, n: int, ref: Fraction | None) -> None:
        """A split first, its fraction at `ref` (None: at `m`), then the dividend for what is left."""
        k, d = self.due_split[n], self.due_dividend[n]
        self.due_split[n], self.due_dividend[n] = Fraction(1), ZERO
        if k != 1:
            self.split(t, n, k, ref)
            if not binary(1 / k):
                self.watch.prices_spoilt.add(n)
        position = self.positions[n]
        if d and position is not None:
            g = self.account(n)
            self.watch.booked(d, position.q)
            self.cash[g] = tidy(self.cash[g] + position.q * d)
            self.log.dividends[g] += position.q * d
            position.draft.dividends += position.q * d

    def split(self, t: int, n: int, k: Fraction, ref: Fraction | None) -> None:
        """`k` new units for each old one: position, `m`, orders, levels."""
        before, position = self.held(n), self.positions[n]
        self.A[n] *= k
        m = self.mark[n]
        self.mark[n] = None if m is None else m / k
        self.settled[n] /= k
        if position is not None:
            position.split(k)
            self.watch.priced(n, position.q, position.average, position.watermark)
            self.pay_fraction(t, n, self.mark[n] if ref is None else ref)
        self.split_working(t, n, k, before)
        resting.split(self, t, n, k)

    def pay_fraction(self, t: int, n: int, ref: Fraction | None) -> None:
        """With `lot >= 1` a fraction of a unit is paid in cash, without costs."""
        position = self.positions[n]
        assert position is not None and ref is not None
        fraction = position.q - down_to_lot(position.q, Fraction(1), self.watch)
        if self.lot[n] >= 1 and fraction:
            self.book_exit(t, n, -fraction, ref, ZERO, "split")

    def split_working(self, t: int, n: int, k: Fraction, before: Fraction) -> None:
        """The order that waits: quantities times `k`; a partial reduction on the grid of lots again (nothing: it ends at its fill)."""
        order = self.working.get(n)
        if order is None:
            return
        whole = order.close != 0 and order.close == -before
        order.close, order.open, order.filled = order.close * k, order.open * k, order.filled * k
        order.wanted = None if order.wanted is None else order.wanted * k
        if whole:
            order.close = -self.held(n)
        elif order.close:
            order.close = self.to_lot(order, order.close)

    # ---- T2 --------------------------------------------------------------------------------------------------------------

    def carry(self, t: int) -> None:
        """Borrow on shorts, interest on negative cash of the last close, funding of perpetuals."""
        days = self.bars.session[t] - self.bars.session[t - 1] if t else 0
        for g in range(self.G):
            cash = self.log.cash[t - 1][g] if t else ZERO
            cost = max(ZERO, -cash) * Fraction(self.scenario.interest) * days / 360
            cost += sum((self.carry_of(t, n, days) for n in self.mine(g)), ZERO)
            if cost:
                self.watch.money_spoilt = True
            self.cash[g] = tidy(self.cash[g] - cost)
            self.log.carry[g] += cost

    def carry_of(self, t: int, n: int, days: int) -> Fraction:
        """Borrow or funding of one asset, a cost of its trade."""
        position = self.positions[n]
        if position is None:
            return ZERO
        worth = position.q * (self.mark[n] or ZERO) * self.x[n]
        cost = ZERO
        if self.kind[n] == "perpetual":
            cost = worth * Fraction(self.bars.funding.get((t, n), 0))
        elif self.kind[n] == "cash" and position.q < 0:
            cost = -worth * Fraction(self.scenario.borrow.get(n, 0)) * days / 365
        position.draft.carry += cost
        return cost

    # ---- T3 and F15 --------------------------------------------------------------------------------------------------------

    def session(self, t: int) -> None:
        """A new session: the daily loss starts anew and orders expire; then deposits and withdrawals."""
        last = self.log.equity[t - 1] if t else self.log.initial
        if t == 0 or self.bars.session[t] != self.bars.session[t - 1]:
            for risk, equity in zip(self.risk, last, strict=True):
                risk.day_start, risk.blocked = equity, False
        resting.expire(self, t)
        amount = Fraction(self.scenario.flows.get(t, 0))
        self.log.flows.append([self.flow(g, amount, last[g]) if amount else ZERO for g in range(self.G)])

    def flow(self, g: int, amount: Fraction, equity: Fraction) -> Fraction:
        """What is paid in (or out, at most the room at `m`); it is no gain, so peak and daily reference move with it."""
        if amount < 0:
            room, _ = self.room_at(g, {n: self.mark[n] or ZERO for n in self.mine(g)})
            amount = -min(-amount, max(ZERO, room / self.L))
        self.watch.booked(amount)
        self.cash[g] = tidy(self.cash[g] + amount)
        risk = self.risk[g]
        if equity > 0:
            factor = (equity + amount) / equity
            risk.peak, risk.day_start = tidy(risk.peak * factor), tidy(risk.day_start * factor)
            self.watch.booked(factor)
        elif risk.empty:
            risk.peak = risk.day_start = amount
        if amount > 0:
            risk.empty = False
        elif amount < 0 and self.cash[g] == 0 and not any(self.held(n) for n in self.mine(g)):
            risk.empty, risk.peak, risk.day_start = True, ZERO, ZERO
        return amount
