"""What `vecbt sweep --vary` and the section `sweep` of a run file mean: `fast=5:50:5`, `slow=20,50,100`, `stops.hard=5%,10%`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

import yaml
from pydantic_core import PydanticCustomError

from ..errors import ConfigError
from .distances import parse_distance

__all__ = ["space_of", "values_of"]

_RANGE = re.compile(r"^\s*([^:,]+):([^:,]+)(?::([^:,]+))?\s*$")
_FORMS = "NAME=FIRST:LAST[:STEP] or NAME=VALUE,VALUE,..."
_TEXTS = "FIRST:LAST[:STEP] or VALUE,VALUE,..."
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
        try:
            found[name] = values_of(name, values)
        except ConfigError as error:
            raise ConfigError(f"--vary {text!r}: {error}") from None
    return found or None


def values_of(name: str, written: Any) -> list[Any]:
    """The values of one parameter: a list of them, or text, `first:last:step` or `value,value`.

    ConfigError for anything else, which says what was expected.
    """
    if isinstance(written, str):
        span = _RANGE.match(written)
        return _range(*span.groups()) if span else [_distance(name, _value(part), part) for part in written.split(",")]
    if not isinstance(written, list) or not written:
        raise ConfigError(f"{written!r} is no list of values; expected [VALUE, ...], or text: {_TEXTS}")
    if name not in _DISTANCES and (wrong := [value for value in written if isinstance(value, dict | list)]):
        raise ConfigError(f"{wrong[0]!r} is no value; expected numbers, words, true, false or null")
    return [_distance(name, value, value) for value in written]


def _range(first: str, last: str, step: str | None) -> list[Any]:
    """Numbers from the first to the last, both included."""
    ends = [_number(part) for part in (first, last, "1" if step is None else step)]
    low, high, by = ends
    if by <= 0 or high < low:
        raise ConfigError(f"the range goes from {low} to {high} by {by}; expected a first number, a larger last one, and a step above 0")
    count = math.floor((high - low) / by + 1e-9) + 1
    if count > _MOST:
        raise ConfigError(f"the range has {count:,} values; expected at most {_MOST:,}")
    if all(isinstance(part, int) for part in ends):
        return list(range(low, high + 1, by))
    return [float(f"{low + k * by:.12g}") for k in range(count)]


def _number(part: str) -> Any:
    value = _yaml(part)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ConfigError(f"{part!r} is no number; expected {_TEXTS}")
    return value


def _yaml(part: str) -> Any:
    """A word or a number; what is none comes back as a mapping, which nobody takes."""
    try:
        return yaml.safe_load(part)
    except yaml.YAMLError:
        return {}


def _value(part: str) -> Any:
    """One value as YAML reads it."""
    value = _yaml(part)
    if value == "" or isinstance(value, dict | list):
        raise ConfigError(f"{part!r} is no value; expected {_TEXTS}")
    return value


def _distance(name: str, value: Any, written: Any) -> Any:
    """The value; of a distance of stops what it means."""
    if name not in _DISTANCES:
        return value
    try:
        return parse_distance(value)
    except PydanticCustomError as error:
        raise ConfigError(f"{written!r}: {error.message()}") from None
