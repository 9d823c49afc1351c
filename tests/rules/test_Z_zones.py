"""Z1 to Z3 and Z6: drawdown zones, what they let through, the latch of EMERGENCY, and how orders end.

Most accounts here hold 10 units of A bought at 100 with all of 1,000, so that equity is ten times A's close and zones can be read off it:
CAUTION at 95, ALERT at 90, EMERGENCY at 85 while the peak is 1,000. A short of 10 at 100 has equity 2,000 - 10*close.
"""

from __future__ import annotations

from typing import Any

import pytest

import vecbt as vb
from tests.rules.helpers import assert_rows, bars_of, quantities, run, signals, strengths, weights
from tests.rules.sides import BOTH_FILLS, BOTH_SIDES, at, mirrored, sided, sign

ZONED = vb.Risk(zones=vb.Zones())
TEN = vb.Units(10)


def zones(**options: Any) -> vb.Risk:
    return vb.Risk(zones=vb.Zones(**options))


# --- Z1: zones ------------------------------------------------------------------------------------------------------


@BOTH_SIDES
def test_Z1_zones_begin_at_their_boundaries(side: str) -> None:
    """Bought at 100 at the open of bar 1. Closes 95.5, 95, 90.5, 90, 85.5, 85: drawdowns 4.5 %, 5 %, 9.5 %, 10 %, 14.5 %, 15 %."""
    prices = [100, (100, 100, 95.5, 95.5), 95, 90.5, 90, 85.5, 85]
    out = run(sided(side, prices), quantities([10 * sign(side)]), risk=ZONED)
    assert out.equity == [1000, 955, 950, 905, 900, 855, 850]
    assert out.zone == [0, 0, 1, 1, 2, 2, 3]


@BOTH_SIDES
def test_Z1_boundaries_can_be_set(side: str) -> None:
    risk = zones(boundaries=(0.125, 0.25, 0.5))
    out = run(sided(side, [100, 100, 88, 87.5, 76, 75, 51, 50]), quantities([10 * sign(side)]), risk=risk)
    assert out.zone == [0, 0, 0, 1, 1, 2, 2, 3]


@BOTH_SIDES
def test_Z1_recovery_leaves_a_zone_that_is_not_emergency(side: str) -> None:
    out = run(sided(side, [100, 100, 90, 94, 96, 100]), quantities([10 * sign(side)]), risk=ZONED)
    assert out.zone == [0, 0, 2, 1, 0, 0]


@BOTH_SIDES
def test_Z1_drawdown_is_from_the_highest_close(side: str) -> None:
    """Up to 120 (equity 1,200), whose 5 % is 60: CAUTION at 114. The high of 130 inside bar 3 is no close."""
    prices = [100, 100, 120, (115, 130, 115, 115), 114, (114, 115, 100, 115)]
    out = run(sided(side, prices), quantities([10 * sign(side)]), risk=ZONED)
    assert out.equity == [1000, 1000, 1200, 1150, 1140, 1150]
    assert out.zone == [0, 0, 0, 0, 1, 0]


def test_Z1_the_start_is_the_first_peak() -> None:
    """Bought at the open of bar 1 at 100, which closes at 95: CAUTION at the first close with a position."""
    assert run(bars_of([100, (100, 100, 95, 95)]), quantities([10]), risk=ZONED).zone == [0, 1]
    # with starting positions: 900 of cash and one unit at 100 that opens at 50
    out = run(bars_of([50]), signals("."), risk=ZONED, positions={"A": (1, 100)}, initial_capital=900.0)
    assert (out.equity, out.zone) == ([950], [1])


def test_Z1_costs_count() -> None:
    """A commission of 50 at the entry makes 950 of 1,000."""
    out = run(bars_of([100, 100]), quantities([5]), risk=ZONED, costs=vb.Costs(per_order=50))
    assert out.zone == [0, 1]


