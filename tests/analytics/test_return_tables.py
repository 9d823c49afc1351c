"""Tables of returns of any origin: calendar, drawdowns, rolling metrics, value at risk (M1, M3, M5, M6; MET-01)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vecbt as vb
from tests.analytics.example import CLOSE, FILLS, run_of, small
from tests.metrics import naive_metrics as naive
from vecbt.analytics import return_tables
from vecbt.analytics.periods import PERIODS, group_names, spans
from vecbt.analytics.result import Result
from vecbt.analytics.return_tables import RETURN_STATISTICS
from vecbt.errors import ConfigError, InputError

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def series(bars: int = 300, seed: int = 0, start: str = "2023-11-20") -> pd.Series:
    values = np.random.default_rng(seed).normal(0.0, 0.01, bars)
    return pd.Series(values, index=pd.bdate_range(start, periods=bars), name="x")


@pytest.fixture(scope="module")
def result() -> Result:
    return Result(small())


# --- statistics


def test_stats_of_returns_are_those_of_the_result(result: Result) -> None:
    ours, found = result.stats(mar=0.001, alpha=0.2), vb.stats(result, mar=0.001, alpha=0.2)
    assert list(found.index) == list(RETURN_STATISTICS)
    shared = [name for name in RETURN_STATISTICS if name in ours.index]
    assert {"sharpe", "omega", "skew", "max_drawdown", "best_month", "downside_deviation", "positive_bars", "start"} <= set(shared)
    for name in shared:
        if isinstance(ours[name], pd.Timestamp):
            assert found[name] == ours[name]
        else:
            assert found[name] == pytest.approx(ours[name], rel=1e-12, nan_ok=True), name
    assert found["sharpe"] == ours["sharpe"] == vb.stats(result.returns, periods_per_year=365.0)["sharpe"]


def test_m1_bars_a_year_come_from_the_times_or_must_be_given() -> None:
    given_ = series()
    assert vb.stats(given_)["periods_per_year"] == vb.Bars.from_pandas(_bars_of(given_)).periods_per_year
    every_day = given_.set_axis(pd.date_range("2023-01-01", periods=300))
    assert vb.stats(every_day)["periods_per_year"] == 365.0
    assert vb.stats(given_, periods_per_year=10.0)["periods_per_year"] == 10.0
    with pytest.raises(ConfigError, match="periods_per_year is missing"):
        vb.stats(given_.to_numpy())
    with pytest.raises(ConfigError, match="finite and positive"):
        vb.stats(given_, periods_per_year=0.0)


def _bars_of(values: pd.Series) -> pd.DataFrame:
    price = 100.0 * (1.0 + values).cumprod()
    return pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), price))


def test_m5_a_column_begins_at_its_first_return_and_gaps_are_unknown() -> None:
    whole = series()
    table = pd.DataFrame(
        {"whole": whole, "late": whole.where(whole.index > whole.index[49]), "gap": whole.mask(whole.index == whole.index[9])}
    )
    found = vb.stats(table)
    alone = vb.stats(whole.iloc[50:], periods_per_year=found.loc["periods_per_year", "late"])
    assert found["late"].equals(alone.rename("late"))
    assert found.loc["bars", "late"] == 250 and found.loc["start", "late"] == whole.index[50]
    unknown = [name for name in RETURN_STATISTICS if isinstance(found.loc[name, "gap"], float) and math.isnan(found.loc[name, "gap"])]
    assert set(RETURN_STATISTICS) - set(unknown) == {"start", "end", "bars", "periods_per_year"}


@pytest.mark.parametrize("values", [[], [math.nan], [0.0, 0.0], [0.01]])
def test_m5_short_and_flat_series_are_no_errors(values: list[float]) -> None:
    given_ = pd.Series(values, index=pd.date_range("2024-01-01", periods=len(values)), dtype=float)
    assert math.isnan(vb.stats(given_, periods_per_year=365.0)["sharpe"])
    assert vb.drawdowns(given_).empty
    assert len(vb.rolling_metrics(given_, 2, periods_per_year=365.0)) == len(values)
    assert vb.value_at_risk(given_).shape == (2, 7)
    assert len(vb.monthly_returns(given_)) == len(vb.yearly_returns(given_)) == (1 if values else 0)
    assert len(vb.returns_by(given_, "weekday")) == len(values)


def test_input_that_cannot_be_read_is_refused() -> None:
    given_ = series(10)
    with pytest.raises(InputError, match=r"times of returns must rise; after 2023-11-21 comes 2023-11-20"):
        vb.stats(given_.iloc[[1, 0, 2]])
    with pytest.raises(InputError, match="infinite at row 2"):
        vb.stats(given_.replace(given_.iloc[2], math.inf))
    with pytest.raises(InputError, match="NaT"):
        vb.stats(given_.set_axis(given_.index.where(given_.index != given_.index[3])))
    with pytest.raises(ConfigError, match="no times"):
        vb.monthly_returns(given_.to_numpy())
    with pytest.raises(ConfigError, match="did you mean 'weekday'"):
        vb.returns_by(given_, "weekdays")
    with pytest.raises(ConfigError, match="most is 0"):
        vb.drawdowns(given_, most=0)
    with pytest.raises(ConfigError, match="did you mean 'sharpe'"):
        vb.rolling_metrics(given_, 3, "sharp")


def test_m5_a_ruined_account_has_no_ratio_by_either_way() -> None:
    """Its last returns are unknown, not missing."""
    result = Result(run_of([[10.0], [11.0], [1.0], [2.0]], [(0, 0, 100.0, 10.0), (1, 0, 300.0, 11.0)], symbols=("A",)))
    ours, found = result.stats(), vb.stats(result)
    assert result.returns.isna().tolist() == [False, False, False, True] and found["bars"] == ours["bars"] == 4
    for name in ("sharpe", "skew", "omega", "worst_month"):
        assert math.isnan(ours[name]) == math.isnan(found[name]) == (name != "worst_month"), name


# --- the calendar


def test_months_years_and_their_parts_are_compounded_returns() -> None:
    given_ = series(400)
    table = vb.monthly_returns(given_)
    assert list(table.columns) == [*MONTHS, "total"] and list(table.index) == [2023, 2024, 2025]
    for year, row in table.iterrows():
        inside = given_[given_.index.year == year]
        assert row["total"] == pytest.approx((1.0 + inside).prod() - 1.0)
        for number, name in enumerate(MONTHS, 1):
            part = inside[inside.index.month == number]
            assert row[name] == pytest.approx((1.0 + part).prod() - 1.0 if len(part) else math.nan, nan_ok=True)
    assert vb.yearly_returns(given_).to_dict() == table["total"].to_dict()


@pytest.mark.parametrize(("kind", "offset"), [("year", "YS"), ("quarter", "QS"), ("month", "MS"), ("week", "W-SUN"), ("day", "D")])
def test_periods_are_those_of_pandas(kind: str, offset: str) -> None:
    given_ = series(400)
    wanted = (1.0 + given_).resample(offset).prod() - 1.0
    wanted = wanted[given_.resample(offset).count() > 0]
    found = vb.returns_by(given_, kind)
    np.testing.assert_allclose(found.to_numpy(), wanted.to_numpy(), atol=1e-12)
    starts = wanted.index - pd.Timedelta(days=6) if kind == "week" else wanted.index
    assert list(found.index) == list(starts) and found.index.name == kind


@given(st.lists(st.integers(-5_000, 20_000), min_size=1, max_size=40), st.sampled_from(PERIODS))
def test_every_bar_is_in_one_period(days: list[int], kind: str) -> None:
    dates = np.sort(np.array(days, dtype=np.int64))
    found = spans(dates, kind)
    assert found.first[0] == 0 and found.past[-1] == len(dates)
    assert (found.first[1:] == found.past[:-1]).all() and (found.past > found.first).all()
    assert (found.days <= dates[found.first]).all()
    unit = {"year": "M8[Y]", "month": "M8[M]", "day": "M8[D]"}.get(kind)
    if unit is not None:
        assert len(found.days) == len(np.unique(dates.astype("M8[D]").astype(unit)))


def test_weekdays_and_months_of_the_year_are_groups_of_days_and_months() -> None:
    given_ = series(300)
    hours = pd.Series(np.repeat(given_.to_numpy() / 2, 2), index=np.sort(np.concatenate([given_.index, given_.index + pd.Timedelta("1h")])))
    table = vb.returns_by(hours, "weekday")
    daily = (1.0 + hours).resample("D").prod()[lambda s: s.index.day_of_week < 5] - 1.0
    assert list(table.index) == ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]
    for number, (_, row) in enumerate(table.iterrows()):
        part = daily[daily.index.day_of_week == number]
        assert row["count"] == len(part)
        wanted = [part.mean(), part.median(), part.std(), (part > 0).mean(), part.max(), part.min(), (1 + part).prod() - 1]
        np.testing.assert_allclose(row.iloc[1:].to_numpy(dtype=float), wanted, atol=1e-12)
    months = vb.returns_by(given_, "month_of_year")
    assert months["count"].sum() == len(vb.returns_by(given_, "month"))
    names, places = group_names(np.array([0, 31, 365]), "month_of_year")
    assert names == ["January", "February"] and list(places) == [0, 1, 0]


def test_b3_a_result_has_the_months_of_its_sessions() -> None:
    """Bars of one hour whose session starts at 18:00: the first of February until then belongs to January."""
    index = pd.date_range("2024-02-01 16:00", periods=4, freq="h", tz="UTC")
    price = [100.0, 110.0, 121.0, 133.1]
    bars = vb.Bars.from_numpy(price, price, price, price, index=index, symbols=("A",), session_start="18:00", periods_per_year=1_000.0)
    found = vb.backtest(bars, vb.Quantities(np.ones((4, 1))), costs=vb.Costs.free(), initial_capital=100.0, fill="close")
    assert list(found.returns_by("month").index) == [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-02-01")]
    np.testing.assert_allclose(found.returns_by("month"), [0.1, 133.1 / 110.0 - 1.0])
    whole = found.monthly_returns()
    assert whole.loc[2024, "total"] == pytest.approx(found.stats()["total_return"])
    assert (1 + whole.loc[2024, "Jan"]) * (1 + whole.loc[2024, "Feb"]) == pytest.approx(1 + whole.loc[2024, "total"])


def test_a_result_with_an_account_for_each_asset_has_rows_and_columns_by_symbol() -> None:
    separate = Result(run_of(CLOSE, FILLS, accounts="separate"))
    assert list(separate.yearly_returns().columns) == ["AAA", "BBB"]
    assert [name for name, _ in separate.monthly_returns().index] == ["AAA", "BBB"]
    assert set(separate.drawdowns()["column"]) <= {"AAA", "BBB"}
    assert list(separate.rolling(3, ("sharpe", "ulcer")).columns) == [(m, s) for m in ("sharpe", "ulcer") for s in ("AAA", "BBB")]
    assert list(separate.relative(separate.returns["AAA"]).columns) == ["AAA", "BBB"]


# --- drawdowns


def test_m6_a_sheet_of_drawdowns_by_hand() -> None:
    """100, 90, 95, 100 again; 120, 60, 90 to the end: a tenth recovered on the fourth bar, a half not yet."""
    curve = np.array([100.0, 90.0, 95.0, 100.0, 120.0, 60.0, 90.0])
    given_ = pd.Series(curve / np.append(100.0, curve[:-1]) - 1.0, index=pd.date_range("2024-01-01", periods=7))
    found, day = vb.drawdowns(given_), given_.index
    assert list(found["depth"].round(12)) == [0.5, 0.1]
    assert list(found["peak"]) == [day[4], day[0]] and list(found["trough"]) == [day[5], day[1]]
    assert found["recovery"].isna().tolist() == [True, False] and found["recovery"].iloc[1] == day[3]
    assert found[["length", "to_trough", "to_recovery"]].to_numpy().tolist() == [[2, 1, -1], [3, 1, 2]]
    assert len(vb.drawdowns(given_, most=1)) == 1
    numbered = vb.drawdowns(given_.to_numpy())
    assert numbered[["peak", "trough", "recovery"]].to_numpy().tolist() == [[4, 5, -1], [0, 1, 3]]


def test_m2_a_loss_on_the_first_bar_falls_from_the_start() -> None:
    found = vb.drawdowns(np.array([-0.5, 1.0]))
    assert found[["peak", "trough", "recovery", "length"]].to_numpy().tolist() == [[-1, 0, 1, 2]]


@given(st.integers(0, 2**31), st.integers(1, 60))
def test_m6_the_deepest_and_the_longest_are_the_statistics(seed: int, bars: int) -> None:
    values = np.random.default_rng(seed).choice([-0.1, -0.05, 0.0, 0.05, 0.12], bars)
    found, stats = vb.drawdowns(values), vb.stats(values, periods_per_year=252.0)
    assert found["depth"].max() == stats["max_drawdown"] if len(found) else stats["max_drawdown"] == 0.0
    assert (found["length"].max() if len(found) else 0) == stats["longest_drawdown_bars"]
    depths = naive.drawdown(list(np.cumprod(1.0 + values)), 1.0)
    for row in found.itertuples():
        assert row.depth == pytest.approx(depths[row.trough]) and row.to_trough == row.trough - row.peak
        assert row.peak == -1 or depths[row.peak] == 0.0
        assert all(depth > 0.0 for depth in depths[row.peak + 1 : row.recovery if row.recovery >= 0 else None])
    assert list(found["depth"]) == sorted(found["depth"], reverse=True)


# --- rolling metrics and tails


@pytest.mark.parametrize("every", [2, 7, 1000])
@pytest.mark.parametrize("pieces", [10, 4_000_000])
def test_rolling_metrics_of_some_bars_are_those_of_all_bars_there(every: int, pieces: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the last bit, of returns with gaps, late beginnings and a benchmark; the last bar is among them."""
    monkeypatch.setattr(return_tables, "_CELLS", pieces)
    rng = np.random.default_rng(4)
    values = pd.DataFrame(rng.normal(0.0, 0.02, (61, 3)), index=pd.date_range("2024-01-01", periods=61), columns=list("abc"))
    values.iloc[:9, 1], values.iloc[30, 2] = np.nan, np.nan
    more = {"benchmark": pd.Series(rng.normal(0.0, 0.02, 61), index=values.index), "rf": 0.0001}
    names = ("sharpe", "ulcer", "total_return", "max_drawdown", "beta", "correlation")
    whole, some = vb.rolling_metrics(values, 20, names, **more), vb.rolling_metrics(values, 20, names, every=every, **more)
    pd.testing.assert_frame_equal(some, whole.iloc[::-1].iloc[::every].iloc[::-1], check_exact=True, check_freq=False)
    assert some.index[-1] == values.index[-1]


