"""Moving averages.

Missing values are bars without a market: the average of such a bar is NaN, and the value does not enter the window,
which always holds the last present values. Nothing is filled and nothing spreads.
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
from .windows import SIDE_BY_SIDE, chunk_length, missing_in, part_ways

__all__ = [
    "EMA", "SMA", "Sma", "ema", "ema_bar", "ema_init", "ema_next", "ema_run", "ema_step", "ema_toward", "ema_weight", "sma", "sma_init",
    "sma_load", "sma_next", "sma_run", "sma_step", "sma_store",
]  # fmt: skip

SMA_PARAMS = np.dtype([("window", "i8")], align=True)
SMA_STATE = np.dtype([("apart", "i8"), ("anchor", "f8"), ("total", "f8"), ("head", "i8"), ("count", "i8")], align=True)


def sma_init(assets: int, window: int) -> tuple[Records, ArrayTN, Records]:
    """States and buffers of `assets` assets, parameters: SMA_STATE (N,), float64 (N, window), SMA_PARAMS (1,)."""
    params = records(SMA_PARAMS, 1)
    params[0] = (window,)
    return records(SMA_STATE, assets), np.zeros((assets, window)), params


class Sma(NamedTuple):
    """What an average remembers beside its buffer: a window in chunks, as in `windows`, of distances from an anchor, as `Moments` has it.

    The buffer holds, up to `head`, the prices of the chunk that fills, and from there on the suffix sums of the chunk before. Of equal
    prices all distances are nothing, so their average is exactly that price.
    """

    anchor: float
    total: float
    head: int
    filled: int


@spine
def sma_load(state):  # type: ignore[no-untyped-def]
    """A record of SMA_STATE as values."""
    return Sma(state.anchor, state.total, state.head, state.count)


@spine
def sma_store(state, now):  # type: ignore[no-untyped-def]
    """The values back into the record."""
    state.anchor = now.anchor
    state.total = now.total
    state.head = now.head
    state.count = now.filled


@spine
def _suffix(above, price, anchor):  # type: ignore[no-untyped-def]
    """The suffix sum from a price on, after that of the next one."""
    return above + (price - anchor)


@spine
def _total(before, price, anchor):  # type: ignore[no-untyped-def]
    """The sum of distances over the chunk so far."""
    return before + (price - anchor)


@spine
def _mean(anchor, total, rest, window):  # type: ignore[no-untyped-def]
    """The mean of a full window: `rest` is what the chunk before has left in it."""
    return anchor + (total + rest) * (1.0 / window)


@spine
def sma_next(past, buffer, price):  # type: ignore[no-untyped-def]
    """One bar of one asset: mean of the last `len(buffer)` prices, NaN before there are as many and on a missing one; what comes after."""
    if price != price:
        return math.nan, past
    window, head, anchor, total = buffer.shape[0], past.head, past.anchor, past.total
    if head == 0:
        anchor, total = price, 0.0
        if past.filled > 0:
            above = 0.0
            for i in range(window - 1, 0, -1):
                above = _suffix(above, buffer[i], anchor)
                buffer[i] = above
    buffer[head] = price
    total = _total(total, price, anchor)
    filled = past.filled + 1 if past.filled < window else past.filled
    after = head + 1 if head + 1 < window else 0
    mean = _mean(anchor, total, buffer[after] if after > 0 else 0.0, window) if filled >= window else math.nan
    return mean, Sma(anchor, total, after, filled)


@spine
def sma_step(state, buffer, params, price):  # type: ignore[no-untyped-def]
    """`sma_next` on a record; the buffer has the window's length."""
    mean, now = sma_next(sma_load(state), buffer, price)
    sma_store(state, now)
    return mean


@kernel
def _suffixes(above, row, anchors):  # type: ignore[no-untyped-def]
    """The prices of a row become suffix sums, after the row of the next ones."""
    for n in range(anchors.shape[0]):
        row[n] = _suffix(above[n], row[n], anchors[n])


@kernel
def _begin_chunk(ring, prices, anchors, totals, nothing, first):  # type: ignore[no-untyped-def]
    """What `sma_next` does at the start of a chunk, for all assets."""
    for n in range(prices.shape[0]):
        anchors[n] = prices[n]
        totals[n] = 0.0
    above = nothing
    for i in range(0 if first else ring.shape[0] - 1, 0, -1):
        row = borrowed(ring[i])
        _suffixes(above, row, anchors)
        above = row


