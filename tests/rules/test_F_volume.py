"""F7: orders fill a part of the volume only, what is left waits or is dropped, and commission counts an order's total.

All runs but the last few may fill a tenth of the volume (`TENTH`), so a bar of volume 40 takes 4 units.
"""

from __future__ import annotations

from typing import Any

import pytest

import vecbt as vb
from tests.rules.helpers import Outcome, assert_rows, bars_of, quantities, run, run_in_every_order, signals
from tests.rules.orders import buy, rows, sell
from tests.rules.sides import BOTH_SIDES, at, sided, sign, word

TENTH: dict[str, Any] = {"max_participation": 0.1}
DROP: dict[str, Any] = {**TENTH, "participation_rest": "drop"}


def flat(price: float, *volumes: float) -> list[tuple[float, ...]]:
    """Bars at one price with these volumes."""
    return [(price, price, price, price, v) for v in volumes]


def ended(out: Outcome) -> list[tuple[float, str, str, int]]:
    """Filled quantity, status, rules and last bar of each order."""
    return [(o.filled, o.status, o.cut_by, o.done) for o in out.orders]


# --- what fills, and when ----------------------------------------------------------------------------------------------------------


@BOTH_SIDES
def test_F7_an_order_fills_over_the_bars_that_have_the_volume(side: str) -> None:
    """10 at 101, 102, 103: 4, 3 and the last 3, of which the volume would have taken 10. The order is whole in the end: no rule cut it."""
    q = sign(side)
    bars = sided(side, [*flat(100, 1e6), *flat(101, 40), *flat(102, 30), *flat(103, 100)])
    out = run(bars, quantities([10 * q]), initial_capital=2000.0, **TENTH)
    assert_rows(out.filled(), [(1, 4 * q, at(side, 101)), (2, 3 * q, at(side, 102)), (3, 3 * q, at(side, 103))])
    assert_rows(ended(out), [(10 * q, "filled", "", 3)])
    assert_rows([out.orders[0].price], [at(side, (4 * 101 + 3 * 102 + 3 * 103) / 10)])
    assert [f.order for f in out.fills] == [0, 0, 0]


def test_F7_what_waits_at_the_end_is_pending_with_what_it_has() -> None:
    out = run(bars_of(flat(100, 1e6, 40, 20)), quantities([10]), **TENTH)
    assert_rows(ended(out), [(6.0, "pending", "", -1)])
    assert out.orders[0].wanted == 10.0


def test_F7_a_part_of_1_is_all_the_volume() -> None:
    out = run(bars_of(flat(100, 1e6, 7, 2)), quantities([10]), max_participation=1.0)
    assert_rows(out.filled(), [(1, 7.0, 100.0), (2, 2.0, 100.0)])


@BOTH_SIDES
def test_F7_with_close_fills_the_rest_meets_the_next_open(side: str) -> None:
    """4 at the close of bar 0, the rest of 3 at the open of bar 1, which takes 5: 2 are left for its close, where 5 more are asked for."""
    q = sign(side)
    bars = sided(side, [(100, 100, 100, 100, 40), (101, 102, 101, 102, 50), *flat(103, 1e6)])
    out = run(bars, quantities([7 * q, 12 * q]), initial_capital=5000.0, fill="close", **TENTH)
    assert_rows(out.filled(), [(0, 4 * q, at(side, 100)), (1, 3 * q, at(side, 101)), (1, 2 * q, at(side, 102)), (2, 3 * q, at(side, 103))])
    assert_rows(ended(out), [(7 * q, "filled", "", 1), (5 * q, "filled", "", 2)])


@BOTH_SIDES
def test_F7_exits_are_limited_too(side: str) -> None:
    q = sign(side)
    bars = bars_of(flat(100, 1e6, 40, 30, 20, 50))
    out = run(bars, word(side, "l"), positions={"A": (10 * q, 100.0)}, initial_capital=3000.0, **TENTH)
    assert_rows(out.filled(), [(1, -4 * q, 100.0), (2, -3 * q, 100.0), (3, -2 * q, 100.0), (4, -q, 100.0)])
    assert_rows(ended(out), [(-10 * q, "filled", "", 4)])
    assert [(t.exit_t, t.quantity, t.reason) for t in out.trades] == [(4, 10.0, "signal")]


