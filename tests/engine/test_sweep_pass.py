"""The pass over curves that a sweep measures side by side, against each curve by the step (D1, M1, M2, M5)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vecbt.core.jit import kernel_loop
from vecbt.core.lanes import LANES
from vecbt.core.state import plain, records
from vecbt.engine.sweep_run import BLOCKS, FINE_BLOCKS, _pass_few, sum_blocks
from vecbt.metrics.returns import RETURNS_STATE, performance_lane, returns_init, returns_params, returns_step, returns_store


class Curves(NamedTuple):
    """What the pass reads of a `Trial`."""

    curves: np.ndarray
    starts: np.ndarray
    owners: np.ndarray


class Found(NamedTuple):
    """What it reads and writes of `Measures`."""

    params: np.ndarray
    blocks: np.ndarray
    fine: np.ndarray


@kernel_loop
def together(bars, trial, measures, states):  # type: ignore[no-untyped-def]
    """All four in one pass."""
    now = _pass_few(states.shape[0], bars, trial, measures)
    for k in range(states.shape[0]):
        returns_store(states[k], performance_lane(now, k))


@kernel_loop
def alone(bars, trial, measures, states, earned):  # type: ignore[no-untyped-def]
    """One after the other, by the step of a stream."""
    for k in range(states.shape[0]):
        returns_init(states[k], trial.starts[k, 0])
        for t in range(bars):
            earned[t] = returns_step(states[k], measures.params[0], trial.curves[k, t])
        sum_blocks(earned, bars, measures.blocks[k, 0], measures.fine[k, 0])


NEAR = [math.nextafter(99.0, 0.0), math.nextafter(97.0, 0.0), math.nextafter(97.0, 100.0), 96.99]
LEVELS = st.sampled_from([100.0, 100.5, 99.0, 100.0 / 3.0, 97.0, 130.0, 1e-300, 1e300, *NEAR])
LENGTHS = st.sampled_from([1, 3, 63, 64, 300, 777])
BREAKS = st.sampled_from([0.0, -5.0, math.nan, math.inf])


@pytest.mark.interpreted
@given(st.lists(LEVELS, min_size=4, max_size=9), LENGTHS, st.integers(0, 2**32 - 1), st.none() | BREAKS, st.booleans())
@example([100.0, 100.5], 777, 1, math.nan, True)
@example([100.0, 100.5], 777, 2, math.nan, False)
@example([100.0, 100.5], 777, 3, math.nan, True)
@example([100.0, 100.5], 777, 4, math.nan, False)
@example([100.0, 99.0, 101.0, 98.0], 777, 1, 0.0, True)
@example([100.0, 97.0, 97.0, NEAR[1], 96.99], 777, 1, None, True)
@example([100.0, 97.0, 97.0, 97.0, NEAR[1]], 300, 2, None, True)
def test_D1_the_pass_is_the_step_of_each_curve(levels: list[float], bars: int, seed: int, broken: float | None, moves: bool) -> None:
    """Four bars at a time and what is left of a part; curves that lie flat, at their deepest too, that fall to nothing, or are unknown."""
    draw = np.random.default_rng(seed)
    flat = np.repeat(draw.choice(levels, (LANES, bars)), draw.integers(1, 9), axis=1)[:, :bars]
    curves = np.ones((LANES, bars + 2 * LANES))
    curves[:, :bars] = flat
    starts = np.full((LANES, 1), 100.0) if moves else flat[:, :1].copy()
    if broken is not None:
        curves[draw.integers(LANES), draw.integers(bars)] = broken
    trial = Curves(curves, starts, np.column_stack([np.arange(LANES), np.zeros(LANES, dtype=np.int64)]))
    mine, its = (
        Found(plain(returns_params(252.0)), np.full((LANES, 1, BLOCKS, 4), 7.0), np.full((LANES, 1, FINE_BLOCKS, 2), 7.0)) for _ in range(2)
    )
    side, each = plain(records(RETURNS_STATE, LANES)), plain(records(RETURNS_STATE, LANES))
    with np.errstate(all="ignore"):
        together(bars, trial, mine, side)
        alone(bars, trial, its, each, np.empty(bars))
    for name in ("count", "anchor", "total", "squares_of", "equity", "bars", "peak", "deepest"):
        assert np.array_equal(side[name], each[name], equal_nan=True), name
    assert np.array_equal(mine.blocks, its.blocks, equal_nan=True) and np.array_equal(mine.fine, its.fine, equal_nan=True)
