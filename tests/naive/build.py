"""Small scenarios by hand: bars as lists of tuples, rows as columns."""

from __future__ import annotations

from fractions import Fraction as F
from typing import Any

from tests.naive.scenario import Bars, Costs, Scenario, Size

__all__ = ["BUY", "COVER", "NOTHING", "SELL", "SHORT", "bars", "column", "flat", "scenario"]

BUY, SELL, SHORT, COVER, NOTHING = (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 0, 0)


def bars(*columns: list[tuple[Any, ...] | None], **other: Any) -> Bars:
    """One list of (o, h, l, c) or (o, h, l, c, v) per asset; None is a bar without market."""
    count, n = len(columns[0]), len(columns)
    tables: list[list[list[F | None]]] = [[[None] * n for _ in range(count)] for _ in range(5)]
    for j, column in enumerate(columns):
        for t, row in enumerate(column):
            for k, value in enumerate(() if row is None else (*row, 1000)[:5]):
                tables[k][t][j] = F(value)
    given = {"session": list(range(count)), "multiplier": [1] * n, "lot": [0] * n, "tick": [0] * n, "min_notional": [0] * n, **other}
    return Bars(*tables, **given)


def flat(price: int, count: int) -> list[tuple[Any, ...] | None]:
    """The same price for so many bars."""
    return [(price, price, price, price)] * count


def scenario(table: Bars, inputs: str, rows: list[list[object]], **other: Any) -> Scenario:
    """A scenario with free costs, 10 units a trade and a capital of 1000, unless said otherwise."""
    given = {"costs": Costs(), "size": Size("units", 10), "capital": 1000, **other}
    return Scenario(bars=table, inputs=inputs, rows=rows, **given)


def column(*values: Any) -> list[list[object]]:
    """Rows for one asset."""
    return [[v] for v in values]
