"""OPT-03: the genetic algorithm finds known optima, keeps what is good, and stops when it is told to."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vecbt as vb
from tests.optimize.spaces import MIXED, Worth, broken, driven, rising, spaces, variables
from vecbt.optimize.variation import crossed, mutated

ErrorOf = vb.errors.ConfigError


def best(method: Any, space: dict[str, Any], worth: Worth, seed: int, where: Any = None) -> tuple[float, dict[str, Any]]:
    """The best score and its set; a set that breaks a constraint is not run."""
    over = variables(space, where)
    searcher = method.searcher(over, 1, seed)
    found = (-math.inf, {})
    while len(genes := searcher.ask()):
        violations = over.violations(genes)
        scores = np.where(violations[:, None] > 0.0, np.nan, worth(genes))
        searcher.tell(scores, violations)
        if not np.isnan(scores).all():
            top = int(np.nanargmax(scores))
            found = max(found, (float(scores[top, 0]), over.at_row(genes[top])), key=lambda pair: pair[0])
    return found


def sphere(genes: np.ndarray) -> np.ndarray:
    return -((genes - 0.3) ** 2).sum(axis=1, keepdims=True)


def rastrigin(genes: np.ndarray) -> np.ndarray:
    return -(10.0 + genes**2 - 10.0 * np.cos(2.0 * np.pi * genes)).sum(axis=1, keepdims=True)


REALS = {f"x{k}": (-5.12, 5.12) for k in range(5)}


@pytest.mark.parametrize("seed", range(3))
def test_opt03_the_top_of_a_sphere_is_found(seed: int) -> None:
    assert best(vb.Genetic(60, 60, mutation_rate=0.2), REALS, sphere, seed)[0] > -1e-3


@pytest.mark.parametrize("seed", range(3))
def test_opt03_the_highest_of_many_tops_is_found(seed: int) -> None:
    """Rastrigin's function of 5 numbers has some 10^5 of them; the next best is worth -0.995."""
    assert best(vb.Genetic(100, 120, mutation_rate=0.2), REALS, rastrigin, seed)[0] > -0.1


@pytest.mark.parametrize("seed", range(3))
def test_opt03_a_mixed_optimum_is_found_exactly(seed: int) -> None:
    space = {"n": (1, 200), "m": (-30, 30), "kind": list("abcdef"), "x": (-1.0, 1.0)}

    def worth(genes: np.ndarray) -> np.ndarray:
        n, m, kind, x = genes.T
        return -(np.abs(n - 137.0) / 50.0 + np.abs(m + 11.0) / 20.0 + (kind != 4.0) * (1.0 + 0.1 * kind) + x**2)[:, None]

    score, found = best(vb.Genetic(60, 60), space, worth, seed)
    assert (found["n"], found["m"], found["kind"]) == (137, -11, "e")
    assert score > -1e-3


@pytest.mark.parametrize("seed", range(3))
def test_opt03_an_optimum_on_a_constraint_is_found(seed: int) -> None:
    """The highest x + y within a circle of radius 1 is sqrt(2)."""

    def inside(p: dict[str, np.ndarray]) -> np.ndarray:
        fine: np.ndarray = p["x"] ** 2 + p["y"] ** 2 <= 1.0
        return fine

    score, found = best(vb.Genetic(60, 60), {"x": (-2.0, 2.0), "y": (-2.0, 2.0)}, lambda g: g.sum(axis=1, keepdims=True), seed, inside)
    assert math.sqrt(2.0) - 0.01 < score <= math.sqrt(2.0)
    assert found["x"] ** 2 + found["y"] ** 2 <= 1.0


@given(st.integers(0, 2**32), st.integers(2, 15), st.sampled_from([None, 0.1, 0.5, 1.0]))
def test_opt03_the_best_set_is_never_lost(seed: int, population: int, elitism: float | None) -> None:
    searcher = vb.Genetic(population, 5, elitism_rate=elitism).searcher(variables(MIXED), 1, seed)
    before = -math.inf
    while driven(searcher, rising(1), 1):
        top = searcher.state()["scores"][0, 0]
        assert not top < before
        before = top if top > before else before


def test_opt03_without_elitism_only_children_live_on() -> None:
    searcher = vb.Genetic(20, 8, elitism_rate=0.0).searcher(variables(MIXED), 1, 3)
    while len(genes := searcher.ask()):
        searcher.tell(rising(1)(genes), np.zeros(len(genes)))
        living = {row.tobytes() for row in searcher.state()["genes"]}
        assert living == {row.tobytes() for row in genes}


