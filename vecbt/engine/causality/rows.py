"""What a function of bars returned, as cells that can be compared bit for bit: one row a bar, whatever it was before."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._typing import IndexT
from ...data.bars import Bars
from ...data.labels import label_text, time_labels
from ...data.touch import is_pandas, is_polars
from ...errors import StrategyError
from ..alignment import place
from ..inputs import AlignedInputs, Inputs, Quantities, Strengths, Weights

__all__ = ["Rows", "as_rows", "rows_of_inputs"]

_NAN = np.array(np.nan).view(np.uint64)[()]
_EXACT = 2**53
_PARTS = ("entry", "exit", "short entry", "short exit")


@dataclass(frozen=True, eq=False)
class Rows:
    """One row of cells for each bar.

    what : "Signals", "Strengths", ... or the type that was returned
    cells : uint64 (T, C), the bits of float64 numbers, flags, or the hash of anything else; one way to write NaN, and one to write zero
    columns : C names
    words : how cells are read: "number", "flags" or "hash", C of them
    """

    what: str
    cells: NDArray[np.uint64]
    columns: tuple[str, ...]
    words: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.cells)

    def number(self, t: int, c: int) -> float:
        """A cell as a number; NaN where it is none."""
        return float(self.cells[t : t + 1, c].view(np.float64)[0]) if self.words[c] == "number" else math.nan

    def shown(self, t: int, c: int) -> str:
        """A cell in words."""
        if self.words[c] == "number":
            return f"{self.number(t, c):.6g}"
        if self.words[c] == "flags":
            said = [name for bit, name in enumerate(_PARTS) if int(self.cells[t, c]) >> bit & 1]
            return " and ".join(said) or "no signal"
        return "nothing" if self.cells[t, c] == 0 else f"a value of hash {int(self.cells[t, c]):016x}"

    def differs(self, other: Rows, stop: int, tolerance: float = 0.0) -> NDArray[np.bool_]:
        """Where cells of the first `stop` rows are not the same, bool (stop, C); numbers may differ by `tolerance`, relative."""
        mine, its = self.cells[:stop], other.cells[:stop]
        different: NDArray[np.bool_] = mine != its
        if tolerance > 0.0 and different.any():
            numbers = np.array([word == "number" for word in self.words])
            a, b = np.ascontiguousarray(mine).view(np.float64), np.ascontiguousarray(its).view(np.float64)
            with np.errstate(all="ignore"):
                near = np.abs(a - b) <= tolerance * np.maximum(np.abs(a), np.abs(b))
            different &= ~(near & numbers[None, :])
        return different

    def silent(self) -> NDArray[np.bool_]:
        """Where nothing is said, bool (T, C): NaN, no flag, no order."""
        numbers = np.array([word == "number" for word in self.words])
        quiet: NDArray[np.bool_] = (self.cells == _NAN) | ((self.cells == 0) & ~numbers[None, :])
        return quiet


def _number_bits(values: NDArray[Any]) -> NDArray[np.uint64]:
    numbers = np.array(values, dtype=np.float64)
    numbers += 0.0  # a negative zero is no other answer than zero
    numbers[np.isnan(numbers)] = np.nan
    return numbers.view(np.uint64)


def _hash(value: object) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(repr(value).encode(), digest_size=8).digest(), "little"))


# --- inputs of a strategy -------------------------------------------------------------------------------------------


def rows_of_inputs(inputs: Inputs, bars: Bars) -> Rows:
    """Inputs as rows of N cells. Placed as for a run, but without asking whether the numbers may be: a replaced future may be absurd."""
    what = type(inputs).__name__
    if isinstance(inputs, Strengths | Weights | Quantities):
        return Rows(what, _number_bits(place(inputs.values, what, bars)), bars.symbols, ("number",) * bars.N)
    aligned = inputs.align(bars)
    name = aligned.kind.name.lower()
    if aligned.flags is not None:
        return Rows(name, aligned.flags.astype(np.uint64), bars.symbols, ("flags",) * bars.N)
    if aligned.values is not None:
        return Rows(name, _number_bits(aligned.values), bars.symbols, ("number",) * bars.N)
    return Rows(name, _order_cells(aligned), bars.symbols, ("hash",) * bars.N)


def _order_cells(aligned: AlignedInputs) -> NDArray[np.uint64]:
    """The orders of each bar and asset as one hash, 0 where there is none; their place among the orders of the bar counts."""
    orders, starts = aligned.orders, aligned.starts
    assert orders is not None and starts is not None
    cells = np.zeros(aligned.shape, dtype=np.uint64)
    for k in range(len(orders)):
        t, n = int(orders.t[k]), int(orders.n[k])
        fields = [orders[name][k].tolist() for name in orders.dtype.names or () if name != "t"]
        cells[t, n] = _hash((int(cells[t, n]), k - int(starts[t]), fields))
    return cells


# --- anything else --------------------------------------------------------------------------------------------------


def as_rows(value: Any, data: Any) -> Rows:
    """What a function returned for `data` as rows: an array (T, ...), a Series or frame of pandas or polars, a mapping of them, or inputs.

    Tables of pandas with the times of the data are placed by label, and rows that are not there are missing; all else goes by position.
    StrategyError for a length that does not fit, and for labels that are none of the data's.
    """
    if isinstance(data, Bars) and isinstance(value, Inputs):
        return rows_of_inputs(value, data)
    found: list[tuple[str, str, NDArray[np.uint64]]] = []
    _collect(value, "", data, found)
    if not found:
        raise StrategyError(f"the function returned {type(value).__name__} without columns; expected an array, a Series or a frame")
    cells = np.ascontiguousarray(np.stack([column for _, _, column in found], axis=1))
    return Rows(type(value).__name__, cells, tuple(name for name, _, _ in found), tuple(word for _, word, _ in found))


def _collect(value: Any, prefix: str, data: Any, found: list[tuple[str, str, NDArray[np.uint64]]]) -> None:
    """Columns of a value, name by name."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            _collect(part, f"{prefix}{name}: ", data, found)
        return
    rows: IndexT | None = None
    if is_pandas(value):
        rows = _pandas_rows(value, data)
        parts = [(str(value.name), value)] if value.ndim == 1 else [(_name(c), value.iloc[:, k]) for k, c in enumerate(value.columns)]
        columns = [(name, _pandas_array(part)) for name, part in parts]
    elif is_polars(value):
        parts = [(value.name, value)] if not hasattr(value, "columns") else [(name, value[name]) for name in value.columns]
        columns = [(name, np.asarray(part.to_list(), dtype=object) if part.null_count() else part.to_numpy()) for name, part in parts]
    else:
        columns = _array_columns(np.asarray(value), data)
    for name, array in columns:
        word, bits = _bits(array)
        found.append((f"{prefix}{name}", word, _placed(bits, rows, word, data)))


