"""T5 and P8: what happens inside a bar, in which order, and what of the bar a position opened in it still meets."""

from __future__ import annotations

from typing import Any

import pytest

import vecbt as vb
from tests.rules.helpers import assert_rows, bars_of, run_in_every_order
from tests.rules.orders import buy, ends, fills, rows, sell, trade_on
from tests.rules.sides import BOTH_SIDES

# --- T5: the order of things ---------------------------------------------------------------------------------------------------------


@BOTH_SIDES
def test_T5_protective_exits_go_before_resting_orders(side: str) -> None:
    # the stop at 95 and the limit at 104 are both met: the stop closes the position, so the limit opens one on the other side
    stops = vb.Stops(hard=vb.Price(95 if side == "long" else 105))
    out = trade_on(side, [100, 100, (100, 104, 95, 100), 100], {0: [buy(4)], 1: [sell(4, "limit", limit=104)]}, stops=stops)
    assert fills(side, out)[:3] == [(1, 4.0, 100.0), (2, -4.0, 95.0), (2, -4.0, 104.0)]
    assert [f.reason for f in out.fills[:3]] == ["signal", "stop", "signal"]


@BOTH_SIDES
def test_T5_reductions_go_by_id(side: str) -> None:
    # 4 are held: the first closes 3, the second the last one and opens 2; where several orders fill, a closing part is a fill of its own
    given = {0: [buy(4)], 1: [sell(3, "limit", limit=104), sell(3, "limit", limit=103)]}
    out = trade_on(side, [100, 100, (100, 104, 100, 100)], given, costs=vb.Costs(per_order=1.0))
    assert fills(side, out)[1:] == [(2, -3.0, 104.0), (2, -1.0, 103.0), (2, -2.0, 103.0)]
    assert [f.commission for f in out.fills] == [1.0, 1.0, 1.0, 0.0]  # F2: the order has paid with its first part
    assert abs(out.held()) == 2.0


@BOTH_SIDES
def test_T5_cash_that_exits_free_buys_nothing_inside_the_bar(side: str) -> None:
    # all the money is in A; its sale at 104 frees nothing for B's purchase at 98 in the same bar, but at the next open it does
    bar = (100, 104, 96, 100)
    bars = bars_of({"A": [100, 100, bar, 100], "B": [100, 100, bar, 100]})
    given = {0: [buy(10)], 1: [sell(10, "limit", limit=104), buy(5, "limit", limit=98, symbol="B")], 2: [buy(5, symbol="B")]}
    short = {0: [sell(10)], 1: [buy(10, "limit", limit=96), sell(5, "limit", limit=102, symbol="B")], 2: [sell(5, symbol="B")]}
    out = run_in_every_order(bars, rows(given if side == "long" else short))
    assert [(o.t, o.status, o.cut_by) for o in out.orders if o.asset == "B"] == [(1, "rejected", "cash"), (2, "filled", "")]


@BOTH_SIDES
def test_T5_each_group_takes_its_part_of_the_room_after_t4(side: str) -> None:
    # 1000: by priority 6 of B at 100, then the 4 that are left for A; both inside the bar
    bars = bars_of({"A": [100, (102, 104, 96, 100)], "B": [100, (102, 104, 96, 100)]})
    given = {0: [buy(6, "limit", limit=100), buy(6, "limit", limit=100, symbol="B", priority=2)]}
    short = {0: [sell(6, "stop", stop=100), sell(6, "stop", stop=100, symbol="B", priority=2)]}
    out = run_in_every_order(bars, rows(given if side == "long" else short))
    assert sorted((o.asset, abs(o.filled), o.cut_by) for o in out.orders) == [("A", 4.0, "cash"), ("B", 6.0, "")]


@BOTH_SIDES
def test_T5_F10_equal_priorities_share_the_room(side: str) -> None:
    # 6 at 100 and 14 at 100 want 2000 of 1000: half of each
    bars = bars_of({"A": [100, (102, 104, 96, 100)], "B": [100, (102, 104, 96, 100)]})
    given = {0: [buy(6, "limit", limit=100), buy(14, "limit", limit=100, symbol="B")]}
    short = {0: [sell(6, "stop", stop=100), sell(14, "stop", stop=100, symbol="B")]}
    out = run_in_every_order(bars, rows(given if side == "long" else short))
    assert_rows(sorted((o.asset, abs(o.filled)) for o in out.orders), [("A", 3.0), ("B", 7.0)])


