"""Levels of a plain account's only position, and the bar that meets one: the rules of `risk.levels`, walked in numbers.

A house is that of `plain`: rules, stops, asset and account; a tape its prices.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..core.codes import StopForm
from ..core.jit import kernel, spine, unsigned
from ..core.lanes import LANES, choose, lane_of, lanes_from, lanes_of, lanes_to
from ..risk.levels import exit_of, first_of, is_armed, level_at, raised, rounded_level

__all__ = ["Levels", "Purse", "first_levels", "fixed_levels", "guard", "is_carried", "is_steady", "trailed"]

_FRACTION = int(StopForm.FRACTION)


class Levels(NamedTuple):
    """Protective levels (P1 to P3): best price so far, trail before rounding, hard stop, target; what protects, and if it trails."""

    top: float
    trail: float
    armed: int
    hard: float
    target: float
    stop: float
    trailing: int


@spine
def _no_levels():  # type: ignore[no-untyped-def]
    """Those of no position, or of one that nothing protects."""
    return Levels(math.nan, math.nan, 0, math.nan, math.nan, math.nan, 0)


@spine
def first_levels(held, house):  # type: ignore[no-untyped-def]
    """Levels of a position at its fill, as `set_levels` sets them."""
    _, stops, _, _ = house
    if held.units == 0.0 or stops.on == 0:
        return _no_levels()
    side, price = 1.0 if held.units > 0.0 else -1.0, held.price
    hard, target = fixed_levels(price, side, house)
    return trailed(Levels(price, math.nan, 0, hard, target, math.nan, 0), price, side, house)


@spine
def fixed_levels(price, side, house):  # type: ignore[no-untyped-def]
    """Hard stop and target of a fill."""
    _, stops, a, _ = house
    hard = rounded_level(level_at(stops.hard_form, stops.hard, side, price, math.nan, a.tick, a.scale), side, a.tick)
    target = rounded_level(level_at(stops.target_form, stops.target, -side, price, math.nan, a.tick, a.scale), side, a.tick)
    return hard, target


@kernel
def trailed(levels, price, side, house):  # type: ignore[no-untyped-def]
    """The levels after the best price has moved, as `set_levels` sets them; `price` is that of the fill."""
    _, stops, a, _ = house
    trail, armed = levels.trail, levels.armed
    if stops.trail_form != 0:
        if armed == 0 and is_armed(levels.top, price, side, stops.activation):
            armed = 1
        if armed == 1:
            level = level_at(stops.trail_form, stops.trail, side, levels.top, math.nan, a.tick, 1.0)
            if math.isnan(trail) or (level - trail) * side > 0.0:
                trail = level
    stop, trailing = first_of(levels.hard, rounded_level(trail, side, a.tick), side)
    return Levels(levels.top, trail, armed, levels.hard, levels.target, stop, trailing)


class Purse(NamedTuple):
    """What carries a position: the account's cash, units times the multiplier, F13's rate and line, and where the equity goes, (T,)."""

    cash: float
    amount: float
    rate: float
    line: float
    equity: np.ndarray


@spine
def is_carried(purse, close):  # type: ignore[no-untyped-def]
    """F13 at a close."""
    money = purse.amount * close
    worth = purse.cash + money
    return not ((worth < purse.rate * abs(money)) | (worth <= purse.line))


@spine
def is_steady(purse, a):  # type: ignore[no-untyped-def]
    """Whether the worst close of some bars alone decides whether the account carries the position through all of them.

    Where no price is negative: what a short is worth falls as its margin rises, and a long that is paid for is worth its own money at
    least, of which the margin is a part. So it is in floats, too: each operation keeps the order of what it is given.
    """
    return a.floor >= 0.0 and (purse.amount < 0.0 or purse.cash >= 0.0)


@spine
def guard(span, levels, purse, tape, house):  # type: ignore[no-untyped-def]
    """T5 and T6 bar by bar, up to the first bar that takes the position out, `stop` if none does; `levels` are those of its fill.

    Returns that bar, the reason and the price of the exit, and False where the account does not carry the position.
    """
    bar, stop = span
    rules, stops, a, _ = house
    side, price, moves, steady = 1.0 if purse.amount > 0.0 else -1.0, levels.top, stops.trail_form != 0, is_steady(purse, a)
    trails, stays, fine = moves and stops.trail_form == _FRACTION and a.tick <= 0.0 and steady, not moves and steady, True
    worst = side * math.inf
    while bar < stop:
        if stays:
            bar, worst = _watch((bar, stop), _limits(levels, side), purse, worst, tape)
        elif trails and levels.armed == 1:
            if side > 0.0:
                bar, worst, levels = _trail((bar, stop), levels, purse, (stops.trail, worst), tape)
            else:
                bar, worst, levels = _trail_short((bar, stop), levels, purse, (stops.trail, worst), tape)
        if bar == stop:
            break
        below, above = _limits(levels, side)
        high, low, close = tape.highs[unsigned(bar)], tape.lows[unsigned(bar)], tape.closes[unsigned(bar)]
        if low <= below or high >= above:
            prices = tape.opens[unsigned(bar)], high, low
            ref, reason = exit_of(prices, (levels.stop, levels.target, levels.trailing), side, rules.through, rules.optimistic)
            if reason != 0:
                return bar, reason, ref, fine and (abs(worst) == math.inf or is_carried(purse, worst))
        if moves:
            top = raised(levels.top, side, high, low)
            if top != levels.top:
                moved = Levels(top, levels.trail, levels.armed, levels.hard, levels.target, levels.stop, levels.trailing)
                levels = trailed(moved, price, side, house)
        fine = fine and is_carried(purse, close)
        purse.equity[unsigned(bar)] = purse.cash + purse.amount * close
        bar += 1
    return stop, 0, 0.0, fine and (abs(worst) == math.inf or is_carried(purse, worst))


@spine
def _watch(span, limits, purse, worst, tape):  # type: ignore[no-untyped-def]
    """The first bar that may take a position out whose levels stay where they are, `stop` if none does; and the worst close before it."""
    bar, stop = span
    below = choose(limits[0] == limits[0], limits[0], -math.inf)
    above = choose(limits[1] == limits[1], limits[1], math.inf)
    least, most, low, high = worst, worst, lanes_of(worst), lanes_of(worst)
    while bar < stop:
        if bar + LANES <= stop and (tape.bottoms[unsigned(bar)] > below) & (tape.tops[unsigned(bar)] < above):
            close = _four_worths(bar, purse, tape)
            low, high = choose(close < low, close, low), choose(close > high, close, high)
            bar += LANES
            continue
        if (tape.lows[unsigned(bar)] <= below) | (tape.highs[unsigned(bar)] >= above):
            break
        close = tape.closes[unsigned(bar)]
        purse.equity[unsigned(bar)] = purse.cash + purse.amount * close
        least, most = choose(close < least, close, least), choose(close > most, close, most)
        bar += 1
    for k in range(LANES):
        least, most = min(least, lane_of(low, k)), max(most, lane_of(high, k))
    return bar, choose(purse.amount > 0.0, least, most)


@spine
def _four_worths(bar, purse, tape):  # type: ignore[no-untyped-def]
    """T6 of as many bars as there are lanes; their closes."""
    close = lanes_from(tape.closes, bar)
    lanes_to(purse.equity, bar, close * purse.amount + purse.cash)
    return close


@spine
def _trail(span, levels, purse, past, tape):  # type: ignore[no-untyped-def]
    """The same of a long position with a trail, and the levels before that bar: `trailed`, without jumps.

    The trail follows from the start, a `share` of the best price below it, and no tick rounds it.
    """
    bar, stop = span
    share, worst = past
    top, trail = levels.top, levels.trail
    hard = choose(levels.hard == levels.hard, levels.hard, -math.inf)
    goal = choose(levels.target == levels.target, levels.target, math.inf)
    while bar < stop:
        high = tape.highs[unsigned(bar)]
        if (tape.lows[unsigned(bar)] <= choose(trail > hard, trail, hard)) | (high >= goal):
            break
        top = choose(high > top, high, top)
        level = level_at(_FRACTION, share, 1.0, top, math.nan, 0.0, 1.0)
        trail = choose(level > trail, level, trail)
        close = tape.closes[unsigned(bar)]
        purse.equity[unsigned(bar)] = purse.cash + purse.amount * close
        worst = choose(close < worst, close, worst)
        bar += 1
    return bar, worst, _with_trail(levels, top, trail, 1.0)


@spine
def _trail_short(span, levels, purse, past, tape):  # type: ignore[no-untyped-def]
    """The same of a short position."""
    bar, stop = span
    share, worst = past
    top, trail = levels.top, levels.trail
    hard = choose(levels.hard == levels.hard, levels.hard, math.inf)
    goal = choose(levels.target == levels.target, levels.target, -math.inf)
    while bar < stop:
        low = tape.lows[unsigned(bar)]
        if (tape.highs[unsigned(bar)] >= choose(trail < hard, trail, hard)) | (low <= goal):
            break
        top = choose(low < top, low, top)
        level = level_at(_FRACTION, share, -1.0, top, math.nan, 0.0, 1.0)
        trail = choose(level < trail, level, trail)
        close = tape.closes[unsigned(bar)]
        purse.equity[unsigned(bar)] = purse.cash + purse.amount * close
        worst = choose(close > worst, close, worst)
        bar += 1
    return bar, worst, _with_trail(levels, top, trail, -1.0)


@spine
def _with_trail(levels, top, trail, side):  # type: ignore[no-untyped-def]
    stop, trailing = first_of(levels.hard, trail, side)
    return Levels(top, trail, levels.armed, levels.hard, levels.target, stop, trailing)


@spine
def _limits(levels, side):  # type: ignore[no-untyped-def]
    """The prices that a bar may not reach, below and above, for there to be no exit (P3, P4); NaN: none."""
    return (levels.stop, levels.target) if side > 0.0 else (levels.target, levels.stop)
