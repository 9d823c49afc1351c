"""`WalkForwardOptimizer`: `vb.walk_forward` under names that people know from other frameworks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..engine.strategy import Strategy
from ..errors import ConfigError
from ..optimize.objective import as_objective
from ..optimize.sampling import GridSearch
from ..optimize.searching import Method
from ..optimize.walk_forward import walk_forward
from ..optimize.walk_result import WalkForward
from .optimizers import BaseOptimizer, bars_of, range_of

__all__ = ["WalkForwardOptimizer"]


class WalkForwardOptimizer(BaseOptimizer):
    """A walk-forward in days (OPT-02): `vb.walk_forward` with windows in time.

    `config` has `train_window_days` (90), `test_window_days` (30), `rolling` (True; False: training begins at the first bar always),
    `min_observations` (1000), `improvement_threshold` (0.05) and `steps` (10) of the grid that each fold searches, over the bounds.

    A training window that has fewer bars than `min_observations` is refused, with both numbers: 90 days of daily bars are about 62, so the
    default asks for shorter bars, longer windows, or a smaller number. `improvement_threshold` is what new parameters must win on an inner
    validation window of training, never on the test (`vb.walk_forward` says why).

    Attributes
    ----------
    walk_forward : the last `WalkForward`, with folds, account and plots; None before
    best_params, best_fitness : in force after the last fold, and the mean score out of sample
    """

    defaults: Mapping[str, Any] = {
        "train_window_days": 90, "test_window_days": 30, "rolling": True, "min_observations": 1000, "improvement_threshold": 0.05,
        "steps": 10,
    }  # fmt: skip

    def __init__(self, config: Mapping[str, Any] | None = None, **keywords: Any) -> None:
        super().__init__(config, **keywords)
        self.walk_forward: WalkForward | None = None
        for name in ("train_window_days", "test_window_days"):
            value = self.config[name]
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigError(f"{name} is {value!r}; expected a whole number of days of at least 1")
        if not isinstance(self.config["rolling"], bool):
            raise ConfigError(f"rolling is {self.config['rolling']!r}; expected True or False")

    def method(self) -> Method:
        """A grid over the bounds."""
        return GridSearch(steps=self.config["steps"])

    def optimize(self, strategy_class: Any, data: Any, **keywords: Any) -> dict[str, Any]:
        """The parameters in force after the last fold.

        Parameters
        ----------
        strategy_class, data : as for the other optimizers; without any bounds the ranges that the strategy declares are searched
        **keywords
            Further ones of `vb.walk_forward`: costs, sizing, method, flatten, purge and others.
        """
        is_class = isinstance(strategy_class, type) and issubclass(strategy_class, Strategy)
        space = {name: range_of(bounds) for name, bounds in self.parameter_bounds.items()} or None
        wishes = {name: self.config[name] for name in ("seed", "threads", "checkpoint") if self.config.get(name) is not None}
        given = {"method": self.method(), **wishes, **self._keywords, **keywords}
        given |= self._constraint(given)
        self.walk_forward = walk_forward(
            bars_of(data), strategy_class.make({}) if is_class else strategy_class, space, train=f"{self.config['train_window_days']}D",
            test=f"{self.config['test_window_days']}D", anchored=not self.config["rolling"],
            min_observations=self.config["min_observations"], improvement_threshold=self.config["improvement_threshold"],
            objective=self.objective if self.fitness_function is None else as_objective(self.fitness_function), **given,
        )  # fmt: skip
        score = self.walk_forward.decay["out_of_sample"]
        self.best_fitness = score if math.isfinite(score) else math.nan
        self.best_params = self.walk_forward.best_parameters
        return self.best_params

    def _trials(self) -> int:
        """How many sets were evaluated, in all folds."""
        return 0 if self.walk_forward is None else int(self.walk_forward.folds["sets"].sum())
