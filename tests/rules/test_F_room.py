"""F4, F5 and F10: how much fits, how it is rounded, and who gets room that is scarce."""

from __future__ import annotations

from typing import Any

import pytest

import vecbt as vb
from tests.rules.helpers import assert_rows, bars_of, quantities, run, run_in_every_order, signals, strengths, weights

SIDES = pytest.mark.parametrize("side", [1.0, -1.0], ids=["long", "short"])

# --- F4: new risk must leave gross <= equity ---------------------------------------------------------------------------------------


@SIDES
@pytest.mark.parametrize("fill", ["next_open", "close"])
def test_F4_new_risk_is_cut_to_what_fits(side: float, fill: str) -> None:
    out = run(bars_of([100, 100]), quantities([20 * side]), fill=fill)
    assert_rows(out.ordered(), [(0, 20 * side, 10 * side, "partial", "cash")])


@SIDES
def test_F4_what_fits_exactly_is_not_cut(side: float) -> None:
    out = run(bars_of([100, 100]), quantities([10 * side]))
    assert_rows(out.ordered(), [(0, 10 * side, 10 * side, "filled", "")])


def test_F4_holds_after_the_order_s_own_commission() -> None:
    # 10 at 99 and 1 each: exactly 1000
    out = run(bars_of([99, 99]), quantities([20]), costs=vb.Costs(per_unit=1.0))
    assert_rows(out.filled(), [(1, 10.0, 99.0)])
    assert_rows(out.cash[-1:], [0.0])
    # a short of q at 100 needs 100 q <= 1000 - q
    out = run(bars_of([100, 100]), quantities([-20]), costs=vb.Costs(per_unit=1.0))
    assert_rows(out.filled(), [(1, -1000 / 101, 100.0)])
    # 25 %: 100 q * 1.25 = 1000
    out = run(bars_of([100, 100]), quantities([20]), costs=vb.Costs(commission_rate=0.25))
    assert_rows(out.filled(), [(1, 8.0, 100.0)])


def test_F4_a_flip_needs_room_for_what_it_opens_after_the_commission_of_both_parts() -> None:
    # closing 5 leaves 1500 - 5; the short of q needs 100 q <= 1495 - q
    out = run(bars_of([100, 100]), quantities([-20]), costs=vb.Costs(per_unit=1.0), positions={"A": (5.0, 100.0)})
    assert_rows(out.filled(), [(1, -5 - 1495 / 101, 100.0)])


def test_F4_a_commission_that_is_more_than_the_room_leaves_nothing() -> None:
    out = run(bars_of([100, 100]), quantities([20]), costs=vb.Costs(per_order=1001.0))
    assert_rows(out.ordered(), [(0, 20.0, 0.0, "rejected", "cash")])
    assert out.equity == [1000.0, 1000.0]


def test_F4_values_the_asset_at_its_fill_price() -> None:
    # bought at 125: 1000 / 125; sold at 75: 1000 / 75
    assert_rows(run(bars_of([100, 100]), quantities([20]), costs=vb.Costs(half_spread=25)).filled(), [(1, 8.0, 125.0)])
    assert_rows(run(bars_of([100, 100]), quantities([-20]), costs=vb.Costs(half_spread=25)).filled(), [(1, -1000 / 75, 75.0)])
    # what is held of it too: short 5 from 100 with 2000 of cash; at 110 - 10 equity is 2000 - 500, gross 500: room for 10 more
    start = {"initial_capital": 2000.0, "positions": {"A": (-5.0, 100.0)}}
    out = run(bars_of([110, 110]), quantities([-20]), costs=vb.Costs(half_spread=10), **start)
    assert_rows(out.filled(), [(1, -10.0, 100.0)])


def test_F4_the_multiplier_counts() -> None:
    out = run(bars_of([20, 20], multiplier=5.0), quantities([20]))
    assert_rows(out.filled(), [(1, 10.0, 20.0)])


def test_F4_proceeds_of_shorts_buy_nothing() -> None:
    bars = bars_of({"A": [100.0] * 3, "B": [100.0] * 3})
    # short 6 leaves 400 of room although cash is 1600
    out = run_in_every_order(bars, quantities({"A": [-6], "B": [None, 10]}))
    assert_rows(out.cash, [1000, 1600, 1200])
    assert_rows(out.ordered("B"), [(1, 10.0, 4.0, "partial", "cash")])


