"""All sets of a sweep in one chart: parallel coordinates, a line a set, an axis a parameter, and the metric at the end."""

from __future__ import annotations

from typing import Any

import numpy as np

from .sheet_charts import numbers
from .statistics import Statistic
from .sweep_cells import scale_of
from .sweep_colors import metric_name
from .sweep_lines import LOWER_IS_BETTER, Lines, order_of, statistic

__all__ = ["MOST_SETS", "parallel_data", "parallel_words"]

MOST_SETS = 2000
_BEST = 500  # of many: so many of the best, and the others at even distances
_MOST_AXES = 9


def parallel_data(lines: Lines, metric: str) -> dict[str, Any] | None:
    """What the page's script draws, the best set last so that it lies on top; None where there is nothing to draw.

    `axes` are name and labels (None: numbers), `rows` a value or the place of a label for each axis, then the metric.
    """
    names, values = lines.varied()[:_MOST_AXES], lines.values(metric)
    order = order_of(lines, metric, None)
    order = order[np.isfinite(values[order])]
    if not names or not len(order):
        return None
    if len(order) > MOST_SETS:
        rest = np.linspace(_BEST, len(order) - 1, MOST_SETS - _BEST).astype(np.int64)
        order = order[np.unique(np.concatenate([np.arange(_BEST), rest]))]
    chosen = order[::-1]
    axes, columns = [], []
    for name in names:
        scale = scale_of(lines, name, None)
        axes.append({"name": name, "labels": None if scale.numeric else scale.labels})
        place = scale.place[chosen]
        columns.append(numbers(scale.centers[place]) if scale.numeric else place.tolist())
    measured = values[chosen]
    columns.append(numbers(measured, 6))
    low, high = (float(edge) for edge in np.quantile(measured, (0.02, 0.98)))
    return {
        "axes": axes,
        "metric": metric_name(metric),
        "kind": _kind(statistic(metric)),
        "sets": lines.number[chosen].tolist(),
        "rows": [list(row) for row in zip(*columns, strict=True)],
        "low": low,
        "high": high,
        "lower": metric in LOWER_IS_BETTER,
    }


def parallel_words(data: dict[str, Any], count: int) -> str:
    """What stands under the chart."""
    drawn = len(data["rows"])
    few = f" Of {count:,} lines the best {_BEST:,} are drawn, and {drawn - _BEST:,} of the others." if drawn < count else ""
    return f"A line a set, darker where the {data['metric']} is better. Drag along an axis to see only what passes there.{few}"


def _kind(row: Statistic) -> str:
    return {"fraction": "percent", "money": "money", "count": "count"}.get(row.kind, "ratio")
