"""Averages with a weight for each age: linear, Hull's, and the Gaussian of Legoux and Kouzis-Loukas.

Missing values are bars without a market: NaN there, and the window holds the last present values. Averages are sums of distances from a
price in the window, so equal prices give exactly that price, at any level.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .._typing import ArrayTN, Records
from ..core.jit import borrowed, kernel, kernel_loop, spine
from ..core.kernel import Kernel, whole
from ..core.space import Domain
from ..core.state import records
from .compute import compute
from .windows import chunk_length

__all__ = [
    "ALMA", "HMA", "WMA", "Weighted", "alma", "alma_init", "alma_run", "alma_step", "hma", "hma_init", "hma_next", "hma_run", "hma_step",
    "weighted_next", "wma", "wma_init", "wma_load", "wma_run", "wma_step", "wma_store",
]  # fmt: skip


class Weighted(NamedTuple):
    """A window with weights 1 to `window`, the newest the heaviest, at work beside its buffer of 2 * window places.

    As in `windows.Moments` a chunk of values fills while suffix sums of the chunk before are still there, both of distances from the
    chunk's first value. Of the chunk that fills, `first` is the sum and `ranked` the sum weighted by place; of the one before, the
    buffer holds sums of suffix sums, which are sums weighted by place as well. Nothing is subtracted, so nothing drifts.
    """

    anchor: float
    first: float
    ranked: float
    head: int
    filled: int


@spine
def weighted_next(past, buffer, value):  # type: ignore[no-untyped-def]
    """The average with one more value, NaN while there are too few, and the window after it: (average, Weighted)."""
    window = buffer.shape[0] // 2
    anchor, first, ranked, head = past.anchor, past.first, past.ranked, past.head
    if head == 0:
        anchor, first, ranked = value, 0.0, 0.0
        if past.filled > 0:
            _rank_anew(buffer, window, anchor)
    distance = value - anchor
    buffer[head] = value
    first += distance
    ranked += head * distance
    total = ranked + (window - head) * first
    if head + 1 < window:
        total += buffer[window + head + 1]
    filled = past.filled + 1 if past.filled < window else past.filled
    average = anchor + total / (0.5 * window * (window + 1)) if filled == window else math.nan
    return average, Weighted(anchor, first, ranked, head + 1 if head + 1 < window else 0, filled)


@kernel
def _rank_anew(buffer, window, anchor):  # type: ignore[no-untyped-def]
    """The full chunk of values becomes sums of suffix sums of distances from the new anchor."""
    suffix, ranked = 0.0, 0.0
    for i in range(window - 1, -1, -1):
        suffix += buffer[i] - anchor
        ranked += suffix
        buffer[window + i] = ranked


_FIELDS = (("anchor", "f8"), ("first", "f8"), ("ranked", "f8"), ("head", "i8"), ("count", "i8"))

WMA_PARAMS = np.dtype([("window", "i8")], align=True)
WMA_STATE = np.dtype(list(_FIELDS), align=True)


def wma_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: WMA_STATE (N,), float64 (N, 2*window), WMA_PARAMS (1,)."""
    params = records(WMA_PARAMS, 1)
    params.window[0] = window
    return records(WMA_STATE, assets), np.zeros((assets, 2 * window)), params


@spine
def wma_load(state):  # type: ignore[no-untyped-def]
    """A record of WMA_STATE as values."""
    return Weighted(state.anchor, state.first, state.ranked, state.head, state.count)


@spine
def wma_store(state, now):  # type: ignore[no-untyped-def]
    """The values back into the record."""
    state.anchor = now.anchor
    state.first = now.first
    state.ranked = now.ranked
    state.head = now.head
    state.count = now.filled


@spine
def wma_step(state, buffer, params, price):  # type: ignore[no-untyped-def]
    """One bar of one asset: `weighted_next` on a record."""
    if price != price:
        return math.nan
    average, now = weighted_next(wma_load(state), buffer, price)
    wma_store(state, now)
    return average


