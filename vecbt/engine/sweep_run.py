"""Many parameter sets over the same bars in one compiled call: for each set the rows, the bars of `run_bars`, and what is measured.

Nothing of a set outlives it but its line of numbers, so memory does not grow with bars times sets. The loop adds no arithmetic of its own:
rules, the step and the metrics are those of a single run, which gives the same bits.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..core.jit import ENGINE, borrowed, kernel, kernel_loop, spine
from ..core.lanes import LANES, choose, every, lane_of, lanes_at, lanes_of
from ..core.places import call_at, call_loop, run_at
from ..metrics.drawdowns import drawdown_peaks, drawdown_safe
from ..metrics.returns import (
    Performance,
    gain,
    moments_from,
    performance_few,
    performance_from,
    performance_lane,
    performance_least,
    performance_start,
    returns_few,
    returns_metrics,
    returns_store,
    simple_return,
)  # fmt: skip
from ..metrics.trades import trades_counted, trades_init, trades_metrics, trades_step
from .books import Books
from .log import bars_of_room, start_log, trade_at, trades_logged
from .plain import FINISHED, UNFIT, House, Tape, is_plain, plain_count, plain_run
from .plain_hits import Known
from .rule import DESK
from .sweep_pairs import Pair, pair_trades

__all__ = [
    "BAD_ANSWER", "BLOCKS", "DETAILS", "DONE", "FINE_BLOCKS", "NO_ROOM", "Lines", "Measures", "Sums", "Trial", "run_sets", "sum_blocks",
    "sums_joined", "sums_next", "sums_start",
]  # fmt: skip

BLOCKS, FINE_BLOCKS = 16, 64
"""Parts of the bars over which powers of returns are summed: what tests for overfitting are made of (Bailey and others, *The Probability of
Backtest Overfitting*, J. Computational Finance 20 (2017))."""

DETAILS = frozenset({
    "sortino", "longest_drawdown_bars", "ulcer", "win_rate", "profit_factor", "expectancy", "r_expectancy", "average_mae", "average_mfe",
    "average_holding_bars",
})  # fmt: skip
"""Metrics that take time of their own; where none of them is asked for they are not computed, and NaN."""

DONE, NO_ROOM, BAD_ANSWER = 1, 2, 3
"""What became of a set: measured; the log was too short for it; its rule answered what may not be."""

_FINER = FINE_BLOCKS // BLOCKS
_ALL, _FEW, _HASTY = 0, 1, 2  # what a pass leaves: everything; what `performance_few` does; that of curves that stay above nothing
_TRIED = _HASTY if ENGINE == "numba" else _FEW  # NumPy would warn of curves that do not stay there

_FAULT, _BAD, _PLACES = DESK.index("fault"), DESK.index("bad"), len(DESK)


class Sums(NamedTuple):
    """Sums of r, r^2, r^3 and r^4 over a part of the bars; numbers, or lanes."""

    one: float
    two: float
    three: float
    four: float


class Trial(NamedTuple):
    """What a thread runs its sets with, one after the other.

    `desk` (len(DESK),) int64 is the desk that rules find, at `desk_at`; `memory` (N * width,) what a rule remembers; `flags`, `values`
    (T * N,) what it says, one of them (0,); `books` and `log` those of a run, `accounts` and `assets` the books in words; `series` are
    its cash, equity, zone, paid; the equity of a single account goes to a row of `curves` instead. `rules` are those of the set that
    runs, one record each, `laws` their words. `runs` and `closes` are the addresses of run_bars and close_all, compiled for just these.
    `curves` (LANES, more than T) are equities to be measured, side by side; `starts` (LANES, 1) what they began with, `owners` int64
    (LANES, 2) whose they are, set and account. The trades of the first run of a set wait in `pair`, where sets run twice. `plain`: 1 where
    bars and inputs are such that `plain_run` may take a set; then `ranges` (2, T) are the tops and bottoms of its tape, else (2, 0),
    `prices` (T + LANES,) its closes, `least` and `most` the lowest and the highest of them, and `answers` what is known of levels that
    sets share, see `Known`.
    """

    desk: np.ndarray
    desk_at: int
    memory: np.ndarray
    flags: np.ndarray
    values: np.ndarray
    books: Books
    accounts: np.ndarray
    assets: np.ndarray
    log: np.ndarray
    series: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
    rules: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]
    laws: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
    runs: int
    closes: int
    curves: np.ndarray
    starts: np.ndarray
    owners: np.ndarray
    pair: Pair
    plain: int
    ranges: np.ndarray
    prices: np.ndarray
    least: float
    most: float
    answers: np.ndarray


class Lines(NamedTuple):
    """The sets: `which` (C, 6) int64 has for each its strategy, its setup, its books at the start, the row of `given` (-1: its rule
    is asked), its first bar, and the one after its last.

    `desks` (S, len(DESK)) of each strategy; `loop` what asks its rule, 0: rows are given, or `inside` is 1 and the simulation asks it;
    `forgotten` fields of a rule's memory are NaN at first, the others 0, of `width`. `flags`, `values` (G, T * N) are given rows.
    `laws` int64 (U, words) the rules of each setup, or (1, words) of all, and `steps` (4,) 1 or 0 then; `ends` (U,) 1: close everything
    at the end; `levels` (U, 3) the columns of its levels in `answers`; `accounts`, `assets` int64 (B, words) books at the start, and
    `initial` (B, A) their equity.
    """

    which: np.ndarray
    desks: np.ndarray
    loop: int
    inside: int
    forgotten: int
    width: int
    flags: np.ndarray
    values: np.ndarray
    laws: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
    steps: np.ndarray
    ends: np.ndarray
    levels: np.ndarray
    accounts: np.ndarray
    assets: np.ndarray
    initial: np.ndarray


class Measures(NamedTuple):
    """What comes out.

    `state` (C,) int64; `bad` (C, 2) int64 the cell and the bits of an answer that may not be; `final` (C, A) the last equity; `returns` and
    `trades` (C, A) records of metrics; `params` one record of RETURNS_PARAMS; `of_returns` (1,), `of_trades` (A,) states to count in. Where
    they are asked for: `blocks` (C, A, BLOCKS, 4) sums of r to r^4 over equal parts of the bars, `fine` (C, A, FINE_BLOCKS, 2) sums of r
    and r^2 over smaller ones, `equity` (C, A, T), `fragility` (C, A) of sets that run twice, one after the other; else they have no sets.
    `details`: 1 where DETAILS are measured, too.
    """

    state: np.ndarray
    bad: np.ndarray
    final: np.ndarray
    returns: np.ndarray
    trades: np.ndarray
    params: np.ndarray
    of_returns: np.ndarray
    of_trades: np.ndarray
    blocks: np.ndarray
    fine: np.ndarray
    equity: np.ndarray
    fragility: np.ndarray
    details: int


@kernel_loop
def run_sets(first, stop, lines, trial, rows, measures):  # type: ignore[no-untyped-def]
    """The sets `first` to `stop - 1`; all arrays of `rows` are read-only, its rows said are those of `trial`."""
    lines, trial, rows, measures = borrowed(lines), borrowed(trial), borrowed(rows), borrowed(measures)
    pending = 0
    for c in range(first, stop):
        if pending > 0 and _length(c, lines) != _length(trial.owners[0, 0], lines):
            _measure(pending, lines, trial, measures)
            pending = 0
        _begin(c, lines, trial)
        known = c > first and _said_already(c, lines, measures)
        fault, equity = 0 if known else _say(c, lines, trial, rows), _equity(pending, trial)
        if fault == 0:
            measures.state[c] = _simulate(c, lines, trial, rows, equity, measures.details)
            fault = trial.desk[_FAULT]
        if fault != 0:
            measures.state[c] = BAD_ANSWER
            measures.bad[c, 0] = fault - 1
            measures.bad[c, 1] = trial.desk[_BAD]
        elif measures.state[c] == DONE:
            _count_trades(c, trial, measures)
            if measures.fragility.shape[0] > 0 and (c % 2 == 0 or measures.state[c - 1] == DONE):
                pair_trades(c % 2, trial.log, trial.pair, measures.fragility[c])
            pending = _take_curves(c, pending, equity, lines, trial, measures)
    if pending > 0:
        _measure(pending, lines, trial, measures)


@kernel
def _length(c, lines):  # type: ignore[no-untyped-def]
    """How many bars a set runs over."""
    return lines.which[c, 5] - lines.which[c, 4]


@kernel
def _said_already(c, lines, measures):  # type: ignore[no-untyped-def]
    """Whether the set before said the same, and well: then it stands there still, as a simulation that asks nobody only reads it."""
    same = lines.which[c, 0] == lines.which[c - 1, 0] and lines.which[c, 3] == lines.which[c - 1, 3]
    return same and lines.inside == 0 and measures.state[c - 1] != BAD_ANSWER


@kernel
def _begin(c, lines, trial):  # type: ignore[no-untyped-def]
    """Books and log as before the first bar, and a desk at which nothing was asked yet."""
    at = lines.which[c, 2]
    for i in range(trial.accounts.shape[0]):
        trial.accounts[i] = lines.accounts[at, i]
    for i in range(trial.assets.shape[0]):
        trial.assets[i] = lines.assets[at, i]
    u = lines.which[c, 1]
    for k in range(4):
        row = u * lines.steps[k]
        for i in range(trial.laws[k].shape[0]):
            trial.laws[k][i] = lines.laws[k][row, i]
    trial.rules[0][0].desk = trial.desk_at if lines.inside == 1 else 0
    start_log(trial.log)
    for place in range(_PLACES):
        trial.desk[place] = lines.desks[lines.which[c, 0], place]


@kernel
def _say(c, lines, trial, rows):  # type: ignore[no-untyped-def]
    """The rows of the set: asked of its rule, or given. Returns what was wrong with an answer, 0 nothing."""
    assets, bars = trial.books[1].shape[0], rows.day.shape[0]
    row = lines.which[c, 3]
    if row >= 0:
        for i in range(trial.flags.shape[0]):
            trial.flags[i] = lines.flags[row, i]
        for i in range(trial.values.shape[0]):
            trial.values[i] = lines.values[row, i]
        return 0
    for n in range(assets):
        for k in range(lines.width):
            trial.memory[n * lines.width + k] = math.nan if k < lines.forgotten else 0.0
    if lines.loop == 0:
        return 0
    call_loop(lines.loop, trial.desk_at, bars, assets)
    return trial.desk[_FAULT]


@kernel
def _simulate(c, lines, trial, rows, equity, details):  # type: ignore[no-untyped-def]
    """All bars of the set, the equity of each into `equity`; DONE, or NO_ROOM. Without `details` trades may be counted only."""
    begin, stop = lines.which[c, 4], lines.which[c, 5]
    if trial.plain == 1:
        state = _simulate_plain(c, lines, trial, rows, equity, details)
        if state != UNFIT:
            return DONE if state == FINISHED else NO_ROOM
        start_log(trial.log)
    cash, _, zone, paid = trial.series
    if run_at(trial.runs, (begin, stop, trial.books, rows, trial.rules, trial.log, (cash, equity, zone, paid))) < stop:
        return NO_ROOM
    if lines.ends[lines.which[c, 1]] == 1:
        if bars_of_room(trial.log, trial.books[1].shape[0], 0) == 0:
            return NO_ROOM
        accounts = trial.books[0]
        for g in range(accounts.shape[0]):
            call_at(trial.closes, (trial.books, g, trial.rules[0], trial.rules[1], trial.log))
        for g in range(accounts.shape[0]):
            cash[(stop - 1) * accounts.shape[0] + g] = accounts[g].cash
            equity[(stop - 1) * accounts.shape[0] + g] = accounts[g].equity
    return DONE


@kernel
def _simulate_plain(c, lines, trial, rows, equity, details):  # type: ignore[no-untyped-def]
    """The same where the account is plain; UNFIT where it is not. Nothing but the log and the equity is written to."""
    house = House(trial.rules[0][0], trial.rules[1][0], trial.books[1][0], trial.books[0][0])
    if not is_plain(house, trial.rules[2][0]):
        return UNFIT
    bars, prices, span = rows.day.shape[0], rows.prices, (lines.which[c, 4], lines.which[c, 5])
    opens, highs, lows = prices[:bars], prices[bars : 2 * bars], prices[2 * bars : 3 * bars]
    u = lines.which[c, 1]
    known = Known(trial.answers, lines.levels[u, 0], lines.levels[u, 1], lines.levels[u, 2])
    tape = Tape(opens, highs, lows, trial.prices, trial.ranges[0], trial.ranges[1], trial.flags, trial.least, trial.most, known)
    ends = lines.ends[u] == 1
    if details == 0:
        return plain_count(span, ends, tape, house, trial.log, equity)
    return plain_run(span, ends, tape, house, trial.log, equity)


@kernel
def _equity(pending, trial):  # type: ignore[no-untyped-def]
    """Where the equity of the next set goes."""
    if trial.books[0].shape[0] == 1:
        return trial.curves[pending]
    return trial.series[1]


@kernel
def _count_trades(c, trial, measures):  # type: ignore[no-untyped-def]
    """The metrics of the trades of every account, by the step that a run's statistics take."""
    groups = trial.books[0].shape[0]
    if measures.details == 0 and groups == 1:
        trades_counted(trades_logged(trial.log), measures.trades[c, 0])
        return
    for g in range(groups):
        trades_init(measures.of_trades[g])
    for k in range(trades_logged(trial.log)):
        trade = trade_at(trial.log, k)
        trades_step(measures.of_trades[trade.account], trade)
    for g in range(groups):
        if measures.details == 1:
            trades_metrics(measures.of_trades[g], measures.trades[c, g])
        else:
            trades_counted(measures.of_trades[g].count, measures.trades[c, g])


