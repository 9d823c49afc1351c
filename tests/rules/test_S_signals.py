"""S: from signals to orders."""

from __future__ import annotations

from typing import Any

import pytest

import vecbt as vb
from tests.rules.helpers import Given, assert_rows, bars_of, quantities, run, run_in_every_order, signals, strengths, weights
from vecbt.errors import ConfigError

ONE = vb.Units(1)
NEEDS_VOLUME = vb.Costs(volume_share=1.0)  # flat prices have no sigma, so it costs nothing; a bar without volume fills nothing
IDLE = (100, 100, 100, 100, 0)
BUSY = (100, 100, 100, 100, 50)

CAUTION = {  # bar 0 loses 100 of 1000, which is CAUTION: new risk is halved
    "risk": vb.Risk(zones=vb.Zones(boundaries=(0.1, 0.2, 0.3), factors=(1.0, 0.5, 0.25, 0.0))),
    "positions": {"A": (5.0, 100.0)},
    "initial_capital": 500.0,
}
LOSING = {"A": [80.0] * 3, "B": [100.0] * 3}

# --- S1: what a row means ----------------------------------------------------------------------------------------------------------


def test_S1_an_entry_and_an_exit_per_side() -> None:
    out = run(bars_of([100.0] * 6), signals("L l S . s"), sizing=ONE)
    assert_rows(out.filled(), [(1, 1.0, 100.0), (2, -1.0, 100.0), (3, -1.0, 100.0), (5, 1.0, 100.0)])


def test_S1_an_exit_leaves_the_other_side_alone() -> None:
    assert run(bars_of([100.0] * 4), signals("L s"), sizing=ONE).held() == 1.0
    assert run(bars_of([100.0] * 4), signals("S l"), sizing=ONE).held() == -1.0
    assert run(bars_of([100.0] * 4), signals("l s"), sizing=ONE).orders == []


def test_S1_the_sign_of_a_strength_is_the_side_and_zero_is_flat() -> None:
    out = run(bars_of([100.0] * 5), strengths([0.5, 0.0, -0.5, 0.0]), sizing=ONE)
    assert_rows(out.filled(), [(1, 1.0, 100.0), (2, -1.0, 100.0), (3, -1.0, 100.0), (4, 1.0, 100.0)])


@pytest.mark.parametrize(
    ("given", "sizing"), [(strengths([1.0, None, None]), ONE), (weights([0.1, None, None]), None), (quantities([1, None, None]), None)]
)
def test_S1_nan_changes_nothing(given: Given, sizing: Any) -> None:
    # a rebalance to 10 % would trade when the price doubles; NaN keeps what is held
    out = run(bars_of([100, 100, 200, 200]), given, sizing=sizing)
    assert_rows(out.filled(), [(1, 1.0, 100.0)])


@pytest.mark.parametrize("fill", ["next_open", "close"])
@pytest.mark.parametrize(
    ("given", "sizing"), [(signals(". L"), ONE), (strengths([None, 1.0]), ONE), (weights([None, 0.1]), None), (quantities([None, 1]), None)]
)
def test_S1_the_row_of_a_bar_without_a_market_changes_nothing(given: Given, sizing: Any, fill: str) -> None:
    assert run(bars_of([100, None, 100, 100]), given, sizing=sizing, fill=fill).orders == []


@pytest.mark.parametrize(("direction", "side"), [("long", 1.0), ("short", -1.0)])
def test_S1_a_forbidden_entry_only_closes(direction: str, side: float) -> None:
    allowed, forbidden = ("L", "S") if side > 0 else ("S", "L")
    # flat: nothing; held: closes, where "both" would reverse
    out = run(bars_of([100.0] * 4), signals(f"{forbidden} {allowed} {forbidden}"), sizing=ONE, direction=direction)
    assert_rows(out.ordered(), [(1, side, side, "filled", ""), (2, -side, -side, "filled", "")])
    out = run(bars_of([100.0] * 4), strengths([-side, side, -side]), sizing=ONE, direction=direction)
    assert_rows(out.ordered(), [(1, side, side, "filled", ""), (2, -side, -side, "filled", "")])
    both = run(bars_of([100.0] * 4), signals(f"{forbidden} {allowed} {forbidden}"), sizing=ONE)
    assert_rows([f.q for f in both.fills], [-side, 2 * side, -2 * side])


