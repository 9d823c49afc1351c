"""Parameters of a strategy: what each may be, and how a wrong one is refused.

Strategies, sweeps and optimizers read the same `Space`, so a range is written once, beside the parameter.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ConfigError, nearest

__all__ = ["Domain", "Parameter", "Space"]

_KEY = "vecbt"


@dataclass(frozen=True, kw_only=True)
class Domain:
    """What one parameter may be: a number in a range (bounds included), one of some choices, or anything.

    `integer` asks for whole numbers; 20.0 becomes 20. `default` is `dataclasses.MISSING` where there is none. `below` names another
    parameter of the same owner that must be larger.
    """

    name: str
    default: Any = dataclasses.MISSING
    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] | None = None
    integer: bool = False
    below: str = ""

    @property
    def is_number(self) -> bool:
        """Whether a number is expected."""
        return self.integer or self.low is not None or self.high is not None

    @property
    def has_default(self) -> bool:
        """Whether it may be left out."""
        return self.default is not dataclasses.MISSING

    def expected(self) -> str:
        """What may be given, in words."""
        if self.choices is not None:
            return "one of " + ", ".join(repr(c) for c in self.choices)
        what = "a whole number" if self.integer else "a number"
        if self.low is not None and self.high is not None:
            return f"{what} from {self.low:g} to {self.high:g}"
        if self.low is not None:
            return f"{what} of at least {self.low:g}"
        return f"{what} of at most {self.high:g}" if self.high is not None else what

    def validate(self, value: Any, owner: str = "") -> Any:
        """`value` in the type it is kept in; ConfigError, naming `owner` and the parameter, if it may not be."""
        if self.choices is not None:
            if not any(value == c and type(value) is type(c) for c in self.choices):
                raise self._refusal(value, owner)
            return value
        if not self.is_number:
            return value
        if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)) or not math.isfinite(value):
            raise self._refusal(value, owner)
        if self.integer and value != int(value):
            raise self._refusal(value, owner)
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            raise self._refusal(value, owner)
        return int(value) if self.integer else float(value)

    def compare(self, values: Mapping[str, Any], owner: str = "") -> None:
        """ConfigError unless this parameter is below the one that it must be below; `values` holds both."""
        if self.below and not values[self.name] < values[self.below]:
            name = f"{owner}.{self.name}" if owner else self.name
            found = f"{name} is {values[self.name]}, {self.below} is {values[self.below]}"
            raise ConfigError(f"{found}; expected {self.name} < {self.below}")

    def _refusal(self, value: Any, owner: str) -> ConfigError:
        name = f"{owner}.{self.name}" if owner else self.name
        return ConfigError(f"{name} is {value!r}; expected {self.expected()}")


def Parameter(
    default: Any = dataclasses.MISSING,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[Any, ...] | None = None,
    integer: bool = False,
    below: str = "",
) -> Any:
    """A field of a strategy, with what it may be: `fast: int = Parameter(20, low=1, high=500, integer=True, below="slow")`.

    Parameters
    ----------
    default : value when it is not given; without one it must be given
    low, high : bounds, both included
    choices : the values it may take, instead of a range
    integer : whole numbers only
    below : the name of another parameter that must be larger

    Raises
    ------
    ConfigError when the description contradicts itself, or the default is outside it.
    """
    if choices is not None and (integer or low is not None or high is not None or not choices):
        raise ConfigError("a parameter has choices (at least one) or a range, not both")
    if low is not None and high is not None and low > high:
        raise ConfigError(f"a parameter's range goes from low to high; found {low:g} to {high:g}")
    if below and choices is not None:
        raise ConfigError("only numbers can be below another parameter; this one has choices")
    domain = Domain(name="the default", default=default, low=low, high=high, choices=choices, integer=integer, below=below)
    if default is not dataclasses.MISSING:
        domain.validate(default)
        return dataclasses.field(default=default, metadata={_KEY: domain})
    return dataclasses.field(metadata={_KEY: domain})


@dataclass(frozen=True)
class Space(Mapping[str, Domain]):
    """The parameters of a strategy in order, name to `Domain`; those without a description may be anything."""

    owner: str
    domains: tuple[Domain, ...]

    @classmethod
    def of(cls, strategy: type) -> Space:
        """The space of a dataclass: one domain for each field that its constructor takes."""
        if not dataclasses.is_dataclass(strategy):
            return cls(strategy.__name__, ())
        domains = []
        for field in dataclasses.fields(strategy):
            if field.init:
                described: Domain = field.metadata.get(_KEY, Domain(name=field.name, default=field.default))
                domains.append(dataclasses.replace(described, name=field.name))
        space = cls(strategy.__name__, tuple(domains))
        for domain in domains:
            if domain.below and domain.below not in space:
                raise ConfigError(f"{strategy.__name__}.{domain.name} must be below {domain.below!r}; {nearest(domain.below, space)}")
        return space

    def compare(self, values: Mapping[str, Any]) -> None:
        """ConfigError for the first parameter that is not below the one it must be below; `values` holds all of them."""
        for domain in self.domains:
            domain.compare(values, self.owner)

    @functools.cached_property
    def _by_name(self) -> dict[str, Domain]:
        return {domain.name: domain for domain in self.domains}

    def __getitem__(self, name: str) -> Domain:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self.domains)

    def validate(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """`values` in the types they are kept in; ConfigError for an unknown name or a value that may not be."""
        for name in values:
            if name not in self:
                raise ConfigError(f"{self.owner} has no parameter {name!r}; {nearest(str(name), self)}")
        return {name: self[name].validate(value, self.owner) for name, value in values.items()}
