"""States of the market: trend, volatility and volume, each in bins whose edges were found on the part that is trained on."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._typing import ArrayTN, IndexT, Table
from ...data.bars import Bars
from ...data.market import Market
from ...errors import ConfigError, InputError, nearest
from ...indicators.plan import Indicator, IndicatorPlan
from ...indicators.shape import readonly
from ...signals.combined import Columns, View
from .kernels import mean_of_assets, states_run

__all__ = ["FEATURES", "MarketStates", "StateMachine", "words_of"]

FEATURES = ("trend", "volatility", "volume")
"""What a state is made of, in order."""

_WORDS = {
    "trend": {1: ("any trend",), 2: ("falling", "rising"), 3: ("falling", "sideways", "rising")},
    "volatility": {1: ("any volatility",), 2: ("calm", "wild"), 3: ("calm", "usual", "wild")},
    "volume": {1: ("any volume",), 2: ("thin", "heavy"), 3: ("thin", "middling", "heavy")},
}
_MOST = 12  # bins of a feature


@dataclass(frozen=True)
class MarketStates:
    """How bars become states: three features, each the mean over the assets that have one, cut into bins.

    Parameters
    ----------
    trend_window : bars; the trend is the close over its simple average, less 1
    volatility_window : bars; the volatility is the root of the mean square of returns (`close_sigma`)
    volume_window : bars; the volume is that of the bar over its simple average (`volume_ratio`)
    trend_bins, volatility_bins, volume_bins : how many bins, 1 to 12; with 1 the feature is not looked at (and no volume is needed)
    trend_edges, volatility_edges, volume_edges : rising numbers between the bins, one less than there are; () before `fit`. A value on an
        edge is in the bin above it

    A state is known from the first bar on which all features have a value; on a bar without one it stays as it was. Raises ConfigError for
    windows, bins and edges that may not be.
    """

    trend_window: int = 50
    volatility_window: int = 20
    volume_window: int = 20
    trend_bins: int = 3
    volatility_bins: int = 3
    volume_bins: int = 3
    trend_edges: tuple[float, ...] = ()
    volatility_edges: tuple[float, ...] = ()
    volume_edges: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for feature in FEATURES:
            window, bins = getattr(self, f"{feature}_window"), getattr(self, f"{feature}_bins")
            for name, value, most in ((f"{feature}_window", window, math.inf), (f"{feature}_bins", bins, _MOST)):
                if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 1 <= value <= most:
                    raise ConfigError(f"MarketStates.{name} is {value!r}; expected a whole number from 1{f' to {most}' * (most == _MOST)}")
            edges = tuple(float(edge) for edge in getattr(self, f"{feature}_edges"))
            rising = all(a <= b for a, b in itertools.pairwise(edges)) and all(map(math.isfinite, edges))
            if not rising or len(edges) not in (0, bins - 1):
                raise ConfigError(f"MarketStates.{feature}_edges is {edges!r}; expected {bins - 1} rising numbers, or () before fit")
            object.__setattr__(self, f"{feature}_edges", edges)

    @classmethod
    def of(cls, given: Any) -> MarketStates:
        """Of a mapping of its fields, such as `to_dict` gives; one that is made comes back as it is. ConfigError for an unknown name."""
        if isinstance(given, cls):
            return given
        if not isinstance(given, Mapping):
            raise ConfigError(f"states is {given!r}; expected MarketStates(...)")
        known = [f.name for f in fields(cls)]
        for name in given:
            if name not in known:
                raise ConfigError(f"states has {name!r}; {nearest(str(name), known)}")
        return cls(**given)

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain values."""
        return asdict(self)

    @property
    def bins(self) -> tuple[int, int, int]:
        """Bins of trend, volatility and volume."""
        return self.trend_bins, self.volatility_bins, self.volume_bins

    @property
    def edges(self) -> tuple[tuple[float, ...], ...]:
        """Edges of trend, volatility and volume."""
        return self.trend_edges, self.volatility_edges, self.volume_edges

    @property
    def count(self) -> int:
        """How many states there are."""
        return math.prod(self.bins)

    @property
    def fitted(self) -> bool:
        """Whether all edges are known."""
        return all(len(edges) == bins - 1 for edges, bins in zip(self.edges, self.bins, strict=True))

    @property
    def names(self) -> tuple[str, ...]:
        """The states in words, in order of their numbers; what is not looked at is left out."""
        words = [words_of(name, bins) for name, bins in zip(FEATURES, self.bins, strict=True) if bins > 1]
        return tuple(", ".join(each) for each in itertools.product(*words)) if words else ("any state",)

    @property
    def plan(self) -> IndicatorPlan:
        """The indicators behind the features that are looked at."""
        declared = {}
        if self.trend_bins > 1:
            declared["average"] = Indicator("sma", self.trend_window)
        if self.volatility_bins > 1:
            declared["spread"] = Indicator("close_sigma", self.volatility_window)
        if self.volume_bins > 1:
            declared["activity"] = Indicator("volume_ratio", self.volume_window)
        return IndicatorPlan(declared)

    @property
    def warmup(self) -> int:
        """Bars before the first state."""
        return self.plan.warmup

    def features(self, bars: Bars) -> NDArray[np.float64]:
        """Trend, volatility and volume of each bar, (3, T): fractions, a fraction per bar, a ratio. NaN before there is a value."""
        if self.plan.needs_volume and not bars.has_volume:
            raise InputError("states look at the volume, and these bars have none; give states=MarketStates(volume_bins=1)")
        machine = StateMachine(self, bars.market)
        prices = readonly(np.ascontiguousarray(bars.for_strategies.block))
        return machine.features(View(prices, bars.index, np.empty((0, bars.T, bars.N)), np.empty(0, dtype=np.bool_), None))

    def fit(self, bars: Bars) -> MarketStates:
        """The same with edges that cut these bars into equally many a bin; ConfigError where a feature has no value on any of them."""
        found: dict[str, Any] = {}
        for name, bins, values in zip(FEATURES, self.bins, self.features(bars), strict=True):
            known = values[~np.isnan(values)]
            if bins > 1 and not len(known):
                raise ConfigError(f"no bar of {bars.T} has a {name}; expected more than {self.warmup} bars to find the edges of states on")
            found[f"{name}_edges"] = tuple(np.quantile(known, np.arange(1, bins) / bins).tolist()) if bins > 1 else ()
        return replace(self, **found)

    def on(self, bars: Bars) -> IndexT:
        """The state of each bar (T,), int64: a place in `names`, -1 before there is one."""
        return StateMachine(self, bars.market).states(self.features(bars))

    def table(self) -> Table:
        """A pandas frame with a row per bin: feature, bin, from, to."""
        import pandas as pd

        rows = []
        for name, bins, edges in zip(FEATURES, self.bins, self.edges, strict=True):
            ends = (-math.inf, *edges, math.inf)
            rows += [(name, word, ends[k], ends[k + 1]) for k, word in enumerate(words_of(name, bins))]
        return pd.DataFrame(rows, columns=["feature", "bin", "from", "to"])


