"""A user's table becomes the (T, N) matrix of the bars: by label where it has labels, by position where it has none."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayTN, IndexT
from ..core import memory
from ..core.jit import kernel_loop
from ..data.bars import Bars
from ..data.labels import label_text, time_labels
from ..data.touch import as_matrix, is_pandas, is_polars
from ..errors import DataError, InputError, nearest

__all__ = ["count_infinite", "place"]


@kernel_loop
def count_infinite(values):  # type: ignore[no-untyped-def]
    """How many of the numbers (K,) are infinite."""
    count = 0
    for k in range(values.shape[0]):
        count += 1 if abs(values[k]) == math.inf else 0
    return count


def place(value: Any, name: str, bars: Bars) -> ArrayTN:
    """`value` as float64 (T, N), C order: row t belongs to bar t, column n to symbol n. Missing values are NaN.

    pandas is placed by its index of times and its columns (a Series is the only asset); polars by its time column, if
    it has one, and its columns; arrays by position. Every bar must have its row and every row its bar, the same for
    symbols, in any order. Raises InputError that names the first label that does not match.
    """
    if is_pandas(value):
        return _from_pandas(value, name, bars)
    if is_polars(value) and hasattr(value, "columns"):
        return _from_polars(value, name, bars)
    return _by_position(value, name, bars)


def _by_position(value: Any, name: str, bars: Bars) -> ArrayTN:
    if type(value) is np.ndarray and value.dtype == np.float64 and value.shape == (bars.T, bars.N):
        copy = memory.empty(value.shape)
        copy[...] = value
        return copy
    matrix = as_matrix(value, name)
    if np.ndim(value) < 2 and not is_polars(value) and bars.N > 1:
        raise InputError(f"{name} has one dimension, the bars have {bars.N} assets; expected shape ({bars.T}, {bars.N})")
    if matrix.shape != (bars.T, bars.N):
        raise InputError(f"{name} has shape {matrix.shape}; expected ({bars.T}, {bars.N}): {bars.T} bars, {bars.N} assets")
    return matrix


def _from_pandas(value: Any, name: str, bars: Bars) -> ArrayTN:
    if value.index.nlevels > 1:
        raise InputError(f"{name} has an index of {value.index.nlevels} levels; expected the times alone; unstack the symbols")
    if value.index.dtype.kind in "iufb":
        raise InputError(
            f"{name} has no times in its index ({value.index.dtype}); give it that of the prices, or pass .to_numpy() to go by position"
        )
    rows = _row_order(value.index, name, bars)
    if value.ndim == 1:
        if bars.N > 1:
            raise InputError(f"{name} is one Series, the bars have {bars.N} assets; expected a DataFrame, one column each")
        columns = np.zeros(1, dtype=np.int64)
    else:
        if value.columns.nlevels > 1:
            raise InputError(f"{name} has columns of {value.columns.nlevels} levels; expected one column per symbol")
        columns = _column_order([str(c) for c in value.columns], name, bars)
    dtypes = [value.dtype] if value.ndim == 1 else value.dtypes
    if any(dtype.kind == "O" for dtype in dtypes):  # booleans with NaN, as .shift() makes them: missing ones, not numbers among booleans
        value = value.astype(object).where(value.notna(), None)
    return _take(as_matrix(value, name), rows, columns)


def _from_polars(value: Any, name: str, bars: Bars) -> ArrayTN:
    times = [c for c, dtype in value.schema.items() if dtype.is_temporal()]
    if len(times) > 1:
        raise InputError(f"{name} has {len(times)} columns of times ({', '.join(times)}); expected one")
    names = [c for c in value.columns if c not in times]
    if times and "symbol" in names:
        if len(names) != 2:
            raise InputError(f"{name} is a long table with columns {', '.join(names)}; expected symbol and one column of values")
        value = value.pivot(on="symbol", index=times[0], values=[c for c in names if c != "symbol"])
        names = [c for c in value.columns if c not in times]
    rows = _row_order(value[times[0]], name, bars) if times else np.arange(bars.T)
    matrix = as_matrix(value.select(names), name)
    if not times and len(matrix) != bars.T:
        raise InputError(f"{name} has {len(matrix)} rows and no column of times; expected {bars.T} rows, one per bar")
    return _take(matrix, rows, _column_order(names, name, bars))


def _take(matrix: ArrayTN, rows: IndexT, columns: NDArray[np.int64]) -> ArrayTN:
    if np.array_equal(rows, np.arange(len(matrix))) and np.array_equal(columns, np.arange(matrix.shape[1])):
        return matrix
    return np.ascontiguousarray(matrix[np.ix_(rows, columns)])


def _row_order(times: Any, name: str, bars: Bars) -> IndexT:
    """For each bar the row that carries its label."""
    try:
        labels = time_labels(times, f"{name}: its times", zone=bars.market.time_zone, bar_ns=bars.market.bar_ns)
    except DataError as error:
        raise InputError(str(error)) from error
    if np.array_equal(labels, bars.index):
        return np.arange(bars.T)
    order = np.argsort(labels, kind="stable")
    found = labels[order]
    twice = np.flatnonzero(found[1:] == found[:-1])
    if len(twice):
        raise InputError(f"{name} has the time {label_text(int(found[twice[0]]))} twice; expected one row per bar")
    extra, missing = np.setdiff1d(found, bars.index), np.setdiff1d(bars.index, found)
    if len(extra):
        raise InputError(
            f"{name} has a row at {label_text(int(extra[0]))}, where there is no bar ({len(extra)} such rows; bars go from "
            f"{label_text(int(bars.index[0]))} to {label_text(int(bars.index[-1]))}); reindex it to the times of the bars"
        )
    if len(missing):
        raise InputError(
            f"{name} has no row for the bar at {label_text(int(missing[0]))} ({len(missing)} bars without one); "
            "reindex it to the times of the bars"
        )
    return order


def _column_order(names: list[str], name: str, bars: Bars) -> NDArray[np.int64]:
    """For each symbol the column that carries its name."""
    for column in names:
        if names.count(column) > 1:
            raise InputError(f"{name} has the column {column!r} twice")
        if column not in bars.symbols:
            raise InputError(f"{name} has a column {column!r}, which is no symbol of the bars; {nearest(column, bars.symbols)}")
    for symbol in bars.symbols:
        if symbol not in names:
            raise InputError(f"{name} has no column for {symbol!r}; it has {_some(names)}")
    return np.array([names.index(symbol) for symbol in bars.symbols], dtype=np.int64)


def _some(names: Any) -> str:
    shown = [repr(n) for n in list(names)[:5]]
    return ", ".join(shown) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
