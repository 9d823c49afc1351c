"""What all pictures share: colors and style, one type of figure, files of equal bytes, lines of many points, axes of money and shares."""

from __future__ import annotations

import functools
import io
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .._typing import ArrayT, ArrayTG
from ..errors import ConfigError, nearest
from .thin import thin

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..engine.run import Run

__all__ = [
    "EQUITY", "GRID", "INK", "LINES", "LONG", "LOSS", "MUTED", "SHORT", "STYLE", "line", "log_if_wide", "money", "percent", "picture_type",
    "room", "split_scale", "to_bytes", "to_file", "width",
]  # fmt: skip

INK, MUTED, GRID = "#1f2933", "#6b7785", "#e4e8ec"
EQUITY, LOSS, LONG, SHORT = "#1b5e8c", "#9c3224", "#0f7b6c", "#c8641b"
LINES = ("#1b5e8c", "#c8641b", "#0f7b6c", "#8a4f9e", "#a08420", "#5b6b7b", "#c2487a", "#3f8fc4", "#7a9a2e", "#8c5a3c", "#4450a8", "#2f9e9e")
STYLE: Any = {
    "font.size": 9.0,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlelocation": "left",
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlepad": 5.0,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "text.parse_math": False,  # a symbol may hold dollar signs
    "svg.fonttype": "none",  # text stays text: the reader's fonts know more scripts
    "svg.hashsalt": "vecbt",  # equal runs give equal files
}
_POINTS = 150  # of a line, per inch of width
_WIDE = 4.0  # prices whose greatest is more than so many times the least are drawn on a logarithmic axis


@functools.cache
def picture_type() -> type[Figure]:
    """The type of figure: matplotlib's, which notebooks show, whatever backend is chosen."""
    from matplotlib.figure import Figure

    class Picture(Figure):
        """A figure that notebooks show, whatever backend is chosen."""

        def _repr_png_(self) -> bytes:
            return to_bytes(self, "png", dpi=110)

    return Picture


def to_bytes(picture: Figure, form: str, dpi: int = 150) -> bytes:
    """The figure as a file of format `form`; equal figures give equal bytes."""
    import matplotlib as mpl

    buffer = io.BytesIO()
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        # a symbol in a script the font lacks is drawn as a box
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(form)
        picture.savefig(buffer, format=form, dpi=dpi, metadata=metadata)
    return _rounded(buffer.getvalue()) if form == "svg" else buffer.getvalue()


def to_file(picture: Figure, path: str | Path | None) -> Figure:
    """The picture, after it was written where a path is given; ConfigError for an ending that names no format."""
    if path is not None:
        target = Path(path)
        known = sorted(picture.canvas.get_supported_filetypes())
        form = target.suffix[1:].lower()
        if form not in known:
            raise ConfigError(f"path is {str(path)!r}; its ending chooses the format: {nearest(form, known)}")
        target.write_bytes(to_bytes(picture, form))
    return picture


def _rounded(picture: bytes) -> bytes:
    """Paths of an SVG with two decimals: a hundredth of a point is enough, and half the bytes."""
    return re.sub(rb' d="[^"]*"', lambda path: re.sub(rb"(\.\d\d)\d+", rb"\1", path.group()), picture)


def money(axes: Axes) -> None:
    """Money on the vertical axis."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    if axes.get_yscale() == "log":
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_minor_formatter(NullFormatter())


def percent(axes: Axes) -> None:
    """Fractions on the vertical axis, in percent."""
    from matplotlib.ticker import FuncFormatter

    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:.6g}%"))


def width(axes: Axes) -> float:
    """Of the figure, in inches."""
    picture = axes.get_figure(root=True)
    assert picture is not None  # axes are never moved out of theirs
    return float(picture.get_figwidth())


def room(axes: Axes) -> int:
    """How many points of a line can be told apart."""
    return int(_POINTS * width(axes))


def line(axes: Axes, when: ArrayT, values: ArrayT, **look: Any) -> Any:
    """A line, thinned to what can be told apart."""
    places = thin(values, room(axes))
    if len(values) == 1:
        look["marker"] = "o"
    return axes.plot(when[places], values[places], **{"linewidth": 1.1, "solid_joinstyle": "round", **look})[0]


def split_scale(run: Run) -> ArrayTG:
    """Split ratios so far by bar and asset (T9), by which a raw price is multiplied so that a split is no fall."""
    return np.ones((1, run.bars.N)) if run.bars.splits is None or run.bars.actions is None else run.bars.actions.scale


def log_if_wide(axes: Axes, values: ArrayT) -> str:
    """A logarithmic axis where positive values spread over many times the least, and the words that say so."""
    if not len(values) or values.min() <= 0.0 or values.max() <= _WIDE * values.min():
        return ""
    axes.set_yscale("log")
    return ", logarithmic"
