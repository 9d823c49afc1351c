"""Sets to metrics: one sweep a generation, over all sets that were not met before."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..analytics.sweep_lines import METRICS, measured
from ..api import sweep
from ..core.space import Space
from ..engine.inputs import Inputs
from ..engine.strategy import as_strategy
from ..errors import VecbtError
from ..evidence import moments_of_blocks
from .history import Refusal
from .seen import MOMENTS
from .variables import Variables

if TYPE_CHECKING:
    from ..analytics.sweep import Sweep
    from ..data.bars import Bars
    from ..engine.sweep import SweepRun
    from ..ledger.place import Entry

__all__ = ["Evaluation", "Measured", "declared_by"]


def declared_by(strategy: Any) -> tuple[Space, dict[str, Any]]:
    """What a strategy declares of its parameters, and their values as it was given; of inputs nothing."""
    if isinstance(strategy, Inputs):
        return Space(type(strategy).__name__, ()), {}
    source = as_strategy(strategy)
    return source.space, dict(source.parameters)


@dataclass(frozen=True, eq=False)
class Measured:
    """What came of some sets.

    Attributes
    ----------
    columns : float64 (names, n), NaN where undefined or not measured
    done : bool (n,), measured
    refusals : of the others, but for those that were not reached
    partial : whether Ctrl-C ended it early
    seconds : that it took
    """

    columns: NDArray[np.float64]
    done: NDArray[np.bool_]
    refusals: list[Refusal]
    partial: bool
    seconds: float


@dataclass(eq=False)
class Evaluation:
    """What sets are run with.

    Each set is a line of `vb.sweep`, and in the trial ledger like one. With separate accounts a metric of a set is its mean over the
    symbols, NaN where it is of one of them.
    """

    bars: Bars
    strategy: Any
    variables: Variables
    keywords: Mapping[str, Any]
    rf: float = 0.0
    mar: float = 0.0
    moments: bool = False
    options: Mapping[str, Any] | None = None
    """Further arguments of `vb.sweep` on which no number depends: threads, executor."""
    entry: Entry | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns that are measured."""
        return (*METRICS, *MOMENTS) if self.moments else METRICS

    def swept(self, genes: NDArray[np.float64], *, blocks: bool) -> Sweep:
        """These sets as a sweep."""
        return sweep(
            self.bars, self.strategy, self.variables.sets(genes), rf=self.rf, mar=self.mar, blocks=blocks, progress=False,
            max_sets=max(len(genes), 1), **(self.options or {}), **self.keywords,
        )  # fmt: skip

    def measure(self, genes: NDArray[np.float64], generation: int) -> Measured:
        """Run these sets, (n, K)."""
        begun = time.perf_counter()
        found = self.swept(genes, blocks=self.moments)
        seconds = time.perf_counter() - begun
        run = found.run
        assert run is not None  # a sweep that was just made has it
        self.entry = found._entry
        columns = np.concatenate(self._columns(run), dtype=np.float64).reshape(len(self.names), len(genes))
        refusals = [
            Refusal(tuple(genes[c].tolist()), generation, _is_refused(run, c), text) for c, text in run.errors.items() if not run.done[c]
        ]
        partial = int(np.count_nonzero(run.done)) + len(refusals) < len(genes)
        return Measured(columns, run.done, refusals, partial, seconds)

    def _columns(self, run: SweepRun) -> list[NDArray[np.float64]]:
        shape = run.final.shape
        found = [values if shape[1] == 1 else values.reshape(shape).mean(axis=1) for values in measured(run, slice(None)).values()]
        if self.moments and run.blocks is not None:
            of = moments_of_blocks(run.blocks.reshape(-1, *run.blocks.shape[2:]), run.bars.T)
            found += [np.asarray(values).reshape(shape).mean(axis=1) for values in (of.sharpe, of.skew, of.kurtosis)]
        return found


def _is_refused(run: SweepRun, c: int) -> bool:
    """Whether a set never ran: its strategy or its setup cannot be made."""
    try:
        run.strategy_of(c)
        run.setup_of(c)
    except VecbtError:
        return True
    return False
