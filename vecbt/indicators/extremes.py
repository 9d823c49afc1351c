"""Highest and lowest value of a rolling window, and how long ago they came.

Missing values are bars without a market: they have no extreme and do not enter the window, which holds the last present values.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._typing import ArrayTN, Records
from ..core.jit import borrowed, kernel, kernel_loop, spine
from ..core.kernel import Kernel, whole
from ..core.state import records
from .anchored import run_length
from .compute import compute
from .peaks import Peak, peak_next

__all__ = [
    "ROLLING_ARGMAX", "ROLLING_ARGMIN", "ROLLING_MAX", "ROLLING_MIN", "extreme_init", "extreme_next", "highest_age_run",
    "highest_age_step", "highest_run", "highest_step", "lowest_age_run", "lowest_age_step", "lowest_run", "lowest_step", "peak_load",
    "peak_store", "rolling_argmax", "rolling_argmin", "rolling_max", "rolling_min",
]  # fmt: skip

EXTREME_PARAMS = np.dtype([("window", "i8")], align=True)
EXTREME_STATE = np.dtype([("best", "f8"), ("place", "i8"), ("head", "i8"), ("count", "i8")], align=True)


def extreme_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: EXTREME_STATE (N,), float64 (N, 2 * window), EXTREME_PARAMS (1,)."""
    params = records(EXTREME_PARAMS, 1)
    params.window[0] = window
    return records(EXTREME_STATE, assets), np.full((assets, 2 * window), -math.inf), params


@kernel
def peak_load(state):  # type: ignore[no-untyped-def]
    """A record of EXTREME_STATE as values."""
    return Peak(state.best, state.place, state.head, state.count)


@kernel
def peak_store(state, now):  # type: ignore[no-untyped-def]
    """The values back into the record."""
    state.best = now.best
    state.place = now.place
    state.head = now.head
    state.count = now.filled


@spine
def extreme_next(past, buffer, window, value):  # type: ignore[no-untyped-def]
    """(Peak, highest, its age) of a full window, NaN before and on a missing value. The lowest is the highest of negated values."""
    if value != value:
        return past, math.nan, math.nan
    now, highest, age = peak_next(past, buffer, window, value)
    if now.filled < window:
        return now, math.nan, math.nan
    return now, highest, age * 1.0


@kernel
def highest_step(state, buffer, params, value):  # type: ignore[no-untyped-def]
    """One bar of one asset: the highest value, NaN before the window is full and on a missing value."""
    now, highest, _ = extreme_next(peak_load(state), buffer, params.window, value)
    peak_store(state, now)
    return highest


@kernel_loop
def highest_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    values, window = rows[0], params[0].window
    bars, length = values.shape[0], run_length(values.shape[1])
    for start in range(0, bars, length):
        for n in range(values.shape[1]):
            now, buffer = peak_load(states[n]), borrowed(buffers[n])
            for t in range(start, min(start + length, bars)):
                now, highest, _ = extreme_next(now, buffer, window, values[t, n])
                out[t, n] = highest
            peak_store(states[n], now)


def rolling_max(values: Any, window: int) -> Any:
    """The highest of the last `window` present values.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes).
        NaN is a bar without a market; infinite values are refused.
    window : bars, at least 1.

    Returns
    -------
    The type that came in ((T, N) array for Bars), in its unit: NaN before `window` values are there and on missing bars.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for values that are not numbers.
    """
    return compute(ROLLING_MAX, (values,), window)


ROLLING_MAX = Kernel(
    name="rolling_max", parameters=(whole(),), params=EXTREME_PARAMS, state=EXTREME_STATE, init=extreme_init,
    step=highest_step, run=highest_run, function=rolling_max, warmup=lambda window: window - 1,
)  # fmt: skip


@kernel
def lowest_step(state, buffer, params, value):  # type: ignore[no-untyped-def]
    """One bar of one asset: the lowest value, NaN before the window is full and on a missing value."""
    now, highest, _ = extreme_next(peak_load(state), buffer, params.window, -value)
    peak_store(state, now)
    return -highest


