"""Stretches of a batch in which nothing is asked for and nothing waits: many assets go through them in dense rows, one in registers.

A record holds all of a position's story, so reaching it each bar costs more than the arithmetic. Where bars only mark positions, what they
change is taken out of the records, goes on in numbers, and is put back. The rules are those of `marks`, which a stream follows bar by bar;
the parity certificate compares the bytes of both.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..core.jit import kernel, spine, unsigned
from .account import extremes
from .marks import balance, is_ruin, judge, keep_judgement, margin_of
from .rows import row_asks

__all__ = ["CALM_ROWS", "MANY", "Course", "calm_bars", "lone_bars"]

_UNITS, _MARK, _WORST, _BEST, _MARGIN, _RATE, _LIVE = 0, 1, 2, 3, 4, 5, 6
CALM_ROWS = 7
"""Numbers of an asset that a calm bar reads or changes."""

MANY = 8
"""Fewer assets are quicker in their records."""

_LONG = 4  # bars that make the way out of the records and back worth it


class _Lone(NamedTuple):
    """What a calm bar changes of the only asset and of its account."""

    mark: float
    worst: float
    best: float
    equity: float
    peak: float
    before: float


class Course(NamedTuple):
    """What a stretch reads and writes bar by bar: `eventful`, `day`, `time`, `cash`, `equity`, `zone` (T,), the last one (T,) or (0,).

    `dense` (CALM_ROWS, N) is room for the assets.
    """

    eventful: np.ndarray
    day: np.ndarray
    time: np.ndarray
    cash: np.ndarray
    equity: np.ndarray
    zone: np.ndarray
    dense: np.ndarray


@spine
def _rests(acct, rules):  # type: ignore[no-untyped-def]
    """Whether bars only mark what the account holds, until a row asks for something."""
    at_peace = acct.margin_call == 0 and acct.liquidating == 0 and acct.ruined == 0
    return at_peace and rules.looks_inside == 0 and acct.waiting == 0 and rules.desk == 0


@spine
def _silent(bar, row, course, count):  # type: ignore[no-untyped-def]
    """Whether a bar brings nothing but prices."""
    return course.eventful[unsigned(bar)] == 0 and not row_asks(bar * count, (bar + 1) * count, row)


@kernel
def _take_out(assets, maintenance, dense):  # type: ignore[no-untyped-def]
    """The records' numbers into rows; False where a contract's moves go to cash (F12), which rows do not know."""
    for n in range(assets.shape[0]):
        a = assets[n]
        if a.kind != 0:
            return False
        dense[_UNITS, n] = a.q * a.multiplier
        dense[_MARK, n] = a.mark
        dense[_WORST, n] = a.worst
        dense[_BEST, n] = a.best
        dense[_MARGIN, n] = margin_of(a, 0.0, maintenance)
        dense[_RATE, n] = 0.0 if a.maintenance_margin > 0.0 else maintenance
        dense[_LIVE, n] = 0.0 if a.delisted == 1 else 1.0
    return True


@kernel
def _put_back(assets, dense):  # type: ignore[no-untyped-def]
    """The rows' numbers into the records."""
    for n in range(assets.shape[0]):
        a = assets[n]
        a.mark = dense[_MARK, n]
        a.worst = dense[_WORST, n]
        a.best = dense[_BEST, n]


@spine
def _mark_rows(dense, row, bar, count):  # type: ignore[no-untyped-def]
    """`mark` of every asset."""
    for k in range(count):
        n, at = unsigned(k), bar * count + k
        close = row.prices[unsigned(3 * row.size + at)]
        if not math.isnan(close) and dense[_LIVE, n] > 0.0:
            units = dense[_UNITS, n]
            dense[_MARK, n] = close
            if units != 0.0:
                high, low = row.prices[unsigned(row.size + at)], row.prices[unsigned(2 * row.size + at)]
                dense[_WORST, n], dense[_BEST, n] = extremes(units, dense[_WORST, n], dense[_BEST, n], high, low)


@spine
def _weigh_rows(dense, count):  # type: ignore[no-untyped-def]
    """`weigh` of every asset, added up."""
    value, need = 0.0, 0.0
    for k in range(count):
        n = unsigned(k)
        if dense[_UNITS, n] != 0.0:
            money = dense[_UNITS, n] * dense[_MARK, n]
            value += money
            need += dense[_MARGIN, n] + dense[_RATE, n] * abs(money)
    return value, need


@spine
def _is_trouble(acct, zones, equity, need):  # type: ignore[no-untyped-def]
    """Whether this equity makes an exit: a margin call (F13) or a zone (Z3)."""
    if equity < need or is_ruin(acct, equity):
        return True
    return zones.on == 1 and zones.liquidate_at > 0.0 and equity <= acct.peak * (1.0 - zones.liquidate_at)