@pytest.mark.parametrize(
    ("last", "fill"),
    [((120, 120, 100, 100), "next_open"), ((100, 120, 100, 120), "close"), (None, "next_open")],
    ids=["others at the open", "others at the close", "no market: at the mark"],
)
def test_F4_values_the_others_at_the_open_the_close_or_the_mark(last: Any, fill: str) -> None:
    # A is short 5 from 100 and stands at 120 (its open, its close, its last close): equity 1500 - 600 = 900, gross 600, room 300
    before = (100, 120, 100, 120) if last is None else 100
    bars = bars_of({"A": [100, before, last], "B": [100.0] * 3})
    rows = {"A": [-5], "B": [None, 10]} if fill == "next_open" else {"A": [-5], "B": [None, None, 10]}
    out = run_in_every_order(bars, quantities(rows), fill=fill)
    assert_rows([(f.t, f.q) for f in out.fills if f.asset == "B"], [(2, 3.0)])


def test_F4_is_rounded_down_to_the_lot_and_under_one_it_is_rejected() -> None:
    # 1000 buy 3.33 at 300
    assert_rows(run(bars_of([300, 300], lot=1.0), quantities([5])).ordered(), [(0, 5.0, 3.0, "partial", "cash")])
    assert_rows(run(bars_of([300, 300], lot=2.0), quantities([-6])).ordered(), [(0, -6.0, -2.0, "partial", "cash")])
    assert_rows(run(bars_of([2000, 2000], lot=1.0), quantities([2])).ordered(), [(0, 2.0, 0.0, "rejected", "cash, lot")])


def test_F4_under_min_notional_it_is_rejected() -> None:
    # 1 at 100 is a notional of 100
    assert_rows(run(bars_of([100, 100], min_notional=100.0), quantities([1])).ordered(), [(0, 1.0, 1.0, "filled", "")])
    assert_rows(run(bars_of([100, 100], min_notional=101.0), quantities([-1])).ordered(), [(0, -1.0, 0.0, "rejected", "minimum")])
    assert_rows(run(bars_of([100, 100], min_notional=101.0, multiplier=2.0), quantities([1])).ordered(), [(0, 1.0, 1.0, "filled", "")])
    # it counts at the fill: 150 at the decision, 90 at the open
    assert_rows(run(bars_of([150, 90], min_notional=100.0), quantities([1])).ordered(), [(0, 1.0, 0.0, "rejected", "minimum")])
    # and after the cut: 20 wanted, 10 fit, which is 1000
    assert_rows(run(bars_of([100, 100], min_notional=1500.0), quantities([20])).ordered(), [(0, 20.0, 0.0, "rejected", "cash, minimum")])


def test_F4_reductions_need_no_cash() -> None:
    # short 10 from 100; at 150 equity is 2000 - 1500 = 500 and the room 500 - 1500 < 0; covering 4 costs 600, the other 6 cost 900
    out = run(bars_of([100, 100, 150, 150, 150]), quantities([-10, None, -6, 0]))
    assert_rows(out.filled(), [(1, -10.0, 100.0), (3, 4.0, 150.0), (4, 6.0, 150.0)])
    assert_rows(out.cash, [1000, 2000, 2000, 1400, 500])
    # nor does it matter that it leaves cash below zero: 400 of cash, 10 of B at 100, and 4 short of A to be covered at 125
    bars = bars_of({"A": [100, 125], "B": [100.0] * 2})
    out = run(bars, quantities({"A": [0]}), positions={"A": (-4.0, 100.0), "B": (10.0, 100.0)}, initial_capital=400.0)
    assert_rows(out.ordered(), [(0, 4.0, 4.0, "filled", "")])
    assert_rows(out.cash, [400, -100])


def test_F4_nothing_fits_without_room() -> None:
    bars = bars_of({"A": [100.0] * 3, "B": [100.0] * 3})
    out = run(bars, quantities({"A": [10], "B": [None, 1]}))
    assert_rows(out.ordered("B"), [(1, 1.0, 0.0, "rejected", "cash")])
    assert out.orders[-1].done == 2


