"""Bands around prices: Bollinger's bands, the Keltner channel, the Donchian channel.

Missing values are bars without a market: they have no band and enter nothing.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .._typing import ArrayTN, Records
from ..core.jit import borrowed, kernel, kernel_loop, spine
from ..core.kernel import Kernel, whole
from ..core.space import Domain
from ..core.state import records
from .abreast import spread_all, spread_load, spread_store
from .anchored import moments_deviation, moments_load, moments_store, run_length, spread_next
from .compute import compute
from .moving import ema_next
from .peaks import CHANNEL_FIELDS, Channel, Peak, channel_buffers, peak_next
from .volatility import atr_step
from .windows import MOMENTS_FIELDS, SIDE_BY_SIDE, Moments, moments_mean, moments_variance, part_ways

__all__ = [
    "BOLLINGER", "DONCHIAN", "KELTNER", "Bollinger", "Channels", "bollinger", "bollinger_init", "bollinger_lines", "bollinger_run",
    "bollinger_step", "donchian", "donchian_init", "donchian_next", "donchian_run", "donchian_step", "keltner", "keltner_init",
    "keltner_run", "keltner_step",
]  # fmt: skip

BOLLINGER_PARAMS = np.dtype([("window", "i8"), ("width", "f8")], align=True)
BOLLINGER_STATE = np.dtype([("apart", "i8"), *MOMENTS_FIELDS], align=True)


class Bollinger(NamedTuple):
    """Bollinger's bands: three lines in price units, their bandwidth, and where in the bands the value stands (%b)."""

    upper: Any
    middle: Any
    lower: Any
    bandwidth: Any
    percent: Any


