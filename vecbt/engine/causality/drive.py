"""The two checks: of a strategy, and of any function of data."""

from __future__ import annotations

import math
import warnings as python_warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...data.bars import Bars
from ...errors import ConfigError, StrategyError
from ...execution.costs import Costs
from ..check import ParityReport
from ..inputs import Inputs
from ..setup import Setup
from ..strategy import Strategy, as_strategy, declared_lookback
from .checks import earliest, first_rows, future_line, lookback_line, parity_line, prefix_line, silence, times_line
from .report import CheckLine, StrategyReport
from .rows import Rows
from .search import REMOVED, Group, Search, choose_cuts
from .sources import FUTURES, BarsSource, Source, source_of
from .subject import Failed, FunctionSubject, StrategySubject, Subject, attempt

__all__ = ["check_function", "check_strategy"]

Progress = Callable[[int, int], None]

_QUICK_BARS = 150
"""Bars that the quick check replays with the default feed, whose work grows with their square; at least 100 after the warm-up."""
_FEED_BARS = 1_000
"""Bars that the quick check replays with a strategy's own feed."""
_ALL_BARS = 20_000
"""Bars up to which a compiled strategy is cut at every bar unless it is asked otherwise."""


def check_strategy(
    strategy: Any,
    bars: Bars,
    *,
    thorough: bool | None,
    cuts: int,
    seed: int,
    settings: Mapping[str, Any] | None,
    progress: Progress | None,
) -> StrategyReport:
    """See `vecbt.check_strategy`."""
    if isinstance(strategy, Inputs):
        found = type(strategy).__name__
        raise StrategyError(
            f"{found} are rows already, which show no look-ahead; give what makes them, a Strategy or a function rows(bars)"
        )
    made = as_strategy(strategy)
    _check_count(cuts)
    keywords = {"costs": Costs.free(), **(settings or {})}
    lookback, subject, source = declared_lookback(made), StrategySubject(made, Setup.of(**keywords)), BarsSource(bars, seed)
    if thorough is None:
        thorough = bool(getattr(made, "compiled", False)) and bars.T <= _ALL_BARS
    if subject.warmup < 0:
        raise ConfigError(f"warmup of {subject.name} is {subject.warmup}; expected a number of bars, 0 or more")
    run = _Run(subject, source, thorough, cuts, seed, progress)
    whole = run.look_ahead()
    difference, parity, measured, wrong = None, None, None, ""
    if whole is not None:
        wrong = subject.judged(source.whole())
        if wrong:
            run.lines.insert(0, CheckLine("rows", "FAILED", wrong))
        with _quiet():
            line, measured = silence(whole, bars, subject.warmup, run.warnings)
            run.lines.append(line)
            run.lines.append(times_line(subject, source, whole))
            if lookback is not None:
                line, difference = lookback_line(subject, source.whole(), whole, lookback)
                run.lines.append(line)
    if whole is not None and not wrong:
        count = bars.T if thorough else _replayed(made, bars.T, lookback)
        line, parity = parity_line(made, source.whole(), keywords, count=count, seed=seed, progress=progress)
        run.lines.append(line)
        if parity is not None and not parity.ok:
            run.look_closer(whole, count)
    return run.report(whole, warmup_measured=measured, lookback=lookback, lookback_difference=difference, parity=parity)


def check_function(
    function: Callable[[Any], Any],
    data: Any,
    *,
    thorough: bool,
    cuts: int,
    seed: int,
    warmup: int,
    tolerance: float,
    progress: Progress | None,
) -> StrategyReport:
    """See `vecbt.check_causal`."""
    if not callable(function) or isinstance(function, type):
        raise StrategyError(f"{function!r} is no function; expected a callable that takes bars or a table, and returns a row for each bar")
    _check_count(cuts)
    if isinstance(warmup, bool) or not isinstance(warmup, int | np.integer) or warmup < 0:
        raise ConfigError(f"warmup is {warmup!r}; expected a whole number of rows, 0 or more, that are not compared")
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not 0.0 <= tolerance < 1.0:
        raise ConfigError(f"tolerance is {tolerance!r}; expected a relative difference, from 0 (equal bits) to below 1")
    subject, source = FunctionSubject(function, int(warmup)), source_of(data, seed)
    run = _Run(subject, source, thorough, cuts, seed, progress, skip=int(warmup), tolerance=float(tolerance))
    whole = run.look_ahead()
    measured = None
    if whole is not None:
        quiet = whole.silent().all(axis=1)
        measured = None if quiet.all() else int(np.argmin(quiet))
        _missing_later(whole, source, run)
        with _quiet():
            run.lines.append(times_line(subject, source, whole))
    return run.report(whole, warmup_measured=measured, lookback=None, lookback_difference=None, parity=None)


def _check_count(cuts: Any) -> None:
    if isinstance(cuts, bool) or not isinstance(cuts, int | np.integer) or cuts < 1:
        raise ConfigError(f"cuts is {cuts!r}; expected a whole number of at least 1")


def _replayed(strategy: Strategy, bars: int, lookback: int | None) -> int:
    """Bars that the quick check replays."""
    own = type(strategy).feed is not Strategy.feed
    least = max(int(strategy.warmup), lookback or 0) + 100
    return min(bars, max(least, _FEED_BARS if own else _QUICK_BARS))


def _quiet() -> python_warnings.catch_warnings[None]:
    """Warnings of a strategy that meets absurd prices are not the user's affair."""
    return python_warnings.catch_warnings(action="ignore")


