"""Portfolios (PFM-08): each stock has strategies of its own, what they want is averaged, and its share of the equity follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayN
from ..core.codes import InputKind
from ..data.bar import NormalBar
from ..data.bars import Bars
from ..data.market import Market
from ..engine.inputs import Weights
from ..engine.strategy import Strategy, written
from ..errors import ConfigError, nearest
from .binding import BoundFeed, bound_rows, column_of, restore_all, save_all
from .portfolio_config import checked_aggregation, checked_allocation, checked_members, checked_stocks
from .stances import stance_of
from .trend import EmaCross, SmaCross

__all__ = ["BasePortfolioStrategy", "HybridPortfolio", "MACrossoverPortfolio", "MultiStrategyPortfolio", "PortfolioConfig", "PortfolioFeed"]

Said = list[tuple[InputKind, NDArray[Any]]]


@dataclass(frozen=True)
class BasePortfolioStrategy(Strategy):
    """Base of portfolios: `allocation` of a stock, times the weighted mean of what its strategies want, -1 (short) to 1 (long).

    Parameters
    ----------
    stocks : symbols, in any order; other symbols of the market are left alone
    strategies : symbol to its strategy, or to several by label. A strategy is given as a Strategy, by the name of a registered one, or as
        `{"type": name, "params": {...}, "weight": number}`; a label without a type is the name. A stock has at most one of each type
    allocation : symbol to its share of equity, at least 0; None: 1/N each
    aggregation : `{"type": "weighted", "weights": {label: number}}`; a strategy without a weight has 1. Only ratios count

    Each strategy sees its stock alone and gives Signals or Strengths. Signals become a stance as an account without stops would have it
    (S2, F11). The portfolio gives target weights, for a stock on the bars where its target changes: between them its weight drifts.

    Raises
    ------
    ConfigError for stocks, names, parameters, weights that may not be, with place and nearest known name.
    """

    stocks: tuple[str, ...]
    strategies: Mapping[str, Any] | None = field(default=None, hash=False)
    allocation: Mapping[str, float] | None = field(default=None, hash=False)
    aggregation: Mapping[str, Any] | None = field(default=None, hash=False)

    everywhere: ClassVar[str] = ""
    """The strategy of each stock where none is given; empty: they must be given."""

    def check(self) -> None:
        """Names become strategies, and what was left out its default."""
        stocks = checked_stocks(self.stocks, self.name)
        given = dict.fromkeys(stocks, self.everywhere) if self.strategies is None and self.everywhere else self.strategies
        aggregation = checked_aggregation(self.aggregation, self.name)
        object.__setattr__(self, "stocks", stocks)
        object.__setattr__(self, "aggregation", aggregation)
        object.__setattr__(self, "allocation", checked_allocation(self.allocation, stocks, self.name))
        object.__setattr__(self, "strategies", checked_members(given, stocks, aggregation["weights"], self.name))

    def members_of(self, symbol: str) -> dict[str, tuple[Strategy, float]]:
        """The strategies of a stock with their weights, by label; ConfigError for a stock the portfolio does not have."""
        if symbol not in self.stocks:
            raise ConfigError(f"{self.name} has no stock {symbol!r}; {nearest(symbol, self.stocks)}")
        assert self.strategies is not None
        return {label: (member["strategy"], member["weight"]) for label, member in self.strategies[symbol].items()}

    @property
    def warmup(self) -> int:
        """The least of its members': none says anything before."""
        return min(strategy.warmup for symbol in self.stocks for strategy, _ in self.members_of(symbol).values())

    def targets(self, symbol: str, said: Said, present: NDArray[np.bool_], memory: ArrayN) -> ArrayN:
        """Target weights (T,) of a stock from what its strategies say (T,), NaN where they stay.

        `memory` is what goes on from bar to bar: the stance of each member, then the target last said.
        """
        assert self.allocation is not None
        members = self.members_of(symbol)
        wanted = np.zeros(len(present))
        for k, ((kind, column), (strategy, weight)) in enumerate(zip(said, members.values(), strict=True)):
            wanted += weight * stance_of(kind, column, present, memory[k : k + 1], strategy.name)
        total = sum(weight for _, weight in members.values())
        wanted = wanted / total * self.allocation[symbol] + 0.0  # one way to write zero
        before = np.concatenate((memory[-1:], wanted))
        memory[-1] = before[-1]
        return np.where(before[1:] != before[:-1], before[1:], np.nan)

    def rows(self, bars: Bars) -> Weights:
        """The target of each stock where it changes."""
        out = np.full((bars.T, bars.N), np.nan)
        for symbol in self.stocks:
            n = column_of(symbol, bars.market, self.name)
            said: Said = []
            for strategy, _ in self.members_of(symbol).values():
                inputs = bound_rows(strategy, bars, symbol)
                column = inputs.values if inputs.flags is None else inputs.flags
                assert column is not None
                said.append((inputs.kind, column[:, 0]))
            out[:, n] = self.targets(symbol, said, ~np.isnan(bars.close[:, n]), np.zeros(len(said) + 1))
        return Weights(out)

    def feed(self, market: Market) -> PortfolioFeed:
        """The members' feeds, their stances, and the targets last said."""
        return PortfolioFeed(self, market)


