"""Objectives that look at what else was evaluated: plateaus instead of peaks, and Sharpe ratios less what luck brings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from ..evidence import Moments, expected_maximum_sharpe, sharpe_error, trial_variance
from .objective import Objective, as_objective
from .seen import Seen
from .variables import REAL, WHOLE, Variables

__all__ = ["Deflated", "Plateau"]

_PIECE = 2**22  # pairs of sets compared at a time


@dataclass(frozen=True, repr=False)
class Plateau(Objective):
    """An objective averaged over a set's neighbourhood, less its deviation there, so that a lone peak scores low.

    The neighbourhood of a set are all sets evaluated so far, itself included, that differ in no number by more than `width` of its range
    (by one step at least, where it is whole) and in no choice. A score is their mean less their population deviation, as `Sweep.plateau`
    has it on a grid. A set without a neighbour is taken to be as rough as everything so far: its own value less the deviation of all.
    Neighbours without a value are in no neighbourhood. A score changes as more is evaluated; `Search` scores all sets anew at its end.

    Parameters
    ----------
    of : the objective, as `vb.search` takes one
    width : half the width of the neighbourhood as a fraction of each range, above 0 and at most 1
    """

    of: Any = "sharpe"
    width: float = 0.05

    looks_around = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", as_objective(self.of))
        if isinstance(self.width, bool) or not isinstance(self.width, int | float) or not 0.0 < self.width <= 1.0:
            raise ConfigError(f"Plateau: width is {self.width!r}; expected a fraction of each range, above 0 and at most 1")

    @property
    def needs_moments(self) -> bool:  # type: ignore[override]
        """As the objective that is averaged."""
        return bool(self.of.needs_moments)

    def scores(self, seen: Seen) -> NDArray[np.float64]:
        """See `Objective`."""
        if seen.genes is None or seen.variables is None:
            raise ConfigError("Plateau needs the parameters of the sets, which only a search knows; score by another objective here")
        values: NDArray[np.float64] = self.of.scores(seen.whole)
        fine = np.flatnonzero(np.isfinite(values))
        found = np.full(len(seen), np.nan)
        if not len(fine):
            return found
        genes, known = seen.genes[fine], values[fine]
        reach, rough = _reach(seen.variables, self.width), float(known.std())
        judged = np.flatnonzero(np.isfinite(values[seen.rows]))
        step = max(_PIECE // len(fine), 1)
        for begin in range(0, len(judged), step):
            part = judged[begin : begin + step]
            near = np.ones((len(part), len(fine)), dtype=bool)
            for k, far in enumerate(reach):
                near &= np.abs(seen.genes[seen.rows[part], k][:, None] - genes[:, k]) <= far
            count = near.sum(axis=1)
            mean = near @ known / count
            spread = np.sqrt(np.maximum(near @ known**2 / count - mean**2, 0.0))
            found[part] = np.where(count > 1, mean - spread, values[seen.rows[part]] - rough)
        return found

    def __repr__(self) -> str:
        return f"mean less deviation of ({self.of!r}) within {self.width:g} of each range"


def _reach(variables: Variables, width: float) -> NDArray[np.float64]:
    """How far neighbours may be apart in each gene."""
    reach = (variables.high - variables.low) * width
    reach = np.where(variables.kinds == WHOLE, np.maximum(np.floor(reach), 1.0), reach)
    slack = np.where(variables.kinds == REAL, 1e-12 * np.maximum(np.abs(variables.low), np.abs(variables.high)), 0.0)
    return np.where((variables.kinds == REAL) | (variables.kinds == WHOLE), reach + slack, 0.0)


@dataclass(frozen=True, repr=False)
class Deflated(Objective):
    """The Sharpe ratio less what luck alone brings among so many trials, in its own standard errors.

    The deflated Sharpe ratio is the probability of a normal number below this score (`scipy.stats.norm.cdf(score)`); probabilities near one
    could not be told apart. Trials are the distinct sets this search evaluated so far and `before`, taken as independent; the variance
    across them is that of the sets so far. NaN where a ratio is undefined, and as long as fewer than two are known.

    Parameters
    ----------
    before : int
        Trials that were made before this search on the same data, such as `vb.ledger.trials(bars).count`.

    Notes
    -----
    Bailey and Lopez de Prado, "The deflated Sharpe ratio", *Journal of Portfolio Management* 40 (2014) 94-107.
    """

    before: int = 0

    needs_moments = True
    looks_around = True

    def __post_init__(self) -> None:
        if isinstance(self.before, bool) or not isinstance(self.before, int | np.integer) or self.before < 0:
            raise ConfigError(f"Deflated: before is {self.before!r}; expected a count of trials, at least 0")

    def scores(self, seen: Seen) -> NDArray[np.float64]:
        """See `Objective`."""
        ratios = seen.everywhere("bar_sharpe")
        everything = Moments(seen.bars, ratios, seen.everywhere("skew"), seen.everywhere("kurtosis"))
        variance = trial_variance(everything)
        if not variance >= 0.0:
            return np.full(len(seen), np.nan)
        luck = float(expected_maximum_sharpe(float(max(len(ratios) + int(self.before), 1)), variance))
        error = np.asarray(sharpe_error(everything))
        with np.errstate(invalid="ignore", divide="ignore"):
            found: NDArray[np.float64] = ((ratios - luck) / error)[seen.rows]
        return found

    def __repr__(self) -> str:
        before = f" and {self.before:,} before" if self.before else ""
        return f"deflated Sharpe ratio, in standard errors above the luck of all sets so far{before}"
