"""Averages that are made of exponential ones, and Kaufman's, whose weight follows the market.

Missing values are bars without a market: NaN there, and the average goes on afterwards as if the bar had not been.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._typing import ArrayTN, Records
from ..core.jit import borrowed, kernel, kernel_loop, spine
from ..core.kernel import Kernel, whole
from ..core.state import records
from .compute import compute
from .moving import ema_next
from .windows import WINDOW_FIELDS, Window, chunk_length, window_next, window_sum

__all__ = [
    "DEMA", "KAMA", "TEMA", "dema", "dema_init", "dema_run", "dema_step", "kama", "kama_init", "kama_next", "kama_run", "kama_step",
    "tema", "tema_init", "tema_run", "tema_step",
]  # fmt: skip

CHAIN_PARAMS = np.dtype([("span", "i8"), ("alpha", "f8")], align=True)
DEMA_STATE = np.dtype([("first", "f8"), ("second", "f8"), ("count", "i8")], align=True)
TEMA_STATE = np.dtype([("first", "f8"), ("second", "f8"), ("third", "f8"), ("count", "i8")], align=True)


def _chain(state: np.dtype[Any], assets: int, span: int) -> tuple[Records, ArrayTN, Records]:
    params = records(CHAIN_PARAMS, 1)
    params.span[0] = span
    params.alpha[0] = 2.0 / (span + 1.0)
    return records(state, assets), np.zeros((assets, 0)), params


def dema_init(assets: int, span: int) -> tuple[Records, ArrayTN, Records]:
    """States, no buffers, parameters: DEMA_STATE (N,), (N, 0), CHAIN_PARAMS (1,)."""
    return _chain(DEMA_STATE, assets, span)


@spine
def dema_step(state, buffer, params, price):  # type: ignore[no-untyped-def]
    """One bar of one asset: twice the average, less the average of the average."""
    if price != price:
        return math.nan
    span, alpha = params.span, params.alpha
    state.count += 1
    state.first = ema_next(state.first, state.count, span, alpha, price)
    filled = state.count - (span - 1)
    if filled < 1:
        return math.nan
    state.second = ema_next(state.second, filled, span, alpha, state.first)
    return 2.0 * state.first - state.second if filled >= span else math.nan


@kernel_loop
def dema_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    prices = rows[0]
    for t in range(prices.shape[0]):
        for n in range(prices.shape[1]):
            out[t, n] = dema_step(states[n], buffers[n], params[0], prices[t, n])


def dema(values: Any, span: int) -> Any:
    """Double exponential moving average, Mulloy (1994): `2*EMA - EMA(EMA)`, each seeded as in `ema`.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes), in price units.
        NaN is a bar without a market; infinite values are refused.
    span : bars, at least 1. With 1 the values themselves.

    Returns
    -------
    The type that came in ((T, N) array for Bars): NaN before `2*span - 1` present values and on missing bars.

    Raises
    ------
    ConfigError for a span that is no whole number of at least 1; InputError for values that are not numbers.
    """
    return compute(DEMA, (values,), span)


DEMA = Kernel(
    name="dema", parameters=(whole("span"),), params=CHAIN_PARAMS, state=DEMA_STATE, init=dema_init, step=dema_step, run=dema_run,
    function=dema, warmup=lambda span: 2 * (span - 1),
)  # fmt: skip


def tema_init(assets: int, span: int) -> tuple[Records, ArrayTN, Records]:
    """States, no buffers, parameters: TEMA_STATE (N,), (N, 0), CHAIN_PARAMS (1,)."""
    return _chain(TEMA_STATE, assets, span)


@spine
def tema_step(state, buffer, params, price):  # type: ignore[no-untyped-def]
    """One bar of one asset: three averages, each of the one before."""
    if price != price:
        return math.nan
    span, alpha = params.span, params.alpha
    state.count += 1
    state.first = ema_next(state.first, state.count, span, alpha, price)
    filled = state.count - (span - 1)
    if filled < 1:
        return math.nan
    state.second = ema_next(state.second, filled, span, alpha, state.first)
    filled -= span - 1
    if filled < 1:
        return math.nan
    state.third = ema_next(state.third, filled, span, alpha, state.second)
    # differences first: with a span of 1 they are nothing, and the price comes out as it went in
    return 3.0 * (state.first - state.second) + state.third if filled >= span else math.nan


@kernel_loop
def tema_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    prices = rows[0]
    for t in range(prices.shape[0]):
        for n in range(prices.shape[1]):
            out[t, n] = tema_step(states[n], buffers[n], params[0], prices[t, n])


def tema(values: Any, span: int) -> Any:
    """Triple exponential moving average, Mulloy (1994): `3*EMA - 3*EMA(EMA) + EMA(EMA(EMA))`, each seeded as in `ema`.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes), in price units.
        NaN is a bar without a market; infinite values are refused.
    span : bars, at least 1. With 1 the values themselves.

    Returns
    -------
    The type that came in ((T, N) array for Bars): NaN before `3*span - 2` present values and on missing bars.

    Raises
    ------
    ConfigError for a span that is no whole number of at least 1; InputError for values that are not numbers.
    """
    return compute(TEMA, (values,), span)


TEMA = Kernel(
    name="tema", parameters=(whole("span"),), params=CHAIN_PARAMS, state=TEMA_STATE, init=tema_init, step=tema_step, run=tema_run,
    function=tema, warmup=lambda span: 3 * (span - 1),
)  # fmt: skip

KAMA_PARAMS = np.dtype([("window", "i8"), ("quick", "f8"), ("calm", "f8")], align=True)
KAMA_STATE = np.dtype([*WINDOW_FIELDS, ("last", "f8"), ("value", "f8")], align=True)


def kama_init(assets: int, window: int, fast: int, slow: int) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: KAMA_STATE (N,), float64 (N, 2*window) of changes and prices, KAMA_PARAMS (1,)."""
    params = records(KAMA_PARAMS, 1)
    params.window[0] = window
    params.quick[0] = 2.0 / (fast + 1.0)
    params.calm[0] = 2.0 / (slow + 1.0)
    states = records(KAMA_STATE, assets)
    states.last[:] = math.nan
    return states, np.zeros((assets, 2 * window)), params


