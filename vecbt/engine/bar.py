"""One bar of one account, in the order of SEMANTICS T1 to T8. Batch, sweep, stream and paper call all of it.

`begin_bar`, `match_bar` and `finish_bar` are kept apart because a live session calls the first and the last, and a real
broker takes the place of the one between. The bar's own numbers stand in the records of the assets (`open` to `haircut`).
"""

from __future__ import annotations

import math

from ..core.codes import OrderStatus, Reason, Rule
from ..core.jit import borrowed, kernel, kernel_loop, spine
from ..execution.costs import commission, fill_price
from ..execution.orders import clear_order
from ..risk.levels import exit_at, raise_watermark, set_levels
from ..risk.zones import judge_zone
from .account import close_leg, settle, touch
from .decide import decide, end_waiting
from .log import Log, has_room
from .matching import can_fill, execute_orders, log_order
from .rows import load_inputs, load_prices, load_volatility

__all__ = ["bar_step", "begin_bar", "close_all", "finish_bar", "match_bar", "run_bars", "step_bar"]

_FILLED, _CANCELLED = int(OrderStatus.FILLED), int(OrderStatus.CANCELLED)
_TARGET, _DELISTING, _END = int(Reason.TARGET), int(Reason.DELISTING), int(Reason.END)
_DELISTED = int(Rule.DELISTED)


@spine
def bar_step(accounts, assets, spans, g, common, stops, zones, log):  # type: ignore[no-untyped-def]
    """This bar for account `g`: changes the books in place, appends to the log. Parameters are one-record arrays or None."""
    acct, rules, lo, hi = accounts[g], common[0], spans[g], spans[g + 1]
    if stops is not None and zones is not None:
        _bar(lo, hi, acct, assets, rules, stops[0], zones[0], log)
    if stops is not None and zones is None:
        _bar(lo, hi, acct, assets, rules, stops[0], None, log)
    if stops is None and zones is not None:
        _bar(lo, hi, acct, assets, rules, None, zones[0], log)
    if stops is None and zones is None:
        _bar(lo, hi, acct, assets, rules, None, None, log)


@spine
def _bar(lo, hi, acct, assets, rules, stops, zones, log):  # type: ignore[no-untyped-def]
    begin_bar(acct)
    match_bar(lo, hi, acct, assets, rules, stops, log)
    finish_bar(lo, hi, acct, assets, rules, stops, zones, log)


@spine
def begin_bar(acct):  # type: ignore[no-untyped-def]
    """T1 to T3: what happens before the open. The zone of the last bar is kept, so that T6 can be redone."""
    acct.peak_before = acct.peak
    acct.zone_before = acct.zone
    acct.halted_before = acct.halted
    acct.liquidating_before = acct.liquidating
    acct.halted_bars_before = acct.halted_bars


@spine
def match_bar(lo, hi, acct, assets, rules, stops, log):  # type: ignore[no-untyped-def]
    """T4 and T5, the simulated venue: waiting orders at the open, then protective exits; last, delistings (T10)."""
    if acct.waiting > 0:
        execute_orders(lo, hi, True, acct, assets, rules, stops, log)
    for n in range(lo, hi):
        a = assets[n]
        if stops is not None:
            if a.q != 0.0 and can_fill(a, rules):
                _protect(a, acct, rules, stops, log)
        if not math.isnan(a.close) and a.delisted == 0:
            if a.q != 0.0:
                touch(a, a.q, a.high, a.low)
            a.mark = a.close
        if a.delists == 1:
            _delist(a, acct, rules, stops, log)


@kernel
def _protect(a, acct, rules, stops, log):  # type: ignore[no-untyped-def]
    """T5: the bar against the position's stop and target."""
    side = 1.0 if a.q > 0.0 else -1.0
    ref, reason = exit_at(a, side, rules.through, rules.optimistic)
    if reason != 0:
        touch(a, side, a.open, a.open)
        _close_now(a, acct, ref, reason, rules, stops, log)


@kernel
def _close_now(a, acct, ref, reason, rules, stops, log):  # type: ignore[no-untyped-def]
    """Close a position outside the queue, through the same leg and the same booking as every fill."""
    now = acct.bars - 1 if reason == _END else acct.bars
    a.order_active = 1
    a.order_id = acct.next_id
    acct.next_id += 1
    a.order_t = now
    a.order_close_all = 1
    a.order_close_q = -a.q
    a.order_wanted = -a.q
    a.order_priority = 1.0
    a.order_reason = reason
    a.order_held = a.q
    a.order_closed = abs(a.q)
    a.order_ref = ref
    a.order_price = ref
    if reason != _TARGET and reason != _DELISTING:
        a.order_price = fill_price(rules, ref, -1.0 if a.q > 0.0 else 1.0, a.order_closed, a.sigma, a.volume)
    if reason != _DELISTING:
        rate = rules.maker_rate if reason == _TARGET else rules.rate
        a.order_fee = commission(rules, rate, a.order_closed, abs(a.order_closed * a.order_price) * a.multiplier)
    close_leg(a, acct)
    settle(a, acct, now, stops, log)
    log_order(a, now, _FILLED, log)
    clear_order(a)


