"""Folders in which work is kept as it goes on: who may, one at a time, and what the system refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ...errors import ConfigError

__all__ = ["Lock", "folder_of", "writing"]


def folder_of(given: Any, argument: str) -> Path:
    """A folder that is there or can be made; ConfigError, naming the argument, for anything else."""
    if not isinstance(given, str | Path) or str(given) == "":
        raise ConfigError(f"{argument} is {given!r}; expected the name of a folder")
    path = Path(given).expanduser()
    if path.exists() and not path.is_dir():
        raise ConfigError(f"{argument} is {str(given)!r}, which is a file; give the name of a folder")
    if not path.resolve().parent.is_dir():
        raise ConfigError(f"{argument} is {str(given)!r}, but there is no folder {str(path.parent)!r}; make it first")
    return path


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Say of what the system refuses where it was."""
    try:
        yield
    except OSError as error:
        what = f"the checkpoint in {str(folder)!r} cannot be written: {error}"
        raise ConfigError(f"{what}; what it holds already is whole, and the same call goes on from there") from error


class Lock:
    """One at a time in a folder; ends with the process, however that ends. Where the system has no such locks, nothing is locked.

    Parameters
    ----------
    path : the file that is locked
    what : that is at work there, such as "sweep", for the error
    """

    def __init__(self, path: Path, what: str) -> None:
        self._path, self._what = path, what
        self._file: IO[bytes] | None = None

    def take(self) -> None:
        """ConfigError where another has it."""
        try:
            import fcntl
        except ImportError:
            return
        file = self._path.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            what = f"another {self._what} is at work in {str(self._path.parent)!r}"
            raise ConfigError(f"{what}; wait for it, or give another folder") from None
        except OSError:  # a file system without locks
            file.close()
            return
        self._file = file

    def give_back(self) -> None:
        """For the next one."""
        if self._file is not None:
            self._file.close()
            self._file = None
