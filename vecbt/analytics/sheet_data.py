"""The tables of a tear sheet as data: one curve for a run, months, drawdowns, rolling figures, costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._typing import ArrayT, Table

if TYPE_CHECKING:
    from ..engine.run import Run
    from .curves import Curves

__all__ = ["Cost", "cost_rows", "drawdown_table", "monthly_table", "rolling_table", "rolling_window", "whole_curve"]

_FEWEST = 20  # bars of a rolling window
_RELATIVE_ZERO = 1e-12  # M5: a deviation below this part of the largest |r| is rounding, not risk


class Cost(NamedTuple):
    """One step from what was earned before costs to the profit: `money` is what it adds."""

    name: str
    money: float


def whole_curve(run: Run, curves: Curves) -> tuple[ArrayT, ArrayT]:
    """Returns of each bar and the growth of one unit of money, `(T,)` each: of the account, or of all accounts together."""
    returns, performance = curves.performance
    if performance.shape[1] == 1:
        return np.array(returns[:, 0]), np.array(performance[:, 0] / run.initial[0])
    growth = performance.sum(axis=1) / run.initial.sum()
    before = np.concatenate([[1.0], growth[:-1]])
    return np.where(before > 0.0, growth / np.where(before > 0.0, before, 1.0) - 1.0, np.nan), growth


def monthly_table(times: Any, returns: ArrayT) -> Table:
    """Return of each month, fractions: a row a year, columns 1 to 12 and `year`, NaN where no bar is.

    A bar belongs to the month (UTC) that its label is in. A month's return is the product of its bars' returns.
    """
    import pandas as pd

    years, months = np.asarray(times.year), np.asarray(times.month)
    known = np.unique(years)
    values = np.full((len(known), 13), np.nan)
    for column, key in ((months - 1, years * 12 + months), (np.full(len(years), 12), years)):
        starts = np.flatnonzero(np.diff(key, prepend=key[0] - 1))
        values[np.searchsorted(known, years[starts]), column[starts]] = np.multiply.reduceat(1.0 + returns, starts) - 1.0
    return pd.DataFrame(values, index=pd.Index(known, name="year"), columns=[*range(1, 13), "year"])


def drawdown_table(times: Any, growth: ArrayT, count: int = 10) -> Table:
    """The deepest drawdowns, deepest first.

    Columns: `depth` a fraction of the peak, `start` the bar of the peak (NaT: before the first bar), `trough` the deepest bar,
    `recovery` the first bar at or above the peak (NaT: not yet), `bars` from the peak to the recovery or to the end (M6), `falling`
    those to the trough.
    """
    import pandas as pd

    level = np.concatenate([[1.0], growth])
    peak = np.maximum.accumulate(np.where(np.isnan(level), -np.inf, level))
    depth = np.where(peak > 0.0, 1.0 - level / np.where(peak > 0.0, peak, 1.0), np.nan)
    below = depth > 0.0
    edges = np.diff(np.concatenate([[0], below.astype(np.int8), [0]]))
    firsts, pasts = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    deepest = np.maximum.reduceat(np.append(depth, 0.0), firsts) if len(firsts) else np.zeros(0)
    chosen = np.lexsort((firsts, -deepest))[:count]
    stamps = np.concatenate([[np.datetime64("NaT")], np.asarray(times.tz_localize(None), dtype="M8[ns]"), [np.datetime64("NaT")]])
    rows = []
    for k in chosen:
        first, past = int(firsts[k]), int(pasts[k])
        trough = first + int(np.argmax(depth[first:past]))
        end = past if past < len(level) else len(level) - 1
        rows.append((deepest[k], stamps[first - 1], stamps[trough], stamps[past], end - first + 1, trough - first + 1))
    frame = pd.DataFrame(rows, columns=["depth", "start", "trough", "recovery", "bars", "falling"])
    for name in ("start", "trough", "recovery"):
        frame[name] = pd.to_datetime(frame[name]).dt.tz_localize("UTC")
    return frame.astype({"depth": np.float64, "bars": np.int64, "falling": np.int64})


def rolling_window(bars: int, periods: float) -> int:
    """Bars of a rolling window: half a year, or a third of the run where that is less; 0 where that would be fewer than 20."""
    window = int(min(round(periods / 2.0), bars // 3))
    return window if window >= _FEWEST else _FEWEST if periods / 2.0 < _FEWEST <= bars // 3 else 0


def rolling_table(times: Any, returns: ArrayT, window: int, periods: float) -> Table:
    """Over the last `window` bars: `sharpe` and `volatility` as in the statistics, annualized, and `gain`, the product of returns less one.

    NaN before the window is full; `sharpe` is NaN where all returns of a window are equal.
    """
    import pandas as pd

    series = pd.Series(returns, index=times)
    rolls = series.rolling(window)
    average, deviation = rolls.mean(), rolls.std(ddof=1)
    largest = series.abs().rolling(window).max()
    deviation = deviation.where(deviation > _RELATIVE_ZERO * largest, 0.0).where(deviation.notna())
    growth = np.concatenate([[1.0], np.cumprod(1.0 + returns)])
    gain = np.full(len(returns), np.nan)
    before = growth[:-window]
    gain[window - 1 :] = np.where(before > 0.0, growth[window:] / np.where(before > 0.0, before, 1.0) - 1.0, np.nan)
    return pd.DataFrame(
        {
            "sharpe": (average / deviation.where(deviation > 0.0)) * np.sqrt(periods),
            "volatility": deviation * np.sqrt(periods),
            "gain": gain,
        },
        index=times,
    )


def cost_rows(found: dict[str, Any]) -> list[Cost]:
    """From the result before costs to the profit, money of all accounts; what is zero is left out, but for commission and slippage.

    Parameters
    ----------
    found : dict
        Statistics by name, as `analytics.statistics.compute` gives them.
    """
    names = ("profit", "commission", "slippage", "borrow", "interest", "funding", "dividends")
    total = {name: float(np.sum(found[name])) for name in names}
    steps = [Cost(name, 0.0 - total[name]) for name in ("commission", "slippage")]
    steps += [Cost(name, 0.0 - total[name]) for name in ("borrow", "interest", "funding") if total[name] != 0.0]
    steps += [Cost("dividends", total["dividends"])] if total["dividends"] != 0.0 else []
    before = total["profit"] - sum(step.money for step in steps)
    return [Cost("before costs", before), *steps, Cost("profit", total["profit"])]
