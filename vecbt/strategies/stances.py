"""What a strategy that says when to trade wants to hold: its stance, from -1 (short) to 1 (long)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayN
from ..core.codes import InputKind
from ..core.jit import kernel, kernel_loop
from ..engine.inputs import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from ..errors import StrategyError
from ..indicators.shape import readonly

__all__ = ["stance_next", "stance_of", "stance_run", "strength_run"]

_LONG = ENTER_LONG | EXIT_LONG
_SHORT = ENTER_SHORT | EXIT_SHORT


@kernel
def stance_next(stance, flags):  # type: ignore[no-untyped-def]
    """The side held after a row of flags, as S2 and F11 read it: 1 long, -1 short, 0 flat.

    Entry and exit of one side together say nothing of it, and so do entries of both.
    """
    longs, shorts = flags & _LONG, flags & _SHORT
    if longs == ENTER_LONG and shorts == ENTER_SHORT:
        return stance
    if longs == ENTER_LONG:
        return 1.0
    if shorts == ENTER_SHORT:
        return -1.0
    if (longs == EXIT_LONG and stance > 0.0) or (shorts == EXIT_SHORT and stance < 0.0):
        return 0.0
    return stance


@kernel_loop
def stance_run(stance, flags, present, out):  # type: ignore[no-untyped-def]
    """All bars from the stance (1,) on, into `out` (T,); what is said on a bar without a market is not heard."""
    now = stance[0]
    for t in range(flags.shape[0]):
        if present[t]:
            now = stance_next(now, flags[t])
        out[t] = now
    stance[0] = now


@kernel_loop
def strength_run(stance, values, present, out):  # type: ignore[no-untyped-def]
    """The same for strengths: NaN changes nothing."""
    now = stance[0]
    for t in range(values.shape[0]):
        if present[t] and values[t] == values[t]:
            now = values[t]
        out[t] = now
    stance[0] = now


def stance_of(kind: InputKind, said: NDArray[Any], present: NDArray[np.bool_], stance: ArrayN, owner: str) -> ArrayN:
    """The stances (T,) from what a strategy says, flags or strengths (T,); `stance` (1,) goes on from bar to bar.

    StrategyError for weights and quantities: they say how much, which a portfolio decides itself.
    """
    if kind not in (InputKind.SIGNALS, InputKind.STRENGTHS):
        raise StrategyError(f"{owner} gives {kind.name.lower()}; members of a portfolio give Signals or Strengths")
    out = np.empty(len(said))
    run = stance_run if kind == InputKind.SIGNALS else strength_run
    run(stance, readonly(np.ascontiguousarray(said)), readonly(np.ascontiguousarray(present)), out)
    return out
