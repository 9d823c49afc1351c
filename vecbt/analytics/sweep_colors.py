"""Colors and units of a metric: two colors that part where good and bad part, else one scale on which brighter is better."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .drawing import EQUITY, LOSS
from .statistics import write
from .sweep_lines import LOWER_IS_BETTER, base_metric, statistic

__all__ = ["Colors", "colors_of", "metric_name", "number_text", "unit_label"]

_PARTED = {
    "profit": 0.0, "total_return": 0.0, "cagr": 0.0, "sharpe": 0.0, "sortino": 0.0, "calmar": 0.0, "expectancy": 0.0, "r_expectancy": 0.0,
    "profit_factor": 1.0, "win_rate": 0.5,
}  # fmt: skip
"""Where bad ends and good begins."""

_MANY = 100  # cells of which the outer hundredths are not told apart: one outlier would take all colors
_UNITS = {"fraction": "%", "money": "money", "count": "number"}
_NAMES = {"sharpe": "Sharpe ratio", "sortino": "Sortino ratio", "calmar": "Calmar ratio", "max_drawdown": "Greatest drawdown"}
_PROPER = ("cagr", "sharpe", "sortino", "calmar")


class Colors(NamedTuple):
    """A map of colors, its limits, and at which end values lie beyond them."""

    map: Any
    norm: Any
    extend: Any


def colors_of(metric: str, values: NDArray[np.float64], middle_color: str = "#f7f5f1") -> Colors:
    """Colors for these values: from red over white to blue where they lie on both sides of what parts good from bad.

    Equal distances from there have colors of equal strength, and only those that occur are in the map.
    """
    import matplotlib as mpl
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    fine = values[np.isfinite(values)]
    low, high = (float(v) for v in (np.quantile(fine, (0.01, 0.99)) if len(fine) > _MANY else (fine.min(), fine.max())))
    middle = _PARTED.get(base_metric(metric))
    if middle is not None and low < middle < high:
        half = max(middle - low, high - middle)
        whole = LinearSegmentedColormap.from_list("whole", [LOSS, "#d8978a", middle_color, "#86b1cf", EQUITY])
        shares = np.linspace(0.5 + 0.5 * (low - middle) / half, 0.5 + 0.5 * (high - middle) / half, 256)
        colors: Any = LinearSegmentedColormap.from_list("vecbt", whole(shares))
    else:
        colors = mpl.colormaps["viridis_r" if metric in LOWER_IS_BETTER else "viridis"]
        if low == high:
            low, high = low - 0.5 * abs(low or 1.0), high + 0.5 * abs(high or 1.0)
    below, above = bool(fine.min() < low), bool(fine.max() > high)
    return Colors(colors, Normalize(low, high, clip=True), "both" if below and above else "min" if below else "max" if above else "neither")


def metric_name(metric: str, inside: bool = False) -> str:
    """What a metric is called at the head of a line, or inside of one."""
    base = base_metric(metric)
    label = _NAMES.get(base) or statistic(metric).label
    label = label[0].lower() + label[1:] if inside and base not in _PROPER else label
    return label if base == metric else f"{label}, {metric.rpartition('_')[2]} end"


def number_text(metric: str, value: float) -> str:
    """A number on an axis or in a cell: short, percent for fractions."""
    kind = statistic(metric).kind
    if kind == "fraction":
        return f"{value * 100:.3g}%" if abs(value) < 1.0 else f"{value * 100:,.0f}%"
    if kind in ("money", "count"):
        return f"{value:,.0f}" if abs(value) >= 10.0 or value == round(value) else f"{value:,.3g}"
    return f"{value:.3g}" if abs(value) < 1e4 else write(kind, value)


def unit_label(metric: str) -> str:
    """Name and unit of a metric."""
    unit = "" if base_metric(metric) in ("trades", "longest_drawdown_bars") else _UNITS.get(statistic(metric).kind, "")
    return f"{metric_name(metric)}, {unit}" if unit else metric_name(metric)
