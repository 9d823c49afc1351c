"""`returns.vecbt` on pandas and polars objects: `returns.vecbt.stats()`, `.drawdowns()`, `.monthly()`, thin methods over the functions.

They are there as soon as vecbt meets pandas or polars: when vecbt is imported after them, at the first use of a name of vecbt after both
are imported, or when this module is imported, or `vecbt.register_accessors()` called.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._typing import Table

if TYPE_CHECKING:
    from .analytics.luck.judgement import Evidence

__all__ = ["ReturnsAccessor", "register_accessors"]

NAME = "vecbt"
_LIBRARIES = ("pandas", "polars")


class ReturnsAccessor:
    """What vecbt says of simple returns per bar in a Series or a frame; polars frames have one column of times.

    Parameters
    ----------
    returns : pandas or polars object
        See `vecbt.stats`.
    """

    def __init__(self, returns: Any) -> None:
        self._returns = returns

    def stats(
        self, *, periods_per_year: float | None = None, rf: float = 0.0, mar: float = 0.0, alpha: float = 0.05, threads: int | None = None
    ) -> Any:
        """Statistics; see `vecbt.stats`."""
        from .analytics.return_tables import stats

        return stats(self._returns, periods_per_year=periods_per_year, rf=rf, mar=mar, alpha=alpha, threads=threads)

    def drawdowns(self, *, most: int | None = None) -> Table:
        """Every drawdown, the deepest first; see `vecbt.drawdowns`."""
        from .analytics.return_tables import drawdowns

        return drawdowns(self._returns, most=most)

    def monthly(self) -> Table:
        """Return of each calendar month; see `vecbt.monthly_returns`."""
        from .analytics.return_tables import monthly_returns

        return monthly_returns(self._returns)

    def yearly(self) -> Any:
        """Return of each calendar year; see `vecbt.yearly_returns`."""
        from .analytics.return_tables import yearly_returns

        return yearly_returns(self._returns)

    def by(self, by: str) -> Any:
        """Returns by period or weekday; see `vecbt.returns_by`."""
        from .analytics.return_tables import returns_by

        return returns_by(self._returns, by)

    def rolling(
        self,
        window: int,
        metrics: Sequence[str] | str = ("total_return", "volatility", "sharpe", "max_drawdown"),
        *,
        benchmark: Any = None,
        kind: str | None = None,
        periods_per_year: float | None = None,
        rf: float = 0.0,
        mar: float = 0.0,
        every: int = 1,
    ) -> Table:
        """Metrics of the last `window` bars at each bar; see `vecbt.rolling_metrics`."""
        from .analytics.return_tables import rolling_metrics

        more = {"benchmark": benchmark, "kind": kind, "periods_per_year": periods_per_year, "rf": rf, "mar": mar}
        return rolling_metrics(self._returns, window, metrics, every=every, **more)

    def value_at_risk(self, alpha: float | Sequence[float] = (0.01, 0.05)) -> Table:
        """Value at risk by three methods; see `vecbt.value_at_risk`."""
        from .analytics.return_tables import value_at_risk

        return value_at_risk(self._returns, alpha)

    def relative(self, benchmark: Any, *, kind: str | None = None, periods_per_year: float | None = None, rf: float = 0.0) -> Any:
        """Metrics relative to a benchmark; see `vecbt.relative`."""
        from .analytics.relative import relative

        return relative(self._returns, benchmark, kind=kind, periods_per_year=periods_per_year, rf=rf)

    def evidence(
        self, *, trials: int = 1, variance: float | None = None, column: Any = None, periods_per_year: float | None = None,
        benchmark: float = 0.0, confidence: float = 0.95, rf: float = 0.0, resamples: int = 1000, seed: int = 0,
    ) -> Evidence:  # fmt: skip
        """How likely they are luck; see `vecbt.evidence_of`."""
        from .analytics.luck.of_returns import evidence_of

        return evidence_of(
            self._returns, trials=trials, variance=variance, column=column, periods_per_year=periods_per_year, benchmark=benchmark,
            confidence=confidence, rf=rf, resamples=resamples, seed=seed,
        )  # fmt: skip

    def report(
        self,
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
        """Write their tear sheet: html, pdf or png; see `vecbt.report`."""
        from .analytics.sheet_returns import report

        more = {"periods_per_year": periods_per_year, "column": column, "title": title, "log": log}
        return report(self._returns, path, benchmark=benchmark, kind=kind, trials=trials, **more)


def register_accessors() -> tuple[str, ...]:
    """Give pandas and polars objects `.vecbt`, importing what of the two is installed; says which have it now. Safe to call again."""
    return _register(tuple(name for name in _LIBRARIES if _installed(name)))


def _installed(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def _register(names: Sequence[str]) -> tuple[str, ...]:
    """For libraries that are imported."""
    for name in names:
        library: Any = sys.modules[name]
        if hasattr(library.Series, NAME):
            continue
        if name == "pandas":
            library.api.extensions.register_series_accessor(NAME)(ReturnsAccessor)
            library.api.extensions.register_dataframe_accessor(NAME)(ReturnsAccessor)
        else:
            library.api.register_series_namespace(NAME)(ReturnsAccessor)
            library.api.register_dataframe_namespace(NAME)(ReturnsAccessor)
    return tuple(names)


_register([name for name in _LIBRARIES if hasattr(sys.modules.get(name), "Series")])
