"""Value at risk and the mean loss beyond it, of the returns in a buffer (M3)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._typing import ArrayN, ArrayTG, Records
from ..core import memory
from ..core.jit import kernel, kernel_loop
from ..core.state import records
from ..errors import ConfigError, nearest
from ..indicators.shape import readonly
from ._columns import as_columns, checked_share

__all__ = [
    "METHODS",
    "TAIL_METRICS",
    "TAIL_PARAMS",
    "TAIL_STATE",
    "cvar",
    "tail_init",
    "tail_metrics",
    "tail_of",
    "tail_params",
    "tail_ratio_of",
    "tail_run",
    "tail_step",
    "var",
]

TAIL_PARAMS = np.dtype([("alpha", "f8"), ("window", "i8")], align=True)
TAIL_STATE = np.dtype([("count", "i8"), ("position", "i8")], align=True)  # and one buffer row of `window` returns
TAIL_METRICS = np.dtype([("value_at_risk", "f8"), ("shortfall", "f8")], align=True)

METHODS = ("historical", "parametric", "cornish_fisher")
"""How `var` and `cvar` may be found."""

_NAN = math.nan
_LONG = 600  # ranges up to here are searched without a sample
_MANY = 2_000  # from so many values on, a sample says which are worth keeping: every _STEP-th, or about _SAMPLE of very many
_STEP, _SAMPLE = 20, 1_000
_TOGETHER = 64  # columns turned into rows at a time
_SNAP = 1e-9  # a rank this close to a whole number is that number: 0.05*60 may not miss 3


@kernel
def tail_init(state):  # type: ignore[no-untyped-def]
    """An empty buffer."""
    state.count = 0
    state.position = 0


@kernel
def tail_step(state, params, buffer, value):  # type: ignore[no-untyped-def]
    """One return into the buffer, over the oldest once `window` are held."""
    buffer[state.position] = value
    state.position += 1
    if state.position == params.window:
        state.position = 0
    if state.count < params.window:
        state.count += 1


@kernel
def _partition(values, low, high, pivot):  # type: ignore[no-untyped-def]
    """Reorder `values[low:high + 1]`: nothing is above the pivot up to the first place returned, nothing below it from the second on."""
    i, j = low, high
    while i <= j:
        while values[i] < pivot:
            i += 1
        while values[j] > pivot:
            j -= 1
        if i <= j:
            swap = values[i]
            values[i] = values[j]
            values[j] = swap
            i += 1
            j -= 1
    return j, i


@kernel
def _select_range(values, low, high, rank):  # type: ignore[no-untyped-def]
    """Bring the element of `rank` among `values[low:high + 1]` to its place (Hoare 1961)."""
    while low < high:
        first, middle, last = values[low], values[(low + high) // 2], values[high]
        pivot = max(min(first, middle), min(max(first, middle), last))
        below, above = _partition(values, low, high, pivot)
        if rank <= below:
            high = below
        elif rank >= above:
            low = above
        else:
            return


@kernel
def _select(values, count, rank):  # type: ignore[no-untyped-def]
    """Reorder so that `values[rank]` is the element of that rank, nothing smaller follows and nothing larger precedes.

    In a long row a sample around the rank gives the pivot, so that one pass settles nearly everything and its comparisons are
    nearly always the same way (Floyd and Rivest, *CACM* 18 (1975) 173, algorithm 489).
    """
    low, high = 0, count - 1
    while high - low > _LONG:
        terms = float(high - low + 1)
        place = rank - low + 1.0
        sample = 0.5 * math.exp(2.0 * math.log(terms) / 3.0)
        spread = 0.5 * math.sqrt(math.log(terms) * sample * (terms - sample) / terms)
        if place < 0.5 * terms:
            spread = -spread
        first = max(low, int(rank - place * sample / terms + spread))
        last = min(high, int(rank + (terms - place) * sample / terms + spread))
        _select_range(values, min(first, rank), max(last, rank), rank)
        below, above = _partition(values, low, high, values[rank])
        if rank <= below:
            high = below
        elif rank >= above:
            low = above
        else:
            return
    _select_range(values, low, high, rank)


@kernel
def _keep(values, count, limit, scratch):  # type: ignore[no-untyped-def]
    """Copy the values up to the limit, in their order; how many they are, or -1 where a value is NaN."""
    kept, unknown = 0, 0
    for k in range(count):
        value = values[k]
        scratch[kept] = value  # no branch: in random order it would be guessed wrong too often
        kept += 1 if value <= limit else 0
        unknown += 1 if value != value else 0
    return -1 if unknown > 0 else kept


@kernel
def _limit(values, count, rank, scratch):  # type: ignore[no-untyped-def]
    """A value that hardly more than `rank` of many values are below: found in a sample, four deviations above its share."""
    step = max(_STEP, count // _SAMPLE)
    sample = count // step
    for k in range(sample):
        scratch[k] = values[k * step]
    share = (rank + 1.0) / count
    place = int(share * sample + 4.0 * math.sqrt(sample * share * (1.0 - share)) + 2.0)
    if place >= sample:
        return math.inf
    _select(scratch, sample, place)
    return scratch[place]


@kernel
def _gather(values, count, rank, scratch):  # type: ignore[no-untyped-def]
    """Bring all values into `scratch` that may be among the `rank + 1` smallest; how many they are, or -1 where a value is NaN."""
    if count >= _MANY:
        kept = _keep(values, count, _limit(values, count, rank, scratch), scratch)
        if kept < 0 or kept > rank:
            return kept
    return _keep(values, count, math.inf, scratch)  # few, or an order that deceived the sample


@kernel
def _tail(values, count, alpha, scratch):  # type: ignore[no-untyped-def]
    """The alpha-quantile by linear interpolation between ranks, and the mean of the values at or below it; NaN where a value is."""
    rank = alpha * (count - 1)
    nearest = math.floor(rank + 0.5)
    if abs(rank - nearest) < _SNAP:
        rank = float(nearest)
    below = int(math.floor(rank))
    part = rank - below
    last = below if part == 0.0 else below + 1
    kept = _gather(values, count, last, scratch)
    if kept < 0:
        return _NAN, _NAN
    _select(scratch, kept, last)
    lower, total = -math.inf, 0.0
    for k in range(below + 1):
        lower = max(lower, scratch[k])
        total += scratch[k]
    quantile = lower if part == 0.0 else lower + (scratch[last] - lower) * part
    terms = below + 1
    for k in range(below + 1, kept):  # equal ones
        if scratch[k] <= quantile:
            total += scratch[k]
            terms += 1
    return quantile, total / terms


@kernel
def tail_metrics(state, params, buffer, scratch, out):  # type: ignore[no-untyped-def]
    """Read var and cvar off the buffer; `scratch` is a row of the same length. NaN when empty or a return is NaN."""
    out.value_at_risk = _NAN
    out.shortfall = _NAN
    if state.count > 0:
        quantile, mean = _tail(buffer, state.count, params.alpha, scratch)
        out.value_at_risk = 0.0 - quantile  # not -quantile: zero stays without a sign
        out.shortfall = 0.0 - mean


@kernel_loop
def tail_run(states, params, rows, scratch, out):  # type: ignore[no-untyped-def]
    """Several columns, each a row `(T,)` of `rows`, as if every return had gone through `tail_step`; `scratch` is `(T,)`."""
    for column in range(rows.shape[0]):
        states[column].count = rows.shape[1]
        tail_metrics(states[column], params[0], rows[column], scratch, out[column])


def tail_params(alpha: float, window: int) -> Records:
    """One record of parameters in an array."""
    params = records(TAIL_PARAMS, 1)
    params[0] = (checked_share(alpha, "alpha"), window)
    return params


def tail_of(returns: ArrayTG, alpha: float) -> Records:
    """Metrics of returns `(T, G)` by column, `(G,)` records of `TAIL_METRICS`; an array that passed the gate."""
    rows, columns = returns.shape
    states, out = records(TAIL_STATE, columns), records(TAIL_METRICS, columns)
    params, scratch = tail_params(alpha, max(rows, 1)), memory.empty((rows,))
    for first in range(0, columns, _TOGETHER):
        part = slice(first, first + _TOGETHER)
        tail_run(states[part], params, readonly(np.ascontiguousarray(returns[:, part].T)), scratch, out[part])
    return out


def tail_ratio_of(lower: Records, upper: Records) -> ArrayN:
    """Size of the upper quantile over that of the lower one, `(C,)`: `upper` is the tail of the returns with their signs turned.

    NaN where the lower one is 0, or either is unknown.
    """
    loss, gain = np.abs(lower["value_at_risk"]), np.abs(upper["value_at_risk"])
    share: ArrayN = np.divide(gain, loss, out=np.full(loss.shape, _NAN), where=loss > 0.0)
    return share


def _of_returns(returns: Any, alpha: float, method: str, name: str) -> Any:
    if method == "historical":
        matrix, back = as_columns(returns, "returns")
        return back(tail_of(matrix, alpha)[name])
    if method not in METHODS:
        raise ConfigError(f"method is {method!r}; {nearest(str(method), METHODS)}")
    from .measure import measure

    named = f"{method}_{'var' if name == 'value_at_risk' else 'cvar'}"
    return measure(returns, (named,), periods_per_year=1.0, alpha=alpha)[named]


def var(returns: Any, *, alpha: float = 0.05, method: str = "historical") -> Any:
    """Value at risk: minus the `alpha`-quantile of returns, which is that of the returns themselves, linearly interpolated, or of a model.

    Parameters
    ----------
    returns : array_like, shape (T,) or (T, C)
        Simple returns per bar, fractions.
    alpha : float
        Share of the worst bars, between 0 and 1.
    method : str
        "historical"; "parametric": a normal distribution with their mean and deviation; "cornish_fisher": its quantile bent by their
        skew and kurtosis, which is good near the normal only. See `measure` for both.

    Returns
    -------
    float or array of shape (C,)
        A loss per bar as a fraction, positive when the quantile is a loss. NaN without rows or with a NaN in the column; by a model also
        where there are too few rows for its moments (2, or 4).

    Notes
    -----
    Rule M3 of the semantics; the quantile is definition 7 of Hyndman and Fan, *The American Statistician* 50 (1996) 361–365.
    """
    return _of_returns(returns, alpha, method, "value_at_risk")


def cvar(returns: Any, *, alpha: float = 0.05, method: str = "historical") -> Any:
    """Expected shortfall: minus the mean of the returns at or below the `alpha`-quantile, or of what a model has there.

    Parameters
    ----------
    returns : array_like, shape (T,) or (T, C)
        Simple returns per bar, fractions.
    alpha : float
        Share of the worst bars, between 0 and 1.
    method : str
        As in `var`.

    Returns
    -------
    float or array of shape (C,)
        A loss per bar as a fraction, never below the historical or normal `var`. NaN as in `var`.

    Notes
    -----
    Rule M3 of the semantics.
    """
    return _of_returns(returns, alpha, method, "shortfall")
