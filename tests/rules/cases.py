"""A fixed list of rule combinations on random bars with gaps, delistings and volume: what parity, look-ahead and audit are tested on.

Few of them are compiled apart: what counts is whether stops and zones are on, and whether inputs are flags or numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

import vecbt as vb

STEP = 0.25  # of prices
COSTS = vb.Costs(commission_rate=0.001, slippage_bps=5, minimum=0.5)
IMPACT = vb.Costs(commission_rate=0.0005, half_spread=0.02, volume_share=0.3, volume_window=5)
STOPS = vb.Stops(hard=vb.Pct(6), trailing=vb.Atr(2.5), activation=vb.Pct(2), take_profit=vb.Pct(9), time_bars=12, atr_window=4)
ZONES = vb.Zones(boundaries=(0.02, 0.04, 0.08), liquidate_at=0.1, cooldown_bars=6)


def random_bars(seed: int, T: int = 90, *, per_day: int = 1, delist: bool = True) -> vb.Bars:
    """Three assets near 40: A trades on most bars, B begins late and is delisted with a loss, without a market on that bar, C has a long
    gap and none on the last bar. 8 % of all bars are missing, 12 % have no volume."""
    rng = np.random.default_rng(seed)
    move = rng.normal(0.0, 0.8, (T, 3))
    close = np.maximum(40 + np.cumsum(move, axis=0), 8.0)
    opening = np.maximum(np.vstack([np.full((1, 3), 40.0), close[:-1]]) + rng.normal(0.0, 0.4, (T, 3)), 8.0)
    opening, close = np.rint(opening / STEP) * STEP, np.rint(close / STEP) * STEP
    high = np.maximum(opening, close) + STEP * rng.integers(0, 4, (T, 3))
    low = np.minimum(opening, close) - STEP * rng.integers(0, 4, (T, 3))
    volume = np.where(rng.random((T, 3)) < 0.12, 0.0, rng.integers(200, 5000, (T, 3)))
    gone = rng.random((T, 3)) < 0.08
    gone[: T // 8, 1] = True
    gone[T // 3 : T // 3 + 6, 2] = gone[int(T * 0.7), 1] = gone[-1, 2] = True
    gone[-2:, 0] = False
    fields = [np.where(gone, np.nan, f) for f in (opening, high, low, close, volume)]
    step = np.timedelta64(86_400_000_000_000 // per_day, "ns")
    index = np.datetime64("2024-01-01", "ns") + np.arange(T) * step
    return vb.Bars.from_numpy(
        *fields,
        index=index,
        symbols=("A", "B", "C"),
        missing="no_market",
        delisting="hold",
        delistings={"B": (index[int(T * 0.7)], 0.25)} if delist else None,
        lot={"B": 1.0},
        tick={"A": STEP / 2, "B": STEP, "C": STEP / 2},
        min_notional={"C": 150.0},
        periods_per_year=252.0 * per_day,
    )


def flags(bars: vb.Bars, seed: int = 0) -> vb.Signals:
    """Random booleans: about one entry or exit in four bars."""
    rng = np.random.default_rng(1000 + seed)
    return vb.Signals(*(rng.random(bars.shape) < p for p in (0.2, 0.08, 0.12, 0.08)))


def numbers(kind: Any, bars: vb.Bars, seed: int = 0) -> Any:
    """Random rows of strengths, weights or quantities; most are silent, the last is not."""
    rng = np.random.default_rng(2000 + seed)
    choices = {
        vb.Strengths: [1.0, 0.5, -0.5, 0.0, -1.0],
        vb.Weights: [0.5, 0.25, -0.25, 0.0, 0.4, 1.2],
        vb.Quantities: [10.0, 4.0, -6.0, 0.0, 25.0],
    }[kind]
    values = np.where(rng.random(bars.shape) < 0.3, rng.choice(choices, bars.shape), np.nan)
    values[-1, 0] = choices[1]  # waits for a bar that does not come
    return kind(values)


def breakout(bars: vb.Bars, window: int = 4) -> vb.Signals:
    """A plain function as a strategy: in above the highest close of `window` bars before, out below the lowest."""
    close = bars.close
    entries, exits = np.zeros(bars.shape, dtype=bool), np.zeros(bars.shape, dtype=bool)
    for t in range(window, bars.T):
        before = np.nan_to_num(close[t - window : t], nan=40.0)
        entries[t], exits[t] = close[t] > before.max(axis=0), close[t] < before.min(axis=0)
    return vb.Signals(entries, exits)


@dataclass(frozen=True)
class Case:
    """A combination: what decides, made from bars, and the keywords."""

    name: str
    given: Callable[[vb.Bars], Any]
    keywords: dict[str, Any] = field(default_factory=dict)
    per_day: int = 1

    def bars(self, seed: int = 7, T: int = 90) -> vb.Bars:
        """The random bars of this case."""
        return random_bars(seed, T, per_day=self.per_day)

    def arguments(self) -> dict[str, Any]:
        """Keywords of `backtest`, with costs and a capital of 2,000."""
        return {"costs": COSTS, "initial_capital": 2000.0, **self.keywords}


def _case(name: str, given: Callable[[vb.Bars], Any], per_day: int = 1, **keywords: Any) -> Case:
    return Case(name, given, keywords, per_day)


def strategy(made: Any) -> Callable[[vb.Bars], Any]:
    """A strategy where inputs are made from bars."""
    return lambda bars: made


FLAGS = [partial(flags, seed=seed) for seed in range(5)]
STRENGTHS, WEIGHTS, QUANTITIES = (partial(numbers, kind) for kind in (vb.Strengths, vb.Weights, vb.Quantities))
ZONED = vb.Risk(zones=ZONES)
INSIDE = vb.Risk(zones=vb.Zones(boundaries=(0.02, 0.04, 0.08), cooldown_bars=4, mark="intrabar"))
IN_TICKS = vb.Stops(hard=vb.Ticks(8), take_profit=vb.Ticks(8), time_days=3)
HELD = {"A": (12.0, 41.0), "C": (-5.0, 39.0)}
CLOSE: dict[str, Any] = {"fill": "close"}
OPTIMISTIC: dict[str, Any] = {"intrabar": "optimistic", "trade_through": True, "direction": "long"}
APART: dict[str, Any] = {"accounts": "separate"}

CASES = [
    _case("signals, nothing on", FLAGS[0]),
    _case("signals, close fills, adding, ended", FLAGS[0], **CLOSE, accumulate=True, sizing=vb.Cash(0.4), liquidate_at_end=True),
    _case("signals, stops", FLAGS[1], stops=STOPS, sizing=vb.Units(8)),
    _case("signals, optimistic stops, close fills, half days", FLAGS[2], 2, **CLOSE, **OPTIMISTIC, stops=IN_TICKS, sizing=vb.Notional(400)),
    _case("signals, all, impact, close fills", FLAGS[3], **CLOSE, stops=STOPS, risk=ZONED, costs=IMPACT),
    _case("signals, all, separate accounts", FLAGS[4], **APART, stops=STOPS, risk=ZONED, sizing=vb.FixedFractionalSizing(0.02, 0.5)),
    _case("strengths, short only, zones judged inside the bar", STRENGTHS, direction="short", risk=INSIDE),
    _case("weights, nothing on, band, impact", WEIGHTS, band=0.05, costs=IMPACT),
    _case("gross weights, zones, close fills, accounts apart", partial(WEIGHTS, seed=1), **CLOSE, **APART, weights_of="gross", risk=ZONED),
    _case("quantities, stops, starting positions, ended", QUANTITIES, stops=STOPS, positions=HELD, liquidate_at_end=True),
    _case("quantities, all, half days", partial(QUANTITIES, seed=1), 2, **CLOSE, stops=STOPS, risk=ZONED, positions=HELD),
    _case("a strategy with a stepping feed, stops", strategy(vb.strategies.SmaCross(2, 5, "both")), stops=STOPS),
    _case("a plain function, all", strategy(breakout), stops=STOPS, risk=ZONED),
    _case("a strategy of weights, zones", strategy(vb.strategies.FixedWeights({"A": 0.5, "B": -0.3}, "week")), risk=ZONED),
]
