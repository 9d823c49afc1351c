"""What a tear sheet tells: months, drawdowns, rolling figures and costs beside slow twins; what its charts are drawn from; evidence."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import vecbt as vb
from tests.analytics.example import NAN, run_of, small
from tests.analytics.test_report import Page, embedded
from vecbt.analytics.curves import Curves
from vecbt.analytics.report import page
from vecbt.analytics.result import Result
from vecbt.analytics.return_tables import monthly_returns, rolling_metrics
from vecbt.analytics.sheet import ROLLING
from vecbt.analytics.sheet_charts import MOST_TRADES, candles, numbers, rolling_lines, time_steps, trade_points
from vecbt.analytics.sheet_data import cost_rows, rolling_every, rolling_window
from vecbt.analytics.sheet_paper import paper_pages
from vecbt.analytics.sheet_run import RunSheet
from vecbt.analytics.sheet_sections import month_color
from vecbt.data.bars import Bars
from vecbt.engine.run import Run
from vecbt.errors import ConfigError


def walk(count: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0005, 0.01, count)


def one(bars: int = 150) -> Run:
    """One asset, held from the first bar on."""
    return run_of(100.0 * np.cumprod(1.0 + walk(bars))[:, None], [(0, 0, 5.0, 100.0)], symbols=("A",))


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


def test_the_tables_of_a_sheet_are_the_public_ones() -> None:
    """A number is computed in one place (M1, M6)."""
    result = Result(one(500))
    sheet = RunSheet.of(result, evidence=False)
    assert sheet.months is not None and sheet.rolling is not None and sheet.window == 166 and sheet.every == 1
    pd.testing.assert_frame_equal(sheet.months, result.monthly_returns())
    pd.testing.assert_frame_equal(sheet.drawdowns, result.drawdowns(most=10))
    pd.testing.assert_frame_equal(sheet.rolling, result.rolling(166, ("sharpe", "volatility", "total_return")))
    assert len(sheet.drawdowns) == 10 < len(result.drawdowns())


def test_the_deepest_drawdown_is_that_of_the_statistics() -> None:
    result = Result(small())
    sheet, stats = RunSheet.of(result), result.stats()
    assert sheet.drawdowns["depth"].iloc[0] == stats["max_drawdown"]
    assert sheet.drawdowns["length"].max() == stats["longest_drawdown_bars"]


def test_the_window_is_half_a_year_or_what_a_short_run_has() -> None:
    assert rolling_window(2520, 252.0) == 126
    assert rolling_window(150, 252.0) == 50
    assert rolling_window(59, 252.0) == 0 and rolling_window(0, 252.0) == 0
    assert rolling_window(120, 12.0) == 20


def test_of_very_many_bars_a_few_thousand_windows_are_measured() -> None:
    assert rolling_every(2520, 126) == 1 and rolling_every(0, 0) == 1 and rolling_every(100, 200) == 1
    assert 1_000 < 1_000_000 / rolling_every(1_000_000, 100_000) < 2_000


def test_several_accounts_are_one_curve() -> None:
    run = run_of([[10.0, 20.0], [11.0, 20.0], [9.0, 30.0]], [(0, 0, 50.0, 10.0), (0, 1, 20.0, 20.0)], accounts="separate")
    sheet = RunSheet.of(Result(run), evidence=False)
    total = run.equity.sum(axis=1)
    np.testing.assert_array_equal(sheet.given.curve[:, 0], total)
    np.testing.assert_allclose(np.cumprod(1.0 + sheet.given.values[:, 0]), total / 2000.0, rtol=1e-14)
    assert sheet.given.initial.tolist() == [2000.0] and sheet.given.single
    pd.testing.assert_frame_equal(sheet.months, monthly_returns(pd.Series(sheet.given.values[:, 0], Result(run).times)))
    assert f"{total[-1] / 2000.0 - 1.0:.2%} in all" in sheet.lead


def test_costs_lead_from_the_result_before_them_to_the_profit() -> None:
    found = {"profit": 70.0, "commission": 10.0, "slippage": 5.0, "borrow": 3.0, "interest": 0.0, "funding": -2.0, "dividends": 4.0}
    rows = cost_rows({name: np.array([value]) for name, value in found.items()})
    assert [row.name for row in rows] == ["before costs", "commission", "slippage", "borrow", "funding", "dividends", "profit"]
    assert rows[0].money == 82.0 and rows[4].money == 2.0
    assert sum(row.money for row in rows[:-1]) == pytest.approx(rows[-1].money)
    stats = Result(small()).stats()
    rows = RunSheet.of(Result(small())).costs
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


@pytest.mark.parametrize("every", [1, 3])
def test_the_extremes_of_each_rolling_figure_are_drawn_where_they_are(every: int) -> None:
    series = pd.Series(walk(20_000), index=pd.date_range("2020-01-01", periods=20_000, freq="h", tz="UTC"))
    frame = rolling_metrics(series, 20, ("sharpe", "total_return"), every=every)
    labels = series.index.as_unit("ns").asi8
    found = rolling_lines(labels, frame, every, ROLLING)
    assert found["range"] == [labels[0] // 10**6, labels[-1] // 10**6] and found["labels"] == ["Sharpe ratio", "Return"]
    times = np.cumsum([found["time"]["from"], *(step * found["time"]["unit"] for step in found["time"]["steps"])])
    for name in frame.columns:
        drawn = np.array(found["values"][name], dtype=np.float64)
        assert len(drawn) == len(times) < len(frame)
        for best, where in ((np.nanargmax(drawn), frame[name].idxmax()), (np.nanargmin(drawn), frame[name].idxmin())):
            assert drawn[best] == pytest.approx(frame[name][where], rel=1e-4) and times[best] == where.value // 10**6


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
    assert "2 trades were closed." in page.text and "Is it luck? Nothing can be said of the Sharpe ratio" in page.text
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


def told(result: Result, **more: Any) -> tuple[str, str, str]:
    """What the page, the text and the first sheet of paper say."""
    page_of, paper = RunSheet.of(result, **more), paper_pages(RunSheet.of(result, **more), log=False)[0]
    words = " ".join(text.get_text() for text in paper.findobj(lambda one: hasattr(one, "get_text")))
    return Page(page(page_of, log=False)).text, " ".join(result.report_text(**more).split()), " ".join(words.split())


def test_a_result_is_asked_for_its_own_evidence() -> None:
    """In every form; the rows are those of `Result.evidence`."""
    result = Result(one())
    found = result.evidence()
    for text in told(result):
        assert found.paragraph in text
        for name, value, _ in found.rows:
            assert name in text and value in text
    for text in told(result, evidence=False):
        assert found.paragraph not in text and "Not examined in this report." in text


def test_each_account_has_its_evidence_where_a_symbol_is_given() -> None:
    run = run_of(
        100.0 * np.cumprod(1.0 + np.stack([walk(100, 5), walk(100, 6)], axis=1), axis=0), [(3, 0, 4.0, 100.0)], accounts="separate"
    )
    result = Result(run)
    for text in told(result):
        assert "Not examined: each asset has an account of its own; result.report(symbol=...)" in text
    for text in told(result, symbol="AAA"):
        assert result.evidence(symbol="AAA").paragraph in text


@pytest.mark.parametrize("bars", [1, 2, 3, 30])
@pytest.mark.parametrize("fills", [[], [(0, 0, 1.0, 100.0)]], ids=["nothing held", "held"])
@pytest.mark.parametrize("accounts", ["shared", pytest.param("separate", marks=pytest.mark.slow)])
def test_a_report_never_fails_because_of_its_evidence(tmp_path: Path, bars: int, fills: list[Any], accounts: str) -> None:
    """Too few bars, no trades, flat equity."""
    run = run_of(np.array([100.0, 104.0, 99.0] * 10)[:bars, None].repeat(2, axis=1), fills, accounts=accounts)
    for symbol in (None, "BBB"):
        for text in told(Result(run), symbol=symbol):
            assert "is it luck?" in text.lower()


def test_evidence_that_cannot_be_found_is_said_not_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Result, **keywords: Any) -> None:
        raise ConfigError("there is no such thing")

    monkeypatch.setattr(Result, "evidence", fail)
    for text in told(Result(small())):
        assert "Not examined: there is no such thing" in text


def test_reports_carry_the_head_of_the_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VECBT_LEDGER", str(tmp_path / "ledger"))
    bars = one().bars
    result = vb.backtest(bars, vb.strategies.SmaCross(5, 20), costs=vb.Costs.free())
    head = vb.ledger.head()
    assert len(head) == 64
    for text in told(result):
        assert f"Ledger head {head}; vecbt ledger verify --head {head[:16]}" in text
    assert vb.ledger.verify(head[:16]).ok
    with vb.ledger.off():
        result = vb.backtest(bars, vb.strategies.SmaCross(5, 30), costs=vb.Costs.free())
        for text in told(result):
            assert "The ledger was off: vb.ledger.off()" in text


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
    assert ("Too short for rolling figures" in page.text) == (bars < 60) and not page.open


def test_ruin_gives_a_page(tmp_path: Path) -> None:
    run = run_of([[10.0], [30.0], [60.0], [20.0]] * 20, [(0, 0, -40.0, 10.0)], symbols=("A",))
    assert run.equity.min() < 0
    text = Result(run).report(tmp_path / "r.html", log=True).read_text(encoding="utf-8")
    assert not Page(text).open and embedded(text)["curves"]["equity"][2] < 0
