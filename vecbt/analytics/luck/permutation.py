"""How often chance does as well: the strategy on shuffled bars, or its holdings at other times."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..._progress import progress_bar
from ...engine.check import aligned_inputs
from ...engine.inputs import AlignedInputs
from ...errors import ConfigError, counted
from ..sweep_lines import LOWER_IS_BETTER, statistic
from .entries import Holdings
from .rerun import measured_metric, rerun_metric
from .shuffled import Moves, block_order

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...engine.run import Run

__all__ = ["PermutationTest", "permutation_test"]

Kind = Literal["bars", "entries"]
_WHAT = {"bars": "on shuffled bars", "entries": "with the same holdings at random times"}


@dataclass(frozen=True)
class PermutationTest:
    """What a strategy earned beside what it earned where there was nothing to find.

    Attributes
    ----------
    kind : {"bars", "entries"}
    metric : its name
    observed : the metric of the run; made in the same way as the others, so that only the order differs
    null : float64 (n,), those of the random runs, NaN where the metric is undefined
    p_value : share of runs, this one among them, that are at least as good: (1 + k)/(1 + n). NaN where nothing was observed
    block, seed : as given
    reason : why there is no p-value, else ""
    """

    kind: Kind
    metric: str
    observed: float
    null: NDArray[np.float64] = field(repr=False)
    p_value: float
    block: int
    seed: int
    reason: str = ""

    @property
    def runs(self) -> int:
        """How many random runs have the metric."""
        return int((~np.isnan(self.null)).sum())

    def __str__(self) -> str:
        from ..statistics import write

        kind = statistic(self.metric).kind
        if self.reason:
            return f"{self.metric}: {self.reason}"
        usual = np.nanmedian(self.null)
        return (
            f"{self.metric} {write(kind, self.observed)}; {_WHAT[self.kind]} {write(kind, usual)} in the middle of "
            f"{counted(self.runs, 'run')}, and as good as this or better with probability {self.p_value:.3g}"
        )

    def plot(self, path: str | Path | None = None) -> Figure:
        """The random runs as a histogram, with the run itself as a line; one matplotlib figure.

        Parameters
        ----------
        path : str or Path, optional
            Where to write it; the ending chooses the format (png, svg, pdf).
        """
        from ..drawing import to_file
        from .pictures import null_figure

        return to_file(null_figure(self), path)


def permutation_test(
    run: Run, *, kind: Kind, metric: str, n: int, block: int, sizing: Any, seed: int, progress: Callable[[int, int], None] | bool | None
) -> PermutationTest:
    """See `Result.permutation_test`, which explains every argument."""
    name = measured_metric(metric)
    _check(run, kind, n, block, seed)
    work = _OnShuffledBars(run, block) if kind == "bars" else _AtOtherTimes(run, sizing)
    observed, null = work.metric(None, name), np.full(n, np.nan)
    shown = progress_bar(f"{kind} permuted", after=1.0, unit="runs") if progress is None else nullcontext(progress or None)
    with shown as report:
        for k, stream in enumerate(np.random.SeedSequence(seed).spawn(n)):
            null[k] = work.metric(np.random.default_rng(stream), name)
            if callable(report):
                report(k + 1, n)
    known = null[~np.isnan(null)]
    reason = ""
    if np.isnan(observed):
        reason = f"{name} is undefined in the run itself ({counted(len(run.trades), 'trade')}), so nothing can be compared with it"
    elif not len(known):
        reason = f"{name} is undefined in all random runs"
    as_good = int((known <= observed).sum() if name in LOWER_IS_BETTER else (known >= observed).sum())
    p_value = np.nan if reason else (1 + as_good) / (1 + len(known))
    return PermutationTest(kind, name, observed, null, float(p_value), block, seed, reason)


def _check(run: Run, kind: str, n: int, block: int, seed: int) -> None:
    if kind not in _WHAT:
        raise ConfigError(f"kind is {kind!r}; expected 'bars' or 'entries'")
    for name, value in (("n", n), ("block", block)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ConfigError(f"{name} is {value!r}; expected a whole number of at least 1")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ConfigError(f"seed is {seed!r}; expected a whole number from 0 on")
    if run.equity.shape[1] > 1:
        raise ConfigError(
            f"each of {counted(run.equity.shape[1], 'asset')} has an account of its own; run the one of interest alone, bars.select(symbol)"
        )
    if kind == "bars" and block > max(run.bars.T // 2, 1):
        raise ConfigError(f"block is {block}, more than half of {counted(run.bars.T, 'bar')}; nothing would change places")


class _OnShuffledBars:
    """The strategy asked again, on bars whose moves stand in another order."""

    def __init__(self, run: Run, block: int) -> None:
        self._run, self._block, self._moves = run, block, Moves.of(run.bars)

    def metric(self, rng: np.random.Generator | None, name: str) -> float:
        """Of a random order, or of the old one."""
        count = self._run.bars.T
        bars = self._moves.ordered(np.arange(count) if rng is None else block_order(count, self._block, rng))
        return rerun_metric(bars, *aligned_inputs(bars, self._run.source), self._run.setup, name)


class _AtOtherTimes:
    """The holdings of a run, without the strategy that chose them."""

    def __init__(self, run: Run, sizing: Any) -> None:
        self._run, self._held = run, Holdings.of(run)
        size = run.setup.sizing if sizing is None else sizing
        if size is not None and size.needs_stop:
            raise ConfigError(
                f"{type(size).__name__} sizes by the distance to a stop, and holdings that end at given times have none; "
                "give another one: sizing=vb.Weight(0.5)"
            )
        self._setup = replace(run.setup, stops=None, sizing=size)

    def metric(self, rng: np.random.Generator | None, name: str) -> float:
        """Of random times, or of the true ones."""
        flags = self._held.flags(rng)
        inputs = AlignedInputs(kind=self._held.kind, flags=flags, values=None)
        return rerun_metric(self._run.bars, inputs, inputs, self._setup, name)
