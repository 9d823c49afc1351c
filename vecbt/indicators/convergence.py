"""The distance of two exponential averages, its own average, and what lies between: in prices, and in percent.

Missing values are bars without a market: NaN there, and nothing of it enters.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .._typing import ArrayTN, Records
from ..core.jit import kernel_loop, spine
from ..core.kernel import Kernel, whole
from ..core.state import records
from .compute import compute
from .moving import ema_next

__all__ = [
    "MACD", "PPO", "Macd", "Ppo", "distance_next", "macd", "macd_init", "macd_run", "macd_step", "ppo", "ppo_init", "ppo_run",
    "ppo_step", "signal_next",
]  # fmt: skip

CONVERGENCE_PARAMS = np.dtype(
    [
        ("fast", "i8"), ("slow", "i8"), ("signal", "i8"), ("late", "i8"),
        ("fast_alpha", "f8"), ("slow_alpha", "f8"), ("signal_alpha", "f8"),
    ],
    align=True,
)  # fmt: skip
CONVERGENCE_STATE = np.dtype([("fast", "f8"), ("slow", "f8"), ("signal", "f8"), ("count", "i8"), ("lines", "i8")], align=True)


def macd_init(assets: int, fast: int, slow: int, signal: int) -> tuple[Records, ArrayTN, Records]:
    """States, no buffers, parameters: CONVERGENCE_STATE (N,), (N, 0), CONVERGENCE_PARAMS (1,)."""
    states, buffers, params = ppo_init(assets, fast, slow, signal)
    params.late[0] = slow - fast
    return states, buffers, params


def ppo_init(assets: int, fast: int, slow: int, signal: int) -> tuple[Records, ArrayTN, Records]:
    """`macd_init`, but for averages that both begin with the first value."""
    params = records(CONVERGENCE_PARAMS, 1)
    params.fast[0], params.slow[0], params.signal[0] = fast, slow, signal
    params.fast_alpha[0], params.slow_alpha[0], params.signal_alpha[0] = (2.0 / (span + 1.0) for span in (fast, slow, signal))
    return records(CONVERGENCE_STATE, assets), np.zeros((assets, 0)), params


@spine
def distance_next(state, params, price):  # type: ignore[no-untyped-def]
    """The fast average less the slow one after one more price, NaN before both are there. The fast one begins `late` prices later."""
    state.count += 1
    fast_count = state.count - params.late
    state.slow = ema_next(state.slow, state.count, params.slow, params.slow_alpha, price)
    if fast_count >= 1:
        state.fast = ema_next(state.fast, fast_count, params.fast, params.fast_alpha, price)
    return state.fast - state.slow if state.count >= params.slow else math.nan


@spine
def signal_next(state, params, line):  # type: ignore[no-untyped-def]
    """The line, its average, NaN before that is there, and the difference; where there is no line nothing enters."""
    if line != line:
        return math.nan, math.nan, math.nan
    state.lines += 1
    state.signal = ema_next(state.signal, state.lines, params.signal, params.signal_alpha, line)
    signal = state.signal if state.lines >= params.signal else math.nan
    return line, signal, line - signal


@spine
def macd_step(state, buffer, params, price):  # type: ignore[no-untyped-def]
    """One bar of one asset: the distance in prices, and its average."""
    if price != price:
        return math.nan, math.nan, math.nan
    return signal_next(state, params, distance_next(state, params, price))


@kernel_loop
def macd_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    prices = rows[0]
    for t in range(prices.shape[0]):
        for n in range(prices.shape[1]):
            line, signal, histogram = macd_step(states[n], buffers[n], params[0], prices[t, n])
            out[0, t, n] = line
            out[1, t, n] = signal
            out[2, t, n] = histogram


class Macd(NamedTuple):
    """What `macd` gives."""

    macd: Any
    """The fast average less the slow one, in price units."""
    signal: Any
    """Its exponential average."""
    histogram: Any
    """`macd - signal`."""


def macd(values: Any, fast: int = 12, slow: int = 26, signal: int = 9) -> Any:
    """Moving average convergence divergence, Appel (1979): `EMA(fast) - EMA(slow)`, its EMA, and the difference.

    As in TA-Lib both averages are first there at the same bar: the slow one is seeded by the mean of the first `slow` values, the fast
    one by the mean of the last `fast` of these, so it is not `ema(values, fast)` at first. TA-Lib gives the line only from where the
    signal is; here it stands from `slow` values on.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes), in price units.
        NaN is a bar without a market; infinite values are refused.
    fast, slow : spans of the averages, at least 1, `fast < slow`
    signal : span of the average of the line, at least 1

    Returns
    -------
    `Macd(macd, signal, histogram)`, each the type that came in ((T, N) array for Bars): NaN on missing bars; the line before `slow`
    present values, the others before `slow + signal - 1`.

    Raises
    ------
    ConfigError for spans that may not be; InputError for values that are not numbers.
    """
    return compute(MACD, (values,), fast, slow, signal)


_SPANS = (whole("fast", 12, below="slow"), whole("slow", 26), whole("signal", 9))

MACD = Kernel(
    name="macd", parameters=_SPANS, params=CONVERGENCE_PARAMS, state=CONVERGENCE_STATE, init=macd_init, step=macd_step, run=macd_run,
    function=macd, result=Macd, warmup=lambda fast, slow, signal: slow + signal - 2,
)  # fmt: skip


@spine
def ppo_step(state, buffer, params, price):  # type: ignore[no-untyped-def]
    """One bar of one asset: the distance in percent of the slow average, and its average."""
    if price != price:
        return math.nan, math.nan, math.nan
    distance = distance_next(state, params, price)
    return signal_next(state, params, 100.0 * distance / state.slow if state.slow != 0.0 else math.nan)


@kernel_loop
def ppo_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    prices = rows[0]
    for t in range(prices.shape[0]):
        for n in range(prices.shape[1]):
            line, signal, histogram = ppo_step(states[n], buffers[n], params[0], prices[t, n])
            out[0, t, n] = line
            out[1, t, n] = signal
            out[2, t, n] = histogram


class Ppo(NamedTuple):
    """What `ppo` gives, in percent."""

    ppo: Any
    """The fast average less the slow one, in percent of the slow one."""
    signal: Any
    """Its exponential average."""
    histogram: Any
    """`ppo - signal`."""


def ppo(values: Any, fast: int = 12, slow: int = 26, signal: int = 9) -> Any:
    """Percentage price oscillator: `100*(EMA(fast) - EMA(slow))/EMA(slow)`, its EMA, and the difference.

    The averages are `ema(values, fast)` and `ema(values, slow)`, as in TA-Lib's PPO of exponential averages; the fast one begins with the
    first value, other than in `macd`.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes).
        NaN is a bar without a market; infinite values are refused.
    fast, slow : spans of the averages, at least 1, `fast < slow`
    signal : span of the average of the line, at least 1

    Returns
    -------
    `Ppo(ppo, signal, histogram)`, each the type that came in ((T, N) array for Bars), in percent: NaN on missing bars and where the
    slow average is 0; the line before `slow` present values, the others before `slow + signal - 1`.

    Raises
    ------
    ConfigError for spans that may not be; InputError for values that are not numbers.
    """
    return compute(PPO, (values,), fast, slow, signal)


PPO = Kernel(
    name="ppo", parameters=_SPANS, params=CONVERGENCE_PARAMS, state=CONVERGENCE_STATE, init=ppo_init, step=ppo_step, run=ppo_run,
    function=ppo, result=Ppo, warmup=lambda fast, slow, signal: slow + signal - 2,
)  # fmt: skip
