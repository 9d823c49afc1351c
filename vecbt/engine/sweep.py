"""Many parameter sets over the same bars: prepared here, run in compiled chunks on several threads, each set measured and forgotten.

A set is a strategy with its parameters and a setup with its own. Compiled strategies share their indicators and are asked by their own
loops; any other is evaluated set by set, and its rows go the same way. What needs an order book, deposits, or a Python rule inside the
simulation runs alone, by the batch driver. All of them take the same step, so every line equals a run of its own.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Records
from ..core.codes import InputKind
from ..core.native import address_of
from ..core.sets import Sets
from ..core.state import plain, records
from ..data.labels import label_text
from ..errors import ConfigError, InputError, VecbtError
from ..metrics.returns import RETURNS_METRICS, RETURNS_STATE, flow_returns_of, returns_of, returns_params, simple_returns_of
from ..metrics.trades import TRADES_METRICS, TRADES_STATE, trades_of
from .bar import close_all, run_bars
from .batch import simulate
from .books import Books, make_books
from .check import aligned_inputs
from .inputs import AlignedInputs
from .log import FILLS_PER_BAR, ORDERS_PER_BAR, make_log
from .rule import DESK
from .rule_strategy import RuleStrategy
from .ruling import blank_rows
from .setup import Setup, spans_of
from .strategy import Strategy, as_strategy, evaluate
from .sweep_names import setup_with, split_names
from .sweep_rules import RuleTable, remade
from .sweep_run import BAD_ANSWER, BLOCKS, DONE, FINE_BLOCKS, NO_ROOM, Lines, Measures, Trial, run_sets, sum_blocks
from .sweep_setups import SetupGroup, SetupTable

if TYPE_CHECKING:
    from ..data.bars import Bars

__all__ = ["BLOCKS_UP_TO", "SweepRun", "sweep_sets"]

Progress = Callable[[int, int], None]

BLOCKS_UP_TO = 100_000
"""Sets for which sums over parts of the bars are kept without being asked for: 150 MB."""

_CHUNK_BARS = 2_000_000  # bars times assets of a compiled chunk: some tens of milliseconds
_MOST_SETS = 1024
_CHUNK_ROWS = 2**26  # bytes of rows that a chunk of evaluated strategies holds
_NO_VALUES = np.empty((0, 0))
_NO_FLAGS = np.empty((0, 0), dtype=np.uint8)


@dataclass
class SweepRun:
    """What a sweep leaves: arrays, a line for each set.

    Attributes
    ----------
    bars, strategy, keywords, sets : what went in
    done : bool (C,), measured
    errors : what went wrong with a set, by its number
    final, initial : float64 (C, A), money, of each account
    returns, trades : records (C, A) of RETURNS_METRICS and TRADES_METRICS
    blocks, fine : float64 (C, A, 16, 4) sums of r to r^4 over sixteen equal parts of the bars, (C, A, 64, 2) sums of r and r^2 over 64;
        None where they were not asked for. Part b of B holds the bars from b*T//B to (b + 1)*T//B - 1; r are simple returns (M1)
    equity : float64 (C, A, T), where it was to be kept, else None
    seconds : how long it took
    """

    bars: Bars
    strategy: Strategy
    keywords: dict[str, Any]
    sets: Sets
    done: NDArray[np.bool_]
    final: NDArray[np.float64]
    initial: NDArray[np.float64]
    returns: Records
    trades: Records
    blocks: NDArray[np.float64] | None = None
    fine: NDArray[np.float64] | None = None
    equity: NDArray[np.float64] | None = None
    errors: dict[int, str] = field(default_factory=dict)
    seconds: float = 0.0

    def setup_of(self, c: int) -> Setup:
        """The setup of one set."""
        _, rest = split_names(self.sets.names, self.strategy.space, self.keywords)
        values = self.sets.at(c)
        return setup_with(self.keywords, {name: values[name] for name in rest})

    def strategy_of(self, c: int) -> Strategy:
        """The strategy of one set."""
        own, _ = split_names(self.sets.names, self.strategy.space, self.keywords)
        values = self.sets.at(c)
        return remade(self.strategy, {name: values[name] for name in own})


def sweep_sets(
    bars: Bars, source: Any, sets: Sets, keywords: Mapping[str, Any], *, rf: float = 0.0, mar: float = 0.0, threads: int | None = None,
    blocks: bool | None = None, keep_equity: bool = False, progress: Progress | None = None,
) -> SweepRun:  # fmt: skip
    """Run all sets; Ctrl-C ends it early with what is done.

    Parameters
    ----------
    blocks : whether sums over parts of the bars are kept, 1.5 kB a set; None: up to BLOCKS_UP_TO sets
    keep_equity : whether the curves are kept; ConfigError where they take more than half of the memory that is free

    The other ones are those of `vb.sweep`.
    """
    work = _Sweep(bars, as_strategy(source), sets, dict(keywords), returns_params(bars.periods_per_year, rf, mar), threads)
    if len(sets) <= BLOCKS_UP_TO if blocks is None else blocks:
        work.keep_blocks()
    if keep_equity:
        work.keep_equity()
    return work.run(progress)


class _Sweep:
    """One sweep at work."""

    def __init__(self, bars: Bars, strategy: Strategy, sets: Sets, keywords: dict[str, Any], params: Records, threads: int | None) -> None:
        self.bars, self.strategy, self.params, self.threads = bars, strategy, params, _checked_threads(threads)
        self.own, self.rest = split_names(sets.names, strategy.space, keywords)
        self.sets = sets = _in_kind(sets, self.own, strategy)
        self.firsts, self.which_strategy = sets.distinct(self.own)
        setup_firsts, self.which_setup = sets.distinct(self.rest)
        self.accounts = bars.N if Setup.of(**keywords).accounts == "separate" else 1
        count = len(sets)
        shape = (count, self.accounts)
        self.out = SweepRun(
            bars, strategy, keywords, sets, np.zeros(count, dtype=bool), np.full(shape, np.nan), np.full(shape, np.nan),
            _blank(RETURNS_METRICS, shape), _blank(TRADES_METRICS, shape),
        )  # fmt: skip
        self.table: RuleTable | None = None
        self.kind = self._kind()
        self.setups = SetupTable(
            len(setup_firsts), lambda u: setup_with(keywords, self._values(int(setup_firsts[u]), self.rest)), bars, self.kind
        )

    def keep_blocks(self) -> None:
        """Keep sums over parts of the bars."""
        count, accounts = self.out.done.size, self.accounts
        self.out.blocks = np.full((count, accounts, BLOCKS, 4), np.nan)
        self.out.fine = np.full((count, accounts, FINE_BLOCKS, 2), np.nan)

    def keep_equity(self) -> None:
        """Keep the curves."""
        shape = (self.out.done.size, self.accounts, self.bars.T)
        wanted, free = 8 * math.prod(shape), _free_memory()
        if wanted > free // 2:
            what = f"the equity of {shape[0]:,} sets takes {wanted / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB are free"
            raise ConfigError(f"{what}; sweep fewer sets, or run those of interest again with Sweep.backtest")
        self.out.equity = np.full(shape, np.nan)

    def _values(self, c: int, names: tuple[str, ...]) -> dict[str, Any]:
        values = self.sets.at(c)
        return {name: values[name] for name in names}

    def _kind(self) -> InputKind:
        """What the strategy says: known of a compiled one, else from its rows."""
        if isinstance(self.strategy, RuleStrategy):
            if self.strategy.compiled:
                self.table = RuleTable(self.strategy, self.bars.for_strategies, self.sets, self.own)
            return self.strategy.kind
        for first in self.firsts:
            try:
                return evaluate(remade(self.strategy, self._values(int(first), self.own)), self.bars).kind
            except Exception:  # it has its line in the table
                continue
        return InputKind.SIGNALS

    def run(self, progress: Progress | None) -> SweepRun:
        """All sets."""
        begun = time.perf_counter()
        state = np.zeros(len(self.sets), dtype=bool)  # looked at, whatever came of it
        for u, setup in enumerate(self.setups.setups):
            if isinstance(setup, VecbtError):
                for c in np.flatnonzero(self.which_setup == u):
                    self.out.errors[int(c)] = _message(setup)
                    state[c] = True
        report = _Reporter(progress, len(state), int(state.sum()))
        try:
            for group in self.setups.groups:
                chosen = np.flatnonzero(group.numbers[self.which_setup] >= 0)
                if self.table is None and isinstance(self.strategy, RuleStrategy):
                    self._alone(chosen, report)
                else:
                    self._together(group, chosen, report)
            self._alone(np.flatnonzero(np.isin(self.which_setup, self.setups.alone)), report)
        except KeyboardInterrupt:
            pass  # what is done is a result; the others are not marked done
        self.out.seconds = time.perf_counter() - begun
        return self.out

    # --- set by set --------------------------------------------------------------------------------------------------

    def _alone(self, chosen: NDArray[np.int64], report: _Reporter) -> None:
        """Runs of their own."""
        for c in chosen:
            setup = self.setups.setups[self.which_setup[c]]
            assert isinstance(setup, Setup)
            try:
                strategy = remade(self.strategy, self._values(int(c), self.own))
                self._measure(int(c), strategy, setup)
            except Exception as error:
                self.out.errors[int(c)] = _message(error)
            report.add(1)

    def _measure(self, c: int, strategy: Strategy, setup: Setup) -> None:
        run = simulate(self.bars, *aligned_inputs(self.bars, strategy), setup)
        returns, curve = (None, run.equity) if run.flows is None else flow_returns_of(run.equity, run.flows, run.initial)
        self.out.returns[c] = returns_of(curve, run.initial, self.params, returns)
        self.out.trades[c] = trades_of(run.trades, self.accounts)
        self.out.final[c], self.out.initial[c], self.out.done[c] = run.equity[-1], run.initial, True
        if self.out.blocks is not None and self.out.fine is not None:
            earned = simple_returns_of(run.equity, run.initial) if returns is None else returns
            for g in range(self.accounts):
                sum_blocks(np.ascontiguousarray(earned[:, g]), len(earned), self.out.blocks[c, g], self.out.fine[c, g])
        if self.out.equity is not None:
            self.out.equity[c] = run.equity.T

    # --- in compiled chunks ------------------------------------------------------------------------------------------

    def _together(self, group: SetupGroup, chosen: NDArray[np.int64], report: _Reporter) -> None:
        """Chunks of a group, on threads."""
        desks = _Desks(self, group)
        free: SimpleQueue[_Seat] = SimpleQueue()
        for _ in range(self.threads):
            free.put(_Seat(self, group))
        waiting: set[Future[tuple[NDArray[np.int64], _Chunk]]] = set()

        def work(chunk: _Chunk) -> tuple[NDArray[np.int64], _Chunk]:
            seat = free.get()
            try:
                return seat.run(chunk), chunk
            finally:
                free.put(seat)

        with ThreadPoolExecutor(self.threads) as pool:
            try:
                for chunk in desks.chunks(chosen):
                    report.add(chunk.refused)
                    waiting.add(pool.submit(work, chunk))
                    if len(waiting) > self.threads:
                        waiting = self._collect(waiting, report)
                while waiting:
                    waiting = self._collect(waiting, report)
            except BaseException:
                for future in waiting:
                    future.cancel()
                raise

    def _collect(self, waiting: set[Future[Any]], report: _Reporter) -> set[Future[Any]]:
        done, rest = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            state, chunk = future.result()
            self._take(state, chunk)
            report.add(len(state))
        return rest

    def _take(self, state: NDArray[np.int64], chunk: _Chunk) -> None:
        """The lines of a chunk into the table."""
        fine = state == DONE
        at, out, found = chunk.numbers[fine], self.out, chunk.measures
        out.final[at], out.returns[at], out.trades[at] = found.final[fine], found.returns[fine], found.trades[fine]
        out.initial[at] = chunk.initial[fine]
        if out.blocks is not None and out.fine is not None:
            out.blocks[at], out.fine[at] = found.blocks[fine], found.fine[fine]
        if out.equity is not None:
            out.equity[at] = found.equity[fine]
        out.done[at] = True
        for k in np.flatnonzero(state == BAD_ANSWER):
            bar, n = divmod(int(found.bad[k, 0]), self.bars.N)
            answer = float(found.bad[k, 1:2].view(np.float64)[0])
            where = f"at {label_text(int(self.bars.index[bar]))}, {self.bars.symbols[n]}"
            out.errors[int(chunk.numbers[k])] = f"the rule answered {answer:g} {where}; that is no answer for {self.kind.name.lower()}"


@dataclass
class _Chunk:
    """Sets that run in one compiled call."""

    numbers: NDArray[np.int64]
    lines: Lines
    measures: Measures
    initial: NDArray[np.float64]
    refused: int
    held: Any = None


class _Desks:
    """Prepares chunks: the rules of their strategies, or their rows."""

    def __init__(self, sweep: _Sweep, group: SetupGroup) -> None:
        self._sweep, self._group = sweep, group
        cells = sweep.bars.T * sweep.bars.N
        self._most = max(1, min(_MOST_SETS, _CHUNK_BARS // cells))
        if sweep.table is None:
            size = cells if sweep.kind == InputKind.SIGNALS else 8 * cells
            self._most = max(1, min(self._most, _CHUNK_ROWS // size))
        self._accounts = np.stack([_bytes(books.accounts) for books in group.books])
        self._assets = np.stack([_bytes(books.assets) for books in group.books])
        self._laws: Any = tuple(_rows_of_bytes(laws) for laws in group.rules)
        self._initial = np.stack([np.asarray(books.accounts["initial"]) for books in group.books])

    def chunks(self, chosen: NDArray[np.int64]) -> Iterator[_Chunk]:
        """All chunks of these sets, each prepared when it is asked for."""
        for first in range(0, len(chosen), self._most):
            chunk = self._chunk(chosen[first : first + self._most])
            if chunk is not None:
                yield chunk

    def _chunk(self, numbers: NDArray[np.int64]) -> _Chunk | None:
        sweep, group = self._sweep, self._group
        strategies, own = np.unique(sweep.which_strategy[numbers], return_inverse=True)
        firsts = sweep.firsts[strategies]
        prepared = self._rules(firsts) if sweep.table is not None else self._rows(firsts)
        fine = np.array([error is None for error in prepared.wrong])[own.reshape(-1)]
        for c, s in zip(numbers[~fine], own.reshape(-1)[~fine], strict=True):
            sweep.out.errors[int(c)] = _message(prepared.wrong[s])
        refused, numbers, own = int((~fine).sum()), numbers[fine], own.reshape(-1)[fine]
        setups = group.numbers[sweep.which_setup[numbers]]
        which = np.empty((len(numbers), 4), dtype=np.int64)
        which[:, 0], which[:, 1], which[:, 2] = own if sweep.table is not None else 0, setups, group.starts[setups]
        which[:, 3] = -1 if sweep.table is not None else own
        shape = self._shape(len(numbers))
        lines = Lines(which, prepared.desks, *self._memory(), prepared.flags, prepared.values, self._laws, group.ends,
                      self._accounts, self._assets, self._initial)  # fmt: skip
        measures = Measures(
            np.zeros(len(numbers), dtype=np.int64), np.zeros((len(numbers), 2), dtype=np.int64), np.empty(shape),
            plain(_blank(RETURNS_METRICS, shape)), plain(_blank(TRADES_METRICS, shape)), plain(sweep.params),
            plain(records(RETURNS_STATE, shape[1])), plain(records(TRADES_STATE, shape[1])), *self._kept(shape),
        )  # fmt: skip
        return _Chunk(numbers, lines, measures, self._initial[which[:, 2]], refused, prepared.held)

    def _shape(self, count: int) -> tuple[int, int]:
        return count, self._initial.shape[1]

    def _kept(self, shape: tuple[int, int]) -> tuple[NDArray[np.float64], ...]:
        """Room for what is kept beside the line of numbers."""
        out = self._sweep.out
        some, none = shape, (0, shape[1])
        blocks = some if out.blocks is not None else none
        curves = some if out.equity is not None else none
        return np.empty((*blocks, BLOCKS, 4)), np.empty((*blocks, FINE_BLOCKS, 2)), np.empty((*curves, self._sweep.bars.T))

    def _memory(self) -> tuple[int, int, int, int]:
        """The loop of the rule, and how its memory begins."""
        table = self._sweep.table
        if table is None:
            return 0, 0, 0, 0
        return table.loop, int(table.loop == 0), 2 * len(table.ruling.fields), table.ruling.memory.shape[1]

    def _rules(self, firsts: NDArray[np.int64]) -> _Prepared:
        assert self._sweep.table is not None
        desks, wrong, held = self._sweep.table.desks(firsts)
        return _Prepared(desks, _NO_FLAGS, _NO_VALUES, wrong, held)

    def _rows(self, firsts: NDArray[np.int64]) -> _Prepared:
        """The rows of array strategies, one after the other."""
        sweep = self._sweep
        wrong: list[Any] = []
        signals, cells = sweep.kind == InputKind.SIGNALS, sweep.bars.T * sweep.bars.N
        said = blank_rows(sweep.kind, (len(firsts), cells))
        for k, first in enumerate(firsts):
            try:
                inputs = evaluate(remade(sweep.strategy, sweep._values(int(first), sweep.own)), sweep.bars)
                if inputs.kind != sweep.kind:
                    raise InputError(f"the strategy gave {inputs.kind.name.lower()} after {sweep.kind.name.lower()}")
                rows = inputs.flags if signals else inputs.values
                assert rows is not None
                said[k] = rows.reshape(-1)
                wrong.append(None)
            except Exception as error:
                wrong.append(error)
        desks = np.zeros((1, len(DESK)), dtype=np.int64)
        return _Prepared(desks, said if signals else _NO_FLAGS, _NO_VALUES if signals else said, wrong, None)


@dataclass
class _Prepared:
    """What the loops find of strategies, and what is wrong with one."""

    desks: NDArray[np.int64]
    flags: NDArray[np.uint8]
    values: NDArray[np.float64]
    wrong: list[Any]
    held: Any


class _Seat:
    """What one thread runs its chunks with."""

    def __init__(self, sweep: _Sweep, group: SetupGroup) -> None:
        bars, kind = sweep.bars, sweep.kind
        signals = kind == InputKind.SIGNALS
        said = blank_rows(kind, (bars.T, bars.N))
        ruling = None if sweep.table is None else sweep.table.ruling
        memory = np.zeros(0 if ruling is None else ruling.memory.size)
        desk = np.zeros(len(DESK), dtype=np.int64)
        self._books = make_books(spans_of(group.first.accounts, bars.N))
        self._room = (ORDERS_PER_BAR * bars.N + 1024, FILLS_PER_BAR * bars.N + 1024)
        flat = said.reshape(-1)
        zoned = bool(group.rules[2].on[0])
        cells = bars.T * sweep.accounts
        series = (np.empty(cells), np.empty(cells), np.empty(cells if zoned else 0, dtype=np.uint8), np.zeros(0))
        inputs = AlignedInputs(kind, said if signals else None, None if signals else said)
        self._rows = group.rows(bars, inputs)
        self._desk, self._memory = desk, memory
        rules: Any = tuple(None if part is None else part[:1].copy() for part in group.rules)
        books, log = self._plain_books(self._books), self._log(1)
        taken: Any = tuple(None if part is None else plain(part) for part in rules)
        laws: Any = tuple(_bytes(part) for part in rules)
        runs = address_of(run_bars, 0, bars.T, books, self._rows, taken, log, series)
        closes = address_of(close_all, books, 0, taken[0], taken[1], log) if group.ends.any() else 0
        self._trial = Trial(
            desk, int(desk.ctypes.data), memory, flat if signals else np.empty(0, dtype=np.uint8), np.empty(0) if signals else flat,
            books, _bytes(self._books.accounts), _bytes(self._books.assets), log, series, taken,
            laws, runs, closes, np.empty(bars.T), 1.0 / np.arange(1.0, bars.T + 1.0),
        )  # fmt: skip
        self._addresses = {DESK.index("memory"): int(memory.ctypes.data), DESK.index("said"): int(flat.ctypes.data)}

    @staticmethod
    def _plain_books(books: Books) -> Books:
        return Books(plain(books.accounts), plain(books.assets), books.spans, None, books.used)

    def _log(self, times: int) -> NDArray[np.uint8]:
        orders, fills = (times * count for count in self._room)
        return make_log(orders, fills, fills).block

    def run(self, chunk: _Chunk) -> NDArray[np.int64]:
        """All sets of a chunk; a set whose log is too long for the room is run again with more."""
        for place, address in self._addresses.items():
            chunk.lines.desks[:, place] = address
        state = chunk.measures.state
        run_sets(0, len(state), chunk.lines, self._trial, self._rows, chunk.measures)
        times = 1
        while (state == NO_ROOM).any():
            times *= 4
            self._trial = self._trial._replace(log=self._log(times))
            for k in np.flatnonzero(state == NO_ROOM):
                run_sets(int(k), int(k) + 1, chunk.lines, self._trial, self._rows, chunk.measures)
        return state


def _bytes(kept: Any) -> NDArray[np.uint8]:
    """The memory of records; nothing where there are none."""
    return np.zeros(0, dtype=np.uint8) if kept is None else np.asarray(kept).view(np.uint8).reshape(-1)


def _rows_of_bytes(kept: Any) -> NDArray[np.uint8]:
    """The memory of records, a row each."""
    return np.zeros((0, 0), dtype=np.uint8) if kept is None else _bytes(kept).reshape(len(kept), -1)


def _blank(dtype: np.dtype[Any], shape: tuple[int, int]) -> Records:
    out = np.empty(shape, dtype=dtype)
    for name in dtype.names or ():
        out[name] = np.nan
    return out.view(np.recarray)


def _in_kind(sets: Sets, names: tuple[str, ...], strategy: Strategy) -> Sets:
    """Whole numbers as floats where the parameter is one as the strategy was given: the rule is compiled for that."""
    values = list(sets.values)
    for name in names:
        k = sets.names.index(name)
        if isinstance(strategy.parameters[name], float):
            values[k] = tuple(float(v) if type(v) is int else v for v in values[k])
    return Sets(sets.names, tuple(values), sets.codes)


def _checked_threads(threads: int | None) -> int:
    """How many threads; all cores where nothing is said."""
    if threads is None:
        return os.cpu_count() or 1
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ConfigError(f"threads is {threads!r}; expected a whole number of at least 1, or None for all cores")
    return threads


def _free_memory() -> int:
    """Bytes that are free, as far as the system says; else 1 GiB."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 2**30


def _message(error: Any) -> str:
    return str(error) if isinstance(error, VecbtError) else f"{type(error).__name__}: {error}"


class _Reporter:
    """Counts sets for whoever watches."""

    def __init__(self, progress: Progress | None, total: int, done: int) -> None:
        self._progress, self._total, self._done = progress, total, 0
        self.add(done)

    def add(self, count: int) -> None:
        """So many more."""
        self._done += count
        if self._progress is not None and count:
            self._progress(self._done, self._total)
