"""One bar of one account, in the order of SEMANTICS T1 to T8. Batch, sweep, stream and paper call all of it.

`begin_bar`, `match_bar` and `finish_bar` are kept apart because a live session calls the first and the last, and a real
broker takes the place of the one between. The bar's own numbers stand in the records of the assets (`open` to `funding`).
Arguments that may be None (`book`, `terms`, `asked`) are rules that are off: numba drops their code.
"""

from __future__ import annotations

import math

from ..core.codes import Rule
from ..core.jit import borrowed, kernel, kernel_loop, spine
from ..risk.levels import raise_watermark, set_levels
from ..risk.zones import judge_zone
from .account import settle_move, touch
from .before import before_open
from .decide import decide
from .desk import Book, Desk, Queue
from .exits import close_at_end, delist, expose, leave_inside, protect
from .log import Log, has_room
from .matching import AT_CLOSE, AT_OPEN, can_fill, execute_orders
from .resting import cancel_book, expire_book, fill_market, fill_resting, measure_room, split_book, sweep_book, trail_book
from .rows import load_events, load_inputs, load_prices, load_volatility
from .taking import take_orders

__all__ = ["bar_step", "begin_bar", "close_all", "finish_bar", "match_bar", "run_bars", "sweep_if_any"]

_RUIN = 1e-9  # F13: of `initial`
_DELISTED = int(Rule.DELISTED)


@spine
def _record(rule):  # type: ignore[no-untyped-def]
    """The one record of a rule, or None where it is off."""
    if rule is not None:
        return rule[0]
    else:
        return None


@spine
def _book_of(resting, used):  # type: ignore[no-untyped-def]
    """The order book, or None where the inputs are no orders."""
    if resting is not None:
        return Book(resting, used)
    else:
        return None


@spine
def bar_step(books, g, rules_of, asked, log):  # type: ignore[no-untyped-def]
    """This bar for account `g`: changes the books in place, appends to the log.

    `rules_of` are the parameters, one-record arrays, `terms` may be None; `asked` this bar's rows of orders as a Queue, or None.
    """
    accounts, assets, spans, resting, used = books
    common, stops, zones, terms = rules_of
    desk, book, rules = Desk(spans[g], spans[g + 1], accounts[g], assets), _book_of(resting, used), common[0]
    begin_bar(desk, book, rules, stops[0], _record(terms), log)
    match_bar(desk, book, rules, stops[0], zones[0], log)
    finish_bar(desk, book, asked, rules, stops[0], zones[0], _record(terms), log)


@spine
def begin_bar(desk, book, rules, stops, terms, log):  # type: ignore[no-untyped-def]
    """T1 to T3: what happens before the open. The judgement of the last bar is kept, so that T6 can be redone."""
    acct, assets = desk.acct, desk.assets
    if terms is not None:
        if book is not None:
            split_book(book, assets[desk.lo].g, assets)
        before_open(desk, rules, stops, terms, log)
    if book is not None:
        expire_book(book, assets[desk.lo].g, acct, log)
    acct.broke = 0
    acct.peak_before = acct.peak
    acct.zone_before = acct.zone
    acct.halted_before = acct.halted
    acct.liquidating_before = acct.liquidating
    acct.halted_bars_before = acct.halted_bars
    acct.day_blocked_before = acct.day_blocked


@spine
def match_bar(desk, book, rules, stops, zones, log):  # type: ignore[no-untyped-def]
    """T4 and T5, the simulated venue: waiting orders at the open, then exits and resting orders; last, delistings (T10)."""
    lo, hi, acct, assets = desk
    if rules.participation > 0.0:
        for n in range(lo, hi):
            assets[n].volume_left = rules.participation * assets[n].volume if assets[n].volume > 0.0 else 0.0
    if acct.waiting > 0:
        execute_orders(desk, AT_OPEN, rules, stops, log)
    if book is not None:
        fill_market(AT_OPEN, book, desk, rules, stops, log)
        measure_room(desk, rules)
    for n in range(lo, hi):
        a = assets[n]
        if stops.on == 1 and a.q != 0.0 and can_fill(a, rules):
            protect(a, acct, rules, stops, log)
        if book is None:
            if rules.exits_inside == 0:
                _end_of_bar(a, book, acct, rules, stops, log)
    if book is not None:
        _rest(desk, book, rules, stops, log)
    if book is not None or rules.exits_inside == 1:
        _after_all(desk, book, rules, stops, zones, log)


