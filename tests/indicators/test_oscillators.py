"""RSI, stochastics, MACD, PPO, rates of change, CCI, MFI, %R, TSI: against slow twins and TA-Lib; at edges; without drift."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.indicators.discovered import batch, of_block
from tests.indicators.walks import bars_of, level_walk
from tests.naive import indicators_moving as naive
from vecbt.core.jit import ENGINE
from vecbt.errors import ConfigError
from vecbt.indicators import cci, ema, find, macd, mfi, momentum, ppo, roc, rsi, sma, stoch_rsi, stochastic, tsi, williams_r

pytestmark = pytest.mark.interpreted

compiled = pytest.mark.skipif(ENGINE == "python", reason="a million bars take minutes uncompiled")

CASES: list[tuple[str, Callable[..., Any], list[tuple[Any, ...]]]] = [
    ("rsi", naive.rsi, [(1,), (2,), (14,), (61,)]),
    ("momentum", naive.momentum, [(1,), (10,), (61,)]),
    ("roc", naive.roc, [(1,), (10,), (61,)]),
    ("tsi", naive.tsi, [(1, 1), (3, 2), (2, 5), (25, 13), (61, 2)]),
    ("macd", naive.macd, [(1, 2, 1), (3, 7, 2), (12, 26, 9), (12, 70, 9)]),
    ("ppo", naive.ppo, [(1, 2, 1), (3, 7, 2), (12, 26, 9), (12, 70, 9)]),
    ("stochastic", naive.stochastic, [(1, 1, 1), (5, 1, 3), (14, 3, 3), (2, 4, 7), (70, 3, 3)]),
    ("stoch_rsi", naive.stoch_rsi, [(1, 1, 1, 1), (3, 5, 2, 4), (14, 14, 3, 3), (14, 70, 3, 3)]),
    ("williams_r", naive.williams_r, [(1,), (2,), (14,), (70,)]),
    ("cci", naive.cci, [(1,), (2,), (20,), (70,)]),
    ("mfi", naive.mfi, [(1,), (2,), (14,), (70,)]),
]
EACH = [(name, twin, parameters) for name, twin, tried in CASES for parameters in tried]


def twins(name: str, twin: Callable[..., Any], rows: list[list[float]], parameters: tuple[Any, ...]) -> list[list[float]]:
    """All outputs of a twin, NaN on missing bars."""
    outputs = max(len(find(name).outputs), 1)
    if outputs == 1:
        return [naive.gapless(lambda *row: twin(*row, *parameters), *rows)]
    return [naive.gapless(lambda *row, k=k: twin(*row, *parameters)[k], *rows) for k in range(outputs)]


@pytest.mark.parametrize(("name", "twin", "parameters"), EACH, ids=lambda v: v if isinstance(v, str) else None)
def test_equals_the_slow_twin(name: str, twin: Callable[..., Any], parameters: tuple[Any, ...]) -> None:
    kernel, bars = find(name), bars_of(62, 3, seed=8)
    out, rows = batch(kernel, bars, parameters), of_block(kernel, bars)
    for n in range(3):
        expected = twins(name, twin, [row[:, n].tolist() for row in rows], parameters)
        np.testing.assert_allclose(out[:, :, n], expected, rtol=1e-9, atol=1e-9)


@given(
    values=st.lists(st.one_of(st.just(math.nan), st.integers(-640, 640).map(lambda v: v / 64)), min_size=1, max_size=30),
    window=st.integers(1, 12),
)
def test_equals_the_slow_twin_on_any_values(values: list[float], window: int) -> None:
    for function, twin in ((rsi, naive.rsi), (momentum, naive.momentum), (roc, naive.roc)):
        expected = naive.gapless(lambda there, twin=twin: twin(there, window), values)
        np.testing.assert_allclose(function(np.array(values), window), expected, rtol=1e-10, atol=1e-10)


def same_where_theirs_is(ours: Any, theirs: Any, rtol: float = 1e-10, atol: float = 1e-10) -> None:
    there = ~np.isnan(theirs)
    assert there.sum() > 50
    np.testing.assert_allclose(np.asarray(ours)[there], theirs[there], rtol=rtol, atol=atol)


@pytest.mark.parametrize("window", [2, 5, 14, 30])
def test_one_output_equals_talib_warm_up_included(window: int) -> None:
    talib = pytest.importorskip("talib")
    bars = bars_of(300, 1, gaps=0)[:5]
    _, high, low, close, volume = bars[:, :, 0]
    for ours, theirs in (
        (rsi(close, window), talib.RSI(close, window)),
        (roc(close, window), talib.ROC(close, window)),
        (momentum(close, window), talib.MOM(close, window)),
        (cci(bars, window)[:, 0], talib.CCI(high, low, close, window)),
        (williams_r(bars, window)[:, 0], talib.WILLR(high, low, close, window)),
        (mfi(bars, window)[:, 0], talib.MFI(high, low, close, volume, window)),
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("fast", "slow", "signal"), [(12, 26, 9), (3, 10, 2), (5, 6, 4)])
def test_macd_and_ppo_equal_talib_and_begin_with_the_line(fast: int, slow: int, signal: int) -> None:
    talib = pytest.importorskip("talib")
    close = bars_of(300, 1, gaps=0)[3, :, 0]
    out = macd(close, fast, slow, signal)
    theirs = talib.MACD(close, fast, slow, signal)
    for ours, their in zip(out, theirs, strict=True):
        same_where_theirs_is(ours, their)
    assert np.isnan(theirs[0]).sum() == slow + signal - 2 and np.isnan(out.macd).sum() == slow - 1
    assert np.isnan(out.signal).sum() == np.isnan(out.histogram).sum() == slow + signal - 2
    line = ppo(close, fast, slow, signal).ppo
    np.testing.assert_allclose(line, talib.PPO(close, fast, slow, 1), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(line, 100 * (ema(close, fast) - ema(close, slow)) / ema(close, slow), rtol=1e-10, atol=1e-10)


def test_macd_seeds_both_averages_at_the_same_bar() -> None:
    values = np.array([9.0, 1.0, 2.0, 3.0, 5.0])
    assert macd(values, 2, 4, 1).macd[3:].tolist() == [2.5 - 3.75, pytest.approx((2.5 + 2 / 3 * 2.5) - (3.75 + 0.4 * 1.25), rel=1e-14)]
    assert ppo(values, 2, 4, 1).ppo[3] == pytest.approx(100 * (ema(values, 2)[3] - 3.75) / 3.75, rel=1e-14)


@pytest.mark.parametrize(("window", "smooth", "signal"), [(14, 3, 3), (5, 1, 3), (3, 4, 2)])
def test_stochastics_equal_talib(window: int, smooth: int, signal: int) -> None:
    talib = pytest.importorskip("talib")
    bars = bars_of(300, 1, gaps=0)[:5]
    _, high, low, close, _ = bars[:, :, 0]
    out = stochastic(bars, window, smooth, signal)
    for ours, theirs in zip(out, talib.STOCH(high, low, close, window, smooth, 0, signal, 0), strict=True):
        same_where_theirs_is(ours[:, 0], theirs)
    assert np.isnan(out.k).sum() == window + smooth - 2 and np.isnan(out.d).sum() == window + smooth + signal - 3
    of_rsi = stoch_rsi(close, window, 9, 1, signal)
    for ours, theirs in zip(of_rsi, talib.STOCHRSI(close, window, 9, signal, 0), strict=True):
        same_where_theirs_is(ours, theirs, atol=1e-9)
    assert np.isnan(of_rsi.k).sum() == window + 8


def test_tsi_equals_talipp() -> None:
    """talipp has it as a fraction, and begins its averages elsewhere: after a while nothing is left of that."""
    talipp = pytest.importorskip("talipp.indicators")
    close = bars_of(900, 1, gaps=0)[3, :, 0]
    theirs = np.array([math.nan if v is None else v for v in talipp.TSI(5, 12, list(close))])
    np.testing.assert_allclose(tsi(close, 12, 5)[600:], theirs[600:], rtol=1e-9)


def test_by_hand() -> None:
    values = np.array([10.0, 12.0, 11.0, 11.0, 14.0])
    np.testing.assert_allclose(rsi(values, 2)[2:], [100 * 1 / 1.5, 100 * 0.5 / 0.75, 100 * 1.75 / 1.875], rtol=1e-14)
    assert momentum(values, 2)[2:].tolist() == [1.0, -1.0, 3.0]
    np.testing.assert_allclose(roc(values, 2)[2:], [10.0, -100 / 12, 300 / 11], rtol=1e-14)
    np.testing.assert_allclose(tsi(values, 1, 2)[2:], [100 / 3, 100 * (1 / 6) / (1 / 2), 100 * (37 / 18) / (13 / 6)], rtol=1e-14)
    bars = np.array([[8, 10, 8, 9, 1], [9, 12, 9, 12, 1], [11, 11, 6, 7, 2]], dtype=float).T[:, :, None]
    assert williams_r(bars, 2)[1:, 0].tolist() == [0.0, pytest.approx(-100 * 5 / 6, rel=1e-14)]
    out = stochastic(bars, 2, 1, 2)
    np.testing.assert_allclose(out.k[1:, 0], [100.0, 100 / 6], rtol=1e-14)
    np.testing.assert_allclose(out.d[2, 0], (100 + 100 / 6) / 2, rtol=1e-14)
    np.testing.assert_allclose(mfi(bars, 2)[2, 0], 100 * 11 / (11 + 16), rtol=1e-14)
    np.testing.assert_allclose(cci(bars, 3)[2, 0], -80.0, rtol=1e-14)  # typical prices 9, 11, 8: mean 28/3, deviation 10/9


def test_cci_deviation_by_hand() -> None:
    """Typical prices 9, 12, 9: mean 10, deviation 4/3."""
    bars = np.array([[9, 9, 9, 9, 1], [12, 13, 11, 12, 1], [9, 10, 8, 9, 1]], dtype=float).T[:, :, None]
    assert cci(bars, 3)[2, 0] == pytest.approx(-1 / (0.015 * 4 / 3), rel=1e-14)


@pytest.mark.parametrize("price", [0.1, 1 / 3, 87.23, 1e9 + 1 / 3])
def test_a_flat_market_gives_nothing_where_nothing_is_defined(price: float) -> None:
    """Where TA-Lib has 0, which would say something: no RSI of what never moved, no place in a range that is none."""
    prices = np.full(80, price)
    bars = np.stack([*[prices] * 4, np.full(80, 5.0)])[:, :, None]
    for out in (rsi(prices, 5), tsi(prices, 5, 3), *stoch_rsi(prices), *stochastic(bars), williams_r(bars), cci(bars), mfi(bars)):
        assert np.isnan(out).all()
    for out in (roc(prices, 5)[5:], momentum(prices, 5)[5:], *(part[40:] for part in (*macd(prices), *ppo(prices)))):
        assert set(out.tolist()) == {0.0}
    ranges = np.stack([prices, prices * 1.01, prices * 0.97, prices, np.full(80, 5.0)])[:, :, None]
    assert np.isnan(cci(ranges)).all() and np.isnan(mfi(ranges)).all()
    out = stochastic(ranges)
    assert len(set(out.k[20:, 0])) == len(set(out.d[20:, 0])) == 1 and out.k[20, 0] == pytest.approx(75.0, rel=1e-6)


def test_a_bar_without_a_place_enters_no_mean_of_places() -> None:
    """A stretch of equal bars has no %K, and %K goes on with the places before it, like `sma` over missing values."""
    bars = bars_of(60, 1, gaps=0)[:5]
    bars[:4, 20:30] = 50.0
    raw = stochastic(bars, 4, 1, 1).k
    assert np.isnan(raw[23:30]).all() and not np.isnan(raw[30:]).any()
    smoothed = stochastic(bars, 4, 3, 2)
    np.testing.assert_array_equal(smoothed.k, sma(raw, 3))
    np.testing.assert_array_equal(smoothed.d, sma(smoothed.k, 2))


def test_only_rises_are_100_and_only_falls_0() -> None:
    up = np.arange(1.0, 40.0)
    assert set(rsi(up)[14:].tolist()) == {100.0} and set(rsi(-up)[14:].tolist()) == {0.0}
    assert set(tsi(up, 5, 3)[7:].tolist()) == {100.0} and set(tsi(-up, 5, 3)[7:].tolist()) == {-100.0}
    bars = np.stack([up, up, up, up, up])[:, :, None]
    assert set(mfi(bars)[14:, 0].tolist()) == set(stochastic(bars).d[18:, 0].tolist()) == {100.0}
    assert set(williams_r(bars)[13:, 0].tolist()) == {0.0}


def test_zero_is_no_base_and_no_volume_no_flow() -> None:
    values = np.array([0.0, 1.0, 2.0, 0.0, 3.0])
    assert np.isnan(roc(values, 1)[[0, 1, 4]]).all() and roc(values, 1)[2:4].tolist() == [100.0, -100.0]
    out = ppo(np.array([-1.0, 1.0, -1.0, 1.0, 4.0]), 1, 2, 1)
    assert np.isnan(out.ppo[1]) and np.isnan(out.signal[1]) and not np.isnan(out.signal[2:]).any()
    bars = bars_of(30, 1, gaps=0)[:5]
    bars[4, 10:] = 0.0
    assert np.isnan(mfi(bars, 5)[14:]).all() and not np.isnan(mfi(bars, 5)[5:14]).any()


def test_a_window_of_one() -> None:
    bars = bars_of(20, 1, gaps=0)[:5]
    close = bars[3, :, 0]
    np.testing.assert_array_equal(rsi(close, 1)[1:], np.where(np.diff(close) > 0, 100.0, 0.0))
    np.testing.assert_allclose(williams_r(bars, 1)[:, 0], -100 * (bars[1] - bars[3])[:, 0] / (bars[1] - bars[2])[:, 0], rtol=1e-9)
    assert np.isnan(cci(bars, 1)).all()


def test_a_fast_average_is_faster_than_the_slow_one() -> None:
    for function in (macd, ppo):
        with pytest.raises(ConfigError, match="expected fast < slow"):
            function(np.ones(5), 26, 12)


@compiled
def test_windows_do_not_drift_in_a_million_bars_at_a_high_level_of_prices() -> None:
    """The last values against exact arithmetic on the same bars; price steps are quarters at a level of a thousand million."""
    count, window = 1_000_000, 14
    bars = level_walk(count)
    _, high, low, close, volume, _ = bars[:, -1_100:, 0]
    money, out = mfi(bars[:5], window)[-1_100:, 0], stochastic(bars[:5], window)
    channel, percent = cci(bars[:5], 20)[-1_100:, 0], williams_r(bars[:5], window)[-1_100:, 0]
    change, strength = roc(bars[3, :, 0], 10)[-1_100:], stoch_rsi(bars[3, :, 0])
    typical = [Fraction(p) for p in ((high + low + close) / 3).tolist()]
    exact = [tuple(Fraction(v) for v in bar) for bar in zip(high.tolist(), low.tolist(), close.tolist(), volume.tolist(), strict=True)]

    def place(t: int) -> Fraction:
        lowest, highest = min(bar[1] for bar in exact[t - 13 : t + 1]), max(bar[0] for bar in exact[t - 13 : t + 1])
        return (exact[t][2] - lowest) / (highest - lowest)

    def k(t: int) -> Fraction:
        return (place(t) + place(t - 1) + place(t - 2)) / 3

    for t in range(100, 1_100, 41):
        flows = [(typical[i] - typical[i - 1], typical[i] * exact[i][3]) for i in range(t - 13, t + 1)]
        rising, falling = sum(flow for move, flow in flows if move > 0), sum(flow for move, flow in flows if move < 0)
        assert money[t] == pytest.approx(float(100 * rising / (rising + falling)), rel=1e-9)
        assert out.k[t - 1_100, 0] == pytest.approx(float(100 * k(t)), rel=1e-9)
        assert out.d[t - 1_100, 0] == pytest.approx(float(100 * (k(t) + k(t - 1) + k(t - 2)) / 3), rel=1e-9)
        assert percent[t] == pytest.approx(float(100 * (place(t) - 1)), rel=1e-9, abs=1e-9)
        middles = [sum(bar[:3]) / 3 for bar in exact[t - 19 : t + 1]]
        mean = sum(middles) / 20
        assert channel[t] == pytest.approx(
            float((middles[-1] - mean) / (sum(abs(m - mean) for m in middles) / 20) / Fraction(15, 1000)), rel=1e-9
        )
        assert change[t] == pytest.approx(float(100 * (exact[t][2] - exact[t - 10][2]) / exact[t - 10][2]), rel=1e-9)
    last = sma(stoch_rsi(bars[3, -20_000:, 0], smooth=1).k, 3)  # forgets its beginning
    np.testing.assert_allclose(strength.k[-1_000:], last[-1_000:], rtol=1e-9, atol=1e-9)


@compiled
def test_extremes_are_those_of_the_window_whatever_its_length() -> None:
    bars = bars_of(20_000, 1, gaps=0)[:5]
    for window in (2, 3, 97, 5_000):
        out = williams_r(bars, window)[window - 1 :, 0]
        highs, lows = (np.lib.stride_tricks.sliding_window_view(bars[field, :, 0], window) for field in (1, 2))
        top, bottom = highs.max(axis=1), lows.min(axis=1)
        np.testing.assert_allclose(out, -100 * (top - bars[3, window - 1 :, 0]) / (top - bottom), rtol=1e-9, atol=1e-9)
