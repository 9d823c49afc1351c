"""P1 to P4: where protective levels lie, what moves them, and what the market makes of them. Shorts mirror longs (`sides.py`)."""

from __future__ import annotations

from typing import Any

import pytest

import vecbt as vb
from tests.rules.helpers import NAN, assert_rows, bars_of, quantities, run, signals
from tests.rules.sides import BOTH_SIDES, ONE, at, exits, sided, sign, word

# --- P1: the hard stop ----------------------------------------------------------------------------------------------


@BOTH_SIDES
@pytest.mark.parametrize("hard", [0.03, vb.Pct(3), vb.Ticks(6), "price"])
def test_P1_the_hard_stop_of_every_form_lies_three_below_an_entry_at_100(side: str, hard: Any) -> None:
    """0.03 and Pct(3) of 100, 6 ticks of 0.5, or the level itself: 97 (103 for a short)."""
    if hard == "price":
        hard = vb.Price(at(side, 97))
    prices = [100, (100, 101, 98, 99), (99, 99, 97.5, 98), (98, 98, 96, 96.5)]
    assert exits(side, prices, vb.Stops(hard=hard), tick=0.5) == [(3, 97.0, "stop")]


@BOTH_SIDES
def test_P1_P3_a_touch_is_enough_and_a_miss_is_none(side: str) -> None:
    stops = vb.Stops(hard=vb.Pct(3))
    assert exits(side, [100, 100, (100, 100, 97, 99)], stops) == [(2, 97.0, "stop")]
    assert exits(side, [100, 100, (100, 100, 97.25, 99)], stops) == []


@BOTH_SIDES
@pytest.mark.parametrize(("fill", "level"), [("next_open", 92.0), ("close", 88.0)])
def test_P1_an_atr_stop_takes_the_atr_of_the_last_bar_complete_before_the_fill(side: str, fill: str, level: float) -> None:
    """Window 1: the ATR is the true range. Bar 0: 4; bar 1: 6; bar 2: 20. From a signal at bar 0 the fill at the open of 1 knows 4:
    100 - 2*4 = 92. From one at bar 1, the fill at its close knows 6: 100 - 2*6 = 88. Later ranges change nothing."""
    prices = [(100, 102, 98, 100), (100, 103, 97, 100), (100, 112, 92.5, 100), (100, 100, 88.5, 90), (90, 90, 85, 90)]
    stops = vb.Stops(hard=vb.Atr(2), atr_window=1)
    bars = sided(side, prices)
    out = run(bars, word(side, "L" if fill == "next_open" else ". L"), stops=stops, sizing=ONE, fill=fill)
    expected_t = 3 if fill == "next_open" else 4
    (found,) = out.exits()
    assert found == (expected_t, at(side, level), "stop")


def test_P1_the_atr_is_wilders_over_its_window() -> None:
    """Window 2: ranges 4 and 6 make 5 at bar 1; the entry at the open of 2 has its stop at 100 - 2*5 = 90."""
    prices = [(100, 102, 98, 100), (100, 103, 97, 100), (100, 100, 90.5, 95), (95, 95, 89, 90)]
    out = run(bars_of(prices), signals(". L"), stops=vb.Stops(hard=vb.Atr(2), atr_window=2), sizing=ONE)
    assert out.exits() == [(3, 90.0, "stop")]


@BOTH_SIDES
@pytest.mark.parametrize("field", ["hard", "trailing", "take_profit"])
def test_P1_S5_without_an_atr_new_risk_is_refused(side: str, field: str) -> None:
    """Window 3: no ATR at bars 0 and 1; the first entry that is allowed is that of bar 2."""
    stops = vb.Stops(**{field: vb.Atr(2)}, atr_window=3)
    out = run(bars_of([(100, 101, 99, 100)] * 4), word(side, "L L L"), stops=stops, sizing=ONE)
    q = sign(side)
    assert out.ordered() == [(0, q, 0.0, "rejected", "stop"), (1, q, 0.0, "rejected", "stop"), (2, q, q, "filled", "")]
    assert out.filled() == [(3, q, 100.0)]


