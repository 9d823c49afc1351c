"""Accounts that audit themselves (F3): equity, cash, positions and trades worked out again from the fills alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._typing import ArrayTN
from ..data.labels import label_text
from ..errors import AuditError
from .run import Run

__all__ = ["audit"]

_TOLERANCE = 1e-9


def audit(run: Run) -> None:
    """Check the books of a run against its fills.

    At each bar: positions are the sum of fills, cash and equity follow from them, `equity - initial = realized + unrealized -
    fees` (F3) to 1e-9 of the money involved, no cash below zero where nothing was ever short. At the end: trades are what the
    fills say.

    Raises
    ------
    AuditError
        The first violation, with bar, account and the order last filled. It means a fault in vecbt.
    """
    positions, cash = _from_fills(run)
    marks = _marks(run)
    _check_positions(run, positions)
    _check_money(run, positions, cash, marks)
    _check_trades(run)


@dataclass
class _Holding:
    """Average-price bookkeeping of one asset (F9), in plain floats."""

    q: float = 0.0
    avg: float = math.nan
    realized: float = 0.0

    def fill(self, q: float, price: float, multiplier: float) -> float:
        """Book a fill; returns the quantity it closed."""
        closing = min(abs(q), abs(self.q)) if self.q * q < 0 else 0.0
        if closing:
            gain = closing * multiplier * (price - self.avg) * math.copysign(1.0, self.q)
            self.realized += gain
        dust = _TOLERANCE * abs(q)  # the sum of fills meets a position to the last digits only
        opening, left = abs(q) - closing, abs(self.q) - closing
        if closing and opening <= dust:
            opening = 0.0
        if opening:
            self.avg = (left * self.avg + opening * price) / (left + opening) if left else price
        self.q += q
        if not opening and abs(self.q) <= dust:
            self.q = 0.0
        return closing


def _groups(run: Run) -> np.ndarray:
    """Account of each asset."""
    return np.asarray(run.assets.g)


def _starts(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Quantities and prices of the starting positions (F14), (N,)."""
    q, price = np.zeros(run.bars.N), np.full(run.bars.N, np.nan)
    for symbol, entry in (run.setup.positions or {}).items():
        n = run.bars.symbols.index(symbol)
        q[n], price[n] = entry
    return q, price


def _from_fills(run: Run) -> tuple[ArrayTN, ArrayTN]:
    """Positions (T, N) and cash (T, G) at each close, summed from the fills."""
    T, N, fills = run.bars.T, run.bars.N, run.fills
    start, _ = _starts(run)
    bought, paid = np.zeros((T, N)), np.zeros((T, run.equity.shape[1]))
    multiplier = np.asarray(run.bars.market.multiplier)
    np.add.at(bought, (fills.t, fills.asset), fills.q)
    np.add.at(paid, (fills.t, fills.account), fills.q * fills.price * multiplier[fills.asset] + fills.commission)
    return start + np.cumsum(bought, axis=0), run.setup.initial_capital - np.cumsum(paid, axis=0)


def _marks(run: Run) -> ArrayTN:
    """Last valid close of each asset at each bar (F8); the entry price of a starting position before it."""
    close = run.bars.close
    seen = np.maximum.accumulate(np.where(np.isnan(close), -1, np.arange(len(close))[:, None]), axis=0)
    marks: ArrayTN = np.where(seen >= 0, np.take_along_axis(close, np.maximum(seen, 0), axis=0), _starts(run)[1])
    return marks


def _fail(run: Run, t: int, account: int, what: str) -> None:
    before = run.fills[(run.fills.t <= t) & (run.fills.account == account)]
    last = "no order was filled before"
    if len(before):
        fill = before[-1]
        symbol = run.bars.symbols[fill.asset]
        last = f"last filled: order {fill.order} of account {account}, {symbol}, {fill.q:+g} at {fill.price:g}, bar {fill.t}"
    raise AuditError(f"audit: bar {t} ({label_text(int(run.bars.index[t]))}), account {account}: {what}; {last}. Please report this.")


def _first_bad(difference: np.ndarray, scale: np.ndarray) -> tuple[int, int] | None:
    bad = ~(np.abs(difference) <= _TOLERANCE * scale)
    if not bad.any():
        return None
    t, k = np.unravel_index(int(np.argmax(bad)), bad.shape)
    return int(t), int(k)


