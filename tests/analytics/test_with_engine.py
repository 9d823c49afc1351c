"""Results of real runs: what the frames say agrees with the books of the engine at each bar."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vecbt.analytics.result import Result
from vecbt.core.codes import OrderStatus
from vecbt.data import samples
from vecbt.engine.batch import simulate
from vecbt.engine.setup import Setup
from vecbt.engine.strategy import evaluate
from vecbt.execution.costs import Costs
from vecbt.risk.stops import Atr, Pct, Stops
from vecbt.risk.zones import Risk, Zones
from vecbt.strategies.trend import SmaCross

RUNS = {
    "one asset": {"symbols": ["AAPL"], "stops": Stops(hard=Pct(8), take_profit=Pct(30)), "risk": Risk(zones=Zones(cooldown_bars=60))},
    "shared": {"stops": Stops(hard=Atr(3), trailing=Atr(4)), "positions": {"IBM": (100.0, 90.0)}},
    "separate": {"accounts": "separate", "risk": Risk(zones=Zones(cooldown_bars=20)), "fill": "close"},
}


@pytest.fixture(scope="module", params=RUNS)
def result(request: pytest.FixtureRequest) -> Result:
    options = dict(RUNS[request.param])
    bars = samples.load("us_daily", symbols=options.pop("symbols", None))[-1500:]
    strategy = SmaCross(10, 40, "both")
    setup = Setup.of(costs=Costs(commission_rate=0.001, slippage_bps=3, minimum=1.0), **options)
    return Result(simulate(bars, strategy, evaluate(strategy, bars), setup))


def test_f3_cash_and_positions_are_the_equity_at_each_bar(result: Result) -> None:
    net = result._curves.exposures[1]
    assert np.isfinite(net).all()
    np.testing.assert_allclose(result.run.cash + net * result.run.equity, result.run.equity, rtol=1e-12)


def test_positions_end_as_the_books_say(result: Result) -> None:
    held, books = result.positions.iloc[-1].to_numpy(), result.run.assets["q"]
    np.testing.assert_allclose(held, books, rtol=1e-12)  # a flip's fill is one number, its two parts are rounded apart
    np.testing.assert_array_equal(held == 0.0, books == 0.0)
    assert len(result.open_positions) == np.count_nonzero(result.run.assets["q"])


def test_f3_profit_is_that_of_trades_and_of_what_is_open(result: Result) -> None:
    open_, fees = result.open_positions["unrealized"].sum(), result.fills["commission"].sum()
    gross = result.trades["gross"].sum() + result.run.assets["gross"].sum()
    earned = (result.run.equity[-1] - result.run.initial).sum()
    assert earned == pytest.approx(gross + open_ - fees, rel=1e-9)


def test_frames_and_stats_tell_the_same(result: Result) -> None:
    stats = result.stats()
    stats = stats if stats.ndim == 2 else stats.to_frame()
    assert stats.loc["trades"].sum() == len(result.trades)
    assert stats.loc["commission"].sum() == pytest.approx(result.fills["commission"].sum())
    assert stats.loc["slippage"].sum() == pytest.approx(result.fills["slippage"].sum())
    assert stats.loc["open_positions"].sum() == len(result.open_positions)
    assert stats.loc["pending_orders"].sum() == (result.orders["status"] == "pending").sum()
    drawdown = np.asarray(result.drawdown).reshape(len(result.times), -1)
    np.testing.assert_array_equal(drawdown.max(axis=0), stats.loc["max_drawdown"].astype(float))
    assert (result.orders["status"] == "partial").sum() == (result.run.orders["status"] == OrderStatus.PARTIAL).sum()
    cut = result.orders[result.orders["cut_by"] != ""]
    assert result.refusals["orders"].sum() == cut["cut_by"].str.count(",").sum() + len(cut)


def test_m7_excursions_bracket_the_trade(result: Result) -> None:
    trades = result.trades
    move = (trades["exit_price"] / trades["entry_price"] - 1) * np.where(trades["side"] == "long", 1, -1)
    assert (trades["mae"] >= np.maximum(-move, 0) - 1e-12).all() and (trades["mfe"] >= np.maximum(move, 0) - 1e-12).all()


def test_a_report_and_a_picture_are_made(result: Result, tmp_path: Path) -> None:
    assert result.report(tmp_path / "r.html").stat().st_size < 2_500_000
    result.plot(tmp_path / "r.png", log=True)
    assert (tmp_path / "r.png").stat().st_size > 10_000
