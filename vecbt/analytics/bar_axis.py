"""Ticks of an axis of bars: one place a bar, so that nights and weekends leave no gaps, and labels where the calendar turns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["bar_ticks"]

_LEVELS: tuple[tuple[str, str, str], ...] = (
    ("Y", "%Y", ""),
    ("Q", "%b", "%Y"),
    ("M", "%b", "%Y"),
    ("W", "%d %b", "%Y"),
    ("D", "%d %b", "%Y"),
    ("h", "%H:%M", "%d %b %Y"),
    ("min", "%H:%M", "%d %b %Y"),
    ("s", "%H:%M:%S", "%d %b %Y"),
)
"""From coarse to fine: the unit whose first bar gets a tick, its label, and the second line where that changes."""


def bar_ticks(times: Any, width: int) -> tuple[NDArray[np.int64], list[str]]:
    """Where ticks stand among the bars, and what they say.

    Parameters
    ----------
    times : pandas DatetimeIndex of the bars, UTC
    width : of the picture, in inches: about one tick for each
    """
    naive = times.tz_localize(None)
    chosen, level = np.zeros(0, dtype=np.int64), _LEVELS[0]
    for unit, *words in _LEVELS:
        if unit in "YQMW":
            periods = naive.to_period(unit).asi8
        else:
            periods = naive.floor(unit).asi8
        turns = np.flatnonzero(np.diff(periods)) + 1
        if len(turns) > max(width, 3) and len(chosen):
            break
        chosen, level = turns, (unit, words[0], words[1])
    if not len(chosen):
        chosen, level = np.zeros(min(len(times), 1), dtype=np.int64), _LEVELS[4]
    chosen = chosen[:: -(-len(chosen) // max(width, 3))]
    return chosen, _labels(naive[chosen], level)


def _labels(times: Any, level: tuple[str, str, str]) -> list[str]:
    _, own, more = level
    labels, before = [], ""
    for time in times:
        second = time.strftime(more) if more else ""
        labels.append(time.strftime(own).removeprefix("0" if own.startswith("%d") else "") + (f"\n{second}" if second != before else ""))
        before = second
    return labels