@kernel
def _bar(here, rest, prices, anchors, totals, window, out):  # type: ignore[no-untyped-def]
    """What `sma_next` does on every bar, for all assets: `here` is the row of the ring that takes the prices."""
    for n in range(prices.shape[0]):
        here[n] = prices[n]
        totals[n] = _total(totals[n], prices[n], anchors[n])
        out[n] = _mean(anchors[n], totals[n], rest[n], window)


@kernel_loop
def _side_by_side(states, ring, prices, out):  # type: ignore[no-untyped-def]
    """Bars of all assets at once, until one that some have and others miss; gives that bar."""
    (bars, assets), window = prices.shape, ring.shape[0]
    anchors, totals, nothing = np.empty(assets), np.empty(assets), np.empty(assets)
    for n in range(assets):
        anchors[n], totals[n], nothing[n] = states[n].anchor, states[n].total, 0.0
    head, filled, t = states[0].head, states[0].count, 0
    while t < bars:
        row, into = borrowed(prices[t]), borrowed(out[t])
        missing = missing_in(row)
        if 0 < missing < assets:
            break
        if missing == 0:
            if head == 0:
                _begin_chunk(ring, row, borrowed(anchors), borrowed(totals), borrowed(nothing), filled == 0)
            after, filled = head + 1 if head + 1 < window else 0, min(filled + 1, window)
            rest = borrowed(ring[after]) if after > 0 else borrowed(nothing)
            _bar(borrowed(ring[head]), rest, row, borrowed(anchors), borrowed(totals), window, into)
            head = after
        if missing > 0 or filled < window:
            for n in range(assets):
                into[n] = math.nan
        t += 1
    for n in range(assets):
        states[n].anchor, states[n].total, states[n].head, states[n].count = anchors[n], totals[n], head, filled
    return t


@kernel_loop
def sma_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    prices = rows[0]
    (bars, assets), first = prices.shape, 0
    if assets >= SIDE_BY_SIDE and states[0].apart == 0:
        first = _side_by_side(states, buffers.reshape(buffers.shape[1], assets), prices, out)
        if first < bars:
            part_ways(states, buffers)
    length = chunk_length(assets)
    for start in range(first, bars, length):
        for n in range(assets):
            now, buffer = sma_load(states[n]), borrowed(buffers[n])
            for t in range(start, min(start + length, bars)):
                out[t, n], now = sma_next(now, buffer, prices[t, n])
            sma_store(states[n], now)


def sma(values: Any, window: int) -> Any:
    """Simple moving average: the mean of the last `window` present values.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes), in price units.
        NaN is a bar without a market; infinite values are refused.
    window : bars, at least 1.

    Returns
    -------
    The type that came in ((T, N) array for Bars): NaN before `window` values are there and on missing bars.
    With a window of 1 the values themselves.

    Raises
    ------
    ConfigError for a window that is no whole number of at least 1; InputError for values that are not numbers.
    """
    return compute(SMA, (values,), window)


SMA = Kernel(
    name="sma", parameters=(whole(),), params=SMA_PARAMS, state=SMA_STATE, init=sma_init, step=sma_step, run=sma_run, function=sma,
    warmup=lambda window: window - 1,
)  # fmt: skip

EMA_PARAMS = np.dtype([("alpha", "f8"), ("span", "i8")], align=True)
EMA_STATE = np.dtype([("value", "f8"), ("count", "i8")], align=True)


def ema_init(assets: int, span: int) -> tuple[Records, ArrayTN, Records]:
    """States, no buffers, parameters: EMA_STATE (N,), (N, 0), EMA_PARAMS (1,)."""
    params = records(EMA_PARAMS, 1)
    params.span[0] = span
    params.alpha[0] = 2.0 / (span + 1.0)
    return records(EMA_STATE, assets), np.zeros((assets, 0)), params


@spine
def ema_weight(filled, span, alpha):  # type: ignore[no-untyped-def]
    """The weight of the `filled`-th price: `alpha` once the mean of the first `span` has seeded the average, that of a mean before."""
    return alpha if filled > span else 1.0 / max(filled, 1)


