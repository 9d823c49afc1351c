"""Metrics of forecasts, ML-10: a sheet by hand, and what is left out."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vecbt as vb
from vecbt.analytics.forecasts import FORECAST_METRICS
from vecbt.errors import InputError

NUMBERS = st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=2, max_size=30)


def test_ml10_a_sheet_by_hand() -> None:
    """ML-10. Errors of 1, 2, 1, 0 and 2; what came was 1, -2, 4, 0 and -1."""
    found = vb.forecast_metrics([2.0, -4.0, 3.0, 0.0, 1.0, math.nan], [1.0, -2.0, 4.0, 0.0, -1.0, 5.0])
    assert list(found.index) == list(FORECAST_METRICS)
    assert found["count"] == 5 and found["rmse"] == pytest.approx(math.sqrt(10 / 5)) and found["mae"] == 6 / 5
    assert found["mape"] == pytest.approx((1 + 1 + 0.25 + 2) / 4)
    assert found["direction_accuracy"] == 4 / 5 and found["hit_rate"] == 3 / 4
    assert found["correlation"] == pytest.approx(np.corrcoef([2, -4, 3, 0, 1], [1, -2, 4, 0, -1])[0, 1])


def test_ml10_levels_have_directions_from_where_they_started() -> None:
    found = vb.forecast_metrics([101.0, 99.0, 100.0], [102.0, 101.0, 100.0], previous=[100.0, 100.0, 100.0])
    assert found["direction_accuracy"] == 2 / 3 and found["hit_rate"] == 0.5


@given(NUMBERS, st.sampled_from([0.5, 4.0]))
def test_ml10_errors_scale_and_the_order_of_pairs_does_not_matter(pairs: list[tuple[int, int]], scale: float) -> None:
    f, a = np.array(pairs, dtype=float).T
    found, scaled, turned = vb.forecast_metrics(f, a), vb.forecast_metrics(f * scale, a * scale), vb.forecast_metrics(f[::-1], a[::-1])
    for name in FORECAST_METRICS[1:]:
        assert scaled[name] == pytest.approx(found[name] * (scale if name in ("rmse", "mae") else 1.0), nan_ok=True), name
        assert turned[name] == pytest.approx(found[name], nan_ok=True), name
    assert found["mae"] <= found["rmse"] + 1e-12


def test_m5_what_is_undefined_is_nan_and_no_warning() -> None:
    assert all(math.isnan(value) for value in vb.forecast_metrics([], []).iloc[1:])
    still = vb.forecast_metrics([0.1, 0.1, 0.1], [0.0, 0.0, 0.0])
    assert math.isnan(still["correlation"]) and math.isnan(still["mape"]) and math.isnan(still["hit_rate"])
    assert still["direction_accuracy"] == 0.0


def test_tables_have_a_column_for_each_and_shapes_must_agree() -> None:
    table = pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, -2.0]})
    found = vb.forecast_metrics(table, table)
    assert list(found.columns) == ["a", "b"] and (found.loc["rmse"] == 0.0).all()
    with pytest.raises(InputError, match=r"actual has shape \(3, 1\)"):
        vb.forecast_metrics([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="actual is infinite at row 1"):
        vb.forecast_metrics([1.0, 2.0], [1.0, math.inf])
