"""Exact numbers: roots, rounding to lots and ticks, and the watch over comparisons that floats may decide otherwise."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, localcontext
from fractions import Fraction
from math import ceil, floor

from .scenario import Bars

__all__ = ["SLACK", "Watch", "adjusted", "atr_table", "binary", "down_to_lot", "root", "round_level", "sigma_table", "snapped", "tidy"]

SLACK = Fraction(1, 10**9)  # "Lot and cash tests allow 1e-9 relative"
_NEAR = Fraction(1, 10**10)
_BITS = 256


def root(x: Fraction) -> Fraction:
    """The square root to 50 digits: the one irrational operation of the contract (volume share, sigma)."""
    if x == 0:
        return Fraction(0)
    with localcontext() as context:
        context.prec = 50
        return Fraction((Decimal(x.numerator) / Decimal(x.denominator)).sqrt())


def tidy(x: Fraction) -> Fraction:
    """The number, rounded to 2**-128 where its denominator has grown past 256 bits: keeps thirty bars of divisions fast."""
    if x.denominator.bit_length() <= _BITS:
        return x
    return Fraction(round(x * 2**128), 2**128)


def binary(x: Fraction | int) -> bool:
    """True where a float holds the number exactly with room to spare for the sums around it."""
    x = Fraction(x)
    d = x.denominator
    return d & (d - 1) == 0 and d <= 2**36 and abs(x.numerator) < 2**50


class Watch:
    """Remembers the comparisons whose outcome in floats is a matter of rounding.

    Two numbers that are equal, or nearly, are safe only while everything they came from is held exactly by floats.
    Money is spoilt by the first inexact number booked, prices by the first inexact fill or average price.
    """

    def __init__(self) -> None:
        self.money_spoilt = False
        self.prices_spoilt: set[int] = set()  # assets
        self.fragile: list[str] = []

    def booked(self, *numbers: Fraction) -> None:
        """Quantities, prices and commissions on their way into cash."""
        self.money_spoilt |= not all(binary(x) for x in numbers)

    def priced(self, asset: int, *numbers: Fraction) -> None:
        """What an average price of this asset was made of."""
        if not all(binary(x) for x in numbers):
            self.prices_spoilt.add(asset)

    def at_most(self, a: Fraction, b: Fraction, what: str, scale: Fraction | int = 0, spoilt: bool | None = None) -> bool:
        """`a <= b`, noted where floats may disagree: amounts of money, or prices that say themselves whether they are spoilt."""
        close = abs(a - b) <= _NEAR * max(abs(a), abs(b), abs(Fraction(scale)))
        unsafe = self.money_spoilt if spoilt is None else spoilt
        if close and (unsafe or not (binary(a) and binary(b))):
            self.fragile.append(what)
        return a <= b

    def slack(self, a: Fraction, edge: Fraction, what: str, scale: Fraction | int = 0) -> None:
        """Note where `a` lies just at the edge of an allowance (the edge itself is not a touch of the grid)."""
        if a != edge and abs(a - edge) <= SLACK / 50 * max(abs(a), abs(edge), abs(scale)):
            self.fragile.append(what)


def down_to_lot(q: Fraction, lot: Fraction, watch: Watch | None = None) -> Fraction:
    """F5: `|q|` toward zero to whole lots, a whole lot being allowed to miss by 1e-9 of itself; sign kept."""
    if lot == 0 or q == 0:
        return q
    ratio = abs(q) / lot
    count = floor(ratio * (1 + SLACK))
    if watch is not None:
        watch.slack(ratio * (1 + SLACK), Fraction(count), "lot")
        watch.slack(ratio * (1 + SLACK), Fraction(count + 1), "lot")
    return count * lot if q > 0 else -count * lot


def snapped(q: Fraction, held: Fraction) -> Fraction:
    """O6: `q`, or what is held where they are 1e-9 of it apart; both >= 0."""
    return held if abs(q - held) <= SLACK * held else q


def round_level(level: Fraction, tick: Fraction, side: int, watch: Watch | None = None) -> Fraction:
    """F5: a protective level on the tick grid, up for a long, down for a short."""
    if tick == 0:
        return level
    ratio = level / tick
    ratio -= side * SLACK * abs(ratio)
    count = ceil(ratio) if side > 0 else floor(ratio)
    if watch is not None:
        for edge in (count - 1, count, count + 1):
            watch.slack(ratio, Fraction(edge), "tick")
    return count * tick


def adjusted(bars: Bars) -> Bars:
    """T9: prices times the product of the split ratios up to their bar; on a bar with a market all of them are booked."""
    product = [Fraction(1)] * len(bars.lot)
    tables: list[list[list[Fraction | None]]] = [[], [], [], []]
    for t in range(len(bars.close)):
        product = [a * Fraction(bars.splits.get((t, n), 1)) for n, a in enumerate(product)]
        for table, rows in zip(tables, (bars.open, bars.high, bars.low, bars.close), strict=True):
            table.append([None if v is None else v * a for v, a in zip(rows[t], product, strict=True)])
    return replace(bars, open=tables[0], high=tables[1], low=tables[2], close=tables[3])


def atr_table(bars: Bars, window: int) -> list[list[Fraction | None]]:
    """Wilder's ATR after each bar: seeded by the mean of the first `window` true ranges, then moved by 1/window.

    The first valid bar's true range is `h - l`; bars without market keep the last value; None before `window` valid bars.
    """
    n_assets = len(bars.close[0])
    table: list[list[Fraction | None]] = []
    value: list[Fraction | None] = [None] * n_assets
    first: list[list[Fraction]] = [[] for _ in range(n_assets)]
    last: list[Fraction | None] = [None] * n_assets
    for t in range(len(bars.close)):
        for n in range(n_assets):
            h, low, c = bars.high[t][n], bars.low[t][n], bars.close[t][n]
            if h is None or low is None or c is None:
                continue
            before = last[n]
            true_range = h - low if before is None else max(h, before) - min(low, before)
            last[n] = c
            now = value[n]
            if now is not None:
                value[n] = tidy(now + (true_range - now) / window)
                continue
            first[n].append(true_range)
            if len(first[n]) == window:
                value[n] = sum(first[n], Fraction(0)) / window
        table.append(list(value))
    return table


def sigma_table(bars: Bars, window: int) -> list[list[Fraction]]:
    """F1: per bar and asset the root mean square of the last `window` valid close-to-close returns; 0 before the first."""
    n_assets = len(bars.close[0])
    squares: list[list[Fraction]] = [[] for _ in range(n_assets)]
    last: list[Fraction | None] = [None] * n_assets
    table: list[list[Fraction]] = []
    for t in range(len(bars.close)):
        row = []
        for n in range(n_assets):
            o, c = bars.open[t][n], bars.close[t][n]
            if o is not None and c is not None:
                before = last[n]
                base = o if before is None else before
                squares[n].append((c / base - 1) ** 2 if base else Fraction(0))
                last[n] = c
            recent = squares[n][-window:]
            row.append(root(sum(recent, Fraction(0)) / len(recent)) if recent else Fraction(0))
        table.append(row)
    return table
