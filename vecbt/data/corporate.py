"""Splits and dividends as they are booked (T1), and the prices strategies read (T9): raw ones times the splits so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayN, ArrayTN, Records
from ..core.jit import kernel, kernel_loop
from ..core.state import records

if TYPE_CHECKING:
    from .bars import Bars

__all__ = ["ACTION_STATE", "Actions", "actions_in", "actions_of", "actions_run", "actions_state", "as_read"]

ACTION_STATE = np.dtype([("split", "f8"), ("dividend", "f8"), ("scale", "f8")], align=True)
"""What waits for a market (ratio, cash per unit of today), and `A`, the product of the ratios booked."""


def actions_state(assets: int) -> Records:
    """The state before the first bar."""
    out = records(ACTION_STATE, assets)
    out.split[:] = 1.0
    out.scale[:] = 1.0
    return out


@kernel
def _book(state, meets, split, dividend):  # type: ignore[no-untyped-def]
    """One bar of one asset: what waits is booked once it meets a market. Returns ratio (1: none) and cash per unit."""
    if split > 0.0:
        state.split *= split
        state.dividend /= split  # what waits is per unit of before
    if dividend > 0.0:
        state.dividend += dividend
    if not meets:
        return 1.0, 0.0
    ratio, amount = state.split, state.dividend
    state.split = 1.0
    state.dividend = 0.0
    state.scale *= ratio
    return ratio, amount


@kernel_loop
def actions_run(states, meets, splits, dividends, ratio, amount, scale):  # type: ignore[no-untyped-def]
    """Bars (T, N) of all assets from the given states on; the last three are filled. NaN is no event."""
    for t in range(meets.shape[0]):
        for n in range(meets.shape[1]):
            ratio[t, n], amount[t, n] = _book(states[n], meets[t, n], splits[t, n], dividends[t, n])
            scale[t, n] = states[n].scale


class Actions:
    """What is booked at each bar, (T, N) each: `split` (1 = none), `dividend` (cash per unit, 0 = none), `scale` (A, after the split)."""

    def __init__(self, split: ArrayTN, dividend: ArrayTN, scale: ArrayTN) -> None:
        self.split, self.dividend, self.scale = split, dividend, scale


def actions_of(
    states: Records, close: NDArray[Any], gone: NDArray[np.bool_], splits: ArrayTN | ArrayN | None, dividends: ArrayTN | ArrayN | None
) -> Actions:
    """Actions of bars (T, N) or of one bar (N,) from the given states on, which go on.

    Parameters
    ----------
    states : ACTION_STATE (N,)
    close : closes, NaN = no market; gone : where the asset is delisted in that bar
    splits, dividends : as in `Bars`, NaN = none; or None
    """
    shape = np.atleast_2d(close).shape
    nothing = np.full(shape, np.nan)
    out = np.empty((3, *shape))
    given = [nothing if v is None else np.ascontiguousarray(np.atleast_2d(v), dtype=np.float64) for v in (splits, dividends)]
    meets = np.atleast_2d(~np.isnan(close) | gone)
    for array in (meets, *given):
        array.flags.writeable = False  # one kind of array, one compiled kernel
    actions_run(states, meets, *given, *out)
    return Actions(*(part.reshape(np.shape(close)) for part in out))


def actions_in(bars: Bars) -> Actions | None:
    """Actions of all bars; None where there are none."""
    if bars.splits is None and bars.dividends is None:
        return None
    gone = bars.delist_bar[None, :] == np.arange(bars.T)[:, None]
    return actions_of(actions_state(bars.N), bars.close, gone, bars.splits, bars.dividends)


def as_read(bars: Bars) -> Bars:
    """The bars as strategies read them: prices times `scale`, volume divided by it; themselves where no split is in them."""
    if bars.splits is None or bars.actions is None:
        return bars
    scale = bars.actions.scale
    block = np.empty((5, bars.T, bars.N))
    block[:4] = bars.block[:4] * scale
    block[4] = bars.block[4] / scale
    return type(bars)._trusted(
        block,
        bars.index,
        bars.market,
        source=bars.periods_per_year_source,
        has_volume=bars.has_volume,
        funding=bars.funding,
        delist_bar=bars.delist_bar,
        delist_haircut=bars.delist_haircut,
    )
