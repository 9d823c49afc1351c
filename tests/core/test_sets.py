"""Parameter sets: grids, lists, frames and samples; constraints that drop sets; what is refused and how."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vecbt.core.sets import RandomSets, Sets, Sobol, sets_of
from vecbt.core.space import Parameter, Space
from vecbt.engine.strategy import Strategy
from vecbt.errors import ConfigError
from vecbt.strategies import SmaCross

pytestmark = pytest.mark.interpreted


@dataclass(frozen=True)
class Ranged(Strategy):
    """Parameters of every kind that a space reads."""

    fast: int = Parameter(3, low=1, high=4, integer=True, below="slow")
    slow: int = Parameter(8, low=2, high=12, integer=True)
    loss: float = Parameter(0.1, low=0.0, high=0.5)
    side: str = Parameter("long", choices=("long", "short"))
    free: Any = None


@dataclass(frozen=True)
class Whole(Strategy):
    """All of it can be listed."""

    fast: int = Parameter(1, low=1, high=4, integer=True, below="slow")
    slow: int = Parameter(5, low=2, high=5, integer=True)
    side: str = Parameter("long", choices=("long", "short"))


NOTHING = Space("Nothing", ())
BASE = Ranged().parameters


def made(space: Any, declared: Space = NOTHING, base: dict[str, Any] | None = None, **more: Any) -> Sets:
    return sets_of(space, declared, base or {}, **more)


def rows(sets: Sets) -> list[dict[str, Any]]:
    return [sets.at(c) for c in range(len(sets))]


# --- grids -------------------------------------------------------------------------------------------------------------


@given(st.dictionaries(st.sampled_from("abcd"), st.lists(st.integers(-3, 3), min_size=1, max_size=4, unique=True), min_size=1))
def test_a_grid_is_the_product_in_the_order_of_itertools(space: dict[str, list[int]]) -> None:
    sets = made(space)
    assert [tuple(row.values()) for row in rows(sets)] == list(itertools.product(*space.values()))
    for name in space:
        assert sets.column(name).tolist() == [row[name] for row in rows(sets)]


@pytest.mark.parametrize("value", [5, "long", None, 0.5, {"S0": 0.5}, np.array(7)])
def test_one_value_alone_stands_for_a_list_of_it(value: Any) -> None:
    assert rows(made({"a": value, "b": [1, 2]})) == [{"a": value, "b": 1}, {"a": value, "b": 2}]


def test_numpy_numbers_become_pythons() -> None:
    sets = made({"a": np.array([1, 2]), "b": [np.float64(0.5)], "c": [np.bool_(True)], "d": np.arange(2.0), "e": np.array(3)})
    assert [type(v) for v in sets.at(0).values()] == [int, float, bool, float, int]
    listed = made([{"a": np.int64(1), "b": np.float32(0.5)}])
    assert [type(v) for v in listed.at(0).values()] == [int, float]


def test_values_of_mixed_kinds_stay_what_they_are() -> None:
    given_values = [1, "1", None, 2.5, True, (0.1, 0.2)]
    sets = made({"a": given_values})
    assert [(type(r["a"]), r["a"]) for r in rows(sets)] == [(type(v), v) for v in given_values]
    assert sets.column("a").dtype == object
    drawn = made(RandomSets(200, {"a": given_values}))
    assert {(type(r["a"]), r["a"]) for r in rows(drawn)} == {(type(v), v) for v in given_values}


def test_a_value_given_twice_is_taken_once_and_true_is_not_one() -> None:
    assert [r["a"] for r in rows(made({"a": [5, 7, 5, 5.0]}))] == [5, 7]
    found = [r["a"] for r in rows(made({"a": [1, True, 0, False]}))]
    assert [(type(v), v) for v in found] == [(int, 1), (bool, True), (int, 0), (bool, False)]


def test_values_without_a_hash_are_told_apart_by_what_they_hold() -> None:
    weights = [{"S0": 0.5}, {"S0": 0.25}, {"S0": 0.5}]
    assert [r["w"] for r in rows(made({"w": weights}))] == weights[:2]
    listed = made([{"w": w} for w in weights])
    assert [r["w"] for r in rows(listed)] == weights and listed.distinct(["w"])[1].tolist() == [0, 1, 0]


def test_no_space_is_all_that_the_strategy_declares_below_included() -> None:
    sets = sets_of(None, Whole.space, Whole().parameters)
    wanted = [
        {"fast": f, "slow": s, "side": w}
        for f, s, w in itertools.product(range(1, 5), range(2, 6), ("long", "short"))
        if f < s
    ]  # fmt: skip
    assert rows(sets) == wanted
    with pytest.raises(ConfigError, match=r"Ranged\.loss may be a number from 0 to 0.5, which is no list"):
        sets_of(None, Ranged.space, BASE)
    with pytest.raises(ConfigError, match="SmaCross"):
        sets_of(None, SmaCross.space, SmaCross().parameters)


# --- lists and frames --------------------------------------------------------------------------------------------------

LISTED = [{"a": 3, "b": "x"}, {"a": 1, "b": "y"}, {"a": 3, "b": "x"}]


@pytest.mark.parametrize("space", [LISTED, tuple(LISTED), pd.DataFrame(LISTED), pl.DataFrame(LISTED)], ids=["list", "tuple", "pd", "pl"])
def test_lists_and_frames_keep_their_order_and_their_twins(space: Any) -> None:
    sets = made(space)
    assert rows(sets) == LISTED
    assert all(type(r["a"]) is int for r in rows(sets))
    assert sets.distinct(["a"])[0].tolist() == [0, 1]


def test_a_list_may_name_its_parameters_in_any_order_but_all_the_same() -> None:
    assert rows(made([{"a": 1, "b": 2}, {"b": 3, "a": 4}])) == [{"a": 1, "b": 2}, {"a": 4, "b": 3}]
    with pytest.raises(ConfigError, match="set 1 names a; the first names a, b"):
        made([{"a": 1, "b": 2}, {"a": 1}])


def test_constraints_of_the_strategy_leave_lists_alone() -> None:
    assert len(sets_of([{"fast": 9, "slow": 3}], Ranged.space, BASE)) == 1


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({}, "the space is empty"),
        ({"a": []}, r"space\['a'\] is empty"),
        ([], "empty list"),
        (pd.DataFrame({"a": []}), "empty list"),
        (5, "space is int"),
        ("fast", "space is str"),
        ([1, 2], "space is list"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "names a parameter twice"),
        ({1: [1], "1": [2]}, "names a parameter twice"),
        (RandomSets(5, {}), "RandomSets has no ranges"),
        (RandomSets(5, {"a": (3, 1)}), r"the range of a is \(3, 1\)"),
        (RandomSets(5, {"a": (0.0, float("inf"))}), "the range of a"),
        (RandomSets(5, {"a": (float("nan"), 1.0)}), "the range of a"),
        (Sobol(5, {"a": []}), "is empty"),
    ],
)  # fmt: skip
def test_a_space_that_cannot_be_is_refused(space: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        made(space)


@pytest.mark.parametrize("kind", [RandomSets, Sobol])
@pytest.mark.parametrize("arguments", [(0,), (True,), (2.5,), (5, None, -1), (5, None, 0.5), (5, [1, 2])])
def test_samples_are_refused_where_they_are_made(kind: Any, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(ConfigError, match=kind.__name__):
        kind(*arguments)


# --- distinct ----------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(*[st.integers(0, 2)] * 4), min_size=1, max_size=30), st.lists(st.sampled_from("abcd"), unique=True))
def test_distinct_is_what_the_slow_twin_says(given_rows: list[tuple[int, ...]], names: list[str]) -> None:
    sets = made([dict(zip("abcd", row, strict=True)) for row in given_rows])
    firsts, numbers = sets.distinct(names)
    seen: dict[tuple[Any, ...], int] = {}
    wanted_firsts, wanted_numbers = [], []
    for c in range(len(sets)):
        key = tuple(sets.at(c)[name] for name in names)
        if key not in seen:
            seen[key] = len(seen)
            wanted_firsts.append(c)
        wanted_numbers.append(seen[key])
    assert (firsts.tolist(), numbers.tolist()) == (wanted_firsts, wanted_numbers)


def test_distinct_of_more_combinations_than_an_int64_counts() -> None:
    names = [f"p{k}" for k in range(40)]
    generator = np.random.default_rng(5)
    few = generator.integers(0, 50, (6, 40))
    table = few[generator.integers(0, 6, 200)]
    sets = made([dict(zip(names, row.tolist(), strict=True)) for row in np.vstack([generator.integers(0, 50, (300, 40)), table])])
    firsts, numbers = sets.distinct(names)
    whole = [tuple(sets.at(c).values()) for c in range(len(sets))]
    assert len(firsts) == len(set(whole)) and all(whole[firsts[numbers[c]]] == whole[c] for c in range(len(sets)))


# --- constraints -------------------------------------------------------------------------------------------------------


def test_below_drops_sets_of_a_grid_where_both_sides_vary() -> None:
    sets = sets_of({"fast": [2, 5, 9], "slow": [3, 6]}, Ranged.space, BASE)
    assert rows(sets) == [{"fast": 2, "slow": 3}, {"fast": 2, "slow": 6}, {"fast": 5, "slow": 6}]


def test_below_counts_the_value_that_does_not_vary() -> None:
    assert [r["fast"] for r in rows(sets_of({"fast": range(5, 12)}, Ranged.space, BASE))] == [5, 6, 7]
    assert [r["slow"] for r in rows(sets_of({"slow": range(1, 6)}, Ranged.space, BASE))] == [4, 5]
    assert len(sets_of({"loss": [0.1, 0.2]}, Ranged.space, {**BASE, "fast": 9, "slow": 1})) == 2


@pytest.mark.parametrize("kind", [RandomSets, Sobol])
def test_below_drops_samples(kind: Any) -> None:
    ranges = {"fast": (1, 20), "slow": (1, 20)}
    free, kept = rows(made(kind(64, ranges))), rows(sets_of(kind(64, ranges), Ranged.space, BASE))
    assert kept == [r for r in free if r["fast"] < r["slow"]] and 0 < len(kept) < len(free)


def test_below_leaves_what_cannot_be_compared_to_the_strategy() -> None:
    kept = rows(sets_of({"fast": [2, "many", None, 9], "slow": [5]}, Ranged.space, BASE))
    assert [r["fast"] for r in kept] == [2, "many", None]
    words = rows(sets_of({"fast": ["few", "many"]}, Ranged.space, BASE))
    assert [r["fast"] for r in words] == ["few", "many"]


@pytest.mark.parametrize(
    "space", [{"a": range(5), "b": [1, 3]}, [{"a": k, "b": 3} for k in range(5)], Sobol(16, {"a": (0, 9), "b": (0, 9)})]
)
def test_where_keeps_what_it_says(space: Any) -> None:
    everything = rows(made(space))
    kept = rows(made(space, where=lambda p: p["a"] < p["b"]))
    assert kept == [r for r in everything if r["a"] < r["b"]] and 0 < len(kept) < len(everything)


@pytest.mark.parametrize("where", [lambda p: True, lambda p: p["a"], lambda p: np.ones(3, dtype=bool), lambda p: None])
def test_where_must_give_booleans_for_all_sets(where: Any) -> None:
    with pytest.raises(ConfigError, match=r"expected booleans \(5,\)"):
        made({"a": range(5)}, where=where)


def test_a_constraint_that_excludes_everything_is_named() -> None:
    with pytest.raises(ConfigError, match=r"none of the 3 sets is left: fast < slow excludes all of them"):
        sets_of({"fast": [8, 9, 10]}, Ranged.space, BASE)
    with pytest.raises(ConfigError, match=r"none of the 2 sets is left: where excludes all of them"):
        sets_of([{"fast": 9}, {"fast": 10}], Ranged.space, BASE, where=lambda p: p["fast"] < 0)
    with pytest.raises(ConfigError, match=r"fast < slow and where exclude all of them"):
        sets_of({"fast": [2, 9]}, Ranged.space, BASE, where=lambda p: p["fast"] > 5)


def test_too_many_sets_are_refused_with_their_number() -> None:
    with pytest.raises(ConfigError, match=r"the space has 12 sets, more than 11; give max_sets=12"):
        made({"a": range(3), "b": range(4)}, max_sets=11)
    assert len(made({"a": range(3), "b": range(4)}, max_sets=12)) == 12
    with pytest.raises(ConfigError, match=r"100,000,000 combinations"):
        made({"a": range(10_000), "b": range(10_000)})
    with pytest.raises(ConfigError, match=r"has 200,001 sets"):
        made({"a": range(200_001)})
    with pytest.raises(ConfigError, match=r"more than 5"):
        made([{"a": k} for k in range(6)], max_sets=5)
    with pytest.raises(ConfigError, match=r"RandomSets draws 1,000,000,000 sets"):
        made(RandomSets(10**9, {"a": (0.0, 1.0)}))


def test_the_limit_counts_what_constraints_leave() -> None:
    space = {"fast": range(1, 11), "slow": range(1, 11)}
    assert len(sets_of(space, Ranged.space, BASE, max_sets=45)) == 45
    with pytest.raises(ConfigError, match="has 45 sets, more than 44"):
        sets_of(space, Ranged.space, BASE, max_sets=44)


# --- samples -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [RandomSets, Sobol])
@given(
    low=st.integers(-50, 50), width=st.integers(0, 40), count=st.integers(1, 70), seed=st.integers(0, 2**32),
    bounds=st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)).map(lambda b: tuple(sorted(b))),
)  # fmt: skip
def test_samples_lie_in_their_ranges(kind: Any, low: int, width: int, count: int, seed: int, bounds: tuple[float, float]) -> None:
    ranges = {"whole": (low, low + width), "real": bounds, "word": ["x", "y", "z"], "mixed": (1, 2.0)}
    sets = made(kind(count, ranges, seed))
    assert 1 <= len(sets) <= count
    for row in rows(sets):
        assert type(row["whole"]) is int and low <= row["whole"] <= low + width
        assert type(row["real"]) is float and bounds[0] <= row["real"] <= bounds[1]
        assert row["word"] in ("x", "y", "z") and type(row["word"]) is str
        assert type(row["mixed"]) is float and 1 <= row["mixed"] <= 2


@pytest.mark.parametrize("kind", [RandomSets, Sobol])
def test_seeds_repeat_and_differ(kind: Any) -> None:
    ranges = {"a": (0.0, 1.0), "b": (1, 100)}
    assert rows(made(kind(20, ranges, 7))) == rows(made(kind(20, ranges, 7)))
    assert rows(made(kind(20, ranges, 7))) != rows(made(kind(20, ranges, 8)))


@pytest.mark.parametrize("kind", [RandomSets, Sobol])
def test_whole_numbers_that_meet_again_are_dropped_and_both_bounds_come(kind: Any) -> None:
    sets = made(kind(500, {"a": (3, 5), "b": (0, 1)}))
    found = [tuple(r.values()) for r in rows(sets)]
    assert len(found) == len(set(found)) == 6 and set(found) == set(itertools.product((3, 4, 5), (0, 1)))


def test_sobol_fills_each_range_evenly() -> None:
    sets = made(Sobol(64, {"a": (0.0, 1.0), "b": (0.0, 1.0)}))
    for name in ("a", "b"):
        counts = np.bincount((sets.column(name) * 16).astype(int), minlength=16)
        assert counts.tolist() == [4] * 16, name


def test_samples_without_ranges_take_what_the_strategy_declares() -> None:
    sets = sets_of(Sobol(256), Ranged.space, BASE)
    assert sets.names == ("fast", "slow", "loss", "side")
    assert set(sets.column("side")) == {"long", "short"} and {type(r["loss"]) for r in rows(sets)} == {float}
    assert all(1 <= r["fast"] < r["slow"] <= 12 and 0 <= r["loss"] <= 0.5 for r in rows(sets))
    with pytest.raises(ConfigError, match=r"SmaCross\.fast may be a whole number of at least 1: no range to draw from"):
        sets_of(RandomSets(5), SmaCross.space, SmaCross().parameters)


def test_two_words_are_choices_and_two_booleans_too() -> None:
    sets = made(RandomSets(50, {"side": ("long", "short"), "flag": (False, True)}))
    assert {(r["side"], r["flag"]) for r in rows(sets)} == set(itertools.product(("long", "short"), (False, True)))
    assert all(type(r["flag"]) is bool for r in rows(sets))