@BOTH_SIDES
def test_Z1_F8_without_a_market_the_last_close_counts(side: str) -> None:
    out = run(sided(side, [100, 100, 95, None, None, 90]), quantities([10 * sign(side)]), risk=ZONED)
    assert out.zone == [0, 0, 1, 1, 1, 2]


def test_Z1_each_account_has_zones_of_its_own() -> None:
    """A falls 10 %, B rises; with one account for both the loss is 5 % and the gain 5 %."""
    bars = bars_of({"A": [100, 100, 90], "B": [100, 100, 110]})
    given = quantities({"A": [5], "B": [5]})
    out = run(bars, given, risk=ZONED, accounts="separate", initial_capital=500.0)
    assert out.raw.zone.tolist() == [[0, 0], [0, 0], [2, 0]]
    assert run(bars, given, risk=ZONED).zone == [0, 0, 0]


@BOTH_SIDES
def test_Z1_intrabar_judges_the_worst_price_against_the_peak_of_earlier_closes(side: str) -> None:
    """Bar 2 falls to 90 and closes at 100: ALERT. Bar 3 closes at 120; its low of 100 is judged against 1,000: NORMAL. In bar 4 the peak
    is 1,200: a low of 114 is CAUTION."""
    prices = [100, 100, (100, 100, 90, 100), (100, 120, 100, 120), (120, 130, 114, 128)]
    given = quantities([10 * sign(side)])
    assert run(sided(side, prices), given, risk=zones(mark="intrabar")).zone == [0, 0, 2, 0, 1]
    assert run(sided(side, prices), given, risk=ZONED).zone == [0, 0, 0, 0, 0]


@BOTH_SIDES
def test_Z1_intrabar_judges_what_is_held_after_the_protective_exits(side: str) -> None:
    """Bar 2 falls to 80, but the stop sold at 97: equity 970 is all there is to judge."""
    prices = [100, 100, (100, 100, 80, 90)]
    out = run(sided(side, prices), quantities([10 * sign(side)]), risk=zones(mark="intrabar"), stops=vb.Stops(hard=vb.Pct(3)))
    assert out.equity == [1000, 1000, 970]
    assert out.zone == [0, 0, 0]


def test_Z1_intrabar_T10_judges_a_delisted_asset_by_its_equity_only() -> None:
    """A's low of 80 is not judged in the bar whose end delists it at 100; with a haircut of 10 % the equity of T6, 900, is."""
    for haircut, zone in ((0.0, 0), (0.1, 2)):
        bars = bars_of([100, 100, (100, 100, 80, 100)], delistings={"A": ("2024-01-03", haircut)})
        out = run(bars, quantities([10]), risk=zones(mark="intrabar"))
        assert out.zone == [0, 0, zone]


def test_Z1_intrabar_is_never_milder_than_the_close() -> None:
    """With close fills, a commission of 100 at the close of bar 1 takes the equity to 900, below any price of the bar."""
    out = run(bars_of([100, 100]), quantities([None, 5]), risk=zones(mark="intrabar"), fill="close", costs=vb.Costs(per_order=100))
    assert out.zone == [0, 2]


def test_Z1_intrabar_is_shown_in_the_result() -> None:
    out = run(bars_of([100, 100]), quantities([5]), risk=zones(mark="intrabar"))
    table = out.result.assumptions()
    assert table.loc[table["name"] == "zones.mark", "value"].tolist() == ["intrabar"]


def test_Z1_T7_with_close_fills_the_zone_is_redone_net_of_them() -> None:
    """Each order costs 30. 5 units at the close of 0: equity 970, NORMAL. 4 more at the close of 1, judged NORMAL and filled whole, make it
    940: the record of that very bar is CAUTION."""
    out = run(bars_of([100, 100, 100]), quantities([5, 9]), risk=ZONED, fill="close", costs=vb.Costs(per_order=30))
    assert out.equity == [970, 940, 940]
    assert out.zone == [0, 1, 1]
    assert [o.cut_by for o in out.orders] == ["", ""]


