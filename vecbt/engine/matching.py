"""T4: waiting orders meet a price. Reductions first, then new risk by priority into the room there is (F4, F7, F10).

The functions take the orders apart from the assets: an asset's working order is the record of the asset itself, the orders
of section O stand in the book. `orders[k].n` is the asset of an order, `orders[k].g` its account.
"""

from __future__ import annotations

import math

from ..core.codes import InputKind, OrderStatus, Rule
from ..core.jit import kernel
from ..core.rounding import snapped, whole_lots
from ..execution.costs import commission, fill_price
from ..execution.orders import clear_order, forget_fill
from .account import close_leg, open_leg, settle, touch
from .desk import Queue
from .fitting import TINY, hair_below, is_near, next_factor, units_at_a_rate
from .log import next_order

__all__ = [
    "AT_CLOSE", "AT_MARK", "AT_OPEN", "INSIDE", "can_fill", "commission_of", "end_of_fill", "execute_orders", "fill_openings", "is_new",
    "log_order", "room_at", "settle_part", "start_order", "unit_use", "volume_for",
]  # fmt: skip

AT_OPEN, AT_CLOSE, INSIDE, AT_MARK = 0, 1, 2, 3
_WAITS, _PRICED, _SETTLED, _IN_GROUP, _ALONE = 0, 1, 2, 3, 4  # stages of an order while it executes

_WEIGHTS = int(InputKind.WEIGHTS)
_FILLED = int(OrderStatus.FILLED)
_PARTIAL = int(OrderStatus.PARTIAL)
_REJECTED, _CANCELLED = int(OrderStatus.REJECTED), int(OrderStatus.CANCELLED)
_CASH = int(Rule.CASH)
_LOT = int(Rule.LOT)
_MINIMUM = int(Rule.MINIMUM)
_VOLUME = int(Rule.VOLUME)


@kernel
def can_fill(a, rules):  # type: ignore[no-untyped-def]
    """F8: a NaN bar is no market; where volume is used (F7), a bar without volume fills nothing either."""
    if math.isnan(a.close):
        return False
    return rules.uses_volume == 0 or a.volume > 0.0


@kernel
def execute_orders(desk, at, rules, stops, log):  # type: ignore[no-untyped-def]
    """The working orders of the account's assets that have a market, at the open or at the close of this bar."""
    lo, hi, acct, assets = desk
    acct.bar_costs = 0.0
    opening = 0
    for n in range(lo, hi):
        a = assets[n]
        if a.order_active == 1 and can_fill(a, rules) and (at == AT_OPEN or is_new(a, acct)):
            ref = a.open if at == AT_OPEN else a.close
            if at == AT_OPEN and a.q != 0.0:
                touch(a, a.q, ref, ref)
            opening += start_order(a, a, acct, ref, rules)
    if opening > 0:
        fill_openings(Queue(lo, hi, assets), opening, at, desk, rules, stops, log)
    for n in range(lo, hi):
        a = assets[n]
        if a.order_active == 1 and a.order_stage != _WAITS:
            if a.order_closed + a.order_opened > 0.0:
                settle(a, a, acct, acct.bars, stops, log)
            if end_of_fill(a, a, rules.keep_rest, acct, log):
                acct.waiting -= 1


@kernel
def is_new(o, acct):  # type: ignore[no-untyped-def]
    """Whether the order was decided in this bar and has met no price yet: what is left of others waits for the next open (F7)."""
    return o.order_t == acct.bars and o.order_rest == 0


@kernel
def volume_for(a, rules):  # type: ignore[no-untyped-def]
    """F7: what the bar's volume still takes of the asset; rounding that is left over is none."""
    return 0.0 if a.volume_left <= 1e-9 * rules.participation * a.volume else a.volume_left


