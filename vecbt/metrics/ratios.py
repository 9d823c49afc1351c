"""Single return metrics by name, each read off the one streaming step of `returns`."""

from __future__ import annotations

from typing import Any

from .._typing import Records
from ..core.jit import kernel_loop
from ..core.state import records
from ..indicators.windows import chunk_length
from ._columns import as_columns
from .returns import (
    RETURNS_METRICS,
    RETURNS_STATE,
    moments_load,
    moments_next,
    moments_store,
    return_metrics,
    returns_init,
    returns_params,
    returns_read,
)

__all__ = ["cagr", "calmar", "sharpe", "sortino", "total_return", "volatility"]


@kernel_loop
def _add_all(states, params, values):  # type: ignore[no-untyped-def]
    bars, length, mar = values.shape[0], chunk_length(values.shape[1]), params[0].mar
    for start in range(0, bars, length):
        for column in range(values.shape[1]):
            now = moments_load(states[column])
            for t in range(start, min(start + length, bars)):
                now = moments_next(now, mar, values[t, column])
            moments_store(states[column], now)


def _of_returns(returns: Any, params: Records, name: str) -> Any:
    matrix, back = as_columns(returns, "returns")
    columns = matrix.shape[1]
    states, out = records(RETURNS_STATE, columns), records(RETURNS_METRICS, columns)
    for column in range(columns):
        returns_init(states[column], 1.0)
    _add_all(states, params, matrix)
    returns_read(states, params, out)
    return back(out[name])


def volatility(returns: Any, *, periods_per_year: float) -> Any:
    """Annualized volatility: `std(r, ddof=1)*sqrt(P)`.

    Parameters
    ----------
    returns : array_like, shape (T,) or (T, C)
        Simple returns per bar, fractions.
    periods_per_year : float
        Bars a year, `P`.

    Returns
    -------
    float or array of shape (C,)
        A fraction a year, `>= 0`; exactly 0 where the spread is below 1e-12 of the largest |r|. NaN with fewer than two rows or
        a NaN in the column.

    Notes
    -----
    Rules M2 and M5 of the semantics.
    """
    return _of_returns(returns, returns_params(periods_per_year), "volatility")


def sharpe(returns: Any, *, periods_per_year: float, rf: float = 0.0) -> Any:
    """Sharpe ratio: `mean(r - rf)/std(r - rf, ddof=1)*sqrt(P)`.

    Parameters
    ----------
    returns : array_like, shape (T,) or (T, C)
        Simple returns per bar, fractions.
    periods_per_year : float
        Bars a year, `P`.
    rf : float
        Riskless return *per bar*.

    Returns
    -------
    float or array of shape (C,)
        Annualized. NaN with fewer than two rows, a NaN in the column, or a spread of zero (below 1e-12 of the largest |r|).

    Notes
    -----
    Rules M2 and M5 of the semantics; Sharpe, *Journal of Portfolio Management* 21 (1994) 49–58.
    """
    return _of_returns(returns, returns_params(periods_per_year, rf=rf), "sharpe")


def sortino(returns: Any, *, periods_per_year: float, mar: float = 0.0) -> Any:
    """Sortino ratio: `mean(r - mar)/sqrt(mean(min(r - mar, 0)^2))*sqrt(P)`, the mean below taken over all bars.

    Parameters
    ----------
    returns : array_like, shape (T,) or (T, C)
        Simple returns per bar, fractions.
    periods_per_year : float
        Bars a year, `P`.
    mar : float
        Minimum acceptable return *per bar*.

    Returns
    -------
    float or array of shape (C,)
        Annualized. NaN without rows, with a NaN in the column, or where no return is below `mar` (by more than 1e-12 of the largest |r|).

    Notes
    -----
    Rules M2 and M5 of the semantics; Sortino and Price, *Journal of Investing* 3 (1994) 59–64.
    """
    return _of_returns(returns, returns_params(periods_per_year, mar=mar), "sortino")


def total_return(equity: Any, initial: Any) -> Any:
    """Growth over the whole run: `equity[-1]/initial - 1`.

    Parameters
    ----------
    equity : array_like, shape (T,) or (T, C)
        Money at the close of each bar.
    initial : float or array_like of shape (C,)
        Money before the first bar, positive.

    Returns
    -------
    float or array of shape (C,)
        A fraction; -1 is everything lost, less where equity ended negative. NaN without rows or with a NaN in the column.

    Notes
    -----
    Rule M1 of the semantics.
    """
    return return_metrics(equity, initial, periods_per_year=1.0)["total_return"]


def cagr(equity: Any, initial: Any, *, periods_per_year: float) -> Any:
    """Compound annual growth rate: `(equity[-1]/initial)^(P/T) - 1`.

    Parameters
    ----------
    equity : array_like, shape (T,) or (T, C)
        Money at the close of each bar.
    initial : float or array_like of shape (C,)
        Money before the first bar, positive.
    periods_per_year : float
        Bars a year, `P`.

    Returns
    -------
    float or array of shape (C,)
        A fraction a year. NaN without rows, with a NaN in the column, where equity ends at or below zero, or where the rate fits no float.

    Notes
    -----
    Rules M2 and M5 of the semantics.
    """
    return return_metrics(equity, initial, periods_per_year=periods_per_year)["cagr"]


def calmar(equity: Any, initial: Any, *, periods_per_year: float) -> Any:
    """Calmar ratio: `cagr/max_drawdown` over the whole run.

    Parameters
    ----------
    equity : array_like, shape (T,) or (T, C)
        Money at the close of each bar.
    initial : float or array_like of shape (C,)
        Money before the first bar, positive.
    periods_per_year : float
        Bars a year, `P`.

    Returns
    -------
    float or array of shape (C,)
        A ratio. NaN where `cagr` is NaN or there was no drawdown.

    Notes
    -----
    Rules M2 and M5 of the semantics; Young, *Futures* 20 (1991) 40, over the run's length instead of three years.
    """
    return return_metrics(equity, initial, periods_per_year=periods_per_year)["calmar"]
