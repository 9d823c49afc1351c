"""Slow, obvious twins of the indicators: one asset, plain Python lists, every value from its definition."""

from __future__ import annotations

import math
from collections.abc import Sequence


def _present(values: Sequence[float], t: int) -> list[float]:
    return [v for v in values[: t + 1] if not math.isnan(v)]


def sma(values: Sequence[float], window: int) -> list[float]:
    """Mean of the last `window` present values; NaN on missing bars and before there are as many."""
    out = []
    for t, value in enumerate(values):
        last = _present(values, t)[-window:]
        out.append(math.nan if math.isnan(value) or len(last) < window else math.fsum(last) / window)
    return out


def ema(values: Sequence[float], span: int) -> list[float]:
    """Weights of all present values written out: the seed is the mean of the first `span`, alpha = 2/(span + 1)."""
    alpha = 2 / (span + 1)
    out = []
    for t, value in enumerate(values):
        past = _present(values, t)
        if math.isnan(value) or len(past) < span:
            out.append(math.nan)
            continue
        later = past[span:]
        seed = math.fsum(past[:span]) / span
        terms = [alpha * (1 - alpha) ** age * v for age, v in enumerate(reversed(later))]
        out.append(math.fsum([seed * (1 - alpha) ** len(later), *terms]))
    return out


def true_ranges(high: Sequence[float], low: Sequence[float], close: Sequence[float]) -> list[float]:
    """True range of each bar; NaN where there is no market."""
    out = []
    for t in range(len(close)):
        past = _present(close, t - 1) if t else []
        reach = [high[t] - low[t]]
        if past:
            reach += [abs(high[t] - past[-1]), abs(low[t] - past[-1])]
        out.append(math.nan if math.isnan(close[t]) else max(reach))
    return out


def atr(high: Sequence[float], low: Sequence[float], close: Sequence[float], window: int) -> list[float]:
    """Wilder's average of the true ranges present so far, written out as weights of 1/window."""
    ranges = true_ranges(high, low, close)
    out = []
    for t in range(len(close)):
        past = _present(ranges, t)
        if len(past) < window:
            out.append(math.nan)
            continue
        keep = (window - 1) / window
        later = past[window:]
        seed = math.fsum(past[:window]) / window
        terms = [keep**age * v / window for age, v in enumerate(reversed(later))]
        out.append(math.fsum([seed * keep ** len(later), *terms]))
    return out


def close_sigma(open_: Sequence[float], close: Sequence[float], window: int) -> list[float]:
    """Root of the mean of the last `window` squared returns between present closes; the first bar's is close/open - 1."""
    out = []
    for t in range(len(close)):
        bars = [i for i in range(t + 1) if not math.isnan(close[i])]
        bases = [open_[i] if k == 0 else close[bars[k - 1]] for k, i in enumerate(bars)]
        squares = [(close[i] / base - 1) ** 2 for i, base in zip(bars, bases, strict=True)][-window:]
        out.append(math.sqrt(math.fsum(squares) / len(squares)) if squares else math.nan)
    return out