@spine
def kama_next(state, changes, prices, params, price):  # type: ignore[no-untyped-def]
    """One bar of one asset: the way from end to end of the window, over the way that was gone, is how fast the average follows."""
    if price != price:
        return math.nan
    window, last = changes.shape[0], state.last
    state.last = price
    if last != last:
        prices[window - 1] = price
        return math.nan
    before = prices[state.head]  # `window` bars ago: the price of a change stands where the change does
    prices[state.head] = price
    past = Window(state.prefix, state.head, state.count)
    gone = window_sum(past, changes, abs(price - last))
    now = window_next(past, changes, abs(price - last))
    if now.filled == window:
        efficiency = min(abs(price - before) / gone, 1.0) if gone > 0.0 else 1.0
        weight = efficiency * (params.quick - params.calm) + params.calm
        value = state.value if past.filled == window else last
        state.value = value + weight * weight * (price - value)
    state.prefix = now.prefix
    state.head = now.head
    state.count = now.filled
    return state.value if now.filled == window else math.nan


@kernel
def kama_step(state, buffer, params, price):  # type: ignore[no-untyped-def]
    """`kama_next` on the two halves of a buffer."""
    return kama_next(state, buffer[: params.window], buffer[params.window :], params, price)


@kernel_loop
def kama_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    prices = rows[0]
    bars, length, window = prices.shape[0], chunk_length(prices.shape[1]), params[0].window
    for start in range(0, bars, length):
        for n in range(prices.shape[1]):
            state, buffer, param = states[n], borrowed(buffers[n]), params[0]
            changes, ring = buffer[:window], buffer[window:]
            for t in range(start, min(start + length, bars)):
                out[t, n] = kama_next(state, changes, ring, param, prices[t, n])


def kama(values: Any, window: int = 10, fast: int = 2, slow: int = 30) -> Any:
    """Kaufman's adaptive moving average (1995): `value += c**2*(price - value)`.

    `c = efficiency*(2/(fast + 1) - 2/(slow + 1)) + 2/(slow + 1)`; the efficiency is `|x - x[window bars ago]|` over the sum of the
    last `window` absolute changes, 1 where nothing changed. The price before the first average is its seed.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes), in price units.
        NaN is a bar without a market; infinite values are refused.
    window : bars, at least 1
    fast, slow : spans of the quickest and the slowest average, at least 1, `fast < slow`

    Returns
    -------
    The type that came in ((T, N) array for Bars): NaN before `window + 1` present values and on missing bars.

    Raises
    ------
    ConfigError for parameters that may not be; InputError for values that are not numbers.
    """
    return compute(KAMA, (values,), window, fast, slow)


KAMA = Kernel(
    name="kama", parameters=(whole(default=10), whole("fast", 2, below="slow"), whole("slow", 30)), params=KAMA_PARAMS, state=KAMA_STATE,
    init=kama_init, step=kama_step, run=kama_run, function=kama, warmup=lambda window, fast, slow: window,
)  # fmt: skip
