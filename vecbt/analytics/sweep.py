"""`Sweep`: what many parameter sets over the same bars returned. A table with order, choice, plateaus, plots and files."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from .._progress import progress_bar
from .._typing import Table
from ..engine.batch import simulate
from ..engine.check import aligned_inputs
from ..errors import ConfigError, StateError, counted
from .luck.questions import SweepLuck
from .plateau import MOST_DIMENSIONS, neighbourhoods
from .statistics import write
from .sweep_lines import FRAGILITY, LOWER_IS_BETTER, Lines, columns_of, lines_of, order_of, statistic
from .sweep_pictures import Pictures
from .tried import Tried

if TYPE_CHECKING:
    from ..data.bars import Bars
    from ..engine.sweep import SweepRun
    from ..ledger.place import Entry
    from .result import Result

__all__ = ["Sweep"]


class Sweep(Tried, Pictures, SweepLuck):
    """A finished sweep.

    A line is a parameter set, with `accounts="separate"` a set and a symbol. A set keeps its number in every choice of lines. A metric is
    NaN where it is undefined (M5: a Sharpe ratio without a trade, a win rate without a closed one), and null in tables where its set went
    wrong or was not run. Whatever ranks by a metric puts NaN after all numbers, and what was not measured last.

    Parameters
    ----------
    run : SweepRun
        What the engine returned; kept as `sweep.run`.
    metrics : sequence of str, optional
        Columns of the table; all of `sweep_lines.METRICS` if it is not said. Any other that was measured may still be ranked by and drawn.
    entry : Entry, optional
        What became of it in the trial ledger; None where it was not to be recorded.
    """

    def __init__(self, run: SweepRun, *, metrics: Sequence[str] | None = None, entry: Entry | None = None) -> None:
        lines, self._entry = lines_of(run), entry
        self._set(lines, columns_of(metrics, lines), run, np.arange(len(run.sets)))

    def _set(self, lines: Lines, metrics: tuple[str, ...], run: SweepRun | None, numbers: NDArray[np.int64]) -> None:
        self._lines, self.metrics, self.run, self._numbers = lines, metrics, run, numbers

    @classmethod
    def _of(cls, lines: Lines, metrics: tuple[str, ...], run: SweepRun | None, numbers: NDArray[np.int64]) -> Sweep:
        """Lines of a sweep; `numbers` says which sets those of `run` are."""
        found = cls.__new__(cls)
        found._set(lines, metrics, run, numbers)
        return found

    # --- lines ---------------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """How many sets there are, whatever came of them."""
        return len(np.unique(self._lines.number))

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters of the sets."""
        return self._lines.sets.names

    @property
    def errors(self) -> dict[int, str]:
        """What went wrong with a set, by its number."""
        return dict(self._lines.errors)

    @property
    def partial(self) -> bool:
        """Whether some sets were neither measured nor in error: the sweep was ended early."""
        return bool((~self._lines.done & ~self._wrong).any())

    @property
    def block_sums(self) -> Literal["memory", "file", "off"]:
        """Where `blocks` and `fine` are: in memory, in files that are read where they are, or nowhere: they were not kept."""
        return "off" if self._lines.sums is None else self._lines.sums.where

    @property
    def blocks(self) -> NDArray[np.float64] | None:
        """float64 (L, 16, 4), a row a line of the table: sums of r to r^4 over sixteen equal parts of the bars; None where not kept.

        r are simple returns (M1); part b of B holds the bars from b*T//B to (b + 1)*T//B - 1. NaN for lines that were not measured. Of
        sums in a file this is a read-only map, of filtered lines a copy in memory.
        """
        return None if self._lines.sums is None else self._lines.sums.of_lines()[0]

    @property
    def fine(self) -> NDArray[np.float64] | None:
        """float64 (L, 64, 2), as `blocks`: sums of r and r^2 over 64 equal parts of the bars."""
        return None if self._lines.sums is None else self._lines.sums.of_lines()[1]

    @property
    def _wrong(self) -> NDArray[np.bool_]:
        return np.isin(self._lines.number, list(self._lines.errors))

    @property
    def table(self) -> Table:
        """A polars DataFrame, one row a line: `set`, `symbol` with separate accounts, the parameters, the metrics, `error`.

        A parameter that is no number is text. One with the name of a metric is called `parameter.name`. Fractions, ratios, money and counts
        are as in `Result.stats`; `profit` is NaN with `flows`, of whose deposits a sweep keeps no account.

        With an envelope each metric, which is that under the setup's own intrabar rule, is followed by `_low` and `_high`, the lesser and
        the greater of its values under the two rules (P5, P8), NaN where one of them is; and `fragility` is the share of the trades whose
        end hangs on the rule (M8), NaN without a closed trade.
        """
        return self._lines.table(self.metrics)

    def to_pandas(self) -> Table:
        """The table as a pandas DataFrame; what is null in `table` is missing."""
        import pandas as pd

        return pd.DataFrame({column.name: _pandas_column(column) for column in self.table})

    def top(self, n: int = 10, metric: str = "sharpe", *, ascending: bool | None = None) -> Table:
        """The best lines, best first.

        Parameters
        ----------
        n : int
            How many.
        metric : str
            By which; undefined (NaN, such as the Sharpe ratio of a set without a trade) comes after all numbers, failed sets last.
        ascending : bool, optional
            Least first. Left out, that is done for max_drawdown, volatility, ulcer and longest_drawdown_bars.
        """
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            raise ConfigError(f"n is {n!r}; expected a whole number of at least 1")
        shown = self.metrics if metric in self.metrics else (metric, *self.metrics)
        return self._lines.table(shown)[order_of(self._lines, metric, ascending)[:n]]

    def best(self, metric: str = "sharpe", ascending: bool | None = None) -> dict[str, Any]:
        """The parameters and metrics of the best line; of equal ones the first. ConfigError where no line has that metric."""
        place = order_of(self._lines, metric, ascending)[0]
        if np.isnan(self._lines.metrics[metric][place]):
            what = f"the only set has no {metric}" if len(self) == 1 else f"none of the {len(self):,} sets has a {metric}"
            raise ConfigError(f"{what}: {self._gaps(metric) or 'there are none'}")
        row: dict[str, Any] = self.top(1, metric, ascending=ascending).row(0, named=True)
        del row["error"]
        return row

    def filter(self, wanted: Any) -> Sweep:
        """The lines that are wanted, as a sweep.

        Parameters
        ----------
        wanted : polars expression, or callable
            `pl.col("trades") > 30`, or a function of the table (with all metrics that were measured) that gives a boolean for each row.

        Raises
        ------
        ConfigError
            It gives no booleans, or leaves nothing.
        """
        import polars as pl

        table = self._lines.table(tuple(self._lines.metrics))
        try:
            found = table.select(wanted).to_series() if isinstance(wanted, pl.Expr) else wanted(table)
        except (pl.exceptions.PolarsError, TypeError) as error:
            raise ConfigError(f"the filter cannot be used: {error}; expected an expression of {', '.join(table.columns)}") from error
        mask = found.fill_null(False).to_numpy() if isinstance(found, pl.Series) and found.dtype == pl.Boolean else np.asarray(found)
        if mask.dtype != np.bool_ or mask.shape != (len(table),):
            raise ConfigError(f"the filter gave {mask.dtype} of shape {mask.shape}; expected booleans ({len(table)},)")
        if not mask.any():
            raise ConfigError(f"the filter leaves none of {counted(len(table), 'line')}")
        found = Sweep._of(self._lines.kept(mask), self.metrics, self.run, self._numbers)
        found._entry = self._entry
        return found

    def backtest(self, number: int) -> Result:
        """Run one set anew, by its number in the table: the same metrics, with curves, trades and reports.

        Raises
        ------
        ConfigError
            There is no such set here.
        StateError
            The sweep was loaded without its bars and strategy.
        The error of the set, where it has one.
        """
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number not in self._lines.number:
            raise ConfigError(f"there is no set {number!r} here; expected one of the column `set` of the table")
        from .result import Result  # most sweeps never ask

        run, place = self._of_bars(), int(np.searchsorted(self._numbers, number))
        strategy, setup = run.strategy_of(place), run.setup_of(place)
        return Result(simulate(run.bars, *aligned_inputs(run.bars, strategy), setup, run.window_of(place)), entry=self._entry)

    def break_even(
        self, cost: str, *, rows: Any = None, tolerance: float = 1e-4, lowest: float | None = None, limit: float | None = None,
        threads: int | None = None, progress: Callable[[int, int], None] | Literal[False] | None = None,
    ) -> Table:  # fmt: skip
        """At which cost the net Sharpe ratio of each set reaches zero, all else as it was run (M9).

        The sets are run at other costs, all that are still open in one sweep a round: from the lowest cost, then from the set's own on in
        steps of four times until the ratio is not above zero, over a grid of eight parts of that bracket, and between the two ends of its
        first part with a crossing until they are close. `backtest` with any of these costs gives the same ratio. Of whole numbers (a
        strategy's `delay`) every one from the lowest on is tried.

        Parameters
        ----------
        cost : str
            `commission_rate`, `slippage_bps`, `half_spread`, `per_unit`, `per_order`, `minimum`, `volume_share`, `maker_rate`,
            `borrow_rate`, `interest_rate`, `initial_capital`, also `commission`, `slippage`, `spread`, `borrow`, `interest`, `capital`; or
            any number of the setup by its dotted name, or a parameter of the strategy. Capital needs costs that grow with the share of
            the volume (`volume_share`), and is tried from the set's own on.
        rows : sequence of int, or table, optional
            Only these sets, by their numbers or the column `set` of a table such as `top(20)`; all lines here if it is not said.
        tolerance : float
            How far `lower` and `upper` may be apart, as a fraction of `upper`; a millionth of the first cost that is tried is enough.
        lowest, limit : float, optional
            The least and the greatest cost that is tried. Left out: 0, and 0.4 for rates of commission, 5,000 bps, 9 a year for borrowing
            and interest, else the first that is tried times 2^20; of a parameter with a range its ends, of whole numbers 64 more than the
            lowest.
        threads, progress
            As for `vb.sweep`; what is counted are lines of which it is known what came of them.

        Returns
        -------
        polars DataFrame
            One row a line: `set`, `symbol` with separate accounts, the parameters, `current` (its own cost), `break_even`, `lower` and
            `upper` (the greatest cost tried with a Sharpe ratio above zero, and the least above that without; `break_even` is `upper`),
            `status`, `error`. Null where there is no such number. A parameter with one of these names is called `parameter.name`.
            The status is `found`, `several` (the first of several crossings), `untraded` (above `lower` there is no Sharpe ratio, since
            it trades no more), `below_zero` (at the lowest cost already), `above_zero` (at the limit still), `undefined` (no trade at the
            lowest cost), `failed` (see `error`), or `stopped` (Ctrl-C).

        Raises
        ------
        ConfigError
            There is no such cost or row, it is no number, a bound leaves nothing to try, or no cost hangs on the capital.
        StateError
            The sweep was loaded without its bars and strategy.
        """
        from .break_even import break_even_table

        if progress is not None and progress is not False and not callable(progress):
            raise ConfigError(f"progress is {progress!r}; expected a function of (done, total), None or False")
        run, lines = self._of_bars(), self._lines if rows is None else self._lines.kept(self._chosen(rows))
        places = np.searchsorted(self._numbers, lines.number)
        shown = progress_bar("break-even", after=1.0, unit="sets") if progress is None else nullcontext(progress or None)
        with shown as report:
            return break_even_table(
                run, lines, places, cost, tolerance=tolerance, lowest=lowest, limit=limit, threads=threads, progress=report
            )  # fmt: skip

    def _chosen(self, rows: Any) -> NDArray[np.bool_]:
        """Which lines are meant by numbers of sets, or by a table with them."""
        numbers = rows["set"] if hasattr(rows, "columns") and "set" in rows.columns else rows
        wanted = list(numbers) if np.iterable(numbers) and not isinstance(numbers, str) else [numbers]
        for number in wanted:
            if isinstance(number, bool) or not isinstance(number, int | np.integer) or number not in self._lines.number:
                raise ConfigError(f"there is no set {number!r} here; rows are numbers of the column `set`, or a table with that column")
        if not wanted:
            raise ConfigError("rows is empty; give at least one number of the column `set`")
        return np.isin(self._lines.number, np.array(wanted, dtype=np.int64))

    def _of_bars(self) -> SweepRun:
        """The run, whose sets can be run again."""
        if self.run is None:
            raise StateError("this sweep was loaded without its bars; give them: Sweep.load(folder, bars=..., strategy=..., costs=...)")
        return self.run

    def plateau(self, metric: str = "sharpe") -> Table:
        """How each set stands among its neighbours: a polars DataFrame, one row a line, in their order.

        The neighbourhood of a set is itself and all sets that differ from it by at most one step in every parameter that varies and is
        numeric, and in no other parameter (nor in symbol). A step leads to the next value that occurs in this sweep, however far that is.
        Sets that are missing, failed, or whose metric is undefined or infinite are in no neighbourhood.

        Columns: `set`, `symbol`, the parameters, the metric, `neighbours` (how many there are besides the set itself), `mean`, `worst`
        and `deviation` (that of the population) of the metric in the neighbourhood, and `plateau` = mean - deviation, so that a lone peak
        scores low; where lower is better (`top`), mean + deviation. They are NaN for a set without a neighbour or without the metric.

        Raises
        ------
        ConfigError
            No numeric parameter varies, or more than six do (there are 3**K offsets).
        """
        import polars as pl

        lines, values = self._lines, self._lines.values(metric)
        numeric = [name for name in lines.varied() if lines.is_number(name)]
        if not 1 <= len(numeric) <= MOST_DIMENSIONS:
            said = f"{len(numeric)} numeric parameters vary: {', '.join(numeric)}" if numeric else "no numeric parameter varies"
            raise ConfigError(f"{said}; a plateau needs 1 to {MOST_DIMENSIONS} (filter holds others at one value)")
        others = [lines.sets.names.index(name) for name in lines.varied() if name not in numeric]
        groups = np.unique(np.column_stack([lines.account, lines.sets.codes[:, others]]), axis=0, return_inverse=True)[1].reshape(-1)
        ranks = np.stack([np.unique(lines.sets.column(name), return_inverse=True)[1] for name in numeric], axis=1)
        found = neighbourhoods(ranks, groups, values)
        lower = metric in LOWER_IS_BETTER
        columns = {
            "neighbours": found.neighbours, "mean": found.average, "worst": found.greatest if lower else found.least,
            "deviation": found.deviation, "plateau": found.average + found.deviation if lower else found.average - found.deviation,
        }  # fmt: skip
        return lines.table((metric,)).drop("error").with_columns([pl.Series(name, values) for name, values in columns.items()])

    def _tried_on(self) -> tuple[Bars | None, str]:
        return None if self.run is None else self.run.bars, self._lines.about.content_hash

    # --- more sets -----------------------------------------------------------------------------------------------------

    def append(self, other: Sweep) -> Sweep:
        """Both sweeps as one: of the same bars, strategy, keywords and rates, over other sets.

        Sets of this one keep their numbers, those that only `other` has follow. A set that both have stands once: where one of them did
        not run it (`partial`), the line of the one that did; where both did, their lines must be equal to the last bit. Numbers that are
        whole in one and not in the other are floats, as in one sweep over both. Block sums and curves are kept where both have them; sums
        of which some are in a file go to a file of their own, which has no name and is gone with the sweep (`save` keeps it). Metrics that
        one of them did not measure are gone.

        Raises
        ------
        ConfigError
            Bars, strategy (its parameters, or its code), keywords, rates, kernels, or the names of the parameters that vary differ; one has
            an envelope and the other none; or a set that both have gave other numbers. The message shows both.
        """
        from .sweep_file import run_with
        from .sweep_join import joined, numbered_sets

        if not isinstance(other, Sweep):
            raise ConfigError(f"other is {type(other).__name__}; expected a Sweep")
        lines, chosen = joined(self._whole(), other._whole())
        sets, numbers = numbered_sets(lines)
        given = self.run if self.run is not None else other.run
        run = None if given is None else run_with(lines, sets, given.bars, given.strategy, given.keywords)
        if run is not None and self.run is not None and other.run is not None:
            run.equity = _curves(run, lines, chosen, (self, other))
        both = Sweep._of(lines, tuple(name for name in self.metrics if name in lines.metrics), run, numbers)
        both._entry = self._entry if self._entry is None or not self._entry.recorded else other._entry
        return both

    def _whole(self) -> Lines:
        """The lines, with the hash of the code that made them."""
        if self._lines.about.code or self.run is None:
            return self._lines
        from ..core.sources import code_hash

        code = code_hash(self.run.strategy, self.run.keywords)
        return dataclasses.replace(self._lines, about=dataclasses.replace(self._lines.about, code=code))

    # --- files ---------------------------------------------------------------------------------------------------------

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Save in a folder, for `Sweep.load`: lines as Parquet, block sums as .npy, all else as JSON, every bit, nothing pickled.

        Curves (`keep=("equity",)`) are not saved. Loaded block sums stay in their files.

        Parameters
        ----------
        folder : str or Path
            A new or an empty folder; it appears whole or not at all.
        overwrite : bool
            Replace a saved sweep that is there. Anything else that is there is left alone.

        Raises
        ------
        ConfigError
            The folder may not be written.
        """
        from .sweep_file import save

        return save(self._whole(), self.metrics, folder, overwrite=overwrite)

    @classmethod
    def load(cls, folder: str | Path, *, bars: Any = None, strategy: Any = None, **keywords: Any) -> Sweep:
        """A sweep that `save` wrote.

        Parameters
        ----------
        folder : str or Path
            Where it is.
        bars, strategy, **keywords : optional
            As they were given to `sweep`. Then sets can be run again (`backtest`); without them all else works.

        Raises
        ------
        StateError
            The folder holds no sweep of this layout or was changed, or bars, strategy or keywords are not those of the sweep.
        """
        from .sweep_file import load, run_of

        lines, metrics, sets, numbers = load(folder)
        if bars is None and strategy is None and not keywords:
            return cls._of(lines, metrics, None, numbers)
        return cls._of(lines, metrics, run_of(lines, sets, bars, strategy, keywords), numbers)

    def report(self, path: str | Path = "sweep.html", *, metric: str = "sharpe") -> Path:
        """Write one self-contained HTML page: what varied, the best sets beside their plateaus, pictures, errors, the setup in force.

        Parameters
        ----------
        path : str or Path
            Where to write it; its folder must exist.
        metric : str
            By which sets are ranked, and what is drawn.

        Returns
        -------
        Path
            Where it was written.

        Raises
        ------
        ConfigError
            The sweep has no such metric.
        """
        from .sweep_report import sweep_page

        target = Path(path)
        target.write_text(sweep_page(self, metric), encoding="utf-8")
        return target

    # --- words ---------------------------------------------------------------------------------------------------------

    def _gaps(self, metric: str) -> str:
        """How many lines have no metric, and why."""
        lines = self._lines
        undefined = int((lines.done & np.isnan(lines.metrics[metric])).sum())
        left = int((~lines.done & ~self._wrong).sum())
        said = [f"{undefined:,} undefined (NaN: such as no trade)"] if undefined else []
        said += [f"{len(lines.errors):,} failed (see errors)"] if lines.errors else []
        said += [f"{left:,} not run (ended early)"] if left else []
        return ", ".join(said)

    def _fragility(self) -> list[str]:
        """What the intrabar rule does to the sets, where both were run."""
        if not self._lines.enveloped:
            return []
        shares = self._lines.values(FRAGILITY)
        known = np.flatnonzero(~np.isnan(shares))
        if not len(known):
            return ["  envelope: no set has a closed trade"]
        most = known[np.argmax(shares[known])]
        if shares[most] == 0.0:
            return ["  envelope: the intrabar rule ends no trade of any set otherwise"]
        middle = float(np.median(shares[known]))
        return [f"  envelope: fragility {middle:.1%} in the middle, at most {shares[most]:.1%} (set {self._lines.number[most]})"]

    def __repr__(self) -> str:
        about, metric, count = self._lines.about, "sharpe", len(self)
        shown = ", ".join(about.symbols[:6]) + (f" and {len(about.symbols) - 6} more" if len(about.symbols) > 6 else "")
        sets = counted(count, "set") if count == about.sets else f"{count:,} of {counted(about.sets, 'set')}"
        rate = about.ran / max(about.seconds, 1e-9)
        lines = [
            f"Sweep: {about.strategy} · {shown}",
            f"  {sets} over {counted(about.bars, 'bar')}, {about.seconds:.2f} s: {rate:,.0f} sets/s, {rate * about.bars:,.0f} bar-steps/s",
        ]
        place = int(order_of(self._lines, metric, None)[0])
        if not np.isnan(value := self._lines.metrics[metric][place]):
            named = ", ".join(f"{name}={value!r}" for name, value in self._lines.sets.at(place).items())
            lines.append(f"  best {metric} {write(statistic(metric).kind, value)}: {named} (set {self._lines.number[place]})")
        lines += self._fragility()
        gaps = self._gaps(metric)
        lines += [f"  {metric}: {gaps}"] if gaps else []
        lines += self._not_recorded()
        lines += ["  block sums: off"] if self.block_sums == "off" else []
        return "\n".join(lines)


def _curves(run: SweepRun, lines: Lines, chosen: NDArray[np.int64], parts: tuple[Sweep, Sweep]) -> NDArray[np.float64] | None:
    """The curves of the lines that were chosen of two sweeps one after the other; None where one has none."""
    found = np.full((*run.final.shape, run.bars.T), np.nan)
    place, begin = np.unique(lines.number, return_inverse=True)[1], 0
    for part in parts:
        if part.run is None or part.run.equity is None:
            return None
        here = np.flatnonzero((chosen >= begin) & (chosen < begin + len(part._lines)))
        at = chosen[here] - begin
        begin += len(part._lines)
        source = np.searchsorted(part._numbers, part._lines.number[at])
        found[place[here], lines.account[here]] = part.run.equity[source, part._lines.account[at]]
    return found


def _pandas_column(column: Any) -> Any:
    """A column without pyarrow, which the conversion of polars needs: numbers as arrays, else objects."""
    if column.dtype.is_numeric() and column.null_count() == 0:
        return column.to_numpy()
    if column.dtype.is_float():
        return column.fill_null(float("nan")).to_numpy()
    return column.to_list()