@kernel
def _delist(a, acct, rules, stops, log):  # type: ignore[no-untyped-def]
    """T10: orders are cancelled, what is held is closed at its last mark less the haircut, without costs."""
    if a.order_active == 1:
        a.order_cut_by |= _DELISTED
        end_waiting(a, acct, acct.bars, _CANCELLED, log)
    if a.q != 0.0:
        _close_now(a, acct, a.mark * (1.0 - a.haircut), _DELISTING, rules, stops, log)
    a.delisted = 1


@kernel
def finish_bar(lo, hi, acct, assets, rules, stops, zones, log):  # type: ignore[no-untyped-def]
    """T6 and T7: mark, judge, prepare the levels of the next bar, decide; with `fill="close"` execute and mark again."""
    worst = _mark(lo, hi, acct, assets)
    judge_zone(acct, zones, worst)
    if stops is not None:
        for n in range(lo, hi):
            _after_the_test(assets[n], stops)
    decide(lo, hi, acct, assets, rules, stops, zones, log)
    if rules.at_close == 1 and acct.waiting > 0:
        execute_orders(lo, hi, False, acct, assets, rules, stops, log)
        acct.peak = acct.peak_before
        acct.zone = acct.zone_before
        acct.halted = acct.halted_before
        acct.liquidating = acct.liquidating_before
        acct.halted_bars = acct.halted_bars_before
        _mark(lo, hi, acct, assets)
        judge_zone(acct, zones, worst)
    if rules.volume_share > 0.0:
        for n in range(lo, hi):
            if not math.isnan(assets[n].bar_sigma):
                assets[n].sigma = assets[n].bar_sigma
    acct.bars += 1


@spine
def _mark(lo, hi, acct, assets):  # type: ignore[no-untyped-def]
    """T6: equity at the marks; returns it at the bar's worst prices (Z1 `mark="intrabar"`)."""
    equity, worst = acct.cash, acct.cash
    for n in range(lo, hi):
        a = assets[n]
        if a.q != 0.0:
            units = a.q * a.multiplier
            extreme = a.low if a.q > 0.0 else a.high
            equity += units * a.mark
            worst += units * (a.mark if math.isnan(extreme) else extreme)
    acct.equity = equity
    return worst


@kernel
def _after_the_test(a, stops):  # type: ignore[no-untyped-def]
    """P2, P1: this bar's ATR and best price count from now on; the levels of the next bar are fixed here (D5)."""
    a.atr = a.bar_atr
    if a.q != 0.0:
        side = 1.0 if a.q > 0.0 else -1.0
        if not math.isnan(a.close):
            raise_watermark(a, side)
        if math.isnan(a.level_atr):
            a.level_atr = a.atr
        set_levels(a, side, stops)


@kernel
def close_all(books, g, common, stops, log):  # type: ignore[no-untyped-def]
    """T8: after the last bar, cancel what waits and close what is held at its mark, with costs."""
    acct, rules = books.accounts[g], common[0]
    for n in range(books.spans[g], books.spans[g + 1]):
        a = books.assets[n]
        if a.order_active == 1:
            end_waiting(a, acct, acct.bars - 1, _CANCELLED, log)
        if a.q != 0.0:
            _close_now(a, acct, a.mark, _END, rules, None, log)
    acct.equity = acct.cash


@kernel
def _borrowed_log(log):  # type: ignore[no-untyped-def]
    return Log(borrowed(log.orders), borrowed(log.fills), borrowed(log.trades), borrowed(log.counts))


@kernel_loop
def run_bars(start, stop, books, rows, rules, log, series):  # type: ignore[no-untyped-def]
    """Bars `start` to `stop - 1` of every account. `series` is (cash, equity, zone), each (T, accounts), zone may be (0, 0).

    Returns the bar it stopped before: `stop`, or earlier when the log has no room for another bar; the caller makes room
    and calls again, the books go on where they are.
    """
    cash, equity, zone = series
    accounts, assets, spans = borrowed(books.accounts), borrowed(books.assets), borrowed(books.spans)
    prices, flags, values = borrowed(rows.prices), borrowed(rows.flags), borrowed(rows.values)
    atr, sigma, day = borrowed(rows.atr), borrowed(rows.sigma), borrowed(rows.day)
    delist_bar, haircut = borrowed(rows.delist_bar), borrowed(rows.haircut)
    common, stops, zones = borrowed(rules.common), borrowed(rules.stops), borrowed(rules.zones)
    book = _borrowed_log(log)
    for t in range(start, stop):
        if not has_room(book, assets.shape[0]):
            return t
        load_prices(assets, t, prices, delist_bar, haircut)
        load_volatility(assets, t, atr, sigma)
        load_inputs(assets, t, flags, values)
        for g in range(accounts.shape[0]):
            acct = accounts[g]
            acct.day = day[t]
            bar_step(accounts, assets, spans, g, common, stops, zones, book)
            cash[t, g] = acct.cash
            equity[t, g] = acct.equity
            if zone.shape[0] > 0:
                zone[t, g] = acct.zone
    return stop


@kernel_loop
def step_bar(books, rules, log):  # type: ignore[no-untyped-def]
    """One bar of every account, the bar's numbers already in the records: what a stream calls. The log must have room."""
    accounts, assets, spans = borrowed(books.accounts), borrowed(books.assets), borrowed(books.spans)
    common, stops, zones = rules
    book = _borrowed_log(log)
    for g in range(accounts.shape[0]):
        bar_step(accounts, assets, spans, g, common, stops, zones, book)