# --- F5: rounding ------------------------------------------------------------------------------------------------------------------


@SIDES
def test_F5_an_entry_is_rounded_toward_zero_which_is_no_cut(side: float) -> None:
    out = run(bars_of([10, 10], lot=1.0), quantities([10.7 * side]))
    assert_rows(out.ordered(), [(0, 10.7 * side, 10 * side, "filled", "")])
    assert out.orders[0].opening == 10 * side


def test_F5_less_than_one_lot_is_rejected_at_the_decision() -> None:
    out = run(bars_of([10, 10], lot=1.0), quantities([0.7]))
    assert_rows(out.ordered(), [(0, 0.7, 0.0, "rejected", "lot")])
    assert out.orders[0].done == 0


@SIDES
def test_F5_a_partial_reduction_is_rounded_toward_zero(side: float) -> None:
    out = run(bars_of([10.0] * 3, lot=1.0), quantities([10 * side, 6.5 * side]))
    # from 10 to 6.5 are 3.5, of which 3
    assert_rows(out.ordered()[1:], [(1, -3.5 * side, -3 * side, "filled", "")])
    out = run(bars_of([10.0] * 3, lot=1.0), quantities([10 * side, 9.5 * side]))
    assert_rows(out.ordered()[1:], [(1, -0.5 * side, 0.0, "rejected", "lot")])


def test_F5_an_increase_is_rounded_not_the_position() -> None:
    out = run(bars_of([10.0] * 2, lot=1.0), quantities([9.9]), positions={"A": (2.5, 10.0)})
    # 7.4 more, of which 7
    assert_rows(out.filled(), [(1, 7.0, 10.0)])
    assert out.held() == 9.5


@SIDES
def test_F5_closing_takes_exactly_what_is_held(side: float) -> None:
    bars = bars_of([10.0] * 2, lot=1.0, min_notional=500.0)
    out = run(bars, quantities([0]), positions={"A": (2.5 * side, 10.0)})
    assert_rows(out.ordered(), [(0, -2.5 * side, -2.5 * side, "filled", "")])
    assert out.held() == 0.0


def test_F5_a_flip_closes_exactly_and_opens_whole_lots() -> None:
    out = run(bars_of([10.0] * 2, lot=1.0), quantities([-3.7]), positions={"A": (2.5, 10.0)})
    assert_rows(out.ordered(), [(0, -6.2, -5.5, "filled", "")])
    assert_rows([out.orders[0].closing, out.orders[0].opening], [-2.5, -3.0])


def test_F5_lots_allow_1e_9() -> None:
    # 0.3 / 0.1 is 2.9999999999999996 in floats: three lots all the same
    assert_rows(run(bars_of([10, 10], lot=0.1), quantities([0.3])).filled(), [(1, 0.3, 10.0)])
    # a millionth short is two
    assert_rows(run(bars_of([10, 10], lot=0.1), quantities([0.2999997])).filled(), [(1, 0.2, 10.0)])


def test_F5_the_cash_test_allows_1e_9() -> None:
    enough = run(bars_of([100, 100], lot=1.0), quantities([10]), initial_capital=1000 * (1 - 5e-10))
    assert_rows(enough.ordered(), [(0, 10.0, 10.0, "filled", "")])
    short_of_it = run(bars_of([100, 100], lot=1.0), quantities([10]), initial_capital=1000 * (1 - 5e-9))
    assert_rows(short_of_it.ordered(), [(0, 10.0, 9.0, "partial", "cash")])


@pytest.mark.parametrize(
    ("q", "bar", "reason", "price"),
    [
        # stop 97.5: a long's up to 98, a short's 102.5 down to 102
        (2.0, (100, 100, 98, 100), "stop", 98.0),
        (-2.0, (100, 102, 100, 100), "stop", 102.0),
        # target 102.5: a long's up to 103, a short's 97.5 down to 97
        (2.0, (100, 103, 100, 100), "target", 103.0),
        (-2.0, (100, 100, 97, 100), "target", 97.0),
    ],
)
def test_F5_protective_levels_are_rounded_up_for_longs_and_down_for_shorts(
    q: float, bar: tuple[float, ...], reason: str, price: float
) -> None:
    stops = vb.Stops(hard=0.025, take_profit=vb.Pct(2.5))
    out = run(bars_of([100, bar], tick=1.0), signals("."), stops=stops, positions={"A": (q, 100.0)})
    assert_rows(out.exits(), [(1, price, reason)])
    # half a tick short of it nothing happens
    inner = tuple(100 + (p - 100) * 0.75 for p in bar)
    out = run(bars_of([100, inner], tick=1.0), signals("."), stops=stops, positions={"A": (q, 100.0)})
    assert out.fills == []


