"""T: time and the order of events in a bar. Prices are round and every expected number is worked in the comments."""

from __future__ import annotations

import numpy as np
import pytest

import vecbt as vb
from tests.rules.helpers import FREE, assert_rows, bars_of, quantities, run, run_in_every_order, signals, strengths, weights

ZONES = vb.Zones(boundaries=(0.1, 0.2, 0.3), factors=(1.0, 0.5, 0.25, 0.0))
HOUR = np.timedelta64(3_600_000_000_000, "ns")

# --- T3: sessions ------------------------------------------------------------------------------------------------------------------


def test_T3_a_session_is_the_date_of_the_label_less_its_start() -> None:
    # labels 00:00, 06:00, 12:00, 18:00, 00:00, 06:00; the session starts at 06:00, so midnight belongs to the day before
    bars = bars_of([100.0] * 6, every=6 * HOUR, session_start="06:00")
    first = 19_723  # days from 1970-01-01 to 2024-01-01
    assert bars.session.tolist() == [first - 1, first, first, first, first, first + 1]


def test_T3_a_bar_of_a_day_is_a_session_dated_by_its_label() -> None:
    bars = bars_of([100.0] * 3, session_start="17:00")
    assert bars.session.tolist() == [19_723, 19_724, 19_725]


def test_T3_a_time_stop_in_days_counts_sessions_not_hours() -> None:
    bars = bars_of([100.0] * 7, every=6 * HOUR, session_start="06:00")
    # filled at 06:00 of the first session, to which 12:00, 18:00 and midnight belong; bar 5, at 06:00, is the next: out at bar 6
    out = run(bars, signals("L"), sizing=vb.Units(1), stops=vb.Stops(time_days=1))
    assert_rows(out.filled(), [(1, 1.0, 100.0), (6, -1.0, 100.0)])
    assert out.exits() == [(6, 100.0, "time")]


def test_T3_a_weekend_counts_its_days() -> None:
    friday = np.datetime64("2024-01-05", "ns")
    days = np.array([-1, 0, 3, 4]) * np.timedelta64(1, "D")  # Thursday, Friday, Monday, Tuesday
    bars = bars_of([100.0] * 4, index=friday + days)
    # in at Friday's open; Monday is 3 days later, which is 2 or more: out at Tuesday's open
    out = run(bars, signals("S"), sizing=vb.Units(1), stops=vb.Stops(time_days=2))
    assert_rows(out.filled(), [(1, -1.0, 100.0), (3, 1.0, 100.0)])


# --- T4: what is queued meets the open ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("word", "q"), [("L", 2.0), ("S", -2.0)])
def test_T4_an_order_meets_the_next_open(word: str, q: float) -> None:
    bars = bars_of([100, (110, 130, 100, 120), (125, 125, 125, 125)])
    out = run(bars, signals(word), sizing=vb.Units(2))
    assert_rows(out.filled(), [(1, q, 110.0)])
    # 1000, then 2 units from 110 to 120 and to 125
    assert_rows(out.equity, [1000, 1000 + q * 10, 1000 + q * 15])


def test_T4_reductions_free_the_cash_for_new_risk_of_the_same_open() -> None:
    bars = bars_of({"A": [100.0] * 4, "B": [50.0] * 4})
    # A takes all 1000; at bar 1 A leaves and B enters: 20 units of B need A's 1000
    out = run_in_every_order(bars, quantities({"A": [10, 0], "B": [None, 20]}))
    assert_rows(out.filled("A"), [(1, 10.0, 100.0), (2, -10.0, 100.0)])
    assert_rows(out.filled("B"), [(2, 20.0, 50.0)])
    assert out.cash[-1] == 0.0


def test_T4_new_risk_goes_by_descending_strength() -> None:
    bars = bars_of({"A": [100.0] * 2, "B": [100.0] * 2, "C": [100.0] * 2})
    # 1000 of room: B (|-0.9|) takes 600, C (0.8) the 400 that are left, A nothing
    out = run_in_every_order(bars, strengths({"A": [0.5], "B": [-0.9], "C": [0.8]}), sizing=vb.Units(6))
    assert_rows(out.ordered("B"), [(0, -6.0, -6.0, "filled", "")])
    assert_rows(out.ordered("C"), [(0, 6.0, 4.0, "partial", "cash")])
    assert_rows(out.ordered("A"), [(0, 6.0, 0.0, "rejected", "cash")])


