"""`vb.walk_forward`: choose parameters on the past, trade them on what follows, move on; the pieces are one account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, Unpack

import numpy as np

from .._progress import progress_bar
from ..api import backtest
from ..core.sets import Where
from ..data.bars import Bars
from ..engine.inputs import Inputs
from ..engine.keywords import Keywords, explicit
from ..engine.rule_strategy import RuleStrategy
from ..engine.setup import Setup
from ..engine.strategy import Strategy, as_strategy
from ..engine.sweep_rules import remade
from ..engine.window import BETWEEN
from ..errors import ConfigError, DataError, StrategyError, nearest
from .lockstep import Windowed
from .objective import Objective, as_objectives
from .sampling import GridSearch
from .schedule import Schedule
from .searching import Method
from .splits import WalkForwardSplit
from .variables import Variables
from .walk_files import Checkpoints, about_walk
from .walk_result import WalkForward
from .walking import Plan, Walk

__all__ = ["INNER", "checked_method", "hearing", "runner_of", "searchable", "single_objective", "walk_forward"]

INNER = 0.25
"""Share of the training window that compares new parameters with those in force, where nothing else is said."""


@explicit
def walk_forward(
    bars: Bars,
    strategy: Any,
    space: Any = None,
    *,
    train: Any,
    test: Any,
    step: Any = None,
    anchored: bool = False,
    objective: Any = "sharpe",
    method: Method | None = None,
    where: Where | None = None,
    purge: Any = None,
    embargo: Any = 0,
    horizon: int = 0,
    flatten: bool = True,
    improvement_threshold: float | None = None,
    inner: float | None = None,
    min_observations: int | None = None,
    seed: int = 0,
    rf: float = 0.0,
    mar: float = 0.0,
    threads: int | None = None,
    executor: Any = None,
    progress: Callable[[int, int | None], None] | Literal[False] | None = None,
    checkpoint: str | Path | None = None,
    **keywords: Unpack[Keywords],
) -> WalkForward:
    """Search again and again on the bars before, and trade what was found on the bars after, which the search has not seen.

    >>> space = {"fast": (5, 50), "slow": (60, 200)}
    >>> found = vb.walk_forward(bars, vb.strategies.SmaCross(20, 100), space, train=504, test=63, costs=costs)
    >>> found.folds, found.efficiency, found.result.report(), found.plot_parameters()

    Parameters are chosen on training windows alone, where accounts begin flat, on rules that have seen the bars before (D6). The searches
    of all folds go on together, each round of them one sweep. One account runs what was adopted (a `Schedule`) through all tests.

    Parameters
    ----------
    bars, strategy, **keywords
        As for `backtest`. The strategy has parameters, and no rule that sees the account: a schedule could not switch it.
    space, where
        As for `search`; parameters of the strategy only: an account has one setup, which cannot change at a join.
    train, test, step, anchored
        As for `WalkForwardSplit`. With a step longer than the test, parameters stay in force until the next test begins.
    objective, method
        One objective, as for `search`, and how to search (left out, `GridSearch()`); each fold has a search of its own.
    purge : bars or time, optional
        Left out at the end of training. Left out itself, it is measured: the 95 % quantile of the bars that trades of the fold's best
        parameters lasted, at most half of the window and at least `horizon`; the search is run again then, without these bars.
    embargo, horizon : bars or time, int
        Left out beyond the purge; bars that labels of the strategy look ahead in training, such as those of a model.
    flatten : bool
        Close all positions at the last bar before other parameters take over; else they are carried, and traded on by those.
    improvement_threshold : float, optional
        New parameters take over only if they beat those in force by more than this, relative to the score in force (0.05: five percent), on
        an *inner* validation window: the end of training, which the choice has not seen. Left out, they always do. The test is
        never asked: what is adopted because it did better in the test makes that a part of training, and its result in-sample.
    inner : float, optional
        Share of the training window that is this inner validation; a quarter if it is not said. Without a threshold there is none.
    min_observations : int, optional
        Refuse training windows of fewer bars.
    seed, rf, mar, threads, executor, progress, checkpoint
        As for `search`; progress is called after each round with how many sets were asked for so far.

    Raises
    ------
    ConfigError, DataError, InputError, StrategyError
        An argument cannot be used, windows do not fit the bars (it says how many are needed), or no set of the first fold has a score.
    """
    source, variables = searchable(bars, strategy, space, where, keywords)
    wanted, how = single_objective(objective), GridSearch() if method is None else checked_method(method)
    split = WalkForwardSplit(train, test, step, anchored=anchored, purge=0 if purge is None else purge, embargo=embargo)
    plan = _plan(split, purge, horizon, improvement_threshold, inner, min_observations)
    _check(flatten, seed, progress, wanted, plan)
    runner = runner_of(bars, source, variables, wanted, keywords, rates=(rf, mar), options={"threads": threads, "executor": executor})
    return _walked(runner, wanted, how, plan, seed=seed, where=where, flatten=flatten, progress=progress, checkpoint=checkpoint)


def _walked(
    runner: Windowed, objective: Objective, method: Method, plan: Plan, *, seed: int, where: Any, flatten: bool, progress: Any,
    checkpoint: Any,
) -> WalkForward:  # fmt: skip
    """All folds, and the account that trades them."""
    bars, source = runner.bars, as_strategy(runner.strategy)
    with ExitStack() as stack:
        heard = hearing(stack, progress, "walk-forward")
        walk = Walk(bars, source, runner, objective, method, seed, plan, Setup.of(**runner.keywords), heard)
        about = about_walk(walk, where)
        if checkpoint is not None:
            walk.kept = stack.enter_context(Checkpoints(checkpoint, walk, about)).begin
        windows, folds = walk.go()
    members = [remade(source, fold.parameters) for fold in folds]
    schedule = Schedule.of(bars, members, [int(bars.index[fold.test_first]) for fold in windows], flatten=flatten)
    result = backtest(bars[windows[0].test_first : windows[-1].test_stop], schedule, **runner.keywords)
    return WalkForward(folds, result, schedule, about | {"flatten": flatten}, bars.index, notes=walk.notes)


def searchable(bars: Any, strategy: Any, space: Any, where: Any, keywords: Mapping[str, Any]) -> tuple[Strategy, Variables]:
    """The strategy and what varies of it; errors where folds could not switch between what is found."""
    if not isinstance(bars, Bars):
        raise DataError(f"bars is {type(bars).__name__}; expected Bars: make them with Bars.from_pandas, from_polars, read_csv, …")
    if isinstance(strategy, Inputs):
        raise ConfigError(f"{type(strategy).__name__} have no parameters to choose; give the strategy that makes them")
    source = as_strategy(strategy)
    if isinstance(source, RuleStrategy) and source.sees_account:
        what = f"the rule of {source.name} sees the account, so no other parameters could take over from it at a join"
        raise StrategyError(f"{what}; write it without the account (stops and targets go to `stops`), or use vb.search")
    for name in space if isinstance(space, Mapping) else ():
        if name not in source.space:
            known = nearest(str(name), source.space) if len(source.space) else f"{source.name} has none"
            what = (
                f"space names {name!r}, which is no parameter of {source.name}, and the account that runs through all folds has one setup"
            )
            raise ConfigError(f"{what}; vary parameters of the strategy ({known}), and give {str(name).partition('.')[0]} as a keyword")
    if BETWEEN in source.space:
        raise ConfigError(f"{source.name} has a parameter {BETWEEN!r}, which is what windows are called in sweeps; rename it")
    if keywords.get("accounts") == "separate":
        raise ConfigError("accounts='separate' gives every asset an account, and a walk-forward chooses for one; run it asset by asset")
    if keywords.get("flows") is not None:
        raise ConfigError("flows are deposits at bars, and accounts of folds begin anew; leave them out")
    return source, Variables.of(space, source.space, source.parameters, where)


def single_objective(given: Any) -> Objective:
    """The one objective that decides."""
    found = as_objectives(given)
    if len(found) > 1:
        raise ConfigError(f"objective names {len(found)}; a fold adopts one set, so give one, such as Weighted({{'sharpe': 1, ...}})")
    return found[0]


def checked_method(method: Any) -> Method:
    """A method that can be asked for searches."""
    if isinstance(method, type) or not callable(getattr(method, "searcher", None)):
        name = method.__name__ if isinstance(method, type) else type(method).__name__
        raise ConfigError(f"method is {name}; expected an object such as GridSearch(steps=10) or Genetic(population=50)")
    found: Method = method
    return found


def runner_of(
    bars: Bars, source: Strategy, variables: Variables, objective: Objective, keywords: Mapping[str, Any], *, rates: tuple[Any, Any],
    options: Mapping[str, Any],
) -> Windowed:  # fmt: skip
    """What runs sets over windows; `rates` are rf and mar, `options` those of `vb.sweep` on which no number depends."""
    given = {name: value for name, value in options.items() if value is not None or name == "threads"}
    return Windowed(bars, source, variables, dict(keywords), float(rates[0]), float(rates[1]), objective.needs_moments, given)


def hearing(stack: ExitStack, progress: Any, what: str) -> Callable[[int], None]:
    """What is told of each round: how many sets were asked for in it."""
    shown = stack.enter_context(progress_bar(what, after=1.0, unit="sets")) if progress is None else (progress or None)
    total = 0

    def heard(count: int) -> None:
        nonlocal total
        total += count
        if shown is not None:
            shown(total, None)

    return heard


def _plan(split: WalkForwardSplit, purge: Any, horizon: Any, threshold: Any, inner: Any, least: Any) -> Plan:
    """All about windows, checked."""
    for name, value, low in (("horizon", horizon, 0), ("min_observations", least, 1)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | np.integer) or value < low):
            raise ConfigError(f"{name} is {value!r}; expected a whole number of bars of at least {low}")
    if threshold is not None and not _is_number(threshold, 0.0):
        raise ConfigError(f"improvement_threshold is {threshold!r}; expected a number of at least 0 such as 0.05, or None to adopt always")
    if inner is not None and (not _is_number(inner, 0.0) or not 0.0 < inner < 1.0):
        raise ConfigError(f"inner is {inner!r}; expected a share of the training window between 0 and 1, such as 0.25")
    if inner is not None and threshold is None:
        raise ConfigError(
            f"inner is {inner!r}, and nothing is compared without a threshold; give improvement_threshold=0.0, or leave it out"
        )
    if purge is not None and horizon:
        raise ConfigError(f"purge is {purge!r} and horizon {horizon}; give one of them: a purge that is given is taken as it is")
    share = INNER if inner is None else float(inner)
    return Plan(split, purge is None, int(horizon), None if threshold is None else float(threshold), share, least)


def _is_number(value: Any, low: float) -> bool:
    fine = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    return bool(fine and np.isfinite(value) and value >= low)


def _check(flatten: Any, seed: Any, progress: Any, objective: Objective, plan: Plan) -> None:
    if not isinstance(flatten, bool):
        raise ConfigError(f"flatten is {flatten!r}; expected True (close positions at a join) or False (carry them)")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ConfigError(f"seed is {seed!r}; expected a whole number of at least 0")
    if progress is not None and progress is not False and not callable(progress):
        raise ConfigError(f"progress is {progress!r}; expected a function of (sets, total), None or False")
    if objective.looks_around and plan.threshold is not None:
        what = f"{objective!r} judges a set among many others, and improvement_threshold compares two"
        raise ConfigError(f"{what}; leave the threshold out, or take an objective of the set alone")
