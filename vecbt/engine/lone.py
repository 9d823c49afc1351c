"""Calm stretches of an account with one asset: no row, no order and no exit, so its numbers stay in registers.

The rules are those of `marks` and of the protective levels (P), which a stream follows bar by bar; the parity certificate compares the
bytes of both. A bar that would bring an exit or a margin call ends the stretch before it: the step takes it from its start.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ..core.jit import kernel, spine, unsigned
from ..core.places import peek_int
from ..risk.levels import exit_of, raised, set_levels
from .account import extremes
from .calm import LONG, at_peace
from .marks import keep_judgement, margin_of, ruin_line
from .rows import load_cell

__all__ = ["lone_bars"]


class _Lone(NamedTuple):
    """What a calm bar changes of the only asset and of its account."""

    mark: float
    worst: float
    best: float
    equity: float
    peak: float
    before: float


@spine
def lone_bars(t, stop, desk, laws, row, course):  # type: ignore[no-untyped-def]
    """`calm_bars` of an account that holds one asset and has no zones; it may have stops and targets (not of time)."""
    rules, stops, zones = laws
    _, _, acct, assets = desk
    a = assets[0]
    if stop - t < LONG or zones.on == 1 or a.kind != 0 or not at_peace(acct, rules) or (rules.looks_inside == 1 and rules.levels_only == 0):
        return t
    end = _silent_until(t, stop, row, course)
    if end - t < LONG:
        return t
    now = _Lone(a.mark, a.worst, a.best, acct.equity, acct.peak, acct.peak)
    if a.q == 0.0:
        end, now = _wait(t, end, a, acct, row, course, now)
    elif rules.looks_inside == 1:
        end, now = _guard(t, end, a, acct, (rules, stops), row, course, now)
    else:
        end, now = _hold(t, end, a, acct, rules.maintenance, row, course, now)
    if end > t:
        if rules.looks_inside == 1:  # then every bar is loaded
            load_cell(a, end - 1 - t, row)
            a.atr = a.bar_atr
        _end_lone(end - t, a, acct, rules, now)
        acct.day = course.day[unsigned(end - 1)]
        acct.time = course.time[unsigned(end - 1)]
    return end


@spine
def _silent_until(t, stop, row, course):  # type: ignore[no-untyped-def]
    """The first bar from `t` on that brings more than prices to the only asset, or `stop`."""
    eventful, flags, values = course.eventful, row.flags, row.values
    if flags.shape[0] > 0:
        here, said, start = eventful.ctypes.data, flags.ctypes.data, t
        while start + 8 <= stop and peek_int(here + start, 0) == 0 and peek_int(said + start, 0) == 0:  # eight bars at once
            start += 8
        for bar in range(start, stop):
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
    if equity < value or equity <= ruin_line(acct):
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
    line = ruin_line(acct)
    mark, worst, best, equity, peak, before = now
    for bar in range(t, end):
        close = row.prices[unsigned(3 * row.size + bar)]
        if trades and not math.isnan(close):
            high, low = row.prices[unsigned(row.size + bar)], row.prices[unsigned(2 * row.size + bar)]
            mark = close
            worst, best = extremes(units, worst, best, high, low)
        money = units * mark
        here = cash + (0.0 + money)
        if here < 0.0 + (margin + rate * abs(money)) or here <= line:
            return bar, _Lone(mark, worst, best, equity, peak, before)  # the step takes this bar, from its start
        equity, before = here, peak
        if equity > peak:
            peak = equity
        course.cash[unsigned(bar)] = cash
        course.equity[unsigned(bar)] = equity
    return end, _Lone(mark, worst, best, equity, peak, before)


@spine
def _guard(t, end, a, acct, laws, row, course, now):  # type: ignore[no-untyped-def]
    """`_hold` of a position with levels (T5), which move after each bar's test (P2)."""
    rules, stops = laws
    units, cash, side = a.q * a.multiplier, acct.cash, 1.0 if a.q > 0.0 else -1.0
    margin, rate = margin_of(a, 0.0, rules.maintenance), 0.0 if a.maintenance_margin > 0.0 else rules.maintenance
    through, optimistic, moves, line = rules.through, rules.optimistic, row.atr.shape[0] > 0, ruin_line(acct)
    mark, worst, best, equity, peak, before = now
    levels, watermark = (a.stop, a.target, a.trailing), a.watermark
    for bar in range(t, end):
        close = row.prices[unsigned(3 * row.size + bar)]
        high, low = row.prices[unsigned(row.size + bar)], row.prices[unsigned(2 * row.size + bar)]
        market = not math.isnan(close)
        if market and exit_of((row.prices[unsigned(bar)], high, low), levels, side, through, optimistic)[1] != 0:
            return bar, _Lone(mark, worst, best, equity, peak, before)
        money = units * (close if market else mark)
        here = cash + (0.0 + money)
        if here < 0.0 + (margin + rate * abs(money)) or here <= line:
            return bar, _Lone(mark, worst, best, equity, peak, before)
        if market:
            mark = close
            worst, best = extremes(units, worst, best, high, low)
        level = raised(watermark, side, high, low) if market else watermark
        if moves or level != watermark:
            watermark = level
            levels = _moved(a, watermark, row.atr[unsigned(bar)] if moves else a.bar_atr, side, stops)
        equity, before = here, peak
        if equity > peak:
            peak = equity
        course.cash[unsigned(bar)] = cash
        course.equity[unsigned(bar)] = equity
    return end, _Lone(mark, worst, best, equity, peak, before)


@kernel
def _moved(a, watermark, atr, side, stops):  # type: ignore[no-untyped-def]
    """The levels after a bar's test."""
    a.watermark = watermark
    a.atr = atr
    if math.isnan(a.level_atr):
        a.level_atr = a.atr
    set_levels(a, side, stops)
    return a.stop, a.target, a.trailing


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
