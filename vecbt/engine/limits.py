"""T7: loss per trade, limits and heat cut the new risk of this row (Z5, Z7, Z9). Scarce room goes by priority (F10).

As in `matching`, orders stand apart from assets: `orders[k].n` is the asset of an order.
"""

from __future__ import annotations

import math

from ..core.codes import Rule
from ..core.jit import kernel
from ..risk.levels import order_stop

__all__ = ["ASKED", "TAKEN", "cut_by_limits"]

ASKED, _IN_GROUP, TAKEN = 5, 6, 7  # stages of an order while it is decided
_GROSS, _NET, _HEAT = 0, 1, 2
_RULE_TRADE, _RULE_POSITION = int(Rule.TRADE_LOSS), int(Rule.POSITION)
_RULE_GROSS, _RULE_NET, _RULE_HEAT = int(Rule.GROSS), int(Rule.NET), int(Rule.HEAT)


@kernel
def cut_by_limits(queue, desk, rules, stops, terms):  # type: ignore[no-untyped-def]
    """Orders of the account at stage ASKED are cut to what fits: group after group from the highest priority, rule after rule."""
    first, last, orders = queue
    g, equity, left = desk.assets[desk.lo].g, desk.acct.equity, 0
    limited = _any_limit(terms)
    for k in range(first, last):
        o = orders[k]
        if _is_asked(o, g):
            if o.order_open_q != 0.0 and limited and math.isnan(desk.assets[o.n].mark):
                o.order_open_q = 0.0  # no price yet, so nothing to measure it by
                o.order_cut_by |= _RULE_POSITION
            if o.order_open_q != 0.0 and limited:
                left += 1
            else:
                o.order_stage = TAKEN
    if left > 0:
        _keep(queue, desk)
        slack = 1e-9 * rules.leverage * equity
        tops = (_top(terms.max_gross, equity), _top(terms.max_net, equity), _top(terms.max_heat, equity))
        gross, net = _base(_GROSS, tops[0], queue, desk, stops), _base(_NET, tops[1], queue, desk, stops)
        loads = (gross, net, _base(_HEAT, tops[2], queue, desk, stops))
        while left > 0:
            left -= _pick_group(queue, g)
            if _limits_position(terms):
                for k in range(first, last):
                    if _is_in_group(orders[k], g):
                        _cut_position(k, slack, queue, desk, stops, terms)
            _cut_group(_GROSS, (loads[0], tops[0], slack), queue, desk, stops)
            _cut_group(_NET, (loads[1], tops[1], slack), queue, desk, stops)
            _cut_group(_HEAT, (loads[2], tops[2], slack), queue, desk, stops)
            if left > 0:
                loads = _with_group(loads, tops, queue, desk, stops)
            _end_group(queue, g)


@kernel
def _top(limit, equity):  # type: ignore[no-untyped-def]
    """A limit in money; none stays none, even of an account that has nothing."""
    return math.inf if limit == math.inf else limit * equity


@kernel
def _any_limit(terms):  # type: ignore[no-untyped-def]
    return _limits_position(terms) or terms.max_heat < math.inf or terms.max_gross < math.inf or terms.max_net < math.inf


@kernel
def _limits_position(terms):  # type: ignore[no-untyped-def]
    return terms.max_trade_loss < math.inf or terms.max_position < math.inf or terms.max_position_value < math.inf


@kernel
def _is_asked(o, g):  # type: ignore[no-untyped-def]
    return o.order_active == 1 and o.order_stage == ASKED and o.g == g


@kernel
def _keep(queue, desk):  # type: ignore[no-untyped-def]
    """What is left of each position after what market orders wait to close (`order_close_q` of others is 0 while they rest)."""
    lo, hi, _, assets = desk
    first, last, orders = queue
    for n in range(lo, hi):
        a = assets[n]
        a.kept = a.q
        if a.order_active == 1 and a.order_close_all == 1:
            a.kept = 0.0
    for k in range(first, last):
        o = orders[k]
        if o.order_active == 1 and o.g == assets[lo].g and o.order_close_q != 0.0:
            a = assets[o.n]
            left = a.kept + o.order_close_q
            a.kept = left if left * a.kept > 0.0 else 0.0


