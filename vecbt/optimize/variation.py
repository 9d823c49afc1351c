"""How new sets are made of old ones: crossover and mutation of numbers, whole numbers and choices, all rows at once.

Whole numbers are varied as numbers from half below their lowest to half above their highest, and rounded when they are repaired, so
that the ends are met as often as what is between. Genes that cannot vary are left alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .variables import CHOICE, WHOLE, Variables

__all__ = ["crossed", "mutated"]


def crossed(
    first: NDArray[np.float64], second: NDArray[np.float64], variables: Variables, rate: float, eta: float, random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two children (n, K) of each pair of parents; a share `rate` of the pairs is crossed, the others are copied.

    In a pair that is crossed, half of the genes are. Numbers by simulated binary crossover within bounds (Deb and Agrawal, Simulated
    binary crossover for continuous search space, Complex Systems 9 (1995) 115; with bounds as in K. Deb, Multi-Objective Optimization
    using Evolutionary Algorithms, 2001): children lie about as far apart as their parents, more alike for a larger `eta`; each goes to
    either child. Choices are exchanged.
    """
    count, width = first.shape
    draws = random.random((3, count, width))
    crossing = draws[0] < 0.5
    crossing &= random.random((count, 1)) < rate
    crossing &= first != second
    one, two = first.copy(), second.copy()
    choices = variables.chosen
    at = (crossing if choices is None else crossing & ~choices).ravel().nonzero()[0]
    if len(at):  # places in flat arrays: one index is several times as quick as two
        flat_one, flat_two, columns = one.reshape(-1), two.reshape(-1), at % width
        a, b = flat_one[at], flat_two[at]
        low, high = variables.edges
        below, above = _spread(np.minimum(a, b), np.maximum(a, b), low[columns], high[columns], draws[1].reshape(-1)[at], eta)
        swapped = draws[2].reshape(-1)[at] < 0.5
        flat_one[at] = np.where(swapped, above, below)
        flat_two[at] = np.where(swapped, below, above)
    if choices is not None:
        places = crossing & choices
        one[places], two[places] = second[places], first[places]
    return one, two


def mutated(genes: NDArray[np.float64], variables: Variables, wanted: NDArray[np.bool_], eta: float, random: np.random.Generator) -> None:
    """Changes in place the genes that `wanted` (n, K) names.

    Numbers by polynomial mutation within bounds (Deb and Goyal, A combined genetic adaptive search (GeneAS) for engineering design,
    Computer Science and Informatics 26 (1996) 30; with bounds as in K. Deb, 2001): nearer to the old value for a larger `eta`; a whole
    number moves by one at least. A choice becomes any other, all alike.
    """
    at = (wanted & variables.free).ravel().nonzero()[0]
    if not len(at):
        return
    old, columns, draw = genes.take(at), at % genes.shape[1], random.random(len(at))
    low, high = variables.edges
    new = _moved(old, low[columns], high[columns], draw, eta)
    if variables.stepped:
        low, high, kinds = variables.low[columns], variables.high[columns], variables.kinds[columns]
        still = (np.minimum(np.maximum(np.rint(new), low), high) == old) & (kinds == WHOLE)
        if np.count_nonzero(still):
            up = ((draw >= 0.5) & (old < high)) | (old <= low)
            new = np.where(still, np.where(up, old + 1.0, old - 1.0), new)
        if variables.chosen is not None:
            # one of the others: as many steps further as it takes, round the end
            other = low + (old - low + 1.0 + np.floor(draw * (high - low))) % (high - low + 1.0)
            new = np.where(kinds == CHOICE, other, new)
    genes.put(at, new)


def _spread(
    small: NDArray[np.float64], large: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64],
    draw: NDArray[np.float64], eta: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """Simulated binary crossover of numbers `small` < `large`: the lower and the upper child."""
    apart = large - small
    with np.errstate(over="ignore"):  # as good as no bounds, where the parents are all but equal
        room = np.empty((2, len(apart)))
        np.subtract(small, low, out=room[0])
        np.subtract(high, large, out=room[1])
        room /= apart
        alpha = 2.0 - (1.0 + 2.0 * room) ** -(eta + 1.0)
    at = draw * alpha
    base = np.where(at <= 1.0, at, 1.0 / (2.0 - at))
    half = 0.5 * apart * base ** (1.0 / (eta + 1.0))
    middle = 0.5 * (small + large)
    return np.maximum(middle - half[0], low), np.minimum(middle + half[1], high)


def _moved(
    old: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64], draw: NDArray[np.float64], eta: float
) -> NDArray[np.float64]:
    """Polynomial mutation: the draw says how far, below a half towards `low`."""
    span, down = high - low, draw < 0.5
    room = np.where(down, high - old, old - low) / span  # 1 less the room there is
    side = np.where(down, draw, 1.0 - draw)
    far = (2.0 * side + (1.0 - 2.0 * side) * room ** (eta + 1.0)) ** (1.0 / (eta + 1.0)) - 1.0
    return np.minimum(np.maximum(old + np.where(down, far, -far) * span, low), high)
