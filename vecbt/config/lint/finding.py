"""What a check has to say about one place of a configuration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["SEVERITIES", "Finding", "Severity", "counted", "sort_findings"]

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One contradiction, unit mistake or doubtful choice.

    Attributes
    ----------
    id : str
        Name of the rule that found it, such as `trail-before-stop`.
    severity : {"error", "warning", "note"}
        error: a run is refused, or cannot do what is asked; warning: it runs, but can hardly be meant; note: worth knowing.
    where : str
        Dotted place in the file, such as `risk.zones.boundaries[1]`; empty for the file as a whole.
    line : int or None
        Line in the file, where it is known.
    what, why, remedy : str
        What stands there, why it matters, what to do.
    """

    id: str
    severity: Severity
    where: str
    line: int | None
    what: str
    why: str
    remedy: str

    def to_dict(self) -> dict[str, Any]:
        """Fields by name, as JSON can hold them."""
        return asdict(self)

    def __str__(self) -> str:
        at = f" (line {self.line})" if self.line is not None else ""
        lines = [f"{self.severity} [{self.id}] {self.where or 'the file'}{at}: {self.what}"]
        lines += [f"  {label}: {text}" for label, text in (("why", self.why), ("do", self.remedy)) if text]
        return "\n".join(lines)


def sort_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Errors first; inside a severity in the order of lines, what has none last; each finding once."""
    unique = list(dict.fromkeys(findings))
    return sorted(unique, key=lambda f: (SEVERITIES.index(f.severity), f.line is None, f.line or 0))


def counted(findings: Iterable[Finding]) -> dict[Severity, int]:
    """How many of each severity."""
    kinds = [f.severity for f in findings]
    return {severity: kinds.count(severity) for severity in SEVERITIES}
