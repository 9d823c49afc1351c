"""A whole run of a plain account in numbers instead of records: most sets of a sweep are one, and so take a fraction of the time.

Plain is one asset that is paid in full, in bars without gaps and events; signals, market orders, stops and targets that are no ATR; no
zones, no limits, no carry. The rules are those of the step, and what computes a number is the same kernel wherever it stands alone.
Whatever is out of the ordinary, such as an order that is refused, a margin call or ruin, makes a run UNFIT: then the step runs the set
from its start. Tests hold each line against a run by the step, to the last bit.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..core.codes import Reason, SizeMethod
from ..core.jit import borrowed, kernel, spine, unsigned
from ..core.lanes import LANES, choose, lane_of, lanes_from, lanes_of, lanes_to
from ..core.places import first_byte, peek_int
from ..core.rounding import whole_lots
from ..execution.costs import commission, fill_price
from ..risk.levels import stop_if_entered
from ..risk.sizing import entry_quantity
from .account import extremes
from .inputs import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from .log import count_trade, has_room, next_trade
from .lone import IDLE_FLAT, IDLE_LONG, IDLE_SHORT, are_idle
from .marks import ruin_line
from .matching import commission_of
from .plain_fit import affordable
from .plain_hits import Known, first_exit
from .plain_levels import Purse, first_levels, guard, is_carried, is_steady

__all__ = ["FINISHED", "FULL", "UNFIT", "House", "Tape", "is_plain", "plain_count", "plain_run"]

FINISHED, FULL, UNFIT = 0, 1, 2
"""How a run ends: at its last bar; where the log is full; where the step has to take it, from its start."""

_SIGNAL, _TARGET, _END = int(Reason.SIGNAL), int(Reason.TARGET), int(Reason.END)
_CASH, _KELLY, _EQUAL = int(SizeMethod.CASH), int(SizeMethod.KELLY), int(SizeMethod.EQUAL_WEIGHT)
_BY_STOP = int(SizeMethod.FIXED_FRACTIONAL), int(SizeMethod.CONFIDENCE)
_LONGS, _SHORTS = ENTER_LONG | EXIT_LONG, ENTER_SHORT | EXIT_SHORT
_MOST_TRADES = 4  # that a turn of the loop may write


def _idle_where(longs: bool, shorts: bool) -> int:
    """IDLE_FLAT, and the rows whose entry is not allowed: with nothing held they do nothing."""
    found = IDLE_FLAT
    for flags in range(16):
        enters_long, enters_short = flags & _LONGS == ENTER_LONG, flags & _SHORTS == ENTER_SHORT
        if (enters_long and not longs) or (enters_short and not enters_long and not shorts):
            found |= 1 << flags
    return found


_ONLY_LONG, _ONLY_SHORT = _idle_where(True, False), _idle_where(False, True)


class Tape(NamedTuple):
    """Prices of the only asset, the highest high and the lowest low of as many bars from each on as there are lanes, and what is said.

    (T,) each, but `closes` goes on for as many numbers as there are lanes, which nobody means; `tops` and `bottoms` are not asked where
    fewer bars are left. `least` and `most` are the lowest and the highest close; `known` are answers about the levels of the set.
    """

    opens: np.ndarray
    highs: np.ndarray
    lows: np.ndarray
    closes: np.ndarray
    tops: np.ndarray
    bottoms: np.ndarray
    said: np.ndarray
    least: float
    most: float
    known: Known


class House(NamedTuple):
    """Records that are only read: the rules, the stops, the asset, the account at the start."""

    rules: np.ndarray
    stops: np.ndarray
    a: np.ndarray
    acct: np.ndarray


class _Order(NamedTuple):
    """What a row asks for (T7): the side that it opens, 0 none; units, or a share of the room (S3)."""

    side: float
    units: float
    share: float


class _Held(NamedTuple):
    """A position: signed units, its fill's price and bar, what was paid for it and in fees, extremes (M7), first stop and risk."""

    units: float
    price: float
    since: int
    value: float
    fee: float
    worst: float
    best: float
    stop: float
    risk: float


