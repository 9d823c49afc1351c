"""Random scenarios on dyadic grids: prices of multiples of 1/16 around 8 to 64, dyadic rates, distances and lots.

On such grids touches and ties are real, and floats decide them as fractions do. Each family is one combination of rules:
a combination compiles a kernel of its own, so the list is fixed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction as F
from typing import Any

from hypothesis import strategies as st

from tests.fuzz import terms
from tests.fuzz.terms import Draw
from tests.fuzz.terms import pick as _pick
from tests.fuzz.terms import sometimes as _sometimes
from tests.naive.scenario import Bars, Costs, Distance, Scenario, Size, Stops, Zones

__all__ = ["FAMILIES", "Family", "scenarios"]

UNITS = (F(1, 16), F(1, 4), F(1, 2), F(1), F(2))


@dataclass(frozen=True)
class Family:
    """Which rules may be in play; everything else is drawn."""

    inputs: str
    stops: str = "none"  # none, plain (fractions, ticks, prices), atr, ticks (and atr), trail (wide trails alone, positions that grow)
    zones: bool = False
    sizes: tuple[str, ...] = ("units", "notional", "weight")
    costs: str = "any"  # free, any, impact (volume share)
    fills: tuple[str, ...] = ("next_open", "close")
    events: bool = False  # many gaps, delistings, starting positions
    separate: bool = False
    weights_of: tuple[str, ...] = ("net", "gross")
    inside: bool = False  # Z8: zones judged inside the bar, with an exit there
    terms: tuple[str, ...] = ()  # functions of `terms`: actions, carry, flows, contracts, negative, leverage, volume, limits


FAMILIES: dict[str, Family] = {
    "signals": Family("signals"),
    "signals_cash": Family("signals", sizes=("cash",)),
    "signals_stops": Family("signals", stops="plain"),
    "signals_trail": Family("signals", stops="trail", sizes=("units", "notional")),
    "signals_atr_fixed": Family("signals", stops="atr", sizes=("fixed", "units")),
    "signals_zones": Family("signals", zones=True),
    "signals_all": Family("signals", stops="plain", zones=True, sizes=("units", "weight", "fixed"), costs="impact", events=True),
    "signals_events": Family("signals", events=True),
    "signals_separate": Family("signals", stops="atr", zones=True, separate=True),
    "strengths": Family("strengths", sizes=("weight", "units", "cash")),
    "strengths_impact": Family("strengths", stops="atr", costs="impact"),
    "weights": Family("weights"),
    "weights_impact": Family("weights", costs="impact", events=True),
    "weights_zones": Family("weights", zones=True),
    "weights_all": Family("weights", stops="atr", zones=True, events=True),
    "quantities": Family("quantities", events=True),
    "quantities_all": Family("quantities", stops="plain", zones=True),
    "sizes_equal": Family("signals", sizes=("equal", "volatility", "inverse"), costs="free"),
    "sizes_sigma": Family("strengths", sizes=("inverse", "volatility", "forecast"), events=True, terms=("actions",)),
    "sizes_stop": Family("strengths", stops="atr", sizes=("kelly", "confidence", "fixed")),
    "sizes_kelly": Family("signals", stops="plain", sizes=("kelly",), separate=True),
    "actions": Family("signals", events=True, terms=("actions",)),
    "actions_stops": Family("signals", stops="plain", events=True, terms=("actions",)),
    "actions_atr": Family("signals", stops="atr", terms=("actions",), sizes=("units", "fixed")),
    "actions_quantities": Family("quantities", events=True, terms=("actions", "carry", "flows")),
    "actions_weights": Family("weights", stops="atr", events=True, terms=("actions", "flows")),
    "carry": Family("signals", events=True, terms=("carry", "leverage")),
    "carry_zones": Family("quantities", zones=True, terms=("carry", "leverage", "flows")),
    "flows": Family("weights", zones=True, terms=("flows",)),
    "flows_separate": Family("signals", separate=True, sizes=("weight", "equal"), terms=("flows", "leverage")),
    "leverage": Family("weights", terms=("leverage",)),
    "leverage_cash": Family("signals", sizes=("cash",), terms=("leverage",)),
    "contracts": Family("signals", terms=("contracts", "leverage"), events=True),
    "contracts_stops": Family("quantities", stops="atr", terms=("contracts", "leverage", "carry")),
    "contracts_zones": Family("weights", zones=True, terms=("contracts", "leverage")),
    "contracts_inside": Family("signals", zones=True, inside=True, terms=("contracts", "leverage")),
    "negative": Family("signals", costs="free", terms=("negative", "leverage"), sizes=("units", "notional")),
    "negative_all": Family("quantities", stops="ticks", terms=("negative", "leverage")),
    "volume": Family("signals", terms=("volume",), sizes=("units", "notional")),
    "volume_quantities": Family("quantities", terms=("volume",), events=True),
    "volume_stops": Family("signals", stops="plain", terms=("volume",), sizes=("units", "notional")),
    "volume_impact": Family("strengths", costs="impact", terms=("volume",), sizes=("units", "weight")),
    "volume_zones": Family("weights", stops="atr", zones=True, terms=("volume",)),
    "volume_actions": Family("signals", stops="plain", events=True, terms=("volume", "actions"), sizes=("units",)),
    "limits": Family("signals", terms=("limits",)),
    "limits_stops": Family("strengths", stops="plain", terms=("limits",), sizes=("weight", "units", "fixed")),
    "limits_weights": Family("weights", stops="atr", terms=("limits",)),
    "limits_quantities": Family("quantities", events=True, terms=("limits", "leverage")),
    "limits_separate": Family("signals", stops="trail", separate=True, terms=("limits",)),
    "inside": Family("signals", zones=True, inside=True),
    "inside_stops": Family("quantities", stops="plain", zones=True, inside=True, events=True),
    "inside_volume": Family("signals", zones=True, inside=True, terms=("volume",), sizes=("units",)),
    "mix_signals": Family(
        "signals", stops="plain", zones=True, events=True, terms=("actions", "carry", "flows", "leverage", "volume", "limits")
    ),
    "mix_weights": Family("weights", stops="atr", zones=True, events=True, terms=("actions", "carry", "leverage", "limits")),
    "mix_strengths": Family(
        "strengths", stops="atr", zones=True, inside=True, costs="impact", terms=("carry", "volume", "limits", "flows")
    ),
    "mix_contracts": Family(
        "quantities", stops="plain", zones=True, inside=True, terms=("contracts", "carry", "leverage", "volume", "limits")
    ),
}


def scenarios(name: str) -> st.SearchStrategy[Scenario]:
    """Scenarios of one family."""
    return _scenario(FAMILIES[name])


@st.composite
def _scenario(draw: Draw, family: Family) -> Scenario:
    assets = draw(st.integers(1, 4))
    stops = _stops(draw, family)
    costs = _costs(draw, family)
    given = {
        "inputs": family.inputs,
        "costs": costs,
        "size": _size(draw, family, costs.volume_window),
        "stops": stops,
        "zones": _zones(draw, family.inside) if family.zones else None,
        "capital": _pick(draw, 1024, 4096, 512),
        "fill": _pick(draw, *family.fills),
        "direction": _sometimes(draw, *(("long", "short") if family.stops == "trail" else ("both", "long", "short"))),
        "accumulate": family.stops == "trail" or draw(st.booleans()),
        "weights_of": _pick(draw, *family.weights_of),
        "band": _sometimes(draw, F(0), F(1, 16), F(1, 8)),
        "intrabar": _pick(draw, "pessimistic", "optimistic"),
        "trade_through": draw(st.booleans()),
        "separate": family.separate,
        "positions": _positions(draw, assets) if family.events else {},
        "liquidate_at_end": draw(st.booleans()),
    }
    choices = st.sampled_from([(0, 0, 0, 0), (1, 0, 0, 0), (0, 0, 1, 0)] if family.stops == "trail" else _CHOICES[family.inputs])
    asset = st.tuples(st.integers(-3, 3), st.integers(-4, 4), st.integers(0, 3), st.integers(0, 3), st.integers(0, 11), choices)
    least = draw(st.sampled_from((3, 8, 16)))  # else most tables are short
    steps = draw(st.lists(st.tuples(*[asset] * assets), min_size=least, max_size=30))
    rows: list[list[object]] = [[move[5] for move in step] for step in steps]
    scenario = Scenario(bars=_bars(draw, family, stops, steps), rows=rows, **given)
    for name in family.terms:
        scenario = _TERMS[name](draw, scenario)
    return scenario


_TERMS: dict[str, Callable[[Draw, Scenario], Scenario]] = {
    "actions": terms.with_actions,
    "carry": terms.with_carry,
    "flows": terms.with_flows,
    "contracts": lambda draw, s: terms.with_contracts(draw, s, negative=False),
    "negative": lambda draw, s: terms.with_contracts(draw, s, negative=True),
    "leverage": terms.with_leverage,
    "volume": terms.with_volume,
    "limits": terms.with_limits,
}

_CHOICES: dict[str, list[Any]] = {
    "signals": [(0, 0, 0, 0)] * 6
    + [(1, 0, 0, 0)] * 3
    + [(0, 0, 1, 0)] * 2
    + [(0, 1, 0, 0), (0, 0, 0, 1), (0, 1, 1, 0), (1, 0, 0, 1), (1, 1, 0, 0), (1, 0, 1, 0), (1, 1, 1, 0), (0, 1, 0, 1), (1, 1, 1, 1)],
    "strengths": [None] * 6 + [F(1), F(-1), F(1, 2), F(-1, 2), F(1, 4), F(0), F(0), F(1)],
    "weights": [None] * 5 + [F(k, 8) for k in (-8, -4, -2, 0, 0, 1, 2, 3, 4, 4, 6, 8, 12)],
    "quantities": [None] * 5 + [F(q) for q in (0, 0, 4, 8, 8, 16, 3, -4, -8, 40, -40)] + [F(1, 2), F(-5, 4)],
}


def _positions(draw: Draw, assets: int) -> dict[int, tuple[int, F]]:
    if not draw(st.booleans()):
        return {}
    return {draw(st.integers(0, assets - 1)): (_pick(draw, 8, -8, 3, 40), F(draw(st.integers(32, 128)), 4))}


def _bars(draw: Draw, family: Family, stops: Stops | None, steps: list[tuple[Any, ...]]) -> Bars:
    count, assets = len(steps), len(steps[0])
    columns = [_column(draw, [step[n] for step in steps], family.events) for n in range(assets)]
    tables: list[list[list[F | None]]] = [[[column[t][k] for column in columns] for t in range(count)] for k in range(5)]
    per_day = _pick(draw, 1, 4)
    delisted = {}
    if family.events:
        for n in range(assets):
            if _sometimes(draw, False, True):
                delisted[n] = (draw(st.integers(1, count - 1)), _pick(draw, F(0), F(1, 4), F(1)))
    tick = _pick(draw, F(0), F(1, 16), F(1, 4))
    if stops is not None and any(d is not None and d.kind == "ticks" for d in (stops.hard, stops.trailing, stops.take_profit)):
        tick = tick or F(1, 16)
    return Bars(
        *tables,
        session=[t // per_day for t in range(count)],
        multiplier=[_sometimes(draw, F(1), F(2), F(1, 2)) for _ in range(assets)],
        lot=[_pick(draw, F(1, 4), F(1), F(0), F(4)) for _ in range(assets)],
        tick=[tick] * assets,
        min_notional=[_sometimes(draw, F(0), F(16), F(128)) for _ in range(assets)],
        delisted=delisted,
    )


def _column(draw: Draw, moves: list[tuple[Any, ...]], gaps: bool) -> list[tuple[F | None, ...]]:
    """One asset: o, h, l, c, v per bar. Small steps on a coarse grid make touches; whole bars are missing now and then."""
    last, unit = F(draw(st.integers(12, 64))), _pick(draw, *UNITS)
    column: list[tuple[F | None, ...]] = []
    for gap, move, up, down, luck, _ in moves:
        if luck == 11 or (gaps and luck >= 9):
            column.append((None,) * 5)
            continue
        o = max(F(1), last + gap * unit)
        c = max(F(1), o + move * unit)
        h = max(o, c) + up * unit
        low = max(F(1, 2), min(o, c) - down * unit)
        column.append((o, h, low, c, F(0 if luck == 8 else 64 * (1 + luck))))
        last = c
    if all(row[0] is None for row in column):
        column[0] = (last, last, last, last, F(64))
    return column


def _costs(draw: Draw, family: Family) -> Costs:
    if family.costs == "free" or draw(st.integers(0, 4)) == 0:
        return Costs()
    impact = family.costs == "impact"
    return Costs(
        rate=_pick(draw, F(0), F(1, 1024), F(1, 256)),
        per_unit=_sometimes(draw, F(0), F(1, 64)),
        per_order=_sometimes(draw, F(0), F(1, 2), F(1)),
        minimum=_sometimes(draw, F(0), F(1), F(2)),
        maximum_rate=_sometimes(draw, None, F(1, 64)),
        maker_rate=_sometimes(draw, None, F(0), F(1, 2048)),
        slippage_bps=_sometimes(draw, F(0), F(5)) if impact else F(0),
        half_spread=_sometimes(draw, F(0), F(1, 32), F(1, 8)),
        volume_share=_pick(draw, F(0), F(1, 8), F(1)) if impact else F(0),
        volume_window=_pick(draw, 20, 2, 3),
    )


def _size(draw: Draw, family: Family, window: int) -> Size:
    kind = _pick(draw, *family.sizes)
    if kind not in ("units", "notional", "weight", "cash", "fixed"):
        return terms.size_of(draw, kind, window)
    if kind == "units":
        return Size(kind, _pick(draw, F(4), F(8), F(16), F(5, 2), F(100)))
    if kind == "notional":
        return Size(kind, _pick(draw, F(128), F(256), F(1000), F(4096)))
    if kind == "weight":
        return Size(kind, _pick(draw, F(1, 2), F(1, 4), F(1), F(1, 8)), scale=draw(st.booleans()), cap=_sometimes(draw, None, F(1, 8)))
    if kind == "cash":
        return Size(kind, _pick(draw, F(1), F(1, 2), F(1, 4)))
    return Size(kind, _pick(draw, F(1, 64), F(1, 16)), most=_pick(draw, F(1, 4), F(1)))


def _distance(draw: Draw, kinds: tuple[str, ...]) -> Distance | None:
    kind = _pick(draw, "none", *kinds)
    if kind == "none":
        return None
    values = {
        "pct": (F(1, 32), F(1, 16), F(1, 8), F(1, 4)),
        "atr": (F(1), F(1, 2), F(2)),
        "ticks": (4, 16, 40),
        "price": (F(16), F(24), F(31), F(40)),
    }
    return Distance(kind, _pick(draw, *values[kind]))


def _stops(draw: Draw, family: Family) -> Stops | None:
    if family.stops == "none":
        return None
    if family.stops == "trail":
        trailing = _pick(draw, Distance("pct", F(1, 8)), Distance("atr", 2), Distance("atr", 1), Distance("ticks", 40))
        return Stops(trailing=trailing, activation=_pick(draw, None, F(1, 64), F(1, 16)), atr_window=_pick(draw, 1, 2))
    atr = family.stops == "atr"
    forms: tuple[str, ...] = ("pct", "atr", "atr") if atr else ("pct", "pct", "ticks")
    if family.stops == "ticks":
        forms = ("ticks", "atr")  # prices may be below zero
    levels: tuple[str, ...] = forms if atr else (*forms, "price")
    stops = Stops(
        hard=_distance(draw, levels),
        trailing=_distance(draw, forms),
        take_profit=_distance(draw, levels),
        time_bars=_sometimes(draw, None, 1, 3, 5),
        time_days=_sometimes(draw, None, 1, 2),
        atr_window=_pick(draw, 2, 1, 4, 3),
    )
    if stops.trailing is not None and family.stops != "ticks":
        stops.activation = _pick(draw, None, F(1, 32), F(1, 8))
    if stops.hard is None and stops.trailing is None and ({"fixed", "kelly", "confidence"} & {*family.sizes} or stops.take_profit is None):
        stops.hard = Distance("ticks", 40) if family.stops == "ticks" else Distance("pct", F(1, 16))
    return stops


def _zones(draw: Draw, inside: bool) -> Zones:
    boundaries = _pick(draw, (F(1, 32), F(1, 16), F(1, 8)), (F(1, 64), F(1, 32), F(1, 16)), (F(1, 8), F(1, 4), F(1, 2)))
    mark = "intrabar" if inside else _sometimes(draw, "close", "intrabar")
    levels = (boundaries[1], F(3, 32) if boundaries[1] < F(3, 32) else F(3, 8))
    if mark == "close":
        levels = (None, *levels)  # type: ignore[assignment]
    return Zones(
        boundaries=boundaries,
        factors=_pick(draw, (F(1), F(1, 2), F(1, 4), F(0)), (F(3, 4), F(1, 2), F(0), F(0)), (F(1), F(1), F(1), F(0))),
        liquidate_at=_pick(draw, *levels) if inside or mark == "close" else None,
        cooldown_bars=_pick(draw, None, 1, 2, 4),
        mark=mark,
    )
