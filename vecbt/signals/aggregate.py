"""Aggregators: members' strengths made one number in [-1, 1] by averages, shrunk by volatility, or fitted into a portfolio.

Standard form: signals are numbers in [-1, 1], weights are at least 0 and made to add up to 1. An aggregator is a strategy when it has
members; `aggregate_signals` does the same with the last words of any sources, by name.
"""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayN, ArrayTN
from ..core.jit import kernel_loop
from ..data.market import Market
from ..engine.strategy import Strategy
from ..errors import ConfigError, InputError, nearest
from ..indicators.plan import Indicator, IndicatorPlan
from .combined import Columns, Combined, Machine, Stateless, View, as_members
from .ensemble import checked_weights
from .records import StrategySignal

__all__ = [
    "AGGREGATORS", "BaseAggregationConfig", "BaseAggregator", "PortfolioAggregationConfig", "PortfolioSignalAggregator",
    "VolatilityAdjustedAggregator", "VolatilityConfig", "WeightedAverageAggregator", "WeightedAverageConfig", "create_aggregator",
    "portfolio_run", "register_aggregator",
]  # fmt: skip


def _number(owner: Any, name: str, low: float, high: float) -> None:
    value = getattr(owner, name)
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating) or not low <= value <= high:
        raise ConfigError(f"{type(owner).__name__}.{name} is {value!r}; expected a number from {low:g} to {high:g}")


@dataclass(frozen=True, kw_only=True)
class BaseAggregationConfig:
    """What all aggregators have.

    weights : by member, at least 0, made to add up to 1; None: equal. A member left out of a mapping has none
    min_strength : combined strengths smaller than this become 0
    """

    weights: Mapping[str, float] | None = field(default=None, hash=False)
    min_strength: float = 0.0

    def __post_init__(self) -> None:
        _number(self, "min_strength", 0.0, 1.0)
        if self.weights is not None and not isinstance(self.weights, Mapping):
            raise ConfigError(f"{type(self).__name__}.weights is {self.weights!r}; expected a mapping of member to weight, or None")
        if self.weights is not None:
            object.__setattr__(self, "weights", dict(self.weights))
            checked_weights(self.weights, list(self.weights), type(self).__name__)


@dataclass(frozen=True, kw_only=True)
class WeightedAverageConfig(BaseAggregationConfig):
    """Of `WeightedAverageAggregator`.

    by_confidence : a member's weight is multiplied by its confidence. As a strategy that is |strength|; a member that gives booleans has
        none and is refused
    method : "average" of the signals, or "probability": the weighted mean of each member's probability that the price rises, 2p - 1 of
        it (a linear opinion pool, Stone 1961). That probability is the confidence of a buy, 1 less the confidence of a sell, 1/2 without
        a side; without a confidence (1 + signal)/2
    """

    by_confidence: bool = True
    method: str = "average"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.method not in ("average", "probability"):
            raise ConfigError(f"WeightedAverageConfig.method is {self.method!r}; expected 'average' or 'probability'")
        if not isinstance(self.by_confidence, bool | np.bool_):
            raise ConfigError(f"WeightedAverageConfig.by_confidence is {self.by_confidence!r}; expected True or False")
        if self.method == "probability" and self.by_confidence:
            object.__setattr__(self, "by_confidence", False)  # it is in the probabilities already


@dataclass(frozen=True, kw_only=True)
class VolatilityConfig(BaseAggregationConfig):
    """Of `VolatilityAdjustedAggregator`.

    window : bars of sigma, `close_sigma`
    target_volatility : sigma per bar up to which nothing is shrunk, a fraction above 0
    min_scale : a signal is never multiplied by less, from 0 to 1
    """

    window: int = 20
    target_volatility: float = 0.02
    min_scale: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        _number(self, "target_volatility", 1e-12, math.inf)
        _number(self, "min_scale", 0.0, 1.0)
        Indicator("close_sigma", self.window)


