"""What a run held and for how long, to be held at other times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...core.codes import InputKind
from ...engine.inputs import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT

if TYPE_CHECKING:
    from ...engine.run import Run

__all__ = ["Holdings"]


@dataclass(frozen=True)
class _Held:
    """Of one asset, in the order of their entries: the bar whose signal enters, the bars held, and whether it is long."""

    start: NDArray[np.int64]
    bars: NDArray[np.int64]
    long: NDArray[np.bool_]


@dataclass(frozen=True)
class Holdings:
    """Closed trades and what is still open, by asset.

    Their number, sides and lengths are kept; when they begin is drawn: their order and the gaps between them, each way of dividing the bars
    without a position being as likely as any other. A trade that begins and ends in one bar is held for one.
    """

    count: int
    held: tuple[_Held, ...]
    kind: ClassVar[InputKind] = InputKind.SIGNALS

    @classmethod
    def of(cls, run: Run) -> Holdings:
        """Those of a run."""
        lag = 0 if run.setup.fill == "close" else 1
        trades, bars = run.trades, run.bars
        parts = []
        for n in range(bars.N):
            mine = trades[trades["asset"] == n]
            start, stop, long = mine["entry_t"] - lag, mine["exit_t"] - lag, mine["side"] > 0
            last = run.assets[n]
            if last["q"] != 0.0:
                start = np.append(start, last["entry_t"] - lag)
                stop, long = np.append(stop, bars.T), np.append(long, last["q"] > 0.0)
            order = np.argsort(start, kind="stable")
            start, stop = np.maximum(start[order], 0).astype(np.int64), stop[order].astype(np.int64)
            parts.append(_Held(start, np.maximum(stop - start, 1), np.asarray(long, dtype=np.bool_)[order]))
        return cls(bars.T, tuple(parts))

    def flags(self, rng: np.random.Generator | None) -> NDArray[np.uint8]:
        """Signals (T, N) that hold them at random times, or, without `rng`, when they were held."""
        out = np.zeros((self.count, len(self.held)), dtype=np.uint8)
        for n, held in enumerate(self.held):
            if len(held.start):
                self._write(held if rng is None else self._drawn(held, rng), out[:, n])
        return out

    def _drawn(self, held: _Held, rng: np.random.Generator) -> _Held:
        order = rng.permutation(len(held.start))
        bars, long = held.bars[order], held.long[order]
        apart = 1 if self.count - int(bars.sum()) >= len(bars) else 0  # two that touch would be one, where they are of one side
        free = max(self.count - int(bars.sum()) - apart * len(bars), 0)
        gaps = np.sort(rng.choice(free + len(bars), size=len(bars), replace=False)) - np.arange(len(bars))
        start = gaps + np.concatenate([[0], np.cumsum(bars[:-1] + apart)])
        return _Held(start.astype(np.int64), bars, long)

    def _write(self, held: _Held, column: NDArray[np.uint8]) -> None:
        """An exit where the next entry is of the same bar gives way to it: it reverses, or goes on."""
        stop = held.start + held.bars
        inside = stop < self.count
        column[stop[inside]] = np.where(held.long[inside], EXIT_LONG, EXIT_SHORT)
        begins = held.start < self.count
        column[held.start[begins]] = np.where(held.long[begins], ENTER_LONG, ENTER_SHORT)