@BOTH_SIDES
def test_P1_S5_without_an_atr_a_flip_only_closes(side: str) -> None:
    """Long 2 from before the first bar, no ATR yet: the short entry closes the 2 and opens nothing."""
    q = 2 * sign(side)
    out = run(bars_of([100, 100]), word(side, "S"), stops=vb.Stops(hard=vb.Atr(2)), sizing=ONE, positions={"A": (q, 100.0)})
    assert out.ordered() == [(0, -1.5 * q, -q, "partial", "stop")]
    assert out.held() == 0.0


@BOTH_SIDES
def test_P1_F14_a_starting_position_takes_the_first_atr_there_is(side: str) -> None:
    """Window 2: ranges 10 and 20 make 15 at bar 1. Until then there is no stop: bar 1 falls to 80 unharmed; from bar 2 on it is 85."""
    prices = [(100, 105, 95, 100), (100, 100, 80, 100), (100, 100, 84, 100), (100, 100, 82, 100), (90, 90, 80, 80)]
    q = sign(side)
    bars = sided(side, prices)
    out = run(bars, signals("."), stops=vb.Stops(hard=vb.Atr(1), atr_window=2), positions={"A": (q, 100.0)})
    assert out.exits() == [(2, at(side, 85.0), "stop")]
    (trade,) = out.trades
    assert trade.entry_t == -1 and trade.initial_risk != trade.initial_risk  # no stop when it was opened: NaN


@BOTH_SIDES
def test_P1_an_increase_moves_the_stop_and_the_target_to_the_average_price(side: str) -> None:
    """1 at 100 and 1 at 110 (a short: at 90): average 105 (95). Stop 10 %: 94.5 (104.5), not 90; target 20 %: 126 (76), not 120."""
    stops = vb.Stops(hard=vb.Pct(10), take_profit=vb.Pct(20))
    common = [100, (100, 110, 100, 110)]
    falls = [*common, (110, 110, 96, 96), (96, 96, 91, 92)]
    rises = [*common, (110, 121, 110, 121), (121, 130, 121, 130)]
    for prices, long, short, reason in ((falls, 94.5, 104.5, "stop"), (rises, 126.0, 76.0, "target")):
        bars = sided(side, prices)
        out = run(bars, word(side, "L L"), stops=stops, sizing=ONE, accumulate=True)
        assert_rows(out.exits(), [(3, long if side == "long" else short, reason)])


@BOTH_SIDES
def test_P1_an_increase_takes_the_atr_of_its_own_fill(side: str) -> None:
    """Window 1. Fill 1 at 100 knows the range 4 of bar 0: stop 92. Fill 2 at 110 knows the range 10 of bar 1: average 105, stop
    105 - 2*10 = 85, target 105 + 10 = 115; a stop that kept the first ATR would be 97."""
    stops = vb.Stops(hard=vb.Atr(2), take_profit=vb.Atr(1), atr_window=1)
    prices = [(100, 102, 98, 100), (100, 103, 93, 103), (110, 114, 90, 100), (100, 100, 84, 90)]
    bars = sided(side, prices)
    out = run(bars, word(side, "L L"), stops=stops, sizing=ONE, accumulate=True)
    assert out.exits() == [(3, at(side, 85.0), "stop")]
    prices[3] = (100, 115, 100, 110)
    bars = sided(side, prices)
    out = run(bars, word(side, "L L"), stops=stops, sizing=ONE, accumulate=True)
    assert out.exits() == [(3, at(side, 115.0), "target")]