def test_T4_booleans_have_priority_1() -> None:
    bars = bars_of({"A": [100.0] * 2, "B": [100.0] * 2})
    out = run(bars, signals({"A": "L", "B": "S"}), sizing=vb.Units(1))
    assert [o.priority for o in out.orders] == [1.0, 1.0]
    out = run(bars, strengths({"A": [-0.25], "B": [1.0]}), sizing=vb.Units(1))
    assert sorted((o.asset, o.priority) for o in out.orders) == [("A", 0.25), ("B", 1.0)]


@pytest.mark.parametrize(("a", "b", "sold", "bought"), [(-0.4, 0.9, -11.0, 9.0), (-0.9, 0.4, -19.0, 1.0)])
def test_T4_a_flip_closes_with_the_reductions_and_opens_with_the_new_risk(a: float, b: float, sold: float, bought: float) -> None:
    bars = bars_of({"A": [100.0] * 3, "B": [100.0] * 3})
    # A is long 10, all the money. Closing it frees 1000 for 13 units wanted: the stronger opens its 9, the weaker the 1 that is left;
    # A sells its 10 and what it opens in one fill
    out = run_in_every_order(bars, strengths({"A": [1.0, a], "B": [None, b]}), sizing=vb.Weight(1.0))
    assert_rows(out.filled("A"), [(1, 10.0, 100.0), (2, sold, 100.0)])
    assert_rows(out.filled("B"), [(2, bought, 100.0)])


# --- T5: protective exits ----------------------------------------------------------------------------------------------------------


def test_T5_the_cash_of_a_protective_exit_buys_nothing_at_the_open_of_its_bar() -> None:
    bars = bars_of({"A": [100, 100, (100, 100, 80, 80), 80], "B": [50.0] * 4})
    stops = vb.Stops(hard=0.1)
    # A takes all the money at bar 1 and is stopped at 90 in bar 2; B's order met the open of bar 2 before that
    out = run_in_every_order(bars, signals({"A": "L", "B": ". L"}), sizing=vb.Units(10), stops=stops)
    assert_rows(out.filled("A"), [(1, 10.0, 100.0), (2, -10.0, 90.0)])
    assert_rows(out.ordered("B"), [(1, 10.0, 0.0, "rejected", "cash")])
    assert out.equity == [1000.0, 1000.0, 900.0, 900.0]


def test_T5_at_the_close_of_its_bar_that_cash_buys() -> None:
    bars = bars_of({"A": [100, (100, 100, 80, 80), 80], "B": [50.0] * 3})
    out = run_in_every_order(bars, signals({"A": "L", "B": ". L"}), sizing=vb.Units(10), stops=vb.Stops(hard=0.1), fill="close")
    assert_rows(out.filled("A"), [(0, 10.0, 100.0), (1, -10.0, 90.0)])
    assert_rows(out.filled("B"), [(1, 10.0, 50.0)])


@pytest.mark.parametrize(("word", "bar", "price"), [("L", (100, 101, 85, 100), 90.0), ("S", (100, 115, 99, 100), 110.0)])
def test_T5_a_position_opened_at_the_open_is_exposed_in_the_same_bar(word: str, bar: tuple[float, ...], price: float) -> None:
    out = run(bars_of([100, bar]), signals(word), sizing=vb.Units(1), stops=vb.Stops(hard=0.1))
    assert_rows(out.exits(), [(1, price, "stop")])
    assert out.trades[0].entry_t == 1
    assert_rows(out.equity[-1:], [990.0])  # 10 lost on either side


# --- T6: the mark ------------------------------------------------------------------------------------------------------------------


