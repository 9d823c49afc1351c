"""The reference engine against sums by hand: T1, T2, T3, T9, F15 and M1, M4 with what they add."""

from __future__ import annotations

from fractions import Fraction as F

from tests.naive.build import BUY, NOTHING, SELL, SHORT, bars, column, flat, scenario
from tests.naive.engine import simulate
from tests.naive.scenario import Costs, Distance, Risk, Size, Stops, Zones
from tests.naive.test_reference import fills


def test_t1_a_split_multiplies_what_is_held_and_moves_no_money() -> None:
    """10 at 20 become 20 at 10; sold at 12 each: 240 - 200 = 40."""
    table = bars([(20, 20, 20, 20), (20, 24, 20, 20), (10, 11, 10, 11), (12, 12, 12, 12)], splits={(2, 0): 2})
    log = simulate(scenario(table, "signals", column(BUY, NOTHING, SELL, NOTHING)))
    assert log.positions[1:3] == [[10], [20]]
    assert [e for (e,) in log.equity] == [1000, 1000, 1020, 1040]
    (trade,) = log.trades
    # M7: bar 1 reached 24, in new units 12; the entry is 10
    assert (trade.quantity, trade.entry_price, trade.exit_price, trade.pnl, trade.mfe) == (20, 10, 12, 40, F(1, 5))


def test_t1_levels_watermark_and_atr_are_divided_and_nothing_triggers() -> None:
    """Stop 18 and watermark 24 become 9 and 12; the trail of 1/8 stands at 10.5, met by the low of 10 of bar 3."""
    stops = Stops(hard=Distance("pct", F(1, 10)), trailing=Distance("pct", F(1, 8)))
    table = bars([(20, 20, 20, 20), (20, 24, 20, 22), (11, 11, 11, 11), (11, 11, 10, 10)], splits={(2, 0): 2})
    log = simulate(scenario(table, "signals", column(BUY, NOTHING, NOTHING, NOTHING), stops=stops))
    assert fills(log)[1:] == [(3, 0, -20, F(21, 2), "trail")]


def test_t1_orders_that_wait_are_multiplied() -> None:
    """A buy of 10 decided before a split of 2 fills 20; a partial reduction of 3 by 1/2 is 1.5: 1 with lot 1 (rounded again)."""
    table = bars(flat(20, 2), splits={(1, 0): 2})
    (order,) = simulate(scenario(table, "signals", column(BUY, NOTHING))).orders
    assert (order.wanted, order.filled) == (20, 20)
    table = bars(flat(20, 3), splits={(2, 0): F(1, 2)}, lot=[1])
    log = simulate(scenario(table, "quantities", column(10, 7, None)))
    assert [f.q for f in log.fills] == [10, -1]


def test_t1_the_fraction_of_a_unit_is_paid_at_the_open() -> None:
    """5 units, 3 for 2: 7.5, of which half a unit is paid at the open of 14; a reverse split of 1/10 pays all of it: reason split."""
    table = bars([(20, 20, 20, 20), (20, 20, 20, 20), (14, 14, 14, 14)], splits={(2, 0): F(3, 2)}, lot=[1])
    log = simulate(scenario(table, "signals", column(BUY, NOTHING, NOTHING), size=Size("units", 5), costs=Costs(per_order=1)))
    assert fills(log)[1] == (2, 0, -F(1, 2), 14, "split")
    assert (log.fills[1].commission, log.positions[-1], log.cash[-1]) == (0, [7], [1000 - 100 - 1 + 7])
    table = bars([(20, 20, 20, 20), (20, 20, 20, 20), (200, 200, 200, 200)], splits={(2, 0): F(1, 10)}, lot=[1])
    log = simulate(scenario(table, "signals", column(BUY, SELL, NOTHING), size=Size("units", 5)))
    assert [(x.reason, x.exit_t, x.quantity, x.pnl) for x in log.trades] == [("split", 2, F(1, 2), 0)]
    assert [o.status for o in log.orders if o.reason == "signal"] == ["filled", "cancelled"]


