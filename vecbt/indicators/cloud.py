"""Ichimoku: the middles of three price ranges, two of them drawn later as the edges of a cloud.

A bar with a missing price is no market: it has no value, and nothing moves along.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .._typing import ArrayTN, Records
from ..core.jit import borrowed, kernel, kernel_loop, spine
from ..core.kernel import Kernel, whole
from ..core.state import records
from .compute import compute
from .peaks import CHANNEL_FIELDS, Channel, Peak, channel_buffers, channel_next
from .windows import chunk_length

__all__ = [
    "ICHIMOKU", "Cloud", "Ichimoku", "ichimoku", "ichimoku_init", "ichimoku_load", "ichimoku_next", "ichimoku_run", "ichimoku_step",
    "ichimoku_store",
]  # fmt: skip

ICHIMOKU_PARAMS = np.dtype([("fast", "i8"), ("middle", "i8"), ("slow", "i8")], align=True)
ICHIMOKU_STATE = np.dtype(
    [(f"{window}_{name}", kind) for window in ("fast", "middle", "slow") for name, kind in CHANNEL_FIELDS] + [("place", "i8")], align=True
)


class Ichimoku(NamedTuple):
    """Conversion line, base line and the two leading spans that are drawn at this bar, in price units."""

    conversion: Any
    base: Any
    span_a: Any
    span_b: Any


def ichimoku_init(assets: int, conversion: int, base: int, span: int) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: ICHIMOKU_STATE (N,), float64 (N, 4*(conversion + base + span) + 2*base), ICHIMOKU_PARAMS (1,)."""
    params = records(ICHIMOKU_PARAMS, 1)
    params.fast[0], params.middle[0], params.slow[0] = conversion, base, span
    waiting = np.full((assets, 2 * base), math.nan)
    return records(ICHIMOKU_STATE, assets), np.hstack([channel_buffers(assets, conversion + base + span), waiting]), params


class Cloud(NamedTuple):
    """The three price ranges, and where the oldest of the spans that wait to be drawn stands."""

    fast: Channel
    middle: Channel
    slow: Channel
    place: int


@kernel
def ichimoku_load(state):  # type: ignore[no-untyped-def]
    """A record of ICHIMOKU_STATE as values."""
    return Cloud(
        Channel(
            Peak(state.fast_top, state.fast_top_place, state.fast_head, state.fast_count),
            Peak(state.fast_bottom, state.fast_bottom_place, state.fast_head, state.fast_count),
        ),
        Channel(
            Peak(state.middle_top, state.middle_top_place, state.middle_head, state.middle_count),
            Peak(state.middle_bottom, state.middle_bottom_place, state.middle_head, state.middle_count),
        ),
        Channel(
            Peak(state.slow_top, state.slow_top_place, state.slow_head, state.slow_count),
            Peak(state.slow_bottom, state.slow_bottom_place, state.slow_head, state.slow_count),
        ),
        state.place,
    )


@kernel
def ichimoku_store(state, now):  # type: ignore[no-untyped-def]
    """The values back into the record."""
    fast, middle, slow = now.fast, now.middle, now.slow
    state.fast_top, state.fast_top_place = fast.high.best, fast.high.place
    state.fast_bottom, state.fast_bottom_place = fast.low.best, fast.low.place
    state.fast_head, state.fast_count = fast.high.head, fast.high.filled
    state.middle_top, state.middle_top_place = middle.high.best, middle.high.place
    state.middle_bottom, state.middle_bottom_place = middle.low.best, middle.low.place
    state.middle_head, state.middle_count = middle.high.head, middle.high.filled
    state.slow_top, state.slow_top_place = slow.high.best, slow.high.place
    state.slow_bottom, state.slow_bottom_place = slow.low.best, slow.low.place
    state.slow_head, state.slow_count = slow.high.head, slow.high.filled
    state.place = now.place


@spine
def _middle_next(past, buffer, window, high, low):  # type: ignore[no-untyped-def]
    """The middle of the price range of the last `window` bars, NaN before there are as many, and what comes after."""
    now, top, _, bottom, _ = channel_next(past, buffer, window, high, low)
    return 0.5 * (top + bottom) if now.high.filled >= window else math.nan, now


