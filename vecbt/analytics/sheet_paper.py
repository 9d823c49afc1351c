"""The tear sheet on sheets of paper, by matplotlib: a PDF of several pages, or all of them below each other in one picture."""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..errors import counted
from . import tables
from .comparison_plot import draw_growth
from .drawing import EQUITY, GRID, INK, LONG, LOSS, MUTED, SHORT, STYLE, line, money, percent, picture_type
from .plots import draw_panels, time_axis
from .sheet import ROLLING, Sheet
from .sheet_returns import ReturnsSheet
from .sheet_run import RunSheet
from .sheet_sections import MONTHS, is_dark, month_color, month_text
from .sheet_text import depth_lines
from .statistics import write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["paper_pages", "to_pdf", "to_png"]

_SIZE = (8.27, 11.69)  # A4, inches
_LEFT, _RIGHT = 0.09, 0.95
_MOST_YEARS, _MOST_DEPTHS = 30, 10
_MOST_POINTS = 4000
_MOST_EVIDENCE = 24  # lines
_LINES = 96  # of small print on a page


def paper_pages(sheet: Sheet, *, log: bool) -> list[Figure]:
    """The pages as figures: what became of the money, months and drawdowns, statistics; of a result trades, costs and assumptions, too."""
    import matplotlib as mpl

    with mpl.rc_context({**STYLE, "font.size": 8.0, "axes.titlesize": 8.5}):
        pages = [_first(sheet, log), _second(sheet)]
        return [*pages, _third(sheet), *_small_print(sheet)] if isinstance(sheet, RunSheet) else [*pages, _numbers(sheet)]


def to_pdf(pages: list[Figure]) -> bytes:
    """The pages as a PDF; equal pages give equal bytes."""
    import matplotlib as mpl
    from matplotlib.backends.backend_pdf import PdfPages

    buffer = io.BytesIO()
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")  # drawn as a box
        with PdfPages(buffer, metadata={"CreationDate": None}) as pdf:
            for page in pages:
                pdf.savefig(page)
    return buffer.getvalue()


def to_png(pages: list[Figure], dpi: int = 110) -> bytes:
    """The pages below each other, as a PNG."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.image import imsave

    parts = []
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        for page in pages:
            page.set_dpi(dpi)
            canvas = FigureCanvasAgg(page)
            canvas.draw()
            parts.append(np.asarray(canvas.buffer_rgba())[..., :3].copy())
    buffer, nameless = io.BytesIO(), {"Software": None}  # which would name the version of matplotlib
    imsave(buffer, np.vstack(parts), format="png", metadata=cast("Any", nameless))
    return buffer.getvalue()


def _page() -> Figure:
    return picture_type()(figsize=_SIZE, facecolor="white")


def _heading(page: Figure, words: str, y: float) -> None:
    page.text(_LEFT - 0.03, y, words, fontsize=10.5, fontweight="bold", va="top")


def _first(sheet: Sheet, log: bool) -> Figure:
    """What was run, what became of the money, at what risk, and the four panels."""
    page, y = _page(), 0.97
    for words, size, weight, color, columns in (
        (sheet.title, 15.0, "bold", INK, 62),
        (sheet.span, 9.0, "normal", MUTED, 110),
        (sheet.parameters, 9.0, "normal", MUTED, 110),
        (sheet.lead, 10.0, "normal", INK, 100),
    ):
        for part in textwrap.wrap(words, columns)[:4]:
            page.text(_LEFT - 0.03, y, part, fontsize=size, fontweight=weight, color=color, va="top")
            y -= size * 0.00165 + 0.001
    y -= 0.012
    run = sheet if isinstance(sheet, RunSheet) else None
    median = ", median" if run is not None and run.several else ""
    for k, one in enumerate(sheet.tiles()):
        x, at = _LEFT - 0.03 + 0.23 * (k % 4), y - 0.038 * (k // 4)
        page.text(x, at, one.written, fontsize=12.0, fontweight="bold", va="top")
        page.text(x, at - 0.017, one.row.label + median, fontsize=7.5, color=MUTED, va="top")
    y = _luck(page, sheet, y - 0.082)
    heights = [2.4, 1.0] if run is None else [3.0, 1.3, 2.4, 1.1]
    grid = page.add_gridspec(len(heights), 1, height_ratios=heights, left=_LEFT, right=_RIGHT, top=y - 0.03, bottom=0.04, hspace=0.27)
    panels: list[Axes] = []
    for k in range(len(heights)):
        panels.append(page.add_subplot(grid[k], sharex=panels[0] if panels else None))
        panels[k].tick_params(labelbottom=k == len(heights) - 1)
    if run is not None:
        draw_panels(panels, run.result.run, run.result._curves, log=log, symbol=run.symbol)
    elif isinstance(sheet, ReturnsSheet):
        draw_growth(panels[0], panels[1], [(one.name, _when(sheet, one.labels), one.growth, one.drawdown) for one in sheet.lines], log=log)
        _time_axis(panels[1], sheet, _when(sheet, sheet.labels))
    return page


def _when(sheet: Sheet, labels: Any) -> Any:
    """Labels on the horizontal axis: matplotlib's days, or bars where there are no times."""
    return np.asarray(labels, dtype=np.float64) / (86_400e9 if sheet.given.labels is not None else 1e6)


