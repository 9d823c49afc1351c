"""Which rows count, and what a row of targets asks for (W1 to W3)."""

from __future__ import annotations

import math

from ..core.codes import InputKind, Reason, SizeMethod
from ..core.jit import kernel
from ..execution.costs import commission, fill_price

__all__ = ["in_band", "is_met", "listens", "size_share", "sum_shares", "target_quantity", "time_is_up", "weights_base"]

_WEIGHTS = int(InputKind.WEIGHTS)
_EQUAL, _BY_VOLATILITY = int(SizeMethod.EQUAL_WEIGHT), int(SizeMethod.INVERSE_VOLATILITY)
_STOP, _TARGET = int(Reason.STOP), int(Reason.TARGET)
_QUICK_ROUNDS = 8
_MET = 1e-9  # W1: a target this close, relative, is met


@kernel
def listens(a, acct, rules, stops):  # type: ignore[no-untyped-def]
    """Whether the asset's row counts at this bar: S1 (no market), T10, P6, P9, S4 (a margin or risk exit)."""
    if a.delisted == 1 or math.isnan(a.close):
        return False
    if rules.at_close == 1 and a.stopped_t == acct.bars:
        return False
    if (acct.liquidating == 1 or acct.margin_call == 1) and a.q != 0.0:
        return False
    if a.order_active == 1 and a.order_close_all == 1 and _STOP <= a.order_reason <= _TARGET:
        return False  # F7: the rest of a protective exit waits
    return not time_is_up(a, acct, stops)


@kernel
def time_is_up(a, acct, stops):  # type: ignore[no-untyped-def]
    """P6."""
    if a.q == 0.0:
        return False
    by_bars = stops.time_bars > 0 and acct.bars - a.entry_t >= stops.time_bars
    return by_bars or (stops.time_days > 0 and acct.day - a.entry_day >= stops.time_days)


@kernel
def weights_base(lo, hi, acct, assets, rules, stops):  # type: ignore[no-untyped-def]
    """W2: the equity that target weights are fractions of."""
    value = acct.equity
    if value <= 0.0 or rules.net == 0:
        return value
    base, last_base, last_after = value, math.nan, math.nan
    for _ in range(_QUICK_ROUNDS):
        after = value - _rebalance_cost(lo, hi, base, acct, assets, rules, stops)
        if abs(after - base) <= 1e-12 * value:
            return after
        # costs are nearly straight in the base: the line through the last two points says where it will be what it leaves
        slope = (after - last_after) / (base - last_base)
        last_base, last_after = base, after
        base = (after - slope * base) / (1.0 - slope) if abs(slope) < 0.5 else after
    return _plain_base(lo, hi, acct, assets, rules, stops)


@kernel
def _plain_base(lo, hi, acct, assets, rules, stops):  # type: ignore[no-untyped-def]
    """Round after round of what is left; the smallest where 50 do not settle it."""
    value = acct.equity
    base, least = value, value
    for _ in range(50):
        after = value - _rebalance_cost(lo, hi, base, acct, assets, rules, stops)
        if after < least:
            least = after
        if abs(after - base) <= 1e-12 * value:
            return after
        base = after
    return least


@kernel
def _rebalance_cost(lo, hi, base, acct, assets, rules, stops):  # type: ignore[no-untyped-def]
    """Commission and slippage at this close of moving every listening asset to its weight of `base`."""
    total = 0.0
    for n in range(lo, hi):
        a = assets[n]
        if math.isnan(a.value) or not listens(a, acct, rules, stops) or in_band(a, acct, rules):
            continue
        target = target_quantity(a, base, rules)
        if not is_met(a, target):
            change = target - a.q
            price = fill_price(rules, a.close, 1.0 if change > 0.0 else -1.0, abs(change), a.sigma, a.volume, a.floor)
            money = abs(change * price) * a.multiplier
            fee = commission(rules, money * rules.rate, abs(change), money)
            total += fee + abs(price - a.close) * abs(change) * a.multiplier
    return total


@kernel
def in_band(a, acct, rules):  # type: ignore[no-untyped-def]
    """W3: near enough to its target weight to be left alone; 0 always closes."""
    weight = _allowed(a.value, rules)
    if rules.kind != _WEIGHTS or rules.band <= 0.0 or weight == 0.0 or acct.equity <= 0.0:
        return False
    now = a.q * a.multiplier * abs(a.close) / acct.equity
    return abs(now - weight) <= rules.band


@kernel
def _allowed(target, rules):  # type: ignore[no-untyped-def]
    """S1: a target on a forbidden side is 0."""
    if (target > 0.0 and rules.longs == 0) or (target < 0.0 and rules.shorts == 0):
        return 0.0
    return target


@kernel
def is_met(a, target):  # type: ignore[no-untyped-def]
    """W1: within 1e-9 of what is held."""
    return abs(target - a.q) <= _MET * abs(a.q)


@kernel
def target_quantity(a, base, rules):  # type: ignore[no-untyped-def]
    """Signed quantity the row asks for: of `base` for weights, itself for quantities."""
    target = _allowed(a.value, rules)
    if rules.kind != _WEIGHTS:
        return target
    if base <= 0.0 or a.close == 0.0:
        return 0.0
    return target * base / (abs(a.close) * a.multiplier)


@kernel
def sum_shares(lo, hi, acct, assets, rules):  # type: ignore[no-untyped-def]
    """S3: what makes a share of the account: how many assets it has, or the sum of 1/sigma of those that have one."""
    total = 0.0
    for n in range(lo, hi):
        if rules.method == _EQUAL:
            total += 1.0
        elif assets[n].bar_sigma > 0.0 and assets[n].delisted == 0:
            total += 1.0 / assets[n].bar_sigma
    acct.share_sum = total


@kernel
def size_share(a, acct, rules):  # type: ignore[no-untyped-def]
    """S3: the asset's part of the account, equal or by inverse volatility; NaN where neither is asked for."""
    if rules.method == _EQUAL:
        return 1.0 / acct.share_sum
    if rules.method == _BY_VOLATILITY and a.bar_sigma > 0.0:
        return 1.0 / a.bar_sigma / acct.share_sum
    return math.nan
