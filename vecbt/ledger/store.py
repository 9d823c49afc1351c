"""The file: records in a chain of hashes, appended by any number of processes, never changed.

A record's hash covers all of it and the hash of the record before it. SQLite makes each record whole or absent, whatever kills a writer,
and lets writers wait for each other; the chain shows what was changed by other means. Bodies are JSON and plain arrays, nothing is pickled.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import StateError
from .place import path

if TYPE_CHECKING:
    import sqlite3

__all__ = ["COLUMNS", "SCHEMA", "Draft", "Ledger", "Record", "chained", "current", "first_hash", "put", "reading"]

SCHEMA = 1
"""Number of the layout; another one is refused."""

COLUMNS = "n, kind, data, bars, trials, key, head, body, hash"

_WAIT = 5.0  # seconds for which a writer waits for others
_TABLES = """
CREATE TABLE about(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE records(
    n INTEGER PRIMARY KEY, kind TEXT NOT NULL, data INTEGER NOT NULL, bars INTEGER NOT NULL, trials INTEGER NOT NULL, key BLOB NOT NULL,
    head TEXT NOT NULL, body BLOB NOT NULL, hash BLOB NOT NULL);
CREATE UNIQUE INDEX records_by_key ON records(kind, data, key);
"""


class Record(NamedTuple):
    """One record.

    Attributes
    ----------
    n : its number, from 1 on
    kind : "data", "run" or "sweep"
    data : number of the record of its data; 0 in that record itself
    bars, trials : how many bars, and how many trials it holds
    key : hash of what it says, 32 bytes: the same again is no second record
    head : JSON
    body : arrays, one after the other
    hash : SHA-256 over all of it and the hash before it, 32 bytes
    """

    n: int
    kind: str
    data: int
    bars: int
    trials: int
    key: bytes
    head: str
    body: bytes
    hash: bytes


@dataclass(frozen=True)
class Draft:
    """A record that has no number yet."""

    kind: str
    data: int
    bars: int
    trials: int
    head: dict[str, Any]
    body: bytes
    key: bytes


def first_hash(ledger: str) -> bytes:
    """What stands in place of the hash before the first record, of the ledger of this name."""
    return hashlib.sha256(f"vecbt ledger {SCHEMA} {ledger}".encode()).digest()


def chained(before: bytes, record: Record) -> bytes:
    """The hash that a record has after another one."""
    fields = json.dumps([record.n, record.kind, record.data, record.bars, record.trials, record.key.hex(), record.head])
    return hashlib.sha256(before + hashlib.sha256(fields.encode()).digest() + hashlib.sha256(record.body).digest()).digest()


class Ledger:
    """An open ledger; threads share it.

    Parameters
    ----------
    file : where it is; made, with its folder, where it is not there

    Raises
    ------
    OSError, sqlite3.Error where it cannot be written; StateError where it is of another layout.
    """

    def __init__(self, file: Path) -> None:
        import sqlite3

        file.parent.mkdir(parents=True, exist_ok=True)
        self.file, self._lock = file, threading.RLock()
        self._connection = sqlite3.connect(file, timeout=_WAIT, isolation_level=None, check_same_thread=False)
        try:
            _patiently(lambda: self._connection.execute("PRAGMA journal_mode=WAL").fetchone())
            # a killed process loses nothing; a power cut may lose the last records, never the order of what is left
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._begin()
            self.name = _checked(self._connection, file)
            self._inode = file.stat().st_ino
        except BaseException:
            self._connection.close()
            raise
        self.seen: dict[str, int] = {}
        """Numbers of data that were met, by their hash."""

    def _begin(self) -> None:
        with self.writing() as execute:
            if execute("PRAGMA user_version").fetchone()[0] == 0:
                for statement in _TABLES.split(";\n"):
                    execute(statement)
                name = secrets.token_hex(16)
                rows = [("ledger", name), ("records", "0"), ("last", first_hash(name).hex())]
                for row in rows:
                    execute("INSERT INTO about VALUES(?, ?)", row)
                execute(f"PRAGMA user_version={SCHEMA}")

    @property
    def moved(self) -> bool:
        """Whether the file was taken away or replaced since it was opened."""
        try:
            return self.file.stat().st_ino != self._inode
        except OSError:
            return True

    @contextmanager
    def writing(self) -> Iterator[Callable[..., sqlite3.Cursor]]:
        """The only writer there is; all of what is written inside is kept, or nothing."""
        import sqlite3

        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection.execute
                self._connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # where SQLite has done so itself
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[Callable[..., sqlite3.Cursor]]:
        """All that is read inside is of one moment."""
        with self._lock:
            self._connection.execute("BEGIN")
            try:
                yield self._connection.execute
            finally:
                self._connection.execute("COMMIT")

    def append(self, draft: Draft) -> int:
        """Put a record at the end, unless one that says the same is there already; its number."""
        with self.writing() as execute:
            found = execute("SELECT n FROM records WHERE kind=? AND data=? AND key=?", (draft.kind, draft.data, draft.key)).fetchone()
            return int(found[0]) if found else put(execute, draft)

    def close(self) -> None:
        """No more of it."""
        with self._lock:
            self._connection.close()


def put(execute: Callable[..., Any], draft: Draft) -> int:
    """Put a record at the end, inside `Ledger.writing`; its number."""
    about = dict(execute("SELECT name, value FROM about WHERE name IN ('records', 'last')").fetchall())
    n, before = int(about["records"]) + 1, bytes.fromhex(about["last"])
    head = json.dumps(draft.head, ensure_ascii=False)
    record = Record(n, draft.kind, draft.data, draft.bars, draft.trials, draft.key, head, draft.body, b"")
    record = record._replace(hash=chained(before, record))
    execute(f"INSERT INTO records({COLUMNS}) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)", record)
    execute("UPDATE about SET value=? WHERE name='records'", (str(n),))
    execute("UPDATE about SET value=? WHERE name='last'", (record.hash.hex(),))
    return n


def _checked(connection: sqlite3.Connection, file: Path) -> str:
    """The name of the ledger; StateError where its layout is another one."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA:
        raise StateError(f"{str(file)!r} is a ledger of layout {version}; this version of vecbt reads layout {SCHEMA}")
    row = connection.execute("SELECT value FROM about WHERE name='ledger'").fetchone()
    if row is None:
        raise StateError(f"{str(file)!r} is damaged: it does not say which ledger it is")
    return str(row[0])


def _patiently(call: Callable[[], object]) -> None:
    """Again and again while others have the file: turning it to WAL does not wait by itself."""
    import sqlite3

    until = time.monotonic() + _WAIT
    while True:
        try:
            call()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)


@contextmanager
def reading(file: Path) -> Iterator[sqlite3.Connection]:
    """A ledger that is only read; sqlite3.Error where there is none."""
    import sqlite3

    connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=_WAIT, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


# --- the one that is in use -------------------------------------------------------------------------------------------

_open: list[Ledger] = []
_inherited: list[Ledger] = []
_guard = threading.Lock()


def current() -> Ledger:
    """The ledger that is in force now, kept open by the process; errors as from `Ledger`."""
    file = path()
    with _guard:
        if _open and (_open[0].file != file or _open[0].moved):
            _open.pop().close()
        if not _open:
            _open.append(Ledger(file))
        return _open[0]


def _forget() -> None:
    """In a process that was forked: what its parent has open is the parent's."""
    global _guard
    _guard = threading.Lock()
    _inherited.extend(_open)  # kept, so that nothing closes it here
    _open.clear()


@atexit.register
def _close() -> None:
    with contextlib.suppress(Exception):  # the interpreter ends: nobody is left to be told
        while _open:
            _open.pop().close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
