"""Bollinger's bands, Keltner and Donchian channels: against slow twins, TA-Lib and exact arithmetic."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.indicators.test_moving import walk
from tests.naive import indicators_bands as naive
from vecbt.core.jit import ENGINE
from vecbt.errors import ConfigError
from vecbt.indicators import atr, crossed_above, ema, lag
from vecbt.indicators.bands import bollinger, donchian, keltner

pytestmark = pytest.mark.interpreted

COMPILED = pytest.mark.skipif(ENGINE == "python", reason="a million bars take minutes uncompiled")


def columns(rows: list[tuple[float, ...]]) -> np.ndarray:
    return np.array(rows, dtype=float).T


@pytest.mark.parametrize(("window", "width"), [(1, 2.0), (2, 2.0), (5, 1.5), (20, 2.0), (61, 3.0), (20, 0.0)])
def test_bollinger_equals_the_slow_twin(window: int, width: float) -> None:
    values = walk(150, 2)
    for n in range(2):
        expected = columns(naive.bollinger(list(values[:, n]), window, width))
        np.testing.assert_allclose(np.array(bollinger(values[:, n], window, width)), expected, rtol=1e-10, atol=1e-12)


@given(
    values=st.lists(st.one_of(st.just(float("nan")), st.integers(-640, 640).map(lambda v: v / 64)), min_size=1, max_size=30),
    window=st.integers(1, 9),
)
def test_bollinger_equals_the_slow_twin_on_any_values(values: list[float], window: int) -> None:
    out = np.array(bollinger(np.array(values), window))
    expected = columns(naive.bollinger(values, window, 2.0))
    np.testing.assert_allclose(out[[0, 1, 2, 4]], expected[[0, 1, 2, 4]], rtol=1e-10, atol=1e-11)
    # a middle that is nearly zero rounds to a bandwidth that is anything
    sound = np.abs(expected[1]) > 1e-3
    np.testing.assert_allclose(out[3][sound], expected[3][sound], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(("window", "width"), [(2, 2.0), (20, 2.0), (60, 1.0)])
def test_bollinger_equals_talib(window: int, width: float) -> None:
    talib = pytest.importorskip("talib")
    values = walk(400, 1, gaps=0)[:, 0]
    lines = bollinger(values, window, width)
    for ours, theirs in zip(lines[:3], talib.BBANDS(values, window, width, width), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)


def test_bollinger_of_nearly_flat_windows_keeps_the_digits_that_the_lines_lose() -> None:
    """At 1e6 with steps of 1e-6 two lines are a few roundings apart: a bandwidth read off them is wrong in the fifth digit."""
    talib = pytest.importorskip("talib")
    values = 1e6 + np.random.default_rng(1).normal(0, 1e-6, 100)
    expected = columns(naive.bollinger(list(values), 20, 2.0))[:, 19:]
    ours, theirs = np.array(bollinger(values, 20))[:, 19:], np.array(talib.BBANDS(values, 20, 2.0, 2.0))[:, 19:]
    np.testing.assert_allclose(ours[3:], expected[3:], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours[:3], expected[:3], rtol=4e-16)
    np.testing.assert_allclose(theirs, expected[:3], rtol=1e-14)
    for upper, middle, lower in (ours[:3], theirs):
        assert np.abs((upper - lower) / middle / expected[3] - 1).max() > 1e-6


def test_bollinger_of_a_flat_price_is_the_price_and_no_percent() -> None:
    for price in (0.1, 87.23, -3.0):
        lines = bollinger(np.full(60, price), 7)
        for line in lines[:3]:
            assert set(line[6:].tolist()) == {price}
        assert set(lines.bandwidth[6:].tolist()) == {0.0} and np.isnan(lines.percent).all()
    zero = bollinger(np.zeros(20), 7)
    assert np.isnan(zero.bandwidth).all() and set(zero.upper[6:].tolist()) == {0.0}


def test_bollinger_by_hand() -> None:
    lines = bollinger([1.0, 2.0, 3.0, 4.0, 2.0], 4, 2.0)
    deviation = 1.25**0.5
    np.testing.assert_allclose(lines.middle[3:], [2.5, 2.75])
    np.testing.assert_allclose(lines.upper[3], 2.5 + 2 * deviation)
    np.testing.assert_allclose(lines.lower[3], 2.5 - 2 * deviation)
    np.testing.assert_allclose(lines.bandwidth[3], 4 * deviation / 2.5)
    np.testing.assert_allclose(lines.percent[3], (4.0 - lines.lower[3]) / (4 * deviation))


def frame(bars: int, seed: int = 7, gaps: float = 0.1) -> pd.DataFrame:
    close = walk(bars, 1, seed, gaps)[:, 0]
    rng = np.random.default_rng(seed)
    high, low = close + rng.integers(0, 4, bars) / 4, close - rng.integers(0, 4, bars) / 4
    return pd.DataFrame({"high": high, "low": low, "close": close})


@pytest.mark.parametrize(("span", "window", "multiplier"), [(1, 1, 2.0), (3, 7, 1.5), (20, 10, 2.0), (5, 5, 0.0)])
def test_keltner_equals_the_slow_twin(span: int, window: int, multiplier: float) -> None:
    bars = frame(90)
    lists = [list(bars[name]) for name in ("high", "low", "close")]
    expected = columns(naive.keltner(*lists, span, window, multiplier))
    np.testing.assert_allclose(np.array(keltner(bars, span, window, multiplier)), expected, rtol=1e-12)


def test_keltner_is_made_of_the_public_averages() -> None:
    talib = pytest.importorskip("talib")
    bars = frame(120, gaps=0)
    lines = keltner(bars, 20, 10, 2.0)
    np.testing.assert_array_equal(lines.middle, ema(bars["close"], 20))
    np.testing.assert_allclose((lines.upper - lines.lower) / 4, atr(bars, 10).where(lines.middle.notna()), rtol=1e-11)
    np.testing.assert_allclose(lines.middle, talib.EMA(bars["close"], 20), rtol=1e-12)


@pytest.mark.parametrize("window", [1, 2, 7, 20, 61])
def test_donchian_equals_the_slow_twin(window: int) -> None:
    bars = frame(130)
    expected = columns(naive.donchian(list(bars["high"]), list(bars["low"]), window))
    np.testing.assert_array_equal(np.array(donchian(bars, window)), expected)


def test_donchian_equals_talib() -> None:
    talib = pytest.importorskip("talib")
    bars = frame(200, gaps=0)
    lines = donchian(bars, 20)
    np.testing.assert_array_equal(lines.upper, talib.MAX(bars["high"], 20))
    np.testing.assert_array_equal(lines.lower, talib.MIN(bars["low"], 20))


def test_a_breakout_is_against_the_channel_of_the_bar_before() -> None:
    """As the docstring of donchian says: on its own bar no close is above the highest high."""
    close = [1.0, 2.0, 1.5, 1.75, 3.0, 2.5]
    bars = pd.DataFrame({"high": close, "low": close})
    upper = donchian(bars, 3).upper
    assert not crossed_above(pd.Series(close), upper).any()
    assert crossed_above(pd.Series(close), lag(upper)).tolist() == [False, False, False, False, True, False]


def test_a_width_below_zero_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"bollinger\.width is -1\.0"):
        bollinger(np.ones(3), 2, -1.0)


@COMPILED
@pytest.mark.parametrize(("window", "spike"), [(20, 1.0), (500, 1.0), (20, 1e6), (500, 1e6)])
def test_bollinger_does_not_drift_in_a_million_bars_nor_remember_a_spike(window: int, spike: float) -> None:
    """Deviations at a price of 1e9 with steps of 1, from exact fractions; a spike of 1e6 times leaves nothing behind."""
    rng = np.random.default_rng(4)
    values = 1e9 + np.cumsum(rng.normal(size=1_000_000))
    first = 1_000_000 - 400
    values[first - window] *= spike
    lines = bollinger(values, window)
    shown = range(first, 1_000_000, 1 if window < 100 else 13)
    truth = [naive.exact(list(values[t - window + 1 : t + 1])) for t in shown]
    reach = np.array([2 * naive.root(variance) for _, variance in truth])
    middle = np.array([float(mean) for mean, _ in truth])
    np.testing.assert_allclose(lines.middle[shown], middle, rtol=1e-15)
    np.testing.assert_allclose(lines.bandwidth[shown], 2 * reach / middle, rtol=1e-9)
    above = np.array([float(naive.Fraction(values[t]) - mean) for t, (mean, _) in zip(shown, truth, strict=True)])
    np.testing.assert_allclose(lines.percent[shown], 0.5 + above / (2 * reach), rtol=1e-9, atol=1e-9)
