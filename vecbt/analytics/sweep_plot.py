"""Pictures of a sweep: heat map, surface, slices, parallel coordinates, distribution, envelope. None is shown, only returned or saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from .drawing import EQUITY, INK, LOSS, MUTED, STYLE, picture_type, to_file
from .statistics import write
from .sweep_cells import Cells, Scale, cells_of, scale_of, tick_places
from .sweep_colors import Colors, colors_of, metric_name, number_text, unit_label
from .sweep_lines import FRAGILITY, Lines, checked_metrics, order_of, statistic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["distribution_figure", "envelope_figure", "heatmap_figure", "parallel_figure", "slices_figure", "surface_figure"]

_MOST_WRITTEN = (20, 12)  # cells up and across whose numbers are written into them


def heatmap_figure(lines: Lines, x: str, y: str, metric: str, reduce: str, path: Any) -> Figure:
    """Cells of two parameters in the metric's color."""
    import matplotlib as mpl
    from matplotlib.patches import Rectangle

    cells = cells_of(lines, x, y, metric, reduce)
    colors = colors_of(metric, cells.grid)
    with mpl.rc_context(STYLE):
        picture = _picture((8.5, 6.5), f"{metric_name(metric)} over {x} and {y}", _said(lines, metric, cells, reduce, "best outlined"))
        axes = picture.subplots()
        axes.grid(False)
        axes.patch.set(facecolor="white", edgecolor="#cdd2d8", hatch="////", linewidth=0.0)  # where no set is
        image = axes.imshow(cells.grid, origin="lower", aspect="auto", cmap=colors.map, norm=colors.norm, interpolation="nearest")
        for axis, scale in ((axes.xaxis, cells.x), (axes.yaxis, cells.y)):
            places = tick_places(len(scale.labels), 14)
            axis.set_ticks(places, [scale.labels[k] for k in places])
            axis.set_label_text(scale.title)
        turned = max(len(label) for label in cells.x.labels) * min(len(cells.x.labels), 14) > 90
        if turned:
            axes.tick_params(axis="x", labelrotation=35)
        _color_bar(picture, axes, image, metric, colors)
        if cells.grid.shape[0] <= _MOST_WRITTEN[0] and cells.grid.shape[1] <= _MOST_WRITTEN[1]:
            _numbers(axes, cells, metric, colors)
        i, j = np.unravel_index(cells.best, cells.grid.shape)
        for color, wide in (("white", 3.6), (INK, 1.6)):
            axes.add_patch(
                Rectangle((float(j) - 0.5, float(i) - 0.5), 1.0, 1.0, fill=False, edgecolor=color, linewidth=wide, clip_on=False)
            )
    return to_file(picture, path)


def surface_figure(lines: Lines, x: str, y: str, metric: str, reduce: str, path: Any) -> Figure:
    """The cells as heights over two numeric parameters."""
    import matplotlib as mpl

    for name in (x, y):
        if name in lines.sets.names and not lines.is_number(name):
            raise ConfigError(f"{name} is not numeric, so there is no surface over it; heatmap draws it")
    cells = cells_of(lines, x, y, metric, reduce)
    if min(cells.grid.shape) < 2:
        raise ConfigError(f"a surface needs two values of {x} and of {y} at least; slices draws one parameter")
    colors = colors_of(metric, cells.grid)
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        picture = _picture((9.0, 7.0), f"{metric_name(metric)} over {x} and {y}", _said(lines, metric, cells, reduce))
        axes: Any = picture.add_subplot(projection="3d")
        across, along = np.meshgrid(cells.x.centers, cells.y.centers)
        look = {"cmap": colors.map, "norm": colors.norm, "rstride": 1, "cstride": 1, "linewidth": 0.25, "edgecolor": "white"}
        axes.plot_surface(across, along, cells.grid, **look)
        axes.set_xlabel(cells.x.title, labelpad=8)
        axes.set_ylabel(cells.y.title, labelpad=8)
        axes.zaxis.set_major_formatter(lambda value, _: number_text(metric, value))
        axes.view_init(elev=28, azim=-125)
        axes.set_box_aspect((1.0, 1.0, 0.62), zoom=1.05)
        for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
            axis.set_pane_color((0.97, 0.975, 0.98, 1.0))
        _color_bar(picture, axes, mpl.cm.ScalarMappable(colors.norm, colors.map), metric, colors, shrink=0.7)
    return to_file(picture, path)


