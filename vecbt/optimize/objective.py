"""What is wanted of a set: scores from its metrics, higher is better, with the sign and the scale of every part said.

A metric whose lower values are better (`max_drawdown`, a positive fraction) scores by its negative. A score is NaN where a metric is.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..analytics.sweep_lines import LOWER_IS_BETTER, statistic
from ..errors import ConfigError, VecbtError
from .seen import MEASURES, OTHER_NAMES, Seen, measure_name

__all__ = ["FIRST", "Fitness", "Metric", "Objective", "Penalty", "Weighted", "as_objective", "as_objectives", "objective_of"]

_EITHER = frozenset({"average_holding_bars", "trades", "trades_per_year"})
"""Neither high nor low is better in itself: both signs of a weight may be meant."""

FIRST = "first generation"


class Objective(ABC):
    """Scores of sets, higher is better. `repr` says in words what is scored."""

    needs_moments: bool = False
    """Whether it looks at MOMENTS, which take sums over parts of the bars."""

    looks_around: bool = False
    """Whether a set's score depends on what else was evaluated. The result of a search scores all sets anew at its end then."""

    @abstractmethod
    def scores(self, seen: Seen) -> NDArray[np.float64]:
        """Of the sets to be judged (n,); NaN where there is none."""


def _kind(name: str) -> str:
    """The unit of a measure."""
    return "count a year" if name == "trades_per_year" else statistic(name).kind


def _spoken(name: str) -> str:
    """A measure with its unit and direction."""
    lower = ", lower is better" if name in LOWER_IS_BETTER else ""
    return f"{name} [{_kind(name)}{lower}]"


def _number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool) and math.isfinite(value)


@dataclass(frozen=True, repr=False)
class Metric(Objective):
    """One metric by its name: itself, or its negative where lower is better."""

    name: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", measure_name(self.name))

    def scores(self, seen: Seen) -> NDArray[np.float64]:
        """See `Objective`."""
        values = seen.values(self.name)
        return -values if self.name in LOWER_IS_BETTER else values

    def __repr__(self) -> str:
        return f"{'-' if self.name in LOWER_IS_BETTER else ''}{_spoken(self.name)}"


@dataclass(frozen=True, repr=False)
class Weighted(Objective):
    """A weighted sum of metrics: `Weighted({"sharpe": 1.0, "total_return": 0.3, "win_rate": 0.2, "max_drawdown": -0.1})`.

    Parts have different units: a ratio of 1.5, a fraction of 0.1 for ten percent, a count of 200 trades. Without `scales` each part is in
    its own unit, so the weights must know them. Where that is no help, several objectives in a list give the Pareto front instead.

    Parameters
    ----------
    weights : by name of the metric. The sign is that of the sum: where lower is better (`max_drawdown` is a positive fraction) it must be
        negative, where higher is better positive; counts of trades and bars held may have either
    scales : by name, what counts as one of a metric: each part is `weight * value / scale`; those not named are 1. Or "first generation":
        the standard deviation of each metric over the sets of the first generation, fixed from then on (1 where it is 0)

    Raises
    ------
    ConfigError for an unknown metric, a sign that would make the sum better as the metric gets worse, or a scale that is not above 0.
    """

    weights: Mapping[str, float]
    scales: Mapping[str, float] | str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.weights, Mapping) or not self.weights:
            raise ConfigError(f"Weighted: weights is {self.weights!r}; expected {{'sharpe': 1.0, 'max_drawdown': -0.1}}")
        weights: dict[str, float] = {}
        for given, weight in self.weights.items():
            name = measure_name(given)
            if name in weights:
                raise ConfigError(f"Weighted: {name} has two weights; {given!r} is another name of it")
            weights[name] = _checked_weight(name, weight)
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "scales", _checked_scales(self.scales, weights))

    def scores(self, seen: Seen) -> NDArray[np.float64]:
        """See `Objective`."""
        total = np.zeros(len(seen))
        for name, weight in self.weights.items():
            total += weight * (seen.values(name) / self._scale(name, seen))
        return total

    def _scale(self, name: str, seen: Seen) -> float:
        if isinstance(self.scales, Mapping):
            return self.scales.get(name, 1.0)
        if self.scales is None:
            return 1.0
        values = seen.everywhere(name)[: seen.first]
        known = values[np.isfinite(values)]
        spread = float(known.std()) if len(known) > 1 else 0.0
        return spread if spread > 0.0 else 1.0

    def __repr__(self) -> str:
        parts = []
        for name, weight in self.weights.items():
            scale = f" / {self.scales[name]:g}" if isinstance(self.scales, Mapping) and name in self.scales else ""
            over = f" / its deviation in the {FIRST}" if self.scales == FIRST else scale
            parts.append(f"{weight:+g} x {_spoken(name)}{over}")
        return " ".join(parts)


