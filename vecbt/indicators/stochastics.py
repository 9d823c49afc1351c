"""Where the price stands between the highest and the lowest of a window: stochastic, Williams' %R, the stochastic of the RSI.

A bar with a missing price is no market: NaN there, and nothing of it enters. A window without a range has no place in it: NaN, and the
averages of the places leave the bar out.
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
from .moving import Sma, sma_next
from .oscillators import RSI_FIELDS, rsi_next
from .windows import Window, chunk_length

__all__ = [
    "STOCHASTIC", "STOCH_RSI", "WILLIAMS_R", "Parts", "StochRsi", "Stochastic", "highest_next", "place_next", "smooth_next", "stoch_rsi",
    "stoch_rsi_init", "stoch_rsi_next", "stoch_rsi_run", "stoch_rsi_step", "stochastic", "stochastic_init",
    "stochastic_next", "stochastic_parts", "stochastic_run", "stochastic_step", "williams_r", "williams_r_init", "williams_r_next",
    "williams_r_run", "williams_r_step",
]  # fmt: skip

_RANGE_FIELDS = [("top", "f8"), ("bottom", "f8"), ("place", "i8"), ("filled", "i8")]
_AVERAGE_FIELDS = (("prefix", "f8"), ("head", "i8"), ("count", "i8"), ("last", "f8"), ("same", "i8"))
_SMOOTH_FIELDS = [(f"{part}_{name}", kind) for part in ("k", "d") for name, kind in _AVERAGE_FIELDS]


@spine
def highest_next(top, place, buffer, value):  # type: ignore[no-untyped-def]
    """The highest of the chunk that fills, `top` being the one before, and the highest of the window: (top, highest).

    Chunks as in `windows`: the buffer holds, behind `place`, the highest of what is left of the chunk before.
    """
    window = buffer.shape[0]
    buffer[place] = value
    if place == 0 or value > top:
        top = value
    if place + 1 < window:
        rest = buffer[place + 1]
        return top, rest if rest > top else top
    best = buffer[window - 1]
    for i in range(window - 2, -1, -1):
        if buffer[i] > best:
            best = buffer[i]
        buffer[i] = best
    return top, top


@spine
def place_next(state, highs, lows, high, low, value):  # type: ignore[no-untyped-def]
    """Where `value` stands between the lowest low and the highest high of the window, from 0 to 1, NaN while there are too few bars."""
    top, highest = highest_next(state.top, state.place, highs, high)
    bottom, lowest = highest_next(state.bottom, state.place, lows, -low)
    window = highs.shape[0]
    state.top = top
    state.bottom = bottom
    state.place = state.place + 1 if state.place + 1 < window else 0
    if state.filled < window:
        state.filled += 1
        if state.filled < window:
            return math.nan
    reach = highest + lowest  # the lows stand there with a minus, so that one comparison does for both
    return (value + lowest) / reach if reach > 0.0 else math.nan


@spine
def smooth_next(state, smooth, signal, raw):  # type: ignore[no-untyped-def]
    """The mean of the last raw values, and the mean of the last means: (k, d)."""
    past = Sma(Window(state.k_prefix, state.k_head, state.k_count), state.k_last, state.k_same)
    k, now = sma_next(past, smooth, raw)
    state.k_prefix = now.sums.prefix
    state.k_head = now.sums.head
    state.k_count = now.sums.filled
    state.k_last = now.last
    state.k_same = now.same
    past = Sma(Window(state.d_prefix, state.d_head, state.d_count), state.d_last, state.d_same)
    d, now = sma_next(past, signal, k)
    state.d_prefix = now.sums.prefix
    state.d_head = now.sums.head
    state.d_count = now.sums.filled
    state.d_last = now.last
    state.d_same = now.same
    return k, d


class Parts(NamedTuple):
    """A buffer cut into its windows."""

    highs: Any
    lows: Any
    smooth: Any
    signal: Any


WILLIAMS_PARAMS = np.dtype([("window", "i8")], align=True)
WILLIAMS_STATE = np.dtype(_RANGE_FIELDS, align=True)


def williams_r_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: WILLIAMS_STATE (N,), float64 (N, 2*window) of highs and lows, WILLIAMS_PARAMS (1,)."""
    params = records(WILLIAMS_PARAMS, 1)
    params.window[0] = window
    return records(WILLIAMS_STATE, assets), np.zeros((assets, 2 * window)), params


@spine
def williams_r_next(state, highs, lows, high, low, close):  # type: ignore[no-untyped-def]
    """One bar of one asset: how far the close is below the top of the window, in percent of the window's range."""
    if high != high or low != low or close != close:
        return math.nan
    return 100.0 * place_next(state, highs, lows, high, low, close) - 100.0


@kernel
def williams_r_step(state, buffer, params, high, low, close):  # type: ignore[no-untyped-def]
    """`williams_r_next` on the two halves of a buffer."""
    return williams_r_next(state, buffer[: params.window], buffer[params.window :], high, low, close)


