"""The effective number of trials: a slow twin, known structures, blocks and matrix alike; and what is undefined."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vecbt import evidence
from vecbt.errors import ConfigError, InputError


def noise(bars: int, columns: int, seed: int = 1) -> np.ndarray:
    return 0.01 * np.random.default_rng(seed).standard_normal((bars, columns))


def together(bars: int, columns: int, share: float) -> np.ndarray:
    """Columns whose correlation is `share`."""
    return math.sqrt(share) * noise(bars, 1, 2) + math.sqrt(1 - share) * noise(bars, columns, 3)


def test_the_maximum_is_that_of_normal_numbers_with_these_correlations() -> None:
    """Drawn another way: from the matrix of correlations, by NumPy."""
    returns = together(400, 12, 0.6)
    found = evidence.effective_trials(returns, draws=4_000)
    drawn = np.random.default_rng(7).multivariate_normal(np.zeros(12), np.corrcoef(returns.T), size=20_000).max(axis=1)
    assert abs(found.maximum - drawn.mean()) < 3.5 * math.hypot(found.error, drawn.std() / math.sqrt(20_000))
    assert found.average_correlation == pytest.approx((np.corrcoef(returns.T).sum() - 12) / 132, rel=1e-9)
    assert evidence.expected_maximum(found.effective) == pytest.approx(found.maximum, rel=1e-9)
    assert found.by_average == pytest.approx(found.average_correlation + (1 - found.average_correlation) * 12)


def test_known_structures_are_counted_right() -> None:
    """Independent ones nearly as many; copies as one; ten families of twenty as some ten."""
    alone, copies = evidence.effective_trials(noise(1_000, 100)), evidence.effective_trials(np.repeat(noise(300, 1), 50, axis=1))
    assert 80 < alone.effective <= 100
    assert copies.effective == pytest.approx(1.0, abs=1e-6) and copies.by_average == pytest.approx(1.0)
    families = np.repeat(noise(1_000, 10), 20, axis=1) + 0.05 * noise(1_000, 200, 4)
    assert 9 < evidence.effective_trials(families).effective < 16
    assert evidence.effective_trials(together(1_000, 100, 0.2)).effective > evidence.effective_trials(together(1_000, 100, 0.7)).effective


def test_scale_and_order_change_nothing() -> None:
    returns = together(200, 30, 0.5)
    first, second = evidence.effective_trials(returns), evidence.effective_trials(returns[:, ::-1] * np.geomspace(1e-6, 10, 30))
    assert first.effective == pytest.approx(second.effective, rel=1e-6)


def test_blocks_of_one_bar_and_of_many_pieces_equal_the_matrix() -> None:
    returns = together(64, 1_100, 0.5)
    one, two = evidence.effective_trials(returns), evidence.effective_trials_of_blocks(evidence.block_sums(returns, 64, 2), 64)
    assert (two.effective, two.average_correlation) == pytest.approx((one.effective, one.average_correlation), rel=1e-9)
    long = together(1_003, 40, 0.5)
    assert evidence.effective_trials_of_blocks(evidence.block_sums(long, 64), 1_003).effective == pytest.approx(
        evidence.effective_trials(long).effective, rel=0.4
    )


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7])
def test_the_best_of_related_trials_is_deflated_right(share: float) -> None:
    """80 experiments of 60 skilless trials in families of ten, which share an error beside: the best one's DSR is a half in the middle.

    What trials share does not show in the variance across them: with that variance as it is, luck would look like skill.
    """
    found, careless = [], []
    for seed in range(80):
        rng = np.random.default_rng(seed)
        families = np.repeat(rng.standard_normal((250, 6)), 10, axis=1) + 0.3 * rng.standard_normal((250, 60))
        returns = 0.01 * (math.sqrt(1 - share) * families + math.sqrt(share * 1.09) * rng.standard_normal((250, 1)))
        of, trials = evidence.moments(returns), evidence.effective_trials(returns, draws=100)
        found.append(np.max(evidence.deflated_sharpe(of, trials)))
        careless.append(np.max(evidence.deflated_sharpe(of, trials.effective)))
    assert 0.38 < np.mean(found) < 0.62 and np.mean(np.array(found) > 0.95) < 0.15
    assert share < 0.5 or np.mean(careless) > np.mean(found) + 0.1


def test_the_variance_of_an_estimate_is_found_from_related_trials() -> None:
    """Mean over 200 experiments of ten trials that share 0.6: within 5 % of one over the bars; across trials it is 0.4 of that."""
    rng, found = np.random.default_rng(3), []
    for _ in range(200):
        returns = 0.01 * (math.sqrt(0.6) * rng.standard_normal((250, 1)) + math.sqrt(0.4) * rng.standard_normal((250, 10)))
        found.append((evidence.trial_variance(evidence.moments(returns), 0.6), evidence.trial_variance(evidence.moments(returns))))
    corrected, plain = np.mean(found, axis=0) * 250
    assert corrected == pytest.approx(1.0, rel=0.1) and plain == pytest.approx(0.4 * corrected)


@pytest.mark.parametrize(("returns", "said", "needed"), [
    (noise(7, 3), "8 are needed", 8), (np.zeros((50, 3)), "no trial varies", 1), (np.zeros((50, 0)), "no trial varies", 1),
    (np.full((50, 3), 0.001), "no trial varies", 1), (np.full((50, 3), np.nan), "no trial varies", 1),
    (np.zeros((0, 2)), "8 are needed", 8),
])  # fmt: skip
def test_too_little_says_why(returns: np.ndarray, said: str, needed: int) -> None:
    found = evidence.effective_trials(returns)
    assert math.isnan(found.effective) and said in found.reason and found.needed == needed and said in str(found)
    if len(returns):
        assert math.isnan(evidence.effective_trials_of_blocks(evidence.block_sums(returns, 64, 2), len(returns)).effective)


def test_columns_that_say_nothing_are_left_out() -> None:
    returns = together(100, 6, 0.4)
    more = np.column_stack([np.zeros(100), returns, np.full(100, 0.001), np.full(100, np.nan)])
    found, alone = evidence.effective_trials(more), evidence.effective_trials(returns)
    assert found.effective == pytest.approx(alone.effective, rel=1e-9) and (found.trials, found.left_out) == (6, 3)
    assert "6 trials are as many as" in str(found)
    single = evidence.effective_trials(returns[:, :1])
    of = evidence.moments(returns[:, 0])
    assert single.effective == 1.0 and evidence.deflated_sharpe(of, single) == evidence.probabilistic_sharpe(of)
    assert math.isnan(evidence.deflated_sharpe(of, evidence.effective_trials(np.zeros((50, 2)))))
    assert math.isnan(evidence.trial_variance(of))


def test_bad_arguments_say_what_was_expected() -> None:
    with pytest.raises(ConfigError, match="draws must be a whole number"):
        evidence.effective_trials(noise(50, 3), draws=0)
    with pytest.raises(InputError, match="fine must be float64"):
        evidence.effective_trials_of_blocks(noise(50, 3), 50)
