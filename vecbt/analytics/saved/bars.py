"""The bars of a saved result: in its folder, or by path and hash in a file that many results share."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import os
import secrets
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.bars import Bars
from ...data.market import Market
from ...data.quality import FIELDS
from ...errors import ConfigError, StateError, VecbtError
from .tables import read_panel, write_panel
from .values import Json, decode, encode

__all__ = ["BARS", "content_of", "load_bars", "save_bars"]

BARS = "bars.parquet"
_BESIDE = ("index", "market", "_fields", "periods_per_year_source")
_READERS = {".csv": Bars.read_csv, ".parquet": Bars.read_parquet}


def _columns(bars: Bars) -> dict[str, NDArray[Any]]:
    """Every matrix (T, N) of the bars: prices, volume where there is one, events."""
    prices = {name: getattr(bars, name) for name in (FIELDS if bars.has_volume else FIELDS[:4])}
    return prices | {name: value for name, value in _others(bars).items() if _is_matrix(value, bars.T)}


def _others(bars: Bars) -> dict[str, Any]:
    return {f.name: getattr(bars, f.name) for f in dataclasses.fields(bars) if f.name not in _BESIDE}


def _is_matrix(value: Any, count: int) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 2 and len(value) == count


def content_of(bars: Bars) -> str:
    """SHA-256 of index and matrices, bit by bit. Unlike `Bars.content_hash` it does not depend on what a `Market` has."""
    digest = hashlib.sha256(np.ascontiguousarray(bars.index).data)
    for name, matrix in sorted(_columns(bars).items()):
        digest.update(f"{name} {matrix.shape} {matrix.dtype.str}".encode())
        digest.update(np.ascontiguousarray(matrix).data)
    return digest.hexdigest()


def save_bars(folder: Path, bars: Bars, path: str | PathLike[str] | None, reading: Mapping[str, Any] | None) -> Json:
    """What the manifest says about the bars; their table is written into the folder, or to `path` if there is none yet.

    Raises
    ------
    ConfigError
        The file at `path` holds other bars, or `reading` cannot be saved.
    """
    about = {
        "hash": bars.content_hash,
        "content": content_of(bars),
        "shape": [bars.T, bars.N],
        "market": bars.market.to_dict(),
        "source": bars.periods_per_year_source,
        "others": {name: encode(value, f"bars.{name}") for name, value in _others(bars).items() if not _is_matrix(value, bars.T)},
    }
    if path is None:
        if reading is not None:
            raise ConfigError("reading says how the file of bars is read, but bars=... names no file")
        write_panel(folder / BARS, bars.index, bars.symbols, _columns(bars))
        return about | {"file": BARS}
    file = Path(path).expanduser().resolve()
    if not file.exists():
        _write_shared(file, bars)
    return about | _place(folder, file) | _found_in(file, bars, about, reading)


def _write_shared(file: Path, bars: Bars) -> None:
    if file.suffix.lower() != ".parquet" or not file.parent.is_dir():
        raise ConfigError(f"bars is {str(file)!r}, which is not there; a new file must end in .parquet, in a folder that exists")
    work = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    write_panel(work, bars.index, bars.symbols, _columns(bars))
    os.replace(work, file)


def _place(folder: Path, file: Path) -> Json:
    """Both ways to the file: folder and file may move together, or the folder alone."""
    return {"path": str(file), "from_folder": Path(os.path.relpath(file, folder)).as_posix()}


def _found_in(file: Path, bars: Bars, about: Json, reading: Mapping[str, Any] | None) -> Json:
    """How the file gives these very bars again; ConfigError if it does not."""
    if reading is None and _is_our_table(file, bars, about):
        return {"reader": "table"}
    if file.suffix.lower() not in _READERS:
        raise ConfigError(f"bars is {str(file)!r}; expected a file called .csv or .parquet")
    try:
        found = _READERS[file.suffix.lower()](file, **(reading or {}))
    except VecbtError as error:
        raise ConfigError(f"bars is {str(file)!r}, which cannot be read as bars: {error}") from error
    if found.content_hash != bars.content_hash:
        hint = "the keywords that made these bars" if reading is not None else "reading={...}, the keywords that made these bars"
        raise ConfigError(f"bars is {str(file)!r}, which holds other bars than this result; give {hint}, or leave bars out to save a copy")
    return {"reader": "file", "reading": encode(dict(reading or {}), "reading")}


def _is_our_table(file: Path, bars: Bars, about: Json) -> bool:
    """Whether a file holds these bars as `write_panel` writes them; else it is a table of the user's own."""
    try:
        return file.suffix.lower() == ".parquet" and _of_table(file, about).content_hash == bars.content_hash
    except VecbtError:
        return False


def _of_table(file: Path, about: Json) -> Bars:
    """The bars of a table written by `write_panel`, and of what the manifest says beside it."""
    market = Market.from_dict(about["market"])
    index, columns = read_panel(file, market.symbols)
    others = {name: decode(node, f"bars.{name}") for name, node in about["others"].items()}
    if not all(isinstance(others.get(name), tuple) for name in ("notes", "repairs")):
        raise StateError("what the manifest says about notes and repairs of the bars is damaged")
    block = np.full((len(FIELDS), *columns["open"].shape), np.nan)
    for k, name in enumerate(FIELDS):
        if name in columns:
            block[k] = columns.pop(name)
        elif name != "volume" or others.get("has_volume"):
            raise StateError(f"{file.name} has no column {name!r}")
    accepted = inspect.signature(Bars._trusted).parameters
    parts = {name: value for name, value in (others | columns).items() if name in accepted}
    return Bars._trusted(block, index, market, source=about["source"], **parts)


def load_bars(folder: Path, about: Json) -> Bars:
    """The bars of a saved result; whether they are the saved ones is for the caller to compare. StateError if they cannot be read."""
    try:
        if "file" in about:
            return _of_table(folder / BARS, about)
        places = [(folder / about["from_folder"]).resolve(), Path(about["path"])]
        file = next((place for place in places if place.is_file()), None)
        if file is None:
            raise StateError(f"the bars were in {about['path']!r}, where no file is now; put it back, or beside the folder as it was")
        if about["reader"] == "table":
            return _of_table(file, about)
        return _READERS[file.suffix.lower()](file, **decode(about["reading"], "reading"))
    except StateError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise StateError(f"the bars cannot be read: {error}") from error
