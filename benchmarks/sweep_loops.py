"""Hand-written loops over parameter sets: what a sweep is measured against. They obey SEMANTICS for what they do, and do nothing else."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numba
import numpy as np
from numpy.typing import NDArray

from .work import Array

RESULTS = ("final", "mean", "deviation", "max_drawdown", "trades", "held")
"""Of each set: the last equity, mean and standard deviation of its returns, the largest drawdown, closed trades, 1 if one is still open."""

ROOFLINE_MS = {"W2": 50.9, "W3": 85.0}
"""What such loops took on one thread of the processor on which the bounds were drawn up (an AMD EPYC, Zen 5, its core to itself)."""


@numba.njit(nogil=True, error_model="numpy")
def average_table(close, most, out):  # type: ignore[no-untyped-def]
    """Simple averages of windows 2 to `most`, into rows of `out`: each window once, whatever the number of sets."""
    for window in range(2, most + 1):
        total = 0.0
        for t in range(close.shape[0]):
            total += close[t]
            if t >= window:
                total -= close[t - window]
            out[window, t] = total / window if t >= window - 1 else np.nan


@numba.njit(nogil=True, error_model="numpy")
def crosses_loop(close, table, fast, slow, costs, start, first, stop, out):  # type: ignore[no-untyped-def]
    """Sets `first` to `stop - 1`: all cash long above, flat below, filled at the close that crosses; measured in the same pass."""
    fee, slip = costs
    bars = close.shape[0]
    for c in range(first, stop):
        quick, calm = table[fast[c]], table[slow[c]]
        cash, held, last, peak, deepest, trades = start, 0.0, start, start, 0.0, 0
        total, squares = 0.0, 0.0
        above, below = False, False
        for t in range(bars):
            price, a, b = close[t], quick[t], calm[t]
            if a > b and below and held == 0.0:
                held = cash / (price * (1.0 + slip) * (1.0 + fee))
                cash = 0.0
            elif a < b and above and held > 0.0:
                cash = held * price * (1.0 - slip) * (1.0 - fee)
                held = 0.0
                trades += 1
            above, below = a >= b, a <= b
            equity = cash + held * price
            change = equity / last - 1.0
            last = equity
            total += change
            squares += change * change
            if equity > peak:
                peak = equity
            fallen = 1.0 - equity / peak
            if fallen > deepest:
                deepest = fallen
        average = total / bars
        out[c, 0] = last
        out[c, 1] = average
        out[c, 2] = np.sqrt((squares - bars * average * average) / (bars - 1))
        out[c, 3] = deepest
        out[c, 4] = trades
        out[c, 5] = 1.0 if held > 0.0 else 0.0


@numba.njit(nogil=True, error_model="numpy")
def stops_loop(bars, ahead, levels, rules, start, first, stop, out):  # type: ignore[no-untyped-def]
    """Sets `first` to `stop - 1`: all cash in at the close of a bar with an entry, out at a stop or a target (P1 to P5, P8, P9).

    `bars` are open, high, low, close (T,) and simple returns of the close; `ahead` (T + 1,) is of each bar the first with an entry at or
    after it, T where there is none; `levels` (C,) each of the hard stop, the trailing one and the target, 1, 1 and inf where they are off.
    `rules` are the fee and P5: whether a target that the open is past already goes before a stop inside the bar. No bar is looked at while
    nothing is held, and a position holds all there is, so its returns are those of the close but for its first and last.
    """
    opens, high, low, close, moves = bars
    hard, trail, target = levels
    fee, target_at_open = rules
    count = close.shape[0]
    for c in range(first, stop):
        cash, last, peak, deepest, trades = start, start, start, 0.0, 0
        total, squares, held = 0.0, 0.0, 0.0
        rest = 1.0 - trail[c]
        t = ahead[0]
        while t < count:
            entry = close[t]
            held = cash / (entry * (1.0 + fee))
            change = held * entry / last - 1.0
            total += change
            squares += change * change
            deepest = max(deepest, 1.0 - held * entry / peak)
            # while it is held, peak and drawdown are those of the price
            top, kept = peak / held, 1.0 - deepest
            goal, mark, floor, price = entry * (1.0 + target[c]), entry, entry * max(1.0 - hard[c], rest), 0.0
            t += 1
            while t < count:
                if low[t] <= floor:
                    price = floor
                    if opens[t] <= floor or (target_at_open and opens[t] >= goal):
                        price = opens[t]
                    break
                if high[t] >= goal:
                    price = max(opens[t], goal)
                    break
                if high[t] > mark:
                    mark = high[t]
                    floor = max(floor, mark * rest)
                now = close[t]
                total += moves[t]
                squares += moves[t] * moves[t]
                if now > top:
                    top = now
                elif now < top * kept:
                    kept = now / top
                t += 1
            peak, deepest = top * held, 1.0 - kept
            if t == count:
                break
            cash = held * price * (1.0 - fee)
            change = cash / (held * close[t - 1]) - 1.0
            total += change
            squares += change * change
            held, last = 0.0, cash
            trades += 1
            peak = max(peak, cash)
            deepest = max(deepest, 1.0 - cash / peak)
            t = ahead[t + 1]
        average = total / count
        out[c, 0] = held * close[count - 1] if held > 0.0 else cash
        out[c, 1] = average
        out[c, 2] = np.sqrt((squares - count * average * average) / (count - 1))
        out[c, 3] = deepest
        out[c, 4] = trades
        out[c, 5] = 1.0 if held > 0.0 else 0.0


def crosses(
    close: Array, sets: tuple[NDArray[np.int64], NDArray[np.int64]], costs: tuple[float, float], start: float, threads: int = 1
) -> Array:
    """The loop over all sets on so many threads: (C, 6) results in the order of RESULTS."""
    fast, slow = sets
    table = np.empty((int(slow.max()) + 1, len(close)))
    average_table(close, int(slow.max()), table)
    return _on_threads(len(fast), threads, lambda a, b, out: crosses_loop(close, table, fast, slow, costs, start, a, b, out))


def stops(
    data: dict[str, Array], entries: NDArray[np.bool_], levels: tuple[Array, Array, Array], rules: tuple[float, bool], start: float,
    threads: int = 1,
) -> Array:  # fmt: skip
    """The loop over all sets on so many threads, likewise; `data` has open, high, low and close."""
    close = data["close"]
    count, moves = len(close), np.zeros(len(close))
    moves[1:] = close[1:] / close[:-1] - 1.0
    places = np.where(entries, np.arange(count), count)
    ahead = np.append(np.minimum.accumulate(places[::-1])[::-1], count)
    bars = (data["open"], data["high"], data["low"], close, moves)
    return _on_threads(len(levels[0]), threads, lambda a, b, out: stops_loop(bars, ahead, levels, rules, start, a, b, out))


def _on_threads(count: int, threads: int, loop: Callable[[int, int, Array], None]) -> Array:
    """Results (C, 6) of sets in equal parts."""
    out = np.empty((count, len(RESULTS)))
    cuts = np.linspace(0, count, threads + 1).astype(int)
    with ThreadPoolExecutor(threads) as pool:
        parts = [pool.submit(loop, int(a), int(b), out) for a, b in pairwise(cuts)]
        for part in parts:
            part.result()
    return out
