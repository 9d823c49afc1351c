"""Tables for the tests of the door: a small valid one, and strategies that draw valid ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from numpy.typing import NDArray

DAY = 86_400_000_000_000
FIELDS = ("open", "high", "low", "close", "volume")


def frame(rows: int = 6, start: str = "2024-01-01", step: str = "D") -> pd.DataFrame:
    """A valid table of one asset: prices rise by one a row."""
    base = np.arange(rows, dtype=np.float64) + 10.0
    values = {"open": base, "high": base + 2.0, "low": base - 1.0, "close": base + 1.0, "volume": base * 100.0}
    return pd.DataFrame(values, index=pd.date_range(start, periods=rows, freq=step))


def columns(frame_: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
    """Its columns as writable arrays."""
    return {name: frame_[name].to_numpy(copy=True) for name in frame_}


@st.composite
def blocks(draw: Any, max_rows: int = 8, max_assets: int = 3, gaps: bool = True) -> NDArray[np.float64]:
    """A valid (5, T, N) block on a grid of 1/64, with bars without a market, but at least one bar for each asset at both ends."""
    rows, assets = draw(st.integers(1, max_rows)), draw(st.integers(1, max_assets))
    cells = draw(st.lists(st.tuples(*[st.integers(1, 6400)] * 4, st.integers(0, 10**9)), min_size=rows * assets, max_size=rows * assets))
    numbers = np.array(cells, dtype=np.float64).reshape(rows, assets, 5)
    prices = np.sort(numbers[:, :, :4], axis=2) / 64.0
    block = np.empty((5, rows, assets))
    swap = np.array(draw(st.lists(st.booleans(), min_size=rows * assets, max_size=rows * assets))).reshape(rows, assets)
    block[2], block[1] = prices[:, :, 0], prices[:, :, 3]
    block[0] = np.where(swap, prices[:, :, 1], prices[:, :, 2])
    block[3] = np.where(swap, prices[:, :, 2], prices[:, :, 1])
    block[4] = numbers[:, :, 4]
    if gaps and rows > 2:
        holes = np.array(draw(st.lists(st.booleans(), min_size=rows * assets, max_size=rows * assets))).reshape(rows, assets)
        holes[[0, -1]] = False
        block[:, holes] = np.nan
    return block


@st.composite
def labels(draw: Any, rows: int) -> NDArray[np.int64]:
    """Strictly increasing labels, any distances from a minute to a month."""
    start = draw(st.integers(0, 60 * 365 * 1440)) * 60_000_000_000
    gaps = draw(st.lists(st.integers(1, 45_000), min_size=rows, max_size=rows))
    return start + np.cumsum(np.array(gaps, dtype=np.int64)) * 60_000_000_000