def bollinger_init(assets: int, window: int, width: float) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: BOLLINGER_STATE (N,), float64 (N, 3 * window), BOLLINGER_PARAMS (1,)."""
    params = records(BOLLINGER_PARAMS, 1)
    params.window[0] = window
    params.width[0] = width
    return records(BOLLINGER_STATE, assets), np.zeros((assets, 3 * window)), params


@kernel
def bollinger_lines(now, total, squares, width, value):  # type: ignore[no-untyped-def]
    """Upper, middle, lower, bandwidth and percent of a full window, out of its anchored sums."""
    middle = moments_mean(now, total)
    reach = width * math.sqrt(moments_variance(now, total, squares, 0))
    bandwidth = 2.0 * reach / middle if middle != 0.0 else math.nan
    percent = 0.5 + 0.5 * moments_deviation(now, total, value) / reach if reach > 0.0 else math.nan
    return middle + reach, middle, middle - reach, bandwidth, percent


@kernel
def bollinger_step(state, buffer, params, value):  # type: ignore[no-untyped-def]
    """One bar of one asset: five values, NaN before the window is full and on a missing bar."""
    now, total, squares = spread_next(moments_load(state), buffer, params.window, value)
    moments_store(state, now)
    full = Moments(now.anchor, 0.0, 0.0, 0, params.window)
    return bollinger_lines(full, total, squares, params.width, value)


@spine
def _lines(sums, window, width, values, out, t):  # type: ignore[no-untyped-def]
    """One bar of all assets, out of rows of their anchored sums. Roots and divisions of neighbours are done together."""
    anchors, totals, squares = sums
    # each row on its own is known to be contiguous
    upper, middle, lower, bandwidth, percent = out[0, t], out[1, t], out[2, t], out[3, t], out[4, t]
    for n in range(values.shape[0]):
        full = Moments(anchors[n], 0.0, 0.0, 0, window)
        upper[n], middle[n], lower[n], bandwidth[n], percent[n] = bollinger_lines(full, totals[n], squares[n], width, values[n])


@kernel_loop
def _side_by_side(states, ring, params, values, out):  # type: ignore[no-untyped-def]
    """Bars of all assets at once, until one that some have and others miss; gives that bar."""
    window, width, rows, place, t = params.window, params.width, spread_load(states), (states[0].head, states[0].count), 0
    while t < values.shape[0]:
        row = borrowed(values[t])
        place, missing = spread_all(rows, ring, window, place, row)
        if 0 < missing < values.shape[1]:
            break
        _lines((rows.anchor, rows.total, rows.squares), window, width, row, out, t)
        t += 1
    spread_store(states, rows, place)
    return t


@kernel
def _sums(states, buffers, window, values, out, span):  # type: ignore[no-untyped-def]
    """The anchored sums of the bars of a span, where their lines will stand: anchor, sum, sum of squares."""
    for n in range(values.shape[1]):
        now, buffer = moments_load(states[n]), borrowed(buffers[n])
        for t in range(span[0], span[1]):
            now, out[1, t, n], out[2, t, n] = spread_next(now, buffer, window, values[t, n])
            out[0, t, n] = now.anchor
        moments_store(states[n], now)


@kernel_loop
def bollinger_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    values, window, width = rows[0], params[0].window, params[0].width
    (bars, assets), first = values.shape, 0
    if assets >= SIDE_BY_SIDE and states[0].apart == 0:
        first = _side_by_side(states, buffers.reshape(buffers.shape[1], assets), params[0], values, out)
        if first < bars:
            part_ways(states, buffers)
    # what the first pass leaves is still in the cache when the second one takes it
    length = run_length(assets)
    for start in range(first, bars, length):
        stop = min(start + length, bars)
        _sums(states, buffers, window, values, out, (start, stop))
        for t in range(start, stop):
            _lines((out[0, t], out[1, t], out[2, t]), window, width, values[t], out, t)


def bollinger(values: Any, window: int = 20, width: float = 2.0) -> Any:
    """Bollinger's bands (Bollinger 2001): the mean of the last `window` values, and `width` standard deviations around it.

    The deviation is that of the population (divided by `window`). `bandwidth = (upper - lower)/middle` and
    `percent = (value - lower)/(upper - lower)`, his %b: 1 at the upper band, 0 at the lower one.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes), in price units.
        NaN is a bar without a market; infinite values are refused.
    window : bars, at least 1.
    width : standard deviations from the middle to a band, at least 0.

    Returns
    -------
    Bollinger(upper, middle, lower, bandwidth, percent), each of the type that came in ((T, N) arrays for Bars): the lines in price
    units, bandwidth and percent as fractions. NaN before `window` values are there and on missing bars. In a flat window the lines are
    the price itself and percent is NaN; bandwidth is NaN where the middle is 0.

    Raises
    ------
    ConfigError for a window or width that may not be; InputError for values that are not numbers.
    """
    return compute(BOLLINGER, (values,), window, width)


BOLLINGER = Kernel(
    name="bollinger", parameters=(whole(default=20), Domain(name="width", default=2.0, low=0.0)), params=BOLLINGER_PARAMS,
    state=BOLLINGER_STATE, init=bollinger_init, step=bollinger_step, run=bollinger_run, function=bollinger, result=Bollinger,
    warmup=lambda window, width: window - 1,
)  # fmt: skip


class Channels(NamedTuple):
    """Three lines in price units."""

    upper: Any
    middle: Any
    lower: Any


KELTNER_PARAMS = np.dtype([("multiplier", "f8"), ("alpha", "f8"), ("span", "i8"), ("window", "i8")], align=True)
# `value`, `close` and `count` are those of the average true range. They stand last, because numba takes a record for another one whose
# fields it begins with, and warns.
KELTNER_STATE = np.dtype([("middle", "f8"), ("seen", "i8"), ("value", "f8"), ("close", "f8"), ("count", "i8")], align=True)


def keltner_init(assets: int, span: int, window: int, multiplier: float) -> tuple[Records, ArrayTN, Records]:
    """States, no buffers, parameters: KELTNER_STATE (N,), (N, 0), KELTNER_PARAMS (1,)."""
    params = records(KELTNER_PARAMS, 1)
    params.span[0] = span
    params.alpha[0] = 2.0 / (span + 1.0)
    params.window[0] = window
    params.multiplier[0] = multiplier
    return records(KELTNER_STATE, assets), np.zeros((assets, 0)), params


@spine
def keltner_step(state, buffer, params, high, low, close):  # type: ignore[no-untyped-def]
    """One bar of one asset: upper, middle, lower, NaN before both averages are there and on a missing bar."""
    if high != high or low != low or close != close:
        return math.nan, math.nan, math.nan
    reach = params.multiplier * atr_step(state, buffer, params, high, low, close)
    state.seen += 1
    state.middle = ema_next(state.middle, state.seen, params.span, params.alpha, close)
    if state.seen < params.span or reach != reach:
        return math.nan, math.nan, math.nan
    return state.middle + reach, state.middle, state.middle - reach


@kernel_loop
def keltner_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    high, low, close = rows
    for t in range(close.shape[0]):
        for n in range(close.shape[1]):
            upper, middle, lower = keltner_step(states[n], borrowed(buffers[n]), params[0], high[t, n], low[t, n], close[t, n])
            out[0, t, n] = upper
            out[1, t, n] = middle
            out[2, t, n] = lower


def keltner(bars: Any, span: int = 20, window: int = 10, multiplier: float = 2.0) -> Any:
    """Keltner channel: the exponential average of the closes, and `multiplier` average true ranges around it.

    This is the form in use since Raschke's, with `ema` of the close and Wilder's `atr`. Keltner's own of 1960 had simple averages of
    typical prices and of `high - low` over ten days.

    Parameters
    ----------
    bars : Bars, a float64 block (5, T, N) of open, high, low, close, volume, or a pandas or polars frame of one
        asset with columns high, low, close. NaN is a bar without a market.
    span : bars of the exponential average, at least 1.
    window : bars of the average true range, at least 1.
    multiplier : average true ranges from the middle to a line, at least 0.

    Returns
    -------
    Channels(upper, middle, lower), each a (T, N) array, or a Series for a frame, in price units: NaN before both averages are there and
    on missing bars.

    Raises
    ------
    ConfigError for a parameter that may not be; InputError for prices that are not usable.
    """
    return compute(KELTNER, (bars,), span, window, multiplier)


KELTNER = Kernel(
    name="keltner", parameters=(whole("span", 20), whole(default=10), Domain(name="multiplier", default=2.0, low=0.0)),
    params=KELTNER_PARAMS, state=KELTNER_STATE, init=keltner_init, step=keltner_step, run=keltner_run, function=keltner,
    inputs=("high", "low", "close"), result=Channels, warmup=lambda span, window, multiplier: max(span, window) - 1,
)  # fmt: skip

DONCHIAN_PARAMS = np.dtype([("window", "i8")], align=True)
DONCHIAN_STATE = np.dtype(CHANNEL_FIELDS, align=True)


def donchian_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: DONCHIAN_STATE (N,), float64 (N, 4 * window), DONCHIAN_PARAMS (1,)."""
    params = records(DONCHIAN_PARAMS, 1)
    params.window[0] = window
    return records(DONCHIAN_STATE, assets), channel_buffers(assets, window), params


