"""Results that can be verified: saved to a folder without pickle, loaded, and run again to compare."""

from __future__ import annotations

from .outcome import Check, VerifyReport
from .read import load_result
from .rerun import verify
from .write import save

__all__ = ["Check", "VerifyReport", "load_result", "save", "verify"]
