"""Results of accounts with carry, actions, contracts and deposits: what frames, statistics and assumptions say is what happened."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.analytics.test_report import Page
from tests.engine.test_audit_planted import BARS, DAYS, falling, ordered, rich
from tests.rules.helpers import bars_of, quantities
from vecbt.analytics.charges import charges, margin_calls
from vecbt.analytics.plots import figure
from vecbt.analytics.result import Result
from vecbt.analytics.words import RULES
from vecbt.core.codes import Rule
from vecbt.errors import ConfigError

FREE = vb.Costs.free()


@pytest.fixture(scope="module")
def result() -> Result:
    return Result(rich())


def rows(result: Result) -> dict[tuple[str, str], Any]:
    return {(row.section, row.name): row for row in result.assumptions().itertuples(index=False)}


# --- frames and statistics ------------------------------------------------------------------------------------------


def test_t1_positions_follow_splits(result: Result) -> None:
    """75 bought; 3 for 2 makes 112.5, of which the half is paid out; 30 are left after bar 11."""
    held = result.positions["STOCK"].to_numpy()
    assert [held[t] for t in (0, 1, 7, 8, 10, 11)] == [0, 75, 75, 112, 112, 30]
    np.testing.assert_allclose(result.positions.iloc[-1].to_numpy(), result.run.assets.q)


def test_f12_exposure_counts_contracts_at_their_whole_value(result: Result) -> None:
    run = result.run
    worth = np.abs(result.positions.to_numpy() * run.bars.close * run.bars.market.multiplier).sum(axis=1)
    np.testing.assert_allclose(result.exposure["gross"].to_numpy(), worth / run.equity[:, 0])
    assert result.exposure["gross"].max() > 1.5


def test_m1_what_is_paid_in_is_no_return(result: Result) -> None:
    equity, paid = result.equity.to_numpy(), result.flows.to_numpy()
    before = np.concatenate([[3000.0], equity[:-1]])
    np.testing.assert_allclose(result.returns.to_numpy(), equity / (before + paid) - 1)
    stats = result.stats()
    assert stats["total_return"] == pytest.approx(np.prod(1 + result.returns.to_numpy()) - 1)
    assert stats["deposits"] == 1000.0 and stats["withdrawals"] == pytest.approx(-paid[paid < 0].sum())
    assert stats["withdrawals_given_up"] == pytest.approx(90_500 - stats["withdrawals"])
    assert stats["profit"] == pytest.approx(equity[-1] - 3000.0 - paid.sum())
    curve = 3000 * np.cumprod(1 + result.returns.to_numpy())
    np.testing.assert_allclose(result.drawdown.to_numpy(), 1 - curve / np.maximum.accumulate(np.maximum(curve, 3000.0)), atol=1e-12)


def test_t2_carry_is_told_by_kind(result: Result) -> None:
    """Worked out again from positions, closes and days: borrow of LENT, interest on negative cash, funding of PERP."""
    run, stats = result.run, result.stats()
    held = np.vstack([np.zeros((1, 4)), result.positions.to_numpy()[:-1]])
    mark = np.vstack([np.full((1, 4), np.nan), run.bars.close[:-1]])
    days = np.diff(run.bars.session, prepend=run.bars.session[0])
    borrow = (-np.minimum(held[1:, 1], 0) * mark[1:, 1] * 0.3 * days[1:] / 365).sum()
    interest = (np.maximum(-run.cash[:-1, 0], 0) * 0.2 * days[1:] / 360).sum()
    funding = (held[1:, 2] * mark[1:, 2] * np.nan_to_num(run.bars.funding[1:, 2])).sum()
    assert stats["borrow"] == pytest.approx(borrow) and borrow > 5
    assert stats["interest"] == pytest.approx(interest) and interest > 1
    assert stats["funding"] == pytest.approx(funding) and abs(funding) > 0.1
    assert stats["carry"] == pytest.approx(borrow + interest + funding)


def test_t1_dividends_are_those_held_over_the_close_before(result: Result) -> None:
    """75 x 0.5 at bar 5, 30 x 0.25 at bar 12; the short pays 20 x 0.75 at bar 6."""
    assert result.stats()["dividends"] == pytest.approx(75 * 0.5 + 30 * 0.25 - 20 * 0.75)


def test_m4_trades_tell_carry_and_dividends(result: Result) -> None:
    trades = result.trades
    np.testing.assert_allclose(trades["pnl"], trades["gross"] - trades["commission"] - trades["carry"] + trades["dividends"])
    lent = trades[trades["symbol"] == "LENT"].iloc[0]
    assert lent["dividends"] == -15.0 and lent["carry"] > 5
    open_ = result.open_positions.set_index("symbol")
    assert open_.loc["LENT", "carry"] > 0 and open_.loc["STOCK", "carry"] == 0
    kinds = charges(result.run)
    assert kinds.borrow[0] == pytest.approx(trades[trades["symbol"] == "LENT"]["carry"].sum() + open_.loc["LENT", "carry"])


def test_flows_are_a_frame(result: Result) -> None:
    assert result.flows.iloc[6] == 1000.0 and result.flows.name == "flows"
    table = result.to_polars("flows")
    assert table.columns == ["time", "flows"] and len(table) == BARS
    assert Result(ordered()).flows is None
    with pytest.raises(ConfigError, match="nothing was paid in or out"):
        Result(ordered()).to_polars("flows")


def test_o6_orders_say_what_they_were() -> None:
    orders = Result(ordered()).orders.set_index("id")
    assert list(orders.loc[[0, 1, 2, 3, 6], "type"]) == ["market", "limit", "stop", "trailing", "stop_limit"]
    assert orders.loc[1, "limit"] == 41.0 and orders.loc[6, "stop"] == 40.0 and np.isnan(orders.loc[0, "limit"])
    assert orders.loc[0, "tag"] == 1 and orders.loc[4, "tif"] == "ioc" and orders.loc[9, "tif"] == "fok"


def test_o6_exits_of_the_engine_have_no_type() -> None:
    bars = bars_of([100, 100, 90, 90])
    out = Result(vb.backtest(bars, vb.Orders({bars.times[0]: vb.Order(quantity=1)}), costs=FREE, stops=vb.Stops(hard=0.05)).run)
    assert list(out.orders["type"]) == ["market", ""] and list(out.orders["reason"]) == ["signal", "stop"]


def test_stats_count_orders_and_margin_calls() -> None:
    bars = bars_of([100, 100, 60, 60, 60])
    run = vb.backtest(bars, quantities([18])(bars), costs=FREE, initial_capital=1000.0, leverage=2.0, maintenance=0.4).run
    assert margin_calls(run).tolist() == [1]
    stats = Result(run).stats()
    assert stats["margin_calls"] == 1 and stats["orders_refused"] == 0
    refused = vb.backtest(bars, quantities([18, None, None, 30])(bars), costs=FREE, initial_capital=1000.0)
    assert refused.stats()["orders_cut"] == 1 and rows(refused)["account", "maintenance"].value == "0.25"
    assert rows(Result(run))["account", "margin calls"].value == "1"


# --- assumptions ----------------------------------------------------------------------------------------------------


def test_z6_every_rule_has_its_sentence() -> None:
    assert set(RULES) == set(Rule) and len(set(RULES.values())) == len(RULES)


def test_t2_a_short_without_a_rate_is_named(result: Result) -> None:
    found = rows(Result(falling("next_open", "shared")))
    assert found["carry", "carry"].value == "off"
    assert found["carry", "short without a borrow rate"].value == "B" and "nothing" in found["carry", "short without a borrow rate"].meaning
    assert ("carry", "short without a borrow rate") not in rows(result)


def test_t2_money_lent_for_nothing_is_named() -> None:
    bars = bars_of([100, 100, 100])
    given = {"costs": FREE, "initial_capital": 1000.0, "leverage": 2.0}
    found = rows(vb.backtest(bars, quantities([15])(bars), **given))
    assert found["carry", "cash below zero without interest"].value == "2 bars"
    paid = rows(vb.backtest(bars, quantities([15])(bars), carry=vb.Carry(interest_rate=0.05), **given))
    assert ("carry", "cash below zero without interest") not in paid and paid["carry", "interest_rate"].value == "0.05"


def test_t2_perpetuals_without_funding_are_named() -> None:
    bars = bars_of([100, 100, 100], instrument="perpetual")
    found = rows(vb.backtest(bars, quantities([5])(bars), costs=FREE))
    assert found["carry", "perpetuals without funding"].value == "A" and found["market", "instrument"].value == "perpetual"


def test_d4_what_an_account_may_do_is_named(result: Result) -> None:
    found = rows(result)
    assert found["account", "leverage"].value == "2" and found["account", "maintenance"].value == "0.25"
    assert found["account", "flows"].value == "2024-01-09: 1000, 2024-01-18: -500, 2024-01-30: -90000"
    assert found["account", "withdrawals given up"].value == "87055.1" and "2024-01-30" in found["account", "withdrawals given up"].meaning
    assert found["simulation", "max_participation"].value == "0.5" and "next open" in found["simulation", "participation_rest"].meaning
    assert found["simulation", "largest fill"].value == "0.5"
    assert found["data", "corporate actions"].value == "1 split, 3 dividends booked" and "raw" in found["data", "corporate actions"].meaning
    assert found["data", "funding"].value == "8 bars with a rate"
    assert found["market", "initial_margin"].value == "STOCK 0, LENT 0, PERP 0, FUT 60"
    assert found["risk", "daily_loss"].value == "0.4" and "signals and strengths only" in found["sizing", "sizing"].meaning


def test_f7_a_cap_that_is_missing_is_an_assumption() -> None:
    found = rows(Result(ordered()))
    assert found["simulation", "max_participation"].value == "none" and "however large" in found["simulation", "max_participation"].meaning
    assert float(found["simulation", "largest fill"].value) == pytest.approx(20 / 30, abs=1e-3)
    assert found["stops", "brackets"].value == "1 order"


def test_t1_prices_without_actions_are_taken_as_adjusted() -> None:
    found = rows(Result(falling("next_open", "shared")))
    assert found["data", "corporate actions"].value == "none" and "adjusted" in found["data", "corporate actions"].meaning


def test_z8_an_exit_inside_the_bar_says_that_it_is_not_live() -> None:
    bars = bars_of([100, (100, 100, 80, 90), 90])
    zones = vb.Zones(mark="intrabar", liquidate_at=0.12)
    found = rows(vb.backtest(bars, quantities([10])(bars), costs=FREE, initial_capital=1000.0, risk=vb.Risk(zones=zones)))
    assert "inside the bar" in found["risk", "zones.liquidate_at"].meaning and "not live" in found["risk", "zones.liquidate_at"].meaning
    assert "worst prices" in found["risk", "zones.mark"].meaning
    closes = dataclasses.replace(zones, mark="close")
    found = rows(vb.backtest(bars, quantities([10])(bars), costs=FREE, initial_capital=1000.0, risk=vb.Risk(zones=closes)))
    assert "next market" in found["risk", "zones.liquidate_at"].meaning


def test_f13_ruin_is_told() -> None:
    bars = bars_of([100, 100, 300, 300])
    found = rows(vb.backtest(bars, quantities([-10])(bars), costs=FREE, initial_capital=1000.0))
    assert found["account", "ruined"].value == "1 of 1 accounts"


def test_s3_a_size_is_explained() -> None:
    bars = bars_of([100] * 4)
    found = rows(vb.backtest(bars, vb.Strengths(np.ones((4, 1))), costs=FREE, sizing=vb.Units(2)))
    assert found["sizing", "sizing"].meaning == "size of an entry (S3): A fixed number of units (shares, coins, contracts)"


# --- pictures and pages ---------------------------------------------------------------------------------------------


def test_the_page_tells_of_holding_and_flows(tmp_path: Path, result: Result) -> None:
    page = Page(result.report(tmp_path / "r.html").read_text(encoding="utf-8"))
    for part in ("Paid in and out", "Withdrawals given up", "87,055.08", "Holding", "Interest", "holding: dividends less borrow", "45.00"):
        assert part in page.text, part
    plain = Page(Result(falling("next_open", "shared")).report(tmp_path / "p.html").read_text(encoding="utf-8"))
    for part in ("Paid in and out", "Withdrawals given up", "holding: dividends"):
        assert part not in plain.text, part
    assert not page.open and not plain.open


def test_a_split_is_no_fall_in_the_picture(result: Result) -> None:
    picture = figure(result.run, result._curves, symbol="STOCK")
    prices = picture.axes[2]
    assert prices.get_title(loc="left") == "STOCK: close times its splits"
    drawn = prices.lines[0].get_ydata()
    np.testing.assert_allclose(drawn, result.run.bars.close[:, 0] * np.where(np.arange(BARS) < 8, 1.0, 1.5))
    sold = np.asarray(prices.collections[1].get_offsets())[:, 1]
    assert 55 < sold.min() and sold.max() < 65
    relative = figure(result.run, result._curves).axes[2].lines[0].get_ydata()
    assert 0.9 < np.min(relative) and np.max(relative) < 1.1


def test_deposits_are_marked_in_the_picture(result: Result) -> None:
    picture = figure(result.run, result._curves)
    top, below = picture.axes[0], picture.axes[1]
    assert top.get_title(loc="left") == "Equity; dotted: paid in (green), out (orange)"
    assert below.get_title(loc="left") == "Drawdown, without flows"
    marked = {float(line.get_xdata()[0]) for line in top.lines if len(line.get_xdata()) == 2 and line.get_xdata()[0] == line.get_xdata()[1]}
    assert marked == {float(day.astype("M8[D]").astype(int)) for day in (DAYS[6], DAYS[13], DAYS[21])}


def test_f12_prices_below_zero_are_drawn() -> None:
    """From 10 to -10 a price falls by twice its first close, whichever side of zero it begins on."""
    bars = bars_of({"A": [10, 5, -10], "B": [-10, -5, 10], "C": [0, 1, 2]}, instrument="future", allow_negative=True)
    run = vb.backtest(bars, quantities([1])(bars), costs=FREE).run
    lines = figure(run, Result(run)._curves).axes[2].lines
    assert [list(line.get_ydata()) for line in lines[:2]] == [[1.0, 0.5, -1.0], [1.0, 1.5, 3.0]]
