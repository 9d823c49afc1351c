"""The section `optimize` of a run file: what `vecbt optimize` searches, for what, and how."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from ..engine.strategy import Strategy
from ..engine.sweep_names import split_names
from ..errors import ConfigError
from .sections import Count, Fraction, NotNegative, Number, Positive, Section
from .source import Place
from .vary import values_of

if TYPE_CHECKING:
    from ..optimize.objective import Objective
    from .load import RunFile

__all__ = ["OptimizeSection", "PenaltySection", "optimize_of", "refused_optimize", "walk_of"]

_SPACE = ("optimize", "space")
_ENDS = re.compile(r"^\s*([^:,]+):([^:,]+)\s*$")
_FORMS = "LOW:HIGH, [VALUE, ...], or {low: LOW, high: HIGH, log: true}"
_GENETIC = ("population", "generations", "mutation_rate", "crossover_rate", "elitism_rate", "tournament_size", "patience", "tolerance")
_KEYS = {"genetic": _GENETIC, "random": ("count",), "sobol": ("count",), "grid": ("steps",)}
"""Which keys are of which method."""


def _spaces(value: Any) -> Any:
    """Names to ranges and choices; `{stops: {hard: ...}}`, which TOML makes of `stops.hard = ...`, is `{stops.hard: ...}`."""
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for place, written in _entries(value):
        name = ".".join(place)
        try:
            if name in found:
                raise ConfigError(f"{name} is named twice; give one range or list")
            found[name] = _range_of(name, written)
        except ConfigError as error:
            raise PydanticCustomError("space", "{message}", {"message": str(error), "inside": place}) from error
    return found


def _entries(tree: Mapping[Any, Any], around: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in tree.items():
        place = (*around, str(key))
        if isinstance(value, dict) and value and not {"low", "high"} & set(value):
            yield from _entries(value, place)
        else:
            yield place, value


def _range_of(name: str, written: Any) -> Any:
    """A range or a list of choices, as `vb.search` takes them."""
    from ..optimize.variables import Range

    if isinstance(written, dict):
        unknown = sorted(set(written) - {"low", "high", "log", "integer"})
        if unknown or not {"low", "high"} <= set(written):
            raise ConfigError(f"{written!r} is no range{f': {unknown[0]} is no key of one' if unknown else ''}; expected {_FORMS}")
        return Range(**written)
    ends = _ENDS.match(written) if isinstance(written, str) else None
    if ends is not None:
        low, high = (values_of(name, [_number(part)])[0] for part in ends.groups())
        return Range(low, high)
    if isinstance(written, str) and written.count(":") > 1:
        raise ConfigError(f"{written!r} has a step, which a range has not; expected {_FORMS}")
    return values_of(name, written)


def _number(part: str) -> int | float:
    for kind in (int, float):
        try:
            return kind(part)
        except ValueError:
            continue
    raise ConfigError(f"{part.strip()!r} is no number; expected {_FORMS}")


def _names(value: Any) -> Any:
    """One metric or several, known ones."""
    names = [value] if isinstance(value, str) else value
    if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
        for name in names:
            _known(name)
    return names


def _weights(value: Any) -> Any:
    if isinstance(value, dict):
        for name in value:
            _known(name)
    return value


def _known(name: Any) -> None:
    from ..optimize.seen import measure_name

    try:
        measure_name(name)
    except ConfigError as error:
        raise PydanticCustomError("metrics", "{message}", {"message": str(error)}) from error


_RANGE_SCHEMA = {"anyOf": [
    {"type": "array", "minItems": 1}, {"type": "string"},
    {"type": "object", "required": ["low", "high"], "properties": {"low": {"type": "number"}, "high": {"type": "number"}}},
]}  # fmt: skip
_SPACE_SCHEMA = {"type": "object", "additionalProperties": _RANGE_SCHEMA}


class PenaltySection(Section):
    """What a set loses for a metric that is out of bounds."""

    metric: Annotated[str, BeforeValidator(lambda value: _names(value)[0] if isinstance(value, str) else value)] = Field(
        description="a metric, or trades_per_year"
    )
    at_least: Number | None = Field(default=None, description="the bound, in the unit of the metric")
    at_most: Number | None = Field(default=None, description="the bound, in the unit of the metric")
    weight: Positive | None = Field(
        default=None, description="subtracted for each whole bound beyond, in the unit of the objective", json_schema_extra={"default": 1.0}
    )


class OptimizeSection(Section):
    """What `vecbt optimize` searches. All other commands check it and leave it aside."""

    space: Annotated[dict[str, Any], BeforeValidator(_spaces), WithJsonSchema(_SPACE_SCHEMA)] | None = Field(
        default=None,
        description="name: 5:50 (whole numbers where both ends are), a list of choices, or {low: 0.001, high: 0.1, log: true}. A name is a "
        "parameter of the strategy or a dotted one of the setup. Left out: the ranges that the strategy declares",
    )
    objective: Annotated[list[str], Field(min_length=1), BeforeValidator(_names)] | None = Field(
        default=None, description="a metric, or several for the Pareto front", json_schema_extra={"default": ["sharpe"]}
    )
    weights: Annotated[dict[str, Number], BeforeValidator(_weights)] | None = Field(
        default=None, description="metric: weight, a sum in place of objective; negative where lower is better"
    )
    scales: dict[str, Positive] | Literal["first generation"] | None = Field(
        default=None, description="metric: what counts as one of it in the sum; or first generation: its deviation there"
    )
    penalties: list[PenaltySection] | None = Field(default=None, description="what sets lose for metrics that are out of bounds")
    plateau: Fraction | None = Field(
        default=None, description="score by the mean less the deviation within this share of each range, so that lone peaks score low"
    )
    method: Literal["genetic", "random", "sobol", "grid"] | None = Field(
        default=None, description="how to search", json_schema_extra={"default": "genetic"}
    )
    population: Count | None = Field(default=None, description="genetic: sets of a generation", json_schema_extra={"default": 20})
    generations: Count | None = Field(default=None, description="genetic: how many", json_schema_extra={"default": 10})
    mutation_rate: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None, description="genetic: chance of each parameter", json_schema_extra={"default": 0.1}
    )
    crossover_rate: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None, description="genetic: chance of each pair", json_schema_extra={"default": 0.7}
    )
    elitism_rate: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None, description="genetic: share that outlives its children", json_schema_extra={"default": 0.1}
    )
    tournament_size: Count | None = Field(default=None, description="genetic: sets that compete", json_schema_extra={"default": 3})
    patience: Count | None = Field(default=None, description="genetic: generations without improvement before it stops")
    tolerance: NotNegative | None = Field(default=None, description="genetic: the least improvement", json_schema_extra={"default": 0.0})
    count: Count | None = Field(default=None, description="random and sobol: sets to draw")
    steps: Count | None = Field(default=None, description="grid: values of each number", json_schema_extra={"default": 10})
    seed: Annotated[int, Field(ge=0)] | None = Field(default=None, description="of all that is drawn", json_schema_extra={"default": 0})
    max_sets: Count | None = Field(default=None, description="stop before more distinct sets than this are evaluated")
    rf: Number | None = Field(default=None, description="riskless return per bar, for Sharpe ratios", json_schema_extra={"default": 0.0})
    mar: Number | None = Field(
        default=None, description="least acceptable return per bar, for Sortino ratios", json_schema_extra={"default": 0.0}
    )
    checkpoint: str | None = Field(default=None, description="folder from which the same search goes on; relative to this file")
    threads: Count | None = Field(default=None, description="as many as there are processors when left out; no number depends on it")


def optimize_of(run: RunFile, strategy: Strategy, keywords: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What `vb.search` takes, by keyword: what the section says, in whose place stands what is given and not None.

    ConfigError names the line of what cannot be.
    """
    section = run.config.optimize or OptimizeSection()
    for place, error in refused_optimize(run, strategy, keywords):
        raise ConfigError(f"{run.source.where(place)}: {'.'.join(map(str, place))}: {error}")
    own = (name for keys in _KEYS.values() for name in keys)
    wishes = section.given("space", "objective", "weights", "scales", "penalties", "plateau", "method", *own)
    if section.checkpoint is not None:
        wishes["checkpoint"] = run.path_of(section.checkpoint)
    found = {"space": section.space, "objective": _objective(section), "method": _method(section), **wishes}
    return {**found, **{name: value for name, value in given.items() if value is not None}}


