"""Stretches of a batch in which nothing is asked for and nothing waits: many assets go through them in dense rows (one: `engine.lone`).

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

__all__ = ["CALM_ROWS", "LONG", "MANY", "Course", "at_peace", "calm_bars", "end_calm", "is_trouble", "skip_to"]

_UNITS, _MARK, _WORST, _BEST, _MARGIN, _RATE, _LIVE = 0, 1, 2, 3, 4, 5, 6
CALM_ROWS = 7
"""Numbers of an asset that a calm bar reads or changes."""

MANY = 8
"""Fewer assets are quicker in their records."""

LONG = 4
"""Bars that make the way out of the records and back worth it."""


class Course(NamedTuple):
    """What a stretch reads and writes bar by bar: `eventful`, `day`, `time`, `flow`, `cash`, `equity`, `zone`, `paid` (T,).

    Of `flow`, `zone` and `paid` there may be none, (0,).
    `dense` (CALM_ROWS, N) is room for the assets.
    """

    eventful: np.ndarray
    day: np.ndarray
    time: np.ndarray
    flow: np.ndarray
    cash: np.ndarray
    equity: np.ndarray
    zone: np.ndarray
    paid: np.ndarray
    dense: np.ndarray


@spine
def at_peace(acct, rules):  # type: ignore[no-untyped-def]
    """Whether nothing waits in the account and no exit is due, until a row asks for something."""
    return acct.margin_call == 0 and acct.liquidating == 0 and acct.ruined == 0 and acct.waiting == 0 and rules.desk == 0


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
def is_trouble(acct, zones, equity, need):  # type: ignore[no-untyped-def]
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
    if stop - t < LONG or rules.looks_inside == 1 or not at_peace(acct, rules):
        return t
    for bar in range(t, t + LONG):
        if not _silent(bar, row, course, count):
            return t
    if not _take_out(assets, rules.maintenance, course.dense):
        return t
    bar = t
    while bar < stop and _silent(bar, row, course, count):
        _mark_rows(course.dense, row, bar, count)
        value, need = _weigh_rows(course.dense, count)
        if is_trouble(acct, zones, acct.cash + value, need):
            break  # the step takes this bar, from its start: a mark made twice is the same mark
        end_calm(acct, (value, need), rules, zones, None, bar, course)
        bar += 1
    _put_back(assets, course.dense)
    skip_to(bar, t, acct, course)
    return bar


@spine
def end_calm(acct, sums, rules, zones, terms, bar, course):  # type: ignore[no-untyped-def]
    """The account's end of a bar; `sums` are what its positions are worth, and the margin they must keep."""
    value, need = sums
    balance(acct, value, need)
    if rules.at_close == 1:
        keep_judgement(acct)
    judge(acct, zones, terms, acct.equity)
    place = unsigned(bar)
    course.cash[place] = acct.cash
    course.equity[place] = acct.equity
    if course.zone.shape[0] > 0:
        course.zone[place] = acct.zone
    if course.paid.shape[0] > 0:
        course.paid[place] = 0.0


@spine
def skip_to(bar, t, acct, course):  # type: ignore[no-untyped-def]
    """The account stands before `bar`; it was at `t`."""
    acct.bars += bar - t
    if bar > t:
        acct.day = course.day[unsigned(bar - 1)]
        acct.time = course.time[unsigned(bar - 1)]
