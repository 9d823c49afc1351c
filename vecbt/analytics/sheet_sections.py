"""Sections of the tear sheet in HTML: places for charts, months, drawdowns, costs, evidence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .._typing import Table
from ..core.codes import Zone
from .html import Raw, cell, table, text
from .plots import ZONE_COLORS
from .sheet_data import Cost
from .sheet_evidence import EvidenceTable
from .statistics import write

if TYPE_CHECKING:
    from .sheet import Figure

__all__ = [
    "MONTHS",
    "cards_section",
    "chart",
    "costs_section",
    "drawdown_times",
    "drawdowns_section",
    "evidence_section",
    "is_dark",
    "month_color",
    "month_text",
    "months_section",
    "stamp_text",
    "zone_legend",
]

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_GAIN, _LOSS = (27, 94, 140), (200, 100, 27)  # blue and orange: told apart by every kind of eye
_FULL = 0.10  # a month's return whose color is full
_MEANING = {
    "before costs": "what prices alone brought",
    "commission": "of all fills",
    "slippage": "between reference and fill prices",
    "borrow": "fees of borrowing what was sold short",
    "interest": "on negative cash",
    "funding": "of perpetuals; above zero it was received",
    "dividends": "of longs, less those paid by shorts",
    "profit": "final equity less initial, without deposits and withdrawals",
}


def chart(name: str, words: str, note: str = "") -> str:
    """A place that the page's script draws in; `words` say what is there to those who do not see it."""
    said = f'<p class="note">{text(note)}</p>' if note else ""
    return (
        f'<figure><div class="chart" id="chart-{name}" role="img" aria-label="{text(words)}"></div>'
        f'<img class="printed" id="print-{name}" alt="{text(words)}">{said}</figure>'
    )


def zone_legend(zones: list[int], shares: dict[int, float]) -> str:
    """Colors of the zones that occur, with their share of the bars."""
    if not zones:
        return ""
    marks = (f'<span><i style="background:{ZONE_COLORS[z]}"></i>{Zone(z).name.lower()}, {shares[z]:.1%} of bars</span>' for z in zones)
    return f'<p class="note legend">Drawdown zones: {" ".join(marks)}</p>'


def stamp_text(stamp: Any) -> str:
    """A time as people read it: the date alone at midnight."""
    if stamp is None or stamp != stamp:
        return "–"
    return f"{stamp:%Y-%m-%d}" if stamp == stamp.normalize() else f"{stamp:%Y-%m-%d %H:%M}"


def month_color(value: float) -> str:
    """Background of a return, from orange over white to blue; full at 10 %."""
    if value != value or value == 0.0:
        return "#ffffff"
    share = min(abs(value) / _FULL, 1.0) ** 0.7 * 0.75
    return "#" + "".join(f"{round(255 + (part - 255) * share):02x}" for part in (_GAIN if value > 0 else _LOSS))


def is_dark(value: float) -> bool:
    """Whether the color of a return is too dark for dark text."""
    return abs(value) >= 0.75 * _FULL


def month_text(value: float) -> str:
    """A return in percent, without the sign; empty where there is none."""
    if value != value:
        return ""
    return f"{value * 100:.1f}".replace("-0.0", "0.0") if abs(value) < 100.0 else f"{value * 100:.3g}"


def _month(value: float, year: bool) -> Raw:
    shown, dark = month_text(value), is_dark(value) and not year
    look = "" if value != value or year else f' style="background:{month_color(value)}{";color:#fff" if dark else ""}"'
    return Raw(f'<td class="{"year" if year else "m"}"{look}>{shown}</td>')


