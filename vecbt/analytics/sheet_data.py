"""What a tear sheet needs beside the public tables: the steps from the result before costs to the profit, and the rolling window."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

__all__ = ["Cost", "cost_rows", "rolling_every", "rolling_window"]

_FEWEST = 20  # bars of a rolling window
_STEPS = 100_000_000  # of all rolling windows together: about half a second


class Cost(NamedTuple):
    """One step from what was earned before costs to the profit: `money` is what it adds."""

    name: str
    money: float


def rolling_window(bars: int, periods: float) -> int:
    """Bars of a rolling window: half a year, or a third of the run where that is less; 0 where that would be fewer than 20."""
    window = int(min(round(periods / 2.0), bars // 3))
    return window if window >= _FEWEST else _FEWEST if periods / 2.0 < _FEWEST <= bars // 3 else 0


def rolling_every(bars: int, window: int) -> int:
    """Every how many bars rolling figures are taken: each one, but for long windows over very many bars."""
    return max(1, -(-window * max(bars - window + 1, 0) // _STEPS))


def cost_rows(found: dict[str, Any]) -> list[Cost]:
    """From the result before costs to the profit, money of all accounts; what is zero is left out, but for commission and slippage.

    Parameters
    ----------
    found : dict
        Statistics by name, as `analytics.statistics.compute` gives them.
    """
    names = ("profit", "commission", "slippage", "borrow", "interest", "funding", "dividends")
    total = {name: float(np.sum(found[name])) for name in names}
    steps = [Cost(name, 0.0 - total[name]) for name in ("commission", "slippage")]
    steps += [Cost(name, 0.0 - total[name]) for name in ("borrow", "interest", "funding") if total[name] != 0.0]
    steps += [Cost("dividends", total["dividends"])] if total["dividends"] != 0.0 else []
    before = total["profit"] - sum(step.money for step in steps)
    return [Cost("before costs", before), *steps, Cost("profit", total["profit"])]
