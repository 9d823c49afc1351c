"""F1, F2 and F3: the price of a fill, its commission, and the cash and equity that follow."""

from __future__ import annotations

import math

import pytest

import vecbt as vb
from tests.rules.helpers import assert_rows, bars_of, quantities, run, signals
from vecbt.errors import ConfigError

RICH = 10_000.0

# --- F1: the price of a fill -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("costs", "bought", "sold"),
    [
        (vb.Costs(slippage_bps=100), 202.0, 198.0),  # 1 % of 200
        (vb.Costs(half_spread=0.5), 200.5, 199.5),
        (vb.Costs(slippage_bps=100, half_spread=0.5), 202.5, 197.5),  # they add up
    ],
)
def test_F1_slippage_worsens_the_open_for_buys_and_sells(costs: vb.Costs, bought: float, sold: float) -> None:
    # the bar's range is 190 to 200: the fill may leave it
    bars = bars_of([100, (200, 200, 190, 195), (200, 200, 190, 195)])
    long = run(bars, signals("L l"), sizing=vb.Units(2), costs=costs)
    assert_rows(long.filled(), [(1, 2.0, bought), (2, -2.0, sold)])
    short = run(bars, signals("S s"), sizing=vb.Units(2), costs=costs)
    assert_rows(short.filled(), [(1, -2.0, sold), (2, 2.0, bought)])
    # the log keeps the reference and what the difference cost: 2 units
    assert [f.ref for f in long.fills] == [200.0, 200.0]
    assert_rows([f.slippage for f in long.fills], [2 * (bought - 200), 2 * (200 - sold)])


def test_F1_a_sale_s_price_is_at_least_0() -> None:
    # 2 bought at 100 + 150 and sold at 0, not at -50; the sale costs 100 a unit
    out = run(bars_of([100.0] * 3), signals("L l"), sizing=vb.Units(2), costs=vb.Costs(half_spread=150))
    assert_rows(out.filled(), [(1, 2.0, 250.0), (2, -2.0, 0.0)])
    assert_rows([f.slippage for f in out.fills], [300.0, 200.0])
    assert_rows(out.equity, [1000, 700, 500])


def test_F1_the_reference_is_the_close_for_close_fills() -> None:
    out = run(bars_of([(90, 210, 90, 200), 100]), signals("L"), sizing=vb.Units(2), costs=vb.Costs(slippage_bps=100), fill="close")
    assert_rows(out.filled(), [(0, 2.0, 202.0)])


@pytest.mark.parametrize(("entry", "bar", "exit_price"), [(2.0, (100, 100, 85, 95), 89.1), (-2.0, (100, 115, 99, 100), 111.1)])
def test_F1_the_reference_of_a_stop_is_its_level(entry: float, bar: tuple[float, ...], exit_price: float) -> None:
    # in at 100 without slippage (a starting position); the stops are at 90 and 110; 1 % worse
    stops = vb.Stops(hard=0.1)
    out = run(bars_of([100, bar]), signals("."), stops=stops, costs=vb.Costs(slippage_bps=100), positions={"A": (entry, 100.0)})
    assert_rows(out.filled(), [(1, -entry, exit_price)])
    assert_rows([out.fills[0].ref], [90.0 if entry > 0 else 110.0])


def test_F1_a_target_is_a_limit_and_has_no_slippage() -> None:
    known = {"costs": vb.Costs(slippage_bps=100, half_spread=3), "stops": vb.Stops(take_profit=vb.Pct(10))}
    out = run(bars_of([100, (100, 115, 100, 100)]), signals("."), positions={"A": (2.0, 100.0)}, **known)
    assert_rows(out.filled(), [(1, -2.0, 110.0)])
    assert out.fills[0].slippage == 0.0


@pytest.mark.parametrize(("q", "price"), [(25.0, 220.0), (-25.0, 180.0)])
def test_F1_volume_share_uses_sigma_before_and_the_volume_of_the_fill_bar(q: float, price: float) -> None:
    # sigma of the last bar only: bar 0 moved 100 to 110. At bar 1: 2 * 0.1 * sqrt(25 / 100) = 10 % of 200. Bar 1's own move
    # (110 to 400) comes later, bar 0's volume is not that of the fill
    bars = bars_of([(100, 110, 100, 110, 1), (200, 400, 200, 400, 100)])
    out = run(bars, quantities([q]), costs=vb.Costs(volume_share=2.0, volume_window=1), initial_capital=RICH)
    assert_rows(out.filled(), [(1, q, price)])


