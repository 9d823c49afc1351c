"""Episodes of trading for agents that learn: what they see, what they may do, what it is worth. Environments of other packages wrap it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._typing import ArrayN, IndexT
from ...core.codes import InputKind
from ...data.bars import Bars
from ...engine.episodes import Episodes
from ...engine.setup import Setup
from ...errors import ConfigError, nearest
from ...indicators.plan import Indicator, IndicatorPlan
from ...signals.combined import as_members
from .kernels import reward_run, say_each
from .training import REWARDS, standing_of

__all__ = ["ACTIONS", "LIMIT", "Scaling", "Step", "TradingEpisodes", "usual_features"]

ACTIONS = ("weights", "strengths", "member")
"""What an action may be."""

LIMIT = 5.0
"""Observations are cut to so much on either side."""

_RUIN = 1e-9  # of the money at the start, as in F13


def usual_features(bars: Bars) -> dict[str, Indicator]:
    """Returns of a bar and of 20, RSI, volatility, and relative volume where there is volume."""
    found = {
        "return_1": Indicator("roc", 1), "return_20": Indicator("roc", 20), "rsi": Indicator("rsi", 14),
        "volatility": Indicator("close_sigma", 20),
    }  # fmt: skip
    return found | ({"activity": Indicator("volume_ratio", 20)} if bars.has_volume else {})


@dataclass(frozen=True)
class Scaling:
    """Numbers found once, on the bars that are trained on, and frozen: an environment for other bars is given the same.

    Parameters
    ----------
    features : names, in order
    location, scale : of each feature, over all bars and assets; what is seen is the value less location, over scale
    one, two : mean and mean square of the returns of a bar, the assets in equal parts: what the differential Sharpe ratio begins with
    """

    features: tuple[str, ...]
    location: tuple[float, ...]
    scale: tuple[float, ...]
    one: float
    two: float


@dataclass(frozen=True, eq=False)
class Step:
    """What a step brought to K episodes: what is seen (K, F) float32, rewards (K,), who is ruined, and whose bars have ended."""

    seen: NDArray[np.float32]
    reward: ArrayN
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]


class TradingEpisodes:
    """K episodes over windows of the same bars; a step takes each a bar further, in one compiled call.

    An episode stands at the close of a bar. The action is the row of that bar, which the engine trades as it trades any row; then the next
    bar is looked at, and the reward is what the account gained until its close. So at the next open the order fills, and the reward of the
    same step has it.

    Parameters
    ----------
    bars : Bars
    count : K
    setup : Setup; positions, flows, separate accounts and liquidation at the end are refused
    action : "weights": an array (N,) from -1 to 1, target weights times N; "strengths": an array (N,) from -1 to 1, as `Strengths`;
        "member": a whole number, the member whose opinion counts
    members : strategies by name, or a sequence, of the action "member"
    steps : bars of an episode; None: all that there are
    reward_function, decay : as in `Learning`
    features : indicators by name, computed for each asset; None: `usual_features`
    scaling : Scaling of the environment that was trained in; None: found on these bars

    What is seen: each feature of each asset, scaled and cut to -5 to 5, 0 where it has no value; what is held of each asset over the value
    of the account; the logarithm of that value over the money at the start.
    """

    def __init__(
        self,
        bars: Bars,
        count: int,
        setup: Setup,
        *,
        action: str = "weights",
        members: Mapping[str, Any] | Sequence[Any] | None = None,
        steps: int | None = None,
        reward_function: str = "pnl",
        decay: float = 0.01,
        features: Mapping[str, Indicator] | None = None,
        scaling: Scaling | None = None,
    ) -> None:
        if action not in ACTIONS:
            raise ConfigError(f"action is {action!r}; {nearest(str(action), list(ACTIONS))}")
        if reward_function not in REWARDS:
            raise ConfigError(f"reward_function is {reward_function!r}; {nearest(str(reward_function), list(REWARDS))}")
        if (members is None) == (action == "member"):
            raise ConfigError(f"action is {action!r} and members {'are missing' if members is None else 'are given'}; they belong together")
        self.bars, self.count, self.action, self.decay = bars, count, action, float(decay)
        self.members = {} if members is None else as_members(members, "the environment")
        self._kind, self._plan = REWARDS[reward_function], IndicatorPlan(usual_features(bars) if features is None else dict(features))
        columns = self._plan.on(bars.for_strategies)
        self.scaling = _scaling_of(bars, columns) if scaling is None else _checked(scaling, columns)
        self.warmup = max([self._plan.warmup, *(member.warmup for member in self.members.values())])
        self.steps = _steps_of(bars, steps, self.warmup)
        self._seen = _scaled(columns, self.scaling)
        self.engine = Episodes(bars, setup, InputKind.WEIGHTS if action == "weights" else InputKind.STRENGTHS, count)
        self._said = standing_of(bars, self.members)
        self._close = np.ascontiguousarray(bars.for_strategies.close)
        shape = (count, bars.N)
        self._whose, self._told, self._rows = np.full(shape, -1, dtype=np.int64), np.full(shape, np.nan), np.full(shape, np.nan)
        self._moments, self._last = np.zeros((count, 2)), np.zeros(count, dtype=np.int64)

    @property
    def width(self) -> int:
        """How many numbers are seen."""
        return int(self._seen.shape[1]) + self.bars.N + 1

    @property
    def names(self) -> tuple[str, ...]:
        """What is seen, in order."""
        symbols = self.bars.symbols
        return (*(f"{f} {s}" for f in self.scaling.features for s in symbols), *(f"held {s}" for s in symbols), "log value")

    @property
    def at(self) -> IndexT:
        """The bar that each stands at (K,), -1: it has ended."""
        return self.engine.seats.at

    @property
    def value(self) -> ArrayN:
        """Of each account at the close of its bar, money (K,)."""
        return self.engine.seats.value

    def first_bars(self, random: np.random.Generator, count: int) -> IndexT:
        """Bars at random that an episode can begin at."""
        return random.integers(self.warmup, self.bars.T - self.steps, count)

    def begin(self, which: IndexT, first: IndexT) -> None:
        """Episodes `which` stand flat at the close of bars `first`; ConfigError where their steps do not fit the bars."""
        if len(first) and not (0 <= first.min() and first.max() + self.steps <= self.bars.T - 1):
            most = self.bars.T - 1 - self.steps
            raise ConfigError(f"episodes of {self.steps} steps begin at bars {first.min()} to {first.max()}; expected 0 to {most}")
        self.engine.begin(which, first)
        self._last[which] = first + self.steps
        self._whose[which], self._told[which] = -1, np.nan
        self._moments[which] = self.scaling.one, self.scaling.two

    def step(self, actions: Any) -> Step:
        """One bar for all that have not ended; the others get a reward of 0 and stay as they are.

        actions : (K, N) numbers from -1 to 1, or (K,) places of members. ConfigError for others.
        """
        going, before = self.at >= 0, self.value.copy()
        after = self.engine.step(self._row(actions))
        reward = np.empty(self.count)
        moments = self._moments.copy()
        reward_run(self._kind, before, after, moments, self.decay, reward)
        self._moments[going] = moments[going]
        reward[~going] = 0.0
        ruined = going & (after <= _RUIN * self.engine.initial)
        ended = going & ~ruined & (self.at >= self._last)
        seen = self.seen()
        self.engine.end(ruined | ended)
        return Step(seen, reward, ruined, ended)

    def seen(self) -> NDArray[np.float32]:
        """What is seen by each (K, F); zeros by those that have ended."""
        seats, going = self.engine.seats, self.at >= 0
        out = np.zeros((self.count, self.width), dtype=np.float32)
        assets = self.bars.N
        out[:, : -assets - 1] = self._seen[np.maximum(seats.at, 0)]
        value = np.maximum(seats.value, _RUIN * self.engine.initial)
        out[:, -assets - 1 : -1] = np.clip(seats.exposure / value[:, None], -LIMIT, LIMIT)
        out[:, -1] = np.clip(np.log(value / self.engine.initial), -LIMIT, LIMIT)
        out[~going] = 0.0
        return out

    def _row(self, actions: Any) -> NDArray[np.float64]:
        """The rows (K, N) that actions stand for."""
        given = np.asarray(actions)
        if self.action == "member":
            if given.shape != (self.count,) or given.dtype.kind not in "iu" or not ((given >= 0) & (given < len(self.members))).all():
                raise ConfigError(f"actions are {actions!r}; expected {self.count} whole numbers from 0 to {len(self.members) - 1}")
            say_each(given.astype(np.int64), self.at, self._said, self._close, self._whose, self._told, self._rows)
            return self._rows
        rows = given.astype(np.float64)
        if rows.shape != self._rows.shape or not (np.abs(rows) <= 1.0).all():
            raise ConfigError(f"actions have shape {rows.shape}; expected numbers from -1 to 1 of shape {self._rows.shape}")
        return rows / self.bars.N if self.action == "weights" else rows


def _steps_of(bars: Bars, steps: int | None, warmup: int) -> int:
    most = bars.T - 1 - warmup
    if most < 1:
        raise ConfigError(f"there are {bars.T} bars; expected at least {warmup + 2}, of which {warmup} are warm-up")
    if steps is None:
        return most
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or not 1 <= steps <= most:
        raise ConfigError(f"steps is {steps!r}; expected a whole number from 1 to {most}: {bars.T} bars, {warmup} of them warm-up")
    return int(steps)


def _scaling_of(bars: Bars, columns: Mapping[str, NDArray[np.float64]]) -> Scaling:
    location, scale = [], []
    for name, values in columns.items():
        known = values[np.isfinite(values)]
        if not len(known):
            raise ConfigError(f"the feature {name!r} has no value on any of {bars.T} bars; give more bars, or a shorter window")
        location.append(float(known.mean()))
        scale.append(float(known.std()) or 1.0)
    close = bars.for_strategies.close
    with np.errstate(divide="ignore", invalid="ignore"):
        moves = close[1:] / close[:-1] - 1.0
    fine = np.isfinite(moves)
    mixed = np.where(fine, moves, 0.0).sum(axis=1) / np.maximum(fine.sum(axis=1), 1)
    return Scaling(tuple(columns), tuple(location), tuple(scale), float(mixed.mean()), float((mixed * mixed).mean()))


def _checked(scaling: Any, columns: Mapping[str, Any]) -> Scaling:
    if not isinstance(scaling, Scaling) or scaling.features != tuple(columns):
        found = scaling.features if isinstance(scaling, Scaling) else scaling
        raise ConfigError(f"scaling is of {found!r}; expected that of an environment with the features {tuple(columns)}")
    return scaling


def _scaled(columns: Mapping[str, NDArray[np.float64]], scaling: Scaling) -> NDArray[np.float32]:
    """Features as they are seen, (T, features * N)."""
    parts = []
    for name, location, scale in zip(scaling.features, scaling.location, scaling.scale, strict=True):
        values = (columns[name] - location) / scale
        parts.append(np.clip(np.where(np.isfinite(values), values, 0.0), -LIMIT, LIMIT))
    return np.concatenate(parts, axis=1).astype(np.float32)
