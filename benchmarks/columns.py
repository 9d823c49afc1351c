"""W6: six metrics of many columns of returns in one call, against one hand-written pass over each column."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

import vecbt as vb

from .cases import agree
from .metric_loops import six_metrics_loop
from .table import CALLS, Row, in_turn
from .work import Array, returns_of_w6

SIX = ("sharpe", "sortino", "calmar", "max_drawdown", "var", "cvar")
PERIODS = 252.0


def by_hand(returns: Array, threads: int) -> Array:
    """The six figures (6, C), columns shared out among threads."""
    columns = returns.shape[1]
    out = np.empty((len(SIX), columns))
    edges = np.linspace(0, columns, threads + 1).astype(int)
    if threads == 1:
        six_metrics_loop(returns, 0, columns, PERIODS, out)
        return out
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda k: six_metrics_loop(returns, edges[k], edges[k + 1], PERIODS, out), range(threads)))
    return out


def six_metrics(count: int = 5_000, columns: int = 1_000, calls: int = CALLS) -> list[Row]:
    """W6, on one thread and on two; and all metrics there are."""
    returns = returns_of_w6(count, columns)

    def ours(threads: int, names: Any = SIX) -> Any:
        return vb.metrics.measure(returns, names, periods_per_year=PERIODS, threads=threads)

    found, reference = ours(1), by_hand(returns, 1)
    for name, theirs in zip(SIX, reference, strict=True):
        agree(f"W6 {name}", found[name], theirs)
        agree(f"W6 {name}, two threads", ours(2)[name], found[name])
    rows = []
    for threads in (1, 2):
        taken, loop = in_turn(lambda n=threads: ours(n), lambda n=threads: by_hand(returns, n), calls)  # type: ignore[misc]
        what, said = f"{columns:,} columns x {count:,} rows, threads: {threads}: ", f"hand-written loop {loop * 1e3:.1f} ms"
        rows.append(Row("W6", what + "six metrics", taken / loop, "x loop", said, must=1.5, aim=1.0))
        rows.append(Row("W6", what + "the same, absolute", taken * 1e3, "ms", said))
    every, _ = in_turn(lambda: ours(2, vb.metrics.MEASURES), lambda: None, calls)
    rows.append(Row("W6", f"the same columns, threads: 2: all {len(vb.metrics.MEASURES)} metrics", every * 1e3, "ms", ""))
    return rows
