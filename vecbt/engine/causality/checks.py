"""The parts of a check beside removing and replacing later bars: each gives a line, and what else the report keeps of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...data.bars import Bars
from ...data.zones import DAY_NS
from ...errors import ConfigError
from ..check import ParityReport, replay
from ..setup import Setup
from ..strategy import Strategy
from .report import CheckLine, Finding
from .rows import Rows
from .search import REMOVED, Group
from .sources import FUTURES, Source
from .subject import Failed, Subject, attempt, in_words

__all__ = [
    "LOOKBACK", "PARITY", "earliest", "first_rows", "future_line", "lookback_line", "parity_line", "prefix_line", "silence", "times_line",
]  # fmt: skip

PARITY, LOOKBACK = "batch = stream, restored", "bounded lookback"
_HOUR_NS = 3_600_000_000_000
_SHIFTS = (("a day", DAY_NS), ("a week", 7 * DAY_NS), ("5 hours", 5 * _HOUR_NS))


def first_rows(subject: Subject, source: Source) -> tuple[Rows | Failed, list[CheckLine]]:
    """The rows for all data, and whether a second run says the same and leaves everything as it was."""
    data, state = source.mark(), subject.state()
    rows = attempt(subject, source.whole())
    changed = [name for name, a, b in (("its bars", data, source.mark()), ("its parameters", state, subject.state())) if a != b]
    if "its bars" in changed:
        source.mend()
    if isinstance(rows, Failed):
        return rows, [CheckLine("rows", "FAILED", f"none for the {rows.bars:,} bars: {rows.why}")]
    again = attempt(subject, source.whole())
    lines = []
    if changed:
        detail = f"{' and '.join(changed)} changed while it ran; rows() may read them, and keeps its own things in local names"
        lines.append(CheckLine("leaves all as it was", "FAILED", detail))
    else:
        lines.append(CheckLine("leaves all as it was", "ok", "bars and parameters have the same bytes after the run"))
    if isinstance(again, Failed):
        lines.append(CheckLine("repeatable", "FAILED", f"a second run on the same bars fails: {again.why}"))
        return rows, lines
    different = rows.differs(again, len(rows)) if again.columns == rows.columns else np.ones((1, 1), dtype=bool)
    if different.any():
        t, c = (int(k) for k in np.argwhere(different)[0])
        said = f"at {source.label(t)}, {rows.columns[c]}, the first run said {rows.shown(t, c)}, a second one {again.shown(t, c)}"
        lines.append(CheckLine("repeatable", "FAILED", f"{said}: give random numbers a seed, and keep nothing between calls"))
    return rows, lines


def prefix_line(group: Group, total: int, warmup: int, shortest: int | None) -> CheckLine:
    """What removing later bars showed."""
    if not group.runs:
        return CheckLine(group.name, "skipped", "nothing comes after the bar there is")
    made = f"{group.runs:,} of {total:,} cuts"
    if group.finding is not None:
        return CheckLine(group.name, "FAILED", f"{group.finding}")
    if group.failed:
        found = group.failed[REMOVED]
        least = found.bars if shortest is None else shortest
        detail = f"fails on {least:,} bars and fewer: {found.why}; answer rows that say nothing, or declare warmup >= {least}"
        return CheckLine(group.name, "FAILED", detail)
    note = f"; it fails on {group.allowed} cuts that are no longer than its warm-up of {warmup}" if group.allowed else ""
    return CheckLine(group.name, "ok", f"{made}, rows before each are equal to the last bit{note}")


def future_line(group: Group, warnings: list[str]) -> CheckLine:
    """What replacing later bars showed."""
    if not group.runs:
        return CheckLine(group.name, "skipped", "nothing comes after the bar there is")
    for kind, found in group.failed.items():
        warnings.append(f"with later bars replaced ({kind}) it fails, so that says nothing about it: {found.why}")
    if group.finding is not None:
        return CheckLine(group.name, "FAILED", f"{group.finding}")
    if group.failures == group.runs:
        return CheckLine(group.name, "FAILED", f"it fails with every future that was tried: {next(iter(group.failed.values())).why}")
    detail = f"{group.runs - group.failures:,} futures ({', '.join(FUTURES)}), rows before each are equal to the last bit"
    return CheckLine(group.name, "ok", detail)


def parity_line(
    strategy: Strategy,
    bars: Bars,
    settings: dict[str, Any],
    *,
    count: int,
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[CheckLine, ParityReport | None]:
    """Replayed bar by bar, killed and restored (D1, D3), on the first `count` bars."""
    setup = Setup.of(**settings)
    try:
        report = replay(bars[:count], strategy, setup, seed=seed, progress=progress)
    except ConfigError:  # the settings do not fit these bars
        raise
    except Exception as error:  # a strategy may fail in any way
        detail = f"cannot be streamed: {in_words(error)}; where there are too few bars, answer rows that say nothing"
        return CheckLine(PARITY, "FAILED", detail), None
    where = "" if count >= bars.T else f" (the first {count:,} of {bars.T:,} bars)"
    return CheckLine(PARITY, "ok" if report.ok else "FAILED", f"{report}{where}"), report


def lookback_line(subject: Subject, bars: Bars, whole: Rows, lookback: int) -> tuple[CheckLine, float]:
    """Every row from the last `lookback` bars alone, against the row from all of them; and the largest difference."""
    read = bars.for_strategies
    largest, where, count = 0.0, -1, 0
    for t in range(lookback, bars.T):
        rows = attempt(subject, read[t + 1 - lookback : t + 1])
        if isinstance(rows, Failed):
            return CheckLine(LOOKBACK, "FAILED", f"fails on the {lookback} bars that it declares to need: {rows.why}"), math.inf
        different = np.flatnonzero(rows.cells[-1] != whole.cells[t])
        if len(different):
            count += 1
            for c in different:
                difference = _size(whole, rows, t, int(c))
                if difference > largest:
                    largest, where = difference, t
    if where < 0:
        return CheckLine(LOOKBACK, "ok", f"{lookback} bars give every row as all bars do, to the last bit, on these bars"), 0.0
    detail = (
        f"the last {lookback} bars give another row than all bars do at {count:,} of {bars.T - lookback:,} bars; the largest difference is "
        f"{largest:.6g}, at bar {where} ({_label(bars, where)}): no certificate; declare a longer lookback, or none"
    )
    return CheckLine(LOOKBACK, "FAILED", detail), largest


def _label(bars: Bars, t: int) -> str:
    from ...data.labels import label_text

    return label_text(int(bars.index[t]))


def _size(whole: Rows, rows: Rows, t: int, c: int) -> float:
    """How far two cells lie apart."""
    if whole.words[c] != "number":
        return 1.0
    difference = abs(whole.number(t, c) - rows.number(len(rows) - 1, c))
    return difference if difference == difference else math.inf


def times_line(subject: Subject, source: Source, whole: Rows) -> CheckLine:
    """Whether the rows hang on the clock: that is information, not a fault."""
    said = []
    for name, ns in _SHIFTS:
        data = source.shifted(ns)
        if data is None:
            return CheckLine("times shifted", "skipped", "the data have no times")
        rows = attempt(subject, data)
        if isinstance(rows, Failed):
            said.append(f"{name} later it fails: {rows.why}")
        elif rows.columns != whole.columns or (different := whole.differs(rows, len(whole))).any():
            at = source.label(int(np.argmax(different.any(axis=1)))) if rows.columns == whole.columns else source.label(0)
            said.append(f"{name} later, rows change from {at} on")
    if said:
        return CheckLine("times shifted", "note", f"depends on time stamps: {'; '.join(said)}")
    return CheckLine("times shifted", "ok", "a day, a week and 5 hours later it says the same: it reads no clock")


def silence(whole: Rows, bars: Bars, warmup: int, warnings: list[str]) -> tuple[CheckLine, int | None]:
    """How long each asset says nothing at the start, against what is declared; and assets that say nothing for ever."""
    quiet = whole.silent()
    market = ~np.isnan(bars.close)
    starts = [int(np.argmax(market[:, n])) if market[:, n].any() else bars.T for n in range(bars.N)]
    spoken = [np.flatnonzero(~quiet[:, n]) for n in range(bars.N)]
    first = [int(s[0]) - start for s, start in zip(spoken, starts, strict=True) if len(s)]
    if not first:
        warnings.append("it says nothing at all on these bars, so they prove nothing about it: take more bars, or others")
        return CheckLine("warm-up", "note", f"declared {warmup}; nothing is said on these {bars.T:,} bars"), None
    measured = max(min(first), 0)
    for n, start in enumerate(starts):
        begin = start + warmup
        if whole.words[n] == "number" and begin < bars.T and quiet[begin:, n].all():
            warnings.append(
                f"{bars.symbols[n]} is NaN at every bar after its warm-up, from {_label(bars, begin)} on, so it is never traded: "
                "if that is not meant, its data or a window longer than they are may be why"
            )
    if measured < warmup and int(min(s[0] for s in spoken if len(s))) < warmup:
        detail = f"declared {warmup}, but something is said {measured} bars after an asset begins: declare less, or say nothing before"
        return CheckLine("warm-up", "note", detail), measured
    return CheckLine("warm-up", "ok", f"declared {warmup}, measured {measured}: bars before the first row that says something"), measured


def earliest(*findings: Finding | None) -> Finding | None:
    """The finding of the earliest bar."""
    found = [f for f in findings if f is not None]
    return min(found, key=lambda f: f.bar) if found else None
