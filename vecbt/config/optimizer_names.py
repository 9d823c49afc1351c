"""The section `optimization` of other programs as the section `optimize`: nested by mode, or flat beside it (C16)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .source import Place, Source, dotted

__all__ = ["moves"]

_GENETIC = {
    "population_size": "population", "generations": "generations", "mutation_rate": "mutation_rate", "crossover_rate": "crossover_rate",
    "elitism_rate": "elitism_rate", "tournament_size": "tournament_size",
}  # fmt: skip
_OTHERS = ("rl", "walk_forward", "wfo")
_OLD, _NEW = "optimization", "optimize"


def moves(source: Source) -> Iterator[tuple[Place, Place | None, Any, str]]:
    """What stands in an `optimization` section whose mode is a genetic algorithm.

    Yields
    ------
    the place, where it goes (None: nowhere), the value in place of the one that stands there (None: that one), and what is said of it.
    """
    section = source.tree.get(_OLD)
    if not isinstance(section, dict):
        return
    enabled, mode = section.get("enabled"), section.get("mode")
    if enabled is False:
        yield (_OLD,), None, None, "the whole of optimization is not enabled, and was left out; remove it"
        return
    if mode not in ("ga", "genetic") and not (mode is None and "ga" in section):
        return
    if enabled is True:
        yield (_OLD, "enabled"), None, None, "optimization.enabled is no key, a section that is given is on; leave it out"
    for name in _OTHERS:
        if name in section:
            yield (_OLD, name), None, None, f"optimization.{name} is of another mode and was left out; remove it"
    if mode is not None:
        yield (_OLD, "mode"), (_NEW, "method"), "genetic", ""
    for name, meant in _GENETIC.items():
        for place in ((_OLD, "ga", name), (_OLD, name)):
            yield place, (_NEW, meant), None, ""
    weights = section.get("fitness_weights")
    if weights and "fitness_metric" in section:
        said = f"{dotted((_OLD, 'fitness_metric'))} stands beside fitness_weights, which say what is wanted, and was left out; remove it"
        yield (_OLD, "fitness_metric"), None, None, said
    yield (_OLD, "fitness_metric"), (_NEW, "objective"), None, ""
    yield (_OLD, "fitness_weights"), (_NEW, "weights"), None, ""
