"""A sweep over rules of the account: zones, heat, size and daily loss, of five assets that share their cash."""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np

import vecbt as vb

from . import work
from .table import Disagreement, Row

ASSETS = 5
ENOUGH = 20.0
"""Seconds after which nothing is repeated."""
CHECKED = 12
"""Sets that are compared with a backtest of their own before anything is timed."""


def _bars(count: int) -> vb.Bars:
    """Hours of walks with a drift that changes its sign, so that accounts rise, fall and recover."""
    drift = np.where((np.arange(count) // 250) % 2 == 0, 6e-4, -4e-4)
    walks = [work.walk(count, 0.006, drift, seed=40 + n) for n in range(ASSETS)]
    fields = {name: np.column_stack([walk[name] for walk in walks]) for name in walks[0]}
    symbols = [f"A{n}" for n in range(ASSETS)]
    return vb.Bars.from_numpy(**fields, index=work.minutes(60 * count)[::60], symbols=symbols, asset_class="crypto")


def _space(each: tuple[int, int, int, int]) -> dict[str, Any]:
    """So many values of each rule."""
    zones, heat, kelly, daily = each
    return {
        "risk.zones.boundaries": [(b, 2 * b, 3 * b) for b in np.linspace(0.03, 0.12, zones).tolist()],
        "risk.max_heat": np.linspace(0.01, 0.10, heat),
        "sizing.kelly_fraction": np.linspace(0.05, 0.5, kelly),
        "risk.daily_loss": np.linspace(0.01, 0.04, daily),
    }


def risk_rules(count: int = 5_000, each: tuple[int, int, int, int] = (10, 10, 10, 4), calls: int = 3) -> list[Row]:
    """Nanoseconds that a thread takes for a bar of an asset, with every rule in force."""
    bars, space = _bars(count), _space(each)
    strategy = vb.strategies.SmaCross(work.FAST, work.SLOW, direction="both")
    keywords: dict[str, Any] = {
        "costs": vb.Costs(commission_rate=work.COMMISSION_RATE / 4, slippage_bps=1.0),
        "initial_capital": work.CASH,
        "sizing": vb.KellyCriterion(win_rate=0.4, avg_win=2.0, avg_loss=1.0, max_position_fraction=0.5),
        "stops": vb.Stops(hard=vb.Atr(3)),
        "risk": vb.Risk(zones=vb.Zones(cooldown_bars=240), daily_loss=0.02, max_heat=0.05),
    }

    def sweep(threads: int) -> vb.Sweep:
        return vb.sweep(bars, strategy, space, threads=threads, progress=False, **keywords)

    found = sweep(2)
    _checked(found)
    sets, rows = len(found), []
    trades = found.table["trades"].mean()
    cells = sets * count * ASSETS
    for threads in (1, 2):
        seconds: list[float] = []
        while len(seconds) < calls and sum(seconds) < ENOUGH:
            start = time.perf_counter()
            sweep(threads)
            seconds.append(time.perf_counter() - start)
        taken = statistics.median(seconds)
        what = f"zones x heat x Kelly x daily loss, {sets:,} sets x {count:,} bars x {ASSETS} assets, threads: {threads}"
        said = f"{taken:.2f} s, {cells / taken / threads / 1e6:.1f} M bar-asset-steps/s a thread, {trades:.0f} trades a set"
        rows.append(Row("risk sweep", what, taken * threads / cells * 1e9, "ns/bar-asset", said, must=50.0, aim=1000.0 / 60.0))
    return rows


def _checked(found: vb.Sweep) -> None:
    """Disagreement unless lines equal runs of their own to the last bit, and the rules made a difference."""
    table = found.table
    if found.errors or len(np.unique(table["final_equity"].to_numpy())) < len(found) // 4:
        raise Disagreement(f"risk sweep: the sets do not differ, or went wrong: {list(found.errors.values())[:1]}")
    for c in np.linspace(0, len(found) - 1, min(CHECKED, len(found))).astype(int):
        stats, line = found.backtest(int(c)).stats(), table.row(int(c), named=True)
        for name in ("total_return", "sharpe", "max_drawdown", "trades"):
            if stats[name] != line[name]:
                raise Disagreement(f"risk sweep: {name} of set {c} is {line[name]!r}, of its backtest {stats[name]!r}")
