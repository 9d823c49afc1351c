"""T4: waiting orders meet a price. Reductions first, then new risk by priority into the room there is (F4, F10)."""

from __future__ import annotations

import math

from ..core.codes import InputKind, OrderStatus, Rule
from ..core.jit import kernel
from ..core.rounding import whole_lots
from ..execution.costs import commission, fill_price
from ..execution.orders import clear_order
from .account import close_leg, open_leg, settle, touch

__all__ = ["can_fill", "execute_orders", "log_order"]

_WAITS, _PRICED, _SETTLED, _IN_GROUP, _ALONE = 0, 1, 2, 3, 4  # stages of an order while it executes
_TINY = 1e-12  # F10: how close the common factor comes

_WEIGHTS = int(InputKind.WEIGHTS)
_FILLED = int(OrderStatus.FILLED)
_PARTIAL = int(OrderStatus.PARTIAL)
_REJECTED = int(OrderStatus.REJECTED)
_CASH = int(Rule.CASH)
_LOT = int(Rule.LOT)
_MINIMUM = int(Rule.MINIMUM)


@kernel
def can_fill(a, rules):  # type: ignore[no-untyped-def]
    """F8: a NaN bar is no market; where volume is used (F7), a bar without volume fills nothing either."""
    if math.isnan(a.close):
        return False
    return rules.volume_share == 0.0 or a.volume > 0.0


@kernel
def execute_orders(lo, hi, at_open, acct, assets, rules, stops, log):  # type: ignore[no-untyped-def]
    """All orders of the account's assets `lo` to `hi - 1` that have a market, at the open or at the close of this bar."""
    acct.bar_costs = 0.0
    opening = 0
    for n in range(lo, hi):
        if assets[n].order_active == 1 and can_fill(assets[n], rules):
            opening += _start(assets[n], at_open, acct, rules)
    while opening > 0:
        opening -= _fill_group(lo, hi, at_open, acct, assets, rules)
    for n in range(lo, hi):
        a = assets[n]
        if a.order_active == 1 and a.order_stage != _WAITS:
            if a.order_closed + a.order_opened > 0.0:
                settle(a, acct, acct.bars, stops, log)
            _finish(a, acct, log)


@kernel
def _start(a, at_open, acct, rules):  # type: ignore[no-untyped-def]
    """Price the order (F1), fill its closing part, and say whether (1) or not (0) it opens something."""
    a.order_stage = _PRICED
    a.order_held = a.q
    a.order_ref = a.open if at_open else a.close
    a.order_closed = abs(a.q) if a.order_close_all == 1 else abs(a.order_close_q)
    quantity = a.order_closed + abs(a.order_open_q)
    a.order_price = fill_price(rules, a.order_ref, _side(a), quantity, a.sigma, a.volume)
    if at_open and a.q != 0.0:
        touch(a, a.q, a.order_ref, a.order_ref)
    if a.order_closed > 0.0:
        a.order_fee = commission(rules, rules.rate, a.order_closed, abs(a.order_closed * a.order_price) * a.multiplier)
        close_leg(a, acct)
    if a.order_open_q != 0.0 or a.order_cash != 0.0:
        return 1
    a.order_stage = _SETTLED
    return 0


@kernel
def _side(a):  # type: ignore[no-untyped-def]
    """+1 when the order buys, -1 when it sells."""
    amount = a.order_open_q
    if a.order_cash != 0.0:
        amount = a.order_cash
    if amount == 0.0:
        amount = -a.order_held if a.order_close_all == 1 else a.order_close_q
    return 1.0 if amount > 0.0 else -1.0


@kernel
def _in_stage(a, stage):  # type: ignore[no-untyped-def]
    return a.order_active == 1 and a.order_stage == stage


@kernel
def _fill_group(lo, hi, at_open, acct, assets, rules):  # type: ignore[no-untyped-def]
    """F10: the opening parts of highest priority share the room by one factor. Returns how many there were."""
    highest, members = -1.0, 0
    for n in range(lo, hi):
        if _in_stage(assets[n], _PRICED) and assets[n].order_priority > highest:
            highest = assets[n].order_priority
    for n in range(lo, hi):
        if _in_stage(assets[n], _PRICED) and assets[n].order_priority == highest:
            assets[n].order_stage = _IN_GROUP
            members += 1
    equity, gross = _worth(lo, hi, at_open, acct, assets, rules)
    most = rules.leverage * equity
    room = most - gross
    slack = 1e-9 * abs(most)
    if room <= slack:
        room = 0.0  # what is left of a room used up is rounding, not room
    for n in range(lo, hi):
        if _in_stage(assets[n], _IN_GROUP) and assets[n].order_cash != 0.0:
            _size_by_room(room, n, assets, rules)
    factor = 0.0 if room == 0.0 else 1.0
    if room > 0.0 and _need(1.0, _IN_GROUP, lo, hi, assets, rules) > room + slack:
        factor = _common_factor(room, _IN_GROUP, lo, hi, assets, rules)
    for n in range(lo, hi):
        if _in_stage(assets[n], _IN_GROUP):
            _open_part(assets[n], factor, acct, rules)
    return members


@kernel
def _before_costs(rules):  # type: ignore[no-untyped-def]
    """W2: weights of equity before costs are tested before costs."""
    return rules.kind == _WEIGHTS and rules.net == 0


