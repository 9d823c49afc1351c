"""The tear sheet as plain text for a terminal, at most 100 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from . import tables
from .sheet import Sheet
from .sheet_run import RunSheet
from .sheet_sections import MONTHS, drawdown_times, month_text
from .statistics import write

__all__ = ["WIDTH", "aligned", "depth_lines", "month_lines", "sheet_text"]

WIDTH = 100
_MOST_REFUSALS = 12


def sheet_text(sheet: Sheet) -> str:
    """Title, what became of the money, statistics, months, drawdowns; of a result costs and refused orders, too."""
    head = [sheet.title, sheet.span, sheet.parameters, "", sheet.lead]
    run = sheet if isinstance(sheet, RunSheet) else None
    if run is not None and run.several:
        head.append("Statistics are medians over accounts; months, drawdowns and costs are of all accounts together.")
    sections = [
        _wrapped(head),
        _evidence(sheet),
        _statistics(sheet),
        ["RETURNS BY MONTH, %", *month_lines(sheet)],
        ["DRAWDOWNS", *depth_lines(sheet)],
        [] if run is None else ["COSTS", *aligned([(cost.name, write("money", cost.money)) for cost in run.costs], (False, True))],
        [] if run is None else _refusals(run),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _wrapped(lines: Iterable[str]) -> list[str]:
    return [part for line in lines for part in (textwrap.wrap(line, WIDTH) or [""])]


def aligned(rows: Sequence[Sequence[str]], right: Sequence[bool], gap: int = 2) -> list[str]:
    """Rows as columns of equal width; `right` says which of them stand to the right."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(right))]
    return [
        (" " * gap)
        .join(cell.rjust(width) if to_right else cell.ljust(width) for cell, width, to_right in zip(row, widths, right, strict=True))
        .rstrip()
        for row in rows
    ]


def _evidence(sheet: Sheet) -> list[str]:
    found = sheet.evidence
    if not found.examined:
        return _wrapped([f"IS IT LUCK? {found.words}", *([found.note] if found.note else [])])
    lines = ["IS IT LUCK?", *_wrapped([found.words])]
    for name, value, meaning in found.rows:
        lines += textwrap.wrap(f"{name}: {value}" + (f" ({meaning})" if meaning else ""), WIDTH, subsequent_indent="    ")
    return lines + (_wrapped([found.note]) if found.note else [])


def _statistics(sheet: Sheet) -> list[str]:
    """Groups one below the other in two columns of about equal length."""
    blocks = []
    for name, figures in sheet.cards():
        blocks.append([name.upper(), *(f"{one.row.label[:30]:<31}{one.written[:16]:>16}" for one in figures), ""])
    left: list[str] = []
    right: list[str] = []
    total = sum(map(len, blocks))
    for block in blocks:
        (left if len(left) + len(block) / 2 <= total / 2 else right).extend(block)
    left += [""] * (len(right) - len(left))
    right += [""] * (len(left) - len(right))
    lines = [f"{one:<47}     {other}".rstrip() for one, other in zip(left, right, strict=True)]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def month_lines(sheet: Sheet) -> list[str]:
    """The table of months as lines, percent."""
    if sheet.months is None:
        return ["These returns have no times, so there are no months."]
    lines = ["    " + "".join(f"{name:>7}" for name in MONTHS) + f"{'Year':>9}"]
    for year, row in sheet.months.iterrows():
        values = [month_text(float(value)) for value in row]
        lines.append(f"{int(year):<4}" + "".join(f"{value:>7}" for value in values[:12]) + f"{values[12]:>9}")
    return lines


def depth_lines(sheet: Sheet) -> list[str]:
    """The deepest drawdowns as lines."""
    if sheet.drawdowns.empty:
        return ["Equity never closed below an earlier close."]
    rows = [("depth", "peak", "trough", "recovery", "length", "to trough")]
    for row in sheet.drawdowns.itertuples(index=False):
        rows.append((f"{row.depth:.2%}", *drawdown_times(row), f"{row.length:,}", f"{row.to_trough:,}"))
    return aligned(rows, (True, False, False, False, True, True), gap=3)


def _refusals(sheet: RunSheet) -> list[str]:
    frame = tables.refusals(sheet.result.run)
    if frame.empty:
        return []
    lines = ["ORDERS CUT OR REFUSED"]
    for row in frame.head(_MOST_REFUSALS).itertuples(index=False):
        lines += textwrap.wrap(f"{row.orders:,} {row.status} by {row.rule}: {row.because}", WIDTH, subsequent_indent="    ")
    return lines
