"""One bar of one account, in the order of SEMANTICS T1 to T8. Batch, sweep, stream and paper call all of it.

`begin_bar`, `match_bar` and `finish_bar` are kept apart because a live session calls the first and the last, and a real
broker takes the place of the one between. The bar's own numbers stand in the records of the assets (`open` to `funding`).
Arguments that may be None (`book`, `terms`, `asked`) are rules that are off: numba drops their code.
"""

from __future__ import annotations

import math

from ..core.codes import Rule
from ..core.jit import borrowed, kernel, kernel_loop, spine, unsigned
from ..risk.levels import limits_of, move_levels
from .before import before_open
from .calm import MANY, Course, calm_bars
from .decide import decide
from .desk import Book, Desk, Queue
from .exits import close_at_end, delist, expose, leave_inside, protect
from .few import few_bars
from .log import bars_of_room
from .lone import AHEAD, lone_bars, stays_alone
from .marks import balance, judge, keep_judgement, mark, mark_again, watch, weigh
from .matching import AT_CLOSE, AT_OPEN, can_fill, execute_orders
from .resting import cancel_book, expire_book, fill_market, fill_resting, measure_room, split_book, sweep_book, trail_book
from .rows import Row, last_prices, load_cell, load_events, load_said, next_said, row_asks
from .rule import ask_rules
from .taking import take_orders

__all__ = ["bar_step", "begin_bar", "close_all", "finish_bar", "match_bar", "run_bars", "sweep_if_any"]

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
def bar_step(books, g, rules_of, row, asked, log):  # type: ignore[no-untyped-def]
    """This bar for account `g`: changes the books in place, appends to the log.

    `rules_of` are the parameters, one-record arrays, `terms` may be None; `row` the bar, `asked` its rows of orders as a Queue, or None.
    """
    accounts, assets, spans, resting, used = books
    common, stops, zones, terms = rules_of
    desk = Desk(spans[unsigned(g)], spans[unsigned(g + 1)], accounts[unsigned(g)], assets)
    book, laws = _book_of(resting, used), (common[0], stops[0], zones[0])
    inside = common[0].looks_always == 1 or desk.acct.waiting > 0 or row.leaves
    begin_bar(desk, book, row, laws, _record(terms), log)
    if not inside and common[0].looks_inside == 1 and stops[0].on == 1:
        inside = _meets_level(desk, row)
    if inside:
        _load(desk, row)
        match_bar(desk, book, laws, log)
    finish_bar(desk, book, row, inside, asked, laws, _record(terms), log)


@spine
def _meets_level(desk, row):  # type: ignore[no-untyped-def]
    """Whether the bar comes to the stop or target of anything that is held: then T5 says what that means. The open lies between (B1)."""
    met = False
    for n in range(desk.lo, desk.hi):
        a = desk.assets[unsigned(n)]
        if a.q != 0.0:
            high, low, _ = last_prices(n, row)
            below, above = limits_of(a)
            met = met or low <= below or high >= above
    return met


@spine
def _load(desk, row):  # type: ignore[no-untyped-def]
    for n in range(desk.lo, desk.hi):
        load_cell(desk.assets[unsigned(n)], n, row)


@spine
def begin_bar(desk, book, row, laws, terms, log):  # type: ignore[no-untyped-def]
    """T1 to T3: what happens before the open. `laws` are the records of rules, stops and zones."""
    rules, stops, _ = laws
    acct, assets = desk.acct, desk.assets
    if terms is not None:
        if book is not None:
            split_book(book, assets[desk.lo].g, assets)
        before_open(desk, row, rules, stops, terms, log)
    if book is not None:
        expire_book(book, assets[desk.lo].g, acct, log)


@spine
def match_bar(desk, book, laws, log):  # type: ignore[no-untyped-def]
    """T4 and T5, the simulated venue: waiting orders at the open, then exits and resting orders."""
    rules, stops, zones = laws
    lo, hi, acct, assets = desk
    if rules.participation > 0.0:
        for n in range(lo, hi):
            assets[n].volume_left = rules.participation * assets[n].volume if assets[n].volume > 0.0 else 0.0
    if acct.waiting > 0:
        execute_orders(desk, AT_OPEN, rules, stops, log)
    if book is not None:
        fill_market(AT_OPEN, book, desk, rules, stops, log)
        measure_room(desk, rules)
    if stops.on == 1:
        for n in range(lo, hi):
            a = assets[unsigned(n)]
            if a.q != 0.0 and can_fill(a, rules):
                protect(a, acct, rules, stops, log)
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
    trail_book(book, assets[lo].g, assets)  # before `expose` cuts the bar to what counts for a position
    for n in range(lo, hi):
        if assets[n].fresh > 0 and assets[n].q != 0.0:
            expose(assets[n], acct, rules, stops, log)