def test_t1_dividends_follow_the_split_and_wait_with_it_over_a_gap() -> None:
    """10 units; 1 a unit at a gap, then a split of 2 at the next gap: 20 units get 1/2 each, 10 in all, and the trade has it (M4)."""
    table = bars([(20, 20, 20, 20)] * 2 + [None, None, (10, 10, 10, 10), (10, 10, 10, 10)], dividends={(2, 0): 1}, splits={(3, 0): 2})
    log = simulate(scenario(table, "signals", column(BUY, NOTHING, NOTHING, NOTHING, SELL, NOTHING)))
    assert [e for (e,) in log.equity] == [1000, 1000, 1000, 1000, 1010, 1010]
    assert log.positions[3:5] == [[10], [20]]
    assert (log.trades[0].dividends, log.trades[0].pnl) == (10, 10)
    table = bars(flat(20, 3), dividends={(1, 0): 1, (2, 0): 1})  # none for what was not held over the last close; shorts pay
    log = simulate(scenario(table, "signals", column(SHORT, NOTHING, NOTHING)))
    assert log.equity[-1] == [990]


def test_t1_a_delisting_books_what_waits() -> None:
    """5 units; no market at 2, where a split of 3/2 and the delisting are dated: half a unit at m = 14, then 7 at 14 less 1/4."""
    table = bars([(21, 21, 21, 21)] * 2 + [None], splits={(2, 0): F(3, 2)}, lot=[1], delisted={0: (2, F(1, 4))})
    log = simulate(scenario(table, "signals", column(BUY, NOTHING, NOTHING), size=Size("units", 5)))
    assert fills(log)[1:] == [(2, 0, -F(1, 2), 14, "split"), (2, 0, -7, F(21, 2), "delisting")]


def test_t9_price_levels_and_atr_are_those_of_adjusted_prices() -> None:
    """A Price stop of 16 in strategy prices is 8 after a split of 2; the ATR of adjusted ranges (2) is 1 raw."""
    table = bars([(10, 10, 10, 10), (10, 10, 10, 10), (10, 10, 8, 9)], splits={(0, 0): 2})
    log = simulate(scenario(table, "signals", column(BUY, NOTHING, NOTHING), stops=Stops(hard=Distance("price", 16))))
    assert fills(log)[1] == (2, 0, -10, 8, "stop")
    table = bars([(20, 21, 19, 20), (10, 10, 8, 10)], splits={(1, 0): 2})
    log = simulate(scenario(table, "signals", column(BUY, NOTHING), stops=Stops(hard=Distance("atr", 2), atr_window=1)))
    assert fills(log) == [(1, 0, 20, 10, "signal"), (1, 0, -20, 8, "stop")]


def test_t9_sigma_knows_no_split() -> None:
    """Close 22 after an open of 20: 1/10; 11 after a split of 2: none. The root of the mean of 0.01 and 0 is 0.0707; 10 by it, at 11."""
    table = bars([(20, 20, 20, 22), (11, 11, 11, 11), (11, 11, 11, 11)], splits={(1, 0): 2})
    log = simulate(scenario(table, "signals", column(NOTHING, BUY, NOTHING), size=Size("volatility", F(1, 100), most=None)))
    assert abs(log.fills[0].q - 10 / (F("0.070710678118654752") * 11)) < F(1, 10**9)