def test_F1_all_models_add_up() -> None:
    costs = vb.Costs(slippage_bps=100, half_spread=0.5, volume_share=2.0, volume_window=1)
    bars = bars_of([(100, 110, 100, 110, 1), (200, 200, 200, 200, 100)])
    out = run(bars, quantities([25]), costs=costs, initial_capital=RICH)
    # 200 + 2 + 0.5 + 20
    assert_rows(out.filled(), [(1, 25.0, 222.5)])


def test_F1_a_close_fill_uses_sigma_up_to_the_bar_before_and_its_own_volume() -> None:
    costs = vb.Costs(volume_share=2.0, volume_window=1)
    bars = bars_of([(100, 110, 100, 110, 1), (200, 220, 200, 220, 100)])
    out = run(bars, quantities([None, 25]), costs=costs, initial_capital=RICH, fill="close")
    # 220 * (1 + 2 * 0.1 * 0.5)
    assert_rows(out.filled(), [(1, 25.0, 242.0)])


def test_F1_before_the_first_bar_sigma_is_zero() -> None:
    costs = vb.Costs(volume_share=2.0)
    first = (100, 200, 100, 200, 100)
    out = run(bars_of([first]), quantities([25]), costs=costs, initial_capital=RICH, fill="close")
    assert_rows(out.filled(), [(0, 25.0, 200.0)])
    # bars without a market are none
    out = run(bars_of([None, first]), quantities([None, 25]), costs=costs, initial_capital=RICH, fill="close")
    assert_rows(out.filled(), [(1, 25.0, 200.0)])


def test_F1_sigma_is_the_root_mean_square_of_the_last_valid_bars() -> None:
    def impact(prices: list[object], window: int) -> float:
        """Fraction that 4 of 4 units move the price of the bar after `prices`."""
        bars = bars_of([*prices, (100, 100, 100, 100, 4)])
        rows = [None] * (len(prices) - 1) + [4]
        costs = vb.Costs(volume_share=1.0, volume_window=window)
        return run(bars, quantities(rows), costs=costs, initial_capital=RICH).fills[0].price / 100 - 1

    # moves of 30 %, -10 %, 10 %: 100 to 130 to 117 to 128.7
    moves: list[object] = [(100, 130, 100, 130, 1), (130, 130, 117, 117, 1), (117, 128.7, 117, 128.7, 1)]
    assert impact(moves, 20) == pytest.approx(math.sqrt((0.09 + 0.01 + 0.01) / 3))  # fewer bars than the window
    assert impact(moves, 2) == pytest.approx(0.1)  # the last two
    assert impact(moves[:1], 20) == pytest.approx(0.3)  # the first bar counts close over open
    # a bar without a market is none: the move goes from the last close, 130, to 117
    assert impact([moves[0], None, moves[1]], 1) == pytest.approx(0.1)
    assert impact([moves[0], None, moves[1]], 2) == pytest.approx(math.sqrt(0.05))


def test_F1_the_impact_is_that_of_the_quantity_before_the_cut() -> None:
    bars = bars_of([(100, 110, 100, 110, 1), (200, 200, 200, 200, 100)])
    costs = vb.Costs(volume_share=2.0, volume_window=1)
    # 25 wanted: 220 a unit (above); 1100 buy 5 of them
    out = run(bars, quantities([25]), costs=costs, initial_capital=1100.0)
    assert_rows(out.filled(), [(1, 5.0, 220.0)])
    assert_rows(out.ordered(), [(0, 25.0, 5.0, "partial", "cash")])


def test_F1_the_impact_of_a_flip_is_that_of_the_whole_order() -> None:
    bars = bars_of([(100, 110, 100, 110, 1), (200, 200, 200, 200, 100)])
    costs = vb.Costs(volume_share=2.0, volume_window=1)
    # from 10 to -15 are 25 of 100 units: 200 * 0.9, both parts
    out = run(bars, quantities([-15]), costs=costs, initial_capital=RICH, positions={"A": (10.0, 100.0)})
    assert_rows(out.filled(), [(1, -25.0, 180.0)])


def test_F1_no_volume_column_and_volume_share_is_an_error() -> None:
    with pytest.raises(ConfigError, match="volume"):
        run(bars_of([100, 100]), signals("L"), costs=vb.Costs(volume_share=1.0))


