"""`MetricsComparator`: runs beside each other, ranked by a metric (BCH-02). The comparison itself is `vecbt.compare`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from .._typing import Table
from ..analytics.comparison import LESS_IS_BETTER, Comparison, compare, statistic_of
from ..analytics.result import Result
from ..errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ComparisonConfig", "MetricsComparator"]

_DEFAULT = ("total_return", "cagr", "volatility", "sharpe", "sortino", "calmar", "max_drawdown", "win_rate", "profit_factor", "trades")


@dataclass(frozen=True)
class ComparisonConfig:
    """What is compared, and by what the runs are ranked.

    Parameters
    ----------
    metrics : tuple of str
        Columns of the table; names of `analytics.comparison.COMPARED`.
    sort_by : str
        The metric that ranks the runs, best first: the least drawdown, the greatest Sharpe ratio.

    Raises
    ------
    ConfigError
        A metric is not one of those.
    """

    metrics: tuple[str, ...] = _DEFAULT
    sort_by: str = "sharpe"

    def __post_init__(self) -> None:
        if isinstance(self.metrics, str) or not self.metrics:
            raise ConfigError(f"metrics is {self.metrics!r}; expected a tuple of names, at least one")
        for name in (*self.metrics, self.sort_by):
            statistic_of(name)


class MetricsComparator:
    """Collects results and ranks them.

    Parameters
    ----------
    config : ComparisonConfig, optional

    Examples
    --------
    >>> comparator = MetricsComparator().add("fast", fast).add("slow", slow)
    >>> comparator.compare(), comparator.best("calmar")
    """

    def __init__(self, config: ComparisonConfig | None = None) -> None:
        self.config = config if config is not None else ComparisonConfig()
        self._results: dict[str, Result] = {}

    def add(self, name: str, result: Result) -> Self:
        """One more result under a name of its own."""
        if name in self._results:
            raise ConfigError(f"name is {name!r}, which is there already; expected a different one for each result")
        self._results[name] = result
        return self

    @property
    def comparison(self) -> Comparison:
        """The runs beside each other; see `vecbt.compare`."""
        return compare(self._results)

    def compare(self) -> Table:
        """A row a run with the metrics of the config, best first; a run whose metric is not defined comes last."""
        by = self.config.sort_by
        ordered = self.comparison.table.T.sort_values(by, ascending=by in LESS_IS_BETTER, kind="stable", na_position="last")
        return ordered[list(self.config.metrics)]

    def best(self, metric: str | None = None) -> str:
        """Name of the best run by a metric, that of the config where none is said; ConfigError where it is defined for no run."""
        name = statistic_of(metric if metric is not None else self.config.sort_by).name
        values = self.comparison.table.loc[name].dropna()
        if values.empty:
            raise ConfigError(f"metric is {name!r}, which is defined for none of these runs; choose another")
        return str(values.idxmin() if name in LESS_IS_BETTER else values.idxmax())

    def plot(self, path: str | Path | None = None) -> Figure:
        """As `Comparison.plot`."""
        return self.comparison.plot(path)

    def report(self, path: str | Path = "comparison.html") -> Path:
        """As `Comparison.report`."""
        return self.comparison.report(path)