def _time_axis(axes: Axes, sheet: Sheet, when: Any) -> None:
    if sheet.given.labels is not None:
        time_axis(axes, when)


def _luck(page: Figure, sheet: Sheet, y: float) -> float:
    """The evidence, or why there is none; returns how far down the page it goes."""
    found = sheet.evidence
    if found.examined:
        rows = [f"{name}: {value}" + (f" ({meaning})" if meaning else "") for name, value, meaning in found.rows]
        lines = [part for words in (f"Is it luck? {found.words}", *rows) for part in textwrap.wrap(words, 118)][:_MOST_EVIDENCE]
    else:
        lines = textwrap.wrap(f"Is it luck? {found.words}", 118)
    for part in lines:
        page.text(_LEFT - 0.03, y, part, fontsize=8.5, color=INK if found.examined else MUTED, va="top")
        y -= 0.0145
    for part in textwrap.wrap(found.note, 140):
        page.text(_LEFT - 0.03, y, part, fontsize=7.0, color=MUTED, va="top")
        y -= 0.012
    return y


def _second(sheet: Sheet) -> Figure:
    """Months, drawdowns, rolling figures."""
    page = _page()
    y = 0.975 if sheet.months is None else _months(page, sheet.months)
    _heading(page, "Drawdowns", y)
    y -= 0.026
    for part in depth_lines(sheet)[: _MOST_DEPTHS + 1]:
        page.text(_LEFT - 0.03, y, part, fontsize=7.5, family="monospace", va="top")
        y -= 0.0125
    page.text(_LEFT - 0.03, y - 0.003, f"Closes only. {sheet.of_what}".strip(), fontsize=7.0, color=MUTED, va="top")
    y -= 0.035
    _heading(page, "Rolling figures", y)
    if sheet.rolling is None:
        page.text(_LEFT - 0.03, y - 0.025, "Too short for rolling figures.", fontsize=8.0, va="top")
        return page
    names, when = list(sheet.rolling.columns), _when(sheet, sheet.labels[::-1][:: sheet.every][::-1])
    grid = page.add_gridspec(len(names), 1, left=_LEFT, right=_RIGHT, top=y - 0.045, bottom=max(0.045, y - 0.5), hspace=0.45)
    for k, name in enumerate(names):
        axes = page.add_subplot(grid[k])
        label, kind = ROLLING[name]
        axes.axhline(0.0, color=MUTED, linewidth=0.6)
        line(axes, when, np.asarray(sheet.rolling[name]), color=(EQUITY, SHORT, LONG)[k % 3], linewidth=0.9)
        axes.set_title(f"{label}, over the last {sheet.window:,} bars")
        (percent if kind == "percent" else money)(axes)
        _time_axis(axes, sheet, when)
        axes.tick_params(labelbottom=k == len(names) - 1)
    return page


