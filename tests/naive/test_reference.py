"""The reference engine itself against scenarios worked by hand: each names its rule and shows the sums."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction as F
from typing import Any

import pytest

from tests.naive.build import BUY, NOTHING, SELL, SHORT, bars, column, flat, scenario
from tests.naive.engine import simulate
from tests.naive.scenario import Costs, Distance, Limits, Log, Risk, Size, Stops, Zones


def fills(log: Log) -> list[tuple[Any, ...]]:
    """Bar, asset, signed quantity, price and reason of each fill."""
    return [(f.t, f.asset, f.q, f.price, f.reason) for f in log.fills]


def test_t4_orders_meet_the_next_open_and_f2_f3_f9_m4_book_them() -> None:
    """Buy 10 at 21 and sell at 24, 1 % commission on each: 10*3 - 2.1 - 2.4 = 25.5."""
    table = bars([(20, 20, 20, 20), (21, 23, 20, 22), (24, 25, 24, 25)])
    log = simulate(scenario(table, "signals", column(BUY, SELL, NOTHING), costs=Costs(rate=F(1, 100))))
    assert fills(log) == [(1, 0, 10, 21, "signal"), (2, 0, -10, 24, "signal")]
    assert log.cash == [[1000], [1000 - 210 - F(21, 10)], [1000 + F(255, 10)]]
    assert log.equity[1] == [1000 - F(21, 10) + 10]
    (trade,) = log.trades
    assert (trade.gross, trade.commission, trade.pnl) == (30, F(45, 10), F(255, 10))
    assert (trade.entry_t, trade.exit_t, trade.entry_price, trade.exit_price) == (1, 2, 21, 24)
    # M7: bar 1 in full (20 to 23), the last bar only its open, which is the exit
    assert (trade.mae, trade.mfe) == (F(1, 21), F(3, 21))


def test_f1_bps_half_spread_and_volume_share_add_up() -> None:
    """Sigma of bar 0 is |22/20 - 1| = 0.1; 10 units of 1000: 2*0.1*sqrt(1/100) = 0.02; 100 bps; half spread 0.25."""
    table = bars([(20, 22, 20, 22), (25, 25, 25, 25)])
    costs = Costs(slippage_bps=100, half_spread=F(1, 4), volume_share=2)
    log = simulate(scenario(table, "signals", column(BUY, NOTHING), costs=costs))
    assert log.fills[0].price == 25 + 25 * (F(1, 100) + F(2, 100)) + F(1, 4)


def test_f4_cuts_to_what_cash_buys_after_commission_and_f5_rounds_to_lots() -> None:
    """1000 at 30 with 1 % commission: 1000/30.3 = 33.003; lots of 2: 32. A short must leave gross <= equity too."""
    table = bars(flat(30, 2), lot=[2])
    log = simulate(scenario(table, "signals", column(BUY, NOTHING), costs=Costs(rate=F(1, 100)), size=Size("units", 40)))
    (order,) = log.orders
    assert (order.wanted, order.filled, order.status, order.cut_by) == (40, 32, "partial", {"cash"})
    log = simulate(scenario(bars(flat(30, 2)), "signals", column(SHORT, NOTHING), size=Size("units", 40)))
    assert log.fills[0].q == -F(1000, 30)


def test_f6_a_flip_is_one_fill_and_two_trades() -> None:
    """Long 10, then short 10 in one order of 20 with one commission of 4 (per order), half for each trade."""
    table = bars(flat(20, 3))
    log = simulate(scenario(table, "signals", column(BUY, SHORT, NOTHING), costs=Costs(per_order=4)))
    assert fills(log) == [(1, 0, 10, 20, "signal"), (2, 0, -20, 20, "signal")]
    assert [f.commission for f in log.fills] == [4, 4]
    assert (log.trades[0].commission, log.positions[-1]) == (4 + 2, [-10])


def test_f8_a_bar_without_market_lets_orders_wait() -> None:
    """Decided at 0, no market at 1, filled at the open of 2; marked at the last close meanwhile."""
    table = bars([(20, 20, 20, 20), None, (22, 22, 22, 22)])
    for fill, first in (("next_open", (2, 0, 10, 22, "signal")), ("close", (0, 0, 10, 20, "signal"))):
        log = simulate(scenario(table, "signals", column(BUY, BUY, NOTHING), fill=fill))
        assert fills(log) == [first]


def test_f10_equal_priorities_share_one_factor_and_higher_ones_go_first() -> None:
    """Room 1000; two orders of 40 units at 20 want 1600: factor 5/8, 25 units each. With strengths 1 and 1/2 the first gets all its 40."""
    table = bars(flat(20, 2), flat(20, 2))
    both: list[list[object]] = [[BUY, BUY], [NOTHING, NOTHING]]
    log = simulate(scenario(table, "signals", both, size=Size("units", 40)))
    assert [f.q for f in log.fills] == [25, 25]
    log = simulate(scenario(table, "strengths", [[F(1, 2), F(1)], [None, None]], size=Size("units", 40)))
    assert sorted((f.asset, f.q) for f in log.fills) == [(0, 10), (1, 40)]


def test_f11_pairs_are_nothing() -> None:
    """Entry and exit of one side cancel first; then a long and a short entry that are both left cancel too."""
    table = bars(flat(20, 2))
    nothing = [(1, 1, 0, 0), (1, 0, 1, 0), (1, 1, 1, 1), (0, 0, 1, 1)]
    assert all(not simulate(scenario(table, "signals", column(row, NOTHING))).orders for row in nothing)
    log = simulate(scenario(table, "signals", column((1, 1, 1, 0), NOTHING)))
    assert log.fills[0].q == -10


def test_s3_cash_takes_its_fraction_of_the_room_with_costs() -> None:
    """Half of 1000 at 20 with 1 % commission: 500/20.2."""
    table = bars(flat(20, 2))
    log = simulate(scenario(table, "signals", column(BUY, NOTHING), costs=Costs(rate=F(1, 100)), size=Size("cash", F(1, 2))))
    assert log.fills[0].q == F(5000, 202)


def test_s3_fixed_fractional_uses_the_first_stop() -> None:
    """Risk 1 % of 1000 = 10 over a distance of 20/10 = 2: 5 units; at most a quarter of equity: 12.5 units. No stop is refused."""
    table = bars(flat(20, 2))
    hard = Stops(hard=Distance("pct", F(1, 10)))
    given = {"size": Size("fixed", F(1, 100)), "stops": hard}
    assert simulate(scenario(table, "signals", column(BUY, NOTHING), **given)).fills[0].q == 5
    given["stops"] = Stops(hard=Distance("pct", F(1, 100)))
    assert simulate(scenario(table, "signals", column(BUY, NOTHING), **given)).fills[0].q == F(125, 10)
    given["stops"] = Stops(take_profit=Distance("pct", F(1, 100)))
    (order,) = simulate(scenario(table, "signals", column(BUY, NOTHING), **given)).orders
    assert (order.status, order.cut_by, order.t_done) == ("rejected", {"stop"}, 0)


def test_w2_net_leaves_room_for_its_own_costs_and_gross_does_not() -> None:
    """All in at 1 %: E = 1000 - E/100, so E = 1000/1.01; gross takes 50 units and leaves cash at -10."""
    table = bars(flat(20, 2))
    log = simulate(scenario(table, "weights", column(F(1), None), costs=Costs(rate=F(1, 100))))
    assert abs(log.fills[0].q - F(1000, 20) / F(101, 100)) < F(1, 10**9)
    log = simulate(scenario(table, "weights", column(F(1), None), costs=Costs(rate=F(1, 100)), weights_of="gross"))
    assert (log.fills[0].q, log.cash[-1]) == (50, [-10])


def test_w3_the_band_leaves_small_moves_alone_but_zero_closes() -> None:
    """Half at 20; at 22 the weight is 11/21 = 0.524: within 1/16 of 1/2. Then 0 closes."""
    table = bars([(20, 20, 20, 20), (20, 22, 20, 22), (22, 22, 22, 22), (22, 22, 22, 22)])
    log = simulate(scenario(table, "weights", column(F(1, 2), F(1, 2), 0, None), band=F(1, 16)))
    assert [(f.t, f.q) for f in log.fills] == [(1, 25), (3, -25)]


def test_p1_p3_p8_the_stop_is_met_in_the_entry_bar_and_gaps_fill_at_the_open() -> None:
    """Entry 20, hard 1/10: 18. The entry bar's low of 17 takes it at 18; a gap to 15 fills at 15."""
    stops = Stops(hard=Distance("pct", F(1, 10)))
    table = bars([(20, 20, 20, 20), (20, 21, 17, 19), (19, 19, 19, 19)])
    log = simulate(scenario(table, "signals", column(BUY, NOTHING, NOTHING), stops=stops))
    assert fills(log)[1] == (1, 0, -10, 18, "stop")
    assert (log.trades[0].initial_risk, log.trades[0].mae, log.trades[0].mfe) == (20, F(1, 10), 0)
    table = bars([(20, 20, 20, 20), (20, 21, 19, 19), (15, 19, 15, 19)])
    log = simulate(scenario(table, "signals", column(BUY, NOTHING, NOTHING), stops=stops))
    assert fills(log)[1] == (2, 0, -10, 15, "stop")


