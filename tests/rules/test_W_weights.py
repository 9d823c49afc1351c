"""W1 to W3: rows of target weights. Capital is 1,000 and prices are 100 unless a test says otherwise.

Costs are chosen so that E of W2 is round: a commission of 25 % makes a full position cost a quarter of itself, E = 1,000 - E/4 = 800.
"""

from __future__ import annotations

import math
from typing import Any

import pytest

import vecbt as vb
from tests.rules.helpers import assert_rows, bars_of, quantities, run, run_in_every_order, weights
from tests.rules.sides import BOTH_FILLS, BOTH_SIDES, at, sided, sign

QUARTER = vb.Costs(commission_rate=0.25)


# --- W1: targets become orders --------------------------------------------------------------------------------------


@BOTH_SIDES
def test_W1_a_target_is_made_units_at_the_close_and_filled_at_the_next_open(side: str) -> None:
    """Half of 1,000 at a close of 100: 5 units, bought at 110 (a short's 90) all the same."""
    out = run(sided(side, [100, (110, 110, 100, 105)]), weights([0.5 * sign(side)]))
    assert out.ordered() == [(0, 5 * sign(side), 5 * sign(side), "filled", "")]
    assert out.filled() == [(1, 5 * sign(side), at(side, 110.0))]


@BOTH_SIDES
def test_W1_with_close_fills_it_is_filled_at_that_close(side: str) -> None:
    out = run(sided(side, [100, 110]), weights([0.5 * sign(side)]), fill="close")
    assert out.filled() == [(0, 5 * sign(side), 100.0)]


@BOTH_FILLS
def test_W1_it_is_of_the_equity_of_its_bar(fill: str) -> None:
    """5 units rise from 100 to 140: equity 1,200, half of it is 600 or 4 2/7 units: 5/7 of one is sold at 140."""
    out = run(bars_of([100, 100, 140, 140]), weights([0.5, None, 0.5]), fill=fill)
    assert_rows(out.filled()[1:], [(3 if fill == "next_open" else 2, 600 / 140 - 5, 140.0)])


def test_W1_F4_the_quantities_meet_the_market_like_all_orders() -> None:
    """10 units at the close of 100; the open is 125, where 1,000 buys 8."""
    out = run(bars_of([100, 125]), weights([1.0]))
    assert out.ordered() == [(0, 10.0, 8.0, "partial", "cash")]


def test_W1_F5_they_are_rounded_to_lots() -> None:
    """0.75 of 1,000 at 100 is 7.5: 6 with lots of 3; back to 0.45, of 1.5 units to sell none is a lot: refused."""
    out = run(bars_of([100, 100, 100], lot=3.0), weights([0.75, 0.45]))
    assert out.ordered() == [(0, 7.5, 6.0, "filled", ""), (1, -1.5, 0.0, "rejected", "lot")]


def test_W1_a_multiplier_counts() -> None:
    """Half of 1,000 at 100 with multiplier 5: one unit."""
    assert run(bars_of([100, 100], multiplier=5.0), weights([0.5])).filled() == [(1, 1.0, 100.0)]


@BOTH_SIDES
def test_W1_nan_leaves_the_asset_and_zero_closes_it(side: str) -> None:
    """Whatever the lot: 0 closes all of what is held."""
    q = 2.5 * sign(side)
    bars = sided(side, [100, 100, 100, 100], lot=1.0)
    out = run(bars, weights([None, 0.0]), positions={"A": (q, 100)})
    assert out.ordered() == [(1, -q, -q, "filled", "")]
    assert run(bars, weights([None, None]), positions={"A": (q, 100)}).orders == []


def test_W1_a_row_moves_all_assets_reductions_first() -> None:
    """All of A into B: the sale at the open pays for the purchase."""
    bars = bars_of({"A": [100] * 3, "B": [50] * 3})
    out = run_in_every_order(bars, weights({"A": [1.0, 0.0], "B": [None, 1.0]}))
    assert out.filled("A") == [(1, 10.0, 100.0), (2, -10.0, 100.0)]
    assert out.filled("B") == [(2, 20.0, 50.0)]


@BOTH_SIDES
def test_W1_a_sign_that_changes_flips_in_one_order(side: str) -> None:
    """From half long to half short: 5 + 5."""
    q = sign(side)
    out = run(sided(side, [100, 100, 100]), weights([0.5 * q, -0.5 * q]))
    assert out.filled() == [(1, 5 * q, 100.0), (2, -10 * q, 100.0)]