def test_F5_a_level_on_the_grid_stays_there() -> None:
    # 36 % below 60 are 384.00000000000006 ticks of 0.1 in floats: still 38.4, not 38.5
    bars = bars_of([60, (60, 60, 38, 60)], tick=0.1)
    out = run(bars, signals("."), stops=vb.Stops(hard=0.36), positions={"A": (2.0, 60.0)})
    assert_rows(out.exits(), [(1, 38.4, "stop")])
    # 6 % above 55 are 582.9999999999999 ticks: still 58.3, not 58.2
    bars = bars_of([55, (55, 60, 55, 55)], tick=0.1)
    out = run(bars, signals("."), stops=vb.Stops(hard=0.06), positions={"A": (-2.0, 55.0)})
    assert_rows(out.exits(), [(1, 58.3, "stop")])


# --- F10: scarce room --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fill", ["next_open", "close"])
def test_F10_equal_priorities_are_scaled_by_one_factor(fill: str) -> None:
    bars = bars_of({"A": [100.0] * 2, "B": [50.0] * 2, "C": [25.0] * 2})
    # 600 + 600 (short) + 300 of 1200: four fifths each
    rows = quantities({"A": [6], "B": [-12], "C": [12]})
    out = run_in_every_order(bars, rows, initial_capital=1200.0, fill=fill)
    assert_rows(out.ordered("A"), [(0, 6.0, 4.8, "partial", "cash")], tolerance=1e-11)
    assert_rows(out.ordered("B"), [(0, -12.0, -9.6, "partial", "cash")], tolerance=1e-11)
    assert_rows(out.ordered("C"), [(0, 12.0, 9.6, "partial", "cash")], tolerance=1e-11)


@pytest.mark.parametrize(
    ("costs", "factor"),
    [
        (vb.Costs(commission_rate=0.25), 2 / 3),  # 1200 * 1.25 f = 1000
        (vb.Costs(per_order=50.0), 0.75),  # 1200 f + 100 = 1000
        (vb.Costs(per_unit=25.0), 1000 / 1650),  # 6 and 12 units: 1200 f + 450 f
        (vb.Costs(commission_rate=0.1, minimum=100.0), 2 / 3),  # 800 pay their minima: 1200 f + 200 = 1000
        (vb.Costs(half_spread=20.0), 1000 / 1560),  # 6 * 120 + 12 * 70
    ],
)
def test_F10_the_factor_is_the_largest_that_fits_after_costs(costs: vb.Costs, factor: float) -> None:
    bars = bars_of({"A": [100.0] * 2, "B": [50.0] * 2})
    out = run_in_every_order(bars, quantities({"A": [6], "B": [12]}), costs=costs)
    assert_rows([o.filled for o in out.orders], [6 * factor, 12 * factor], tolerance=1e-11)
    assert_rows(out.cash[-1:], [0.0])


def test_F10_then_lots_are_cut_and_what_they_free_is_not_handed_out_again() -> None:
    bars = bars_of({"A": [100.0] * 2, "B": [40.0] * 2}, lot=1.0)
    # 600 + 600 of 900: three quarters, 4.5 and 11.25: 4 and 11; the 60 that are left would buy one more of B
    out = run_in_every_order(bars, quantities({"A": [6], "B": [15]}), initial_capital=900.0)
    assert_rows(out.filled("A"), [(1, 4.0, 100.0)])
    assert_rows(out.filled("B"), [(1, 11.0, 40.0)])
    assert_rows(out.cash[-1:], [60.0])


