"""The one gate for numbers: whatever the source, kernels see C-ordered, aligned float64 and nothing else.

pandas hands out read-only, column-major arrays and polars read-only ones; each combination would be a compilation
of its own. So everything from outside passes through here once.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayT, ArrayTN
from ..errors import InputError, VecbtError

__all__ = ["Fault", "as_matrix", "is_pandas", "is_polars", "numbers"]

_EXACT = 2**53


@dataclass(frozen=True)
class Fault:
    """A cell that is no usable number: `kind` is "text", "type" or "overflow"; the array holds NaN there."""

    row: int
    value: Any
    kind: str


def is_pandas(value: object) -> bool:
    """Whether `value` is a pandas object, without importing pandas."""
    return type(value).__module__.partition(".")[0] == "pandas"


def is_polars(value: object) -> bool:
    """Whether `value` is a polars object, without importing polars."""
    return type(value).__module__.partition(".")[0] == "polars"


def _is_missing(value: object) -> bool:
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def _number(value: Any, from_text: bool = False) -> tuple[float, str | None]:
    """A float and what is wrong with it, if anything."""
    if _is_missing(value):
        return np.nan, None
    if isinstance(value, (str, bytes)):
        try:
            return (float(value), None) if from_text else (np.nan, "text")
        except ValueError:
            return np.nan, "text"
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (Real, Decimal, np.number)):
        return np.nan, "type"
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return np.nan, "overflow"
    if isinstance(value, (int, np.integer)) and int(number) != int(value):
        return np.nan, "overflow"
    return number, None


def _objects(values: NDArray[Any], from_text: bool) -> tuple[ArrayT, tuple[Fault, ...]]:
    out = np.empty(len(values), dtype=np.float64)
    faults = []
    for row, value in enumerate(values):
        out[row], kind = _number(value, from_text)
        if kind:
            faults.append(Fault(row, value, kind))
    return out, tuple(faults)


def _integers(values: NDArray[Any]) -> tuple[ArrayT, tuple[Fault, ...]]:
    """Whole numbers that float64 cannot hold exactly are overflows or sentinels, never prices or volumes."""
    out = values.astype(np.float64)
    large = np.flatnonzero((values > _EXACT) | (values < -_EXACT if values.dtype.kind == "i" else False))
    faults = tuple(Fault(int(row), int(values[row]), "overflow") for row in large if int(out[row]) != int(values[row]))
    for fault in faults:
        out[fault.row] = np.nan
    return out, faults


def _plain(values: Any) -> NDArray[Any]:
    """A NumPy array of one column of pandas, polars or anything else."""
    if is_polars(values):
        import polars as pl

        if values.dtype.is_float() or isinstance(values.dtype, pl.Decimal):
            return np.asarray(values.cast(pl.Float64).fill_null(float("nan")).to_numpy())
        if values.dtype.is_integer() and values.null_count() == 0:
            return np.asarray(values.to_numpy())
        return np.array(values.to_list(), dtype=object)
    return _array(values)


def _array(values: Any) -> NDArray[Any]:
    """`np.asarray`, but numbers beside text in a list stay numbers."""
    array = np.asarray(values)
    return np.asarray(values, dtype=object) if array.dtype.kind in "US" and not isinstance(values, np.ndarray) else array


def numbers(values: Any, *, from_text: bool = False) -> tuple[ArrayT, tuple[Fault, ...]]:
    """One column as float64, and the cells that are no numbers.

    Parameters
    ----------
    values : (T,) column of pandas, polars, NumPy, or a sequence; None, null, NA and NaN become NaN
    from_text : numbers written as text are numbers (in a file where all is text)

    Returns
    -------
    float64 (T,), a copy; NaN where missing or faulty
    faults in row order: text, other types, integers too large to be exact
    """
    array = _plain(values)
    if array.ndim != 1:
        raise InputError(f"expected one column of numbers, found an array of shape {array.shape}")
    if array.dtype.kind == "f":
        return array.astype(np.float64), ()
    if array.dtype.kind in "iu":
        return _integers(array)
    return _objects(array.astype(object), from_text)


def _columns(value: Any) -> list[Any]:
    """The columns of a two-dimensional thing."""
    if is_pandas(value):
        return [value.iloc[:, k] for k in range(value.shape[1])] if value.ndim == 2 else [value]
    if is_polars(value):
        return list(value.get_columns()) if hasattr(value, "get_columns") else [value]
    array = _array(value)
    if array.ndim > 2:
        raise InputError(f"expected at most two dimensions (T, N), found shape {array.shape}")
    return list(array.T) if array.ndim == 2 else [np.atleast_1d(array)]


def as_matrix(
    value: Any,
    name: str,
    *,
    rows: int | None = None,
    columns: int | None = None,
    error: type[VecbtError] = InputError,
) -> ArrayTN:
    """Anything two-dimensional as a float64 (T, N) array, C order, aligned, a copy.

    Parameters
    ----------
    value : pandas or polars frame or column, NumPy array, sequence; one dimension is one column; booleans become 0 and 1
    name : how the argument is called in errors
    rows, columns : the shape that is expected, where it is known
    error : what to raise

    NaN stays NaN; None, null and NA become NaN. Raises `error` for text, other types, ragged rows and wrong shapes.
    """
    if isinstance(value, np.ndarray) and value.ndim <= 2 and value.dtype.kind in "fb":
        out = np.array(value.reshape(-1, 1) if value.ndim < 2 else value, dtype=np.float64, order="C")
    else:
        out = _stacked(value, name, error)
    wanted = (out.shape[0] if rows is None else rows, out.shape[1] if columns is None else columns)
    if out.shape != wanted:
        raise error(f"{name} has shape {out.shape}; expected {wanted} (bars, assets)")
    return out


def _stacked(value: Any, name: str, error: type[VecbtError]) -> ArrayTN:
    try:
        parts = _columns(value)
    except ValueError as problem:
        raise error(f"{name} cannot be read as a table of numbers: {problem}") from problem
    if not parts:
        raise error(f"{name} has no column")
    out = np.empty((len(parts[0]), len(parts)), dtype=np.float64)
    for k, part in enumerate(parts):
        plain = _plain(part)
        if plain.dtype.kind == "b":
            out[:, k] = plain
            continue
        if plain.dtype.kind == "O" and all(_is_missing(v) or isinstance(v, (bool, np.bool_)) for v in plain):
            out[:, k] = [np.nan if _is_missing(v) else float(v) for v in plain]
            continue
        out[:, k], faults = numbers(part)
        if faults:
            first = faults[0]
            what = {"text": "text", "type": "no number", "overflow": "an integer too large for float64"}[first.kind]
            raise error(f"{name}, row {first.row}, column {k}: {first.value!r} is {what}; expected numbers (NaN for missing ones)")
    return out
