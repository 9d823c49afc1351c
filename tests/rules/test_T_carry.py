"""T2 and the reference of T3: borrow, interest and funding, and the equity a session begins with.

Bars are daily from Monday 2024-01-01; `WEEK` has a weekend in it. Rates are such that a round amount is due a day.
"""

from __future__ import annotations

import numpy as np
import pytest

import vecbt as vb
from tests.rules.helpers import assert_rows, bars_of, quantities, run
from tests.rules.test_T_actions import SIDES, TEN, money, on

WEEK = [np.datetime64(f"2024-01-{day:02d}", "ns") for day in (3, 4, 5, 8, 9)]  # Wednesday to Friday, Monday, Tuesday
HALF_DAY = np.timedelta64(43_200_000_000_000, "ns")

# --- T2: borrow --------------------------------------------------------------------------------------------------------------------


def test_T2_borrow_is_paid_by_shorts_for_each_day_and_a_weekend_has_three() -> None:
    # 10 short at 100 at 36.5 % a year: 1 a day; sold short at Thursday's open, Friday 1, Monday 3, Tuesday 1
    bars = bars_of(TEN[:5], index=WEEK)
    out = run(bars, quantities([-10]), carry=vb.Carry(borrow_rate=0.365))
    assert_rows(out.equity, [1000, 1000, 999, 996, 995])
    assert_rows(money(out), [0.0, 0.0, 5.0, 0.0])
    # a long pays none
    assert_rows(run(bars, quantities([10]), carry=vb.Carry(borrow_rate=0.365)).equity, [1000] * 5)


def test_T2_borrow_is_of_the_last_close_and_the_multiplier_counts() -> None:
    # 2 short of 5 a point: the close of 120 makes 1200 * 0.365 / 365 = 1.2, whatever the open of the day is
    bars = bars_of([100, (100, 120, 100, 120), (90, 90, 90, 90)], multiplier=5.0)
    out = run(bars, quantities([-2]), carry=vb.Carry(borrow_rate=0.365))
    assert_rows(out.equity, [1000, 800, 1000 + 10 * 10 - 1.2])


def test_T2_borrow_rates_by_symbol() -> None:
    bars = bars_of({"A": TEN[:3], "B": TEN[:3]})
    out = run(bars, quantities({"A": [-2], "B": [-3]}), carry=vb.Carry(borrow_rate={"B": 0.365}))
    assert_rows(out.equity, [1000, 1000, 999.7])


def test_T2_days_are_those_since_the_account_s_last_bar() -> None:
    # half days: only a new session has a day, and the first bar none, although a short is held from the start
    bars = bars_of(TEN[:6], every=HALF_DAY)
    out = run(bars, quantities([None]), positions={"A": (-10.0, 100.0)}, initial_capital=2000.0, carry=vb.Carry(borrow_rate=0.365))
    assert_rows(out.equity, [1000, 1000, 999, 999, 998, 998])


def test_T2_carry_runs_where_there_is_no_market() -> None:
    bars = bars_of({"A": [100, 100, None, None, 90], "B": TEN[:5]})
    out = run(bars, quantities({"A": [-10]}), carry=vb.Carry(borrow_rate=0.365))
    assert_rows(out.equity, [1000, 1000, 999, 998, 997 + 100])


@pytest.mark.parametrize("fill", ["next_open", "close"])
def test_T2_carry_is_of_what_was_held_over_the_close(fill: str) -> None:
    # covered at the open of bar 3 (at its close): the night before it is paid, none after
    bars = bars_of(TEN[:5])
    given = quantities([-10, None, 0]) if fill == "next_open" else quantities([None, -10, None, 0])
    out = run(bars, given, carry=vb.Carry(borrow_rate=0.365), fill=fill)
    assert [f.t for f in out.fills] == [1, 3]
    assert_rows(out.equity, [1000, 1000, 999, 998, 998])


def test_T2_a_split_goes_before_carry() -> None:
    # q and m after T1: 20 at 50 are the same 1000
    bars = bars_of([100, 100, 50], splits=on({2: 2.0}))
    assert_rows(run(bars, quantities([-10]), carry=vb.Carry(borrow_rate=0.365)).equity, [1000, 1000, 999])


