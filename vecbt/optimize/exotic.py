"""Any algorithm of pymoo, driven by its own ask and tell."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._optional import optional
from ..errors import ConfigError
from .turns import Turns, at_least, same_questions
from .variables import Variables

__all__ = ["Pymoo"]


@dataclass(frozen=True, repr=False)
class Pymoo:
    """An algorithm of pymoo, such as `Pymoo(NSGA3(ref_dirs), generations=50)` or `Pymoo(CMAES(), generations=200)`.

    The algorithm sees numbers: whole numbers and choices are rounded when they are tried, choices as if they had an order. Constraints are
    one constraint of the algorithm, by how much they are broken; a score that is NaN counts as one broken by 1. A set that was not run
    has the worst scores met so far. An algorithm without constraints searches worse where there are some, or refuses them.

    A search is taken up by telling a new copy of the algorithm all that was told, in order: its generator is pymoo's own.

    Parameters
    ----------
    algorithm : of pymoo, not yet set up; it is copied
    generations : to ask for; the algorithm may end before
    """

    algorithm: Any
    generations: int = 50

    def __post_init__(self) -> None:
        at_least("Pymoo: generations", self.generations, 1)
        kind = optional("pymoo.core.algorithm", "an algorithm of pymoo").Algorithm
        if not isinstance(self.algorithm, kind):
            raise ConfigError(f"Pymoo: algorithm is {self.algorithm!r}; expected one of pymoo's, such as NSGA2(pop_size=100)")

    def __repr__(self) -> str:
        kind = type(self.algorithm)
        return f"Pymoo({kind.__module__}.{kind.__name__}, generations={self.generations})"

    def searcher(self, variables: Variables, objectives: int = 1, seed: int = 0) -> _Driven:
        """A new search."""
        return _Driven(variables, objectives, seed, self)


class _Driven(Turns):
    """See `Pymoo`."""

    def __init__(self, variables: Variables, objectives: int, seed: int, method: Pymoo) -> None:
        super().__init__(variables, objectives, seed)
        self._method, self._seed = method, seed
        self._log = np.empty((0, len(variables) + objectives + 1))
        """A row a set: genes, scores, violation."""
        self._counts: list[int] = []
        self._begin()

    def _begin(self) -> None:
        """The algorithm as it was, set up."""
        problem = optional("pymoo.core.problem", "an algorithm of pymoo").Problem
        low, high = self._variables.edges
        self._problem = problem(n_var=len(low), n_obj=self._objectives, n_ieq_constr=1, xl=low, xu=high)
        self._algorithm = copy.deepcopy(self._method.algorithm)
        self._algorithm.setup(self._problem, termination=("n_gen", self._method.generations), seed=self._seed, verbose=False)
        self._worst = np.zeros(self._objectives)
        self._infills: Any = None

    def _next(self) -> NDArray[np.float64]:
        self._infills = self._algorithm.ask()
        if self._infills is None or not len(self._infills):
            self.finished = "the algorithm asked for nothing more"
            return np.empty((0, len(self._variables)))
        return self._variables.repaired(np.array(self._infills.get("X"), dtype=np.float64))

    def _take(self, genes: NDArray[np.float64], scores: NDArray[np.float64], violations: NDArray[np.float64]) -> None:
        self._log = np.concatenate([self._log, np.column_stack([genes, scores, violations])])
        self._counts.append(len(genes))
        lost = ~np.isfinite(scores).all(axis=1)
        told = -scores
        if not lost.all():
            self._worst = np.maximum(self._worst, told[~lost].max(axis=0)) if len(self._counts) > 1 else told[~lost].max(axis=0)
        told[lost] = self._worst
        broken = np.where(lost & (violations == 0.0), 1.0, violations)
        static = optional("pymoo.problems.static", "an algorithm of pymoo").StaticProblem
        self._algorithm.evaluator.eval(static(self._problem, F=told, G=broken[:, None]), self._infills)
        self._algorithm.tell(infills=self._infills)
        if self.generation >= self._method.generations:
            self.finished = f"all {self._method.generations:,} generations were run"
        elif not self._algorithm.has_next():
            self.finished = "the algorithm has ended"

    def _kept(self) -> dict[str, Any]:
        return {"log": self._log.copy(), "counts": list(self._counts)}

    def _restore(self, state: dict[str, Any]) -> None:
        """All of it is told again."""
        log, width = np.array(state["log"], dtype=np.float64).reshape(-1, self._log.shape[1]), len(self._variables)
        counts, asked, generation, finished = list(state["counts"]), self._asked, self.generation, self.finished
        self._log, self._counts, self.generation = self._log[:0], [], 0
        self._begin()
        at = 0
        for count in counts:
            rows = log[at : at + count]
            same_questions(self._next(), rows[:, :width])
            self.generation += 1
            self._take(rows[:, :width], rows[:, width:-1], rows[:, -1])
            at += count
        if asked is not None:
            same_questions(self._next(), asked)
        self.generation, self.finished = generation, finished
