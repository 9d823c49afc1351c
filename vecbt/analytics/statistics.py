"""All statistics of a run in one table: names, order, units, and how each is written for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.codes import OrderStatus
from ..metrics.activity import activity_of
from ..metrics.returns import returns_of, returns_params
from ..metrics.tail import tail_of
from ..metrics.trades import trades_of
from .charges import charges, margin_calls
from .curves import Curves

if TYPE_CHECKING:
    from ..engine.run import Run

__all__ = ["STATISTICS", "Statistic", "compute", "write"]


@dataclass(frozen=True)
class Statistic:
    """One row of the statistics table: `kind` is its unit and decides how it is written."""

    name: str
    group: str
    kind: str
    meaning: str

    @property
    def label(self) -> str:
        """The name as a page shows it."""
        return _LABELS.get(self.name) or self.name.replace("_", " ").capitalize()


_LABELS = {
    "cagr": "CAGR",
    "var": "Value at risk, 5%",
    "cvar": "Expected shortfall, 5%",
    "ulcer": "Ulcer index",
    "longest_drawdown_bars": "Longest drawdown, bars",
    "r_expectancy": "Expectancy in R",
    "average_mae": "Average MAE",
    "average_mfe": "Average MFE",
    "average_holding_bars": "Average holding, bars",
    "periods_per_year": "Bars a year",
    "initial": "Initial equity",
    "fees": "Commission and slippage",
}


STATISTICS = tuple(
    Statistic(*row)
    for row in (
        ("start", "run", "time", "label of the first bar (UTC)"),
        ("end", "run", "time", "label of the last bar (UTC)"),
        ("bars", "run", "count", "bars simulated"),
        ("periods_per_year", "run", "number", "bars a year, used wherever something is annualized"),
        ("initial", "run", "money", "equity before the first bar, starting positions included"),
        ("final_equity", "run", "money", "equity at the last close, open positions at their mark"),
        ("profit", "return", "money", "final equity less initial, without deposits and withdrawals"),
        ("total_return", "return", "fraction", "product of all bar returns, less one; without deposits: final equity over initial"),
        ("cagr", "return", "fraction", "compound annual growth rate"),
        ("volatility", "return", "fraction", "annualized standard deviation of bar returns"),
        ("sharpe", "return", "ratio", "annualized mean over deviation of bar returns above the riskless rate"),
        ("sortino", "return", "ratio", "annualized mean over downside deviation of bar returns"),
        ("calmar", "return", "ratio", "cagr over greatest drawdown"),
        ("max_drawdown", "risk", "fraction", "greatest fall below the highest close so far"),
        ("longest_drawdown_bars", "risk", "count", "bars from a peak to the first bar at or above it, or to the end"),
        ("ulcer", "risk", "fraction", "root mean square drawdown"),
        ("var", "risk", "fraction", "loss of a bar that the worst share of bars reaches or exceeds"),
        ("cvar", "risk", "fraction", "mean loss of those bars"),
        ("exposure_time", "activity", "fraction", "share of bars at whose close something was held"),
        ("turnover", "activity", "multiple", "value bought and sold a year over mean equity"),
        ("trades", "trades", "count", "trades closed"),
        ("win_rate", "trades", "fraction", "share of closed trades that earned money after costs"),
        ("profit_factor", "trades", "ratio", "gross profit over gross loss"),
        ("expectancy", "trades", "money", "mean profit of a closed trade after costs"),
        ("r_expectancy", "trades", "ratio", "mean profit over initial risk, trades that had a stop"),
        ("average_mae", "trades", "fraction", "mean adverse excursion, of the entry price"),
        ("average_mfe", "trades", "fraction", "mean favourable excursion, of the entry price"),
        ("average_holding_bars", "trades", "number", "mean bars from entry to exit"),
        ("commission", "costs", "money", "commission of all fills"),
        ("slippage", "costs", "money", "money lost between reference and fill prices"),
        ("fees", "costs", "money", "commission and slippage together"),
        ("carry", "holding", "money", "borrow fees, interest and funding together"),
        ("borrow", "holding", "money", "fees of borrowing what was sold short"),
        ("interest", "holding", "money", "interest on negative cash"),
        ("funding", "holding", "money", "funding of perpetuals; below zero it was received"),
        ("dividends", "holding", "money", "dividends of longs less those paid by shorts"),
        ("deposits", "flows", "money", "money paid in"),
        ("withdrawals", "flows", "money", "money paid out"),
        ("withdrawals_given_up", "flows", "money", "asked for, but the account had no room for it"),
        ("orders_cut", "orders", "count", "orders filled in part because a rule cut them"),
        ("orders_refused", "orders", "count", "orders of which a rule let nothing be filled"),
        ("margin_calls", "orders", "count", "bars after which all was closed because the equity did not carry it"),
        ("open_positions", "end", "count", "positions still open after the last bar"),
        ("pending_orders", "end", "count", "orders still queued after the last bar"),
    )
)


def compute(run: Run, curves: Curves, *, rf: float, mar: float, alpha: float) -> dict[str, Any]:
    """Every statistic by name, an array `(G,)` or one value for all accounts. Undefined is NaN (M5)."""
    accounts = run.equity.shape[1]
    periods = run.bars.periods_per_year
    found: dict[str, Any] = {
        "start": run.bars.index[0],
        "end": run.bars.index[-1],
        "bars": run.bars.T,
        "periods_per_year": periods,
        "initial": run.initial,
        "final_equity": run.equity[-1],
    }
    returns, curve = curves.performance
    of_returns = returns_of(curve, run.initial, returns_params(periods, rf, mar), returns)
    of_trades = trades_of(run.trades, accounts)
    of_activity = activity_of(curves.holdings, run.equity, periods)
    of_tail = tail_of(returns, alpha)
    for table in (of_returns, of_trades, of_activity):
        found |= {name: table[name] for name in table.dtype.names or ()}
    of_holding = charges(run)
    found |= of_holding._asdict()
    found["profit"] = run.equity[-1] - run.initial - of_holding.deposits + of_holding.withdrawals
    found["var"], found["cvar"] = of_tail["value_at_risk"], of_tail["shortfall"]
    found["open_positions"] = curves.per_account(run.assets["q"] != 0.0)
    found["pending_orders"] = _orders(run, run.orders["t_done"] < 0)
    status = run.orders["status"]
    found["orders_refused"] = _orders(run, status == int(OrderStatus.REJECTED))
    found["orders_cut"] = _orders(run, (status == int(OrderStatus.PARTIAL)) & (run.orders["cut_by"] != 0))
    found["margin_calls"] = margin_calls(run)
    return {row.name: found[row.name] for row in STATISTICS}


def _orders(run: Run, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many of the orders chosen each account has."""
    return np.bincount(run.orders["account"][chosen], minlength=run.equity.shape[1])


def write(kind: str, value: Any) -> str:
    """A value as people read it; an undefined one is a dash."""
    if kind == "time":
        return str(value)
    number = float(value)
    if number != number:
        return "–"
    written = _written(kind, number)
    return written if any(digit in written for digit in "123456789") else written.replace("-", "")


def _written(kind: str, number: float) -> str:
    if kind == "fraction":
        return f"{number:,.2%}"
    if kind == "money":
        return f"{number:,.2f}"
    if kind == "count":
        return f"{number:,.0f}"
    if kind == "multiple":
        return f"{number:,.2f}×"
    if kind == "ratio":
        return f"{number:,.3f}"
    return f"{number:,.10g}" if number == round(number) else f"{number:,.2f}"
