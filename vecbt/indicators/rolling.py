"""Statistics of a rolling window: deviation, z-score, skewness, slope. All are made of sums of distances from an anchor in the window.

Missing values are bars without a market: they have no statistic and do not enter the window, which holds the last present values.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._typing import ArrayTN, Records
from ..core.jit import borrowed, kernel, kernel_loop
from ..core.kernel import Kernel, whole
from ..core.space import Domain
from ..core.state import records
from .abreast import spread_all, spread_load, spread_store
from .anchored import cubes_next, moments_deviation, moments_load, moments_store, run_length, spread_next, trend_next
from .compute import compute
from .windows import MOMENTS_FIELDS, SIDE_BY_SIDE, Moments, moments_variance, part_ways

__all__ = [
    "REGRESSION_SLOPE", "ROLLING_SKEW", "ROLLING_STD", "ZSCORE", "regression_slope", "rolling_skew", "rolling_std", "skew_init",
    "skew_of", "skew_run", "skew_step", "slope_of", "slope_run", "slope_step", "std_init", "std_of", "std_run", "std_step", "zscore",
    "zscore_of", "zscore_run", "zscore_step",
]  # fmt: skip

STD_PARAMS = np.dtype([("window", "i8"), ("ddof", "i8")], align=True)
STD_STATE = np.dtype([("apart", "i8"), *MOMENTS_FIELDS], align=True)

SKEW_PARAMS = np.dtype([("window", "i8")], align=True)
# numba takes a record for another one whose fields it begins with, and warns: the fields of the moments stand last
SKEW_STATE = np.dtype([("third", "f8"), *MOMENTS_FIELDS], align=True)


def std_init(assets: int, window: int, ddof: int) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: STD_STATE (N,), float64 (N, 3 * window), STD_PARAMS (1,)."""
    params = records(STD_PARAMS, 1)
    params.window[0] = window
    params.ddof[0] = ddof
    return records(STD_STATE, assets), np.zeros((assets, 3 * window)), params


@kernel
def std_of(now, total, squares, ddof):  # type: ignore[no-untyped-def]
    """The standard deviation of a full window out of its sums."""
    return math.sqrt(moments_variance(now, total, squares, ddof))


@kernel
def std_step(state, buffer, params, value):  # type: ignore[no-untyped-def]
    """One bar of one asset: the deviation, NaN before the window is full and on a missing value."""
    now, total, squares = spread_next(moments_load(state), buffer, params.window, value)
    moments_store(state, now)
    return std_of(now, total, squares, params.ddof)


@kernel
def _std_row(rows, window, ddof, values, out):  # type: ignore[no-untyped-def]
    """One bar of all assets, out of rows of their anchored sums."""
    for n in range(values.shape[0]):
        full = Moments(rows.anchor[n], 0.0, 0.0, 0, window)
        out[n] = std_of(full, rows.total[n], rows.squares[n], ddof)


@kernel_loop
def _std_side_by_side(states, ring, params, values, out):  # type: ignore[no-untyped-def]
    """Bars of all assets at once, until one that some have and others miss; gives that bar."""
    window, ddof, rows, place, t = params.window, params.ddof, spread_load(states), (states[0].head, states[0].count), 0
    while t < values.shape[0]:
        row = borrowed(values[t])
        place, missing = spread_all(rows, ring, window, place, row)
        if 0 < missing < values.shape[1]:
            break
        _std_row(rows, window, ddof, row, borrowed(out[t]))
        t += 1
    spread_store(states, rows, place)
    return t


@kernel_loop
def std_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    values, window, ddof = rows[0], params[0].window, params[0].ddof
    (bars, assets), first, length = values.shape, 0, run_length(values.shape[1])
    if assets >= SIDE_BY_SIDE and states[0].apart == 0:
        first = _std_side_by_side(states, buffers.reshape(buffers.shape[1], assets), params[0], values, out)
        if first < bars:
            part_ways(states, buffers)
    for start in range(first, bars, length):
        for n in range(assets):
            now, buffer = moments_load(states[n]), borrowed(buffers[n])
            for t in range(start, min(start + length, bars)):
                now, total, squares = spread_next(now, buffer, window, values[t, n])
                out[t, n] = std_of(now, total, squares, ddof)
            moments_store(states[n], now)


def rolling_std(values: Any, window: int, ddof: int = 0) -> Any:
    """Standard deviation of the last `window` present values: the root of their squared deviations over `window - ddof`.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes).
        NaN is a bar without a market; infinite values are refused.
    window : bars, at least 1.
    ddof : 0 for the deviation of the population (as TA-Lib's STDDEV and Bollinger's bands), 1 for that of a sample (the default of pandas).

    Returns
    -------
    The type that came in ((T, N) array for Bars), in its unit: NaN before `window` values are there and on missing bars, and with a
    window of 1 and ddof 1. A flat window has exactly 0.

    Raises
    ------
    ConfigError for a window or ddof that may not be; InputError for values that are not numbers.
    """
    return compute(ROLLING_STD, (values,), window, ddof)