def _missing_later(whole: Rows, source: Source, run: _Run) -> None:
    """NaN of a function after a column has begun to speak."""
    quiet = whole.silent()
    for c, name in enumerate(whole.columns):
        spoken = np.flatnonzero(~quiet[:, c])
        if whole.words[c] != "number":
            continue
        if not len(spoken):
            run.warnings.append(f"{name} is missing in every row")
            continue
        begin = max(int(spoken[0]), run.skip)
        gaps = np.flatnonzero(quiet[begin:, c])
        if len(gaps):
            t = begin + int(gaps[0])
            run.warnings.append(f"{name} is missing at {source.label(t)} (bar {t}), after its warm-up, and in {len(gaps):,} rows in all")


class _Run:
    """One check on its way: the lines so far, and what they rest on."""

    def __init__(
        self,
        subject: Subject,
        source: Source,
        thorough: bool,
        cuts: int,
        seed: int,
        progress: Progress | None,
        *,
        skip: int = 0,
        tolerance: float = 0.0,
    ) -> None:
        self._subject, self._source, self._progress = subject, source, progress
        self._thorough, self._cuts, self._seed = thorough, cuts, seed
        self.skip, self._tolerance = skip, tolerance
        self.lines: list[CheckLine] = []
        self.warnings: list[str] = []
        self._removed = Group("later bars removed", (REMOVED,))
        self._replaced = Group("later bars replaced", FUTURES)

    def look_ahead(self) -> Rows | None:
        """The rows for all bars, after the lines about later bars are written; None where there are no rows."""
        source, subject = self._source, self._subject
        whole, lines = first_rows(subject, source)
        if isinstance(whole, Failed):
            self.lines += lines
            return None
        search = Search(subject, source, whole, skip=self.skip, tolerance=self._tolerance)
        chosen = self._chosen()
        self._thorough = len(chosen) == source.T - 1
        with _quiet(), np.errstate(all="ignore"):
            search.run((self._removed, self._replaced), chosen, self._progress)
            shortest = self._shortest(chosen)
        self.lines.append(prefix_line(self._removed, source.T - 1, subject.warmup, shortest))
        self.lines.append(future_line(self._replaced, self.warnings))
        self.lines += lines
        if search.largest and math.isfinite(search.largest) and search.largest < 1e-9:
            self.warnings.append(
                f"the difference is {search.largest:.1e} of the value: rounding that hangs on the number of bars, as in products of "
                "matrices and Fourier transforms, looks like that, too; vb.check_causal(..., tolerance=1e-9) tells"
            )
        return whole

    def _chosen(self) -> list[int]:
        source = self._source
        count = source.T if self._thorough else self._cuts
        return choose_cuts(source.T, self._subject.warmup, count, self._seed, source.seams)

    def look_closer(self, whole: Rows, count: int) -> None:
        """After a replay that failed on the first bars: cut after each of them, since a row that needs later bars cannot be streamed."""
        if self._removed.finding is not None or self._replaced.finding is not None or self._thorough:
            return
        group = Group(self._removed.name, self._removed.kinds)
        with _quiet(), np.errstate(all="ignore"):
            cuts = list(range(1, min(count, self._source.T - 1) + 1))
            Search(self._subject, self._source, whole).run((group,), cuts, self._progress)
        self._removed.runs += group.runs
        if group.finding is not None:
            self._removed.finding = replace(group.finding, first=True)
            self.lines[:] = [
                prefix_line(self._removed, self._source.T - 1, self._subject.warmup, None) if line.name == group.name else line
                for line in self.lines
            ]

    def _shortest(self, chosen: list[int]) -> int | None:
        """The most bars on which the subject fails when later ones are removed."""
        found = self._removed.failed.get(REMOVED)
        if found is None:
            return None
        low, high = found.bars, next((k for k in chosen if k > found.bars), self._source.T)
        while high - low > 1:
            middle = (low + high) // 2
            failed = isinstance(attempt(self._subject, self._source.cut(middle)), Failed)
            low, high = (middle, high) if failed else (low, middle)
        return low

    def report(self, whole: Rows | None, **more: Any) -> StrategyReport:
        """All of it."""
        parity: ParityReport | None = more["parity"]
        finding = earliest(self._removed.finding, self._replaced.finding)
        return StrategyReport(
            ok=all(line.status != "FAILED" for line in self.lines) and (parity is None or parity.ok),
            name=self._subject.name,
            bars=self._source.T,
            columns=len(whole.columns) if whole is not None else 0,
            checks=tuple(self.lines),
            thorough=self._thorough,
            cuts=self._removed.runs,
            futures=self._replaced.runs,
            finding=finding,
            warmup_declared=self._subject.warmup,
            missed=self._missed() if whole is not None else "anything: there are no rows to compare",
            warnings=tuple(self.warnings),
            **more,
        )

    def _missed(self) -> str:
        always = "what it brings along is not cut: a model or scaler fitted before on these bars, a file, a number chosen with hindsight"
        bars = self._source.T
        if bars == 1:
            return "any look ahead: there is one bar"
        if self._thorough:
            return f"cut after every bar; a peek that says the same with the true future and with all replaced ones; {always}"
        made = len(self._chosen())
        share = made / max(bars - 1, 1)
        return (
            f"{made} of {bars - 1:,} cuts find what looks ahead everywhere; a look of h bars ahead at one bar is found when a cut falls "
            f"into these h bars (h = 1: {share:.1%}), thorough=True cuts after every bar; {always}"
        )