def test_T5_the_room_is_taken_at_the_open() -> None:
    # 5 of A at 100; bar 2 opens at 120: equity 1100, gross 600, so 500 are left for B at its limit of 50: 10 units, whatever A does
    bars = bars_of({"A": [100, 100, (120, 200, 60, 60)], "B": [60, 60, (60, 60, 50, 55)]})
    out = run_in_every_order(bars, rows({0: [buy(5)], 1: [buy(12, "limit", limit=50, symbol="B")]}))
    assert_rows(out.filled("B"), [(2, 10.0, 50.0)])


@BOTH_SIDES
def test_T5_an_increase_inside_the_bar_is_not_tested_again(side: str) -> None:
    # 1 at 100 with a stop 5 % below: 95, not met by 96. The limit at 98 adds 3: average 98.5, stop 93.575; and with one at 103:
    # average 102.25, stop 97.1375, which the low of 96 would meet
    stops = vb.Stops(hard=vb.Ticks(5))
    given = {0: [buy(1)], 1: [buy(3, "stop", stop=103)]}
    out = trade_on(side, [100, 100, (100, 104, 96, 100), (100, 100, 99, 100)], given, stops=stops, tick=1)
    assert_rows(fills(side, out), [(1, 1.0, 100.0), (2, 3.0, 103.0)])


@BOTH_SIDES
def test_T5_a_stop_and_a_sale_on_either_side_of_the_market(side: str) -> None:
    # flat; a purchase at 98 and a stop purchase at 103, both met: both are new risk, and both are held
    given = {0: [buy(2, "limit", limit=98), buy(3, "stop", stop=103)]}
    out = trade_on(side, [100, (100, 104, 96, 100)], given)
    assert fills(side, out) == [(1, 2.0, 98.0), (1, 3.0, 103.0)]
    assert ends(out) == [("filled", "", 1)] * 2


# --- P8: a position opened inside the bar --------------------------------------------------------------------------------------------

LIMIT: dict[str, Any] = {"type": "limit", "limit": 98}
STOP: dict[str, Any] = {"type": "stop", "stop": 102}
LATE: dict[str, Any] = {"type": "stop_limit", "stop": 102, "limit": 101}
PESSIMISTIC, OPTIMISTIC = "pessimistic", "optimistic"


@BOTH_SIDES
@pytest.mark.parametrize("intrabar", [PESSIMISTIC, OPTIMISTIC])
@pytest.mark.parametrize(
    ("entry", "bar", "levels", "price"),
    [
        (LIMIT, (100, 104, 94, 100), {"stop_loss": 95}, 95.0),  # the low comes after a buy limit
        (STOP, (100, 106, 99, 103), {"take_profit": 105}, 105.0),  # the high comes after a buy stop
        (LIMIT, (100, 104, 97, 103), {"take_profit": 103}, 103.0),  # and so does the close
        (STOP, (100, 106, 99, 101), {"stop_loss": 101}, 101.0),
    ],
)
def test_P8_what_surely_follows_counts(
    side: str, intrabar: str, entry: dict[str, Any], bar: tuple[float, ...], levels: dict[str, float], price: float
) -> None:
    out = trade_on(side, [100, bar, 100], {0: [buy(**entry, **levels)]}, intrabar=intrabar)
    assert [(t, p) for t, _, p in fills(side, out)][1:] == [(1, price)]


@BOTH_SIDES
@pytest.mark.parametrize(
    ("entry", "bar", "levels", "pessimistic", "optimistic"),
    [
        # the high of 104 may be older than the purchase at 98: the target of 103 is only met by an optimist
        (LIMIT, (100, 104, 97, 100), {"take_profit": 103}, None, 103.0),
        # the low of 97 may be older than the purchase at 102: the stop of 98 is met by a pessimist
        (STOP, (100, 106, 97, 101), {"stop_loss": 98}, 98.0, None),
        # after a stop-limit at its limit neither is sure
        (LATE, (100, 106, 97, 100), {"stop_loss": 98}, 98.0, None),
        (LATE, (100, 106, 97, 100), {"take_profit": 104}, None, 104.0),
        (LATE, (100, 106, 97, 100), {"stop_loss": 100}, 100.0, 100.0),  # the close is
    ],
)
def test_P8_the_other_extreme_counts_against_the_position(
    side: str,
    entry: dict[str, Any],
    bar: tuple[float, ...],
    levels: dict[str, float],
    pessimistic: float | None,
    optimistic: float | None,
) -> None:
    for intrabar, price in ((PESSIMISTIC, pessimistic), (OPTIMISTIC, optimistic)):
        out = trade_on(side, [100, bar], {0: [buy(**entry, **levels)]}, intrabar=intrabar)
        assert [(t, p) for t, _, p in fills(side, out)][1:] == ([] if price is None else [(1, price)])


