"""Sigma from the range of bars and the gaps between them: Yang-Zhang.

A bar without a market, and a bar with a price that is not above zero, of which there is no logarithm, has no value and is left out.
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
from .ranges import log_ratio, rogers_satchell_variance
from .windows import WINDOW_FIELDS, Moments, Window, chunk_length, moments_next, moments_variance, window_next, window_sum

__all__ = [
    "YANG_ZHANG", "YangZhang", "yang_zhang", "yang_zhang_init", "yang_zhang_load", "yang_zhang_next", "yang_zhang_run", "yang_zhang_step",
    "yang_zhang_store",
]  # fmt: skip

YANG_ZHANG_PARAMS = np.dtype([("weight", "f8"), ("window", "i8")], align=True)
YANG_ZHANG_STATE = np.dtype(
    [
        *WINDOW_FIELDS, ("close", "f8"), ("gap_anchor", "f8"), ("gap_first", "f8"), ("gap_second", "f8"),
        ("day_anchor", "f8"), ("day_first", "f8"), ("day_second", "f8"),
    ],
    align=True,
)  # fmt: skip


def yang_zhang_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: YANG_ZHANG_STATE (N,), float64 (N, 7*window), YANG_ZHANG_PARAMS (1,)."""
    params = records(YANG_ZHANG_PARAMS, 1)
    params.window[0] = window
    params.weight[0] = 0.34 / (1.34 + (window + 1.0) / (window - 1.0))
    states = records(YANG_ZHANG_STATE, assets)
    states.close[:] = math.nan
    return states, np.zeros((assets, 7 * window)), params


class YangZhang(NamedTuple):
    """What is remembered of the bars: the last close, the windows of gaps and of moves in the day, the sum of single variances."""

    close: float
    gaps: Moments
    days: Moments
    singles: Window


@kernel
def yang_zhang_load(state):  # type: ignore[no-untyped-def]
    """A record of YANG_ZHANG_STATE as values: the three windows are always at the same place."""
    return YangZhang(
        state.close,
        Moments(state.gap_anchor, state.gap_first, state.gap_second, state.head, state.count),
        Moments(state.day_anchor, state.day_first, state.day_second, state.head, state.count),
        Window(state.prefix, state.head, state.count),
    )


@kernel
def yang_zhang_store(state, now):  # type: ignore[no-untyped-def]
    """The values back into the record."""
    state.close = now.close
    state.gap_anchor = now.gaps.anchor
    state.gap_first = now.gaps.first
    state.gap_second = now.gaps.second
    state.day_anchor = now.days.anchor
    state.day_first = now.days.first
    state.day_second = now.days.second
    state.prefix = now.singles.prefix
    state.head = now.singles.head
    state.count = now.singles.filled


@spine
def yang_zhang_next(past, parts, params, open_, high, low, close):  # type: ignore[no-untyped-def]
    """One bar of one asset; `parts` are the buffers of the three windows. The sigma, and what comes after."""
    single = rogers_satchell_variance(open_, high, low, close)
    if single != single:
        return math.nan, past
    if past.close != past.close:  # the first bar has no gap before it
        return math.nan, YangZhang(close, past.gaps, past.days, past.singles)
    window = params.window
    gaps, gap_sum, gap_squares = moments_next(past.gaps, parts[0], window, log_ratio(open_, past.close))
    days, day_sum, day_squares = moments_next(past.days, parts[1], window, log_ratio(close, open_))
    total = window_sum(past.singles, parts[2], single)
    singles = window_next(past.singles, parts[2], single)
    sigma = math.nan
    if singles.filled >= window:
        gap, day = moments_variance(gaps, gap_sum, gap_squares, 1), moments_variance(days, day_sum, day_squares, 1)
        variance = gap + params.weight * day + (1.0 - params.weight) * (total / window)
        if variance >= 0.0:
            sigma = math.sqrt(variance)
    return sigma, YangZhang(close, gaps, days, singles)


@kernel
def yang_zhang_step(state, buffer, params, open_, high, low, close):  # type: ignore[no-untyped-def]
    """`yang_zhang_next` on a record."""
    window = params.window
    parts = (buffer[: 3 * window], buffer[3 * window : 6 * window], buffer[6 * window :])
    sigma, now = yang_zhang_next(yang_zhang_load(state), parts, params, open_, high, low, close)
    yang_zhang_store(state, now)
    return sigma


@kernel_loop
def yang_zhang_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    open_, high, low, close = rows
    bars, length, window = high.shape[0], chunk_length(high.shape[1]), params[0].window
    for start in range(0, bars, length):
        for n in range(high.shape[1]):
            now, buffer = yang_zhang_load(states[n]), borrowed(buffers[n])
            parts = (buffer[: 3 * window], buffer[3 * window : 6 * window], buffer[6 * window :])
            for t in range(start, min(start + length, bars)):
                out[t, n], now = yang_zhang_next(now, parts, params[0], open_[t, n], high[t, n], low[t, n], close[t, n])
            yang_zhang_store(states[n], now)


def yang_zhang(bars: Any, window: int = 20) -> Any:
    """Yang and Zhang's sigma per bar: the root of `V(gap) + k*V(day) + (1 - k)*RS`, right with gaps and with drift.

    D. Yang and Q. Zhang, Drift-independent volatility estimation based on high, low, open, and close prices, Journal of Business 73 (2000)
    477-491. `V(gap)` is the sample variance (divided by `window - 1`) of `ln(open/close before)`, `V(day)` that of `ln(close/open)`, RS
    the variance of Rogers and Satchell, all over the same `window` bars, and `k = 0.34/(1.34 + (window + 1)/(window - 1))`. Times the root
    of the bars in a year it is annual.

    Parameters
    ----------
    bars : as for `parkinson`, and with open and close. NaN is a bar without a market: the gap after it is from the last close before it.
    window : bars, at least 2. The first present bar has no gap, so `window + 1` bars are needed.

    Returns
    -------
    (T, N) array, or a Series for a frame, a fraction per bar: NaN before `window + 1` bars and on bars that are left out.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 2; InputError for prices that are not usable.
    """
    return compute(YANG_ZHANG, (bars,), window)


YANG_ZHANG = Kernel(
    name="yang_zhang", parameters=(whole(default=20, low=2),), params=YANG_ZHANG_PARAMS, state=YANG_ZHANG_STATE, init=yang_zhang_init,
    step=yang_zhang_step, run=yang_zhang_run, function=yang_zhang, inputs=("open", "high", "low", "close"), warmup=lambda window: window,
)  # fmt: skip
