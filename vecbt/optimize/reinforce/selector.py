"""`PolicySelector`: at each bar the state of the market decides which member's opinion counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._typing import ArrayTN, IndexT
from ...data.market import Market
from ...engine.strategy import Strategy
from ...errors import ConfigError, nearest
from ...signals.combined import Combined, Machine, View, as_members
from .kernels import choose_run, say_run
from .states import MarketStates, StateMachine

__all__ = ["PolicySelector", "chosen_table", "rows_of_choice"]


@dataclass(frozen=True)
class PolicySelector(Combined):
    """Members, of which the state of the market chooses one at every bar.

    Parameters
    ----------
    members : strategies by name, or a sequence of them; they give signals or strengths, and may be composites themselves
    states : MarketStates with edges, or a mapping of its fields, which is what is kept
    policy : the name of a member for each state, in order of `MarketStates.names`; where the member held counts, too, for each state
        first the choice while there is none, then the choice while each member is held: states times (members + 1) names

    A row says what the chosen member stands for when another one was chosen, or when it stands for something else than before; else it
    changes nothing, so one member alone trades as it would without a policy, unless stops took it out. A member that has not spoken yet
    stands for nothing. Before the first state nothing is said. Raises ConfigError for states without edges, names that are no members, and
    another number of them.
    """

    members: Mapping[str, Strategy] = field(hash=False)
    states: Any = field(hash=False)
    policy: Sequence[str] = ()

    def check(self) -> None:
        """Members, states and policy as they are kept."""
        object.__setattr__(self, "members", as_members(self.members, self.name))
        states = MarketStates.of(self.states)
        if not states.fitted:
            raise ConfigError(f"{self.name}.states have no edges; take states.fit(bars of the training part)")
        object.__setattr__(self, "states", states.to_dict())
        names = [str(name) for name in self.policy] if not isinstance(self.policy, str) else [self.policy]
        for name in names:
            if name not in self.members:
                raise ConfigError(f"{self.name}.policy names {name!r}, which is no member; {nearest(name, list(self.members))}")
        sizes = (states.count, states.count * (len(self.members) + 1))
        if len(names) not in sizes:
            what = f"{self.name}.policy has {len(names)} names"
            raise ConfigError(f"{what}; expected {sizes[0]}, one for each state, or {sizes[1]}, one for each state and member held")
        object.__setattr__(self, "policy", tuple(names))

    @property
    def market_states(self) -> MarketStates:
        """The states as an object."""
        return MarketStates.of(self.states)

    @property
    def inputs(self) -> Mapping[str, Strategy]:
        """The members."""
        return self.members

    @property
    def needs_volume(self) -> bool:
        """Whether the states look at the volume."""
        return self.market_states.plan.needs_volume

    @property
    def own_warmup(self) -> int:
        """Bars before the first state."""
        return self.market_states.warmup

    @property
    def chosen(self) -> IndexT:
        """Places of members, int64 (S, M + 1), by state and by the member held: column 0 for none."""
        names, members = list(self.members), len(self.members)
        return chosen_table([names.index(name) for name in self.policy], self.market_states.count, members)

    def machine(self, market: Market) -> Machine:
        """The states, and the choice, before the first bar."""
        return _Chooser(self, market)


def chosen_table(places: Sequence[int], states: int, members: int) -> IndexT:
    """The choice by state and member held, (S, M + 1), from one place for each state, or one for each state and member held."""
    given = np.array(places, dtype=np.int64)
    if len(given) == states:
        given = np.repeat(given, members + 1)
    return np.ascontiguousarray(given.reshape(states, members + 1))


def rows_of_choice(choice: IndexT, said: NDArray[np.float64], close: ArrayTN) -> ArrayTN:
    """Rows (T, N) of an account that begins with these bars: `choice` int64 (T,), what members stand for (M, T, N)."""
    out, assets = np.empty(close.shape), close.shape[1]
    say_run(choice, said, close, np.full(assets, -1, dtype=np.int64), np.full(assets, np.nan), out)
    return out


class _Chooser:
    """The machine of a selector."""

    def __init__(self, selector: PolicySelector, market: Market) -> None:
        self._states, self._chosen = StateMachine(selector.market_states, market), selector.chosen
        self._last = np.full(1, -1, dtype=np.int64)
        self._whose, self._told = np.full(market.N, -1, dtype=np.int64), np.full(market.N, np.nan)
        self.choice: IndexT = np.empty(0, dtype=np.int64)
        """Of the last bars that were run, the place of the chosen member (L,), -1 none yet."""

    @property
    def parts(self) -> list[NDArray[Any]]:
        """All that changes from bar to bar."""
        return [*self._states.parts, self._last, self._whose, self._told]

    def run(self, view: View) -> ArrayTN:
        """Strengths (L, N): NaN where nothing changes."""
        states = self._states.states(self._states.features(view))
        self.choice = np.empty(len(states), dtype=np.int64)
        choose_run(states, self._chosen, self._last, self.choice)
        out = np.empty(view.close.shape)
        say_run(self.choice, np.ascontiguousarray(view.said), np.ascontiguousarray(view.close), self._whose, self._told, out)
        return out
