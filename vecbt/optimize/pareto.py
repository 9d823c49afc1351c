"""Several objectives at once: which sets no other beats in all of them, how spread they are, and what they are worth together.

Scores are float64 (n, M), higher is better. NaN is worse than any number. All of it is array operations over the sets.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

__all__ = ["crowding", "hypervolume", "non_dominated_ranks", "pareto_front"]


def non_dominated_ranks(scores: Any, violations: Any = None) -> NDArray[np.int64]:
    """The front of each set (n,): 0 where no other dominates it, 1 where only those of front 0 do, and so on.

    A set dominates another that it equals in no objective less and in one more. With `violations` (n,) of constraints, a set that breaks
    none dominates all that break one, and of two that do the one with the smaller violation dominates (K. Deb, An efficient constraint
    handling method for genetic algorithms, Comput. Methods Appl. Mech. Eng. 186 (2000) 311).

    Source: Deb, Pratap, Agarwal, Meyarivan, A fast and elitist multiobjective genetic algorithm: NSGA-II, IEEE Trans. Evol. Comput. 6
    (2002) 182; of two objectives as Jensen, Reducing the run-time complexity of multiobjective EAs, IEEE Trans. Evol. Comput. 7 (2003) 503.

    Raises
    ------
    InputError where the shapes do not fit.
    """
    given = _matrix(scores)
    ranks = np.zeros(len(given), dtype=np.int64)
    broken = np.zeros(len(given)) if violations is None else np.asarray(violations, dtype=np.float64)
    if broken.shape != (len(given),):
        raise InputError(f"violations have the shape {broken.shape}; expected {(len(given),)}, one for each row of scores")
    fine = ~(broken > 0.0)
    rows = _ordered(given[fine])
    ranks[fine] = _ranks_of_two(rows) if given.shape[1] == 2 else _ranks_of_many(rows)
    if not fine.all():
        last = ranks[fine].max(initial=-1) + 1
        ranks[~fine] = last + np.unique(broken[~fine], return_inverse=True)[1].reshape(-1)
    return ranks


def crowding(scores: Any, ranks: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
    """How far apart the neighbours of each set are within its front (n,), as shares of the front, summed over objectives.

    Infinite for the ends of a front. NaN stands at the lowest number there is. Equation and figure of section III-B of NSGA-II (see
    `non_dominated_ranks`). `ranks`: the fronts; None: all are one.
    """
    given = _matrix(scores)
    count = len(given)
    found = np.zeros(count)
    fronts = np.zeros(count, dtype=np.int64) if ranks is None else np.asarray(ranks)
    if fronts.shape != (count,):
        raise InputError(f"ranks have the shape {fronts.shape}; expected {(count,)}, one for each row of scores")
    if not count:
        return found
    for values in given.T:
        values = _bounded(values)
        order = np.lexsort((values, fronts))
        front, sorted_values = fronts[order], values[order]
        begins = np.empty(count, dtype=np.bool_)
        begins[0] = True
        np.not_equal(front[1:], front[:-1], out=begins[1:])
        ends = np.append(begins[1:], True)
        starts = np.flatnonzero(begins)
        span = sorted_values[ends] - sorted_values[starts]
        number = np.cumsum(begins) - 1
        gaps = np.empty(count)
        gaps[1:-1] = sorted_values[2:] - sorted_values[:-2]
        spans = span[number]
        shares = np.divide(gaps, spans, out=np.zeros(count), where=(spans > 0.0) & ~(begins | ends))
        shares[begins | ends] = np.inf
        found[order] += shares
    return found


def pareto_front(scores: Any, violations: Any = None) -> NDArray[np.int64]:
    """Places of the sets that no other dominates, in rising order; equal ones are all there, what breaks a constraint or is NaN is not.

    Parameters
    ----------
    scores : (n, M), a column for each objective, higher is better: turn the sign of what should be small
    violations : (n,) of constraints, above 0 where one is broken

    >>> pareto_front([[1.0, 3.0], [2.0, 2.0], [1.0, 2.0], [3.0, 1.0]])
    array([0, 1, 3])
    """
    given = _matrix(scores)
    fine = ~np.isnan(given).any(axis=1)
    if violations is not None:
        broken = np.asarray(violations, dtype=np.float64)
        if broken.shape != (len(given),):
            raise InputError(f"violations have the shape {broken.shape}; expected {(len(given),)}, one for each row of scores")
        fine &= ~(broken > 0.0)
    places = np.flatnonzero(fine)
    return places[_undominated(given[places])]


def hypervolume(scores: Any, reference: Any) -> float:
    """The space that the sets dominate above a reference point: exact, for one, two or three objectives.

    Parameters
    ----------
    scores : (n, M), higher is better; sets that are not above `reference` in every objective, or NaN, add nothing
    reference : (M,), finite

    Source: Zitzler and Thiele, Multiobjective evolutionary algorithms, IEEE Trans. Evol. Comput. 3 (1999) 257; of three objectives as sum
    of slices along the third, each with a front of two.

    Raises
    ------
    InputError for more than three objectives, or a reference of another length.
    """
    given, corner = _matrix(scores), np.asarray(reference, dtype=np.float64)
    width = given.shape[1]
    if width > 3:
        raise InputError(f"scores have {width} objectives; the hypervolume is exact for up to 3")
    if corner.shape != (width,) or not np.isfinite(corner).all():
        raise InputError(f"reference is {reference!r}; expected {width} finite numbers, one for each objective")
    above = given[(given > corner).all(axis=1)] - corner
    if not len(above):
        return 0.0
    if width == 1:
        return float(above.max())
    front = above[_undominated(above)]
    return _area(front) if width == 2 else _volume(front)


def _matrix(scores: Any) -> NDArray[np.float64]:
    """As float64 (n, M)."""
    given = np.asarray(scores, dtype=np.float64)
    if given.ndim != 2 or given.shape[1] < 1:
        raise InputError(f"scores have the shape {given.shape}; expected (sets, objectives)")
    return given


def _ordered(given: NDArray[np.float64]) -> NDArray[np.float64]:
    """What orders as `given` does, with NaN lowest: domination is of order alone."""
    return _places(given) if np.isnan(given).any() else given


def _places(given: NDArray[np.float64]) -> NDArray[np.float64]:
    """The places of each objective's values in order, equal values alike and NaN lowest."""
    places = np.empty(given.shape)
    for m, values in enumerate(given.T):
        order = np.argsort(values, kind="stable")
        sorted_values = values[order]
        steps = np.empty(len(values), dtype=np.int64)
        steps[:1] = 1
        np.not_equal(sorted_values[1:], sorted_values[:-1], out=steps[1:], casting="unsafe")
        missing = np.isnan(sorted_values)
        places[order, m] = np.where(missing, 0, np.cumsum(steps))
    return places


