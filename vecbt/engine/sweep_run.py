"""Many parameter sets over the same bars in one compiled call: for each set the rows, the bars of `run_bars`, and what is measured.

Nothing of a set outlives it but its line of numbers, so memory does not grow with bars times sets. The loop adds no arithmetic of its own:
rules, the step and the metrics are those of a single run, which gives the same bits.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..core.jit import borrowed, kernel, kernel_loop
from ..core.native import call_at, call_loop, run_at
from ..metrics.returns import performance_with, returns_init, returns_load, returns_metrics, returns_store, simple_return
from ..metrics.trades import trades_init, trades_metrics, trades_step
from .books import Books
from .log import bars_of_room, start_log, trade_at, trades_logged
from .rule import DESK
from .sweep_pairs import Pair, pair_trades

__all__ = ["BAD_ANSWER", "BLOCKS", "DONE", "FINE_BLOCKS", "NO_ROOM", "Lines", "Measures", "Trial", "run_sets", "sum_blocks"]

BLOCKS, FINE_BLOCKS = 16, 64
"""Parts of the bars over which powers of returns are summed: what tests for overfitting are made of (Bailey and others, *The Probability of
Backtest Overfitting*, J. Computational Finance 20 (2017))."""

DONE, NO_ROOM, BAD_ANSWER = 1, 2, 3
"""What became of a set: measured; the log was too short for it; its rule answered what may not be."""

_FAULT, _BAD, _PLACES = DESK.index("fault"), DESK.index("bad"), len(DESK)


class Trial(NamedTuple):
    """What a thread runs its sets with, one after the other.

    `desk` (len(DESK),) int64 is the desk that rules find, at `desk_at`; `memory` (N * width,) what a rule remembers; `flags`, `values`
    (T * N,) what it says, one of them (0,); `books` and `log` those of a run, `accounts` and `assets` the bytes of the books; `series` are
    its cash, equity, zone, paid. `rules` are those of the set that runs, one record each, `laws` their bytes. `runs` and `closes` are the
    addresses of run_bars and close_all, compiled for just these. `earned` (T,) is room for returns, `shares` (T,) are 1/1 to 1/T. The
    trades of the first run of a set wait in `pair`, where sets run twice.
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
    earned: np.ndarray
    shares: np.ndarray
    pair: Pair


class Lines(NamedTuple):
    """The sets: `which` (C, 4) int64 has for each its strategy, its setup, its books at the start, and the row of `given`.

    `desks` (S, len(DESK)) of each strategy; `loop` what asks its rule, 0: rows are given, or `inside` is 1 and the simulation asks it;
    `forgotten` fields of a rule's memory are NaN at first, the others 0, of `width`. `flags`, `values` (G, T * N) are given rows.
    `laws` uint8 (U, bytes) the rules of each setup; `ends` (U,) 1: close everything at the end; `accounts`, `assets` uint8
    (B, bytes) books at the start, and `initial` (B, A) their equity.
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
    ends: np.ndarray
    accounts: np.ndarray
    assets: np.ndarray
    initial: np.ndarray


class Measures(NamedTuple):
    """What comes out.

    `state` (C,) int64; `bad` (C, 2) int64 the cell and the bits of an answer that may not be; `final` (C, A) the last equity; `returns` and
    `trades` (C, A) records of metrics; `params` one record of RETURNS_PARAMS; `of_returns`, `of_trades` (A,) states to count in. Where they
    are asked for: `blocks` (C, A, BLOCKS, 4) sums of r to r^4 over equal parts of the bars, `fine` (C, A, FINE_BLOCKS, 2) sums of r and r^2
    over smaller ones, `equity` (C, A, T), `fragility` (C, A) of sets that run twice, one after the other; else they have no sets.
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


