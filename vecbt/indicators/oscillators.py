"""Oscillators of one series: relative strength, rates of change, true strength.

Missing values are bars without a market: NaN there, and nothing of it enters. What is undefined, such as the strength of a series that
never moved, is NaN.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._typing import ArrayTN, Records
from ..core.jit import borrowed, kernel_loop, spine
from ..core.kernel import Kernel, whole
from ..core.state import records
from .compute import compute
from .moving import ema_next
from .windows import chunk_length

__all__ = [
    "MOMENTUM", "ROC", "RSI", "TSI", "earlier", "momentum", "momentum_run", "momentum_step", "past_init", "roc", "roc_run", "roc_step",
    "rsi", "rsi_init", "rsi_next", "rsi_run", "rsi_step", "share", "tsi", "tsi_init", "tsi_run", "tsi_step",
]  # fmt: skip

RSI_PARAMS = np.dtype([("window", "i8"), ("alpha", "f8")], align=True)
RSI_FIELDS = [("last", "f8"), ("gain", "f8"), ("loss", "f8"), ("count", "i8")]
"""Fields that `rsi_next` keeps in a state."""
RSI_STATE = np.dtype(RSI_FIELDS, align=True)


def rsi_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """States, no buffers, parameters: RSI_STATE (N,), (N, 0), RSI_PARAMS (1,)."""
    params = records(RSI_PARAMS, 1)
    params.window[0] = window
    params.alpha[0] = 1.0 / window
    return records(RSI_STATE, assets), np.zeros((assets, 0)), params


@spine
def share(part, rest):  # type: ignore[no-untyped-def]
    """`part` of both in percent, NaN where both are nothing."""
    total = part + rest
    return 100.0 * part / total if total > 0.0 else math.nan


@spine
def rsi_next(state, window, alpha, price):  # type: ignore[no-untyped-def]
    """One bar of one asset: Wilder's averages of gains and of losses, and the share of the gains."""
    if price != price:
        return math.nan
    change, filled = price - state.last, state.count
    state.last = price
    state.count = filled + 1
    if filled == 0:
        return math.nan
    gain = ema_next(state.gain, filled, window, alpha, change if change > 0.0 else 0.0)
    loss = ema_next(state.loss, filled, window, alpha, -change if change < 0.0 else 0.0)
    state.gain = gain
    state.loss = loss
    return share(gain, loss) if filled >= window else math.nan


@spine
def rsi_step(state, buffer, params, price):  # type: ignore[no-untyped-def]
    """`rsi_next` with the parameters of a record."""
    return rsi_next(state, params.window, params.alpha, price)


@kernel_loop
def rsi_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    prices = rows[0]
    for t in range(prices.shape[0]):
        for n in range(prices.shape[1]):
            out[t, n] = rsi_step(states[n], buffers[n], params[0], prices[t, n])


def rsi(values: Any, window: int = 14) -> Any:
    """Relative strength index, Wilder (1978): `100*gain/(gain + loss)` of the averages of rises and of falls.

    Averages are Wilder's, `value += (change - value)/window`, seeded by the mean of the first `window` changes.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes).
        NaN is a bar without a market; infinite values are refused.
    window : bars, at least 1

    Returns
    -------
    The type that came in ((T, N) array for Bars), 0 to 100: NaN before `window + 1` present values, on missing bars, and while the
    series has never moved (TA-Lib has 0 there).

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for values that are not numbers.
    """
    return compute(RSI, (values,), window)


RSI = Kernel(
    name="rsi", parameters=(whole(default=14),), params=RSI_PARAMS, state=RSI_STATE, init=rsi_init, step=rsi_step, run=rsi_run,
    function=rsi, warmup=lambda window: window,
)  # fmt: skip

PAST_PARAMS = np.dtype([("window", "i8")], align=True)
PAST_STATE = np.dtype([("head", "i8"), ("count", "i8")], align=True)


