"""Searches that learn nothing on the way: at random, evenly spread, and all combinations. What others must beat."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.sets import MAX_SETS
from ..errors import ConfigError, nearest
from .turns import Turns, at_least
from .variables import CHOICE, WHOLE, Variables

__all__ = ["BATCH", "GridSearch", "RandomSearch", "SobolSearch"]

BATCH = 1024
"""Sets asked for at a time, where nothing else is said."""


@dataclass(frozen=True)
class RandomSearch:
    """So many sets at random, independent and even between their bounds (logarithms where asked for).

    Parameters
    ----------
    count : sets to draw; one that breaks a constraint counts, and one may be drawn twice where there are few
    batch : sets asked for at a time
    """

    count: int = 200
    batch: int = BATCH

    def __post_init__(self) -> None:
        at_least("RandomSearch: count", self.count, 1)
        at_least("RandomSearch: batch", self.batch, 1)

    def searcher(self, variables: Variables, objectives: int = 1, seed: int = 0) -> _Random:
        """A new search. `batch` changes what is asked for together, not what is drawn."""
        return _Random(variables, objectives, seed, self)


@dataclass(frozen=True)
class SobolSearch:
    """So many sets of a scrambled Sobol sequence, which fills the space evenly; a count that is a power of two keeps its balance.

    Sobol, USSR Comp. Math. 7 (1967) 86; scrambling by Owen, as in scipy.stats.qmc. Parameters are those of `RandomSearch`.
    """

    count: int = 256
    batch: int = BATCH

    def __post_init__(self) -> None:
        at_least("SobolSearch: count", self.count, 1)
        at_least("SobolSearch: batch", self.batch, 1)

    def searcher(self, variables: Variables, objectives: int = 1, seed: int = 0) -> _Sobol:
        """A new search."""
        return _Sobol(variables, objectives, seed, self)


@dataclass(frozen=True)
class GridSearch:
    """All combinations of values.

    Parameters
    ----------
    steps : values of each number, evenly between its bounds (both included; of logarithms where asked for); a mapping says it for each
        name. Whole numbers of fewer values, and choices, take all of theirs.
    batch : sets asked for at a time
    max_sets : refuse more combinations than this; None: the limit of sweeps, 200,000
    """

    steps: int | Mapping[str, int] = 10
    batch: int = BATCH
    max_sets: int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.steps, Mapping):
            for name, value in self.steps.items():
                at_least(f"GridSearch: steps[{name!r}]", value, 1)
        else:
            at_least("GridSearch: steps", self.steps, 1)
        at_least("GridSearch: batch", self.batch, 1)
        if self.max_sets is not None:
            at_least("GridSearch: max_sets", self.max_sets, 1)

    def searcher(self, variables: Variables, objectives: int = 1, seed: int = 0) -> _Grid:
        """A new search; `seed` does not matter. ConfigError for a name that does not vary, or too many combinations."""
        if isinstance(self.steps, Mapping):
            for name in self.steps:
                if name not in variables.names:
                    raise ConfigError(f"GridSearch: steps names {name!r}, which does not vary; {nearest(str(name), variables.names)}")
        values = [_values(variables, k, self._steps(name)) for k, name in enumerate(variables.names)]
        count, limit = math.prod(len(each) for each in values), MAX_SETS if self.max_sets is None else self.max_sets
        if count > limit:
            raise ConfigError(f"the grid has {count:,} sets, more than {limit:,}; give fewer steps, or max_sets={count} if that is meant")
        return _Grid(variables, objectives, seed, self, values)

    def _steps(self, name: str) -> int:
        return self.steps.get(name, 10) if isinstance(self.steps, Mapping) else self.steps


def _values(variables: Variables, k: int, steps: int) -> NDArray[np.float64]:
    """The genes of one parameter that a grid takes."""
    low, high = variables.low[k], variables.high[k]
    if variables.kinds[k] == CHOICE or (variables.kinds[k] == WHOLE and high - low < steps):
        return np.arange(low, high + 1.0)
    spread = np.linspace(low, high, steps) if steps > 1 else np.array([(low + high) / 2.0])
    return np.unique(np.rint(spread) if variables.kinds[k] == WHOLE else spread)


class _Counted(Turns):
    """So many points, one after another."""

    def __init__(self, variables: Variables, objectives: int, seed: int, count: int) -> None:
        super().__init__(variables, objectives, seed)
        self._count, self._told = count, 0

    def _take(self, genes: NDArray[np.float64], scores: NDArray[np.float64], violations: NDArray[np.float64]) -> None:
        self._told += len(genes)
        if self._told >= self._count:
            self.finished = f"all {self._count:,} sets were tried"

    def _kept(self) -> dict[str, Any]:
        return {"told": self._told}

    def _restore(self, state: dict[str, Any]) -> None:
        self._told = int(state["told"])


class _Random(_Counted):
    """See `RandomSearch`."""

    def __init__(self, variables: Variables, objectives: int, seed: int, method: RandomSearch) -> None:
        super().__init__(variables, objectives, seed, method.count)
        self._batch = method.batch

    def _next(self) -> NDArray[np.float64]:
        return self._variables.sample(min(self._batch, self._count - self._told), self._random)


class _Sobol(_Counted):
    """See `SobolSearch`."""

    def __init__(self, variables: Variables, objectives: int, seed: int, method: SobolSearch) -> None:
        super().__init__(variables, objectives, seed, method.count)
        self._batch, self._seed = method.batch, seed

    def _next(self) -> NDArray[np.float64]:
        from scipy.stats import qmc

        # a new sequence each time, moved on: it keeps no state that would have to be written down
        sequence = qmc.Sobol(len(self._variables), rng=self._seed)
        if self._told:
            sequence.fast_forward(self._told)
        wanted = min(self._batch, self._count - self._told)
        # it warns of a first draw that is no power of two
        points = sequence.random(wanted if self._told else 1 << (wanted - 1).bit_length())
        return self._variables.at(points[:wanted])


class _Grid(Turns):
    """See `GridSearch`. The last parameter changes first."""

    def __init__(
        self, variables: Variables, objectives: int, seed: int, method: GridSearch, values: list[NDArray[np.float64]]
    ) -> None:
        super().__init__(variables, objectives, seed)
        self._values, self._batch, self._at = values, method.batch, 0
        self._shape = tuple(len(each) for each in values)
        self._next_at = 0

    def _next(self) -> NDArray[np.float64]:
        count, at = math.prod(self._shape), self._at
        found: list[NDArray[np.float64]] = []
        while at < count and sum(map(len, found)) < self._batch:
            stop = min(at + self._batch, count)
            found.append(self._rows(at, stop))
            at = stop
        self._next_at = at
        genes = np.concatenate(found) if found else np.empty((0, len(self._values)))
        if not len(genes):
            self.finished = self._end()
        return genes

    def _rows(self, first: int, stop: int) -> NDArray[np.float64]:
        """These combinations, without those that differ from another in what does not count only."""
        places = np.stack(np.unravel_index(np.arange(first, stop), self._shape), axis=1)
        genes = np.stack([values[places[:, k]] for k, values in enumerate(self._values)], axis=1)
        once = np.ones(len(genes), dtype=np.bool_)
        for k, on in enumerate(self._variables.depends):
            if on is not None:
                once &= np.isin(genes[:, on[0]], on[1]) | (places[:, k] == 0)
        return self._variables.repaired(genes[once])

    def _take(self, genes: NDArray[np.float64], scores: NDArray[np.float64], violations: NDArray[np.float64]) -> None:
        self._at = self._next_at
        if self._at >= math.prod(self._shape):
            self.finished = self._end()

    def _end(self) -> str:
        return f"all {math.prod(self._shape):,} combinations were tried"

    def _kept(self) -> dict[str, Any]:
        return {"at": self._at, "next_at": self._next_at}

    def _restore(self, state: dict[str, Any]) -> None:
        self._at, self._next_at = int(state["at"]), int(state["next_at"])
