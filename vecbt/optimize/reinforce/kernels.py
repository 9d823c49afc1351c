"""The compiled loops of learning: rewards, states of the market, Q-learning, and the choice of a member.

Kernels of this file call kernels of this file only: numba sees by itself when it was edited, so it takes no part in the hash that names the
cache. Random numbers come from two numbers of state that are handed in (L'Ecuyer, *Efficient and portable combined random number
generators*, Communications of the ACM 31 (1988) 742), so a seed gives the same bits compiled and uncompiled.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ...core.jit import borrowed, kernel, kernel_loop, unsigned

__all__ = [
    "PNL", "SHARPE", "WINS", "Lessons", "Rates", "Table", "choose_run", "learn_episodes", "mean_of_assets", "reward_run", "say_each",
    "say_run", "states_run",
]  # fmt: skip

PNL, WINS, SHARPE = 0, 1, 2
"""Kinds of reward: the return itself; 1 for a gain and -1 for a loss; the differential Sharpe ratio."""

_FIRST, _SECOND = 2147483563, 2147483399
_BY_FIRST, _BY_SECOND = 40014, 40692


class Lessons(NamedTuple):
    """What is learned from, over T bars, of M members.

    `states` int64 (T,) of the market after each bar, -1 unknown; `worth` (T, M) what a member earns over the bar after; `gaps`
    (T, M + 1, M) what a change to a member costs, as a fraction of equity, from no member (row 0) or from member m (row m + 1).
    """

    states: np.ndarray
    worth: np.ndarray
    gaps: np.ndarray


class Rates(NamedTuple):
    """How it is learned: `most` steps of an episode; `holding` 1: the member held is part of the state; `kind` of reward.

    `decay` is that of the moments of the differential Sharpe ratio, `one` and `two` what they begin with.
    """

    alpha: float
    gamma: float
    epsilon: float
    most: int
    holding: int
    kind: int
    decay: float
    one: float
    two: float


class Table(NamedTuple):
    """What is learned: `q` (S, M), `visits` int64 (S, M); `curve` (E, 3) of each episode its steps, its reward, and growth of one unit."""

    q: np.ndarray
    visits: np.ndarray
    curve: np.ndarray


@kernel
def _drawn(random):  # type: ignore[no-untyped-def]
    """The next number of the two states of `random` (2,), in (0, 1)."""
    random[0] = _BY_FIRST * random[0] % _FIRST
    random[1] = _BY_SECOND * random[1] % _SECOND
    both = random[0] - random[1]
    if both < 1:
        both += _FIRST - 1
    return both / _FIRST


@kernel
def _reward(kind, value, moments, decay):  # type: ignore[no-untyped-def]
    """What a return is worth; `moments` (2,) of returns and of their squares go on.

    The differential Sharpe ratio of Moody and Saffell, *Learning to trade via direct reinforcement*, IEEE Transactions on Neural Networks
    12 (2001) 875, equation 8; 0 while returns have no spread.
    """
    if kind == PNL:
        return value
    if kind == WINS:
        return (1.0 if value > 0.0 else 0.0) - (1.0 if value < 0.0 else 0.0)
    one, two = moments[0], moments[1]
    by_one, by_two = value - one, value * value - two
    spread = two - one * one
    moments[0] = one + decay * by_one
    moments[1] = two + decay * by_two
    if not spread > 1e-14 * two:
        return 0.0
    return (two * by_one - 0.5 * one * by_two) / (spread * math.sqrt(spread))


@kernel_loop
def reward_run(kind, before, after, moments, decay, out):  # type: ignore[no-untyped-def]
    """The reward of K accounts whose value went from `before` to `after`; `moments` (K, 2) go on."""
    for k in range(before.shape[0]):
        value = after[k] / before[k] - 1.0 if before[k] > 0.0 else 0.0
        out[k] = _reward(kind, value, moments[k], decay)


@kernel_loop
def mean_of_assets(values, out):  # type: ignore[no-untyped-def]
    """The mean of each row (L, N) over those that have a value; NaN where none has."""
    for t in range(values.shape[0]):
        count, total = 0, 0.0
        for n in range(values.shape[1]):
            if not math.isnan(values[t, n]):
                total += values[t, n]
                count += 1
        out[t] = total / count if count > 0 else math.nan


@kernel_loop
def states_run(features, edges, bins, last, out):  # type: ignore[no-untyped-def]
    """States (L,) from features (F, L): the bins that they fall into, counted like digits; `last` (1,) goes on where one has no value.

    `edges` (F, most) rising, of which feature f uses `bins[f] - 1`; a value on an edge is in the bin above it.
    """
    for t in range(features.shape[1]):
        state = 0
        for f in range(features.shape[0]):
            value = features[f, t]
            if math.isnan(value) and bins[f] > 1:
                state = -1
            if state >= 0:
                place = 0
                for k in range(bins[f] - 1):
                    place += 1 if value >= edges[f, k] else 0
                state = state * bins[f] + place
        if state >= 0:
            last[0] = state
        out[t] = last[0]


@kernel_loop
def choose_run(states, chosen, last, out):  # type: ignore[no-untyped-def]
    """The member of each bar (L,) from `chosen` (S, M + 1), by state and by the member before (column 0: none); `last` (1,) goes on."""
    for t in range(states.shape[0]):
        if states[t] >= 0:
            last[0] = chosen[states[t], last[0] + 1]
        out[t] = last[0]


@kernel
def _told(m, value, close, whose, told, n):  # type: ignore[no-untyped-def]
    """What is told of asset `n` where member `m` stands for `value`; NaN where nothing changes."""
    silent = m < 0 or math.isnan(close) or (whose[n] < 0 and math.isnan(value))
    held = 0.0 if math.isnan(value) else value
    if silent or (whose[n] == m and told[n] == held):
        return math.nan
    whose[n] = m
    told[n] = held
    return held


@kernel_loop
def say_run(choice, said, close, whose, told, out):  # type: ignore[no-untyped-def]
    """What the chosen member stands for, `said` (M, L, N), into `out` (L, N): where another was chosen, or it stands for something else.

    `whose` int64 (N,) and `told` (N,) are the member and the number that were told last; on a bar without a market nothing is told, nor
    before the first member that has something to say.
    """
    for t in range(choice.shape[0]):
        m = choice[t]
        for n in range(close.shape[1]):
            out[t, n] = _told(m, said[m, t, n] if m >= 0 else math.nan, close[t, n], whose, told, n)


@kernel_loop
def say_each(choice, at, said, close, whose, told, out):  # type: ignore[no-untyped-def]
    """The same for K accounts that stand at bars `at` (K,) each; `whose`, `told` and `out` are (K, N)."""
    for k in range(choice.shape[0]):
        m, t = choice[k], at[k]
        for n in range(close.shape[1]):
            out[k, n] = math.nan if t < 0 else _told(m, said[m, t, n] if m >= 0 else math.nan, close[t, n], whose[k], told[k], n)


@kernel_loop
def learn_episodes(first, stop, lessons, rates, table, random):  # type: ignore[no-untyped-def]
    """Episodes `first` to `stop - 1`, each from a bar drawn at random on: epsilon-greedy steps with an update after each.

    Watkins and Dayan, *Q-learning*, Machine Learning 8 (1992) 279. An episode that ends has no end in the market: its last value counts
    what is to come as any other. Of equal values the first member is the best one.
    """
    states, worth, gaps = borrowed(lessons.states), borrowed(lessons.worth), borrowed(lessons.gaps)
    q, visits, curve = borrowed(table.q), borrowed(table.visits), borrowed(table.curve)
    bars, members = worth.shape[0], worth.shape[1]
    moments, wide = np.empty(2), members + 1 if rates.holding == 1 else 1
    begin = 0
    while states[begin] < 0:
        begin += 1
    for e in range(first, stop):
        t, held, steps, total, growth = begin + int(_drawn(random) * (bars - begin)), 0, 0, 0.0, 1.0
        moments[0], moments[1] = rates.one, rates.two
        s = states[t] * wide + (held if rates.holding == 1 else 0)
        while steps < rates.most and t < bars:
            a, top, drawn = 0, q[unsigned(s), 0], _drawn(random)
            for m in range(1, members):
                other = q[unsigned(s), unsigned(m)]
                a, top = (m, other) if other > top else (a, top)
            if drawn < rates.epsilon:
                a = min(int(drawn / rates.epsilon * members), members - 1)  # such a number is even between 0 and epsilon
            value = (1.0 + worth[unsigned(t), unsigned(a)]) * (1.0 - gaps[unsigned(t), unsigned(held), unsigned(a)]) - 1.0
            reward = _reward(rates.kind, value, moments, rates.decay)
            held = a + 1
            t += 1
            after = states[unsigned(t)] * wide + (held if rates.holding == 1 else 0)
            best = q[unsigned(after), 0]
            for m in range(1, members):
                other = q[unsigned(after), unsigned(m)]
                best = other if other > best else best
            known = q[unsigned(s), unsigned(a)]
            q[unsigned(s), unsigned(a)] = known + rates.alpha * (reward + rates.gamma * best - known)
            visits[unsigned(s), unsigned(a)] += 1
            s = after
            steps += 1
            total += reward
            growth *= 1.0 + value
        curve[e, 0], curve[e, 1], curve[e, 2] = steps, total, growth