def test_p2_the_trail_follows_earlier_highs_only() -> None:
    """Trail 1/8 of w. Bar 1: w = 16, level 14; its high 24 counts from bar 2 on: level 21, met by the low of 20."""
    stops = Stops(trailing=Distance("pct", F(1, 8)))
    table = bars([(16, 16, 16, 16), (16, 24, 15, 23), (23, 23, 20, 22)])
    log = simulate(scenario(table, "signals", column(BUY, NOTHING, NOTHING), stops=stops))
    assert fills(log)[1] == (2, 0, -10, 21, "trail")


def test_p2_activation_arms_once_the_watermark_has_touched_it() -> None:
    """Armed at 16*(1 + 1/4) = 20, touched by bar 1's high; bar 2 tests 20*(7/8) = 17.5."""
    stops = Stops(trailing=Distance("pct", F(1, 8)), activation=F(1, 4))
    table = bars([(16, 16, 16, 16), (16, 20, 12, 19), (19, 19, 17, 18)])
    log = simulate(scenario(table, "signals", column(BUY, NOTHING, NOTHING), stops=stops))
    assert fills(log)[1] == (2, 0, -10, F(35, 2), "trail")


@pytest.mark.parametrize(("intrabar", "reason", "price"), [("pessimistic", "stop", 18), ("optimistic", "target", 22)])
def test_p5_both_inside_one_bar(intrabar: str, reason: str, price: int) -> None:
    """Stop 18, target 22, bar 17 to 23; an open past the target always takes it."""
    stops = Stops(hard=Distance("pct", F(1, 10)), take_profit=Distance("pct", F(1, 10)))
    table = bars([(20, 20, 20, 20), (20, 23, 17, 19)])
    log = simulate(scenario(table, "signals", column(BUY, NOTHING), stops=stops, intrabar=intrabar))
    assert fills(log)[1] == (1, 0, -10, price, reason)
    table = bars([(20, 20, 20, 20), (20, 20, 20, 20), (23, 23, 17, 19)])
    log = simulate(scenario(table, "signals", column(BUY, NOTHING, NOTHING), stops=stops, intrabar=intrabar))
    assert fills(log)[1] == (2, 0, -10, 23, "target")


