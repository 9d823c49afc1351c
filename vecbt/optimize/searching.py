"""What drives a search: it is asked for rows of genes, and told what they are worth."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .variables import Variables

__all__ = ["Method", "Searcher"]


class Searcher(Protocol):
    """A search at work. It alone holds state, and knows nothing of strategies: genes in, scores out."""

    finished: str
    """Why it asks no more, in words; empty while it does."""

    generation: int
    """How many answers it was told."""

    def ask(self) -> NDArray[np.float64]:
        """Genes to be tried next, (n, K), repaired (`Variables.repaired`); (0, K) when it has finished. Asking again gives the same."""
        ...

    def tell(self, scores: NDArray[np.float64], violations: NDArray[np.float64]) -> None:
        """What the genes that were asked for last are worth.

        Parameters
        ----------
        scores : float64 (n, M), of each objective, higher is better; NaN where there is none, which is worse than any number
        violations : float64 (n,), by how much a set breaks the constraints; above 0 its scores are NaN: it was not run
        """
        ...

    def state(self) -> dict[str, Any]:
        """All that is needed to go on to the same end: numbers, texts, lists and mappings of them (JSON), and NumPy arrays of numbers."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        ...


class Method(Protocol):
    """How to search: frozen parameters, written by name in files and reports."""

    def searcher(self, variables: Variables, objectives: int, seed: int) -> Searcher:
        """A new search over these variables. ConfigError where the method cannot search them."""
        ...