@kernel
def _channel_load(state):  # type: ignore[no-untyped-def]
    high = Peak(state.top, state.top_place, state.head, state.count)
    return Channel(high, Peak(state.bottom, state.bottom_place, state.head, state.count))


@kernel
def _channel_store(state, now):  # type: ignore[no-untyped-def]
    state.top = now.high.best
    state.top_place = now.high.place
    state.bottom = now.low.best
    state.bottom_place = now.low.place
    state.head = now.high.head
    state.count = now.high.filled


@spine
def donchian_next(past, highs, lows, window, high, low):  # type: ignore[no-untyped-def]
    """One bar of one asset: (Channel, upper, middle, lower); the lines are NaN before the window is full and on a missing bar.

    `highs` and `lows` are the halves of the buffer, the second of negated lows: cut once a stretch, not once a bar.
    """
    if high != high or low != low:
        return past, math.nan, math.nan, math.nan
    top, upper, _ = peak_next(past.high, highs, window, high)
    bottom, negated, _ = peak_next(past.low, lows, window, -low)
    if top.filled < window:
        return Channel(top, bottom), math.nan, math.nan, math.nan
    return Channel(top, bottom), upper, 0.5 * (upper - negated), -negated


@kernel
def donchian_step(state, buffer, params, high, low):  # type: ignore[no-untyped-def]
    """`donchian_next` on a record."""
    window = params.window
    now, upper, middle, lower = donchian_next(_channel_load(state), buffer[: 2 * window], buffer[2 * window :], window, high, low)
    _channel_store(state, now)
    return upper, middle, lower


@kernel_loop
def donchian_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    (high, low), window = rows, params[0].window
    bars, length = high.shape[0], run_length(high.shape[1])
    for start in range(0, bars, length):
        for n in range(high.shape[1]):
            now = _channel_load(states[n])
            highs, lows = borrowed(buffers[n][: 2 * window]), borrowed(buffers[n][2 * window :])
            for t in range(start, min(start + length, bars)):
                now, upper, middle, lower = donchian_next(now, highs, lows, window, high[t, n], low[t, n])
                out[0, t, n] = upper
                out[1, t, n] = middle
                out[2, t, n] = lower
            _channel_store(states[n], now)


def donchian(bars: Any, window: int = 20) -> Any:
    """Donchian channel: the highest high and the lowest low of the last `window` bars, and the middle between them.

    This bar is one of them, so no price of it is outside. For a breakout compare with the channel of the bar before:
    `crossed_above(close, lag(donchian(bars, 20).upper))`.

    Parameters
    ----------
    bars : Bars, a float64 block (5, T, N) of open, high, low, close, volume, or a pandas or polars frame of one
        asset with columns high, low. NaN is a bar without a market.
    window : bars, at least 1.

    Returns
    -------
    Channels(upper, middle, lower), each a (T, N) array, or a Series for a frame, in price units: NaN before `window` bars and on
    missing bars.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for prices that are not usable.
    """
    return compute(DONCHIAN, (bars,), window)


DONCHIAN = Kernel(
    name="donchian", parameters=(whole(default=20),), params=DONCHIAN_PARAMS, state=DONCHIAN_STATE, init=donchian_init,
    step=donchian_step, run=donchian_run, function=donchian, inputs=("high", "low"), result=Channels,
    warmup=lambda window: window - 1,
)  # fmt: skip
