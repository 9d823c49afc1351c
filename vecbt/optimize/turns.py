"""What every driver does alike: genes are asked for once, their scores told once, and all of it can be kept and taken up again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, InputError
from .variables import Variables

__all__ = ["Turns", "at_least", "same_questions", "share"]


class Turns(ABC):
    """A `Searcher`: derived classes say what is tried next (`_next`), and what they make of its scores (`_take`).

    Parameters
    ----------
    variables : what is varied
    objectives : how many scores a set has
    seed : of the generator; the same seed, method and scores give the same search to the last bit
    """

    def __init__(self, variables: Variables, objectives: int, seed: int) -> None:
        at_least("objectives", objectives, 1)
        at_least("seed", seed, 0)
        self.finished = ""
        self.generation = 0
        self._variables = variables
        self._objectives = objectives
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._asked: NDArray[np.float64] | None = None

    def ask(self) -> NDArray[np.float64]:
        """Genes to be tried next, (n, K); (0, K) when it has finished. Asking again gives the same. The array is not to be changed."""
        if self._asked is None:
            genes = np.empty((0, len(self._variables))) if self.finished else self._next()
            genes.setflags(write=False)
            if not len(genes):
                return genes
            self._asked = genes
        return self._asked

    def tell(self, scores: NDArray[np.float64], violations: NDArray[np.float64]) -> None:
        """What the genes asked for last are worth: `scores` (n, M), higher is better, NaN is worst; `violations` (n,), above 0 not run.

        Raises
        ------
        InputError where nothing was asked for, or their shapes are others.
        """
        if self._asked is None:
            raise InputError("nothing was asked for since the last answer; call ask() first")
        genes, self._asked = self._asked, None
        try:
            told = _checked(scores, violations, (len(genes), self._objectives))
        except InputError:
            self._asked = genes
            raise
        self.generation += 1
        self._take(genes, *told)

    def state(self) -> dict[str, Any]:
        """All that is needed to go on: whole numbers (of any length), texts, mappings of them, and arrays of numbers."""
        found: dict[str, Any] = {"kind": type(self).__name__, "finished": self.finished, "generation": self.generation}
        found["random"] = self._random.bit_generator.state
        if self._asked is not None:
            found["asked"] = self._asked.copy()
        return found | self._kept()

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave. ConfigError where it is of another method."""
        if state.get("kind") != type(self).__name__:
            what = f"the state is of {state.get('kind')!r}; expected one of {type(self).__name__!r}"
            raise ConfigError(f"{what}: use the method it was made with")
        asked = state.get("asked")
        if asked is not None and np.shape(asked)[1:] != (len(self._variables),):
            raise ConfigError(f"the state has genes of shape {np.shape(asked)}; expected {len(self._variables)} columns: other variables?")
        self.finished, self.generation = str(state["finished"]), int(state["generation"])
        self._random.bit_generator.state = state["random"]
        self._asked = None
        if asked is not None:
            self._asked = np.array(asked, dtype=np.float64)
            self._asked.setflags(write=False)
        self._restore(state)

    @abstractmethod
    def _next(self) -> NDArray[np.float64]:
        """Genes to be tried, (n, K); none, with `finished` set, where there are none."""

    @abstractmethod
    def _take(self, genes: NDArray[np.float64], scores: NDArray[np.float64], violations: NDArray[np.float64]) -> None:
        """Learn from them; set `finished` where that was the end."""

    @abstractmethod
    def _kept(self) -> dict[str, Any]:
        """What the derived class adds to the state."""

    @abstractmethod
    def _restore(self, state: dict[str, Any]) -> None:
        """Take from the state what `_kept` gave."""


def _checked(scores: Any, violations: Any, shape: tuple[int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both as copies of float64 in the shapes that were asked for, scores of what breaks constraints NaN."""
    found = np.array(scores, dtype=np.float64)
    if found.shape != shape:
        raise InputError(f"scores have the shape {found.shape}; expected {shape}: a row for each set asked, a column for each objective")
    broken = np.array(violations, dtype=np.float64)
    if broken.shape != shape[:1]:
        raise InputError(f"violations have the shape {broken.shape}; expected {shape[:1]}: one for each set asked for")
    if not np.minimum.reduce(broken) >= 0.0:
        raise InputError(f"violations are from {broken.min()}; expected numbers of at least 0, where 0 breaks nothing")
    if np.maximum.reduce(broken) > 0.0:
        found[broken > 0.0] = np.nan
    return found, broken


def same_questions(asked: NDArray[np.float64], before: NDArray[np.float64]) -> None:
    """ConfigError unless a driver that is taken up asks for what it asked for before."""
    if asked.tobytes() != before.tobytes():
        what = "the search asks for other sets than it did when its state was made"
        raise ConfigError(f"{what}; use the same method, space, seed, and versions of packages")


def at_least(name: str, value: Any, low: int) -> int:
    """A whole number that is not below `low`, or ConfigError."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < low:
        raise ConfigError(f"{name} is {value!r}; expected a whole number of at least {low}")
    return int(value)


def share(name: str, value: Any) -> float:
    """A number from 0 to 1, or ConfigError."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating) or not 0.0 <= value <= 1.0:
        raise ConfigError(f"{name} is {value!r}; expected a number from 0 to 1")
    return float(value)
