"""Drawdowns: depth, ulcer, length (M2, M6, Z1)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.metrics import naive_metrics as naive
from vecbt import metrics
from vecbt.core.state import records
from vecbt.metrics.drawdowns import DRAWDOWN_STATE, drawdown_init, drawdown_step

curves = st.lists(st.integers(1, 24).map(lambda v: v / 4), min_size=1, max_size=30)


@pytest.mark.interpreted
def test_m6_by_hand() -> None:
    """From 100: a fall before any gain, a recovery exactly at the peak, then a fall that lasts to the end."""
    equity = [96.0, 98.0, 100.0, 120.0, 90.0, 119.0, 118.0]
    np.testing.assert_allclose(metrics.drawdown(equity, 100.0), [0.04, 0.02, 0.0, 0.0, 0.25, 1 / 120, 2 / 120], atol=1e-15)
    assert metrics.max_drawdown(equity, 100.0) == pytest.approx(0.25)
    assert metrics.longest_drawdown_bars(equity[:4], 100.0) == 3  # the peak is one bar before the first, the recovery bar 2
    assert metrics.longest_drawdown_bars(equity, 100.0) == 3  # open at the end: bars 4, 5, 6
    assert metrics.longest_drawdown_bars([*equity, 120.0], 100.0) == 4
    squares = 0.04**2 + 0.02**2 + 0.25**2 + (1 / 120) ** 2 + (2 / 120) ** 2
    assert metrics.ulcer(equity, 100.0) == pytest.approx(math.sqrt(squares / 7))


@pytest.mark.interpreted
@given(equity=curves, initial=st.integers(1, 24).map(lambda v: v / 4))
def test_equals_the_slow_twin(equity: list[float], initial: float) -> None:
    np.testing.assert_allclose(metrics.drawdown(equity, initial), naive.drawdown(equity, initial), atol=1e-15)
    assert metrics.max_drawdown(equity, initial) == pytest.approx(naive.max_drawdown(equity, initial), abs=1e-15)
    assert metrics.longest_drawdown_bars(equity, initial) == naive.longest_drawdown_bars(equity, initial)
    assert metrics.ulcer(equity, initial) == pytest.approx(naive.ulcer(equity, initial), abs=1e-15)


@pytest.mark.interpreted
@given(equity=curves)
def test_d1_the_step_and_the_curve_are_the_same_numbers(equity: list[float]) -> None:
    state = records(DRAWDOWN_STATE, 1)
    drawdown_init(state[0], 3.0)
    steps = [drawdown_step(state[0], value) for value in equity]
    np.testing.assert_array_equal(metrics.drawdown(equity, 3.0), steps)
    assert state[0].deepest == metrics.max_drawdown(equity, 3.0)


def test_a_curve_and_its_columns_keep_their_shape() -> None:
    equity = np.array([[1.0, 2.0], [0.5, 3.0]])
    np.testing.assert_array_equal(metrics.drawdown(equity, [1.0, 2.0]), [[0.0, 0.0], [0.5, 0.0]])
    assert metrics.drawdown(equity[:, 0], 1.0).shape == (2,)


@pytest.mark.interpreted
def test_m5_without_rows_and_with_nan() -> None:
    for function in (metrics.max_drawdown, metrics.ulcer, metrics.longest_drawdown_bars):
        assert math.isnan(function(np.empty(0), 100.0))
        assert math.isnan(function([99.0, math.nan, 98.0, 101.0], 100.0))