def test_T6_positions_are_marked_at_the_close() -> None:
    bars = bars_of({"A": [100, (100, 200, 50, 120), 90], "B": [50, (50, 60, 40, 40), 70]})
    out = run(bars, quantities({"A": [4], "B": [-5]}))
    # A: 4 * 20, 4 * -10; B: -5 * -10, -5 * 20. Cash is 1000 - 400 + 250
    assert_rows(out.equity, [1000, 1000 + 80 + 50, 1000 - 40 - 100])
    assert_rows(out.cash, [1000, 850, 850])


def test_T6_zone_and_peak_follow_the_close_not_the_extremes() -> None:
    # 10 units: equity 1000, 1000, 1500, 1350, 1200; the low of 50 in bar 1 is no close
    bars = bars_of([100, (100, 100, 50, 100), 150, 135, 120])
    out = run(bars, signals("L"), sizing=vb.Units(10), risk=vb.Risk(zones=ZONES))
    # 1350 is 10 % below the peak of 1500 (CAUTION), 1200 is 20 % (ALERT)
    assert out.zone == [0, 0, 0, 1, 2]


# --- T7: the decision --------------------------------------------------------------------------------------------------------------


def test_T7_sizing_uses_the_equity_of_t6_and_the_close() -> None:
    bars = bars_of({"A": [100, 100, 140, 140], "B": [50, 50, 40, (70, 70, 70, 70)]})
    # bar 2: A's 5 units have gained 200, equity 1200; half of it is 600, at B's close of 40 that is 15 units; but they fill at 70:
    # cash is 500, so 15 * 70 = 1050 does not fit and 500 / 70 units do
    out = run(bars, signals({"A": "L", "B": ". . L"}), sizing=vb.Weight(0.5))
    assert_rows(out.ordered("A"), [(0, 5.0, 5.0, "filled", "")])
    assert_rows(out.ordered("B"), [(2, 15.0, 500 / 70, "partial", "cash")])


def test_T7_what_comes_later_does_not_change_what_was_decided() -> None:
    early = [100, 110, (120, 130, 110, 125)]
    one = run(bars_of([*early, 90, 80]), signals("L . l S"), sizing=vb.Weight(0.5))
    other = run(bars_of([*early, 300, 10]), signals("L . l S"), sizing=vb.Weight(0.5))
    assert [o[:3] for o in one.orders[:2]] == [o[:3] for o in other.orders[:2]]
    assert one.equity[:3] == other.equity[:3]


@pytest.mark.parametrize(("word", "q"), [("L", 2.0), ("S", -2.0)])
def test_T7_fill_close_executes_at_once_at_the_close(word: str, q: float) -> None:
    bars = bars_of([(90, 110, 80, 100), (130, 130, 130, 130)])
    out = run(bars, signals(word), sizing=vb.Units(2), fill="close")
    assert_rows(out.filled(), [(0, q, 100.0)])
    assert_rows(out.equity, [1000, 1000 + q * 30])


def test_T7_close_fills_take_reductions_first_and_then_the_strongest() -> None:
    bars = bars_of({"A": [100.0] * 2, "B": [100.0] * 2, "C": [100.0] * 2})
    rows = {"A": [1.0, 0.0], "B": [None, 0.3], "C": [None, 0.9]}
    # capital 600: A takes all of it, leaves at bar 1, and C takes all that frees
    out = run_in_every_order(bars, strengths(rows), sizing=vb.Units(6), initial_capital=600.0, fill="close")
    assert_rows(out.filled("C"), [(1, 6.0, 100.0)])
    assert_rows(out.ordered("B"), [(1, 6.0, 0.0, "rejected", "cash")])


def test_T7_the_record_of_a_bar_is_net_of_its_close_fills() -> None:
    costs = vb.Costs(commission_rate=0.01, half_spread=1.0)
    # 2 at 101 with 2.02 of commission: cash 1000 - 202 - 2.02, worth 200 at the close of 100
    out = run(bars_of([100, 100]), signals("L"), sizing=vb.Units(2), costs=costs, fill="close")
    assert_rows(out.cash, [795.98, 795.98])
    assert_rows(out.equity, [995.98, 995.98])


