"""`Ensemble`: several strategies that decide together, with a log of every decision."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayN, ArrayTN, Table
from ..core.space import Parameter
from ..data.bars import Bars
from ..data.labels import label_text
from ..data.market import Market
from ..engine.inputs import Inputs
from ..engine.setup import Setup
from ..engine.strategy import Strategy
from ..errors import ConfigError, nearest
from .base import SignalGenerator, SteppedGenerator, configurable
from .combined import Combined, CombinedFeed, Machine, View, as_members
from .records import _Record
from .voting import BUY, FLAT, HOLD, SELL, Ballot, Verdict, VotingMode, as_mode, as_ratio, decide, skill_run
from .weights import DynamicWeights, Trail

__all__ = ["DecisionRecord", "Ensemble", "EnsembleFeed", "EnsembleSignalGenerator", "Voters", "checked_weights", "decisions_in"]

_WORDS = {BUY: "buy", SELL: "sell", FLAT: "flat", HOLD: "hold"}


@dataclass(frozen=True)
class DecisionRecord(_Record):
    """One decision on one asset, and how it came about; fields by name too, as in a log.

    decision : "buy", "sell", "flat" (leave) or "hold" (change nothing); vote_counts : buy, sell and hold, flat and absent members being
    "hold"; contributing_strategies : whose vote the decision is; total_weight : theirs; confidence_score : NaN where there is none;
    strategy_weights : of the members in force, their sum is 1.
    """

    timestamp: str
    asset: str
    decision: str
    contributing_strategies: tuple[str, ...]
    vote_counts: Mapping[str, int]
    total_weight: float
    confidence_score: float
    voting_mode: str
    strategy_weights: Mapping[str, float]


def checked_weights(weights: Any, names: Sequence[str], owner: str) -> dict[str, float]:
    """Weights of all members, in their order, adding up to 1: those given, or equal ones. A member left out has none.

    ConfigError for a name that is no member, a weight below 0 or not finite, and weights that are all 0.
    """
    if weights is None:
        return dict.fromkeys(names, 1.0 / len(names))
    if not isinstance(weights, Mapping):
        raise ConfigError(f"{owner}.weights is {weights!r}; expected a mapping of member to weight, or None for equal ones")
    for name, weight in weights.items():
        if name not in names:
            raise ConfigError(f"{owner}.weights names {name!r}, which is no member; {nearest(str(name), names)}")
        good = isinstance(weight, int | float | np.integer | np.floating) and not isinstance(weight, bool) and math.isfinite(weight)
        if not good or weight < 0:
            raise ConfigError(f"{owner}.weights[{name!r}] is {weight!r}; expected a finite number of at least 0")
    whole = math.fsum(float(weight) for weight in weights.values())
    if not whole > 0.0:
        raise ConfigError(f"{owner}.weights are all 0; expected at least one above 0")
    return {name: float(weights.get(name, 0.0)) / whole for name in names}


@dataclass(frozen=True)
class Ensemble(Combined):
    """Members that vote at every bar; `signals.voting` says how.

    Parameters
    ----------
    members : strategies by name, or a sequence of them; they give signals or strengths, and may be composites themselves
    mode : "majority_vote", "weighted_vote", "confidence_average" or "bayesian_vote", or a VotingMode
    weights : by member, at least 0; they are made to add up to 1. None: equal. Votes of the majority and Bayes do not use them
    vote_ratio : part of the votes, or of the weight, that must agree; 0.66 is two thirds. Kept as a text, "2/3"
    confidence : least confidence of "confidence_average" and "bayesian_vote", a fraction
    hold : what a hold does: "keep" changes nothing, "flat" leaves what is held
    dynamic : DynamicWeights, or None for weights that stay
    prior : made-up observations of a member's skill, in "bayesian_vote"
    enabled : False: the first member's rows go through as they are, and nothing is combined

    With nobody in force (all dropped) the decision is flat. Raises ConfigError for members, weights and numbers that may not be; a member
    that gives weights, quantities or orders is refused when it speaks.
    """

    members: Mapping[str, Strategy] = field(hash=False)
    mode: VotingMode | str = VotingMode.MAJORITY_VOTE
    weights: Mapping[str, float] | None = field(default=None, hash=False)
    vote_ratio: Fraction | float | str = 0.66
    confidence: float = Parameter(0.6, low=0.0, high=1.0)
    hold: str = Parameter("keep", choices=("keep", "flat"))
    dynamic: DynamicWeights | None = None
    prior: float = Parameter(10.0, low=1e-6)
    enabled: bool = True

    def check(self) -> None:
        """Members, weights, mode and ratio as they are kept."""
        object.__setattr__(self, "members", as_members(self.members, self.name))
        object.__setattr__(self, "mode", as_mode(self.mode))
        object.__setattr__(self, "vote_ratio", str(as_ratio(self.vote_ratio)))
        object.__setattr__(self, "weights", checked_weights(self.weights, list(self.members), self.name))
        if self.dynamic is not None and not isinstance(self.dynamic, DynamicWeights):
            raise ConfigError(f"{self.name}.dynamic is {self.dynamic!r}; expected DynamicWeights(...), or None")
        if not isinstance(self.enabled, bool | np.bool_):
            raise ConfigError(f"{self.name}.enabled is {self.enabled!r}; expected True or False")

    @property
    def inputs(self) -> Mapping[str, Strategy]:
        """The members."""
        return self.members

    @property
    def accounts(self) -> Setup | None:
        """Of the members, where weights follow them."""
        return None if self.dynamic is None else self.dynamic.account

    @property
    def warmup(self) -> int:
        """The largest of the members'; that of the first alone where nothing is combined."""
        return super().warmup if self.enabled else next(iter(self.members.values())).warmup

    def machine(self, market: Market) -> Voters:
        """Votes, weights and skills at the first bar."""
        return Voters(self, market)

    def rows(self, bars: Bars) -> Inputs:
        """Strengths for all bars; the first member's rows where nothing is combined."""
        return super().rows(bars) if self.enabled else next(iter(self.members.values())).rows(bars)

    def feed(self, market: Market) -> Any:
        """The same votes, one bar at a time; `feed.decisions` holds those of the last bar."""
        return EnsembleFeed(self, market) if self.enabled else next(iter(self.members.values())).feed(market)

    def decisions(self, bars: Bars) -> Table:
        """Every decision of a run over `bars`, a pandas frame with the fields of `DecisionRecord`, by bar and asset."""
        import pandas as pd

        if not self.enabled:
            raise ConfigError(f"{self.name} is not enabled: it decides nothing, and its first member's rows go through")
        machine, _ = self.run(bars)
        verdict = machine.verdict  # type: ignore[attr-defined]
        records = decisions_in(self, verdict, bars.close, bars.index.tolist(), bars.symbols)
        return pd.DataFrame([dict(record) for record in records], columns=list(DecisionRecord.__dataclass_fields__))