# --- F2: commission ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("q", [10.0, -10.0])
@pytest.mark.parametrize(
    ("costs", "fee"),
    [
        (vb.Costs(commission_rate=0.01), 10.0),  # of 1000
        (vb.Costs(per_unit=0.5), 5.0),
        (vb.Costs(per_order=3.0), 3.0),
        (vb.Costs(commission_rate=0.01, per_unit=0.5, per_order=3.0), 18.0),
        (vb.Costs(commission_rate=0.001, minimum=5.0), 5.0),  # 1 is too little
        (vb.Costs(per_order=50.0, maximum_rate=0.02), 20.0),  # 50 is too much
        (vb.Costs(minimum=50.0, maximum_rate=0.01), 10.0),  # the maximum over the minimum
        (vb.Costs(commission_rate=0.01, minimum=5.0, maximum_rate=0.02), 10.0),  # between them
    ],
)
def test_F2_commission_is_clipped_between_minimum_and_maximum(costs: vb.Costs, fee: float, q: float) -> None:
    out = run(bars_of([100, 100]), quantities([q]), costs=costs, initial_capital=RICH)
    assert_rows([f.commission for f in out.fills], [fee])
    assert_rows(out.equity, [RICH, RICH - fee])


def test_F2_notional_counts_the_multiplier_units_do_not() -> None:
    bars = bars_of([100, 100], multiplier=5.0)
    out = run(bars, quantities([10]), costs=vb.Costs(commission_rate=0.01), initial_capital=RICH)
    assert_rows([f.commission for f in out.fills], [50.0])
    out = run(bars, quantities([10]), costs=vb.Costs(per_unit=0.5, half_spread=2), initial_capital=RICH)
    assert_rows([f.commission for f in out.fills], [5.0])
    # slippage is money too: 10 * 2 * 5
    assert_rows([f.slippage for f in out.fills], [100.0])


def test_F2_it_is_of_the_fill_price() -> None:
    # 10 at 110 with slippage
    out = run(bars_of([100, 100]), quantities([10]), costs=vb.Costs(commission_rate=0.01, half_spread=10), initial_capital=RICH)
    assert_rows([f.commission for f in out.fills], [11.0])


def test_F2_a_limit_fill_pays_the_maker_rate() -> None:
    bars = bars_of([100, (100, 105, 100, 105), (105, 115, 105, 110)])
    stops = vb.Stops(take_profit=vb.Pct(10))
    out = run(bars, quantities([10]), costs=vb.Costs(commission_rate=0.01, maker_rate=0.001), stops=stops, initial_capital=RICH)
    # 1000 at the taker's 1 %, then 1100 at 0.1 %
    assert_rows([f.commission for f in out.fills], [10.0, 1.1])
    one_rate = run(bars, quantities([10]), costs=vb.Costs(commission_rate=0.01), stops=stops, initial_capital=RICH)
    assert_rows([f.commission for f in one_rate.fills], [10.0, 11.0])


def test_F2_costs_must_be_given() -> None:
    bars = bars_of([100, 100])
    with pytest.raises(ConfigError, match="costs are missing"):
        vb.backtest(bars, signals("L")(bars))
    with pytest.raises(ConfigError, match="all zero"):
        vb.Costs()


# --- F3: cash and equity -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("q", "cash"), [(2.0, 1000 - 2 * 100 * 3 - 6), (-2.0, 1000 + 2 * 100 * 3 - 6)])
def test_F3_cash_pays_or_receives_the_notional_less_commission(q: float, cash: float) -> None:
    # multiplier 3, 1 % commission: 2 * 100 * 3 = 600, of which 6
    out = run(bars_of([100, 100, 110], multiplier=3.0), quantities([q]), costs=vb.Costs(commission_rate=0.01))
    assert_rows(out.cash, [1000, cash, cash])
    # equity adds q * x * price: 600 and 660
    assert_rows(out.equity, [1000, cash + q * 300, cash + q * 330])


def test_F3_equity_is_initial_plus_realized_and_unrealized_less_fees_at_each_bar() -> None:
    bars = bars_of([100, 100, 120, 90, 80])
    out = run(bars, quantities([4, 1, -2]), costs=vb.Costs(per_order=1.0))
    # bar 1: buys 4 at 100. bar 2: sells 3 at 120, realizes 60. bar 3: sells 3 at 90: realizes -10 on the last one, short 2 at 90
    assert_rows(out.filled(), [(1, 4.0, 100.0), (2, -3.0, 120.0), (3, -3.0, 90.0)])
    unrealized = [0, 0, 1 * 20, 0, -2 * -10]
    realized = [0, 0, 60, 50, 50]
    fees = [0, 1, 2, 3, 3]
    assert_rows(out.equity, [1000 + r + u - f for r, u, f in zip(realized, unrealized, fees, strict=True)])
    account = out.raw.accounts[0]
    assert (account.realized, account.fees) == (50.0, 3.0)
