"""One bar as a stream gets it, and the same checks at the door as for a table (B1)."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._typing import ArrayN, ArrayTN
from ..errors import DataError
from .labels import label_text, time_label
from .market import Market
from .quality import FIELDS, Cell, Table, check_table, refuse
from .touch import numbers

__all__ = ["Bar", "NormalBar"]

_write = struct.Struct("=5d").pack_into


@dataclass(frozen=True)
class NormalBar:
    """A bar past the door: plain numbers of known shape.

    time : int, ns UTC; prices : float64 (5, N) open, high, low, close, volume (NaN without), NaN column = no market;
    splits, dividends, funding : float64 (N,) or None; delisted : float64 (N,) haircuts, NaN = not delisted, or None.
    """

    time: int
    prices: ArrayTN
    splits: ArrayN | None = None
    dividends: ArrayN | None = None
    funding: ArrayN | None = None
    delisted: ArrayN | None = None

    def _field(self, k: int) -> ArrayN:
        field: ArrayN = self.prices[k]
        return field

    @property
    def open(self) -> ArrayN:
        """float64 (N,)."""
        return self._field(0)

    @property
    def high(self) -> ArrayN:
        """float64 (N,)."""
        return self._field(1)

    @property
    def low(self) -> ArrayN:
        """float64 (N,)."""
        return self._field(2)

    @property
    def close(self) -> ArrayN:
        """float64 (N,)."""
        return self._field(3)

    @property
    def volume(self) -> ArrayN:
        """float64 (N,), NaN where there is none."""
        return self._field(4)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of all assets.

    Parameters
    ----------
    time : start of the bar; int (ns UTC), datetime, pandas Timestamp, datetime64 or ISO 8601 text; naive ones as in `Bars` (B2)
    open, high, low, close, volume : a number where there is one asset, else (N,) rows; NaN in all of them is a bar without a market
    splits, dividends, funding : (N,) rows or numbers, NaN = none; None = none at all
    delisted : (N,) haircuts of assets closed at the end of this bar, NaN = not delisted; None = none at all
    """

    time: Any
    open: Any
    high: Any
    low: Any
    close: Any
    volume: Any = None
    splits: Any = None
    dividends: Any = None
    funding: Any = None
    delisted: Any = None

    def normalized(self, market: Market) -> NormalBar:
        """The bar as plain numbers, checked by the rules of a table (B1). DataError names the asset and the column."""
        if market.N == 1:
            one = np.empty((5, 1))
            if self.write_into(one.data.cast("B")):
                one.flags.writeable = False
                return NormalBar(self.time, one)
        label = time_label(self.time, "the time of the bar", zone=market.time_zone, bar_ns=market.bar_ns)
        prices = np.full((5, market.N), np.nan)
        cells: list[Cell] = []
        for field, name in enumerate(FIELDS):
            value = getattr(self, name)
            if value is not None:
                prices[field] = self._row(value, name, field, label, market, cells)
        self._check(prices, cells, label, market)
        prices[4, np.isnan(prices[3])] = np.nan
        prices += 0.0  # one way to write zero, as in a table
        prices.flags.writeable = False
        return NormalBar(
            label,
            prices,
            self._event("splits", label, market),
            self._event("dividends", label, market),
            self._event("funding", label, market),
            self._event("delisted", label, market),
        )

    def write_into(self, memory: memoryview) -> bool:
        """Write open, high, low, close and volume (NaN without), five doubles, where that is all that a bar of one asset needs.

        That is so for floats of a usual bar: all prices above 0, a market, no events, an int label. False for any other bar, good or not:
        nothing is written, and `normalized` decides.
        """
        o, h, l, c, v = self.open, self.high, self.low, self.close, self.volume  # noqa: E741 - the names of the contract
        if v is None:
            v = math.nan
        elif type(v) is not float or not 0.0 <= v < math.inf:
            return False
        if not (type(o) is type(h) is type(l) is type(c) is float and 0.0 < l <= o <= h < math.inf and l <= c <= h):
            return False
        if type(self.time) is not int or not (self.splits is self.dividends is self.funding is self.delisted is None):
            return False
        _write(memory, 0, o, h, l, c, v + 0.0)  # one way to write zero, as in a table
        return True

    def _row(self, value: Any, name: str, field: int, label: int, market: Market, cells: list[Cell]) -> ArrayN:
        if type(value) is float and market.N == 1:
            return np.array([value])
        if type(value) is np.ndarray and value.dtype == np.float64 and value.shape == (market.N,):
            return value.copy()
        row, faults = numbers(value if np.ndim(value) else [value])
        if row.shape != (market.N,):
            raise DataError(f"bar {label_text(label)}: {name} has {row.size} values; expected {market.N}, one per symbol")
        cells += [Cell(0, f.row, field, f.value, f.kind) for f in faults]
        return row

    def _check(self, prices: ArrayTN, cells: list[Cell], label: int, market: Market) -> None:
        o, h, l, c = prices[:4]  # noqa: E741 - the names of the contract
        good = (h >= o) & (h >= c) & (l <= o) & (l <= c) & ((l > 0.0) | market.allow_negative) & (h < np.inf) & (l > -np.inf)
        if self.volume is not None:
            good &= (prices[4] >= 0.0) & (prices[4] < np.inf)
        if cells or not good.all():  # a bar without a market is not "good" either: let the table's rules decide
            table = Table(market.symbols, np.array([label]), prices.reshape(5, 1, -1), self.volume is not None, tuple(cells))
            refuse(check_table(table, market.allow_negative, "no_market"))

    def _event(self, name: str, label: int, market: Market) -> ArrayN | None:
        value = getattr(self, name)
        if value is None:
            return None
        cells: list[Cell] = []
        row = self._row(value, name, 0, label, market, cells)
        bad = np.isinf(row) | ((row < 0.0) if name != "funding" else False) | ((row > 1.0) if name == "delisted" else False)
        if name in ("splits", "dividends"):
            row[row == 0.0] = np.nan
        if cells or bad.any():
            k = cells[0].asset if cells else int(np.flatnonzero(bad)[0])
            shown = cells[0].value if cells else float(row[k])
            raise DataError(f"{market.symbols[k]}, bar {label_text(label)}: {name} is {shown!r}, which it cannot be")
        return row
