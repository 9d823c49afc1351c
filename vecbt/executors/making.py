"""Executors by name, for run files and the command line."""

from __future__ import annotations

import inspect
from typing import Any

from ..errors import ConfigError, nearest
from .base import Executor, Threads

__all__ = ["NAMES", "make"]

NAMES = ("processes", "ray", "threads")
"""What `make` knows."""


def make(name: str, **options: Any) -> Executor:
    """An executor by its name: `make("processes", workers=4)`.

    Parameters
    ----------
    name : {"threads", "processes", "ray"}
    options : arguments of `Threads`, `Processes` or `Ray`; `workers` is how many of them each uses, also of threads

    Raises
    ------
    ConfigError for an unknown name or argument.
    """
    kind = _kind(name)
    if kind is Threads and "workers" in options:
        options = {"threads": options["workers"], **{key: value for key, value in options.items() if key != "workers"}}
    known = list(inspect.signature(kind).parameters)
    for key in options:
        if key not in known:
            raise ConfigError(f"{kind.__name__} has no argument {key!r}; {nearest(key, ['workers', *known])}")
    made: Executor = kind(**options)
    return made


def _kind(name: Any) -> Any:
    if name == "threads":
        return Threads
    if name == "processes":
        from .processes import Processes

        return Processes
    if name == "ray":
        from .cluster import Ray

        return Ray
    raise ConfigError(f"executor is {name!r}; {nearest(str(name), NAMES)}")
