"""Drawdown: how far equity is below its highest close so far, and for how long (M2, M6, Z1).

One arithmetic, `drawdown_next`, on values that a loop keeps in registers. Records with the same fields hold them in between: a state of
its own, or that of the return metrics.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .._typing import ArrayN, ArrayTG, Records
from ..core import memory
from ..core.jit import kernel, kernel_loop, spine
from ..core.lanes import choose, every, lane_of
from ..core.state import records
from ..indicators.shape import readonly
from ..indicators.windows import chunk_length
from ._columns import as_columns, checked_initial

__all__ = [
    "DRAWDOWN_FIELDS",
    "DRAWDOWN_STATE",
    "Drawdown",
    "Safe",
    "drawdown",
    "drawdown_init",
    "drawdown_lane",
    "drawdown_load",
    "drawdown_next",
    "drawdown_peak",
    "drawdown_peaks",
    "drawdown_run",
    "drawdown_safe",
    "drawdown_start",
    "drawdown_step",
    "drawdown_store",
    "drawdowns_of",
    "longest_drawdown_bars",
    "max_drawdown",
    "ulcer",
]

DRAWDOWN_FIELDS = [
    ("bars", "i8"),
    ("peak", "f8"),
    ("deepest", "f8"),  # greatest drawdown so far, a fraction
    ("squares", "f8"),  # sum of squared drawdowns
    ("length", "i8"),  # bars since the last peak, while below it
    ("longest", "i8"),
]
DRAWDOWN_STATE = np.dtype(DRAWDOWN_FIELDS, align=True)


_A_LITTLE_LESS = 1.0 - 2.0**-53  # a float times this is the one below it; not above itself, where it is too small for that


class Drawdown(NamedTuple):
    """The fields as values; see `DRAWDOWN_FIELDS`. But for `bars`, all may be lanes."""

    bars: int
    peak: float
    deepest: float
    squares: float
    length: int
    longest: int


@kernel
def drawdown_start(initial):  # type: ignore[no-untyped-def]
    """Before the first bar; `initial` is the first peak. At or below zero it is none to fall from, and every depth is NaN."""
    begun = initial > 0.0
    zero, none = choose(begun, 0.0, 0.0), choose(begun, 0, 0)
    return Drawdown(0, choose(begun, initial, math.nan), zero, zero, none, none)


@kernel
def drawdown_init(state, initial):  # type: ignore[no-untyped-def]
    """Start at `initial`, which is the first peak."""
    drawdown_store(state, drawdown_start(initial))


@kernel
def drawdown_lane(now, k):  # type: ignore[no-untyped-def]
    """One of the series that run in lanes."""
    depths = lane_of(now.peak, k), lane_of(now.deepest, k), lane_of(now.squares, k)
    return Drawdown(now.bars, depths[0], depths[1], depths[2], int(lane_of(now.length, k)), int(lane_of(now.longest, k)))


@kernel
def drawdown_load(state):  # type: ignore[no-untyped-def]
    """The fields of a record."""
    return Drawdown(state.bars, state.peak, state.deepest, state.squares, state.length, state.longest)


@kernel
def drawdown_store(state, now):  # type: ignore[no-untyped-def]
    """The fields back into the record."""
    state.bars = now.bars
    state.peak = now.peak
    state.deepest = now.deepest
    state.squares = now.squares
    state.length = now.length
    state.longest = now.longest


@kernel
def drawdown_next(past, equity):  # type: ignore[no-untyped-def]
    """One bar: the drawdown of this close, `1 - equity/peak`, and what comes after.

    NaN equity makes depth and squares NaN for good.
    """
    # choices between numbers, no jumps: where the curve turns is what nobody can guess
    rises = equity >= past.peak
    peak = choose(rises, equity, past.peak)
    depth = 1.0 - equity / peak  # at a peak exactly 0
    deepest = choose(depth > past.deepest, depth, choose(depth != depth, depth, past.deepest))
    reach = past.length + 1
    length = choose(rises, 0, reach)
    below = choose(past.length > 0, reach, length)  # the bar that recovers belongs to the drawdown (M6)
    longest = choose(below > past.longest, below, past.longest)
    return depth, Drawdown(past.bars + 1, peak, deepest, past.squares + depth * depth, length, longest)


class Safe(NamedTuple):
    """What closes are no deeper than ever: those above `floor`, while the peak is the same; above a new peak times `kept`, then.

    `kept` is 1 - deepest, infinity where that is nothing or less, or unknown. May be lanes.
    """

    kept: float
    floor: float


@kernel
def drawdown_safe(past):  # type: ignore[no-untyped-def]
    """Before the first bar, when nothing but the peak was seen."""
    return Safe(_kept(past), choose(past.peak > 0.0, past.peak * _A_LITTLE_LESS, math.inf))


@spine
def _kept(past):  # type: ignore[no-untyped-def]
    return choose(past.deepest < 1.0, 1.0 - past.deepest, math.inf)


@spine
def drawdown_peak(past, safe, equity):  # type: ignore[no-untyped-def]
    """Peak and deepest drawdown of `drawdown_next` alone, the rest stays; and what is safe after it.

    It divides only where a curve may be deeper than ever. Above peak * kept, however that is rounded, equity/peak is no less than `kept`,
    and that is 1 - deepest to the last bit, since such differences are exact on one side of 1/2 and the depth itself is on the other.
    While the peak stays, no close is deeper that is not below the deepest one: a curve that lies flat there is not divided again.
    """
    rises = equity > past.peak
    peak = choose(rises, equity, past.peak)
    floor = choose(rises, peak * safe.kept, safe.floor)
    if every(equity > floor):
        return Safe(safe.kept, floor), Drawdown(past.bars + 1, peak, past.deepest, past.squares, past.length, past.longest)
    depth, now = drawdown_next(past, equity)
    now = Drawdown(now.bars, now.peak, now.deepest, past.squares, past.length, past.longest)
    return Safe(_kept(now), choose(depth >= now.deepest, equity * _A_LITTLE_LESS, floor)), now


@spine
def drawdown_peaks(past, safe, closes):  # type: ignore[no-untyped-def]
    """The same of four closes, one after the other: each is looked at only where one may be deeper than ever.

    None is where the lowest is safe at the highest peak. A NaN among the closes may stay unseen.
    """
    first, second, third, fourth = closes
    highest, lowest = choose(second > first, second, first), choose(second < first, second, first)
    highest, lowest = choose(third > highest, third, highest), choose(third < lowest, third, lowest)
    highest, lowest = choose(fourth > highest, fourth, highest), choose(fourth < lowest, fourth, lowest)
    rises = highest > past.peak
    peak = choose(rises, highest, past.peak)
    floor = choose(rises, peak * safe.kept, safe.floor)
    if every(lowest > floor):
        return Safe(safe.kept, floor), Drawdown(past.bars + 4, peak, past.deepest, past.squares, past.length, past.longest)
    safe, past = drawdown_peak(past, safe, first)
    safe, past = drawdown_peak(past, safe, second)
    safe, past = drawdown_peak(past, safe, third)
    return drawdown_peak(past, safe, fourth)


@kernel
def drawdown_step(state, equity):  # type: ignore[no-untyped-def]
    """`drawdown_next` on a record; returns the drawdown."""
    depth, now = drawdown_next(drawdown_load(state), equity)
    drawdown_store(state, now)
    return depth


@kernel_loop
def drawdown_run(states, equity, out):  # type: ignore[no-untyped-def]
    """All bars of all columns; `equity` and `out` are `(T, C)`, `states` `(C,)` after `drawdown_init`."""
    bars, length = equity.shape[0], chunk_length(equity.shape[1])
    for start in range(0, bars, length):
        for column in range(equity.shape[1]):
            now = drawdown_load(states[column])
            for t in range(start, min(start + length, bars)):
                out[t, column], now = drawdown_next(now, equity[t, column])
            drawdown_store(states[column], now)


def drawdowns_of(equity: ArrayTG, initial: ArrayN) -> tuple[ArrayTG, Records]:
    """Drawdowns `(T, G)` of equity `(T, G)` from `initial` `(G,)`, and the states after the last bar; arrays that passed the gate."""
    states, out = records(DRAWDOWN_STATE, equity.shape[1]), memory.empty(equity.shape)
    for account in range(equity.shape[1]):
        drawdown_init(states[account], initial[account])
    drawdown_run(states, readonly(np.ascontiguousarray(equity)), out)
    return out, states


def _measured(equity: Any, initial: Any) -> tuple[ArrayTG, Records, Any]:
    matrix, back = as_columns(equity, "equity")
    return *drawdowns_of(matrix, checked_initial(initial, matrix.shape[1])), back


def drawdown(equity: Any, initial: Any) -> ArrayTG:
    """Drawdown at each close: `1 - equity/peak`, `initial` being the first peak.

    Parameters
    ----------
    equity : array_like, shape (T,) or (T, C)
        Money at the close of each bar.
    initial : float or array_like of shape (C,)
        Money before the first bar, positive.

    Returns
    -------
    numpy.ndarray, same shape as `equity`
        Fractions of the peak, `>= 0`, above 1 where equity is negative. NaN where equity is NaN.

    Notes
    -----
    Rule Z1 of the semantics.
    """
    out, _, _ = _measured(equity, initial)
    return out if np.ndim(equity) == 2 else out[:, 0]


def max_drawdown(equity: Any, initial: Any) -> Any:
    """Greatest drawdown, a positive fraction (0.25 is 25 % below the peak); `initial` is the first peak.

    Parameters
    ----------
    equity : array_like, shape (T,) or (T, C)
        Money at the close of each bar.
    initial : float or array_like of shape (C,)
        Money before the first bar, positive.

    Returns
    -------
    float or array of shape (C,)
        `>= 0`; above 1 where equity was negative. NaN where equity has a NaN or no rows.

    Notes
    -----
    Rule M2 of the semantics. A loss on the first bar counts.
    """
    matrix, states, back = _measured(equity, initial)
    return back(states["deepest"] if matrix.shape[0] else np.full(matrix.shape[1], np.nan))


def ulcer(equity: Any, initial: Any) -> Any:
    """Ulcer index: root of the mean over all bars of the squared drawdown, a fraction.

    Parameters
    ----------
    equity : array_like, shape (T,) or (T, C)
        Money at the close of each bar.
    initial : float or array_like of shape (C,)
        Money before the first bar, positive.

    Returns
    -------
    float or array of shape (C,)
        `>= 0`. NaN where equity has a NaN or no rows.

    Notes
    -----
    Rule M6 of the semantics; Martin and McCann, *The Investor's Guide to Fidelity Funds* (1989), in fractions, not percent.
    """
    matrix, states, back = _measured(equity, initial)
    rows = matrix.shape[0]
    return back(np.sqrt(states["squares"] / rows) if rows else np.full(matrix.shape[1], np.nan))


def longest_drawdown_bars(equity: Any, initial: Any) -> Any:
    """Bars of the longest drawdown, from its peak to the first bar at or above it.

    Parameters
    ----------
    equity : array_like, shape (T,) or (T, C)
        Money at the close of each bar.
    initial : float or array_like of shape (C,)
        Money before the first bar, positive; a peak one bar before the first.

    Returns
    -------
    float or array of shape (C,)
        Whole numbers; 0 where equity never fell. A drawdown still open counts up to the last bar. NaN where equity has a NaN or no rows.

    Notes
    -----
    Rule M6 of the semantics.
    """
    matrix, states, back = _measured(equity, initial)
    known = (states["deepest"] == states["deepest"]) & (matrix.shape[0] > 0)
    return back(np.where(known, states["longest"].astype(np.float64), np.nan))
