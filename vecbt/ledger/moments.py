"""What is kept of the returns of a trial: Sharpe ratio per bar, skewness and kurtosis, and coarse sums of powers of the returns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BLOCKS", "MOST", "SAMPLE", "TRIAL", "chosen", "moments_of_sums", "sums_of_equity", "sums_of_returns", "thinned", "trial_records",
]  # fmt: skip

TRIAL = np.dtype([("id", "<u8"), ("sharpe", "<f4"), ("skew", "<f4"), ("kurtosis", "<f4")])
"""A trial: its configuration; Sharpe ratio per bar without a riskless return; third and fourth standardised moments. 20 bytes."""

SAMPLE = 1024
"""Trials of a record whose sums over parts of the bars are kept."""

MOST = 2**19
"""Trials that a record holds; of more, a part that is chosen by their ids."""

BLOCKS = 16
"""Parts of the bars, as in a sweep."""

_AT_ONCE = 2**15  # returns that are looked at together: they stay in the processor's cache
_RELATIVE_ZERO = 1e-13  # M5: a variance below this part of the mean square is rounding, not risk


def sums_of_returns(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums of r to r^4 (A, 16, 4) of returns (T, A); part b has the bars from b*T//16 to (b + 1)*T//16 - 1."""
    return _sums(len(returns), returns.shape[1], lambda cut: returns[cut])


def sums_of_equity(equity: NDArray[np.float64], initial: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same of the simple returns (M1) of equity (T, A), the first against `initial` (A,); part by part, so that they stay small."""

    def returns(cut: slice) -> NDArray[np.float64]:
        rows = equity[cut]
        before = equity[cut.start - 1 : cut.stop - 1] if cut.start else np.concatenate([initial[None], rows[:-1]])[: len(rows)]
        ended = ~(before > 0.0)
        if ended.any():
            before = np.where(ended, np.nan, before)
        found: NDArray[np.float64] = rows / before - 1.0
        return found

    return _sums(len(equity), equity.shape[1], returns)


def _sums(count: int, accounts: int, returns: Callable[[slice], NDArray[np.float64]]) -> NDArray[np.float64]:
    found, edges = np.zeros((accounts, BLOCKS, 4)), np.arange(BLOCKS + 1) * count // BLOCKS
    step = max(1, BLOCKS * _AT_ONCE // max(count * accounts, 1))  # parts at a time
    for b in range(0, BLOCKS, step):
        cuts = edges[b : b + step + 1]
        some = np.flatnonzero(np.diff(cuts))  # fewer bars than parts leave some empty
        part = returns(slice(int(cuts[0]), int(cuts[-1])))
        if len(some):
            part = part.reshape(-1) if accounts == 1 else part  # summing along the last axis is quicker
            square = part * part
            for k, power in enumerate((part, square, square * part, square * square)):
                sums = np.add.reduceat(power, cuts[some] - cuts[0], axis=0)
                found[:, b + some, k] = sums.reshape(len(some), accounts).T
    return found


def moments_of_sums(sums: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Sharpe ratio per bar, skewness, kurtosis (normal: 3) of `count` returns, (L, 3), from sums of r to r^4, (L, 4); undefined is NaN.

    The deviation has the divisor n - 1 (M5), the others are moments of the sample: m3/m2^1.5 and m4/m2^2.
    """
    one, two, three, four = (sums / max(count, 1)).T
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        square = one * one  # products: powers of arrays take several times longer
        variance = two - square
        variance = np.where((variance > _RELATIVE_ZERO * two) & (count > 1), variance, np.nan)
        third = three - 3.0 * one * two + 2.0 * one * square
        fourth = four - 4.0 * one * three + 6.0 * square * two - 3.0 * square * square
        sharpe = one / np.sqrt(variance * (count / max(count - 1, 1)))
        return np.stack([sharpe, third / (variance * np.sqrt(variance)), fourth / (variance * variance)], axis=1)


def trial_records(ids: NDArray[np.uint64], moments: NDArray[np.float64]) -> NDArray[np.void]:
    """Trials (L,) of TRIAL."""
    found = np.zeros(len(ids), dtype=TRIAL)
    with np.errstate(over="ignore"):
        found["id"], found["sharpe"], found["skew"], found["kurtosis"] = ids, moments[:, 0], moments[:, 1], moments[:, 2]
    return found


def chosen(ids: NDArray[np.uint64], halvings: int) -> NDArray[np.bool_]:
    """Which ids end in so many zero bits: each of them stands for 2^halvings (adaptive sampling: Flajolet, Computing 43 (1990) 391)."""
    found: NDArray[np.bool_] = (ids & np.uint64((1 << halvings) - 1)) == 0
    return found


def thinned(ids: NDArray[np.uint64], most: int) -> tuple[int, NDArray[np.int64]]:
    """How many zero bits leave at most `most` ids, and the places of those."""
    halvings, lines = 0, np.arange(len(ids))
    while len(lines) > most:
        halvings += 1
        lines = lines[chosen(ids[lines], halvings)]
    return halvings, lines
