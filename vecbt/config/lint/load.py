"""What a check can load: prices, strategy, and the rows it asks for. What fails is a finding, not the end of the check."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from ...engine.batch import check_events
from ...engine.strategy import evaluate
from ...errors import VecbtError
from .facts import Facts
from .finding import Finding
from .structure import Part, explained

__all__ = ["load_facts"]


def load_facts(facts: Facts, part: Part) -> list[Finding]:
    """Fill in bars, strategy and inputs as far as they can be had, and say what could not."""
    findings: list[Finding] = []
    if part.whole("data"):
        facts.bars = _tried(facts, findings, "data", "the prices", part.run.bars)
    if part.whole("strategy"):
        facts.strategy = _tried(facts, findings, "strategy", "the strategy", part.run.strategy)
    bars, strategy = facts.bars, facts.strategy
    if bars is not None:
        _tried(facts, findings, "data", "the events", lambda: check_events(bars.market, bars.funding))
    if bars is not None and strategy is not None:
        facts.inputs = _tried(facts, findings, "strategy", "the strategy's rows", lambda: evaluate(strategy, bars))
    return findings


def _tried(facts: Facts, findings: list[Finding], section: str, what: str, load: Callable[[], Any]) -> Any:
    """What `load` gives, or None and a finding; its warnings are findings too."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        try:
            found = load()
        except VecbtError as error:
            findings.append(_refused(facts, section, str(error)))
            return None
        except Exception as error:  # a strategy is anybody's code: whatever it raises, the check goes on
            findings.append(_refused(facts, section, f"{what}: {type(error).__name__}: {error}"))
            return None
    for warning in said:
        if issubclass(warning.category, UserWarning):
            findings.append(_other_name(facts, section, str(warning.message)))
    return found


def _refused(facts: Facts, section: str, message: str) -> Finding:
    sentence = _without_place(facts, message)
    return explained(facts, "refused", facts.source.find((section,), sentence), sentence)


def _other_name(facts: Facts, section: str, message: str) -> Finding:
    place = (section, "parameters") if facts.given(f"{section}.parameters") else (section,)
    what, _, remedy = _without_place(facts, message).partition("; ")
    return facts.finding("other-name", "warning", place, what, "one quantity has one name, so that two files can be compared", remedy)


def _without_place(facts: Facts, message: str) -> str:
    """Messages of run files begin with file, line and section; findings have them already."""
    head, colon, rest = message.partition(": ")
    if not colon or not head.startswith(facts.source.name):
        return message
    section, colon, sentence = rest.partition(": ")
    return sentence if colon and section in facts.source.tree else rest
