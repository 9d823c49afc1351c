"""Slow, obvious twins of averages and oscillators: one asset, plain Python lists, every value from its definition.

Where a list of bars is taken, a bar without a market is NaN in all of its fields. `gapless` does the one thing that all have in common.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

Floats = Sequence[float]
NAN = math.nan


def gapless(twin: Callable[..., list[float]], *rows: Floats) -> list[float]:
    """`twin` on the bars that have a market, NaN on the others."""
    there = [t for t in range(len(rows[0])) if not any(math.isnan(row[t]) for row in rows)]
    out = [NAN] * len(rows[0])
    for t, value in zip(there, twin(*([row[t] for t in there] for row in rows)), strict=True):
        out[t] = value
    return out


def rolling(values: Floats, window: int, function: Callable[[list[float]], float]) -> list[float]:
    """`function` of the last `window` values."""
    return [function(list(values[t + 1 - window : t + 1])) if t + 1 >= window else NAN for t in range(len(values))]


def mean(values: Floats) -> float:
    """Arithmetic mean."""
    return math.fsum(values) / len(values)


def smooth(values: Floats, span: int, alpha: float | None = None) -> list[float]:
    """Exponential average of what is there, seeded by the mean of the first `span`; NaN stays out of it."""
    alpha = 2 / (span + 1) if alpha is None else alpha
    there: list[float] = []
    out, value = [], NAN
    for x in values:
        if math.isnan(x):
            out.append(NAN)
            continue
        there.append(x)
        if len(there) == span:
            value = mean(there)
        elif len(there) > span:
            value = (1 - alpha) * value + alpha * x
        out.append(value)
    return out


def means(values: Floats, window: int) -> list[float]:
    """Mean of the last `window` values that are there; NaN where one is missing."""
    return gapless(lambda there: rolling(there, window, mean), values)


def wma(values: Floats, window: int) -> list[float]:
    """Weights 1 to `window`."""
    weights = range(1, window + 1)
    return rolling(values, window, lambda part: math.fsum(w * x for w, x in zip(weights, part, strict=True)) / sum(weights))


def dema(values: Floats, span: int) -> list[float]:
    """Mulloy's formula."""
    first = smooth(values, span)
    return [2 * a - b for a, b in zip(first, smooth(first, span), strict=True)]


def tema(values: Floats, span: int) -> list[float]:
    """Mulloy's formula."""
    first = smooth(values, span)
    second = smooth(first, span)
    return [3 * a - 3 * b + c for a, b, c in zip(first, second, smooth(second, span), strict=True)]