@BOTH_SIDES
def test_F7_F6_a_flip_closes_first_and_opens_with_what_is_left_at_one_price(side: str) -> None:
    """5 held, 5 wanted on the other side: 4 close; then 1 closes and 3 open in one fill, then 2 open."""
    q = sign(side)
    bars = bars_of(flat(100, 1e6, 40, 40, 40))
    out = run(bars, quantities([-5 * q]), positions={"A": (5 * q, 100.0)}, initial_capital=3000.0, costs=vb.Costs(half_spread=1), **TENTH)
    assert_rows(out.filled(), [(1, -4 * q, 100 - q), (2, -4 * q, 100 - q), (3, -2 * q, 100 - q)])
    assert [(t.side, t.exit_t, t.quantity) for t in out.trades] == [(q, 2, 5.0)]
    assert_rows(ended(out), [(-10 * q, "filled", "", 3)])


def test_F7_each_asset_has_its_own_volume() -> None:
    bars = bars_of({"A": flat(10, 1e6, 40, 100), "B": flat(10, 1e6, 70, 100)})
    out = run_in_every_order(bars, quantities({"A": [10], "B": [-10]}), **TENTH)
    assert_rows(out.filled("A"), [(1, 4.0, 10.0), (2, 6.0, 10.0)])
    assert_rows(out.filled("B"), [(1, -7.0, 10.0), (2, -3.0, 10.0)])


def test_F7_F10_scarce_room_is_shared_by_what_the_volume_takes() -> None:
    # 8 of A and 8 of B at 100 fit the volume, 1000 of room holds 10: 5 each, 3 each are lost; the rests of 2 find nothing
    bars = bars_of({"A": flat(100, 1e6, 80, 1e6), "B": flat(100, 1e6, 80, 1e6)})
    out = run_in_every_order(bars, quantities({"A": [10], "B": [10]}), **TENTH)
    assert_rows([o.filled for o in out.orders], [5.0, 5.0], tolerance=1e-11)
    assert [(o.status, o.cut_by, o.done) for o in out.orders] == [("partial", "cash", 2)] * 2


# --- pieces ------------------------------------------------------------------------------------------------------------------------


def test_F7_pieces_are_whole_lots_and_less_than_one_waits() -> None:
    # 4.5 are 4; 0.9 is nothing yet; then 6 of the 6 left
    out = run(bars_of(flat(50, 1e6, 45, 9, 75), lot=1.0), quantities([10]), **TENTH)
    assert_rows(out.filled(), [(1, 4.0, 50.0), (3, 6.0, 50.0)])
    assert_rows(ended(out), [(10.0, "filled", "", 3)])
    # a partial reduction too: 4 of the 7, then 3
    out = run(bars_of(flat(50, 1e6, 45, 9, 75), lot=1.0), quantities([3]), positions={"A": (10.0, 50.0)}, **TENTH)
    assert_rows(out.filled(), [(1, -4.0, 50.0), (3, -3.0, 50.0)])


def test_F7_a_closing_part_that_the_volume_takes_whole_is_exact() -> None:
    # 2.5 held and lots of 1: all of it is sold where the volume takes it, else whole lots, and the last half at the end
    start = {"positions": {"A": (2.5, 100.0)}}
    assert_rows(run(bars_of(flat(100, 1e6, 25), lot=1.0), quantities([0]), **start, **TENTH).filled(), [(1, -2.5, 100.0)])
    out = run(bars_of(flat(100, 1e6, 24, 24), lot=1.0), quantities([0]), **start, **TENTH)
    assert_rows(out.filled(), [(1, -2.0, 100.0), (2, -0.5, 100.0)])


