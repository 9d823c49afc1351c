"""Many metrics of many columns of returns: each column while it is in the cache, four at a time, on several threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayTN, Records
from ..core.jit import borrowed, kernel, kernel_loop
from ..core.lanes import LANES, choose, lanes_at
from ..core.state import records
from ..data.touch import is_pandas
from ..errors import ConfigError, InputError, nearest
from ..indicators.shape import readonly
from ._columns import as_columns, checked_share
from .distribution import DISTRIBUTION_METRICS, distribution_of, expansion_tail, normal_tail
from .returns import (
    RETURNS_METRICS,
    RETURNS_STATE,
    performance_lane,
    performance_next,
    performance_start,
    returns_params,
    returns_read,
    returns_store,
)
from .tail import TAIL_METRICS, TAIL_STATE, tail_params, tail_ratio_of, tail_run

__all__ = ["MEASURES", "columns_run", "measure", "measure_columns"]

_OF_RETURNS = RETURNS_METRICS.names or ()
_OF_DISTRIBUTION = tuple(name for name in DISTRIBUTION_METRICS.names or () if name not in ("average", "deviation"))
_TAILS = {"var": "value_at_risk", "cvar": "shortfall"}
_NORMAL, _EXPANDED = ("parametric_var", "parametric_cvar"), ("cornish_fisher_var", "cornish_fisher_cvar")
MEASURES = (*_OF_RETURNS, *_OF_DISTRIBUTION, *_TAILS, "tail_ratio", *_NORMAL, *_EXPANDED)
"""What `measure` knows, by name."""

_TOGETHER = 16  # columns of a piece: their rows stay in the cache from pass to pass
_WORTH_A_THREAD = 200_000  # cells


@kernel
def _one(now, equity, mar, value):  # type: ignore[no-untyped-def]
    grown = equity * (1.0 + value)
    return grown, performance_next(now, mar, grown, value)


@kernel_loop
def columns_run(rows, mar, states):  # type: ignore[no-untyped-def]
    """Return metrics of several columns, each a row `(T,)` of `rows`, into records of RETURNS_STATE: growth of 1, drawdown, moments."""
    columns, bars = rows.shape
    whole = columns - columns % LANES if bars > 0 else 0
    for first in range(0, whole, LANES):
        four = borrowed(rows[first : first + LANES])
        equity = choose(lanes_at(four, 0) > 0.0, 1.0, 1.0)
        now = performance_start(equity)
        for t in range(bars):
            equity, now = _one(now, equity, mar, lanes_at(four, t))
        for k in range(LANES):
            states[first + k].initial = 1.0
            returns_store(states[first + k], performance_lane(now, k))
    for column in range(whole, columns):
        equity = 1.0
        single = performance_start(1.0)
        for t in range(bars):
            equity, single = _one(single, equity, mar, rows[column, t])
        states[column].initial = 1.0
        returns_store(states[column], single)


def _checked_names(names: Sequence[str]) -> tuple[str, ...]:
    wanted = (names,) if isinstance(names, str) else tuple(names)
    for name in wanted:
        if name not in MEASURES:
            raise ConfigError(f"names has {name!r}, which is no metric of returns; {nearest(str(name), MEASURES)}")
    return wanted


def _checked_threads(threads: int | None) -> int:
    if threads is None:
        return os.cpu_count() or 1
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ConfigError(f"threads is {threads!r}; expected a whole number of at least 1, or None for all cores")
    return threads


class _Wanted:
    """Which passes the metrics asked for need, and what they fill."""

    def __init__(self, names: tuple[str, ...], columns: int, params: Records, alpha: float) -> None:
        self.params, self.alpha = params, alpha
        self.names = names
        self.distribution = any(name in (*_OF_DISTRIBUTION, *_NORMAL, *_EXPANDED) for name in names)
        self.lower = any(name in (*_TAILS, "tail_ratio") for name in names)
        self.upper = "tail_ratio" in names
        self.out = {name: np.empty(columns) for name in names}
        self.infinite = np.zeros(columns, dtype=np.bool_)

    def piece(self, values: ArrayTN, part: slice) -> None:
        """A few columns: turned into rows, measured, forgotten."""
        rows = readonly(np.ascontiguousarray(values[:, part].T))
        self.infinite[part] = np.isinf(rows).any(axis=1)
        if self.infinite[part].any():
            return
        states, of_returns = records(RETURNS_STATE, len(rows)), records(RETURNS_METRICS, len(rows))
        columns_run(rows, float(self.params[0]["mar"]), states)
        returns_read(states, self.params, of_returns)
        self._put(part, {name: of_returns[name] for name in _OF_RETURNS})
        if self.distribution:
            self._put(part, self._distribution(rows, states))
        if self.lower:
            self._put(part, self._tails(rows))

    def _put(self, part: slice, found: dict[str, Any]) -> None:
        for name, values in found.items():
            if name in self.out:
                self.out[name][part] = values

    def _distribution(self, rows: Any, states: Records) -> dict[str, Any]:
        found = distribution_of(rows, states, self.params)
        normal = dict(zip(_NORMAL, normal_tail(found, self.alpha), strict=True))
        expanded = dict(zip(_EXPANDED, expansion_tail(found, self.alpha), strict=True))
        return {name: found[name] for name in _OF_DISTRIBUTION} | normal | expanded

    def _tails(self, rows: Any) -> dict[str, Any]:
        lower = _tail_of_rows(rows, self.alpha)
        found = {name: lower[theirs] for name, theirs in _TAILS.items()}
        if self.upper:
            found["tail_ratio"] = tail_ratio_of(lower, _tail_of_rows(readonly(0.0 - rows), self.alpha))
        return found


def _tail_of_rows(rows: Any, alpha: float) -> Records:
    columns, bars = rows.shape
    out = records(TAIL_METRICS, columns)
    tail_run(records(TAIL_STATE, columns), tail_params(alpha, max(bars, 1)), rows, np.empty(bars), out)
    return out


def measure_columns(
    values: ArrayTN, names: tuple[str, ...], params: Records, alpha: float, threads: int | None = None
) -> dict[str, NDArray[np.float64]]:
    """`measure` on a float64 array `(T, C)`, whatever its order: an array `(C,)` for each name."""
    wanted = _Wanted(names, values.shape[1], params, checked_share(alpha, "alpha"))
    parts = [slice(first, first + _TOGETHER) for first in range(0, values.shape[1], _TOGETHER)]
    workers = min(_checked_threads(threads), len(parts))
    if workers < 2 or values.size < _WORTH_A_THREAD:
        for part in parts:
            wanted.piece(values, part)
    else:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(lambda part: wanted.piece(values, part), parts))
    if wanted.infinite.any():
        column = int(np.argmax(wanted.infinite))
        row = int(np.argmax(np.isinf(values[:, column])))
        raise InputError(f"returns is infinite at row {row}, column {column}; mark what is unknown by NaN")
    return wanted.out


def measure(
    returns: Any,
    names: Sequence[str] = MEASURES,
    *,
    periods_per_year: float,
    rf: float = 0.0,
    mar: float = 0.0,
    alpha: float = 0.05,
    threads: int | None = None,
) -> dict[str, Any]:
    """Metrics of returns, as many as are named, of one series or of many columns.

    Parameters
    ----------
    returns : array_like, shape (T,) or (T, C)
        Simple returns per bar, fractions; pandas, polars or NumPy. Infinite ones are refused.
    names : sequence of str
        Names of `MEASURES`; all of them, if it is not said.
    periods_per_year : float
        Bars a year, `P`.
    rf, mar : float
        Riskless and minimum acceptable return *per bar*.
    alpha : float
        Share of the worst bars for `var`, `cvar` and their kin, and for `tail_ratio`.
    threads : int, optional
        Threads for many columns; all cores, if it is not said. The answer does not depend on it.

    Returns
    -------
    dict
        By name, a float, an array `(C,)`, or a Series by column for a pandas frame.
        Undefined is NaN (M5); a NaN in a column makes its metrics NaN.

        - those of `return_metrics`, of the curve that begins at 1 and grows by the returns;
        - `downside_deviation`: `sqrt(mean(min(r - mar, 0)^2))*sqrt(P)`, a fraction a year; NaN without rows;
        - `omega`: sum of `r - mar` above `mar` over the sum of `mar - r` below it; NaN where nothing is below;
        - `skew`, `kurtosis`: those of a sample, `G1` and the excess `G2`; NaN with fewer than three and four rows, or without spread;
        - `positive_bars`: share of bars with r > 0; `best_bar`, `worst_bar`: the greatest and the least return of a bar;
        - `var`, `cvar`: historical, as the functions of these names; `tail_ratio`: size of the (1 - alpha)-quantile over that of the
          alpha-quantile, NaN where that is 0;
        - `parametric_var`, `parametric_cvar`: those of a normal distribution with the mean and deviation of the returns;
        - `cornish_fisher_var`, `cornish_fisher_cvar`: with the quantile bent by skew and kurtosis, good near the normal only.

    Raises
    ------
    ConfigError, InputError
        A name is unknown, a parameter may not be, or a return is infinite.

    Notes
    -----
    Rules M2, M3, M5 and M6 of the semantics. Omega: Keating and Shadwick, *Journal of Performance Measurement* 6 (2002) 59-84;
    skew and kurtosis: Joanes and Gill, *The Statistician* 47 (1998) 183-189; the expansion: Cornish and Fisher, *Revue de l'Institut
    International de Statistique* 5 (1938) 307-320, its shortfall: Maillard, *A user's guide to the Cornish Fisher expansion* (2012).
    """
    values, back = _gate(returns)
    found = measure_columns(values, _checked_names(names), returns_params(periods_per_year, rf, mar), alpha, threads)
    return {name: back(answer) for name, answer in found.items()}


def _gate(returns: Any) -> tuple[ArrayTN, Callable[[Any], Any]]:
    """As `as_columns`, without a copy of a float64 table: it is only read."""
    if isinstance(returns, np.ndarray) and returns.ndim == 2 and returns.dtype == np.float64:
        return returns, np.asarray
    if is_pandas(returns) and len(returns.shape) == 2 and all(kind == np.float64 for kind in returns.dtypes):
        return returns.to_numpy(), lambda answer: type(returns.iloc[:, 0])(np.asarray(answer), index=returns.columns)
    return as_columns(returns, "returns")
