"""A fixed list of rule combinations on random bars with gaps, delistings, volume, events: parity, look-ahead, audit are tested on it.

Few of them are compiled apart: what counts is whether inputs are flags, numbers or orders, and whether anything goes beyond a plain one.
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


def eventful_bars(seed: int, T: int = 90, *, per_day: int = 1) -> vb.Bars:
    """The same market with events. A and B are split (2, 3:2, 1:2 and 3, 1:2, 3:2), so that raw prices jump, and pay dividends, some of
    it on bars without a market; C is a perpetual with margins of its own that pays funding, twice in some bars."""
    plain = random_bars(seed, T, per_day=per_day)
    rng = np.random.default_rng(7000 + seed)
    at = {symbol: np.sort(rng.choice(np.arange(4, T - 4), 3, replace=False)) for symbol in ("A", "B")}
    at["A"][1] = T // 3 if np.isnan(plain.close[T // 3, 0]) else at["A"][1]
    ratios = {"A": (2.0, 1.5, 0.5), "B": (3.0, 0.5, 1.5)}
    factor = np.ones((T, 3))
    for k, symbol in enumerate(at):
        for t, ratio in zip(at[symbol], ratios[symbol], strict=True):
            factor[t:, k] *= ratio
    fields = [*(plain.block[:4] / factor), plain.block[4] * factor]
    times = plain.times
    paid = rng.choice(np.arange(3, T - 3), 4, replace=False)
    due = [int(plain.index[t]) - hour * 3_600_000_000_000 for t in range(2, T, 5) for hour in (0, 4)]
    return vb.Bars.from_numpy(
        *fields,
        index=plain.index,
        symbols=plain.symbols,
        missing="no_market",
        delisting="hold",
        delistings={"B": (times[int(T * 0.7)], 0.25)},
        lot={"B": 1.0},
        tick={"A": STEP / 2, "B": STEP, "C": STEP / 2},
        min_notional={"C": 150.0},
        periods_per_year=252.0 * per_day,
        splits={symbol: {times[t]: r for t, r in zip(at[symbol], ratios[symbol], strict=True)} for symbol in at},
        dividends={"A": {times[t]: 0.75 for t in paid[:2]}, "B": {times[t]: 0.5 for t in paid[2:]}},
        instrument={"C": "perpetual"},
        initial_margin={"C": 8.0},
        maintenance_margin={"C": 5.0},
        funding={"C": {time: float(rng.normal(0.0, 0.002)) for time in due}},
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


def heavy(bars: vb.Bars) -> vb.Weights:
    """Weights that F4 cuts to all the leverage there is, so that the next fall is a margin call."""
    return vb.Weights(8 * numbers(vb.Weights, bars, 4).values)


def orders(bars: vb.Bars, seed: int = 0) -> vb.Orders:
    """Random orders of every type, time in force and bracket around the prices a strategy reads, and cancels of some."""
    rng = np.random.default_rng(3000 + seed)
    close, last, rows = bars.for_strategies.close, np.full(bars.N, 40.0), []
    for t in range(bars.T):
        last = np.where(np.isnan(close[t]), last, close[t])
        for k in np.flatnonzero(rng.random(bars.N) < 0.35):
            rows.append((bars.times[t], _order(bars, t, int(k), float(last[k]), rng)))
    return vb.Orders(rows)


def _order(bars: vb.Bars, t: int, k: int, price: float, rng: np.random.Generator) -> vb.Order | vb.Cancel:
    if rng.random() < 0.1:
        return vb.Cancel(symbol=bars.symbols[k], tag=[None, 0, 1][rng.integers(3)])
    side = rng.choice([1.0, -1.0])
    kind = ["market", "limit", "stop", "stop_limit", "trailing"][rng.integers(5)]
    near, far = np.rint(price * rng.uniform(0.005, 0.04, 2) / STEP) * STEP
    given: dict[str, Any] = {"symbol": bars.symbols[k], "quantity": side * float(rng.choice([4, 6, 10, 25])), "type": kind}
    if kind in ("stop", "stop_limit"):
        given["stop"] = price + side * near
    if kind in ("limit", "stop_limit"):
        given["limit"] = price + side * (far if kind == "stop_limit" else -near)
    if kind == "trailing":
        given[["trail", "trail_by"][rng.integers(2)]] = 0.02 if "trail" in given else 0.5
    given["tif"] = ["gtc", "gtc", "day", "gtd", "ioc", "fok"][rng.integers(6)]
    if given["tif"] == "gtd":
        given["until"] = bars.times[min(t + int(rng.integers(1, 6)), bars.T - 1)]
    for name, level in (("stop_loss", -0.05), ("take_profit", 0.06)):
        if rng.random() < 0.25:
            given[name] = price * (1 + side * level)
    if rng.random() < 0.15:
        given["trailing_stop"] = 0.04
    return vb.Order(**given, priority=float(rng.choice([1.0, 1.0, 2.0])), tag=int(rng.integers(2)), reduce_only=bool(rng.random() < 0.15))


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
    eventful: bool = False

    def bars(self, seed: int = 7, T: int = 90) -> vb.Bars:
        """The random bars of this case."""
        made = eventful_bars if self.eventful else random_bars
        return made(seed, T, per_day=self.per_day)

    def arguments(self, T: int = 90) -> dict[str, Any]:
        """Keywords of `backtest` for the first `T` bars, with costs and a capital of 2,000."""
        known = {"costs": COSTS, "initial_capital": 2000.0, **self.keywords}
        last = np.datetime64("2024-01-01", "ns") + (T - 1) * np.timedelta64(86_400 // self.per_day, "s")
        flows = {time: amount for time, amount in known.pop("flows", {}).items() if np.datetime64(time) <= last}
        return {**known, "flows": flows} if flows else known


def _case(name: str, given: Callable[[vb.Bars], Any], per_day: int = 1, **keywords: Any) -> Case:
    return Case(name, given, keywords, per_day)


def _eventful(name: str, given: Callable[[vb.Bars], Any], per_day: int = 1, **keywords: Any) -> Case:
    return Case(name, given, keywords, per_day, eventful=True)


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

CARRY = vb.Carry(borrow_rate={"A": 0.3, "B": 0.6}, interest_rate=0.4)
FLOWS = {"2024-01-12": 700.0, "2024-01-13 06:00": -150.0, "2024-01-27": -900.0, "2024-02-10": 600.0}
GEARED: dict[str, Any] = {"carry": CARRY, "leverage": 2.0, "maintenance": 0.5}
BEYOND: dict[str, Any] = {**GEARED, "flows": FLOWS}
SLOWLY: dict[str, Any] = {"max_participation": 0.005}
DROP: dict[str, Any] = {"max_participation": 0.01, "participation_rest": "drop"}
LIMITED = vb.Risk(
    zones=ZONES, daily_loss=0.03, max_heat=0.05, max_trade_loss=0.06, limits=vb.Limits(max_position=0.7, max_gross=1.2, max_net=0.8)
)
LEAVING = vb.Risk(zones=vb.Zones(boundaries=(0.02, 0.04, 0.3), liquidate_at=0.05, cooldown_bars=5, mark="intrabar"))
CONFIDENT = vb.ConfidenceBasedSizing(0.05, 0.1, min_confidence=0.6, max_position_fraction=0.6)
BY_SIGMA = vb.InverseVolatility(window=5, min_position=0.2)
ORDERS = orders
HEAVY = heavy

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
    _eventful("signals, actions and carry", FLAGS[0], carry=CARRY, positions=HELD),
    _eventful(
        "signals, all, close fills", FLAGS[1], **CLOSE, **BEYOND, **SLOWLY, stops=STOPS, risk=LIMITED, accumulate=True, sizing=vb.Units(6)
    ),
    _eventful("signals, stops, drop, accounts apart", FLAGS[2], **APART, **BEYOND, **DROP, stops=STOPS, risk=LIMITED),
    _eventful(
        "signals, leaving inside the bar", FLAGS[3], **GEARED, **SLOWLY, stops=STOPS, risk=LEAVING, sizing=vb.KellyCriterion(min_trades=4)
    ),
    _eventful("strengths, leaving inside, half days, impact", STRENGTHS, 2, **CLOSE, **GEARED, risk=LEAVING, costs=IMPACT),
    _eventful("strengths, confidence, limits", partial(STRENGTHS, seed=1), **BEYOND, stops=STOPS, risk=LIMITED, sizing=CONFIDENT),
    _eventful("strengths, by volatility, optimistic", partial(STRENGTHS, seed=2), **SLOWLY, **OPTIMISTIC, stops=IN_TICKS, sizing=BY_SIGMA),
    _eventful("weights, leverage, participation, impact", WEIGHTS, **BEYOND, **SLOWLY, costs=IMPACT),
    _eventful("weights of too much", HEAVY, **BEYOND),
    _eventful(
        "gross weights, apart, half days, limits", partial(WEIGHTS, seed=1), 2, **CLOSE, **APART, **BEYOND, weights_of="gross", risk=LIMITED
    ),
    _eventful("quantities, all, ended", QUANTITIES, **BEYOND, **SLOWLY, stops=STOPS, risk=LIMITED, positions=HELD, liquidate_at_end=True),
    _eventful("orders, nothing on", ORDERS),
    _eventful(
        "orders, close fills, leverage, ended", partial(ORDERS, seed=1), **CLOSE, **BEYOND, initial_capital=700.0, liquidate_at_end=True
    ),
    _eventful("orders, all", partial(ORDERS, seed=2), **BEYOND, **SLOWLY, stops=STOPS, risk=LIMITED),
    _eventful(
        "orders, drop, apart, half days, impact", partial(ORDERS, seed=3), 2, **APART, **GEARED, **DROP, stops=IN_TICKS, costs=IMPACT
    ),
    _eventful("orders, optimistic, leaving inside", partial(ORDERS, seed=4), **OPTIMISTIC, **GEARED, stops=STOPS, risk=LEAVING),
    _case("orders, plain market, zones, close fills", partial(ORDERS, seed=5), **CLOSE, risk=ZONED),
    _eventful("a strategy with a stepping feed, actions", strategy(vb.strategies.SmaCross(2, 5, "both")), **BEYOND, **SLOWLY, stops=STOPS),
    _eventful("a plain function, actions, limits", strategy(breakout), **BEYOND, stops=STOPS, risk=LIMITED),
]