def test_F7_an_opening_piece_under_the_minimum_waits() -> None:
    # 3 at 100 are under 350, 4 are not; the last 3 the volume takes whole, and F4 refuses them
    bars = bars_of(flat(100, 1e6, 30, 40, 90), min_notional=350.0)
    out = run(bars, quantities([7]), **TENTH)
    assert_rows(out.filled(), [(2, 4.0, 100.0)])
    assert_rows(ended(out), [(4.0, "partial", "minimum", 3)])
    # what closes knows no minimum
    out = run(bars, quantities([0]), positions={"A": (7.0, 100.0)}, **TENTH)
    assert_rows(out.filled(), [(1, -3.0, 100.0), (2, -4.0, 100.0)])


def test_F7_what_F4_cuts_of_a_piece_is_lost_and_the_rest_waits_on() -> None:
    # 8 of 15 take 800 of 1000; of the next 5 room is for 2, 3 are lost; 2 still wait and are bought with the deposit of bar 3
    bars = bars_of(flat(100, 1e6, 80, 50, 1e6))
    out = run(bars, quantities([15]), flows={"2024-01-04": 1000.0}, **TENTH)
    assert_rows(out.filled(), [(1, 8.0, 100.0), (2, 2.0, 100.0), (3, 2.0, 100.0)])
    assert_rows(ended(out), [(12.0, "partial", "cash", 3)])
    # and without one the order ends
    out = run(bars, quantities([15]), **TENTH)
    assert_rows(ended(out), [(10.0, "partial", "cash", 3)])


def test_F7_volume_that_F4_leaves_is_there_for_an_exit_of_the_bar() -> None:
    # 3 held; of 15 more the volume takes 8 and the room 5; the stop then closes 3 of 8, the rest of 5 at the next open
    bars = bars_of([*flat(100, 1e6), (100, 100, 90, 90, 80), *flat(90, 1e6)])
    stops = vb.Stops(hard=0.05)
    out = run(bars, quantities([18]), positions={"A": (3.0, 100.0)}, initial_capital=500.0, stops=stops, **TENTH)
    assert_rows(out.filled(), [(1, 5.0, 100.0), (1, -3.0, 95.0), (2, -5.0, 90.0)])


def test_F7_F1_the_volume_share_is_that_of_the_piece() -> None:
    # sigma is 110/100 - 1 = 0.1; 4 of 100 units: 1 * 0.1 * sqrt(0.04) = 2 % of 110
    bars = bars_of([(100, 110, 100, 110, 1e6), *flat(110, 100)])
    out = run(bars, quantities([8]), costs=vb.Costs(volume_share=1.0), max_participation=0.04)
    assert_rows(out.filled(), [(1, 4.0, 112.2)])


# --- F2: commission of the total ---------------------------------------------------------------------------------------------------


@BOTH_SIDES
@pytest.mark.parametrize(
    ("costs", "fees"),
    [
        (vb.Costs(commission_rate=0.01, minimum=5.0), [5.0, 2.0, 3.0]),  # of 400, 700, 1000: 5 (the minimum), 7, 10
        (vb.Costs(per_order=3.0, per_unit=0.5), [5.0, 1.5, 1.5]),  # once 3
        (vb.Costs(per_order=6.0, maximum_rate=0.01), [4.0, 2.0, 0.0]),  # at most 4, then 6
        (vb.Costs(minimum=8.0), [8.0, 0.0, 0.0]),
    ],
)
def test_F7_F2_each_fill_books_the_increase_of_the_order_s_commission(side: str, costs: vb.Costs, fees: list[float]) -> None:
    q = sign(side)
    out = run(bars_of(flat(100, 1e6, 40, 30, 100)), quantities([10 * q]), costs=costs, initial_capital=2000.0, **TENTH)
    assert_rows([f.commission for f in out.fills], fees)
    assert_rows([out.orders[0].commission, out.cash[-1]], [sum(fees), 2000 - 1000 * q - sum(fees)])


def test_F7_F2_the_commission_of_an_exit_is_that_of_its_total_too() -> None:
    out = run(bars_of(flat(100, 1e6, 40, 100)), quantities([0]), positions={"A": (10.0, 100.0)}, costs=vb.Costs(minimum=8.0), **TENTH)
    assert_rows([f.commission for f in out.fills], [8.0, 0.0])
    assert_rows([out.trades[0].commission, out.trades[0].pnl], [8.0, -8.0])


