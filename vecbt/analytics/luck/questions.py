"""What can be asked of a result about luck: the methods of `Result` that run a strategy again, and the table of evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ...engine.run import Run
    from .judgement import Evidence
    from .permutation import PermutationTest
    from .trade_order import TradeOrder

__all__ = ["Luck", "SweepLuck"]


class Luck:
    """Part of `Result`, which has `run`, `returns` and `trials`."""

    run: Run

    def evidence(
        self, *, benchmark: float = 0.0, confidence: float = 0.95, trials: int | None = None, rf: float = 0.0, resamples: int = 1000,
        permutations: int = 0, symbol: str | None = None, seed: int = 0,
    ) -> Evidence:  # fmt: skip
        """How likely the result is luck: one table, and one paragraph in plain words.

        What was tried on these data stands in the trial ledger (`Result.trials`): the more configurations, the higher the Sharpe ratio that
        the best of them has without any skill, and the ratio is judged against that (deflated). Trials that resemble each other count as
        fewer (`evidence.effective_trials`, from the sums over blocks that the ledger keeps).

        Parameters
        ----------
        benchmark : float
            Annual Sharpe ratio to be beaten, where luck brings less.
        confidence : float
            Of intervals, and of the record that is needed.
        trials : int, optional
            How many independent configurations were tried, in place of what the ledger has.
        rf : float
            Riskless return *per bar*.
        resamples : int
            Of the stationary bootstrap of CAGR and greatest drawdown; 0 leaves it out.
        permutations : int
            Random runs of both `permutation_test`s; 0, which is quick, leaves them out.
        symbol : str, optional
            Whose account, where each asset has one.
        seed : int
            Of all that is drawn.

        Returns
        -------
        Evidence
            `print` it; `.table`, `.rows`, `.paragraph`, and the objects behind them in `.parts`.

        Raises
        ------
        ConfigError
            An argument is out of its range, or accounts are separate and no symbol is named.
        """
        from .of_result import evidence_of_result

        return evidence_of_result(
            self, benchmark=benchmark, confidence=confidence, trials=trials, rf=rf, resamples=resamples, permutations=permutations,
            symbol=symbol, seed=seed,
        )  # fmt: skip

    def permutation_test(
        self,
        metric: str = "sharpe",
        *,
        kind: Literal["bars", "entries"] = "bars",
        n: int = 1000,
        block: int = 1,
        sizing: Any = None,
        seed: int = 0,
        progress: Callable[[int, int], None] | Literal[False] | None = None,
    ) -> PermutationTest:
        """How often chance does as well: the probability of a metric at least as good where there is nothing to find.

        "bars" asks the strategy again on the same bars in another order: moves keep their size and what all assets do at one time, and lose
        what one bar says of the next (`shuffled.Moves`; prices with dividends in them). "entries" keeps what was held, long or short,
        and for how many bars, and draws when, on the true bars, without stops: is the timing better than any other?

        Parameters
        ----------
        metric : str
            One of those of a sweep, `sweep_lines.METRICS`.
        kind : {"bars", "entries"}
        n : int
            Random runs; the p-value is at least 1/(1 + n).
        block : int
            Bars that stay together in "bars": as many as the volatility of one bar tells of the next.
        sizing : Sizing, optional
            In "entries", in place of one that needs a stop.
        seed : int
            The same seed gives the same bits.
        progress : callable (done, total), or False, optional
            None draws a bar on a terminal when it takes longer than a second, False never does.

        Returns
        -------
        PermutationTest
            `print` it, `.plot()` it; `p_value` is NaN, with a reason, where the metric is undefined.

        Raises
        ------
        ConfigError
            An argument is out of its range, prices may be negative, or each asset has an account of its own.

        Source: Phipson and Smyth (2010) for (1 + k)/(1 + n); Masters, Permutation and Randomization Tests for Trading System Development
        (2020), for bars.
        """
        from .permutation import permutation_test

        return permutation_test(self.run, kind=kind, metric=metric, n=n, block=block, sizing=sizing, seed=seed, progress=progress)

    def trade_order(self, *, n: int = 10_000, ruin: float = 0.5, fraction: float = 1.0, replace: bool = True, seed: int = 0) -> TradeOrder:
        """The closed trades in another order, many times: total returns, drawdowns and the probability of ruin.

        See `vecbt.analytics.luck.trade_order.trade_order`, which explains the arguments; a trade's return is its profit over the equity of
        its account before its entry.
        """
        from .trade_order import trade_order, trade_returns

        return trade_order(trade_returns(self.run), n=n, ruin=ruin, fraction=fraction, replace=replace, seed=seed)


class SweepLuck:
    """Part of `Sweep`, which has `blocks`, `fine` and `trials`."""

    def evidence(
        self, *, benchmark: Any = None, size: float = 0.05, resamples: int = 1000, rf: float = 0.0, seed: int = 0,
        threads: int | None = None,
    ) -> Evidence:  # fmt: skip
        """Whether the best set is more than the luckiest: one table, and one paragraph in plain words.

        From the sums over parts of the bars that the sweep keeps, in memory that does not grow with the sets: the effective number of
        trials, the deflated Sharpe ratio of the best set, the probability of backtest overfitting (PBO), Hansen's SPA and StepM
        (`vecbt.evidence` has each by itself, and names the papers).

        Parameters
        ----------
        benchmark : array (T,), optional
            Simple returns per bar that are to be beaten in SPA and StepM, such as those of holding the asset; left out, doing nothing is.
        size : float
            Probability of one wrong set or more among those that StepM names.
        resamples, seed : int
            Of SPA and StepM.
        rf : float
            Riskless return *per bar*, for Sharpe ratios.
        threads : int, optional
            Of PBO; all cores where left out. The numbers do not depend on it.

        Returns
        -------
        Evidence
            `print` it; `.table`, `.rows`, `.paragraph`, and the objects behind them in `.parts`.

        Raises
        ------
        ConfigError
            The sweep kept no block sums.
        StateError
            It was loaded without its bars.
        """
        from .of_sweep import evidence_of_sweep

        return evidence_of_sweep(self, benchmark=benchmark, size=size, resamples=resamples, rf=rf, seed=seed, threads=threads)  # type: ignore[arg-type]
