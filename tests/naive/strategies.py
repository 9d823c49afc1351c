"""Slow twins of the ready-made strategies: plain Python over lists, from their definitions. None is a missing value or nothing said."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

Numbers = Sequence[float | None]

UP = {"long": 1, "short": 8, "both": 1}
DOWN = {"long": 2, "short": 4, "both": 4}
SIDES = {"long": 3, "short": 12, "both": 15}


def turns(one: Numbers, other: Numbers, direction: str, tie: float = 1e-9) -> list[int]:
    """Flags where `one` changes its side of `other`; values within `tie` are ties, which two methods round apart."""
    last, out = 0, []
    for a, b in zip(one, other, strict=True):
        side = 0 if a is None or b is None or abs(a - b) < tie else (1 if a > b else -1)
        out.append(0 if side == 0 or last in (0, side) else (UP if side > 0 else DOWN)[direction])
        last = side or last
    return out


def fades(levels: Numbers, low: float, middle: float, high: float, direction: str) -> list[int]:
    """Flags where a level is crossed, from the last value there was to this one."""
    last, out = None, []
    for level in levels:
        flags = 0
        if level is not None and last is not None:
            flags |= 1 if last >= low > level else 0
            flags |= 2 if last < middle <= level else 0
            flags |= 4 if last <= high < level else 0
            flags |= 8 if last > middle >= level else 0
        out.append(flags & SIDES[direction])
        last = last if level is None else level
    return out


def channel(highs: Numbers, lows: Numbers, closes: Numbers, entry: int, leave: int, direction: str) -> list[int]:
    """Flags of a breakout: the close against the bars before it that had a market."""
    seen: list[int] = []
    out = []
    for t, close in enumerate(closes):
        flags = 0
        if close is not None:
            tops = [highs[k] for k in seen]
            floors = [lows[k] for k in seen]
            if len(seen) >= entry:
                flags |= 1 if close > max(tops[-entry:]) else 0  # type: ignore[type-var]
                flags |= 4 if close < min(floors[-entry:]) else 0  # type: ignore[type-var]
            if len(seen) >= leave:
                flags |= 2 if close < min(floors[-leave:]) else 0  # type: ignore[type-var]
                flags |= 8 if close > max(tops[-leave:]) else 0  # type: ignore[type-var]
            seen.append(t)
        out.append(flags & SIDES[direction])
    return out


def targeted(closes: Numbers, window: int, target: float, decay: float, periods: float, most: float, inertia: float) -> list[float | None]:
    """Weights of a trend at its volatility, both sides; None where nothing is said."""
    seen: list[float] = []
    out: list[float | None] = []
    variance = last = None
    for close in closes:
        said = None
        if close is not None:
            seen.append(close)
            if len(seen) > 1:
                square = (seen[-1] / seen[-2] - 1) ** 2
                variance = square if variance is None else decay * variance + (1 - decay) * square
            if len(seen) > window and variance:
                past = seen[-1] - seen[-1 - window]
                weight = math.copysign(min(most, target / math.sqrt(variance * periods)), past) if past else 0.0
                if last is None or abs(weight - last) > inertia * abs(last):
                    said = last = weight
        out.append(said)
    return out


def rotated(
    closes: Sequence[Numbers], begins: Sequence[bool], lookback: int, skip: int, top_n: int, absolute: bool
) -> list[list[float | None]]:
    """Weights of each asset on its first bar of a period; `closes` are lists by asset."""
    assets = range(len(closes))
    seen: list[list[float]] = [[] for _ in assets]
    told = [False for _ in assets]
    weights: list[float] | None = None
    out: list[list[float | None]] = []
    for t, first in enumerate(begins):
        present = [closes[n][t] is not None for n in assets]
        for n in assets:
            value = closes[n][t]
            if value is not None:
                seen[n].append(value)
        if first:
            told = [False for _ in assets]
            past = {n: seen[n][-1 - skip] / seen[n][-1 - skip - lookback] for n in assets if present[n] and len(seen[n]) > lookback + skip}
            ranked = sorted(past, key=lambda n: -past[n])
            chosen = [n for n in ranked if not absolute or past[n] > 1][:top_n]
            weights = [1 / top_n if n in chosen else 0.0 for n in assets] if past else None
        row: list[float | None] = []
        for n in assets:
            row.append(weights[n] if weights is not None and present[n] and not told[n] else None)
            told[n] = told[n] or present[n]
        out.append(row)
    return out


def paired(first: Numbers, second: Numbers, window: int, entry: float, leave: float) -> list[float | None]:
    """The side of the ratio where it changes."""
    ratios: list[float] = []
    side, out = 0.0, []
    for a, b in zip(first, second, strict=True):
        before = side
        if a is not None and b is not None and a > 0 and b > 0:
            ratios.append(a / b)
            last = ratios[-window:]
            spread = statistics.pstdev(last)
            if len(last) == window and spread > 1e-12:
                score = (ratios[-1] - statistics.fmean(last)) / spread
                if abs(score) > entry:
                    side = -1.0 if score > 0 else 1.0
                elif (side > 0 and score >= -leave) or (side < 0 and score <= leave):
                    side = 0.0
        out.append(side if side != before else None)
    return out


def stances(flags: Sequence[int], present: Sequence[bool]) -> list[float]:
    """The side that an account without stops would hold after each row of flags (F11, S2)."""
    held, out = 0.0, []
    for said, there in zip(flags, present, strict=True):
        asks = {bit for bit in (1, 2, 4, 8) if said & bit} if there else set()
        for pair in ({1, 2}, {4, 8}, {1, 4}):
            if pair <= asks:
                asks -= pair
        if 1 in asks:
            held = 1.0
        elif 4 in asks:
            held = -1.0
        elif (2 in asks and held > 0) or (8 in asks and held < 0):
            held = 0.0
        out.append(held)
    return out
