"""Positions, average prices and trades, worked out again from fills and splits, in plain floats."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..._typing import ArrayN, ArrayTN
from ...core.codes import Reason
from .facts import TOLERANCE, Facts

__all__ = ["Holding", "Ledger", "RoundTrip", "rebuild"]

_ACTION = int(Reason.SPLIT)


@dataclass
class Holding:
    """Average-price bookkeeping of one asset (F9)."""

    q: float = 0.0
    avg: float = math.nan
    realized: float = 0.0

    def fill(self, q: float, price: float, multiplier: float) -> float:
        """Book a fill; returns the quantity it closed."""
        closing = min(abs(q), abs(self.q)) if self.q * q < 0 else 0.0
        if closing:
            self.realized += closing * multiplier * (price - self.avg) * math.copysign(1.0, self.q)
        dust = TOLERANCE * abs(q)  # the sum of fills meets a position to the last digits only
        opening, left = abs(q) - closing, abs(self.q) - closing
        if closing and opening <= dust:
            opening = 0.0
        if opening:
            self.avg = (left * self.avg + opening * price) / (left + opening) if left else price
        self.q += q
        if not opening and abs(self.q) <= dust:
            self.q = 0.0
        return closing

    def split(self, ratio: float) -> None:
        """T1."""
        self.q *= ratio
        self.avg /= ratio


@dataclass
class RoundTrip:
    """A trade as its fills make it; names as in the log. One that still runs has `exit_t` -1."""

    side: int
    entry_t: int
    account: int
    exit_t: int = -1
    quantity: float = 0.0
    entered: float = 0.0  # money per multiplier
    exited: float = 0.0
    closed: float = 0.0
    gross: float = 0.0
    commission: float = 0.0
    carry: float = 0.0
    dividends: float = 0.0
    reason: int = 0
    turned_over: float = 0.0
    largest: float = 0.0  # position of the asset up to the end of the trade
    first_q: float = 0.0  # of the fill that opened it
    first_price: float = 0.0
    ratio: float = 1.0  # of all splits since
    least: float = math.inf  # of its fill prices, in units of the end
    most: float = -math.inf

    @property
    def entry_price(self) -> float:
        """Average of all entries."""
        return self.entered / self.quantity

    @property
    def exit_price(self) -> float:
        """Average of all exits."""
        return self.exited / self.closed

    @property
    def pnl(self) -> float:
        """M4."""
        return self.gross - self.commission - self.carry + self.dividends

    def enter(self, q: float, price: float, multiplier: float, fee: float) -> None:
        """More of it; the first time it opens the trade."""
        if self.quantity == 0.0:
            self.first_q, self.first_price = q, price
        self.meet(price)
        self.quantity, self.entered = self.quantity + q, self.entered + q * price
        self.turned_over += abs(q * price) * multiplier
        self.commission += fee

    def leave(self, q: float, price: float, multiplier: float, fee: float) -> None:
        """Less of it."""
        self.meet(price)
        self.closed, self.exited = self.closed + q, self.exited + q * price
        self.turned_over += abs(q * price) * multiplier
        self.commission += fee

    def meet(self, price: float) -> None:
        """M7."""
        self.least, self.most = min(self.least, price), max(self.most, price)

    def split(self, ratio: float) -> None:
        """T1: more units, the same money."""
        self.quantity *= ratio
        self.closed *= ratio
        self.ratio *= ratio
        self.least /= ratio
        self.most /= ratio


@dataclass
class Ledger:
    """What `rebuild` found. Arrays are `(T, N)`, `opened` is `(F,)`."""

    held: ArrayTN  # at the close
    carried: ArrayTN  # over the last close, after T1
    average: ArrayTN
    realized: ArrayTN  # in the bar
    moves: ArrayTN  # money that contracts settle in the bar (F12)
    opened: ArrayN  # quantity of each fill that opened or increased
    trades: list[list[RoundTrip]] = field(default_factory=list)  # of each asset
    running: list[RoundTrip | None] = field(default_factory=list)
    ends: list[Holding] = field(default_factory=list)


@dataclass
class _Walk:
    """One asset, event after event."""

    facts: Facts
    n: int
    out: Ledger
    holding: Holding
    trade: RoundTrip | None
    largest: float
    changed: Any
    settled: float = math.nan
    last_t: int = -1

    def split(self, t: int, ratio: float) -> None:
        self.holding.split(ratio)
        self.largest *= ratio
        if self.trade is not None:
            self.trade.split(ratio)
        self.note(t, before_open=True)

    def fill(self, k: int, t: int, row: tuple[float, float, float, int]) -> None:
        q, price, fee, reason = row
        n, multiplier = self.n, float(self.facts.multiplier[self.n])
        if t != self.last_t:
            self.last_t, self.settled = t, float(self.facts.before[t, n])
        held, realized = self.holding.q, self.holding.realized
        if self.facts.contract[n] and held:
            self.out.moves[t, n] += held * multiplier * (price - self.settled)
        self.settled = price
        closed = self.holding.fill(q, price, multiplier)
        gain = self.holding.realized - realized
        self.out.realized[t, n] += gain
        opened = abs(q) - closed
        if self.holding.q == 0.0 or opened <= TOLERANCE * abs(q):
            opened = 0.0
        self.out.opened[k] = opened
        self._run_trade(t, price, fee, reason, (closed, opened, gain, abs(q)))
        self.note(t, before_open=reason == _ACTION)

    def _run_trade(self, t: int, price: float, fee: float, reason: int, parts: tuple[float, float, float, float]) -> None:
        closed, opened, gain, total = parts
        multiplier, share = float(self.facts.multiplier[self.n]), fee * closed / total
        self.largest = max(self.largest, abs(self.holding.q))
        if self.trade is not None and closed:
            self.trade.leave(closed, price, multiplier, share)
            self.trade.gross += gain
            if self.holding.q == 0.0 or opened:
                self.trade.exit_t, self.trade.reason, self.trade.largest = t, reason, self.largest
                self.out.trades[self.n].append(self.trade)
                self.trade = None
        if opened:
            if self.trade is None:
                self.trade = RoundTrip(int(math.copysign(1, self.holding.q)), t, int(self.facts.group[self.n]))
            self.trade.enter(opened, price, multiplier, fee - share)

    def note(self, t: int, *, before_open: bool) -> None:
        """What is held from here on."""
        self.out.held[t, self.n], self.out.average[t, self.n] = self.holding.q, self.holding.avg
        self.changed[t, self.n] = True
        if before_open:
            self.out.carried[t, self.n] = self.holding.q


def rebuild(facts: Facts) -> Ledger:
    """All assets, from starting positions, splits and fills."""
    T, N = facts.T, facts.N
    held, carried, average, realized, moves = (np.zeros((T, N)) for _ in range(5))
    out = Ledger(held, carried, average, realized, moves, np.zeros(len(facts.run.fills)), [[] for _ in range(N)])
    changed = np.zeros((T, N), dtype=bool)
    changed[0] = True
    out.carried[:] = np.nan
    last = facts.before.copy()  # price up to which contracts are settled when the bar ends
    ranks = np.argsort(facts.run.fills["asset"], kind="stable")
    edges = np.searchsorted(facts.run.fills["asset"][ranks], np.arange(N + 1))
    for n in range(N):
        walk = _begin(facts, n, out, changed)
        for t, ratio, k, row in _events(facts, n, ranks[edges[n] : edges[n + 1]]):
            if k < 0:
                walk.split(t, ratio)
            else:
                walk.fill(k, t, row)
                last[t, n] = walk.settled
        if walk.trade is not None:
            walk.trade.largest = walk.largest
        out.running.append(walk.trade)
        out.ends.append(walk.holding)
    _spread(facts, out, changed, last)
    return out


def _begin(facts: Facts, n: int, out: Ledger, changed: Any) -> _Walk:
    """The asset before its first event."""
    q, price = (float(values[n]) for values in facts.start)
    trade = None
    if q:
        trade = RoundTrip(int(math.copysign(1, q)), -1, int(facts.group[n]))
        trade.enter(abs(q), price, float(facts.multiplier[n]), 0.0)
    out.held[0, n], out.average[0, n] = q, price
    return _Walk(facts, n, out, Holding(q, price), trade, abs(q), changed)


def _events(facts: Facts, n: int, places: Any) -> Iterator[tuple[int, float, int, tuple[float, float, float, int]]]:
    """Splits, with -1 in place of a fill's number, and fills of an asset in their order; a bar's split comes first."""
    ratio = np.ones(1) if facts.split is None else facts.split[:, n]
    splits, done = np.flatnonzero(ratio != 1.0).tolist(), 0
    fills = facts.run.fills[places]
    rows = zip(*(fills[name].tolist() for name in ("q", "price", "commission", "reason")), strict=True)
    for t, k, row in zip(fills["t"].tolist(), places.tolist(), rows, strict=True):
        while done < len(splits) and splits[done] <= t:
            yield splits[done], float(ratio[splits[done]]), -1, (0.0, 0.0, 0.0, 0)
            done += 1
        yield t, 1.0, k, row
    for s in splits[done:]:
        yield s, float(ratio[s]), -1, (0.0, 0.0, 0.0, 0)


def _spread(facts: Facts, out: Ledger, changed: Any, last: ArrayTN) -> None:
    """From the bars on which something happened to all bars."""
    rows = np.maximum.accumulate(np.where(changed, np.arange(facts.T)[:, None], 0), axis=0)
    out.held[:] = np.take_along_axis(out.held, rows, axis=0)
    out.average[:] = np.take_along_axis(out.average, rows, axis=0)
    over = np.vstack([facts.start[0][None, :], out.held[:-1]])
    out.carried[:] = np.where(np.isnan(out.carried), over, out.carried)
    if facts.contract.any():
        with np.errstate(invalid="ignore"):
            rest = np.where(out.held == 0.0, 0.0, out.held * (facts.marks - last) * facts.multiplier)
        out.moves[:] = np.where(facts.contract, out.moves + rest, 0.0)
