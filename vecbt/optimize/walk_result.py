"""`WalkForward`: what a walk-forward found. Folds, the account that traded all of them, efficiency, decay, stability, plots, files."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._typing import IndexT, Table
from ..analytics.saved.values import Json
from ..data.labels import label_text
from ..engine.strategy import Strategy
from ..errors import counted
from . import walk_files
from .walking import FoldFound

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..analytics.luck.judgement import Evidence
    from ..analytics.result import Result
    from .schedule import Schedule

__all__ = ["WalkForward"]

_COLUMNS = {
    "fold", "train_start", "train_end", "validate_start", "validate_end", "test_start", "test_end", "train_bars", "test_bars", "purge",
    "embargo", "holding", "adopted", "validated", "incumbent", "in_sample", "out_of_sample", "in_return", "out_return", "trades", "sets",
}  # fmt: skip


class WalkForward:
    """A finished walk-forward.

    Attributes
    ----------
    result : Result
        One account from the first test bar to the last, that runs `strategy` through all joins: equity, trades, reports, evidence.
    objective : str
        What was wanted, in words. Scores are higher the better, whatever the metric. With an objective that judges a set among many
        others (`Plateau`, `Deflated`), in- and out-of-sample scores are Sharpe ratios.
    notes : tuple of str
        What was decided on the way, such as purges that were cut.
    """

    def __init__(
        self, folds: Sequence[FoldFound], result: Result, schedule: Schedule | None, about: Mapping[str, Json], index: IndexT | None, *,
        notes: Sequence[str] = (), spans: Sequence[dict[str, Any]] | None = None, source: Json = None,
    ) -> None:  # fmt: skip
        self._found, self.result, self._schedule, self._about = list(folds), result, schedule, dict(about)
        self._spans = [_spans_of(fold, index) for fold in folds] if spans is None and index is not None else list(spans or ())
        self._source, self.notes = source, tuple(notes)
        self.objective: str = about["objective"][0]

    def __len__(self) -> int:
        """How many folds there are."""
        return len(self._found)

    @property
    def strategy(self) -> Strategy:
        """The schedule that traded: a strategy as any other. Over the bars from the first test on it replays to the last bit.

        Of a loaded walk-forward this imports the classes of the members.
        """
        return walk_files.strategy_in(self._source) if self._schedule is None else self._schedule

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of what varied."""
        return tuple(self._found[0].parameters)

    @property
    def best_parameters(self) -> dict[str, Any]:
        """Those in force after the last fold."""
        return dict(self._found[-1].parameters)

    @property
    def folds(self) -> Table:
        """A polars DataFrame, a row a fold.

        `train_start` to `train_end` (the last bar) chose, `validate_start` to `validate_end` compared with the parameters in force (null
        where nothing was compared), `test_start` to `test_end` traded. `purge` and `embargo` are the bars left out before the test,
        `holding` the 95 % quantile of bars that trades lasted in training. Then the parameters in force in the test, and whether they were
        `adopted` in this fold; `validated` and `incumbent` are the scores of the new and the old ones that decided it. `in_sample` and
        `out_of_sample` are scores of the parameters in force, `in_return` and `out_return` their simple returns, `trades` those closed
        in the test, each by an account that begins flat in its window; `sets` is how many were evaluated. A parameter with the name of
        another column is called `parameter.name`.
        """
        import polars as pl

        columns: dict[str, Any] = {"fold": list(range(1, len(self) + 1))}
        for name in ("train", "validate", "test"):
            for end in ("start", "end"):
                labels = [span[f"{name}_{end}"] for span in self._spans]
                columns[f"{name}_{end}"] = pl.Series(labels, dtype=pl.Int64).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")
        for name in ("train", "test"):
            columns[f"{name}_bars"] = [getattr(fold, name)[1] - getattr(fold, name)[0] for fold in self._found]
        columns |= {name: [getattr(fold, name) for fold in self._found] for name in ("purge", "embargo", "holding")}
        for name in self.parameters:
            values = [fold.parameters[name] for fold in self._found]
            plain = all(isinstance(value, int | float) for value in values)
            columns[f"parameter.{name}" if name in _COLUMNS else name] = values if plain else [str(value) for value in values]
        rest = ("adopted", "validated", "incumbent", "in_sample", "out_of_sample", "in_return", "out_return", "trades", "sets")
        return pl.DataFrame(columns | {name: [getattr(fold, name) for fold in self._found] for name in rest}, strict=False)

    def _column(self, name: str) -> NDArray[np.float64]:
        return np.array([getattr(fold, name) for fold in self._found], dtype=np.float64)

    @property
    def efficiency(self) -> float:
        """Walk-forward efficiency (Pardo, The Evaluation and Optimization of Trading Strategies, 2008, ch. 11): annual return out of sample
        over that in sample.

        Annual return is the sum of the folds' simple returns over the sum of their years; accounts begin flat in each window. NaN where the
        parameters lost in sample.
        """
        years = [sum(getattr(fold, name)[1] - getattr(fold, name)[0] for fold in self._found) for name in ("train", "test")]
        inside, outside = float(self._column("in_return").sum()) / years[0], float(self._column("out_return").sum()) / years[1]
        return outside / inside if inside > 0.0 else math.nan

    @property
    def decay(self) -> dict[str, float]:
        """How scores fall from training to test.

        `in_sample` and `out_of_sample` are their means over the folds that have both, `lost` the share of the former that is gone (NaN
        where it is not above 0), `kept` the share of folds that scored above 0 in the test, and `rank` Spearman's correlation of the two
        over the folds: near 0, a better training score does not mean a better test.
        """
        inside, outside = self._column("in_sample"), self._column("out_of_sample")
        both = ~(np.isnan(inside) | np.isnan(outside))
        a, b = inside[both], outside[both]
        if not len(a):
            return dict.fromkeys(("in_sample", "out_of_sample", "lost", "kept", "rank"), math.nan)
        first, second = float(a.mean()), float(b.mean())
        lost = 1.0 - second / first if first > 0.0 else math.nan
        return {"in_sample": first, "out_of_sample": second, "lost": lost, "kept": float((b > 0.0).mean()), "rank": _spearman(a, b)}

    def stability(self) -> Table:
        """How parameters drift over folds: a polars DataFrame, a row for each of them.

        `distinct` values in force, `changes` from fold to fold, `mode` (the commonest, as text) and its `share` of the folds; of numbers
        `mean`, `deviation`, `lowest`, `highest`, and `drift`, the mean size of a step from fold to fold over the spread of the values
        (0: none, near 1: back and forth between the ends).
        """
        import polars as pl

        rows = []
        for name in self.parameters:
            values = [fold.parameters[name] for fold in self._found]
            texts = [repr(value) for value in values]
            commonest = max(dict.fromkeys(texts), key=texts.count)
            row: dict[str, Any] = {
                "parameter": name, "distinct": len(set(texts)), "changes": sum(a != b for a, b in itertools.pairwise(texts)),
                "mode": commonest, "share": texts.count(commonest) / len(texts),
            }  # fmt: skip
            numbers = np.array([v if _is_number(v) else math.nan for v in values], dtype=np.float64)
            spread = float(np.ptp(numbers))
            steps = np.abs(np.diff(numbers))
            row |= {"mean": float(numbers.mean()), "deviation": float(numbers.std()), "lowest": float(numbers.min())}
            row |= {"highest": float(numbers.max()), "drift": float(steps.mean() / spread) if len(steps) and spread > 0.0 else spread * 0.0}
            rows.append(row)
        return pl.DataFrame(rows)

    def evidence(self, **options: Any) -> Evidence:
        """How likely the result of the stitched account is luck: `Result.evidence`, whose options these are.

        All configurations of all folds stand in the trial ledger and count, though the account was not chosen among them: it trades bars
        that no choice has seen. That is strict. `trials=5` says instead that five independent walk-forwards like this were tried, which is
        what is left to be lucky with.
        """
        return self.result.evidence(**options)

    def plot_equity(self, path: str | Path | None = None, *, log: bool = False) -> Figure:
        """Equity of the stitched account with a mark at each join, and the score of each fold in and out of sample below.

        Parameters
        ----------
        path : str or Path, optional
            Where to write it; the ending chooses the format (png, svg, pdf).
        log : bool
            Equity on a logarithmic axis.
        """
        from .walk_pictures import equity_figure

        return equity_figure(self, path, log=log)

    def plot_parameters(self, path: str | Path | None = None) -> Figure:
        """The parameters in force over time, a panel each: filled where they were adopted, hollow where they were kept. Path as above."""
        from .walk_pictures import parameters_figure

        return parameters_figure(self, path)

    def plot_scatter(self, path: str | Path | None = None) -> Figure:
        """Scores in sample against out of sample, a point a fold. Path as above."""
        from .walk_pictures import scatter_figure

        return scatter_figure(self, path)

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Save in a folder, for `WalkForward.load`: the account as `Result.save` writes it, the folds as JSON; nothing pickled.

        Parameters
        ----------
        folder : str or Path
            A new or an empty folder; it appears whole or not at all.
        overwrite : bool
            Replace a saved walk-forward that is there. Anything else that is there is left alone.
        """
        return walk_files.save_walk(
            folder, self._found, self._spans, self.result, self._schedule, self._source, self._about, self.notes, overwrite=overwrite
        )  # fmt: skip

    @classmethod
    def load(cls, folder: str | Path) -> WalkForward:
        """What `save` wrote. Nothing is run, and no strategy imported before `strategy` is asked for. StateError for anything else."""
        folds, spans, result, node = walk_files.read_walk(folder)
        return cls(folds, result, None, node["about"], None, notes=node["notes"], spans=spans, source=node["source"])

    def __repr__(self) -> str:
        first, last = label_text(self._spans[0]["test_start"]), label_text(self._spans[-1]["test_end"])
        decay = self.decay
        changes = sum(fold.adopted for fold in self._found[1:])
        purges = sorted({fold.purge for fold in self._found})
        purge = f"{purges[0]}" if len(purges) == 1 else f"{purges[0]} to {purges[-1]}"
        lines = [
            f"WalkForward: {self._about['name']}, {counted(len(self), 'fold')}, tested {first} to {last}",
            f"  {self.objective}: {decay['in_sample']:.3g} in sample, {decay['out_of_sample']:.3g} out of sample (means of folds)",
            f"  efficiency {self.efficiency:.2f}, new parameters in {changes} of {len(self) - 1} later folds, purge {purge} bars",
            *(f"  {line.strip()}" for line in repr(self.result).splitlines()[1:]),
            *(f"  {note}" for note in self.notes[:3]),
        ]
        if len(self.notes) > 3:
            lines.append(f"  and {counted(len(self.notes) - 3, 'further note')}")
        return "\n".join(lines)


def _spans_of(fold: FoldFound, index: IndexT) -> dict[str, Any]:
    """First and last labels of the windows of a fold."""
    found: dict[str, Any] = {}
    for name in ("train", "validate", "test"):
        window = getattr(fold, name)
        found[f"{name}_start"] = None if window is None else int(index[window[0]])
        found[f"{name}_end"] = None if window is None else int(index[window[1] - 1])
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _spearman(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Correlation of ranks; NaN where one of them does not vary."""
    if len(a) < 3 or not np.ptp(a) or not np.ptp(b):
        return math.nan
    from scipy.stats import rankdata

    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])
