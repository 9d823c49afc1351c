"""Both sides from one market: a long's prices mirrored around 100 are a short's, so one set of numbers serves both.

Most markets of the P rules start with a flat bar at 100, an entry decided at its close and filled at 100 at the open of the next bar. A
long's fall to 97 is a short's rise to 103; the prices of fills are mirrored back, so that a test compares them with what a long would do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

import vecbt as vb
from tests.rules.helpers import Given, bars_of, run, signals

ONE = vb.Units(1)
BOTH_SIDES = pytest.mark.parametrize("side", ["long", "short"])
BOTH_FILLS = pytest.mark.parametrize("fill", ["next_open", "close"])

_SWAPPED = str.maketrans("LlSs", "SsLl")


def mirrored(prices: Sequence[Any]) -> list[Any]:
    """Each price p becomes 200 - p: highs become lows. Volumes stay."""
    return [None if bar is None else 200 - bar if isinstance(bar, int | float) else _turned(*bar) for bar in prices]


def _turned(o: float, h: float, low: float, c: float, *volume: float) -> tuple[float, ...]:
    return (200 - o, 200 - low, 200 - h, 200 - c, *volume)


def sided(side: str, prices: Sequence[Any], **options: Any) -> vb.Bars:
    """Bars as given for a long, mirrored for a short."""
    return bars_of(list(prices) if side == "long" else mirrored(prices), **options)


def word(side: str, text: str) -> Given:
    """Signals written for a long; for a short, the sides are exchanged."""
    return signals(text if side == "long" else text.translate(_SWAPPED))


def sign(side: str) -> float:
    """+1 for a long, -1 for a short."""
    return 1.0 if side == "long" else -1.0


def at(side: str, price: float) -> float:
    """A long's price as this side meets it."""
    return price if side == "long" else 200 - price


def exits(side: str, prices: Sequence[Any], stops: vb.Stops, *, tick: float = 0.0, **keywords: Any) -> list[tuple[int, float, str]]:
    """(bar, price as a long's, reason) of what ended a position of one unit entered by a signal at bar 0."""
    out = run(sided(side, prices, tick=tick), word(side, "L"), stops=stops, sizing=ONE, **keywords).exits()
    return [(t, at(side, price), reason) for t, price, reason in out]