def test_T7_the_peak_is_redone_net_of_close_fills() -> None:
    costs = vb.Costs(per_order=100.0)
    zones = vb.Zones(boundaries=(0.09, 0.2, 0.3), factors=(1.0, 0.5, 0.25, 0.0))
    # bar 0: 1000 - 100 = 900 is 10 % below the first peak, 1000: CAUTION. Bar 1: 5 units gain 600, 1500 before the exit's 100 and 1400
    # after: 1400 is the peak. Bar 3: a new entry's 100 leaves 1300, 7.1 % below 1400: NORMAL (13.3 % below 1500 would be CAUTION)
    bars = bars_of([100, 220, 220, 220])
    out = run(bars, signals("L l . L"), sizing=vb.Units(5), costs=costs, risk=vb.Risk(zones=zones), fill="close")
    assert_rows(out.equity, [900, 1400, 1400, 1300])
    assert out.zone == [1, 0, 0, 0]


def test_T7_a_risk_exit_comes_before_a_time_exit_and_both_before_the_row() -> None:
    bars = bars_of([100, 100, 70, 70, 70])
    zones = vb.Risk(zones=vb.Zones(boundaries=(0.1, 0.2, 0.3), liquidate_at=0.2))
    stops = vb.Stops(time_bars=1)
    known = {"sizing": vb.Units(10)}
    # in at bar 1; at bar 2 a bar has passed, equity is 700 (30 % below), and the row wants out too
    both = run(bars, signals("L . l"), stops=stops, risk=zones, **known)
    assert_rows(both.exits(), [(3, 70.0, "risk")])
    # one exit is enough: the time exit and the row find it waiting
    assert [o.reason for o in both.orders] == ["signal", "risk"]
    late = run(bars, signals("L . l"), stops=stops, risk=vb.Risk(zones=ZONES), **known)
    assert_rows(late.exits(), [(3, 70.0, "time")])
    plain = run(bars, signals("L . l"), **known)
    assert_rows(plain.exits(), [(3, 70.0, "signal")])


def test_T7_a_time_exit_beats_an_entry_in_the_other_side() -> None:
    # at bar 2 a bar has passed; the row would reverse, which the time exit forbids: flat at bar 3
    out = run(bars_of([100.0] * 5), signals("L . S"), sizing=vb.Units(1), stops=vb.Stops(time_bars=1))
    assert_rows(out.filled(), [(1, 1.0, 100.0), (3, -1.0, 100.0)])


# --- T8: the end of the data -------------------------------------------------------------------------------------------------------


def test_T8_the_end_is_no_event() -> None:
    bars = bars_of({"A": [100, 100, 110, None], "B": [50.0] * 4})
    out = run(bars, signals({"A": "L", "B": ". . . S"}), sizing=vb.Units(2))
    # A stays open, marked at 110, its last close; B's order of the last bar stays pending
    assert out.equity[-1] == 1020.0
    assert out.held("A") == 2.0
    assert out.trades == []
    assert_rows(out.ordered("B"), [(3, -2.0, 0.0, "pending", "")])
    assert out.orders[-1].done == -1


@pytest.mark.parametrize(("word", "q", "price"), [("L", 2.0, 118.0), ("S", -2.0, 122.0)])
def test_T8_liquidate_at_end_closes_at_the_last_close_with_costs(word: str, q: float, price: float) -> None:
    costs = vb.Costs(per_order=3.0, half_spread=2.0)
    bars = bars_of([100, 100, 120])
    out = run(bars, signals(word), sizing=vb.Units(2), costs=costs, liquidate_at_end=True)
    entry = 102.0 if q > 0 else 98.0
    assert_rows(out.filled(), [(1, q, entry), (2, -q, price)])
    assert out.exits() == [(2, price, "end")]
    # each fill costs 3; the record of the last bar is net of the close
    last = 1000 + q * (price - entry) - 6
    assert_rows(out.equity[-1:], [last])
    assert_rows(out.cash[-1:], [last])
    assert out.fills[-1].commission == 3.0
    assert out.held() == 0.0


