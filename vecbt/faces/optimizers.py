"""`GeneticOptimizer`, `ParameterBounds`, `OptimizerFactory`: `vb.search` under names that people know from other frameworks."""

from __future__ import annotations

import importlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..analytics.saved.folder import digest_of, write_json
from ..analytics.saved.values import decode, encode
from ..data.bars import Bars
from ..engine.strategy import Strategy
from ..errors import ConfigError, StateError, nearest
from ..optimize.genetic import Genetic
from ..optimize.objective import Objective, as_objective, objective_of
from ..optimize.search import search
from ..optimize.searched import Search
from ..optimize.searching import Method
from ..optimize.variables import Choice, Range

__all__ = [
    "BaseOptimizer", "GeneticOptimizer", "OptimizationResults", "OptimizerFactory", "ParameterBounds", "bars_of", "optimizer_config",
    "range_of",
]  # fmt: skip

_TYPES = ("bool", "choice", "float", "int", "log")
_WHAT = "an optimization of vecbt"
_SHARED = ("fitness_metric", "fitness_weights")
_MODES = {
    "ga": "ga", "genetic": "ga", "rl": "rl", "q_learning": "rl", "wfo": "wfo", "walk_forward": "wfo", "walkforward": "wfo",
}  # fmt: skip
_HOMES = {
    "ga": ("vecbt.faces.optimizers", "GeneticOptimizer"),
    "wfo": ("vecbt.faces.walk_forward_optimizer", "WalkForwardOptimizer"),
    "rl": ("vecbt.faces.rl_optimizer", "RLOptimizer"),
}


@dataclass(frozen=True)
class ParameterBounds:
    """What one parameter may be.

    Parameters
    ----------
    name : of the strategy's parameter, or a dotted one of the setup, such as `stops.hard`
    min_value, max_value : both included; of `bool` and `choice` none
    param_type : "int", "float", "log" (a float whose logarithm is drawn evenly), "bool" or "choice"
    choices : of `choice`, the values

    Raises
    ------
    ConfigError for bounds the wrong way round, or that do not go with the type.
    """

    name: str
    min_value: float | None = None
    max_value: float | None = None
    param_type: str = "float"
    choices: tuple[Any, ...] | None = None

    def __post_init__(self) -> None:
        if self.param_type not in _TYPES:
            raise ConfigError(f"param_type of {self.name} is {self.param_type!r}; {nearest(str(self.param_type), _TYPES)}")
        range_of(self)


def range_of(bounds: ParameterBounds) -> Range | Choice:
    """The bounds as `vb.search` takes them."""
    if bounds.param_type in ("bool", "choice"):
        if bounds.min_value is not None or bounds.max_value is not None:
            raise ConfigError(f"{bounds.name} has min_value or max_value beside param_type={bounds.param_type!r}; leave them out")
        if bounds.param_type == "choice" and not bounds.choices:
            raise ConfigError(f"{bounds.name} is a choice of nothing; give choices=(...)")
        return Choice((False, True) if bounds.param_type == "bool" else tuple(bounds.choices or ()))
    if bounds.min_value is None or bounds.max_value is None:
        raise ConfigError(f"{bounds.name} goes from {bounds.min_value!r} to {bounds.max_value!r}; give min_value and max_value")
    try:
        return Range(bounds.min_value, bounds.max_value, log=bounds.param_type == "log", integer=bounds.param_type == "int")
    except ConfigError as error:
        raise ConfigError(f"ParameterBounds of {bounds.name}: {error}") from error


@dataclass(frozen=True)
class OptimizationResults:
    """What `save_results` wrote: the best parameters, what they were worth by which objective, and how they were found."""

    best_params: dict[str, Any]
    best_fitness: float
    optimizer: str
    objective: str
    trials: int
    generations: list[dict[str, Any]] = field(repr=False, default_factory=list)


