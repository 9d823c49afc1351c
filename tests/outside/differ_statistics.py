"""Differences about statistics (M): each a small example that shows it."""

from __future__ import annotations

from typing import Any

import vecbt as vb
from tests.outside.difference import number, percent, row
from tests.outside.outside import Answer
from tests.rules.helpers import bars_of, quantities, run, signals

__all__ = ["STATISTICS"]

FLAT = bars_of([100, 100, 100])
UP = bars_of([100, 110, 110])
UP_AND_DOWN = bars_of([100, 110, 80])
TIED = bars_of([100, 90, 100, 96, 100, 96, 100, *[100] * 15])
WALK = bars_of([100, 101, 100.5, 102, 101, 103])


def _ours(bars: vb.Bars, given: Any, name: str, **keywords: Any) -> float:
    return float(run(bars, given, fill="close", **keywords).result.stats()[name])


def _theirs(answer: Answer, name: str) -> float:
    return float(answer[name][0])


STATISTICS = (
    row(
        "What a trade is", UP_AND_DOWN, quantities([2, 1, 0]), function="from_orders", size_type="targetamount",
        ours=lambda: percent(_ours(UP_AND_DOWN, quantities([2, 1, 0]), "win_rate")),
        theirs=lambda answer: percent(_theirs(answer, "closed_win_rate")),
    ),
    row(
        "A trade that is still open", UP, signals("L"), size=5.0,
        ours=lambda: percent(_ours(UP, signals("L"), "win_rate", sizing=vb.Units(5))),
        theirs=lambda answer: percent(_theirs(answer, "all_win_rate")),
    ),
    row(
        "A loss on the first bar", FLAT, signals("L"), size=5.0, fixed_fees=20.0,
        ours=lambda: percent(_ours(FLAT, signals("L"), "max_drawdown", sizing=vb.Units(5), costs=vb.Costs(per_order=20))),
        theirs=lambda answer: percent(abs(_theirs(answer, "max_drawdown"))),
    ),
    row(
        "Equal returns in the tail",
        TIED,
        signals("L"),
        ours=lambda: percent(_ours(TIED, signals("L"), "cvar", sizing=vb.Cash(1))),
        theirs=lambda answer: percent(abs(_theirs(answer, "cond_value_at_risk"))),
    ),
    row(
        "Bars a year", WALK, signals("L"),
        ours=lambda: number(_ours(WALK, signals("L"), "sharpe", sizing=vb.Cash(1))),
        theirs=lambda answer: number(_theirs(answer, "sharpe_ratio_by_default")),
    ),
    row(
        "A curve that does not move", FLAT, signals("."),
        ours=lambda: number(_ours(FLAT, signals("."), "sharpe")),
        theirs=lambda answer: number(_theirs(answer, "sharpe_ratio")),
    ),
    row(
        "No trade that lost", UP, signals("L l"), size=5.0,
        ours=lambda: number(_ours(UP, signals("L l"), "profit_factor", sizing=vb.Units(5))),
        theirs=lambda answer: number(_theirs(answer, "closed_profit_factor")),
    ),
)  # fmt: skip
"""In the order of the table."""