def walk_of(run: RunFile, strategy: Strategy, keywords: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What `vb.walk_forward` takes of the section: as `optimize_of`, with a grid where no method is said."""
    found = optimize_of(run, strategy, keywords, given)
    section = run.config.optimize or OptimizeSection()
    if "max_sets" in found:
        raise ConfigError("optimize.max_sets ends one search, and a walk-forward has one a fold; remove it, or give a smaller method")
    return found if section.method is not None else {**found, "method": None}


def refused_optimize(run: RunFile, strategy: Strategy, keywords: Mapping[str, Any]) -> Iterator[tuple[Place, ConfigError]]:
    """What a search would refuse of the section before it runs anything: where it is written, and why."""
    from ..optimize.variables import Variables

    section = run.config.optimize
    if section is None:
        return
    unknown = False
    for name in section.space or {}:
        try:
            split_names((name,), strategy.space, keywords)
        except ConfigError as error:
            unknown = True
            yield _place_of(run, name), error
    if not unknown:
        try:
            Variables.of(section.space, strategy.space, strategy.parameters)
        except ConfigError as error:
            yield _SPACE, error
    method = section.method or "genetic"
    for name in section.given():
        owners = [each for each, keys in _KEYS.items() if name in keys]
        if owners and method not in owners:
            what = f"{name} is of the method {' or '.join(owners)}, and method is {method}"
            yield ("optimize", name), ConfigError(f"{what}; remove one of them")
    for place, make in (("weights", _objective), ("method", _method)):
        try:
            make(section)
        except ConfigError as error:
            yield ("optimize", place), error


def _objective(section: OptimizeSection) -> list[Objective]:
    """What is wanted."""
    from ..optimize.luck_scores import Plateau
    from ..optimize.objective import Penalty, Weighted, as_objectives

    if section.weights is not None and section.objective is not None:
        raise ConfigError("weights stand beside objective; keep one of them")
    if section.scales is not None and section.weights is None:
        raise ConfigError("scales are of weights, and there are none; give weights, or remove scales")
    found: list[Any] = [Weighted(section.weights, section.scales)] if section.weights is not None else list(section.objective or ["sharpe"])
    wanted: list[Objective] = []
    for each in as_objectives(found):
        made = each
        for penalty in section.penalties or ():
            made = Penalty(**penalty.given(), of=made)
        wanted.append(made if section.plateau is None else Plateau(made, section.plateau))
    return wanted


def _method(section: OptimizeSection) -> Any:
    """How to search."""
    from ..optimize.genetic import Genetic
    from ..optimize.sampling import GridSearch, RandomSearch, SobolSearch

    name = section.method or "genetic"
    kinds: dict[str, Any] = {"genetic": Genetic, "random": RandomSearch, "sobol": SobolSearch, "grid": GridSearch}
    given = section.given()
    return kinds[name](**{key: given[key] for key in _KEYS[name] if key in given})


def _place_of(run: RunFile, name: str) -> Place:
    """Where a name of the space is written: as one key, or as keys inside of keys."""
    written: Any = run.source.tree.get("optimize", {}).get("space", {})
    return (*_SPACE, name) if isinstance(written, dict) and name in written else (*_SPACE, *name.split("."))
