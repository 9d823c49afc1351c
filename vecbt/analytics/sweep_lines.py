"""What a sweep found, line by line: a set, or a set and a symbol where each has its account. Numbers, units, order, tables."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Table
from ..core.jit import kernel_sources_hash
from ..core.sets import Sets
from ..engine.sweep_run import DETAILS
from ..errors import ConfigError, nearest
from ..metrics.returns import RETURNS_METRICS
from ..metrics.trades import TRADES_METRICS
from .statistics import STATISTICS, Statistic
from .sweep_sums import BlockSums

if TYPE_CHECKING:
    from ..engine.columns import Columns
    from ..engine.sweep import SweepRun
    from ..engine.sweep_pairs import Envelope

__all__ = [
    "ENVELOPE", "FRAGILITY", "LOWER_IS_BETTER", "METRICS", "SUMMARIES", "About", "Lines", "base_metric", "checked_metrics", "columns_of",
    "lines_of", "measured", "measured_inside", "order_of", "put_measured", "statistic", "with_ends",
]  # fmt: skip

_MEASURED = {"final_equity", "profit", *(RETURNS_METRICS.names or ()), *(TRADES_METRICS.names or ())}
METRICS = tuple(row.name for row in STATISTICS if row.name in _MEASURED)
"""All metrics of a sweep, in the order of a result's statistics, which explain them."""

FRAGILITY = "fragility"

_ENDS = ("_low", "_high")

ENVELOPE = (*(f"{name}{end}" for name in METRICS for end in _ENDS), FRAGILITY)
"""What a sweep with an envelope has besides: both ends of each metric under the two intrabar rules, and the share of trades in between."""

_LOWER = ("max_drawdown", "volatility", "ulcer", "longest_drawdown_bars")
LOWER_IS_BETTER = frozenset({FRAGILITY, *_LOWER, *(f"{name}{end}" for name in _LOWER for end in _ENDS)})

SUMMARIES = ("neighbours", "mean", "worst", "deviation", "plateau")
"""What a neighbourhood has."""

_TAKEN = {"set", "symbol", "error", *METRICS, *ENVELOPE, *SUMMARIES}


@dataclass(frozen=True)
class About:
    """The sweep as a whole: names, sizes, texts by which it is known again, how long it took for how many sets, rates per bar."""

    strategy: str
    written: str
    keywords: dict[str, str]
    symbols: tuple[str, ...]
    bars: int
    content_hash: str
    separate: bool
    seconds: float
    sets: int
    ran: int
    rf: float
    mar: float
    kernels: str
    code: str = ""
    """`code_hash` of strategy and keywords, which takes a while: empty until it is asked for."""


