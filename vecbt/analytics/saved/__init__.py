"""Results that can be verified: saved to a folder without pickle, loaded, and run again to compare. Names load on first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .outcome import Check, VerifyReport
    from .read import load_result
    from .rerun import verify
    from .write import save

__all__ = ["Check", "VerifyReport", "load_result", "save", "verify"]

_HOME = {"Check": "outcome", "VerifyReport": "outcome", "load_result": "read", "save": "write", "verify": "rerun"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value
