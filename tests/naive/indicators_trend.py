"""Slow, obvious twins of the trend indicators: one asset, rows (high, low, close), every value from its definition."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

Row = Sequence[float]
Values = list[tuple[float, ...]]


def on_present(rows: Sequence[Row], outputs: int, of: Callable[[list[Row]], Values]) -> Values:
    """`of` the bars without a NaN, and NaN on the others."""
    values = iter(of([row for row in rows if not any(map(math.isnan, row))]))
    return [(math.nan,) * outputs if any(map(math.isnan, row)) else next(values) for row in rows]


def adx(rows: Sequence[Row], window: int) -> Values:
    """(ADX, +DI, -DI), with the weights of all movements written out."""
    keep = 1 - 1 / window

    def smoothed(moves: list[float]) -> float:
        """The first `window - 1` as one sum, then Wilder's: each step keeps `keep` of it."""
        last = len(moves) - 1
        return math.fsum(move * keep ** (last - max(i, window - 2)) for i, move in enumerate(moves))

    def values(bars: list[Row]) -> Values:
        plus, minus, reach, indices = [], [], [], []
        out: Values = []
        for t, (high, low, _) in enumerate(bars):
            if t > 0:
                up, down, close = high - bars[t - 1][0], bars[t - 1][1] - low, bars[t - 1][2]
                plus.append(up if up > max(down, 0) else 0.0)
                minus.append(down if down > max(up, 0) else 0.0)
                reach.append(max(high, close) - min(low, close))
            if len(reach) < window:
                out.append((math.nan, math.nan, math.nan))
                continue
            whole = smoothed(reach)
            p, m = (100 * smoothed(moves) / whole if whole else 0.0 for moves in (plus, minus))
            indices.append(100 * abs(p - m) / (p + m) if p + m else 0.0)
            average = math.nan
            if len(indices) >= window:
                later = indices[window:]
                terms = [keep**age * v / window for age, v in enumerate(reversed(later))]
                average = math.fsum([math.fsum(indices[:window]) / window * keep ** len(later), *terms])
            out.append((average, p, m))
        return out

    return on_present(rows, 3, values)


def aroon(rows: Sequence[Row], window: int) -> Values:
    """(up, down, oscillator) of the last `window + 1` bars; of equals the latest counts."""

    def values(bars: list[Row]) -> Values:
        out: Values = []
        for t in range(len(bars)):
            if t < window:
                out.append((math.nan, math.nan, math.nan))
                continue
            newest_first = bars[t - window : t + 1][::-1]
            highs, lows = [b[0] for b in newest_first], [b[1] for b in newest_first]
            up = 100 * (window - highs.index(max(highs))) / window
            down = 100 * (window - lows.index(min(lows))) / window
            out.append((up, down, up - down))
        return out

    return on_present(rows, 3, values)


def _atr(bars: list[Row], window: int) -> list[float]:
    """Plain recursion, so that a close exactly on a band is on it here as well."""
    ranges = [bars[t][0] - bars[t][1] for t in range(len(bars))]
    for t in range(1, len(bars)):
        before = bars[t - 1][2]
        ranges[t] = max(ranges[t], abs(bars[t][0] - before), abs(bars[t][1] - before))
    out: list[float] = []
    for t in range(len(bars)):
        if t < window - 1:
            out.append(math.nan)
        elif t == window - 1:
            out.append(sum(ranges[:window]) / window)
        else:
            out.append((out[-1] * (window - 1) + ranges[t]) / window)
    return out


def supertrend(rows: Sequence[Row], window: int, multiplier: float) -> Values:
    """(line, direction), both bands kept as lists."""

    def values(bars: list[Row]) -> Values:
        atr = _atr(bars, window)
        out: Values = []
        uppers: list[float] = []
        lowers: list[float] = []
        up = False
        for t, (high, low, close) in enumerate(bars):
            if math.isnan(atr[t]):
                out.append((math.nan, math.nan))
                continue
            upper, lower = (high + low) / 2 + multiplier * atr[t], (high + low) / 2 - multiplier * atr[t]
            if uppers:
                before = bars[t - 1][2]
                upper = upper if upper < uppers[-1] or before > uppers[-1] else uppers[-1]
                lower = lower if lower > lowers[-1] or before < lowers[-1] else lowers[-1]
                up = close >= lower if up else close > upper
            uppers.append(upper)
            lowers.append(lower)
            out.append((lower, 1.0) if up else (upper, -1.0))
        return out

    return on_present(rows, 2, values)


def parabolic_sar(rows: Sequence[Row], step: float, maximum: float) -> list[float]:
    """Wilder's rules, rise and fall written out."""
    step = min(step, maximum)

    def values(bars: list[Row]) -> Values:
        out: Values = []
        rising, stop, extreme, factor = True, 0.0, 0.0, step
        for t, (high, low, *_) in enumerate(bars):
            if t == 0:
                out.append((math.nan,))
                continue
            # the trend begins on the second bar, which has nothing but itself before it
            high_before, low_before = bars[t - 1][:2] if t > 1 else (high, low)
            if t == 1:
                fell, rose = bars[0][1] - low, high - bars[0][0]
                rising = not (fell > 0 and fell > rose)
                stop, extreme = (bars[0][1], high) if rising else (bars[0][0], low)
            if rising and low <= stop:
                rising, factor = False, step
                out.append((max(extreme, high_before, high),))
                extreme = low
                stop = max(out[-1][0] + factor * (extreme - out[-1][0]), high_before, high)
            elif not rising and high >= stop:
                rising, factor = True, step
                out.append((min(extreme, low_before, low),))
                extreme = high
                stop = min(out[-1][0] + factor * (extreme - out[-1][0]), low_before, low)
            else:
                out.append((stop,))
                if (rising and high > extreme) or (not rising and low < extreme):
                    extreme, factor = high if rising else low, min(factor + step, maximum)
                stop += factor * (extreme - stop)
                stop = min(stop, low_before, low) if rising else max(stop, high_before, high)
        return out

    return [value for (value,) in on_present(rows, 1, values)]


def ichimoku(rows: Sequence[Row], conversion: int, base: int, span: int) -> Values:
    """The four lines as drawn at each bar: middles of price ranges, the spans from `base` bars earlier."""

    def middle(bars: list[Row], t: int, window: int) -> float:
        last = bars[t + 1 - window : t + 1] if t + 1 >= window else []
        return (max(b[0] for b in last) + min(b[1] for b in last)) / 2 if last else math.nan

    def values(bars: list[Row]) -> Values:
        out: Values = []
        for t in range(len(bars)):
            fast, slow, then = middle(bars, t, conversion), middle(bars, t, base), t - base
            out.append((fast, slow, (middle(bars, then, conversion) + middle(bars, then, base)) / 2, middle(bars, then, span)))
        return out

    return on_present(rows, 4, values)
