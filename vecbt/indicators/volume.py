"""Volume and what prices did with it: on-balance volume, accumulation/distribution, Chaikin money flow.

Running totals have no window to forget in, so each is kept as two numbers: the rounded total and what its additions have lost.

A bar whose price or volume is missing is no market: it has no value and nothing enters.
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
from .windows import Window, chunk_length, window_next, window_sum

__all__ = [
    "ACCUMULATION_DISTRIBUTION", "CMF", "OBV", "Flow", "Total", "accumulation_distribution", "ad_run", "ad_step", "cmf", "cmf_init",
    "cmf_load", "cmf_next", "cmf_run", "cmf_step", "cmf_store", "money_flow", "obv", "obv_run", "obv_step", "total_init", "total_next",
]  # fmt: skip

TOTAL_PARAMS = np.dtype([("unused", "i8")], align=True)
"""Nothing to set; a record has at least one field."""
TOTAL_STATE = np.dtype([("total", "f8"), ("lost", "f8"), ("close", "f8"), ("count", "i8")], align=True)


def total_init(assets: int) -> tuple[Records, ArrayTN, Records]:
    """States, no buffers, nothing set: TOTAL_STATE (N,), (N, 0), TOTAL_PARAMS (1,)."""
    return records(TOTAL_STATE, assets), np.zeros((assets, 0)), records(TOTAL_PARAMS, 1)


class Total(NamedTuple):
    """A running total and what its additions have lost to rounding; its value is the sum of both."""

    total: float
    lost: float


@kernel
def total_next(past, value):  # type: ignore[no-untyped-def]
    """The total after one more value: the rounding error of each addition is itself a float, and is kept (Knuth's two-sum)."""
    total = past.total + value
    came = total - past.total
    return Total(total, past.lost + ((past.total - (total - came)) + (value - came)))


@kernel
def obv_step(state, buffer, params, close, volume):  # type: ignore[no-untyped-def]
    """One bar of one asset: the volume is added on a higher close, and taken off on a lower one."""
    if close != close or volume != volume:
        return math.nan
    # a product, not a branch: whether a close is higher cannot be foreseen
    higher = 1.0 if close > state.close else 0.0
    lower = 1.0 if close < state.close else 0.0
    entering = volume * (higher - lower) if state.count > 0 else volume
    now = total_next(Total(state.total, state.lost), entering)
    state.total = now.total
    state.lost = now.lost
    state.close = close
    state.count = 1
    return now.total + now.lost


@kernel_loop
def obv_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    close, volume = rows
    for t in range(close.shape[0]):
        for n in range(close.shape[1]):
            out[t, n] = obv_step(states[n], buffers[n], params[0], close[t, n], volume[t, n])


def obv(bars: Any) -> Any:
    """On-balance volume: the volume of bars that close higher, less that of bars that close lower; an equal close adds nothing.

    J. Granville, Granville's New Key to Stock Market Profits (1963). Higher than the close of the last bar that had a market. Only its
    changes mean something: it begins with the volume of the first present bar, as in TA-Lib.

    Parameters
    ----------
    bars : Bars with volume, a float64 block (5, T, N) of open, high, low, close, volume, or a pandas or polars frame of one asset with
        columns close and volume. NaN is a bar without a market.

    Returns
    -------
    (T, N) array, or a Series for a frame, in units of volume: NaN on NaN bars.

    Raises
    ------
    InputError for bars that have no volume, or values that are not usable.
    """
    return compute(OBV, (bars,))


OBV = Kernel(
    name="obv", parameters=(), params=TOTAL_PARAMS, state=TOTAL_STATE, init=total_init, step=obv_step, run=obv_run, function=obv,
    inputs=("close", "volume"),
)  # fmt: skip


@spine
def money_flow(high, low, close, volume):  # type: ignore[no-untyped-def]
    """The volume, weighted by where the bar closes: all of it at the high, none in the middle, less all of it at the low."""
    if high == low:
        return 0.0
    return ((close - low) - (high - close)) / (high - low) * volume


@kernel
def ad_step(state, buffer, params, high, low, close, volume):  # type: ignore[no-untyped-def]
    """One bar of one asset: its money flow is added."""
    if high != high or low != low or close != close or volume != volume:
        return math.nan
    now = total_next(Total(state.total, state.lost), money_flow(high, low, close, volume))
    state.total = now.total
    state.lost = now.lost
    return now.total + now.lost


@kernel_loop
def ad_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    high, low, close, volume = rows
    for t in range(close.shape[0]):
        for n in range(close.shape[1]):
            out[t, n] = ad_step(states[n], buffers[n], params[0], high[t, n], low[t, n], close[t, n], volume[t, n])


def accumulation_distribution(bars: Any) -> Any:
    """Accumulation/distribution line of Chaikin: the running total of `volume * ((close - low) - (high - close))/(high - low)`.

    A bar whose high is its low adds nothing, as in TA-Lib. Only changes of the line mean something; it begins with the first bar's.

    Parameters
    ----------
    bars : as for `obv`, and with high and low. NaN is a bar without a market.

    Returns
    -------
    (T, N) array, or a Series for a frame, in units of volume: NaN on NaN bars.

    Raises
    ------
    InputError for bars that have no volume, or values that are not usable.
    """
    return compute(ACCUMULATION_DISTRIBUTION, (bars,))


ACCUMULATION_DISTRIBUTION = Kernel(
    name="accumulation_distribution", parameters=(), params=TOTAL_PARAMS, state=TOTAL_STATE, init=total_init, step=ad_step, run=ad_run,
    function=accumulation_distribution, inputs=("high", "low", "close", "volume"),
)  # fmt: skip

CMF_PARAMS = np.dtype([("window", "i8")], align=True)
CMF_STATE = np.dtype([("flow", "f8"), ("volume", "f8"), ("head", "i8"), ("count", "i8")], align=True)


def cmf_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: CMF_STATE (N,), float64 (N, 2*window), CMF_PARAMS (1,)."""
    params = records(CMF_PARAMS, 1)
    params.window[0] = window
    return records(CMF_STATE, assets), np.zeros((assets, 2 * window)), params


class Flow(NamedTuple):
    """Windows of money flow and of volume, at the same place."""

    flow: Window
    volume: Window


@kernel
def cmf_load(state):  # type: ignore[no-untyped-def]
    """A record of CMF_STATE as values."""
    return Flow(Window(state.flow, state.head, state.count), Window(state.volume, state.head, state.count))


@kernel
def cmf_store(state, now):  # type: ignore[no-untyped-def]
    """The values back into the record."""
    state.flow = now.flow.prefix
    state.volume = now.volume.prefix
    state.head = now.flow.head
    state.count = now.flow.filled


@spine
def cmf_next(past, parts, high, low, close, volume):  # type: ignore[no-untyped-def]
    """One bar of one asset; `parts` are the buffers of both windows. The money flow, and what comes after."""
    if high != high or low != low or close != close or volume != volume:
        return math.nan, past
    flow = money_flow(high, low, close, volume)
    flows, volumes = window_sum(past.flow, parts[0], flow), window_sum(past.volume, parts[1], volume)
    now = Flow(window_next(past.flow, parts[0], flow), window_next(past.volume, parts[1], volume))
    enough = now.flow.filled >= parts[0].shape[0] and volumes != 0.0
    return flows / volumes if enough else math.nan, now


@kernel
def cmf_step(state, buffer, params, high, low, close, volume):  # type: ignore[no-untyped-def]
    """`cmf_next` on a record."""
    parts = (buffer[: params.window], buffer[params.window :])
    value, now = cmf_next(cmf_load(state), parts, high, low, close, volume)
    cmf_store(state, now)
    return value


@kernel_loop
def cmf_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    high, low, close, volume = rows
    bars, length, window = close.shape[0], chunk_length(close.shape[1]), params[0].window
    for start in range(0, bars, length):
        for n in range(close.shape[1]):
            now, parts = cmf_load(states[n]), (borrowed(buffers[n, :window]), borrowed(buffers[n, window:]))
            for t in range(start, min(start + length, bars)):
                out[t, n], now = cmf_next(now, parts, high[t, n], low[t, n], close[t, n], volume[t, n])
            cmf_store(states[n], now)


def cmf(bars: Any, window: int = 20) -> Any:
    """Chaikin money flow, from -1 to 1: what the accumulation/distribution line gains in `window` bars, divided by their volume.

    Parameters
    ----------
    bars : as for `accumulation_distribution`. NaN is a bar without a market.
    window : bars, at least 1.

    Returns
    -------
    (T, N) array, or a Series for a frame, a fraction: NaN before `window` bars, on NaN bars and where the bars had no volume at all.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for bars that have no volume, or are not usable.
    """
    return compute(CMF, (bars,), window)


CMF = Kernel(
    name="cmf", parameters=(whole(default=20),), params=CMF_PARAMS, state=CMF_STATE, init=cmf_init, step=cmf_step, run=cmf_run,
    function=cmf, inputs=("high", "low", "close", "volume"), warmup=lambda window: window - 1,
)  # fmt: skip
