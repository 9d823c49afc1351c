"""The reference engine against sums by hand: F4 with leverage, F12, F13, F7, Z4 to Z9."""

from __future__ import annotations

from fractions import Fraction as F
from typing import Any

import pytest

from tests.naive.build import BUY, NOTHING, SELL, SHORT, bars, column, flat, scenario
from tests.naive.engine import simulate
from tests.naive.scenario import Costs, Distance, Limits, Log, Risk, Size, Stops, Zones
from tests.naive.test_reference import fills

HARD = Stops(hard=Distance("pct", F(1, 10)))


def words(log: Log) -> list[tuple[Any, ...]]:
    """Bar, asset, status and rules of each order."""
    return [(o.t, o.asset, o.status, o.cut_by) for o in log.orders]


def test_f4_leverage_multiplies_the_room_and_commission_counts_with_it() -> None:
    """1000 at 20 with L = 2 and 1 %: q*20 + 2*0.2*q = 2000: 2000/20.4."""
    log = simulate(
        scenario(bars(flat(20, 2)), "signals", column(BUY, NOTHING), size=Size("units", 200), leverage=2, costs=Costs(rate=F(1, 100)))
    )
    assert log.fills[0].q == F(2000) / F(204, 10)
    log = simulate(scenario(bars(flat(20, 2)), "signals", column(BUY, NOTHING), size=Size("cash", F(1, 2)), leverage=3))
    assert log.fills[0].q == 75


def test_f12_a_future_moves_cash_by_its_moves_only() -> None:
    """Buy 3 at 101 (open), close 104, close 99, sell at 98; x = 10: 3*10*(3, -5, -1)."""
    table = bars([(100,) * 4, (101, 105, 100, 104), (104, 104, 99, 99), (98, 98, 98, 98)], kind=["future"], multiplier=[10])
    log = simulate(scenario(table, "signals", column(BUY, NOTHING, SELL, NOTHING), size=Size("units", 3), leverage=10))
    assert [c for (c,) in log.cash] == [1000, 1090, 940, 910]
    assert log.cash == log.equity
    assert log.trades[0].pnl == -90


def test_f12_all_that_is_held_is_marked_at_a_fill() -> None:
    """1 at 20, 1 more at 30 (close 25), x = 1: cash + 10 at the fill, then 2*(25 - 30)."""
    table = bars([(20,) * 4, (20,) * 4, (30, 30, 25, 25)], kind=["future"])
    log = simulate(scenario(table, "signals", column(BUY, BUY, NOTHING), size=Size("units", 1), accumulate=True))
    assert [c for (c,) in log.cash] == [1000, 1000, 1000]
    assert log.positions[-1] == [2]


def test_f12_margins_per_contract_take_the_room() -> None:
    """Notional 2000 a contract, margin 300: 1000 hold 3 (lot 1); F13: 3*250 = 750 is asked: 700 is too little, 760 is not."""
    given: dict[str, Any] = {"kind": ["future"], "multiplier": [100], "lot": [1], "initial_margin": [300], "maintenance_margin": [250]}
    size = Size("units", 5)
    table = bars([(20,) * 4, (20,) * 4, (19, F(192, 10), 19, F(192, 10)), (19,) * 4, (19,) * 4], **given)
    log = simulate(scenario(table, "signals", column(BUY, *[NOTHING] * 4), size=size))
    assert fills(log) == [(1, 0, 3, 20, "signal"), (4, 0, -3, 19, "margin")]
    assert [e for (e,) in log.equity] == [1000, 1000, 760, 700, 700]


def test_f12_prices_may_be_negative() -> None:
    """Short 10 at 5, to -3: + 80; a money size of 60 at -3 is 20 units; slippage of 1/4 makes a sale at -3 one at -3.25."""
    table = bars([(5,) * 4, (5, 5, -3, -3), (-3,) * 4], kind=["future"], negative=[True])
    log = simulate(scenario(table, "signals", column(SHORT, NOTHING, NOTHING)))
    assert log.equity[-1] == [1080]
    table = bars([(-3,) * 4, (-3,) * 4], kind=["future"], negative=[True])
    log = simulate(scenario(table, "signals", column(SHORT, NOTHING), size=Size("notional", 60), costs=Costs(half_spread=F(1, 4))))
    assert (log.fills[0].q, log.fills[0].price, log.equity[-1]) == (-20, -F(13, 4), [995])
    table = bars([(0,) * 4, (1,) * 4], kind=["future"], negative=[True])
    log = simulate(scenario(table, "signals", column(BUY, NOTHING), size=Size("notional", 60)))
    assert words(log) == [(0, 0, "rejected", {"cash"})]


