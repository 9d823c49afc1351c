"""Limits of the account: which bind, which cannot, and which of fraction and money is the tighter."""

from __future__ import annotations

import math
from collections.abc import Iterator

from .entries import cap_of, entry
from .facts import Facts, percent
from .finding import Finding

__all__ = ["RULES"]


def _never(facts: Facts, where: str, what: str, why: str, remedy: str = "lower it, or leave it out") -> Finding:
    return facts.finding("limit-never-binds", "warning", where, what, why, remedy)


def _gross_and_net(facts: Facts) -> Iterator[Finding]:
    gross, net, one = (facts.number(f"risk.limits.{name}") for name in ("max_gross", "max_net", "max_position"))
    if gross is not None and gross > facts.room:
        why = "new risk must fit into leverage times equity anyway"
        yield _never(facts, "risk.limits.max_gross", f"gross exposure may be {gross:g} of equity, leverage allows {facts.room:g}", why)
    if gross is not None and net is not None and net > gross:
        why, where = "net exposure is never more than gross", "risk.limits.max_net"
        what = f"net exposure may be {net:g} of equity, gross exposure {gross:g}"
        yield facts.finding("limit-never-binds", "error", where, what, why, "lower it, or leave it out")
    most = facts.room if gross is None else min(gross, facts.room)
    if one is not None and one > most:
        what = f"a position may be {one:g} of equity, all positions together {most:g}"
        yield _never(facts, "risk.limits.max_position", what, "a position is never more than gross exposure")
    one_sided = facts.get("direction") in ("long", "short")
    if one_sided and gross is not None and net is not None and net < gross:
        what = f"gross exposure may be {gross:g} of equity, net exposure {net:g}"
        yield _never(
            facts, "risk.limits.max_gross", what, f"with direction {facts.get('direction')} both are the same, and net is the tighter"
        )
    if one is not None and gross is not None and facts.assets is not None and one <= most and one * facts.assets < gross:
        what = f"{facts.assets} positions of at most {one:g} each are {one * facts.assets:g} of equity; gross exposure may be {gross:g}"
        yield _never(facts, "risk.limits.max_gross", what, "the positions' own limit keeps new risk below it")


def _fraction_and_money(facts: Facts) -> Iterator[Finding]:
    """The tightest of a fraction and an amount of money wins; which one that is depends on the equity."""
    money, capital = facts.number("risk.limits.max_position_value"), facts.capital
    if money is None or capital is None or money <= 0:
        return
    fraction, name = facts.room, "leverage"
    given = facts.number("risk.limits.max_position")
    if given is not None and given < fraction:
        fraction, name = given, "max_position"
    cap = cap_of(facts)
    if cap is not None and cap[1] < fraction:
        fraction, name = cap[1], cap[0]
    if not 0 < fraction < math.inf:
        return
    needed, remedy = money / fraction, "keep the limit that is meant"
    if money > fraction * capital:
        yield facts.finding(
            "limit-never-binds",
            "warning",
            "risk.limits.max_position_value",
            f"a position may be worth {money:,.10g}, but {name} {fraction:g} of a capital of {capital:,.10g} is {fraction * capital:,.10g}",
            f"the money limit can only bind once equity is above {needed:,.10g}",
            remedy,
        )
    elif given is not None:
        yield facts.finding(
            "tightest-limit",
            "note",
            "risk.limits.max_position_value",
            f"a position may be worth {money:,.10g}, {percent(money / capital)} of the capital; max_position allows {percent(given)}",
            f"the tightest wins: the money limit, until equity falls below {money / given:,.10g}",
            remedy,
        )


def _smaller_than_an_entry(facts: Facts) -> Iterator[Finding]:
    """A limit that cuts every entry is the size, and the sizing is not."""
    one, capital = entry(facts).weight, facts.capital
    limits = [(f"risk.limits.{name}", facts.number(f"risk.limits.{name}")) for name in ("max_position", "max_gross", "max_net")]
    money = facts.number("risk.limits.max_position_value")
    limits.append(("risk.limits.max_position_value", money / capital if money is not None and capital else None))
    for where, limit in limits:
        if one is not None and limit is not None and limit < one * (1.0 - 1e-9):
            yield facts.finding(
                "limit-below-size",
                "warning",
                where,
                f"the sizing asks for about {percent(one)} of equity an entry, the limit allows {percent(limit)}",
                "every full entry is cut: the limit decides the size, not the sizing",
                "ask for a size that fits, or raise the limit",
            )


def _risk_limits(facts: Facts) -> Iterator[Finding]:
    """Heat and loss per trade are measured to the stop; without one the whole position counts."""
    for name in ("max_heat", "max_trade_loss"):
        limit, where = facts.number(f"risk.{name}"), f"risk.{name}"
        if limit is None:
            continue
        one = entry(facts)
        if not facts.has_stop and not _has_brackets(facts):
            yield facts.finding(
                "limit-without-stop",
                "warning",
                where,
                f"{name} is {percent(limit)} of equity, and positions have no stop",
                f"without a stop the whole position counts: each is cut to {percent(limit)} of equity",
                "give stops.hard or stops.trailing, or use risk.limits",
            )
        elif one.loss is not None and limit < one.loss * (1.0 - 1e-9):
            yield facts.finding(
                "limit-below-size",
                "warning",
                where,
                f"a full entry loses about {percent(one.loss)} of equity at its stop, {name} allows {percent(limit)}",
                "every full entry is cut: the limit decides the size, not the sizing",
                "ask for a size that fits, or raise the limit",
            )
    yield from _risk_that_never_binds(facts)


def _has_brackets(facts: Facts) -> bool:
    return facts.inputs is not None and facts.inputs.kind.name == "ORDERS"


def _risk_that_never_binds(facts: Facts) -> Iterator[Finding]:
    heat, trade = facts.number("risk.max_heat"), facts.number("risk.max_trade_loss")
    if heat is not None and trade is not None and heat < trade:
        what = f"a position may lose {percent(trade)} at its stop, all together {percent(heat)}"
        yield _never(facts, "risk.max_trade_loss", what, "heat contains the position itself, so its limit is met first")
    one_loss = entry(facts).loss
    if heat is not None and one_loss is not None and facts.assets is not None and not facts.get("accumulate"):
        together = one_loss * facts.assets
        if heat >= together * (1.0 + 1e-9) and facts.sizes_apply:
            what = f"all positions together may lose {percent(heat)} at their stops; {facts.assets} full entries lose {percent(together)}"
            yield _never(facts, "risk.max_heat", what, "entries alone never reach it; only gains that stand far above their stops can")
            return
    stop = facts.span("hard")
    if stop is None or not stop.fixed:
        return
    gross = min(facts.room, facts.number("risk.limits.max_gross") or facts.room)
    if heat is not None and heat > gross * stop.high:
        what = f"all positions together may lose {percent(heat)} at their stops; a gross exposure of {gross:g} with a stop of "
        why = "entries alone never reach it; only gains that stand far above their stops can"
        yield _never(facts, "risk.max_heat", f"{what}{percent(stop.high)} loses {percent(gross * stop.high)}", why)
    one = min(gross, facts.number("risk.limits.max_position") or gross)
    if trade is not None and trade > one * stop.high:
        what = f"a position may lose {percent(trade)} at its stop; one of {one:g} of equity with a stop of "
        why = "even the largest position stays below it"
        yield _never(facts, "risk.max_trade_loss", f"{what}{percent(stop.high)} loses {percent(one * stop.high)}", why)


RULES = (_gross_and_net, _fraction_and_money, _smaller_than_an_entry, _risk_limits)
