"""Rolling statistics, extremes, ranks, lags: against slow twins, TA-Lib, pandas and exact arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.indicators.test_moving import walk
from tests.naive import indicators_rolling as naive
from vecbt.core.jit import ENGINE
from vecbt.errors import ConfigError
from vecbt.indicators.extremes import rolling_argmax, rolling_argmin, rolling_max, rolling_min
from vecbt.indicators.lags import bars_since, lag
from vecbt.indicators.ranks import rolling_median, rolling_quantile, rolling_rank
from vecbt.indicators.rolling import regression_slope, rolling_skew, rolling_std, zscore

pytestmark = pytest.mark.interpreted

COMPILED = pytest.mark.skipif(ENGINE == "python", reason="a million bars take minutes uncompiled")

Twin = Callable[[list[float]], float]

WINDOWED: dict[str, tuple[Callable[..., Any], Twin]] = {
    "std": (rolling_std, partial(naive.deviation, ddof=0)),
    "std of a sample": (partial(rolling_std, ddof=1), partial(naive.deviation, ddof=1)),
    "zscore": (zscore, partial(naive.score, ddof=0)),
    "zscore of a sample": (partial(zscore, ddof=1), partial(naive.score, ddof=1)),
    "skew": (rolling_skew, naive.skewness),
    "slope": (regression_slope, naive.slope),
    "max": (rolling_max, max),
    "min": (rolling_min, min),
    "argmax": (rolling_argmax, naive.since_highest),
    "argmin": (rolling_argmin, naive.since_lowest),
    "median": (rolling_median, partial(naive.quantile, share=0.5)),
    "quantile": (partial(rolling_quantile, quantile=0.3), partial(naive.quantile, share=0.3)),
    "rank": (rolling_rank, naive.rank),
}
EACH = pytest.mark.parametrize("name", WINDOWED)


@EACH
@pytest.mark.parametrize("window", [1, 2, 3, 4, 7, 20, 61])
def test_equals_the_slow_twin(name: str, window: int) -> None:
    ours, twin = WINDOWED[name]
    values = walk(130, 2)
    values[40:90, 1] = np.round(values[40:90, 1])  # ties
    for n in range(2):
        expected = naive.each(list(values[:, n]), window, twin)
        np.testing.assert_allclose(ours(values[:, n], window), expected, rtol=1e-10, atol=1e-11)


@EACH
@given(
    values=st.lists(st.one_of(st.just(float("nan")), st.integers(-6, 6).map(lambda v: v / 4)), min_size=1, max_size=30),
    window=st.integers(1, 9),
)
def test_equals_the_slow_twin_on_any_values(name: str, values: list[float], window: int) -> None:
    ours, twin = WINDOWED[name]
    np.testing.assert_allclose(ours(np.array(values), window), naive.each(values, window, twin), rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("window", [2, 5, 30])
def test_equals_talib(window: int) -> None:
    talib = pytest.importorskip("talib")
    values = walk(300, 1, gaps=0)[:, 0]
    np.testing.assert_allclose(rolling_std(values, window), talib.STDDEV(values, window), rtol=1e-10)
    np.testing.assert_allclose(rolling_max(values, window), talib.MAX(values, window), rtol=0)
    np.testing.assert_allclose(rolling_min(values, window), talib.MIN(values, window), rtol=0)
    np.testing.assert_allclose(regression_slope(values, window), talib.LINEARREG_SLOPE(values, window), rtol=1e-10, atol=1e-10)
    places = np.arange(300) - talib.MAXINDEX(values, window)
    np.testing.assert_array_equal(rolling_argmax(values, window)[window - 1 :], places[window - 1 :])
    places = np.arange(300) - talib.MININDEX(values, window)
    np.testing.assert_array_equal(rolling_argmin(values, window)[window - 1 :], places[window - 1 :])


@pytest.mark.parametrize("window", [3, 8, 25])
def test_equals_pandas_on_values_without_gaps(window: int) -> None:
    values = np.round(walk(200, 1, gaps=0)[:, 0], 1)
    rolling = pd.Series(values).rolling(window)
    np.testing.assert_allclose(rolling_std(values, window, 1), rolling.std(), rtol=1e-9)
    np.testing.assert_allclose(rolling_skew(values, window), rolling.skew(), rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(rolling_median(values, window), rolling.median(), rtol=1e-15)
    for quantile in (0.0, 0.1, 0.5, 0.77, 1.0):
        np.testing.assert_allclose(rolling_quantile(values, window, quantile), rolling.quantile(quantile), rtol=1e-15)
    np.testing.assert_allclose(rolling_rank(values, window), rolling.rank(pct=True), rtol=1e-15)
    np.testing.assert_array_equal(lag(values, window), pd.Series(values).shift(window))


@pytest.mark.parametrize("bars", [1, 2, 7])
def test_lag_equals_the_slow_twin(bars: int) -> None:
    values = walk(60, 1, gaps=0.3)[:, 0]
    np.testing.assert_array_equal(lag(values, bars), naive.lag(list(values), bars))


def test_lag_by_hand() -> None:
    assert lag([1.0, math.nan, 2.0, 3.0]).tolist()[2:] == [1.0, 2.0]
    assert np.isnan(lag([1.0, math.nan, 2.0, 3.0])[:2]).all()


@given(values=st.lists(st.sampled_from([0.0, 0.0, -0.0, 1.0, -2.5, float("nan")]), min_size=1, max_size=30))
def test_bars_since_equals_the_slow_twin(values: list[float]) -> None:
    np.testing.assert_array_equal(bars_since(np.array(values)), naive.bars_since(values))


def test_bars_since_takes_a_condition() -> None:
    out = bars_since(np.array([False, True, False, False, True]))
    assert np.isnan(out[0]) and out[1:].tolist() == [0.0, 1.0, 2.0, 0.0]
    table = bars_since(pd.DataFrame({"a": [True, False]}))
    assert table["a"].tolist() == [0.0, 1.0]


@EACH
def test_a_flat_price_gives_what_the_docstring_says(name: str) -> None:
    expected = {"max": 0.1, "min": 0.1, "median": 0.1, "quantile": 0.1, "argmax": 0.0, "argmin": 0.0, "rank": 4 / 7, "slope": 0.0}
    expected |= {"std": 0.0, "std of a sample": 0.0}
    out = WINDOWED[name][0](np.full(40, 0.1), 7)
    assert np.isnan(out[:6]).all()
    if name in expected:
        assert set(out[6:].tolist()) == {expected[name]}
    else:
        assert np.isnan(out).all()


def test_ranks_and_ages_by_hand() -> None:
    values = [3.0, 1.0, 2.0, 2.0, 0.0]
    assert rolling_rank(values, 3).tolist()[2:] == [2 / 3, 2.5 / 3, 1 / 3]
    assert rolling_argmax(values, 3).tolist()[2:] == [2.0, 0.0, 1.0]
    assert rolling_argmin(values, 3).tolist()[2:] == [1.0, 2.0, 0.0]
    assert rolling_quantile([4.0, 1.0, 3.0, 2.0], 4, 0.25)[3] == 1.75
    assert regression_slope([5.0, 7.0, 9.0, 8.0], 3).tolist()[2:] == [2.0, 0.5]


def test_a_skewness_by_hand() -> None:
    # of 0, 0, 3: mean 1, m2 = 2, m3 = 2, G1 = sqrt(6)/1 * 2/2**1.5 = sqrt(3)
    np.testing.assert_allclose(rolling_skew([0.0, 0.0, 3.0], 3)[2], math.sqrt(3), rtol=1e-15)
    assert np.isnan(rolling_skew([0.0, 1.0, 3.0], 2)).all()


def test_parameters_that_may_not_be_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"rolling_quantile\.quantile is 1\.5; expected a number from 0 to 1"):
        rolling_quantile(np.ones(3), 2, 1.5)
    with pytest.raises(ConfigError, match=r"rolling_std\.ddof is 2; expected a whole number from 0 to 1"):
        rolling_std(np.ones(3), 2, 2)
    with pytest.raises(ConfigError, match=r"lag\.bars is 0"):
        lag(np.ones(3), 0)


@COMPILED
@pytest.mark.parametrize(("window", "spike"), [(20, 1.0), (500, 1.0), (20, 1e6), (500, 1e6)])
def test_sums_do_not_drift_in_a_million_bars_nor_remember_a_spike(window: int, spike: float) -> None:
    """At a price of 1e9 with steps of 1, from exact fractions, from the bar on which a spike of 1e6 times has left the window."""
    rng = np.random.default_rng(11)
    values = 1e9 + np.cumsum(rng.normal(size=1_000_000))
    first = 1_000_000 - 1000
    values[first - window] *= spike
    shown = list(range(first, 1_000_000, 1 if window < 100 else 17))
    windows = [[float(v) for v in values[t - window + 1 : t + 1]] for t in shown]
    for ours, twin, atol in (
        (rolling_std(values, window), partial(naive.deviation, ddof=0), 0.0),
        (zscore(values, window), partial(naive.score, ddof=0), 1e-9),
        (rolling_skew(values, window), naive.skewness, 1e-9),
        (regression_slope(values, window), naive.slope, 1e-11),
    ):
        np.testing.assert_allclose(ours[shown], [twin(last) for last in windows], rtol=1e-9, atol=atol)


@COMPILED
def test_extremes_and_order_hold_in_long_runs() -> None:
    values = np.random.default_rng(5).integers(0, 60, 200_000).astype(float)
    rolling = pd.Series(values).rolling(37)
    np.testing.assert_array_equal(rolling_max(values, 37), rolling.max())
    np.testing.assert_array_equal(rolling_min(values, 37), rolling.min())
    np.testing.assert_array_equal(rolling_median(values, 37), rolling.median())
    np.testing.assert_allclose(rolling_rank(values, 37), rolling.rank(pct=True), rtol=1e-15)


def test_a_skewness_near_zero_is_zero_to_fifteen_digits_of_its_scale() -> None:
    values = [float(v) for v in range(100)]
    assert abs(rolling_skew(values, 9)[50]) < 1e-14 and Fraction(naive.skewness(values[:9])) == 0
