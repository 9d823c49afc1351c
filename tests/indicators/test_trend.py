"""ADX, Aroon and Ichimoku: slow twins, TA-Lib and talipp, hand-worked bars, edges."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vecbt as vb
from tests.indicators.range_bars import bars_of, prices_of, rows_of, walk_bars
from tests.naive import indicators_trend as naive
from vecbt.core.jit import ENGINE
from vecbt.errors import ConfigError
from vecbt.indicators import adx, aroon, ichimoku

pytestmark = pytest.mark.interpreted

LONG = pytest.mark.skipif(ENGINE == "python", reason="a million bars need compiled kernels")
NAN = math.nan

BAR = st.one_of(
    st.just((NAN, NAN, NAN)),
    st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(0, 2)).map(lambda b: (b[0] + b[1], b[0] - b[2], b[0])),
)
"""Bars around a few whole numbers: equal highs and lows are common."""
ROWS = st.lists(BAR.map(lambda bar: tuple(map(float, bar))), min_size=1, max_size=40)


def twin_of(block: np.ndarray, twin: Any, *parameters: Any) -> np.ndarray:
    """A twin on all assets, (outputs, T, N)."""
    return np.array([twin(prices_of(block, n), *parameters) for n in range(block.shape[2])]).transpose(2, 1, 0)


@pytest.mark.parametrize("window", [1, 2, 3, 14, 30, 70])
def test_adx_and_aroon_equal_the_slow_twin(window: int) -> None:
    block = walk_bars(100, 3)
    np.testing.assert_allclose(np.array(adx(block, window)), twin_of(block, naive.adx, window), rtol=1e-10)
    np.testing.assert_allclose(np.array(aroon(block, window)), twin_of(block, naive.aroon, window), rtol=1e-14)


@pytest.mark.parametrize("windows", [(1, 2, 3), (2, 5, 7), (9, 26, 52), (3, 4, 90)])
def test_ichimoku_equals_the_slow_twin(windows: tuple[int, int, int]) -> None:
    block = walk_bars(120, 3)
    np.testing.assert_array_equal(np.array(ichimoku(block, *windows)), twin_of(block, naive.ichimoku, *windows))


@given(rows=ROWS, window=st.integers(1, 7))
def test_equals_the_slow_twin_on_any_bars(rows: list[tuple[float, ...]], window: int) -> None:
    """With ties and flat stretches."""
    block = bars_of(rows)
    np.testing.assert_allclose(np.array(aroon(block, window)), twin_of(block, naive.aroon, window), rtol=1e-14)
    np.testing.assert_allclose(np.array(adx(block, window)), twin_of(block, naive.adx, window), rtol=1e-10, atol=1e-9)
    windows = (window, window + 1, window + 3)
    np.testing.assert_array_equal(np.array(ichimoku(block, *windows)), twin_of(block, naive.ichimoku, *windows))


@pytest.mark.parametrize("window", [2, 5, 14, 40])
def test_adx_equals_talib(window: int) -> None:
    talib = pytest.importorskip("talib")
    block = walk_bars(300, gaps=0)
    _, high, low, close, _ = block[:, :, 0]
    out = adx(block, window)
    np.testing.assert_allclose(out.adx[:, 0], talib.ADX(high, low, close, window), rtol=1e-10)
    np.testing.assert_allclose(out.plus_di[:, 0], talib.PLUS_DI(high, low, close, window), rtol=1e-10)
    np.testing.assert_allclose(out.minus_di[:, 0], talib.MINUS_DI(high, low, close, window), rtol=1e-10)


def test_adx_with_a_window_of_one_is_in_percent_where_talib_gives_fractions() -> None:
    talib = pytest.importorskip("talib")
    block = walk_bars(60, gaps=0)
    _, high, low, close, _ = block[:, :, 0]
    out = adx(block, 1)
    np.testing.assert_allclose(out.plus_di[:, 0], 100 * talib.PLUS_DI(high, low, close, 1), rtol=1e-10)
    moved = (out.plus_di + out.minus_di)[1:, 0] > 0  # one direction at a time, so all of the movement, or none
    np.testing.assert_array_equal(out.adx[1:, 0], np.where(moved, 100.0, 0.0))


def test_adx_equals_talib_where_nothing_moves() -> None:
    """A flat price has no direction: 0, not an undefined number; so do bars inside the first one."""
    talib = pytest.importorskip("talib")
    flat = np.full((5, 40, 1), 50.0)
    inside = walk_bars(40, gaps=0)
    inside[1:4] = np.array([60.0, 40.0, 50.0])[:, None, None]
    for block in (flat, inside):
        _, high, low, close, _ = block[:, :, 0]
        for ours, theirs in zip(adx(block, 4), (talib.ADX, talib.PLUS_DI, talib.MINUS_DI), strict=True):
            np.testing.assert_array_equal(ours[:, 0], theirs(high, low, close, 4))
    assert set(adx(flat, 4).adx[7:, 0].tolist()) == {0.0}


def test_adx_says_nothing_of_movements_whose_last_digits_are_gone() -> None:
    """A flat price keeps the indicators; when the sums are no numbers any more, about a thousand bars later, they are 0."""
    block = np.full((5, 1100, 1), 50.0)
    block[:4, 3] = [[52.0], [53.0], [49.5], [51.0]]
    out = np.array(adx(block, 2))[:, 3:]
    assert (out >= 0).all() and (out <= 100).all()
    assert (out[1, 20:900] > 40).all() and (out[1:, -1] == 0).all()
    assert out[1, 900] == pytest.approx(out[1, 20], rel=1e-10)


def test_adx_by_hand() -> None:
    """Window 2: ups 2 and 0, downs 0 and 1, true ranges 3, 2 and 4; the sums lose half a bar."""
    rows = [(10.0, 8.0, 9.0), (12.0, 9.0, 11.0), (11.0, 8.0, 10.0), (NAN, NAN, NAN), (14.0, 10.0, 13.0)]
    out = np.array(adx(bars_of(rows), 2))[:, :, 0]
    # plus 2 -> 1 -> 0.5 + 3, minus 0 -> 1 -> 0.5, reach 3 -> 1.5 + 3 -> 2.25 + 4
    np.testing.assert_allclose(out[1], [NAN, NAN, 100 * 1 / 4.5, NAN, 100 * 3.5 / 6.25], rtol=1e-14)
    np.testing.assert_allclose(out[2], [NAN, NAN, 100 * 1 / 4.5, NAN, 100 * 0.5 / 6.25], rtol=1e-14)
    np.testing.assert_allclose(out[0], [NAN, NAN, NAN, NAN, (0 + 75) / 2], rtol=1e-14)


@pytest.mark.parametrize("window", [2, 5, 25, 60])
def test_aroon_equals_talib(window: int) -> None:
    """On a coarse grid, where equal highs and lows are common."""
    talib = pytest.importorskip("talib")
    block = np.round(walk_bars(400, gaps=0))
    _, high, low, _, _ = block[:, :, 0]
    down, up = talib.AROON(high, low, window)
    out = aroon(block, window)
    np.testing.assert_allclose(out.up[:, 0], up, rtol=1e-10)
    np.testing.assert_allclose(out.down[:, 0], down, rtol=1e-10)
    np.testing.assert_allclose(out.oscillator[:, 0], talib.AROONOSC(high, low, window), rtol=1e-10)


def test_aroon_by_hand() -> None:
    rows = [(5.0, 4.0, 4.0), (7.0, 3.0, 4.0), (NAN, NAN, NAN), (6.0, 4.0, 4.0), (7.0, 4.0, 4.0), (6.0, 5.0, 5.0)]
    out = np.array(aroon(bars_of(rows), 2))[:, :, 0]
    np.testing.assert_array_equal(out[0], [NAN, NAN, NAN, 50, 100, 50])  # the latest of the two highs at 7
    np.testing.assert_array_equal(out[1], [NAN, NAN, NAN, 50, 0, 50])  # 3 was two bars ago; then 4 twice, one bar ago
    np.testing.assert_array_equal(out[2], [NAN, NAN, NAN, 0, 100, 0])


def test_ichimoku_equals_talipp() -> None:
    """Its `span_b` is one bar older than its `span_a`: both are drawn `base` bars later here."""
    indicators = pytest.importorskip("talipp.indicators")
    ohlcv = pytest.importorskip("talipp.ohlcv")
    block = walk_bars(150, gaps=0)
    theirs = list(indicators.Ichimoku(26, 9, 26, 52, 26, [ohlcv.OHLCV(*row) for row in rows_of(block)]))
    out = np.array(ichimoku(block))[:, :, 0]
    names = ("conversion_line", "base_line", "cloud_leading_fast_line", "cloud_leading_slow_line")
    expected = np.array([[NAN if v is None or getattr(v, name) is None else getattr(v, name) for v in theirs] for name in names])
    np.testing.assert_allclose(out[:3], expected[:3], rtol=1e-14)
    np.testing.assert_allclose(out[3, :-1], expected[3, 1:], rtol=1e-14)


def test_ichimoku_by_hand() -> None:
    """Windows 1, 2 and 3: at bar 4 the spans of bar 2, at bar 5 those of bar 3, counted in present bars."""
    rows = [(4.0, 2.0, 3.0), (6.0, 4.0, 5.0), (10.0, 6.0, 8.0), (NAN, NAN, NAN), (12.0, 9.0, 9.0), (8.0, 4.0, 5.0)]
    out = np.array(ichimoku(bars_of(rows), 1, 2, 3))[:, :, 0]
    np.testing.assert_array_equal(out[0], [3, 5, 8, NAN, 10.5, 6])
    np.testing.assert_array_equal(out[1], [NAN, 4, 7, NAN, 9, 8])
    np.testing.assert_array_equal(out[2], [NAN, NAN, NAN, NAN, 4.5, 7.5])  # (5 + 4)/2 of the second bar, (8 + 7)/2 of the third
    np.testing.assert_array_equal(out[3], [NAN, NAN, NAN, NAN, NAN, 6])  # the middle of 10 and 2


def test_ichimoku_at_a_bar_says_nothing_of_later_bars_and_has_no_lagging_line() -> None:
    block = walk_bars(120, gaps=0)
    other = block.copy()
    other[:, 100:] *= 3.0
    for before, after in zip(ichimoku(block), ichimoku(other), strict=True):
        np.testing.assert_array_equal(before[:100], after[:100])
    out, changed = ichimoku(block), ichimoku(other)
    for span in ("span_a", "span_b"):  # the cloud of the next 26 bars is known already
        np.testing.assert_array_equal(getattr(out, span)[:126], getattr(changed, span)[:126])
    assert out._fields == ("conversion", "base", "span_a", "span_b")


def test_a_flat_price_says_so() -> None:
    flat = np.full((5, 40, 1), 0.1)
    out = aroon(flat, 5)
    assert set(out.up[5:, 0]) == set(out.down[5:, 0]) == {100.0} and set(out.oscillator[5:, 0]) == {0.0}
    assert all(set(line[20:, 0].tolist()) == {0.1} for line in ichimoku(flat, 2, 3, 8))


@LONG
def test_a_million_bars_at_a_high_price_leave_no_error_in_the_adx() -> None:
    """At 1e9, moves of about 30; the running sums forget, so the last 3,000 bars say it exactly."""
    block = np.round(walk_bars(1_000_000, seed=9, gaps=0, level=1e9, sigma=3e-8))
    window, rows = 14, prices_of(np.ascontiguousarray(block[:, -3000:]))
    keep = 1 - 1 / window
    weights = [keep**age for age in range(1400)]
    plus, minus, reach = [], [], []
    for (h0, l0, c0), (h, low, _) in pairwise(rows):
        up, down = h - h0, l0 - low
        plus.append(up if up > max(down, 0) else 0.0)
        minus.append(down if down > max(up, 0) else 0.0)
        reach.append(max(h, c0) - min(low, c0))
    sums = [[math.fsum(map(float.__mul__, weights, part[t::-1])) for t in range(1400, len(part))] for part in (plus, minus, reach)]
    p, m, whole = (np.array(part) for part in sums)
    out = adx(block, window)
    count = len(p)
    np.testing.assert_allclose(out.plus_di[-count:, 0], 100 * p / whole, rtol=1e-9)
    np.testing.assert_allclose(out.minus_di[-count:, 0], 100 * m / whole, rtol=1e-9)
    index = 100 * abs(p - m) / (p + m)
    average = [math.fsum(map(float.__mul__, weights[:1000], index[t::-1].tolist())) / window for t in range(1000, count)]
    np.testing.assert_allclose(out.adx[-len(average) :, 0], average, rtol=1e-9)


@LONG
def test_a_million_bars_leave_the_extremes_exact() -> None:
    block = walk_bars(1_000_000, seed=9, level=1e9, sigma=1e-4)
    last = np.ascontiguousarray(block[:, -1500:])
    np.testing.assert_array_equal(np.array(aroon(block, 25))[:, -1000:], twin_of(last, naive.aroon, 25)[:, -1000:])
    np.testing.assert_array_equal(np.array(ichimoku(block))[:, -1000:], twin_of(last, naive.ichimoku, 9, 26, 52)[:, -1000:])


def test_parameters_that_may_not_be() -> None:
    block = walk_bars(5)
    for function in (adx, aroon):
        with pytest.raises(ConfigError, match=rf"{function.__name__}\.window is 0"):
            function(block, 0)
    with pytest.raises(ConfigError, match="expected conversion < base"):
        ichimoku(block, 26, 26, 52)
    with pytest.raises(ConfigError, match="expected base < span"):
        ichimoku(block, 9, 52, 26)


def test_warmups_are_the_bars_before_every_output_has_a_value() -> None:
    block = walk_bars(200, gaps=0)
    for name, parameters in (("adx", (5,)), ("aroon", (7,)), ("ichimoku", (3, 5, 9)), ("supertrend", (6, 2.0)), ("parabolic_sar", ())):
        kernel = vb.indicators.find(name)
        first = kernel.warmup(*kernel.bind(parameters))
        out = np.atleast_3d(np.array(kernel.function(block, *parameters)).reshape(-1, 200))[:, :, 0]
        assert np.isnan(out[:, first - 1]).any() and not np.isnan(out[:, first:]).any(), name
