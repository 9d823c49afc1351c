"""Optional packages, imported at use; the error names the command that installs them."""

from __future__ import annotations

import importlib
from types import ModuleType

from .errors import MissingDependency

_EXTRA = {
    "pyarrow": "data",
    "duckdb": "data",
    "exchange_calendars": "data",
    "gymnasium": "rl",
    "optuna": "opt",
    "pymoo": "opt",
    "ray": "distributed",
}


def optional(name: str, purpose: str) -> ModuleType:
    """Import module `name`, or say what it is needed for and how to get it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        extra = _EXTRA.get(name.partition(".")[0])
        target = f"'vecbt[{extra}]'" if extra else name
        raise MissingDependency(f"{purpose} needs the package {name}: pip install {target}") from error
