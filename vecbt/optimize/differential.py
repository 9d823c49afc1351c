"""Differential evolution, by scipy: one generation at a time, so that it can be asked, told and taken up again as the other drivers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from .turns import Turns, at_least, share
from .variables import Variables

__all__ = ["Differential"]

_NOTHING, _BROKEN = 1e100, 1e150
"""What scipy, which makes its objective small, is told of scores that are NaN or infinite, and of broken constraints, at least."""


@dataclass(frozen=True)
class Differential:
    """Differential evolution (Storn and Price, J. Global Optim. 11 (1997) 341), for one objective, by scipy.optimize.

    Each generation is one call of `differential_evolution(vectorized=True, updating="deferred")`; what scipy keeps between generations
    is kept here, so a search is taken up where it was. Whole numbers are rounded when they are tried, as scipy's `integrality` does;
    choices are treated as whole numbers, as if they had an order: of many choices `Genetic` makes more. A set that breaks a constraint
    loses against one that does not, and against one that breaks it less; NaN and infinite scores lose against all numbers.

    Parameters
    ----------
    population : sets of each generation, at least 5
    generations : to run, the first one included: `population * generations` sets in all
    strategy : of scipy, such as best1bin, rand1bin, currenttobest1exp
    mutation : the factor of differences, below 2, or a pair to draw it from for each generation
    recombination : chance of each gene to be of the mutant
    tolerance : stop when the standard deviation of a generation's scores is at most this share of their mean; 0: when all are the same
    """

    population: int = 40
    generations: int = 25
    strategy: str = "best1bin"
    mutation: float | tuple[float, float] = (0.5, 1.0)
    recombination: float = 0.7
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        at_least("Differential: population", self.population, 5)
        at_least("Differential: generations", self.generations, 1)
        share("Differential: recombination", self.recombination)
        factors = self.mutation if isinstance(self.mutation, tuple) else (self.mutation,)
        if not 1 <= len(factors) <= 2 or not all(isinstance(f, int | float) and 0.0 <= f < 2.0 for f in factors):
            raise ConfigError(f"Differential: mutation is {self.mutation!r}; expected a number from 0 to below 2, or two of them")
        if self.strategy not in _strategies():
            raise ConfigError(f"Differential: strategy is {self.strategy!r}; expected one of {', '.join(_strategies())}")
        if isinstance(self.tolerance, bool) or not isinstance(self.tolerance, int | float) or not 0.0 <= self.tolerance < math.inf:
            raise ConfigError(f"Differential: tolerance is {self.tolerance!r}; expected a finite number of at least 0")

    def searcher(self, variables: Variables, objectives: int = 1, seed: int = 0) -> _Evolution:
        """A new search. ConfigError for several objectives."""
        if objectives != 1:
            raise ConfigError(f"Differential searches one objective, and there are {objectives}; use Genetic, or weigh them to one")
        return _Evolution(variables, objectives, seed, self)


def _strategies() -> tuple[str, ...]:
    """Names of scipy's mutations, binomial and exponential."""
    kinds = ("best1", "best2", "rand1", "rand2", "randtobest1", "currenttobest1")
    return tuple(f"{kind}{way}" for kind in kinds for way in ("bin", "exp"))


class _Trials(Exception):
    """Carries what scipy wants to know, out of it."""

    def __init__(self, points: NDArray[np.float64]) -> None:
        super().__init__("asked")
        self.points = points


class _Evolution(Turns):
    """See `Differential`.

    A generation is run twice by scipy, from the same state of its generator: first until it asks for the worth of its trials, which ends
    it, then with what was told.
    """

    def __init__(self, variables: Variables, objectives: int, seed: int, method: Differential) -> None:
        super().__init__(variables, objectives, seed)
        self._method = method
        self._points = np.empty((0, len(variables)))
        """Of the population, before they are repaired."""
        self._energies = np.empty(0)
        self._first = np.empty((0, len(variables)))

    def _next(self) -> NDArray[np.float64]:
        from scipy.stats import qmc

        if not len(self._points):
            low, high = self._variables.edges
            cube = qmc.LatinHypercube(len(self._variables), rng=self._random).random(self._method.population)
            self._first = low + cube * (high - low)
            return self._variables.repaired(self._first)
        before = self._random.bit_generator.state
        try:
            self._generation(None)
        except _Trials as asked:
            return self._variables.repaired(asked.points)
        finally:
            self._random.bit_generator.state = before
        raise AssertionError("scipy asked for no trials")

    def _take(self, genes: NDArray[np.float64], scores: NDArray[np.float64], violations: NDArray[np.float64]) -> None:
        told = np.where(np.isfinite(scores[:, 0]), -scores[:, 0], _NOTHING)
        told[violations > 0.0] = _BROKEN * (1.0 + violations[violations > 0.0])
        if len(self._points):
            result = self._generation(told)
            self._points, self._energies = np.array(result.population), np.array(result.population_energies)
        else:
            self._points, self._energies = self._first, told
        spread, middle = float(np.std(self._energies)), abs(float(np.mean(self._energies)))
        if self.generation >= self._method.generations:
            self.finished = f"all {self._method.generations:,} generations were run"
        elif self._energies.max() < _NOTHING and spread <= self._method.tolerance * middle:
            self.finished = "the scores of a generation are alike"

    def _generation(self, told: NDArray[np.float64] | None) -> Any:
        """One more by scipy: its result, or _Trials where nothing is told."""
        from scipy.optimize import differential_evolution

        answers = [self._energies, told]

        def worth(points: NDArray[np.float64]) -> NDArray[np.float64]:
            answer = answers.pop(0)
            if answer is None:
                raise _Trials(points.T.copy())
            return answer

        low, high = self._variables.edges
        method = self._method
        return differential_evolution(
            worth, list(zip(low, high, strict=True)), init=self._points, maxiter=1, vectorized=True, updating="deferred", polish=False,
            tol=0.0, strategy=method.strategy, mutation=method.mutation, recombination=method.recombination, rng=self._random,
        )  # fmt: skip

    def _kept(self) -> dict[str, Any]:
        return {"points": self._points.copy(), "energies": self._energies.copy(), "first": self._first.copy()}

    def _restore(self, state: dict[str, Any]) -> None:
        width = len(self._variables)
        self._points, self._first = (np.array(state[name], dtype=np.float64).reshape(-1, width) for name in ("points", "first"))
        self._energies = np.array(state["energies"], dtype=np.float64)
