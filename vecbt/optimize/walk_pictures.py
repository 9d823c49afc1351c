"""Pictures of a walk-forward: the account with its joins, the parameters in force, scores in and out of sample."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..analytics.drawing import EQUITY, GRID, INK, LINES, LONG, LOSS, MUTED, SHORT, STYLE, line, money, picture_type, to_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .combinatorial import Paths
    from .walk_result import WalkForward

__all__ = ["equity_figure", "parameters_figure", "paths_figure", "scatter_figure"]

_WORDS = 24  # characters of a value that an axis shows


def equity_figure(found: WalkForward, path: str | Path | None, *, log: bool) -> Figure:
    """See `WalkForward.plot_equity`."""
    import matplotlib as mpl
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    with mpl.rc_context(STYLE):
        picture = picture_type()(figsize=(9.0, 5.4), layout="constrained")
        top, low = picture.subplots(2, 1, sharex=True, height_ratios=(2.2, 1.0))
        folds = found.folds
        when: Any = found.result.run.bars.times
        starts, ends = _times(folds["test_start"]), _times(folds["test_end"])
        for k, start in enumerate(starts):
            if k % 2:
                top.axvspan(start, starts[k + 1] if k + 1 < len(starts) else when[-1], color=GRID, alpha=0.6, linewidth=0, zorder=0)
        for start in starts[np.flatnonzero(folds["adopted"].to_numpy()[1:]) + 1]:
            top.axvline(start, color=SHORT, linewidth=0.7, linestyle=(0, (2, 2)), zorder=1)
        equity = found.result.run.equity
        line(top, when, equity[:, 0], color=EQUITY)
        top.set_title(f"Equity of the stitched account, {len(found)} folds")
        handles = [Line2D([], [], color=SHORT, linewidth=0.9, linestyle=(0, (2, 2))), Patch(color=GRID)]
        top.legend(
            handles, ["new parameters", "every other test window"], loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.1
        )
        if log:
            top.set_yscale("log")
        money(top)
        _scores(low, folds, starts, ends)
        low.set_title(_title(found.objective))
    return to_file(picture, path)


def _scores(axes: Any, folds: Any, starts: Any, ends: Any) -> None:
    """A step for each fold: what its parameters were worth before, and after."""
    for name, color, label in (("in_sample", MUTED, "in sample"), ("out_of_sample", EQUITY, "out of sample")):
        values = folds[name].to_numpy()
        for k, value in enumerate(values):
            axes.plot([starts[k], ends[k]], [value, value], color=color, linewidth=2.2, solid_capstyle="butt", label=None if k else label)
    axes.axhline(0.0, color=INK, linewidth=0.6)
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.1, handlelength=1.4)


def parameters_figure(found: WalkForward, path: str | Path | None) -> Figure:
    """See `WalkForward.plot_parameters`."""
    import matplotlib as mpl
    from matplotlib.lines import Line2D

    with mpl.rc_context(STYLE):
        names, folds = found.parameters, found.folds
        picture = picture_type()(figsize=(9.0, 0.9 + 1.7 * len(names)), layout="constrained")
        panels = picture.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
        starts, ends, adopted = _times(folds["test_start"]), _times(folds["test_end"]), folds["adopted"].to_numpy()
        for axes, name in zip(panels, names, strict=True):
            values = [fold.parameters[name] for fold in found._found]
            numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
            texts = [str(value)[:_WORDS] for value in values]
            levels = sorted(set(texts))
            height = np.array(values, dtype=float) if numbers else np.array([levels.index(text) for text in texts], dtype=float)
            axes.step([*starts, ends[-1]], [*height, height[-1]], where="post", color=EQUITY, linewidth=1.1)
            axes.plot(starts[adopted], height[adopted], "o", color=EQUITY, markersize=4.5)
            axes.plot(starts[~adopted], height[~adopted], "o", color="white", markeredgecolor=EQUITY, markersize=4.5)
            if not numbers:
                axes.set_yticks(range(len(levels)), levels)
            axes.margins(y=0.18)
            axes.set_title(name)
        handles = [Line2D([], [], marker="o", linestyle="", color=EQUITY, markersize=4.5)]
        handles.append(Line2D([], [], marker="o", linestyle="", color="white", markeredgecolor=EQUITY, markersize=4.5))
        panels[0].legend(handles, ["adopted", "kept"], loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.1)
    return to_file(picture, path)


def scatter_figure(found: WalkForward, path: str | Path | None) -> Figure:
    """See `WalkForward.plot_scatter`."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        picture = picture_type()(figsize=(5.6, 5.2), layout="constrained")
        axes, folds = picture.subplots(), found.folds
        inside, outside = folds["in_sample"].to_numpy(), folds["out_of_sample"].to_numpy()
        both = ~(np.isnan(inside) | np.isnan(outside))
        axes.axhline(0.0, color=INK, linewidth=0.6)
        axes.axvline(0.0, color=INK, linewidth=0.6)
        if both.any():
            pad = 0.1 * max(float(np.ptp(inside[both])), 1e-9)
            ends = [inside[both].min() - pad, inside[both].max() + pad]
            axes.plot(ends, ends, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)), label="as good as in training")
            good = outside[both] > 0.0
            for mask, color, label in ((good, LONG, "above 0 in the test"), (~good, LOSS, "0 or less in the test")):
                axes.plot(inside[both][mask], outside[both][mask], "o", color=color, markersize=5.0, alpha=0.85, label=label)
            for number in np.flatnonzero(both):
                axes.annotate(
                    str(number + 1), (inside[number], outside[number]), (4, 3), textcoords="offset points", fontsize=7, color=MUTED
                )
            axes.legend(loc="best")
        rank = found.decay["rank"]
        axes.set_title(_title(found.objective) + ("" if np.isnan(rank) else f"; rank correlation {rank:+.2f}"))
        axes.set_xlabel("in sample")
        axes.set_ylabel("out of sample")
    return to_file(picture, path)


def _title(objective: str) -> str:
    return f"Score, {objective}" if len(objective) < 60 else f"Score, {objective[:58]}…"


def _times(column: Any) -> Any:
    """Labels as matplotlib takes them, UTC."""
    return column.dt.replace_time_zone(None).to_numpy()


def paths_figure(found: Paths, path: str | Path | None) -> Figure:
    """See `Paths.plot`."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        picture = picture_type()(figsize=(9.0, 4.0), layout="constrained")
        left, right = picture.subplots(1, 2, width_ratios=(2.4, 1.0))
        for k, result in enumerate(found.results):
            when: Any = result.run.bars.times
            line(left, when, result.run.equity[:, 0], color=LINES[k % len(LINES)], linewidth=0.9, alpha=0.85)
        for first in found.split.bounds(len(when))[1:-1]:
            left.axvline(when[first], color=MUTED, linewidth=0.7, linestyle=(0, (2, 2)), zorder=1)
        left.set_title(f"Equity of {len(found)} paths, parts dotted")
        money(left)
        sharpes = np.array([float(result.stats()["sharpe"]) for result in found.results])
        known = ~np.isnan(sharpes)
        for number in np.flatnonzero(known).tolist():
            right.plot([number + 1], [sharpes[number]], "o", color=LINES[number % len(LINES)], markersize=6.0)
        if known.any():
            right.axhline(float(np.median(sharpes[known])), color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
        right.axhline(0.0, color=INK, linewidth=0.6)
        right.set_title("Sharpe ratio, median dashed")
        right.set_xlabel("path")
        right.set_xlim(0.3, len(found) + 0.7)
        right.xaxis.get_major_locator().set_params(integer=True)
    return to_file(picture, path)