@BOTH_SIDES
def test_P1_a_reduction_leaves_average_stop_and_atr(side: str) -> None:
    """2 units at 100, one sold at 110: the stop stays at 100 - 2*4 = 92 with the ATR 4 of the entry, whatever the ranges after it."""
    prices = [(100, 102, 98, 100), (100, 110, 100, 110), (110, 110, 92.5, 95), (95, 95, 91, 91)]
    bars = sided(side, prices)
    q = sign(side)
    out = run(bars, quantities([2 * q, q]), stops=vb.Stops(hard=vb.Atr(2), atr_window=1))
    assert out.filled() == [(1, 2 * q, 100.0), (2, -q, at(side, 110.0)), (3, -q, at(side, 92.0))]
    assert [f.reason for f in out.fills] == ["signal", "signal", "stop"]


def test_P1_each_position_has_its_own_entry_after_a_flip() -> None:
    """Long at 100, flipped short at 110: the stop is 10 % above 110."""
    prices = [100, (100, 105, 95, 105), (110, 118, 100, 110), (110, 122, 110, 120)]
    out = run(bars_of(prices), signals("L S"), stops=vb.Stops(hard=vb.Pct(10), take_profit=vb.Pct(15)), sizing=ONE)
    assert_rows(out.exits(), [(2, 110.0, "signal"), (3, 121.0, "stop")])


@pytest.mark.parametrize(
    ("side", "stop", "target", "trail"),
    # entry 101: stop 3 % at 97.97 (a short's at 104.03), target 5 % at 106.05 (95.95), trail 2 % at 98.98 (103.02)
    [("long", 98.0, 106.5, 99.0), ("short", 104.0, 95.5, 103.0)],
)
def test_P1_P3_F5_levels_are_rounded_to_ticks_up_for_longs_and_down_for_shorts(side: str, stop: float, target: float, trail: float) -> None:
    crash, rise = (101, 101, 90, 95), (101, 112, 101, 110)
    against, favour = (crash, rise) if side == "long" else (rise, crash)
    for given, bar, level, reason in (
        ({"hard": vb.Pct(3)}, against, stop, "stop"),
        ({"take_profit": vb.Pct(5)}, favour, target, "target"),
        ({"trailing": vb.Pct(2)}, against, trail, "trail"),
    ):
        out = run(bars_of([101, 101, bar], tick=0.5), word(side, "L"), stops=vb.Stops(**given), sizing=ONE)
        assert out.exits() == [(2, level, reason)]


def test_P1_F5_a_level_on_a_tick_stays_there_in_spite_of_rounding_errors() -> None:
    """28.2 % below 100 is 71.8, in floats 71.80000000000001; with ticks of 0.1 it is that tick, not 71.9: a low of 71.85 is above it."""
    bars = bars_of([100, (100, 100, 71.85, 80), (80, 80, 71, 71)], tick=0.1)
    out = run(bars, signals("L"), stops=vb.Stops(hard=vb.Pct(28.2)), sizing=ONE)
    assert_rows(out.exits(), [(2, 71.8, "stop")])


@BOTH_SIDES
@pytest.mark.parametrize("percent", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12.5, 15, 20, 25, 33, 50])
def test_P1_P4_a_percentage_of_100_is_the_number_people_read(side: str, percent: float) -> None:
    """Without a tick too: 10 % above 100 is 110, not 110.00000000000001, so that a high of 110 touches it."""
    assert exits(side, [100, 100, (100, 100 + percent, 100, 100)], vb.Stops(take_profit=vb.Pct(percent))) == [(2, 100 + percent, "target")]
    assert exits(side, [100, 100, (100, 100, 100 - percent, 100)], vb.Stops(hard=vb.Pct(percent))) == [(2, 100 - percent, "stop")]
    armed = vb.Stops(trailing=vb.Pct(percent), activation=vb.Pct(percent))
    top = 100 + percent
    (found,) = exits(side, [100, (100, top, 100, top), (top, top, 1, 2)], armed)
    assert found[0] == 2 and found[2] == "trail"