# --- Z2: new risk ---------------------------------------------------------------------------------------------------


def beside_a_loss(zone: int, given: Any, **keywords: Any) -> Any:
    """Nothing held of B, at 10 throughout; 5 of A lose 50, 100 or 150 of 1,000 in bar 2: the account is in `zone` from then on."""
    fall = 100 - {0: 0, 1: 10, 2: 20, 3: 30}[zone]
    bars = bars_of({"A": [100, 100, fall, fall, fall], "B": [10] * 5})
    return run(bars, given, positions={"A": (5, 100)}, initial_capital=500.0, risk=ZONED, **keywords)


@pytest.mark.parametrize("fill", ["next_open", "close"])
@pytest.mark.parametrize("entry", ["L", "S"])
@pytest.mark.parametrize(("zone", "factor"), [(0, 1.0), (1, 0.5), (2, 0.25), (3, 0.0)])
def test_Z2_new_risk_is_multiplied_by_the_factor_of_the_zone(zone: int, factor: float, entry: str, fill: str) -> None:
    out = beside_a_loss(zone, signals({"B": f". . {entry}"}), sizing=vb.Units(8), fill=fill)
    side = 1.0 if entry == "L" else -1.0
    status, rule = {0: ("filled", ""), 3: ("rejected", "zone")}.get(zone, ("partial", "zone"))
    assert out.ordered("B") == [(2, side * 8, side * 8 * factor, status, rule)]
    assert out.held("B") == side * 8 * factor


@pytest.mark.parametrize(
    ("given", "keywords", "wanted"),
    [
        (strengths({"B": [None, None, 0.5]}), {"sizing": vb.Weight(0.1)}, 4.5),  # 900*0.1*0.5/10
        (signals({"B": ". . L"}), {"sizing": vb.Notional(80)}, 8.0),
        (weights({"B": [None, None, 0.1]}), {}, 9.0),
        (quantities({"B": [None, None, 8]}), {}, 8.0),
    ],
)
def test_Z2_whatever_asked_for_it(given: Any, keywords: dict[str, Any], wanted: float) -> None:
    """In ALERT (equity 900) a quarter is left."""
    out = beside_a_loss(2, given, **keywords)
    assert out.ordered("B") == [(2, wanted, wanted / 4, "partial", "zone")]


def test_Z2_S3_the_room_of_a_cash_order_is_multiplied_too() -> None:
    """In CAUTION there are 500 of cash; Cash(0.5) asks for 250, the zone leaves 125: 12.5 units at 10."""
    out = beside_a_loss(1, signals({"B": ". . L"}), sizing=vb.Cash(0.5))
    assert (out.held("B"), out.orders[-1].status, out.orders[-1].cut_by) == (12.5, "partial", "zone")


def test_Z2_factors_can_be_set() -> None:
    bars = bars_of({"A": [100, 100, 90, 90], "B": [10] * 4})
    for factors, held in (((1.0, 1.0, 0.0, 0.0), 8.0), ((0.5, 0.25, 0.125, 0.0), 2.0)):
        risk = zones(factors=factors)
        out = run(bars, signals({"B": ". . L"}), positions={"A": (5, 100)}, initial_capital=500.0, risk=risk, sizing=vb.Units(8))
        assert out.held("B") == held


def test_Z2_a_factor_below_one_counts_in_normal_too() -> None:
    out = run(bars_of([100, 100]), quantities([8]), risk=zones(factors=(0.5, 0.25, 0.25, 0)))
    assert out.ordered() == [(0, 8.0, 4.0, "partial", "zone")]


def test_Z2_F5_lots_are_cut_after_the_zone() -> None:
    """A quarter of 10 is 2.5: two lots of 1; a quarter of 3 is less than one: nothing is left."""
    for units, filled, status, rule in ((10, 2.0, "partial", "zone"), (3, 0.0, "rejected", "zone, lot")):
        bars = bars_of({"A": [100, 100, 80, 80], "B": [10] * 4}, lot=1.0)
        out = run(bars, signals({"B": ". . L"}), positions={"A": (5, 100)}, initial_capital=500.0, risk=ZONED, sizing=vb.Units(units))
        assert out.ordered("B") == [(2, units, filled, status, rule)]


