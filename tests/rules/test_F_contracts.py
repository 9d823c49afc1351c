"""F12 and F13: futures and perpetuals, leverage, margin calls and ruin. Deposits (F15) are in `test_F_flows`.

A contract moves cash by its moves alone, so equity is cash. Unless it is said otherwise 1,000 hold 10 units at 100 (F4).
"""

from __future__ import annotations

import math
from typing import Any

import pytest

import vecbt as vb
from tests.rules.helpers import assert_rows, bars_of, quantities, run, run_in_every_order, signals, weights
from tests.rules.orders import buy, ends, rows, sell
from tests.rules.sides import BOTH_FILLS, BOTH_SIDES, at, sided, sign, word

KINDS = pytest.mark.parametrize("kind", ["future", "perpetual"])
FUTURE: dict[str, Any] = {"instrument": "future"}
OIL: dict[str, Any] = {"instrument": "future", "allow_negative": True}

# --- F12: cash -------------------------------------------------------------------------------------------------------------------


@KINDS
@BOTH_SIDES
def test_F12_only_moves_are_in_cash(side: str, kind: str) -> None:
    """5 of 2 a point from the open at 101: closes of 103 and 99 make +20 and -40, the sale at 104 makes +50."""
    q = sign(side)
    bars = bars_of([100, (101, 103, 101, 103), 99, 104], instrument=kind, multiplier=2.0)
    out = run(bars, quantities([5 * q, None, 0]), initial_capital=2000.0)
    assert_rows(out.cash, [2000, 2000 + 20 * q, 2000 - 20 * q, 2000 + 30 * q])
    assert out.equity == out.cash
    assert_rows([out.trades[0].pnl, float(out.raw.accounts.realized[0])], [30 * q, 30 * q])


@BOTH_SIDES
def test_F12_at_a_fill_all_that_is_held_is_marked_at_its_price(side: str) -> None:
    """5 at 100; 3 more at the open of 110, less 2 at the open of 120 (each with 1 of spread); closes 105, 115."""
    q = sign(side)
    prices = [100, 100, (110, 110, 105, 105), (120, 120, 115, 115)]
    out = run(sided(side, prices, **FUTURE), quantities([5 * q, 8 * q, 6 * q]), initial_capital=2000.0, costs=vb.Costs(half_spread=1.0))
    # 101 -> close 100: -5; to 111: +55, to 105: -48; to 119: +112, 6 to 115: -24
    assert_rows(out.cash, [2000, 1995, 1995 + 55 - 48, 2002 + 112 - 24])
    assert_rows([float(out.raw.assets.avg[0])], [at(side, (5 * 101 + 3 * 111) / 8)])
    # F3: realized and unrealized are those of average prices
    avg = (5 * 101 + 3 * 111) / 8
    assert_rows([float(out.raw.accounts.realized[0]), out.equity[-1]], [2 * (119 - avg), 2000 + 2 * (119 - avg) + 6 * (115 - avg)])


def test_F12_commission_is_of_the_notional() -> None:
    out = run(bars_of([100, 100, 100], multiplier=2.0, **FUTURE), quantities([2, -1]), costs=vb.Costs(commission_rate=0.01))
    assert_rows([f.commission for f in out.fills], [4.0, 6.0])
    assert_rows(out.cash, [1000, 996, 990])
    assert [(t.side, t.pnl) for t in out.trades] == [(1, -8.0)]


def test_F12_with_close_fills_the_move_of_the_bar_is_of_what_was_held() -> None:
    out = run(bars_of([100, 110, 120, 115], **FUTURE), quantities([4, 6, 0]), fill="close")
    assert_rows(out.cash, [1000, 1040, 1100, 1100])


def test_F12_starting_positions_cost_nothing_and_are_settled_at_their_entry_price() -> None:
    out = run(bars_of([100, 105], **FUTURE), signals("."), positions={"A": (5.0, 90.0)})
    assert_rows(out.cash, [1050, 1075])
    assert_rows(out.raw.initial.tolist(), [1000])


