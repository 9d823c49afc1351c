"""Spaces and drives that the tests of drivers share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from vecbt import Choice, Range, Space
from vecbt.optimize.variables import Variables

Worth = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def variables(space: dict[str, Any], where: Any = None) -> Variables:
    """Of a space that no strategy declares."""
    return Variables.of(space, Space("nothing", ()), {}, where)


MIXED = {
    "x": (-2.0, 3.0),
    "rate": Range(1e-4, 1e-1, log=True),
    "bars": (2, 40),
    "kind": Choice(["sma", "ema", "wma"]),
    "width": Range(0.5, 4.0, when=("kind", ("ema", "wma"))),
    "steps": Range(1, 5, when=("kind", "ema")),
}
"""Of every kind."""


def rising(objectives: int) -> Worth:
    """Scores of any genes: smooth, of all of them, other for each objective; NaN for a twentieth."""

    def worth(genes: NDArray[np.float64]) -> NDArray[np.float64]:
        shifts = np.arange(1, objectives + 1)[:, None] * np.linspace(0.1, 1.0, genes.shape[1])
        found = -(np.abs(genes[:, None, :] - shifts) ** 1.5).sum(axis=2)
        found[np.floor(np.abs(genes).sum(axis=1) * 1e3) % 20 == 0] = np.nan
        return found

    return worth


def broken(genes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Violations: those of a first gene above 1."""
    return np.maximum(genes[:, 0] - 1.0, 0.0)


def driven(searcher: Any, worth: Worth, turns: int = 1_000_000) -> list[NDArray[np.float64]]:
    """All that was asked for, until it finishes or so many turns are over."""
    asked = []
    while turns and len(genes := searcher.ask()):
        scores, violations = worth(genes), broken(genes)
        scores[violations > 0.0] = np.nan
        searcher.tell(scores, violations)
        asked.append(genes)
        turns -= 1
    return asked


@st.composite
def spaces(draw: st.DrawFn) -> dict[str, Any]:
    """Numbers, logarithms, whole numbers, choices and what holds beside one of them."""
    found: dict[str, Any] = {}
    for k in range(draw(st.integers(0, 2))):
        low = draw(st.floats(-1e3, 1e3))
        found[f"x{k}"] = Range(low, low + draw(st.floats(0.0, 1e3)), integer=False)
    if draw(st.booleans()):
        low = draw(st.floats(1e-6, 10.0))
        found["rate"] = Range(low, low * draw(st.floats(1.0, 1e4)), log=True)
    for k in range(draw(st.integers(0, 2))):
        low = draw(st.integers(-50, 50))
        found[f"n{k}"] = Range(low, low + draw(st.integers(0, 60)))
    kinds = draw(st.lists(st.sampled_from(["a", "b", "c", 1, 2.5, None, True]), min_size=1, max_size=5, unique_by=repr))
    found["kind"] = Choice(kinds)
    if draw(st.booleans()):
        found["width"] = Range(0.25, 4.0, when=("kind", (draw(st.sampled_from(kinds)),)))
    if draw(st.booleans()):
        found["steps"] = Range(3, 9, when=("kind", (draw(st.sampled_from(kinds)),)))
    return found
