"""Records: the state and the parameters of kernels. What can be named, printed, saved and compared."""

from __future__ import annotations

import ctypes
import functools
import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Records
from .jit import ENGINE

__all__ = ["padded", "plain", "records", "schema_hash", "words"]

_LINE = 64
_BYTE = ctypes.c_char


def records(dtype: np.dtype[Any], count: int) -> Records:
    """`count` records of `dtype`, all zero, C order, writable. The first begins on a cache line."""
    size = count * dtype.itemsize
    raw = np.zeros(size + _LINE, dtype=np.uint8)
    first = -ctypes.addressof(_BYTE.from_buffer(raw.data)) % _LINE  # NumPy takes three times as long to say it
    # what `view(dtype).view(np.recarray)` makes, without asking twice what the fields are
    named = dtype if dtype.type is np.record else _with_attributes(dtype)
    made: Records = np.ndarray.__new__(np.recarray, (count,), named, raw, first)
    return made


@functools.lru_cache(maxsize=1_000)
def _with_attributes(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype((np.record, dtype))


def padded(dtype: np.dtype[Any], size: int) -> np.dtype[Any]:
    """The same record, `size` bytes long."""
    if size == dtype.itemsize:
        return dtype
    fields: dict[str, Any] = dict(dtype.fields or {})
    names = list(fields)
    places = [fields[name][1] for name in names]
    return np.dtype({"names": names, "formats": [dtype[name] for name in names], "offsets": places, "itemsize": size}, align=True)


def plain(array: Records) -> Any:
    """The same records as compiled kernels take them fastest: without the attribute access that uncompiled ones need.

    The compiled signature is the same; handing over a recarray costs microseconds, a plain structured array tenths of one.
    """
    return array.view(np.ndarray) if ENGINE == "numba" else array


def words(array: Records | NDArray[Any]) -> NDArray[np.int64]:
    """The memory of records, eight bytes each, a row for every record: (count, bytes / 8).

    NumPy copies records field by field, forty fields in as many microseconds.
    """
    quick = array.view(np.ndarray)
    return quick.view(np.int64).reshape(len(quick), quick.itemsize // 8)


def schema_hash(*dtypes: np.dtype[Any]) -> str:
    """Hash of names, types and offsets of records, 16 hexadecimal digits: states of another layout are refused by it."""
    text = "|".join(str([(name, str(d.fields[name][0]), d.fields[name][1]) for name in d.names]) for d in dtypes)  # type: ignore[index,union-attr]
    return hashlib.sha256(text.encode()).hexdigest()[:16]
