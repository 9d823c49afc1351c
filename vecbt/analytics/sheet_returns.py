"""The tear sheet of returns of any origin: what needs no trades, and beside a benchmark, where one is given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayT, Table
from ..data.labels import label_text
from ..errors import ConfigError, InputError, counted
from ..indicators.shape import readonly
from ..metrics.drawdowns import drawdowns_of
from .given_returns import Returns, read_returns
from .luck.of_returns import evidence_of
from .relative import RELATIVE, beside, relative
from .return_tables import RETURN_STATISTICS, rolling_metrics, stats
from .sheet import Figure, Sheet
from .sheet_evidence import given_evidence, report_resamples
from .sheet_file import write_report
from .statistics import STATISTICS, Statistic, write

__all__ = ["GrowthLine", "ReturnsSheet", "report"]

_TILES = ("total_return", "cagr", "sharpe", "volatility", "max_drawdown", "sortino", "positive_months", "best_month")
_TIMELESS = (*_TILES[:-2], "calmar", "positive_bars")
_GROUPS = {"Return": "return", "Risk": "risk", "Series": "run"}
_MORE = (
    ("tail_ratio", "risk", "ratio", "gain that the best share of bars reaches over the loss that the worst share of bars reaches"),
    ("parametric_var", "risk", "fraction", "value at risk of a normal distribution with the mean and deviation of the returns"),
    ("parametric_cvar", "risk", "fraction", "mean loss of the worst bars of that distribution"),
    ("cornish_fisher_var", "risk", "fraction", "value at risk with the normal quantile bent by skew and kurtosis"),
    ("cornish_fisher_cvar", "risk", "fraction", "mean loss of the worst bars of that distribution"),
)
_OF_BENCHMARK = (
    ("start", "time", "label of the first bar that both have"),
    ("end", "time", "label of the last bar that both have"),
    ("bars", "count", "bars compared"),
    ("periods_per_year", "number", "such bars a year"),
    ("total_return", "fraction", "of the returns over these bars"),
    ("benchmark_total_return", "fraction", "of the benchmark"),
    ("cagr", "fraction", "compound annual growth rate over these bars"),
    ("benchmark_cagr", "fraction", "that of the benchmark"),
    ("active_return", "fraction", "mean return above the benchmark's, a year"),
    ("tracking_error", "fraction", "annualized deviation of returns less those of the benchmark"),
    ("information_ratio", "ratio", "active return over tracking error"),
    ("beta", "ratio", "return of a bar for each unit of the benchmark's"),
    ("alpha", "fraction", "mean return a year that beta does not explain (Jensen)"),
    ("correlation", "ratio", "of returns with the benchmark's"),
    ("r_squared", "ratio", "its square"),
    ("up_capture", "fraction", "annual growth over that of the benchmark, bars on which it rose"),
    ("down_capture", "fraction", "annual growth over that of the benchmark, bars on which it fell"),
    ("capture_ratio", "ratio", "up over down"),
    ("batting_average", "fraction", "share of bars with a return above the benchmark's"),
    ("active_drawdown", "fraction", "greatest fall of one curve divided by the other"),
)
_ROWS = {row.name: row for row in (*STATISTICS, *(Statistic(*row) for row in _MORE))}
_RELATIVE = {name: Statistic(name, "benchmark", kind, meaning) for name, kind, meaning in _OF_BENCHMARK}


class GrowthLine(NamedTuple):
    """A line of the chart: labels, growth of one unit of money, drawdown below its highest close (a positive fraction)."""

    name: str
    labels: NDArray[np.int64]
    growth: ArrayT
    drawdown: ArrayT


class _Benchmark(NamedTuple):
    """What `vecbt.relative` takes: the benchmark and its kind; and what it is called."""

    of: Any
    kind: str | None
    name: str


@dataclass(frozen=True, eq=False)
class ReturnsSheet(Sheet):
    """Everything a report tells of one series of returns."""

    found: dict[str, Any]
    against: _Benchmark | None
    versus: dict[str, Any]

    @classmethod
    def of(
        cls, returns: Any, *, benchmark: Any, kind: str | None, trials: int, periods_per_year: float | None, column: Any, title: str | None
    ) -> ReturnsSheet:
        """The sheet of returns; see `report`."""
        if hasattr(returns, "run"):
            raise ConfigError('returns are a Result, whose own tear sheet has its trades, too; call result.report("report.html")')
        every = replace(read_returns(returns, periods_per_year=periods_per_year), polars=False)
        place = _chosen(every, column, benchmark)
        first, past = every.ends[place].tolist()
        if first == past:
            raise InputError("returns have no bar to report on; expected at least one return that is not NaN")
        given = every.part(place, first, past)
        against = None if benchmark is None else _named(every, benchmark, kind, first, past)
        versus = {} if against is None else dict(relative(given, against.of, kind=against.kind))
        count, said = report_resamples(past - first)
        found = dict(stats(given))
        told = given_evidence(evidence_of(given, trials=trials, resamples=count))._replace(note=said)
        return cls(given, _title(given) if title is None else str(title), told, found, against, versus)

    @property
    def span(self) -> str:
        """First and last bar, and how many."""
        many = counted(self.bars, "bar")
        if self.given.labels is None:
            return many
        ends = self.given.times_of([0, self.bars - 1])
        first, last = (label_text(int(label)) for label in ends.tz_localize(None).as_unit("ns").asi8)
        return f"{first} to {last}{'' if self.given.zone is None else f' {self.given.zone}'}, {many}"

    @property
    def parameters(self) -> str:
        """The benchmark."""
        return "" if self.against is None else f"against {self.against.name}"

    @property
    def of_lines(self) -> str:
        """Where the benchmark's curve begins, if there is one."""
        return "" if self.against is None else "The benchmark begins at 1 where both are known first."

    @property
    def lead(self) -> str:
        """In one or two sentences: what became of one unit of money, at what risk, and against the benchmark."""
        gain = self.found["total_return"]
        words = f"1 became {write('ratio', 1.0 + gain)} in {self.took}: {write('fraction', gain)} in all. {self.risk}"
        if self.against is None:
            return words
        ours, theirs = (write("fraction", self.versus[name]) for name in ("total_return", "benchmark_total_return"))
        return f"{words} Over the bars that both have it earned {ours}, {self.against.name} {theirs}."

    def tiles(self) -> list[Figure]:
        """The figures shown first."""
        return [self._figure(_ROWS[name], self.found) for name in (_TILES if self.given.days is not None else _TIMELESS)]

    def cards(self) -> list[tuple[str, list[Figure]]]:
        """Statistics in groups, those against a benchmark last."""
        made = [
            (name, [self._figure(_ROWS[row], self.found) for row in RETURN_STATISTICS if _ROWS[row].group == group])
            for name, group in _GROUPS.items()
        ]
        if self.against is None:
            return made
        return [*made, ("Against the benchmark", [self._figure(_RELATIVE[name], self.versus) for name in RELATIVE])]

    def _figure(self, row: Statistic, found: dict[str, Any]) -> Figure:
        value = found[row.name]
        if row.kind == "time":
            return Figure(row, "–" if value is None else label_text(int(value.tz_localize(None).as_unit("ns").value)), np.nan)
        return Figure(row, write(row.kind, value), float(value))

    def rolled(self) -> Table:
        """Rolling figures, with a benchmark beta, too."""
        if self.against is None:
            return super().rolled()
        names = ("sharpe", "volatility", "total_return", "beta")
        return rolling_metrics(self.given, self.window, names, benchmark=self.against.of, kind=self.against.kind, every=self.every)

    @cached_property
    def lines(self) -> list[GrowthLine]:
        """Growth of the returns, and of the benchmark over the bars that both have."""
        found = [_line(str(self.given.names[0]) if isinstance(self.given.names[0], str) else "returns", self.given, self.labels)]
        if self.against is None:
            return found
        theirs = beside(self.given, self.given, self.against.of, self.against.kind)[1]
        known = ~np.isnan(theirs[:, 0])
        if known.any():
            values = readonly(np.ascontiguousarray(theirs[known]))
            found.append(_line(self.against.name, Returns(values, (self.against.name,), True), self.labels[known]))
        return found


