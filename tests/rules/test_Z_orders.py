"""Z5, Z7 and Z9 with orders of section O: what those that wait, and those of the row, close and open (O6), and how they share room (F10).

As in `test_Z_limits.py` an account has 1,000 and prices are 100. Without stops the whole notional is at risk, so that one and the same
account meets each limit of four units.
"""

from __future__ import annotations

from typing import Any

import pytest

import vecbt as vb
from tests.rules.helpers import assert_rows, bars_of, run
from tests.rules.orders import Cancel, buy, ends, fills, rows, sell, trade_on
from tests.rules.sides import BOTH_SIDES, sign

FLAT = [100.0] * 6
GROSS, NET = vb.Risk(limits=vb.Limits(max_gross=0.4)), vb.Risk(limits=vb.Limits(max_net=0.4))
POSITION, LOSS, HEAT = vb.Risk(limits=vb.Limits(max_position=0.4)), vb.Risk(max_trade_loss=0.4), vb.Risk(max_heat=0.4)
OF_THE_ACCOUNT = pytest.mark.parametrize(("risk", "rule"), [(GROSS, "gross"), (NET, "net"), (HEAT, "heat")])
OF_ONE_ASSET = pytest.mark.parametrize(("risk", "rule"), [(POSITION, "position"), (LOSS, "trade_loss")])
REST = {"type": "limit", "limit": 120}  # a sale that no bar meets


def got(side: str, given: dict[int, list[Any]], **rules: Any) -> list[tuple[int, float, str]]:
    """Bar, quantity filled (as a long's) and rules of each order of B; four units of A are held from the start."""
    bars = rules.pop("bars", None) or bars_of({"A": FLAT, "B": FLAT})
    held = 4 * sign(side)
    out = run(bars, rows(given, side), positions={"A": (held, 100.0)}, initial_capital=1000.0 - 100.0 * held, **rules)
    return [(o.t, o.filled * sign(side), o.cut_by) for o in out.orders if o.asset == "B"]


# --- what counts of orders that wait, and of those of the row -----------------------------------------------------------------------


def test_Z7_O6_orders_are_limited_by_what_they_would_open_alone() -> None:
    # 2 held: a sale of 5 opens 3 short, of which the limit leaves 2.5; judged at the close of 100, not at its limit of 120
    bars, start = bars_of([100, (100, 125, 100, 100)]), {"positions": {"A": (2.0, 100.0)}, "initial_capital": 800.0}
    out = run(bars, rows({0: [sell(5, "limit", limit=120)]}), **start, risk=vb.Risk(limits=vb.Limits(max_position=0.25)))
    assert_rows(out.ordered(), [(0, -5.0, -4.5, "partial", "position")])
    # resting orders count: 3 wait at 80, so one more fits a gross of 4
    out = run(bars_of(FLAT), rows({0: [buy(3, "limit", limit=80)], 1: [buy(3)]}), risk=GROSS)
    assert_rows(out.filled(), [(2, 1.0, 100.0)])


@OF_THE_ACCOUNT
@BOTH_SIDES
def test_Z5_Z7_what_an_order_of_the_row_would_close_counts_no_more(side: str, risk: vb.Risk, rule: str) -> None:
    b = buy(4, symbol="B")
    assert got(side, {0: [b]}, risk=risk) == [(0, 0.0, rule)]
    assert got(side, {0: [sell(4), b]}, risk=risk) == [(0, 4.0, "")]
    assert got(side, {0: [b, sell(1, **REST)]}, risk=risk) == [(0, 1.0, rule)]  # a resting one too, in whatever order they are given


@OF_THE_ACCOUNT
@BOTH_SIDES
def test_Z5_Z7_a_market_order_that_waits_to_close_counts_no_more_a_resting_one_does(side: str, risk: vb.Risk, rule: str) -> None:
    gap, b = bars_of({"A": [100, None, None, 100, 100], "B": FLAT[:5]}), buy(4, symbol="B")
    assert got(side, {0: [sell(3)], 1: [b]}, risk=risk, bars=gap) == [(1, 3.0, rule)]
    assert got(side, {0: [sell(3, **REST)], 1: [b]}, risk=risk, bars=gap) == [(1, 0.0, rule)]
    # cancelled in the row it makes no room either
    assert got(side, {0: [sell(3)], 1: [Cancel(symbol="A"), b]}, risk=risk, bars=gap) == [(1, 0.0, rule)]