@kernel
def is_plain(house, zones):  # type: ignore[no-untyped-def]
    """Whether the rules are such that `plain_run` knows them all."""
    rules, stops, a, acct = house
    if zones.on == 1 or rules.accumulate == 1 or rules.desk != 0 or rules.method == _KELLY:
        return False
    if (rules.looks_inside == 1 and rules.levels_only == 0) or stops.uses_atr == 1:
        return False
    if a.kind != 0 or a.q != 0.0 or a.order_active == 1 or a.initial_margin > 0.0 or a.maintenance_margin > 0.0:
        return False
    return acct.waiting == 0 and acct.ruined == 0 and acct.empty == 0


@kernel
def plain_run(span, ends, tape, house, log, equity):  # type: ignore[no-untyped-def]
    """All bars of a `span`, the equity at each close into `equity`, trades into the log; FINISHED, FULL or UNFIT.

    `ends`: whether what is held at the end is closed (T8). The equity has room for as many numbers more as there are lanes: what stands
    behind the last bar of a stretch is written, too, and again when it is known.
    """
    return _run(span, (1 if ends else 0, 1), tape, house, log, equity)


@kernel
def plain_count(span, ends, tape, house, log, equity):  # type: ignore[no-untyped-def]
    """The same, but trades are only counted: what is known of them alone is not computed, as the compiler sees that nobody reads it."""
    return _run(span, (1 if ends else 0, 0), tape, house, log, equity)


@spine
def _run(span, wishes, tape, house, log, equity):  # type: ignore[no-untyped-def]
    """See `plain_run`; `wishes` are whether it closes at the end, and whether trades are written."""
    (begin, stop), writes = span, wishes[1]
    rules, _, a, acct = house
    tape, log, equity = borrowed(tape), borrowed(log), borrowed(equity)
    at_close, line = rules.at_close == 1, ruin_line(acct)
    idle = IDLE_FLAT if rules.longs == 1 and rules.shorts == 1 else _ONLY_LONG if rules.longs == 1 else _ONLY_SHORT
    where = tape.said.ctypes.data
    said = _all_said(begin, stop, where, tape.said)
    flat_until = begin - 1  # the next row that does something, where it is ahead
    long_until = stop if _is_silent(said, IDLE_LONG) else begin - 1
    short_until = stop if _is_silent(said, IDLE_SHORT) else begin - 1
    cash, held = acct.cash, _nothing()
    order, waits, now, t = _Order(0.0, 0.0, 0.0), False, acct.bars - begin, begin
    while t < stop or (waits and at_close):
        if writes == 1 and not has_room(log, _MOST_TRADES):
            return FULL
        if waits:
            waits, at, ref = False, t - 1 if at_close else t, 0.0
            if at_close:
                ref = tape.closes[unsigned(at)]
            else:
                ref = tape.opens[unsigned(at)]
                held = _met(held, ref)
            fine, cash, held = _execute(order, (ref, now + at, writes), cash, held, house, log)
            if not fine:
                return UNFIT
            if at_close:
                money = held.units * a.multiplier * ref
                worth = cash + money
                if worth <= line or worth < rules.maintenance * abs(money):
                    return UNFIT
                equity[unsigned(at)] = worth
            if writes == 1:
                held = _with_risk(held, first_levels(held, house), a)
            if t >= stop:
                break
        if held.units == 0.0:
            if flat_until < t:
                flat_until = _next_row(t, stop, where, tape.said, idle)
            end = flat_until
            if cash <= line:
                return UNFIT
            _wait(t, min(end + 1, stop), cash, equity)
        else:
            if held.units > 0.0:
                if long_until < t:
                    long_until = _next_row(t, stop, where, tape.said, IDLE_LONG)
                end = long_until
            else:
                if short_until < t:
                    short_until = _next_row(t, stop, where, tape.said, IDLE_SHORT)
                end = short_until
            purse = Purse(cash, held.units * a.multiplier, rules.maintenance, line, equity)
            bar, reason, ref, fine = _carry((t, min(end + 1, stop)), held, purse, tape, house)
            if not fine:
                return UNFIT
            held = _met_in((t, bar), held, tape)
            if reason != 0:
                there = ref, now + bar, writes
                fine, cash, held = _leave(there, reason, cash, _met(held, tape.opens[unsigned(bar)]), house, log)
                if not fine or cash <= line:
                    return UNFIT
                equity[unsigned(bar)] = cash + 0.0
                end = bar
                if at_close or (idle >> int(tape.said[unsigned(bar)])) & 1 == 1:  # P9
                    t = bar + 1
                    continue
        if end >= stop:
            break
        fine, order = _decide(int(tape.said[unsigned(end)]), equity[unsigned(end)], tape.closes[unsigned(end)], house)
        if not fine:
            return UNFIT
        waits, t = True, end + 1
    if wishes[0] == 1 and held.units != 0.0:
        fine, cash, _ = _leave_at_end((tape.closes[unsigned(stop - 1)], now + stop - 1, writes), cash, held, house, log)
        if not fine:
            return UNFIT
        equity[unsigned(stop - 1)] = cash
    return FINISHED