def test_p6_time_stop_beats_an_entry_of_its_bar() -> None:
    """Entered at bar 1, two bars later (3) the exit is decided, and leaves at the open of 4; the short entry of bar 3 is void."""
    table = bars(flat(20, 5))
    rows = column(BUY, NOTHING, NOTHING, SHORT, NOTHING)
    log = simulate(scenario(table, "signals", rows, stops=Stops(time_bars=2)))
    assert fills(log)[1:] == [(4, 0, -10, 20, "time")]


def test_p9_a_bar_that_closed_by_p_ignores_its_signal_at_the_close() -> None:
    """Bar 1's low takes the stop; its buy is void at the close, but stands for the next open."""
    stops = Stops(hard=Distance("pct", F(1, 10)))
    table = bars([(20, 20, 20, 20), (20, 20, 17, 20), (20, 20, 20, 20)])
    rows = column(BUY, BUY, NOTHING)
    assert len(simulate(scenario(table, "signals", rows, stops=stops, fill="close")).fills) == 2
    table = bars([(20, 20, 20, 20), (20, 20, 17, 20), (20, 20, 20, 20)])
    assert len(simulate(scenario(table, "signals", rows, stops=stops, fill="next_open")).fills) == 3


def test_f5_levels_are_rounded_toward_the_market_side_named() -> None:
    """Entry 20, hard 1/16: 18.75; tick 1/2 rounds a long's stop up to 19, a short's (21.25) down to 21."""
    stops = Stops(hard=Distance("pct", F(1, 16)))
    table = bars([(20, 20, 20, 20), (20, 22, 18, 20)], tick=[F(1, 2)])
    assert simulate(scenario(table, "signals", column(BUY, NOTHING), stops=stops)).fills[1].price == 19
    assert simulate(scenario(table, "signals", column(SHORT, NOTHING), stops=stops)).fills[1].price == 21


def test_p1_atr_is_wilders_of_the_last_bar_before_the_fill_and_s5_refuses_without() -> None:
    """Ranges 2, 4: ATR 3 after bar 1. The buy of bar 0 is refused; that of bar 1 fills at 20 with its stop at 20 - 2*3 = 14."""
    stops = Stops(hard=Distance("atr", 2), atr_window=2)
    table = bars([(20, 21, 19, 20), (20, 22, 18, 20), (20, 20, 13, 20)])
    log = simulate(scenario(table, "signals", column(BUY, BUY, NOTHING), stops=stops))
    assert (log.orders[0].status, log.orders[0].cut_by) == ("rejected", {"stop"})
    assert fills(log) == [(2, 0, 10, 20, "signal"), (2, 0, -10, 14, "stop")]


