"""What a check found: a line for each part of it, and the first bar that knows more than it may."""

from __future__ import annotations

from dataclasses import dataclass

from ..check import ParityReport

__all__ = ["CheckLine", "Finding", "StrategyReport"]


@dataclass(frozen=True)
class CheckLine:
    """One part of the check.

    name : what was done
    status : "ok", "FAILED", "note" (says something, proves nothing) or "skipped"
    detail : what came out
    """

    name: str
    status: str
    detail: str


@dataclass(frozen=True)
class Finding:
    """A cell that hangs on later bars.

    bar, time : its row
    column : symbol, or column of what a function returned
    ahead : how many bars ahead it looks, the last that makes a difference
    to_the_end : whether that is the last bar of all
    how : what was done to the later bars
    whole, other : what it says with all bars, and with the others
    first : whether all cuts before it were made, with later bars removed or with this future; else it is the first that was found
    columns : how many columns of the row change
    """

    bar: int
    time: str
    column: str
    ahead: int
    to_the_end: bool
    how: str
    whole: str
    other: str
    first: bool
    columns: int

    def __str__(self) -> str:
        more = f" (and {self.columns - 1} more)" if self.columns > 1 else ""
        far = f"{self.ahead:,} bar{'s' if self.ahead != 1 else ''} ahead"
        if self.to_the_end:
            far += ", to the last bar"
        start = "" if self.first else ", the first that was found,"
        return (
            f"bar {self.bar} ({self.time}){start}, {self.column}{more}: {self.whole} becomes {self.other} when {self.how}; it looks {far}"
        ).replace(",,", ",")


@dataclass(frozen=True)
class StrategyReport:
    """Whether rows hang on nothing but the past (D2), and what else was found.

    Attributes
    ----------
    ok : bool
        No part failed.
    name : str
        Of the strategy or function.
    bars, columns : int
        What it was checked on: bars, and assets or columns of what it returned.
    checks : tuple of CheckLine
        A line for each part.
    thorough : bool
        Whether later bars were removed and replaced after every bar.
    cuts, futures : int
        How often later bars were removed, and replaced.
    finding : Finding, optional
        The first bar that knows later ones: `bar`, `time`, `column`, `ahead` (bars), and more.
    warmup_declared : int
        Bars that cannot say anything yet, as it says itself.
    warmup_measured : int, optional
        Bars of an asset before its first row that says something, the least of all assets; None where nothing was said at all.
    lookback : int, optional
        The bounded lookback it declares.
    lookback_difference : float, optional
        The largest difference that it makes, in units of the rows; 1 for signals and orders, inf where one of both is NaN. None without.
    parity : ParityReport, optional
        Of the replay bar by bar, with save and restore.
    missed : str
        What this check cannot have seen.
    warnings : tuple of str
        What is no failure, but should be known.
    """

    ok: bool
    name: str
    bars: int
    columns: int
    checks: tuple[CheckLine, ...]
    thorough: bool
    cuts: int
    futures: int
    finding: Finding | None
    warmup_declared: int
    warmup_measured: int | None
    lookback: int | None
    lookback_difference: float | None
    parity: ParityReport | None
    missed: str
    warnings: tuple[str, ...]

    def __str__(self) -> str:
        verdict = "passed" if self.ok else "FAILED"
        width = max((len(line.name) for line in self.checks), default=0)
        plural = "s" if self.columns != 1 else ""
        lines = [f"{self.name}: check {verdict}, {self.bars:,} bars x {self.columns} column{plural}"]
        lines += [f"  {line.status:<8}{line.name:<{width}}  {line.detail}" for line in self.checks]
        lines += [f"  {'warning':<8}{text}" for text in self.warnings]
        return "\n".join([*lines, f"  not seen: {self.missed}"])
