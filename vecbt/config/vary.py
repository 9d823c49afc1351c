"""What `vecbt sweep --vary` means: `fast=5:50:5`, `slow=20,50,100`, `stops.hard=5%,10%`, `fill=close,next_open`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

import yaml
from pydantic_core import PydanticCustomError

from ..errors import ConfigError
from .distances import parse_distance

__all__ = ["space_of"]

_RANGE = re.compile(r"^\s*([^:,]+):([^:,]+)(?::([^:,]+))?\s*$")
_FORMS = "NAME=FIRST:LAST[:STEP] or NAME=VALUE,VALUE,..."
_DISTANCES = ("stops.hard", "stops.trailing", "stops.activation", "stops.take_profit")
_MOST = 1_000_000


def space_of(given: Iterable[str]) -> dict[str, list[Any]] | None:
    """The space of a sweep, name to values; None where nothing is said to vary.

    Parameters
    ----------
    given : `name=first:last:step`, both ends included, a step of 1 where it is left out; or `name=value,value`. Distances of stops may
        be written with their unit.

    Raises
    ------
    ConfigError for anything else, or a name that is given twice.
    """
    found: dict[str, list[Any]] = {}
    for text in given:
        name, sign, values = (part.strip() for part in text.partition("="))
        if not sign or not name or not values:
            raise ConfigError(f"--vary {text!r}; expected {_FORMS}")
        if name in found:
            raise ConfigError(f"--vary names {name} twice; give all of its values at once")
        span = _RANGE.match(values)
        found[name] = _range(text, *span.groups()) if span else [_value(name, part) for part in values.split(",")]
    return found or None


def _range(text: str, first: str, last: str, step: str | None) -> list[Any]:
    """Numbers from the first to the last, both included."""
    ends = [_number(text, part) for part in (first, last, "1" if step is None else step)]
    low, high, by = ends
    if by <= 0 or high < low:
        raise ConfigError(f"--vary {text!r}; expected a first number, a larger last one, and a step above 0")
    count = math.floor((high - low) / by + 1e-9) + 1
    if count > _MOST:
        raise ConfigError(f"--vary {text!r} has {count:,} values; expected at most {_MOST:,}")
    if all(isinstance(part, int) for part in ends):
        return list(range(low, high + 1, by))
    return [float(f"{low + k * by:.12g}") for k in range(count)]


def _number(text: str, part: str) -> Any:
    value = _yaml(part)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ConfigError(f"--vary {text!r}: {part!r} is no number; expected {_FORMS}")
    return value


def _yaml(part: str) -> Any:
    """A word or a number; what is none comes back as a mapping, which nobody takes."""
    try:
        return yaml.safe_load(part)
    except yaml.YAMLError:
        return {}


def _value(name: str, part: str) -> Any:
    """One value as YAML reads it; of a distance of stops what it means."""
    value = _yaml(part)
    if value == "" or isinstance(value, dict | list):
        raise ConfigError(f"--vary {name}: {part!r} is no value; expected {_FORMS}")
    if name in _DISTANCES:
        try:
            return parse_distance(value)
        except PydanticCustomError as error:
            raise ConfigError(f"--vary {name}: {part!r}: {error.message()}") from None
    return value