def test_T2_M4_borrow_and_dividends_are_the_trade_s_interest_is_not() -> None:
    # A short 5 for 3 nights: 0.5 a night, and one dividend of 2 a unit; B long 20 on 500 borrowed: interest 0.5 a night
    bars = bars_of({"A": TEN[:6], "B": TEN[:6]}, dividends=on({2: 2.0}))
    carry = vb.Carry(borrow_rate=0.365, interest_rate=0.36)
    out = run(bars, quantities({"A": [-5, None, None, 0], "B": [20, None, None, 0]}), leverage=3.0, carry=carry)
    # cash 1000 + 500 - 2000 = -500: 0.5; the dividend makes it -510.5 - 0.5 = -511 (borrow, interest): 0.511; then -512.011: 0.512011
    interest = [0.5, 0.511, 0.512011]
    assert_rows(out.cash[1:4], [-500, -500 - 10 - 0.5 - 0.5, -511 - 0.5 - 0.511])
    pnl = {t.asset: t.pnl for t in out.trades}
    assert_rows([pnl["A"], pnl["B"]], [-1.5 - 10, 0.0])
    assert_rows([out.raw.trades.carry[0], out.raw.trades.dividends[0]], [1.5, -10.0])
    assert_rows(money(out), [0.0, 0.0, 1.5 + sum(interest), -10.0])


# --- T2: interest ------------------------------------------------------------------------------------------------------------------


def test_T2_interest_is_on_negative_cash() -> None:
    # 20 at 100 with 1000: 1000 borrowed at 36 % of 360 days: 1 a day, then on what it has become
    bars = bars_of(TEN[:5], index=WEEK)
    out = run(bars, quantities([20]), leverage=2.0, carry=vb.Carry(interest_rate=0.36))
    # Friday 1, Monday 3 days of 1001
    assert_rows(out.cash, [1000, -1000, -1001, -1001 - 3 * 1.001, -(1001 + 3.003) * 1.001])
    # positive cash earns nothing
    assert_rows(run(bars, quantities([5]), carry=vb.Carry(interest_rate=0.36)).cash, [1000, 500, 500, 500, 500])


def test_T2_interest_is_of_the_cash_of_the_last_close() -> None:
    # -10 over the night, although the dividend of the morning makes it +10
    bars = bars_of(TEN[:3], dividends=on({2: 2.0}))
    out = run(
        bars,
        quantities([None]),
        positions={"A": (10.0, 100.0)},
        initial_capital=1.0,
        carry=vb.Carry(interest_rate=0.36),
        costs=vb.Costs(per_order=11.0),
    )
    assert_rows(out.cash, [1, 1, 21])
    out = run(
        bars,
        quantities([9]),
        positions={"A": (10.0, 100.0)},
        initial_capital=1.0,
        carry=vb.Carry(interest_rate=0.36),
        costs=vb.Costs(per_order=111.0),
    )
    # one sold at the open of bar 1 for 100 less 111: -10 over the night, 0.01 of interest, 9 dividends of 2
    assert_rows(out.cash, [1, -10, -10 - 0.01 + 18])


def test_T2_carry_is_in_the_identity_of_F3() -> None:
    bars = bars_of({"A": [100, 101, 99, 104, 103, 105], "B": [50, 49, 51, 25, 25, 26]}, splits=on({3: 2.0}, "B"), dividends=on({4: 1.5}))
    out = run(bars, quantities({"A": [12, None, None, 5], "B": [-10, -12, None, 4]}), leverage=3.0, costs=vb.Costs(commission_rate=0.001),
              carry=vb.Carry(borrow_rate=0.1, interest_rate=0.2))  # fmt: skip
    realized, fees, carry, dividends = money(out)
    unrealized = sum(float(a.q * (a.mark - a.avg)) for a in out.raw.assets if a.q)
    assert carry > 0 and dividends > 0 and fees > 0
    assert_rows([out.equity[-1] - 1000], [realized + unrealized - fees - carry + dividends])


# --- T2: funding -------------------------------------------------------------------------------------------------------------------


