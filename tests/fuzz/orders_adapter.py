"""Rows of orders of the reference engine as `vb.Orders`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.naive.resting_rows import Ask
from tests.naive.resting_rows import Cancel as PlainCancel
from tests.naive.scenario import Scenario
from vecbt import Cancel, Order, Orders

__all__ = ["orders"]


def orders(scenario: Scenario, label: Callable[[int], int]) -> Orders:
    """All rows; `label` says the time of a bar in nanoseconds, beyond the last one too (GTD)."""
    rows = {np.datetime64(label(t), "ns"): [_item(what, label) for what in row] for t, row in enumerate(scenario.rows) if row}
    return Orders(rows)


def _item(what: object, label: Callable[[int], int]) -> Any:
    if isinstance(what, PlainCancel):
        return Cancel(symbol=f"A{what.asset}", tag=what.tag)
    assert isinstance(what, Ask)
    own = what.bracket
    prices = {"limit": what.limit, "stop": what.stop, "trail": what.trail, "trail_by": what.trail_by}
    if own is not None:
        prices |= {"stop_loss": own.stop, "take_profit": own.target, "trailing_stop": None if own.trail is None else own.trail.value}
    return Order(
        symbol=f"A{what.asset}",
        quantity=float(what.quantity),
        type=what.kind,
        **{name: None if value is None else float(value) for name, value in prices.items()},
        tif=what.tif,
        until=None if what.until is None else np.datetime64(label(what.until), "ns"),
        reduce_only=what.reduce_only,
        priority=float(what.priority),
        tag=what.tag,
    )
