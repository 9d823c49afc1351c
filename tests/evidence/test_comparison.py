"""SPA, reality check, StepM and model confidence sets on matrices: what arch says, with and without skill; equal and constant columns."""

from __future__ import annotations

import math

import numpy as np
import pytest
from arch.bootstrap import MCS, SPA, StepM

from vecbt import evidence
from vecbt.errors import ConfigError, InputError


def noise(bars: int = 200, columns: int = 5, seed: int = 1) -> np.ndarray:
    return 0.01 * np.random.default_rng(seed).standard_normal((bars, columns))


def test_what_arch_says_comes_back_with_the_right_sign_and_columns() -> None:
    """A column that says nothing stands first: the others keep their numbers."""
    returns, benchmark = noise() + np.array([0, 0.003, 0, 0, 0]), noise(seed=2)[:, 0]
    wide = np.column_stack([np.full(200, np.nan), returns])
    theirs = SPA(-benchmark, -returns, block_size=7, reps=200, seed=4)
    theirs.compute()
    keywords = {"benchmark": benchmark, "block_length": 7, "resamples": 200, "seed": 4}
    found = evidence.spa(wide, **keywords)
    assert (found.lower, found.consistent, found.upper) == tuple(theirs.pvalues)
    assert (found.best, found.sets, found.left_out) == (2, 5, 1)
    assert found.statistic == pytest.approx(math.sqrt(200) * (returns[:, 1] - benchmark).mean())
    assert evidence.reality_check(wide, **keywords).probability == theirs.pvalues["upper"]
    steps = StepM(-benchmark, -returns, size=0.1, block_size=7, reps=200, seed=4)
    steps.compute()
    assert evidence.step_m(wide, size=0.1, **keywords).superior.tolist() == [c + 1 for c in steps.superior_models] == [2]


@pytest.mark.parametrize("method", ["R", "max"])
def test_the_confidence_set_is_that_of_arch(method: str) -> None:
    returns = noise() + np.array([0, 0.004, 0, -0.004, 0.002])
    theirs = MCS(-returns, size=0.1, reps=300, block_size=5, method=method, seed=2)
    theirs.compute()
    found = evidence.model_confidence_set(returns, size=0.1, method=method, block_length=5, resamples=300, seed=2)  # type: ignore[arg-type]
    assert found.included.tolist() == theirs.included
    np.testing.assert_array_equal(found.probabilities, theirs.pvalues["Pvalue"].sort_index().to_numpy())
    assert found.probabilities[1] == 1.0 and 3 not in found.included and "best is column 1" in str(found)


@pytest.mark.parametrize("method", ["R", "max"])
def test_equal_columns_enter_once_and_constant_differences_decide(method: str) -> None:
    """Column 2 is column 0 again, 3 is column 1 less a fixed cost, 4 has a NaN: no warning, and what stands beside does not change."""
    returns = noise(columns=2) + np.array([0.0, 0.001])
    more = np.column_stack([returns, returns[:, 0], returns[:, 1] - 0.0001, np.r_[np.nan, np.zeros(199)]])
    alone = evidence.model_confidence_set(returns, method=method, resamples=200)  # type: ignore[arg-type]
    found = evidence.model_confidence_set(more, method=method, resamples=200)  # type: ignore[arg-type]
    np.testing.assert_array_equal(found.probabilities, [*alone.probabilities, alone.probabilities[0], 0.0, np.nan])
    assert (found.columns, found.left_out) == (4, 1)
    same = evidence.model_confidence_set(np.repeat(returns[:, :1], 3, axis=1), method=method)  # type: ignore[arg-type]
    assert same.included.tolist() == [0, 1, 2] and (same.probabilities == 1.0).all()


def test_the_confidence_set_keeps_the_best_as_often_as_it_says() -> None:
    """100 experiments, five equal columns: each is in the set in nine of ten at least (less three errors); a poor one is thrown out."""
    kept, poor = [], []
    for seed in range(100):
        returns = noise(250, 6, seed)
        returns[:, 5] -= 0.004
        found = evidence.model_confidence_set(returns, size=0.1, block_length=4, resamples=150, seed=seed)
        kept.append(0 in found.included)
        poor.append(5 in found.included)
    assert np.mean(kept) > 0.9 - 3 * math.sqrt(0.09 / 100) and np.mean(poor) < 0.05


@pytest.mark.parametrize(("returns", "said", "needed"), [
    (noise(19), "20 are needed", 20), (np.zeros((50, 3)), "no column varies", 1), (np.zeros((50, 0)), "no column varies", 1),
    (np.zeros((0, 3)), "20 are needed", 20),
])  # fmt: skip
def test_too_little_says_why(returns: np.ndarray, said: str, needed: int) -> None:
    found, check, steps = evidence.spa(returns), evidence.reality_check(returns), evidence.step_m(returns)
    assert math.isnan(found.consistent) and math.isnan(check.probability) and len(steps.superior) == 0
    assert all(said in each.reason and each.needed == needed for each in (found, check, steps))


def test_a_confidence_set_needs_two_columns() -> None:
    found = evidence.model_confidence_set(noise(columns=1))
    assert found.needed == 2 and "two columns" in str(found) and np.isnan(found.probabilities).all()
    assert "20 are needed" in evidence.model_confidence_set(noise(10)).reason


def test_bad_arguments_say_what_was_expected() -> None:
    with pytest.raises(InputError, match="benchmark has shape"):
        evidence.spa(noise(), benchmark=np.zeros(10))
    with pytest.raises(ConfigError, match="use method='max'"):
        evidence.model_confidence_set(noise(30, 400))
    with pytest.raises(ConfigError, match="method must be"):
        evidence.model_confidence_set(noise(), method="T")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="block_length must be a whole number"):
        evidence.spa(noise(), block_length=0)