# --- P2: the trailing stop ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "prices", "level"),
    [
        # watermarks 100, 104, 110: levels 95, 98.8, 104.5. Bar 2 falls to 99, above 98.8, though its own high of 110 would make it 104.5
        ("long", [100, (100, 104, 99, 103), (103, 110, 99, 109), (109, 120, 104, 105)], 104.5),
        # watermarks 100, 96, 90: levels 105, 100.8, 94.5
        ("short", [100, (100, 101, 96, 97), (97, 100, 90, 91), (91, 95, 80, 93)], 94.5),
    ],
)
def test_P2_a_trailing_stop_follows_the_extremes_of_earlier_bars(side: str, prices: list[Any], level: float) -> None:
    out = run(bars_of(prices), word(side, "L"), stops=vb.Stops(trailing=vb.Pct(5)), sizing=ONE)
    assert_rows(out.exits(), [(3, level, "trail")])


@BOTH_SIDES
def test_P2_without_activation_it_is_armed_from_the_entry(side: str) -> None:
    assert exits(side, [100, (100, 100, 95, 99)], vb.Stops(trailing=vb.Pct(5))) == [(1, 95.0, "trail")]


@BOTH_SIDES
def test_P2_in_ticks(side: str) -> None:
    """Watermark 108, 10 ticks of 0.5: 103."""
    prices = [100, (100, 108, 100, 108), (108, 108, 102, 102)]
    assert exits(side, prices, vb.Stops(trailing=vb.Ticks(10)), tick=0.5) == [(2, 103.0, "trail")]


@BOTH_SIDES
def test_P2_in_atr_it_rises_with_a_smaller_atr_and_never_falls_with_a_larger_one(side: str) -> None:
    """Window 1, Atr(2). ATR 2 at the entry: 100 - 4 = 96. Bar 1: high 101, range 1 of (101, 100): 101 - 2 = 99.
    Bar 2: high 102, range 2.5: 102 - 5 = 97, the level stays 99. Bar 3 meets 99."""
    prices = [(100, 101, 99, 100), (100, 101, 100, 101), (101, 102, 99.5, 101), (101, 101, 98, 98)]
    assert exits(side, prices, vb.Stops(trailing=vb.Atr(2), atr_window=1)) == [(3, 99.0, "trail")]


@BOTH_SIDES
def test_P2_in_atr_it_uses_the_range_of_the_bar_before(side: str) -> None:
    """ATR 2 before the entry bar: level 96 in it. Its own range is 9.5; in bar 2 the level would be 104 - 19 = 85: it stays 96."""
    prices = [(100, 101, 99, 100), (100, 105.5, 96.5, 104), (104, 104, 96, 96)]
    assert exits(side, prices, vb.Stops(trailing=vb.Atr(2), atr_window=1)) == [(2, 96.0, "trail")]


@BOTH_SIDES
def test_P2_activation_arms_it_once_the_watermark_is_high_enough(side: str) -> None:
    """Activation 12.5 %, trail 5 points as 10 ticks of 0.5. Bar 1 reaches 112: not armed, bar 2 falls to 80 unharmed and reaches 112.5:
    from bar 3 on the level is 107.5. (In the bar that arms it, nothing is tested against it.)"""
    stops = vb.Stops(trailing=vb.Ticks(10), activation=0.125)
    prices = [100, (100, 112, 100, 105), (105, 112.5, 80, 110), (110, 110, 107, 107)]
    assert exits(side, prices, stops, tick=0.5) == [(3, 107.5, "trail")]


@BOTH_SIDES
def test_P2_activation_may_be_given_in_percent(side: str) -> None:
    prices = [100, (100, 112.5, 100, 112.5), (112.5, 112.5, 107, 107)]
    assert exits(side, prices, vb.Stops(trailing=vb.Ticks(10), activation=vb.Pct(12.5)), tick=0.5) == [(2, 107.5, "trail")]
    assert exits(side, prices, vb.Stops(trailing=vb.Ticks(10), activation=vb.Pct(13)), tick=0.5) == []


