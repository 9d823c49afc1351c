"""Histograms of what chance does, with what the run did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import counted
from ..drawing import INK, LOSS, STYLE, picture_type
from ..statistics import write
from ..sweep_lines import statistic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from .permutation import PermutationTest
    from .trade_order import TradeOrder

__all__ = ["null_figure", "order_figure"]

_CHANCE, _RUN = "#9db4c8", LOSS


def null_figure(test: PermutationTest) -> Figure:
    """The random runs of a permutation test, and the run."""
    import matplotlib as mpl

    row = statistic(test.metric)
    what = "on shuffled bars" if test.kind == "bars" else "with the same holdings at random times"
    with mpl.rc_context(STYLE):
        figure = picture_type()(figsize=(8.0, 3.6), layout="constrained", facecolor="white")
        axes = figure.subplots()
        _histogram(axes, test.null[~np.isnan(test.null)])
        if not np.isnan(test.observed):
            _mark(axes, test.observed, f"the run: {write(row.kind, test.observed)}, p = {test.p_value:.3g}")
        _scale(axes, row.kind)
        axes.set_title(f"{row.label} {what}: {counted(test.runs, 'random run')}")
        axes.set_xlabel(row.label, color=INK)
        axes.set_ylabel("random runs")
    return figure


def order_figure(found: TradeOrder) -> Figure:
    """Total return and greatest drawdown of the paths."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        figure = picture_type()(figsize=(8.0, 5.0), layout="constrained", facecolor="white")
        for axes, values, title in zip(
            figure.subplots(2, 1), (found.total_return, found.max_drawdown), ("Total return", "Greatest drawdown"), strict=True
        ):
            shown = _inner(values)
            _histogram(axes, values, shown)
            if len(values):
                middle = float(np.median(values))
                _mark(axes, middle, f"median {middle:,.1%}")
            _scale(axes, "fraction")
            cut = ", the best 5 % not drawn" if shown is not None and shown[1] < values.max() else ""
            axes.set_title(f"{title} of {counted(len(values), 'path')} through {counted(found.trades, 'trade')}{cut}")
            axes.set_ylabel("paths")
    return figure


def _histogram(axes: Axes, values: NDArray[np.float64], shown: tuple[float, float] | None = None) -> None:
    if len(values):
        axes.hist(values, bins=min(60, max(10, len(values) // 20)), range=shown, color=_CHANCE)
        axes.set_ylim(top=1.18 * axes.get_ylim()[1])  # room for words


def _inner(values: NDArray[np.float64]) -> tuple[float, float] | None:
    """From where to where values are drawn: few that lie far out would hide the others."""
    if not len(values):
        return None
    low, high = np.quantile(values, (0.0, 0.95 if values.max() > 4.0 * np.quantile(values, 0.95) else 1.0))
    return float(low), float(high)


def _mark(axes: Axes, at: float, said: str) -> None:
    """A line at a value, with words on the side that has room."""
    axes.axvline(at, color=_RUN, linewidth=1.6)
    left = at > float(np.mean(axes.get_xlim()))
    axes.annotate(
        said, (at, 0.92), xycoords=("data", "axes fraction"), color=_RUN, xytext=(-6 if left else 6, 0), textcoords="offset points",
        ha="right" if left else "left",
    )  # fmt: skip


def _scale(axes: Axes, kind: str) -> None:
    if kind == "fraction":
        axes.xaxis.set_major_formatter(lambda value, _: f"{value * 100:,.10g}%")
