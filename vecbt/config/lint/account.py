"""Leverage, margin, carry, deposits: what liquidates at once, what is free, what never happens."""

from __future__ import annotations

from collections.abc import Iterator

from ...data.labels import time_label
from ...errors import VecbtError
from .entries import entry
from .facts import Facts, percent
from .finding import Finding

__all__ = ["RULES"]


def _maintenance(facts: Facts) -> float:
    given = facts.number("account.maintenance")
    return 0.25 if given is None else given


def _to_margin(facts: Facts) -> float | None:
    """The fall of the price that is a margin call (F13) when the leverage is used up (F4); None without leverage of the account's own."""
    lever, least = facts.leverage, _maintenance(facts)
    if lever <= 1 or not 0 <= least < 1 or facts.room != lever or facts.given("data.market.maintenance_margin"):
        return None
    return (1.0 - least * lever) / (lever * (1.0 - least))


def _margin_at_once(facts: Facts) -> Iterator[Finding]:
    fall, lever, least = _to_margin(facts), facts.leverage, _maintenance(facts)
    if fall is None or fall > 0.02:
        return
    where = "account.leverage" if facts.given("account.leverage") else "account.maintenance"
    share = f"at a leverage of {lever:g} equity is {percent(1.0 / lever)} of gross exposure, and maintenance asks for {percent(least)}"
    yield facts.finding(
        "margin-at-once",
        "error" if fall < -1e-9 else "warning",
        where,
        share if fall < 1e-9 else f"{share}: a fall of {percent(fall)} is a margin call",
        "an account that uses its leverage is liquidated in the bar of its entry, or soon after",
        f"keep leverage well below {1.0 / least:g}, or lower the maintenance",
    )


def _before_margin(facts: Facts) -> Iterator[Finding]:
    """What should act before a margin call does."""
    fall, lever = _to_margin(facts), facts.leverage
    if fall is None or fall <= 0 or not _uses(facts):
        return
    stop, halt = facts.span("hard"), facts.number("risk.zones.liquidate_at") if facts.on("risk.zones") else None
    if stop is not None and stop.low >= fall:
        yield facts.finding(
            "margin-before-stop",
            "warning",
            "stops.hard",
            f"fully levered, a fall of {percent(fall)} is a margin call; the hard stop is {percent(stop.middle)} away",
            "the account is liquidated before the stop is met: it can hardly act",
            "set a nearer stop, or less leverage",
        )
    if halt is not None and halt >= lever * fall:
        yield facts.finding(
            "limit-never-binds",
            "warning",
            "risk.zones.liquidate_at",
            f"fully levered, a drawdown of {percent(lever * fall)} is a margin call; liquidate_at is {percent(halt)}",
            "the margin call closes everything before",
            "set a lower liquidate_at, or less leverage",
        )


def _uses(facts: Facts) -> bool:
    """Whether the leverage can be used up: every asset at its full size, as far as that is known."""
    one = entry(facts).weight
    return one is None or facts.assets is None or one * facts.assets >= facts.leverage * (1.0 - 1e-9)


def _unused_leverage(facts: Facts) -> Iterator[Finding]:
    one, gross = entry(facts).weight, facts.number("risk.limits.max_gross")
    reach = one * facts.assets if one is not None and facts.assets is not None and not facts.get("accumulate") else None
    if facts.leverage > 1 and reach is not None and reach < 1.0 + 1e-9 and facts.sizes_apply:
        yield facts.finding(
            "limit-never-binds",
            "note",
            "account.leverage",
            f"leverage is {facts.leverage:g}, but all entries together ask for {percent(reach)} of equity",
            "nothing is ever borrowed",
            "ask for larger positions, or leave leverage out",
        )
    elif facts.leverage > 1 and gross is not None and gross <= 1.0:
        yield facts.finding(
            "limit-never-binds",
            "note",
            "account.leverage",
            f"leverage is {facts.leverage:g}, but gross exposure may be {gross:g} of equity",
            "nothing is ever borrowed",
            "raise risk.limits.max_gross, or leave leverage out",
        )
    if facts.given("account.maintenance") and facts.leverage == 1 and facts.get("direction") == "long" and _maintenance(facts) <= 1:
        yield facts.finding(
            "limit-never-binds",
            "note",
            "account.maintenance",
            "without leverage and short positions equity is never below gross exposure",
            "there is never a margin call",
            "leave it out",
        )


