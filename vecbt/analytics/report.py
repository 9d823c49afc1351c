"""The tear sheet: one HTML page that needs nothing else. Charts, months, drawdowns, trades, costs, statistics, every assumption."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.codes import Zone
from . import tables
from .html import Raw, cell, table, text
from .report_style import document, footer
from .report_tables import assumptions_tables, by_group, open_positions_table, orders_section, trades_table
from .sheet import ROLLING, Sheet
from .sheet_charts import MOST_TRADES, POINTS, candles, curve_lines, growth_line, price_lines, rolling_lines, trade_points
from .sheet_returns import ReturnsSheet
from .sheet_run import RunSheet
from .sheet_sections import cards_section, chart, costs_section, drawdowns_section, evidence_section, months_section, zone_legend
from .statistics import STATISTICS
from .vendored import data_block, echarts, own

if TYPE_CHECKING:
    from .result import Result

__all__ = ["chart_data", "page", "summary"]

_HINT = (
    '<p class="note hint">Drag to move, Ctrl and the wheel to zoom, or pull the ends of the bar under the chart; '
    "this chart moves those below along.</p>"
)
_MOST_ACCOUNTS = 40
_WIDE = 4.0  # prices whose greatest is more than so many times the least are drawn on a logarithmic axis


def page(sheet: Sheet, *, log: bool) -> str:
    """The whole page as text."""
    data = chart_data(sheet, log)
    sections = _of_run(sheet, data) if isinstance(sheet, RunSheet) else _of_returns(sheet) if isinstance(sheet, ReturnsSheet) else {}
    parts = [_header(sheet, {name: title for name, (title, _) in sections.items()})]
    parts += [f'<h2 id="{name}">{text(title)}</h2>\n{body}' for name, (title, body) in sections.items()]
    parts.append(footer(*_made_of(sheet)))
    return document(sheet.title, parts, data=data_block("sheet-data", data), scripts=(echarts(), own("sheet.js")))


def _of_run(sheet: RunSheet, data: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Titles and contents of the sections of a result, by their names."""
    return {
        "equity": ("Equity", _equity(sheet)),
        "prices": (f"Price of {sheet.symbol} with fills" if sheet.symbol else "Prices", _prices(sheet, data)),
        **_tables(sheet, "by months of sessions"),
        "trades": ("Trades", _trades(sheet)),
        "costs": ("Costs", _costs(sheet)),
        "statistics": ("Statistics", _statistics_by_account(sheet) if sheet.several else cards_section(sheet.cards())),
        "orders": ("Orders", orders_section(sheet.result.run)),
        "assumptions": ("Assumptions in force", _assumptions(sheet)),
    }


def _of_returns(sheet: ReturnsSheet) -> dict[str, tuple[str, str]]:
    """Titles and contents of the sections of returns of any origin, by their names."""
    toggle = '<button type="button" id="log-equity" aria-pressed="false" hidden>logarithmic</button>'
    what = chart("growth", "Growth of one unit of money and drawdown over time", sheet.of_lines)
    return {
        "growth-of-one": ("Growth", f'<div class="bar"><span></span>{toggle}</div>{what}{_HINT}'),
        **_tables(sheet, "by months of the times as they are given"),
        "statistics": ("Statistics", cards_section(sheet.cards())),
    }


def _tables(sheet: Sheet, months: str) -> dict[str, tuple[str, str]]:
    """Sections that every sheet has."""
    return {
        "months": ("Returns by month", months_section(sheet.months, months) + _said(sheet.of_what)),
        "drawdowns": ("Drawdowns", drawdowns_section(sheet.drawdowns, sheet.of_what)),
        "rolling": ("Rolling figures", _rolling(sheet)),
    }


