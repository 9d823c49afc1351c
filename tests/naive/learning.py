"""Learning, slow and obvious: differential Sharpe ratios, random numbers of two combined generators, Q-learning with dictionaries."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


def combined_generator(first: int, second: int) -> Iterator[float]:
    """L'Ecuyer 1988, figure 3."""
    while True:
        first, second = 40014 * first % 2147483563, 40692 * second % 2147483399
        z = first - second
        yield (z if z >= 1 else z + 2147483562) / 2147483563


def differential_sharpe(returns: Sequence[float], eta: float, one: float, two: float) -> list[float]:
    """Moody and Saffell 2001, equation 8, return by return."""
    out = []
    for r in returns:
        spread = two - one * one
        out.append((two * (r - one) - 0.5 * one * (r * r - two)) / (spread * math.sqrt(spread)) if spread > 1e-14 * two else 0.0)
        one, two = one + eta * (r - one), two + eta * (r * r - two)
    return out


@dataclass
class NaiveLearner:
    """Q-learning over members by the state of the market, a dictionary of values."""

    states: Sequence[int]
    worth: Sequence[Sequence[float]]
    gaps: Sequence[Sequence[Sequence[float]]]
    alpha: float
    gamma: float
    epsilon: float
    most: int
    holding: bool
    reward: str
    decay: float
    moments: tuple[float, float]
    seeds: tuple[int, int]
    values: dict[tuple[int, int, int], float] = field(default_factory=dict)
    visits: dict[tuple[int, int, int], int] = field(default_factory=dict)

    def _value(self, state: tuple[int, int], m: int) -> float:
        return self.values.get((*state, m), 0.0)

    def learn(self, episodes: int) -> list[tuple[int, float]]:
        """Steps and reward of each episode."""
        draws = combined_generator(*self.seeds)
        members, bars = len(self.worth[0]), len(self.worth)
        begin = next(t for t, s in enumerate(self.states) if s >= 0)
        curve = []
        for _ in range(episodes):
            t = begin + int(next(draws) * (bars - begin))
            held, one, two, steps, total = 0, *self.moments, 0, 0.0
            while steps < self.most and t < bars:
                state = self.states[t], held if self.holding else 0
                chance = next(draws)
                a = max(range(members), key=lambda m: (self._value(state, m), -m))
                if chance < self.epsilon:
                    a = min(int(chance / self.epsilon * members), members - 1)
                r = (1.0 + self.worth[t][a]) * (1.0 - self.gaps[t][held][a]) - 1.0
                if self.reward == "sharpe_ratio":
                    (earned,) = differential_sharpe([r], self.decay, one, two)
                    one, two = one + self.decay * (r - one), two + self.decay * (r * r - two)
                else:
                    earned = r if self.reward == "pnl" else float((r > 0.0) - (r < 0.0))
                held, t = a + 1, t + 1
                after = self.states[t], held if self.holding else 0
                best = max(self._value(after, m) for m in range(members))
                known = self._value(state, a)
                self.values[(*state, a)] = known + self.alpha * (earned + self.gamma * best - known)
                self.visits[(*state, a)] = self.visits.get((*state, a), 0) + 1
                steps, total = steps + 1, total + earned
            curve.append((steps, total))
        return curve
