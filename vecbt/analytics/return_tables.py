"""What returns were worth, table by table: statistics, calendar, drawdowns, rolling metrics. Of a result, or of returns of any origin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from .._typing import ArrayTG, Records, Table
from ..errors import ConfigError, nearest
from ..indicators.relative import beta, correlation
from ..indicators.shape import check_window, readonly
from ..metrics.drawdowns import drawdowns_of
from ..metrics.measure import MEASURES, measure_columns
from ..metrics.returns import RETURNS_METRICS, returns_of, returns_params
from ..metrics.rolling import rolling_of
from .given_returns import Returns, read_returns
from .periods import GROUPS, PERIODS, Spans, group_names, month_figures, period_returns, spans
from .relative import beside

__all__ = ["RETURN_STATISTICS", "drawdowns", "monthly_returns", "returns_by", "rolling_metrics", "stats", "value_at_risk", "yearly_returns"]

_OF_MONTHS = ("positive_months", "best_month", "worst_month")
RETURN_STATISTICS = ("start", "end", "bars", "periods_per_year", *MEASURES, *_OF_MONTHS)
"""What `stats` says of returns; those that a result has, too, mean the same."""

_TAILS = ("var", "cvar", "parametric_var", "parametric_cvar", "cornish_fisher_var", "cornish_fisher_cvar", "tail_ratio")
_ROLLING_PAIRS = ("beta", "correlation")
_DRAWDOWN = ("depth", "peak", "trough", "recovery", "length", "to_trough", "to_recovery")
_GROUP = ("count", "mean", "median", "deviation", "positive", "best", "worst", "total")
_CELLS = 4_000_000  # of the windows that are in memory at one time
_SHORT_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def stats(
    returns: Any,
    *,
    periods_per_year: float | None = None,
    rf: float = 0.0,
    mar: float = 0.0,
    alpha: float = 0.05,
    threads: int | None = None,
) -> Any:
    """Statistics of returns of any origin, with the kernels of `Result.stats`.

    Parameters
    ----------
    returns : Result, or pandas, polars or array_like, shape (T,) or (T, C)
        Simple returns per bar, fractions. NaN before the first and after the last return of a column are no bars of it; a NaN in between
        makes its metrics NaN (M5).
    periods_per_year : float, optional
        Bars a year, `P`; found from the times (M1) where there are any.
    rf, mar : float
        Riskless and minimum acceptable return *per bar*.
    alpha : float
        Share of the worst bars for `var`, `cvar`, their kin, and `tail_ratio`.
    threads : int, optional
        As in `vecbt.metrics.measure`.

    Returns
    -------
    pandas.Series by name, or a frame with a column for each of the returns; for polars a frame with a row for each of them
        Names are `RETURN_STATISTICS`, explained by `vecbt.metrics.measure` and `Result.stats`; drawdowns and total are those of the curve
        that begins at 1. Without times there is no `start`, `end` or month: None and NaN.

    Raises
    ------
    ConfigError, InputError
        Bars a year are not known, a parameter may not be, returns are infinite, or times do not rise.
    """
    import pandas as pd

    given = read_returns(returns, periods_per_year=periods_per_year)
    params = returns_params(given.checked_periods(), rf, mar)
    columns: list[dict[str, Any]] = [{} for _ in given.names]
    for which, bars in given.pieces():
        found = measure_columns(given.values[bars][:, which], MEASURES, params, alpha, threads)
        for place, column in enumerate(which):
            columns[column] = {name: float(found[name][place]) for name in MEASURES}
    months = _months(given)
    for column, (first, past) in enumerate(given.ends.tolist()):
        known = given.labels is not None and past > first
        ends = given.times_of([first, past - 1]) if known else (None, None)
        about = {"start": ends[0], "end": ends[1], "bars": past - first, "periods_per_year": given.periods}
        columns[column] = about | columns[column] | {name: float(values[column]) for name, values in months.items()}
    if given.polars:
        return _wide(given, columns)
    series = {name: pd.Series(found, dtype=object, name="stats") for name, found in zip(given.names, columns, strict=True)}
    return series[given.names[0]] if given.single else pd.DataFrame(series)


def _wide(given: Returns, columns: Sequence[dict[str, Any]]) -> Table:
    """Statistics as polars takes them: a row for each of the returns, a column for each statistic."""
    import polars as pl

    plain = [{k: v.to_pydatetime() if hasattr(v, "to_pydatetime") else v for k, v in found.items()} for found in columns]
    return pl.DataFrame([{"column": str(name)} | found for name, found in zip(given.names, plain, strict=True)], infer_schema_length=None)


def _months(given: Returns) -> dict[str, NDArray[np.float64]]:
    """Share of good months, best and worst, by column; NaN without times."""
    if given.days is None:
        return dict.fromkeys(_OF_MONTHS, np.full(len(given.names), np.nan))
    found = spans(given.days, "month")
    return month_figures(period_returns(given.curve, given.initial, found), _inside(given, found))


def _inside(given: Returns, found: Spans) -> NDArray[np.bool_]:
    """In which of the periods each column has bars, `(K, C)`."""
    return (found.past[:, None] > given.ends[:, 0]) & (found.first[:, None] < given.ends[:, 1])


def _of_periods(given: Returns, kind: str) -> tuple[Spans, ArrayTG]:
    """Periods of a kind, and what each column earned in them; NaN where it has no bar in one."""
    found = spans(given.checked_days(), kind)
    return found, np.where(_inside(given, found), period_returns(given.curve, given.initial, found), np.nan)


def _starts(days: NDArray[np.int64], name: str) -> Any:
    import pandas as pd

    return pd.DatetimeIndex(days.astype("M8[D]").astype("M8[ns]"), name=name)


def monthly_returns(returns: Any) -> Table:
    """Return of each calendar month, a row for each year, and of the year.

    Parameters
    ----------
    returns : Result, or pandas object with a DatetimeIndex, or polars frame with a column of times
        Simple returns per bar.

    Returns
    -------
    pandas.DataFrame, or polars for polars
        Columns Jan to Dec and `total`, fractions; NaN where there is no bar. The first and last month may be parts. Of several columns the
        rows are named by column and year. Months are those of sessions (B3) for a result, of the times as they are for others.
    """
    import pandas as pd

    given = read_returns(returns)
    months, values = _of_periods(given, "month")
    years, of_years = _of_periods(given, "year")
    calendar = months.days.astype("M8[D]").astype("M8[M]").astype(np.int64)
    numbers = years.days.astype("M8[D]").astype("M8[Y]").astype(np.int64) + 1970
    tables = {}
    for column, name in enumerate(given.names):
        cells = np.full((len(numbers), 13), np.nan)
        cells[np.searchsorted(numbers, calendar // 12 + 1970), calendar % 12] = values[:, column]
        cells[:, 12] = of_years[:, column]
        tables[name] = pd.DataFrame(cells, index=pd.Index(numbers, name="year"), columns=[*_SHORT_MONTHS, "total"])
    return given.back(tables[given.names[0]] if given.single else pd.concat(tables, names=["column"]))


def yearly_returns(returns: Any) -> Any:
    """Return of each calendar year, a Series by year, or a frame with a column for each of the returns; see `monthly_returns`."""
    import pandas as pd

    given = read_returns(returns)
    years, values = _of_periods(given, "year")
    numbers = pd.Index(years.days.astype("M8[D]").astype("M8[Y]").astype(np.int64) + 1970, name="year")
    table = pd.DataFrame(values, index=numbers, columns=list(given.names))
    return given.back(table.iloc[:, 0].rename("return") if given.single else table)


def returns_by(returns: Any, by: str) -> Any:
    """Returns by periods that follow each other, or statistics of days by weekday and of months by month of the year.

    Parameters
    ----------
    returns : as in `monthly_returns`
    by : str
        "year", "quarter", "month", "week", "day": what each of them earned; "weekday": days (sessions) grouped by weekday;
        "month_of_year": months grouped by their name.

    Returns
    -------
    pandas.Series or frame, by the first day of each period; or a frame with a row for each group that occurs
        `count`, `mean`, `median`, `deviation` (ddof 1), `positive` (share above zero), `best`, `worst`, `total` (compounded), of the days
        or months of the group; all fractions. Of several columns the rows are named by column and group.
    """
    import pandas as pd

    given = read_returns(returns)
    if by in PERIODS:
        found, values = _of_periods(given, by)
        table = pd.DataFrame(values, index=_starts(found.days, by), columns=list(given.names))
        return given.back(table.iloc[:, 0].rename("return") if given.single else table)
    if by not in GROUPS:
        raise ConfigError(f"by is {by!r}; {nearest(str(by), GROUPS)}")
    found, values = _of_periods(given, "day" if by == "weekday" else "month")
    names, places = group_names(found.days, by)
    tables = {name: _grouped(values[:, column], names, places, by) for column, name in enumerate(given.names)}
    return given.back(tables[given.names[0]] if given.single else pd.concat(tables, names=["column"]))


def _grouped(values: NDArray[Any], names: Sequence[str], places: NDArray[np.int64], by: str) -> Table:
    import pandas as pd

    rows = []
    for group in range(len(names)):
        part = values[(places == group) & ~np.isnan(values)]
        if not len(part):
            rows.append((0, *[np.nan] * 7))
            continue
        spread = float(part.std(ddof=1)) if len(part) > 1 else np.nan
        middle, positive, total = float(np.median(part)), float((part > 0.0).mean()), float(np.prod(1.0 + part) - 1.0)
        rows.append((len(part), float(part.mean()), middle, spread, positive, float(part.max()), float(part.min()), total))
    return pd.DataFrame(rows, index=pd.Index(list(names), name=by), columns=list(_GROUP))


def drawdowns(returns: Any, *, most: int | None = None) -> Table:
    """Every drawdown, the deepest first (M6).

    Parameters
    ----------
    returns : as in `stats`; times are not needed
    most : int, optional
        How many of each column; all, if it is not said.

    Returns
    -------
    pandas.DataFrame, or polars for polars
        `depth` (a positive fraction of the peak), `peak` (time of the last bar at the peak: NaT where it is the start), `trough` (of the
        lowest close), `recovery` (of the first bar at or above the peak again; NaT where there is none yet), `length`, `to_trough` and
        `to_recovery`: bars from peak to recovery, or to the last bar; from peak to trough; from trough to recovery, -1 where there is
        none yet. Without times, numbers of bars, -1 instead of NaT. With several columns, a column `column` says which.
    """
    import pandas as pd

    given = read_returns(returns)
    if most is not None and (isinstance(most, bool) or not isinstance(most, int | np.integer) or most < 1):
        raise ConfigError(f"most is {most!r}; expected a whole number of at least 1, or None for all drawdowns")
    depths = drawdowns_of(given.curve, given.initial)[0]
    tables = []
    for column, name in enumerate(given.names):
        rows = _episodes(depths[:, column], most)
        parts = dict(zip(_DRAWDOWN, rows, strict=True))
        times = {key: given.times_of(parts[key]) for key in ("peak", "trough", "recovery")}
        tables.append(pd.DataFrame(({} if given.single else {"column": [name] * len(rows[0])}) | parts | times))
    return given.back(tables[0] if given.single else pd.concat(tables, ignore_index=True))


def _episodes(depth: NDArray[Any], most: int | None) -> tuple[NDArray[Any], ...]:
    """Depth, peak, trough, recovery (bars, -1 for none), length, bars to the trough and on to the recovery; the deepest first."""
    below = depth > 0.0
    edges = np.diff(np.concatenate(([False], below, [False])).astype(np.int8))
    first, past = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    if not len(first):
        none = np.empty(0, dtype=np.int64)
        return (np.empty(0), *[none] * 6)
    deepest = np.maximum.reduceat(np.where(below, depth, 0.0), first)
    order = np.argsort(-deepest, kind="stable")[:most]
    first, past, deepest = first[order], past[order], deepest[order]
    trough = np.array([a + int(np.argmax(depth[a:b])) for a, b in zip(first.tolist(), past.tolist(), strict=True)], dtype=np.int64)
    bars = len(depth)
    recovered = (past < bars) & ~np.isnan(depth[np.minimum(past, bars - 1)])
    recovery, peak = np.where(recovered, past, -1), first - 1
    length = np.where(recovered, past, past - 1) - peak
    return deepest, peak, trough, recovery, length, trough - peak, np.where(recovered, past - trough, -1)


def rolling_metrics(
    returns: Any,
    window: int,
    metrics: Sequence[str] | str = ("total_return", "volatility", "sharpe", "max_drawdown"),
    *,
    benchmark: Any = None,
    kind: str | None = None,
    periods_per_year: float | None = None,
    rf: float = 0.0,
    mar: float = 0.0,
    every: int = 1,
) -> Table:
    """Return metrics of the last `window` bars at each bar: each is that of the stretch alone, to the last bit.

    Parameters
    ----------
    returns : as in `stats`
    window : int
        Bars.
    metrics : sequence of str
        Of `return_metrics`: total_return, cagr, volatility, sharpe, sortino, calmar, max_drawdown, longest_drawdown_bars, ulcer; with a
        benchmark also beta and correlation, of the last `window` bars that both have (`vecbt.indicators.beta`, `correlation`).
    benchmark, kind
        As in `vecbt.relative`.
    periods_per_year, rf, mar
        As in `stats`.
    every : int
        Only each so many bars, the last one among them: a window costs as many steps as it has bars.

    Returns
    -------
    pandas.DataFrame, or polars for polars
        A row a bar (or for each of those that are measured), a column a metric (of several columns, two levels: metric and column). NaN
        in the first `window - 1` bars of a column, after its last, and where the window holds an unknown return.
    """
    import pandas as pd

    given = read_returns(returns, periods_per_year=periods_per_year)
    names = (metrics,) if isinstance(metrics, str) else tuple(metrics)
    known = (*(RETURNS_METRICS.names or ()), *_ROLLING_PAIRS)
    for name in names:
        if name not in known:
            raise ConfigError(f"metrics has {name!r}; {nearest(str(name), known)}")
    if benchmark is None and set(names) & set(_ROLLING_PAIRS):
        raise ConfigError(f"{' and '.join(name for name in _ROLLING_PAIRS if name in names)} need a benchmark; give benchmark=")
    size = check_window(window)
    if isinstance(every, bool) or not isinstance(every, int | np.integer) or every < 1:
        raise ConfigError(f"every is {every!r}; expected a whole number of at least 1")
    values, curve = given.bridged  # windows with an unknown return are taken out below
    params, rows = returns_params(given.checked_periods(), rf, mar), np.arange(len(values) - 1, -1, -int(every))[::-1]
    if every == 1:
        found = rolling_of(curve, given.initial, values, params, size)
    else:
        found = _windows(curve, given.initial, values, params, size, rows)
    unknown = np.cumsum(np.isnan(given.values), axis=0)
    unknown[size:] -= unknown[:-size].copy()
    pairs = None if benchmark is None else beside(returns, given, benchmark, kind)
    parts = {}
    for name in names:
        if pairs is not None and name in _ROLLING_PAIRS:
            parts[name] = (beta if name == "beta" else correlation)(*pairs, size)[rows]
        else:
            parts[name] = np.where(unknown[rows] > 0, np.nan, found[name])
    index = given.shown()[rows]
    if given.single:
        return given.back(pd.DataFrame({name: part[:, 0] for name, part in parts.items()}, index=index))
    columns = pd.MultiIndex.from_product([names, given.names], names=["metric", "column"])
    return given.back(pd.DataFrame(np.concatenate(list(parts.values()), axis=1), index=index, columns=columns))


def _windows(
    curve: ArrayTG, initial: NDArray[Any], values: ArrayTG, params: Records, size: int, lasts: NDArray[np.int64]
) -> dict[str, ArrayTG]:
    """Metrics of the windows that end at some bars, `(K, C)` by name; a window is a column of its own to the kernels."""
    names = RETURNS_METRICS.names or ()
    found = {name: np.full((len(lasts), values.shape[1]), np.nan) for name in names}
    full = np.flatnonzero(lasts >= size - 1)
    for part in np.array_split(full, min(-(-len(full) * size // _CELLS), len(full))) if len(full) else ():
        firsts = lasts[part] - (size - 1)
        for column in range(values.shape[1]):
            levels, steps = (sliding_window_view(of[:, column], size)[firsts].T for of in (curve, values))
            base = np.where(firsts > 0, curve[firsts - 1, column], initial[column])
            out = returns_of(levels, readonly(base), params, np.ascontiguousarray(steps))
            for name in names:
                found[name][part, column] = out[name]
    return found


def value_at_risk(returns: Any, alpha: float | Sequence[float] = (0.01, 0.05)) -> Table:
    """Value at risk and expected shortfall of a bar by three methods, and the tail ratio, at one or several levels.

    Parameters
    ----------
    returns : as in `stats`; times and bars a year are not needed
    alpha : float or sequence of float
        Shares of the worst bars.

    Returns
    -------
    pandas.DataFrame, or polars for polars
        A row for each level: `var`, `cvar` (historical), `parametric_…` (normal), `cornish_fisher_…` (bent by skew and kurtosis), losses
        as positive fractions, and `tail_ratio`; see `vecbt.metrics.measure`. Of several columns the rows are named by column and level.
    """
    import pandas as pd

    given = read_returns(returns, periods_per_year=1.0)
    levels = [float(level) for level in np.atleast_1d(np.asarray(alpha, dtype=np.float64))]
    cells = np.full((len(given.names), len(levels), len(_TAILS)), np.nan)
    params = returns_params(1.0)
    for which, bars in given.pieces():
        for row, level in enumerate(levels):
            found = measure_columns(given.values[bars][:, which], _TAILS, params, level)
            cells[which, row] = np.stack([found[name] for name in _TAILS], axis=1)
    index = pd.Index(levels, name="alpha")
    tables = {name: pd.DataFrame(cells[column], index=index, columns=list(_TAILS)) for column, name in enumerate(given.names)}
    return given.back(tables[given.names[0]] if given.single else pd.concat(tables, names=["column"]))
