"""What a result is worth, table by table: thin methods of `Result` over the functions that take returns of any origin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._typing import Table

if TYPE_CHECKING:
    from ..engine.run import Run

__all__ = ["ResultTables"]


class ResultTables:
    """The tables of a result; each is computed when it is asked for."""

    run: Run

    def monthly_returns(self) -> Table:
        """Return of each calendar month of sessions (B3), a row for each year, and of the year; see `vecbt.monthly_returns`."""
        from .return_tables import monthly_returns

        return monthly_returns(self)

    def yearly_returns(self) -> Any:
        """Return of each calendar year; see `vecbt.yearly_returns`."""
        from .return_tables import yearly_returns

        return yearly_returns(self)

    def returns_by(self, by: str) -> Any:
        """Returns by year, quarter, month, week, day, weekday or month_of_year; see `vecbt.returns_by`."""
        from .return_tables import returns_by

        return returns_by(self, by)

    def drawdowns(self, *, most: int | None = None) -> Table:
        """Every drawdown, the deepest first (M6): depth, peak, trough, recovery, lengths in bars; see `vecbt.drawdowns`."""
        from .return_tables import drawdowns

        return drawdowns(self, most=most)

    def rolling(
        self,
        window: int,
        metrics: Sequence[str] | str = ("total_return", "volatility", "sharpe", "max_drawdown"),
        *,
        benchmark: Any = None,
        kind: str | None = None,
        rf: float = 0.0,
        mar: float = 0.0,
        every: int = 1,
    ) -> Table:
        """Return metrics of the last `window` bars at each bar, each that of the stretch alone; see `vecbt.rolling_metrics`."""
        from .return_tables import rolling_metrics

        return rolling_metrics(self, window, metrics, benchmark=benchmark, kind=kind, rf=rf, mar=mar, every=every)

    def value_at_risk(self, alpha: float | Sequence[float] = (0.01, 0.05)) -> Table:
        """Value at risk and expected shortfall of a bar: historical, normal, Cornish-Fisher; see `vecbt.value_at_risk`."""
        from .return_tables import value_at_risk

        return value_at_risk(self, alpha)

    def relative(self, benchmark: Any, *, kind: str | None = None, rf: float = 0.0) -> Any:
        """Alpha, beta, tracking error, information ratio, capture, active drawdown, correlation; see `vecbt.relative`.

        Parameters
        ----------
        benchmark : str, Result, or a series
            A symbol of the bars, another result, or prices or returns with times.
        kind : str, optional
            "prices" or "returns".
        rf : float
            Riskless return *per bar*.
        """
        from .relative import relative

        return relative(self, benchmark, kind=kind, rf=rf)

    def trade_stats(self, by: str | Sequence[str] | None = None) -> Any:
        """Metrics of closed trades (M4, M5, M7), in all or by group.

        Parameters
        ----------
        by : str or sequence of str, optional
            "asset", "side", "reason" (of the exit), "year", "month", "weekday" (of the exit's session), or several of them.

        Returns
        -------
        pandas.Series, or a frame with a row for each group that has trades
            `trades` (count); money: `pnl` and its parts `gross`, `commission`, `carry`, `dividends`, then `expectancy`, `average_win`,
            `average_loss` (positive), `best_trade`, `worst_trade`, `long_pnl`, `short_pnl`; ratios: `win_rate`, `profit_factor`,
            `payoff_ratio` (average win over average loss), `r_expectancy`; `average_mae`, `average_mfe` (fractions of the entry price);
            bars: `average_holding_bars`, `longest_holding_bars`; trades in a row: `longest_winning_streak`, `longest_losing_streak`, in
            the order trades of the group were closed. Undefined is NaN.
        """
        from .trade_tables import trade_stats

        return trade_stats(self.run, by)

    def attribution(self) -> Table:
        """What each asset brought, of closed trades and of what is still open.

        Returns
        -------
        pandas.DataFrame
            A row for each symbol, and "(account)" for what belongs to none, interest. Money: `gross` (realized before costs),
            `unrealized` (open positions at their mark), `commission`, `carry`, `dividends`, and `pnl`, which is gross and unrealized less
            commission and carry plus dividends; slippage is in the prices. `trades` counts closed ones; `contribution` is pnl over
            `initial`, of all accounts together. Rows add up to the profit; without deposits their contributions to the total return.
        """
        from .trade_tables import attribution

        return attribution(self.run)

    def costs(self) -> Table:
        """What trading and holding each asset cost: commission, slippage, borrow fees, interest, funding, and all together.

        Returns
        -------
        pandas.DataFrame
            A row for each symbol, and "(account)" for what belongs to none, interest. Money, costs are positive; `funding` below zero was
            received. Slippage is against the reference price of each fill.
        """
        from .trade_tables import costs

        return costs(self.run)
