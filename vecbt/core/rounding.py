"""Rounding to lots and ticks (F5), with its 1e-9 relative tolerance."""

from __future__ import annotations

import math

from .jit import kernel

__all__ = ["snapped", "tick_down", "tick_up", "whole_lots"]


@kernel
def whole_lots(quantity, lot):  # type: ignore[no-untyped-def]
    """`quantity >= 0` rounded down to whole lots, with 1e-9 relative tolerance (F5); lot 0 leaves it."""
    if lot <= 0.0:
        return quantity
    return math.floor(quantity / lot * (1.0 + 1e-9)) * lot


@kernel
def snapped(quantity, held):  # type: ignore[no-untyped-def]
    """`quantity`, or `held` itself where they are 1e-9 of it apart (O6): both >= 0. So 0.1 + 0.2 is closed by 0.3."""
    return held if abs(quantity - held) <= 1e-9 * held else quantity


@kernel
def tick_up(price, tick):  # type: ignore[no-untyped-def]
    """`price` rounded up to a tick, with 1e-9 relative tolerance; tick 0 leaves it."""
    if tick <= 0.0:
        return price
    ticks = price / tick
    return math.ceil(ticks * (1.0 - 1e-9) if ticks >= 0.0 else ticks * (1.0 + 1e-9)) * tick


@kernel
def tick_down(price, tick):  # type: ignore[no-untyped-def]
    """`price` rounded down to a tick, with 1e-9 relative tolerance; tick 0 leaves it."""
    if tick <= 0.0:
        return price
    ticks = price / tick
    return math.floor(ticks * (1.0 + 1e-9) if ticks >= 0.0 else ticks * (1.0 - 1e-9)) * tick
