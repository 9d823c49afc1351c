"""F4: no new risk beyond the room there was, at the open, at the close, and inside the bar."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..._typing import ArrayN, ArrayTG, ArrayTN
from ...core.codes import OrderStatus, Rule
from .facts import TOLERANCE, Finding, Phase, columns_off, shown
from .money import Money

__all__ = ["Room"]

_NAMES = {Phase.OPEN: "at the open", Phase.CLOSE: "at the close", Phase.INSIDE: "inside the bar"}


class Room:
    """The test is exact where it can be made from the log: the state after the last group that opened something.

    Left out are weights of equity before costs (W2), several orders of one asset on one price, bars in which an order had its part of the
    room and came to nothing by lot, minimum or FOK, and those of a run with limited volume whose orders the log does not tell apart.
    """

    def __init__(self, money: Money) -> None:
        self.money, self.facts = money, money.facts
        market = self.facts.bars.market
        self.margin: ArrayN = np.asarray(market.initial_margin)
        self.leverage = float(self.facts.setup.leverage)

    def findings(self) -> Iterator[Finding]:
        """Bars and accounts whose exposure is more than new risk may leave."""
        setup = self.facts.setup
        limited = setup.max_participation is not None
        if setup.weights_of == "gross" or (limited and (self.facts.of_orders or self.facts.at_close)):
            return
        for phase in (Phase.OPEN, Phase.CLOSE):
            yield from self._tested(phase, self._after(phase))
        if self.facts.of_orders:
            yield from self._inside()

    def _use(self, prices: ArrayTN) -> ArrayTN:
        """Room that a unit takes at a price."""
        use: ArrayTN = np.where(self.margin > 0.0, self.leverage * self.margin, np.abs(prices) * self.facts.multiplier)
        return use

    @cached_property
    def _opening(self) -> NDArray[np.bool_]:
        """Fills that took new risk."""
        opening: NDArray[np.bool_] = self.money.ledger.opened > 0.0
        return opening

    def _last_group(self, phase: Phase) -> tuple[ArrayTN, NDArray[np.bool_], NDArray[np.bool_]]:
        """Prices of the last group that opened something in a phase (NaN for other assets), where that was, and where it is told apart."""
        facts, fills = self.facts, self.facts.run.fills
        mine = np.flatnonzero(self._opening & (facts.phase == phase) & (facts.order_of >= 0))
        rank = facts.run.orders["priority"][facts.order_of[mine]]
        prices = np.full((facts.T, facts.N), np.nan)
        lowest = np.full((facts.T, facts.G), np.inf)
        places = (fills["t"][mine], fills["account"][mine])
        np.minimum.at(lowest, places, rank)
        last = mine[rank == lowest[places]]
        prices[fills["t"][last], fills["asset"][last]] = fills["price"][last]
        count = np.zeros((facts.T, facts.N))
        np.add.at(count, (fills["t"][mine], fills["asset"][mine]), 1.0)
        several = facts.by_account((count > 1.0).astype(np.float64)) > 0.0
        return prices, np.isfinite(lowest), several | self._unpriced

    @cached_property
    def _unpriced(self) -> NDArray[np.bool_]:
        """Bars in which an order was refused whose group was given room at its price (F4), which the log does not have."""
        log = self.facts.run.orders
        refused = (log["status"] == OrderStatus.REJECTED) & ((log["cut_by"] & (Rule.LOT | Rule.MINIMUM | Rule.CASH)) != 0)
        if not self.facts.of_orders:
            refused &= log["open_q"] != 0.0  # else T7 refused it
        out = np.zeros((self.facts.T, self.facts.G), dtype=bool)
        out[log["t_done"][refused], log["account"][refused]] = True
        return out

    def _state(self, phase: Phase, prices: ArrayTN) -> tuple[ArrayTG, ArrayTG]:
        """Equity and exposure after the fills of a phase, each asset at `prices`."""
        facts, money, run = self.facts, self.money, self.facts.run
        fills, held = run.fills, self.held_after(phase)
        at = prices[fills["t"], fills["asset"]]
        with np.errstate(invalid="ignore"):
            cost = fills["q"] * (at - fills["price"]) * facts.multiplier[fills["asset"]] - fills["commission"]
        if phase == Phase.CLOSE:
            gain = np.where(held == 0.0, 0.0, held * (prices - facts.marks) * facts.multiplier)
            equity = run.equity + facts.by_account(gain + facts.bought(facts.spent, Phase.END))
        else:
            whole = money.ledger.carried - facts.bought(fills["q"], Phase.ACTIONS)
            gain = np.where(whole == 0.0, 0.0, whole * (prices - facts.before) * facts.multiplier)
            last = np.vstack([run.initial[None, :], run.equity[:-1]])
            gain = gain + facts.bought(cost, Phase.ACTIONS, Phase.OPEN) + money.dividends - money.carry
            equity = last + facts.by_account(gain) - money.interest + money.flows
        exposure = np.where(held == 0.0, 0.0, np.abs(held) * self._use(prices))
        return equity, facts.by_account(exposure)

    def held_after(self, phase: Phase) -> ArrayTN:
        """Positions after T4, or at the close before T8's call."""
        facts, money, q = self.facts, self.money, self.facts.run.fills["q"]
        if phase == Phase.CLOSE:
            held = money.held - facts.bought(q, Phase.END)
        else:
            held = money.ledger.carried + facts.bought(q, Phase.OPEN)
        return np.where(np.abs(held) <= TOLERANCE * (np.abs(money.ledger.carried) + facts.bought(np.abs(q))), 0.0, held)

    def _after(self, phase: Phase) -> tuple[ArrayTG, ArrayTG, NDArray[np.bool_]]:
        """Equity, exposure, and the bars in which the test must hold."""
        facts = self.facts
        prices, somewhere, several = self._last_group(phase)
        others = facts.marks if phase == Phase.CLOSE else np.where(np.isnan(facts.bars.open), facts.before, facts.bars.open)
        return *self._state(phase, np.where(np.isnan(prices), others, prices)), somewhere & ~several

    def _tested(self, phase: Phase, state: tuple[ArrayTG, ArrayTG, NDArray[np.bool_]]) -> Iterator[Finding]:
        equity, exposure, tested = state
        most = self.leverage * equity
        over = tested & (exposure > most + 2 * TOLERANCE * np.abs(most) + TOLERANCE * self.leverage * self.money.scale)
        for t, g in columns_off(over):
            what = f"exposure {_NAMES[phase]} is {shown(exposure[t, g])} after new risk, the equity carries {shown(most[t, g])} (F4)"
            yield Finding(t, g, what)

    def _inside(self) -> Iterator[Finding]:
        """T5: what is opened takes its part of the room that T4 left, at the open."""
        facts, fills = self.facts, self.facts.run.fills
        opens = np.where(np.isnan(facts.bars.open), facts.before, facts.bars.open)
        equity, exposure = self._state(Phase.OPEN, opens)
        room = self.leverage * equity - exposure
        alone = self._opening & (self.money.ledger.opened >= np.abs(fills["q"]))
        margin = self.margin[fills["asset"]]
        use = np.where(margin > 0.0, self.leverage * margin, np.abs(fills["price"]) * facts.multiplier[fills["asset"]])
        taken = self.money.ledger.opened * use + np.where(alone, self.leverage * fills["commission"], 0.0)
        total = facts.by_account(facts.bought(taken, Phase.INSIDE))
        groups = facts.by_account(facts.bought(self._opening.astype(np.float64), Phase.INSIDE))
        slack = TOLERANCE * self.leverage * ((1.0 + groups) * np.abs(equity) + self.money.scale)
        over = (total > 0.0) & (total > np.maximum(room, 0.0) + slack)
        for t, g in columns_off(over):
            yield Finding(
                t, g, f"new risk inside the bar takes {shown(total[t, g])}, the room at its open was {shown(room[t, g])} (F4, T5)"
            )
