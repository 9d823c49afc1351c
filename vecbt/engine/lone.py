"""Calm stretches of an account with one asset: no order and no exit, so its numbers stay in registers.

A row that changes nothing, such as an entry into the side that is held, does not end a stretch: strategies that say at each bar where they
want to be, instead of when that changes, are as quick as others.

The rules are those of `marks` and of the protective levels (P), which a stream follows bar by bar; the parity certificate compares the
bytes of both. A bar that would bring an exit or a margin call ends the stretch before it: the step takes it from its start.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ..core.codes import SizeMethod
from ..core.jit import kernel, spine, unsigned
from ..core.places import peek_int
from ..risk.levels import limits_of, raised, set_levels
from .account import extremes
from .calm import LONG, at_peace
from .inputs import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from .marks import keep_judgement, margin_of, ruin_line
from .rows import load_cell

__all__ = ["AHEAD", "IDLE_FLAT", "IDLE_LONG", "IDLE_SHORT", "are_idle", "lone_bars", "stays_alone"]

_SHARES = int(SizeMethod.EQUAL_WEIGHT), int(SizeMethod.INVERSE_VOLATILITY)


def _idle(side: int) -> int:
    """The rows of flags that do nothing to a position of this side (S2, F11), as bits of a number: bit `flags` is set."""
    found = 0
    for flags in range(16):
        longs, shorts = flags & (ENTER_LONG | EXIT_LONG), flags & (ENTER_SHORT | EXIT_SHORT)
        enters_long, enters_short = longs == ENTER_LONG, shorts == ENTER_SHORT
        leaves = (side > 0 and longs == EXIT_LONG) or (side < 0 and shorts == EXIT_SHORT)
        if enters_long or enters_short:
            acts = enters_long != enters_short and side != (1 if enters_long else -1)
        else:
            acts = leaves
        found |= 0 if acts else 1 << flags
    return found


IDLE_LONG, IDLE_SHORT, IDLE_FLAT = _idle(1), _idle(-1), _idle(0)
_SILENT = 1  # only a row without a flag

AHEAD = 256
"""Bars of a stretch at most: an exit may end it at once, and to look for its end again after each would take the square of them."""


class _Lone(NamedTuple):
    """What a calm bar changes of the only asset and of its account."""

    mark: float
    worst: float
    best: float
    equity: float
    peak: float
    before: float


@kernel
def stays_alone(assets, rules, zones):  # type: ignore[no-untyped-def]
    """Whether `lone_bars` is for the only account."""
    return assets.shape[0] == 1 and zones.on == 0 and (rules.looks_inside == 0 or rules.levels_only == 1)


@spine
def lone_bars(t, stop, desk, laws, row, course):  # type: ignore[no-untyped-def]
    """`calm_bars` of an account that holds one asset and has no zones; it may have stops and targets (not of time)."""
    rules, stops, _ = laws
    _, _, acct, assets = desk
    a = assets[0]
    if stop - t < LONG or a.kind != 0 or not at_peace(acct, rules):
        return t
    end, said = _silent_until(t, min(stop, t + AHEAD), row, course, _idle_rows(a, rules))
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
        if rules.looks_inside == 1 and row.atr.shape[0] > 0:
            a.atr = row.atr[unsigned(end - 1)]
        if said:
            _load_last_said(t, end, a, row)
        _end_lone(end - t, a, acct, rules, now)
        acct.day = course.day[unsigned(end - 1)]
        acct.time = course.time[unsigned(end - 1)]
    return end


@spine
def _idle_rows(a, rules):  # type: ignore[no-untyped-def]
    """Which rows of flags change nothing while the position stays. Shares of the account are worked out at every row, idle or not."""
    if rules.accumulate == 1 or rules.method == _SHARES[0] or rules.method == _SHARES[1]:
        return _SILENT
    if a.q == 0.0:
        return IDLE_FLAT
    return IDLE_LONG if a.q > 0.0 else IDLE_SHORT


@spine
def _silent_until(t, stop, row, course, idle):  # type: ignore[no-untyped-def]
    """The first bar from `t` on that brings more than prices and idle rows to the only asset, or `stop`; whether idle rows came before."""
    eventful, flags, values = course.eventful, row.flags, row.values
    if flags.shape[0] > 0:
        here, there, start, said = eventful.ctypes.data, flags.ctypes.data, t, False
        while start + 8 <= stop and peek_int(here + start, 0) == 0:  # eight bars at once
            if peek_int(there + start, 0) != 0:
                if not are_idle(flags, start, idle):
                    break
                said = True
            start += 8
        for bar in range(start, stop):
            flag = flags[unsigned(bar)]
            if eventful[unsigned(bar)] != 0 or (idle >> int(flag)) & 1 == 0:
                return bar, said
            said = said or flag != 0
        return stop, said
    if values.shape[0] > 0:
        for bar in range(t, stop):
            if eventful[unsigned(bar)] != 0 or not math.isnan(values[unsigned(bar)]):
                return bar, False
        return stop, False
    return t, False


@spine
def are_idle(flags, start, idle):  # type: ignore[no-untyped-def]
    """Whether the rows of eight bars do nothing."""
    left = idle
    for bar in range(start, start + 8):
        left &= idle >> int(flags[unsigned(bar)])
    return left & 1 == 1


@spine
def _load_last_said(t, end, a, row):  # type: ignore[no-untyped-def]
    """The last bar of a stretch that has a row stands in the record, as the step would have left it."""
    for bar in range(end - 1, t - 1, -1):
        if row.flags[unsigned(bar)] != 0:
            load_cell(a, bar - t, row)
            return


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
    """`_hold` of a position with levels (T5), which move after each bar's test (P2). Open and close lie between high and low (B1)."""
    rules, stops = laws
    units, cash, side = a.q * a.multiplier, acct.cash, 1.0 if a.q > 0.0 else -1.0
    margin, rate = margin_of(a, 0.0, rules.maintenance), 0.0 if a.maintenance_margin > 0.0 else rules.maintenance
    moves, line = row.atr.shape[0] > 0, ruin_line(acct)
    mark, worst, best, equity, peak, before = now
    watermark = a.watermark
    below, above = limits_of(a)
    for bar in range(t, end):
        close = row.prices[unsigned(3 * row.size + bar)]
        high, low = row.prices[unsigned(row.size + bar)], row.prices[unsigned(2 * row.size + bar)]
        market = not math.isnan(close)
        if low <= below or high >= above:  # it may bring an exit: the step says whether it does
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
            below, above = _moved(a, watermark, row.atr[unsigned(bar)] if moves else a.atr, side, stops)
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
    return limits_of(a)


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
