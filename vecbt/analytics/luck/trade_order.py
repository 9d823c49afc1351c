"""The same trades in another order, or drawn again: how deep it could have gone, and how often to ruin."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigError, InputError, counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..._typing import Table
    from ...engine.run import Run

__all__ = ["TradeOrder", "trade_order", "trade_returns"]

_LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_AT_ONCE = 2_000_000  # numbers of all paths that are worked on together


@dataclass(frozen=True)
class TradeOrder:
    """Many paths of an account through trades like these.

    Attributes
    ----------
    trades : how many there are, and how long each path is
    total_return : float64 (n,), of each path, a fraction
    max_drawdown : float64 (n,), deepest fall after a trade below the highest level after a trade, a fraction; the start counts
    ruined : share of paths that fell to `ruin` of the start, or below
    error : standard error of `ruined`, of drawing n paths: sqrt(p(1 - p)/n); at p of 0 or 1 it says 0, and 3/n is the 95 % bound
    ruin, fraction, replace, seed : as given
    reason : why there is nothing, else ""
    """

    trades: int
    total_return: NDArray[np.float64] = field(repr=False)
    max_drawdown: NDArray[np.float64] = field(repr=False)
    ruined: float
    error: float
    ruin: float
    fraction: float
    replace: bool
    seed: int
    reason: str = ""

    @property
    def table(self) -> Table:
        """Total return and greatest drawdown by their quantiles over the paths, a pandas DataFrame."""
        import pandas as pd

        rows = {name: np.quantile(values, _LEVELS) if len(values) else np.full(len(_LEVELS), np.nan) for name, values in self._paths()}
        return pd.DataFrame(rows, index=pd.Index(_LEVELS, name="quantile"))

    def _paths(self) -> tuple[tuple[str, NDArray[np.float64]], ...]:
        return ("total_return", self.total_return), ("max_drawdown", self.max_drawdown)

    def __str__(self) -> str:
        if self.reason:
            return self.reason
        how = "drawn with replacement" if self.replace else "in random order"
        table = self.table
        low, middle, high = (table["total_return"].loc[level] for level in (0.05, 0.5, 0.95))
        return (
            f"{counted(self.trades, 'trade')} {how}, {len(self.total_return):,} times: total return {middle:,.1%} in the middle, "
            f"5 % of paths below {low:.1%}, 5 % above {high:,.1%}; drawdown beyond {table['max_drawdown'].loc[0.95]:.1%} in 5 %; "
            f"down to {self.ruin:.0%} of the start in {self.ruined:.2%} of paths"
        )

    def plot(self, path: str | Path | None = None) -> Figure:
        """Both distributions as histograms; one matplotlib figure.

        Parameters
        ----------
        path : str or Path, optional
            Where to write it; the ending chooses the format (png, svg, pdf).
        """
        from ..drawing import to_file
        from .pictures import order_figure

        return to_file(order_figure(self), path)


def trade_returns(run: Run) -> NDArray[np.float64]:
    """What each closed trade earned over the equity of its account at the last close before it; float64 (K,), in order of their ends.

    Equity is that before the bar of the entry, `initial` for an entry in the first one. A trade that began with no equity left is dropped.
    """
    trades = run.trades
    entry, account = trades["entry_t"], trades["account"]
    before = np.where(entry > 0, run.equity[np.maximum(entry - 1, 0), account], run.initial[account])
    kept = before > 0.0
    return np.asarray(trades["pnl"][kept] / before[kept], dtype=np.float64)


def trade_order(
    returns: Any, *, n: int = 10_000, ruin: float = 0.5, fraction: float = 1.0, replace: bool = True, seed: int = 0
) -> TradeOrder:
    """Put trades together again, many times: with replacement (bootstrap), or each once in random order.

    An account grows by `1 + fraction*r` with each trade and never below 0; where trades overlapped in time, one after the other is an
    approximation. In random order the product stays, so only drawdowns and ruin differ; with replacement the returns differ, too. Trades
    are taken as independent: streaks that a market made are not kept.

    Parameters
    ----------
    returns : array (K,), returns of trades on the equity of their time, fractions; `Result.trade_order` takes those of its run
    n : paths
    ruin : share of the start at which an account counts as ruined; 0.5 is a loss of half
    fraction : how much of each trade is taken; 2.0 is twice the size
    replace : whether a trade can come more than once
    seed : of the drawing; the same seed gives the same bits

    Returns
    -------
    TradeOrder
        NaN, with a reason, where there are fewer than two trades.

    Raises
    ------
    ConfigError, InputError
        An argument is out of its range, or a return is not finite.

    Source: Vince, The Mathematics of Money Management (1992), ch. 1, for ruin by resampled trades; Efron (1979) for the bootstrap.
    """
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise InputError(
            f"returns has shape {values.shape} or holds numbers that are not finite; expected (K,) returns of trades, fractions"
        )
    _check(n, ruin, fraction, replace, seed)
    if len(values) < 2:
        none = np.empty(0)
        reason = f"{counted(len(values), 'trade')}, and at least 2 are needed to put them in another order"
        return TradeOrder(len(values), none, none, math.nan, math.nan, ruin, fraction, replace, seed, reason)
    rng, growth = np.random.default_rng(seed), np.maximum(1.0 + fraction * values, 0.0)
    total, deepest, lowest = np.empty(n), np.empty(n), np.empty(n)
    step = max(_AT_ONCE // len(values), 1)
    for first in range(0, n, step):
        count = min(step, n - first)
        drawn = rng.choice(growth, size=(count, len(growth))) if replace else rng.permuted(np.tile(growth, (count, 1)), axis=1)
        level = np.cumprod(drawn, axis=1)
        peak = np.maximum(np.maximum.accumulate(level, axis=1), 1.0)
        part = slice(first, first + count)
        total[part], deepest[part], lowest[part] = level[:, -1] - 1.0, (1.0 - level / peak).max(axis=1), level.min(axis=1)
    ruined = float((lowest <= ruin).mean())
    return TradeOrder(len(values), total, deepest, ruined, math.sqrt(ruined * (1.0 - ruined) / n), ruin, fraction, replace, seed)


def _check(n: Any, ruin: Any, fraction: Any, replace: Any, seed: Any) -> None:
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise ConfigError(f"n is {n!r}; expected a whole number of at least 1")
    if isinstance(ruin, bool) or not isinstance(ruin, int | float | np.floating) or not 0.0 <= ruin < 1.0:
        raise ConfigError(f"ruin is {ruin!r}; expected a share of the start from 0 up to 1, such as 0.5")
    if (
        isinstance(fraction, bool)
        or not isinstance(fraction, int | float | np.floating)
        or not (math.isfinite(fraction) and fraction > 0.0)
    ):
        raise ConfigError(f"fraction is {fraction!r}; expected a number > 0, 1 for the size that was traded")
    if not isinstance(replace, bool):
        raise ConfigError(f"replace is {replace!r}; expected True or False")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ConfigError(f"seed is {seed!r}; expected a whole number from 0 on")