@kernel_loop
def run_sets(first, stop, lines, trial, rows, measures):  # type: ignore[no-untyped-def]
    """The sets `first` to `stop - 1`; all arrays of `rows` are read-only, its rows said are those of `trial`."""
    for c in range(first, stop):
        _begin(c, lines, trial)
        fault = _say(c, lines, trial, rows)
        if fault == 0:
            measures.state[c] = _simulate(c, lines, trial, rows)
            fault = trial.desk[_FAULT]
        if fault != 0:
            measures.state[c] = BAD_ANSWER
            measures.bad[c, 0] = fault - 1
            measures.bad[c, 1] = trial.desk[_BAD]
        elif measures.state[c] == DONE:
            _measure(c, lines, trial, rows, measures)
            if measures.fragility.shape[0] > 0 and (c % 2 == 0 or measures.state[c - 1] == DONE):
                pair_trades(c % 2, trial.log, trial.pair, measures.fragility[c])


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
        for i in range(trial.laws[k].shape[0]):
            trial.laws[k][i] = lines.laws[k][u, i]
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
def _simulate(c, lines, trial, rows):  # type: ignore[no-untyped-def]
    """All bars; DONE, or NO_ROOM."""
    bars = rows.day.shape[0]
    if run_at(trial.runs, (0, bars, trial.books, rows, trial.rules, trial.log, trial.series)) < bars:
        return NO_ROOM
    if lines.ends[lines.which[c, 1]] == 1:
        if bars_of_room(trial.log, trial.books[1].shape[0], 0) == 0:
            return NO_ROOM
        cash, equity, _, _ = trial.series
        accounts = trial.books[0]
        for g in range(accounts.shape[0]):
            call_at(trial.closes, (trial.books, g, trial.rules[0], trial.rules[1], trial.log))
        for g in range(accounts.shape[0]):
            cash[(bars - 1) * accounts.shape[0] + g] = accounts[g].cash
            equity[(bars - 1) * accounts.shape[0] + g] = accounts[g].equity
    return DONE


@kernel
def _measure(c, lines, trial, rows, measures):  # type: ignore[no-untyped-def]
    """The metrics of every account, by the steps that a run's statistics take."""
    groups, bars, start = trial.books[0].shape[0], rows.day.shape[0], lines.which[c, 2]
    equity, mar = borrowed(trial.series[1]), measures.params[0].mar
    earned, shares = borrowed(trial.earned), borrowed(trial.shares)
    for g in range(groups):
        returns_init(measures.of_returns[g], lines.initial[start, g])
        earned[0] = simple_return(equity[g], lines.initial[start, g])
        for t in range(1, bars):
            earned[t] = simple_return(equity[t * groups + g], equity[(t - 1) * groups + g])
        now = returns_load(measures.of_returns[g])
        for t in range(bars):
            now = performance_with(now, shares[t], mar, equity[t * groups + g], earned[t])
        returns_store(measures.of_returns[g], now)
        returns_metrics(measures.of_returns[g], measures.params[0], measures.returns[c, g])
        measures.final[c, g] = equity[(bars - 1) * groups + g]
        if measures.blocks.shape[0] > 0:
            sum_blocks(earned, bars, measures.blocks[c, g], measures.fine[c, g])
        if measures.equity.shape[0] > 0:
            for t in range(bars):
                measures.equity[c, g, t] = equity[t * groups + g]
        trades_init(measures.of_trades[g])
    for k in range(trades_logged(trial.log)):
        trade = trade_at(trial.log, k)
        trades_step(measures.of_trades[trade.account], trade)
    for g in range(groups):
        trades_metrics(measures.of_trades[g], measures.trades[c, g])


@kernel
def sum_blocks(earned, bars, blocks, fine):  # type: ignore[no-untyped-def]
    """Sums of powers of the returns over parts of the bars; part b of B holds the bars from b*T//B to (b + 1)*T//B - 1."""
    count = blocks.shape[0]
    for b in range(count):
        one, two, three, four = 0.0, 0.0, 0.0, 0.0
        for t in range(b * bars // count, (b + 1) * bars // count):
            r = earned[t]
            square = r * r
            one += r
            two += square
            three += square * r
            four += square * square
        blocks[b, 0], blocks[b, 1], blocks[b, 2], blocks[b, 3] = one, two, three, four
    count = fine.shape[0]
    for b in range(count):
        one, two = 0.0, 0.0
        for t in range(b * bars // count, (b + 1) * bars // count):
            one += earned[t]
            two += earned[t] * earned[t]
        fine[b, 0], fine[b, 1] = one, two