@dataclass(frozen=True, kw_only=True)
class PortfolioAggregationConfig(BaseAggregationConfig):
    """Of `PortfolioSignalAggregator`.

    asset_weights : by symbol, at least 0; an asset's signal is multiplied by its weight over the largest one. None: 1 each
    neutral : take the mean over the assets off each signal, so that longs and shorts balance
    top_n : keep the assets with the largest |signal|, the first listed where they are equal; None keeps all
    max_gross : all signals of a bar are shrunk alike until their |sum| is at most this; None: no bound
    """

    asset_weights: Mapping[str, float] | None = field(default=None, hash=False)
    neutral: bool = False
    top_n: int | None = None
    max_gross: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.asset_weights is not None:
            checked_weights(self.asset_weights, list(self.asset_weights), "PortfolioAggregationConfig.asset_weights, so")
            object.__setattr__(self, "asset_weights", dict(self.asset_weights))
        top = self.top_n
        if top is not None and (isinstance(top, bool) or not isinstance(top, int | np.integer) or top < 1):
            raise ConfigError(f"PortfolioAggregationConfig.top_n is {top!r}; expected a whole number of at least 1, or None")
        if self.max_gross is not None:
            _number(self, "max_gross", 1e-12, math.inf)

    def scales(self, symbols: tuple[str, ...]) -> ArrayN:
        """What each asset's signal is multiplied by, (N,); ConfigError for a symbol that is not there."""
        if self.asset_weights is None:
            return np.ones(len(symbols))
        for name in self.asset_weights:
            if name not in symbols:
                raise ConfigError(f"PortfolioAggregationConfig.asset_weights names {name!r}, which is no symbol; {nearest(name, symbols)}")
        given = np.array([float(self.asset_weights.get(symbol, 0.0)) for symbol in symbols])
        return np.asarray(given / max(float(max(self.asset_weights.values())), 1e-300))


@dataclass(frozen=True)
class BaseAggregator(Combined, ABC):
    """Base of aggregators; a subclass defines `combine`.

    Parameters
    ----------
    members : strategies by name, or a sequence of them; none where only `aggregate_signals` is used
    config : the parameters, of the class that belongs to the aggregator; None: its defaults

    A member without a word yet is left out, and the weights of the others count; with nobody there is no word.
    """

    members: Mapping[str, Strategy] = field(default_factory=dict, hash=False)
    config: Any = None

    @classmethod
    def config_type(cls) -> type[BaseAggregationConfig]:
        """The class of its parameters."""
        return BaseAggregationConfig

    @abstractmethod
    def combine(self, said: NDArray[np.float64], sure: NDArray[np.float64], weights: ArrayN) -> ArrayTN:
        """Strengths of shape `said.shape[1:]` from words (M, ...), confidences likewise (NaN where there is none) and weights (M,)."""

    def check(self) -> None:
        """Members and configuration as they are kept; weights must name members."""
        wanted = self.config_type()
        if self.config is None:
            object.__setattr__(self, "config", wanted())
        if not isinstance(self.config, wanted):
            raise ConfigError(f"{self.name}.config is {self.config!r}; expected {wanted.__name__}(...)")
        empty = isinstance(self.members, Mapping) and not self.members
        object.__setattr__(self, "members", {} if empty else as_members(self.members, self.name))
        if self.members and self.config.weights is not None:
            checked_weights(self.config.weights, list(self.members), self.name)

    @property
    def inputs(self) -> Mapping[str, Strategy]:
        """The members."""
        if not self.members:
            raise ConfigError(f"{self.name} has no members, so it is no strategy; give members=..., or use aggregate_signals")
        return self.members

    def machine(self, market: Market) -> Machine:
        """Combines the members' standing, elementwise."""
        return Stateless(self.combined)

    def combined(self, view: View) -> ArrayTN:
        """The combined strengths (L, N) of a view."""
        weights = np.array(list(checked_weights(self.config.weights, list(self.members), self.name).values()))
        sure = np.where(view.booleans[:, None, None], np.nan, np.abs(view.said))
        return self.cut(self.combine(view.said, sure, weights))

    def cut(self, values: ArrayTN) -> ArrayTN:
        """Values in [-1, 1], 0 where they are smaller than `min_strength`."""
        cut = np.clip(values, -1.0, 1.0)
        return np.where(np.abs(cut) < self.config.min_strength, 0.0, cut)

    def aggregate_signals(self, signals: Mapping[str, Any], weights: Mapping[str, float] | None = None) -> float:
        """One number in [-1, 1] from the last words of sources by name, NaN where there is none.

        Parameters
        ----------
        signals : numbers from -1 to 1 (NaN: no word), words ("buy", "sell", "hold"), or StrategySignal with a confidence
        weights : by source, at least 0, made to add up to 1; None: those of the configuration, else equal

        Raises
        ------
        InputError for a signal that may not be; ConfigError for weights below 0 or of unknown names.
        """
        if not isinstance(signals, Mapping) or not signals:
            raise InputError(f"signals is {signals!r}; expected a mapping of source to signal, with at least one")
        words = {name: signal if isinstance(signal, StrategySignal) else _word(signal) for name, signal in signals.items()}
        used = checked_weights(weights if weights is not None else self.config.weights, list(words), self.name)
        said = np.array([math.nan if word is None else word.strength for word in words.values()])
        sure = np.array([math.nan if word is None else self._confidence(word, name, signals) for name, word in words.items()])
        value = self.combine(said[:, None, None], sure[:, None, None], np.array(list(used.values())))
        return float(self.cut(value)[0, 0])

    def _confidence(self, word: StrategySignal, name: str, signals: Mapping[str, Any]) -> float:
        """A plain number is as sure as it is large; a record says so itself."""
        return word.confidence if isinstance(signals[name], StrategySignal) else abs(word.strength)


