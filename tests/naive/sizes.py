"""S3: how many units an entry asks for, or the rule that refuses it."""

from __future__ import annotations

from fractions import Fraction

from .cuts import Cuts
from .numbers import tidy
from .position import entry_stop
from .scenario import Size
from .state import ZERO

__all__ = ["Sizes"]

Wanted = tuple[Fraction | None, str]
"""Units (>= 0), or None and the rule that refuses."""


class Sizes(Cuts):
    """The part of the engine that sizes."""

    def size(self, t: int, n: int, side: int, strength: Fraction) -> Wanted:
        """Units at `c[t]` from the equity of T6."""
        size, equity = self.scenario.size, self.equity(self.account(n))
        unit = abs(self.price_at(t, n)) * self.x[n]
        if self.broke(self.account(n)):
            return ZERO, "cash"
        if size.kind == "units":
            return Fraction(size.value), ""
        if unit == 0:
            return ZERO, "cash"
        if size.kind == "notional":
            return tidy(size.value / unit), ""
        if size.kind == "weight":
            share = size.value * (strength if size.scale else Fraction(1))
            return tidy((share if size.cap is None else min(share, Fraction(size.cap))) * equity / unit), ""
        if size.kind in ("fixed", "kelly", "confidence"):
            return self.by_stop(t, n, side, strength)
        share, rule = self.share(t, n, strength)
        return (None, rule) if share is None else (tidy(share * equity / unit), "")

    def by_stop(self, t: int, n: int, side: int, strength: Fraction) -> Wanted:
        """A fraction of equity at risk between `c[t]` and the first stop, at most so much of equity."""
        size, equity, c = self.scenario.size, self.equity(self.account(n)), self.price_at(t, n)
        risk, rule = self.risk_of(n, strength)
        if risk is None:
            return None, rule
        stop = entry_stop(self.stops, c, side, self.terms(t, n))
        if stop is None or side * stop >= side * c:
            return None, "stop"
        units = risk * equity / (self.x[n] * abs(c - stop))
        return tidy(units if size.most is None else min(units, size.most * equity / (abs(c) * self.x[n]))), ""

    def risk_of(self, n: int, strength: Fraction) -> tuple[Fraction | None, str]:
        """The fraction of equity an entry risks."""
        size = self.scenario.size
        if size.kind == "kelly":
            return self.kelly(n, size)
        if size.kind == "fixed":
            return Fraction(size.value), ""
        least, s = Fraction(size.min_confidence), min(strength, Fraction(1))
        if not self.watch.at_most(least, s, "confidence"):
            return None, "confidence"
        base = Fraction(size.value)
        return base + (size.max_risk - base) * (s - least) / (1 - least), ""

    def kelly(self, n: int, size: Size) -> tuple[Fraction | None, str]:
        """`fraction*(p - (1 - p)/b)`, of numbers given or of the account's closed trades."""
        if size.win_rate is not None:
            p, win, loss = Fraction(size.win_rate), Fraction(size.avg_win), Fraction(size.avg_loss)
        else:
            results = [x.pnl / x.notional for x in self.log.trades if self.account(x.asset) == self.account(n) and x.notional]
            wins, losses = [r for r in results if self.won(r)], [-r for r in results if r <= 0]
            if len(results) < size.min_trades or not wins or not sum(losses):
                return Fraction(size.start), ""
            p = Fraction(len(wins), len(results))
            win, loss = sum(wins, ZERO) / len(wins), sum(losses, ZERO) / len(losses)
        b = win / loss
        if self.watch.at_most(p * b, 1 - p, "edge"):
            return None, "edge"
        return size.value * (p - (1 - p) / b), ""

    def won(self, result: Fraction) -> bool:
        return not self.watch.at_most(result, ZERO, "a win", scale=Fraction(1, 1000))

    def share(self, t: int, n: int, strength: Fraction) -> tuple[Fraction | None, str]:
        """The fraction of equity an entry is worth."""
        size, sigma = self.scenario.size, self.size_sigma[t]
        mine = self.mine(self.account(n))
        if size.kind != "equal" and sigma[n] == 0:
            return None, "volatility"
        if size.kind == "equal":
            share = Fraction(1, len(mine))
        elif size.kind == "inverse":
            share = 1 / sigma[n] / sum(1 / sigma[m] for m in mine if sigma[m] and not self.gone(t, m))
        elif size.kind == "volatility":
            share = size.value / sigma[n]
        else:
            share = min(size.value * strength * size.forecast / sigma[n] ** 2, size.max_risk / sigma[n])
        share = share if size.most is None else min(share, Fraction(size.most))
        if size.least is not None and not self.watch.at_most(Fraction(size.least), share, "least share"):
            return None, "minimum"
        return share, ""
