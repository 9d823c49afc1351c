"""Units that an order of a plain account opens (F4, F10, S3): the rules of `matching`, in numbers."""

from __future__ import annotations

import math

from ..core.jit import kernel, spine
from ..core.lanes import choose
from ..core.rounding import whole_lots
from .fitting import TINY, hair_below, is_near, next_factor, units_at_a_rate
from .matching import commission_of

__all__ = ["affordable"]

_NO_ROUNDING = 1e-12  # a part of a sum that is more than what is lost of its digits


@spine
def affordable(order, fill, cash, house):  # type: ignore[no-untyped-def]
    """F4, F10, S3: units that the order opens when the account has room for no more than `cash`, in whole lots, and their commission."""
    rules, _, a, _ = house
    price, closed, fee = fill
    room = rules.leverage * cash
    slack = 1e-9 * abs(room)
    if room <= slack:
        return 0.0, 0.0
    units, fits = order.units, False
    if order.share > 0.0:
        share, each, used, extra = order.share * room, abs(price) * a.multiplier, math.inf, 0.0
        if not _costs_more(closed, rules):
            units = share / each
            used, extra = _use(1.0, units, fill, house)
        if used > share:
            units, extra = _at_share(share, each, fill, house)
        fits = share <= room  # what fits into a share of the room fits into the room
    else:
        used, extra = _use(1.0, units, fill, house)
    if not fits and _use(1.0, units, fill, house)[0] > room + slack:
        units *= _factor(room, units, fill, house)
        _, extra = _use(1.0, units, fill, house)
    if a.lot > 0.0:
        units = whole_lots(units, a.lot)
        extra = commission_of(rules, closed + units, price, a.multiplier, rules.rate) - fee
    return units, extra


@spine
def _costs_more(closed, rules):  # type: ignore[no-untyped-def]
    """Whether units worth all of a share cost more than it for certain: commission is a rate at least, and no rounding."""
    return closed == 0.0 and rules.leverage * rules.rate > _NO_ROUNDING and rules.maximum_rate == math.inf


@spine
def _at_share(share, each, fill, house):  # type: ignore[no-untyped-def]
    """`matching._fit_alone`, and the commission."""
    units = units_at_a_rate(share, each, each * house.rules.rate, house.rules)
    lower = hair_below(units)
    used, extra = _use(1.0, units, fill, house)
    used_lower, extra_lower = _use(1.0, lower, fill, house)
    over = used - share > 0.0  # no jump, and both at once: nobody can guess which, and all that follows waits for it
    units, used, extra = choose(over, lower, units), choose(over, used_lower, used), choose(over, extra_lower, extra)
    if not is_near(used - share, share):
        wanted = share / each
        units = wanted * _factor(share, wanted, fill, house)
        _, extra = _use(1.0, units, fill, house)
    return units, extra


@spine
def _use(factor, units, fill, house):  # type: ignore[no-untyped-def]
    """Room that so many units take, commission included; and that."""
    rules, _, a, _ = house
    price, closed, fee = fill
    opened = factor * units
    more = commission_of(rules, closed + opened, price, a.multiplier, rules.rate) - fee
    return opened * (abs(price) * a.multiplier) + rules.leverage * more, more


@kernel
def _factor(room, units, fill, house):  # type: ignore[no-untyped-def]
    """`matching.common_factor` of the only order."""
    low, high = TINY, 1.0
    over_low = _use(low, units, fill, house)[0] - room
    if over_low > 0.0:
        return 0.0
    over_high = _use(high, units, fill, house)[0] - room
    for k in range(200):
        middle, done = next_factor(k, (low, over_low), (high, over_high), room)
        if done:
            break
        over = _use(middle, units, fill, house)[0] - room
        if over > 0.0:
            high, over_high = middle, over
        else:
            low, over_low = middle, over
    return low
