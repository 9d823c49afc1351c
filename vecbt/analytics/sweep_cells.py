"""Parameters as axes: the values of one in order, in classes where they are too many, and a metric reduced to cells of two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, nearest
from .sweep_lines import LOWER_IS_BETTER, Lines, statistic

__all__ = ["Cells", "Scale", "cells_of", "scale_of", "tick_places"]

_REDUCE: dict[str, Callable[[NDArray[np.float64]], Any]] = {"mean": np.mean, "median": np.median, "max": np.max, "min": np.min}
_MOST_VALUES = 60
_CLASSES = 40
_SPARSE = 0.4  # of the combinations of two parameters; constraints such as fast < slow leave half


@dataclass(frozen=True)
class Scale:
    """The values of a parameter in order: labels, numbers where they are such, and the place of each line (L,)."""

    name: str
    title: str
    labels: list[str]
    centers: NDArray[np.float64]
    place: NDArray[np.int64]
    numeric: bool
    classes: bool


@dataclass(frozen=True)
class Cells:
    """A metric by the values of two parameters: (Y, X), NaN where there is none; `best` is a place in it, flat."""

    x: Scale
    y: Scale
    grid: NDArray[np.float64]
    best: int


def scale_of(lines: Lines, name: str, most: int | None = _MOST_VALUES, classes: int = _MOST_VALUES // 2) -> Scale:
    """The axis of one parameter; numbers of more than `most` values are cut in classes of equal width.

    ConfigError with the nearest for a name that no parameter has.
    """
    if name not in lines.sets.names:
        raise ConfigError(f"{name!r} is no parameter of this sweep; {nearest(str(name), lines.sets.names)}")
    k = lines.sets.names.index(name)
    if not lines.is_number(name):
        codes, place = np.unique(lines.sets.codes[:, k], return_inverse=True)
        words = [v if isinstance(v, str) else repr(v) for v in (lines.sets.values[k][code] for code in codes)]
        return Scale(name, name, words, np.full(len(words), np.nan), place.reshape(-1), False, False)
    column = lines.sets.column(name)
    numbers, place = np.unique(column, return_inverse=True)
    if most is None or len(numbers) <= most:
        return Scale(name, name, [f"{v:.6g}" for v in numbers], numbers.astype(np.float64), place.reshape(-1), True, False)
    edges = np.linspace(float(numbers[0]), float(numbers[-1]), classes + 1)
    centers = (edges[:-1] + edges[1:]) / 2.0
    place = np.clip(np.searchsorted(edges, column, side="right") - 1, 0, classes - 1)
    return Scale(name, f"{name}, {classes} classes", [f"{v:.4g}" for v in centers], centers, place, True, True)


def cells_of(lines: Lines, x: str, y: str, metric: str, reduce: str) -> Cells:
    """A metric by two parameters; ConfigError for unknown names, one name twice, or a metric that no line has."""
    statistic(metric)
    if reduce not in _REDUCE:
        raise ConfigError(f"reduce is {reduce!r}; {nearest(str(reduce), _REDUCE)}")
    if x == y:
        raise ConfigError(f"x and y are both {x!r}; expected two parameters")
    across, along, values = scale_of(lines, x, None), scale_of(lines, y, None), lines.values(metric)
    taken = len(np.unique(along.place * len(across.labels) + across.place))
    if taken < _SPARSE * len(across.labels) * len(along.labels):  # drawn at random: hardly a value comes twice
        most = int(np.clip(np.sqrt(len(lines) / 3), 4, _CLASSES))
        across, along = scale_of(lines, x, most, most), scale_of(lines, y, most, most)
    fine = np.flatnonzero(np.isfinite(values))
    if not len(fine):
        raise ConfigError(f"none of the {len(lines):,} lines has a finite {metric}, so there is nothing to draw")
    shape = (len(along.labels), len(across.labels))
    cell = along.place[fine] * shape[1] + across.place[fine]
    order = np.argsort(cell, kind="stable")
    which, first = np.unique(cell[order], return_index=True)
    grid = np.full(shape[0] * shape[1], np.nan)
    grid[which] = [_REDUCE[reduce](part) for part in np.split(values[fine][order], first[1:])]
    best = int(np.nanargmin(grid) if metric in LOWER_IS_BETTER else np.nanargmax(grid))
    return Cells(across, along, grid.reshape(shape), best)


def tick_places(count: int, most: int) -> list[int]:
    """At most so many of the places, evenly spaced."""
    step = -(-count // most)
    return list(range(0, count, step))
