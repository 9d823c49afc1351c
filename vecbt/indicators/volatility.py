"""How far prices move: true range, Wilder's ATR, sigma of closes.

A bar with a missing price is no market: nothing enters, and the last value is carried, because levels and costs of
the next bar still need one. Before there are enough bars the value is NaN.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._typing import ArrayTN, Records
from ..core.jit import kernel, kernel_loop
from ..core.kernel import Kernel, whole
from ..core.state import records
from .compute import compute
from .windows import WINDOW_FIELDS, Window, chunk_length, window_next, window_sum

__all__ = [
    "ATR", "CLOSE_SIGMA", "TRUE_RANGE", "atr", "atr_init", "atr_run", "atr_step", "close_sigma", "sigma_init", "sigma_run", "sigma_step",
    "true_range", "true_range_init",
]  # fmt: skip

ATR_PARAMS = np.dtype([("window", "i8")], align=True)
ATR_STATE = np.dtype([("value", "f8"), ("close", "f8"), ("count", "i8")], align=True)


def atr_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """States, no buffers, parameters: ATR_STATE (N,), (N, 0), ATR_PARAMS (1,)."""
    params = records(ATR_PARAMS, 1)
    params.window[0] = window
    return records(ATR_STATE, assets), np.zeros((assets, 0)), params


@kernel
def atr_step(state, buffer, params, high, low, close):  # type: ignore[no-untyped-def]
    """One bar of one asset: Wilder's average true range, the mean of the first `window` ranges being its seed."""
    window = params.window
    if high != high or low != low or close != close:
        return state.value if state.count >= window else math.nan
    reach = high - low
    if state.count > 0:
        reach = max(reach, abs(high - state.close), abs(low - state.close))
    state.close = close
    if state.count < window:
        state.count += 1
        state.value += reach  # their sum, until the seed is complete
        if state.count < window:
            return math.nan
        state.value = state.value / window
        return state.value
    state.value = (state.value * (window - 1) + reach) / window
    return state.value


@kernel_loop
def atr_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    high, low, close = rows
    for t in range(close.shape[0]):
        for n in range(close.shape[1]):
            out[t, n] = atr_step(states[n], buffers[n], params[0], high[t, n], low[t, n], close[t, n])


def atr(bars: Any, window: int = 14) -> Any:
    """Average true range after Wilder (1978): `value = (value*(window - 1) + range)/window`.

    The true range is `max(h - l, |h - m|, |l - m|)`, `m` being the close of the last bar that had a market, and
    `h - l` on the first one. The mean of the first `window` ranges is the seed.

    Parameters
    ----------
    bars : Bars, a float64 block (5, T, N) of open, high, low, close, volume, or a pandas or polars frame of one
        asset with columns high, low, close. NaN is a bar without a market.
    window : bars, at least 1. With 1 the true range itself.

    Returns
    -------
    (T, N) array, or a Series for a frame, in price units: NaN before `window` bars; the last value on NaN bars.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for prices that are not usable.
    """
    return compute(ATR, (bars,), window)


ATR = Kernel(
    name="atr", parameters=(whole(default=14),), params=ATR_PARAMS, state=ATR_STATE, init=atr_init, step=atr_step, run=atr_run,
    function=atr, inputs=("high", "low", "close"), warmup=lambda window: window - 1, carries=True,
)  # fmt: skip


def true_range_init(assets: int) -> tuple[Records, ArrayTN, Records]:
    """`atr_init` with a window of 1."""
    return atr_init(assets, 1)


def true_range(bars: Any) -> Any:
    """The true range of each bar, `atr(bars, 1)`: arguments and result as there. NaN bars carry the last value."""
    return compute(TRUE_RANGE, (bars,))


TRUE_RANGE = Kernel(
    name="true_range", parameters=(), params=ATR_PARAMS, state=ATR_STATE, init=true_range_init, step=atr_step, run=atr_run,
    function=true_range, inputs=("high", "low", "close"), carries=True,
)  # fmt: skip

SIGMA_PARAMS = np.dtype([("window", "i8")], align=True)
SIGMA_STATE = np.dtype([*WINDOW_FIELDS, ("value", "f8"), ("close", "f8")], align=True)


def sigma_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: SIGMA_STATE (N,), float64 (N, window), SIGMA_PARAMS (1,)."""
    params = records(SIGMA_PARAMS, 1)
    params.window[0] = window
    states = records(SIGMA_STATE, assets)
    states.value[:] = math.nan
    states.close[:] = math.nan
    return states, np.zeros((assets, window)), params


@kernel
def sigma_step(state, buffer, params, open_, close):  # type: ignore[no-untyped-def]
    """One bar of one asset: root of the mean of the squared returns of the last `window` bars, or fewer at first."""
    if open_ != open_ or close != close:
        return state.value
    base = state.close if state.close == state.close else open_
    state.close = close
    if base == 0.0:
        return state.value  # a return on a price of zero does not exist
    change = close / base - 1.0
    past = Window(state.prefix, state.head, state.count)
    total = window_sum(past, buffer, change * change)
    now = window_next(past, buffer, change * change)
    state.prefix = now.prefix
    state.head = now.head
    state.count = now.filled
    state.value = math.sqrt(total / now.filled)
    return state.value


@kernel_loop
def sigma_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    open_, close = rows
    bars, length = close.shape[0], chunk_length(close.shape[1])
    for start in range(0, bars, length):
        for n in range(close.shape[1]):
            state, buffer, param = states[n], buffers[n], params[0]
            for t in range(start, min(start + length, bars)):
                out[t, n] = sigma_step(state, buffer, param, open_[t, n], close[t, n])


def close_sigma(bars: Any, window: int = 20) -> Any:
    """Sigma per bar of simple close-to-close returns: the root of the mean of their squares, no mean taken off.

    Parameters
    ----------
    bars : Bars, a float64 block (5, T, N), or a pandas or polars frame of one asset with columns open and close.
        NaN is a bar without a market: the return after it is from the last close before it.
    window : bars, at least 1; while there are fewer, all of them. The first bar counts `close/open - 1`; a return
        from a price of zero does not exist and is left out.

    Returns
    -------
    (T, N) array, or a Series for a frame, a fraction per bar: NaN before the first bar; the last value on NaN bars.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for prices that are not usable.
    """
    return compute(CLOSE_SIGMA, (bars,), window)


CLOSE_SIGMA = Kernel(
    name="close_sigma", parameters=(whole(default=20),), params=SIGMA_PARAMS, state=SIGMA_STATE, init=sigma_init, step=sigma_step,
    run=sigma_run, function=close_sigma, inputs=("open", "close"), carries=True,
)  # fmt: skip
