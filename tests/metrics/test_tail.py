"""Value at risk and expected shortfall (M3)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.metrics import naive_metrics as naive
from vecbt import metrics
from vecbt.core.state import records
from vecbt.errors import ConfigError
from vecbt.metrics import tail

returns = st.lists(st.integers(-64, 64).map(lambda v: v / 256), min_size=1, max_size=60)
shares = st.sampled_from([0.01, 0.05, 0.1, 0.25, 0.5])


@pytest.mark.interpreted
def test_m3_by_hand() -> None:
    """Ranks of 21 returns at 5 % fall on the second smallest; of 11 returns halfway between the first and the second."""
    values = [0.01 * k for k in range(-10, 11)]
    assert metrics.var(values) == pytest.approx(0.09)
    assert metrics.cvar(values) == pytest.approx(0.095)
    assert metrics.var(values[:11]) == pytest.approx(0.095)
    assert metrics.cvar(values[:11]) == pytest.approx(0.10)
    assert metrics.var([0.02]) == pytest.approx(-0.02) and metrics.cvar([0.02]) == pytest.approx(-0.02)


@pytest.mark.interpreted
@given(values=returns, alpha=shares)
def test_equals_the_slow_twin(values: list[float], alpha: float) -> None:
    assert metrics.var(values, alpha=alpha) == pytest.approx(naive.var(values, alpha), abs=1e-15)
    assert metrics.cvar(values, alpha=alpha) == pytest.approx(naive.cvar(values, alpha), abs=1e-15)


@given(values=returns, alpha=shares)
def test_the_quantile_is_numpys(values: list[float], alpha: float) -> None:
    assert metrics.var(values, alpha=alpha) == pytest.approx(-np.quantile(values, alpha), abs=1e-12)


@given(values=returns, alpha=shares)
def test_cvar_is_at_least_var(values: list[float], alpha: float) -> None:
    assert metrics.cvar(values, alpha=alpha) >= metrics.var(values, alpha=alpha) - 1e-15


def test_m3_a_rank_that_rounding_misses_is_still_that_rank() -> None:
    """5 % of 20 k bars is a whole rank however it is rounded: the return at that rank belongs to the tail."""
    for k in range(1, 60):
        values = -np.arange(20 * k + 1, dtype=float)[::-1]
        worst = np.sort(values)[: k + 1]
        assert metrics.var(values) == -worst[-1]
        assert metrics.cvar(values) == pytest.approx(-worst.mean(), rel=1e-13)


@pytest.mark.interpreted
@given(values=st.lists(st.integers(-64, 64).map(lambda v: v / 256), min_size=1, max_size=30), window=st.integers(1, 12))
def test_d1_a_stream_keeps_the_last_window(values: list[float], window: int) -> None:
    state, params, out = records(tail.TAIL_STATE, 1), tail.tail_params(0.05, window), records(tail.TAIL_METRICS, 1)
    buffer, scratch = np.zeros(window), np.zeros(window)
    tail.tail_init(state[0])
    for t, value in enumerate(values):
        tail.tail_step(state[0], params[0], buffer, value)
        tail.tail_metrics(state[0], params[0], buffer, scratch, out[0])
        last = values[max(0, t + 1 - window) : t + 1]
        assert out[0].value_at_risk == metrics.var(last)
        assert out[0].shortfall == pytest.approx(metrics.cvar(last), abs=1e-15)


def test_columns() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(0, 0.01, (400, 3))
    np.testing.assert_array_equal(metrics.var(values), [metrics.var(values[:, n]) for n in range(3)])
    np.testing.assert_allclose(metrics.cvar(values), [naive.cvar(list(values[:, n])) for n in range(3)], rtol=1e-12)


@pytest.mark.interpreted
def test_m5_without_rows_and_with_nan() -> None:
    for function in (metrics.var, metrics.cvar):
        assert math.isnan(function(np.empty(0)))
        assert math.isnan(function([0.01, math.nan, -0.01]))


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, math.nan])
def test_a_share_outside_zero_to_one_is_refused(alpha: float) -> None:
    with pytest.raises(ConfigError, match="alpha"):
        metrics.var([0.1], alpha=alpha)


@pytest.mark.parametrize("shape", ["random", "rising", "falling", "few values", "waves"])
@pytest.mark.parametrize("count", [599, 601, 602, 5000])
def test_long_rows_of_any_order(shape: str, count: int) -> None:
    rng = np.random.default_rng(count)
    values = rng.normal(0, 0.01, count)
    values = {
        "random": values,
        "rising": np.sort(values),
        "falling": np.sort(values)[::-1],
        "few values": np.round(values, 2),
        "waves": np.sin(np.arange(count)),
    }[shape]
    for alpha in (0.001, 0.05, 0.5, 0.95, 0.999):
        assert metrics.var(values, alpha=alpha) == pytest.approx(naive.var(list(values), alpha), abs=1e-15)
        assert metrics.cvar(values, alpha=alpha) == pytest.approx(naive.cvar(list(values), alpha), abs=1e-14)


@pytest.mark.parametrize("order", ["random", "rising", "falling", "equal", "sampled ones low", "sampled ones high"])
@pytest.mark.parametrize("count", [tail._MANY - 1, tail._MANY, 43_219])
def test_m3_a_sample_that_deceives_changes_nothing(order: str, count: int) -> None:
    """Of many values only those that may matter are kept, as a sample says."""
    rng = np.random.default_rng(count)
    values = rng.normal(0, 0.01, count)
    step = max(tail._STEP, count // tail._SAMPLE)
    sampled = np.arange(count // step) * step
    values = {"random": values, "rising": np.sort(values), "falling": np.sort(values)[::-1].copy(), "equal": np.full(count, 0.25)}.get(
        order, values
    )
    if order.startswith("sampled"):
        values[sampled] = rng.normal(-0.1 if order.endswith("low") else 0.1, 0.001, len(sampled))
    for alpha in (1e-5, 0.01, 0.05, 0.9, 0.9999):
        expected = np.quantile(values, alpha)
        assert metrics.var(values, alpha=alpha) == pytest.approx(-expected, abs=1e-12)
        assert metrics.cvar(values, alpha=alpha) == pytest.approx(-values[values <= expected + 1e-12].mean(), abs=1e-12)
    values[count // 2 + 1] = math.nan
    assert math.isnan(metrics.var(values)) and math.isnan(metrics.cvar(values))
