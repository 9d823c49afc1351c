"""The report: one HTML page that needs nothing else. Figures, statistics, trades, what was refused, every assumption."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.codes import Zone
from ..data.labels import label_text
from .assumptions import assumptions
from .html import Raw, cell, data_uri, table, text
from .plots import figure, to_bytes
from .report_style import document, footer
from .report_tables import assumptions_tables, by_group, open_positions_table, orders_section, trades_table
from .statistics import STATISTICS, Statistic, compute, write

if TYPE_CHECKING:
    from .result import Result

__all__ = ["page", "summary"]

_TILES = ("total_return", "cagr", "sharpe", "max_drawdown", "trades", "win_rate", "profit_factor", "final_equity")
_GROUPS = {
    "Return": ("return",),
    "Risk": ("risk",),
    "Trades": ("trades",),
    "Activity and costs": ("activity", "costs"),
    "Holding": ("holding",),
    "Paid in and out": ("flows",),
    "Orders": ("orders",),
    "Run": ("run", "end"),
}
_ONLY_WHERE_ANY = ("holding", "flows", "orders")  # groups of zeros are left out
_COLORED = {"profit", "total_return", "cagr", "sharpe", "expectancy", "r_expectancy"}
_WIDE, _NARROW = (11.0, 8.6), (4.6, 7.6)
_MOST_ACCOUNTS = 40


def page(result: Result, *, log: bool, symbol: str | None) -> str:
    """The whole page as text."""
    run, found = result.run, compute(result.run, result._curves, rf=0.0, mar=0.0, alpha=0.05)
    parts = [
        _header(result, found),
        _figures(result, log, symbol),
        "<h2>Statistics</h2>",
        _statistics(result, found),
        _trades(result),
        orders_section(run),
        _assumptions(result),
        _footer(result),
    ]
    return document(result.title, parts)


def summary(result: Result) -> str:
    """A short table for notebooks."""
    found = compute(result.run, result._curves, rf=0.0, mar=0.0, alpha=0.05)
    rows = [[cell(row.label), cell(_written(row, found, result), number=True)] for row in STATISTICS if row.name in _TILES]
    return f"<div><strong>{text(result.title)}</strong><br>{text(_span(result))}{table((), rows)}</div>"


def _span(result: Result) -> str:
    index, accounts = result.run.bars.index, result.run.equity.shape[1]
    span = f"{label_text(int(index[0]))} to {label_text(int(index[-1]))} UTC, {len(index):,} bars"
    return span + (f", {accounts} accounts" if accounts > 1 else "")


def _middle(value: Any) -> float:
    """One number for several accounts: the median of those where it is defined."""
    known = np.atleast_1d(np.asarray(value, dtype=np.float64))
    known = known[~np.isnan(known)]
    return float(np.median(known)) if len(known) else np.nan


def _written(row: Statistic, found: dict[str, Any], result: Result, account: int | None = None) -> str:
    value = found[row.name]
    if row.kind == "time":
        return label_text(int(value))
    if isinstance(value, np.ndarray):
        value = value[account] if account is not None else _middle(value)
    return write(row.kind, value)


def _tone(row: Statistic, value: Any) -> str:
    if row.name not in _COLORED or value != value or value == 0:
        return ""
    return "gain" if value > 0 else "loss"


def _header(result: Result, found: dict[str, Any]) -> str:
    rows = {row.name: row for row in STATISTICS}
    tiles = []
    for name in _TILES:
        tone = _tone(rows[name], _middle(found[name]))
        tiles.append(f'<div><b class="{tone}">{text(_written(rows[name], found, result))}</b><span>{text(rows[name].label)}</span></div>')
    several = result.run.equity.shape[1] > 1
    note = '<p class="note">Figures are medians over accounts.</p>' if several else ""
    return f'<h1>{text(result.title)}</h1>\n<p class="sub">{text(_span(result))}</p>\n<div class="tiles">{"".join(tiles)}</div>{note}'


def _figures(result: Result, log: bool, symbol: str | None) -> str:
    """The same picture twice, for a wide and for a narrow screen; the browser takes one."""
    wide, narrow = (
        data_uri(to_bytes(figure(result.run, result._curves, log=log, symbol=symbol, size=size), "svg"), "image/svg+xml")
        for size in (_WIDE, _NARROW)
    )
    words = "Equity, drawdown with its zones, prices with fills, and exposure over time"
    return f'<figure><picture><source media="(max-width: 640px)" srcset="{narrow}"><img src="{wide}" alt="{words}"></picture></figure>'


def _statistics(result: Result, found: dict[str, Any]) -> str:
    accounts = result.run.equity.shape[1]
    if accounts > 1:
        return _statistics_by_account(result, found)
    cards = []
    for name, groups in _GROUPS.items():
        if not _any(found, groups):
            continue
        rows = [
            [
                Raw(f'<th title="{text(row.meaning)}">{text(row.label)}</th>'),
                cell(_written(row, found, result), number=True, tone=_tone(row, _middle(found[row.name]))),
            ]
            for row in STATISTICS
            if row.group in groups
        ]
        cards.append(f"<section><h3>{text(name)}</h3>{table((), rows)}</section>")
    return f'<div class="cards">{"".join(cards)}</div>\n<p class="note">A dash is a statistic that is not defined for this run.</p>'


def _any(found: dict[str, Any], groups: tuple[str, ...]) -> bool:
    """Whether the groups have anything to tell."""
    names = [row.name for row in STATISTICS if row.group in groups]
    return groups[0] not in _ONLY_WHERE_ANY or any(np.any(np.nan_to_num(found[name]) != 0.0) for name in names)


def _statistics_by_account(result: Result, found: dict[str, Any]) -> str:
    labels = result.run.bars.symbols[:_MOST_ACCOUNTS]
    rows = [
        [Raw(f'<th title="{text(row.meaning)}">{text(row.label)}</th>')]
        + [cell(_written(row, found, result, account), number=True) for account in range(len(labels))]
        for row in STATISTICS
        if _any(found, (row.group,))
    ]
    left = result.run.equity.shape[1] - len(labels)
    note = f'<p class="note">{left:,} more accounts are in result.stats().</p>' if left else ""
    return f'<div class="scroll">{table(("", *labels), rows, range(1, len(labels) + 1))}</div>{note}'


def _trades(result: Result) -> str:
    run = result.run
    parts = ["<h2>Trades</h2>"]
    if len(run.trades):
        groups = [by_group(run, "reason")] + ([by_group(run, "symbol")] if run.bars.N > 1 else [])
        parts.append(f'<div class="cards">{"".join(groups)}</div>')
        parts.append(trades_table(run))
    else:
        parts.append("<p>No trade was closed.</p>")
    held = open_positions_table(run)
    return "\n".join([*parts, held] if held else parts)


def _assumptions(result: Result) -> str:
    parts = ["<h2>Assumptions in force</h2>", assumptions_tables(assumptions(result.run))]
    if result.run.zone is not None:
        shares = [f"{zone.name.lower()} {np.mean(result.run.zone == zone):.1%}" for zone in Zone]
        parts.append(f'<p class="note">Share of bars by zone: {", ".join(shares)}.</p>')
    return "\n".join(parts)


def _footer(result: Result) -> str:
    return footer(result.run.bars.content_hash, "times are UTC and label the start of a bar")