@BOTH_SIDES
@BOTH_FILLS
@pytest.mark.parametrize("close", [95, 90, 85])
def test_Z2_reductions_are_whole_in_every_zone(side: str, fill: str, close: float) -> None:
    """10 held, the row of the fall asks for 4: 6 go, whatever the zone; then the rest by an exit."""
    q = sign(side)
    out = run(sided(side, [100, 100, close, close, close]), quantities([10 * q, None, 4 * q, 0]), risk=ZONED, fill=fill)
    assert [o[1:] for o in out.ordered()] == [(units * q, units * q, "filled", "") for units in (10, -6, -4)]


@BOTH_SIDES
@pytest.mark.parametrize(("close", "opened"), [(95, 4.0), (90, 2.0), (85, 0.0)])
def test_Z2_Z6_a_flip_closes_whole_and_opens_what_the_zone_allows(side: str, close: float, opened: float) -> None:
    """10 long, target 8 short: 18 wanted; 10 close, and of 8 the zone leaves half, a quarter, or nothing."""
    q = sign(side)
    out = run(sided(side, [100, 100, close, close]), quantities([10 * q, None, -8 * q]), risk=ZONED)
    assert out.ordered()[1] == (2, -18 * q, -(10 + opened) * q, "partial", "zone")
    assert out.held() == -opened * q


# --- Z3: the latch --------------------------------------------------------------------------------------------------


@BOTH_SIDES
def test_Z3_emergency_stays_when_the_drawdown_is_over(side: str) -> None:
    """Down 15 % in bar 2, at a new peak in bar 4: still EMERGENCY, and a new entry of B is refused."""
    prices = [100, 100, 85, 99, 120, 120]
    bars = bars_of({"A": prices if side == "long" else mirrored(prices), "B": [10] * 6})
    out = run(bars, quantities({"A": [10 * sign(side)], "B": [None] * 4 + [1]}), risk=ZONED)
    assert out.zone == [0, 0, 3, 3, 3, 3]
    assert out.ordered("B") == [(4, 1.0, 0.0, "rejected", "zone")]
    assert out.held("A") == 10 * sign(side)  # nothing was closed: liquidate_at was not asked for


@BOTH_SIDES
@pytest.mark.parametrize(
    ("fill", "filled_at", "price"),
    [("next_open", 3, 70.0), ("close", 2, 80.0)],
)
def test_Z3_liquidate_at_closes_everything_by_orders_of_its_bar(side: str, fill: str, filled_at: int, price: float) -> None:
    """20 % down at the close of bar 2; at the next open it is 70, with close fills the close itself."""
    risk = zones(liquidate_at=0.2)
    out = run(sided(side, [100, 100, 80, (70, 75, 70, 75), 75]), quantities([10 * sign(side)]), risk=risk, fill=fill)
    assert out.exits() == [(filled_at, at(side, price), "risk")]
    assert (out.orders[1].t, out.orders[1].reason) == (2, "risk")
    assert out.zone == [0, 0, 3, 3, 3]


def test_Z3_liquidate_at_closes_all_assets_long_and_short() -> None:
    """5 long of A, 5 short of B at 100: A falls to 80, B rises to 110: 1,000 - 100 - 50 = 850."""
    bars = bars_of({"A": [100, 100, 80, 80], "B": [100, 100, 110, 110], "C": [10] * 4})
    out = run(bars, quantities({"A": [5], "B": [-5], "C": [None, None, 3]}), risk=zones(liquidate_at=0.15))
    assert [(o.asset, o.t, o.filled, o.reason, o.cut_by) for o in out.orders if o.t == 2] == [
        ("C", 2, 0.0, "signal", "zone"), ("A", 2, -5.0, "risk", ""), ("B", 2, 5.0, "risk", "")
    ]  # fmt: skip
    assert (out.held("A"), out.held("B"), out.held("C")) == (0.0, 0.0, 0.0)


