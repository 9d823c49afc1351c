"""A saved search with its bars and strategy again: only those it was made with are taken."""

from __future__ import annotations

from typing import Any

from ..core.identity import identity
from ..data.bars import Bars
from ..engine.inputs import Inputs
from ..engine.strategy import as_strategy, written
from ..errors import StateError
from .evaluation import Evaluation
from .seen import MOMENTS
from .variables import CHOICE, Variables

__all__ = ["evaluation_of"]


def evaluation_of(
    about: dict[str, Any], variables: Variables, bars: Any, strategy: Any, keywords: dict[str, Any], threads: int | None
) -> Evaluation:  # fmt: skip
    """What sets are run with; StateError where bars, strategy or keywords are not those of the search."""
    if not isinstance(bars, Bars):
        raise StateError(f"bars is {type(bars).__name__}; expected the Bars that were searched on")
    if bars.content_hash != about["bars"]["hash"]:
        raise StateError(f"these are other bars: their hash is {bars.content_hash[:16]}, that of the search {about['bars']['hash'][:16]}")
    if strategy is None:
        raise StateError("strategy is missing; give the one that was searched with")
    found = identity(strategy) if isinstance(strategy, Inputs) else written(as_strategy(strategy))
    if found != about["strategy"]:
        raise StateError(f"this is another strategy: {found[:200]}; the search is of {about['strategy'][:200]}")
    given = {name: identity(value) for name, value in sorted(keywords.items())}
    differ = sorted(name for name in {*given, *about["keywords"]} if given.get(name) != about["keywords"].get(name))
    if differ:
        raise StateError(f"these are other keywords than those of the search; what differs is: {', '.join(differ)}")
    rf, mar = about["rates"]
    choices = zip(variables.names, variables.kinds, about["variables"]["choices"], strict=True)
    texts = [name for name, kind, values in choices if kind == CHOICE and any("text" in value for value in values)]
    if texts:
        raise StateError(f"choices of {', '.join(texts)} were kept as text only, since no file can hold them; run the search again")
    moments = set(MOMENTS) <= set(about["columns"])
    return Evaluation(bars, strategy, variables, keywords, rf, mar, moments, {"threads": threads})
