"""Records kept as columns: a field is an array by itself, so that it can be handed on without a copy."""

from __future__ import annotations

from collections.abc import Set
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from .._typing import Records

__all__ = ["Columns"]


class Columns:
    """Numbers by field and line, used as a record array is: `columns["sharpe"]`, `columns[lines]`, `columns[lines] = records`.

    A field of a record array strides over all the others: whoever wants it whole must copy it, and a table of a million lines would stand
    in memory twice.

    Parameters
    ----------
    dtype : of the records, fields of one kind each
    arrays : by field, all of one shape
    """

    def __init__(self, dtype: np.dtype[Any], arrays: dict[str, NDArray[Any]]) -> None:
        self.dtype, self._arrays = dtype, arrays

    @classmethod
    def blank(cls, dtype: np.dtype[Any], shape: tuple[int, ...], without: Set[str] = frozenset()) -> Columns:
        """All NaN; fields that are `without` stay so, whatever is put there, and take no memory."""
        nothing = np.broadcast_to(np.float64(np.nan), shape) if without else None
        arrays: dict[str, Any] = {name: nothing if name in without else np.empty(shape, dtype=dtype[name]) for name in dtype.names or ()}
        for name in arrays.keys() - without:
            arrays[name].fill(np.nan)
        return cls(dtype, arrays)

    @overload
    def __getitem__(self, at: str) -> NDArray[Any]: ...
    @overload
    def __getitem__(self, at: Any) -> Columns: ...
    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, str):
            return self._arrays[at]
        return Columns(self.dtype, {name: array[at] for name, array in self._arrays.items()})

    def __setitem__(self, at: Any, records: Records | Columns) -> None:
        for name, array in self._arrays.items():
            if array.flags.writeable:
                array[at] = records[name]

    def tobytes(self) -> bytes:
        """The bytes of all fields, one after the other."""
        return b"".join(array.tobytes() for array in self._arrays.values())
