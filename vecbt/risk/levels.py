"""Protective levels of a position and the bar that meets them (P1 to P5, P8). Shorts mirror longs."""

from __future__ import annotations

import math

import numpy as np

from ..core.codes import Reason, StopForm
from ..core.jit import kernel
from ..core.lanes import choose
from ..core.rounding import tick_down, tick_up

__all__ = [
    "LEVEL_FIELDS", "STOP_PARAMS", "clear_levels", "count_inside", "entry_stop", "exit_at", "exit_of", "first_of", "is_armed", "level_at",
    "limits_of", "move_levels", "order_stop", "raised", "rounded_level", "set_levels", "stop_if_entered", "stop_is_known", "trails",
]  # fmt: skip

STOP_PARAMS = np.dtype(
    [
        ("hard_form", "i8"),
        ("hard", "f8"),
        ("trail_form", "i8"),
        ("trail", "f8"),
        ("target_form", "i8"),
        ("target", "f8"),
        ("activation", "f8"),  # gain that arms the trail; below 0: armed at entry
        ("time_bars", "i8"),  # 0: off
        ("time_days", "i8"),
        ("uses_atr", "i8"),
        ("on", "i8"),  # 0: no exits at all
    ],
    align=True,
)

LEVEL_FIELDS = [
    ("atr", "f8"),  # of the last complete bar
    ("level_atr", "f8"),  # of the fill the hard stop and the target are measured from
    ("level_tick", "f8"),  # what a distance in ticks counts for this position, divided by splits since its last increase
    ("watermark", "f8"),
    ("trail", "f8"),  # armed trailing level before rounding, NaN while not armed
    ("stop", "f8"),  # the level that protects, rounded; NaN: none
    ("target", "f8"),
    ("armed", "i8"),
    ("trailing", "i8"),  # 1: the stop is the trailing one
    ("own_stop", "f8"),  # of the bracket of its order (O3), NaN: none
    ("own_target", "f8"),
    ("own_trail", "f8"),  # fraction, 0: none
]
"""What a position remembers for its protective levels."""

_OFF = int(StopForm.OFF)
_FRACTION = int(StopForm.FRACTION)
_ATR = int(StopForm.ATR)
_TICKS = int(StopForm.TICKS)
_STOP = int(Reason.STOP)
_TRAIL = int(Reason.TRAIL)
_TARGET = int(Reason.TARGET)


@kernel
def level_at(form, number, side, base, atr, tick, scale):  # type: ignore[no-untyped-def]
    """The level `number` away from `base` against `side` (+1: below); a price stands in units of `scale` (T9)."""
    if form == _OFF:
        return math.nan
    if form == _FRACTION:
        return base - side * number * base  # not base * (1 - number): 10 % above 100 is to be 110, no digit beside it
    if form == _ATR:
        return base - side * number * atr
    if form == _TICKS:
        return base - side * number * tick
    return number / scale


@kernel
def rounded_level(level, side, tick):  # type: ignore[no-untyped-def]
    """F5: a long's stop and target up, a short's down. NaN stays."""
    if math.isnan(level):
        return level
    if side > 0.0:
        return tick_up(level, tick)
    return tick_down(level, tick)


@kernel
def first_of(hard, trail, side):  # type: ignore[no-untyped-def]
    """P3: the level a falling price meets first, and 1 if it is the trailing one; equal is the hard one."""
    if math.isnan(trail):
        return hard, 0
    if math.isnan(hard) or (trail - hard) * side > 0.0:
        return trail, 1
    return hard, 0


@kernel
def is_armed(watermark, avg, side, activation):  # type: ignore[no-untyped-def]
    """P3: whether the gain arms the trailing stop; below 0 it is armed at entry."""
    return activation < 0.0 or (watermark - (avg + side * activation * avg)) * side >= 0.0


@kernel
def set_levels(a, side, stops):  # type: ignore[no-untyped-def]
    """Stop and target of an open position from its average price, watermark and ATR; the trail never falls back."""
    form, trail, activation = stops.trail_form, stops.trail, stops.activation
    if a.own_trail > 0.0:
        form, trail, activation = _FRACTION, a.own_trail, -1.0
    if form != _OFF:
        if a.armed == 0 and is_armed(a.watermark, a.avg, side, activation):
            a.armed = 1
        if a.armed == 1:
            level = level_at(form, trail, side, a.watermark, a.atr, a.level_tick, 1.0)
            if math.isnan(a.trail) or (level - a.trail) * side > 0.0:
                a.trail = level
    hard = a.own_stop
    if math.isnan(hard):
        hard = level_at(stops.hard_form, stops.hard, side, a.avg, a.level_atr, a.level_tick, a.scale)
    hard = rounded_level(hard, side, a.tick)
    a.stop, a.trailing = first_of(hard, rounded_level(a.trail, side, a.tick), side)
    target = a.own_target
    if math.isnan(target):
        target = level_at(stops.target_form, stops.target, -side, a.avg, a.level_atr, a.level_tick, a.scale)
    a.target = rounded_level(target, side, a.tick)


@kernel
def entry_stop(a, side, stops):  # type: ignore[no-untyped-def]
    """The stop (P3) an entry at this close would have at once; NaN: none."""
    return stop_if_entered(a, a.close, side, stops)


@kernel
def stop_if_entered(a, close, side, stops):  # type: ignore[no-untyped-def]
    """`entry_stop` at any close."""
    hard = level_at(stops.hard_form, stops.hard, side, close, a.atr, a.tick, a.scale)
    trail = math.nan
    if stops.activation < 0.0:
        trail = level_at(stops.trail_form, stops.trail, side, close, a.atr, a.tick, 1.0)
    return _nearest_stop(a, side, hard, trail)


