"""Run in a process of its own, by `sweeps.many_sets`: time and memory of sweeps with very many sets."""

from __future__ import annotations

import json
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np

import vecbt as vb

from . import work
from .sweeps import bars_of_w2, sweep_of_w2

STATUS = Path("/proc/self/status")
AROUND = 5  # sweeps of W2 before the long one, and as many after


def peak_mb() -> float:
    """The most memory of this process that was resident so far; MB are 2**20 bytes."""
    if STATUS.exists():  # what getrusage says counts the parent's, too, on Linux
        line = next(line for line in STATUS.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _one(bars: vb.Bars, most: int, **more: Any) -> dict[str, float]:
    before, start = peak_mb(), time.perf_counter()
    found = sweep_of_w2(bars, vb.strategies.SmaCross(), most, 2, max_sets=2_000_000, metrics=None, **more)
    seconds, grown, sets = time.perf_counter() - start, peak_mb() - before, len(found)
    return {
        "sets": sets,
        "seconds": seconds,
        "each": seconds / sets * 1e6,
        "steps": sets * bars.T / seconds / 1e6,
        "grown": grown,
        "table": found.table.estimated_size() / 2**20,
    }


def measured(count: int, most: int, larger: int, rates: int, short: int) -> None:
    """Print the figures, all metrics measured, of windows up to `larger`; of windows up to `most` over `short` bars with so many
    commission rates; and of W2, some before those and some after, as a fifth of a second on a shared machine may be any.
    """
    bars = bars_of_w2(count)
    sweep_of_w2(bars, vb.strategies.SmaCross(), most, 2, metrics=None)
    wide = _one(bars, larger)
    plain = [_one(bars, most, blocks=False) for _ in range(AROUND)]
    space = {"costs.commission_rate": np.linspace(0.0, 2.0 * work.COMMISSION_RATE, rates)}
    long = _one(bars[:short], most, blocks=False, space=space)
    plain += [_one(bars, most, blocks=False) for _ in range(AROUND)]
    steps = sum(one["sets"] for one in plain) * count / sum(one["seconds"] for one in plain) / 1e6
    print(json.dumps([wide, long, plain[0] | {"steps": steps}]))
