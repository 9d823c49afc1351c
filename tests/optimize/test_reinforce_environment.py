"""RL-01: environments whose accounts equal a stream to the last bit, one at a time and many in one compiled call."""

from __future__ import annotations

import itertools
import pickle
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.naive.learning import differential_sharpe
from tests.naive.trading import NaiveEpisode
from vecbt.core.codes import InputKind
from vecbt.engine.episodes import Episodes
from vecbt.engine.setup import Setup
from vecbt.errors import ConfigError
from vecbt.optimize.reinforce.trading import LIMIT, TradingEpisodes
from vecbt.optimize.reinforce.training import standing_of

COSTS = vb.Costs(commission_rate=0.001, slippage_bps=3.0)
MEMBERS = {"trend": vb.strategies.SmaCross(3, 9), "hold": vb.strategies.BuyAndHold()}


def _bars(count: int = 120, assets: int = 1, seed: int = 2) -> vb.Bars:
    return vb.synthetic.gbm(count, assets, seed, volatility=0.5)


SETUPS: dict[str, dict[str, Any]] = {
    "plain": {},
    "at the close": {"fill": "close"},
    "stops and zones": {"stops": vb.Stops(hard=vb.Pct(0.03), trailing=vb.Atr(2.0)), "risk": vb.Risk(zones=vb.Zones())},
    "carry": {"carry": vb.Carry(interest_rate=0.03, borrow_rate=0.02), "leverage": 2.0},
}


@pytest.mark.interpreted
@pytest.mark.parametrize("name", SETUPS)
@pytest.mark.parametrize(("kind", "assets"), [("strengths", 1), ("weights", 3)])
def test_rl01_many_accounts_in_one_call_equal_streams_to_the_last_bit(name: str, kind: str, assets: int) -> None:
    """RL-01."""
    bars, keywords = _bars(assets=assets), {"costs": COSTS, **SETUPS[name]}
    if kind == "weights":
        keywords["band"] = 0.02
    given = InputKind.STRENGTHS if kind == "strengths" else InputKind.WEIGHTS
    said = vb.Strengths if kind == "strengths" else vb.Weights
    firsts = [0, 0] if "stops" in keywords else [0, 17, 60]  # an ATR of the bars counts from their first one on
    episodes = Episodes(bars, Setup.of(**keywords), given, len(firsts))
    episodes.begin(np.arange(len(firsts)), firsts)
    naive = [NaiveEpisode(bars, said, first, **keywords) for first in firsts]
    random = np.random.default_rng(0)
    for step in range(30):
        rows = random.uniform(-1.0, 1.0, (len(firsts), assets)) / assets
        rows[random.random(rows.shape) < 0.3] = np.nan
        values = episodes.step(rows)
        assert values.tolist() == [one.step(row) for one, row in zip(naive, rows, strict=True)], step
        assert episodes.seats.equity.tolist() == [one.booked for one in naive]
        for k, one in enumerate(naive):
            books = one.stream.books
            assert books.accounts.tobytes() == episodes.seats.accounts[k].tobytes()
            assert books.assets.tobytes() == episodes.seats.assets[k].tobytes()


def test_rl01_splits_dividends_and_bars_without_a_market_reach_the_accounts() -> None:
    plain = vb.synthetic.garch_jumps(90, 3, 4, missing=0.15)
    splits, dividends = np.ones((90, 3)), np.zeros((90, 3))
    splits[30, 0], splits[50, 1], dividends[40, 2] = 2.0, 0.5, 1.0
    bars = vb.Bars.from_numpy(
        *(plain.block[k] for k in range(5)), index=plain.index, symbols=plain.symbols, missing="no_market", splits=splits,
        dividends=dividends,
    )
    episodes = Episodes(bars, Setup.of(costs=COSTS), InputKind.WEIGHTS, 2)
    episodes.begin([0, 1], [0, 25])
    naive = [NaiveEpisode(bars, vb.Weights, first, costs=COSTS) for first in (0, 25)]
    random = np.random.default_rng(1)
    for _ in range(60):
        rows = np.where(random.random((2, 3)) < 0.4, np.nan, random.uniform(-1.0, 1.0, (2, 3)) / 3)
        assert episodes.step(rows).tolist() == [one.step(row) for one, row in zip(naive, rows, strict=True)]
        for k, one in enumerate(naive):
            assert one.stream.books.assets.tobytes() == episodes.seats.assets[k].tobytes()