def test_z2_zones_scale_new_risk_and_z3_emergency_is_latched_until_the_cooldown() -> None:
    """50 units all in; 20 to 19 is a drawdown of exactly 5 % (CAUTION, touched), to 17 of 15 %: EMERGENCY until two bars later."""
    prices = [20, 20, 19, 17, 20, 20]
    table = bars([(p, p, p, p) for p in prices])
    zones = Zones((F(1, 20), F(1, 10), F(3, 20)), (1, F(1, 2), F(1, 4), 0), cooldown_bars=2)
    rows = column(BUY, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING)
    log = simulate(scenario(table, "signals", rows, zones=zones, size=Size("units", 50)))
    assert [z for (z,) in log.zone] == [0, 0, 1, 3, 3, 0]


def test_z2_a_tie_is_fragile_after_an_order_that_was_cut_by_a_share_which_floats_do_not_hold() -> None:
    """287 3/16 of the 960 that 30 units cost: 8 499/512 units that floats hold, made of a share that they do not; then exactly 1/8 down."""
    table = bars([(p, p, p, p) for p in (32, 32, 28)])
    zones = Zones((F(1, 8), F(1, 4), F(1, 2)), (1, F(1, 2), F(1, 4), 0))
    given = scenario(table, "signals", column(BUY, NOTHING, NOTHING), zones=zones, size=Size("units", 30), capital=F(4595, 16))
    log = simulate(given)
    assert (log.fills[0].q, log.zone[2], log.fragile) == (F(4595, 512), [1], ["zone"])
    half = replace(given, bars=bars([(p, p, p, p) for p in (32, 32, 24)]), capital=F(4595, 8), risk=Risk(limits=Limits(gross=F(1, 2))))
    log = simulate(half)  # the same share, of what half the equity may hold
    assert (log.fills[0].q, log.zone[2], log.fragile) == (F(4595, 512), [1], ["zone"])
    whole = simulate(replace(given, size=Size("units", 8), capital=256))
    assert (whole.fills[0].q, whole.zone[2], whole.fragile) == (8, [1], [])


def test_z3_liquidate_at_closes_everything_and_halts() -> None:
    """15 % reached at bar 2: exit at the open of 3, reason risk; the entry of bar 3 is refused (zone)."""
    table = bars([(p, p, p, p) for p in (20, 20, 16, 16, 16)])
    zones = Zones((F(1, 20), F(1, 10), F(1, 4)), (1, F(1, 2), F(1, 4), 0), liquidate_at=F(3, 20))
    log = simulate(scenario(table, "signals", column(BUY, NOTHING, NOTHING, BUY, NOTHING), zones=zones, size=Size("units", 50)))
    assert fills(log)[1] == (3, 0, -50, 16, "risk")
    assert (log.orders[-1].status, log.orders[-1].cut_by) == ("rejected", {"zone"})


def test_t10_a_delisting_closes_at_the_haircut_and_t8_end_closes_with_costs() -> None:
    """Delisted at bar 2: 20*(1 - 1/4) without costs, later entries are void. The end: 20 less the commission of 1."""
    table = bars(flat(20, 4), delisted={0: (2, F(1, 4))})
    log = simulate(scenario(table, "signals", column(BUY, NOTHING, BUY, BUY), costs=Costs(per_order=1)))
    assert fills(log) == [(1, 0, 10, 20, "signal"), (2, 0, -10, 15, "delisting")]
    assert log.fills[1].commission == 0
    log = simulate(scenario(bars(flat(20, 2)), "signals", column(BUY, NOTHING), costs=Costs(per_order=1), liquidate_at_end=True))
    assert (fills(log)[1], log.fills[1].commission) == ((1, 0, -10, 20, "end"), 1)


def test_t7_fill_close_is_recorded_net_and_f14_starting_positions_count() -> None:
    """Capital 1000 and 10 units at 20 make 1200; selling them at the close of bar 0 for 19 costs 1."""
    table = bars(flat(19, 2))
    given = {"positions": {0: (10, 20)}, "fill": "close", "costs": Costs(per_order=1)}
    log = simulate(scenario(table, "signals", column(SELL, NOTHING), **given))
    assert (log.initial, log.equity) == ([1200], [[1189], [1189]])
    assert (log.trades[0].entry_t, log.trades[0].mae) == (-1, F(1, 20))


def test_accounts_separate() -> None:
    """F14: one account each, each with the whole capital."""
    table = bars(flat(20, 2), flat(20, 2))
    log = simulate(replace(scenario(table, "signals", [[BUY, BUY], [NOTHING, NOTHING]]), size=Size("units", 50), separate=True))
    assert log.cash[-1] == [0, 0]
