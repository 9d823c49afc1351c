"""One position and the trade it is part of: average price (F9), protective levels (P1-P4), what was met on the way (M4, M7)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from .numbers import Watch, round_level, tidy
from .scenario import Bracket, Distance, Stops, Trade

__all__ = ["Draft", "Position", "Terms", "distance_level", "entry_stop"]


@dataclass
class Terms:
    """What turns distances into prices now: the tick, the ATR of a fill (raw units) and T9's product of split ratios."""

    tick: Fraction
    atr: Fraction | None = None
    product: Fraction = Fraction(1)


def distance_level(d: Distance | None, base: Fraction, side: int, terms: Terms) -> Fraction | None:
    """P1: the level a distance away from `base`, against `side` (give `-side` for a target); None where the ATR is missing."""
    if d is None:
        return None
    value, tick, atr = Fraction(d.value), terms.tick, terms.atr
    if d.kind == "price":
        return value / terms.product
    if d.kind == "pct":
        return base * (1 - side * value)
    if d.kind == "ticks":
        return base - side * value * tick
    return None if atr is None else base - side * value * atr


def _tighter(a: Fraction | None, b: Fraction | None, side: int) -> Fraction | None:
    """The stop that is met first; `a` where equal."""
    if a is None or b is None:
        return b if a is None else a
    return a if side * a >= side * b else b


def entry_stop(stops: Stops | None, price: Fraction, side: int, terms: Terms, bracket: Bracket | None = None) -> Fraction | None:
    """P3 at the moment of an entry at `price`: the first stop of S3 and M7, on the tick grid; None if there is none.

    A bracket's levels take the place of the stops' (O3).
    """
    stops, own = stops or Stops(), bracket or Bracket()
    hard = distance_level(stops.hard, price, side, terms) if own.stop is None else Fraction(own.stop)
    trailing = stops.trailing if own.trail is None else own.trail
    late = stops.activation is not None and own.trail is None
    trail = None if late else distance_level(trailing, price, side, terms)
    levels = [None if x is None else round_level(x, terms.tick, side) for x in (hard, trail)]
    return _tighter(levels[0], levels[1], side)


@dataclass
class Draft:
    """A trade that is still open."""

    asset: int
    side: int
    entry_t: int
    initial_risk: Fraction | None
    entered: Fraction = Fraction(0)
    paid: Fraction = Fraction(0)
    exited: Fraction = Fraction(0)
    received: Fraction = Fraction(0)
    commission: Fraction = Fraction(0)
    gross: Fraction = Fraction(0)
    worst: Fraction | None = None
    best: Fraction | None = None
    multiplier: Fraction = Fraction(1)
    carry: Fraction = Fraction(0)
    dividends: Fraction = Fraction(0)

    def met(self, price: Fraction | None) -> None:
        """M7: a price seen while the position was held."""
        if price is None:
            return
        if self.worst is None or self.side * price < self.side * self.worst:
            self.worst = price
        if self.best is None or self.side * price > self.side * self.best:
            self.best = price

    def split(self, k: Fraction) -> None:
        """T1: units times `k`, prices divided by it; money stays."""
        self.entered, self.exited = self.entered * k, self.exited * k
        self.worst = None if self.worst is None else self.worst / k
        self.best = None if self.best is None else self.best / k

    def finish(self, t: int, reason: str) -> Trade:
        """The closed trade; MAE and MFE are fractions of the average entry price."""
        entry = self.paid / self.entered
        worst = entry if self.worst is None else self.worst
        best = entry if self.best is None else self.best
        return Trade(
            asset=self.asset,
            side=self.side,
            entry_t=self.entry_t,
            exit_t=t,
            quantity=self.entered,
            entry_price=entry,
            exit_price=self.received / self.exited,
            commission=self.commission,
            gross=self.gross,
            pnl=self.gross - self.commission - self.carry + self.dividends,
            reason=reason,
            mae=None if entry == 0 else max(Fraction(0), self.side * (entry - worst) / abs(entry)),
            mfe=None if entry == 0 else max(Fraction(0), self.side * (best - entry) / abs(entry)),
            initial_risk=self.initial_risk,
            carry=self.carry,
            dividends=self.dividends,
            notional=abs(self.paid) * self.multiplier,
        )