def test_T8_liquidate_at_end_takes_the_last_mark_where_there_is_no_market() -> None:
    out = run(bars_of([100, 100, 120, None]), signals("L"), sizing=vb.Units(2), liquidate_at_end=True)
    assert out.exits() == [(3, 120.0, "end")]
    assert out.equity[-1] == 1040.0


def test_T8_liquidate_at_end_cancels_what_waits() -> None:
    bars = bars_of({"A": [100.0] * 3, "B": [50.0] * 3})
    out = run(bars, signals({"A": "L . S", "B": ". . L"}), sizing=vb.Units(2), liquidate_at_end=True)
    # A's flip and B's entry of the last bar are cancelled by no rule, A's position is closed
    assert_rows(out.ordered("A"), [(0, 2.0, 2.0, "filled", ""), (2, -4.0, 0.0, "cancelled", ""), (2, -2.0, -2.0, "filled", "")])
    assert_rows(out.ordered("B"), [(2, 2.0, 0.0, "cancelled", "")])
    assert out.held("A") == out.held("B") == 0.0
    assert_rows(out.exits("A"), [(2, 100.0, "end")])


def test_T8_every_account_is_closed() -> None:
    bars = bars_of({"A": [100, 100, 120], "B": [50, 50, 40]})
    out = run_in_every_order(bars, quantities({"A": [2], "B": [-2]}), accounts="separate", liquidate_at_end=True)
    assert out.exits("A") == [(2, 120.0, "end")]
    assert out.exits("B") == [(2, 40.0, "end")]
    assert out.raw.equity[-1].tolist() == out.raw.cash[-1].tolist() == [1040.0, 1020.0]


def test_T8_the_call_leaves_impact_out_where_volume_is_unknown() -> None:
    costs = vb.Costs(volume_share=1.0)
    # bar 0 moves 100 to 110, bar 1 to 121: sigma 0.1. Filled at bar 1's open 110 with sigma of bar 0, 0.1: 4 of 16 units: root is 0.5:
    # 110 * 1.05 = 115.5
    start = [(100, 110, 100, 110, 16), (110, 121, 110, 121, 16)]
    kept = {"sizing": vb.Units(4), "costs": costs, "liquidate_at_end": True}
    known = run(bars_of(start), signals("L"), **kept)
    # the call comes after bar 1: sigma 0.1, 16 units traded in it: 121 * 0.95
    assert_rows(known.filled(), [(1, 4.0, 115.5), (1, -4.0, 114.95)])
    for last in [(121, 121, 121, 121, 0), None]:
        unknown = run(bars_of([*start, last]), signals("L"), **kept)
        assert_rows(unknown.filled(), [(1, 4.0, 115.5), (2, -4.0, 121.0)])


# --- T10: delistings ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("word", "q"), [("L", 2.0), ("S", -2.0)])
def test_T10_a_delisting_closes_at_the_mark_less_the_haircut_without_costs(word: str, q: float) -> None:
    costs = vb.Costs(per_order=1.0, half_spread=1.0)
    bars = bars_of([100, 100, 80, 70, 60], delistings={"A": ("2024-01-04", 0.25)})  # bar 3
    out = run(bars, signals(word), sizing=vb.Units(2), costs=costs)
    # at the end of bar 3: 70 * 0.75 = 52.5
    entry = 101.0 if q > 0 else 99.0
    assert_rows(out.filled(), [(1, q, entry), (3, -q, 52.5)])
    assert (out.fills[1].commission, out.fills[1].slippage, out.fills[1].reason) == (0.0, 0.0, "delisting")
    # before the mark of T6: equity of bar 3 knows the haircut; later bars are ignored
    end = 1000 - 1 + q * (52.5 - entry)
    assert_rows(out.equity[3:], [end, end])
    assert out.trades[0].commission == 1.0


