"""O: orders that wait. Prices are round, every expected number is worked in the comments, and what is written for a long is mirrored."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.rules.helpers import FREE, assert_rows, bars_of, run, run_in_every_order
from tests.rules.orders import Cancel, buy, ends, fills, rows, sell, time_of, trade_on
from tests.rules.sides import BOTH_FILLS, BOTH_SIDES, sided

HALF_DAY = np.timedelta64(43_200_000_000_000, "ns")
ZONES = vb.Zones(boundaries=(0.04, 0.5, 0.6), factors=(1.0, 0.5, 0.25, 0.0))

# --- O1: limits ----------------------------------------------------------------------------------------------------------------------


@BOTH_SIDES
@pytest.mark.parametrize(
    ("bar", "price"),
    [
        ((97, 99, 96, 99), 97.0),  # the open is better than the limit
        ((98, 99, 97, 99), 98.0),  # the open is the limit
        ((99, 101, 98, 100), 98.0),  # the low touches it
        ((99, 101, 96, 100), 98.0),  # the low goes through it: no better price than the limit
        ((99, 101, 98.5, 100), None),
    ],
)
def test_O1_a_limit_fills_at_the_open_or_at_itself(side: str, bar: tuple[float, ...], price: float | None) -> None:
    out = trade_on(side, [100, bar], {0: [buy(type="limit", limit=98)]})
    assert fills(side, out) == ([] if price is None else [(1, 1.0, price)])


@BOTH_SIDES
@pytest.mark.parametrize(
    ("bar", "price"),
    [
        ((99, 101, 98, 100), None),  # touched, not crossed
        ((98, 101, 98, 100), None),
        ((98, 101, 97, 100), 98.0),  # the open is not through, the low is
        ((97, 101, 97, 100), 97.0),
    ],
)
def test_O1_trade_through_asks_for_a_price_beyond_the_limit(side: str, bar: tuple[float, ...], price: float | None) -> None:
    out = trade_on(side, [100, bar], {0: [buy(type="limit", limit=98)]}, trade_through=True)
    assert fills(side, out) == ([] if price is None else [(1, 1.0, price)])


@BOTH_SIDES
def test_O1_a_limit_waits_until_it_is_met(side: str) -> None:
    out = trade_on(side, [100, 100, None, (99, 99, 98, 99)], {0: [buy(type="limit", limit=98)]})
    assert fills(side, out) == [(3, 1.0, 98.0)]
    assert ends(out) == [("filled", "", 3)]
    out = trade_on(side, [100] * 3, {0: [buy(type="limit", limit=98)]})
    assert ends(out) == [("pending", "", -1)]


@BOTH_SIDES
@pytest.mark.parametrize("bar", [(99, 101, 96, 100), (97, 101, 96, 100)])
def test_F1_a_limit_order_has_no_slippage_and_pays_the_maker_rate(side: str, bar: tuple[float, ...]) -> None:
    costs = vb.Costs(commission_rate=0.01, maker_rate=0.005, slippage_bps=100, half_spread=0.5)
    out = trade_on(side, [100, bar], {0: [buy(type="limit", limit=98)]}, costs=costs)
    price = min(98.0, bar[0])
    assert_rows(fills(side, out), [(1, 1.0, price)])
    paid = price if side == "long" else 200 - price
    assert_rows([out.fills[0].commission, out.fills[0].slippage], [0.005 * paid, 0.0])


# --- O2: stops and stop-limits -------------------------------------------------------------------------------------------------------


@BOTH_SIDES
@pytest.mark.parametrize(
    ("bar", "price"),
    [((101, 102, 99, 100), 102.0), ((101, 105, 99, 100), 102.0), ((103, 105, 99, 100), 103.0), ((101, 101.5, 99, 100), None)],
)
def test_O2_a_stop_fills_at_the_worse_of_open_and_stop(side: str, bar: tuple[float, ...], price: float | None) -> None:
    out = trade_on(side, [100, bar], {0: [buy(type="stop", stop=102)]})
    assert fills(side, out) == ([] if price is None else [(1, 1.0, price)])
    # a stop is touched, whatever limits need
    out = trade_on(side, [100, bar], {0: [buy(type="stop", stop=102)]}, trade_through=True)
    assert fills(side, out) == ([] if price is None else [(1, 1.0, price)])


@BOTH_SIDES
def test_F1_a_stop_slips_from_its_level_or_the_open_and_pays_the_taker_rate(side: str) -> None:
    costs = vb.Costs(commission_rate=0.01, maker_rate=0.005, half_spread=0.5)
    for bar, price in (((101, 105, 99, 100), 102.5), ((103, 105, 99, 100), 103.5)):
        out = trade_on(side, [100, bar], {0: [buy(type="stop", stop=102)]}, costs=costs)
        assert_rows(fills(side, out), [(1, 1.0, price)])
        assert_rows([out.fills[0].commission], [0.01 * (price if side == "long" else 200 - price)])


@BOTH_SIDES
@pytest.mark.parametrize(
    ("bar", "price"),
    [
        ((100, 105, 99, 101), 102.0),  # triggered inside: the stop is a price the limit of 103 takes
        ((103, 105, 99, 101), 103.0),  # triggered at the open, which is the limit
        ((102, 105, 99, 101), 102.0),
        ((104, 105, 103, 104), 103.0),  # triggered at the open, too high; the low comes to the limit
        ((104, 105, 103.5, 104), None),
        ((100, 101, 99, 101), None),  # not triggered, though the limit is met
    ],
)
def test_O2_a_stop_limit_with_its_limit_beyond_the_stop(side: str, bar: tuple[float, ...], price: float | None) -> None:
    out = trade_on(side, [100, bar], {0: [buy(type="stop_limit", stop=102, limit=103)]})
    assert fills(side, out) == ([] if price is None else [(1, 1.0, price)])


@BOTH_SIDES
@pytest.mark.parametrize(
    ("bar", "price"),
    [
        ((100, 102, 99, 101), 101.0),  # triggered at 102; the close is back at the limit
        ((100, 102, 99, 99.5), 101.0),  # the close is past it: the limit was met on the way
        ((100, 102, 99, 101.5), None),  # the low of 99 may be older than the trigger
        ((103, 104, 101, 103), 101.0),  # triggered at the open: the low is after it
    ],
)
def test_O2_a_stop_limit_with_its_limit_short_of_the_stop(side: str, bar: tuple[float, ...], price: float | None) -> None:
    out = trade_on(side, [100, bar], {0: [buy(type="stop_limit", stop=102, limit=101)]})
    assert fills(side, out) == ([] if price is None else [(1, 1.0, price)])


@BOTH_SIDES
def test_O2_once_triggered_a_stop_limit_is_a_limit(side: str) -> None:
    # triggered in bar 1 and left behind; bar 2 touches 101 without any 102
    out = trade_on(side, [100, (100, 102, 99, 102), (101.5, 101.5, 101, 101.5)], {0: [buy(type="stop_limit", stop=102, limit=101)]})
    assert fills(side, out) == [(2, 1.0, 101.0)]


# --- F5: ticks -----------------------------------------------------------------------------------------------------------------------


@BOTH_SIDES
def test_F5_limit_prices_go_away_from_the_market_and_stops_toward_it(side: str) -> None:
    # ticks of 4: a buy's limit of 99 is 96, its stop of 103 is 100; a sale's limit of 101 is 104, its stop of 97 is 100
    for low in (97, 96):
        out = trade_on(side, [100, (99, 99, low, 99)], {0: [buy(type="limit", limit=99)]}, tick=4)
        assert fills(side, out) == ([] if low == 97 else [(1, 1.0, 96.0)])
    out = trade_on(side, [100, (98, 101, 98, 99)], {0: [buy(type="stop", stop=103)]}, tick=4)
    assert fills(side, out) == [(1, 1.0, 100.0)]


# --- O3: times in force --------------------------------------------------------------------------------------------------------------


@BOTH_SIDES
def test_O3_a_day_order_lives_in_the_session_of_its_first_valid_bar(side: str) -> None:
    prices = [100, 100, None, 100, 100, (100, 100, 95, 100)]  # two bars a session
    day = buy(type="limit", limit=95, tif="day")
    for given, end in ((0, ("cancelled", "expired", 2)), (1, ("cancelled", "expired", 4)), (4, ("filled", "", 5))):
        out = run(sided(side, prices, every=HALF_DAY), rows({given: [day]}, side))
        assert ends(out) == [end]


@BOTH_SIDES
@pytest.mark.parametrize(("bar", "end"), [(3, ("cancelled", "expired", 3)), (4, ("filled", "", 3))])
def test_O3_gtd_meets_no_bar_that_starts_at_or_after_its_time(side: str, bar: int, end: tuple[Any, ...]) -> None:
    bars = sided(side, [100, 100, 100, (100, 100, 95, 100), 100])
    out = run(bars, rows({0: [buy(type="limit", limit=95, tif="gtd", until=time_of(bars, bar))]}, side))
    assert ends(out) == [end]


@BOTH_SIDES
@pytest.mark.parametrize("tif", ["ioc", "fok"])
def test_O3_ioc_and_fok_have_one_open(side: str, tif: str) -> None:
    prices = [100, None, (99, 103, 95, 100), 95]
    # the first valid open is bar 2's: 99
    assert fills(side, trade_on(side, prices, {0: [buy(tif=tif)]})) == [(2, 1.0, 99.0)]
    assert fills(side, trade_on(side, prices, {0: [buy(type="limit", limit=99, tif=tif)]})) == [(2, 1.0, 99.0)]
    assert fills(side, trade_on(side, prices, {0: [buy(type="stop", stop=99, tif=tif)]})) == [(2, 1.0, 99.0)]
    assert fills(side, trade_on(side, prices, {0: [buy(type="stop_limit", stop=98, limit=99, tif=tif)]})) == [(2, 1.0, 99.0)]
    for order in (
        buy(type="limit", limit=98, tif=tif),  # met inside the bar, and in bar 3
        buy(type="stop", stop=102, tif=tif),
        buy(type="stop_limit", stop=98, limit=98.5, tif=tif),
    ):
        out = trade_on(side, prices, {0: [order]})
        assert ends(out) == [("cancelled", "expired", 2)]


@BOTH_SIDES
def test_O3_F4_ioc_is_cut_and_fok_is_not(side: str) -> None:
    # 1000 hold 10 at 100
    assert ends(trade_on(side, [100, 100], {0: [buy(12, tif="ioc")]})) == [("partial", "cash", 1)]
    out = trade_on(side, [100, 100], {0: [buy(12, tif="fok")]})
    assert ends(out) == [("rejected", "cash", 1)]
    assert fills(side, out) == []


@BOTH_SIDES
def test_O3_F10_a_fok_that_would_be_cut_leaves_its_group(side: str) -> None:
    # 6 + 8 at 100 want 1400 of 1000: the FOK goes, the other fills whole; without FOK both would be cut to 5/7
    bars = bars_of({"A": [100.0, 100.0], "B": [100.0, 100.0]})
    out = run_in_every_order(bars, rows({0: [buy(6, tif="fok"), buy(8, symbol="B")]}, side))
    assert {o.asset: (abs(o.filled), o.status, o.cut_by) for o in out.orders} == {"A": (0, "rejected", "cash"), "B": (8, "filled", "")}


@BOTH_SIDES
@pytest.mark.parametrize(
    ("tif", "keywords", "filled", "end"),
    [
        ("gtc", {}, [(1, 2.0, 100.0), (2, 2.0, 100.0), (3, 1.0, 100.0)], ("filled", "", 3)),
        ("gtc", {"participation_rest": "drop"}, [(1, 2.0, 100.0)], ("partial", "volume", 1)),
        ("ioc", {}, [(1, 2.0, 100.0)], ("partial", "volume", 1)),
        ("fok", {}, [], ("rejected", "volume", 1)),
        ("day", {}, [(1, 2.0, 100.0)], ("partial", "expired", 2)),
    ],
)
def test_O3_F7_what_becomes_of_the_rest(side: str, tif: str, keywords: dict[str, Any], filled: list[Any], end: tuple[Any, ...]) -> None:
    # an eighth of 16 is 2 units a bar
    out = trade_on(side, [(100, 100, 100, 100, 16)] * 4, {0: [buy(5, tif=tif)]}, max_participation=0.125, **keywords)
    assert_rows(fills(side, out), filled)
    assert ends(out) == [end]


@BOTH_SIDES
def test_F7_the_rest_of_a_triggered_stop_is_a_market_order(side: str) -> None:
    prices = [(100, 100, 100, 100, 16), (100, 103, 100, 100, 16), (95, 96, 95, 96, 16), (96, 96, 96, 96, 16)]
    out = trade_on(side, prices, {0: [buy(4, "stop", stop=102)]}, max_participation=0.125)
    assert_rows(fills(side, out), [(1, 2.0, 102.0), (2, 2.0, 95.0)])


@BOTH_SIDES
def test_F7_the_rest_of_a_limit_order_rests_on(side: str) -> None:
    prices = [(100, 100, 100, 100, 16), (100, 100, 98, 100, 16), (99, 100, 99, 100, 16), (100, 100, 98, 99, 16)]
    out = trade_on(side, prices, {0: [buy(4, "limit", limit=98)]}, max_participation=0.125)
    assert_rows(fills(side, out), [(1, 2.0, 98.0), (3, 2.0, 98.0)])


@BOTH_SIDES
def test_F2_the_commission_of_pieces_is_that_of_the_order(side: str) -> None:
    # 1 an order: the first piece pays it, the second nothing
    out = trade_on(side, [(100, 100, 100, 100, 16)] * 3, {0: [buy(4)]}, max_participation=0.125, costs=vb.Costs(per_order=1.0))
    assert [f.commission for f in out.fills] == [1.0, 0.0]


# --- O3: brackets --------------------------------------------------------------------------------------------------------------------


@BOTH_SIDES
@pytest.mark.parametrize(("bar", "price", "reason"), [((100, 103, 95, 99), 95.0, "stop"), ((100, 110, 99, 109), 108.0, "target")])
def test_O3_bracket_children_are_protective_levels(side: str, bar: tuple[float, ...], price: float, reason: str) -> None:
    # one cancels the other, and both end with the position: bars 3 and 4 meet them again, for nothing
    prices = [100, 100, bar, (100, 110, 90, 100), (100, 110, 90, 100)]
    out = trade_on(side, prices, {0: [buy(2, stop_loss=95, take_profit=108)]})
    assert_rows(fills(side, out), [(1, 2.0, 100.0), (2, -2.0, price)])
    assert [t.reason for t in out.trades] == [reason]
    assert out.trades[0].initial_risk == 10.0  # 2 units, 5 away


@BOTH_SIDES
def test_O3_a_bracket_takes_the_place_of_the_stops_it_names(side: str) -> None:
    # `Stops` says 98 and 104; the bracket's 95 takes the place of 98, 104 stays
    stops = vb.Stops(hard=vb.Pct(2), take_profit=vb.Pct(4))
    prices = [100, (100, 103, 96, 100), (100, 104, 99, 100)]
    assert_rows(trade_on("long", prices, {0: [buy(stop_loss=95)]}, stops=stops).exits(), [(2, 104.0, "target")])
    out = trade_on(side, prices, {0: [buy(stop_loss=95, take_profit=103)]}, stops=stops)
    assert [(t.exit_t, t.reason) for t in out.trades] == [(1, "target")]


@BOTH_SIDES
def test_O3_a_bracket_acts_from_the_fill_that_increased(side: str) -> None:
    # the first order has no stop; the second brings 97 for the whole position
    prices = [100, (100, 100, 90, 100), (100, 100, 98, 100), (100, 100, 96, 100)]
    out = trade_on(side, prices, {0: [buy()], 1: [buy(stop_loss=97)]})
    assert_rows(fills(side, out), [(1, 1.0, 100.0), (2, 1.0, 100.0), (3, -2.0, 97.0)])


def test_O3_a_bracket_trail_is_a_trail() -> None:
    # 10 % of w: 90, then of 120: 108
    out = trade_on("long", [100, (100, 120, 100, 118), (118, 118, 107, 110)], {0: [buy(trailing_stop=0.1)]})
    assert_rows(out.exits(), [(2, 108.0, "trail")])
    out = run(bars_of([100, (100, 100, 80, 82), (82, 89, 82, 88)]), rows({0: [sell(trailing_stop=0.1)]}))
    assert_rows(out.exits(), [(2, 88.0, "trail")])


# --- O4: when an order meets its first bar -------------------------------------------------------------------------------------------


@BOTH_SIDES
@BOTH_FILLS
def test_O4_a_resting_order_first_meets_the_next_bar(side: str, fill: str) -> None:
    out = trade_on(side, [(100, 100, 90, 100), (100, 100, 94, 96)], {0: [buy(type="limit", limit=95)]}, fill=fill)
    assert fills(side, out) == [(1, 1.0, 95.0)]


@BOTH_SIDES
def test_O4_a_market_order_executes_at_the_next_open_or_at_the_close(side: str) -> None:
    prices = [(100, 100, 90, 92), (95, 100, 90, 97)]
    assert fills(side, trade_on(side, prices, {0: [buy()]})) == [(1, 1.0, 95.0)]
    assert fills(side, trade_on(side, prices, {0: [buy()]}, fill="close")) == [(0, 1.0, 92.0)]
    # F8: without a market it waits for the next valid open
    assert fills(side, trade_on(side, [100, None, (95, 100, 90, 97)], {1: [buy()]}, fill="close")) == [(2, 1.0, 95.0)]


@BOTH_SIDES
def test_O4_resting_orders_reserve_no_cash(side: str) -> None:
    # 10 wait at 90; the market order of 10 takes all the money, and the limit finds none
    out = trade_on(side, [100, 100, (100, 100, 90, 100)], {0: [buy(10, "limit", limit=90), buy(10)]})
    assert ends(out) == [("rejected", "cash", 2), ("filled", "", 1)]


# --- O5: trailing orders -------------------------------------------------------------------------------------------------------------


def test_O5_a_trailing_sale_follows_the_highs_of_earlier_bars() -> None:
    # w is c[1] = 104 (not the high of 106): 93.6; bar 2's 120 moves it to 108 for bar 3
    prices = [100, (100, 106, 100, 104), (104, 120, 94, 118), (118, 130, 108, 110)]
    out = run(bars_of(prices), rows({0: [buy()], 1: [sell(type="trailing", trail=0.1)]}))
    assert_rows(out.filled(), [(1, 1.0, 100.0), (3, -1.0, 108.0)])


def test_O5_a_trailing_purchase_follows_the_lows() -> None:
    # w is 100: 110; bar 1's 80 moves it to 88 for bar 2
    out = run(bars_of([100, (100, 109, 80, 84), (84, 89, 70, 88)]), rows({0: [buy(type="trailing", trail=0.1)]}))
    assert_rows(out.filled(), [(2, 1.0, 88.0)])


@BOTH_SIDES
def test_O5_trail_by_is_in_price_units_and_never_loosened(side: str) -> None:
    # bought trailing by 5: w = 100, 96, 92: levels 105, 101, 97; bar 3's low of 95 is no new one; bar 4 opens past 97
    prices = [100, (100, 104, 96, 98), (96, 98, 92, 93), (95, 96, 95, 96), (98, 99, 97, 98)]
    out = trade_on(side, prices, {0: [buy(type="trailing", trail_by=5)]})
    assert fills(side, out) == [(4, 1.0, 98.0)]


@BOTH_SIDES
def test_O5_on_a_bar_without_market_w_is_the_last_close(side: str) -> None:
    # w is 98: 103
    out = trade_on(side, [98, None, (100, 103, 100, 100)], {1: [buy(type="trailing", trail_by=5)]})
    assert fills(side, out) == [(2, 1.0, 103.0)]


# --- O6: what an order is ------------------------------------------------------------------------------------------------------------


@BOTH_SIDES
def test_O6_an_order_closes_what_is_held_on_the_other_side_and_opens_the_rest(side: str) -> None:
    out = trade_on(side, [100] * 4, {0: [buy(4)], 1: [sell(10)], 2: [buy(2)]})
    assert fills(side, out) == [(1, 4.0, 100.0), (2, -10.0, 100.0), (3, 2.0, 100.0)]
    assert abs(out.held()) == 4.0
    assert [abs(t.quantity) for t in out.trades] == [4.0]


@BOTH_SIDES
def test_O6_what_it_closes_is_found_at_the_fill(side: str) -> None:
    # decided against +4; by the time the limit of 104 is met only 1 is held
    prices = [100, 100, 100, (100, 104, 100, 100)]
    out = trade_on(side, prices, {0: [buy(4)], 1: [sell(4, "limit", limit=104), sell(3)]})
    assert fills(side, out)[2:] == [(3, -4.0, 104.0)]
    assert abs(out.held()) == 3.0


@BOTH_SIDES
def test_O6_reduce_only_opens_nothing(side: str) -> None:
    out = trade_on(side, [100] * 3, {0: [buy(4)], 1: [sell(10, reduce_only=True)]})
    assert fills(side, out)[1:] == [(2, -4.0, 100.0)]
    assert ends(out)[1] == ("partial", "reduce_only", 2)
    assert ends(trade_on(side, [100] * 3, {0: [sell(10, reduce_only=True)]})) == [("rejected", "reduce_only", 1)]
    # at its fill, not before: it waits while nothing is held
    out = trade_on(side, [100, 100, 100, (100, 104, 100, 100)], {0: [sell(4, "limit", limit=104, reduce_only=True)], 1: [buy(4)]})
    assert fills(side, out) == [(2, 4.0, 100.0), (3, -4.0, 104.0)]


def test_O6_a_forbidden_side_is_refused_at_the_fill() -> None:
    for side, direction in (("long", "long"), ("short", "short")):
        assert ends(trade_on(side, [100] * 2, {0: [sell(2)]}, direction=direction)) == [("rejected", "direction", 1)]
        out = trade_on(side, [100] * 3, {0: [buy(4)], 1: [sell(10)]}, direction=direction)
        assert fills(side, out)[1:] == [(2, -4.0, 100.0)]
        assert ends(out)[1] == ("partial", "direction", 2)


@BOTH_SIDES
def test_O6_cancels_name_asset_and_tag_and_go_first(side: str) -> None:
    prices = [100, 100, (100, 100, 90, 100)]
    first, second = buy(type="limit", limit=95, tag=7), buy(type="limit", limit=95, tag=8)
    # the cancel of tag 7 goes before the order of its row, which has the same tag
    out = trade_on(side, prices, {0: [first, second], 1: [first, Cancel(symbol="A", tag=7)]})
    assert ends(out) == [("cancelled", "cancel", 1), ("filled", "", 2), ("filled", "", 2)]
    out = trade_on(side, prices, {0: [first, second], 1: [Cancel(symbol="A")]})
    assert ends(out) == [("cancelled", "cancel", 1)] * 2


def test_O6_a_cancel_leaves_other_assets_alone() -> None:
    bars = bars_of({"A": [100.0] * 3, "B": [100, 100, (100, 100, 90, 100)]})
    given = {0: [buy(type="limit", limit=95), buy(type="limit", limit=95, symbol="B")], 1: [Cancel(symbol="A")]}
    out = run_in_every_order(bars, rows(given))
    assert sorted((o.asset, o.status) for o in out.orders) == [("A", "cancelled"), ("B", "filled")]


@BOTH_SIDES
def test_O6_Z2_zones_cut_what_would_open(side: str) -> None:
    # 4 units lose 40 of 1000: CAUTION. 10 against 4 close 4 and open 6, of which half is left; decided on a bar without market
    out = trade_on(side, [100, (100, 100, 90, 90), None, 90], {0: [buy(4)], 2: [sell(10)]}, risk=vb.Risk(zones=ZONES))
    assert fills(side, out)[1:] == [(3, -7.0, 90.0)]
    assert ends(out)[1] == ("partial", "zone", 3)


@BOTH_SIDES
def test_O6_F5_the_opening_part_is_rounded_to_lots_and_a_whole_close_is_not(side: str) -> None:
    out = trade_on(side, [100] * 3, {0: [buy(3.5)], 1: [sell(8.5)]}, lot=2)
    # 3.5 is 2; 8.5 closes 2 and opens 6.5, which is 6
    assert fills(side, out) == [(1, 2.0, 100.0), (2, -8.0, 100.0)]
    assert ends(trade_on(side, [100] * 2, {0: [buy(1.5)]}, lot=2)) == [("rejected", "lot", 0)]


@BOTH_SIDES
def test_O6_orders_for_a_delisted_asset_are_rejected(side: str) -> None:
    order = buy(type="limit", limit=50)
    bars = sided(side, [100] * 4, delistings={"A": ("2024-01-02", 0.0)})
    out = run(bars, rows({0: [order], 1: [order], 2: [order]}, side))
    assert ends(out) == [("cancelled", "delisted", 1), ("rejected", "delisted", 1), ("rejected", "delisted", 2)]


@BOTH_SIDES
def test_O6_priorities_share_scarce_room(side: str) -> None:
    # room 1000: B first (6 at 100), A gets the 4 that are left
    bars = bars_of({"A": [100.0] * 2, "B": [100.0] * 2})
    out = run_in_every_order(bars, rows({0: [buy(6), buy(6, symbol="B", priority=2)]}, side))
    assert sorted((o.asset, abs(o.filled), o.cut_by) for o in out.orders) == [("A", 4.0, "cash"), ("B", 6.0, "")]
    # the same priority: one factor
    out = run_in_every_order(bars, rows({0: [buy(6), buy(14, symbol="B")]}, side))
    assert_rows(sorted((o.asset, abs(o.filled)) for o in out.orders), [("A", 3.0), ("B", 7.0)])


@BOTH_SIDES
def test_T8_orders_that_wait_are_cancelled_by_the_call_after_the_end(side: str) -> None:
    out = trade_on(side, [100] * 2, {0: [buy(type="limit", limit=50)]}, liquidate_at_end=True)
    assert ends(out) == [("cancelled", "", 1)]


@BOTH_SIDES
def test_T1_a_split_moves_what_waits(side: str) -> None:
    # 2 for 1 at bar 1: 3 at 90 with a stop at 80 become 6 at 45 with 40; for sales 3 at 110 with 120 become 6 at 55 with 60
    long = side == "long"
    prices = [100, (50, 50, 44, 46), (45, 45, 40, 41)] if long else [100, (50, 56, 50, 54), (55, 60, 55, 59)]
    bars = bars_of(prices, splits={"A": {"2024-01-02": 2.0}})
    order = buy(3, "limit", limit=90, stop_loss=80) if long else sell(3, "limit", limit=110, stop_loss=120)
    out = run(bars, rows({0: [order]}))
    assert_rows(out.filled(), [(1, 6.0, 45.0), (2, -6.0, 40.0)] if long else [(1, -6.0, 55.0), (2, 6.0, 60.0)])


def test_T9_prices_of_orders_are_divided_by_the_splits_so_far() -> None:
    # after 2 for 1 a strategy reads 100 where the market says 50: its limit of 90 is 45
    bars = bars_of([100, 50, (50, 50, 45, 48)], splits={"A": {"2024-01-02": 2.0}})
    out = run(bars, rows({1: [buy(type="limit", limit=90)]}), costs=FREE)
    assert_rows(out.filled(), [(2, 1.0, 45.0)])
