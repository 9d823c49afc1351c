"""Parameters as the step takes them, and the bars it walks over in batch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..core.jit import kernel, spine
from ..execution.costs import COST_FIELDS
from ..risk.sizing import SIZE_FIELDS

__all__ = ["RULES", "TERMS", "Rows", "load_events", "load_inputs", "load_prices", "load_volatility"]

RULES = np.dtype(
    [
        ("kind", "i8"),  # InputKind
        ("at_close", "i8"),  # T7: fill="close"
        ("longs", "i8"),  # S1: direction allows them
        ("shorts", "i8"),
        ("accumulate", "i8"),
        ("net", "i8"),  # W2
        ("band", "f8"),
        ("optimistic", "i8"),
        ("through", "i8"),
        ("leverage", "f8"),  # F4's L
        ("maintenance", "f8"),  # F13
        ("participation", "f8"),  # F7, 0: off
        ("keep_rest", "i8"),  # F7: the rest waits
        ("uses_volume", "i8"),
        ("exits_inside", "i8"),  # Z8
        ("needs_worst", "i8"),  # Z1: judged at the bar's worst prices
        *COST_FIELDS,
        *SIZE_FIELDS,
    ],
    align=True,
)
"""What every run has; stops, zones and terms are records of their own, None when off, so that being off costs nothing."""

TERMS = np.dtype(
    [
        ("interest_rate", "f8"),  # T2, a year
        ("daily_loss", "f8"),  # Z4, 0: off
        ("max_heat", "f8"),  # Z5 to Z9, inf: off
        ("max_trade_loss", "f8"),
        ("max_position", "f8"),
        ("max_position_value", "f8"),
        ("max_gross", "f8"),
        ("max_net", "f8"),
    ],
    align=True,
)
"""What an account has beyond that: actions, carry, deposits, limits."""


class Rows(NamedTuple):
    """All bars of a batch.

    `prices` (5, T, N) open high low close volume; `flags` (T, N) uint8 or `values` (T, N) float64, the other is None;
    `atr`, `sigma` (T, N), or (0, 0) when no rule needs them; `day` (T,) session dates; `time` (T,) labels; `delist_bar`,
    `haircut` (N,); `events` (3, T, N) split, dividend, funding, or (0, 0, 0); `flow` (T,) deposits, or (0,); `orders` the requests
    by bar, of which `starts[t]` to `starts[t + 1] - 1` are those of bar t, or None.
    """

    prices: np.ndarray
    flags: np.ndarray | None
    values: np.ndarray | None
    atr: np.ndarray
    sigma: np.ndarray
    day: np.ndarray
    time: np.ndarray
    delist_bar: np.ndarray
    haircut: np.ndarray
    events: np.ndarray
    flow: np.ndarray
    orders: np.ndarray | None
    starts: np.ndarray


@spine
def load_prices(assets, t, prices, delist_bar, haircut):  # type: ignore[no-untyped-def]
    """Bar `t` into the records of the assets, as a stream writes it from one bar."""
    for n in range(assets.shape[0]):
        a = assets[n]
        a.open = prices[0, t, n]
        a.high = prices[1, t, n]
        a.low = prices[2, t, n]
        a.close = prices[3, t, n]
        a.volume = prices[4, t, n]
        a.delists = 1 if delist_bar[n] == t else 0
        a.haircut = haircut[n] if delist_bar[n] == t else 0.0


@kernel
def load_volatility(assets, t, atr, sigma):  # type: ignore[no-untyped-def]
    """ATR and sigma of bar `t`, where a rule needs them."""
    for n in range(assets.shape[0]):
        if atr.shape[0] > 0:
            assets[n].bar_atr = atr[t, n]
        if sigma.shape[0] > 0:
            assets[n].bar_sigma = sigma[t, n]


@kernel
def load_events(assets, t, events):  # type: ignore[no-untyped-def]
    """Splits, dividends and funding of bar `t`, where there are any."""
    if events.shape[0] > 0:
        for n in range(assets.shape[0]):
            assets[n].split = events[0, t, n]
            assets[n].dividend = events[1, t, n]
            assets[n].funding = events[2, t, n]


@spine
def load_inputs(assets, t, flags, values):  # type: ignore[no-untyped-def]
    """The strategy's row of bar `t`."""
    if flags is not None:
        for n in range(assets.shape[0]):
            assets[n].signal = flags[t, n]
    if values is not None:
        for n in range(assets.shape[0]):
            assets[n].value = values[t, n]
