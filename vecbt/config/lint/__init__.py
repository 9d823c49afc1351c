"""A run file looked over before anything is run: unit mistakes, contradictions, limits that can never bind.

`check_config` finds all of them in one go. Rules are small predicates over what was written (`facts`), one module for
each part of a configuration; what the schema or an object refuses (`structure`) becomes a finding as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..aliases import canonical
from ..optimizing import refused_optimize
from ..source import Source, read_source
from ..sweeps import refused_sweep
from . import account, costs, limits, rows, search, sizes, stops, units, zones
from .facts import Facts
from .finding import Finding, counted, sort_findings
from .load import load_facts
from .structure import combinations, explained, refused_by_objects, usable_part

__all__ = ["RULES", "Finding", "check_config", "counted"]

Rule = Callable[[Facts], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    *units.RULES, *costs.RULES, *account.RULES, *sizes.RULES, *stops.RULES, *zones.RULES, *limits.RULES, *rows.RULES, *search.RULES,
)  # fmt: skip


def check_config(
    config: str | Path | Mapping[str, Any], settings: Iterable[str] = (), *, data: bool = True, folder: str | Path | None = None
) -> list[Finding]:
    """Everything in a run file that is refused, contradicts itself, or can hardly be meant.

    Parameters
    ----------
    config : path, or mapping
        The run file, or its content.
    settings : strings `a.b=1`
        Keys set as by `--set`.
    data : bool
        Load the prices and the rows of the strategy too, for what depends on them.
    folder : path, optional
        Where relative paths of a mapping start; the current folder when not given. A file's are relative to it.

    Returns
    -------
    list of Finding
        Errors first, then warnings, then notes; empty when there is nothing to say.

    Raises
    ------
    ConfigError
        The file cannot be read, or is no YAML, JSON or TOML.
    """
    if isinstance(config, Mapping):
        source, base = Source.of(config), Path(folder or ".").resolve()
    else:
        source, base = read_source(Path(config)), Path(folder or Path(config).resolve().parent)
    source.override(settings)
    facts = Facts(source)
    findings = _renamed(facts)
    part, refused = usable_part(facts, base)
    made, by_objects = refused_by_objects(facts, part)
    refused += by_objects
    facts.preset = _preset(facts, made)
    loaded = load_facts(facts, part) if data else []
    refused += combinations(facts, part, made)
    if facts.strategy is not None:
        keywords = {**part.run.plain(), **made}
        for check in (refused_sweep, refused_optimize):
            refused += [explained(facts, "refused", at, str(error)) for at, error in check(part.run, facts.strategy, keywords)]
    ruled = [finding for rule in RULES for finding in rule(facts)]
    told = {f.where for f in ruled if f.severity == "error"}
    general = [f for f in (*refused, *loaded) if f.where not in told]  # a rule says more about the same place
    return sort_findings([*findings, *general, *ruled])


def _renamed(facts: Facts) -> list[Finding]:
    """Keys under other names, which are moved to their own place."""
    why = "one quantity has one name and one place, so that two files can be compared"
    out = []
    for r in canonical(facts.source):
        what, _, remedy = r.sentence.partition("; ")
        finding = facts.finding("other-name", "warning", r.written, what, why, remedy)
        if r.refusal:
            finding = facts.finding("two-names", "error", r.written, r.refusal, "a file that says two things cannot mean both", "keep one")
        out.append(finding)
    return out


def _preset(facts: Facts, made: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a preset of stops brings."""
    return made["stops"].to_dict() if facts.given("stops.preset") and "stops" in made else {}