def _made_of(sheet: Sheet) -> tuple[str, str]:
    """A hash of the data, and words on their times."""
    if isinstance(sheet, RunSheet):
        return sheet.result.run.bars.content_hash, "times are UTC and label the start of a bar"
    given = sheet.given
    content = hashlib.sha256(np.ascontiguousarray(given.values).tobytes() + (b"" if given.labels is None else given.labels.tobytes()))
    words = "no times: bars are counted from 0" if given.labels is None else "times are as they were given"
    return content.hexdigest(), words + (f", of {given.zone} in tables and UTC in charts" if given.zone is not None else "")


def summary(result: Result) -> str:
    """A short table for notebooks."""
    sheet = RunSheet.of(result, evidence=False)
    rows = [[cell(one.row.label), cell(one.written, number=True)] for one in sheet.tiles()]
    return f"<div><strong>{text(result.title)}</strong><br>{text(sheet.span)}{table((), rows)}</div>"


def chart_data(sheet: Sheet, log: bool) -> dict[str, Any]:
    """What the page's script draws, by chart."""
    data: dict[str, Any] = {"log": log}
    if sheet.rolling is not None:
        data["rolling"] = rolling_lines(sheet.labels, sheet.rolling, sheet.every, ROLLING)
    if isinstance(sheet, ReturnsSheet):
        data["counted"] = sheet.given.labels is None
        data["growth"] = [growth_line(one.name, one.labels, one.growth, one.drawdown) for one in sheet.lines]
    return data | _run_data(sheet) if isinstance(sheet, RunSheet) else data


def _run_data(sheet: RunSheet) -> dict[str, Any]:
    result = sheet.result
    data: dict[str, Any] = {"curves": curve_lines(result.run, result._curves)}
    if sheet.symbol is not None:
        data["prices"] = candles(result.run, result._curves, sheet.symbol)
    else:
        lines = price_lines(result.run)
        if lines is not None:
            every = [value for one in lines["lines"] for value in one["values"]]
            data["prices"] = lines | {"log": _spread(every)}
    points = trade_points(tables.trades(result.run))
    if points is not None:
        data["trades"] = points
    data["costs"] = [[step.name, float(f"{step.money:.12g}") if step.money == step.money else None] for step in sheet.costs]
    return data


def _spread(values: list[Any]) -> bool:
    """Whether prices spread so far that their axis is logarithmic."""
    known = [value for value in values if value is not None]
    least, most = min(known, default=0.0), max(known, default=0.0)
    return bool(least > 0.0 and most > _WIDE * least)


def _said(words: str) -> str:
    return f'<p class="note">{text(words)}</p>' if words else ""


def _header(sheet: Sheet, names: dict[str, str]) -> str:
    tiles = "".join(
        f'<div title="{text(one.row.meaning)}"><b class="{one.tone}">{text(one.written)}</b><span>{text(one.row.label)}</span></div>'
        for one in sheet.tiles()
    )
    links = "".join(f'<a href="#{name}">{text(title.partition(" of ")[0])}</a>' for name, title in names.items())
    parameters = f'<p class="sub">{text(sheet.parameters)}</p>' if sheet.parameters else ""
    return "\n".join(
        [
            f'<h1>{text(sheet.title)}</h1>\n<p class="sub">{text(sheet.span)}</p>{parameters}',
            f'<p class="lead">{text(sheet.lead)}</p>',
            f'<div class="tiles">{tiles}</div>',
            _said("Figures are medians over accounts." if isinstance(sheet, RunSheet) and sheet.several else ""),
            evidence_section(sheet.evidence),
            f"<nav>{links}</nav>",
            "<noscript><p>The charts need JavaScript; a report whose path ends in .pdf has them on paper.</p></noscript>",
        ]
    )


