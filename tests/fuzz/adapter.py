"""A scenario of the reference engine as arguments of `vb.backtest`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.naive.scenario import Bars as PlainBars
from tests.naive.scenario import Costs as PlainCosts
from tests.naive.scenario import Distance, Row, Scenario, Size
from tests.naive.scenario import Stops as PlainStops
from tests.naive.scenario import Zones as PlainZones
from vecbt.data.bars import Bars
from vecbt.engine.inputs import Quantities, Signals, Strengths, Weights
from vecbt.execution.costs import Costs
from vecbt.risk.sizing import Cash, FixedFractionalSizing, Notional, Units, Weight
from vecbt.risk.stops import Atr, Price, Stops, Ticks
from vecbt.risk.zones import Risk, Zones

__all__ = ["arguments"]

DAY = 86_400_000_000_000
START = 19_723 * DAY  # 2024-01-01


def arguments(scenario: Scenario) -> tuple[Bars, Any, dict[str, Any]]:
    """Bars, inputs and keywords of `backtest` that say the same as the scenario."""
    keywords: dict[str, Any] = {
        "costs": _costs(scenario.costs),
        "stops": _stops(scenario.stops),
        "risk": _risk(scenario.zones),
        "initial_capital": float(scenario.capital),
        "fill": scenario.fill,
        "direction": scenario.direction,
        "intrabar": scenario.intrabar,
        "trade_through": scenario.trade_through,
        "accounts": "separate" if scenario.separate else "shared",
        "positions": {f"A{n}": (float(q), float(p)) for n, (q, p) in scenario.positions.items()} or None,
        "liquidate_at_end": scenario.liquidate_at_end,
    }
    if scenario.inputs in ("signals", "strengths"):
        keywords |= {"sizing": _sizing(scenario.size), "accumulate": scenario.accumulate}
    if scenario.inputs == "weights":
        keywords |= {"weights_of": scenario.weights_of, "band": float(scenario.band)}
    return _bars(scenario.bars), _inputs(scenario), keywords


def _table(rows: list[Row]) -> np.ndarray:
    return np.array([[math.nan if v is None else float(v) for v in row] for row in rows])


def _labels(session: list[int]) -> np.ndarray:
    """Daily bars, or equally spaced ones inside the days, from the session numbers."""
    per_day = max(session.count(s) for s in set(session))
    return START + np.arange(len(session), dtype=np.int64) * (DAY // per_day)


def _bars(bars: PlainBars) -> Bars:
    labels = _labels(bars.session)
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
    )


def _inputs(scenario: Scenario) -> Signals | Strengths | Weights | Quantities:
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
        return Weight(value, scale_by_signal=size.scale)
    if size.kind == "fixed":
        return FixedFractionalSizing(value, float(size.most))
    return {"units": Units, "notional": Notional, "cash": Cash}[size.kind](value)


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


def _risk(zones: PlainZones | None) -> Risk | None:
    if zones is None:
        return None
    return Risk(
        zones=Zones(
            boundaries=tuple(float(b) for b in zones.boundaries),  # type: ignore[arg-type]
            factors=tuple(float(f) for f in zones.factors),  # type: ignore[arg-type]
            liquidate_at=None if zones.liquidate_at is None else float(zones.liquidate_at),
            cooldown_bars=zones.cooldown_bars,
            mark=zones.mark,
        )
    )