def test_F7_F4_room_knows_only_the_increase() -> None:
    # 2 at 100 and 8 of commission; the other 8 at 99 are exactly the 792 that are left: nothing more is due
    out = run(bars_of([*flat(100, 1e6, 20), *flat(99, 1e6)]), quantities([10]), costs=vb.Costs(per_order=8.0), **TENTH)
    assert_rows(ended(out), [(10.0, "filled", "", 2)])
    assert_rows(out.cash, [1000, 792, 0])


# --- drop --------------------------------------------------------------------------------------------------------------------------


@BOTH_SIDES
def test_F7_drop_ends_the_order_with_what_the_volume_took(side: str) -> None:
    q = sign(side)
    out = run(bars_of(flat(100, 1e6, 40, 1e6)), quantities([10 * q]), **DROP)
    assert_rows(ended(out), [(4 * q, "partial", "volume", 1)])
    out = run(bars_of(flat(100, 1e6, 40, 1e6)), quantities([0]), positions={"A": (10 * q, 100.0)}, initial_capital=3000.0, **DROP)
    assert_rows(ended(out), [(-4 * q, "partial", "volume", 1)])
    assert out.held() == 6 * q


@pytest.mark.parametrize("market", [{"lot": 1.0}, {"min_notional": 100.0}])
def test_F7_drop_of_a_piece_that_is_nothing_rejects_the_order(market: dict[str, float]) -> None:
    out = run(bars_of(flat(100, 1e6, 9, 1e6), **market), quantities([10]), **DROP)
    assert_rows(ended(out), [(0.0, "rejected", "volume", 1)])


def test_F7_drop_what_fits_is_whole() -> None:
    out = run(bars_of(flat(100, 1e6, 100)), quantities([10]), **DROP)
    assert_rows(ended(out), [(10.0, "filled", "", 1)])


def test_F7_drop_of_a_protective_exit_leaves_the_levels_which_are_tested_again() -> None:
    # stop 95: 4 there; 3 at the open of 92 beyond it; 3 at 95 again in bar 4, while bar 3 stays above
    bars = bars_of([*flat(100, 1e6), (100, 100, 90, 92, 40), (92, 97, 92, 97, 30), *flat(97, 1e6), (97, 97, 94, 94, 90)])
    out = run(bars, signals("."), positions={"A": (10.0, 100.0)}, stops=vb.Stops(hard=0.05), **DROP)
    assert_rows(out.filled(), [(1, -4.0, 95.0), (2, -3.0, 92.0), (4, -3.0, 95.0)])
    assert_rows(ended(out), [(-4.0, "partial", "volume", 1), (-3.0, "partial", "volume", 2), (-3.0, "filled", "", 4)])


# --- S4: rests and rows ------------------------------------------------------------------------------------------------------------


def test_F7_S4_a_new_decision_replaces_the_rest() -> None:
    # a target of 10 on each bar: the rest of the order before gives way to a new one
    out = run(bars_of(flat(100, 1e6, 40, 30, 100)), quantities([10, 10, 10]), **TENTH)
    assert_rows(out.ordered(), [(0, 10.0, 4.0, "replaced", ""), (1, 6.0, 3.0, "replaced", ""), (2, 3.0, 3.0, "filled", "")])
    # a target that is met by what is there just ends it
    out = run(bars_of(flat(100, 1e6, 40, 30)), quantities([10, 4]), **TENTH)
    assert_rows(ended(out), [(4.0, "replaced", "", 1)])


def test_F7_S4_an_entry_in_the_side_held_leaves_the_rest_alone() -> None:
    out = run(bars_of(flat(100, 1e6, 40, 30, 100)), signals("L L L"), sizing=vb.Units(10), **TENTH)
    assert_rows(ended(out), [(10.0, "filled", "", 3)])


@BOTH_SIDES
def test_F7_S4_an_exit_replaces_the_rest_of_the_entry(side: str) -> None:
    q = sign(side)
    out = run(bars_of(flat(100, 1e6, 40, 1e6, 1e6)), word(side, "L l"), sizing=vb.Units(10), **TENTH)
    assert_rows(ended(out), [(4 * q, "replaced", "", 1), (-4 * q, "filled", "", 2)])
    assert out.held() == 0.0


