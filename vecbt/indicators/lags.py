"""What was some bars ago, and how many bars ago something was. Only present bars count: a missing value is a bar without a market."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._typing import ArrayTN, Records
from ..core.jit import borrowed, kernel_loop, spine
from ..core.kernel import Kernel, whole
from ..core.state import records
from .compute import compute

__all__ = ["BARS_SINCE", "LAG", "bars_since", "lag", "lag_init", "lag_run", "lag_step", "since_init", "since_run", "since_step"]

LAG_PARAMS = np.dtype([("bars", "i8")], align=True)
LAG_STATE = np.dtype([("head", "i8"), ("count", "i8")], align=True)


def lag_init(assets: int, bars: int) -> tuple[Records, ArrayTN, Records]:
    """States, buffers, parameters: LAG_STATE (N,), float64 (N, bars), LAG_PARAMS (1,)."""
    params = records(LAG_PARAMS, 1)
    params.bars[0] = bars
    return records(LAG_STATE, assets), np.full((assets, bars), math.nan), params


@spine
def lag_step(state, buffer, params, value):  # type: ignore[no-untyped-def]
    """One bar of one asset: the value of `bars` present bars ago, NaN where there is none yet and on a missing value."""
    if value != value:
        return math.nan
    before = buffer[state.head]
    buffer[state.head] = value
    state.head = state.head + 1 if state.head + 1 < params.bars else 0
    return before


@kernel_loop
def lag_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    values = rows[0]
    for t in range(values.shape[0]):
        for n in range(values.shape[1]):
            out[t, n] = lag_step(states[n], borrowed(buffers[n]), params[0], values[t, n])


def lag(values: Any, bars: int = 1) -> Any:
    """The value of `bars` present bars ago: 1 is the one before.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, or Bars (their closes).
        NaN is a bar without a market; infinite values are refused.
    bars : how far back, at least 1.

    Returns
    -------
    The type that came in ((T, N) array for Bars), in its unit: NaN before there are so many values and on missing bars.

    Raises
    ------
    ConfigError for bars that are no whole number of at least 1; InputError for values that are not numbers.
    """
    return compute(LAG, (values,), bars)


LAG = Kernel(
    name="lag", parameters=(whole("bars", 1),), params=LAG_PARAMS, state=LAG_STATE, init=lag_init, step=lag_step, run=lag_run,
    function=lag, warmup=lambda bars: bars,
)  # fmt: skip

SINCE_PARAMS = np.dtype([("unused", "i8")], align=True)
SINCE_STATE = np.dtype([("age", "f8")], align=True)


def since_init(assets: int) -> tuple[Records, ArrayTN, Records]:
    """States, no buffers, parameters: SINCE_STATE (N,), (N, 0), SINCE_PARAMS (1,)."""
    states = records(SINCE_STATE, assets)
    states.age[:] = math.nan
    return states, np.zeros((assets, 0)), records(SINCE_PARAMS, 1)


@spine
def since_step(state, buffer, params, value):  # type: ignore[no-untyped-def]
    """One bar of one asset: the age of the last value that is not 0, NaN before the first and on a missing one."""
    if value != value:
        return math.nan
    state.age = state.age + 1.0 if value == 0.0 else 0.0
    return state.age


@kernel_loop
def since_run(states, buffers, params, rows, out):  # type: ignore[no-untyped-def]
    """All bars (T, N) of all assets, from the given states on."""
    values = rows[0]
    for t in range(values.shape[0]):
        for n in range(values.shape[1]):
            out[t, n] = since_step(states[n], buffers[n], params[0], values[t, n])


def bars_since(values: Any) -> Any:
    """Present bars since the last value that is not 0, such as a True of a condition: 0 on its own bar.

    Parameters
    ----------
    values : (T,) or (T, N) array, pandas or polars Series or DataFrame, of numbers or booleans.
        NaN is a bar without a market, which does not count; infinite values are refused.

    Returns
    -------
    The type that came in: whole numbers of bars as floats, NaN before the first such value and on missing bars.

    Raises
    ------
    InputError for values that are not numbers.
    """
    return compute(BARS_SINCE, (values,))


BARS_SINCE = Kernel(
    name="bars_since", parameters=(), params=SINCE_PARAMS, state=SINCE_STATE, init=since_init, step=since_step, run=since_run,
    function=bars_since,
)  # fmt: skip
