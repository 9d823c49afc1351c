"""Sizes that look at the account and the price only: weights, units, money, the room at the fill, equal parts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from ...core.codes import SizeMethod
from .base import Question, Size, SizeReport, between, check_limits, limit_fields, whole

__all__ = ["Cash", "EqualWeight", "Notional", "Units", "Weight"]


@dataclass(frozen=True)
class Weight(Size):
    """A fraction of the equity at the decision.

    Parameters
    ----------
    weight : float
        Fraction of equity, 0.1 is 10 %.
    scale_by_signal : bool
        Multiply by |strength| of the signal (booleans count 1).
    max_position : float, optional
        Most of equity in one position, however strong the signal.
    """

    weight: float
    scale_by_signal: bool = True
    max_position: float | None = None

    METHOD: ClassVar[SizeMethod] = SizeMethod.WEIGHT
    DECIDES: ClassVar[str] = "weight"
    CAPS: ClassVar[dict[str, str]] = {"most": "max_position"}

    def __post_init__(self) -> None:
        between("Weight.weight", self.weight, 0.0, 1000.0, "a fraction of equity > 0, such as 0.1 for 10 %")
        check_limits("Weight", self.max_position, None)

    def fields_of_record(self) -> dict[str, float]:
        """The fields of the record that are not off."""
        return {"amount": self.weight, "scaled": int(self.scale_by_signal), **limit_fields(self.max_position)}

    def explain(self, capital: float, entry_price: float, strength: float = 1.0, *, multiplier: float = 1.0) -> SizeReport:
        """As `calculate_size`, with what decided."""
        return self.answer(Question(capital, entry_price, strength=strength, multiplier=multiplier))

    def calculate_size(self, capital: float, entry_price: float, strength: float = 1.0, *, multiplier: float = 1.0) -> float:
        """Units for `capital` at `entry_price`."""
        return self.explain(capital, entry_price, strength, multiplier=multiplier).units


@dataclass(frozen=True)
class Units(Size):
    """A fixed number of units (shares, coins, contracts)."""

    units: float

    METHOD: ClassVar[SizeMethod] = SizeMethod.UNITS
    DECIDES: ClassVar[str] = "units"

    def __post_init__(self) -> None:
        between("Units.units", self.units, 0.0, math.inf, "a number of units > 0")

    def fields_of_record(self) -> dict[str, float]:
        """The fields of the record that are not off."""
        return {"amount": self.units}

    def explain(self, capital: float, entry_price: float, *, multiplier: float = 1.0) -> SizeReport:
        """The units, with what they are of the capital."""
        return self.answer(Question(capital, entry_price, multiplier=multiplier))

    def calculate_size(self, capital: float = 1.0, entry_price: float = 1.0) -> float:
        """The units; 0 when there is no capital."""
        return self.explain(capital, entry_price).units


@dataclass(frozen=True)
class Notional(Size):
    """A fixed amount of money, made units at the close of the decision."""

    notional: float

    METHOD: ClassVar[SizeMethod] = SizeMethod.NOTIONAL
    DECIDES: ClassVar[str] = "notional"

    def __post_init__(self) -> None:
        between("Notional.notional", self.notional, 0.0, math.inf, "an amount of money > 0")

    def fields_of_record(self) -> dict[str, float]:
        """The fields of the record that are not off."""
        return {"amount": self.notional}

    def explain(self, capital: float, entry_price: float, *, multiplier: float = 1.0) -> SizeReport:
        """As `calculate_size`, with what they are of the capital."""
        return self.answer(Question(capital, entry_price, multiplier=multiplier))

    def calculate_size(self, capital: float, entry_price: float, *, multiplier: float = 1.0) -> float:
        """Units for the amount at `entry_price`; 0 when there is no capital."""
        return self.explain(capital, entry_price, multiplier=multiplier).units


@dataclass(frozen=True)
class Cash(Size):
    """A fraction of the room at the fill, costs included (`Cash(1)` is all of it); sized when it fills, not before."""

    fraction: float = 1.0

    METHOD: ClassVar[SizeMethod] = SizeMethod.CASH
    DECIDES: ClassVar[str] = "fraction"
    at_fill: ClassVar[bool] = True

    def __post_init__(self) -> None:
        between("Cash.fraction", self.fraction, 0.0, 1.0, "a fraction of the free cash, more than 0 and at most 1")

    def fields_of_record(self) -> dict[str, float]:
        """The fields of the record that are not off."""
        return {"amount": self.fraction}

    def explain(self, capital: float, entry_price: float, *, multiplier: float = 1.0) -> SizeReport:
        """What the fraction buys before costs; at the fill they come out of it too, so that it is a little less."""
        return Notional(self.fraction * capital).explain(capital, entry_price, multiplier=multiplier)

    def calculate_size(self, capital: float, entry_price: float, *, multiplier: float = 1.0) -> float:
        """Units for the fraction of `capital`, the room of the account, before costs."""
        return self.explain(capital, entry_price, multiplier=multiplier).units


@dataclass(frozen=True)
class EqualWeight(Size):
    """One part of the equity for each asset of the account, 1/N.

    Parameters
    ----------
    max_position : float, optional
        Most of equity in one position.
    min_position : float, optional
        Least of equity: a smaller part is refused (rule `minimum`), never made larger.
    """

    max_position: float | None = None
    min_position: float | None = None

    METHOD: ClassVar[SizeMethod] = SizeMethod.EQUAL_WEIGHT
    DECIDES: ClassVar[str] = "1/N"
    CAPS: ClassVar[dict[str, str]] = {"most": "max_position"}

    def __post_init__(self) -> None:
        check_limits("EqualWeight", self.max_position, self.min_position)

    def fields_of_record(self) -> dict[str, float]:
        """The fields of the record that are not off."""
        return {"amount": 0.0, **limit_fields(self.max_position, self.min_position)}

    def explain(self, capital: float, entry_price: float, assets: int, *, multiplier: float = 1.0) -> SizeReport:
        """As `calculate_size`, with what decided."""
        return self.answer(Question(capital, entry_price, share=1.0 / whole("assets", assets), multiplier=multiplier))

    def calculate_size(self, capital: float, entry_price: float, assets: int, *, multiplier: float = 1.0) -> float:
        """Units of one of so many assets."""
        return self.explain(capital, entry_price, assets, multiplier=multiplier).units