@kernel
def _take_curves(c, pending, equity, lines, trial, measures):  # type: ignore[no-untyped-def]
    """The equity of every account of set `c` waits, its first bar in front, until there are enough to be measured; how many wait then."""
    groups, begin, bars = trial.books[0].shape[0], lines.which[c, 4], _length(c, lines)
    for g in range(groups):
        trial.owners[pending, 0], trial.owners[pending, 1] = c, g
        trial.starts[pending, 0] = lines.initial[lines.which[c, 2], g]
        if groups > 1:
            for t in range(bars):
                trial.curves[pending, t] = equity[(begin + t) * groups + g]
        elif begin > 0:
            for t in range(bars):
                trial.curves[pending, t] = equity[begin + t]
        pending += 1
        if pending == LANES:
            _measure(pending, lines, trial, measures)
            pending = 0
    return pending


@kernel
def _measure(count, lines, trial, measures):  # type: ignore[no-untyped-def]
    """The returns of `count` curves, by the step that a run's statistics take, in lanes; those beyond `count` are measured for nothing."""
    bars = _length(trial.owners[0, 0], lines)
    now = _pass(count, bars, trial, measures) if measures.details == 1 else _pass_few(count, bars, trial, measures)
    state = measures.of_returns[0]
    for k in range(count):
        c, g = trial.owners[k, 0], trial.owners[k, 1]
        state.initial = trial.starts[k, 0]
        returns_store(state, performance_lane(now, k))
        if measures.details == 1:
            returns_metrics(state, measures.params[0], measures.returns[c, g])
        else:
            returns_few(state, measures.params[0], trial.curves[k], bars, measures.returns[c, g])
        measures.final[c, g] = trial.curves[k, bars - 1]
        if measures.equity.shape[0] > 0:
            for t in range(bars):
                measures.equity[c, g, lines.which[c, 4] + t] = trial.curves[k, t]


