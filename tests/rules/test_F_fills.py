"""F6, F8, F9, F11 and F14: flips, bars without a market, average prices, pairs of signals, and what a run starts from.

Prices and costs (F1 to F3) are in `test_F_costs`; what fits, and how it is cut and rounded (F4, F5, F10), in `test_F_room`.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import vecbt as vb
from tests.rules.helpers import assert_rows, bars_of, quantities, run, run_in_every_order, signals

ZERO_VOLUME = (100, 100, 100, 100, 0)

# --- F6: flips ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize(("fill", "first_fill"), [("next_open", 1), ("close", 0)])
def test_F6_a_flip_is_one_fill_that_closes_one_trade_and_opens_another(side: float, fill: str, first_fill: int) -> None:
    prices = [100] * (1 + first_fill) + [110, 110]
    out = run(bars_of(prices), quantities([side * 1, side * -2, 0]), costs=vb.Costs(per_order=3.0), fill=fill)
    t = first_fill
    assert_rows(out.filled(), [(t, side, 100.0), (t + 1, -3 * side, 110.0), (t + 2, 2 * side, 110.0)])
    # one commission each; the flip's 3 are shared by quantity: 1 for the unit closed, 2 for the two opened
    assert [f.commission for f in out.fills] == [3.0, 3.0, 3.0]
    first, second = out.trades
    assert (first.side, first.entry_t, first.exit_t, first.quantity) == (side, t, t + 1, 1.0)
    assert (second.side, second.entry_t, second.exit_t, second.quantity) == (-side, t + 1, t + 2, 2.0)
    assert_rows([first.commission, first.gross, first.pnl], [4.0, side * 10.0, side * 10.0 - 4])
    assert_rows([second.commission, second.gross, second.pnl], [5.0, 0.0, -5.0])
    assert_rows(out.ordered()[1:2], [(1, -3.0 * side, -3.0 * side, "filled", "")])
    assert_rows([out.orders[1].closing, out.orders[1].opening], [-side, -2.0 * side])


def test_F6_the_clip_of_the_commission_counts_the_whole_order() -> None:
    out = run(bars_of([100.0] * 3), quantities([5, -5]), costs=vb.Costs(commission_rate=0.01, minimum=10.0))
    # 500 asks for 5 and pays the minimum of 10; the flip of 1000 asks for 10, which it pays once
    assert_rows([f.commission for f in out.fills], [10.0, 10.0])
    assert_rows([out.trades[0].commission], [15.0])


@pytest.mark.parametrize("fill", ["next_open", "close"])
def test_F6_only_the_opening_part_is_cut(fill: str) -> None:
    out = run(bars_of([100.0] * 3), quantities([5, -20]), fill=fill)
    # closing 5 leaves 1000, room for 10 short
    assert_rows(out.ordered()[1:], [(1, -25.0, -15.0, "partial", "cash")])
    assert out.held() == -10.0
    assert len(out.trades) == 1


@pytest.mark.parametrize(
    ("market", "target", "rule"), [({"min_notional": 150.0}, -1.0, "minimum"), ({"lot": 1.0}, -0.5, "lot")], ids=["minimum", "lot"]
)
def test_F6_an_opening_part_that_is_cut_to_nothing_still_closes(market: dict[str, float], target: float, rule: str) -> None:
    out = run(bars_of([100.0] * 3, **market), quantities([5, target]))
    assert_rows(out.ordered()[1:], [(1, target - 5, -5.0, "partial", rule)])
    assert out.held() == 0.0


def test_F6_both_parts_have_one_price() -> None:
    # sells 3 at 100 - 2: the unit closed and the two opened
    out = run(bars_of([100.0] * 3), quantities([1, -2]), costs=vb.Costs(half_spread=2.0))
    assert_rows(out.filled(), [(1, 1.0, 102.0), (2, -3.0, 98.0)])
    assert out.trades[0].exit_price == 98.0
    assert out.raw.assets[0].avg == 98.0


# --- F8: bars without a market -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("word", "q"), [("L", 2.0), ("S", -2.0)])
def test_F8_an_order_waits_for_the_next_valid_open(word: str, q: float) -> None:
    out = run(bars_of([100, None, None, (110, 130, 90, 120), 120]), signals(word), sizing=vb.Units(2))
    assert_rows(out.filled(), [(3, q, 110.0)])
    assert_rows(out.ordered(), [(0, q, q, "filled", "")])
    assert out.orders[0].done == 3


def test_F8_an_exit_waits_and_the_position_is_marked_at_the_last_close() -> None:
    out = run(bars_of([100, 100, 130, None, 90]), signals("L . l"), sizing=vb.Units(2))
    assert_rows(out.filled(), [(1, 2.0, 100.0), (4, -2.0, 90.0)])
    assert_rows(out.equity, [1000, 1000, 1060, 1060, 980])


def test_F8_levels_meet_no_price_in_the_gap_and_the_open_after_it() -> None:
    # the stop at 90 has no bar to be met in; after the gap the open is past it
    out = run(bars_of([100, 100, None, (80, 85, 75, 80)]), signals("L"), sizing=vb.Units(2), stops=vb.Stops(hard=0.1))
    assert out.exits() == [(3, 80.0, "stop")]


def test_F8_with_close_fills_too_an_order_waits_for_the_open() -> None:
    # a time exit is decided market or not: due at bar 1, which has none; bar 2 opens at 105 and closes at 120
    bars = bars_of([100, None, (105, 125, 100, 120)])
    out = run(bars, signals("L"), sizing=vb.Units(2), stops=vb.Stops(time_bars=1), fill="close")
    assert_rows(out.filled(), [(0, 2.0, 100.0), (2, -2.0, 105.0)])


def test_F8_one_asset_without_a_market_does_not_hold_up_the_other() -> None:
    bars = bars_of({"A": [100, None, 100], "B": [50, 50, 50]})
    out = run_in_every_order(bars, signals({"A": "L", "B": "L"}), sizing=vb.Units(1))
    assert_rows(out.filled("A"), [(2, 1.0, 100.0)])
    assert_rows(out.filled("B"), [(1, 1.0, 50.0)])


def test_F8_without_volume_nothing_fills_where_volume_is_used() -> None:
    bars = bars_of([(100, 100, 100, 100, 10), ZERO_VOLUME, (90, 90, 90, 90, 10)])
    out = run(bars, signals("L"), sizing=vb.Units(1), costs=vb.Costs(volume_share=1.0))
    assert [f.t for f in out.fills] == [2]
    # where it is not used, volume is nobody's business
    out = run(bars, signals("L"), sizing=vb.Units(1))
    assert [f.t for f in out.fills] == [1]


def test_F8_without_volume_protective_exits_do_not_fill_either() -> None:
    # bar 1 falls through the stop at 90 without a trade; bar 2 opens above it
    bars = bars_of([(100, 100, 100, 100, 10), (100, 100, 80, 95, 0), (95, 96, 92, 95, 10)])
    out = run(bars, signals("."), costs=vb.Costs(volume_share=1.0), stops=vb.Stops(hard=0.1), positions={"A": (2.0, 100.0)})
    assert out.fills == []
    assert out.equity[1] == 1190.0  # it has a close all the same


def test_F8_an_asset_that_ends_early_is_delisted_at_the_next_bar() -> None:
    prices = {"A": [100, 100, 80, None, None], "B": [50.0] * 5}
    bars = bars_of(prices, delisting="liquidate")
    assert bars.delist_bar.tolist() == [3, -1]
    assert any("A" in note for note in bars.notes)
    out = run(bars, signals({"A": "L"}), sizing=vb.Units(2))
    assert out.exits("A") == [(3, 80.0, "delisting")]
    held = bars_of(prices, delisting="hold")
    assert held.delist_bar.tolist() == [-1, -1]
    assert run(held, signals({"A": "L"}), sizing=vb.Units(2)).held("A") == 2.0


# --- F9: the average price ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize(("fill", "t"), [("next_open", 1), ("close", 0)])
def test_F9_increases_are_averaged_and_reductions_leave_the_average(side: float, fill: str, t: int) -> None:
    bars = bars_of([100] * (1 + t) + [120, 150, 150])
    out = run(bars, quantities([side * 2, side * 4, side * 3]), fill=fill)
    # 2 at 100 and 2 at 120: 110; one goes at 150 and realizes 40
    assert_rows(out.filled(), [(t, 2 * side, 100.0), (t + 1, 2 * side, 120.0), (t + 2, -side, 150.0)])
    assert out.raw.assets[0].avg == 110.0
    assert out.raw.accounts[0].realized == side * 40.0


def test_F9_an_increase_after_a_reduction_averages_what_is_left() -> None:
    bars = bars_of([100, 100, 150, 200, 200])
    out = run(bars, quantities([4, 2, 4]))
    # 2 of the 4 from 100 are left when 2 at 200 come: 150
    assert out.raw.assets[0].avg == 150.0
    assert_rows(out.equity, [1000, 1000, 1200, 1300, 1300])
    assert out.raw.accounts[0].realized == 100.0
    # the trade names the average of all six: 800 / 6
    trade = run(bars, quantities([4, 2, 4, 0])).trades[0]
    assert_rows([trade.quantity, trade.entry_price, trade.exit_price, trade.gross], [6.0, 800 / 6, (2 * 150 + 4 * 200) / 6, 300.0])


def test_F9_a_trade_has_the_average_of_all_entries_and_exits() -> None:
    out = run(bars_of([100, 100, 140, 130, 160, 160]), quantities([2, 4, 1, 0]))
    # in: 2 at 100, 2 at 140; out: 3 at 130 (realizes 30), 1 at 160 (realizes 40)
    assert_rows(out.trades, [("A", 1, 1, 4, 4.0, 120.0, 137.5, 70.0, 0.0, 70.0, "signal", 1 / 6, 1 / 3, math.nan, math.nan)])


def test_F9_a_flip_starts_at_its_price() -> None:
    out = run(bars_of([100, 100, 120, 150]), quantities([2, -2]))
    assert out.raw.assets[0].avg == 120.0
    assert out.equity[-1] == 1000 + 40 - 60


def test_F9_realized_counts_the_multiplier() -> None:
    out = run(bars_of([100, 100, 120], multiplier=3.0), quantities([2, 0]))
    assert out.raw.accounts[0].realized == 2 * 3 * 20


# --- F11: entries and exits on one bar ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "word", "then"),
    [
        # flat: a pair is nothing, entries that are left in both sides are nothing
        (0, "Ll", 0), (0, "Ss", 0), (0, "LS", 0), (0, "LlSs", 0),
        (0, "LlS", -3), (0, "LSs", 3), (0, "Ls", 3), (0, "lS", -3), (0, "ls", 0),
        # long: a pair holds, what is left of the other side acts
        (2, "Ll", 2), (2, "LS", 2), (2, "Ss", 2), (2, "LlSs", 2),
        (2, "LlS", -3), (2, "LSs", 2), (2, "lS", -3), (2, "lSs", 0), (2, "ls", 0), (2, "Ls", 2),
        # short, mirrored
        (-2, "Ss", -2), (-2, "LS", -2), (-2, "Ll", -2), (-2, "LlSs", -2),
        (-2, "LSs", 3), (-2, "LlS", -2), (-2, "Ls", 3), (-2, "Lls", 0), (-2, "ls", 0), (-2, "lS", -2),
    ],
)  # fmt: skip
def test_F11_pairs_on_one_bar_are_settled_first(held: float, word: str, then: float) -> None:
    positions = {"A": (float(held), 100.0)} if held else None
    out = run(bars_of([100, 100]), signals(word), sizing=vb.Units(3), positions=positions)
    assert out.held() == then
    assert len(out.orders) == (held != then)


# --- F14: what a run starts from ---------------------------------------------------------------------------------------------------


def test_F14_capital_is_100_000_unless_it_is_given() -> None:
    bars = bars_of([100, 100])
    result = vb.backtest(bars, signals("L")(bars), costs=vb.Costs.free())
    assert result.run.initial.tolist() == [100_000.0]
    assert result.equity.tolist() == [100_000.0, 100_000.0]


@pytest.mark.parametrize("q", [4.0, -4.0])
def test_F14_initial_is_capital_and_positions_at_their_entry_prices(q: float) -> None:
    out = run(bars_of([110, 120]), signals("."), positions={"A": (q, 100.0)})
    assert out.raw.initial.tolist() == [1000 + q * 100]
    assert out.cash == [1000.0, 1000.0]
    assert_rows(out.equity, [1000 + q * 110, 1000 + q * 120])


def test_F14_a_starting_position_entered_at_bar_minus_1() -> None:
    out = run(bars_of([100, 110, 120]), signals("l"), positions={"A": (4.0, 90.0)})
    # 4 from 90 to 110
    assert_rows([out.trades[0][:10]], [("A", 1, -1, 1, 4.0, 90.0, 110.0, 80.0, 0.0, 80.0)])
    # two bars after -1 is bar 1: out at bar 2
    out = run(bars_of([100, 110, 120]), signals("."), positions={"A": (4.0, 90.0)}, stops=vb.Stops(time_bars=2))
    assert out.exits() == [(2, 120.0, "time")]
    # its session is that of the first bar: a day later is bar 1
    out = run(bars_of([100, 110, 120]), signals("."), positions={"A": (4.0, 90.0)}, stops=vb.Stops(time_days=1))
    assert out.exits() == [(2, 120.0, "time")]


def test_F14_it_is_marked_at_its_entry_price_until_there_is_a_market() -> None:
    out = run(bars_of([None, 110]), signals("."), positions={"A": (4.0, 90.0)})
    assert_rows(out.equity, [1360, 1440])


def test_F14_its_watermark_is_its_entry_price() -> None:
    # trailing 10 % below 100, not below the highs of 96: 90 is met in bar 1, not 86.4
    bars = bars_of([(95, 96, 91, 95), (95, 95, 89, 95)])
    out = run(bars, signals("."), positions={"A": (2.0, 100.0)}, stops=vb.Stops(trailing=0.1))
    assert out.exits() == [(1, 90.0, "trail")]
    bars = bars_of([(105, 109, 104, 105), (105, 111, 105, 105)])
    out = run(bars, signals("."), positions={"A": (-2.0, 100.0)}, stops=vb.Stops(trailing=0.1))
    assert_rows(out.exits(), [(1, 110.0, "trail")])


def test_F14_its_levels_meet_the_first_bar() -> None:
    out = run(bars_of([(100, 100, 85, 95)]), signals("."), positions={"A": (2.0, 100.0)}, stops=vb.Stops(hard=0.1))
    assert out.exits() == [(0, 90.0, "stop")]


def test_F14_a_level_in_atr_takes_the_first_there_is() -> None:
    # a range of 4 in bar 0 is the first ATR (window 1), so the stop is 100 - 2 * 4 from bar 1 on; bar 0 has none to meet
    bars = bars_of([(100, 104, 100, 102), (102, 102, 94, 96), (96, 96, 90, 95)])
    stops = vb.Stops(hard=vb.Atr(2), atr_window=1)
    out = run(bars, signals("."), positions={"A": (2.0, 100.0)}, stops=stops)
    assert out.exits() == [(2, 92.0, "stop")]


def test_F14_separate_accounts_have_the_capital_each_and_do_not_help_each_other() -> None:
    bars = bars_of({"A": [100, 100, 110], "B": [50, 50, 40]})
    out = run_in_every_order(bars, quantities({"A": [15], "B": [-10]}), accounts="separate")
    # A alone has 1000, which buys 10 of 15; B's 1000 are not touched by it
    assert_rows(out.ordered("A"), [(0, 15.0, 10.0, "partial", "cash")])
    assert out.raw.initial.tolist() == [1000.0, 1000.0]
    assert np.allclose(out.raw.equity, [[1000, 1000], [1000, 1000], [1100, 1100]])
    assert np.allclose(out.raw.cash, [[1000, 1000], [0, 1500], [0, 1500]])
    shared = run_in_every_order(bars, quantities({"A": [15], "B": [-10]}))
    # together they want 1500 + 500 of 1000: half each
    assert_rows(shared.filled("A"), [(1, 7.5, 100.0)])
    assert_rows(shared.filled("B"), [(1, -5.0, 50.0)])


def test_F14_separate_accounts_size_by_their_own_equity() -> None:
    bars = bars_of({"A": [100, 100, 150], "B": [50, 50, 50]})
    # the default weight is 1/N with N the assets of the account: 1
    out = run(bars, signals({"A": "L", "B": "L"}), accounts="separate")
    assert_rows(out.filled("A"), [(1, 10.0, 100.0)])
    assert_rows(out.filled("B"), [(1, 20.0, 50.0)])
    assert out.raw.equity[-1].tolist() == [1500.0, 1000.0]


def test_F14_starting_positions_belong_to_their_account() -> None:
    bars = bars_of({"A": [100, 100], "B": [50, 50]})
    out = run(bars, signals({"A": "."}), accounts="separate", positions={"B": (4.0, 45.0)})
    assert out.raw.initial.tolist() == [1000.0, 1180.0]
    assert out.raw.equity[0].tolist() == [1000.0, 1200.0]