@BOTH_SIDES
def test_Z3_liquidate_at_may_be_reached_before_emergency(side: str) -> None:
    """ALERT's boundary: all goes at 10 %, the zone recorded is EMERGENCY, and it stays although 15 % are never reached."""
    out = run(sided(side, [100, 100, 90, 90, 95]), quantities([10 * sign(side)]), risk=zones(liquidate_at=0.1))
    assert out.exits() == [(3, at(side, 90.0), "risk")]
    assert out.zone == [0, 0, 3, 3, 3]


@BOTH_SIDES
def test_Z3_beyond_emergency_it_halts_first_and_liquidates_later(side: str) -> None:
    """EMERGENCY at 15 % holds what there is; 30 % closes it."""
    out = run(sided(side, [100, 100, 85, 75, 70, 70]), quantities([10 * sign(side)]), risk=zones(liquidate_at=0.3))
    assert out.zone == [0, 0, 3, 3, 3, 3]
    assert out.exits() == [(5, at(side, 70.0), "risk")]


def test_Z3_waiting_new_risk_is_cancelled() -> None:
    """B's entry of bar 1 waits for a market; at bar 2 A's fall liquidates: B's order is cancelled, rule zone; its market comes too late."""
    bars = bars_of({"A": [100, 100, 80, 80], "B": [10, 10, None, 10]})
    out = run(bars, quantities({"A": [5], "B": [None, 3]}), risk=zones(liquidate_at=0.1))
    assert out.ordered("B") == [(1, 3.0, 0.0, "cancelled", "zone")]
    assert out.orders[1].done == 2 and out.held("B") == 0.0


def test_Z3_an_increase_that_waits_is_cancelled_and_its_position_exits() -> None:
    """A itself has no market in bar 2, where B's fall liquidates: A's increase is cancelled, its exit waits for bar 3."""
    bars = bars_of({"A": [10, 10, None, 10], "B": [100, 100, 80, 80]})
    out = run(bars, quantities({"A": [2, 3], "B": [5]}), risk=zones(liquidate_at=0.1))
    assert out.ordered("A") == [(0, 2.0, 2.0, "filled", ""), (1, 1.0, 0.0, "cancelled", "zone"), (2, -2.0, -2.0, "filled", "")]
    assert [f.reason for f in out.fills if f.asset == "A"] == ["signal", "risk"]


@BOTH_FILLS
def test_Z3_what_cannot_be_sold_is_tried_again_and_rows_are_not_heard_meanwhile(fill: str) -> None:
    """B's fall liquidates at bar 2; A has no market then nor in bar 3: its exit waits for the open of 4, whatever A's and B's rows say."""
    bars = bars_of({"A": [10, 10, None, None, 10, 10], "B": [100, 100, 80, 80, 80, 80]})
    given = quantities({"A": [2, None, None, 4, 5], "B": [5, None, None, None, 5]})
    out = run(bars, given, risk=zones(liquidate_at=0.1), fill=fill)
    assert out.exits("A") == [(4, 10.0, "risk")]
    assert [o.reason for o in out.orders if o.asset == "A" and o.filled] == ["signal", "risk"]
    assert out.held("A") == 0.0 and out.held("B") == 0.0


@pytest.mark.parametrize("text", ["L . S", "L . . S", "L . l", "L . L"])
def test_Z3_S4_while_it_lasts_the_row_of_what_is_held_is_ignored(text: str) -> None:
    """20 % down at bar 2; bar 3 has no volume, so the exit waits for bar 4: neither row of these bars replaces it."""
    prices = [(p, p, p, p, v) for p, v in ((100, 1e6), (100, 1e6), (80, 1e6), (80, 0), (80, 1e6))]
    out = run(bars_of(prices), signals(text), sizing=vb.Units(5), risk=zones(liquidate_at=0.1), costs=vb.Costs(volume_share=1e-9))
    assert [(o.t, o.done, o.reason, o.status) for o in out.orders] == [(0, 1, "signal", "filled"), (2, 4, "risk", "filled")]


