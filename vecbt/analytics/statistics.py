"""All statistics of a run in one table: names, order, units, and how each is written for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayTG
from ..core.codes import OrderStatus
from ..core.state import records
from ..indicators.shape import readonly
from ..metrics.activity import activity_of
from ..metrics.distribution import distribution_of
from ..metrics.holdings import position_values
from ..metrics.outcomes import outcomes_of
from ..metrics.returns import RETURNS_METRICS, returns_params, returns_read, returns_states
from ..metrics.tail import tail_of
from ..metrics.trades import trades_of
from .charges import charges, margin_calls
from .curves import Curves
from .periods import month_figures, period_returns, spans

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
    "longest_holding_bars": "Longest holding, bars",
    "long_pnl": "Profit of longs",
    "short_pnl": "Profit of shorts",
    "periods_per_year": "Bars a year",
    "initial": "Initial equity",
    "fees": "Commission and slippage",
    "parametric_var": "Value at risk, normal, 5%",
    "parametric_cvar": "Shortfall, normal, 5%",
    "cornish_fisher_var": "Value at risk, Cornish-Fisher",
    "cornish_fisher_cvar": "Shortfall, Cornish-Fisher, 5%",
    "tail_ratio": "Tail ratio, 5%",
    "benchmark_cagr": "CAGR of the benchmark",
    "benchmark_total_return": "Total return of the benchmark",
    "r_squared": "R²",
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
        ("omega", "return", "ratio", "returns above the acceptable one, added up, over what those below it fall short of it"),
        ("positive_bars", "return", "fraction", "share of bars with a return above zero"),
        ("best_bar", "return", "fraction", "greatest return of a bar"),
        ("worst_bar", "return", "fraction", "least return of a bar"),
        ("positive_months", "return", "fraction", "share of calendar months with a return above zero"),
        ("best_month", "return", "fraction", "greatest return of a calendar month, parts of months included"),
        ("worst_month", "return", "fraction", "least return of a calendar month, parts of months included"),
        ("max_drawdown", "risk", "fraction", "greatest fall below the highest close so far"),
        ("longest_drawdown_bars", "risk", "count", "bars from a peak to the first bar at or above it, or to the end"),
        ("ulcer", "risk", "fraction", "root mean square drawdown"),
        ("var", "risk", "fraction", "loss of a bar that the worst share of bars reaches or exceeds"),
        ("cvar", "risk", "fraction", "mean loss of those bars"),
        ("downside_deviation", "risk", "fraction", "annualized root mean square of what bar returns fall short of the acceptable one"),
        ("skew", "risk", "ratio", "skew of bar returns: below zero, large losses are more frequent than large gains"),
        ("kurtosis", "risk", "ratio", "excess kurtosis of bar returns: above zero, both tails are heavier than normal ones"),
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
        ("longest_holding_bars", "trades", "count", "most bars from entry to exit"),
        ("average_win", "trades", "money", "mean profit of the trades that earned"),
        ("average_loss", "trades", "money", "mean loss of the trades that lost, as a positive number"),
        ("payoff_ratio", "trades", "ratio", "average win over average loss"),
        ("best_trade", "trades", "money", "greatest profit of a closed trade"),
        ("worst_trade", "trades", "money", "least profit of a closed trade"),
        ("longest_winning_streak", "trades", "count", "most trades in a row that earned, in the order they were closed"),
        ("longest_losing_streak", "trades", "count", "most trades in a row that lost"),
        ("long_trades", "trades", "count", "longs closed"),
        ("short_trades", "trades", "count", "shorts closed"),
        ("long_pnl", "trades", "money", "profit of all closed longs after costs"),
        ("short_pnl", "trades", "money", "profit of all closed shorts after costs"),
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
        ("open_longs", "end", "count", "longs among them"),
        ("open_shorts", "end", "count", "shorts among them"),
        ("gross_exposure", "end", "fraction", "sizes of all open positions over equity, at the last close"),
        ("net_exposure", "end", "fraction", "longs less shorts over equity, at the last close"),
        ("current_drawdown", "end", "fraction", "how far the last close is below the highest so far"),
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
    params = returns_params(periods, rf, mar)
    states, of_returns = returns_states(curve, run.initial, params, returns), records(RETURNS_METRICS, accounts)
    returns_read(states, params, of_returns)
    rows = readonly(np.ascontiguousarray(returns.T))
    of_tail = tail_of(returns, alpha)
    tables = (
        of_returns,
        distribution_of(rows, states, params),
        trades_of(run.trades, accounts),
        outcomes_of(run.trades, accounts),
        activity_of(curves.holdings, run.equity, periods),
    )
    for table in tables:
        found |= {name: table[name] for name in table.dtype.names or ()}
    found |= _of_months(run, curve)
    found |= _at_the_end(run, curves)
    found["current_drawdown"] = np.where(states["deepest"] == states["deepest"], 1.0 - curve[-1] / states["peak"], np.nan)
    of_holding = charges(run)
    found |= of_holding._asdict()
    found["profit"] = run.equity[-1] - run.initial - of_holding.deposits + of_holding.withdrawals
    found["var"], found["cvar"] = of_tail["value_at_risk"], of_tail["shortfall"]
    found["pending_orders"] = _orders(run, run.orders["t_done"] < 0)
    status = run.orders["status"]
    found["orders_refused"] = _orders(run, status == int(OrderStatus.REJECTED))
    found["orders_cut"] = _orders(run, (status == int(OrderStatus.PARTIAL)) & (run.orders["cut_by"] != 0))
    found["margin_calls"] = margin_calls(run)
    return {row.name: found[row.name] for row in STATISTICS}


def _of_months(run: Run, curve: ArrayTG) -> dict[str, Any]:
    """What the calendar months of sessions earned; NaN where one of them is unknown."""
    months = period_returns(curve, run.initial, spans(run.bars.session, "month"))
    return month_figures(months, np.ones(months.shape, dtype=np.bool_))


def _at_the_end(run: Run, curves: Curves) -> dict[str, Any]:
    """What is held after the last bar: counts, and exposure over equity, NaN where that is not positive."""
    q, equity = run.assets["q"], run.equity[-1]
    values = position_values(q, run.assets["mark"], run.bars.market.multiplier)
    sums = [values if curves.separate else values.sum(keepdims=True) for values in (np.abs(values), values)]
    gross, net = (np.divide(total, equity, out=np.full(equity.shape, np.nan), where=equity > 0.0) for total in sums)
    return {
        "open_positions": curves.per_account(q != 0.0),
        "open_longs": curves.per_account(q > 0.0),
        "open_shorts": curves.per_account(q < 0.0),
        "gross_exposure": gross,
        "net_exposure": net,
    }


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
