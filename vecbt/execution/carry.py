"""What holding costs: borrowed units, borrowed money (T2)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

import numpy as np

from .._typing import ArrayN
from ..errors import ConfigError, nearest

__all__ = ["Carry"]


def _rate(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating) or not math.isfinite(value) or value < 0:
        raise ConfigError(f"{name} is {value!r}; expected a yearly fraction >= 0: 3 % a year is 0.03")
    if value >= 10:
        raise ConfigError(f"{name} is {value!r}, {value:.0%} a year; rates are fractions: 3 % is 0.03")
    return float(value)


@dataclass(frozen=True, kw_only=True)
class Carry:
    """What holding costs, by days between sessions (T2). Funding of perpetuals comes with the bars.

    Parameters
    ----------
    borrow_rate : float or mapping symbol -> float
        Yearly fraction of the value of a short that is paid in full; days/365. Symbols left out pay nothing.
    interest_rate : float
        Yearly fraction of negative cash; days/360.

    Raises
    ------
    ConfigError
        A rate that is no fraction >= 0, or nothing but zeros.
    """

    borrow_rate: float | Mapping[str, float] = 0.0
    interest_rate: float = 0.0

    def __post_init__(self) -> None:
        given = self.borrow_rate
        if isinstance(given, Mapping):
            rates = {str(symbol): _rate(f"Carry.borrow_rate[{symbol!r}]", rate) for symbol, rate in given.items()}
            object.__setattr__(self, "borrow_rate", MappingProxyType(rates))
        else:
            object.__setattr__(self, "borrow_rate", _rate("Carry.borrow_rate", given))
        object.__setattr__(self, "interest_rate", _rate("Carry.interest_rate", self.interest_rate))
        if not self.interest_rate and not self.borrow_rate:
            raise ConfigError("Carry() costs nothing; give borrow_rate or interest_rate, or leave carry out")

    def borrow_rates(self, symbols: tuple[str, ...]) -> ArrayN:
        """Yearly borrow rate of each asset, (N,)."""
        given = self.borrow_rate
        if not isinstance(given, Mapping):
            return np.full(len(symbols), given)
        for symbol in given:
            if symbol not in symbols:
                raise ConfigError(f"Carry.borrow_rate names {symbol!r}, which is not in the bars; {nearest(symbol, symbols)}")
        return np.array([given.get(symbol, 0.0) for symbol in symbols])

    def to_dict(self) -> dict[str, Any]:
        """Fields by name."""
        shown = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: dict(value) if isinstance(value, Mapping) else value for name, value in shown.items()}