@kernel
def _after_all(desk, book, rules, stops, zones, log):  # type: ignore[no-untyped-def]
    """Delistings before an exit inside the bar (Z8), and that before the marks."""
    lo, hi, acct, assets = desk
    for n in range(lo, hi):
        if assets[n].delists == 1:
            _end_of_bar(assets[n], _last(assets[n]), book, acct, rules, stops, log)
    if rules.exits_inside == 1:
        leave_inside(desk, rules, stops, zones, log)
    for n in range(lo, hi):
        if assets[n].delists == 0:
            _end_of_bar(assets[n], _last(assets[n]), book, acct, rules, stops, log)


@spine
def _last(a):  # type: ignore[no-untyped-def]
    return a.high, a.low, a.close


@spine
def _end_of_bar(a, prices, book, acct, rules, stops, log):  # type: ignore[no-untyped-def]
    """The bar's prices belong to what is held; a delisting ends it (T10)."""
    mark(a, prices)
    _leave_if_gone(a, book, acct, rules, stops, log)


@spine
def _leave_if_gone(a, book, acct, rules, stops, log):  # type: ignore[no-untyped-def]
    if a.delists == 1:
        if book is not None:
            cancel_book(book, a.n, 0, _DELISTED, acct, a.g, log)
        delist(a, acct, rules, stops, log)


@spine
def finish_bar(desk, book, row, loaded, asked, laws, terms, log):  # type: ignore[no-untyped-def]
    """T6 and T7: mark, judge, prepare the levels of the next bar, decide; with `fill="close"` execute and mark again.

    `loaded`: the bar is in the records already; else it gets there where something is to be decided.
    """
    rules, stops, zones = laws
    acct = desk.acct
    worst = _end(desk, book, row, rules, stops, log) if loaded or rules.looks_inside == 1 else watch(desk, row, rules)
    if rules.at_close == 1:
        keep_judgement(acct)
    judge(acct, zones, terms, worst)
    if rules.desk != 0:
        _ask(desk, row, rules)
    asks = row.says and row_asks(row.at + desk.lo, row.at + desk.hi, row)
    if not loaded and (asks or acct.margin_call == 1 or acct.liquidating == 1 or stops.time_bars > 0 or stops.time_days > 0):
        _load(desk, row)
    decide(desk, asks, rules, stops, zones, terms, log)
    if book is not None:
        take_orders(asked, book, desk, rules, stops, zones, terms, log)
    if rules.at_close == 1:
        if acct.waiting > 0 or book is not None:
            execute_orders(desk, AT_CLOSE, rules, stops, log)
            if book is not None:
                fill_market(AT_CLOSE, book, desk, rules, stops, log)
            mark_again(desk, zones, terms, worst, rules)
    if rules.volume_share > 0.0:
        for n in range(desk.lo, desk.hi):
            if not math.isnan(desk.assets[n].bar_sigma):
                desk.assets[n].sigma = desk.assets[n].bar_sigma
    acct.bars += 1


@kernel
def _ask(desk, row, rules):  # type: ignore[no-untyped-def]
    """The strategy's rule writes the row, and the records have it."""
    ask_rules(rules.desk, desk.lo, desk.hi, desk.acct, desk.assets, row.at)
    for n in range(desk.lo, desk.hi):
        load_said(desk.assets[n], n, row)


@spine
def _end(desk, book, row, rules, stops, log):  # type: ignore[no-untyped-def]
    """T6: each asset's end of the bar, the account's equity at the marks, and whether it carries them (F13).

    Returns the equity at the bar's worst prices (Z1 `mark="intrabar"`).
    """
    lo, hi, acct, assets = desk
    value, need, worst = 0.0, 0.0, 0.0
    # what a loop over records writes could change any record, so what it reads of the rules is read once
    ends_here, levels, needs_worst, maintenance = rules.exits_inside == 0, stops.on == 1, rules.needs_worst == 1, rules.maintenance
    if levels and row.atr.shape[0] > 0:
        for n in range(lo, hi):
            assets[unsigned(n)].atr = row.atr[unsigned(row.at + n)]  # P2: this bar's counts from now on
    for n in range(lo, hi):
        a = assets[unsigned(n)]
        if book is None:
            if ends_here:
                mark(a, last_prices(n, row))
                if row.leaves:
                    _leave_if_gone(a, book, acct, rules, stops, log)
        if a.q != 0.0:
            worth, margin = weigh(a, acct, maintenance)
            value += worth
            need += margin
            if needs_worst:
                worst += a.q * a.multiplier * (_worst_price(a) - a.mark)
        if levels and a.q != 0.0:
            move_levels(a, 1.0 if a.q > 0.0 else -1.0, last_prices(n, row) if book is None else _last(a), stops)
    balance(acct, value, need)
    return acct.equity + worst