def _equity(sheet: RunSheet) -> str:
    run = sheet.result.run
    shares = {} if run.zone is None else {int(zone): float(np.mean(run.zone == zone)) for zone in Zone}
    zones = [zone for zone, share in shares.items() if share > 0.0 and zone != int(Zone.NORMAL)]
    notes = []
    if run.bars.T > POINTS:
        notes.append(f"Of {run.bars.T:,} bars the extremes are drawn: none is lost, what lies between them is.")
    if sheet.result._curves.plain is False:
        notes.append("Dotted: paid in (green), out (orange). Drawdown without flows.")
    toggle = '<button type="button" id="log-equity" aria-pressed="false" hidden>logarithmic</button>'
    words = "Equity, drawdown with its zones, and exposure over time"
    top = f'<div class="bar">{zone_legend(zones, shares) or "<span></span>"}{toggle}</div>'
    return f"{top}{chart('curves', words, ' '.join(notes))}{_HINT}"


def _prices(sheet: RunSheet, data: dict[str, Any]) -> str:
    found = data.get("prices")
    if found is None:
        return f"<p>Prices of {sheet.result.run.bars.N:,} assets are not drawn; result.report(symbol=...) draws those of one.</p>"
    if sheet.symbol is None:
        words = "Closes of all assets relative to their first"
        return chart("prices", words, "Closes over the first close of each asset, splits taken out.")
    notes = [f"A candle is {found['size']:,} bars: first open, greatest high, least low, last close." if found["size"] > 1 else ""]
    notes.append("Prices times their splits." if found["split"] else "")
    notes.append(f"{found['stops_left']:,} earlier stops are not drawn." if found["stops_left"] else "")
    notes.append("Hollow where the close is not below the open; shaded while held, green long, orange short.")
    return chart("prices", f"Bars of {sheet.symbol} with fills and first stops", " ".join(filter(None, notes)))


def _rolling(sheet: Sheet) -> str:
    if sheet.rolling is None:
        return "<p>Too short for rolling figures: they need at least 60 bars.</p>"
    taken = f" Taken every {sheet.every:,} bars." if sheet.every > 1 else ""
    note = f"Over the last {sheet.window:,} bars, with {sheet.given.checked_periods():g} bars a year.{taken} {sheet.of_what}"
    names = ", ".join(ROLLING[str(name)][0].lower() for name in sheet.rolling.columns)
    return chart("rolling", f"Rolling figures: {names}", note)


def _costs(sheet: RunSheet) -> str:
    return f'<div class="costs-chart">{chart("costs", "From the result before costs to the profit")}</div>{costs_section(sheet.costs)}'


def _statistics_by_account(sheet: RunSheet) -> str:
    labels = sheet.result.run.bars.symbols[:_MOST_ACCOUNTS]
    rows = [
        [Raw(f'<th title="{text(row.meaning)}">{text(row.label)}</th>')]
        + [cell(sheet.written(row, account), number=True) for account in range(len(labels))]
        for row in STATISTICS
        if sheet.shown((row.group,))
    ]
    left = sheet.result.run.equity.shape[1] - len(labels)
    note = f'<p class="note">{left:,} more accounts are in result.stats().</p>' if left else ""
    return f'<div class="scroll">{table(("", *labels), rows, range(1, len(labels) + 1))}</div>{note}'


def _trades(sheet: RunSheet) -> str:
    run, parts = sheet.result.run, []
    if len(run.trades):
        few = "Of very many trades the extreme ones and some between are drawn."
        parts.append(chart("trades", "Excursions of closed trades against their profit", few if len(run.trades) > MOST_TRADES else ""))
        groups = [by_group(run, "reason")] + ([by_group(run, "symbol")] if run.bars.N > 1 else [])
        parts.append(f'<div class="cards">{"".join(groups)}</div>')
        parts.append(trades_table(run))
    else:
        parts.append("<p>No trade was closed.</p>")
    held = open_positions_table(run)
    return "\n".join([*parts, held] if held else parts)


def _assumptions(sheet: RunSheet) -> str:
    parts = [assumptions_tables(sheet.assumed)]
    zone = sheet.result.run.zone
    if zone is not None:
        shares = [f"{level.name.lower()} {np.mean(zone == level):.1%}" for level in Zone]
        parts.append(f'<p class="note">Share of bars by zone: {", ".join(shares)}.</p>')
    return "\n".join(parts)