@BOTH_SIDES
def test_P2_armed_is_armed_for_good(side: str) -> None:
    """Armed at 112.5 (12.5 % over 100). Adding one at 110 makes the average 105, which would ask for 118.125; the level stays at 107.5."""
    prices = [100, (100, 112.5, 100, 110), (110, 110, 108, 109), (109, 109, 107, 107)]
    bars = sided(side, prices, tick=0.5)
    out = run(bars, quantities([sign(side), 2 * sign(side)]), stops=vb.Stops(trailing=vb.Ticks(10), activation=0.125))
    assert out.exits() == [(3, at(side, 107.5), "trail")]


@BOTH_SIDES
def test_P2_an_increase_lifts_the_watermark_to_a_higher_average_price(side: str) -> None:
    """1 at 100, then 3 at an open of 120: average 115, over the highest high so far, 100. Trail 10 points: 105 at once, in bar 2."""
    prices = [100, 100, (120, 120, 104, 110)]
    bars = sided(side, prices, tick=0.5)
    out = run(bars, quantities([sign(side), 4 * sign(side)]), stops=vb.Stops(trailing=vb.Ticks(20)))
    assert out.exits() == [(2, at(side, 105.0), "trail")]


@BOTH_SIDES
def test_P2_an_increase_below_the_watermark_leaves_it(side: str) -> None:
    """Watermark 120; adding one at 110 makes the average 105 and leaves the level at 110: the open of that bar is at it already."""
    prices = [100, (100, 120, 100, 112), (111, 111, 109, 110)]
    bars = sided(side, prices, tick=0.5)
    out = run(bars, quantities([sign(side), 2 * sign(side)]), stops=vb.Stops(trailing=vb.Ticks(20)))
    assert out.exits() == [(2, at(side, 110.0), "trail")]


@BOTH_SIDES
def test_P2_F14_the_watermark_of_a_starting_position_is_its_entry_price(side: str) -> None:
    """Entered at 100 before the first bar, trail of 5 points: 95 in bar 0, whatever its open of 103; its high of 106 makes it 101."""
    bars = sided(side, [(103, 106, 96, 104), (104, 104, 100, 100)], tick=0.5)
    out = run(bars, word(side, "."), stops=vb.Stops(trailing=vb.Ticks(10)), positions={"A": (sign(side), 100)})
    assert out.exits() == [(1, at(side, 101.0), "trail")]


def test_P2_F8_a_bar_without_a_market_moves_nothing() -> None:
    prices = [100, (100, 110, 100, 110), None, (110, 110, 104, 104)]
    assert exits("long", prices, vb.Stops(trailing=vb.Ticks(10)), tick=0.5) == [(3, 105.0, "trail")]


@pytest.mark.parametrize(
    ("stops", "dead"),
    [
        (vb.Stops(hard=vb.Pct(5), trailing=0.05), True),
        (vb.Stops(hard=vb.Atr(3), trailing=vb.Atr(2)), True),
        (vb.Stops(hard=vb.Ticks(5), trailing=vb.Ticks(4)), True),
        (vb.Stops(hard=0.05, trailing=vb.Pct(6)), False),
        (vb.Stops(hard=0.05, trailing=vb.Pct(3), activation=0.02), False),
        (vb.Stops(hard=vb.Atr(1), trailing=vb.Pct(3)), False),  # which is wider depends on the market
        (vb.Stops(trailing=vb.Pct(3)), False),
        (vb.Stops(hard=vb.Pct(3)), False),
    ],
)
def test_P2_a_trail_armed_at_entry_and_not_wider_than_the_hard_stop_is_reported(stops: vb.Stops, dead: bool) -> None:
    assert len(stops.findings) == dead
    out = run(bars_of([100, 100], tick=0.5), signals("L"), stops=stops, sizing=ONE)
    table = out.result.assumptions()
    shown = table.loc[(table["section"] == "stops") & (table["name"] == "finding"), "value"].tolist()
    assert shown == list(stops.findings)


