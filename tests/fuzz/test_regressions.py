"""Scenarios in which the two engines once disagreed, shrunk, each with the rule that decides it."""

from __future__ import annotations

from fractions import Fraction as F
from typing import Any

import pytest

from tests.fuzz.compare import disagreements, run_engine
from tests.naive.build import BUY, COVER, NOTHING, SELL, SHORT, bars, column, flat, scenario
from tests.naive.scenario import Costs, Distance, Limits, Risk, Scenario, Size, Stops, Zones

HALF, ALL = F(1, 2), F(1)
ZONES = ((F(1, 32), F(1, 16), F(1, 8)), (1, F(1, 2), F(1, 4), 0))

QUIET = (20, 20, 20, 20, 64)
NO_VOLUME = (20, 20, 20, 20, 0)


def _impact_without_a_past() -> Scenario:
    """F1: sigma is 0 before the first return; the price is the close, not NaN."""
    table = bars([(54, 57, 53, 57, 192), (55, 62, 52, 59, 256)])
    return scenario(table, "signals", column(BUY, NOTHING), fill="close", costs=Costs(minimum=2, volume_share=1), capital=4096)


def _impact_without_a_past_in_w2() -> Scenario:
    """W2: the same in the estimate of the row's costs: the commission still counts."""
    table = bars([(29, 30, 23, 26, 448), (24, 25, 17, 20, 448)])
    return scenario(table, "weights", column(F(1, 4), None), costs=Costs(rate=F(1, 256), per_order=1, volume_share=1), capital=4096)


def _close_exit_counts_the_bar() -> Scenario:
    """M7: a trade that ends at the close has met the whole bar."""
    table = bars([(13, 13, 13, 13), (13, 14, 2, 12)])
    return scenario(table, "signals", column(BUY, SELL), fill="close")


def _delisting_counts_the_bar() -> Scenario:
    """M7, T10: so has one that ends with its asset."""
    table = bars([(45, 45, 45, 45), (45, 46, 44, 45), (45, 45, 43, 44)], delisted={0: (2, 0)})
    return scenario(table, "signals", column(SHORT, NOTHING, NOTHING))


def _increase_is_a_price_met() -> Scenario:
    """M7: fill prices count, here the first of two entries: 12 against an average of 12.5."""
    table = bars([(12, 12, 12, 12), (13, 13, 13, 13), (13, 13, 13, 13)])
    return scenario(table, "signals", column(BUY, BUY, SELL), fill="close", accumulate=True, size=Size("units", 4))


def _intrabar_haircut() -> Scenario:
    """Z1: intrabar is never milder than the equity of T6: the haircut of a delisting counts."""
    table = bars(flat(12, 3), delisted={0: (1, 1)})
    return scenario(table, "signals", column(BUY, NOTHING, NOTHING), zones=Zones(*ZONES, mark="intrabar"), size=Size("units", 4))


def _intrabar_leaves_the_delisted_low_out() -> Scenario:
    """Z1: what was delisted in the bar is judged by its proceeds, not by its low."""
    table = bars([(39, 39, 39, 39), (39, 43, 37, 43)], delisted={0: (1, 0)})
    return scenario(table, "signals", column(BUY, NOTHING), fill="close", zones=Zones(*ZONES, mark="intrabar"), size=Size("units", 20))


def _no_dust() -> Scenario:
    """F10: after the first order takes all the room, the second finds none, not a rounding error's worth."""
    table = bars([(46, 46, 46, 46), (F(737, 16),) * 4], flat(12, 2))
    rows: list[list[object]] = [[ALL, HALF], [None, None]]
    return scenario(table, "strengths", rows, size=Size("cash", 1), capital=1024)


def _units_without_equity() -> Scenario:
    """S3: with equity <= 0 units are 0 too: refused at T7 by `cash`."""
    table = bars(flat(52, 2), flat(58, 2), multiplier=[2, 2], lot=[4, 1])
    rows: list[list[object]] = [[BUY, NOTHING], [NOTHING, NOTHING]]
    return scenario(table, "signals", rows, size=Size("units", F(5, 2)), positions={1: (-8, 25)}, capital=512)


def _forbidden_weight_closes_inside_the_band() -> Scenario:
    """S1, W3: a weight on a forbidden side is 0, and 0 always closes."""
    table = bars(flat(57, 2))
    given: dict[str, Any] = {"direction": "short", "band": F(1, 16), "positions": {0: (8, 19)}, "capital": 4096}
    return scenario(table, "weights", column(F(1, 8), None), **given)


