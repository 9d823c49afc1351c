"""A thousand runs without a pattern, of ten years of days: shuffled bars, and the same holdings at random times."""

from __future__ import annotations

import time
from typing import Any, get_args

import numpy as np

import vecbt as vb
from vecbt.analytics.luck.permutation import Kind

from . import work
from .table import Disagreement, Row


def permuted(runs: int = 1_000, bars: int = 2_520) -> list[Row]:
    """Seconds for so many runs of a compiled strategy; the first of them is compared with a backtest of the same bars or signals."""
    walk = work.walk(bars, 0.02, 5e-4, seed=7)
    data = vb.Bars.from_numpy(**walk, index=work.days(bars), symbols=("X",), asset_class="crypto")
    result = vb.backtest(data, vb.strategies.SmaCross(work.FAST, work.SLOW), costs=vb.Costs(commission_rate=work.COMMISSION_RATE))
    rows = []
    for kind in get_args(Kind):
        found: Any = result.permutation_test("total_return", kind=kind, n=2, progress=False)
        if not np.isclose(found.observed, result.stats()["total_return"], rtol=1e-9):
            raise Disagreement(f"{kind}: the run in its own order returns {found.observed}, its backtest {result.stats()['total_return']}")
        start = time.perf_counter()
        result.permutation_test(kind=kind, n=runs, progress=False)
        taken = time.perf_counter() - start
        what = f"{runs:,} permutations of {kind}, {bars:,} bars, a compiled strategy"
        rows.append(Row("permuted", what, taken, "s", f"{taken / runs * 1e3:.1f} ms a run", must=10.0))
    return rows
