"""`save`: a result as a folder of Parquet and JSON files that can be read, and run again, anywhere."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import platform
import sys
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...core.jit import ENGINE, kernel_sources_hash
from ...core.state import schema_hash
from ...engine.inputs import AlignedInputs
from ...errors import ConfigError
from .bars import save_bars
from .folder import check_target, digest_of, replacing, write_json, write_manifest
from .source import describe_source
from .tables import as_records, describe_records, write_panel, write_records
from .values import Json, encode

if TYPE_CHECKING:
    from ...data.bars import Bars
    from ...engine.run import Run
    from ..result import Result

__all__ = ["CURVES", "INPUTS", "PARTS", "STATISTICS", "environment", "inputs_digest", "save", "seeds_in", "statistics_of"]

CURVES, INPUTS, STATISTICS = "curves.parquet", "inputs.parquet", "statistics.json"
PARTS = ("bars", "setup", "source", "inputs")
"""What a run was made of; everything else in a `Run` is what came out."""

_PACKAGES = ("numpy", "numba", "pandas", "polars", "scipy")
_ROOT = __name__.partition(".")[0]


def save(
    result: Result,
    folder: str | PathLike[str],
    *,
    bars: str | PathLike[str] | None = None,
    reading: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a result into a folder: see `Result.save`, which explains the arguments.

    The folder appears whole or not at all. Raises ConfigError where it may not be written, and for a parameter that cannot be
    written as a plain value.
    """
    target = check_target(folder, overwrite)
    if bars is not None and target.resolve() in Path(bars).expanduser().resolve().parents:
        raise ConfigError(f"bars is {str(bars)!r}, inside the folder that is written; give a file outside, or leave bars out for a copy")
    run = result.run
    with replacing(target) as work:
        inputs = _save_inputs(work, run.bars, run.inputs)
        produced = _save_produced(work, run)
        source = describe_source(run.source)
        setup = encode(run.setup, "setup")
        about_bars = save_bars(work, run.bars, bars, reading)
        write_json(work / STATISTICS, statistics_of(result))
        parts = {
            "title": result.title,
            **environment(),
            "hashes": {
                "bars": about_bars["hash"],
                "setup": run.setup.digest(),
                "source": digest_of(source),
                "inputs": inputs_digest(run.inputs),
                "kernels": kernel_sources_hash(),
                "records": {name: schema_hash(records.dtype) for name, records in _records(run).items()},
            },
            "seeds": seeds_in(source.get("parameters", {})),
            "setup": setup,
            "source": source,
            "inputs": inputs,
            "bars": about_bars,
            "produced": produced,
        }
        write_manifest(work, parts)
    return Path(folder)


def environment() -> dict[str, Json]:
    """Versions of vecbt, Python and the packages that compute, and the kind of machine."""
    installed = {name: _version(name) for name in _PACKAGES}
    system = {"python": platform.python_version(), "system": platform.system(), "machine": platform.machine(), "engine": ENGINE}
    return {"vecbt": sys.modules[_ROOT].__version__, "environment": system | installed}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def seeds_in(parameters: Json) -> dict[str, Json]:
    """The parameters of a strategy that are called a seed."""
    return {name: value for name, value in parameters.items() if name == "seed" or name.endswith("_seed")}


def inputs_digest(inputs: AlignedInputs) -> str:
    """SHA-256 of the inputs, bit by bit."""
    digest = hashlib.sha256(inputs.kind.name.encode())
    for name, array in _arrays(inputs).items():
        digest.update(f"{name} {array.dtype.descr} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _arrays(inputs: AlignedInputs) -> dict[str, NDArray[Any]]:
    """Every array of the inputs by name; what a subclass adds is none of them."""
    parts = {f.name: getattr(inputs, f.name) for f in dataclasses.fields(AlignedInputs)}
    return {name: value for name, value in parts.items() if isinstance(value, np.ndarray)}


def _save_inputs(folder: Path, bars: Bars, inputs: AlignedInputs) -> Json:
    """Matrices (T, N) go into one table, records and lists of numbers into one each, the rest into the manifest."""
    arrays = _arrays(inputs)
    matrices = {name: array for name, array in arrays.items() if array.dtype.names is None and array.shape == bars.shape}
    lists = {name: array for name, array in arrays.items() if array.dtype.names is None and array.ndim == 1}
    records: dict[str, Any] = {name: array for name, array in arrays.items() if array.dtype.names is not None}
    records |= {name: as_records(array) for name, array in lists.items()}
    if matrices:
        write_panel(folder / INPUTS, bars.index, bars.symbols, matrices)
    for name, rows in records.items():
        write_records(folder / f"inputs_{name}.parquet", rows)
    others = [f.name for f in dataclasses.fields(AlignedInputs) if f.name not in matrices | records]
    return {
        "matrices": list(matrices),
        "lists": list(lists),
        "records": {name: describe_records(rows) for name, rows in records.items()},
        "values": {name: encode(getattr(inputs, name), f"inputs.{name}") for name in others},
    }


def _produced(run: Run) -> dict[str, Any]:
    return {f.name: getattr(run, f.name) for f in dataclasses.fields(run) if f.name not in PARTS}


def _records(run: Run) -> dict[str, Any]:
    return {name: value for name, value in _produced(run).items() if isinstance(value, np.ndarray) and value.dtype.names is not None}


def _save_produced(folder: Path, run: Run) -> Json:
    """Series by bar and account (T, G) go into one table, records into one each, the rest into the manifest."""
    produced, records = _produced(run), _records(run)
    curves = {name: v for name, v in produced.items() if isinstance(v, np.ndarray) and v.ndim == 2 and v.shape == run.equity.shape}
    names = run.bars.symbols if run.equity.shape[1] > 1 else ("account",)
    write_panel(folder / CURVES, run.bars.index, names, curves, key="account")
    for name, rows in records.items():
        write_records(folder / f"{name}.parquet", rows)
    values = {name: encode(v, f"run.{name}") for name, v in produced.items() if name not in curves and name not in records}
    return {
        "accounts": list(names),
        "curves": list(curves),
        "records": {name: describe_records(rows) for name, rows in records.items()},
        "values": values,
    }


def statistics_of(result: Result) -> Json:
    """Title, statistics and every assumption in force as plain JSON; what is undefined is null, times are text."""
    stats = result.stats()
    columns = {"account": stats} if stats.ndim == 1 else dict(stats.items())
    return {
        "title": result.title,
        "stats": {str(account): {name: _plain(value) for name, value in column.items()} for account, column in columns.items()},
        "assumptions": result.assumptions().to_dict(orient="records"),
    }


def _plain(value: Any) -> Json:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, bool | int | str) or value is None:
        return value
    number = float(value)
    return number if number - number == 0.0 else None