@kernel
def calm_bars(t, stop, desk, rules, zones, row, course):  # type: ignore[no-untyped-def]
    """Bars from `t` on, of the only account, as far as nothing can happen in them but marks; returns the bar that comes after them.

    `row` is any row of the batch.
    """
    _, count, acct, assets = desk
    if stop - t < _LONG or not _rests(acct, rules):
        return t
    for bar in range(t, t + _LONG):
        if not _silent(bar, row, course, count):
            return t
    if not _take_out(assets, rules.maintenance, course.dense):
        return t
    bar = t
    while bar < stop and _silent(bar, row, course, count):
        _mark_rows(course.dense, row, bar, count)
        value, need = _weigh_rows(course.dense, count)
        if _is_trouble(acct, zones, acct.cash + value, need):
            break  # the step takes this bar, from its start: a mark made twice is the same mark
        _end(acct, value, need, rules, zones, bar, course)
        bar += 1
    _put_back(assets, course.dense)
    return bar


@spine
def _end(acct, value, need, rules, zones, bar, course):  # type: ignore[no-untyped-def]
    """The account's end of a bar."""
    acct.day = course.day[unsigned(bar)]
    acct.time = course.time[unsigned(bar)]
    balance(acct, value, need)
    if rules.at_close == 1:
        keep_judgement(acct)
    judge(acct, zones, None, acct.equity)
    acct.bars += 1
    course.cash[unsigned(bar)] = acct.cash
    course.equity[unsigned(bar)] = acct.equity
    if course.zone.shape[0] > 0:
        course.zone[unsigned(bar)] = acct.zone


@spine
def lone_bars(t, stop, desk, rules, zones, row, course):  # type: ignore[no-untyped-def]
    """`calm_bars` of an account that holds one asset and has no zones: the numbers stay in registers."""
    _, _, acct, assets = desk
    a = assets[0]
    if stop - t < _LONG or zones.on == 1 or a.kind != 0 or not _rests(acct, rules):
        return t
    end = _silent_until(t, stop, row, course)
    if end - t < _LONG:
        return t
    now = _Lone(a.mark, a.worst, a.best, acct.equity, acct.peak, acct.peak)
    if a.q == 0.0:
        end, now = _wait(t, end, a, acct, row, course, now)
    else:
        end, now = _hold(t, end, a, acct, rules.maintenance, row, course, now)
    if end > t:
        _end_lone(end - t, a, acct, rules, now)
        acct.day = course.day[unsigned(end - 1)]
        acct.time = course.time[unsigned(end - 1)]
    return end


@spine
def _silent_until(t, stop, row, course):  # type: ignore[no-untyped-def]
    """The first bar from `t` on that brings more than prices to the only asset, or `stop`."""
    eventful, flags, values = course.eventful, row.flags, row.values
    if flags.shape[0] > 0:
        for bar in range(t, stop):
            if eventful[unsigned(bar)] != 0 or flags[unsigned(bar)] != 0:
                return bar
        return stop
    if values.shape[0] > 0:
        for bar in range(t, stop):
            if eventful[unsigned(bar)] != 0 or not math.isnan(values[unsigned(bar)]):
                return bar
        return stop
    return t


@spine
def _wait(t, end, a, acct, row, course, now):  # type: ignore[no-untyped-def]
    """Bars in which nothing is held: money stays as it is, and the last price is the mark."""
    cash, value = acct.cash, 0.0
    equity, peak = cash + value, now.peak
    if equity < value or is_ruin(acct, equity):
        return t, now
    if equity > peak:
        peak = equity
    for bar in range(t, end):
        course.cash[unsigned(bar)] = cash
        course.equity[unsigned(bar)] = equity
    mark = now.mark
    if a.delisted == 0:
        for bar in range(end - 1, t - 1, -1):
            close = row.prices[unsigned(3 * row.size + bar)]
            if not math.isnan(close):
                mark = close
                break
    return end, _Lone(mark, now.worst, now.best, equity, peak, now.peak if end == t + 1 else peak)


@spine
def _hold(t, end, a, acct, maintenance, row, course, now):  # type: ignore[no-untyped-def]
    """Bars in which the asset is held; up to which bar, and what is left."""
    units, cash, trades = a.q * a.multiplier, acct.cash, a.delisted == 0
    margin, rate = margin_of(a, 0.0, maintenance), 0.0 if a.maintenance_margin > 0.0 else maintenance
    mark, worst, best, equity, peak, before = now
    for bar in range(t, end):
        close = row.prices[unsigned(3 * row.size + bar)]
        if trades and not math.isnan(close):
            high, low = row.prices[unsigned(row.size + bar)], row.prices[unsigned(2 * row.size + bar)]
            mark = close
            worst, best = extremes(units, worst, best, high, low)
        money = units * mark
        here = cash + (0.0 + money)
        if here < 0.0 + (margin + rate * abs(money)) or is_ruin(acct, here):
            return bar, _Lone(mark, worst, best, equity, peak, before)  # the step takes this bar, from its start
        equity, before = here, peak
        if equity > peak:
            peak = equity
        course.cash[unsigned(bar)] = cash
        course.equity[unsigned(bar)] = equity
    return end, _Lone(mark, worst, best, equity, peak, before)


@spine
def _end_lone(bars, a, acct, rules, now):  # type: ignore[no-untyped-def]
    """The numbers back into the records."""
    a.mark, a.worst, a.best = now.mark, now.worst, now.best
    acct.peak = now.before
    if rules.at_close == 1:
        keep_judgement(acct)
    acct.peak = now.peak
    acct.equity = now.equity
    acct.margin_call = 0
    acct.bars += bars
