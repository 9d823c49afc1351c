"""`Search`: what a search found. Every set with its metrics and scores, the best, the front, generations, evidence, plots and files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Table
from ..analytics.saved.folder import replacing
from ..analytics.saved.keeping import folder_of
from ..analytics.sweep_lines import LOWER_IS_BETTER, METRICS
from ..analytics.tried import Tried
from ..core.jit import kernel_sources_hash
from ..errors import ConfigError, StateError, counted
from .driving import scores_of
from .keeping import Keeper, history_from, read_folder, variables_from
from .seen import measure_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..analytics.luck.judgement import Evidence
    from ..analytics.result import Result
    from ..analytics.sweep import Sweep
    from ..data.bars import Bars
    from .driving import Drive
    from .evaluation import Evaluation
    from .history import History

__all__ = ["Search"]


class Search(Tried):
    """A finished search.

    A set keeps its number, in the order in which sets were evaluated. A metric is NaN where it is undefined, and a score where a metric of
    it is. Scores are higher the better, whatever the metric: of a drawdown its negative.

    Attributes
    ----------
    objectives : what was wanted, in words, with sign, unit and scale
    parameters : names of what varied
    scores : float64 (m, M), of each set and objective. Where a score depends on what else was evaluated (`Plateau`, `Deflated`), that
        against all sets of the search
    ended : why it ended
    partial : whether Ctrl-C ended it
    """

    def __init__(self, drive: Drive, *, about: dict[str, Any]) -> None:
        history, evaluation = drive.history, drive.evaluation
        if not len(history) and not drive.partial:
            raise ConfigError(_nothing_ran(history))
        self._history, self._evaluation, self._about = history, evaluation, about
        self._entry, self._state = evaluation.entry, drive.searcher.state() if drive.whole else {}
        self.objectives = tuple(repr(each) for each in drive.objectives)
        self.ended, self.partial = drive.ended, drive.partial
        self.scores = _final_scores(drive)
        self.method, self.seed = about["method"][0], about["seed"]

    # --- sets ------------------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """How many distinct sets were evaluated: as many as there are trials."""
        return len(self._history)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters that varied."""
        return self._history.variables.names

    @property
    def table(self) -> Table:
        """A polars DataFrame, a row for each set that was evaluated: `set`, `generation`, the parameters, scores, metrics.

        With one objective its score is `score`, with several they are `score.1`, `score.2` and so on, as `objectives` has them. A
        parameter with the name of another column is called `parameter.name`; one that is no number is text.
        """
        return self._table(np.arange(len(self)))

    @property
    def refused(self) -> Table:
        """A polars DataFrame, a row for each set that could not be measured: `generation`, the parameters, `refused`, `error`.

        `refused` is true where strategy or setup refused the set before it ran; it is no trial, and counts as breaking a constraint.
        """
        import polars as pl

        bad, history = self._history.refusals, self._history
        genes = np.array([each.genes for each in bad], dtype=np.float64).reshape(len(bad), len(self.parameters))
        return pl.DataFrame([
            pl.Series("generation", [each.generation for each in bad], dtype=pl.Int64), *_parameters(history, genes),
            pl.Series("refused", [each.refused for each in bad], dtype=pl.Boolean),
            pl.Series("error", [each.error for each in bad], dtype=pl.String),
        ])  # fmt: skip

    @property
    def generations(self) -> Table:
        """A polars DataFrame, a row a generation.

        `generation`, `asked` (sets that were asked for), `evaluated`, `again` (met before), `infeasible` (break a constraint), `refused`,
        `failed`, of each objective `best`, `average` and `deviation` of the scores of this generation, the `set` that was best in the first
        one, and `seconds` of running sets. With several objectives they are `best.1` and so on.
        """
        import polars as pl

        rows, count = self._history.generations, self.scores.shape[1]
        columns: dict[str, Any] = {"generation": [each.number for each in rows]}
        for name in ("asked", "evaluated", "again", "infeasible", "refused", "failed"):
            columns[name] = [getattr(each, name) for each in rows]
        for name in ("best", "average", "deviation"):
            for m in range(count):
                columns[name if count == 1 else f"{name}.{m + 1}"] = np.array([getattr(each, name)[m] for each in rows], dtype=np.float64)
        columns["set"] = pl.Series([None if each.row < 0 else each.row for each in rows], dtype=pl.Int64)
        columns["seconds"] = np.array([each.seconds for each in rows], dtype=np.float64)
        return pl.DataFrame(columns)

    def top(self, n: int = 10, by: str | int = 0) -> Table:
        """The best sets, best first; undefined scores last.

        Parameters
        ----------
        n : int
            How many.
        by : int or str
            Which objective, counted from 0; or the name of a metric, higher first, where lower is better the least first.
        """
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            raise ConfigError(f"n is {n!r}; expected a whole number of at least 1")
        return self._table(self._order(by)[:n])

    def best(self, by: str | int = 0) -> dict[str, Any]:
        """The best set with its parameters, scores and metrics, of equal ones the first; `by` is that of `top`.

        ConfigError where no set has a score.
        """
        place, values = self._order(by)[:1], self._by(by)
        if not len(place) or np.isnan(values[place[0]]):
            what = self.objectives[by] if isinstance(by, int) else by
            raise ConfigError(f"none of {counted(len(self), 'set')} has a score for {what}: it is NaN for all (such as no trade)")
        found: dict[str, Any] = self._table(place).row(0, named=True)
        return found

    @property
    def best_parameters(self) -> dict[str, Any]:
        """The parameters of the best set by the first objective, as the strategy takes them."""
        return self._history.values_of(self._history.genes[self.best()["set"]])

    def front(self) -> Table:
        """The sets that no other beats in all objectives (Pareto), by the first objective; with one objective the best ones."""
        from .pareto import pareto_front

        places = np.asarray(pareto_front(self.scores), dtype=np.int64)
        return self._table(places[np.argsort(-self.scores[places, 0], kind="stable")])

    def _by(self, by: str | int) -> NDArray[np.float64]:
        """Numbers by which sets are ranked, higher first."""
        if isinstance(by, str):
            name = measure_name(by)
            if name not in self._history.names:
                raise ConfigError(f"{by!r} is no column of the table; give one of {', '.join(METRICS)}")
            values = self._history.columns[name]
            return -values if name in LOWER_IS_BETTER else values
        if isinstance(by, bool) or not isinstance(by, int) or not 0 <= by < self.scores.shape[1]:
            raise ConfigError(f"by is {by!r}; expected 0 to {self.scores.shape[1] - 1}, an objective, or the name of a metric")
        column: NDArray[np.float64] = self.scores[:, by]
        return column

    def _order(self, by: str | int) -> NDArray[np.int64]:
        values = self._by(by)
        undefined = np.isnan(values)
        return np.lexsort((np.where(undefined, 0.0, -values), undefined))

    def _table(self, places: NDArray[np.int64]) -> Table:
        import polars as pl

        history = self._history
        head = [pl.Series("set", places), pl.Series("generation", history.generation[places])]
        names = ["score"] if self.scores.shape[1] == 1 else [f"score.{m + 1}" for m in range(self.scores.shape[1])]
        scores = [pl.Series(name, self.scores[places, m]) for m, name in enumerate(names)]
        metrics = [pl.Series(name, values[places]) for name, values in history.columns.items() if name in METRICS]
        return pl.DataFrame([*head, *_parameters(history, history.genes[places]), *scores, *metrics])

    # --- run again --------------------------------------------------------------------------------------------------------

    def backtest(self, number: int) -> Result:
        """Run one set anew, by its number in the table: the same metrics, with curves, trades and reports.

        Raises
        ------
        ConfigError
            There is no such set.
        StateError
            The search was loaded without its bars and strategy.
        """
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or not 0 <= number < len(self):
            raise ConfigError(f"there is no set {number!r} here; expected one of the column `set` of the table")
        from ..ledger.place import off

        with off():  # it is there already
            found = self._again(np.array([number]), blocks=False)
        result = found.backtest(0)
        result._entry = self._entry
        return result

    def sweep(self, *, blocks: bool = True) -> Sweep:
        """All sets that were evaluated, run again as a sweep: with heat maps, plateaus, parallel coordinates, files.

        Sets have the same numbers, and are no new trials; the ledger gets their sums over parts of the bars, by which it can tell how much
        they resemble each other.

        Parameters
        ----------
        blocks : bool
            Keep sums over parts of the bars, 1.5 kB a set, which evidence needs.
        """
        return self._again(np.arange(len(self)), blocks=blocks)

    def evidence(self, **keywords: Any) -> Evidence:
        """Whether the best set by its Sharpe ratio is more than the luckiest of all that were tried; `Sweep.evidence`, which explains all.

        All sets run again for it, once, with sums over parts of the bars. Where a search has crowded, sets resemble each other, and count
        as fewer.
        """
        return self.sweep().evidence(**keywords)

    def _again(self, places: NDArray[np.int64], *, blocks: bool) -> Sweep:
        return self._of_bars().swept(self._history.genes[places], blocks=blocks)

    def _of_bars(self) -> Evaluation:
        if self._evaluation is None:
            raise StateError("this search was loaded without its bars; give them: Search.load(folder, bars=..., strategy=..., costs=...)")
        return self._evaluation

    def _tried_on(self) -> tuple[Bars | None, str]:
        return None if self._evaluation is None else self._evaluation.bars, self._about["bars"]["hash"]

    # --- files ------------------------------------------------------------------------------------------------------------

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Save in a folder, for `Search.load`: what was met as .npz, all else as JSON, every bit, nothing pickled.

        Parameters
        ----------
        folder : str or Path
            A new or an empty folder; it appears whole or not at all.
        overwrite : bool
            Replace a saved search that is there. Anything else that is there is left alone.
        """
        target = folder_of(folder, "folder")
        if target.is_dir() and any(target.iterdir()):
            try:
                read_folder(target)
            except StateError as error:
                raise ConfigError(f"{str(folder)!r} is there already, and is no saved search that could be replaced: {error}") from error
            if not overwrite:
                what = f"{str(folder)!r} holds a saved search already, and was left alone"
                raise ConfigError(f"{what}; give another folder, or overwrite=True")
        hashes = {"data": self._about["bars"]["hash"], "search": "", "kernels": kernel_sources_hash()}
        with replacing(target) as work:
            keeper = Keeper(work, self._about, hashes, argument="folder")
            keeper.write(self._history, self._state, ended=self.ended, partial=self.partial, scores=self.scores)
        return target

    save_results = save

    @classmethod
    def load(cls, folder: str | Path, *, bars: Any = None, strategy: Any = None, threads: int | None = None, **keywords: Any) -> Search:
        """A search that `save` wrote, or one that a checkpoint keeps.

        Parameters
        ----------
        folder : str or Path
            Where it is.
        bars, strategy, **keywords : optional
            As they were given to `search`. Then sets can be run again (`backtest`, `sweep`, `evidence`); without them all else works.

        Raises
        ------
        StateError
            The folder holds no search of this layout or was changed, or bars, strategy or keywords are not those of the search.
        """
        from .reading import evaluation_of

        kept = read_folder(folder)
        about = kept.about["search"]
        found = cls.__new__(cls)
        found._about, found._state = about, kept.state
        found.objectives, found.ended, found.partial = tuple(about["objective"]), kept.about["ended"], bool(kept.about["partial"])
        found.method, found.seed = about["method"][0], int(about["seed"])
        variables = variables_from(about["variables"])
        found._history = history_from(kept, variables, about["columns"], len(found.objectives))
        found.scores, found._evaluation, found._entry = found._history.scores.copy(), None, None  # type: ignore[assignment]
        if bars is not None or strategy is not None or keywords:
            found._evaluation = evaluation_of(about, variables, bars, strategy, keywords, threads)
        return found

    load_results = load

    # --- pictures ---------------------------------------------------------------------------------------------------------

    def plot_convergence(self, path: str | Path | None = None) -> Figure:
        """Scores over generations: every set, the mean of each generation, and the best so far; a panel an objective.

        Parameters
        ----------
        path : str or Path, optional
            Where to write it; the ending chooses the format (png, svg, pdf).
        """
        from .pictures import convergence_figure

        return convergence_figure(self._history, self.scores, self.objectives, path)

    def plot_front(self, x: int = 0, y: int = 1, path: str | Path | None = None) -> Figure:
        """All sets by two objectives, with the Pareto front; ConfigError for a search with one objective."""
        from .pictures import front_figure

        return front_figure(self._history, self.scores, self.objectives, (x, y), path)

    # --- words ------------------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        history, about = self._history, self._about
        count, runs = len(history), history.generations
        symbols = about["bars"]["symbols"]
        shown = ", ".join(symbols[:6]) + (f" and {len(symbols) - 6} more" if len(symbols) > 6 else "")
        broken, again = sum(each.infeasible for each in runs), sum(each.again for each in runs)
        seconds = sum(each.seconds for each in runs)
        lines = [
            f"Search: {about['name']} · {shown}",
            f"  {self.method}, seed {self.seed}: {counted(len(runs), 'generation')}, {self.ended or 'not finished'}",
            f"  {counted(count, 'set')} evaluated over {counted(about['bars']['count'], 'bar')} in {seconds:.2f} s, {again:,} met again, "
            f"{broken:,} infeasible, {sum(each.refused for each in runs):,} refused, {sum(each.failed for each in runs):,} failed",
        ]
        lines += [f"  objective{f' {m + 1}' if len(self.objectives) > 1 else ''}: {each}" for m, each in enumerate(self.objectives)]
        lines += self._best_lines()
        return "\n".join([*lines, *self._not_recorded()])

    def _best_lines(self) -> list[str]:
        lines = []
        for m in range(self.scores.shape[1]):
            if not len(self) or np.isnan(self.scores[:, m]).all():
                lines.append("  no set has a score")
                continue
            place = int(self._order(m)[0])
            values = self._history.values_of(self._history.genes[place])
            named = ", ".join(f"{name}={value!r}" for name, value in values.items())
            which = f" {m + 1}" if self.scores.shape[1] > 1 else ""
            lines.append(f"  best score{which} {self.scores[place, m]:.4g}: {named} (set {place})")
        return lines


def _final_scores(drive: Drive) -> NDArray[np.float64]:
    """Scores of all sets; those that look at what else was evaluated anew, and those of a generation that was not finished."""
    history, scores = drive.history, drive.history.scores.copy()
    changing = any(each.looks_around for each in drive.objectives)
    rows = np.arange(0 if changing else drive.sure[0], len(history))
    scores[rows] = scores_of(drive.objectives, history, rows, drive.evaluation)
    return scores


def _nothing_ran(history: History) -> str:
    """Why no set was evaluated."""
    asked, broken = (sum(getattr(each, name) for each in history.generations) for name in ("asked", "infeasible"))
    if history.refusals:
        return f"none of {counted(asked, 'set')} could be run; the first was refused: {history.refusals[0].error}"
    return f"none of {counted(asked, 'set')} was evaluated: {broken:,} break a constraint; widen the space, or look at `where`"


def _parameters(history: History, genes: NDArray[np.float64]) -> list[Any]:
    """Columns of parameters: numbers, booleans, else text."""
    import polars as pl

    found = []
    for name in history.variables.names:
        values = history.variables.values(name, genes)
        title = f"parameter.{name}" if name in {"set", "generation", "score", "error", "refused", *METRICS} else name
        plain = values.dtype.kind in "iuf"
        kinds = {type(value) for value in values.tolist()} if not plain else set()
        if plain or kinds == {bool}:
            found.append(pl.Series(title, values if plain else values.tolist()))
        else:
            found.append(pl.Series(title, [v if v is None or isinstance(v, str) else repr(v) for v in values.tolist()], dtype=pl.String))
    return found
