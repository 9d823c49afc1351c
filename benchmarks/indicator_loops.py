"""W7's hand-written loops: bar by bar over all assets, sums kept running, no gaps looked for; compiled, on one thread.

They do less than the indicators do: a running sum drifts, and a single missing value spoils all that follows.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from .work import Array


@numba.njit(nogil=True, error_model="numpy")
def sma_loop(values: Array, window: int, out: Array) -> None:  # pragma: no cover - compiled
    """Mean of the last `window` values."""
    sums = np.zeros(values.shape[1])
    for t in range(values.shape[0]):
        for n in range(values.shape[1]):
            sums[n] += values[t, n]
            if t >= window:
                sums[n] -= values[t - window, n]
            out[t, n] = sums[n] / window if t >= window - 1 else math.nan


@numba.njit(nogil=True, error_model="numpy")
def ema_loop(values: Array, span: int, out: Array) -> None:  # pragma: no cover - compiled
    """Exponential average, seeded by the mean of the first `span` values."""
    average, alpha = np.zeros(values.shape[1]), 2.0 / (span + 1.0)
    for t in range(values.shape[0]):
        for n in range(values.shape[1]):
            if t < span:
                average[n] += values[t, n] / span
            else:
                average[n] += alpha * (values[t, n] - average[n])
            out[t, n] = average[n] if t >= span - 1 else math.nan


@numba.njit(nogil=True, error_model="numpy")
def rsi_loop(values: Array, window: int, out: Array) -> None:  # pragma: no cover - compiled
    """Wilder's averages of rises and of falls, seeded by means; the share of the rises."""
    gains, losses = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    out[0] = math.nan
    for t in range(1, values.shape[0]):
        for n in range(values.shape[1]):
            change = values[t, n] - values[t - 1, n]
            gain, loss = max(change, 0.0), max(-change, 0.0)
            if t <= window:
                gains[n] += gain / window
                losses[n] += loss / window
            else:
                gains[n] += (gain - gains[n]) / window
                losses[n] += (loss - losses[n]) / window
            out[t, n] = 100.0 * gains[n] / (gains[n] + losses[n]) if t >= window else math.nan


@numba.njit(nogil=True, error_model="numpy")
def atr_loop(high: Array, low: Array, close: Array, window: int, out: Array) -> None:  # pragma: no cover - compiled
    """Wilder's average of true ranges, seeded by their mean."""
    average = np.zeros(close.shape[1])
    for t in range(close.shape[0]):
        for n in range(close.shape[1]):
            reach = high[t, n] - low[t, n]
            if t > 0:
                reach = max(reach, abs(high[t, n] - close[t - 1, n]), abs(low[t, n] - close[t - 1, n]))
            if t < window:
                average[n] += reach / window
            else:
                average[n] += (reach - average[n]) / window
            out[t, n] = average[n] if t >= window - 1 else math.nan


@numba.njit(nogil=True, error_model="numpy")
def bollinger_loop(
    values: Array, window: int, width: float, upper: Array, middle: Array, lower: Array
) -> None:  # pragma: no cover - compiled
    """Mean of the last `window` values, and `width` standard deviations (of the population) above and below.

    Sums of distances from the first value, so that little is lost where they are squared.
    """
    assets = values.shape[1]
    sums, squares = np.zeros(assets), np.zeros(assets)
    for t in range(values.shape[0]):
        for n in range(assets):
            distance = values[t, n] - values[0, n]
            sums[n] += distance
            squares[n] += distance * distance
            if t >= window:
                old = values[t - window, n] - values[0, n]
                sums[n] -= old
                squares[n] -= old * old
            if t < window - 1:
                upper[t, n], middle[t, n], lower[t, n] = math.nan, math.nan, math.nan
            else:
                mean = sums[n] / window
                reach = width * math.sqrt(max(squares[n] / window - mean * mean, 0.0))
                mean += values[0, n]
                upper[t, n], middle[t, n], lower[t, n] = mean + reach, mean, mean - reach
