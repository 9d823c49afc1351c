"""Published test functions, of objectives to be made small and constraints that are kept where they are at most 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.optimize.spaces import variables
from vecbt import Range
from vecbt.optimize.variables import Variables

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """`evaluate` takes (n, K) and gives objectives (n, M) and constraints (n, C); `reference` is worse than the front by some."""

    evaluate: Callable[[Array], tuple[Array, Array]]
    low: tuple[float, ...]
    high: tuple[float, ...]
    reference: tuple[float, ...]

    @property
    def variables(self) -> Variables:
        """As a search has them."""
        pairs = zip(self.low, self.high, strict=True)
        return variables({f"x{k}": Range(float(low), float(high), integer=False) for k, (low, high) in enumerate(pairs)})

    def worth(self, genes: Array) -> tuple[Array, Array]:
        """Scores and violations."""
        objectives, constraints = self.evaluate(genes)
        violations = np.maximum(constraints, 0.0).sum(axis=1)
        return np.where(violations[:, None] > 0.0, np.nan, -objectives), violations


def _free(count: int) -> Array:
    return np.empty((count, 0))


def _zdt(second: Callable[[Array, Array], Array]) -> Callable[[Array], tuple[Array, Array]]:
    """Zitzler, Deb, Thiele, Comparison of multiobjective evolutionary algorithms, Evol. Comput. 8 (2000) 173."""

    def evaluate(x: Array) -> tuple[Array, Array]:
        g = 1.0 + 9.0 * x[:, 1:].mean(axis=1)
        return np.stack([x[:, 0], g * second(x[:, 0], g)], axis=1), _free(len(x))

    return evaluate


def _dtlz2(x: Array) -> Array:
    """Of three objectives: Deb, Thiele, Laumanns, Zitzler, Scalable multi-objective optimization test problems, CEC 2002, 825."""
    g = ((x[:, 2:] - 0.5) ** 2).sum(axis=1)
    a, b = x[:, 0] * np.pi / 2.0, x[:, 1] * np.pi / 2.0
    return (1.0 + g)[:, None] * np.stack([np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), np.sin(a)], axis=1)


def _c2dtlz2(x: Array) -> tuple[Array, Array]:
    """Jain and Deb, An evolutionary many-objective optimization algorithm, part II, IEEE Trans. Evol. Comput. 18 (2014) 602; r = 0.4."""
    f = _dtlz2(x)
    squares = (f**2).sum(axis=1)
    corners = ((f - 1.0) ** 2 + squares[:, None] - f**2).min(axis=1) - 0.16
    middle = ((f - 1.0 / np.sqrt(3.0)) ** 2).sum(axis=1) - 0.16
    return f, np.minimum(corners, middle)[:, None]


def _bnh(x: Array) -> tuple[Array, Array]:
    """Binh and Korn, MOBES: a multiobjective evolution strategy for constrained optimization problems, Mendel 1997, 176."""
    a, b = x.T
    f = np.stack([4.0 * a**2 + 4.0 * b**2, (a - 5.0) ** 2 + (b - 5.0) ** 2], axis=1)
    g = np.stack([((a - 5.0) ** 2 + b**2 - 25.0) / 25.0, (7.7 - (a - 8.0) ** 2 - (b + 3.0) ** 2) / 7.7], axis=1)
    return f, g


def _srn(x: Array) -> tuple[Array, Array]:
    """Srinivas and Deb, Multiobjective optimization using nondominated sorting in genetic algorithms, Evol. Comput. 2 (1994) 221."""
    a, b = x.T
    f = np.stack([2.0 + (a - 2.0) ** 2 + (b - 1.0) ** 2, 9.0 * a - (b - 1.0) ** 2], axis=1)
    return f, np.stack([(a**2 + b**2 - 225.0) / 225.0, (a - 3.0 * b + 10.0) / 10.0], axis=1)


def _osy(x: Array) -> tuple[Array, Array]:
    """Osyczka and Kundu, A new method to solve generalized multicriteria optimization problems, Struct. Optim. 10 (1995) 94."""
    a, b, c, d, e, f = x.T
    first = -(25.0 * (a - 2.0) ** 2 + (b - 2.0) ** 2 + (c - 1.0) ** 2 + (d - 4.0) ** 2 + (e - 1.0) ** 2)
    g = [
        (2.0 - a - b) / 2.0,
        (a + b - 6.0) / 6.0,
        (b - a - 2.0) / 2.0,
        (a - 3.0 * b - 2.0) / 2.0,
        ((c - 3.0) ** 2 + d - 4.0) / 4.0,
        (4.0 - (e - 3.0) ** 2 - f) / 4.0,
    ]
    return np.stack([first, (x**2).sum(axis=1)], axis=1), np.stack(g, axis=1)


_UNIT = ((0.0,) * 30, (1.0,) * 30)

PROBLEMS = {
    "ZDT1": Problem(_zdt(lambda f, g: 1.0 - np.sqrt(f / g)), *_UNIT, (1.1, 6.0)),
    "ZDT2": Problem(_zdt(lambda f, g: 1.0 - (f / g) ** 2), *_UNIT, (1.1, 6.0)),
    "ZDT3": Problem(_zdt(lambda f, g: 1.0 - np.sqrt(f / g) - f / g * np.sin(10.0 * np.pi * f)), *_UNIT, (1.1, 6.0)),
    "DTLZ2": Problem(lambda x: (_dtlz2(x), _free(len(x))), (0.0,) * 12, (1.0,) * 12, (1.2, 1.2, 1.2)),
    "C2-DTLZ2": Problem(_c2dtlz2, (0.0,) * 12, (1.0,) * 12, (1.2, 1.2, 1.2)),
    "BNH": Problem(_bnh, (0.0, 0.0), (5.0, 3.0), (140.0, 52.0)),
    "SRN": Problem(_srn, (-20.0, -20.0), (20.0, 20.0), (250.0, 50.0)),
    "OSY": Problem(_osy, (0.0, 0.0, 1.0, 0.0, 1.0, 0.0), (10.0, 10.0, 5.0, 6.0, 5.0, 10.0), (0.0, 100.0)),
}
