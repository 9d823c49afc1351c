"""What a difference is: one small example, run by both sides, and the two figures that the table of DIFFERENCES.md shows."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

import vecbt as vb
from tests.outside.outside import ROOT, Answer, Question

PAGE = ROOT / "DIFFERENCES.md"
CAPITAL = 1000.0


@dataclass(frozen=True)
class Difference:
    """A row of the table.

    Parameters
    ----------
    topic : its first cell
    ours : runs vecbt and says the figure
    question : what vectorbt is asked
    theirs : reads the figure from the answer
    """

    topic: str
    ours: Callable[[], str]
    question: Question
    theirs: Callable[[Answer], str]


class Row(NamedTuple):
    """A row of the table as it is written."""

    topic: str
    vecbt: str
    vectorbt: str
    example: str

    @property
    def figures(self) -> list[str]:
        """What stands in bold in the example: vecbt first, vectorbt second."""
        return re.findall(r"\*\*(.+?)\*\*", self.example)


def rows_of_page() -> list[Row]:
    """The rows of the table under "Where they differ"."""
    part = PAGE.read_text(encoding="utf-8").partition("## Where they differ")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [Row(*(cell.strip() for cell in line.strip("|").split("|"))) for line in lines[2:]]


def row(
    topic: str,
    bars: vb.Bars,
    given: Callable[[vb.Bars], Any],
    *,
    ours: Callable[[], str],
    theirs: Callable[[Answer], str],
    function: str = "from_signals",
    **keywords: Any,
) -> Difference:
    """A difference on `bars`: vectorbt gets `given(bars)`, Signals or the numbers that become `size`, and the keywords.

    Arrays among the keywords stand by bar and asset. Capital is that of `run`, no order is too small, and what is not said is
    vectorbt's default, so nothing costs anything.
    """
    inputs = given(bars)
    arrays: dict[str, np.ndarray] = {"close": bars.close}
    if isinstance(inputs, vb.Signals):
        parts = {name: getattr(inputs, name) for name in ("entries", "exits", "short_entries", "short_exits")}
        short = parts["short_entries"].any() or parts["short_exits"].any()
        arrays |= {name: part for name, part in parts.items() if short or not name.startswith("short")}
    else:
        arrays["size"] = inputs.values
    arrays |= {name: value for name, value in keywords.items() if isinstance(value, np.ndarray)}
    plain = {"init_cash": CAPITAL, "min_size": 0.0, "freq": "D"}
    plain |= {name: value for name, value in keywords.items() if not isinstance(value, np.ndarray)}
    plain = {name: value for name, value in plain.items() if value is not None}
    return Difference(topic, ours, Question(f"difference: {topic}", function, arrays, plain, stats=True), theirs)


def reach(bars: vb.Bars) -> dict[str, np.ndarray]:
    """Open, high and low as vectorbt's stops want them."""
    return {"open": bars.open, "high": bars.high, "low": bars.low}


def next_bar(given: Callable[[vb.Bars], Any]) -> Callable[[vb.Bars], Any]:
    """Signals one bar later, as vectorbt wants what is to fill at the next open."""

    def moved(bars: vb.Bars) -> vb.Signals:
        inputs = given(bars)
        names = ("entries", "exits", "short_entries", "short_exits")
        return vb.Signals(**{name: np.vstack([np.zeros((1, bars.N), bool), getattr(inputs, name)[:-1]]) for name in names})

    return moved


class TheirFill(NamedTuple):
    """An order of vectorbt; `q` is signed."""

    t: int
    asset: int
    q: float
    price: float
    fee: float


def their_fills(answer: Answer) -> list[TheirFill]:
    """Its orders by time, not those of equal time."""
    signed = np.where(answer["orders.side"] == 0, 1.0, -1.0) * answer["orders.size"]
    parts = (answer["orders.idx"], answer["orders.col"], signed, answer["orders.price"], answer["orders.fees"])
    return sorted(TheirFill(*row) for row in zip(*(part.tolist() for part in parts), strict=True))


def held(answer: Answer, asset: int = 0) -> float:
    """What vectorbt holds in the end; the remainders of sums are nothing."""
    total = sum(fill.q for fill in their_fills(answer) if fill.asset == asset)
    return 0.0 if abs(total) < 1e-12 else total


def refused(start: Callable[[], Any]) -> str:
    """The name of the error that vecbt raises."""
    try:
        start()
    except vb.errors.VecbtError as error:
        return type(error).__name__
    return "accepted"


def number(value: float) -> str:
    """At most six digits, without the noise of sums: `1,234.5`."""
    return f"{float(f'{value:.6g}') + 0.0:,.10g}"


def percent(value: float) -> str:
    """A fraction in percent, two digits: `12.5%`; `nan` where there is none."""
    return "nan" if math.isnan(value) else f"{number(round(value * 100.0, 2))}%"


__all__ = [
    "CAPITAL", "PAGE", "Difference", "Row", "TheirFill", "held", "next_bar", "number", "percent", "reach", "refused", "row", "rows_of_page",
    "their_fills",
]  # fmt: skip