@BOTH_SIDES
def test_F12_exits_are_settled_at_their_price(side: str) -> None:
    """A stop at 95 inside the bar: the move of 5 units to it is all there is. A delisting: the mark less its haircut; the end: the mark."""
    q = sign(side)
    out = run(sided(side, [100, 100, (98, 99, 90, 91), 91], tick=1.0, **FUTURE), quantities([5 * q]), stops=vb.Stops(hard=vb.Ticks(5)))
    assert_rows(out.cash, [1000, 1000, 975, 975])
    bars = bars_of({"A": [100, 100, 90], "B": [1.0] * 3}, delistings={"A": ("2024-01-03", 0.1)}, **FUTURE)
    assert_rows(run(bars, quantities({"A": [5 * q]})).cash, [1000, 1000, 1000 + q * 5 * (81 - 100)])
    assert_rows(run(bars_of([100, 100, 90], **FUTURE), quantities([5 * q]), liquidate_at_end=True).cash, [1000, 1000, 1000 - 50 * q])


def test_F12_kinds_by_symbol_share_one_account() -> None:
    bars = bars_of({"A": [100, 100, 110], "B": [100, 100, 110]}, instrument={"B": "future"})
    out = run_in_every_order(bars, quantities({"A": [4], "B": [5]}))
    assert_rows(out.cash, [1000, 600, 650])
    assert_rows(out.equity, [1000, 1000, 1090])


def test_F12_T1_a_split_of_a_contract_moves_no_money() -> None:
    bars = bars_of([100, 100, 50, 55], instrument="perpetual", splits={"A": {"2024-01-03": 2.0}})
    assert_rows(run(bars, quantities([5])).cash, [1000, 1000, 1000, 1050])


# --- F12, F4: margins ------------------------------------------------------------------------------------------------------------


@BOTH_SIDES
def test_F12_F4_without_a_margin_of_its_own_a_contract_takes_its_notional(side: str) -> None:
    q = sign(side)
    assert_rows(run(bars_of([100, 100], **FUTURE), quantities([20 * q])).ordered(), [(0, 20 * q, 10 * q, "partial", "cash")])
    out = run(bars_of([100, 100], **FUTURE), quantities([50 * q]), leverage=3.0)
    assert_rows(out.ordered(), [(0, 50 * q, 30 * q, "partial", "cash")])


@BOTH_SIDES
@pytest.mark.parametrize("leverage", [1.0, 2.0, 4.0])
def test_F12_F4_an_initial_margin_is_money_per_unit_whatever_the_leverage(side: str, leverage: float) -> None:
    # 1000 of equity, 40 a contract: 25 of them, of a notional of 2500
    q = sign(side)
    out = run(bars_of([100, 100], initial_margin=40.0, **FUTURE), quantities([30 * q]), leverage=leverage)
    assert_rows(out.ordered(), [(0, 30 * q, 25 * q, "partial", "cash")])
    # after commission: 40 + 10 each
    out = run(bars_of([100, 100], initial_margin=40.0, **FUTURE), quantities([30 * q]), leverage=leverage, costs=vb.Costs(per_unit=10.0))
    assert_rows(out.ordered(), [(0, 30 * q, 20 * q, "partial", "cash")])


def test_F12_F4_margins_and_notionals_share_the_room() -> None:
    # B's 300 are held; of 700 left A's margin takes 40 each: 17.5; with L = 2 room is 2000 - 300, A's count twice 40: 21.25
    bars = bars_of({"A": [100.0] * 3, "B": [100.0] * 3}, instrument={"A": "future"}, initial_margin={"A": 40.0})
    given = quantities({"A": [None, 50], "B": [3]})
    assert_rows(run_in_every_order(bars, given).filled("A"), [(2, 17.5, 100.0)])
    assert_rows(run_in_every_order(bars, given, leverage=2.0).filled("A"), [(2, 21.25, 100.0)])