def test_Z3_T7_a_risk_exit_comes_before_a_time_exit_and_both_before_the_row() -> None:
    """At bar 2 all three would act: the drawdown, the time stop, an exit signal."""
    out = run(bars_of([100, 100, 80, 80]), signals("L . l"), sizing=TEN, risk=zones(liquidate_at=0.1), stops=vb.Stops(time_bars=1))
    assert out.exits() == [(3, 80.0, "risk")] and len(out.orders) == 2
    out = run(bars_of([100, 100, 80, 80]), signals("L . l"), sizing=TEN, risk=ZONED, stops=vb.Stops(time_bars=1))
    assert out.exits() == [(3, 80.0, "time")] and len(out.orders) == 2


def test_Z3_cooldown_rearms_with_the_peak_at_the_equity_of_then() -> None:
    """EMERGENCY at bar 2 (850), cooldown 2: NORMAL at bar 4, whose equity of 800 is the new peak; 5 % below it is 760: CAUTION at 76."""
    out = run(bars_of([100, 100, 85, 82, 80, 77, 76]), quantities([10]), risk=zones(cooldown_bars=2))
    assert out.equity == [1000, 1000, 850, 820, 800, 770, 760]
    assert out.zone == [0, 0, 3, 3, 0, 0, 1]


@BOTH_SIDES
def test_Z3_cooldown_of_one_bar_rearms_at_the_next(side: str) -> None:
    """EMERGENCY at bar 2; at bar 3 the peak is its own equity, 600; at bar 4 16 2/3 % below that: EMERGENCY again; at 5 re-armed again."""
    out = run(sided(side, [100, 100, 85, 60, 50, 50, 50]), quantities([10 * sign(side)]), risk=zones(cooldown_bars=1))
    assert out.zone == [0, 0, 3, 0, 3, 0, 0]


def test_Z3_after_the_cooldown_new_risk_is_allowed_in_its_own_bar() -> None:
    """Re-armed at T6 of bar 4, so the row of bar 4 is NORMAL; that of bar 3 was refused."""
    bars = bars_of({"A": [100, 100, 85, 85, 85, 85], "B": [10] * 6})
    out = run(bars, quantities({"A": [10, None, 5], "B": [None, None, None, 2, 3]}), risk=zones(cooldown_bars=2))
    assert out.ordered("B") == [(3, 2.0, 0.0, "rejected", "zone"), (4, 3.0, 3.0, "filled", "")]


def test_Z3_cooldown_ends_liquidation_too() -> None:
    """Sold by risk at the open of 3; re-armed at bar 4, bought again at the open of 5, and not sold again."""
    given = quantities([10, None, None, None, 4])
    out = run(bars_of([100, 100, 80, 80, 80, 80, 80]), given, risk=zones(liquidate_at=0.1, cooldown_bars=2))
    assert [(f.t, f.q, f.reason) for f in out.fills] == [(1, 10.0, "signal"), (3, -10.0, "risk"), (5, 4.0, "signal")]
    assert out.zone == [0, 0, 3, 3, 0, 0, 0]


def test_Z3_the_bars_of_a_cooldown_are_counted_from_the_first_halt() -> None:
    """Halted at 15 % in bar 2 with a cooldown of 3; reaching 30 % at bar 3 does not start it again: re-armed at bar 5."""
    out = run(bars_of([100, 100, 85, 70, 70, 70, 70]), quantities([10]), risk=zones(liquidate_at=0.3, cooldown_bars=3))
    assert out.zone == [0, 0, 3, 3, 3, 0, 0]
    assert out.exits() == [(4, 70.0, "risk")]


