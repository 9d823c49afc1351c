"""What all sizes share: their record, and the answer to "how much, and what decided?" by hand, from the kernel of the simulation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ...core.codes import SizeMethod, rule_names
from ...core.state import records
from ...errors import ConfigError
from .kernels import SIZE_FIELDS, SIZE_PARAMS, STATS, entry_quantity

__all__ = ["Question", "Size", "SizeReport", "between", "check_limits", "limit_fields", "number", "stop_distance", "whole"]

_OFF = {"scaled": 0, "most": math.inf, "least": 0.0, "win_rate": math.nan, "payoff": math.nan, "min_trades": 0}
_OFF |= {"start_risk": 0.0, "top_risk": math.inf, "min_confidence": 0.0, "forecast_scale": 0.0}


def number(name: str, value: Any, what: str) -> float:
    """`value` as a finite float; ConfigError naming the argument otherwise."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating) or not math.isfinite(value):
        raise ConfigError(f"{name} is {value!r}; expected {what}")
    return float(value)


def between(name: str, value: Any, low: float, high: float, what: str) -> float:
    """A finite number above `low` and at most `high`."""
    if not low < number(name, value, what) <= high:
        raise ConfigError(f"{name} is {value!r}; expected {what}")
    return float(value)


def whole(name: str, value: Any) -> int:
    """A whole number >= 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ConfigError(f"{name} is {value!r}; expected a whole number >= 1")
    return int(value)


def stop_distance(entry_price: Any, stop_loss_price: Any) -> float:
    """Money per unit between an entry and its stop, on whichever side it is.

    Raises
    ------
    ConfigError
        The stop is at the entry: there is no distance to size by.
    """
    price = number("entry_price", entry_price, "a price")
    distance = abs(price - number("stop_loss_price", stop_loss_price, "a price"))
    if not distance > 0.0:
        raise ConfigError(f"stop_loss_price {stop_loss_price!r} is the entry price; expected a stop at a distance from it")
    return distance


class Question(NamedTuple):
    """What the kernel is asked: `entry_quantity` explains each."""

    equity: float
    price: float
    strength: float = 1.0
    distance: float = math.nan
    sigma: float = math.nan
    share: float = math.nan
    multiplier: float = 1.0


@dataclass(frozen=True)
class SizeReport:
    """How much, and what decided.

    Attributes
    ----------
    units : float
        What the simulation would ask for, before lots, cash and limits; 0 where a rule refuses.
    binding : str
        The parameter that decides the size, such as `risk_fraction` or `max_position_fraction`; or `rule edge` where a rule
        refuses, or `capital` where there is none.
    wanted : float
        Units without the caps.
    value, weight : float
        The units in money, and as a fraction of the capital.
    risk : float
        Fraction of the capital lost if the stop is hit without a gap; NaN for a size that knows no stop.
    """

    units: float
    binding: str
    wanted: float
    value: float
    weight: float
    risk: float

    def __str__(self) -> str:
        risk = "" if math.isnan(self.risk) else f", risk {self.risk:.4%}"
        wanted = f" (wanted {self.wanted:g})" if self.wanted > self.units else ""
        return f"{self.units:g} units{wanted}, {self.weight:.2%} of capital{risk}; decided by {self.binding}"


class Size:
    """Base of all sizes. A size is a frozen dataclass of parameters; the kernel reads its `numbers()`."""

    METHOD: ClassVar[SizeMethod]
    DECIDES: ClassVar[str]
    """The parameter that decides while no cap binds."""
    CAPS: ClassVar[dict[str, str]] = {}
    """Field of the record -> the parameter that caps."""
    needs_stop: ClassVar[bool] = False
    """Whether it sizes by the distance to the stop."""
    needs_sigma: ClassVar[bool] = False
    """Whether it needs the asset's volatility; if so it has a `window`."""
    at_fill: ClassVar[bool] = False
    """Whether the quantity is found when the order fills."""

    def fields_of_record(self) -> dict[str, float]:
        """The fields of the record that are not off, `amount` at least."""
        raise NotImplementedError

    def numbers(self) -> tuple[float, ...]:
        """The values of `SIZE_FIELDS`."""
        values = {"method": int(self.METHOD), **_OFF, **self.fields_of_record()}
        return tuple(values[name] for name, _ in SIZE_FIELDS)

    def answer(self, question: Question, **record: float) -> SizeReport:
        """The kernel's answer to one question; `record` overrides fields of the record."""
        capital = number("capital", question.equity, "an amount of money")
        price = number("entry_price", question.price, "a price")
        multiplier = between("multiplier", question.multiplier, 0.0, math.inf, "a contract multiplier > 0")
        asked = question._replace(strength=abs(number("strength", question.strength, "a number")))
        size = dict(zip([name for name, _ in SIZE_FIELDS], self.numbers(), strict=True)) | record
        units, rule = _ask(size, asked)
        uncapped = dict.fromkeys(self.CAPS, math.inf)
        wanted, _ = _ask(size | uncapped, asked)
        binding = self.DECIDES
        if rule:
            binding = f"rule {rule_names(rule)}"
        elif capital <= 0.0:
            binding = "capital"
        elif units < wanted:
            alone = {cap: _ask(size | uncapped | {cap: size[cap]}, asked)[0] for cap in self.CAPS}
            binding = self.CAPS[min(alone, key=lambda cap: alone[cap])]
        value = units * abs(price) * multiplier
        weight = value / capital if capital > 0.0 else 0.0
        risk = units * question.distance * multiplier / capital if capital > 0.0 else math.nan
        return SizeReport(units, binding, wanted, value, weight, risk)


def _ask(values: dict[str, float], asked: Question) -> tuple[float, int]:
    size = records(SIZE_PARAMS, 1)
    size[0] = tuple(values[name] for name, _ in SIZE_FIELDS)
    quantity, rule = entry_quantity(
        size[0],
        float(asked.strength),
        float(asked.equity),
        abs(float(asked.price)) * asked.multiplier,
        float(asked.distance) * asked.multiplier,
        float(asked.sigma),
        float(asked.share),
        records(STATS, 1)[0],
    )
    return float(quantity), int(rule)


def check_limits(owner: str, max_position: Any, min_position: Any) -> None:
    """Both in range, where given, and in order."""
    if max_position is not None:
        between(f"{owner}.max_position", max_position, 0.0, 1000.0, "a fraction of equity > 0, such as 0.1 for 10 %")
    if min_position is not None:
        between(f"{owner}.min_position", min_position, 0.0, 1.0, "a fraction of equity, more than 0 and at most 1")
    if max_position is not None and min_position is not None and min_position > max_position:
        raise ConfigError(f"{owner}.min_position is {min_position!r}, more than max_position {max_position!r}: nothing could be bought")


def limit_fields(max_position: float | None, min_position: float | None = None) -> dict[str, float]:
    """The two limits as fields of the record."""
    return {"most": math.inf if max_position is None else max_position, "least": 0.0 if min_position is None else min_position}