def _line(name: str, given: Returns, labels: NDArray[np.int64]) -> GrowthLine:
    return GrowthLine(name, labels, given.curve[:, 0], drawdowns_of(given.curve, given.initial)[0][:, 0])


def _title(given: Returns) -> str:
    name = given.names[0]
    return f"Returns of {name}" if isinstance(name, str) and name != "returns" else "Returns"


def _chosen(every: Returns, column: Any, benchmark: Any) -> int:
    """Which column it is of: the one that is named, or the only one beside the benchmark."""
    if isinstance(benchmark, str) and benchmark in every.names:
        if column == benchmark:
            raise ConfigError(f"benchmark and column are both {column!r}; expected two columns")
        if column is None and len(every.names) == 2:
            return 1 - every.names.index(benchmark)
    return every.place(column)


def _named(every: Returns, benchmark: Any, kind: str | None, first: int, past: int) -> _Benchmark:
    """The benchmark as one series; a column of the returns is one of returns. Without times it is cut to the same bars."""
    if isinstance(benchmark, str):
        return _Benchmark(every.part(every.place(benchmark), first, past), "returns", benchmark)
    called = getattr(benchmark, "name", None)
    name = called if isinstance(called, str) and called else "the benchmark"
    if every.labels is None:
        other = read_returns(benchmark, name="benchmark")
        if len(other.names) == 1 and len(other.values) == len(every.values):
            benchmark = other.part(0, first, past)
    return _Benchmark(benchmark, kind, name)


