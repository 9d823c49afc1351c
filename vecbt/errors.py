"""The exception tree of vecbt. Catch `VecbtError` to catch everything the package raises on purpose.

VecbtError
├── DataError            a table of prices is not usable: which row, which column, what to do
├── InputError           signals, strengths, weights or quantities do not fit the bars
├── ConfigError          an argument or a configuration value is wrong
├── StrategyError        a strategy returned something that cannot be used
├── StateError           a saved state does not fit this version or this session
├── AuditError           the accounts of a run do not add up (a fault of vecbt, never of the user)
├── ParityError          two drivers disagreed where they must not
├── WorkerError          a worker of an executor failed or was lost, again and again
└── MissingDependency    an optional package is not installed; the message names the command
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "AuditError",
    "ConfigError",
    "DataError",
    "InputError",
    "MissingDependency",
    "ParityError",
    "StateError",
    "StrategyError",
    "VecbtError",
    "WorkerError",
    "counted",
    "nearest",
]


class VecbtError(Exception):
    """Root of everything vecbt raises on purpose."""


class DataError(VecbtError, ValueError):
    """A table of prices is not usable."""


class InputError(VecbtError, ValueError):
    """Signals, strengths, weights or quantities do not fit the bars."""


class ConfigError(VecbtError, ValueError):
    """An argument or a configuration value is wrong."""


class StrategyError(VecbtError, ValueError):
    """A strategy returned something that cannot be used."""


class StateError(VecbtError, ValueError):
    """A saved state does not fit this version of vecbt or this session."""


class AuditError(VecbtError, AssertionError):
    """The accounts of a run do not add up."""


class ParityError(VecbtError, AssertionError):
    """Two drivers disagreed where they must not."""


class WorkerError(VecbtError, RuntimeError):
    """A worker of an executor failed, or was lost again and again."""


class MissingDependency(VecbtError, ImportError):
    """An optional package is not installed."""


def counted(count: int, what: str) -> str:
    """So many of something, for a message: `1 set`, `1,200 sets`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence that suggests the known name closest to `name`, or lists what is known."""
    options = sorted(known)
    close = difflib.get_close_matches(name, options, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(options)}"