@kernel
def _unit(a):  # type: ignore[no-untyped-def]
    """Money of one unit at `c[t]`, or the last close."""
    return abs(a.mark) * a.multiplier


@kernel
def _unit_risk(a, stop, side):  # type: ignore[no-untyped-def]
    """Z5: money one unit loses from the mark to its stop; all of it without one."""
    if math.isnan(stop):
        return _unit(a)
    distance = (a.mark - stop) * side
    return distance * a.multiplier if distance > 0.0 else 0.0


@kernel
def _order_risk(a, o, stops):  # type: ignore[no-untyped-def]
    side = 1.0 if o.order_open_q > 0.0 else -1.0
    return abs(o.order_open_q) * _unit_risk(a, order_stop(a, o, side, stops), side)


@kernel
def _kept_risk(a):  # type: ignore[no-untyped-def]
    return abs(a.kept) * _unit_risk(a, a.stop, 1.0 if a.kept > 0.0 else -1.0)


@kernel
def _cut_position(k, slack, queue, desk, stops, terms):  # type: ignore[no-untyped-def]
    """Z9 and Z7 for one asset and side, at the first of the group's orders there (`k`): what is kept and what waits counts before them."""
    first, last, orders = queue
    acct, o = desk.acct, orders[k]
    a = desk.assets[o.n]
    if o.order_open_q == 0.0:
        return
    side = 1.0 if o.order_open_q > 0.0 else -1.0
    held = abs(a.kept) if a.kept * side > 0.0 else 0.0
    risk = _kept_risk(a) if held > 0.0 else 0.0
    units, lost = 0.0, 0.0
    for j in range(first, last):
        other = orders[j]
        if other.order_active == 1 and other.n == o.n and other.order_open_q * side > 0.0 and other.order_stage != ASKED:
            if other.order_stage != _IN_GROUP:
                held += abs(other.order_open_q)
                risk += _order_risk(a, other, stops)
            elif j < k:
                return  # they share one factor (F10), found already
            else:
                units += abs(other.order_open_q)
                lost += _order_risk(a, other, stops)
    if terms.max_trade_loss < math.inf:
        most = terms.max_trade_loss * acct.equity - risk
        if not _fits(lost, most, slack):
            units *= _cut_to(k, side, most, lost, slack, _RULE_TRADE, queue)
    most = _top(terms.max_position, acct.equity)
    if terms.max_position_value < most:
        most = terms.max_position_value
    if most < math.inf and units > 0.0:
        most -= held * _unit(a)
        if not _fits(units * _unit(a), most, slack):
            _cut_to(k, side, most, units * _unit(a), slack, _RULE_POSITION, queue)


@kernel
def _fits(needed, room, slack):  # type: ignore[no-untyped-def]
    """Tolerance 1e-9 relative (F5); nothing fits no room (F10)."""
    return room > slack and needed <= room * (1.0 + 1e-9)


@kernel
def _cut_to(k, side, room, needed, slack, rule, queue):  # type: ignore[no-untyped-def]
    """The group's orders of one asset and side to what fits `room`; returns the factor. The rule is noted."""
    _, last, orders = queue
    if room <= slack:
        room = 0.0
    for j in range(k, last):
        o = orders[j]
        if _is_in_group(o, orders[k].g) and o.n == orders[k].n and o.order_open_q * side > 0.0:
            o.order_cut_by |= rule
            o.order_open_q = o.order_open_q * room / needed if room > 0.0 else 0.0
    return room / needed if room > 0.0 else 0.0


@kernel
def _load(which, o, a, stops):  # type: ignore[no-untyped-def]
    """What an order adds: gross money, signed money, or risk."""
    if which == _HEAT:
        return _order_risk(a, o, stops)
    if which == _NET:
        return o.order_open_q * a.mark * a.multiplier
    return abs(o.order_open_q) * _unit(a)


