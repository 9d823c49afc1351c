"""Return metrics of the last `window` bars at each bar: those of that stretch alone, by the same step, to the last bit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._typing import ArrayN, ArrayTG, Records
from ..core.jit import kernel_loop
from ..core.state import records
from ..indicators.shape import readonly
from .returns import RETURNS_METRICS, RETURNS_STATE, performance_next, performance_start, returns_metrics, returns_store

__all__ = ["rolling_of", "rolling_run"]


@kernel_loop
def rolling_run(states, params, equity, initial, returns, window, out):  # type: ignore[no-untyped-def]
    """All windows of all columns: `equity` and its simple `returns` are `(T, C)`, `initial` `(C,)`, `out` `(T, C)` records.

    A window starts at the equity before its first bar, which is its first peak. The first `window - 1` bars have none.
    """
    bars, mar, none = equity.shape[0], params[0].mar, math.nan
    for column in range(equity.shape[1]):
        state = states[column]
        for t in range(min(window - 1, bars)):
            state.initial = none
            returns_store(state, performance_start(none))
            returns_metrics(state, params[0], out[t, column])
        for t in range(window - 1, bars):
            first = t - window + 1
            state.initial = equity[first - 1, column] if first > 0 else initial[column]
            now = performance_start(state.initial)
            for bar in range(first, t + 1):
                now = performance_next(now, mar, equity[bar, column], returns[bar, column])
            returns_store(state, now)
            returns_metrics(state, params[0], out[t, column])


def rolling_of(equity: ArrayTG, initial: ArrayN, returns: ArrayTG, params: Records, window: int) -> Any:
    """Metrics of each window, `(T, C)` records of `RETURNS_METRICS`; arrays that passed the gate.

    All is NaN in the first `window - 1` bars, and where the window has a NaN or begins at an equity of zero or less.
    """
    bars, columns = equity.shape
    out: Any = records(RETURNS_METRICS, bars * columns).reshape(bars, columns)
    given = [readonly(np.ascontiguousarray(array)) for array in (equity, initial, returns)]
    rolling_run(records(RETURNS_STATE, columns), params, given[0], given[1], given[2], int(window), out)
    return out
