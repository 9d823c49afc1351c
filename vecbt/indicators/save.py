"""Saved state as bytes: one line of JSON that says what it is, then the arrays as they lie in memory. No pickle."""

from __future__ import annotations

import hashlib
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
    body = b"".join(raw)
    marks = {"arrays": shapes, "size": len(body), "sum": _checksum(shapes, body)}
    line = json.dumps({"vecbt": 1, **header, **marks}, sort_keys=True).encode()
    return b"".join([line, b"\n", body])


def _checksum(shapes: Any, body: bytes) -> str:
    return hashlib.sha256(json.dumps(shapes, sort_keys=True).encode() + body).hexdigest()[:16]


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
    body = bytes(data).partition(b"\n")[2]
    size = header.get("size")
    if not isinstance(size, int) or len(body) < size:
        raise StateError(f"the saved state is cut short: {len(data)} bytes; give back all that save() returned")
    if len(body) > size:
        raise StateError(f"{len(body) - size} bytes stand after the saved state; give back what save() returned, unchanged")
    if header.get("sum") != _checksum(header["arrays"], body):
        raise StateError("the saved state is damaged: its checksum does not fit; give back what save() returned, unchanged")
    arrays, at = [], 0
    for entry in header["arrays"]:
        dtype = _as_dtype(entry["dtype"])
        count = math.prod(entry["shape"])
        arrays.append(np.frombuffer(body, dtype=dtype, count=count, offset=at).reshape(entry["shape"]).copy())
        at += count * dtype.itemsize
    return arrays
