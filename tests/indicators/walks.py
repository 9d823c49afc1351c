"""Random bars and drift-free references that tests of averages and oscillators share."""

from __future__ import annotations

import numpy as np


def bars_of(count: int, assets: int, seed: int = 5, gaps: float = 0.1, level: float = 100.0) -> np.ndarray:
    """Random bars (6, T, N): prices, volume, and a session that changes every seven bars; some bars are missing."""
    rng = np.random.default_rng(seed)
    close = level * np.exp(np.cumsum(rng.normal(0, 0.02, (count, assets)), axis=0))
    open_ = close * np.exp(rng.normal(0, 0.02, close.shape))
    high = np.maximum(open_, close) * (1 + rng.random(close.shape) / 50)
    low = np.minimum(open_, close) * (1 - rng.random(close.shape) / 50)
    volume = rng.integers(0, 9_000, close.shape).astype(float)
    session = np.broadcast_to(np.arange(count)[:, None] // 7, close.shape).astype(float)
    out = np.stack([open_, high, low, close, volume, session])
    out[:5, rng.random(close.shape) < gaps] = np.nan
    return out


def level_walk(count: int, seed: int = 3, level: float = 1e9) -> np.ndarray:
    """Bars (6, T, 1) at a high level of prices, in steps of a quarter, none missing: their differences are exact."""
    rng = np.random.default_rng(seed)
    close = level + np.cumsum(rng.integers(-8, 9, count)) / 4
    open_ = close + rng.integers(-4, 5, count) / 4
    high = np.maximum(open_, close) + rng.integers(0, 5, count) / 4
    low = np.minimum(open_, close) - rng.integers(0, 5, count) / 4
    session = np.zeros(count)
    return np.stack([open_, high, low, close, rng.integers(1, 9_000, count).astype(float), session])[:, :, None]