def _open_past_stop_and_target() -> Scenario:
    """P5: a long with its stop at 31 and its target at 16 opens at 22: a stop, with slippage."""
    stops = Stops(hard=Distance("price", 31), take_profit=Distance("price", 16))
    table = bars([(22, 24, 18, 22)])
    return scenario(table, "signals", column(NOTHING), stops=stops, positions={0: (3, 20)}, costs=Costs(half_spread=F(1, 8)))


def _gross_adds_back_costs_of_its_own_fills_only() -> Scenario:
    """W2 gross: a close fill is tested on equity before the costs of the close fills, not before those of T4 in the same bar."""
    table = bars([(12, 12, 12, 12)] * 2 + [None, (12, 12, 12, 12)], [(20, 20, 20, 20)] * 4)
    rows: list[list[object]] = [[ALL, None], [None, None], [None, None], [0, ALL]]
    given: dict[str, Any] = {"costs": Costs(rate=F(1, 64)), "weights_of": "gross", "fill": "close", "stops": Stops(time_bars=2)}
    return scenario(table, "weights", rows, **given)


def _waiting_increase_is_cancelled() -> Scenario:
    """Z3: what waits when `liquidate_at` is reached is cancelled by `zone`, and the position gets its exit."""
    table = bars([QUIET, QUIET, NO_VOLUME, None, QUIET], [(20, 20, 20, 20, 64)] * 2 + [(8, 8, 8, 8, 64)] * 3)
    rows: list[list[object]] = [[BUY, BUY], [BUY, NOTHING], [NOTHING, NOTHING], [NOTHING, NOTHING], [NOTHING, NOTHING]]
    given: dict[str, Any] = {"accumulate": True, "costs": Costs(volume_share=F(1, 8)), "zones": Zones(*ZONES, liquidate_at=F(1, 16))}
    return scenario(table, "signals", rows, **given)


def _exit_of_the_other_side_leaves_a_waiting_entry_alone() -> Scenario:
    """S4: a short exit does not end a waiting long entry; a long exit does."""
    table = bars([QUIET, NO_VOLUME, NO_VOLUME, QUIET])
    return scenario(table, "signals", column(BUY, COVER, NOTHING, NOTHING), costs=Costs(volume_share=F(1, 8)))


def _exit_ends_a_waiting_entry() -> Scenario:
    """S4: the counterpart, also by a forbidden entry of the other side (S1)."""
    table = bars([QUIET, NO_VOLUME, NO_VOLUME, QUIET])
    return scenario(table, "signals", column(BUY, SHORT, NOTHING, NOTHING), costs=Costs(volume_share=F(1, 8)), direction="long")


def _time_exit_at_the_open_voids_the_row() -> Scenario:
    """P9: a time exit that waited over a gap fills at the open; with fill="close" that bar's own signal is void."""
    table = bars([QUIET, None, QUIET, QUIET])
    return scenario(table, "signals", column(BUY, NOTHING, BUY, NOTHING), fill="close", stops=Stops(time_bars=1))


def _price_is_never_below_zero() -> Scenario:
    """F1: absurd impact ends at 0; M7: a trade entered there has no MAE."""
    table = bars([(1, 4, 1, 4, 64), (4, 4, 4, 4, 1), (4, 4, 4, 4, 64)])
    return scenario(table, "signals", column(SHORT, COVER, NOTHING), costs=Costs(volume_share=1))


def _costs_that_never_settle() -> Scenario:
    """W2: buying 1/32 of a unit costs 1, and with 1 less the target is met, which costs nothing: after 50 rounds the smaller E stands."""
    table = bars(flat(16, 2))
    return scenario(table, "weights", column(HALF, None), costs=Costs(minimum=1), positions={0: (10, 16)}, capital=161)


def _increase_lifts_the_watermark() -> Scenario:
    """P2: 10 at 16 and 10 at 24 average 20, above the watermark 16: the trail of 1/8 stands at 17.5 in that bar already."""
    table = bars([(16, 16, 16, 16), (16, 16, 16, 16), (24, 24, 17, 20)])
    stops = Stops(trailing=Distance("pct", F(1, 8)))
    return scenario(table, "signals", column(BUY, BUY, NOTHING), accumulate=True, stops=stops)


