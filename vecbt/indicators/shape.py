"""What every indicator does with its arguments: make them one matrix, and give back the type that came in."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._typing import ArrayTN
from ..core.jit import kernel_loop
from ..data.touch import as_matrix, is_pandas, is_polars
from ..errors import ConfigError, InputError

__all__ = ["Wrap", "check_window", "readonly", "refuse_infinite", "unwrap"]

Wrap = Callable[[ArrayTN], Any]


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
    """The values as a read-only float64 C-order (T, N) matrix, and the function that gives a result the type that came in.

    Whether values are infinite is not looked at: `refuse_infinite` does that.
    """
    if hasattr(values, "block") and hasattr(values, "market"):
        return readonly(np.ascontiguousarray(values.close)), lambda out: out
    return readonly(values if _is_ready(values) else as_matrix(values, name)), _wrapper(values)


def refuse_infinite(rows: Sequence[ArrayTN], names: Sequence[str], start: int = 0, stop: int | None = None) -> None:
    """InputError where values of these (T, N) matrices are infinite between two bars; it names the first in the whole of a matrix."""
    if all(_infinities(matrix[start:stop].reshape(-1)) == 0 for matrix in rows):
        return
    for name, matrix in zip(names, rows, strict=True):
        bad = np.isinf(matrix)
        if bad.any():
            t, n = np.argwhere(bad)[0]
            raise InputError(f"{name} are infinite at row {t}, column {n} ({int(bad.sum())} in all); a missing value is NaN")


def _is_ready(values: Any) -> bool:
    """Whether kernels, which only read, can take the user's own array: a copy of a large one costs more than many an indicator."""
    if type(values) is not np.ndarray or values.ndim != 2 or values.dtype != np.float64:
        return False
    return values.dtype.isnative and values.flags.c_contiguous and values.flags.aligned


@kernel_loop
def _infinities(values):  # type: ignore[no-untyped-def]
    """How many values are infinite; compiled, because a look at a large matrix otherwise costs as much as a moving average of it.

    Four places at a time: memory is fetched faster in four streams than in one.
    """
    found, part = 0, values.shape[0] // 4
    first, second, third, last = values[:part], values[part : 2 * part], values[2 * part : 3 * part], values[3 * part : 4 * part]
    for i in range(part):
        found += (abs(first[i]) == math.inf) + (abs(second[i]) == math.inf) + (abs(third[i]) == math.inf) + (abs(last[i]) == math.inf)
    for i in range(4 * part, values.shape[0]):
        found += abs(values[i]) == math.inf
    return found


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
