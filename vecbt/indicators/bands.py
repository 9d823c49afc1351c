"""Bands around prices: Bollinger's bands, the Keltner channel, the Donchian channel.

Missing values are bars without a market: they have no band and enter nothing.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .._typing import ArrayTN, Records
from ..core.jit import borrowed, kernel, kernel_loop
from ..core.kernel import Kernel, whole
from ..core.space import Domain
from ..core.state import records
from .anchored import moments_deviation, moments_load, moments_store, run_length, spread_next
from .compute import compute
from .windows import MOMENTS_FIELDS, Moments, moments_mean, moments_variance

__all__ = ["BOLLINGER", "Bollinger", "bollinger", "bollinger_init", "bollinger_lines", "bollinger_run", "bollinger_step"]

BOLLINGER_PARAMS = np.dtype([("window", "i8"), ("width", "f8")], align=True)
BOLLINGER_STATE = np.dtype(MOMENTS_FIELDS, align=True)


class Bollinger(NamedTuple):
    """Bollinger's bands: three lines in price units, their bandwidth, and where in the bands the value stands (%b)."""

    upper: Any
    middle: Any
    lower: Any
    bandwidth: Any
    percent: Any


def bollinger_init(assets: int, window: int, width: float) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: BOLLINGER_STATE (N,), float64 (N, 3 * window), BOLLINGER_PARAMS (1,)."""
    params = records(BOLLINGER_PARAMS, 1)
    params.window[0] = window
    params.width[0] = width
    return records(BOLLINGER_STATE, assets), np.zeros((assets, 3 * window)), params


@kernel
def bollinger_lines(now, total, squares, width, value):  # type: ignore[no-untyped-def]
    """Upper, middle, lower, bandwidth and percent of a full window, out of its anchored sums."""
    middle = moments_mean(now, total)
    reach = width * math.sqrt(moments_variance(now, total, squares, 0))
    bandwidth = 2.0 * reach / middle if middle != 0.0 else math.nan
    percent = 0.5 + 0.5 * moments_deviation(now, total, value) / reach if reach > 0.0 else math.nan
    return middle + reach, middle, middle - reach, bandwidth, percent


@kernel
def bollinger_step(state, buffer, params, value):  # type: ignore[no-untyped-def]
    """One bar of one asset: five values, NaN before the window is full and on a missing bar."""
    now, total, squares = spread_next(moments_load(state), buffer, params.window, value)
    moments_store(state, now)
    full = Moments(now.anchor, 0.0, 0.0, 0, params.window)
    return bollinger_lines(full, total, squares, params.width, value)


@kernel
def _sums(states, buffers, window, values, out, span):  # type: ignore[no-untyped-def]
    """The anchored sums of the bars of a span, where their lines will stand: anchor, sum, sum of squares."""
    for n in range(values.shape[1]):
        now, buffer = moments_load(states[n]), borrowed(buffers[n])
        for t in range(span[0], span[1]):
            now, out[1, t, n], out[2, t, n] = spread_next(now, buffer, window, values[t, n])
            out[0, t, n] = now.anchor
        moments_store(states[n], now)


@kernel
def _lines(window, width, values, out, t):  # type: ignore[no-untyped-def]
    """One bar of all assets: the lines in place of the sums. Roots and divisions of neighbours are done together."""
    # each row on its own is known to be contiguous
    upper, middle, lower, bandwidth, percent = out[0, t], out[1, t], out[2, t], out[3, t], out[4, t]
    for n in range(values.shape[0]):
        full = Moments(upper[n], 0.0, 0.0, 0, window)
        upper[n], middle[n], lower[n], bandwidth[n], percent[n] = bollinger_lines(full, middle[n], lower[n], width, values[n])


@kernel_loop
def bollinger_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    values, window, width = rows[0], params[0].window, params[0].width
    # what the first pass leaves is still in the cache when the second one takes it
    bars, length = values.shape[0], run_length(values.shape[1])
    for start in range(0, bars, length):
        stop = min(start + length, bars)
        _sums(states, buffers, window, values, out, (start, stop))
        for t in range(start, stop):
            _lines(window, width, values[t], out, t)


def bollinger(values: Any, window: int = 20, width: float = 2.0) -> Any:
    """Bollinger's bands (Bollinger 2001): the mean of the last `window` values, and `width` standard deviations around it.

    The deviation is that of the population (divided by `window`). `bandwidth = (upper - lower)/middle` and
    `percent = (value - lower)/(upper - lower)`, his %b: 1 at the upper band, 0 at the lower one.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes), in price units.
        NaN is a bar without a market; infinite values are refused.
    window : bars, at least 1.
    width : standard deviations from the middle to a band, at least 0.

    Returns
    -------
    Bollinger(upper, middle, lower, bandwidth, percent), each of the type that came in ((T, N) arrays for Bars): the lines in price
    units, bandwidth and percent as fractions. NaN before `window` values are there and on missing bars. In a flat window the lines are
    the price itself and percent is NaN; bandwidth is NaN where the middle is 0.

    Raises
    ------
    ConfigError for a window or width that may not be; InputError for values that are not numbers.
    """
    return compute(BOLLINGER, (values,), window, width)


BOLLINGER = Kernel(
    name="bollinger", parameters=(whole(default=20), Domain(name="width", default=2.0, low=0.0)), params=BOLLINGER_PARAMS,
    state=BOLLINGER_STATE, init=bollinger_init, step=bollinger_step, run=bollinger_run, function=bollinger, result=Bollinger,
    warmup=lambda window, width: window - 1,
)  # fmt: skip
