"""T1 and T9: splits and dividends, and what strategies read of a market that has them. Prices are raw: a split of 2 at bar 2 halves them.

What holding costs (T2) is in `test_T_carry`.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import vecbt as vb
from tests.rules.helpers import Outcome, assert_rows, bars_of, quantities, run, signals, weights
from tests.rules.orders import Cancel, buy, rows, sell
from tests.rules.sides import ONE

SIDES = pytest.mark.parametrize("side", [1.0, -1.0], ids=["long", "short"])
TEN = [100.0] * 10


def on(events: dict[int, float], asset: str = "A") -> dict[str, dict[str, float]]:
    """Events by bar number of the daily bars from 2024-01-01."""
    return {asset: {f"2024-01-{1 + t:02d}": value for t, value in events.items()}}


def money(out: Outcome) -> tuple[float, float, float, float]:
    """Of the first account at the end: realized, fees, carry, dividends."""
    account = out.raw.accounts[0]
    return float(account.realized), float(account.fees), float(account.carry), float(account.dividends)


# --- T1: splits --------------------------------------------------------------------------------------------------------------------


@SIDES
@pytest.mark.parametrize("ratio", [2.0, 0.5, 1.5])
def test_T1_a_split_multiplies_the_position_and_divides_its_prices(side: float, ratio: float) -> None:
    # 6 at 100, split before the open of bar 2, where the price is 100/k; sold at the open of bar 4 at 110/k
    after = [100 / ratio] * 2 + [110 / ratio]
    bars = bars_of([100, 100, *after], splits=on({2: ratio}))
    out = run(bars, quantities([6 * side, None, None, 0]))
    assert_rows(out.equity, [1000, 1000, 1000, 1000, 1000 + side * 60])
    assert_rows(out.filled(), [(1, 6 * side, 100.0), (4, -6 * side * ratio, 110 / ratio)])
    trade = out.trades[0]
    assert_rows([trade.quantity, trade.entry_price, trade.exit_price, trade.pnl], [6 * ratio, 100 / ratio, 110 / ratio, side * 60])


@SIDES
def test_T1_a_split_divides_mark_and_watermark_and_multiplies_the_trade(side: float) -> None:
    # high 105 (a short's best is the low of 95) before the split of 2: watermark 52.5 (47.5) after it
    bars = bars_of([100, (100, 105, 95, 100), 50], splits=on({2: 2.0}))
    out = run(bars, quantities([6 * side]))
    a = out.raw.assets[0]
    assert (a.q, a.avg, a.mark, a.entered, a.scale) == (12 * side, 50.0, 50.0, 12.0, 2.0)
    # M7's extremes too: best and worst of bar 1
    assert (a.best, a.worst) == ((52.5, 47.5) if side > 0 else (47.5, 52.5))
    stops = vb.Stops(trailing=0.5)
    a = run(bars, quantities([6 * side]), stops=stops).raw.assets[0]
    assert a.watermark == (52.5 if side > 0 else 47.5)


def test_T1_M7_excursions_and_first_stop_of_a_trade_cross_a_split() -> None:
    # in at 100, low 90 before the split, high 60 (= 120) after it, out at 50: MAE 10 %, MFE 20 %; the first stop of 80 is 40 in new units
    bars = bars_of([100, (100, 100, 90, 100), (50, 60, 50, 50), 50], splits=on({2: 2.0}))
    trade = run(bars, quantities([6, None, 0]), stops=vb.Stops(hard=0.2)).trades[0]
    assert_rows([trade.mae, trade.mfe, trade.stop, trade.initial_risk], [0.1, 0.2, 40.0, 6 * 20.0])


@SIDES
@pytest.mark.parametrize("ratio", [4.0, 0.25])
def test_T1_a_split_triggers_nothing(side: float, ratio: float) -> None:
    """The price falls to a quarter (rises to the fourfold) at the split: neither stop, trail, target, zone nor daily loss notices."""
    bars = bars_of([100, 100, 100 / ratio, 100 / ratio], splits=on({2: ratio}))
    stops = vb.Stops(hard=0.05, trailing=0.04, activation=0.01, take_profit=vb.Pct(5))
    risk = vb.Risk(zones=vb.Zones(liquidate_at=0.1), daily_loss=0.02)
    out = run(bars, quantities([6 * side]), stops=stops, risk=risk)
    assert_rows(out.equity, [1000] * 4)
    assert (len(out.fills), out.zone, out.held()) == (1, [0] * 4, 6 * side * ratio)


@pytest.mark.parametrize(
    ("stops", "before", "after"),
    [
        (vb.Stops(hard=0.05), 95.0, 47.5),
        (vb.Stops(hard=vb.Price(90)), 90.0, 45.0),
        (vb.Stops(hard=vb.Atr(2), atr_window=1), 92.0, 46.0),
        (vb.Stops(trailing=0.1), 0.9 * 102, 0.9 * 51),
        (vb.Stops(trailing=vb.Atr(1.5), atr_window=1), 96.0, 48.0),
    ],
    ids=["percent", "price", "atr", "trail", "atr trail"],
)  # fmt: skip
def test_T1_levels_are_divided(stops: vb.Stops, before: float, after: float) -> None:
    # ranges of 4 before the split and 2 after it: an ATR of 4, then of 2; the watermark is 102 before, 51 after
    wide, narrow = (100, 102, 98, 100), (50, 51, 49, 50)
    bars = bars_of([wide, wide, narrow, narrow], splits=on({2: 2.0}))
    stream = vb.Stream(vb.Quantities, market=bars.market, costs=vb.Costs.free(), stops=stops, initial_capital=1000.0)
    found = [float(stream.update(bars.row(t), vb.Quantities([6.0 if t == 0 else math.nan])).stops[0]) for t in range(4)]
    assert_rows(found, [math.nan, before, after, after])


@SIDES
@pytest.mark.parametrize(("distance", "expected"), [(2.4, []), (2.5, ["stop"]), (9.0, ["stop"])])
def test_T1_levels_stand_in_new_units_already_in_the_bar_of_the_split(side: float, distance: float, expected: list[str]) -> None:
    # 5 % from 100 are 2.5 from 50
    extreme = 50 - side * distance
    bars = bars_of([100, 100, (50, max(50, extreme), min(50, extreme), 50), 50], splits=on({2: 2.0}))
    out = run(bars, quantities([6 * side]), stops=vb.Stops(hard=0.05))
    assert_rows(out.exits(), [(2, 50 - side * 2.5, reason) for reason in expected])


@SIDES
@pytest.mark.parametrize("ratio", [2.0, 0.5])
@pytest.mark.parametrize(
    ("which", "form"), [("stop", "ticks"), ("stop", "price"), ("target", "ticks"), ("target", "price"), ("trail", "ticks")]
)
def test_T1_levels_in_ticks_and_prices_are_divided(side: float, ratio: float, which: str, form: str) -> None:
    """Entered at 100, 80 ticks of 1/8 against (for a target: with) the position are 90 (110); a split of 2 makes 45 (55) of it."""
    toward = -side if which == "target" else side
    level = 100 - toward * 10
    distance = vb.Ticks(80) if form == "ticks" else vb.Price(level)
    name = {"stop": "hard", "target": "take_profit", "trail": "trailing"}[which]
    near, far = ((100 - toward * d) / ratio for d in (9.5, 11.0))
    quiet = 100 / ratio
    last = [(quiet, max(quiet, p), min(quiet, p), quiet) for p in (near, far)]
    bars = bars_of([100, 100, quiet, *last], tick=0.125, splits=on({2: ratio}))
    out = run(bars, quantities([6 * side]), stops=vb.Stops(**{name: distance}))
    assert_rows(out.exits(), [(4, level / ratio, which)])


@SIDES
@pytest.mark.parametrize("ratio", [2.0, 0.5])
def test_T1_P2_a_trail_in_ticks_keeps_its_divided_distance(side: float, ratio: float) -> None:
    # 10 behind 100, then behind 104: 94, which is 47 in new units after a split of 2 and 188 after one for two
    peak, level = (100 + side * 4) / ratio, (100 - side * 6) / ratio
    quiet = 100 / ratio
    rises, falls = ((quiet, max(quiet, p), min(quiet, p), quiet) for p in (peak, (100 - side * 7) / ratio))
    bars = bars_of([100, 100, quiet, rises, falls], tick=0.125, splits=on({2: ratio}))
    assert_rows(run(bars, quantities([6 * side]), stops=vb.Stops(trailing=vb.Ticks(80))).exits(), [(4, level, "trail")])


@SIDES
def test_T1_P1_an_increase_after_a_split_counts_ticks_anew(side: float) -> None:
    # 4 at 100, stop 10 away; 8 at 50, 5 away after the split; 16 at 50 with the stop 10 away again
    bars = bars_of([100, 100, 50, 50, (50, 50 + 9.5, 50 - 9.5, 50), (50, 61, 39, 50)], tick=0.5, splits=on({2: 2.0}))
    out = run(bars, quantities([4 * side, None, 16 * side]), stops=vb.Stops(hard=vb.Ticks(20)))
    assert_rows(out.exits(), [(5, 50 - side * 10, "stop")])


def test_T1_F14_a_starting_position_has_its_ticks_divided() -> None:
    bars = bars_of([100, 50, (50, 50, 45.5, 50), (50, 50, 44, 50)], tick=0.5, splits=on({1: 2.0}))
    out = run(bars, quantities([None]), positions={"A": (6.0, 100.0)}, stops=vb.Stops(hard=vb.Ticks(20)))
    assert_rows(out.exits(), [(3, 45.0, "stop")])


def test_T1_a_trail_in_new_units_is_rounded_to_the_tick_again() -> None:
    # 10 % below 103 is 92.7, on ticks of 1 up to 93; after a split of 2 it is 46.35, up to 47
    bars = bars_of([100, (100, 103, 100, 100), (50, 50, 48, 50), (50, 50, 47, 50)], tick=1.0, splits=on({2: 2.0}))
    assert run(bars, quantities([6]), stops=vb.Stops(trailing=0.1)).exits() == [(3, 47.0, "trail")]


def test_T1_a_trail_never_falls_at_a_split() -> None:
    # armed at 0.9*110 = 99 by the high of bar 1; 49.5 after the split of 2, whatever the ATR or price does
    bars = bars_of([100, (100, 110, 100, 105), (52, 52, 49.5, 50)], splits=on({2: 2.0}))
    assert_rows(run(bars, quantities([6]), stops=vb.Stops(trailing=0.1)).exits(), [(2, 49.5, "trail")])


def test_T1_a_bracket_of_an_order_is_divided() -> None:
    bars = bars_of([100, 100, (50, 56, 50, 50), 50], splits=on({2: 2.0}))
    out = run(bars, rows({0: [buy(6, stop_loss=90, take_profit=110)]}))
    assert_rows(out.exits(), [(2, 55.0, "target")])
    bars = bars_of([100, 100, (50, 50, 45, 50), 50], splits=on({2: 2.0}))
    assert_rows(run(bars, rows({0: [buy(6, stop_loss=90, take_profit=110)]})).exits(), [(2, 45.0, "stop")])


@SIDES
def test_T1_an_order_that_waits_is_multiplied(side: float) -> None:
    bars = bars_of([100, 50], splits=on({1: 2.0}))
    out = run(bars, quantities([3 * side]))
    assert_rows(out.ordered(), [(0, 6 * side, 6 * side, "filled", "")])
    assert_rows(out.filled(), [(1, 6 * side, 50.0)])
    assert_rows(run(bars, weights([0.3 * side])).filled(), [(1, 6 * side, 50.0)])
    assert_rows(run(bars, signals("L" if side > 0 else "S"), sizing=vb.Notional(300)).filled(), [(1, 6 * side, 50.0)])
    # what is sized at its fill has the room there
    assert_rows(run(bars, signals("L" if side > 0 else "S"), sizing=vb.Cash(0.3)).filled(), [(1, 6 * side, 50.0)])


@SIDES
def test_T1_an_exit_or_a_flip_that_waits_closes_all_that_is_held_then(side: float) -> None:
    bars = bars_of([100, 100, 50], splits=on({2: 2.0}))
    out = run(bars, quantities([3 * side, 0]))
    assert_rows(out.filled()[1:], [(2, -6 * side, 50.0)])
    out = run(bars, quantities([3 * side, -2 * side]))
    assert_rows(out.filled()[1:], [(2, -10 * side, 50.0)])
    assert out.held() == -4 * side


@pytest.mark.parametrize(("type", "price"), [("limit", {"limit": 96.0}), ("stop", {"stop": 104.0})])
def test_T1_prices_and_quantities_of_resting_orders(type: str, price: dict[str, float]) -> None:
    # a limit of 96, or a stop of 104, for 3 is one of 48 (52) for 6 after a split of 2
    bars = bars_of([100, 100, (50, 51, 49, 50), (50, 53, 47, 50)], splits=on({2: 2.0}))
    out = run(bars, rows({0: [buy(3, type, **price)]}))
    assert_rows(out.filled(), [(3, 6.0, 48.0 if type == "limit" else 52.0)])
    assert_rows(out.ordered(), [(0, 6.0, 6.0, "filled", "")])


def test_T1_a_trailing_order_follows_in_new_units() -> None:
    # held 4; a sale of 4 trails by 10 below the high of 104 of bar 1: 94, after the split 5 below 52 = 47 for 8
    bars = bars_of([100, (100, 104, 100, 100), (50, 50, 47.5, 50), (50, 50, 46, 50)], splits=on({2: 2.0}))
    out = run(bars, rows({0: [sell(4, "trailing", trail_by=10)]}), positions={"A": (4.0, 100.0)})
    assert_rows(out.filled(), [(3, -8.0, 47.0)])
    # in percent: 10 % below 104 is 93.6, then 46.8
    out = run(bars, rows({0: [sell(4, "trailing", trail=0.1)]}), positions={"A": (4.0, 100.0)})
    assert_rows(out.filled(), [(3, -8.0, 46.8)])


def test_T1_a_partial_reduction_that_waits_is_rounded_to_lots_again() -> None:
    # 10 held, 3 to be sold; one for two: 5 held, 1.5 to be sold, 1 is
    bars = bars_of([100, 100, 200, 200], lot=1.0, splits=on({2: 0.5}))
    out = run(bars, quantities([10, 7]))
    assert_rows(out.ordered()[1:], [(1, -1.5, -1.0, "filled", "")])
    assert out.held() == 4.0
    # 1 to be sold becomes half a unit, which is nothing
    out = run(bars, quantities([10, 9]))
    assert_rows(out.ordered()[1:], [(1, -0.5, 0.0, "rejected", "lot")])
    assert out.orders[1].done == 2


def test_T1_an_entry_that_waits_is_rounded_at_its_fill() -> None:
    # 3 of them are 4.5 after three for two, of which 4 are bought: rounding is no cut
    bars = bars_of([90, 60], lot=1.0, splits=on({1: 1.5}))
    out = run(bars, quantities([3]))
    assert_rows(out.ordered(), [(0, 4.5, 4.0, "filled", "")])


# --- T1: fractions -----------------------------------------------------------------------------------------------------------------


@SIDES
@pytest.mark.parametrize(("lot", "paid"), [(1.0, 0.5), (5.0, 0.5), (0.5, 0.0), (0.0, 0.0)])
def test_T1_a_fraction_of_a_unit_is_paid_at_the_open_where_lots_are_whole(side: float, lot: float, paid: float) -> None:
    # 5 become 7.5; the half is paid at the open of 70, not at the close of 60, and costs nothing
    bars = bars_of([90, 90, (70, 70, 60, 60), 60], lot=lot, splits=on({2: 1.5}))
    out = run(bars, quantities([5 * side]), costs=vb.Costs(commission_rate=0.01, minimum=3.0, half_spread=2.0))
    expected = [(2, -paid * side, 70.0, 70.0, 0.0, 0.0, "split")] if paid else []
    assert_rows([(f.t, f.q, f.price, f.ref, f.commission, f.slippage, f.reason) for f in out.fills[1:]], expected)
    assert out.held() == (7.5 - paid) * side
    assert_rows(out.equity[2:3], [out.equity[1] + side * (7.5 * 60 + paid * 10 - 5 * 90)])
    assert_rows([(o.t, o.done, o.wanted, o.filled, o.status, o.reason) for o in out.orders[1:]],
                [(2, 2, -paid * side, -paid * side, "filled", "split")] if paid else [])  # fmt: skip


def test_T1_a_fraction_is_realized_within_its_trade() -> None:
    # 5 at 90 become 7.5 at 60; half a unit is paid at 70 (gain 5), 7 are sold at 64 (gain 28)
    bars = bars_of([90, 90, 70, 64], lot=1.0, splits=on({2: 1.5}))
    out = run(bars, quantities([5, None, 0]))
    trade = out.trades[0]
    assert len(out.trades) == 1
    assert_rows([trade.quantity, trade.entry_price, trade.exit_price, trade.pnl], [7.5, 60.0, (0.5 * 70 + 7 * 64) / 7.5, 33.0])
    assert (trade.reason, trade.exit_t) == ("signal", 3)
    assert_rows(money(out), [33.0, 0.0, 0.0, 0.0])


@SIDES
def test_T1_a_position_that_is_all_fraction_ends(side: float) -> None:
    # one for ten: 5 at 100 are 0.5 at 1000, paid at 1010; the trade ends there, and the protective levels with it
    bars = bars_of([100, 100, (1010, 1010, 900, 1000), 1000], lot=1.0, splits=on({2: 0.1}))
    out = run(bars, quantities([5 * side]), stops=vb.Stops(hard=0.05))
    assert_rows(out.exits(), [(2, 1010.0, "split")])
    assert_rows(out.equity[2:], [1000 + side * 5] * 2)
    assert (out.held(), len(out.fills)) == (0.0, 2)


def test_T1_S4_an_exit_that_waits_dies_with_a_position_that_is_all_fraction() -> None:
    bars = bars_of([100, 100, 1000, 1000], lot=1.0, splits=on({2: 0.1}))
    out = run(bars, quantities([5, 0]))
    assert [(o.reason, o.status, o.cut_by, o.done) for o in out.orders] == [
        ("signal", "filled", "", 1), ("split", "filled", "", 2), ("signal", "cancelled", "", 2)
    ]  # fmt: skip
    # of a flip only the part that closes dies: 30 short are 3
    out = run(bars, quantities([5, -30]), initial_capital=5000.0)
    assert_rows(out.filled(), [(1, 5.0, 100.0), (2, -0.5, 1000.0), (2, -3.0, 1000.0)])
    assert [(t.side, t.reason) for t in out.trades] == [(1, "split")]


def test_T1_a_fraction_of_dust_is_none() -> None:
    """0.1 * 3 is 0.30000000000000004 in floats: ten times that, as 3 units, has no fraction of 4e-16."""
    bars = bars_of([100, 100, 10, 10], lot=1.0, splits=on({2: 10.0}))
    out = run(bars, quantities([None]), positions={"A": (0.1 * 3, 100.0)})
    assert out.fills == [] and math.isclose(out.held(), 3.0)


# --- T1: dividends -----------------------------------------------------------------------------------------------------------------


@SIDES
def test_T1_a_dividend_is_paid_to_longs_and_by_shorts(side: float) -> None:
    # 6 at 100, 2 a unit at bar 2, where the price opens 2 lower
    bars = bars_of([100, 100, 98, 98], dividends=on({2: 2.0}))
    out = run(bars, quantities([6 * side, None, 0]))
    assert_rows(out.cash, [1000, 1000 - 600 * side, 1000 - 588 * side, 1000.0])
    assert_rows(out.equity, [1000] * 4)
    assert_rows(money(out), [-12 * side, 0.0, 0.0, 12 * side])
    # M4: the trade is net of it
    trade = out.raw.trades[0]
    assert_rows([trade.gross, trade.dividends, trade.pnl], [-12 * side, 12 * side, 0.0])


@pytest.mark.parametrize("fill", ["next_open", "close"])
def test_T1_a_dividend_is_for_what_was_held_over_the_previous_close(fill: str) -> None:
    """In and out around bar 3, where it is paid: bought at its open has none, sold at its open has it."""
    late = 0 if fill == "next_open" else 1
    bars = bars_of(TEN[:6], dividends=on({3: 2.0}))
    bought = run(bars, quantities([None] * (2 + late) + [5]), fill=fill)
    sold = run(bars, quantities([5, None, 0] if fill == "next_open" else [5, None, None, 0]), fill=fill)
    assert [(f.t, f.q) for f in bought.fills] == [(3, 5.0)]
    assert [(f.t, f.q) for f in sold.fills][1] == (3, -5.0)
    assert (bought.equity[-1], sold.equity[-1]) == (1000.0, 1010.0)


def test_T1_a_dividend_knows_no_multiplier_and_costs_nothing() -> None:
    bars = bars_of([10, 10, 10], multiplier=5.0, dividends=on({2: 2.0}))
    out = run(bars, quantities([4]), costs=vb.Costs(per_order=1.0))
    assert_rows(out.equity, [1000, 999, 999 + 8])


def test_T1_a_split_goes_before_a_dividend_of_its_bar() -> None:
    # 6 become 12, and 2 a unit are 24; with lots of 1 and three for two 5 become 7, and 2 a unit are 14
    out = run(bars_of([100, 100, 50], splits=on({2: 2.0}), dividends=on({2: 2.0})), quantities([6]))
    assert_rows(out.cash, [1000, 400, 424])
    out = run(bars_of([90, 90, 60], lot=1.0, splits=on({2: 1.5}), dividends=on({2: 2.0})), quantities([5]))
    assert_rows(out.cash, [1000, 550, 550 + 0.5 * 60 + 14])


def test_T1_a_trade_that_spans_dividends_collects_them() -> None:
    bars = bars_of(TEN[:7], dividends=on({2: 2.0, 3: 1.0, 5: 4.0}))
    # 5 from bar 1, 3 of them from bar 3 on (its open sells 2, after the dividend), none after bar 4
    out = run(bars, quantities([5, None, 3, 0]))
    assert_rows(out.raw.trades.dividends.tolist(), [5 * 2 + 5 * 1])


# --- T1: actions that wait ---------------------------------------------------------------------------------------------------------


def test_T1_actions_wait_for_the_next_bar_with_a_market() -> None:
    # split of 2 and a dividend of 1 on bars without a market: the position stays as it is, at its mark, until bar 4
    bars = bars_of([100, 100, None, None, 50], splits=on({2: 2.0}), dividends=on({3: 1.0}))
    out = run(bars, quantities([6]))
    assert_rows(out.equity, [1000, 1000, 1000, 1000, 1012])
    assert_rows(out.cash, [1000, 400, 400, 400, 412])
    assert_rows(out.result.positions["A"].tolist(), [0, 6, 6, 6, 12])


def test_T1_ratios_that_wait_multiply_and_dividends_are_divided_by_those_after_them() -> None:
    # 1 a unit before splits of 2 and 3: 6 units get 6. 1 a unit between them: 12 units get 12; after both: 36 units get 36
    for at, expected in ((2, 6.0), (3, 12.0), (4, 36.0)):
        bars = bars_of([600, 600, None, None, None, 100], splits=on({3: 2.0, 4: 3.0}), dividends=on({at: 1.0}))
        out = run(bars, quantities([6]), initial_capital=10_000.0)
        assert out.held() == 36.0
        assert_rows([money(out)[3]], [expected])
    # as on bars with a market, where each is booked at its own
    bars = bars_of([600, 600, 600, 300, 100, 100], splits=on({3: 2.0, 4: 3.0}), dividends=on({3: 1.0}))
    assert_rows([money(run(bars, quantities([6]), initial_capital=10_000.0))[3]], [12.0])


def test_T1_an_order_that_waits_through_a_gap_meets_the_split_at_the_next_open() -> None:
    bars = bars_of([100, None, 50], splits=on({1: 2.0}))
    assert_rows(run(bars, quantities([3])).filled(), [(2, 6.0, 50.0)])


def test_T1_at_a_delisting_actions_are_booked_on_a_bar_without_a_market_fractions_at_the_mark() -> None:
    # 5 at 100 are 2.5 at 200: half a unit is paid at the mark of 200, 2 get a dividend of 10, then 200 less half for each
    bars = bars_of(
        {"A": [100, 100, None, None], "B": [10.0] * 4},
        lot={"A": 1.0}, splits=on({2: 0.5}), dividends=on({3: 10.0}), delistings={"A": ("2024-01-04", 0.5)},
    )  # fmt: skip
    out = run(bars, quantities({"A": [5]}))
    assert_rows([(f.t, f.q, f.price, f.reason) for f in out.fills[1:]], [(3, -0.5, 200.0, "split"), (3, -2.0, 100.0, "delisting")])
    assert_rows(out.cash, [1000, 500, 500, 500 + 100 + 20 + 200])


def test_T1_T8_actions_that_still_wait_at_the_end_are_not_booked() -> None:
    bars = bars_of([100, 100, None], splits=on({2: 2.0}), dividends=on({2: 1.0}))
    out = run(bars, quantities([6]), liquidate_at_end=True)
    assert_rows(out.filled(), [(1, 6.0, 100.0), (2, -6.0, 100.0)])
    assert_rows(out.equity[-1:], [1000])


def test_T1_of_other_assets_changes_nothing() -> None:
    plain = bars_of({"A": [100, 101, 99, 102], "B": [50, 50, 25, 25]})
    split = bars_of({"A": [100, 101, 99, 102], "B": [50, 50, 25, 25]}, splits=on({2: 2.0}, "B"), dividends=on({2: 1.0}, "B"))
    rows_of_a = quantities({"A": [5, 7, -3]})
    assert run(plain, rows_of_a).equity == run(split, rows_of_a).equity


# --- T9: what strategies read ------------------------------------------------------------------------------------------------------

SPLIT = {"splits": on({2: 2.0, 4: 5.0})}
RAW = [(100, 102, 98, 100, 50), (100, 104, 96, 98, 50), (49, 53, 48, 51, 80), (51, 54, 50, 52, 80), (10.4, 10.6, 9.6, 10, 300)]


def test_T9_strategies_read_raw_prices_times_the_ratios_so_far() -> None:
    seen: list[np.ndarray] = []

    def looks(bars: vb.Bars) -> vb.Signals:
        seen.append(np.array(bars.block[:, :, 0]))
        return vb.Signals(np.zeros(bars.shape, dtype=bool))

    run(bars_of(RAW, **SPLIT), lambda bars: looks)
    factor = np.array([1, 1, 2, 2, 10.0])
    raw = np.array(RAW).T
    assert_rows(seen[0][:4].ravel(), (raw[:4] * factor).ravel())
    assert_rows(seen[0][4], raw[4] / factor)


def test_T9_a_feed_reads_the_same() -> None:
    """Closes read: 100, 98, 102, 104, 100: the average of 1 crosses that of 2 at bar 2. The raw ones (51, 52) would cross at bar 3."""
    bars = bars_of(RAW, **SPLIT)
    report = vb.check_parity(bars, vb.strategies.SmaCross(1, 2), costs=vb.Costs.free(), initial_capital=1000.0, restarts=5)
    assert report.ok, report
    out = run(bars, vb.strategies.SmaCross(1, 2), sizing=ONE)
    # in at the open of bar 3; the last exit waits at the end, for the 5 units that one has become
    assert_rows(out.filled(), [(3, 1.0, 51.0)])
    assert_rows(out.ordered()[1:], [(4, -5.0, 0.0, "pending", "")])


def test_T9_the_factor_counts_from_the_bar_that_books_the_split() -> None:
    bars = bars_of([100, None, None, 50, 50], splits=on({1: 2.0}))
    assert_rows(bars.for_strategies.close[:, 0].tolist(), [100, math.nan, math.nan, 100, 100])
    dividends_only = bars_of([100, 99, 98], dividends=on({1: 1.0}))
    assert_rows(dividends_only.for_strategies.close[:, 0].tolist(), [100, 99, 98])  # prices stay raw: a dividend is cash


def test_T9_sizes_and_fills_are_raw() -> None:
    # at bar 2 a unit is 50: half of 1000 are 10 units, bought at 50
    bars = bars_of([100, 100, 50, 50, 50], splits=on({2: 2.0}))
    assert_rows(run(bars, weights([None, None, 0.5])).filled(), [(3, 10.0, 50.0)])
    assert_rows(run(bars, signals(". . L"), sizing=vb.Notional(200)).filled(), [(3, 4.0, 50.0)])
    assert_rows(run(bars, quantities([None, None, 7])).filled(), [(3, 7.0, 50.0)])


def test_T9_prices_of_orders_are_divided() -> None:
    # after the split of 2 the strategy reads 100 and bids 98: 49 raw
    bars = bars_of([100, 100, 50, (50, 50, 49, 50), 50], splits=on({2: 2.0}))
    out = run(bars, rows({2: [buy(4, "limit", limit=98)]}))
    assert_rows(out.filled(), [(3, 4.0, 49.0)])
    out = run(bars, rows({1: [Cancel(symbol="A")], 2: [buy(4, stop_loss=98)]}))
    assert_rows(out.filled(), [(3, 4.0, 50.0), (3, -4.0, 49.0)])
    out = run(bars, rows({2: [sell(4, "stop", stop=98)]}))
    assert_rows(out.filled(), [(3, -4.0, 49.0)])
    # a trail by 2 is 1 raw, below m = 50
    out = run(bars, rows({2: [sell(4, "trailing", trail_by=2)]}), positions={"A": (2.0, 100.0)})
    assert_rows(out.filled(), [(3, -4.0, 49.0)])


def test_T9_a_price_level_is_divided() -> None:
    # Price(98) and Price(104) are 49 and 52 once the split of 2 is booked
    stops = vb.Stops(hard=vb.Price(98), take_profit=vb.Price(104))
    bars = bars_of([100, 100, 50, (50, 50, 49.5, 50), (50, 50, 48, 50)], splits=on({2: 2.0}))
    assert_rows(run(bars, signals(". . L"), sizing=ONE, stops=stops).exits(), [(4, 49.0, "stop")])
    bars = bars_of([100, 100, 50, (50, 51, 50, 50), (50, 53, 50, 50)], splits=on({2: 2.0}))
    assert_rows(run(bars, signals(". . L"), sizing=ONE, stops=stops).exits(), [(4, 52.0, "target")])


def test_T9_an_atr_is_of_what_strategies_read_divided_again() -> None:
    # ranges of 4 read as 4 throughout: no jump at the split of 2, whose raw range is 2: stop 2 ATR = 4 below 50
    wide, narrow = (100, 102, 98, 100), (50, 51, 49, 50)
    bars = bars_of([wide, wide, narrow, narrow, (50, 50, 45, 50)], splits=on({2: 2.0}))
    stops = vb.Stops(hard=vb.Atr(2), atr_window=2)
    assert_rows(run(bars, signals(". . L"), sizing=ONE, stops=stops).exits(), [(4, 46.0, "stop")])


def test_T9_sigma_is_of_what_strategies_read() -> None:
    # prices that do not move but for the split: no volatility
    bars = bars_of([100, 100, 50, 50], splits=on({2: 2.0}))
    out = run(bars, signals(". . L"), sizing=vb.VolatilitySizing(window=5))
    assert_rows(out.ordered(), [(2, 0.0, 0.0, "rejected", "volatility")])


def test_T9_fixed_fractional_sizes_by_raw_distances() -> None:
    # 1 % of 1000 at 5 % of 50: 10 / 2.5 = 4
    bars = bars_of([100, 100, 50, 50], splits=on({2: 2.0}))
    out = run(bars, signals(". . L"), sizing=vb.FixedFractionalSizing(0.01, 0.5), stops=vb.Stops(hard=0.05))
    assert_rows(out.filled(), [(3, 4.0, 50.0)])