@kernel_loop
def wma_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    prices = rows[0]
    bars, length = prices.shape[0], chunk_length(prices.shape[1])
    for start in range(0, bars, length):
        for n in range(prices.shape[1]):
            state, buffer, param = states[n], borrowed(buffers[n]), params[0]
            for t in range(start, min(start + length, bars)):
                out[t, n] = wma_step(state, buffer, param, prices[t, n])


def wma(values: Any, window: int) -> Any:
    """Linearly weighted moving average: weights 1, 2, ... `window` from the oldest to the newest present value.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes), in price units.
        NaN is a bar without a market; infinite values are refused.
    window : bars, at least 1. With 1 the values themselves.

    Returns
    -------
    The type that came in ((T, N) array for Bars): NaN before `window` values are there and on missing bars.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for values that are not numbers.
    """
    return compute(WMA, (values,), window)


WMA = Kernel(
    name="wma", parameters=(whole(),), params=WMA_PARAMS, state=WMA_STATE, init=wma_init, step=wma_step, run=wma_run, function=wma,
    warmup=lambda window: window - 1,
)  # fmt: skip

HMA_PARAMS = np.dtype([("window", "i8"), ("half", "i8"), ("root", "i8")], align=True)
HMA_STATE = np.dtype([(f"{part}_{name}", kind) for part in ("whole", "half", "root") for name, kind in _FIELDS], align=True)


def _hull(window: int) -> tuple[int, int]:
    return max(window // 2, 1), math.isqrt(window)


def hma_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: HMA_STATE (N,), float64 (N, 2*(window + half + root)), HMA_PARAMS (1,)."""
    params = records(HMA_PARAMS, 1)
    half, root = _hull(window)
    params.window[0], params.half[0], params.root[0] = window, half, root
    return records(HMA_STATE, assets), np.zeros((assets, 2 * (window + half + root))), params


@spine
def _whole_next(state, buffer, price):  # type: ignore[no-untyped-def]
    """The average over the whole window."""
    past = Weighted(state.whole_anchor, state.whole_first, state.whole_ranked, state.whole_head, state.whole_count)
    average, now = weighted_next(past, buffer, price)
    state.whole_anchor = now.anchor
    state.whole_first = now.first
    state.whole_ranked = now.ranked
    state.whole_head = now.head
    state.whole_count = now.filled
    return average


@spine
def _half_next(state, buffer, price):  # type: ignore[no-untyped-def]
    """The average over half the window."""
    past = Weighted(state.half_anchor, state.half_first, state.half_ranked, state.half_head, state.half_count)
    average, now = weighted_next(past, buffer, price)
    state.half_anchor = now.anchor
    state.half_first = now.first
    state.half_ranked = now.ranked
    state.half_head = now.head
    state.half_count = now.filled
    return average


@spine
def hma_next(state, whole_, half, root, price):  # type: ignore[no-untyped-def]
    """One bar of one asset, beside the buffers of its three windows."""
    if price != price:
        return math.nan
    slow, fast = _whole_next(state, whole_, price), _half_next(state, half, price)
    if slow != slow:
        return math.nan
    past = Weighted(state.root_anchor, state.root_first, state.root_ranked, state.root_head, state.root_count)
    average, now = weighted_next(past, root, fast + (fast - slow))
    state.root_anchor = now.anchor
    state.root_first = now.first
    state.root_ranked = now.ranked
    state.root_head = now.head
    state.root_count = now.filled
    return average


@kernel
def hma_step(state, buffer, params, price):  # type: ignore[no-untyped-def]
    """`hma_next` on the parts of a buffer."""
    first, second = 2 * params.window, 2 * (params.window + params.half)
    return hma_next(state, buffer[:first], buffer[first:second], buffer[second:], price)


@kernel_loop
def hma_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    prices = rows[0]
    bars, length = prices.shape[0], chunk_length(prices.shape[1])
    first, second = 2 * params[0].window, 2 * (params[0].window + params[0].half)
    for start in range(0, bars, length):
        for n in range(prices.shape[1]):
            state, buffer = states[n], borrowed(buffers[n])
            whole_, half, root = buffer[:first], buffer[first:second], buffer[second:]
            for t in range(start, min(start + length, bars)):
                out[t, n] = hma_next(state, whole_, half, root, prices[t, n])


def hma(values: Any, window: int) -> Any:
    """Hull moving average (2005): the `wma` over `sqrt(window)` bars of `2*wma(window/2) - wma(window)`; both are rounded down.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes), in price units.
        NaN is a bar without a market; infinite values are refused.
    window : bars, at least 1. With 1 the values themselves; half of it counts at least one bar.

    Returns
    -------
    The type that came in ((T, N) array for Bars): NaN before `window + floor(sqrt(window)) - 1` present values and on missing bars.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for values that are not numbers.
    """
    return compute(HMA, (values,), window)


HMA = Kernel(
    name="hma", parameters=(whole(),), params=HMA_PARAMS, state=HMA_STATE, init=hma_init, step=hma_step, run=hma_run, function=hma,
    warmup=lambda window: window + math.isqrt(window) - 2,
)  # fmt: skip

ALMA_PARAMS = np.dtype([("window", "i8")], align=True)
ALMA_STATE = np.dtype([("head", "i8"), ("count", "i8")], align=True)


def alma_init(assets: int, window: int, offset: float, sigma: float) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: ALMA_STATE (N,), float64 (N, 3*window) of weights and of a window written twice, ALMA_PARAMS (1,)."""
    params = records(ALMA_PARAMS, 1)
    params.window[0] = window
    middle, width = offset * (window - 1), window / sigma
    squares = [(i - middle) ** 2 for i in range(window)]
    # over the heaviest, so that very narrow weights do not all vanish
    weights = np.array([math.exp((min(squares) - square) / (2.0 * width * width)) for square in squares])
    buffers = np.zeros((assets, 3 * window))
    buffers[:, :window] = weights / math.fsum(weights)
    return records(ALMA_STATE, assets), buffers, params


