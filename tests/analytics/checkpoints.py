"""What tests of checkpoints run, here and in processes of their own that are killed: small sweeps of a strategy of this file."""

from __future__ import annotations

import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import vecbt as vb
from tests.engine.sweeps_of_tests import arrays_of
from vecbt.analytics import sweep_checkpoint
from vecbt.analytics.sweep import Sweep
from vecbt.engine import sweep_chunks

COSTS = vb.Costs(commission_rate=0.001)
BARS = vb.synthetic.garch_jumps(T=20, N=2, seed=4)
SPACE = {"window": [2, 3, 5, 6, 7], "stops.hard": [vb.Pct(1.0), None, -1.0]}
"""Ten sets, of which two fail, and five with a stop that cannot be."""


@dataclass(frozen=True)
class Higher(vb.Strategy):
    """In above the last highs, out below the last lows."""

    window: int = vb.Parameter(3, low=2, integer=True)

    def rows(self, bars: vb.Bars) -> Any:
        """Window 5 has its faults."""
        if self.window == 5:
            raise RuntimeError("out of luck")
        return breaks(bars, self.window)


def breaks(bars: vb.Bars, window: int = 3) -> Any:
    """Closes above all of the last ones, and below."""
    close = bars.close
    up, down = np.zeros(close.shape, dtype=bool), np.zeros(close.shape, dtype=bool)
    for t in range(window, len(close)):
        before = close[t - window : t]
        up[t], down[t] = close[t] > before.max(axis=0), close[t] < before.min(axis=0)
    return vb.Signals(entries=up, exits=down)


def small(checkpoint: Path | None = None, **other: Any) -> Sweep:
    """Fifteen sets, each asset with its account, curves kept; `other` in place of what is usual."""
    given: dict[str, Any] = {"accounts": "separate", "keep": ("equity",), "costs": COSTS, "progress": False, "threads": 2}
    given |= {"bars": BARS, "strategy": Higher(), "space": SPACE, "checkpoint": checkpoint}
    return vb.sweep(**(given | other))


def assert_same(found: Sweep, wanted: Sweep) -> None:
    """All that a sweep leaves, bit for bit."""
    assert found.run is not None and wanted.run is not None
    assert arrays_of(found.run) == arrays_of(wanted.run)
    assert found.table.equals(wanted.table) and list(found.errors.items()) == list(wanted.errors.items()) and not found.partial
    for name in ("blocks", "fine", "equity"):
        mine, theirs = getattr(found.run, name), getattr(wanted.run, name)
        assert (mine is None) == (theirs is None) and (mine is None or mine.tobytes() == theirs.tobytes()), name
    ends, others = found.run.envelope, wanted.run.envelope
    assert (ends is None) == (others is None)
    if ends is not None and others is not None:
        assert ends.rule == others.rule
        for name in ("final", "returns", "trades", "fragility"):
            assert getattr(ends, name).tobytes() == getattr(others, name).tobytes(), name


def killed(folder: str, blocks: Any) -> None:
    """A process that says when there is something to go on from, and then takes its time until it is killed."""
    sweep_checkpoint._EVERY, sweep_chunks._MOST_SETS = 0.0, 1
    small(Path(folder), blocks=blocks, progress=_hesitant)


def _hesitant(done: int, total: int) -> None:
    if done >= 9:  # five of them failed at once
        print("go", flush=True)
        time.sleep(60.0)


def interrupted(folder: str) -> None:
    """A process with far too much to do, which says what it had when it was interrupted."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started it may have switched it off
    bars = vb.synthetic.garch_jumps(T=200, N=1, seed=4)
    space = {"fast": range(2, 102), "slow": range(110, 310)}
    found = vb.sweep(bars, vb.strategies.SmaCross(2, 9), space, costs=COSTS, checkpoint=folder, progress=_once, threads=2)
    assert found.run is not None
    print(found.partial, int(found.run.done.sum()), len(found), flush=True)


def _once(done: int, total: int) -> None:
    print("go", flush=True)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
