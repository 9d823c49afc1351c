"""Slow, obvious twins of the bands: one asset, plain Python lists, every value from its definition, moments in exact fractions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from tests.naive.indicators import atr, ema

NAN = math.nan


def last_present(values: Sequence[float], t: int, window: int) -> list[float] | None:
    """The last `window` present values up to bar t; None on a missing bar and where there are fewer."""
    past = [v for v in values[: t + 1] if not math.isnan(v)][-window:]
    return None if math.isnan(values[t]) or len(past) < window else past


def deviations(values: Sequence[float]) -> tuple[list[int], int]:
    """Distances from the mean as whole numbers of one unit, exactly: (distances, units in 1)."""
    ratios = [float(v).as_integer_ratio() for v in values]
    parts = max(below for _, below in ratios)  # powers of two: the largest is a multiple of each
    whole = [above * (parts // below) for above, below in ratios]
    total = sum(whole)
    return [len(whole) * v - total for v in whole], len(whole) * parts


def exact(values: Sequence[float]) -> tuple[Fraction, Fraction]:
    """Mean and population variance of floats, exactly."""
    distances, unit = deviations(values)
    mean = Fraction(values[0]) - Fraction(distances[0], unit)
    return mean, Fraction(sum(d * d for d in distances), len(values) * unit**2)


def root(value: Fraction) -> float:
    """The square root of an exact number, also of one that a float cannot hold."""
    return math.sqrt(value)


def bollinger(values: Sequence[float], window: int, width: float) -> list[tuple[float, ...]]:
    """Upper, middle, lower, bandwidth and %b of each bar."""
    out: list[tuple[float, ...]] = []
    for t in range(len(values)):
        last = last_present(values, t, window)
        if last is None:
            out.append((NAN,) * 5)
            continue
        mean, variance = exact(last)
        reach = Fraction(width) * Fraction(root(variance))
        upper, lower = mean + reach, mean - reach
        bandwidth = float((upper - lower) / mean) if mean else NAN
        percent = float((Fraction(values[t]) - lower) / (upper - lower)) if reach else NAN
        out.append((float(upper), float(mean), float(lower), bandwidth, percent))
    return out


def keltner(
    high: Sequence[float], low: Sequence[float], close: Sequence[float], span: int, window: int, multiplier: float
) -> list[tuple[float, ...]]:
    """Upper, middle and lower of each bar: the average of the closes, and multiples of Wilder's range around it."""
    middles, ranges = ema(close, span), atr(high, low, close, window)
    out: list[tuple[float, ...]] = []
    for middle, reach in zip(middles, ranges, strict=True):
        both = not (math.isnan(middle) or math.isnan(reach))
        out.append((middle + multiplier * reach, middle, middle - multiplier * reach) if both else (NAN,) * 3)
    return out


def donchian(high: Sequence[float], low: Sequence[float], window: int) -> list[tuple[float, ...]]:
    """Highest high, the middle, lowest low of the last `window` bars."""
    out: list[tuple[float, ...]] = []
    for t in range(len(high)):
        highs, lows = last_present(high, t, window), last_present(low, t, window)
        if highs is None or lows is None:
            out.append((NAN,) * 3)
        else:
            out.append((max(highs), (max(highs) + min(lows)) / 2, min(lows)))
    return out
