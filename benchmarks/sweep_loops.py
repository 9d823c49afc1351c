"""Hand-written loops over parameter sets: what a sweep is measured against. They obey SEMANTICS for what they do, and do nothing else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numba
import numpy as np
from numpy.typing import NDArray

from .work import Array

RESULTS = ("final", "mean", "deviation", "max_drawdown", "trades")


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


def crosses(
    close: Array, sets: tuple[NDArray[np.int64], NDArray[np.int64]], costs: tuple[float, float], start: float, threads: int = 1
) -> Array:
    """The loop over all sets on so many threads: (C, 5) results in the order of RESULTS."""
    fast, slow = sets
    table = np.empty((int(slow.max()) + 1, len(close)))
    average_table(close, int(slow.max()), table)
    out = np.empty((len(fast), len(RESULTS)))
    cuts = np.linspace(0, len(fast), threads + 1).astype(int)
    with ThreadPoolExecutor(threads) as pool:
        parts = [pool.submit(crosses_loop, close, table, fast, slow, costs, start, a, b, out) for a, b in pairwise(cuts)]
        for part in parts:
            part.result()
    return out
