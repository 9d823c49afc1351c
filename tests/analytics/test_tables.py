"""Logs as frames: times, symbols and words; assumptions; refusals."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from tests.analytics.example import NAN, run_of, small
from vecbt.analytics.result import Result
from vecbt.analytics.words import RULES
from vecbt.core.codes import OrderStatus, Reason, Rule


@pytest.fixture(scope="module")
def result() -> Result:
    return Result(small())


def test_z6_orders_say_which_rule_cut_or_refused_them(result: Result) -> None:
    orders = result.orders
    assert list(orders["status"]) == ["partial", "filled", "rejected", "pending"]
    assert list(orders["cut_by"]) == ["zone, cash", "", "stop", ""]
    assert list(orders["symbol"]) == ["AAA", "BBB", "BBB", "AAA"]
    assert set(orders["reason"]) == {"signal"}
    assert orders["time"].iloc[0] == pd.Timestamp("2024-01-01", tz="UTC") and orders["done"].iloc[0] == pd.Timestamp("2024-01-02", tz="UTC")


def test_t8_a_pending_order_is_in_the_table(result: Result) -> None:
    last = result.orders.iloc[-1]
    assert last["status"] == "pending" and pd.isna(last["done"]) and math.isnan(last["wanted"])


def test_fills(result: Result) -> None:
    fills = result.fills
    assert list(fills["quantity"]) == [20.0, -10.0, -20.0, 15.0]
    assert list(fills["symbol"]) == ["AAA", "BBB", "AAA", "BBB"]
    assert fills["time"].iloc[0] == pd.Timestamp("2024-01-02", tz="UTC")
    assert fills["commission"].sum() == 4.0 and fills["slippage"].sum() == 2.0


def test_m4_m7_p7_trades(result: Result) -> None:
    trades = result.trades
    assert list(trades["side"]) == ["long", "short"] and list(trades["reason"]) == ["stop", "signal"]
    assert list(trades["holding_bars"]) == [2, 3]
    assert trades["r_multiple"].iloc[0] == pytest.approx(-42 / 40) and math.isnan(trades["r_multiple"].iloc[1])
    assert trades["return"].iloc[0] == pytest.approx(-42 / 220)
    assert trades["mae"].iloc[1] == pytest.approx(3 / 19) and trades["mfe"].iloc[1] == 0.0


def test_every_reason_and_status_has_its_word() -> None:
    run = run_of(
        [[10.0]] * 3,
        [],
        symbols=("A",),
        trades=[{"reason": int(reason), "exit_t": 1} for reason in Reason],
        orders=[{"status": int(status), "t_done": 1} for status in OrderStatus],
    )
    reasons = ["signal", "stop", "trail", "target", "time", "risk", "margin", "delisting", "end", "split"]
    assert list(Result(run).trades["reason"]) == reasons
    assert list(Result(run).orders["status"]) == ["pending", "filled", "partial", "rejected", "replaced", "cancelled"]


def test_f14_a_trade_from_before_the_first_bar_has_no_entry_time() -> None:
    run = run_of([[10.0]] * 2, [], symbols=("A",), trades=[{"entry_t": -1, "exit_t": 1, "pnl": 1.0}])
    trade = Result(run).trades.iloc[0]
    assert pd.isna(trade["entry_time"]) and trade["holding_bars"] == 2


def test_open_positions(result: Result) -> None:
    held = result.open_positions
    assert len(held) == 1
    row = held.iloc[0]
    assert row["symbol"] == "BBB" and row["side"] == "long" and row["quantity"] == 5.0
    assert row["value"] == 5 * 24.0 and row["unrealized"] == pytest.approx(5 * (24 - row["entry_price"]))


def test_empty_tables_keep_their_columns() -> None:
    result = Result(run_of([[10.0, 20.0]] * 2, []))
    for name in ("orders", "fills", "trades", "open_positions", "refusals"):
        frame = getattr(result, name)
        assert len(frame) == 0 and len(frame.columns) > 2
    assert str(result.trades["entry_time"].dtype) == "datetime64[ns, UTC]"


def test_refusals_are_counted_by_rule() -> None:
    """Z6: an order that two rules cut counts for each of them, beside those that one of them cut alone."""
    orders = [{"cut_by": int(Rule.CASH), "status": int(OrderStatus.PARTIAL), "t_done": 1}] * 3
    orders += [{"cut_by": int(Rule.CASH | Rule.LOT), "status": int(OrderStatus.PARTIAL), "t_done": 1}]
    orders += [{"cut_by": int(Rule.ZONE | Rule.LOT), "status": int(OrderStatus.REJECTED), "t_done": 1}, {"t_done": 1}]
    found = Result(run_of([[10.0]] * 2, [], symbols=("A",), orders=orders)).refusals
    cash, zone, lot = (RULES[rule] for rule in (Rule.CASH, Rule.ZONE, Rule.LOT))
    assert list(found.itertuples(index=False, name=None)) == [
        ("cash", "partial", 4, cash),
        ("lot", "partial", 1, lot),
        ("lot", "rejected", 1, lot),
        ("zone", "rejected", 1, zone),
    ]


def test_d4_assumptions_name_everything_in_force(result: Result) -> None:
    table = result.assumptions()
    assert list(table.columns) == ["section", "name", "value", "meaning"]
    rows = {(row.section, row.name): row for row in table.itertuples(index=False)}
    for section, name, _ in result.run.setup.describe():
        assert (section, name) in rows
    assert "next open" in rows["simulation", "fill"].meaning
    assert "stop is met first" in rows["simulation", "intrabar"].meaning
    assert rows["costs", "per_order"].value == "1"
    assert rows["costs", "maximum_rate"].value == "unlimited"
    assert "1/N" in rows["sizing", "sizing"].value
    assert rows["market", "periods_per_year"].value == "365"
    assert rows["market", "periods_per_year"].meaning == result.run.bars.periods_per_year_source
    assert rows["end", "open positions"].value == "1" and "T8" in rows["end", "open positions"].meaning
    assert rows["end", "pending orders"].value == "1"
    assert rows["data", "content hash"].value == result.run.bars.content_hash
    assert rows["data", "without a market"].value == "1"
    sections = list(dict.fromkeys(table["section"]))
    assert sections[0] == "strategy" and sections[-1] == "end" and len(sections) == len(set(sections))


def test_assumptions_name_parameters_and_units() -> None:
    class Named:
        name = "My rule"
        parameters: ClassVar[dict[str, Any]] = {"fast": 20, "weights": {"AAA": 0.5}, "windows": [1, 2]}

    run = run_of([[10.0, 20.0]] * 2, [], source=Named(), lot={"AAA": 1.0}, multiplier=50.0)
    rows = {(row.section, row.name): row.value for row in Result(run).assumptions().itertuples(index=False)}
    assert rows["strategy", "source"] == "My rule" and Result(run).title == "My rule · AAA, BBB"
    assert rows["strategy", "fast"] == "20" and rows["strategy", "weights"] == "AAA: 0.5" and rows["strategy", "windows"] == "1, 2"
    assert rows["market", "lot"] == "AAA 1, BBB 0" and rows["market", "multiplier"] == "50"
    assert rows["market", "tick"].startswith("none")


def test_notes_of_the_data_are_assumptions() -> None:
    run = run_of([[10.0, 20.0], [10.0, NAN]], [], delisting="liquidate")
    notes = [row.value for row in Result(run).assumptions().itertuples(index=False) if row.name == "note"]
    assert notes == list(run.bars.notes) and notes


def test_rule_names_cover_all_bits() -> None:
    run = run_of([[10.0]] * 2, [], symbols=("A",), orders=[{"cut_by": int(rule), "t_done": 1} for rule in Rule])
    assert list(Result(run).orders["cut_by"]) == [rule.name.lower() for rule in Rule if rule.name]
    found = Result(run).refusals
    assert np.all(found["orders"] == 1) and found["because"].is_unique and (found["because"].str.len() > 15).all()
