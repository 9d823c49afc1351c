"""Several objectives, written as the papers write them: loops over sets, higher is better, NaN below every number."""

from __future__ import annotations

import itertools
import math


def dominates(a: list[float], b: list[float]) -> bool:
    """No less in any objective, more in one."""
    a, b = ([_Low if math.isnan(v) else v for v in row] for row in (a, b))
    return all(not _less(x, y) for x, y in zip(a, b, strict=True)) and any(_less(y, x) for x, y in zip(a, b, strict=True))


_Low = None


def _less(x: float | None, y: float | None) -> bool:
    """With None below every number."""
    if x is None or y is None:
        return x is None and y is not None
    return x < y


def ranks(scores: list[list[float]], violations: list[float]) -> list[int]:
    """Fronts taken off one by one, by constrained domination."""

    def beats(i: int, j: int) -> bool:
        if violations[i] > 0 or violations[j] > 0:
            return violations[i] < violations[j]
        return dominates(scores[i], scores[j])

    left, found, rank = set(range(len(scores))), [0] * len(scores), 0
    while left:
        front = {j for j in left if not any(beats(i, j) for i in left)}
        for j in front:
            found[j] = rank
        left -= front
        rank += 1
    return found


def crowding(scores: list[list[float]], fronts: list[int]) -> list[float]:
    """Distances of NSGA-II, front by front; scores are finite and differ in every objective."""
    found = [0.0] * len(scores)
    for front in set(fronts):
        members = [i for i in range(len(scores)) if fronts[i] == front]
        for m in range(len(scores[0])):
            members.sort(key=lambda i: scores[i][m])
            span = scores[members[-1]][m] - scores[members[0]][m]
            found[members[0]] = found[members[-1]] = math.inf
            for before, i, after in zip(members, members[1:], members[2:], strict=False):
                found[i] += (scores[after][m] - scores[before][m]) / span
    return found


def hypervolume(scores: list[list[float]], reference: list[float]) -> float:
    """The cells of the grid through all scores that some set dominates."""
    above = [row for row in scores if all(v > r for v, r in zip(row, reference, strict=True))]
    edges = [sorted({r, *(row[m] for row in above)}) for m, r in enumerate(reference)]
    total = 0.0
    for cell in itertools.product(*(range(1, len(axis)) for axis in edges)):
        top = [edges[m][place] for m, place in enumerate(cell)]
        if any(all(v >= t for v, t in zip(row, top, strict=True)) for row in above):
            total += math.prod(edges[m][place] - edges[m][place - 1] for m, place in enumerate(cell))
    return total
