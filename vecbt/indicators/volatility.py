"""How far prices move: true range, Wilder's ATR, ATR in percent, sigma of closes, sigma by exponential weights.

A bar with a missing price is no market: nothing enters. True range, ATR and the sigma of closes carry their last value there, because
levels and costs of the next bar still need one; the others have none. Before there are enough bars the value is NaN.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._typing import ArrayTN, Records
from ..core.jit import kernel, kernel_loop
from ..core.kernel import Kernel, whole
from ..core.space import Domain
from ..core.state import records
from .compute import compute
from .windows import WINDOW_FIELDS, Window, chunk_length, window_next, window_sum

__all__ = [
    "ATR", "ATR_FIELDS", "CLOSE_SIGMA", "EWMA_VOLATILITY", "NATR", "TRUE_RANGE", "atr", "atr_init", "atr_run", "atr_step", "close_sigma",
    "ewma_init", "ewma_run", "ewma_step", "ewma_volatility", "natr", "natr_run", "natr_step", "reach_from", "sigma_init", "sigma_run",
    "sigma_step", "true_range", "true_range_init",
]  # fmt: skip

ATR_PARAMS = np.dtype([("window", "i8")], align=True)
ATR_FIELDS = [("value", "f8"), ("close", "f8"), ("count", "i8")]
"""What `atr_step` keeps; its state may hold more, and its parameters need a window."""
ATR_STATE = np.dtype(ATR_FIELDS, align=True)


def atr_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """States, no buffers, parameters: ATR_STATE (N,), (N, 0), ATR_PARAMS (1,)."""
    params = records(ATR_PARAMS, 1)
    params.window[0] = window
    return records(ATR_STATE, assets), np.zeros((assets, 0)), params


@kernel
def reach_from(before, high, low):  # type: ignore[no-untyped-def]
    """The true range of a bar that comes after a close of `before`."""
    return max(high - low, abs(high - before), abs(low - before))


@kernel
def atr_step(state, buffer, params, high, low, close):  # type: ignore[no-untyped-def]
    """One bar of one asset: Wilder's average true range, the mean of the first `window` ranges being its seed."""
    window = params.window
    if high != high or low != low or close != close:
        return state.value if state.count >= window else math.nan
    reach = reach_from(state.close, high, low) if state.count > 0 else high - low
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


@kernel
def natr_step(state, buffer, params, high, low, close):  # type: ignore[no-untyped-def]
    """One bar of one asset: the average true range in percent of the close."""
    if high != high or low != low or close != close:
        return math.nan
    value = atr_step(state, buffer, params, high, low, close)
    return 100.0 * (value / close) if close != 0.0 else math.nan


@kernel_loop
def natr_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    high, low, close = rows
    for t in range(close.shape[0]):
        for n in range(close.shape[1]):
            out[t, n] = natr_step(states[n], buffers[n], params[0], high[t, n], low[t, n], close[t, n])


def natr(bars: Any, window: int = 14) -> Any:
    """Normalized average true range: `100*atr(bars, window)/close`, so that assets of different prices compare.

    As in TA-Lib, but for a window of 1, where that gives the true range in price units.

    Parameters
    ----------
    bars : as for `atr`. NaN is a bar without a market.
    window : bars, at least 1.

    Returns
    -------
    (T, N) array, or a Series for a frame, in percent: NaN before `window` bars, on NaN bars (unlike `atr`) and where the close is zero.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for prices that are not usable.
    """
    return compute(NATR, (bars,), window)


NATR = Kernel(
    name="natr", parameters=(whole(default=14),), params=ATR_PARAMS, state=ATR_STATE, init=atr_init, step=natr_step, run=natr_run,
    function=natr, inputs=("high", "low", "close"), warmup=lambda window: window - 1,
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

EWMA_PARAMS = np.dtype([("decay", "f8")], align=True)
EWMA_STATE = np.dtype([("variance", "f8"), ("value", "f8"), ("count", "i8")], align=True)


def ewma_init(assets: int, decay: float) -> tuple[Records, ArrayTN, Records]:
    """States, no buffers, parameters: EWMA_STATE (N,), (N, 0), EWMA_PARAMS (1,)."""
    params = records(EWMA_PARAMS, 1)
    params.decay[0] = decay
    return records(EWMA_STATE, assets), np.zeros((assets, 0)), params


@kernel
def ewma_step(state, buffer, params, value):  # type: ignore[no-untyped-def]
    """One bar of one asset: `variance = decay*variance + (1 - decay)*change**2`, the first squared change being its seed."""
    if value != value:
        return math.nan
    before, first = state.value, state.count == 0
    state.value = value
    if first:
        state.count = 1
        return math.nan
    if before == 0.0:
        return math.nan  # a return on a value of zero does not exist
    change = (value - before) / before
    if state.count == 1:
        state.count = 2
        state.variance = change * change
    else:
        state.variance = params.decay * state.variance + (1.0 - params.decay) * (change * change)
    return math.sqrt(state.variance)


@kernel_loop
def ewma_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    values = rows[0]
    for t in range(values.shape[0]):
        for n in range(values.shape[1]):
            out[t, n] = ewma_step(states[n], buffers[n], params[0], values[t, n])


def ewma_volatility(values: Any, decay: float = 0.94) -> Any:
    """Sigma per bar of simple returns r by exponential weights: `variance = decay*variance + (1 - decay)*r**2`, no mean taken off.

    This is the estimator of RiskMetrics (J.P. Morgan/Reuters, RiskMetrics Technical Document, 4th edition, 1996, section 5.2), whose
    decay is 0.94 for daily and 0.97 for monthly returns. The seed is the square of the first return: the second present value gives the
    size of that return itself, and its weight after k more returns is `decay**k`. The value of a bar includes its own return; RiskMetrics
    uses it as the forecast for the next. Times the root of the bars in a year it is annual.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes), in price units. NaN is a bar without a
        market: the return after it is from the last value before it. A return from a value of zero does not exist and is left out.
    decay : weight kept from bar to bar, from 0 (the last return alone) to 1 (the first alone).

    Returns
    -------
    The type that came in ((T, N) array for Bars), a fraction per bar: NaN on the first present bar, on missing bars and where the return
    does not exist.

    Raises
    ------
    ConfigError for a decay outside 0 to 1; InputError for values that are not numbers.
    """
    return compute(EWMA_VOLATILITY, (values,), decay)


EWMA_VOLATILITY = Kernel(
    name="ewma_volatility", parameters=(Domain(name="decay", default=0.94, low=0.0, high=1.0),), params=EWMA_PARAMS, state=EWMA_STATE,
    init=ewma_init, step=ewma_step, run=ewma_run, function=ewma_volatility, warmup=lambda decay: 1,
)  # fmt: skip
