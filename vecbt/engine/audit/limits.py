"""Z5, Z7, Z9: what T7 may queue, at its marks. For rows that are no orders, and where volume does not cut them into pieces."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..._typing import ArrayTG, ArrayTN
from ...core.codes import Reason
from ...core.rounding import tick_down, tick_up
from ...risk.stops import Pct, Ticks
from .facts import TOLERANCE, Facts, Finding, columns_off, shown
from .rules import Judge

__all__ = ["Limited"]

_QUEUED = (int(Reason.SIGNAL), int(Reason.TIME), int(Reason.RISK), int(Reason.MARGIN))


class Limited:
    """Positions that are kept, and what waits to open, at each T7."""

    def __init__(self, judge: Judge) -> None:
        self.judge, self.facts = judge, judge.facts

    def findings(self) -> Iterator[Finding]:
        """Where new orders lift a limit."""
        facts, risk = self.facts, self.facts.setup.risk
        if risk is None or not risk.limits_new_risk or facts.of_orders or facts.setup.max_participation is not None:
            return
        if facts.leaves_inside:
            return  # the log does not tell exits inside the bar from those of T7
        yield from self._positions()
        limits = risk.limits
        money = np.abs(facts.marks) * facts.multiplier
        if limits is not None and limits.max_gross is not None:
            yield from self._sums("gross exposure", "Z7", limits.max_gross, (np.abs(self.kept) * money, np.abs(self.waits) * money))
        if limits is not None and limits.max_net is not None:
            price = facts.marks * facts.multiplier
            yield from self._sums("net exposure", "Z7", limits.max_net, (self.kept * price, self.waits * price), signed=True)
        units = self._unit_risk
        if risk.max_heat is not None and units is not None:
            yield from self._sums("heat", "Z5", risk.max_heat, (np.abs(self.kept) * units[0], np.abs(self.waits) * units[1]))
        if risk.max_trade_loss is not None and units is not None:
            same = self._same_side
            lost = np.where(same, np.abs(self.kept) * units[0], 0.0) + np.abs(self.waits) * units[1]
            yield from self._each("loses down to its stop", "Z9", lost, risk.max_trade_loss * self.judge.equity)

    # --- what is kept and what waits --------------------------------------------------------------------------------

    def _spread(self, values: NDArray[np.float64], chosen: NDArray[np.bool_], *, new: bool = False) -> ArrayTN:
        """Sums over orders by bar of T7 and asset: from the bar of their decision to their end, or (`new`) on that bar only."""
        facts, log = self.facts, self.facts.run.orders
        first = log["t"][chosen]
        past = np.where(log["t_done"] < 0, facts.T, log["t_done"])[chosen]
        past = first + 1 if new else np.maximum(past, first + 1)
        asset, amount = log["asset"][chosen], values[chosen]
        if facts.scale is not None:  # quantities in the log are those of the end (T1)
            amount = amount / facts.scale[np.where(log["t_done"] < 0, facts.T - 1, log["t_done"])[chosen], asset]
        steps = np.zeros((facts.T + 1, facts.N))
        np.add.at(steps, (first, asset), amount)
        np.add.at(steps, (past, asset), -amount)
        size = np.zeros((facts.T + 1, facts.N))
        np.add.at(size, (first, asset), np.abs(amount))
        out = np.cumsum(steps, axis=0)[:-1]
        out = np.where(np.abs(out) <= TOLERANCE * np.cumsum(size, axis=0)[:-1], 0.0, out)
        return out if facts.scale is None else out * facts.scale

    @cached_property
    def waits(self) -> ArrayTN:
        """Signed new risk of the orders that wait after T7."""
        log = self.facts.run.orders
        return self._spread(np.nan_to_num(log["open_q"]), log["reason"] == Reason.SIGNAL)

    @cached_property
    def new(self) -> NDArray[np.bool_]:
        """Where T7 queued new risk."""
        log = self.facts.run.orders
        found: NDArray[np.bool_] = self._spread(np.nan_to_num(log["open_q"]), log["reason"] == Reason.SIGNAL, new=True) != 0.0
        return found

    @cached_property
    def kept(self) -> ArrayTN:
        """Positions after what waits to close them."""
        log, held = self.facts.run.orders, self.judge.held
        left = held + self._spread(log["close_q"], np.isin(log["reason"], _QUEUED))
        gone = (left * held <= 0.0) | (np.abs(left) <= TOLERANCE * np.abs(held))
        return np.where(gone, 0.0, left)

    @property
    def _same_side(self) -> NDArray[np.bool_]:
        same: NDArray[np.bool_] = self.kept * self.waits > 0.0
        return same

    # --- the tests --------------------------------------------------------------------------------------------------

    def _positions(self) -> Iterator[Finding]:
        """Z7 for one asset: the tighter of the two limits."""
        risk = self.facts.setup.risk
        limits = None if risk is None else risk.limits
        if limits is None or (limits.max_position is None and limits.max_position_value is None):
            return
        most = np.full_like(self.judge.equity, np.inf)
        if limits.max_position is not None:
            most = limits.max_position * self.judge.equity
        if limits.max_position_value is not None:
            most = np.minimum(most, limits.max_position_value)
        units = np.where(self._same_side, np.abs(self.kept), 0.0) + np.abs(self.waits)
        yield from self._each("would be worth", "Z7", units * np.abs(self.facts.marks) * self.facts.multiplier, most)

    def _each(self, what: str, rule: str, values: ArrayTN, most: ArrayTG) -> Iterator[Finding]:
        facts, limit = self.facts, most[:, self.facts.group]
        slack = 4 * TOLERANCE * np.abs(limit) + TOLERANCE * self.judge.money.scale[:, facts.group]
        over = self.new & (values > limit + slack) & (self.judge.equity > 0.0)[:, facts.group]
        for t, n in columns_off(over):
            text = f"{facts.bars.symbols[n]} {what} {shown(values[t, n])} after its order, the limit is {shown(limit[t, n])} ({rule})"
            yield Finding(t, int(facts.group[n]), text)

    def _sums(self, what: str, rule: str, part: float, parts: tuple[ArrayTN, ArrayTN], *, signed: bool = False) -> Iterator[Finding]:
        """A limit of the account: new orders leave it kept, or no further above than it was."""
        facts, equity = self.facts, self.judge.equity
        kept, waits = (np.where(units == 0.0, 0.0, money) for units, money in zip((self.kept, self.waits), parts, strict=True))
        before = facts.by_account(kept + np.where(self.new, 0.0, waits))
        after = facts.by_account(kept + waits)
        most = np.maximum(part * equity, np.abs(before))
        slack = 4 * TOLERANCE * (facts.setup.leverage * np.abs(equity) + np.abs(most)) + TOLERANCE * self.judge.money.scale
        if signed:  # lots come last (S5): they may round away what was to balance
            log = facts.run.orders
            asked = self._spread(np.ones(len(log)), log["reason"] == Reason.SIGNAL, new=True) != 0.0
            lots = np.asarray(facts.bars.market.lot) * np.abs(facts.marks) * facts.multiplier
            slack = slack + facts.by_account(np.where(asked, lots, 0.0))
        queued = facts.by_account(self.new.astype(np.float64)) > 0.0
        over = queued & (equity > 0.0) & (np.abs(after) > most + slack)
        for t, g in columns_off(over):
            yield Finding(
                t, g, f"{what} would be {shown(after[t, g])} after the orders of this bar, the limit is {shown(most[t, g])} ({rule})"
            )

    @cached_property
    def _unit_risk(self) -> tuple[ArrayTN, ArrayTN] | None:
        """Money that one unit loses down to its stop, of what is kept and of what waits; None where stops move with the bars."""
        facts, stops = self.facts, self.facts.setup.stops
        money = np.abs(facts.marks) * facts.multiplier
        if stops is None or (stops.hard is None and stops.trailing is None):
            return money, money
        if stops.trailing is not None or not isinstance(stops.hard, float | Pct | Ticks) or facts.at_close:
            return None
        average = self.judge.money.ledger.average
        return _risk(facts, average, np.sign(self.kept)), _risk(facts, facts.marks, np.sign(self.waits))


def _risk(facts: Facts, base: ArrayTN, side: ArrayTN) -> ArrayTN:
    """Money from the mark down to a hard stop that is measured from `base`, rounded to the tick (F5)."""
    stops, tick = facts.setup.stops, np.asarray(facts.bars.market.tick)
    assert stops is not None
    hard = stops.hard
    distance = tick * hard.count if isinstance(hard, Ticks) else base * (hard.percent / 100.0 if isinstance(hard, Pct) else float(hard))  # type: ignore[arg-type]
    level = base - side * distance
    out = np.zeros((facts.T, facts.N))
    for t, n in zip(*np.nonzero(side != 0.0), strict=True):
        s, price = float(side[t, n]), float(level[t, n])
        price = tick_up(price, float(tick[n])) if s > 0.0 else tick_down(price, float(tick[n]))
        out[t, n] = max(0.0, (float(facts.marks[t, n]) - price) * s) * float(facts.multiplier[n])
    return out
