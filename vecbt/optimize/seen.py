"""What an objective is given to judge: columns of metrics of all sets evaluated so far, and which of them are asked about."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..analytics.sweep_lines import METRICS
from ..errors import ConfigError, nearest
from .variables import Variables

__all__ = ["MEASURES", "MOMENTS", "OTHER_NAMES", "Seen", "measure_name"]

MOMENTS = ("bar_sharpe", "skew", "kurtosis")
"""Further columns where an objective asks for them: Sharpe ratio per bar without a riskless return, skewness, kurtosis (normal: 3)."""

MEASURES = (*METRICS, "trades_per_year")
"""What an objective may be made of: the metrics of a sweep, and closed trades per year of bars."""

OTHER_NAMES = {
    "calmar_ratio": "calmar",
    "num_trades": "trades",
    "sharpe_ratio": "sharpe",
    "sortino_ratio": "sortino",
    "total_trades": "trades",
}
"""Other names of metrics that people know."""


def measure_name(name: object) -> str:
    """The name of a metric as it is here; ConfigError with the nearest for one that there is not."""
    if not isinstance(name, str):
        raise ConfigError(f"{name!r} is no metric; expected a name, such as 'sharpe'")
    found = OTHER_NAMES.get(name, name)
    if found == "turnover":
        raise ConfigError("'turnover' is not measured in sweeps; 'trades_per_year' is, which counts closed trades")
    if found not in MEASURES:
        raise ConfigError(f"{name!r} is no metric of a search; {nearest(name, MEASURES)}")
    return found


@dataclass(frozen=True, eq=False)
class Seen:
    """Sets that were evaluated, and which of them are to be judged now.

    Attributes
    ----------
    columns : float64 (m,) by name, METRICS and where they were asked for MOMENTS, of all sets evaluated so far; NaN where undefined
    rows : int64 (n,), the places of the sets to be judged
    bars : how many bars the metrics are of
    per_year : bars a year
    first : how many of the sets are of the first generation; they stand first
    genes : float64 (m, K) of all sets, where a search made them
    variables : what these genes are
    """

    columns: Mapping[str, NDArray[np.float64]]
    rows: NDArray[np.int64]
    bars: int
    per_year: float
    first: int
    genes: NDArray[np.float64] | None = None
    variables: Variables | None = None

    @classmethod
    def of(cls, columns: Mapping[str, NDArray[np.float64]], bars: int, per_year: float) -> Seen:
        """Only these sets, all to be judged: nothing was evaluated before."""
        count = len(next(iter(columns.values())))
        return cls(columns, np.arange(count), bars, per_year, count)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def whole(self) -> Seen:
        """The same, with all sets to be judged."""
        return dataclasses.replace(self, rows=np.arange(len(next(iter(self.columns.values())))))

    def values(self, name: str) -> NDArray[np.float64]:
        """A measure of the sets to be judged (n,)."""
        return self.everywhere(name)[self.rows]

    def everywhere(self, name: str) -> NDArray[np.float64]:
        """A measure of all sets evaluated so far (m,)."""
        if name == "trades_per_year":
            return self.columns["trades"] * (self.per_year / self.bars)
        if name in MOMENTS and name not in self.columns:
            raise ConfigError(f"{name} was not measured of these sets; it takes sums over parts of the bars")
        return self.columns[name]