@kernel
def start_order(a, o, acct, ref, rules):  # type: ignore[no-untyped-def]
    """Say what this bar's volume takes (F7), price the order (F1), fill its closing part; 1 if it opens something, else 0."""
    o.order_held = a.q
    o.order_ref = ref
    o.order_stage = _PRICED
    o.order_closed = abs(a.q) if o.order_close_all == 1 else abs(o.order_close_q)
    o.order_now = o.order_open_q
    opening, left = abs(o.order_open_q), volume_for(a, rules)
    is_piece = o.order_closed + opening > left
    if is_piece and o.order_whole == 1:
        o.order_cut_by |= _VOLUME
        if o.order_closed > left:
            _refuse_whole(o)
            return 0
        opening, o.order_open_q, o.order_now, is_piece = 0.0, 0.0, 0.0, False  # O3: each part by itself
    if is_piece:
        opening = _allot(a, o, left)
    _price(a, o, opening, rules)
    if is_piece and opening > 0.0 and opening * abs(o.order_price) * a.multiplier < a.min_notional * (1.0 - 1e-9):
        opening = 0.0  # F7: a piece under the minimum is nothing yet
        _price(a, o, opening, rules)
    if is_piece:
        o.order_now = opening if o.order_open_q > 0.0 else -opening
    a.volume_left -= o.order_closed + opening
    if o.order_closed > 0.0:
        o.order_fee = _fee(a, o, o.order_closed, rules)
        close_leg(a, o, acct)
    if o.order_now != 0.0 or o.order_cash != 0.0:
        return 1
    o.order_stage = _SETTLED
    return 0


@kernel
def _allot(a, o, left):  # type: ignore[no-untyped-def]
    """F7: the part of the order that `left` units of volume take: what it closes first; returns the opening part."""
    if o.order_closed > left:
        o.order_closed = whole_lots(left, a.lot)
        return 0.0
    return whole_lots(left - o.order_closed, a.lot) if left > o.order_closed else 0.0


@kernel
def _price(a, o, opening, rules):  # type: ignore[no-untyped-def]
    """F1, F2: price and rate of what fills in this bar."""
    o.order_price = o.order_ref
    o.order_rate = rules.maker_rate
    if o.order_limit == 0:
        o.order_rate = rules.rate
        o.order_price = fill_price(rules, o.order_ref, _side_of(o), o.order_closed + opening, a.sigma, a.volume, a.floor)


@kernel
def _refuse_whole(o):  # type: ignore[no-untyped-def]
    """FOK: nothing of it."""
    o.order_closed = 0.0
    o.order_now = 0.0
    o.order_open_q = 0.0
    o.order_close_q = 0.0
    o.order_stage = _SETTLED


@kernel
def _fee(a, o, quantity, rules):  # type: ignore[no-untyped-def]
    """F2: what `quantity` in this bar adds to the commission of the order's total so far."""
    notional = quantity * abs(o.order_price) * a.multiplier
    rated = o.order_rated + notional * o.order_rate
    fee = commission(rules, rated, o.order_done + quantity, o.order_notional + notional) - o.order_paid
    return fee if fee > 0.0 else 0.0


@kernel
def commission_of(rules, quantity, price, multiplier, rate):  # type: ignore[no-untyped-def]
    """`_fee` of an order that has not filled before."""
    notional = quantity * abs(price) * multiplier
    fee = commission(rules, notional * rate, quantity, notional)
    return fee if fee > 0.0 else 0.0


@kernel
def _side_of(o):  # type: ignore[no-untyped-def]
    """+1 when the order buys, -1 when it sells."""
    amount = o.order_open_q
    if o.order_cash != 0.0:
        amount = o.order_cash
    if amount == 0.0:
        amount = -o.order_held if o.order_close_all == 1 else o.order_close_q
    return 1.0 if amount > 0.0 else -1.0


@kernel
def _in_stage(o, stage, g):  # type: ignore[no-untyped-def]
    return o.order_active == 1 and o.order_stage == stage and o.g == g


@kernel
def fill_openings(queue, opening, at, desk, rules, stops, log):  # type: ignore[no-untyped-def]
    """F10: the opening parts of the orders that are priced, `opening` of them, group by group."""
    first, last, orders = queue
    assets = desk.assets
    g = assets[desk.lo].g
    while opening > 0:
        highest, sized_here = -1.0, 0
        for k in range(first, last):
            if _in_stage(orders[k], _PRICED, g) and orders[k].order_priority > highest:
                highest = orders[k].order_priority
        for k in range(first, last):
            if _in_stage(orders[k], _PRICED, g) and orders[k].order_priority == highest:
                orders[k].order_stage = _IN_GROUP
                assets[orders[k].n].group_price = orders[k].order_price
                sized_here += 1 if orders[k].order_cash != 0.0 else 0
                opening -= 1
        _fill_group(queue, sized_here, at, desk, rules, stops, log)