@pytest.mark.parametrize(("direction", "words", "q"), [("long", "L S", 1.0), ("short", "S L", -1.0)])
def test_S1_a_forbidden_entry_ends_what_waits_in_the_other_side(direction: str, words: str, q: float) -> None:
    bars = bars_of([BUSY, IDLE, BUSY])
    out = run(bars, signals(words), sizing=ONE, costs=NEEDS_VOLUME, direction=direction)
    assert_rows(out.ordered(), [(0, q, 0.0, "replaced", "")])
    out = run(bars, strengths([q, -q]), sizing=ONE, costs=NEEDS_VOLUME, direction=direction)
    assert_rows(out.ordered(), [(0, q, 0.0, "replaced", "")])


@pytest.mark.parametrize(("direction", "side"), [("long", 1.0), ("short", -1.0)])
def test_S1_a_target_on_a_forbidden_side_is_zero(direction: str, side: float) -> None:
    out = run(bars_of([100.0] * 4), quantities([-2 * side, 2 * side, -2 * side]), direction=direction)
    assert_rows(out.ordered(), [(1, 2 * side, 2 * side, "filled", ""), (2, -2 * side, -2 * side, "filled", "")])
    out = run(bars_of([100.0] * 4), weights([-0.2 * side, 0.2 * side, -0.2 * side]), direction=direction)
    assert_rows(out.ordered(), [(1, 2 * side, 2 * side, "filled", ""), (2, -2 * side, -2 * side, "filled", "")])


# --- S2: entries in the side held --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["L", "S"])
def test_S2_an_entry_in_the_side_held_does_nothing(word: str) -> None:
    out = run(bars_of([100.0] * 5), signals(f"{word} {word} {word}"), sizing=ONE)
    assert len(out.orders) == 1
    # a stronger one does not either
    assert len(run(bars_of([100.0] * 4), strengths([0.2, 1.0, 0.7]), sizing=vb.Weight(0.5)).orders) == 1


@pytest.mark.parametrize(("word", "side"), [("L", 1.0), ("S", -1.0)])
def test_S2_accumulate_adds_a_new_size(word: str, side: float) -> None:
    out = run(bars_of([100, 100, 50, 50]), signals(f"{word} . {word}"), sizing=vb.Notional(200), accumulate=True)
    # 200 at 100 and 200 at 50
    assert_rows(out.filled(), [(1, 2 * side, 100.0), (3, 4 * side, 50.0)])
    assert out.trades == []


@pytest.mark.parametrize("fill", ["next_open", "close"])
@pytest.mark.parametrize("accumulate", [False, True])
@pytest.mark.parametrize(("word", "other", "side"), [("L", "S", 1.0), ("S", "L", -1.0)])
def test_S2_an_entry_in_the_other_side_reverses_in_one_order(word: str, other: str, side: float, accumulate: bool, fill: str) -> None:
    out = run(bars_of([100.0] * 3), signals(f"{word} {other}"), sizing=vb.Units(2), accumulate=accumulate, fill=fill)
    assert_rows(out.ordered(), [(0, 2 * side, 2 * side, "filled", ""), (1, -4 * side, -4 * side, "filled", "")])


# --- S3: sizes ---------------------------------------------------------------------------------------------------------------------


def test_S3_units_and_notional_do_not_depend_on_strength() -> None:
    bars = bars_of([80, 100])
    assert_rows(run(bars, strengths([-0.5]), sizing=vb.Units(3)).filled(), [(1, -3.0, 100.0)])
    # 400 at the close of 80 are 5, whatever the open is
    assert_rows(run(bars, strengths([0.5]), sizing=vb.Notional(400)).filled(), [(1, 5.0, 100.0)])


