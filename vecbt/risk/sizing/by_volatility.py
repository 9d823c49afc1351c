"""Sizes that look at the asset's own volatility (F1's sigma, per bar): its inverse, a risk per trade, a forecast."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ...core.codes import SizeMethod
from ...errors import ConfigError
from .base import Question, Size, SizeReport, between, check_limits, limit_fields, number, whole

__all__ = ["ForecastSizing", "InverseVolatility", "VolatilitySizing"]

_CAP = "a fraction of equity > 0"


def _sigma(volatility: Any) -> float:
    """A volatility given by hand; 0 and NaN are answers too: refused by rule `volatility`."""
    if isinstance(volatility, float) and math.isnan(volatility):
        return math.nan
    if number("volatility", volatility, "the standard deviation of a bar's return, such as 0.01") < 0.0:
        raise ConfigError(f"volatility is {volatility!r}; expected a standard deviation >= 0")
    return float(volatility)


@dataclass(frozen=True)
class InverseVolatility(Size):
    """A part of the equity by 1/sigma: calm assets get more, each part the same standard deviation (`inverse_volatility`).

    This is what is often called risk parity; it leaves correlations aside, so it is not equal risk contribution.

    Parameters
    ----------
    window : int
        Bars of the volatility.
    max_position : float, optional
        Most of equity in one position.
    min_position : float, optional
        Least of equity: a smaller part is refused (rule `minimum`), never made larger.
    """

    window: int = 20
    max_position: float | None = None
    min_position: float | None = None

    METHOD: ClassVar[SizeMethod] = SizeMethod.INVERSE_VOLATILITY
    DECIDES: ClassVar[str] = "inverse volatility"
    CAPS: ClassVar[dict[str, str]] = {"most": "max_position"}
    needs_sigma: ClassVar[bool] = True

    def __post_init__(self) -> None:
        whole("InverseVolatility.window", self.window)
        check_limits("InverseVolatility", self.max_position, self.min_position)

    def fields_of_record(self) -> dict[str, float]:
        """The fields of the record that are not off."""
        return {"amount": 0.0, **limit_fields(self.max_position, self.min_position)}

    def explain(
        self,
        capital: float,
        entry_price: float,
        volatility: float,
        volatilities: Sequence[float] | Mapping[str, float],
        *,
        multiplier: float = 1.0,
    ) -> SizeReport:
        """As `calculate_size`, with what decided."""
        sigma = _sigma(volatility)
        everyone = list(volatilities.values()) if isinstance(volatilities, Mapping) else list(volatilities)
        inverse = sum(1.0 / s for s in map(_sigma, everyone) if s > 0.0)
        share = 1.0 / sigma / inverse if sigma > 0.0 and inverse > 0.0 else math.nan
        return self.answer(Question(capital, entry_price, sigma=sigma, share=share, multiplier=multiplier))

    def calculate_size(
        self,
        capital: float,
        entry_price: float,
        volatility: float,
        volatilities: Sequence[float] | Mapping[str, float],
        *,
        multiplier: float = 1.0,
    ) -> float:
        """Units of an asset of this volatility among all the account's `volatilities`, its own with them."""
        return self.explain(capital, entry_price, volatility, volatilities, multiplier=multiplier).units


@dataclass(frozen=True)
class VolatilitySizing(Size):
    """So many units that a move of one standard deviation of a bar is `risk_per_trade` of the equity.

    Parameters
    ----------
    risk_per_trade : float
        Fraction of equity that one sigma moves.
    window : int
        Bars of the volatility.
    max_position : float, optional
        Most of equity in one position.
    """

    risk_per_trade: float = 0.01
    window: int = 20
    max_position: float | None = None

    METHOD: ClassVar[SizeMethod] = SizeMethod.VOLATILITY
    DECIDES: ClassVar[str] = "risk_per_trade"
    CAPS: ClassVar[dict[str, str]] = {"most": "max_position"}
    needs_sigma: ClassVar[bool] = True

    def __post_init__(self) -> None:
        between("VolatilitySizing.risk_per_trade", self.risk_per_trade, 0.0, 1.0, "a fraction of equity, more than 0 and at most 1")
        whole("VolatilitySizing.window", self.window)
        check_limits("VolatilitySizing", self.max_position, None)

    def fields_of_record(self) -> dict[str, float]:
        """The fields of the record that are not off."""
        return {"amount": self.risk_per_trade, **limit_fields(self.max_position)}

    def explain(self, capital: float, entry_price: float, volatility: float, *, multiplier: float = 1.0) -> SizeReport:
        """As `calculate_size`, with what decided."""
        return self.answer(Question(capital, entry_price, sigma=_sigma(volatility), multiplier=multiplier))

    def calculate_size(self, capital: float, entry_price: float, volatility: float, *, multiplier: float = 1.0) -> float:
        """Units for `capital` at `entry_price`, `volatility` being the standard deviation of a bar's return."""
        return self.explain(capital, entry_price, volatility, multiplier=multiplier).units


