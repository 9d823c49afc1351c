"""First bars that meet a level, remembered: sets whose levels are the same ask for them again and again.

What meets a level depends on the price of the fill and on the bars after it, not on what an account holds, so what one set has found serves
all others. Each answer stands with the price that it was found for, and after another price it is looked for anew: what makes the price of
a fill need not be known here, but sets whose fills differ do better with columns of their own.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..core.jit import kernel, spine, unsigned
from ..core.lanes import LANES, choose
from ..risk.levels import exit_of, first_of, raised
from .plain_levels import Levels, fixed_levels, trailed

__all__ = ["FIELDS", "Known", "first_exit"]

FIELDS = 3
"""Numbers of an answer: the price of the fill, 0 where nothing is known; the level, of a trail where it is met; the first bar that meets
it, or, below 0, the bar before which none does, infinity where none does at all. No position is watched in bar 0."""

_PRICE, _LEVEL, _BAR = 0, 1, 2
_HARD, _TRAIL, _TARGET = 0, 1, 2
_LEAST = 64  # bars that are looked through at once


class Known(NamedTuple):
    """Answers (T, 2, K, FIELDS) of each first bar after a fill, long and short fills, and each level; none where T is 0.

    `hard`, `trail` and `target` are the columns of a set's levels, -1 where one is off.
    """

    answers: np.ndarray
    hard: int
    trail: int
    target: int


@spine
def first_exit(span, held, tape, house):  # type: ignore[no-untyped-def]
    """T5 of a position filled just before the span: the bar that takes it out, the end of the span if none does, reason and price.

    The bar is -1 where that has to be found bar by bar: the first that meets a level does not take the position out.
    """
    rules, _, _, _ = house
    begin, stop = span
    side = 1.0 if held.units > 0.0 else -1.0
    known, end, fill = tape.known, float(stop), (held.price, side)
    hard, at_hard = _answer(_HARD, (begin, known.hard), end, fill, tape, house)
    trail, at_trail = _answer(_TRAIL, (begin, known.trail), end, fill, tape, house)
    target, at_target = _answer(_TARGET, (begin, known.target), end, fill, tape, house)
    first = choose(at_hard < at_trail, at_hard, at_trail)
    first = choose(at_target < first, at_target, first)
    if not first < end:
        return stop, 0, 0.0
    bar = int(first)
    # a trail that is not met is below the low, wherever it is
    level, trailing = first_of(hard, choose(at_trail == first, trail, math.nan), side)
    prices = tape.opens[unsigned(bar)], tape.highs[unsigned(bar)], tape.lows[unsigned(bar)]
    ref, reason = exit_of(prices, (level, target, trailing), side, rules.through, rules.optimistic)
    return bar if reason != 0 else -1, reason, ref


@spine
def _answer(kind, place, end, fill, tape, house):  # type: ignore[no-untyped-def]
    """A level and the first bar that meets it, which counts where it is before `end`."""
    begin, column = place
    if column < 0:
        return math.nan, math.inf
    answers, (price, side) = tape.known.answers, fill
    t, k, s = unsigned(begin), unsigned(column), unsigned(choose(side > 0.0, 0, 1))
    bar = answers[t, s, k, _BAR]
    if answers[t, s, k, _PRICE] != price or (bar <= 0.0 and bar > -end):
        _look(kind, place, end, fill, tape, house)
        bar = answers[t, s, k, _BAR]
    return answers[t, s, k, _LEVEL], choose(bar > 0.0, bar, math.inf)


@kernel
def _look(kind, place, end, fill, tape, house):  # type: ignore[no-untyped-def]
    """Looks for an answer, through twice as many bars as before where that was not enough."""
    begin, column = place
    price, side = fill
    answer, count = tape.known.answers[begin, 0 if side > 0.0 else 1, column], tape.highs.shape[0]
    before = -int(answer[_BAR]) - begin if answer[_PRICE] == price else 0
    stop = min(count, max(int(end), begin + max(_LEAST, 2 * before)))
    if kind == _TRAIL:
        bar, level = _meets_trail((begin, stop), fill, tape, house)
    else:
        hard, target = fixed_levels(price, side, house)
        level = hard if kind == _HARD else target
        bar = _falls_to((begin, stop), level, tape) if (kind == _HARD) == (side > 0.0) else _rises_to((begin, stop), level, tape)
    answer[_PRICE] = price
    answer[_LEVEL] = level
    answer[_BAR] = float(bar) if bar < stop else -math.inf if stop == count else -float(stop)


@kernel
def _falls_to(span, level, tape):  # type: ignore[no-untyped-def]
    """The first bar whose low meets a level, the end of the span if none does."""
    bar, stop = span
    while bar < stop:
        if bar + LANES <= stop and tape.bottoms[unsigned(bar)] > level:
            bar += LANES
        elif tape.lows[unsigned(bar)] <= level:
            break
        else:
            bar += 1
    return bar


@kernel
def _rises_to(span, level, tape):  # type: ignore[no-untyped-def]
    """The first bar whose high meets a level, the end of the span if none does."""
    bar, stop = span
    while bar < stop:
        if bar + LANES <= stop and tape.tops[unsigned(bar)] < level:
            bar += LANES
        elif tape.highs[unsigned(bar)] >= level:
            break
        else:
            bar += 1
    return bar


@kernel
def _meets_trail(span, fill, tape, house):  # type: ignore[no-untyped-def]
    """The first bar that meets a trailing stop, the end of the span if none does; and the stop there."""
    bar, stop = span
    price, side = fill
    levels = trailed(Levels(price, math.nan, 0, math.nan, math.nan, math.nan, 0), price, side, house)
    while bar < stop:
        high, low = tape.highs[unsigned(bar)], tape.lows[unsigned(bar)]
        if (low <= levels.stop) if side > 0.0 else (high >= levels.stop):
            break
        top = raised(levels.top, side, high, low)
        if top != levels.top:
            moved = Levels(top, levels.trail, levels.armed, math.nan, math.nan, levels.stop, levels.trailing)
            levels = trailed(moved, price, side, house)
        bar += 1
    return bar, levels.stop