@kernel
def _fill_group(queue, sized_here, at, desk, rules, stops, log):  # type: ignore[no-untyped-def]
    """The orders at stage IN_GROUP share the room by one factor; `sized_here` of them ask for a part of it (S3)."""
    first, last, orders = queue
    acct, assets = desk.acct, desk.assets
    g = assets[desk.lo].g
    room, slack = acct.room, acct.room_slack
    if at != INSIDE:
        room, slack = room_at(at, desk, rules)
    if room <= slack:
        room = 0.0  # what is left of a room used up is rounding, not room
    if sized_here > 0:
        for k in range(first, last):
            if _in_stage(orders[k], _IN_GROUP, g) and orders[k].order_cash != 0.0:
                _size_by_room(room, Queue(k, k + 1, orders), desk, rules)
    factor = _group_factor(room, slack, queue, desk, rules)
    if factor < 1.0 and _drop_whole(queue, g, assets) > 0:
        factor = _group_factor(room, slack, queue, desk, rules)
    for k in range(first, last):
        o = orders[k]
        if _in_stage(o, _IN_GROUP, g):
            a = assets[o.n]
            paid = _open_part(a, o, factor, at, acct, rules)
            if at == INSIDE:
                acct.room -= o.order_opened * unit_use(a, o.order_price, rules) + rules.leverage * paid
            a.group_price = math.nan
            if a.orders_now > 1 and o.order_opened + o.order_closed > 0.0:
                settle_part(a, o, acct, stops, log)


@kernel
def _group_factor(room, slack, queue, desk, rules):  # type: ignore[no-untyped-def]
    """What the group's opening parts are multiplied by."""
    if room <= 0.0:
        return 0.0
    if _need(1.0, _IN_GROUP, queue, desk, rules) > room + slack:
        return _common_factor(room, _IN_GROUP, queue, desk, rules)
    return 1.0


@kernel
def _drop_whole(queue, g, assets):  # type: ignore[no-untyped-def]
    """O3: orders that are whole or nothing leave the group that is cut; how many."""
    first, last, orders = queue
    dropped = 0
    for k in range(first, last):
        o = orders[k]
        if _in_stage(o, _IN_GROUP, g) and o.order_whole == 1:
            o.order_cut_by |= _CASH
            assets[o.n].volume_left += abs(o.order_now)
            o.order_now = 0.0
            o.order_open_q = 0.0
            o.order_stage = _SETTLED
            assets[o.n].group_price = math.nan
            dropped += 1
    for k in range(first, last):
        if _in_stage(orders[k], _IN_GROUP, g):
            assets[orders[k].n].group_price = orders[k].order_price
    return dropped


@kernel
def _before_costs(rules):  # type: ignore[no-untyped-def]
    """W2: weights of equity before costs are tested before costs."""
    return rules.kind == _WEIGHTS and rules.net == 0


@kernel
def unit_use(a, price, rules):  # type: ignore[no-untyped-def]
    """Room (F4) that one unit takes at a price: its money, or L times the margin of its contract."""
    if a.initial_margin > 0.0:
        return rules.leverage * a.initial_margin
    return abs(price) * a.multiplier


@kernel
def room_at(at, desk, rules):  # type: ignore[no-untyped-def]
    """F4: room for new risk at the open, at the close or at the last marks, and the tolerance of the test."""
    lo, hi, acct, assets = desk
    before_costs = _before_costs(rules) and at != AT_MARK
    equity, gross = acct.cash, 0.0
    if before_costs:
        equity += acct.bar_costs
    for n in range(lo, hi):
        a = assets[n]
        if a.q != 0.0:
            price = a.open if at == AT_OPEN else a.close
            if math.isnan(price) or at == AT_MARK:
                price = a.mark
            if not math.isnan(a.group_price) and not before_costs:
                price = a.group_price
            if a.kind == 0:
                equity += a.q * price * a.multiplier
            else:
                equity += a.q * (price - a.settled) * a.multiplier
            gross += abs(a.q) * unit_use(a, price, rules)
    most = rules.leverage * equity
    return most - gross, 1e-9 * abs(most)


