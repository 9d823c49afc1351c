"""Many metrics of many columns: each against its naive twin and against the function of its name (M1, M2, M3, M5, M6; MET-01)."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.metrics import naive_metrics as naive
from vecbt import metrics
from vecbt.errors import ConfigError, InputError
from vecbt.metrics.distribution import expansion_tail, normal_tail
from vecbt.metrics.measure import MEASURES, measure, measure_columns
from vecbt.metrics.returns import returns_params

RETURNS = st.lists(st.floats(-0.5, 0.5).map(lambda v: round(v, 4)), min_size=0, max_size=40)
COUNTED = ("total_return", "cagr", "max_drawdown", "longest_drawdown_bars", "ulcer", "calmar")
UNDEFINED_FLAT = ("sharpe", "sortino", "calmar", "omega", "skew", "kurtosis", "cornish_fisher_var", "cornish_fisher_cvar")


def same(found: float, wanted: float, name: str) -> None:
    assert found == pytest.approx(wanted, rel=1e-9, abs=1e-12, nan_ok=True), name


@given(RETURNS, st.sampled_from([0.0, 0.001, -0.002]))
@example([0.01] * 9, 0.0)
@example([0.0, 0.0], 0.0)
@example([], 0.0)
@example([-0.01, 0.02, 0.03], 0.0)
def test_m2_m3_m5_every_metric_is_its_naive_twin(values: list[float], mar: float) -> None:
    found = measure(np.array(values), periods_per_year=252.0, mar=mar, rf=0.0001)
    curve = list(np.cumprod([1.0 + v for v in values]))
    same(found["downside_deviation"], naive.downside_deviation(values, 252.0, mar), "downside_deviation")
    same(found["omega"], naive.omega(values, mar), "omega")
    same(found["skew"], naive.skew(values), "skew")
    same(found["kurtosis"], naive.kurtosis(values), "kurtosis")
    same(found["tail_ratio"], naive.tail_ratio(values), "tail_ratio")
    same(found["var"], naive.var(values), "var")
    same(found["cvar"], naive.cvar(values), "cvar")
    same(found["volatility"], naive.volatility(values, 252.0), "volatility")
    same(found["sharpe"], naive.sharpe(values, 252.0, 0.0001), "sharpe")
    same(found["sortino"], naive.sortino(values, 252.0, mar), "sortino")
    same(found["max_drawdown"], naive.max_drawdown(curve, 1.0), "max_drawdown")
    same(found["ulcer"], naive.ulcer(curve, 1.0), "ulcer")
    same(found["cagr"], naive.cagr(curve, 1.0, 252.0), "cagr")
    same(found["positive_bars"], sum(v > 0 for v in values) / len(values) if values else math.nan, "positive_bars")
    same(found["best_bar"], max(values, default=math.nan), "best_bar")
    same(found["worst_bar"], min(values, default=math.nan), "worst_bar")


@given(st.integers(0, 2**31), st.integers(1, 23), st.integers(0, 30))
def test_d1_columns_in_lanes_and_threads_are_columns_alone_to_the_last_bit(seed: int, columns: int, bars: int) -> None:
    values = np.random.default_rng(seed).normal(0.0, 0.02, (bars, columns))
    together = measure_columns(values, MEASURES, returns_params(365.0), 0.05, 1)
    turned = measure_columns(np.asfortranarray(values), MEASURES, returns_params(365.0), 0.05, 3)
    for column in range(columns):
        alone = measure(values[:, column], periods_per_year=365.0)
        for name in MEASURES:
            assert np.array_equal([alone[name], together[name][column], turned[name][column]], [alone[name]] * 3, equal_nan=True), name


def test_m2_m3_one_arithmetic_for_measure_and_the_functions() -> None:
    values = np.random.default_rng(3).standard_t(4, (101, 7)) * 0.01
    found, curve = measure(values, periods_per_year=252.0, rf=0.0001), np.cumprod(1.0 + values, axis=0)
    assert np.array_equal(found["sharpe"], metrics.sharpe(values, periods_per_year=252.0, rf=0.0001))
    assert np.array_equal(found["sortino"], metrics.sortino(values, periods_per_year=252.0))
    assert np.array_equal(found["volatility"], metrics.volatility(values, periods_per_year=252.0))
    assert np.array_equal(found["downside_deviation"], metrics.downside_deviation(values, periods_per_year=252.0))
    for name in ("omega", "skew", "kurtosis", "tail_ratio"):
        assert np.array_equal(found[name], getattr(metrics, name)(values)), name
    assert np.array_equal(measure(values, "omega", periods_per_year=1.0, mar=0.002)["omega"], metrics.omega(values, mar=0.002))
    for method, prefix in (("historical", ""), ("parametric", "parametric_"), ("cornish_fisher", "cornish_fisher_")):
        assert np.array_equal(found[f"{prefix}var"], metrics.var(values, method=method))
        assert np.array_equal(found[f"{prefix}cvar"], metrics.cvar(values, method=method))
    for name in ("max_drawdown", "ulcer", "longest_drawdown_bars"):
        np.testing.assert_allclose(found[name], getattr(metrics, name)(curve, 1.0), rtol=1e-12)


def test_threads_are_used_for_large_tables_and_change_nothing() -> None:
    values = np.random.default_rng(5).normal(0.0, 0.01, (1_000, 211))
    one, three = (measure(values, periods_per_year=252.0, threads=threads) for threads in (1, 3))
    assert all(np.array_equal(one[name], three[name]) for name in MEASURES)


@given(RETURNS, st.sampled_from([0.25, 2.0, 8.0]))
def test_m5_ratios_do_not_depend_on_the_scale(values: list[float], scale: float) -> None:
    found, scaled = (measure(np.array(part), periods_per_year=12.0) for part in (values, [v * scale for v in values]))
    for name in ("sharpe", "sortino", "omega", "skew", "kurtosis", "tail_ratio", "positive_bars"):
        same(scaled[name], found[name], name)
    for name in ("volatility", "downside_deviation", "var", "cvar", "parametric_var", "cornish_fisher_cvar", "best_bar", "worst_bar"):
        same(scaled[name], found[name] * scale, name)


@given(RETURNS, st.randoms(use_true_random=False))
def test_the_order_of_returns_matters_to_drawdowns_alone(values: list[float], chance: object) -> None:
    shuffled = list(values)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    found, other = (measure(np.array(part), periods_per_year=12.0) for part in (values, shuffled))
    for name in set(MEASURES) - {"max_drawdown", "longest_drawdown_bars", "ulcer", "calmar"}:
        same(other[name], found[name], name)


@pytest.mark.parametrize("values", [np.zeros(6), np.full(6, 0.01), np.full(6, -0.02)])
def test_m5_a_constant_series_has_no_ratio(values: np.ndarray) -> None:
    found = measure(values, periods_per_year=252.0)
    for name in UNDEFINED_FLAT:
        below = values[0] < 0.0 and name in ("sortino", "calmar", "omega")
        assert math.isnan(found[name]) != below, name
    assert found["volatility"] == 0.0 and found["parametric_var"] == -values[0]


@pytest.mark.parametrize("at", [0, 3, 8])
def test_m5_an_unknown_return_makes_every_metric_unknown(at: int) -> None:
    values = np.random.default_rng(1).normal(0.0, 0.01, (9, 5))
    values[at, 1] = values[at, 4] = math.nan
    found = measure(values, periods_per_year=252.0)
    for name in MEASURES:
        assert list(np.isnan(found[name])) == [False, True, False, False, True], name


def test_few_rows_have_no_higher_moments() -> None:
    for rows, known in ((1, ()), (2, ()), (3, ("skew",)), (4, ("skew", "kurtosis"))):
        found = measure(np.array([0.01, -0.02, 0.05, 0.01])[:rows], periods_per_year=252.0)
        assert [name for name in ("skew", "kurtosis") if not math.isnan(found[name])] == list(known)


def _moments(skew: float, kurtosis: float) -> np.recarray:
    kind = [(name, "f8") for name in ("average", "deviation", "skew", "kurtosis")]
    return np.array([(0.001, 0.02, skew, kurtosis)], dtype=kind).view(np.recarray)


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
@pytest.mark.parametrize(("skew", "kurtosis"), [(0.0, 0.0), (-0.4, 1.0), (0.3, 0.5)])
def test_m3_shortfalls_are_means_of_the_quantiles_beyond(alpha: float, skew: float, kurtosis: float) -> None:
    """Against the mean over a fine grid of levels below alpha of what each method calls its quantile."""
    given_ = _moments(skew, kurtosis)
    levels = (np.arange(4_000) + 0.5) / 4_000 * alpha
    for method in (normal_tail, expansion_tail):
        beyond = np.mean([method(given_, float(level))[0][0] for level in levels])
        assert method(given_, alpha)[1][0] == pytest.approx(beyond, rel=2e-4)


def test_m3_without_skew_and_kurtosis_the_expansion_is_the_normal_distribution() -> None:
    normal, bent = normal_tail(_moments(0.0, 0.0), 0.05), expansion_tail(_moments(0.0, 0.0), 0.05)
    assert normal == bent
    assert normal[0][0] == pytest.approx(-(0.001 + 0.02 * NormalDist().inv_cdf(0.05)))


def test_tables_come_back_labelled_and_wrong_input_is_named() -> None:
    table = pd.DataFrame(np.random.default_rng(2).normal(0.0, 0.01, (30, 2)), columns=["a", "b"])
    found = measure(table, ("sharpe", "skew"), periods_per_year=252.0)
    assert list(found) == ["sharpe", "skew"] and list(found["sharpe"].index) == ["a", "b"]
    assert found["skew"]["b"] == pytest.approx(table["b"].skew())
    assert measure(table["a"], "sharpe", periods_per_year=252.0)["sharpe"] == found["sharpe"]["a"]
    with pytest.raises(ConfigError, match="did you mean 'sharpe'"):
        measure(table, ("sharp",), periods_per_year=252.0)
    with pytest.raises(ConfigError, match="threads"):
        measure(table, periods_per_year=252.0, threads=0)
    with pytest.raises(ConfigError, match="alpha"):
        measure(table, periods_per_year=252.0, alpha=1.0)
    with pytest.raises(ConfigError, match="did you mean 'parametric'"):
        metrics.var(table, method="parametrics")
    with pytest.raises(InputError, match="infinite at row 3, column 1"):
        measure(np.where(np.arange(60).reshape(30, 2) == 7, np.inf, table), periods_per_year=252.0)
