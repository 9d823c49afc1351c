"""How members become one decision: votes, weighted votes, averaged confidence, or Bayes' rule.

A member that is long votes buy, one that is short votes sell, one that is flat votes flat; one without a word yet is absent and agrees
with nobody. The side with strictly the most wins if it reaches what is asked for; a tie, and too few, is hold: nothing changes. Flat can
win, too: then what is held is left. So a group of long-only members leaves when enough of them have left.

| mode | a side's score | reached when |
| --- | --- | --- |
| majority_vote | number of votes | `votes*q >= p*n` in whole numbers; p/q the vote ratio, n the members in force, absent ones counted |
| weighted_vote | weight of its voters | the same with weights (to 1e-9) |
| confidence_average | weighted mean of its voters' confidence, 0 for the others; flat counts its weight | at least `confidence` (to 1e-9) |
| bayesian_vote | posterior that the next move is up, or down | the same; flat: as in majority_vote |

The confidence of a member is |strength|; one that gives booleans has none: it is left out of an average of confidences, never counted as
sure. Bayes: each member is a witness that was right in a share p of its words so far (hits of its standing against the next move,
`prior` made-up observations of 1/2 beforehand); from even odds, `odds *= p/(1-p)` for a word of up, the inverse for down.
"""

from __future__ import annotations

import math
from enum import StrEnum
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayTN
from ..core.jit import kernel_loop
from ..errors import ConfigError, nearest

__all__ = ["BUY", "FLAT", "HOLD", "SELL", "Ballot", "Verdict", "VotingMode", "as_mode", "as_ratio", "decide", "skill_run"]

BUY, SELL, FLAT, HOLD = 1, -1, 0, 2
_THIRDS = (Fraction(1, 3), Fraction(2, 3))
_EXACT = 1e-9


class VotingMode(StrEnum):
    """The ways to combine members; see the module."""

    MAJORITY_VOTE = "majority_vote"
    WEIGHTED_VOTE = "weighted_vote"
    CONFIDENCE_AVERAGE = "confidence_average"
    BAYESIAN_VOTE = "bayesian_vote"


class Ballot(NamedTuple):
    """What a decision is made from; M members, L bars, N assets."""

    said: NDArray[np.float64]
    """Standing strengths (M, L, N), NaN = absent."""
    booleans: NDArray[np.bool_]
    """Members without a confidence, (M,)."""
    weights: NDArray[np.float64]
    """(M, L, N), at least 0, of members in force."""
    active: NDArray[np.bool_]
    """Members in force, (M, L, N)."""
    skill: NDArray[np.float64] | None
    """Share of right words so far, (M, L); for Bayes."""


class Verdict(NamedTuple):
    """A decision, (L, N), and all that led to it."""

    decision: NDArray[np.int64]
    """BUY, SELL, FLAT or HOLD."""
    strength: ArrayTN
    """Of the decision: 0 is flat, NaN is hold."""
    counts: NDArray[np.int64]
    """Votes (3, L, N): buy, sell, and the rest (flat or absent)."""
    contributing: NDArray[np.bool_]
    """Members (M, L, N) whose vote is the decision."""
    total_weight: ArrayTN
    """Their weight."""
    confidence: ArrayTN
    """NaN where there is none."""
    weights: NDArray[np.float64]
    """(M, L, N)."""


def as_mode(mode: Any) -> VotingMode:
    """A mode from its name; ConfigError, which names the nearest, for another."""
    if isinstance(mode, VotingMode):
        return mode
    known = [m.value for m in VotingMode]
    if mode not in known:
        raise ConfigError(f"mode is {mode!r}; expected one of {', '.join(map(repr, known))} ({nearest(str(mode), known)})")
    return VotingMode(mode)


def as_ratio(ratio: Any) -> Fraction:
    """The part of the votes that must agree, exactly.

    A decimal cut or rounded from a third is that third: 0.66, 0.67 and 0.666 are 2/3. Any other number is the decimal it is written as;
    texts such as "3/5" and Fractions are taken as they are. ConfigError unless it is more than 0 and at most 1.
    """
    try:
        exact = Fraction(str(ratio)) if isinstance(ratio, float | int | str) and not isinstance(ratio, bool) else Fraction(ratio)
    except (ValueError, TypeError, ZeroDivisionError) as error:
        raise ConfigError(f"vote_ratio is {ratio!r}; expected a number such as 0.66, or a text such as '2/3'") from error
    if not 0 < exact <= 1:
        raise ConfigError(f"vote_ratio is {ratio!r}; expected more than 0 and at most 1")
    digits = len(str(ratio).partition(".")[2]) if isinstance(ratio, float) else 0
    for third in _THIRDS:
        if digits >= 2 and abs(exact - third) < Fraction(1, 10**digits):
            return third
    return exact


@kernel_loop
def skill_run(counts, last_close, last_said, view, prior, out):  # type: ignore[no-untyped-def]
    """Share of right words of each member after each bar, (M, L) into `out`; counts (M, 2) of hits and misses, and the rest, go on.

    view : (said (M, L, N), close (L, N)); a word counts at the next present bar of its asset, if there the close moved.
    """
    said, close = view
    for t in range(close.shape[0]):
        for n in range(close.shape[1]):
            now = close[t, n]
            if now != now:
                continue
            move = now - last_close[n]
            last_close[n] = now
            for m in range(said.shape[0]):
                word = last_said[m, n]
                if (word > 0.0 and move > 0.0) or (word < 0.0 and move < 0.0):
                    counts[m, 0] += 1
                elif (word > 0.0 and move < 0.0) or (word < 0.0 and move > 0.0):
                    counts[m, 1] += 1
                last_said[m, n] = said[m, t, n]
        for m in range(said.shape[0]):
            out[m, t] = (counts[m, 0] + 0.5 * prior) / (counts[m, 0] + counts[m, 1] + prior)