@kernel
def _worth(lo, hi, at_open, acct, assets, rules):  # type: ignore[no-untyped-def]
    """Equity and gross exposure of the account at the prices F4 asks for."""
    before_costs = _before_costs(rules)
    equity, gross = acct.cash, 0.0
    if before_costs:
        equity += acct.bar_costs
    for n in range(lo, hi):
        a = assets[n]
        if a.q != 0.0:
            price = a.open if at_open else a.close
            if math.isnan(price):
                price = a.mark
            if a.order_stage == _IN_GROUP and not before_costs:
                price = a.order_price
            value = a.q * price * a.multiplier
            equity += value
            gross += abs(value)
    return equity, gross


@kernel
def _need(factor, stage, lo, hi, assets, rules):  # type: ignore[no-untyped-def]
    """Room that the opening parts at `stage` take when each is scaled by `factor`, commission included."""
    total = 0.0
    for n in range(lo, hi):
        a = assets[n]
        if _in_stage(a, stage):
            opened = factor * abs(a.order_open_q)
            if _before_costs(rules):
                total += opened * abs(a.order_ref) * a.multiplier
            else:
                quantity = a.order_closed + opened
                fee = commission(rules, rules.rate, quantity, quantity * abs(a.order_price) * a.multiplier) - a.order_fee
                total += opened * abs(a.order_price) * a.multiplier + rules.leverage * fee
    return total


@kernel
def _common_factor(room, stage, lo, hi, assets, rules):  # type: ignore[no-untyped-def]
    """The largest factor below 1 that fits (to 1e-12): false position with every third step a bisection."""
    low, high = _TINY, 1.0
    over_low = _need(low, stage, lo, hi, assets, rules) - room
    if over_low > 0.0:
        return 0.0
    over_high = _need(high, stage, lo, hi, assets, rules) - room
    for k in range(200):
        if high - low <= _TINY or abs(over_low) <= 1e-14 * room:
            break
        middle = low - over_low * (high - low) / (over_high - over_low)
        if k % 3 == 2 or not low < middle < high:
            middle = 0.5 * (low + high)
        over = _need(middle, stage, lo, hi, assets, rules) - room
        if over > 0.0:
            high, over_high = middle, over
        else:
            low, over_low = middle, over
    return low


@kernel
def _size_by_room(room, n, assets, rules):  # type: ignore[no-untyped-def]
    """S3 `cash=f`: the order asks for the fraction f of the room, its commission included."""
    a = assets[n]
    share = abs(a.order_cash) * room
    wanted = share / (abs(a.order_price) * a.multiplier) if share > 0.0 else 0.0
    a.order_open_q = wanted if a.order_cash > 0.0 else -wanted
    if wanted > 0.0:
        a.order_stage = _ALONE
        if _need(1.0, _ALONE, n, n + 1, assets, rules) > share:
            a.order_open_q *= _common_factor(share, _ALONE, n, n + 1, assets, rules)
        a.order_stage = _IN_GROUP


@kernel
def _open_part(a, factor, acct, rules):  # type: ignore[no-untyped-def]
    """Cut to the factor, lots and the minimum (S5), and fill what is left."""
    quantity = factor * abs(a.order_open_q)
    side = 1.0 if a.order_open_q > 0.0 else -1.0
    if factor < 1.0 or quantity == 0.0:
        a.order_cut_by |= _CASH
    whole = whole_lots(quantity, a.lot)
    if whole <= 0.0 and quantity > 0.0:
        a.order_cut_by |= _LOT
    elif whole > 0.0 and whole * abs(a.order_price) * a.multiplier < a.min_notional * (1.0 - 1e-9):
        a.order_cut_by |= _MINIMUM
        whole = 0.0
    a.order_opened = whole
    if whole > 0.0:
        total = a.order_closed + whole
        extra = commission(rules, rules.rate, total, total * abs(a.order_price) * a.multiplier) - a.order_fee
        open_leg(a, acct, side, extra)
    a.order_stage = _SETTLED


@kernel
def _finish(a, acct, log):  # type: ignore[no-untyped-def]
    """An order that met its price is over: filled, partial or rejected (Z6)."""
    status = _FILLED
    if a.order_closed + a.order_opened <= 0.0:
        status = _REJECTED
    elif a.order_cut_by != 0:
        status = _PARTIAL
    log_order(a, acct.bars, status, log)
    clear_order(a)
    acct.waiting -= 1


@kernel
def log_order(a, now, status, log):  # type: ignore[no-untyped-def]
    """Write the asset's order, settled at bar `now`."""
    row = log.orders[log.counts[0]]
    row.id = a.order_id
    row.t = a.order_t
    row.asset = a.n
    row.account = a.g
    row.close_q = a.order_close_q
    row.open_q = math.nan if a.order_cash != 0.0 else a.order_open_q
    row.wanted = a.order_wanted
    quantity = a.order_closed + a.order_opened
    row.filled = _side(a) * quantity if quantity > 0.0 else 0.0
    row.price = a.order_price if quantity > 0.0 else math.nan
    row.commission = a.order_fee
    row.t_done = now
    row.status = status
    row.reason = a.order_reason
    row.cut_by = a.order_cut_by
    row.priority = a.order_priority
    log.counts[0] += 1