def test_every_is_a_whole_number() -> None:
    for every in (0, 1.5, True):
        with pytest.raises(ConfigError, match="every is"):
            vb.rolling_metrics([0.1, 0.2], 2, periods_per_year=1.0, every=every)


def test_rolling_metrics_are_those_of_each_stretch(result: Result) -> None:
    given_ = series(60)
    table = vb.rolling_metrics(given_, 20, ("sharpe", "total_return", "max_drawdown"), rf=0.0001)
    assert list(table.columns) == ["sharpe", "total_return", "max_drawdown"] and table.index.equals(given_.index.rename("time"))
    assert table.iloc[:19].isna().all().all()
    for t in (19, 40, 59):
        alone = vb.stats(given_.iloc[t - 19 : t + 1], periods_per_year=vb.stats(given_)["periods_per_year"], rf=0.0001)
        for name in table.columns:
            assert table[name].iloc[t] == pytest.approx(alone[name], rel=1e-9)
    rolled = result.rolling(3)
    assert rolled["sharpe"].iloc[-1] == vb.metrics.sharpe(result.returns.iloc[-3:], periods_per_year=365.0)


def test_m5_windows_with_an_unknown_return_are_unknown() -> None:
    given_ = series(30)
    given_.iloc[[0, 15]] = math.nan
    table = vb.rolling_metrics(given_, 5, ("sharpe", "total_return"))
    known = table["total_return"].notna()
    assert list(np.flatnonzero(known)) == [*range(5, 15), *range(20, 30)] and (table["sharpe"].notna() == known).all()