@spine
def _nothing():  # type: ignore[no-untyped-def]
    return _Held(0.0, math.nan, 0, 0.0, 0.0, math.nan, math.nan, math.nan, math.nan)


@spine
def _met(held, price):  # type: ignore[no-untyped-def]
    """M7: a price that a position, if there is one, has met."""
    if held.units == 0.0:
        return held
    worst, best = extremes(held.units, held.worst, held.best, price, price)
    return _Held(held.units, held.price, held.since, held.value, held.fee, worst, best, held.stop, held.risk)


@kernel
def _all_said(t, stop, where, said):  # type: ignore[no-untyped-def]
    """The flags that any row of these bars has; the rows stand at the address `where`."""
    rows, flags = 0, 0
    while t + 8 <= stop:
        rows |= peek_int(where + t, 0)
        t += 8
    for k in range(8):
        flags |= (rows >> (8 * k)) & 15
    for bar in range(t, stop):
        flags |= int(said[unsigned(bar)])
    return flags


@kernel
def _is_silent(said, idle):  # type: ignore[no-untyped-def]
    """Whether no row of such flags does anything."""
    for flags in range(16):
        if flags & said == flags and (idle >> flags) & 1 == 0:
            return False
    return True


@kernel
def _next_row(t, stop, where, said, idle):  # type: ignore[no-untyped-def]
    """The first bar from `t` on whose row does something, or `stop`; the rows stand at the address `where`."""
    start = t
    while start + 8 <= stop:  # eight bars at once
        rows = peek_int(where + start, 0)
        if rows != 0:
            start += first_byte(rows)
            if (idle >> int(said[unsigned(start)])) & 1 == 0:
                return start
            if start + 8 <= stop and are_idle(said, start, idle):  # a rule that says at each bar where it wants to be
                start += 8
            else:
                start += 1
        else:
            start += 8
    for bar in range(start, stop):
        if (idle >> int(said[unsigned(bar)])) & 1 == 0:
            return bar
    return stop


@spine
def _wait(t, stop, cash, equity):  # type: ignore[no-untyped-def]
    """Bars in which nothing is held. What stands behind them comes later, and is written then."""
    worth = lanes_of(cash + 0.0)
    while t < stop:
        lanes_to(equity, t, worth)
        t += LANES


@spine
def _carry(span, held, purse, tape, house):  # type: ignore[no-untyped-def]
    """T5 and T6 of bars in which a position is held, from its fill on: whatever row ends them closes it.

    Returns the bar that takes the position out, the end of the span if none does, the reason and the price of the exit, and False where
    the account does not carry it.
    """
    (t, bar), reason, ref = span, 0, 0.0
    if house.stops.on == 1:
        bar = -1
        if tape.known.answers.shape[0] > 0:
            bar, reason, ref = first_exit(span, held, tape, house)
        if bar < 0:
            return guard(span, first_levels(held, house), purse, tape, house)
    return bar, reason, ref, _hold((t, bar), purse, tape, house.a)


