"""Slow, obvious twins of what two series have to do with each other: one asset, plain Python lists, sums in exact fractions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

from tests.naive.indicators_bands import NAN, deviations, exact


def each(values: Sequence[float], other: Sequence[float], window: int, what: Callable[[list[float], list[float]], float]) -> list[float]:
    """`what` of the last `window` common bars on each bar; NaN where either is missing and where there are fewer."""
    out = []
    for t in range(len(values)):
        bars = [i for i in range(t + 1) if not math.isnan(values[i]) and not math.isnan(other[i])]
        last = bars[-window:]
        known = bars[-1:] == [t] and len(last) == window
        out.append(what([values[i] for i in last], [other[i] for i in last]) if known else NAN)
    return out


def products(values: Sequence[float], other: Sequence[float]) -> Fraction:
    """Sum of products of the deviations from both means, exactly."""
    (mine, unit), (its, other_unit) = deviations(values), deviations(other)
    return Fraction(sum(a * b for a, b in zip(mine, its, strict=True)), unit * other_unit)


def covariance(values: Sequence[float], other: Sequence[float], ddof: int) -> float:
    """Covariance; NaN where there are no more bars than `ddof`."""
    return float(products(values, other) / (len(values) - ddof)) if len(values) > ddof else NAN


def correlation(values: Sequence[float], other: Sequence[float]) -> float:
    """Correlation; NaN where either series is flat."""
    scale = exact(values)[1] * exact(other)[1]
    return float(products(values, other)) / len(values) / math.sqrt(scale) if scale else NAN


def beta(values: Sequence[float], other: Sequence[float]) -> float:
    """Slope of the values on the other; NaN where that is flat."""
    its = exact(other)[1]
    return float(products(values, other) / len(values) / its) if its else NAN


def crossed(values: Sequence[float], other: Sequence[float], up: bool) -> list[bool]:
    """Whether the sides before a bar end below (above) and the bar is above (below); equal and missing bars have no side."""
    out = []
    for t in range(len(values)):
        sides = [(v > o) - (v < o) for v, o in zip(values[: t + 1], other[: t + 1], strict=True)]
        before = [side for side in sides[:-1] if side]
        wanted = 1 if up else -1
        out.append(sides[-1] == wanted and before[-1:] == [-wanted])
    return out
