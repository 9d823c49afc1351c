"""Pictures of a search: scores over generations, and the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..analytics.drawing import EQUITY, INK, MUTED, SHORT, STYLE, picture_type, to_file
from ..errors import ConfigError
from .history import History

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["convergence_figure", "draw_convergence", "front_figure"]

_MOST = 20_000  # points of a cloud


def convergence_figure(
    history: History, scores: NDArray[np.float64], objectives: Sequence[str], path: str | Path | None = None
) -> Figure:  # fmt: skip
    """See `Search.plot_convergence`."""
    import matplotlib as mpl

    count = scores.shape[1]
    with mpl.rc_context(STYLE):
        picture = picture_type()(figsize=(8.0, 1.2 + 2.8 * count), layout="constrained")
        axes = picture.subplots(count, 1, squeeze=False, sharex=True)[:, 0]
        for m in range(count):
            draw_convergence(axes[m], history, scores[:, m], m)
            axes[m].set_title(_short(objectives[m]))
        axes[-1].set_xlabel("generation")
    return to_file(picture, path)


def draw_convergence(axes: Any, history: History, scores: NDArray[np.float64], objective: int) -> None:
    """One objective: all sets in the generation that evaluated them, the mean of each generation, the best so far."""
    known = np.isfinite(scores)
    generation = history.generation[: len(scores)]
    rows = [each for each in history.generations if np.isfinite(each.average[objective])]
    at = [each.number for each in rows]
    places = _thinned(np.flatnonzero(known))
    spread = np.random.default_rng(0).uniform(-0.3, 0.3, len(places))
    axes.plot(generation[places] + spread, scores[places], ".", color=MUTED, alpha=0.35, markersize=3.0, label="a set", zorder=1)
    axes.plot(at, [each.average[objective] for each in rows], color=EQUITY, linewidth=1.3, label="mean of the generation")
    if known.any():
        numbers = np.unique(generation[known])
        reached = np.array([scores[known & (generation == number)].max() for number in numbers])
        steps, best = np.append(numbers, max([*at, int(numbers[-1])])), np.maximum.accumulate(reached)
        axes.step(steps, np.append(best, best[-1]), where="post", color=SHORT, linewidth=1.6, label="best so far")
        _room(axes, scores[known])
    axes.set_ylabel("score, higher is better")
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, borderaxespad=0.2)
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_xlim(0.5, max([*at, 1]) + 0.5)


def _room(axes: Any, values: NDArray[np.float64]) -> None:
    """Leave out what is far below the rest: a few hopeless sets would press all others together."""
    low, high = float(np.quantile(values, 0.02)), float(values.max())
    if high > low:
        axes.set_ylim(low - 0.05 * (high - low), high + 0.08 * (high - low))


def front_figure(
    history: History, scores: NDArray[np.float64], objectives: Sequence[str], which: tuple[int, int], path: str | Path | None = None
) -> Figure:  # fmt: skip
    """See `Search.plot_front`."""
    import matplotlib as mpl

    from .pareto import pareto_front

    count = scores.shape[1]
    if count < 2:
        raise ConfigError("the search has one objective, and so no front; give a list of objectives, such as ['sharpe', 'max_drawdown']")
    for place in which:
        if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < count:
            raise ConfigError(f"x and y are {which}; expected two of the objectives 0 to {count - 1}")
    x, y = (scores[:, place] for place in which)
    known = np.isfinite(x) & np.isfinite(y)
    front = np.asarray(pareto_front(scores), dtype=np.int64)
    front = front[known[front]]
    front = front[np.argsort(x[front], kind="stable")]
    with mpl.rc_context(STYLE):
        picture = picture_type()(figsize=(7.0, 5.0), layout="constrained")
        axes = picture.subplots()
        places = _thinned(np.flatnonzero(known))
        newest = max(int(history.generation.max(initial=1)), 1)
        cloud = axes.scatter(
            x[places], y[places], c=history.generation[places], s=7.0, cmap="Blues", vmin=-newest * 0.4, vmax=newest, linewidths=0.0
        )  # fmt: skip
        if count == 2:
            axes.step(x[front], y[front], where="pre", color=SHORT, linewidth=1.2, zorder=2)
        axes.plot(x[front], y[front], "o", color=SHORT, markersize=4.5, label=f"front: {len(front):,} sets", zorder=3)
        axes.set_xlabel(_short(objectives[which[0]]))
        axes.set_ylabel(_short(objectives[which[1]]))
        axes.set_title("Objectives, higher is better in both")
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2)
        bar = picture.colorbar(cloud, ax=axes, fraction=0.04, pad=0.02)
        bar.ax.set_ylim(1, newest if newest > 1 else 2)
        bar.outline.set_visible(False)
        bar.set_label("generation", color=INK)
        bar.ax.tick_params(colors=MUTED, labelcolor=INK)
    return to_file(picture, path)


def _short(text: str) -> str:
    return text if len(text) <= 90 else f"{text[:87]}..."


def _thinned(places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of too many points, evenly some."""
    if len(places) <= _MOST:
        return places
    chosen: NDArray[np.int64] = places[np.linspace(0, len(places) - 1, _MOST).astype(np.int64)]
    return chosen