@kernel
def _rest(desk, book, rules, stops, log):  # type: ignore[no-untyped-def]
    """T5 for the orders in the book, and for the positions they open."""
    lo, hi, acct, assets = desk
    for n in range(lo, hi):
        assets[n].fresh = 0
    fill_resting(book, desk, rules, stops, log)
    for n in range(lo, hi):
        if assets[n].fresh > 0 and assets[n].q != 0.0:
            expose(assets[n], acct, rules, stops, log)
    trail_book(book, assets[lo].g, assets)


@kernel
def _after_all(desk, book, rules, stops, zones, log):  # type: ignore[no-untyped-def]
    """Delistings before an exit inside the bar (Z8), and that before the marks."""
    lo, hi, acct, assets = desk
    for n in range(lo, hi):
        if assets[n].delists == 1:
            _end_of_bar(assets[n], book, acct, rules, stops, log)
    if rules.exits_inside == 1:
        leave_inside(desk, rules, stops, zones, log)
    for n in range(lo, hi):
        if assets[n].delists == 0:
            _end_of_bar(assets[n], book, acct, rules, stops, log)


@spine
def _end_of_bar(a, book, acct, rules, stops, log):  # type: ignore[no-untyped-def]
    """The bar's prices belong to what is held; a delisting ends it (T10)."""
    if not math.isnan(a.close) and a.delisted == 0:
        if a.q != 0.0:
            touch(a, a.q, a.high, a.low)
        a.mark = a.close
    if a.delists == 1:
        if book is not None:
            cancel_book(book, a.n, 0, _DELISTED, acct, a.g, log)
        delist(a, acct, rules, stops, log)


@spine
def finish_bar(desk, book, asked, rules, stops, zones, terms, log):  # type: ignore[no-untyped-def]
    """T6 and T7: mark, judge, prepare the levels of the next bar, decide; with `fill="close"` execute and mark again."""
    lo, hi, acct, assets = desk
    worst = _mark(desk, rules)
    _judge(acct, zones, terms, worst)
    if stops.on == 1:
        for n in range(lo, hi):
            _after_the_test(assets[n], stops)
    decide(desk, rules, stops, zones, terms, log)
    if book is not None:
        take_orders(asked, book, desk, rules, stops, zones, terms, log)
    if rules.at_close == 1:
        if acct.waiting > 0 or book is not None:
            execute_orders(desk, AT_CLOSE, rules, stops, log)
            if book is not None:
                fill_market(AT_CLOSE, book, desk, rules, stops, log)
            acct.peak = acct.peak_before
            acct.zone = acct.zone_before
            acct.halted = acct.halted_before
            acct.liquidating = acct.liquidating_before
            acct.halted_bars = acct.halted_bars_before
            acct.day_blocked = acct.day_blocked_before
            _mark(desk, rules)
            _judge(acct, zones, terms, worst)
    if rules.volume_share > 0.0:
        for n in range(lo, hi):
            if not math.isnan(assets[n].bar_sigma):
                assets[n].sigma = assets[n].bar_sigma
    acct.bars += 1


@spine
def _mark(desk, rules):  # type: ignore[no-untyped-def]
    """T6: equity at the marks, and whether it carries them (F13); returns it at the bar's worst prices (Z1 `mark="intrabar"`)."""
    lo, hi, acct, assets = desk
    worst, value, need = 0.0, 0.0, 0.0
    for n in range(lo, hi):
        a = assets[n]
        if a.q != 0.0:
            units = a.q * a.multiplier
            money = units * a.mark
            if a.kind == 0:
                value += money
            else:
                settle_move(a, acct, a.mark)
            if rules.needs_worst == 1:
                worst += units * (_worst_price(a) - a.mark)
            need += abs(a.q) * a.maintenance_margin if a.maintenance_margin > 0.0 else rules.maintenance * abs(money)
    acct.equity = acct.cash + value
    if acct.equity <= _RUIN * acct.initial and acct.empty == 0:
        acct.ruined = 1
    acct.margin_call = 1 if acct.equity < need or acct.ruined == 1 else 0
    return acct.equity + worst


@kernel
def _worst_price(a):  # type: ignore[no-untyped-def]
    """The bar's worst price for the position; its mark where it has no market."""
    worst = a.low if a.q > 0.0 else a.high
    if 0 < a.fresh < 4:
        worst = a.full_low if a.q > 0.0 else a.full_high
    return a.mark if math.isnan(worst) else worst