@given(spaces(), st.integers(0, 2**32), st.integers(1, 3))
def test_opt03_no_set_of_a_generation_is_twice_or_of_its_parents(space: dict[str, Any], seed: int, objectives: int) -> None:
    over = variables(space)
    searcher = vb.Genetic(9, 4).searcher(over, objectives, seed)
    parents: set[bytes] = set()
    while len(genes := searcher.ask()):
        rows = [row.tobytes() for row in genes]
        assert len(set(rows)) == len(rows) <= 9 and not parents & set(rows)
        searcher.tell(rising(objectives)(genes), broken(genes) * 0.0)
        parents = {row.tobytes() for row in searcher.state()["genes"]}
        assert len(parents) == len(searcher.state()["genes"]) <= 9


def test_opt03_a_space_that_is_used_up_ends_the_search() -> None:
    searcher = vb.Genetic(20, 100).searcher(variables({"n": (1, 4), "kind": ["a", "b"]}), 1, 0)
    asked = np.concatenate(driven(searcher, lambda genes: genes[:, :1].copy()))
    assert len({row.tobytes() for row in asked}) == 8 and searcher.generation < 10
    assert searcher.finished == "no set was found that the population does not hold"


def test_opt03_it_stops_when_nothing_improves() -> None:
    over = variables(REALS)
    searcher = vb.Genetic(20, 100, patience=4).searcher(over, 1, 0)
    driven(searcher, lambda genes: np.zeros((len(genes), 1)))
    assert searcher.generation == 5 and searcher.finished == "no improvement by more than 0 in 4 generations"
    long, short = (vb.Genetic(20, 100, patience=4, tolerance=tolerance).searcher(over, 1, 0) for tolerance in (0.0, 5.0))
    for searcher in (long, short):
        driven(searcher, sphere)
    assert short.generation < long.generation


@pytest.mark.parametrize("objectives", [1, 2])
def test_opt03_infinite_scores_are_no_improvement_over_themselves(objectives: int) -> None:
    for score, generations in ((-math.inf, 4), (math.inf, 4), (math.nan, 3)):
        searcher = vb.Genetic(20, 100, patience=3).searcher(variables({"x": (0.0, 1.0)}), objectives, 0)
        driven(searcher, lambda genes, score=score: np.full((len(genes), objectives), score))
        assert searcher.generation == generations


def test_opt03_parents_that_are_all_but_equal_have_children_within_bounds() -> None:
    over = variables({"x": (-1e300, 1e300)})
    first = np.zeros((500, 1))
    for second in (5e-324, 1e-300, 1e300):
        for child in crossed(first, first + second, over, 1.0, 15.0, np.random.default_rng(0)):
            assert np.isfinite(child).all() and (np.abs(child) <= 1e300).all()


def test_opt03_it_stops_when_a_front_moves_no_more() -> None:
    """Two objectives that every set has alike; a front that creeps by less than the tolerance counts as still."""
    over = variables(REALS)
    still = vb.Genetic(20, 100, patience=3).searcher(over, 2, 0)
    driven(still, lambda genes: np.zeros((len(genes), 2)))
    assert still.generation == 4
    none = vb.Genetic(20, 100, patience=3).searcher(over, 2, 0)
    driven(none, lambda genes: np.full((len(genes), 2), np.nan))
    assert none.generation == 3
    long, short = (vb.Genetic(20, 40, patience=3, tolerance=tolerance).searcher(over, 2, 0) for tolerance in (0.0, 3.0))
    for searcher in (long, short):
        driven(searcher, rising(2))
    assert short.generation < long.generation


