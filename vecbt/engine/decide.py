"""T7: what the strategy's row asks for becomes orders (S, W), after margin, risk and time exits; cuts to new risk come here first (S5)."""

from __future__ import annotations

import math

from ..core.codes import InputKind, OrderStatus, Reason, Rule, SizeMethod
from ..core.jit import kernel, spine
from ..core.rounding import whole_lots
from ..execution.orders import begin_order, clear_order
from ..risk.levels import entry_stop, stop_is_known
from ..risk.sizing import entry_quantity
from ..risk.zones import new_risk_factor
from .desk import Queue
from .limits import ASKED, TAKEN, cut_by_limits
from .matching import log_order
from .targets import in_band, is_met, listens, size_share, sum_shares, target_quantity, time_is_up, weights_base

__all__ = ["cut_at_decision", "decide", "end_waiting", "risk_is_refused"]

_SIGNALS, _STRENGTHS = int(InputKind.SIGNALS), int(InputKind.STRENGTHS)
_WEIGHTS, _ORDERS = int(InputKind.WEIGHTS), int(InputKind.ORDERS)
_REJECTED, _REPLACED, _CANCELLED = int(OrderStatus.REJECTED), int(OrderStatus.REPLACED), int(OrderStatus.CANCELLED)
_SIGNAL, _TIME, _RISK, _MARGIN_CALL = int(Reason.SIGNAL), int(Reason.TIME), int(Reason.RISK), int(Reason.MARGIN)
_ZONE, _CASH, _LOT, _STOP = int(Rule.ZONE), int(Rule.CASH), int(Rule.LOT), int(Rule.STOP)
_MARGIN, _DAILY_LOSS = int(Rule.MARGIN), int(Rule.DAILY_LOSS)
_SIZED_AT_FILL = int(SizeMethod.CASH)
_EQUAL_WEIGHT, _BY_VOLATILITY = int(SizeMethod.EQUAL_WEIGHT), int(SizeMethod.INVERSE_VOLATILITY)


@spine
def decide(desk, asks, rules, stops, zones, terms, log):  # type: ignore[no-untyped-def]
    """Orders of the account from this bar: margin and risk exits, time exits, then the rows, if they ask for anything."""
    lo, hi, acct, assets = desk
    if acct.margin_call == 1:
        for n in range(lo, hi):
            _liquidate(assets[n], _MARGIN_CALL, _MARGIN, acct, log)
    elif acct.liquidating == 1:
        for n in range(lo, hi):
            _liquidate(assets[n], _RISK, _ZONE, acct, log)
    if stops.on == 1 and (stops.time_bars > 0 or stops.time_days > 0):
        for n in range(lo, hi):
            if time_is_up(assets[n], acct, stops):
                _exit(assets[n], _TIME, acct, log)
    if not asks:
        return
    _take_rows(desk, rules, stops, zones, terms, log)
    if terms is not None:
        if rules.kind != _ORDERS:
            cut_by_limits(Queue(lo, hi, assets), desk, rules, stops, terms)
            for n in range(lo, hi):
                if assets[n].order_active == 1 and assets[n].order_stage == TAKEN:
                    _take_lots(assets[n], acct, log)


@spine
def _take_rows(desk, rules, stops, zones, terms, log):  # type: ignore[no-untyped-def]
    """The strategy's row, asset by asset."""
    lo, hi, acct, assets = desk
    if rules.kind == _WEIGHTS:
        acct.weights_base = weights_base(lo, hi, acct, assets, rules, stops)
    elif rules.method == _BY_VOLATILITY or rules.method == _EQUAL_WEIGHT:
        sum_shares(lo, hi, acct, assets, rules)
    for n in range(lo, hi):
        a = assets[n]
        if _asks(a, rules.kind) and listens(a, acct, rules, stops):
            if rules.kind == _SIGNALS:
                _on_flags(a, acct, rules, stops, zones, terms, log)
            elif rules.kind == _STRENGTHS:
                _on_strength(a, acct, rules, stops, zones, terms, log)
            elif not in_band(a, acct, rules):
                _to_target(a, acct, rules, stops, zones, terms, log)


@spine
def _asks(a, kind):  # type: ignore[no-untyped-def]
    """Whether the row says anything of the asset: a flag, or a number."""
    if kind == _SIGNALS:
        return a.signal != 0
    return not math.isnan(a.value)


@kernel
def _liquidate(a, reason, rule, acct, log):  # type: ignore[no-untyped-def]
    """F13, Z3: waiting new risk is cancelled, what is held gets its exit."""
    if a.order_active == 1 and (a.order_open_q != 0.0 or a.order_cash != 0.0):
        a.order_cut_by |= rule
        end_waiting(a, acct, acct.bars, _CANCELLED, log)
    if a.q != 0.0:
        _exit(a, reason, acct, log)


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
    """Settle the asset's waiting order as it is."""
    log_order(a, now, status, log)
    clear_order(a)
    acct.waiting -= 1


@kernel
def _new_order(a, reason, acct, log):  # type: ignore[no-untyped-def]
    """S4: the asset's one working order; what waited is replaced."""
    if a.order_active == 1:
        end_waiting(a, acct, acct.bars, _REPLACED, log)
    begin_order(a, acct, reason)
    acct.waiting += 1


