"""Z8: an account judged inside the bar leaves the market there, at the point of the way to the worst prices where the boundary is met.

Mostly 10 units at 100 hold all of 1,000 and `liquidate_at=0.1`, so that the boundary is an equity of 900, a price of 90.
"""

from __future__ import annotations

from typing import Any

import pytest

import vecbt as vb
from tests.rules.helpers import assert_rows, bars_of, quantities, run, run_in_every_order
from tests.rules.orders import buy, rows, sell
from tests.rules.sides import BOTH_FILLS, BOTH_SIDES, at, sided, sign, word

FALL = (98, 99, 80, 95)


def inside(boundary: float = 0.1, **options: Any) -> vb.Risk:
    """Everything leaves at this drawdown, inside the bar."""
    return vb.Risk(zones=vb.Zones(boundaries=(0.03, 0.05, 0.5), liquidate_at=boundary, mark="intrabar", **options))


# --- where -------------------------------------------------------------------------------------------------------------------------


@BOTH_SIDES
@pytest.mark.parametrize(
    ("bar", "price"),
    [
        (FALL, 90.0),  # 98 - u*18 with u = (980 - 900)/(980 - 800)
        ((98, 99, 90, 95), 90.0),  # reached exactly
        ((98, 99, 90.01, 95), None),
        ((85, 99, 80, 95), 85.0),  # beyond at the open: u = 0
        ((90, 99, 80, 95), 90.0),
    ],
)
def test_Z8_a_position_leaves_where_the_boundary_is_met(side: str, bar: tuple[float, ...], price: float | None) -> None:
    out = run(sided(side, [100, 100, bar, 95]), quantities([10 * sign(side)]), risk=inside())
    assert_rows(out.exits(), [] if price is None else [(2, at(side, price), "risk")])
    assert_rows(out.equity[2:], [950, 950] if price is None else [10 * price] * 2)
    assert out.zone == ([0, 0, 2, 2] if price is None else [0, 0, 3, 3])
    assert [(o.t, o.done, o.reason, o.status) for o in out.orders[1:]] == ([] if price is None else [(2, 2, "risk", "filled")])


def test_Z8_all_positions_go_the_same_part_of_their_way() -> None:
    # 5 long from 100 to 90, 5 short from 100 to 110: 1000 to 900; the boundary of 920 is met after 80 % of it
    bars = bars_of({"A": [100, 100, (100, 100, 90, 95), 95], "B": [100, 100, (100, 110, 100, 105), 105], "C": [10] * 4})
    out = run_in_every_order(bars, quantities({"A": [5], "B": [-5]}), risk=inside(0.08))
    assert_rows(out.exits("A") + out.exits("B"), [(2, 92.0, "risk"), (2, 108.0, "risk")])
    assert_rows(out.equity[2:], [920, 920])


def test_Z8_the_peak_is_that_of_the_closes_before() -> None:
    # 1200 at bar 1: the boundary is 1080, met at 108; the high of 130 of bar 2 makes no peak
    out = run(bars_of([100, (100, 120, 100, 120), (115, 130, 100, 125), 125]), quantities([10]), risk=inside())
    assert_rows(out.exits(), [(2, 108.0, "risk")])


@BOTH_SIDES
def test_Z8_a_position_entered_at_the_open_starts_there(side: str) -> None:
    # bought at 98 + 2 of spread: 5 cost 500, at 98 equity is 990; 950 is met 8 lower, at 90, less the spread
    out = run(sided(side, [100, FALL, 95]), quantities([5 * sign(side)]), risk=inside(0.05), costs=vb.Costs(half_spread=2.0))
    assert_rows(out.filled(), [(1, 5 * sign(side), at(side, 100)), (1, -5 * sign(side), at(side, 88))])
    assert out.zone == [0, 3, 3]


def test_Z8_O_a_position_entered_inside_the_bar_starts_at_its_entry() -> None:
    # 10 bought at a limit of 96; from there to 80: 1000 to 840; 900 is met at 86
    out = run(bars_of([100, (100, 100, 80, 95), 95]), rows({0: [buy(10, "limit", limit=96)]}), risk=inside(0.1))
    assert_rows(out.filled(), [(1, 10.0, 96.0), (1, -10.0, 86.0)])
    # sold short at a stop of 96: from there to the bar's full high of 104, which may be older (Z1): 920 after 80 in all
    out = run(bars_of([100, (100, 104, 95, 95), 95]), rows({0: [sell(10, "stop", stop=96)]}), risk=inside(0.06))
    assert_rows(out.filled(), [(1, -10.0, 96.0), (1, 10.0, 102.0)])


def test_Z8_F12_contracts_go_by_their_moves() -> None:
    bars = bars_of([100, 100, FALL, 95], instrument="future", initial_margin=10.0, maintenance_margin=5.0)
    out = run(bars, quantities([10]), risk=inside())
    assert_rows(out.exits(), [(2, 90.0, "risk")])
    assert_rows(out.cash, [1000, 1000, 900, 900])


