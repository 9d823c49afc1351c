"""Section O of the reference engine against scenarios worked by hand: each names its rule and shows the sums."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction as F
from typing import Any

import pytest

from tests.naive.build import bars, flat, scenario
from tests.naive.engine import simulate
from tests.naive.resting_rows import Ask, Cancel
from tests.naive.scenario import Bracket, Costs, Distance, Log, Stops, Zones

Prices = list[tuple[Any, ...] | None]


def run(prices: Prices | list[Prices], asks: dict[int, list[Any]], **other: Any) -> Log:
    """One asset's bars (or several assets'), and the rows by bar."""
    columns = prices if isinstance(prices[0], list) else [prices]
    keys = {"lot", "tick", "min_notional", "multiplier", "session", "splits", "delisted"}
    table = bars(*columns, **{k: v for k, v in other.items() if k in keys})  # type: ignore[arg-type]
    rows = [asks.get(t, []) for t in range(len(columns[0]))]
    return simulate(scenario(table, "orders", rows, **{k: v for k, v in other.items() if k not in keys}))


def fills(log: Log) -> list[tuple[Any, ...]]:
    """Bar, signed quantity and price of each fill."""
    return [(f.t, f.q, f.price) for f in log.fills]


def ends(log: Log) -> list[tuple[Any, ...]]:
    """Status, rules and bar of the end of each order."""
    return [(o.status, ", ".join(sorted(o.cut_by)), o.t_done) for o in log.orders]


def both(prices: Prices, asks: list[Any], **other: Any) -> list[tuple[Any, ...]]:
    """Fills of a row given at bar 0, checked against the mirror image around 100."""
    long = run(prices, {0: asks}, **other)
    turned = [None if b is None else (200 - b[0], 200 - b[2], 200 - b[1], 200 - b[3], *b[4:]) for b in prices]
    short = run(turned, {0: [mirrored(a) for a in asks]}, **other)
    assert [(t, -q, 200 - p) for t, q, p in fills(short)] == fills(long)
    assert ends(short) == ends(long)
    return fills(long)


def mirrored(ask: Ask) -> Ask:
    turn = {name: None if getattr(ask, name) is None else 200 - getattr(ask, name) for name in ("limit", "stop")}
    own = ask.bracket
    if own is not None:
        own = Bracket(*(None if v is None else 200 - v for v in (own.stop, own.target)), own.trail)
    return replace(ask, quantity=-ask.quantity, bracket=own, **turn)


QUIET = (100, 100, 100, 100)


def test_o1_a_limit_fills_at_the_open_or_at_itself() -> None:
    """Buy at 98: an open of 97 is taken, else a low of 98 is a touch; through, 98 must be crossed."""
    ask = Ask(0, 1, "limit", limit=98)
    assert both([QUIET, (97, 99, 96, 99)], [ask]) == [(1, 1, 97)]
    assert both([QUIET, (99, 99, 98, 99)], [ask]) == [(1, 1, 98)]
    assert both([QUIET, (99, 99, 98, 99)], [ask], trade_through=True) == []
    assert both([QUIET, (98, 99, 98, 99)], [ask], trade_through=True) == []
    assert both([QUIET, (98, 99, 97, 99)], [ask], trade_through=True) == [(1, 1, 98)]
    assert both([QUIET, QUIET, None, (99, 99, 97, 99)], [ask]) == [(3, 1, 98)]


def test_o2_stops_and_stop_limits() -> None:
    """Buy stop 102: at 102 when touched, at an open of 103. A stop-limit fills at its stop, its limit or the open."""
    ask = Ask(0, 1, "stop", stop=102)
    assert both([QUIET, (101, 102, 100, 101)], [ask]) == [(1, 1, 102)]
    assert both([QUIET, (103, 104, 100, 101)], [ask]) == [(1, 1, 103)]
    assert both([QUIET, (101, 101, 100, 101)], [ask]) == []
    below = Ask(0, 1, "stop_limit", stop=102, limit=101)
    assert both([QUIET, (100, 102, 100, 101)], [below]) == [(1, 1, 101)]  # c comes back to the limit
    assert both([QUIET, (100, 102, 100, 102), (102, 102, 100, 102)], [below]) == [(2, 1, 101)]  # then it rests as a limit
    assert both([QUIET, (103, 103, 101, 103)], [below]) == [(1, 1, 101)]  # triggered at the open: O1 in that bar
    above = Ask(0, 1, "stop_limit", stop=102, limit=103)
    assert both([QUIET, (100, 105, 100, 105)], [above]) == [(1, 1, 102)]
    assert both([QUIET, (103, 105, 100, 105)], [above]) == [(1, 1, 103)]
    assert both([QUIET, (104, 105, 104, 105), (104, 104, 102, 104)], [above]) == [(2, 1, 103)]


def test_f1_f2_limits_do_not_slip_and_pay_the_maker_rate() -> None:
    """A stop slips by the half spread and pays 1/64; a limit neither slips nor pays."""
    costs = Costs(rate=F(1, 64), maker_rate=F(0), half_spread=1)
    log = run([QUIET, (100, 104, 98, 100)], {0: [Ask(0, 1, "limit", limit=98), Ask(0, 1, "stop", stop=103)]}, costs=costs)
    assert [(f.q, f.price, f.commission) for f in log.fills] == [(1, 98, 0), (1, 104, F(104, 64))]


def test_f5_limit_prices_go_away_from_the_market_and_stops_toward_it() -> None:
    """On a grid of 4: a buy limit of 98 is 96, a buy stop of 103 is 100; sales 104 for 102 and 100 for 97."""
    assert fills(run([QUIET, (100, 100, 96, 100)], {0: [Ask(0, 1, "limit", limit=98)]}, tick=[4])) == [(1, 1, 96)]
    assert fills(run([QUIET, (98, 101, 96, 100)], {0: [Ask(0, 1, "stop", stop=103)]}, tick=[4])) == [(1, 1, 100)]
    assert fills(run([QUIET, (100, 104, 96, 100)], {0: [Ask(0, -1, "limit", limit=102)]}, tick=[4])) == [(1, -1, 104)]
    assert fills(run([QUIET, (102, 104, 96, 100)], {0: [Ask(0, -1, "stop", stop=97)]}, tick=[4])) == [(1, -1, 100)]


def test_o3_times_in_force() -> None:
    """Two bars a session. DAY ends with the session of its first valid bar, GTD before its bar, IOC and FOK at their first open."""
    prices: Prices = [QUIET, QUIET, None, QUIET, QUIET, (100, 100, 90, 100)]
    given: dict[str, Any] = {"session": [0, 0, 1, 1, 2, 2]}
    day = Ask(0, 1, "limit", limit=95, tif="day")
    assert ends(run(prices, {0: [day]}, **given)) == [("cancelled", "expired", 2)]
    assert ends(run(prices, {1: [day]}, **given)) == [("cancelled", "expired", 4)]
    assert fills(run(prices, {4: [day]}, **given)) == [(5, 1, 95)]
    gtd = Ask(0, 1, "limit", limit=95, tif="gtd", until=5)
    assert ends(run(prices, {0: [gtd]}, **given)) == [("cancelled", "expired", 5)]
    assert fills(run(prices, {0: [replace(gtd, until=6)]}, **given)) == [(5, 1, 95)]
    for tif in ("ioc", "fok"):
        assert ends(run(prices, {1: [Ask(0, 1, "limit", limit=95, tif=tif)]}, **given)) == [("cancelled", "expired", 3)]
        assert fills(run(prices, {1: [Ask(0, 1, "limit", limit=100, tif=tif)]}, **given)) == [(3, 1, 100)]
        assert fills(run(prices, {1: [Ask(0, 1, tif=tif)]}, **given)) == [(3, 1, 100)]


def test_o3_f4_ioc_is_cut_and_fok_is_not() -> None:
    """1000 buys 10 at 100."""
    assert ends(run([QUIET, QUIET], {0: [Ask(0, 12, tif="ioc")]})) == [("partial", "cash", 1)]
    assert ends(run([QUIET, QUIET], {0: [Ask(0, 12, tif="fok")]})) == [("rejected", "cash", 1)]


def test_o3_f10_a_fok_that_would_be_cut_leaves_its_group() -> None:
    """A FOK of 6 and a GTC of 8 at 100 want 1400 of 1000: the FOK leaves, the other fills whole."""
    log = run([flat(100, 2), flat(100, 2)], {0: [Ask(0, 6, tif="fok"), Ask(1, 8)]})
    assert [(o.status, o.filled) for o in log.orders] == [("rejected", 0), ("filled", 8)]


def test_o3_f7_ioc_takes_what_volume_allows_and_fok_all_or_nothing() -> None:
    """An eighth of 16 is 2 a bar."""
    prices: Prices = [(100, 100, 100, 100, 16)] * 4
    given: dict[str, Any] = {"participation": F(1, 8)}
    assert fills(run(prices, {0: [Ask(0, 5)]}, **given)) == [(1, 2, 100), (2, 2, 100), (3, 1, 100)]
    assert ends(run(prices, {0: [Ask(0, 5)]}, **given)) == [("filled", "", 3)]
    assert ends(run(prices, {0: [Ask(0, 5, tif="ioc")]}, **given)) == [("partial", "volume", 1)]
    assert ends(run(prices, {0: [Ask(0, 5, tif="fok")]}, **given)) == [("rejected", "volume", 1)]
    assert ends(run(prices, {0: [Ask(0, 5)]}, participation_rest="drop", **given)) == [("partial", "volume", 1)]
    assert ends(run(prices, {0: [Ask(0, 5, tif="day")]}, **given)) == [("partial", "expired", 2)]


def test_o3_f7_the_rest_of_a_stop_is_a_market_order_and_a_limit_rests_on() -> None:
    """2 units a bar of 4: the stop's rest at the next open of 95, the limit's rest when 98 comes again."""
    prices: Prices = [(100, 100, 100, 100, 16), (100, 103, 98, 100, 16), (95, 96, 95, 96, 16), (100, 100, 98, 99, 16)]
    given: dict[str, Any] = {"participation": F(1, 8)}
    assert fills(run(prices, {0: [Ask(0, 4, "stop", stop=102)]}, **given)) == [(1, 2, 102), (2, 2, 95)]
    prices[2] = (99, 100, 99, 100, 16)
    assert fills(run(prices, {0: [Ask(0, 4, "limit", limit=98)]}, **given)) == [(1, 2, 98), (3, 2, 98)]


def test_o4_market_orders_meet_the_open_or_the_close_and_resting_ones_the_next_bar() -> None:
    """With fill="close" the market order of bar 0 fills at c[0] = 90; a limit given there waits for bar 1 all the same."""
    prices: Prices = [(100, 100, 80, 90), (95, 100, 85, 100)]
    assert fills(run(prices, {0: [Ask(0, 1), Ask(0, 1, "limit", limit=92)]}, fill="close")) == [(0, 1, 90), (1, 1, 92)]
    assert fills(run([*prices[:1], None, *prices[1:]], {1: [Ask(0, 1)]}, fill="close")) == [(2, 1, 95)]


def test_o5_a_trail_follows_earlier_highs() -> None:
    """Sell 1 of what is held: w = c[1] = 104, level 104*(7/8) = 91; the high of 112 moves it to 98 for bar 3, where 98 is touched."""
    prices: Prices = [QUIET, (100, 106, 100, 104), (104, 112, 92, 108), (108, 120, 98, 100)]
    asks = {0: [Ask(0, 1)], 1: [Ask(0, -1, "trailing", trail=F(1, 8))]}
    assert fills(run(prices, asks)) == [(1, 1, 100), (3, -1, 98)]
    asks[1] = [Ask(0, -1, "trailing", trail_by=14)]
    assert fills(run(prices, asks)) == [(1, 1, 100), (3, -1, 98)]
    assert both([QUIET, (100, 101, 94, 96), (96, 102, 96, 96)], [Ask(0, 1, "trailing", trail_by=8)]) == [(2, 1, 102)]


def test_o6_reduce_only_direction_and_flips() -> None:
    """Against +4: reduce_only closes 4 of 10; a flip is one fill; a forbidden short only closes."""
    prices: Prices = flat(100, 3)
    log = run(prices, {0: [Ask(0, 4)], 1: [Ask(0, -10, reduce_only=True)]})
    assert fills(log)[1:] == [(2, -4, 100)] and ends(log)[1] == ("partial", "reduce_only", 2)
    assert ends(run(prices, {0: [Ask(0, -10, reduce_only=True)]})) == [("rejected", "reduce_only", 1)]
    log = run(prices, {0: [Ask(0, 4)], 1: [Ask(0, -10)]})
    assert fills(log)[1:] == [(2, -10, 100)] and log.positions[-1] == [-6]
    log = run(prices, {0: [Ask(0, 4)], 1: [Ask(0, -10)]}, direction="long")
    assert fills(log)[1:] == [(2, -4, 100)] and ends(log)[1] == ("partial", "direction", 2)
    assert ends(run(prices, {0: [Ask(0, -10)]}, direction="long")) == [("rejected", "direction", 1)]


def test_o6_cancels_go_before_the_orders_of_their_row() -> None:
    """Tag 7 ends at bar 1, its successor of the same row lives; without a tag all end."""
    prices: Prices = [QUIET, QUIET, (100, 100, 90, 100)]
    ask = Ask(0, 1, "limit", limit=95, tag=7)
    log = run(prices, {0: [ask, replace(ask, tag=8)], 1: [replace(ask, limit=92), Cancel(0, 7)]})
    assert ends(log) == [("cancelled", "cancel", 1), ("filled", "", 2), ("filled", "", 2)]
    assert ends(run(prices, {0: [ask, replace(ask, tag=8)], 1: [Cancel(0)]})) == [("cancelled", "cancel", 1)] * 2


def test_o6_z2_zones_cut_new_risk_at_the_decision() -> None:
    """CAUTION halves what would open: -10 against +4 is 4 and half of 6. On a NaN bar rows count."""
    zones = Zones((F(1, 32), F(1, 2), F(3, 4)), (1, F(1, 2), F(1, 4), 0))
    prices: Prices = [QUIET, (100, 100, 90, 90), None, (90, 90, 90, 90)]
    log = run(prices, {0: [Ask(0, 4)], 2: [Ask(0, -10)]}, zones=zones)
    assert fills(log)[1:] == [(3, -7, 90)] and ends(log)[1] == ("partial", "zone", 3)


def test_t5_cash_of_an_exit_buys_nothing_inside_the_bar() -> None:
    """All 1000 in A; A's limit sale frees nothing for B's limit purchase of the same bar."""
    asks = {0: [Ask(0, 10)], 1: [Ask(0, -10, "limit", limit=104), Ask(1, 5, "limit", limit=98)]}
    log = run([[QUIET, QUIET, (100, 104, 96, 100)], [QUIET, QUIET, (100, 104, 96, 100)]], asks)
    assert [(o.status, o.filled) for o in log.orders] == [("filled", 10), ("filled", -10), ("rejected", 0)]


def test_t5_exits_then_reductions_then_new_risk() -> None:
    """Stop at 95 and a limit sale at 104 both trigger: the stop closes, so what the limit sells opens a short at 104."""
    prices: Prices = [QUIET, QUIET, (100, 104, 95, 100)]
    stops = Stops(hard=Distance("price", 95))
    log = run(prices, {0: [Ask(0, 4)], 1: [Ask(0, -4, "limit", limit=104)]}, stops=stops)
    assert [(f.q, f.price, f.reason) for f in log.fills[1:3]] == [(-4, 95, "stop"), (-4, 104, "signal")]


def test_t5_priorities_share_the_room_after_t4() -> None:
    """1000: first 6 of A at 100 by priority, the 4 that are left of B's 6 at 100."""
    asks = {0: [Ask(1, 6, "limit", limit=100), Ask(0, 6, "limit", limit=100, priority=2)]}
    log = run([flat(100, 2), flat(100, 2)], asks)
    assert sorted((f.asset, f.q) for f in log.fills) == [(0, 6), (1, 4)]


