"""Averages weighted by volume: of a window of closes, of typical prices, and of the session so far.

A bar with a missing price or volume is no market: NaN there, and nothing of it enters. Where no volume was traded there is no average.
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
from .windows import Window, chunk_length, window_next, window_sum

__all__ = [
    "SESSION_VWAP", "VWAP", "VWMA", "session_vwap", "session_vwap_init", "session_vwap_run", "session_vwap_step", "typical_price",
    "volume_average_init", "volume_average_next", "vwap", "vwap_run", "vwap_step", "vwma", "vwma_run", "vwma_step",
]  # fmt: skip

AVERAGE_PARAMS = np.dtype([("window", "i8")], align=True)
AVERAGE_STATE = np.dtype([("money", "f8"), ("traded", "f8"), ("head", "i8"), ("count", "i8")], align=True)


def volume_average_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: AVERAGE_STATE (N,), float64 (N, 2*window) of money and volume, AVERAGE_PARAMS (1,)."""
    params = records(AVERAGE_PARAMS, 1)
    params.window[0] = window
    return records(AVERAGE_STATE, assets), np.zeros((assets, 2 * window)), params


@spine
def typical_price(high, low, close):  # type: ignore[no-untyped-def]
    """The mean of high, low and close."""
    return (high + low + close) / 3.0


@spine
def volume_average_next(state, money, traded, price, volume):  # type: ignore[no-untyped-def]
    """One bar of one asset: what was paid in the window, over what was traded in it; `money` and `traded` are the buffers of both."""
    if price != price or volume != volume:
        return math.nan
    paid = Window(state.money, state.head, state.count)
    moved = Window(state.traded, state.head, state.count)
    spent, total = window_sum(paid, money, price * volume), window_sum(moved, traded, volume)
    paid, moved = window_next(paid, money, price * volume), window_next(moved, traded, volume)
    state.money = paid.prefix
    state.traded = moved.prefix
    state.head = paid.head
    state.count = paid.filled
    return spent / total if paid.filled == money.shape[0] and total > 0.0 else math.nan


@kernel
def vwma_step(state, buffer, params, close, volume):  # type: ignore[no-untyped-def]
    """`volume_average_next` of the close, on the two halves of a buffer."""
    return volume_average_next(state, buffer[: params.window], buffer[params.window :], close, volume)


@kernel_loop
def vwma_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    close, volume = rows
    bars, length, window = close.shape[0], chunk_length(close.shape[1]), params[0].window
    for start in range(0, bars, length):
        for n in range(close.shape[1]):
            state, buffer = states[n], borrowed(buffers[n])
            money, traded = buffer[:window], buffer[window:]
            for t in range(start, min(start + length, bars)):
                out[t, n] = volume_average_next(state, money, traded, close[t, n], volume[t, n])


def vwma(bars: Any, window: int = 20) -> Any:
    """Volume-weighted moving average: closes of the last `window` bars, each weighted by its volume.

    Parameters
    ----------
    bars : Bars, a float64 block (5, T, N) of open, high, low, close, volume, or a pandas or polars frame of one asset with columns
        close and volume. NaN is a bar without a market.
    window : bars, at least 1

    Returns
    -------
    (T, N) array, or a Series for a frame, in price units: NaN before `window` bars, on missing bars, and where all volumes of the
    window are 0.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for bars without volume or with unusable prices.
    """
    return compute(VWMA, (bars,), window)


VWMA = Kernel(
    name="vwma", parameters=(whole(default=20),), params=AVERAGE_PARAMS, state=AVERAGE_STATE, init=volume_average_init, step=vwma_step,
    run=vwma_run, function=vwma, inputs=("close", "volume"), warmup=lambda window: window - 1,
)  # fmt: skip


@kernel
def vwap_step(state, buffer, params, high, low, close, volume):  # type: ignore[no-untyped-def]
    """`volume_average_next` of the typical price, on the two halves of a buffer."""
    price = typical_price(high, low, close)
    return volume_average_next(state, buffer[: params.window], buffer[params.window :], price, volume)


