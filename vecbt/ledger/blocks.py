"""Bars by their parts: a hash for each symbol and calendar period, so that data which only overlap are known as such.

The period has some tens of bars: a month of daily bars, a week of hourly ones, a day of minutes. A part is known by its labels and by its
prices relative to their highest close in it, to eight digits: prices adjusted anew for a later dividend or split, or in another unit, are
the same. The name of the symbol is not part of it. Parts that say too little (three changes of the close at most) are left out.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ..data.bars import Bars

__all__ = ["block_keys", "period_of"]

_MINUTE, _HOUR, _DAY = 60 * 10**9, 3600 * 10**9, 86400 * 10**9
_AT_ONCE = 2**21  # bars times symbols that are looked at together
_LEAST = 4  # changes of the close that make a part one that is not met twice by chance
_DIGITS = 1e8
_ABSENT = -4e18


def period_of(bar_ns: int) -> str:
    """Into which calendar periods bars of this length are cut."""
    if bar_ns < _MINUTE:
        return "hour"
    if bar_ns < _HOUR:
        return "day"
    if bar_ns < _DAY:
        return "week"
    return "month" if bar_ns < 2 * _DAY else "year"


def block_keys(bars: Bars) -> NDArray[np.int64]:
    """A hash for each symbol and period of bars, symbol by symbol in time; those that say too little are left out."""
    starts = _starts(bars.index, period_of(bars.market.bar_ns or _DAY))
    ends, found = np.append(starts[1:], bars.T), []
    step = max(1, _AT_ONCE // bars.T)
    for first in range(0, bars.N, step):
        columns = slice(first, first + step)
        close = np.ascontiguousarray(bars.close[:, columns].T)
        telling = _telling(close, starts)
        values = _values(bars, columns, close, starts)
        for n in range(len(values)):
            row = memoryview(values[n]).cast("B")
            width = len(row) // bars.T
            for b in np.flatnonzero(telling[n]).tolist():
                found.append(hashlib.sha256(row[int(starts[b]) * width : int(ends[b]) * width]).digest()[:8])
    return np.frombuffer(b"".join(found), dtype="<i8").astype(np.int64)


def _starts(index: NDArray[np.int64], period: str) -> NDArray[np.int64]:
    """The first bar of each period."""
    if period in ("month", "year"):
        number = index.view("M8[ns]").astype("M8[M]" if period == "month" else "M8[Y]").astype(np.int64)
    else:
        offset, length = {"hour": (0, _HOUR), "day": (0, _DAY), "week": (3 * _DAY, 7 * _DAY)}[period]  # 1970 began on a Thursday
        number = (index + offset) // length
    return np.flatnonzero(np.r_[True, np.diff(number) != 0])


def _telling(close: NDArray[np.float64], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which parts (N, B) have enough changes of the close."""
    moved = np.zeros(close.shape, dtype=np.int64)
    moved[:, 1:] = np.diff(close, axis=1) != 0.0
    moved[:, starts] = 0
    moved[np.isnan(close)] = 0
    found: NDArray[np.bool_] = np.add.reduceat(moved, starts, axis=1) >= _LEAST
    return found


def _values(bars: Bars, columns: slice, close: NDArray[np.float64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Whole numbers (N, T, 5) for relative prices, and labels."""
    highest = np.fmax.reduceat(np.abs(close), starts, axis=1)
    highest[~(highest > 0.0)] = 1.0
    scale = np.repeat(_DIGITS / highest, np.diff(np.append(starts, bars.T)), axis=1)
    values = np.empty((*close.shape, 5), dtype=np.int64)
    for k, field in enumerate((bars.open, bars.high, bars.low)):
        values[:, :, k] = _whole(field[:, columns].T * scale)
    values[:, :, 3] = _whole(close * scale)
    values[:, :, 4] = bars.index
    return values


def _whole(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rounded; a number of its own where there was no market."""
    return np.rint(np.nan_to_num(values, copy=False, nan=_ABSENT, posinf=-_ABSENT, neginf=_ABSENT))