def test_Z3_every_halt_has_a_cooldown_of_its_own() -> None:
    """Halted at bar 2, re-armed at bar 4 with a peak of 800; halted again by 640 at bar 5 (20 % down), re-armed at bar 7, not before."""
    out = run(bars_of([100, 100, 80, 80, 80, 64, 64, 64]), quantities([10]), risk=zones(cooldown_bars=2))
    assert out.zone == [0, 0, 3, 3, 0, 3, 3, 0]


def test_Z1_T7_with_close_fills_the_peak_is_net_of_them() -> None:
    """Close fills, 5 at 100. The close of bar 1 at 120 makes 1,100; a purchase of 1 there costs 60: the record, and the peak, is 1,040.
    At 113 1/3 equity is 1,000, 3.8 % below 1,040 (and 9 % below 1,100): NORMAL."""
    risk, costs = zones(), vb.Costs(per_order=60)
    out = run(bars_of([100, 120, 340 / 3]), quantities([None, 6]), risk=risk, costs=costs, fill="close", positions={"A": (5, 100)},
              initial_capital=500.0)  # fmt: skip
    assert_rows(out.equity, [1000, 1040, 1000])
    assert out.zone == [0, 0, 0]


def test_Z3_T7_with_close_fills_a_halt_is_not_counted_twice() -> None:
    """The redone T6 starts from the values before the bar: halted at bar 2, sold at its close, re-armed at bar 4 (cooldown 2)."""
    risk = zones(liquidate_at=0.1, cooldown_bars=2)
    out = run(bars_of([100, 100, 80, 80, 80, 80]), quantities([10, None, None, None, 4]), risk=risk, fill="close")
    assert [(f.t, f.q) for f in out.fills] == [(0, 10.0), (2, -10.0), (4, 4.0)]
    assert out.zone == [0, 0, 3, 3, 0, 0]


def test_Z3_reset_rearms_a_stream() -> None:
    """Halted at 15 %; `reset()` between two bars makes the equity of then, 850, the peak: 5 % below it is 807.5."""
    bars = bars_of([100, 100, 85, 84, 81, 80.75, 80])
    stream = vb.Stream(vb.Quantities, market=bars.market, costs=vb.Costs.free(), risk=ZONED, initial_capital=1000.0)
    found = []
    for t in range(bars.T):
        found.append(stream.update(bars.row(t), vb.Quantities([10.0]) if t == 0 else None).zone)
        if t == 2:
            stream.reset()
            assert stream.books.accounts.peak[0] == 850
    assert found == [0, 0, 3, 0, 0, 1, 1]


def test_Z3_reset_ends_liquidation() -> None:
    """Sold after bar 2; without `reset()` the entry at bar 4 is refused, with it (after bar 3) it is filled at the open of 5."""
    bars = bars_of([100, 100, 80, 80, 80, 80])
    held = []
    for with_reset in (False, True):
        stream = vb.Stream(vb.Quantities, market=bars.market, costs=vb.Costs.free(), risk=zones(liquidate_at=0.1), initial_capital=1000.0)
        rows = {0: vb.Quantities([10.0]), 4: vb.Quantities([3.0])}
        for t in range(bars.T):
            decision = stream.update(bars.row(t), rows.get(t))
            if t == 3 and with_reset:
                stream.reset()
        held.append(float(decision.positions[0]))
    assert held == [0.0, 3.0]


# --- Z6: how orders end ---------------------------------------------------------------------------------------------


