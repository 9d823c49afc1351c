"""Every ready-made strategy, found in the modules of the package, with parameters to try: what the tests in this folder share."""

from __future__ import annotations

import importlib
import pkgutil

import numpy as np

import vecbt.strategies
from vecbt.data import synthetic
from vecbt.data.bars import Bars
from vecbt.engine.strategy import Strategy
from vecbt.strategies import (
    BollingerReversion,
    BuyAndHold,
    DonchianBreakout,
    EmaCross,
    FixedWeights,
    HybridPortfolio,
    MacdCross,
    MACrossover,
    MACrossoverPortfolio,
    MomentumRotation,
    MultiStrategyPortfolio,
    PairsReversion,
    PerSymbol,
    RsiReversion,
    SmaCross,
    SupertrendFollow,
    VolatilityTargetedTrend,
)
from vecbt.strategies.schedule import PERIODS

GAPPY = synthetic.garch_jumps(T=180, N=3, seed=11, missing=0.1, grid=1 / 2)
"""Bars of S0, S1, S2 in which one in ten is missing."""


def found() -> list[type[Strategy]]:
    """All public classes of strategies in the package that nothing else in it is built on."""
    modules = [importlib.import_module(f"vecbt.strategies.{m.name}") for m in pkgutil.iter_modules(vecbt.strategies.__path__)]
    classes = [
        value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Strategy) and value.__module__ == module.__name__ and not name.startswith("_")
    ]
    return sorted((c for c in classes if not any(issubclass(d, c) and d is not c for d in classes)), key=lambda c: c.__name__)


_BOTH = {"S0": SmaCross(3, 8), "S2": {"rsi": {"weight": 3.0, "params": {"window": 5}}, "EmaCross": {"params": {"fast": 2, "slow": 5}}}}

TRIED: dict[type[Strategy], list[Strategy]] = {
    BollingerReversion: [BollingerReversion(10, 1.5, d) for d in ("long", "short", "both")],
    BuyAndHold: [BuyAndHold()],
    DonchianBreakout: [DonchianBreakout(10, 5), DonchianBreakout(5, 8, "short"), DonchianBreakout(1, 1, "both"), DonchianBreakout(12, 300)],
    EmaCross: [EmaCross(3, 8), EmaCross(3, 8, "both"), EmaCross(1, 5, "short")],
    FixedWeights: [FixedWeights(), *(FixedWeights({"S1": 0.5, "S0": -0.25}, every) for every in PERIODS)],
    HybridPortfolio: [HybridPortfolio(("S2", "S0"), _BOTH, {"S0": 0.5, "S2": 0.25}, {"weights": {"EmaCross": 2.0}})],
    MACrossover: [MACrossover(3, 8), MACrossover(2, 6, "both")],
    MACrossoverPortfolio: [
        MACrossoverPortfolio(("S1", "S0"), {"S1": SmaCross(2, 5, "both"), "S0": EmaCross(3, 6)}),
        MACrossoverPortfolio(("S0",), allocation={"S0": 0.9}),
    ],
    MacdCross: [MacdCross(3, 6, 4), MacdCross(3, 6, 4, "short"), MacdCross(2, 9, 2, "both"), MacdCross(5, 12, 300)],
    MomentumRotation: [
        MomentumRotation(5, 2, "week"),
        MomentumRotation(8, 1, "bar", skip=3, absolute=True),
        MomentumRotation(20, 5, "month"),
        MomentumRotation(12, 2, "day", absolute=True),
    ],
    MultiStrategyPortfolio: [MultiStrategyPortfolio(("S0", "S2"), _BOTH)],
    PairsReversion: [PairsReversion("S0", "S2", 10, 1.0, 0.25, 0.75), PairsReversion("S2", "S1", 20, 1.5, 0.0)],
    PerSymbol: [
        PerSymbol({"S2": SmaCross(3, 8, "both"), "S0": RsiReversion(5)}),
        PerSymbol({"S1": {"name": "VolatilityTargetedTrend", "parameters": {"window": 10}}}),
        PerSymbol({"S1": BuyAndHold(), "S2": "SmaCross"}),
    ],
    RsiReversion: [RsiReversion(5, 30, 50, 70, d) for d in ("long", "short", "both")],
    SmaCross: [SmaCross(3, 8), SmaCross(3, 8, "short"), SmaCross(1, 2, "both"), SmaCross(20, 300)],
    SupertrendFollow: [SupertrendFollow(5, 1.0), SupertrendFollow(5, 1.0, "short"), SupertrendFollow(3, 0.5, "both")],
    VolatilityTargetedTrend: [
        VolatilityTargetedTrend(10),
        VolatilityTargetedTrend(5, 0.3, 0.9, 365, 0.8, 0.25, 0.0, "long"),
        VolatilityTargetedTrend(5, 0.3, inertia=0.5, direction="short"),
    ],
}
"""Parameters small enough to see trades in `GAPPY`, and some that are longer than it."""

ALL = [strategy for kind in found() for strategy in TRIED[kind]]


def late(bars: Bars) -> Bars:
    """The same bars, the second asset without a market for the first 30."""
    fields = np.array([bars.open, bars.high, bars.low, bars.close, bars.volume])
    fields[:, :30, 1] = np.nan
    return Bars.from_numpy(*fields, index=bars.index, symbols=bars.symbols, missing="no_market")