def _word(signal: Any) -> StrategySignal | None:
    if isinstance(signal, float | np.floating) and math.isnan(signal):
        return None
    return StrategySignal(signal)


def _mean(values: NDArray[np.float64], weights: NDArray[np.float64]) -> ArrayTN:
    """The weighted mean over members (axis 0), added up in their order; 0 where all weights are 0 but somebody speaks, NaN where nobody."""
    total, whole, spoke = np.zeros(values.shape[1:]), np.zeros(values.shape[1:]), np.zeros(values.shape[1:], dtype=np.bool_)
    for value, weight in zip(values, weights, strict=True):
        there = ~np.isnan(value)
        total = total + np.where(there, value * weight, 0.0)
        whole = whole + np.where(there, weight, 0.0)
        spoke = spoke | there
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spoke, np.where(whole > 0.0, total / whole, 0.0), np.nan)


@dataclass(frozen=True)
class WeightedAverageAggregator(BaseAggregator):
    """The weighted mean of signals, by confidence or by probability; `WeightedAverageConfig` has the parameters."""

    @classmethod
    def config_type(cls) -> type[BaseAggregationConfig]:
        """WeightedAverageConfig."""
        return WeightedAverageConfig

    def combined(self, view: View) -> ArrayTN:
        """The combined strengths (L, N) of a view; ConfigError where confidence is asked of a member that has none."""
        if self.config.by_confidence and view.booleans.any():
            name = list(self.members)[int(np.flatnonzero(view.booleans)[0])]
            remedy = "use WeightedAverageConfig(by_confidence=False)"
            raise ConfigError(f"member {name!r} of {self.name} gives booleans and no confidence; {remedy}")
        return super().combined(view)

    def combine(self, said: NDArray[np.float64], sure: NDArray[np.float64], weights: ArrayN) -> ArrayTN:
        """See the configuration."""
        given = np.broadcast_to(weights[:, None, None], said.shape)
        if self.config.method == "probability":
            chance = np.where(np.isnan(sure), 0.5 * (1.0 + said), np.where(said > 0.0, sure, np.where(said < 0.0, 1.0 - sure, 0.5)))
            return 2.0 * _mean(np.where(np.isnan(said), np.nan, chance), given) - 1.0
        if self.config.by_confidence:
            return _mean(np.where(np.isnan(sure), np.nan, said), given * np.where(np.isnan(sure), 0.0, sure))
        return _mean(said, given)