def test_f13_a_margin_call_closes_all_and_refuses_new_risk_while_it_lasts() -> None:
    """200 at 20 with L = 4; at 12: equity 1000 - 1600 < 0. At 16: 200 < 0.25*3200 = 800: called; the entry in B is refused."""
    table = bars([(20,) * 4, (20, 20, 16, 16), (16,) * 4, (16,) * 4], flat(10, 4))
    rows: list[list[object]] = [[BUY, NOTHING], [NOTHING, BUY], [NOTHING, BUY], [NOTHING, NOTHING]]
    log = simulate(scenario(table, "signals", rows, size=Size("units", 200), leverage=4))
    assert fills(log) == [(1, 0, 200, 20, "signal"), (2, 0, -200, 16, "margin"), (3, 1, 80, 10, "signal")]
    assert words(log)[1:] == [(1, 0, "filled", set()), (1, 1, "rejected", {"margin"}), (2, 1, "partial", {"cash"})]


def test_f13_ruin_is_latched() -> None:
    """Short 50 at 20 to 41: equity -50; closed at 30 (an open that helps): 500 is left, but nothing new is allowed."""
    table = bars([(20,) * 4, (20, 41, 20, 41), (30,) * 4, (30,) * 4])
    log = simulate(scenario(table, "signals", column(SHORT, NOTHING, BUY, NOTHING), size=Size("units", 50)))
    assert fills(log)[1] == (2, 0, 50, 30, "margin")
    assert (log.equity[-1], words(log)[-1]) == ([500], (2, 0, "rejected", {"margin"}))


def test_f7_an_order_fills_in_pieces_with_one_commission() -> None:
    """A quarter of 64 and 40 is 16 and 10: 30 units take three bars; the minimum commission of 5 is paid once."""
    table = bars([(20, 20, 20, 20, 64)] * 2 + [(20, 20, 20, 20, 40)] * 2)
    log = simulate(
        scenario(table, "signals", column(BUY, *[NOTHING] * 3), size=Size("units", 30), participation=F(1, 4), costs=Costs(minimum=5))
    )
    assert [(f.t, f.q, f.commission) for f in log.fills] == [(1, 16, 5), (2, 10, 0), (3, 4, 0)]
    assert words(log) == [(0, 0, "filled", set())]


def test_f7_drop_and_lot_and_minimum_of_pieces() -> None:
    """A piece of 2.5 is 2 with lot 1; under a lot it waits; "drop" ends the order, rule volume."""
    table = bars([(20, 20, 20, 20, 10)] * 2 + [(20, 20, 20, 20, 3)] + [(20, 20, 20, 20, 100)], lot=[1])
    given = {"size": Size("units", 5), "participation": F(1, 4)}
    log = simulate(scenario(table, "signals", column(BUY, *[NOTHING] * 3), **given))
    assert [(f.t, f.q) for f in log.fills] == [(1, 2), (3, 3)]
    log = simulate(scenario(table, "signals", column(BUY, *[NOTHING] * 3), participation_rest="drop", **given))
    assert ([(f.t, f.q) for f in log.fills], words(log)) == ([(1, 2)], [(0, 0, "partial", {"volume"})])
    table = bars([(20, 20, 20, 20, 10)] * 2 + [(20, 20, 20, 20, 100)], min_notional=[60])  # a piece of 50 is nothing yet
    log = simulate(scenario(table, "signals", column(BUY, NOTHING, NOTHING), **given))
    assert [(f.t, f.q) for f in log.fills] == [(2, 5)]


def test_f7_what_f4_cuts_of_a_piece_is_lost() -> None:
    """Asked 100, pieces of 32 at 20: 32, then 18 of the second fit into 1000; 14 are lost, the rest of 36 finds no room."""
    table = bars([(20, 20, 20, 20, 64)] * 5)
    log = simulate(scenario(table, "signals", column(BUY, *[NOTHING] * 4), size=Size("units", 100), participation=F(1, 2)))
    assert [(f.t, f.q) for f in log.fills] == [(1, 32), (2, 18)]
    assert [(o.status, o.cut_by, o.t_done) for o in log.orders] == [("partial", {"cash"}, 4)]


def test_f7_a_protective_exit_in_pieces_goes_on_as_a_market_order() -> None:
    """Stop 18 at the low of 17: 4 at 18, then 4 and 2 at the opens; one order, the trade ends with it."""
    table = bars([(20, 20, 20, 20, 80), (20, 20, 20, 20, 80), (19, 19, 17, 17, 32), (16, 16, 16, 16, 32), (15, 15, 15, 15, 32)])
    log = simulate(scenario(table, "signals", column(BUY, NOTHING, NOTHING, BUY, NOTHING), stops=HARD, participation=F(1, 8)))
    assert fills(log)[1:] == [(2, 0, -4, 18, "stop"), (3, 0, -4, 16, "stop"), (4, 0, -2, 15, "stop")]
    assert [(x.reason, x.exit_t, x.exit_price) for x in log.trades] == [("stop", 4, F(72 + 64 + 30, 10))]
    assert len(log.orders) == 2  # the entry of bar 3 is ignored


