"""Setups of a sweep made by columns: the records and the errors of each are those of the setup made alone (section 1 of sweeps, D1)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import vecbt as vb
from vecbt.core.codes import InputKind
from vecbt.core.sets import sets_of
from vecbt.data import synthetic
from vecbt.engine.sweep_names import _REMEMBERED, SetupsMade, setup_with, split_names
from vecbt.engine.sweep_setups import _SEPARATE, SetupTable
from vecbt.errors import VecbtError
from vecbt.strategies import SmaCross

BARS = synthetic.sine(T=30, N=2, wave_bars=6.0)
COSTS = vb.Costs(commission_rate=0.001, slippage_bps=5)
STOPS = vb.Stops(hard=0.05, trailing=0.04, take_profit=0.1, activation=0.02)
RISK = vb.Risk(zones=vb.Zones(), daily_loss=0.02, max_heat=0.05, max_trade_loss=0.01)


def table(space: dict[str, Any], **keywords: Any) -> tuple[SetupTable, Any, Any]:
    """All setups of a space, the function that makes one of them alone, and how many there are."""
    strategy, keywords = SmaCross(2, 5), {"costs": COSTS, **keywords}
    sets = sets_of(space, strategy.space, strategy.parameters)
    _, rest = split_names(sets.names, strategy.space, keywords)
    varied = {name: (sets.values[sets.names.index(name)], sets.codes[:, sets.names.index(name)]) for name in rest}
    made = SetupTable(lambda values: setup_with(keywords, values), varied, len(sets), BARS, InputKind.SIGNALS)
    return made, lambda u: setup_with(keywords, sets.at(u)), len(sets)


def assert_as_alone(space: dict[str, Any], **keywords: Any) -> SetupTable:
    """Every setup's records, start and end are its own; what is wrong with one is what is wrong alone."""
    made, alone, count = table(space, **keywords)
    seen = 0
    for u in range(count):
        try:
            setup = alone(u).for_market(BARS.market, BARS.has_volume).for_inputs(InputKind.SIGNALS)
        except VecbtError as error:
            assert str(made.errors[u]) == str(error)
            seen += 1
            continue
        assert u not in made.errors
        group = next(group for group in made.groups if group.numbers[u] >= 0)
        place = group.numbers[u]
        for mine, whole in zip(setup.rules(InputKind.SIGNALS, BARS.market), group.rules, strict=True):
            assert (mine is None) == (whole is None)
            if mine is not None and whole is not None:
                row = place if len(whole) > 1 else 0
                assert np.asarray(mine).tobytes() == np.asarray(whole)[row : row + 1].tobytes(), u
        assert group.ends[place] == setup.liquidate_at_end
        assert group.books[group.starts[place]].accounts["initial"][0] == setup.initial_capital
        seen += 1
    assert seen == count
    return made


NUMBERS = [0.011, 0.02, 0.033, 0.04, 0.05]


@pytest.mark.parametrize("name", sorted(_SEPARATE))
def test_each_parameter_with_a_field_of_its_own(name: str) -> None:
    sizing: Any = vb.KellyCriterion(win_rate=0.4, avg_win=2.0, avg_loss=1.0, max_position_fraction=0.5)
    sizing = vb.FixedFractionalSizing(0.01) if name == "sizing.risk_fraction" else vb.Weight(0.2) if name == "sizing.weight" else sizing
    other = "costs.per_unit" if name != "costs.per_unit" else "costs.per_order"
    made = assert_as_alone({name: NUMBERS, other: NUMBERS}, stops=STOPS, risk=RISK, sizing=sizing)
    assert len(made.groups) == 1 and len(made.groups[0].ends) == len(NUMBERS) ** 2


def test_all_stops_and_costs_at_once() -> None:
    space = {
        "stops.hard": [0.01, 0.02, 0.03],
        "stops.trailing": [0.02, 0.05],
        "costs.commission_rate": [0.0, 0.001, 0.002],
        "costs.slippage_bps": [1.0, 9.0],
    }
    assert_as_alone(space | {"costs.slippage_bps": [1.0, 9.0]}, stops=STOPS)