@pytest.mark.parametrize(("scale", "units"), [(True, 2.5), (False, 5.0)])
def test_S3_weight_is_multiplied_by_the_strength(scale: bool, units: float) -> None:
    sizing = vb.Weight(0.5, scale_by_signal=scale)
    assert_rows(run(bars_of([100, 100]), strengths([0.5]), sizing=sizing).filled(), [(1, units, 100.0)])
    assert_rows(run(bars_of([100, 100]), strengths([-0.5]), sizing=sizing).filled(), [(1, -units, 100.0)])
    # booleans count 1
    assert_rows(run(bars_of([100, 100]), signals("L"), sizing=sizing).filled(), [(1, 5.0, 100.0)])


def test_S3_the_default_is_an_equal_share_of_the_equity() -> None:
    bars = bars_of({name: [100.0] * 2 for name in "ABCD"})
    out = run(bars, signals(dict.fromkeys("ABCD", "L")))
    assert [f.q for f in out.fills] == [2.5] * 4


def test_S3_sizes_count_the_multiplier() -> None:
    bars = bars_of([100, 100], multiplier=2.0)
    assert_rows(run(bars, signals("L"), sizing=vb.Weight(0.4)).filled(), [(1, 2.0, 100.0)])
    assert_rows(run(bars, signals("L"), sizing=vb.Notional(400)).filled(), [(1, 2.0, 100.0)])
    assert_rows(run(bars, signals("L"), sizing=vb.Units(2)).filled(), [(1, 2.0, 100.0)])
    assert_rows(run(bars, signals("L"), sizing=vb.Cash(0.4)).filled(), [(1, 2.0, 100.0)])
    # 1 % of 1000 at 5 a point: distance 5 times 2
    fixed = vb.FixedFractionalSizing(0.01, 1.0)
    assert_rows(run(bars, signals("L"), sizing=fixed, stops=vb.Stops(hard=0.05)).filled(), [(1, 1.0, 100.0)])


@pytest.mark.parametrize(
    ("sizing", "stops"),
    [
        (vb.Units(1), None),
        (vb.Notional(100), None),
        (vb.Weight(0.1), None),
        (vb.Cash(0.5), None),
        (vb.FixedFractionalSizing(0.1, 1.0), vb.Stops(hard=vb.Pct(95))),
    ],
    ids=lambda value: type(value).__name__,
)
def test_S3_without_equity_every_size_is_zero(sizing: Any, stops: Any) -> None:
    # A is short 10 from 100 and stands at 200: 1000 + 1000 - 2000 = 0 at bar 0; it leaves at 110, so there would be room at bar 1
    bars = bars_of({"A": [200, 110], "B": [100.0] * 2})
    start = {"positions": {"A": (-10.0, 100.0)}, "initial_capital": 2000.0}
    out = run_in_every_order(bars, signals({"A": "s", "B": "L"}), sizing=sizing, stops=stops, **start)
    assert_rows([(o.t, o.filled, o.status, o.cut_by, o.done) for o in out.orders if o.asset == "B"], [(0, 0.0, "rejected", "cash", 0)])


def test_S3_cash_takes_its_fraction_of_the_room_costs_included() -> None:
    bars = bars_of([50, 100])
    # half of 1000 at the open of 100, with a quarter of commission: 4 * 125
    out = run(bars, signals("L"), sizing=vb.Cash(0.5), costs=vb.Costs(commission_rate=0.25))
    assert_rows(out.filled(), [(1, 4.0, 100.0)], tolerance=1e-11)
    # all of it, at 125 after slippage, with 10 of commission: 7.92 * 125 = 990
    out = run(bars, signals("L"), sizing=vb.Cash(), costs=vb.Costs(half_spread=25, per_order=10))
    assert_rows(out.filled(), [(1, 7.92, 125.0)], tolerance=1e-11)
    assert_rows(out.ordered(), [(0, float("nan"), 7.92, "filled", "")], tolerance=1e-11)
    # a short: 100 q + 25 q of commission = 500
    out = run(bars, signals("S"), sizing=vb.Cash(0.5), costs=vb.Costs(per_unit=25.0))
    assert_rows(out.filled(), [(1, -4.0, 100.0)], tolerance=1e-11)


