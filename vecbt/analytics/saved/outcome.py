"""What `verify` found: one line per thing compared, and a verdict."""

from __future__ import annotations

from dataclasses import dataclass

from .compare import TOLERANCE

__all__ = ["CLOSE", "DIFFERS", "EQUAL", "UNCHECKED", "Check", "VerifyReport"]

EQUAL, CLOSE, DIFFERS, UNCHECKED = "equal", "close", "differs", "unchecked"
_SHOWN = {
    EQUAL: "equal",
    CLOSE: "close",
    DIFFERS: "DIFFERS",
    UNCHECKED: "not checked",
}


@dataclass(frozen=True)
class Check:
    """One thing that was compared: `outcome` is "equal" (every bit), "close" (within the tolerance), "differs" or "unchecked"."""

    name: str
    outcome: str
    detail: str = ""


@dataclass(frozen=True)
class VerifyReport:
    """Whether a saved result is what its parts give when they are run again.

    Attributes
    ----------
    ok : bool
        Nothing differs. Equal bits are asked for where code, versions and machine are those that saved it; elsewhere numbers may
        differ by `compare.TOLERANCE` (relative), and `exact` says whether they do.
    exact : bool
        Every number that was compared is equal to the last bit.
    strategy_checked : bool
        The strategy was found, and its rows are the saved inputs; else the saved inputs were used.
    folder, title : str
        What was verified.
    checks : tuple of Check
        Everything that was compared, in order.
    notes : tuple of str
        What a reader should know: other versions, a strategy that was not found.
    difference : str
        The first one found, empty when there is none.
    """

    ok: bool
    exact: bool
    strategy_checked: bool
    folder: str
    title: str
    checks: tuple[Check, ...]
    notes: tuple[str, ...]
    difference: str

    def __str__(self) -> str:
        held = "equal to the last bit" if self.exact else f"close within {TOLERANCE:g}, not to the last bit"
        verdict = f"verified, {held}" if self.ok else "NOT verified"
        names = max(len(check.name) for check in self.checks)
        outcomes = max(len(_SHOWN[check.outcome]) for check in self.checks)
        lines = [f"{verdict}: {self.folder} ({self.title})"]
        for check in self.checks:
            lines.append(f"  {check.name.ljust(names)}  {_SHOWN[check.outcome].ljust(outcomes)}  {check.detail}".rstrip())
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])
