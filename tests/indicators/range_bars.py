"""Bars for the tests of volatility, volume and trend."""

from __future__ import annotations

import numpy as np


def walk_bars(bars: int, assets: int = 1, seed: int = 5, gaps: float = 0.1, level: float = 100.0, sigma: float = 0.02) -> np.ndarray:
    """Random bars (5, T, N) that begin near `level` and move by `sigma` a bar, some of them missing; volumes are whole numbers."""
    rng = np.random.default_rng(seed)
    close = level * np.exp(np.cumsum(rng.normal(0, sigma, (bars, assets)), axis=0))
    open_ = close * np.exp(rng.normal(0, sigma, close.shape))
    high = np.maximum(open_, close) * (1 + sigma * rng.random(close.shape))
    low = np.minimum(open_, close) * (1 - sigma * rng.random(close.shape))
    out = np.stack([open_, high, low, close, rng.integers(0, 10**6, close.shape).astype(float)])
    out[:, rng.random(close.shape) < gaps] = np.nan
    return out


def rows_of(block: np.ndarray, n: int = 0) -> list[tuple[float, ...]]:
    """One asset as rows (open, high, low, close, volume) for the twins."""
    return [tuple(map(float, row)) for row in block[:, :, n].T]


def prices_of(block: np.ndarray, n: int = 0) -> list[tuple[float, ...]]:
    """One asset as rows (high, low, close) for the twins."""
    return [row[1:4] for row in rows_of(block, n)]


def bars_of(rows: list[tuple[float, ...]]) -> np.ndarray:
    """Bars (5, T, 1) of rows (high, low, close): they open at the close, with a volume of 1."""
    high, low, close = (np.array(part, dtype=float) for part in zip(*rows, strict=True))
    return np.stack([close, high, low, close, np.where(np.isnan(close), np.nan, 1.0)])[:, :, None]
