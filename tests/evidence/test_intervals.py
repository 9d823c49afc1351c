"""Intervals by the stationary bootstrap: the same draws by hand, arch's own, coverage; and what is undefined."""

from __future__ import annotations

import math

import numpy as np
import pytest
from arch.bootstrap import StationaryBootstrap, optimal_block_length

from vecbt import evidence, metrics
from vecbt.errors import ConfigError, InputError

YEAR = 252.0


def series(bars: int = 300, seed: int = 1) -> np.ndarray:
    return 0.0005 + 0.01 * np.random.default_rng(seed).standard_normal(bars)


def measured(name: str, values: np.ndarray) -> float:
    """One metric of one resample, by its own function."""
    if name == "mean":
        return float(values.mean())
    if name in ("var", "cvar"):
        return float(getattr(metrics, name)(values))
    if name in ("sharpe", "sortino", "volatility"):
        return float(getattr(metrics, name)(values, periods_per_year=YEAR))
    return float(metrics.return_metrics(np.cumprod(1 + values), 1.0, periods_per_year=YEAR)[name])


@pytest.mark.parametrize("name", evidence.INTERVAL_METRICS)
def test_an_interval_is_that_of_the_same_draws_measured_one_by_one(name: str) -> None:
    values = series()
    drawn = [measured(name, data[0][0]) for data in StationaryBootstrap(6, values, seed=3).bootstrap(60)]
    found = evidence.bootstrap_interval(values, name, periods_per_year=YEAR, block_length=6, resamples=60, seed=3)
    assert found.value == measured(name, values)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), rel=1e-9)
    assert found.error == pytest.approx(np.std(drawn, ddof=1), rel=1e-9)
    other = evidence.bootstrap_interval(values, name, periods_per_year=YEAR, block_length=6, resamples=60, seed=3, method="basic")
    assert other.low == pytest.approx(2 * found.value - found.high) and other.high == pytest.approx(2 * found.value - found.low)


@pytest.mark.parametrize("method", ["percentile", "basic"])
def test_a_function_of_ones_own_is_measured_as_arch_does(method: str) -> None:
    values = series()
    theirs = StationaryBootstrap(9, values, seed=5).conf_int(np.median, reps=200, method=method, size=0.9)
    found = evidence.bootstrap_interval(values, np.median, confidence=0.9, block_length=9, resamples=200, seed=5, method=method)  # type: ignore[arg-type]
    np.testing.assert_allclose([found.low, found.high], theirs[:, 0], rtol=0.02, atol=2e-5)  # arch's quantiles are others between ranks
    assert found.metric == "median" and "90% interval" in str(found)


def test_the_pieces_a_long_series_is_drawn_in_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    values = series()
    whole = evidence.bootstrap_interval(values, periods_per_year=YEAR, resamples=50)
    monkeypatch.setattr(evidence.intervals, "_CELLS", 300 * 7)
    assert evidence.bootstrap_interval(values, periods_per_year=YEAR, resamples=50) == whole


def test_the_block_length_is_that_of_arch_and_grows_with_autocorrelation() -> None:
    values = series(500)
    follows = values.copy()
    for t in range(1, 500):
        follows[t] += 0.6 * follows[t - 1]
    assert evidence.optimal_block(follows) == round(float(optimal_block_length(follows)["stationary"].iloc[0])) > 5
    assert evidence.optimal_block(values) < evidence.optimal_block(follows)
    assert evidence.optimal_block(np.zeros(100)) == 10
    assert evidence.optimal_block(np.r_[np.zeros(99), 0.01]) >= 1


@pytest.mark.parametrize("follows", [0.0, pytest.param(0.4, marks=pytest.mark.slow)])
def test_intervals_cover(follows: float) -> None:
    """Of 200 series of 250 bars nine of ten 90 % intervals hold the true ratio, within three errors and what a short series takes off."""
    rng, inside = np.random.default_rng(6), []
    for seed in range(200):
        noise = rng.standard_normal(350)
        for t in range(1, 350):
            noise[t] += follows * noise[t - 1]
        truth = 0.05
        values = 0.01 * (truth / math.sqrt(1 - follows**2) + noise[100:])
        found = evidence.bootstrap_interval(values, "sharpe", periods_per_year=1.0, confidence=0.9, resamples=200, seed=seed)
        inside.append(found.low <= truth <= found.high)
    assert 0.82 < np.mean(inside) < 0.97


@pytest.mark.parametrize(("values", "name", "said"), [
    (series(19), "sharpe", "20 are needed"), (np.r_[np.nan, series(50)], "sharpe", "NaN on 1 bars"),
    (np.zeros(50), "sharpe", "undefined"), (np.full(50, 0.001), "sharpe", "undefined"),
    (np.r_[np.zeros(40), 0.01, np.zeros(20)], "sharpe", "resamples"), (np.full(50, 0.001), "calmar", "undefined"),
])  # fmt: skip
def test_m5_what_says_nothing_is_nan_without_a_warning(values: np.ndarray, name: str, said: str) -> None:
    found = evidence.bootstrap_interval(values, name, periods_per_year=YEAR, resamples=50)
    assert said in found.reason and math.isnan(found.low) and math.isnan(found.error) and said in str(found)


def test_bad_arguments_say_what_was_expected() -> None:
    with pytest.raises(ConfigError, match=r"'sharp' is not known; did you mean 'sharpe'\?"):
        evidence.bootstrap_interval(series(), "sharp")
    with pytest.raises(ConfigError, match="sharpe is annual"):
        evidence.bootstrap_interval(series())
    with pytest.raises(ConfigError, match="method must be"):
        evidence.bootstrap_interval(series(), "mean", method="bca")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="expected one series"):
        evidence.bootstrap_interval(np.zeros((30, 2)), "mean")
    with pytest.raises(InputError, match="without any"):
        evidence.optimal_block([0.1, np.nan])
