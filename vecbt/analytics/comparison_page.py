"""The report of a comparison: one HTML page that needs nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import counted
from .comparison import COMPARED, LESS_IS_BETTER
from .html import Raw, cell, table, text
from .report_style import document, footer
from .sheet_charts import growth_line
from .sheet_sections import chart
from .statistics import write
from .vendored import data_block, echarts, own

if TYPE_CHECKING:
    from .comparison import Comparison

__all__ = ["comparison_data", "comparison_page", "comparison_table"]

_RANKED = ("return", "risk", "trades")  # groups in which one run is better than another
_NEITHER = {"volatility", "trades", "average_holding_bars", "average_mae", "average_mfe"}


def comparison_page(comparison: Comparison, *, log: bool) -> str:
    """The whole page as text."""
    title = f"Comparison of {counted(len(comparison.parts), 'run')}"
    names = ", ".join(comparison.names[:6]) + (f" and {len(comparison.names) - 6} more" if len(comparison.names) > 6 else "")
    hash_of = {part.result.run.bars.content_hash for part in comparison.parts}
    parts = [
        f'<h1>{text(title)}</h1>\n<p class="sub">{text(names)}</p>\n<p class="lead">{text(comparison.note)}</p>',
        "<h2>Growth</h2>",
        chart(
            "growth",
            "Growth and drawdown of all runs over time",
            "Growth of one unit of money since the first common bar. Ctrl and the wheel zoom.",
        ),
        "<h2>Statistics</h2>",
        comparison_table(comparison),
        "<h2>Correlation of returns</h2>",
        _correlation(comparison),
        "<h2>What they assume differently</h2>",
        _differences(comparison),
        footer(", ".join(sorted(hash_of)), "times are UTC and label the start of a bar"),
    ]
    return document(title, parts, data=data_block("sheet-data", comparison_data(comparison, log)), scripts=(echarts(), own("sheet.js")))


def comparison_data(comparison: Comparison, log: bool) -> dict[str, Any]:
    """What the page's script draws."""
    return {"log": log, "growth": [growth_line(part.name, part.labels, part.growth, part.drawdown) for part in comparison.parts]}


def comparison_table(comparison: Comparison) -> str:
    """Statistics by run, the best of a row in bold."""
    rows = []
    for row in COMPARED:
        values = comparison.table.loc[row.name]
        best = _best(row.name, row.group, values)
        cells = [
            cell(Raw(f"<b>{text(write(row.kind, value))}</b>") if value == best else write(row.kind, value), number=True)
            for value in values
        ]
        rows.append([Raw(f'<th title="{text(row.meaning)}">{text(row.label)}</th>'), *cells])
    made = table(("", *comparison.names), rows, range(1, len(comparison.names) + 1), kind="versus")
    note = "Bold: the best of a row, chosen afterwards. A trade counts where it was closed within the common dates."
    return f'<div class="scroll">{made}</div><p class="note">{note}</p>'


def _best(name: str, group: str, values: Any) -> float:
    """The best value of a row, NaN where none is better or all are alike."""
    known = values.dropna()
    if group not in _RANKED or name in _NEITHER or known.nunique() < 2:
        return float("nan")
    return float(known.min() if name in LESS_IS_BETTER else known.max())


def _correlation(comparison: Comparison) -> str:
    found = comparison.correlation
    rows = [
        [Raw(f"<th>{text(name)}</th>"), *(cell("–" if value != value else f"{value:.2f}", number=True) for value in found.loc[name])]
        for name in comparison.names
    ]
    of_what = "bars" if comparison.same_bars else "UTC days, because the bars of the runs are not the same"
    made = table(("", *comparison.names), rows, range(1, len(comparison.names) + 1), kind="versus")
    return f'<div class="scroll">{made}</div><p class="note">Of returns of {of_what}.</p>'


def _differences(comparison: Comparison) -> str:
    frame = comparison.differences
    if frame.empty:
        return "<p>Nothing: all assumptions are the same.</p>"
    rows = [[cell(value) for value in row] for row in frame.itertuples(index=False)]
    return f'<div class="scroll">{table(("section", "name", *comparison.names), rows, kind="versus")}</div>'
