"""A walk-forward of many folds, against one sweep of the same number of bar-steps: what searching in windows costs beside simulating."""

from __future__ import annotations

from typing import Any

import numpy as np

import vecbt as vb

from .cases import KEYWORDS
from .sweeps import bars_of_w2
from .table import Disagreement, Row, in_turn

WINDOWS = (1_000, 200)
"""Bars of training and of a test."""


def walks(folds: int = 20, sets: tuple[int, int] = (40, 50), windows: tuple[int, int] = WINDOWS, calls: int = 3) -> list[Row]:
    """`folds` folds, each of which tries all pairs of `sets` windows of moving averages; a sweep of as many sets over as many bars.

    The sweep has `folds` x `sets` sets over bars of one training window and the bars that they warm up on.
    """
    train, test = windows
    bars = bars_of_w2(train + folds * test)
    fast, slow = list(range(2, 2 + sets[0])), list(range(60, 60 + sets[1]))
    warm = max(slow)
    more: dict[str, Any] = {"progress": False, "threads": 2, **KEYWORDS}
    strategy = vb.strategies.SmaCross(5, 60)

    def walk(purge: int | None = 20) -> vb.WalkForward:
        return vb.walk_forward(bars, strategy, {"fast": fast, "slow": slow}, train=train, test=test, purge=purge, **more)

    wide = _wide(sets, folds)

    def sweep() -> vb.Sweep:
        return vb.sweep(bars[: train - 20 + warm], strategy, wide, **more)

    found = walk()
    _agree(bars, found, {"fast": fast, "slow": slow}, more)
    ours, reference = in_turn(walk, sweep, calls)
    steps = folds * sets[0] * sets[1] * (train - 20 + warm)
    what = f"{folds} folds x {sets[0] * sets[1]:,} sets"
    rows = [
        Row(
            "walk",
            f"{what}, {len(found.result.run.trades)} trades stitched",
            ours / reference,
            "x sweep",
            f"{steps / reference:,.0f} bar-steps a second",
            1.5,
        )
    ]
    rows.append(
        Row(
            "walk",
            f"{what}, purge measured: two searches a fold",
            in_turn(lambda: walk(None), sweep, calls)[0] / reference,
            "x sweep",
            "the same sweep",
        )
    )
    return rows


def _wide(sets: tuple[int, int], folds: int) -> dict[str, Any]:
    """As many sets as all folds try: one parameter more that varies."""
    spread = np.linspace(0.0005, 0.0015, folds).tolist()
    return {"fast": range(2, 2 + sets[0]), "slow": range(60, 60 + sets[1]), "costs.commission_rate": spread}


def _agree(bars: vb.Bars, found: vb.WalkForward, space: dict[str, Any], more: dict[str, Any]) -> None:
    """Disagreement unless the first fold adopted the best line of a sweep over its window, and the account replays."""
    row = found.folds.row(0, named=True)
    first = (0, int(row["train_bars"]))
    best = vb.sweep(bars, vb.strategies.SmaCross(5, 60), {**space, "between": [first]}, **more).best("sharpe")
    if (best["fast"], best["slow"], best["sharpe"]) != (row["fast"], row["slow"], row["in_sample"]):
        raise Disagreement(f"the first fold adopted {row['fast']}, {row['slow']}; the best of its window is {best['fast']}, {best['slow']}")
    start = bars.T - found.result.run.bars.T
    again = vb.backtest(
        bars[start:], found.strategy, **{name: value for name, value in more.items() if name not in ("progress", "threads")}
    )
    if again.run.equity.tobytes() != found.result.run.equity.tobytes():
        raise Disagreement("the stitched account is not that of its strategy")
