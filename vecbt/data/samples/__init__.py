"""Real prices that come with the package. Their source, licence and known defects are in `SOURCE.md` beside the files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..._typing import ArrayTN, IndexT
from ...errors import ConfigError, nearest
from ..actions import implied_actions
from ..bars import Bars
from ..calendar import resolve
from ..labels import label_text
from ..market import Market, check_symbols
from ..quality import FIELDS

__all__ = ["load", "names"]

_FOLDER = Path(__file__).resolve().parent
_SYMBOLS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
_ADJUSTED = "prices are scaled by adj_close/close (splits, dividends), volumes by its inverse: close * volume stays the money traded"


def names() -> tuple[str, ...]:
    """The samples that come with the package."""
    return ("us_daily",)


def load(name: str = "us_daily", symbols: str | Iterable[str] | None = None, adjusted: bool = True) -> Bars:
    """A sample of real prices.

    Parameters
    ----------
    name : "us_daily": AAPL, FB, GOOG, IBM, MSFT, daily, 2000-03-01 .. 2013-03-01 (GOOG from 2004-08-19, FB from 2012-05-18, NaN before)
    symbols : which of them, in this order; None = all
    adjusted : True scales OHLC by adj_close/close; False gives the raw prices with the `splits` and `dividends` the factors imply

    Public domain (Quandl WIKI prices). Raises ConfigError for an unknown name or symbol.
    """
    if name not in names():
        raise ConfigError(f"name is {name!r}, which is no sample; {nearest(str(name), names())}")
    wanted = _SYMBOLS if symbols is None else check_symbols((symbols,) if isinstance(symbols, str) else symbols)
    for symbol in wanted:
        if symbol not in _SYMBOLS:
            raise ConfigError(f"{symbol!r} is no symbol of the sample {name}; {nearest(symbol, _SYMBOLS)}")
    index, block, adj_close = _read(wanted)
    splits = dividends = None
    notes: list[str] = [f"sample {name}: Quandl WIKI prices, public domain"]
    if adjusted:
        factor = adj_close / block[3]
        block[:4] *= factor  # multiplying by one positive number keeps high >= open, close >= low exactly
        block[4] /= factor
        notes.append(_ADJUSTED)
    else:
        splits, dividends, found = _actions(index, block[3], adj_close, wanted)
        notes += found
    keep = slice(int(np.flatnonzero(~np.isnan(block[3]).all(axis=1))[0]), None)  # symbols that start late: no bars before the first of them
    market, how = _market(wanted, index)
    return Bars._trusted(
        block[:, keep],
        index[keep],
        market,
        source=how,
        splits=None if splits is None else splits[keep],
        dividends=None if dividends is None else dividends[keep],
        notes=tuple(notes),
    )


def _market(symbols: tuple[str, ...], index: IndexT) -> tuple[Market, str]:
    """Bars a year come from the index of the whole sample, so they do not depend on which packages are installed."""
    seen, how = resolve(index, Market(symbols=symbols, time_zone="America/New_York"))
    return Market(**{**seen.to_dict(), "calendar": "XNYS"}), how


def _read(symbols: tuple[str, ...]) -> tuple[IndexT, ArrayTN, ArrayTN]:
    """Labels (T,), prices (5, T, N) and adjusted closes (T, N) of the whole range; NaN where a symbol has no bar."""
    import polars as pl

    frame = pl.read_parquet(_FOLDER / "us_daily.parquet", use_pyarrow=False).with_columns(pl.col("symbol").cast(pl.String))
    index = frame["date"].unique().sort().dt.timestamp("ns").to_numpy().astype(np.int64)
    block = np.full((5, len(index), len(symbols)), np.nan)
    adj_close = np.full((len(index), len(symbols)), np.nan)
    for k, symbol in enumerate(symbols):
        part = frame.filter(pl.col("symbol") == symbol).sort("date")
        rows = np.searchsorted(index, part["date"].dt.timestamp("ns").to_numpy())
        for field, column in enumerate(FIELDS):
            block[field, rows, k] = part[column].cast(pl.Float64).to_numpy()
        adj_close[rows, k] = part["adj_close"].to_numpy()
    return index, block, adj_close


def _actions(index: IndexT, close: ArrayTN, adj_close: ArrayTN, symbols: tuple[str, ...]) -> tuple[ArrayTN, ArrayTN, list[str]]:
    """Splits and dividends (T, N), NaN = none, and a sentence for each split and for the dividends of each asset."""
    splits = np.full(close.shape, np.nan)
    dividends = np.full(close.shape, np.nan)
    notes = ["prices are raw; splits and dividends are those that adj_close/close implies"]
    for k, symbol in enumerate(symbols):
        rows = np.flatnonzero(~np.isnan(close[:, k]))
        splits[rows, k], dividends[rows, k] = implied_actions(close[rows, k], adj_close[rows, k])
        for t in np.flatnonzero(~np.isnan(splits[:, k])):
            notes.append(f"{symbol}: split {splits[t, k]:g} for 1 on {label_text(int(index[t]))}")
        paid = np.flatnonzero(~np.isnan(dividends[:, k]))
        if len(paid):
            first, last = label_text(int(index[paid[0]])), label_text(int(index[paid[-1]]))
            notes.append(f"{symbol}: {len(paid)} cash dividends, {first} .. {last}, {np.nansum(dividends[:, k]):.2f} in sum")
    return splits, dividends, notes
