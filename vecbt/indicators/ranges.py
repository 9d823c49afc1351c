"""Sigma from the range of bars: Parkinson, Garman-Klass, Rogers-Satchell.

Each is the root of a mean of variances of single bars, over the last `window` present bars: a sigma per bar, of log prices. Times the root
of the bars in a year (252 for daily bars of shares) it is annual. They know nothing of what happens between a close and the next open, so
they say too little of prices with gaps; Yang-Zhang (`overnight.py`) does.

A bar without a market, and a bar with a price that is not above zero, of which there is no logarithm, has no value and is left out.
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
from .windows import WINDOW_FIELDS, Window, chunk_length, window_next, window_sum

__all__ = [
    "GARMAN_KLASS", "PARKINSON", "ROGERS_SATCHELL", "garman_klass", "garman_klass_run", "garman_klass_step", "garman_klass_variance",
    "log_ratio", "parkinson", "parkinson_run", "parkinson_step", "parkinson_variance", "range_init", "range_load", "range_next",
    "range_store", "rogers_satchell", "rogers_satchell_run", "rogers_satchell_step", "rogers_satchell_variance",
]  # fmt: skip

_PARKINSON = 1.0 / (4.0 * math.log(2.0))
_GARMAN_KLASS = 2.0 * math.log(2.0) - 1.0

RANGE_PARAMS = np.dtype([("window", "i8")], align=True)
RANGE_STATE = np.dtype(WINDOW_FIELDS, align=True)


def range_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: RANGE_STATE (N,), float64 (N, window), RANGE_PARAMS (1,)."""
    params = records(RANGE_PARAMS, 1)
    params.window[0] = window
    return records(RANGE_STATE, assets), np.zeros((assets, window)), params


@kernel
def range_load(state):  # type: ignore[no-untyped-def]
    """A record of RANGE_STATE as values."""
    return Window(state.prefix, state.head, state.count)


@kernel
def range_store(state, now):  # type: ignore[no-untyped-def]
    """The values back into the record."""
    state.prefix = now.prefix
    state.head = now.head
    state.count = now.filled


@spine
def log_ratio(price, before):  # type: ignore[no-untyped-def]
    """The logarithm of price/before, both above zero."""
    if 0.5 * before <= price <= 2.0 * before:
        # the difference is exact here; a quotient near 1 would round the last digits of a small move away
        return math.log1p((price - before) / before)
    return math.log(price / before)


@spine
def range_next(past, buffer, variance):  # type: ignore[no-untyped-def]
    """Root of the mean of the last `len(buffer)` variances, NaN before there are as many and where this one is NaN; what comes after."""
    if variance != variance:
        return math.nan, past
    total = window_sum(past, buffer, variance)
    now = window_next(past, buffer, variance)
    # only bars whose open or close is outside their range can have a sum below zero
    return math.sqrt(total / now.filled) if now.filled >= buffer.shape[0] and total >= 0.0 else math.nan, now


@spine
def parkinson_variance(high, low):  # type: ignore[no-untyped-def]
    """The variance of one bar, NaN where there is no market or no logarithm."""
    if not (high > 0.0 and low > 0.0):
        return math.nan
    width = log_ratio(high, low)
    return _PARKINSON * (width * width)


@kernel
def parkinson_step(state, buffer, params, high, low):  # type: ignore[no-untyped-def]
    """`range_next` on a record."""
    sigma, now = range_next(range_load(state), buffer, parkinson_variance(high, low))
    range_store(state, now)
    return sigma


@kernel_loop
def parkinson_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    high, low = rows
    bars, length = high.shape[0], chunk_length(high.shape[1])
    for start in range(0, bars, length):
        for n in range(high.shape[1]):
            now, buffer = range_load(states[n]), borrowed(buffers[n])
            for t in range(start, min(start + length, bars)):
                out[t, n], now = range_next(now, buffer, parkinson_variance(high[t, n], low[t, n]))
            range_store(states[n], now)


def parkinson(bars: Any, window: int = 20) -> Any:
    """Parkinson's sigma per bar: the root of the mean of `ln(high/low)**2 / (4*ln 2)`.

    M. Parkinson, The extreme value method for estimating the variance of the rate of return, Journal of Business 53 (1980) 61-65. For a
    price without drift, watched all the time; about 5 times as efficient as closes. Times the root of the bars in a year it is annual.

    Parameters
    ----------
    bars : Bars, a float64 block (5, T, N) of open, high, low, close, volume, or a pandas or polars frame of one asset with columns high
        and low. NaN is a bar without a market; a bar with a price that is not above zero counts as one.
    window : bars, at least 1.

    Returns
    -------
    (T, N) array, or a Series for a frame, a fraction per bar: NaN before `window` bars and on bars that are left out.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for prices that are not usable.
    """
    return compute(PARKINSON, (bars,), window)


PARKINSON = Kernel(
    name="parkinson", parameters=(whole(default=20),), params=RANGE_PARAMS, state=RANGE_STATE, init=range_init, step=parkinson_step,
    run=parkinson_run, function=parkinson, inputs=("high", "low"), warmup=lambda window: window - 1,
)  # fmt: skip


