"""Bars by their parts: a hash for each symbol and calendar period, so that data which only overlap are known as such.

The period has some tens of bars: a month of daily bars, a week of hourly ones, a day of minutes. A part is known by its labels and by its
prices relative to their highest close in it, to eight digits: prices adjusted anew for a later dividend or split, or in another unit, are
the same. The name of the symbol is not part of it. Parts that say too little (three changes of the close at most) are left out.

The hash is the sum of 64 bits for each label and price (`hashes.mixed`): arithmetic of whole arrays, three times as quick as a
cryptographic hash for each part. It tells data apart that differ by chance, and need not withstand whoever makes others on purpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .hashes import mixed

if TYPE_CHECKING:
    from ..data.bars import Bars

__all__ = ["block_keys", "period_of"]

_MINUTE, _HOUR, _DAY = 60 * 10**9, 3600 * 10**9, 86400 * 10**9
_AT_ONCE = 2**16  # prices that are looked at together: they stay in the processor's cache
_LEAST = 4  # changes of the close that make a part one that is not met twice by chance
_DIGITS = 1e8
_ABSENT = -4e18
_TINY = 1e-200


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
    starts = np.append(_starts(bars.index, period_of(bars.market.bar_ns or _DAY)), bars.T)
    parts, step = len(starts) - 1, max(1, _AT_ONCE // bars.N)
    keys, telling = np.empty((parts, bars.N), dtype=np.uint64), np.empty((parts, bars.N), dtype=bool)
    first = 0
    while first < parts:
        beyond = max(first + 1, int(np.searchsorted(starts, starts[first] + step, side="right")) - 1)
        keys[first:beyond], telling[first:beyond] = _of_rows(bars, starts[first : beyond + 1])
        first = beyond
    return np.ascontiguousarray(keys.T)[telling.T].view(np.int64)


def _starts(index: NDArray[np.int64], period: str) -> NDArray[np.int64]:
    """The first bar of each period."""
    if period in ("month", "year"):
        number = index.view("M8[ns]").astype("M8[M]" if period == "month" else "M8[Y]").astype(np.int64)
    else:
        offset, length = {"hour": (0, _HOUR), "day": (0, _DAY), "week": (3 * _DAY, 7 * _DAY)}[period]  # 1970 began on a Thursday
        number = (index + offset) // length
    return np.flatnonzero(np.r_[True, np.diff(number) != 0])


def _of_rows(bars: Bars, starts: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """The hashes of parts that follow each other, and which of them have enough changes of the close; (B, N) each."""
    rows, firsts, lengths = slice(int(starts[0]), int(starts[-1])), starts[:-1] - starts[0], np.diff(starts)
    close = bars.close[rows]
    highest = np.fmax.reduceat(np.abs(close), firsts, axis=0)
    highest[~(highest > 0.0)] = 1.0
    scale, labels = np.repeat(_DIGITS / np.maximum(highest, _TINY), lengths, axis=0), bars.index[rows].view(np.uint64)
    total = np.zeros(highest.shape, dtype=np.uint64)
    for k, field in enumerate((bars.open, bars.high, bars.low, bars.close)):
        values = field[rows] * scale
        absent = ~(np.abs(values) < -_ABSENT)  # no market, or a spread whose open is beyond all of its closes
        if absent.any():
            values[absent] = _ABSENT
        numbers = np.rint(values, out=values).astype(np.int64).view(np.uint64)
        places = mixed(labels * np.uint64(4) + np.uint64(k))
        total += np.add.reduceat(mixed(numbers ^ places[:, None]), firsts, axis=0)
    moved = np.zeros(close.shape, dtype=np.int32)
    moved[1:] = np.abs(close[1:] - close[:-1]) > 0.0  # of NaN it is not
    moved[firsts] = 0
    return mixed(total), np.add.reduceat(moved, firsts, axis=0) >= _LEAST
