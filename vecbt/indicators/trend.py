"""Whether prices go somewhere: Wilder's directional movement, and Aroon.

A bar with a missing price is no market: it has no value, and the next bar is compared with the last one that had a market.
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
from .volatility import reach_from
from .windows import chunk_length

__all__ = [
    "ADX", "AROON", "Adx", "Aroon", "adx", "adx_init", "adx_run", "adx_step", "aroon", "aroon_init", "aroon_load", "aroon_next",
    "aroon_run", "aroon_step", "aroon_store",
]  # fmt: skip

_NOTHING = 1e-280
"""A smoothed range this small is no range: thousands of flat bars later its last digits are gone, and a ratio of such sums says nothing."""

ADX_PARAMS = np.dtype([("window", "i8")], align=True)
ADX_STATE = np.dtype(
    [
        ("high", "f8"), ("low", "f8"), ("close", "f8"), ("plus", "f8"), ("minus", "f8"), ("reach", "f8"), ("value", "f8"), ("count", "i8"),
    ],
    align=True,
)  # fmt: skip


class Adx(NamedTuple):
    """Average directional index and the directional indicators, each from 0 to 100."""

    adx: Any
    plus_di: Any
    minus_di: Any


def adx_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """States, no buffers, parameters: ADX_STATE (N,), (N, 0), ADX_PARAMS (1,)."""
    params = records(ADX_PARAMS, 1)
    params.window[0] = window
    return records(ADX_STATE, assets), np.zeros((assets, 0)), params


@kernel
def _smoothed(total, new, window, so_far):  # type: ignore[no-untyped-def]
    """Wilder's running sum, and plain addition while there are fewer than `window`."""
    return total + new if so_far < window else total - total / window + new


@kernel
def _adx_take(state, window, high, low, close):  # type: ignore[no-untyped-def]
    """Directional movement and true range of one bar into their running sums."""
    up, down = high - state.high, state.low - low
    # the larger of both, if above zero: choices between two values, not branches, because they cannot be foreseen
    plus = up if up > down else 0.0
    minus = down if down > up else 0.0
    state.plus = _smoothed(state.plus, max(plus, 0.0), window, state.count)
    state.minus = _smoothed(state.minus, max(minus, 0.0), window, state.count)
    state.reach = _smoothed(state.reach, reach_from(state.close, high, low), window, state.count)
    if state.reach < _NOTHING:
        state.plus = 0.0
        state.minus = 0.0
        state.reach = 0.0


@kernel
def adx_step(state, buffer, params, high, low, close):  # type: ignore[no-untyped-def]
    """One bar of one asset: (ADX, +DI, -DI)."""
    window, moves = params.window, state.count
    if high != high or low != low or close != close:
        return math.nan, math.nan, math.nan
    if moves > 0:
        _adx_take(state, window, high, low, close)
    state.high = high
    state.low = low
    state.close = close
    state.count += 1
    if moves < window:
        return math.nan, math.nan, math.nan
    plus = 100.0 * (state.plus / state.reach) if state.reach > 0.0 else 0.0
    minus = 100.0 * (state.minus / state.reach) if state.reach > 0.0 else 0.0
    index = 100.0 * (abs(plus - minus) / (plus + minus)) if plus + minus > 0.0 else 0.0
    if moves < 2 * window:
        state.value += index  # their sum, until the seed is complete
        if moves < 2 * window - 1:
            return math.nan, plus, minus
        state.value = state.value / window
    else:
        state.value = (state.value * (window - 1) + index) / window
    return state.value, plus, minus


@kernel_loop
def adx_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    high, low, close = rows
    for t in range(close.shape[0]):
        for n in range(close.shape[1]):
            out[0, t, n], out[1, t, n], out[2, t, n] = adx_step(states[n], buffers[n], params[0], high[t, n], low[t, n], close[t, n])


def adx(bars: Any, window: int = 14) -> Any:
    """Average directional index and the directional indicators +DI and -DI, after Wilder (1978).

    J. W. Wilder, New Concepts in Technical Trading Systems. With `up = high - high before` and `down = low before - low`, the movement of a
    bar is `up` where that is the larger of both and above zero, `-down` where that is, else none. `+DI` is 100 times the smoothed upward
    movement over the smoothed true range, `-DI` that of the downward; `DX = 100*|+DI - -DI|/(+DI + -DI)`, and ADX is the average of DX,
    `(value*(window - 1) + DX)/window`, whose seed is the mean of the first `window`. Without any movement the indicators and DX are 0.

    Movements are smoothed as in TA-Lib: `sum = sum - sum/window + new`, from the sum of the first `window - 1` on (Wilder adds up
    `window`). With a window of 1, where TA-Lib gives fractions and no ADX, all is in percent too, and ADX is DX.

    Parameters
    ----------
    bars : Bars, a float64 block (5, T, N) of open, high, low, close, volume, or a pandas or polars frame of one asset with columns high,
        low, close. NaN is a bar without a market.
    window : bars, at least 1.

    Returns
    -------
    Adx(adx, plus_di, minus_di), each a (T, N) array, or a Series for a frame, from 0 to 100: NaN on NaN bars and at first, the indicators
    for `window` bars, ADX for `2*window - 1`.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for prices that are not usable.
    """
    return compute(ADX, (bars,), window)