def _no_room_for_an_order_that_needs_nothing() -> Scenario:
    """F10: impact sells both at 0; the first leaves no room (a short sold at 0 is worth its close), so the second is refused."""
    table = bars([(5, 11, 5, 7, 64), (5, 11, 5, 7, 1)], [(11, 19, 5, 13, 64), (11, 19, 5, 13, 1)])
    rows: list[list[object]] = [[None, None], [-ALL, -HALF]]
    given: dict[str, Any] = {"size": Size("units", 100), "costs": Costs(volume_share=1), "fill": "close", "capital": 512}
    return scenario(table, "strengths", rows, **given)


def _stop_after_a_split() -> Scenario:
    """T1, P3: stop and trail are divided by the ratio; where both are equal the hard one is met."""
    stops = Stops(hard=Distance("pct", F(1, 32)), trailing=Distance("pct", F(1, 32)))
    return scenario(bars(flat(12, 2), splits={(1, 0): 2}), "signals", column(SHORT, NOTHING), fill="close", stops=stops)


def _stop_after_an_increase_and_a_split() -> Scenario:
    """T1, P1: the same for a position that has grown."""
    table = bars([*flat(12, 2), (12, 12, F(191, 16), F(191, 16)), (F(191, 16),) * 4], splits={(3, 0): 2})
    stops = Stops(hard=Distance("pct", F(1, 16)))
    return scenario(table, "signals", column(SHORT, SHORT, NOTHING, NOTHING), size=Size("units", 4), accumulate=True, stops=stops)


def _trail_before_a_split_is_divided() -> Scenario:
    """T1, P2: 35 less 4 ticks of 1/16 is 34.75 at the entry, so 17.375 after a split of 2, above 17.5 less 4 ticks."""
    table = bars([(41, 47, 29, 35), (F(35, 2), F(41, 2), F(31, 2), F(31, 2))], tick=[F(1, 16)], splits={(1, 0): 2})
    return scenario(table, "signals", column(BUY, NOTHING), fill="close", stops=Stops(trailing=Distance("ticks", 4)))


def _trail_is_rounded_after_the_split() -> Scenario:
    """T1, F5: a trail of 24.375 is 243.75 after a split of 1/10, not ten times what it was on the grid of 1/4."""
    table = bars(
        [(14, F(29, 2), F(27, 2), F(57, 4)), None, (F(171, 8), F(93, 4), F(81, 4), F(183, 8)), (F(465, 2), F(975, 4), F(855, 4), 225)],
        tick=[F(1, 4)],
        splits={(1, 0): F(2, 3), (3, 0): F(1, 10)},
    )
    stops = Stops(trailing=Distance("atr", 2), atr_window=1)
    return scenario(table, "signals", column(SHORT, NOTHING, NOTHING, NOTHING), size=Size("units", 100), stops=stops)


def _pieces_meet_one_market_in_a_bar() -> Scenario:
    """F7: with fill="close" a rest that has met the open waits for the next one, though F4 left volume."""
    table = bars([(20, 20, 20, 20, 64)] * 5)
    given: dict[str, Any] = {"size": Size("units", 100), "participation": HALF, "fill": "close"}
    return scenario(table, "signals", column(BUY, *[NOTHING] * 4), **given)


def _each_fill_at_its_own_rate() -> Scenario:
    """F2, F7: the rest of a target is a market order: the first piece stays at the maker's rate."""
    table = bars([(46, 46, 46, 46, 320), (56, 56, 56, 56, 448), (56, 56, 56, 56, 448)], multiplier=[2])
    given: dict[str, Any] = {"costs": Costs(rate=F(1, 256), maker_rate=0), "stops": Stops(take_profit=Distance("pct", F(1, 16)))}
    return scenario(table, "weights", column(F(3, 8), None, None), capital=4096, fill="close", participation=F(1, 32), **given)


def _a_protective_exit_ends_what_waits() -> Scenario:
    """S4, F7: the first piece of an entry is stopped out in its bar; the rest does not come after it."""
    table = bars([(52, 52, 52, 52, 64), (52, 52, 50, 52, 256), (52, 52, 52, 52, 256)])
    stops = Stops(hard=Distance("pct", F(1, 32)))
    return scenario(
        table, "signals", column(BUY, NOTHING, NOTHING), size=Size("units", 100), stops=stops, participation=F(1, 8), capital=9999
    )


def _zone_and_daily_loss_are_both_noted() -> Scenario:
    """S5, Z6: the zone cuts first, then the daily loss refuses."""
    table = bars([(21, 21, 21, 21), (15, 15, 15, 15)])
    zones = Zones((F(1, 64), F(1, 32), F(1, 16)), (1, HALF, F(1, 4), 0))
    given: dict[str, Any] = {"positions": {0: (1, 21)}, "zones": Zones((F(1, 256), HALF, F(3, 4)), zones.factors)}
    return scenario(table, "weights", column(None, F(3, 4)), capital=1000, risk=Risk(daily_loss=F(1, 512)), **given)


