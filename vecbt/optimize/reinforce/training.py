"""Q-learning of a policy that chooses among strategies: what is learned from, the loop, and what came out on bars it never saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Unpack

import numpy as np
from numpy.typing import NDArray

from ..._typing import ArrayN, ArrayT, ArrayTN, IndexT
from ...analytics.result import Result
from ...analytics.sweep_lines import METRICS
from ...api import backtest
from ...core.codes import InputKind
from ...data.bars import Bars
from ...engine.batch import simulate
from ...engine.inputs import AlignedInputs, NamedInputs
from ...engine.keywords import Keywords, explicit
from ...engine.setup import Setup
from ...engine.strategy import Strategy, evaluate
from ...errors import ConfigError, nearest
from ...indicators.shape import readonly
from ...metrics.holdings import position_values
from ...metrics.returns import returns_of, returns_params
from ...signals.accounts import account_setup
from ...signals.combined import as_members
from ...signals.standing import Standing
from .kernels import PNL, SHARPE, WINS, Lessons, Rates, Table, choose_run, learn_episodes
from .policy import HELD_METRICS, Held, Policy
from .selector import PolicySelector, chosen_table, rows_of_choice
from .states import MarketStates

__all__ = ["REWARDS", "Learning", "learn", "learn_policy", "seeded", "standing_of", "training_part"]

REWARDS = {
    "sharpe_ratio": SHARPE, "differential_sharpe": SHARPE, "pnl": PNL, "total_return": PNL, "win_rate": WINS,
}  # fmt: skip
"""Names of rewards."""

_CHUNK = 1_000_000  # steps between two reports of progress
_FIRST, _SECOND = 2147483562, 2147483398  # the states of the random numbers are from 1 to these
_RANGES: dict[str, tuple[float, float]] = {"alpha": (0.0, 1.0), "gamma": (0.0, 1.0), "epsilon": (0.0, 1.0), "decay": (0.0, 1.0)}


@dataclass(frozen=True)
class Learning:
    """How a policy is learned.

    Parameters
    ----------
    reward_function : "sharpe_ratio" (the differential Sharpe ratio: that of a single step does not exist), "pnl" (the return of a bar), or
        "win_rate" (1 for a gain, -1 for a loss)
    alpha : share of a new value in what is known, above 0 to 1
    gamma : weight of the next bar's value, 0 to below 1
    epsilon : share of choices made at random, 0 to 1
    episodes, max_steps_per_episode : how many episodes, each from a training bar drawn at random on, and the most bars of one
    holding : the member held is part of the state, so that a policy can see what a change would cost; it takes (members + 1) times the
        states, and as many more episodes. Without it the next state does not depend on the choice, and gamma changes little
    decay : of the moments of the differential Sharpe ratio
    seed : of all random numbers

    Raises ConfigError for a number or a name that may not be.
    """

    reward_function: str = "sharpe_ratio"
    alpha: float = 0.1
    gamma: float = 0.95
    epsilon: float = 0.1
    episodes: int = 100
    max_steps_per_episode: int = 50
    holding: bool = False
    decay: float = 0.01
    seed: int = 0

    def __post_init__(self) -> None:
        if self.reward_function not in REWARDS:
            raise ConfigError(f"reward_function is {self.reward_function!r}; {nearest(str(self.reward_function), list(REWARDS))}")
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            fine = isinstance(value, int | float | np.floating) and not isinstance(value, bool) and low <= value <= high
            if not fine or (name in ("alpha", "decay") and value == 0.0) or (name == "gamma" and value == 1.0):
                what = {"alpha": "above 0 to 1", "decay": "above 0 to 1", "gamma": "from 0 to below 1"}.get(name, "from 0 to 1")
                raise ConfigError(f"{name} is {value!r}; expected a number {what}")
        for name, least in (("episodes", 1), ("max_steps_per_episode", 1), ("seed", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise ConfigError(f"{name} is {value!r}; expected a whole number of at least {least}")
        if not isinstance(self.holding, bool):
            raise ConfigError(f"holding is {self.holding!r}; expected True or False")

    @property
    def kind(self) -> int:
        """Of reward, as kernels know it."""
        return REWARDS[self.reward_function]


@explicit
def learn_policy(
    bars: Bars,
    members: Mapping[str, Any] | Sequence[Any],
    *,
    reward_function: str = "sharpe_ratio",
    states: MarketStates | None = None,
    train_share: float = 0.7,
    train_until: Any = None,
    alpha: float = 0.1,
    gamma: float = 0.95,
    epsilon: float = 0.1,
    episodes: int = 100,
    max_steps_per_episode: int = 50,
    holding: bool = False,
    decay: float = 0.01,
    seed: int = 0,
    random_policies: int = 50,
    progress: Callable[[int, int], None] | None = None,
    **keywords: Unpack[Keywords],
) -> Policy:
    """Learn which strategy to follow in which state of the market, by tabular Q-learning, and try it on bars it has not seen.

    Each member is run over the training bars by itself, with all costs; the returns of its account are what a step earns. A change of
    member costs what trading the difference between what both hold costs, at the rate that all members paid for what they traded in
    training. Afterwards the policy, the best member of the training part, equal weights and random policies are run over the held-out
    part by the engine, each in an account that begins there.

    Parameters
    ----------
    bars : Bars
    members : strategies by name, or a sequence of them, that give signals or strengths
    states : MarketStates; the edges are found on the training part unless they are there. Without volume, volume is not looked at
    train_share : part of the bars that is trained on, the first ones; or
    train_until : the label of the first bar that is not
    random_policies : how many policies made at random the learned one is set beside
    progress : called with steps done and all steps
    reward_function, alpha, gamma, epsilon, episodes, max_steps_per_episode, holding, decay, seed : as in `Learning`
    **keywords : as for `backtest`: costs (required), sizing, stops, risk, ...; positions, flows and separate accounts are refused

    Memory: 8 bytes for each training bar and each pair of members, beside the runs.

    Returns
    -------
    Policy : `.strategy` is a strategy that replays, saves and is checked like any other

    Raises
    ------
    ConfigError for parameters that may not be, or too few bars (it says how many are needed); what `backtest` raises.
    """
    how = Learning(reward_function, alpha, gamma, epsilon, episodes, max_steps_per_episode, holding, decay, seed)
    setup, named = _checked_setup(Setup.of(**keywords)), as_members(members, "learn_policy")
    if len(named) < 2:
        raise ConfigError(f"there is one member, {next(iter(named))!r}; expected at least two to choose from")
    if isinstance(random_policies, bool) or not isinstance(random_policies, int) or random_policies < 1:
        raise ConfigError(f"random_policies is {random_policies!r}; expected a whole number of at least 1")
    split = training_part(bars, train_share, train_until)
    looked = MarketStates(volume_bins=3 if bars.has_volume else 1) if states is None else MarketStates.of(states)
    need = max(looked.warmup, *(member.warmup for member in named.values())) + 2
    if split < need:
        raise ConfigError(f"{split} bars are trained on; expected at least {need}, of which {need - 2} are warm-up")
    train = bars[:split]
    looked = looked if looked.fitted else looked.fit(train)
    results = [backtest(train, member, **keywords) for member in named.values()]
    lessons = _lessons(train, looked, results)
    table = learn(lessons, looked.count, how, progress)
    best = _best(lessons, how.kind)
    selector = PolicySelector(named, looked, _named_choices(table, best, list(named), how.holding))
    held, result = _held(bars, split, selector, best, _Trial(setup, keywords, how, random_policies))
    return Policy(selector, how, (table.q, table.visits, table.curve), tuple(named)[best], held, result)


def training_part(bars: Bars, share: float, until: Any = None) -> int:
    """How many bars are trained on: a share of all, or those before a label. ConfigError where none, or none but these, would be."""
    if until is not None:
        split = bars[:until].T
        what = f"train_until is {until!r}"
    else:
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0.0 < share < 1.0:
            raise ConfigError(f"train_share is {share!r}; expected a share above 0 and below 1, such as 0.7")
        split, what = int(share * bars.T), f"train_share is {share!r}"
    if not 2 <= split <= bars.T - 2:
        raise ConfigError(f"{what}: {split} of {bars.T} bars are trained on; expected at least 2, and 2 left to be held out")
    return split


def seeded(seed: int) -> IndexT:
    """The two states of random numbers that a seed stands for."""
    given = np.random.SeedSequence(seed).generate_state(2, np.uint64)
    return np.array([int(given[0]) % _FIRST + 1, int(given[1]) % _SECOND + 1], dtype=np.int64)


def learn(lessons: Lessons, states: int, how: Learning, progress: Callable[[int, int], None] | None = None) -> Table:
    """The loop over all episodes. ConfigError where no bar but the last has a state."""
    members = lessons.worth.shape[1]
    if not (lessons.states[:-1] >= 0).any():
        raise ConfigError("no training bar has a state of the market; expected more bars, or shorter windows of MarketStates")
    rows = states * (members + 1 if how.holding else 1)
    table = Table(np.zeros((rows, members)), np.zeros((rows, members), dtype=np.int64), np.zeros((how.episodes, 3)))
    mixed = lessons.worth.mean(axis=1)
    rates = Rates(
        float(how.alpha), float(how.gamma), float(how.epsilon), int(how.max_steps_per_episode), int(how.holding), how.kind,
        float(how.decay), float(mixed.mean()), float((mixed * mixed).mean()),
    )  # fmt: skip
    random, done = seeded(how.seed), 0
    chunk = max(1, _CHUNK // how.max_steps_per_episode)
    while done < how.episodes:
        stop = min(done + chunk, how.episodes)
        learn_episodes(done, stop, lessons, rates, table, random)
        done = stop
        if progress is not None:
            progress(done * how.max_steps_per_episode, how.episodes * how.max_steps_per_episode)
    return table


def _checked_setup(setup: Setup) -> Setup:
    if setup.accounts == "separate":
        raise ConfigError("accounts is 'separate'; a policy chooses for one account: leave accounts out, or learn asset by asset")
    return account_setup(setup)


def _lessons(bars: Bars, states: MarketStates, results: Sequence[Result]) -> Lessons:
    """What members earned over the training bars, bar by bar, and what a change from one to another would have cost."""
    members, price = len(results), _paid_rate(results)
    held = np.stack([_held_shares(bars, result) for result in results] + [np.zeros(bars.shape)])
    gaps = np.empty((bars.T - 1, members + 1, members))
    for before in range(members + 1):
        for after in range(members):
            gaps[:, before, after] = np.abs(held[after, :-1] - held[before - 1, :-1]).sum(axis=1) * price  # row 0 is none: the last one
    worth = np.stack([result._curves.performance[0][1:, 0] for result in results], axis=1)
    return Lessons(states.on(bars), np.ascontiguousarray(worth), np.minimum(gaps, 1.0))


def _held_shares(bars: Bars, result: Result) -> ArrayTN:
    """What is held at each close over equity, signed, (T, N); 0 where nothing is left."""
    close = np.where(np.isnan(bars.close), 0.0, bars.close)
    last = np.maximum.accumulate(np.where(np.isnan(bars.close), 0, np.arange(bars.T)[:, None]), axis=0)
    value = position_values(result._curves.positions, np.take_along_axis(close, last, axis=0), bars.market.multiplier)
    equity = result.run.equity
    return np.where(equity > 0.0, value / np.where(equity > 0.0, equity, 1.0), 0.0)


def _paid_rate(results: Sequence[Result]) -> float:
    """Costs of all fills over what was traded."""
    paid = traded = 0.0
    for result in results:
        fills, multiplier = result.run.fills, np.asarray(result.run.bars.market.multiplier, dtype=np.float64)
        paid += float(fills["commission"].sum() + fills["slippage"].sum())
        traded += float(np.abs(fills["q"] * fills["ref"] * multiplier[fills["asset"]]).sum())
    return paid / traded if traded > 0.0 else 0.0


def _best(lessons: Lessons, kind: int) -> int:
    """The member that was worth most over the training bars that have a state, by what is rewarded."""
    worth = lessons.worth[lessons.states[:-1] >= 0]
    if kind == WINS:
        scores: ArrayN = np.sign(worth).mean(axis=0)
    elif kind == PNL:
        scores = np.log1p(np.maximum(worth, -1.0 + 1e-12)).sum(axis=0)
    else:
        spread = worth.std(axis=0)
        scores = np.where(spread > 0.0, worth.mean(axis=0) / np.where(spread > 0.0, spread, 1.0), 0.0)
    return int(np.argmax(scores))


def _named_choices(table: Table, best: int, names: list[str], holding: bool) -> list[str]:
    """The greedy choice of each row: the best of what was tried there, or the best member where nothing was."""
    tried = np.where(table.visits > 0, table.q, -np.inf)
    places = np.where((table.visits > 0).any(axis=1), tried.argmax(axis=1), best)
    return [names[place] for place in places.tolist()]


class _Trial(NamedTuple):
    """How the held-out part is run."""

    setup: Setup
    keywords: Any
    how: Learning
    policies: int


def _held(bars: Bars, split: int, selector: PolicySelector, best: int, trial: _Trial) -> tuple[Held, Result]:
    """All that the policy is set beside, over the bars from `split` on; members and states have seen the bars before."""
    members, states = selector.members, selector.market_states
    close, count = bars.for_strategies.close[split:], len(members)
    said, codes = np.ascontiguousarray(standing_of(bars, members)[:, split:]), states.on(bars)[split:]

    def rows(chosen: IndexT, name: str, parameters: Mapping[str, Any]) -> AlignedInputs:
        choice = np.empty(len(codes), dtype=np.int64)
        choose_run(codes, chosen, np.full(1, -1, dtype=np.int64), choice)
        values = np.full(bars.shape, np.nan)
        values[split:] = rows_of_choice(choice, said, close)
        return NamedInputs(InputKind.STRENGTHS, None, values, None, None, 0, name, dict(parameters))

    def always(m: int, member: Strategy) -> AlignedInputs:
        return rows(np.full((states.count, count + 1), m, dtype=np.int64), member.name, member.parameters)

    where = (split, bars.T)
    policy = backtest(bars, rows(selector.chosen, selector.name, selector.parameters), between=where, **trial.keywords)
    alone = [backtest(bars, always(m, member), between=where, **trial.keywords) for m, member in enumerate(members.values())]
    equal = np.mean([result.run.equity[:, 0] for result in alone], axis=0)
    curves = np.stack([policy.run.equity[:, 0], alone[best].run.equity[:, 0], equal])
    random = np.random.default_rng(trial.how.seed)
    tables = [random.integers(0, count, states.count).tolist() for _ in range(trial.policies)]
    runs = (simulate(bars, None, rows(chosen_table(table, states.count, count), "", {}), trial.setup, where) for table in tables)
    others = np.stack([run.equity[:, 0] for run in runs])
    initial, year = trial.setup.initial_capital, bars.periods_per_year
    sharpe = _measured(np.stack([result.run.equity[:, 0] for result in alone]), initial, year)["sharpe"]
    held = Held(
        labels=bars.index[split:].copy(), growth=curves / initial, band=np.quantile(others, (0.05, 0.5, 0.95), axis=0) / initial,
        measured=_measured(curves, initial, year), random=_measured(others, initial, year),
        orders=(len(policy.run.orders), len(alone[best].run.orders)), members=dict(zip(members, sharpe.tolist(), strict=True)),
        trained=(int(bars.index[0]), int(bars.index[split - 1])), bars=bars.content_hash,
        statistics={name: float(value) for name, value in policy.stats().loc[list(METRICS)].items()}, per_year=float(year),
    )  # fmt: skip
    return held, policy


def _measured(curves: NDArray[np.float64], initial: float, periods: float) -> dict[str, ArrayT]:
    """Metrics of equities (C, T), (C,) each."""
    found = returns_of(np.ascontiguousarray(curves.T), np.full(len(curves), initial), returns_params(periods))
    return {name: np.array(found[name]) for name in HELD_METRICS}


def standing_of(bars: Bars, members: Mapping[str, Strategy]) -> NDArray[np.float64]:
    """What each member stands for after each bar, (M, T, N)."""
    standing, said = Standing(tuple(members), bars.N), np.empty((len(members), bars.T, bars.N))
    close = readonly(np.ascontiguousarray(bars.for_strategies.close))
    for m, member in enumerate(members.values()):
        standing.take(m, evaluate(member, bars), close, said[m])
    return said

