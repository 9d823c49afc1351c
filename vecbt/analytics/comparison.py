"""Several runs beside each other over the dates they share: metrics, growth, correlation of returns, what they assume differently."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .._typing import ArrayT, Table
from ..data.labels import label_text
from ..data.zones import DAY_NS
from ..errors import ConfigError, counted, nearest
from ..metrics.drawdowns import drawdowns_of
from ..metrics.returns import RETURNS_METRICS, returns_of, returns_params
from ..metrics.tail import cvar, var
from ..metrics.trades import TRADES_METRICS, trade_metrics
from .assumptions import assumptions, source_name
from .given_returns import Returns, accounts_together
from .result import Result
from .return_tables import returns_by
from .statistics import STATISTICS, Statistic
from .sweep_lines import LOWER_IS_BETTER

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COMPARED", "LESS_IS_BETTER", "Comparison", "Part", "compare", "statistic_of"]

_MEASURED = {*(RETURNS_METRICS.names or ()), *(TRADES_METRICS.names or ()), "var", "cvar", "exposure_time", "commission", "slippage"}
COMPARED: tuple[Statistic, ...] = tuple(row for row in STATISTICS if row.name in _MEASURED)
"""Statistics that are compared, in their usual order, with unit and meaning of each."""

_COSTS = ("var", "cvar", "average_mae", "commission", "slippage")
LESS_IS_BETTER = frozenset(row.name for row in COMPARED if row.name in LOWER_IS_BETTER or row.name in _COSTS)
"""Those of them of which less is better."""

_FEWEST = 2  # runs


@dataclass(frozen=True, eq=False)
class Part:
    """One run between two dates: bars `first` to `past - 1` of `result`, under a name."""

    name: str
    result: Result
    first: int
    past: int

    @property
    def whole(self) -> bool:
        """Whether that is all of the run."""
        return self.first == 0 and self.past == self.result.run.bars.T

    @property
    def labels(self) -> Any:
        """Labels of the bars, nanoseconds."""
        return self.result.run.bars.index[self.first : self.past]

    @cached_property
    def given(self) -> Returns:
        """Returns of the part and their curve without flows, of the account, or of all accounts together."""
        return accounts_together(self.result).part(0, self.first, self.past)

    @cached_property
    def growth(self) -> ArrayT:
        """Growth of one unit of money since before the part; NaN where there was nothing left to grow."""
        base = float(self.given.initial[0])
        return np.asarray(self.given.curve[:, 0] / (base if base > 0.0 else np.nan))

    @cached_property
    def drawdown(self) -> ArrayT:
        """How far each close is below the highest one of the part so far, a positive fraction (M6)."""
        return np.asarray(drawdowns_of(self.growth[:, None], np.ones(1))[0][:, 0])

    @property
    def returns(self) -> ArrayT:
        """Simple returns of the bars, of all accounts together."""
        return self.given.values[:, 0]

    def by_day(self) -> Any:
        """Returns of UTC days, a Series."""
        return returns_by(replace(self.given, days=self.labels // DAY_NS), "day")

    def measured(self) -> dict[str, float]:
        """Every compared statistic of the part; undefined is NaN (M5)."""
        run, given = self.result.run, self.given
        found: dict[str, Any] = {row.name: np.nan for row in COMPARED}
        if given.initial[0] > 0.0:
            of_returns = returns_of(given.curve, given.initial, returns_params(given.checked_periods()), given.values)
            found |= {name: of_returns[name][0] for name in RETURNS_METRICS.names or ()}
        returns = self.returns
        if not np.isnan(returns).any():
            found |= {"var": var(returns), "cvar": cvar(returns)}
        trades = run.trades[(run.trades["exit_t"] >= self.first) & (run.trades["exit_t"] < self.past)]
        more = {name: np.ascontiguousarray(trades[name]) for name in ("initial_risk", "mae", "mfe")}
        found |= trade_metrics(np.ascontiguousarray(trades["pnl"]), holding_bars=trades["exit_t"] - trades["entry_t"], **more)
        fills = run.fills[(run.fills["t"] >= self.first) & (run.fills["t"] < self.past)]
        found |= {name: fills[name].sum() for name in ("commission", "slippage")}
        found["exposure_time"] = np.mean((self.result._curves.positions[self.first : self.past] != 0.0).any(axis=1))
        return {row.name: float(found[row.name]) for row in COMPARED}


class Comparison:
    """What `compare` gives: runs beside each other over the dates that all of them have.

    Parameters
    ----------
    parts : sequence of Part
        At least two, cut to common dates.
    """

    def __init__(self, parts: Iterable[Part]) -> None:
        self.parts = tuple(parts)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the runs, in order."""
        return tuple(part.name for part in self.parts)

    @property
    def start(self) -> Any:
        """First common label, a UTC Timestamp."""
        import pandas as pd

        return pd.Timestamp(max(int(part.labels[0]) for part in self.parts), tz="UTC")

    @property
    def end(self) -> Any:
        """Last common label, a UTC Timestamp."""
        import pandas as pd

        return pd.Timestamp(min(int(part.labels[-1]) for part in self.parts), tz="UTC")

    @property
    def note(self) -> str:
        """Which dates are compared, and which runs were cut to them."""
        begin = label_text(max(int(part.labels[0]) for part in self.parts))
        end = label_text(min(int(part.labels[-1]) for part in self.parts))
        cut = [_span(part) for part in self.parts if not part.whole]
        words = f"Compared from {begin} to {end} UTC"
        if not cut:
            return f"{words}: all of every run."
        return f"{words}, the dates that all runs have. Left out of account: what is before and after in {'; '.join(cut)}."

    @cached_property
    def table(self) -> Table:
        """Statistics (rows, as in `Result.stats`) by run (columns) over the common dates; trades count where they were closed in them."""
        import pandas as pd

        return pd.DataFrame({part.name: part.measured() for part in self.parts}, index=[row.name for row in COMPARED])

    @cached_property
    def growth(self) -> Table:
        """Growth of one unit of money since the beginning of the common dates, a column a run; NaN where a run has no bar."""
        return self._frame("growth")

    @cached_property
    def returns(self) -> Table:
        """Simple returns of the bars, a column a run; NaN where a run has no bar."""
        return self._frame("returns")

    def _frame(self, what: str) -> Table:
        import pandas as pd

        columns = {part.name: pd.Series(getattr(part, what), index=part.result.times[part.first : part.past]) for part in self.parts}
        return pd.concat(columns, axis=1, sort=True).rename_axis(index="time")

    @property
    def same_bars(self) -> bool:
        """Whether all runs have the same labels."""
        first = self.parts[0].labels
        return all(np.array_equal(first, part.labels) for part in self.parts[1:])

    @cached_property
    def correlation(self) -> Table:
        """Correlation of returns: of bars where all runs have the same labels, else of UTC days. NaN with fewer than three of them."""
        import pandas as pd

        frame = self.returns
        if not self.same_bars:
            frame = pd.concat({part.name: part.by_day() for part in self.parts}, axis=1, sort=True).dropna()
        return frame.corr(min_periods=3)

    @cached_property
    def differences(self) -> Table:
        """Assumptions that are not the same in all runs: section, name, and a column a run, empty where a run has none."""
        import pandas as pd

        found: dict[tuple[str, str], dict[str, str]] = {}
        for part in self.parts:
            for row in assumptions(part.result.run):
                found.setdefault((row.section, row.name), {}).setdefault(part.name, row.value)
        rows = [
            [*key, *(values.get(name, "") for name in self.names)]
            for key, values in found.items()
            if len({values.get(name, "") for name in self.names}) > 1
        ]
        return pd.DataFrame(rows, columns=["section", "name", *self.names]).astype("str")

    def plot(self, path: str | Path | None = None, *, log: bool = False) -> Figure:
        """Growth and drawdown of all runs in one figure.

        Parameters
        ----------
        path : str or Path, optional
            Where to write it; the ending chooses the format (png, svg, pdf).
        log : bool
            Growth on a logarithmic axis.
        """
        from .comparison_plot import comparison_figure
        from .drawing import to_file

        return to_file(comparison_figure(self, log=log), path)

    def report(self, path: str | Path = "comparison.html", *, log: bool = False) -> Path:
        """Write one self-contained HTML page: growth and drawdown in one chart, statistics, correlation, differing assumptions.

        Parameters
        ----------
        path : str or Path
            Where to write it, ending in .html; its folder must exist.
        log : bool
            Growth on a logarithmic axis.

        Returns
        -------
        Path
            Where it was written.
        """
        from .comparison_page import comparison_page

        target = Path(path)
        if target.suffix.lower() not in (".html", ".htm"):
            raise ConfigError(f"path is {str(path)!r}; the report of a comparison ends in .html, and plot writes png, svg and pdf")
        target.write_text(comparison_page(self, log=log), encoding="utf-8")
        return target

    def to_text(self) -> str:
        """The table as people read it, each statistic in its unit, and the dates."""
        from .statistics import write

        rows = [["", *self.names]]
        rows += [[row.name, *(write(row.kind, self.table.at[row.name, name]) for name in self.names)] for row in COMPARED]
        widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
        lines = ["  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]) for row in rows]
        return "\n".join([self.note, "", *(text.rstrip() for text in lines)])

    def _repr_html_(self) -> str:
        from .comparison_page import comparison_table

        return comparison_table(self)

    def __repr__(self) -> str:
        return f"Comparison of {counted(len(self.parts), 'run')}\n{self.to_text()}"


def _span(part: Part) -> str:
    index = part.result.run.bars.index
    return f"{part.name!r} ({label_text(int(index[0]))} to {label_text(int(index[-1]))})"


def compare(results: Iterable[Result] | Mapping[str, Result], names: Iterable[str] | None = None) -> Comparison:
    """Several runs beside each other.

    Runs over different dates are cut to the dates that all of them have, from the latest first label to the earliest last one, and the
    comparison says so (`note`). Runs may be of different assets and different lengths of bars. The accounts of one run
    (`accounts="separate"`) count together.

    Parameters
    ----------
    results : iterable of Result, or mapping of names to them
        At least two.
    names : iterable of str, optional
        A different one for each; else the titles of the runs.

    Returns
    -------
    Comparison
        With `table` (statistics by run), `growth`, `returns`, `correlation`, `differences` (of assumptions), `plot()` and `report()`.

    Raises
    ------
    ConfigError
        Fewer than two results, something that is none, names that do not fit, or runs without a common bar.

    Examples
    --------
    >>> fast, slow = (vb.backtest(bars, vb.strategies.SmaCross(n, 100)) for n in (10, 50))
    >>> vb.compare([fast, slow], names=["fast", "slow"]).table
    """
    if isinstance(results, Mapping):
        if names is not None:
            raise ConfigError("results are a mapping, which names them; give no names as well")
        names = [str(name) for name in results]
        results = results.values()
    given = list(results)
    if len(given) < _FEWEST:
        raise ConfigError(f"results are {len(given)}; expected at least two to compare")
    for result in given:
        if not isinstance(result, Result):
            raise ConfigError(f"results hold {type(result).__name__}; expected what backtest or load_result gives")
    chosen = _names(given, names)
    begin = max(int(result.run.bars.index[0]) for result in given)
    end = min(int(result.run.bars.index[-1]) for result in given)
    parts = []
    for name, result in zip(chosen, given, strict=True):
        index = result.run.bars.index
        first, past = int(np.searchsorted(index, begin)), int(np.searchsorted(index, end, side="right"))
        parts.append(Part(name, result, first, past))
    if begin > end or any(part.first >= part.past for part in parts):
        raise ConfigError(f"the runs have no bar in common: {', '.join(map(_span, parts))}; compare runs over dates that overlap")
    return Comparison(parts)


def _names(results: list[Result], names: Iterable[str] | None) -> list[str]:
    """A different name for each."""
    if names is None:
        found: list[str] = []
        for title in _titles(results):
            name, count = title, 1
            while name in found:
                count += 1
                name = f"{title} ({count})"
            found.append(name)
        return found
    if isinstance(names, str):
        raise ConfigError(f"names are {names!r}, one text; expected a list of {len(results)}")
    chosen = [str(name) for name in names]
    if len(chosen) != len(results):
        raise ConfigError(f"names are {len(chosen)}, results are {len(results)}; expected as many")
    twice = sorted({name for name in chosen if chosen.count(name) > 1})
    if twice:
        raise ConfigError(f"names holds {', '.join(map(repr, twice))} more than once; expected a different one for each run")
    return chosen


def _titles(results: list[Result]) -> list[str]:
    """Strategy of each run, with what tells it from the others: parameters, assets."""
    sources = [source_name(result.run) for result in results]
    given = [getattr(result.run.source, "parameters", None) for result in results]
    own = [dict(values) if isinstance(values, Mapping) else {} for values in given]
    differing = [name for name in dict.fromkeys(key for values in own for key in values) if len({repr(v.get(name)) for v in own}) > 1]
    symbols = [", ".join(result.run.bars.symbols[:3]) + (", ..." if result.run.bars.N > 3 else "") for result in results]
    titles = []
    for source, values, assets in zip(sources, own, symbols, strict=True):
        told = ", ".join(f"{name} {values[name]}" for name in differing if name in values)
        parts = [source, told, assets if len(set(symbols)) > 1 else ""]
        titles.append(textwrap.shorten(" ".join(filter(None, parts)), 60, placeholder="..."))
    return titles


def statistic_of(name: str) -> Statistic:
    """A compared statistic by its name; ConfigError for another."""
    rows = {row.name: row for row in COMPARED}
    if name not in rows:
        raise ConfigError(f"metric is {name!r}, which is not compared; {nearest(name, rows)}")
    return rows[name]