def test_m3_value_at_risk_by_three_methods_and_levels(result: Result) -> None:
    table = pd.DataFrame({"a": series(200), "b": series(200, 1)})
    found = vb.value_at_risk(table, (0.01, 0.1))
    assert list(found.index) == [("a", 0.01), ("a", 0.1), ("b", 0.01), ("b", 0.1)]
    for method, prefix in (("historical", ""), ("parametric", "parametric_"), ("cornish_fisher", "cornish_fisher_")):
        wanted = vb.metrics.var(table, alpha=0.1, method=method)
        assert found.loc[("b", 0.1), f"{prefix}var"] == wanted["b"]
        assert found.loc[("b", 0.1), f"{prefix}cvar"] == vb.metrics.cvar(table, alpha=0.1, method=method)["b"]
    assert result.value_at_risk(0.05).loc[0.05, "var"] == result.stats()["var"]


# --- new statistics of a result


def test_met01_new_statistics_of_a_result_are_what_they_say(result: Result) -> None:
    stats, returns = result.stats(mar=0.001), list(result.returns)
    assert stats["omega"] == pytest.approx(naive.omega(returns, 0.001))
    assert stats["downside_deviation"] == pytest.approx(naive.downside_deviation(returns, 365.0, 0.001))
    assert stats["skew"] == pytest.approx(naive.skew(returns)) and stats["kurtosis"] == pytest.approx(naive.kurtosis(returns))
    assert (stats["best_bar"], stats["worst_bar"]) == (max(returns), min(returns))
    assert stats["positive_bars"] == np.mean(np.array(returns) > 0.0)
    assert stats["best_month"] == stats["worst_month"] == pytest.approx(-0.064) and stats["positive_months"] == 0.0
    assert (stats["average_win"], stats["average_loss"]) == (pytest.approx(math.nan, nan_ok=True), pytest.approx(36.85))
    assert (stats["best_trade"], stats["worst_trade"], stats["longest_losing_streak"]) == (-31.7, -42.0, 2)
    assert (stats["long_trades"], stats["short_trades"], stats["long_pnl"], stats["short_pnl"]) == (1, 1, -42.0, -31.7)
    assert stats["longest_holding_bars"] == 3 and isinstance(stats["longest_winning_streak"], int)