def _checked_weight(name: str, weight: Any) -> float:
    if not _number(weight) or weight == 0:
        raise ConfigError(f"Weighted: the weight of {name} is {weight!r}; expected a finite number that is not 0")
    if name in LOWER_IS_BETTER and weight > 0:
        unit = "a positive number here" if name != "max_drawdown" else "a positive fraction here (0.2 is a fall of 20 %)"
        what = f"Weighted: the weight of {name} is {weight:g}, but {name} is {unit}, and lower is better"
        raise ConfigError(f"{what}: a positive weight would reward it; give {-weight:g}")
    if name not in LOWER_IS_BETTER and name not in _EITHER and weight < 0:
        what = f"Weighted: the weight of {name} is {weight:g}, and of {name} higher is better"
        raise ConfigError(f"{what}: a negative weight would reward the worst; give {-weight:g}")
    return float(weight)


def _checked_scales(given: Any, weights: Mapping[str, float]) -> dict[str, float] | str | None:
    if given is None or given == FIRST:
        return FIRST if given == FIRST else None
    if not isinstance(given, Mapping):
        raise ConfigError(f"Weighted: scales is {given!r}; expected {{'total_return': 0.1}}, {FIRST!r} or None")
    scales = {}
    for other, scale in given.items():
        name = measure_name(other)
        if name not in weights:
            raise ConfigError(f"Weighted: scales names {other!r}, which has no weight; the weights are of {', '.join(weights)}")
        if not _number(scale) or scale <= 0:
            raise ConfigError(f"Weighted: the scale of {name} is {scale!r}; expected a number above 0, which counts as one of it")
        scales[name] = float(scale)
    return scales


@dataclass(frozen=True, repr=False)
class Penalty(Objective):
    """An objective less a penalty for what is out of bounds: `Penalty("trades", at_least=30, weight=2.0, of="sharpe")`.

    `weight` is subtracted for each whole bound that a set falls short of, or exceeds: 15 trades of 30 cost half of it, no trade all of it;
    with `at_most=100`, 150 cost half of it. So the weight is in the unit of the objective. A penalty may be `of` another one.

    Parameters
    ----------
    metric : which; `trades_per_year` for too much trading
    at_least, at_most : the bound, in the unit of the metric, not 0; one of them
    weight : what one whole bound costs, above 0
    of : the objective, as `vb.search` takes one
    """

    metric: str
    at_least: float | None = None
    at_most: float | None = None
    weight: float = 1.0
    of: Any = "sharpe"

    def __post_init__(self) -> None:
        object.__setattr__(self, "metric", measure_name(self.metric))
        object.__setattr__(self, "of", as_objective(self.of))
        if (self.at_least is None) == (self.at_most is None):
            raise ConfigError(f"Penalty of {self.metric}: at_least is {self.at_least!r}, at_most {self.at_most!r}; give one of them")
        if not _number(self._bound) or self._bound == 0:
            raise ConfigError(f"Penalty of {self.metric}: the bound is {self._bound!r}; expected a finite number that is not 0")
        if not _number(self.weight) or self.weight <= 0:
            what = f"Penalty of {self.metric}: weight is {self.weight!r}"
            raise ConfigError(f"{what}; expected a number above 0, in the unit of the objective")

    @property
    def _bound(self) -> Any:
        return self.at_most if self.at_least is None else self.at_least

    @property
    def needs_moments(self) -> bool:  # type: ignore[override]
        """As the objective that is penalised."""
        return bool(self.of.needs_moments)

    @property
    def looks_around(self) -> bool:  # type: ignore[override]
        """As the objective that is penalised."""
        return bool(self.of.looks_around)

    def scores(self, seen: Seen) -> NDArray[np.float64]:
        """See `Objective`."""
        values, bound = seen.values(self.metric), float(self._bound)
        beyond = values - bound if self.at_least is None else bound - values
        found: NDArray[np.float64] = self.of.scores(seen) - self.weight * np.maximum(beyond / abs(bound), 0.0)
        return found

    def __repr__(self) -> str:
        which = f"at most {self.at_most:g}" if self.at_least is None else f"at least {self.at_least:g}"
        return f"({self.of!r}) less {self.weight:g} for each whole bound beyond: {self.metric} [{_kind(self.metric)}] {which}"


