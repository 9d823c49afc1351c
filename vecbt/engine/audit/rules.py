"""Rules that can be checked from the log: margin (F13), zones (Z1 to Z3), daily loss (Z4), and that what they refuse opens nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..._typing import ArrayN, ArrayTG, ArrayTN
from ...core.codes import Reason, Zone
from .facts import TOLERANCE, Finding, Phase, columns_off
from .money import Money
from .room import Room

if TYPE_CHECKING:
    from ...risk.zones import Zones

__all__ = ["Judge", "refusals", "zone_findings"]

_RUIN = 1e-9  # F13: of `initial`
_EMERGENCY = int(Zone.EMERGENCY)


class Judge:
    """The accounts as T7 sees them: before fills at the close and before T8's call."""

    def __init__(self, money: Money, room: Room) -> None:
        self.money, self.facts, self.room = money, money.facts, room

    @cached_property
    def held(self) -> ArrayTN:
        """Positions that T7 decides on."""
        facts, q = self.facts, self.facts.run.fills["q"]
        held = self.money.held - facts.bought(q, Phase.CLOSE, Phase.END)
        size = np.abs(self.money.held) + facts.bought(np.abs(q), Phase.CLOSE, Phase.END)
        return np.where(np.abs(held) <= TOLERANCE * size, 0.0, held)

    @cached_property
    def equity(self) -> ArrayTG:
        """Equity of T6 as T7 sees it."""
        facts = self.facts
        return facts.run.equity + facts.by_account(facts.bought(facts.spent, Phase.CLOSE, Phase.END))

    @cached_property
    def closing(self) -> ArrayTG:
        """Equity of the last T6 of each bar, before T8's call."""
        facts = self.facts
        if not facts.setup.liquidate_at_end:
            return facts.run.equity
        return facts.run.equity + facts.by_account(facts.bought(facts.spent, Phase.END))

    @cached_property
    def at_least(self) -> ArrayTG:
        """The same, but for rounding: what is below a limit here is surely below it."""
        return self.equity + TOLERANCE * self.money.scale

    @cached_property
    def last_equity(self) -> ArrayTG:
        """Equity at the last close."""
        run = self.facts.run
        return np.vstack([run.initial[None, :], run.equity[:-1]])

    @cached_property
    def flow_factor(self) -> ArrayTG:
        """F15: what a deposit multiplies peak and daily reference by."""
        last = self.last_equity
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(last > 0.0, (last + self.money.flows) / last, 1.0)

    @cached_property
    def margin_call(self) -> NDArray[np.bool_]:
        """F13, ruin included, `(T, G)`."""
        facts, held = self.facts, np.abs(self.held)
        own = np.asarray(facts.bars.market.maintenance_margin)
        need = np.where(own > 0.0, own, facts.setup.maintenance * np.abs(facts.marks) * facts.multiplier)
        short = self.at_least < facts.by_account(np.where(held == 0.0, 0.0, held * need))
        least = _RUIN * facts.run.initial - TOLERANCE * self.money.scale
        ruined = np.minimum(self.equity, np.vstack([self.equity[:1], facts.run.equity[:-1]])) < least
        return short | np.logical_or.accumulate(ruined, axis=0)

    @cached_property
    def day_blocked(self) -> NDArray[np.bool_]:
        """Z4, `(T, G)`."""
        facts, risk = self.facts, self.facts.setup.risk
        limit = None if risk is None else risk.daily_loss
        if limit is None:
            return np.zeros((facts.T, facts.G), dtype=bool)
        begins = np.maximum.accumulate(np.where((facts.days != 0) | (np.arange(facts.T) == 0), np.arange(facts.T), 0))
        reference = self.last_equity[begins]
        for t in np.flatnonzero((self.flow_factor != 1.0).any(axis=1)):
            rest = slice(t, int(np.searchsorted(begins, begins[t], side="right")))
            reference[rest] *= self.flow_factor[t]
        most = reference * (1.0 - limit) - TOLERANCE * np.abs(reference)
        rows = np.arange(facts.T)[:, None]
        after = np.maximum.accumulate(np.where(facts.run.equity < most, rows, -1), axis=0)
        before = np.vstack([np.full((1, facts.G), -1), after[:-1]])
        return (self.at_least < most) | (before >= begins[:, None])

    @cached_property
    def zones(self) -> list[_Judged] | None:
        """Z1 to Z3 by account; None where zones are off or judged inside the bar."""
        facts, risk = self.facts, self.facts.setup.risk
        rule = None if risk is None else risk.zones
        if rule is None or rule.mark == "intrabar":
            return None
        run, seen = facts.run, self.at_least if facts.at_close else self.closing
        flows = np.stack([self.flow_factor, self.money.flows], axis=2)
        return [_judged(self.closing[:, g], seen[:, g], flows[:, g], float(run.initial[g]), rule) for g in range(facts.G)]


