"""Crossings of two series: the bar on which one gets to the other side of the other."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._typing import ArrayTN, Records
from ..core.jit import kernel_loop, spine
from ..core.kernel import Kernel
from ..core.state import records
from .compute import compute

__all__ = [
    "CROSSED_ABOVE", "CROSSED_BELOW", "above_run", "above_step", "below_run", "below_step", "cross_init", "cross_next", "crossed_above",
    "crossed_below",
]  # fmt: skip

CROSS_PARAMS = np.dtype([("unused", "i8")], align=True)
CROSS_STATE = np.dtype([("side", "i8")], align=True)


@spine
def cross_next(before, fast, slow, says):  # type: ignore[no-untyped-def]
    """One bar of one asset: what a cross upwards or one downwards `says`, 0 for none; the side last taken (1 above, -1 below, 0 none yet).

    A first side is no change; ties and missing values keep the side.
    """
    side = 0
    if fast > slow:
        side = 1
    if fast < slow:
        side = -1
    flags = 0
    if side > 0 and before < 0:
        flags = says[0]
    if side < 0 and before > 0:
        flags = says[1]
    return flags, side if side != 0 else before


def cross_init(assets: int) -> tuple[Records, ArrayTN, Records]:
    """States, no buffers, parameters: CROSS_STATE (N,), (N, 0), CROSS_PARAMS (1,)."""
    return records(CROSS_STATE, assets), np.zeros((assets, 0)), records(CROSS_PARAMS, 1)


@spine
def above_step(state, buffer, params, value, other):  # type: ignore[no-untyped-def]
    """One bar of one asset: 1 where the value crosses to above the other, else 0."""
    crossed, state.side = cross_next(state.side, value, other, (1, 0))
    return crossed * 1.0


@kernel_loop
def above_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    values, others = rows
    for t in range(values.shape[0]):
        for n in range(values.shape[1]):
            out[t, n] = above_step(states[n], buffers[n], params[0], values[t, n], others[t, n])


def crossed_above(values: Any, other: Any) -> Any:
    """Where the values get from below `other` to above it.

    Equal values and missing bars keep the side last taken: from below through equality to above is one cross, on the bar that is above,
    and from above to equal and up again is none. The first side is no cross.

    Parameters
    ----------
    values, other : (T,) or (T, N) arrays, pandas or polars Series or DataFrames, or Bars (their closes), of one shape and the same labels;
        `other` may be a number. NaN in either is a bar without a market; infinite values are refused.

    Returns
    -------
    The type of `values` ((T, N) array for Bars) of booleans: False on missing bars (NaN) and before there is a side.

    Raises
    ------
    InputError for series that are not numbers or do not fit each other.
    """
    return compute(CROSSED_ABOVE, (values, other))


CROSSED_ABOVE = Kernel(
    name="crossed_above", parameters=(), params=CROSS_PARAMS, state=CROSS_STATE, init=cross_init, step=above_step, run=above_run,
    function=crossed_above, inputs=("values", "other"), warmup=lambda: 1, truth=True,
)  # fmt: skip


@spine
def below_step(state, buffer, params, value, other):  # type: ignore[no-untyped-def]
    """One bar of one asset: 1 where the value crosses to below the other, else 0."""
    crossed, state.side = cross_next(state.side, value, other, (0, 1))
    return crossed * 1.0


@kernel_loop
def below_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    values, others = rows
    for t in range(values.shape[0]):
        for n in range(values.shape[1]):
            out[t, n] = below_step(states[n], buffers[n], params[0], values[t, n], others[t, n])


def crossed_below(values: Any, other: Any) -> Any:
    """Where the values get from above `other` to below it, the mirror of `crossed_above`: arguments and result as there."""
    return compute(CROSSED_BELOW, (values, other))


CROSSED_BELOW = Kernel(
    name="crossed_below", parameters=(), params=CROSS_PARAMS, state=CROSS_STATE, init=cross_init, step=below_step, run=below_run,
    function=crossed_below, inputs=("values", "other"), warmup=lambda: 1, truth=True,
)  # fmt: skip
