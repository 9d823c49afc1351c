"""Where the ledger is, and whether it is on."""

from __future__ import annotations

import functools
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

__all__ = ["FILE", "Entry", "notice", "off", "path", "why_off"]

FILE = "ledger.sqlite"

_VARIABLE = "VECBT_LEDGER"
_off: ContextVar[bool] = ContextVar("vecbt_ledger_off", default=False)
_said: set[str] = set()


@dataclass(frozen=True)
class Entry:
    """Whether a run or a sweep is in the ledger; `note` says why not."""

    recorded: bool
    note: str = ""


def path() -> Path:
    """The file of the ledger, whether it is there yet or not.

    It is `ledger.sqlite` in the folder that the environment names in `VECBT_LEDGER`; without that in the folder for a user's data:
    `$XDG_DATA_HOME/vecbt` or `~/.local/share/vecbt`, on macOS `~/Library/Application Support/vecbt`, on Windows `%LOCALAPPDATA%/vecbt`.
    """
    given = os.environ.get(_VARIABLE, "")
    return _file_in(os.path.expanduser(given) if given and not _says_off(given) else _users_folder())


@functools.lru_cache(maxsize=64)
def _file_in(folder: str) -> Path:
    return Path(folder) / FILE


def _users_folder() -> str:
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    elif sys.platform == "darwin":
        base = os.path.join(home, "Library", "Application Support")
    else:
        base = os.environ.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share")
    return os.path.join(base, "vecbt")


def _says_off(given: str) -> bool:
    return given.strip().lower() in ("off", "0", "no", "false")


@contextmanager
def off() -> Iterator[None]:
    """Record nothing inside `with vb.ledger.off():`; results of these runs say so."""
    token = _off.set(True)
    try:
        yield
    finally:
        _off.reset(token)


def why_off() -> str:
    """A sentence where the ledger is off, nothing where it is on."""
    if _off.get():
        return "the ledger was off: vb.ledger.off()"
    given = os.environ.get(_VARIABLE, "")
    return f"the ledger was off: {_VARIABLE}={given}" if given and _says_off(given) else ""


def notice(text: str) -> None:
    """Say something of this ledger once a process, as a warning of the logger `vecbt.ledger`: a run goes on without it."""
    where = str(path())
    if where not in _said:
        _said.add(where)
        logging.getLogger("vecbt.ledger").warning("%s", text)
