"""A sweep in a folder: lines as Parquet, parameters and texts as JSON with a hash of the lines; written aside, then renamed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.identity import identity
from ..core.sets import Sets
from ..data.bars import Bars
from ..engine.strategy import as_strategy, written
from ..engine.sweep import SweepRun
from ..engine.sweep_chunks import blank
from ..errors import ConfigError, StateError
from ..metrics.returns import RETURNS_METRICS
from ..metrics.trades import TRADES_METRICS
from .saved.folder import digest_of, file_hash, replacing, write_json
from .saved.values import Json, decode, encode
from .sweep_lines import ENVELOPE, FRAGILITY, METRICS, About, Lines

if TYPE_CHECKING:
    pass

__all__ = ["SCHEMA", "load", "run_of", "save"]

SCHEMA = 2
"""Number of the layout; another one is refused."""

_WHAT = "a saved sweep of vecbt"
_LINES, _ABOUT = "lines.parquet", "sweep.json"


def save(lines: Lines, metrics: tuple[str, ...], folder: str | Path, *, overwrite: bool) -> Path:
    """Write lines into a folder; ConfigError where it may not be."""
    import polars as pl

    target = _target(Path(folder).expanduser(), overwrite)
    columns = {"number": lines.number, "account": lines.account, "done": lines.done, "initial": lines.initial}
    columns |= {f"code {k}": lines.sets.codes[:, k] for k in range(len(lines.sets.names))}
    columns |= {f"metric {name}": values for name, values in lines.metrics.items()}
    about = lines.about
    with replacing(target) as work:
        pl.DataFrame(columns).write_parquet(work / _LINES)
        node: dict[str, Json] = {
            "what": _WHAT,
            "schema": SCHEMA,
            "strategy": {"name": about.strategy, "written": about.written},
            "keywords": about.keywords,
            "bars": {"hash": about.content_hash, "symbols": list(about.symbols), "count": about.bars},
            "run": {"separate": about.separate, "seconds": about.seconds, "sets": about.sets, "ran": about.ran, "rf": about.rf},
            "names": list(lines.sets.names),
            "values": [[_value(v) for v in values] for values in lines.sets.values],
            "metrics": list(metrics),
            "errors": {str(c): text for c, text in lines.errors.items()},
            "lines": file_hash(work / _LINES),
        }
        write_json(work / _ABOUT, node | {"sum": digest_of(node)})
    return target


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
    if found and not (found <= {_LINES, _ABOUT} and _ABOUT in found):
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
        frame = pl.read_parquet(path / _LINES)
        codes = np.empty((len(frame), len(node["names"])), dtype=np.int64)
        for k in range(codes.shape[1]):
            codes[:, k] = frame[f"code {k}"].to_numpy()
        values = tuple(tuple(_read(v) for v in part) for part in node["values"])
        sets = Sets(tuple(node["names"]), values, codes)
        bars, run = node["bars"], node["run"]
        about = About(
            node["strategy"]["name"], node["strategy"]["written"], node["keywords"], tuple(bars["symbols"]), bars["count"], bars["hash"],
            run["separate"], run["seconds"], run["sets"], run["ran"], run["rf"],
        )  # fmt: skip
        number = frame["number"].to_numpy().copy()
        lines = Lines(
            about, sets, number, frame["account"].to_numpy().copy(), frame["done"].to_numpy().copy(),
            frame["initial"].to_numpy().copy(), _metrics_of(frame),
            {int(c): text for c, text in node["errors"].items()},
        )  # fmt: skip
    except (KeyError, TypeError, OSError, pl.exceptions.PolarsError) as error:
        raise StateError(f"the sweep in {str(path)!r} is damaged: {type(error).__name__} {error}") from error
    numbers, first = np.unique(number, return_index=True)
    return lines, tuple(node["metrics"]), Sets(sets.names, sets.values, sets.codes[first]), numbers


def _metrics_of(frame: Any) -> dict[str, NDArray[np.float64]]:
    """The metrics of all lines, and where there is an envelope its ends."""
    names = METRICS if f"metric {FRAGILITY}" not in frame.columns else (*METRICS, *ENVELOPE)
    return {name: frame[f"metric {name}"].to_numpy().copy() for name in names}


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
    # the sets of filtered lines may lack accounts, whose places stay blank
    place, shape = np.searchsorted(np.unique(lines.number), lines.number), (len(sets), bars.N if about.separate else 1)
    final, initial = np.full(shape, np.nan), np.full(shape, np.nan)
    returns, trades = (blank(dtype, shape) for dtype in (RETURNS_METRICS, TRADES_METRICS))
    final[place, lines.account], initial[place, lines.account] = lines.metrics["final_equity"], lines.initial
    for records in (returns, trades):
        for name in records.dtype.names or ():
            records[name][place, lines.account] = lines.metrics[name]
    done = np.zeros(len(sets), dtype=bool)
    done[place] = lines.done
    errors, seconds = dict(lines.errors), about.seconds
    return SweepRun(
        bars, strategy, dict(keywords), sets, done, final, initial, returns, trades, errors=errors, seconds=seconds, rf=about.rf
    )  # fmt: skip


def _same(what: str, saved: str, given: str) -> None:
    if saved != given:
        raise StateError(f"{what} is not that of the saved sweep: {saved} saved, {given} given")
