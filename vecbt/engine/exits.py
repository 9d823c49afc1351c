"""Exits outside the queue: protective ones (P), out of the bar at a drawdown (Z8), delistings (T10), the end (T8)."""

from __future__ import annotations

from ..core.codes import OrderStatus, Reason, Rule
from ..core.jit import kernel
from ..core.rounding import whole_lots
from ..execution.costs import commission, fill_price
from ..execution.orders import begin_order, clear_order, forget_fill
from ..risk.levels import count_inside, exit_at
from .account import close_leg, settle, touch
from .decide import end_waiting
from .matching import can_fill, log_order, volume_for

__all__ = ["close_at_end", "delist", "expose", "leave_inside", "protect"]

_FILLED, _PARTIAL = int(OrderStatus.FILLED), int(OrderStatus.PARTIAL)
_REJECTED, _REPLACED, _CANCELLED = int(OrderStatus.REJECTED), int(OrderStatus.REPLACED), int(OrderStatus.CANCELLED)
_TARGET, _DELISTING, _END, _RISK = int(Reason.TARGET), int(Reason.DELISTING), int(Reason.END), int(Reason.RISK)
_DELISTED, _VOLUME = int(Rule.DELISTED), int(Rule.VOLUME)


@kernel
def protect(a, acct, rules, stops, log):  # type: ignore[no-untyped-def]
    """T5: the bar against the position's stop and target; not while the rest of an exit waits (F7)."""
    if a.order_active == 1 and a.order_close_all == 1 and a.order_open_q == 0.0:
        return
    side = 1.0 if a.q > 0.0 else -1.0
    ref, reason = exit_at(a, side, rules.through, rules.optimistic)
    if reason != 0:
        touch(a, side, a.open, a.open)
        _leave(a, acct, ref, reason, rules, stops, log)


@kernel
def expose(a, acct, rules, stops, log):  # type: ignore[no-untyped-def]
    """P8: a position opened in this bar's T5 meets what of the bar counts for it."""
    if a.fresh < 4:
        count_inside(a, rules.optimistic)
    protect(a, acct, rules, stops, log)


@kernel
def _leave(a, acct, ref, reason, rules, stops, log):  # type: ignore[no-untyped-def]
    """Close as much of the position as the volume takes (F7), in place of what waits (S4); the rest waits for the next open."""
    if a.order_active == 1:
        end_waiting(a, acct, acct.bars, _REPLACED, log)
    closed, left = abs(a.q), volume_for(a, rules)
    if closed > left:
        closed = whole_lots(left, a.lot)
    a.volume_left -= closed
    rest = abs(a.q) - closed
    _exit_order(a, acct, acct.bars, reason)
    if closed > 0.0:
        _fill_exit(a, acct, ref, closed, rules, stops, log)
    if rest > 0.0 and rules.keep_rest == 1:
        a.order_close_q = -a.q
        forget_fill(a)
        a.order_rest = 1
        acct.waiting += 1
        return
    if rest > 0.0:
        a.order_cut_by |= _VOLUME
    log_order(a, acct.bars, _FILLED if rest <= 0.0 else (_PARTIAL if closed > 0.0 else _REJECTED), log)
    clear_order(a)


@kernel
def _exit_order(a, acct, now, reason):  # type: ignore[no-untyped-def]
    """The asset's order to close all that is held."""
    begin_order(a, acct, reason)
    a.order_t = now
    a.order_close_all = 1
    a.order_close_q = -a.q
    a.order_wanted = -a.q


@kernel
def _fill_exit(a, acct, ref, closed, rules, stops, log):  # type: ignore[no-untyped-def]
    """Price it (a target is a limit order), through the same leg and the same booking as every fill."""
    reason, now = a.order_reason, a.order_t
    a.order_held = a.q
    a.order_closed = closed
    a.order_ref = ref
    a.order_price = ref
    if reason != _TARGET and reason != _DELISTING:
        a.order_price = fill_price(rules, ref, -1.0 if a.q > 0.0 else 1.0, closed, a.sigma, a.volume, a.floor)
    if reason != _DELISTING:
        a.order_rate = rules.maker_rate if reason == _TARGET else rules.rate
        money = abs(closed * a.order_price) * a.multiplier
        a.order_fee = commission(rules, money * a.order_rate, closed, money)
    close_leg(a, a, acct)
    settle(a, a, acct, now, stops, log)


@kernel
def _close_now(a, acct, now, ref, reason, rules, stops, log):  # type: ignore[no-untyped-def]
    """Close all of a position, whatever the volume."""
    _exit_order(a, acct, now, reason)
    _fill_exit(a, acct, ref, abs(a.q), rules, stops, log)
    log_order(a, now, _FILLED, log)
    clear_order(a)


@kernel
def delist(a, acct, rules, stops, log):  # type: ignore[no-untyped-def]
    """T10: orders are cancelled, what is held is closed at its last mark less the haircut, without costs."""
    if a.order_active == 1:
        a.order_cut_by |= _DELISTED
        end_waiting(a, acct, acct.bars, _CANCELLED, log)
    if a.q != 0.0:
        _close_now(a, acct, acct.bars, a.mark * (1.0 - a.haircut), _DELISTING, rules, stops, log)
    a.delisted = 1


@kernel
def close_at_end(a, acct, rules, stops, log):  # type: ignore[no-untyped-def]
    """T8: after the last bar, cancel what waits and close what is held at its mark, with costs."""
    now = acct.bars - 1
    if a.order_active == 1:
        end_waiting(a, acct, now, _CANCELLED, log)
    if a.q != 0.0:
        _close_now(a, acct, now, a.mark, _END, rules, stops, log)


@kernel
def leave_inside(desk, rules, stops, zones, log):  # type: ignore[no-untyped-def]
    """Z8: everything leaves the market inside the bar, where its way to the worst prices meets the boundary."""
    lo, hi, acct, assets = desk
    acct.broke = 0
    first, worst = acct.cash, acct.cash
    for n in range(lo, hi):
        a = assets[n]
        if a.q != 0.0:
            start, end = _way(a, rules)
            base = 0.0 if a.kind == 0 else a.settled
            first += a.q * a.multiplier * (start - base)
            worst += a.q * a.multiplier * (end - base)
    boundary = acct.peak * (1.0 - zones.liquidate_at)
    if acct.liquidating == 1 or worst > boundary:
        return
    acct.broke = 1
    u = 0.0 if first <= boundary else (first - boundary) / (first - worst)
    for n in range(lo, hi):
        a = assets[n]
        if a.q != 0.0 and can_fill(a, rules):
            start, end = _way(a, rules)
            touch(a, a.q, start, start)
            _leave(a, acct, start + u * (end - start), _RISK, rules, stops, log)


@kernel
def _way(a, rules):  # type: ignore[no-untyped-def]
    """From where to where a position's price goes in this bar at worst; its mark twice where it has no market."""
    if not can_fill(a, rules):
        return a.mark, a.mark
    high, low = (a.full_high, a.full_low) if 0 < a.fresh < 4 else (a.high, a.low)
    start = a.fresh_price if 0 < a.fresh < 4 else a.open
    return start, low if a.q > 0.0 else high
