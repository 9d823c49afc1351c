"""Oscillators of the typical price `(h + l + c)/3`: the commodity channel index and the money flow index.

A bar with a missing price or volume is no market: NaN there, and nothing of it enters.
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
from .oscillators import share
from .volume_averages import typical_price
from .windows import Window, chunk_length, window_next, window_sum

__all__ = [
    "CCI", "MFI", "cci", "cci_init", "cci_run", "cci_step", "mfi", "mfi_init", "mfi_next", "mfi_run", "mfi_step",
]  # fmt: skip

CCI_PARAMS = np.dtype([("window", "i8")], align=True)
CCI_STATE = np.dtype([("head", "i8"), ("count", "i8")], align=True)


def cci_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: CCI_STATE (N,), float64 (N, 2*window) of closes and of what lies beside them, CCI_PARAMS (1,)."""
    params = records(CCI_PARAMS, 1)
    params.window[0] = window
    return records(CCI_STATE, assets), np.zeros((assets, 2 * window)), params


@spine
def cci_step(state, buffer, params, high, low, close):  # type: ignore[no-untyped-def]
    """One bar of one asset: the typical price's distance from its mean, over 0.015 of the mean such distance.

    All distances are from this bar, three times as large as they are: so nothing is lost at a high level of prices, and bars that are
    equal have none.
    """
    if high != high or low != low or close != close:
        return math.nan
    window, head = params.window, state.head
    beside = (high - close) + (low - close)
    buffer[head] = close
    buffer[window + head] = beside
    state.head = head + 1 if head + 1 < window else 0
    if state.count < window:
        state.count += 1
        if state.count < window:
            return math.nan
    total = 0.0
    for i in range(window):
        total += 3.0 * (buffer[i] - close) + (buffer[window + i] - beside)
    middle, deviation = total / window, 0.0
    for i in range(window):
        deviation += abs(3.0 * (buffer[i] - close) + (buffer[window + i] - beside) - middle)
    return -middle / (0.015 * (deviation / window)) if deviation > 0.0 else math.nan


@kernel_loop
def cci_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    high, low, close = rows
    bars, length = close.shape[0], chunk_length(close.shape[1])
    for start in range(0, bars, length):
        for n in range(close.shape[1]):
            state, buffer, param = states[n], borrowed(buffers[n]), params[0]
            for t in range(start, min(start + length, bars)):
                out[t, n] = cci_step(state, buffer, param, high[t, n], low[t, n], close[t, n])


def cci(bars: Any, window: int = 20) -> Any:
    """Commodity channel index, Lambert (1980): `(p - mean)/(0.015*deviation)` of typical prices `p = (h + l + c)/3`.

    `mean` is over the last `window` bars, and the deviation is the mean of `|p - mean|` over the same bars. A bar costs as much as its
    window is long.

    Parameters
    ----------
    bars : Bars, a float64 block (5, T, N) of open, high, low, close, volume, or a pandas or polars frame of one asset with columns
        high, low, close. NaN is a bar without a market.
    window : bars, at least 1; with 1 nothing deviates, so there is no value

    Returns
    -------
    (T, N) array, or a Series for a frame, a plain number: NaN before `window` bars, on missing bars, and where nothing deviates
    (TA-Lib has 0 there).

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for prices that are not usable.
    """
    return compute(CCI, (bars,), window)


CCI = Kernel(
    name="cci", parameters=(whole(default=20),), params=CCI_PARAMS, state=CCI_STATE, init=cci_init, step=cci_step, run=cci_run,
    function=cci, inputs=("high", "low", "close"), warmup=lambda window: window - 1,
)  # fmt: skip

MFI_PARAMS = np.dtype([("window", "i8")], align=True)
MFI_STATE = np.dtype([("last", "f8"), ("inflow", "f8"), ("outflow", "f8"), ("head", "i8"), ("count", "i8")], align=True)


def mfi_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: MFI_STATE (N,), float64 (N, 2*window) of money in and out, MFI_PARAMS (1,)."""
    params = records(MFI_PARAMS, 1)
    params.window[0] = window
    states = records(MFI_STATE, assets)
    states.last[:] = math.nan
    return states, np.zeros((assets, 2 * window)), params


@spine
def mfi_next(state, inflows, outflows, price, volume):  # type: ignore[no-untyped-def]
    """One bar of one asset: the share of the money that came in with rising prices; both have a buffer of their own."""
    if price != price or volume != volume:
        return math.nan
    last = state.last
    state.last = price
    if last != last:
        return math.nan
    money = price * volume
    gain, loss = money if price > last else 0.0, money if price < last else 0.0
    rising, falling = Window(state.inflow, state.head, state.count), Window(state.outflow, state.head, state.count)
    inflow, outflow = window_sum(rising, inflows, gain), window_sum(falling, outflows, loss)
    rising, falling = window_next(rising, inflows, gain), window_next(falling, outflows, loss)
    state.inflow = rising.prefix
    state.outflow = falling.prefix
    state.head = rising.head
    state.count = rising.filled
    return share(inflow, outflow) if rising.filled == inflows.shape[0] else math.nan


@kernel
def mfi_step(state, buffer, params, high, low, close, volume):  # type: ignore[no-untyped-def]
    """`mfi_next` on the two halves of a buffer."""
    return mfi_next(state, buffer[: params.window], buffer[params.window :], typical_price(high, low, close), volume)


@kernel_loop
def mfi_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    high, low, close, volume = rows
    bars, length, window = close.shape[0], chunk_length(close.shape[1]), params[0].window
    for start in range(0, bars, length):
        for n in range(close.shape[1]):
            state, buffer = states[n], borrowed(buffers[n])
            inflows, outflows = buffer[:window], buffer[window:]
            for t in range(start, min(start + length, bars)):
                price = typical_price(high[t, n], low[t, n], close[t, n])
                out[t, n] = mfi_next(state, inflows, outflows, price, volume[t, n])


def mfi(bars: Any, window: int = 14) -> Any:
    """Money flow index, Quong and Soudack (1989): the money `p*volume` of bars whose typical price rose, in percent of that of all.

    `p = (h + l + c)/3` is compared with that of the bar before; a bar where it stays counts for neither side.

    Parameters
    ----------
    bars : Bars, a float64 block (5, T, N) of open, high, low, close, volume, or a pandas or polars frame of one asset with columns
        high, low, close and volume. NaN is a bar without a market.
    window : bars, at least 1

    Returns
    -------
    (T, N) array, or a Series for a frame, 0 to 100: NaN before `window + 1` bars, on missing bars, and where no money flowed (TA-Lib
    has 0 there, and below a flow of 1).

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for bars without volume or with unusable prices.
    """
    return compute(MFI, (bars,), window)


MFI = Kernel(
    name="mfi", parameters=(whole(default=14),), params=MFI_PARAMS, state=MFI_STATE, init=mfi_init, step=mfi_step, run=mfi_run,
    function=mfi, inputs=("high", "low", "close", "volume"), warmup=lambda window: window,
)  # fmt: skip