@dataclass(frozen=True)
class Lines:
    """Lines of a sweep.

    Attributes
    ----------
    about : the sweep they are of
    sets : parameters of each line (L)
    number, account : int64 (L,), which set, and which symbol where `about.separate`
    done : bool (L,), measured
    initial : float64 (L,), money at the start
    metrics : float64 (L,) by name, METRICS and with an envelope ENVELOPE, NaN where undefined or not measured; without DETAILS where the
        sweep was asked for none of them
    errors : by number of the set
    sums : over parts of the bars, where they were kept
    other : float64 (L,) by name, METRICS under the intrabar rule that the setup does not have, and FRAGILITY; without an envelope empty
    """

    about: About
    sets: Sets
    number: NDArray[np.int64]
    account: NDArray[np.int64]
    done: NDArray[np.bool_]
    initial: NDArray[np.float64]
    metrics: dict[str, NDArray[np.float64]]
    errors: dict[int, str]
    sums: BlockSums | None = None
    other: dict[str, NDArray[np.float64]] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.number)

    @property
    def enveloped(self) -> bool:
        """Whether each set was run under both intrabar rules."""
        return bool(self.other)

    def values(self, metric: str) -> NDArray[np.float64]:
        """A metric of all lines; ConfigError with the nearest where there is none of that name."""
        (name,) = checked_metrics((metric,), self.metrics)
        return self.metrics[name]

    @property
    def detailed(self) -> bool:
        """Whether all metrics were measured."""
        return all(name in self.metrics for name in METRICS)

    def kept(self, wanted: NDArray[np.bool_]) -> Lines:
        """Only these lines."""
        number = self.number[wanted]
        left = set(number.tolist())
        return dataclasses.replace(
            self, sets=self.sets.kept(wanted), number=number, account=self.account[wanted], done=self.done[wanted],
            initial=self.initial[wanted], metrics={name: values[wanted] for name, values in self.metrics.items()},
            errors={c: text for c, text in self.errors.items() if c in left}, sums=None if self.sums is None else self.sums.kept(wanted),
            other={name: values[wanted] for name, values in self.other.items()},
        )  # fmt: skip

    def column_name(self, name: str) -> str:
        """What the column of a parameter is called: its name, unless a metric has it."""
        return f"parameter.{name}" if name in _TAKEN else name

    def is_number(self, name: str) -> bool:
        """Whether all values of a parameter are numbers."""
        return all(type(v) in (int, float) for v in self.sets.values[self.sets.names.index(name)])

    def varied(self) -> tuple[str, ...]:
        """The parameters that have more than one value among these lines."""
        return tuple(name for k, name in enumerate(self.sets.names) if len(np.unique(self.sets.codes[:, k])) > 1)

    def parameter(self, name: str) -> Any:
        """The column of one parameter, a polars Series: numbers, booleans, else text; None is null."""
        import polars as pl

        k = self.sets.names.index(name)
        values = self.sets.values[k]
        kinds = {type(v) for v in values if v is not None}
        if kinds <= {int, float}:
            column = pl.Series(self.column_name(name), values, dtype=pl.Float64 if float in kinds else pl.Int64, strict=False)
        elif kinds == {bool}:
            column = pl.Series(self.column_name(name), values, dtype=pl.Boolean)
        else:
            column = pl.Series(self.column_name(name), [_as_text(v) for v in values], dtype=pl.String)
        return column.gather(self.sets.codes[:, k])

    def table(self, metrics: Sequence[str]) -> Table:
        """A polars DataFrame, one row a line; a metric that was not measured is null, one that is undefined NaN."""
        import polars as pl

        columns = [*self.head(), *(self.parameter(name) for name in self.sets.names)]
        measured = pl.Series(self.done)
        for name in metrics:
            values = pl.Series(name, self.values(name))
            columns.append(pl.select(pl.when(measured).then(values).otherwise(None).alias(name)).to_series())
        columns.append(pl.Series("error", [self.errors.get(c) for c in self.number.tolist()], dtype=pl.String))
        return pl.DataFrame(columns)

    def head(self) -> list[Any]:
        """The columns that say which line it is: `set`, and `symbol` with an account for each."""
        import polars as pl

        names = [pl.Series("set", self.number)]
        if self.about.separate:
            names.append(pl.Series("symbol", self.about.symbols).gather(self.account))
        return names


def _as_text(value: Any) -> str | None:
    """A value that is no number, for a table."""
    return value if value is None or isinstance(value, str) else repr(value)


def lines_of(run: SweepRun) -> Lines:
    """All lines of a run: the sets in order, each with its accounts."""
    from ..engine.strategy import written

    count, accounts = run.final.shape
    metrics, other = measured(run, slice(None)), measured_inside(run, slice(None))
    about = About(
        run.strategy.name, written(run.strategy), run.described,
        run.bars.symbols, run.bars.T, run.bars.content_hash, run.keywords.get("accounts") == "separate", run.seconds,
        count, int(run.done.sum()), run.rf, run.mar, _kernels(),
    )  # fmt: skip
    number, sets = np.repeat(np.arange(count), accounts), run.sets
    if accounts > 1:
        sets = Sets(sets.names, sets.values, sets.codes[number])
    return Lines(
        about, sets, number, np.tile(np.arange(accounts), count), run.done[number],
        run.initial.reshape(-1), with_ends(metrics, other), dict(run.errors), BlockSums.of_run(run), other,
    )  # fmt: skip


@functools.cache
def _kernels() -> str:
    """The hash of the sources that this process began with."""
    return kernel_sources_hash()


_Metrics = dict[str, NDArray[np.float64]]


def measured(run: SweepRun, numbers: NDArray[np.int64] | slice) -> _Metrics:
    """All metrics of some sets, a line each of their accounts; of a slice of them they are the run's own arrays."""
    return _metrics_of(run, numbers, run.final, run.returns, run.trades)


def measured_inside(run: SweepRun, numbers: NDArray[np.int64] | slice) -> _Metrics:
    """Those under the other intrabar rule, and the fragility; of a run without an envelope nothing."""
    if run.envelope is None:
        return {}
    found = _metrics_of(run, numbers, run.envelope.final, run.envelope.returns, run.envelope.trades)
    return {**found, FRAGILITY: np.ascontiguousarray(run.envelope.fragility[numbers]).reshape(-1)}


