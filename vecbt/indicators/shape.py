"""What every indicator does with its arguments: make them one matrix, and give back the type that came in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._typing import ArrayTN
from ..data.touch import as_matrix, is_pandas, is_polars
from ..errors import ConfigError, InputError

__all__ = ["Wrap", "check_window", "readonly", "unwrap"]

Wrap = Callable[[ArrayTN], Any]

_PIECE = 131_072


def check_window(value: Any, name: str = "window") -> int:
    """A whole number of bars of at least 1, as a plain int."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ConfigError(f"{name} is {value!r}; expected a whole number of bars of at least 1")
    return int(value)


def readonly(array: ArrayTN) -> ArrayTN:
    """A read-only view: kernels then see one array type, whether the data is the user's or ours."""
    view = array.view()
    view.flags.writeable = False
    return view


def unwrap(values: Any, name: str = "values") -> tuple[ArrayTN, Wrap]:
    """The values as a read-only float64 C-order (T, N) matrix, and the function that gives a result the type that came in."""
    if hasattr(values, "block") and hasattr(values, "market"):
        return readonly(np.ascontiguousarray(values.close)), lambda out: out
    matrix = values if _is_ready(values) else as_matrix(values, name)
    if _has_infinite(matrix):
        bad = np.isinf(matrix)
        t, n = np.argwhere(bad)[0]
        raise InputError(f"{name} are infinite at row {t}, column {n} ({int(bad.sum())} in all); a missing value is NaN")
    return readonly(matrix), _wrapper(values)


def _is_ready(values: Any) -> bool:
    """Whether kernels, which only read, can take the user's own array: a copy of a large one costs more than many an indicator."""
    if type(values) is not np.ndarray or values.ndim != 2 or values.dtype != np.float64:
        return False
    return values.dtype.isnative and values.flags.c_contiguous and values.flags.aligned


def _has_infinite(matrix: ArrayTN) -> bool:
    """Looked for a piece at a time, so that what is looked at stays in the cache."""
    flat = matrix.reshape(-1)
    return any(np.isinf(flat[start : start + _PIECE]).any() for start in range(0, flat.size, _PIECE))


def _wrapper(values: Any) -> Wrap:
    if is_pandas(values):
        import pandas as pd

        if values.ndim == 1:
            return lambda out: pd.Series(out[:, 0], index=values.index, name=values.name)
        return lambda out: pd.DataFrame(out, index=values.index, columns=values.columns)
    if is_polars(values):
        import polars as pl

        if isinstance(values, pl.Series):
            return lambda out: pl.Series(values.name, out[:, 0])
        return lambda out: pl.DataFrame({column: out[:, n] for n, column in enumerate(values.columns)})
    if np.ndim(values) < 2:
        return lambda out: out[:, 0]
    return lambda out: out
