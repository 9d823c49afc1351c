"""Z4, Z5, Z7 and Z9: daily loss, heat, limits on positions and exposure, loss per trade; their order (S5), and scarce room (F10).

Unless it is said otherwise an account has 1,000 and prices are 100, so that a fraction of equity of 0.1 is one unit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.rules.helpers import assert_rows, bars_of, quantities, run, run_in_every_order, signals, strengths, weights
from tests.rules.orders import buy, rows, sell
from tests.rules.sides import BOTH_FILLS, BOTH_SIDES, sided, sign, word

FLAT = [100.0] * 6
FIVE = vb.Stops(hard=0.05)  # 5 of risk a unit at 100
SIX_HOURS = np.timedelta64(6, "h").astype("timedelta64[ns]")


def limited(**limits: float) -> vb.Risk:
    return vb.Risk(limits=vb.Limits(**limits))


# --- Z4: daily loss ----------------------------------------------------------------------------------------------------------------


@BOTH_SIDES
@pytest.mark.parametrize(("close", "blocked"), [(95.1, False), (95.0, True), (90.0, True)])
def test_Z4_new_risk_is_refused_from_the_loss_on(side: str, close: float, blocked: bool) -> None:
    """5 at 100 make 25 at 95: 2.5 % of 1,000."""
    q = sign(side)
    out = run(sided(side, [100, 100, close, 100], every=SIX_HOURS), quantities([5 * q, None, 6 * q]), risk=vb.Risk(daily_loss=0.025))
    assert_rows(out.ordered()[1:], [(2, q, 0.0, "rejected", "daily_loss") if blocked else (2, q, q, "filled", "")])


def test_Z4_until_the_next_session_recovery_or_not() -> None:
    # four bars a day: 5 % down at bar 2, back at bar 3 (and refused), allowed from the first bar of the next day on
    bars = bars_of([100, 100, 90, 100, 100, 100], every=SIX_HOURS)
    out = run(bars, quantities([5, None, 6, 6, 6]), risk=vb.Risk(daily_loss=0.05))
    assert_rows(
        out.ordered()[1:], [(2, 1.0, 0.0, "rejected", "daily_loss"), (3, 1.0, 0.0, "rejected", "daily_loss"), (4, 1.0, 1.0, "filled", "")]
    )


def test_Z4_of_daily_bars_each_is_judged_by_the_close_before() -> None:
    # 5 units: 1000, 940 (6 % down: blocked), 900 (4.3 % down: free), 840 (6.7 %: blocked)
    bars = bars_of({"A": [100, 100, 88, 80, 68], "B": [10.0] * 5})
    out = run(bars, quantities({"A": [5], "B": [None, None, 1, 2, 3]}), risk=vb.Risk(daily_loss=0.05))
    refused = "rejected", "daily_loss"
    assert_rows(out.ordered("B"), [(2, 1.0, 0.0, *refused), (3, 2.0, 2.0, "filled", ""), (4, 1.0, 0.0, *refused)])


def test_Z4_the_night_belongs_to_the_day_after_it() -> None:
    # the first bar of the second day opens and closes 6 % lower: that day's loss
    bars = bars_of([100, 100, 100, 100, 94, 94], every=SIX_HOURS)
    out = run(bars, quantities([5, None, None, None, 6]), risk=vb.Risk(daily_loss=0.03))
    assert_rows(out.ordered()[1:], [(4, 1.0, 0.0, "rejected", "daily_loss")])


@BOTH_SIDES
def test_Z4_reductions_are_allowed_and_a_flip_only_closes(side: str) -> None:
    q = sign(side)
    bars = sided(side, [100, 100, 90, 90], every=SIX_HOURS)
    risk = vb.Risk(daily_loss=0.05)
    assert_rows(run(bars, quantities([5 * q, None, 3 * q]), risk=risk).ordered()[1:], [(2, -2 * q, -2 * q, "filled", "")])
    assert_rows(run(bars, quantities([5 * q, None, -3 * q]), risk=risk).ordered()[1:], [(2, -8 * q, -5 * q, "partial", "daily_loss")])


def test_Z4_an_order_that_waits_since_before_is_left() -> None:
    # B's entry of bar 1 meets its market at bar 3: cuts are made at T7 (S5)
    bars = bars_of({"A": [100, 100, 80, 80], "B": [10, 10, None, 10]}, every=SIX_HOURS)
    out = run(bars, quantities({"A": [5], "B": [None, 3]}), risk=vb.Risk(daily_loss=0.05))
    assert_rows(out.filled("B"), [(3, 3.0, 10.0)])


def test_Z4_T7_with_close_fills_the_row_is_judged_by_the_first_mark_the_record_by_the_redone_one() -> None:
    # a purchase at the close of bar 1 costs 60: its row was asked at 0 % down, after it the account is 6 % down: bar 2 is blocked
    bars = bars_of([100, 100, 100, 100, 100], every=SIX_HOURS)
    out = run(bars, quantities([None, 2, 3, None, 3]), risk=vb.Risk(daily_loss=0.05), costs=vb.Costs(per_order=60.0), fill="close")
    assert_rows(out.ordered(), [(1, 2.0, 2.0, "filled", ""), (2, 1.0, 0.0, "rejected", "daily_loss"), (4, 1.0, 1.0, "filled", "")])


def test_Z4_separate_accounts_are_blocked_one_by_one() -> None:
    bars = bars_of({"A": [100, 100, 90, 90], "B": [100, 100, 99, 99]}, every=SIX_HOURS)
    out = run(bars, quantities({"A": [5, None, 6], "B": [5, None, 6]}), risk=vb.Risk(daily_loss=0.02), accounts="separate")
    assert [(o.asset, o.status) for o in out.orders if o.t == 2] == [("A", "rejected"), ("B", "filled")]


# --- Z7: positions -----------------------------------------------------------------------------------------------------------------


@BOTH_SIDES
@pytest.mark.parametrize(
    ("limits", "units"),
    [({"max_position": 0.2}, 2.0), ({"max_position_value": 150.0}, 1.5), ({"max_position": 0.2, "max_position_value": 150.0}, 1.5),
     ({"max_position": 0.1, "max_position_value": 150.0}, 1.0)],
)  # fmt: skip
def test_Z7_a_position_is_limited_in_equity_and_money_the_tightest_wins(side: str, limits: dict[str, float], units: float) -> None:
    q = sign(side)
    out = run(bars_of([100, 125]), quantities([5 * q]), risk=limited(**limits))
    # at the close of the decision, whatever the fill costs
    assert_rows(out.ordered(), [(0, 5 * q, units * q, "partial", "position")])


@BOTH_SIDES
def test_Z7_it_is_the_resulting_position_that_counts(side: str) -> None:
    q = sign(side)
    out = run(bars_of(FLAT), quantities([1.5 * q, 5 * q, 6 * q]), risk=limited(max_position=0.2))
    assert_rows(
        out.ordered(),
        [(0, 1.5 * q, 1.5 * q, "filled", ""), (1, 3.5 * q, 0.5 * q, "partial", "position"), (2, 4 * q, 0.0, "rejected", "position")],
    )
    # a flip closes whole, and opens as much as the limit allows
    out = run(bars_of(FLAT), quantities([1.5 * q, -5 * q]), risk=limited(max_position=0.2))
    assert_rows(out.ordered()[1:], [(1, -6.5 * q, -3.5 * q, "partial", "position")])


def test_Z7_what_fits_is_not_cut() -> None:
    out = run(bars_of(FLAT), quantities([2, 2]), risk=limited(max_position=0.2))
    assert_rows(out.ordered(), [(0, 2.0, 2.0, "filled", "")])
    assert_rows(run(bars_of(FLAT), quantities([2 * (1 + 5e-10)]), risk=limited(max_position=0.2)).ordered()[0][3:], ["filled", ""])
    assert run(bars_of(FLAT), quantities([2 * (1 + 5e-9)]), risk=limited(max_position=0.2)).orders[0].cut_by == "position"


def test_Z7_a_position_that_grew_above_its_limit_is_left_but_gets_no_more() -> None:
    # 2 at 100 stand at 160: 320 of 1120 are more than a fifth
    out = run(bars_of([100, 100, 160, 160, 160]), quantities([2, None, 2.1, 1.5]), risk=limited(max_position=0.2))
    assert_rows(out.ordered()[1:], [(2, 0.1, 0.0, "rejected", "position"), (3, -0.5, -0.5, "filled", "")])


def test_Z7_the_limit_is_of_the_equity_of_T6() -> None:
    # 5 of A gained 100: a fifth of 1100 are 2.2 of B at 100
    bars = bars_of({"A": [100, 100, 120, 120], "B": FLAT[:4]})
    out = run(bars, quantities({"A": [2], "B": [None, None, 5]}), risk=limited(max_position=0.2))
    assert_rows(out.filled("B"), [(3, 0.2 * 1040 / 100, 100.0)])


def test_Z7_the_multiplier_counts() -> None:
    assert_rows(run(bars_of([20, 20], multiplier=5.0), quantities([5]), risk=limited(max_position=0.2)).filled(), [(1, 2.0, 20.0)])


# --- Z7: gross exposure (RSK-02, net below) ------------------------------------------------------------------------------------------


@BOTH_SIDES
def test_Z7_gross_exposure_is_limited(side: str) -> None:
    """RSK-02; net is below."""
    q = sign(side)
    bars = bars_of({"A": FLAT, "B": FLAT})
    # 3 of A are held (short or long); of 5 of B 2 fit a half
    out = run_in_every_order(bars, quantities({"A": [3 * q], "B": [None, 5]}), risk=limited(max_gross=0.5))
    assert_rows(out.ordered("B"), [(1, 5.0, 2.0, "partial", "gross")])


def test_Z7_it_may_be_more_than_equity_with_leverage() -> None:
    out = run(bars_of(FLAT), quantities([30]), risk=limited(max_gross=1.5), leverage=2.0)
    assert_rows(out.ordered(), [(0, 30.0, 15.0, "partial", "gross")])


def test_Z7_what_the_row_reduces_makes_room() -> None:
    bars = bars_of({"A": FLAT, "B": FLAT, "C": FLAT})
    # A's 5 are the half; the row sells 3 of them, and C, after it, gets 3; where A leaves altogether 5
    for left, fits in ((2.0, 3.0), (0.0, 5.0)):
        out = run_in_every_order(bars, quantities({"A": [5, left], "C": [None, 8]}), risk=limited(max_gross=0.5))
        assert_rows(out.filled("C"), [(2, fits, 100.0)])
    # a flip: 5 close, then A's new 4 and C's 4 share 5
    out = run_in_every_order(bars, quantities({"A": [5, -4], "C": [None, 4]}), risk=limited(max_gross=0.5))
    assert_rows([out.ordered("A")[1][2], out.ordered("C")[0][2]], [-7.5, 2.5])


def test_Z7_orders_that_wait_are_included() -> None:
    # B's 3 of bar 0 wait for a market; an exit of A waits at bar 1 as well: its 2 count no more
    bars = bars_of({"A": [100, 100, None, 100], "B": [100, None, None, 100], "C": FLAT[:4]})
    out = run_in_every_order(bars, quantities({"A": [2], "B": [3], "C": [None, 4]}), risk=limited(max_gross=0.6))
    assert_rows(out.ordered("C"), [(1, 4.0, 1.0, "partial", "gross")])
    out = run_in_every_order(bars, quantities({"A": [2, 0], "B": [3], "C": [None, None, 4]}), risk=limited(max_gross=0.6))
    assert_rows(out.ordered("C"), [(2, 4.0, 3.0, "partial", "gross")])
    # a row that replaces what waits takes its place
    bars = bars_of({"B": [(100, 100, 100, 100, v) for v in (1e6, 0, 1e6, 1e6)], "C": [(100, 100, 100, 100, 1e6)] * 4})
    out = run_in_every_order(bars, quantities({"B": [3, 2], "C": [None, 5]}), risk=limited(max_gross=0.6), max_participation=0.5)
    assert_rows([o.filled for o in sorted(out.orders, key=lambda o: (o.asset, o.t))], [0.0, 2 * 6 / 7, 5 * 6 / 7])


def test_Z7_where_there_is_no_market_the_mark_counts() -> None:
    # A's 2 stand at 150 and have no bar: 300 of 1100; a half is 550: 2.5 of B
    bars = bars_of({"A": [100, (100, 150, 100, 150), None, 100], "B": FLAT[:4]})
    out = run(bars, quantities({"A": [2], "B": [None, None, 5]}), risk=limited(max_gross=0.5))
    assert_rows(out.filled("B"), [(3, 2.5, 100.0)])


# --- Z7: net -----------------------------------------------------------------------------------------------------------------------


@BOTH_SIDES
def test_Z7_net_exposure_is_limited_both_ways(side: str) -> None:
    q = sign(side)
    bars = bars_of({"A": FLAT, "B": FLAT})
    risk = limited(max_net=0.3)
    assert_rows(run(bars, quantities({"A": [5 * q]}), risk=risk).ordered(), [(0, 5 * q, 3 * q, "partial", "net")])
    # what goes the other way lowers it, and may cross to the other side's limit: 3 + 3
    out = run_in_every_order(bars, quantities({"A": [3 * q], "B": [None, -8 * q]}), risk=risk)
    assert_rows(out.ordered("B"), [(1, -8 * q, -6 * q, "partial", "net")])
    out = run_in_every_order(bars, quantities({"A": [3 * q], "B": [None, q]}), risk=risk)
    assert_rows(out.ordered("B"), [(1, q, 0.0, "rejected", "net")])


def test_Z7_a_net_above_its_limit_may_shrink() -> None:
    # 3 of A at 100 stand at 200: net 600 of 1300, above 390; 8 short of B go down to -390, more of A is refused
    bars = bars_of({"A": [100, 100, 200, 200], "B": FLAT[:4]})
    out = run_in_every_order(bars, quantities({"A": [3], "B": [None, None, -11]}), risk=limited(max_net=0.3), leverage=2.0)
    assert_rows(out.ordered("B"), [(2, -11.0, -9.9, "partial", "net")])
    out = run_in_every_order(bars, quantities({"A": [3, None, 4], "B": [None]}), risk=limited(max_net=0.3), leverage=2.0)
    assert_rows(out.ordered("A")[1:], [(2, 1.0, 0.0, "rejected", "net")])


def test_Z7_a_group_counts_by_its_net_sum() -> None:
    bars = bars_of({"A": FLAT, "B": FLAT})
    risk = limited(max_net=0.3)
    # 5 - 5 are no net at all; of 6 - 2 three quarters
    out = run_in_every_order(bars, quantities({"A": [5], "B": [-5]}), risk=risk)
    assert [o.status for o in out.orders] == ["filled", "filled"]
    out = run_in_every_order(bars, quantities({"A": [6], "B": [-2]}), risk=risk)
    assert_rows([o.filled for o in sorted(out.orders, key=lambda o: o.asset)], [4.5, -1.5])


# --- Z9: loss per trade --------------------------------------------------------------------------------------------------------------


@BOTH_SIDES
def test_Z9_a_position_may_lose_so_much_down_to_its_stop(side: str) -> None:
    """1 % of 1,000 at 5 a unit: 2 units; of the position, so 1 more on 1."""
    q = sign(side)
    risk = vb.Risk(max_trade_loss=0.01)
    out = run(bars_of(FLAT), quantities([5 * q]), risk=risk, stops=FIVE)
    assert_rows(out.ordered(), [(0, 5 * q, 2 * q, "partial", "trade_loss")])
    out = run(bars_of(FLAT), quantities([q, 5 * q, -5 * q]), risk=risk, stops=FIVE)
    assert_rows(out.ordered()[1:], [(1, 4 * q, q, "partial", "trade_loss"), (2, -7 * q, -4 * q, "partial", "trade_loss")])


@BOTH_SIDES
def test_Z9_without_a_stop_it_is_the_whole_notional(side: str) -> None:
    q = sign(side)
    assert_rows(run(bars_of(FLAT), quantities([5 * q]), risk=vb.Risk(max_trade_loss=0.01)).filled(), [(1, 0.1 * q, 100.0)])
    # a trail that is not armed is no stop
    armed_later = vb.Stops(trailing=0.02, activation=0.1)
    assert_rows(
        run(bars_of(FLAT), quantities([5 * q]), risk=vb.Risk(max_trade_loss=0.01), stops=armed_later).filled(), [(1, 0.1 * q, 100.0)]
    )
    armed = vb.Stops(trailing=0.02)
    assert_rows(run(bars_of(FLAT), quantities([5 * q]), risk=vb.Risk(max_trade_loss=0.01), stops=armed).filled(), [(1, 5 * q, 100.0)])


def test_Z9_what_is_held_counts_from_the_close_to_its_own_stop() -> None:
    # 2 at 100 with a trail of 5 %: at 110 the trail stands at 104.5 = 5.5 below; 1.5 % of 1020 are 15.3; 4.3 more, at 5.5 each
    bars = bars_of([100, 100, 110, 110])
    out = run(bars, quantities([2, None, 9]), risk=vb.Risk(max_trade_loss=0.015), stops=vb.Stops(trailing=0.05))
    assert_rows(out.filled()[1:], [(3, (15.3 - 11) / 5.5, 110.0)])
    # a stop below a fallen close: 2 at 100 with a stop of 95; at 96 they lose 1 each, a new one 4.8 (of 96)
    bars = bars_of([100, 100, 96, 96])
    out = run(bars, quantities([2, None, 9]), risk=vb.Risk(max_trade_loss=0.01), stops=FIVE)
    assert_rows(out.filled()[1:], [(3, (9.92 - 2) / 4.8, 96.0)])


def test_Z9_a_stop_that_cannot_lose_costs_nothing() -> None:
    # Price(105) is above the close: "on the wrong side" is no loss
    out = run(bars_of(FLAT), quantities([5]), risk=vb.Risk(max_trade_loss=0.001), stops=vb.Stops(hard=vb.Price(105)))
    assert_rows(out.ordered()[0][1:], [5.0, 5.0, "filled", ""])


def test_Z9_O3_a_bracket_s_stop_is_the_first_one() -> None:
    risk = vb.Risk(max_trade_loss=0.01)
    out = run(bars_of(FLAT), rows({0: [buy(5, stop_loss=98)]}), risk=risk)
    assert_rows(out.ordered()[0], (0, 5.0, 5.0, "filled", ""))
    out = run(bars_of(FLAT), rows({0: [buy(5, stop_loss=96)]}), risk=risk)
    assert_rows(out.ordered()[0], (0, 5.0, 2.5, "partial", "trade_loss"))
    out = run(bars_of(FLAT), rows({0: [sell(5, stop_loss=104, trailing_stop=vb.Pct(2))]}), risk=risk)
    assert_rows(out.ordered()[0], (0, -5.0, -5.0, "filled", ""))


# --- Z5: heat ----------------------------------------------------------------------------------------------------------------------


@BOTH_SIDES
def test_Z5_heat_is_the_loss_down_to_all_stops(side: str) -> None:
    """2 % of 1,000 at 5 a unit are 4 units, of both assets together; 3 of A leave one of B."""
    q = sign(side)
    bars = bars_of({"A": FLAT, "B": FLAT})
    out = run_in_every_order(bars, quantities({"A": [3 * q], "B": [None, -3 * q]}), risk=vb.Risk(max_heat=0.02), stops=FIVE)
    assert_rows(out.ordered("B"), [(1, -3 * q, -q, "partial", "heat")])


def test_Z5_without_a_stop_the_whole_notional_is_at_risk() -> None:
    assert_rows(run(bars_of(FLAT), quantities([5]), risk=vb.Risk(max_heat=0.2)).ordered(), [(0, 5.0, 2.0, "partial", "heat")])


def test_Z5_a_raised_stop_frees_heat() -> None:
    # 4 at 100 with a trail of 5 % are all the heat of 2 %; at 110 they risk 5.5 each = 22 of 1040: 20.8 are allowed, so nothing more
    bars = bars_of({"A": [100, 100, 110, 110, 110, 110], "B": FLAT})
    stops = vb.Stops(trailing=0.05)
    out = run(bars, quantities({"A": [4], "B": [None, None, 1]}), risk=vb.Risk(max_heat=0.02), stops=stops)
    assert_rows(out.ordered("B"), [(2, 1.0, 0.0, "rejected", "heat")])
    # where the stop is a price, mark - stop: 10 of A at 102 stand 2 above their stop of 100: 20 of 1020; 0.4 are left for B
    bars = bars_of({"A": [102, 102, 102, 102], "B": FLAT[:4]}, tick=1.0)
    out = run(bars, quantities({"A": [5], "B": [None, 1]}), risk=vb.Risk(max_heat=0.0125), stops=vb.Stops(hard=vb.Ticks(2)))
    assert_rows(out.ordered("B"), [(1, 1.0, 1.0, "filled", "")])
    out = run(bars, quantities({"A": [5], "B": [None, 2]}), risk=vb.Risk(max_heat=0.0125), stops=vb.Stops(hard=vb.Ticks(2)))
    assert_rows(out.ordered("B"), [(1, 2.0, 1.25, "partial", "heat")])


def test_Z5_a_stop_beyond_the_mark_counts_zero() -> None:
    # bar 1 has no volume, so that A's stop of 95 is not tested although it closes at 92; 1 % of 700 + 276 is for B alone, at 5 a unit
    bars = bars_of({"A": [(100, 100, 100, 100, 1e6), (95, 96, 92, 92, 0), (92, 92, 92, 92, 1e6)], "B": [(100, 100, 100, 100, 1e6)] * 3})
    start = {"positions": {"A": (3.0, 100.0)}, "initial_capital": 700.0}
    out = run(bars, quantities({"B": [None, 5]}), **start, stops=FIVE, risk=vb.Risk(max_heat=0.01), max_participation=1.0)
    assert_rows(out.ordered("B"), [(1, 5.0, 9.76 / 5, "partial", "heat")])
    assert_rows(out.exits("A"), [(2, 92.0, "stop")])


def test_Z5_orders_that_wait_count_with_their_first_stop_at_the_close() -> None:
    # B's 2 of bar 0 wait: 10; of 20 10 are left for C: 2 units. What waits to leave (A's exit) counts no more
    bars = bars_of({"A": [100, None, None, 100], "B": [100, None, None, 100], "C": FLAT[:4]})
    out = run_in_every_order(bars, quantities({"B": [2], "C": [None, 3]}), risk=vb.Risk(max_heat=0.02), stops=FIVE)
    assert_rows(out.ordered("C"), [(1, 3.0, 2.0, "partial", "heat")])
    bars = bars_of({"A": [100, 100, None, 100], "C": FLAT[:4]})
    out = run_in_every_order(bars, quantities({"A": [4, 0], "C": [None, None, 4]}), risk=vb.Risk(max_heat=0.02), stops=FIVE)
    assert_rows(out.ordered("C"), [(2, 4.0, 4.0, "filled", "")])


def test_Z5_a_position_above_the_limit_by_itself_is_left_but_takes_no_new_risk() -> None:
    out = run(
        bars_of(FLAT),
        quantities([None, 11, 9]),
        positions={"A": (10.0, 100.0)},
        initial_capital=1000.0,
        stops=FIVE,
        risk=vb.Risk(max_heat=0.02),
    )
    assert_rows(out.ordered(), [(1, 1.0, 0.0, "rejected", "heat"), (2, -1.0, -1.0, "filled", "")])


def test_Z5_is_judged_at_T7_whatever_the_fill_is() -> None:
    # 4 are bought at 110 instead of 100: the heat is then more than 2 %, which nobody cuts
    assert_rows(
        run(bars_of([100, 110]), quantities([9]), risk=vb.Risk(max_heat=0.02), stops=FIVE, leverage=2.0).filled(), [(1, 4.0, 110.0)]
    )


# --- F10: who gets what is scarce --------------------------------------------------------------------------------------------------

SCARCE = pytest.mark.parametrize(
    ("risk", "rule"),
    [(limited(max_gross=0.5), "gross"), (limited(max_net=0.5), "net"), (vb.Risk(max_heat=0.5), "heat")],
    ids=["gross", "net", "heat"],
)


@SCARCE
def test_F10_equal_priorities_share_limits_by_one_factor(risk: vb.Risk, rule: str) -> None:
    # 400 + 600 of 500, whatever the prices
    bars = bars_of({"A": FLAT, "B": [50.0] * 6})
    out = run_in_every_order(bars, quantities({"A": [4], "B": [12]}), risk=risk)
    assert_rows(out.ordered("A"), [(0, 4.0, 2.0, "partial", rule)])
    assert_rows(out.ordered("B"), [(0, 12.0, 6.0, "partial", rule)])


@SCARCE
def test_F10_higher_priorities_are_served_first(risk: vb.Risk, rule: str) -> None:
    # B (0.9) takes 300, A and C (0.5) share 200: a third of 3 each
    bars = bars_of({"A": FLAT, "B": FLAT, "C": FLAT})
    out = run_in_every_order(bars, strengths({"A": [0.5], "B": [0.9], "C": [0.5]}), sizing=vb.Units(3), risk=risk)
    found = [(o.asset, o.filled, o.cut_by) for o in sorted(out.orders, key=lambda o: o.asset)]
    assert_rows(found, [("A", 1.0, rule), ("B", 3.0, ""), ("C", 1.0, rule)])


@SCARCE
def test_F10_a_group_within_a_billionth_fits_whole_and_a_used_up_limit_is_none(risk: vb.Risk, rule: str) -> None:
    bars = bars_of({"A": FLAT, "B": FLAT})
    near = run_in_every_order(bars, quantities({"A": [2], "B": [3 * (1 + 1e-10)]}), risk=risk)
    assert [o.status for o in near.orders] == ["filled", "filled"]
    used_up = run_in_every_order(bars, quantities({"A": [2.5], "B": [2.5, 3]}), risk=risk)
    assert_rows(used_up.ordered("B")[1:], [(1, 0.5, 0.0, "rejected", rule)])
    assert [o.done for o in used_up.orders if o.t == 1] == [1]


@SCARCE
def test_F10_lots_come_after_and_what_they_free_is_not_handed_out_again(risk: vb.Risk, rule: str) -> None:
    # 400 + 400 of 500: 2.5 each, 2 whole lots; the 100 that are left are not B's or A's
    bars = bars_of({"A": FLAT, "B": FLAT}, lot=1.0)
    out = run_in_every_order(bars, quantities({"A": [4], "B": [4]}), risk=risk)
    assert_rows([(o.filled, o.cut_by) for o in out.orders], [(2.0, rule)] * 2)


def test_F10_what_the_lots_of_a_higher_priority_free_is_not_handed_out_again() -> None:
    # A (0.9) is cut to 2.5 and then rounded to 2; for B (0.5) the half is used up all the same
    bars = bars_of({"A": [200.0] * 3, "B": FLAT[:3]}, lot=1.0)
    out = run_in_every_order(bars, strengths({"A": [0.9], "B": [0.5]}), sizing=vb.Units(4), risk=limited(max_gross=0.5))
    found = [(o.asset, o.filled, o.cut_by) for o in sorted(out.orders, key=lambda o: o.asset)]
    assert_rows(found, [("A", 2.0, "gross"), ("B", 0.0, "gross")])


# --- S5: the order of the cuts -----------------------------------------------------------------------------------------------------


def test_S5_all_limits_may_cut_one_order() -> None:
    # 8 wanted: a loss per trade of 60 % (there is no stop), 50 % as a position, 40 % gross, 30 % net, 20 % heat; 125 are paid at the open
    risk = vb.Risk(max_trade_loss=0.6, max_heat=0.2, limits=vb.Limits(max_position=0.5, max_gross=0.4, max_net=0.3))
    out = run(bars_of([100, 125], lot=1.0), quantities([8]), risk=risk)
    assert_rows(out.ordered(), [(0, 8.0, 2.0, "partial", "trade_loss, position, gross, net, heat")])
    # those that do not bind any more are not named
    risk = vb.Risk(max_trade_loss=0.2, max_heat=0.6, limits=vb.Limits(max_position=0.3, max_gross=0.5, max_net=0.4))
    assert_rows(run(bars_of([100, 125]), quantities([8]), risk=risk).ordered(), [(0, 8.0, 2.0, "partial", "trade_loss")])


def test_S5_zones_cut_before_the_daily_loss_and_limits() -> None:
    # 4.8 % down, CAUTION halves 8 to 4, which fit a position of 5: the limit has nothing to cut. (The other way round it would be 2.5.)
    bars, zones = bars_of({"A": [100, 100, 90, 90], "B": FLAT[:4]}), vb.Zones(boundaries=(0.04, 0.5, 0.6))
    for loss, filled, status, rules in ((0.05, 4.0, "partial", "zone"), (0.04, 0.0, "rejected", "zone, daily_loss")):
        risk = vb.Risk(zones=zones, daily_loss=loss, limits=vb.Limits(max_position=0.5))
        out = run(bars, quantities({"A": [4.8], "B": [None, None, 8]}), risk=risk, leverage=3.0)
        assert_rows(out.ordered("B"), [(2, 8.0, filled, status, rules)])


def test_S5_positions_are_cut_before_a_group_shares_gross() -> None:
    # 8 and 5: the position limit makes 5 and 5, of which 8 fit: 4 each
    bars = bars_of({"A": FLAT, "B": FLAT})
    out = run_in_every_order(bars, quantities({"A": [8], "B": [5]}), risk=limited(max_position=0.5, max_gross=0.8))
    found = [(o.filled, o.cut_by) for o in sorted(out.orders, key=lambda o: o.asset)]
    assert_rows(found, [(4.0, "position, gross"), (4.0, "gross")])


def test_S5_group_after_group_meets_all_limits() -> None:
    # A (0.9) of 6: position 4, gross (6) fits. B (0.5) of -6: position 4; gross leaves 2, net 4 + 3
    bars = bars_of({"A": FLAT, "B": FLAT})
    risk = limited(max_position=0.4, max_gross=0.6, max_net=0.4)
    out = run_in_every_order(bars, strengths({"A": [0.9], "B": [-0.5]}), sizing=vb.Units(6), risk=risk)
    found = [(o.filled, o.cut_by) for o in sorted(out.orders, key=lambda o: o.asset)]
    assert_rows(found, [(4.0, "position"), (-2.0, "position, gross")])


@pytest.mark.parametrize(
    ("last", "zones", "rule"),
    [(161.0, vb.Zones(), "margin"), (130.0, vb.Zones(), "zone"), (130.0, None, "daily_loss"), (100.0, None, "position, lot")],
)
def test_S5_one_refusal_ends_it(last: float, zones: vb.Zones | None, rule: str) -> None:
    """A is short 10 at 100: at 161 the account is called, at 130 it is 30 % down; the limit on positions leaves less than a lot anyway."""
    bars = bars_of({"A": [100, last, last], "B": FLAT[:3]}, lot=1.0)
    risk = vb.Risk(zones=zones, daily_loss=0.1, limits=vb.Limits(max_position=0.01))
    out = run(bars, quantities({"B": [None, 3]}), risk=risk, positions={"A": (-10.0, 100.0)}, initial_capital=2000.0)
    assert_rows(out.ordered("B"), [(1, 3.0, 0.0, "rejected", ", ".join(sorted(rule.split(", "))))])


def test_S5_the_fill_cuts_after_the_limits() -> None:
    # limits leave 5 of 8 at the close of 100; at the open of 300 cash holds 3.33: 3 lots
    out = run(bars_of([100, 300], lot=1.0), quantities([8]), risk=limited(max_position=0.5))
    assert_rows(out.ordered(), [(0, 8.0, 3.0, "partial", "cash, position")])


def test_S5_a_size_that_is_found_at_the_fill_goes_with_no_limit() -> None:
    for risk in (limited(max_gross=0.5), vb.Risk(max_heat=0.1), vb.Risk(max_trade_loss=0.1)):
        with pytest.raises(vb.errors.ConfigError, match="Cash is sized at the fill, and limits of risk are judged before it"):
            run(bars_of(FLAT), signals("L"), sizing=vb.Cash(0.5), risk=risk)
    with pytest.raises(vb.errors.ConfigError, match="max_participation may fill it over many bars"):
        run(bars_of([(100, 100, 100, 100, 1e6)] * 2), signals("L"), sizing=vb.Cash(0.5), max_participation=0.5)


@BOTH_FILLS
def test_Z7_W1_limits_hold_for_weights_and_signals_and_with_both_fills(fill: str) -> None:
    bars = bars_of({"A": FLAT, "B": FLAT})
    out = run_in_every_order(bars, weights({"A": [0.6], "B": [-0.2]}), risk=limited(max_gross=0.4), fill=fill)
    assert_rows([o.filled for o in sorted(out.orders, key=lambda o: o.asset)], [3.0, -1.0])
    out = run(bars_of(FLAT), word("short", "L"), sizing=vb.Weight(0.6), risk=limited(max_position=0.4), fill=fill)
    assert_rows([o.filled for o in out.orders], [-4.0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: vb.Limits(), "sets no limit"), (lambda: vb.Limits(max_gross=0.0), "max_gross is 0.0"),
        (lambda: vb.Limits(max_position=250), "250"), (lambda: vb.Limits(max_gross=0.5, max_net=0.6), "can never bind"),
        (lambda: vb.Risk(daily_loss=1.0), "daily_loss is 1.0"), (lambda: vb.Risk(max_heat=True), "max_heat is True"),
        (lambda: vb.Risk(), "sets no rule"),
    ],
)  # fmt: skip
def test_Z_numbers_that_make_no_sense_are_refused(make: Any, message: str) -> None:
    with pytest.raises(vb.errors.ConfigError, match=message):
        make()
