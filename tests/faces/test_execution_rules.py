"""`ExecutionRulesConfig` (ORD-03): wanted trades as orders, cut or refused with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import vecbt as vb
from tests.rules.helpers import bars_of
from vecbt.errors import ConfigError, InputError

LIQUID: dict[str, Any] = {"volumes": {"A": 1e6}, "volatility": {"A": 0.02}}


@dataclass
class Trade:
    """A trade as an object."""

    symbol: str
    quantity: float
    type: str = "BUY"


def test_ORD03_the_defaults_make_day_limits_worse_by_the_slippage() -> None:
    """0.1 % of 150: 150.15 to buy, 149.85 to sell; impact 2 % of sqrt(28/1,000,000) is nothing."""
    config = vb.ExecutionRulesConfig(
        default_order_type="LIMIT", time_in_force="DAY", price_threshold=0.01, market_impact_limit=0.005, max_slippage=0.001, min_fill=0.8
    )
    assert config == vb.ExecutionRulesConfig()
    plan = config.apply({"A": 28}, {"A": 150.0}, **LIQUID)
    assert plan.orders == (vb.Order(quantity=28, symbol="A", type="limit", limit=150.15, tif="day"),)
    assert plan.notes == ()
    (sale,) = config.apply([Trade("A", 28, "SELL")], {"A": 150.0}, **LIQUID).orders
    assert (sale.quantity, sale.limit) == (-28, pytest.approx(149.85))
    (market,) = vb.ExecutionRulesConfig("market", "ioc").apply([("A", 1)], {"A": 150.0}, **LIQUID).orders
    assert (market.type, market.limit, market.tif) == ("market", None, "ioc")


def test_ORD03_a_price_that_has_run_away_is_refused_on_the_side_that_hurts() -> None:
    """1 % from 100 is 101: at 101 a purchase goes, above it does not; a fall is welcome. Sales mirror it."""
    config = vb.ExecutionRulesConfig()
    for side, price, goes in ((1, 101.0, True), (1, 101.5, False), (1, 90.0, True), (-1, 98.5, False), (-1, 110.0, True)):
        plan = config.apply({"A": side}, {"A": price}, decided_at={"A": 100.0}, **LIQUID)
        assert bool(plan.orders) == goes
        assert plan.refused == (() if goes else ("A",))
    (note,) = config.apply({"A": 1}, {"A": 102.0}, decided_at={"A": 100.0}, **LIQUID).notes
    assert str(note) == "A +1: refused, the price has run from 100 to 102, 2.00% against it; at most 1.00% (price_threshold)"


def test_ORD03_impact_cuts_to_its_limit_or_refuses() -> None:
    """10 % of sqrt(q/v) is 0.5 % at q/v 0.0025: 2,500 of a volume of 1,000,000. 3,000 are cut to it, 5,000 would keep only a half."""
    config = vb.ExecutionRulesConfig()
    tables: dict[str, Any] = {"volumes": {"A": 1e6}, "volatility": {"A": 0.1}}
    assert config.apply({"A": 2_499}, {"A": 10.0}, **tables).notes == ()
    (note,) = (cut := config.apply({"A": -3_000}, {"A": 10.0}, **tables)).notes
    assert (note.rule, note.ordered, cut.orders[0].quantity) == ("market_impact_limit", pytest.approx(-2_500), pytest.approx(-2_500))
    assert str(note) == "A -3000: cut to -2500, its impact would be 0.55%, at most 0.50% (market_impact_limit)"
    refused = config.apply({"A": 5_000}, {"A": 10.0}, **tables)
    assert (refused.orders, refused.notes[0].rule) == ((), "min_fill")
    assert "2500 would be left, less than 80% of it" in refused.notes[0].why
    twice = vb.ExecutionRulesConfig(impact=2.0).apply({"A": 700}, {"A": 10.0}, **tables)
    assert twice.orders[0].quantity == pytest.approx(625)  # a quarter of it


def test_ORD03_an_impact_that_is_not_known_is_not_small() -> None:
    config = vb.ExecutionRulesConfig()
    for tables in ({}, {"volumes": {"A": 1e6}}, {"volumes": {"A": 0.0}, "volatility": {"A": 0.1}}, {"volumes": {"A": float("nan")}}):
        plan = config.apply({"A": 1}, {"A": 10.0}, **tables)  # type: ignore[arg-type]
        assert plan.refused == ("A",) and "its impact is not known" in plan.notes[0].why
    assert vb.ExecutionRulesConfig(market_impact_limit=None).apply({"A": 1}, {"A": 10.0}).refused == ()


def test_ORD03_a_reduction_is_never_held_up() -> None:
    config = vb.ExecutionRulesConfig()
    plan = config.apply({"A": -5}, {"A": 50.0}, decided_at={"A": 100.0}, holdings={"A": 5})
    assert [o.quantity for o in plan.orders] == [-5] and plan.notes == ()
    flip = config.apply({"A": -6}, {"A": 50.0}, decided_at={"A": 100.0}, holdings={"A": 5})
    assert flip.refused == ("A",)


def test_ORD03_the_impact_is_that_of_the_costs() -> None:
    """F1's volume share with k = 1: the fill of the largest order that goes is worse by 0.5 %."""
    config = vb.ExecutionRulesConfig("market", "gtc", impact=1.0)
    (order,) = config.apply({"A": 30}, {"A": 100.0}, volumes={"A": 1e4}, volatility={"A": 0.1}).orders
    assert order.quantity == pytest.approx(25)
    bars = bars_of([(100, 110, 90, 110, 1e4), (100, 100, 100, 100, 1e4)])  # its one return is 10 %
    result = vb.backtest(bars, vb.Orders({bars.times[0]: order}), costs=vb.Costs(volume_share=1.0))
    fill = result.run.fills[0]
    assert abs(fill.price / fill.ref - 1) == pytest.approx(config.market_impact_limit)


