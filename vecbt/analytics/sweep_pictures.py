"""The pictures of a sweep, as methods; `sweep_plot` draws them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from .sweep_lines import Lines

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Pictures", "Reduce"]

Reduce: TypeAlias = Literal["mean", "median", "max", "min"]


class Pictures:
    """What can be drawn of lines."""

    _lines: Lines

    def heatmap(self, x: str, y: str, metric: str = "sharpe", *, reduce: Reduce = "mean", path: str | Path | None = None) -> Figure:
        """A metric over two parameters, the others reduced by mean, median, max or min; the best cell is marked.

        Where sets are few among the combinations of the two, as those of samples are, numeric parameters are cut in classes of equal width.
        Undefined and infinite metrics are left out.

        Parameters
        ----------
        x, y : str
            Parameters along and across.
        metric : str
            One of `sweep_lines.METRICS`.
        reduce : {"mean", "median", "max", "min"}
            How the sets of one cell become a number.
        path : str or Path, optional
            Where to write it; the ending chooses the format (png, svg, pdf).

        Returns
        -------
        matplotlib.figure.Figure
            Shown by notebooks; nothing opens a window.
        """
        from .sweep_plot import heatmap_figure

        return heatmap_figure(self._lines, x, y, metric, reduce, path)

    def surface(self, x: str, y: str, metric: str = "sharpe", *, reduce: Reduce = "mean", path: str | Path | None = None) -> Figure:
        """The same as a surface in three dimensions, over two numeric parameters; arguments as for `heatmap`."""
        from .sweep_plot import surface_figure

        return surface_figure(self._lines, x, y, metric, reduce, path)

    def slices(self, metric: str = "sharpe", *, path: str | Path | None = None) -> Figure:
        """A small panel a parameter that varies: median and band from 10 to 90 % of the metric over all sets with that value."""
        from .sweep_plot import slices_figure

        return slices_figure(self._lines, metric, path)

    def parallel_coordinates(self, metric: str = "sharpe", *, most: int = 500, path: str | Path | None = None) -> Figure:
        """A line a set through its parameters to the metric, in the metric's color; of more than `most` sets, evenly spaced ranks."""
        from .sweep_plot import parallel_figure

        return parallel_figure(self._lines, metric, most, path)

    def distribution(self, metric: str = "sharpe", *, path: str | Path | None = None) -> Figure:
        """A histogram of the metric over all lines, with the median and the best marked."""
        from .sweep_plot import distribution_figure

        return distribution_figure(self._lines, metric, path)

    def envelope(self, metric: str = "sharpe", *, most: int = 300, path: str | Path | None = None) -> Figure:
        """An interval a set: the metric under both intrabar rules, in the color of its fragility, best first.

        Needs `vb.sweep(..., envelope=True)`. A dot is the metric under the setup's own rule; sets with an end that is undefined or infinite
        are left out.

        Parameters
        ----------
        metric : str
            One of `sweep_lines.METRICS`, without its ending.
        most : int
            Of more sets, so many are drawn, evenly spaced by rank.
        path : str or Path, optional
            Where to write it; the ending chooses the format (png, svg, pdf).

        Raises
        ------
        ConfigError
            The sweep has no envelope, there is no such metric, or no set has it.
        """
        from .sweep_plot import envelope_figure

        return envelope_figure(self._lines, metric, most, path)
