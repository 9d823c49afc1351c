"""A search that is driven by hand: it gives sets, and is told what they are worth, whatever they were worth it by."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.sets import Where
from ..core.space import Space
from ..errors import ConfigError, InputError
from .evaluation import declared_by
from .history import keys_of
from .searching import Method
from .turns import at_least
from .variables import Variables

__all__ = ["SearchDriver"]


class SearchDriver:
    """`ask()` gives parameter sets, `tell(scores)` says what they are worth, until `finished` says why there are no more.

    >>> driver = SearchDriver({"fast": (5, 50), "slow": (20, 200)}, method=Genetic(population=50))
    >>> while sets := driver.ask():
    ...     driver.tell(vb.sweep(bars, strategy, sets, costs=costs).table["sharpe"])
    >>> driver.best()

    Sets that break constraints are not given, and none is given twice: what it was worth is remembered.

    Parameters
    ----------
    space : mapping
        As for `vb.search`. None: what `strategy` declares.
    strategy : Strategy, optional
        Whose parameters these are: its ranges and constraints hold.
    method : optional
        `Genetic()` if it is not said.
    objectives : int
        How many scores a set has.
    where : callable, optional
        From columns of parameters to which sets are wanted.
    seed : int
        Of all that is drawn.
    """

    def __init__(
        self, space: Any = None, *, strategy: Any = None, method: Method | None = None, objectives: int = 1, where: Where | None = None,
        seed: int = 0,
    ) -> None:  # fmt: skip
        from .genetic import Genetic

        if strategy is None and space is None:
            raise ConfigError("space is missing; give {'name': (low, high)}, or a strategy that declares its ranges")
        declared, base = (Space("the space", ()), {}) if strategy is None else declared_by(strategy)
        self._objectives = at_least("objectives", objectives, 1)
        self._variables = Variables.of(space, declared, base, where)
        self._searcher = (Genetic() if method is None else method).searcher(self._variables, self._objectives, at_least("seed", seed, 0))
        self._known: dict[bytes, NDArray[np.float64]] = {}
        self._new: NDArray[np.float64] | None = None

    @property
    def finished(self) -> str:
        """Why there is no more to ask, in words; empty while there is."""
        return self._searcher.finished

    @property
    def generation(self) -> int:
        """How many generations were told."""
        return self._searcher.generation

    def ask(self) -> list[dict[str, Any]]:
        """Sets that were not met before and keep all constraints, which `vb.sweep` takes as its space; none when it has finished."""
        while self._new is None:
            genes = self._searcher.ask()
            if not len(genes):
                return []
            fine = genes[self._variables.violations(genes) == 0.0]
            places = {key: i for i, key in reversed(list(enumerate(keys_of(fine)))) if key not in self._known}
            if places:
                self._new = fine[sorted(places.values())]
            else:
                self._answer(genes)
        sets = self._variables.sets(self._new)
        return [sets.at(c) for c in range(len(sets))]

    def tell(self, scores: Any) -> None:
        """What the sets asked for last are worth.

        Parameters
        ----------
        scores : array (n,), or (n, M) with several objectives
            In the order of the sets, higher is better; NaN where a set has none.

        Raises
        ------
        InputError
            Nothing was asked for, or they do not fit the sets.
        """
        if self._new is None:
            raise InputError("nothing was asked for since the last answer; call ask() first")
        found = np.asarray(scores, dtype=np.float64)
        found = found[:, None] if found.ndim == 1 and self._objectives == 1 else found
        if found.shape != (len(self._new), self._objectives):
            wanted = (len(self._new), self._objectives)
            raise InputError(f"scores have the shape {found.shape}; expected {wanted}: a row for each set asked for")
        self._known.update(zip(keys_of(self._new), found.copy(), strict=True))
        self._new = None
        self._answer(self._searcher.ask())

    def best(self, objective: int = 0) -> dict[str, Any]:
        """The parameters of the set with the best score, of equal ones the first; ConfigError where none has one."""
        keys = list(self._known)
        values = np.array([self._known[key][objective] for key in keys])
        if not len(values) or np.isnan(values).all():
            raise ConfigError("no set has a score yet; ask() for sets and tell() what they are worth")
        return self._variables.at_row(np.frombuffer(keys[int(np.nanargmax(values))]))

    def told(self) -> list[tuple[dict[str, Any], tuple[float, ...]]]:
        """Every set that was told, with its scores, in order."""
        return [(self._variables.at_row(np.frombuffer(key)), tuple(scores.tolist())) for key, scores in self._known.items()]

    def state(self) -> dict[str, Any]:
        """All that is needed to go on, after a restart too: numbers, texts, mappings of them, and arrays."""
        genes = np.frombuffer(b"".join(self._known)).reshape(len(self._known), len(self._variables)).copy()
        scores = np.array(list(self._known.values())).reshape(len(self._known), self._objectives)
        return {"searcher": self._searcher.state(), "genes": genes, "scores": scores}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self._searcher.restore(state["searcher"])
        genes, scores = (np.array(state[name], dtype=np.float64) for name in ("genes", "scores"))
        self._known = dict(zip(keys_of(genes), scores, strict=True))
        self._new = None

    def _answer(self, genes: NDArray[np.float64]) -> None:
        """Tell the method of a generation of which every set is known."""
        violations = self._variables.violations(genes)
        nothing = np.full(self._objectives, np.nan)
        scores = [nothing if broken > 0.0 else self._known[key] for key, broken in zip(keys_of(genes), violations, strict=True)]
        self._searcher.tell(np.array(scores), violations)
