"""Tiny sweeps that several tests look at, each run once."""

from __future__ import annotations

import functools

import vecbt as vb
from vecbt.analytics.sweep import Sweep
from vecbt.strategies import SmaCross

COSTS = vb.Costs(commission_rate=0.001)
BARS = vb.samples.load("us_daily", symbols=["AAPL", "IBM"]).slice(0, 120)
ONE = vb.samples.load("us_daily", symbols=["AAPL"]).slice(0, 120)
SPACE = {"fast": [2, 3, 5, 8], "slow": [6, 9, 14, 119], "stops.hard": [0.04, 0.08], "fill": ["close", "next_open"]}


@functools.cache
def grid() -> Sweep:
    """Four parameters, one of words, over one asset: 64 sets less 4 that SmaCross forbids; sets of slow=119 never trade."""
    return vb.sweep(ONE, SmaCross(2, 20), SPACE, costs=COSTS, progress=False)


@functools.cache
def separate() -> Sweep:
    """Six sets over two assets, each with its account."""
    return vb.sweep(
        BARS, SmaCross(2, 20), {"fast": [2, 3], "slow": [6, 9, 14]}, costs=COSTS, accounts="separate", metrics=["sharpe", "profit"],
        progress=False,
    )  # fmt: skip


@functools.cache
def failing() -> Sweep:
    """Four sets of a list, one of which no SmaCross can have, and one with a commission that cannot be."""
    sets = [
        {"fast": 2, "slow": 9, "costs.commission_rate": 0.0005},
        {"fast": 9, "slow": 2, "costs.commission_rate": 0.0005},
        {"fast": 3, "slow": 9, "costs.commission_rate": -1.0},
        {"fast": 3, "slow": 9, "costs.commission_rate": 0.001},
    ]
    return vb.sweep(ONE, SmaCross(2, 20), sets, costs=COSTS, progress=False)