def test_Z8_the_multiplier_counts() -> None:
    out = run(bars_of([20, 20, (19, 19, 15, 18), 18], multiplier=5.0), quantities([10]), risk=inside())
    assert_rows(out.exits(), [(2, 18.0, "risk")])


# --- what it costs, and what comes before ------------------------------------------------------------------------------------------


@BOTH_SIDES
def test_Z8_exits_pay_slippage_and_commission(side: str) -> None:
    # 5 bought for 1 of spread and 3: 992, at the open of 98 982; 950 is met at 91.6; then again 1 of spread and 3
    costs = vb.Costs(half_spread=1.0, per_order=3.0)
    out = run(sided(side, [100, 100, FALL, 95]), quantities([5 * sign(side)]), risk=inside(0.05), costs=costs)
    assert_rows([(f.price, f.ref, f.commission) for f in out.fills[1:]], [(at(side, 90.6), at(side, 91.6), 3.0)])
    assert_rows(out.equity[2:], [942, 942])


def test_Z8_protective_exits_come_first() -> None:
    # the stop of 95 takes A out; equity is 950 whatever comes after
    out = run(bars_of([100, 100, FALL, 95]), quantities([10]), risk=inside(), stops=vb.Stops(hard=0.05))
    assert_rows(out.exits(), [(2, 95.0, "stop")])
    # half of it in B: 500 - 25 for A, B from 100 to 84: 895; the boundary of 900 is met at 85
    bars = bars_of({"A": [100, 100, FALL, 95], "B": [100, 100, (100, 100, 84, 95), 95]})
    out = run(bars, rows({0: [buy(5, symbol="A", stop_loss=95), buy(5, symbol="B")]}), risk=inside())
    assert_rows(out.exits("A") + out.exits("B"), [(2, 95.0, "stop"), (2, 85.0, "risk")])


def test_Z8_a_delisting_of_the_bar_counts_by_its_proceeds() -> None:
    # A's 5 go at 100 less 10 %: 950; B from 100 to 84: 870; 900 at 90
    bars = bars_of({"A": [100] * 4, "B": [100, 100, (100, 100, 84, 95), 95]}, delistings={"A": ("2024-01-03", 0.1)})
    out = run_in_every_order(bars, quantities({"A": [5], "B": [5]}), risk=inside())
    assert_rows(out.exits("A") + out.exits("B"), [(2, 90.0, "delisting"), (2, 90.0, "risk")])


def test_Z8_M7_excursions_are_those_up_to_the_exit() -> None:
    # the open of 104 and the exit at 90 count, the high of 109 and the low of 80 do not
    out = run(bars_of([100, 100, (104, 109, 80, 95), 95]), quantities([10]), risk=inside())
    assert_rows([out.trades[0].mae, out.trades[0].mfe], [0.1, 0.04])


def test_Z8_P9_does_not_silence_the_row_but_the_halt_refuses_it() -> None:
    out = run(bars_of([100, 100, FALL, 95]), quantities([10, None, 5]), risk=inside(), fill="close")
    assert_rows(out.filled(), [(0, 10.0, 100.0), (2, -10.0, 90.0)])
    assert_rows(out.ordered()[1:], [(2, -10.0, -10.0, "filled", ""), (2, 5.0, 0.0, "rejected", "zone")])


def test_Z8_what_waits_for_the_asset_is_replaced() -> None:
    # an exit of 4 waits since bar 1 (no market for it in the lots of its volume): the exit inside takes its place
    bars = bars_of([(100, 100, 100, 100, 1e6), (100, 100, 100, 100, 1e6), (98, 99, 80, 95, 20), (95, 95, 95, 95, 1e6)])
    out = run(bars, quantities([10, 6]), risk=inside(), max_participation=0.1)
    # 2 of 4 are sold at 98; the 8 left are worth 800 - 16 at 98: equity 980, at 80: 836; 900 at 88; no volume is left, the exit waits
    assert_rows([(f.t, f.q, f.price, f.reason) for f in out.fills[1:]], [(2, -2.0, 98.0, "signal"), (3, -8.0, 95.0, "risk")])
    assert [(o.status, o.reason, o.done) for o in out.orders[1:]] == [("replaced", "signal", 2), ("filled", "risk", 3)]


# --- what has no market ------------------------------------------------------------------------------------------------------------


@BOTH_FILLS
def test_Z8_what_has_no_market_counts_at_its_mark_and_leaves_by_an_order(fill: str) -> None:
    # 5 of A without a bar are worth 500; B falls from 100 to 70: 850; 900 at 80. A's exit meets the open of bar 3
    bars = bars_of({"A": [100, 100, None, (97, 97, 97, 97)], "B": [100, 100, (100, 100, 70, 95), 95]})
    out = run_in_every_order(bars, quantities({"A": [5], "B": [5]}), risk=inside(), fill=fill)
    assert_rows(out.exits("B") + out.exits("A"), [(2, 80.0, "risk"), (3, 97.0, "risk")])
    assert [(o.t, o.done) for o in out.orders if o.asset == "A" and o.reason == "risk"] == [(2, 3)]


