"""What a new process pays: the import, and the first backtest with and without kernels on disk."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile

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
REPEATS = 5


def _child(code: str, folder: str | None = None) -> list[float]:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    if folder is not None:
        environment["VECBT_CACHE_DIR"] = folder
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout.splitlines()[-1]))


def start_of_a_process() -> list[Row]:
    """Import, first run on a cold and on a warm cache of kernels; each in processes of their own."""
    _child(IMPORT)  # byte code
    loads = [_child(IMPORT) for _ in range(REPEATS)]
    heavy = loads[0][1]
    with tempfile.TemporaryDirectory() as folder:
        cold = _child(FIRST_RUN, folder)
        warm = [_child(FIRST_RUN, folder) for _ in range(REPEATS)]
    first = statistics.median(row[0] for row in warm)
    whole = statistics.median(row[1] for row in warm)
    seen = f"loads {', '.join(heavy)}" if heavy else "no compiler, plotting or network package loaded"  # type: ignore[arg-type]
    return [
        Row("import", "import vecbt", statistics.median(row[0] for row in loads), "s", seen, must=0.7, aim=0.3),
        Row("first run", "first backtest of a process, kernels on disk", first, "s", "3,270 daily bars, one asset", must=1.5, aim=0.7),
        Row("first run", "the same with import and loading of bars", whole, "s", "from the start of the script"),
        Row("first run", "first backtest ever, kernels compiled", cold[0], "s", "an empty cache folder", must=30.0, aim=10.0),
    ]