@kernel_loop
def williams_r_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    high, low, close = rows
    bars, length, window = close.shape[0], chunk_length(close.shape[1]), params[0].window
    for start in range(0, bars, length):
        for n in range(close.shape[1]):
            state, buffer = states[n], borrowed(buffers[n])
            highs, lows = buffer[:window], buffer[window:]
            for t in range(start, min(start + length, bars)):
                out[t, n] = williams_r_next(state, highs, lows, high[t, n], low[t, n], close[t, n])


def williams_r(bars: Any, window: int = 14) -> Any:
    """Williams' %R (1973): `-100*(highest - close)/(highest - lowest)` of the highs and lows of the last `window` bars.

    Parameters
    ----------
    bars : Bars, a float64 block (5, T, N) of open, high, low, close, volume, or a pandas or polars frame of one asset with columns
        high, low, close. NaN is a bar without a market.
    window : bars, at least 1

    Returns
    -------
    (T, N) array, or a Series for a frame, -100 to 0: NaN before `window` bars, on missing bars, and where the window has no range
    (TA-Lib has 0 there).

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for prices that are not usable.
    """
    return compute(WILLIAMS_R, (bars,), window)


WILLIAMS_R = Kernel(
    name="williams_r", parameters=(whole(default=14),), params=WILLIAMS_PARAMS, state=WILLIAMS_STATE, init=williams_r_init,
    step=williams_r_step, run=williams_r_run, function=williams_r, inputs=("high", "low", "close"), warmup=lambda window: window - 1,
)  # fmt: skip

STOCHASTIC_PARAMS = np.dtype([("window", "i8"), ("smooth", "i8"), ("signal", "i8")], align=True)
STOCHASTIC_STATE = np.dtype([*_SMOOTH_FIELDS, *_RANGE_FIELDS], align=True)


def stochastic_init(assets: int, window: int, smooth: int, signal: int) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: STOCHASTIC_STATE (N,), float64 (N, 2*window + smooth + signal), STOCHASTIC_PARAMS (1,)."""
    params = records(STOCHASTIC_PARAMS, 1)
    params.window[0], params.smooth[0], params.signal[0] = window, smooth, signal
    return records(STOCHASTIC_STATE, assets), np.zeros((assets, 2 * window + smooth + signal)), params


@spine
def stochastic_parts(buffer, window, smooth):  # type: ignore[no-untyped-def]
    """The windows of a buffer: highs, lows, places, means."""
    return Parts(buffer[:window], buffer[window : 2 * window], buffer[2 * window : 2 * window + smooth], buffer[2 * window + smooth :])


@spine
def stochastic_next(state, parts, high, low, close):  # type: ignore[no-untyped-def]
    """One bar of one asset beside its windows: (k, d)."""
    if high != high or low != low or close != close:
        return math.nan, math.nan
    return smooth_next(state, parts.smooth, parts.signal, 100.0 * place_next(state, parts.highs, parts.lows, high, low, close))


@kernel
def stochastic_step(state, buffer, params, high, low, close):  # type: ignore[no-untyped-def]
    """`stochastic_next` on the parts of a buffer."""
    return stochastic_next(state, stochastic_parts(buffer, params.window, params.smooth), high, low, close)


@kernel_loop
def stochastic_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    high, low, close = rows
    bars, length, param = close.shape[0], chunk_length(close.shape[1]), params[0]
    for start in range(0, bars, length):
        for n in range(close.shape[1]):
            state, parts = states[n], stochastic_parts(borrowed(buffers[n]), param.window, param.smooth)
            for t in range(start, min(start + length, bars)):
                k, d = stochastic_next(state, parts, high[t, n], low[t, n], close[t, n])
                out[0, t, n] = k
                out[1, t, n] = d


class Stochastic(NamedTuple):
    """What `stochastic` gives, 0 to 100."""

    k: Any
    """%K, the smoothed place of the close."""
    d: Any
    """%D, the mean of %K."""


def stochastic(bars: Any, window: int = 14, smooth: int = 3, signal: int = 3) -> Any:
    """Stochastic oscillator, Lane: `100*(close - lowest)/(highest - lowest)` of the last `window` bars, smoothed, and its mean.

    Parameters
    ----------
    bars : Bars, a float64 block (5, T, N) of open, high, low, close, volume, or a pandas or polars frame of one asset with columns
        high, low, close. NaN is a bar without a market.
    window : bars of highest and lowest, at least 1
    smooth : bars of the mean that is %K, at least 1; 1 is the fast stochastic
    signal : bars of the mean of %K that is %D, at least 1

    Returns
    -------
    `Stochastic(k, d)`, each a (T, N) array, or a Series for a frame, 0 to 100: NaN on missing bars and where the window has no range,
    which enters no mean; %K before `window + smooth - 1` bars, %D before `signal - 1` more. TA-Lib gives %K only from where %D is.

    Raises
    ------
    ConfigError for windows that are no whole numbers of at least 1; InputError for prices that are not usable.
    """
    return compute(STOCHASTIC, (bars,), window, smooth, signal)


STOCHASTIC = Kernel(
    name="stochastic", parameters=(whole(default=14), whole("smooth", 3), whole("signal", 3)), params=STOCHASTIC_PARAMS,
    state=STOCHASTIC_STATE, init=stochastic_init, step=stochastic_step, run=stochastic_run, function=stochastic,
    inputs=("high", "low", "close"), result=Stochastic, warmup=lambda window, smooth, signal: window + smooth + signal - 3,
)  # fmt: skip

STOCH_RSI_PARAMS = np.dtype([("window", "i8"), ("alpha", "f8"), ("stochastic", "i8"), ("smooth", "i8"), ("signal", "i8")], align=True)
# no state begins with all of another one: numba would take it for that one's kind
STOCH_RSI_STATE = np.dtype([*_SMOOTH_FIELDS, *RSI_FIELDS, *_RANGE_FIELDS], align=True)


def stoch_rsi_init(assets: int, window: int, stochastic: int, smooth: int, signal: int) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: STOCH_RSI_STATE (N,), float64 (N, 2*stochastic + smooth + signal), STOCH_RSI_PARAMS (1,)."""
    params = records(STOCH_RSI_PARAMS, 1)
    params.window[0], params.alpha[0] = window, 1.0 / window
    params.stochastic[0], params.smooth[0], params.signal[0] = stochastic, smooth, signal
    return records(STOCH_RSI_STATE, assets), np.zeros((assets, 2 * stochastic + smooth + signal)), params