@dataclass(frozen=True)
class ForecastSizing(Size):
    """Kelly's continuous form: a fraction of the forecast return over its variance, `kelly_fraction*forecast/sigma^2` of equity.

    The forecast of a bar's return is `|strength|*scale`, its confidence included; the sign of the strength is the side.

    Parameters
    ----------
    scale : float
        Return of one bar that strength 1 forecasts.
    kelly_fraction : float
        Part of the full formula.
    window : int
        Bars of the volatility.
    max_position_size : float
        Most of equity in one position.
    max_portfolio_risk : float
        Most standard deviation that the position may give the equity *per bar* (not per year), `weight*sigma`.
    """

    scale: float = 0.01
    kelly_fraction: float = 0.25
    window: int = 20
    max_position_size: float = 0.1
    max_portfolio_risk: float = 0.02

    METHOD: ClassVar[SizeMethod] = SizeMethod.FORECAST
    DECIDES: ClassVar[str] = "kelly_fraction"
    CAPS: ClassVar[dict[str, str]] = {"most": "max_position_size", "top_risk": "max_portfolio_risk"}
    needs_sigma: ClassVar[bool] = True

    def __post_init__(self) -> None:
        between("ForecastSizing.scale", self.scale, 0.0, 1.0, "the return of a bar that strength 1 forecasts, such as 0.01")
        between("ForecastSizing.kelly_fraction", self.kelly_fraction, 0.0, 1.0, "a part of the full formula, more than 0 and at most 1")
        whole("ForecastSizing.window", self.window)
        between("ForecastSizing.max_position_size", self.max_position_size, 0.0, 1000.0, _CAP)
        between("ForecastSizing.max_portfolio_risk", self.max_portfolio_risk, 0.0, 1000.0, _CAP)

    def fields_of_record(self) -> dict[str, float]:
        """The fields of the record that are not off."""
        out = {"amount": self.kelly_fraction, "forecast_scale": self.scale}
        return out | {"most": self.max_position_size, "top_risk": self.max_portfolio_risk}

    def explain(
        self, capital: float, entry_price: float, forecast: float, volatility: float, confidence: float = 1.0, *, multiplier: float = 1.0
    ) -> SizeReport:
        """The size of the position, whichever its side, with what decided."""
        strength = (
            number("forecast", forecast, "the return expected of a bar, such as 0.002") * _checked_confidence(confidence) / self.scale
        )
        return self.answer(Question(capital, entry_price, strength=strength, sigma=_sigma(volatility), multiplier=multiplier))

    def calculate_size(
        self, capital: float, entry_price: float, forecast: float, volatility: float, confidence: float = 1.0, *, multiplier: float = 1.0
    ) -> float:
        """Signed units: a forecast below 0 is a short, 0 is nothing.

        `forecast` is the return expected of a bar, `volatility` its standard deviation, `confidence` from 0 to 1.
        """
        units = self.explain(capital, entry_price, forecast, volatility, confidence, multiplier=multiplier).units
        return -units if forecast < 0.0 else units

    def calculate_position_size(self, prediction: float, volatility: float, confidence: float) -> float:
        """The signed fraction of equity for a predicted return of a bar, its volatility and its confidence."""
        return self.calculate_size(1.0, 1.0, prediction, volatility, confidence)


def _checked_confidence(confidence: Any) -> float:
    if not 0.0 <= number("confidence", confidence, "a number from 0 to 1; without one there is no size") <= 1.0:
        raise ConfigError(f"confidence is {confidence!r}; expected a number from 0 to 1")
    return float(confidence)
