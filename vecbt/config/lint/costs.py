"""Costs that are zero, never charged, or written in the wrong unit."""

from __future__ import annotations

from collections.abc import Iterator

from .entries import entry
from .facts import Facts, percent
from .finding import Finding

__all__ = ["RULES"]

_COMMISSION = ("commission_rate", "per_unit", "per_order", "minimum", "maker_rate")
_SLIPPAGE = ("slippage_bps", "half_spread", "volume_share")


def _zero(facts: Facts) -> Iterator[Finding]:
    """No silent zero: what is free is said, and read aloud."""
    if not isinstance(facts.get("costs"), dict):
        return
    if facts.get("costs.free") is True:
        yield facts.finding(
            "zero-costs",
            "warning",
            "costs.free",
            "trading costs nothing",
            "a strategy that trades much looks far better than it is",
            "give the commission and slippage you would pay; free suits tests only",
        )
        return
    for keys, name, remedy in (
        (_COMMISSION, "no-commission", "give commission_rate, per_unit, per_order or minimum"),
        (_SLIPPAGE, "no-slippage", "give slippage_bps, half_spread or volume_share"),
    ):
        if not any(facts.number(f"costs.{key}") for key in keys):
            what = "no commission is paid" if name == "no-commission" else "market orders fill exactly at the reference price"
            yield facts.finding(name, "warning", "costs", what, "one half of the costs is silently zero", remedy)


def _units(facts: Facts) -> Iterator[Finding]:
    """Rates are fractions, slippage is in hundredths of a percent: the two are easily confused."""
    rate, bps = facts.number("costs.commission_rate"), facts.number("costs.slippage_bps")
    if rate is not None and rate > 0.02:
        yield _unit(facts, "commission_rate", f"the commission is {percent(rate)} of each fill", "rates are fractions: 0.001 is 10 bps")
    if bps is not None and bps > 500:
        yield _unit(facts, "slippage_bps", f"the slippage is {percent(bps * 1e-4)} of each fill", "5 is five hundredths of a percent")
    if bps is not None and 0 < bps < 0.05:
        yield _unit(facts, "slippage_bps", f"the slippage is {bps:g} bps, {percent(bps * 1e-4)}", "5 bps is 5, not 0.0005")
    spread = facts.number("costs.half_spread")
    if spread is not None and facts.price and spread > 0.02 * facts.price:
        what = f"the half spread is {spread:g}, {percent(spread / facts.price)} of the middle price {facts.price:.6g}"
        yield _unit(facts, "half_spread", what, "it is in units of the price")
    per_unit = facts.number("costs.per_unit")
    if per_unit is not None and facts.price and per_unit > 0.02 * facts.price:
        what = f"a unit costs {per_unit:g}, {percent(per_unit / facts.price)} of the middle price {facts.price:.6g}"
        yield _unit(facts, "per_unit", what, "it is money per unit; commission_rate is a fraction of the notional")


def _unit(facts: Facts, key: str, what: str, unit: str) -> Finding:
    return facts.finding("unit", "warning", f"costs.{key}", what, f"{unit}; this looks like another unit", "check it")


def _never_charged(facts: Facts) -> Iterator[Finding]:
    rate, most = facts.number("costs.commission_rate"), facts.number("costs.maximum_rate")
    if rate is not None and most is not None and most < rate:
        yield facts.finding(
            "limit-below-size",
            "warning",
            "costs.maximum_rate",
            f"at most {percent(most)} of an order is charged, and the rate is {percent(rate)}",
            "the maximum is always charged, the rate never",
            "write the rate that is paid",
        )
    limits = facts.distance("take_profit") is not None or (facts.inputs is not None and facts.inputs.kind.name == "ORDERS")
    for key, used, why in (
        ("maker_rate", limits, "only limit orders pay it, and there are none: no take_profit, no orders of your own"),
        ("volume_window", bool(facts.number("costs.volume_share")), "it is the window of volume_share, which is not given"),
    ):
        if facts.given(f"costs.{key}") and not used:
            yield facts.finding("unused-key", "note", f"costs.{key}", f"{key} has no effect", why, "leave it out")


def _minimum(facts: Facts) -> Iterator[Finding]:
    """A least commission that is a large part of an order."""
    least, per_order = facts.number("costs.minimum") or 0.0, facts.number("costs.per_order") or 0.0
    one, capital = entry(facts).weight, facts.capital
    fee = max(least, per_order)
    if one is None or capital is None or not fee > 0.01 * one * capital:
        return
    key = "minimum" if least >= per_order else "per_order"
    yield facts.finding(
        "costs-above-size",
        "warning",
        f"costs.{key}",
        f"an order costs at least {fee:g}, {percent(fee / (one * capital))} of a full entry of about {one * capital:,.6g}",
        "commission eats more than most strategies earn",
        "raise the capital or the size, or check the unit of the costs",
    )


RULES = (_zero, _units, _never_charged, _minimum)