@spine
def stoch_rsi_next(state, parts, params, price):  # type: ignore[no-untyped-def]
    """One bar of one asset beside its windows: (k, d)."""
    strength = rsi_next(state, params.window, params.alpha, price)
    if strength != strength:
        return math.nan, math.nan
    raw = 100.0 * place_next(state, parts.highs, parts.lows, strength, strength, strength)
    return smooth_next(state, parts.smooth, parts.signal, raw)


@kernel
def stoch_rsi_step(state, buffer, params, price):  # type: ignore[no-untyped-def]
    """`stoch_rsi_next` on the parts of a buffer."""
    return stoch_rsi_next(state, stochastic_parts(buffer, params.stochastic, params.smooth), params, price)


@kernel_loop
def stoch_rsi_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    prices, param = rows[0], params[0]
    bars, length = prices.shape[0], chunk_length(prices.shape[1])
    for start in range(0, bars, length):
        for n in range(prices.shape[1]):
            state, parts = states[n], stochastic_parts(borrowed(buffers[n]), param.stochastic, param.smooth)
            for t in range(start, min(start + length, bars)):
                k, d = stoch_rsi_next(state, parts, param, prices[t, n])
                out[0, t, n] = k
                out[1, t, n] = d


class StochRsi(NamedTuple):
    """What `stoch_rsi` gives, 0 to 100."""

    k: Any
    """The smoothed place of the RSI in its own range."""
    d: Any
    """The mean of `k`."""


def stoch_rsi(values: Any, window: int = 14, stochastic: int = 14, smooth: int = 3, signal: int = 3) -> Any:
    """Stochastic RSI, Chande and Kroll (1994): where the `rsi` stands in the range of its last values, smoothed, and its mean.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes).
        NaN is a bar without a market; infinite values are refused.
    window : bars of the RSI, at least 1
    stochastic : bars of its highest and lowest, at least 1
    smooth : bars of the mean that is `k`, at least 1; TA-Lib's STOCHRSI has no such mean: 1
    signal : bars of the mean of `k` that is `d`, at least 1

    Returns
    -------
    `StochRsi(k, d)`, each the type that came in ((T, N) array for Bars), 0 to 100: NaN on missing bars and where the RSI is undefined
    or has no range, which enters no mean; `k` before `window + stochastic + smooth - 1` present values, `d` before `signal - 1` more.

    Raises
    ------
    ConfigError for windows that are no whole numbers of at least 1; InputError for values that are not numbers.
    """
    return compute(STOCH_RSI, (values,), window, stochastic, smooth, signal)


STOCH_RSI = Kernel(
    name="stoch_rsi", parameters=(whole(default=14), whole("stochastic", 14), whole("smooth", 3), whole("signal", 3)),
    params=STOCH_RSI_PARAMS, state=STOCH_RSI_STATE, init=stoch_rsi_init, step=stoch_rsi_step, run=stoch_rsi_run, function=stoch_rsi,
    result=StochRsi, warmup=lambda window, stochastic, smooth, signal: window + stochastic + smooth + signal - 3,
)  # fmt: skip
