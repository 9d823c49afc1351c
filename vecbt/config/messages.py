"""Validation errors in words: where it is written, which key, what was expected, what was found."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from ..errors import ConfigError, nearest
from .source import Place, Source, dotted

__all__ = ["Mistake", "explain", "mistakes", "model_at"]


class Mistake(NamedTuple):
    """One thing that is wrong: where, what in words, and pydantic's name for the kind."""

    place: Place
    sentence: str
    kind: str


_KINDS = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "text; put it in quotes",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "keys and values",
    "model_type": "a section of keys",
    "finite_number": "a finite number",
}

_ELSEWHERE = {
    ("allow_short", "allow_shorts", "long_only", "short_selling", "spot_only"): "use direction: long, short or both",
    ("reduce_exposure_at_drawdown", "stop_trading_at_drawdown"): "use risk.zones.boundaries: where CAUTION, ALERT and EMERGENCY begin",
    ("use_stop_loss", "use_take_profit"): "leave it out: a stop that is given is on",
    ("default_stop_loss_pct", "stop_loss_pct"): "use stops.hard",
    ("default_take_profit_pct",): "use stops.take_profit",
    ("kelly_win_loss_ratio", "win_loss_ratio", "payoff_ratio"): "give avg_win and avg_loss, whose ratio it is",
    ("half_kelly",): "use kelly_fraction: 0.5",
    ("default_order_type", "execution", "order", "order_type", "orders"): (
        "leave it out: signals become market orders at the next open, and a strategy that gives Orders says the type of each"
    ),
    ("ensemble", "prediction", "predictions", "predictive_models", "signal", "signals"): (
        "leave it out: thresholds, votes and confidence are the strategy's own, under strategy.parameters"
    ),
    ("optimization", "optimizer"): "use optimize.space, name: LOW:HIGH, and `vecbt optimize`; or use sweep.vary and `vecbt sweep`",
    ("parameter_grid",): "use sweep.vary, name: values, and `vecbt sweep`",
    ("walk_forward",): "leave it out: a run file is one simulation, or a sweep over all bars",
    ("equal_risk_contribution",): (
        "use inverse_volatility, which leaves correlations aside, or a strategy that gives target weights: this is an allocation"
    ),
}
"""What keys of other programs mean here, where no single key takes their place."""


def _hint(key: str, known: list[str]) -> str:
    """What to do about an unknown key."""
    return next((hint for keys, hint in _ELSEWHERE.items() if key in keys), "") or nearest(key, known)


def explain(error: ValidationError, model: type[BaseModel], source: Source) -> ConfigError:
    """All that is wrong in one ConfigError, a line each."""
    return ConfigError("\n".join(f"{source.where(m.place)}: {m.sentence}" for m in mistakes(error, model)))


def mistakes(error: ValidationError, model: type[BaseModel]) -> list[Mistake]:
    """All that is wrong, each once."""
    found: dict[tuple[Place, str], Mistake] = {}  # a union complains once per member: keep each once
    items = [(_place(item), item) for item in error.errors(include_url=False)]
    for place, item in items:
        if any(other[: len(place)] == place and len(other) > len(place) for other, _ in items):
            continue  # one member of a union took it and found the mistake inside
        sentence = _sentence(item, place, model)
        found.setdefault((place, sentence), Mistake(place, sentence, item["type"]))
    return list(found.values())


def _place(item: Any) -> Place:
    """Where an error is; one of a mapping that is checked as a whole says itself where inside of it."""
    inside: Place = tuple(item["ctx"]["inside"]) if item["type"] == "vary" else ()
    return (*(part for part in item["loc"] if not _is_branch(part)), *inside)


def _is_branch(part: Any) -> bool:
    """Names that pydantic adds to a place for the members of a union."""
    return part in ("float", "int", "str", "bool") or (isinstance(part, str) and part.startswith(("dict[", "list[", "literal[")))


