"""How many sets make a piece of work: enough that sending them costs little, few enough that all workers end together."""

from __future__ import annotations

from ..core.jit import ENGINE

__all__ = ["LEAST", "USUAL", "Pace"]

LEAST, USUAL = 0.05, 0.5
"""Seconds of work that a piece has at least, where there is as much, and that it should have."""

_GROWTH = 8
_MOST_BYTES = 2**26  # of lines that come back at once
_MOST_SETS = 2**16
_BAR = 30e-9 if ENGINE == "numba" else 30e-6  # seconds, of a bar of one asset, before anything is known


class Pace:
    """The size of pieces, by what the last ones took.

    Parameters
    ----------
    bars : bars times assets
    compiled : whether the strategy is; nothing is known of the time that any other takes
    """

    def __init__(self, bars: int, compiled: bool) -> None:
        self._seconds: float | None = bars * _BAR if compiled else None

    def size(self, left: int, workers: int, line: int) -> int:
        """Sets of the next piece, of so many that are left, for so many workers; `line` bytes come back of each."""
        most = max(1, min(left, _MOST_SETS, _MOST_BYTES // line))
        if self._seconds is None:
            return min(most, 4, max(1, left // (4 * workers)))
        usual = max(1, int(USUAL / self._seconds))
        least = max(1, int(LEAST / self._seconds))
        share = -(-left // (2 * workers))  # towards the end, smaller ones
        return min(most, max(min(usual, share), least))

    def learn(self, sets: int, seconds: float) -> None:
        """What a piece took; a first one that had to compile or load something does not make the next ones small for long."""
        found = max(seconds, 1e-6) / sets
        if self._seconds is None:
            self._seconds = max(found, USUAL / (_GROWTH * sets))
        else:
            self._seconds = min(max(found, self._seconds / _GROWTH), self._seconds * _GROWTH)
