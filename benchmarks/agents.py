"""Agents that learn: Q-learning transitions with their update, and steps of many accounts at once, after a check against a stream."""

from __future__ import annotations

import numpy as np

import vecbt as vb
from vecbt.core.codes import InputKind
from vecbt.engine.episodes import Episodes
from vecbt.engine.setup import Setup
from vecbt.optimize.reinforce.kernels import Lessons
from vecbt.optimize.reinforce.trading import TradingEpisodes
from vecbt.optimize.reinforce.training import Learning, learn

from .cases import agree
from .table import Row, least

COSTS = vb.Costs(commission_rate=0.001)
STATES, MEMBERS = 27, 4


def lessons(bars: int) -> Lessons:
    """Four members over bars in 27 states."""
    random = np.random.default_rng(0)
    states = random.integers(0, STATES, bars + 1)
    worth = random.normal(0.0, 0.01, (bars, MEMBERS)) + 0.05 * (np.arange(MEMBERS) == states[:-1, None] % MEMBERS)
    return Lessons(states, worth, np.abs(random.normal(0.0, 1e-4, (bars, MEMBERS + 1, MEMBERS))))


def _learning(bars: int, transitions: int) -> list[Row]:
    given, rows = lessons(bars), []
    table = learn(given, STATES, Learning("pnl", alpha=0.05, gamma=0.5, episodes=2_000, epsilon=0.3))
    agree("what is learned", table.q.argmax(axis=1).tolist(), (np.arange(STATES) % MEMBERS).tolist())
    for reward in ("sharpe_ratio", "pnl"):
        how = Learning(reward, episodes=transitions // 50)
        seconds = least(lambda how=how: learn(given, STATES, how))  # type: ignore[misc]
        done = float(learn(given, STATES, how).curve[:, 0].sum())
        what = f"Q-learning, {reward}, {MEMBERS} members, {STATES} states, one thread"
        rows.append(Row("agents", what, 1e9 * seconds / done, "ns a transition", f"{done / seconds / 1e6:.1f} M a second", must=100.0))
    return rows


def _stepping(bars: int, count: int) -> list[Row]:
    prices = vb.synthetic.gbm(bars, 1, 0)
    episodes = Episodes(prices, Setup.of(costs=COSTS), InputKind.STRENGTHS, count)
    said = np.random.default_rng(0).uniform(-1.0, 1.0, (bars, count, 1))
    episodes.begin(np.arange(count), np.zeros(count, dtype=np.int64))
    stream = vb.Stream(vb.Strengths, market=prices.market, costs=COSTS)
    for t in range(20):
        episodes.step(said[t])
        stream.update(prices.row(t), vb.Strengths(said[t, 0]))
        agree("accounts and a stream", [episodes.seats.equity[0]], [stream.books.accounts.equity[0]])
    rows = []
    for action in ("strengths", "weights"):
        trading = TradingEpisodes(prices, count, Setup.of(costs=COSTS), action=action)
        trading.begin(np.arange(count), np.full(count, trading.warmup, dtype=np.int64))
        turn = iter(range(10**9))
        seconds = least(lambda trading=trading, turn=turn: trading.step(said[next(turn) % bars]), calls=min(60, trading.steps - 2))  # type: ignore[misc]
        what = f"VectorEnv, {count} accounts, {action}, each bar another row, with what is seen"
        rows.append(Row("agents", what, 1e6 * seconds / count, "us a step", f"{count / seconds / 1e6:.2f} M steps a second"))
    return rows


def learning_agents(bars: int = 5_000, transitions: int = 1_000_000, count: int = 1_024) -> list[Row]:
    """Rows of agents: learning in the package, and environments for others."""
    return _learning(bars, transitions) + _stepping(min(bars, 500), count)
