"""Returns against a benchmark: formulas, what is compared with what, what is refused (M1, M5; MET-01)."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vecbt as vb
from tests.analytics.example import CLOSE, FILLS, run_of, small
from vecbt.analytics.relative import RELATIVE
from vecbt.analytics.result import Result
from vecbt.errors import ConfigError, InputError

DAYS = pd.date_range("2024-01-01", periods=60, name="time")


def series(seed: int, bars: int = 60, mean: float = 0.001) -> pd.Series:
    return pd.Series(np.random.default_rng(seed).normal(mean, 0.01, bars), index=DAYS[:bars], name=f"s{seed}")


def prices(returns: pd.Series, base: float = 100.0) -> pd.Series:
    return base * (1.0 + returns).cumprod()


def numbers(found: pd.Series) -> np.ndarray:
    return found.drop(["start", "end"]).to_numpy(dtype=float)


def test_M10_every_figure_is_its_formula() -> None:
    r, b = series(1), series(2)
    found = vb.relative(r, b, rf=0.0001)
    assert list(found.index) == list(RELATIVE)
    assert (found["start"], found["end"], found["bars"], found["periods_per_year"]) == (DAYS[0], DAYS[-1], 60, 365.0)
    apart, beta = r - b, r.cov(b) / b.var()
    ratio = ((1 + r).cumprod() / (1 + b).cumprod()).to_numpy()

    def growth(values: pd.Series) -> float:
        return float((1 + values).prod() ** (365.0 / len(values)) - 1)

    wanted = {
        "total_return": (1 + r).prod() - 1,
        "benchmark_total_return": (1 + b).prod() - 1,
        "cagr": growth(r),
        "benchmark_cagr": growth(b),
        "active_return": apart.mean() * 365,
        "tracking_error": apart.std() * math.sqrt(365),
        "information_ratio": apart.mean() / apart.std() * math.sqrt(365),
        "beta": beta,
        "alpha": ((r.mean() - 0.0001) - beta * (b.mean() - 0.0001)) * 365,
        "correlation": r.corr(b),
        "r_squared": r.corr(b) ** 2,
        "up_capture": growth(r[b > 0]) / growth(b[b > 0]),
        "down_capture": growth(r[b < 0]) / growth(b[b < 0]),
        "batting_average": (r > b).mean(),
        "active_drawdown": (1 - ratio / np.maximum.accumulate(np.append(1.0, ratio))[1:]).max(),
    }
    for name, value in wanted.items():
        assert found[name] == pytest.approx(value, rel=1e-9), name
    assert found["capture_ratio"] == pytest.approx(found["up_capture"] / found["down_capture"])


def test_one_arithmetic_the_information_ratio_is_the_sharpe_ratio_of_the_difference() -> None:
    r, b = series(1), series(2)
    found = vb.relative(r, b)
    assert found["information_ratio"] == vb.metrics.sharpe(r - b, periods_per_year=365.0)
    assert found["tracking_error"] == vb.metrics.volatility(r - b, periods_per_year=365.0)


@given(st.integers(0, 2**31), st.sampled_from([0.5, 2.0, 3.0]), st.sampled_from([0.0, 0.001]))
def test_a_levered_benchmark_has_that_beta_and_that_alpha(seed: int, leverage: float, more: float) -> None:
    b = series(seed)
    found = vb.relative(b * leverage + more, b)
    assert found["beta"] == pytest.approx(leverage) and found["correlation"] == pytest.approx(1.0)
    assert found["alpha"] == pytest.approx(more * 365, abs=1e-9)


def test_m5_against_itself_nothing_is_active() -> None:
    r = series(3)
    for other in (r, prices(r)):
        found = vb.relative(r, other)
        assert found["beta"] == pytest.approx(1.0) and found["active_drawdown"] == 0.0 and found["batting_average"] == 0.0
        assert found["tracking_error"] == 0.0 and math.isnan(found["information_ratio"])


@pytest.mark.parametrize("bars", [0, 1, 2, 30])
def test_m5_a_benchmark_that_does_not_move_has_no_beta(bars: int) -> None:
    still = pd.Series(0.0, index=DAYS[:60])
    found = vb.relative(series(1).iloc[:bars] if bars else series(1).mask(series(1).index >= DAYS[0]), still, periods_per_year=365.0)
    for name in ("beta", "alpha", "correlation", "up_capture", "down_capture", "capture_ratio"):
        assert math.isnan(found[name]), name
    assert found["bars"] == bars


def test_m5_an_unknown_return_makes_figures_unknown() -> None:
    r, b = series(1), series(2)
    r.iloc[30] = math.nan
    found = vb.relative(r, b)
    assert found["bars"] == 60 and all(math.isnan(found[name]) for name in RELATIVE[4:] if not name.startswith("benchmark"))


# --- what is compared with what


def test_prices_are_compared_from_their_first_bar_on() -> None:
    """The return of the first price is not known, so the first bar is left out; a price of the day before brings it back."""
    r, b = series(1), series(2)
    short = vb.relative(r, prices(b))
    np.testing.assert_allclose(numbers(short), numbers(vb.relative(r.iloc[1:], b.iloc[1:])), rtol=1e-9)
    before = pd.concat([pd.Series([100.0], index=[DAYS[0] - pd.Timedelta(days=1)]), prices(b)])
    np.testing.assert_allclose(numbers(vb.relative(r, before)), numbers(vb.relative(r, b)), rtol=1e-9)


def test_a_weekly_benchmark_is_compared_week_by_week() -> None:
    r, b = series(1), series(2)
    weekly, curve = prices(b).iloc[::7], (1 + r).cumprod()
    found = vb.relative(r, weekly)
    ours, theirs = curve.iloc[::7].pct_change().iloc[1:], weekly.pct_change().iloc[1:]
    assert found["bars"] == 8 and found["periods_per_year"] == pytest.approx(365.0 / 7)
    assert found["beta"] == pytest.approx(ours.cov(theirs) / theirs.var())
    assert found["total_return"] == pytest.approx(curve.iloc[56] / curve.iloc[0] - 1)


def test_bars_that_one_side_lacks_are_bridged() -> None:
    r, b = series(1), series(2)
    found, alone = vb.relative(r, b.drop(DAYS[[10, 11]])), vb.relative(r, b)
    assert found["bars"] == 58 and found["total_return"] == pytest.approx(alone["total_return"])
    assert found["periods_per_year"] == pytest.approx(365.0 * 58 / 60)


def test_dates_are_compared_where_no_label_is_shared() -> None:
    r, b = series(1), series(2)
    at_close = b.set_axis(DAYS + pd.Timedelta("21h"))
    assert vb.relative(r, at_close).equals(vb.relative(r, b))


def test_M10_no_overlap_is_refused_with_both_ranges() -> None:
    r = series(1)
    with pytest.raises(InputError, match=r"known from 2024-01-01 to 2024-02-29, the benchmark from 2001-01-01 to 2001-03-01"):
        vb.relative(r, series(2).set_axis(pd.date_range("2001-01-01", periods=60)))


def test_returns_without_times_are_compared_bar_by_bar() -> None:
    r, b = series(1), series(2)
    found = vb.relative(r.to_numpy(), b.to_numpy(), periods_per_year=365.0)
    assert np.array_equal(numbers(found), numbers(vb.relative(r, b))) and found["start"] is None
    with pytest.raises(InputError, match="benchmark has 10 bars and the returns have 60"):
        vb.relative(r.to_numpy(), b.to_numpy()[:10], periods_per_year=365.0)


def test_prices_are_told_from_returns_or_asked_for() -> None:
    r, b = series(1), series(2)
    with pytest.raises(ConfigError, match="could be prices or returns"):
        vb.relative(r, b.abs() + 0.001)
    assert vb.relative(r, b.abs() + 0.001, kind="returns")["bars"] == 60
    assert vb.relative(r, prices(b, 0.001), kind="prices")["beta"] == pytest.approx(vb.relative(r, prices(b))["beta"])
    with pytest.raises(ConfigError, match="did you mean 'prices'"):
        vb.relative(r, b, kind="price")
    with pytest.raises(InputError, match="prices must be positive"):
        vb.relative(r, b, kind="prices")
    with pytest.raises(InputError, match=r"benchmark has 2 columns \(a, b\)"):
        vb.relative(r, pd.DataFrame({"a": b, "b": b}))


def test_a_column_of_a_table_is_a_benchmark_of_the_others() -> None:
    table = pd.DataFrame({"a": series(1), "b": series(2), "c": series(3)})
    found = vb.relative(table, "b")
    assert list(found.columns) == ["a", "c"]
    assert found["c"].equals(vb.relative(table["c"], table["b"]).rename("c"))
    with pytest.raises(ConfigError, match="neither a symbol nor a column"):
        vb.relative(table, "d")


def test_rolling_beta_and_correlation_are_those_of_each_stretch() -> None:
    r, b = series(1), series(2).drop(DAYS[[10, 11]])
    found = vb.rolling_metrics(r, 20, ("beta", "correlation", "sharpe"), benchmark=b)
    assert list(found.columns) == ["beta", "correlation", "sharpe"]
    alone = vb.relative(r.iloc[40:], b.iloc[38:])
    assert found["beta"].iloc[-1] == pytest.approx(alone["beta"]) and found["correlation"].iloc[-1] == pytest.approx(alone["correlation"])
    known = np.flatnonzero(found["beta"].notna())
    assert known[0] == 21 and len(known) == 39  # the window fills with the twentieth bar that both have
    curves = vb.rolling_metrics(r, 20, "beta", benchmark=prices(series(2)))
    assert curves["beta"].iloc[-1] == pytest.approx(vb.relative(r.iloc[40:], series(2).iloc[40:])["beta"])
    with pytest.raises(ConfigError, match="beta need a benchmark"):
        vb.rolling_metrics(r, 20, "beta")


# --- results


def test_a_symbol_of_the_bars_is_bought_and_held_at_the_prices_strategies_read() -> None:
    """T9: the split of bar 3 is no loss."""
    close = np.array([[10.0, 20.0], [11.0, 19.0], [12.0, math.nan], [4.5, 21.0], [5.0, 22.0], [6.5, 24.0]])
    splits = np.full(close.shape, math.nan)
    splits[3, 0] = 2.0
    bars = vb.Bars.from_numpy(
        close, close, close, close, index=pd.date_range("2024-01-01", periods=6, tz="UTC"), symbols=("AAA", "BBB"), splits=splits,
        asset_class="crypto", missing="no_market", delisting="hold",
    )  # fmt: skip
    result = vb.backtest(bars, vb.Weights(np.full(close.shape, 0.5)), costs=vb.Costs.free())
    held = pd.Series([10.0, 11.0, 12.0, 9.0, 10.0, 13.0], index=pd.date_range("2024-01-01", periods=6, tz="UTC"))
    assert numbers(result.relative("AAA")).tolist() == pytest.approx(numbers(result.relative(held)).tolist(), nan_ok=True)
    assert result.relative("AAA")["benchmark_total_return"] == pytest.approx(0.3)
    assert (
        math.isnan(result.rolling(3, "beta", benchmark="AAA")["beta"].iloc[2]) and result.rolling(3, "beta", benchmark="AAA").iloc[3, 0] > 0
    )
    assert result.relative("BBB")["bars"] == 4  # one bar without a market, and the first has no return
    with pytest.raises(ConfigError, match="did you mean 'AAA'"):
        result.relative("AAB")


def test_results_are_compared_with_results() -> None:
    ours, other = Result(small()), Result(run_of(CLOSE, FILLS[:2]))
    found = ours.relative(other)
    assert found["bars"] == 6 and found["total_return"] == pytest.approx(ours.stats()["total_return"])
    assert found["benchmark_total_return"] == pytest.approx(other.stats()["total_return"])
    np.testing.assert_allclose(numbers(found), numbers(vb.relative(ours.returns, other.returns)), rtol=1e-9)
    with pytest.raises(InputError, match="benchmark has 2 columns"):
        ours.relative(Result(run_of(CLOSE, FILLS, accounts="separate")))
