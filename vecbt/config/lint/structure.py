"""Keys and objects: every one that a run would refuse, not the first only.

What is refused is noted, taken out of a copy, and the rest is tried again, until what is left makes a run.
"""

from __future__ import annotations

import copy
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ...data.labels import label_text
from ...engine.batch import check_levels
from ...engine.orders_input import booked_flows
from ...engine.setup import Setup
from ...errors import ConfigError, VecbtError
from ...execution.costs import Costs
from ..load import RunFile
from ..messages import mistakes
from ..models import AccountSection, RunConfig
from ..source import Place, Source
from .facts import Facts
from .finding import Finding

__all__ = ["Part", "combinations", "explained", "refused_by_objects", "usable_part"]

_STAND_INS: dict[Place, Any] = {
    ("data",): {"sample": "us_daily"},
    ("strategy",): {"name": "BuyAndHold"},
    ("strategy", "name"): "BuyAndHold",
    ("costs",): {"free": True},
    ("account",): {"initial_capital": 100_000.0},
    ("account", "initial_capital"): 100_000.0,
}
"""In place of what a run cannot do without, so that the rest can be looked at."""

_WHY = {
    "unknown-key": ("a key that nobody reads would silently change nothing: a run refuses it", "correct or remove it"),
    "missing-key": ("there is no default that would be right for everybody: a run is refused", "give it"),
    "no-unit": (
        "the same number is a different distance in each unit: 3 read as a fraction is 300 %, a level that is never met",
        "write the unit beside the number",
    ),
    "wrong-value": ("a run refuses it", "correct it"),
    "refused": ("a run refuses it", "correct it"),
}
_IDS = {"extra_forbidden": "unknown-key", "missing": "missing-key", "unit": "no-unit"}
_ADVICE = re.compile(r"(expected|did you mean|known:|give|write|set|use|keep|make|load|choose|leave|check)\b|known:")
_MOST = 200
"""Rounds of taking out; a file with more mistakes than that is none."""


@dataclass
class Part:
    """The part of a configuration that a run can be made of."""

    run: RunFile
    source: Source
    taken: set[Place] = field(default_factory=set)
    """Places that were taken out."""

    def whole(self, section: str) -> bool:
        """Whether nothing in a section was taken out or stood in for."""
        return not any(place[0] == section for place in self.taken)


def usable_part(facts: Facts, folder: Path) -> tuple[Part, list[Finding]]:
    """The keys that fit the schema, and a finding for each that does not."""
    source = Source(facts.source.name, copy.deepcopy(facts.source.tree), facts.source.lines)
    taken: set[Place] = set()
    findings: list[Finding] = []
    for _ in range(_MOST):
        try:
            config = RunConfig.model_validate(source.tree)
            return Part(RunFile(config, source, folder), source, taken), findings
        except ValidationError as error:
            for mistake in mistakes(error, RunConfig):
                if not any(mistake.place[: len(place)] == place for place in taken):
                    findings.append(explained(facts, _IDS.get(mistake.kind, "wrong-value"), mistake.place, mistake.sentence))
                taken.add(_take_out(source.tree, mistake.place, missing=mistake.kind == "missing"))
    raise ConfigError(f"{source.name}: more than {_MOST} mistakes; is this a run file? `vecbt init` writes an example")


def explained(facts: Facts, id: str, place: Place, sentence: str) -> Finding:
    """An error from a message; what follows its first semicolon may be what to do."""
    why, remedy = _WHY[id]
    what, _, hint = sentence.partition("; ")
    if _ADVICE.match(hint):
        sentence, remedy = what, hint
    if place == ("account", "initial_capital") and id == "missing-key":
        why = "sizes, lots and limits in money hang on it, and every program has another default"
    return facts.finding(id, "error", place, sentence, why, remedy)


def _take_out(tree: dict[str, Any], place: Place, *, missing: bool = False) -> Place:
    """Remove a place (of a list: all of it), or put a stand-in where it must not be missing; the place that was changed."""
    numbered = next((k for k, part in enumerate(place) if isinstance(part, int)), len(place))
    place = place[:numbered]
    if missing and place not in _STAND_INS:
        place = place[:-1]  # a section that lacks a key cannot be used
    here: Any = tree
    for part in place[:-1]:
        here = here[part]
    if place in _STAND_INS:
        here[place[-1]] = copy.deepcopy(_STAND_INS[place])
    else:
        here.pop(place[-1], None)
    if place[:2] == ("sweep", "vary") and len(place) > 3 and not here:  # a dotted name that was written as keys inside of keys
        return _take_out(tree, place[:-1])
    return place