@pytest.mark.parametrize("fill", ["next_open", "close"])
def test_S3_cash_takes_the_room_its_group_finds(fill: str) -> None:
    bars = bars_of({"A": [100.0] * 2, "B": [50.0] * 2})
    # both together find 1000: half each
    out = run_in_every_order(bars, signals({"A": "L", "B": "S"}), sizing=vb.Cash(0.5), fill=fill)
    assert_rows([(o.asset, o.filled, o.cut_by) for o in out.orders], [("A", 5.0, ""), ("B", -10.0, "")])
    # three quarters each do not fit: two thirds of that
    out = run_in_every_order(bars, signals({"A": "L", "B": "L"}), sizing=vb.Cash(0.75), fill=fill)
    assert_rows([(o.asset, o.filled, o.cut_by) for o in out.orders], [("A", 5.0, "cash"), ("B", 10.0, "cash")])
    # the stronger first: 500, then half of the 500 that are left
    out = run_in_every_order(bars, strengths({"A": [0.3], "B": [0.6]}), sizing=vb.Cash(0.5), fill=fill)
    assert_rows([(o.asset, o.filled) for o in sorted(out.orders, key=lambda o: o.asset)], [("A", 2.5), ("B", 10.0)])


def test_S3_cash_adds_and_flips_by_the_room_of_the_moment() -> None:
    # half of 1000, then half of 500
    out = run(bars_of([100.0] * 4), signals("L L"), sizing=vb.Cash(0.5), accumulate=True)
    assert_rows(out.filled(), [(1, 5.0, 100.0), (2, 2.5, 100.0)])
    # a flip closes first: all of the 1000 that this frees
    out = run(bars_of([100.0] * 4), signals("L S"), sizing=vb.Cash())
    assert_rows(out.filled(), [(1, 10.0, 100.0), (2, -20.0, 100.0)])


def test_S3_cash_is_rounded_to_lots_at_the_fill() -> None:
    out = run(bars_of([300, 300], lot=1.0), signals("L"), sizing=vb.Cash())
    assert_rows(out.ordered(), [(0, float("nan"), 3.0, "filled", "")])
    out = run(bars_of([3000, 3000], lot=1.0), signals("L"), sizing=vb.Cash())
    assert_rows(out.ordered(), [(0, float("nan"), 0.0, "rejected", "lot")])


def test_S3_cash_finds_no_room() -> None:
    bars = bars_of({"A": [100.0] * 3, "B": [50.0] * 3})
    out = run(bars, signals({"A": "L", "B": ". L"}), sizing=vb.Cash())
    assert_rows(out.ordered("B"), [(1, float("nan"), 0.0, "rejected", "cash")])


def test_S3_cash_is_multiplied_by_the_factor_of_the_zone() -> None:
    # room is 500: half of it in CAUTION
    out = run(bars_of(LOSING), signals({"B": "L"}), sizing=vb.Cash(), **CAUTION)
    assert_rows(out.ordered("B"), [(0, float("nan"), 2.5, "partial", "zone")])


def test_S3_cash_is_refused_with_volume_share() -> None:
    with pytest.raises(ConfigError, match="Cash"):
        run(bars_of([BUSY, BUSY]), signals("L"), sizing=vb.Cash(), costs=NEEDS_VOLUME)


