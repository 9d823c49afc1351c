"""What all commands share: exit codes, results on stdout, messages on stderr, numbers for JSON."""

from __future__ import annotations

import os
import sys
from typing import Any

__all__ = ["FAILED", "MISTAKE", "OK", "plain", "say", "show"]

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
