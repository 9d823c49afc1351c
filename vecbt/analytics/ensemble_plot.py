"""The picture of an ensemble beside its members."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ConfigError
from .drawing import INK, LINES, MUTED, STYLE, picture_type, to_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .ensemble import EnsembleComparison

__all__ = ["growth_figure"]

_FORMATS = ("png", "svg", "pdf")
_MOST_NAMED = 11


def growth_figure(comparison: EnsembleComparison, path: Any = None) -> Figure:
    """Two panels over one time axis: growth of one unit, and drawdown; members thin, equal weights dashed, the ensemble in black.

    path : where it is written, too; the ending says as what (png, svg, pdf)
    """
    import matplotlib as mpl
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    form = None if path is None else Path(path).suffix.lower().lstrip(".")
    if form is not None and form not in _FORMATS:
        raise ConfigError(f"path is {str(path)!r}; expected one that ends in .png, .svg or .pdf")
    curves = comparison.growth()
    when = comparison.ensemble.run.bars.index.astype("M8[ns]").astype("M8[s]")
    with mpl.rc_context(STYLE):
        layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.06)
        picture = picture_type()(figsize=(11.0, 7.0), layout=layout, facecolor="white")
        top, below = picture.subplots(2, 1, sharex=True, height_ratios=[2.4, 1.0])
        picture.suptitle("Ensemble and members", x=0.01, ha="left", fontsize=12, fontweight="bold")
        for k, (name, curve) in enumerate(curves.items()):
            looks = _looks(name, k, comparison.comparison["best_member"])
            top.plot(when, curve, **looks)
            peak = np.maximum(np.maximum.accumulate(curve), 1.0)
            below.plot(when, -100.0 * (1.0 - curve / peak), **{**looks, "label": None})
        top.axhline(1.0, color=MUTED, linewidth=0.6)
        top.set_title("Growth of 1, after costs")
        below.set_title("Drawdown, %")
        if all(float(curve.min()) > 0.0 for curve in curves.values()) and max(float(c.max()) for c in curves.values()) > 4.0:
            top.set_yscale("log")
            top.yaxis.set_major_locator(mpl.ticker.LogLocator(base=10.0, subs=(1.0, 2.0, 5.0)))
            top.yaxis.set_major_formatter(mpl.ticker.FormatStrFormatter("%g"))
            top.yaxis.set_minor_formatter(mpl.ticker.NullFormatter())
        handles, labels = top.get_legend_handles_labels()
        top.legend(handles[::-1], labels[::-1], loc="upper left", ncols=1 + len(labels) // 6)
        below.margins(x=0.01)
    if form is not None:
        Path(path).write_bytes(to_bytes(picture, form))
    return picture


def _looks(name: str, k: int, best: str) -> dict[str, Any]:
    if name == "ensemble":
        return {"color": INK, "linewidth": 1.8, "label": "ensemble", "zorder": 5}
    if name == "equal_weights":
        return {"color": INK, "linewidth": 1.0, "linestyle": (0, (4, 2)), "label": "equal weights", "zorder": 4}
    label = f"{name} (best member, chosen afterwards)" if name == best else name
    return {"color": LINES[k % len(LINES)], "linewidth": 0.9, "label": label if k < _MOST_NAMED or name == best else None}
