"""In and out: CSV and Parquet through polars, and frames of both kinds. No library is imported before it is needed."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .._typing import Table
from ..errors import DataError
from .quality import FIELDS

if TYPE_CHECKING:
    from .bars import Bars

__all__ = ["read_csv_frame", "read_parquet_frame", "to_pandas", "to_polars"]


def _existing(path: Any, kind: str) -> Path:
    if not isinstance(path, (str, PathLike)):
        raise DataError(f"path is {path!r}; expected the path of a {kind} file")
    file = Path(path).expanduser()
    if not file.is_file():
        raise DataError(f"path is {str(path)!r}: no such {kind} file")
    return file


def read_csv_frame(path: Any) -> Table:
    """A CSV file with a header as a polars frame; dates are recognised, empty cells are null."""
    import polars as pl

    file = _existing(path, "CSV")
    try:
        return pl.read_csv(file, try_parse_dates=True, infer_schema_length=None)
    except pl.exceptions.NoDataError as error:
        raise DataError(f"{file.name} is empty; expected a header and at least one bar (rule B1)") from error
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{file.name} cannot be read as CSV: {error}") from error


def read_parquet_frame(path: Any) -> Table:
    """A Parquet file as a polars frame."""
    import polars as pl

    file = _existing(path, "Parquet")
    try:
        return pl.read_parquet(file)
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{file.name} cannot be read as Parquet: {error}") from error


def to_pandas(bars: Bars) -> Table:
    """A pandas frame, index in UTC; columns are fields where N is 1, else (field, symbol)."""
    import pandas as pd

    index = pd.DatetimeIndex(bars.times, tz="UTC", name="time")
    fields = FIELDS if bars.has_volume else FIELDS[:4]
    if bars.N == 1:
        return pd.DataFrame({name: getattr(bars, name)[:, 0] for name in fields}, index=index)
    columns = pd.MultiIndex.from_product([fields, bars.symbols], names=["field", "symbol"])
    return pd.DataFrame(np.concatenate([getattr(bars, name) for name in fields], axis=1), index=index, columns=columns)


def to_polars(bars: Bars) -> Table:
    """A long polars frame: time (UTC), symbol, fields; time outside, symbols inside."""
    import polars as pl

    fields = FIELDS if bars.has_volume else FIELDS[:4]
    times = pl.Series("time", np.repeat(bars.times, bars.N)).dt.replace_time_zone("UTC")
    symbols = pl.Series("symbol", list(bars.symbols) * bars.T)
    return pl.DataFrame([times, symbols, *(pl.Series(name, getattr(bars, name).ravel()) for name in fields)])
