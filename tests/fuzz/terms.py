"""What a scenario may be drawn with beside bars, costs, stops and zones: actions, carry, flows, contracts, margin, volume, limits."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction as F
from math import floor
from typing import Any

from hypothesis import strategies as st

from tests.naive.scenario import Bars, Limits, Risk, Scenario, Size

__all__ = ["pick", "sometimes", "with_actions", "with_carry", "with_contracts", "with_flows", "with_leverage", "with_limits", "with_volume"]

Draw = Any


def pick(draw: Draw, *values: Any) -> Any:
    return draw(st.sampled_from(values))


def sometimes(draw: Draw, *values: Any) -> Any:
    """The first value about half of the time: most rules off keeps scenarios readable."""
    return draw(st.sampled_from((values[0],) * max(1, len(values) - 1) + values))


def _dated(draw: Draw, bars: Bars, most: int, *values: Any) -> dict[tuple[int, int], F]:
    """Up to so many events per asset."""
    out = {}
    for n in range(len(bars.lot)):
        for _ in range(draw(st.integers(0, most))):
            out[draw(st.integers(0, len(bars.close) - 1)), n] = pick(draw, *values)
    return out


def with_actions(draw: Draw, s: Scenario) -> Scenario:
    """T1: splits that prices mostly follow, on the grid of 1/16 again, and dividends."""
    splits = _dated(draw, s.bars, 2, F(2), F(2), F(1, 2), F(4), F(3), F(3, 2), F(1, 10), F(2, 3))
    dividends = _dated(draw, s.bars, 2, F(1, 4), F(1, 2), F(1))
    bars = s.bars
    if pick(draw, True, True, False):
        tables = []
        for rows in (bars.open, bars.high, bars.low, bars.close):
            product = [F(1)] * len(bars.lot)
            table: list[list[F | None]] = []
            for t, row in enumerate(rows):
                product = [k * splits.get((t, n), 1) for n, k in enumerate(product)]
                table.append([None if v is None else max(F(1, 16), F(floor(v / k * 16), 16)) for v, k in zip(row, product, strict=True)])
            tables.append(table)
        bars = replace(bars, open=tables[0], high=tables[1], low=tables[2], close=tables[3])
    return replace(s, bars=replace(bars, splits=splits, dividends=dividends))


def with_carry(draw: Draw, s: Scenario) -> Scenario:
    """T2: weekends, borrow fees, interest."""
    per_day = pick(draw, 1, 1, 4)
    days = [t // per_day for t in range(len(s.bars.session))]
    bars = replace(s.bars, session=[d + 2 * (d // 5) for d in days])
    rate = sometimes(draw, F(365, 1024), F(365, 4096), F(1, 4))
    borrow = {n: rate for n in range(len(bars.lot)) if draw(st.booleans())}
    return replace(s, bars=bars, borrow=borrow, interest=pick(draw, 0, F(360, 1024), F(1, 8)))


def with_flows(draw: Draw, s: Scenario) -> Scenario:
    """F15."""
    count = draw(st.integers(1, 3))
    amounts = (256, 1024, -64, -256, -2048)
    return replace(s, flows={draw(st.integers(0, len(s.bars.close) - 1)): pick(draw, *amounts) for _ in range(count)})


def with_contracts(draw: Draw, s: Scenario, negative: bool) -> Scenario:
    """F12: kinds, margins, funding; prices shifted so that some are below zero."""
    bars, n_assets = s.bars, len(s.bars.lot)
    kind = ["future" if negative else pick(draw, "future", "perpetual", "cash") for _ in range(n_assets)]
    real = [k != "cash" for k in kind]
    initial = [sometimes(draw, F(0), F(2), F(8)) if r else F(0) for r in real]
    final = [sometimes(draw, F(0), F(1), F(2)) if r else F(0) for r in real]
    given: dict[str, Any] = {
        "kind": kind,
        "initial_margin": initial,
        "maintenance_margin": [min(a, b) if a else b for a, b in zip(initial, final, strict=True)],
    }
    if negative:
        shift = [F(draw(st.integers(0, 48))) for _ in real]
        tables = [_shifted(rows, shift) for rows in (bars.open, bars.high, bars.low, bars.close)]
        given |= {"negative": [True] * n_assets, "open": tables[0], "high": tables[1], "low": tables[2], "close": tables[3]}
    perpetual = [n for n in range(n_assets) if kind[n] == "perpetual"]
    rates = _dated(draw, bars, 4, F(1, 256), -F(1, 512), F(1, 64)) if perpetual else {}
    return replace(s, bars=replace(bars, funding={(t, n): v for (t, n), v in rates.items() if n in perpetual}, **given))


def _shifted(rows: list[list[F | None]], shift: list[F]) -> list[list[F | None]]:
    return [[None if v is None else v - k for v, k in zip(row, shift, strict=True)] for row in rows]


def with_leverage(draw: Draw, s: Scenario) -> Scenario:
    """F4, F13."""
    leverage = pick(draw, 2, 4, 8, F(3, 2), 1)
    return replace(s, leverage=leverage, maintenance=pick(draw, F(1, 4) if leverage <= 4 else F(1, 8), F(1, 8), F(1, 16)))


def with_volume(draw: Draw, s: Scenario) -> Scenario:
    """F7."""
    return replace(s, participation=pick(draw, F(1, 16), F(1, 32), F(1, 8), F(1)), participation_rest=sometimes(draw, "queue", "drop"))


def with_limits(draw: Draw, s: Scenario) -> Scenario:
    """Z4, Z5, Z7, Z9, one or several of them."""
    gross = sometimes(draw, None, F(1, 2), F(3, 4), F(1))
    net = sometimes(draw, None, F(1, 4), F(1, 8), F(1, 2))
    limits = Limits(
        position=sometimes(draw, None, F(1, 8), F(1, 4), F(1, 2)),
        position_value=sometimes(draw, None, 100, 256),
        gross=gross,
        net=net if net is None or gross is None else min(net, gross),
    )
    risk = Risk(
        daily_loss=sometimes(draw, None, F(1, 64), F(1, 16)),
        heat=sometimes(draw, None, F(1, 32), F(1, 8), F(1, 64)),
        trade_loss=sometimes(draw, None, F(1, 64), F(1, 128)),
        limits=limits,
    )
    return replace(s, risk=risk)


def size_of(draw: Draw, kind: str, window: int) -> Size:
    """The sizes of S3 that need more than one number."""
    most, least = sometimes(draw, None, F(1, 4), F(1, 8)), sometimes(draw, None, F(1, 8), F(1, 16))
    if kind == "equal":
        return Size(kind, most=most, least=least)
    if kind == "inverse":
        return Size(kind, most=most, least=least, window=window)
    if kind == "volatility":
        return Size(kind, pick(draw, F(1, 64), F(1, 16)), most=most, window=window)
    if kind == "confidence":
        return Size(
            kind, F(1, 128), max_risk=F(1, 32), min_confidence=pick(draw, F(1, 2), F(1, 4), F(3, 8)), most=pick(draw, F(1, 4), F(1))
        )
    if kind == "forecast":
        return Size(
            kind,
            pick(draw, F(1, 4), F(1)),
            forecast=F(1, 64),
            max_risk=pick(draw, F(1, 32), F(1)),
            most=pick(draw, F(1, 4), F(1)),
            window=window,
        )
    given = (
        {"win_rate": F(5, 8), "avg_win": 2, "avg_loss": 1}
        if draw(st.booleans())
        else {"min_trades": pick(draw, 1, 2, 3), "start": F(1, 64)}
    )
    return Size("kelly", pick(draw, F(1, 4), F(1, 2)), most=pick(draw, F(1, 4), F(1)), **given)
