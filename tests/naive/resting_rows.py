"""What a row of `Orders` holds (O6), orders and cancels as a user writes them; and where an order meets a bar (O1, O2)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from .numbers import Watch, round_level
from .scenario import Bracket, Number

__all__ = ["Ask", "Cancel", "Meeting", "Prices", "Range", "meet", "on_grid"]


@dataclass
class Ask:
    """One order of a row. Prices are those a strategy reads (T9); `until` is the number of the bar whose label is the deadline."""

    asset: int
    quantity: Number
    kind: str = "market"  # market, limit, stop, stop_limit, trailing
    limit: Number | None = None
    stop: Number | None = None
    trail: Number | None = None
    trail_by: Number | None = None
    tif: str = "gtc"  # gtc, day, gtd, ioc, fok
    until: int | None = None
    reduce_only: bool = False
    priority: Number = 1
    tag: int = 0
    bracket: Bracket | None = None


@dataclass
class Cancel:
    """Ends the asset's waiting orders with this tag; None is all of them."""

    asset: int
    tag: int | None = None


@dataclass
class Range:
    """A bar, and how touches are judged in it. `spoilt` says that an order's own price is no number floats hold."""

    open: Fraction
    high: Fraction
    low: Fraction
    close: Fraction
    watch: Watch
    through: bool = False
    spoilt: bool = False


@dataclass
class Prices:
    """What an order waits for in this bar, on the tick grid; neither for a trail whose asset has had no market yet."""

    limit: Fraction | None
    stop: Fraction | None


@dataclass
class Meeting:
    """Where an order fills: `ref`, and what is known of the bar's order of events.

    `where` is open, limit (came down to it, for a buy), stop (went up through it) or late: a stop-limit that triggered inside the bar and
    filled at its limit afterwards. A stop's price slips, a limit's does not.
    """

    ref: Fraction
    where: str
    maker: bool


def on_grid(price: Fraction, tick: Fraction, side: int, watch: Watch) -> Fraction:
    """F5: limits away from the market and stops toward it, which is down for both of a buy's and up for a sale's."""
    return round_level(price, tick, -side, watch)


def _at_most(bar: Range, a: Fraction, b: Fraction, strict: bool = False) -> bool:
    if strict:
        return not bar.watch.at_most(b, a, "limit", spoilt=bar.spoilt)
    return bar.watch.at_most(a, b, "touch", spoilt=bar.spoilt)


def meet(prices: Prices, side: int, bar: Range, open_only: bool) -> tuple[Meeting | None, bool]:
    """O1 and O2 for a buy, or for a sale by mirrored signs; and whether a stop of it has traded. `open_only`: IOC and FOK."""
    o, c = side * bar.open, side * bar.close
    high, low = (bar.high, bar.low) if side > 0 else (-bar.low, -bar.high)
    limit = None if prices.limit is None else side * prices.limit
    if prices.stop is None:
        return (None if limit is None else _meet_limit(limit, o, low, side, bar, open_only)), False
    stop = side * prices.stop
    if _at_most(bar, stop, o):  # triggered at the open
        if limit is None:
            return Meeting(bar.open, "open", maker=False), True
        return _meet_limit(limit, o, low, side, bar, open_only), True
    if open_only or not _at_most(bar, stop, high):
        return None, False
    if limit is None:
        return Meeting(prices.stop, "stop", maker=False), True
    if _at_most(bar, stop, limit, strict=bar.through):
        return Meeting(prices.stop, "stop", maker=True), True
    if _at_most(bar, c, limit, strict=bar.through):
        return Meeting(side * limit, "late", maker=True), True
    return None, True


def _meet_limit(limit: Fraction, o: Fraction, low: Fraction, side: int, bar: Range, open_only: bool) -> Meeting | None:
    """O1: at the open if that is good enough, else at the limit if the bar comes to it."""
    if _at_most(bar, o, limit, strict=bar.through):
        return Meeting(bar.open, "open", maker=True)
    if not open_only and _at_most(bar, low, limit, strict=bar.through):
        return Meeting(side * limit, "limit", maker=True)
    return None