ADX = Kernel(
    name="adx", parameters=(whole(default=14),), params=ADX_PARAMS, state=ADX_STATE, init=adx_init, step=adx_step, run=adx_run,
    function=adx, inputs=("high", "low", "close"), result=Adx, warmup=lambda window: 2 * window - 1,
)  # fmt: skip

AROON_PARAMS = np.dtype([("window", "i8")], align=True)
AROON_STATE = np.dtype(CHANNEL_FIELDS, align=True)


class Aroon(NamedTuple):
    """How fresh the highest high and the lowest low are, from 0 to 100, and their difference, from -100 to 100."""

    up: Any
    down: Any
    oscillator: Any


def aroon_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: AROON_STATE (N,), float64 (N, 4*(window + 1)), AROON_PARAMS (1,)."""
    params = records(AROON_PARAMS, 1)
    params.window[0] = window
    return records(AROON_STATE, assets), channel_buffers(assets, window + 1), params


@kernel
def aroon_load(state):  # type: ignore[no-untyped-def]
    """A record of AROON_STATE as values."""
    return Channel(
        Peak(state.top, state.top_place, state.head, state.count), Peak(state.bottom, state.bottom_place, state.head, state.count)
    )


@kernel
def aroon_store(state, now):  # type: ignore[no-untyped-def]
    """The values back into the record."""
    state.top = now.high.best
    state.top_place = now.high.place
    state.bottom = now.low.best
    state.bottom_place = now.low.place
    state.head = now.high.head
    state.count = now.high.filled


@spine
def aroon_next(past, buffer, window, high, low):  # type: ignore[no-untyped-def]
    """One bar of one asset: (up, down, oscillator, what comes after)."""
    if high != high or low != low:
        return math.nan, math.nan, math.nan, past
    now, _, high_age, _, low_age = channel_next(past, buffer, window + 1, high, low)
    if now.high.filled <= window:
        return math.nan, math.nan, math.nan, now
    up, down = 100.0 * (window - high_age) / window, 100.0 * (window - low_age) / window
    return up, down, 100.0 * (low_age - high_age) / window, now


@kernel
def aroon_step(state, buffer, params, high, low):  # type: ignore[no-untyped-def]
    """`aroon_next` on a record."""
    up, down, oscillator, now = aroon_next(aroon_load(state), buffer, params.window, high, low)
    aroon_store(state, now)
    return up, down, oscillator


@kernel_loop
def aroon_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    high, low = rows
    bars, length, window = high.shape[0], chunk_length(high.shape[1]), params[0].window
    for start in range(0, bars, length):
        for n in range(high.shape[1]):
            now, buffer = aroon_load(states[n]), borrowed(buffers[n])
            for t in range(start, min(start + length, bars)):
                out[0, t, n], out[1, t, n], out[2, t, n], now = aroon_next(now, buffer, window, high[t, n], low[t, n])
            aroon_store(states[n], now)


def aroon(bars: Any, window: int = 25) -> Any:
    """Aroon after Chande (1995): how fresh the highest high and the lowest low of this bar and the `window` present bars before it are.

    T. Chande, A time price oscillator, Stocks & Commodities 13 (1995). `up = 100*(window - age)/window`, the age being the number of
    present bars since the highest high; `down` the same of the lowest low; the oscillator is `up - down`. Of equal highs or lows the
    latest counts, as in TA-Lib, so a flat price has up and down at 100.

    Parameters
    ----------
    bars : Bars, a float64 block (5, T, N) of open, high, low, close, volume, or a pandas or polars frame of one asset with columns high
        and low. NaN is a bar without a market.
    window : bars, at least 1.

    Returns
    -------
    Aroon(up, down, oscillator), each a (T, N) array, or a Series for a frame: NaN before `window + 1` bars and on NaN bars.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for prices that are not usable.
    """
    return compute(AROON, (bars,), window)


AROON = Kernel(
    name="aroon", parameters=(whole(default=25),), params=AROON_PARAMS, state=AROON_STATE, init=aroon_init, step=aroon_step, run=aroon_run,
    function=aroon, inputs=("high", "low"), result=Aroon, warmup=lambda window: window,
)  # fmt: skip
