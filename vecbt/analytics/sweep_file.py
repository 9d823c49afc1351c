"""A sweep in a folder: lines as Parquet, parameters and texts as JSON with a hash of the lines; written aside, then renamed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Table
from ..core.identity import identity
from ..core.sets import Sets
from ..data.bars import Bars
from ..engine.columns import Columns
from ..engine.strategy import Strategy, as_strategy, written
from ..engine.sweep import SweepRun
from ..engine.sweep_blocks import BLOCK_NAMES
from ..engine.sweep_pairs import INTRABAR, Envelope
from ..errors import ConfigError, StateError
from ..metrics.returns import RETURNS_METRICS
from ..metrics.trades import TRADES_METRICS
from .saved.folder import digest_of, file_hash, replacing, write_json
from .saved.values import Json, decode, encode
from .sweep_lines import FRAGILITY, METRICS, About, Lines, put_measured, with_ends
from .sweep_sums import BlockSums

__all__ = ["SCHEMA", "file_columns", "load", "measured_in", "run_of", "run_with", "save"]

SCHEMA = 2
"""Number of the layout; another one is refused."""

_WHAT = "a saved sweep of vecbt"
_LINES, _ABOUT = "lines.parquet", "sweep.json"


def save(lines: Lines, metrics: tuple[str, ...], folder: str | Path, *, overwrite: bool) -> Path:
    """Write lines into a folder; ConfigError where it may not be."""
    import polars as pl

    target = _target(Path(folder).expanduser(), overwrite)
    columns = file_columns(lines.number, lines.account, lines.done, lines.initial, lines.metrics, lines.other)
    columns |= {f"code {k}": lines.sets.codes[:, k] for k in range(len(lines.sets.names))}
    about = lines.about
    with replacing(target) as work:
        pl.DataFrame(columns).write_parquet(work / _LINES)
        if lines.sums is not None:
            lines.sums.write(work)
        node: dict[str, Json] = {
            "what": _WHAT,
            "schema": SCHEMA,
            "strategy": {"name": about.strategy, "written": about.written},
            "keywords": about.keywords,
            "bars": {"hash": about.content_hash, "symbols": list(about.symbols), "count": about.bars},
            "run": {
                "separate": about.separate, "seconds": about.seconds, "sets": about.sets, "ran": about.ran,
                "rf": about.rf, "mar": about.mar, "kernels": about.kernels, "code": about.code,
            },
            "names": list(lines.sets.names),
            "values": [[_value(v) for v in values] for values in lines.sets.values],
            "metrics": list(metrics),
            "errors": {str(c): text for c, text in lines.errors.items()},
            "lines": file_hash(work / _LINES),
            "sums": None if lines.sums is None else [file_hash(work / name) for name in BLOCK_NAMES],
        }  # fmt: skip
        write_json(work / _ABOUT, node | {"sum": digest_of(node)})
    return target


def file_columns(
    number: NDArray[np.int64], account: NDArray[np.int64], done: NDArray[np.bool_], initial: NDArray[np.float64],
    metrics: Mapping[str, NDArray[np.float64]], other: Mapping[str, NDArray[np.float64]],
) -> dict[str, NDArray[Any]]:  # fmt: skip
    """Columns of lines in a file: what `measured_in` reads. `other` are the metrics under the other intrabar rule, or none."""
    columns: dict[str, NDArray[Any]] = {"number": number, "account": account, "done": done, "initial": initial}
    columns |= {f"metric {name}": metrics[name] for name in METRICS if name in metrics}
    return columns | {f"other {name}": values for name, values in other.items()}


_Metrics = dict[str, NDArray[np.float64]]


def measured_in(frame: Table) -> tuple[NDArray[np.float64], _Metrics, _Metrics]:
    """Money at the start, the metrics, and those under the other intrabar rule where there are any, of the lines in a file."""
    names = (*METRICS, FRAGILITY) if f"other {FRAGILITY}" in frame.columns else ()
    other = {name: frame[f"other {name}"].to_numpy().copy() for name in names}
    there = {name: f"metric {name}" for name in METRICS if f"metric {name}" in frame.columns}
    return frame["initial"].to_numpy().copy(), {name: frame[column].to_numpy().copy() for name, column in there.items()}, other


def _value(value: Any) -> Json:
    """A value exactly, or as the text that is left of one that only code could make again."""
    try:
        return {"value": encode(value, "a value of the space")}
    except ConfigError:
        return {"text": repr(value)}


def _read(node: Json) -> Any:
    return _Text(node["text"]) if "text" in node else decode(node["value"], "a value of the space")


def _target(path: Path, overwrite: bool) -> Path:
    if path.exists() and not path.is_dir():
        raise ConfigError(f"folder is {str(path)!r}, which is a file; give the name of a folder")
    if not path.resolve().parent.is_dir():
        raise ConfigError(f"folder is {str(path)!r}, but there is no folder {str(path.parent)!r}; make it first")
    found = {entry.name for entry in path.iterdir()} if path.is_dir() else set()
    if found and not (found <= {_LINES, _ABOUT, *BLOCK_NAMES} and _ABOUT in found):
        raise ConfigError(f"{str(path)!r} is there already, and is no saved sweep that could be replaced; give another folder")
    if found and not overwrite:
        raise ConfigError(f"{str(path)!r} holds a saved sweep already, and was left alone; give another folder, or overwrite=True")
    return path


def load(folder: str | Path) -> tuple[Lines, tuple[str, ...], Sets, NDArray[np.int64]]:
    """Lines, columns of the table, the distinct sets and their numbers. StateError where the folder holds no sweep as it was saved."""
    import polars as pl

    path = Path(folder).expanduser()
    node = _manifest(path)
    try:
        if file_hash(path / _LINES) != node["lines"]:
            raise StateError(f"{_LINES} in {str(path)!r} was changed since it was saved")
        for name, expected in zip(BLOCK_NAMES, node["sums"] or (), strict=node["sums"] is not None):
            if file_hash(path / name) != expected:
                raise StateError(f"{name} in {str(path)!r} was changed since it was saved")
        frame = pl.read_parquet(path / _LINES)
        codes = np.empty((len(frame), len(node["names"])), dtype=np.int64)
        for k in range(codes.shape[1]):
            codes[:, k] = frame[f"code {k}"].to_numpy()
        values = tuple(tuple(_read(v) for v in part) for part in node["values"])
        sets = Sets(tuple(node["names"]), values, codes)
        bars, run = node["bars"], node["run"]
        about = About(
            node["strategy"]["name"], node["strategy"]["written"], node["keywords"], tuple(bars["symbols"]), bars["count"], bars["hash"],
            run["separate"], run["seconds"], run["sets"], run["ran"], run["rf"], run["mar"], run["kernels"], run["code"],
        )  # fmt: skip
        number = frame["number"].to_numpy().copy()
        initial, metrics, other = measured_in(frame)
        lines = Lines(
            about, sets, number, frame["account"].to_numpy().copy(), frame["done"].to_numpy().copy(), initial, with_ends(metrics, other),
            {int(c): text for c, text in node["errors"].items()}, None if node["sums"] is None else BlockSums.read(path), other,
        )  # fmt: skip
    except (KeyError, TypeError, OSError, pl.exceptions.PolarsError) as error:
        raise StateError(f"the sweep in {str(path)!r} is damaged: {type(error).__name__} {error}") from error
    numbers, first = np.unique(number, return_index=True)
    return lines, tuple(node["metrics"]), Sets(sets.names, sets.values, sets.codes[first]), numbers


class _Text(str):
    """What is left of a value that was not saved whole: shown, not run."""

    def __repr__(self) -> str:
        return str(self)


def _manifest(path: Path) -> dict[str, Any]:
    try:
        node = json.loads((path / _ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StateError(f"{str(path)!r} holds no {_ABOUT} that can be read; expected a folder that Sweep.save wrote") from error
    if not isinstance(node, dict) or node.get("what") != _WHAT:
        raise StateError(f"{_ABOUT} in {str(path)!r} is not that of a saved sweep")
    if node.get("schema") != SCHEMA:
        raise StateError(f"{str(path)!r} was saved in layout {node.get('schema')!r}; this version reads layout {SCHEMA}")
    if node.pop("sum", None) != digest_of(node):
        raise StateError(f"{_ABOUT} in {str(path)!r} was changed since it was saved")
    return node


def run_of(lines: Lines, sets: Sets, bars: Any, source: Any, keywords: Mapping[str, Any]) -> SweepRun:
    """The run that lines came from, from what it was given; StateError where that is something else, or a value was not saved whole."""
    if not isinstance(bars, Bars) or source is None:
        raise StateError("to run sets of a saved sweep again, give bars, strategy and the keywords of the sweep, all of them")
    about, strategy = lines.about, as_strategy(source)
    _same("bars", about.content_hash, bars.content_hash)
    _same("strategy", about.written, written(strategy))
    given = {name: identity(value) for name, value in sorted(keywords.items())}
    for name in sorted({*given, *about.keywords}):
        _same(name, about.keywords.get(name, "not given"), given.get(name, "not given"))
    for name, values in zip(sets.names, sets.values, strict=True):
        lost = next((v for v in values if isinstance(v, _Text)), None)
        if lost is not None:
            raise StateError(f"{name} took the value {lost}, which could not be saved whole: no set of this sweep can be run again")
    return run_with(lines, sets, bars, strategy, dict(keywords))


def run_with(lines: Lines, sets: Sets, bars: Bars, strategy: Strategy, keywords: dict[str, Any]) -> SweepRun:
    """A run with these lines: of each set of `sets`, in their order, what the lines say. Curves are not among it."""
    # the sets of filtered lines may lack accounts, whose places stay blank
    about, place, shape = lines.about, np.unique(lines.number, return_inverse=True)[1], (len(sets), bars.N if lines.about.separate else 1)
    done = np.zeros(len(sets), dtype=bool)
    done[place] = lines.done
    run = SweepRun(
        bars, strategy, keywords, sets, done, np.full(shape, np.nan), np.full(shape, np.nan), Columns.blank(RETURNS_METRICS, shape),
        Columns.blank(TRADES_METRICS, shape), errors=dict(lines.errors), seconds=about.seconds, rf=about.rf, mar=about.mar,
        envelope=_blank_envelope(keywords, shape) if lines.enveloped else None, details=lines.detailed,
    )  # fmt: skip
    put_measured(run, place, lines.account, lines.initial, lines.metrics, lines.other)
    if lines.sums is not None:
        run.blocks, run.fine = (_of_sets(rows, place * shape[1] + lines.account, shape) for rows in lines.sums.of_lines())
    return run


def _blank_envelope(keywords: Mapping[str, Any], shape: tuple[int, int]) -> Envelope:
    own = INTRABAR.index(keywords.get("intrabar", INTRABAR[0]))
    final, fragility = np.full(shape, np.nan), np.full(shape, np.nan)
    return Envelope(INTRABAR[1 - own], final, Columns.blank(RETURNS_METRICS, shape), Columns.blank(TRADES_METRICS, shape), fragility)


def _of_sets(rows: NDArray[np.float64], at: NDArray[np.int64], shape: tuple[int, int]) -> NDArray[np.float64]:
    """Rows of lines by set and account: as they are where no line lacks, else in memory with NaN for those that do."""
    if len(rows) != shape[0] * shape[1] or not np.array_equal(at, np.arange(len(rows))):
        found = np.full((shape[0] * shape[1], *rows.shape[1:]), np.nan)
        found[at] = rows
        rows = found
    return rows.reshape(*shape, *rows.shape[1:])


def _same(what: str, saved: str, given: str) -> None:
    if saved != given:
        raise StateError(f"{what} is not that of the saved sweep: {saved} saved, {given} given")
