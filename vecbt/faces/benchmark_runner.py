"""Strategies over training, validation and test bars, beside a benchmark of the same assets (BCH-01)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Unpack

import numpy as np

from .._typing import Table
from ..analytics.comparison import Comparison, compare
from ..analytics.result import Result
from ..api import backtest
from ..data.bars import Bars
from ..data.labels import label_text
from ..engine.check import aligned_inputs
from ..engine.inputs import AlignedInputs, Weights
from ..engine.keywords import Keywords, explicit
from ..engine.rule_strategy import RuleStrategy
from ..errors import ConfigError, DataError, counted, nearest

__all__ = ["BenchmarkReport", "BenchmarkRunner", "DataSplitter", "PortfolioBenchmark", "PortfolioMetrics"]

PARTS = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class DataSplitter:
    """Bars in three parts that follow each other.

    Parameters
    ----------
    train, validation, test : float
        Shares of the bars, which add up to 1; a share of 0 leaves the part out.
    gap : int
        Bars that are left out before each part but the first, so that what was learnt does not reach into it.

    Raises
    ------
    ConfigError
        A share is negative, they do not add up to 1, or the gap is no whole number from 0 on.
    """

    train: float = 0.6
    validation: float = 0.2
    test: float = 0.2
    gap: int = 0

    def __post_init__(self) -> None:
        for name in PARTS:
            share = getattr(self, name)
            if isinstance(share, bool) or not isinstance(share, int | float | np.floating) or not 0.0 <= share <= 1.0:
                raise ConfigError(f"{name} is {share!r}; expected a share of the bars from 0 to 1")
        if not math.isclose(self.train + self.validation + self.test, 1.0, abs_tol=1e-9):
            raise ConfigError(
                f"train, validation and test are {self.train}, {self.validation}, {self.test}; expected shares that add up to 1"
            )
        if isinstance(self.gap, bool) or not isinstance(self.gap, int | np.integer) or self.gap < 0:
            raise ConfigError(f"gap is {self.gap!r}; expected a whole number of bars from 0 on")

    def bounds(self, bars: Bars) -> dict[str, tuple[int, int]]:
        """First bar of each part and the one after its last; DataError where a part would have no bar left."""
        ends = np.rint(np.cumsum([0.0, self.train, self.validation, self.test]) * bars.T).astype(int)
        found: dict[str, tuple[int, int]] = {}
        for name, first, past in zip(PARTS, ends[:-1].tolist(), ends[1:].tolist(), strict=True):
            if getattr(self, name) > 0.0:
                start = first + (self.gap if found else 0)
                if start >= past:
                    raise DataError(f"{name} would have no bar: {counted(bars.T, 'bar')}, {name}={getattr(self, name)}, gap={self.gap}")
                found[name] = (start, past)
        return found

    def split(self, bars: Bars) -> dict[str, Bars]:
        """The parts as bars of their own."""
        return {name: bars.slice(first, past) for name, (first, past) in self.bounds(bars).items()}


@dataclass(frozen=True, kw_only=True)
class PortfolioBenchmark:
    """What a strategy has to beat: fixed weights of the assets, a strategy itself.

    Parameters
    ----------
    weights : mapping of symbol to fraction of equity, optional
        Left out, all assets have the same, and none is borrowed for.
    rebalance : {"never", "monthly"}
        Bought once and held, or brought back to the weights at the first bar of each month of sessions.
    """

    weights: Mapping[str, float] | None = field(default=None)
    rebalance: str = "never"

    def __post_init__(self) -> None:
        if self.rebalance not in ("never", "monthly"):
            raise ConfigError(f"rebalance is {self.rebalance!r}; expected 'never' or 'monthly'")

    def __call__(self, bars: Bars) -> Weights:
        """Target weights for these bars: of each asset from its first market on."""
        table = np.full((bars.T, bars.N), np.nan)
        seen = np.logical_or.accumulate(~np.isnan(bars.close), axis=0)
        month = bars.session.astype("M8[D]").astype("M8[M]")
        speaks = np.zeros((bars.T, bars.N), dtype=bool)
        speaks[0], speaks[1:] = seen[0], seen[1:] & ~seen[:-1]
        if self.rebalance == "monthly":
            speaks[1:] |= seen[1:] & (month[1:] != month[:-1])[:, None]
        table[speaks] = np.broadcast_to(self._wanted(bars), table.shape)[speaks]
        return Weights(table)

    def _wanted(self, bars: Bars) -> np.ndarray:
        if self.weights is None:
            return np.full(bars.N, 1.0 / bars.N)
        for name in self.weights:
            if name not in bars.symbols:
                raise ConfigError(f"weights name {name!r}, which is none of the bars' assets; {nearest(str(name), bars.symbols)}")
        return np.array([float(self.weights.get(name, 0.0)) for name in bars.symbols])


@dataclass(frozen=True)
class PortfolioMetrics:
    """Figures of a portfolio at the end of a run: money, fractions, a ratio a year, counts."""

    value: float
    pnl: float
    total_return: float
    sharpe: float
    max_drawdown: float
    win_rate: float
    trades: int
    open_positions: int

    @classmethod
    def of(cls, result: Result) -> PortfolioMetrics:
        """Those of a result, all as in `Result.stats`; ConfigError where it has an account for each asset."""
        stats = result.stats()
        if stats.ndim != 1:
            raise ConfigError("each asset has an account of its own; metrics of a portfolio are those of one account")
        return cls(
            value=float(stats["final_equity"]), pnl=float(stats["profit"]), total_return=float(stats["total_return"]),
            sharpe=float(stats["sharpe"]), max_drawdown=float(stats["max_drawdown"]), win_rate=float(stats["win_rate"]),
            trades=int(stats["trades"]), open_positions=int(stats["open_positions"]),
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class BenchmarkReport:
    """What `BenchmarkRunner.run` found.

    Attributes
    ----------
    results : Result by strategy, then by part
    bounds : first bar of each part and the one after its last
    """

    results: Mapping[str, Mapping[str, Result]]
    bounds: Mapping[str, tuple[int, int]]

    @property
    def table(self) -> Table:
        """A row for each strategy and part, columns of `PortfolioMetrics`; a pandas DataFrame with two levels of rows."""
        import pandas as pd

        rows = {(name, part): vars(PortfolioMetrics.of(result)) for name, parts in self.results.items() for part, result in parts.items()}
        frame = pd.DataFrame.from_dict(rows, orient="index")
        frame.index = pd.MultiIndex.from_tuples(rows, names=["strategy", "part"])
        return frame

    def comparison(self, part: str = "test") -> Comparison:
        """All strategies over one part; see `vecbt.compare`."""
        if part not in self.bounds:
            raise ConfigError(f"part is {part!r}; {nearest(str(part), self.bounds)}")
        return compare({name: parts[part] for name, parts in self.results.items()})

    def __repr__(self) -> str:
        return f"BenchmarkReport\n{self.table.to_string(float_format=lambda v: f'{v:,.4g}')}"


class BenchmarkRunner:
    """Runs strategies over the parts of the bars, all with the same account, costs and rules.

    Indicators of a part are warm from the bars before it, as they would be on its first day, and the account starts flat in it. A strategy
    whose rule sees the account, or that gives orders, begins with the part's first bar. Each run is in the trial ledger.

    Parameters
    ----------
    splitter : DataSplitter, optional
        60, 20 and 20 % where left out.
    benchmark : PortfolioBenchmark or None
        Runs beside the strategies as `benchmark`; the default holds all assets equally.
    **keywords
        As for `backtest`, `costs` among them.
    """

    @explicit
    def __init__(
        self,
        splitter: DataSplitter | None = None,
        *,
        benchmark: PortfolioBenchmark | None = PortfolioBenchmark(),
        **keywords: Unpack[Keywords],
    ) -> None:
        self.splitter = splitter if splitter is not None else DataSplitter()
        if not isinstance(self.splitter, DataSplitter):
            raise ConfigError(f"splitter is {splitter!r}; expected a DataSplitter")
        if benchmark is not None and not isinstance(benchmark, PortfolioBenchmark):
            raise ConfigError(f"benchmark is {benchmark!r}; expected a PortfolioBenchmark, or None")
        self.benchmark, self.keywords = benchmark, keywords

    def run(self, strategies: Mapping[str, Any], bars: Bars) -> BenchmarkReport:
        """All strategies over all parts.

        Parameters
        ----------
        strategies : strategy by name, each as for `backtest`
        bars : Bars

        Raises
        ------
        ConfigError, DataError, InputError, StrategyError
            As `backtest` does; there is no strategy; one is called `benchmark` beside the benchmark.
        """
        if not isinstance(strategies, Mapping) or not strategies:
            raise ConfigError(f"strategies is {strategies!r}; expected at least one strategy by name")
        everyone = dict(strategies)
        if self.benchmark is not None:
            if "benchmark" in everyone:
                raise ConfigError("a strategy is called 'benchmark', which is the row of the benchmark; rename it, or pass benchmark=None")
            everyone["benchmark"] = self.benchmark
        bounds = self.splitter.bounds(bars)
        return BenchmarkReport({name: self._over(strategy, bars, bounds) for name, strategy in everyone.items()}, bounds)

    def _over(self, strategy: Any, bars: Bars, bounds: Mapping[str, tuple[int, int]]) -> dict[str, Result]:
        found = {}
        for part, (first, past) in bounds.items():
            alone = bars.slice(first, past)
            found[part] = backtest(alone, self._rows(strategy, bars.slice(0, past), alone), **self.keywords)
        return found

    def _rows(self, strategy: Any, until: Bars, part: Bars) -> Any:
        """What the strategy says in the part, having seen the bars before it; itself where it can only be asked inside of a run."""
        if strategy is self.benchmark or (isinstance(strategy, RuleStrategy) and strategy.sees_account):
            return strategy
        _, inputs = aligned_inputs(until, strategy)
        if inputs.orders is not None:
            return strategy
        flags = None if inputs.flags is None else inputs.flags[until.T - part.T :]
        values = None if inputs.values is None else inputs.values[until.T - part.T :]
        if flags is None and values is None:
            raise DataError(f"{strategy!r} says nothing from {label_text(int(part.index[0]))} on")
        return AlignedInputs(inputs.kind, flags, values)