@pytest.mark.parametrize(("opening", "more"), [(110, 16.0), (100, 15.0), (70, 12.0)])
def test_F12_F4_room_is_of_the_equity_at_the_open(opening: float, more: float) -> None:
    # 5 held at 100 with a margin of 50: 250; the move to the open is in the room: 1050 - 250, 1000 - 250, 850 - 250
    bars = bars_of([100, 100, opening], initial_margin=50.0, **FUTURE)
    out = run(bars, quantities([5, 50]))
    assert_rows(out.filled()[1:], [(2, more, opening)])


def test_F12_S3_sizes_in_money_are_of_the_notional() -> None:
    bars = bars_of([50, 50], multiplier=4.0, initial_margin=10.0, **FUTURE)
    assert_rows(run(bars, signals("L"), sizing=vb.Notional(800)).filled(), [(1, 4.0, 50.0)])
    assert_rows(run(bars, weights([-2.0])).filled(), [(1, -10.0, 50.0)])
    # cash: half of the room, at 10 of margin each
    assert_rows(run(bars, signals("L"), sizing=vb.Cash(0.5)).filled(), [(1, 50.0, 50.0)])


# --- F12: prices that are not above 0 --------------------------------------------------------------------------------------------


@BOTH_SIDES
def test_F12_prices_may_fall_through_zero(side: str) -> None:
    q = sign(side)
    out = run(bars_of([10, 10, 0, -5, (-8, -2, -8, -2)], **OIL), quantities([5 * q, None, None, 0]))
    assert_rows(out.cash, [1000, 1000, 1000 - 50 * q, 1000 - 75 * q, 1000 - 90 * q])
    assert_rows(out.exits(), [(4, -8.0, "signal")])
    # M7: from 10 down to -8 is 180 % of 10
    trade = out.trades[0]
    assert_rows([trade.mae, trade.mfe], [1.8, 0.0] if q > 0 else [0.0, 1.8])


@BOTH_SIDES
def test_F12_F1_costs_are_of_absolute_prices_and_a_sale_may_be_below_zero(side: str) -> None:
    # 100 bps of |-50| are 0.5, and 1 of spread; a tenth of a percent of 5 * |p|
    q = sign(side)
    costs = vb.Costs(slippage_bps=100, half_spread=1.0, commission_rate=0.001)
    out = run(bars_of([-50, -50], **OIL), quantities([5 * q]), costs=costs)
    price = -50 + 1.5 * q
    assert_rows([(f.q, f.price, f.commission, f.slippage) for f in out.fills], [(5 * q, price, 5 * -price * 0.001, 7.5)])
    # where prices are above 0 a sale has its floor at 0
    assert_rows(run(bars_of([1, 1], **FUTURE), quantities([-5]), costs=vb.Costs(half_spread=3.0)).filled(), [(1, -5.0, 0.0)])


@BOTH_SIDES
@pytest.mark.parametrize(("close", "units"), [(-50, 4.0), (50, 4.0), (-0.5, 400.0)])
def test_F12_sizes_in_money_are_made_units_at_the_absolute_close(side: str, close: float, units: float) -> None:
    q = sign(side)
    bars = bars_of([close, close], **OIL)
    assert_rows(run(bars, word(side, "L"), sizing=vb.Notional(200)).filled(), [(1, q * units, close)])
    assert_rows(run(bars, word(side, "L"), sizing=vb.Weight(0.2)).filled(), [(1, q * units, close)])
    assert_rows(run(bars, weights([0.2 * q])).filled(), [(1, q * units, close)])


def test_F12_at_a_price_of_zero_sizes_in_money_are_zero() -> None:
    bars = bars_of([10, 0, 5, 5], **OIL)
    assert_rows(run(bars, signals(". L"), sizing=vb.Notional(200)).ordered(), [(1, 0.0, 0.0, "rejected", "cash")])
    assert_rows(run(bars, weights([0.5, 0.5])).filled(), [(1, 50.0, 0.0), (2, -50.0, 5.0)])
    assert_rows(run(bars, signals(". L"), sizing=vb.Units(3)).filled(), [(2, 3.0, 5.0)])