def test_f7_exits_and_entries_share_the_bar() -> None:
    """fill="close": a flip of 20 in a bar of 12 closes 10 and opens 2 at its close; 8 more at the next open."""
    table = bars([(20, 20, 20, 20, 96), (20, 20, 20, 20, 96), (20, 20, 20, 20, 96)])
    log = simulate(scenario(table, "signals", column(BUY, SHORT, NOTHING), fill="close", participation=F(1, 8)))
    assert [(f.t, f.q) for f in log.fills] == [(0, 10), (1, -12), (2, -8)]
    assert [o.status for o in log.orders] == ["filled", "filled"]


def test_z5_heat_cuts_to_what_is_left() -> None:
    """A loses 2 a unit at its stop; 10 units are a heat of 20, of 25 allowed: B, 1 a unit, gets 5 of 10; a third order nothing."""
    table = bars(flat(20, 3), flat(10, 3))
    rows: list[list[object]] = [[BUY, NOTHING], [NOTHING, BUY], [NOTHING, NOTHING]]
    log = simulate(scenario(table, "signals", rows, stops=HARD, risk=Risk(heat=F(25, 1000))))
    assert [(f.asset, f.q) for f in log.fills] == [(0, 10), (1, 5)]
    assert words(log)[1] == (1, 1, "partial", {"heat"})
    both: list[list[object]] = [[BUY, BUY], [NOTHING, NOTHING], [NOTHING, NOTHING]]
    log = simulate(scenario(table, "signals", both, stops=HARD, risk=Risk(heat=F(15, 1000))))  # 30 wanted, 15 allowed
    assert [(f.asset, f.q) for f in log.fills] == [(0, 5), (1, 5)]
    log = simulate(scenario(table, "signals", both, risk=Risk(heat=F(15, 1000))))  # no stop: the whole notional
    assert [(f.asset, f.q) for f in log.fills] == [(0, F(1, 2)), (1, F(1, 2))]


def test_z5_what_waits_counts_and_what_waits_to_be_closed_does_not() -> None:
    """A is sold in the row in which B is bought: B gets all the heat; and an order of A that waits over a gap takes its part of it."""
    table = bars(flat(20, 3), flat(20, 3))
    rows: list[list[object]] = [[BUY, NOTHING], [SELL, BUY], [NOTHING, NOTHING]]
    log = simulate(scenario(table, "signals", rows, stops=HARD, risk=Risk(heat=F(20, 1000))))
    assert [(f.asset, f.q) for f in log.fills] == [(0, 10), (0, -10), (1, 10)]
    table = bars([(20,) * 4, None, (20,) * 4], flat(20, 3))
    rows = [[BUY, NOTHING], [NOTHING, BUY], [NOTHING, NOTHING]]
    log = simulate(scenario(table, "signals", rows, stops=HARD, risk=Risk(heat=F(25, 1000))))
    assert sorted((f.asset, f.q) for f in log.fills) == [(0, 10), (1, F(5, 2))]


def test_z5_a_trail_that_has_risen_frees_heat() -> None:
    """10 at 16 with a trail of 1/8; at 32 the level is 28: 40 at risk of 1160, 4 % allowed: 6.4 more of heat is 1.6 units at 4 each."""
    table = bars([(16,) * 4, (16, 32, 16, 32), (32,) * 4])
    stops = Stops(trailing=Distance("pct", F(1, 8)))
    rows = column(BUY, BUY, NOTHING)
    log = simulate(scenario(table, "signals", rows, stops=stops, accumulate=True, risk=Risk(heat=F(4, 100))))
    assert [f.q for f in log.fills] == [10, F(16, 10)]


@pytest.mark.parametrize(
    ("limits", "quantities", "rule"),
    [
        (Limits(position=F(1, 10)), [5, 5], "position"),  # 100 each
        (Limits(position=F(1, 2), position_value=60), [3, 3], "position"),
        (Limits(gross=F(3, 10)), [F(15, 2), F(15, 2)], "gross"),
        (Limits(net=F(2, 10)), [5, 5], "net"),
    ],
)
def test_z7_limits_cut_at_the_decision(limits: Limits, quantities: list[Any], rule: str) -> None:
    """10 units at 20 in two assets, 1000 of equity."""
    table = bars(flat(20, 2), flat(20, 2))
    log = simulate(scenario(table, "signals", [[BUY, BUY], [NOTHING, NOTHING]], risk=Risk(limits=limits)))
    assert [f.q for f in log.fills] == quantities
    assert all(o.cut_by == {rule} for o in log.orders)