def test_rl01_what_is_held_is_that_of_the_next_close() -> None:
    bars = _bars()
    episodes = Episodes(bars, Setup.of(costs=COSTS), InputKind.WEIGHTS, 2)
    episodes.begin([0, 1], [3, 3])
    episodes.step(np.array([[0.5], [np.nan]]))
    held = vb.backtest(bars, vb.Weights(np.where(np.arange(bars.T) == 3, 0.5, np.nan)), costs=COSTS).positions.to_numpy()[4, 0]
    assert episodes.seats.exposure.tolist() == [[held * bars.close[4, 0]], [0.0]]


def test_rl01_episodes_that_ended_stay_as_they_are_and_begin_flat_again() -> None:
    episodes = Episodes(_bars(), Setup.of(costs=COSTS), InputKind.STRENGTHS, 2)
    episodes.begin([0, 1], [0, 5])
    episodes.step(np.ones((2, 1)))
    episodes.end(np.array([True, False]))
    before = episodes.seats.accounts[0].copy(), episodes.seats.value[0]
    episodes.step(np.ones((2, 1)))
    assert np.array_equal(episodes.seats.accounts[0], before[0]) and episodes.seats.value[0] == before[1]
    assert episodes.seats.at.tolist() == [-1, 7]
    episodes.begin([0], [9])
    assert episodes.seats.value[0] == 100_000.0 and not episodes.ruined.any()


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"flows": {"2000-01-05": 10.0}}, "flows is"),
        ({"accounts": "separate"}, "accounts is 'separate'"),
        ({"liquidate_at_end": True}, "liquidate_at_end is True"),
        ({"positions": {"A": (1.0, 1.0)}}, "positions is"),
    ],
)
def test_rl01_accounts_of_episodes_start_flat(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Episodes(_bars(), Setup.of(costs=COSTS, **keywords), InputKind.STRENGTHS, 1)


def test_rl01_steps_and_beginnings_that_do_not_fit_are_refused() -> None:
    bars = _bars(40)
    with pytest.raises(ConfigError, match="take signals"):
        Episodes(bars, Setup.of(costs=COSTS), InputKind.SIGNALS, 1)
    with pytest.raises(ConfigError, match="number of episodes is 0"):
        Episodes(bars, Setup.of(costs=COSTS), InputKind.WEIGHTS, 0)
    episodes = Episodes(bars, Setup.of(costs=COSTS), InputKind.WEIGHTS, 1)
    with pytest.raises(ConfigError, match="expected 0 to 38"):
        episodes.begin([0], [39])
    with pytest.raises(ConfigError, match="rows have shape"):
        episodes.step(np.zeros((2, 1)))
    episodes.begin([0], [38])
    episodes.step(np.zeros((1, 1)))
    with pytest.raises(ConfigError, match="before the last bar"):
        episodes.step(np.zeros((1, 1)))


@pytest.mark.parametrize("reward", ["pnl", "sharpe_ratio", "win_rate"])
def test_rl01_rewards_are_those_of_the_stream(reward: str) -> None:
    bars = _bars()
    trading = TradingEpisodes(bars, 2, Setup.of(costs=COSTS), action="strengths", steps=25, reward_function=reward)
    firsts = np.array([trading.warmup, trading.warmup + 9])
    trading.begin(np.arange(2), firsts)
    naive = [NaiveEpisode(bars, vb.Strengths, first, costs=COSTS) for first in firsts.tolist()]
    random, got, values = np.random.default_rng(1), [], [[100_000.0, 100_000.0]]
    for _ in range(25):
        actions = random.uniform(-1.0, 1.0, (2, 1))
        got.append(trading.step(actions).reward.tolist())
        values.append([one.step(row) for one, row in zip(naive, actions, strict=True)])
    for k in range(2):
        moves = [after[k] / before[k] - 1.0 for before, after in itertools.pairwise(values)]
        expected = {
            "pnl": moves,
            "win_rate": [float((move > 0) - (move < 0)) for move in moves],
            "sharpe_ratio": differential_sharpe(moves, 0.01, trading.scaling.one, trading.scaling.two),
        }[reward]
        assert [row[k] for row in got] == expected


def test_rl01_choosing_members_trades_as_the_selector_does() -> None:
    bars = _bars(200)
    states = vb.MarketStates(trend_window=5, trend_bins=2, volatility_bins=1, volume_bins=1).fit(bars)
    selector = vb.PolicySelector(MEMBERS, states, ["hold", "trend"])
    choice = selector.run(bars)[0].choice  # type: ignore[attr-defined]
    trading = TradingEpisodes(bars, 1, Setup.of(costs=COSTS), action="member", members=MEMBERS)
    first = trading.warmup
    trading.begin(np.zeros(1, dtype=np.int64), np.array([first]))
    values = []
    while trading.at[0] >= 0:
        trading.step(choice[trading.at])
        values.append(float(trading.value[0]))
    part = bars[first:]
    rows = selector.run(bars)[1]
    rows[first] = standing_of(bars, trading.members)[choice[first], first]  # an account that begins takes what the member holds
    equity = vb.backtest(part, vb.Strengths(rows[first:]), costs=COSTS).run.equity[:, 0]
    assert values == equity[1:].tolist()


def test_rl01_what_is_seen_is_scaled_by_frozen_numbers_and_uses_no_later_bar() -> None:
    bars = _bars(160, 2)
    keywords: dict[str, Any] = {"steps": 20}
    trained = TradingEpisodes(bars[:100], 1, Setup.of(costs=COSTS), **keywords)
    tried = TradingEpisodes(bars, 1, Setup.of(costs=COSTS), scaling=trained.scaling, **keywords)
    assert len(tried.names) == tried.width == trained.width
    for episodes in (trained, tried):
        episodes.begin(np.zeros(1, dtype=np.int64), np.array([70]))
    for _ in range(20):
        assert np.array_equal(trained.seen(), tried.seen())
        assert trained.seen().dtype == np.float32 and (np.abs(trained.seen()) <= LIMIT).all()
        first, second = (episodes.step(np.full((1, 2), 0.4)) for episodes in (trained, tried))
        assert np.array_equal(first.seen, second.seen) and first.reward == second.reward
    assert first.truncated[0] and not first.terminated[0]
    with pytest.raises(ConfigError, match="scaling is of"):
        TradingEpisodes(bars, 1, Setup.of(costs=COSTS), scaling=trained.scaling, features={"rsi": vb.Indicator("rsi", 5)})


def test_rl01_ruin_terminates() -> None:
    close = np.array([100.0] * 30 + [10.0] * 5)
    bars = vb.Bars.from_numpy(close, close, close, close, np.ones(35), index=np.arange(35) * 86_400_000_000_000, symbols=["A"])
    setup = Setup.of(costs=COSTS, leverage=2.0, maintenance=0.0, sizing=vb.Weight(1.5))
    trading = TradingEpisodes(bars, 1, setup, action="strengths", steps=5)
    trading.begin(np.zeros(1, dtype=np.int64), np.array([25]))
    ended = [trading.step(np.ones((1, 1))) for _ in range(5)]
    assert [bool(step.terminated[0]) for step in ended] == [False] * 4 + [True] and trading.value[0] < 0.0


@pytest.fixture
def gym() -> Any:
    return pytest.importorskip("gymnasium")


@pytest.mark.parametrize("action", ["weights", "strengths", "member"])
def test_rl01_gymnasium_finds_nothing_wrong(gym: Any, action: str) -> None:
    from gymnasium.utils.env_checker import check_env

    keywords: dict[str, Any] = {"members": MEMBERS} if action == "member" else {}
    keywords |= {"bars": _bars(), "costs": COSTS, "steps": 20, "action": action}
    env = gym.make("vecbt.optimize.reinforce.gymnasium_env:vecbt/Trading-v0", **keywords)
    check_env(env.unwrapped)
    env.reset(seed=3)
    steps = [env.step(env.action_space.sample()) for _ in range(20)]
    assert [step[3] for step in steps] == [False] * 19 + [True] and steps[-1][4]["bar"] == steps[0][4]["bar"] + 19
    with pytest.raises(ConfigError, match="call reset first"):
        env.unwrapped.step(env.action_space.sample())


def test_rl01_a_vector_environment_equals_its_parts_and_begins_anew_at_the_next_step(gym: Any) -> None:
    bars = _bars(160, 2)
    many = vb.trading_envs(bars, 4, costs=COSTS, steps=12, reward_function="sharpe_ratio")
    ones = [vb.trading_env(bars, costs=COSTS, steps=12, reward_function="sharpe_ratio") for _ in range(4)]
    firsts = [30, 41, 55, 99]
    seen, _ = many.reset(seed=5, options={"first": firsts})
    for row, env, first in zip(seen, ones, firsts, strict=True):
        assert np.array_equal(row, env.reset(options={"first": first})[0])
    many.action_space.seed(1)
    for step in range(12):
        actions = many.action_space.sample()
        seen, rewards, terminated, truncated, infos = many.step(actions)
        for k, env in enumerate(ones):
            one_seen, reward, *ended, info = env.step(actions[k])
            assert np.array_equal(seen[k], one_seen) and rewards[k] == reward and ended == [terminated[k], truncated[k]]
            assert infos["equity"][k] == info["equity"] and infos["bar"][k] == info["bar"]
        assert truncated.all() == (step == 11)
    seen, rewards, terminated, truncated, infos = many.step(actions)
    assert (rewards == 0.0).all() and not truncated.any() and (infos["equity"] == 100_000.0).all() and seen in many.observation_space
    seen, _, _, truncated, _ = many.step(actions)
    assert not truncated.any() and (many.episodes.at > 0).all()


def test_rl01_a_seed_reproduces_a_vector_environment(gym: Any) -> None:
    outcomes = []
    for _ in range(2):
        envs = gym.make_vec(
            "vecbt.optimize.reinforce.gymnasium_env:vecbt/Trading-v0", num_envs=3, vectorization_mode="vector_entry_point", bars=_bars(),
            costs=COSTS, steps=5,
        )  # fmt: skip
        envs.reset(seed=11)
        envs.action_space.seed(11)
        outcomes.append([envs.step(envs.action_space.sample())[0] for _ in range(14)])
    assert np.array_equal(outcomes[0], outcomes[1])


def test_rl01_what_an_environment_cannot_be_is_said(gym: Any) -> None:
    bars = _bars()
    with pytest.raises(ConfigError, match="action is 'weight'"):
        vb.trading_env(bars, costs=COSTS, action="weight")
    with pytest.raises(ConfigError, match="members are missing"):
        vb.trading_env(bars, costs=COSTS, action="member")
    with pytest.raises(ConfigError, match="steps is 500"):
        vb.trading_env(bars, costs=COSTS, steps=500)
    with pytest.raises(ConfigError, match="options has 'start'"):
        vb.trading_env(bars, costs=COSTS).reset(options={"start": 3})
    with pytest.raises(ConfigError, match="expected numbers from -1 to 1"):
        env = vb.trading_env(bars, costs=COSTS)
        env.reset(seed=0)
        env.step([2.0])
    with pytest.raises(ConfigError, match="at least 22"):
        vb.trading_env(bars[:21], costs=COSTS)
    with pytest.raises(ConfigError, match="'return_20' has no value"):
        vb.trading_env(bars[:20], costs=COSTS)
    assert pickle.loads(pickle.dumps(vb.trading_env(bars, costs=COSTS).scaling)) == vb.trading_env(bars, costs=COSTS).scaling
