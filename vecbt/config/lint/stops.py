"""Protective exits that can never act, act at once, or are written in a doubtful unit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...data.zones import DAY_NS
from ...risk.stops import Price, Ticks
from .facts import Facts, percent
from .finding import Finding

__all__ = ["RULES", "slip"]


def _trail_before_stop(facts: Facts) -> Iterator[Finding]:
    """A trail armed at entry and not wider than the hard stop leaves that one nothing to do (P2)."""
    hard, trail = facts.distance("hard"), facts.distance("trailing")
    if facts.distance("activation") is not None or hard is None or trail is None:
        return
    if isinstance(hard, float) or type(hard) is not type(trail):
        wide, narrow = facts.span("hard"), facts.span("trailing")
        dead, often = wide is not None and narrow is not None and narrow.high <= wide.low, ""
        if not all(s is None or s.fixed for s in (wide, narrow)):
            often = " on nearly every bar of this data"
    else:
        dead, often = _amount(trail) <= _amount(hard), ""
    if dead:
        yield facts.finding(
            "trail-before-stop",
            "warning",
            "stops.trailing",
            f"the trailing stop {_shown(trail)} is armed at entry and{often} not wider than the hard stop {_shown(hard)}",
            "it always fires first: the hard stop is never used, and every position has the tighter stop from the start",
            "set stops.activation to the gain from which the trail shall count, or make the trail wider than the hard stop",
        )


def _amount(distance: Any) -> float:
    """The number in a distance of ATR or ticks, or a level."""
    return next(float(getattr(distance, name)) for name in ("multiple", "count", "level") if hasattr(distance, name))


def _shown(distance: Any) -> str:
    """`"2 %"`, `"3 atr"`, `"20 ticks"`."""
    unit = {"Atr": "atr", "Ticks": "ticks", "Price": "as a price"}.get(type(distance).__name__)
    return f"{_amount(distance):g} {unit}" if unit else percent(distance)


def _activation_after_target(facts: Facts) -> Iterator[Finding]:
    gain, target = facts.distance("activation"), facts.span("take_profit")
    if isinstance(gain, float) and target is not None and target.high <= gain:
        yield facts.finding(
            "activation-after-target",
            "warning",
            "stops.activation",
            f"the trail waits for a gain of {percent(gain)}, but the target closes the position at {percent(target.middle)}",
            "the position is gone before the trail is armed: the trailing stop can never act",
            "set the activation below the target, or leave one of them out",
        )


def _target_below_costs(facts: Facts) -> Iterator[Finding]:
    target, cost = facts.span("take_profit"), _round_trip(facts)
    if target is not None and cost > 0 and target.middle <= cost:
        yield facts.finding(
            "target-below-costs",
            "warning",
            "stops.take_profit",
            f"the target is {percent(target.middle)} away, and entering and leaving costs about {percent(cost)}",
            "a target that is hit costs more than it earns, unless the price opens beyond it",
            "set a target well beyond the costs, or check the unit of the costs",
        )


def _round_trip(facts: Facts) -> float:
    """Costs of a market entry and an exit at a limit, a fraction of the price; what cannot be known counts 0."""
    rate = facts.number("costs.commission_rate") or 0.0
    maker = facts.number("costs.maker_rate")
    return rate + (rate if maker is None else maker) + slip(facts)


def slip(facts: Facts) -> float:
    """Slippage and half spread of one market fill, a fraction of the price."""
    spread = facts.number("costs.half_spread") or 0.0
    return (facts.number("costs.slippage_bps") or 0.0) * 1e-4 + (spread / facts.price if facts.price else 0.0)


def _stop_inside_spread(facts: Facts) -> Iterator[Finding]:
    once = slip(facts)
    for name in ("hard", "trailing"):
        span = facts.span(name)
        if span is not None and once > 0 and span.middle <= once:
            yield facts.finding(
                "stop-inside-spread",
                "warning",
                f"stops.{name}",
                f"the stop is {percent(span.middle)} from the entry price, which slippage and spread have moved by {percent(once)} already",
                "the level lies at or beyond the market when the position begins: it is closed in the bar of its entry",
                "set a stop that is wider than slippage and spread, or check the unit of both",
            )


def _never_met(facts: Facts) -> Iterator[Finding]:
    for name in ("hard", "trailing"):
        span = facts.span(name)
        if span is not None and span.low >= 1.0:
            yield facts.finding(
                "stop-never-met",
                "warning",
                f"stops.{name}",
                f"the stop is {percent(span.middle)} of the price away",
                "a long position's level is at or below a price of 0, which is never met",
                "check the unit: '3%' is a percentage, 0.03 the same as a fraction, '3 atr' and '3 ticks' are other distances",
            )
        elif isinstance(facts.distance(name), float) and facts.distance(name) >= 0.5:
            yield facts.finding(
                "wide-stop",
                "warning",
                f"stops.{name}",
                f"the stop is {percent(facts.distance(name))} of the price away",
                "half of the price or more is lost before it acts; a bare number is a fraction, 0.5 is 50 %",
                "check the unit",
            )


def _prices(facts: Facts) -> Iterator[Finding]:
    """`price` is one level for all positions, ever."""
    for name in ("hard", "take_profit"):
        level = facts.distance(name)
        if not isinstance(level, Price):
            continue
        where = f"stops.{name}"
        if facts.bars is not None and facts.bars.N > 1:
            yield facts.finding(
                "one-price-for-all",
                "warning",
                where,
                f"the level {level.level:g} is the same for {facts.bars.N} assets",
                "a price suits one asset at one time",
                "use a distance: a percentage, ATR or ticks",
            )
        elif facts.bars is not None and not np.nanmin(facts.bars.low) <= level.level <= np.nanmax(facts.bars.high):
            low, high = np.nanmin(facts.bars.low), np.nanmax(facts.bars.high)
            yield facts.finding(
                "price-never-met",
                "warning",
                where,
                f"the level {level.level:g} lies outside of all prices of this data, {low:g} to {high:g}",
                "it is never met, or lies on the wrong side of every entry",
                "write a percentage as '3%', or use a level inside the prices",
            )


def _ticks(facts: Facts) -> Iterator[Finding]:
    for name in ("hard", "trailing", "take_profit"):
        distance = facts.distance(name)
        if not isinstance(distance, Ticks) or facts.bars is None:
            continue
        without = [s for s, tick in zip(facts.bars.symbols, facts.bars.market.tick, strict=True) if not tick > 0]
        if without:
            yield facts.finding(
                "no-tick",
                "error",
                f"stops.{name}",
                f"the distance is in ticks, but {', '.join(without[:3])}{' …' if len(without) > 3 else ''} has no tick size",
                "without a tick size nobody knows how far 20 ticks are",
                "set data.market.tick, or give the distance in another unit",
            )


def _time_stops(facts: Facts) -> Iterator[Finding]:
    bars, days = facts.count("stops.time_bars"), facts.count("stops.time_days")
    if facts.bars is None:
        return
    if bars is not None and bars >= facts.bars.T:
        yield _too_long(facts, "stops.time_bars", f"{bars} bars, the data has {facts.bars.T}")
    span = int(facts.bars.session[-1] - facts.bars.session[0])
    if days is not None and days > span:
        yield _too_long(facts, "stops.time_days", f"{days} days, the data spans {span}")
    daily = facts.bars.market.bar_ns is not None and facts.bars.market.bar_ns >= DAY_NS
    if bars is not None and days is not None and daily and bars >= days:
        yield facts.finding(
            "time-stop-never",
            "warning",
            "stops.time_bars",
            f"{bars} bars of a day or more are never over before {days} days are",
            "time_days always closes the position first",
            "keep one of time_bars and time_days",
        )


def _too_long(facts: Facts, where: str, what: str) -> Finding:
    why, remedy = "no position can be held that long: it never acts", "shorten it, leave it out, or load more data"
    return facts.finding("time-stop-never", "warning", where, f"the time stop is {what}", why, remedy)


def _atr_window(facts: Facts) -> Iterator[Finding]:
    window = facts.count("stops.atr_window") or 14
    uses = [n for n in ("hard", "trailing", "take_profit") if hasattr(facts.distance(n), "multiple")]
    if facts.given("stops.atr_window") and not uses:
        yield facts.finding(
            "unused-key", "note", "stops.atr_window", "no distance is in ATR", "the window has no effect", "leave it out, or write '2 atr'"
        )
    if uses and facts.bars is not None and window >= facts.bars.T:
        yield facts.finding(
            "window-too-long",
            "error",
            "stops.atr_window" if facts.given("stops.atr_window") else f"stops.{uses[0]}",
            f"the ATR needs {window} bars, the data has {facts.bars.T}",
            "while a stop's ATR is not there new risk is refused: no position is ever opened",
            "load more data, or use a shorter window",
        )


def _intrabar(facts: Facts) -> Iterator[Finding]:
    if facts.get("intrabar") == "optimistic":
        yield facts.finding(
            "optimistic",
            "warning",
            "intrabar",
            "where one bar holds stop and target, the target is taken",
            "a bar does not say which came first: results are an upper bound",
            "use pessimistic, or look at both",
        )


RULES = (
    _trail_before_stop, _activation_after_target, _target_below_costs, _stop_inside_spread, _never_met, _prices, _ticks, _time_stops,
    _atr_window, _intrabar,
)  # fmt: skip
