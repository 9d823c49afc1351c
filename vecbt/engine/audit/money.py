"""Cash, equity, carry, dividends and deposits at each bar (F3, F12, F15, T1, T2)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from ..._typing import ArrayN, ArrayTG, ArrayTN
from ..orders_input import booked_flows
from .facts import TOLERANCE, Facts, Finding, Phase, first_off, rows_added, shown
from .ledger import Ledger, rebuild

__all__ = ["Money"]

_BORROW_YEAR, _INTEREST_YEAR = 365.0, 360.0  # days (T2)


class Money:
    """What the fills make of the accounts."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.ledger: Ledger = rebuild(facts)

    # --- what holding costs and brings ------------------------------------------------------------------------------

    @cached_property
    def carry(self) -> ArrayTN:
        """T2 of each asset: borrow of shorts that are paid in full, funding of perpetuals; costs."""
        facts, carried = self.facts, self.ledger.carried
        out = np.zeros((facts.T, facts.N))
        bars, given = facts.bars, facts.setup.carry
        if given is None and bars.funding is None:
            return out
        worth = np.where(carried == 0.0, 0.0, carried * facts.before * facts.multiplier)
        if given is not None:
            rates = np.where(facts.contract, 0.0, given.borrow_rates(bars.symbols))
            out += np.where(carried < 0.0, -worth * rates * facts.days[:, None] / _BORROW_YEAR, 0.0)
        if bars.funding is not None:
            perpetual = np.array([name == "perpetual" for name in bars.market.instrument])
            out += np.where(perpetual, worth * np.nan_to_num(bars.funding), 0.0)
        return out

    @cached_property
    def interest(self) -> ArrayTG:
        """T2 on the negative cash of the last close; a cost."""
        facts, given = self.facts, self.facts.setup.carry
        rate = 0.0 if given is None else given.interest_rate
        cash = np.vstack([np.zeros((1, facts.G)), facts.run.cash[:-1]])
        return np.maximum(-cash, 0.0) * rate * facts.days[:, None] / _INTEREST_YEAR

    @cached_property
    def dividends(self) -> ArrayTN:
        """T1 of each asset."""
        facts = self.facts
        if facts.bars.actions is None:
            return np.zeros((facts.T, facts.N))
        return self.ledger.carried * facts.bars.actions.dividend

    @cached_property
    def flows(self) -> ArrayTG:
        """Deposits and withdrawals as the run says they were paid."""
        paid = self.facts.run.flows
        return np.zeros((self.facts.T, self.facts.G)) if paid is None else paid

    @cached_property
    def before_flows(self) -> ArrayTG:
        """Equity at `m` after T1 and T2 of each bar."""
        facts, run, ledger = self.facts, self.facts.run, self.ledger
        last = np.vstack([np.full((1, facts.G), facts.setup.initial_capital), run.cash[:-1]])
        fractions = facts.bought(-self._notional + self._to(facts.before), Phase.ACTIONS)
        owned = np.where(facts.contract | (ledger.carried == 0.0), 0.0, ledger.carried * facts.before * facts.multiplier)
        return last + facts.by_account(fractions + owned + self.dividends - self.carry) - self.interest

    @cached_property
    def _notional(self) -> ArrayN:
        """Signed money of each fill; 0 for contracts."""
        facts, fills = self.facts, self.facts.run.fills
        money: ArrayN = fills["q"] * fills["price"] * facts.multiplier[fills["asset"]]
        return np.where(facts.contract[fills["asset"]], 0.0, money)

    def _to(self, prices: ArrayTN) -> ArrayN:
        """What each fill of a contract gains from its price to another of its bar."""
        facts, fills = self.facts, self.facts.run.fills
        asset = fills["asset"]
        gain: ArrayN = fills["q"] * (prices[fills["t"], asset] - fills["price"]) * facts.multiplier[asset]
        return np.where(facts.contract[asset], gain, 0.0)

    # --- the books --------------------------------------------------------------------------------------------------

    @cached_property
    def cash(self) -> ArrayTG:
        """Cash at each close."""
        facts = self.facts
        moved = facts.by_account(self.ledger.moves + self.dividends - self.carry) - self.interest + self.flows
        moved = moved - rows_added(facts, self._notional + facts.run.fills["commission"])
        return facts.setup.initial_capital + np.cumsum(moved, axis=0)

    @cached_property
    def held(self) -> ArrayTN:
        """Positions at each close; what is left by the rounding of sums is nothing."""
        held = self.ledger.held
        return np.where(np.abs(held) <= TOLERANCE * self._largest, 0.0, held)

    @cached_property
    def _largest(self) -> ArrayTN:
        """The largest position there was so far, in units of today."""
        scale, held = self.facts.scale, np.abs(self.ledger.held)
        if scale is None:
            return np.maximum.accumulate(held, axis=0)
        largest: ArrayTN = np.maximum.accumulate(held / scale, axis=0) * scale
        return largest

    @cached_property
    def equity(self) -> ArrayTG:
        """Equity at each close."""
        facts = self.facts
        return self.cash + facts.by_account(np.where(facts.contract | (self.held == 0.0), 0.0, self.held * facts.marks * facts.multiplier))

    @cached_property
    def profit(self) -> ArrayTG:
        """F3: realized + unrealized - fees - carry + dividends + flows."""
        facts, ledger = self.facts, self.ledger
        with np.errstate(invalid="ignore"):
            unrealized = np.where(self.held == 0.0, 0.0, self.held * (facts.marks - ledger.average) * facts.multiplier)
        sums = facts.by_account(ledger.realized - self.carry + self.dividends) - self.interest + self.flows
        sums = sums - rows_added(facts, facts.run.fills["commission"])
        return np.cumsum(sums, axis=0) + facts.by_account(unrealized)

    @cached_property
    def scale(self) -> ArrayTG:
        """Money that has been moved so far: what rounding errors are measured against."""
        facts, ledger = self.facts, self.ledger
        doubt = np.where(self._largest == 0.0, 0.0, self._largest * np.abs(facts.marks) * facts.multiplier)
        moved = facts.by_account(np.abs(ledger.moves) + np.abs(self.dividends) + np.abs(self.carry)) + self.interest + np.abs(self.flows)
        moved = moved + rows_added(facts, np.abs(self._notional))
        return np.abs(facts.run.initial) + np.cumsum(moved, axis=0) + facts.by_account(doubt)

    def findings(self) -> Iterator[Finding]:
        """Where the series of the run are not what the fills say."""
        run, facts = self.facts.run, self.facts
        wanted = self._payable()
        for t, g in first_off(self.flows - wanted, self.scale):
            yield Finding(t, g, f"{shown(self.flows[t, g])} was paid in or out, from deposits and room it is {shown(wanted[t, g])} (F15)")
        start, price = facts.start
        owned = np.where(facts.contract | (start == 0.0), 0.0, start * np.nan_to_num(price) * facts.multiplier)
        initial = facts.setup.initial_capital + facts.by_account(owned[None, :])
        for _, g in first_off(run.initial[None, :] - initial, self.scale[:1]):
            yield Finding(
                0, g, f"initial equity is {shown(run.initial[g])}, capital and starting positions make {shown(initial[0, g])} (F14)"
            )
        checks = (
            ("cash", run.cash, self.cash),
            ("equity", run.equity, self.equity),
            ("equity - initial", run.equity - run.initial, self.profit),
        )
        for name, booked, worked_out in checks:
            for t, g in first_off(booked - worked_out, self.scale):
                yield Finding(t, g, f"{name} is {shown(booked[t, g])}, from the fills it is {shown(worked_out[t, g])}")

    def _payable(self) -> ArrayTG:
        """F15: what may be paid; a withdrawal takes at most the room there is at `m`."""
        facts = self.facts
        asked = booked_flows(facts.setup.flows, facts.bars)
        if not len(asked):
            return np.zeros((facts.T, facts.G))
        leverage, margin = facts.setup.leverage, np.asarray(facts.bars.market.initial_margin)
        carried = np.abs(self.ledger.carried)
        use = np.where(margin > 0.0, leverage * margin, np.abs(facts.before) * facts.multiplier)
        gross = facts.by_account(np.where(carried == 0.0, 0.0, carried * use))
        room = np.maximum(leverage * self.before_flows - gross, 0.0) / leverage
        return np.maximum(asked[:, None], -room)
