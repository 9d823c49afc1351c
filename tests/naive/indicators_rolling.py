"""Slow, obvious twins of rolling statistics: one asset, plain Python lists, every value from its definition, sums in exact fractions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

from tests.naive.indicators_bands import NAN, deviations, exact, last_present, root


def each(values: Sequence[float], window: int, what: Callable[[list[float]], float]) -> list[float]:
    """`what` of the last `window` present values on each bar; NaN on missing bars and where there are fewer."""
    found = [last_present(values, t, window) for t in range(len(values))]
    return [NAN if last is None else what(last) for last in found]


def deviation(values: Sequence[float], ddof: int) -> float:
    """Standard deviation; NaN where there are no more values than `ddof`."""
    count = len(values)
    return root(exact(values)[1] * count / (count - ddof)) if count > ddof else NAN


def score(values: Sequence[float], ddof: int) -> float:
    """Deviations of the last value from the mean; NaN where there is no deviation."""
    spread = deviation(values, ddof)
    return float(Fraction(values[-1]) - exact(values)[0]) / spread if spread > 0 else NAN


def skewness(values: Sequence[float]) -> float:
    """The adjusted skewness G1; NaN for fewer than three values and for equal ones."""
    count = len(values)
    distances, unit = deviations(values)
    second = exact(values)[1]
    if count < 3 or not second:
        return NAN
    third = Fraction(sum(d**3 for d in distances), count * unit**3)
    return math.sqrt(count * (count - 1)) / (count - 2) * float(third) / float(second) ** 1.5


def slope(values: Sequence[float]) -> float:
    """The slope of the least squares line; NaN for one value."""
    count = len(values)
    if count < 2:
        return NAN
    distances, unit = deviations(values)
    times = [2 * i - (count - 1) for i in range(count)]  # halves of a bar from the middle
    above = sum(i * d for i, d in zip(times, distances, strict=True))
    return float(Fraction(2 * above, unit * sum(i * i for i in times)))


def since_highest(values: Sequence[float]) -> float:
    """Bars from the latest highest value to the last one."""
    return float(min(age for age, v in enumerate(reversed(values)) if v == max(values)))


def since_lowest(values: Sequence[float]) -> float:
    """Bars from the latest lowest value to the last one."""
    return float(min(age for age, v in enumerate(reversed(values)) if v == min(values)))


def quantile(values: Sequence[float], share: float) -> float:
    """Linear between the sorted values that stand beside place `share*(count - 1)`."""
    place = share * (len(values) - 1)
    below = math.floor(place)
    first, second = sorted(values)[below], sorted(values)[min(below + 1, len(values) - 1)]
    return float(Fraction(first) + Fraction(place - below) * (Fraction(second) - Fraction(first)))


def rank(values: Sequence[float]) -> float:
    """Mean place of the last value among all, as a fraction."""
    places = [i + 1 for i, v in enumerate(sorted(values)) if v == values[-1]]
    return sum(places) / len(places) / len(values)


def lag(values: Sequence[float], bars: int) -> list[float]:
    """The value of `bars` present bars ago."""
    return each(values, bars + 1, lambda last: last[0])


def bars_since(values: Sequence[float]) -> list[float]:
    """Present bars since the last value that is not 0."""
    out = []
    for t, value in enumerate(values):
        past = [v for v in values[: t + 1] if not math.isnan(v)]
        ages = [age for age, v in enumerate(reversed(past)) if v != 0]
        out.append(float(ages[0]) if ages and not math.isnan(value) else NAN)
    return out
