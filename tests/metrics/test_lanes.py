"""Four series measured side by side (`core.lanes`) against each alone: the same bits (D1, M1 to M6)."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from vecbt.core.jit import kernel_loop
from vecbt.core.lanes import LANES, choose, every, lane_of, lanes_at, lanes_from, lanes_of, lanes_to, size_of
from vecbt.core.state import plain, records
from vecbt.metrics.drawdowns import drawdown_lane, drawdown_next, drawdown_peak, drawdown_peaks, drawdown_safe, drawdown_start
from vecbt.metrics.returns import (
    RETURNS_METRICS,
    RETURNS_STATE,
    performance_few,
    performance_from,
    performance_lane,
    performance_least,
    performance_start,
    returns_few,
    returns_init,
    returns_metrics,
    returns_step,
    returns_store,
    simple_return,
)
from vecbt.metrics.returns import returns_params as params_of

MONEY = st.one_of(st.floats(-10.0, 1e6), st.sampled_from([0.0, 1.0, 100.0, math.nan, 1e-300, 1e300]))


@kernel_loop
def abreast(curves, starts, mar, states):  # type: ignore[no-untyped-def]
    """All four in one pass."""
    before = lanes_at(starts, 0)
    anchor, now = simple_return(lanes_at(curves, 0), before), performance_start(before)
    for t in range(curves.shape[1]):
        equity = lanes_at(curves, t)
        now = performance_from(anchor, now, mar, equity, simple_return(equity, before))
        before = equity
    for k in range(states.shape[0]):
        states[k].initial = starts[k, 0]
        returns_store(states[k], performance_lane(now, k))


@kernel_loop
def alone(curves, starts, params, states):  # type: ignore[no-untyped-def]
    """One after the other, by the step of a stream."""
    for k in range(states.shape[0]):
        returns_init(states[k], starts[k, 0])
        for t in range(curves.shape[1]):
            returns_step(states[k], params[0], curves[k, t])


@given(st.lists(st.lists(MONEY, min_size=LANES, max_size=LANES), min_size=1, max_size=12), st.floats(-0.01, 0.01))
@example([[100.0, 100.0, 0.0, -1.0], [110.0, 90.0, 5.0, 5.0], [math.nan, 90.0, 6.0, 4.0]], 0.0)
def test_D1_lanes_are_the_step_of_each_series(rows: list[list[float]], mar: float) -> None:
    table = np.array(rows).T.copy()
    starts, curves = table[:, :1].copy(), np.ascontiguousarray(table)
    side, each = plain(records(RETURNS_STATE, LANES)), plain(records(RETURNS_STATE, LANES))
    with np.errstate(all="ignore"):
        abreast(curves, starts, mar, side)
        alone(curves, starts, plain(params_of(252.0, mar=mar)), each)
    for name in RETURNS_STATE.names or ():
        assert np.array_equal(side[name], each[name], equal_nan=True), name


@kernel_loop
def least(curves, starts, params, states, out):  # type: ignore[no-untyped-def]
    """All four in one pass, without what takes time of its own."""
    before, equity = lanes_at(starts, 0), lanes_at(curves, 0)
    anchor, now = simple_return(equity, before), performance_start(before)
    safe = drawdown_safe(now.drawdown)
    for t in range(curves.shape[1]):
        equity = lanes_at(curves, t)
        safe, now = performance_least(anchor, now, 0.0, (equity, simple_return(equity, before)), safe)
        before = equity
    now = performance_few(now)
    for k in range(states.shape[0]):
        states[k].initial = starts[k, 0]
        returns_store(states[k], performance_lane(now, k))
        returns_few(states[k], params[0], curves[k], curves.shape[1], out[k])


@kernel_loop
def read(states, params, out):  # type: ignore[no-untyped-def]
    """The metrics of each."""
    for k in range(states.shape[0]):
        returns_metrics(states[k], params[0], out[k])


NEAR = st.integers(2**50, 2**50 + 40).map(lambda n: n * 2.0**-50)
"""Prices that differ in their last digits, so that drawdowns and peaks nearly repeat, and returns are rounding."""
ROWS = st.lists(st.one_of(MONEY, NEAR, NEAR.map(lambda x: x / 3), NEAR.map(lambda x: x * 0.9)), min_size=LANES, max_size=LANES)
RATES = st.sampled_from([0.0, 0.01, -0.5, 3.0])
STEADY = st.builds(lambda rate, n: [[(1.0 + rate) ** t] * LANES for t in range(n)], RATES, st.integers(2, 16))


@given(st.one_of(st.lists(ROWS, min_size=1, max_size=16), STEADY))
@example([[100.0, 100.0, 0.0, -1.0], [110.0, 90.0, 5.0, 5.0], [math.nan, 90.0, 6.0, 4.0]])
@example([[1.0] * LANES, [0.4] * LANES, [-2.0] * LANES, [-1e300] * LANES, [3.0] * LANES])
@example([[1.0] * LANES, [1.01] * LANES, [1.01**2] * LANES, [1.01**3] * LANES])
def test_D1_M5_what_is_left_out_changes_nothing_of_the_rest(rows: list[list[float]]) -> None:
    """Drawdowns are divided only where they may be deeper than ever, and the largest return is looked for only where it matters."""
    table = np.array(rows).T.copy()
    starts, curves = table[:, :1].copy(), np.ascontiguousarray(table)
    side, each = plain(records(RETURNS_STATE, LANES)), plain(records(RETURNS_STATE, LANES))
    few, whole = plain(records(RETURNS_METRICS, LANES)), plain(records(RETURNS_METRICS, LANES))
    params = plain(params_of(252.0))
    with np.errstate(all="ignore"):
        least(curves, starts, params, side, few)
        alone(curves, starts, params, each)
        read(each, params, whole)
    for name in ("count", "anchor", "total", "squares_of", "initial", "equity", "bars", "peak", "deepest"):
        assert np.array_equal(side[name], each[name], equal_nan=True), name
    for name in ("total_return", "cagr", "volatility", "sharpe", "calmar", "max_drawdown"):
        assert np.array_equal(few[name], whole[name], equal_nan=True), name


@kernel_loop
def in_fours(curves, starts, out):  # type: ignore[no-untyped-def]
    """Deepest drawdown and peak of each curve: asked of four closes at once, of each, and by the step."""
    begun, start = drawdown_start(lanes_at(starts, 0)), 0
    fours, ones, steps = begun, begun, begun
    safe, left = drawdown_safe(begun), drawdown_safe(begun)
    while start + 4 <= curves.shape[1]:
        closes = lanes_at(curves, start), lanes_at(curves, start + 1), lanes_at(curves, start + 2), lanes_at(curves, start + 3)
        safe, fours = drawdown_peaks(fours, safe, closes)
        start += 4
    for t in range(start, curves.shape[1]):
        safe, fours = drawdown_peak(fours, safe, lanes_at(curves, t))
    for t in range(curves.shape[1]):
        left, ones = drawdown_peak(ones, left, lanes_at(curves, t))
        _, steps = drawdown_next(steps, lanes_at(curves, t))
    for k in range(out.shape[1]):
        four, one, step = drawdown_lane(fours, k), drawdown_lane(ones, k), drawdown_lane(steps, k)
        out[0, k, 0], out[0, k, 1], out[0, k, 2] = four.peak, four.deepest, four.bars
        out[1, k, 0], out[1, k, 1], out[1, k, 2] = one.peak, one.deepest, one.bars
        out[2, k, 0], out[2, k, 1], out[2, k, 2] = step.peak, step.deepest, step.bars


FLAT = st.lists(ROWS, min_size=1, max_size=8).flatmap(lambda rows: st.lists(st.sampled_from(rows), min_size=1, max_size=24))
"""Curves that come back to closes they had, most of all to their deepest."""


@given(FLAT, st.lists(st.one_of(MONEY, NEAR), min_size=LANES, max_size=LANES))
@example([[1.0, 0.5, 5e-324, 0.0]] * 5, [1.0] * LANES)
@example(
    [[0.9] * LANES, [0.9] * LANES, [3.0] * LANES, [2.7] * LANES, [2.7000000000000006] * LANES, [2.6999999999999997] * LANES], [1.0] * LANES
)
def test_D1_M2_drawdowns_are_those_of_the_step_however_many_closes_are_asked_at_once(rows: list[list[float]], begun: list[float]) -> None:
    curves = np.nan_to_num(np.array(rows).T.copy(), nan=1.0)  # four at once may not see a NaN
    starts, out = np.array(begun)[:, None].copy(), np.empty((3, LANES, 3))
    with np.errstate(all="ignore"):
        in_fours(curves, starts, out)
    assert np.array_equal(out[0], out[2], equal_nan=True)
    assert np.array_equal(out[1], out[2], equal_nan=True)


@kernel_loop
def operators(rows, out):  # type: ignore[no-untyped-def]
    """Each operator once, with lanes and numbers on either side."""
    a, b = lanes_at(rows, 0), lanes_at(rows, 1)
    answers = (
        a + b,
        a - b,
        a * b,
        a / b,
        2.0 - a,
        a * 3,
        choose(a > b, a, b),
        choose(a >= 1.0, 1.0, a),
        choose(a < b, 0.0, 1.0),
        choose(a != a, 7.0, b),
        size_of(a),
        choose(a == b, 5.0, a),
    )
    for k in range(out.shape[1]):
        for j in range(len(answers)):
            out[j, k] = lane_of(answers[j], k)


def test_each_lane_is_rounded_as_a_number_alone() -> None:
    a, b = np.array([0.1, 1.0, math.nan, -3.0]), np.array([0.3, 1.0, 2.0, 7.0])
    out = np.empty((12, LANES))
    operators(np.column_stack([a, b]).copy(), out)
    wanted = [a + b, a - b, a * b, a / b, 2.0 - a, a * 3, np.where(a > b, a, b), np.where(a >= 1.0, 1.0, a), np.where(a < b, 0.0, 1.0)]
    for j, want in enumerate([*wanted, np.where(a != a, 7.0, b), abs(a), np.where(a == b, 5.0, a)]):
        assert np.array_equal(out[j], want, equal_nan=True), j


@kernel_loop
def all_above(rows, floor, out):  # type: ignore[no-untyped-def]
    """Of lanes, and of a number alone."""
    out[0], out[1] = every(lanes_at(rows, 0) > floor), every(rows[0, 0] > floor)


def test_every_lane_has_to_meet_a_condition() -> None:
    out = np.zeros(2, dtype=np.bool_)
    all_of_them, all_but_one, first_unknown = [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 0.0], [math.nan, 2.0, 3.0, 4.0]
    for numbers, wanted in ((all_of_them, (True, True)), (all_but_one, (False, True)), (first_unknown, (False, False))):
        all_above(np.array(numbers)[:, None].copy(), 0.5, out)
        assert tuple(out) == wanted


@kernel_loop
def lanes_of_a_row(row, out):  # type: ignore[no-untyped-def]
    """All numbers but the first, as many at a time as there are lanes."""
    for t in range(1, row.shape[0] - LANES + 1):
        numbers = lanes_from(row, t)
        for k in range(LANES):
            out[t - 1, k] = lane_of(numbers, k)


def test_lanes_from_are_the_numbers_of_a_row_wherever_they_begin() -> None:
    row = np.arange(10.0) ** 2
    out = np.zeros((10 - LANES, LANES))
    lanes_of_a_row(row, out)
    assert out.tolist() == [row[t : t + LANES].tolist() for t in range(1, 11 - LANES)]


@kernel_loop
def lanes_into_a_row(number, row):  # type: ignore[no-untyped-def]
    """One number in all lanes, and beside them lanes of the row itself."""
    lanes_to(row, 1, lanes_of(number))
    lanes_to(row, 1 + LANES, lanes_from(row, 0))


def test_lanes_go_to_the_places_of_a_row_and_no_others() -> None:
    row = np.arange(11.0)
    lanes_into_a_row(-7.5, row)
    assert row.tolist() == [0.0, -7.5, -7.5, -7.5, -7.5, 0.0, -7.5, -7.5, -7.5, 9.0, 10.0]
