"""A search at work: asked, evaluated, scored and told, generation by generation."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, counted
from .evaluation import Evaluation
from .history import Generation, History, keys_of
from .objective import Objective
from .searching import Searcher
from .variables import Variables

__all__ = ["ENOUGH", "STOPPED", "Drive", "scores_of"]

_LOG = logging.getLogger("vecbt.search")

STOPPED = "stopped by the condition that was given"

ENOUGH = 100
"""Sets that are measured before a search whose objective has no value for any of them is given up."""


def scores_of(objectives: Sequence[Objective], history: History, rows: NDArray[np.int64], evaluation: Evaluation) -> NDArray[np.float64]:
    """What these sets are worth now (n, M)."""
    scores = np.empty((len(rows), len(objectives)))
    if len(rows):
        seen = history.seen(rows, evaluation.bars.T, evaluation.bars.periods_per_year)
        with np.errstate(invalid="ignore", over="ignore"):
            for m, objective in enumerate(objectives):
                scores[:, m] = objective.scores(seen)
    return scores


class Drive:
    """Goes round: `step` runs a generation.

    Attributes
    ----------
    history : what was met
    ended : why it ended, in words; empty while it goes on
    partial : whether Ctrl-C ended it; then sets of a generation that was not finished may be in the history, without scores
    sure : how many sets, and how many that could not be measured, are of finished generations
    whole : whether searcher and history are between two generations, so that both can be kept
    """

    def __init__(
        self, searcher: Searcher, variables: Variables, objectives: Sequence[Objective], evaluation: Evaluation, *, name: str,
        most: int | None, planned: int | None = None,
    ) -> None:  # fmt: skip
        self.searcher, self.objectives, self.evaluation = searcher, tuple(objectives), evaluation
        self.history = History(variables, evaluation.names, len(objectives))
        self.ended, self.partial, self.whole, self.sure = "", False, True, (0, 0)
        self._variables, self._name, self._most, self._planned = variables, name, most, planned

    def go(self, heard: Callable[[Generation], Any], settled: Callable[[], Any]) -> None:
        """Until it has finished, `heard` answers something true, or Ctrl-C; `settled` is called where all of it can be kept."""
        while not self.ended:
            try:
                generation = self.step()
                if generation is None:
                    break
                settled()
                if heard(generation):
                    self.ended = STOPPED
            except KeyboardInterrupt:
                self.partial, self.ended = True, "stopped by Ctrl-C"
        if not self.partial and len(self.history):
            for m in self._without_scores():
                warnings.warn(self._nothing(m), stacklevel=4)

    def step(self) -> Generation | None:
        """One generation; None where there is none, with `ended` saying why."""
        genes = self.searcher.ask()
        if not len(genes):
            self.ended = self.searcher.finished or "the method asks no more"
            return None
        violations, history = self._variables.violations(genes), self.history
        fine = (violations == 0.0).nonzero()[0]
        number, before, begin = self.searcher.generation + 1, len(history.refusals), len(history)
        keys = keys_of(genes if len(fine) == len(genes) else genes[fine])
        rows, new = history.expect(keys)
        if self._is_enough(len(new)):
            history.forget(keys[i] for i in new)
            return None
        seconds = self._evaluate(genes if len(new) == len(genes) else genes[fine[new]], number)
        at, bad = fine, history.refusals[before:]
        if history.refusals:
            rows = history.rows(keys)
            for i, place in zip(fine[rows < 0].tolist(), rows[rows < 0].tolist(), strict=True):
                violations[i] = 1.0 if history.refusals[-1 - place].refused else 0.0
            at, rows = fine[rows >= 0], rows[rows >= 0]
        worth = scores = scores_of(self.objectives, history, rows, self.evaluation)
        if len(at) < len(genes):
            scores = np.full((len(genes), len(self.objectives)), np.nan)
            scores[at] = worth
        refused = sum(refusal.refused for refusal in bad)
        counts = (len(genes), len(new) - len(bad), len(fine) - len(new), len(genes) - len(fine), refused, len(bad) - refused)
        found = _generation(number, counts, worth, rows, seconds)
        fresh = rows >= begin
        kept = worth[fresh]  # before `tell`, which may do with its arrays what it likes
        self.whole = False
        self.searcher.tell(scores, violations)
        history.score(rows[fresh], kept)
        history.generations.append(found)
        self.sure, self.whole = (len(history), len(history.refusals)), True
        self._log(found)
        self._watch()
        return found

    def _is_enough(self, more: int) -> bool:
        """Whether so many more sets would be too many; ConfigError where that is so from the start."""
        if self._most is None or len(self.history) + more <= self._most:
            return False
        if not len(self.history):
            what = f"max_sets is {self._most:,}, and the first generation has {counted(more, 'set')}"
            raise ConfigError(f"{what}; give a smaller population, or a larger max_sets")
        what = f"{counted(len(self.history), 'set')} were evaluated, and the next generation has {more:,} new ones"
        self.ended = f"{what}, which would be more than max_sets={self._most}"
        return True

    def _evaluate(self, genes: NDArray[np.float64], number: int) -> float:
        """Run sets that are new and expected; for how long."""
        if not len(genes):
            return 0.0
        history = self.history
        try:
            found = self.evaluation.measure(genes, number)
        except BaseException:
            history.forget(keys_of(genes))
            raise
        if np.count_nonzero(found.done) == len(genes):
            history.add(genes, found.columns, number, expected=True)
        else:
            history.forget(keys_of(genes))
            history.add(genes[found.done], found.columns[:, found.done], number)
        history.refuse(found.refusals)
        if not history.first:
            history.first = len(history)
        if found.partial:
            raise KeyboardInterrupt
        return found.seconds

    # --- words -----------------------------------------------------------------------------------------------------------

    def _log(self, found: Generation) -> None:
        """A line a generation, for `vb.setup_logger("vecbt.search")`."""
        if not _LOG.isEnabledFor(logging.INFO):
            return
        of = f"{found.number}/{self._planned}" if self._planned else f"{found.number}"
        parameters = self.history.values_of(self.history.genes[found.row]) if found.row >= 0 else {}
        best, average, deviation = ("/".join(f"{v:.4g}" for v in part) for part in (found.best, found.average, found.deviation))
        text = f"Gen {of} | Best: {best} | Avg: {average} | Std: {deviation} | Params: {parameters}"
        single = len(found.best) == 1
        extra = {
            "optimizer": self._name, "generation": found.number, "best_fitness": found.best[0] if single else list(found.best),
            "average_fitness": found.average[0] if single else list(found.average), "parameters": parameters,
            "evaluated": found.evaluated, "sets": len(self.history),
        }  # fmt: skip
        _LOG.info("%s", text, extra=extra)

    def _without_scores(self) -> list[int]:
        """The objectives that no set has."""
        return [m for m in range(len(self.objectives)) if np.isnan(self.history.scores[:, m]).all()]

    def _watch(self) -> None:
        """ConfigError once so many sets have shown that an objective is undefined everywhere."""
        count = len(self.history)
        if count >= ENOUGH > count - self.history.generations[-1].evaluated:
            for m in self._without_scores():
                raise ConfigError(self._nothing(m))

    def _nothing(self, m: int) -> str:
        """An objective that no set has."""
        trades, count = self.history.columns["trades"], len(self.history)
        idle = int((trades == 0.0).sum())
        why = f"{idle:,} of them closed no trade" if idle else "all of them closed trades"
        what = f"the objective {self.objectives[m]!r} is NaN for {'the only set' if count == 1 else f'all {count:,} sets'} so far"
        return f"{what}, of which {why}: widen the space, give more bars, or take an objective that is defined (total_return always is)"


def _generation(
    number: int, counts: tuple[int, int, int, int, int, int], scores: NDArray[np.float64], rows: NDArray[np.int64], seconds: float
) -> Generation:
    """What a generation was worth."""
    best, average, deviation, row = [], [], [], -1
    for m, column in enumerate(scores.T):
        known, ranked = column[np.isfinite(column)], column
        reached = len(known) > 0
        if len(known) < len(column):
            missing = np.isnan(column)
            ranked, reached = np.where(missing, -np.inf, column), not missing.all()
        place = int(ranked.argmax()) if reached else -1
        mean = np.add.reduce(known) / len(known) if len(known) else math.nan
        apart = known - mean
        best.append(float(ranked[place]) if reached else math.nan)
        average.append(float(mean))
        deviation.append(math.sqrt(np.add.reduce(apart * apart) / len(known)) if len(known) else math.nan)
        if m == 0 and reached:
            row = int(rows[place])
    return Generation(number, *counts, tuple(best), tuple(average), tuple(deviation), row, seconds)