def months_section(months: Table | None, words: str) -> str:
    """Return of each month and year in percent, colored; `words` say whose months they are."""
    if months is None:
        return "<p>These returns have no times, so there are no months.</p>"
    rows = [
        [Raw(f"<th>{int(year)}</th>"), *(_month(float(value), column == "total") for column, value in row.items())]
        for year, row in months.iterrows()
    ]
    made = table(("", *MONTHS, "Year"), rows, kind="months")
    known = months.drop(columns="total").stack().dropna()
    said = ""
    if len(known):
        said = f"{len(known):,} months: {float((known > 0).mean()):.0%} above zero, best {known.max():.1%}, worst {known.min():.1%}. "
    return f'{made}<p class="note">{said}Percent, {text(words)}; a month that is covered in part counts with that part.</p>'


def drawdown_times(row: Any) -> tuple[str, str, str]:
    """Peak, trough and recovery of a row of `vecbt.drawdowns` as people read them; numbers of bars without times."""
    begun, ended = row.peak == row.peak and row.peak != -1, row.to_recovery >= 0
    return (_when(row.peak) if begun else "before the first bar", _when(row.trough), _when(row.recovery) if ended else "not yet")


def _when(value: Any) -> str:
    return stamp_text(value) if hasattr(value, "normalize") else f"bar {value:,}"


def drawdowns_section(frame: Table, words: str = "") -> str:
    """The deepest drawdowns."""
    if frame.empty:
        return "<p>Equity never closed below an earlier close.</p>"
    rows = [
        [
            cell(f"{row.depth:.2%}", tone="loss"),
            *(cell(words) for words in drawdown_times(row)),
            cell(f"{row.length:,}", number=True),
            cell(f"{row.to_trough:,}", number=True),
            cell(f"{row.to_recovery:,}" if row.to_recovery >= 0 else "–", number=True),
        ]
        for row in frame.itertuples(index=False)
    ]
    head = ("depth", "peak", "trough", "recovery", "length", "to trough", "to recovery")
    note = "Closes only. Length in bars, from the peak to the first close at or above it, or to the end."
    return f'<div class="scroll">{table(head, rows, (4, 5, 6), kind="depths")}</div><p class="note">{note} {text(words)}</p>'


def costs_section(rows: list[Cost]) -> str:
    """From the result before costs to the profit, in money and as shares."""
    before = rows[0].money
    lines = [
        [
            Raw(f"<th>{text(step.name.capitalize())}</th>"),
            cell(write("money", step.money), number=True),
            cell(f"{step.money / before:.1%}" if before > 0.0 else "–", number=True),
            Raw(f'<td class="why">{text(_MEANING[step.name])}</td>'),
        ]
        for step in rows
    ]
    note = '<p class="note">Share: of the result before costs, where that is a gain.</p>'
    return str(table(("", "money", "share", ""), lines, (1, 2), kind="costs")) + note


def cards_section(cards: Iterable[tuple[str, Iterable[Figure]]]) -> str:
    """Statistics in groups."""
    made = []
    for name, figures in cards:
        rows = [
            [Raw(f'<th title="{text(one.row.meaning)}">{text(one.row.label)}</th>'), cell(one.written, number=True, tone=one.tone)]
            for one in figures
        ]
        made.append(f"<section><h3>{text(name)}</h3>{table((), rows)}</section>")
    return f'<div class="cards">{"".join(made)}</div>\n<p class="note">A dash is a statistic that is not defined here.</p>'


def evidence_section(found: EvidenceTable) -> str:
    """Whether it could be luck: the paragraph and the rows, or that nobody looked, and why; and where it is counted what was tried."""
    note = f'<p class="note">{text(found.note)}</p>' if found.note else ""
    if not found.examined:
        return f'<section class="evidence none" id="evidence"><p><b>Is it luck?</b> {text(found.words)}</p>{note}</section>'
    rows = [
        [Raw(f"<th>{text(name)}</th>"), cell(value, number=True), Raw(f'<td class="why">{text(why)}</td>')]
        for name, value, why in found.rows
    ]
    made = table((), rows, kind="costs") if rows else ""
    return f'<section class="evidence" id="evidence"><h3>Is it luck?</h3><p>{text(found.words)}</p>{made}{note}</section>'