def test_met02_what_a_monitor_shows_stands_at_the_end_of_the_statistics(result: Result) -> None:
    """Return, drawdown, open longs and shorts, exposure."""
    stats = result.stats()
    assert (stats["open_positions"], stats["open_longs"], stats["open_shorts"]) == (1, 1, 0)
    assert stats["gross_exposure"] == stats["net_exposure"] == result.exposure["gross"].iloc[-1]
    assert stats["current_drawdown"] == result.drawdown.iloc[-1]


def test_pfm04_metrics_of_a_portfolio_come_from_its_result(result: Result) -> None:
    """Value, profit, Sharpe ratio, drawdown, win rate, counts."""
    wanted = ("final_equity", "profit", "sharpe", "max_drawdown", "win_rate", "trades", "open_positions")
    assert all(name in result.stats().index for name in wanted)


# --- polars


POLARS: list[Callable[[Any], Any]] = [
    vb.stats, vb.monthly_returns, vb.yearly_returns, vb.drawdowns, vb.value_at_risk, lambda r: vb.returns_by(r, "weekday"),
    lambda r: vb.rolling_metrics(r, 5), lambda r: vb.returns_by(r, "month"),
]  # fmt: skip


@pytest.mark.parametrize("function", POLARS)
@pytest.mark.parametrize("columns", [1, 2])
def test_polars_frames_give_polars_frames_with_the_same_numbers(function: Callable[[Any], Any], columns: int) -> None:
    pl = pytest.importorskip("polars")
    table = pd.DataFrame({f"c{k}": series(100, k) for k in range(columns)})
    frame = pl.DataFrame({"date": pl.Series(table.index.to_numpy())} | {name: table[name].to_numpy() for name in table})
    found, wanted = function(frame), function(table if columns > 1 else table["c0"])
    assert isinstance(found, pl.DataFrame)
    numbers = [v for row in found.rows() for v in row if isinstance(v, int | float) and not isinstance(v, bool)]
    if function is vb.stats:
        assert found["sharpe"].to_list() == (list(wanted.loc["sharpe"]) if columns > 1 else [wanted["sharpe"]])
    else:
        flat = (wanted.to_frame() if wanted.ndim == 1 else wanted).select_dtypes("number").to_numpy().ravel()
        assert set(np.round(flat[~np.isnan(flat)], 12)) <= set(np.round(np.array(numbers, dtype=float), 12))


def test_polars_times_keep_their_zone_and_several_are_refused() -> None:
    pl = pytest.importorskip("polars")
    values = series(40)
    times = pl.Series("time", values.index.to_numpy()).dt.replace_time_zone("America/New_York")
    frame = pl.DataFrame({"time": times, "x": values.to_numpy()})
    local = values.tz_localize("America/New_York")
    np.testing.assert_array_equal(vb.monthly_returns(frame)["total"].to_numpy(), vb.monthly_returns(local)["total"].to_numpy())
    assert vb.stats(frame)["start"].to_list()[0] == local.index[0].to_pydatetime()
    with pytest.raises(InputError, match="several columns of times"):
        vb.stats(frame.with_columns(other=times))
    with pytest.raises(InputError, match="rows without a time"):
        vb.stats(pl.DataFrame({"time": [None, *times[1:].to_list()], "x": values.to_numpy()}))
