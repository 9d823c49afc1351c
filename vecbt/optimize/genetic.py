"""A genetic algorithm: sets that are worth more have more children. One objective, or several at once (NSGA-II)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from .history import keys_of
from .pareto import crowding, non_dominated_ranks
from .turns import Turns, at_least, share
from .variables import Variables
from .variation import crossed, mutated

__all__ = ["Genetic"]

_DRAWS = 20
"""How often a first set that breaks a constraint is drawn anew."""


@dataclass(frozen=True)
class Genetic:
    """A genetic algorithm, one generation a sweep (OPT-03).

    Parents are chosen by tournament (each set takes part in `tournament_size` of them), crossed by simulated binary crossover, mutated by
    polynomial mutation; choices are exchanged and drawn anew. Every generation is of sets that differ from each other and from their
    parents; where a space has no more, it is smaller. Sets that break constraints lose against those that do not, and among themselves by
    how much they do (Deb 2000).

    With one objective the best `elitism_rate` of a generation stand beside its children, and the best `population` of both live on. With
    several it is NSGA-II (Deb, Pratap, Agarwal, Meyarivan 2002), where all parents stand beside their children, and sets are better by
    their front, then by how lonely they are in it. The same seed and scores give the same search to the last bit, with the same
    version of NumPy on the same kind of processor.

    Parameters
    ----------
    population : sets of each generation
    generations : to run, the first one at random included: `population * generations` sets in all
    mutation_rate : chance of each gene
    crossover_rate : chance of each pair of parents
    elitism_rate : share of a generation that may outlive its children; None: 0.1, with several objectives 1
    tournament_size : sets that compete to be a parent; 2 is that of NSGA-II
    crossover_eta, mutation_eta : how near children are to their parents, 0 (anywhere) and more
    patience : stop after so many generations without improvement; None: never
    tolerance : the least improvement, in units of the objective; with several, the least distance by which the front must have moved
    """

    population: int = 20
    generations: int = 10
    mutation_rate: float = 0.1
    crossover_rate: float = 0.7
    elitism_rate: float | None = None
    tournament_size: int = 3
    crossover_eta: float = 15.0
    mutation_eta: float = 20.0
    patience: int | None = None
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        at_least("Genetic: population", self.population, 2)
        at_least("Genetic: generations", self.generations, 1)
        at_least("Genetic: tournament_size", self.tournament_size, 1)
        share("Genetic: mutation_rate", self.mutation_rate)
        share("Genetic: crossover_rate", self.crossover_rate)
        if self.elitism_rate is not None:
            share("Genetic: elitism_rate", self.elitism_rate)
        if self.patience is not None:
            at_least("Genetic: patience", self.patience, 1)
        for name in ("crossover_eta", "mutation_eta", "tolerance"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value < math.inf:
                raise ConfigError(f"Genetic: {name} is {value!r}; expected a finite number of at least 0")

    def searcher(self, variables: Variables, objectives: int = 1, seed: int = 0) -> _Generations:
        """A new search over these variables."""
        return _Generations(variables, objectives, seed, self)


class _Generations(Turns):
    """See `Genetic`. The population is kept in order, the best first, so the winner of a tournament is the one of the lowest place."""

    def __init__(self, variables: Variables, objectives: int, seed: int, method: Genetic) -> None:
        super().__init__(variables, objectives, seed)
        self._method = method
        rate = method.elitism_rate
        self._elite = math.ceil(method.population * ((0.1 if objectives == 1 else 1.0) if rate is None else rate))
        self._genes = np.empty((0, len(variables)))
        self._scores = np.empty((0, objectives))
        self._violations = np.empty(0)
        self._reached = np.empty((0, objectives))
        """The best scores when they last improved: one row, with several objectives a front."""
        self._since = 0
        self._places = np.empty((0, 0), dtype=np.int64)
        """Rows of places in the population, to be shuffled."""

    def _next(self) -> NDArray[np.float64]:
        if not len(self._genes):
            return self._first()
        children = self._distinct(self._children())
        if not len(children):
            self.finished = "no set was found that the population does not hold"
        return children

    def _first(self) -> NDArray[np.float64]:
        """Sets at random, of which those that break a constraint were drawn anew some times."""
        genes = self._variables.sample(self._method.population, self._random)
        for _ in range(_DRAWS):
            broken = np.flatnonzero(self._variables.violations(genes) > 0.0)
            if not len(broken):
                break
            genes[broken] = self._variables.sample(len(broken), self._random)
        return self._distinct(genes)

    def _children(self) -> NDArray[np.float64]:
        """Of the population, as many as it may have."""
        count, method, random = len(self._genes), self._method, self._random
        pairs = -(-method.population // 2)
        rounds = -(-2 * pairs // count)
        if self._places.shape != (method.tournament_size * rounds, count):
            self._places = np.tile(np.arange(count), (method.tournament_size * rounds, 1))
        contests = random.permuted(self._places, axis=1)
        winners = np.minimum.reduce(contests.reshape(method.tournament_size, -1))[: 2 * pairs]
        first, second = self._genes.take(winners[:pairs], axis=0), self._genes.take(winners[pairs:], axis=0)
        children = np.concatenate(crossed(first, second, self._variables, method.crossover_rate, method.crossover_eta, random))
        children = children[: method.population]
        mutated(children, self._variables, random.random(children.shape) < method.mutation_rate, method.mutation_eta, random)
        return self._variables.repaired(children)

    def _distinct(self, genes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Without what is twice or in the population already: mutated twice, then drawn anew, then left out."""
        seen = set(keys_of(self._genes))
        again = _repeated(genes, range(len(genes)), seen)
        for redraw in (False, False, True):
            if not again:
                return genes
            anew = self._variables.sample(len(again), self._random) if redraw else self._shaken(genes[again])
            genes[again] = anew
            again = _repeated(anew, again, seen)
        return np.delete(genes, again, axis=0) if again else genes

    def _shaken(self, genes: NDArray[np.float64]) -> NDArray[np.float64]:
        """With one gene mutated that counts, at least."""
        count, width = genes.shape
        wanted = self._random.random((count, width)) < self._method.mutation_rate
        free = self._variables.free.nonzero()[0]
        if len(free):
            wanted.put(np.arange(0, count * width, width) + free[self._random.integers(0, len(free), count)], True)
        mutated(genes, self._variables, wanted, self._method.mutation_eta, self._random)
        return self._variables.repaired(genes)

    def _take(self, genes: NDArray[np.float64], scores: NDArray[np.float64], violations: NDArray[np.float64]) -> None:
        method = self._method
        stay = max(self._elite, method.population - len(genes))
        pool = np.concatenate([self._genes[:stay], genes])
        pool_scores = np.concatenate([self._scores[:stay], scores])
        broken = np.concatenate([self._violations[:stay], violations])
        order, best = self._order(pool_scores, broken)
        order = order[: method.population]
        self._genes, self._scores, self._violations = pool.take(order, axis=0), pool_scores.take(order, axis=0), broken.take(order)
        if method.patience is not None:
            self._notice(pool_scores[best[broken[best] == 0.0]])
        if self.generation >= method.generations:
            self.finished = f"all {method.generations:,} generations were run"
        elif method.patience is not None and self._since >= method.patience:
            self.finished = f"no improvement by more than {method.tolerance:g} in {self._since} generations"

    def _order(self, scores: NDArray[np.float64], violations: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Places from the best on, equal ones in random order; and those of the best, or of the front."""
        chance = self._random.random(len(scores))
        if self._objectives == 1:
            keys = (chance, -scores[:, 0], violations)
            order = np.lexsort(keys if np.count_nonzero(violations) else keys[:2])
            return order, order[:1]
        ranks = non_dominated_ranks(scores, violations)
        order = np.lexsort((chance, -crowding(scores, ranks), ranks))
        return order, np.flatnonzero(ranks == 0)

    def _notice(self, front: NDArray[np.float64]) -> None:
        """Counts generations since the front moved by more than the tolerance: the additive epsilon indicator of the new to the old one.

        Zitzler, Thiele, Laumanns, Fonseca, Grunert da Fonseca, IEEE Trans. Evol. Comput. 7 (2003) 117.
        """
        front = front[~np.isnan(front).any(axis=1)]
        moved = 0.0
        if len(front) and not len(self._reached):
            moved = np.inf
        elif len(front):
            with np.errstate(invalid="ignore"):
                ahead = front[:, None] - self._reached
            ahead[np.isnan(ahead)] = 0.0  # the same infinity
            moved = float(ahead.max(axis=2).min(axis=1).max())
        if moved > self._method.tolerance:
            self._reached, self._since = front, 0
        else:
            self._since += 1

    def _kept(self) -> dict[str, Any]:
        return {
            "genes": self._genes.copy(), "scores": self._scores.copy(), "violations": self._violations.copy(),
            "reached": self._reached.copy(), "since": self._since,
        }  # fmt: skip

    def _restore(self, state: dict[str, Any]) -> None:
        width, objectives = len(self._variables), self._objectives
        self._genes = np.array(state["genes"], dtype=np.float64).reshape(-1, width)
        self._scores = np.array(state["scores"], dtype=np.float64).reshape(-1, objectives)
        self._violations = np.array(state["violations"], dtype=np.float64)
        self._reached = np.array(state["reached"], dtype=np.float64).reshape(-1, objectives)
        self._since = int(state["since"])


def _repeated(genes: NDArray[np.float64], numbers: Iterable[int], seen: set[bytes]) -> list[int]:
    """The numbers of those rows that equal one seen before, to the last bit; all are seen then."""
    found = []
    for number, key in zip(numbers, keys_of(genes), strict=True):
        if key in seen:
            found.append(number)
        else:
            seen.add(key)
    return found