def _name(column: Any) -> str:
    return "/".join(map(str, column)) if isinstance(column, tuple) else str(column)


def _pandas_array(series: Any) -> NDArray[Any]:
    kind = getattr(series.dtype, "kind", "O")
    if isinstance(series.dtype, np.dtype) or kind in "Mm":
        return np.asarray(series.to_numpy())
    return np.asarray(series.astype(object).to_numpy())


def _array_columns(array: NDArray[Any], data: Any) -> list[tuple[str, NDArray[Any]]]:
    if array.ndim == 0:
        raise StrategyError(f"the function returned one value, {array!r}; expected a row for each of the {len(data)} bars")
    if array.ndim == 1:
        return [(data.symbols[0] if isinstance(data, Bars) and data.N == 1 else "values", array)]
    flat = array.reshape(len(array), -1)
    if isinstance(data, Bars) and array.shape[1:] == (data.N,):
        names = list(data.symbols)
    else:
        names = [str(list(map(int, np.unravel_index(k, array.shape[1:])))) for k in range(flat.shape[1])]
    return [(name, flat[:, k]) for k, name in enumerate(names)]


def _bits(array: NDArray[Any]) -> tuple[str, NDArray[np.uint64]]:
    """How a column is read, and its cells."""
    kind = array.dtype.kind
    if kind == "f" or kind == "b" or (kind in "iu" and (not len(array) or max(abs(int(array.min())), abs(int(array.max()))) <= _EXACT)):
        return "number", _number_bits(array)
    if kind in "Mm":
        return "hash", array.astype(np.int64).view(np.uint64)
    values = array.astype(object).tolist()
    word = "number" if all(_is_missing(v) or _is_number(v) for v in values) else "hash"
    return word, np.array([_cell(v) for v in values], dtype=np.uint64)


def _cell(value: Any) -> np.uint64:
    """One value of a column of objects: numbers and missing ones as in a column of numbers, so that a part compares with the whole."""
    if _is_missing(value) or _is_number(value):
        return np.uint64(_number_bits(np.array([math.nan if _is_missing(value) else float(value)]))[0])
    return _hash(value)


def _is_missing(value: Any) -> bool:
    return value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)


def _is_number(value: Any) -> bool:
    return isinstance(value, bool | int | float) and (isinstance(value, float) or abs(value) <= _EXACT)


def _pandas_rows(value: Any, data: Any) -> IndexT | None:
    """For each row the bar it belongs to, where its labels say so; None where rows go by position."""
    if isinstance(data, Bars):
        if value.index.nlevels > 1 or value.index.dtype.kind != "M":
            return None
        labels = time_labels(value.index, "the index of what the function returned", zone=data.market.time_zone, bar_ns=data.market.bar_ns)
        if np.array_equal(labels, data.index):
            return None
        rows = np.searchsorted(data.index, labels)
        wrong = (rows == data.T) | (data.index[np.minimum(rows, data.T - 1)] != labels)
        if wrong.any():
            first = label_text(int(labels[int(np.flatnonzero(wrong)[0])]))
            raise StrategyError(f"the function returned a row at {first}, where there is no bar; reindex it to the times of the bars")
        return rows
    if not is_pandas(data) or value.index.equals(data.index):
        return None
    rows = np.asarray(data.index.get_indexer(value.index), dtype=np.int64)
    if (rows < 0).any():
        first = value.index[int(np.flatnonzero(rows < 0)[0])]
        raise StrategyError(f"the function returned a row at {first}, which is no row of the data; reindex it to the index of the data")
    return rows


def _placed(bits: NDArray[np.uint64], rows: IndexT | None, word: str, data: Any) -> NDArray[np.uint64]:
    """The cells of one column, one a bar."""
    if rows is not None:
        out = np.full(len(data), _NAN if word == "number" else 0, dtype=np.uint64)
        out[rows] = bits
        return out
    if len(bits) != len(data):
        raise StrategyError(f"the function returned {len(bits)} rows for {len(data)} bars; expected one row a bar")
    return bits
