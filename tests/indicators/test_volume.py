"""Volume indicators: slow twins, TA-Lib, hand-worked bars, edges, and running totals that lose nothing in a million bars."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.indicators.range_bars import rows_of, walk_bars
from tests.naive import indicators_ranges as naive
from vecbt.core.jit import ENGINE
from vecbt.errors import ConfigError, InputError
from vecbt.indicators import accumulation_distribution, cmf, obv, volume_ratio, volume_zscore
from vecbt.indicators import stream as stream_of

pytestmark = pytest.mark.interpreted

LONG = pytest.mark.skipif(ENGINE == "python", reason="a million bars need compiled kernels")


def test_running_totals_equal_the_slow_twin() -> None:
    block = walk_bars(150, 3)
    block[3] = np.round(block[3])  # equal closes are there
    block[1, 40:44] = block[2, 40:44] = block[3, 40:44]  # bars without a range
    for function, twin in ((obv, naive.obv), (accumulation_distribution, naive.accumulation_distribution)):
        expected = np.array([twin(rows_of(block, n)) for n in range(3)]).T
        np.testing.assert_allclose(function(block), expected, rtol=1e-10, atol=1e-6)


@pytest.mark.parametrize("window", [1, 2, 3, 20, 45, 61])
def test_windows_equal_the_slow_twin(window: int) -> None:
    block = walk_bars(60, 3)
    expected = np.array([naive.cmf(rows_of(block, n), window) for n in range(3)]).T
    np.testing.assert_allclose(cmf(block, window), expected, rtol=1e-10, atol=1e-14)
    expected = np.array([naive.volume_ratio(list(block[4, :, n]), window) for n in range(3)]).T
    np.testing.assert_allclose(volume_ratio(block, window), expected, rtol=1e-10)
    if window > 1:
        expected = np.array([naive.volume_zscore(list(block[4, :, n]), window) for n in range(3)]).T
        np.testing.assert_allclose(volume_zscore(block, window), expected, rtol=1e-10, atol=1e-13)


def test_running_totals_equal_talib() -> None:
    talib = pytest.importorskip("talib")
    block = walk_bars(400, gaps=0)
    block[:4] = np.round(block[:4])
    _, high, low, close, volume = block[:, :, 0]
    np.testing.assert_allclose(obv(block)[:, 0], talib.OBV(close, volume), rtol=1e-10)
    np.testing.assert_allclose(accumulation_distribution(block)[:, 0], talib.AD(high, low, close, volume), rtol=1e-10)


ROWS = st.lists(
    st.one_of(st.just((math.nan, math.nan)), st.tuples(st.integers(1, 3).map(float), st.integers(0, 4).map(float))), min_size=1, max_size=25
)


@given(rows=ROWS, window=st.integers(2, 6))
def test_equals_the_slow_twin_on_any_closes_and_volumes(rows: list[tuple[float, float]], window: int) -> None:
    close, volume = (np.array(part) for part in zip(*rows, strict=True))
    block = np.stack([close, np.where(np.isnan(close), np.nan, 3.0), np.where(np.isnan(close), np.nan, 1.0), close, volume])[:, :, None]
    twins = rows_of(block)
    np.testing.assert_array_equal(obv(block)[:, 0], naive.obv(twins))
    np.testing.assert_allclose(accumulation_distribution(block)[:, 0], naive.accumulation_distribution(twins), atol=1e-12)
    np.testing.assert_allclose(cmf(block, window)[:, 0], naive.cmf(twins, window), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(volume_ratio(block, window)[:, 0], naive.volume_ratio(list(volume), window), rtol=1e-12)
    np.testing.assert_allclose(volume_zscore(block, window)[:, 0], naive.volume_zscore(list(volume), window), rtol=1e-10, atol=1e-12)


def test_by_hand() -> None:
    """Bars from 10 to 14; closes at the high, a quarter up, missing, at the low, equal."""
    close, volume = np.array([14.0, 11.0, math.nan, 10.0, 10.0]), np.array([100.0, 40.0, math.nan, 60.0, 20.0])
    edge = np.where(np.isnan(close), np.nan, 0.0)
    block = np.stack([close, edge + 14, edge + 10, close, volume])[:, :, None]
    np.testing.assert_array_equal(obv(block)[:, 0], [100, 60, math.nan, 0, 0])
    np.testing.assert_array_equal(accumulation_distribution(block)[:, 0], [100, 80, math.nan, 20, 0])
    np.testing.assert_array_equal(cmf(block, 2)[:, 0], [math.nan, 80 / 140, math.nan, -80 / 100, -1.0])
    np.testing.assert_array_equal(volume_ratio(block, 2)[:, 0], [math.nan, 40 / 70, math.nan, 60 / 50, 20 / 40])
    root = math.sqrt(0.5)  # two values are half a difference, and a deviation of difference/sqrt(2), apart from their mean
    np.testing.assert_allclose(volume_zscore(block, 2)[:, 0], [math.nan, -root, math.nan, root, -root], rtol=1e-15)
    assert volume_zscore(block, 3)[3, 0] == pytest.approx((60 - 200 / 3) / math.sqrt((1e4 + 1600 + 3600 - 3 * (200 / 3) ** 2) / 2))


def test_this_bar_is_part_of_its_own_average() -> None:
    block = walk_bars(40, gaps=0)
    assert (volume_ratio(block, 1) == 1.0).all()
    block[4] = 1.0
    block[4, 30] = 1e12
    assert volume_ratio(block, 8)[30, 0] == pytest.approx(8.0, rel=1e-10)
    assert volume_zscore(block, 9)[30, 0] == pytest.approx(8 / 3, rel=1e-10)
    np.testing.assert_array_equal(volume_ratio(block, 8)[38:, 0], [1.0, 1.0])


def test_without_volume_or_without_movement_nothing_is_made_up() -> None:
    block = walk_bars(30, gaps=0)
    block[4] = 0.0
    assert (obv(block) == 0.0).all() and (accumulation_distribution(block) == 0.0).all()
    for function in (cmf, volume_ratio, volume_zscore):
        assert np.isnan(function(block, 5)).all()
    flat = np.full((5, 30, 1), 7.0)
    assert (obv(flat) == 7.0).all() and (accumulation_distribution(flat) == 0.0).all() and (cmf(flat, 5)[4:] == 0.0).all()
    assert (volume_ratio(flat, 5)[4:] == 1.0).all() and np.isnan(volume_zscore(flat, 5)).all()


def test_a_huge_volume_is_forgotten_by_windows_and_kept_whole_by_totals() -> None:
    block = walk_bars(60, gaps=0)
    huge = block.copy()
    huge[4, 10] = 2.0**80
    for function in (cmf, volume_ratio, volume_zscore):
        np.testing.assert_array_equal(function(huge, 6)[18:], function(block, 6)[18:])
    # up by 2**80 and down again: what was there before is still there
    close, volume = np.array([1.0, 2.0, 1.0, 2.0]), np.array([3.0, 2.0**80, 2.0**80, 5.0])
    assert obv(np.stack([close, close, close, close, volume])[:, :, None])[[0, 2, 3], 0].tolist() == [3.0, 3.0, 8.0]


@LONG
@pytest.mark.parametrize("scale", [1.0, 1e9])
def test_a_million_bars_lose_nothing_in_running_totals(scale: float) -> None:
    bars, count = 1_000_000, 1000
    block = walk_bars(bars, seed=4, gaps=0, level=scale, sigma=1e-4)
    block[4] = np.random.default_rng(1).random((bars, 1)) * scale / 7
    _, high, low, close, volume = block[:, :, 0]
    signed = np.r_[volume[:1], volume[1:] * np.sign(np.diff(close))]
    flows = ((close - low) - (high - close)) / (high - low) * volume
    for function, terms in ((obv, signed), (accumulation_distribution, flows)):
        before, last = math.fsum(terms[:-count]), terms[-count:].tolist()
        exact = [math.fsum([before, *last[: k + 1]]) for k in range(count)]
        np.testing.assert_allclose(function(block)[-count:, 0], exact, rtol=1e-12)


@LONG
@pytest.mark.parametrize("level", [0.0, 1e9])
def test_a_million_bars_leave_no_error_in_windows(level: float) -> None:
    """Volumes of `level` and up to a thousand more, in steps of 1/64."""
    bars, window, count = 1_000_000, 20, 1000
    block = walk_bars(bars, seed=6, gaps=0, sigma=1e-4)
    block[4] = level + np.round(np.random.default_rng(2).random((bars, 1)) * 64_000) / 64
    rows = rows_of(block[:, -count - window :])
    volumes = [Fraction(row[4]) for row in rows]
    flows = [(2 * Fraction(c) - Fraction(h) - Fraction(low)) / (Fraction(h) - Fraction(low)) * Fraction(v) for _, h, low, c, v in rows]
    ratio, score, chaikin = [], [], []
    for i in range(window, len(rows)):
        last = volumes[i + 1 - window : i + 1]
        average = sum(last) / window
        ratio.append(float(volumes[i] / average))
        score.append(float(volumes[i] - average) / math.sqrt(sum((v - average) ** 2 for v in last) / (window - 1)))
        chaikin.append(float(sum(flows[i + 1 - window : i + 1]) / sum(last)))
    np.testing.assert_allclose(volume_ratio(block, window)[-count:, 0], ratio, rtol=1e-9)
    np.testing.assert_allclose(volume_zscore(block, window)[-count:, 0], score, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(cmf(block, window)[-count:, 0], chaikin, rtol=1e-9, atol=1e-10)


def test_a_stream_goes_on_with_what_additions_have_lost() -> None:
    close, volume = np.array([1.0, 2.0, 1.0, 2.0]), np.array([0.1, 2.0**60, 2.0**60, 0.2])
    expected = obv(np.stack([close] * 4 + [volume])[:, :, None])[:, 0]
    first, second = stream_of("obv"), stream_of("obv")
    values = [first.update(close[t], volume[t])[0] for t in range(2)]
    second.restore(first.save())
    values += [second.update(close[t], volume[t])[0] for t in range(2, 4)]
    assert values == expected.tolist() and values[2] == 0.1


def test_what_cannot_be_used_is_refused() -> None:
    calls: list[Any] = [obv, accumulation_distribution, lambda b: cmf(b, 3), lambda b: volume_ratio(b, 3), lambda b: volume_zscore(b, 3)]
    for call in calls:
        with pytest.raises(InputError, match="no column"):
            call(pd.DataFrame({"high": [2.0], "low": [1.0], "close": [1.0]}))
    with pytest.raises(ConfigError, match=r"volume_zscore\.window is 1; expected a whole number of at least 2"):
        volume_zscore(walk_bars(5), 1)
    with pytest.raises(ConfigError, match=r"cmf\.window is 0"):
        cmf(walk_bars(5), 0)
