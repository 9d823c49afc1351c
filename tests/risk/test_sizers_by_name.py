"""Sizes by name (SIZ-07), and the sizes of a portfolio's configuration (SIZ-08)."""

from __future__ import annotations

from typing import Any

import pytest

import vecbt as vb
from vecbt.errors import ConfigError
from vecbt.risk.sizing import SIZINGS
from vecbt.risk.sizing.factory import METHODS


@pytest.mark.parametrize(
    ("method", "given", "size"),
    [
        ("fixed_fractional", {"risk_fraction": 0.01}, vb.FixedFractionalSizing(0.01)),
        ("fixed_fractional", {"risk_per_trade": 0.02, "max_position_size": 0.3}, vb.FixedFractionalSizing(0.02, 0.3)),
        ("kelly", {}, vb.KellyCriterion()),
        ("kelly", {"kelly_win_rate": 0.6, "kelly_win_loss_ratio": 2.0}, vb.KellyCriterion(win_rate=0.6, avg_win=2.0, avg_loss=1.0)),
        ("kelly", {"fraction": 0.5}, vb.KellyCriterion(0.5)),
        ("confidence_based", {"base_risk_fraction": 0.01, "max_risk_fraction": 0.02}, vb.ConfidenceBasedSizing()),
        ("confidence_based", {"confidence_threshold": 0.6}, vb.ConfidenceBasedSizing(min_confidence=0.6)),
        ("equal_weight", {"max_position_size": 0.1, "min_position_size": 0.01}, vb.EqualWeight(0.1, 0.01)),
        ("inverse_volatility", {"window": 30}, vb.InverseVolatility(30)),
        ("volatility", {"risk_per_trade": 0.01}, vb.VolatilitySizing(0.01)),
        ("forecast", {"max_position_size": 0.1, "max_portfolio_risk": 0.02}, vb.ForecastSizing()),
        ("fixed_pct", {"default_size_pct": 0.1, "max_position_pct": 0.25, "scale_by_volatility": False}, vb.Weight(0.1, True, 0.25)),
        ("weight", {"weight": 0.1, "scale_by_signal": False}, vb.Weight(0.1, False)),
        ("units", {"units": 3}, vb.Units(3)),
        ("notional", {"notional": 100}, vb.Notional(100)),
        ("cash", {}, vb.Cash()),
    ],
)
def test_SIZ07_a_size_by_name(method: str, given: dict[str, Any], size: object) -> None:
    assert vb.create_position_sizer(method=method, **given) == size


def test_SIZ07_every_size_has_a_name() -> None:
    assert set(METHODS.values()) == set(SIZINGS)


@pytest.mark.parametrize(
    ("method", "given", "message"),
    [
        ("kely", {}, "unknown sizing method 'kely'; did you mean 'kelly'?"),
        ("fixed_fractional", {"risk_fractoin": 1}, "has no parameter 'risk_fractoin'; did you mean 'risk_fraction'?"),
        ("fixed_fractional", {"risk_fraction": 0.01, "risk_per_trade": 0.01}, "got 'risk_fraction' twice, once as 'risk_per_trade'"),
        ("fixed_pct", {}, "Weight (method 'fixed_pct') needs 'weight'"),
        ("fixed_pct", {"default_size_pct": 0.1, "scale_by_volatility": True}, "use method='volatility'"),
        ("kelly", {"kelly_win_rate": 0.5, "kelly_win_loss_ratio": 1.0}, "has no edge and could never trade"),
        ("kelly", {"kelly_win_rate": 0.5, "kelly_win_loss_ratio": "1"}, "kelly_win_loss_ratio is '1'"),
        (3, {}, "unknown sizing method 3"),
    ],
)
def test_SIZ07_what_is_wrong_is_named(method: Any, given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        vb.create_position_sizer(method, **given)
    assert message in str(caught.value)


def test_SIZ08_risk_parity_is_inverse_volatility_and_says_so() -> None:
    with pytest.warns(UserWarning, match="read as 'inverse_volatility'"):
        assert vb.create_position_sizer("risk_parity", window=30) == vb.InverseVolatility(30)


def test_SIZ08_the_configuration_of_a_portfolio() -> None:
    assert vb.PositionSizingConfig().sizer() == vb.EqualWeight(0.1, 0.01)
    config = vb.PositionSizingConfig(method="risk_parity", adaptation_period=30)
    with pytest.warns(UserWarning, match="inverse_volatility"):
        assert config.sizer() == vb.InverseVolatility(30, 0.1, 0.01)
    assert vb.PositionSizingConfig("fixed_fractional", 0.3).sizer() == vb.FixedFractionalSizing(max_position_fraction=0.3)
    for wrong, message in (
        ({"learning_rate": 0.1}, "no size learns"),
        ({"method": "equal_wieght"}, "did you mean 'equal_weight'"),
        ({"max_position_size": 0.001}, "more than max_position"),
        ({"adaptation_period": 0}, "adaptation_period is 0"),
    ):
        with pytest.raises(ConfigError, match=message):
            vb.PositionSizingConfig(**wrong)  # type: ignore[arg-type]


def test_SIZ08_a_small_part_is_refused_never_enlarged() -> None:
    """1/200 of equity is under 1 %: no units at all."""
    size = vb.PositionSizingConfig().sizer()
    assert size.calculate_size(10_000, 100, assets=200) == 0
    assert size.calculate_size(10_000, 100, assets=20) == 5