@spine
def _judge(acct, zones, terms, worst):  # type: ignore[no-untyped-def]
    """T6: the drawdown zone (Z1) and the daily loss (Z4)."""
    judge_zone(acct, zones, worst)
    if terms is not None:
        if terms.daily_loss > 0.0 and acct.empty == 0 and acct.equity <= acct.day_start * (1.0 - terms.daily_loss):
            acct.day_blocked = 1


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
    accounts, assets, spans, resting, used = books
    acct, rules = accounts[g], common[0]
    acct.bars -= 1  # these cancellations are of the last bar
    _cancel_all(resting, used, acct, g, log)
    acct.bars += 1
    for n in range(spans[g], spans[g + 1]):
        close_at_end(assets[n], acct, rules, stops[0], log)
    acct.equity = acct.cash


@kernel
def _cancel_all(resting, used, acct, g, log):  # type: ignore[no-untyped-def]
    if resting is not None:
        cancel_book(Book(resting, used), -1, 0, 0, acct, g, log)


@kernel
def _borrowed_log(log):  # type: ignore[no-untyped-def]
    return Log(borrowed(log.orders), borrowed(log.fills), borrowed(log.trades), borrowed(log.scratch), borrowed(log.counts))


@kernel
def _borrowed_books(books):  # type: ignore[no-untyped-def]
    accounts, assets, spans, resting, used = books
    return borrowed(accounts), borrowed(assets), borrowed(spans), borrowed(resting), borrowed(used)


@kernel
def _borrowed_rules(rules):  # type: ignore[no-untyped-def]
    common, stops, zones, terms = rules
    return borrowed(common), borrowed(stops), borrowed(zones), borrowed(terms)


@spine
def _asked(orders, starts, t):  # type: ignore[no-untyped-def]
    """The rows of orders of bar `t`, or None where the inputs are no orders."""
    if orders is not None:
        return Queue(starts[t], starts[t + 1], orders)
    else:
        return None


@spine
def _room_for(resting, used, starts, t):  # type: ignore[no-untyped-def]
    """Orders the book may hold in this bar; -1 when it is too small for them."""
    if resting is not None:
        most = used[0] + starts[t + 1] - starts[t]
        return most if most < resting.shape[0] else -1
    else:
        return 0


@kernel_loop
def run_bars(start, stop, books, rows, rules, log, series):  # type: ignore[no-untyped-def]
    """Bars `start` to `stop - 1` of every account. `series` is (cash, equity, zone, paid), each (T, accounts); the last two may be (0, 0).

    Returns the bar it stopped before: `stop`, or earlier when log or order book have no room for another bar; the caller makes room
    and calls again, the books go on where they are.
    """
    cash, equity, zone, paid = series
    mine, laws, book = _borrowed_books(books), _borrowed_rules(rules), _borrowed_log(log)
    accounts, assets, _, resting, used = mine
    prices, flags, values = borrowed(rows.prices), borrowed(rows.flags), borrowed(rows.values)
    atr, sigma, day = borrowed(rows.atr), borrowed(rows.sigma), borrowed(rows.day)
    delist_bar, haircut, events = borrowed(rows.delist_bar), borrowed(rows.haircut), borrowed(rows.events)
    time, flow = borrowed(rows.time), borrowed(rows.flow)
    orders, starts = borrowed(rows.orders), borrowed(rows.starts)
    for t in range(start, stop):
        wanted = _room_for(resting, used, starts, t)
        if wanted < 0 or not has_room(book, assets.shape[0], wanted):
            return t
        load_prices(assets, t, prices, delist_bar, haircut)
        load_volatility(assets, t, atr, sigma)
        load_inputs(assets, t, flags, values)
        load_events(assets, t, events)
        for g in range(accounts.shape[0]):
            acct = accounts[g]
            acct.day = day[t]
            acct.time = time[t]
            if flow.shape[0] > 0:
                acct.flow = flow[t]
            bar_step(mine, g, laws, _asked(orders, starts, t), book)
            cash[t, g] = acct.cash
            equity[t, g] = acct.equity
            if zone.shape[0] > 0:
                zone[t, g] = acct.zone
            if paid.shape[0] > 0:
                paid[t, g] = acct.paid
        sweep_if_any(resting, used)
    return stop


@kernel
def sweep_if_any(resting, used):  # type: ignore[no-untyped-def]
    """After the bar of every account: the order book is closed over."""
    if resting is not None:
        sweep_book(Book(resting, used))
