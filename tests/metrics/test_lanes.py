"""Four series measured side by side (`core.lanes`) against each alone: the same bits (D1, M1 to M6)."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from vecbt.core.jit import kernel_loop
from vecbt.core.lanes import LANES, choose, lane_of, lanes_at, lanes_from, lanes_of, lanes_to
from vecbt.core.state import plain, records
from vecbt.metrics.returns import (
    RETURNS_STATE,
    performance_from,
    performance_lane,
    performance_start,
    returns_init,
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
    )
    for k in range(out.shape[1]):
        for j in range(len(answers)):
            out[j, k] = lane_of(answers[j], k)


def test_each_lane_is_rounded_as_a_number_alone() -> None:
    a, b = np.array([0.1, 1.0, math.nan, -3.0]), np.array([0.3, 1.0, 2.0, 7.0])
    out = np.empty((10, LANES))
    operators(np.column_stack([a, b]).copy(), out)
    wanted = [a + b, a - b, a * b, a / b, 2.0 - a, a * 3, np.where(a > b, a, b), np.where(a >= 1.0, 1.0, a), np.where(a < b, 0.0, 1.0)]
    for j, want in enumerate([*wanted, np.where(a != a, 7.0, b)]):
        assert np.array_equal(out[j], want, equal_nan=True), j


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