class BaseOptimizer(ABC):
    """Bounds, a fitness, a validator, and a search over them. Derived classes say by which method.

    Parameters
    ----------
    config : mapping, optional
        Parameters of the method by name, and `fitness_metric`, `fitness_weights`, `seed`, `threads`, `checkpoint`; no others.
    **keywords
        Those of `vb.backtest`; `costs` must be given here or to `optimize`.

    Attributes
    ----------
    fitness_function : a function of metrics, called once a generation with arrays over its sets; in place of metric and weights
    parameter_validator : a function from one set, a dict, to whether it may be tried
    best_params, best_fitness : of the last search; None before
    search : the last `Search`, with all that was tried; None before
    """

    defaults: Mapping[str, Any] = {}
    """Names of the method's parameters, and what they are where nothing is said."""

    def __init__(self, config: Mapping[str, Any] | None = None, **keywords: Any) -> None:
        given = {} if config is None else dict(config)
        known = (*self.defaults, *_SHARED, "seed", "threads", "checkpoint")
        for name in given:
            if name not in known:
                raise ConfigError(f"{type(self).__name__} has no {name!r}; {nearest(str(name), known)}")
        self.config = {**self.defaults, **given}
        self.objective: Objective = objective_of(*(given.get(name) for name in _SHARED))
        self.fitness_function: Callable[[dict[str, NDArray[np.float64]]], Any] | None = None
        self.parameter_validator: Callable[[dict[str, Any]], bool] | None = None
        self.best_params: dict[str, Any] | None = None
        self.best_fitness: float | None = None
        self.search: Search | None = None
        self._bounds: dict[str, ParameterBounds] = {}
        self._keywords = keywords
        self.method()  # its parameters are refused before anything else happens

    @abstractmethod
    def method(self) -> Method:
        """The method of the search, from `config`."""

    @property
    def parameter_bounds(self) -> dict[str, ParameterBounds]:
        """The bounds by name."""
        return dict(self._bounds)

    def add_parameter_bounds(self, bounds: ParameterBounds) -> None:
        """Search over this parameter, too; in place of bounds of the same name."""
        if not isinstance(bounds, ParameterBounds):
            raise ConfigError(f"bounds is {type(bounds).__name__}; expected ParameterBounds(name, min_value, max_value, param_type)")
        self._bounds[bounds.name] = bounds

    def optimize(self, strategy_class: Any, data: Any, **keywords: Any) -> dict[str, Any]:
        """The best parameters.

        Parameters
        ----------
        strategy_class : class of strategies, a strategy, or a function `rows(bars)`
            Of a class an object with its defaults. Without any bounds the ranges that it declares are searched.
        data : Bars, or a frame of pandas or polars that `Bars.from_pandas` and `from_polars` read
        **keywords
            Further ones of `vb.search`: costs, sizing, stops, progress, max_sets and others.

        Returns
        -------
        dict
            Also `best_params`; what they are worth is `best_fitness`, all that was tried `search`.
        """
        is_class = isinstance(strategy_class, type) and issubclass(strategy_class, Strategy)
        space = {name: range_of(bounds) for name, bounds in self._bounds.items()} or None
        wishes = {name: self.config[name] for name in ("seed", "threads", "checkpoint") if self.config.get(name) is not None}
        given = {**wishes, **self._keywords, **keywords}
        given |= self._constraint(given)
        objective = self.objective if self.fitness_function is None else as_objective(self.fitness_function)
        strategy = strategy_class.make({}) if is_class else strategy_class
        self.search = search(bars_of(data), strategy, space, objective=objective, method=self.method(), **given)
        self.best_fitness = float(self.search.best()["score"])
        self.best_params = self.search.best_parameters
        return self.best_params

    def _constraint(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The validator as a constraint of the search; ConfigError where one is given beside it."""
        if self.parameter_validator is None:
            return {}
        if "where" in given:
            raise ConfigError("where is given beside a parameter_validator; keep one of them")
        return {"where": _Validated(self.parameter_validator)}

    def _trials(self) -> int:
        """How many sets were evaluated."""
        return 0 if self.search is None else len(self.search)

    def save_results(self, path: str | Path) -> Path:
        """Write best parameters, fitness and generations as JSON, for `load_results`; all sets are kept by `search.save(folder)`.

        ConfigError where nothing was found yet, or parameters that only code could make again.
        """
        if self.best_params is None or self.best_fitness is None:
            raise ConfigError("there is nothing to save; call optimize(strategy_class, data) first")
        target = Path(path)
        generations = [] if self.search is None else self.search.generations.to_dicts()
        node = {
            "what": _WHAT,
            "optimizer": type(self).__name__,
            "objective": repr(self.objective) if self.search is None else self.search.objectives[0],
            "best_params": encode(dict(self.best_params), "best_params"),
            "best_fitness": encode(float(self.best_fitness), "best_fitness"),
            "trials": self._trials(),
            "generations": encode(tuple(generations), "generations"),
        }
        try:
            write_json(target, node | {"sum": digest_of(node)})
        except OSError as error:
            raise ConfigError(f"path is {str(path)!r}, which cannot be written: {error.strerror}; choose another place") from error
        return target

    def load_results(self, path: str | Path) -> OptimizationResults:
        """What `save_results` wrote; this optimizer stays as it is. StateError for any other file."""
        try:
            node = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StateError(f"{str(path)!r} cannot be read: {error}") from error
        if not isinstance(node, dict) or node.get("what") != _WHAT:
            raise StateError(f"{str(path)!r} holds no results that save_results wrote")
        if node.pop("sum", None) != digest_of(node):
            raise StateError(f"{str(path)!r} was changed since it was written")
        return OptimizationResults(
            decode(node["best_params"], "best_params"), decode(node["best_fitness"], "best_fitness"), node["optimizer"], node["objective"],
            node["trials"], list(decode(node["generations"], "generations")),
        )  # fmt: skip


class GeneticOptimizer(BaseOptimizer):
    """A genetic algorithm (OPT-03): `vb.search` with `Genetic`.

    `config` has `population_size` (20), `generations` (10), `mutation_rate` (0.1), `crossover_rate` (0.7), `elitism_rate` (0.1),
    `tournament_size` (3), and `patience` and `tolerance` of `Genetic`, for an early stop.
    """

    defaults: Mapping[str, Any] = {
        "population_size": 20, "generations": 10, "mutation_rate": 0.1, "crossover_rate": 0.7, "elitism_rate": 0.1, "tournament_size": 3,
        "patience": None, "tolerance": 0.0,
    }  # fmt: skip

    def method(self) -> Genetic:
        """The genetic algorithm."""
        given = {name: self.config[name] for name in self.defaults}
        return Genetic(population=given.pop("population_size"), **given)


class OptimizerFactory:
    """Makes optimizers from configurations, nested ones and flat ones."""

    @staticmethod
    def create_from_config(config: Mapping[str, Any], **keywords: Any) -> Any:
        """The optimizer that a configuration names.

        Parameters
        ----------
        config : mapping
            The section `optimization`, or a whole configuration that has one: `mode` ("ga", "wfo" or "rl") and a section of its name with
            the parameters, or the parameters beside `mode`; `fitness_metric` and `fitness_weights`. Sections of other modes are left aside.
        **keywords
            Those of `vb.backtest`, such as costs.

        Returns
        -------
        GeneticOptimizer, WalkForwardOptimizer or RLOptimizer
            None where `enabled` is false.

        Raises
        ------
        ConfigError
            An unknown mode or key, or a parameter that stands both in the section and beside `mode` with other values.
        """
        found = optimizer_config(config)
        if found is None:
            return None
        mode, given = found
        home, name = _HOMES[mode]
        return getattr(importlib.import_module(home), name)(given, **keywords)


def optimizer_config(config: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """The mode and its parameters, flat; None where it is not enabled. See `OptimizerFactory.create_from_config`."""
    if not isinstance(config, Mapping):
        raise ConfigError(f"config is {type(config).__name__}; expected a mapping with a section 'optimization'")
    section = config.get("optimization", config)
    if not isinstance(section, Mapping):
        raise ConfigError(f"optimization is {section!r}; expected a mapping with a key 'mode'")
    enabled = section.get("enabled", True)
    if not isinstance(enabled, bool):
        raise ConfigError(f"optimization.enabled is {enabled!r}; expected true or false")
    if not enabled:
        return None
    mode = _mode_of(section)
    shared = {name: section[name] for name in _SHARED if name in section}
    flat = {name: value for name, value in section.items() if name not in ("enabled", "mode", *_SHARED, *_HOMES)}
    nested = section.get(mode) or {}
    if not isinstance(nested, Mapping):
        raise ConfigError(f"optimization.{mode} is {nested!r}; expected a mapping of its parameters")
    for name in flat:
        if name in nested and nested[name] != flat[name]:
            what = f"optimization.{name} is {flat[name]!r} and optimization.{mode}.{name} is {nested[name]!r}"
            raise ConfigError(f"{what}; keep the one in the section")
    return mode, {**shared, **flat, **nested}


def _mode_of(section: Mapping[str, Any]) -> str:
    """Which optimizer; where nothing is said, the one whose section alone is there."""
    mode = section.get("mode")
    there = [name for name in _HOMES if name in section]
    if mode is None and len(there) == 1:
        return there[0]
    if not isinstance(mode, str) or mode.lower() not in _MODES:
        raise ConfigError(f"optimization.mode is {mode!r}; {nearest(str(mode), _MODES)}")
    return _MODES[mode.lower()]


@dataclass(frozen=True)
class _Validated:
    """A validator of single sets as a constraint over columns."""

    validator: Callable[[dict[str, Any]], bool]

    def __call__(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
        """Set by set."""
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        found = [self.validator(dict(zip(columns, row, strict=True))) for row in rows]
        wrong = next((answer for answer in found if not isinstance(answer, bool | np.bool_)), None)
        if wrong is not None:
            raise ConfigError(f"parameter_validator answered {wrong!r}; expected True or False for a set, such as p['fast'] < p['slow']")
        return np.array(found, dtype=bool)


def bars_of(data: Any) -> Bars:
    """Bars, or those of a frame."""
    if isinstance(data, Bars):
        return data
    if hasattr(data, "columns"):
        return Bars.from_pandas(data) if hasattr(data, "index") else Bars.from_polars(data)
    raise ConfigError(f"data is {type(data).__name__}; expected Bars, or a DataFrame with dates and prices")