@pytest.mark.parametrize(
    ("ask", "bar", "intrabar", "exit_price"),
    [
        # a limit at 98: the low of 94 is after it, the high of 104 perhaps before: only the close counts for the target
        (Ask(0, 1, "limit", limit=98, bracket=Bracket(stop=95)), (100, 104, 94, 100), "pessimistic", 95),
        (Ask(0, 1, "limit", limit=98, bracket=Bracket(target=103)), (100, 104, 94, 100), "pessimistic", None),
        (Ask(0, 1, "limit", limit=98, bracket=Bracket(target=103)), (100, 104, 94, 103), "pessimistic", 103),
        (Ask(0, 1, "limit", limit=98, bracket=Bracket(target=103)), (100, 104, 94, 100), "optimistic", 103),
        # a stop at 102: the high of 106 is after it, the low of 97 counts in full against it, unless optimistic: as far as c = 101
        (Ask(0, 1, "stop", stop=102, bracket=Bracket(target=105)), (100, 106, 99, 103), "pessimistic", 105),
        (Ask(0, 1, "stop", stop=102, bracket=Bracket(stop=98)), (100, 106, 97, 101), "pessimistic", 98),
        (Ask(0, 1, "stop", stop=102, bracket=Bracket(stop=98)), (100, 106, 97, 101), "optimistic", None),
        (Ask(0, 1, "stop", stop=102, bracket=Bracket(stop=101)), (100, 106, 97, 101), "optimistic", 101),
        # a stop-limit back at its limit of 101: surely neither; pessimistic the low in full, the high as far as c
        (Ask(0, 1, "stop_limit", stop=102, limit=101, bracket=Bracket(stop=98)), (100, 106, 97, 100), "pessimistic", 98),
        (Ask(0, 1, "stop_limit", stop=102, limit=101, bracket=Bracket(target=104)), (100, 106, 97, 100), "pessimistic", None),
        (Ask(0, 1, "stop_limit", stop=102, limit=101, bracket=Bracket(stop=98)), (100, 106, 97, 100), "optimistic", None),
        (Ask(0, 1, "stop_limit", stop=102, limit=101, bracket=Bracket(target=104)), (100, 106, 97, 100), "optimistic", 104),
        # at the open everything counts
        (Ask(0, 1, "limit", limit=100, bracket=Bracket(target=103)), (100, 104, 98, 99), "pessimistic", 103),
        (Ask(0, 1, "stop", stop=100, bracket=Bracket(stop=99)), (100, 104, 98, 103), "optimistic", 99),
        # P8: the open is the entry price then; a stop above it is a gap there
        (Ask(0, 1, "limit", limit=98, bracket=Bracket(stop=99)), (100, 104, 97, 100), "pessimistic", 98),
    ],
)
def test_p8_what_counts_after_an_entry_inside_the_bar(ask: Ask, bar: tuple[int, ...], intrabar: str, exit_price: int | None) -> None:
    found = both([QUIET, bar], [ask], intrabar=intrabar)
    assert [p for _, _, p in found[1:]] == ([] if exit_price is None else [exit_price])


