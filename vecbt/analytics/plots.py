"""The picture of a run, by matplotlib: equity, drawdown, prices with fills, exposure. Nothing is ever shown, only returned or saved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .._typing import ArrayT, ArrayTG
from ..core.codes import Zone
from ..errors import ConfigError, nearest
from .curves import Curves
from .drawing import (
    EQUITY,
    INK,
    LINES,
    LONG,
    LOSS,
    MUTED,
    SHORT,
    STYLE,
    line,
    log_if_wide,
    money,
    percent,
    picture_type,
    room,
    split_scale,
    to_bytes,
    width,
)  # fmt: skip
from .thin import spans, thin

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..engine.run import Run

__all__ = ["ZONE_COLORS", "dates", "draw_panels", "figure", "time_axis", "to_bytes"]

ZONE_COLORS = {int(Zone.CAUTION): "#faefc8", int(Zone.ALERT): "#f9dcbd", int(Zone.EMERGENCY): "#f0c3bd"}
_MOST_LINES = 12
_MOST_FLOWS = 100  # of each sign that are marked
_CROWD = 500  # fills beyond which their marks are let through and drawn as one image


def figure(
    run: Run, curves: Curves, *, log: bool = False, symbol: str | None = None, size: tuple[float, float] = (11.0, 9.0), title: str = ""
) -> Figure:
    """Four panels over one time axis.

    Parameters
    ----------
    run, curves
        The run and its derived series.
    log : bool
        Equity on a logarithmic axis; equity `<= 0` is then left out.
    symbol : str, optional
        The asset whose price and fills are drawn; several assets are else drawn relative to their first close.
    size : (float, float)
        Width and height in inches.
    title : str
        Above the first panel.
    """
    import matplotlib as mpl
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    symbols = run.bars.symbols
    if symbol is not None and symbol not in symbols:
        raise ConfigError(f"symbol is {symbol!r}, which is not in this run; {nearest(symbol, symbols)}")
    chosen = symbol if symbol is not None else symbols[0] if len(symbols) == 1 else None
    with mpl.rc_context(STYLE):
        layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.06)
        picture = picture_type()(figsize=size, layout=layout, facecolor="white")
        top, below, prices, exposure = picture.subplots(4, 1, sharex=True, height_ratios=[3.0, 1.4, 2.4, 1.2])
        if title:
            picture.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
        draw_panels([top, below, prices, exposure], run, curves, log=log, symbol=chosen)
    return picture


def draw_panels(panels: Sequence[Axes], run: Run, curves: Curves, *, log: bool, symbol: str | None) -> None:
    """Equity, drawdown, prices and exposure on four axes; with a symbol its price and fills, else all prices relative to their first."""
    top, below, prices, exposure = panels
    when = dates(run)
    _equity(top, run, when, log)
    _drawdown(below, run, curves, when)
    if symbol is not None:
        _price(prices, run, when, symbol)
    else:
        _relative_prices(prices, run, when)
    _exposure(exposure, curves, when)
    time_axis(exposure, when)


def dates(run: Run) -> ArrayT:
    """Labels as matplotlib's days since 1970."""
    return np.asarray(run.bars.index, dtype=np.float64) / 86_400e9


