"""What the reference engine knows between bars, and how it reads it: equity, gross, levels, who holds what."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from . import resting
from .numbers import Watch, adjusted, atr_table, sigma_table, tidy
from .position import Position, Terms
from .scenario import Log, Order, Scenario, Stops

__all__ = ["ZERO", "RiskState", "State"]

ZERO = Fraction(0)


@dataclass
class RiskState:
    """What T6 remembers of one account: Z1-Z4 and F13."""

    peak: Fraction
    day_start: Fraction
    zone: int = 0
    halted_at: int | None = None
    liquidating: bool = False
    blocked: bool = False
    margin: bool = False
    ruined: bool = False
    empty: bool = False  # F15: all was withdrawn


class State:
    """All state of a run; the other modules add what happens to it."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = s = scenario
        self.bars = s.bars
        self.T, self.N = len(self.bars.close), len(self.bars.close[0])
        self.G = self.N if s.separate else 1
        self.L = Fraction(s.leverage)
        self.x = [Fraction(v) for v in self.bars.multiplier]
        self.lot = [Fraction(v) for v in self.bars.lot]
        self.tick = [Fraction(v) for v in self.bars.tick]
        self.kind = self.bars.kind or ["cash"] * self.N
        self.negative = self.bars.negative or [False] * self.N
        self.first_margin = [Fraction(v) for v in self.bars.initial_margin or [0] * self.N]
        self.last_margin = [Fraction(v) for v in self.bars.maintenance_margin or [0] * self.N]
        self.stops = s.stops if s.stops is not None or s.inputs != "orders" else Stops()  # brackets need somewhere to stand
        smooth = adjusted(self.bars)
        self._atr = atr_table(smooth, s.stops.atr_window if s.stops else 1)
        self.sigma = sigma_table(smooth, s.costs.volume_window)
        self.size_sigma = sigma_table(smooth, s.size.window)
        self.watch = Watch()
        self._start()

    def _start(self) -> None:
        """F14: capital, starting positions at entry prices."""
        s = self.scenario
        self.cash = [Fraction(s.capital)] * self.G
        self.mark: list[Fraction | None] = [None] * self.N
        self.settled = [ZERO] * self.N  # F12: the price up to which a contract's moves are in cash
        self.positions: list[Position | None] = [None] * self.N
        self.working: dict[int, Order] = {}
        self.protected: set[int] = set()  # closed by P in this bar (P9)
        self.left: list[Fraction | None] = [None] * self.N  # F7: what volume still lets fill in this bar
        self.A = [Fraction(1)] * self.N
        self.due_split = [Fraction(1)] * self.N
        self.due_dividend = [ZERO] * self.N
        self.log = Log(initial=[], carry=[ZERO] * self.G, dividends=[ZERO] * self.G, fees=[ZERO] * self.G)
        for n, (q, price) in s.positions.items():
            self.mark[n] = self.settled[n] = Fraction(price)
            self.positions[n] = self.new_position(-1, n, Fraction(q), Fraction(price), None)
        self.log.initial = [self.equity(g) for g in range(self.G)]
        self.risk = [RiskState(peak=e, day_start=e) for e in self.log.initial]
        self.room_inside = [(ZERO, ZERO)] * self.G
        resting.setup(self)

    def new_position(self, t: int, n: int, q: Fraction, p: Fraction, atr: Fraction | None) -> Position:
        raise NotImplementedError

    # ---- reading ---------------------------------------------------------------------------------------------------------

    def account(self, n: int) -> int:
        return n if self.scenario.separate else 0

    def mine(self, g: int) -> list[int]:
        """The assets of an account."""
        return [n for n in range(self.N) if self.account(n) == g]

    def contract(self, n: int) -> bool:
        """F12: only its moves are in cash."""
        return self.kind[n] != "cash"

    def held(self, n: int) -> Fraction:
        position = self.positions[n]
        return ZERO if position is None else position.q

    def gone(self, t: int, n: int) -> bool:
        """Delisted at or before this bar."""
        gone = self.bars.delisted.get(n)
        return gone is not None and t >= gone[0]

    def valid(self, t: int, n: int) -> bool:
        """A market in this bar; bars after a delisting are ignored."""
        gone = self.bars.delisted.get(n)
        return self.bars.close[t][n] is not None and (gone is None or t <= gone[0])

    def can_fill(self, t: int, n: int) -> bool:
        """F8; and where volume is used, none fills nothing (F7)."""
        if not self.valid(t, n):
            return False
        used = self.scenario.costs.volume_share or self.scenario.participation is not None
        return not (used and self.bars.volume[t][n] == 0)

    def price_at(self, t: int, n: int, close: bool = True) -> Fraction:
        """The close (or the open) of a bar; without a market `m`."""
        price = (self.bars.close if close else self.bars.open)[t][n] if self.valid(t, n) else self.mark[n]
        return price or ZERO

    def atr_at(self, t: int, n: int) -> Fraction | None:
        """The ATR of the last bar up to `t`, in today's units (T9); None before it is there."""
        value = self._atr[t][n] if t >= 0 else None
        return None if value is None else value / self.A[n]

    def terms(self, t: int, n: int) -> Terms:
        """What makes levels of distances, with the ATR of bar `t`."""
        return Terms(self.tick[n], self.atr_at(t, n), self.A[n])

    # ---- money -----------------------------------------------------------------------------------------------------------

    def worth(self, n: int, price: Fraction) -> Fraction:
        """What a holding adds to cash at a price: all of it, or a contract's move since it was settled."""
        q = self.held(n)
        if q == 0:
            return ZERO
        return q * self.x[n] * (price - self.settled[n] if self.contract(n) else price)

    def equity(self, g: int) -> Fraction:
        """At `m`."""
        return self.equity_at(g, {n: self.mark[n] or ZERO for n in self.mine(g)})

    def equity_at(self, g: int, prices: dict[int, Fraction]) -> Fraction:
        return tidy(self.cash[g] + sum((self.worth(n, prices[n]) for n in self.mine(g)), ZERO))

    def gross_unit(self, n: int, price: Fraction) -> Fraction:
        """F4: what a unit of new risk takes of `L*equity`."""
        return self.L * self.first_margin[n] if self.first_margin[n] else abs(price) * self.x[n]

    def gross_at(self, g: int, prices: dict[int, Fraction]) -> Fraction:
        return sum((abs(self.held(n)) * self.gross_unit(n, prices[n]) for n in self.mine(g)), ZERO)

    def room_at(self, g: int, prices: dict[int, Fraction]) -> tuple[Fraction, Fraction]:
        """F4: `L*equity - gross`, and `L*equity`."""
        whole = self.L * self.equity_at(g, prices)
        return whole - self.gross_at(g, prices), whole

    def broke(self, g: int) -> bool:
        """No equity: every size is 0 (S3)."""
        return self.watch.at_most(self.equity(g), ZERO, "equity is 0", scale=self.log.initial[g])

    def pay(self, n: int, q: Fraction, price: Fraction) -> None:
        """F3 and F12: the money of `q` units bought at a price, before the holding changes."""
        g = self.account(n)
        if self.contract(n):
            self.cash[g] += self.held(n) * self.x[n] * (price - self.settled[n])
            self.settled[n] = price
        else:
            self.cash[g] -= q * price * self.x[n]

    def charge(self, n: int, money: Fraction) -> None:
        """A commission."""
        self.cash[self.account(n)] -= money
        self.log.fees[self.account(n)] += money
