"""Splitters of time: every row tested once, nothing trained on what a test has seen, and what does not fit is said in bars."""

from __future__ import annotations

import datetime
import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vecbt as vb
from tests.optimize.test_schedule import some_bars
from vecbt.errors import ConfigError
from vecbt.optimize.spans import as_length, length_words, shown_length


def folds_of(split: vb.WalkForwardSplit, data: Any) -> list[tuple[int, int, int, int]]:
    return [tuple(fold) for fold in split.folds(data)]


@given(
    st.integers(1, 40), st.integers(1, 20), st.integers(0, 10), st.integers(0, 5), st.integers(0, 5), st.booleans(), st.integers(0, 90)
)  # fmt: skip
def test_opt02_every_bar_is_tested_once_and_never_before_it_was_trained_on(
    train: int, test: int, more: int, purge: int, embargo: int, anchored: bool, extra: int
) -> None:
    count = train + purge + embargo + test + extra
    split = vb.WalkForwardSplit(train, test, test + more, anchored=anchored, purge=purge, embargo=embargo)
    pairs = list(split.split(np.empty((count, 2))))
    tested = np.concatenate([second for _, second in pairs])
    assert len(np.unique(tested)) == len(tested)
    if more == 0:
        np.testing.assert_array_equal(tested, np.arange(train + purge + embargo, count))
    for k, (first, second) in enumerate(pairs):
        assert first[-1] + purge + embargo + 1 == second[0]
        assert len(first) == (train if not anchored else train + k * (test + more))
        assert len(second) == (test if k < len(pairs) - 1 else min(test, count - second[0]))
    assert split.get_n_splits(np.empty((count, 2))) == len(pairs)


@given(st.integers(2, 7), st.integers(1, 6), st.integers(0, 4), st.integers(0, 4), st.integers(0, 40))
def test_opt02_combinatorial_splits_keep_gaps_and_their_paths_cover_all(
    groups: int, tests: int, purge: int, embargo: int, extra: int
) -> None:
    tests = min(tests, groups - 1)
    count = groups * (2 * purge + embargo + 1) + extra
    split = vb.CombinatorialPurged(groups, tests, purge, embargo)
    bounds = split.bounds(count)
    pairs = list(split.split(range(count)))
    assert len(pairs) == split.get_n_splits() == math.comb(groups, tests)
    for s, (first, second) in enumerate(pairs):
        assert not np.isin(first, second).any()
        for g in split.tests[s]:
            near = (first >= bounds[g] - purge) & (first < bounds[g + 1] + purge + embargo)
            assert not near.any()
        assert np.array_equal(first, np.concatenate([np.arange(a, b) for a, b in split.pieces(range(count), s)]))
        left = [t for t in range(count) if t not in set(first) and t not in set(second)]
        assert all(any(bounds[g] - purge <= t < bounds[g + 1] + purge + embargo for g in split.tests[s]) for t in left)
    chosen = split.path_splits()
    assert chosen.shape == (split.paths, groups)
    assert all(g in split.tests[s] for row in chosen for g, s in enumerate(row))
    assert len({(int(s), g) for row in chosen for g, s in enumerate(row)}) == split.paths * groups


def test_exactly_one_fit_is_one_fold_and_one_bar_less_says_what_is_needed() -> None:
    split = vb.WalkForwardSplit(252, 63, 63)
    assert folds_of(split, np.empty(315)) == [(0, 252, 252, 315)]
    with pytest.raises(ConfigError, match=r"252 bars of training, and 63 bars of testing need 315 bars; there are 314"):
        split.folds(np.empty(314))
    with pytest.raises(ConfigError, match="there are 0"):
        split.folds(np.empty(0))
    assert folds_of(split, np.empty(316))[-1] == (63, 315, 315, 316)
    assert folds_of(vb.WalkForwardSplit(252, 63, partial=False), np.empty(316)) == [(0, 252, 252, 315)]


def test_c13_both_numbers_of_the_inventory_windows_of_252_63_21_bars_and_of_90_30_days() -> None:
    with pytest.raises(ConfigError, match=r"step is 21 bars, less than test, 63 bars: test windows would overlap"):
        vb.WalkForwardSplit(252, 63, 21)
    bars = some_bars(200)
    found = folds_of(vb.WalkForwardSplit("90D", "30D"), bars)
    assert found == [(0, 90, 90, 120), (30, 120, 120, 150), (60, 150, 150, 180), (90, 180, 180, 200)]
    assert found == folds_of(vb.WalkForwardSplit(datetime.timedelta(90), np.timedelta64(30, "D")), bars)
    assert found == folds_of(vb.WalkForwardSplit(90, 30), bars)
    assert found == folds_of(vb.WalkForwardSplit("90D", 30), bars.datetime_index.to_frame())
    assert found == folds_of(vb.WalkForwardSplit(pd.Timedelta(90, "D"), "30D"), pl.DataFrame({"time": bars.times, "x": 1.0}))


