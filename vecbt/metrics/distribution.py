"""How returns are distributed (M3, M5): skew, kurtosis, omega, downside deviation, extremes, and risk measures that follow from moments.

Two passes over a column: the first is that of the return metrics, which finds the mean; the second adds up distances from it, in four parts
of the column side by side.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from .._typing import ArrayN, Records
from ..core.jit import borrowed, kernel, kernel_loop
from ..core.lanes import LANES, choose, lane_of, lanes_at
from ..core.state import records
from ._columns import checked_share
from .returns import RETURNS_STATE, deviation, ratio

__all__ = [
    "DISTRIBUTION_METRICS",
    "DISTRIBUTION_STATE",
    "Spread",
    "distribution_metrics",
    "distribution_of",
    "distribution_run",
    "expansion_tail",
    "normal_tail",
    "spread_next",
    "spread_start",
]

DISTRIBUTION_STATE = np.dtype(
    [
        ("second", "f8"),  # sum of (r - mean)^2
        ("third", "f8"),
        ("fourth", "f8"),
        ("gains", "f8"),  # sum of r - mar above mar
        ("losses", "f8"),  # sum of mar - r below it
        ("positive", "f8"),  # bars with r > 0
        ("best", "f8"),
        ("worst", "f8"),
    ],
    align=True,
)

DISTRIBUTION_METRICS = np.dtype(
    [
        (name, "f8")
        for name in ("average", "deviation", "downside_deviation", "omega", "skew", "kurtosis", "positive_bars", "best_bar", "worst_bar")
    ],
    align=True,
)

_NAN = math.nan
_RELATIVE_ZERO = 1e-12  # M5


class Spread(NamedTuple):
    """Sums of one column, or of four parts of it in lanes; see `DISTRIBUTION_STATE`."""

    second: float
    third: float
    fourth: float
    gains: float
    losses: float
    positive: float
    best: float
    worst: float


@kernel
def spread_start(value):  # type: ignore[no-untyped-def]
    """Nothing yet; `value` is a return, or lanes of them, that says which."""
    zero = choose(value > 0.0, 0.0, 0.0)
    return Spread(zero, zero, zero, zero, zero, zero, zero - math.inf, zero + math.inf)


@kernel
def spread_next(past, average, mar, value):  # type: ignore[no-untyped-def]
    """One return, or one each in lanes. A NaN makes the sums of powers NaN for good."""
    far, over = value - average, value - mar
    square = far * far
    return Spread(
        past.second + square,
        past.third + square * far,
        past.fourth + square * square,
        past.gains + choose(over > 0.0, over, 0.0),
        past.losses + choose(over < 0.0, 0.0 - over, 0.0),
        past.positive + choose(value > 0.0, 1.0, 0.0),
        choose(value > past.best, value, past.best),
        choose(value < past.worst, value, past.worst),
    )


@kernel
def _joined(a, b):  # type: ignore[no-untyped-def]
    return Spread(
        a.second + b.second,
        a.third + b.third,
        a.fourth + b.fourth,
        a.gains + b.gains,
        a.losses + b.losses,
        a.positive + b.positive,
        max(a.best, b.best),
        min(a.worst, b.worst),
    )


@kernel
def _lane(now, k):  # type: ignore[no-untyped-def]
    return Spread(
        lane_of(now.second, k),
        lane_of(now.third, k),
        lane_of(now.fourth, k),
        lane_of(now.gains, k),
        lane_of(now.losses, k),
        lane_of(now.positive, k),
        lane_of(now.best, k),
        lane_of(now.worst, k),
    )


@kernel
def _whole(values, average, mar):  # type: ignore[no-untyped-def]
    """All returns of a column that lies in one piece: four parts of equal length side by side, what is left after them."""
    part = values.shape[0] // LANES
    found = spread_start(0.0)
    if part > 0:
        rows = borrowed(values[: LANES * part].reshape((LANES, part)))
        now = spread_start(lanes_at(rows, 0))
        for t in range(part):
            now = spread_next(now, average, mar, lanes_at(rows, t))
        found = _joined(_joined(_lane(now, 0), _lane(now, 1)), _joined(_lane(now, 2), _lane(now, 3)))
    for t in range(LANES * part, values.shape[0]):
        found = spread_next(found, average, mar, values[t])
    return found


@kernel_loop
def distribution_run(of_returns, mar, rows, states):  # type: ignore[no-untyped-def]
    """Several columns, each a row `(T,)` of `rows`; `of_returns` are their records of RETURNS_STATE after all bars."""
    for column in range(rows.shape[0]):
        known = of_returns[column]
        average = known.anchor + ratio(known.total, float(known.count))
        found, state = _whole(rows[column], average, mar), states[column]
        state.second = found.second
        state.third = found.third
        state.fourth = found.fourth
        state.gains = found.gains
        state.losses = found.losses
        state.positive = found.positive
        state.best = found.best
        state.worst = found.worst


@kernel
def _read(state, known, annual, out):  # type: ignore[no-untyped-def]
    n = float(known.count)
    out.average = known.anchor + ratio(known.total, n)
    out.deviation = deviation(state.second, known.count - 1, known.largest)
    out.downside_deviation = _NAN
    out.omega = _NAN
    out.skew = _NAN
    out.kurtosis = _NAN
    out.positive_bars = _NAN
    out.best_bar = _NAN
    out.worst_bar = _NAN
    if known.count > 0 and state.second == state.second:
        out.downside_deviation = deviation(known.downside, known.count, known.largest) * annual
        out.positive_bars = state.positive / n
        out.best_bar = state.best
        out.worst_bar = state.worst
        if state.losses / n > _RELATIVE_ZERO * known.largest:
            out.omega = state.gains / state.losses
        if out.deviation > 0.0:
            spread = state.second / n
            if n > 2.0:
                out.skew = state.third / n / (spread * math.sqrt(spread)) * math.sqrt(n * (n - 1.0)) / (n - 2.0)
            if n > 3.0:
                excess = state.fourth / n / (spread * spread) - 3.0
                out.kurtosis = (n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * excess + 6.0)


@kernel_loop
def distribution_metrics(states, of_returns, params, out):  # type: ignore[no-untyped-def]
    """Read the metrics off the states of all columns; `params` is one record of RETURNS_PARAMS in an array."""
    for column in range(states.shape[0]):
        _read(states[column], of_returns[column], math.sqrt(params[0].periods_per_year), out[column])


def distribution_of(rows: Any, of_returns: Records, params: Records) -> Records:
    """Metrics of columns that lie in one piece each, `(C, T)`, by column: `(C,)` records of `DISTRIBUTION_METRICS`.

    `of_returns` are their records of `RETURNS_STATE` after all bars. `average` and `deviation` are per bar, `downside_deviation` is
    annualized, `positive_bars` is the share of bars with a return above zero, `best_bar` and `worst_bar` are returns.
    """
    assert of_returns.dtype == RETURNS_STATE
    states, out = records(DISTRIBUTION_STATE, len(rows)), records(DISTRIBUTION_METRICS, len(rows))
    distribution_run(of_returns, float(params[0]["mar"]), rows, states)
    distribution_metrics(states, of_returns, params, out)
    return out


def normal_tail(found: Records, alpha: float) -> tuple[ArrayN, ArrayN]:
    """Value at risk and expected shortfall of a normal distribution with the mean and deviation of the returns, `(C,)` each.

    `-(mean + z*s)` and `-(mean - s*phi(z)/alpha)`, z the normal alpha-quantile: J.P. Morgan, *RiskMetrics Technical Document* (1996).
    """
    normal = NormalDist()
    z = normal.inv_cdf(checked_share(alpha, "alpha"))
    average, spread = found["average"], found["deviation"]
    return 0.0 - (average + z * spread), 0.0 - (average - spread * (normal.pdf(z) / alpha))


def expansion_tail(found: Records, alpha: float) -> tuple[ArrayN, ArrayN]:
    """The same after Cornish and Fisher, whose expansion bends the normal quantile by skew and kurtosis; NaN where one is NaN.

    With z the normal alpha-quantile, S the skew and K the excess kurtosis the quantile is
    `z + (z^2 - 1)*S/6 + (z^3 - 3*z)*K/24 - (2*z^3 - 5*z)*S^2/36` deviations from the mean, and the shortfall the mean of it below alpha:
    `phi(z)/alpha*(1 + z*S/6 + (z^2 - 1)*K/24 - (2*z^2 - 1)*S^2/36)` deviations below the mean.
    """
    normal = NormalDist()
    z = normal.inv_cdf(checked_share(alpha, "alpha"))
    skew, excess, height = found["skew"], found["kurtosis"], normal.pdf(z) / alpha
    bent = z + (z * z - 1.0) * skew / 6.0 + (z**3 - 3.0 * z) * excess / 24.0 - (2.0 * z**3 - 5.0 * z) * skew**2 / 36.0
    beyond = height * (1.0 + z * skew / 6.0 + (z * z - 1.0) * excess / 24.0 - (2.0 * z * z - 1.0) * skew**2 / 36.0)
    average, spread = found["average"], found["deviation"]
    return 0.0 - (average + bent * spread), 0.0 - (average - beyond * spread)
