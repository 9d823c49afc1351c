"""Arguments of a simulation: every wrong one is a ConfigError that says which, what was expected, what was found and what to do."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.rules.helpers import bars_of
from vecbt.core.codes import InputKind
from vecbt.engine.setup import Setup, spans_of
from vecbt.errors import ConfigError, DataError, VecbtError

FREE = vb.Costs.free()
BARS = bars_of({"A": [10, 10, 10], "B": [20, 20, 20]})
WITH_TICK = bars_of({"A": [10, 10, 10], "B": [20, 20, 20]}, tick=0.5)
SILENT = vb.Signals(entries=np.zeros((3, 2), dtype=bool))
FIXED = vb.FixedFractionalSizing()


def message_of(*, inputs: Any = SILENT, bars: Any = BARS, **keywords: Any) -> str:
    """The message with which `backtest` and `check_parity` both refuse these arguments."""
    known = {"costs": FREE, **keywords}
    messages = set()
    for act in (vb.backtest, vb.check_parity):
        with pytest.raises(ConfigError) as caught:
            act(bars, inputs, **known)
        messages.add(str(caught.value))
    assert len(messages) == 1, messages
    return messages.pop()


# --- keywords -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("cost", "costs"), ("stop", "stops"), ("initial_cash", "initial_capital"), ("capital", "initial_capital"), ("size", "sizing"),
        ("fills", "fill"), ("directions", "direction"), ("position", "positions"), ("intra_bar", "intrabar"), ("account", "accounts"),
    ],
)  # fmt: skip
def test_an_unknown_keyword_suggests_the_nearest(name: str, nearest: str) -> None:
    assert message_of(**{name: None}) == f"unknown argument {name!r}; did you mean {nearest!r}?"


def test_a_keyword_like_none_of_them_lists_all() -> None:
    message = message_of(qqq=1)
    assert message.startswith("unknown argument 'qqq'; known: accounts, accumulate, band, carry, costs, direction, fill")


def test_costs_have_no_default() -> None:
    for act in (vb.backtest, vb.check_parity):
        with pytest.raises(ConfigError, match=r"costs are missing; give costs=Costs\(commission_rate=.*\), or costs=Costs\.free\(\)"):
            act(BARS, SILENT)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("costs", None, "costs is None; expected Costs"),
        ("costs", 0.001, "costs is 0.001; expected Costs"),
        ("sizing", 0.1, "sizing is 0.1; expected Weight or Units or Notional or Cash or FixedFractionalSizing"),
        ("sizing", vb.Weight, "sizing is <class"),
        ("stops", 0.03, "stops is 0.03; expected Stops"),
        ("stops", vb.Pct(3), "stops is Pct(percent=3); expected Stops"),
        ("risk", vb.Zones(), "expected Risk"),
        ("initial_capital", 0, "initial_capital is 0; expected a finite amount > 0"),
        ("initial_capital", -5.0, "initial_capital is -5.0; expected a finite amount > 0"),
        ("initial_capital", math.inf, "initial_capital is inf; expected a finite amount > 0"),
        ("initial_capital", math.nan, "initial_capital is nan; expected a finite amount > 0"),
        ("initial_capital", "1000", "initial_capital is '1000'; expected an amount of money"),
        ("initial_capital", True, "initial_capital is True; expected an amount of money"),
        ("initial_capital", None, "initial_capital is None; expected an amount of money"),
        ("fill", "open", "fill is 'open'; expected one of 'next_open', 'close' (did you mean 'next_open'?)"),
        ("fill", "closed", "fill is 'closed'; expected one of 'next_open', 'close' (did you mean 'close'?)"),
        ("fill", None, "fill is None; expected one of 'next_open', 'close'"),
        ("fill", ["close"], "fill is ['close']; expected one of 'next_open', 'close'"),
        ("direction", "longs", "direction is 'longs'; expected one of 'both', 'long', 'short' (did you mean 'long'?)"),
        ("intrabar", "worst", "intrabar is 'worst'; expected one of 'pessimistic', 'optimistic'"),
        ("accounts", "seperate", "accounts is 'seperate'; expected one of 'shared', 'separate' (did you mean 'separate'?)"),
        ("weights_of", "nett", "weights_of is 'nett'; expected one of 'net', 'gross' (did you mean 'net'?)"),
        ("accumulate", 1, "accumulate is 1; expected True or False"),
        ("accumulate", "no", "accumulate is 'no'; expected True or False"),
        ("trade_through", None, "trade_through is None; expected True or False"),
        ("liquidate_at_end", 0.0, "liquidate_at_end is 0.0; expected True or False"),
        ("band", -0.1, "band is -0.1; expected a fraction of equity from 0 up to 1"),
        ("band", 5, "band is 5; expected a fraction of equity from 0 up to 1, such as 0.02"),
        ("band", math.nan, "band is nan; expected a fraction"),
        ("band", "2%", "band is '2%'; expected a fraction"),
        ("band", True, "band is True; expected a fraction"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(name: str, value: Any, expected: str) -> None:
    inputs = vb.Weights(np.zeros((3, 2))) if name in ("band", "weights_of") else SILENT
    assert expected in message_of(inputs=inputs, **{name: value})


@pytest.mark.parametrize(
    ("positions", "expected"),
    [
        ({"AA": (1, 10)}, "positions names 'AA', which is not in the bars; did you mean 'A'?"),
        ({"A": 5}, "positions['A'] is 5; expected (quantity, entry price)"),
        ({"A": (5,)}, "positions['A'] is (5,); expected (quantity, entry price)"),
        ({"A": (5, 10, 1)}, "expected (quantity, entry price)"),
        ({"A": (math.nan, 10)}, "expected (quantity, entry price)"),
        ({"A": (1, math.inf)}, "expected (quantity, entry price)"),
        ({"A": ("five", 10)}, "positions['A'] is ('five', 10); expected (quantity, entry price)"),
        ({"A": (None, 10)}, "expected (quantity, entry price)"),
        ({"A": (1, 0)}, "positions['A'] has entry price 0; expected a price > 0"),
        ({"A": (1, -3.0)}, "positions['A'] has entry price -3.0; expected a price > 0"),
        ([("A", 1, 10)], "positions is [('A', 1, 10)]; expected a mapping"),
        ("A", "positions is 'A'; expected a mapping"),
    ],
)
def test_f14_starting_positions_are_checked(positions: Any, expected: str) -> None:
    assert expected in message_of(positions=positions)


# --- stops ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["hard", "trailing", "take_profit"])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, "is 3; a bare number is a fraction below 1, so say which unit you mean: Pct(3), Atr(3), Ticks(3) or Price(3)"),
        (1.0, "is 1.0; a bare number is a fraction below 1"),
        (0, "is 0; expected a distance > 0"),
        (-0.03, "is -0.03; expected a distance > 0"),
        (math.nan, "is nan; expected a distance > 0"),
        (True, "is True; expected Pct(3), Atr(2), Ticks(20), Price(97.5) or a fraction below 1"),
        ("3%", "is '3%'; expected Pct(3), Atr(2), Ticks(20), Price(97.5) or a fraction below 1"),
    ],
)
def test_p1_a_distance_without_a_clear_unit_is_refused(field: str, value: Any, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        vb.Stops(**{field: value})
    assert f"Stops.{field} {expected}" in str(caught.value)


@pytest.mark.parametrize("kind", [vb.Pct, vb.Atr, vb.Ticks, vb.Price])
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, "2", None, True])
def test_p1_a_typed_distance_is_a_positive_number_and_a_price_any(kind: Any, value: Any) -> None:
    if kind is vb.Price and value in (0, -1):  # real where a market allows such prices (F12)
        assert vb.Price(value).level == value
        return
    with pytest.raises(ConfigError) as caught:
        kind(value)
    assert str(caught.value).startswith(f"{kind.__name__}({value!r}): expected a ")


@pytest.mark.parametrize(
    ("keywords", "expected"),
    [
        ({}, "Stops() sets no exit; give hard, trailing, take_profit, time_bars or time_days, or leave stops out"),
        ({"atr_window": 5}, "Stops() sets no exit"),
        ({"trailing": vb.Price(90)}, "Stops.trailing is Price(level=90), a fixed level; expected a distance"),
        ({"activation": 0.1}, "Stops.activation arms the trailing stop, but Stops.trailing is not set"),
        ({"trailing": 0.1, "activation": vb.Atr(2)}, "Stops.activation is Atr(multiple=2); expected a gain as Pct(2) or a fraction"),
        ({"trailing": 0.1, "activation": vb.Price(2)}, "Stops.activation is Price(level=2); expected a gain as Pct(2) or a fraction"),
        ({"trailing": 0.1, "activation": 2}, "Stops.activation is 2; a bare number is a fraction below 1"),
        ({"time_bars": 0}, "Stops.time_bars is 0; expected a whole number >= 1"),
        ({"time_bars": 2.5}, "Stops.time_bars is 2.5; expected a whole number >= 1"),
        ({"time_days": -1}, "Stops.time_days is -1; expected a whole number >= 1"),
        ({"time_days": True}, "Stops.time_days is True; expected a whole number >= 1"),
        ({"hard": vb.Atr(2), "atr_window": 0}, "Stops.atr_window is 0; expected a whole number >= 1"),
        ({"hard": vb.Atr(2), "atr_window": None}, "Stops.atr_window is None; expected a whole number >= 1"),
    ],
)
def test_p_stops_that_make_no_sense_are_refused(keywords: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        vb.Stops(**keywords)
    assert expected in str(caught.value)


def test_p1_percentages_of_a_hundred_and_more_are_levels_for_shorts_and_targets() -> None:
    """A short's stop at twice its entry, a long's target at two and a half times."""
    assert vb.Stops(hard=vb.Pct(100), take_profit=vb.Pct(150)).has_stop


def test_p1_ticks_need_a_tick_for_every_asset() -> None:
    stops = vb.Stops(hard=vb.Ticks(20))
    expected = "a stop is given in Ticks, but the market has no tick for every asset; set tick= on the bars' market"
    assert message_of(stops=stops) == expected
    assert message_of(stops=stops, bars=bars_of({"A": [10] * 3, "B": [20] * 3}, tick={"A": 0.5})) == expected
    vb.backtest(WITH_TICK, SILENT, costs=FREE, stops=stops)


@pytest.mark.parametrize("stops", [None, vb.Stops(take_profit=0.1), vb.Stops(time_bars=3)])
def test_s3_fixed_fractional_sizing_needs_a_stop(stops: Any) -> None:
    message = message_of(sizing=FIXED, stops=stops)
    assert message == "FixedFractionalSizing sizes by the distance to the stop; give stops=Stops(hard=...) or trailing=..."
    for good in (vb.Stops(hard=0.1), vb.Stops(trailing=0.1)):
        vb.backtest(BARS, SILENT, costs=FREE, sizing=FIXED, stops=good)


def test_s3_cash_sizing_and_volume_share_exclude_each_other() -> None:
    assert "use another sizing" in message_of(sizing=vb.Cash(1), costs=vb.Costs(volume_share=0.1))


# --- sizes, costs, zones --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: vb.Weight(0), "Weight.weight is 0; expected a fraction of equity > 0, such as 0.1 for 10 %"),
        (lambda: vb.Weight(-0.1), "Weight.weight is -0.1"),
        (lambda: vb.Weight("10%"), "Weight.weight is '10%'"),
        (lambda: vb.Units(0), "Units.units is 0; expected a number of units > 0"),
        (lambda: vb.Units(math.nan), "Units.units is nan"),
        (lambda: vb.Units(math.inf), "Units.units is inf"),
        (lambda: vb.Notional(-1), "Notional.notional is -1; expected an amount of money > 0"),
        (lambda: vb.Notional(math.inf), "Notional.notional is inf"),
        (lambda: vb.Cash(0), "Cash.fraction is 0; expected a fraction of the free cash, more than 0 and at most 1"),
        (lambda: vb.Cash(1.5), "Cash.fraction is 1.5"),
        (lambda: vb.FixedFractionalSizing(0), "FixedFractionalSizing.risk_fraction is 0"),
        (lambda: vb.FixedFractionalSizing(2), "FixedFractionalSizing.risk_fraction is 2; expected a fraction of equity"),
        (lambda: vb.FixedFractionalSizing(0.01, 0), "FixedFractionalSizing.max_position_fraction is 0"),
        (lambda: vb.Costs(), "Costs are all zero; give at least one, or write Costs.free()"),
        (lambda: vb.Costs(commission_rate=-0.1), "Costs.commission_rate is -0.1; expected a finite number >= 0"),
        (lambda: vb.Costs(commission_rate=5), "Costs.commission_rate is 5, half of the notional or more; rates are fractions"),
        (lambda: vb.Costs(slippage_bps=math.nan), "Costs.slippage_bps is nan"),
        (lambda: vb.Costs(slippage_bps=math.inf), "Costs.slippage_bps is inf"),
        (lambda: vb.Costs(per_order="1"), "Costs.per_order is '1'"),
        (lambda: vb.Costs(volume_share=1, volume_window=0), "Costs.volume_window is 0; expected a whole number of bars >= 1"),
        (lambda: vb.Zones(boundaries=(0.1, 0.05, 0.15)), "Zones.boundaries are (0.1, 0.05, 0.15); expected ascending drawdowns"),
        (lambda: vb.Zones(boundaries=(0.1, 0.1, 0.15)), "expected ascending drawdowns"),
        (lambda: vb.Zones(boundaries=(0.05, 0.1)), "Zones.boundaries is (0.05, 0.1); expected 3 numbers"),
        (lambda: vb.Zones(boundaries=(5, 10, 15)), "Zones.boundaries[0] is 5; expected a fraction between 0 and 1: 5 % is 0.05"),
        (lambda: vb.Zones(boundaries=(0, 0.1, 0.2)), "Zones.boundaries[0] is 0"),
        (lambda: vb.Zones(boundaries=0.05), "Zones.boundaries is 0.05; expected"),
        (lambda: vb.Zones(factors=(1, 0.5, 0.25)), "Zones.factors is (1, 0.5, 0.25); expected 4 numbers"),
        (lambda: vb.Zones(factors=(1, 0.25, 0.5, 0)), "a deeper drawdown must not allow more risk"),
        (lambda: vb.Zones(factors=(1, 0.5, 0.25, 0.1)), "Zones.factors[3] is 0.1; EMERGENCY takes no new risk, expected 0"),
        (lambda: vb.Zones(factors=(2, 0.5, 0.25, 0)), "Zones.factors[0] is 2; expected a number from 0 to 1"),
        (lambda: vb.Zones(factors=None), "Zones.factors is None; expected"),
        (lambda: vb.Zones(liquidate_at=0.05), "Zones.liquidate_at is 0.05; expected ALERT's boundary (0.1) or more"),
        (lambda: vb.Zones(liquidate_at=20), "Zones.liquidate_at is 20; expected a fraction between 0 and 1"),
        (lambda: vb.Zones(cooldown_bars=0), "Zones.cooldown_bars is 0; expected a whole number of bars >= 1"),
        (lambda: vb.Zones(cooldown_bars=1.5), "Zones.cooldown_bars is 1.5"),
        (lambda: vb.Zones(mark="low"), "Zones.mark is 'low'; expected 'close' or 'intrabar'"),
        (lambda: vb.Risk(), "Risk() sets no rule; give zones, daily_loss, max_heat, max_trade_loss or limits, or leave risk out"),
        (lambda: vb.Risk(daily_loss=3), "Risk.daily_loss is 3; expected a fraction between 0 and 1: 5 % is 0.05"),
        (lambda: vb.Limits(), "Limits() sets no limit; give max_position"),
        (lambda: vb.Limits(max_gross=150), "it is a fraction: 25 % is 0.25"),
        (lambda: vb.Limits(max_gross=0.5, max_net=0.8), "can never bind"),
        (lambda: vb.Carry(), "Carry() costs nothing; give borrow_rate or interest_rate, or leave carry out"),
        (lambda: vb.Carry(borrow_rate={"A": -1}), "Carry.borrow_rate['A'] is -1; expected a yearly fraction >= 0"),
        (lambda: vb.Carry(interest_rate=12), "rates are fractions: 3 % is 0.03"),
        (lambda: vb.Risk(zones=(0.05, 0.1, 0.15)), "expected Zones(...)"),
    ],
)
def test_parameter_objects_refuse_what_makes_no_sense(make: Any, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make()
    assert expected in str(caught.value)


# --- what needs the market or the inputs ----------------------------------------------------------------------------


def test_f1_volume_share_needs_a_volume() -> None:
    assert message_of(costs=vb.Costs(volume_share=0.1)) == "costs use volume_share, but the bars have no volume column"


def test_f12_levels_in_percent_need_prices_above_zero() -> None:
    bars = bars_of({"A": [10] * 3, "B": [20, -1, 20]}, allow_negative={"B": True})
    with pytest.raises(DataError, match=r"B has a price of -1.0 at 2024-01-02.*levels in percent"):
        vb.backtest(bars, SILENT, costs=FREE, stops=vb.Stops(hard=0.1))


@pytest.mark.parametrize("kind", [vb.Weights, vb.Quantities])
@pytest.mark.parametrize(("name", "value"), [("sizing", vb.Units(1)), ("accumulate", True)])
def test_w1_s1_sizes_do_not_apply_to_targets(kind: Any, name: str, value: Any) -> None:
    expected = f"{name} does not apply to {kind.__name__.lower()}: the rows say how much is held"
    assert message_of(inputs=kind(np.zeros((3, 2))), **{name: value}) == expected


@pytest.mark.parametrize("inputs", [SILENT, vb.Strengths(np.zeros((3, 2))), vb.Quantities(np.zeros((3, 2)))])
@pytest.mark.parametrize(("name", "value"), [("band", 0.1), ("weights_of", "gross")])
def test_w2_w3_band_and_weights_of_apply_to_weights_only(inputs: Any, name: str, value: Any) -> None:
    kind = type(inputs).__name__.lower()
    assert message_of(inputs=inputs, **{name: value}) == f"band and weights_of apply to target weights only; the inputs are {kind}"


@pytest.mark.parametrize("bars", [None, np.ones((3, 2)), [1, 2, 3]])
def test_bars_must_be_bars(bars: Any) -> None:
    for act in (vb.backtest, vb.check_parity):
        with pytest.raises(DataError, match=r"bars is .*; expected Bars: make them with Bars\.from_pandas"):
            act(bars, SILENT, costs=FREE)


def test_every_refusal_is_an_error_of_the_package_and_a_value_error() -> None:
    with pytest.raises(VecbtError):
        vb.backtest(BARS, SILENT, costs=FREE, fill="now")
    with pytest.raises(ValueError, match="fill is 'now'"):
        vb.backtest(BARS, SILENT, costs=FREE, fill="now")


# --- what a setup says ----------------------------------------------------------------------------------------------


def test_a_setup_takes_numbers_of_numpy() -> None:
    setup = Setup.of(costs=FREE, initial_capital=np.float64(5.0), band=np.float64(0.1), accumulate=np.bool_(False))
    assert (setup.initial_capital, setup.band) == (5.0, 0.1)
    vb.backtest(BARS, SILENT, costs=vb.Costs(per_unit=np.float32(1)), initial_capital=np.int64(7), sizing=vb.Units(np.int64(1)))


def test_describe_names_every_parameter_also_those_that_are_off() -> None:
    rows = {(section, name): value for section, name, value in Setup.of(costs=FREE).describe()}
    assert rows["simulation", "fill"] == "next_open" and rows["account", "initial_capital"] == 100_000.0
    assert rows["stops", "stops"] == "off" and rows["risk", "risk"] == "off"
    assert rows["sizing", "sizing"] == "Weight(1/N), N assets in the account"
    stops, risk = vb.Stops(hard=vb.Atr(2)), vb.Risk(zones=vb.Zones(cooldown_bars=3))
    rows = {(section, name): value for section, name, value in Setup.of(costs=FREE, stops=stops, risk=risk).describe()}
    assert rows["stops", "hard"] == vb.Atr(2) and rows["stops", "trailing"] is None
    assert rows["risk", "zones.cooldown_bars"] == 3


def test_the_digest_tells_setups_apart() -> None:
    base: dict[str, Any] = {"costs": FREE}
    others: list[dict[str, Any]] = [
        {"costs": vb.Costs(per_order=1)}, {"fill": "close"}, {"band": 0.1}, {"stops": vb.Stops(hard=0.1)}, {"stops": vb.Stops(hard=0.2)},
        {"stops": vb.Stops(hard=0.1, atr_window=3)}, {"sizing": vb.Units(1)}, {"sizing": vb.Units(2)}, {"initial_capital": 1.0},
        {"risk": vb.Risk(zones=vb.Zones())}, {"risk": vb.Risk(zones=vb.Zones(mark="intrabar"))}, {"positions": {"A": (1, 2)}},
        {"accounts": "separate"}, {"liquidate_at_end": True},
    ]  # fmt: skip
    others += [{"costs": vb.Costs(per_order=1 + 2**-52)}, {"flows": {"2024-01-02": 1.0}}, {"flows": {"2024-01-02": 2.0}}, {"leverage": 2.0}]
    others += [
        {"carry": vb.Carry(borrow_rate={"A": 0.1})},
        {"carry": vb.Carry(borrow_rate={"B": 0.1})},
        {"carry": vb.Carry(borrow_rate=0.1)},
    ]
    digests = [Setup.of(**{**base, **other}).digest() for other in [{}, *others]]
    assert len(set(digests)) == len(digests)
    assert Setup.of(**base).digest() == digests[0]


def test_the_digest_of_equal_setups_is_equal() -> None:
    """A session is restored by it: neither numbers of numpy nor the order of a mapping make another setup."""
    one = {"initial_capital": 100_000, "costs": vb.Costs(per_order=0.1), "positions": {"A": (1, 2), "B": (3, 4)}, "band": 0}
    two = {
        "initial_capital": np.float64(1e5), "costs": vb.Costs(per_order=np.float64(0.1)), "positions": {"B": (3.0, 4.0), "A": (1.0, 2.0)},
        "accumulate": np.False_, "band": np.float64(0.0), "carry": None,
    }  # fmt: skip
    assert Setup.of(**one).digest() == Setup.of(**two).digest()
    rates = [vb.Carry(borrow_rate=dict(pairs)) for pairs in ((("A", 0.1), ("B", 0.2)), (("B", 0.2), ("A", 0.1)))]
    assert len({Setup.of(costs=FREE, carry=carry).digest() for carry in rates}) == 1


def test_f14_positions_cannot_be_changed_from_outside() -> None:
    """A setup is frozen: what it was given may change afterwards without a trace."""
    positions = {"A": (1.0, 10.0)}
    setup = Setup.of(costs=FREE, positions=positions)
    before = setup.digest()
    positions["B"] = (5.0, 20.0)
    assert setup.digest() == before


def test_the_default_size_is_one_nth_of_the_account() -> None:
    setup = Setup.of(costs=FREE)
    assert (setup.sizing_for(4), setup.sizing_for(1)) == (vb.Weight(0.25), vb.Weight(1.0))
    assert spans_of("shared", 3).tolist() == [0, 3] and spans_of("separate", 3).tolist() == [0, 1, 2, 3]
    rules = setup.rules(InputKind.SIGNALS, vb.Market(symbols=tuple("ABCD")))
    assert (rules.stops.on[0], rules.zones.on[0], rules.terms) == (0, 0, None)
    assert float(rules.common.amount[0]) == 0.25


def test_changes_are_checked_too() -> None:
    setup = Setup.of(costs=FREE)
    assert replace(setup, fill="close").fill == "close" and setup.fill == "next_open"
    with pytest.raises(ConfigError, match="fill is 'now'"):
        replace(setup, fill="now")
