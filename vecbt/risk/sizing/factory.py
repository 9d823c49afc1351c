"""Sizes by name: for configurations, and for words that are used elsewhere."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from ...errors import ConfigError, nearest
from .base import number, whole
from .by_risk import ConfidenceBasedSizing, FixedFractionalSizing, KellyCriterion
from .by_volatility import ForecastSizing, InverseVolatility, VolatilitySizing
from .plain import Cash, EqualWeight, Notional, Units, Weight

__all__ = ["METHODS", "PositionSizingConfig", "create_position_sizer"]

METHODS: dict[str, Callable[..., Any]] = {
    "weight": Weight,
    "units": Units,
    "notional": Notional,
    "cash": Cash,
    "equal_weight": EqualWeight,
    "inverse_volatility": InverseVolatility,
    "volatility": VolatilitySizing,
    "fixed_fractional": FixedFractionalSizing,
    "kelly": KellyCriterion,
    "confidence_based": ConfidenceBasedSizing,
    "forecast": ForecastSizing,
}
"""Name of a method -> its class."""

_OTHER_NAMES = {
    "fixed_pct": "weight",
    "fixed_percent": "weight",
    "fixed_fraction": "fixed_fractional",
    "confidence": "confidence_based",
    "kelly_criterion": "kelly",
    "risk_parity": "inverse_volatility",
    "ml": "forecast",
}

_CAPPED = {"max_position_size": "max_position_fraction", "max_position_pct": "max_position_fraction"}
_LIMITED = {"max_position_size": "max_position", "max_position_pct": "max_position", "min_position_size": "min_position"}
_OTHER_ARGUMENTS: dict[str, dict[str, str]] = {
    "weight": {"default_size_pct": "weight", **_LIMITED},
    "equal_weight": _LIMITED,
    "inverse_volatility": {"adaptation_period": "window", "lookback": "window", **_LIMITED},
    "volatility": {"lookback": "window", **_LIMITED},
    "fixed_fractional": {"risk_per_trade": "risk_fraction", **_CAPPED},
    "kelly": {"fraction": "kelly_fraction", "risk_per_trade": "start_fraction", "kelly_win_rate": "win_rate", **_CAPPED},
    "confidence_based": {"risk_per_trade": "base_risk_fraction", "confidence_threshold": "min_confidence", **_CAPPED},
    "forecast": {"max_position_pct": "max_position_size", "lookback": "window"},
}


def create_position_sizer(method: str = "fixed_fractional", **parameters: Any) -> Any:
    """The size of this name.

    Parameters
    ----------
    method : str
        `fixed_fractional`, `kelly`, `confidence_based`, `equal_weight`, `inverse_volatility`, `volatility`, `forecast`,
        `weight` (or `fixed_pct`), `units`, `notional`, `cash`. `risk_parity` is read as `inverse_volatility`, with a warning.
    **parameters
        Those of the class; some other names are known too, such as `risk_per_trade` or `max_position_size`.

    Raises
    ------
    ConfigError
        An unknown method or parameter (the nearest known one is named), or a value out of range.
    """
    if not isinstance(method, str) or (method not in METHODS and method not in _OTHER_NAMES):
        raise ConfigError(f"unknown sizing method {method!r}; {nearest(str(method), [*METHODS, *_OTHER_NAMES])}")
    name = _OTHER_NAMES.get(method, method)
    if method == "risk_parity":
        warnings.warn(
            "sizing method 'risk_parity' is read as 'inverse_volatility': it leaves correlations aside; equal risk contribution is an "
            "allocation, not a size",
            stacklevel=2,
        )
    home = METHODS[name]
    known = [f.name for f in fields(home)]  # type: ignore[arg-type]
    given: dict[str, Any] = {}
    for argument, value in _unfolded(name, parameters).items():
        own = _OTHER_ARGUMENTS.get(name, {}).get(argument, argument)
        if own not in known:
            raise ConfigError(f"{home.__name__} (method {method!r}) has no parameter {argument!r}; {nearest(argument, known)}")
        if own in given:
            raise ConfigError(f"{home.__name__} got {own!r} twice, once as {argument!r}; leave one of them out")
        given[own] = value
    missing = [f for f in known[:1] if name in ("weight", "units", "notional") and f not in given]
    if missing:
        raise ConfigError(f"{home.__name__} (method {method!r}) needs {missing[0]!r}")
    return home(**given)


def _unfolded(name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Parameters that stand for two, or for none."""
    out = dict(parameters)
    if name == "weight" and out.pop("scale_by_volatility", False):
        raise ConfigError("scale_by_volatility: a weight knows no volatility; use method='volatility' (risk_per_trade over sigma)")
    if name == "kelly" and "kelly_win_loss_ratio" in out:
        out["avg_win"], out["avg_loss"] = number("kelly_win_loss_ratio", out.pop("kelly_win_loss_ratio"), "mean win over mean loss"), 1.0
    return out


@dataclass(frozen=True)
class PositionSizingConfig:
    """Sizes of a portfolio by name, with fractions of equity as limits; `sizer()` makes the size.

    Parameters
    ----------
    method : str
        As for `create_position_sizer`; equal weight and inverse volatility (`risk_parity`) take both limits.
    max_position_size, min_position_size : float
        Most and least fraction of equity in one position. A smaller one is refused, never made larger.
    learning_rate : float
        No size learns: only its default is accepted.
    adaptation_period : int
        Bars of the volatility, where the method has one.
    """

    method: str = "equal_weight"
    max_position_size: float = 0.1
    min_position_size: float = 0.01
    learning_rate: float = 0.01
    adaptation_period: int = 20

    def __post_init__(self) -> None:
        if self.learning_rate != 0.01:
            raise ConfigError(f"PositionSizingConfig.learning_rate is {self.learning_rate!r}: no size learns; leave it out")
        whole("PositionSizingConfig.adaptation_period", self.adaptation_period)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # said by sizer(), once
            self.sizer()

    def sizer(self) -> Any:
        """The size."""
        given: dict[str, Any] = {}
        name = _OTHER_NAMES.get(self.method, self.method)
        if name in ("equal_weight", "inverse_volatility"):
            given["min_position"] = self.min_position_size
        if name in METHODS:
            known = [f.name for f in fields(METHODS[name])]  # type: ignore[arg-type]
            cap = next((c for c in ("max_position", "max_position_size", "max_position_fraction") if c in known), None)
            given |= {cap: self.max_position_size} if cap else {}
            given |= {"window": self.adaptation_period} if "window" in known else {}
        return create_position_sizer(self.method, **given)
