"""WMA, DEMA, TEMA, Hull, KAMA, ALMA, VWMA, VWAP: against slow twins, TA-Lib and talipp; at edges; without drift."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vecbt as vb
from tests.indicators.discovered import batch, of_block
from tests.indicators.walks import bars_of, level_walk
from tests.naive import indicators_moving as naive
from vecbt.core.jit import ENGINE
from vecbt.errors import ConfigError, InputError
from vecbt.indicators import alma, dema, find, hma, kama, session_vwap, sma, tema, vwap, vwma, wma

pytestmark = pytest.mark.interpreted

compiled = pytest.mark.skipif(ENGINE == "python", reason="a million bars take minutes uncompiled")

CASES: list[tuple[str, Callable[..., Any], list[tuple[Any, ...]]]] = [
    ("wma", naive.wma, [(1,), (2,), (3,), (7,), (20,), (61,)]),
    ("dema", naive.dema, [(1,), (2,), (7,), (20,), (61,)]),
    ("tema", naive.tema, [(1,), (2,), (7,), (15,), (61,)]),
    ("hma", naive.hma, [(1,), (2,), (3,), (9,), (16,), (30,), (61,)]),
    ("kama", naive.kama, [(1, 2, 30), (2, 1, 2), (10, 2, 30), (61, 2, 30)]),
    ("alma", naive.alma, [(1, 0.85, 6.0), (2, 0.0, 3.0), (9, 0.85, 6.0), (20, 1.0, 2.0), (61, 0.5, 6.0)]),
    ("vwma", naive.vwma, [(1,), (2,), (20,), (61,)]),
    ("vwap", naive.vwap, [(1,), (3,), (20,), (61,)]),
    ("session_vwap", naive.session_vwap, [()]),
]
EACH = [(name, twin, parameters) for name, twin, tried in CASES for parameters in tried]


@pytest.mark.parametrize(("name", "twin", "parameters"), EACH, ids=lambda v: v if isinstance(v, str) else None)
def test_equals_the_slow_twin(name: str, twin: Callable[..., Any], parameters: tuple[Any, ...]) -> None:
    kernel, bars = find(name), bars_of(60, 3)
    out, rows = batch(kernel, bars, parameters)[0], of_block(kernel, bars)
    for n in range(3):
        expected = naive.gapless(lambda *row: twin(*row, *parameters), *(row[:, n].tolist() for row in rows))
        np.testing.assert_allclose(out[:, n], expected, rtol=1e-11, atol=1e-11)


@given(
    values=st.lists(st.one_of(st.just(math.nan), st.integers(-640, 640).map(lambda v: v / 64)), min_size=1, max_size=30),
    window=st.integers(1, 12),
)
def test_equals_the_slow_twin_on_any_values(values: list[float], window: int) -> None:
    for function, twin in ((wma, naive.wma), (hma, naive.hma), (dema, naive.dema), (tema, naive.tema), (kama, naive.kama)):
        expected = naive.gapless(lambda there, twin=twin: twin(there, window), values)
        np.testing.assert_allclose(function(np.array(values), window), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("window", [2, 5, 30])
def test_equals_talib(window: int) -> None:
    talib = pytest.importorskip("talib")
    prices = bars_of(300, 1, gaps=0)[3, :, 0]
    for ours, theirs in ((wma, talib.WMA), (dema, talib.DEMA), (tema, talib.TEMA), (kama, talib.KAMA)):
        np.testing.assert_allclose(ours(prices, window), theirs(prices, window), rtol=1e-11)


@pytest.mark.parametrize("window", [4, 9, 25])
def test_equals_talipp(window: int) -> None:
    """Its HMA begins some bars later than the formula can be computed."""
    talipp = pytest.importorskip("talipp.indicators")
    ohlcv = pytest.importorskip("talipp.ohlcv")
    _, _, _, close, volume, _ = bars_of(200, 1, gaps=0)[:, :, 0]
    given_bars = [ohlcv.OHLCV(c, c, c, c, v) for c, v in zip(close, volume, strict=True)]
    for ours, theirs in (
        (hma(close, window), talipp.HMA(window, list(close))),
        (alma(close, window, 0.7, 5.0), talipp.ALMA(window, 0.7, 5.0, list(close))),
        (vwma(np.stack([close] * 4 + [volume])[:, :, None], window)[:, 0], talipp.VWMA(window, given_bars)),
    ):
        expected = np.array([math.nan if v is None else v for v in theirs])
        assert not np.isnan(expected[50:]).any()
        np.testing.assert_allclose(ours[50:], expected[50:], rtol=1e-11)


def test_by_hand() -> None:
    np.testing.assert_allclose(wma(np.array([1.0, 2.0, 4.0, 1.0]), 3)[2:], [17 / 6, 13 / 6], rtol=1e-15)
    bars = np.array([[3, 6, 3, 3, 2], [3, 3, 3, 3, 0], [9, 9, 6, 6, 1], [9, 9, 9, 9, 3]], dtype=float).T[:, :, None]
    assert vwma(bars, 2)[1:, 0].tolist() == [3.0, 6.0, (6 + 27) / 4]
    assert vwap(bars, 2)[1:, 0].tolist() == [4.0, 7.0, (7 + 27) / 4]
    # efficiency 1 of a straight line: the quickest weight, (2/3)**2
    np.testing.assert_allclose(kama(np.array([1.0, 2.0, 3.0]), 1)[1:], [13 / 9, 13 / 9 + 4 / 9 * 14 / 9], rtol=1e-15)


def test_session_vwap_begins_anew_with_each_session() -> None:
    frame = pd.DataFrame(
        {
            "high": [12.0, 15, 9, math.nan, 6, 6],
            "low": [9.0, 9, 9, math.nan, 6, 3],
            "close": [9.0, 12, 9, math.nan, 6, 6],
            "volume": [1.0, 3, 4, 5, 0, 2],
            "session": [1, 1, 1, 2, 2, 2],
        }
    )
    out = session_vwap(frame)
    assert out.tolist()[:3] == [10.0, (10 + 36) / 4, (10 + 36 + 36) / 8]
    assert np.isnan(out[3]) and np.isnan(out[4])  # no market, then a session without volume so far
    assert out[5] == 5.0
    times = ["2024-01-01T10", "2024-01-01T20", "2024-01-02T01", "2024-01-02T02"]
    hours = vb.Bars.from_numpy(*([[1.0, 2, 3, 4]] * 4), [1.0, 1, 1, 1], index=times, asset_class="crypto")
    assert session_vwap(hours)[:, 0].tolist() == [1.0, 1.5, 3.0, 3.5]


@pytest.mark.parametrize("price", [0.1, 1 / 3, 87.23, 1e9 + 1 / 3])
def test_equal_prices_give_exactly_that_price(price: float) -> None:
    prices = np.full(80, price)
    for out, first in ((wma(prices, 7), 6), (hma(prices, 9), 10), (kama(prices), 10), (alma(prices), 8)):
        assert set(out[first:].tolist()) == {price}
    for out in (dema(prices, 7)[12:], tema(prices, 7)[18:]):
        np.testing.assert_allclose(out, price, rtol=1e-15)
    bars = np.stack([prices] * 4 + [np.arange(80) % 5.0])[:, :, None]
    for out in (vwma(bars, 7), vwap(bars, 7)):
        np.testing.assert_allclose(out[6:, 0], price, rtol=1e-15)


def test_a_window_of_one_gives_the_values() -> None:
    prices = bars_of(12, 2)[3]
    for function in (wma, dema, tema, hma, alma):
        np.testing.assert_array_equal(function(prices, 1), prices)


def test_no_volume_is_no_average() -> None:
    bars = bars_of(12, 1, gaps=0)[:5]
    bars[4, 3:7] = 0.0
    for function in (vwma, vwap):
        assert np.flatnonzero(np.isnan(function(bars, 3)[:, 0])).tolist() == [0, 1, 5, 6]
    frame = pd.DataFrame({"open": [1.0], "high": [1.0], "low": [1.0], "close": [1.0]}, index=pd.to_datetime(["2024-01-01"]))
    for function in (vwma, vwap, session_vwap):
        with pytest.raises(InputError, match="needs volume"):
            function(vb.Bars.from_pandas(frame))
    with pytest.raises(InputError, match="sessions"):
        session_vwap(bars)


def test_very_narrow_weights_take_the_nearest_value() -> None:
    prices = np.arange(1.0, 9.0)
    np.testing.assert_array_equal(alma(prices, 4, 1.0, 1e6)[3:], prices[3:])
    np.testing.assert_array_equal(alma(prices, 4, 0.0, 1e6)[3:], prices[:-3])
    np.testing.assert_allclose(alma(prices, 4, 0.5, 0.01), sma(prices, 4), rtol=1e-4)


def test_parameters_that_may_not_be_are_refused() -> None:
    for wrong in (lambda: wma([1.0], 0), lambda: kama([1.0], 3, 30, 2), lambda: alma([1.0], 3, 1.5), lambda: alma([1.0], 3, 0.5, 0.0)):
        with pytest.raises(ConfigError, match="expected"):
            wrong()


def test_a_huge_value_is_forgotten_completely() -> None:
    tail = np.full(60, 0.1) + np.arange(60) / 64
    prices = np.r_[1e290, tail]
    for function, twin in ((wma, naive.wma), (hma, naive.hma)):
        np.testing.assert_allclose(function(prices, 5)[8:], twin(list(prices), 5)[8:], rtol=1e-14)
    bars = np.stack([prices] * 4 + [np.ones(61)])[:, :, None]
    np.testing.assert_allclose(vwma(bars, 5)[5:, 0], sma(prices, 5)[5:], rtol=1e-15)


@compiled
def test_averages_do_not_drift_in_a_million_bars() -> None:
    count, window = 1_000_000, 50
    bars = level_walk(count)
    close, volume = bars[3, :, 0], bars[4, :, 0]
    weighted, by_volume, rolling = wma(close, window), vwma(bars[:5], window)[:, 0], vwap(bars[:5], window)[:, 0]
    hull, kaufman = hma(close, window), kama(close, window)
    middle = [Fraction(float(p)) for p in ((bars[1] + bars[2] + bars[3]) / 3)[-1_100:, 0]]
    exact, sizes = [Fraction(float(c)) for c in close[-1_100:]], [Fraction(float(v)) for v in volume[-1_100:]]

    def linear(values: list[Fraction], t: int, over: int) -> Fraction:
        return sum((i + 1) * values[t + 1 - over + i] for i in range(over)) / Fraction(over * (over + 1), 2)

    raw = [2 * linear(exact, t, window // 2) - linear(exact, t, window) for t in range(window - 1, 1_100)]
    for t in range(-1_000, 0, 37):
        at = 1_100 + t
        part = range(at + 1 - window, at + 1)
        traded = sum(sizes[i] for i in part)
        assert abs(Fraction(float(weighted[t])) - linear(exact, at, window)) < Fraction(1, 10**6)
        assert abs(Fraction(float(hull[t])) - linear(raw, at - window + 1, 7)) < Fraction(1, 10**6)
        for out, values in ((by_volume, exact), (rolling, middle)):
            assert abs(Fraction(float(out[t])) - sum(values[i] * sizes[i] for i in part) / traded) < Fraction(1, 10**6)
        gone = math.fsum(abs(np.diff(close[count + t - window : count + t + 1])))
        c = abs(close[t] - close[t - window]) / gone * (2 / 3 - 2 / 31) + 2 / 31
        assert kaufman[t] - kaufman[t - 1] == pytest.approx(c**2 * (close[t] - kaufman[t - 1]), abs=1e-6)


@compiled
def test_a_session_of_a_million_bars_does_not_drift() -> None:
    bars = level_walk(1_000_000)
    frame = pd.DataFrame(dict(zip(("high", "low", "close", "volume", "session"), bars[1:, :, 0], strict=True)))
    price = ((bars[1] + bars[2] + bars[3]) / 3)[:, 0]
    exact = math.fsum(price * bars[4, :, 0]) / math.fsum(bars[4, :, 0])
    assert session_vwap(frame).iloc[-1] == pytest.approx(exact, rel=1e-11)