@pytest.mark.parametrize(
    ("date", "bar"), [("2024-01-03", 2), ("2024-01-02 12:00", 2), ("2024-02-01", 3)], ids=["on a bar", "between bars", "after the last"]
)
def test_T10_it_happens_at_the_first_bar_at_or_after_its_date_or_the_last(date: str, bar: int) -> None:
    out = run(bars_of([100, 100, 90, 80], delistings={"A": date}), signals("L"), sizing=vb.Units(1))
    price = {2: 90.0, 3: 80.0}[bar]
    assert out.exits() == [(bar, price, "delisting")]  # haircut 0


def test_T10_without_a_market_the_last_mark_counts() -> None:
    out = run(bars_of([100, 100, 90, None], delistings={"A": "2024-01-04"}), signals("L"), sizing=vb.Units(1))
    assert out.exits() == [(3, 90.0, "delisting")]


def test_T10_orders_are_cancelled_by_the_rule_delisted() -> None:
    bars = bars_of([100, 100, None, 100], delistings={"A": "2024-01-03"})
    out = run(bars, signals(". L"), sizing=vb.Units(1))
    assert_rows(out.ordered(), [(1, 1.0, 0.0, "cancelled", "delisted")])
    assert out.orders[0].done == 2
    # an exit that waits dies too, the position goes by the delisting
    out = run(bars, signals("L l"), sizing=vb.Units(1))
    assert_rows(out.ordered()[1:], [(1, -1.0, 0.0, "cancelled", "delisted"), (2, -1.0, -1.0, "filled", "")])


@pytest.mark.parametrize("fill", ["next_open", "close"])
def test_T10_its_own_row_at_that_bar_and_later_ones_are_ignored(fill: str) -> None:
    out = run(bars_of([100.0] * 4, delistings={"A": "2024-01-02"}), signals(". L L S"), sizing=vb.Units(1), fill=fill)
    assert out.orders == []


def test_T10_comes_after_the_open_and_the_stops_of_its_bar() -> None:
    prices = [100, 100, (100, 100, 85, 95), 95]
    date = {"A": ("2024-01-03", 0.5)}
    # an exit that meets the open of the bar gets the open
    out = run(bars_of(prices, delistings=date), signals("L l"), sizing=vb.Units(1))
    assert out.exits() == [(2, 100.0, "signal")]
    # a stop inside the bar comes first as well
    out = run(bars_of(prices, delistings=date), signals("L"), sizing=vb.Units(1), stops=vb.Stops(hard=0.1))
    assert out.exits() == [(2, 90.0, "stop")]
    # and an entry at its open is closed at its end: 95 less half
    out = run(bars_of(prices, delistings=date), signals(". L"), sizing=vb.Units(1))
    assert_rows(out.filled(), [(2, 1.0, 100.0), (2, -1.0, 47.5)])


def test_T10_what_it_frees_buys_at_the_close_of_its_bar_not_at_the_open() -> None:
    prices = {"A": [100.0] * 4, "B": [50.0] * 4}
    rows = signals({"A": "L", "B": ". L"})
    bars = bars_of(prices, delistings={"A": "2024-01-03"})
    # next open: A is closed at the end of bar 2, B's order met the open before
    late = run_in_every_order(bars, rows, sizing=vb.Units(10))
    assert_rows(late.ordered("B"), [(1, 10.0, 0.0, "rejected", "cash")])
    early = bars_of(prices, delistings={"A": "2024-01-02"})
    at_close = run_in_every_order(early, rows, sizing=vb.Units(10), fill="close")
    assert_rows(at_close.filled("B"), [(1, 10.0, 50.0)])


def test_T10_a_delisted_asset_takes_no_share_of_a_rebalance() -> None:
    bars = bars_of({"A": [100.0] * 4, "B": [100.0] * 4}, delistings={"A": "2024-01-02"})
    # from bar 1 on the row of A is ignored; B goes to its own weight: 500 at 100
    out = run_in_every_order(bars, weights({"A": [0.5, 0.5, 0.5], "B": [None, 0.5, 0.5]}), costs=FREE)
    assert_rows(out.filled("A"), [(1, 5.0, 100.0), (1, -5.0, 100.0)])
    assert_rows(out.filled("B"), [(2, 5.0, 100.0)])