def _sentence(item: Any, place: Place, model: type[BaseModel]) -> str:
    key, kind, context = dotted(place), item["type"], item.get("ctx", {})
    if kind == "extra_forbidden":
        section = dotted(place[:-1])
        inside = f" in {section}" if section else ""
        return f"unknown key {place[-1]!r}{inside}; {_hint(str(place[-1]), _known(model, place[:-1]))}"
    if kind == "missing":
        return f"{key} is missing{_described(model, place)}"
    if kind == "model_type" and item["input"] is None:
        return f"{key} is empty; expected a section with the keys {', '.join(_known(model, place))}"
    if kind in ("source", "sizing", "vary", "metrics"):
        return f"{key}: {item['msg']}"
    if kind in ("greater_than", "greater_than_equal", "less_than", "less_than_equal"):
        expected = "a number " + " and ".join(_bounds(model, place)) if _bounds(model, place) else item["msg"]
        return f"{key} is {_shown(item['input'])}; expected {expected}"
    return f"{key} is {_shown(item['input'])}; expected {_expected(kind, context, item['msg'])}"


_BOUNDS = {"gt": "greater than", "ge": "of at least", "lt": "below", "le": "of at most"}


def _bounds(model: type[BaseModel], place: Place) -> list[str]:
    """The whole range of a number, in words."""
    owner = model_at(model, place[:-1])
    if owner is None or str(place[-1]) not in owner.model_fields:
        return []
    info = owner.model_fields[str(place[-1])]
    bounds = [
        f"{words} {getattr(m, sign):g}" for m in _marks(info) for sign, words in _BOUNDS.items() if getattr(m, sign, None) is not None
    ]
    return list(dict.fromkeys(bounds))


def _marks(annotation: Any) -> list[Any]:
    """Constraints in an annotation, however deep: of a field, of Annotated, of Field inside it."""
    found = list(getattr(annotation, "metadata", ())) or list(getattr(annotation, "__metadata__", ()))
    inner = [getattr(annotation, "annotation", None)] if hasattr(annotation, "annotation") else typing.get_args(annotation)
    return [m for part in found for m in (_marks(part) or [part])] + [m for part in inner for m in _marks(part)]


def _expected(kind: str, context: Mapping[str, Any], message: str) -> str:
    if kind in _KINDS:
        return _KINDS[kind]
    if kind == "literal_error":
        return f"one of {context['expected'].replace(' or ', ', ')}"
    if kind in ("too_short", "too_long"):
        return f"{context.get('min_length', context.get('max_length'))} numbers"
    if kind in ("distance", "unit", "choice"):
        return str(context["expected"])
    return message


def _shown(value: Any) -> str:
    text = {None: "null", True: "true", False: "false"}.get(value) if isinstance(value, (bool, type(None))) else None
    text = text or repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def model_at(model: type[BaseModel], place: Place) -> type[BaseModel] | None:
    """The model of the section at a place; in a mapping of sections one part of the place is the key."""
    here, in_mapping = model, False
    for part in place:
        if in_mapping:
            in_mapping = False
        elif part not in here.model_fields:
            return None
        else:
            found = _section_in(here.model_fields[str(part)].annotation)
            if found is None:
                return None
            here, in_mapping = found
    return None if in_mapping else here


def _section_in(annotation: Any) -> tuple[type[BaseModel], bool] | None:
    """The section in an annotation, through Optional and dict[str, ...], and whether there was a dict."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    for part in typing.get_args(annotation):
        found = _section_in(part)
        if found is not None:
            return found[0], found[1] or typing.get_origin(annotation) is dict
    return None


def _known(model: type[BaseModel], place: Place) -> list[str]:
    found = model_at(model, place)
    return list(found.model_fields) if found else []


def _described(model: type[BaseModel], place: Place) -> str:
    """What a missing key should say."""
    owner = model_at(model, place[:-1])
    if owner is None:
        return ""
    info = owner.model_fields[str(place[-1])]
    if info.description:
        return f": {info.description}"
    inner = model_at(model, place)
    return f": {(inner.__doc__ or '').splitlines()[0]} Keys: {', '.join(inner.model_fields)}" if inner else ""
