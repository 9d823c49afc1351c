"""F7 for orders of the book (O): which order takes the volume of a bar, pieces under a lot or a minimum, FOK, what waits.

An eighth of the volume may fill, so a bar of volume 64 takes 8 units, one of 32 takes 4.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.helpers import Outcome, assert_rows, bars_of, run
from tests.rules.orders import buy, ends, fills, rows, sell, trade_on
from tests.rules.sides import BOTH_SIDES, sign

EIGHTH: dict[str, Any] = {"max_participation": 0.125, "initial_capital": 10_000.0}


def flat(*volumes: float) -> list[tuple[float, ...]]:
    """Bars at 100 with these volumes."""
    return [(100, 100, 100, 100, v) for v in volumes]


def on(side: str, volumes: list[float], given: dict[int, list[Any]], held: float = 0.0, rules: Any = None, **market: Any) -> Outcome:
    """A run at a price of 100, `held` units to begin with; for a short everything is mirrored."""
    start = {"positions": {"A": (held * sign(side), 100.0)}} if held else {}
    return run(bars_of(flat(*volumes), **market), rows(given, side), **{**EIGHTH, **start, **(rules or {})})


# --- who takes it ------------------------------------------------------------------------------------------------------------------


@BOTH_SIDES
def test_F7_T4_reductions_take_volume_first_then_new_risk_by_priority_then_id(side: str) -> None:
    # of 8: the sale closes its 3 whatever its priority; of the purchases the later one is first by priority; then ids: 2 of 4, none
    given = {0: [buy(4), buy(2), buy(3, priority=2), sell(3, priority=0.5)]}
    out = on(side, [1e6, 64, 0], given, held=5)
    assert_rows(fills(side, out), [(1, -3.0, 100.0), (1, 3.0, 100.0), (1, 2.0, 100.0)])
    assert ends(out) == [("pending", "", -1), ("pending", "", -1), ("filled", "", 1), ("filled", "", 1)]


@BOTH_SIDES
def test_F7_F4_the_volume_that_room_leaves_goes_to_the_next_group(side: str) -> None:
    """1000 of room holds 10 at 100: of 16 units of volume 14 go to the first purchase, which uses 10. The next one meets 6, but no room."""
    given = {0: [buy(14, priority=2), buy(3)]}
    out = on(side, [1e6, 128, 0], given, rules={"initial_capital": 1000.0})
    assert_rows(fills(side, out), [(1, 10.0, 100.0)])
    assert ends(out) == [("partial", "cash", 1), ("rejected", "cash", 1)]


@BOTH_SIDES
def test_F7_O3_a_fok_that_leaves_its_group_leaves_its_volume_too(side: str) -> None:
    # the FOK takes all 16, has room for 10 only and goes; the order behind it fills whole
    given = {0: [buy(16, tif="fok", priority=2), buy(9)]}
    out = on(side, [1e6, 128, 0], given, rules={"initial_capital": 1000.0})
    assert_rows(fills(side, out), [(1, 9.0, 100.0)])
    assert ends(out) == [("rejected", "cash", 1), ("filled", "", 1)]


@BOTH_SIDES
def test_F7_O6_a_flip_takes_its_volume_at_its_first_turn(side: str) -> None:
    """Held 2: the sale of 6 closes 2 and keeps 4 more for what it opens, so the purchase of 5 gets 2 of 8, though it fills before."""
    given = {0: [sell(6), buy(5, priority=2)]}
    out = on(side, [1e6, 64, 0], given, held=2)
    assert_rows(fills(side, out), [(1, -2.0, 100.0), (1, 2.0, 100.0), (1, -4.0, 100.0)])
    assert ends(out) == [("filled", "", 1), ("pending", "", -1)]


# --- pieces ------------------------------------------------------------------------------------------------------------------------


@BOTH_SIDES
@pytest.mark.parametrize("kind", ["market", "limit", "stop"])
def test_F7_an_opening_piece_under_the_minimum_waits(side: str, kind: str) -> None:
    # pieces of 3 and then 4 at 100 with a minimum of 350: the first is nothing yet; the last 3 fit the volume and are refused
    price = {"limit": {"limit": 100.0}, "stop": {"stop": 100.0}}.get(kind, {})
    out = on(side, [1e6, 24, 32, 64], {0: [buy(7, kind, **price)]}, min_notional=350.0)
    assert_rows(fills(side, out), [(2, 4.0, 100.0)])
    assert ends(out) == [("partial", "minimum", 3)]


@BOTH_SIDES
def test_F7_a_piece_under_the_minimum_leaves_its_volume_to_the_next_order(side: str) -> None:
    """Of 8 a flip closes 5; 3 more are under the minimum of 350 and wait. The IOC behind finds those 3 and is refused for itself."""
    given = {0: [sell(9), sell(3, "limit", limit=100, tif="ioc")]}
    out = on(side, [1e6, 64, 64], given, held=5, min_notional=350.0)
    assert_rows(fills(side, out), [(1, -5.0, 100.0), (2, -4.0, 100.0)])
    assert ends(out) == [("filled", "", 2), ("rejected", "minimum", 1)]
    # with a minimum of 250 the flip takes all 8, and its last unit is refused
    out = on(side, [1e6, 64, 64], given, held=5, min_notional=250.0)
    assert_rows(fills(side, out), [(1, -8.0, 100.0)])
    assert ends(out) == [("partial", "minimum", 2), ("rejected", "volume", 1)]


@BOTH_SIDES
def test_F7_what_an_order_closes_knows_no_minimum(side: str) -> None:
    out = on(side, [1e6, 8, 8, 64], {0: [sell(3)]}, held=3, min_notional=350.0)
    assert_rows(fills(side, out), [(1, -1.0, 100.0), (2, -1.0, 100.0), (3, -1.0, 100.0)])
    assert ends(out) == [("filled", "", 3)]


@BOTH_SIDES
def test_F7_pieces_of_an_order_are_whole_lots(side: str) -> None:
    # volume for 4.5, 0.5 and 8 units, lots of 2: 4, nothing, the 2 that are left
    out = on(side, [1e6, 36, 4, 64], {0: [buy(6, "limit", limit=100)]}, lot=2.0)
    assert_rows(fills(side, out), [(1, 4.0, 100.0), (3, 2.0, 100.0)])
    assert ends(out) == [("filled", "", 3)]


# --- whole or nothing --------------------------------------------------------------------------------------------------------------


@BOTH_SIDES
@pytest.mark.parametrize(
    ("volume", "filled", "end"),
    [
        (80, [(1, -10.0, 100.0)], ("filled", "", 1)),
        (64, [(1, -4.0, 100.0)], ("partial", "volume", 1)),  # 4 close; for 6 more there is no volume
        (24, [], ("rejected", "volume", 1)),  # 3 of the 4: nothing, and no position of the other side either
    ],
)
def test_O3_F7_a_fok_that_crosses_zero_is_whole_in_each_part(side: str, volume: float, filled: list[Any], end: tuple[Any, ...]) -> None:
    out = on(side, [1e6, volume, 1e6], {0: [sell(10, tif="fok")]}, held=4)
    assert_rows(fills(side, out), filled)
    assert ends(out) == [end]


# --- what waits --------------------------------------------------------------------------------------------------------------------


@BOTH_SIDES
@pytest.mark.parametrize("rule", ["reduce_only", "direction"])
def test_F7_O6_what_waits_is_judged_when_it_fills(side: str, rule: str) -> None:
    """Held 4, to sell 12 at 104: 4 more are bought at the open, volume is left for 2 of 8. After another 4 the 10 that wait are sold."""
    only = {"reduce_only": True} if rule == "reduce_only" else {}
    rules = {"direction": side} if rule == "direction" else {}
    prices = [(100, 100, 100, 100, 1e6), (100, 104, 100, 100, 48), (100, 104, 100, 100, 112), *flat(64)]
    given = {0: [buy(4), sell(12, "limit", limit=104, **only)], 1: [buy(4)]}
    start = {**EIGHTH, **rules, "positions": {"A": (4.0 * sign(side), 100.0)}}
    out = trade_on(side, prices, given, **start)
    assert_rows(fills(side, out), [(1, 4.0, 100.0), (1, -2.0, 104.0), (2, 4.0, 100.0), (2, -10.0, 104.0)])
    assert ends(out) == [("filled", "", 1), ("filled", "", 2), ("filled", "", 2)]
    # without those 4: the 6 that are held, and then nothing is left to close
    out = trade_on(side, prices, {0: given[0]}, **start)
    assert_rows(fills(side, out), [(1, 4.0, 100.0), (1, -2.0, 104.0), (2, -6.0, 104.0)])
    assert ends(out) == [("filled", "", 1), ("partial", rule, 2)]


@BOTH_SIDES
def test_F7_a_stop_that_trades_where_no_volume_is_left_is_a_market_order_from_then_on(side: str) -> None:
    # 4 are bought at the open of bar 1; the stop at 103 is met there, and filled at the next open, 100
    prices = [*flat(1e6), (100, 104, 100, 104, 32), *flat(64)]
    out = trade_on(side, prices, {0: [buy(4), buy(3, "stop", stop=103)]}, **EIGHTH)
    assert_rows(fills(side, out), [(1, 4.0, 100.0), (2, 3.0, 100.0)])
    assert ends(out) == [("filled", "", 1), ("filled", "", 2)]
