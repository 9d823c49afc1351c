"""Time in the market, turnover, costs, positions and exposure."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.metrics import naive_metrics as naive
from vecbt.core.state import records
from vecbt.engine.log import FILL
from vecbt.metrics.activity import activity_of
from vecbt.metrics.holdings import Holdings, exposures, holdings, position_values, positions


def fills(rows: list[tuple[int, int, float]], price: float = 10.0) -> np.recarray:
    log = records(FILL, len(rows))
    for k, (t, asset, q) in enumerate(rows):
        log[k].t, log[k].asset, log[k].account, log[k].q, log[k].price = t, asset, 0, q, price
    return log


def given_of(
    log: np.recarray, bars: int, start: Any = (0.0,), *, close: Any = None, multiplier: Any = None, splits: Any = None
) -> Holdings:
    """Holdings of as many assets as there are starting quantities, all at 10."""
    assets = len(start)
    prices = np.full((bars, assets), 10.0) if close is None else np.array(close, dtype=np.float64)
    factors = np.ones(assets) if multiplier is None else np.array(multiplier)
    return holdings(log, np.array(start), np.full(assets, 10.0), prices, factors, splits)


@pytest.mark.interpreted
def test_activity_by_hand() -> None:
    """Four bars are a year: 100 units bought at 10 and sold at 12 with mean equity 1000."""
    log = fills([(0, 0, 100.0), (2, 0, -100.0)])
    log["price"] = [10.0, 12.0]
    log["commission"], log["slippage"] = [1.0, 1.5], [0.5, 0.0]
    equity = np.array([[900.0], [1000.0], [1100.0], [1000.0]])
    found = activity_of(given_of(log, 4), equity, 4.0)[0]
    assert found.exposure_time == 0.5
    assert found.turnover == pytest.approx(2.2)
    assert (found.commission, found.slippage, found.fees) == (2.5, 0.5, 3.0)
    assert activity_of(given_of(log, 4, multiplier=[5.0]), equity, 4.0)[0].turnover == pytest.approx(11.0)


@pytest.mark.interpreted
def test_m5_activity_without_bars_or_equity() -> None:
    nothing = activity_of(given_of(fills([]), 0), np.empty((0, 1)), 252.0)[0]
    assert math.isnan(nothing.exposure_time) and math.isnan(nothing.turnover) and nothing.commission == 0.0
    ruined = activity_of(given_of(fills([(0, 0, 1.0)]), 1), np.array([[-5.0]]), 252.0)[0]
    assert math.isnan(ruined.turnover) and ruined.exposure_time == 1.0


rows = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 2), st.integers(-20, 20).map(lambda v: v / 4)), max_size=20).map(
    lambda found: sorted(found, key=lambda row: row[0])
)


@pytest.mark.interpreted
@given(log=rows, start=st.tuples(*[st.integers(-4, 4).map(float)] * 3))
def test_positions_are_the_sum_of_fills(log: list[tuple[int, int, float]], start: tuple[float, ...]) -> None:
    np.testing.assert_array_equal(positions(given_of(fills(log), 8, start)), naive.positions(log, start, 8))


@pytest.mark.interpreted
@given(log=rows, start=st.tuples(*[st.integers(-4, 4).map(float)] * 3), shared=st.booleans())
def test_time_in_the_market_is_where_positions_are(log: list[tuple[int, int, float]], start: tuple[float, ...], shared: bool) -> None:
    held = positions(given_of(fills(log), 8, start)) != 0.0
    found = activity_of(given_of(fills(log), 8, start), np.ones((8, 1 if shared else 3)), 252.0)["exposure_time"]
    np.testing.assert_array_equal(found, held.any(axis=1).mean() if shared else held.mean(axis=0))


@pytest.mark.interpreted
def test_one_asset_is_as_one_of_several() -> None:
    log = [(1, 0, 2.0), (1, 0, -0.5), (4, 0, -1.5), (7, 0, 3.0)]
    alone, among = positions(given_of(fills(log), 8)), positions(given_of(fills(log), 8, (0.0, 1.0)))
    np.testing.assert_array_equal(alone[:, 0], among[:, 0])
    np.testing.assert_array_equal(alone[:, 0], [0, 1.5, 1.5, 1.5, 0, 0, 0, 3])


@pytest.mark.interpreted
def test_t1_a_split_multiplies_what_is_held_before_the_fills_of_its_bar() -> None:
    splits = np.ones((5, 2))
    splits[2] = [2.0, 0.5]
    log = fills([(0, 0, 10.0), (2, 0, 1.0), (2, 1, -0.5), (3, 0, -21.0)])
    given = given_of(log, 5, (0.0, 3.0), splits=splits, close=[[10.0, 10.0], [10.0, 10.0], [5.0, 20.0], [5.0, np.nan], [5.0, 20.0]])
    np.testing.assert_array_equal(positions(given), [[10, 3], [10, 3], [21, 1], [0, 1], [0, 1]])
    gross, _ = exposures(given, np.full((5, 1), 100.0))
    np.testing.assert_array_equal(gross[:, 0], [1.3, 1.3, 1.25, 0.2, 0.2])
    assert activity_of(given, np.full((5, 2), 100.0), 252.0)["exposure_time"].tolist() == [0.6, 1.0]


@pytest.mark.interpreted
def test_what_closed_a_position_leaves_no_dust() -> None:
    log = fills([(0, 0, 0.1), (0, 0, 0.2), (1, 0, -(0.1 + 0.2)), (2, 0, 0.3), (2, 0, -0.1), (3, 0, -0.2)])
    held = positions(given_of(log, 4))[:, 0]
    assert held[1] == 0.0 and held[3] == 0.0 and held[2] == pytest.approx(0.2)


@pytest.mark.interpreted
def test_f8_positions_are_valued_at_the_last_close() -> None:
    """What is held from the start has its entry price as mark until there is a close."""
    close = [[np.nan, 5.0], [2.0, np.nan], [np.nan, np.nan], [3.0, 7.0]]
    gross, net = exposures(given_of(fills([]), 4, (1.0, -1.0), close=close), np.full((4, 1), 10.0))
    np.testing.assert_array_equal(gross[:, 0], [1.5, 0.7, 0.7, 1.0])
    np.testing.assert_array_equal(net[:, 0], [0.5, -0.3, -0.3, -0.4])


@pytest.mark.interpreted
def test_exposures() -> None:
    given = given_of(fills([(1, 0, -10.0), (1, 1, 5.0)]), 2, (10.0, -5.0), close=[[2.0, 4.0], [np.nan, 4.0]], multiplier=[1.0, 2.0])
    gross, net = exposures(given, np.array([[100.0], [50.0]]))
    np.testing.assert_array_equal(gross, [[0.6], [0.0]])
    np.testing.assert_array_equal(net, [[-0.2], [0.0]])
    gross, net = exposures(given, np.array([[100.0, 80.0], [50.0, -1.0]]))
    np.testing.assert_array_equal(gross, [[0.2, 0.5], [0.0, np.nan]])
    np.testing.assert_array_equal(net, [[0.2, -0.5], [0.0, np.nan]])


def test_what_is_not_held_has_no_value() -> None:
    values = position_values(np.array([10.0, -5.0, 0.0]), np.array([2.0, 4.0, np.nan]), np.array([1.0, 2.0, 1.0]))
    np.testing.assert_array_equal(values, [20.0, -40.0, 0.0])


def test_no_field_of_a_record_hides_behind_a_name_of_numpy() -> None:
    """`record.mean` is a method of NumPy where kernels run uncompiled: a field of that name would never be read."""
    import importlib
    import pkgutil

    import vecbt.metrics

    for info in pkgutil.iter_modules(vecbt.metrics.__path__, "vecbt.metrics."):
        for name, value in vars(importlib.import_module(info.name)).items():
            if isinstance(value, np.dtype) and value.names:
                assert not [field for field in value.names if hasattr(np.record, field)], f"{info.name}.{name}"
