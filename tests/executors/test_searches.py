"""OPT-01, OPT-02: searches and walk-forwards run on an executor, and find the same to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import vecbt as vb

DAYS = vb.synthetic.gbm(400, seed=5, volatility=0.3)
RANGES = {"fast": (2, 20), "slow": (21, 60)}
KEYWORDS: dict[str, Any] = {
    "method": vb.Genetic(population=8, generations=3), "seed": 2, "costs": vb.Costs(commission_rate=0.001), "progress": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def workers() -> Iterator[vb.executors.Processes]:
    with vb.executors.Processes(1) as found:
        yield found


def test_opt01_a_search_is_the_same_on_an_executor_and_runs_there(workers: vb.executors.Processes) -> None:
    here = vb.search(DAYS, vb.strategies.SmaCross(5, 30), RANGES, **KEYWORDS)
    there = vb.search(DAYS, vb.strategies.SmaCross(5, 30), RANGES, executor=workers, **KEYWORDS)
    assert len(workers.pids) == 1
    assert len(here) > 10 and there.table.equals(here.table)


def test_opt02_a_walk_forward_is_the_same_on_an_executor(workers: vb.executors.Processes) -> None:
    here, there = (
        vb.walk_forward(DAYS, vb.strategies.SmaCross(5, 30), RANGES, train=150, test=80, purge=0, executor=executor, **KEYWORDS)
        for executor in (None, workers)
    )
    assert there.folds.equals(here.folds) and there.result.run.equity.tobytes() == here.result.run.equity.tobytes()
    assert here.result.run.trades.size > 0