@kernel_loop
def lowest_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    values, window = rows[0], params[0].window
    bars, length = values.shape[0], run_length(values.shape[1])
    for start in range(0, bars, length):
        for n in range(values.shape[1]):
            now, buffer = peak_load(states[n]), borrowed(buffers[n])
            for t in range(start, min(start + length, bars)):
                now, highest, _ = extreme_next(now, buffer, window, -values[t, n])
                out[t, n] = -highest
            peak_store(states[n], now)


def rolling_min(values: Any, window: int) -> Any:
    """The lowest of the last `window` present values.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes).
        NaN is a bar without a market; infinite values are refused.
    window : bars, at least 1.

    Returns
    -------
    The type that came in ((T, N) array for Bars), in its unit: NaN before `window` values are there and on missing bars.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for values that are not numbers.
    """
    return compute(ROLLING_MIN, (values,), window)


ROLLING_MIN = Kernel(
    name="rolling_min", parameters=(whole(),), params=EXTREME_PARAMS, state=EXTREME_STATE, init=extreme_init,
    step=lowest_step, run=lowest_run, function=rolling_min, warmup=lambda window: window - 1,
)  # fmt: skip


@kernel
def highest_age_step(state, buffer, params, value):  # type: ignore[no-untyped-def]
    """One bar of one asset: the age of the highest value, NaN before the window is full and on a missing value."""
    now, _, age = extreme_next(peak_load(state), buffer, params.window, value)
    peak_store(state, now)
    return age


@kernel_loop
def highest_age_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    values, window = rows[0], params[0].window
    bars, length = values.shape[0], run_length(values.shape[1])
    for start in range(0, bars, length):
        for n in range(values.shape[1]):
            now, buffer = peak_load(states[n]), borrowed(buffers[n])
            for t in range(start, min(start + length, bars)):
                now, _, age = extreme_next(now, buffer, window, values[t, n])
                out[t, n] = age
            peak_store(states[n], now)


def rolling_argmax(values: Any, window: int) -> Any:
    """Bars since the highest of the last `window` present values, the latest of equal ones.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes).
        NaN is a bar without a market; infinite values are refused.
    window : bars, at least 1.

    Returns
    -------
    The type that came in ((T, N) array for Bars), present bars: 0 where the bar itself is the highest, at
    most `window - 1`; NaN before `window` values are there and on missing bars.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for values that are not numbers.
    """
    return compute(ROLLING_ARGMAX, (values,), window)


ROLLING_ARGMAX = Kernel(
    name="rolling_argmax", parameters=(whole(),), params=EXTREME_PARAMS, state=EXTREME_STATE, init=extreme_init,
    step=highest_age_step, run=highest_age_run, function=rolling_argmax, warmup=lambda window: window - 1,
)  # fmt: skip


@kernel
def lowest_age_step(state, buffer, params, value):  # type: ignore[no-untyped-def]
    """One bar of one asset: the age of the lowest value, NaN before the window is full and on a missing value."""
    now, _, age = extreme_next(peak_load(state), buffer, params.window, -value)
    peak_store(state, now)
    return age


@kernel_loop
def lowest_age_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    values, window = rows[0], params[0].window
    bars, length = values.shape[0], run_length(values.shape[1])
    for start in range(0, bars, length):
        for n in range(values.shape[1]):
            now, buffer = peak_load(states[n]), borrowed(buffers[n])
            for t in range(start, min(start + length, bars)):
                now, _, age = extreme_next(now, buffer, window, -values[t, n])
                out[t, n] = age
            peak_store(states[n], now)


def rolling_argmin(values: Any, window: int) -> Any:
    """Bars since the lowest of the last `window` present values, the latest of equal ones.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes).
        NaN is a bar without a market; infinite values are refused.
    window : bars, at least 1.

    Returns
    -------
    The type that came in ((T, N) array for Bars), present bars: 0 where the bar itself is the lowest, at
    most `window - 1`; NaN before `window` values are there and on missing bars.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for values that are not numbers.
    """
    return compute(ROLLING_ARGMIN, (values,), window)


ROLLING_ARGMIN = Kernel(
    name="rolling_argmin", parameters=(whole(),), params=EXTREME_PARAMS, state=EXTREME_STATE, init=extreme_init,
    step=lowest_age_step, run=lowest_age_run, function=rolling_argmin, warmup=lambda window: window - 1,
)  # fmt: skip
