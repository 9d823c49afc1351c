"""T5, T10 and T8: exits that no decision of this bar stands behind (P, delistings, the end), and what a trade met (M7)."""

from __future__ import annotations

from fractions import Fraction

from .decide import Decisions
from .fit import commission, slipped_price
from .numbers import tidy
from .position import Draft, Position
from .scenario import Fill, Order

__all__ = ["Exits"]


class Exits(Decisions):
    """The part of the engine that closes positions outside the order book."""

    def can_fill(self, t: int, n: int) -> bool:
        """F8, and volume 0 under volume share fills nothing."""
        if not self.valid(t, n):
            return False
        return not (self.scenario.costs.volume_share and self.bars.volume[t][n] == 0)

    def take_off(self, n: int, q: Fraction, price: Fraction) -> None:
        """Reduce the position; at zero it is gone, its trade is finished by the caller."""
        position = self.positions[n]
        assert position is not None
        position.reduce(q, price, self.x[n])
        if position.q == 0:
            self.positions[n] = None

    def meet_open(self, t: int, n: int, draft: Draft) -> None:
        """M7: a trade that ends in T4 or T5 adds the open of its bar (at the close it has met the whole bar already)."""
        draft.met(self.bars.open[t][n])

    def end_trade(self, t: int, draft: Draft, reason: str) -> None:
        self.log.trades.append(draft.finish(t, reason))

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
