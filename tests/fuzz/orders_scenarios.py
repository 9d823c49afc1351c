"""Random rows of orders on the markets and rules of the other families: prices are drawn from the bars to come, so touches are common."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction as F
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.scenarios import scenarios
from tests.naive.resting_rows import Ask, Cancel
from tests.naive.scenario import Bars, Bracket, Distance, Scenario

__all__ = ["ORDER_FAMILIES", "order_scenarios"]

Draw = Any

# the family that gives bars, costs and rules; may brackets be drawn (then stops are on)
ORDER_FAMILIES: dict[str, tuple[str, bool]] = {
    "orders": ("quantities", False),
    "orders_plain": ("signals", False),
    "orders_zones": ("signals_zones", False),
    "orders_brackets": ("signals", True),
    "orders_stops": ("signals_stops", True),
    "orders_all": ("signals_all", True),
    "orders_separate": ("signals_separate", True),
    "orders_impact": ("weights_impact", False),
    "orders_actions": ("actions_stops", True),
    "orders_atr": ("actions_atr", True),
    "orders_money": ("carry_zones", False),
    "orders_contracts": ("contracts_stops", True),
    "orders_negative": ("negative", False),
    "orders_volume": ("volume_quantities", False),
    "orders_volume_impact": ("volume_impact", False),
    "orders_volume_all": ("volume_actions", True),
    "orders_volume_stops": ("volume_stops", True),
    "orders_inside": ("inside_stops", True),
    "orders_limits": ("limits_quantities", False),
    "orders_limits_stops": ("limits_stops", True),
    "orders_mix": ("mix_weights", True),
    "orders_mix_volume": ("mix_signals", True),
    "orders_mix_contracts": ("mix_contracts", True),
}

KINDS = ["market", "limit", "limit", "stop", "stop", "stop_limit", "trailing"]
QUANTITIES = [F(q) for q in (1, 2, 4, 4, 8, 8, 16, 40)] + [F(5, 2), F(1, 4)]


@st.composite
def order_scenarios(draw: Draw, name: str) -> Scenario:
    """A scenario of the family, its rows replaced by orders."""
    family, brackets = ORDER_FAMILIES[name]
    base = draw(scenarios(family))
    count = len(base.bars.close)
    rows: list[list[object]] = [draw(st.lists(_row(base.bars, t, brackets), max_size=3)) for t in range(count)]
    return replace(base, inputs="orders", rows=rows)


@st.composite
def _row(draw: Draw, bars: Bars, t: int, brackets: bool) -> Ask | Cancel:
    """An order, now and then a cancel."""
    n = draw(st.integers(0, len(bars.lot) - 1))
    tag = draw(st.sampled_from((0, 0, 1)))
    if draw(st.integers(0, 7)) == 7:
        return Cancel(n, draw(st.sampled_from((None, tag))))
    kind = draw(st.sampled_from(KINDS))
    side = draw(st.sampled_from((1, -1)))
    tif = draw(st.sampled_from(("gtc", "gtc", "gtc", "day", "gtd", "ioc", "fok")))
    negative = bool(bars.negative) and bars.negative[n]
    trail = draw(st.sampled_from((None, F(1, 16), F(1, 8)))) if kind == "trailing" and not negative else None
    own = None
    if brackets and draw(st.booleans()):
        stop = draw(_price(bars, n, t, F(-2 * side)))
        target = draw(_price(bars, n, t, F(2 * side)))
        own = Bracket(
            stop=draw(st.sampled_from((None, stop))),
            target=draw(st.sampled_from((None, target))),
            trail=draw(st.sampled_from((None, None, Distance("pct", F(1, 8)), Distance("pct", F(1, 16))))),
        )
    return Ask(
        n,
        side * draw(st.sampled_from(QUANTITIES)),
        kind,
        limit=draw(_price(bars, n, t)) if kind in ("limit", "stop_limit") else None,
        stop=draw(_price(bars, n, t)) if kind in ("stop", "stop_limit") else None,
        trail=trail,
        trail_by=draw(st.sampled_from((F(1), F(1, 2), F(3)))) if kind == "trailing" and trail is None else None,
        tif=tif,
        until=t + draw(st.integers(1, 6)) if tif == "gtd" else None,
        reduce_only=draw(st.sampled_from((False, False, False, True))),
        priority=draw(st.sampled_from((1, 1, 1, 2, F(1, 2)))),
        tag=tag,
        bracket=own,
    )


@st.composite
def _price(draw: Draw, bars: Bars, n: int, t: int, away: F = F(0)) -> F:
    """A price of one of the next bars, or near it, as a strategy reads it (T9)."""
    later = [s for s in range(t, min(t + 4, len(bars.close))) if bars.close[s][n] is not None]
    if not later:
        return F(draw(st.integers(8, 64)))
    s = draw(st.sampled_from(later))
    table = draw(st.sampled_from((bars.open, bars.high, bars.low, bars.close)))
    near = table[s][n]
    assert near is not None
    product = F(1)
    for (bar, asset), k in bars.splits.items():
        if asset == n and bar <= s:
            product *= F(k)
    price = near * product + away + draw(st.sampled_from((F(0), F(0), F(0), F(1, 4), F(-1, 4), F(1), F(-1))))
    return price if bars.negative and bars.negative[n] else max(F(1, 2), price)