@kernel
def _worst_price(a):  # type: ignore[no-untyped-def]
    """The bar's worst price for the position; its mark where it has no market."""
    worst = a.low if a.q > 0.0 else a.high
    if 0 < a.fresh < 4:
        worst = a.full_low if a.q > 0.0 else a.full_high
    return a.mark if math.isnan(worst) else worst


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
def _bars_of_room(log, resting, used, starts, t, assets):  # type: ignore[no-untyped-def]
    """For how many bars from `t` on the log has room; one at most where there is an order book, which must have room for the row, too."""
    if resting is not None:
        most = used[0] + starts[t + 1] - starts[t]
        return min(1, bars_of_room(log, assets, most)) if most < resting.shape[0] else 0
    else:
        return bars_of_room(log, assets, 0)


@kernel_loop
def run_bars(start, stop, books, rows, rules, log, series):  # type: ignore[no-untyped-def]
    """Bars `start` to `stop - 1` of every account. `series` is (cash, equity, zone, paid), each (T x accounts,); the last two may be (0,).

    Returns the bar it stopped before: `stop`, or earlier when log or order book have no room for another bar; the caller makes room
    and calls again, the books go on where they are.
    """
    cash, equity, zone, paid = borrowed(series[0]), borrowed(series[1]), borrowed(series[2]), borrowed(series[3])
    mine, laws, book = _borrowed_books(books), _borrowed_rules(rules), borrowed(log)
    accounts, assets, _, resting, used = mine
    prices, flags, values = borrowed(rows.prices), borrowed(rows.flags), borrowed(rows.values)
    atr, sigma, day = borrowed(rows.atr), borrowed(rows.sigma), borrowed(rows.day)
    eventful, time, flow = borrowed(rows.eventful), borrowed(rows.time), borrowed(rows.flow)
    orders, starts = borrowed(rows.orders), borrowed(rows.starts)
    count, groups, checked, said = assets.shape[0], accounts.shape[0], start, start - 1
    size, alone = day.shape[0] * count, stays_alone(assets, laws[0][0], laws[2][0])
    few = groups == 1 and count < MANY and not alone
    course, t = Course(eventful, day, time, flow, cash, equity, zone, paid, borrowed(rows.dense)), start
    while t < stop:
        row = Row(prices, size, t * count, False, False, True, flags, values, atr, sigma)
        if few and said < t:
            said = next_said(t, stop, count, row) if laws[0][0].desk == 0 else t
        if resting is None:
            if groups == 1:
                desk, before, rules_now = Desk(0, count, accounts[0], assets), t, (laws[0][0], laws[1][0], laws[2][0])
                if alone:
                    t = lone_bars(t, stop, desk, rules_now, row, course)
                elif not few:
                    t = calm_bars(t, stop, desk, laws[0][0], laws[2][0], row, course)
                elif said > t:
                    t = few_bars(t, said, desk, rules_now, _record(laws[3]), row, course)
                if t == stop:
                    break
                if t - before == AHEAD:
                    continue  # nothing has ended it but its length
        if t >= checked:  # a calm stretch may have gone past it
            checked = t + _bars_of_room(book, resting, used, starts, t, count)
            if t == checked:
                return t
        bar = unsigned(t)
        happens = eventful[bar] == 1
        leaves = load_events(assets, t, rows) if happens else False
        row = Row(prices, size, t * count, happens, leaves, said <= t, flags, values, atr, sigma)
        for g in range(groups):
            acct, place = accounts[unsigned(g)], unsigned(t * groups + g)
            acct.day = day[bar]
            acct.time = time[bar]
            if flow.shape[0] > 0:
                acct.flow = flow[bar]
            bar_step(mine, g, laws, row, _asked(orders, starts, t), book)
            cash[place] = acct.cash
            equity[place] = acct.equity
            if zone.shape[0] > 0:
                zone[place] = acct.zone
            if paid.shape[0] > 0:
                paid[place] = acct.paid
        sweep_if_any(resting, used)
        t += 1
    return stop


@kernel
def sweep_if_any(resting, used):  # type: ignore[no-untyped-def]
    """After the bar of every account: the order book is closed over."""
    if resting is not None:
        sweep_book(Book(resting, used))