@kernel
def _on_flags(a, acct, rules, stops, zones, terms, log):  # type: ignore[no-untyped-def]
    """F11, then S2: 1 enter long, 2 exit long, 4 enter short, 8 exit short."""
    longs, shorts = a.signal & 3, a.signal & 12
    if longs == 1 and shorts == 4:
        return
    if longs == 1:
        _enter_side(a, 1.0, acct, rules, stops, zones, terms, log)
    elif shorts == 4:
        _enter_side(a, -1.0, acct, rules, stops, zones, terms, log)
    elif longs == 2 or shorts == 8:
        _leave(a, longs == 2, shorts == 8, acct, log)


@kernel
def _on_strength(a, acct, rules, stops, zones, terms, log):  # type: ignore[no-untyped-def]
    """S1: the sign is the side wanted, 0 is flat; the size of it goes with the row."""
    if a.value == 0.0:
        _leave(a, True, True, acct, log)
    else:
        _enter_side(a, a.value, acct, rules, stops, zones, terms, log)


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
def _enter_side(a, strength, acct, rules, stops, zones, terms, log):  # type: ignore[no-untyped-def]
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
    quantity, refusal = _entry_size(a, strength, side, acct, rules, stops)
    if rules.method == _SIZED_AT_FILL and acct.equity > 0.0:
        a.order_cash = side * rules.amount
    a.order_wanted = a.order_close_q + side * quantity
    a.order_cut_by |= refusal
    _cut_new_risk(a, side, quantity, acct, stops, zones, terms, log)


@kernel
def _entry_size(a, strength, side, acct, rules, stops):  # type: ignore[no-untyped-def]
    """S3 at this bar's close."""
    stop = entry_stop(a, side, stops)
    unit = abs(a.close) * a.multiplier
    risk = (a.close - stop) * side * a.multiplier
    return entry_quantity(rules, abs(strength), acct.equity, unit, risk, a.bar_sigma, size_share(a, acct, rules), acct)


@kernel
def cut_at_decision(a, o, quantity, acct, stops, zones, terms):  # type: ignore[no-untyped-def]
    """S5 at T7, all but limits and lots: what is left of `quantity >= 0` of new risk of order `o`."""
    factor = new_risk_factor(acct, zones)
    refusal = 0
    if o.order_cut_by == 0:  # else the size itself refuses (S3)
        if quantity <= 0.0:
            refusal = _CASH
        elif not stop_is_known(a, stops):
            refusal = _STOP
        elif acct.margin_call == 1 or acct.ruined == 1:
            refusal = _MARGIN
        elif factor <= 0.0:
            refusal = _ZONE
    if terms is not None:
        if o.order_cut_by == 0 and refusal == 0 and acct.day_blocked == 1:
            refusal = _DAILY_LOSS
    if o.order_cut_by != 0 or refusal != 0:
        if refusal == _DAILY_LOSS and factor < 1.0:
            o.order_cut_by |= _ZONE
        o.order_cut_by |= refusal
        o.order_cash = 0.0
        return 0.0
    if factor < 1.0:
        o.order_cut_by |= _ZONE
        o.order_cash *= factor
        return quantity * factor
    return quantity


@kernel
def risk_is_refused(acct, zones, terms):  # type: ignore[no-untyped-def]
    """Whether no new risk at all is taken: margin, ruin, EMERGENCY, a day's loss."""
    refused = acct.margin_call == 1 or acct.ruined == 1 or new_risk_factor(acct, zones) <= 0.0
    if terms is not None:
        refused = refused or acct.day_blocked == 1
    return refused


@kernel
def _cut_new_risk(a, side, quantity, acct, stops, zones, terms, log):  # type: ignore[no-untyped-def]
    """S5 at T7. The order waits with what is left, or is rejected when nothing is; limits are scarce room, so they come last."""
    left = cut_at_decision(a, a, quantity, acct, stops, zones, terms)
    a.order_open_q = side * left if left > 0.0 else 0.0
    if terms is not None:
        a.order_stage = ASKED
    else:
        _take_lots(a, acct, log)


@kernel
def _take_lots(a, acct, log):  # type: ignore[no-untyped-def]
    """F5, and the end of an order that asks for nothing any more."""
    a.order_stage = 0
    if a.order_cash == 0.0:
        quantity = abs(a.order_open_q)
        whole = whole_lots(quantity, a.lot)
        if whole <= 0.0 and quantity > 0.0:
            a.order_cut_by |= _LOT
        a.order_open_q = (whole if a.order_open_q > 0.0 else -whole) if whole > 0.0 else 0.0
    else:
        a.order_open_q = 0.0
    if a.order_open_q == 0.0 and a.order_cash == 0.0 and a.order_close_q == 0.0:
        end_waiting(a, acct, acct.bars, _REJECTED, log)


@kernel
def _to_target(a, acct, rules, stops, zones, terms, log):  # type: ignore[no-untyped-def]
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
    _cut_new_risk(a, side, change, acct, stops, zones, terms, log)
