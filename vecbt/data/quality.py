"""The door (rule B1): what is wrong with a table, in which row and column, and what may be done about it.

`check_table` finds, `refuse` raises; `repair.py` changes what a policy names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Block, IndexT
from ..errors import DataError
from .labels import NO_TIME, label_text

__all__ = ["FIELDS", "Cell", "Problem", "Table", "check_table", "check_values", "refuse", "repeats"]

FIELDS = ("open", "high", "low", "close", "volume")

_OVERFLOW = "an integer too large for float64 (an overflow, or a code for a missing value)"
_WHAT = {"text": "text", "type": "no number", "overflow": _OVERFLOW}


@dataclass(frozen=True)
class Cell:
    """A cell of the source that is no usable number: positions in the table, the value as found, text, type or overflow."""

    row: int
    asset: int
    field: int
    value: Any
    kind: str


@dataclass(frozen=True)
class Table:
    """Bars of one or more assets that share their rows, as they came: nothing checked yet.

    symbols : k names; labels : int64 (n,) ns UTC, `NO_TIME` where missing; block : float64 (5, n, k); cells : what was no number.
    """

    symbols: tuple[str, ...]
    labels: IndexT
    block: Block
    has_volume: bool
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True)
class Problem:
    """One kind of fault in one table. `rows` and `assets` are positions, in row order; `text` describes the first one."""

    kind: str
    rows: NDArray[np.int64]
    assets: NDArray[np.int64]
    column: str
    value: Any
    text: str
    remedy: str
    symbols: tuple[str, ...]
    labels: IndexT

    @property
    def row(self) -> int:
        """The first offending row."""
        return int(self.rows[0])

    @property
    def label(self) -> int:
        """Its label, ns UTC."""
        return int(self.labels[self.row])

    @property
    def symbol(self) -> str:
        """Its asset."""
        return self.symbols[int(self.assets[0])]

    def __str__(self) -> str:
        return f"{self.symbol}, row {self.row} ({label_text(self.label)}): {self.text}"


# --- times ---------------------------------------------------------------------------------------------------------


def _time_problem(table: Table, kind: str, rows: NDArray[np.int64], text: str, remedy: str) -> Problem:
    value = label_text(int(table.labels[rows[0]]))
    return Problem(kind, rows, np.zeros(len(rows), dtype=np.int64), "time", value, text, remedy, table.symbols, table.labels)


def repeats(labels: IndexT) -> NDArray[np.int64]:
    """Rows whose label stands in an earlier row."""
    order = np.argsort(labels, kind="stable")
    again = labels[order][1:] == labels[order][:-1]
    return np.sort(order[1:][again & (labels[order][1:] != NO_TIME)])


def _check_times(table: Table) -> Iterator[Problem]:
    """Rows without a time, repeated times, rows that go back."""
    labels = table.labels
    missing = np.flatnonzero(labels == NO_TIME)
    if len(missing):
        yield _time_problem(table, "no_time", missing, "the time is missing", 'repair="drop" leaves such rows out')
        return
    steps = np.diff(labels)
    if len(steps) == 0 or steps.min() > 0:
        return
    again = repeats(labels)
    if len(again):
        first = int(np.flatnonzero(labels == labels[again[0]])[0])
        text = f"the time is the same as in row {first}"
        how = '"drop" leaves out rows that repeat another one exactly, "keep_first" or "keep_last" keeps one of each time'
        yield _time_problem(table, "duplicate", again, text, f"repair=: {how}")
    back = np.flatnonzero(steps < 0) + 1
    if len(back):
        text = f"the time is earlier than {label_text(int(labels[back[0] - 1]))} in the row before"
        yield _time_problem(table, "unsorted", back, text, 'repair="sort" puts the rows in order of time')


# --- values --------------------------------------------------------------------------------------------------------


def _show(value: float) -> str:
    return repr(float(value))


def _value_problem(table: Table, kind: str, mask: NDArray[np.bool_], text: Any, remedy: str) -> Problem:
    """A problem from a mask (n, k); `text(values)` gets the five numbers of the first offending bar."""
    rows, assets = np.nonzero(mask)
    bar = table.block[:, rows[0], assets[0]]
    field, words = text(bar)
    return Problem(kind, rows, assets, FIELDS[field], float(bar[field]), words, remedy, table.symbols, table.labels)


_DROP = 'correct the source, or repair="drop" leaves such rows out'


def check_values(table: Table, allow_negative: NDArray[np.bool_], missing: str) -> Iterator[Problem]:
    """Problems of values, one per kind; `allow_negative` is bool (k,)."""
    if table.cells:
        yield from _cell_problems(table)
    block = table.block if table.has_volume else table.block[:4]
    absent = np.isnan(block)
    given = np.zeros(absent.shape[1:], dtype=bool)
    for cell in table.cells:  # these are faults of their own, not gaps
        given[cell.row, cell.asset] = True
    no_prices = absent[:4].all(axis=0)
    empty = no_prices
    if table.has_volume:  # sources write a volume of 0, too, where there was no market
        empty = no_prices & (absent[4] | (table.block[4] == 0.0) if missing == "no_market" else absent[4])
    partial = absent.any(axis=0) & ~empty & ~given
    if partial.any():
        columns = 5 if table.has_volume else 4
        yield _value_problem(table, "partial", partial, lambda bar: _partial_text(bar[:columns]), _partial_remedy(table, absent))
    if missing == "error" and (empty & ~given).any():
        remedy = 'missing="no_market" takes such rows as bars without a market, repair="drop" leaves them out'
        yield _value_problem(table, "missing", empty & ~given, lambda bar: (0, "all prices are missing"), remedy)
    yield from _price_problems(table, allow_negative)
    if table.has_volume:
        below = table.block[4] < 0.0
        if below.any():
            remedy = f"a 32-bit overflow in the source looks like this; {_DROP}"
            yield _value_problem(table, "negative_volume", below, lambda bar: (4, f"volume is negative: {_show(bar[4])}"), remedy)


def _partial_text(bar: Any) -> tuple[int, str]:
    gaps = [k for k, value in enumerate(bar) if np.isnan(value)]
    names = " and ".join(FIELDS[k] for k in gaps)
    return gaps[0], f"{names} {'is' if len(gaps) == 1 else 'are'} missing (NaN) while other columns of the row have values"


def _partial_remedy(table: Table, absent: NDArray[np.bool_]) -> str:
    if table.has_volume and absent[4].all():
        return "no row has a volume: leave the volume column out"
    return _DROP


def _cell_problems(table: Table) -> Iterator[Problem]:
    for kind in ("text", "type", "overflow"):
        cells = sorted((c for c in table.cells if c.kind == kind), key=lambda c: (c.row, c.asset, c.field))
        if cells:
            first = cells[0]
            text = f"{FIELDS[first.field]} is {first.value!r}, {_WHAT[kind]}; expected a number"
            rows = np.array([c.row for c in cells], dtype=np.int64)
            assets = np.array([c.asset for c in cells], dtype=np.int64)
            yield Problem(kind, rows, assets, FIELDS[first.field], first.value, text, _DROP, table.symbols, table.labels)


def _price_problems(table: Table, allow_negative: NDArray[np.bool_]) -> Iterator[Problem]:
    o, h, l, c = table.block[:4]  # noqa: E741 - the names of the contract
    infinite = np.asarray(np.isinf(table.block).any(axis=0))
    if infinite.any():

        def infinity(bar: Any) -> tuple[int, str]:
            field = int(np.flatnonzero(np.isinf(bar))[0])
            return field, f"{FIELDS[field]} is infinite ({_show(bar[field])})"

        yield _value_problem(table, "infinite", infinite, infinity, _DROP)
    low = np.asarray((table.block[:4] <= 0.0).any(axis=0) & ~allow_negative)
    if low.any():

        def lowest(bar: Any) -> tuple[int, str]:
            field = int(np.flatnonzero(bar[:4] <= 0.0)[0])
            return field, f"{FIELDS[field]} is {_show(bar[field])}; expected a price above zero"

        yield _value_problem(table, "nonpositive", low, lowest, f"allow_negative=True where such prices are real; {_DROP}")
    under = (h < o) | (h < c) | (h < l)
    if under.any():
        yield _value_problem(table, "high", under, lambda bar: (1, _range_text(bar, 1, "below", (2, 0, 3))), _DROP)
    over = ((l > o) | (l > c)) & ~under
    if over.any():
        yield _value_problem(table, "low", over, lambda bar: (2, _range_text(bar, 2, "above", (0, 3))), _DROP)


def _range_text(bar: Any, field: int, word: str, others: Sequence[int]) -> str:
    broken = [k for k in others if (bar[field] < bar[k] if word == "below" else bar[field] > bar[k])]
    against = " and ".join(f"{FIELDS[k]} {_show(bar[k])}" for k in broken)
    return f"{FIELDS[field]} {_show(bar[field])} is {word} {against}"


def check_table(table: Table, allow_negative: NDArray[np.bool_] | None = None, missing: str = "error") -> list[Problem]:
    """Everything that is wrong with a table, rule B1; an empty list where nothing is.

    `allow_negative` is bool (k,), prices <= 0 are real there; with `missing="no_market"` whole-NaN rows are bars without a market.
    """
    if len(table.labels) == 0:
        raise DataError(f"{', '.join(table.symbols)}: the table has no rows; expected at least one bar")
    flags = np.zeros(len(table.symbols), dtype=bool) if allow_negative is None else allow_negative
    return [*_check_times(table), *check_values(table, flags, missing)]


def refuse(problems: Sequence[Problem]) -> None:
    """Raise DataError about the first offending row, with how many others there are; do nothing without problems."""
    if not problems:
        return
    first = min(problems, key=lambda p: p.row)
    others = len({(p.symbols[a], int(r)) for p in problems for r, a in zip(p.rows, p.assets, strict=True)}) - 1
    more = f" {others} more bad row{'s' if others > 1 else ''}." if others else ""
    also = [str(p) for p in problems if p is not first][:3]
    rest = f" Also: {'; '.join(also)}." if also else ""
    raise DataError(f"{first}.{more}{rest} Remedy: {first.remedy} (rule B1).")
