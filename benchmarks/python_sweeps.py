"""A sweep of a strategy that is not compiled: what the sweep adds to the strategy's own array code."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

import vecbt as vb

from . import work
from .cases import KEYWORDS
from .table import Disagreement, Row, in_turn
from .user_filter import filtered_cross

CHECKED = 5
"""Sets that are compared with a backtest of their own before anything is timed."""


def array_code(count: int = 5_000, each: int = 10, calls: int = 3) -> list[Row]:
    """Seconds of the sweep by seconds of its strategies' rows alone; `each` values of three parameters."""
    bars = vb.Bars.from_numpy(**work.walk_of_w2(count), index=work.days(count), symbols=("X",), asset_class="crypto")
    space: dict[str, Any] = {
        "fast": np.arange(5, 5 + each),
        "slow": np.arange(30, 30 + 5 * each, 5),
        "overbought": np.linspace(55.0, 85.0, each),
    }
    sets_given = product(*(values.tolist() for values in space.values()))
    given: list[vb.Strategy] = [filtered_cross(**dict(zip(space, values, strict=True))) for values in sets_given]

    def sweep(threads: int) -> vb.Sweep:
        return vb.sweep(bars, filtered_cross(), space, threads=threads, progress=False, **KEYWORDS)

    def rows_alone() -> None:
        for strategy in given:
            strategy.rows(bars)

    found = sweep(2)
    _checked(found, bars, given)
    rows, sets = [], len(given)
    for threads in (1, 2):
        taken, reference = in_turn(lambda n=threads: sweep(n), rows_alone, calls)  # type: ignore[misc]
        what = f"pandas cross with an RSI filter, {sets:,} sets x {count:,} bars, threads: {threads}"
        said = f"its rows alone {reference / sets * 1e3:.2f} ms a set, the sweep {taken / sets * 1e3:.2f}"
        rows.append(Row("array code", what, taken / reference, "x rows", said, must=1.3))
    return rows


def _checked(found: vb.Sweep, bars: vb.Bars, given: list[vb.Strategy]) -> None:
    """Disagreement unless lines equal backtests of the strategies whose rows are timed."""
    table = found.table
    for c in np.linspace(0, len(given) - 1, CHECKED).astype(int):
        stats, line = vb.backtest(bars, given[c], **KEYWORDS).stats(), table.row(int(c), named=True)
        for name in ("total_return", "max_drawdown", "trades"):
            if stats[name] != line[name]:
                raise Disagreement(f"array code: {name} of set {c} is {line[name]!r}, of its backtest {stats[name]!r}")
