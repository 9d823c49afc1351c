"""Saved state as bytes: one line of JSON that says what it is, then the arrays as they lie in memory. No pickle."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import StateError

__all__ = ["header_of", "pack", "unpack"]


def pack(header: dict[str, Any], *arrays: NDArray[Any]) -> bytes:
    """`header` (JSON-able) and arrays of plain numbers or flat records, as bytes."""
    raw = [np.ascontiguousarray(a).tobytes() for a in arrays]
    shapes = [{"shape": list(a.shape), "dtype": np.lib.format.dtype_to_descr(a.dtype)} for a in arrays]
    line = json.dumps({"vecbt": 1, **header, "arrays": shapes}, sort_keys=True).encode()
    return b"".join([line, b"\n", *raw])


def header_of(data: bytes) -> dict[str, Any]:
    """The line that says what the bytes are."""
    try:
        header = json.loads(bytes(data).partition(b"\n")[0])
        header["arrays"]
    except (ValueError, TypeError, KeyError) as error:
        raise StateError("these bytes are no saved state of vecbt; give back what save() returned, unchanged") from error
    return dict(header)


def _as_dtype(description: Any) -> np.dtype[Any]:
    """The dtype from its JSON form, where tuples have become lists."""
    return np.lib.format.descr_to_dtype([tuple(field) for field in description] if isinstance(description, list) else description)


def unpack(data: bytes, expected: dict[str, Any]) -> list[NDArray[Any]]:
    """The arrays (writable copies), after checking that the header says what is `expected`."""
    header = header_of(data)
    for key, value in expected.items():
        if header.get(key) != value:
            raise StateError(f"the saved state has {key} {header.get(key)!r}; expected {value!r}: restore it where it was saved from")
    body = memoryview(bytes(data).partition(b"\n")[2])
    arrays, at = [], 0
    for entry in header["arrays"]:
        dtype = _as_dtype(entry["dtype"])
        count = math.prod(entry["shape"])
        if at + count * dtype.itemsize > len(body):
            raise StateError(f"the saved state is cut short: {len(data)} bytes; give back all that save() returned")
        arrays.append(np.frombuffer(body, dtype=dtype, count=count, offset=at).reshape(entry["shape"]).copy())
        at += count * dtype.itemsize
    if at != len(body):
        raise StateError(f"{len(body) - at} bytes stand after the saved state; give back what save() returned, unchanged")
    return arrays
