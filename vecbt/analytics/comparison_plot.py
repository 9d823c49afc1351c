"""The picture of a comparison: growth and drawdown of all runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .._typing import ArrayT
from .drawing import LINES, MUTED, STYLE, line, log_if_wide, money, percent, picture_type
from .plots import time_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .comparison import Comparison

__all__ = ["comparison_figure", "draw_growth"]

_DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)))


def comparison_figure(comparison: Comparison, *, log: bool, size: tuple[float, float] = (11.0, 7.0)) -> Figure:
    """Two panels over one time axis: growth of one unit of money, and drawdown below its highest close."""
    import matplotlib as mpl
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    with mpl.rc_context(STYLE):
        picture = picture_type()(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.06), facecolor="white")
        top, below = picture.subplots(2, 1, sharex=True, height_ratios=[2.4, 1.0])
        lines = [(part.name, np.asarray(part.labels, dtype=np.float64) / 86_400e9, part.growth, part.drawdown) for part in comparison.parts]
        draw_growth(top, below, lines, log=log)
        labels = np.unique(np.concatenate([part.labels for part in comparison.parts]))
        time_axis(below, np.asarray(labels, dtype=np.float64) / 86_400e9)
    return picture


def draw_growth(top: Axes, below: Axes, lines: Sequence[tuple[str, ArrayT, ArrayT, ArrayT]], *, log: bool) -> None:
    """Growth of one unit of money and drawdown on two axes; a line is a name, places in time, growth, drawdown (positive)."""
    handles, every = [], []
    for k, (_, when, growth, depth) in enumerate(lines):
        look = {"color": LINES[k % len(LINES)], "linestyle": _DASHES[k // 4 % 3]}
        handles.append(line(top, when, growth, **look))
        line(below, when, -depth, **{**look, "linewidth": 0.9})
        every.append(growth[~np.isnan(growth)])
    top.axhline(1.0, color=MUTED, linewidth=0.6)
    values = np.concatenate(every)
    words = log_if_wide(top, values) if not log else ""
    if log and len(values) and values.min() > 0.0:
        top.set_yscale("log")
        words = ", logarithmic"
    top.set_title("Growth of 1" + words)
    below.set_title("Drawdown")
    names = [f"\u200b{name}" if name.startswith("_") else name for name, *_ in lines]  # else matplotlib leaves them out
    top.legend(handles, names, loc="upper left", ncols=1 + len(names) // 6, handlelength=1.6)
    money(top)
    percent(below)
