"""Arrays and records as Parquet and back, to the last bit: NaN, its sign and its payload, and minus zero included.

A panel (rows times columns) becomes a long table with a row per time and name; records become a table with a column per
field, whatever fields they have.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._typing import IndexT, Records
from ...core.state import padded
from ...errors import StateError
from .values import Json, plain_dtype

__all__ = ["as_records", "describe_records", "plain_list", "read_panel", "read_records", "write_panel", "write_records"]

_VALUE = "value"
_MOST_ROOM = 128  # bytes of a record that belong to no field: whole cache lines (engine.books)


def write_panel(path: Path, index: IndexT, names: Sequence[str], columns: Mapping[str, NDArray[Any]], *, key: str = "symbol") -> None:
    """Write matrices (T, N) as one long table: `time` (UTC), `key` (the N names), a column each; time outside.

    Parameters
    ----------
    path : the Parquet file
    index : int64 (T,), ns UTC
    names : N unique names of the columns of the matrices
    columns : name -> (T, N)
    """
    import polars as pl

    count = len(names)
    times = pl.Series("time", np.repeat(index, count)).cast(pl.Datetime("ns", "UTC"))
    codes = np.tile(np.arange(count, dtype=np.uint32), len(index))
    labels = pl.Series(key, list(names), dtype=pl.Enum(list(names))).gather(codes)
    values = [pl.Series(name, np.ascontiguousarray(matrix).ravel()) for name, matrix in columns.items()]
    pl.DataFrame([times, labels, *values]).write_parquet(path)


def read_panel(path: Path, names: Sequence[str], *, key: str = "symbol") -> tuple[IndexT, dict[str, NDArray[Any]]]:
    """The index (T,) and the matrices (T, N) by name that `write_panel` wrote; StateError for a table that is no such thing."""
    import polars as pl

    try:
        frame = pl.read_parquet(path)
        times = frame["time"].cast(pl.Datetime("ns", "UTC")).to_physical().to_numpy()
        codes = frame[key].cast(pl.Enum(list(names))).to_physical().to_numpy()
        columns = {name: frame[name].to_numpy() for name in frame.columns if name not in ("time", key)}
    except (OSError, pl.exceptions.PolarsError) as error:
        raise StateError(f"{path.name} cannot be read as a table of {', '.join(names[:3])} by time: {error}") from error
    shape = (len(frame) // len(names), len(names))
    if shape[0] * shape[1] != len(frame) or len(frame) == 0:
        raise StateError(f"{path.name} has {len(frame)} rows; expected a row for each time and each of {len(names)} names")
    by_time, by_name = times.reshape(shape), codes.reshape(shape)
    index: IndexT = by_time[:, 0].astype(np.int64)
    if (by_time != index[:, None]).any() or (by_name != np.arange(shape[1])).any() or (np.diff(index) <= 0).any():
        raise StateError(f"{path.name} is not in order: expected times rising, and in each the names {', '.join(names[:3])}, ...")
    return index, {name: values.reshape(shape).copy() for name, values in columns.items()}


def as_records(values: NDArray[Any]) -> Records:
    """A list of numbers (K,) as records with one field."""
    out = np.zeros(len(values), dtype=[(_VALUE, values.dtype)]).view(np.recarray)
    out[_VALUE] = values
    return out


def plain_list(records: Records) -> NDArray[Any]:
    """The numbers that `as_records` was given."""
    return np.ascontiguousarray(records[_VALUE])


def describe_records(records: Records) -> Json:
    """The layout of records, for `read_records`: count, fields with type and shape, whether they are aligned, how long one is."""
    dtype = records.dtype
    fields = [[name, dtype[name].base.str, list(dtype[name].shape)] for name in dtype.names or ()]
    return {"count": len(records), "fields": fields, "aligned": bool(dtype.isalignedstruct), "bytes": dtype.itemsize}


def write_records(path: Path, records: Records) -> None:
    """Write records as a table with a column per field; a field that is an array gets one per element, `name.0` and so on."""
    import polars as pl

    columns = []
    for name in records.dtype.names or ():
        flat = np.ascontiguousarray(records[name]).reshape(len(records), -1) if len(records) else _no_rows(records.dtype[name])
        numbered = records.dtype[name].shape != ()
        for k in range(flat.shape[1]):
            column = np.ascontiguousarray(flat[:, k])
            columns.append(pl.Series(f"{name}.{k}" if numbered else name, column.view(np.int64) if column.dtype.kind == "M" else column))
    pl.DataFrame(columns).write_parquet(path)


def _no_rows(dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.empty((0, math.prod(dtype.shape)), dtype=dtype.base)


def read_records(path: Path, layout: Json) -> Records:
    """The records that `write_records` wrote; StateError for a table of another layout."""
    import polars as pl

    kinds = [(str(name), plain_dtype(text), tuple(shape)) for name, text, shape in layout["fields"]]
    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise StateError(f"{path.name} cannot be read: {error}") from error
    if len(frame) != layout["count"]:
        raise StateError(f"{path.name} has {len(frame)} rows; {layout['count']} were saved")
    dense = np.dtype(kinds, align=bool(layout["aligned"]))
    size = layout["bytes"]
    if not isinstance(size, int) or not dense.itemsize <= size <= dense.itemsize + _MOST_ROOM:
        raise StateError(f"{path.name}: a record is said to have {size!r} bytes; its fields have {dense.itemsize}")
    out = np.zeros(len(frame), dtype=padded(dense, size)).view(np.recarray)
    for name, base, shape in kinds:
        labels = [f"{name}.{k}" for k in range(math.prod(shape))] if shape else [name]
        missing = [label for label in labels if label not in frame.columns]
        if missing:
            raise StateError(f"{path.name} has no column {missing[0]!r}, which was saved")
        parts = [frame[label].to_numpy() for label in labels]
        if any(part.dtype.itemsize != base.itemsize or part.dtype.kind != ("i" if base.kind == "M" else base.kind) for part in parts):
            raise StateError(f"{path.name}: the column {name!r} is no {base} any more")
        stacked = np.stack([part.view(base) for part in parts], axis=-1) if shape else parts[0].view(base)
        out[name] = stacked.reshape((len(frame), *shape))
    return out