@given(wanted=st.floats(-1e5, 1e5).filter(lambda q: abs(q) > 1e-3), volume=st.floats(1, 1e7), sigma=st.floats(0, 0.5))
def test_ORD03_what_is_ordered_keeps_both_limits(wanted: float, volume: float, sigma: float) -> None:
    config = vb.ExecutionRulesConfig()
    plan = config.apply({"A": wanted}, {"A": 20.0}, volumes={"A": volume}, volatility={"A": sigma})
    assert bool(plan.orders) != bool(plan.refused)
    for order in plan.orders:
        assert order.quantity * wanted > 0
        assert 0.8 * abs(wanted) * (1 - 1e-12) <= abs(order.quantity) <= abs(wanted)
        assert sigma * (abs(order.quantity) / volume) ** 0.5 <= 0.005 * (1 + 1e-9)


def test_ORD03_a_plan_is_a_row_of_a_stream() -> None:
    bars = bars_of([100, 100, 100])
    stream = vb.Stream(vb.Orders, market=bars.market, costs=vb.Costs.free(), initial_capital=10_000.0)
    plan = vb.ExecutionRulesConfig(market_impact_limit=None).apply({"A": 5}, {"A": 100.0})
    stream.update(bars.row(0), plan.row())
    decision = stream.update(bars.row(1), vb.Orders([]))
    assert (decision.positions[0], decision.fills[0].price) == (5, 100)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"default_order_type": "LIMTI"}, "did you mean 'limit'"),
        ({"default_order_type": "STOP"}, "expected one of market, limit"),
        ({"time_in_force": "GTD"}, "time_in_force is 'GTD'"),
        ({"price_threshold": 1}, "price_threshold is 1; expected a fraction: 1 % is 0.01"),
        ({"price_threshold": 0}, "price_threshold is 0"),
        ({"max_slippage": -0.1}, "max_slippage is -0.1"),
        ({"min_fill": 80}, "min_fill is 80"),
        ({"min_fill": None}, "min_fill is None"),
        ({"impact": float("inf")}, "impact is inf"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        vb.ExecutionRulesConfig(**given)
    assert message in str(caught.value)


def test_trades_that_cannot_be_are_named() -> None:
    config = vb.ExecutionRulesConfig()
    for trades, prices, message in (
        ({"A": 1}, {"B": 1.0}, "prices has no 'A'"),
        ({"A": 1}, {"A": 0.0}, "prices['A'] is 0.0; expected a price"),
        ({"A": float("nan")}, {"A": 1.0}, "the trade in A is nan"),
        ([Trade("A", 1, "HOLD")], {"A": 1.0}, "expected 'BUY' or 'SELL'"),
    ):
        with pytest.raises(InputError) as caught:
            config.apply(trades, prices)
        assert message in str(caught.value)
    assert config.apply({"A": 0}, {"A": 1.0}, **LIQUID).orders == ()
    assert vb.ExecutionRulesConfig(max_slippage=0).apply({"A": 1}, {"A": 7.0}, **LIQUID).orders[0].limit == 7.0