@pytest.mark.parametrize(
    ("stops", "units"),
    [
        (vb.Stops(hard=0.1), 1.0),  # 10 of risk over 10 of distance
        (vb.Stops(hard=0.05), 2.0),
        (vb.Stops(hard=0.02), 2.5),  # 5 units would be half of the equity, a quarter is the most
        (vb.Stops(trailing=0.1), 1.0),
        (vb.Stops(hard=0.1, trailing=0.05), 2.0),  # the nearer one
        (vb.Stops(hard=0.05, trailing=0.1), 2.0),
        (vb.Stops(hard=0.05, trailing=0.01, activation=0.1), 2.0),  # the trail is not armed at an entry
    ],
)
def test_S3_fixed_fractional_risks_its_fraction_to_the_stop(stops: vb.Stops, units: float) -> None:
    sizing = vb.FixedFractionalSizing(risk_fraction=0.01, max_position_fraction=0.25)
    # bar 0 closes at 100, whatever the fill will be
    bars = bars_of([100, 102])
    assert_rows(run(bars, signals("L"), sizing=sizing, stops=stops).filled(), [(1, units, 102.0)])
    assert_rows(run(bars, signals("S"), sizing=sizing, stops=stops).filled(), [(1, -units, 102.0)])


def test_S3_fixed_fractional_takes_the_stop_after_rounding_to_ticks() -> None:
    sizing = vb.FixedFractionalSizing(0.01, 1.0)
    # 97.5 is 98 for a long: 10 of risk over 2; a short's 102.5 is 102
    bars = bars_of([100, 100], tick=1.0)
    assert_rows(run(bars, signals("L"), sizing=sizing, stops=vb.Stops(hard=0.025)).filled(), [(1, 5.0, 100.0)])
    assert_rows(run(bars, signals("S"), sizing=sizing, stops=vb.Stops(hard=0.025)).filled(), [(1, -5.0, 100.0)])


@pytest.mark.parametrize(
    ("word", "stops"),
    [
        ("L", vb.Stops(trailing=0.1, activation=0.1)),  # armed later, if ever: no stop now
        ("L", vb.Stops(hard=vb.Price(105))),  # on the wrong side
        ("L", vb.Stops(hard=vb.Price(100))),  # at the price
        ("S", vb.Stops(hard=vb.Price(95))),
        ("L", vb.Stops(hard=vb.Atr(1), atr_window=5)),  # not there yet
    ],
)
def test_S3_fixed_fractional_without_a_stop_is_refused(word: str, stops: vb.Stops) -> None:
    out = run(bars_of([100, 100]), signals(word), sizing=vb.FixedFractionalSizing(), stops=stops)
    assert_rows([(o.filled, o.status, o.cut_by, o.done) for o in out.orders], [(0.0, "rejected", "stop", 0)])


def test_S3_fixed_fractional_needs_stops() -> None:
    with pytest.raises(ConfigError, match="stop"):
        run(bars_of([100, 100]), signals("L"), sizing=vb.FixedFractionalSizing())


# --- S4: one working order ---------------------------------------------------------------------------------------------------------


def test_S4_a_new_decision_replaces_what_waits() -> None:
    bars = bars_of([BUSY, IDLE, BUSY])
    out = run(bars, signals("L S"), sizing=ONE, costs=NEEDS_VOLUME)
    assert_rows(out.ordered(), [(0, 1.0, 0.0, "replaced", ""), (1, -1.0, -1.0, "filled", "")])
    assert [o.done for o in out.orders] == [1, 2]
    # the same side again is a new decision too, with a size of its own
    out = run(bars, strengths([0.2, 0.4]), sizing=vb.Weight(1.0), costs=NEEDS_VOLUME)
    assert_rows(out.ordered(), [(0, 2.0, 0.0, "replaced", ""), (1, 4.0, 4.0, "filled", "")])
    # and a target is measured from what is held, not from what waits
    out = run(bars, quantities([3, 4]), costs=NEEDS_VOLUME)
    assert_rows(out.ordered(), [(0, 3.0, 0.0, "replaced", ""), (1, 4.0, 4.0, "filled", "")])


