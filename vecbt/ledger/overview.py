"""What is in the ledger, by data set."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from ..data.labels import label_text
from ..errors import StateError, counted
from .catalog import Catalog, Known, catalog_of
from .counting import trials_of
from .place import Entry, path, why_off
from .store import current

__all__ = ["head", "show", "summary"]


def summary() -> list[dict[str, Any]]:
    """A dictionary for each data set, in the order in which they were met.

    `data` (number of its record), `symbols`, `bars`, `first`, `last` (labels, UTC), `records` (runs and sweeps on it), `trials` (distinct
    configurations on it and on data that overlap), `overlaps` (how many others do), `sharpe` (the best on it, per bar), `sharpe_annual`,
    `strategy` and `parameters` of the best, `used` (time of the last record, UTC). Empty where there is no ledger.

    Raises
    ------
    StateError
        The ledger cannot be read.
    """
    import sqlite3

    if not path().exists():
        return []
    try:
        ledger = current()
        with ledger.reading() as execute:
            catalog = catalog_of(ledger)
            catalog.read(execute)
            rows = [_row(execute, n, one) for n, one in catalog.known.items()]
    except (OSError, ValueError, sqlite3.Error) as error:
        raise StateError(f"the ledger {str(path())!r} cannot be read: {error}; vecbt ledger verify says more") from error
    return [row | _counts(catalog, row["data"]) for row in rows]


def _row(execute: Callable[..., Any], n: int, one: Known) -> dict[str, Any]:
    best, best_head, used, records = math.nan, None, "", 0
    for (text,) in execute("SELECT head FROM records WHERE data=? AND kind IN ('run', 'sweep') ORDER BY n", (n,)):
        head = json.loads(text)
        records, used = records + 1, head["time"]
        if head["sharpe"] is not None and not head["sharpe"] <= best:
            best, best_head = head["sharpe"], head
    parameters = {} if best_head is None else best_head["parameters"] | best_head.get("best", {})
    return {
        "data": n, "symbols": one.head["symbols"], "bars": one.bars, "first": label_text(one.head["first"]),
        "last": label_text(one.head["last"]), "records": records, "sharpe": best,
        "sharpe_annual": best * math.sqrt(one.head["periods_per_year"]), "strategy": "" if best_head is None else best_head["strategy"],
        "parameters": parameters, "used": used, "hash": one.head["hash"],
    }  # fmt: skip


def _counts(catalog: Catalog, n: int) -> dict[str, Any]:
    found = trials_of(Entry(True), None, catalog.known[n].head["hash"])
    return {"trials": found.count, "overlaps": max(found.data_sets - 1, 0)}


def head() -> str:
    """Hash of the last record, for `verify`; empty where the ledger is off, holds nothing or cannot be read."""
    import sqlite3

    if why_off() or not path().exists():
        return ""
    try:
        with current().reading() as execute:
            about = dict(execute("SELECT name, value FROM about").fetchall())
    except (OSError, ValueError, sqlite3.Error):
        return ""
    return str(about["last"]) if int(about["records"]) else ""


def show() -> str:
    """The ledger as text: where it is, its head, and a paragraph for each data set."""
    why = why_off()
    lines = [f"ledger {path()}" + (f" ({why})" if why else "")]
    found = [] if why else summary()
    if not found:
        return "\n".join([*lines, "  nothing is recorded"])
    with current().reading() as execute:
        records, used = execute("SELECT count(*), sum(length(body) + length(head)) FROM records").fetchone()
    lines.append(f"  {counted(records, 'record')}, {used / 2**20:.1f} MiB, head {head()}")
    for row in found:
        symbols = ", ".join(row["symbols"][:6]) + (f" and {len(row['symbols']) - 6} more" if len(row["symbols"]) > 6 else "")
        overlap = f", with {counted(row['overlaps'], 'data set')} that overlap" if row["overlaps"] else ""
        lines.append(f"data {row['data']}: {symbols}, {counted(row['bars'], 'bar')}, {row['first']} .. {row['last']}")
        lines.append(f"  {counted(row['trials'], 'trial')}{overlap}; {counted(row['records'], 'record')} on it, the last {row['used']}")
        if not math.isnan(row["sharpe"]):
            named = ", ".join(f"{name}={value!r}" for name, value in row["parameters"].items())
            lines.append(f"  best Sharpe ratio {row['sharpe_annual']:.2f} a year: {row['strategy']}({named})")
    return "\n".join(lines)
