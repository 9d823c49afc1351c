"""Statistics of luck over very many sets, from sums over blocks: time and memory, after a check against loops over the full matrix."""

from __future__ import annotations

import itertools
import json
import math
import time
from typing import Any

import numpy as np

from vecbt import evidence

from .cases import agree
from .starts import child
from .sweep_memory import peak_mb
from .table import Row
from .work import Array

BARS = 5_000
RESAMPLES = 1_000


def overfitted(returns: Array, count: int) -> tuple[float, list[float]]:
    """PBO and all logits, split by split from the rows of the full matrix."""
    edges, logits = np.arange(count + 1) * len(returns) // count, []
    for inside in itertools.combinations(range(count), count // 2):
        taken = np.zeros(len(returns), dtype=bool)
        for b in inside:
            taken[edges[b] : edges[b + 1]] = True
        first, second = (returns[rows].mean(axis=0) / returns[rows].std(axis=0, ddof=1) for rows in (taken, ~taken))
        rank = int((second <= second[first.argmax()]).sum())
        logits.append(math.log(rank / (returns.shape[1] + 1 - rank)))
    return float(np.mean(np.array(logits) <= 0)), sorted(logits)


def superior(returns: Array, count: int, resamples: int) -> float:
    """Upper p-value of SPA, not studentised: the rows of the full matrix drawn in whole blocks."""
    from arch.bootstrap import StationaryBootstrap

    edges, mean = np.arange(count + 1) * len(returns) // count, returns.mean(axis=0)
    length, above = max(1, round(len(returns) ** 0.5 * count / len(returns))), 0
    for drawn, _ in StationaryBootstrap(length, np.arange(count), seed=0).bootstrap(resamples):
        rows = np.concatenate([np.arange(edges[b], edges[b + 1]) for b in drawn[0]])
        above += bool((returns[rows].mean(axis=0) - mean).max() > mean.max())
    return above / resamples


def checked(bars: int = 203, columns: int = 30) -> None:
    """Disagreement unless both say what the loops do."""
    returns = 0.01 * np.random.default_rng(3).standard_normal((bars, columns))
    found = evidence.pbo(returns, blocks=8)
    probability, logits = overfitted(returns, 8)
    agree("PBO", [found.probability, *np.sort(found.logits)], [probability, *logits])
    fine = evidence.block_sums(returns, 64, 2)
    of = evidence.reality_check_of_blocks(fine, bars, resamples=100)
    agree("reality check", [of.probability], [superior(returns, 64, 100)])


def _sums(sets: int, blocks: int, powers: int) -> Array:
    """Sums of normal returns of a hundredth, as good as those of a sweep for the work they make; drawn in place."""
    out = np.empty((sets, blocks, powers))
    np.random.default_rng(4).standard_normal(out=out)
    out *= 0.01 * math.sqrt(BARS / blocks)
    out[:, :, 1] *= 1e-3
    out[:, :, 1] += 1e-4 * BARS / blocks
    return out


def measured(sets: int) -> None:
    """Print the figures as JSON: seconds on one and two threads, and what memory grows by."""
    figures: dict[str, Any] = {}
    few, blocks = _sums(200, 16, 4), _sums(sets, 16, 4)
    evidence.pbo_of_blocks(few, BARS, threads=2)
    before = peak_mb()
    for threads in (1, 2):
        start = time.perf_counter()
        found = evidence.pbo_of_blocks(blocks, BARS, threads=threads)
        figures[f"pbo {threads}"] = time.perf_counter() - start
    figures["pbo grown"], figures["splits"] = peak_mb() - before, found.splits
    del blocks
    fine = _sums(sets, 64, 2)
    evidence.spa_of_blocks(fine[:200], BARS, resamples=RESAMPLES)
    before = peak_mb()
    for name, test in (("spa", evidence.spa_of_blocks), ("step_m", evidence.step_m_of_blocks)):
        start = time.perf_counter()
        test(fine, BARS, resamples=RESAMPLES)
        figures[name] = time.perf_counter() - start
    start = time.perf_counter()
    evidence.effective_trials_of_blocks(fine, BARS, draws=RESAMPLES)
    figures["effective"] = time.perf_counter() - start
    figures["spa grown"] = peak_mb() - before
    print(json.dumps(figures))


def luck(sets: int = 100_000) -> list[Row]:
    """PBO of 16 blocks; SPA, StepM and the effective number of trials of 64 blocks, 1,000 resamples."""
    checked()
    of: Any = child(f"from benchmarks.evidence import measured\nmeasured({sets})")
    what, cells = f"PBO, {sets:,} sets x 16 blocks x {of['splits']:,} splits", sets * of["splits"]
    one, two = (f"{of[f'pbo {threads}'] / cells * 1e9:.2f} ns a set and split" for threads in (1, 2))
    drawn = f"{sets:,} sets x 64 blocks x {RESAMPLES:,} resamples"
    return [
        Row("evidence", f"{what}, threads: 1", of["pbo 1"], "s", one),
        Row("evidence", f"{what}, threads: 2", of["pbo 2"], "s", two, must=20.0, aim=5.0),
        Row("evidence", "PBO: memory grows beyond the sums", of["pbo grown"], "MB", "", must=100.0),
        Row("evidence", f"SPA, {drawn}", of["spa"], "s", "studentised, against nothing", must=20.0, aim=5.0),
        Row("evidence", f"StepM, {drawn}", of["step_m"], "s", "one round"),
        Row("evidence", f"effective trials, {drawn}", of["effective"], "s", ""),
        Row("evidence", "SPA, StepM, trials: memory grows beyond the sums", of["spa grown"], "MB", "", must=100.0),
    ]
