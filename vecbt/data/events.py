"""Dated events beside the bars: delistings (T10, F8), splits, dividends, funding. An event sits on the first bar at or after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayN, ArrayTN, IndexT
from ..errors import ConfigError, DataError, nearest
from .labels import label_text, time_label
from .market import Market
from .touch import as_matrix

__all__ = ["Events", "event_matrix", "find_delistings"]


@dataclass(frozen=True)
class Events:
    """What happens on which bar.

    splits : (T, N) ratio new per old, NaN = none; dividends : (T, N) cash per unit, NaN = none; funding : (T, N) rates; each may be None.
    delist_bar : int64 (N,) bar at whose end the asset is closed, -1 = none; delist_haircut : float64 (N,).
    """

    splits: ArrayTN | None
    dividends: ArrayTN | None
    funding: ArrayTN | None
    delist_bar: IndexT
    delist_haircut: ArrayN


def _label(value: Any, name: str, market: Market) -> int:
    return time_label(value, name, zone=market.time_zone, bar_ns=market.bar_ns)


def _bar_at(label: int, index: IndexT) -> int:
    """The first bar at or after a label; the number of bars where there is none."""
    return int(np.searchsorted(index, label, side="left"))


def _given_delisting(symbol: str, value: Any, index: IndexT, market: Market) -> tuple[int, float, int]:
    """Bar, haircut and label of one delisting as the caller wrote it."""
    when, haircut = value if isinstance(value, tuple) else (value, 0.0)
    if isinstance(haircut, bool) or not isinstance(haircut, (int, float, np.number)) or not 0.0 <= float(haircut) <= 1.0:
        raise ConfigError(f"delistings: the haircut of {symbol} is {haircut!r}; expected a fraction from 0 to 1")
    label = _label(when, f"delistings of {symbol}", market)
    if label < index[0]:
        first = label_text(int(index[0]))
        raise DataError(f"delistings: {symbol} is delisted at {label_text(label)}, before the first bar ({first}); leave the asset out")
    return min(_bar_at(label, index), len(index) - 1), float(haircut), label


def find_delistings(
    valid: NDArray[np.bool_], index: IndexT, market: Market, given: Mapping[str, Any] | None, policy: str
) -> tuple[IndexT, ArrayN, list[str]]:
    """Delistings as given, and those of assets that end before the panel (F8), with a sentence for each.

    Parameters
    ----------
    valid : bool (T, N), where an asset has a market
    given : symbol -> time, or (time, haircut)
    policy : "liquidate" dates a delisting at the bar after the last one, "hold" dates none

    Returns
    -------
    delist_bar : int64 (N,), -1 = none; delist_haircut : float64 (N,); notes
    """
    count, assets = valid.shape
    bars = np.full(assets, -1, dtype=np.int64)
    haircuts = np.zeros(assets)
    notes = []
    for symbol in given or {}:
        if symbol not in market.symbols:
            raise ConfigError(f"delistings names {symbol!r}, which is no symbol of the table; {nearest(str(symbol), market.symbols)}")
    for k, symbol in enumerate(market.symbols):
        rows = np.flatnonzero(valid[:, k])
        if given and symbol in given:
            bars[k], haircuts[k], label = _given_delisting(symbol, given[symbol], index, market)
            late = " (after the last bar)" if label > index[-1] else ""
            notes.append(
                f"{symbol}: delisted {label_text(label)}{late}, closed at the end of bar {label_text(int(index[bars[k]]))} "
                f"at the last close less {haircuts[k]:.0%}"
            )
        elif len(rows) == 0:
            notes.append(f"{symbol}: has no bar with a market")
        elif rows[-1] < count - 1:
            last, following = label_text(int(index[rows[-1]])), label_text(int(index[rows[-1] + 1]))
            if policy == "liquidate":
                bars[k] = rows[-1] + 1
                notes.append(f"{symbol}: no bar after {last}; a delisting is dated {following}, at the last close without a haircut (F8)")
            else:
                notes.append(f"{symbol}: no bar after {last}; positions stay, marked at the last close (delisting='hold')")
    return bars, haircuts, notes


def _from_mapping(value: Mapping[str, Any], name: str, index: IndexT, market: Market) -> ArrayTN:
    """Events from symbol -> {time: number}. Two on one bar: ratios multiply, amounts add."""
    out = np.full((len(index), market.N), np.nan)
    for symbol, events in value.items():
        if symbol not in market.symbols:
            raise ConfigError(f"{name} names {symbol!r}, which is no symbol of the table; {nearest(str(symbol), market.symbols)}")
        if not isinstance(events, Mapping):
            raise ConfigError(f"{name} of {symbol} is {events!r}; expected a mapping time -> number")
        k = market.symbols.index(symbol)
        for when, amount in events.items():
            number = as_matrix([amount], f"{name} of {symbol} at {when!s}", error=DataError)[0, 0]
            row = _bar_at(_label(when, f"{name} of {symbol}", market), index)
            if row == len(index):
                raise DataError(f"{name}: {symbol} has one at {when!s}, after the last bar ({label_text(int(index[-1]))}); leave it out")
            before = out[row, k]
            out[row, k] = number if np.isnan(before) else before * number if name == "splits" else before + number
    return out


def event_matrix(value: Any, name: str, index: IndexT, market: Market) -> ArrayTN | None:
    """Splits, dividends or funding as a read-only (T, N) array, or None.

    Parameters
    ----------
    value : None; a table (T, N) in the order of the bars; or a mapping symbol -> {time: number}
    name : splits (ratio new per old, > 0), dividends (cash per unit, >= 0) or funding (a rate)

    No event is NaN; 0 is read as none for splits and dividends.
    """
    if value is None:
        return None
    if isinstance(value, Mapping):
        out = _from_mapping(value, name, index, market)
    else:
        out = as_matrix(value, name, rows=len(index), columns=market.N, error=DataError)
    if name != "funding":
        out[out == 0.0] = np.nan
    bad = np.isinf(out) | ((out < 0.0) if name != "funding" else False)
    if bad.any():
        row, k = (int(x[0]) for x in np.nonzero(bad))
        wanted = {"splits": "a ratio above zero", "dividends": "an amount >= 0", "funding": "a finite rate"}[name]
        raise DataError(f"{market.symbols[k]}, row {row} ({label_text(int(index[row]))}): {name} is {out[row, k]}; expected {wanted}")
    out[np.isnan(out)] = np.nan
    out.flags.writeable = False
    return out
