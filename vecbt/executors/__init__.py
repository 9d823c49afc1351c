"""Where the sets of a sweep run: threads of this process, processes of this machine, or the machines of a Ray cluster.

>>> with vb.executors.Processes(4) as workers:
...     found = vb.sweep(bars, Breakout(), {"window": range(5, 200)}, costs=costs, executor=workers)

Whichever it is, in whatever pieces and order, every line is the same to the last bit. Classes load on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .base import Executor, Threads
    from .cluster import Ray
    from .making import make
    from .processes import Processes

__all__ = ["Executor", "Processes", "Ray", "Threads", "make"]

_HOME = {"Executor": "base", "Processes": "processes", "Ray": "cluster", "Threads": "base", "make": "making"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value
