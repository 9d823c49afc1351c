"""A tear sheet as a file, in the form that its ending chooses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError

if TYPE_CHECKING:
    from .sheet import Sheet

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


def write_report(make: Callable[[], Sheet], path: str | Path, *, log: bool) -> Path:
    """Make the sheet, once the path is known to be one of a report, write it and say where; see `Result.report`."""
    target = Path(path)
    form = report_form(target)
    if form == "html":
        from .report import page

        target.write_text(page(make(), log=log), encoding="utf-8")
        return target
    from .sheet_paper import paper_pages, to_pdf, to_png

    pages = paper_pages(make(), log=log)
    target.write_bytes(to_pdf(pages) if form == "pdf" else to_png(pages))
    return target