@BOTH_SIDES
@pytest.mark.parametrize("intrabar", [PESSIMISTIC, OPTIMISTIC])
def test_P8_an_entry_at_the_open_meets_the_whole_bar(side: str, intrabar: str) -> None:
    for entry in ({"type": "limit", "limit": 100}, {"type": "stop", "stop": 100}, {"type": "stop_limit", "stop": 100, "limit": 101}):
        for levels, price in (({"take_profit": 103}, 103.0), ({"stop_loss": 98}, 98.0)):
            out = trade_on(side, [100, (100, 104, 97, 100)], {0: [buy(**entry, **levels)]}, intrabar=intrabar)
            assert [(t, p) for t, _, p in fills(side, out)][1:] == [(1, price)]


@BOTH_SIDES
def test_P8_a_stop_limit_at_its_stop_is_a_stop(side: str) -> None:
    # bought at 102: the high of 106 is after it
    entry = {"type": "stop_limit", "stop": 102, "limit": 103}
    out = trade_on(side, [100, (100, 106, 99, 101)], {0: [buy(**entry, take_profit=105)]})
    assert fills(side, out)[1:] == [(1, -1.0, 105.0)]


@BOTH_SIDES
def test_P8_the_open_is_the_entry_price_then(side: str) -> None:
    # a stop above the entry at 98: a gap, out at 98; the open of 100 does not count, or the target of 100 would be met
    out = trade_on(side, [100, (100, 101, 97, 98), 98], {0: [buy(**LIMIT, stop_loss=99)]})
    assert fills(side, out) == [(1, 1.0, 98.0), (1, -1.0, 98.0)]
    out = trade_on(side, [100, (100, 101, 97, 98), 98], {0: [buy(**LIMIT, take_profit=100)]})
    assert fills(side, out) == [(1, 1.0, 98.0)]


@BOTH_SIDES
def test_P8_the_watermark_follows_what_counts(side: str) -> None:
    # bought at 96; the high of 104 may be older: w is the close of 100, by 5 ticks 95; an optimist has 99
    stops = vb.Stops(trailing=vb.Ticks(5))
    prices = [100, (98, 104, 96, 100), (100, 100, 94, 95)]
    for intrabar, price in ((PESSIMISTIC, 95.0), (OPTIMISTIC, 99.0)):
        out = trade_on(side, prices, {0: [buy(type="limit", limit=96)]}, stops=stops, tick=1, intrabar=intrabar)
        assert fills(side, out)[1:] == [(2, -1.0, price)]


def test_M7_mae_and_mfe_follow_what_counts() -> None:
    # bought at 96: the low of 92 in full, the high only as far as the close of 100; out at the open of 99
    out = trade_on("long", [100, (98, 104, 92, 100), 99], {0: [buy(type="limit", limit=96)], 1: [sell()]})
    assert_rows([(out.trades[0].mae, out.trades[0].mfe)], [(4 / 96, 4 / 96)])
    # sold at 104: the high of 108 in full, the low only as far as 100
    out = trade_on("long", [100, (102, 108, 96, 100), 101], {0: [sell(type="limit", limit=104)], 1: [buy()]})
    assert_rows([(out.trades[0].mae, out.trades[0].mfe)], [(4 / 104, 4 / 104)])


@BOTH_SIDES
def test_P8_a_position_that_was_stopped_and_entered_again_in_one_bar_is_exposed_again(side: str) -> None:
    # 1 at 100, stopped at 97; bought again at 96 with a stop at 94, which the low of 93 meets
    given = {0: [buy(stop_loss=97)], 1: [buy(type="limit", limit=96, stop_loss=94)]}
    out = trade_on(side, [100, 100, (100, 101, 93, 95)], given)
    assert [(q, p) for _, q, p in fills(side, out)] == [(1.0, 100.0), (-1.0, 97.0), (1.0, 96.0), (-1.0, 94.0)]
