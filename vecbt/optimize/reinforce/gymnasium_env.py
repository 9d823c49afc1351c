"""The environments of Gymnasium: one account, or many that step together. Importing this registers `vecbt/Trading-v0`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._optional import optional
from ...data.bars import Bars
from ...engine.setup import Setup
from ...errors import ConfigError, nearest
from .trading import LIMIT, Scaling, TradingEpisodes

optional("gymnasium", "an environment for agents")  # else the next line would not say how to get it
import gymnasium as gym  # noqa: E402
from gymnasium.vector import AutoresetMode, VectorEnv  # noqa: E402

__all__ = ["ENV_ID", "TradingEnv", "TradingVectorEnv"]

ENV_ID = "vecbt/Trading-v0"
"""What `gymnasium.make` and `gymnasium.make_vec` know it by."""

_OWN = ("action", "members", "steps", "reward_function", "decay", "features", "scaling")


def _episodes(bars: Bars, count: int, keywords: dict[str, Any]) -> TradingEpisodes:
    own = {name: keywords.pop(name) for name in _OWN if name in keywords}
    return TradingEpisodes(bars, count, Setup.of(**keywords), **own)


def _spaces(episodes: TradingEpisodes) -> tuple[gym.Space[Any], gym.Space[Any]]:
    """What one episode sees and does."""
    seen = gym.spaces.Box(-LIMIT, LIMIT, (episodes.width,), dtype=np.float32)
    if episodes.action == "member":
        return seen, gym.spaces.Discrete(len(episodes.members))
    return seen, gym.spaces.Box(-1.0, 1.0, (episodes.bars.N,), dtype=np.float32)


def _first(episodes: TradingEpisodes, options: dict[str, Any] | None) -> Any:
    """The bars that `options={"first": ...}` asks for, None: at random."""
    for name in options or {}:
        if name != "first":
            raise ConfigError(f"options has {name!r}; {nearest(str(name), ['first'])}")
    return None if options is None else options.get("first")


class TradingEnv(gym.Env[NDArray[np.float32], Any]):
    """One account over a window of bars.

    Parameters
    ----------
    bars : Bars
    action, members, steps, reward_function, decay, features, scaling : as in `TradingEpisodes`
    **keywords : as for `backtest`: costs (required), sizing, stops, ...

    `reset(seed=..., options={"first": bar})` begins at that bar, else at one drawn at random. An account with nothing left is terminated,
    an episode at its last bar truncated. `info` has `equity` (money), `bar` (its number) and `time` (ns UTC).
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012

    def __init__(self, bars: Bars, **keywords: Any) -> None:
        self.render_mode = keywords.pop("render_mode", None)
        if self.render_mode is not None:
            raise ConfigError(f"render_mode is {self.render_mode!r}; nothing is drawn: leave it out")
        self.episodes = _episodes(bars, 1, keywords)
        self.observation_space, self.action_space = _spaces(self.episodes)

    @property
    def scaling(self) -> Scaling:
        """For the environment that the agent is tried in."""
        return self.episodes.scaling

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """A new episode."""
        super().reset(seed=seed)
        first = _first(self.episodes, options)
        at = self.episodes.first_bars(self.np_random, 1) if first is None else np.array([first], dtype=np.int64)
        self.episodes.begin(np.zeros(1, dtype=np.int64), at)
        return self.episodes.seen()[0], self._info(int(at[0]))

    def step(self, action: Any) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """One bar; ConfigError after the end of an episode."""
        at = int(self.episodes.at[0])
        if at < 0:
            raise ConfigError("the episode has ended, or none was begun; call reset first")
        given = np.asarray(action)
        brought = self.episodes.step(given.reshape(1) if self.episodes.action == "member" else given[None])
        ended = bool(brought.terminated[0]), bool(brought.truncated[0])
        return brought.seen[0], float(brought.reward[0]), *ended, self._info(at + 1)

    def _info(self, at: int) -> dict[str, Any]:
        return {"equity": float(self.episodes.value[0]), "bar": at, "time": int(self.episodes.bars.index[at])}


class TradingVectorEnv(VectorEnv[NDArray[np.float32], Any, NDArray[Any]]):
    """Many accounts over windows of the same bars, whose step is one compiled call.

    Parameters
    ----------
    bars, **keywords : as for `TradingEnv`
    num_envs : how many accounts

    An account that has ended begins anew at the next step (`AutoresetMode.NEXT_STEP`), at a bar drawn at random: its action is not used
    then, and its reward is 0. `reset(options={"first": bars})` takes a number, or one for each. Infos have `equity` and `bar`, (K,).
    """

    metadata: dict[str, Any] = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012

    def __init__(self, bars: Bars, num_envs: int = 1, **keywords: Any) -> None:
        self.num_envs = num_envs
        self.episodes = _episodes(bars, num_envs, keywords)
        self.single_observation_space, self.single_action_space = _spaces(self.episodes)
        self.observation_space = gym.vector.utils.batch_space(self.single_observation_space, num_envs)
        self.action_space = gym.vector.utils.batch_space(self.single_action_space, num_envs)

    @property
    def scaling(self) -> Scaling:
        """For the environment that the agent is tried in."""
        return self.episodes.scaling

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """All accounts begin anew."""
        super().reset(seed=seed)
        first = _first(self.episodes, options)
        at = self.episodes.first_bars(self.np_random, self.num_envs) if first is None else np.broadcast_to(np.int64(first), self.num_envs)
        self.episodes.begin(np.arange(self.num_envs), at)
        return self.episodes.seen(), self._infos(self.episodes.at.copy())

    def step(self, actions: Any) -> tuple[NDArray[np.float32], NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """One bar for each that goes on; those that ended begin anew."""
        episodes = self.episodes
        waiting = np.flatnonzero(episodes.at < 0)
        at = episodes.at.copy()
        brought = episodes.step(actions)
        at[at >= 0] += 1
        if len(waiting):
            episodes.begin(waiting, episodes.first_bars(self.np_random, len(waiting)))
            brought.seen[waiting] = episodes.seen()[waiting]
            at[waiting] = episodes.at[waiting]
        return brought.seen, brought.reward, brought.terminated, brought.truncated, self._infos(at)

    def _infos(self, at: NDArray[np.int64]) -> dict[str, Any]:
        there = np.ones(self.num_envs, dtype=np.bool_)
        return {"equity": self.episodes.value.copy(), "_equity": there, "bar": at, "_bar": there.copy()}


if ENV_ID not in gym.registry:
    gym.register(id=ENV_ID, entry_point=f"{__name__}:TradingEnv", vector_entry_point=f"{__name__}:TradingVectorEnv")
