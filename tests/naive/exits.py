"""T5, T10, Z8 and T8: exits that no decision of this bar stands behind, and what a trade met (P, M7)."""

from __future__ import annotations

from fractions import Fraction

from . import resting
from .begin import Begin
from .fit import slipped_price
from .jobs import Job
from .position import Position
from .scenario import Order
from .state import ZERO

__all__ = ["Exits"]


class Exits(Begin):
    """The part of the engine that closes positions inside the bar."""

    # ---- T5 --------------------------------------------------------------------------------------------------------------

    def protect(self, t: int) -> None:
        """Protective exits meet the bar."""
        for n in range(self.N):
            position = self.positions[n]
            if position is None or self.stops is None or not self.valid(t, n):
                continue
            o, h, low = self.bars.open[t][n], self.bars.high[t][n], self.bars.low[t][n]
            self.expose(t, n, o, *((h, low) if position.side > 0 else (low, h)))

    def expose(self, t: int, n: int, o: Fraction | None, good: Fraction | None, bad: Fraction | None) -> None:
        """P3-P5 for what counts of a bar: its open, the extreme that favours the position, the one that harms it (P8)."""
        position = self.positions[n]
        assert position is not None and self.stops is not None
        terms = self.terms(t - 1, n)
        position.arm(self.stops, self.watch)
        position.trail = position.trail_from(self.stops, terms, self.watch)
        working = self.working.get(n)
        exit_waits = working is not None and working.exit
        hit = self.met_level(position, t, o, good, bad) if self.can_fill(t, n) and not exit_waits else None
        if hit is not None:
            self.leave(t, n, *hit)
        if self.positions[n] is None:
            self.protected.add(n)  # P9

    def met_level(
        self, position: Position, t: int, o: Fraction | None, good: Fraction | None, bad: Fraction | None
    ) -> tuple[Fraction, str] | None:
        """Reference price and reason of the exit inside this bar, if any. Signs make a short a long."""
        n, s, stops = position.draft.asset, position.side, self.stops
        assert stops is not None
        terms = self.terms(t - 1, n)
        stop = position.stop(stops, terms, self.watch, position.trail)
        target = position.target(stops, terms, self.watch)
        shaky = position.shaky(self.tick[n], self.watch)

        def below(price: Fraction | None, what: str) -> bool:
            return stop is not None and price is not None and self.watch.at_most(s * price, s * stop[0], what, spoilt=shaky)

        gap = below(o, "gap")
        stopped = gap or below(bad, "stop")
        past = target is not None and o is not None and self.beyond(s * o, s * target, shaky)
        reached = past or (target is not None and good is not None and self.beyond(s * good, s * target, shaky))
        take = (o if past else target, "target")
        if reached and stopped:
            stop_wins = gap if self.scenario.intrabar == "optimistic" else gap or not past  # an open past both is a stop
        else:
            stop_wins = stopped
        if stop_wins:
            assert stop is not None
            return (o if gap else stop[0], stop[1])  # type: ignore[return-value]
        return take if reached else None  # type: ignore[return-value]

    def beyond(self, price: Fraction, target: Fraction, shaky: bool) -> bool:
        """P4: touch, or through where `trade_through` asks for it."""
        if self.scenario.trade_through:
            return not self.watch.at_most(price, target, "target", spoilt=shaky)
        return self.watch.at_most(target, price, "target", spoilt=shaky)

    def leave(self, t: int, n: int, ref: Fraction, reason: str) -> None:
        """An exit of the whole position inside the bar, which ends what waits; a target is a limit order, F7's rest a market order."""
        q = -self.held(n)
        self.end_waiting(t, n)  # S4
        order = self.enter_log(Order(t, n, reason, Fraction(1), q, ZERO, q, exit=True))
        self.fill_jobs(t, [Job(order, ref, maker=reason == "target", inside=True)], "inside")

    # ---- T10, M7 -----------------------------------------------------------------------------------------------------------

    def delist(self, t: int) -> None:
        """T10: at the end of the bar, after T5 and before the mark, without costs; orders are cancelled."""
        for n, (bar, haircut) in self.bars.delisted.items():
            if bar != t:
                continue
            self.cancel(t, n, "delisted")
            resting.cancel(self, t, n, "delisted", False)
            self.meet_bar(t, n)
            if self.positions[n] is not None:
                price = self.price_at(t, n) * (1 - Fraction(haircut))
                self.book_exit(t, n, -self.held(n), price, ZERO, "delisting")

    def meet_bar(self, t: int, n: int) -> None:
        """M7, P8: a bar that was lived through to its close counts in full, an entry in T4 included; after an entry inside it, what counts.

        P2: its best price moves the watermark, after all tests of the bar.
        """
        position = self.positions[n]
        if position is None:
            return
        if position.atr is None:
            position.atr = self.atr_at(t, n)  # F14: the first there is
        if not self.valid(t, n):
            return
        extremes = (self.bars.high[t][n], self.bars.low[t][n]) if position.inside != t else position.counts or ()
        for price in extremes:
            assert price is not None
            position.draft.met(price)
            if position.side * price > position.side * position.watermark:
                position.watermark = price
        if self.stops is not None:
            position.arm(self.stops, self.watch)

    # ---- Z8 ----------------------------------------------------------------------------------------------------------------

    def liquidate_inside(self, t: int) -> None:
        """`mark="intrabar"` with `liquidate_at`: everything leaves on the way to the bar's worst prices, where the boundary is reached."""
        zones = self.scenario.zones
        if zones is None or zones.mark != "intrabar" or zones.liquidate_at is None:
            return
        for g in range(self.G):
            risk = self.risk[g]
            if risk.liquidating:
                continue
            u = self.way(t, g, risk.peak * (1 - Fraction(zones.liquidate_at)))
            if u is None:
                continue
            risk.liquidating = True
            for n in self.mine(g):
                if self.held(n) and self.can_fill(t, n):
                    start, worst = self.span(t, n)
                    self.leave(t, n, start + u * (worst - start), "risk")

    def span(self, t: int, n: int) -> tuple[Fraction, Fraction]:
        """From the open (or the entry inside the bar) to the extreme against the position; `m` where nothing trades."""
        position = self.positions[n]
        if position is None or not self.can_fill(t, n):
            return (self.mark[n] or ZERO,) * 2
        worst = (self.bars.low if position.side > 0 else self.bars.high)[t][n]
        start = position.average if position.inside == t else self.bars.open[t][n]
        assert worst is not None and start is not None
        return start, worst

    def way(self, t: int, g: int, boundary: Fraction) -> Fraction | None:
        """The smallest `u` in [0, 1] at which equity is at the boundary; None where it stays above."""
        spans = {n: self.span(t, n) for n in self.mine(g)}
        begin = self.equity_at(g, {n: a for n, (a, _) in spans.items()})
        worst = self.equity_at(g, {n: b for n, (_, b) in spans.items()})
        if not any(self.held(n) for n in spans) or not self.watch.at_most(worst, boundary, "liquidate inside"):
            return None
        if self.watch.at_most(begin, boundary, "liquidate at the open"):
            return ZERO
        return (begin - boundary) / (begin - worst)

    # ---- T8 ----------------------------------------------------------------------------------------------------------------

    def close_all(self, t: int) -> None:
        """After the last bar everything is closed at `m`, with costs; volume limits nothing."""
        for n in range(self.N):
            self.cancel(t, n)
            resting.cancel(self, t, n, None, False)
        for n in range(self.N):
            if self.held(n) == 0:
                continue
            q, sigma = -self.held(n), self.sigma[t][n]  # the last bar is over
            volume = self.bars.volume[t][n] if self.valid(t, n) else None
            m, side = self.mark[n] or ZERO, 1 if q > 0 else -1
            price = slipped_price(self.scenario.costs, m, side, q, sigma, volume, self.negative[n])
            self.book_exit(t, n, q, price, self.close_cost(n, q, price), "end")
        self.log.positions[-1] = [self.held(n) for n in range(self.N)]
        self.log.cash[-1] = list(self.cash)
        self.log.equity[-1] = [self.equity(g) for g in range(self.G)]