@kernel
def _kept_load(which, desk):  # type: ignore[no-untyped-def]
    """The same of all that is kept."""
    lo, hi, _, assets = desk
    total = 0.0
    for n in range(lo, hi):
        a = assets[n]
        if a.kept != 0.0:
            if which == _HEAT:
                total += _kept_risk(a)
            elif which == _NET:
                total += a.kept * a.mark * a.multiplier
            else:
                total += abs(a.kept) * _unit(a)
    return total


@kernel
def _base(which, most, queue, desk, stops):  # type: ignore[no-untyped-def]
    """The load of all that is kept, and of orders that wait since before; 0 where nothing limits it to `most`."""
    if most == math.inf:
        return 0.0
    first, last, orders = queue
    g, total = desk.assets[desk.lo].g, _kept_load(which, desk)
    for k in range(first, last):
        o = orders[k]
        if o.order_active == 1 and o.g == g and o.order_open_q != 0.0 and o.order_stage == 0:
            total += _load(which, o, desk.assets[o.n], stops)
    return total


@kernel
def _pick_group(queue, g):  # type: ignore[no-untyped-def]
    """The orders of highest priority that still ask; how many."""
    first, last, orders = queue
    highest, members = -1.0, 0
    for k in range(first, last):
        if _is_asked(orders[k], g) and orders[k].order_priority > highest:
            highest = orders[k].order_priority
    for k in range(first, last):
        if _is_asked(orders[k], g) and orders[k].order_priority == highest:
            orders[k].order_stage = _IN_GROUP
            members += 1
    return members


@kernel
def _is_in_group(o, g):  # type: ignore[no-untyped-def]
    return o.order_active == 1 and o.g == g and o.order_stage == _IN_GROUP


@kernel
def _group_load(which, queue, desk, stops):  # type: ignore[no-untyped-def]
    first, last, orders = queue
    g, total = desk.assets[desk.lo].g, 0.0
    for k in range(first, last):
        if _is_in_group(orders[k], g) and orders[k].order_open_q != 0.0:
            total += _load(which, orders[k], desk.assets[orders[k].n], stops)
    return total


@kernel
def _cut_group(which, scale, queue, desk, stops):  # type: ignore[no-untyped-def]
    """One rule cuts the group by one factor; `scale` is (load before it, most, tolerance)."""
    base, most, slack = scale
    if most == math.inf:
        return
    first, last, orders = queue
    factor = _fit(which, base, _group_load(which, queue, desk, stops), most, slack)
    if factor < 1.0:
        for k in range(first, last):
            o = orders[k]
            if _is_in_group(o, desk.assets[desk.lo].g) and o.order_open_q != 0.0:
                o.order_cut_by |= _RULE_HEAT if which == _HEAT else (_RULE_NET if which == _NET else _RULE_GROSS)
                o.order_open_q = o.order_open_q * factor if factor > 0.0 else 0.0


@kernel
def _with_group(loads, tops, queue, desk, stops):  # type: ignore[no-untyped-def]
    """The loads with the group's; 0 stays where nothing limits one."""
    gross = loads[0] if tops[0] == math.inf else loads[0] + _group_load(_GROSS, queue, desk, stops)
    net = loads[1] if tops[1] == math.inf else loads[1] + _group_load(_NET, queue, desk, stops)
    heat = loads[2] if tops[2] == math.inf else loads[2] + _group_load(_HEAT, queue, desk, stops)
    return gross, net, heat


@kernel
def _end_group(queue, g):  # type: ignore[no-untyped-def]
    """The group is done."""
    first, last, orders = queue
    for k in range(first, last):
        if _is_in_group(orders[k], g):
            orders[k].order_stage = TAKEN


@kernel
def _fit(which, base, load, most, slack):  # type: ignore[no-untyped-def]
    """The largest factor up to 1 for `load` on top of `base`; a net load against the base may cross to the other side's limit."""
    room, needed = most - abs(base), abs(load)
    if which == _NET and base * load < 0.0:
        room = most + abs(base)
    if which == _NET and needed <= slack:
        return 1.0  # longs and shorts that balance, but for rounding
    if room <= slack:
        return 0.0  # F10: nothing fits no room, whatever it needs
    if needed <= room + slack:
        return 1.0
    return room / needed
