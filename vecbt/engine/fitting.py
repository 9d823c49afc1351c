"""How many units fit into a room (F4, F10, S3), commission included: the arithmetic that the step and plain runs share."""

from __future__ import annotations

from ..core.jit import kernel

__all__ = ["TINY", "hair_below", "is_near", "next_factor", "units_at_a_rate"]

TINY = 1e-12
"""F10: how close the common factor comes."""

_HAIR, _NEAR = 4e-15, 1e-14  # parts of a room: below it by rounding, and as good as all of it


@kernel
def is_near(over, room):  # type: ignore[no-untyped-def]
    """Whether what is taken, `over` more than the room, is all of it but the last digits, and no more."""
    return (over <= 0.0) & (over >= -_NEAR * room)


@kernel
def units_at_a_rate(share, use, rated, rules):  # type: ignore[no-untyped-def]
    """Units that take a share of the room where commission is a rate: one takes `use` without it, and costs `rated`.

    Other costs find the number by `next_factor`; so does who finds that rounding, or what an order closes, has put this one off.
    """
    return share / (use + rules.leverage * rated)


@kernel
def hair_below(units):  # type: ignore[no-untyped-def]
    """A few of the last digits less, where rounding has put units above the room."""
    return units * (1.0 - _HAIR)


@kernel
def next_factor(k, below, above, room):  # type: ignore[no-untyped-def]
    """Round `k` between a factor that fits and one that does not, each with what it takes over the room; True: near enough.

    False position with every third step a bisection.
    """
    low, over_low = below
    high, over_high = above
    if high - low <= TINY or is_near(over_low, room):
        return low, True
    # rounding may have put the first guess above the room: from then on a hair below, so that the next one is near enough and fits
    aim = _HAIR * room if k > 0 else 0.0
    middle = low - (over_low + aim) * (high - low) / (over_high - over_low)
    if k % 3 == 2 or not low < middle < high:
        middle = 0.5 * (low + high)
    return middle, False