def time_axis(axes: Axes, when: ArrayT) -> None:
    """Dates on the horizontal axis."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    # with three to nine ticks there is an interval for every span
    locator = AutoDateLocator(minticks=3, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    pad = max((when[-1] - when[0]) * 0.01, 1e-3 if len(when) > 1 else 1.0)
    axes.set_xlim(when[0] - pad, when[-1] + pad)


def _lines_of(axes: Axes, when: ArrayT, values: ArrayTG, color: str) -> None:
    """Several accounts behind their mean: thin lines, or the band they fill when there are many."""
    if values.shape[1] > _MOST_LINES:
        low, high = values.min(axis=1), values.max(axis=1)
        places = np.union1d(thin(low, room(axes)), thin(high, room(axes)))
        axes.fill_between(when[places], low[places], high[places], color=color, alpha=0.18, linewidth=0)
        return
    for account in range(values.shape[1]):
        line(axes, when, values[:, account], color=color, alpha=0.35, linewidth=0.7)


def _shade(axes: Axes, run: Run, when: ArrayT) -> list[int]:
    """Zones of the one account as colored stretches; returns the zones that occur."""
    if run.zone is None or run.zone.shape[1] > 1:
        return []
    edges = np.append(when, when[-1] + (when[-1] - when[-2] if len(when) > 1 else 1.0))
    found = spans(run.zone[:, 0], room(axes))
    for zone in sorted({level for level, _, _ in found}):
        pieces = [(edges[low], edges[past] - edges[low]) for level, low, past in found if level == zone]
        axes.broken_barh(pieces, (0.0, 1.0), transform=axes.get_xaxis_transform(), facecolors=ZONE_COLORS[zone], linewidth=0, zorder=0.5)
    return sorted({level for level, _, _ in found})


def _equity(axes: Axes, run: Run, when: ArrayT, log: bool) -> None:
    equity = np.where(run.equity > 0.0, run.equity, np.nan) if log else run.equity
    several = equity.shape[1] > 1
    _shade(axes, run, when)
    if several:
        _lines_of(axes, when, equity, EQUITY)
    axes.axhline(float(run.initial.mean()), color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
    line(axes, when, equity.mean(axis=1), color=EQUITY, linewidth=1.4)
    paid = _mark_flows(axes, run, when)
    if log:
        axes.set_yscale("log")
    name = f"Equity of {equity.shape[1]} accounts and their mean" if several else "Equity"
    axes.set_title(name + (", logarithmic" if log else "") + paid)
    money(axes)


def _mark_flows(axes: Axes, run: Run, when: ArrayT) -> str:
    """A line at each deposit and withdrawal (F15), and the words that say so."""
    if run.flows is None:
        return ""
    total = run.flows.sum(axis=1)
    for sign, color in ((1.0, LONG), (-1.0, SHORT)):
        for t in np.flatnonzero(np.sign(total) == sign)[:_MOST_FLOWS]:
            axes.axvline(float(when[t]), color=color, linewidth=0.8, linestyle=(0, (1, 2)))
    return "; dotted: paid in (green), out (orange)" if total.any() else ""


def _drawdown(axes: Axes, run: Run, curves: Curves, when: ArrayT) -> None:
    from matplotlib.patches import Patch

    zones = _shade(axes, run, when)
    depth = -curves.drawdown
    if depth.shape[1] > 1:
        _lines_of(axes, when, depth, LOSS)
        axes.set_title(f"Drawdown of {depth.shape[1]} accounts")
    else:
        places = thin(depth[:, 0], room(axes))
        axes.fill_between(when[places], depth[places, 0], 0.0, color=LOSS, alpha=0.28, linewidth=0)
        axes.plot(when[places], depth[places, 0], color=LOSS, linewidth=0.9)
        axes.set_title("Drawdown" if curves.plain else "Drawdown, without flows")
    if not depth.any():
        axes.set_ylim(-0.01, 0.001)
    if zones:
        handles = [Patch(color=ZONE_COLORS[zone]) for zone in zones]
        names = [Zone(zone).name.lower() for zone in zones]
        axes.legend(handles, names, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, borderaxespad=0.1, handlelength=1.2)
    percent(axes)


def _price(axes: Axes, run: Run, when: ArrayT, symbol: str) -> None:
    asset = run.bars.symbols.index(symbol)
    log = run.fills[run.fills["asset"] == asset]
    crowded, scale = len(log) > _CROWD, np.broadcast_to(split_scale(run), run.bars.shape)[:, asset]
    close = run.bars.close[:, asset] * scale
    line(axes, when, close, color=INK, linewidth=0.9)
    marker_size = float(np.clip(6000.0 / max(len(log), 1), 5.0, 34.0))
    for sign, marker, color in ((1.0, "^", LONG), (-1.0, "v", SHORT)):
        side = log[np.sign(log["q"]) == sign]
        if len(side):
            axes.scatter(
                when[side["t"]], side["price"] * scale[side["t"]], s=marker_size, marker=marker, color=color, linewidths=0.4,
                edgecolors="white", zorder=3, alpha=0.45 if crowded else 1.0, rasterized=crowded,
            )  # fmt: skip
    name = f"{symbol}: close" + (" times its splits" if (scale != 1.0).any() else "")
    axes.set_title(name + log_if_wide(axes, close[~np.isnan(close)]))
    _legend_of_fills(axes, len(log))
    money(axes)


def _legend_of_fills(axes: Axes, count: int) -> None:
    from matplotlib.lines import Line2D

    if count:
        looks = (("^", LONG, "bought"), ("v", SHORT, "sold"))
        handles = [Line2D([], [], marker=marker, color=color, linestyle="", markersize=5) for marker, color, _ in looks]
        axes.legend(handles, [name for *_, name in looks], loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.1)


def _relative_prices(axes: Axes, run: Run, when: ArrayT) -> None:
    close = run.bars.close * split_scale(run)
    seen = ~np.isnan(close)
    first = np.where(seen.any(axis=0), np.take_along_axis(close, seen.argmax(axis=0)[None, :], axis=0)[0], np.nan)
    first = np.where(first == 0.0, np.nan, first)
    relative = 1.0 + (close - first) / np.abs(first)  # prices may be below zero (F12)
    seen &= ~np.isnan(first)
    labelled = len(run.bars.symbols) <= _MOST_LINES
    handles = []
    for asset in range(relative.shape[1]):
        look = {"color": LINES[asset], "alpha": 0.9} if labelled else {"color": MUTED, "alpha": 0.25}
        handles.append(line(axes, when, relative[:, asset], linewidth=0.9 if labelled else 0.6, rasterized=not labelled, **look))
    axes.set_title("Prices, first close = 1" + log_if_wide(axes, relative[seen]))
    if labelled:
        # matplotlib leaves out labels that begin with an underscore
        names = [f"\u200b{name}" if name.startswith("_") else name for name in run.bars.symbols]
        columns = 6 if width(axes) > 8.0 else 4
        axes.legend(handles, names, loc="upper left", ncols=columns, handlelength=1.2, columnspacing=1.2, borderaxespad=0.2)
    money(axes)


def _exposure(axes: Axes, curves: Curves, when: ArrayT) -> None:
    gross, net = (series.mean(axis=1) for series in curves.exposures)
    places = thin(gross, room(axes))
    axes.fill_between(when[places], 0.0, gross[places], color=EQUITY, alpha=0.2, linewidth=0, step="post", label="gross")
    places = thin(net, room(axes))
    axes.plot(when[places], net[places], color=EQUITY, linewidth=0.9, drawstyle="steps-post", label="net")
    axes.axhline(0.0, color=MUTED, linewidth=0.6)
    axes.set_title("Exposure, share of equity" + (", mean of accounts" if curves.separate else ""))
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.1, handlelength=1.2)
    percent(axes)
