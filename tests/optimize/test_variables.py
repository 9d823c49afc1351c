"""Genes: what is repaired means something, equal sets have equal bytes, and constraints are measured set by set (OPT-01)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import vecbt as vb
from tests.optimize.spaces import MIXED, spaces, variables
from vecbt.optimize.variables import REAL, WHOLE, Variables


def wild(over: Variables, rows: int, seed: int) -> np.ndarray:
    """Genes in and around their bounds, some of them on a bound."""
    random = np.random.default_rng(seed)
    span = over.high - over.low + 1.0
    genes = over.low - span + random.random((rows, len(over))) * 3.0 * span
    return np.where(random.random(genes.shape) < 0.1, over.low, np.where(random.random(genes.shape) < 0.1, over.high, genes))


@given(spaces(), st.integers(0, 2**32))
def test_opt01_repaired_genes_lie_in_bounds_are_whole_where_they_are_and_stay_so(space: dict[str, Any], seed: int) -> None:
    over = variables(space)
    genes = wild(over, 40, seed)
    before = genes.copy()
    found = over.repaired(genes)
    np.testing.assert_array_equal(genes, before)
    assert ((found >= over.low) & (found <= over.high)).all()
    assert (found[:, over.kinds != REAL] % 1.0 == 0.0).all()
    assert found.tobytes() == over.repaired(found).tobytes()
    assert not np.signbit(found[found == 0.0]).any()
    for k, on in enumerate(over.depends):
        if on is not None:
            beside = np.isin(found[:, on[0]], on[1])
            assert (found[~beside, k] == over.rests[k]).all()


@given(spaces(), st.integers(0, 2**32))
def test_opt01_values_are_what_was_given_and_may_be(space: dict[str, Any], seed: int) -> None:
    over = variables(space)
    genes = over.repaired(wild(over, 40, seed))
    sets = over.sets(genes)
    for name, kind in zip(over.names, over.kinds, strict=True):
        given_ = space[name]
        for c in range(len(genes)):
            value = sets.at(c)[name]
            if isinstance(given_, vb.Choice):
                assert any(value == v and type(value) is type(v) for v in given_.values)
            else:
                assert given_.low <= value <= given_.high
                assert type(value) is (int if kind == WHOLE else float)
        column = over.values(name, genes)
        assert [repr(v) for v in column.tolist()] == [repr(sets.at(c)[name]) for c in range(len(genes))] or isinstance(given_, vb.Choice)
    assert over.at_row(genes[0]) == sets.at(0)


@given(spaces(), st.integers(0, 2**32))
@example({"rate": vb.Range(0.9, 1.1, log=True), "kind": vb.Choice(["a"])}, 0)
def test_opt01_sets_are_equal_where_the_bytes_of_their_genes_are_and_only_there(space: dict[str, Any], seed: int) -> None:
    over, random = variables(space), np.random.default_rng(seed)
    genes = over.repaired(wild(over, 30, seed))
    tiny = genes + random.choice([0.0, 1e-17, -1e-16, 1e-15, 1e-13], genes.shape)
    both = over.repaired(np.concatenate([genes, tiny]))
    sets = over.sets(both)
    named = [repr(sets.at(c)) for c in range(len(both))]
    assert len(set(named)) == len({row.tobytes() for row in both}) == len(set(zip(named, (row.tobytes() for row in both), strict=True)))


@given(spaces(), st.integers(0, 2**32))
def test_opt01_points_of_the_unit_cube_cover_the_space_to_its_ends(space: dict[str, Any], seed: int) -> None:
    over = variables(space)
    count = len(over)
    assert (over.at(np.zeros((1, count)))[0] == over.repaired(over.low[None])[0]).all()
    top = over.at(np.full((1, count), np.nextafter(1.0, 0.0)))[0]
    free = np.array([on is None for on in over.depends]) & (over.kinds != REAL)
    assert (top[free] == over.high[free]).all()
    one, two = (over.sample(50, np.random.default_rng(seed)) for _ in range(2))
    assert one.tobytes() == two.tobytes() and one.tobytes() == over.repaired(one).tobytes()


@given(st.floats(1e-300, 1e300), st.floats(1.0, 1e6), st.integers(0, 2**32))
@example(0.001, 100.0, 0)
def test_opt01_a_logarithmic_range_reaches_its_bounds_to_the_bit_and_never_passes_them(low: float, factor: float, seed: int) -> None:
    high = low * factor
    if not math.isfinite(high):
        return
    over = variables({"rate": vb.Range(low, high, log=True)})
    values = over.values("rate", over.repaired(wild(over, 50, seed)))
    assert (values >= low).all() and (values <= high).all()
    assert over.values("rate", np.array([over.low, over.high])).tolist() == [low, high]


def test_opt01_logarithms_are_drawn_evenly() -> None:
    over = variables({"rate": vb.Range(1e-4, 1.0, log=True)})
    values = over.values("rate", over.sample(40_000, np.random.default_rng(0)))
    shares = np.histogram(values, [1e-4, 1e-3, 1e-2, 1e-1, 1.0])[0] / len(values)
    np.testing.assert_allclose(shares, 0.25, atol=0.01)


def test_opt01_whole_numbers_and_choices_are_drawn_alike() -> None:
    over = variables({"n": (3, 7), "kind": vb.Choice(list("abcde"))})
    genes = over.sample(50_000, np.random.default_rng(0))
    for column in genes.T:
        np.testing.assert_allclose(np.unique(column, return_counts=True)[1] / len(genes), 0.2, atol=0.01)


def test_opt01_what_does_not_count_rests_at_its_value_as_given() -> None:
    space = {"kind": ["a", "b"], "n": (1, 2), "x": vb.Range(0.5, 2.0, when=("kind", "b")), "m": vb.Range(3, 9, when=("n", 2))}
    over = Variables.of(space, vb.Space("nothing", ()), {"x": 1.25, "m": 100})
    for genes, x, m in (([0.0, 1.0, 2.0, 4.0], 1.25, 9), ([1.0, 2.0, 2.0, 4.0], 2.0, 4)):
        found = over.at_row(over.repaired(np.array([genes]))[0])
        assert (found["x"], found["m"]) == (x, m)


def crossing() -> Variables:
    """Two windows, the first below the second."""
    return Variables.of({"fast": (2, 50), "slow": (10, 200)}, vb.Space.of(vb.strategies.SmaCross), {}, lambda p: p["fast"] != 7)


@given(st.integers(2, 50), st.integers(10, 200), st.integers(0, 2**32))
@example(10, 10, 0)
@example(7, 20, 0)
def test_opt01_a_violation_is_that_of_its_set_alone(fast: int, slow: int, seed: int) -> None:
    over = crossing()
    row = np.array([[fast, slow]], dtype=np.float64)
    alone = over.violations(row)[0]
    among = over.violations(np.concatenate([over.sample(20, np.random.default_rng(seed)), row]))[-1]
    assert alone == among
    assert (alone > 0.0) == (fast >= slow or fast == 7)
    if fast >= slow and fast != 7:
        assert 0.0 < alone <= 1.0 + 1e-9
        assert over.violations(np.array([[fast, slow - 1.0]]))[0] > alone or slow == 10


def test_opt01_a_rule_against_a_fixed_number_and_a_where_that_says_nothing() -> None:
    over = Variables.of({"fast": (2, 50)}, vb.Space.of(vb.strategies.SmaCross), {"slow": 20})
    assert (over.violations(np.array([[19.0], [20.0], [50.0]])) > 0.0).tolist() == [False, True, True]
    wrong = variables({"x": (0.0, 1.0)}, lambda p: p["x"] * 2.0)
    with pytest.raises(vb.errors.ConfigError, match="where gave float64"):
        wrong.violations(np.zeros((2, 1)))


def test_opt01_how_many_sets_there_are() -> None:
    """OPT-01: before constraints."""
    assert variables({"n": (3, 7), "kind": ["a", "b"]}).size == 10.0
    assert variables({"n": (3, 7), "x": (0.0, 1.0)}).size == math.inf
    assert variables({"n": (3, 7), "x": (1.0, 1.0)}).size == 5.0


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ({}, "the space is empty"),
        ({"x": []}, "space.'x'. is empty"),
        ({"x": vb.Range(1, 5, when=("y", 1))}, "which does not vary"),
        ({"x": vb.Range(1, 5, when=("x", 1))}, "which does not vary"),
        ({"x": vb.Range(1, 5, when=("y", 0.5)), "y": (0.0, 1.0)}, "which may be any number"),
        ({"x": vb.Range(1, 5, when=("y", 4)), "y": (0, 2)}, "is 4, which goes from 0 to 2"),
        ({"x": vb.Range(1, 5, when=("y", "a")), "y": (0, 2)}, "is 'a', which goes from 0 to 2"),
        ({"x": vb.Range(1, 5, when=("y", "c")), "y": ["a", "b"]}, "is 'c', which is none of 'a', 'b'"),
        ({"x": vb.Range(1, 5, when=("y", "a")), "y": vb.Choice(["a", "b"], when=("z", 1)), "z": (0, 1)}, "one level is possible"),
        ({"x": vb.Range(1, 5, log=True)}, "a logarithmic range of whole numbers"),
    ],
)
def test_opt01_spaces_that_mean_nothing_are_refused(space: dict[str, Any], said: str) -> None:
    with pytest.raises(vb.errors.ConfigError, match=said):
        variables(space)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: vb.Range(2, 1), "the wrong way round"),
        (lambda: vb.Range(0.0, math.inf), "two finite numbers"),
        (lambda: vb.Range("a", "b"), "two finite numbers"),
        (lambda: vb.Range(-1e308, 1e308), "less than 1.7e308"),
        (lambda: vb.Range(0.0, 1.0, log=True), "a number above 0"),
        (lambda: vb.Range(0.5, 2.0, integer=True), "expected whole numbers"),
        (lambda: vb.Range(1, 2, when="kind"), "expected .name, values."),
        (lambda: vb.Choice("abc"), "expected a list"),
        (lambda: vb.Choice([]), "at least one"),
        (lambda: vb.Choice([1], when=("kind",)), "expected .name, values."),
    ],
)
def test_opt01_ranges_and_choices_that_mean_nothing_are_refused(make: Any, said: str) -> None:
    with pytest.raises(vb.errors.ConfigError, match=said):
        make()


def test_opt01_conditions_name_values_one_or_many_of_any_type() -> None:
    pair = (1, 2)
    over = variables({"k": vb.Choice([pair, (3, 4)]), "x": vb.Range(0.0, 1.0, when=("k", pair))})
    assert over.depends[1] == (0, (0.0,))
    over = variables({"k": vb.Choice([1, 2.5, True]), "x": vb.Range(0.0, 1.0, when=("k", np.array([1, 2])[:1]))})
    assert over.depends[1] == (0, (0.0,))
    assert len(variables(MIXED)) == 6