@pytest.mark.parametrize("objectives", [1, 2])
def test_opt03_nan_loses_against_any_number_and_what_breaks_least_wins_among_the_broken(objectives: int) -> None:
    searcher = vb.Genetic(6, 9, elitism_rate=1.0).searcher(variables(REALS), objectives, 0)
    count = len(searcher.ask())
    scores = np.repeat(np.array([[np.nan], [-np.inf], [-1e9], [3.0], [5.0], [7.0]]), objectives, axis=1)
    violations = np.array([0.0, 0.0, 0.0, 0.0, 0.5, 0.25])
    assert count == 6
    searcher.tell(scores, violations)
    kept = searcher.state()
    np.testing.assert_array_equal(kept["scores"][:, 0], [3.0, -1e9, -np.inf, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(kept["violations"], [0.0, 0.0, 0.0, 0.0, 0.25, 0.5])


def test_opt03_first_sets_keep_constraints_where_they_can() -> None:
    """An eighth of the square does; drawn once, some 44 of 50 would not."""
    over = variables({"x": (0.0, 1.0), "y": (0.0, 1.0)}, lambda p: p["x"] + p["y"] < 0.5)
    genes = vb.Genetic(50, 2).searcher(over, 1, 0).ask()
    assert (over.violations(genes) > 0.0).sum() < 10


def test_opt03_children_lie_around_their_parents_as_the_paper_has_it() -> None:
    """Deb and Agrawal (1995): far from bounds the spread has the density (eta + 1) / 2 * b^eta up to 1, and its mean is kept."""
    over = variables({"x": (-1e9, 1e9)})
    count, eta = 200_000, 3.0
    one, two = crossed(np.zeros((count, 1)), np.ones((count, 1)), over, 1.0, eta, np.random.default_rng(0))
    changed = (one != 0.0).ravel() & (one != 1.0).ravel()
    assert abs(changed.mean() - 0.5) < 0.01
    spread = np.abs(one - two).ravel()[changed]
    np.testing.assert_allclose((one + two).ravel(), 1.0, rtol=1e-6)
    for beta in (0.5, 0.9):
        assert abs((spread <= beta).mean() - 0.5 * beta ** (eta + 1.0)) < 0.005
    for beta in (1.5, 3.0):
        assert abs((spread > beta).mean() - 0.5 * beta ** -(eta + 1.0)) < 0.005
    untouched, _ = crossed(np.zeros((count, 1)), np.ones((count, 1)), over, 0.3, eta, np.random.default_rng(0))
    assert abs((untouched != 0.0).mean() - 0.3 * 0.5) < 0.01


def test_opt03_mutants_lie_around_their_parent_as_the_paper_has_it() -> None:
    """Deb and Goyal (1996): far from bounds the step d, as share of the range, has the density (eta + 1) / 2 * (1 - |d|)^eta."""
    over = variables({"x": (0.0, 1.0)})
    for eta in (1.0, 20.0):
        genes = np.full((200_000, 1), 0.5)
        mutated(genes, over, np.ones(genes.shape, dtype=np.bool_), eta, np.random.default_rng(0))
        step = genes.ravel() - 0.5
        assert abs(step.mean()) < 0.002 and ((genes >= 0.0) & (genes <= 1.0)).all()
        if eta == 20.0:
            assert abs((np.abs(step) <= 0.02).mean() - (1.0 - 0.98 ** (eta + 1.0))) < 0.005


@given(spaces(), st.integers(0, 2**32))
def test_opt03_whole_numbers_and_choices_that_mutate_become_another(space: dict[str, Any], seed: int) -> None:
    over = variables(space)
    genes = over.sample(30, np.random.default_rng(seed))
    new = genes.copy()
    mutated(new, over, np.ones(genes.shape, dtype=np.bool_), 20.0, np.random.default_rng(seed + 1))
    free = (over.high > over.low) & (over.kinds != 0)
    clipped = np.clip(np.rint(new), over.low, over.high)
    assert (clipped[:, free] != genes[:, free]).all()
    np.testing.assert_array_equal(new[:, over.high == over.low], genes[:, over.high == over.low])


def test_opt03_a_choice_that_mutates_becomes_each_other_alike() -> None:
    genes = np.full((40_000, 1), 2.0)
    mutated(genes, variables({"kind": list("abcde")}), np.ones(genes.shape, dtype=np.bool_), 20.0, np.random.default_rng(0))
    values, counts = np.unique(genes, return_counts=True)
    assert values.tolist() == [0.0, 1.0, 3.0, 4.0]
    np.testing.assert_allclose(counts / 40_000, 0.25, atol=0.01)


def test_opt03_the_defaults_are_those_of_the_inventory() -> None:
    """OPT-03."""
    found = vb.Genetic()
    assert (found.population, found.generations, found.mutation_rate, found.crossover_rate, found.tournament_size) == (20, 10, 0.1, 0.7, 3)
    searcher = found.searcher(variables(REALS), 1, 0)
    assert sum(map(len, driven(searcher, rising(1)))) == 200
    kept = set(map(bytes, searcher.state()["genes"]))
    assert len(kept) == 20


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"population": 1}, "population is 1; expected a whole number of at least 2"),
        ({"population": 20.0}, "population is 20.0; expected a whole number"),
        ({"generations": 0}, "generations is 0"),
        ({"mutation_rate": 1.1}, "mutation_rate is 1.1; expected a number from 0 to 1"),
        ({"crossover_rate": -0.1}, "crossover_rate is -0.1"),
        ({"elitism_rate": math.nan}, "elitism_rate is nan"),
        ({"tournament_size": True}, "tournament_size is True"),
        ({"crossover_eta": -1.0}, "crossover_eta is -1.0; expected a finite number of at least 0"),
        ({"mutation_eta": math.inf}, "mutation_eta is inf"),
        ({"patience": 0}, "patience is 0"),
        ({"tolerance": -1e-9}, "tolerance is -1e-09"),
    ],
)
def test_opt03_parameters_that_mean_nothing_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ErrorOf, match=said):
        vb.Genetic(**wrong)
