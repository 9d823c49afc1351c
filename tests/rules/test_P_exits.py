"""P5 to P9: which exit comes first, time stops, entry bars, reasons. Shorts mirror longs; levels themselves are in `test_P_levels.py`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.rules.helpers import assert_rows, bars_of, quantities, run, signals, strengths, weights
from tests.rules.sides import BOTH_FILLS, BOTH_SIDES, ONE, at, exits, sided, sign, word

BOTH_ORDERS = pytest.mark.parametrize("intrabar", ["pessimistic", "optimistic"])
HALF_DAY = np.timedelta64(43_200_000_000_000, "ns")
FLAT = [100] * 12


# --- P5: stop and target inside one bar -----------------------------------------------------------------------------

STOP_97_TARGET_105 = vb.Stops(hard=vb.Pct(3), take_profit=vb.Pct(5))


@BOTH_SIDES
@pytest.mark.parametrize(("intrabar", "found"), [("pessimistic", (2, 97.0, "stop")), ("optimistic", (2, 105.0, "target"))])
def test_P5_a_bar_that_meets_both_takes_the_stop_or_optimistically_the_target(side: str, intrabar: str, found: Any) -> None:
    assert exits(side, [100, 100, (100, 106, 96, 100)], STOP_97_TARGET_105, intrabar=intrabar) == [found]


@BOTH_SIDES
@BOTH_ORDERS
@pytest.mark.parametrize(
    ("bar", "found"),
    [
        ((106, 107, 90, 100), (2, 106.0, "target")),  # the open is past the target already
        ((105, 107, 90, 100), (2, 105.0, "target")),  # or at it
        ((96, 110, 95, 100), (2, 96.0, "stop")),  # the open is past the stop already
        ((97, 110, 95, 100), (2, 97.0, "stop")),
    ],
)
def test_P5_an_open_past_a_level_decides_whatever_intrabar_says(side: str, intrabar: str, bar: Any, found: Any) -> None:
    assert exits(side, [100, 100, bar], STOP_97_TARGET_105, intrabar=intrabar) == [found]


@BOTH_SIDES
@BOTH_ORDERS
def test_P5_an_open_past_both_is_a_stop(side: str, intrabar: str) -> None:
    """A stop over the target (105 and 95) can only be had from prices; an open of 100 is past both."""
    stops = vb.Stops(hard=vb.Price(at(side, 105)), take_profit=vb.Price(at(side, 95)))
    out = run(sided(side, FLAT), word(side, "L"), stops=stops, sizing=ONE, intrabar=intrabar)
    assert out.exits() == [(1, 100.0, "stop")]


@BOTH_SIDES
@BOTH_ORDERS
@pytest.mark.parametrize(("bar", "found"), [((100, 104, 97, 99), (2, 97.0, "stop")), ((100, 105, 98, 104), (2, 105.0, "target"))])
def test_P5_a_bar_that_meets_one_takes_that_one(side: str, intrabar: str, bar: Any, found: Any) -> None:
    assert exits(side, [100, 100, bar], STOP_97_TARGET_105, intrabar=intrabar) == [found]


def test_P5_with_trade_through_a_touched_target_does_not_compete() -> None:
    """Optimistic, h = 105 touches the target without passing it: the stop."""
    stops, bar = STOP_97_TARGET_105, (100, 105, 96, 100)
    assert exits("long", [100, 100, bar], stops, intrabar="optimistic", trade_through=True) == [(2, 97.0, "stop")]


# --- P6: time stops -------------------------------------------------------------------------------------------------


@BOTH_SIDES
@pytest.mark.parametrize(
    ("fill", "filled"),
    # entered in bar 1 (next open) or bar 0 (close); 3 bars later it is due, and executed as T7 orders are
    [("next_open", [(1, 1.0), (5, -1.0)]), ("close", [(0, 1.0), (3, -1.0)])],
)
def test_P6_a_time_stop_by_bars_is_a_market_exit(side: str, fill: str, filled: list[Any]) -> None:
    out = run(bars_of(FLAT), word(side, "L"), stops=vb.Stops(time_bars=3), sizing=ONE, fill=fill)
    assert [f[:2] for f in out.filled()] == [(t, sign(side) * q) for t, q in filled]
    assert [f.reason for f in out.fills] == ["signal", "time"]
    assert [(o.t, o.reason) for o in out.orders] == [(0, "signal"), (filled[1][0] - (fill == "next_open"), "time")]


def test_P6_a_time_stop_fills_with_slippage_at_the_next_open() -> None:
    """Due at bar 2 (entered at 1, one bar); the open of 3 is 90: sold at 90 - 0.9."""
    out = run(
        bars_of([100, 100, 100, (90, 95, 90, 95)]), signals("L"), stops=vb.Stops(time_bars=1), sizing=ONE, costs=vb.Costs(slippage_bps=100)
    )
    assert_rows(out.filled(), [(1, 1.0, 101.0), (3, -1.0, 89.1)])


@pytest.mark.parametrize(
    ("days", "out_at"),
    # Thursday the 4th to Monday the 8th: entered on Friday (bar 1), on Monday it is 3 days old, on Tuesday 4
    [(1, 3), (3, 3), (4, 4), (5, 5)],
)
def test_P6_a_time_stop_by_days_counts_calendar_days_between_sessions(days: int, out_at: int) -> None:
    dates = ["2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09", "2024-01-10", "2024-01-11"]
    bars = bars_of([100] * 6, index=np.array(dates, dtype="M8[ns]"))
    out = run(bars, signals("L"), stops=vb.Stops(time_days=days), sizing=ONE)
    assert out.exits() == [(out_at, 100.0, "time")]


def test_P6_days_are_differences_of_session_dates_not_of_hours() -> None:
    """Two bars a day. Entered in the second bar of day 0 (bar 1): a day old at the first bar of day 1 (bar 2), filled at the open of 3."""
    out = run(bars_of([100] * 6, every=HALF_DAY), signals("L"), stops=vb.Stops(time_days=1), sizing=ONE)
    assert out.exits() == [(3, 100.0, "time")]


def test_P6_T3_the_session_is_that_of_the_wall_clock() -> None:
    """The same bars with sessions that begin at noon: bars 1 and 2 are one session, bar 3 is the next day, filled at the open of 4."""
    bars = bars_of([100] * 6, every=HALF_DAY, session_start="12:00")
    assert run(bars, signals("L"), stops=vb.Stops(time_days=1), sizing=ONE).exits() == [(4, 100.0, "time")]


@pytest.mark.parametrize(("stops", "out_at"), [(vb.Stops(time_bars=2), 2), (vb.Stops(time_days=1), 2), (vb.Stops(time_days=2), 3)])
def test_P6_F14_a_starting_position_entered_at_bar_minus_one_on_the_first_session(stops: vb.Stops, out_at: int) -> None:
    """By bars it is 2 old at bar 1; by days 1 old at bar 1, 2 at bar 2; filled at the next open."""
    out = run(bars_of(FLAT), signals("."), stops=stops, positions={"A": (1, 100)})
    assert out.exits() == [(out_at, 100.0, "time")]


@BOTH_SIDES
@BOTH_FILLS
def test_P6_it_is_due_without_a_market_and_fills_at_the_next_one(side: str, fill: str) -> None:
    """Entered in bar 1 (or 0), due 2 bars later; bars 2 to 4 have no market. The order is decided in the NaN bar and waits for the open of
    bar 5, also with fill="close" (F8); meanwhile, and in bar 5, entries say nothing new."""
    prices = [100, 100, None, None, None, (110, 112, 108, 111), 111]
    out = run(sided(side, prices), word(side, "L . . . S"), stops=vb.Stops(time_bars=2), sizing=ONE, fill=fill)
    assert [(o.t, o.done, o.reason) for o in out.orders][1] == (3 if fill == "next_open" else 2, 5, "time")
    assert out.exits() == [(5, at(side, 110.0), "time")]


@BOTH_SIDES
@BOTH_FILLS
@pytest.mark.parametrize("entry", ["L", "S", "l"])
def test_P6_it_beats_the_signals_of_its_bar(side: str, fill: str, entry: str) -> None:
    """Due at bar 3 (2): the entry of that bar, an addition or a reversal, is not heard, and an exit does not change the reason."""
    due = 3 if fill == "next_open" else 2
    text = " ".join(["L", *["."] * (due - 1), entry])
    out = run(bars_of(FLAT), word(side, text), stops=vb.Stops(time_bars=2), sizing=ONE, accumulate=True, fill=fill)
    assert [(o.t, o.reason, o.status) for o in out.orders] == [(0, "signal", "filled"), (due, "time", "filled")]
    assert out.held() == 0.0


def test_P6_the_bar_after_it_is_flat_again_and_may_enter() -> None:
    """Due at 2, sold at the open of 3; the entry of bar 3 is heard: bought again at the open of 4, due at 5, sold at the open of 6."""
    out = run(bars_of(FLAT), signals("L . L L"), stops=vb.Stops(time_bars=1), sizing=ONE)
    assert [f[:2] for f in out.filled()] == [(1, 1.0), (3, -1.0), (4, 1.0), (6, -1.0)]


@BOTH_FILLS
def test_P6_S4_it_replaces_the_order_that_waits(fill: str) -> None:
    """Long from the first bars. An addition decided at bar 2 waits for a market; the time exit of bar 4 takes its place."""
    start = (1 if fill == "next_open" else 0) + 3
    prices = [100, 100, 100, None, None, None, 100, 100]
    given = quantities([1, None, None, 2]) if fill == "close" else quantities([1, None, 2])
    out = run(bars_of(prices), given, stops=vb.Stops(time_bars=3), fill=fill)
    if fill == "next_open":
        assert [(o.t, o.done, o.status, o.reason) for o in out.orders] == [
            (0, 1, "filled", "signal"), (2, start, "replaced", "signal"), (start, 6, "filled", "time")
        ]  # fmt: skip
    else:  # with close fills a row on a bar without a market says nothing, so there is nothing to replace
        assert [(o.t, o.done, o.status, o.reason) for o in out.orders] == [(0, 0, "filled", "signal"), (start, 6, "filled", "time")]
    assert out.held() == 0.0


def test_P6_an_increase_does_not_start_the_clock_again_and_a_flip_does() -> None:
    """Increase at the open of 2: still due at 4 (entered 1, 3 bars). Flip at the open of 3: due at 6."""
    out = run(bars_of(FLAT), signals("L L"), stops=vb.Stops(time_bars=3), sizing=ONE, accumulate=True)
    assert out.exits() == [(5, 100.0, "time")]
    out = run(bars_of(FLAT), signals("L . S"), stops=vb.Stops(time_bars=3), sizing=ONE)
    assert out.exits() == [(3, 100.0, "signal"), (7, 100.0, "time")]


@pytest.mark.parametrize(
    ("given", "sizing"), [(strengths([1.0] * 9), ONE), (weights([0.1] * 9), None), (quantities([1.0, None, 1.0, 2.0, 3.0]), None)]
)
def test_P6_it_beats_rows_of_every_kind(given: Any, sizing: Any) -> None:
    """Entered at the open of 1, due at 3 and sold at the open of 4, whatever the row of bar 3 asks for."""
    out = run(bars_of(FLAT), given, sizing=sizing, stops=vb.Stops(time_bars=2))
    assert out.exits()[0] == (4, 100.0, "time")


def test_P6_the_stop_may_come_before_the_time_exit_that_waits() -> None:
    """Due at 2; the open of bar 3 fills the time exit first (T4), so the fall of that bar meets nothing."""
    stops = vb.Stops(hard=vb.Pct(3), time_bars=1)
    assert exits("long", [100, 100, 100, (100, 100, 90, 90)], stops) == [(3, 100.0, "time")]
    assert exits("long", [100, 100, (100, 100, 90, 90), 90], stops) == [(2, 97.0, "stop")]


def test_P6_bars_and_days_whichever_is_first() -> None:
    assert exits("long", FLAT, vb.Stops(time_bars=4, time_days=2)) == [(4, 100.0, "time")]
    assert exits("long", FLAT, vb.Stops(time_bars=2, time_days=4)) == [(4, 100.0, "time")]


# --- P7: reasons ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "prices", "text", "keywords"),
    [
        ("signal", FLAT, "L l", {}),
        ("stop", [100, 100, 90], "L", {"stops": vb.Stops(hard=vb.Pct(3))}),
        ("trail", [100, 100, 90], "L", {"stops": vb.Stops(trailing=vb.Pct(3))}),
        ("target", [100, 100, 110], "L", {"stops": vb.Stops(take_profit=vb.Pct(3))}),
        ("time", FLAT, "L", {"stops": vb.Stops(time_bars=1)}),
        ("risk", [100, 100, 50, 50], "L", {"sizing": vb.Units(10), "risk": vb.Risk(zones=vb.Zones(liquidate_at=0.2))}),
        ("delisting", [100, 100, 90], "L", {"gone": "2024-01-03"}),
        ("end", FLAT, "L", {"liquidate_at_end": True}),
    ],
)
def test_P7_the_reason_of_an_exit_is_in_the_logs(reason: str, prices: list[Any], text: str, keywords: dict[str, Any]) -> None:
    known = {"sizing": ONE, **keywords}
    gone = known.pop("gone", None)
    out = run(bars_of(prices, delistings={"A": gone} if gone else None), signals(text), **known)
    assert [f.reason for f in out.fills] == ["signal", reason]
    assert [o.reason for o in out.orders] == ["signal", reason]
    assert [t.reason for t in out.trades] == [reason]
    assert out.result.trades["reason"].tolist() == [reason]


# --- P8: the entry bar ----------------------------------------------------------------------------------------------


@BOTH_SIDES
@pytest.mark.parametrize(("bar", "found"), [((100, 101, 97, 100), (1, 97.0, "stop")), ((100, 105, 98, 100), (1, 105.0, "target"))])
def test_P8_T5_an_entry_at_the_open_is_exposed_to_the_whole_bar(side: str, bar: Any, found: Any) -> None:
    assert exits(side, [100, bar, 100], STOP_97_TARGET_105) == [found]


@BOTH_SIDES
def test_P8_an_entry_at_the_close_is_exposed_from_the_next_bar_on(side: str) -> None:
    """Bar 0 ranges from 80 to 130 and closes at 100: its extremes count for nothing, neither as exits nor for the watermark. The trail of
    5 points is at 95 in bar 1; its high 103 then makes it 98."""
    stops = vb.Stops(trailing=vb.Ticks(10), take_profit=vb.Pct(20))
    prices = [(100, 130, 80, 100), (100, 103, 95.5, 101), (101, 101, 97, 97)]
    out = run(sided(side, prices, tick=0.5), word(side, "L"), stops=stops, sizing=ONE, fill="close")
    assert out.exits() == [(2, at(side, 98.0), "trail")]
    assert out.fills[0].t == 0


@BOTH_SIDES
def test_P8_the_high_of_the_entry_bar_counts_after_an_entry_at_the_open(side: str) -> None:
    """Bar 1 reaches 103: in bar 2 the trail of 5 points is at 98."""
    assert exits(side, [100, (100, 103, 96, 101), (101, 101, 97, 97)], vb.Stops(trailing=vb.Ticks(10)), tick=0.5) == [(2, 98.0, "trail")]


@BOTH_SIDES
def test_P8_an_increase_at_the_close_takes_its_levels_into_the_next_bar(side: str) -> None:
    """1 at 100 and 1 at 110, both at closes: average 105; stop 5 points below, 100. Bar 1 itself was tested against 95."""
    prices = [100, (100, 110, 99, 110), (110, 110, 99.5, 105)]
    out = run(sided(side, prices, tick=0.5), quantities([sign(side), 2 * sign(side)]), stops=vb.Stops(hard=vb.Ticks(10)), fill="close")
    assert out.exits() == [(2, 100.0, "stop")]


@BOTH_SIDES
def test_P8_F14_a_starting_position_is_exposed_to_the_whole_first_bar(side: str) -> None:
    out = run(sided(side, [(96, 99, 90, 95)]), signals("."), stops=vb.Stops(hard=vb.Pct(3)), positions={"A": (sign(side), 100)})
    assert out.exits() == [(0, at(side, 96.0), "stop")]


@BOTH_SIDES
def test_T5_exits_meet_the_bar_after_the_orders_at_the_open(side: str) -> None:
    """An exit by signal fills at the open of bar 2 at 99; the stop at 97 in the same bar finds nothing held."""
    out = run(sided(side, [100, 100, (99, 99, 90, 90)]), word(side, "L l"), stops=vb.Stops(hard=vb.Pct(3)), sizing=ONE)
    assert out.exits() == [(2, at(side, 99.0), "signal")]


@BOTH_SIDES
def test_F8_a_stop_passed_over_a_gap_without_a_market_fills_at_the_next_open(side: str) -> None:
    assert exits(side, [100, 100, None, None, (90, 95, 90, 95)], vb.Stops(hard=vb.Pct(3))) == [(4, 90.0, "stop")]


@BOTH_SIDES
def test_F7_a_bar_without_volume_under_volume_share_fills_no_stop(side: str) -> None:
    """Volume share: bar 2 passes the stop at 97 without any volume, so nothing fills; the open of bar 3 at 96 does."""
    full, empty = (100, 100, 100, 100, 1000), (100, 100, 90, 98, 0)
    bars = sided(side, [full, full, empty, (96, 98, 96, 98, 1000)])
    out = run(bars, word(side, "L"), stops=vb.Stops(hard=vb.Pct(3)), sizing=ONE, costs=vb.Costs(volume_share=0.5))
    (fill,) = out.fills[1:]
    assert (fill.t, fill.ref, fill.reason) == (3, at(side, 96.0), "stop")


# --- P9: signals of the bar that closed the position ----------------------------------------------------------------


@BOTH_SIDES
@pytest.mark.parametrize("entry", ["L", "S"])
def test_P9_with_close_fills_a_bar_in_which_P_closed_it_ignores_its_signals(side: str, entry: str) -> None:
    """Bought at the close of 0, stopped in bar 1: the entry of bar 1 is not heard, that of bar 2 is."""
    prices = [100, (100, 100, 90, 95), 95, 95]
    out = run(sided(side, prices), word(side, f"L {entry} {entry}"), stops=vb.Stops(hard=vb.Pct(3)), sizing=ONE, fill="close")
    assert [(o.t, o.reason) for o in out.orders] == [(0, "signal"), (1, "stop"), (2, "signal")]


@BOTH_SIDES
@pytest.mark.parametrize("entry", ["L", "S"])
def test_P9_with_next_open_fills_they_stand(side: str, entry: str) -> None:
    """Bought at the open of 1, stopped in bar 2: the entry of bar 2 fills at the open of 3."""
    prices = [100, 100, (100, 100, 90, 95), 95]
    out = run(sided(side, prices), word(side, f"L . {entry}"), stops=vb.Stops(hard=vb.Pct(3)), sizing=ONE)
    assert [(f.t, f.reason) for f in out.fills] == [(1, "signal"), (2, "stop"), (3, "signal")]


def test_P9_other_assets_are_heard() -> None:
    """A is stopped in bar 1; B's entry of bar 1 is executed at its close, A's is not."""
    bars = bars_of({"A": [100, (100, 100, 90, 95), 95], "B": [100, 100, 100]})
    out = run(bars, signals({"A": "L L", "B": ". L"}), stops=vb.Stops(hard=vb.Pct(3)), sizing=ONE, fill="close")
    assert (out.held("A"), out.held("B")) == (0.0, 1.0)


@pytest.mark.parametrize("given", [weights([0.1, 0.1]), quantities([1, 1]), strengths([1, 1])])
def test_P9_holds_for_rows_of_every_kind(given: Any) -> None:
    """Bought at the close of 0, stopped in bar 1, whose row would buy again; bar 2 is silent."""
    out = run(bars_of([100, (100, 100, 90, 95), 95]), given, stops=vb.Stops(hard=vb.Pct(3)), fill="close")
    assert [f.reason for f in out.fills] == ["signal", "stop"]


def test_P9_a_target_or_a_trail_closes_it_just_so() -> None:
    for stops, bar in ((vb.Stops(take_profit=vb.Pct(5)), (100, 110, 100, 110)), (vb.Stops(trailing=vb.Pct(5)), (100, 100, 90, 95))):
        out = run(bars_of([100, bar, 100]), signals("L L"), stops=stops, sizing=ONE, fill="close")
        assert out.held() == 0.0 and len(out.fills) == 2


@BOTH_SIDES
def test_P9_a_time_exit_that_fills_in_a_bar_is_an_exit_of_that_bar(side: str) -> None:
    """Close fills. Due at bar 1, which has no market: the time exit fills at the open of 2, whose entry is not heard; that of 3 is."""
    out = run(sided(side, [100, None, 100, 100]), word(side, "L . L L"), stops=vb.Stops(time_bars=1), sizing=ONE, fill="close")
    assert out.filled() == [(0, sign(side), 100.0), (2, -sign(side), 100.0), (3, sign(side), 100.0)]


def test_P9_with_next_open_fills_the_row_of_a_time_exit_stands() -> None:
    """Due at bar 2, filled at the open of 3: the entry of bar 3 fills at the open of 4."""
    out = run(bars_of(FLAT[:5]), signals("L . . L"), stops=vb.Stops(time_bars=1), sizing=ONE)
    assert [f[:2] for f in out.filled()] == [(1, 1.0), (3, -1.0), (4, 1.0)]


def test_P9_an_exit_by_signal_is_no_protective_exit() -> None:
    """With close fills: out by the signal of 1, in again by that of 2. An exit that waits for the open of 2 lets bar 2 speak too."""
    stops = vb.Stops(hard=vb.Pct(3))
    out = run(bars_of(FLAT), signals("L l L"), stops=stops, sizing=ONE, fill="close")
    assert [f[:2] for f in out.filled()] == [(0, 1.0), (1, -1.0), (2, 1.0)]
    costs, full, empty = vb.Costs(volume_share=0.1), (100, 100, 100, 100, 1e6), (100, 100, 100, 100, 0)
    out = run(bars_of([full, empty, full]), signals("L l L"), stops=stops, sizing=ONE, fill="close", costs=costs)
    assert [f[:2] for f in out.filled()] == [(0, 1.0), (2, -1.0), (2, 1.0)]
