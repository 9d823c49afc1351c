"""Statistics of luck, written as the papers write them: loops over rows, columns and splits."""

from __future__ import annotations

import itertools
import math
from statistics import NormalDist

import numpy as np

NORMAL = NormalDist()


def sharpe(values: list[float], rf: float = 0.0) -> float:
    """Per bar; NaN without spread."""
    if len(values) < 2:
        return math.nan
    mean = math.fsum(values) / len(values)
    spread = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1))
    return (mean - rf) / spread if spread > 1e-12 * max(abs(v) for v in values) else math.nan


def shape(values: list[float]) -> tuple[float, float]:
    """Skewness and kurtosis, not in excess."""
    mean = math.fsum(values) / len(values)
    second, third, fourth = (math.fsum((v - mean) ** k for v in values) / len(values) for k in (2, 3, 4))
    return third / second**1.5, fourth / second**2


def probabilistic(values: list[float], benchmark: float, rf: float = 0.0) -> float:
    """PSR of Bailey and Lopez de Prado (2012)."""
    ratio, (skew, kurtosis) = sharpe(values, rf), shape(values)
    term = 1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2
    return NORMAL.cdf((ratio - benchmark) * math.sqrt(len(values) - 1) / math.sqrt(term))


def expected_maximum(trials: float) -> float:
    """Of standard normal numbers."""
    euler = 0.5772156649015329
    return (1 - euler) * NORMAL.inv_cdf(1 - 1 / trials) + euler * NORMAL.inv_cdf(1 - 1 / (trials * math.e))


def newey_west_error(values: list[float], lags: int) -> float:
    """Standard error of a Sharpe ratio from the long-run variance of its influence function."""
    count, ratio = len(values), sharpe(values)
    mean = math.fsum(values) / count
    spread = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / count)
    z = [(v - mean) / spread for v in values]
    pull = [u - ratio / 2 * (u * u - 1) for u in z]
    total = math.fsum(p * p for p in pull)
    for k in range(1, lags + 1):
        total += 2 * (1 - k / (lags + 1)) * math.fsum(pull[t] * pull[t - k] for t in range(k, count))
    return math.sqrt(total / count / (count - 1))


def autocorrelation(values: list[float], k: int) -> float:
    """At lag k, over all terms."""
    mean = math.fsum(values) / len(values)
    together = math.fsum((values[t] - mean) * (values[t - k] - mean) for t in range(k, len(values)))
    return together / math.fsum((v - mean) ** 2 for v in values)


def overfitting(returns: np.ndarray, count: int, rf: float = 0.0) -> list[tuple[float, float, float]]:
    """CSCV over `count` blocks: for every split the Sharpe ratio of its winner inside and outside, and the winner's logit outside.

    All columns must have a Sharpe ratio in every half.
    """
    bars, columns = returns.shape
    edges = [b * bars // count for b in range(count + 1)]
    rows = [list(range(edges[b], edges[b + 1])) for b in range(count)]
    out = []
    for inside in itertools.combinations(range(count), count // 2):
        outside = [b for b in range(count) if b not in inside]
        left = [t for b in inside for t in rows[b]]
        right = [t for b in outside for t in rows[b]]
        first = [worth(returns[left, c].tolist(), rf) for c in range(columns)]
        second = [worth(returns[right, c].tolist(), rf) for c in range(columns)]
        winner = max(range(columns), key=lambda c: (first[c], -c))
        below = sum(v < second[winner] for v in second)
        ties = sum(v == second[winner] for v in second)
        rank = below + (ties + 1) / 2
        out.append((first[winner], second[winner], math.log(rank / (columns + 1 - rank))))
    return out


def worth(values: list[float], rf: float) -> float:
    """The Sharpe ratio of a half; without spread it is worth nothing."""
    found = sharpe(values, rf)
    return 0.0 if math.isnan(found) else found


def above(values: list[float], statistic: float) -> float:
    """The share that is above by more than rounding."""
    return sum(value > statistic + 1e-12 * max(1.0, abs(statistic)) for value in values) / len(values)


def superiority(returns: np.ndarray, benchmark: np.ndarray, drawn: list[list[int]], count: int, length: float) -> dict[str, list[float]]:
    """SPA by resampling whole blocks of rows of the full matrix; `drawn` are the blocks of each resample, `length` their mean length.

    The studentised and the plain statistic of each column, and the largest resampled ones under Hansen's three ways to recentre.
    """
    bars, columns = returns.shape
    edges = [b * bars // count for b in range(count + 1)]
    stay = 1 - 1 / length
    out: dict[str, list[float]] = {"values": [], "plain": []}
    means, errors, differences = [], [], []
    for c in range(columns):
        difference = [float(returns[t, c] - benchmark[t]) for t in range(bars)]
        mean = math.fsum(difference) / bars
        away = [math.fsum(difference[t] - mean for t in range(edges[b], edges[b + 1])) for b in range(count)]
        variance = math.fsum(a * a for a in away)
        for i in range(1, count):
            weight = (1 - i / count) * stay**i + i / count * stay ** (count - i)
            variance += 2 * weight * math.fsum(away[b] * away[b + i] for b in range(count - i))
        differences.append(difference)
        means.append(mean)
        errors.append(math.sqrt(variance / bars))
        out["values"].append(math.sqrt(bars) * mean / errors[-1])
        out["plain"].append(math.sqrt(bars) * mean)
    bound = -math.sqrt(2 * math.log(math.log(bars)))
    ways = {
        "lower": [max(mean, 0.0) for mean in means],
        "consistent": [mean if value >= bound else 0.0 for mean, value in zip(means, out["values"], strict=True)],
        "upper": means,
    }
    for way, centres in ways.items():
        for plain in (False, True):
            largest = []
            for blocks in drawn:
                rows = [t for b in blocks for t in range(edges[b], edges[b + 1])]
                found = [
                    math.sqrt(bars) * (math.fsum(differences[c][t] for t in rows) / len(rows) - centres[c]) / (1.0 if plain else errors[c])
                    for c in range(columns)
                ]
                largest.append(max(found))
            out[f"plain {way}" if plain else way] = largest
    return out