def _check_positions(run: Run, positions: ArrayTN) -> None:
    traded = np.zeros(run.bars.N)
    np.add.at(traded, run.fills.asset, np.abs(run.fills.q))
    found = _first_bad((positions[-1] - run.assets.q)[None, :], traded[None, :] + 1e-300)
    if found:
        n = found[1]
        what = f"{run.bars.symbols[n]} holds {run.assets.q[n]!r} units, the fills add up to {positions[-1, n]!r}"
        _fail(run, run.bars.T - 1, int(_groups(run)[n]), what)


def _check_money(run: Run, positions: ArrayTN, cash: ArrayTN, marks: ArrayTN) -> None:
    groups, multiplier = _groups(run), np.asarray(run.bars.market.multiplier)
    # a sum of fills is good to the last digits of the largest position there was, at today's price
    largest = np.maximum.accumulate(np.abs(positions), axis=0)
    positions = np.where(np.abs(positions) <= _TOLERANCE * largest, 0.0, positions)
    values = np.where(positions == 0.0, 0.0, positions * marks * multiplier)
    doubt = np.where(largest == 0.0, 0.0, largest * marks * multiplier)
    profit = _profits(run, marks)
    for g in range(run.equity.shape[1]):
        own = groups == g
        # money that has been moved so far: what rounding errors are measured against
        moved = np.zeros(run.bars.T)
        fills = run.fills[run.fills.account == g]
        np.add.at(moved, fills.t, np.abs(fills.q * fills.price) * multiplier[fills.asset])
        scale = (abs(run.initial[g]) + np.cumsum(moved) + np.abs(doubt[:, own]).sum(axis=1))[:, None]
        equity = cash[:, g] + values[:, own].sum(axis=1)
        checks = (
            ("cash", run.cash[:, g], cash[:, g]),
            ("equity", run.equity[:, g], equity),
            ("equity - initial", run.equity[:, g] - run.initial[g], profit[:, g]),
        )
        for name, booked, worked_out in checks:
            found = _first_bad((booked - worked_out)[:, None], scale)
            if found:
                t = found[0]
                _fail(run, t, g, f"{name} is {booked[t]!r}, from the fills it is {worked_out[t]!r}")
        _check_free_cash(run, g, positions[:, own], scale[:, 0])


def _check_free_cash(run: Run, g: int, positions: ArrayTN, scale: np.ndarray) -> None:
    """No negative free cash without leverage: for accounts that never were short (W2's gross weights are the exception)."""
    if run.setup.weights_of == "gross":
        return
    shorted = np.zeros(len(positions), dtype=bool)
    trades = run.trades[(run.trades.account == g) & (run.trades.side < 0)]
    shorted[np.maximum(trades.entry_t, 0)] = True  # also one that was over before its first close
    short_before = np.maximum.accumulate(shorted | (positions < 0.0).any(axis=1))
    # reductions need no cash (F4): a bar speaks where all its fills bought
    own = run.fills[run.fills.account == g]
    bought, sold = np.zeros(len(positions), dtype=bool), np.zeros(len(positions), dtype=bool)
    bought[own.t[own.q > 0]], sold[own.t[own.q < 0]] = True, True
    bad = (run.cash[:, g] < -_TOLERANCE * scale) & bought & ~sold & ~short_before
    if bad.any():
        t = int(np.argmax(bad))
        _fail(run, t, g, f"cash is {run.cash[t, g]!r}, below zero in an account without leverage")


def _profits(run: Run, marks: ArrayTN) -> ArrayTN:
    """Realized + unrealized - fees at each bar and account, by average prices (F9), shape (T, G)."""
    T, N = run.bars.T, run.bars.N
    groups, multiplier = _groups(run), np.asarray(run.bars.market.multiplier)
    realized, fees = np.zeros((T, N)), np.zeros((T, N))
    held, average = np.zeros((T, N)), np.zeros((T, N))
    start_q, start_price = _starts(run)
    holdings = [_Holding(float(q), float(p)) for q, p in zip(start_q, start_price, strict=True)]
    changed = np.zeros((T, N), dtype=bool)
    for n in range(N):
        if holdings[n].q:
            held[0, n], average[0, n] = holdings[n].q, holdings[n].avg
    changed[0] = True
    for fill in run.fills:
        n, t = int(fill.asset), int(fill.t)
        before = holdings[n].realized
        holdings[n].fill(float(fill.q), float(fill.price), float(multiplier[n]))
        realized[t, n] += holdings[n].realized - before
        fees[t, n] += fill.commission
        held[t, n], average[t, n], changed[t, n] = holdings[n].q, holdings[n].avg, True
    rows = np.maximum.accumulate(np.where(changed, np.arange(T)[:, None], 0), axis=0)
    held, average = np.take_along_axis(held, rows, axis=0), np.take_along_axis(average, rows, axis=0)
    with np.errstate(invalid="ignore"):
        open_profit = np.where(held == 0.0, 0.0, held * (marks - average) * multiplier)
    profit = np.cumsum(realized - fees, axis=0) + open_profit
    out = np.zeros((T, run.equity.shape[1]))
    for n in range(N):
        out[:, groups[n]] += profit[:, n]
    return out