def refused_by_objects(facts: Facts, part: Part) -> tuple[dict[str, Any], list[Finding]]:
    """The objects of all sections, and a finding for everything that they refuse."""
    made: dict[str, Any] = {}
    findings: list[Finding] = []
    for name in sorted(part.run.builders()):
        told = not part.whole(name)
        for _ in range(_MOST):
            build = part.run.builders().get(name)
            if build is None:
                break
            try:
                with warnings.catch_warnings(record=True) as said:
                    warnings.simplefilter("always", UserWarning)
                    made[name] = build()
                findings += [_said(facts, part, name, str(w.message)) for w in said if issubclass(w.category, UserWarning)]
                break
            except VecbtError as error:
                place = _named(facts, part.source.find((name,), str(error)))
                if len(place) > 1 or not told:  # a section that refuses what is left of it was not written like that
                    findings.append(explained(facts, "refused", place, str(error)))
                    told = True
                _shrink(part, place)
    return made, findings


def _said(facts: Facts, part: Part, section: str, message: str) -> Finding:
    """A warning of an object: it is made, and something that was written is not used."""
    what, _, remedy = message.partition("; ")
    return facts.finding("object-warning", "warning", part.source.find((section,), message), what, "the object says so itself", remedy)


def _shrink(part: Part, place: Place) -> None:
    """Take a place out and make the run anew; a section that is then empty, or no longer valid, goes as a whole."""
    part.taken.add(_take_out(part.source.tree, place))
    while len(place) > 1 and _empty(part.source.tree, place[:-1]):
        place = place[:-1]
        _take_out(part.source.tree, place)
    try:
        config = RunConfig.model_validate(part.source.tree)
    except ValidationError:
        _take_out(part.source.tree, place[:1])
        config = RunConfig.model_validate(part.source.tree)
    part.run = RunFile(config, part.source, part.run.folder)


def _empty(tree: Any, place: Place) -> bool:
    for part in place:
        tree = tree.get(part) if isinstance(tree, dict) else None
    return isinstance(tree, dict) and not tree


def combinations(facts: Facts, part: Part, made: dict[str, Any]) -> list[Finding]:
    """A finding for everything that cannot stand together: among the keywords, with the market, with the strategy's rows."""
    keywords = {**part.run.plain(), "costs": Costs.free(), **made}
    keywords.pop("audit", None)
    findings: list[Finding] = []
    for attempt in _attempts(facts):
        left = dict(keywords)
        for _ in range(len(keywords)):
            message = _refusal(attempt, left)
            if message is None:
                break
            blamed = _blamed(attempt, left, message)
            place = _named(facts, _place_of(blamed[0])) if blamed else ()
            findings.append(explained(facts, "refused", place, message))
            if not blamed:
                break
            for name in blamed:
                left[name] = Costs.free()
                if name != "costs":
                    del left[name]
        keywords = left
    return findings


def _attempts(facts: Facts) -> list[Callable[[dict[str, Any]], object]]:
    """The checks of a run, one after the other."""
    out: list[Callable[[dict[str, Any]], object]] = [lambda given: Setup.of(**given)]
    bars, inputs = facts.bars, facts.inputs
    if bars is not None:
        out.append(lambda given: Setup.of(**given).for_market(bars.market, bars.has_volume))
        out.append(lambda given: booked_flows(given.get("flows"), bars))
        out.append(lambda given: check_levels(Setup.of(**given), bars.market, bars.low, lambda t: label_text(int(bars.index[t]))))
    if inputs is not None:
        out.append(lambda given: Setup.of(**given).for_inputs(inputs.kind))
    return out


def _refusal(attempt: Callable[[dict[str, Any]], object], keywords: dict[str, Any]) -> str | None:
    try:
        attempt(keywords)
    except VecbtError as error:
        return str(error)
    return None


def _blamed(attempt: Callable[[dict[str, Any]], object], keywords: dict[str, Any], message: str) -> list[str]:
    """The keyword without which the message is another one; else those that the message names."""
    for name in sorted(keywords, key=lambda key: key == "costs"):
        without = {key: value for key, value in keywords.items() if key != name}
        if _refusal(attempt, {"costs": Costs.free(), **without}) != message:
            return [name]
    return [name for name in keywords if re.search(rf"\b{name}\b", message)]


def _place_of(keyword: str) -> Place:
    """Where a keyword of `backtest` stands in the file."""
    return ("account", keyword) if keyword in AccountSection.model_fields else (keyword,)


def _named(facts: Facts, place: Place) -> Place:
    """`sizing.kelly` for `sizing`: what a size refuses is a matter of that size."""
    size = facts.sizing
    return ("sizing", size) if place == ("sizing",) and size is not None and facts.given(f"sizing.{size}") else place
