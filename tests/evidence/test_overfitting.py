"""The probability of overfitting: against a slow twin over the full matrix, by hand, under the null, with skill; and its rules for ties."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vecbt as vb
from tests.naive import evidence as naive
from vecbt import evidence
from vecbt.engine.sweep_run import sum_blocks
from vecbt.errors import ConfigError, InputError


def noise(bars: int, columns: int, seed: int = 1) -> np.ndarray:
    return 0.01 * np.random.default_rng(seed).standard_normal((bars, columns))


def same_as_naive(returns: np.ndarray, blocks: int, rf: float = 0.0) -> None:
    found, expected = evidence.pbo(returns, blocks=blocks, rf=rf, threads=2), naive.overfitting(returns, blocks, rf)
    assert found.splits == len(expected) == math.comb(blocks, blocks // 2)
    ours = sorted(zip(found.inside, found.outside, found.logits, strict=True))
    np.testing.assert_allclose(ours, sorted(expected), rtol=1e-9, atol=1e-9)
    assert found.probability == np.mean([logit <= 0 for *_, logit in expected])


@pytest.mark.interpreted
@pytest.mark.parametrize(("bars", "columns", "blocks", "rf"), [(60, 7, 4, 0.0), (61, 5, 6, 1e-3), (23, 2, 2, 0.0)])
def test_pbo_equals_the_slow_twin_over_the_full_matrix(bars: int, columns: int, blocks: int, rf: float) -> None:
    same_as_naive(noise(bars, columns), blocks, rf)


def test_pbo_of_sixteen_blocks_equals_the_slow_twin() -> None:
    """12,870 splits, of which every hundredth or so is looked at; 67 sets are more than one tile."""
    returns, count = noise(100, 67), 16
    found = evidence.pbo(returns, blocks=count)
    edges, expected = np.arange(count + 1) * 100 // count, {}
    for mask in range(0, 1 << count, 97):
        if mask.bit_count() != count // 2:
            continue
        inside = np.concatenate([np.arange(edges[b], edges[b + 1]) for b in range(count) if mask >> b & 1])
        outside = np.setdiff1d(np.arange(100), inside)
        first, second = (returns[rows].mean(0) / returns[rows].std(0, ddof=1) for rows in (inside, outside))
        winner = int(first.argmax())
        rank = (second < second[winner]).sum() + 1
        expected[round(first[winner], 10), round(second[winner], 10)] = math.log(rank / (68 - rank))
    ours = {(round(a, 10), round(b, 10)): logit for a, b, logit in zip(found.inside, found.outside, found.logits, strict=True)}
    assert len(expected) > 100 and all(ours[key] == pytest.approx(logit, abs=1e-9) for key, logit in expected.items())


@given(st.integers(0, 10**6), st.integers(2, 9), st.integers(16, 40))
def test_pbo_equals_the_slow_twin_for_any_returns(seed: int, columns: int, bars: int) -> None:
    same_as_naive(noise(bars, columns, seed), 4)


def test_block_sums_are_those_of_a_sweep() -> None:
    """The same cut of the bars and, to rounding, the same sums, from 16 parts as from 64."""
    returns = noise(1_003, 3)
    ours, fine = evidence.block_sums(returns), evidence.block_sums(returns, 64, 2)
    for c in range(3):
        blocks, parts = np.empty((16, 4)), np.empty((64, 2))
        sum_blocks(np.ascontiguousarray(returns[:, c]), 1_003, blocks, parts)
        np.testing.assert_allclose(ours[c], blocks, rtol=1e-12, atol=1e-17)
        np.testing.assert_allclose(fine[c], parts, rtol=1e-12, atol=1e-17)


def test_pbo_of_a_sweep_is_that_of_its_curves() -> None:
    """From what a real sweep keeps, and from the returns of its curves."""
    bars = vb.samples.load("us_daily", "IBM")[:600]
    space = {"fast": range(3, 15, 3), "slow": range(20, 60, 10)}
    sweep = vb.sweep(bars, vb.strategies.SmaCross(), space, costs=vb.Costs(commission_rate=0.001), progress=False, keep=("equity",))
    returns = vb.metrics.simple_returns(sweep.run.equity[:, 0].T, 100_000.0)
    found, expected = evidence.pbo_of_blocks(sweep.blocks, bars.T), evidence.pbo(returns)
    np.testing.assert_allclose(found.logits, expected.logits, atol=1e-9)
    np.testing.assert_allclose(found.outside, expected.outside, atol=1e-9)
    of = evidence.moments_of_blocks(sweep.blocks, bars.T)
    np.testing.assert_allclose(of.sharpe * math.sqrt(bars.periods_per_year), sweep.table["sharpe"].to_numpy(), rtol=1e-9)


def test_threads_change_nothing(tmp_path: Path) -> None:
    """Nor does it where the sums are: in memory, or in a file."""
    sums = evidence.block_sums(noise(200, 500), 8)
    np.save(tmp_path / "blocks.npy", sums)
    one, three = evidence.pbo_of_blocks(sums, 200, threads=1), evidence.pbo_of_blocks(sums, 200, threads=3)
    file = evidence.pbo_of_blocks(np.load(tmp_path / "blocks.npy", mmap_mode="r"), 200)
    for other in (three, file):
        for name in ("logits", "inside", "outside", "winners"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.interpreted
def test_scale_and_order_of_sets_change_nothing() -> None:
    """A Sharpe ratio has no scale: powers of two change no bit. The winner moves with its column."""
    returns, order = noise(60, 5), np.array([3, 0, 4, 1, 2])
    found = evidence.pbo(returns, blocks=4)
    scaled = evidence.pbo(returns * 2.0 ** np.arange(-4, 6, 2), blocks=4)
    moved = evidence.pbo(returns[:, order], blocks=4)
    np.testing.assert_array_equal(found.logits, scaled.logits)
    np.testing.assert_array_equal(found.outside, scaled.outside)
    np.testing.assert_array_equal(found.logits, moved.logits)
    np.testing.assert_array_equal(found.winners, order[moved.winners])


# --- what it means ---------------------------------------------------------------------------------------------------


def test_under_the_null_half_of_all_winners_are_below_the_median() -> None:
    """Mean over 60 experiments of 100 skilless sets: a half, within three errors of what they show."""
    found = np.array([evidence.pbo(noise(160, 100, seed), blocks=8).probability for seed in range(60)])
    assert abs(found.mean() - 0.5) < 3 * found.std() / math.sqrt(60) + 0.02
    assert found.std() > 0.05


def test_skill_is_found() -> None:
    returns = noise(800, 50)
    returns[:, 7] += 0.003
    found = evidence.pbo(returns)
    assert found.probability < 0.01 and (found.winners == 7).mean() > 0.99 and found.loss < 0.01
    assert found.first_order and found.second_order
    assert (np.diff(found.chosen_below) >= 0).all() and found.all_below[-1] == found.chosen_below[-1] == 1.0


def test_what_turns_round_is_overfitted() -> None:
    """Each set gains in one block only and loses a little elsewhere: the winner inside is nearly always poor outside."""
    returns = 0.001 * np.random.default_rng(2).standard_normal((160, 8)) - 0.001
    for c in range(8):
        returns[20 * c : 20 * c + 20, c] += 0.02
    found = evidence.pbo(returns, blocks=8)
    assert found.probability > 0.95 and found.loss > 0.95 and found.slope < 0.0
    assert not found.second_order and "no-order dominance" in str(found)


# --- ties, gaps, and what is too little ------------------------------------------------------------------------------


@pytest.mark.interpreted
def test_equal_sets_share_their_rank_and_the_first_wins() -> None:
    """Three times the same: the winner stands in the middle of three, at the median: logit 0."""
    found = evidence.pbo(np.repeat(noise(40, 1), 3, axis=1), blocks=4)
    assert (found.winners == 0).all() and (found.logits == 0.0).all() and found.probability == 1.0


@pytest.mark.interpreted
def test_sets_that_say_nothing_take_no_part() -> None:
    returns = noise(60, 6)
    more = np.column_stack([np.full(60, np.nan), returns[:, :3], np.zeros(60), np.full(60, 0.001), returns[:, 3:]])
    more[7, 4:5] = 0.0
    found, alone = evidence.pbo(more, blocks=4), evidence.pbo(returns, blocks=4)
    assert (found.sets, found.left_out) == (6, 3)
    np.testing.assert_array_equal(found.logits, alone.logits)
    np.testing.assert_array_equal(found.winners, np.array([1, 2, 3, 6, 7, 8])[alone.winners])


@pytest.mark.interpreted
def test_doing_nothing_in_a_half_is_worth_nothing() -> None:
    """A set that trades in the first half only stands there by its ratio, in the second at 0: above a loss, below a gain."""
    returns = noise(40, 3, seed=4)
    returns[:, 1] = np.abs(returns[:, 1]) + 0.001
    returns[:, 2] = -np.abs(returns[:, 2]) - 0.001
    returns[20:, 0] = 0.0
    same_as_naive(returns, 2)
    found = evidence.pbo(returns, blocks=2)
    assert found.winners.tolist() == [1, 1]
    alone = evidence.pbo(returns[:, [0, 2]], blocks=2)
    assert sorted(alone.winners.tolist()) == [0, 0] and 0.0 in alone.outside.tolist() and 0.0 in alone.inside.tolist()


@pytest.mark.parametrize(("returns", "said", "needed"), [
    (noise(60, 1), "two sets or more must vary", 2),
    (np.zeros((60, 5)), "two sets or more must vary", 2),
    (np.zeros((60, 0)), "two sets or more must vary", 2),
    (noise(20, 5), "too few bars: 32 are needed", 32),
])  # fmt: skip
def test_too_little_says_why(returns: np.ndarray, said: str, needed: int) -> None:
    found = evidence.pbo(returns)
    assert math.isnan(found.probability) and said in found.reason and found.needed == needed and said in str(found)
    assert len(found.logits) == 0 and not found.first_order and not found.second_order


def test_infinite_sums_take_no_part_without_a_warning() -> None:
    fine = evidence.block_sums(noise(128, 4), 64, 4)
    more = np.concatenate([fine, fine[:1]])
    more[4, 3] = np.inf
    assert evidence.pbo_of_blocks(more[:, :16], 128).left_out == 1
    assert evidence.spa_of_blocks(more, 128, resamples=20).left_out == 1
    assert evidence.effective_trials_of_blocks(more, 128).left_out == 1
    assert np.isnan(evidence.moments_of_blocks(more, 128).sharpe).tolist() == [False] * 4 + [True]


def test_bad_arguments_say_what_was_expected() -> None:
    with pytest.raises(ConfigError, match="even number from 2 to 20"):
        evidence.pbo(noise(60, 3), blocks=5)
    with pytest.raises(ConfigError, match="even number from 2 to 20"):
        evidence.pbo(noise(60, 3), blocks=22)
    with pytest.raises(InputError, match="blocks must be float64"):
        evidence.pbo_of_blocks(np.zeros((4, 16)), 100)
    with pytest.raises(ConfigError, match="threads must be a whole number"):
        evidence.pbo(noise(60, 3), threads=0)
    with pytest.raises(ConfigError, match="bars must be a whole number"):
        evidence.pbo_of_blocks(np.zeros((4, 16, 2)), 10.5)  # type: ignore[arg-type]
