"""Two sets of columns compared twice: bit by bit, and within a stated tolerance. The first difference is told in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.codes import OrderStatus, Reason, Zone

__all__ = ["FLOOR", "TOLERANCE", "Compared", "compare", "compare_numbers"]

TOLERANCE = 1e-9
"""Largest relative difference of two numbers that were computed by different code or on another machine."""

FLOOR = 1e-12
"""The same for numbers near zero, as a fraction of the largest number of their column."""

_WORDS: dict[str, type[IntEnum]] = {"status": OrderStatus, "reason": Reason, "zone": Zone}


@dataclass(frozen=True)
class Compared:
    """`exact`: every bit is equal; `close`: every number is, within the tolerance, and every count and code is equal."""

    exact: bool
    close: bool
    difference: str


def compare(saved: Mapping[str, NDArray[Any]], again: Mapping[str, NDArray[Any]], where: Callable[[int], str]) -> Compared:
    """Compare columns that both have; `where(row)` says in words which row it is.

    Parameters
    ----------
    saved, again : name -> array whose first axis is the row
    where : words for a row number, such as "at 2004-03-05, AAPL"
    """
    names = [name for name in saved if name in again]
    rows = min(len(columns[name]) for columns in (saved, again) for name in names) if names else 0
    exact, close = np.ones(rows, dtype=bool), np.ones(rows, dtype=bool)
    for name in names if rows else ():
        a, b = (columns[name][:rows].reshape(rows, -1) for columns in (saved, again))
        same = _same_bits(a, b)
        exact &= same.all(axis=1)
        close &= (same | _close(a, b)).all(axis=1)
    counts = [len(columns[names[0]]) for columns in (saved, again)] if names else [0, 0]
    if not close.all():
        return Compared(False, False, _tell(saved, again, int(np.argmin(close)), where))
    if counts[0] != counts[1]:
        return Compared(False, False, f"{counts[0]:,} saved, {counts[1]:,} now; the first {rows:,} agree")
    return Compared(bool(exact.all()), True, "" if exact.all() else _tell(saved, again, int(np.argmin(exact)), where))


def compare_numbers(saved: Mapping[str, Any], again: Mapping[str, Any]) -> Compared:
    """The same for single values by name: numbers, text, None."""
    exact = close = True
    difference = ""
    for name in (name for name in saved if name in again):
        a, b = saved[name], again[name]
        same = type(a) is type(b) and a == b
        near = same or (_is_number(a) and _is_number(b) and abs(a - b) <= TOLERANCE * max(abs(a), abs(b)))
        if not near and (close or not difference):
            difference = f"{name}: {a!r} saved, {b!r} now"
        elif not same and not difference:
            difference = f"{name}: {a!r} saved, {b!r} now"
        exact, close = exact and same, close and near
    return Compared(exact, close, difference)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same_bits(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    if a.dtype != b.dtype:
        return np.asarray(a == b)
    unsigned = f"u{a.dtype.itemsize}"
    return np.asarray(np.ascontiguousarray(a).view(unsigned) == np.ascontiguousarray(b).view(unsigned))


def _close(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    """Where two columns of floats agree within the tolerance; other types must be equal."""
    if a.dtype.kind != "f" or b.dtype.kind != "f":
        return np.asarray(a == b)
    sizes = np.maximum(np.abs(a), np.abs(b))
    largest = np.max(sizes, initial=0.0, where=np.isfinite(sizes))
    with np.errstate(invalid="ignore"):  # infinite less infinite
        near = np.abs(a - b) <= np.maximum(TOLERANCE * sizes, FLOOR * largest)
    return np.asarray((a == b) | (np.isnan(a) & np.isnan(b)) | (near & np.isfinite(sizes)))


def _tell(saved: Mapping[str, NDArray[Any]], again: Mapping[str, NDArray[Any]], row: int, where: Callable[[int], str]) -> str:
    """The column of a row that differs most visibly, in words."""
    differing = [name for name in saved if name in again and not _same_bits(saved[name][row : row + 1], again[name][row : row + 1]).all()]
    far = [name for name in differing if not _close(saved[name][row : row + 1], again[name][row : row + 1]).all()]
    name = (far or differing)[0]
    return f"{where(row)}: {name} {_shown(name, saved[name][row])} saved, {_shown(name, again[name][row])} now"


def _shown(name: str, value: Any) -> str:
    plain = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    if name in _WORDS and plain in list(_WORDS[name]):
        return _WORDS[name](plain).name.lower()
    return repr(plain)