@BOTH_SIDES
def test_F12_M7_excursions_of_an_entry_at_zero_are_undefined(side: str) -> None:
    out = run(bars_of([5, (0, 5, 0, 5), 5, 5], **OIL), quantities([2 * sign(side), 0]))
    assert (out.trades[0].entry_price, math.isnan(out.trades[0].mae), math.isnan(out.trades[0].mfe)) == (0.0, True, True)


@pytest.mark.parametrize(
    "stops",
    [
        vb.Stops(hard=0.05),
        vb.Stops(trailing=vb.Pct(5)),
        vb.Stops(take_profit=vb.Pct(5)),
        vb.Stops(trailing=vb.Ticks(5), activation=vb.Pct(1)),
    ],
    ids=["stop", "trail", "target", "activation"],
)
def test_F12_percentage_levels_are_an_error_where_prices_are_not_above_zero(stops: vb.Stops) -> None:
    bars = bars_of({"A": [10] * 4, "B": [10, 10, (5, 5, -1, 5), 5]}, tick=1.0, **OIL)
    with pytest.raises(vb.errors.DataError, match=r"B has a price of -1\.0 at 2024-01-03"):
        run(bars, quantities({"A": [1]}), stops=stops)
    stream = vb.Stream(vb.Quantities, market=bars.market, costs=vb.Costs.free(), stops=stops)
    for t in range(2):
        stream.update(bars.row(t))
    with pytest.raises(vb.errors.DataError, match=r"B has a price of -1\.0 at 2024-01-03"):
        stream.update(bars.row(2))
    above = bars_of([10, 10, (5, 5, 1, 5), 5], tick=1.0, **OIL)
    assert len(run(above, quantities([1]), stops=stops).fills) > 0


@pytest.mark.parametrize("order", [sell(1, "trailing", trail=0.1), buy(1, trailing_stop=0.1)], ids=["trailing order", "bracket"])
def test_F12_percentages_of_orders_are_an_error_too(order: Any) -> None:
    bars = bars_of([10, 10, (5, 5, -1, 5), 5], **OIL)
    with pytest.raises(vb.errors.VecbtError, match=r"A .*2024-01-0"):
        run(bars, rows({0: [order]}))


THROUGH_ZERO = [(10, 12, 4, 10), (10, 12, 4, 10), (-5, -5, -20, -15), -15]  # ranges of 8, then a gap from 10 to -5


def turned(side: str, prices: list[Any]) -> list[Any]:
    """Prices mirrored around 0 for a short."""
    if side == "long":
        return prices
    return [-p if isinstance(p, int) else (-p[0], -p[2], -p[1], -p[3]) for p in prices]


@BOTH_SIDES
@pytest.mark.parametrize(
    ("stops", "level", "reason"),
    [
        (vb.Stops(hard=vb.Ticks(20)), -10.0, "stop"),
        (vb.Stops(hard=vb.Atr(2), atr_window=1), -6.0, "stop"),
        (vb.Stops(trailing=vb.Ticks(20)), -8.0, "trail"),
    ],
    ids=["ticks", "atr", "trail"],
)
def test_F12_other_levels_protect_below_zero(side: str, stops: vb.Stops, level: float, reason: str) -> None:
    # bought at 10; 20 ticks are -10, 2 ATR of 8 are -6, 20 ticks below the high of 12 are -8
    q = sign(side)
    out = run(bars_of(turned(side, THROUGH_ZERO), tick=1.0, **OIL), quantities([2 * q]), stops=stops)
    assert_rows(out.exits(), [(2, level * q, reason)])


@BOTH_SIDES
def test_F12_P1_a_level_given_as_a_price_may_be_below_zero(side: str) -> None:
    q = sign(side)
    bars = bars_of(turned(side, THROUGH_ZERO), tick=1.0, **OIL)
    bracket = run(bars, lambda b: vb.Orders({b.times[0]: [vb.Order(quantity=2 * q, stop_loss=-12 * q)]}))
    assert_rows(bracket.exits(), [(2, -12.0 * q, "stop")])
    assert_rows(run(bars, quantities([2 * q]), stops=vb.Stops(hard=vb.Price(-12 * q))).exits(), [(2, -12.0 * q, "stop")])


