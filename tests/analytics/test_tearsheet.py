"""What a tear sheet tells: months, drawdowns, rolling figures and costs beside slow twins; what its charts are drawn from; evidence."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.analytics.example import NAN, run_of, small
from tests.analytics.test_report import Page, embedded
from vecbt.analytics.curves import Curves
from vecbt.analytics.result import Result
from vecbt.analytics.sheet import Sheet
from vecbt.analytics.sheet_charts import MOST_TRADES, candles, curve_lines, numbers, time_steps, trade_points
from vecbt.analytics.sheet_data import cost_rows, drawdown_table, monthly_table, rolling_table, rolling_window, whole_curve
from vecbt.analytics.sheet_sections import month_color
from vecbt.data.bars import Bars
from vecbt.engine.run import Run
from vecbt.errors import ConfigError


def days(count: int, start: str = "2020-01-15") -> pd.DatetimeIndex:
    return pd.date_range(start, periods=count, freq="D", tz="UTC")


def walk(count: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0005, 0.01, count)


def large(bars: int, *, seed: int = 2) -> Run:
    """One asset of many minute bars, with spikes: what a thinned picture must not lose."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 1e-4, (bars, 1)), axis=0))
    high, low = close * 1.0002, close * 0.9998
    high[bars // 3], low[2 * bars // 3] = 400.0, 10.0
    index = np.datetime64("2020-01-01", "ns") + np.arange(bars) * 60_000_000_000
    equity = 1e5 + 100 * close
    equity[bars // 5], equity[bars // 2] = 500_000.0, 50_000.0
    made = Bars.from_numpy(close, high, low, close, index=index, symbols=("A",), periods_per_year=525_600.0, missing="no_market")
    begun = run_of(close[:2], [], symbols=("A",))
    return dataclasses.replace(begun, bars=made, equity=equity, cash=equity, zone=None)


# --- tables ------------------------------------------------------------------------------------------------------------


def test_m1_months_are_products_of_their_bars() -> None:
    times, returns = days(800), walk(800)
    months = monthly_table(times, returns)
    series = pd.Series(1.0 + returns, index=times)
    for (year, month), part in series.groupby([times.year, times.month]):
        assert months.loc[year, month] == pytest.approx(part.prod() - 1.0, rel=1e-12)
    for year, part in series.groupby(times.year):
        assert months.loc[year, "year"] == pytest.approx(part.prod() - 1.0, rel=1e-12)
    assert months.shape == (3, 13) and np.isfinite(months.to_numpy()).sum() == 27 + 3  # from January 2020 to March 2022
    assert np.isnan(monthly_table(days(5), np.full(5, 0.01)).loc[2020, 2])


def test_months_far_apart_are_not_run_together() -> None:
    """Two Januaries with nothing between them are two months."""
    times = pd.DatetimeIndex(["2020-01-31", "2021-01-04"], tz="UTC")
    months = monthly_table(times, np.array([0.1, -0.2]))
    assert months.loc[2020, 1] == pytest.approx(0.1) and months.loc[2021, 1] == pytest.approx(-0.2)


def test_m6_drawdowns_beside_a_loop() -> None:
    times, growth = days(600), np.cumprod(1.0 + walk(600, seed=8))
    found = drawdown_table(times, growth, count=1000)
    level, stamps = [1.0, *growth.tolist()], [pd.NaT, *times]
    slow, k = [], 1
    while k < len(level):
        peak = max(level[:k])
        if level[k] >= peak:
            k += 1
            continue
        past = k
        begun = max(j for j in range(k) if level[j] == peak)
        while past < len(level) and level[past] < peak:
            past += 1
        trough = min(range(k, past), key=level.__getitem__)
        recovered = past < len(level)
        end = past if recovered else len(level) - 1
        slow.append((1.0 - level[trough] / peak, stamps[begun], stamps[trough], stamps[past] if recovered else pd.NaT, end - begun))
        k = past
    slow.sort(key=lambda row: -row[0])
    assert len(found) == len(slow) > 10
    for row, (depth, start, trough, recovery, bars) in zip(found.itertuples(), slow, strict=True):
        assert row.depth == pytest.approx(depth, rel=1e-12) and row.trough == trough and row.bars == bars
        assert (row.start is pd.NaT and start is pd.NaT) or row.start == start
        assert (row.recovery is pd.NaT and recovery is pd.NaT) or row.recovery == recovery
    assert len(drawdown_table(times, growth)) == 10


def test_the_deepest_drawdown_is_that_of_the_statistics() -> None:
    result = Result(small())
    sheet, stats = Sheet.of(result), result.stats()
    assert sheet.drawdowns["depth"].iloc[0] == pytest.approx(stats["max_drawdown"], rel=1e-12)
    assert sheet.drawdowns["bars"].max() == stats["longest_drawdown_bars"]


def test_no_drawdown_at_all() -> None:
    found = drawdown_table(days(4), np.array([1.0, 1.1, 1.1, 1.2]))
    assert found.empty and list(found.columns) == ["depth", "start", "trough", "recovery", "bars", "falling"]


def test_rolling_figures_beside_each_window() -> None:
    times, returns = days(100), walk(100)
    found = rolling_table(times, returns, 25, 365.0)
    for t in range(100):
        window = returns[max(t - 24, 0) : t + 1]
        if len(window) < 25:
            assert found.iloc[t].isna().all()
            continue
        deviation = window.std(ddof=1)
        assert found["volatility"].iloc[t] == pytest.approx(deviation * np.sqrt(365.0), rel=1e-9)
        assert found["sharpe"].iloc[t] == pytest.approx(window.mean() / deviation * np.sqrt(365.0), rel=1e-7)
        assert found["gain"].iloc[t] == pytest.approx(np.prod(1.0 + window) - 1.0, rel=1e-9)


@pytest.mark.parametrize("value", [0.0, 0.001, -0.3])
def test_m5_a_flat_window_has_no_sharpe_and_no_warning(value: float) -> None:
    returns = np.concatenate([walk(50), np.full(60, value)])
    found = rolling_table(days(110), returns, 20, 252.0)
    assert np.isnan(found["sharpe"].iloc[-1]) and found["volatility"].iloc[-1] == 0.0


def test_the_window_is_half_a_year_or_what_a_short_run_has() -> None:
    assert rolling_window(2520, 252.0) == 126
    assert rolling_window(150, 252.0) == 50
    assert rolling_window(59, 252.0) == 0 and rolling_window(0, 252.0) == 0
    assert rolling_window(120, 12.0) == 20


def test_several_accounts_are_one_curve() -> None:
    run = run_of([[10.0, 20.0], [11.0, 20.0], [9.0, 30.0]], [(0, 0, 50.0, 10.0), (0, 1, 20.0, 20.0)], accounts="separate")
    returns, growth = whole_curve(run, Curves(run))
    total = run.equity.sum(axis=1)
    np.testing.assert_allclose(growth, total / 2000.0, rtol=1e-14)
    np.testing.assert_allclose(np.cumprod(1.0 + returns), growth, rtol=1e-14)


def test_costs_lead_from_the_result_before_them_to_the_profit() -> None:
    found = {"profit": 70.0, "commission": 10.0, "slippage": 5.0, "borrow": 3.0, "interest": 0.0, "funding": -2.0, "dividends": 4.0}
    rows = cost_rows({name: np.array([value]) for name, value in found.items()})
    assert [row.name for row in rows] == ["before costs", "commission", "slippage", "borrow", "funding", "dividends", "profit"]
    assert rows[0].money == 82.0 and rows[4].money == 2.0
    assert sum(row.money for row in rows[:-1]) == pytest.approx(rows[-1].money)
    stats = Result(small()).stats()
    rows = Sheet.of(Result(small())).costs
    assert rows[-1].money == stats["profit"] and rows[1].money == -stats["commission"] and rows[2].money == -stats["slippage"]


def test_colors_of_months_run_from_orange_to_blue() -> None:
    assert month_color(NAN) == month_color(0.0) == "#ffffff"
    assert month_color(0.1) == month_color(5.0) != month_color(0.01)
    red, blue = (int(month_color(-0.1)[k : k + 2], 16) for k in (1, 5))
    assert red > blue
    red, blue = (int(month_color(0.1)[k : k + 2], 16) for k in (1, 5))
    assert blue > red


# --- what charts are drawn from ----------------------------------------------------------------------------------------


def test_numbers_and_times_survive_their_short_form() -> None:
    assert numbers([1.0, 0.1234567891, NAN, np.inf, -2.5e20, 0.0]) == [1, 0.1234568, None, None, -2.5e20, 0]
    labels = np.array([0, 86_400, 4 * 86_400]) * 10**9 + 1_600_000_000 * 10**9
    found = time_steps(labels)
    assert found == {"from": 1_600_000_000_000, "unit": 86_400_000, "steps": [1, 3]}
    assert time_steps(labels[:1]) == {"from": 1_600_000_000_000, "unit": 1, "steps": []}


def test_a_million_bars_lose_no_extreme_and_stay_small(tmp_path: Path) -> None:
    run = large(1_000_000)
    path = Result(run).report(tmp_path / "large.html")
    assert path.stat().st_size < 2_500_000
    data = embedded(path.read_text(encoding="utf-8"))
    curve = data["curves"]
    assert max(curve["equity"]) == 500_000 and min(curve["equity"]) == 50_000 and curve["bars"] == 1_000_000
    assert min(curve["drawdown"]) == pytest.approx(-0.9, abs=1e-9)
    assert 4000 < len(curve["equity"]) < 40_000 and len(curve["equity"]) == len(curve["time"]["steps"]) + 1
    times = np.cumsum([curve["time"]["from"], *(step * curve["time"]["unit"] for step in curve["time"]["steps"])])
    assert times[-1] == run.bars.index[-1] // 10**6
    assert times[curve["equity"].index(500_000)] == run.bars.index[200_000] // 10**6
    price = data["prices"]
    assert price["size"] == 200 and max(price["h"]) == 400 and min(price["l"]) == 10 and len(price["c"]) == 5000


def test_the_extremes_of_each_rolling_figure_are_drawn() -> None:
    run = large(50_000)
    frame = Sheet.of(Result(run)).rolling
    assert frame is not None
    found = curve_lines(run, Curves(run), frame)["rolling"]
    for name in frame.columns:
        known = [value for value in found[name] if value is not None]
        assert max(known) == pytest.approx(frame[name].max(), rel=1e-4) and min(known) == pytest.approx(frame[name].min(), rel=1e-4)


def test_candles_merge_bars_and_leave_out_what_has_no_market() -> None:
    prices = np.array([[1.0, 2, 3, NAN, 5, 6, NAN, NAN, 9, 10]]).T
    o, h, low = prices - 0.1, prices + 0.5, prices - 0.5
    run = run_of(prices, [(1, 0, 4.0, 2.0), (2, 0, -1.0, 3.0), (2, 0, -3.0, 2.5), (4, 0, 2.0, 5.0), (5, 0, 2.0, 6.0)], symbols=("A",))
    made = Bars.from_numpy(o, h, low, prices, index=run.bars.index, symbols=("A",), periods_per_year=365.0, missing="no_market")
    run = dataclasses.replace(run, bars=made)
    found = candles(run, Curves(run), "A", limit=5)
    assert found["size"] == 2 and found["c"] == [2, 3, 6, None, 10] and found["o"] == [0.9, 2.9, 4.9, None, 8.9]
    assert found["h"] == [2.5, 3.5, 6.5, None, 10.5] and found["l"] == [0.5, 2.5, 4.5, None, 8.5]
    assert found["fills"] == {"at": [0, 1, 2], "price": [2, 2.625, 5.5], "quantity": [4, -4, 4], "count": [1, 2, 2]}
    assert found["held"] == [[1, 0, 0], [1, 2, 4]]
    assert candles(run, Curves(run), "A")["size"] == 1
    with pytest.raises(ConfigError, match="which is not in this run"):
        candles(run, Curves(run), "B")


def test_first_stops_lie_where_the_trade_was() -> None:
    found = candles(small(), Curves(small()), "AAA")
    assert found["stops"] == [[1, 3, 9]] and found["stops_left"] == 0


def test_of_many_trades_the_extreme_ones_are_drawn() -> None:
    rng = np.random.default_rng(1)
    rows = [
        {"asset": 0, "entry_t": 0, "exit_t": 1, "pnl": float(p), "mae": float(a), "mfe": float(f)}
        for p, a, f in zip(rng.normal(size=9000), rng.random(9000), rng.random(9000), strict=True)
    ]
    frame = Result(run_of([[10.0]] * 3, [], symbols=("A",), trades=rows)).trades
    found = trade_points(frame)
    assert found is not None and found["all"] == 9000 and len(found["pnl"]) < MOST_TRADES + 400
    for name in ("pnl", "mae", "mfe"):
        assert max(found[name]) == pytest.approx(frame[name].max(), rel=1e-4)
        assert min(found[name]) == pytest.approx(frame[name].min(), rel=1e-4)
    assert trade_points(frame.head(0)) is None


# --- the page ----------------------------------------------------------------------------------------------------------


def test_one_asset_has_candles_and_several_have_lines(tmp_path: Path) -> None:
    def data_of(run: Run, **more: Any) -> Any:
        return embedded(Result(run).report(tmp_path / "r.html", **more).read_text(encoding="utf-8"))

    assert data_of(run_of([[10.0]] * 5, [], symbols=("A",)))["prices"]["symbol"] == "A"
    assert [line["name"] for line in data_of(small())["prices"]["lines"]] == ["AAA", "BBB"]
    assert data_of(small(), symbol="BBB")["prices"]["symbol"] == "BBB"
    assert data_of(small(), log=True)["log"] is True
    wide = run_of(np.full((3, 13), 10.0), [], symbols=tuple(f"S{n}" for n in range(13)))
    assert "prices" not in data_of(wide)
    assert "Prices of 13 assets are not drawn" in (tmp_path / "r.html").read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match="did you mean 'AAA'"):
        Result(small()).report(tmp_path / "r.html", symbol="AAAA")


def test_the_first_screen_says_what_became_of_the_money(tmp_path: Path) -> None:
    page = Page(Result(small()).report(tmp_path / "r.html").read_text(encoding="utf-8"))
    assert "1,000.00 became 936.00 in 5 days: -6.40% in all." in page.text
    assert "2 trades were closed." in page.text and "Is it luck? Not examined in this report." in page.text
    flows = np.array([[0.0], [500.0], [0.0], [0.0], [0.0], [0.0]])
    page = Page(Result(small(flows=flows)).report(tmp_path / "f.html").read_text(encoding="utf-8"))
    assert "500.00 paid in on balance" in page.text and "Drawdown without flows." in page.text


class Found:
    """Evidence of another make, with methods."""

    paragraph = "After <40> trials it may be luck."

    def rows(self) -> list[tuple[str, Any, str]]:
        return [("Deflated Sharpe ratio", 0.6123456, "after 40 trials"), ("Bars needed", NAN, "too few bars"), ("Trials", 40, "")]


def test_evidence_is_shown_where_there_is_any(tmp_path: Path) -> None:
    def text_of(given: Any) -> str:
        return Page(Result(small()).report(tmp_path / "r.html", evidence=given).read_text(encoding="utf-8")).text

    words = "After <40> trials it may be luck. Deflated Sharpe ratio 0.6123 after 40 trials Bars needed – too few bars Trials 40"
    for given in (Found(), (Found().rows(), Found.paragraph)):
        assert words in text_of(given)
    assert "Not examined in this report." in text_of(False)


def test_a_result_is_asked_for_its_own_evidence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Result, "evidence", lambda self: Found(), raising=False)
    text = Page(Result(small()).report(tmp_path / "r.html").read_text(encoding="utf-8")).text
    assert "After <40> trials" in text
    assert "After <40>" not in Page(Result(small()).report(tmp_path / "r.html", evidence=False).read_text(encoding="utf-8")).text


