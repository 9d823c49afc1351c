"""Limits on what may be held (Z7), as users write them."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ..errors import ConfigError

__all__ = ["Limits", "positive"]


def positive(name: str, value: Any, what: str) -> float:
    """A finite number > 0; ConfigError otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating) or not math.isfinite(value) or value <= 0:
        raise ConfigError(f"{name} is {value!r}; expected {what}")
    return float(value)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits on positions after an order, and on exposure (Z7). New risk is cut to fit; what is held is never sold for them.

    Parameters
    ----------
    max_position : float, optional
        Most of one asset, as a fraction of equity.
    max_position_value : float, optional
        The same in money; the tighter of the two wins.
    max_gross : float, optional
        Most of all positions, absolute values, as a fraction of equity.
    max_net : float, optional
        Most of longs less shorts, either way, as a fraction of equity.

    Raises
    ------
    ConfigError
        A number that is not above 0, limits that contradict each other, or none at all.
    """

    max_position: float | None = None
    max_position_value: float | None = None
    max_gross: float | None = None
    max_net: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                money = field.name == "max_position_value"
                what = "an amount of money > 0" if money else "a fraction of equity > 0, such as 0.25"
                number = positive(f"Limits.{field.name}", value, what)
                if not money and number > 100:
                    raise ConfigError(f"Limits.{field.name} is {value!r}, {number:,.0f} times the equity; it is a fraction: 25 % is 0.25")
                object.__setattr__(self, field.name, number)
        if all(getattr(self, f.name) is None for f in fields(self)):
            raise ConfigError("Limits() sets no limit; give max_position, max_position_value, max_gross or max_net, or leave limits out")
        if self.max_gross is not None and self.max_net is not None and self.max_net > self.max_gross:
            raise ConfigError(f"Limits.max_net {self.max_net} is above max_gross {self.max_gross} and can never bind; leave one out")

    def to_dict(self) -> dict[str, Any]:
        """Fields by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}