def slices_figure(lines: Lines, metric: str, path: Any) -> Figure:
    """A panel a parameter that varies."""
    import matplotlib as mpl

    names = lines.varied()
    if not names:
        raise ConfigError("no parameter varies, so there is nothing to draw it against")
    values = _finite(lines, metric)
    columns = min(len(names), 3)
    rows = -(-len(names) // columns)
    with mpl.rc_context(STYLE):
        picture = _picture((3.7 * columns + 0.8, 2.7 * rows + 0.9), f"{metric_name(metric)} by parameter", _left_out(lines, metric))
        panels = picture.subplots(rows, columns, sharey=True, squeeze=False).reshape(-1)
        for panel, name in zip(panels, names, strict=False):
            _slice(panel, scale_of(lines, name), values, metric)
        for k, panel in enumerate(panels):
            panel.set_visible(k < len(names))
            if k % columns == 0:
                panel.set_ylabel(unit_label(metric))
        panels[0].plot([], [], color=EQUITY, linewidth=1.6, label="median")
        panels[0].fill_between([], [], [], color=EQUITY, alpha=0.18, linewidth=0, label="10 to 90 % of the sets")
        picture.legend(*panels[0].get_legend_handles_labels(), loc="outside lower left", ncols=2)
    return to_file(picture, path)


def _slice(axes: Axes, scale: Scale, values: NDArray[np.float64], metric: str) -> None:
    fine = np.isfinite(values)
    groups = [values[fine & (scale.place == k)] for k in range(len(scale.labels))]
    held = np.array([k for k, group in enumerate(groups) if len(group)])
    low, middle, high = np.array([np.quantile(groups[k], (0.1, 0.5, 0.9)) for k in held]).T
    at = scale.centers[held] if scale.numeric else held.astype(np.float64)
    if scale.numeric:
        axes.fill_between(at, low, high, color=EQUITY, alpha=0.18, linewidth=0)
        axes.plot(at, middle, color=EQUITY, linewidth=1.6, marker="o", markersize=3.0)
    else:
        axes.bar(at, high - low, 0.5, bottom=low, color=EQUITY, alpha=0.18, linewidth=0)
        axes.plot(at, middle, color=EQUITY, linestyle="", marker="_", markersize=22, markeredgewidth=2.0)
        axes.set_xticks(held, [_short(scale.labels[k]) for k in held], rotation=20 if len(held) > 3 else 0)
        axes.set_xlim(-0.6, len(scale.labels) - 0.4)
    if scale.numeric:
        axes.locator_params(axis="x", nbins=6)
    axes.axhline(0.0, color=MUTED, linewidth=0.6, zorder=0.9) if low.min() < 0.0 < high.max() else None
    axes.yaxis.set_major_formatter(lambda value, _: number_text(metric, value))
    axes.set_title(scale.title)


def parallel_figure(lines: Lines, metric: str, most: int, path: Any) -> Figure:
    """A line a set over an axis a parameter."""
    import matplotlib as mpl
    from matplotlib.collections import LineCollection

    values, names = _finite(lines, metric), lines.varied()
    order = order_of(lines, metric, None)
    order = order[np.isfinite(values[order])]
    chosen = order[_spread(len(order), most)][::-1]  # the best is drawn last
    colors = colors_of(metric, values[chosen], "#b9b2a6")  # white lines would not be seen
    scales = [scale_of(lines, name, None) for name in names]
    spots = np.stack([*(_unit(scale)[chosen] for scale in scales), _between(values[chosen], values[chosen])], axis=1)
    drawn = f"{len(order):,} {_lines_word(lines)}"
    if len(chosen) < len(order):
        drawn = f"{len(chosen):,} of {drawn}, evenly spaced by rank"
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        picture = _picture((max(7.0, 1.7 * len(spots[0]) + 2.5), 5.6), f"Parameters and {metric_name(metric, True)}", drawn)
        axes = picture.subplots()
        paths = np.stack([np.broadcast_to(np.arange(spots.shape[1]), spots.shape), spots], axis=2)
        widths = np.full(len(chosen), 0.8)
        widths[-1] = 2.4
        alpha = float(np.clip(60.0 / len(chosen), 0.25, 0.85))
        shades = colors.map(colors.norm(values[chosen]))
        shades[:, 3] = np.where(np.arange(len(chosen)) == len(chosen) - 1, 1.0, alpha)
        axes.add_collection(LineCollection(list(paths), colors=shades, linewidths=widths))
        for k, scale in enumerate(scales):
            _upright(axes, k, _ticks_of(scale))
        _upright(axes, len(scales), _number_ticks(values[chosen], lambda value: number_text(metric, value)))
        axes.set_xticks(range(len(scales) + 1), [*(_short(scale.title, 22) for scale in scales), metric_name(metric)])
        axes.tick_params(axis="x", length=0, pad=10, labelsize=9.5)
        axes.set_yticks([])
        for side in ("left", "bottom"):
            axes.spines[side].set_visible(False)
        axes.set_xlim(-0.35, len(scales) + 0.5)
        axes.set_ylim(-0.03, 1.03)
        _color_bar(picture, axes, mpl.cm.ScalarMappable(colors.norm, colors.map), metric, colors)
    return to_file(picture, path)


def _spread(count: int, most: int) -> NDArray[np.int64]:
    """At most so many ranks, evenly spaced, the first and the last among them."""
    if isinstance(most, bool) or not isinstance(most, int) or most < 2:
        raise ConfigError(f"most is {most!r}; expected a whole number of at least 2")
    return np.unique(np.linspace(0, count - 1, min(most, count)).astype(np.int64))


def _upright(axes: Axes, k: int, ticks: list[tuple[float, str]]) -> None:
    """An axis of its own, with its values beside it."""
    axes.plot([k, k], [0.0, 1.0], color=MUTED, linewidth=0.9, zorder=3)
    for place, text in ticks:
        axes.plot([k, k + 0.02], [place, place], color=MUTED, linewidth=0.9, zorder=3)
        box = {"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
        axes.text(k + 0.035, place, _short(text, 16), fontsize=8.0, va="center", ha="left", color=INK, zorder=4, bbox=box)


def _ticks_of(scale: Scale) -> list[tuple[float, str]]:
    if scale.numeric and len(scale.labels) > 7:
        return _number_ticks(scale.centers, lambda value: f"{value:.6g}")
    return [(_position(scale, k), scale.labels[k]) for k in tick_places(len(scale.labels), 12)]


def _number_ticks(values: NDArray[np.float64], text: Callable[[float], str]) -> list[tuple[float, str]]:
    from matplotlib.ticker import MaxNLocator

    low, high = float(values.min()), float(values.max())
    ticks = [float(t) for t in MaxNLocator(6).tick_values(low, high) if low <= t <= high] if high > low else [low]
    return [(float(_between(np.array([t]), values)[0]), text(t)) for t in ticks]


def _between(values: NDArray[np.float64], among: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where values lie between the least and the greatest; the middle where these are one."""
    low, high = float(among.min()), float(among.max())
    return (values - low) / (high - low) if high > low else np.full(len(values), 0.5)


def _unit(scale: Scale) -> NDArray[np.float64]:
    return np.array([_position(scale, k) for k in range(len(scale.labels))])[scale.place]


def _position(scale: Scale, k: int) -> float:
    """The place of a value on an upright axis: by number, else by order."""
    where = scale.centers if scale.numeric else np.arange(len(scale.labels), dtype=np.float64)
    return float(_between(where[[k]], where)[0])


def distribution_figure(lines: Lines, metric: str, path: Any) -> Figure:
    """A histogram with median and best."""
    import matplotlib as mpl
    from matplotlib.ticker import MaxNLocator

    values = _finite(lines, metric)
    fine = values[np.isfinite(values)]
    order = order_of(lines, metric, None)
    best = float(values[order[np.isfinite(values[order])][0]])
    middle, row = float(np.median(fine)), statistic(metric)
    with mpl.rc_context(STYLE):
        picture = _picture((8.0, 4.6), f"{metric_name(metric)} of {len(fine):,} {_lines_word(lines)}", _left_out(lines, metric))
        axes = picture.subplots()
        bins = int(np.clip(np.sqrt(len(fine)) * 1.5, 5, 60))
        axes.hist(fine, bins=bins, color=EQUITY, alpha=0.55, edgecolor="white", linewidth=0.5)
        axes.set_ylim(0.0, axes.get_ylim()[1] * 1.16)  # room for words
        if fine.min() < 0.0 < fine.max():
            axes.axvline(0.0, color=MUTED, linewidth=0.7)
        _marked(axes, middle, f"median {write(row.kind, middle)}", INK, 0.97)
        _marked(axes, best, f"best {write(row.kind, best)}", LOSS, 0.90)
        axes.xaxis.set_major_formatter(lambda value, _: number_text(metric, value))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel(unit_label(metric))
        axes.set_ylabel(_lines_word(lines).capitalize())
    return to_file(picture, path)


def envelope_figure(lines: Lines, metric: str, most: int, path: Any) -> Figure:
    """An upright interval a set, best first."""
    import matplotlib as mpl
    from matplotlib.collections import LineCollection
    from matplotlib.colors import LinearSegmentedColormap, Normalize
    from matplotlib.ticker import MaxNLocator

    checked_metrics((metric,))
    fragility = lines.values(FRAGILITY)
    own, low, high = (_finite(lines, f"{metric}{end}") for end in ("", "_low", "_high"))
    order = order_of(lines, metric, None)
    order = order[np.isfinite(low[order] + high[order])]
    ranks = _spread(len(order), most)
    chosen, at, count = order[ranks], ranks + 1.0, f"{len(order):,} {_lines_word(lines)}"
    drawn = count if len(chosen) == len(order) else f"{len(chosen):,} of {count}, evenly spaced by rank"
    shades = LinearSegmentedColormap.from_list("fragility", _ROBUST_TO_FRAGILE).with_extremes(bad=MUTED)
    norm = Normalize(0.0, max(_most(fragility[chosen]), 0.1))
    colors = shades(norm(np.ma.masked_invalid(fragility[chosen])))
    with mpl.rc_context(STYLE):
        below = " · ".join(filter(None, [drawn, _left_out(lines, f"{metric}_low")]))
        picture = _picture((9.0, 5.2), f"{metric_name(metric)} between the two intrabar rules", below)
        axes = picture.subplots()
        wide = float(np.clip(320.0 / len(chosen), 0.8, 9.0))
        ends = np.stack([np.column_stack([at, low[chosen]]), np.column_stack([at, high[chosen]])], axis=1)
        axes.add_collection(LineCollection(list(ends), colors=colors, linewidths=wide, capstyle="butt"))
        axes.scatter(at, own[chosen], s=float(np.clip(wide * wide * 0.6, 3.0, 26.0)), color=INK, zorder=3, linewidth=0, label=_RULES_OWN)
        if low[chosen].min() < 0.0 < high[chosen].max():
            axes.axhline(0.0, color=MUTED, linewidth=0.7, zorder=0.9)
        axes.set_xlim(1.0 - 0.6 * len(order) / len(chosen), len(order) + 0.6 * len(order) / len(chosen))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(axis="x", visible=False)
        axes.set_xlabel(f"{_lines_word(lines).capitalize()}, best first")
        axes.set_ylabel(unit_label(metric))
        axes.yaxis.set_major_formatter(lambda value, _: number_text(metric, value))
        picture.legend(loc="outside lower left")
        _color_bar(picture, axes, mpl.cm.ScalarMappable(norm, shades), FRAGILITY, Colors(shades, norm, "neither"))
    return to_file(picture, path)


_ROBUST_TO_FRAGILE = ["#9dbdd3", "#d9a441", "#c8641b", LOSS]
_RULES_OWN = "under the rule of the setup"


def _most(values: NDArray[np.float64]) -> float:
    """The greatest that is defined, 0 where none is."""
    return float(np.max(values, initial=0.0, where=~np.isnan(values)))


def _marked(axes: Axes, value: float, text: str, color: str, height: float) -> None:
    """An upright line with its words on the side where there is more room."""
    low, high = axes.get_xlim()
    left = value > (low + high) / 2.0
    axes.axvline(value, color=color, linewidth=1.3, linestyle=(0, (4, 2)))
    axes.annotate(
        text, (value, height), xycoords=axes.get_xaxis_transform(), xytext=(-5 if left else 5, 0), textcoords="offset points",
        ha="right" if left else "left", va="top", color=color, fontsize=9.0, fontweight="bold",
    )  # fmt: skip


def _picture(size: tuple[float, float], title: str, below: str) -> Figure:
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    picture = picture_type()(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08), facecolor="white")
    picture.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    if below:
        picture.text(0.99, 0.99, below, ha="right", va="top", fontsize=8.0, color=MUTED)
    return picture


def _color_bar(picture: Figure, axes: Any, image: Any, metric: str, colors: Colors, shrink: float = 1.0) -> None:
    bar = picture.colorbar(image, ax=axes, extend=colors.extend, pad=0.02 if shrink == 1.0 else 0.08, shrink=shrink, aspect=28)
    bar.outline.set_visible(False)
    bar.ax.yaxis.set_major_formatter(lambda value, _: number_text(metric, value))
    bar.set_label(unit_label(metric))


def _numbers(axes: Axes, cells: Cells, metric: str, colors: Colors) -> None:
    """The metric written into each cell, dark on light and light on dark."""
    size = 8.0 if cells.grid.shape[1] <= 10 else 6.5
    for (i, j), value in np.ndenumerate(cells.grid):
        if np.isfinite(value):
            red, green, blue, _ = colors.map(float(colors.norm(value)))
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.55
            axes.text(j, i, number_text(metric, value), ha="center", va="center", fontsize=size, color="white" if dark else INK)


def _finite(lines: Lines, metric: str) -> NDArray[np.float64]:
    """The metric of all lines; ConfigError where there is no number to draw."""
    values = lines.values(metric)
    if not np.isfinite(values).any():
        raise ConfigError(f"none of the {len(lines):,} lines has a finite {metric}, so there is nothing to draw")
    return values


def _said(lines: Lines, metric: str, cells: Cells, reduce: str, more: str = "") -> str:
    """What the title says of the other parameters, and of what is left out."""
    others = [name for name in lines.varied() if name not in (cells.x.name, cells.y.name)]
    if len(np.unique(lines.account)) > 1:
        others.append("symbols")
    classes = cells.x.classes or cells.y.classes
    what = [f"{reduce} over {', '.join(others)}"] if others else [f"{reduce} of each class"] if classes else []
    return " · ".join([*what, *filter(None, [more, _left_out(lines, metric)])])


def _left_out(lines: Lines, metric: str) -> str:
    missing = int((~np.isfinite(lines.values(metric))).sum())
    return f"{missing:,} of {len(lines):,} left out: undefined, infinite or failed" if missing else ""


def _lines_word(lines: Lines) -> str:
    return "sets and symbols" if lines.about.separate else "sets"


def _short(text: str, most: int = 18) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
