"""F15: deposits and withdrawals. Bars are daily from 2024-01-01; the account has 1,000."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.rules.helpers import Outcome, assert_rows, bars_of, quantities, run, run_in_every_order, signals, weights
from tests.rules.sides import BOTH_FILLS

HUNDRED = [100.0] * 6


def day(t: int) -> str:
    """Label of bar t."""
    return f"2024-01-{1 + t:02d}"


def paid(out: Outcome) -> list[float]:
    """What was paid in each bar, of the first account."""
    assert out.raw.flows is not None
    return [float(v) for v in out.raw.flows[:, 0]]


# --- when --------------------------------------------------------------------------------------------------------------------------


def test_F15_a_flow_is_booked_on_the_first_bar_at_or_after_its_time() -> None:
    index = [np.datetime64(f"2024-01-{d:02d}", "ns") for d in (4, 5, 8, 9)]  # a weekend from 6 to 7
    bars = bars_of(HUNDRED[:4], index=index)
    out = run(bars, quantities([None]), flows={"2024-01-01": 5.0, "2024-01-05": 10.0, "2024-01-06": 20.0, "2024-01-08 00:00:01": -7.0})
    assert_rows(paid(out), [5, 10, 20, -7])
    assert_rows(out.equity, [1005, 1015, 1035, 1028])
    assert_rows(out.raw.initial.tolist(), [1000])


def test_F15_a_market_or_not() -> None:
    bars = bars_of({"A": [100, None, 100], "B": [None, None, 10]})
    assert_rows(run(bars, quantities({"A": [None]}), flows={day(1): 50.0}).cash, [1000, 1050, 1050])


def test_F15_it_is_there_for_the_open_of_its_bar() -> None:
    # 15 at 100 are wanted: 10 fit without the 500 of bar 1
    bars = bars_of(HUNDRED[:3])
    assert_rows(run(bars, quantities([15]), flows={day(1): 500.0}).filled(), [(1, 15.0, 100.0)])
    assert_rows(run(bars, quantities([15]), flows={day(2): 500.0}).filled(), [(1, 10.0, 100.0)])
    # and a withdrawal of bar 1 is gone
    assert_rows(run(bars, quantities([15]), flows={day(1): -400.0}).filled(), [(1, 6.0, 100.0)])


def test_F15_sizes_are_of_the_equity_with_it() -> None:
    assert_rows(run(bars_of(HUNDRED[:3]), weights([None, 0.5]), flows={day(1): 500.0}).filled(), [(2, 7.5, 100.0)])


def test_F15_several_amounts_of_one_bar_are_one() -> None:
    out = run(bars_of(HUNDRED[:3]), quantities([10]), flows={day(2): -300.0, "2024-01-02 12:00": 200.0, "2024-01-02 18:00": 150.0})
    # 50 in all: nothing is withdrawn, although there is no room for 300
    assert_rows(paid(out), [0, 0, 50])


def test_F15_each_account_gets_them() -> None:
    bars = bars_of({"A": HUNDRED[:3], "B": HUNDRED[:3]})
    out = run(bars, quantities({"A": [5], "B": [10]}), accounts="separate", flows={day(2): -600.0})
    assert out.raw.flows is not None
    assert_rows(out.raw.flows[2].tolist(), [-500, 0])
    assert_rows(out.raw.equity[2].tolist(), [500, 1000])


# --- withdrawals -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "leverage", "asked", "given"),
    [
        (5.0, 1.0, 400.0, 400.0),
        (5.0, 1.0, 800.0, 500.0),  # room 1000 - 500
        (-5.0, 1.0, 800.0, 500.0),  # cash of 1500, room 500
        (5.0, 2.0, 800.0, 750.0),  # (2000 - 500)/2
        (15.0, 2.0, 800.0, 250.0),  # (2000 - 1500)/2
        (10.0, 1.0, 1.0, 0.0),
        (0.0, 1.0, 5000.0, 1000.0),
    ],
)
def test_F15_a_withdrawal_takes_the_room_at_most(held: float, leverage: float, asked: float, given: float) -> None:
    out = run(bars_of(HUNDRED[:4]), quantities([held]), leverage=leverage, flows={day(2): -asked})
    assert_rows(paid(out), [0, 0, -given, 0])
    assert_rows(out.equity, [1000, 1000, 1000 - given, 1000 - given])  # what it did not take is given up, not owed
    assert_rows([float(out.raw.accounts.flows[0])], [-given])


def test_F15_the_room_is_at_the_last_marks() -> None:
    # 5 at 100 stand at 120: equity 1100, gross 600; what the bar opens at does not matter
    out = run(bars_of([100, (100, 120, 100, 120), (50, 50, 50, 50)]), quantities([5]), flows={day(2): -900.0})
    assert_rows(paid(out), [0, 0, -500])


def test_F15_F12_the_room_of_contracts_is_that_of_their_margins() -> None:
    # 10 contracts of 100 with 40 each: 600 of room
    bars = bars_of(HUNDRED[:3], instrument="future", initial_margin=40.0)
    assert_rows(paid(run(bars, quantities([10]), flows={day(2): -900.0})), [0, 0, -600])


def test_F15_it_takes_nothing_where_there_is_less_than_no_room() -> None:
    # 10 short at 100 stand at 130: equity 700, gross 1300
    out = run(bars_of([100, 100, 130, 130]), quantities([-10]), flows={day(3): -10.0})
    assert_rows(paid(out), [0, 0, 0, 0])


def test_F15_the_result_says_what_a_withdrawal_could_not_take() -> None:
    out = run(bars_of(HUNDRED[:4]), quantities([5]), flows={day(2): -800.0})
    values = [str(value) for value in out.result.assumptions()["value"]]
    assert any("300" in value for value in values), "800 were asked for, 500 paid, 300 given up"


# --- no gain, no loss --------------------------------------------------------------------------------------------------------------


@BOTH_FILLS
@pytest.mark.parametrize(("flow", "peak"), [(900.0, 2000.0), (-450.0, 500.0)])
def test_F15_the_peak_goes_with_it(fill: str, flow: float, peak: float) -> None:
    """4 at 100 fall by 25: 900 of a peak of 1000 is ALERT; with 900 more, or 450 less, it still is: 10 % below 2000, or 500."""
    out = run(bars_of([100, 100, 75, 75, 75]), quantities([4]), risk=vb.Risk(zones=vb.Zones()), flows={day(3): flow}, fill=fill)
    assert_rows(out.equity, [1000, 1000, 900, 900 + flow, 900 + flow])
    assert out.zone == [0, 0, 2, 2, 2]
    assert_rows([float(out.raw.accounts.peak[0])], [peak])


def test_F15_so_does_the_daily_reference() -> None:
    # half days: 1000, 975 | a deposit of 950 first: the reference of 975 becomes 1925
    index = np.datetime64("2024-01-01", "ns") + np.arange(4) * np.timedelta64(12, "h")
    bars = bars_of([100, 95, 95, 95], index=index)
    stream = vb.Stream(vb.Quantities, market=bars.market, costs=vb.Costs.free(), initial_capital=500.0, positions={"A": (5.0, 100.0)},
                       risk=vb.Risk(daily_loss=0.05), flows={"2024-01-02": 950.0})  # fmt: skip
    found = [float(stream.update(bars.row(t)).accounts.day_start[0]) for t in range(4)]
    assert_rows(found, [1000, 1000, 1925, 1925])


def test_F15_a_flow_within_a_session_scales_its_reference() -> None:
    # reference 1000, at 900 a deposit of 900 doubles what there is: the reference is 2000, 10 % above 1800, not 11 % above 900
    index = np.datetime64("2024-01-01", "ns") + np.arange(3) * np.timedelta64(6, "h")
    bars = bars_of([100, 80, 80], index=index)
    out = run(bars, quantities([None, None, 1]), positions={"A": (5.0, 100.0)}, initial_capital=500.0, risk=vb.Risk(daily_loss=0.095),
              flows={"2024-01-01 12:00": 900.0})  # fmt: skip
    assert_rows([float(out.raw.accounts.day_start[0])], [2000])
    # a reference of 1000 + 900 would give 5.3 % and no block
    assert int(out.raw.accounts.day_blocked[0]) == 1


def test_F15_without_equity_there_is_nothing_to_scale() -> None:
    # 10 at 100 delisted at nothing: equity 0; a deposit of 500 leaves the peak at 1000
    bars = bars_of({"A": [100, 100, 100, 100], "B": [10] * 4}, delistings={"A": ("2024-01-03", 1.0)})
    out = run(bars, quantities({"A": [10]}), flows={day(3): 500.0})
    assert_rows(out.equity, [1000, 1000, 0, 500])
    assert_rows([float(out.raw.accounts.peak[0])], [1000])


def test_F15_F3_flows_are_in_the_identity() -> None:
    out = run(
        bars_of([100, 101, 99, 104, 103]), quantities([6, None, 3]), flows={day(1): 250.0, day(3): -100.0}, costs=vb.Costs(per_unit=0.5)
    )
    account = out.raw.accounts[0]
    unrealized = 3 * (103 - float(out.raw.assets.avg[0]))
    assert_rows([float(account.flows)], [150])
    assert_rows([out.equity[-1] - 1000], [float(account.realized) + unrealized - float(account.fees) + 150])


def test_F15_column_order_does_not_matter() -> None:
    bars = bars_of({"A": [100, 100, 90, 95], "B": [50, 50, 55, 50], "C": [10] * 4})
    run_in_every_order(bars, quantities({"A": [4], "B": [-5, -8], "C": [None, 30]}), flows={day(1): 200.0, day(2): -700.0, day(3): 10.0})


# --- M1: returns -------------------------------------------------------------------------------------------------------------------


def test_F15_M1_returns_are_of_the_equity_after_the_flow() -> None:
    # 5 at 100 with 1000: +10 % of 100 is 1050; 1050 + 950 = 2000, 5 points more: 2025; then 1025 withdrawn (room 1450) and 5 points less
    bars = bars_of([100, (100, 110, 100, 110), 115, 110])
    out = run(bars, quantities([5]), flows={day(2): 950.0, day(3): -1025.0})
    assert_rows(out.equity, [1000, 1050, 2025, 975])
    returns = [0.0, 0.05, 25 / 2000, -25 / 1000]
    assert_rows(out.result.returns.tolist(), returns)
    # drawdowns and statistics read initial * prod(1 + r)
    curve = 1000 * np.cumprod(1 + np.array(returns))
    assert_rows(out.result.drawdown.tolist(), [0, 0, 0, 0.025])
    stats: Any = out.result.stats()
    assert_rows([stats["max_drawdown"], stats["cagr"]], [0.025, (curve[-1] / 1000) ** (252 / 4) - 1])


# --- what is refused ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flows", "message"),
    [
        ({}, "flows is {}"), ([("2024-01-02", 5.0)], "flows is "), ({"2024-01-02": 0.0}, "is 0.0; expected money"),
        ({"2024-01-02": float("nan")}, "is nan; expected money"), ({"2024-01-02": True}, "is True; expected money"),
        ({"2024-02-02": 5.0}, "after the last bar"),
    ],
)  # fmt: skip
def test_F15_flows_that_make_no_sense_are_refused(flows: Any, message: str) -> None:
    with pytest.raises(vb.errors.VecbtError, match=message):
        run(bars_of(HUNDRED), quantities([1]), flows=flows)


# --- all of it ---------------------------------------------------------------------------------------------------------------------


@BOTH_FILLS
@pytest.mark.parametrize("leverage", [1.0, 3.0])
def test_F15_F13_an_emptied_account_trades_on_after_the_next_deposit(fill: str, leverage: float) -> None:
    """5 at 100 sold at 110: 1050, all withdrawn at bar 3; 700 paid in at bar 5 buy 5 at 120, sold at 130."""
    bars = bars_of([100, 100, 110, 110, 110, 120, 120, 130, 130])
    rows = [5, 0, None, None, None, 5, 0] if fill == "next_open" else [None, 5, 0, None, None, 5, None, 0]
    risk = vb.Risk(zones=vb.Zones(), daily_loss=0.05)
    out = run(bars, quantities(rows), fill=fill, leverage=leverage, risk=risk, flows={day(3): -5000.0, day(5): 700.0})
    assert_rows(paid(out), [0, 0, 0, -1050, 0, 700, 0, 0, 0])
    entry = 6 if fill == "next_open" else 5
    assert_rows(out.filled(), [(1, 5.0, 100.0), (2, -5.0, 110.0), (entry, 5.0, 120.0), (7, -5.0, 130.0)])
    assert_rows(out.equity, [1000, 1000, 1050, 0, 0, 700, 700, 750, 750])
    assert out.zone == [0] * 9
    account = out.raw.accounts[0]
    assert (account.ruined, account.margin_call, account.day_blocked, account.empty) == (0, 0, 0, 0)


def test_F15_while_it_is_empty_there_is_no_money() -> None:
    # 2 at 100 are wanted at bars 1 and 2, the account is empty at bars 1 and 2: no equity, no size (S3), no room (F4), rule cash
    bars = bars_of(HUNDRED)
    out = run(bars, signals("L L L . L"), sizing=vb.Units(2), flows={day(1): -1000.0, day(3): 500.0})
    assert_rows(paid(out), [0, -1000, 0, 500, 0, 0])
    assert [(o.t, o.filled, o.status, o.cut_by) for o in out.orders] == [
        (0, 0.0, "rejected", "cash"), (1, 0.0, "rejected", "cash"), (2, 0.0, "rejected", "cash"), (4, 2.0, "filled", ""),
    ]  # fmt: skip
    # weights and their band too
    out = run(bars, weights([0.5, 0.5, 0.5, 0.5]), band=0.1, flows={day(1): -1000.0, day(3): 500.0})
    assert_rows(out.filled(), [(4, 2.5, 100.0)])


def test_F15_the_next_deposit_is_the_new_peak_and_reference() -> None:
    """1000 fall to 880 (ALERT), which are withdrawn: no drawdown. 1000 paid in, 60 lost in that very bar: CAUTION."""
    bars = bars_of([100, 100, 88, 88, 88, (100, 100, 94, 94), 94])
    risk = vb.Risk(zones=vb.Zones(), daily_loss=0.05)
    out = run(bars, quantities([10, 0, None, None, 10]), risk=risk, flows={day(4): -880.0, day(5): 1000.0})
    assert_rows(out.filled(), [(1, 10.0, 100.0), (2, -10.0, 88.0), (5, 10.0, 100.0)])
    assert_rows(out.equity, [1000, 1000, 880, 880, 0, 940, 940])
    assert out.zone == [0, 0, 2, 2, 0, 1, 1]
    # the reference of the daily loss is the deposit, too: new risk at bar 5 is refused, at bar 6 (a new session) it is not
    out = run(bars, quantities([10, 0, None, None, 9, 10, 10]), risk=vb.Risk(daily_loss=0.05), flows={day(4): -880.0, day(5): 1000.0})
    assert [(o.t, o.status, o.cut_by) for o in out.orders[2:]] == [(4, "filled", ""), (5, "rejected", "daily_loss"), (6, "pending", "")]


def test_F15_an_emergency_stays_one_without_money() -> None:
    bars = bars_of([100, 100, 80, 80, 80, 80, 80])
    out = run(bars, quantities([10, 0, None, None, 1]), risk=vb.Risk(zones=vb.Zones()), flows={day(3): -5000.0, day(4): 1000.0})
    assert_rows(out.equity[2:], [800, 0, 1000, 1000, 1000])
    assert out.zone == [0, 0, 3, 3, 3, 3, 3] and out.orders[-1].cut_by == "zone"


def test_F15_M1_an_empty_account_returns_nothing() -> None:
    bars = bars_of([100, 100, 110, 110, 110, 110, 110, 121])
    out = run(bars, quantities([10, 0, None, None, None, 10]), flows={day(3): -5000.0, day(5): 1100.0})
    assert_rows(out.equity, [1000, 1000, 1100, 0, 0, 1100, 1100, 1210])
    assert_rows(out.result.returns.tolist(), [0, 0, 0.1, 0, 0, 0, 0, 0.1])
    stats: Any = out.result.stats()
    assert_rows([stats["max_drawdown"], stats["cagr"]], [0.0, 1.21 ** (252 / 8) - 1])


def test_F15_F13_what_is_lost_stays_ruin() -> None:
    # 10 at 100 are worth nothing; a withdrawal finds no room and changes nothing
    bars = bars_of({"A": [100] * 6, "B": [10] * 6}, delistings={"A": ("2024-01-03", 1.0)})
    out = run(bars, quantities({"A": [10], "B": [None, None, None, None, 5]}), flows={day(3): -10.0, day(4): 1000.0})
    assert_rows(out.equity, [1000, 1000, 0, 0, 1000, 1000])
    assert (out.raw.accounts[0].ruined, out.orders[-1].cut_by) == (1, "margin")
