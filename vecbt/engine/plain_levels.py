"""Levels of a plain account's only position, and the bar that meets one: the rules of `risk.levels`, walked in numbers.

A house is that of `plain`: rules, stops, asset and account; a tape its prices.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ..core.codes import StopForm
from ..core.jit import kernel, spine, unsigned
from ..core.lanes import choose
from ..risk.levels import exit_of, first_of, is_armed, level_at, raised, rounded_level

__all__ = ["Levels", "first_levels", "guard", "no_levels"]

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
def no_levels():  # type: ignore[no-untyped-def]
    """Those of no position, or of one that nothing protects."""
    return Levels(math.nan, math.nan, 0, math.nan, math.nan, math.nan, 0)


@spine
def first_levels(held, house):  # type: ignore[no-untyped-def]
    """Levels of a position at its fill, as `set_levels` sets them."""
    _, stops, a, _ = house
    if held.units == 0.0 or stops.on == 0:
        return no_levels()
    side, price = 1.0 if held.units > 0.0 else -1.0, held.price
    hard = rounded_level(level_at(stops.hard_form, stops.hard, side, price, math.nan, a.tick, a.scale), side, a.tick)
    target = rounded_level(level_at(stops.target_form, stops.target, -side, price, math.nan, a.tick, a.scale), side, a.tick)
    return _trailed(Levels(price, math.nan, 0, hard, target, math.nan, 0), price, side, house)


@kernel
def _trailed(levels, price, side, house):  # type: ignore[no-untyped-def]
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


@spine
def guard(t, stop, units, levels, tape, house):  # type: ignore[no-untyped-def]
    """T5 bar by bar: the first bar that takes the position out, `stop` if none does, the levels then, the reason, and the price."""
    rules, stops, a, _ = house
    side = 1.0 if units > 0.0 else -1.0
    price, moves = levels.top, stops.trail_form != 0
    simple = moves and stops.trail_form == _FRACTION and a.tick <= 0.0
    bar = t
    while bar < stop:
        if simple and levels.armed == 1:
            bar, levels = _trail(bar, stop, levels, stops.trail, tape) if side > 0.0 else _trail_short(bar, stop, levels, stops.trail, tape)
            if bar == stop:
                break
        below, above = _limits(levels, side)
        high, low = tape.highs[unsigned(bar)], tape.lows[unsigned(bar)]
        if low <= below or high >= above:
            prices = tape.opens[unsigned(bar)], high, low
            ref, reason = exit_of(prices, (levels.stop, levels.target, levels.trailing), side, rules.through, rules.optimistic)
            if reason != 0:
                return bar, levels, reason, ref
        if moves:
            top = raised(levels.top, side, high, low)
            if top != levels.top:
                moved = Levels(top, levels.trail, levels.armed, levels.hard, levels.target, levels.stop, levels.trailing)
                levels = _trailed(moved, price, side, house)
        bar += 1
    return stop, levels, 0, 0.0


@spine
def _trail(t, stop, levels, share, tape):  # type: ignore[no-untyped-def]
    """The first bar that may take a long position out, `stop` if none does, and the levels before it: `_trailed`, without jumps.

    The trail follows from the start, a `share` of the best price below it, and no tick rounds it.
    """
    top, trail, bar = levels.top, levels.trail, t
    hard = choose(levels.hard == levels.hard, levels.hard, -math.inf)
    goal = choose(levels.target == levels.target, levels.target, math.inf)
    while bar < stop:
        high = tape.highs[unsigned(bar)]
        if (tape.lows[unsigned(bar)] <= choose(trail > hard, trail, hard)) | (high >= goal):
            break
        top = choose(high > top, high, top)
        level = level_at(_FRACTION, share, 1.0, top, math.nan, 0.0, 1.0)
        trail = choose(level > trail, level, trail)
        bar += 1
    return bar, _with_trail(levels, top, trail, 1.0)


@spine
def _trail_short(t, stop, levels, share, tape):  # type: ignore[no-untyped-def]
    """The same of a short position."""
    top, trail, bar = levels.top, levels.trail, t
    hard = choose(levels.hard == levels.hard, levels.hard, math.inf)
    goal = choose(levels.target == levels.target, levels.target, -math.inf)
    while bar < stop:
        low = tape.lows[unsigned(bar)]
        if (tape.highs[unsigned(bar)] >= choose(trail < hard, trail, hard)) | (low <= goal):
            break
        top = choose(low < top, low, top)
        level = level_at(_FRACTION, share, -1.0, top, math.nan, 0.0, 1.0)
        trail = choose(level < trail, level, trail)
        bar += 1
    return bar, _with_trail(levels, top, trail, -1.0)


@spine
def _with_trail(levels, top, trail, side):  # type: ignore[no-untyped-def]
    stop, trailing = first_of(levels.hard, trail, side)
    return Levels(top, trail, levels.armed, levels.hard, levels.target, stop, trailing)


@spine
def _limits(levels, side):  # type: ignore[no-untyped-def]
    """The prices that a bar may not reach, below and above, for there to be no exit (P3, P4); NaN: none."""
    return (levels.stop, levels.target) if side > 0.0 else (levels.target, levels.stop)
