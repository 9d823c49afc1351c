"""Means of many assets side by side, over stretches in which every asset has a market.

A window takes its values in chunks (`windows`). Where all assets are at the start of a chunk, the chunk is worked through bar by bar for
all of them: what the next bars need stands in the rows of the result that are not written yet, side by side as the compiler likes it.
The sums are those of `windows`, in the same order, so the bits are the same; states and buffers are as if each bar had been a step.
"""

from __future__ import annotations

from ..core.jit import kernel, spine

__all__ = ["fewest_bars", "sma_mean", "sma_stretch"]

_SIDE_BY_SIDE = 8
_SHORTEST = 64


@spine
def sma_mean(total, window, price, same):  # type: ignore[no-untyped-def]
    """The mean of a full window; where one and the same price came `window` times it is that price, without the rounding of a division."""
    return price if same >= window else total / window


@kernel
def fewest_bars(states, window):  # type: ignore[no-untyped-def]
    """Bars to step through before a stretch may begin: up to the start of a chunk, and not so few that looking costs more."""
    wanted = window - states[0].head
    return wanted + (max(_SHORTEST - wanted, 0) + window - 1) // window * window


@kernel
def sma_stretch(states, buffers, prices, out, start):  # type: ignore[no-untyped-def]
    """Whole chunks of all assets from bar `start` on, as many as there are; gives the bar after them, `start` where there is none."""
    window = buffers.shape[1]
    # the bar before is looked at, too: its price is then the last one that each asset had
    if start < 1 or states.shape[0] < _SIDE_BY_SIDE or not _present(prices, start - 1, window + 1) or not _begins(states, window):
        return start
    for n in range(states.shape[0]):
        for i in range(1, window):
            out[start + i - 1, n] = buffers[n, i]
        out[start + window - 1, n] = 0.0
        out[start + window, n] = states[n].same
    at = start + window
    _work_through(prices, out, start, window)
    while _present(prices, at, window):
        _carry_on(prices, out, at, window)
        _work_through(prices, out, at, window)
        at += window
    _leave(states, buffers, prices, out, at)
    return at


@kernel
def _begins(states, window):  # type: ignore[no-untyped-def]
    """Whether all windows are full and at the start of a chunk."""
    for n in range(states.shape[0]):
        if states[n].head != 0 or states[n].count != window:
            return False
    return True


@kernel
def _present(prices, start, count):  # type: ignore[no-untyped-def]
    """Whether all assets have a price in so many bars, and there is one more bar, whose row keeps the counters."""
    if start + count >= prices.shape[0]:
        return False
    for t in range(start, start + count):
        missing = 0
        for n in range(prices.shape[1]):
            missing += prices[t, n] != prices[t, n]
        if missing > 0:
            return False
    return True


@kernel
def _work_through(prices, out, start, window):  # type: ignore[no-untyped-def]
    """One chunk. The row of its last bar holds the sum so far, the row after it how often in a row a price came."""
    last, counters = start + window - 1, start + window
    for t in range(start, start + window):
        for n in range(prices.shape[1]):
            price = prices[t, n]
            same = out[counters, n] + 1.0 if price == prices[t - 1, n] else 1.0
            out[counters, n] = same
            prefix = out[last, n] + price
            out[last, n] = prefix
            total = prefix + out[t, n] if t < last else prefix
            out[t, n] = sma_mean(total, window, price, same)


@kernel
def _carry_on(prices, out, start, window):  # type: ignore[no-untyped-def]
    """From one chunk to the next: the counters move on, and the prices of the chunk become suffix sums."""
    last = start + window - 1
    for n in range(prices.shape[1]):
        out[start + window, n] = out[start, n]
        out[last, n] = 0.0
    for i in range(window - 1, 0, -1):
        for n in range(prices.shape[1]):
            out[start + i - 1, n] = out[start + i, n] + prices[start - window + i, n]


@kernel
def _leave(states, buffers, prices, out, at):  # type: ignore[no-untyped-def]
    """States and buffers as steps would have left them after the bar before `at`."""
    window = buffers.shape[1]
    for n in range(states.shape[0]):
        state, suffix = states[n], 0.0
        state.prefix = 0.0
        state.last = prices[at - 1, n]
        state.same = int(out[at, n])
        for i in range(window - 1, -1, -1):
            suffix += prices[at - window + i, n]
            buffers[n, i] = suffix
