"""`vb.combinatorial`: not one walk forward but many paths, each made of pieces whose parameters were chosen on other bars.

Lopez de Prado, Advances in Financial Machine Learning, 2018, chapter 12.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

import numpy as np
from numpy.typing import NDArray

from .._typing import Table
from ..api import backtest
from ..core.sets import Where
from ..data.bars import Bars
from ..engine.batch import simulate
from ..engine.check import aligned_inputs
from ..engine.keywords import Keywords, explicit
from ..engine.setup import Setup
from ..engine.strategy import Strategy
from ..engine.sweep_rules import remade
from ..errors import ConfigError, counted
from .lockstep import Job, Lockstep, Windowed
from .objective import Objective
from .sampling import GridSearch
from .schedule import Schedule
from .searching import Method
from .splits import CombinatorialPurged
from .variables import Variables
from .walk_forward import checked_method, hearing, runner_of, searchable, single_objective
from .walking import best_of, held_bars, holding_quantile, ready_job, seed_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..analytics.result import Result

__all__ = ["Paths", "SplitFound", "combinatorial"]


@dataclass(frozen=True)
class SplitFound:
    """What one split chose: the parts it tests, its parameters, their score in training, and how long their trades lasted there."""

    test: tuple[int, ...]
    parameters: dict[str, Any]
    in_sample: float
    holding: float
    sets: int


class Paths:
    """What combinatorial cross-validation found.

    Attributes
    ----------
    results : tuple of Result
        The account of each path, over all bars; `strategies` are the schedules that traded.
    split : CombinatorialPurged
        The splits, with the purge that was used.
    objective : str
        What was wanted, in words.
    """

    def __init__(
        self, split: CombinatorialPurged, found: Sequence[SplitFound], strategies: Sequence[Schedule], results: Sequence[Result],
        objective: Objective, name: str,
    ) -> None:  # fmt: skip
        self.split, self.objective = split, repr(objective)
        self.strategies, self.results = tuple(strategies), tuple(results)
        self._found, self._name = list(found), name

    def __len__(self) -> int:
        """How many paths there are."""
        return len(self.results)

    @property
    def paths(self) -> Table:
        """A polars DataFrame, a row a path: `path`, `splits` (which one tested each part), and statistics of its account."""
        import polars as pl

        names = ("sharpe", "total_return", "cagr", "volatility", "max_drawdown", "trades")
        stats = [result.stats() for result in self.results]
        chosen = [", ".join(str(s + 1) for s in row) for row in self.split.path_splits()]
        columns: dict[str, Any] = {name: [float(column[name]) for column in stats] for name in names}
        columns["trades"] = [int(count) for count in columns["trades"]]
        return pl.DataFrame({"path": range(1, len(self) + 1), "splits": chosen} | columns)

    @property
    def splits(self) -> Table:
        """A polars DataFrame, a row a split: `split`, `test` (parts, from 1 on), its parameters, `in_sample`, `holding`, `sets`."""
        import polars as pl

        columns: dict[str, Any] = {
            "split": list(range(1, len(self._found) + 1)),
            "test": [", ".join(str(g + 1) for g in one.test) for one in self._found],
        }
        for name in self._found[0].parameters:
            values = [one.parameters[name] for one in self._found]
            plain = all(isinstance(value, int | float) for value in values)
            columns[f"parameter.{name}" if name in ("split", "test", "in_sample", "holding", "sets") else name] = (
                values if plain else [str(value) for value in values]
            )
        return pl.DataFrame(columns | {name: [getattr(one, name) for one in self._found] for name in ("in_sample", "holding", "sets")})

    @property
    def sharpes(self) -> NDArray[np.float64]:
        """Annual Sharpe ratios of the paths (P,), lowest first; NaN last."""
        return np.sort(np.array([float(result.stats()["sharpe"]) for result in self.results]))

    def plot(self, path: str | Path | None = None) -> Figure:
        """Equity of all paths, and their Sharpe ratios beside the mean in training.

        Parameters
        ----------
        path : str or Path, optional
            Where to write it; the ending chooses the format (png, svg, pdf).
        """
        from .walk_pictures import paths_figure

        return paths_figure(self, path)

    def __repr__(self) -> str:
        sharpes = self.sharpes[~np.isnan(self.sharpes)]
        what = f"Paths: {self._name}, {counted(len(self), 'path')} from {counted(self.split.count, 'split')} of {self.split.groups} parts"
        spread = "no path traded"
        if len(sharpes):
            low, middle, high = sharpes[0], float(np.median(sharpes)), sharpes[-1]
            spread = f"Sharpe ratios {low:.2f} to {high:.2f}, median {middle:.2f}; {int((sharpes > 0).sum())} of {len(self)} above 0"
        inside = np.array([one.in_sample for one in self._found])
        kept = f"purge {self.split.purge} bars on both sides, embargo {self.split.embargo!r}"
        return f"{what}\n  {self.objective}: {float(np.nanmean(inside)):.3g} in training (mean of splits); {kept}\n  {spread}"


@explicit
def combinatorial(
    bars: Bars,
    strategy: Any,
    space: Any = None,
    *,
    groups: int = 6,
    test_groups: int = 2,
    objective: Any = "sharpe",
    method: Method | None = None,
    where: Where | None = None,
    purge: Any = None,
    embargo: Any = 0,
    horizon: int = 0,
    flatten: bool = True,
    seed: int = 0,
    rf: float = 0.0,
    mar: float = 0.0,
    threads: int | None = None,
    executor: Any = None,
    progress: Callable[[int, int | None], None] | Literal[False] | None = None,
    **keywords: Unpack[Keywords],
) -> Paths:
    """Combinatorial purged cross-validation: a distribution of out-of-sample accounts where a walk-forward gives one.

    >>> found = vb.combinatorial(bars, vb.strategies.SmaCross(20, 100), {"fast": [5, 10, 20], "slow": [50, 100]}, costs=costs)
    >>> found.sharpes, found.paths, found.plot()

    Every choice of `test_groups` among `groups` parts of the bars is tested with parameters that the other parts chose; tests of all parts
    are put together to paths through all bars (`CombinatorialPurged`), and each path is an account that a `Schedule` trades. Most of
    training lies *after* some test here: it shows how much hangs on which bars were chosen on, not what could have been traded.

    Parameters
    ----------
    bars, strategy, space, objective, method, where, flatten, seed, rf, mar, threads, executor, progress, **keywords
        As for `walk_forward`. Training is over stretches of bars, in each of which accounts begin flat; metrics of a set are means over
        them by their bars, trades are added up.
    groups, test_groups, embargo
        As for `CombinatorialPurged`.
    purge : bars or time, optional
        Left out of training on both sides of a test. Left out itself, it is measured: the 95 % quantile of the bars that trades of the best
        parameters of all splits lasted in training, at least `horizon`, at most a quarter of a part; the searches are run again with it.
    horizon : int
        Bars that labels look ahead.

    Raises
    ------
    ConfigError, DataError, StrategyError
        An argument cannot be used, there are too few bars, or a split has no set with a score.
    """
    source, variables = searchable(bars, strategy, space, where, keywords)
    wanted, how = single_objective(objective), GridSearch() if method is None else checked_method(method)
    if isinstance(horizon, bool) or not isinstance(horizon, int) or horizon < 0:
        raise ConfigError(f"horizon is {horizon!r}; expected a whole number of bars of at least 0")
    if not isinstance(flatten, bool):
        raise ConfigError(f"flatten is {flatten!r}; expected True (close positions at a join) or False (carry them)")
    split = CombinatorialPurged(groups, test_groups, 0 if purge is None else purge, embargo)
    if bars.T < 2 * split.groups:
        raise ConfigError(f"{split.groups} parts of {counted(bars.T, 'bar')}; expected at least {2 * split.groups} bars")
    runner = runner_of(bars, source, variables, wanted, keywords, rates=(rf, mar), options={"threads": threads, "executor": executor})
    with ExitStack() as stack:
        work = _Work(
            bars, source, variables, runner, wanted, how, int(seed), hearing(stack, progress, "combinatorial"), Setup.of(**keywords)
        )
        found = work.search(split)
        if purge is None:
            quantile = holding_quantile([work.held(found, s) for s in range(split.count)])
            least = max(horizon, 0 if math.isnan(quantile) else math.ceil(quantile))
            measured = min(least, bars.T // split.groups // 4)
            if measured:
                split = CombinatorialPurged(groups, test_groups, measured, embargo)
                found = work.search(split)
    chosen = work.chosen(split, found)
    starts = [int(bars.index[first]) for first in split.bounds(bars.T)[:-1]]
    schedules = [
        Schedule.of(bars, [remade(source, chosen[s].parameters) for s in row], starts, flatten=flatten, warm=False)
        for row in split.path_splits()
    ]
    return Paths(split, chosen, schedules, [backtest(bars, one, **keywords) for one in schedules], wanted, source.name)


@dataclass(eq=False)
class _Work:
    """What the searches of all splits share."""

    bars: Bars
    source: Strategy
    variables: Variables
    runner: Windowed
    objective: Objective
    method: Method
    seed: int
    heard: Callable[[int], None]
    setup: Setup

    def search(self, split: CombinatorialPurged) -> list[Job]:
        """A search for each split, to the end."""
        for _ in split.split(self.bars):  # each has something to train on, or it says what is missing
            pass
        jobs = []
        for s, test in enumerate(split.tests):
            name = f"split {s + 1}, testing parts {', '.join(str(g + 1) for g in test)}"
            windows = tuple(split.pieces(self.bars, s))
            jobs.append(ready_job(self.runner, self.objective, self.method, windows, seed_of(self.seed, s), name))
        steps = Lockstep(jobs, self.runner, shared=True)
        more = True
        while more:
            begun = steps.sets
            more = steps.round()
            self.heard(steps.sets - begun)
        return jobs

    def held(self, jobs: Sequence[Job], s: int) -> NDArray[np.int64]:
        """How long trades of the best parameters of a split lasted in training."""
        job = jobs[s]
        row = best_of(job.drive)
        if row is None:
            return np.empty(0, dtype=np.int64)
        strategy = remade(self.source, job.drive.history.values_of(job.drive.history.genes[row]))
        inputs = aligned_inputs(self.bars, strategy)
        return np.concatenate([held_bars(simulate(self.bars, *inputs, self.setup, window)) for window in job.windows])

    def chosen(self, split: CombinatorialPurged, jobs: Sequence[Job]) -> list[SplitFound]:
        """The best of each split."""
        out = []
        for s, job in enumerate(jobs):
            row, history = best_of(job.drive), job.drive.history
            if row is None:
                what = f"{job.name}: no set has a value of {self.objective!r} in training"
                raise ConfigError(f"{what}; take fewer parts, or another space or objective")
            values = history.values_of(history.genes[row])
            score = float(history.scores[row, 0])
            out.append(SplitFound(split.tests[s], values, score, holding_quantile([self.held(jobs, s)]), len(history)))
        return out
