"""Lengths of windows, in bars or in time, and where they lie among labels."""

from __future__ import annotations

import datetime
import re
from typing import Any, TypeAlias

import numpy as np

from .._typing import IndexT
from ..data.bars import Bars
from ..data.labels import time_labels
from ..data.touch import is_pandas, is_polars
from ..errors import ConfigError

__all__ = ["Length", "as_length", "before", "labels_of", "length_words", "shown_length"]

Length: TypeAlias = int | np.timedelta64
"""So many bars, or so much time (ns)."""

_UNITS = {"s": 1, "min": 60, "h": 3_600, "D": 86_400, "W": 604_800}
_TEXT = re.compile(r"\s*(\d+)\s*([A-Za-z]+)\s*")


def as_length(given: Any, name: str, *, least: int = 1) -> Length:
    """A length as it is kept: a whole number of bars, or a timedelta64[ns]. ConfigError for anything else, or less than `least` bars.

    Time is "90D" (also W, h, min, s), a timedelta of Python, NumPy or pandas; a length of 0 is 0 bars.
    """
    if isinstance(given, int | np.integer) and not isinstance(given, bool | np.timedelta64):
        if given < least:
            raise ConfigError(f"{name} is {given}; expected at least {least} bars, or a time such as '90D'")
        return int(given)
    if isinstance(given, str):
        match = _TEXT.fullmatch(given)
        if match is None or match[2] not in _UNITS:
            raise ConfigError(f"{name} is {given!r}; expected bars (252), or a time such as '90D', '2W', '12h', '30min', '60s'")
        ns = int(match[1]) * _UNITS[match[2]] * 1_000_000_000
    elif isinstance(given, datetime.timedelta | np.timedelta64):
        ns = int(np.timedelta64(given).astype("m8[ns]").astype(np.int64))
    else:
        raise ConfigError(f"{name} is {given!r}; expected a whole number of bars, or a time such as '90D' or a timedelta")
    if ns <= 0 and least > 0:
        raise ConfigError(f"{name} is {given!r}; expected a time above 0")
    if ns < 0:
        raise ConfigError(f"{name} is {given!r}; expected 0 or more")
    return np.timedelta64(ns, "ns") if ns else 0


def length_words(length: Length) -> str:
    """For messages: `252 bars`, `90 days`."""
    if isinstance(length, int):
        return f"{length:,} bar{'' if length == 1 else 's'}"
    seconds = float(length / np.timedelta64(1, "s"))
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds / size
            return f"{count:g} {word}{'' if count == 1 else 's'}"
    return f"{seconds:g} seconds"


def shown_length(length: Length) -> Any:
    """As a user would write it: a number of bars, or a text of the largest unit that it is a whole number of."""
    if isinstance(length, int):
        return length
    ns = int(length.astype(np.int64))
    for unit, size in reversed(_UNITS.items()):
        if unit != "W" and ns % (size * 1_000_000_000) == 0:
            return f"{ns // (size * 1_000_000_000)}{unit}"
    return repr(length)


def labels_of(data: Any, timed: bool) -> IndexT:
    """A label for each row: those of bars or of an index of times, else the numbers of the rows. ConfigError where times are needed and
    there are none."""
    if isinstance(data, Bars):
        return data.index
    if is_pandas(data) and data.index.dtype.kind not in "iufb" and data.index.nlevels == 1:
        return time_labels(data.index, "the index of X")
    if is_polars(data) and hasattr(data, "schema"):
        times = [column for column, kind in data.schema.items() if kind.is_temporal()]
        if len(times) == 1:
            return time_labels(data[times[0]], f"X[{times[0]!r}]")
    if timed:
        what = f"windows are in time, and X ({type(data).__name__}) has no times"
        raise ConfigError(f"{what}; give Bars, a frame with times, or windows in bars")
    if not hasattr(data, "__len__") and not hasattr(data, "shape"):
        raise ConfigError(f"X is {type(data).__name__}; expected Bars, an array or a frame with a row for each bar")
    return np.arange(data.shape[0] if hasattr(data, "shape") else len(data), dtype=np.int64)


def before(labels: IndexT, place: int, length: Length) -> int:
    """The first place of the window of that length that ends before `place`; never below 0."""
    if isinstance(length, int):
        return max(0, place - length)
    if place >= len(labels):
        return int(np.searchsorted(labels, int(labels[-1]) + 1 - int(length.astype(np.int64))))
    return int(np.searchsorted(labels, int(labels[place]) - int(length.astype(np.int64))))
