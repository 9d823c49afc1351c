"""What a new process pays: the import, and the first backtest with and without kernels on disk."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from vecbt.core.jit import cache_folder

from .table import Row

IMPORT = """
import sys, time
start = time.perf_counter()
import vecbt
taken = time.perf_counter() - start
heavy = {"numba", "matplotlib", "requests", "urllib3", "websockets", "httpx", "aiohttp"} & set(sys.modules)
import json
print(json.dumps([taken, sorted(heavy)]))
"""

FIRST_RUN = """
import sys, time
began = time.perf_counter()
import numpy as np
import vecbt as vb
bars = vb.samples.load("us_daily", symbols=["AAPL"])
strategy = vb.strategies.SmaCross(fast=10, slow=50)
ready = time.perf_counter()
result = vb.backtest(bars, strategy, costs=vb.Costs(commission_rate=0.001))
done = time.perf_counter()
import json
print(json.dumps([done - ready, done - began]))
"""

FIRST_CHUNK = """
import sys, time
began = time.perf_counter()
sys.path.append(FOLDER)
import vecbt as vb
from benchmarks import work
from never_seen import UserCross
bars = vb.Bars.from_numpy(**work.walk_of_w2(), index=work.days(5_000), symbols=("X",), asset_class="crypto")
costs, done = vb.Costs(commission_rate=0.001, slippage_bps=5.0), []
space = {"fast": range(2, 101), "slow": range(3, 102)}
ready = time.perf_counter()
vb.sweep(bars, UserCross(), space, costs=costs, sizing=vb.Cash(1.0), fill="close", direction="long",
         progress=lambda count, total: done.append(time.perf_counter()))
import json
print(json.dumps([done[0] - ready, done[0] - began]))
"""
ANCHOR = "if before.quick <= before.calm"
"""In the rule of `user_cross`: a number put there makes another rule of it, which nobody has compiled."""

REPEATS = 5
ROOT = Path(__file__).resolve().parents[1]


def child(code: str, folder: str | None = None) -> Any:
    """What a process of its own prints as its last line, JSON."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    if folder is not None:
        environment["VECBT_CACHE_DIR"] = folder
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def start_of_a_process() -> list[Row]:
    """Import, first run on a cold and on a warm cache of kernels; each in processes of their own."""
    child(IMPORT)  # byte code
    loads = [child(IMPORT) for _ in range(REPEATS)]
    heavy = loads[0][1]
    with tempfile.TemporaryDirectory() as folder:
        cold = child(FIRST_RUN, folder)
        warm = [child(FIRST_RUN, folder) for _ in range(REPEATS)]
    first = statistics.median(row[0] for row in warm)
    whole = statistics.median(row[1] for row in warm)
    seen = f"loads {', '.join(heavy)}" if heavy else "no compiler, plotting or network package loaded"
    return [
        Row("import", "import vecbt", statistics.median(row[0] for row in loads), "s", seen, must=0.7, aim=0.3),
        Row("first run", "first backtest of a process, kernels on disk", first, "s", "3,270 daily bars, one asset", must=1.5, aim=0.7),
        Row("first run", "the same with import and loading of bars", whole, "s", "from the start of the script"),
        Row("first run", "first backtest ever, kernels compiled", cold[0], "s", "an empty cache folder", must=30.0, aim=10.0),
    ]


def first_chunks() -> list[Row]:
    """Of a sweep: with a rule that was never compiled, the engine's own kernels on disk; then in a new process, with all on disk."""
    cache = cache_folder()
    kept = set() if cache is None else set(cache.glob("user-*"))
    with tempfile.TemporaryDirectory() as folder:
        code = FIRST_CHUNK.replace("FOLDER", repr(folder))
        _write_rule(folder)
        child(code)  # what the engine itself lacks is compiled now
        first = []
        for _ in range(3):
            _write_rule(folder)
            first.append(child(code))
        again = [child(code) for _ in range(REPEATS)]
    if cache is not None:
        for rule in set(cache.glob("user-*")) - kept:
            shutil.rmtree(rule, ignore_errors=True)
    rows = []
    for what, found, must in (("rule never seen before", first, 10.0), ("the same in a new process", again, 1.5)):
        call, whole = (statistics.median(column) for column in zip(*found, strict=True))
        said = f"from the start of the script; of which sweep() {call:.2f} s; 4,950 sets x 5,000 bars to come"
        rows.append(Row("first chunk", f"{what}, engine on disk: first chunk of a sweep done", whole, "s", said, must=must))
    return rows


def _write_rule(folder: str) -> None:
    """The rule of `user_cross` as one that no cache can hold."""
    source = (ROOT / "benchmarks" / "user_cross.py").read_text(encoding="utf-8")
    other = source.replace(ANCHOR, f"if now.close > -{time.time_ns()}.0 and {ANCHOR[3:]}", 1)
    assert other != source
    Path(folder, "never_seen.py").write_text(other, encoding="utf-8")
