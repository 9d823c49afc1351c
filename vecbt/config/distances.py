"""Distances of protective exits in words: "3%", "2 atr", "20 ticks", {price: 97.5}; a bare number is a fraction below 1."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from ..errors import ConfigError
from ..risk.stops import Atr, Pct, Price, Ticks

__all__ = ["Distance", "Gain", "parse_distance"]

_TEXT = re.compile(r"^\s*([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*(%|percent|atr|ticks?)\s*$", re.IGNORECASE)
_UNITS = {"%": Pct, "percent": Pct, "atr": Atr, "tick": Ticks, "ticks": Ticks}
_KEYS = {"percent": Pct, "atr": Atr, "ticks": Ticks, "price": Price}
_EXPECTED = "'3%', '2 atr', '20 ticks', {price: 97.5}, or a fraction below 1 such as 0.03"


def _refusal(expected: str, kind: Literal["distance", "unit"] = "distance") -> PydanticCustomError:
    return PydanticCustomError(kind, "expected {expected}", {"expected": expected})


def parse_distance(value: Any) -> Any:
    """The public object for a distance in words; what is none is refused with what would be one."""
    if value is None:
        return None
    if isinstance(value, str):
        found = _TEXT.match(value)
        if not found:
            raise _refusal(_EXPECTED)
        return _make(_UNITS[found[2].lower()], float(found[1]))
    if isinstance(value, dict):
        if len(value) != 1 or next(iter(value)) not in _KEYS:
            raise _refusal("one of the keys price, percent, atr, ticks")
        ((key, number),) = value.items()
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise _refusal(f"a number under {key}")
        return _make(_KEYS[key], float(number))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _refusal(_EXPECTED)
    if math.isfinite(value) and value >= 1:
        raise _refusal(f"the unit as well: '{value:g}%', '{value:g} atr', '{value:g} ticks' or {{price: {value:g}}}", "unit")
    if not 0 < value < 1:
        raise _refusal(_EXPECTED)
    return float(value)


def _make(form: Any, number: float) -> Any:
    try:
        return form(number)
    except ConfigError as error:
        raise _refusal(f"a distance greater than 0 ({error})") from error


def _gain(value: Any) -> Any:
    parsed = parse_distance(value)
    if parsed is None or isinstance(parsed, (float, Pct)):
        return parsed
    raise _refusal("a gain such as '2%' or 0.02")


_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "pattern": r"^\s*[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?\s*(%|percent|atr|ticks?)\s*$"},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        {
            "type": "object",
            "properties": {key: {"type": "number", "exclusiveMinimum": 0} for key in sorted(_KEYS)},
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
        },
        {"type": "null"},
    ]
}

Distance = Annotated[Any, BeforeValidator(parse_distance), WithJsonSchema(_SCHEMA)]
"""A distance in percent, ATR or ticks, or a level; None is off."""

Gain = Annotated[
    Any, BeforeValidator(_gain), WithJsonSchema({"anyOf": [{"type": "string", "pattern": "%"}, {"type": "number"}, {"type": "null"}]})
]
"""A gain in percent or as a fraction; None is off."""
