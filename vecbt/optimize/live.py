"""A picture in a notebook that goes on while a search runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from .._optional import optional
from .pictures import convergence_figure

if TYPE_CHECKING:
    from .driving import Drive

__all__ = ["LivePlot"]

_EVERY = 1.0  # seconds between two pictures


class LivePlot:
    """Convergence so far, drawn again about once a second. MissingDependency without IPython."""

    def __init__(self, drive: Drive) -> None:
        self._drive, self._display = drive, optional("IPython.display", "live=True").display
        self._handle: Any = None
        self._since = 0.0

    def draw(self, *, last: bool = False) -> None:
        """The picture, where the last one was a second ago, or it is the last."""
        history, now = self._drive.history, time.perf_counter()
        if (now - self._since < _EVERY and not last) or not history.generations:
            return
        self._since = now
        figure = convergence_figure(history, history.scores, [repr(each) for each in self._drive.objectives])
        if self._handle is None:
            self._handle = self._display(figure, display_id=True)
        else:
            self._handle.update(figure)
