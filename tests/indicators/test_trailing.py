"""Supertrend and parabolic SAR: slow twins, TA-Lib and talipp, hand-worked bars, edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.indicators.range_bars import bars_of, prices_of, rows_of, walk_bars
from tests.indicators.test_trend import ROWS, twin_of
from tests.naive import indicators_trend as naive
from vecbt.core.jit import ENGINE
from vecbt.errors import ConfigError
from vecbt.indicators import atr, parabolic_sar, supertrend

pytestmark = pytest.mark.interpreted

LONG = pytest.mark.skipif(ENGINE == "python", reason="a million bars need compiled kernels")
NAN = math.nan


@pytest.mark.parametrize("window", [1, 2, 10, 30])
@pytest.mark.parametrize("multiplier", [0.0, 0.5, 3.0])
def test_supertrend_equals_the_slow_twin(window: int, multiplier: float) -> None:
    block = walk_bars(250, 3)
    np.testing.assert_allclose(
        np.array(supertrend(block, window, multiplier)), twin_of(block, naive.supertrend, window, multiplier), rtol=1e-10
    )


@pytest.mark.parametrize(("step", "maximum"), [(0.02, 0.2), (0.1, 0.25), (0.0, 0.0), (0.3, 0.1), (1.0, 1.0)])
def test_sar_equals_the_slow_twin(step: float, maximum: float) -> None:
    block = walk_bars(250, 3)
    expected = np.array([naive.parabolic_sar(prices_of(block, n), step, maximum) for n in range(3)]).T
    np.testing.assert_array_equal(parabolic_sar(block, step, maximum), expected)


@given(rows=ROWS, window=st.integers(1, 4), multiplier=st.sampled_from([0.0, 0.5, 1.0]), step=st.sampled_from([0.02, 0.25]))
def test_equals_the_slow_twin_on_any_bars(rows: list[tuple[float, ...]], window: int, multiplier: float, step: float) -> None:
    """Closes exactly on a band, lows exactly on a stop."""
    block = bars_of(rows)
    np.testing.assert_array_equal(np.array(supertrend(block, window, multiplier)), twin_of(block, naive.supertrend, window, multiplier))
    np.testing.assert_array_equal(parabolic_sar(block, step, 0.5)[:, 0], naive.parabolic_sar(prices_of(block), step, 0.5))


@pytest.mark.parametrize(("step", "maximum"), [(0.02, 0.2), (0.1, 0.25), (0.3, 0.1)])
@pytest.mark.parametrize("seed", range(6))
def test_sar_equals_talib(step: float, maximum: float, seed: int) -> None:
    """On a coarse grid too: stops that are touched exactly, and first bars of all kinds."""
    talib = pytest.importorskip("talib")
    block = walk_bars(300, gaps=0, seed=seed)
    for prices in (block, np.round(block), np.round(block / 8)):
        _, high, low, _, _ = prices[:, :, 0]
        np.testing.assert_allclose(parabolic_sar(prices, step, maximum)[:, 0], talib.SAR(high, low, step, maximum), rtol=1e-10)


def test_supertrend_equals_talipp_after_its_first_turns() -> None:
    """It begins with bands of 0 where ours begin with the first ones, so the first trends may differ."""
    indicators = pytest.importorskip("talipp.indicators")
    ohlcv = pytest.importorskip("talipp.ohlcv")
    block = walk_bars(600, gaps=0)
    theirs = list(indicators.SuperTrend(10, 2, [ohlcv.OHLCV(*row) for row in rows_of(block)]))
    line, direction = (part[:, 0] for part in supertrend(block, 10, 2.0))
    assert (np.diff(direction[20:150]) != 0).sum() >= 2
    np.testing.assert_allclose(line[150:], [v.value for v in theirs[150:]], rtol=1e-10)
    assert [int(d) for d in direction[150:]] == [1 if "UP" in str(v.trend).upper() else -1 for v in theirs[150:]]


def test_supertrend_by_hand() -> None:
    """Window 1, multiplier 1: the ATR is the true range."""
    rows = [(11.0, 9.0, 10.0), (12.0, 10.0, 11.0), (16.0, 12.0, 16.0), (NAN, NAN, NAN), (17.0, 15.0, 16.0), (9.0, 8.0, 8.0)]
    out = np.array(supertrend(bars_of(rows), 1, 1.0))[:, :, 0]
    # upper bands 12, 13, 19, 18, 16.5 and lower ones 8, 9, 9, 14, 0.5: the upper stays at 12 until the close of 16 is above it,
    # then the lower is the line: 9, 14, until the close of 8 is below 14
    np.testing.assert_array_equal(out[0], [12, 12, 9, NAN, 14, 16.5])
    np.testing.assert_array_equal(out[1], [-1, -1, 1, NAN, 1, -1])


def test_sar_by_hand() -> None:
    """Step 0.5 up to 1: the stop is half way to the extreme, then at it, but never in the range of the last two bars."""
    rows = [(10.0, 8.0, 9.0), (12.0, 9.0, 11.0), (16.0, 12.0, 16.0), (NAN, NAN, NAN), (17.0, 14.0, 15.0), (13.0, 11.0, 12.0)]
    out = parabolic_sar(bars_of(rows), 0.5, 1.0)[:, 0]
    # 8; then 8 + 0.5*(12 - 8) = 10, but no more than the low of 9; then 9 + 1*(16 - 9) = 16, but no more than 9;
    # then 17, but no more than 12; a low of 11 turns, and the stop of that bar is the extreme of 17
    np.testing.assert_array_equal(out, [NAN, 8, 9, NAN, 9, 17])


@pytest.mark.parametrize(
    ("second", "stop"), [((12.0, 9.0), 8.0), ((9.0, 7.0), 10.0), ((12.0, 7.0), 8.0), ((11.0, 7.0), 8.0), ((11.0, 6.0), 10.0)]
)
def test_sar_begins_up_unless_the_low_fell_by_more_than_the_high_rose(second: tuple[float, float], stop: float) -> None:
    """The first bar is 8 to 10. A low at or below the stop of 8 turns an up trend at once, to the highest high."""
    high, low = second
    value = parabolic_sar(bars_of([(10.0, 8.0, 9.0), (high, low, low)]))[1, 0]
    turned = (stop == 8.0 and low <= 8.0) or (stop == 10.0 and high >= 10.0)
    expected = (high if stop == 8.0 else low) if turned else stop
    assert value == expected


def test_a_flat_price_is_its_own_line() -> None:
    flat = np.full((5, 30, 1), 0.1)
    assert set(parabolic_sar(flat)[1:, 0].tolist()) == {0.1}
    out = supertrend(flat, 3)
    assert set(out.line[2:, 0].tolist()) == {0.1} and set(out.direction[2:, 0].tolist()) == {-1.0}


def test_supertrend_bands_are_of_the_atr_itself() -> None:
    """One number, one place: in the first bar the line is the middle and a multiple of `atr`."""
    block = walk_bars(40, 2, gaps=0)
    line = supertrend(block, 7, 2.0).line
    np.testing.assert_array_equal(line[6], 0.5 * (block[1, 6] + block[2, 6]) + 2.0 * atr(block, 7)[6])


@LONG
def test_a_million_bars_at_a_high_price_equal_the_twin() -> None:
    block = np.round(walk_bars(1_000_000, seed=9, level=1e9, sigma=1e-5))
    last = np.ascontiguousarray(block[:, -6000:])  # both have turned, and so forgotten how they began
    expected = twin_of(last, naive.supertrend, 10, 3.0)[:, -1000:]
    np.testing.assert_allclose(np.array(supertrend(block))[:, -1000:], expected, rtol=1e-9)
    np.testing.assert_allclose(parabolic_sar(block)[-1000:, 0], naive.parabolic_sar(prices_of(last), 0.02, 0.2)[-1000:], rtol=1e-9)


def test_parameters_that_may_not_be() -> None:
    block = walk_bars(5)
    with pytest.raises(ConfigError, match=r"supertrend\.window is 0"):
        supertrend(block, 0)
    with pytest.raises(ConfigError, match=r"supertrend\.multiplier is -1.0; expected a number of at least 0"):
        supertrend(block, 10, -1.0)
    for step, maximum in ((-0.1, 0.2), (0.02, 1.5)):
        with pytest.raises(ConfigError, match="expected a number from 0 to 1"):
            parabolic_sar(block, step, maximum)