@SIDES
def test_T2_funding_is_paid_by_longs_to_shorts(side: float) -> None:
    # 5 at 100 of a perpetual, 1 % at bar 2, -2 % at bar 3 of the closes before: 100 and 110
    bars = bars_of([100, 100, 110, 110], instrument="perpetual", funding=on({2: 0.01, 3: -0.02}))
    out = run(bars, quantities([5 * side]))
    assert_rows(out.cash, [1000, 1000, 1000 + side * (50 - 5), 1000 + side * (50 - 5 + 11)])
    assert_rows([float(out.raw.assets[0].trade_carry)], [side * (5 - 11)])
    assert_rows(money(out)[2:], [side * (5 - 11), 0.0])


def test_T2_funding_times_after_the_last_label_up_to_this_one_are_summed() -> None:
    # at 08:00 and 16:00 of the 2nd and 00:00 of the 3rd: all of bar 2 (the 3rd); 00:00 of the 2nd is of bar 1, held by nobody
    times = {
        "2024-01-02 00:00": 0.5,
        "2024-01-02 08:00": 0.001,
        "2024-01-02 16:00": 0.002,
        "2024-01-03 00:00": 0.004,
        "2024-01-03 08:00": -0.01,
    }
    bars = bars_of(TEN[:4], instrument="perpetual", funding={"A": times})
    out = run(bars, quantities([10]))
    # 1000 of notional: 7 at bar 2, then 10 back
    assert_rows(out.cash, [1000, 1000, 993, 1003])


def test_T2_funding_counts_the_multiplier_and_runs_where_there_is_no_market() -> None:
    bars = bars_of({"A": [20, 20, None, 20], "B": TEN[:4]}, instrument={"A": "perpetual"}, multiplier={"A": 5.0}, funding=on({2: 0.01}))
    assert_rows(run(bars, quantities({"A": [10]})).cash, [1000, 1000, 990, 990])


def test_T2_funding_of_the_first_bar_counts_for_starting_positions() -> None:
    bars = bars_of(TEN[:2], instrument="perpetual", funding=on({0: 0.01}))
    assert_rows(run(bars, quantities([None]), positions={"A": (5.0, 90.0)}).cash, [1000 - 4.5 + 50] * 2)


def test_T2_perpetuals_and_futures_pay_no_borrow() -> None:
    bars = bars_of({"A": TEN[:3], "B": TEN[:3]}, instrument={"A": "perpetual", "B": "future"})
    assert_rows(run(bars, quantities({"A": [-4], "B": [-4]}), carry=vb.Carry(borrow_rate=0.5)).equity, [1000] * 3)


def test_T2_funding_of_what_is_no_perpetual_is_refused() -> None:
    bars = bars_of({"A": TEN[:3], "B": TEN[:3]}, instrument={"A": "perpetual"}, funding=on({1: 0.01}, "B"))
    with pytest.raises(vb.errors.ConfigError, match="B has funding, but its instrument is 'cash'; expected 'perpetual'"):
        run(bars, quantities({"A": [1]}))


# --- T3: the daily reference -------------------------------------------------------------------------------------------------------


def test_T3_the_daily_loss_reference_is_the_equity_at_the_last_close_of_the_session_before() -> None:
    """Half days: 10 at 100 stand at 110, 90 | 95, 105 | 100, 98. The reference is initial, then the last equity of the day before."""
    bars = bars_of([100, 110, 95, 105, 100, 98], every=HALF_DAY)
    stream = vb.Stream(vb.Quantities, market=bars.market, costs=vb.Costs.free(), initial_capital=100.0, positions={"A": (10.0, 90.0)},
                       risk=vb.Risk(daily_loss=0.5))  # fmt: skip
    found = [float(stream.update(bars.row(t)).accounts.day_start[0]) for t in range(6)]
    assert_rows(found, [1000, 1000, 1200, 1200, 1150, 1150])


def test_T3_carry_and_dividends_of_the_morning_belong_to_the_day() -> None:
    """The reference of bar 2 is the close of bar 1, before the dividend and the borrow of bar 2 are booked."""
    bars = bars_of(TEN[:3], dividends=on({2: 2.0}))
    stream = vb.Stream(vb.Quantities, market=bars.market, costs=vb.Costs.free(), initial_capital=1000.0, carry=vb.Carry(borrow_rate=0.365),
                       risk=vb.Risk(daily_loss=0.5))  # fmt: skip
    for t in range(3):
        last = stream.update(bars.row(t), vb.Quantities([-10.0])).accounts[0]
    assert_rows([last.day_start, last.equity], [1000.0, 1000.0 - 20 - 1])
