"""What all commands share: exit codes, results on stdout, messages on stderr, numbers for JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import ConfigError

__all__ = ["FAILED", "MISTAKE", "OK", "plain", "say", "show", "writable", "writing"]

OK, FAILED, MISTAKE = 0, 1, 2


def say(text: str) -> None:
    """A message on stderr."""
    print(text, file=sys.stderr)


def show(text: str) -> None:
    """A result on stdout; a reader that has seen enough, such as head, is no failure."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        import typer

        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # what is left in the pipe must not fail again at exit
        raise typer.Exit(OK) from None


def plain(value: Any) -> Any:
    """A number, a time or a NaN as JSON has it: an undefined number is null."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, int):
        return value
    number = float(value)
    return number if number - number == 0.0 else None


def writable(path: Path | None, name: str, endings: tuple[str, ...]) -> Path | None:
    """The path, refused where its ending is none of these or its folder is not there."""
    if path is not None and endings and path.suffix.lower() not in endings:
        raise ConfigError(f"{name} is {str(path)!r}; expected a name that ends in {', '.join(endings[:-1])} or {endings[-1]}")
    if path is not None and not path.parent.is_dir():
        raise ConfigError(f"{name} is {str(path)!r}, but there is no folder {str(path.parent)!r}; make it first")
    return path


@contextmanager
def writing() -> Iterator[None]:
    """A file that cannot be written is the user's to mend."""
    try:
        yield
    except OSError as error:
        raise ConfigError(f"{error.filename} cannot be written: {error.strerror}") from error
