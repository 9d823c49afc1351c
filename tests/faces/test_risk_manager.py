"""`RiskManager` (RSK-03, RSK-07, RSK-08): its numbers as stops and rules of a simulation."""

from __future__ import annotations

from typing import Any

import pytest

import vecbt as vb
from vecbt.errors import ConfigError


def test_RSK07_defaults_become_stops_and_rules() -> None:
    manager = vb.RiskManager(
        initial_capital=10_000,
        max_drawdown_pct=0.15,
        daily_loss_limit_pct=0.03,
        max_portfolio_heat=0.03,
        hard_stop_pct=0.03,
        trailing_stop_pct=0.02,
        take_profit_pct=0.05,
    )
    assert manager == vb.RiskManager(10_000)
    assert manager.stops == vb.Stops(hard=0.03, trailing=0.02, activation=0.02, take_profit=0.05, time_days=30)
    assert manager.risk == vb.Risk(zones=vb.Zones(), daily_loss=0.03, max_heat=0.03, limits=vb.Limits(max_position=0.25))


def test_RSK08_the_zones_follow_the_halt() -> None:
    """A halt at 15 % has its zones at 5 and 10 %; one at 30 % at 10 and 20 %; closing everything is a boundary of its own."""
    assert vb.RiskManager().risk.zones == vb.Zones(boundaries=(0.05, 0.10, 0.15))  # type: ignore[union-attr]
    assert vb.RiskManager(max_drawdown_pct=0.3).risk.zones.boundaries == (0.1, 0.2, 0.3)  # type: ignore[union-attr]
    assert vb.RiskManager(liquidate_at=0.20).risk.zones == vb.Zones(liquidate_at=0.20)  # type: ignore[union-attr]


def test_STP02_the_trail_begins_where_it_protects_the_entry() -> None:
    """Armed at the entry a trail of 2 % would leave a hard stop of 3 % nothing to do, and that is said."""
    assert vb.RiskManager().findings() == ()
    assert vb.RiskManager(trailing_activation_pct=0.01).stops.activation == 0.01  # type: ignore[union-attr]
    at_entry = vb.RiskManager(trailing_activation_pct=0)
    assert at_entry.stops.activation is None  # type: ignore[union-attr]
    assert "adds nothing" in at_entry.findings()[0]


def test_each_rule_can_be_off() -> None:
    off = vb.RiskManager(None, None, None, None, None, None, None, time_stop_days=None, max_position_pct=None)
    assert (off.stops, off.risk) == (None, None)
    assert vb.RiskManager(trailing_stop_pct=None).stops == vb.Stops(hard=0.03, take_profit=0.05, time_days=30)
    only = vb.RiskManager(None, None, 0.02, None, max_position_pct=None)
    assert only.risk == vb.Risk(daily_loss=0.02)


def test_RSK03_limits_of_an_account_from_a_mapping() -> None:
    """Risk is halved at 10 %, none is new at 15 %, all is closed at 20 %; exits are allowed throughout."""
    manager = vb.RiskManager.from_config({"max_position_size": 1_000.0})
    assert manager.stops is None
    assert manager.risk == vb.Risk(
        zones=vb.Zones(boundaries=(0.10, 0.15, 0.20), factors=(1.0, 0.5, 0.0, 0.0), liquidate_at=0.20),
        daily_loss=0.03,
        limits=vb.Limits(max_position_value=1_000.0, max_gross=1.0, max_net=0.8),
    )
    with_stops = vb.RiskManager.from_config({"use_stop_loss": True, "use_take_profit": True})
    assert with_stops.stops == vb.Stops(hard=0.05, take_profit=0.1)
    assert with_stops.risk.max_trade_loss == 0.01  # type: ignore[union-attr]
    wide = vb.RiskManager.from_config({"max_gross_exposure": 2.0, "reduce_exposure_at_drawdown": 0.05})
    assert wide.risk.limits == vb.Limits(max_gross=2.0, max_net=0.8)  # type: ignore[union-attr]
    assert wide.risk.zones.boundaries[0] == 0.05  # type: ignore[union-attr]


def test_the_binding_constraint_is_said() -> None:
    """1 % of risk at a stop 3 % away asks for 33 %, and 25 % is allowed: 0.75 % is at risk."""
    (sentence,) = vb.RiskManager().findings(vb.FixedFractionalSizing(0.01, 0.25))
    assert sentence == (
        "max_position_fraction decides: a risk of 1.00% with a stop 3.00% away asks for 33.3% of equity, 25.0% is allowed, "
        "so 0.75% is at risk"
    )
    assert "66.7% of equity" in vb.RiskManager().findings(vb.ConfidenceBasedSizing())[0]
    assert vb.RiskManager().findings(vb.FixedFractionalSizing(0.005)) == ()
    assert vb.RiskManager(hard_stop_pct=None).findings(vb.FixedFractionalSizing()) == ()
    (sentence,) = vb.RiskManager(hard_stop_pct=None, trailing_stop_pct=None).findings()
    assert sentence.startswith("max_portfolio_heat without a stop")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"max_drawdown_pct": 15}, "RiskManager.max_drawdown_pct is 15; expected a fraction between 0 and 1: 3 % is 0.03"),
        ({"hard_stop_pct": 0}, "RiskManager.hard_stop_pct is 0"),
        ({"hard_stop_pct": True}, "RiskManager.hard_stop_pct is True"),
        ({"initial_capital": -1}, "RiskManager.initial_capital is -1"),
        ({"trailing_stop_pct": None, "trailing_activation_pct": 0.02}, "trailing_stop_pct is None"),
        ({"liquidate_at": 0.05}, "Zones.liquidate_at is 0.05"),
        ({"time_stop_days": 0}, "Stops.time_days is 0"),
    ],
)
def test_what_cannot_be_is_refused_at_once(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        vb.RiskManager(**given)
    assert message in str(caught.value)


def test_an_unknown_limit_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="no limit 'max_drawdown'; did you mean 'max_drawdown_pct'"):
        vb.RiskManager.from_config({"max_drawdown": 0.2})
    with pytest.raises(ConfigError, match="no limit 'var_limit'"):
        vb.RiskManager.from_config({"var_limit": 0.05})