def past_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: PAST_STATE (N,), float64 (N, window), PAST_PARAMS (1,)."""
    params = records(PAST_PARAMS, 1)
    params.window[0] = window
    return records(PAST_STATE, assets), np.zeros((assets, window)), params


@spine
def earlier(state, buffer, value):  # type: ignore[no-untyped-def]
    """The value `len(buffer)` present bars ago, NaN where there is none; `value` takes its place."""
    window, head = buffer.shape[0], state.head
    before = buffer[head]
    buffer[head] = value
    state.head = head + 1 if head + 1 < window else 0
    if state.count < window:
        state.count += 1
        return math.nan
    return before


@spine
def momentum_step(state, buffer, params, price):  # type: ignore[no-untyped-def]
    """One bar of one asset: how far the price went."""
    return price - earlier(state, buffer, price) if price == price else math.nan


@kernel_loop
def momentum_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    prices = rows[0]
    bars, length = prices.shape[0], chunk_length(prices.shape[1])
    for start in range(0, bars, length):
        for n in range(prices.shape[1]):
            state, buffer, param = states[n], borrowed(buffers[n]), params[0]
            for t in range(start, min(start + length, bars)):
                out[t, n] = momentum_step(state, buffer, param, prices[t, n])


def momentum(values: Any, window: int = 10) -> Any:
    """Momentum: the value less the one `window` present bars ago.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes).
        NaN is a bar without a market; infinite values are refused.
    window : bars, at least 1

    Returns
    -------
    The type that came in ((T, N) array for Bars), in price units: NaN before `window + 1` present values and on missing bars.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for values that are not numbers.
    """
    return compute(MOMENTUM, (values,), window)


MOMENTUM = Kernel(
    name="momentum", parameters=(whole(default=10),), params=PAST_PARAMS, state=PAST_STATE, init=past_init, step=momentum_step,
    run=momentum_run, function=momentum, warmup=lambda window: window,
)  # fmt: skip


@spine
def roc_step(state, buffer, params, price):  # type: ignore[no-untyped-def]
    """One bar of one asset: how far the price went, in percent of where it came from."""
    if price != price:
        return math.nan
    before = earlier(state, buffer, price)
    return 100.0 * (price - before) / before if before != 0.0 else math.nan


@kernel_loop
def roc_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    prices = rows[0]
    bars, length = prices.shape[0], chunk_length(prices.shape[1])
    for start in range(0, bars, length):
        for n in range(prices.shape[1]):
            state, buffer, param = states[n], borrowed(buffers[n]), params[0]
            for t in range(start, min(start + length, bars)):
                out[t, n] = roc_step(state, buffer, param, prices[t, n])


def roc(values: Any, window: int = 10) -> Any:
    """Rate of change: `100*(x - x0)/x0`, `x0` being the value `window` present bars ago.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes).
        NaN is a bar without a market; infinite values are refused.
    window : bars, at least 1

    Returns
    -------
    The type that came in ((T, N) array for Bars), in percent: NaN before `window + 1` present values, on missing bars, and where
    `x0` is 0 (TA-Lib has 0 there).

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for values that are not numbers.
    """
    return compute(ROC, (values,), window)


ROC = Kernel(
    name="roc", parameters=(whole(default=10),), params=PAST_PARAMS, state=PAST_STATE, init=past_init, step=roc_step, run=roc_run,
    function=roc, warmup=lambda window: window,
)  # fmt: skip

TSI_PARAMS = np.dtype([("long", "i8"), ("short", "i8"), ("long_alpha", "f8"), ("short_alpha", "f8")], align=True)
TSI_STATE = np.dtype(
    [("last", "f8"), ("move", "f8"), ("move_twice", "f8"), ("travel", "f8"), ("travel_twice", "f8"), ("count", "i8")], align=True
)


def tsi_init(assets: int, long: int, short: int) -> tuple[Records, ArrayTN, Records]:
    """States, no buffers, parameters: TSI_STATE (N,), (N, 0), TSI_PARAMS (1,)."""
    params = records(TSI_PARAMS, 1)
    params.long[0], params.short[0] = long, short
    params.long_alpha[0], params.short_alpha[0] = 2.0 / (long + 1.0), 2.0 / (short + 1.0)
    return records(TSI_STATE, assets), np.zeros((assets, 0)), params


@spine
def tsi_step(state, buffer, params, price):  # type: ignore[no-untyped-def]
    """One bar of one asset: changes and their sizes, both smoothed twice, one over the other."""
    if price != price:
        return math.nan
    change, filled = price - state.last, state.count
    state.last = price
    state.count = filled + 1
    if filled == 0:
        return math.nan
    state.move = ema_next(state.move, filled, params.long, params.long_alpha, change)
    state.travel = ema_next(state.travel, filled, params.long, params.long_alpha, abs(change))
    filled -= params.long - 1
    if filled < 1:
        return math.nan
    state.move_twice = ema_next(state.move_twice, filled, params.short, params.short_alpha, state.move)
    state.travel_twice = ema_next(state.travel_twice, filled, params.short, params.short_alpha, state.travel)
    if filled < params.short or state.travel_twice <= 0.0:
        return math.nan
    return 100.0 * state.move_twice / state.travel_twice


@kernel_loop
def tsi_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    prices = rows[0]
    for t in range(prices.shape[0]):
        for n in range(prices.shape[1]):
            out[t, n] = tsi_step(states[n], buffers[n], params[0], prices[t, n])


def tsi(values: Any, long: int = 25, short: int = 13) -> Any:
    """True strength index, Blau (1991): `100*EMA(EMA(change, long), short)/EMA(EMA(|change|, long), short)`, each seeded as in `ema`.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes).
        NaN is a bar without a market; infinite values are refused.
    long, short : spans of the first and of the second smoothing, at least 1

    Returns
    -------
    The type that came in ((T, N) array for Bars), -100 to 100: NaN before `long + short` present values, on missing bars, and while
    the series has never moved.

    Raises
    ------
    ConfigError for spans that are no whole numbers of at least 1; InputError for values that are not numbers.
    """
    return compute(TSI, (values,), long, short)


TSI = Kernel(
    name="tsi", parameters=(whole("long", 25), whole("short", 13)), params=TSI_PARAMS, state=TSI_STATE, init=tsi_init, step=tsi_step,
    run=tsi_run, function=tsi, warmup=lambda long, short: long + short - 1,
)  # fmt: skip