def _months(page: Figure, every: Any) -> float:
    """The table of months; returns how far down the page it goes."""
    months = every.tail(_MOST_YEARS)
    _heading(page, "Returns by month, percent" + (f" (the last {_MOST_YEARS} years)" if len(every) > len(months) else ""), 0.975)
    height = 0.0145 * (len(months) + 1)
    _heat(page.add_axes((_LEFT, 0.945 - height, _RIGHT - _LEFT, height)), months)
    return 0.915 - height


def _heat(axes: Axes, months: Any) -> None:
    """Months as colored cells with their numbers."""
    values = months.to_numpy()
    colors = np.ones((*values.shape, 3))
    for (row, column), value in np.ndenumerate(values):
        if column < 12:
            colors[row, column] = [int(month_color(float(value))[k : k + 2], 16) / 255.0 for k in (1, 3, 5)]
    axes.imshow(colors, aspect="auto", interpolation="nearest")
    for (row, column), value in np.ndenumerate(values):
        if value == value:
            words, weight, dark = month_text(float(value)), "bold" if column == 12 else "normal", column < 12 and is_dark(float(value))
            axes.text(column, row, words, ha="center", va="center", fontsize=7.0, fontweight=weight, color="white" if dark else INK)
    axes.set_xticks(range(13), (*MONTHS, "Year"))
    axes.set_yticks(range(len(months)), [str(int(year)) for year in months.index])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.grid(False)
    for side in axes.spines.values():
        side.set_visible(False)


def _third(sheet: RunSheet) -> Figure:
    """Trades, costs, statistics."""
    page = _page()
    _heading(page, "Trades", 0.975)
    frame = tables.trades(sheet.result.run)
    if len(frame):
        _scatter(page, frame)
    else:
        page.text(_LEFT - 0.03, 0.95, "No trade was closed.", fontsize=8.0, va="top")
    _heading(page, "Costs", 0.69)
    _bars(page.add_axes((_LEFT + 0.06, 0.665 - 0.022 * len(sheet.costs), _RIGHT - _LEFT - 0.18, 0.022 * len(sheet.costs))), sheet)
    y = 0.615 - 0.022 * len(sheet.costs)
    _heading(page, "Statistics" + (" (medians over accounts)" if sheet.several else ""), y)
    _columns(page, sheet, y - 0.03)
    return page


def _numbers(sheet: Sheet) -> Figure:
    """Statistics alone."""
    page = _page()
    _heading(page, "Statistics", 0.975)
    _columns(page, sheet, 0.945)
    return page


def _scatter(page: Figure, frame: Any) -> None:
    part = frame if len(frame) <= _MOST_POINTS else frame.iloc[np.linspace(0, len(frame) - 1, _MOST_POINTS).astype(np.int64)]
    extreme = frame.iloc[np.unique([frame[c].argmax() for c in ("pnl", "mae", "mfe")] + [int(frame["pnl"].argmin())])]
    pnl = np.concatenate([part["pnl"], extreme["pnl"]])
    for k, (name, words) in enumerate((("mae", "Adverse excursion (MAE)"), ("mfe", "Favourable excursion (MFE)"))):
        axes = page.add_axes((_LEFT + 0.45 * k + 0.01 * k, 0.745, 0.385, 0.19))
        values = np.concatenate([part[name], extreme[name]])
        for won, marker, color in ((True, "o", LONG), (False, "D", SHORT)):
            chosen = (pnl > 0) == won
            axes.scatter(
                values[chosen] * 100.0, pnl[chosen], s=9, marker=marker, color=color, alpha=0.65, linewidths=0, rasterized=len(pnl) > 500
            )
        axes.axhline(0.0, color=MUTED, linewidth=0.6)
        axes.set_title(f"{words} against profit")
        axes.set_xlabel(f"{name.upper()}, % of the entry price", fontsize=7.5)
        money(axes)
    words = f"{counted(len(frame), 'closed trade')}: circles won, diamonds lost or even"
    page.text(_RIGHT, 0.972, words, fontsize=7.5, color=MUTED, va="top", ha="right")


