"""SMA and EMA: against the slow twin and TA-Lib, missing bars, types, batch = stream to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import indicators as naive
from vecbt.errors import ConfigError, InputError, StateError
from vecbt.indicators import stream as stream_of
from vecbt.indicators.moving import ema, sma

FAMILY = [(sma, "sma", naive.sma), (ema, "ema", naive.ema)]

pytestmark = pytest.mark.interpreted


def walk(bars: int, assets: int, seed: int = 7, gaps: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    prices = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, (bars, assets)), axis=0))
    prices[rng.random(prices.shape) < gaps] = np.nan
    return prices


@pytest.mark.parametrize(("batch", "_stream", "slow"), FAMILY)
@pytest.mark.parametrize("window", [1, 2, 3, 7, 20, 61])
def test_equals_the_slow_twin(batch: Callable[..., Any], _stream: Any, slow: Any, window: int) -> None:
    prices = walk(60, 3)
    expected = np.array([slow(list(prices[:, n]), window) for n in range(3)]).T
    np.testing.assert_allclose(batch(prices, window), expected, rtol=1e-12)


@given(
    values=st.lists(st.one_of(st.just(float("nan")), st.integers(-640, 640).map(lambda v: v / 64)), min_size=1, max_size=30),
    window=st.integers(1, 12),
)
def test_equals_the_slow_twin_on_any_values(values: list[float], window: int) -> None:
    for batch, _, slow in FAMILY:
        np.testing.assert_allclose(batch(np.array(values), window), slow(values, window), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("window", [2, 5, 30])
def test_equals_talib(window: int) -> None:
    talib = pytest.importorskip("talib")
    prices = walk(300, 1, gaps=0)[:, 0]
    np.testing.assert_allclose(sma(prices, window), talib.SMA(prices, window), rtol=1e-12)
    np.testing.assert_allclose(ema(prices, window), talib.EMA(prices, window), rtol=1e-12)


@pytest.mark.parametrize(("batch", "_stream", "_slow"), FAMILY)
def test_missing_bars_neither_spread_nor_are_invented(batch: Any, _stream: Any, _slow: Any) -> None:
    prices = np.array([1.0, 2.0, np.nan, 4.0, 8.0, np.nan, np.nan, 2.0])
    present = ~np.isnan(prices)
    out = batch(prices, 2)
    assert np.isnan(out[~present]).all()
    np.testing.assert_array_equal(out[present], batch(prices[present], 2))


@pytest.mark.parametrize(("batch", "stream", "_slow"), FAMILY)
def test_edges(batch: Any, stream: Any, _slow: Any) -> None:
    prices = walk(10, 2)
    np.testing.assert_array_equal(batch(prices, 1), prices)
    assert np.isnan(batch(prices, 11)).all()
    assert batch(np.empty((0, 2)), 3).shape == (0, 2)
    assert batch(np.array([5.0]), 1).tolist() == [5.0]
    prices[:, 1] = np.nan
    out = batch(prices, 3)
    assert np.isnan(out[:, 1]).all() and not np.isnan(out[:, 0]).all()
    assert stream_of(stream, 1).update(3.5).tolist() == [3.5]


@pytest.mark.parametrize(("batch", "_stream", "_slow"), FAMILY)
@pytest.mark.parametrize("price", [0.1, 1 / 3, 87.23])
def test_equal_prices_give_exactly_that_price(batch: Any, _stream: Any, _slow: Any, price: float) -> None:
    out = batch(np.full(50, price), 7)
    assert set(out[6:].tolist()) == {price}


def test_sma_forgets_a_huge_value_completely() -> None:
    prices = np.r_[1e300, np.full(40, 0.1) + np.arange(40) / 64]
    np.testing.assert_allclose(sma(prices, 5)[5:], naive.sma(list(prices), 5)[5:], rtol=1e-15)


def test_sma_does_not_drift() -> None:
    rng = np.random.default_rng(3)
    prices = 1e6 + np.cumsum(rng.normal(size=200_000))
    out = sma(prices, 50)
    last = [float(np.sort(prices[t - 49 : t + 1]).sum() / 50) for t in range(199_000, 200_000)]
    np.testing.assert_allclose(out[199_000:], last, rtol=4e-15)


@pytest.mark.parametrize(("batch", "_stream", "_slow"), FAMILY)
def test_the_type_that_comes_in_comes_out(batch: Any, _stream: Any, _slow: Any) -> None:
    prices = walk(20, 2)
    expected = batch(prices, 3)
    index = pd.date_range("2024-01-01", periods=20)
    frame = pd.DataFrame(prices, index=index, columns=["A", "B"])
    pd.testing.assert_frame_equal(batch(frame, 3), pd.DataFrame(expected, index=index, columns=["A", "B"]))
    pd.testing.assert_series_equal(batch(frame["B"], 3), pd.Series(expected[:, 1], index=index, name="B"))
    table = pl.DataFrame({"A": prices[:, 0], "B": prices[:, 1]})
    assert batch(table, 3).columns == ["A", "B"]
    np.testing.assert_array_equal(batch(table, 3).to_numpy(), expected)
    assert batch(table["A"], 3).name == "A"
    np.testing.assert_array_equal(batch(pl.Series("A", [1, None, 3]), 1).to_numpy(), [1, np.nan, 3])
    np.testing.assert_array_equal(batch(np.asfortranarray(prices), 3), expected)
    np.testing.assert_array_equal(batch(np.arange(5), 1), np.arange(5.0))
    assert batch([1, 2, 3], 1).tolist() == [1.0, 2.0, 3.0]
    kept = prices.copy()
    batch(prices, 3)
    np.testing.assert_array_equal(prices, kept)


@pytest.mark.parametrize("window", [0, -1, 2.5, True, "5", None])
def test_a_window_that_is_none_is_refused(window: Any) -> None:
    for batch, stream, _ in FAMILY:
        with pytest.raises(ConfigError, match="expected a whole number of at least 1"):
            batch(np.ones(3), window)
        with pytest.raises(ConfigError):
            stream_of(stream, window)


def test_values_that_are_none_are_refused() -> None:
    with pytest.raises(InputError, match="infinite at row 1, column 0"):
        sma(np.array([1.0, np.inf]), 2)
    for text in (np.array(["a"]), pd.Series(["a"]), pl.Series(["a"]), pl.DataFrame({"x": ["a"]}), ["a"]):
        with pytest.raises(InputError, match="'a' is text"):
            sma(text, 2)
    with pytest.raises(InputError, match="two dimensions"):
        sma(np.ones((2, 2, 2)), 2)


def test_a_stream_refuses_rows_and_states_of_others() -> None:
    stream = stream_of("sma", 3, assets=2)
    with pytest.raises(InputError, match=r"shape \(3,\) came in; this stream has 2 assets"):
        stream.update([1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="infinite"):
        stream.update([1.0, np.inf])
    with pytest.raises(ConfigError, match="assets"):
        stream_of("sma", 3, assets=0)
    for other in (stream_of("ema", 3, assets=2), stream_of("sma", 4, assets=2), stream_of("sma", 3, assets=3)):
        with pytest.raises(StateError, match="the saved state has"):
            stream.restore(other.save())
    with pytest.raises(StateError, match="no saved state"):
        stream.restore(b"nothing")
    with pytest.raises(StateError, match="cut short"):
        stream.restore(stream.save()[:-1])
    assert repr(stream) == "IndicatorStream(sma, window=3, assets=2)"