def test_z7_net_may_cross_to_the_other_side() -> None:
    """+ 200 net; a limit of 100 (10 %) is passed already: longs are refused, a short of 400 gets 300: to - 100."""
    table = bars(flat(20, 2), flat(20, 2))
    given: dict[str, Any] = {"positions": {0: (10, 20)}, "capital": 800, "risk": Risk(limits=Limits(net=F(1, 10)))}
    log = simulate(scenario(table, "signals", [[NOTHING, BUY], [NOTHING, NOTHING]], **given))
    assert words(log) == [(0, 1, "rejected", {"net"})]
    log = simulate(scenario(table, "signals", [[NOTHING, SHORT], [NOTHING, NOTHING]], size=Size("units", 20), **given))
    assert log.fills[0].q == -15


def test_s5_priorities_share_limits_group_by_group() -> None:
    """Strengths 1 and 1/2, a gross limit of 300: the first takes 200, the second 100."""
    table = bars(flat(20, 2), flat(20, 2))
    log = simulate(scenario(table, "strengths", [[F(1, 2), F(1)], [None, None]], risk=Risk(limits=Limits(gross=F(3, 10)))))
    assert sorted((f.asset, f.q) for f in log.fills) == [(0, 5), (1, 10)]


def test_z9_loss_per_trade() -> None:
    """2 a unit to the stop, 1 % of 1000: 5 units; an increase at 20 counts what is held: nothing left."""
    table = bars(flat(20, 3))
    log = simulate(scenario(table, "signals", column(BUY, BUY, NOTHING), stops=HARD, risk=Risk(trade_loss=F(1, 100)), accumulate=True))
    assert [f.q for f in log.fills] == [5]
    assert words(log) == [(0, 0, "partial", {"trade_loss"}), (1, 0, "rejected", {"trade_loss"})]


def inside(at: F, **other: Any) -> Zones:
    return Zones((F(1, 20), F(1, 10), F(3, 20)), (1, F(1, 2), F(1, 4), 0), liquidate_at=at, mark="intrabar", **other)


def test_z8_leaves_where_the_boundary_is_reached() -> None:
    """50 at 20, boundary 10 %: 900 is reached at 18, on the way from the open 19 to the low 16; what follows is refused."""
    table = bars([(20,) * 4, (20,) * 4, (19, 21, 16, 20), (20,) * 4])
    log = simulate(scenario(table, "signals", column(BUY, NOTHING, BUY, NOTHING), size=Size("units", 50), zones=inside(F(1, 10))))
    assert fills(log)[1:] == [(2, 0, -50, 18, "risk")]
    assert ([z for (z,) in log.zone], log.equity[-1]) == ([0, 0, 3, 3], [900])
    assert words(log)[-1] == (2, 0, "rejected", {"zone"})
    # M7: open and exit of the last bar, nothing else
    assert (log.trades[0].mae, log.trades[0].mfe) == (F(1, 10), 0)


def test_z8_one_u_for_all_and_m_for_what_has_no_market() -> None:
    """A falls 20 to 16, B rises 10 to 12 against a short: 25*4 + 25*2 at worst; 10 % (100) is u = 2/3. C has no market: exit at T7."""
    table = bars([(20,) * 4, (20, 20, 16, 20), (20,) * 4], [(10,) * 4, (10, 12, 10, 10), (10,) * 4], [(5,) * 4, None, (5,) * 4])
    given: dict[str, Any] = {"positions": {0: (25, 20), 1: (-25, 10), 2: (10, 5)}, "capital": 700, "zones": inside(F(1, 10))}
    log = simulate(scenario(table, "signals", [[NOTHING] * 3] * 3, **given))
    assert log.initial == [1000]
    assert fills(log) == [(1, 0, -25, 20 - F(8, 3), "risk"), (1, 1, 25, 10 + F(4, 3), "risk"), (2, 2, -10, 5, "risk")]
    assert log.equity[1] == [900]


def test_z8_an_open_past_the_boundary_leaves_there_with_costs() -> None:
    """Opened at 17: 850 < 900; the exit is at 17 less half a spread."""
    table = bars([(20,) * 4, (20,) * 4, (17, 20, 16, 18)])
    log = simulate(
        scenario(
            table,
            "signals",
            column(BUY, NOTHING, NOTHING),
            size=Size("units", 50),
            zones=inside(F(1, 10)),
            costs=Costs(half_spread=F(1, 8)),
        )
    )
    assert log.fills[-1].price == 17 - F(1, 8)
