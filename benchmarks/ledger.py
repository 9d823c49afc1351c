"""What the trial ledger costs: a run, a sweep, data that were not met before."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np

import vecbt as vb
from vecbt.ledger.blocks import block_keys
from vecbt.ledger.recording import record_run, record_sweep
from vecbt.ledger.store import current

from . import work
from .cases import KEYWORDS, STRATEGY, make_bars
from .table import Disagreement, Row

CALLS = 15
MUST_RUN, MUST_SWEEP, PART_OF_SWEEP = 2.0, 20.0, 0.05


def _milliseconds(function: Callable[[], object], calls: int) -> float:
    function()
    seconds = []
    for _ in range(calls):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds) * 1e3


def recording(bars_count: int = 5_000, sets: int = 99, panel: tuple[int, int] = (2_520, 500), calls: int = CALLS) -> list[Row]:
    """Runs that were never recorded, the sweep of W2 with other costs each time, and ten years of 500 assets."""
    bars = make_bars(work.walk_of_w1(bars_count))
    with vb.ledger.off():
        runs = [vb.backtest(bars, vb.strategies.SmaCross(2 + k, 3 + k + calls), **KEYWORDS).run for k in range(calls + 1)]
    left = iter(runs)
    single = _milliseconds(lambda: record_run(next(left)), calls)

    space = {"fast": range(5, 5 + sets), "slow": range(6 + sets, 56 + sets)}
    rates = count(1)

    def sweep() -> Any:
        costs = vb.Costs(commission_rate=next(rates) * 1e-6)
        return vb.sweep(bars, STRATEGY, space, progress=False, **{**KEYWORDS, "costs": costs})

    with vb.ledger.off():
        alone = _milliseconds(sweep, max(calls // 3, 1))
        swept = [sweep().run for _ in range(max(calls // 3, 1) + 1)]
    fresh = iter(swept)
    many = _milliseconds(lambda: record_sweep(next(fresh), STRATEGY), len(swept) - 1)

    tried = vb.ledger.trials(bars)
    total = len(runs) + len(swept) * sets * 50
    if tried.count != total or not vb.ledger.verify().ok:
        raise Disagreement(f"the ledger counts {tried.count:,} of {total:,} trials, or is not whole")
    counting = _milliseconds(lambda: vb.ledger.trials(bars), calls)
    with current().reading() as execute:
        (size,) = execute("SELECT max(length(body)) FROM records").fetchone()
    return [
        Row("ledger", f"one run over {bars_count:,} bars, recorded", single, "ms", "", must=MUST_RUN),
        Row("ledger", f"a sweep of {sets * 50:,} sets x {bars_count:,} bars, recorded", many, "ms", f"the sweep itself {alone:.0f} ms",
            must=max(MUST_SWEEP, PART_OF_SWEEP * alone)),
        Row("ledger", "that record on disk", size / 1024, "KiB", f"{size / (sets * 50):.0f} bytes a set"),
        Row("ledger", f"{total:,} trials counted", counting, "ms", ""),
        *_data(*panel),
    ]  # fmt: skip


def _data(length: int, assets: int) -> list[Row]:
    """Bars that were never met: once for each such data set."""
    draw = np.random.default_rng(5)
    close = 100.0 * np.exp(np.cumsum(draw.normal(0.0, 0.01, (length, assets)), axis=0))
    high, low = close * (1.0 + draw.random(close.shape) * 0.01), close * (1.0 - draw.random(close.shape) * 0.01)
    names = [f"A{n}" for n in range(assets)]
    bars = vb.Bars.from_numpy(close, high, low, close, index=work.days(length), symbols=names, asset_class="crypto")
    parts = _milliseconds(lambda: block_keys(bars), 3)
    start = time.perf_counter()
    found = bars.content_hash
    whole = (time.perf_counter() - start) * 1e3
    what = f"{assets} assets x {length:,} daily bars"
    return [
        Row("ledger", f"{what}: hash by month and asset, once for new data", parts, "ms", f"{len(block_keys(bars)):,} hashes"),
        Row("ledger", f"{what}: hash of all, once for each object", whole, "ms", found[:8]),
    ]
