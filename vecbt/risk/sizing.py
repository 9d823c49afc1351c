"""How much an entry buys (S3). Each size is a frozen object; its scalar `calculate_size` is the kernel of the simulation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ..core.codes import SizeMethod
from ..core.jit import kernel
from ..core.state import records
from ..errors import ConfigError

__all__ = ["SIZE_FIELDS", "Cash", "FixedFractionalSizing", "Notional", "Sizing", "Units", "Weight", "entry_quantity"]

SIZE_FIELDS = [("method", "i8"), ("amount", "f8"), ("scaled", "i8"), ("most", "f8")]
"""What the kernels read of the sizing."""

_PARAMS = np.dtype(SIZE_FIELDS, align=True)

_WEIGHT = int(SizeMethod.WEIGHT)
_UNITS = int(SizeMethod.UNITS)
_NOTIONAL = int(SizeMethod.NOTIONAL)
_CASH = int(SizeMethod.CASH)


@kernel
def entry_quantity(size, strength, equity, unit_value, unit_risk):  # type: ignore[no-untyped-def]
    """Units an entry asks for, >= 0 (S3).

    `strength` is absolute, `unit_value` is price times multiplier, `unit_risk` the money a unit loses at its stop (NaN or
    <= 0: there is no stop on the right side, and a size that needs one is NaN). Sizing at the fill (`cash`) is NaN too.
    """
    if equity <= 0.0:
        return 0.0
    if size.method == _CASH:
        return math.nan
    if size.method == _UNITS:
        return size.amount
    if size.method == _WEIGHT:
        share = size.amount * strength if size.scaled == 1 else size.amount
        return share * equity / unit_value
    if size.method == _NOTIONAL:
        return size.amount / unit_value
    if not unit_risk > 0.0:
        return math.nan
    quantity = size.amount * equity / unit_risk
    most = size.most * equity / unit_value
    return most if quantity > most else quantity


def _number(name: str, value: Any, low: float, high: float, what: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise ConfigError(f"{name} is {value!r}; expected {what}")
    if not low < value <= high or math.isinf(value):
        raise ConfigError(f"{name} is {value!r}; expected {what}")


def _one(numbers: tuple[float, ...]) -> Any:
    out = records(_PARAMS, 1)
    out[0] = numbers
    return out[0]


@dataclass(frozen=True)
class Weight:
    """A fraction of the equity at the decision.

    Parameters
    ----------
    weight : float
        Fraction of equity, 0.1 is 10 %.
    scale_by_signal : bool
        Multiply by |strength| of the signal (booleans count 1).
    """

    weight: float
    scale_by_signal: bool = True

    def __post_init__(self) -> None:
        _number("Weight.weight", self.weight, 0.0, 1000.0, "a fraction of equity > 0, such as 0.1 for 10 %")

    def numbers(self) -> tuple[float, ...]:
        """The values of `SIZE_FIELDS`."""
        return (_WEIGHT, self.weight, int(self.scale_by_signal), math.inf)

    def calculate_size(self, capital: float, entry_price: float, strength: float = 1.0) -> float:
        """Units for `capital` at `entry_price`."""
        return float(entry_quantity(_one(self.numbers()), abs(float(strength)), float(capital), float(entry_price), math.nan))


@dataclass(frozen=True)
class Units:
    """A fixed number of units (shares, coins, contracts)."""

    units: float

    def __post_init__(self) -> None:
        _number("Units.units", self.units, 0.0, math.inf, "a number of units > 0")

    def numbers(self) -> tuple[float, ...]:
        """The values of `SIZE_FIELDS`."""
        return (_UNITS, self.units, 0, math.inf)

    def calculate_size(self) -> float:
        """The units."""
        return float(self.units)


@dataclass(frozen=True)
class Notional:
    """A fixed amount of money, made units at the close of the decision."""

    notional: float

    def __post_init__(self) -> None:
        _number("Notional.notional", self.notional, 0.0, math.inf, "an amount of money > 0")

    def numbers(self) -> tuple[float, ...]:
        """The values of `SIZE_FIELDS`."""
        return (_NOTIONAL, self.notional, 0, math.inf)

    def calculate_size(self, capital: float, entry_price: float) -> float:
        """Units for the amount at `entry_price`; 0 when there is no capital."""
        return float(entry_quantity(_one(self.numbers()), 1.0, float(capital), float(entry_price), math.nan))


@dataclass(frozen=True)
class Cash:
    """A fraction of the room at the fill, costs included (`Cash(1)` is all of it); sized when it fills, not before."""

    fraction: float = 1.0

    def __post_init__(self) -> None:
        _number("Cash.fraction", self.fraction, 0.0, 1.0, "a fraction of the free cash, more than 0 and at most 1")

    def numbers(self) -> tuple[float, ...]:
        """The values of `SIZE_FIELDS`."""
        return (_CASH, self.fraction, 0, math.inf)


@dataclass(frozen=True)
class FixedFractionalSizing:
    """Risk a fixed fraction of the equity between the entry and its stop; needs a stop.

    Parameters
    ----------
    risk_fraction : float
        Fraction of equity lost if the stop is hit without a gap.
    max_position_fraction : float
        Most notional, as a fraction of equity.

    Notes
    -----
    The binding one of the two is what you risk: 1 % at a 3 % stop asks for 33 % of equity and is capped at 25 %.
    """

    risk_fraction: float = 0.01
    max_position_fraction: float = 0.25

    def __post_init__(self) -> None:
        _number("FixedFractionalSizing.risk_fraction", self.risk_fraction, 0.0, 1.0, "a fraction of equity, more than 0 and at most 1")
        _number("FixedFractionalSizing.max_position_fraction", self.max_position_fraction, 0.0, 1000.0, "a fraction of equity > 0")

    def numbers(self) -> tuple[float, ...]:
        """The values of `SIZE_FIELDS`."""
        return (int(SizeMethod.FIXED_FRACTIONAL), self.risk_fraction, 0, self.max_position_fraction)

    def calculate_size(self, capital: float, entry_price: float, stop_loss_price: float) -> float:
        """Units for `capital`, an entry and its stop, both prices.

        Raises
        ------
        ConfigError
            The stop is at the entry: there is no distance to size by.
        """
        risk = abs(float(entry_price) - float(stop_loss_price))
        if not risk > 0.0:
            raise ConfigError(f"stop_loss_price {stop_loss_price!r} is the entry price; expected a stop at a distance from it")
        return float(entry_quantity(_one(self.numbers()), 1.0, float(capital), float(entry_price), risk))


Sizing: TypeAlias = Weight | Units | Notional | Cash | FixedFractionalSizing
