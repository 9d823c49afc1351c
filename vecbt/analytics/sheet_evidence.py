"""What a report is told of the evidence for a result: rows and one paragraph, whoever found them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ConfigError

if TYPE_CHECKING:
    from .result import Result

__all__ = ["EvidenceTable", "evidence_of"]

_EXPECTED = "expected an object with `rows` of (name, value, meaning) and a `paragraph`, such a pair, or False for none"


class EvidenceTable(NamedTuple):
    """Whether a result could be luck: `rows` of (name, value, meaning) as people read them, and one `paragraph` that sums them up."""

    rows: tuple[tuple[str, str, str], ...]
    paragraph: str


def evidence_of(result: Result, given: Any) -> EvidenceTable | None:
    """What was given, or what the result itself finds where it can; None where there is neither, or False was given.

    Parameters
    ----------
    result : Result
        Asked for its `evidence()` where nothing is given and it has such a method.
    given : None, False, a pair of rows and paragraph, or an object with attributes (or methods) `rows` and `paragraph`

    Raises
    ------
    ConfigError
        It has another shape.
    """
    if given is False:
        return None
    if given is None:
        ask = getattr(result, "evidence", None)
        return None if ask is None else evidence_of(result, ask())
    if isinstance(given, tuple) and len(given) == 2:
        rows, paragraph = given
    else:
        rows, paragraph = (_attribute(given, name) for name in ("rows", "paragraph"))
    return EvidenceTable(tuple(_rows(rows)), str(paragraph))


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
