"""Where functions that begin above zero first reach it: many of them at once, asked together in rounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["GRID", "STATUS", "Ask", "Search", "Stopped"]

Floats: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.int64]
Ask: TypeAlias = Callable[[Places, Floats], tuple[Floats, NDArray[np.bool_]]]
"""From places of functions, several of one too, and a point for each to their values there, NaN where undefined, and which failed."""

STATUS = {
    "found": "the first crossing, between `lower` and `upper`",
    "several": "the first of several crossings: a grid over the bracket has more than one change of sign",
    "untraded": "above zero at `lower` and undefined at `upper`: there it trades no more",
    "below_zero": "not above zero at the lowest cost already, which is `upper`",
    "above_zero": "still above zero at the limit, which is `lower`",
    "undefined": "has no Sharpe ratio at the lowest cost: no trade",
    "failed": "a run went wrong, see `error`",
    "stopped": "ended early",
}
"""What came of a search."""

GRID = 8
"""Parts into which a bracket is cut to see whether it holds several crossings."""

_FACTOR = 4.0
_BATCH = 8  # whole numbers that are tried in one round
_LEAST = 1e-6  # of the first point: brackets of this width are narrow enough, however near to zero they are
_HALVES = 3  # after a secant that missed, as at a jump
_MOST_ROUNDS = 300
_OPEN = "open"


class Stopped(Exception):
    """The work was ended early: what is known stands."""


class Search:
    """A search at work, one place for each function.

    Parameters
    ----------
    ask : gives values
    low, first, limit : float64 (L,), where each begins, the first point above it, and the last one that is tried
    report : told of how many it is known what came of them, after each round

    Attributes
    ----------
    lower, upper : float64 (L,), the function is above zero at `lower`, and at `upper` it is not; NaN where there is no such point
    status : str (L,), one of STATUS
    """

    def __init__(self, ask: Ask, low: Floats, first: Floats, limit: Floats, report: Callable[[int], Any]) -> None:
        self._ask, self._low, self._first, self._limit, self._report = ask, low, first, limit, report
        self.lower, self.upper = np.full(len(low), np.nan), np.full(len(low), np.nan)
        self._above, self._below = np.full(len(low), np.nan), np.full(len(low), np.nan)  # values at lower and upper
        self.status = np.full(len(low), _OPEN, dtype=object)
        self._several = np.zeros(len(low), dtype=bool)

    def numbers(self, tolerance: float) -> Search:
        """Find crossings to a relative `tolerance`: brackets that widen by a factor, a grid over each, then secants and halves."""
        return self._carried(self._bracket, self._look_closer, lambda: self._narrow(tolerance))

    def whole(self) -> Search:
        """Try every whole number from `low` to `limit`: `upper` is the first at which the function is not above zero."""
        return self._carried(self._count_up)

    def _carried(self, *steps: Callable[[], None]) -> Search:
        try:
            for step in (self._begin, *steps):
                step()
        except Stopped:
            self.status[self.status == _OPEN] = "stopped"
        return self

    def _values(self, places: Places, points: Floats) -> Floats:
        """Values at points; a place that fails is closed, and its values are NaN."""
        values, failed = self._ask(places, points)
        self.status[places[failed]] = "failed"
        return np.where(failed, np.nan, values)

    def _tell(self) -> None:
        self._report(int((self.status != _OPEN).sum()))

    def _is_open(self, places: Places) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = self.status[places] == _OPEN
        return found

    def _begin(self) -> None:
        every = np.arange(len(self._low))
        values = self._values(every, self._low)
        going = self._is_open(every)
        self.status[going & np.isnan(values)] = "undefined"
        at_once = going & (values <= 0.0)
        self.status[at_once], self.upper[at_once] = "below_zero", self._low[at_once]
        rest = values > 0.0
        self.lower[rest], self._above[rest] = self._low[rest], values[rest]
        self._tell()

    def _raise_lower(self, places: Places, points: Floats, values: Floats) -> None:
        self.lower[places], self._above[places] = points, values

    def _set_upper(self, places: Places, points: Floats, values: Floats) -> None:
        self.upper[places], self._below[places] = points, values

    def _bracket(self) -> None:
        """Widen until a value is not above zero, or the limit is reached."""
        points, live = self._first.copy(), np.flatnonzero(self._is_open(np.arange(len(self._low))))
        while len(live):
            values = self._values(live, points[live])
            live, values = live[fine := self._is_open(live)], values[fine]
            positive = values > 0.0
            self._set_upper(live[~positive], points[live[~positive]], values[~positive])
            live, values = live[positive], values[positive]
            self._raise_lower(live, points[live], values)
            at_end = points[live] >= self._limit[live]
            self.status[live[at_end]] = "above_zero"
            live = live[~at_end]
            points[live] = np.minimum(points[live] * _FACTOR, self._limit[live])
            self._tell()

    def _look_closer(self) -> None:
        """A grid over each bracket: the first part with a crossing is the new one."""
        places = np.flatnonzero(self._is_open(np.arange(len(self._low))))
        if not len(places):
            return
        low, high = self.lower[places], self.upper[places]
        points = low[:, None] + (high - low)[:, None] * (np.arange(1, GRID) / GRID)
        inner = self._values(np.repeat(places, GRID - 1), points.reshape(-1)).reshape(points.shape)
        points = np.column_stack([low, points, high])
        values = np.column_stack([self._above[places], inner, self._below[places]])
        positive = values > 0.0
        self._several[places] = (positive[:, 1:] != positive[:, :-1]).sum(axis=1) > 1
        at, rows = np.argmin(positive, axis=1), np.arange(len(places))
        self._raise_lower(places, points[rows, at - 1], values[rows, at - 1])
        self._set_upper(places, points[rows, at], values[rows, at])

    def _narrow(self, tolerance: float) -> None:
        """Two points close to the secant's zero, one on each side; where that shrinks the bracket too little, a few halves."""
        halve = np.zeros(len(self._low), dtype=np.int64)  # so many rounds more
        for _ in range(_MOST_ROUNDS):
            places = self._wide(tolerance)
            self._close(places)
            if not len(places):
                break
            low, high = self.lower[places], self.upper[places]
            near, far = self._two_points(places, halve[places] > 0, tolerance)
            values = self._values(np.concatenate([places, places]), np.concatenate([near, far])).reshape(2, -1)
            for points, found in ((far, values[1]), (near, values[0])):
                lies_in = self._is_open(places) & (self.lower[places] < points) & (points < self.upper[places])
                down = lies_in & ~(found > 0.0)
                self._set_upper(places[down], points[down], found[down])
            for points, found in ((near, values[0]), (far, values[1])):
                up = self._is_open(places) & (found > 0.0) & (self.lower[places] < points) & (points < self.upper[places])
                self._raise_lower(places[up], points[up], found[up])
            missed = (self.upper[places] - self.lower[places] > 0.5 * (high - low)) & (halve[places] == 0)
            halve[places] = np.where(missed, _HALVES, np.maximum(halve[places] - 1, 0))
        self._close()

    def _wide(self, tolerance: float) -> Places:
        """Brackets that are not narrow enough yet; one without a number in between is."""
        open_ones = np.flatnonzero(self._is_open(np.arange(len(self._low))))
        low, high = self.lower[open_ones], self.upper[open_ones]
        enough = np.maximum(tolerance * high, _LEAST * self._first[open_ones])
        middle = low + 0.5 * (high - low)
        found: Places = open_ones[(high - low > enough) & (low < middle) & (middle < high)]
        return found

    def _two_points(self, places: Places, halve: NDArray[np.bool_], tolerance: float) -> tuple[Floats, Floats]:
        low, high = self.lower[places], self.upper[places]
        width, middle = high - low, low + 0.5 * (high - low)
        with np.errstate(invalid="ignore"):
            share = self._above[places] / (self._above[places] - self._below[places])
        bisect = halve | ~np.isfinite(share)
        zero, step = low + np.where(bisect, 0.5, share) * width, 0.4 * tolerance * high
        near = np.where(bisect, middle, np.maximum(zero - step, low + 1e-3 * width))
        far = np.where(bisect, middle, np.minimum(zero + step, high - 1e-3 * width))
        crossed = near > far
        return np.where(crossed, middle, near), np.where(crossed, middle, far)

    def _close(self, but: Places | None = None) -> None:
        """Say what came of all that are open, but for some."""
        left = self.status == _OPEN
        if but is not None:
            left[but] = False
        self.status[left] = np.where(np.isnan(self._below[left]), "untraded", np.where(self._several[left], "several", "found"))
        self._tell()

    def _count_up(self) -> None:
        """The next few whole numbers of every function that is still above zero."""
        while len(live := np.flatnonzero(np.isnan(self.upper) & (self.status == _OPEN))):
            points: Floats = self.lower[live][:, None] + np.arange(1.0, _BATCH + 1.0)
            inside = points <= self._limit[live][:, None]
            values, failed = np.full(points.shape, np.nan), np.zeros(points.shape, dtype=bool)
            values[inside], failed[inside] = self._ask(np.repeat(live, inside.sum(axis=1)), points[inside])
            for row, place in enumerate(live):
                last = int(inside[row].sum())
                stop = next((k for k in range(last) if failed[row, k] or not values[row, k] > 0.0), last)
                if stop:
                    self.lower[place] = points[row, stop - 1]
                if stop == last:
                    self.status[place] = "above_zero" if last < _BATCH else _OPEN
                elif failed[row, stop]:
                    self.status[place] = "failed"
                else:
                    self.upper[place], self._below[place] = points[row, stop], values[row, stop]
            self._tell()
        self._close()