def test_F12_W3_the_band_is_of_absolute_money() -> None:
    # 10 short at -50 are a weight of -0.5: within 0.1 of -0.45
    bars = bars_of([-50] * 3, **OIL)
    assert_rows(run(bars, weights([-0.5, -0.45, -0.3]), band=0.1).filled(), [(1, -10.0, -50.0)])


def test_B1_prices_below_zero_are_refused_where_the_market_does_not_say_so() -> None:
    with pytest.raises(vb.errors.DataError):
        bars_of([10, -5], **FUTURE)


# --- F13: leverage ---------------------------------------------------------------------------------------------------------------


@BOTH_SIDES
def test_F13_F4_leverage_is_the_most_exposure_for_new_risk(side: str) -> None:
    q = sign(side)
    out = run(bars_of([100] * 3), quantities([50 * q, 50 * q]), leverage=2.0)
    assert_rows(out.ordered(), [(0, 50 * q, 20 * q, "partial", "cash"), (1, 30 * q, 0.0, "rejected", "cash")])
    # commission comes out of equity, which counts twice: 100 q <= 2 (1000 - 10 q)
    out = run(bars_of([100] * 2), quantities([50 * q]), leverage=2.0, costs=vb.Costs(per_unit=10.0))
    assert_rows(out.filled(), [(1, q * 2000 / 120, 100.0)])