# --- P3: the stop that counts ---------------------------------------------------------------------------------------


@BOTH_SIDES
@pytest.mark.parametrize(
    ("hard", "trail", "level", "reason"),
    [
        (3, 5, 97.0, "stop"),
        (5, 3, 97.0, "trail"),
        (3, 3, 97.0, "stop"),  # equal: the hard one
    ],
)
def test_P3_the_highest_level_is_the_stop(side: str, hard: float, trail: float, level: float, reason: str) -> None:
    prices = [100, (100, 100, 90, 95)]
    assert exits(side, prices, vb.Stops(hard=vb.Pct(hard), trailing=vb.Pct(trail))) == [(1, level, reason)]


@BOTH_SIDES
def test_P3_levels_are_compared_after_rounding(side: str) -> None:
    """97.5 (hard) and 97.75 (trail) are both 98 with ticks of 1: the hard one."""
    prices = [100, (100, 100, 90, 95)]
    assert exits(side, prices, vb.Stops(hard=vb.Pct(2.5), trailing=vb.Pct(2.25)), tick=1.0) == [(1, 98.0, "stop")]


@BOTH_SIDES
def test_P3_a_trail_that_has_risen_over_the_hard_stop_is_the_reason(side: str) -> None:
    """Hard 97; the trail of 5 points starts at 95 and is 105 after a high of 110."""
    prices = [100, (100, 110, 100, 110), (110, 110, 90, 95)]
    assert exits(side, prices, vb.Stops(hard=vb.Pct(3), trailing=vb.Ticks(10)), tick=0.5) == [(2, 105.0, "trail")]


@BOTH_SIDES
@pytest.mark.parametrize(("opening", "price"), [(97.0, 97.0), (94.0, 94.0), (97.5, 97.0)])
def test_P3_an_open_at_or_beyond_the_stop_fills_at_the_open(side: str, opening: float, price: float) -> None:
    prices = [100, 100, (opening, opening, 90, 92)]
    assert exits(side, prices, vb.Stops(hard=vb.Pct(3))) == [(2, price, "stop")]


@pytest.mark.parametrize(
    ("side", "bar", "ref", "price"),
    # slippage 100 bps of the reference, against the one who trades
    [
        ("long", (100, 100, 95, 95), 97.0, 97 - 0.97),
        ("long", (96, 96, 95, 95), 96.0, 96 - 0.96),
        ("short", (100, 105, 100, 105), 103.0, 103 + 1.03),
        ("short", (104, 105, 104, 105), 104.0, 104 + 1.04),
    ],
)
def test_P3_a_stop_fills_with_slippage(side: str, bar: tuple[float, ...], ref: float, price: float) -> None:
    costs = vb.Costs(slippage_bps=100)
    stops = vb.Stops(hard=vb.Price(at(side, 97)))
    out = run(bars_of([100, 100, bar]), word(side, "L"), stops=stops, sizing=ONE, costs=costs)
    fill = out.fills[-1]
    assert_rows([(fill.t, fill.ref, fill.price, fill.reason)], [(2, ref, price, "stop")])


def test_P3_the_stop_is_measured_from_the_price_paid() -> None:
    """Bought at 100 with a half spread of 10: 110 paid, the stop 10 % below is 99, sold at 99 - 10."""
    bars, costs = bars_of([100, 100, (100, 100, 98, 98)]), vb.Costs(half_spread=10)
    out = run(bars, signals("L"), stops=vb.Stops(hard=vb.Pct(10)), sizing=ONE, costs=costs)
    assert_rows(out.exits(), [(2, 89.0, "stop")])


