"""`Result`: statistics, per-bar frames and what they follow from."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from tests.analytics.example import CLOSE, FILLS, NAN, run_of, small
from tests.metrics import naive_metrics as naive
from vecbt import metrics
from vecbt.analytics.result import Result
from vecbt.analytics.statistics import STATISTICS, write
from vecbt.errors import ConfigError


@pytest.fixture(scope="module")
def result() -> Result:
    return Result(small())


@pytest.fixture(scope="module")
def separate() -> Result:
    return Result(run_of(CLOSE, FILLS, accounts="separate", zone=np.zeros((6, 2))))


def test_stats_are_labelled_in_order(result: Result) -> None:
    stats = result.stats()
    assert isinstance(stats, pd.Series)
    assert list(stats.index) == [row.name for row in STATISTICS]
    assert stats["start"] == pd.Timestamp("2024-01-01", tz="UTC") and stats["end"] == pd.Timestamp("2024-01-06", tz="UTC")
    assert stats["bars"] == 6 and isinstance(stats["bars"], int)
    assert stats["initial"] == 1000.0 and stats["final_equity"] == result.equity.iloc[-1] == 936.0
    assert stats["open_positions"] == 1 and stats["pending_orders"] == 1
    assert not [name for name, value in stats.items() if isinstance(value, np.generic)]


def test_m1_m2_m3_m6_stats_are_the_metrics_of_the_equity(result: Result) -> None:
    stats, equity, initial = result.stats(), list(result.equity), 1000.0
    returns = naive.returns(equity, initial)
    assert stats["total_return"] == pytest.approx(-0.064)
    assert stats["cagr"] == pytest.approx(naive.cagr(equity, initial, 365.0))
    assert stats["volatility"] == pytest.approx(naive.volatility(returns, 365.0))
    assert stats["sharpe"] == pytest.approx(naive.sharpe(returns, 365.0))
    assert stats["sortino"] == pytest.approx(naive.sortino(returns, 365.0))
    assert stats["calmar"] == pytest.approx(naive.calmar(equity, initial, 365.0))
    assert stats["max_drawdown"] == pytest.approx(naive.max_drawdown(equity, initial))
    assert stats["longest_drawdown_bars"] == naive.longest_drawdown_bars(equity, initial)
    assert stats["ulcer"] == pytest.approx(naive.ulcer(equity, initial))
    assert stats["var"] == pytest.approx(naive.var(returns)) and stats["cvar"] == pytest.approx(naive.cvar(returns))


def test_stats_take_rates_per_bar(result: Result) -> None:
    returns = list(result.returns)
    stats = result.stats(rf=0.001, mar=0.002, alpha=0.25)
    assert stats["sharpe"] == pytest.approx(naive.sharpe(returns, 365.0, 0.001))
    assert stats["sortino"] == pytest.approx(naive.sortino(returns, 365.0, 0.002))
    assert stats["var"] == pytest.approx(naive.var(returns, 0.25))


def test_m4_m7_stats_of_trades_and_activity(result: Result) -> None:
    stats = result.stats()
    assert stats["trades"] == 2 and stats["win_rate"] == 0.0 and stats["profit_factor"] == 0.0
    assert stats["expectancy"] == pytest.approx(-36.85)
    assert stats["r_expectancy"] == pytest.approx(-42.0 / 40.0)
    assert stats["average_mae"] == pytest.approx((2 / 11 + 3 / 19) / 2)
    assert stats["average_holding_bars"] == 2.5
    assert stats["exposure_time"] == pytest.approx(5 / 6)
    assert (stats["commission"], stats["slippage"], stats["fees"]) == (4.0, 2.0, 6.0)
    traded = 20 * 11 + 10 * 19 + 20 * 9 + 15 * 22
    assert stats["turnover"] == pytest.approx(traded / result.equity.mean() * 365 / 6)


def test_one_account_per_asset_gives_a_column_each(separate: Result) -> None:
    stats = separate.stats()
    assert isinstance(stats, pd.DataFrame) and list(stats.columns) == ["AAA", "BBB"]
    for n, symbol in enumerate(("AAA", "BBB")):
        alone = Result(run_of([[row[n]] for row in CLOSE], [(t, 0, q, p) for t, a, q, p in FILLS if a == n], symbols=(symbol,)))
        for name, value in alone.stats().items():
            expected = value if isinstance(value, pd.Timestamp) else pytest.approx(value, nan_ok=True)
            assert stats.loc[name, symbol] == expected, name
    for frame in (separate.equity, separate.cash, separate.drawdown, separate.returns, separate.zone):
        assert isinstance(frame, pd.DataFrame) and list(frame.columns) == ["AAA", "BBB"]
    assert list(separate.exposure.columns) == [("gross", "AAA"), ("gross", "BBB"), ("net", "AAA"), ("net", "BBB")]


def test_frames_have_utc_times(result: Result) -> None:
    for series in (result.equity, result.cash, result.drawdown, result.returns, result.zone, result.positions, result.exposure):
        assert series.index.equals(result.times)
    assert str(result.times.tz) == "UTC" and result.times.name == "time"
    assert result.times.equals(result.run.bars.to_pandas().index)


def test_frames_are_the_callers_own(result: Result) -> None:
    for name in ("equity", "drawdown", "positions", "exposure"):
        frame = getattr(result, name)
        frame.iloc[0] = -1.0
        assert not (getattr(result, name).iloc[0] == -1.0).all() if frame.ndim == 2 else getattr(result, name).iloc[0] != -1.0


def test_z1_drawdown_is_the_metric_bar_by_bar(result: Result) -> None:
    np.testing.assert_allclose(result.drawdown, naive.drawdown(list(result.equity), 1000.0), atol=1e-15)
    assert result.drawdown.max() == result.stats()["max_drawdown"] == metrics.max_drawdown(result.equity, 1000.0)


def test_zones_are_ordered_words(result: Result) -> None:
    assert list(result.zone.astype(str)) == ["normal", "normal", "caution", "alert", "emergency", "normal"]
    assert list(result.zone >= "alert") == [False, False, False, True, True, False]
    assert Result(small(zone=None)).zone is None


def test_positions_and_exposure_follow_from_fills(result: Result) -> None:
    np.testing.assert_array_equal(result.positions["AAA"], [0, 20, 20, 0, 0, 0])
    np.testing.assert_array_equal(result.positions["BBB"], [0, -10, -10, -10, 5, 5])
    gross = [0, 20 * 11 + 190, 20 * 12 + 190, 210, 110, 120]  # BBB has no market on the third bar: its mark stays 19
    np.testing.assert_allclose(result.exposure["gross"], gross / result.equity.to_numpy())
    net = [0, 20 * 11 - 190, 20 * 12 - 190, -210, 110, 120]
    np.testing.assert_allclose(result.exposure["net"], net / result.equity.to_numpy())
    np.testing.assert_allclose(result.exposure["net"] * result.equity + result.cash, result.equity)


def test_f14_starting_positions_are_held_from_the_first_bar() -> None:
    result = Result(run_of([[NAN, 20.0], [11.0, 20.0]], [(1, 0, -5.0, 11.0)], positions={"AAA": (5.0, 10.0)}))
    np.testing.assert_array_equal(result.positions["AAA"], [5, 0])
    assert result.run.initial[0] == 1050.0
    assert result.exposure["gross"].iloc[0] == pytest.approx(50 / 1050)  # marked at its entry price until there is a close


def test_multipliers_count() -> None:
    result = Result(run_of([[10.0], [11.0]], [(0, 0, 2.0, 10.0)], symbols=("F",), multiplier=50.0))
    assert result.exposure["gross"].iloc[1] == pytest.approx(2 * 11 * 50 / result.equity.iloc[1])
    assert result.open_positions["unrealized"].iloc[0] == 100.0
    assert result.stats()["turnover"] == pytest.approx(1000 / result.equity.mean() * 365 / 2)


def test_m5_a_run_without_trades_has_no_ratios() -> None:
    result = Result(run_of([[10.0, 20.0]] * 5, []))
    stats = result.stats()
    for name in ("sharpe", "sortino", "calmar", "win_rate", "profit_factor", "expectancy", "r_expectancy"):
        assert math.isnan(stats[name]), name
    assert stats["total_return"] == 0.0 and stats["trades"] == 0 and stats["exposure_time"] == 0.0
    assert "–" in repr(result) or "0.00%" in repr(result)


def test_every_statistic_says_what_it_is(result: Result) -> None:
    assert all(row.meaning and row.label and row.kind and row.group for row in STATISTICS)
    assert len({row.name for row in STATISTICS}) == len(STATISTICS)


def test_short_forms(result: Result, separate: Result) -> None:
    assert "AAA, BBB" in repr(result) and "6 bars" in repr(result) and "sharpe" in repr(result)
    assert "2 accounts" in repr(separate)
    assert "Total return" in result._repr_html_() and "2 accounts" in separate._repr_html_()


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("fraction", 0.1234, "12.34%"),
        ("fraction", -1e-9, "0.00%"),
        ("money", -1234.5, "-1,234.50"),
        ("count", 1234.0, "1,234"),
        ("multiple", 2.5, "2.50×"),
        ("ratio", 1.23456, "1.235"),
        ("number", 252.0, "252"),
        ("number", 35.2345, "35.23"),
        ("ratio", NAN, "–"),
        ("time", "2024-01-01", "2024-01-01"),
    ],
)
def test_values_as_people_read_them(kind: str, value: object, text: str) -> None:
    assert write(kind, value) == text


def test_to_polars(result: Result, separate: Result) -> None:
    pl = pytest.importorskip("polars")
    for name in ("equity", "zone", "positions", "exposure", "orders", "fills", "trades", "open_positions"):
        frame, pandas = result.to_polars(name), getattr(result, name)
        assert len(frame) == len(pandas)
        if "time" in frame.columns:
            assert frame["time"].dtype == pl.Datetime("ns", "UTC")
    assert result.to_polars("exposure").columns == ["time", "gross", "net"]
    assert separate.to_polars("exposure").columns == ["time", "gross_AAA", "gross_BBB", "net_AAA", "net_BBB"]
    assert result.to_polars("orders")["done"].null_count() == 1
    with pytest.raises(ConfigError, match="did you mean 'trades'"):
        result.to_polars("trade")
    with pytest.raises(ConfigError, match="zones were off"):
        Result(small(zone=None)).to_polars("zone")


def test_m5_a_start_without_equity_is_undefined_not_an_error() -> None:
    """A short worth more than the capital: `initial` is negative (F14)."""
    result = Result(run_of([[10.0], [5.0]], [], symbols=("A",), capital=100.0, positions={"A": (-20.0, 10.0)}))
    assert result.run.initial[0] == -100.0
    stats = result.stats()
    of_returns = ("total_return", "cagr", "volatility", "sharpe", "sortino", "calmar", "var", "cvar")
    for name in (*of_returns, "max_drawdown", "longest_drawdown_bars", "ulcer"):
        assert math.isnan(stats[name]), name
    assert result.drawdown.isna().all()


def test_m1_f15_deposits_are_no_gain() -> None:
    """A deposit on the third bar: returns, drawdown and statistics leave it out, money does not."""
    flows = np.zeros((6, 1))
    flows[2] = 999.0
    with_flows, without = Result(small(flows=flows)), Result(small())
    assert with_flows.equity.iloc[-1] == without.equity.iloc[-1] + 999.0
    bases = np.concatenate([[1000.0], with_flows.equity.to_numpy()[:-1]]) + flows[:, 0]
    expected = list(with_flows.equity.to_numpy() / bases - 1)
    np.testing.assert_allclose(with_flows.returns, expected, atol=1e-15)
    grown = list(1000.0 * np.cumprod(1 + np.array(expected)))
    np.testing.assert_allclose(with_flows.drawdown, naive.drawdown(grown, 1000.0), atol=1e-15)
    stats = with_flows.stats()
    assert stats["final_equity"] == 936.0 + 999.0 and stats["total_return"] == pytest.approx(grown[-1] / 1000.0 - 1)
    assert stats["sharpe"] == pytest.approx(naive.sharpe(expected, 365.0)) and stats["var"] == pytest.approx(naive.var(expected))
    assert stats["max_drawdown"] == pytest.approx(naive.max_drawdown(grown, 1000.0))