# --- P: protective exits -----------------------------------------------------------------------------------------------------------


@BOTH_SIDES
def test_F7_the_rest_of_a_protective_exit_is_a_market_order(side: str) -> None:
    """Stop 95 of 10: 4 there; 3 at the next open (less the spread of 1, like the stop), 3 at the one after. One order, one trade."""
    q = sign(side)
    bars = sided(side, [*flat(100, 1e6), (100, 100, 90, 92, 40), (93, 96, 90, 96, 30), *flat(97, 1e6)])
    out = run(bars, word(side, "."), positions={"A": (10 * q, 100.0)}, initial_capital=3000.0, stops=vb.Stops(hard=0.05),
              costs=vb.Costs(half_spread=1.0, minimum=4.0), **TENTH)  # fmt: skip
    assert_rows(out.filled(), [(1, -4 * q, at(side, 94)), (2, -3 * q, at(side, 92)), (3, -3 * q, at(side, 96))])
    assert [(f.order, f.reason, f.commission) for f in out.fills] == [(0, "stop", 4.0), (0, "stop", 0.0), (0, "stop", 0.0)]
    assert_rows(ended(out), [(-10 * q, "filled", "", 3)])
    assert_rows(out.exits(), [(3, at(side, (4 * 94 + 3 * 92 + 3 * 96) / 10), "stop")])


def test_F7_the_rest_of_a_target_is_a_market_order_with_slippage() -> None:
    # target 110: a limit order, 4 at 110; the rest at the open of 104 less 1, at the taker's rate
    bars = bars_of([*flat(100, 1e6), (100, 112, 100, 105, 40), *flat(104, 1e6)])
    out = run(bars, signals("."), positions={"A": (10.0, 100.0)}, stops=vb.Stops(take_profit=vb.Pct(10)),
              costs=vb.Costs(half_spread=1.0, commission_rate=0.01, maker_rate=0.0), **TENTH)  # fmt: skip
    assert_rows(out.filled(), [(1, -4.0, 110.0), (2, -6.0, 103.0)])
    assert_rows([(f.reason, f.commission) for f in out.fills], [("target", 0.0), ("target", 6.18)])


def test_F7_while_the_rest_of_an_exit_waits_rows_are_not_heard_and_levels_not_tested() -> None:
    # stop 95 at bar 1; the entries of bars 1 and 2 are not heard; bar 2 reaches the target of 110: nothing; bar 3 sells the rest and buys
    bars = bars_of([*flat(100, 1e6), (100, 100, 90, 92, 40), (93, 112, 93, 96, 30), *flat(97, 1e6), *flat(98, 1e6)])
    stops = vb.Stops(hard=0.05, take_profit=vb.Pct(10))
    out = run(bars, signals(". L L L"), sizing=vb.Units(2), positions={"A": (10.0, 100.0)}, stops=stops, accumulate=True, **TENTH)
    assert_rows(out.filled(), [(1, -4.0, 95.0), (2, -3.0, 93.0), (3, -3.0, 97.0), (4, 2.0, 98.0)])
    assert [o.t for o in out.orders] == [1, 3]


def test_F7_an_exit_finds_the_volume_that_the_open_left() -> None:
    # 4 of 10 at the open of bar 1 are all the volume; its low is under the stop of 95: the exit waits, the rest of the entry is replaced
    bars = bars_of([*flat(100, 1e6), (100, 100, 90, 92, 40), *flat(93, 1e6), *flat(93, 1e6)])
    out = run(bars, signals("L"), sizing=vb.Units(10), stops=vb.Stops(hard=0.05), **TENTH)
    assert_rows(out.filled(), [(1, 4.0, 100.0), (2, -4.0, 93.0)])
    assert_rows([(o.t, o.filled, o.status, o.reason, o.done) for o in out.orders],
                [(0, 4.0, "replaced", "signal", 1), (1, -4.0, "filled", "stop", 2)])  # fmt: skip