def decisions_in(ensemble: Ensemble, verdict: Verdict, close: ArrayTN, labels: list[int], symbols: tuple[str, ...]) -> list[DecisionRecord]:
    """Records of a verdict, bar by bar and asset by asset; bars without a market have none."""
    names = list(ensemble.members)
    out = []
    for t, label in enumerate(labels):
        stamp = label_text(label)
        for n, asset in enumerate(symbols):
            if math.isnan(close[t, n]):
                continue
            buy, sell, rest = (int(count) for count in verdict.counts[:, t, n])
            out.append(
                DecisionRecord(
                    timestamp=stamp,
                    asset=asset,
                    decision=_WORDS[int(verdict.decision[t, n])],
                    contributing_strategies=tuple(name for name, voted in zip(names, verdict.contributing[:, t, n], strict=True) if voted),
                    vote_counts={"buy": buy, "sell": sell, "hold": rest},
                    total_weight=float(verdict.total_weight[t, n]),
                    confidence_score=float(verdict.confidence[t, n]),
                    voting_mode=as_mode(ensemble.mode).value,
                    strategy_weights=dict(zip(names, verdict.weights[:, t, n].tolist(), strict=True)),
                )
            )
    return out


class EnsembleFeed(CombinedFeed):
    """The feed of an ensemble, which keeps the decisions of its last bar."""

    decisions: tuple[DecisionRecord, ...] = ()

    def update(self, bar: Any) -> Any:
        """Strengths (1, N) of one more bar."""
        row = super().update(bar)
        ensemble, verdict = self.strategy, self.machine.verdict  # type: ignore[attr-defined]
        assert isinstance(ensemble, Ensemble)
        self.decisions = tuple(decisions_in(ensemble, verdict, bar.prices[3:4], [bar.time], self.market.symbols))
        return row


