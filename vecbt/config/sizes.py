"""The section of sizes: one key that says how, with its parameters."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ..risk.sizing import (
    ConfidenceBasedSizing,
    EqualWeight,
    FixedFractionalSizing,
    ForecastSizing,
    InverseVolatility,
    KellyCriterion,
    VolatilitySizing,
    Weight,
)
from .sections import Count, Fraction, Number, Positive, Section, of

__all__ = [
    "METHODS",
    "ConfidenceSection",
    "EqualWeightSection",
    "FixedFractionalSection",
    "ForecastSection",
    "InverseVolatilitySection",
    "KellySection",
    "SizingSection",
    "VolatilitySection",
]  # fmt: skip

_CAP = "most notional, a fraction of equity"
_WINDOW = "bars of the volatility"


class FixedFractionalSection(Section):
    """Risk a fixed fraction of the equity between entry and stop."""

    risk_fraction: Positive | None = of(FixedFractionalSizing, "risk_fraction", "fraction of equity lost at the stop")
    max_position_fraction: Positive | None = of(FixedFractionalSizing, "max_position_fraction", _CAP)


class KellySection(Section):
    """Risk a part of what Kelly's formula says between entry and stop."""

    kelly_fraction: Positive | None = of(KellyCriterion, "kelly_fraction", "part of the full formula")
    win_rate: Number | None = of(KellyCriterion, "win_rate", "share of winning trades; without it those of the account count")
    avg_win: Positive | None = of(KellyCriterion, "avg_win", "mean win, in the unit of avg_loss")
    avg_loss: Positive | None = of(KellyCriterion, "avg_loss", "mean loss, without its sign")
    running: bool | None = of(KellyCriterion, "running", "the account's closed trades give the numbers; follows from win_rate")
    min_trades: Count | None = of(KellyCriterion, "min_trades", "closed trades before they count")
    start_fraction: Positive | None = of(KellyCriterion, "start_fraction", "fraction of equity at risk until then")
    max_position_fraction: Positive | None = of(KellyCriterion, "max_position_fraction", _CAP)
    min_win_rate: Number | None = of(KellyCriterion, "min_win_rate", "accepted and not used: what counts is the edge")


class ConfidenceSection(Section):
    """Risk more of the equity the surer the signal."""

    base_risk_fraction: Positive | None = of(ConfidenceBasedSizing, "base_risk_fraction", "fraction at risk at the least confidence")
    max_risk_fraction: Positive | None = of(ConfidenceBasedSizing, "max_risk_fraction", "fraction at risk at full confidence")
    min_confidence: Number | None = of(ConfidenceBasedSizing, "min_confidence", "least |strength|; below it an entry is refused")
    max_position_fraction: Positive | None = of(ConfidenceBasedSizing, "max_position_fraction", _CAP)


class EqualWeightSection(Section):
    """One part of the equity for each asset."""

    max_position: Positive | None = of(EqualWeight, "max_position", _CAP)
    min_position: Positive | None = of(EqualWeight, "min_position", "a smaller part is refused")


class InverseVolatilitySection(Section):
    """A part of the equity by 1/sigma."""

    window: Count | None = of(InverseVolatility, "window", _WINDOW)
    max_position: Positive | None = of(InverseVolatility, "max_position", _CAP)
    min_position: Positive | None = of(InverseVolatility, "min_position", "a smaller part is refused")


class VolatilitySection(Section):
    """So much that one sigma of a bar moves a fraction of the equity."""

    risk_per_trade: Positive | None = of(VolatilitySizing, "risk_per_trade", "fraction of equity that one sigma moves")
    window: Count | None = of(VolatilitySizing, "window", _WINDOW)
    max_position: Positive | None = of(VolatilitySizing, "max_position", _CAP)


class ForecastSection(Section):
    """A part of the forecast return over its variance."""

    scale: Positive | None = of(ForecastSizing, "scale", "return of a bar that strength 1 forecasts")
    kelly_fraction: Positive | None = of(ForecastSizing, "kelly_fraction", "part of the full formula")
    window: Count | None = of(ForecastSizing, "window", _WINDOW)
    max_position_size: Positive | None = of(ForecastSizing, "max_position_size", _CAP)
    max_portfolio_risk: Positive | None = of(ForecastSizing, "max_portfolio_risk", "most sigma of equity per bar")


class SizingSection(Section):
    """How much an entry buys: exactly one key that says how."""

    weight: Positive | None = Field(default=None, description="fraction of equity; 1/N when there is no sizing section")
    scale_by_signal: bool | None = of(Weight, "scale_by_signal", "with weight: multiply by |strength|")
    max_position: Positive | None = of(Weight, "max_position", "with weight: most notional, a fraction of equity")
    units: Positive | None = Field(default=None, description="a fixed number of units")
    notional: Positive | None = Field(default=None, description="a fixed amount of money")
    cash: Fraction | None = Field(default=None, description="fraction of the room at the fill, costs included")
    fixed_fractional: FixedFractionalSection | None = Field(
        default=None, description="risk a fraction of equity to the stop; {} takes its defaults"
    )
    kelly: KellySection | None = Field(default=None, description="risk a part of Kelly's fraction to the stop")
    confidence_based: ConfidenceSection | None = Field(default=None, description="risk by the strength of the signal")
    equal_weight: EqualWeightSection | None = Field(default=None, description="1/N of the equity")
    inverse_volatility: InverseVolatilitySection | None = Field(default=None, description="a part by 1/sigma")
    volatility: VolatilitySection | None = Field(default=None, description="risk_per_trade over sigma")
    forecast: ForecastSection | None = Field(default=None, description="forecast over variance")

    @model_validator(mode="after")
    def _one(self) -> SizingSection:
        given = [m for m in METHODS if getattr(self, m) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise PydanticCustomError(
                "sizing", "expected exactly one of {methods}; found {found}", {"methods": ", ".join(METHODS), "found": found}
            )
        beside = [m for m in BESIDE_WEIGHT if getattr(self, m) is not None]
        if beside and self.weight is None:
            raise PydanticCustomError("sizing", "{key} goes with weight only", {"key": beside[0]})
        return self

    def parameters(self) -> tuple[str, dict[str, Any]]:
        """The method, and the parameters of its class."""
        method = next(m for m in METHODS if getattr(self, m) is not None)
        value = getattr(self, method)
        if isinstance(value, Section):
            return method, value.given()
        first = "fraction" if method == "cash" else method
        return method, {first: value, **{m: getattr(self, m) for m in BESIDE_WEIGHT if getattr(self, m) is not None}}


BESIDE_WEIGHT = ("scale_by_signal", "max_position")
METHODS = tuple(name for name in SizingSection.model_fields if name not in BESIDE_WEIGHT)
"""Keys that say how; `create_position_sizer` knows them too."""
