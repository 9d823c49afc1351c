"""`RLOptimizer`: a policy over strategies by Q-learning, under names that people know from other frameworks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..engine.strategy import Strategy
from ..errors import ConfigError
from ..optimize.objective import as_objective
from ..optimize.reinforce.policy import Policy
from ..optimize.reinforce.states import MarketStates
from ..optimize.reinforce.training import Learning, learn_policy
from ..optimize.seen import Seen
from .optimizers import BaseOptimizer, ParameterBounds, bars_of

__all__ = ["RLOptimizer"]

_LEARNING = {field.name: field.default for field in dataclasses.fields(Learning) if field.name != "seed"}
_MORE = {"states": None, "train_share": 0.7, "train_until": None, "random_policies": 50}


class RLOptimizer(BaseOptimizer):
    """Tabular Q-learning that chooses among strategies by the state of the market (RL-01): `vb.learn_policy`.

    Parameters
    ----------
    config : mapping, optional
        Parameters of `vb.learn_policy`: `alpha` (0.1), `gamma` (0.95), `epsilon` (0.1), `episodes` (100), `max_steps_per_episode` (50),
        `reward_function` ("sharpe_ratio"), `holding`, `decay`, `states`, `train_share` (0.7), `train_until`, `random_policies`, `seed`;
        `fitness_metric`, `fitness_weights` say what `best_fitness` is. No others: nothing here takes threads or a checkpoint.
    **keywords
        Those of `vb.backtest`; `costs` must be given here or to `optimize`.

    Attributes
    ----------
    policy : the learned Policy; None before
    best_params : the choice by state; best_fitness : what the policy is worth on the held-out part, by fitness metric, weights or function
    """

    defaults: Mapping[str, Any] = {**_LEARNING, **_MORE}

    def __init__(self, config: Mapping[str, Any] | None = None, **keywords: Any) -> None:
        for name in ("threads", "checkpoint"):
            if config is not None and name in config:
                raise ConfigError(f"RLOptimizer has no {name!r}: learning is one loop of a moment; leave it out")
        super().__init__(config, **keywords)
        self.policy: Policy | None = None

    def method(self) -> Any:
        """How it is learned, a `Learning`; states are checked too."""
        if self.config["states"] is not None:
            MarketStates.of(self.config["states"])
        return Learning(**{name: self.config[name] for name in _LEARNING}, seed=self.config.get("seed", 0))

    def optimize(self, strategy_class: Any, data: Any, **keywords: Any) -> Any:
        """The learned Policy, whose `strategy` runs like any other and whose `verdict` says what it is worth on bars it has not seen.

        Parameters
        ----------
        strategy_class : strategies by name or a sequence of them, which become the members; or one class of strategies, whose members are
            its defaults and, for each of the `parameter_bounds`, its lowest and highest value beside them
        data : Bars, or a frame of pandas or polars that `Bars.from_pandas` and `from_polars` read
        **keywords
            Further ones of `vb.learn_policy`: costs, sizing, stops, progress and others.
        """
        given = {name: self.config[name] for name in _MORE} | dataclasses.asdict(self.method()) | self._keywords | keywords
        self.policy = learn_policy(bars_of(data), self._members(strategy_class), **given)
        self._take(self.policy)
        return self.policy

    def predict_action(self, market_data: Any) -> str:
        """The name of the member to follow after the last bar of `market_data`, Bars or a frame; ConfigError before there is a policy."""
        if self.policy is None:
            raise ConfigError("there is no policy yet; call optimize(strategies, data), or load_results(path)")
        return self.policy.predict(bars_of(market_data))

    def save_results(self, path: str | Path) -> Path:
        """Write the policy as JSON, in place of a file that is there; ConfigError before there is one."""
        if self.policy is None:
            raise ConfigError("there is nothing to save; call optimize(strategies, data) first")
        return self.policy.save(path, overwrite=True)

    def load_results(self, path: str | Path) -> Any:
        """The Policy that `save_results` wrote; `predict_action` goes by it from now on. StateError for any other file."""
        self.policy = Policy.load(path)
        self._take(self.policy)
        return self.policy

    def _take(self, policy: Policy) -> None:
        held = policy.held
        seen = Seen.of({name: np.array([value]) for name, value in held.statistics.items()}, len(held.labels), held.per_year)
        objective = self.objective if self.fitness_function is None else as_objective(self.fitness_function)
        self.best_fitness = float(objective.scores(seen)[0])
        self.best_params = {str(state): member for state, member in policy.choices.items()}

    def _members(self, given: Any) -> Any:
        if not (isinstance(given, type) and issubclass(given, Strategy)):
            if isinstance(given, Mapping | Sequence) and not isinstance(given, str):
                return given
            raise ConfigError(f"strategy_class is {given!r}; expected strategies by name, a sequence of them, or a class of strategies")
        if not self.parameter_bounds:
            raise ConfigError(f"{given.__name__} alone is no choice; add_parameter_bounds(...), or give several strategies by name")
        found = {"defaults": given.make({})}
        for bounds in self.parameter_bounds.values():
            for value in _ends(bounds):
                parameters = {bounds.name: value}
                if self.parameter_validator is None or self.parameter_validator({**found["defaults"].parameters, **parameters}):
                    found[f"{bounds.name}={value!r}"] = given.make(parameters)
        return found


def _ends(bounds: ParameterBounds) -> tuple[Any, ...]:
    """The values of one parameter that are tried."""
    if bounds.param_type == "bool":
        return False, True
    if bounds.param_type == "choice":
        return tuple(bounds.choices or ())
    return bounds.min_value, bounds.max_value