@pytest.mark.parametrize(
    ("given", "sizing"), [(signals("L l"), ONE), (signals("S s"), ONE), (strengths([1.0, 0.0]), ONE), (quantities([1, 0]), None)]
)
def test_S4_an_exit_with_nothing_held_just_ends_it(given: Given, sizing: Any) -> None:
    out = run(bars_of([BUSY, IDLE, BUSY]), given, sizing=sizing, costs=NEEDS_VOLUME)
    assert [(o.t, o.filled, o.status, o.cut_by, o.done) for o in out.orders] == [(0, 0.0, "replaced", "", 1)]
    assert out.fills == []


def test_S4_an_exit_of_the_other_side_does_not_end_it() -> None:
    out = run(bars_of([BUSY, IDLE, BUSY]), signals("L s"), sizing=ONE, costs=NEEDS_VOLUME)
    assert_rows(out.filled(), [(2, 1.0, 100.0)])


def test_S4_a_target_that_is_met_already_just_ends_it() -> None:
    out = run(bars_of([BUSY, BUSY, IDLE, BUSY]), quantities([2, 3, 2]), costs=NEEDS_VOLUME)
    assert_rows(out.ordered(), [(0, 2.0, 2.0, "filled", ""), (1, 1.0, 0.0, "replaced", "")])
    assert out.held() == 2.0


def test_S4_a_bar_without_a_market_replaces_nothing() -> None:
    out = run(bars_of([100, None, 100]), signals("L S"), sizing=ONE)
    assert_rows(out.ordered(), [(0, 1.0, 1.0, "filled", "")])


def test_S4_an_entry_replaces_a_waiting_exit_by_a_flip_that_closes_what_is_held() -> None:
    out = run(bars_of([BUSY, BUSY, IDLE, BUSY]), signals("L l S"), sizing=ONE, costs=NEEDS_VOLUME)
    assert_rows(out.ordered(), [(0, 1.0, 1.0, "filled", ""), (1, -1.0, 0.0, "replaced", ""), (2, -2.0, -2.0, "filled", "")])


def test_S4_a_time_exit_replaces_what_waits_and_the_row_is_ignored_while_it_is_due() -> None:
    # in at bar 1; bar 1 adds, which waits because bar 2 is idle; at bar 2 a bar has passed: the time exit takes its place and the rows of
    # bars 2 and 3, which would reverse, are ignored; it fills at bar 4, whose own row is free again
    bars = bars_of([BUSY, BUSY, IDLE, IDLE, BUSY, BUSY])
    known = {"sizing": ONE, "costs": NEEDS_VOLUME, "accumulate": True, "stops": vb.Stops(time_bars=1)}
    out = run(bars, signals("L L S S S"), **known)
    assert_rows(
        out.ordered(),
        [(0, 1.0, 1.0, "filled", ""), (1, 1.0, 0.0, "replaced", ""), (2, -1.0, -1.0, "filled", ""), (4, -1.0, -1.0, "filled", "")],
    )
    assert [o.reason for o in out.orders] == ["signal", "signal", "time", "signal"]


def test_S4_P9_with_close_fills_the_bar_of_a_time_exit_that_waited_is_not_heard() -> None:
    # due at bar 1, which has no market; it fills at the open of bar 2, whose own entry is ignored; that of bar 3 is not
    out = run(bars_of([100, None, 100, 100]), signals("L . L L"), sizing=ONE, stops=vb.Stops(time_bars=1), fill="close")
    assert_rows(out.filled(), [(0, 1.0, 100.0), (2, -1.0, 100.0), (3, 1.0, 100.0)])


