"""Slow, obvious twins of the sigmas from ranges, NATR, EWMA sigma and the volume indicators.

One asset, rows (open, high, low, close, volume) in plain Python, every value from its definition over the bars that are present.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import variance

from tests.naive import indicators as naive

Row = Sequence[float]


def on_present(rows: Sequence[Row], of: Callable[[list[Row]], list[float]]) -> list[float]:
    """`of` the bars without a NaN, and NaN on the others."""
    values = iter(of([row for row in rows if not any(map(math.isnan, row))]))
    return [math.nan if any(map(math.isnan, row)) else next(values) for row in rows]


def _root_of_mean(single: Callable[[Row], float], window: int) -> Callable[[list[Row]], list[float]]:
    def values(bars: list[Row]) -> list[float]:
        out = []
        for t in range(len(bars)):
            last = bars[max(t + 1 - window, 0) : t + 1]
            out.append(math.sqrt(math.fsum(map(single, last)) / window) if len(last) == window else math.nan)
        return out

    return values


def parkinson_single(bar: Row) -> float:
    """Variance of one bar."""
    _, high, low, _, _ = bar
    return math.log(high / low) ** 2 / (4 * math.log(2))


def garman_klass_single(bar: Row) -> float:
    """Variance of one bar."""
    open_, high, low, close, _ = bar
    return math.log(high / low) ** 2 / 2 - (2 * math.log(2) - 1) * math.log(close / open_) ** 2


def rogers_satchell_single(bar: Row) -> float:
    """Variance of one bar."""
    o, h, low, c, _ = bar
    return math.log(h / c) * math.log(h / o) + math.log(low / c) * math.log(low / o)


def parkinson(rows: Sequence[Row], window: int) -> list[float]:
    """Root of the mean of single variances."""
    return on_present(rows, _root_of_mean(parkinson_single, window))


def garman_klass(rows: Sequence[Row], window: int) -> list[float]:
    """Root of the mean of single variances."""
    return on_present(rows, _root_of_mean(garman_klass_single, window))


def rogers_satchell(rows: Sequence[Row], window: int) -> list[float]:
    """Root of the mean of single variances."""
    return on_present(rows, _root_of_mean(rogers_satchell_single, window))


def yang_zhang(rows: Sequence[Row], window: int) -> list[float]:
    """Sample variances of gaps and of days, and the mean of Rogers-Satchell, over the last `window` bars that have a gap."""
    k = 0.34 / (1.34 + (window + 1) / (window - 1))

    def values(bars: list[Row]) -> list[float]:
        out = []
        for t in range(len(bars)):
            if t < window:
                out.append(math.nan)
                continue
            places = range(t + 1 - window, t + 1)
            gaps = [math.log(bars[i][0] / bars[i - 1][3]) for i in places]
            days = [math.log(bars[i][3] / bars[i][0]) for i in places]
            inside = math.fsum(rogers_satchell_single(bars[i]) for i in places) / window
            out.append(math.sqrt(variance(gaps) + k * variance(days) + (1 - k) * inside))
        return out

    return on_present(rows, values)


def natr(rows: Sequence[Row], window: int) -> list[float]:
    """100 * ATR / close."""

    def values(bars: list[Row]) -> list[float]:
        atr = naive.atr([b[1] for b in bars], [b[2] for b in bars], [b[3] for b in bars], window)
        return [100 * value / bar[3] for value, bar in zip(atr, bars, strict=True)]

    return on_present(rows, values)


def ewma_volatility(values: Sequence[float], decay: float) -> list[float]:
    """The weights of all squared returns written out: the first has `decay**age`, a later one `(1 - decay)*decay**age`."""
    out, seen = [], []
    for value in values:
        if math.isnan(value):
            out.append(math.nan)
            continue
        seen.append(value)
        squares = [((b - a) / a) ** 2 for a, b in pairwise(seen)]
        terms = [decay ** (len(squares) - 1 - i) * s * (1 if i == 0 else 1 - decay) for i, s in enumerate(squares)]
        out.append(math.sqrt(math.fsum(terms)) if squares else math.nan)
    return out


def obv(rows: Sequence[Row]) -> list[float]:
    """The first volume, and each later one with the sign of its close's change."""

    def values(bars: list[Row]) -> list[float]:
        signed = [b[4] * ((b[3] > a[3]) - (b[3] < a[3])) for a, b in pairwise(bars)]
        return [math.fsum([bars[0][4], *signed[:t]]) for t in range(len(bars))]

    return on_present(rows, values)


def flow(bar: Row) -> float:
    """Money flow of one bar."""
    _, high, low, close, volume = bar
    return 0.0 if high == low else volume * ((close - low) - (high - close)) / (high - low)


def accumulation_distribution(rows: Sequence[Row]) -> list[float]:
    """Sum of all money flows."""
    return on_present(rows, lambda bars: [math.fsum(map(flow, bars[: t + 1])) for t in range(len(bars))])


def cmf(rows: Sequence[Row], window: int) -> list[float]:
    """Sum of the money flows of the last `window` bars over the sum of their volumes."""

    def values(bars: list[Row]) -> list[float]:
        out = []
        for t in range(len(bars)):
            last = bars[max(t + 1 - window, 0) : t + 1]
            total = math.fsum(b[4] for b in last)
            out.append(math.fsum(map(flow, last)) / total if len(last) == window and total else math.nan)
        return out

    return on_present(rows, values)


def volume_ratio(volumes: Sequence[float], window: int) -> list[float]:
    """Volume over the mean of the last `window`."""
    return [v / m if m else math.nan for v, m in zip(volumes, naive.sma(volumes, window), strict=True)]


def volume_zscore(volumes: Sequence[float], window: int) -> list[float]:
    """Distance from the mean of the last `window` in sample standard deviations."""
    out, seen = [], []
    for volume in volumes:
        if math.isnan(volume):
            out.append(math.nan)
            continue
        seen.append(volume)
        last = seen[-window:]
        spread = math.sqrt(variance(last)) if len(last) == window else 0.0
        out.append((volume - math.fsum(last) / window) / spread if spread else math.nan)
    return out