def report(
    returns: Any,
    path: str | Path = "report.html",
    *,
    benchmark: Any = None,
    kind: str | None = None,
    trials: int = 1,
    periods_per_year: float | None = None,
    column: Any = None,
    title: str | None = None,
    log: bool = False,
) -> Path:
    """Write the tear sheet of returns of any origin, in the form that the ending of the path chooses; for a result, `Result.report`.

    `.html` is one page that needs nothing else, with charts to zoom and point at; `.pdf` has the same on sheets of paper, `.png` on a tall
    picture. All of them: growth of one unit of money and drawdown, whether it could be luck (`vecbt.evidence_of`), returns by month,
    drawdowns, rolling figures, statistics (`vecbt.stats`), and with a benchmark its curve and `vecbt.relative`.

    Parameters
    ----------
    returns : pandas, polars or array_like, shape (T,) or (T, C)
        Simple returns per bar, as in `vecbt.stats`. Without times bars are counted, and there are no months.
    path : str or Path
        Where to write it; its folder must exist.
    benchmark, kind : optional
        As in `vecbt.relative`: prices or returns with times, or the name of a column.
    trials : int
        How many independent configurations were tried before this one was chosen, as in `vecbt.evidence_of`.
    periods_per_year : float, optional
        Bars a year; found from the times (M1) where there are any.
    column : name, optional
        Which of several columns.
    title : str, optional
        Of the page; else what the series is called.
    log : bool
        Growth on a logarithmic axis.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    ConfigError, InputError
        The ending names no form, several columns are given and none is named, bars a year are not known, there is no return, or the
        benchmark shares no bar with the returns.

    Examples
    --------
    >>> vb.report(fund["return"], "fund.html", benchmark=index["close"], trials=20)
    """
    about = {"trials": trials, "periods_per_year": periods_per_year, "column": column, "title": title}
    return write_report(lambda: ReturnsSheet.of(returns, benchmark=benchmark, kind=kind, **about), path, log=log)
