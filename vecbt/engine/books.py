"""All state of a simulation: flat records that can be named, printed, saved and compared."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .._typing import Records
from ..core.state import records, schema_hash
from ..execution.orders import ORDER_FIELDS
from ..risk.levels import LEVEL_FIELDS
from ..risk.zones import ZONE_FIELDS

__all__ = ["ACCOUNT", "ASSET", "STATE_SCHEMA", "Books", "make_books"]

ACCOUNT = np.dtype(
    [
        ("cash", "f8"),
        ("equity", "f8"),  # at the last mark
        ("initial", "f8"),
        ("realized", "f8"),  # before commission
        ("fees", "f8"),  # commission so far
        ("bar_costs", "f8"),  # commission and slippage of the fills being executed (W2 gross)
        ("weights_base", "f8"),  # equity the last row of weights was taken of (W2)
        ("bars", "i8"),  # seen so far, the number of the next one
        ("day", "i8"),  # session date of this bar
        ("next_id", "i8"),
        ("waiting", "i8"),  # orders in the queue
        *ZONE_FIELDS,
        ("peak_before", "f8"),  # the five zone fields before this bar's T6, for redoing it (T7)
        ("zone_before", "i8"),
        ("halted_before", "i8"),
        ("liquidating_before", "i8"),
        ("halted_bars_before", "i8"),
    ],
    align=True,
)

_CELL = [
    ("open", "f8"),
    ("high", "f8"),
    ("low", "f8"),
    ("close", "f8"),  # NaN: no market
    ("volume", "f8"),
    ("bar_atr", "f8"),  # of this bar; counts after it
    ("bar_sigma", "f8"),
    ("value", "f8"),  # strength, weight or quantity; NaN changes nothing
    ("signal", "i8"),  # 1 enter long, 2 exit long, 4 enter short, 8 exit short
    ("delists", "i8"),  # 1: at the end of this bar (T10)
    ("haircut", "f8"),
]

_INSTRUMENT = [("multiplier", "f8"), ("lot", "f8"), ("tick", "f8"), ("min_notional", "f8")]

_POSITION = [
    ("q", "f8"),  # signed
    ("avg", "f8"),  # average entry price (F9)
    ("mark", "f8"),  # last valid close
    ("sigma", "f8"),  # per-bar volatility up to the last bar (F1)
    *LEVEL_FIELDS,
    ("delisted", "i8"),
    ("stopped_t", "i8"),  # bar in which P closed it (P9), -1 none
    ("entry_t", "i8"),
    ("entry_day", "i8"),
]

_TRADE = [  # the one that runs
    ("entered", "f8"),
    ("entered_value", "f8"),
    ("exited", "f8"),
    ("exited_value", "f8"),
    ("gross", "f8"),
    ("commission", "f8"),
    ("worst", "f8"),
    ("best", "f8"),
    ("initial_risk", "f8"),
    ("first_stop", "f8"),
]

ASSET = np.dtype([("n", "i8"), ("g", "i8"), *_INSTRUMENT, *_CELL, *_POSITION, *_TRADE, *ORDER_FIELDS], align=True)
"""All an asset has: who it is, this bar's numbers, the position, its trade, and its one working order."""

STATE_SCHEMA = schema_hash(ACCOUNT, ASSET)
"""Names the layout of the state; a saved state of another layout is refused."""

_UNKNOWN = ("avg", "mark", "atr", "level_atr", "watermark", "trail", "stop", "target", "initial_risk", "first_stop", "worst", "best")


class Books(NamedTuple):
    """All state of a simulation. Account `g` holds the assets `spans[g]` to `spans[g + 1] - 1`."""

    accounts: Records
    assets: Records
    spans: np.ndarray


def make_books(spans: np.ndarray) -> Books:
    """Empty books: no money, no positions."""
    accounts, assets = records(ACCOUNT, len(spans) - 1), records(ASSET, int(spans[-1]))
    assets.n[:] = np.arange(len(assets))
    assets.g[:] = np.searchsorted(spans, assets.n, side="right") - 1
    assets.stopped_t[:] = -1
    for name in (*_UNKNOWN, "bar_atr", "bar_sigma", "value"):
        assets[name][:] = math.nan
    return Books(accounts, assets, spans)
