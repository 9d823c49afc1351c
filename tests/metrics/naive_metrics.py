"""Slow, obvious twins of the metrics: plain Python, one formula of SEMANTICS section M each, sums by `math.fsum`."""

from __future__ import annotations

import math
from collections.abc import Sequence

NAN = math.nan


def returns(equity: Sequence[float], initial: float) -> list[float]:
    """M1: simple, the first against `initial`."""
    before = [initial, *equity[:-1]]
    return [now / then - 1 if then > 0 else NAN for now, then in zip(equity, before, strict=True)]


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def std(values: Sequence[float]) -> float:
    """Sample deviation; M5: 0 when it is below 1e-12 of the largest |r|."""
    if len(values) < 2:
        return NAN
    centre = mean(values)
    spread = math.sqrt(math.fsum((v - centre) ** 2 for v in values) / (len(values) - 1))
    return 0.0 if spread < 1e-12 * max(abs(v) for v in values) else spread


def volatility(values: Sequence[float], periods: float) -> float:
    return std(values) * math.sqrt(periods)


def sharpe(values: Sequence[float], periods: float, rf: float = 0.0) -> float:
    spread = std(values)
    return (mean(values) - rf) / spread * math.sqrt(periods) if spread > 0 else NAN


def sortino(values: Sequence[float], periods: float, mar: float = 0.0) -> float:
    if not values:
        return NAN
    below = math.sqrt(math.fsum(min(v - mar, 0.0) ** 2 for v in values) / len(values))
    if below <= 1e-12 * max(abs(v) for v in values):
        return NAN
    return (mean(values) - mar) / below * math.sqrt(periods)


def cagr(equity: Sequence[float], initial: float, periods: float) -> float:
    if not equity or equity[-1] <= 0:
        return NAN
    try:
        return float((equity[-1] / initial) ** (periods / len(equity)) - 1)
    except OverflowError:
        return NAN


def drawdown(equity: Sequence[float], initial: float) -> list[float]:
    """Z1: below the highest of `initial` and all closes so far."""
    return [1 - equity[t] / max(initial, *equity[: t + 1]) for t in range(len(equity))]


def max_drawdown(equity: Sequence[float], initial: float) -> float:
    return max(drawdown(equity, initial)) if equity else NAN


def calmar(equity: Sequence[float], initial: float, periods: float) -> float:
    worst = max_drawdown(equity, initial)
    return cagr(equity, initial, periods) / worst if worst > 0 else NAN


def ulcer(equity: Sequence[float], initial: float) -> float:
    return math.sqrt(math.fsum(d * d for d in drawdown(equity, initial)) / len(equity)) if equity else NAN


def longest_drawdown_bars(equity: Sequence[float], initial: float) -> float:
    """M6: for each bar as the peak, the distance to the first later bar at or above it, when something in between was below."""
    if not equity:
        return NAN
    curve = [initial, *equity]
    longest = 0
    for peak in range(len(curve)):
        if curve[peak] < max(curve[: peak + 1]):
            continue
        end = peak + 1
        while end < len(curve) and curve[end] < curve[peak]:
            end += 1
        below = end - peak - 1
        if below:
            longest = max(longest, end - peak if end < len(curve) else below)
    return float(longest)


def quantile(values: Sequence[float], alpha: float) -> float:
    ordered = sorted(values)
    rank = alpha * (len(ordered) - 1)
    if abs(rank - round(rank)) < 1e-9:
        return ordered[round(rank)]
    below = math.floor(rank)
    return ordered[below] + (rank - below) * (ordered[below + 1] - ordered[below])


def var(values: Sequence[float], alpha: float = 0.05) -> float:
    return -quantile(values, alpha) if values else NAN


def cvar(values: Sequence[float], alpha: float = 0.05) -> float:
    if not values:
        return NAN
    bound = quantile(values, alpha)
    return -mean([v for v in values if v <= bound])