@kernel
def _pass(count, bars, trial, measures):  # type: ignore[no-untyped-def]
    """What the curves leave behind, all of it."""
    before, equity = lanes_at(trial.starts, 0), lanes_at(trial.curves, 0)
    return _passed((count, bars), _ALL, (before, equity, simple_return(equity, before)), trial, measures)


@kernel
def _pass_few(count, bars, trial, measures):  # type: ignore[no-untyped-def]
    """The same without what only DETAILS are made of: as nobody reads that, the compiler leaves it out.

    Where nothing is earned on the first bar, returns are their own distances from the first one, which it sees as well. That there is
    something to earn on is not asked at each bar: where there was not, the drawdown or the returns say so, and all is done again.
    """
    before, equity = lanes_at(trial.starts, 0), lanes_at(trial.curves, 0)
    value, span = simple_return(equity, before), (count, bars)
    if every(value == 0.0):
        now = _passed(span, _TRIED, (before, equity, lanes_of(0.0)), trial, measures)
    else:
        now = _passed(span, _TRIED, (before, equity, value), trial, measures)
    if not (every(now.drawdown.deepest < 1.0) and every(now.moments.total == now.moments.total)):
        now = _passed(span, _FEW, (before, equity, value), trial, measures)
    return performance_few(now)


@spine
def _passed(span, how, begin, trial, measures):  # type: ignore[no-untyped-def]
    """All `bars` of so many curves, with sums over parts of them where they are asked for; see `sum_blocks`.

    `begin` are the equities before and at the first bar, and the return between them; `how` is one of _ALL, _FEW, _HASTY.
    """
    count, bars = span
    before, equity, value = begin
    curves, mar, kept = trial.curves, measures.params[0].mar, measures.blocks.shape[0] > 0
    anchor, now, whole = value, performance_start(before), sums_start(before)
    safe = drawdown_safe(now.drawdown)
    for b in range(FINE_BLOCKS):
        part, start, stop = sums_start(before), b * bars // FINE_BLOCKS, (b + 1) * bars // FINE_BLOCKS
        while how == _HASTY and start <= stop - 4:
            (equity, value), part, now, safe = _four(curves, start, (equity, value), anchor, mar, part, (now, safe))
            start += 4
        for t in range(start, stop):
            # the next return is divided while this one is summed; after the last bar of something that is no equity
            after = lanes_at(curves, t + 1)
            ahead = gain(after, equity) if how == _HASTY else simple_return(after, equity)
            if how != _ALL:
                safe, now = performance_least(anchor, now, mar, (equity, value), safe)
            else:
                now = performance_from(anchor, now, mar, equity, value)
            part = sums_next(part, value)
            equity, value = after, ahead
        if not kept:
            continue
        whole = sums_joined(whole, part)
        for k in range(count):
            fine = measures.fine[trial.owners[k, 0], trial.owners[k, 1], b]
            fine[0], fine[1] = lane_of(part.one, k), lane_of(part.two, k)
        if (b + 1) % _FINER == 0:
            for k in range(count):
                block = measures.blocks[trial.owners[k, 0], trial.owners[k, 1], b // _FINER]
                block[0], block[1] = lane_of(whole.one, k), lane_of(whole.two, k)
                block[2], block[3] = lane_of(whole.three, k), lane_of(whole.four, k)
            whole = sums_start(before)
    return now


@spine
def _four(curves, t, ahead, anchor, mar, part, past):  # type: ignore[no-untyped-def]
    """Four bars of curves that stay above nothing: `ahead` are the close and the return of the first, then those after the last one.

    Each return goes into both sums while the next one is divided; the drawdown asks all four closes at once. Written out, as a loop
    over the four of them would keep them all in memory.
    """
    now, safe = past
    first, value = ahead
    second, third = lanes_at(curves, t + 1), lanes_at(curves, t + 2)
    part, moments = sums_next(part, value), moments_from(anchor, now.moments, mar, value)
    value = gain(second, first)
    part, moments = sums_next(part, value), moments_from(anchor, moments, mar, value)
    value = gain(third, second)
    fourth, after = lanes_at(curves, t + 3), lanes_at(curves, t + 4)
    part, moments = sums_next(part, value), moments_from(anchor, moments, mar, value)
    value = gain(fourth, third)
    part, moments = sums_next(part, value), moments_from(anchor, moments, mar, value)
    value = gain(after, fourth)
    safe, drawdown = drawdown_peaks(now.drawdown, safe, (first, second, third, fourth))
    return (after, value), part, Performance(fourth, moments, drawdown), safe


@kernel
def sums_start(value):  # type: ignore[no-untyped-def]
    """No returns yet: numbers, or lanes, as `value` is."""
    zero = choose(value > 0.0, 0.0, 0.0)
    return Sums(zero, zero, zero, zero)


@kernel
def sums_next(past, value):  # type: ignore[no-untyped-def]
    """One return more."""
    square = value * value
    return Sums(past.one + value, past.two + square, past.three + square * value, past.four + square * square)


@kernel
def sums_joined(left, right):  # type: ignore[no-untyped-def]
    """Two parts as one."""
    return Sums(left.one + right.one, left.two + right.two, left.three + right.three, left.four + right.four)


@kernel
def sum_blocks(earned, bars, blocks, fine):  # type: ignore[no-untyped-def]
    """Sums of powers of the returns over parts of the bars; part b of B holds the bars from b*T//B to (b + 1)*T//B - 1.

    A large part is made of small ones, whose ends it shares.
    """
    for k in range(BLOCKS):
        whole = sums_start(0.0)
        for b in range(k * _FINER, (k + 1) * _FINER):
            part = sums_start(0.0)
            for t in range(b * bars // FINE_BLOCKS, (b + 1) * bars // FINE_BLOCKS):
                part = sums_next(part, earned[t])
            fine[b, 0], fine[b, 1] = part.one, part.two
            whole = sums_joined(whole, part)
        blocks[k, 0], blocks[k, 1], blocks[k, 2], blocks[k, 3] = whole.one, whole.two, whole.three, whole.four
