"""Several searches at once, each over windows of its own: what all of them ask in a round is one sweep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..analytics.sweep import Sweep
from ..api import sweep
from ..core.sets import Sets
from ..engine.sweep import SweepRun
from ..engine.window import BETWEEN
from ..errors import ConfigError
from ..evidence import moments_of_blocks
from .driving import Drive
from .evaluation import Evaluation, Measured
from .history import History, Refusal, keys_of
from .seen import MOMENTS

__all__ = ["Job", "Lockstep", "Ready", "Window", "Windowed"]

Window: TypeAlias = tuple[int, int]
"""First bar, and the one after the last."""


@dataclass(eq=False)
class Windowed(Evaluation):
    """Sets that run over windows of the bars, each row over its own (D6)."""

    windows: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 2), dtype=np.int64))
    """Of the rows that are run now, (n, 2)."""

    def swept(self, genes: NDArray[np.float64], *, blocks: bool) -> Sweep:
        """These sets over their windows, as a sweep."""
        sets = self.variables.sets(genes)
        distinct, which = np.unique(self.windows, axis=0, return_inverse=True)
        windows = tuple((int(a), int(b)) for a, b in distinct)
        codes = np.column_stack([sets.codes, which.reshape(-1)]).astype(np.int64)
        return sweep(
            self.bars, self.strategy, Sets((*sets.names, BETWEEN), (*sets.values, windows), np.ascontiguousarray(codes)), rf=self.rf,
            mar=self.mar, blocks=blocks, progress=False, max_sets=max(len(genes), 1), **(self.options or {}), **self.keywords,
        )  # fmt: skip

    def _columns(self, run: SweepRun) -> list[NDArray[np.float64]]:
        found = super()._columns(run) if not self.moments else Evaluation._columns(_without_moments(self), run)
        if not self.moments or run.blocks is None:
            return found
        shape, lengths = run.final.shape, self.windows[:, 1] - self.windows[:, 0]
        more = np.full((len(MOMENTS), shape[0]), np.nan)
        for length in np.unique(lengths):
            at = np.flatnonzero(lengths == length)
            of = moments_of_blocks(run.blocks[at].reshape(-1, *run.blocks.shape[2:]), int(length))
            for k, values in enumerate((of.sharpe, of.skew, of.kurtosis)):
                more[k, at] = np.asarray(values).reshape(len(at), shape[1]).mean(axis=1)
        return [*found, *more]

    def run(self, asked: Sequence[tuple[NDArray[np.float64], Window]], number: int) -> list[Measured]:
        """All sets over their windows in one sweep; those of equal genes stand together, since they say the same.

        KeyboardInterrupt where Ctrl-C ended it early.
        """
        genes = np.concatenate([rows for rows, _ in asked])
        windows = np.repeat(np.array([window for _, window in asked], dtype=np.int64), [len(rows) for rows, _ in asked], axis=0)
        order = np.lexsort((windows[:, 1], windows[:, 0], *genes.T[::-1]))
        self.windows = windows[order]
        found = self.measure(genes[order], number)
        if found.partial:
            raise KeyboardInterrupt
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        columns, done = found.columns[:, place], found.done[place]
        refused = {refusal.genes: refusal for refusal in found.refusals}
        out, at = [], 0
        for rows, _ in asked:
            here = slice(at, at + len(rows))
            lost = [refused[tuple(row)] for row in rows[~done[here]].tolist()]
            out.append(Measured(columns[:, here], done[here], lost, False, found.seconds * len(rows) / len(genes)))
            at += len(rows)
        return out


def _without_moments(evaluation: Evaluation) -> Evaluation:
    """The same, for metrics alone."""
    return Evaluation(evaluation.bars, evaluation.strategy, evaluation.variables, evaluation.keywords, evaluation.rf, evaluation.mar)


@dataclass(eq=False)
class Ready(Evaluation):
    """The evaluation of one search, whose sets were run together with those of others."""

    ready: Measured | None = None

    def measure(self, genes: NDArray[np.float64], generation: int) -> Measured:
        """What was run."""
        found = self.ready
        assert found is not None  # `Lockstep.round` runs all that is new
        assert found.columns.shape[1] == len(genes)
        self.ready = None
        return found


@dataclass(eq=False)
class Job:
    """A search, over one window or over several, whose metrics are averaged by their bars (closed trades are added up)."""

    drive: Drive
    windows: tuple[Window, ...]
    name: str

    def new(self) -> NDArray[np.float64]:
        """The sets that it asks for and has not met, in order."""
        drive = self.drive
        genes = drive.searcher.ask()
        if not len(genes):
            return genes
        fine = np.flatnonzero(drive.history.variables.violations(genes) == 0.0)
        keys, found = keys_of(genes), dict[bytes, int]()
        for i in fine.tolist():
            if drive.history.place(keys[i]) is None:
                found.setdefault(keys[i], i)
        return genes[list(found.values())]


class Lockstep:
    """Searches that go round together.

    Parameters
    ----------
    jobs : the searches; the evaluation of each is a `Ready`
    runner : runs what they ask
    shared : whether their windows are often the same ones; then a set that one of them has run over a window is not run for another
    """

    def __init__(self, jobs: Sequence[Job], runner: Windowed, *, shared: bool = False) -> None:
        self.jobs, self.runner, self.sets = list(jobs), runner, 0
        self._met: dict[Window, History] | None = {} if shared else None

    def round(self) -> bool:
        """Ask all, run what is new, tell all; False where none of them asks any more."""
        active = [job for job in self.jobs if not job.drive.ended]
        asked = [(job, job.new()) for job in active]
        wanted = [(job, window, genes) for job, genes in asked if len(genes) for window in job.windows]
        found = iter(self._run([(genes, window) for _, window, genes in wanted]))
        for job, genes in asked:
            if len(genes):
                parts = [next(found) for _ in job.windows]
                job.drive.evaluation.ready = _joined(parts, job.windows, self.runner.names)  # type: ignore[attr-defined]
                self.sets += len(genes) * len(job.windows)
        for job in active:
            try:
                job.drive.step()
            except ConfigError as error:
                raise ConfigError(f"{job.name}: {error}") from error
        return any(not job.drive.ended for job in self.jobs)

    def _run(self, asked: list[tuple[NDArray[np.float64], Window]]) -> list[Measured]:
        """What came of these sets, of which some may have been run before."""
        number = 1
        if not asked:
            return []
        if self._met is None:
            return self.runner.run(asked, number)
        fresh: dict[Window, dict[bytes, NDArray[np.float64]]] = {}
        for genes, window in asked:
            met = self._met.setdefault(window, History(self.runner.variables, self.runner.names, 0))
            for key, row in zip(keys_of(genes), genes, strict=True):
                if met.place(key) is None:
                    fresh.setdefault(window, {}).setdefault(key, row)
        if fresh:
            pairs = [(np.array(list(rows.values())), window) for window, rows in fresh.items()]
            for (genes, window), found in zip(pairs, self.runner.run(pairs, number), strict=True):
                self._met[window].add(genes[found.done], found.columns[:, found.done], number)
                self._met[window].refuse(found.refusals)
        return [_recalled(self._met[window], genes) for genes, window in asked]


def _recalled(met: History, genes: NDArray[np.float64]) -> Measured:
    """What a history knows of sets."""
    places = np.array([met.place(key) for key in keys_of(genes)], dtype=np.int64)
    done = places >= 0
    columns = np.full((len(met.names), len(genes)), np.nan)
    for k, values in enumerate(met.columns.values()):
        columns[k, done] = values[places[done]]
    lost: list[Refusal] = [met.refusals[-1 - place] for place in places[~done].tolist()]
    return Measured(columns, done, lost, False, 0.0)


def _joined(parts: list[Measured], windows: Sequence[Window], names: Sequence[str]) -> Measured:
    """The metrics of sets over several windows: means by bars of those that are defined; NaN where they are for less than half of them."""
    if len(parts) == 1:
        return parts[0]
    bars = np.array([stop - first for first, stop in windows], dtype=np.float64)
    done = np.all([part.done for part in parts], axis=0)
    stack = np.stack([part.columns for part in parts])  # (windows, names, n)
    known = ~np.isnan(stack)
    weight = np.where(known, bars[:, None, None], 0.0)
    total = weight.sum(axis=0)
    with np.errstate(invalid="ignore"):
        columns = np.where(known, stack * weight, 0.0).sum(axis=0) / total
    columns[2.0 * total < bars.sum()] = np.nan
    k = list(names).index("trades")
    columns[k] = stack[:, k].sum(axis=0)
    lost = {refusal.genes: refusal for part in parts for refusal in part.refusals}
    return Measured(columns, done, list(lost.values()), False, sum(part.seconds for part in parts))
