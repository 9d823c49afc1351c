"""Fronts, crowding and hypervolume equal slow twins, for any scores."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import vecbt as vb
from tests.naive import fronts
from vecbt.optimize.pareto import crowding, hypervolume, non_dominated_ranks, pareto_front

VALUES = st.one_of(st.integers(0, 4).map(float), st.floats(-10.0, 10.0), st.sampled_from([math.nan, math.inf, -math.inf]))


@st.composite
def tables(draw: st.DrawFn, values: st.SearchStrategy[float] = VALUES, most: int = 4) -> NDArray[np.float64]:
    width = draw(st.integers(1, most))
    rows = draw(st.lists(st.lists(values, min_size=width, max_size=width), max_size=14))
    return np.array(rows, dtype=np.float64).reshape(-1, width)


@given(tables(), st.data())
def test_opt03_ranks_equal_fronts_taken_off_one_by_one(scores: NDArray[np.float64], data: st.DataObject) -> None:
    broken = data.draw(st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.5, 2.0]), min_size=len(scores), max_size=len(scores)))
    assert non_dominated_ranks(scores, broken).tolist() == fronts.ranks(scores.tolist(), broken)


@given(tables())
def test_opt03_the_front_is_what_nothing_dominates_and_holds_no_nan(scores: NDArray[np.float64]) -> None:
    whole = ~np.isnan(scores).any(axis=1)
    rows = scores.tolist()
    found = [i for i in np.flatnonzero(whole) if not any(fronts.dominates(rows[j], rows[i]) for j in np.flatnonzero(whole))]
    assert pareto_front(scores).tolist() == found
    if len(found):
        broken = np.zeros(len(scores))
        broken[found[0]] = 1.0
        assert found[0] not in pareto_front(scores, broken)


@given(st.integers(1, 4), st.integers(0, 25), st.integers(0, 2**32))
def test_opt03_crowding_equals_the_loop_of_the_paper(width: int, count: int, seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=(count, width))
    ranks = non_dominated_ranks(scores)
    np.testing.assert_allclose(crowding(scores, ranks), fronts.crowding(scores.tolist(), ranks.tolist()), rtol=1e-12)
    np.testing.assert_allclose(crowding(scores), fronts.crowding(scores.tolist(), [0] * count), rtol=1e-12)


@given(tables())
def test_opt03_crowding_is_never_nan(scores: NDArray[np.float64]) -> None:
    assert not np.isnan(crowding(scores, non_dominated_ranks(scores))).any()


@given(tables(st.one_of(st.integers(-2, 6).map(float), st.floats(-1.0, 9.0), st.just(math.nan)), 3))
def test_opt03_hypervolume_equals_the_cells_of_a_grid(scores: NDArray[np.float64]) -> None:
    reference = [0.0, 0.5, -0.5][: scores.shape[1]]
    whole = scores[~np.isnan(scores).any(axis=1)]
    assert hypervolume(scores, reference) == pytest.approx(fronts.hypervolume(whole.tolist(), reference), rel=1e-12, abs=1e-300)


def test_opt03_a_front_is_public_under_its_name() -> None:
    assert vb.pareto_front([[1.0, 3.0], [2.0, 2.0], [1.0, 2.0], [3.0, 1.0]]).tolist() == [0, 1, 3]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: pareto_front([1.0, 2.0]), r"shape \(2,\); expected \(sets, objectives\)"),
        (lambda: pareto_front([[1.0]], [0.0, 1.0]), r"violations .*\(2,\); expected \(1,\)"),
        (lambda: non_dominated_ranks([[1.0]], [0.0, 1.0]), r"violations .*\(2,\); expected \(1,\)"),
        (lambda: crowding([[1.0]], np.array([0, 1])), r"ranks .*\(2,\); expected \(1,\)"),
        (lambda: hypervolume(np.ones((2, 4)), [0.0] * 4), "4 objectives; the hypervolume is exact for up to 3"),
        (lambda: hypervolume(np.ones((2, 2)), [0.0]), "expected 2 finite numbers"),
        (lambda: hypervolume(np.ones((2, 2)), [0.0, math.inf]), "expected 2 finite numbers"),
    ],
)
def test_opt03_what_cannot_be_ranked_is_refused(call: object, said: str) -> None:
    with pytest.raises(vb.errors.InputError, match=said):
        call()  # type: ignore[operator]
