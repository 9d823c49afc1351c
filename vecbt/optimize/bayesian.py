"""Tree-structured Parzen estimators, by optuna: for objectives that cost seconds, such as a model that is fitted for each set."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._optional import optional
from ..errors import ConfigError
from .turns import Turns, at_least, same_questions
from .variables import CHOICE, WHOLE, Variables

__all__ = ["Bayesian"]

_BROKEN = "violation"
"""The name of the constraint of optuna that says by how much ours are broken."""


@dataclass(frozen=True)
class Bayesian:
    """Sets where those that were worth much are dense (TPE: Bergstra, Bardenet, Bengio, Kegl, NIPS 24 (2011) 2546), by optuna.

    For *expensive* objectives: optuna thinks some milliseconds about each set, more for each it was told of. Where a set costs less than
    that, `Genetic` comes further in the same time. Conditional parameters are suggested where they count only. A set whose score is NaN,
    or that breaks a constraint, is told as pruned (with several objectives as failed): worse than all others, and of those that break a
    constraint the less broken one is better.

    Parameters
    ----------
    trials : sets to try
    batch : sets asked for together; more are sooner done and less well chosen
    startup : sets at random before the first estimate
    storage : where optuna keeps the study to be looked at, such as "sqlite:///search.db"; None: in memory. A search is taken up from its
        own state: a study of the same name is then written anew
    study : its name there; None: one that optuna makes up
    pruner : of optuna, for who drives the search and reports from within a trial

    Examples
    --------
    Pruning is for who computes the score in steps and can stop early. `searcher.asked` are optuna's trials of the sets just asked for:

    >>> searcher = Bayesian(40, pruner=optuna.pruners.MedianPruner()).searcher(variables, 1, seed=7)  # doctest: +SKIP
    >>> while len(genes := searcher.ask()):  # doctest: +SKIP
    ...     (trial,), score = searcher.asked, float("nan")
    ...     for step, value in enumerate(scores_of_folds(variables.at_row(genes[0]))):
    ...         trial.report(value, step)
    ...         if trial.should_prune():
    ...             break
    ...     else:
    ...         score = value
    ...     searcher.tell([[score]], [0.0])
    """

    trials: int = 100
    batch: int = 1
    startup: int = 10
    storage: str | None = None
    study: str | None = None
    pruner: Any = None

    def __post_init__(self) -> None:
        at_least("Bayesian: trials", self.trials, 1)
        at_least("Bayesian: batch", self.batch, 1)
        at_least("Bayesian: startup", self.startup, 1)
        if self.study is not None and self.storage is None:
            raise ConfigError(f"Bayesian: study is {self.study!r} and storage None; give storage, such as 'sqlite:///search.db'")

    def searcher(self, variables: Variables, objectives: int = 1, seed: int = 0) -> _Study:
        """A new search. MissingDependency without optuna. `ask` raises ConfigError where the storage has a study of this name."""
        return _Study(variables, objectives, seed, self)


class _Study(Turns):
    """See `Bayesian`.

    What is asked for follows from the seed and what was told alone: each batch has a sampler of its own. So a study to which the trials
    are added again goes on as the first one.
    """

    def __init__(self, variables: Variables, objectives: int, seed: int, method: Bayesian) -> None:
        super().__init__(variables, objectives, seed)
        self._method, self._seed = method, seed
        self._optuna = optional("optuna", "Bayesian search")
        self._spaces = [_distribution(variables, k, self._optuna.distributions) for k in range(len(variables))]
        self.asked: list[Any] = []
        """optuna's trials of the sets asked for last."""
        self._told = np.empty((0, len(variables) + objectives + 1))
        """A row a set: what was suggested (NaN where nothing was), its scores, its violation."""
        self._reports = np.empty((0, 3))
        """What was reported from within trials: number, step, value."""
        self.study: Any = None
        """optuna's study, from the first question on."""

    def _open(self, anew: bool) -> None:
        """A study with what was told."""
        optuna, method = self._optuna, self._method
        with _quiet(optuna):
            if anew and method.storage is not None and method.study in optuna.get_all_study_names(method.storage):
                optuna.delete_study(study_name=method.study, storage=method.storage)
            try:
                self.study = optuna.create_study(
                    storage=method.storage, study_name=method.study, pruner=method.pruner, directions=["maximize"] * self._objectives
                )
            except optuna.exceptions.DuplicatedStudyError as error:
                what = f"{method.storage} has a study {method.study!r} already"
                raise ConfigError(f"{what}; give another name, or restore its search") from error
        for number, row in enumerate(self._told):
            self.study.add_trial(self._finished(number, row))

    def _finished(self, number: int, row: NDArray[np.float64]) -> Any:
        """A trial that was told, as optuna keeps it."""
        names, width = self._variables.names, len(self._variables)
        spaces = {names[k]: self._spaces[k] for k in range(width) if not np.isnan(row[k])}
        params = {names[k]: self._spaces[k].to_external_repr(row[k]) for k in range(width) if names[k] in spaces}
        state, values = self._verdict(row[width:-1])
        reports = {int(step): value for which, step, value in self._reports.tolist() if which == number}
        return self._optuna.trial.create_trial(
            state=state, values=values, params=params, distributions=spaces, intermediate_values=reports,
            constraints={_BROKEN: float(row[-1])},
        )  # fmt: skip

    def _verdict(self, scores: NDArray[np.float64]) -> tuple[Any, list[float] | None]:
        """State and values of a trial with these scores."""
        states = self._optuna.trial.TrialState
        if np.isfinite(scores).all():
            return states.COMPLETE, scores.tolist()
        return (states.PRUNED if self._objectives == 1 else states.FAIL), None

    def _next(self) -> NDArray[np.float64]:
        if self.study is None:
            self._open(anew=False)
        count, method = len(self._told), self._method
        self.study.sampler = self._sampler(count)
        self.asked = [self.study.ask() for _ in range(min(method.batch, method.trials - count))]
        return self._variables.repaired(np.stack([self._suggested(trial) for trial in self.asked]))

    def _sampler(self, count: int) -> Any:
        """Of the batch that follows so many trials."""
        seed = int(np.random.SeedSequence([self._seed, count]).generate_state(1)[0])
        return self._optuna.samplers.TPESampler(seed=seed, n_startup_trials=self._method.startup)

    def _suggested(self, trial: Any) -> NDArray[np.float64]:
        """Genes that a trial suggests: first what always counts."""
        over = self._variables
        genes = np.where(np.isnan(over.rests), over.low, over.rests)
        for conditional in (False, True):
            for k, on in enumerate(over.depends):
                if (on is not None) is conditional and (on is None or genes[on[0]] in on[1]):
                    value = self._spaces[k].to_internal_repr(_suggest(trial, over.names[k], self._spaces[k]))
                    genes[k] = math.log(value) if over.logs[k] else value
        return genes

    def _take(self, genes: NDArray[np.float64], scores: NDArray[np.float64], violations: NDArray[np.float64]) -> None:
        width, first = len(self._variables), len(self._told)
        rows = np.full((len(genes), width + self._objectives + 1), np.nan)
        reports = []
        trials = self.study.get_trials(deepcopy=False)
        for i, trial in enumerate(self.asked):
            frozen = trials[trial.number]
            for k, name in enumerate(self._variables.names):
                if name in frozen.params:
                    rows[i, k] = self._spaces[k].to_internal_repr(frozen.params[name])
            reports += [(first + i, step, value) for step, value in frozen.intermediate_values.items()]
            rows[i, width:-1], rows[i, -1] = scores[i], violations[i]
            trial.set_constraint(_BROKEN, float(violations[i]))
            state, values = self._verdict(scores[i])
            self.study.tell(trial, values, state=state)
        self.asked = []
        self._told = np.concatenate([self._told, rows])
        self._reports = np.concatenate([self._reports, np.array(reports, dtype=np.float64).reshape(-1, 3)])
        if len(self._told) >= self._method.trials:
            self.finished = f"all {self._method.trials:,} sets were tried"

    def _kept(self) -> dict[str, Any]:
        return {"told": self._told.copy(), "reports": self._reports.copy()}

    def _restore(self, state: dict[str, Any]) -> None:
        self._told = np.array(state["told"], dtype=np.float64).reshape(-1, self._told.shape[1])
        self._reports = np.array(state["reports"], dtype=np.float64).reshape(-1, 3)
        self._open(anew=True)
        if self._asked is not None:
            same_questions(self._next(), self._asked)


def _distribution(variables: Variables, k: int, kinds: Any) -> Any:
    """What optuna draws a parameter from."""
    least, most = variables.ends[k].tolist()
    if variables.kinds[k] == CHOICE:
        values = variables.choices[k]
        plain = all(v is None or isinstance(v, bool | int | float | str) for v in values) and len(set(values)) == len(values)
        return kinds.CategoricalDistribution(values if plain else tuple(range(len(values))))
    if variables.kinds[k] == WHOLE:
        return kinds.IntDistribution(int(least), int(most))
    return kinds.FloatDistribution(least, most, log=bool(variables.logs[k]))


def _suggest(trial: Any, name: str, space: Any) -> Any:
    """The value of a parameter in a trial."""
    if hasattr(space, "choices"):
        return trial.suggest_categorical(name, space.choices)
    if isinstance(space.low, int):
        return trial.suggest_int(name, space.low, space.high)
    return trial.suggest_float(name, space.low, space.high, log=space.log)


@contextlib.contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Without optuna's line about a new study."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
