"""Returns against a benchmark: alpha, beta, tracking error, capture, active drawdown, over the bars that both have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import IndexT
from ..data.labels import label_text
from ..errors import ConfigError, InputError, nearest
from ..indicators.shape import readonly
from ..metrics.drawdowns import drawdowns_of
from ..metrics.measure import measure_columns
from ..metrics.returns import growth_rate, returns_params
from .given_returns import Returns, read_returns

__all__ = ["KINDS", "RELATIVE", "beside", "relative"]

KINDS = ("returns", "prices")

RELATIVE = (
    "start", "end", "bars", "periods_per_year", "total_return", "benchmark_total_return", "cagr", "benchmark_cagr", "active_return",
    "tracking_error", "information_ratio", "beta", "alpha", "correlation", "r_squared", "up_capture", "down_capture", "capture_ratio",
    "batting_average", "active_drawdown",
)  # fmt: skip
"""What `relative` says, in order."""

_RELATIVE_ZERO = 1e-12  # M5
_LARGEST_RETURN = 0.5  # prices are positive, too: a series that stays between zero and this could be either


@dataclass(frozen=True)
class _Benchmark:
    """Levels of a benchmark at its labels; `first` is its return there, NaN where it is not known."""

    levels: NDArray[np.float64]
    values: NDArray[np.float64]
    labels: IndexT | None
    days: IndexT | None


def relative(returns: Any, benchmark: Any, *, kind: str | None = None, periods_per_year: float | None = None, rf: float = 0.0) -> Any:
    """Metrics of returns relative to a benchmark, over the bars that both have.

    Both are compared at the labels they share; between two of these that are not neighbours, returns are compounded. Where no label is
    shared and neither has more than one bar a day, dates are compared. Returns without times are compared bar by bar.

    Parameters
    ----------
    returns : Result, or pandas, polars or array_like, shape (T,) or (T, C)
        Simple returns per bar, as in `vecbt.stats`.
    benchmark : Result, str, or pandas, polars or array_like, one series
        Prices or returns; the name of a column of `returns`; for a Result also a symbol of its bars, whose closes are read as strategies
        read them (T9: splits are in them, dividends are not). Bars without a price are left out.
    kind : str, optional
        "prices" or "returns"; if it is not said, a series that is positive throughout is one of prices. One that stays between 0 and
        0.5 could be either, and is refused.
    periods_per_year : float, optional
        Bars a year of `returns`, `P`; where fewer bars are compared, it counts those.
    rf : float
        Riskless return *per bar*, for alpha.

    Returns
    -------
    pandas.Series by name (`RELATIVE`), or a frame with a column for each of the returns; for polars a frame with a row for each

        - `active_return`: mean of r - b, times P; `tracking_error`: `std(r - b, ddof=1)*sqrt(P)`; `information_ratio`: their ratio;
        - `beta`: covariance over the variance of b; `alpha`: Jensen's, `(mean(r - rf) - beta*mean(b - rf))*P`, not compounded;
        - `correlation`, and its square;
        - `up_capture`, `down_capture`: compound annual return over the bars where b > 0 (b < 0), over that of the benchmark over these;
          `capture_ratio`: up over down;
        - `batting_average`: share of bars where r > b;
        - `active_drawdown`: greatest drawdown of the one curve divided by the other.

        Fractions and ratios. Undefined is NaN (M5): fewer than two bars, a benchmark that does not move, no bar on which it rose or fell.

    Raises
    ------
    ConfigError, InputError
        Nothing is known of the benchmark in the time of the returns (both ranges are said), or it is no single series.

    Notes
    -----
    Jensen, *Journal of Finance* 23 (1968) 389-416; Grinold and Kahn, *Active Portfolio Management* (2000), for the information ratio;
    capture ratios after Morningstar's methodology.
    """
    given = read_returns(returns, periods_per_year=periods_per_year)
    against, own = _benchmark(returns, given, benchmark, kind)
    here, there = _common(given, against)
    columns = [_of_column(given, column, against, here, there, rf) for column in range(len(given.names))]
    names = given.names
    if own is not None:
        columns, names = [columns[k] for k in range(len(names)) if k != own], tuple(n for k, n in enumerate(names) if k != own)
    return _table(given, names, columns)


def beside(returns: Any, given: Returns, benchmark: Any, kind: str | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns of each column and of the benchmark where both are known over the same time, `(T, C)` each; NaN at all other bars."""
    against, _ = _benchmark(returns, given, benchmark, kind)
    here, there = _common(given, against)
    first = 0 if _first_is_known(given, against, here, there) else 1
    ours, theirs = np.full((2, *given.values.shape), np.nan)
    for column in range(len(given.names)):
        ours[here[first:], column] = _steps(given.values[:, column], given.curve[:, column], here)[first:]
    theirs[here[first:]] = _steps(against.values, against.levels, there)[first:, None]
    return ours, theirs


