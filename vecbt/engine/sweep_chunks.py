"""Sets of a sweep in pieces: what the compiled loop needs of so many at a time, and what one thread runs them with."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Records
from ..core import memory
from ..core.codes import InputKind
from ..core.jit import ENGINE
from ..core.lanes import LANES
from ..core.native import address_of
from ..core.sets import Sets
from ..core.state import plain, records, words
from ..errors import InputError
from ..metrics.returns import RETURNS_METRICS, RETURNS_STATE
from ..metrics.trades import TRADES_METRICS, TRADES_STATE
from .bar import close_all, run_bars
from .books import ACCOUNT, ASSET, Books
from .inputs import AlignedInputs
from .log import FILLS_PER_BAR, make_trade_log
from .rule import DESK
from .ruling import blank_rows
from .setup import Rules, spans_of
from .strategy import Strategy, evaluate
from .sweep_pairs import Pair, make_pair
from .sweep_rules import RuleTable, remade
from .sweep_run import BLOCKS, FINE_BLOCKS, NO_ROOM, Lines, Measures, Trial, run_sets
from .sweep_setups import SetupGroup

if TYPE_CHECKING:
    from ..data.bars import Bars

__all__ = ["Chunk", "Chunks", "Seat", "Task", "lines_of"]

_CHUNK_BARS = 5_000_000 if ENGINE == "numba" else 1_000  # bars times assets of a chunk: some tens of milliseconds, at most a second
_SHORT = 0.1  # seconds: how long a thread may be deaf to Ctrl-C, and strategies are evaluated before their sets run
_FIRST_SETS, _MOST_SETS = 64, 4096
_CHUNK_ROWS = 2**26  # bytes of rows that a chunk of evaluated strategies holds
_BEHIND = 2 * LANES  # numbers behind a curve: it is written and read as many at a time as there are lanes
_NO_VALUES = np.empty((0, 0))
_NO_FLAGS = np.empty((0, 0), dtype=np.uint8)


@dataclass
class Task:
    """What all sets of a sweep share.

    Attributes
    ----------
    own, rest : names of the parameters of the strategy, and of the setup
    firsts : of each distinct strategy, the first set that has it
    which_strategy, which_setup : int64 (C,), of each set
    windows : int64 (C, 2), of each set its first bar and the one after its last; None: all bars
    kind, table : what the strategy says; how a compiled one is asked
    blocks, equity : what is kept beside the line of numbers
    pairs : whether two runs that follow each other are of one set, whose trades are compared
    details : whether DETAILS are measured, too
    sums : where sums over parts of the bars are kept, if a set writes its own
    """

    bars: Bars
    strategy: Strategy
    sets: Sets
    own: tuple[str, ...]
    rest: tuple[str, ...]
    params: Records
    accounts: int
    firsts: NDArray[np.int64]
    which_strategy: NDArray[np.int64]
    which_setup: NDArray[np.int64]
    windows: NDArray[np.int64] | None = None
    kind: InputKind = InputKind.SIGNALS
    table: RuleTable | None = None
    blocks: bool = False
    equity: bool = False
    pairs: bool = False
    details: bool = True
    sums: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    def values_of(self, c: int, names: tuple[str, ...]) -> dict[str, Any]:
        """Some parameters of a set."""
        values = self.sets.at(c)
        return {name: values[name] for name in names}

    def strategy_of(self, c: int) -> Strategy:
        """The strategy of a set."""
        return remade(self.strategy, self.values_of(c, self.own))


@dataclass
class Chunk:
    """Sets that run in one compiled call."""

    numbers: NDArray[np.int64]
    lines: Lines
    measures: Measures
    initial: NDArray[np.float64]
    wrong: dict[int, Any]
    """What is wrong with a set that was left out, by its number."""
    held: Any = None
    """What must live as long as the lines are used."""
    in_place: bool = False
    """Whether sums over parts of the bars are written to where they are kept."""


class Chunks:
    """Prepares chunks: the rules of their strategies, or their rows."""

    def __init__(self, task: Task, group: SetupGroup, threads: int) -> None:
        self._task, self._group, self._threads = task, group, threads
        self._last: tuple[NDArray[np.int64], _Prepared] | None = None
        cells = task.bars.T * task.bars.N
        self._most = max(1, min(_MOST_SETS, _CHUNK_BARS // cells))
        if task.table is None:
            size = cells if task.kind == InputKind.SIGNALS else 8 * cells
            self._most = max(1, min(self._most, _CHUNK_ROWS // size))
        self._accounts = _as_rows([_words_of(books.accounts) for books in group.books])
        self._assets = _as_rows([_words_of(books.assets) for books in group.books])
        self._laws: Any = tuple(_rows_of_words(laws) for laws in group.rules)
        self._steps = np.array([int(len(laws) > 1) for laws in self._laws])
        self._levels = group.levels(len(task.which_setup), task.bars.T).columns
        self._initial = _as_rows([books.accounts.view(np.ndarray)["initial"].copy() for books in group.books])

    def of(self, chosen: NDArray[np.int64]) -> Iterator[Chunk]:
        """All chunks of these sets, each prepared when it is asked for."""
        # rows of a user's own may take any time, each strategy's
        slow = self._task.table is None and len(self._task.firsts) > 1
        first, most = 0, 1 if slow else min(self._most, _FIRST_SETS)
        while first < len(chosen):
            begun, size = time.perf_counter(), self._size(most, len(chosen) - first)
            chunk = self._chunk(chosen[first : first + size])
            first, taken = first + size, time.perf_counter() - begun
            yield chunk
            if slow:
                most = _adapted(most, taken, self._most)
            else:  # threads have something to do soon
                most = min(2 * most, self._most)

    def _size(self, most: int, left: int) -> int:
        """How many sets of those that are left come next; toward the end fewer, so that all threads end together."""
        size = min(most, max(_FIRST_SETS, left // (2 * self._threads)))
        return size + size % 2 if self._task.pairs else size  # a pair stays together

    def _chunk(self, numbers: NDArray[np.int64]) -> Chunk:
        task, group = self._task, self._group
        strategies, own = _distinct(task.which_strategy[numbers])
        firsts = task.firsts[strategies]
        prepared = self._rules(firsts) if task.table is not None else self._rows(firsts)
        fine = np.array([error is None for error in prepared.wrong])[own]
        wrong = {int(c): prepared.wrong[s] for c, s in zip(numbers[~fine], own[~fine], strict=True)}
        numbers, own = numbers[fine], own[fine]
        setups = group.numbers[task.which_setup[numbers]]
        which = np.empty((len(numbers), 6), dtype=np.int64)
        which[:, 0], which[:, 1], which[:, 2] = own if task.table is not None else 0, setups, group.starts[setups]
        which[:, 3] = -1 if task.table is not None else own
        which[:, 4:] = (0, task.bars.T) if task.windows is None else task.windows[numbers]
        shape = len(numbers), self._initial.shape[1]
        lines = Lines(which, prepared.desks, *self._memory(), prepared.flags, prepared.values, self._laws, self._steps, group.ends,
                      self._levels, self._accounts, self._assets, self._initial)  # fmt: skip
        where = lines_of(numbers)
        in_place = self._task.sums is not None and isinstance(where, slice)
        blocks, sums, equity, fragility = self._kept(shape, where if in_place else None)
        measures = Measures(
            np.zeros(len(numbers), dtype=np.int64), np.zeros((len(numbers), 2), dtype=np.int64), np.empty(shape),
            plain(np.recarray(shape, dtype=RETURNS_METRICS)), plain(np.recarray(shape, dtype=TRADES_METRICS)), plain(task.params),
            plain(records(RETURNS_STATE, 1)), plain(records(TRADES_STATE, shape[1])), blocks, sums, equity, fragility,
            int(self._task.details),
        )  # fmt: skip
        return Chunk(numbers, lines, measures, self._initial[which[:, 2]], wrong, prepared.held, in_place)

    def _kept(self, shape: tuple[int, int], where: slice | None) -> tuple[NDArray[np.float64], ...]:
        """Room for what is kept beside the line of numbers; sums `where` they are kept, if that is in one piece."""
        none = (0, shape[1])
        blocks, curves = shape if self._task.blocks else none, shape if self._task.equity else none
        fragility = np.full(shape if self._task.pairs else none, np.nan)
        equity = np.full((*curves, self._task.bars.T), np.nan)
        if where is not None and self._task.sums is not None:
            return self._task.sums[0][where], self._task.sums[1][where], equity, fragility
        return memory.empty((*blocks, BLOCKS, 4)), memory.empty((*blocks, FINE_BLOCKS, 2)), equity, fragility

    def _memory(self) -> tuple[int, int, int, int]:
        """The loop of the rule, and how its memory begins."""
        table = self._task.table
        if table is None:
            return 0, 0, 0, 0
        return table.loop, int(table.loop == 0), 2 * len(table.ruling.fields), table.ruling.memory.shape[1]

    def _rules(self, firsts: NDArray[np.int64]) -> _Prepared:
        assert self._task.table is not None
        desks, wrong, held = self._task.table.desks(firsts)
        return _Prepared(desks, _NO_FLAGS, _NO_VALUES, wrong, held)

    def _rows(self, firsts: NDArray[np.int64]) -> _Prepared:
        """The rows of array strategies, one after the other; those of the chunk before where they are the same."""
        task = self._task
        if self._last is not None and np.array_equal(self._last[0], firsts):
            return self._last[1]
        wrong: list[Any] = []
        signals, cells = task.kind == InputKind.SIGNALS, task.bars.T * task.bars.N
        said = blank_rows(task.kind, (len(firsts), cells))
        for k, first in enumerate(firsts):
            try:
                inputs = evaluate(task.strategy_of(int(first)), task.bars)
                if inputs.kind != task.kind:
                    raise InputError(f"the strategy gave {inputs.kind.name.lower()} after {task.kind.name.lower()}")
                rows = inputs.flags if signals else inputs.values
                assert rows is not None
                said[k] = rows.reshape(-1)
                wrong.append(None)
            except Exception as error:
                wrong.append(error)
        desks = np.zeros((1, len(DESK)), dtype=np.int64)
        self._last = firsts, _Prepared(desks, said if signals else _NO_FLAGS, _NO_VALUES if signals else said, wrong, None)
        return self._last[1]


@dataclass
class _Prepared:
    """What the loops find of strategies, and what is wrong with one."""

    desks: NDArray[np.int64]
    flags: NDArray[np.uint8]
    values: NDArray[np.float64]
    wrong: list[Any]
    held: Any


class Seat:
    """What one thread runs its chunks with."""

    def __init__(self, task: Task, group: SetupGroup) -> None:
        bars, kind = task.bars, task.kind
        self._task, self._group = task, group
        signals = kind == InputKind.SIGNALS
        said = blank_rows(kind, (bars.T, bars.N))
        ruling = None if task.table is None else task.table.ruling
        recalled = np.zeros(0 if ruling is None else ruling.memory.size)
        desk = np.zeros(len(DESK), dtype=np.int64)
        spans = spans_of(group.first.accounts, bars.N)
        accounts, assets = records(ACCOUNT, len(spans) - 1), records(ASSET, bars.N)  # each set begins with books of its own
        books = Books(plain(accounts), plain(assets), spans, None, np.zeros(1, dtype=np.int64))
        self._room = FILLS_PER_BAR * bars.N + 1024
        flat = said.reshape(-1)
        zoned = bool(group.rules[2].on[0])
        cells = bars.T * task.accounts
        many = cells if task.accounts > 1 else 0
        series = (np.empty(cells), np.empty(many), np.empty(cells if zoned else 0, dtype=np.uint8), np.zeros(0))
        inputs = AlignedInputs(kind, said if signals else None, None if signals else said)
        self._rows = group.rows(bars, inputs)
        rules: Any = tuple(None if part is None else _first(part) for part in group.rules)
        log = self._log(1)
        is_plain = self._is_plain(signals)
        taken = Rules(*(None if part is None else plain(part) for part in rules))  # type: ignore[arg-type]  # as a batch has them
        laws: Any = tuple(_words_of(part) for part in rules)
        runs = address_of(run_bars, 0, bars.T, books, self._rows, taken, log, series)
        closes = address_of(close_all, books, 0, taken[0], taken[1], log) if group.ends.any() else 0
        self._trial = Trial(
            desk, int(desk.ctypes.data), recalled, flat if signals else np.empty(0, dtype=np.uint8), np.empty(0) if signals else flat,
            books, _words_of(accounts), _words_of(assets), log, series, taken,
            laws, runs, closes, np.ones((LANES, bars.T + _BEHIND)), np.ones((LANES, 1)), np.zeros((LANES, 2), dtype=np.int64),
            self._pair(1), is_plain, self._ranges(is_plain), *self._closes(is_plain),
            group.levels(len(task.which_setup), bars.T).answers(bars.T if is_plain else 0),
        )  # fmt: skip
        self._step = LANES * max(1, min(_MOST_SETS, _CHUNK_BARS // 8 // (bars.T * bars.N)) // LANES)  # sets that run in one call
        self._addresses = {DESK.index("memory"): int(recalled.ctypes.data), DESK.index("said"): int(flat.ctypes.data)}

    def _is_plain(self, signals: bool) -> int:
        """1 where there is one asset with signals, in bars without gaps and events, and no rule beyond those of a plain account."""
        rows, trial = self._rows, self._task
        if not signals or trial.bars.N != 1 or rows.eventful.any() or rows.flow.size or rows.events.size or rows.sigma.size:
            return 0
        return int(self._group.rules[3] is None and not np.isnan(rows.prices[: 4 * trial.bars.T]).any())

    def _ranges(self, is_plain: int) -> NDArray[np.float64]:
        """The highest high and the lowest low of as many bars from each on as there are lanes, or are left: (2, T)."""
        bars = self._task.bars.T if is_plain else 0
        out = np.empty((2, bars))
        for row, best, places in zip(out, (np.maximum, np.minimum), self._rows.prices[bars : 3 * bars].reshape(2, bars), strict=True):
            row[:] = places
            for k in range(1, LANES if is_plain else 1):
                rest = row[: max(bars - k, 0)]
                best(rest, places[k:], out=rest)
        return out

    def _closes(self, is_plain: int) -> tuple[NDArray[np.float64], float, float]:
        """All closes, with as many more as there are lanes behind them; the lowest and the highest."""
        bars = self._task.bars.T if is_plain else 0
        closes = self._rows.prices[3 * bars : 4 * bars]
        room = np.zeros(bars + LANES)
        room[:bars] = closes
        return room, float(closes.min(initial=math.inf)), float(closes.max(initial=-math.inf))

    def _log(self, times: int) -> NDArray[np.uint8]:
        return make_trade_log(times * self._room).block

    def _pair(self, times: int) -> Pair:
        return make_pair(times * self._room, self._task.bars.N if self._task.pairs else 0, self._task.accounts)

    def run(self, chunk: Chunk, ended: Callable[[], bool] = lambda: False) -> NDArray[np.int64]:
        """All sets of a chunk, until `ended`; a set whose log is too long for the room is run again with more."""
        for place, address in self._addresses.items():
            chunk.lines.desks[:, place] = address
        state = chunk.measures.state
        first = 0
        while first < len(state) and not ended():
            begun, stop = time.perf_counter(), min(first + self._step, len(state))
            run_sets(first, stop, chunk.lines, self._trial, self._rows, chunk.measures)
            first, taken = stop, time.perf_counter() - begun
            self._step = _adapted(self._step, taken, _MOST_SETS)
        times, together = 1, 2 if self._task.pairs else 1
        while (state == NO_ROOM).any():
            times *= 4
            self._trial = self._trial._replace(log=self._log(times), pair=self._pair(times))
            for k in np.unique(np.flatnonzero(state == NO_ROOM) // together) * together:  # of a pair both, one after the other
                if ended():
                    state[state == NO_ROOM] = 0
                    break
                run_sets(int(k), int(k) + together, chunk.lines, self._trial, self._rows, chunk.measures)
        return state


def _adapted(count: int, seconds: float, most: int) -> int:
    """How many are to be done at once, after so many took so long; few calls, as each waits for the interpreter's lock."""
    if seconds > 4 * _SHORT:
        return max(1, count // 2)
    return min(most, int(count * min(8.0, 2.0 * _SHORT / max(seconds, 1e-6)))) if seconds < _SHORT else count


def _distinct(which: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers that there are, and for each its place among them."""
    if len(which) and (which == which[0]).all():
        return which[:1], np.zeros(len(which), dtype=np.int64)
    found, places = np.unique(which, return_inverse=True)
    return found, places.reshape(-1)


def lines_of(numbers: NDArray[np.int64]) -> Any:
    """Ascending numbers, as a slice where they follow each other: NumPy copies that at once."""
    if len(numbers) and numbers[-1] - numbers[0] == len(numbers) - 1:
        return slice(int(numbers[0]), int(numbers[-1]) + 1)
    return numbers


def _words_of(kept: Any) -> NDArray[np.int64]:
    """The words of records in one line; nothing where there are none."""
    return np.zeros(0, dtype=np.int64) if kept is None else words(kept).reshape(-1)


def _rows_of_words(kept: Any) -> NDArray[np.int64]:
    """The words of records, a row each."""
    return np.zeros((0, 0), dtype=np.int64) if kept is None else words(kept)


def _as_rows(arrays: list[NDArray[Any]]) -> NDArray[Any]:
    """Arrays one below the other; a single one as it is."""
    return arrays[0][None] if len(arrays) == 1 else np.stack(arrays)


def _first(kept: Records) -> Records:
    """A copy of the first of records."""
    out = records(kept.dtype, 1)
    words(out)[:] = words(kept)[:1]
    return out