def words_of(feature: str, bins: int) -> tuple[str, ...]:
    """The bins of a feature in words, from the lowest on."""
    return _WORDS[feature].get(bins) or tuple(f"{feature} {k + 1} of {bins}" for k in range(bins))


class StateMachine:
    """States at work: the indicators' streams, and the last state."""

    def __init__(self, states: MarketStates, market: Market) -> None:
        if not states.fitted:
            self._edges = None
        else:
            self._edges = np.zeros((len(FEATURES), max(1, *states.bins) - 1 or 1))
            for row, edges in zip(self._edges, states.edges, strict=True):
                row[: len(edges)] = edges
        self._bins = np.array(states.bins, dtype=np.int64)
        self._columns = Columns(states.plan, market)
        self._last = np.full(1, -1, dtype=np.int64)

    @property
    def parts(self) -> list[NDArray[Any]]:
        """All that changes from bar to bar."""
        return [*self._columns.parts, self._last]

    def features(self, view: View) -> NDArray[np.float64]:
        """Features (3, L) of these bars; the indicators go on."""
        found, out = self._columns.run(view), np.full((len(FEATURES), len(view.labels)), np.nan)
        given: dict[str, ArrayTN] = {name: found[name] for name in ("spread", "activity") if name in found}
        if "average" in found:
            with np.errstate(divide="ignore", invalid="ignore"):
                given["average"] = view.close / found["average"] - 1.0
        for place, name in enumerate(("average", "spread", "activity")):
            if name in given:
                mean_of_assets(readonly(np.ascontiguousarray(given[name])), out[place])
        return out

    def states(self, features: NDArray[np.float64]) -> IndexT:
        """States (L,) of features (3, L); the last one goes on. ConfigError where the edges were never found."""
        if self._edges is None:
            raise ConfigError("the states have no edges yet; take states.fit(bars of the training part)")
        out = np.empty(features.shape[1], dtype=np.int64)
        states_run(np.ascontiguousarray(features), self._edges, self._bins, self._last, out)
        return out
