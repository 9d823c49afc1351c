"""The section `sweep` of a run file: what varies, what is kept, and what the command line gives in its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from ..core.sets import MAX_SETS, sets_of
from ..engine.strategy import Strategy
from ..engine.sweep_names import split_names
from ..errors import ConfigError
from .sections import Count, Number, Section
from .source import Place, Source
from .vary import space_of, values_of

if TYPE_CHECKING:
    from .load import RunFile

__all__ = ["SweepSection", "refused_sweep", "sweep_of"]

_PATHS = ("checkpoint", "blocks")
_VARY = ("sweep", "vary")


def _spaces(value: Any) -> Any:
    """Names to their values; `{stops: {hard: [...]}}`, which TOML makes of `stops.hard = [...]`, is `{stops.hard: [...]}`."""
    if not isinstance(value, dict):
        return value
    found: dict[str, list[Any]] = {}
    for place, written in _entries(value):
        name = ".".join(place)
        if name in found:
            raise _refusal(place, f"{name} is named twice; give all of its values at once")
        try:
            found[name] = values_of(name, written)
        except ConfigError as error:
            raise _refusal(place, str(error)) from error
    return found


def _entries(tree: Mapping[Any, Any], around: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in tree.items():
        place = (*around, str(key))
        if isinstance(value, dict) and value:
            yield from _entries(value, place)
        else:
            yield place, value


def _refusal(place: tuple[str, ...], message: str) -> PydanticCustomError:
    return PydanticCustomError("vary", "{message}", {"message": message, "inside": place})


def _metrics(value: Any) -> Any:
    """One name or several; those that a sweep with an envelope has are known too."""
    names = [value] if isinstance(value, str) else value
    if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
        from ..analytics.sweep_lines import ENVELOPE, METRICS, checked_metrics

        try:
            checked_metrics(names, (*METRICS, *ENVELOPE))
        except ConfigError as error:
            raise PydanticCustomError("metrics", "{message}", {"message": str(error)}) from error
    return names


def _blocks(value: Any) -> Any:
    if not isinstance(value, bool | str):
        raise PydanticCustomError("choice", "{expected}", {"expected": "true, false, file or the path of a folder"})
    return value


_VALUES = {"anyOf": [{"type": "array", "minItems": 1}, {"type": "string"}]}
_SPACES = {"type": "object", "additionalProperties": _VALUES}


class SweepSection(Section):
    """What `vecbt sweep` varies and keeps. All other commands check it and leave it aside."""

    vary: Annotated[dict[str, list[Any]], BeforeValidator(_spaces), WithJsonSchema(_SPACES)] | None = Field(
        default=None,
        description="name: values, a list or text such as 10:50:10, both ends included; all combinations are run. A name is a parameter "
        "of the strategy or a dotted one of the setup, such as stops.hard",
    )
    max_sets: Count | None = Field(default=None, description="refuse more sets than this", json_schema_extra={"default": MAX_SETS})
    metrics: Annotated[list[str], Field(min_length=1), BeforeValidator(_metrics)] | None = Field(
        default=None, description="columns of the table; all when left out"
    )
    rf: Number | None = Field(default=None, description="riskless return per bar, for Sharpe ratios", json_schema_extra={"default": 0.0})
    mar: Number | None = Field(
        default=None, description="least acceptable return per bar, for Sortino ratios", json_schema_extra={"default": 0.0}
    )
    blocks: Annotated[bool | str, BeforeValidator(_blocks)] | None = Field(
        default=None,
        description="keep sums over parts of the bars: true, false, file (in the folder of the checkpoint), or an empty folder",
    )
    envelope: bool | None = Field(
        default=None, description="run each set under both intrabar rules, which takes twice as long", json_schema_extra={"default": False}
    )
    checkpoint: str | None = Field(
        default=None, description="folder of finished lines, from which the same sweep goes on; relative to this file"
    )
    threads: Count | None = Field(default=None, description="as many as there are processors when left out; no number depends on it")


def sweep_of(
    run: RunFile, strategy: Strategy, keywords: Mapping[str, Any], vary: Iterable[str], given: Mapping[str, Any]
) -> dict[str, Any]:
    """The space and what else `vb.sweep` takes, by keyword: those of the section, in whose place stands what is given.

    Parameters
    ----------
    run : a run file
    strategy, keywords : what it makes, against which the names of the section are checked
    vary : texts as of `--vary`; a name of the section takes these values instead, others are added
    given : keywords of `vb.sweep`; None is not given

    Raises
    ------
    ConfigError
        Nothing varies, or the section names what is not there; the message says where that is written.
    """
    section = run.config.sweep or SweepSection()
    space = {**(section.vary or {}), **(space_of(vary) or {})}
    if not space:
        raise ConfigError(
            f"{run.source.name}: nothing varies; give --vary NAME=VALUES, or a section `sweep` with vary: {{NAME: [VALUE, ...]}}"
        )
    for place, error in _unknown_names(run.source, section, space, strategy, keywords):
        raise ConfigError(f"{run.source.where(place)}: sweep.vary: {error}")
    wishes = section.given("vary")
    for name in _PATHS:
        if isinstance(wishes.get(name), str) and (name, wishes[name]) != ("blocks", "file"):
            wishes[name] = run.path_of(wishes[name])
    return {"space": space, **wishes, **{name: value for name, value in given.items() if value is not None}}


def refused_sweep(run: RunFile, strategy: Strategy, keywords: Mapping[str, Any]) -> Iterator[tuple[Place, ConfigError]]:
    """What a sweep would refuse of the section before it runs anything: where it is written, and why."""
    section = run.config.sweep
    if section is None or not section.vary:
        return
    unknown = list(_unknown_names(run.source, section, section.vary, strategy, keywords))
    yield from unknown
    if not unknown:
        try:
            sets_of(section.vary, strategy.space, strategy.parameters, max_sets=section.max_sets)
        except ConfigError as error:
            yield _VARY, error


def _unknown_names(
    source: Source, section: SweepSection, space: Mapping[str, Any], strategy: Strategy, keywords: Mapping[str, Any]
) -> Iterator[tuple[Place, ConfigError]]:
    """Names of the section that are neither the strategy's nor the setup's."""
    for name in section.vary or {}:
        head = name.partition(".")[0]
        try:
            split_names(tuple(dict.fromkeys((name, head) if head in space else (name,))), strategy.space, keywords)
        except ConfigError as error:
            yield _place_of(source, name), error


def _place_of(source: Source, name: str) -> Place:
    """Where a name of the section is written: as one key, or as keys inside of keys."""
    written: Any = source.tree.get("sweep", {}).get("vary", {})
    return (*_VARY, name) if isinstance(written, dict) and name in written else (*_VARY, *name.split("."))
