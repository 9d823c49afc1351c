"""W7: indicators on a panel of many assets, against hand-written loops and against TA-Lib called for each column.

TA-Lib knows one series at a time; a user with a matrix (T, N) takes columns out of it and puts results back, which is what it must be
compared with. What it does when its columns lie ready in memory is told beside it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import vecbt as vb

from .indicator_loops import atr_loop, bollinger_loop, ema_loop, rsi_loop, sma_loop
from .table import Disagreement, Row, in_turn
from .work import Array, days, panel_of_w4

COLD = """
import json, time
import numpy as np
from vecbt.indicators import catalog, stream
seconds = {}
for name, kernel in catalog().items():
    given = [domain.default if domain.has_default else 20 for domain in kernel.parameters]
    live = stream(name, *given, assets=2)
    start = time.perf_counter()
    live.update(*(np.ones(2) for _ in kernel.inputs))
    seconds[name] = time.perf_counter() - start
print(json.dumps(seconds))
"""
"""Compiles every indicator: a stream runs the same loop as the batch."""

SAME = 1e-9


@dataclass(frozen=True)
class Case:
    """One indicator with a bound: ours, the loop into room of its own, and TA-Lib on one column of each input."""

    name: str
    inputs: tuple[Array, ...]
    ours: Callable[[], Any]
    loop: Callable[[list[Array]], Any]
    talib: Callable[..., Any]
    outputs: int = 1
    beyond: int = 0
    """First bars that TA-Lib seeds in another way: its recursion forgets them; compared from here on."""

    def rooms(self) -> list[Array]:
        """Arrays for the outputs."""
        return [np.empty_like(self.inputs[0]) for _ in range(self.outputs)]

    def columns(self, into: list[Array]) -> list[Array]:
        """TA-Lib over the columns of (T, N) arrays, results in (T, N) arrays."""
        for n in range(self.inputs[0].shape[1]):
            found = self.talib(*(np.ascontiguousarray(part[:, n]) for part in self.inputs))
            for room, column in zip(into, found if self.outputs > 1 else (found,), strict=True):
                room[:, n] = column
        return into

    def contiguous(self, columns: list[list[Array]]) -> None:
        """TA-Lib on columns that lie ready, results left where it puts them."""
        for parts in columns:
            self.talib(*parts)

    def ready(self) -> list[list[Array]]:
        """The inputs of each column, each in one piece."""
        return [[np.ascontiguousarray(part[:, n]) for part in self.inputs] for n in range(self.inputs[0].shape[1])]


def panel(count: int, assets: int) -> tuple[vb.Bars, dict[str, Array]]:
    """Bars of random walks with a common factor, and their fields (T, N)."""
    close = panel_of_w4(count, assets)
    draw = np.random.default_rng(8)
    before = np.vstack([np.full((1, assets), 100.0), close[:-1]])
    open_ = before * np.exp(draw.normal(0.0, 0.002, close.shape))
    high = np.maximum(open_, close) * np.exp(np.abs(draw.normal(0.0, 0.005, close.shape)))
    low = np.minimum(open_, close) * np.exp(-np.abs(draw.normal(0.0, 0.005, close.shape)))
    volume = draw.integers(1_000, 100_000, close.shape).astype(np.float64)
    fields = {"open": open_, "high": high, "low": low, "close": close, "volume": volume}
    bars = vb.Bars.from_numpy(**fields, index=days(count), symbols=[f"A{n}" for n in range(assets)], asset_class="crypto")
    return bars, fields


def _cases(bars: vb.Bars, fields: dict[str, Array]) -> list[Case]:
    import talib

    close, known = fields["close"], vb.indicators
    prices = (fields["high"], fields["low"], close)
    cases = [
        Case("SMA 20", (close,), lambda: known.sma(close, 20), lambda o: sma_loop(close, 20, o[0]), lambda x: talib.SMA(x, 20)),
        Case("EMA 20", (close,), lambda: known.ema(close, 20), lambda o: ema_loop(close, 20, o[0]), lambda x: talib.EMA(x, 20)),
        Case("RSI 14", (close,), lambda: known.rsi(close, 14), lambda o: rsi_loop(close, 14, o[0]), lambda x: talib.RSI(x, 14)),
        # TA-Lib leaves out the range of the first bar, so its seed is another one: (13/14)**400 of the difference is left
        Case(
            "ATR 14", prices, lambda: known.atr(bars, 14), lambda o: atr_loop(*prices, 14, o[0]), lambda *x: talib.ATR(*x, 14), beyond=400
        ),
    ]
    if "bollinger" in known.catalog():
        bollinger = known.find("bollinger").function
        cases.append(
            Case(
                "Bollinger 20", (close,), lambda: bollinger(close, 20, 2.0)[:3], lambda o: bollinger_loop(close, 20, 2.0, *o),
                lambda x: talib.BBANDS(x, 20, 2.0, 2.0), outputs=3,
            )
        )  # fmt: skip
    return cases


def _compare(what: str, ours: Any, theirs: Any, beyond: int = 0) -> None:
    """Disagreement unless both have values in the same places, equal to 1e-9 of their size."""
    a, b = np.asarray(ours)[beyond:], np.asarray(theirs)[beyond:]
    if a.shape != b.shape or not np.array_equal(np.isnan(a), np.isnan(b)):
        raise Disagreement(f"{what}: values in other places")
    worst = float(np.nanmax(np.abs(a - b) / np.maximum(1.0, np.abs(b)), initial=0.0))
    if not worst <= SAME:
        raise Disagreement(f"{what}: differ by {worst:.3g}")


def _bounded(case: Case, what: str) -> list[Row]:
    room, theirs, ready = case.rooms(), case.rooms(), case.ready()
    case.loop(room)
    case.columns(theirs)
    ours = case.ours() if case.outputs > 1 else (case.ours(),)
    for mine, loop, talib in zip(ours, room, theirs, strict=True):
        _compare(f"W7 {case.name} and the loop", mine, loop)
        _compare(f"W7 {case.name} and TA-Lib", mine, talib, case.beyond)
    del ours
    taken, reference = in_turn(case.ours, lambda: case.loop(room))
    again, columns = in_turn(case.ours, lambda: case.columns(theirs))
    third, contiguous = in_turn(case.ours, lambda: case.contiguous(ready))
    said = f"{taken * 1e3:.1f} ms; hand-written loop {reference * 1e3:.1f} ms"
    told = f"TA-Lib column by column {columns * 1e3:.1f} ms"
    ideal = f"TA-Lib on columns that lie ready {contiguous * 1e3:.1f} ms"
    return [
        Row("W7", f"{case.name}, {what}", taken / reference, "x loop", said, must=2.0),
        Row("W7", f"{case.name}, the same", again / columns, "x TA-Lib", told, must=1.0),
        Row("W7", f"{case.name}, the same", third / contiguous, "x TA-Lib", ideal, aim=1.0),
    ]


def _timed(call: Callable[[], Any], calls: int = 3) -> float:
    call()
    seconds = []
    for _ in range(calls):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _others(bars: vb.Bars, fields: dict[str, Array], bounded: set[str], what: str) -> Row:
    series = {"values": fields["close"], "other": fields["open"]}
    found = {}
    for name, kernel in vb.indicators.catalog().items():
        if name in bounded:
            continue
        given = [domain.default if domain.has_default else 20 for domain in kernel.parameters]
        inputs = (bars,) if kernel.takes_bars else tuple(series[each] for each in kernel.inputs)
        found[name] = _timed(lambda call=kernel.function, inputs=inputs, given=given: call(*inputs, *given)) * 1e3
    listed = ", ".join(f"{name} {taken:.0f}" for name, taken in found.items())
    return Row("W7", f"{len(found)} other indicators, ms each on {what}, the mean", statistics.mean(found.values()), "ms", listed)


def cold_compile() -> Row:
    """Seconds to compile all indicators into an empty cache, one after the other, in a process of its own."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "NUMBA_DISABLE_JIT", "VECBT_ENGINE")}
    with tempfile.TemporaryDirectory() as folder:
        environment["VECBT_CACHE_DIR"] = folder
        done = subprocess.run([sys.executable, "-c", COLD], env=environment, capture_output=True, text=True, check=True)
    seconds: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    slowest = ", ".join(f"{name} {seconds[name]:.1f}" for name in sorted(seconds, key=seconds.__getitem__, reverse=True)[:3])
    return Row("W7", f"all {len(seconds)} indicators compiled, an empty cache folder", sum(seconds.values()), "s", slowest, must=180.0)


def indicators_on_a_panel(count: int = 5_000, assets: int = 1_000, cold: bool = True) -> list[Row]:
    """W7: rows with bounds, one for all other indicators, and one for the time it takes to compile them (`cold`)."""
    bars, fields = panel(count, assets)
    what = f"{count:,} bars, {assets:,} assets"
    cases = _cases(bars, fields)
    rows = [row for case in cases for row in _bounded(case, what)]
    rows.append(_others(bars, fields, {case.name.split()[0].lower() for case in cases}, what))
    return [*rows, cold_compile()] if cold else rows