def decide(mode: VotingMode, ratio: Fraction, confidence: float, ballot: Ballot) -> Verdict:
    """The verdict of each bar and asset. Elementwise: no bar or asset knows of another, and no order of additions changes."""
    said, active = ballot.said, ballot.active
    sides = [active & (said > 0.0), active & (said < 0.0), active & (said == 0.0)]
    members = _total(active.astype(np.int64))
    votes = [_total(side.astype(np.int64)) for side in sides]
    weights = np.where(active, ballot.weights, 0.0)
    sure = np.where(ballot.booleans[:, None, None], np.nan, np.abs(said))
    posterior = None
    if mode is VotingMode.MAJORITY_VOTE:
        scores: list[Any] = votes
        reached = [_by_ratio(count, ratio, members) for count in votes]
    elif mode is VotingMode.WEIGHTED_VOTE:
        scores, whole = [_total(np.where(side, weights, 0.0)) for side in sides], _total(weights)
        reached = [(w * ratio.denominator >= ratio.numerator * whole * (1.0 - _EXACT)) & (w > 0.0) for w in scores]
    elif mode is VotingMode.CONFIDENCE_AVERAGE:
        scores = _confidences(sides, weights, sure)
        reached = _sure_enough(scores, confidence)
    else:
        assert ballot.skill is not None
        posterior = _posterior(sides, ballot.skill)
        scores = [posterior, 1.0 - posterior, np.where(_by_ratio(votes[2], ratio, members), 2.0, 0.0)]
        reached = _sure_enough(scores, confidence)
    decision = np.where(members == 0, FLAT, _winner(scores, reached))
    chosen = np.select([decision == BUY, decision == SELL, decision == FLAT], sides, False)
    if mode is VotingMode.CONFIDENCE_AVERAGE:
        score = np.fmax(np.fmax(scores[0], scores[1]), scores[2])
    elif posterior is not None:
        score = np.maximum(posterior, 1.0 - posterior)
    else:
        score = _mean_confidence(chosen, weights, sure)
    strength = _strength(decision, score if mode is VotingMode.CONFIDENCE_AVERAGE else None, posterior)
    counts = np.stack([votes[0], votes[1], members - votes[0] - votes[1]])
    return Verdict(decision, strength, counts, chosen, _total(np.where(chosen, weights, 0.0)), score, weights)


def _total(parts: Any) -> Any:
    """The sum over members, in their order: a reduction of NumPy's may add in another one."""
    out = parts[0].copy()
    for part in parts[1:]:
        out = out + part
    return out


def _by_ratio(votes: Any, ratio: Fraction, members: Any) -> Any:
    return (votes * ratio.denominator >= ratio.numerator * members) & (votes > 0)


def _sure_enough(scores: list[Any], confidence: float) -> list[Any]:
    return [score >= confidence * (1.0 - _EXACT) for score in scores]


def _confidences(sides: list[Any], weights: Any, sure: Any) -> list[Any]:
    """Weighted mean of the confidence for each side, over members that have one; flat ones count their weight."""
    known = np.where(np.isnan(sure), 0.0, weights)
    whole = _total(known)
    level = np.where(np.isnan(sure), 0.0, sure)
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = [np.where(sides[0], known * level, 0.0), np.where(sides[1], known * level, 0.0), np.where(sides[2], known, 0.0)]
        return [_total(part) / whole for part in parts]


def _mean_confidence(chosen: Any, weights: Any, sure: Any) -> Any:
    """Weighted mean of the confidence of those who decided and have one."""
    known = np.where(chosen & ~np.isnan(sure), weights, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return _total(known * np.where(np.isnan(sure), 0.0, sure)) / _total(known)


def _posterior(sides: list[Any], skill: Any) -> Any:
    """Probability that the next move is up, word by word."""
    up = np.full(sides[0].shape[1:], 0.5)
    for m in range(len(skill)):
        right = skill[m][:, None]
        for side, share in ((sides[0][m], right), (sides[1][m], 1.0 - right)):
            up = np.where(side, up * share / (up * share + (1.0 - up) * (1.0 - share)), up)
    return up


def _winner(scores: list[Any], reached: list[Any]) -> Any:
    """The side that is strictly first and has reached what is asked for; else HOLD."""
    out = np.full(np.shape(scores[0]), HOLD, dtype=np.int64)
    for k, side in enumerate((BUY, SELL, FLAT)):
        others = [scores[i] for i in range(3) if i != k]
        out = np.where(reached[k] & (scores[k] > others[0]) & (scores[k] > others[1]), side, out)
    return out


def _strength(decision: Any, score: Any, posterior: Any) -> Any:
    size = np.ones(decision.shape) if score is None else score
    side = np.select([decision == BUY, decision == SELL, decision == FLAT], [1.0, -1.0, 0.0], math.nan)
    if posterior is None:
        return np.where(side == 0.0, 0.0, side * size)
    return np.where((decision == BUY) | (decision == SELL), 2.0 * posterior - 1.0, side)
