"""What a member of a composite stands for at a bar: the side its booleans hold, or the last strength it gave.

A row of strengths may say nothing (NaN), and a row of signals says only what changes. A composite needs to know what each member
would hold now, so entries and exits become the side they leave behind, by the engine's own rules (S2): an entry in a side takes it,
an exit of the side held leaves it, entries of both sides at once or an entry with the exit of its own side change nothing, and a bar
without a market changes nothing.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayTN
from ..core.codes import InputKind
from ..core.jit import kernel, kernel_loop
from ..engine.inputs import AlignedInputs
from ..errors import ConfigError

__all__ = ["Standing", "side_after", "side_run", "stand_run"]

_UNKNOWN = -1


@kernel
def side_after(held, flags):  # type: ignore[no-untyped-def]
    """The side held (1, -1, 0) after flags 1 enter long, 2 exit long, 4 enter short, 8 exit short."""
    longs, shorts = flags & 3, flags & 12
    if longs == 1 and shorts == 4:
        return held
    if longs == 1:
        return 1.0
    if shorts == 4:
        return -1.0
    if (longs == 2 and held > 0.0) or (shorts == 8 and held < 0.0):
        return 0.0
    return held


@kernel_loop
def side_run(last, flags, close, out):  # type: ignore[no-untyped-def]
    """Sides (T, N) from flags (T, N); `last` (N,) goes on, NaN in it is flat."""
    for t in range(flags.shape[0]):
        for n in range(flags.shape[1]):
            held = 0.0 if last[n] != last[n] else last[n]
            last[n] = side_after(held, flags[t, n]) if close[t, n] == close[t, n] else held
            out[t, n] = last[n]


@kernel_loop
def stand_run(last, values, close, out):  # type: ignore[no-untyped-def]
    """Strengths (T, N), each kept until another comes; `last` (N,) goes on, NaN before the first."""
    for t in range(values.shape[0]):
        for n in range(values.shape[1]):
            value = values[t, n] if close[t, n] == close[t, n] else math.nan
            if value == value:
                last[n] = value
            out[t, n] = last[n]


class Standing:
    """The standing of M members in N assets, and which kind of input each gives. Its `parts` are all its state."""

    def __init__(self, names: tuple[str, ...], assets: int) -> None:
        self._names = names
        self._last = np.full((len(names), assets), np.nan)
        self.kinds = np.full(len(names), _UNKNOWN, dtype=np.int64)

    @property
    def parts(self) -> list[NDArray[np.generic]]:
        """All that changes from bar to bar."""
        return [self._last, self.kinds]

    @property
    def booleans(self) -> NDArray[np.bool_]:
        """Which members give booleans: a side, and no word on how sure they are; (M,)."""
        return np.equal(self.kinds, int(InputKind.SIGNALS))

    def take(self, m: int, rows: AlignedInputs, close: ArrayTN, out: ArrayTN) -> None:
        """What member `m` stands for after each of its rows (L, N), into `out`."""
        if rows.kind not in (InputKind.SIGNALS, InputKind.STRENGTHS):
            found = rows.kind.name.lower()
            raise ConfigError(f"member {self._names[m]!r} gives {found}; expected signals or strengths: {found} are amounts, not opinions")
        if self.kinds[m] not in (_UNKNOWN, int(rows.kind)):
            before = InputKind(int(self.kinds[m])).name.lower()
            raise ConfigError(f"member {self._names[m]!r} gave {rows.kind.name.lower()} after {before}; expected one kind")
        self.kinds[m] = int(rows.kind)
        if rows.values is None:
            side_run(self._last[m], rows.flags, close, out)
        else:
            stand_run(self._last[m], rows.values, close, out)