def trades(pnl: Sequence[float], risk: Sequence[float], held: Sequence[int]) -> dict[str, float]:
    """M4: over closed trades."""
    loss = -math.fsum(p for p in pnl if p < 0)
    multiples = [p / r for p, r in zip(pnl, risk, strict=True) if r > 0]
    return {
        "trades": float(len(pnl)),
        "win_rate": sum(p > 0 for p in pnl) / len(pnl) if pnl else NAN,
        "profit_factor": math.fsum(p for p in pnl if p > 0) / loss if loss > 0 else NAN,
        "expectancy": mean(pnl) if pnl else NAN,
        "r_expectancy": mean(multiples) if multiples else NAN,
        "average_holding_bars": mean(held) if held else NAN,
    }


def positions(fills: Sequence[tuple[int, int, float]], start: Sequence[float], bars: int) -> list[list[float]]:
    """Quantity at each close: `start` and all fills `(t, asset, q)` up to it."""

    def held(t: int, n: int) -> float:
        return start[n] + math.fsum(q for when, asset, q in fills if asset == n and when <= t)

    return [[held(t, n) for n in range(len(start))] for t in range(bars)]


def downside_deviation(values: Sequence[float], periods: float, mar: float = 0.0) -> float:
    """M2: what `sortino` divides by, annualized; M5: 0 when it is rounding."""
    if not values:
        return NAN
    below = math.sqrt(math.fsum(min(v - mar, 0.0) ** 2 for v in values) / len(values))
    return 0.0 if below < 1e-12 * max(abs(v) for v in values) else below * math.sqrt(periods)


def omega(values: Sequence[float], mar: float = 0.0) -> float:
    losses = math.fsum(max(mar - v, 0.0) for v in values)
    if not values or losses / len(values) <= 1e-12 * max(abs(v) for v in values):
        return NAN
    return math.fsum(max(v - mar, 0.0) for v in values) / losses


def central(values: Sequence[float], power: int) -> float:
    centre = mean(values)
    return math.fsum((v - centre) ** power for v in values) / len(values)


def skew(values: Sequence[float]) -> float:
    """G1 of Joanes and Gill."""
    n = len(values)
    if n < 3 or std(values) == 0.0:
        return NAN
    return central(values, 3) / central(values, 2) ** 1.5 * math.sqrt(n * (n - 1)) / (n - 2)


def kurtosis(values: Sequence[float]) -> float:
    """G2 of Joanes and Gill."""
    n = len(values)
    if n < 4 or std(values) == 0.0:
        return NAN
    excess = central(values, 4) / central(values, 2) ** 2 - 3
    return (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * excess + 6)


def tail_ratio(values: Sequence[float], alpha: float = 0.05) -> float:
    if not values or quantile(values, alpha) == 0:
        return NAN
    return abs(quantile(values, 1 - alpha)) / abs(quantile(values, alpha))


def outcomes(trades: Sequence[tuple[float, int, int]]) -> dict[str, float]:
    """Of `(pnl, side, bars held)` in the order they were closed."""
    wins, losses = [p for p, _, _ in trades if p > 0], [-p for p, _, _ in trades if p < 0]
    signs = "".join("w" if p > 0 else "l" if p < 0 else "." for p, _, _ in trades)
    streaks = {sign: max((len(part) for part in "".join(c if c == sign else " " for c in signs).split()), default=0) for sign in "wl"}
    average_win, average_loss = (mean(part) if part else NAN for part in (wins, losses))
    return {
        "average_win": average_win,
        "average_loss": average_loss,
        "payoff_ratio": average_win / average_loss if losses else NAN,
        "best_trade": max((p for p, _, _ in trades), default=NAN),
        "worst_trade": min((p for p, _, _ in trades), default=NAN),
        "longest_winning_streak": float(streaks["w"]),
        "longest_losing_streak": float(streaks["l"]),
        "longest_holding_bars": float(max((held for _, _, held in trades), default=NAN)),
        "long_trades": float(sum(side > 0 for _, side, _ in trades)),
        "short_trades": float(sum(side < 0 for _, side, _ in trades)),
        "long_pnl": math.fsum(p for p, side, _ in trades if side > 0),
        "short_pnl": math.fsum(p for p, side, _ in trades if side < 0),
    }