def _metrics_of(
    run: SweepRun, numbers: NDArray[np.int64] | slice, final: NDArray[np.float64], returns: Columns, trades: Columns
) -> _Metrics:
    # with deposits, final equity less initial is no profit, and a sweep keeps no account of what was paid
    flows = "flows" in run.sets.names or run.keywords.get("flows") is not None
    final = final[numbers]
    found = {"final_equity": final, "profit": np.full_like(final, np.nan) if flows else final - run.initial[numbers]}
    for records in (returns, trades):
        found |= {name: records[name][numbers] for name in records.dtype.names or ()}
    return {name: np.ascontiguousarray(found[name]).reshape(-1) for name in METRICS if run.details or name not in DETAILS}


def with_ends(metrics: Mapping[str, NDArray[np.float64]], other: Mapping[str, NDArray[np.float64]]) -> _Metrics:
    """The metrics of lines by name: METRICS, and where there are those under the other intrabar rule ENVELOPE."""
    found = {name: metrics[name] for name in METRICS if name in metrics}
    if not other:
        return found
    ends = [end for name in METRICS for end in (np.minimum(found[name], other[name]), np.maximum(found[name], other[name]))]
    return found | dict(zip(ENVELOPE, [*ends, other[FRAGILITY]], strict=True))


def put_measured(
    run: SweepRun, place: NDArray[np.int64], account: NDArray[np.int64], initial: NDArray[np.float64],
    metrics: Mapping[str, NDArray[np.float64]], other: Mapping[str, NDArray[np.float64]],
) -> None:  # fmt: skip
    """Put lines back where `measured` and `measured_inside` found them; profit is a difference of others."""
    run.initial[place, account] = initial
    _put_metrics(run, place, account, metrics)
    if run.envelope is not None and other:
        _put_metrics(run.envelope, place, account, other)
        run.envelope.fragility[place, account] = other[FRAGILITY]


def _put_metrics(
    run: SweepRun | Envelope, place: NDArray[np.int64], account: NDArray[np.int64], metrics: Mapping[str, NDArray[np.float64]]
) -> None:
    run.final[place, account] = metrics["final_equity"]
    for records in (run.returns, run.trades):
        for name in records.dtype.names or ():
            if name in metrics:
                records[name][place, account] = metrics[name]


def checked_metrics(names: Sequence[str] | None, known: Iterable[str] = METRICS) -> tuple[str, ...]:
    """Names of metrics, for None all of METRICS that are known; ConfigError for one that is not, with the nearest, or why."""
    known = tuple(known)
    if names is None:
        return tuple(name for name in METRICS if name in known)
    if isinstance(names, str):
        names = (names,)
    for name in names:
        if name in METRICS and name not in known:
            raise ConfigError(f"{name!r} was not measured: it takes time, and metrics= of the sweep names nothing that does; name it there")
        if name not in known:
            hint = "it takes vb.sweep(..., envelope=True)" if name in ENVELOPE else nearest(str(name), known)
            raise ConfigError(f"{name!r} is no metric of {'this' if name in ENVELOPE else 'a'} sweep; {hint}")
    return tuple(dict.fromkeys(names))


def columns_of(names: Sequence[str] | None, lines: Lines) -> tuple[str, ...]:
    """The columns of a table: the metrics named, all of them for None; with an envelope each with both its ends, and the fragility."""
    chosen = checked_metrics(names, lines.metrics)
    if not lines.enveloped:
        return chosen
    wide = [each for name in chosen for each in ((name, *(f"{name}{end}" for end in _ENDS)) if name in METRICS else (name,))]
    return tuple(dict.fromkeys((*wide, FRAGILITY)))


def base_metric(metric: str) -> str:
    """The metric that a name is an end of; any other name itself."""
    return metric.rpartition("_")[0] if metric in ENVELOPE and metric != FRAGILITY else metric


_FRAGILITY_ROW = Statistic(FRAGILITY, "envelope", "fraction", "share of closed trades whose end hangs on the intrabar rule")


def statistic(metric: str) -> Statistic:
    """Unit, label and meaning of a metric, or of that whose end it is; ConfigError with the nearest for one that there is not."""
    checked_metrics((metric,), (*METRICS, *ENVELOPE))
    return next((row for row in STATISTICS if row.name == base_metric(metric)), _FRAGILITY_ROW)


def order_of(lines: Lines, metric: str, ascending: bool | None) -> NDArray[np.int64]:
    """Places of the lines, best first: undefined after defined, not measured last, equal ones as they come."""
    values = lines.values(metric)
    rising = metric in LOWER_IS_BETTER if ascending is None else ascending
    return np.lexsort((np.where(np.isnan(values), 0.0, values if rising else -values), np.isnan(values), ~lines.done))