DDOF = Domain(name="ddof", default=0, low=0, high=1, integer=True)

ROLLING_STD = Kernel(
    name="rolling_std", parameters=(whole(), DDOF), params=STD_PARAMS, state=STD_STATE, init=std_init, step=std_step, run=std_run,
    function=rolling_std, warmup=lambda window, ddof: window - 1,
)  # fmt: skip


@kernel
def zscore_of(now, total, squares, ddof, value):  # type: ignore[no-untyped-def]
    """Standard deviations from the mean of a full window, NaN where there is none."""
    deviation = std_of(now, total, squares, ddof)
    return moments_deviation(now, total, value) / (deviation if deviation > 0.0 else math.nan)


@kernel
def zscore_step(state, buffer, params, value):  # type: ignore[no-untyped-def]
    """One bar of one asset: the score, NaN before the window is full, on a missing value and in a flat window."""
    now, total, squares = spread_next(moments_load(state), buffer, params.window, value)
    moments_store(state, now)
    return zscore_of(now, total, squares, params.ddof, value)


@kernel
def _zscore_row(rows, window, ddof, values, out):  # type: ignore[no-untyped-def]
    """One bar of all assets, out of rows of their anchored sums."""
    for n in range(values.shape[0]):
        full = Moments(rows.anchor[n], 0.0, 0.0, 0, window)
        out[n] = zscore_of(full, rows.total[n], rows.squares[n], ddof, values[n])


@kernel_loop
def _zscore_side_by_side(states, ring, params, values, out):  # type: ignore[no-untyped-def]
    """Bars of all assets at once, until one that some have and others miss; gives that bar."""
    window, ddof, rows, place, t = params.window, params.ddof, spread_load(states), (states[0].head, states[0].count), 0
    while t < values.shape[0]:
        row = borrowed(values[t])
        place, missing = spread_all(rows, ring, window, place, row)
        if 0 < missing < values.shape[1]:
            break
        _zscore_row(rows, window, ddof, row, borrowed(out[t]))
        t += 1
    spread_store(states, rows, place)
    return t


@kernel_loop
def zscore_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    values, window, ddof = rows[0], params[0].window, params[0].ddof
    (bars, assets), first, length = values.shape, 0, run_length(values.shape[1])
    if assets >= SIDE_BY_SIDE and states[0].apart == 0:
        first = _zscore_side_by_side(states, buffers.reshape(buffers.shape[1], assets), params[0], values, out)
        if first < bars:
            part_ways(states, buffers)
    for start in range(first, bars, length):
        for n in range(assets):
            now, buffer = moments_load(states[n]), borrowed(buffers[n])
            for t in range(start, min(start + length, bars)):
                now, total, squares = spread_next(now, buffer, window, values[t, n])
                out[t, n] = zscore_of(now, total, squares, ddof, values[t, n])
            moments_store(states[n], now)


def zscore(values: Any, window: int = 20, ddof: int = 0) -> Any:
    """How many standard deviations the value stands from the mean of the last `window` values, itself among them.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes).
        NaN is a bar without a market; infinite values are refused.
    window : bars, at least 1.
    ddof : 0 for the deviation of the population, 1 for that of a sample.

    Returns
    -------
    The type that came in ((T, N) array for Bars), a plain number: NaN before `window` values are there, on missing bars, and in a
    flat window, which has no deviation.

    Raises
    ------
    ConfigError for a window or ddof that may not be; InputError for values that are not numbers.
    """
    return compute(ZSCORE, (values,), window, ddof)


ZSCORE = Kernel(
    name="zscore", parameters=(whole(default=20), DDOF), params=STD_PARAMS, state=STD_STATE, init=std_init, step=zscore_step,
    run=zscore_run, function=zscore, warmup=lambda window, ddof: window - 1,
)  # fmt: skip


