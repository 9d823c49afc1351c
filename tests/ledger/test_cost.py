"""What recording may cost: ten times what `benchmarks/ledger.py` asks for, at the best of some calls, so that a busy machine passes."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import vecbt as vb
from tests.ledger.ledgers import COSTS, days, run, six
from vecbt.ledger.recording import record_run, record_sweep

RUN_SECONDS, SWEEP_SECONDS = 0.002, 0.020


def _best(calls: list[Any]) -> float:
    seconds = []
    for call in calls:
        start = time.perf_counter()
        assert call().recorded
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def test_a_run_costs_milliseconds() -> None:
    with vb.ledger.off():
        runs = [run(days(), fast, 60).run for fast in range(2, 12)]
    assert _best([lambda one=one: record_run(one) for one in runs]) < 10 * RUN_SECONDS
    assert vb.ledger.trials(days()).count == 10


def test_thousands_of_sets_cost_some_milliseconds() -> None:
    space = {"fast": range(2, 52), "slow": range(60, 159)}
    with vb.ledger.off():
        runs = [six(days("AAPL"), space=space, costs=vb.Costs(commission_rate=rate)).run for rate in (0.001, 0.002, 0.003)]
    assert _best([lambda one=one: record_sweep(one, one.strategy) for one in runs]) < 10 * SWEEP_SECONDS
    tried = vb.ledger.trials(days("AAPL"))
    assert tried.count == 3 * 4950 and tried.exact and tried.blocks_sample().shape == (1024, 16, 4)


def test_threads_share_a_ledger() -> None:
    bars = days()
    run(bars)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda fast: vb.backtest(bars, vb.strategies.SmaCross(fast, 60), costs=COSTS), range(2, 34)))
    assert all(result.trials.recorded for result in found) and found[0].trials.count == 33 and vb.ledger.verify().ok
