"""The picture of a comparison: growth and drawdown of all runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .drawing import LINES, MUTED, STYLE, line, log_if_wide, money, percent, picture_type
from .plots import time_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .comparison import Comparison

__all__ = ["comparison_figure"]

_DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)))


def comparison_figure(comparison: Comparison, *, log: bool, size: tuple[float, float] = (11.0, 7.0)) -> Figure:
    """Two panels over one time axis: growth of one unit of money, and drawdown below its highest close."""
    import matplotlib as mpl
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    with mpl.rc_context(STYLE):
        picture = picture_type()(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.06), facecolor="white")
        top, below = picture.subplots(2, 1, sharex=True, height_ratios=[2.4, 1.0])
        handles, every = [], []
        for k, part in enumerate(comparison.parts):
            when, growth = np.asarray(part.labels, dtype=np.float64) / 86_400e9, part.growth
            peak = np.maximum.accumulate(np.maximum(np.nan_to_num(growth, nan=1.0), 1.0))
            look = {"color": LINES[k % len(LINES)], "linestyle": _DASHES[k // 4 % 3]}
            handles.append(line(top, when, growth, **look))
            line(below, when, growth / peak - 1.0, **{**look, "linewidth": 0.9})
            every.append(growth[~np.isnan(growth)])
        top.axhline(1.0, color=MUTED, linewidth=0.6)
        values = np.concatenate(every)
        words = log_if_wide(top, values) if not log else ""
        if log and len(values) and values.min() > 0.0:
            top.set_yscale("log")
            words = ", logarithmic"
        top.set_title("Growth of 1" + words)
        below.set_title("Drawdown")
        names = [f"\u200b{name}" if name.startswith("_") else name for name in comparison.names]  # else matplotlib leaves them out
        top.legend(handles, names, loc="upper left", ncols=1 + len(names) // 6, handlelength=1.6)
        money(top)
        percent(below)
        labels = np.unique(np.concatenate([part.labels for part in comparison.parts]))
        time_axis(below, np.asarray(labels, dtype=np.float64) / 86_400e9)
    return picture