def _table(given: Returns, names: tuple[Any, ...], columns: list[dict[str, Any]]) -> Any:
    import pandas as pd

    if given.polars:
        import polars as pl

        return pl.DataFrame(
            [
                {"column": str(name)} | {k: v.to_pydatetime() if hasattr(v, "to_pydatetime") else v for k, v in found.items()}
                for name, found in zip(names, columns, strict=True)
            ],
            infer_schema_length=None,
        )
    series = {name: pd.Series(found, dtype=object, name="relative") for name, found in zip(names, columns, strict=True)}
    return series[names[0]] if given.single else pd.DataFrame(series)


def _benchmark(returns: Any, given: Returns, benchmark: Any, kind: str | None) -> tuple[_Benchmark, int | None]:
    """The benchmark, and which column of the returns it is."""
    if kind is not None and kind not in KINDS:
        raise ConfigError(f"kind is {kind!r}; {nearest(str(kind), KINDS)}")
    if isinstance(benchmark, str):
        run = getattr(returns, "run", None)
        if run is not None and benchmark in run.bars.symbols:
            closes = run.bars.for_strategies.close[:, run.bars.symbols.index(benchmark)]
            return _of_prices(closes, given.labels, given.days), None
        if run is None and benchmark in given.names:
            own = given.names.index(benchmark)
            return _of_returns(given.values[:, own], given.labels, given.days), own
        known = run.bars.symbols if run is not None else [str(name) for name in given.names]
        raise ConfigError(f"benchmark is {benchmark!r}, which is neither a symbol nor a column; {nearest(benchmark, known)}")
    other = read_returns(benchmark, name="benchmark")
    if len(other.names) != 1:
        raise InputError(f"benchmark has {len(other.names)} columns ({', '.join(map(str, other.names[:5]))}); expected one series")
    values = other.values[:, 0]
    if hasattr(benchmark, "run"):
        kind = "returns"
    return (_of_prices if _is_price(values, kind) else _of_returns)(values, other.labels, other.days), None


def _is_price(values: NDArray[np.float64], kind: str | None) -> bool:
    if kind is not None:
        return kind == "prices"
    known = values[~np.isnan(values)]
    if not len(known) or not (known > 0.0).all():
        return False
    if known.max() < _LARGEST_RETURN:
        raise ConfigError("benchmark could be prices or returns: it is positive and small throughout; say kind='prices' or kind='returns'")
    return True


def _of_prices(values: NDArray[np.float64], labels: IndexT | None, days: IndexT | None) -> _Benchmark:
    if (values <= 0.0).any():
        raise InputError(f"benchmark has a price of {float(np.nanmin(values))}; prices must be positive")
    kept = ~np.isnan(values)
    if labels is None and not kept.all():
        raise InputError("benchmark has prices that are missing, and no times to say which bars they belong to")
    levels = values[kept]
    steps = np.append(np.nan, levels[1:] / levels[:-1] - 1.0) if len(levels) else levels
    return _Benchmark(levels, steps, None if labels is None else labels[kept], None if days is None else days[kept])


def _of_returns(values: NDArray[np.float64], labels: IndexT | None, days: IndexT | None) -> _Benchmark:
    known = np.flatnonzero(~np.isnan(values))
    part = slice(int(known[0]), int(known[-1]) + 1) if len(known) else slice(0, 0)
    if labels is None:
        part = slice(0, len(values))
    levels = np.asarray(np.cumprod(1.0 + values[part]), dtype=np.float64)
    return _Benchmark(levels, values[part], None if labels is None else labels[part], None if days is None else days[part])