@dataclass(frozen=True)
class VolatilityAdjustedAggregator(BaseAggregator):
    """The weighted mean of signals, multiplied by `min(1, target_volatility/sigma)`; `VolatilityConfig` has the parameters.

    `aggregate_signals(..., volatility=0.04)` takes sigma from the caller. While sigma is not there a strategy says nothing.
    """

    @classmethod
    def config_type(cls) -> type[BaseAggregationConfig]:
        """VolatilityConfig."""
        return VolatilityConfig

    def combine(self, said: NDArray[np.float64], sure: NDArray[np.float64], weights: ArrayN) -> ArrayTN:
        """The weighted mean, not yet shrunk."""
        return _mean(said, np.broadcast_to(weights[:, None, None], said.shape))

    def scale(self, sigma: Any) -> Any:
        """What a signal is multiplied by at sigma per bar; elementwise."""
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = np.where(sigma > self.config.target_volatility, self.config.target_volatility / sigma, 1.0)
        return np.where(np.isnan(sigma), np.nan, np.maximum(scale, self.config.min_scale))

    def machine(self, market: Market) -> Machine:
        """Sigma, and the mean."""
        return _Shrunk(self, Columns(IndicatorPlan({"sigma": Indicator("close_sigma", self.config.window)}), market))

    def aggregate_signals(
        self, signals: Mapping[str, Any], weights: Mapping[str, float] | None = None, *, volatility: float = 0.0
    ) -> float:
        """As for `BaseAggregator`, shrunk for a sigma per bar of `volatility`."""
        if isinstance(volatility, bool) or not isinstance(volatility, int | float | np.floating) or not volatility >= 0.0:
            raise InputError(f"volatility is {volatility!r}; expected sigma per bar, a number of at least 0")
        return float(super().aggregate_signals(signals, weights) * self.scale(np.float64(volatility)))


@dataclass
class _Shrunk:
    aggregator: VolatilityAdjustedAggregator
    columns: Columns

    @property
    def parts(self) -> list[NDArray[Any]]:
        return self.columns.parts

    def run(self, view: View) -> ArrayTN:
        return self.aggregator.combined(view) * self.aggregator.scale(self.columns.run(view)["sigma"])  # type: ignore[no-any-return]


@kernel_loop
def portfolio_run(values, scales, neutral, top, most, out):  # type: ignore[no-untyped-def]
    """Signals of all assets of a bar fitted together, (L, N) into `out`; NaN stays and takes no part. `values` is written over."""
    assets = values.shape[1]
    for t in range(values.shape[0]):
        total, count = 0.0, 0
        for n in range(assets):
            scaled = values[t, n] * scales[n]
            values[t, n] = scaled
            if scaled == scaled:
                total += scaled
                count += 1
        average = total / count if neutral == 1 and count > 0 else 0.0
        for n in range(assets):
            values[t, n] = values[t, n] - average
        gross = 0.0
        for n in range(assets):
            ahead, size = 0, abs(values[t, n])
            if top < assets:
                for k in range(assets):
                    other = abs(values[t, k])
                    if other > size or (other == size and k < n):
                        ahead += 1
            out[t, n] = values[t, n] if ahead < top or size != size else 0.0
            if size == size:
                gross += abs(out[t, n])
        if gross > most:
            for n in range(assets):
                out[t, n] = out[t, n] * (most / gross)


