"""What was held: positions rebuilt from fills, their value at the mark, gross and net exposure."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._typing import ArrayN, ArrayTG, ArrayTN, Records
from ..core.jit import kernel, kernel_loop
from ..indicators.shape import readonly

__all__ = ["exposures", "held_quantity", "marks", "position_values", "positions", "positions_run"]

_ROUNDING = 1e-9  # what is left below this part of a fill is rounding: the fill closed the position


@kernel
def held_quantity(held, q):  # type: ignore[no-untyped-def]
    """The position after a fill of signed quantity `q`; a rest below 1e-9 of the fill is flat."""
    after = held + q
    if abs(after) <= _ROUNDING * abs(q):
        return 0.0
    return after


@kernel_loop
def positions_run(fills, start, out):  # type: ignore[no-untyped-def]
    """Signed quantity at each close, `(T, N)`, from fills in time order and the quantities held before the first bar, `(N,)`."""
    bars, assets = out.shape
    k = 0
    for t in range(bars):
        for asset in range(assets):
            out[t, asset] = out[t - 1, asset] if t > 0 else start[asset]
        while k < fills.shape[0] and fills[k].t <= t:
            out[t, fills[k].asset] = held_quantity(out[t, fills[k].asset], fills[k].q)
            k += 1


def positions(fills: Records, start: ArrayN, bars: int) -> ArrayTN:
    """Signed quantity held at each close, `(bars, N)`.

    Parameters
    ----------
    fills : records with `t`, `asset` and `q`, in time order
        The fill log.
    start : array, shape (N,)
        Signed quantities held before the first bar.
    bars : int
        Number of bars.

    Notes
    -----
    Flat is exactly 0. Elsewhere the last bits may differ from the engine's, whose flip books a closing and an opening part (F6).
    """
    out = np.empty((bars, start.shape[0]))
    positions_run(readonly(fills), readonly(np.ascontiguousarray(start, dtype=np.float64)), out)
    return out


def marks(close: ArrayTN, start: ArrayN) -> ArrayTN:
    """The last valid close at each bar, `(T, N)`: a NaN close repeats the one before, before the first it is `start` `(N,)`."""
    if not np.isnan(close).any():
        return close
    rows = np.where(np.isnan(close), -1, np.arange(close.shape[0])[:, None])
    last = np.maximum.accumulate(rows, axis=0)
    filled = np.take_along_axis(close, np.maximum(last, 0), axis=0)
    return np.where(last < 0, start, filled)


def position_values(held: ArrayTN, mark: ArrayTN, multiplier: ArrayN) -> ArrayTN:
    """Signed value of each position at its mark, money, `(T, N)`; 0 where nothing is held, whatever the mark."""
    return np.where(held == 0.0, 0.0, held * mark * multiplier)


def exposures(values: ArrayTN, equity: ArrayTG) -> tuple[ArrayTG, ArrayTG]:
    """Gross and net exposure as fractions of equity, `(T, G)` each.

    `values` are signed position values `(T, N)`; with one account they are summed over assets, else each asset is its own account.
    NaN where equity is not positive.
    """
    shared = equity.shape[1] == 1
    gross: Any = np.abs(values).sum(axis=1, keepdims=True) if shared else np.abs(values)
    net: Any = values.sum(axis=1, keepdims=True) if shared else values
    base = np.where(equity > 0.0, equity, np.nan)
    return gross / base, net / base
