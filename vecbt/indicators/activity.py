"""Volume against its own past: relative volume and its z-score. Only the volume is read, and a bar without one is left out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._typing import ArrayTN, Records
from ..core.jit import borrowed, kernel, kernel_loop, spine
from ..core.kernel import Kernel, whole
from ..core.state import records
from .compute import compute
from .moving import SMA_PARAMS, SMA_STATE, sma_init, sma_load, sma_next, sma_store
from .windows import MOMENTS_FIELDS, Moments, chunk_length, moments_next, moments_variance

__all__ = [
    "VOLUME_RATIO", "VOLUME_ZSCORE", "ratio_next", "ratio_run", "ratio_step", "volume_ratio", "volume_zscore", "zscore_init", "zscore_load",
    "zscore_next", "zscore_run", "zscore_step", "zscore_store",
]  # fmt: skip


@spine
def ratio_next(past, buffer, volume):  # type: ignore[no-untyped-def]
    """One bar of one asset: the volume over its average, and what comes after."""
    average, now = sma_next(past, buffer, volume)
    return volume / average if average != 0.0 else math.nan, now


@kernel
def ratio_step(state, buffer, params, volume):  # type: ignore[no-untyped-def]
    """`ratio_next` on a record."""
    value, now = ratio_next(sma_load(state), buffer, volume)
    sma_store(state, now)
    return value


@kernel_loop
def ratio_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    volume = rows[0]
    bars, length = volume.shape[0], chunk_length(volume.shape[1])
    for start in range(0, bars, length):
        for n in range(volume.shape[1]):
            now, buffer = sma_load(states[n]), borrowed(buffers[n])
            for t in range(start, min(start + length, bars)):
                out[t, n], now = ratio_next(now, buffer, volume[t, n])
            sma_store(states[n], now)


def volume_ratio(bars: Any, window: int = 20) -> Any:
    """Relative volume: the volume of a bar over its simple average of the last `window` present bars, this bar included.

    Parameters
    ----------
    bars : Bars with volume, a float64 block (5, T, N), or a pandas or polars frame of one asset with a column volume. NaN is a bar
        without a market; a volume of 0 counts.
    window : bars, at least 1. Because this bar is one of them, the ratio is at most `window`; with 1 it is always 1.

    Returns
    -------
    (T, N) array, or a Series for a frame, 1 being the usual volume: NaN before `window` bars, on NaN bars and where the average is 0.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for bars that have no volume.
    """
    return compute(VOLUME_RATIO, (bars,), window)


VOLUME_RATIO = Kernel(
    name="volume_ratio", parameters=(whole(default=20),), params=SMA_PARAMS, state=SMA_STATE, init=sma_init, step=ratio_step, run=ratio_run,
    function=volume_ratio, inputs=("volume",), warmup=lambda window: window - 1,
)  # fmt: skip

ZSCORE_PARAMS = np.dtype([("window", "i8")], align=True)
ZSCORE_STATE = np.dtype(MOMENTS_FIELDS, align=True)


def zscore_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: ZSCORE_STATE (N,), float64 (N, 3*window), ZSCORE_PARAMS (1,)."""
    params = records(ZSCORE_PARAMS, 1)
    params.window[0] = window
    return records(ZSCORE_STATE, assets), np.zeros((assets, 3 * window)), params


@kernel
def zscore_load(state):  # type: ignore[no-untyped-def]
    """A record of ZSCORE_STATE as values."""
    return Moments(state.anchor, state.first, state.second, state.head, state.count)


@kernel
def zscore_store(state, now):  # type: ignore[no-untyped-def]
    """The values back into the record."""
    state.anchor = now.anchor
    state.first = now.first
    state.second = now.second
    state.head = now.head
    state.count = now.filled


@spine
def zscore_next(past, buffer, window, volume):  # type: ignore[no-untyped-def]
    """One bar of one asset: its distance from the mean in sample standard deviations, and what comes after."""
    if volume != volume:
        return math.nan, past
    now, sum_, squares = moments_next(past, buffer, window, volume)
    if now.filled < window:
        return math.nan, now
    variance = moments_variance(now, sum_, squares, 1)
    # from the anchor: the mean itself would round the last digits of a small distance away
    return ((volume - now.anchor) - sum_ / window) / math.sqrt(variance) if variance > 0.0 else math.nan, now


@kernel
def zscore_step(state, buffer, params, volume):  # type: ignore[no-untyped-def]
    """`zscore_next` on a record."""
    value, now = zscore_next(zscore_load(state), buffer, params.window, volume)
    zscore_store(state, now)
    return value


@kernel_loop
def zscore_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    volume, window = rows[0], params[0].window
    bars, length = volume.shape[0], chunk_length(volume.shape[1])
    for start in range(0, bars, length):
        for n in range(volume.shape[1]):
            now, buffer = zscore_load(states[n]), borrowed(buffers[n])
            for t in range(start, min(start + length, bars)):
                out[t, n], now = zscore_next(now, buffer, window, volume[t, n])
            zscore_store(states[n], now)


def volume_zscore(bars: Any, window: int = 20) -> Any:
    """How unusual a volume is: its distance from the mean of the last `window` present bars, this bar included, in standard deviations.

    The standard deviation is that of a sample (divided by `window - 1`); with this bar among them the score is at most
    `(window - 1)/sqrt(window)` in size.

    Parameters
    ----------
    bars : as for `volume_ratio`. NaN is a bar without a market.
    window : bars, at least 2.

    Returns
    -------
    (T, N) array, or a Series for a frame, in standard deviations: NaN before `window` bars, on NaN bars and where all volumes are equal.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 2; InputError for bars that have no volume.
    """
    return compute(VOLUME_ZSCORE, (bars,), window)


VOLUME_ZSCORE = Kernel(
    name="volume_zscore", parameters=(whole(default=20, low=2),), params=ZSCORE_PARAMS, state=ZSCORE_STATE, init=zscore_init,
    step=zscore_step, run=zscore_run, function=volume_zscore, inputs=("volume",), warmup=lambda window: window - 1,
)  # fmt: skip