def test_F13_F4_leverage_of_what_a_fill_costs_against_the_mark() -> None:
    # bought at 105, marked at 100: the test is at the fill price, as without leverage
    out = run(bars_of([100] * 2), quantities([50]), leverage=2.0, costs=vb.Costs(half_spread=5.0))
    assert_rows(out.filled(), [(1, 2000 / 105, 105.0)])


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"leverage": 0.5}, "leverage is 0.5"), ({"leverage": True}, "leverage is True"), ({"maintenance": 1.0}, "maintenance is 1.0"),
        ({"maintenance": -0.1}, "maintenance is -0.1"), ({"leverage": 5.0}, r"maintenance 0.25 of exposure at leverage 5.0"),
    ],
)  # fmt: skip
def test_F13_numbers_that_make_no_sense_are_refused(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(vb.errors.ConfigError, match=message):
        run(bars_of([100, 100]), quantities([1]), **keywords)


# --- F13: margin calls -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("last", "called"), [(67.0, False), (66.0, True)])
@BOTH_FILLS
def test_F13_a_long_is_closed_when_equity_is_under_a_quarter_of_it(fill: str, last: float, called: bool) -> None:
    # 20 at 100 on 1000 at L = 2: at 67 equity is 340 and needs 335, at 66 it is 320 and needs 330; the next bar is at 70
    out = run(bars_of([100, 100, last, 70]), quantities([20]), leverage=2.0, fill=fill)
    closed = (3, -20.0, 70.0) if fill == "next_open" else (2, -20.0, last)
    assert_rows(out.filled()[1:], [closed] if called else [])
    assert_rows([(o.t, o.status, o.reason) for o in out.orders[1:]], [(2, "filled", "margin")] if called else [])
    if called and fill == "close":
        assert_rows(out.cash[2:], [320, 320])  # the record of the bar is net of it


@pytest.mark.parametrize(("last", "called"), [(160.0, False), (161.0, True)])
def test_F13_so_is_a_short_without_leverage(last: float, called: bool) -> None:
    # 10 short at 100: at 160 equity is 2000 - 1600 = 400 = a quarter of 1600; at 161 it is 390 and needs 402.5
    out = run(bars_of([100, 100, last, 150]), quantities([-10]))
    assert_rows(out.exits(), [(3, 150.0, "margin")] if called else [])


def test_F13_all_positions_go_when_their_sum_is_too_much() -> None:
    # A 10 long at 100, B 10 short at 100, L = 2; B at 170: equity 300, gross 2700, which needs 675
    bars = bars_of({"A": [100] * 4, "B": [100, 100, 170, 160], "C": [10] * 4})
    out = run_in_every_order(bars, quantities({"A": [10, None, 12], "B": [-10], "C": [None, None, 5]}), leverage=2.0)
    assert_rows(out.exits("A") + out.exits("B"), [(3, 100.0, "margin"), (3, 160.0, "margin")])
    # A's row is not heard while it lasts (S4), C's new risk is refused
    assert_rows(out.ordered("C"), [(2, 5.0, 0.0, "rejected", "margin")])
    assert [o.t for o in out.orders if o.asset == "A"] == [0, 2]


@pytest.mark.parametrize(
    ("maintenance", "last", "called"), [(0.5, 100, False), (0.5, 99, True), (0.4, 84, False), (0.4, 83, True), (0.0, 51, False)]
)
def test_F13_maintenance_is_a_parameter(maintenance: float, last: float, called: bool) -> None:
    # 20 at L = 2: equity 20 p - 1000 against m of 20 p: called below 100 for a half, below 83.3 for 0.4, never for 0
    out = run(bars_of([100, 100, last, last]), quantities([20]), leverage=2.0, maintenance=maintenance)
    assert [reason for _, _, reason in out.exits()] == (["margin"] if called else [])


@pytest.mark.parametrize(("last", "called"), [(92.0, False), (91.0, True)])
def test_F13_F12_a_maintenance_margin_of_its_own_is_money_per_unit(last: float, called: bool) -> None:
    # 20 contracts of 50 initial and 42 maintenance: 840; at 92 equity is 840, at 91 it is 820
    bars = bars_of([100, 100, last, last], initial_margin=50.0, maintenance_margin=42.0, **FUTURE)
    out = run(bars, quantities([20]))
    assert_rows(out.exits(), [(3, last, "margin")] if called else [])


def test_F13_new_risk_is_refused_while_it_lasts_and_allowed_after() -> None:
    # called at bar 2, closed at the open of bar 3 at 66: 320 are left, 3 at 66 are bought again
    out = run(bars_of([100, 100, 66, 66, 66]), quantities([20, None, 30, 3]), leverage=2.0)
    assert_rows([(f.t, f.q, f.reason) for f in out.fills], [(1, 20.0, "signal"), (3, -20.0, "margin"), (4, 3.0, "signal")])


def test_F13_waiting_new_risk_is_cancelled() -> None:
    # B's entry of bar 1 waits for a market, which comes with bar 3; A's fall calls at bar 2
    bars = bars_of({"A": [100, 100, 66, 66], "B": [10, None, None, 10]})
    out = run(bars, quantities({"A": [20], "B": [3]}), leverage=2.0, initial_capital=1000.0)
    assert_rows(out.ordered("B"), [(0, 3.0, 0.0, "cancelled", "margin")])
    assert [o.done for o in out.orders if o.asset == "B"] == [2]


def test_F13_O6_resting_orders_are_cancelled_but_those_that_only_reduce() -> None:
    # the purchase at 61 is cancelled at bar 2; the sale at 120 waits on, and finds nothing to reduce after the exit at the open of bar 3
    bars = bars_of([100, 100, 66, (66, 121, 60, 66), (66, 70, 60, 66)])
    given = {0: [buy(20), buy(1, "limit", limit=61), sell(20, "limit", limit=120, reduce_only=True)]}
    out = run(bars, rows(given), leverage=2.0)
    assert_rows([(f.t, f.q, f.reason) for f in out.fills], [(1, 20.0, "signal"), (3, -20.0, "margin")])
    assert ends(out) == [("filled", "", 1), ("cancelled", "margin", 2), ("rejected", "reduce_only", 3)]


def test_F13_an_exit_that_cannot_fill_waits_and_the_row_is_not_heard() -> None:
    bars = bars_of({"A": [100, 100, 66, None, 66], "B": [10] * 5})
    out = run(bars, quantities({"A": [20, None, 5, None], "B": [None, None, None, 1]}), leverage=2.0)
    assert_rows(out.exits("A"), [(4, 66.0, "margin")])
    assert_rows(out.ordered("B"), [(3, 1.0, 0.0, "rejected", "margin")])


def test_F13_margin_comes_before_risk_and_time() -> None:
    # at bar 2 the account is called, 68 % down, and its time is up
    risk, stops = vb.Risk(zones=vb.Zones(liquidate_at=0.1)), vb.Stops(time_bars=1)
    out = run(bars_of([100, 100, 66, 66]), signals("L"), sizing=vb.Units(20), leverage=2.0, risk=risk, stops=stops)
    assert_rows(out.exits(), [(3, 66.0, "margin")])
    # an order that waits is cancelled by margin too
    bars = bars_of({"A": [100, 100, 66, 66], "B": [10, None, None, 10]})
    out = run(bars, quantities({"A": [20], "B": [3]}), leverage=2.0, risk=risk)
    assert_rows(out.ordered("B"), [(0, 3.0, 0.0, "cancelled", "margin")])


def test_F13_a_protective_exit_comes_first() -> None:
    out = run(bars_of([100, 100, (99, 99, 60, 60), 60]), quantities([20]), leverage=2.0, stops=vb.Stops(hard=0.1))
    assert_rows(out.exits(), [(2, 90.0, "stop")])


def test_F13_separate_accounts_are_called_one_by_one() -> None:
    bars = bars_of({"A": [100, 100, 66, 66], "B": [100, 100, 70, 70]})
    out = run(bars, quantities({"A": [20], "B": [20]}), leverage=2.0, accounts="separate")
    assert [(t.asset, t.reason) for t in out.trades] == [("A", "margin")]


# --- F13: ruin -------------------------------------------------------------------------------------------------------------------


@BOTH_SIDES
@pytest.mark.parametrize("last", [50.0, 40.0])
def test_F13_ruin_is_latched(side: str, last: float) -> None:
    """20 at L = 2 and 50 lower: nothing is left (or less). A later deposit does not change that: no new risk, rule margin."""
    q = sign(side)
    bars = sided(side, [100, 100, last, last, last, last])
    out = run(bars, quantities([20 * q, None, None, None, 2 * q]), leverage=2.0, flows={"2024-01-05": 5000.0})
    assert_rows(out.exits(), [(3, at(side, last), "margin")])
    assert_rows(out.ordered()[2:], [(4, 2 * q, 0.0, "rejected", "margin")])
    assert_rows(out.equity[-1:], [5000 + 20 * (last - 50)])


def test_F13_ruin_needs_no_maintenance() -> None:
    out = run(bars_of([100, 100, 50, 50, 60]), quantities([20, None, None, 1]), leverage=2.0, maintenance=0.0)
    assert [reason for _, _, reason in out.exits()] == ["margin"]
    out = run(bars_of([100, 100, 50.001, 50.001]), quantities([20]), leverage=2.0, maintenance=0.0)
    assert out.exits() == []


def test_F13_T7_ruin_seen_by_the_first_T6_stays_with_close_fills() -> None:
    out = run(bars_of([100, 100, 50, 60, 60]), quantities([20, None, None, 1]), leverage=2.0, maintenance=0.0, fill="close")
    assert_rows(out.filled(), [(0, 20.0, 100.0), (2, -20.0, 50.0)])
    assert_rows(out.ordered()[2:], [(3, 1.0, 0.0, "rejected", "margin")])


def test_F13_a_total_loss_without_leverage_is_ruin_too() -> None:
    # a delisting at nothing: no equity, and no new risk in B even when money comes
    bars = bars_of({"A": [100, 100, 100, 100, 100], "B": [10] * 5}, delistings={"A": ("2024-01-03", 1.0)})
    out = run(bars, quantities({"A": [10], "B": [None, None, None, 5]}), flows={"2024-01-04": 1000.0})
    assert_rows(out.equity, [1000, 1000, 0, 1000, 1000])
    assert_rows(out.ordered("B"), [(3, 5.0, 0.0, "rejected", "margin")])
