"""Searches that learn nothing: so many sets, evenly, or all of them (OPT-01)."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.optimize.spaces import MIXED, driven, rising, variables

SQUARE = {"x": (0.0, 1.0), "y": (0.0, 1.0)}


def points(method: Any, space: dict[str, Any], seed: int = 0) -> np.ndarray:
    return np.concatenate(driven(method.searcher(variables(space), 1, seed), rising(1)))


@pytest.mark.parametrize("make", [vb.RandomSearch, vb.SobolSearch])
def test_opt01_batches_change_nothing_but_what_is_asked_together(make: Any) -> None:
    whole = points(make(300), MIXED, 5)
    assert len(whole) == 300
    np.testing.assert_array_equal(whole, points(make(300, batch=64), MIXED, 5))
    np.testing.assert_array_equal(whole[:100], points(make(100, batch=7), MIXED, 5))


def test_opt01_a_sobol_sequence_is_that_of_a_sweep_and_more_even_than_chance() -> None:
    over = variables(SQUARE)
    np.testing.assert_array_equal(points(vb.SobolSearch(128), SQUARE, 3), over.at(vb.Sobol(128, seed=3).points(2)))
    found = np.histogram2d(*points(vb.SobolSearch(1024, batch=256), SQUARE).T, bins=16, range=[(0, 1), (0, 1)])[0]
    assert (found == 4).all()


def test_opt01_a_grid_is_all_combinations_once() -> None:
    space = {"x": (0.0, 1.0), "rate": vb.Range(0.01, 1.0, log=True), "n": (1, 40), "few": (2, 3), "kind": ["a", "b", "c"], "fixed": [7]}
    over = variables(space)
    for batch in (1, 10, 1000):
        searcher = vb.GridSearch({"x": 3, "rate": 3, "n": 4}, batch=batch).searcher(over)
        sets = over.sets(np.concatenate(driven(searcher, rising(1))))
        found = [tuple(sets.at(c).values()) for c in range(len(sets))]
        rates = (0.01, pytest.approx(0.1), 1.0)
        expected = list(itertools.product((0.0, 0.5, 1.0), rates, (1, 14, 27, 40), (2, 3), "abc", (7,)))
        assert found == expected
        assert searcher.finished == "all 216 combinations were tried"


def test_opt01_a_grid_varies_nothing_that_does_not_count() -> None:
    found = points(vb.GridSearch(5, batch=3), {"kind": ["a", "b"], "x": vb.Range(0.0, 1.0, when=("kind", "b"))})
    assert found.tolist() == [[0.0, 0.0], [1.0, 0.0], [1.0, 0.25], [1.0, 0.5], [1.0, 0.75], [1.0, 1.0]]


def test_opt01_one_step_is_the_middle() -> None:
    assert points(vb.GridSearch(1), {"x": (0.0, 1.0), "n": (2, 8)}).tolist() == [[0.5, 5.0]]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: vb.RandomSearch(0), "RandomSearch: count is 0"),
        (lambda: vb.SobolSearch(2.5), "SobolSearch: count is 2.5"),
        (lambda: vb.RandomSearch(5, batch=0), "batch is 0"),
        (lambda: vb.GridSearch(0), "GridSearch: steps is 0"),
        (lambda: vb.GridSearch({"x": 0}), r"steps\['x'\] is 0"),
        (lambda: vb.GridSearch({"z": 2}).searcher(variables(SQUARE)), "names 'z', which does not vary"),
        (lambda: vb.GridSearch(1000).searcher(variables(SQUARE)), "1,000,000 sets, more than 200,000; .*max_sets=1000000"),
        (lambda: vb.RandomSearch(5).searcher(variables(SQUARE), 0), "objectives is 0"),
        (lambda: vb.RandomSearch(5).searcher(variables(SQUARE), 1, -1), "seed is -1"),
    ],
)
def test_opt01_samples_that_mean_nothing_are_refused(make: Any, said: str) -> None:
    with pytest.raises(vb.errors.ConfigError, match=said):
        make()