def test_F7_risk_and_time_exits_are_limited() -> None:
    # 20 % down at bar 2: all goes, 4 and then 6 units
    bars = bars_of([*flat(100, 1e6), *flat(100, 1e6), *flat(80, 1e6), *flat(80, 40), *flat(80, 1e6)])
    out = run(bars, quantities([10, None, None, 10, 10]), risk=vb.Risk(zones=vb.Zones(liquidate_at=0.1)), **TENTH)
    assert_rows([(f.t, f.q, f.reason) for f in out.fills], [(1, 10.0, "signal"), (3, -4.0, "risk"), (4, -6.0, "risk")])
    # so does a position that is one bar old at bar 2
    out = run(bars, signals("L"), sizing=vb.Units(10), stops=vb.Stops(time_bars=1), **TENTH)
    assert_rows([(f.t, f.q, f.reason) for f in out.fills], [(1, 10.0, "signal"), (3, -4.0, "time"), (4, -6.0, "time")])


# --- O: resting orders -------------------------------------------------------------------------------------------------------------


def test_F7_the_rest_of_a_limit_order_rests_on() -> None:
    # 4 at 98; bar 2 does not come down to it; bar 3 does, by its open of 97
    bars = bars_of([*flat(100, 1e6), (100, 100, 98, 100, 40), *flat(99, 1e6), *flat(97, 1e6)])
    out = run(bars, rows({0: [buy(10, "limit", limit=98)]}), **TENTH)
    assert_rows(out.filled(), [(1, 4.0, 98.0), (3, 6.0, 97.0)])
    assert_rows(ended(out), [(10.0, "filled", "", 3)])


def test_F7_the_rest_of_a_triggered_stop_is_a_market_order() -> None:
    # 4 at 102; the next open is at 99, under the stop: the rest is bought there
    bars = bars_of([*flat(100, 1e6), (100, 103, 100, 101, 40), *flat(99, 1e6)])
    out = run(bars, rows({0: [buy(10, "stop", stop=102)]}), initial_capital=2000.0, **TENTH)
    assert_rows(out.filled(), [(1, 4.0, 102.0), (2, 6.0, 99.0)])


def test_F7_orders_of_one_asset_share_the_bar_s_volume_in_the_order_they_meet_it() -> None:
    # of 5 units the market sale takes 3 at the open, then the reducing limit 2 of its 4, then nothing is left for the purchase at 97
    bars = bars_of([*flat(100, 1e6), (100, 103, 96, 100, 50), *flat(100, 1e6)])
    given = rows({0: [sell(4, "limit", limit=102), buy(5, "limit", limit=97), sell(3)]})
    out = run(bars, given, positions={"A": (10.0, 100.0)}, initial_capital=5000.0, **TENTH)
    assert_rows(out.filled(), [(1, -3.0, 100.0), (1, -2.0, 102.0)])


# --- what knows no volume ----------------------------------------------------------------------------------------------------------


def test_F7_T8_the_call_at_the_end_knows_no_volume() -> None:
    out = run(bars_of(flat(100, 1e6, 40)), quantities([0]), positions={"A": (10.0, 100.0)}, liquidate_at_end=True, **TENTH)
    assert_rows([(f.t, f.q, f.reason) for f in out.fills], [(1, -4.0, "signal"), (1, -6.0, "end")])
    assert_rows(ended(out), [(-4.0, "cancelled", "", 1), (-6.0, "filled", "", 1)])


def test_F7_T10_a_delisting_knows_no_volume() -> None:
    bars = bars_of({"A": flat(100, 1e6, 40, 1), "B": flat(1, 1, 1, 1)}, delistings={"A": "2024-01-03"})
    out = run(bars, quantities({"A": [0]}), positions={"A": (10.0, 100.0)}, **TENTH)
    assert_rows([(f.t, f.q, f.reason) for f in out.fills], [(1, -4.0, "signal"), (2, -0.1, "signal"), (2, -5.9, "delisting")])
    assert [(o.status, o.cut_by) for o in out.orders] == [("cancelled", "delisted"), ("filled", "")]


