"""One position and the trade it is part of: average price (F9), protective levels (P1-P4), what was met on the way (M4, M7)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from .numbers import Watch, round_level, tidy
from .scenario import Distance, Stops, Trade

__all__ = ["Draft", "Position", "distance_level", "entry_stop"]


def distance_level(d: Distance | None, base: Fraction, side: int, atr: Fraction | None, tick: Fraction) -> Fraction | None:
    """P1: the level a distance away from `base`, against `side` (give `-side` for a target); None where the ATR is missing."""
    if d is None:
        return None
    value = Fraction(d.value)
    if d.kind == "price":
        return value
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


def entry_stop(stops: Stops | None, price: Fraction, side: int, atr: Fraction | None, tick: Fraction) -> Fraction | None:
    """P3 at the moment of an entry at `price`: the first stop of S3 and M7, on the tick grid; None if there is none."""
    if stops is None:
        return None
    hard = distance_level(stops.hard, price, side, atr, tick)
    trail = None if stops.activation is not None else distance_level(stops.trailing, price, side, atr, tick)
    levels = [None if x is None else round_level(x, tick, side) for x in (hard, trail)]
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

    def met(self, price: Fraction | None) -> None:
        """M7: a price seen while the position was held."""
        if price is None:
            return
        if self.worst is None or self.side * price < self.side * self.worst:
            self.worst = price
        if self.best is None or self.side * price > self.side * self.best:
            self.best = price

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
            pnl=self.gross - self.commission,
            reason=reason,
            mae=None if entry == 0 else max(Fraction(0), self.side * (entry - worst) / entry),
            mfe=None if entry == 0 else max(Fraction(0), self.side * (best - entry) / entry),
            initial_risk=self.initial_risk,
        )


@dataclass
class Position:
    """What is held of one asset, from flat to flat. `atr` is that of the last increase (P1)."""

    q: Fraction
    average: Fraction
    t_entry: int
    session: int
    atr: Fraction | None
    watermark: Fraction
    draft: Draft
    armed: bool = False
    trail: Fraction | None = None

    @property
    def side(self) -> int:
        return 1 if self.q > 0 else -1

    def add(self, q: Fraction, price: Fraction, atr: Fraction | None) -> None:
        """F9 and P1: an increase averages the price, takes this fill's ATR and may lift the watermark."""
        self.average = tidy((self.q * self.average + q * price) / (self.q + q))
        self.q += q
        self.atr = atr
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

    def raise_trail(self, stops: Stops, atr: Fraction | None, tick: Fraction, watch: Watch) -> None:
        """P2: the trailing level for the bar to come, once armed never lowered."""
        if not self.armed:
            return
        level = distance_level(stops.trailing, self.watermark, self.side, atr, tick)
        if level is not None:
            self.trail = _tighter(self.trail, round_level(level, tick, self.side, watch), self.side)

    def stop(self, stops: Stops, tick: Fraction, watch: Watch) -> tuple[Fraction, str] | None:
        """P3: the level and its reason; the hard one where both are equal."""
        hard = distance_level(stops.hard, self.average, self.side, self.atr, tick)
        if hard is not None:
            hard = round_level(hard, tick, self.side, watch)
        if hard is None:
            return None if self.trail is None else (self.trail, "trail")
        same = self.average == self.watermark and stops.hard == stops.trailing  # the same sum twice
        shaky = not same and self.shaky(tick, watch)
        if self.trail is None or watch.at_most(self.side * self.trail, self.side * hard, "hard or trail", spoilt=shaky):
            return hard, "stop"
        return self.trail, "trail"

    def target(self, stops: Stops, tick: Fraction, watch: Watch) -> Fraction | None:
        """P4, mirrored from P1: up for a long, on the tick grid."""
        level = distance_level(stops.take_profit, self.average, -self.side, self.atr, tick)
        return None if level is None else round_level(level, tick, self.side, watch)

    def shaky(self, tick: Fraction, watch: Watch) -> bool:
        """True where a level hangs on a price that floats do not hold; on the tick grid it does not."""
        return tick == 0 and self.draft.asset in watch.prices_spoilt
