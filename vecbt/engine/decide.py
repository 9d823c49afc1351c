"""T7: what the strategy's row asks for becomes orders (S, W), after risk and time exits; cuts to new risk come here first (S5)."""

from __future__ import annotations

import math

from ..core.codes import InputKind, OrderStatus, Reason, Rule, SizeMethod
from ..core.jit import kernel, spine
from ..core.rounding import whole_lots
from ..execution.orders import clear_order
from ..risk.levels import entry_stop, stop_is_known
from ..risk.sizing import entry_quantity
from ..risk.zones import new_risk_factor
from .matching import log_order
from .targets import in_band, is_met, listens, target_quantity, time_is_up, weights_base

__all__ = ["decide", "end_waiting"]

_SIGNALS, _STRENGTHS, _WEIGHTS = int(InputKind.SIGNALS), int(InputKind.STRENGTHS), int(InputKind.WEIGHTS)
_REJECTED, _REPLACED, _CANCELLED = int(OrderStatus.REJECTED), int(OrderStatus.REPLACED), int(OrderStatus.CANCELLED)
_SIGNAL, _TIME, _RISK = int(Reason.SIGNAL), int(Reason.TIME), int(Reason.RISK)
_ZONE, _CASH, _LOT, _STOP = int(Rule.ZONE), int(Rule.CASH), int(Rule.LOT), int(Rule.STOP)
_SIZED_AT_FILL = int(SizeMethod.CASH)


@spine
def decide(lo, hi, acct, assets, rules, stops, zones, log):  # type: ignore[no-untyped-def]
    """Orders of the account's assets `lo` to `hi - 1` from this bar: risk exits, time exits, then the rows."""
    if acct.liquidating == 1:
        for n in range(lo, hi):
            _liquidate(assets[n], acct, log)
    if stops is not None:
        for n in range(lo, hi):
            if time_is_up(assets[n], acct, stops):
                _exit(assets[n], _TIME, acct, log)
    if rules.kind == _WEIGHTS:
        acct.weights_base = weights_base(lo, hi, acct, assets, rules, stops)
    for n in range(lo, hi):
        a = assets[n]
        if _asks(a, rules.kind) and listens(a, acct, rules, stops):
            if rules.kind == _SIGNALS:
                _on_flags(a, acct, rules, stops, zones, log)
            elif rules.kind == _STRENGTHS:
                _on_strength(a, acct, rules, stops, zones, log)
            elif not in_band(a, acct, rules):
                _to_target(a, acct, rules, stops, zones, log)


@spine
def _asks(a, kind):  # type: ignore[no-untyped-def]
    """Whether the row says anything: a flag, or a number."""
    if kind == _SIGNALS:
        return a.signal != 0
    return not math.isnan(a.value)


@kernel
def _liquidate(a, acct, log):  # type: ignore[no-untyped-def]
    """Z3: waiting new risk is cancelled, what is held gets its exit."""
    if a.order_active == 1 and (a.order_open_q != 0.0 or a.order_cash != 0.0):
        a.order_cut_by |= _ZONE
        end_waiting(a, acct, acct.bars, _CANCELLED, log)
    if a.q != 0.0:
        _exit(a, _RISK, acct, log)


@kernel
def _exit(a, reason, acct, log):  # type: ignore[no-untyped-def]
    """An order that closes what is held; one that waits already is left alone."""
    if a.order_active == 1 and a.order_close_all == 1 and a.order_open_q == 0.0 and a.order_cash == 0.0:
        return
    _new_order(a, reason, acct, log)
    a.order_close_all = 1
    a.order_close_q = -a.q
    a.order_wanted = -a.q


@kernel
def end_waiting(a, acct, now, status, log):  # type: ignore[no-untyped-def]
    """Settle a waiting order without a fill."""
    log_order(a, now, status, log)
    clear_order(a)
    acct.waiting -= 1


@kernel
def _new_order(a, reason, acct, log):  # type: ignore[no-untyped-def]
    """S4: the asset's one working order; what waited is replaced."""
    if a.order_active == 1:
        end_waiting(a, acct, acct.bars, _REPLACED, log)
    a.order_active = 1
    a.order_id = acct.next_id
    a.order_t = acct.bars
    a.order_reason = reason
    a.order_priority = 1.0
    acct.next_id += 1
    acct.waiting += 1


@kernel
def _on_flags(a, acct, rules, stops, zones, log):  # type: ignore[no-untyped-def]
    """F11, then S2: 1 enter long, 2 exit long, 4 enter short, 8 exit short."""
    longs, shorts = a.signal & 3, a.signal & 12
    if longs == 1 and shorts == 4:
        return
    if longs == 1:
        _enter_side(a, 1.0, acct, rules, stops, zones, log)
    elif shorts == 4:
        _enter_side(a, -1.0, acct, rules, stops, zones, log)
    elif longs == 2 or shorts == 8:
        _leave(a, longs == 2, shorts == 8, acct, log)


