"""At least one example of every strategy in `vecbt.signals`, with members of both kinds, and bars to try them on."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np

import vecbt as vb
from vecbt.data import synthetic
from vecbt.data.bars import Bars
from vecbt.engine.inputs import AlignedInputs, normalize_row
from vecbt.engine.strategy import Strategy
from vecbt.signals.combined import Combined
from vecbt.strategies import EmaCross, SmaCross

COSTS = vb.Costs(commission_rate=0.001, slippage_bps=2)
Technical = vb.signals.TechnicalSignalGenerator
SIGNALS = SmaCross(3, 8, "both")
STRENGTHS = Technical(indicator="ema", fast_period=3, slow_period=8, signal_scale=20.0)
MIXED = {"sma": SIGNALS, "ema": EmaCross(2, 5), "graded": STRENGTHS}
DYNAMIC = vb.signals.DynamicWeights({"costs": COSTS}, window=12, min_history=4, shrink=5.0, drop_below=-3.0, readmit_above=-1.0)
SEPARATE = vb.signals.DynamicWeights({"costs": COSTS, "accounts": "separate"}, metric="profit_factor", window=9, min_history=3)


@vb.signals.configurable
class Ask(vb.signals.SignalGenerator):
    """A generator of the simplest kind: asked at every bar."""

    def generate_signals(self, data: Any) -> Any:
        """Long where the last bar rose."""
        bars = data["bars"]
        if bars.T < 2:
            return {}
        rose = bars.close[-1] > bars.close[-2]
        return {symbol: {"strength": 0.8 if rose[n] else -0.4} for n, symbol in enumerate(bars.symbols)}


@dataclass(frozen=True)
class Loud(Strategy):
    """Strengths of a fixed pattern, some of them silent."""

    period: int = 7

    def rows(self, bars: Bars) -> vb.Strengths:
        """A row of every place in the pattern."""
        pattern = np.array([1.0, 0.5, np.nan, -0.25, 0.0, -1.0, np.nan])[: self.period]
        return vb.Strengths(np.stack([np.roll(pattern, n)[np.arange(bars.T) % self.period] for n in range(bars.N)], axis=1))


S = vb.signals
EXAMPLES: list[Strategy] = [
    S.BaseSignalGenerator(signal_threshold=0.1),
    Ask(signal_threshold=0.5, signal_smoothing=2),
    Technical(),
    Technical(fast_period=2, slow_period=6, signal_smoothing=3, signal_scale=30.0, signal_threshold=0.2, direction_threshold=0.3),
    Technical(indicator="atr", rule=S.TechnicalRule("zscore", "reversion", window=9), options={"window": 5}),
    Technical(indicator="close_sigma", rule=S.TechnicalRule("levels", "reversion", 0.01, 0.05), of="close"),
    Technical(indicator="sma", rule=S.TechnicalRule("price"), slow_period=9, of="high"),
    S.EnsembleSignalGenerator([Technical(), STRENGTHS, {"type": "technical", "indicator": "ema", "fast_period": 2}], signal_smoothing=2),
    S.ThresholdFilter(STRENGTHS, 0.3),
    S.SmoothingFilter(SIGNALS, 4),
    S.SmoothingFilter(Loud(), 3, "ema"),
    S.CooldownFilter(Loud(), 2),
    S.CooldownFilter(SIGNALS, 5),
    S.MinimumHoldFilter(Loud(), 4),
    S.MinimumHoldFilter(SIGNALS, 6),
    S.SessionHoursFilter(Loud(), "02:00", "11:30"),
    S.SessionHoursFilter(SIGNALS, "20:00", "04:00", outside="keep"),
    S.RegimeFilter(Loud(), "sma 10", of_price=True),
    S.RegimeFilter(SIGNALS, vb.indicators.Indicator("close_sigma", 8), above=0.01, below=0.03, outside="keep"),
    S.VolatilityFilter(SIGNALS, 0.02, 0.005, 6),
    S.VolatilityFilter(Loud(), 0.02, 0.005, 6, "shrink", "keep"),
    *(S.Ensemble(MIXED, mode=mode, confidence=0.2 if mode == "confidence_average" else 0.6) for mode in S.VotingMode),
    S.Ensemble(MIXED, mode="weighted_vote", weights={"sma": 0.5, "ema": 0.3, "graded": 0.2}, hold="flat"),
    S.Ensemble(MIXED, mode="weighted_vote", weights={"sma": 0.5, "ema": 0.3, "graded": 0.2}, dynamic=DYNAMIC),
    S.Ensemble([Loud(), SIGNALS], mode="confidence_average", confidence=0.3, dynamic=SEPARATE),
    S.Ensemble(MIXED, enabled=False),
    S.Ensemble([S.Ensemble(MIXED), S.CooldownFilter(SIGNALS, 3), Loud()], mode="bayesian_vote", confidence=0.52),
    S.WeightedAverageAggregator({"a": Loud(), "b": STRENGTHS}),
    S.WeightedAverageAggregator(MIXED, S.WeightedAverageConfig(by_confidence=False, weights={"sma": 2, "graded": 1}, min_strength=0.2)),
    S.WeightedAverageAggregator(MIXED, S.WeightedAverageConfig(method="probability")),
    S.VolatilityAdjustedAggregator(MIXED, S.VolatilityConfig(window=7, target_volatility=0.015, min_scale=0.1)),
    S.PortfolioSignalAggregator({"a": Loud(), "b": STRENGTHS}, S.PortfolioAggregationConfig(neutral=True, top_n=2, max_gross=0.9)),
    S.PortfolioSignalAggregator(MIXED, S.PortfolioAggregationConfig(asset_weights={"S0": 2.0, "S2": 1.0})),
]


def gappy_bars(length: int = 110) -> Bars:
    """Hourly bars of three assets with gaps, one of which begins late."""
    made = synthetic.garch_jumps(T=length, N=3, seed=11, missing=0.1, grid=1 / 2)
    fields = np.array([made.open, made.high, made.low, made.close, made.volume])
    fields[:, :20, 1] = np.nan
    index = np.datetime64("2024-03-04", "ns") + np.arange(length) * np.timedelta64(1, "h")
    return Bars.from_numpy(*fields, index=index, symbols=["S0", "S1", "S2"], missing="no_market", periods_per_year=8760)


def values_of(row: Any, bars: Bars) -> np.ndarray:
    """A row as numbers (N,)."""
    flags, values = normalize_row(row, bars.market)
    out = flags if values is None else values
    assert out is not None
    return out


def numbers(inputs: AlignedInputs) -> np.ndarray:
    """Aligned inputs as numbers (T, N)."""
    out = inputs.flags if inputs.values is None else inputs.values
    assert out is not None
    return out


def public_strategies() -> list[type[Combined]]:
    """Every strategy of the package that can be made."""
    found = [getattr(S, name) for name in S.__all__]
    return [cls for cls in found if isinstance(cls, type) and issubclass(cls, Strategy) and not inspect.isabstract(cls)]