@spine
def garman_klass_variance(open_, high, low, close):  # type: ignore[no-untyped-def]
    """The variance of one bar, NaN where there is no market or no logarithm."""
    if not (open_ > 0.0 and high > 0.0 and low > 0.0 and close > 0.0):
        return math.nan
    width, move = log_ratio(high, low), log_ratio(close, open_)
    return 0.5 * (width * width) - _GARMAN_KLASS * (move * move)


@kernel
def garman_klass_step(state, buffer, params, open_, high, low, close):  # type: ignore[no-untyped-def]
    """`range_next` on a record."""
    sigma, now = range_next(range_load(state), buffer, garman_klass_variance(open_, high, low, close))
    range_store(state, now)
    return sigma


@kernel_loop
def garman_klass_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    open_, high, low, close = rows
    bars, length = high.shape[0], chunk_length(high.shape[1])
    for start in range(0, bars, length):
        for n in range(high.shape[1]):
            now, buffer = range_load(states[n]), borrowed(buffers[n])
            for t in range(start, min(start + length, bars)):
                out[t, n], now = range_next(now, buffer, garman_klass_variance(open_[t, n], high[t, n], low[t, n], close[t, n]))
            range_store(states[n], now)


def garman_klass(bars: Any, window: int = 20) -> Any:
    """Garman and Klass's sigma per bar: the root of the mean of `ln(high/low)**2 / 2 - (2*ln 2 - 1)*ln(close/open)**2`.

    M. Garman and M. Klass, On the estimation of security price volatilities from historical data, Journal of Business 53 (1980) 67-78:
    their practical estimator, for a price without drift and without gaps. Times the root of the bars in a year it is annual.

    Parameters
    ----------
    bars : as for `parkinson`, and with open and close. NaN is a bar without a market.
    window : bars, at least 1.

    Returns
    -------
    (T, N) array, or a Series for a frame, a fraction per bar: NaN before `window` bars and on bars that are left out.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for prices that are not usable.
    """
    return compute(GARMAN_KLASS, (bars,), window)


GARMAN_KLASS = Kernel(
    name="garman_klass", parameters=(whole(default=20),), params=RANGE_PARAMS, state=RANGE_STATE, init=range_init, step=garman_klass_step,
    run=garman_klass_run, function=garman_klass, inputs=("open", "high", "low", "close"), warmup=lambda window: window - 1,
)  # fmt: skip


@spine
def rogers_satchell_variance(open_, high, low, close):  # type: ignore[no-untyped-def]
    """The variance of one bar, NaN where there is no market or no logarithm."""
    if not (open_ > 0.0 and high > 0.0 and low > 0.0 and close > 0.0):
        return math.nan
    return log_ratio(high, close) * log_ratio(high, open_) + log_ratio(low, close) * log_ratio(low, open_)


@kernel
def rogers_satchell_step(state, buffer, params, open_, high, low, close):  # type: ignore[no-untyped-def]
    """`range_next` on a record."""
    sigma, now = range_next(range_load(state), buffer, rogers_satchell_variance(open_, high, low, close))
    range_store(state, now)
    return sigma


@kernel_loop
def rogers_satchell_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    open_, high, low, close = rows
    bars, length = high.shape[0], chunk_length(high.shape[1])
    for start in range(0, bars, length):
        for n in range(high.shape[1]):
            now, buffer = range_load(states[n]), borrowed(buffers[n])
            for t in range(start, min(start + length, bars)):
                out[t, n], now = range_next(now, buffer, rogers_satchell_variance(open_[t, n], high[t, n], low[t, n], close[t, n]))
            range_store(states[n], now)


def rogers_satchell(bars: Any, window: int = 20) -> Any:
    """Rogers and Satchell's sigma per bar: the root of the mean of `ln(high/close)*ln(high/open) + ln(low/close)*ln(low/open)`.

    L. Rogers and S. Satchell, Estimating variance from high, low and closing prices, Annals of Applied Probability 1 (1991) 504-512. Right
    for a price with any drift, without gaps. Times the root of the bars in a year it is annual.

    Parameters
    ----------
    bars : as for `parkinson`, and with open and close. NaN is a bar without a market.
    window : bars, at least 1.

    Returns
    -------
    (T, N) array, or a Series for a frame, a fraction per bar: NaN before `window` bars and on bars that are left out. Bars that open and
    close at their ends have a sigma of 0: without drift nothing is left to explain.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for prices that are not usable.
    """
    return compute(ROGERS_SATCHELL, (bars,), window)


ROGERS_SATCHELL = Kernel(
    name="rogers_satchell", parameters=(whole(default=20),), params=RANGE_PARAMS, state=RANGE_STATE, init=range_init,
    step=rogers_satchell_step, run=rogers_satchell_run, function=rogers_satchell, inputs=("open", "high", "low", "close"),
    warmup=lambda window: window - 1,
)  # fmt: skip
