"""Removing and replacing what comes after a bar, at few bars or at all of them, and how far ahead a row looks that changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .report import Finding
from .rows import Rows
from .sources import FUTURES, Source
from .subject import Failed, Subject, attempt

__all__ = ["REMOVED", "Group", "Search", "choose_cuts"]

REMOVED = "removed"
_SCANNED = 64
"""Cuts from the first row that says something on that are made one by one once a difference is known."""
_NEAR = 32
"""So few distances are tried one by one."""


def choose_cuts(bars: int, warmup: int, count: int, seed: int, seams: tuple[int, ...] = ()) -> list[int]:
    """Numbers of bars to keep, ascending: up to the last bars, just after the warm-up, inside gaps, and random ones for the rest."""
    if count >= bars - 1:
        return list(range(1, bars))
    fixed = [bars - 1, warmup + 1, *seams, bars - 2, warmup + 2]
    chosen = {k for k in fixed[:count] if 0 < k < bars}
    for k in np.random.default_rng(seed).permutation(np.arange(1, bars)):
        if len(chosen) == count:
            break
        chosen.add(int(k))
    return sorted(chosen)


@dataclass
class Group:
    """Experiments of one kind, and what came of them."""

    name: str
    kinds: tuple[str, ...]
    runs: int = 0
    finding: Finding | None = None
    failed: dict[str, Failed] = field(default_factory=dict)
    """By kind: the failure on the most bars, beyond those that the warm-up allows."""
    failures: int = 0
    allowed: int = 0
    """Failures on so few bars that the warm-up allows them."""


class Search:
    """Runs of one subject on changed data, compared with its rows for all bars.

    Rows before `skip` are not compared. `tolerance` is relative, 0 demands equal bits.
    """

    def __init__(self, subject: Subject, source: Source, whole: Rows, *, skip: int = 0, tolerance: float = 0.0) -> None:
        self._subject, self._source, self._whole = subject, source, whole
        self._skip, self._tolerance = skip, tolerance
        self._findings: list[Finding] = []
        self.largest = 0.0
        """The largest relative difference of numbers in the first row that changed."""

    def run(self, groups: tuple[Group, ...], cuts: list[int], progress: Callable[[int, int], None] | None) -> None:
        """Make all experiments at all cuts, ascending; a group ends with its first difference."""
        for done, stop in enumerate(cuts, 1):
            for group in groups:
                for kind in group.kinds:
                    if group.finding is None:
                        self._try(group, kind, stop, cuts)
            if all(group.finding is not None for group in groups):
                break
            if progress is not None:
                progress(done, len(cuts))

    def _try(self, group: Group, kind: str, stop: int, cuts: list[int]) -> None:
        found = self._different(kind, stop)
        group.runs += 1
        if isinstance(found, Failed):
            if kind == REMOVED and stop <= self._subject.warmup:
                group.allowed += 1
            else:
                group.failures += 1
                group.failed[kind] = found
        elif found is not None:
            group.finding = self._narrowed(kind, stop, found, known=len(cuts) == self._source.T - 1)
            self._findings.append(group.finding)

    def _rows(self, kind: str, stop: int) -> Rows | Failed:
        data = self._source.cut(stop) if kind == REMOVED else self._source.replaced(stop, kind)
        return attempt(self._subject, data)

    def _different(self, kind: str, stop: int) -> NDArray[np.bool_] | Failed | None:
        """Where rows before `stop` change, bool (stop, C); None where none does."""
        rows = self._rows(kind, stop)
        if isinstance(rows, Failed):
            return rows
        whole = self._whole
        different = whole.differs(_matched(rows, whole), stop, self._tolerance)
        different[: self._skip] = False
        return different if different.any() else None

    # --- the first row --------------------------------------------------------------------------------------------

    def _narrowed(self, kind: str, stop: int, different: NDArray[np.bool_], *, known: bool) -> Finding:
        """The first row that changes: all cuts below were made, or are made now as far as is cheap, then bisection."""
        first = known
        if not known:
            made, low, stop, different = self._from_the_start(kind, stop, different)
            while stop - low > 1:
                middle = (low + stop) // 2
                found = self._different(kind, middle)
                if found is None or isinstance(found, Failed):
                    low = middle
                else:
                    stop, different = self._sooner(kind, middle, found)
            first = stop <= made + 1
        t = int(np.argmax(different.any(axis=1)))
        return self._described(kind, stop, t, different[t], first or any(f.first and f.bar == t for f in self._findings))

    def _from_the_start(self, kind: str, stop: int, different: NDArray[np.bool_]) -> tuple[int, int, int, NDArray[np.bool_]]:
        """Where else to look first: the bar that another kind of change has found, and the cuts behind the first row that speaks.

        Returns the cuts that were made from 1 on without a gap, the last that is good, the first that is not, and where that one changes.
        """
        for finding in self._findings:
            found = self._different(kind, finding.bar + 1) if finding.bar + 1 < stop else None
            if found is not None and not isinstance(found, Failed):
                return 0, finding.bar, finding.bar + 1, found
        speaks = ~self._whole.silent().all(axis=1)
        begin = max(self._skip, int(np.argmax(speaks)) if speaks.any() else 0)
        begin = self._skip if begin - self._skip <= _SCANNED // 2 else begin
        gapless = begin == self._skip  # no cut is left out before these
        low = begin if gapless else 0
        for k in range(begin + 1, min(stop, begin + _SCANNED + 1)):
            found = self._different(kind, k)
            if found is not None and not isinstance(found, Failed):
                return (low if gapless else 0), low, *self._sooner(kind, k, found)
            low = k
        return (low if gapless else 0), low, *self._sooner(kind, stop, different)

    def _sooner(self, kind: str, stop: int, different: NDArray[np.bool_]) -> tuple[int, NDArray[np.bool_]]:
        """A row that changes when bars far behind it go changes, as a rule, when all behind it go: an earlier cut, if so."""
        t = int(np.argmax(different.any(axis=1)))
        found = self._different(kind, t + 1) if t + 1 < stop else None
        return (stop, different) if found is None or isinstance(found, Failed) else (t + 1, found)

    def _described(self, kind: str, stop: int, t: int, changed: NDArray[np.bool_], first: bool) -> Finding:
        whole, c = self._whole, int(np.argmax(changed))
        other = self._rows(kind, stop)
        assert isinstance(other, Rows)
        other = _matched(other, whole)
        a, b = whole.number(t, c), other.number(t, c)
        with np.errstate(all="ignore"):
            self.largest = float(abs(a - b) / max(abs(a), abs(b))) if a == a and b == b else np.inf
        ahead = self._ahead(t, c)
        return Finding(
            bar=t,
            time=self._source.label(t),
            column=whole.columns[c],
            ahead=ahead,
            to_the_end=t + ahead == self._source.T - 1 and ahead > 1,
            how="later bars are removed" if kind == REMOVED else f"later bars are replaced ({kind})",
            whole=whole.shown(t, c),
            other=other.shown(t, c),
            first=first,
            columns=int(changed.sum()),
        )

    # --- how far ahead --------------------------------------------------------------------------------------------

    def _ahead(self, t: int, c: int) -> int:
        """The smallest number of bars after `t` with which, and with more, the cell is what it is with all of them."""
        again = [f.ahead for f in self._findings if f.bar == t and f.column == self._whole.columns[c]]
        if again:
            return again[0]
        last = self._source.T - 1 - t  # with so many, nothing is cut
        tried = [*(h for h in (2**k for k in range(63)) if h < last - 1), last - 1]
        low = next((h for h in reversed(tried) if self._changes(t, c, h)), 0)
        high = next((h for h in tried if h > low), last)
        while high - low > _NEAR:
            middle = (low + high) // 2
            low, high = (middle, high) if self._changes(t, c, middle) else (low, middle)
        return next((h + 1 for h in range(high - 1, low, -1) if self._changes(t, c, h)), low + 1)

    def _changes(self, t: int, c: int, h: int) -> bool:
        """Whether the cell changes when the bars after `t + h` are removed or replaced."""
        return any(self._cell_changes(kind, t, c, t + 1 + h) for kind in self._kinds())

    @staticmethod
    def _kinds() -> Iterator[str]:
        yield REMOVED
        yield from FUTURES

    def _cell_changes(self, kind: str, t: int, c: int, stop: int) -> bool:
        found = self._different(kind, stop)
        return found is not None and not isinstance(found, Failed) and bool(found[t, c])


def _matched(rows: Rows, whole: Rows) -> Rows:
    """Rows with the columns of the whole run; where a column is missing, or the inputs are of another kind, nothing is equal."""
    if rows.columns == whole.columns and rows.what == whole.what:
        return rows
    cells = ~whole.cells[: len(rows)]
    at = {name: k for k, name in enumerate(rows.columns)}
    for c, name in enumerate(whole.columns):
        if name in at and rows.what == whole.what:
            cells[:, c] = rows.cells[:, at[name]]
    return Rows(whole.what, cells, whole.columns, whole.words)