@dataclass
class Position:
    """What is held of one asset, from flat to flat. `atr` is that of the last increase (P1); `own_...` are a bracket's (O3)."""

    q: Fraction
    average: Fraction
    t_entry: int
    session: int
    atr: Fraction | None
    watermark: Fraction
    draft: Draft
    armed: bool = False
    trail: Fraction | None = None
    own_stop: Fraction | None = None
    own_target: Fraction | None = None
    own_trail: Distance | None = None
    units: Fraction = Fraction(1)  # today's for each one of the last increase: splits since then
    opened_by: object = None  # the job that took it from flat
    grown: bool = False  # by an increase: its average is a sum that floats may round
    inside: int = -1  # the bar inside which it was entered, T5
    counts: tuple[Fraction, Fraction] | None = None  # the extremes of that bar that count for it (P8)

    @property
    def side(self) -> int:
        return 1 if self.q > 0 else -1

    def take(self, bracket: Bracket | None) -> None:
        """O3: the levels a fill brings along take the place of those that were there."""
        if bracket is None:
            return
        self.own_stop = self.own_stop if bracket.stop is None else Fraction(bracket.stop)
        self.own_target = self.own_target if bracket.target is None else Fraction(bracket.target)
        if bracket.trail is not None:
            self.own_trail, self.armed = bracket.trail, True  # from its fill on, whatever `activation` says

    def split(self, k: Fraction) -> None:
        """T1: units times `k`, every price divided by it."""
        self.q, self.average, self.watermark = self.q * k, self.average / k, self.watermark / k
        self.atr, self.units = None if self.atr is None else self.atr / k, self.units * k
        self.trail = None if self.trail is None else self.trail / k
        self.own_stop = None if self.own_stop is None else self.own_stop / k
        self.own_target = None if self.own_target is None else self.own_target / k
        self.draft.split(k)

    def add(self, q: Fraction, price: Fraction, atr: Fraction | None) -> None:
        """F9 and P1: an increase averages the price, takes this fill's ATR and may lift the watermark."""
        self.average = tidy((self.q * self.average + q * price) / (self.q + q))
        self.q += q
        self.atr, self.units, self.grown = atr, Fraction(1), True
        if self.side * self.average > self.side * self.watermark:
            self.watermark = self.average
        self.draft.met(price)
        self.draft.entered += abs(q)
        self.draft.paid += abs(q) * price

    def reduce(self, q: Fraction, price: Fraction, multiplier: Fraction) -> None:
        """F9: a reduction (signed, against the position) realizes its part and leaves the average."""
        self.draft.gross += -q * multiplier * (price - self.average)
        self.draft.met(price)
        self.draft.exited += abs(q)
        self.draft.received += abs(q) * price
        self.q += q

    def arm(self, stops: Stops, watch: Watch) -> None:
        """P2: armed for good once the watermark has gone far enough; from the entry without an activation."""
        if stops.activation is None:
            self.armed = True
        if self.armed:
            return
        goal = self.average * (1 + self.side * Fraction(stops.activation or 0))
        shaky = self.draft.asset in watch.prices_spoilt
        self.armed = watch.at_most(self.side * goal, self.side * self.watermark, "activation", spoilt=shaky)

    def own(self, terms: Terms, atr: Fraction | None) -> Terms:
        """The terms of its distances: T1 divides those in ticks, too."""
        return replace(terms, atr=atr, tick=terms.tick / self.units)

    def trail_from(self, stops: Stops, terms: Terms, watch: Watch) -> Fraction | None:
        """P2: the trailing level the watermark asks for (not rounded yet), once armed never lowered; its ATR is the last bar's."""
        if not self.armed:
            return self.trail
        terms = self.own(terms, terms.atr)
        level = distance_level(stops.trailing if self.own_trail is None else self.own_trail, self.watermark, self.side, terms)
        return _tighter(self.trail, level, self.side)

    def stop(self, stops: Stops, terms: Terms, watch: Watch, trail: Fraction | None) -> tuple[Fraction, str] | None:
        """P3: the level and its reason, on the tick grid; the hard one where both are equal."""
        trail = None if trail is None else round_level(trail, terms.tick, self.side, watch)
        own = self.own(terms, self.atr)
        hard = distance_level(stops.hard, self.average, self.side, own) if self.own_stop is None else self.own_stop
        if hard is not None:
            hard = round_level(hard, terms.tick, self.side, watch)
        if hard is None:
            return None if trail is None else (trail, "trail")
        same = self.average == self.watermark and stops.hard == stops.trailing and not self.grown  # the same sum twice
        shaky = not same and self.shaky(terms.tick, watch)
        if trail is None or watch.at_most(self.side * trail, self.side * hard, "hard or trail", spoilt=shaky):
            return hard, "stop"
        return trail, "trail"

    def target(self, stops: Stops, terms: Terms, watch: Watch) -> Fraction | None:
        """P4, mirrored from P1: up for a long, on the tick grid."""
        own = self.own(terms, self.atr)
        level = distance_level(stops.take_profit, self.average, -self.side, own) if self.own_target is None else self.own_target
        return None if level is None else round_level(level, terms.tick, self.side, watch)

    def shaky(self, tick: Fraction, watch: Watch) -> bool:
        """True where a level hangs on a price that floats do not hold; on the tick grid it does not."""
        return tick == 0 and self.draft.asset in watch.prices_spoilt
