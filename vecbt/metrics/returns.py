"""Return metrics (M1, M2, M5, M6): one streaming step over equity, for statistics, sweeps and live sessions alike.

`returns_next` is the step on values that a loop keeps in registers; `returns_load` and `returns_store` take them from a record and back.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .._typing import ArrayN, ArrayTG, Records
from ..core import memory
from ..core.jit import kernel, kernel_loop, spine
from ..core.lanes import choose, lane_of, size_of
from ..core.state import records
from ..indicators.shape import readonly
from ..indicators.windows import chunk_length
from ._columns import as_columns, checked_initial, checked_periods
from .drawdowns import DRAWDOWN_FIELDS, Drawdown, drawdown_lane, drawdown_load, drawdown_next, drawdown_peak, drawdown_start, drawdown_store

__all__ = [
    "RETURNS_METRICS",
    "RETURNS_PARAMS",
    "RETURNS_STATE",
    "Moments",
    "Performance",
    "deviation",
    "flow_returns_of",
    "gain",
    "growth_rate",
    "moments_from",
    "moments_load",
    "moments_next",
    "moments_store",
    "performance_few",
    "performance_from",
    "performance_lane",
    "performance_least",
    "performance_next",
    "performance_start",
    "ratio",
    "return_metrics",
    "returns_few",
    "returns_init",
    "returns_load",
    "returns_metrics",
    "returns_next",
    "returns_of",
    "returns_params",
    "returns_read",
    "returns_run",
    "returns_states",
    "returns_step",
    "returns_store",
    "simple_return",
    "simple_returns",
    "simple_returns_of",
]

RETURNS_PARAMS = np.dtype([("periods_per_year", "f8"), ("rf", "f8"), ("mar", "f8")], align=True)

RETURNS_STATE = np.dtype(
    [
        ("count", "i8"),
        ("anchor", "f8"),  # the first r, from which the others are measured
        ("total", "f8"),  # sum of r - anchor
        ("squares_of", "f8"),  # sum of (r - anchor)^2
        ("downside", "f8"),  # sum of min(r - mar, 0)^2
        ("largest", "f8"),  # largest |r|
        ("initial", "f8"),
        ("equity", "f8"),  # last
        *DRAWDOWN_FIELDS,
    ],
    align=True,
)

RETURNS_METRICS = np.dtype(
    [
        (name, "f8")
        for name in (
            "total_return",
            "cagr",
            "volatility",
            "sharpe",
            "sortino",
            "calmar",
            "max_drawdown",
            "longest_drawdown_bars",
            "ulcer",
        )
    ],
    align=True,
)

_NAN = math.nan
_RELATIVE_ZERO = 1e-12  # M5: a deviation below this part of the largest |r| is rounding, not risk
_A_LITTLE_MORE = 1.0 + 1e-6  # than sums lose by rounding
_LARGEST_EXPONENT = 709.7  # exp of more does not fit a float64


@kernel
def simple_return(equity, previous):  # type: ignore[no-untyped-def]
    """`equity/previous - 1`; NaN where there was nothing left to earn on."""
    return gain(equity, choose(previous > 0.0, previous, _NAN))


@kernel
def gain(equity, previous):  # type: ignore[no-untyped-def]
    """`simple_return` where there is something to earn on."""
    return equity / previous - 1.0


class Moments(NamedTuple):
    """What returns leave behind: their number, sums of their distances from the first one, downside, and the largest |r|.

    The first return is one of them, so it is at most sqrt(n) deviations away from the mean: the sums lose no more than a factor n of the
    last digit, and a bar waits for one addition only. But for their number, all may be lanes.
    """

    terms: int
    anchor: float
    total: float
    squares: float
    downside: float
    largest: float


class Performance(NamedTuple):
    """What equity leaves behind: the last one, the moments of its returns, its drawdown."""

    equity: float
    moments: Moments
    drawdown: Drawdown


@kernel
def moments_load(state):  # type: ignore[no-untyped-def]
    """The moments in a record."""
    return Moments(state.count, state.anchor, state.total, state.squares_of, state.downside, state.largest)


@kernel
def moments_store(state, now):  # type: ignore[no-untyped-def]
    """The moments back into the record."""
    state.count = now.terms
    state.anchor = now.anchor
    state.total = now.total
    state.squares_of = now.squares
    state.downside = now.downside
    state.largest = now.largest


@kernel
def moments_next(past, mar, value):  # type: ignore[no-untyped-def]
    """One return, or one each in lanes. A NaN makes mean and spread NaN for good."""
    return moments_from(past.anchor if past.terms > 0 else value, past, mar, value)


@kernel
def moments_from(anchor, past, mar, value):  # type: ignore[no-untyped-def]
    """The same where the first return is known."""
    distance, below, far = value - anchor, value - mar, size_of(value)
    shortfall = choose(below < 0.0, below, 0.0)
    return Moments(
        past.terms + 1,
        anchor,
        past.total + distance,
        past.squares + distance * distance,
        past.downside + shortfall * shortfall,
        choose(far > past.largest, far, past.largest),
    )


@kernel
def performance_start(initial):  # type: ignore[no-untyped-def]
    """Before the first bar; `initial` is what the first return is measured against (M1), and the first peak."""
    zero = choose(initial > 0.0, 0.0, 0.0)
    return Performance(initial, Moments(0, zero, zero, zero, zero, zero), drawdown_start(initial))


@kernel
def performance_lane(now, k):  # type: ignore[no-untyped-def]
    """One of the series that run in lanes."""
    moments = Moments(
        now.moments.terms,
        lane_of(now.moments.anchor, k),
        lane_of(now.moments.total, k),
        lane_of(now.moments.squares, k),
        lane_of(now.moments.downside, k),
        lane_of(now.moments.largest, k),
    )
    return Performance(lane_of(now.equity, k), moments, drawdown_lane(now.drawdown, k))


@spine
def performance_few(now):  # type: ignore[no-untyped-def]
    """The same, but what only the Sortino ratio, the ulcer index and the longest drawdown are made of is NaN, counts 0.

    So is the largest |r|: `returns_few` looks for it where it matters.
    """
    zero = choose(now.equity > 0.0, 0.0, 0.0)
    nan = zero + _NAN
    moments = Moments(now.moments.terms, now.moments.anchor, now.moments.total, now.moments.squares, nan, nan)
    drawdown = Drawdown(now.drawdown.bars, now.drawdown.peak, now.drawdown.deepest, nan, zero, zero)
    return Performance(now.equity, moments, drawdown)


@kernel
def returns_load(state):  # type: ignore[no-untyped-def]
    """What a record of RETURNS_STATE holds."""
    return Performance(state.equity, moments_load(state), drawdown_load(state))


@kernel
def returns_store(state, now):  # type: ignore[no-untyped-def]
    """All of it back into the record."""
    state.equity = now.equity
    moments_store(state, now.moments)
    drawdown_store(state, now.drawdown)


@kernel
def returns_init(state, initial):  # type: ignore[no-untyped-def]
    """Start at `initial`, against which the first return is measured (M1)."""
    state.initial = initial
    returns_store(state, performance_start(initial))


@kernel
def performance_next(past, mar, equity, value):  # type: ignore[no-untyped-def]
    """One bar: takes the equity at its close and the simple return that led there."""
    _, drawdown = drawdown_next(past.drawdown, equity)
    return Performance(equity, moments_next(past.moments, mar, value), drawdown)


@kernel
def performance_from(anchor, past, mar, equity, value):  # type: ignore[no-untyped-def]
    """The same where the first return is known: a loop over it does not ask whether this is the first bar."""
    _, drawdown = drawdown_next(past.drawdown, equity)
    return Performance(equity, moments_from(anchor, past.moments, mar, value), drawdown)


@spine
def performance_least(anchor, past, mar, now, safe):  # type: ignore[no-untyped-def]
    """The same of a return `value` to `equity`, without what `performance_few` leaves out; `safe` is that of `drawdown_peak`."""
    equity, value = now
    safe, drawdown = drawdown_peak(past.drawdown, safe, equity)
    return safe, Performance(equity, moments_from(anchor, past.moments, mar, value), drawdown)


@kernel
def returns_next(past, mar, equity):  # type: ignore[no-untyped-def]
    """One bar: takes the equity at its close, returns the simple return and what comes after."""
    value = simple_return(equity, past.equity)
    return value, performance_next(past, mar, equity, value)


@kernel
def returns_step(state, params, equity):  # type: ignore[no-untyped-def]
    """`returns_next` on a record; returns the simple return."""
    value, now = returns_next(returns_load(state), params.mar, equity)
    returns_store(state, now)
    return value


@kernel
def deviation(squares, terms, largest):  # type: ignore[no-untyped-def]
    """Root of `squares/terms`; 0 where it is rounding only (M5), NaN without terms."""
    if terms <= 0:
        return _NAN
    if squares <= 0.0:
        return 0.0
    value = math.sqrt(squares / terms)
    if value < _RELATIVE_ZERO * largest:
        return 0.0
    return value


@kernel
def ratio(numerator, denominator):  # type: ignore[no-untyped-def]
    """`numerator/denominator`, NaN where the denominator is not positive (M5)."""
    if denominator > 0.0:
        return numerator / denominator
    return _NAN


@kernel
def growth_rate(growth, years):  # type: ignore[no-untyped-def]
    """`growth**(1/years) - 1`: the yearly rate; NaN for growth <= 0, no time, or a rate beyond any float."""
    if not (growth > 0.0 and years > 0.0):
        return _NAN
    if math.log(growth) / years > _LARGEST_EXPONENT:
        return _NAN
    return math.pow(growth, 1.0 / years) - 1.0


@kernel
def returns_metrics(state, params, out):  # type: ignore[no-untyped-def]
    """Read the metrics off a state into the record `out`."""
    offset = ratio(state.total, float(state.count))
    average = state.anchor + offset
    spread = deviation(state.squares_of - state.total * offset, state.count - 1, state.largest)
    downside = deviation(state.downside, state.count, state.largest)
    annual = math.sqrt(params.periods_per_year)
    growth = ratio(state.equity, state.initial)
    out.volatility = spread * annual
    out.sharpe = ratio(average - params.rf, spread) * annual
    out.sortino = ratio(average - params.mar, downside) * annual
    out.total_return = _NAN
    out.cagr = _NAN
    out.max_drawdown = _NAN
    out.longest_drawdown_bars = _NAN
    out.ulcer = _NAN
    if state.bars > 0 and state.deepest == state.deepest:
        out.total_return = growth - 1.0
        out.cagr = growth_rate(growth, state.bars / params.periods_per_year)
        out.max_drawdown = state.deepest
        out.longest_drawdown_bars = float(state.longest)
        out.ulcer = math.sqrt(state.squares / state.bars)
    out.calmar = ratio(out.cagr, out.max_drawdown)


@kernel
def returns_few(state, params, curve, bars, out):  # type: ignore[no-untyped-def]
    """Read what `performance_few` leaves of a curve's first bars into the record `out`, the longest drawdown NaN.

    No |r| is larger than the first one and the root of all squared distances from it. A deviation that is more than rounding beside that
    is more than rounding beside the largest |r| (M5); only where it is not, the largest is looked for.
    """
    state.largest = (abs(state.anchor) + math.sqrt(state.squares_of)) * _A_LITTLE_MORE
    returns_metrics(state, params, out)
    if out.volatility == 0.0 and state.squares_of > 0.0:
        state.largest = _largest(curve, state.initial, bars)
        returns_metrics(state, params, out)
    out.longest_drawdown_bars = _NAN


@kernel
def _largest(curve, initial, bars):  # type: ignore[no-untyped-def]
    """The largest |r|, as `moments_from` finds it."""
    before, largest = initial, 0.0
    for t in range(bars):
        far = size_of(simple_return(curve[t], before))
        largest, before = choose(far > largest, far, largest), curve[t]
    return largest


@kernel_loop
def returns_run(states, params, equity, returns):  # type: ignore[no-untyped-def]
    """All bars of all columns; `equity` and its simple returns are `(T, C)`, `states` `(C,)`, `params` one record in an array."""
    bars, length, mar = equity.shape[0], chunk_length(equity.shape[1]), params[0].mar
    for start in range(0, bars, length):
        for column in range(equity.shape[1]):
            now = returns_load(states[column])
            for t in range(start, min(start + length, bars)):
                now = performance_next(now, mar, equity[t, column], returns[t, column])
            returns_store(states[column], now)


@kernel_loop
def returns_read(states, params, out):  # type: ignore[no-untyped-def]
    """Metrics of all columns."""
    for column in range(states.shape[0]):
        returns_metrics(states[column], params[0], out[column])


@kernel_loop
def _returns_fill(equity, initial, out):  # type: ignore[no-untyped-def]
    columns = initial.shape[0]
    for i in range(min(columns, equity.shape[0])):
        out[i] = simple_return(equity[i], initial[i])
    for i in range(columns, equity.shape[0]):
        out[i] = simple_return(equity[i], equity[i - columns])


@kernel_loop
def _flow_returns_fill(equity, paid, initial, out, curve):  # type: ignore[no-untyped-def]
    for column in range(equity.shape[1]):
        last, level = initial[column], initial[column]
        for t in range(equity.shape[0]):
            base = last + paid[t, column]
            value = simple_return(equity[t, column], base)
            if base == 0.0 and equity[t, column] == 0.0 and level > 0.0:
                value = 0.0  # all was withdrawn: nothing to earn on, and nothing lost
            last = equity[t, column]
            level *= 1.0 + value
            out[t, column] = value
            curve[t, column] = level


def returns_params(periods_per_year: float, rf: float = 0.0, mar: float = 0.0) -> Records:
    """One record of parameters in an array; `rf` and `mar` are per bar."""
    params = records(RETURNS_PARAMS, 1)
    params[0] = (checked_periods(periods_per_year), float(rf), float(mar))
    return params


def simple_returns(equity: Any, initial: Any) -> ArrayTG:
    """Simple return of each bar, the first against `initial`.

    Parameters
    ----------
    equity : array_like, shape (T,) or (T, C)
        Money at the close of each bar.
    initial : float or array_like of shape (C,)
        Money before the first bar, positive.

    Returns
    -------
    numpy.ndarray, same shape as `equity`
        Fractions. NaN where equity or the equity before it is NaN, and where the equity before it is not positive.

    Notes
    -----
    Rule M1 of the semantics.
    """
    matrix, _ = as_columns(equity, "equity")
    out = simple_returns_of(matrix, checked_initial(initial, matrix.shape[1]))
    return out if np.ndim(equity) == 2 else out[:, 0]


def simple_returns_of(equity: ArrayTG, initial: ArrayN) -> ArrayTG:
    """Simple returns `(T, G)` of equity `(T, G)` from `initial` `(G,)`; arrays that passed the gate."""
    out = memory.empty(equity.shape)
    _returns_fill(readonly(np.ascontiguousarray(equity)).reshape(-1), readonly(initial), out.reshape(-1))
    return out


def flow_returns_of(equity: ArrayTG, paid: ArrayTG, initial: ArrayN) -> tuple[ArrayTG, ArrayTG]:
    """Returns with deposits and withdrawals `paid` before each close, `equity[t]/(equity[t-1] + paid[t]) - 1`, and their product.

    All `(T, G)`; the second is `initial*prod(1 + r)`, the curve that metrics read in place of equity (M1). Arrays that passed the gate.
    """
    out, curve = memory.empty(equity.shape), memory.empty(equity.shape)
    given = [readonly(np.ascontiguousarray(array)) for array in (equity, paid, initial)]
    _flow_returns_fill(given[0], given[1], given[2], out, curve)
    return out, curve


def return_metrics(equity: Any, initial: Any, *, periods_per_year: float, rf: float = 0.0, mar: float = 0.0) -> dict[str, Any]:
    """All return metrics of an equity curve in one pass.

    Parameters
    ----------
    equity : array_like, shape (T,) or (T, C)
        Money at the close of each bar.
    initial : float or array_like of shape (C,)
        Money before the first bar, positive: the base of the first return and the first peak.
    periods_per_year : float
        Bars a year, `P`.
    rf, mar : float
        Riskless and minimum acceptable return *per bar*, fractions.

    Returns
    -------
    dict
        By name, a float or an array `(C,)`: `total_return`, `cagr`, `volatility` (annualized), `sharpe`, `sortino`, `calmar`,
        `max_drawdown`, `longest_drawdown_bars` (bars), `ulcer`; all others are fractions or ratios.
        Undefined is NaN: see each function of this package. A NaN in equity makes every metric of its column NaN.

    Notes
    -----
    Rules M1, M2, M5, M6 of the semantics. Means and spreads from sums of distances from the first return: Chan, Golub and LeVeque,
    *The American Statistician* 37 (1983) 242–247.
    """
    matrix, back = as_columns(equity, "equity")
    out = returns_of(matrix, checked_initial(initial, matrix.shape[1]), returns_params(periods_per_year, rf, mar))
    return {name: back(out[name]) for name in RETURNS_METRICS.names or ()}


def returns_of(equity: ArrayTG, initial: ArrayN, params: Records, returns: ArrayTG | None = None) -> Records:
    """Metrics of equity `(T, G)` by account, `(G,)` records of `RETURNS_METRICS`; arrays that passed the gate.

    `returns` are its simple returns, where they are known.
    """
    states, out = returns_states(equity, initial, params, returns), records(RETURNS_METRICS, equity.shape[1])
    returns_read(states, params, out)
    return out


def returns_states(equity: ArrayTG, initial: ArrayN, params: Records, returns: ArrayTG | None = None) -> Records:
    """What equity `(T, G)` leaves behind by account, `(G,)` records of `RETURNS_STATE`; see `returns_of`."""
    values = simple_returns_of(equity, initial) if returns is None else returns
    states = records(RETURNS_STATE, equity.shape[1])
    for account in range(equity.shape[1]):
        returns_init(states[account], initial[account])
    returns_run(states, params, readonly(np.ascontiguousarray(equity)), readonly(values))
    return states