def _ranks_of_two(given: NDArray[np.float64]) -> NDArray[np.int64]:
    """From the best of the first objective down: a set belongs to the first front whose best of the second objective it exceeds."""
    turned = -given
    order = np.lexsort((turned[:, 1], turned[:, 0]))
    rows = turned[order]
    new = np.ones(len(rows), dtype=np.bool_)
    new[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    tops: list[float] = []  # of each front the best of the second objective so far, sign turned: these rise from front to front
    found: list[int] = []
    for value in rows[new, 1].tolist():
        rank = bisect_right(tops, value)
        if rank == len(tops):
            tops.append(value)
        else:
            tops[rank] = value
        found.append(rank)
    ranks = np.empty(len(given), dtype=np.int64)
    ranks[order] = np.array(found, dtype=np.int64)[np.cumsum(new) - 1]
    return ranks


def _ranks_of_many(given: NDArray[np.float64]) -> NDArray[np.int64]:
    """From the matrix of who dominates whom; the fronts are taken off one by one."""
    if given.shape[1] == 1:
        return np.unique(-given[:, 0], return_inverse=True)[1].reshape(-1)
    no_less = np.ones((len(given), len(given)), dtype=np.bool_)
    for values in given.T:
        no_less &= values[:, None] >= values
    dominates = no_less & ~no_less.T
    by = dominates.sum(axis=0)
    ranks = np.full(len(given), -1, dtype=np.int64)
    rank = 0
    front = np.flatnonzero(by == 0)
    while len(front):
        ranks[front] = rank
        by[front] = -1
        by -= dominates[front].sum(axis=0)
        front = np.flatnonzero(by == 0)
        rank += 1
    return ranks


def _undominated(given: NDArray[np.float64]) -> NDArray[np.int64]:
    """Places of what nothing dominates, without the ranks of the rest."""
    if given.shape[1] <= 2 or len(given) <= 1:
        return np.flatnonzero(non_dominated_ranks(given) == 0)
    places = _places(given)
    # the sum of places falls where one dominates the other, so what comes later in this order dominates nothing before it
    rest = np.argsort(-places.sum(axis=1), kind="stable")
    found: list[int] = []
    while len(rest):
        best = rest[0]
        found.append(int(best))
        alike = (places[rest] == places[best]).all(axis=1)
        found.extend(int(i) for i in rest[alike][1:])
        rest = rest[(places[rest] > places[best]).any(axis=1)]
    return np.sort(np.array(found, dtype=np.int64))


def _bounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Numbers that can be subtracted: infinities at the ends of what is finite, NaN at the low end."""
    fine = np.isfinite(values)
    if fine.all():
        return values
    low, high = (values[fine].min(), values[fine].max()) if fine.any() else (0.0, 0.0)
    return np.clip(np.where(np.isnan(values), low, values), low, high)


def _area(front: NDArray[np.float64]) -> float:
    """Of two objectives above 0, none dominated: steps of a stair."""
    stairs = front[np.lexsort((front[:, 1], -front[:, 0]))]
    heights = np.maximum.accumulate(stairs[:, 1])
    rises = np.diff(heights, prepend=0.0)
    return float((stairs[:, 0] * rises).sum())


def _volume(front: NDArray[np.float64]) -> float:
    """Of three objectives above 0: from the highest of the third down, the area that all so far have times the height to the next."""
    slices = front[np.argsort(-front[:, 2], kind="stable")]
    depths = slices[:, 2] - np.append(slices[1:, 2], 0.0)
    total = 0.0
    for stop, depth in enumerate(depths.tolist(), start=1):
        if depth > 0.0:
            total += depth * _area(slices[:stop, :2])
    return total
