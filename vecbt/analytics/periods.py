"""Calendar periods: which bars belong to each month, year or weekday, and what the curve earned in it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayN, ArrayTG, IndexT
from ..errors import ConfigError, nearest

__all__ = ["GROUPS", "PERIODS", "Spans", "group_names", "month_figures", "period_returns", "spans"]

PERIODS = ("year", "quarter", "month", "week", "day")
"""Stretches of the calendar that follow each other."""

GROUPS = (*PERIODS, "weekday", "month_of_year")
"""What returns can be grouped by: the stretches, or what comes back each week or year."""

_MONTHS = {"year": 12, "quarter": 3, "month": 1}
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NAMES = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


class Spans(NamedTuple):
    """Periods with bars in them: the day each begins, days since 1970; its first bar, and the one after its last."""

    days: NDArray[np.int64]
    first: NDArray[np.int64]
    past: NDArray[np.int64]


def spans(days: IndexT, kind: str) -> Spans:
    """The periods of a kind that bars fall into; `days` `(T,)` are their dates in order, days since 1970. Weeks begin on Monday."""
    if kind not in PERIODS:
        raise ConfigError(f"a period {kind!r} is not known; {nearest(str(kind), PERIODS)}")
    if not len(days):
        none = np.empty(0, dtype=np.int64)
        return Spans(none, none, none)
    starts = _starts(int(days[0]), int(days[-1]), kind)
    first = np.searchsorted(days, starts)
    past = np.append(first[1:], len(days))
    full = past > first
    return Spans(starts[full], first[full], past[full])


def _starts(first: int, last: int, kind: str) -> NDArray[np.int64]:
    """First days of all periods between two days, the ones they lie in included."""
    if kind == "day":
        return np.arange(first, last + 1)
    if kind == "week":
        return np.arange(first - (first + 3) % 7, last + 1, 7)  # 1970-01-01 was a Thursday
    each = _MONTHS[kind]
    ends = (np.array([first, last]).astype("M8[D]").astype("M8[M]").astype(np.int64) // each) * each
    return np.arange(ends[0], ends[1] + 1, each).astype("M8[M]").astype("M8[D]").astype(np.int64)


def period_returns(curve: ArrayTG, initial: ArrayN, found: Spans) -> ArrayTG:
    """What each period earned, `(K, G)`: the curve at its last bar over that before its first one, less one.

    NaN where the curve before it is not positive, or unknown.
    """
    base = np.where(found.first[:, None] > 0, curve[found.first - 1], initial)
    ends = curve[found.past - 1]
    growth: ArrayTG = np.divide(ends, base, out=np.full(ends.shape, np.nan), where=base > 0.0)
    return growth - 1.0


def month_figures(months: ArrayTG, inside: NDArray[np.bool_]) -> dict[str, ArrayN]:
    """Share of good months, the best and the worst of them, `(G,)` each, from returns `(K, G)` of those that are `inside` a column.

    NaN where one of them is unknown, or there is none (M5).
    """
    known = inside.any(axis=0) & ~(np.isnan(months) & inside).any(axis=0)
    good = ((months > 0.0) & inside).sum(axis=0) / np.maximum(inside.sum(axis=0), 1)
    best = np.max(months, axis=0, where=inside, initial=-np.inf)
    worst = np.min(months, axis=0, where=inside, initial=np.inf)
    found = {"positive_months": good, "best_month": best, "worst_month": worst}
    return {name: np.where(known, values, np.nan) for name, values in found.items()}


def group_names(days: IndexT, kind: str) -> tuple[Any, NDArray[np.int64]]:
    """Names of the groups that bars fall into, in order, and the place of each bar's among them `(T,)`."""
    if kind == "weekday":
        codes, names = (days + 3) % 7, list(_WEEKDAYS)
    elif kind == "month_of_year":
        codes, names = days.astype("M8[D]").astype("M8[M]").astype(np.int64) % 12, list(_NAMES)
    else:
        raise ConfigError(f"returns cannot be grouped by {kind!r}; {nearest(str(kind), GROUPS)}")
    present, places = np.unique(codes, return_inverse=True)
    return [names[code] for code in present.tolist()], places