@spine
def _hold(span, purse, tape, a):  # type: ignore[no-untyped-def]
    """T6 of bars in which the position is held; False where the account does not carry it (F13)."""
    t, stop = span
    if is_steady(purse, a):
        if is_carried(purse, tape.least if purse.amount > 0.0 else tape.most):  # whatever comes
            while t < stop:
                close = lanes_from(tape.closes, t)
                lanes_to(purse.equity, t, close * purse.amount + purse.cash)
                t += LANES
            return True
        if stop - t >= LANES:
            least, most = _worths(span, purse, tape)
            return is_carried(purse, least) and is_carried(purse, most)
    fine = True
    for bar in range(t, stop):
        close = tape.closes[unsigned(bar)]
        fine = fine and is_carried(purse, close)
        purse.equity[unsigned(bar)] = purse.cash + purse.amount * close
    return fine


@spine
def _worths(span, purse, tape):  # type: ignore[no-untyped-def]
    """T6 of at least LANES bars, as many at once as there are lanes; the least and the greatest close of them."""
    t, stop = span
    low = lanes_from(tape.closes, t)
    high = low
    while t < stop:
        at = min(t, stop - LANES)  # the last ones may be computed twice
        close = lanes_from(tape.closes, at)
        lanes_to(purse.equity, at, close * purse.amount + purse.cash)
        low, high = choose(close < low, close, low), choose(close > high, close, high)
        t += LANES
    least, most = lane_of(low, 0), lane_of(high, 0)
    for k in range(1, LANES):
        least, most = min(least, lane_of(low, k)), max(most, lane_of(high, k))
    return least, most


@spine
def _with_risk(held, levels, a):  # type: ignore[no-untyped-def]
    """What is at risk between the fill and the first stop."""
    risk = abs(held.units) * a.multiplier * abs(held.price - levels.stop)
    return _Held(held.units, held.price, held.since, held.value, held.fee, held.worst, held.best, levels.stop, risk)


@spine
def _met_in(span, held, tape):  # type: ignore[no-untyped-def]
    """M7 of the bars of a span, as many at once as there are lanes: what comes first does not matter to the worst and the best."""
    t, stop = span
    worst, best = held.worst, held.best
    if stop - t >= 2 * LANES:
        high, low = lanes_from(tape.highs, t), lanes_from(tape.lows, t)
        t += LANES
        while t + LANES <= stop:
            higher, lower = lanes_from(tape.highs, t), lanes_from(tape.lows, t)
            high, low = choose(higher > high, higher, high), choose(lower < low, lower, low)
            t += LANES
        for k in range(LANES):
            worst, best = extremes(held.units, worst, best, lane_of(high, k), lane_of(low, k))
    for bar in range(t, stop):
        worst, best = extremes(held.units, worst, best, tape.highs[unsigned(bar)], tape.lows[unsigned(bar)])
    return _Held(held.units, held.price, held.since, held.value, held.fee, worst, best, held.stop, held.risk)


@spine
def _decide(flags, worth, close, house):  # type: ignore[no-untyped-def]
    """T7: the order of a row that does something; False where it is refused or cut before it meets a price (S5)."""
    rules, stops, a, acct = house
    longs, shorts = flags & _LONGS, flags & _SHORTS
    side = 1.0 if longs == ENTER_LONG else -1.0 if shorts == ENTER_SHORT else 0.0
    if (side > 0.0 and rules.longs == 0) or (side < 0.0 and rules.shorts == 0):
        side = 0.0
    if side == 0.0:
        return True, _Order(0.0, 0.0, 0.0)
    if rules.method == _CASH:
        return True, _Order(side, 0.0, rules.amount)
    risk = math.nan
    if rules.method == _BY_STOP[0] or rules.method == _BY_STOP[1]:
        risk = (close - stop_if_entered(a, close, side, stops)) * side * a.multiplier
    share = 1.0 if rules.method == _EQUAL else math.nan
    units, refusal = entry_quantity(rules, 1.0, worth, abs(close) * a.multiplier, risk, math.nan, share, acct)
    units = whole_lots(units, a.lot) if refusal == 0 else 0.0
    return units > 0.0, _Order(side, units, 0.0)


