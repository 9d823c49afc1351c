"""W6 by hand: what somebody who needs these six figures of many columns would write, once per workload. Nothing here is used by vecbt."""

from __future__ import annotations

import math

import numba
import numpy as np

from .work import Array


@numba.njit(nogil=True, error_model="numpy")
def _place(values: Array, rank: int) -> None:  # pragma: no cover - compiled
    """Hoare's selection, the middle of three as pivot: `values[rank]` is of that rank, nothing smaller comes after it."""
    low, high = 0, len(values) - 1
    while low < high:
        first, middle, last = values[low], values[(low + high) // 2], values[high]
        pivot = max(min(first, middle), min(max(first, middle), last))
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if rank <= j:
            high = j
        elif rank >= i:
            low = i
        else:
            return


@numba.njit(nogil=True, error_model="numpy")
def six_metrics_loop(returns: Array, first: int, past: int, periods: float, out: Array) -> None:  # pragma: no cover
    """Sharpe, Sortino, Calmar, greatest drawdown, 5 % value at risk and shortfall of columns `first` to `past - 1` into `out` (6, C)."""
    bars, block = returns.shape[0], 64
    rows = np.empty((block, bars))
    for start in range(first, past, block):
        count = min(block, past - start)
        for t in range(bars):
            for k in range(count):
                rows[k, t] = returns[t, start + k]
        for k in range(count):
            row = rows[k]
            total, squares, below, level, peak, deepest = 0.0, 0.0, 0.0, 1.0, 1.0, 0.0
            for t in range(bars):
                r = row[t]
                total += r
                squares += r * r
                short = min(r, 0.0)
                below += short * short
                level *= 1.0 + r
                peak = max(peak, level)
                deepest = max(deepest, 1.0 - level / peak)
            mean = total / bars
            rank = 0.05 * (bars - 1)
            whole = int(rank)
            _place(row, whole + 1)
            lower, worst = row[0], 0.0
            for i in range(whole + 1):
                lower = max(lower, row[i])
                worst += row[i]
            out[0, start + k] = mean / math.sqrt((squares - total * mean) / (bars - 1)) * math.sqrt(periods)
            out[1, start + k] = mean / math.sqrt(below / bars) * math.sqrt(periods)
            out[2, start + k] = (level ** (periods / bars) - 1.0) / deepest
            out[3, start + k] = deepest
            out[4, start + k] = -(lower + (rank - whole) * (row[whole + 1] - lower))
            out[5, start + k] = -worst / (whole + 1)