@kernel
def _nearest_stop(a, side, hard, trail):  # type: ignore[no-untyped-def]
    """P3: the first of two levels, rounded; NaN where neither is there."""
    stop, _ = first_of(rounded_level(hard, side, a.tick), rounded_level(trail, side, a.tick), side)
    return stop


@kernel
def order_stop(a, o, side, stops):  # type: ignore[no-untyped-def]
    """The stop a position of order `o` would have at once if it were entered at this close: its bracket's, else that of `stops`."""
    hard, trail = o.own_stop, math.nan
    if math.isnan(hard):
        hard = level_at(stops.hard_form, stops.hard, side, a.mark, a.atr, a.tick, a.scale)
    if o.own_trail > 0.0:
        trail = level_at(_FRACTION, o.own_trail, side, a.mark, a.atr, a.tick, 1.0)
    elif stops.activation < 0.0:
        trail = level_at(stops.trail_form, stops.trail, side, a.mark, a.atr, a.tick, 1.0)
    return _nearest_stop(a, side, hard, trail)


@kernel
def stop_is_known(a, stops):  # type: ignore[no-untyped-def]
    """S5: False where a level in ATR is asked for and there is no ATR yet."""
    return stops.uses_atr == 0 or not math.isnan(a.atr)


@kernel
def raised(watermark, side, high, low):  # type: ignore[no-untyped-def]
    """P2: the best price of a position so far, after a bar."""
    if side > 0.0:
        return high if high > watermark else watermark
    return low if low < watermark else watermark


@kernel
def move_levels(a, side, prices, stops):  # type: ignore[no-untyped-def]
    """P2, P1: after a bar's test its best price counts, and so does its ATR, which `a.atr` is by now; the levels of the next bar.

    `prices` are the bar's high, low and close. Levels that do not hang on any of these stay as they are.
    """
    high, low, close = prices
    best = a.watermark if math.isnan(close) else raised(a.watermark, side, high, low)
    moves = (best != a.watermark or stops.uses_atr == 1) and trails(a, stops)
    a.watermark = best
    if stops.uses_atr == 1 and math.isnan(a.level_atr):
        a.level_atr = a.atr
        moves = True
    if moves:
        set_levels(a, side, stops)


@kernel
def trails(a, stops):  # type: ignore[no-untyped-def]
    """Whether the position's stop follows its best price."""
    return stops.trail_form != _OFF or a.own_trail > 0.0


@kernel
def limits_of(a):  # type: ignore[no-untyped-def]
    """The prices that a bar may not reach, below and above, for there to be no exit (P3, P4); NaN: none."""
    return (a.stop, a.target) if a.q > 0.0 else (a.target, a.stop)


@kernel
def clear_levels(a):  # type: ignore[no-untyped-def]
    """No position, no levels; the ATR stays, it belongs to the asset."""
    a.level_atr = math.nan
    a.level_tick = 0.0
    a.watermark = math.nan
    a.trail = math.nan
    a.stop = math.nan
    a.target = math.nan
    a.armed = 0
    a.trailing = 0
    a.own_stop = math.nan
    a.own_target = math.nan
    a.own_trail = 0.0


@kernel
def count_inside(a, optimistic):  # type: ignore[no-untyped-def]
    """P8: of the bar in which the position was opened inside, only what counts; how it was opened stands in `a.fresh`.

    The extreme the fill itself went to counts (after a buy by limit the low, by stop the high), the other may be older: it
    counts in full against the position and only as far as the close for it, with `optimistic` the other way round.
    """
    a.full_high = a.high
    a.full_low = a.low
    side, entry = (1.0 if a.q > 0.0 else -1.0), a.fresh_price
    low_counts = a.fresh == 1 or optimistic == 0
    high_counts = a.fresh == 2 or optimistic == 1
    against, favour = (a.low, a.high) if side > 0.0 else (a.high, a.low)
    if not low_counts:
        against = entry if (entry - a.close) * side < 0.0 else a.close
    if not high_counts:
        favour = entry if (entry - a.close) * side > 0.0 else a.close
    a.open = entry
    a.high = favour if side > 0.0 else against
    a.low = against if side > 0.0 else favour


@kernel
def exit_at(a, side, through, optimistic):  # type: ignore[no-untyped-def]
    """Where this bar takes the position out (P3 to P5): price before slippage and reason; reason 0: it does not."""
    return exit_of((a.open, a.high, a.low), (a.stop, a.target, a.trailing), side, through, optimistic)


@kernel
def exit_of(prices, levels, side, through, optimistic):  # type: ignore[no-untyped-def]
    """`exit_at` of open, high and low of a bar, and of stop and target, with 1 where the stop is the trailing one.

    Everything is mirrored by `side`, so that "down" is against the position.
    """
    start, high, low = prices
    stop, target, trailing = levels
    long = side > 0.0
    against, favour = choose(long, low, high), choose(long, high, low)
    stop_reason = _TRAIL if trailing == 1 else _STOP
    # NaN levels compare false: no level, no exit. Which way it goes nobody can guess, so what is compared are prices, not differences
    if choose(long, start, stop) <= choose(long, stop, start):
        return start, stop_reason
    if choose(long, start, target) > choose(long, target, start) or (start == target and through == 0):
        return start, _TARGET
    stopped = choose(long, against, stop) <= choose(long, stop, against)
    reached = choose(long, favour, target) > choose(long, target, favour) or (favour == target and through == 0)
    if stopped and not (reached and optimistic == 1):
        return stop, stop_reason
    if reached:
        return target, _TARGET
    return math.nan, 0