@kernel_loop
def vwap_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    high, low, close, volume = rows
    bars, length, window = close.shape[0], chunk_length(close.shape[1]), params[0].window
    for start in range(0, bars, length):
        for n in range(close.shape[1]):
            state, buffer = states[n], borrowed(buffers[n])
            money, traded = buffer[:window], buffer[window:]
            for t in range(start, min(start + length, bars)):
                price = typical_price(high[t, n], low[t, n], close[t, n])
                out[t, n] = volume_average_next(state, money, traded, price, volume[t, n])


def vwap(bars: Any, window: int = 20) -> Any:
    """Rolling volume-weighted average price: typical prices `(h + l + c)/3` of the last `window` bars, each weighted by its volume.

    Parameters
    ----------
    bars : Bars, a float64 block (5, T, N) of open, high, low, close, volume, or a pandas or polars frame of one asset with columns
        high, low, close and volume. NaN is a bar without a market.
    window : bars, at least 1. From the start of each session: `session_vwap`.

    Returns
    -------
    (T, N) array, or a Series for a frame, in price units: NaN before `window` bars, on missing bars, and where all volumes of the
    window are 0.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for bars without volume or with unusable prices.
    """
    return compute(VWAP, (bars,), window)


VWAP = Kernel(
    name="vwap", parameters=(whole(default=20),), params=AVERAGE_PARAMS, state=AVERAGE_STATE, init=volume_average_init, step=vwap_step,
    run=vwap_run, function=vwap, inputs=("high", "low", "close", "volume"), warmup=lambda window: window - 1,
)  # fmt: skip

SESSION_PARAMS = np.dtype([("unused", "i8")], align=True)
SESSION_STATE = np.dtype([("session", "f8"), ("money", "f8"), ("traded", "f8")], align=True)


def session_vwap_init(assets: int) -> tuple[Records, ArrayTN, Records]:
    """States, no buffers, no parameters: SESSION_STATE (N,), (N, 0), one record of zeros."""
    states = records(SESSION_STATE, assets)
    states.session[:] = math.nan
    return states, np.zeros((assets, 0)), records(SESSION_PARAMS, 1)


@spine
def session_vwap_step(state, buffer, params, high, low, close, volume, session):  # type: ignore[no-untyped-def]
    """One bar of one asset: paid and traded since the session began; both begin anew with a bar of another session."""
    price = typical_price(high, low, close)
    if price != price or volume != volume or session != session:
        return math.nan
    if session != state.session:
        state.session = session
        state.money = 0.0
        state.traded = 0.0
    state.money += price * volume
    state.traded += volume
    return state.money / state.traded if state.traded > 0.0 else math.nan


@kernel_loop
def session_vwap_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    high, low, close, volume, session = rows
    for t in range(close.shape[0]):
        for n in range(close.shape[1]):
            out[t, n] = session_vwap_step(states[n], buffers[n], params[0], high[t, n], low[t, n], close[t, n], volume[t, n], session[t, n])


def session_vwap(bars: Any) -> Any:
    """Volume-weighted average price since the start of the session: typical prices `(h + l + c)/3`, each weighted by its volume.

    Parameters
    ----------
    bars : Bars, whose market says when a session starts, or a pandas or polars frame of one asset with columns high, low, close,
        volume and session, a number that changes with the session. NaN is a bar without a market.

    Returns
    -------
    (T, N) array, or a Series for a frame, in price units: NaN on missing bars, and while the session's volumes are all 0.

    Raises
    ------
    InputError for bars without volume or sessions, or with unusable prices.
    """
    return compute(SESSION_VWAP, (bars,))


SESSION_VWAP = Kernel(
    name="session_vwap", parameters=(), params=SESSION_PARAMS, state=SESSION_STATE, init=session_vwap_init, step=session_vwap_step,
    run=session_vwap_run, function=session_vwap, inputs=("high", "low", "close", "volume", "session"),
)  # fmt: skip