@kernel
def _need(factor, stage, queue, desk, rules):  # type: ignore[no-untyped-def]
    """Room that the opening parts at `stage` take when each is scaled by `factor`, commission included."""
    first, last, orders = queue
    g, total = desk.assets[desk.lo].g, 0.0
    for k in range(first, last):
        o = orders[k]
        if _in_stage(o, stage, g):
            a = desk.assets[o.n]
            opened = factor * abs(o.order_now)
            if _before_costs(rules):
                total += opened * unit_use(a, o.order_ref, rules)
            else:
                fee = _fee(a, o, o.order_closed + opened, rules) - o.order_fee
                total += opened * unit_use(a, o.order_price, rules) + rules.leverage * fee
    return total


@kernel
def _common_factor(room, stage, queue, desk, rules):  # type: ignore[no-untyped-def]
    """The largest factor below 1 that fits (to 1e-12)."""
    low, high = TINY, 1.0
    over_low = _need(low, stage, queue, desk, rules) - room
    if over_low > 0.0:
        return 0.0
    over_high = _need(high, stage, queue, desk, rules) - room
    for k in range(200):
        middle, done = next_factor(k, (low, over_low), (high, over_high), room)
        if done:
            break
        over = _need(middle, stage, queue, desk, rules) - room
        if over > 0.0:
            high, over_high = middle, over
        else:
            low, over_low = middle, over
    return low


@kernel
def _size_by_room(room, alone, desk, rules):  # type: ignore[no-untyped-def]
    """S3 `cash=f`: the order asks for the fraction f of the room, its commission included."""
    o = alone.orders[alone.first]
    a = desk.assets[o.n]
    share, use = abs(o.order_cash) * room, unit_use(a, o.order_price, rules)
    wanted = share / use if share > 0.0 and use > 0.0 else 0.0
    o.order_open_q = wanted if o.order_cash > 0.0 else -wanted
    o.order_now = o.order_open_q
    if wanted > 0.0:
        o.order_stage = _ALONE
        if _need(1.0, _ALONE, alone, desk, rules) > share:
            _fit_alone(share, use, alone, desk, rules)
        o.order_stage = _IN_GROUP


@kernel
def _fit_alone(share, use, alone, desk, rules):  # type: ignore[no-untyped-def]
    """The quantity of the only order that takes its share with its commission; one unit takes `use` without it."""
    o = alone.orders[alone.first]
    a, side, wanted = desk.assets[o.n], 1.0 if o.order_cash > 0.0 else -1.0, o.order_now
    units = units_at_a_rate(share, use, abs(o.order_price) * a.multiplier * o.order_rate, rules)
    o.order_now = side * units
    if _need(1.0, _ALONE, alone, desk, rules) - share > 0.0:
        o.order_now = side * hair_below(units)
    if not is_near(_need(1.0, _ALONE, alone, desk, rules) - share, share):
        o.order_now = wanted
        o.order_now = wanted * _common_factor(share, _ALONE, alone, desk, rules)
    o.order_open_q = o.order_now


@kernel
def _open_part(a, o, factor, at, acct, rules):  # type: ignore[no-untyped-def]
    """Cut to the factor, lots and the minimum (S5), and fill what is left; returns the commission of what it opens."""
    quantity, fee = factor * abs(o.order_now), 0.0
    side = 1.0 if o.order_now > 0.0 else -1.0
    allotted = abs(o.order_now)
    if factor < 1.0 or quantity == 0.0:
        o.order_cut_by |= _CASH
    whole = whole_lots(quantity, a.lot)
    if quantity > 0.0 and (whole <= 0.0 or (o.order_whole == 1 and whole < quantity * (1.0 - 1e-9))):
        o.order_cut_by |= _LOT
        whole = 0.0
    elif whole > 0.0 and whole * abs(o.order_price) * a.multiplier < a.min_notional * (1.0 - 1e-9):
        o.order_cut_by |= _MINIMUM
        whole = 0.0
    o.order_opened = whole
    if allotted > whole:
        a.volume_left += allotted - whole
    if a.q * side < 0.0:
        if at != AT_CLOSE and (a.fresh == 0 or a.fresh > 3):
            touch(a, a.q, a.open, a.open)  # M7: not where it was opened inside the bar, or at its close
        fee = _cross(a, o, whole, side, acct, rules)
    elif whole > 0.0:
        fee = _fee(a, o, o.order_closed + whole, rules) - o.order_fee
        open_leg(a, o, acct, side, fee)
    o.order_stage = _SETTLED
    return fee