@BOTH_SIDES
@pytest.mark.parametrize(("held", "orders"), [(10 * (1 - 5e-10), 0), (10 * (1 + 5e-10), 0), (10 * (1 - 5e-9), 1), (10 * (1 + 5e-9), 1)])
def test_W1_a_target_within_a_billionth_of_what_is_held_is_met(side: str, held: float, orders: int) -> None:
    """Quantities of 10 against starting positions a little off: 5e-10 is met and makes no order, 5e-9 is not."""
    q = sign(side)
    out = run(bars_of([100, 100]), quantities([10 * q]), positions={"A": (held * q, 100)}, initial_capital=3000.0)
    assert len(out.orders) == orders


@BOTH_FILLS
def test_W1_W2_a_met_target_has_no_order_and_no_cost(fill: str) -> None:
    """5 of A at 100 out of 1,000 are the half that is asked for: nothing to trade, so nothing of 10 per order comes off before."""
    costs = vb.Costs(per_order=10)
    out = run(bars_of([100, 100]), weights([0.5]), positions={"A": (5, 100)}, initial_capital=500.0, costs=costs, fill=fill)
    assert out.orders == []


def test_W1_S1_a_forbidden_side_is_zero() -> None:
    """Only long: -0.5 closes what is held and opens nothing; from flat it makes no order."""
    bars = bars_of([100] * 3)
    assert run(bars, weights([0.5, -0.5]), direction="long").filled() == [(1, 5.0, 100.0), (2, -5.0, 100.0)]
    assert run(bars, weights([-0.5]), direction="long").orders == []
    assert run(bars, weights([-0.5, 0.5]), direction="short").filled() == [(1, -5.0, 100.0), (2, 5.0, 100.0)]


def test_W1_F14_separate_accounts_have_weights_of_their_own_equity() -> None:
    """A's account has 1,000, B's lost half of it: 1.0 buys 10 of A, and 5 of B at 100."""
    bars = bars_of({"A": [100] * 4, "B": [100, 100, 50, 50]})
    given = weights({"A": [None, None, 1.0], "B": [1.0, None, 1.0]})
    out = run(bars, given, accounts="separate")
    assert out.filled("A") == [(3, 10.0, 100.0)]
    assert out.filled("B") == [(1, 10.0, 100.0)]  # 10 units of 50 are the whole of 500: met


def test_W1_F8_a_row_on_a_bar_without_a_market_says_nothing() -> None:
    out = run(bars_of([100, None, 100, 100]), weights([None, 0.5, None, None]))
    assert out.orders == []


# --- W2: net of the rebalance's own costs ---------------------------------------------------------------------------


@BOTH_SIDES
@BOTH_FILLS
@pytest.mark.parametrize(
    ("costs", "wanted", "price"),
    [
        (QUARTER, 8.0, 100.0),  # E = 1,000 - E/4
        (vb.Costs(slippage_bps=2500), 8.0, 125.0),  # a quarter lost in the price: the same E
        (vb.Costs(half_spread=25), 8.0, 125.0),
        (vb.Costs(per_unit=25), 8.0, 100.0),
        (vb.Costs(per_order=200), 8.0, 100.0),
        (vb.Costs(minimum=200, commission_rate=0.1), 8.0, 100.0),
        (vb.Costs(commission_rate=0.25, maximum_rate=0.125), 1000 / 112.5, 100.0),
    ],
)
def test_W2_net_targets_are_of_the_equity_after_their_own_costs(side: str, fill: str, costs: vb.Costs, wanted: float, price: float) -> None:
    """The target of 1 spends 1,000 in all, and its commission and slippage are in it."""
    out = run(sided(side, [100, 100]), weights([sign(side)]), costs=costs, fill=fill)
    order = out.orders[0]
    assert_rows([(order.wanted, order.filled, order.status)], [(wanted * sign(side), wanted * sign(side), "filled")])
    assert_rows([out.fills[0].price], [at(side, price)])
    assert out.cash[-1] == pytest.approx(0.0 if side == "long" else 2 * out.equity[-1], abs=1e-9)


def test_W2_commission_and_slippage_add_up() -> None:
    """100 + 25 paid and a quarter of 125 commission: 56.25 lost a unit, E = 1,000 - 0.5625*E = 640."""
    out = run(bars_of([100, 100]), weights([1.0]), costs=vb.Costs(commission_rate=0.25, slippage_bps=2500))
    assert_rows(out.filled(), [(1, 6.4, 125.0)])