def _bars(axes: Axes, sheet: RunSheet) -> None:
    """Steps from the result before costs to the profit."""
    at, last = 0.0, len(sheet.costs) - 1
    for k, cost in enumerate(sheet.costs):
        start = 0.0 if k in (0, last) else at
        at = cost.money if k in (0, last) else at + cost.money
        color = EQUITY if k in (0, last) else SHORT if cost.money < 0.0 else LONG
        axes.barh(k, at - start, left=start, color=color, height=0.62)
        axes.annotate(write("money", cost.money), (max(start, at), k), xytext=(4, 0), textcoords="offset points", va="center", fontsize=7.5)
    axes.axvline(0.0, color=MUTED, linewidth=0.6)
    axes.set_yticks(range(len(sheet.costs)), [cost.name for cost in sheet.costs])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axes.locator_params(axis="x", nbins=5)


def _columns(page: Figure, sheet: Sheet, top: float) -> None:
    """Statistics in three columns."""
    blocks = sheet.cards()
    each = -(-sum(len(rows) + 2 for _, rows in blocks) // 3)
    column, used, y = 0, 0, top
    for name, rows in blocks:
        if used and used + len(rows) / 2 > each and column < 2:
            column, used, y = column + 1, 0, top
        x = _LEFT - 0.03 + 0.31 * column
        page.text(x, y, name.upper(), fontsize=7.0, color=MUTED, fontweight="bold", va="top")
        for one in rows:
            y -= 0.0135
            page.text(x, y, one.row.label, fontsize=7.5, va="top")
            page.text(x + 0.27, y, one.written, fontsize=7.5, va="top", ha="right")
            page.add_artist(_rule(x, y - 0.0115))
        y -= 0.03
        used += len(rows) + 2


def _rule(x: float, y: float) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([x, x + 0.27], [y, y], color=GRID, linewidth=0.5)


def _small_print(sheet: RunSheet) -> Iterator[Figure]:
    """Refused orders and assumptions, as many pages as they need."""
    lines = list(_print_lines(sheet))
    for start in range(0, len(lines), _LINES):
        page, y = _page(), 0.975
        for words, bold in lines[start : start + _LINES]:
            page.text(
                _LEFT - 0.03,
                y,
                words,
                fontsize=6.4,
                family="monospace",
                va="top",
                color=LOSS if bold else INK,
                fontweight="bold" if bold else "normal",
            )
            y -= 0.0098
        yield page


def _print_lines(sheet: RunSheet) -> Iterator[tuple[str, bool]]:
    frame = tables.refusals(sheet.result.run)
    yield "ORDERS CUT OR REFUSED", True
    if frame.empty:
        yield "No rule cut or refused any order.", False
    for row in frame.itertuples(index=False):
        words = f"{row.orders:,} {row.status} by {row.rule}: {row.because}"
        yield from ((part, False) for part in textwrap.wrap(words, 134, subsequent_indent="    "))
    section = ""
    for known in sheet.assumed:
        if known.section != section:
            section = known.section
            yield "", False
            yield f"ASSUMPTIONS: {section.upper()}", True
        cells = [textwrap.wrap(words, width) or [""] for words, width in ((known.name, 30), (known.value, 44), (known.meaning, 56))]
        for k in range(max(map(len, cells))):
            name, value, meaning = (cell[k] if k < len(cell) else "" for cell in cells)
            yield f"{name:<31} {value:<45} {meaning}".rstrip(), False
