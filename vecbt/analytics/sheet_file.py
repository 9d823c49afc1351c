"""A tear sheet as a file, in the form that its ending chooses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError

if TYPE_CHECKING:
    from .result import Result

__all__ = ["PAGES", "REPORTS", "write_report"]

PAGES = (".html", ".htm")
REPORTS = (*PAGES,)
"""Endings of reports."""


def write_report(result: Result, path: Path, *, log: bool, symbol: str | None, evidence: Any) -> Path:
    """Write it and say where; see `Result.report`."""
    from .report import page

    form = path.suffix.lower()
    if form not in REPORTS:
        raise ConfigError(f"path is {str(path)!r}; a report ends in {', '.join(REPORTS[:-1])} or {REPORTS[-1]}")
    path.write_text(page(result, log=log, symbol=symbol, evidence=evidence), encoding="utf-8")
    return path