def _no_position_of_a_rounding_error() -> Scenario:
    """Z7, F10: where the limit is used up, a third order is refused, not cut to 1e-16 units."""
    table = bars([(p, p, p, p) for p in (F(117, 2), 59, F(237, 4), 59, F(235, 4), F(235, 4))])
    given: dict[str, Any] = {"costs": Costs(per_order=1), "size": Size("weight", F(1, 8)), "capital": 512, "accumulate": True}
    rows = column(BUY, SELL, NOTHING, BUY, BUY, BUY)
    return scenario(table, "signals", rows, risk=Risk(limits=Limits(position_value=100)), **given)


def _a_piece_under_the_minimum_claims_nothing() -> Scenario:
    """F7: pieces of 4 at 12 are under 128 and wait; the other order's pieces of 4 at 49 have all the room."""
    table = bars([(49, 49, 49, 49, 64)] * 7, [(12, 12, 12, 12, 64)] * 7, min_notional=[0, 128])
    rows: list[list[object]] = [[NOTHING, BUY], [BUY, NOTHING], *[[NOTHING, NOTHING]] * 5]
    return scenario(table, "signals", rows, size=Size("notional", 1000), participation=F(1, 16), capital=1024)


def _a_piece_under_the_minimum_moves_no_price() -> Scenario:
    """F7, F1: the closing part of a flip pays the impact of itself, not of an opening piece that is nothing yet."""
    table = bars(
        [(F(51, 4), F(27, 2), 11, F(47, 4), 448), (F(39, 4), F(43, 4), 9, F(41, 4), 320), (F(49, 4), 13, F(47, 4), F(49, 4), 256)],
        lot=[4],
        min_notional=[128],
    )
    given: dict[str, Any] = {"costs": Costs(rate=F(1, 256), minimum=2, volume_share=1, volume_window=2), "fill": "close"}
    given |= {"participation": F(1, 32), "participation_rest": "drop", "size": Size("weight", HALF, scale=False), "capital": 1024}
    return scenario(table, "strengths", column(F(-1), F(0), F(1, 4)), **given)


def _a_split_that_is_never_booked() -> Scenario:
    """T1: on bars without market a split waits, and so do the orders it would multiply."""
    table = bars([(20, 22, 20, 20), None, None], splits={(1, 0): 2})
    return scenario(table, "weights", column(F(-1), None, None))


def _nothing_fits_no_room_not_even_nothing() -> Scenario:
    """F10, Z5: B takes all the heat; A at 2 with a stop at 40 would add none and is refused all the same."""
    table = bars([(8, 12, 1, 3), (3, 5, 1, 2)], flat(48, 2))
    rows: list[list[object]] = [[NOTHING, BUY], [BUY, NOTHING]]
    given: dict[str, Any] = {"stops": Stops(hard=Distance("price", 40)), "risk": Risk(heat=F(1, 64)), "size": Size("notional", 1000)}
    return scenario(table, "signals", rows, capital=4096, **given)


def _an_emptied_account_starts_anew() -> Scenario:
    """F15, F13, Z1: all is withdrawn at bar 2 and 512 paid in at bar 4, a quarter of which is lost in that bar: EMERGENCY, not ruin."""
    table = bars([(16,) * 4, (16,) * 4, (16,) * 4, (16,) * 4, (16, 16, 8, 8), (8,) * 4])
    given: dict[str, Any] = {"zones": Zones(*ZONES), "flows": {2: -4096, 4: 512}, "capital": 1024, "risk": Risk(daily_loss=F(1, 16))}
    return scenario(table, "quantities", column(4, 0, None, 16, None, 20), **given)


def _ticks_after_a_split_and_an_increase() -> Scenario:
    """T1: 8 ticks of 1/2 are 2 after a split of 2, and 4 again from the next increase on."""
    table = bars([(32,) * 4, (32,) * 4, (16,) * 4, (16, 20, 13, 16), (16, 16, 11, 16)], tick=[HALF], splits={(2, 0): 2})
    given: dict[str, Any] = {"stops": Stops(hard=Distance("ticks", 8), trailing=Distance("ticks", 16)), "capital": 4096}
    return scenario(table, "quantities", column(4, None, 16, None, None), **given)


