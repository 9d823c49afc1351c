"""Moving averages.

Missing values are bars without a market: the average of such a bar is NaN, and the value does not enter the window,
which always holds the last present values. Nothing is filled and nothing spreads.
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
from .stretches import fewest_bars, sma_mean, sma_stretch
from .windows import WINDOW_FIELDS, Window, chunk_length, window_next, window_sum

__all__ = [
    "EMA", "SMA", "Sma", "ema", "ema_init", "ema_next", "ema_run", "ema_step", "sma", "sma_init", "sma_load", "sma_next", "sma_run",
    "sma_step", "sma_store",
]  # fmt: skip

SMA_PARAMS = np.dtype([("window", "i8")], align=True)
SMA_STATE = np.dtype([*WINDOW_FIELDS, ("last", "f8"), ("same", "i8")], align=True)


def sma_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """States and buffers of `assets` assets, parameters: SMA_STATE (N,), float64 (N, window), SMA_PARAMS (1,)."""
    params = records(SMA_PARAMS, 1)
    params.window[0] = window
    return records(SMA_STATE, assets), np.zeros((assets, window)), params


class Sma(NamedTuple):
    """What an average remembers: the window, the last price, and how often in a row it came."""

    sums: Window
    last: float
    same: int


@spine
def sma_load(state):  # type: ignore[no-untyped-def]
    """A record of SMA_STATE as values."""
    return Sma(Window(state.prefix, state.head, state.count), state.last, state.same)


@spine
def sma_store(state, now):  # type: ignore[no-untyped-def]
    """The values back into the record."""
    state.prefix = now.sums.prefix
    state.head = now.sums.head
    state.count = now.sums.filled
    state.last = now.last
    state.same = now.same


@spine
def sma_next(past, buffer, price):  # type: ignore[no-untyped-def]
    """One bar of one asset: mean of the last `len(buffer)` prices, NaN before there are as many and on a missing one; what comes after."""
    if price != price:
        return math.nan, past
    window = buffer.shape[0]
    total = window_sum(past.sums, buffer, price)
    sums = window_next(past.sums, buffer, price)
    same = past.same + 1 if price == past.last else 1
    mean = math.nan
    if sums.filled >= window:
        mean = sma_mean(total, window, price, same)
    return mean, Sma(sums, price, same)


@spine
def sma_step(state, buffer, params, price):  # type: ignore[no-untyped-def]
    """`sma_next` on a record; the buffer has the window's length."""
    mean, now = sma_next(sma_load(state), buffer, price)
    sma_store(state, now)
    return mean


@kernel
def _sma_through(states, buffers, prices, out, first, stop):  # type: ignore[no-untyped-def]
    """Bars `first` to `stop` of all assets, step by step."""
    length = chunk_length(prices.shape[1])
    for start in range(first, stop, length):
        for n in range(prices.shape[1]):
            now, buffer = sma_load(states[n]), borrowed(buffers[n])
            for t in range(start, min(start + length, stop)):
                out[t, n], now = sma_next(now, buffer, prices[t, n])
            sma_store(states[n], now)


@kernel_loop
def sma_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    prices, window = rows[0], params[0].window
    bars, done = prices.shape[0], 0
    while done < bars and prices.shape[1] > 0:
        stop = min(done + fewest_bars(states, window), bars)
        _sma_through(states, buffers, prices, out, done, stop)
        done = sma_stretch(states, buffers, prices, out, stop)


def sma(values: Any, window: int) -> Any:
    """Simple moving average: the mean of the last `window` present values.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes), in price units.
        NaN is a bar without a market; infinite values are refused.
    window : bars, at least 1.

    Returns
    -------
    The type that came in ((T, N) array for Bars): NaN before `window` values are there and on missing bars.
    With a window of 1 the values themselves.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for values that are not numbers.
    """
    return compute(SMA, (values,), window)


SMA = Kernel(
    name="sma", parameters=(whole(),), params=SMA_PARAMS, state=SMA_STATE, init=sma_init, step=sma_step, run=sma_run, function=sma,
    warmup=lambda window: window - 1,
)  # fmt: skip

EMA_PARAMS = np.dtype([("alpha", "f8"), ("span", "i8")], align=True)
EMA_STATE = np.dtype([("value", "f8"), ("count", "i8")], align=True)


def ema_init(assets: int, span: int) -> tuple[Records, ArrayTN, Records]:
    """States, no buffers, parameters: EMA_STATE (N,), (N, 0), EMA_PARAMS (1,)."""
    params = records(EMA_PARAMS, 1)
    params.span[0] = span
    params.alpha[0] = 2.0 / (span + 1.0)
    return records(EMA_STATE, assets), np.zeros((assets, 0)), params


@spine
def ema_next(value, filled, span, alpha, price):  # type: ignore[no-untyped-def]
    """The average after one more price, the `filled`-th: `value += alpha*(price - value)` once the mean of the first `span` has seeded it.

    With alpha = 1/span it is Wilder's average. It is one only from `filled == span` on; with a span of 1 it is the price itself.
    """
    if span == 1:
        return price
    if filled > span:
        return value + alpha * (price - value)
    # the running mean: equal prices give exactly that price, so a flat start does not round
    return value + (price - value) / filled


@spine
def ema_step(state, buffer, params, price):  # type: ignore[no-untyped-def]
    """One bar of one asset: `ema_next` on a record."""
    if price != price:
        return math.nan
    state.count += 1
    state.value = ema_next(state.value, state.count, params.span, params.alpha, price)
    return state.value if state.count >= params.span else math.nan


@kernel_loop
def ema_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    prices = rows[0]
    for t in range(prices.shape[0]):
        for n in range(prices.shape[1]):
            out[t, n] = ema_step(states[n], buffers[n], params[0], prices[t, n])


def ema(values: Any, span: int) -> Any:
    """Exponential moving average with `alpha = 2/(span + 1)`, seeded by the mean of the first `span` present values.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes), in price units.
        NaN is a bar without a market; infinite values are refused.
    span : bars, at least 1.

    Returns
    -------
    The type that came in ((T, N) array for Bars): NaN before `span` values are there and on missing bars, which
    do not decay the average either. With a span of 1 the values themselves.

    Raises
    ------
    ConfigError for a span that is no whole number of at least 1; InputError for values that are not numbers.
    """
    return compute(EMA, (values,), span)


EMA = Kernel(
    name="ema", parameters=(whole("span"),), params=EMA_PARAMS, state=EMA_STATE, init=ema_init, step=ema_step, run=ema_run, function=ema,
    warmup=lambda span: span - 1,
)  # fmt: skip
