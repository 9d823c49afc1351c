"""The gate of the metrics: one series or several columns become float64 `(T, C)`, and answers go back in the caller's shape."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._typing import ArrayN, ArrayTN
from ..data.touch import as_matrix, is_pandas
from ..errors import ConfigError, InputError
from ..indicators.shape import readonly

__all__ = ["as_columns", "checked_initial", "checked_periods", "checked_share"]


def as_columns(value: Any, name: str) -> tuple[ArrayTN, Callable[[Any], Any]]:
    """The values as read-only C-order float64 `(T, C)` and the function that gives a `(C,)` answer the caller's shape.

    A series `(T,)` gets a float back, a pandas frame a Series by column, any other matrix an array `(C,)`.
    NaN passes (each metric says what it does with it), infinite values and text are refused.
    """
    matrix = readonly(as_matrix(value, name))
    infinite = np.isinf(matrix)
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        raise InputError(f"{name} is infinite at row {row}, column {column} ({int(infinite.sum())} in all); mark what is unknown by NaN")
    if len(getattr(value, "shape", (0,))) < 2 and matrix.shape[1] == 1:
        return matrix, lambda answer: float(np.asarray(answer).reshape(-1)[0])
    if not is_pandas(value):
        return matrix, np.asarray

    def labelled(answer: Any) -> Any:
        import pandas

        return pandas.Series(np.asarray(answer), index=value.columns)

    return matrix, labelled


def checked_initial(initial: Any, columns: int) -> ArrayN:
    """The equity before the first bar, one number for all columns or one each, as `(C,)`; finite and positive."""
    values = np.asarray(initial, dtype=np.float64)
    if values.ndim > 1 or (values.ndim == 1 and values.shape[0] != columns):
        raise InputError(f"initial has shape {values.shape}; expected one number or ({columns},), one for each column")
    if not (np.isfinite(values) & (values > 0.0)).all():
        raise InputError(f"initial must be finite and positive, the equity before the first bar; found {initial!r}")
    return readonly(np.array(np.broadcast_to(values, (columns,))))


def checked_periods(periods_per_year: float) -> float:
    """Bars a year as a float: finite and positive."""
    value = float(periods_per_year)
    if not (math.isfinite(value) and value > 0.0):
        raise ConfigError(f"periods_per_year must be finite and positive (bars a year); found {periods_per_year!r}")
    return value


def checked_share(value: float, name: str) -> float:
    """A share strictly between 0 and 1."""
    share = float(value)
    if not 0.0 < share < 1.0:
        raise ConfigError(f"{name} must lie strictly between 0 and 1; found {value!r}")
    return share