def test_W2_volume_share_is_estimated_with_the_volume_of_the_close() -> None:
    """Bar 0 moves from 80 to 100: sigma 0.25. At bar 1, with sigma still that of bar 0 and v = 8, 8 units cost 0.25*sqrt(8/8) of 100 each:
    E = 1,000 - 8*25 = 800. The volume of bar 2, where it fills, is another."""
    prices = [(80, 100, 80, 100, 1000), (100, 100, 100, 100, 8), (100, 100, 100, 100, 1e9)]
    out = run(bars_of(prices), weights([None, 1.0]), costs=vb.Costs(volume_share=1.0))
    assert out.orders[0].wanted == pytest.approx(8.0, rel=1e-9)


@pytest.mark.parametrize("volume", [0.0, 8.0])
def test_W2_F1_without_volume_at_the_close_the_estimate_leaves_the_impact_out(volume: float) -> None:
    prices = [(80, 100, 80, 100, 1000), (100, 100, 100, 100, volume), (100, 100, 100, 100, 1e9)]
    out = run(bars_of(prices), weights([None, 1.0]), costs=vb.Costs(volume_share=1.0))
    assert out.orders[0].wanted == pytest.approx(10.0 if volume == 0.0 else 8.0, rel=1e-9)


@BOTH_FILLS
def test_W2_the_costs_of_all_assets_come_off_before_any_weight(fill: str) -> None:
    """10 of A at 100 and 1,000 of cash; to half and half: sells 1,000 - E/2 and buys E/2, together 1,000 traded, 250 of commission:
    E = 1,750, 8.75 of each."""
    bars = bars_of({"A": [100] * 2, "B": [100] * 2})
    out = run_in_every_order(bars, weights({"A": [0.5], "B": [0.5]}), costs=QUARTER, fill=fill, positions={"A": (10, 100)})
    assert_rows([(out.held("A"), out.held("B"), out.equity[-1])], [(8.75, 8.75, 1750.0)])


@BOTH_FILLS
def test_W2_long_and_short_at_once(fill: str) -> None:
    """Half long, half short: E = 1,000 - E/4 = 800, 4 and -4."""
    bars = bars_of({"A": [100] * 2, "B": [100] * 2})
    out = run_in_every_order(bars, weights({"A": [0.5], "B": [-0.5]}), costs=QUARTER, fill=fill)
    assert_rows([(out.held("A"), out.held("B"), out.equity[-1])], [(4.0, -4.0, 800.0)])


def test_W2_a_silent_asset_costs_nothing_but_its_value_counts() -> None:
    """B, 10 at 100, is silent: V = 2,000. A's half: E = 2,000 - E/8 = 1,777.7..., half of it at 100."""
    bars = bars_of({"A": [100] * 2, "B": [100] * 2})
    out = run(bars, weights({"A": [0.5]}), costs=QUARTER, positions={"B": (10, 100)})
    assert out.orders[0].wanted == pytest.approx(8000 / 900, rel=1e-9)


def test_W2_an_asset_without_a_market_is_no_part_of_the_row() -> None:
    """B has no market at the close of bar 0: its weight is not heard, and not in the costs: A gets 1,000 - E/8, its half 4.44."""
    bars = bars_of({"A": [100] * 2, "B": [None, 100]})
    out = run(bars, weights({"A": [0.5], "B": [0.5]}), costs=QUARTER)
    assert_rows(out.ordered("A"), [(0, 4000 / 900, 4000 / 900, "filled", "")])
    assert out.ordered("B") == []


@pytest.mark.parametrize(("opening", "filled", "status"), [(90, 8.0, "filled"), (125, 6.4, "partial")])
def test_W2_at_a_next_open_the_quantities_stand(opening: float, filled: float, status: str) -> None:
    """8 units whatever the open; at 125 they would cost 1,250 with commission: 1,000/156.25 = 6.4 fit."""
    out = run(bars_of([100, opening]), weights([1.0]), costs=QUARTER)
    assert_rows(out.ordered(), [(0, 8.0, filled, status, "" if status == "filled" else "cash")])


