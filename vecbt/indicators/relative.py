"""Two series beside each other: covariance, correlation, beta.

A bar on which either is missing is a bar without a market: it has no value and enters neither window, which hold the last common bars.
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
from .anchored import PAIR_FIELDS, pair_load, pair_next, pair_product, pair_store, run_length
from .compute import compute
from .windows import moments_variance

__all__ = [
    "BETA", "CORRELATION", "COVARIANCE", "beta", "beta_of", "beta_run", "beta_step", "correlation", "correlation_of", "correlation_run",
    "correlation_step", "covariance", "covariance_init", "covariance_of", "covariance_run", "covariance_step", "pair_init",
]  # fmt: skip

PAIR_PARAMS = np.dtype([("window", "i8"), ("ddof", "i8")], align=True)
PAIR_STATE = np.dtype(PAIR_FIELDS, align=True)


def covariance_init(assets: int, window: int, ddof: int) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: PAIR_STATE (N,), float64 (N, 7 * window), PAIR_PARAMS (1,)."""
    params = records(PAIR_PARAMS, 1)
    params.window[0] = window
    params.ddof[0] = ddof
    return records(PAIR_STATE, assets), np.zeros((assets, 7 * window)), params


def pair_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """`covariance_init` of a population."""
    return covariance_init(assets, window, 0)


@kernel
def covariance_of(now, sums, other, products, ddof):  # type: ignore[no-untyped-def]
    """The covariance in a full window out of its sums."""
    count = now.values.filled
    return pair_product(now, sums[0], other[0], products) / (count - ddof) if count > ddof else math.nan


@kernel
def correlation_of(now, sums, other, products, ddof):  # type: ignore[no-untyped-def]
    """The correlation in a full window, NaN where either series is flat."""
    mine, its = moments_variance(now.values, sums[0], sums[1], 0), moments_variance(now.other, other[0], other[1], 0)
    # two roots: the product of two variances may leave the range of a float
    scale = math.sqrt(mine) * math.sqrt(its)
    if not scale > 0.0:
        return math.nan
    return max(-1.0, min(1.0, covariance_of(now, sums, other, products, ddof) / scale))


@kernel
def beta_of(now, sums, other, products, ddof):  # type: ignore[no-untyped-def]
    """The slope of the values on the other series in a full window, NaN where that is flat."""
    its = moments_variance(now.other, other[0], other[1], 0)
    return covariance_of(now, sums, other, products, ddof) / its if its > 0.0 else math.nan


@kernel
def covariance_step(state, buffer, params, value, other):  # type: ignore[no-untyped-def]
    """One bar of one asset: the covariance, NaN before the window is full and where either is missing."""
    window = params.window
    now, mine, its, products = pair_next(pair_load(state), buffer, buffer[3 * window :], window, value, other)
    pair_store(state, now)
    return covariance_of(now, mine, its, products, params.ddof)


@kernel_loop
def covariance_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    (values, others), window, ddof = rows, params[0].window, params[0].ddof
    bars, length = values.shape[0], run_length(values.shape[1])
    for start in range(0, bars, length):
        for n in range(values.shape[1]):
            now, buffer, other_buffer = pair_load(states[n]), borrowed(buffers[n]), borrowed(buffers[n][3 * window :])
            for t in range(start, min(start + length, bars)):
                now, mine, its, products = pair_next(now, buffer, other_buffer, window, values[t, n], others[t, n])
                out[t, n] = covariance_of(now, mine, its, products, ddof)
            pair_store(states[n], now)


def covariance(values: Any, other: Any, window: int, ddof: int = 1) -> Any:
    """Covariance of two series over the last `window` common bars: the sum of products of deviations over `window - ddof`.

    Parameters
    ----------
    values, other : (T,) or (T, N) arrays, pandas or polars Series or DataFrames, or Bars (their closes), of one shape and the same labels;
        `other` may be a number. NaN in either is a bar without a market, which enters neither window; infinite values are refused.
    window : bars, at least 1.
    ddof : 1 for a sample (the default of NumPy and pandas), 0 for the population.

    Returns
    -------
    The type of `values` ((T, N) array for Bars), in the product of both units: NaN before `window` common bars and on missing ones, and
    with a window of 1 and ddof 1.

    Raises
    ------
    ConfigError for a window or ddof that may not be; InputError for series that are not numbers or do not fit each other.
    """
    return compute(COVARIANCE, (values, other), window, ddof)


