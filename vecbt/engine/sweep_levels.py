"""Levels that many sets of a sweep share: each has a column of its own in what is remembered of first bars that meet it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .plain_hits import FIELDS

__all__ = ["SharedLevels"]

_LEVELS = (("hard_form", "hard"), ("trail_form", "trail", "activation"), ("target_form", "target"))
_FILLS = ("slippage", "half_spread", "at_close")  # what makes the price of a fill
_SHARED = 8  # sets that a level has to have, on average, to be remembered
_MOST_BYTES = 2**26  # of answers, for each thread


@dataclass(frozen=True)
class SharedLevels:
    """Columns of the levels of each setup: int64 (U, 3) of hard stop, trailing stop and target, -1 off; and how many columns there are."""

    columns: NDArray[np.int64]
    count: int

    @classmethod
    def of(cls, common: Any, stops: Any, setups: int, sets: int, bars: int) -> SharedLevels:
        """Those of so many setups, whose common rules and stops are records (U,), or one that all share; none where it is not worth it.

        Setups whose fills have other prices share no column: each would forget what the other has found.
        """
        columns, count = np.full((setups, len(_LEVELS)), -1, dtype=np.int64), 0
        if _SHARED > sets * len(_LEVELS) or not np.asarray(stops)["on"].any():  # most sweeps: a level has fewer sets, or there is none
            return cls(columns, 0)
        fills, kinds = np.zeros(setups, dtype=np.int64), 1
        for name in _FILLS:
            fills, kinds = _finer(fills, kinds, np.asarray(common)[name])
        guarded = np.broadcast_to(np.asarray(stops)["on"] == 1, setups)
        for k, (form, *numbers) in enumerate(_LEVELS):
            on = guarded & (np.asarray(stops)[form] != 0)
            which, distinct = fills, kinds
            for name in (form, *numbers):
                which, distinct = _finer(which, distinct, np.asarray(stops)[name])
            if not on.all():
                which, distinct = _numbered(which[on])
            columns[on, k] = count + which
            count += distinct
        asked = (columns >= 0).sum() * sets / setups  # times that a set has a level
        if _SHARED * count > asked or count * bars * 2 * FIELDS * 8 > _MOST_BYTES:
            return cls(np.full_like(columns, -1), 0)
        return cls(columns, count)

    def answers(self, bars: int) -> NDArray[np.float64]:
        """Room for what is found, nothing in it yet: (bars, 2, columns, FIELDS), or no bars where there are no columns."""
        return np.zeros((bars if self.count else 0, 2, self.count, FIELDS))


def _finer(which: NDArray[np.int64], distinct: int, values: NDArray[Any]) -> tuple[NDArray[np.int64], int]:
    """Parts, numbered from 0 on, divided by values; and how many there are then."""
    if (values == values[0]).all():
        return which, distinct
    codes, found = _numbered(values)
    return (codes, found) if distinct == 1 else _numbered(which * found + codes)


def _numbered(values: NDArray[Any]) -> tuple[NDArray[np.int64], int]:
    """Of each value its place among all that there are, in order; and how many these are."""
    values = np.ascontiguousarray(values)
    found = np.unique(values)
    return np.searchsorted(found, values), len(found)
