"""Tables of the report: trades, open positions, what was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.codes import OrderStatus
from ..data.labels import label_text
from ..metrics.trades import trade_metrics
from . import tables
from .html import Raw, cell, table, text
from .statistics import write

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..engine.run import Run
    from .assumptions import Assumption

__all__ = ["assumptions_tables", "by_group", "open_positions_table", "orders_section", "trades_table"]

_ENDS = 15  # trades shown from each end
_MOST_GROUPS = 30
_HEAD = ("asset", "side", "entry", "exit", "bars", "quantity", "entry price", "exit price", "pnl", "return", "reason", "MAE", "MFE", "R")
_NUMBERS = (4, 5, 6, 7, 8, 9, 11, 12, 13)
_HOLDING = ("holding",)  # dividends less carry, shown where there is any


def _time(value: Any) -> str:
    return "before" if value is None or value != value else label_text(int(value.as_unit("ns").value))


def _quantity(value: float) -> str:
    return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"


def _price(value: float) -> str:
    return "–" if value != value else f"{value:,.4f}".rstrip("0").rstrip(".") if abs(value) < 1e5 else f"{value:,.2f}"


def _tone(value: float) -> str:
    return "gain" if value > 0 else "loss" if value < 0 else ""


def trades_table(run: Run) -> Raw:
    """First and last trades, with a line that says how many are left out."""
    frame = tables.trades(run).rename(columns={"return": "gain"})
    frame, more = _with_holding(frame)
    count = len(frame)
    if count > 2 * _ENDS + 5:
        rows = [_trade(row, more) for row in frame.head(_ENDS).itertuples(index=False)]
        left = f"{count - 2 * _ENDS:,} trades between are left out; result.trades has all {count:,}"
        rows.append([Raw(f'<td colspan="{len(_HEAD) + len(more)}">{left}</td>')])
        rows += [_trade(row, more) for row in frame.tail(_ENDS).itertuples(index=False)]
    else:
        rows = [_trade(row, more) for row in frame.itertuples(index=False)]
    made = table((*_HEAD, *more), rows, (*_NUMBERS, *range(len(_HEAD), len(_HEAD) + len(more))))
    note = '<p class="note">holding: dividends less borrow fees and funding</p>' if more else ""
    return Raw(f'<div class="scroll">{made}</div>{note}'.replace("<tr><td colspan", '<tr class="rest"><td colspan'))


def _with_holding(frame: Any) -> tuple[Any, tuple[str, ...]]:
    """What holding earned, and the name of its column where it is anything."""
    earned = frame["dividends"] - frame["carry"]
    return frame.assign(holding=earned), _HOLDING if earned.any() else ()


def _trade(row: Any, more: tuple[str, ...]) -> list[Raw]:
    return [
        cell(row.symbol),
        cell(row.side),
        cell(_time(row.entry_time)),
        cell(_time(row.exit_time)),
        cell(f"{row.holding_bars:,}", number=True),
        cell(_quantity(row.quantity), number=True),
        cell(_price(row.entry_price), number=True),
        cell(_price(row.exit_price), number=True),
        cell(write("money", row.pnl), number=True, tone=_tone(row.pnl)),
        cell(write("fraction", row.gain), number=True, tone=_tone(row.gain)),
        cell(row.reason),
        cell(write("fraction", row.mae), number=True),
        cell(write("fraction", row.mfe), number=True),
        cell("–" if row.r_multiple != row.r_multiple else f"{row.r_multiple:.2f}", number=True),
        *(cell(write("money", getattr(row, name)), number=True, tone=_tone(getattr(row, name))) for name in more),
    ]


def by_group(run: Run, column: str) -> Raw:
    """Trades counted and summed by exit reason or by symbol, the greatest profit first."""
    frame = tables.trades(run)
    groups = sorted(frame.groupby(column, observed=True)["pnl"], key=lambda item: -float(item[1].sum()))
    rows = []
    for name, pnl in groups[:_MOST_GROUPS]:
        found = trade_metrics(pnl.to_numpy())
        total = float(pnl.sum())
        rows.append(
            [
                cell(name),
                cell(write("count", found["trades"]), number=True),
                cell(write("fraction", found["win_rate"]), number=True),
                cell(write("money", total), number=True, tone=_tone(total)),
            ]
        )
    left = len(groups) - len(rows)
    note = f'<p class="note">and {left:,} more</p>' if left else ""
    title = {"reason": "By reason of exit", "symbol": "By asset"}[column]
    return Raw(f"<section><h3>{title}</h3>{table((column, 'trades', 'win rate', 'pnl'), rows, (1, 2, 3))}{note}</section>")


def open_positions_table(run: Run) -> Raw:
    """What is still held; empty when nothing is."""
    frame, more = _with_holding(tables.open_positions(run))
    if frame.empty:
        return Raw("")
    rows = [
        [
            cell(row.symbol),
            cell(row.side),
            cell(_time(row.entry_time)),
            cell(_quantity(row.quantity), number=True),
            cell(_price(row.entry_price), number=True),
            cell(_price(row.mark), number=True),
            cell(write("money", row.value), number=True),
            cell(write("money", row.unrealized), number=True, tone=_tone(row.unrealized)),
            *(cell(write("money", getattr(row, name)), number=True, tone=_tone(getattr(row, name))) for name in more),
        ]
        for row in frame.itertuples(index=False)
    ]
    head = ("asset", "side", "entry", "quantity", "entry price", "mark", "value", "unrealized", *more)
    return Raw(f'<h2>Still open</h2>\n<div class="scroll">{table(head, rows, range(3, len(head)))}</div>')


def orders_section(run: Run) -> str:
    """How many orders became what, and how many of them each rule cut or refused."""
    counts = np.bincount(run.orders["status"], minlength=len(OrderStatus))
    became = ", ".join(f"{counts[status]:,} {status.name.lower()}" for status in OrderStatus if counts[status])
    parts = [f"<p>{len(run.orders):,} orders: {text(became)}.</p>" if len(run.orders) else "<p>No order was given.</p>"]
    frame = tables.refusals(run)
    if frame.empty:
        parts.append("<p>No rule cut or refused any of them.</p>")
        return "\n".join(parts)
    rows = [
        [cell(row.rule), cell(row.status), cell(f"{row.orders:,}", number=True), cell(row.because)] for row in frame.itertuples(index=False)
    ]
    parts.append(table(("cut or refused by", "became", "orders", "because"), rows, (2,)))
    if int(frame["orders"].sum()) > np.count_nonzero(run.orders["cut_by"]):
        parts.append('<p class="note">An order counts for each rule that cut it.</p>')
    return "\n".join(parts)


def assumptions_tables(rows: Iterable[Assumption]) -> str:
    """A table for each section, in their order."""
    sections: dict[str, list[list[Raw]]] = {}
    for row in rows:
        if row.meaning:
            value = [cell(row.value), Raw(f'<td class="why">{text(row.meaning)}</td>')]
        else:
            value = [Raw(f'<td colspan="2">{text(row.value)}</td>')]
        sections.setdefault(row.section, []).append([Raw(f"<th>{text(row.name)}</th>"), *value])
    made = (f"<section><h3>{text(name)}</h3>{table((), lines, kind='facts')}</section>" for name, lines in sections.items())
    return "\n".join(made)
