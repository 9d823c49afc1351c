"""What a search has met: every set once, known by the bytes of its genes, with its metrics; and what became of each generation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .seen import Seen
from .variables import Variables

__all__ = ["Columns", "Generation", "History", "Refusal", "keys_of"]


def keys_of(genes: NDArray[np.float64]) -> list[bytes]:
    """The bytes of each row, by which equal sets are known: genes are repaired, so equal ones have equal bytes."""
    found: list[Any] = np.ascontiguousarray(genes).view(np.dtype((np.void, genes.shape[1] * 8))).ravel().tolist()
    return found


@dataclass(frozen=True)
class Refusal:
    """A set that has no metrics: refused by the strategy or the setup before it ran (`refused`), or failed as it ran."""

    genes: tuple[float, ...]
    generation: int
    refused: bool
    error: str


@dataclass(frozen=True)
class Generation:
    """One question and its answer.

    Attributes
    ----------
    number : from 1 on
    asked : sets that were asked for
    evaluated : of these run now; the others were met before, or cannot run
    again : met before
    infeasible : break a constraint, and were not run
    refused, failed : refused by the strategy or the setup, and failed as they ran, among those that were new
    best : of each objective, the best score of this generation; NaN where none has one
    average, deviation : of each objective, over the sets of this generation that have a finite score
    row : the set with the best score of the first objective in this generation; -1 where none has one
    seconds : of running the sets
    """

    number: int
    asked: int
    evaluated: int
    again: int
    infeasible: int
    refused: int
    failed: int
    best: tuple[float, ...]
    average: tuple[float, ...]
    deviation: tuple[float, ...]
    row: int
    seconds: float

    def numbers(self) -> list[float]:
        """As a row of a table."""
        head = (self.number, self.asked, self.evaluated, self.again, self.infeasible, self.refused, self.failed, self.row, self.seconds)
        return [*map(float, head), *self.best, *self.average, *self.deviation]

    @classmethod
    def of_numbers(cls, row: Sequence[float]) -> Generation:
        """From what `numbers` gave."""
        number, asked, evaluated, again, infeasible, refused, failed, place = (int(v) for v in row[:8])
        scores = [float(v) for v in row[9:]]
        m = len(scores) // 3
        best, average, deviation = (tuple(scores[i * m : (i + 1) * m]) for i in range(3))
        seconds = float(row[8])
        return cls(number, asked, evaluated, again, infeasible, refused, failed, best, average, deviation, place, seconds)


class Columns(Mapping[str, NDArray[np.float64]]):
    """Columns (m,) by their names, of a matrix (names, m): those that are asked for are made."""

    def __init__(self, matrix: NDArray[np.float64], numbers: Mapping[str, int]) -> None:
        self._matrix, self._numbers = matrix, numbers

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        found: NDArray[np.float64] = self._matrix[self._numbers[name]]
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


class History:
    """Every set that was met: a row for each that was measured, and those that could not be.

    Parameters
    ----------
    variables : what the genes are
    names : of the columns that are kept of each set
    objectives : how many scores a set has
    """

    def __init__(self, variables: Variables, names: Sequence[str], objectives: int) -> None:
        self.variables, self.names = variables, tuple(names)
        self.refusals: list[Refusal] = []
        self.generations: list[Generation] = []
        self.first = 0
        self._count = 0
        self._genes = np.empty((256, len(variables)))
        self._columns = np.empty((len(self.names), 256))
        self._scores = np.empty((256, objectives))
        self._generation = np.empty(256, dtype=np.int64)
        self._places: dict[bytes, int] = {}
        self._numbers = {name: k for k, name in enumerate(self.names)}

    def __len__(self) -> int:
        """How many sets were measured."""
        return self._count

    @property
    def genes(self) -> NDArray[np.float64]:
        """Of all measured sets (m, K)."""
        return self._genes[: self._count]

    @property
    def measured(self) -> NDArray[np.float64]:
        """Columns of all measured sets, in the order of their names (names, m)."""
        return self._columns[:, : self._count]

    @property
    def columns(self) -> Columns:
        """Of all measured sets, each (m,)."""
        return Columns(self.measured, self._numbers)

    @property
    def scores(self) -> NDArray[np.float64]:
        """What each set was worth when it was evaluated (m, M)."""
        return self._scores[: self._count]

    @property
    def generation(self) -> NDArray[np.int64]:
        """In which generation each was evaluated (m,), from 1 on."""
        return self._generation[: self._count]

    def place(self, key: bytes) -> int | None:
        """The row of a set; below 0 for one that could not be measured, whose refusal is `refusals[-1 - place]`; None for a new one."""
        return self._places.get(key)

    def rows(self, keys: Sequence[bytes]) -> NDArray[np.int64]:
        """The same of many that were met (n,)."""
        return np.fromiter(map(self._places.__getitem__, keys), np.int64, len(keys))

    def expect(self, keys: Sequence[bytes]) -> tuple[NDArray[np.int64], list[int]]:
        """The places of sets (n,), of which those that are new get the next rows; and which these are, each once, in order.

        All that is new must come by `add` in this order, with `expected`, or be taken back by `forget`. Looking up and entering at once
        costs less than half of both: with ten thousand sets each touches memory that a sweep has driven from the cache.
        """
        end, enter = self._count, self._places.setdefault
        rows, new = [], []
        for i, key in enumerate(keys):
            row = enter(key, end)
            rows.append(row)
            if row == end:
                new.append(i)
                end += 1
        return np.array(rows, dtype=np.int64), new

    def forget(self, keys: Iterable[bytes]) -> None:
        """These sets are not expected any more."""
        for key in keys:
            del self._places[key]

    def add(
        self, genes: NDArray[np.float64], columns: NDArray[np.float64], generation: int | NDArray[np.int64], *, expected: bool = False
    ) -> NDArray[np.int64]:
        """Sets that were measured, with `columns` (names, n); their rows. Scores follow by `score`."""
        begin, end = self._count, self._count + len(genes)
        while end > len(self._genes):
            self._grow()
        self._genes[begin:end], self._columns[:, begin:end], self._generation[begin:end] = genes, columns, generation
        self._scores[begin:end] = np.nan
        if not expected:
            self._places.update(zip(keys_of(genes), range(begin, end), strict=True))
        self._count = end
        return np.arange(begin, end)

    def score(self, rows: NDArray[np.int64], scores: NDArray[np.float64]) -> None:
        """What sets were worth when they were evaluated."""
        self._scores[rows] = scores

    def refuse(self, refusals: Iterable[Refusal]) -> None:
        """Sets that could not be measured."""
        for refusal in refusals:
            self.refusals.append(refusal)
            self._places[np.array(refusal.genes).tobytes()] = -len(self.refusals)

    def seen(self, rows: NDArray[np.int64], bars: int, per_year: float) -> Seen:
        """What an objective is given to judge these sets."""
        return Seen(self.columns, rows, bars, per_year, self.first or self._count, self.genes, self.variables)

    def values_of(self, genes: Any) -> dict[str, Any]:
        """The parameters of one set."""
        return self.variables.at_row(np.asarray(genes, dtype=np.float64))

    def _grow(self) -> None:
        """Four times the room, which takes no memory before it is written to."""
        count, room = self._count, 4 * len(self._genes)
        old = self._genes, self._columns, self._scores, self._generation
        self._genes = np.empty((room, old[0].shape[1]))
        self._columns = np.empty((len(self.names), room))
        self._scores = np.empty((room, old[2].shape[1]))
        self._generation = np.empty(room, dtype=np.int64)
        self._genes[:count], self._scores[:count], self._generation[:count] = old[0][:count], old[2][:count], old[3][:count]
        self._columns[:, :count] = old[1][:, :count]
