"""A scenario of the reference engine as arguments of `vb.backtest`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.naive.scenario import Bars as PlainBars
from tests.naive.scenario import Costs as PlainCosts
from tests.naive.scenario import Distance, Limits, Number, Row, Scenario, Size
from tests.naive.scenario import Risk as PlainRisk
from tests.naive.scenario import Stops as PlainStops
from tests.naive.scenario import Zones as PlainZones
from vecbt import Carry
from vecbt.data.bars import Bars
from vecbt.engine.inputs import Quantities, Signals, Strengths, Weights
from vecbt.execution.costs import Costs
from vecbt.risk.limits import Limits as RiskLimits
from vecbt.risk.sizing import (
    Cash,
    ConfidenceBasedSizing,
    EqualWeight,
    FixedFractionalSizing,
    ForecastSizing,
    InverseVolatility,
    KellyCriterion,
    Notional,
    Units,
    VolatilitySizing,
    Weight,
)
from vecbt.risk.stops import Atr, Price, Stops, Ticks
from vecbt.risk.zones import Risk, Zones

__all__ = ["arguments", "label"]

DAY = 86_400_000_000_000
START = 19_723 * DAY  # 2024-01-01


def arguments(scenario: Scenario) -> tuple[Bars, Any, dict[str, Any]]:
    """Bars, inputs and keywords of `backtest` that say the same as the scenario."""
    keywords: dict[str, Any] = {
        "costs": _costs(scenario.costs),
        "stops": _stops(scenario.stops),
        "risk": _risk(scenario.zones, scenario.risk),
        "initial_capital": float(scenario.capital),
        "fill": scenario.fill,
        "direction": scenario.direction,
        "intrabar": scenario.intrabar,
        "trade_through": scenario.trade_through,
        "accounts": "separate" if scenario.separate else "shared",
        "positions": {f"A{n}": (float(q), float(p)) for n, (q, p) in scenario.positions.items()} or None,
        "liquidate_at_end": scenario.liquidate_at_end,
        "leverage": float(scenario.leverage),
        "maintenance": float(scenario.maintenance),
        "max_participation": _maybe(scenario.participation),
        "participation_rest": scenario.participation_rest,
        "carry": _carry(scenario),
        "flows": {_when(scenario, t): float(v) for t, v in scenario.flows.items()} or None,
    }
    if scenario.inputs in ("signals", "strengths"):
        keywords |= {"sizing": _sizing(scenario.size), "accumulate": scenario.accumulate}
    if scenario.inputs == "weights":
        keywords |= {"weights_of": scenario.weights_of, "band": float(scenario.band)}
    return _bars(scenario.bars), _inputs(scenario), keywords


def _table(rows: list[Row]) -> np.ndarray:
    return np.array([[math.nan if v is None else float(v) for v in row] for row in rows])


def label(session: list[int], t: int) -> int:
    """Time of bar `t` in ns: at midnight of its session, later bars of it six hours apart, and so on after the last one."""
    if t >= len(session):
        return label(session, len(session) - 1) + (t - len(session) + 1) * (DAY // 4)
    return START + session[t] * DAY + (t - session.index(session[t])) * (DAY // 4)


def _when(scenario: Scenario, t: int) -> np.datetime64:
    return np.datetime64(label(scenario.bars.session, t), "ns")


def _maybe(value: Number | None) -> float | None:
    return None if value is None else float(value)


def _events(bars: PlainBars, given: dict[tuple[int, int], Number]) -> np.ndarray | None:
    """A table of dated numbers, NaN where there is none."""
    if not given:
        return None
    table = np.full((len(bars.close), len(bars.lot)), math.nan)
    for (t, n), value in given.items():
        table[t, n] = float(value)
    return table


def _bars(bars: PlainBars) -> Bars:
    labels = np.array([label(bars.session, t) for t in range(len(bars.session))], dtype=np.int64)
    n_assets = len(bars.lot)
    return Bars.from_numpy(
        *(_table(rows) for rows in (bars.open, bars.high, bars.low, bars.close, bars.volume)),
        index=labels,
        symbols=[f"A{n}" for n in range(len(bars.lot))],
        missing="no_market",
        multiplier=[float(v) for v in bars.multiplier],
        lot=[float(v) for v in bars.lot],
        tick=[float(v) for v in bars.tick],
        min_notional=[float(v) for v in bars.min_notional],
        periods_per_year=252.0,
        delisting="hold",
        delistings={f"A{n}": (np.datetime64(int(labels[t]), "ns"), float(h)) for n, (t, h) in bars.delisted.items()} or None,
        splits=_events(bars, bars.splits),
        dividends=_events(bars, bars.dividends),
        funding=_events(bars, bars.funding),
        instrument=bars.kind or "cash",
        allow_negative=bars.negative or False,
        initial_margin=[float(v) for v in bars.initial_margin or [0] * n_assets],
        maintenance_margin=[float(v) for v in bars.maintenance_margin or [0] * n_assets],
        bar_ns=DAY if len(set(bars.session)) == len(bars.session) else DAY // 4,
    )


def _carry(scenario: Scenario) -> Carry | None:
    rates = {f"A{n}": float(v) for n, v in scenario.borrow.items() if v}
    return Carry(borrow_rate=rates, interest_rate=float(scenario.interest)) if rates or scenario.interest else None


def _inputs(scenario: Scenario) -> Any:
    if scenario.inputs == "orders":
        from tests.fuzz.orders_adapter import orders

        return orders(scenario, lambda t: label(scenario.bars.session, t))
    if scenario.inputs == "signals":
        flags = np.array(scenario.rows, dtype=bool)
        return Signals(*(flags[:, :, k] for k in range(4)))
    kind = {"strengths": Strengths, "weights": Weights, "quantities": Quantities}[scenario.inputs]
    return kind(_table(scenario.rows))  # type: ignore[arg-type]


def _costs(costs: PlainCosts) -> Costs:
    given = {
        "commission_rate": float(costs.rate),
        "per_unit": float(costs.per_unit),
        "per_order": float(costs.per_order),
        "minimum": float(costs.minimum),
        "maker_rate": None if costs.maker_rate is None else float(costs.maker_rate),
        "slippage_bps": float(costs.slippage_bps),
        "half_spread": float(costs.half_spread),
        "volume_share": float(costs.volume_share),
    }
    if not any(given.values()):
        return Costs.free()
    most = math.inf if costs.maximum_rate is None else float(costs.maximum_rate)
    return Costs(**given, maximum_rate=most, volume_window=costs.volume_window)  # type: ignore[arg-type]


def _sizing(size: Size) -> Any:
    value = float(size.value)
    if size.kind == "weight":
        return Weight(value, size.scale, _maybe(size.cap))
    if size.kind in ("units", "notional", "cash"):
        return {"units": Units, "notional": Notional, "cash": Cash}[size.kind](value)
    most, least = _maybe(size.most), _maybe(size.least)
    if size.kind == "equal":
        return EqualWeight(most, least)
    if size.kind == "inverse":
        return InverseVolatility(size.window, most, least)
    if size.kind == "volatility":
        return VolatilitySizing(value, size.window, most)
    assert most is not None
    if size.kind == "fixed":
        return FixedFractionalSizing(value, most)
    if size.kind == "confidence":
        return ConfidenceBasedSizing(value, float(size.max_risk), float(size.min_confidence), most)
    if size.kind == "forecast":
        return ForecastSizing(float(size.forecast), value, size.window, most, float(size.max_risk))
    given: dict[str, Any] = {"min_trades": size.min_trades, "start_fraction": float(size.start), "max_position_fraction": most}
    if size.win_rate is not None:
        given |= {"win_rate": float(size.win_rate), "avg_win": float(size.avg_win), "avg_loss": float(size.avg_loss)}
    return KellyCriterion(value, **given)


def _distance(distance: Distance | None) -> Any:
    if distance is None:
        return None
    value = float(distance.value)
    return value if distance.kind == "pct" else {"atr": Atr, "ticks": Ticks, "price": Price}[distance.kind](value)


def _stops(stops: PlainStops | None) -> Stops | None:
    if stops is None:
        return None
    return Stops(
        hard=_distance(stops.hard),
        trailing=_distance(stops.trailing),
        activation=None if stops.activation is None else float(stops.activation),
        take_profit=_distance(stops.take_profit),
        time_bars=stops.time_bars,
        time_days=stops.time_days,
        atr_window=stops.atr_window,
    )


def _risk(zones: PlainZones | None, risk: PlainRisk) -> Risk | None:
    given = {
        "zones": _zones(zones),
        "daily_loss": _maybe(risk.daily_loss),
        "max_heat": _maybe(risk.heat),
        "max_trade_loss": _maybe(risk.trade_loss),
        "limits": _limits(risk.limits),
    }
    return Risk(**given) if any(v is not None for v in given.values()) else None  # type: ignore[arg-type]


def _limits(limits: Limits) -> RiskLimits | None:
    if limits == Limits():
        return None
    return RiskLimits(
        max_position=_maybe(limits.position),
        max_position_value=_maybe(limits.position_value),
        max_gross=_maybe(limits.gross),
        max_net=_maybe(limits.net),
    )


def _zones(zones: PlainZones | None) -> Zones | None:
    if zones is None:
        return None
    return Zones(
        boundaries=tuple(float(b) for b in zones.boundaries),  # type: ignore[arg-type]
        factors=tuple(float(f) for f in zones.factors),  # type: ignore[arg-type]
        liquidate_at=_maybe(zones.liquidate_at),
        cooldown_bars=zones.cooldown_bars,
        mark=zones.mark,
    )
