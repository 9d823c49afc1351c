"""Seeded prices: valid, repeatable, with the truth they claim."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.tables import DAY
from vecbt.data import Bars, synthetic
from vecbt.errors import ConfigError

GENERATORS: list[Callable[..., Bars]] = [synthetic.gbm, synthetic.garch_jumps, synthetic.trend, synthetic.sine]


@pytest.mark.parametrize("make", GENERATORS)
@given(T=st.integers(1, 60), N=st.integers(1, 3), grid=st.sampled_from((None, 1 / 64, 0.25)))
def test_b1_all_bars_pass_the_door(make: Callable[..., Bars], T: int, N: int, grid: float | None) -> None:
    bars = make(T, N, grid=grid)
    assert bars.shape == (T, N)
    again = Bars.from_numpy(*bars.block, index=bars.index, market=bars.market, symbols=bars.symbols, missing="no_market")
    assert again == bars
    if grid is not None:
        assert np.array_equal(bars.block[:4] / grid, np.rint(bars.block[:4] / grid))


@pytest.mark.parametrize("make", GENERATORS[:2])
def test_the_seed_is_all_there_is(make: Callable[..., Bars]) -> None:
    assert make(100, 2, 5) == make(100, 2, 5)
    assert make(100, 2, 5) != make(100, 2, 6)


def test_gbm_has_its_drift_and_volatility() -> None:
    bars = synthetic.gbm(20_000, 4, 1, drift=0.1, volatility=0.3, correlation=0.5)
    returns = np.diff(np.log(bars.close), axis=0)
    assert returns.std(axis=0) * np.sqrt(252) == pytest.approx(np.full(4, 0.3), rel=0.02)
    assert returns.mean() * 252 == pytest.approx(0.1 - 0.045, abs=0.06)
    corr = np.corrcoef(returns.T)[np.triu_indices(4, 1)]
    assert corr == pytest.approx(np.full(6, 0.5), abs=0.03)
    gaps = np.log(bars.open[1:] / bars.close[:-1])
    assert gaps.var() / returns.var() == pytest.approx(0.2, rel=0.05)


def test_gbm_extremes_follow_the_law_of_the_path() -> None:
    """Parkinson: the mean squared log range is 4*log(2) times the variance inside the bar."""
    bars = synthetic.gbm(40_000, 1, 2, volatility=0.3, gap=0.0)
    squared = np.log(bars.high / bars.low) ** 2
    # high and low are each exact but drawn apart, so their joint law, and this mean, is near, not exact
    assert squared.mean() / (4.0 * np.log(2.0)) == pytest.approx(0.09 / 252, rel=0.1)
    up = np.log(bars.high / bars.open)
    assert (up**2).mean() == pytest.approx(0.09 / 252, rel=0.03)  # the maximum of a path without drift has the law of |end|


def test_garch_clusters_and_jumps() -> None:
    bars = synthetic.garch_jumps(40_000, 1, 3, volatility=0.2, alpha=0.1, beta=0.85, jump_rate=0.0)
    inside = np.log(bars.close / bars.open)[:, 0]
    assert inside.std() * np.sqrt(252) == pytest.approx(0.2, rel=0.1)
    squares = inside**2 - (inside**2).mean()
    assert (squares[1:] * squares[:-1]).mean() / (squares**2).mean() > 0.1
    jumpy = synthetic.garch_jumps(20_000, 1, 3, jump_rate=0.05, jump_scale=0.1)
    gaps = np.log(jumpy.open[1:] / jumpy.close[:-1])
    assert (np.abs(gaps) > 1e-9).mean() == pytest.approx(0.05, abs=0.01)


def test_f8_missing_bars_are_whole() -> None:
    bars = synthetic.garch_jumps(2_000, 3, 4, missing=0.2)
    gaps = np.isnan(bars.block)
    assert np.array_equal(gaps.any(axis=0), gaps.all(axis=0)) and gaps[3].mean() == pytest.approx(0.2, abs=0.03)
    assert not gaps[:, [0, -1]].any() and (bars.delist_bar == -1).all()


def test_trend_and_sine_are_exact() -> None:
    bars = synthetic.trend(50, growth=0.01, price=200.0)
    np.testing.assert_allclose(bars.close[:, 0], 200.0 * 1.01 ** np.arange(1, 51), rtol=1e-14)
    assert np.array_equal(bars.open[1:], bars.close[:-1]) and bars.open[0, 0] == 200.0
    wave = synthetic.sine(100, 2, wave_bars=20, amplitude=0.2)
    t = np.arange(1, 101)[:, None]
    np.testing.assert_allclose(wave.close, 100 * (1 + 0.2 * np.sin(2 * np.pi * (t / 20 + np.array([0.0, 0.5])))), rtol=1e-12)


def test_b3_m1_labels_of_the_generators() -> None:
    """Weekdays, or all days; intraday bars fill the day."""
    daily = synthetic.trend(20)
    assert str(daily.times[5])[:10] == "2000-01-10" and daily.periods_per_year == 252.0
    hourly = synthetic.trend(30, bar_ns=DAY // 24, weekends=True, start="2020-02-28 12:00")
    assert (np.diff(hourly.index) == DAY // 24).all() and hourly.periods_per_year == 8760.0
    quarter = synthetic.gbm(8, bar_ns=DAY // 4, start="2000-01-07")
    assert [str(t)[:13] for t in quarter.times[3:5]] == ["2000-01-07T18", "2000-01-10T00"]


@pytest.mark.parametrize(
    ("make", "keywords"),
    [
        (synthetic.gbm, {"T": 0}),
        (synthetic.gbm, {"gap": 1.0}),
        (synthetic.gbm, {"volatility": 0.0}),
        (synthetic.gbm, {"grid": 0.0}),
        (synthetic.gbm, {"bar_ns": 7 * DAY}),
        (synthetic.gbm, {"bar_ns": 7_000_000_000_000}),
        (synthetic.garch_jumps, {"alpha": 0.5, "beta": 0.5}),
        (synthetic.garch_jumps, {"missing": 1.0}),
        (synthetic.trend, {"growth": -1.0}),
        (synthetic.sine, {"amplitude": 1.0}),
    ],
)
def test_what_they_refuse(make: Callable[..., Bars], keywords: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        make(**keywords)