class Voters:
    """The machine of an ensemble: weights from trailing results, skills for Bayes, and the vote."""

    def __init__(self, ensemble: Ensemble, market: Market) -> None:
        members, assets = len(ensemble.members), market.N
        self._mode, self._ratio, self._confidence = as_mode(ensemble.mode), as_ratio(ensemble.vote_ratio), ensemble.confidence
        self._prior, self._flat = ensemble.prior, ensemble.hold == "flat"
        self._static: ArrayN = np.array(list((ensemble.weights or {}).values()))
        self._trail = None if ensemble.dynamic is None else Trail(ensemble.dynamic, market, self._static)
        self._counts = np.zeros((members, 2), dtype=np.int64)
        self._close, self._words = np.full(assets, np.nan), np.full((members, assets), np.nan)
        self.verdict: Verdict | None = None
        """Of the last bars that were run."""

    @property
    def parts(self) -> list[NDArray[Any]]:
        """All that changes from bar to bar."""
        return [self._counts, self._close, self._words, *(() if self._trail is None else self._trail.parts)]

    def run(self, view: View) -> ArrayTN:
        """Strengths (L, N): 0 where the decision is flat, NaN where it is hold and a hold keeps."""
        shape = view.said.shape
        if self._trail is None:
            weights, active = np.broadcast_to(self._static[:, None, None], shape), np.ones(shape, dtype=np.bool_)
        else:
            assert view.equity is not None
            trailing, force = self._trail.run(view.equity)
            weights, active = np.broadcast_to(trailing, shape), np.broadcast_to(force, shape)
        skill = None
        if self._mode is VotingMode.BAYESIAN_VOTE:
            skill = np.empty(shape[:2])
            skill_run(self._counts, self._close, self._words, (view.said, view.close), self._prior, skill)
        self.verdict = decide(self._mode, self._ratio, self._confidence, Ballot(view.said, view.booleans, weights, active, skill))
        strength = self.verdict.strength
        return np.where(np.isnan(strength), 0.0, strength) if self._flat else strength


@configurable
class EnsembleSignalGenerator(SteppedGenerator):
    """Generators that vote, as one generator.

    Parameters
    ----------
    generators : a sequence of generators or of their configurations (`{"type": "technical", ...}`), or either by name
    mode, weights, vote_ratio, confidence, hold : as in `Ensemble`; a hold is flat unless `hold="keep"`
    signal_threshold, direction_threshold, signal_smoothing : as in `SignalGenerator`, of the combined strength

    All of it may come as one mapping. `generate_signals` asks generators that step (technical ones, ensembles of them).
    """

    generators: Any = field(default=(), hash=False)
    mode: VotingMode | str = VotingMode.CONFIDENCE_AVERAGE
    weights: Mapping[str, float] | None = field(default=None, hash=False)
    vote_ratio: Fraction | float | str = 0.66
    confidence: float = Parameter(0.6, low=0.0, high=1.0)
    hold: str = Parameter("flat", choices=("keep", "flat"))

    def check(self) -> None:
        """Generators are made from their configurations; everything else as an ensemble checks it."""
        from .factory import create_signal_generator

        given = self.generators
        if not isinstance(given, Mapping | Sequence) or isinstance(given, str):
            raise ConfigError(f"{self.name}.generators is {given!r}; expected generators or their configurations")
        pairs = given.items() if isinstance(given, Mapping) else ((None, each) for each in given)
        made = [(name, create_signal_generator(each) if isinstance(each, Mapping) else each) for name, each in pairs]
        for name, each in made:
            if not isinstance(each, SignalGenerator):
                raise ConfigError(f"{self.name}.generators holds {each!r}{f' ({name})' if name else ''}; expected generators")
        named = {str(name): each for name, each in made} if isinstance(given, Mapping) else [each for _, each in made]
        object.__setattr__(self, "generators", as_members(named, self.name))
        self.ensemble()

    def ensemble(self) -> Ensemble:
        """The ensemble of these generators: its decisions, without smoothing and thresholds."""
        return Ensemble(
            self.generators, mode=self.mode, weights=self.weights, vote_ratio=self.vote_ratio, confidence=self.confidence, hold=self.hold
        )

    @property
    def inputs(self) -> Mapping[str, Strategy]:
        """The generators."""
        members: Mapping[str, Strategy] = self.generators
        return members

    @property
    def warmup(self) -> int:
        """The largest of the generators', and then the smoothing."""
        return max(member.warmup for member in self.inputs.values()) + self.signal_smoothing - 1

    def raw(self, market: Market) -> Machine:
        """The vote."""
        return Voters(self.ensemble(), market)