@kernel
def _on_strength(a, acct, rules, stops, zones, log):  # type: ignore[no-untyped-def]
    """S1: the sign is the side wanted, 0 is flat; the size of it goes with the row."""
    if a.value == 0.0:
        _leave(a, True, True, acct, log)
    else:
        _enter_side(a, a.value, acct, rules, stops, zones, log)


@kernel
def _leave(a, longs, shorts, acct, log):  # type: ignore[no-untyped-def]
    """An exit of the sides named; with nothing held it ends a waiting entry of such a side."""
    if (a.q > 0.0 and longs) or (a.q < 0.0 and shorts):
        _exit(a, _SIGNAL, acct, log)
    elif a.q == 0.0 and a.order_active == 1:
        side = a.order_open_q + a.order_cash
        if (side > 0.0 and longs) or (side < 0.0 and shorts):
            end_waiting(a, acct, acct.bars, _REPLACED, log)


@kernel
def _enter_side(a, strength, acct, rules, stops, zones, log):  # type: ignore[no-untyped-def]
    """S2: an entry; `strength` is signed, booleans count 1."""
    side = 1.0 if strength > 0.0 else -1.0
    allowed = rules.longs == 1 if side > 0.0 else rules.shorts == 1
    held = a.q * side
    if held > 0.0 and rules.accumulate == 0:
        return
    if not allowed:
        _leave(a, side < 0.0, side > 0.0, acct, log)
        return
    _new_order(a, _SIGNAL, acct, log)
    a.order_priority = abs(strength)
    if held < 0.0:
        a.order_close_all = 1
        a.order_close_q = -a.q
    quantity = _entry_size(a, strength, side, acct, rules, stops)
    if rules.method == _SIZED_AT_FILL and acct.equity > 0.0:
        a.order_cash = side * rules.amount
    a.order_wanted = a.order_close_q + side * quantity
    _cut_new_risk(a, side, quantity, acct, stops, zones, log)


@kernel
def _entry_size(a, strength, side, acct, rules, stops):  # type: ignore[no-untyped-def]
    """S3 at this bar's close."""
    stop = entry_stop(a, side, stops)
    return entry_quantity(rules, abs(strength), acct.equity, a.close * a.multiplier, (a.close - stop) * side * a.multiplier)


@kernel
def _cut_new_risk(a, side, quantity, acct, stops, zones, log):  # type: ignore[no-untyped-def]
    """S5 at T7: stop, zone, lot. The order waits with what is left, or is rejected when nothing is."""
    factor = new_risk_factor(acct, zones)
    if not stop_is_known(a, stops) or (math.isnan(quantity) and a.order_cash == 0.0):
        a.order_cut_by |= _STOP
        quantity = 0.0
        a.order_cash = 0.0
    elif quantity <= 0.0:
        a.order_cut_by |= _CASH
    elif factor < 1.0:
        a.order_cut_by |= _ZONE
        quantity *= factor
        a.order_cash *= factor
    if a.order_cash == 0.0:
        whole = whole_lots(quantity, a.lot) if quantity > 0.0 else 0.0
        if whole <= 0.0 and quantity > 0.0:
            a.order_cut_by |= _LOT
        a.order_open_q = side * whole if whole > 0.0 else 0.0
    if a.order_open_q == 0.0 and a.order_cash == 0.0 and a.order_close_q == 0.0:
        end_waiting(a, acct, acct.bars, _REJECTED, log)


@kernel
def _to_target(a, acct, rules, stops, zones, log):  # type: ignore[no-untyped-def]
    """W1: from what is held to the target in one order."""
    target = target_quantity(a, acct.weights_base, rules)
    if is_met(a, target):
        if a.order_active == 1:
            end_waiting(a, acct, acct.bars, _REPLACED, log)
        return
    if target == 0.0:
        _exit(a, _SIGNAL, acct, log)
        return
    _new_order(a, _SIGNAL, acct, log)
    a.order_wanted = target - a.q
    side = 1.0 if target > 0.0 else -1.0
    change = abs(a.order_wanted)
    if a.q * side > 0.0 and abs(target) < abs(a.q):
        whole = whole_lots(change, a.lot)
        a.order_close_q = -side * whole if whole > 0.0 else 0.0
        if whole <= 0.0:
            a.order_cut_by |= _LOT
            end_waiting(a, acct, acct.bars, _REJECTED, log)
        return
    if a.q * side < 0.0:
        a.order_close_all = 1
        a.order_close_q = -a.q
        change = abs(target)
    _cut_new_risk(a, side, change, acct, stops, zones, log)