@spine
def alma_step(state, buffer, params, price):  # type: ignore[no-untyped-def]
    """One bar of one asset: the weighted distances from this price; values stand twice, so that the window is one piece."""
    if price != price:
        return math.nan
    window, head = params.window, state.head
    buffer[window + head] = price
    buffer[2 * window + head] = price
    state.head = head + 1 if head + 1 < window else 0
    if state.count < window:
        state.count += 1
        if state.count < window:
            return math.nan
    total, oldest = 0.0, window + head + 1
    for i in range(window - 1):
        total += buffer[i] * (buffer[oldest + i] - price)
    return price + total


@kernel_loop
def alma_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    prices = rows[0]
    bars, length = prices.shape[0], chunk_length(prices.shape[1])
    for start in range(0, bars, length):
        for n in range(prices.shape[1]):
            state, buffer, param = states[n], borrowed(buffers[n]), params[0]
            for t in range(start, min(start + length, bars)):
                out[t, n] = alma_step(state, buffer, param, prices[t, n])


def alma(values: Any, window: int = 9, offset: float = 0.85, sigma: float = 6.0) -> Any:
    """Arnaud Legoux moving average (Legoux and Kouzis-Loukas, 2009): a window of Gaussian weights.

    The weight of the i-th value, the oldest being 0, is `exp(-(i - m)**2/(2*s**2))` with `m = offset*(window - 1)` and
    `s = window/sigma`, over the sum of all.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes), in price units.
        NaN is a bar without a market; infinite values are refused.
    window : bars, at least 1. With 1 the values themselves. A bar costs as much as its window is long.
    offset : where the weights are heaviest, from 0, the oldest value, to 1, the newest
    sigma : how narrow they are, at least 0.01

    Returns
    -------
    The type that came in ((T, N) array for Bars): NaN before `window` values are there and on missing bars.

    Raises
    ------
    ConfigError for parameters that may not be; InputError for values that are not numbers.
    """
    return compute(ALMA, (values,), window, offset, sigma)


ALMA = Kernel(
    name="alma",
    parameters=(whole(default=9), Domain(name="offset", default=0.85, low=0.0, high=1.0), Domain(name="sigma", default=6.0, low=0.01)),
    params=ALMA_PARAMS, state=ALMA_STATE, init=alma_init, step=alma_step, run=alma_run, function=alma,
    warmup=lambda window, offset, sigma: window - 1,
)  # fmt: skip