@spine
def _execute(order, there, cash, held, house, log):  # type: ignore[no-untyped-def]
    """T4, T7: a market order closes what is held, then opens its own side; False where the step has to look at it (F10, F5).

    `there` are the price it meets, the bar, and whether its trade is written.
    """
    ref, now, writes = there
    rules, _, a, _ = house
    was = 1.0 if held.units > 0.0 else -1.0
    side = order.side if order.side != 0.0 else -was
    price, closed, fee, opened = fill_price(rules, ref, side, 0.0, math.nan, 0.0, a.floor), abs(held.units), 0.0, 0.0
    if not price > 0.0:
        return False, cash, held
    if closed > 0.0:
        fee = commission_of(rules, closed, price, a.multiplier, rules.rate)
        cash += was * closed * price * a.multiplier - fee
    if order.side != 0.0:
        opened, extra = affordable(order, (price, closed, fee), cash, house)
        if not (opened > 0.0 and opened * abs(price) * a.multiplier >= a.min_notional * (1.0 - 1e-9)):
            return False, cash, held
        cash -= side * opened * price * a.multiplier + extra
        fee += extra
    fee_of_close = fee * closed / (closed + opened)
    if closed > 0.0:
        _end_trade(_met(held, price), (price, fee_of_close, _SIGNAL, now), writes, a, log)
    if opened == 0.0:
        return True, cash, _nothing()
    return True, cash, _Held(side * opened, price, now, opened * price, fee - fee_of_close, price, price, math.nan, math.nan)


@spine
def _leave(there, reason, cash, held, house, log):  # type: ignore[no-untyped-def]
    """An exit of all that is held at a level or at the end (T5, T8); False where the price is none to trade at."""
    ref, now, writes = there
    rules, _, a, _ = house
    side, closed, price = 1.0 if held.units > 0.0 else -1.0, abs(held.units), ref
    if reason != _TARGET:
        price = fill_price(rules, ref, -side, closed, math.nan, 0.0, a.floor)
    if not price > 0.0:
        return False, cash, held
    money = abs(closed * price) * a.multiplier
    fee = commission(rules, money * (rules.maker_rate if reason == _TARGET else rules.rate), closed, money)
    cash += side * closed * price * a.multiplier - fee
    _end_trade(_met(held, price), (price, fee * closed / (closed + 0.0), reason, now), writes, a, log)
    return True, cash, _nothing()


@kernel
def _leave_at_end(there, cash, held, house, log):  # type: ignore[no-untyped-def]
    return _leave(there, _END, cash, held, house, log)


@spine
def _end_trade(held, end, writes, a, log):  # type: ignore[no-untyped-def]
    """A trade is over: written, or counted."""
    if writes == 1:
        _write_trade(held, end, a, log)
    else:
        count_trade(log)


@spine
def _write_trade(held, end, a, log):  # type: ignore[no-untyped-def]
    """M4, M7: the trade that is over, as `account.settle` writes it; its `end` are price, fee, reason and bar."""
    price, fee, reason, now = end
    side, units = 1.0 if held.units > 0.0 else -1.0, abs(held.units)
    entry = held.value / units
    trade = next_trade(log)
    trade.asset = a.n
    trade.account = a.g
    trade.side = int(side)
    trade.entry_t = held.since
    trade.exit_t = now
    trade.quantity = units
    trade.entry_price = entry
    trade.exit_price = units * price / units
    trade.gross = units * a.multiplier * (price - held.price) * side
    trade.commission = held.fee + fee
    trade.carry = 0.0
    trade.dividends = 0.0
    trade.pnl = trade.gross - trade.commission - 0.0 + 0.0
    trade.reason = reason
    against, favour = (entry - held.worst) * side, (held.best - entry) * side
    paid = abs(entry)
    trade.mae = against / paid if against > 0.0 else 0.0
    trade.mfe = favour / paid if favour > 0.0 else 0.0
    trade.initial_risk = held.risk
    trade.stop = held.stop