def test_t2_borrow_interest_and_funding() -> None:
    """Session numbers 0, 3 (a weekend), 4. Short 10 at 20 at 36.5 % a year: 200*0.365*3/365 = 0.6, then 0.2."""
    table = bars(flat(20, 3), session=[0, 0, 3])
    log = simulate(scenario(table, "signals", column(SHORT, NOTHING, NOTHING), borrow={0: F(365, 1000)}))
    assert [e for (e,) in log.equity] == [1000, 1000, 1000 - F(6, 10)]
    assert log.carry == [F(6, 10)]
    # 100 units at 20 with leverage 2: cash -1000; 36 % of it a year: 1000*0.36*3/360 = 3; no part of the trade's pnl
    given = {"size": Size("units", 100), "leverage": 2, "interest": F(36, 100)}
    table = bars(flat(20, 4), session=[0, 0, 3, 3])
    log = simulate(scenario(table, "signals", column(BUY, NOTHING, SELL, NOTHING), **given))
    assert (log.cash[1], log.equity[2], log.trades[0].pnl) == ([-1000], [997], 0)
    # funding of 1/100 on 10 contracts at 20, x = 2: 4, paid by longs at each bar that has one, a cost of the trade
    table = bars(flat(20, 3), kind=["perpetual"], funding={(1, 0): F(1, 2), (2, 0): F(1, 100)}, multiplier=[2])
    log = simulate(scenario(table, "signals", column(BUY, NOTHING, NOTHING), liquidate_at_end=True))
    assert (log.equity[-1], log.trades[0].carry, log.trades[0].pnl) == ([996], 4, -4)


def test_t2_carry_runs_where_there_is_no_market_and_on_m_after_the_split() -> None:
    """Two days of borrow on 200 of shorts at 36.5 %: 0.2 each, once without a market, once after a split of 2."""
    table = bars([(20, 20, 20, 20)] * 2 + [None, (10, 10, 10, 10)], splits={(3, 0): 2})
    log = simulate(scenario(table, "signals", column(SHORT, NOTHING, NOTHING, NOTHING), borrow={0: F(365, 1000)}))
    assert [1000 - e for (e,) in log.equity] == [0, 0, F(2, 10), F(4, 10)]


def test_t3_z4_the_daily_loss_blocks_until_the_next_session() -> None:
    """Sessions of two bars. 50 at 20 fall to 19: a loss of 5 % blocks bars 2 (recovered) and 3; session 2 starts anew."""
    table = bars([(p, p, p, p) for p in (20, 20, 19, 20, 20, 20)], flat(10, 6), session=[0, 0, 1, 1, 2, 2])
    rows: list[list[object]] = [[F(1, 2), None], [None, None], [None, F(1, 8)], [None, F(1, 8)], [None, F(1, 8)], [None, None]]
    log = simulate(scenario(table, "weights", rows, risk=Risk(daily_loss=F(1, 40))))
    assert [(o.t, o.status, o.cut_by) for o in log.orders] == [
        (0, "filled", set()), (2, "rejected", {"daily_loss"}), (3, "rejected", {"daily_loss"}), (4, "filled", set()),
    ]  # fmt: skip


def test_f15_deposits_move_peak_and_daily_reference_and_are_no_gain() -> None:
    """1000 and a deposit of 500 at bar 1: no return. All 1500 at 20 falls 5 %: CAUTION at 1425."""
    table = bars([(20, 20, 20, 20), (20, 20, 20, 20), (20, 20, 19, 19)])
    zones = Zones((F(1, 20), F(1, 10), F(3, 20)), (1, F(1, 2), F(1, 4), 0))
    log = simulate(scenario(table, "weights", column(None, F(1), None), flows={1: 500}, zones=zones))
    assert [e for (e,) in log.equity] == [1000, 1500, 1425]
    assert [r for (r,) in log.returns] == [0, 0, -F(1, 20)]
    assert [z for (z,) in log.zone] == [0, 0, 1]


def test_f15_a_withdrawal_takes_at_most_the_room() -> None:
    """30 units at 20 leave 400; of 500 asked 400 go. With leverage 2 the room is (2*1000 - 600)/2 = 700."""
    table = bars(flat(20, 3))
    log = simulate(scenario(table, "signals", column(BUY, NOTHING, NOTHING), size=Size("units", 30), flows={2: -500}))
    assert (log.flows, log.cash[-1]) == ([[0], [0], [-400]], [0])
    log = simulate(scenario(table, "signals", column(BUY, NOTHING, NOTHING), size=Size("units", 30), flows={2: -1000}, leverage=2))
    assert (log.flows[-1], log.cash[-1]) == ([-700], [-300])