def test_F10_what_a_minimum_frees_is_not_handed_out_again() -> None:
    bars = bars_of({"A": [100.0] * 2, "B": [100.0] * 2}, min_notional=60.0)
    # 100 + 1900 of 1000: half; A's 50 are under the minimum, B stays at 9.5
    out = run_in_every_order(bars, quantities({"A": [1], "B": [19]}))
    assert_rows(out.ordered("A"), [(0, 1.0, 0.0, "rejected", "cash, minimum")])
    assert_rows(out.filled("B"), [(1, 9.5, 100.0)], tolerance=1e-11)


def test_F10_lower_priorities_get_what_the_higher_ones_leave() -> None:
    prices = {name: [100.0] * 2 for name in "ABCD"}
    # B and C (0.8) take 300 each, A and D (0.5) share the 400 that are left of 1000: two thirds of 3 each
    rows = strengths({"A": [0.5], "B": [0.8], "C": [-0.8], "D": [-0.5]})
    out = run_in_every_order(bars_of(prices), rows, sizing=vb.Units(3))
    assert_rows([(o.asset, o.filled) for o in sorted(out.orders, key=lambda o: o.asset)], [("A", 2), ("B", 3), ("C", -3), ("D", -2)])
    assert [o.cut_by for o in sorted(out.orders, key=lambda o: o.asset)] == ["cash", "", "", "cash"]


def test_F10_what_lots_free_of_a_higher_priority_is_room_for_the_lower() -> None:
    bars = bars_of({"A": [300.0] * 2, "B": [100.0] * 2}, lot=1.0)
    # A (0.9): 3 of 4 for 900; B (0.1) one for the 100 that are left
    out = run_in_every_order(bars, strengths({"A": [0.9], "B": [0.1]}), sizing=vb.Units(4))
    assert_rows(out.filled("A"), [(1, 3.0, 300.0)])
    assert_rows(out.filled("B"), [(1, 1.0, 100.0)])


def test_F10_a_group_that_misses_by_1e_9_fits_whole() -> None:
    bars = bars_of({"A": [100.0] * 2, "B": [100.0] * 2})
    rows = quantities({"A": [5], "B": [5]})
    near = run_in_every_order(bars, rows, initial_capital=1000 * (1 - 5e-10))
    assert [(o.filled, o.cut_by) for o in near.orders] == [(5.0, ""), (5.0, "")]
    far = run_in_every_order(bars, rows, initial_capital=1000 * (1 - 5e-9))
    assert [o.cut_by for o in far.orders] == ["cash", "cash"]


def test_F10_weights_and_quantities_have_priority_1() -> None:
    bars = bars_of({"A": [100.0] * 2, "B": [100.0] * 2})
    assert [o.priority for o in run(bars, weights({"A": [0.25], "B": [-0.5]})).orders] == [1.0, 1.0]
    assert [o.priority for o in run(bars, quantities({"A": [0.5], "B": [-2]})).orders] == [1.0, 1.0]


def test_F10_flips_share_with_entries_what_their_closing_frees() -> None:
    bars = bars_of({"A": [100.0] * 3, "B": [100.0] * 3})
    # A goes from 10 to -10, B from nothing to 10: 2000 wanted of the 1000 that are free: half each
    out = run_in_every_order(bars, quantities({"A": [10, -10], "B": [None, 10]}))
    assert_rows(out.filled("A"), [(1, 10.0, 100.0), (2, -15.0, 100.0)])
    assert_rows(out.filled("B"), [(2, 5.0, 100.0)])


def test_F10_orders_that_waited_and_new_ones_meet_the_same_room() -> None:
    bars = bars_of({"A": [100, None, 100], "B": [100.0] * 3})
    # A's order of bar 0 waits for bar 2, where B's of bar 1 comes too: 1600 wanted of 1000
    out = run_in_every_order(bars, quantities({"A": [8], "B": [None, 8]}))
    assert_rows(out.filled("A"), [(2, 5.0, 100.0)])
    assert_rows(out.filled("B"), [(2, 5.0, 100.0)])


def test_F10_separate_accounts_do_not_share() -> None:
    bars = bars_of({"A": [100.0] * 2, "B": [100.0] * 2})
    out = run_in_every_order(bars, quantities({"A": [8], "B": [8]}), accounts="separate")
    assert [o.filled for o in out.orders] == [8.0, 8.0]
