"""What is said of luck: rows of names, values and meanings, and one paragraph."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..._typing import Table

__all__ = ["Evidence", "Line", "in_words", "line"]


@dataclass(frozen=True)
class Line:
    """One row: its number, NaN where there is none, how people read it, and what it means."""

    name: str
    value: float
    shown: str
    meaning: str

    @property
    def label(self) -> str:
        """The name as a page shows it."""
        return _LABELS.get(self.name) or self.name.replace("_", " ").capitalize()


_LABELS = {
    "sharpe": "Sharpe ratio",
    "sharpe_low": "from",
    "sharpe_high": "to",
    "sharpe_autocorrelated": "with autocorrelation",
    "trials": "Tried",
    "independent_trials": "as independent ones",
    "lucky_sharpe": "Luck alone",
    "needed_years": "Years needed",
    "cagr_low": "CAGR from",
    "cagr_high": "to",
    "max_drawdown_low": "Max drawdown from",
    "max_drawdown_high": "to",
    "p_bars": "p, shuffled bars",
    "p_entries": "p, random times",
}


@dataclass(frozen=True)
class Evidence:
    """How likely a result is luck.

    Attributes
    ----------
    title : what it is about
    paragraph : what was tried, what remains, what would have to be true
    lines : the rows, in order
    parts : the objects they come from, by name: `sharpe`, `trials`, `overfitting`, `spa` and the like
    """

    title: str
    paragraph: str
    lines: tuple[Line, ...] = field(repr=False)
    parts: Mapping[str, Any] = field(repr=False, default_factory=dict)

    @property
    def rows(self) -> list[tuple[str, str, str]]:
        """(name and value as people read them, meaning)."""
        return [(line.label, line.shown, line.meaning) for line in self.lines]

    @property
    def table(self) -> Table:
        """A pandas DataFrame by name: `value` a number, `shown` as people read it, `meaning`."""
        import pandas as pd

        rows = [(line.value, line.shown, line.meaning) for line in self.lines]
        return pd.DataFrame(
            rows, index=pd.Index([line.name for line in self.lines], name="evidence"), columns=["value", "shown", "meaning"]
        )

    def __getitem__(self, name: str) -> float:
        """The number of a row."""
        found = {line.name: line.value for line in self.lines}
        if name not in found:
            from ...errors import ConfigError, nearest

            raise ConfigError(f"there is no row {name!r} here; {nearest(name, found)}")
        return found[name]

    def __str__(self) -> str:
        wide, values = (max((len(getattr(line, part)) for line in self.lines), default=0) for part in ("name", "shown"))
        rows = [f"  {line.name:<{wide}}  {line.shown:>{values}}  {line.meaning}" for line in self.lines]
        return "\n".join([self.title, "", *textwrap.wrap(self.paragraph, 100), "", *rows])

    def _repr_html_(self) -> str:
        from ..html import text

        rows = "".join(f"<tr><th>{text(a)}</th><td>{text(b)}</td><td>{text(c)}</td></tr>" for a, b, c in self.rows)
        return f"<h4>{text(self.title)}</h4><p>{text(self.paragraph)}</p><table>{rows}</table>"


def in_words(probability: float) -> str:
    """A probability in a sentence; none is certain."""
    return "more than 99%" if probability > 0.99 else "less than 1%" if probability < 0.01 else f"{probability:.0%}"


def line(name: str, value: float, meaning: str, form: str = ",.3g") -> Line:
    """A row; NaN is a dash, an infinite number "none"."""
    number = float(value)
    shown = "–" if math.isnan(number) else "none" if math.isinf(number) else format(number, form)
    return Line(name, number, shown, meaning)
