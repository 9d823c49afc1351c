"""Return metrics: hand-worked cases, the slow twin, empyrical, batch = stream to the last bit, and what is undefined (M1, M2, M5)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.metrics import naive_metrics as naive
from vecbt import metrics
from vecbt.core.state import records
from vecbt.errors import ConfigError, InputError
from vecbt.metrics import returns as kernels

YEAR = 252.0
# dyadic money: sums and ties are exact, so that peaks are really reached again
curves = st.lists(st.integers(1, 640).map(lambda v: v / 8), min_size=1, max_size=40)


def walk(bars: int, columns: int, seed: int = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 1e5 * np.cumprod(1 + rng.normal(3e-4, 0.01, (bars, columns)), axis=0)


def stream(equity: np.ndarray, initial: float, **keywords: float) -> dict[str, float]:
    """The step called bar by bar from Python."""
    state, out, params = records(kernels.RETURNS_STATE, 1), records(kernels.RETURNS_METRICS, 1), kernels.returns_params(YEAR, **keywords)
    kernels.returns_init(state[0], initial)
    for value in equity:
        kernels.returns_step(state[0], params[0], float(value))
    kernels.returns_metrics(state[0], params[0], out[0])
    return {name: float(out[0][name]) for name in out.dtype.names or ()}


def same(left: dict[str, Any], right: dict[str, Any]) -> bool:
    return left.keys() == right.keys() and all(np.array_equal(left[k], right[k], equal_nan=True) for k in left)


@pytest.mark.interpreted
def test_m1_m2_by_hand() -> None:
    """Four bars a year: +10 %, -10 %, +10 %, 0 from 100."""
    equity = np.array([110.0, 99.0, 108.9, 108.9])
    found = metrics.return_metrics(equity, 100.0, periods_per_year=4)
    np.testing.assert_allclose(metrics.simple_returns(equity, 100.0), [0.1, -0.1, 0.1, 0.0], atol=1e-15)
    spread = math.sqrt((0.075**2 + 0.125**2 + 0.075**2 + 0.025**2) / 3)
    assert found["total_return"] == pytest.approx(0.089, rel=1e-12)
    assert found["cagr"] == pytest.approx(0.089, rel=1e-12)  # four bars are one year
    assert found["volatility"] == pytest.approx(spread * 2, rel=1e-12)
    assert found["sharpe"] == pytest.approx(0.025 / spread * 2, rel=1e-12)
    assert found["sortino"] == pytest.approx(0.025 / math.sqrt(0.01 / 4) * 2, rel=1e-12)
    assert found["max_drawdown"] == pytest.approx(0.1, rel=1e-12)
    assert found["calmar"] == pytest.approx(0.89, rel=1e-12)
    assert found["longest_drawdown_bars"] == 3  # from the peak at bar 0 to the end
    assert found["ulcer"] == pytest.approx(math.sqrt((0.1**2 + 0.01**2 + 0.01**2) / 4), rel=1e-12)


@pytest.mark.interpreted
def test_m1_the_first_return_is_against_initial() -> None:
    assert metrics.simple_returns([90.0], 100.0) == pytest.approx([-0.1])
    assert metrics.max_drawdown([90.0], 100.0) == pytest.approx(0.1)
    assert metrics.total_return([90.0, 90.0], 100.0) == pytest.approx(-0.1)


@pytest.mark.interpreted
@given(
    equity=curves,
    initial=st.integers(1, 640).map(lambda v: v / 8),
    rf=st.sampled_from([0.0, 0.0625]),
    mar=st.sampled_from([0.0, -0.125, 0.5]),
)
@example(equity=[100.0, 100.0, 100.0], initial=100.0, rf=0.0, mar=0.0)
@example(equity=[1.0], initial=1.0, rf=0.0, mar=0.0)
@example(equity=[0.125, 80.0], initial=80.0, rf=0.0, mar=0.0)
def test_equals_the_slow_twin(equity: list[float], initial: float, rf: float, mar: float) -> None:
    returns = naive.returns(equity, initial)
    found = metrics.return_metrics(equity, initial, periods_per_year=YEAR, rf=rf, mar=mar)
    expected = {
        "total_return": equity[-1] / initial - 1,
        "cagr": naive.cagr(equity, initial, YEAR),
        "volatility": naive.volatility(returns, YEAR),
        "sharpe": naive.sharpe(returns, YEAR, rf),
        "sortino": naive.sortino(returns, YEAR, mar),
        "calmar": naive.calmar(equity, initial, YEAR),
        "max_drawdown": naive.max_drawdown(equity, initial),
        "longest_drawdown_bars": naive.longest_drawdown_bars(equity, initial),
        "ulcer": naive.ulcer(equity, initial),
    }
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-12, nan_ok=True), name


@pytest.mark.interpreted
@given(equity=curves, rf=st.sampled_from([0.0, 0.01]))
def test_d1_stream_equals_batch_to_the_last_bit(equity: list[float], rf: float) -> None:
    values = np.array(equity)
    assert same(stream(values, 50.0, rf=rf), metrics.return_metrics(values, 50.0, periods_per_year=YEAR, rf=rf))


def test_columns_equal_single_series_to_the_last_bit() -> None:
    equity = walk(300, 70)
    together = metrics.return_metrics(equity, 1e5, periods_per_year=YEAR)
    for column in (0, 1, 63, 64, 69):
        alone = metrics.return_metrics(equity[:, column], 1e5, periods_per_year=YEAR)
        assert all(together[name][column] == alone[name] for name in alone)


def test_equals_empyrical() -> None:
    ep = pytest.importorskip("empyrical")
    for seed in range(5):
        equity = walk(500, 1, seed)[:, 0]
        returns = metrics.simple_returns(equity, 1e5)
        found = metrics.return_metrics(equity, 1e5, periods_per_year=YEAR, rf=1e-4, mar=2e-4)
        assert found["sharpe"] == pytest.approx(ep.sharpe_ratio(returns, risk_free=1e-4, annualization=YEAR), rel=1e-10)
        assert found["sortino"] == pytest.approx(ep.sortino_ratio(returns, required_return=2e-4, annualization=YEAR), rel=1e-10)
        assert found["volatility"] == pytest.approx(ep.annual_volatility(returns, annualization=YEAR), rel=1e-10)
        assert found["max_drawdown"] == pytest.approx(-ep.max_drawdown(returns), rel=1e-10)
        assert found["cagr"] == pytest.approx(ep.cagr(returns, annualization=YEAR), rel=1e-10)
        assert found["calmar"] == pytest.approx(ep.calmar_ratio(returns, annualization=YEAR), rel=1e-10)
        assert found["total_return"] == pytest.approx(ep.cum_returns_final(returns), rel=1e-10)


def test_single_metrics_are_the_same_numbers() -> None:
    equity = walk(400, 3)
    returns = metrics.simple_returns(equity, 1e5)
    found = metrics.return_metrics(equity, 1e5, periods_per_year=YEAR, rf=1e-4, mar=1e-4)
    np.testing.assert_array_equal(metrics.sharpe(returns, periods_per_year=YEAR, rf=1e-4), found["sharpe"])
    np.testing.assert_array_equal(metrics.sortino(returns, periods_per_year=YEAR, mar=1e-4), found["sortino"])
    np.testing.assert_array_equal(metrics.volatility(returns, periods_per_year=YEAR), found["volatility"])
    np.testing.assert_array_equal(metrics.cagr(equity, 1e5, periods_per_year=YEAR), found["cagr"])
    np.testing.assert_array_equal(metrics.calmar(equity, 1e5, periods_per_year=YEAR), found["calmar"])
    np.testing.assert_array_equal(metrics.total_return(equity, 1e5), found["total_return"])


@pytest.mark.interpreted
def test_m5_a_flat_curve_has_no_ratios() -> None:
    found = metrics.return_metrics([100.0] * 5, 100.0, periods_per_year=YEAR)
    assert all(math.isnan(found[name]) for name in ("sharpe", "sortino", "calmar"))
    assert all(found[name] == 0.0 for name in ("total_return", "cagr", "volatility", "max_drawdown", "ulcer", "longest_drawdown_bars"))


@pytest.mark.interpreted
@pytest.mark.parametrize("step", [0.01, -0.003, 1e-7])
def test_m5_a_spread_of_rounding_errors_is_zero(step: float) -> None:
    """A curve that grows by the same fraction each bar: its returns differ in the last bits only."""
    equity = 100.0 * (1 + step) ** np.arange(1, 400)
    returns = metrics.simple_returns(equity, 100.0)
    if step > 1e-6:
        assert returns.std(ddof=1) > 0.0
    assert metrics.volatility(np.full(50, step), periods_per_year=YEAR) == 0.0
    assert math.isnan(metrics.sharpe(np.full(50, 0.1) + np.arange(50) % 2 * 1e-16, periods_per_year=YEAR))
    assert math.isnan(metrics.sharpe(np.full(50, step), periods_per_year=YEAR))
    assert math.isnan(metrics.sortino(np.full(50, 0.1) - np.arange(50) % 2 * 1e-16, periods_per_year=YEAR, mar=0.1))


@pytest.mark.interpreted
def test_m5_no_growth_rate_without_equity() -> None:
    for last in (0.0, -5.0):
        found = metrics.return_metrics([50.0, last], 100.0, periods_per_year=YEAR)
        assert math.isnan(found["cagr"]) and math.isnan(found["calmar"])
        assert found["max_drawdown"] == pytest.approx(1 - last / 100)
        assert found["total_return"] == pytest.approx(last / 100 - 1)
    # a return on nothing is undefined, and so is every mean that contains it; the path's own measures are not
    found = metrics.return_metrics([50.0, -5.0, 20.0], 100.0, periods_per_year=YEAR)
    assert all(math.isnan(found[name]) for name in ("volatility", "sharpe", "sortino"))
    assert found["total_return"] == pytest.approx(-0.8) and found["max_drawdown"] == pytest.approx(1.05)


@pytest.mark.interpreted
def test_m5_too_few_rows_are_nan() -> None:
    nothing = metrics.return_metrics(np.empty(0), 100.0, periods_per_year=YEAR)
    assert all(math.isnan(value) for value in nothing.values())
    single = metrics.return_metrics([101.0], 100.0, periods_per_year=YEAR)
    assert all(math.isnan(single[name]) for name in ("volatility", "sharpe", "sortino", "calmar"))
    assert single["total_return"] == pytest.approx(0.01)


def test_m5_a_growth_rate_beyond_any_float_is_nan() -> None:
    assert math.isnan(metrics.cagr([200.0], 100.0, periods_per_year=525_600))


@pytest.mark.interpreted
@pytest.mark.parametrize("where", [0, 3, 9])
def test_a_nan_makes_every_metric_of_its_column_nan(where: int) -> None:
    equity = walk(10, 2)
    equity[where, 0] = np.nan
    found = metrics.return_metrics(equity, 1e5, periods_per_year=YEAR)
    assert all(math.isnan(value[0]) for value in found.values())
    assert not any(math.isnan(value[1]) for value in found.values())


def test_answers_come_in_the_shape_of_the_question() -> None:
    frame = pd.DataFrame(walk(50, 2), columns=["a", "b"])
    by_column = metrics.max_drawdown(frame, 1e5)
    assert isinstance(by_column, pd.Series) and list(by_column.index) == ["a", "b"]
    assert isinstance(metrics.max_drawdown(frame["a"], 1e5), float)
    assert metrics.max_drawdown(frame.to_numpy(), 1e5).shape == (2,)
    assert metrics.max_drawdown(frame.to_numpy()[:, :1], 1e5).shape == (1,)
    assert metrics.max_drawdown(list(frame["a"]), 1e5) == by_column["a"]


@pytest.mark.parametrize(
    ("equity", "initial", "periods", "error", "part"),
    [
        ([1.0, math.inf], 1.0, YEAR, InputError, "infinite at row 1"),
        (["a", "b"], 1.0, YEAR, InputError, "text"),
        ([1.0], 0.0, YEAR, InputError, "positive"),
        ([1.0], math.nan, YEAR, InputError, "positive"),
        ([1.0], [1.0, 2.0], YEAR, InputError, "shape"),
        ([1.0], 1.0, 0.0, ConfigError, "periods_per_year"),
        ([1.0], 1.0, math.inf, ConfigError, "periods_per_year"),
    ],
)
def test_what_cannot_be_measured_is_refused(equity: Any, initial: Any, periods: float, error: type[Exception], part: str) -> None:
    with pytest.raises(error, match=part):
        metrics.return_metrics(equity, initial, periods_per_year=periods)


@pytest.mark.interpreted
@given(equity=curves, power=st.sampled_from([-20, -1, 3, 30]))
def test_metrics_do_not_depend_on_the_unit_of_money(equity: list[float], power: int) -> None:
    """To the last bit, for units that floats hold exactly."""
    factor = 2.0**power
    here = metrics.return_metrics(equity, 50.0, periods_per_year=YEAR)
    assert same(here, metrics.return_metrics(np.array(equity) * factor, 50.0 * factor, periods_per_year=YEAR))


@pytest.mark.interpreted
@given(equity=curves, more=curves)
def test_a_metric_of_the_path_only_grows(equity: list[float], more: list[float]) -> None:
    before = metrics.return_metrics(equity, 50.0, periods_per_year=YEAR)
    after = metrics.return_metrics([*equity, *more], 50.0, periods_per_year=YEAR)
    assert after["max_drawdown"] >= before["max_drawdown"]
    assert after["longest_drawdown_bars"] >= before["longest_drawdown_bars"]


@pytest.mark.interpreted
def test_m1_deposits_and_withdrawals_are_no_gain() -> None:
    """100 grows by 10 %, 90 come in and nothing happens, half is taken out while the rest falls by 20 %."""
    equity, paid = np.array([[110.0], [200.0], [80.0]]), np.array([[0.0], [90.0], [-100.0]])
    returns, curve = kernels.flow_returns_of(equity, paid, np.array([100.0]))
    np.testing.assert_allclose(returns[:, 0], [0.1, 0.0, -0.2], atol=1e-15)
    np.testing.assert_allclose(curve[:, 0], [110.0, 110.0, 88.0], rtol=1e-15)


def test_m1_without_flows_returns_are_the_simple_ones() -> None:
    equity, initial = walk(200, 3), np.full(3, 1e5)
    returns, curve = kernels.flow_returns_of(equity, np.zeros_like(equity), initial)
    np.testing.assert_array_equal(returns, kernels.simple_returns_of(equity, initial))
    np.testing.assert_allclose(curve, equity, rtol=1e-12)
