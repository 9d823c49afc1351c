"""A walk-forward at work: windows, searches in lockstep, what each fold adopts, and what it is worth on bars it has not seen."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.bars import Bars
from ..data.labels import label_text
from ..engine.batch import simulate
from ..engine.check import aligned_inputs
from ..engine.run import Run
from ..engine.setup import Setup
from ..engine.strategy import Strategy
from ..engine.sweep_rules import remade
from ..errors import ConfigError, counted
from .driving import Drive, scores_of
from .evaluation import Measured
from .lockstep import Job, Lockstep, Ready, Window, Windowed
from .objective import Metric, Objective
from .searching import Method
from .seen import Seen
from .spans import as_length, before
from .splits import Fold, WalkForwardSplit

__all__ = ["HELD", "FoldFound", "Plan", "Walk", "best_of", "held_bars", "holding_quantile", "ready_job", "seed_of", "worth"]

HELD = 0.95
"""The quantile of holding times that a purge is taken from."""

_SHARE = 0.5
"""Of the training window: a purge that is measured takes no more."""


@dataclass(frozen=True)
class FoldFound:
    """What came of one fold. Windows are places of bars (first, the one after the last).

    Attributes
    ----------
    train : on which parameters were chosen
    validate : the last part of training, on which they were compared with those in force; None where nothing was compared
    test : bars after it, not seen by the choice
    purge, embargo : bars left out before the test
    holding : the 95 % quantile of the bars that trades of the chosen parameters lasted in training; NaN without a trade
    chosen : the best parameters of training; empty where no set had a score
    parameters : those in force in the test
    adopted : whether these are the chosen ones, and new
    validated, incumbent : scores of the chosen parameters and of those in force before, on `validate`; NaN where nothing was compared
    in_sample, out_of_sample : scores of the parameters in force, on `train` and on `test`
    in_return, out_return : their simple returns, as fractions
    trades : closed in the test, by an account that begins flat in it
    sets : how many sets were evaluated in the search
    """

    train: Window
    validate: Window | None
    test: Window
    purge: int
    embargo: int
    holding: float
    chosen: dict[str, Any]
    parameters: dict[str, Any]
    adopted: bool
    validated: float
    incumbent: float
    in_sample: float
    out_of_sample: float
    in_return: float
    out_return: float
    trades: int
    sets: int


@dataclass(frozen=True)
class Plan:
    """How a walk-forward goes.

    Attributes
    ----------
    split : its windows, with the purge that is given, or none where it is to be measured
    measured : whether the purge is taken from holding times
    horizon : bars that labels look ahead: the least purge then
    threshold : by how much, relative to the score in force, new parameters must be better to be adopted; None: always
    inner : share of the training window that compares them
    least : bars that a training window must have
    """

    split: WalkForwardSplit
    measured: bool
    horizon: int
    threshold: float | None
    inner: float
    least: int | None


@dataclass(eq=False)
class Walk:
    """All that the folds share, and their searches."""

    bars: Bars
    strategy: Strategy
    runner: Windowed
    objective: Objective
    method: Method
    seed: int
    plan: Plan
    setup: Setup
    heard: Callable[[int], None]
    kept: Callable[[Sequence[Job], str], Any] | None = None
    """Called with searches that begin, and the name of their stage: takes them up from a checkpoint, and returns what keeps them."""
    notes: list[str] = field(default_factory=list)

    def go(self) -> tuple[list[Fold], list[FoldFound]]:
        """All folds in order, with their windows."""
        folds = self.plan.split.folds(self.bars)
        self._check_room(folds)
        purges, embargoes = (list(each) for each in zip(*(self._gaps(fold) for fold in folds), strict=True))
        if self.plan.measured:
            first = [self._choosing(fold, 0)[0] for fold in folds]
            jobs = self._searched(first, "holding")
            held = [self._holding(job, window) for job, window in zip(jobs, first, strict=True)]
            purges = [self._purge_of(quantile, fold) for quantile, fold in zip(held, folds, strict=True)]
            folds = [
                fold._replace(train_stop=max(fold.train_first + 1, fold.train_stop - purge))
                for fold, purge in zip(folds, purges, strict=True)
            ]
            parts = [self._choosing(fold, purge) for fold, purge in zip(folds, purges, strict=True)]
            if [choose for choose, _ in parts] != first:
                jobs = self._searched([choose for choose, _ in parts], "choice")
        else:
            parts = [self._choosing(fold, purge) for fold, purge in zip(folds, purges, strict=True)]
            jobs = self._searched([choose for choose, _ in parts], "choice")
        return folds, self._judged(folds, parts, list(zip(purges, embargoes, strict=True)), jobs)

    # --- windows ---------------------------------------------------------------------------------------------------------

    def _gaps(self, fold: Fold) -> tuple[int, int]:
        """Bars of purge and of embargo that the windows leave out before a test."""
        until = before(self.bars.index, fold.test_first, as_length(self.plan.split.purge, "purge", least=0))
        return fold.test_first - until, until - fold.train_stop

    def _check_room(self, folds: Sequence[Fold]) -> None:
        """ConfigError where a training window has too few bars, whatever happens."""
        bars = min(fold.train_stop - fold.train_first for fold in folds)
        least = self.plan.least
        if least is not None and bars < least:
            split, most = self.plan.split, max(fold.train_stop - fold.train_first for fold in folds)
            span = f"{bars:,}" if bars == most else f"{bars:,} to {most:,}"
            what = f"min_observations is {least:,}, but a training window of {split.train!r} has {span} bars of these data"
            longer = f"a train of about {math.ceil(least / bars)} times the length" if isinstance(split.train, str) else f"train={least}"
            raise ConfigError(f"{what}, so it can never be met; give {longer}, a shorter bar, or min_observations={bars}")

    def _choosing(self, fold: Fold, gap: int) -> tuple[Window, Window | None]:
        """The part of the training window that chooses, and the one that compares: its end, behind a gap."""
        if self.plan.threshold is None:
            return (fold.train_first, fold.train_stop), None
        length = fold.train_stop - fold.train_first
        cut = fold.train_stop - max(1, round(self.plan.inner * length))
        if cut - gap <= fold.train_first:
            what = (
                f"a training window of {counted(length, 'bar')}, of which {self.plan.inner:g} compares and {counted(gap, 'bar')} are purged"
            )
            raise ConfigError(f"{what}, leaves nothing to choose on; give a longer train, or a smaller inner or purge")
        return (fold.train_first, cut - gap), (cut, fold.train_stop)

    def _purge_of(self, quantile: float, fold: Fold) -> int:
        """The larger of the label horizon and the holding times, at most half of the window."""
        wanted = max(self.plan.horizon, 0 if math.isnan(quantile) else math.ceil(quantile))
        most = int(_SHARE * (fold.train_stop - fold.train_first) * (1.0 if self.plan.threshold is None else 1.0 - self.plan.inner))
        if wanted > most:
            when = label_text(int(self.bars.index[fold.test_first]))
            what = f"before {when} trades of training lasted {wanted} bars (95 % quantile)"
            self.notes.append(f"{what}, more than half of the window: {counted(most, 'bar')} were purged")
        return min(wanted, most)

    # --- searches --------------------------------------------------------------------------------------------------------

    def _searched(self, windows: Sequence[Window], stage: str) -> list[Job]:
        """A search over each window, to the end."""
        runner = self.runner
        jobs = [
            ready_job(runner, self.objective, self.method, (w,), seed_of(self.seed, k), self._named(k, w)) for k, w in enumerate(windows)
        ]
        steps = Lockstep(jobs, runner)
        keep = None if self.kept is None else self.kept(jobs, stage)
        try:
            more = True
            while more:
                begun = steps.sets
                more = steps.round()
                self.heard(steps.sets - begun)
                if keep is not None:
                    keep(False)
        finally:
            if keep is not None:
                keep(True)
        return jobs

    def _named(self, k: int, window: Window) -> str:
        first, last = (label_text(int(self.bars.index[t])) for t in (window[0], window[1] - 1))
        return f"fold {k + 1}, training {first} to {last}"

    def _holding(self, job: Job, window: Window) -> float:
        """The quantile of holding times of the best set; NaN where there is none, or it does not trade."""
        row = best_of(job.drive)
        if row is None:
            return math.nan
        return self.holding(job.drive.history.values_of(job.drive.history.genes[row]), window)

    def holding(self, values: Mapping[str, Any], window: Window) -> float:
        """The quantile of holding times of some parameters over a window."""
        strategy = remade(self.strategy, dict(values))
        return holding_quantile([held_bars(simulate(self.bars, *aligned_inputs(self.bars, strategy), self.setup, window))])

    # --- what each fold adopts, and what it is worth -----------------------------------------------------------------------

    def _judged(
        self, folds: Sequence[Fold], parts: Sequence[tuple[Window, Window | None]], gaps: Sequence[tuple[int, int]], jobs: Sequence[Job]
    ) -> list[FoldFound]:
        chosen = [None if (row := best_of(job.drive)) is None else job.drive.history.genes[row].copy() for job in jobs]
        if chosen[0] is None:
            raise ConfigError(
                f"{jobs[0].name}: no set has a value of {self.objective!r}; give longer windows, or another space or objective"
            )
        force, compared = self._adopted(chosen, [validate for _, validate in parts])
        asked = [(genes[None], window) for genes, (choose, _), fold in zip(force, parts, folds, strict=True)
                 for window in (choose, (fold.test_first, fold.test_stop))]  # fmt: skip
        found = self.runner.run(asked, 1)
        out = []
        for k, (fold, (choose, validate), best) in enumerate(zip(folds, parts, chosen, strict=True)):
            inside, outside = found[2 * k], found[2 * k + 1]
            values, test = self._values(force[k]), (fold.test_first, fold.test_stop)
            scores = [worth(self.objective, part, self.runner, window)[0] for part, window in ((inside, choose), (outside, test))]
            new = force[k] is best and (k == 0 or not np.array_equal(force[k], force[k - 1]))
            returns = [self._column(part, "total_return") for part in (inside, outside)]
            trades = self._column(outside, "trades")
            out.append(FoldFound(
                train=choose, validate=validate, test=test, purge=gaps[k][0], embargo=gaps[k][1],
                holding=self.holding(values, choose), chosen={} if best is None else self._values(best), parameters=values,
                adopted=new, validated=compared[k][0], incumbent=compared[k][1], in_sample=scores[0], out_of_sample=scores[1],
                in_return=returns[0], out_return=returns[1], trades=0 if math.isnan(trades) else int(trades),
                sets=len(jobs[k].drive.history),
            ))  # fmt: skip
        return out

    def _adopted(
        self, chosen: Sequence[NDArray[np.float64] | None], validate: Sequence[Window | None]
    ) -> tuple[list[NDArray[np.float64]], list[tuple[float, float]]]:
        """The genes in force in each fold, and the scores that decided, of the new ones and of those before."""
        force: list[NDArray[np.float64]] = []
        compared: list[tuple[float, float]] = []
        for new, window in zip(chosen, validate, strict=True):
            old = force[-1] if force else None
            scores = (math.nan, math.nan)
            if new is None:
                assert old is not None  # the first fold has a choice
                force.append(old)
            elif old is None or self.plan.threshold is None or window is None or np.array_equal(new, old):
                force.append(new)
            else:
                found = self.runner.run([(np.stack([new, old]), window)], 1)[0]
                ours, theirs = worth(self.objective, found, self.runner, window)
                scores = (ours, theirs)
                better = not math.isnan(ours) and (math.isnan(theirs) or ours - theirs > self.plan.threshold * abs(theirs))
                force.append(new if better else old)
            compared.append(scores)
        return force, compared

    def _values(self, genes: NDArray[np.float64]) -> dict[str, Any]:
        return self.runner.variables.at_row(genes)

    def _column(self, part: Measured, name: str) -> float:
        return float(part.columns[self.runner.names.index(name), 0])


class _Patient(Drive):
    """Goes on where no set has a score: a window in which nothing trades is no mistake, and what is in force stays in force."""

    def _watch(self) -> None:
        """Nothing is given up."""


def seed_of(seed: int, k: int) -> int:
    """Of the search of fold k: independent of the others."""
    return int(np.random.SeedSequence([seed, k]).generate_state(1)[0])


def ready_job(runner: Windowed, objective: Objective, method: Method, windows: tuple[Window, ...], seed: int, name: str) -> Job:
    """A search over windows, at its beginning."""
    count = sum(stop - first for first, stop in windows)
    part = runner.bars[windows[0][0] : windows[0][1]] if len(windows) == 1 else runner.bars[:count]
    own = Ready(part, runner.strategy, runner.variables, runner.keywords, runner.rf, runner.mar, runner.moments, runner.options)
    searcher = method.searcher(runner.variables, 1, seed)
    return Job(_Patient(searcher, runner.variables, (objective,), own, name=type(method).__name__, most=None), windows, name)


def best_of(drive: Drive) -> int | None:
    """The row of the best set against all that was met, of equal ones the first; None where no set has a score."""
    history = drive.history
    rows = np.arange(len(history))
    scores = (
        scores_of(drive.objectives, history, rows, drive.evaluation)[:, 0] if drive.objectives[0].looks_around else history.scores[:, 0]
    )
    return None if not len(scores) or np.isnan(scores).all() else int(np.nanargmax(scores))


def worth(objective: Objective, found: Measured, runner: Windowed, window: Window) -> list[float]:
    """Scores of a few sets over a window; where the objective compares with many others, their Sharpe ratios."""
    own = Metric("sharpe") if objective.looks_around else objective
    columns = dict(zip(runner.names, found.columns, strict=True))
    with np.errstate(invalid="ignore", over="ignore"):
        scores = own.scores(Seen.of(columns, window[1] - window[0], runner.bars.periods_per_year))
    return [float(score) if done else math.nan for score, done in zip(scores, found.done, strict=True)]


def held_bars(run: Run) -> NDArray[np.int64]:
    """How many bars each trade lasted; one that is open still, to the end."""
    closed = run.trades["exit_t"] - run.trades["entry_t"]
    held = run.assets["q"] != 0.0
    return np.concatenate([closed, run.bars.T - run.assets["entry_t"][held]]).astype(np.int64)


def holding_quantile(held: Sequence[NDArray[np.int64]]) -> float:
    """The quantile of holding times that a purge is taken from; NaN without a trade."""
    together = np.concatenate(held)
    return float(np.quantile(together, HELD)) if len(together) else math.nan