def _check_trades(run: Run) -> None:
    """Each closed trade against the fills of its asset, in order."""
    multiplier = np.asarray(run.bars.market.multiplier)
    start_q, start_price = _starts(run)
    for n, symbol in enumerate(run.bars.symbols):
        found = _trades_of(run.fills[run.fills.asset == n], float(start_q[n]), float(start_price[n]), float(multiplier[n]))
        logged = run.trades[run.trades.asset == n]
        if len(found) != len(logged):
            what = f"{symbol} has {len(logged)} trades in the log, its fills make {len(found)}"
            _fail(run, run.bars.T - 1, int(_groups(run)[n]), what)
        for trade, made in zip(logged, found, strict=True):
            wrong = made.differs(trade)
            if wrong:
                what = f"the trade of {symbol} that ends here has {wrong} {trade[wrong]!r}, its fills make it {getattr(made, wrong)!r}"
                _fail(run, made.exit_t, int(_groups(run)[n]), what)


@dataclass
class _Trade:
    """A round trip as its fills make it; names as in the log."""

    side: int
    entry_t: int
    account: int
    exit_t: int = -1
    quantity: float = 0.0
    entered: float = 0.0
    exited: float = 0.0
    closed: float = 0.0
    gross: float = 0.0
    commission: float = 0.0
    reason: int = 0
    turned_over: float = 0.0
    largest: float = 0.0  # position of the asset up to the end of the trade

    @property
    def entry_price(self) -> float:
        return self.entered / self.quantity

    @property
    def exit_price(self) -> float:
        return self.exited / self.closed

    @property
    def pnl(self) -> float:
        return self.gross - self.commission

    def differs(self, trade: Any) -> str:
        """Name of the first number that is not the logged one, empty when all are."""
        for name in ("side", "entry_t", "exit_t", "account", "reason"):
            if getattr(self, name) != trade[name]:
                return name
        # digits are lost where a position far larger than this one was summed up before
        lost = 1.0 + 1e-4 * self.largest / self.quantity
        money = lost * (abs(self.turned_over) + self.commission)
        scales = {"quantity": lost * self.quantity, "entry_price": lost * self.entry_price, "exit_price": lost * self.exit_price}
        for name in ("quantity", "entry_price", "exit_price", "gross", "commission", "pnl"):
            if not abs(getattr(self, name) - trade[name]) <= _TOLERANCE * scales.get(name, money):
                return name
        return ""


def _trades_of(fills: Any, q: float, price: float, multiplier: float) -> list[_Trade]:
    """The round trips that a run of fills makes, after a starting position."""
    out: list[_Trade] = []
    holding, trade = _Holding(q, price), None
    account, largest = int(fills.account[0]) if len(fills) else 0, abs(q)
    if q:
        paid = abs(q) * price
        trade = _Trade(int(math.copysign(1, q)), -1, account, quantity=abs(q), entered=paid, turned_over=paid * multiplier)
    for fill in fills:
        amount, at, before = float(fill.q), float(fill.price), holding.q
        realized = holding.realized
        closed = holding.fill(amount, at, multiplier)
        share = float(fill.commission) * closed / abs(amount)
        if trade is not None and closed:
            trade.closed, trade.exited = trade.closed + closed, trade.exited + closed * at
            trade.gross, trade.commission = trade.gross + holding.realized - realized, trade.commission + share
            trade.turned_over += closed * at * multiplier
            if holding.q == 0.0 or holding.q * before < 0:
                trade.exit_t, trade.reason, trade.largest = int(fill.t), int(fill.reason), largest
                out.append(trade)
                trade = None
        opened, largest = abs(amount) - closed, max(largest, abs(holding.q))
        if holding.q != 0.0 and opened > _TOLERANCE * abs(amount):
            trade = trade or _Trade(int(math.copysign(1, amount)), int(fill.t), account)
            trade.quantity, trade.entered = trade.quantity + opened, trade.entered + opened * at
            trade.commission += float(fill.commission) - share
            trade.turned_over += opened * at * multiplier
    return out
