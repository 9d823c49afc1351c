"""True range, ATR and sigma: against the slow twin and TA-Lib, missing bars, batch = stream to the last bit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from tests.naive import indicators as naive
from vecbt.errors import ConfigError, InputError, StateError
from vecbt.indicators import stream as stream_of
from vecbt.indicators.volatility import atr, close_sigma, true_range

pytestmark = pytest.mark.interpreted


def block(bars: int, assets: int, seed: int = 5, gaps: float = 0.1) -> np.ndarray:
    """Random bars (5, T, N) with missing ones."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, (bars, assets)), axis=0))
    open_ = close * np.exp(rng.normal(0, 0.02, close.shape))
    high = np.maximum(open_, close) * (1 + rng.random(close.shape) / 50)
    low = np.minimum(open_, close) * (1 - rng.random(close.shape) / 50)
    out = np.stack([open_, high, low, close, np.ones_like(close)])
    out[:, rng.random(close.shape) < gaps] = np.nan
    return out


def carried(values: list[float]) -> list[float]:
    """Missing values replaced by the last one before them."""
    out: list[float] = []
    for value in values:
        out.append(out[-1] if out and np.isnan(value) else value)
    return out


@pytest.mark.parametrize("window", [1, 2, 5, 14, 70])
def test_equals_the_slow_twin(window: int) -> None:
    bars = block(60, 3)
    open_, high, low, close, _ = bars
    columns = [[list(field[:, n]) for field in (open_, high, low, close)] for n in range(3)]
    slow = np.array([naive.atr(h, low_, c, window) for _, h, low_, c in columns]).T
    np.testing.assert_allclose(atr(bars, window), slow, rtol=1e-12)
    slow = np.array([naive.close_sigma(o, c, window) for o, _, _, c in columns]).T
    np.testing.assert_allclose(close_sigma(bars, window), slow, rtol=1e-12)
    slow = np.array([carried(naive.true_ranges(h, low_, c)) for _, h, low_, c in columns]).T
    np.testing.assert_array_equal(true_range(bars), slow)


@pytest.mark.parametrize("window", [2, 14])
def test_equals_talib(window: int) -> None:
    """TA-Lib leaves the first bar out; a flat bar inside the range of our first makes it count `h - l` there too."""
    talib = pytest.importorskip("talib")
    _, high, low, close, _ = block(200, 1, gaps=0)[:, :, 0]
    middle = (high[0] + low[0]) / 2
    theirs = talib.ATR(np.r_[middle, high], np.r_[middle, low], np.r_[middle, close], window)[1:]
    np.testing.assert_allclose(atr(block(200, 1, gaps=0), window)[:, 0], theirs, rtol=1e-12)


def test_missing_bars_carry_the_last_value_and_enter_nothing() -> None:
    bars = block(40, 1)
    present = ~np.isnan(bars[3, :, 0])
    for indicator in (lambda b: atr(b, 4), lambda b: close_sigma(b, 4)):
        out = indicator(bars)[:, 0]
        np.testing.assert_array_equal(out[present], indicator(bars[:, present])[:, 0])
        np.testing.assert_array_equal(out, carried(list(np.where(present, out, np.nan))))


def test_by_hand() -> None:
    """The first bar counts `h - l`, and `c/o - 1` for the sigma of F1."""
    bars = np.array([[10, 12, 9, 11, 1], [13, 14, 13, 14, 1], [8, 9, 7, 8, 1], [8, 10, 8, 9, 1]], dtype=float).T[:, :, None]
    assert true_range(bars)[:, 0].tolist() == [3, 3, 7, 2]  # a gap up over the close of 11, one down over that of 14
    assert atr(bars, 2)[1:, 0].tolist() == [3, 5, 3.5]
    expected = [0.1, np.sqrt((0.1**2 + (3 / 11) ** 2) / 2), np.sqrt(((3 / 11) ** 2 + (6 / 14) ** 2) / 2)]
    np.testing.assert_allclose(close_sigma(bars, 2)[:3, 0], expected, rtol=1e-14)


def test_edges() -> None:
    bars = block(10, 2)
    bars[:, :, 1] = np.nan
    assert np.isnan(atr(bars, 3)[:, 1]).all() and np.isnan(close_sigma(bars, 3)[:, 1]).all()
    assert np.isnan(atr(bars, 11)).all()
    assert atr(np.empty((5, 0, 2)), 3).shape == close_sigma(np.empty((5, 0, 2)), 3).shape == (0, 2)
    flat = np.full((5, 6, 1), 0.1)
    assert set(atr(flat, 3)[2:, 0]) == {0.0} == set(close_sigma(flat, 3)[:, 0])
    zero = np.array([0.0, 0.0, 2.0, 4.0])
    assert close_sigma(np.broadcast_to(zero[None, :, None], (5, 4, 1)), 3)[2:, 0].tolist() == pytest.approx([np.nan, 1.0], nan_ok=True)


def test_a_frame_gives_a_series() -> None:
    bars = block(20, 1)
    names = ["Open", "High", "Low", "Close", "Volume"]
    frame = pd.DataFrame(bars[:, :, 0].T, columns=names, index=pd.date_range("2024-01-01", periods=20))
    np.testing.assert_array_equal(atr(frame, 3), atr(bars, 3)[:, 0])
    assert atr(frame, 3).index.equals(frame.index) and atr(frame, 3).name == "atr"
    table = pl.DataFrame({name: bars[i, :, 0] for i, name in enumerate(names)})
    np.testing.assert_array_equal(close_sigma(table, 3).to_numpy(), close_sigma(bars, 3)[:, 0])
    assert close_sigma(table, 3).name == "close_sigma"


def test_what_cannot_be_used_is_refused() -> None:
    with pytest.raises(InputError, match="expected Bars, a block"):
        atr(np.ones((3, 2)), 2)
    with pytest.raises(InputError, match="no column 'high'"):
        atr(pd.DataFrame({"close": [1.0]}), 2)
    with pytest.raises(InputError, match="infinite"):
        atr(np.full((5, 2, 1), np.inf), 2)
    for window in (0, 1.5, None):
        with pytest.raises(ConfigError, match="window"):
            atr(block(3, 1), window)
        with pytest.raises(ConfigError, match="window"):
            close_sigma(block(3, 1), window)
    with pytest.raises(StateError, match=r"parameters \[3.0\]; expected \[4.0\]"):
        stream_of("atr", 4).restore(stream_of("atr", 3).save())
