"""Time in the market, turnover, costs, positions and exposure."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.metrics import naive_metrics as naive
from vecbt.core.state import records
from vecbt.engine.log import FILL
from vecbt.metrics.activity import activity_of
from vecbt.metrics.holdings import exposures, marks, position_values, positions


def fills(rows: list[tuple[int, int, float]], price: float = 10.0) -> np.recarray:
    log = records(FILL, len(rows))
    for k, (t, asset, q) in enumerate(rows):
        log[k].t, log[k].asset, log[k].account, log[k].q, log[k].price = t, asset, 0, q, price
    return log


@pytest.mark.interpreted
def test_activity_by_hand() -> None:
    """Four bars are a year: 100 units bought at 10 and sold at 12 with mean equity 1000."""
    log = fills([(0, 0, 100.0), (2, 0, -100.0)])
    log["price"] = [10.0, 12.0]
    log["commission"], log["slippage"] = [1.0, 1.5], [0.5, 0.0]
    equity = np.array([[900.0], [1000.0], [1100.0], [1000.0]])
    held = np.array([[True], [True], [False], [False]])
    found = activity_of(equity, held, log, np.array([1.0]), 4.0)[0]
    assert found.exposure_time == 0.5
    assert found.turnover == pytest.approx(2.2)
    assert (found.commission, found.slippage, found.fees) == (2.5, 0.5, 3.0)
    assert activity_of(equity, held, log, np.array([5.0]), 4.0)[0].turnover == pytest.approx(11.0)


@pytest.mark.interpreted
def test_m5_activity_without_bars_or_equity() -> None:
    nothing = activity_of(np.empty((0, 1)), np.empty((0, 1), dtype=bool), fills([]), np.array([1.0]), 252.0)[0]
    assert math.isnan(nothing.exposure_time) and math.isnan(nothing.turnover) and nothing.commission == 0.0
    ruined = activity_of(np.array([[-5.0]]), np.array([[True]]), fills([(0, 0, 1.0)]), np.array([1.0]), 252.0)[0]
    assert math.isnan(ruined.turnover) and ruined.exposure_time == 1.0


rows = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 2), st.integers(-20, 20).map(lambda v: v / 4)), max_size=20).map(
    lambda found: sorted(found, key=lambda row: row[0])
)


@pytest.mark.interpreted
@given(log=rows, start=st.tuples(*[st.integers(-4, 4).map(float)] * 3))
def test_positions_are_the_sum_of_fills(log: list[tuple[int, int, float]], start: tuple[float, ...]) -> None:
    np.testing.assert_array_equal(positions(fills(log), np.array(start), 8), naive.positions(log, start, 8))


@pytest.mark.interpreted
def test_what_closed_a_position_leaves_no_dust() -> None:
    log = fills([(0, 0, 0.1), (0, 0, 0.2), (1, 0, -(0.1 + 0.2)), (2, 0, 0.3), (2, 0, -0.1), (3, 0, -0.2)])
    held = positions(log, np.zeros(1), 4)[:, 0]
    assert held[1] == 0.0 and held[3] == 0.0 and held[2] == pytest.approx(0.2)


def test_marks_repeat_the_last_close() -> None:
    close = np.array([[np.nan, 5.0], [2.0, np.nan], [np.nan, np.nan], [3.0, 7.0]])
    np.testing.assert_array_equal(marks(close, np.array([1.0, 1.0])), [[1.0, 5.0], [2.0, 5.0], [2.0, 5.0], [3.0, 7.0]])
    whole = np.ones((2, 2))
    assert marks(whole, np.zeros(2)) is whole


def test_exposures() -> None:
    values = position_values(np.array([[10.0, -5.0], [0.0, 0.0]]), np.array([[2.0, 4.0], [np.nan, 4.0]]), np.array([1.0, 2.0]))
    np.testing.assert_array_equal(values, [[20.0, -40.0], [0.0, 0.0]])
    gross, net = exposures(values, np.array([[100.0], [50.0]]))
    np.testing.assert_array_equal(gross, [[0.6], [0.0]])
    np.testing.assert_array_equal(net, [[-0.2], [0.0]])
    gross, net = exposures(values, np.array([[100.0, 80.0], [50.0, -1.0]]))
    np.testing.assert_array_equal(gross, [[0.2, 0.5], [0.0, np.nan]])
    np.testing.assert_array_equal(net, [[0.2, -0.5], [0.0, np.nan]])


def test_no_field_of_a_record_hides_behind_a_name_of_numpy() -> None:
    """`record.mean` is a method of NumPy where kernels run uncompiled: a field of that name would never be read."""
    import importlib
    import pkgutil

    import vecbt.metrics

    for info in pkgutil.iter_modules(vecbt.metrics.__path__, "vecbt.metrics."):
        for name, value in vars(importlib.import_module(info.name)).items():
            if isinstance(value, np.dtype) and value.names:
                assert not [field for field in value.names if hasattr(np.record, field)], f"{info.name}.{name}"