def test_Z8_F7_nor_what_has_no_volume() -> None:
    bars = bars_of({
        "A": [(100, 100, 100, 100, 1e6), (100, 100, 100, 100, 1e6), (98, 99, 60, 99, 0), (97, 97, 97, 97, 1e6)],
        "B": [(100, 100, 100, 100, 1e6), (100, 100, 100, 100, 1e6), (100, 100, 70, 95, 1e6), (95, 95, 95, 95, 1e6)],
    })  # fmt: skip
    out = run_in_every_order(bars, quantities({"A": [5], "B": [5]}), risk=inside(), max_participation=0.5)
    assert_rows(out.exits("B") + out.exits("A"), [(2, 80.0, "risk"), (3, 97.0, "risk")])


def test_Z8_F7_the_rest_of_an_exit_waits_for_the_next_open() -> None:
    bars = bars_of(
        [(100, 100, 100, 100, 1e6), (100, 100, 100, 100, 1e6), (98, 99, 80, 95, 40), (94, 94, 94, 94, 30), (93, 93, 93, 93, 1e6)]
    )
    out = run(bars, quantities([10, None, None, 12]), risk=inside(), max_participation=0.1)
    assert_rows(
        [(f.t, f.q, f.price, f.reason) for f in out.fills[1:]], [(2, -4.0, 90.0, "risk"), (3, -3.0, 94.0, "risk"), (4, -3.0, 93.0, "risk")]
    )
    assert [o.reason for o in out.orders] == ["signal", "risk"]


# --- Z3: the halt ------------------------------------------------------------------------------------------------------------------


def test_Z8_Z3_the_account_is_halted_and_leaves_only_once() -> None:
    # bought again is nothing until reset() or the cooldown of 2: re-armed at bar 4 with a peak of 900, whose boundary is 810
    bars = bars_of([100, 100, FALL, 95, 95, (95, 95, 85, 86), (90, 90, 85, 86)])
    out = run(bars, quantities([10, None, None, 5, 9]), risk=inside(cooldown_bars=2))
    # 9 at 95 on 900: at 85 equity is 810, which is the boundary
    assert_rows(
        [(f.t, f.q, f.price, f.reason) for f in out.fills[1:]],
        [(2, -10.0, 90.0, "risk"), (5, 9.0, 95.0, "signal"), (5, -9.0, 85.0, "risk")],
    )
    assert_rows(out.ordered()[2:3], [(3, 5.0, 0.0, "rejected", "zone")])
    assert out.zone == [0, 0, 3, 3, 0, 3, 3]


def test_Z8_Z3_it_is_halted_where_the_close_alone_would_not_say_so() -> None:
    # A has no bar and keeps 500; B leaves at 80; then A's next close of 130 makes 1050: halted all the same
    bars = bars_of({"A": [100, 100, None, (130, 130, 130, 130), 130], "B": [100, 100, (100, 100, 70, 100), 100, 100]})
    out = run(bars, quantities({"A": [5], "B": [5, None, None, 1]}), risk=inside())
    assert_rows(out.equity, [1000, 1000, 900, 1050, 1050])
    assert out.zone == [0, 0, 3, 3, 3]
    assert_rows(out.ordered("B")[-1], (3, 1.0, 0.0, "rejected", "zone"))


def test_Z8_each_account_has_its_own_boundary() -> None:
    bars = bars_of({"A": [100, 100, FALL, 95], "B": [100, 100, (100, 100, 91, 95), 95]})
    out = run(bars, quantities({"A": [10], "B": [10]}), risk=inside(), accounts="separate")
    assert_rows([(f.asset, f.q, f.price) for f in out.fills if f.t == 2], [("A", -10.0, 90.0)])


def test_Z8_needs_both_words() -> None:
    # judged on closes: an order at the next open; intrabar without liquidate_at: nothing leaves
    on_closes = vb.Risk(zones=vb.Zones(liquidate_at=0.1))
    assert_rows(run(bars_of([100, 100, FALL, 95]), quantities([10]), risk=on_closes).exits(), [])
    nothing_leaves = vb.Risk(zones=vb.Zones(mark="intrabar"))
    assert_rows(run(bars_of([100, 100, FALL, 95]), quantities([10]), risk=nothing_leaves).exits(), [])
    table = run(bars_of([100, 100, FALL, 95]), quantities([10]), risk=inside()).result.assumptions()
    assert "intrabar" in list(table["value"])


def test_Z8_a_reversal_at_the_open_is_judged_on_its_new_side() -> None:
    # 10 long become 10 short at the open of 100; the rise to 112 meets 900 at 110
    bars = bars_of([100, 100, (100, 112, 100, 105), 105])
    out = run(bars, word("long", "L S"), sizing=vb.Units(10), risk=inside())
    assert_rows(out.filled(), [(1, 10.0, 100.0), (2, -20.0, 100.0), (2, 10.0, 110.0)])