def test_p8_the_watermark_follows_what_counts() -> None:
    """Entry at the limit 96: the high of 104 may be older, w = c = 100 and the trail of an eighth is 87.5, met in bar 2; optimistic: 91."""
    ask = Ask(0, 1, "limit", limit=96, bracket=Bracket(trail=Distance("pct", F(1, 8))))
    prices: Prices = [QUIET, (98, 104, 96, 100), (98, 98, 87, 88)]
    assert fills(run(prices, {0: [ask]}))[1:] == [(2, -1, F(175, 2))]
    assert fills(run(prices, {0: [ask]}, intrabar="optimistic"))[1:] == [(2, -1, 91)]


def test_m7_mae_and_mfe_follow_what_counts() -> None:
    """Limit 96 in (98, 104, 92, 100): the low in full, the high as far as c = 100; sold at the next open of 99."""
    log = run([QUIET, (98, 104, 92, 100), (99, 99, 99, 99)], {0: [Ask(0, 1, "limit", limit=96)], 1: [Ask(0, -1)]})
    assert (log.trades[0].mae, log.trades[0].mfe) == (F(4, 96), F(4, 96))


def test_o3_brackets_take_the_place_of_stops_and_are_the_first_stop() -> None:
    """The hard stop of 1/8 would be 87.5; the bracket's 95 acts, and 2 units risk 10."""
    given: dict[str, Any] = {"stops": Stops(hard=Distance("pct", F(1, 8)))}
    prices: Prices = [QUIET, QUIET, (100, 100, 94, 100)]
    log = run(prices, {0: [Ask(0, 2, bracket=Bracket(stop=95, target=110))]}, **given)
    assert fills(log)[1:] == [(2, -2, 95)]
    assert (log.trades[0].initial_risk, log.trades[0].reason) == (10, "stop")


def test_t1_a_split_moves_what_waits() -> None:
    """2 for 1 at bar 1: buy 3 at 90 becomes 6 at 45, with its stop at 40."""
    prices: Prices = [QUIET, (50, 50, 44, 46), (45, 45, 40, 41)]
    log = run(prices, {0: [Ask(0, 3, "limit", limit=90, bracket=Bracket(stop=80))]}, splits={(1, 0): 2})
    assert fills(log) == [(1, 6, 45), (2, -6, 40)]
    assert [o.wanted for o in log.orders] == [6, -6]


def test_t10_orders_of_a_delisted_asset() -> None:
    """What waits is cancelled at the end of bar 1; what is ordered from then on is rejected."""
    ask = Ask(0, 1, "limit", limit=50)
    log = run(flat(100, 4), {0: [ask], 1: [ask], 2: [ask]}, delisted={0: (1, 0)})
    assert ends(log) == [("cancelled", "delisted", 1), ("rejected", "delisted", 1), ("rejected", "delisted", 2)]
