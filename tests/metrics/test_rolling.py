"""Rolling metrics are those of each stretch alone, to the last bit (M1, M2, M6)."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vecbt.metrics.returns import RETURNS_METRICS, returns_of, returns_params, simple_returns_of
from vecbt.metrics.rolling import rolling_of


@given(st.integers(0, 2**31), st.integers(1, 9), st.integers(0, 25), st.integers(1, 3))
def test_d1_each_window_is_a_run_of_its_own(seed: int, window: int, bars: int, columns: int) -> None:
    draw = np.random.default_rng(seed)
    equity = 100.0 * np.cumprod(1.0 + draw.normal(0.0, 0.05, (bars, columns)), axis=0)
    equity[draw.random(equity.shape) < 0.02] = np.nan
    initial, params = np.full(columns, 100.0), returns_params(252.0, 0.0001, 0.0002)
    returns = simple_returns_of(equity, initial)
    found = rolling_of(equity, initial, returns, params, window)
    assert found.shape == (bars, columns)
    for t in range(bars):
        first = t - window + 1
        for name in RETURNS_METRICS.names or ():
            if first < 0:
                assert np.isnan(found[t][name]).all(), name
                continue
            base = equity[first - 1] if first > 0 else initial
            alone = returns_of(equity[first : t + 1], base, params, np.ascontiguousarray(returns[first : t + 1]))
            assert np.array_equal(found[t][name], alone[name], equal_nan=True), (t, name)
