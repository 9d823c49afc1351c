"""Returns and benchmarks that are put to others, the same at each run: daily ones, a heavy tail, one that mostly falls."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["CASES", "PERIODS", "case"]

PERIODS = 252
CASES = ("plain", "heavy", "falling", "short")


def case(name: str) -> tuple[pd.Series, pd.Series]:
    """Returns and the benchmark's, on business days; the first return is 0, because libraries differ on a loss on the first bar."""
    draw = np.random.default_rng(list(CASES).index(name) + 100)
    bars = 23 if name == "short" else 700
    market = draw.normal(0.0004, 0.01, bars)
    own = draw.standard_t(3, bars) * 0.006 if name == "heavy" else draw.normal(-0.002 if name == "falling" else 0.0005, 0.008, bars)
    index = pd.bdate_range("2020-01-02", periods=bars)
    returns, benchmark = pd.Series(0.7 * market + own, index=index, name="ours"), pd.Series(market, index=index, name="market")
    returns.iloc[0] = 0.0
    return returns, benchmark