def test_Z6_the_ends_of_orders_in_one_account() -> None:
    """At 10 a unit: A is filled; C refused by its lot of 5, D by its minimum of 50; F waits for a market that does not come, G is delisted
    while it waits."""
    ten, gone = [10] * 4, [10, None, None, None]
    bars = bars_of(
        {"A": ten, "C": ten, "D": ten, "F": gone, "G": gone},
        lot={"C": 5.0},
        min_notional={"D": 50.0},
        delistings={"G": ("2024-01-03", 0.0)},
    )
    out = run(bars, quantities({symbol: [4] for symbol in bars.symbols}))
    assert out.ordered("A") == [(0, 4.0, 4.0, "filled", "")]
    assert out.ordered("C") == [(0, 4.0, 0.0, "rejected", "lot")]
    assert out.ordered("D") == [(0, 4.0, 0.0, "rejected", "minimum")]
    assert out.ordered("F") == [(0, 4.0, 0.0, "pending", "")]
    assert out.ordered("G") == [(0, 4.0, 0.0, "cancelled", "delisted")]
    assert {o.asset: o.done for o in out.orders} == {"A": 1, "C": 0, "D": 1, "F": -1, "G": 2}


def test_Z6_partial_by_cash_and_rejected_by_cash() -> None:
    """1,000 at 10: of 150 units 100 fit. With nothing left, nothing is filled: rejected."""
    out = run(bars_of([10, 10]), quantities([150]))
    assert out.ordered() == [(0, 150.0, 100.0, "partial", "cash")]
    out = run(bars_of({"A": [10] * 3, "B": [10] * 3}), quantities({"A": [100], "B": [None, 5]}))
    assert out.ordered("B") == [(1, 5.0, 0.0, "rejected", "cash")]


def test_Z6_S4_replaced_by_a_new_decision() -> None:
    """Under volume share the order of bar 0 cannot fill without volume at bar 1, whose own row asks for something else."""
    prices = [(10, 10, 10, 10, 1e6), (10, 10, 10, 10, 0), (10, 10, 10, 10, 1e6)]
    out = run(bars_of(prices), quantities([4, 6]), costs=vb.Costs(volume_share=0.1))
    assert out.ordered() == [(0, 4.0, 0.0, "replaced", ""), (1, 6.0, 6.0, "filled", "")]
    # a row that asks for what is held, or for nothing, just ends it
    out = run(bars_of(prices), quantities([4, 0]), costs=vb.Costs(volume_share=0.1))
    assert out.ordered() == [(0, 4.0, 0.0, "replaced", "")]


def test_Z6_T8_cancelled_by_the_call_at_the_end() -> None:
    out = run(bars_of([10, None]), quantities([4]), liquidate_at_end=True)
    assert out.ordered() == [(0, 4.0, 0.0, "cancelled", "")]


def test_Z6_rounding_to_lots_is_no_cut() -> None:
    """10.5 with lots of 1 is 10: filled, and no rule is named; 0.5 is nothing: refused, rule lot."""
    out = run(bars_of([10, 10, 10], lot=1.0), quantities([10.5]))
    assert out.ordered() == [(0, 10.5, 10.0, "filled", "")]
    out = run(bars_of([10, 10, 10], lot=1.0), quantities([0.5]))
    assert out.ordered() == [(0, 0.5, 0.0, "rejected", "lot")]


def test_Z6_what_asks_for_nothing_makes_no_order() -> None:
    """A target that is met, an exit of nothing, an entry in the side held."""
    assert run(bars_of([10, 10, 10]), quantities([0, 0, 0])).orders == []
    assert len(run(bars_of([10, 10, 10, 10]), quantities([4, 4, 4, 4])).orders) == 1
    assert run(bars_of([10, 10, 10]), signals("l s l")).orders == []
    assert len(run(bars_of([10, 10, 10]), signals("L L L"), sizing=vb.Units(1)).orders) == 1


def test_Z6_refusals_are_counted_by_rule() -> None:
    """Two orders of B refused by the zone, one of A cut by cash."""
    bars = bars_of({"A": [100, 100, 85, 85, 85], "B": [10] * 5})
    out = run(bars, quantities({"A": [11], "B": [None, None, 1, 1]}), risk=ZONED)
    table = out.result.refusals
    found = list(table[["rule", "status", "orders"]].itertuples(index=False, name=None))
    assert found == [("zone", "rejected", 2), ("cash", "partial", 1)]
