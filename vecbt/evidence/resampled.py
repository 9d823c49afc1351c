"""Which blocks of the bars a stationary bootstrap draws, and the variance that such a bootstrap gives a mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["TILE", "draws", "mean_blocks", "resample_spans", "stationary_weights"]

TILE = 32
"""Sets whose resampled sums are made at a time."""

_PRODUCT, _FEW, _MANY = 250_000, 32, 512


def mean_blocks(block_length: float | None, bars: int, count: int) -> int:
    """The mean length of a stretch in blocks, at least one, of a mean length in bars; left out, the root of the bars."""
    return max(1, round((float(bars) ** 0.5 if block_length is None else float(block_length)) * count / bars))


def resample_spans(count: int, resamples: int) -> list[slice]:
    """Resamples to be taken together.

    So few that a product of TILE sets, `count` blocks and these resamples is one for a single thread (OpenBLAS begins others from 262,144
    multiplications on): two threads for a tenth of a millisecond wait for each other longer than they work, most of all on a busy machine.
    Where that would be very few, because there are many blocks, products are large enough for threads.
    """
    fitting = _PRODUCT // (TILE * max(count, 1))
    each = fitting if fitting >= _FEW else _MANY
    return [slice(first, first + each) for first in range(0, resamples, each)]


def draws(count: int, mean_length: int, resamples: int, seed: int) -> NDArray[np.int64]:
    """How often each of `count` blocks is drawn in each resample, (resamples, count), by arch's StationaryBootstrap with this seed."""
    from arch.bootstrap import StationaryBootstrap

    bootstrap = StationaryBootstrap(mean_length, np.arange(count), seed=seed)
    out = np.empty((resamples, count), dtype=np.int64)
    for k, (drawn, _) in enumerate(bootstrap.bootstrap(resamples)):
        out[k] = np.bincount(drawn[0], minlength=count)
    return out


def stationary_weights(count: int, mean_length: float) -> NDArray[np.float64]:
    """K (count, count), so that `e @ K @ e` is the variance of a resampled sum of the deviations e.

    Notes
    -----
    Politis and Romano, *Journal of the American Statistical Association* 89 (1994) 1303-1313: autocovariances at lag i have the weight
    `(1 - i/n)*(1 - p)^i + i/n*(1 - p)^(n - i)`, p one over the mean length.
    """
    lag = np.abs(np.subtract.outer(np.arange(count), np.arange(count))).astype(np.float64)
    stay = 1.0 - 1.0 / mean_length
    out: NDArray[np.float64] = (1.0 - lag / count) * stay**lag + lag / count * stay ** (count - lag)
    np.fill_diagonal(out, 1.0)
    return out
