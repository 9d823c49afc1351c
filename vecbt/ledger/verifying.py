"""Whether the ledger is as it was written: each record against its hash, the chain, its end, and a head that a report carries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError, counted
from .place import path
from .store import COLUMNS, SCHEMA, Record, chained, first_hash, reading

if TYPE_CHECKING:
    import sqlite3

__all__ = ["LedgerReport", "verify"]

_MOST = 20


@dataclass(frozen=True)
class LedgerReport:
    """What verification found.

    Attributes
    ----------
    ok : bool
    where : str
        The file.
    records : int
        How many there are.
    head : str
        Hash of the last record; empty where there is none.
    damage : tuple of str
        A sentence for each thing that is not as it was written.
    """

    ok: bool
    where: str
    records: int
    head: str
    damage: tuple[str, ...]

    def __str__(self) -> str:
        what = f"ledger {self.where}: {counted(self.records, 'record')}"
        if self.ok:
            return f"{what}, unbroken{f'; head {self.head}' if self.head else ''}"
        return "\n".join([f"{what}, DAMAGED", *(f"  {sentence}" for sentence in self.damage)])


def verify(head: str | None = None, file: str | Path | None = None) -> LedgerReport:
    """Read all of the ledger and compare it with its hashes.

    Parameters
    ----------
    head : str, optional
        The hash that a result carries (`Trials.head`), whole or its first eight digits or more: is all that was there then there still?
    file : str or Path, optional
        Another ledger than that in force.

    Raises
    ------
    ConfigError
        `head` is no hash.
    """
    if head is not None and (not isinstance(head, str) or not 8 <= len(head) <= 64 or set(head.lower()) - set("0123456789abcdef")):
        raise ConfigError(f"head is {head!r}; expected the hash of a record, 8 to 64 hexadecimal digits")
    where = path() if file is None else Path(file)
    damage: list[str] = []
    walk = _Walk(head)
    if not where.exists():
        damage += [] if head is None else [f"there is no ledger, and a record with the hash {head} was in it"]
    else:
        damage += _read(where, walk)
    more = len(damage) - _MOST
    shown = (*damage[:_MOST], f"and {more} more") if more > 0 else tuple(damage)
    return LedgerReport(not damage, str(where), walk.count, walk.last.hex() if walk.count else "", shown)


def _read(where: Path, walk: _Walk) -> list[str]:
    import sqlite3

    damage: list[str] = []
    try:
        with reading(where) as connection:
            damage += _whole(connection)
            damage += walk.over(connection)
    except (sqlite3.Error, OSError, ValueError, TypeError) as error:  # bytes of the file itself
        damage.append(f"the file cannot be read beyond record {walk.count}: {error}")
    return damage


def _whole(connection: sqlite3.Connection) -> Iterator[str]:
    """What SQLite says of its own file."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA:
        yield f"the layout is {version}; this version of vecbt reads layout {SCHEMA}"
    for (said,) in connection.execute(f"PRAGMA integrity_check({_MOST})"):
        if said != "ok":
            yield f"the file is damaged: {said}"


class _Walk:
    """From the first record to the last."""

    def __init__(self, head: str | None) -> None:
        self._head = None if head is None else head.lower()
        self.count, self.last = 0, b""

    def over(self, connection: sqlite3.Connection) -> Iterator[str]:
        """What is wrong, as it is met."""
        about = dict(connection.execute("SELECT name, value FROM about").fetchall())
        self.last = first_hash(about.get("ledger", ""))
        met, expected = self._head is None, 1
        for row in connection.execute(f"SELECT {COLUMNS} FROM records ORDER BY n"):
            record = Record(*row)
            if record.n > expected:
                yield _missing(expected, record.n - 1)
            elif chained(self.last, record) != record.hash:
                yield f"record {record.n} ({record.kind}) was changed, or what came before it"
            met = met or record.hash.hex().startswith(self._head or "")
            self.count, self.last, expected = self.count + 1, record.hash, record.n + 1
        said = int(about.get("records", "0"))
        if said >= expected:
            yield f"the tail was cut off: {_missing(expected, said)}"
        elif said != expected - 1 or about.get("last") != self.last.hex():
            yield f"the end is another one than was written: {said} records, the last {str(about.get('last'))[:16]}"
        if not met:
            yield f"no record has the hash {self._head}: the tail was cut off since, records were replaced, or it was another ledger"


def _missing(first: int, last: int) -> str:
    return f"record {first} is missing" if first == last else f"records {first} to {last} are missing"
