"""OPT-03: what every driver asks for means something, the same seed gives the same, and it can be taken up again anywhere."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vecbt as vb
from tests.optimize.spaces import MIXED, broken, driven, rising, spaces, variables

DRIVERS: dict[str, Any] = {
    "random": vb.RandomSearch(60, batch=16),
    "sobol": vb.SobolSearch(50, batch=16),
    "grid": vb.GridSearch(3, batch=50),
    "genetic": vb.Genetic(11, 6, mutation_rate=0.2, patience=5),
    "genetic of even pairs": vb.Genetic(12, 5, elitism_rate=0.0, tournament_size=1),
    "differential": vb.Differential(7, 5),
    "optuna": vb.Bayesian(14, startup=5),
    "optuna in batches": vb.Bayesian(20, batch=6, startup=5),
    "pymoo": None,
}
FEW = settings(max_examples=max(settings.default.max_examples // 10, 5))
EVERY = pytest.mark.parametrize("name", DRIVERS)


def method_of(name: str) -> Any:
    """A driver, or a skipped test where its package is missing."""
    if name.startswith(("optuna", "pymoo")):
        pytest.importorskip(name.partition(" ")[0])
    if name != "pymoo":
        return DRIVERS[name]
    from pymoo.algorithms.moo.nsga2 import NSGA2

    from vecbt.optimize.exotic import Pymoo

    return Pymoo(NSGA2(pop_size=8), generations=4)


def most_objectives(name: str) -> int:
    """That it can search at once."""
    return 1 if name == "differential" else 3


def through_json(state: dict[str, Any]) -> dict[str, Any]:
    """As a file would keep it: arrays beside what JSON writes."""
    arrays = {name: value.copy() for name, value in state.items() if isinstance(value, np.ndarray)}
    assert all(value.dtype == np.float64 for value in arrays.values())
    rest: dict[str, Any] = json.loads(json.dumps({name: value for name, value in state.items() if name not in arrays}))
    return rest | arrays


@EVERY
@FEW
@given(space=spaces(), seed=st.integers(0, 2**40), objectives=st.integers(1, 3))
def test_opt03_what_is_asked_for_is_repaired_and_the_same_again(name: str, space: dict[str, Any], seed: int, objectives: int) -> None:
    method, over, objectives = method_of(name), variables(space), min(objectives, most_objectives(name))
    first, again = (method.searcher(over, objectives, seed) for _ in range(2))
    while len(genes := first.ask()):
        assert genes is first.ask()
        np.testing.assert_array_equal(genes, over.repaired(genes))
        np.testing.assert_array_equal(genes, again.ask())
        for searcher in (first, again):
            searcher.tell(np.where(broken(genes)[:, None] > 0.0, np.nan, rising(objectives)(genes)), broken(genes))
    assert not len(again.ask())
    assert first.finished and first.finished == again.finished


@EVERY
@FEW
@given(seed=st.integers(0, 2**40), objectives=st.integers(1, 3), turns=st.integers(0, 6), asked=st.booleans())
def test_opt03_taken_up_after_any_turn_it_comes_to_the_same_end(name: str, seed: int, objectives: int, turns: int, asked: bool) -> None:
    method, objectives = method_of(name), min(objectives, most_objectives(name))
    worth, over = rising(objectives), variables(MIXED)
    straight, before, after = (method.searcher(over, objectives, seed) for _ in range(3))
    whole = driven(straight, worth)
    begun = driven(before, worth, turns)
    if asked:
        before.ask()
    state = through_json(before.state())
    rest = driven(before, worth)  # what goes on does not change what was kept
    after.restore(state)
    assert after.generation == len(begun)
    for one, two in zip(begun + rest, begun + driven(after, worth), strict=True):
        np.testing.assert_array_equal(one, two)
    for one, two in zip(begun + rest, whole, strict=True):
        np.testing.assert_array_equal(one, two)
    assert (after.finished, after.generation) == (straight.finished, straight.generation)
    assert repr(through_json(after.state())) == repr(through_json(straight.state()))


@EVERY
def test_opt03_another_seed_is_another_search(name: str) -> None:
    method = method_of(name)
    over = variables({"x": (0.0, 1.0), "y": (0.0, 1.0)})
    one, two = (np.concatenate(driven(method.searcher(over, 1, seed), rising(1))) for seed in (1, 2))
    assert np.array_equal(one, two) is isinstance(method, vb.GridSearch)


@EVERY
def test_opt03_wrong_answers_are_refused_and_the_question_stands(name: str) -> None:
    width = min(2, most_objectives(name))
    searcher = method_of(name).searcher(variables(MIXED), width, 0)
    with pytest.raises(vb.errors.InputError, match="call ask"):
        searcher.tell(np.zeros((1, width)), np.zeros(1))
    genes = searcher.ask()
    count = len(genes)
    for scores, violations, said in (
        (np.zeros((count, 3)), np.zeros(count), "a column for each objective"),
        (np.zeros((count, width)), np.zeros(count + 1), "one for each set asked for"),
        (np.zeros((count, width)), np.full(count, -1.0), "at least 0"),
        (np.zeros((count, width)), np.full(count, np.nan), "at least 0"),
    ):
        with pytest.raises(vb.errors.InputError, match=said):
            searcher.tell(scores, violations)
        assert searcher.ask() is genes and searcher.generation == 0


def test_opt03_a_state_of_another_method_or_space_is_refused() -> None:
    over = variables(MIXED)
    random, genetic = vb.RandomSearch(5).searcher(over, 1, 0), vb.Genetic().searcher(over, 1, 0)
    with pytest.raises(vb.errors.ConfigError, match="use the method it was made with"):
        genetic.restore(random.state())
    genetic.ask()
    with pytest.raises(vb.errors.ConfigError, match="expected 1 columns: other variables"):
        vb.Genetic().searcher(variables({"x": (0.0, 1.0)}), 1, 0).restore(genetic.state())
