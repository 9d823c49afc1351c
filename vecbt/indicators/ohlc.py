"""Prices of bars for indicators that need more than closes."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._typing import ArrayTN
from ..core.kernel import BAR_FIELDS
from ..data.touch import is_pandas, is_polars
from ..errors import InputError
from .shape import Wrap, readonly, refuse_infinite, unwrap

__all__ = ["prices_of"]

_FIELDS = BAR_FIELDS[:5]


def prices_of(bars: Any, result: str, *fields: str) -> tuple[list[ArrayTN], Wrap]:
    """The named fields of bars as read-only (T, N) matrices, and the function that wraps a result named `result`.

    `bars` is a Bars, a block (5, T, N), or a pandas or polars frame of one asset with these columns in any case. `session`, the number
    of the day a bar's session is dated by, is known to Bars; a frame has it as a column.
    """
    if is_pandas(bars) or is_polars(bars):
        return _of_frame(bars, result, fields)
    block = getattr(bars, "block", bars)
    if not isinstance(block, np.ndarray) or block.ndim != 3 or block.shape[0] != len(_FIELDS):
        found = f"an array of shape {block.shape}" if isinstance(block, np.ndarray) else type(bars).__name__
        raise InputError(f"bars is {found}; expected Bars, a block (5, T, N), or a frame with columns {', '.join(fields)}")
    if block is bars and np.isinf(block[:4]).any():
        raise InputError("the block has infinite prices; a bar without a market is NaN in all of them")
    if block is bars and "session" in fields:
        raise InputError(f"{result} needs sessions, which a block does not have; give Bars, or a frame with a column session")
    if "volume" in fields and not getattr(bars, "has_volume", True):
        raise InputError(f"{result} needs volume, and these bars have none")
    block = np.require(block, dtype=np.float64, requirements=["C", "A"])
    return [readonly(_sessions(bars) if field == "session" else block[_FIELDS.index(field)]) for field in fields], lambda out: out


def _sessions(bars: Any) -> ArrayTN:
    """Session days as a matrix (T, N)."""
    return np.ascontiguousarray(np.broadcast_to(bars.session.astype(np.float64)[:, None], bars.block.shape[1:]))


def _of_frame(frame: Any, result: str, fields: tuple[str, ...]) -> tuple[list[ArrayTN], Wrap]:
    names = {str(column).lower(): column for column in frame.columns}
    missing = [field for field in fields if field not in names]
    if missing:
        raise InputError(f"the frame has no column {missing[0]!r}; it has {', '.join(map(str, frame.columns))}")
    parts = [unwrap(frame[names[field]], field) for field in fields]
    rows, wrap = [matrix for matrix, _ in parts], parts[0][1]
    refuse_infinite(rows, fields)
    return rows, lambda out: _named(wrap(out), result)


def _named(series: Any, name: str) -> Any:
    return series.rename(name) if is_pandas(series) else series.alias(name)