@dataclass
class _Judged:
    """An account's zones at each close, and what T7 was told, `(T,)`."""

    zone: NDArray[np.int64]
    told: NDArray[np.int64]
    leaves: NDArray[np.bool_]  # Z3: all is closed


@dataclass
class _State:
    peak: float
    zone: int = 0
    halted: int = -1  # bars since, -1: not
    leaves: bool = False


def _judge(before: _State, equity: float, rule: Zones) -> _State:
    """One T6."""
    peak = max(before.peak, equity)
    if before.halted >= 0 and rule.cooldown_bars is not None and before.halted + 1 >= rule.cooldown_bars:
        return _State(equity)
    empty = peak == 0.0  # F15: all was withdrawn
    zone = 0 if empty else sum(equity <= peak * (1.0 - b) for b in rule.boundaries)
    leaves = before.leaves or (not empty and rule.liquidate_at is not None and equity <= peak * (1.0 - rule.liquidate_at))
    halted = before.halted + 1 if before.halted >= 0 else -1
    if halted < 0 and (leaves or zone == _EMERGENCY):
        halted = 0
    return _State(peak, _EMERGENCY if halted >= 0 else zone, halted, leaves)


def _judged(equity: ArrayN, seen: ArrayN, flows: ArrayTN, initial: float, rule: Zones) -> _Judged:
    """`flows` (T, 2): what a deposit or withdrawal multiplies the peak by, and how much it was."""
    state, count = _State(initial), len(equity)
    zone, told, leaves = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64), np.zeros(count, dtype=bool)
    same = bool((equity == seen).all())
    for t, (value, seen_value, (k, paid)) in enumerate(zip(equity.tolist(), seen.tolist(), flows.tolist(), strict=True)):
        state.peak = state.peak * k if state.peak != 0.0 else paid
        at_t7 = _judge(state, seen_value, rule)
        state = at_t7 if same else _judge(state, value, rule)
        zone[t], told[t], leaves[t] = state.zone, at_t7.zone, at_t7.leaves
    return _Judged(zone, told, leaves)


def zone_findings(judge: Judge) -> Iterator[Finding]:
    """Zones of the run against those of its equity."""
    run, zones = judge.facts.run, judge.zones
    if run.zone is None:
        return
    if zones is not None:
        wanted = np.stack([z.zone for z in zones], axis=1)
        off = run.zone != wanted
        if judge.facts.setup.liquidate_at_end:
            off[-1] = False  # its equity before the call is known but for rounding
        for t, g in columns_off(off):
            name, made = Zone(int(run.zone[t, g])).name.lower(), Zone(int(wanted[t, g])).name.lower()
            yield Finding(t, g, f"the zone is {name}, equity and peak make it {made} (Z1)")
    for k in np.flatnonzero(run.accounts["zone"] != run.zone[-1]).tolist():
        yield Finding(judge.facts.T - 1, k, "the account is in another zone than its last bar (Z1)")