def _longs_and_shorts_that_balance_add_no_net() -> Scenario:
    """Z7: the net is used up; a purchase and a sale that gross cuts to the same money pass, though their sum in floats is not quite 0."""
    table = bars([(F(173, 4),) * 4] * 2, flat(59, 2), [(F(105, 2),) * 4] * 2)
    given: dict[str, Any] = {"risk": Risk(limits=Limits(gross=HALF, net=F(1, 8))), "size": Size("notional", 4096), "capital": 1024}
    return scenario(table, "signals", [[BUY, NOTHING, NOTHING], [NOTHING, SHORT, BUY]], **given)


SCENARIOS = [value for name, value in sorted(globals().items()) if name.startswith("_") and getattr(value, "__module__", "") == __name__]


@pytest.mark.parametrize("make", SCENARIOS, ids=lambda make: make.__name__.strip("_"))
def test_engines_agree(make: Any) -> None:
    """The same events and values from both engines."""
    assert disagreements(make()) == []


def test_regressions_still_reach_what_they_were_made_for() -> None:
    """A scenario whose fill or refusal has gone would agree for nothing."""
    assert run_engine(_impact_without_a_past()).fills.price[0] == 57
    assert run_engine(_no_dust()).orders.cut_by.tolist() == [0, 2]
    assert run_engine(_units_without_equity()).orders.cut_by.tolist() == [2, 0]  # cash, and the exit of F13
    assert run_engine(_forbidden_weight_closes_inside_the_band()).fills.q.tolist() == [-8]
    assert run_engine(_intrabar_haircut()).zone.max() == 1
    assert run_engine(_intrabar_leaves_the_delisted_low_out()).zone.max() == 0
    assert run_engine(_exit_of_the_other_side_leaves_a_waiting_entry_alone()).fills.t.tolist() == [3]
    assert run_engine(_exit_ends_a_waiting_entry()).fills.t.tolist() == []
    assert run_engine(_time_exit_at_the_open_voids_the_row()).fills.t.tolist() == [0, 2]
    assert run_engine(_price_is_never_below_zero()).fills.price[0] == 0
    assert 5 in run_engine(_waiting_increase_is_cancelled()).orders.status
    assert run_engine(_costs_that_never_settle()).orders.t.tolist() == []
    assert run_engine(_increase_lifts_the_watermark()).fills.price.tolist() == [16, 24, 17.5]
    assert run_engine(_no_room_for_an_order_that_needs_nothing()).orders.cut_by.tolist() == [0, 2]
    assert run_engine(_gross_adds_back_costs_of_its_own_fills_only()).fills.t.tolist() == [0, 3, 3]
    assert run_engine(_stop_after_a_split()).trades.exit_t.tolist() == [1]
    assert run_engine(_stop_after_an_increase_and_a_split()).trades.exit_t.tolist() == [3]
    assert run_engine(_trail_before_a_split_is_divided()).fills.price.tolist() == [35, 17.375]
    assert run_engine(_trail_is_rounded_after_the_split()).fills.price.tolist()[1:] == [243.75]
    assert run_engine(_pieces_meet_one_market_in_a_bar()).fills.q.tolist() == [32, 18]
    assert run_engine(_each_fill_at_its_own_rate()).fills.commission[2] == 0
    assert run_engine(_a_protective_exit_ends_what_waits()).orders.status.tolist() == [4, 1]
    assert run_engine(_zone_and_daily_loss_are_both_noted()).orders.cut_by.tolist() == [1 + 1024]
    assert run_engine(_no_position_of_a_rounding_error()).orders.cut_by[-1] == 4096
    assert run_engine(_a_piece_under_the_minimum_claims_nothing()).orders.filled.tolist() == [20, 0]
    assert run_engine(_a_piece_under_the_minimum_moves_no_price()).orders.cut_by[-1] == 64
    assert run_engine(_a_split_that_is_never_booked()).orders.wanted.tolist() == [-50]
    assert run_engine(_nothing_fits_no_room_not_even_nothing()).orders.cut_by.tolist() == [32768, 32768]
    assert run_engine(_an_emptied_account_starts_anew()).zone[:, 0].tolist() == [0, 0, 0, 0, 3, 3]
    assert run_engine(_ticks_after_a_split_and_an_increase()).fills.price.tolist() == [32, 16, 12]
    assert run_engine(_longs_and_shorts_that_balance_add_no_net()).orders.cut_by.tolist() == [3 * 8192, 8192, 8192]
