"""Order in a rolling window: quantile, median, rank.

A quantile keeps the values of its window sorted beside the order in which they came: one leaves, one enters, and what stands between
their places moves by one. Missing values are bars without a market: they have no value and do not enter the window.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._typing import ArrayTN, Records
from ..core.jit import borrowed, kernel, kernel_loop, spine
from ..core.kernel import Kernel, whole
from ..core.space import Domain
from ..core.state import records
from .anchored import run_length
from .compute import compute

__all__ = [
    "ROLLING_MEDIAN", "ROLLING_QUANTILE", "ROLLING_RANK", "median_init", "quantile_init", "quantile_run", "quantile_step", "rank_init",
    "rank_of", "rank_run", "rank_step", "rolling_median", "rolling_quantile", "rolling_rank", "sorted_next",
]  # fmt: skip

QUANTILE_PARAMS = np.dtype([("window", "i8"), ("place", "i8"), ("part", "f8")], align=True)
ORDER_STATE = np.dtype([("head", "i8"), ("count", "i8")], align=True)


def quantile_init(assets: int, window: int, quantile: float) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: ORDER_STATE (N,), float64 (N, 2 * window), QUANTILE_PARAMS (1,)."""
    params = records(QUANTILE_PARAMS, 1)
    place = quantile * (window - 1)
    params.window[0] = window
    params.place[0] = int(place)
    params.part[0] = place - int(place)
    return records(ORDER_STATE, assets), np.zeros((assets, 2 * window)), params


@kernel
def _first_not_below(buffer, start, stop, value):  # type: ignore[no-untyped-def]
    """The first place of a sorted stretch whose value is not below `value`; `stop` where all are."""
    while start < stop:
        middle = (start + stop) // 2
        if buffer[middle] < value:
            start = middle + 1
        else:
            stop = middle
    return start


@spine
def sorted_next(buffer, window, head, filled, value):  # type: ignore[no-untyped-def]
    """Take one value into the order of arrival (places 0 to window) and into the sorted values behind it; the oldest leaves if full."""
    if filled < window:
        i = window + filled
    else:
        i = _first_not_below(buffer, window, 2 * window, buffer[head])
        while i + 1 < 2 * window and buffer[i + 1] < value:
            buffer[i] = buffer[i + 1]
            i += 1
    while i > window and buffer[i - 1] > value:
        buffer[i] = buffer[i - 1]
        i -= 1
    buffer[i] = value
    buffer[head] = value


@spine
def quantile_step(state, buffer, params, value):  # type: ignore[no-untyped-def]
    """One bar of one asset: the quantile, NaN before the window is full and on a missing value."""
    window = params.window
    if value != value:
        return math.nan
    sorted_next(buffer, window, state.head, state.count, value)
    state.head = state.head + 1 if state.head + 1 < window else 0
    state.count = min(state.count + 1, window)
    if state.count < window:
        return math.nan
    place = window + params.place
    below = buffer[place]
    return below + params.part * (buffer[place + 1] - below) if params.part > 0.0 else below


@kernel_loop
def quantile_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    values, given = rows[0], params[0]
    bars, length = values.shape[0], run_length(values.shape[1])
    for start in range(0, bars, length):
        for n in range(values.shape[1]):
            state, buffer = states[n], borrowed(buffers[n])
            for t in range(start, min(start + length, bars)):
                out[t, n] = quantile_step(state, buffer, given, values[t, n])


def rolling_quantile(values: Any, window: int, quantile: float = 0.5) -> Any:
    """A quantile of the last `window` present values, interpolated linearly between the two that it lies between.

    It stands at place `quantile*(window - 1)` of the sorted values, counted from 0 (definition 7 of Hyndman and Fan 1996, the default
    of NumPy and pandas).

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes).
        NaN is a bar without a market; infinite values are refused.
    window : bars, at least 1. A bar costs some ten nanoseconds and more the longer the window is.
    quantile : from 0 (the lowest) to 1 (the highest).

    Returns
    -------
    The type that came in ((T, N) array for Bars), in its unit: NaN before `window` values are there and on missing bars.

    Raises
    ------
    ConfigError for a window or quantile that may not be; InputError for values that are not numbers.
    """
    return compute(ROLLING_QUANTILE, (values,), window, quantile)


ROLLING_QUANTILE = Kernel(
    name="rolling_quantile", parameters=(whole(), Domain(name="quantile", default=0.5, low=0.0, high=1.0)), params=QUANTILE_PARAMS,
    state=ORDER_STATE, init=quantile_init, step=quantile_step, run=quantile_run, function=rolling_quantile,
    warmup=lambda window, quantile: window - 1,
)  # fmt: skip


def median_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """`quantile_init` with one half."""
    return quantile_init(assets, window, 0.5)


def rolling_median(values: Any, window: int) -> Any:
    """The median of the last `window` present values, `rolling_quantile(values, window, 0.5)`: arguments and result as there."""
    return compute(ROLLING_MEDIAN, (values,), window)


ROLLING_MEDIAN = Kernel(
    name="rolling_median", parameters=(whole(),), params=QUANTILE_PARAMS, state=ORDER_STATE, init=median_init, step=quantile_step,
    run=quantile_run, function=rolling_median, warmup=lambda window: window - 1,
)  # fmt: skip

RANK_PARAMS = np.dtype([("window", "i8")], align=True)


def rank_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: ORDER_STATE (N,), float64 (N, window), RANK_PARAMS (1,)."""
    params = records(RANK_PARAMS, 1)
    params.window[0] = window
    return records(ORDER_STATE, assets), np.zeros((assets, window)), params


@kernel
def rank_of(buffer, value):  # type: ignore[no-untyped-def]
    """The mean rank of a value among all in the buffer, as a fraction of them."""
    below, equal = 0, 0
    for i in range(buffer.shape[0]):
        below += buffer[i] < value
        equal += buffer[i] == value
    return (below + 0.5 * (equal + 1)) / buffer.shape[0]


@spine
def rank_step(state, buffer, params, value):  # type: ignore[no-untyped-def]
    """One bar of one asset: the rank, NaN before the window is full and on a missing value."""
    window = params.window
    if value != value:
        return math.nan
    buffer[state.head] = value
    state.head = state.head + 1 if state.head + 1 < window else 0
    state.count = min(state.count + 1, window)
    return rank_of(buffer, value) if state.count == window else math.nan


@kernel_loop
def rank_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    values, given = rows[0], params[0]
    bars, length = values.shape[0], run_length(values.shape[1])
    for start in range(0, bars, length):
        for n in range(values.shape[1]):
            state, buffer = states[n], borrowed(buffers[n])
            for t in range(start, min(start + length, bars)):
                out[t, n] = rank_step(state, buffer, given, values[t, n])


def rolling_rank(values: Any, window: int) -> Any:
    """Rank of the value among the last `window` present values, itself among them, as a fraction: 1 is the highest.

    The lowest has rank `1/window`; equal values share the mean of their ranks (`rank(pct=True)` of pandas' rolling windows).

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes).
        NaN is a bar without a market; infinite values are refused.
    window : bars, at least 1. All values of the window are looked at each bar.

    Returns
    -------
    The type that came in ((T, N) array for Bars), fractions above 0 and up to 1: NaN before `window` values are there and on missing
    bars.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for values that are not numbers.
    """
    return compute(ROLLING_RANK, (values,), window)


ROLLING_RANK = Kernel(
    name="rolling_rank", parameters=(whole(),), params=RANK_PARAMS, state=ORDER_STATE, init=rank_init, step=rank_step, run=rank_run,
    function=rolling_rank, warmup=lambda window: window - 1,
)  # fmt: skip