def refusals(judge: Judge) -> Iterator[Finding]:
    """New risk where a rule takes none, and positions that stay where all is closed."""
    facts = judge.facts
    halted, leaves = _halts(judge)
    yield from _opened(judge, judge.margin_call, "a margin call takes no new risk (F13)", waiting=True)
    yield from _opened(judge, leaves, "a liquidation takes no new risk (Z3)", waiting=True)
    yield from _opened(judge, halted, "an emergency takes no new risk (Z2)", waiting=False)
    yield from _opened(judge, judge.day_blocked, "a daily loss takes no new risk (Z4)", waiting=False)
    yield from _factors(judge)
    if facts.at_close or facts.setup.uses_volume:
        return
    must = facts.by_account(np.zeros((facts.T, facts.N))) > 0.0
    must[1:] = (judge.margin_call | leaves)[:-1]
    stays = (judge.room.held_after(Phase.OPEN) != 0.0) & ~np.isnan(facts.bars.close) & must[:, facts.group]
    for t, n in columns_off(stays):
        yield Finding(
            t, int(facts.group[n]), f"{facts.bars.symbols[n]} is still held after an open at which all was to be closed (F13, Z3)"
        )


def _halts(judge: Judge) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where T7 was told of an emergency, and to close all, `(T, G)`."""
    facts, zone = judge.facts, judge.facts.run.zone
    nothing = np.zeros((facts.T, facts.G), dtype=bool)
    if zone is None:
        return nothing, nothing
    if judge.zones is not None:
        return np.stack([z.told == _EMERGENCY for z in judge.zones], axis=1), np.stack([z.leaves for z in judge.zones], axis=1)
    halted = zone == _EMERGENCY
    if facts.at_close:  # it was one before the fills of this close as well
        halted = halted & np.vstack([nothing[:1], halted[:-1]])
    return halted, nothing


def _opened(judge: Judge, refuses: NDArray[np.bool_], text: str, *, waiting: bool) -> Iterator[Finding]:
    """Fills that open although a rule refused their order at its T7, or (`waiting`) at a T7 since."""
    facts, fills = judge.facts, judge.facts.run.fills
    if not refuses.any() or not len(fills):
        return
    given = facts.run.orders["t"][facts.order_of]
    last = np.maximum(given, fills["t"] - 1) if waiting else given
    total = np.cumsum(refuses, axis=0)
    later = total[last, fills["account"]] > total[given, fills["account"]]
    at_once = refuses[given, fills["account"]]
    if facts.of_orders:  # what reduced at its T7 may open at its fill (O6)
        at_once &= judge.held[given, fills["asset"]] * fills["q"] >= 0.0
    refused = later | at_once
    bad = refused & (judge.money.ledger.opened > 0.0) & (facts.order_of >= 0)
    for g in np.unique(fills["account"][bad]):
        fill = fills[int(np.flatnonzero(bad & (fills["account"] == g))[0])]
        what = f"order {fill['order']} opened {facts.bars.symbols[fill['asset']]}, though {text}"
        yield Finding(int(fill["t"]), int(g), what)


def _factors(judge: Judge) -> Iterator[Finding]:
    """Z2: new risk as queued is at most the zone's part of what was wanted."""
    facts, log, zones = judge.facts, judge.facts.run.orders, judge.zones
    risk = facts.setup.risk
    if zones is None or risk is None or risk.zones is None or facts.of_orders or facts.setup.max_participation is not None:
        return
    told = np.stack([z.told for z in zones], axis=1)
    factor = np.asarray(risk.zones.factors)[told[log["t"], log["account"]]]
    wanted = np.abs(log["wanted"] - log["close_q"])
    room = TOLERANCE * (np.abs(log["wanted"]) + np.abs(log["close_q"]))
    bad = (log["reason"] == Reason.SIGNAL) & (np.abs(log["open_q"]) > factor * wanted + room)
    for k in np.flatnonzero(bad):
        what = f"order {log['id'][k]} of {facts.bars.symbols[log['asset'][k]]} opens {log['open_q'][k]:g} of {wanted[k]:g}"
        yield Finding(int(log["t"][k]), int(log["account"][k]), f"{what}, in a zone that takes {factor[k]:g} of it (Z2)")
