"""What a report is told of the evidence for a result: rows and one paragraph, whoever found them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ConfigError, VecbtError

if TYPE_CHECKING:
    from .result import Result

__all__ = ["EvidenceTable", "given_evidence", "report_resamples", "result_evidence"]

_EXPECTED = "expected an object with `rows` of (name, value, meaning) and a `paragraph`, such a pair, or False for none"
_RESAMPLES, _MOST_RESAMPLED = 1000, 50_000
_DIGITS = 16  # of a hash: enough to tell it from others


class EvidenceTable(NamedTuple):
    """Whether a result could be luck: `rows` of (name, value, meaning) as people read them, and one `paragraph` that sums them up.

    `examined` is False where nobody looked, and the paragraph says why; `note` is on the trial ledger.
    """

    rows: tuple[tuple[str, str, str], ...]
    paragraph: str
    examined: bool = True
    note: str = ""

    @property
    def words(self) -> str:
        """The paragraph; where nobody looked, that and why."""
        return self.paragraph if self.examined else f"Not examined{f': {self.paragraph}' if self.paragraph else ' in this report.'}"


def given_evidence(given: Any) -> EvidenceTable:
    """What was given: a pair of rows and paragraph, an object with attributes (or methods) `rows` and `paragraph`, or False for none.

    Raises
    ------
    ConfigError
        It has another shape.
    """
    if given is False:
        return EvidenceTable((), "", examined=False)
    if isinstance(given, tuple) and len(given) == 2:
        rows, paragraph = given
    else:
        rows, paragraph = (_attribute(given, name) for name in ("rows", "paragraph"))
    return EvidenceTable(tuple(_rows(rows)), str(paragraph))


def result_evidence(result: Result, given: Any, symbol: str | None) -> EvidenceTable:
    """What was given, or what the result finds itself, of `symbol` where each asset has an account; with a note on the trial ledger.

    A report never fails because of evidence that cannot be found: it says why there is none.
    """
    if given is False:
        return given_evidence(given)
    note = _ledger(result)
    if given is not None:
        return given_evidence(given)._replace(note=note)
    separate = result._curves.separate
    if separate and symbol is None:
        return EvidenceTable((), "each asset has an account of its own; result.report(symbol=...)", examined=False, note=note)
    count, said = report_resamples(result.run.bars.T)
    try:
        found = result.evidence(symbol=symbol if separate else None, resamples=count)
        return given_evidence(found)._replace(note=" ".join(filter(None, (said, note))))
    except (VecbtError, ArithmeticError, ValueError) as error:
        return EvidenceTable((), str(error), examined=False, note=note)


def report_resamples(bars: int) -> tuple[int, str]:
    """How often returns are drawn again for a report, and a sentence where they are not because that would take minutes."""
    if bars <= _MOST_RESAMPLED:
        return _RESAMPLES, ""
    return 0, f"Intervals of CAGR and drawdown are left out where there are more than {_MOST_RESAMPLED:,} bars; evidence() has them."


def _ledger(result: Result) -> str:
    """The head of the ledger, by which it can be told whether all that was counted is still there; or why there is none."""
    trials = result.trials
    parts = [f"{trials.note[:1].upper()}{trials.note[1:]}."] if trials.note else []
    if trials.head:
        parts.append(f"Ledger head {trials.head}; vecbt ledger verify --head {trials.head[:_DIGITS]} says whether it is all there still.")
    return " ".join(parts)


def _attribute(given: Any, name: str) -> Any:
    found = getattr(given, name, None)
    if found is None:
        raise ConfigError(f"evidence is {type(given).__name__} without {name!r}; {_EXPECTED}")
    return found() if callable(found) else found


def _rows(rows: Any) -> Iterable[tuple[str, str, str]]:
    if isinstance(rows, str) or not isinstance(rows, Iterable):
        raise ConfigError(f"rows of evidence are {type(rows).__name__}; {_EXPECTED}")
    for row in rows:
        parts = tuple(row) if isinstance(row, tuple | list) else ()
        if len(parts) != 3:
            raise ConfigError(f"a row of evidence is {row!r}; {_EXPECTED}")
        name, value, meaning = parts
        yield str(name), _written(value), str(meaning)


def _written(value: Any) -> str:
    if isinstance(value, float):
        return "–" if value != value else f"{value:,.4g}"
    return str(value)