@spine
def ema_toward(value, weight, price):  # type: ignore[no-untyped-def]
    """The average moved towards a price. Equal prices give exactly that price, and so does a weight of 1."""
    moved = value + weight * (price - value)
    return price if weight == 1.0 else moved


@spine
def ema_next(value, filled, span, alpha, price):  # type: ignore[no-untyped-def]
    """The average after one more price, the `filled`-th: `value += alpha*(price - value)` once the mean of the first `span` has seeded it.

    With alpha = 1/span it is Wilder's average. It is one only from `filled == span` on; with a span of 1 it is the price itself.
    """
    return ema_toward(value, ema_weight(filled, span, alpha), price)


@spine
def ema_bar(value, filled, span, alpha, price):  # type: ignore[no-untyped-def]
    """One bar of one asset, choices instead of branches: (what it shows, the average, the prices in it, counted up to `span + 1`)."""
    there = price == price
    count = filled + 1 if there and filled <= span else filled
    moved = ema_next(value, count, span, alpha, price)
    return moved if there and count >= span else math.nan, moved if there else value, count


@spine
def ema_step(state, buffer, params, price):  # type: ignore[no-untyped-def]
    """`ema_bar` on a record."""
    shown, state.value, state.count = ema_bar(state.value, state.count, params.span, params.alpha, price)
    return shown


@kernel
def _ema_seeds(values, counts, span, alpha, prices, out):  # type: ignore[no-untyped-def]
    """One bar of all assets; how many of them are still being seeded."""
    waiting = 0
    for n in range(prices.shape[0]):
        out[n], values[n], counts[n] = ema_bar(values[n], counts[n], span, alpha, prices[n])
        waiting += counts[n] <= span
    return waiting


@kernel
def _ema_goes_on(values, span, alpha, prices, out):  # type: ignore[no-untyped-def]
    """One bar of all assets, each seeded: their counts stay as they are, and the weight is the same for all."""
    for n in range(prices.shape[0]):
        out[n], values[n], _ = ema_bar(values[n], span + 1.0, span, alpha, prices[n])


@kernel_loop
def _ema_side_by_side(states, param, prices, out):  # type: ignore[no-untyped-def]
    """All bars with the values of the assets in rows, which the processor takes several at a time."""
    (bars, assets), span, alpha = prices.shape, param.span, param.alpha
    values, counts, waiting = np.empty(assets), np.empty(assets), 1
    for n in range(assets):
        values[n], counts[n] = states[n].value, states[n].count
    for t in range(bars):
        row, into = borrowed(prices[t]), borrowed(out[t])
        if waiting > 0:
            waiting = _ema_seeds(borrowed(values), borrowed(counts), span, alpha, row, into)
        else:
            _ema_goes_on(borrowed(values), span, alpha, row, into)
    for n in range(assets):
        states[n].value, states[n].count = values[n], int(counts[n])


@kernel_loop
def ema_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    prices = rows[0]
    if prices.shape[1] >= SIDE_BY_SIDE:
        _ema_side_by_side(states, params[0], prices, out)
        return
    for t in range(prices.shape[0]):
        for n in range(prices.shape[1]):
            out[t, n] = ema_step(states[n], buffers[n], params[0], prices[t, n])


def ema(values: Any, span: int) -> Any:
    """Exponential moving average with `alpha = 2/(span + 1)`, seeded by the mean of the first `span` present values.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes), in price units.
        NaN is a bar without a market; infinite values are refused.
    span : bars, at least 1.

    Returns
    -------
    The type that came in ((T, N) array for Bars): NaN before `span` values are there and on missing bars, which
    do not decay the average either. With a span of 1 the values themselves.

    Raises
    ------
    ConfigError for a span that is no whole number of at least 1; InputError for values that are not numbers.
    """
    return compute(EMA, (values,), span)


EMA = Kernel(
    name="ema", parameters=(whole("span"),), params=EMA_PARAMS, state=EMA_STATE, init=ema_init, step=ema_step, run=ema_run, function=ema,
    warmup=lambda span: span - 1,
)  # fmt: skip