@pytest.mark.parametrize("given", [{"rows": []}, (["ab"], "x"), ("abc", "x"), 3, ([("a", 1)], "x")])
def test_evidence_of_another_shape_is_refused(tmp_path: Path, given: Any) -> None:
    with pytest.raises(ConfigError, match="expected an object with `rows`"):
        Result(small()).report(tmp_path / "r.html", evidence=given)
    assert not list(tmp_path.iterdir())


def test_zones_reach_the_page(tmp_path: Path) -> None:
    text = Result(small()).report(tmp_path / "r.html").read_text(encoding="utf-8")
    zones = embedded(text)["curves"]["zones"]
    assert [zone[0] for zone in zones] == [1, 2, 3] and zones[0][1] < zones[0][2] == zones[1][1]
    assert "caution, 16.7% of bars" in Page(text).text
    assert embedded(Result(small(zone=None)).report(tmp_path / "n.html").read_text(encoding="utf-8"))["curves"]["zones"] == []


@pytest.mark.parametrize("bars", [1, 2, 30, 70])
def test_any_length_of_run_gives_a_page(tmp_path: Path, bars: int) -> None:
    run = run_of(100.0 + np.arange(bars)[:, None], [(0, 0, 1.0, 100.0)], symbols=("A",))
    page = Page(Result(run).report(tmp_path / "r.html").read_text(encoding="utf-8"))
    assert ("too short for rolling figures" in page.text) == (bars < 60) and not page.open


def test_ruin_gives_a_page(tmp_path: Path) -> None:
    run = run_of([[10.0], [30.0], [60.0], [20.0]] * 20, [(0, 0, -40.0, 10.0)], symbols=("A",))
    assert run.equity.min() < 0
    text = Result(run).report(tmp_path / "r.html", log=True).read_text(encoding="utf-8")
    assert not Page(text).open and embedded(text)["curves"]["equity"][2] < 0