def test_windows_in_time_count_days_not_bars_where_bars_are_missing() -> None:
    days = pd.bdate_range("2020-01-01", periods=140)
    frame = pd.DataFrame({"x": 1.0}, index=days)
    split = vb.WalkForwardSplit("90D", "30D", purge="5D")
    found = split.folds(frame)
    tested = np.concatenate([np.arange(f.test_first, f.test_stop) for f in found])
    np.testing.assert_array_equal(tested, np.arange(found[0].test_first, 140))
    for fold in found:
        assert days[fold.test_first] - days[fold.train_stop - 1] > pd.Timedelta(5, "D")
        assert days[fold.train_stop] - days[fold.train_first] <= pd.Timedelta(90, "D")
    with pytest.raises(ConfigError, match=r"need about \d+ bars; there are 60"):
        split.folds(frame[:60])
    assert len(vb.WalkForwardSplit("90D", "30D", partial=False).folds(frame[:86])) == 1  # exactly 120 days
    with pytest.raises(ConfigError, match="need about"):
        vb.WalkForwardSplit("90D", "30D").folds(frame[:84])


def test_a_window_of_time_without_a_bar_is_no_fold() -> None:
    labels = np.concatenate([np.arange(100), np.arange(180, 240)]).astype("m8[D]") + np.datetime64("2020-01-01")
    frame = pd.DataFrame({"x": 1.0}, index=labels)
    found = vb.WalkForwardSplit("60D", "20D").folds(frame)
    assert [fold.test_stop - fold.test_first for fold in found] == [20, 20, 20, 20, 20]


def test_combinatorial_splits_are_those_of_skfolio() -> None:
    selection = pytest.importorskip("skfolio.model_selection")
    for purge, embargo in ((0, 0), (2, 0), (0, 3), (2, 3)):
        theirs = selection.CombinatorialPurgedCV(n_folds=6, n_test_folds=2, purged_size=purge, embargo_size=embargo)
        mine = vb.CombinatorialPurged(6, 2, purge, embargo)
        data = np.empty((120, 1))
        assert mine.paths == theirs.n_test_paths
        for (first, second), (train, tests) in zip(mine.split(data), theirs.split(data), strict=True):
            np.testing.assert_array_equal(second, np.concatenate(tests))
            np.testing.assert_array_equal(first, train)
        np.testing.assert_array_equal(mine.path_splits().T, theirs.recombined_paths)


def test_scikit_learn_takes_them_as_splitters() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    selection = pytest.importorskip("sklearn.model_selection")
    random = np.random.default_rng(0)
    data = random.normal(size=(200, 3))
    target = data @ np.array([1.0, 2.0, 3.0]) + random.normal(size=200) / 10.0
    for split, count in ((vb.WalkForwardSplit(60, 20, purge=5), 7), (vb.PurgedKFold(5, 3, 2), 5), (vb.CombinatorialPurged(5, 2), 10)):
        scores = selection.cross_val_score(linear.LinearRegression(), data, target, cv=split)
        assert len(scores) == count
        assert scores.min() > 0.9
    grid = selection.GridSearchCV(linear.Ridge(), {"alpha": [0.1, 1.0]}, cv=vb.WalkForwardSplit(60, 20)).fit(data, target)
    assert grid.n_splits_ == 7


def test_purged_folds_are_consecutive_with_gaps_on_both_sides() -> None:
    pairs = list(vb.PurgedKFold(4, purge=2, embargo=1).split(range(40)))
    np.testing.assert_array_equal(pairs[1][1], np.arange(10, 20))
    np.testing.assert_array_equal(pairs[1][0], np.concatenate([np.arange(8), np.arange(23, 40)]))
    assert vb.PurgedKFold(4).get_n_splits() == 4


def test_lengths_are_read_and_written_alike() -> None:
    for text in ("90D", "12h", "30min", "45s"):
        assert shown_length(as_length(text, "train")) == text
    assert shown_length(as_length("2W", "train")) == "14D"
    assert length_words(as_length("1D", "train")) == "1 day"
    assert length_words(as_length("36h", "train")) == "1.5 days"
    assert as_length("0D", "purge", least=0) == 0


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: vb.WalkForwardSplit(0, 5), "train is 0; expected at least 1 bars"),
        (lambda: vb.WalkForwardSplit(5, -1), "test is -1"),
        (lambda: vb.WalkForwardSplit(5, 5, purge=-1), "purge is -1"),
        (lambda: vb.WalkForwardSplit("3 months", 5), "expected bars"),
        (lambda: vb.WalkForwardSplit("0D", 5), "above 0"),
        (lambda: vb.WalkForwardSplit(2.5, 5), "train is 2.5"),
        (lambda: vb.WalkForwardSplit(5, 5, "10D"), "both in bars, or both in time"),
        (lambda: vb.WalkForwardSplit(5, 5, anchored="yes"), "True or False"),
        (lambda: vb.WalkForwardSplit(5, 5).get_n_splits(), "get_n_splits"),
        (lambda: vb.WalkForwardSplit("5D", 5).folds(np.empty(40)), "has no times"),
        (lambda: vb.WalkForwardSplit(5, 5).folds(3), "expected Bars"),
        (lambda: vb.CombinatorialPurged(1, 1), "groups is 1"),
        (lambda: vb.CombinatorialPurged(4, 4), "expected fewer"),
        (lambda: vb.CombinatorialPurged(40, 20), "take fewer groups"),
        (lambda: list(vb.CombinatorialPurged(6, 2, purge=9).split(range(20))), "leave nothing to train on"),
        (lambda: list(vb.CombinatorialPurged(6, 2).split(range(3))), "more than 6 bars are needed"),
        (lambda: vb.PurgedKFold(1), "folds is 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(make: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make()