COVARIANCE = Kernel(
    name="covariance", parameters=(whole(), Domain(name="ddof", default=1, low=0, high=1, integer=True)), params=PAIR_PARAMS,
    state=PAIR_STATE, init=covariance_init, step=covariance_step, run=covariance_run, function=covariance, inputs=("values", "other"),
    warmup=lambda window, ddof: window - 1,
)  # fmt: skip


@kernel
def correlation_step(state, buffer, params, value, other):  # type: ignore[no-untyped-def]
    """One bar of one asset: the correlation, NaN before the window is full and where either is missing."""
    window = params.window
    now, mine, its, products = pair_next(pair_load(state), buffer, buffer[3 * window :], window, value, other)
    pair_store(state, now)
    return correlation_of(now, mine, its, products, params.ddof)


@kernel_loop
def correlation_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    (values, others), window, ddof = rows, params[0].window, params[0].ddof
    bars, length = values.shape[0], run_length(values.shape[1])
    for start in range(0, bars, length):
        for n in range(values.shape[1]):
            now, buffer, other_buffer = pair_load(states[n]), borrowed(buffers[n]), borrowed(buffers[n][3 * window :])
            for t in range(start, min(start + length, bars)):
                now, mine, its, products = pair_next(now, buffer, other_buffer, window, values[t, n], others[t, n])
                out[t, n] = correlation_of(now, mine, its, products, ddof)
            pair_store(states[n], now)


def correlation(values: Any, other: Any, window: int) -> Any:
    """Pearson's correlation of two series over the last `window` common bars.

    Prices that both rise are correlated whatever links them: give returns, unless levels are meant.

    Parameters
    ----------
    values, other : (T,) or (T, N) arrays, pandas or polars Series or DataFrames, or Bars (their closes), of one shape and the same labels;
        `other` may be a number. NaN in either is a bar without a market, which enters neither window; infinite values are refused.
    window : bars, at least 1; one bar has no correlation.

    Returns
    -------
    The type of `values` ((T, N) array for Bars), from -1 to 1: NaN before `window` common bars, on missing ones, and where either
    series is flat in the window.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for series that are not numbers or do not fit each other.
    """
    return compute(CORRELATION, (values, other), window)


CORRELATION = Kernel(
    name="correlation", parameters=(whole(),), params=PAIR_PARAMS, state=PAIR_STATE, init=pair_init, step=correlation_step,
    run=correlation_run, function=correlation, inputs=("values", "other"), warmup=lambda window: max(window, 2) - 1,
)  # fmt: skip


@kernel
def beta_step(state, buffer, params, value, other):  # type: ignore[no-untyped-def]
    """One bar of one asset: the beta, NaN before the window is full and where either is missing."""
    window = params.window
    now, mine, its, products = pair_next(pair_load(state), buffer, buffer[3 * window :], window, value, other)
    pair_store(state, now)
    return beta_of(now, mine, its, products, params.ddof)


@kernel_loop
def beta_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    (values, others), window, ddof = rows, params[0].window, params[0].ddof
    bars, length = values.shape[0], run_length(values.shape[1])
    for start in range(0, bars, length):
        for n in range(values.shape[1]):
            now, buffer, other_buffer = pair_load(states[n]), borrowed(buffers[n]), borrowed(buffers[n][3 * window :])
            for t in range(start, min(start + length, bars)):
                now, mine, its, products = pair_next(now, buffer, other_buffer, window, values[t, n], others[t, n])
                out[t, n] = beta_of(now, mine, its, products, ddof)
            pair_store(states[n], now)


def beta(values: Any, other: Any, window: int) -> Any:
    """Slope of the values on the other series over the last `window` common bars: their covariance over the variance of `other`.

    What is given is what is compared: for the beta of a share give its returns and those of the market. (TA-Lib's BETA takes prices
    and makes returns of them itself, and its first argument is the market.)

    Parameters
    ----------
    values, other : (T,) or (T, N) arrays, pandas or polars Series or DataFrames, or Bars (their closes), of one shape and the same labels;
        `other` may be a number. NaN in either is a bar without a market, which enters neither window; infinite values are refused.
    window : bars, at least 1; one bar has no slope.

    Returns
    -------
    The type of `values` ((T, N) array for Bars), in units of `values` per unit of `other`: NaN before `window` common bars, on missing
    ones, and where `other` is flat in the window.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for series that are not numbers or do not fit each other.
    """
    return compute(BETA, (values, other), window)


BETA = Kernel(
    name="beta", parameters=(whole(),), params=PAIR_PARAMS, state=PAIR_STATE, init=pair_init, step=beta_step, run=beta_run, function=beta,
    inputs=("values", "other"), warmup=lambda window: max(window, 2) - 1,
)  # fmt: skip
