"""Lines that trail the price and turn when it crosses them: Supertrend and Wilder's parabolic SAR.

A bar with a missing price is no market: it has no value, and the line stays where it was.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .._typing import ArrayTN, Records
from ..core.jit import kernel, kernel_loop
from ..core.kernel import Kernel, whole
from ..core.space import Domain
from ..core.state import records
from .compute import compute
from .volatility import ATR_FIELDS, atr_step

__all__ = [
    "PARABOLIC_SAR", "SUPERTREND", "Supertrend", "parabolic_sar", "sar_init", "sar_run", "sar_step", "supertrend", "supertrend_init",
    "supertrend_run", "supertrend_step",
]  # fmt: skip

SUPERTREND_PARAMS = np.dtype([("multiplier", "f8"), ("window", "i8")], align=True)
# its own fields first: numba would take a record that begins like ATR_STATE for one of those, and warns of it
SUPERTREND_STATE = np.dtype([("upper", "f8"), ("lower", "f8"), ("direction", "f8"), *ATR_FIELDS], align=True)


class Supertrend(NamedTuple):
    """The line in price units, and 1 where it is below the price, -1 where it is above."""

    line: Any
    direction: Any


def supertrend_init(assets: int, window: int, multiplier: float) -> tuple[Records, ArrayTN, Records]:
    """States, no buffers, parameters: SUPERTREND_STATE (N,), (N, 0), SUPERTREND_PARAMS (1,)."""
    params = records(SUPERTREND_PARAMS, 1)
    params.window[0] = window
    params.multiplier[0] = multiplier
    return records(SUPERTREND_STATE, assets), np.zeros((assets, 0)), params


@kernel
def supertrend_step(state, buffer, params, high, low, close):  # type: ignore[no-untyped-def]
    """One bar of one asset: (line, direction)."""
    if high != high or low != low or close != close:
        return math.nan, math.nan
    before = state.close
    reach = params.multiplier * atr_step(state, buffer, params, high, low, close)
    if reach != reach:
        return math.nan, math.nan
    middle = 0.5 * (high + low)
    upper, lower = middle + reach, middle - reach
    if state.direction == 0.0:  # the first bands
        state.upper = upper
        state.lower = lower
        state.direction = -1.0
        return upper, -1.0
    # a band comes nearer, but moves away only after a close beyond it
    if upper < state.upper or before > state.upper:
        state.upper = upper
    if lower > state.lower or before < state.lower:
        state.lower = lower
    if state.direction < 0.0 and close > state.upper:
        state.direction = 1.0
    elif state.direction > 0.0 and close < state.lower:
        state.direction = -1.0
    return state.lower if state.direction > 0.0 else state.upper, state.direction


@kernel_loop
def supertrend_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    high, low, close = rows
    for t in range(close.shape[0]):
        for n in range(close.shape[1]):
            out[0, t, n], out[1, t, n] = supertrend_step(states[n], buffers[n], params[0], high[t, n], low[t, n], close[t, n])


def supertrend(bars: Any, window: int = 10, multiplier: float = 3.0) -> Any:
    """Supertrend: a band of `multiplier` ATR around the middle of the bar that only comes nearer, until a close beyond it turns the trend.

    The bands are `(high + low)/2 +- multiplier*atr(bars, window)`. The upper one replaces its last value when it is lower, or when the
    close before was above that value; the lower one when it is higher, or the close before was below. In a down trend the line is the
    upper band, and a close above it makes an up trend, whose line is the lower band, until a close below that. The indicator (O. Seban) has
    no paper; the first bar with an ATR is in a down trend, as on TradingView.

    Parameters
    ----------
    bars : Bars, a float64 block (5, T, N) of open, high, low, close, volume, or a pandas or polars frame of one asset with columns high,
        low, close. NaN is a bar without a market.
    window : bars of the ATR, at least 1.
    multiplier : width of a band in ATR, at least 0.

    Returns
    -------
    Supertrend(line, direction), each a (T, N) array, or a Series for a frame: the line in price units, the direction 1 or -1. NaN before
    `window` bars and on NaN bars.

    Raises
    ------
    ConfigError for parameters that may not be; InputError for prices that are not usable.
    """
    return compute(SUPERTREND, (bars,), window, multiplier)


SUPERTREND = Kernel(
    name="supertrend", parameters=(whole(default=10), Domain(name="multiplier", default=3.0, low=0.0)), params=SUPERTREND_PARAMS,
    state=SUPERTREND_STATE, init=supertrend_init, step=supertrend_step, run=supertrend_run, function=supertrend,
    inputs=("high", "low", "close"), result=Supertrend, warmup=lambda window, multiplier: window - 1,
)  # fmt: skip

SAR_PARAMS = np.dtype([("factor_step", "f8"), ("factor_limit", "f8")], align=True)
SAR_STATE = np.dtype(
    [("stop", "f8"), ("extreme", "f8"), ("factor", "f8"), ("side", "f8"), ("high", "f8"), ("low", "f8"), ("count", "i8")], align=True
)


def sar_init(assets: int, step: float, maximum: float) -> tuple[Records, ArrayTN, Records]:
    """States, no buffers, parameters: SAR_STATE (N,), (N, 0), SAR_PARAMS (1,)."""
    params = records(SAR_PARAMS, 1)
    params.factor_step[0] = min(step, maximum)
    params.factor_limit[0] = maximum
    return records(SAR_STATE, assets), np.zeros((assets, 0)), params


@kernel
def _sar_begin(state, params, high, low):  # type: ignore[no-untyped-def]
    """The second bar: up, unless the low fell, and by more than the high rose; the first stop is the far end of the first bar."""
    fell, rose = state.low - low, high - state.high
    state.side = -1.0 if fell > 0.0 and fell > rose else 1.0
    state.stop = state.low if state.side > 0.0 else -state.high
    state.extreme = high if state.side > 0.0 else -low
    state.factor = params.factor_step
    state.high = high
    state.low = low


@kernel
def sar_step(state, buffer, params, high, low):  # type: ignore[no-untyped-def]
    """One bar of one asset. `stop` and `extreme` are kept times `side`, so that a fall is a rise upside down."""
    if high != high or low != low:
        return math.nan
    state.count += 1
    if state.count == 1:
        state.high = high
        state.low = low
        return math.nan
    if state.count == 2:
        _sar_begin(state, params, high, low)
    side = state.side
    top, bottom = (high, low) if side > 0.0 else (-low, -high)
    top_before, bottom_before = (state.high, state.low) if side > 0.0 else (-state.low, -state.high)
    state.high = high
    state.low = low
    if bottom <= state.stop:
        stop = max(state.extreme, top_before, top)
        following = max(stop + params.factor_step * (bottom - stop), top_before, top)
        state.side = -side
        state.stop = -following
        state.extreme = -bottom
        state.factor = params.factor_step
        return side * stop
    stop = state.stop
    if top > state.extreme:
        state.extreme = top
        state.factor = min(state.factor + params.factor_step, params.factor_limit)
    state.stop = min(stop + state.factor * (state.extreme - stop), bottom_before, bottom)
    return side * stop


@kernel_loop
def sar_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    high, low = rows
    for t in range(high.shape[0]):
        for n in range(high.shape[1]):
            out[t, n] = sar_step(states[n], buffers[n], params[0], high[t, n], low[t, n])


def parabolic_sar(bars: Any, step: float = 0.02, maximum: float = 0.2) -> Any:
    """Parabolic stop and reverse after Wilder (1978): the stop of a bar, known before the bar begins unless it turns there.

    J. W. Wilder, New Concepts in Technical Trading Systems. In an up trend the stop moves by `factor*(extreme - stop)` a bar, the extreme
    being the highest high of the trend; each new extreme adds `step` to the factor, up to `maximum`; the stop never enters the range of
    this bar and the one before. A low at or below the stop turns the trend: the stop of that bar is the extreme, or the higher of the last
    two highs, and the factor is `step` again. A down trend is the same upside down. As in TA-Lib, the second present bar begins the first
    trend: down if the low fell, and by more than the high rose, else up, with the low (high) of the first bar as its stop.

    Parameters
    ----------
    bars : Bars, a float64 block (5, T, N) of open, high, low, close, volume, or a pandas or polars frame of one asset with columns high
        and low. NaN is a bar without a market.
    step : what each new extreme adds to the factor, from 0 to 1; no more than `maximum` is used.
    maximum : the largest factor, from 0 to 1.

    Returns
    -------
    (T, N) array, or a Series for a frame, in price units: NaN on the first present bar and on NaN bars.

    Raises
    ------
    ConfigError for parameters that may not be; InputError for prices that are not usable.
    """
    return compute(PARABOLIC_SAR, (bars,), step, maximum)


PARABOLIC_SAR = Kernel(
    name="parabolic_sar",
    parameters=(Domain(name="step", default=0.02, low=0.0, high=1.0), Domain(name="maximum", default=0.2, low=0.0, high=1.0)),
    params=SAR_PARAMS, state=SAR_STATE, init=sar_init, step=sar_step, run=sar_run, function=parabolic_sar, inputs=("high", "low"),
    warmup=lambda step, maximum: 1,
)  # fmt: skip
