"""Weights of members from their own accounts: trailing results up to each bar, floored at zero, shrunk to where they began.

The score of a member is taken over the last `window` bar returns of its own account inside the run (`signals.accounts`), so it is what the
member earned out of sample, after costs, and nothing of it comes from a later bar. With n returns in the window,

    weight = (1 - s) * score/sum of scores + s * start,    s = shrink/(shrink + n),

scores below zero counting as zero; `start` is equal for all members in force, or as the ensemble's own weights say (equal again where
none of them has one). Where no score is above zero, and before `min_history` returns, weights are `start`. A score that does not exist
(an account that did not move) counts as zero. Shrinkage of this form is that of a mean with `shrink` prior observations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Records
from ..core.jit import kernel, kernel_loop
from ..core.state import plain, records
from ..data.market import Market
from ..engine.setup import Setup
from ..errors import ConfigError, nearest
from ..metrics.returns import simple_return
from .accounts import account_setup

__all__ = ["METRICS", "DynamicWeights", "Trail", "score_of", "shrunk", "trail_step", "weights_run"]

METRICS = ("sharpe_ratio", "win_rate", "profit_factor")
MOST_FACTOR = 10.0
"""A profit factor above it, or without a loss, counts as this."""

TRAIL = np.dtype([("previous", "f8"), ("head", "i8"), ("count", "i8"), ("active", "i8")], align=True)
PARAMS = np.dtype(
    [("window", "i8"), ("metric", "i8"), ("least", "i8"), ("shrink", "f8"), ("drop", "f8"), ("readmit", "f8"), ("root", "f8")], align=True
)


@dataclass(frozen=True)
class DynamicWeights:
    """Parameters of weights from trailing results.

    Parameters
    ----------
    account : keywords of the members' accounts, as for `backtest`, `costs` among them, or a Setup; there is no default
    metric : "sharpe_ratio" (annualized), "win_rate" (share of bars that earned among those that moved) or "profit_factor" (gains over
        losses of bars; more than 10 counts as 10)
    window : bar returns in the score
    min_history : returns before weights leave equal, at least 2
    shrink : n0 of the shrinkage, in observations; 0 does not shrink
    drop_below : a member whose score falls below is dropped: no vote, no weight, its account goes on. None drops nobody
    readmit_above : a dropped member comes back when its score is at least this; None is `drop_below`

    Raises ConfigError for values that may not be, among them readmit_above < drop_below.
    """

    account: Any = field(hash=False)
    metric: str = "sharpe_ratio"
    window: int = 63
    min_history: int = 20
    shrink: float = 63.0
    drop_below: float | None = None
    readmit_above: float | None = None

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            hint = nearest(str(self.metric), METRICS)
            raise ConfigError(f"DynamicWeights.metric is {self.metric!r}; expected one of {', '.join(METRICS)} ({hint})")
        for name, low in (("window", 2), ("min_history", 2)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < low:
                raise ConfigError(f"DynamicWeights.{name} is {value!r}; expected a whole number of at least {low}")
        if self.min_history > self.window:
            raise ConfigError(f"DynamicWeights.min_history is {self.min_history}, window is {self.window}; expected min_history <= window")
        for name in ("shrink", "drop_below", "readmit_above"):
            value = getattr(self, name)
            if value is None and name != "shrink":
                continue
            good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            if not good or (name == "shrink" and value < 0):
                least = " of at least 0" if name == "shrink" else ""
                raise ConfigError(f"DynamicWeights.{name} is {value!r}; expected a finite number{least}")
        if self.readmit_above is not None and (self.drop_below is None or self.readmit_above < self.drop_below):
            found = f"readmit_above is {self.readmit_above}, drop_below is {self.drop_below}"
            raise ConfigError(f"DynamicWeights.{found}; expected readmit_above >= drop_below")
        given = self.account
        if not isinstance(given, Setup):
            if not isinstance(given, Mapping):
                raise ConfigError(f"DynamicWeights.account is {given!r}; expected keywords of backtest, such as {{'costs': Costs(...)}}")
            given = Setup.of(**given)
        object.__setattr__(self, "account", account_setup(given))

    def params(self, market: Market) -> Records:
        """As the kernel takes them."""
        out = records(PARAMS, 1)
        drop = -math.inf if self.drop_below is None else float(self.drop_below)
        readmit = drop if self.readmit_above is None else float(self.readmit_above)
        year = market.periods_per_year
        if year is None:
            raise ConfigError("the market's periods_per_year is not known, and scores are annualized; take bars.market")
        numbers = (self.window, METRICS.index(self.metric), self.min_history, float(self.shrink), drop, readmit, math.sqrt(year))
        out[0] = numbers
        return out


@kernel
def score_of(ring, count, metric, root):  # type: ignore[no-untyped-def]
    """The score of the first `count` returns in `ring`, in any order: 0 annualized Sharpe, 1 win rate, 2 profit factor; NaN without one."""
    gains, losses, wins, moved, total = 0.0, 0.0, 0, 0, 0.0
    for i in range(count):
        value = ring[i]
        total += value
        if value > 0.0:
            gains += value
            wins += 1
        if value < 0.0:
            losses -= value
        if value != 0.0:
            moved += 1
    if moved == 0:
        return math.nan
    if metric == 1:
        return wins / moved
    if metric == 2:
        return min(gains / losses, MOST_FACTOR) if losses > 0.0 else MOST_FACTOR
    average, squares = total / count, 0.0
    for i in range(count):
        squares += (ring[i] - average) * (ring[i] - average)
    if count < 2 or squares == 0.0:
        return math.nan
    return average / math.sqrt(squares / (count - 1)) * root


@kernel
def shrunk(score, total, start, share):  # type: ignore[no-untyped-def]
    """The weight of a member, from its score (at least 0), the sum of all, the weight it starts from, and the share of that."""
    if total > 0.0:
        return (1.0 - share) * (score / total) + share * start
    return start


@kernel
def trail_step(state, ring, params, equity):  # type: ignore[no-untyped-def]
    """One bar of one account: its return into the ring; its score, NaN while there is none. Drops and readmits."""
    value = simple_return(equity, state.previous)
    state.previous = equity
    ring[state.head] = value if value == value else 0.0  # nothing was left to earn on
    state.head = state.head + 1 if state.head + 1 < params.window else 0
    state.count = min(state.count + 1, params.window)
    if state.count < params.least:
        return math.nan
    score = score_of(ring, state.count, params.metric, params.root)
    if state.active == 1 and score < params.drop:
        state.active = 0
    elif state.active == 0 and score >= params.readmit:
        state.active = 1
    return score


@kernel_loop
def weights_run(states, rings, params, start, equity, out, active):  # type: ignore[no-untyped-def]
    """All bars of equity (M, L, G): weights (M, L, G) into `out`, whether in force (1 or 0) into `active`.

    states (M * G,) and rings go on; start (M,) at least 0, what weights are shrunk to.
    """
    members, accounts = equity.shape[0], equity.shape[2]
    for t in range(equity.shape[1]):
        for g in range(accounts):
            total, begun, kept, count = 0.0, 0.0, 0, 0
            for m in range(members):
                state = states[m * accounts + g]
                score = trail_step(state, rings[m * accounts + g], params[0], equity[m, t, g])
                floored = score if score > 0.0 else 0.0
                out[m, t, g] = floored
                active[m, t, g] = state.active
                count = state.count
                if state.active == 1:
                    total += floored
                    begun += start[m]
                    kept += 1
            share = params[0].shrink / (params[0].shrink + count)
            for m in range(members):
                if active[m, t, g] == 0:
                    out[m, t, g] = 0.0
                else:
                    first = start[m] / begun if begun > 0.0 else 1.0 / kept
                    out[m, t, g] = shrunk(out[m, t, g], total, first, share)


class Trail:
    """Trailing returns of M members in G accounts, and the weights they give. Its `parts` are all its state."""

    def __init__(self, dynamic: DynamicWeights, market: Market, start: NDArray[np.float64]) -> None:
        members, self._start = len(start), np.ascontiguousarray(start)
        self._accounts = market.N if dynamic.account.accounts == "separate" else 1
        self._states = records(TRAIL, members * self._accounts)
        self._states.previous[:] = dynamic.account.initial_capital
        self._states.active[:] = 1
        self._rings = np.zeros((members * self._accounts, dynamic.window))
        self._params = dynamic.params(market)

    @property
    def parts(self) -> list[NDArray[Any]]:
        """All that changes from bar to bar."""
        return [self._states, self._rings]

    def run(self, equity: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Weights and whether a member is in force, both (M, L, G), from equity (M, L, G)."""
        out, active = np.empty(equity.shape), np.empty(equity.shape, dtype=np.int64)
        weights_run(plain(self._states), self._rings, plain(self._params), self._start, np.ascontiguousarray(equity), out, active)
        return out, active == 1