def skew_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: SKEW_STATE (N,), float64 (N, 4 * window), SKEW_PARAMS (1,)."""
    params = records(SKEW_PARAMS, 1)
    params.window[0] = window
    return records(SKEW_STATE, assets), np.zeros((assets, 4 * window)), params


@kernel
def skew_of(now, total, squares, cubes):  # type: ignore[no-untyped-def]
    """The adjusted skewness of a full window out of its sums."""
    count = now.filled
    if count < 3:
        return math.nan
    variance = moments_variance(now, total, squares, 0)
    scale = variance * math.sqrt(variance)
    if not scale > 0.0:
        return math.nan
    mean = total / count
    third = (cubes - mean * (3.0 * squares - 2.0 * total * mean)) / count
    return third / scale * math.sqrt(count * (count - 1.0)) / (count - 2.0)


@kernel
def skew_step(state, buffer, params, value):  # type: ignore[no-untyped-def]
    """One bar of one asset: the skewness, NaN before the window is full, on a missing value and in a flat window."""
    past = moments_load(state)
    now, total, squares = spread_next(past, buffer, params.window, value)
    state.third, cubes = cubes_next(state.third, past, now, buffer, params.window, value)
    moments_store(state, now)
    return skew_of(now, total, squares, cubes)


@kernel_loop
def skew_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    values, window = rows[0], params[0].window
    bars, length = values.shape[0], run_length(values.shape[1])
    for start in range(0, bars, length):
        for n in range(values.shape[1]):
            past, third, buffer = moments_load(states[n]), states[n].third, borrowed(buffers[n])
            for t in range(start, min(start + length, bars)):
                now, total, squares = spread_next(past, buffer, window, values[t, n])
                third, cubes = cubes_next(third, past, now, buffer, window, values[t, n])
                out[t, n] = skew_of(now, total, squares, cubes)
                past = now
            moments_store(states[n], past)
            states[n].third = third


def rolling_skew(values: Any, window: int) -> Any:
    """Skewness of the last `window` present values, adjusted for the size of the sample (Fisher and Pearson's G1, as in pandas).

    `G1 = sqrt(n*(n - 1))/(n - 2) * m3/m2**1.5` of the central moments `m2` and `m3` of the `n = window` values.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes).
        NaN is a bar without a market; infinite values are refused.
    window : bars, at least 1; below 3 there is no adjusted skewness.

    Returns
    -------
    The type that came in ((T, N) array for Bars), a plain number: NaN before `window` values are there, on missing bars, with a window
    below 3, and in a flat window.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for values that are not numbers.
    """
    return compute(ROLLING_SKEW, (values,), window)


ROLLING_SKEW = Kernel(
    name="rolling_skew", parameters=(whole(),), params=SKEW_PARAMS, state=SKEW_STATE, init=skew_init, step=skew_step, run=skew_run,
    function=rolling_skew, warmup=lambda window: max(window, 3) - 1,
)  # fmt: skip


@kernel
def slope_of(now, head, total, by_time):  # type: ignore[no-untyped-def]
    """The slope of a full window whose newest value stands at bar `head`, out of its sums."""
    count = now.filled
    if count < 2:
        return math.nan
    mean_time = head - 0.5 * (count - 1.0)
    return 12.0 * (by_time - mean_time * total) / (count * (count * (count * 1.0) - 1.0))


@kernel
def slope_step(state, buffer, params, value):  # type: ignore[no-untyped-def]
    """One bar of one asset: the slope, NaN before the window is full and on a missing value."""
    past = moments_load(state)
    now, total, _ = spread_next(past, buffer, params.window, value)
    state.third, by_time = trend_next(state.third, past, now, buffer, params.window, value)
    moments_store(state, now)
    return slope_of(now, past.head, total, by_time)


@kernel_loop
def slope_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    values, window = rows[0], params[0].window
    bars, length = values.shape[0], run_length(values.shape[1])
    for start in range(0, bars, length):
        for n in range(values.shape[1]):
            past, third, buffer = moments_load(states[n]), states[n].third, borrowed(buffers[n])
            for t in range(start, min(start + length, bars)):
                now, total, _ = spread_next(past, buffer, window, values[t, n])
                third, by_time = trend_next(third, past, now, buffer, window, values[t, n])
                out[t, n] = slope_of(now, past.head, total, by_time)
                past = now
            moments_store(states[n], past)
            states[n].third = third


def regression_slope(values: Any, window: int) -> Any:
    """Slope of the least squares line through the last `window` present values, per bar (TA-Lib's LINEARREG_SLOPE).

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes).
        NaN is a bar without a market, which does not count as a step in time either; infinite values are refused.
    window : bars, at least 1; one value has no slope.

    Returns
    -------
    The type that came in ((T, N) array for Bars), in its unit per bar: NaN before `window` values are there, on missing bars, and with
    a window of 1. A flat window has exactly 0.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for values that are not numbers.
    """
    return compute(REGRESSION_SLOPE, (values,), window)


REGRESSION_SLOPE = Kernel(
    name="regression_slope", parameters=(whole(),), params=SKEW_PARAMS, state=SKEW_STATE, init=skew_init, step=slope_step,
    run=slope_run, function=regression_slope, warmup=lambda window: max(window, 2) - 1,
)  # fmt: skip
