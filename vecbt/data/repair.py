"""Repairs on request (rule B1): what a policy may change, and a record of what it did change. Nothing is filled, ever."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, nearest
from .labels import NO_TIME, label_text
from .quality import Table, check_values, repeats

__all__ = ["POLICIES", "Repair", "check_policies", "repaired"]

POLICIES = {
    "sort": "put the rows in order of time",
    "drop": "leave out rows that break a rule, and rows that repeat another one exactly",
    "keep_first": "of rows with the same time keep the first",
    "keep_last": "of rows with the same time keep the last",
}

_WHY = {
    "text": "text in a column of numbers",
    "type": "no number",
    "overflow": "an integer too large",
    "partial": "values missing inside the row",
    "missing": "all prices missing",
    "infinite": "infinite value",
    "nonpositive": "price not above zero",
    "high": "high below another price",
    "low": "low above another price",
    "negative_volume": "negative volume",
}


@dataclass(frozen=True)
class Repair:
    """What a policy changed: labels (ns UTC) of the rows of one asset that were left out or moved, and why."""

    policy: str
    symbol: str
    labels: tuple[int, ...]
    why: str

    def __str__(self) -> str:
        shown = ", ".join(label_text(x) for x in self.labels[:10]) + (f" and {len(self.labels) - 10} more" if len(self.labels) > 10 else "")
        done = "put in order of time" if self.policy == "sort" else "left out"
        count = len(self.labels)
        return f"{self.symbol}: {count} row{'s' if count > 1 else ''} {done} by repair={self.policy!r} ({self.why}): {shown}"


def check_policies(repair: str | Iterable[str] | None) -> tuple[str, ...]:
    """`repair` as a tuple of known policies; ConfigError for others."""
    if repair is not None and not isinstance(repair, Iterable):
        raise ConfigError(f"repair is {repair!r}; expected one or several of {', '.join(POLICIES)}")
    policies = () if repair is None else (repair,) if isinstance(repair, str) else tuple(repair)
    for policy in policies:
        if policy not in POLICIES:
            raise ConfigError(f"repair names {policy!r}, which is no policy; {nearest(str(policy), POLICIES)}")
    if "keep_first" in policies and "keep_last" in policies:
        raise ConfigError("repair names both 'keep_first' and 'keep_last'; choose one")
    return policies


def _take(table: Table, rows: NDArray[np.int64]) -> Table:
    """The table with these rows, in this order."""
    place = {int(old): new for new, old in enumerate(rows)}
    cells = tuple(replace(c, row=place[c.row]) for c in table.cells if c.row in place)
    return replace(table, labels=table.labels[rows], block=np.ascontiguousarray(table.block[:, rows]), cells=cells)


def _name(table: Table) -> str:
    return table.symbols[0] if len(table.symbols) == 1 else f"{len(table.symbols)} assets"


def _without(table: Table, rows: NDArray[np.int64], policy: str, why: str) -> tuple[Table, Repair]:
    kept = np.setdiff1d(np.arange(len(table.labels)), rows)
    return _take(table, kept), Repair(policy, _name(table), tuple(int(x) for x in table.labels[rows]), why)


def _exact_repeats(table: Table) -> NDArray[np.int64]:
    """Rows that repeat the first row of the same time in every cell."""
    first: dict[int, int] = {}
    rows = []
    faulty = {c.row for c in table.cells}
    for row, label in enumerate(table.labels.tolist()):
        start = first.setdefault(label, row)
        same = start != row and not {start, row} & faulty
        if same and np.array_equal(table.block[:, row], table.block[:, start], equal_nan=True):
            rows.append(row)
    return np.array(rows, dtype=np.int64)


def _repaired_times(table: Table, policies: tuple[str, ...]) -> tuple[Table, list[Repair]]:
    done = []
    if "drop" in policies and len(rows := np.flatnonzero(table.labels == NO_TIME)):
        table, note = _without(table, rows, "drop", "no time")
        done.append(note)
    if "drop" in policies and len(repeats(table.labels)) and len(rows := _exact_repeats(table)):
        table, note = _without(table, rows, "drop", "repeats another row exactly")
        done.append(note)
    for policy in ("keep_first", "keep_last"):
        if policy in policies and len(rows := repeats(table.labels)):
            if policy == "keep_last":
                rows = np.sort(len(table.labels) - 1 - repeats(table.labels[::-1]))
            table, note = _without(table, rows, policy, "repeated time")
            done.append(note)
    if "sort" in policies and len(table.labels) > 1 and np.diff(table.labels).min() < 0:
        order = np.argsort(table.labels, kind="stable")
        moved = np.flatnonzero(order != np.arange(len(order)))
        done.append(Repair("sort", _name(table), tuple(int(x) for x in table.labels[order[moved]]), "not in order"))
        table = _take(table, order)
    return table, done


def _dropped_values(table: Table, allow_negative: NDArray[np.bool_], missing: str) -> tuple[Table, list[Repair]]:
    """Leave out bars that break a rule: the row of a single asset, the bar of that asset where several share the row."""
    problems = list(check_values(table, allow_negative, missing))
    if not problems:
        return table, []
    bad = np.zeros(table.block.shape[1:], dtype=bool)
    for problem in problems:
        bad[problem.rows, problem.assets] = True
    done = []
    for k in np.flatnonzero(bad.any(axis=0)):
        why = ", ".join(dict.fromkeys(_WHY[p.kind] for p in problems if k in p.assets))
        done.append(Repair("drop", table.symbols[k], tuple(int(x) for x in table.labels[bad[:, k]]), why))
    block = table.block.copy()
    block[:, bad] = np.nan
    cleaned = replace(table, block=block, cells=())
    gone = bad.any(axis=1) & np.isnan(block[3]).all(axis=1)
    return _take(cleaned, np.flatnonzero(~gone)), done


def repaired(
    table: Table, policies: tuple[str, ...], allow_negative: NDArray[np.bool_], missing: str = "error"
) -> tuple[Table, tuple[Repair, ...]]:
    """The table after the policies, and what they changed. Faults that no policy names stay: check afterwards.

    Assets of one table share their rows, so a bar dropped from one of several becomes a bar without a market; a row goes when no
    asset is left.
    """
    table, done = _repaired_times(table, policies)
    if "drop" in policies and len(table.labels):
        table, more = _dropped_values(table, allow_negative, missing)
        done += more
    return table, tuple(done)