def _common(given: Returns, other: _Benchmark) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Bars of both that belong together."""
    bars = len(given.values)
    if given.labels is None or other.labels is None:
        if len(other.values) != bars:
            raise InputError(f"benchmark has {len(other.values)} bars and the returns have {bars}; give both times, or the same bars")
        return np.arange(bars), np.arange(bars)
    shared, here, there = np.intersect1d(given.labels, other.labels, assume_unique=True, return_indices=True)
    if not len(shared) and _daily(given.days) and _daily(other.days):
        shared, here, there = np.intersect1d(np.asarray(given.days), np.asarray(other.days), assume_unique=True, return_indices=True)
    if not len(shared):
        ours, theirs = _range(given.labels), _range(other.labels)
        raise InputError(f"benchmark and returns share no bar: the returns are known from {ours}, the benchmark from {theirs}")
    return here, there


def _daily(days: IndexT | None) -> bool:
    return days is not None and bool((np.diff(days) > 0).all())


def _range(labels: IndexT) -> str:
    return f"{label_text(int(labels[0]))} to {label_text(int(labels[-1]))}" if len(labels) else "no bar to none"


def _of_column(
    given: Returns, column: int, other: _Benchmark, here: NDArray[np.int64], there: NDArray[np.int64], rf: float
) -> dict[str, Any]:
    first, past = given.ends[column].tolist()
    inside = (here >= first) & (here < past)
    here, there = here[inside], there[inside]
    r = _steps(given.values[:, column], given.curve[:, column], here)
    b = _steps(other.values, other.levels, there)
    whole = _first_is_known(given, other, here, there)
    r, b = (r, b) if whole else (r[1:], b[1:])
    spanned = int(here[-1] - here[0]) + int(whole) if len(here) else 0
    periods = given.checked_periods() * (len(r) / spanned if spanned else 1.0)
    known = given.labels is not None and len(r) > 0
    ends = given.times_of([here[0 if whole else 1], here[-1]]) if known else (None, None)
    about = {"start": ends[0], "end": ends[1], "bars": len(r), "periods_per_year": periods}
    return about | _compared(r, b, periods, rf)


def _steps(values: NDArray[np.float64], levels: NDArray[np.float64], bars: NDArray[np.int64]) -> NDArray[np.float64]:
    """Returns from each of the bars to the next; the first is that of its bar."""
    steps = values[bars]
    if len(bars) > 1:
        far = np.flatnonzero(np.diff(bars) > 1) + 1
        steps[far] = levels[bars[far]] / levels[bars[far - 1]] - 1.0
    return steps


def _first_is_known(given: Returns, other: _Benchmark, here: NDArray[np.int64], there: NDArray[np.int64]) -> bool:
    """Whether both returns of the first shared bar are over the same time: nothing is known of what came before, or it is shared."""
    if not len(here) or np.isnan(other.values[there[0]]):
        return False
    if here[0] == 0 or there[0] == 0 or given.labels is None or other.labels is None:
        return True
    return bool(given.labels[here[0] - 1] == other.labels[there[0] - 1])


def _compared(r: NDArray[np.float64], b: NDArray[np.float64], periods: float, rf: float) -> dict[str, float]:
    params = returns_params(periods)
    apart = r - b
    apart[np.abs(apart) <= _RELATIVE_ZERO * max(np.abs(r).max(initial=0.0), np.abs(b).max(initial=0.0))] = 0.0  # rounding, no difference
    three = np.stack([r, b, apart], axis=1)
    found = measure_columns(three, ("total_return", "cagr", "volatility", "sharpe"), params, 0.05)
    beta, alpha, correlation = _line(r, b, found["volatility"], periods, rf)
    up, down = _capture(r, b, b > 0.0, periods), _capture(r, b, b < 0.0, periods)
    clean = len(r) > 0 and not np.isnan(three).any()
    return {
        "total_return": float(found["total_return"][0]),
        "benchmark_total_return": float(found["total_return"][1]),
        "cagr": float(found["cagr"][0]),
        "benchmark_cagr": float(found["cagr"][1]),
        "active_return": float(np.mean(apart)) * periods if clean else np.nan,
        "tracking_error": float(found["volatility"][2]),
        "information_ratio": float(found["sharpe"][2]),
        "beta": beta,
        "alpha": alpha,
        "correlation": correlation,
        "r_squared": correlation * correlation,
        "up_capture": up,
        "down_capture": down,
        "capture_ratio": up / down if down != 0.0 else np.nan,
        "batting_average": float(np.mean(apart > 0.0)) if clean else np.nan,
        "active_drawdown": _active_drawdown(np.where(apart == 0.0, b, r), b) if clean else np.nan,
    }


def _line(r: NDArray[np.float64], b: NDArray[np.float64], spread: NDArray[np.float64], periods: float, rf: float) -> tuple[float, ...]:
    """Beta, alpha and correlation; NaN where the benchmark, or for the correlation either, does not move (M5)."""
    if not spread[1] > 0.0 or np.isnan(spread[0]):
        return np.nan, np.nan, np.nan
    apart, theirs = r - r.mean(), b - b.mean()
    beta = float(apart @ theirs / (theirs @ theirs))
    alpha = float((r.mean() - rf) - beta * (b.mean() - rf)) * periods
    return beta, alpha, float(apart @ theirs / np.sqrt((apart @ apart) * (theirs @ theirs))) if spread[0] > 0.0 else np.nan


def _capture(r: NDArray[np.float64], b: NDArray[np.float64], chosen: NDArray[np.bool_], periods: float) -> float:
    years = int(chosen.sum()) / periods
    if not years > 0.0 or np.isnan(r).any() or np.isnan(b).any():
        return float("nan")
    ours, theirs = (float(growth_rate(float(np.prod(1.0 + values[chosen])), years)) for values in (r, b))
    return ours / theirs if theirs != 0.0 else float("nan")


def _active_drawdown(r: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """NaN where the benchmark lost everything."""
    curve = np.cumprod(1.0 + b)
    if not (curve > 0.0).all():
        return float("nan")
    active = (np.cumprod(1.0 + r) / curve)[:, None]
    return float(drawdowns_of(readonly(active), np.ones(1))[1]["deepest"][0])
