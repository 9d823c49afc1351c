"""A tear sheet before it has a form: the numbers and sentences that the page, the pictures and the text share.

`RunSheet` is that of a result, `ReturnsSheet` that of returns of any origin.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._typing import Table
from ..errors import counted
from .given_returns import Returns
from .return_tables import drawdowns, monthly_returns, rolling_metrics
from .sheet_data import rolling_every, rolling_window
from .sheet_evidence import EvidenceTable
from .statistics import Statistic, write

__all__ = ["ROLLING", "Figure", "Sheet"]

ROLLING = {
    "sharpe": ("Sharpe ratio", "ratio"),
    "volatility": ("Volatility, annualized", "percent"),
    "total_return": ("Return", "percent"),
    "beta": ("Beta to the benchmark", "ratio"),
}
"""Rolling figures: label and kind of each."""

_MOST_DRAWDOWNS = 10
_NEVER = "It never closed below an earlier close."
_MS = 1_000_000  # nanoseconds
_YEAR = 365.25 * 86_400e9
_COLORED = {
    "profit", "total_return", "cagr", "sharpe", "expectancy", "r_expectancy", "active_return", "information_ratio", "alpha",
    "benchmark_total_return", "benchmark_cagr",
}  # fmt: skip


class Figure(NamedTuple):
    """A statistic with its value, as written and as a number."""

    row: Statistic
    written: str
    value: float

    @property
    def tone(self) -> str:
        """How it is colored: gain, loss or neither."""
        if self.row.name not in _COLORED or self.value != self.value or self.value == 0:
            return ""
        return "gain" if self.value > 0 else "loss"


@dataclass(frozen=True, eq=False)
class Sheet(ABC):
    """What every tear sheet tells, found once.

    Attributes
    ----------
    given : the one series of returns that curves and tables are of
    title : of the page
    evidence : whether it could be luck
    """

    given: Returns
    title: str
    evidence: EvidenceTable

    @property
    @abstractmethod
    def span(self) -> str:
        """First and last bar, and how many."""

    @property
    @abstractmethod
    def lead(self) -> str:
        """In one or two sentences: did it make money, and at what risk."""

    @abstractmethod
    def tiles(self) -> list[Figure]:
        """The figures shown first."""

    @abstractmethod
    def cards(self) -> list[tuple[str, list[Figure]]]:
        """Statistics in groups, each with its name."""

    @property
    def parameters(self) -> str:
        """What was chosen, as `fast 20, slow 100`; empty where nothing was."""
        return ""

    @property
    def of_what(self) -> str:
        """What curves and tables are of, where that is not plain."""
        return ""

    @property
    def bars(self) -> int:
        """How many there are."""
        return len(self.given.values)

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """Labels of the bars for charts, nanoseconds UTC; without times a millisecond a bar, so that a chart counts them."""
        return np.arange(self.bars, dtype=np.int64) * _MS if self.given.labels is None else self.given.labels

    @cached_property
    def months(self) -> Table | None:
        """Return of each month and year (`vecbt.monthly_returns`); None without times."""
        return None if self.given.days is None else monthly_returns(self.given)

    @cached_property
    def drawdowns(self) -> Table:
        """The ten deepest drawdowns (`vecbt.drawdowns`)."""
        return drawdowns(self.given, most=_MOST_DRAWDOWNS)

    @cached_property
    def window(self) -> int:
        """Bars of the rolling window, 0 for a run too short for one."""
        return rolling_window(self.bars, self.given.checked_periods())

    @cached_property
    def every(self) -> int:
        """Every how many bars rolling figures are taken."""
        return rolling_every(self.bars, self.window)

    def rolled(self) -> Table:
        """Rolling figures of all bars that are taken."""
        return rolling_metrics(self.given, self.window, ("sharpe", "volatility", "total_return"), every=self.every)

    @cached_property
    def rolling(self) -> Table | None:
        """Rolling figures (`vecbt.rolling_metrics`), those that have a value anywhere; None for a run too short for any."""
        if not self.window:
            return None
        frame = self.rolled()
        known = [name for name in frame.columns if np.isfinite(frame[name]).any()]
        return frame[known] if known else None

    @property
    def took(self) -> str:
        """How long it took, in years or days; in bars without times."""
        if self.given.labels is None:
            return counted(self.bars, "bar")
        years = float(self.given.labels[-1] - self.given.labels[0]) / _YEAR
        return f"{years:.1f} years" if years >= 1.0 else counted(max(round(years * 365.25), 1), "day")

    @property
    def risk(self) -> str:
        """A sentence on the deepest drawdown."""
        deepest = float(self.drawdowns["depth"].iloc[0]) if len(self.drawdowns) else 0.0
        return f"At worst it closed {write('fraction', deepest)} below an earlier close." if deepest else _NEVER
