"""Returns of any origin, read once: a result's, or those of pandas, polars and NumPy, with their times where they have any."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayN, ArrayTG, IndexT, Table
from ..data.calendar import periods_per_year as bars_a_year
from ..data.labels import label_text
from ..data.market import Market
from ..data.touch import as_matrix, is_pandas, is_polars
from ..data.zones import DAY_NS
from ..errors import ConfigError, InputError, nearest
from ..indicators.shape import readonly
from ..metrics.returns import simple_returns_of

if TYPE_CHECKING:
    from .result import Result

__all__ = ["Returns", "accounts_together", "of_result", "read_returns"]


@dataclass(frozen=True)
class Returns:
    """Simple returns per bar, `(T, C)`, and what is known about them.

    A column may begin late and end early: NaN before its first return and after its last one are no bars of it. A NaN in between is an
    unknown return, and makes unknown what depends on it (M5).
    """

    values: ArrayTG
    names: tuple[Any, ...]
    single: bool
    """Whether one series was given, not a table of one column."""
    labels: IndexT | None = None
    """Times, ns since 1970 UTC, rising; None where there are none."""
    days: IndexT | None = None
    """Dates, days since 1970: of sessions (B3), or of the wall clock that the times carry."""
    periods: float | None = None
    """Bars a year, where they are known."""
    zone: Any = None
    """Time zone in which times are shown; None: without one."""
    curve_given: ArrayTG | None = None
    initial_given: ArrayN | None = None
    polars: bool = False
    """Whether tables go back as polars frames."""

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """First bar and the one after the last of each column, `(C, 2)` whole numbers; equal where nothing is known."""
        known = ~np.isnan(self.values)
        if not len(known):
            return np.zeros((known.shape[1], 2), dtype=np.int64)
        if self.curve_given is not None:  # all bars of a run are bars of it: where equity is gone, returns are unknown
            known[:] = True
        any_ = known.any(axis=0)
        first = np.where(any_, known.argmax(axis=0), 0)
        past = np.where(any_, len(known) - known[::-1].argmax(axis=0), 0)
        return np.stack([first, past], axis=1)

    @cached_property
    def curve(self) -> ArrayTG:
        """What the returns make of `initial`: of 1, where no equity is known. NaN after an unknown return."""
        if self.curve_given is not None:
            return self.curve_given
        values = self.values.copy()
        for column, (first, past) in enumerate(self.ends):
            values[:first, column] = values[past:, column] = 0.0
        return np.asarray(np.cumprod(1.0 + values, axis=0), dtype=np.float64)

    @cached_property
    def bridged(self) -> tuple[ArrayTG, ArrayTG]:
        """Returns and curve, a return of 0 in place of each that is unknown."""
        values = np.where(np.isnan(self.values), 0.0, self.values)
        given = self.curve_given
        return values, np.asarray(np.cumprod(1.0 + values, axis=0), dtype=np.float64) if given is None else given

    @cached_property
    def initial(self) -> ArrayN:
        """What the curve begins at, `(C,)`."""
        return np.ones(self.values.shape[1]) if self.initial_given is None else self.initial_given

    def place(self, column: Any) -> int:
        """Which of the columns is called so; None names the only one. ConfigError where there is no such one, or there are several."""
        if column is None and len(self.names) > 1:
            raise ConfigError(f"returns have {len(self.names)} columns; say which one, column={self.names[0]!r}")
        if column is not None and column not in self.names:
            raise ConfigError(f"column is {column!r}, none of the returns; {nearest(str(column), [str(name) for name in self.names])}")
        return 0 if column is None else self.names.index(column)

    def part(self, place: int, first: int, past: int) -> Returns:
        """Bars `first` to `past - 1` of one column, as a single series; its curve begins at what it was before them."""
        curve, initial = self.curve_given, self.initial_given
        if curve is not None:
            base = self.initial[place] if first == 0 else curve[first - 1, place]
            curve, initial = curve[first:past, [place]], np.array([base])
        labels, days = (None if times is None else times[first:past] for times in (self.labels, self.days))
        values = readonly(np.ascontiguousarray(self.values[first:past, [place]]))
        return Returns(values, (self.names[place],), True, labels, days, self.periods, self.zone, curve, initial, self.polars)

    def pieces(self) -> Iterator[tuple[list[int], slice]]:
        """Columns that are known over the same bars, and these bars."""
        together: dict[tuple[int, int], list[int]] = {}
        for column, (first, past) in enumerate(self.ends.tolist()):
            together.setdefault((first, past), []).append(column)
        for (first, past), columns in together.items():
            yield columns, slice(first, past)

    def checked_periods(self) -> float:
        """Bars a year; ConfigError where they are not known."""
        if self.periods is None:
            raise ConfigError(
                "periods_per_year is missing: these returns have no times to count bars a year by; give it, 252 for trading days"
            )
        return self.periods

    def checked_days(self) -> IndexT:
        """Dates of all bars; ConfigError where there are no times."""
        if self.days is None:
            raise ConfigError(
                "these returns have no times, so there are no months; give a pandas object with a DatetimeIndex, or a time column"
            )
        return self.days

    def shown(self) -> Any:
        """Times of all bars as an index of pandas; numbers of bars where there are no times."""
        import pandas as pd

        if self.labels is None:
            return pd.RangeIndex(len(self.values))
        index = pd.DatetimeIndex(self.labels.view("M8[ns]"), name="time")
        return index if self.zone is None else index.tz_localize("UTC").tz_convert(self.zone)

    def times_of(self, bars: Any) -> Any:
        """Times of bars as a column: NaT, or -1 where there are no times, before the first bar and where a bar is -1."""
        import pandas as pd

        bars = np.asarray(bars, dtype=np.int64)
        if self.labels is None:
            return bars
        known = bars >= 0
        found = np.where(known, self.labels[np.where(known, bars, 0)] if len(self.labels) else 0, np.iinfo(np.int64).min)
        index = pd.DatetimeIndex(found.view("M8[ns]"))
        return index if self.zone is None else index.tz_localize("UTC").tz_convert(self.zone)

    def back(self, table: Any) -> Table:
        """A table of pandas as the caller takes it: polars for polars, whose index becomes columns."""
        if not self.polars:
            return table
        import polars as pl

        frame = table.to_frame() if table.ndim == 1 else table
        flat = frame.reset_index() if frame.index.names != [None] or frame.index.dtype.kind not in "iu" else frame
        columns = {"_".join(str(part) for part in name if part) if isinstance(name, tuple) else str(name): c for name, c in flat.items()}
        return pl.DataFrame({name: _plain(column) for name, column in columns.items()}, strict=False)


def _plain(column: Any) -> Any:
    import polars as pl

    if column.dtype.kind == "M":
        zone = getattr(column.dtype, "tz", None)
        values = pl.Series(column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy() if zone is not None else column.to_numpy())
        return values if zone is None else values.dt.replace_time_zone("UTC")
    return column.to_numpy() if column.dtype.kind in "fiub" else column.tolist()


def of_result(result: Result) -> Returns:
    """The returns of a result by account (M1), its equity, sessions and bars a year."""
    run, curves = result.run, result._curves
    values, curve = curves.performance
    names = run.bars.symbols if curves.separate else ("account",)
    return Returns(
        values, names, not curves.separate, run.bars.index, run.bars.session, run.bars.periods_per_year, "UTC", curve, run.initial
    )


def accounts_together(result: Result) -> Returns:
    """The returns of a result as one series: of its account, or of all accounts together, whose equities are added up."""
    given = of_result(result)
    if given.single:
        return given
    curve, initial = given.curve.sum(axis=1, keepdims=True), given.initial.sum(keepdims=True)
    values = simple_returns_of(curve, initial)
    return replace(given, values=values, names=("all accounts",), single=True, curve_given=curve, initial_given=initial)


def read_returns(returns: Any, *, periods_per_year: float | None = None, name: str = "returns") -> Returns:
    """Returns as they are given: `Returns`, a Result, a pandas Series or frame, a polars Series or frame with a time column, an array.

    Times give the bars a year (M1: by the distance of bars and the days of the week that occur), where `periods_per_year` is None.
    InputError for infinite values, and for times that do not rise.
    """
    if isinstance(returns, Returns):
        given = returns
    elif hasattr(returns, "run") and hasattr(returns, "_curves"):
        given = of_result(returns)
    else:
        given = _read(returns, name)
    if periods_per_year is not None:
        value = float(periods_per_year)
        if not (np.isfinite(value) and value > 0.0):
            raise ConfigError(f"periods_per_year must be finite and positive (bars a year); found {periods_per_year!r}")
        return replace(given, periods=value)
    return given


def _read(returns: Any, name: str) -> Returns:
    times, polars = None, is_polars(returns)
    if polars and hasattr(returns, "columns"):
        times, returns = _split_times(returns, name)
    elif is_pandas(returns):
        times = _pandas_times(returns.index)
    values = as_matrix(returns, name)
    if np.isinf(values).any():
        row, column = np.argwhere(np.isinf(values))[0]
        raise InputError(f"{name} is infinite at row {row}, column {column}; mark what is unknown by NaN")
    single = len(getattr(returns, "shape", np.shape(returns))) < 2
    if polars and not single and values.shape[1] == 1:  # a frame, because of its times
        single, returns = True, returns.to_series()
    columns = (getattr(returns, "name", None) or name,) if single else tuple(getattr(returns, "columns", range(values.shape[1])))
    if times is None:
        return Returns(readonly(values), columns, single, polars=polars)
    labels, days, zone = _checked_times(times, name)
    periods = bars_a_year(labels, Market(symbols=("X",)))[0] if len(labels) else None
    return Returns(readonly(values), columns, single, labels, days, periods, zone, polars=polars)


def _split_times(frame: Any, name: str) -> tuple[Any, Any]:
    """The one column of times of a polars frame as a pandas index, and the other columns."""
    import pandas as pd
    import polars as pl

    timed = [column for column, kind in frame.schema.items() if isinstance(kind, pl.Date | pl.Datetime)]
    if len(timed) > 1:
        raise InputError(f"{name} has several columns of times ({', '.join(timed)}); expected at most one")
    if not timed:
        return None, frame
    column = frame[timed[0]]
    if column.null_count():
        raise InputError(f"{name} has rows without a time in column {timed[0]!r}")
    zone = getattr(column.dtype, "time_zone", None)
    index = pd.DatetimeIndex(column.cast(pl.Datetime("ns", zone)).dt.epoch("ns").to_numpy().view("M8[ns]"))
    return index.tz_localize("UTC").tz_convert(zone) if zone is not None else index, frame.drop(timed)


def _pandas_times(index: Any) -> Any:
    """The times of an index, or None where it has none."""
    import pandas as pd

    if isinstance(index, pd.PeriodIndex):
        return index.to_timestamp()
    return index if isinstance(index, pd.DatetimeIndex) else None


def _checked_times(index: Any, name: str) -> tuple[IndexT, IndexT, Any]:
    """Labels, dates of the wall clock, and zone of times."""
    if index.hasnans:
        raise InputError(f"{name} has a row without a time (NaT)")
    wall = index.tz_localize(None) if index.tz is not None else index
    labels = np.asarray((index.tz_convert("UTC").tz_localize(None) if index.tz is not None else index).as_unit("ns").asi8)
    wrong = np.flatnonzero(np.diff(labels) <= 0)
    if len(wrong):
        first, then = (label_text(int(labels[k])) for k in (wrong[0], wrong[0] + 1))
        raise InputError(f"times of {name} must rise; after {first} comes {then}; sort them, and keep one row for each")
    return labels, np.asarray(wall.as_unit("ns").asi8) // DAY_NS, index.tz