@kernel
def _cross(a, o, quantity, side, acct, rules):  # type: ignore[no-untyped-def]
    """O6: another order of the asset has opened the other side just before; what is held is closed first."""
    fee = 0.0
    o.order_held = a.q
    quantity = snapped(quantity, abs(a.q))
    o.order_closed = quantity if quantity < abs(a.q) else abs(a.q)
    o.order_opened = quantity - o.order_closed
    if o.order_closed > 0.0:
        o.order_fee = _fee(a, o, o.order_closed, rules)
        close_leg(a, o, acct)
    if o.order_opened > 0.0:
        fee = _fee(a, o, quantity, rules) - o.order_fee
        open_leg(a, o, acct, side, fee)
    return fee


@kernel
def settle_part(a, o, acct, stops, log):  # type: ignore[no-untyped-def]
    """O6: a fill of its own, of an order that may go on in this bar."""
    settle(a, o, acct, acct.bars, stops, log)
    left = abs(o.order_close_q) - o.order_closed
    o.order_close_q = (left if o.order_close_q > 0.0 else -left) if left > 0.0 else 0.0
    o.order_closed = 0.0
    o.order_opened = 0.0
    o.order_fee = 0.0


@kernel
def end_of_fill(a, o, keep_rest, acct, log):  # type: ignore[no-untyped-def]
    """An order that met its price is over: filled, partial or rejected (Z6). False where F7 lets its rest wait."""
    rest_closing = 0.0
    if o.order_close_all == 1:
        rest_closing = abs(o.order_held) - o.order_closed
    elif o.order_close_q != 0.0:
        rest_closing = abs(o.order_close_q) - o.order_closed
    rest_opening = abs(o.order_open_q) - abs(o.order_now)
    if rest_closing > 0.0 or rest_opening > 0.0:
        if keep_rest == 1:
            o.order_close_q = rest_closing if o.order_close_q > 0.0 else -rest_closing
            if rest_closing <= 0.0:
                o.order_close_q = 0.0
                o.order_close_all = 0
            o.order_open_q = rest_opening if o.order_open_q > 0.0 else -rest_opening
            forget_fill(o)
            o.order_rest = 1
            return False
        o.order_cut_by |= _VOLUME
    status = _FILLED
    died = o.order_close_all == 1 and o.order_held == 0.0 and o.order_open_q == 0.0  # S4: with the position
    if o.order_done <= 0.0:
        status = _CANCELLED if died and o.order_cut_by == 0 else _REJECTED
    elif died:
        status = _PARTIAL
    elif o.order_cut_by != 0:
        status = _PARTIAL
    log_order(o, acct.bars, status, log)
    clear_order(o)
    return True


@kernel
def _average_price(o):  # type: ignore[no-untyped-def]
    """Of all fills; of the only one to the last bit."""
    if o.order_done <= 0.0:
        return math.nan
    if o.order_done == o.order_closed + o.order_opened:
        return o.order_price
    return o.order_value / o.order_done


@kernel
def log_order(o, now, status, log):  # type: ignore[no-untyped-def]
    """Write an order, settled at bar `now`."""
    row = next_order(log)
    row.id = o.order_id
    row.t = o.order_t
    row.asset = o.n
    row.account = o.g
    row.close_q = o.order_close_q
    row.open_q = math.nan if o.order_cash != 0.0 else o.order_open_q
    row.wanted = o.order_wanted
    row.filled = o.order_side * o.order_done if o.order_done > 0.0 else 0.0
    row.price = _average_price(o)
    row.commission = o.order_paid
    row.t_done = now
    row.status = status
    row.reason = o.order_reason
    row.cut_by = o.order_cut_by
    row.priority = o.order_priority
