"""Child processes that run every entry point and say what they found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

COUNT = """
hits = misses = 0
missed = []
for name, module in list(sys.modules.items()):
    if name.startswith("vecbt"):
        for value in vars(module).values():
            if hasattr(value, "stats") and hasattr(value, "py_func"):
                hits += sum(value.stats.cache_hits.values())
                misses += sum(value.stats.cache_misses.values())
                missed += [value.py_func.__qualname__] if value.stats.cache_misses else []
"""

ONE_SPREAD = (
    """
import json, sys

import numpy as np

import vecbt as vb
from vecbt.core.jit import cache_folder

bars = np.array([[[price]] * 6 for price in (1.0, 2.0, 1.0, 1.0, 0.0)])
spread = vb.indicators.parkinson(bars, 3)[:, 0].tolist()
"""
    + COUNT
    + """
print(json.dumps(dict(hits=hits, misses=misses, spread=spread, folder=str(cache_folder()))))
"""
)

EVERY_ENTRY_POINT = (
    """
import hashlib, json, sys

import numpy as np

import vecbt as vb

bars = vb.synthetic.gbm(40, 2, seed=3, grid=1 / 64)
draw = np.random.default_rng(5)
signals = vb.Signals(entries=draw.random(bars.shape) < 0.3, exits=draw.random(bars.shape) < 0.2)
keywords = dict(costs=vb.Costs(commission_rate=0.001, slippage_bps=5.0), stops=vb.Stops(hard=vb.Pct(3)))
digest = hashlib.sha256()

result = vb.backtest(bars, signals, **keywords)
digest.update(result.run.equity.tobytes() + np.asarray(result.run.fills).tobytes())
digest.update(repr([(k, v) for k, v in result.stats().items() if isinstance(v, (int, float))]).encode())

stream = vb.Stream(vb.Signals, market=bars.market, **keywords)
for t in range(len(bars)):
    row = dict(entries=signals.entries[t], exits=signals.exits[t])
    decision = stream.update(bars.row(t), vb.Signals(**row))
digest.update(stream.save())

assert vb.check_parity(bars, signals, **keywords).ok
assert vb.backtest(bars, vb.strategies.SmaCross(3, 8), **keywords).check_parity().ok

from vecbt.core.jit import ENGINE, cache_folder
"""
    + COUNT
    + """
print(json.dumps(dict(
    engine=ENGINE, digest=digest.hexdigest(), hits=hits, misses=misses, missed=sorted(set(missed)),
    package=vb.__file__, folder=str(cache_folder()),
)))
"""
)


def run(environment: dict[str, str], code: str = EVERY_ENTRY_POINT, cwd: Path | None = None) -> tuple[dict[str, Any], str]:
    """What the child printed as JSON, and its stderr."""
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", code], env=environment, cwd=cwd, capture_output=True, text=True, timeout=800, check=False
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.strip().splitlines()[-1])), done.stderr
