"""Errors of Sharpe ratios, probabilistic and deflated ratios: the papers' own numbers, slow twins, statsmodels, simulation (M2, M5)."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.naive import evidence as naive
from vecbt import evidence, metrics
from vecbt.errors import ConfigError, InputError

YEAR = 252.0


def panel(bars: int = 300, columns: int = 4, seed: int = 3) -> np.ndarray:
    """Returns that lean to one side and have heavy tails."""
    rng = np.random.default_rng(seed)
    return 0.0006 + 0.01 * rng.standard_t(5, (bars, columns)) - 0.004 * (rng.exponential(1.0, (bars, columns)) - 1.0)


# --- published numbers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("periods", "years"), [(252, 2.73), (52, 2.83), (12, 3.24)])
def test_the_minimum_track_record_of_the_paper(periods: int, years: float) -> None:
    """Bailey and Lopez de Prado (2012): an annual 2 is above 1 at 95 % after 2.73 years of days, 2.83 of weeks, 3.24 of months."""
    of = evidence.moments_of_sharpe(2.0 / math.sqrt(periods), 1_000)
    found = evidence.minimum_track_record(of, 1.0 / math.sqrt(periods), 0.95)
    assert found / periods == pytest.approx(years, abs=0.005)


def test_the_probabilistic_ratio_of_the_paper() -> None:
    """The same: a monthly 0.458 over two years is 0.982 sure if normal, 0.913 with skew -2.448 and kurtosis 10.164."""
    normal = evidence.moments_of_sharpe(0.458, 24)
    leaning = evidence.moments_of_sharpe(0.458, 24, skew=-2.448, kurtosis=10.164)
    assert evidence.probabilistic_sharpe(normal) == pytest.approx(0.982, abs=0.0005)
    assert evidence.probabilistic_sharpe(leaning) == pytest.approx(0.913, abs=0.0005)


@pytest.mark.parametrize(("trials", "luck", "deflated"), [(100, 0.1132, 0.9004), (46, None, 0.9505)])
def test_the_deflated_ratio_of_the_paper(trials: int, luck: float | None, deflated: float) -> None:
    """Bailey and Lopez de Prado (2014): an annual 2.5 over 1,250 days of 250 a year, skew -3, kurtosis 10, annual variance 1/2."""
    of = evidence.moments_of_sharpe(2.5 / math.sqrt(250), 1_250, skew=-3.0, kurtosis=10.0)
    if luck is not None:
        assert evidence.expected_maximum_sharpe(trials, 0.5 / 250) == pytest.approx(luck, abs=0.00005)
    assert evidence.deflated_sharpe(of, trials, 0.5 / 250) == pytest.approx(deflated, abs=0.0002)


# --- against slow twins and oracles ----------------------------------------------------------------------------------


@pytest.mark.interpreted
def test_m2_the_ratio_is_the_one_of_the_metrics_to_the_last_bit() -> None:
    returns = panel()
    of = evidence.moments(returns, rf=1e-4)
    assert np.array_equal(of.sharpe, metrics.sharpe(returns, periods_per_year=1.0, rf=1e-4))
    assert evidence.moments(returns[:, 1], rf=1e-4).sharpe == of.sharpe[1]
    found = evidence.sharpe_evidence(returns[:, 0], periods_per_year=YEAR)
    assert found.annual_sharpe == metrics.sharpe(returns[:, 0], periods_per_year=YEAR)


@pytest.mark.interpreted
@given(st.lists(st.integers(-200, 200).map(lambda v: v / 1024), min_size=8, max_size=40), st.sampled_from([0.0, 0.001]))
def test_moments_and_psr_equal_the_slow_twin(values: list[float], rf: float) -> None:
    found = evidence.moments(np.array(values), rf=rf)
    ratio = naive.sharpe(values, rf)
    if math.isnan(ratio):
        assert math.isnan(found.sharpe) and math.isnan(found.skew) and math.isnan(evidence.probabilistic_sharpe(found))
        return
    skew, kurtosis = naive.shape(values)
    assert (found.sharpe, found.skew, found.kurtosis) == pytest.approx((ratio, skew, kurtosis), rel=1e-8, abs=1e-8)
    if 1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2 > 1e-6:
        assert evidence.probabilistic_sharpe(found, 0.05) == pytest.approx(naive.probabilistic(values, 0.05, rf), abs=1e-8)


def test_skew_and_kurtosis_are_those_of_scipy() -> None:
    returns, of = panel(), evidence.moments(panel())
    np.testing.assert_allclose(of.skew, stats.skew(returns), rtol=1e-12)
    np.testing.assert_allclose(of.kurtosis, stats.kurtosis(returns, fisher=False), rtol=1e-12)


@pytest.mark.parametrize("bars", [64, 301, 1000])
def test_moments_of_blocks_equal_those_of_the_matrix(bars: int) -> None:
    """Also where the bars do not divide by the blocks; PSR and DSR with them."""
    returns = panel(bars, 30)
    whole, parts = evidence.moments(returns, rf=2e-5), evidence.moments_of_blocks(evidence.block_sums(returns), bars, rf=2e-5)
    for name in ("sharpe", "skew", "kurtosis"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(evidence.probabilistic_sharpe(parts), evidence.probabilistic_sharpe(whole), rtol=1e-9)
    variance = float(np.var(whole.sharpe, ddof=1))
    np.testing.assert_allclose(evidence.deflated_sharpe(parts, 30), evidence.deflated_sharpe(whole, 30, variance), rtol=1e-9)


@pytest.mark.parametrize("lags", [0, 1, 5])
def test_the_hac_error_equals_the_slow_twin(lags: int) -> None:
    values = panel(60, 1)[:, 0]
    assert evidence.sharpe_error_hac(values, lags=lags) == pytest.approx(naive.newey_west_error(values.tolist(), lags), rel=1e-10)


def test_without_lags_the_hac_error_is_the_one_of_independent_returns() -> None:
    returns = panel()
    np.testing.assert_allclose(evidence.sharpe_error_hac(returns, lags=0), evidence.sharpe_error(evidence.moments(returns)), rtol=1e-10)


def test_the_annual_factor_by_hand() -> None:
    """Lo (2002): q = 4, two lags."""
    values = panel(40, 1)[:, 0]
    one, two = (naive.autocorrelation(values.tolist(), k) for k in (1, 2))
    expected = 4 / math.sqrt(4 + 2 * (3 * one + 2 * two))
    assert evidence.annual_factor(values, periods_per_year=4, lags=2) == pytest.approx(expected, rel=1e-12)
    assert evidence.annual_factor(values, periods_per_year=1, lags=5) == 1.0
    assert evidence.annual_factor(values, periods_per_year=9, lags=0) == 3.0


@given(st.integers(2, 10**6))
def test_the_expected_maximum_equals_the_slow_twin(trials: int) -> None:
    assert evidence.expected_maximum(trials) == pytest.approx(naive.expected_maximum(trials), rel=1e-9)


def test_the_expected_maximum_is_that_of_simulated_numbers() -> None:
    """10,000 draws of the largest of 100 normal numbers; one in a thousand seeds would miss 3.3 errors of their mean."""
    largest = np.random.default_rng(5).standard_normal((10_000, 100)).max(axis=1)
    off = abs(evidence.expected_maximum(100) - largest.mean())
    assert off < 3.3 * largest.std() / 100 + 0.025  # the formula is a limit: 2.53 where 2.508 is exact
    assert evidence.expected_maximum(1) == 0.0
    two = evidence.expected_maximum(2)
    np.testing.assert_allclose(evidence.expected_maximum(np.array([1.25, 1.5, 2.0])), [two / 4, two / 2, two])


@pytest.mark.parametrize("heavy", [False, True])
def test_errors_are_what_repetition_shows(heavy: bool) -> None:
    """The spread of 4,000 estimated ratios, each over 250 bars: within 5 % of the error that was stated."""
    rng = np.random.default_rng(11)
    noise = rng.standard_t(6, (250, 4_000)) / math.sqrt(1.5) if heavy else rng.standard_normal((250, 4_000))
    of = evidence.moments(0.001 + 0.01 * noise)
    assert np.std(of.sharpe) == pytest.approx(np.mean(evidence.sharpe_error(of)), rel=0.05)


def test_autocorrelation_widens_the_error_as_repetition_shows() -> None:
    """400 series of 500 bars that follow each other with 0.4: independence states too little, lags come close."""
    rng = np.random.default_rng(12)
    noise = rng.standard_normal((600, 400))
    for t in range(1, 600):
        noise[t] += 0.4 * noise[t - 1]
    returns = 0.0005 + 0.01 * noise[100:]
    of = evidence.moments(returns)
    seen, plain, wide = np.std(of.sharpe), np.mean(evidence.sharpe_error(of)), np.mean(evidence.sharpe_error_hac(returns, lags=12))
    assert plain < 0.75 * seen and 0.85 * seen < wide < 1.15 * seen
    assert np.mean(evidence.annual_factor(returns, periods_per_year=252)) < 0.8 * math.sqrt(252)


@pytest.mark.parametrize("ratio", [0.0, 0.1])
def test_psr_is_uniform_where_the_benchmark_is_the_truth(ratio: float) -> None:
    """Kolmogorov-Smirnov over 1,000 series of 500 bars."""
    returns = 0.01 * (ratio + np.random.default_rng(7).standard_normal((500, 1_000)))
    assert stats.kstest(evidence.probabilistic_sharpe(evidence.moments(returns), ratio), "uniform").pvalue > 0.01


def test_dsr_of_the_best_of_many_lucky_ones_is_no_evidence() -> None:
    """Of 200 skilless trials the best has a PSR above 0.95 nearly always; its DSR in about one of twenty experiments."""
    rng, undeflated, found = np.random.default_rng(8), [], []
    for _ in range(150):
        of = evidence.moments(0.01 * rng.standard_normal((250, 200)))
        variance = float(np.var(of.sharpe, ddof=1))
        undeflated.append(np.max(evidence.probabilistic_sharpe(of)))
        found.append(np.max(evidence.deflated_sharpe(of, 200, variance)))
    assert np.mean(np.array(undeflated) > 0.95) > 0.95
    assert np.mean(np.array(found) > 0.95) < 0.10  # 0.05, and three errors of a share over 150
    assert 0.35 < np.mean(found) < 0.65


def test_the_interval_covers() -> None:
    """200 series of 400 bars: 95 % intervals cover the true ratio in 95 of 100, within three errors."""
    rng = np.random.default_rng(9)
    inside = [
        (found.low <= 0.05 <= found.high) for found in (
            evidence.sharpe_evidence(0.01 * (0.05 + rng.standard_normal(400)), periods_per_year=YEAR) for _ in range(200)
        )
    ]  # fmt: skip
    assert 0.90 <= np.mean(inside) <= 1.0


# --- what is undefined -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [np.full(50, 0.001), np.zeros(50), np.zeros(0), np.array([0.01]), np.r_[0.01, np.nan, np.zeros(48)]])
def test_m5_what_says_nothing_is_nan_without_a_warning(values: np.ndarray) -> None:
    found = evidence.sharpe_evidence(values, periods_per_year=YEAR)
    assert math.isnan(found.sharpe) and math.isnan(found.probability) and math.isnan(found.low) and found.reason
    assert math.isnan(evidence.sharpe_error_hac(values)) and math.isnan(evidence.annual_factor(values, periods_per_year=YEAR))
    assert str(found).endswith(found.reason)
    for name in ("sharpe", "skew", "kurtosis"):
        if len(values):
            assert np.isnan(getattr(evidence.moments_of_blocks(evidence.block_sums(values), len(values)), name)).all()


def test_too_few_bars_say_how_many_are_needed() -> None:
    found = evidence.sharpe_evidence([0.01, -0.02, 0.03], periods_per_year=YEAR)
    assert found.needed == 8 and "8 bars are needed" in found.reason and math.isnan(found.probability)
    assert math.isnan(evidence.sharpe_error(evidence.moments([0.01, -0.02, 0.03])))
    assert math.isnan(evidence.deflated_sharpe(evidence.moments_of_sharpe(0.1, 5), 10, 0.01))


def test_a_ratio_below_the_benchmark_needs_for_ever() -> None:
    of = evidence.moments_of_sharpe(np.array([0.1, 0.1, np.nan]), 100)
    found = evidence.minimum_track_record(of, np.array([0.1, 0.05, 0.0]))
    assert found[0] == math.inf and 1_000 < found[1] < 2_000 and math.isnan(found[2])


def test_trials_make_the_record_that_is_needed_longer() -> None:
    values = 0.002 + panel(500, 1)[:, 0]
    alone = evidence.sharpe_evidence(values, periods_per_year=YEAR)
    among = evidence.sharpe_evidence(values, periods_per_year=YEAR, trials=50, variance=0.002)
    assert among.needed > alone.needed and among.probability < alone.probability
    assert among.benchmark == evidence.expected_maximum_sharpe(50, 0.002)
    assert among.probability == evidence.deflated_sharpe(evidence.moments(values), 50, 0.002)
    assert "deflated for 50 trials" in str(among) and "probabilistic" in str(alone)


def test_bad_arguments_say_what_was_expected() -> None:
    of = evidence.moments_of_sharpe(0.1, 100)
    with pytest.raises(ConfigError, match="trials must be finite and at least 1; found 0"):
        evidence.deflated_sharpe(of, 0, 0.01)
    with pytest.raises(ConfigError, match="variance must not be negative"):
        evidence.expected_maximum_sharpe(10, -1.0)
    with pytest.raises(ConfigError, match="variance is missing, and there are no two"):
        evidence.deflated_sharpe(of, 10)
    with pytest.raises(ConfigError, match="such trials are one trial"):
        evidence.trial_variance(of, 1.0)
    with pytest.raises(ConfigError, match="method must be"):
        evidence.sharpe_error(of, "exact")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="confidence must lie"):
        evidence.minimum_track_record(of, confidence=95)
    with pytest.raises(ConfigError, match="variance is missing"):
        evidence.sharpe_evidence(np.zeros(10), periods_per_year=YEAR, trials=3)
    with pytest.raises(InputError, match="expected one series"):
        evidence.sharpe_evidence(np.zeros((10, 2)), periods_per_year=YEAR)
    with pytest.raises(InputError, match="infinite"):
        evidence.moments([0.1, math.inf])
    with pytest.raises(InputError, match="blocks must be float64"):
        evidence.moments_of_blocks(np.zeros((3, 16)), 100)
    with pytest.raises(ConfigError, match="lags must be a whole number"):
        evidence.sharpe_error_hac(panel(), lags=-1)


def test_frames_and_series_come_in_as_well() -> None:
    frame = pd.DataFrame(panel(50, 2), columns=["a", "b"])
    assert np.array_equal(evidence.moments(frame).sharpe, evidence.moments(frame.to_numpy()).sharpe)
    assert isinstance(evidence.moments(frame["a"]).sharpe, float)
    assert str(evidence.moments(frame)) == "moments of 2 columns over 50 bars"
    assert str(evidence.moments(frame["a"])).startswith("50 bars: Sharpe per bar")
