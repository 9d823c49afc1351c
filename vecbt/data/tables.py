"""Reading: which column is what, in frames of pandas or polars, wide or long. Finds columns by name, whatever their case."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Block, Table
from ..errors import ConfigError, DataError, nearest
from .labels import Stamps, read_stamps
from .quality import FIELDS, Cell
from .touch import is_pandas, is_polars, numbers

__all__ = ["Names", "RawTable", "from_columns", "read_frame"]

_SHORT = {
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "vol", "v"),
}
_TIMES = ("time", "date", "datetime", "timestamp", "ts", "date_time", "open_time")
_SYMBOLS = ("symbol", "ticker", "asset", "sym")


@dataclass(frozen=True)
class RawTable:
    """Bars as read: like `quality.Table`, but the times are not on the UTC clock yet. `unused` names columns that were left aside."""

    symbols: tuple[str, ...]
    stamps: Stamps
    block: Block
    has_volume: bool
    cells: tuple[Cell, ...] = ()
    unused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Names:
    """What the caller said about columns: time, symbol, and a mapping field -> column for unusual names."""

    time: str | None = None
    symbol_column: str | None = None
    columns: Mapping[str, str] | None = None
    symbol: str = "asset"
    from_text: bool = False
    """All cells were text once (CSV): one bad cell must not make text of the numbers beside it."""

    def __post_init__(self) -> None:
        for field in self.columns or {}:
            if field not in FIELDS:
                raise ConfigError(f"columns names the field {field!r}; {nearest(str(field), FIELDS)}")


class _Frame:
    """One face for both kinds of frames: names and columns by position. A pandas index counts as columns."""

    def __init__(self, frame: Table) -> None:
        if is_polars(frame):
            if hasattr(frame, "collect"):
                frame = frame.collect()
            self.names: list[Hashable] = list(frame.columns)
            self._parts = list(frame.get_columns())
            self.index: Any = None
        elif is_pandas(frame) and getattr(frame, "ndim", 0) == 2:
            self.names = list(frame.columns)
            self._parts = [frame.iloc[:, k] for k in range(frame.shape[1])]
            self.index = frame.index
        else:
            raise DataError(f"expected a pandas or polars frame, found {type(frame).__name__}; for arrays use Bars.from_numpy")
        self.rows = len(frame)

    def column(self, at: int) -> Any:
        return self._parts[at]


def _key(name: Hashable) -> str:
    return str(name).strip().lower()


def _find(names: list[Hashable], known: tuple[str, ...], what: str, given: str | None) -> int | None:
    """Position of a column by its given name, else by the known ones in turn; DataError where two columns fit."""
    if given is not None:
        hits = [k for k, name in enumerate(names) if name == given] or [k for k, name in enumerate(names) if _key(name) == _key(given)]
        if not hits:
            raise DataError(f"no column {given!r} for the {what}; {nearest(given, [str(n) for n in names])}")
    else:
        hits = next((found for short in known if (found := [k for k, name in enumerate(names) if _key(name) == short])), [])
    if len(hits) > 1:
        both = ", ".join(repr(names[k]) for k in hits)
        raise DataError(f"{len(hits)} columns fit the {what}: {both}; keep one, or say which with columns={{...}}")
    return hits[0] if hits else None


def _field_columns(names: list[Hashable], said: Names, where: str) -> dict[str, int]:
    """Position of each of the five fields; the volume may be absent."""
    found = {}
    for field in FIELDS:
        at = _find(names, _SHORT[field], field, (said.columns or {}).get(field))
        if at is not None:
            found[field] = at
    lacking = [field for field in FIELDS[:4] if field not in found]
    if lacking:
        free = [str(name) for k, name in enumerate(names) if k not in found.values()]
        hint = nearest(lacking[0], [name.lower() for name in free]) if free else "the table has no other column"
        raise DataError(
            f"{where}: no column {' or '.join(repr(name) for name in lacking)} ({hint}); "
            f"say which it is with columns={{{lacking[0]!r}: ...}} (rule B1)"
        )
    return found


def _block(columns: Mapping[str, Any], rows: int, from_text: bool) -> tuple[Block, bool, list[Cell]]:
    """The (5, n, 1) block of one asset from its columns."""
    block = np.full((5, rows, 1), np.nan)
    cells = []
    for field, name in enumerate(FIELDS):
        if name in columns:
            block[field, :, 0], faults = numbers(columns[name], from_text=from_text)
            cells += [Cell(f.row, 0, field, f.value, f.kind) for f in faults]
    return block, "volume" in columns, cells


def _time_of(frame: _Frame, said: Names, where: str) -> tuple[Stamps, int | None]:
    """Times of the rows and the position of their column; a pandas index of dates is taken where no column is."""
    candidates = [name for name in frame.names if _key(name) in _TIMES]
    if said.time is None and len(candidates) > 1:
        shown = ", ".join(repr(name) for name in candidates)
        raise DataError(f"{where}: the columns {shown} all look like times; say which it is with time= (join a date and a time first)")
    at = _find(frame.names, _TIMES, "time", said.time)
    if at is not None:
        return read_stamps(frame.column(at), f"{where}: column {frame.names[at]!r}"), at
    if frame.index is None:
        hint = nearest("date", [str(n) for n in frame.names])
        raise DataError(f"{where}: no column of times called {', '.join(_TIMES)} ({hint}); say which it is with time= (rule B1)")
    return read_stamps(frame.index, f"{where}: the index"), None


def read_frame(frame: Table, said: Names) -> list[RawTable]:
    """Tables of the assets in a frame.

    A frame is one asset's OHLCV; or long, with a column (or index level) of symbols; or, in pandas, wide with two column levels,
    fields and symbols, in either order. Raises DataError for columns that are missing or found twice.
    """
    if is_pandas(frame) and getattr(getattr(frame, "columns", None), "nlevels", 1) == 2:
        return _read_wide(frame, said)
    if is_pandas(frame) and getattr(getattr(frame, "index", None), "nlevels", 1) > 1:
        frame = frame.reset_index()
    face = _Frame(frame)
    symbols = _find(face.names, _SYMBOLS, "symbol", said.symbol_column)
    where = said.symbol if symbols is None else "the table"
    if face.rows == 0:
        raise DataError(f"{where}: the table has no rows; expected at least one bar (rule B1)")
    stamps, time_at = _time_of(face, said, where)
    found = _field_columns(face.names, said, where)
    block, has_volume, cells = _block({field: face.column(at) for field, at in found.items()}, face.rows, said.from_text)
    used = {time_at, symbols, *found.values()}
    unused = tuple(str(name) for k, name in enumerate(face.names) if k not in used)
    if symbols is None:
        return [RawTable((said.symbol,), stamps, block, has_volume, tuple(cells), unused)]
    return _split_long(RawTable(("all",), stamps, block, has_volume, tuple(cells), unused), face.column(symbols))


def _split_long(table: RawTable, symbols: Any) -> list[RawTable]:
    """One table for each symbol, in order of appearance; rows keep their order."""
    names = np.array([None if s is None else str(s) for s in (symbols.to_list() if is_polars(symbols) else list(symbols))], dtype=object)
    blank = [k for k, name in enumerate(names) if name is None or not name.strip() or name in ("nan", "<NA>", "None")]
    if blank:
        raise DataError(f"row {blank[0]}: the symbol is missing ({len(blank)} rows); name the asset of every row (rule B1)")
    order: dict[str, int] = {}
    codes = np.array([order.setdefault(name, len(order)) for name in names], dtype=np.int64)
    by_code = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[by_code], np.arange(len(order) + 1))
    cells: dict[int, list[Cell]] = {}
    place = np.empty(len(codes), dtype=np.int64)
    place[by_code] = np.arange(len(codes))
    for c in table.cells:
        k = int(codes[c.row])
        cells.setdefault(k, []).append(Cell(int(place[c.row] - bounds[k]), 0, c.field, c.value, c.kind))
    parts = []
    for name, k in order.items():
        rows = by_code[bounds[k] : bounds[k + 1]]
        stamps = Stamps(table.stamps.ns[rows], table.stamps.aware, table.stamps.zone)
        parts.append(
            RawTable((name,), stamps, table.block[:, rows], table.has_volume, tuple(cells.get(k, ())), table.unused if k == 0 else ())
        )
    return parts


def _read_wide(frame: Table, said: Names) -> list[RawTable]:
    """A pandas frame with column levels (field, symbol) or (symbol, field): one panel whose assets share their rows."""
    pairs = list(frame.columns)
    known = {short for field in FIELDS for short in _SHORT[field]} | {_key(v) for v in (said.columns or {}).values()}
    scores = [sum(_key(pair[level]) in known for pair in pairs) for level in (0, 1)]
    if max(scores) == 0:
        first = repr(pairs[0]) if pairs else "missing"
        raise DataError(f"no level of the columns holds the fields open, high, low, close; the first column is {first} (rule B1)")
    level = 0 if scores[0] >= scores[1] else 1
    if len(frame) == 0:
        raise DataError("the table has no rows; expected at least one bar (rule B1)")
    symbols = list(dict.fromkeys(str(pair[1 - level]) for pair in pairs))
    stamps = read_stamps(frame.index, "the index")
    block = np.full((5, len(frame), len(symbols)), np.nan)
    cells: list[Cell] = []
    volumes, unused = [], []
    for k, symbol in enumerate(symbols):
        at = [j for j, pair in enumerate(pairs) if str(pair[1 - level]) == symbol]
        found = _field_columns([pairs[j][level] for j in at], said, symbol)
        part, has_volume, faults = _block({field: frame.iloc[:, at[j]] for field, j in found.items()}, len(frame), False)
        block[:, :, k] = part[:, :, 0]
        cells += [Cell(c.row, k, c.field, c.value, c.kind) for c in faults]
        volumes.append(has_volume)
        unused += [str(pairs[j][level]) for i, j in enumerate(at) if i not in found.values()]
    if len(set(volumes)) > 1:
        lacks = symbols[volumes.index(False)]
        raise DataError(f"{lacks} has no volume and others have; give a volume for all assets or for none (rule B1)")
    return [RawTable(tuple(symbols), stamps, block, volumes[0], tuple(cells), tuple(dict.fromkeys(unused)))]


def from_columns(fields: Mapping[str, Any], stamps: Stamps, symbols: tuple[str, ...] | None) -> RawTable:
    """A panel from arrays (T,) or (T, N), one for each field; DataError where shapes differ."""
    shapes: dict[str, tuple[int, int]] = {}
    arrays: dict[str, NDArray[Any]] = {}
    for name, value in fields.items():
        array = np.asarray(value)
        if array.ndim not in (1, 2):
            raise DataError(f"{name} has shape {array.shape}; expected (T,) or (T, N)")
        arrays[name] = array.reshape(len(array), -1) if array.ndim == 2 or len(array) else array.reshape(0, 1)
        shapes[name] = (arrays[name].shape[0], arrays[name].shape[1])
    wanted = shapes["open"]
    for name, shape in shapes.items():
        if shape != wanted:
            raise DataError(f"{name} has shape {shape}, open has {wanted}; expected the same (T, N) for all")
    if wanted[0] == 0 or wanted[1] == 0:
        raise DataError(f"open has shape {wanted}: the table has no rows; expected at least one bar (rule B1)")
    if len(stamps.ns) != wanted[0]:
        raise DataError(f"index has {len(stamps.ns)} labels, open has {wanted[0]} rows; expected one label per row")
    if symbols is None:
        symbols = ("asset",) if wanted[1] == 1 else tuple(f"asset{k}" for k in range(wanted[1]))
    if len(symbols) != wanted[1]:
        raise DataError(f"symbols has {len(symbols)} names, open has {wanted[1]} columns; expected one name per column")
    block = np.full((5, *wanted), np.nan)
    cells: list[Cell] = []
    for field, name in enumerate(FIELDS):
        if name not in arrays:
            continue
        if arrays[name].dtype.kind == "f":
            block[field] = arrays[name]
            continue
        for k in range(wanted[1]):
            block[field, :, k], faults = numbers(arrays[name][:, k])
            cells += [Cell(f.row, k, field, f.value, f.kind) for f in faults]
    return RawTable(symbols, stamps, block, "volume" in arrays, tuple(cells))
