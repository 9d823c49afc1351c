"""Stretches of an account with few assets, with every rule in force: nothing is said, nothing waits, and no price comes to a level.

The records are reached once an asset and stretch: first it is found where the stretch ends, then what each position is worth at its closes
is added up bar by bar, the account judges each bar, and the records follow. Additions are in the order of the step, and the rules are those
of `marks`, `before` and the protective levels (P), which a stream follows bar by bar; the parity certificate compares the bytes of both.
"""

from __future__ import annotations

import math

from ..core.codes import StopForm
from ..core.jit import spine, unsigned
from ..risk.levels import limits_of, move_levels, raised, trails
from .account import extremes
from .before import begin_day
from .calm import at_peace, end_calm, is_trouble, skip_to
from .lone import AHEAD
from .marks import margin_of

__all__ = ["few_bars"]

_BY_ATR = int(StopForm.ATR)
_SHORT = 2
"""Bars that make a stretch worth its preparation."""


@spine
def few_bars(t, stop, desk, laws, terms, row, course):  # type: ignore[no-untyped-def]
    """Bars from `t` on of the only account, as far as nothing can happen in them but marks; returns the bar that comes after them.

    Nothing is said before `stop`. `row` is any row of the batch.
    """
    rules, stops, zones = laws
    _, count, acct, assets = desk
    timed = stops.time_bars > 0 or stops.time_days > 0
    if acct.bars == 0 or rules.looks_always == 1 or timed or not at_peace(acct, rules):
        return t
    end = _without_event(t, min(stop, t + AHEAD), _pays_for_days(desk, terms), acct.day, course)
    for n in range(count):
        a = assets[unsigned(n)]
        if a.q != 0.0 and end - t >= _SHORT:
            end = _until_level(t, end, n, count, (a, stops), row) if _is_plain(a, stops) else t
    if end - t < _SHORT:
        return t
    for bar in range(t, end):
        course.equity[unsigned(bar)] = 0.0  # what is held is worth, for now
        course.cash[unsigned(bar)] = 0.0  # the margin it must keep
    for n in range(count):
        a = assets[unsigned(n)]
        if a.q != 0.0:
            _add_worth(t, end, n, count, (a, rules.maintenance), row, course)
    bar = t
    while bar < end:
        sums = course.equity[unsigned(bar)], course.cash[unsigned(bar)]
        if is_trouble(acct, zones, acct.cash + sums[0], sums[1]):
            break  # the step takes this bar, from its start
        if terms is not None:
            acct.day = course.day[unsigned(bar)]
            begin_day(acct)
        end_calm(acct, sums, rules, zones, terms, bar, course)
        bar += 1
    if bar > t:
        for n in range(count):
            _follow(t, bar, n, count, (assets[unsigned(n)], stops), row)
        if course.flow.shape[0] > 0:
            acct.flow = 0.0
        if terms is not None:
            acct.paid = 0.0
        skip_to(bar, t, acct, course)
    return bar


@spine
def _pays_for_days(desk, terms):  # type: ignore[no-untyped-def]
    """Whether a new session costs carry (T2)."""
    if terms is None:
        return False
    pays = terms.interest_rate > 0.0 and desk.acct.cash < 0.0
    for n in range(desk.lo, desk.hi):
        a = desk.assets[unsigned(n)]
        pays = pays or (a.q < 0.0 and a.borrow_rate > 0.0)
    return pays


@spine
def _without_event(t, stop, counts_days, day, course):  # type: ignore[no-untyped-def]
    """The first bar from `t` on with an event or a deposit, or of another session where that costs, or `stop`."""
    for bar in range(t, stop):
        place = unsigned(bar)
        if course.eventful[place] != 0 or (counts_days and course.day[place] != day):
            return bar
        if course.flow.shape[0] > 0:
            if course.flow[place] != 0.0:
                return bar
    return stop


@spine
def _is_plain(a, stops):  # type: ignore[no-untyped-def]
    """Whether the position pays in full (F12), and its levels stay while its best price does."""
    if a.kind != 0:
        return False
    if stops.uses_atr == 0:
        return True
    return stops.trail_form != _BY_ATR and not math.isnan(a.level_atr)


@spine
def _until_level(t, end, n, count, law, row):  # type: ignore[no-untyped-def]
    """The first bar that comes to a level of the position; or the one after that which moves its trail; or `end`."""
    a, stops = law
    if stops.on == 0:
        return end
    below, above = limits_of(a)
    moves = trails(a, stops)
    for bar in range(t, end):
        at = bar * count + n
        high, low = row.prices[unsigned(row.size + at)], row.prices[unsigned(2 * row.size + at)]
        if low <= below or high >= above:
            return bar
        if moves and raised(a.watermark, a.q, high, low) != a.watermark:
            return bar + 1
    return end


@spine
def _add_worth(t, end, n, count, law, row, course):  # type: ignore[no-untyped-def]
    """`weigh` of the position at each close, added to the sums of its bars."""
    a, maintenance = law
    units, mark = a.q * a.multiplier, a.mark
    margin, rate = margin_of(a, 0.0, maintenance), 0.0 if a.maintenance_margin > 0.0 else maintenance
    for bar in range(t, end):
        close = row.prices[unsigned(3 * row.size + bar * count + n)]
        if not math.isnan(close):
            mark = close
        money = units * mark
        course.equity[unsigned(bar)] += money
        course.cash[unsigned(bar)] += margin + rate * abs(money)


@spine
def _follow(t, end, n, count, law, row):  # type: ignore[no-untyped-def]
    """The record of the asset as the bars leave it."""
    a, stops = law
    last = (end - 1) * count + n
    if stops.on == 1 and row.atr.shape[0] > 0:
        a.atr = row.atr[unsigned(last)]
    if a.q == 0.0:
        _mark_flat(t, end, n, count, a, row)
        return
    side = 1.0 if a.q > 0.0 else -1.0
    mark, worst, best, watermark, before = a.mark, a.worst, a.best, a.watermark, a.watermark
    for bar in range(t, end):
        at = bar * count + n
        close = row.prices[unsigned(3 * row.size + at)]
        before = watermark
        if not math.isnan(close):
            high, low = row.prices[unsigned(row.size + at)], row.prices[unsigned(2 * row.size + at)]
            mark = close
            worst, best = extremes(side, worst, best, high, low)
            watermark = raised(watermark, side, high, low)
    a.mark, a.worst, a.best = mark, worst, best
    if stops.on == 1:
        a.watermark = before  # the last bar's comes with the levels
        prices = row.prices[unsigned(row.size + last)], row.prices[unsigned(2 * row.size + last)], row.prices[unsigned(3 * row.size + last)]
        move_levels(a, side, prices, stops)


@spine
def _mark_flat(t, end, n, count, a, row):  # type: ignore[no-untyped-def]
    """The last close is the mark of what is not held."""
    if a.delisted == 0:
        for bar in range(end - 1, t - 1, -1):
            close = row.prices[unsigned(3 * row.size + bar * count + n)]
            if not math.isnan(close):
                a.mark = close
                break
