"""RL-01: rewards, random numbers and Q-learning equal slow twins to the last bit; what is fitted is fitted on training bars only."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.naive.learning import NaiveLearner, combined_generator, differential_sharpe
from vecbt.errors import ConfigError, StateError
from vecbt.optimize.reinforce.kernels import SHARPE, WINS, Lessons, reward_run
from vecbt.optimize.reinforce.training import Learning, learn, seeded, training_part

COSTS = vb.Costs(commission_rate=0.001)
STATES, MEMBERS, BARS = 6, 3, 80


def _bars(count: int = 420, seed: int = 3, assets: int = 1) -> vb.Bars:
    return vb.synthetic.gbm(count, assets, seed)


def _members() -> dict[str, Any]:
    return {"trend": vb.strategies.SmaCross(5, 20), "reversion": vb.strategies.RsiReversion(7), "hold": vb.strategies.BuyAndHold()}


def _lessons(seed: int = 0) -> Lessons:
    random = np.random.default_rng(seed)
    states = random.integers(0, STATES, BARS + 1)
    states[:4] = -1
    return Lessons(states, random.normal(0.0, 0.01, (BARS, MEMBERS)), np.abs(random.normal(0.0, 0.002, (BARS, MEMBERS + 1, MEMBERS))))


@pytest.mark.interpreted
@pytest.mark.parametrize("holding", [False, True])
@pytest.mark.parametrize("reward", ["sharpe_ratio", "pnl", "win_rate"])
def test_rl01_learning_equals_its_slow_twin_to_the_last_bit(reward: str, holding: bool) -> None:
    """RL-01."""
    lessons, how = _lessons(), Learning(reward, episodes=40, max_steps_per_episode=25, epsilon=0.3, holding=holding, seed=7)
    table = learn(lessons, STATES, how)
    mixed = lessons.worth.mean(axis=1)
    moments = float(mixed.mean()), float((mixed * mixed).mean())
    first, second = seeded(7).tolist()
    naive = NaiveLearner(
        lessons.states.tolist(), lessons.worth.tolist(), lessons.gaps.tolist(), how.alpha, how.gamma, how.epsilon, 25, holding, reward,
        how.decay, moments, (first, second),
    )  # fmt: skip
    assert naive.learn(40) == [(int(steps), total) for steps, total, _ in table.curve.tolist()]
    wide = MEMBERS + 1 if holding else 1
    for (state, held, m), value in naive.values.items():
        assert table.q[state * wide + held, m] == value
        assert table.visits[state * wide + held, m] == naive.visits[state, held, m]
    assert table.visits.sum() == sum(naive.visits.values()) == table.curve[:, 0].sum()


@pytest.mark.interpreted
def test_rl01_differential_sharpe_equals_moody_and_saffell_and_its_sum_moves_the_ratio() -> None:
    returns = np.random.default_rng(1).normal(0.001, 0.01, 60)
    moments, out, got = np.array([[0.001, 0.0002]]), np.empty(1), []
    for r in returns:
        reward_run(SHARPE, np.ones(1), np.array([1.0 + r]), moments, 0.01, out)
        got.append(float(out[0]))
    assert got == differential_sharpe([1.0 + r - 1.0 for r in returns], 0.01, 0.001, 0.0002)
    # dS/d eta: a small eta changes the ratio of the moments by eta times it
    one, two, r, eta = 0.001, 0.0002, 0.013, 1e-7
    (step,) = differential_sharpe([r], eta, one, two)
    after_one, after_two = one + eta * (r - one), two + eta * (r * r - two)
    ratio = lambda a, b: a / np.sqrt(b - a * a)  # noqa: E731
    assert (ratio(after_one, after_two) - ratio(one, two)) / eta == pytest.approx(step, rel=1e-5)


@pytest.mark.interpreted
def test_rl01_rewards_of_gains_losses_and_of_accounts_that_have_nothing_left() -> None:
    out = np.empty(3)
    reward_run(WINS, np.array([1.0, 1.0, 0.0]), np.array([1.1, 0.9, 0.0]), np.zeros((3, 2)), 0.01, out)
    assert out.tolist() == [1.0, -1.0, 0.0]
    reward_run(SHARPE, np.ones(3), np.ones(3), np.zeros((3, 2)), 0.01, out)  # no spread at all
    assert out.tolist() == [0.0, 0.0, 0.0]


def test_rl01_seeds_reproduce_and_differ() -> None:
    lessons, how = _lessons(), Learning(episodes=30)
    assert np.array_equal(learn(lessons, STATES, how).q, learn(lessons, STATES, how).q)
    assert not np.array_equal(learn(lessons, STATES, how).q, learn(lessons, STATES, replace(how, seed=1)).q)
    draws = combined_generator(*seeded(5).tolist())
    assert 0.45 < np.mean([next(draws) for _ in range(4000)]) < 0.55


def test_rl01_progress_in_pieces_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    whole = learn(_lessons(), STATES, Learning(episodes=30))
    monkeypatch.setattr("vecbt.optimize.reinforce.training._CHUNK", 400)
    pieces = learn(_lessons(), STATES, Learning(episodes=30), lambda done, total: told.append((done, total)))
    assert np.array_equal(whole.q, pieces.q) and told[-1] == (1500, 1500) and len(told) == 4


def test_rl01_a_member_that_is_best_in_a_state_is_found_there() -> None:
    random = np.random.default_rng(0)
    states = random.integers(0, 4, 2001)
    worth = np.where(np.arange(2) == (states[:-1, None] % 2), 0.01, -0.01) + random.normal(0.0, 0.002, (2000, 2))
    for reward in ("pnl", "win_rate", "sharpe_ratio"):
        table = learn(Lessons(states, worth, np.zeros((2000, 3, 2))), 4, Learning(reward, episodes=200, epsilon=0.2))
        assert table.q.argmax(axis=1).tolist() == [0, 1, 0, 1]


def test_rl01_with_holding_a_policy_stays_where_changing_costs_more_than_it_brings() -> None:
    random = np.random.default_rng(0)
    states = random.integers(0, 2, 4001)
    worth = np.where(np.arange(2) == states[:-1, None], 0.01, 0.0)
    gaps = np.zeros((4000, 3, 2))
    gaps[:, 1, 1] = gaps[:, 2, 0] = 0.05  # a change costs five good bars, and states last no longer than two
    table = learn(Lessons(states, worth, gaps), 2, Learning("pnl", episodes=2000, epsilon=0.3, gamma=0.9, holding=True))
    best = table.q.argmax(axis=1).reshape(2, 3)
    assert best[:, 1].tolist() == [0, 0] and best[:, 2].tolist() == [1, 1]  # whoever is held stays
    assert best[:, 0].tolist() == [0, 1]  # at first the better one is taken


def test_rl01_held_out_bars_are_never_learned_from() -> None:
    bars = _bars()
    split = training_part(bars, 0.7)
    block = bars.block.copy()
    block[:4, split:] *= np.linspace(1.0, 0.3, bars.T - split)[:, None]
    other = vb.Bars.from_numpy(*(block[k] for k in range(4)), block[4], index=bars.index, symbols=bars.symbols)
    first, second = (vb.learn_policy(each, _members(), costs=COSTS, random_policies=2) for each in (bars, other))
    assert first.strategy == second.strategy and np.array_equal(first.learned[0], second.learned[0]) and first.best == second.best
    assert not np.array_equal(first.held.growth, second.held.growth)
    assert first.held.trained[1] == bars.index[split - 1] and first.held.labels[0] == bars.index[split]
    by_label = vb.learn_policy(bars, _members(), costs=COSTS, random_policies=2, train_until=bars.times[split])
    assert by_label.strategy == first.strategy


def test_rl01_the_result_says_what_it_is_worth_beside_the_others() -> None:
    bars = _bars()
    policy = vb.learn_policy(bars, _members(), costs=COSTS, random_policies=10, episodes=50)
    assert list(policy.comparison.index) == ["policy", f"best member ({policy.best})", "equal weights", "random policies (median)"]
    assert policy.q.shape == (27, 3) and list(policy.q.columns) == ["trend", "reversion", "hold"]
    assert policy.visits.to_numpy().sum() == policy.curve["steps"].sum()
    assert not policy.better and "is not better than" in policy.verdict and policy.verdict in repr(policy)
    part = bars[training_part(bars, 0.7):]
    alone = vb.backtest(part, vb.strategies.BuyAndHold(), costs=COSTS).stats()
    assert policy.held.members["hold"] == pytest.approx(alone["sharpe"])
    assert policy.result is not None and policy.result.run.bars.T == part.T
    assert policy.held.statistics["sharpe"] == policy.result.stats()["sharpe"] == policy.held.measured["sharpe"][0]
    assert policy.predict(bars) in policy.members
    with pytest.raises(ConfigError, match="no state of the market yet"):
        policy.predict(bars[:10])


def test_rl01_a_policy_that_is_better_says_so_and_no_more() -> None:
    policy = vb.learn_policy(_bars(), _members(), costs=COSTS, random_policies=20)
    measured = {name: values.copy() for name, values in policy.held.measured.items()}
    measured["sharpe"][:] = 3.0, 1.0, 1.0
    won = replace(policy, held=replace(policy.held, measured=measured))
    assert won.better and "one part cannot say" in won.verdict
    lucky = {name: np.full(20, 5.0) for name in policy.held.random}
    luck = replace(won, held=replace(won.held, random=lucky))
    assert not luck.better and "not learning" in luck.verdict and luck.luckier == 1.0


def test_rl01_saved_and_loaded_and_damaged(tmp_path: Path) -> None:
    policy = vb.learn_policy(_bars(), _members(), costs=COSTS, random_policies=3, holding=True)
    path = policy.save(tmp_path / "policy.json")
    loaded = vb.Policy.load(path)
    assert loaded.strategy == policy.strategy and loaded.learning == policy.learning and repr(loaded) == repr(policy)
    assert loaded.q.equals(policy.q) and loaded.curve.equals(policy.curve) and loaded.comparison.equals(policy.comparison)
    with pytest.raises(ConfigError, match="left alone"):
        policy.save(path)
    assert policy.save(path, overwrite=True) == path and [p.name for p in tmp_path.iterdir()] == ["policy.json"]
    node = json.loads(path.read_text())
    node["best"] = "hold" if node["best"] != "hold" else "trend"
    path.write_text(json.dumps(node))
    with pytest.raises(StateError, match="changed since it was saved"):
        vb.Policy.load(path)
    path.write_text("{}")
    with pytest.raises(StateError, match="no policy"):
        vb.Policy.load(path)


def test_rl01_a_policy_over_functions_says_why_it_cannot_be_saved(tmp_path: Path) -> None:
    def always(bars: vb.Bars) -> vb.Strengths:
        return vb.Strengths(np.ones(bars.shape))

    policy = vb.learn_policy(_bars(120), [always, vb.strategies.SmaCross(3, 9)], costs=COSTS, random_policies=1, episodes=5)
    with pytest.raises(ConfigError, match="cannot be saved"):
        policy.save(tmp_path / "policy.json")
    assert not list(tmp_path.iterdir())


def test_rl01_the_picture_has_learning_the_map_and_the_held_out_part(tmp_path: Path) -> None:
    policy = vb.learn_policy(_bars(), _members(), costs=COSTS, random_policies=3, holding=True)
    picture = policy.plot(tmp_path / "policy.png")
    assert [axes.get_title(loc="left")[:6] for axes in picture.axes] == ["Reward", "Chosen", "Held o"]
    assert (tmp_path / "policy.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"reward_function": "sharp"}, "reward_function"),
        ({"alpha": 0.0}, "alpha is 0.0"),
        ({"gamma": 1.0}, "gamma is 1.0"),
        ({"epsilon": 1.5}, "epsilon is 1.5"),
        ({"episodes": 0}, "episodes is 0"),
        ({"max_steps_per_episode": 2.5}, "max_steps_per_episode is 2.5"),
        ({"train_share": 1.0}, "train_share is 1.0"),
        ({"train_share": 0.05}, "21 bars are trained on; expected at least 51"),
        ({"accounts": "separate"}, "accounts is 'separate'"),
        ({"random_policies": 0}, "random_policies is 0"),
        ({"positions": {"A": (1.0, 1.0)}}, "positions is"),
    ],
)  # fmt: skip
def test_rl01_what_may_not_be_is_said(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        vb.learn_policy(_bars(), _members(), costs=COSTS, **keywords)


def test_rl01_one_member_is_no_choice() -> None:
    with pytest.raises(ConfigError, match="at least two"):
        vb.learn_policy(_bars(), {"only": vb.strategies.BuyAndHold()}, costs=COSTS)