@OF_THE_ACCOUNT
@BOTH_SIDES
def test_Z5_Z7_orders_that_wait_count_by_what_they_would_open_now(side: str, risk: vb.Risk, rule: str) -> None:
    """A resting sale of the 3 units of A that are held opens nothing; once another order has sold them, it would open three."""
    given = {0: [sell(3, **REST), sell(1)], 1: [sell(3)], 3: [sell(4, symbol="B")]}
    assert got(side, given, risk=risk) == [(3, -1.0, rule)]
    given[0][0] = sell(3, **REST, reduce_only=True)
    assert got(side, given, risk=risk) == [(3, -4.0, "")]
    # the other way round: what opened when it was given closes now
    given = {0: [sell(6, **REST)], 1: [buy(2)], 3: [sell(4, symbol="B")]}
    wide = vb.Risk(limits=vb.Limits(max_gross=0.8))
    assert got(side, given, risk=wide) == [(3, -2.0, "gross")]


@OF_ONE_ASSET
@BOTH_SIDES
def test_Z7_Z9_one_asset_s_orders_count_together(side: str, risk: vb.Risk, rule: str) -> None:
    out = trade_on(side, FLAT, {0: [buy(3, "limit", limit=80)], 1: [buy(3)], 2: [sell(9, "limit", limit=120)]}, risk=risk)
    assert fills(side, out) == [(2, 1.0, 100.0)]
    # the other side has room of its own: 1 held is closed by 9, and 4 opened
    assert_rows([(o.opening * sign(side), o.cut_by) for o in out.orders if o.t == 2], [(-4.0, rule)])


@OF_ONE_ASSET
@BOTH_SIDES
def test_Z7_Z9_F10_orders_of_one_asset_share_by_one_factor_and_by_priority(side: str, risk: vb.Risk, rule: str) -> None:
    out = trade_on(side, FLAT, {0: [buy(2), buy(6)]}, risk=risk)
    assert_rows(fills(side, out), [(1, 1.0, 100.0), (1, 3.0, 100.0)])
    assert ends(out) == [("partial", rule, 1)] * 2
    out = trade_on(side, FLAT, {0: [buy(2), buy(3, priority=2)]}, risk=risk)
    assert sorted(fills(side, out)) == [(1, 1.0, 100.0), (1, 3.0, 100.0)]
    assert ends(out) == [("partial", rule, 1), ("filled", "", 1)]


def test_Z9_F10_what_is_shared_is_the_loss_down_to_each_order_s_own_stop() -> None:
    # 10 units lose 5 each and 5 units 10 each: 100 of the 40 there are, so 40 % of both
    out = run(bars_of(FLAT), rows({0: [buy(10, stop_loss=95), buy(5, stop_loss=90)]}), risk=vb.Risk(max_trade_loss=0.04), leverage=2.0)
    assert_rows(out.filled(), [(1, 4.0, 100.0), (1, 2.0, 100.0)])


@pytest.mark.parametrize("risk", [GROSS, NET, POSITION, LOSS, HEAT])
def test_Z7_without_a_price_new_risk_is_refused(risk: vb.Risk) -> None:
    bars = bars_of({"A": FLAT[:3], "B": [None, 100, 100]})
    given = rows({0: [buy(1, symbol="B"), buy(1), sell(1, symbol="B", reduce_only=True)]})
    found = [(o.asset, o.filled, o.status, o.cut_by) for o in run(bars, given, risk=risk).orders]
    expected = [("A", 1.0, "filled", ""), ("B", 0.0, "rejected", "position"), ("B", 0.0, "rejected", "reduce_only")]
    assert sorted(found) == expected
    # a daily loss measures nothing, so it goes its way
    out = run(bars, rows({0: [buy(1, symbol="B")]}), risk=vb.Risk(daily_loss=0.5))
    assert_rows(out.filled("B"), [(1, 1.0, 100.0)])


# --- O6: no dust ---------------------------------------------------------------------------------------------------------------------


@BOTH_SIDES
@pytest.mark.parametrize("kind", [{}, {"type": "limit", "limit": 100}, {"reduce_only": True}])
def test_O6_what_is_within_a_billionth_of_what_is_held_closes_all_of_it(side: str, kind: dict[str, Any]) -> None:
    """0.1 and 0.2 are 0.30000000000000004 in floats: 0.3 leaves nothing, and opens nothing."""
    out = trade_on(side, FLAT, {0: [buy(0.1)], 1: [buy(0.2)], 2: [sell(0.3, **kind)]})
    assert out.raw.assets.q.tolist() == [0.0]
    assert [(x.exit_t, x.quantity) for x in out.trades] == [(3, pytest.approx(0.3))]
    assert ends(out)[-1] == ("filled", "", 3)
    out = trade_on(side, FLAT, {0: [buy(0.3)], 1: [sell(0.1 + 0.2, **kind)]})
    assert out.raw.assets.q.tolist() == [0.0]
    assert ends(out)[-1] == ("filled", "", 2)