class PortfolioFeed:
    """The stepping feed of a portfolio."""

    def __init__(self, strategy: BasePortfolioStrategy, market: Market) -> None:
        self._strategy, self._assets = strategy, market.N
        self._columns = [column_of(symbol, market, strategy.name) for symbol in strategy.stocks]
        members = [strategy.members_of(symbol).values() for symbol in strategy.stocks]
        self._feeds = [[BoundFeed(s, market, n) for s, _ in group] for group, n in zip(members, self._columns, strict=True)]
        self._memories = [np.zeros(len(group) + 1) for group in members]

    def update(self, bar: NormalBar) -> Weights:
        """Weights (N,) of one more bar, NaN where nothing changes."""
        out = np.full(self._assets, np.nan)
        present = ~np.isnan(bar.close)
        for symbol, n, feeds, memory in zip(self._strategy.stocks, self._columns, self._feeds, self._memories, strict=True):
            said = [feed.update(bar) for feed in feeds]
            out[n] = self._strategy.targets(symbol, said, present[n : n + 1], memory)[0]
        return Weights(out)

    def _header(self) -> dict[str, Any]:
        return {"kind": "portfolio", "strategy": written(self._strategy), "assets": self._assets, "columns": self._columns}

    @property
    def _members(self) -> list[BoundFeed]:
        return [feed for group in self._feeds for feed in group]

    def save(self) -> bytes:
        """The state as bytes."""
        return save_all(self._header(), self._members, *self._memories)

    def restore(self, data: bytes) -> None:
        """Go on from saved bytes; StateError when they are of another portfolio."""
        restore_all(data, self._header(), self._members, *self._memories)


@dataclass(frozen=True)
class MACrossoverPortfolio(BasePortfolioStrategy):
    """A portfolio in which every stock is traded by a crossing of moving averages; `ma_crossover` where no strategies are given.

    Parameters
    ----------
    stocks, strategies, allocation, aggregation : as in `BasePortfolioStrategy`; strategies are SmaCross or EmaCross
    """

    everywhere: ClassVar[str] = "ma_crossover"

    def check(self) -> None:
        """Crossings only."""
        super().check()
        for symbol in self.stocks:
            for label, (strategy, _) in self.members_of(symbol).items():
                if not isinstance(strategy, (SmaCross, EmaCross)):
                    place = f"{self.name}.strategies[{symbol!r}][{label!r}]"
                    raise ConfigError(f"{place} is a {strategy.name}; expected SmaCross or EmaCross, or use HybridPortfolio")


@dataclass(frozen=True)
class HybridPortfolio(BasePortfolioStrategy):
    """A portfolio in which stocks are traded by strategies of different types, weighed by type (`aggregation`).

    Parameters
    ----------
    stocks, strategies, allocation, aggregation : as in `BasePortfolioStrategy`
    """


@dataclass(frozen=True)
class MultiStrategyPortfolio(BasePortfolioStrategy):
    """A portfolio in which each stock has several strategies, each with a weight beside it.

    Parameters
    ----------
    stocks, strategies, allocation, aggregation : as in `BasePortfolioStrategy`; weights stand beside the strategies, or in `aggregation`
    """

    @classmethod
    def of(cls, config: PortfolioConfig) -> MultiStrategyPortfolio:
        """The portfolio that a configuration describes; ConfigError for a strategy that is not registered."""
        traded = tuple(symbol for symbol in config.stocks if config.strategies_of(symbol))
        shares = checked_allocation(config.allocation, config.stocks, config.name)
        return cls(stocks=traded, strategies=config.strategies, allocation={symbol: shares[symbol] for symbol in traded})


class PortfolioConfig:
    """Configuration of a portfolio, as a mapping that a file could hold.

    ```python
    config = PortfolioConfig({
        "name": "tech_portfolio",
        "stocks": ["AAPL", "MSFT"],
        "strategies": {
            "AAPL": {
                "ma_crossover": {"weight": 0.6, "params": {"fast": 10, "slow": 50}},
                "rsi": {"weight": 0.4, "params": {"window": 14}},
            },
            "MSFT": {"ma_crossover": {"weight": 1.0}},
        },
    })
    strategy = config.build()
    ```

    Stocks and keys are checked at once; strategies are looked up when the portfolio is built, so that they may be registered later. A
    stock without strategies is listed and not traded.

    Parameters
    ----------
    config : `name`, `stocks`, `strategies` (symbol to name of a strategy to `weight` and `params`), and `allocation` if not 1/N each
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        known = ("name", "stocks", "strategies", "allocation")
        if not isinstance(config, Mapping):
            raise ConfigError(f"a portfolio's configuration is {config!r}; expected a mapping with {', '.join(known)}")
        for key in config:
            if key not in known:
                raise ConfigError(f"a portfolio has no key {key!r}; {nearest(str(key), known)}")
        self.name = str(config.get("name", "portfolio"))
        """What it is called."""
        self.stocks = checked_stocks(config.get("stocks"), self.name)
        """The symbols."""
        self.strategies: dict[str, Any] = dict(config.get("strategies") or {})
        """Symbol to name of a strategy to its weight and parameters."""
        self.allocation: dict[str, float] | None = None
        """Symbol to its share of equity; None: 1/N each."""
        for symbol in self.strategies:
            if symbol not in self.stocks:
                raise ConfigError(f"{self.name}.strategies names {symbol!r}, which is not among the stocks; {nearest(symbol, self.stocks)}")
        if config.get("allocation") is not None:
            self.allocation = checked_allocation(config["allocation"], self.stocks, self.name)

    def strategies_of(self, symbol: str) -> list[str]:
        """The names of a stock's strategies."""
        given = self.strategies.get(symbol, {})
        return [given] if isinstance(given, str) else list(given)

    def build(self) -> MultiStrategyPortfolio:
        """The portfolio: see `MultiStrategyPortfolio.of`."""
        return MultiStrategyPortfolio.of(self)

    def __repr__(self) -> str:
        return f"PortfolioConfig({self.name!r}, stocks={list(self.stocks)})"
