"""Drawdown zones and the daily loss: order, and boundaries that nothing can reach."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from .entries import entry
from .facts import Facts, percent
from .finding import Finding

__all__ = ["RULES", "halt_at"]

_PLACE = "risk.zones.boundaries"


def _boundaries(facts: Facts) -> tuple[float, ...] | None:
    return facts.numbers(_PLACE, 3) if facts.on("risk.zones") else None


def halt_at(facts: Facts) -> float | None:
    """The drawdown at which an account is halted: EMERGENCY's boundary or the liquidation, whichever comes first."""
    bounds = _boundaries(facts)
    if bounds is None:
        return None
    return min(bounds[2], facts.number("risk.zones.liquidate_at") or bounds[2])


def _order(facts: Facts) -> Iterator[Finding]:
    bounds = _boundaries(facts)
    if bounds is not None and not bounds[0] < bounds[1] < bounds[2]:
        yield facts.finding(
            "zones-order",
            "error",
            _PLACE,
            f"the boundaries of CAUTION, ALERT and EMERGENCY are {', '.join(f'{b:g}' for b in bounds)}",
            "zones follow each other as the drawdown grows: a boundary that is not above the one before leaves its zone empty",
            "write three ascending drawdowns, such as [0.05, 0.10, 0.15]",
        )


def _factors(facts: Facts) -> Iterator[Finding]:
    factors = facts.numbers("risk.zones.factors", 4) if facts.on("risk.zones") else None
    if factors is None:
        return
    names = ("NORMAL", "CAUTION", "ALERT", "EMERGENCY")
    for k, (before, after) in enumerate(pairwise(factors)):
        if after > before:
            yield facts.finding(
                "zones-order",
                "error",
                "risk.zones.factors",
                f"{names[k + 1]} allows {after:g} of new risk, {names[k]} {before:g}",
                "a deeper drawdown would allow more risk",
                "write factors that fall, such as [1, 0.5, 0.25, 0]",
            )
        elif after == before and k < 2:
            yield facts.finding(
                "zone-without-effect",
                "note",
                "risk.zones.factors",
                f"{names[k]} and {names[k + 1]} allow the same new risk, {after:g}",
                f"reaching the boundary of {names[k + 1]} changes nothing",
                "give it a factor of its own, if that was meant",
            )


def _liquidation(facts: Facts) -> Iterator[Finding]:
    """`emergency` in files of other programs is this boundary too: a separate one, not before ALERT's."""
    bounds, level = _boundaries(facts), facts.number("risk.zones.liquidate_at")
    if bounds is None or level is None:
        return
    if level < bounds[1]:
        yield facts.finding(
            "liquidation-before-alert",
            "error",
            "risk.zones.liquidate_at",
            f"everything is closed at a drawdown of {percent(level)}, before ALERT begins at {percent(bounds[1])}",
            "ALERT and EMERGENCY can never be reached while anything is held",
            "liquidate at ALERT's boundary or later, or move the boundaries",
        )
    elif level < bounds[2]:
        yield facts.finding(
            "boundary-never-binds",
            "warning",
            _PLACE if facts.given(_PLACE) else "risk.zones.liquidate_at",
            f"EMERGENCY begins at {percent(bounds[2])}, but everything is closed and halted at {percent(level)} already",
            "EMERGENCY's own boundary can never bind",
            "set it to where trading shall halt, at most liquidate_at",
        )


def _halt_for_good(facts: Facts) -> Iterator[Finding]:
    if not facts.on("risk.zones"):
        return
    bars = facts.count("risk.zones.cooldown_bars")
    if bars is None and not facts.given("risk.zones.cooldown_bars"):
        yield facts.finding(
            "halt-for-good",
            "note",
            "risk.zones",
            "there is no cooldown_bars",
            "once EMERGENCY is reached the account takes no new risk until the data ends",
            "set cooldown_bars to the bars after which it may go on, if that is not meant",
        )
    elif bars is not None and facts.bars is not None and bars >= facts.bars.T:
        yield facts.finding(
            "window-too-long",
            "warning",
            "risk.zones.cooldown_bars",
            f"the cooldown is {bars} bars, the data has {facts.bars.T}",
            "a halted account is never re-armed",
            "shorten it, leave it out, or load more data",
        )


def _one_stop(facts: Facts) -> Iterator[Finding]:
    """A single position that is stopped out should not end the run."""
    halt, one = halt_at(facts), entry(facts)
    if halt is not None and one.loss is not None and one.loss >= halt:
        yield facts.finding(
            "one-trade-halts",
            "warning",
            "risk.zones",
            f"a full position that is stopped out loses about {percent(one.loss)} of equity; trading halts at {percent(halt)}",
            "one losing trade takes the account through all zones at once",
            "make positions smaller, the stop nearer, or the zones wider",
        )


def _daily_loss(facts: Facts) -> Iterator[Finding]:
    """The day's start is never above the peak, so a loss of the day is at least as deep a drawdown."""
    daily, halt = facts.number("risk.daily_loss"), halt_at(facts)
    if daily is not None and halt is not None and halt <= daily <= 1:
        yield facts.finding(
            "limit-never-binds",
            "warning",
            "risk.daily_loss",
            f"a day may lose {percent(daily)}, but the account is halted at a drawdown of {percent(halt)}",
            "whoever has lost so much in a day has at least that drawdown: the daily limit can never bind",
            "set a daily loss well below the drawdown that halts",
        )


RULES = (_order, _factors, _liquidation, _halt_for_good, _one_stop, _daily_loss)