def hma(values: Floats, window: int) -> list[float]:
    """Hull's formula, both numbers of bars rounded down."""
    half, root = max(window // 2, 1), int(math.sqrt(window))
    raw = [2 * a - b for a, b in zip(wma(values, half), wma(values, window), strict=True)]
    return gapless(lambda there: wma(there, root), raw)


def kama(values: Floats, window: int, fast: int = 2, slow: int = 30) -> list[float]:
    """Kaufman's formula; the value before the first average is its seed."""
    out = [NAN] * len(values)
    for t in range(window, len(values)):
        gone = math.fsum(abs(values[i] - values[i - 1]) for i in range(t - window + 1, t + 1))
        efficiency = abs(values[t] - values[t - window]) / gone if gone else 1.0
        c = efficiency * (2 / (fast + 1) - 2 / (slow + 1)) + 2 / (slow + 1)
        before = values[t - 1] if t == window else out[t - 1]
        out[t] = before + c**2 * (values[t] - before)
    return out


def alma(values: Floats, window: int, offset: float = 0.85, sigma: float = 6.0) -> list[float]:
    """Gaussian weights."""
    weights = [math.exp(-((i - offset * (window - 1)) ** 2) / (2 * (window / sigma) ** 2)) for i in range(window)]
    return rolling(values, window, lambda part: math.fsum(w * x for w, x in zip(weights, part, strict=True)) / math.fsum(weights))


def typical(high: Floats, low: Floats, close: Floats) -> list[float]:
    """Typical prices."""
    return [(h + l + c) / 3 for h, l, c in zip(high, low, close, strict=True)]  # noqa: E741


def vwma(price: Floats, volume: Floats, window: int) -> list[float]:
    """Prices of a window weighted by volume."""
    out = [NAN] * len(price)
    for t in range(window - 1, len(price)):
        part = range(t + 1 - window, t + 1)
        traded = math.fsum(volume[i] for i in part)
        out[t] = math.fsum(price[i] * volume[i] for i in part) / traded if traded else NAN
    return out


def vwap(high: Floats, low: Floats, close: Floats, volume: Floats, window: int) -> list[float]:
    """Typical prices of a window weighted by volume."""
    return vwma(typical(high, low, close), volume, window)


def session_vwap(high: Floats, low: Floats, close: Floats, volume: Floats, session: Floats) -> list[float]:
    """Typical prices of the session so far weighted by volume."""
    price = typical(high, low, close)
    out = []
    for t in range(len(price)):
        part = [i for i in range(t + 1) if session[i] == session[t]]
        traded = math.fsum(volume[i] for i in part)
        out.append(math.fsum(price[i] * volume[i] for i in part) / traded if traded else NAN)
    return out


def changes(values: Floats) -> list[float]:
    """Each value less the one before; the first has none."""
    return [values[t] - values[t - 1] if t > 0 else NAN for t in range(len(values))]


def ratio(part: float, total: float) -> float:
    """In percent, NaN where there is nothing to divide by."""
    return 100 * part / total if total else NAN


def rsi(values: Floats, window: int) -> list[float]:
    """Share of Wilder's average of rises."""
    gains = smooth([NAN if math.isnan(c) else max(c, 0.0) for c in changes(values)], window, 1 / window)
    losses = smooth([NAN if math.isnan(c) else max(-c, 0.0) for c in changes(values)], window, 1 / window)
    return [ratio(g, g + b) for g, b in zip(gains, losses, strict=True)]


def momentum(values: Floats, window: int) -> list[float]:
    """Value less an earlier one."""
    return [values[t] - values[t - window] if t >= window else NAN for t in range(len(values))]


def roc(values: Floats, window: int) -> list[float]:
    """The same in percent of the earlier one."""
    return [ratio(d, values[t - window]) if t >= window else NAN for t, d in enumerate(momentum(values, window))]


def tsi(values: Floats, long: int, short: int) -> list[float]:
    """Changes over their sizes, both smoothed twice."""
    moves = smooth(smooth(changes(values), long), short)
    sizes = smooth(smooth([abs(c) for c in changes(values)], long), short)
    return [ratio(m, s) for m, s in zip(moves, sizes, strict=True)]


def macd(values: Floats, fast: int, slow: int, signal: int) -> list[list[float]]:
    """Line, signal, histogram; the fast average begins `slow - fast` values later."""
    late = slow - fast
    quick = [NAN] * min(late, len(values)) + smooth(values[late:], fast)
    line = [a - b for a, b in zip(quick, smooth(values, slow), strict=True)]
    return _with_signal(line, signal)


def ppo(values: Floats, fast: int, slow: int, signal: int) -> list[list[float]]:
    """Line, signal, histogram, in percent."""
    line = [ratio(a - b, b) for a, b in zip(smooth(values, fast), smooth(values, slow), strict=True)]
    return _with_signal(line, signal)


def _with_signal(line: list[float], signal: int) -> list[list[float]]:
    average = smooth(line, signal)
    return [line, average, [a - b for a, b in zip(line, average, strict=True)]]


def places(high: Floats, low: Floats, close: Floats, window: int) -> list[float]:
    """Where the close stands in the range of the window, in percent."""
    out = [NAN] * len(close)
    for t in range(window - 1, len(close)):
        lowest, highest = min(low[t + 1 - window : t + 1]), max(high[t + 1 - window : t + 1])
        out[t] = ratio(close[t] - lowest, highest - lowest)
    return out


def stochastic(high: Floats, low: Floats, close: Floats, window: int, smoothing: int, signal: int) -> list[list[float]]:
    """%K and %D."""
    k = means(places(high, low, close, window), smoothing)
    return [k, means(k, signal)]


def stoch_rsi(values: Floats, window: int, stochastic_window: int, smoothing: int, signal: int) -> list[list[float]]:
    """The stochastic of the RSI, which counts where it is there."""
    strength = rsi(values, window)
    k = means(gapless(lambda there: places(there, there, there, stochastic_window), strength), smoothing)
    return [k, means(k, signal)]


def williams_r(high: Floats, low: Floats, close: Floats, window: int) -> list[float]:
    """How far the close is below the highest, in percent of the range."""
    out = [NAN] * len(close)
    for t in range(window - 1, len(close)):
        lowest, highest = min(low[t + 1 - window : t + 1]), max(high[t + 1 - window : t + 1])
        out[t] = -ratio(highest - close[t], highest - lowest)
    return out


def cci(high: Floats, low: Floats, close: Floats, window: int) -> list[float]:
    """Lambert's formula."""
    out = [NAN] * len(close)
    price = typical(high, low, close)
    for t in range(window - 1, len(close)):
        part = price[t + 1 - window : t + 1]
        deviation = mean([abs(p - mean(part)) for p in part])
        out[t] = (price[t] - mean(part)) / (0.015 * deviation) if max(part) > min(part) else NAN
    return out


def mfi(high: Floats, low: Floats, close: Floats, volume: Floats, window: int) -> list[float]:
    """Share of the money that moved with rising typical prices."""
    price = typical(high, low, close)
    out = [NAN] * len(close)
    for t in range(window, len(close)):
        part = range(t + 1 - window, t + 1)
        rising = math.fsum(price[i] * volume[i] for i in part if price[i] > price[i - 1])
        falling = math.fsum(price[i] * volume[i] for i in part if price[i] < price[i - 1])
        out[t] = ratio(rising, rising + falling)
    return out
