"""SPA, the reality check and StepM from block sums: against a slow twin over the full matrix, against arch, under the null, with skill."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from arch.bootstrap import SPA, StationaryBootstrap, StepM
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.naive import evidence as naive
from vecbt import evidence
from vecbt.errors import ConfigError, InputError


def noise(bars: int, columns: int, seed: int = 1) -> np.ndarray:
    """Returns with a scale of their own each."""
    rng = np.random.default_rng(seed)
    return 0.01 * np.exp(rng.normal(0, 0.7, columns)) * rng.standard_normal((bars, columns))


def drawn(count: int, length: int, resamples: int, seed: int) -> list[list[int]]:
    bootstrap = StationaryBootstrap(length, np.arange(count), seed=seed)
    return [data[0][0].tolist() for data in bootstrap.bootstrap(resamples)]


@pytest.mark.parametrize(("bars", "count", "length", "beaten"), [(200, 8, 50.0, False), (203, 10, 20.3, True), (64, 64, 4.0, True)])
def test_spa_equals_the_same_bootstrap_over_the_full_matrix(bars: int, count: int, length: float, beaten: bool) -> None:
    """Rows drawn in whole blocks, also where blocks differ in length: statistics, resampled maxima and p-values."""
    returns = noise(bars, 6) - np.array([0.0, 0.0, 0.001, 0.003, 0.02, -0.0005])
    benchmark = noise(bars, 1, seed=2)[:, 0] if beaten else np.zeros(bars)
    fine, stretch = evidence.block_sums(returns, count, 2), round(length * count / bars)
    expected = naive.superiority(returns, benchmark, drawn(count, stretch, 40, 3), count, stretch)
    keywords = {"benchmark": benchmark if beaten else None, "block_length": length, "resamples": 40, "seed": 3}
    for studentize, prefix, name in ((True, "", "values"), (False, "plain ", "plain")):
        found = evidence.spa_of_blocks(fine, bars, studentize=studentize, **keywords)
        statistic = max(expected[name])
        assert found.statistic == pytest.approx(statistic, rel=1e-9) and found.best == int(np.argmax(expected[name]))
        for way in ("lower", "consistent", "upper"):
            assert getattr(found, way) == pytest.approx(naive.above(expected[prefix + way], statistic))
        work = evidence.superior._Resampling.of(fine, bars, keywords["benchmark"], length, 40, 3)
        maxima = work.maxima(np.arange(6), studentize)
        np.testing.assert_allclose(maxima, [expected[prefix + way] for way in ("lower", "consistent", "upper")], rtol=1e-9, atol=1e-12)
    check = evidence.reality_check_of_blocks(fine, bars, **keywords)
    assert check.probability == pytest.approx(naive.above(expected["plain upper"], max(expected["plain"])))


@given(st.integers(0, 10**6), st.integers(12, 40), st.integers(2, 5))
def test_spa_equals_the_same_bootstrap_for_any_returns(seed: int, bars: int, columns: int) -> None:
    returns = noise(bars, columns, seed)
    expected = naive.superiority(returns, np.zeros(bars), drawn(6, 2, 9, seed), 6, 2)
    found = evidence.spa_of_blocks(evidence.block_sums(returns, 6, 1), bars, block_length=bars / 3, resamples=9, seed=seed)
    assert found.statistic == pytest.approx(max(expected["values"]), rel=1e-9)
    for way in ("lower", "consistent", "upper"):
        assert getattr(found, way) == pytest.approx(naive.above(expected[way], max(expected["values"])))


@pytest.mark.parametrize("seed", range(5))
def test_with_one_bar_a_block_the_numbers_are_those_of_arch(seed: int) -> None:
    """The same draws and the same differences: SPA, the reality check and StepM."""
    returns, benchmark = 0.004 * np.array([0, 0, 0, 1, -2]) + noise(64, 5, seed), noise(64, 1, seed + 50)[:, 0] * 0.1
    theirs = SPA(-benchmark, -returns, block_size=4, reps=300, seed=seed)
    theirs.compute()
    fine = evidence.block_sums(returns, 64, 2)
    keywords = {"benchmark": benchmark, "block_length": 4.0, "resamples": 300, "seed": seed}
    ours = evidence.spa_of_blocks(fine, 64, studentize=False, **keywords)
    assert (ours.lower, ours.consistent, ours.upper) == tuple(theirs.pvalues)
    assert evidence.reality_check_of_blocks(fine, 64, **keywords).probability == theirs.pvalues["upper"]
    steps = StepM(-benchmark, -returns, size=0.2, block_size=4, reps=300, seed=seed)
    steps.compute()
    assert evidence.step_m_of_blocks(fine, 64, size=0.2, studentize=False, **keywords).superior.tolist() == steps.superior_models


def test_short_blocks_agree_with_bars_within_the_error_of_drawing() -> None:
    """64 blocks of four bars against arch over 256 bars, mean length 16: p-values differ by their Monte Carlo error and little more."""
    gaps = []
    for seed in range(12):
        returns = 0.01 * np.random.default_rng(seed).standard_normal((256, 8)) + 0.0006
        theirs = SPA(np.zeros(256), -returns, block_size=16, reps=800, seed=seed)
        theirs.compute()
        fine = evidence.block_sums(returns, 64, 2)
        ours = evidence.spa_of_blocks(fine, 256, studentize=False, block_length=16, resamples=800, seed=seed + 100)
        gaps.append(ours.consistent - theirs.pvalues["consistent"])
    assert abs(np.mean(gaps)) < 0.02 and np.max(np.abs(gaps)) < 0.09


def test_a_large_table_is_taken_in_pieces_and_from_a_file(tmp_path: Path) -> None:
    """1,300 sets are three pieces: the p-values are those of three tables whose maxima are taken together."""
    fine = evidence.block_sums(noise(128, 1_300), 64, 2)
    whole = evidence.spa_of_blocks(fine, 128, resamples=50)
    np.save(tmp_path / "fine.npy", fine)
    assert evidence.spa_of_blocks(np.load(tmp_path / "fine.npy", mmap_mode="r"), 128, resamples=50) == whole
    parts = [evidence.superior._Resampling.of(fine[rows], 128, None, None, 50, 0) for rows in (slice(0, 700), slice(700, 1_300))]
    largest = np.maximum(*(part.maxima(np.arange(len(part.rows)), True) for part in parts))
    assert (whole.lower, whole.consistent, whole.upper) == tuple((largest > whole.statistic).mean(axis=1))


# --- what it means ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("studentize", [True, False])
def test_p_values_are_uniform_where_nothing_is_better(studentize: bool) -> None:
    """300 experiments of ten skilless sets: Kolmogorov-Smirnov, and about one in twenty below 0.05."""
    found = []
    for seed in range(300):
        fine = evidence.block_sums(0.01 * np.random.default_rng(seed).standard_normal((640, 10)), 64, 2)
        found.append(evidence.spa_of_blocks(fine, 640, studentize=studentize, resamples=200, block_length=10, seed=seed).upper)
    assert stats.kstest(found, "uniform").pvalue > 0.01
    assert 0.01 < np.mean(np.array(found) < 0.05) < 0.10


def test_step_m_names_a_wrong_set_no_more_often_than_its_size() -> None:
    """200 experiments, one of eight sets is good: it is found, and any other in one of ten at most (and three errors)."""
    wrong, right = [], []
    for seed in range(200):
        returns = 0.01 * np.random.default_rng(seed).standard_normal((640, 8))
        returns[:, 3] += 0.0025
        found = evidence.step_m_of_blocks(evidence.block_sums(returns, 64, 2), 640, size=0.1, resamples=200, block_length=10, seed=seed)
        wrong.append(bool(set(found.superior.tolist()) - {3}))
        right.append(3 in found.superior)
    assert np.mean(right) > 0.95 and np.mean(wrong) < 0.1 + 3 * math.sqrt(0.09 / 200)


def test_a_good_set_is_found_among_many_poor_and_wild_ones() -> None:
    """What the studentised test is for: one steady gain beside sets that lose much; the reality check sees nothing."""
    rng = np.random.default_rng(5)
    returns = rng.standard_normal((640, 200)) * np.r_[0.002, np.full(199, 0.03)] + np.r_[0.0005, np.full(199, -0.001)]
    fine = evidence.block_sums(returns, 64, 2)
    found = evidence.spa_of_blocks(fine, 640)
    assert found.consistent < 0.01 and found.best == 0
    assert evidence.reality_check_of_blocks(fine, 640).probability > 0.2
    assert evidence.step_m_of_blocks(fine, 640).superior.tolist() == [0]
    assert found.lower <= found.consistent <= found.upper


# --- what takes no part, and what is refused -------------------------------------------------------------------------


def test_sets_that_say_nothing_take_no_part() -> None:
    returns = noise(128, 4)
    more = np.column_stack([np.zeros(128), returns[:, :2], np.full(128, np.nan), np.full(128, 0.001), returns[:, 2:]])
    found, alone = (evidence.spa_of_blocks(evidence.block_sums(values, 64, 2), 128, resamples=99) for values in (more, returns))
    assert (found.sets, found.left_out, alone.left_out) == (4, 3, 0)
    assert (found.statistic, found.consistent) == (alone.statistic, alone.consistent) and found.best == [1, 2, 5, 6][alone.best]


@pytest.mark.parametrize(("returns", "said", "needed"), [
    (np.zeros((128, 3)), "no set varies", 1), (np.zeros((128, 0)), "no set varies", 1), (noise(63, 3), "64 are needed", 64),
])  # fmt: skip
def test_too_little_says_why(returns: np.ndarray, said: str, needed: int) -> None:
    fine = evidence.block_sums(returns, 64, 2)
    found = evidence.spa_of_blocks(fine, len(returns))
    steps, check = evidence.step_m_of_blocks(fine, len(returns)), evidence.reality_check_of_blocks(fine, len(returns))
    assert math.isnan(found.consistent) and said in found.reason and found.needed == needed
    assert len(steps.superior) == 0 and steps.reason == found.reason == check.reason and math.isnan(check.probability)
    assert all(said in str(each) for each in (found, steps, check))


def test_the_benchmark_may_be_given_by_its_sums() -> None:
    returns, benchmark = noise(200, 5), noise(200, 1, 9)[:, 0]
    fine, sums = evidence.block_sums(returns, 64, 2), evidence.block_sums(benchmark, 64, 2)[0]
    one = evidence.spa_of_blocks(fine, 200, benchmark=benchmark, resamples=99)
    assert evidence.spa_of_blocks(fine, 200, benchmark=sums, resamples=99) == one
    assert "p " in str(one) and "StepM" in str(evidence.step_m_of_blocks(fine, 200, benchmark=benchmark, resamples=99))


def test_bad_arguments_say_what_was_expected() -> None:
    fine = evidence.block_sums(noise(200, 3), 64, 2)
    with pytest.raises(InputError, match="benchmark has shape"):
        evidence.spa_of_blocks(fine, 200, benchmark=np.zeros(199))
    with pytest.raises(InputError, match="not known"):
        evidence.spa_of_blocks(fine, 200, benchmark=np.r_[np.nan, np.zeros(199)])
    with pytest.raises(ConfigError, match="block_length must lie"):
        evidence.spa_of_blocks(fine, 200, block_length=0.5)
    with pytest.raises(ConfigError, match="recentre must be"):
        evidence.step_m_of_blocks(fine, 200, recentre="lower")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="size must lie"):
        evidence.step_m_of_blocks(fine, 200, size=5)
    with pytest.raises(ConfigError, match="seed must be a whole number"):
        evidence.spa_of_blocks(fine, 200, seed=None)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="fine must be float64"):
        evidence.spa_of_blocks(fine[:, :, 0], 200)