def test_S4_a_risk_exit_takes_the_place_of_what_waits_and_the_row_is_ignored() -> None:
    crash = (70, 70, 70, 70, 0)
    bars = bars_of([BUSY, BUSY, crash, crash, (70, 70, 70, 70, 50), (70, 70, 70, 70, 50)])
    zones = vb.Zones(boundaries=(0.1, 0.2, 0.3), liquidate_at=0.2)
    # all in at bar 1, the flip of bar 1 waits; at bar 2 equity is 700: its new risk is cancelled by the zone, a risk exit comes instead;
    # the flips that bars 2 and 3 ask for are ignored. Half a percent of impact is far below any boundary
    out = run(bars, signals("L S S S"), sizing=vb.Units(10), costs=vb.Costs(volume_share=1e-9), risk=vb.Risk(zones=zones))
    assert_rows(
        [(o.t, o.filled, o.status, o.cut_by, o.reason) for o in out.orders],
        [(0, 10.0, "filled", "", "signal"), (1, 0.0, "cancelled", "zone", "signal"), (2, -10.0, "filled", "", "risk")],
    )
    assert [f.t for f in out.fills] == [1, 4]


# --- S5: the order of cuts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("distance", ["hard", "trailing", "take_profit"])
def test_S5_without_an_atr_new_risk_is_refused_at_the_decision(distance: str) -> None:
    bars = bars_of([(100, 101, 99, 100)] * 5)
    out = run(bars, signals("L . L"), sizing=ONE, stops=vb.Stops(**{distance: vb.Atr(10)}, atr_window=3))
    # three bars make the first ATR: the entry of bar 0 is refused at once, that of bar 2 is not
    assert_rows([(o.t, o.status, o.cut_by) for o in out.orders], [(0, "rejected", "stop"), (2, "filled", "")])
    assert out.orders[0].done == 0


def test_S5_without_an_atr_a_flip_still_closes() -> None:
    bars = bars_of([(100, 101, 99, 100)] * 3)
    stops = vb.Stops(hard=vb.Atr(10), atr_window=3)
    out = run(bars, quantities([-2]), stops=stops, positions={"A": (2.0, 100.0)})
    assert_rows(out.ordered(), [(0, -4.0, -2.0, "partial", "stop")])
    assert out.held() == 0.0


def test_S5_the_zone_cuts_before_the_lot() -> None:
    out = run(bars_of(LOSING, lot=1.0), signals({"B": "L"}), sizing=vb.Units(3), **CAUTION)
    # 3 are halved to 1.5, of which 1
    assert_rows(out.ordered("B"), [(0, 3.0, 1.0, "partial", "zone")])
    out = run(bars_of(LOSING, lot=1.0), signals({"B": "S"}), sizing=vb.Units(1), **CAUTION)
    assert_rows(out.ordered("B"), [(0, -1.0, 0.0, "rejected", "zone, lot")])


def test_S5_room_cuts_at_the_fill_after_the_zone() -> None:
    out = run(bars_of(LOSING), signals({"B": "L"}), sizing=vb.Units(20), **CAUTION)
    # 20 are halved to 10 at the decision, of which 500 buy 5
    assert_rows(out.ordered("B"), [(0, 20.0, 5.0, "partial", "zone, cash")])
    assert out.orders[0].opening == 10.0


def test_S5_the_minimum_comes_last() -> None:
    out = run(bars_of(LOSING, min_notional=200.0), signals({"B": "L"}), sizing=vb.Units(3), **CAUTION)
    # 300 wanted would do, the 150 that the zone leaves do not
    assert_rows(out.ordered("B"), [(0, 3.0, 0.0, "rejected", "zone, minimum")])


def test_S5_cuts_touch_new_risk_only() -> None:
    # in CAUTION a flip from 5 to -4 closes its 5 and opens 2; an exit is whole
    out = run(bars_of(LOSING), quantities({"A": [-4]}), **CAUTION)
    assert_rows(out.ordered("A"), [(0, -9.0, -7.0, "partial", "zone")])
    out = run(bars_of(LOSING), quantities({"A": [0]}), **CAUTION)
    assert_rows(out.ordered("A"), [(0, -5.0, -5.0, "filled", "")])
    out = run(bars_of(LOSING), quantities({"A": [3]}), **CAUTION)
    assert_rows(out.ordered("A"), [(0, -2.0, -2.0, "filled", "")])
