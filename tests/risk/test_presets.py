"""Named stops (STP-01 to STP-04): their numbers, and that none of them is dead."""

from __future__ import annotations

import pytest

import vecbt as vb
from vecbt.errors import ConfigError
from vecbt.risk.presets import STOPS


def test_STP01_to_STP04_presets_carry_their_numbers() -> None:
    assert vb.Stops.preset("wide") == vb.Stops(hard=vb.Pct(5), take_profit=vb.Pct(10))
    assert vb.Stops.preset("tight") == vb.Stops(hard=vb.Pct(2), take_profit=vb.Pct(4))
    assert vb.Stops.preset("atr") == vb.Stops(trailing=vb.Atr(2))
    layered = vb.Stops.preset("layered")
    assert (layered.hard, layered.trailing, layered.take_profit, layered.time_days) == (vb.Pct(3), vb.Pct(2), vb.Pct(5), 30)
    assert layered.activation == vb.Pct(2)


@pytest.mark.parametrize("name", STOPS)
def test_STP02_no_preset_holds_a_dead_stop(name: str) -> None:
    """A trail armed at entry that is not wider than the hard stop would be found."""
    assert vb.presets.stops(name).findings == ()
    assert vb.Stops(hard=vb.Pct(3), trailing=vb.Pct(2)).findings


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="called 'layerd'; did you mean 'layered'"):
        vb.Stops.preset("layerd")
    with pytest.raises(ConfigError, match="called 'zone'; did you mean 'zones'"):
        vb.presets.risk("zone")


def test_RSK03_RSK08_presets_of_an_account() -> None:
    zones = vb.presets.risk("zones")
    assert zones.zones == vb.Zones(boundaries=(0.05, 0.10, 0.15), liquidate_at=0.20)
    assert (zones.daily_loss, zones.max_heat, zones.limits) == (0.03, 0.03, vb.Limits(max_position=0.25))
    steps = vb.presets.risk("steps")
    assert steps.zones == vb.Zones(boundaries=(0.10, 0.15, 0.20), factors=(1, 0.5, 0, 0), liquidate_at=0.20)
    assert (steps.daily_loss, steps.limits) == (0.03, vb.Limits(max_gross=1.0, max_net=0.8))


def test_the_presets_are_the_numbers_of_the_risk_manager() -> None:
    assert vb.RiskManager(liquidate_at=0.20).risk == vb.presets.risk("zones")
    assert vb.RiskManager().stops == vb.Stops(hard=0.03, trailing=0.02, activation=0.02, take_profit=0.05, time_days=30)
    assert vb.RiskManager.from_config({}).risk == vb.presets.risk("steps")
    assert vb.RiskManager.from_config({"use_stop_loss": True, "use_take_profit": True}).stops == vb.Stops(hard=0.05, take_profit=0.1)
    assert vb.StopLossManager().stops() == vb.Stops(hard=0.02, take_profit=0.04)