@dataclass(frozen=True, repr=False)
class Fitness(Objective):
    """A function of the user's: called once a generation with a dict of arrays (n,) over its sets, METRICS by name, higher is better."""

    function: Callable[[dict[str, NDArray[np.float64]]], Any]

    def scores(self, seen: Seen) -> NDArray[np.float64]:
        """See `Objective`. ConfigError where the function fails, or gives no number for each set."""
        metrics = {name: seen.values(name) for name in MEASURES}
        metrics |= {other: metrics[name] for other, name in OTHER_NAMES.items()}
        try:
            found = self.function(metrics)
        except VecbtError:
            raise
        except Exception as error:
            raise ConfigError(f"{self._name} failed: {type(error).__name__}: {error}; {self._how(seen)}") from error
        values = np.asarray(found)
        if values.shape != (len(seen),) or values.dtype.kind not in "fiub":
            what = f"{self._name} gave {type(found).__name__}" + (f" of {values.dtype} {values.shape}" if values.ndim else "")
            raise ConfigError(f"{what}; expected numbers ({len(seen)},), one for each set; {self._how(seen)}")
        scores: NDArray[np.float64] = values.astype(np.float64)
        if np.isposinf(scores).any():
            raise ConfigError(f"{self._name} gave an infinite score; expected finite numbers, or NaN where a set has none")
        return scores

    @property
    def _name(self) -> str:
        return f"the fitness function {getattr(self.function, '__name__', type(self.function).__name__)}"

    def _how(self, seen: Seen) -> str:
        return (
            f"it is called once a generation with a dict of arrays over its sets, metrics['sharpe'] has shape ({len(seen)},) here: "
            "use numpy.where in place of if, numpy.maximum in place of max"
        )

    def __repr__(self) -> str:
        return f"{self._name}, higher is better"


def as_objective(given: Any) -> Objective:
    """One objective: a metric's name, weights by name, a function of metrics, or an objective."""
    if isinstance(given, Objective):
        return given
    if isinstance(given, str):
        return Metric(given)
    if isinstance(given, Mapping):
        return Weighted(given)
    if callable(given) and not isinstance(given, type):
        return Fitness(given)
    what = "a metric such as 'sharpe', Weighted, Penalty, Plateau, Deflated, or a function of metrics"
    raise ConfigError(f"objective is {given!r}; expected {what}")


def as_objectives(given: Any) -> tuple[Objective, ...]:
    """The objectives that are meant: one, or several in a list (Pareto)."""
    if isinstance(given, Sequence) and not isinstance(given, str):
        found = tuple(as_objective(each) for each in given)
        if not found:
            raise ConfigError("objective is an empty list; give at least one, such as 'sharpe'")
        names = [repr(each) for each in found]
        if len(set(names)) < len(names):
            raise ConfigError(f"objective names the same twice: {', '.join(names)}")
        return found
    return (as_objective(given),)


def objective_of(fitness_metric: Any = None, fitness_weights: Mapping[str, float] | None = None) -> Objective:
    """From `fitness_metric` and `fitness_weights` of a configuration: the sum where there are weights, else the metric."""
    if fitness_weights:
        return Weighted(fitness_weights)
    return as_objective("sharpe" if fitness_metric is None else fitness_metric)
