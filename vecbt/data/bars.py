"""`Bars`: prices of N assets over T bars, checked once, frozen, with what belongs to them.

The memory is one block (5, T, N): open, high, low, close, volume, each a C-ordered (T, N) matrix, time outside (ARCHITECTURE.md says why).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayN, ArrayTN, Block, IndexT, Table
from ..errors import DataError
from .bar import Bar
from .calendar import resolve, session_days
from .door import Options, Panel, assemble
from .labels import Stamps, label_text, time_label, time_labels
from .market import Market, check_symbols, fingerprint
from .repair import Repair
from .tables import Names, RawTable, from_columns, read_frame

if TYPE_CHECKING:
    from typing import Unpack

    from .corporate import Actions

__all__ = ["Bars"]


def _frozen(array: NDArray[Any] | None) -> Any:
    """A read-only view."""
    if array is None:
        return None
    view = array.view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Bars:
    """Prices of N assets over T bars. Make one with `from_pandas`, `from_polars`, `from_dict`, `from_numpy`, `read_csv` or `read_parquet`.

    Attributes
    ----------
    index : int64 (T,), start of each bar in ns UTC, strictly increasing
    market : symbols, sessions, units; `bar_ns` and `periods_per_year` are always known
    periods_per_year_source : a sentence that says how bars a year were found
    has_volume : whether there is a volume; without it `volume` is NaN
    splits, dividends, funding : (T, N) or None; NaN where nothing happens
    delist_bar : int64 (N,), bar at whose end an asset is closed (T10), -1 = none; delist_haircut : float64 (N,)
    notes : sentences about what the loader found and did
    repairs : what `repair=` changed

    A bar in which all prices of an asset are NaN has no market (F8). Arrays are read-only.
    """

    index: IndexT
    market: Market
    periods_per_year_source: str
    has_volume: bool
    splits: ArrayTN | None
    dividends: ArrayTN | None
    funding: ArrayTN | None
    delist_bar: IndexT
    delist_haircut: ArrayN
    notes: tuple[str, ...]
    repairs: tuple[Repair, ...]
    _fields: Block  # (5, T, N); each field is C-contiguous, the whole need not be (a slice of time is a view)

    def __init__(self) -> None:
        raise TypeError("use Bars.from_pandas, from_polars, from_dict, from_numpy, read_csv or read_parquet")

    # --- constructors ----------------------------------------------------------------------------------------------

    @classmethod
    def _trusted(
        cls,
        block: Block,
        index: IndexT,
        market: Market,
        *,
        source: str | None = None,
        has_volume: bool = True,
        splits: ArrayTN | None = None,
        dividends: ArrayTN | None = None,
        funding: ArrayTN | None = None,
        delist_bar: IndexT | None = None,
        delist_haircut: ArrayN | None = None,
        notes: tuple[str, ...] = (),
        repairs: tuple[Repair, ...] = (),
    ) -> Bars:
        """Bars from arrays that are known to be good: nothing is checked or copied, and the caller does not write to them again.

        block : float64 (5, T, N) whose five matrices are C-contiguous; index : int64 (T,). Missing numbers of the market are derived.
        """
        if market.bar_ns is None or market.periods_per_year is None:
            market, source = resolve(index, market)
        if not market.events and not (splits is None and dividends is None and funding is None):
            market = replace(market, events=True)
        bars = object.__new__(cls)
        values: dict[str, Any] = {
            "_fields": _frozen(block),
            "index": _frozen(index),
            "market": market,
            "periods_per_year_source": source or f"{market.periods_per_year:g} bars a year: given",
            "has_volume": has_volume,
            "splits": _frozen(splits),
            "dividends": _frozen(dividends),
            "funding": _frozen(funding),
            "delist_bar": _frozen(np.full(market.N, -1, dtype=np.int64) if delist_bar is None else delist_bar),
            "delist_haircut": _frozen(np.zeros(market.N) if delist_haircut is None else delist_haircut),
            "notes": notes,
            "repairs": repairs,
        }
        for name, value in values.items():
            object.__setattr__(bars, name, value)
        return bars

    @classmethod
    def _from_panel(cls, panel: Panel) -> Bars:
        return cls._trusted(
            panel.block,
            panel.index,
            panel.market,
            source=panel.periods_per_year_source,
            has_volume=panel.has_volume,
            notes=panel.notes,
            repairs=panel.repairs,
            **vars(panel.events),
        )

    @classmethod
    def from_numpy(
        cls,
        open: Any,
        high: Any,
        low: Any,
        close: Any,
        volume: Any = None,
        *,
        index: Any,
        symbols: Iterable[str] | None = None,
        **options: Unpack[Options],
    ) -> Bars:
        """Bars from arrays.

        Parameters
        ----------
        open, high, low, close : (T,) or (T, N); prices > 0 unless `allow_negative`; NaN in all of them = no market (`missing="no_market"`)
        volume : the same shape, >= 0, or None
        index : (T,) times: int64 ns UTC, datetime64, dates, datetimes, ISO 8601 text, or an index of pandas or polars
        symbols : N names; "asset", or "asset0", "asset1" and so on without
        options : as in `from_pandas`

        The arrays are copied. Raises DataError (rule B1) and ConfigError.
        """
        fields = {"open": open, "high": high, "low": low, "close": close}
        if volume is not None:
            fields["volume"] = volume
        names = None if symbols is None else check_symbols(symbols)
        return cls._from_panel(assemble([from_columns(fields, _stamps(index), names)], options))

    @classmethod
    def from_pandas(
        cls,
        frame: Table,
        *,
        time: str | None = None,
        symbol: str = "asset",
        symbol_column: str | None = None,
        columns: Mapping[str, str] | None = None,
        **options: Unpack[Options],
    ) -> Bars:
        """Bars from a pandas frame.

        Parameters
        ----------
        frame : one asset's OHLCV with dates as index or column; or long, with a column or index level of symbols; or wide, with two column
            levels, fields and symbols, in either order. Column names are found in any case, also as o, h, l, c, v
        time, symbol_column : names of these columns, where they are unusual
        symbol : name of the asset where the frame has one only
        columns : field -> column, for unusual names: {"close": "px_last"}
        missing : "error" refuses rows without any price, "no_market" takes them as bars without a market
        repair : one or several of "sort", "drop", "keep_first", "keep_last" (`repair.POLICIES`); `notes` and `repairs` say what they did
        delistings : symbol -> time, or (time, haircut); delisting : "liquidate" dates one for assets that end early (F8), "hold" does not
        splits, dividends, funding : (T, N) tables, or symbol -> {time: number}
        market : a `Market`; or its fields one by one: time_zone, session_start, calendar, asset_class, multiplier, lot, ...

        Naive times are UTC, or the wall clock of `time_zone` where it is given; dates stay dates (B2). Assets are aligned on the
        union of their times. Raises DataError that names row, column, value and remedy (B1), ConfigError for keywords.
        """
        return cls._from_panel(assemble(read_frame(frame, Names(time, symbol_column, columns, symbol)), options))

    @classmethod
    def from_polars(
        cls,
        frame: Table,
        *,
        time: str | None = None,
        symbol: str = "asset",
        symbol_column: str | None = None,
        columns: Mapping[str, str] | None = None,
        **options: Unpack[Options],
    ) -> Bars:
        """Bars from a polars frame, eager or lazy: one asset, or long with a column of symbols. See `from_pandas` for the rest."""
        return cls._from_panel(assemble(read_frame(frame, Names(time, symbol_column, columns, symbol)), options))

    @classmethod
    def from_dict(
        cls,
        frames: Mapping[str, Table],
        *,
        time: str | None = None,
        columns: Mapping[str, str] | None = None,
        **options: Unpack[Options],
    ) -> Bars:
        """Bars from symbol -> frame (pandas or polars, OHLCV with times), aligned on the union of their times. See `from_pandas`."""
        if not isinstance(frames, Mapping) or not frames:
            raise DataError(f"frames is {frames!r}; expected a mapping symbol -> frame with at least one asset (rule B1)")
        raw: list[RawTable] = []
        for name in check_symbols(frames):
            parts = read_frame(frames[name], Names(time, None, columns, name))
            if len(parts) != 1 or len(parts[0].symbols) != 1:
                raise DataError(f"the frame of {name} holds several assets; give one frame per symbol, or the long frame to from_pandas")
            raw.append(replace(parts[0], symbols=(name,)))
        return cls._from_panel(assemble(raw, options))

    @classmethod
    def read_csv(
        cls,
        path: Any,
        *,
        time: str | None = None,
        symbol: str = "asset",
        symbol_column: str | None = None,
        columns: Mapping[str, str] | None = None,
        **options: Unpack[Options],
    ) -> Bars:
        """Bars from a CSV file with a header, read by polars; empty cells are missing. See `from_pandas` for the rest."""
        from .files import read_csv_frame

        names = Names(time, symbol_column, columns, symbol, from_text=True)
        return cls._from_panel(assemble(read_frame(read_csv_frame(path), names), options))

    @classmethod
    def read_parquet(
        cls,
        path: Any,
        *,
        time: str | None = None,
        symbol: str = "asset",
        symbol_column: str | None = None,
        columns: Mapping[str, str] | None = None,
        **options: Unpack[Options],
    ) -> Bars:
        """Bars from a Parquet file, read by polars. See `from_pandas` for the rest."""
        from .files import read_parquet_frame

        return cls._from_panel(assemble(read_frame(read_parquet_frame(path), Names(time, symbol_column, columns, symbol)), options))

    @cached_property
    def block(self) -> Block:
        """float64 (5, T, N), C order, read-only: open, high, low, close, volume. A copy (made once) for a slice of time."""
        return self._fields if self._fields.flags.c_contiguous else _frozen(np.ascontiguousarray(self._fields))

    @cached_property
    def actions(self) -> Actions | None:
        """Splits and dividends on the bars that book them (T1), and the factor `A` (T9); None where there are none."""
        from .corporate import actions_in

        return actions_in(self)

    @cached_property
    def for_strategies(self) -> Bars:
        """The bars as strategies read them (T9): raw prices times the split ratios so far, volume divided by them."""
        from .corporate import as_read

        return as_read(self)

    def _field(self, k: int) -> ArrayTN:
        field: ArrayTN = self._fields[k]
        return field

    @property
    def open(self) -> ArrayTN:
        """float64 (T, N), NaN = no market."""
        return self._field(0)

    @property
    def high(self) -> ArrayTN:
        """float64 (T, N), NaN = no market."""
        return self._field(1)

    @property
    def low(self) -> ArrayTN:
        """float64 (T, N), NaN = no market."""
        return self._field(2)

    @property
    def close(self) -> ArrayTN:
        """float64 (T, N), NaN = no market."""
        return self._field(3)

    @property
    def volume(self) -> ArrayTN:
        """float64 (T, N), NaN = no market, or no volume at all (`has_volume`)."""
        return self._field(4)

    @property
    def times(self) -> NDArray[np.datetime64]:
        """The index as datetime64[ns] (T,), UTC."""
        times: NDArray[np.datetime64] = self.index.view("M8[ns]")
        return times

    @cached_property
    def datetime_index(self) -> Any:
        """The index as a pandas DatetimeIndex named `time`, UTC."""
        import pandas as pd

        return pd.DatetimeIndex(self.times, tz="UTC", name="time")

    @property
    def symbols(self) -> tuple[str, ...]:
        """Names of the N assets, in the order of the columns."""
        return self.market.symbols

    @property
    def periods_per_year(self) -> float:
        """Bars a year, `P`."""
        assert self.market.periods_per_year is not None  # resolved on construction
        return self.market.periods_per_year

    @property
    def T(self) -> int:
        """Number of bars."""
        return len(self.index)

    @property
    def N(self) -> int:
        """Number of assets."""
        return self.market.N

    @property
    def shape(self) -> tuple[int, int]:
        """(T, N)."""
        return self.T, self.N

    def __len__(self) -> int:
        return self.T

    @cached_property
    def session(self) -> IndexT:
        """int64 (T,): local session date of each bar, days since 1970-01-01 (B3)."""
        days: IndexT = _frozen(session_days(self.index, self.market))
        return days

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over prices, index, market and events, hexadecimal: equal for equal bars, whatever they were made from."""
        about = f"{json.dumps(self.market.to_dict(), sort_keys=True)}{self.shape} volume {self.has_volume}"
        events = (self.delist_bar, self.delist_haircut, self.splits, self.dividends, self.funding)
        return fingerprint(about, *self._fields, self.index, *events)

    def __eq__(self, other: object) -> bool:
        return self.content_hash == other.content_hash if isinstance(other, Bars) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.content_hash)

    def __repr__(self) -> str:
        shown = ", ".join(self.symbols[:6]) + (f" and {self.N - 6} more" if self.N > 6 else "")
        first, last = label_text(int(self.index[0])), label_text(int(self.index[-1]))
        gaps = int(np.isnan(self.close).sum())
        lines = [
            f"Bars: {self.T:,} bars of {self.N} asset{'s' if self.N > 1 else ''} ({shown}), {first} .. {last} (UTC)",
            f"  {self.periods_per_year_source}",
            f"  sessions in {self.market.time_zone}, {'with' if self.has_volume else 'no'} volume, {gaps:,} bars without a market",
        ]
        return "\n".join(lines + [f"  {note}" for note in self.notes[:8]] + (["  ..."] if len(self.notes) > 8 else []))

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, _frozen(value) if isinstance(value, np.ndarray) else value)

    # --- parts -----------------------------------------------------------------------------------------------------

    def row(self, t: int) -> Bar:
        """Bar `t` as a stream gets it: (N,) rows. `delisted` holds the haircuts of assets that are closed at its end."""
        t = range(self.T)[t]
        gone = self.delist_bar == t
        return Bar(
            time=int(self.index[t]),
            open=self.open[t],
            high=self.high[t],
            low=self.low[t],
            close=self.close[t],
            volume=self.volume[t] if self.has_volume else None,
            splits=None if self.splits is None else self.splits[t],
            dividends=None if self.dividends is None else self.dividends[t],
            funding=None if self.funding is None else self.funding[t],
            delisted=np.where(gone, self.delist_haircut, np.nan) if gone.any() else None,
        )

    def _position(self, value: Any, default: int) -> int:
        if value is None or (isinstance(value, (int, np.integer)) and not isinstance(value, bool)):
            return default if value is None else int(value)
        label = time_label(value, "slice", zone=self.market.time_zone, bar_ns=self.market.bar_ns)
        return int(np.searchsorted(self.index, label, side="left"))

    def positions(self, start: Any = None, stop: Any = None) -> tuple[int, int]:
        """The first bar from `start` on and the one after the last before `stop`, as `slice` takes them. DataError where no bar is left."""
        first, last, _ = slice(self._position(start, 0), self._position(stop, self.T)).indices(self.T)
        if last <= first:
            ends = " .. ".join(label_text(int(label)) for label in self.index[[0, -1]])
            raise DataError(f"no bar from {start!s} to {stop!s}; there are {self.T}, {ends}")
        return first, last

    def slice(self, start: Any = None, stop: Any = None) -> Bars:
        """Bars from `start` up to, not including, `stop`: positions (negative ones from the end) or times.

        No copy is made. The market stays that of the whole (D4). A delisting after the part is unknown to it; one before it closes the
        asset in its first bar. DataError where no bar is left.
        """
        first, last = self.positions(start, stop)
        bar = np.where(self.delist_bar >= last, -1, np.where(self.delist_bar < 0, -1, np.maximum(self.delist_bar - first, 0)))
        cut = slice(first, last)
        return Bars._trusted(
            self._fields[:, cut],
            self.index[cut],
            self.market,
            source=self.periods_per_year_source,
            has_volume=self.has_volume,
            splits=None if self.splits is None else self.splits[cut],
            dividends=None if self.dividends is None else self.dividends[cut],
            funding=None if self.funding is None else self.funding[cut],
            delist_bar=bar,
            delist_haircut=np.where(bar < 0, 0.0, self.delist_haircut),
            notes=self.notes, repairs=self.repairs,
        )

    def __getitem__(self, key: Any) -> Bars:
        if not isinstance(key, slice) or key.step not in (None, 1):
            raise TypeError(f"bars[{key!r}]: expected a slice of positions or times; for one bar bars.row(t), for assets bars.select(...)")
        return self.slice(key.start, key.stop)

    def select(self, symbols: str | Iterable[str]) -> Bars:
        """Bars of these assets, in this order; all labels stay, also those of bars in which none of them has a market."""
        market = self.market.subset((symbols,) if isinstance(symbols, str) else symbols)
        at = [self.symbols.index(name) for name in market.symbols]

        def take(table: ArrayTN | None) -> ArrayTN | None:
            return None if table is None else np.ascontiguousarray(table[:, at])

        return Bars._trusted(
            np.ascontiguousarray(self._fields[:, :, at]),
            self.index,
            market,
            source=self.periods_per_year_source,
            has_volume=self.has_volume,
            splits=take(self.splits),
            dividends=take(self.dividends),
            funding=take(self.funding),
            delist_bar=self.delist_bar[at],
            delist_haircut=self.delist_haircut[at],
            notes=self.notes, repairs=self.repairs,
        )

    def resample(self, rule: str, *, partial: bool = False) -> Bars:
        """Longer bars: "15min", "1h", "1D", "1W", "1M", "1Q", "1Y". See `vecbt.data.resample.resample`."""
        from .resample import resample

        return resample(self, rule, partial=partial)

    def to_pandas(self) -> Table:
        """A pandas frame, index in UTC; columns open .. volume where N is 1, else (field, symbol). NaN = no market."""
        from .files import to_pandas

        return to_pandas(self)

    def to_polars(self) -> Table:
        """A long polars frame: time (UTC), symbol, open, high, low, close, volume; T * N rows, NaN = no market."""
        from .files import to_polars

        return to_polars(self)


def _stamps(index: Any) -> Stamps:
    """Times of `from_numpy`: int64 is ns UTC already."""
    from .labels import read_stamps

    if isinstance(index, np.ndarray) and index.dtype.kind in "iu":
        return Stamps(time_labels(index, "index"), True, "UTC")
    if index is None:
        raise DataError("index is None; expected one time per row (rule B1)")
    return read_stamps(index, "index")