def _carry(facts: Facts) -> Iterator[Finding]:
    interest, borrow = facts.number("carry.interest_rate"), facts.value("carry.borrow_rate")
    if facts.leverage > 1 and not interest and _pays_in_full(facts):
        yield facts.finding(
            "free-money",
            "warning",
            "carry.interest_rate" if facts.given("carry.interest_rate") else "account.leverage",
            f"leverage is {facts.leverage:g}, and borrowed cash costs no interest",
            "a levered result without interest is too good",
            "set carry.interest_rate, a fraction a year such as 0.05",
        )
    if interest and facts.leverage == 1 and facts.get("weights_of") != "gross":
        yield facts.finding(
            "unused-key",
            "note",
            "carry.interest_rate",
            "without leverage cash is hardly ever negative",
            "interest is not charged",
            "set account.leverage, or leave it out",
        )
    shorts = _shorts(facts)
    if shorts and not borrow and _pays_in_full(facts):
        yield facts.finding(
            "free-money",
            "warning" if facts.inputs is not None else "note",
            "carry.borrow_rate" if facts.given("carry.borrow_rate") else "carry",
            "positions are sold short, and borrowing them costs nothing",
            "a short result without borrow is too good",
            "set carry.borrow_rate, a fraction a year such as 0.01",
        )
    if borrow and shorts is False:
        yield facts.finding(
            "unused-key", "note", "carry.borrow_rate", "nothing is ever sold short", "borrow is not charged", "leave it out"
        )


def _pays_in_full(facts: Facts) -> bool:
    """Whether something is a cash instrument: contracts pay no borrow and take no loan."""
    kinds = facts.bars.market.instrument if facts.bars is not None else (facts.get("data.market.instrument") or "cash",)
    return "cash" in tuple(kinds)


def _shorts(facts: Facts) -> bool | None:
    """Whether shorts are held: None when that is not known."""
    if facts.get("direction") == "long":
        return False
    if facts.inputs is None:
        return True if facts.get("direction") == "short" else None
    if facts.inputs.flags is not None:
        return bool((facts.inputs.flags & 4).any())
    if facts.inputs.values is not None:
        return bool((facts.inputs.values < 0).any())
    return None


def _flows(facts: Facts) -> Iterator[Finding]:
    flows, capital = facts.get("account.flows"), facts.capital
    if not isinstance(flows, dict):
        return
    amounts = {time: v for time, v in flows.items() if isinstance(v, int | float) and not isinstance(v, bool)}
    paid_out = -sum(v for v in amounts.values() if v < 0)
    paid_in = sum(v for v in amounts.values() if v > 0)
    if capital is not None and paid_out > capital + paid_in:
        yield facts.finding(
            "flows",
            "warning",
            "account.flows",
            f"{paid_out:,.10g} is withdrawn in all, {capital + paid_in:,.10g} was ever paid in",
            "a withdrawal takes at most the free equity; what it cannot take is given up",
            "check the amounts and their signs: deposits are positive",
        )
    for time, amount in amounts.items():
        place = ("account", "flows", time)
        if amount == 0 or (capital is not None and 0 < abs(amount) < 1e-4 * capital):
            yield facts.finding(
                "unit", "warning", place, f"the amount is {amount:g}", "flows are money, not fractions of equity", "check the unit"
            )
        label = _label(time)
        if facts.bars is not None and label is not None and label < facts.bars.index[0]:
            yield facts.finding("flows", "note", place, f"{time} lies before the data", "it is booked on the first bar", "check the date")


def _label(time: object) -> int | None:
    try:
        return time_label(time, "flows")
    except VecbtError:
        return None


def _capital(facts: Facts) -> Iterator[Finding]:
    capital = facts.capital
    if capital is not None and 0 < capital <= 10:
        yield facts.finding(
            "unit",
            "warning",
            "account.initial_capital",
            f"the account starts with {capital:g}",
            "capital is money; with so little, lots, least commissions and limits in money decide everything",
            "write the amount of money",
        )


def _participation(facts: Facts) -> Iterator[Finding]:
    part = facts.number("max_participation")
    if part is not None and 0.2 < part <= 1:
        yield facts.finding(
            "participation",
            "warning" if part > 0.5 else "note",
            "max_participation",
            f"orders may be {percent(part)} of a bar's volume",
            "who trades so much of a market moves it; slippage that does not know the size is too low",
            "use a smaller part, and costs.volume_share",
        )
    if facts.given("participation_rest") and part is None:
        yield facts.finding(
            "unused-key",
            "note",
            "participation_rest",
            "max_participation is not given",
            "nothing is left over",
            "set max_participation, or leave it out",
        )
    if facts.bars is not None and part is not None and not facts.bars.has_volume:
        yield facts.finding(
            "no-volume",
            "error",
            "max_participation",
            "the data has no volume column",
            "a part of an unknown volume is unknown",
            "load bars with volume, or leave it out",
        )


RULES = (_margin_at_once, _before_margin, _unused_leverage, _carry, _flows, _capital, _participation)
