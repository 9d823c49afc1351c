"""The gate of the evidence: what returns and block sums may look like, and how answers go back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayTN
from ..errors import ConfigError, InputError
from ..metrics._columns import as_columns

__all__ = [
    "Numbers", "as_returns", "block_edges", "checked_blocks", "checked_count", "checked_share", "edges_of", "scalar_or_array", "undefined",
]  # fmt: skip

Numbers = float | NDArray[np.float64]
"""One number, or one each of several columns or sets."""


def as_returns(returns: Any, name: str = "returns") -> tuple[ArrayTN, bool]:
    """Simple returns per bar as read-only float64 (T, C), and whether one series came in. Infinite values are refused."""
    matrix, _ = as_columns(returns, name)
    return matrix, len(getattr(returns, "shape", np.shape(returns))) < 2 and matrix.shape[1] == 1


def scalar_or_array(values: Any, single: bool) -> Numbers:
    """A float where one series came in, else the array."""
    array = np.asarray(values, dtype=np.float64)
    return float(array.reshape(-1)[0]) if single else array


def undefined(values: Any) -> Numbers:
    """A NaN for each of the values."""
    return float("nan") if np.ndim(values) == 0 else np.full(np.shape(values), np.nan)


def checked_share(value: float, name: str) -> float:
    """A share strictly between 0 and 1."""
    share = float(value)
    if not 0.0 < share < 1.0:
        raise ConfigError(f"{name} must lie strictly between 0 and 1; found {value!r}")
    return share


def checked_count(value: Any, name: str, least: int = 1) -> int:
    """A whole number of at least so many."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ConfigError(f"{name} must be a whole number of at least {least}; found {value!r}")
    return int(value)


def block_edges(bars: int, count: int) -> NDArray[np.int64]:
    """Where parts of the bars begin and end, (count + 1,): part b holds the bars from b*T//B to (b + 1)*T//B - 1, as in sweeps."""
    return np.arange(count + 1, dtype=np.int64) * bars // count


def edges_of(bars: Any, count: int) -> NDArray[np.int64]:
    """`block_edges` of a checked number of bars."""
    return block_edges(checked_count(bars, "bars"), count)


def checked_blocks(blocks: Any, powers: int, name: str = "blocks") -> NDArray[np.float64]:
    """Block sums (C, B, K) as they are, with at least so many powers; a map of a file stays one."""
    array = blocks if isinstance(blocks, np.ndarray) else np.asarray(blocks)
    if array.ndim != 3 or array.shape[2] < powers or array.shape[1] < 2 or array.dtype != np.float64:
        expected = f"float64 (sets, blocks, {powers} or more): sums of r, r^2, ... over parts of the bars"
        raise InputError(f"{name} must be {expected}; found {array.dtype} {array.shape}")
    return array