# --- P4: the target -------------------------------------------------------------------------------------------------


@BOTH_SIDES
@pytest.mark.parametrize("target", [0.05, vb.Pct(5), vb.Ticks(10), "price", "atr"])
def test_P4_the_target_of_every_form_lies_five_above_an_entry_at_100(side: str, target: Any) -> None:
    """5 %, 10 ticks of 0.5, the level itself, or twice the range of 2.5 of bar 0: 105 (95 for a short); met by a touch."""
    given = {"price": vb.Price(at(side, 105)), "atr": vb.Atr(2)}.get(target, target) if isinstance(target, str) else target
    prices = [(100, 101, 98.5, 100), (100, 104.5, 99, 104), (104, 105, 100, 101)]
    assert exits(side, prices, vb.Stops(take_profit=given, atr_window=1), tick=0.5) == [(2, 105.0, "target")]


@BOTH_SIDES
@pytest.mark.parametrize(("opening", "price"), [(105.0, 105.0), (108.0, 108.0), (104.5, 105.0)])
def test_P4_an_open_at_or_beyond_the_target_fills_at_the_open(side: str, opening: float, price: float) -> None:
    prices = [100, 100, (opening, 110, opening, 109)]
    assert exits(side, prices, vb.Stops(take_profit=vb.Pct(5))) == [(2, price, "target")]


@BOTH_SIDES
@pytest.mark.parametrize(
    ("bar", "found"),
    [
        ((100, 105, 100, 101), []),  # touched, not passed
        ((105, 105, 100, 101), []),  # an open at the level does not pass it either
        ((105, 106, 100, 101), [(2, 105.0, "target")]),
        ((100, 105.25, 100, 101), [(2, 105.0, "target")]),
        ((106, 106, 100, 101), [(2, 106.0, "target")]),
    ],
)
def test_P4_trade_through_asks_for_more_than_a_touch(side: str, bar: tuple[float, ...], found: list[Any]) -> None:
    assert exits(side, [100, 100, bar], vb.Stops(take_profit=vb.Pct(5)), trade_through=True) == found


def test_P4_trade_through_leaves_stops_as_they_are() -> None:
    assert exits("long", [100, 100, (100, 100, 97, 99)], vb.Stops(hard=vb.Pct(3)), trade_through=True) == [(2, 97.0, "stop")]


@BOTH_SIDES
def test_P4_F1_F2_a_target_is_a_limit_order_without_slippage_at_the_maker_rate(side: str) -> None:
    """Half spread 1: bought at 101 (a short sells at 99). The target is sold at 120 (80) flat, commission 1 % of it instead of 10 %."""
    costs = vb.Costs(half_spread=1, commission_rate=0.1, maker_rate=0.01)
    level = at(side, 120.0)
    prices = [100, 100, (100, 125, 100, 110)]
    bars = sided(side, prices)
    out = run(bars, word(side, "L"), stops=vb.Stops(take_profit=vb.Price(level)), sizing=ONE, costs=costs)
    fill = out.fills[-1]
    assert_rows([(fill.price, fill.ref, fill.slippage, fill.commission, fill.reason)], [(level, level, 0.0, level / 100, "target")])


def test_P1_levels_in_force_are_shown_and_gone_with_the_position() -> None:
    """After the entry at 100: stop 97, target 110; flat: none."""
    stops = vb.Stops(hard=vb.Pct(3), take_profit=vb.Pct(10))
    out = run(bars_of([100, 100, 100]), signals("L"), stops=stops, sizing=ONE)
    assert_rows(out.result.open_positions[["stop", "target"]].itertuples(index=False), [(97.0, 110.0)])
    flat = run(bars_of([100, 100, 90]), signals("L"), stops=stops, sizing=ONE).raw.assets[0]
    assert_rows([(flat.stop, flat.target, flat.trail, flat.watermark)], [(NAN, NAN, NAN, NAN)])