@dataclass(frozen=True)
class PortfolioSignalAggregator(BaseAggregator):
    """The weighted mean of signals in each asset, then fitted together across assets; `PortfolioAggregationConfig` has the parameters.

    In this order: weights of assets, the mean taken off (neutral), the largest kept, gross cut, and what is left cut to [-1, 1].
    """

    @classmethod
    def config_type(cls) -> type[BaseAggregationConfig]:
        """PortfolioAggregationConfig."""
        return PortfolioAggregationConfig

    def combine(self, said: NDArray[np.float64], sure: NDArray[np.float64], weights: ArrayN) -> ArrayTN:
        """The weighted mean in each asset."""
        return _mean(said, np.broadcast_to(weights[:, None, None], said.shape))

    def machine(self, market: Market) -> Machine:
        """The mean, and the fit; nothing is remembered."""
        scales = self.config.scales(market.symbols)

        def says(view: View) -> ArrayTN:
            standing = np.where(np.isnan(view.close), np.nan, self.combined(view))  # who has no market takes no room
            return self.fitted(standing, scales)

        return Stateless(says)

    def fitted(self, values: ArrayTN, scales: ArrayN) -> ArrayTN:
        """Signals (L, N) of all assets, fitted together."""
        config, out = self.config, np.empty(values.shape)
        top = values.shape[1] if config.top_n is None else int(config.top_n)
        most = math.inf if config.max_gross is None else float(config.max_gross)
        portfolio_run(np.array(values), scales, int(bool(config.neutral)), top, most, out)
        return np.clip(out, -1.0, 1.0)

    def aggregate_portfolio(self, signals: Mapping[str, Any], weights: Mapping[str, float] | None = None) -> dict[str, float]:
        """Numbers by asset: `signals` holds per asset one signal (a number, a word, a StrategySignal), or signals by source."""
        if not isinstance(signals, Mapping) or not signals:
            raise InputError(f"signals is {signals!r}; expected a mapping of asset to signals, with at least one")
        assets = tuple(signals)
        values = []
        for given in signals.values():
            plain = isinstance(given, Mapping) and not isinstance(given, StrategySignal)
            values.append(self.aggregate_signals(given if plain else {"signal": given}, weights if plain else None))
        fitted = self.fitted(np.array([values]), self.config.scales(assets))
        return dict(zip(assets, fitted[0].tolist(), strict=True))


AGGREGATORS: dict[str, type[BaseAggregator]] = {
    "portfolio": PortfolioSignalAggregator,
    "volatility_adjusted": VolatilityAdjustedAggregator,
    "weighted_average": WeightedAverageAggregator,
}
"""Names that configurations use, and what they stand for; `register_aggregator` adds to it."""


def register_aggregator(name: str, cls: type[BaseAggregator]) -> type[BaseAggregator]:
    """Give an aggregator a name; gives the class back. ConfigError for a name that is taken by another, or no class of aggregators."""
    if not (isinstance(cls, type) and issubclass(cls, BaseAggregator)):
        raise ConfigError(f"cls is {cls!r}; expected a subclass of BaseAggregator")
    if not isinstance(name, str) or not name or AGGREGATORS.get(name, cls) is not cls:
        raise ConfigError(f"name is {name!r}; expected a text that is not taken: {', '.join(sorted(AGGREGATORS))} are")
    AGGREGATORS[name] = cls
    return cls


def create_aggregator(type: str, members: Any = None, **options: Any) -> BaseAggregator:
    """An aggregator from its name: `create_aggregator("volatility_adjusted", members, target_volatility=0.01)`.

    Parameters
    ----------
    type : "weighted_average", "volatility_adjusted", "portfolio", or one that was registered
    members : strategies by name or a sequence of them; None where only `aggregate_signals` is used
    **options : fields of its configuration

    Raises
    ------
    ConfigError for an unknown name or option, which names the nearest.
    """
    if type not in AGGREGATORS:
        raise ConfigError(f"there is no aggregator {type!r}; {nearest(str(type), AGGREGATORS)}")
    kind = AGGREGATORS[type]
    wanted = kind.config_type()
    known = [f.name for f in dataclasses.fields(wanted)]
    for name in options:
        if name not in known:
            raise ConfigError(f"{wanted.__name__} has no parameter {name!r}; {nearest(name, known)}")
    return kind({} if members is None else members, wanted(**options))
