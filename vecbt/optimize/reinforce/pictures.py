"""The picture of a learned policy: how learning went, what is chosen in which state, and the held-out part beside the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...analytics.drawing import GRID, INK, LINES, MUTED, STYLE, line, log_if_wide, money, picture_type
from ...analytics.plots import time_axis
from .states import words_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .policy import Policy

__all__ = ["policy_figure"]

_MEASURES = {"sharpe": "Sharpe ratio", "total_return": "return"}
_WINDOWS = 20  # means in the learning curve are over so many parts of all episodes


def policy_figure(policy: Policy, *, size: tuple[float, float] = (11.0, 8.0)) -> Figure:
    """Learning curve and policy map beside each other, the held-out growth below them."""
    import matplotlib as mpl
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    with mpl.rc_context(STYLE):
        picture = picture_type()(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08), facecolor="white")
        grid = picture.add_gridspec(2, 2, height_ratios=[1.0, 1.15], width_ratios=[1.0, 1.25])
        _draw_learning(picture.add_subplot(grid[0, 0]), policy)
        _draw_map(picture.add_subplot(grid[0, 1]), policy)
        _draw_held(picture.add_subplot(grid[1, :]), policy)
    return picture


def _draw_learning(axes: Axes, policy: Policy) -> None:
    """Reward per step of each episode, and its running mean."""
    curve = policy.learned[2]
    rewards = curve[:, 1] / np.maximum(curve[:, 0], 1.0)
    window = max(1, len(rewards) // _WINDOWS)
    mean = np.convolve(rewards, np.ones(window) / window, mode="valid")
    episodes = np.arange(1.0, len(rewards) + 1.0)
    low, high = np.quantile(rewards, (0.005, 0.995))
    axes.plot(episodes, rewards, linestyle="none", marker=".", markersize=2.0, color=MUTED, alpha=0.5, rasterized=len(rewards) > 2000)
    line(axes, episodes[window - 1 :], mean, color=LINES[0], linewidth=1.4)
    axes.axhline(0.0, color=MUTED, linewidth=0.6)
    pad = 0.05 * max(high - low, 1e-12)
    axes.set_ylim(min(low, 0.0) - pad, max(high, 0.0) + pad)
    axes.set_title(f"Reward a step ({policy.learning.reward_function.replace('_', ' ')})")
    axes.set_xlabel(f"episode; the line is the mean of {window}")


def _draw_map(axes: Axes, policy: Policy) -> None:
    """Trend across, volatility and volume down; the color is the member, pale where little was tried."""
    from matplotlib.colors import to_rgb

    states, members, holding = policy.strategy.market_states, policy.members, policy.learning.holding
    shape = states.trend_bins, states.volatility_bins * states.volume_bins
    chosen = policy.strategy.chosen[:, 0].reshape(shape).T
    visits = policy.learned[1].sum(axis=1).reshape(states.count, -1).sum(axis=1).reshape(shape).T
    colors = np.array([to_rgb(LINES[m % len(LINES)]) for m in range(len(members))])
    weight = np.where(visits == 0, 0.15, 0.45 + 0.4 * visits / max(int(visits.max()), 1))[:, :, None]
    axes.imshow(1.0 - weight * (1.0 - colors[chosen]), aspect="auto")
    for y, x in np.ndindex(*chosen.shape):
        label = members[chosen[y, x]] if visits[y, x] else f"({members[chosen[y, x]]})"
        axes.text(x, y, label, ha="center", va="center", fontsize=7.5, color=INK)
    across = words_of("trend", states.trend_bins)
    down = [
        ", ".join(word for word, bins in ((a, states.volatility_bins), (b, states.volume_bins)) if bins > 1) or "all"
        for a in words_of("volatility", states.volatility_bins)
        for b in words_of("volume", states.volume_bins)
    ]
    axes.set_xticks(range(len(across)), across)
    axes.set_yticks(range(len(down)), down)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for edge in range(1, len(down)):
        axes.axhline(edge - 0.5, color="white" if edge % states.volume_bins else GRID, linewidth=1.0)
    untried = ", (never tried)" if (visits == 0).any() else ""
    axes.set_title(f"Chosen by state{' while no member is held' if holding else ''}{untried}")


def _draw_held(axes: Axes, policy: Policy) -> None:
    """Growth of one unit of money over bars that were not learned from."""
    held = policy.held
    when = held.labels.astype(np.float64) / 86_400e9
    band = axes.fill_between(when, held.band[0], held.band[2], color=GRID, linewidth=0.0)
    middle = line(axes, when, held.band[1], color=MUTED, linewidth=0.9, linestyle=(0, (1, 1.5)))
    looks = ({"linewidth": 1.7}, {"linestyle": (0, (5, 2))}, {"linestyle": "-", "linewidth": 0.9})
    lines = [line(axes, when, growth, color=LINES[k], **looks[k]) for k, growth in enumerate(held.growth)]
    names = [*policy.beside, "random policies, 5 % to 95 %", "random policies, median"]
    axes.axhline(1.0, color=MUTED, linewidth=0.6)
    words = log_if_wide(axes, held.growth[:3].reshape(-1))
    better = "better than all of these" if policy.better else "not better"
    axes.set_title(f"Held out: growth of 1{words}. Judged by its {_MEASURES[policy.measure]} the policy is {better}")
    axes.legend([*lines, band, middle], names, loc="upper left", ncols=2)
    money(axes)
    time_axis(axes, when)