@pytest.mark.parametrize("rest", ["queue", "drop"])
def test_F7_without_volume_nothing_fills_and_no_level_is_tested(rest: str) -> None:
    rules: dict[str, Any] = {**TENTH, "participation_rest": rest}
    out = run(bars_of(flat(100, 1e6, 0, 1e6)), quantities([10]), **rules)
    assert_rows(out.filled(), [(2, 10.0, 100.0)])
    bars = bars_of([*flat(100, 1e6), (100, 100, 80, 100, 0), (100, 100, 94, 100, 1e6)])
    out = run(bars, signals("."), positions={"A": (10.0, 100.0)}, stops=vb.Stops(hard=0.05), **rules)
    assert_rows(out.filled(), [(2, -10.0, 95.0)])


def test_F7_no_volume_column_is_an_error() -> None:
    with pytest.raises(vb.errors.ConfigError, match="max_participation is a part of the volume, but the bars have no volume column"):
        run(bars_of([100, 100]), quantities([1]), **TENTH)
    bars = bars_of([100, 100])
    stream = vb.Stream(vb.Quantities, market=bars.market, costs=vb.Costs.free(), **TENTH)
    with pytest.raises(vb.errors.DataError, match="has no volume, but volume_share or max_participation use it"):
        stream.update(bars.row(0), vb.Quantities([1.0]))


@pytest.mark.parametrize("part", [0.0, -0.1, 1.1, True, "a tenth"])
def test_F7_a_part_that_is_none_is_refused(part: Any) -> None:
    with pytest.raises(vb.errors.ConfigError, match=r"max_participation is .*; expected a fraction of the volume, more than 0"):
        run(bars_of(flat(100, 1e6)), quantities([1]), max_participation=part)


# --- T1: a rest meets a split ------------------------------------------------------------------------------------------------------


def test_F7_T1_a_rest_is_multiplied_by_a_split_and_so_is_what_it_has() -> None:
    # 4 of 10 at 100, then 2 for 1: 12 of 20 at 50; the minimum of 8 is paid once, the total of 2 a unit: 8, then 40
    bars = bars_of([*flat(100, 1e6, 40), *flat(50, 1e6)], splits={"A": {"2024-01-03": 2.0}})
    out = run(bars, quantities([10]), initial_capital=2000.0, costs=vb.Costs(per_unit=2.0), **TENTH)
    assert_rows(out.filled(), [(1, 4.0, 100.0), (2, 12.0, 50.0)])
    assert_rows(out.ordered(), [(0, 20.0, 20.0, "filled", "")])
    assert_rows([out.orders[0].price], [50.0])
    assert_rows([f.commission for f in out.fills], [8.0, 32.0])


def test_F7_T1_a_protective_rest_is_multiplied_too() -> None:
    bars = bars_of([*flat(100, 1e6), (100, 100, 90, 92, 40), *flat(46, 1e6)], splits={"A": {"2024-01-03": 2.0}})
    out = run(bars, signals("."), positions={"A": (10.0, 100.0)}, stops=vb.Stops(hard=0.05), **TENTH)
    assert_rows(out.filled(), [(1, -4.0, 95.0), (2, -12.0, 46.0)])
    assert out.held() == 0.0


@BOTH_SIDES
def test_F7_T1_S4_the_rest_of_an_exit_dies_with_a_position_that_is_all_fraction(side: str) -> None:
    # 4 of 5 are closed; the last one is half a unit after one for two, and paid out: of what is 2.5 now the order has 2
    q = sign(side)
    bars = bars_of([*flat(100, 1e6, 40), *flat(200, 1e6)], lot=1.0, splits={"A": {"2024-01-03": 0.5}})
    out = run(bars, quantities([0]), positions={"A": (5 * q, 100.0)}, initial_capital=3000.0, **TENTH)
    assert_rows([(f.t, f.q, f.reason) for f in out.fills], [(1, -4 * q, "signal"), (2, -0.5 * q, "split")])
    assert_rows([(o.wanted, o.filled, o.status, o.cut_by) for o in out.orders if o.reason == "signal"], [(-2.5 * q, -2 * q, "partial", "")])