@spine
def ichimoku_next(past, parts, params, high, low):  # type: ignore[no-untyped-def]
    """One bar of one asset; `parts` are the buffers of the ranges and of what waits. The four lines as a tuple, and what comes after."""
    if high != high or low != low:
        return (math.nan, math.nan, math.nan, math.nan), past
    conversion, fast = _middle_next(past.fast, parts[0], params.fast, high, low)
    base, middle = _middle_next(past.middle, parts[1], params.middle, high, low)
    both, slow = _middle_next(past.slow, parts[2], params.slow, high, low)
    waiting, place = parts[3], past.place
    span_a, span_b = waiting[2 * place], waiting[2 * place + 1]
    waiting[2 * place] = 0.5 * (conversion + base)
    waiting[2 * place + 1] = both
    return (conversion, base, span_a, span_b), Cloud(fast, middle, slow, place + 1 if place + 1 < params.middle else 0)


@kernel
def _parts(buffer, params):  # type: ignore[no-untyped-def]
    """The buffers of the three ranges, and that of the spans that wait."""
    first, second = 4 * params.fast, 4 * (params.fast + params.middle)
    third = second + 4 * params.slow
    return buffer[:first], buffer[first:second], buffer[second:third], buffer[third:]


@kernel
def ichimoku_step(state, buffer, params, high, low):  # type: ignore[no-untyped-def]
    """`ichimoku_next` on a record."""
    lines, now = ichimoku_next(ichimoku_load(state), _parts(buffer, params), params, high, low)
    ichimoku_store(state, now)
    return lines


@kernel_loop
def ichimoku_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    high, low = rows
    bars, length = high.shape[0], chunk_length(high.shape[1])
    for start in range(0, bars, length):
        for n in range(high.shape[1]):
            now, parts = ichimoku_load(states[n]), _parts(borrowed(buffers[n]), params[0])
            for t in range(start, min(start + length, bars)):
                lines, now = ichimoku_next(now, parts, params[0], high[t, n], low[t, n])
                out[0, t, n], out[1, t, n], out[2, t, n], out[3, t, n] = lines
            ichimoku_store(states[n], now)


def ichimoku(bars: Any, conversion: int = 9, base: int = 26, span: int = 52) -> Any:
    """Ichimoku kinko hyo (G. Hosoda, 1969), each line as it is drawn at this bar: nothing looks ahead.

    A line is the middle, `(highest high + lowest low)/2`, of the last present bars: the conversion line (tenkan) of `conversion`, the base
    line (kijun) of `base`. The leading spans at this bar are what was computed `base` present bars earlier: `span_a` the mean of
    conversion and base line, `span_b` the middle of `span` bars. Compare prices with them as they are. The lagging span (chikou) is not
    given: it is today's close drawn in the past, and at a past bar it would be the future.

    Parameters
    ----------
    bars : Bars, a float64 block (5, T, N) of open, high, low, close, volume, or a pandas or polars frame of one asset with columns high
        and low. NaN is a bar without a market.
    conversion, base, span : bars, at least 1, each larger than the one before.

    Returns
    -------
    Ichimoku(conversion, base, span_a, span_b), each a (T, N) array, or a Series for a frame, in price units: NaN on NaN bars and at first,
    `span_a` for `2*base - 1` bars, `span_b` for `base + span - 1`.

    Raises
    ------
    ConfigError for parameters that may not be; InputError for prices that are not usable.
    """
    return compute(ICHIMOKU, (bars,), conversion, base, span)


ICHIMOKU = Kernel(
    name="ichimoku",
    parameters=(whole("conversion", 9, below="base"), whole("base", 26, below="span"), whole("span", 52)),
    params=ICHIMOKU_PARAMS, state=ICHIMOKU_STATE, init=ichimoku_init, step=ichimoku_step, run=ichimoku_run, function=ichimoku,
    inputs=("high", "low"), result=Ichimoku, warmup=lambda conversion, base, span: base + span - 1,
)  # fmt: skip