def test_W2_the_costs_are_those_before_cuts_and_rounding() -> None:
    """A's lot of 100 refuses its 4 units, but E is 800 all the same: B gets 4, not the 4.44 of a row without A."""
    bars = bars_of({"A": [100] * 2, "B": [100] * 2}, lot={"A": 100.0})
    out = run(bars, weights({"A": [0.5], "B": [0.5]}), costs=QUARTER)
    assert_rows([(o.asset, o.wanted, o.status, o.cut_by) for o in out.orders], [("A", 4.0, "rejected", "lot"), ("B", 4.0, "filled", "")])


def test_W2_the_iteration_that_finds_no_fixed_point_ends_with_the_smallest_E() -> None:
    """9.9 of A at 100 and 10 of cash, an order costs 10. From V = 1,000 the target 10 costs 10; of E = 990 the target 9.9 is met and costs
    nothing, so E would be 1,000 again. The smallest, 990, counts: nothing to do."""
    out = run(bars_of([100, 100]), weights([1.0]), costs=vb.Costs(per_order=10), positions={"A": (9.9, 100)}, initial_capital=10.0)
    assert out.orders == []


@pytest.mark.parametrize("per_order", [1000.0, 2000.0])
def test_W2_when_costs_eat_the_equity_every_target_is_zero(per_order: float) -> None:
    """E <= 0: from flat nothing is done; what is held is closed, costs or not."""
    costs = vb.Costs(per_order=per_order)
    assert run(bars_of([100, 100]), weights([1.0]), costs=costs).orders == []
    out = run(bars_of([100, 100]), weights([1.0]), costs=costs, positions={"A": (5, 100)}, initial_capital=500.0)
    assert out.ordered() == [(0, -5.0, -5.0, "filled", "")]


@BOTH_SIDES
@BOTH_FILLS
def test_W2_gross_targets_are_of_the_equity_before_costs_and_may_overdraw_cash(side: str, fill: str) -> None:
    """10 units for 1,000; the commission of 250 leaves cash at -250 (a short: 2,000 - 250)."""
    out = run(sided(side, [100, 100]), weights([sign(side)]), costs=QUARTER, weights_of="gross", fill=fill)
    assert out.ordered() == [(0, 10 * sign(side), 10 * sign(side), "filled", "")]
    assert out.cash[-1] == (-250.0 if side == "long" else 1750.0)
    assert out.equity[-1] == 750.0


@BOTH_FILLS
def test_W2_gross_is_tested_at_reference_prices(fill: str) -> None:
    """Paid 125 a unit with slippage, tested at 100: all 10 fit, cash ends at -250."""
    out = run(bars_of([100, 100]), weights([1.0]), costs=vb.Costs(slippage_bps=2500), weights_of="gross", fill=fill)
    assert_rows(out.filled(), [(1 if fill == "next_open" else 0, 10.0, 125.0)])
    assert out.cash[-1] == -250.0


def test_W2_gross_is_cut_where_the_open_is_higher_than_the_close() -> None:
    """At an open of 125 the reference value of 10 is 1,250 against an equity before costs of 1,000: 8."""
    out = run(bars_of([100, 125]), weights([1.0]), costs=QUARTER, weights_of="gross")
    assert out.ordered() == [(0, 10.0, 8.0, "partial", "cash")]


@BOTH_FILLS
def test_W2_gross_counts_the_costs_of_fills_made_with_it_back(fill: str) -> None:
    """10 of A and 1,000 of cash, all into B: A's sale costs 250, and B's 40 units at 50 are tested on the 2,000 before it. With B's own
    commission of 500 cash ends at 1,000 + 1,000 - 250 - 2,000 - 500."""
    bars = bars_of({"A": [100] * 2, "B": [50] * 2})
    given = weights({"A": [0.0], "B": [1.0]})
    out = run_in_every_order(bars, given, costs=QUARTER, weights_of="gross", fill=fill, positions={"A": (10, 100)})
    assert_rows([(out.held("A"), out.held("B"), out.cash[-1])], [(0.0, 40.0, -750.0)])


@pytest.mark.parametrize(("weights_of", "wanted"), [("net", 8.0), ("gross", 10.0)])
def test_W2_without_equity_every_target_is_zero(weights_of: str, wanted: float) -> None:
    """A short of 10 at 100 that trebles has lost 2,000 of 1,000: the row of that bar closes it, whatever the weight; before it all is as
    usual."""
    prices = [100, 100, 300, 300]
    out = run(bars_of(prices), weights([-1.0, None, -1.0]), costs=QUARTER, weights_of=weights_of)
    assert_rows([(o.t, o.wanted, o.filled) for o in out.orders], [(0, -wanted, -wanted), (2, wanted, wanted)])


