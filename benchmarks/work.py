"""The data of the workloads, the same at each run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

COMMISSION_RATE, SLIPPAGE_BPS = 0.001, 5.0
FAST, SLOW = 10, 50
CASH = 100_000.0


def walk(bars: int, sigma: float, drift: Array | float, seed: int) -> dict[str, Array]:
    """Open, high, low, close, volume (T,) of a geometric random walk that starts at 100."""
    draw = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(draw.normal(drift, sigma, bars)))
    open_ = np.concatenate(([100.0], close[:-1])) * np.exp(draw.normal(0.0, 0.2 * sigma, bars))
    above = np.exp(np.abs(draw.normal(0.0, 0.5 * sigma, bars)))
    below = np.exp(-np.abs(draw.normal(0.0, 0.5 * sigma, bars)))
    volume = draw.integers(1_000, 100_000, bars).astype(np.float64)
    return {
        "open": open_,
        "high": np.maximum(open_, close) * above,
        "low": np.minimum(open_, close) * below,
        "close": close,
        "volume": volume,
    }


def walk_of_w1(bars: int = 1_000_000) -> dict[str, Array]:
    """W1 and W5: the drift changes its sign every 1,000 bars, so that the account survives its costs and there is something to compare."""
    drift = np.where((np.arange(bars) // 1_000) % 2 == 0, 1e-4, -1e-4)
    return walk(bars, 0.001, drift, seed=1)


def walk_of_w2(bars: int = 5_000) -> dict[str, Array]:
    """W2: a walk without drift."""
    return walk(bars, 0.01, 0.0, seed=2)


def walk_of_w3(bars: int = 5_000) -> tuple[dict[str, Array], NDArray[np.bool_]]:
    """W3: another one, and entries on one bar of twenty at random, the same for all sets."""
    return walk(bars, 0.01, 0.0, seed=3), np.random.default_rng(33).random(bars) < 0.05


def levels_of_w3(each: int = 20) -> tuple[Array, Array, Array]:
    """W3: distances of hard stops, trailing stops and targets, fractions of the price."""
    return np.linspace(0.005, 0.10, each), np.linspace(0.0075, 0.15, each), np.linspace(0.01, 0.20, each)


def grid(*values: Array) -> tuple[Array, ...]:
    """All combinations, a column for each, the last of them quickest."""
    return tuple(np.ascontiguousarray(column.ravel()) for column in np.meshgrid(*values, indexing="ij"))


def pairs_of_w2(most: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """W2: all windows from 2 to `most`, the fast one below the slow one."""
    fast, slow = np.array([(f, s) for f in range(2, most) for s in range(f + 1, most + 1)]).T
    return np.ascontiguousarray(fast), np.ascontiguousarray(slow)


EVERY = 21
"""W4 rebalances on bars 0, 21, 42 and so on."""


def panel_of_w4(bars: int = 5_000, assets: int = 500) -> Array:
    """W4: closes (T, N) of random walks with a mild common factor."""
    draw = np.random.default_rng(7)
    common = draw.normal(0.0, 0.005, (bars, 1))
    moves = common + draw.normal(0.0002, 0.01, (bars, assets))
    closes: Array = 100.0 * np.exp(np.cumsum(moves, axis=0))
    return closes


def returns_of_w6(bars: int = 5_000, columns: int = 1_000) -> Array:
    """W6: returns (T, C); the first row is zero, because libraries differ on whether a loss on the first bar is a drawdown."""
    returns = np.random.default_rng(11).normal(0.0003, 0.01, (bars, columns))
    returns[0] = 0.0
    return returns


def days(bars: int) -> NDArray[np.int64]:
    """Labels (T,), one a day, ns since 1970 UTC."""
    return np.arange(bars, dtype=np.int64) * 86_400_000_000_000 + np.datetime64("2010-01-01", "ns").astype(np.int64)


def minutes(bars: int) -> NDArray[np.int64]:
    """Labels (T,), one a minute, ns since 1970 UTC."""
    return np.arange(bars, dtype=np.int64) * 60_000_000_000 + np.datetime64("2020-01-01", "ns").astype(np.int64)
