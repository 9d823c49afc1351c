"""A tear sheet as a file, in the form that its ending chooses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError

if TYPE_CHECKING:
    from .result import Result

__all__ = ["REPORTS", "report_form", "write_report"]

_PAGES = (".html", ".htm")
REPORTS = (*_PAGES, ".pdf", ".png")
"""Endings of reports."""


def report_form(path: Path) -> str:
    """The form that the ending of a path chooses: html, pdf or png. ConfigError where it chooses none."""
    ending = path.suffix.lower()
    if ending not in REPORTS:
        raise ConfigError(f"path is {str(path)!r}; a report ends in {', '.join(REPORTS[:-1])} or {REPORTS[-1]}")
    return "html" if ending in _PAGES else ending[1:]


def write_report(result: Result, path: Path, *, log: bool, symbol: str | None, evidence: Any) -> Path:
    """Write it and say where; see `Result.report`."""
    form = report_form(path)
    if form == "html":
        from .report import page

        path.write_text(page(result, log=log, symbol=symbol, evidence=evidence), encoding="utf-8")
        return path
    from .sheet import Sheet
    from .sheet_paper import paper_pages, to_pdf, to_png

    pages = paper_pages(Sheet.of(result, symbol=symbol, evidence=evidence), log=log)
    path.write_bytes(to_pdf(pages) if form == "pdf" else to_png(pages))
    return path
