"""What was held: positions rebuilt from fills, their value at the mark, gross and net exposure.

Nothing changes between two fills, so loops go from one bar on which something happens to the next.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .._typing import ArrayN, ArrayTG, ArrayTN, Records
from ..core import memory
from ..core.jit import borrowed, kernel, kernel_loop, spine
from ..indicators.shape import readonly

__all__ = [
    "Holdings",
    "change_held",
    "exposures",
    "exposures_run",
    "held_quantity",
    "holdings",
    "lent",
    "next_change",
    "position_value",
    "position_values",
    "positions",
    "positions_run",
]

_ROUNDING = 1e-9  # what is left below this part of a fill is rounding: the fill closed the position


class Holdings(NamedTuple):
    """All that positions follow from; made by `holdings`."""

    fills: Records
    quantity: ArrayN
    price: ArrayN
    close: ArrayTN
    multiplier: ArrayN
    splits: ArrayTN


def holdings(
    fills: Records, quantity: ArrayN, price: ArrayN, close: ArrayTN, multiplier: ArrayN, splits: ArrayTN | None = None
) -> Holdings:
    """What positions follow from, as kernels take it: read-only and in C order.

    Parameters
    ----------
    fills : records with `t`, `asset`, `account`, `q`, `price`, `commission` and `slippage`, in time order
    quantity, price : (N,), signed quantities held before the first bar and their mark
    close : (T, N), NaN where there is no market
    multiplier : (N,)
    splits : (T, N) ratios booked at each bar before its fills (T1), 1 where there is none; None when no asset ever splits
    """
    log = fills.view()
    log.flags.writeable = False
    given = (quantity, price, close, multiplier, np.empty((0, 0)) if splits is None else splits)
    rows = [readonly(np.ascontiguousarray(row, dtype=np.float64)) for row in given]
    return Holdings(log, rows[0], rows[1], rows[2], rows[3], rows[4])


@kernel
def lent(given):  # type: ignore[no-untyped-def]
    """The same without reference counts, for a loop that hands it on at each bar."""
    return Holdings(
        borrowed(given.fills),
        borrowed(given.quantity),
        borrowed(given.price),
        borrowed(given.close),
        borrowed(given.multiplier),
        borrowed(given.splits),
    )


@kernel
def held_quantity(held, q):  # type: ignore[no-untyped-def]
    """The position after a fill of signed quantity `q`; a rest below 1e-9 of the fill is flat."""
    after = held + q
    if abs(after) <= _ROUNDING * abs(q):
        return 0.0
    return after


@kernel
def change_held(given, held, k, t):  # type: ignore[no-untyped-def]
    """Splits and fills of bar `t`, from fill `k` on, into the quantities held (N,); the number of the first fill after it."""
    if given.splits.shape[0] > 0:
        for n in range(held.shape[0]):
            held[n] *= given.splits[t, n]
    fills = given.fills
    while k < fills.shape[0] and fills[k].t <= t:
        n = fills[k].asset
        held[n] = held_quantity(held[n], fills[k].q)
        k += 1
    return k


@kernel
def next_change(given, k, t):  # type: ignore[no-untyped-def]
    """The first bar after `t` on which what is held may change; the number of bars when there is none."""
    if given.splits.shape[0] > 0:
        return t + 1
    bars = given.close.shape[0]
    if k < given.fills.shape[0]:
        return min(given.fills[k].t, bars)
    return bars


@kernel_loop
def positions_run(given, held, out):  # type: ignore[no-untyped-def]
    """Signed quantity at each close `(T, N)` into `out`; `held` `(N,)` is what was held before the first bar, and goes on."""
    bars, assets = out.shape
    given, held = lent(given), borrowed(held)
    t, k = 0, 0
    while t < bars:
        k = change_held(given, held, k, t)
        past = next_change(given, k, t)
        if assets == 1:  # a plain fill, which is written many places at a time
            q = held[0]
            for bar in range(t, past):
                out[bar, 0] = q
        else:
            for bar in range(t, past):
                for n in range(assets):
                    out[bar, n] = held[n]
        t = past


def positions(given: Holdings) -> ArrayTN:
    """Signed quantity held at each close, `(T, N)`.

    Flat is exactly 0. Elsewhere the last bits may differ from the engine's, whose flip books a closing and an opening part (F6).
    """
    out = memory.empty(given.close.shape)
    positions_run(given, given.quantity.copy(), out)
    return out


@kernel
def position_value(q, mark, multiplier):  # type: ignore[no-untyped-def]
    """Signed value of a position at its mark, money; 0 where nothing is held, whatever the mark."""
    if q == 0.0:
        return 0.0
    return q * mark * multiplier


def position_values(held: ArrayN, mark: ArrayN, multiplier: ArrayN) -> ArrayN:
    """`position_value` of several positions, `(N,)`."""
    return np.where(held == 0.0, 0.0, held * mark * multiplier)


@spine
def _write(gross, net, equity, out, t, g):  # type: ignore[no-untyped-def]
    """Both as fractions of equity; NaN where that is not positive."""
    if not equity > 0.0:
        out[0, t, g] = math.nan
        out[1, t, g] = math.nan
        return
    share = gross / equity if gross != 0.0 else 0.0
    out[0, t, g] = share
    if net == gross:
        out[1, t, g] = share
    elif net == -gross:
        out[1, t, g] = -share
    else:
        out[1, t, g] = net / equity


@spine
def _expose(given, held, mark, equity, out, t):  # type: ignore[no-untyped-def]
    """One bar of all assets: marks go on, values are added up by account."""
    shared = equity.shape[1] == 1
    gross, net = 0.0, 0.0
    for n in range(held.shape[0]):
        close = given.close[t, n]
        if close == close:
            mark[n] = close
        value = position_value(held[n], mark[n], given.multiplier[n])
        gross += abs(value)
        net += value
        if not shared:
            _write(abs(value), value, equity[t, n], out, t, n)
    if shared:
        _write(gross, net, equity[t, 0], out, t, 0)


@kernel
def _is_flat(held):  # type: ignore[no-untyped-def]
    for n in range(held.shape[0]):
        if held[n] != 0.0:
            return False
    return True


@kernel
def _expose_nothing(equity, out, first, past):  # type: ignore[no-untyped-def]
    """The bars `first` to `past - 1` of accounts that hold nothing."""
    for t in range(first, past):
        for g in range(equity.shape[1]):
            share = 0.0 if equity[t, g] > 0.0 else math.nan
            out[0, t, g] = share
            out[1, t, g] = share


@kernel_loop
def exposures_run(given, held, mark, equity, out):  # type: ignore[no-untyped-def]
    """Gross and net exposure `(2, T, G)` into `out`; `held` and `mark` `(N,)` are those before the first bar, and go on."""
    bars = out.shape[1]
    given, held, mark, equity, out = lent(given), borrowed(held), borrowed(mark), borrowed(equity), borrowed(out)
    t, k = 0, 0
    while t < bars:
        k = change_held(given, held, k, t)
        past = next_change(given, k, t)
        if _is_flat(held):  # marks are not needed: what is bought has a close at that bar
            _expose_nothing(equity, out, t, past)
        else:
            for bar in range(t, past):
                _expose(given, held, mark, equity, out, bar)
        t = past


def exposures(given: Holdings, equity: ArrayTG) -> ArrayTG:
    """Gross and net exposure as fractions of equity `(T, G)`: `(2, T, G)`, first gross, then net.

    Positions are valued at their mark, the last valid close. With one account they are added up over assets, else each asset is
    its own account. NaN where equity is not positive.
    """
    out = memory.empty((2, *equity.shape))
    exposures_run(given, given.quantity.copy(), given.price.copy(), readonly(np.ascontiguousarray(equity)), out)
    return out