# --- W3: the band ---------------------------------------------------------------------------------------------------


@BOTH_SIDES
@pytest.mark.parametrize(
    ("target", "orders"),
    # 3.75 units are 0.375 of 1,000; the band is 0.125
    [(0.5, []), (0.25, []), (0.4, []), (0.75, [3.75]), (0.2, [-1.75]), (0.0, [-3.75])],
)
def test_W3_within_the_band_an_asset_is_left_alone_else_it_goes_to_its_target(side: str, target: float, orders: list[float]) -> None:
    q = sign(side)
    out = run(bars_of([100, 100]), weights([target * q]), band=0.125, positions={"A": (3.75 * q, 100)}, initial_capital=1000 - 375 * q)
    assert_rows([o.wanted for o in out.orders], [wanted * q for wanted in orders])


@BOTH_SIDES
def test_W3_zero_closes_whatever_is_left(side: str) -> None:
    """1 % held, a band of 10 %: 0 closes it."""
    q = 0.1 * sign(side)
    out = run(bars_of([100, 100]), weights([0.0]), band=0.1, positions={"A": (q, 100)})
    assert out.filled() == [(1, -q, 100.0)]


def test_W3_S1_a_target_on_a_forbidden_side_is_zero_for_the_band_too() -> None:
    """0.1 long held, the row asks for -0.1 within a band of 0.5, but only longs are allowed: that is 0, and closes it."""
    out = run(bars_of([100, 100]), weights([-0.1]), band=0.5, direction="long", positions={"A": (1, 100)}, initial_capital=900.0)
    assert out.filled() == [(1, -1.0, 100.0)]


def test_W3_from_flat_a_small_target_is_within_the_band() -> None:
    assert run(bars_of([100, 100]), weights([0.125]), band=0.125).orders == []
    assert len(run(bars_of([100, 100]), weights([0.25]), band=0.125).orders) == 1


def test_W3_the_weight_is_that_of_the_equity_of_its_bar() -> None:
    """5 units at 100 are 0.5 of 1,000; at 300 they are 1,500 of 2,000: 0.75, still within 0.25 of 0.5; at 400 no more."""
    for price, orders in ((300, 1), (400, 2)):
        out = run(bars_of([100, 100, price, price]), weights([0.5, None, 0.5]), band=0.25)
        assert len(out.orders) == orders


def test_W3_W2_the_target_compared_is_that_before_costs_and_what_is_left_alone_costs_nothing() -> None:
    """A holds 0.5 of 1,000 and wants 0.5; B wants 0.4 of what B's own commission leaves: E = 1,000 - 0.1*E = 909.09, 3.636 units. Without
    the band A too would be traded to 0.5*E."""
    bars = bars_of({"A": [100] * 2, "B": [100] * 2})
    given = {"positions": {"A": (5, 100)}, "initial_capital": 500.0, "costs": QUARTER}
    out = run(bars, weights({"A": [0.5], "B": [0.4]}), band=0.1, **given)
    assert_rows([(o.asset, o.wanted) for o in out.orders], [("B", 4000 / 1100)])
    out = run(bars, weights({"A": [0.5], "B": [0.4]}), **given)
    assert [o.asset for o in out.orders] == ["A", "B"]


def test_W3_a_band_that_leaves_it_alone_ends_nothing() -> None:
    """An order that waits is not replaced by a row within the band: that row leaves the asset alone."""
    prices = [(100, 100, 100, 100, 1e6), (100, 100, 100, 100, 0), (100, 100, 100, 100, 1e6)]
    out = run(bars_of(prices), weights([0.5, 0.1]), band=0.1, costs=vb.Costs(volume_share=0.1))
    assert [o.status for o in out.orders] == ["filled"]


@pytest.mark.parametrize("values", [{"A": [0.5], "B": [0.25], "C": [-0.25]}, {"A": [0.9], "B": [0.9], "C": [None]}])
def test_W_the_order_of_columns_does_not_matter(values: dict[str, Any]) -> None:
    bars = bars_of({"A": [100, 110, 105], "B": [50, 40, 45], "C": [20, 25, 20]})
    for weights_of in ("net", "gross"):
        out = run_in_every_order(bars, weights(values), costs=vb.Costs(commission_rate=0.01, slippage_bps=50), weights_of=weights_of)
        assert all(math.isfinite(e) for e in out.equity)