def test_numbers_beside_other_kinds_of_values() -> None:
    """Fill, capital and zones vary, too: each combination of them has its own columns."""
    space = {
        "fill": ["close", "next_open"], "initial_capital": [1e4, 1e5], "risk.zones.boundaries": [(0.05, 0.1, 0.2), (0.1, 0.2, 0.3)],
        "stops.hard": NUMBERS, "risk.max_heat": NUMBERS, "liquidate_at_end": [False, True],
    }  # fmt: skip
    assert_as_alone(space, stops=STOPS, risk=RISK)


def test_what_is_wrong_with_a_value_is_said_in_its_sets_alone() -> None:
    made = assert_as_alone({"stops.hard": [*NUMBERS, -1.0], "costs.slippage_bps": [1.0, 2.0, -3.0, 4.0, 5.0]}, stops=STOPS)
    assert len(made.errors) == 10


def test_of_many_numbers_a_few_are_looked_at() -> None:
    """The ends, zeros and one between; the others stand there as they are. Where an end is wrong, all are looked at."""
    many, asked = np.linspace(0.01, 0.09, 40).tolist(), []
    for more, wrong in (([], 0), ([float("nan")], 3), ([0.5, -1.0, float("inf")], 6)):
        values = [*many[:20], *more, *many[20:]]
        strategy, keywords = SmaCross(2, 5), {"costs": COSTS, "stops": STOPS}
        sets = sets_of({"stops.hard": values, "costs.half_spread": [0.01, 0.0, 0.02]}, strategy.space, strategy.parameters)
        varied = {name: (sets.values[k], sets.codes[:, k]) for k, name in enumerate(sets.names)}
        made = SetupTable(
            lambda given, all_of=keywords: asked.append(given) or setup_with(all_of, given), varied, len(sets), BARS, InputKind.SIGNALS
        )
        assert len(made.errors) == wrong and (len(asked) < 10) == (wrong == 0)
        (group,) = made.groups
        hard = {values[sets.codes[u, 0]] for u in range(len(sets)) if group.numbers[u] >= 0}
        assert hard == {value for value in values if value > 0.0 and value < np.inf}
        for u in np.flatnonzero(group.numbers >= 0):
            assert group.rules[1]["hard"][group.numbers[u]] == values[sets.codes[u, 0]]
        asked.clear()
    assert_as_alone({"stops.hard": [*many[:9], -1.0, *many[9:]], "costs.half_spread": [0.01, 0.0, 0.02, 0.03]}, stops=STOPS)


def test_none_and_forms_are_made_one_by_one() -> None:
    """A stop that is off, or of another form, changes more than its number."""
    assert_as_alone(
        {"stops.hard": [None, 0.02, vb.Atr(2.0), 0.04], "stops.trailing": NUMBERS, "costs.per_unit": [0.0, 0.1, 0.2]}, stops=STOPS
    )


def test_maker_rates_of_their_own_stay() -> None:
    costs = vb.Costs(commission_rate=0.001, maker_rate=0.0005)
    assert_as_alone({"costs.commission_rate": NUMBERS, "costs.half_spread": NUMBERS}, costs=costs)


def test_costs_that_all_vary_down_to_zero_are_free() -> None:
    """The one thing that costs say of each other: all zero is meant where it was varied to."""
    zero = [0.0, 0.001, 0.002, 0.003, 0.004]
    made = assert_as_alone({"costs.commission_rate": zero, "costs.half_spread": zero[::-1]}, costs=vb.Costs(commission_rate=0.001))
    assert not made.errors and len(made.groups) == 1


def test_setups_of_plain_numbers_are_remembered_and_none_is_taken_for_another() -> None:
    keywords = {"costs": COSTS, "stops": STOPS}
    made = SetupsMade(keywords)
    for values in ({}, {"stops.hard": 0.03}, {"stops.hard": 0.03, "stops.trailing": 0.02}, {"stops.time_bars": 1}):
        assert made(values) is made(dict(values))
        assert made(values) == setup_with(keywords, values)
    assert made({"stops.hard": vb.Pct(3.0)}) == setup_with(keywords, {"stops.hard": vb.Pct(3.0)})
    for wrong in ({"stops.time_bars": True}, {"stops.time_bars": 1.0}, {"stops.hard": -1.0}):  # two are equal to one that is there
        for _ in range(2):
            with pytest.raises(VecbtError):
                made(wrong)
    for k in range(3 * _REMEMBERED):
        assert made({"stops.hard": 0.01 + k / 1e4}).stops.hard == vb.Stops(hard=0.01 + k / 1e4).hard
    assert len(made._made) <= _REMEMBERED
