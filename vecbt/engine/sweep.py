"""Many parameter sets over the same bars: prepared here, run in compiled chunks on several threads, each set measured and forgotten.

A set is a strategy with its parameters and a setup with its own. Compiled strategies share their indicators and are asked by their own
loops; any other is evaluated set by set, and its rows go the same way. What needs an order book, deposits, or a Python rule inside the
simulation runs alone, by the batch driver. All of them take the same step, so every line equals a run of its own.
"""

from __future__ import annotations

import functools
import math
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .._typing import Records
from ..core.codes import InputKind
from ..core.identity import identity
from ..core.sets import Sets
from ..data.labels import label_text
from ..errors import ConfigError, VecbtError, counted
from ..metrics.returns import RETURNS_METRICS, flow_returns_of, returns_of, returns_params, simple_returns_of
from ..metrics.trades import TRADES_METRICS, trades_of
from .batch import simulate
from .check import aligned_inputs
from .columns import Columns
from .rule_strategy import RuleStrategy
from .setup import Setup
from .strategy import Strategy, as_strategy, evaluate
from .sweep_blocks import BlockFiles
from .sweep_chunks import Chunk, Chunks, Seat, Task, lines_of
from .sweep_names import SetupsMade, split_names
from .sweep_pairs import Envelope, Pairs, own_rule, paired
from .sweep_parts import Elsewhere, Part
from .sweep_rules import RuleTable, remade
from .sweep_run import BAD_ANSWER, BLOCKS, DETAILS, DONE, FINE_BLOCKS, sum_blocks
from .sweep_setups import SetupGroup, SetupTable
from .window import BETWEEN, window_of, windows_of

if TYPE_CHECKING:
    from ..data.bars import Bars

__all__ = ["BLOCKS_UP_TO", "Keeper", "SweepRun", "sweep_sets"]

Progress = Callable[[int, int], None]

BLOCKS_UP_TO = 100_000
"""Sets for which sums over parts of the bars are kept without being asked for: 150 MB."""


@dataclass
class SweepRun:
    """What a sweep leaves: arrays, a line for each set.

    Attributes
    ----------
    bars, strategy, keywords, sets : what went in
    done : bool (C,), measured
    errors : what went wrong with a set, by its number
    final, initial : float64 (C, A), money, of each account
    returns, trades : columns (C, A) of RETURNS_METRICS and TRADES_METRICS
    blocks, fine : float64 (C, A, 16, 4) sums of r to r^4 over sixteen equal parts of the bars, (C, A, 64, 2) sums of r and r^2 over 64;
        None where they were not asked for, read-only maps where they went to files.
        Part b of B holds the bars from b*T//B to (b + 1)*T//B - 1; r are simple returns (M1)
    equity : float64 (C, A, T), where it was to be kept, else None
    envelope : the sets under the other intrabar rule, where that was asked for, else None
    seconds : how long it took; with lines that were kept before, their time too
    rf, mar : per bar, as the metrics took them
    details : whether DETAILS of `sweep_run` were measured; else they are NaN
    """

    bars: Bars
    strategy: Strategy
    keywords: dict[str, Any]
    sets: Sets
    done: NDArray[np.bool_]
    final: NDArray[np.float64]
    initial: NDArray[np.float64]
    returns: Columns
    trades: Columns
    blocks: NDArray[np.float64] | None = None
    fine: NDArray[np.float64] | None = None
    equity: NDArray[np.float64] | None = None
    envelope: Envelope | None = None
    errors: dict[int, str] = field(default_factory=dict)
    seconds: float = 0.0
    rf: float = 0.0
    mar: float = 0.0
    details: bool = True

    def setup_of(self, c: int) -> Setup:
        """The setup of one set."""
        _, rest = split_names(self.sets.names, self.strategy.space, self.keywords)
        values = self.sets.at(c)
        return self.setup_with({name: values[name] for name in rest})

    @functools.cached_property
    def setup_with(self) -> SetupsMade:
        """Setups with values by their names: who sweeps and who records ask for the same ones."""
        return SetupsMade(self.keywords)

    @functools.cached_property
    def described(self) -> dict[str, str]:
        """What each keyword is known by, in the table of the sweep and in the ledger."""
        return {name: identity(value) for name, value in sorted(self.keywords.items())}

    @property
    def windowed(self) -> bool:
        """Whether sets run over windows of their own."""
        return BETWEEN in self.sets.names and BETWEEN not in self.strategy.space

    def window_of(self, c: int) -> tuple[int, int] | None:
        """The first bar of one set and the one after its last; None where that is all of them."""
        return window_of(self.sets.at(c)[BETWEEN], self.bars) if self.windowed else None

    def strategy_of(self, c: int) -> Strategy:
        """The strategy of one set."""
        own, _ = split_names(self.sets.names, self.strategy.space, self.keywords)
        values = self.sets.at(c)
        return remade(self.strategy, {name: values[name] for name in own})


class Keeper(Protocol):
    """What keeps lines outside of the sweep as they come, such as a checkpoint."""

    def known(self, run: SweepRun) -> NDArray[np.bool_]:
        """Put what is kept already into `run`, errors too; bool (C,), which sets these are. Called once, before anything runs."""
        ...

    def keep(self, run: SweepRun, numbers: NDArray[np.int64]) -> None:
        """The lines of these sets are in `run`, or what went wrong with them in its errors."""
        ...


def sweep_sets(
    bars: Bars, source: Any, sets: Sets, keywords: Mapping[str, Any], *, rf: float = 0.0, mar: float = 0.0, threads: int | None = None,
    blocks: bool | BlockFiles | None = None, keep_equity: bool = False, envelope: bool = False, progress: Progress | None = None,
    keeper: Keeper | None = None, kind: InputKind | None = None, elsewhere: Elsewhere | None = None, details: bool = True,
) -> SweepRun:  # fmt: skip
    """Run all sets; Ctrl-C ends it early with what is done.

    Parameters
    ----------
    blocks : whether sums over parts of the bars are kept, 1.5 kB a set; None: up to BLOCKS_UP_TO sets; or the files they go to
    keep_equity : whether the curves are kept; ConfigError where they take more than half of the memory that is free
    envelope : whether each set runs under both intrabar rules
    keeper : knows lines already, and hears of each piece that is finished
    kind : what an uncompiled strategy says, where that is known; else the first set that can be evaluated tells
    elsewhere : where the sets run, if not in threads of this process
    details : False where none of DETAILS is asked for; they are measured nonetheless with a keeper, an envelope, or elsewhere

    The other ones are those of `vb.sweep`.
    """
    for name, value in (("rf", rf), ("mar", mar)):
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating) or not math.isfinite(value):
            raise ConfigError(f"{name} is {value!r}; expected a return per bar, such as 0.0001")
    strategy = as_strategy(source)
    own = own_rule(keywords, strategy, sets) if envelope else None
    details = details or keeper is not None or elsewhere is not None or envelope
    work = _Sweep(bars, strategy, sets, dict(keywords), returns_params(bars.periods_per_year, rf, mar), threads, own, kind, details=details)
    work.kept.rf, work.kept.mar = float(rf), float(mar)
    if isinstance(blocks, BlockFiles):
        work.files = blocks
    elif len(sets) <= BLOCKS_UP_TO if blocks is None else blocks:
        work.keep_blocks(watched=keeper is not None)
    work.task.blocks = work.kept.blocks is not None or work.files is not None
    if keep_equity:
        work.keep_equity()
    work.elsewhere = elsewhere
    return work.run(progress, keeper)


class _Sweep:
    """One sweep at work: `out` has a line for each run, `kept` one for each set, which is the same unless sets run twice.

    They do where `rule` is given, that of the setup. Sums and curves are in `kept` alone.
    """

    def __init__(
        self, bars: Bars, strategy: Strategy, sets: Sets, keywords: dict[str, Any], params: Records, threads: int | None, rule: int | None,
        kind: InputKind | None, *, details: bool = True,
    ) -> None:  # fmt: skip
        self.threads = _checked_threads(threads)
        self.elsewhere: Elsewhere | None = None
        self.files: BlockFiles | None = None
        self._ended = threading.Event()
        sets = sets if rule is None else paired(sets)
        own, rest = split_names(sets.names, strategy.space, keywords)
        if "accounts" in rest:
            raise ConfigError("accounts varies, and a line of the table is an account; sweep each way by itself")
        strategy, sets = _in_kind(sets, own, strategy)
        firsts, which_strategy = sets.distinct(own)
        self._setup_firsts, which_setup = sets.distinct(rest)
        accounts = bars.N if keywords.get("accounts") == "separate" else 1
        windows = windows_of(sets, strategy.space, bars)
        self.task = Task(bars, strategy, sets, own, rest, params, accounts, firsts, which_strategy, which_setup, windows)
        shape, without = (len(sets), accounts), frozenset[str]() if details else DETAILS
        self.task.details = details
        self.out = SweepRun(
            bars, strategy, keywords, sets, np.zeros(len(sets), dtype=bool), np.full(shape, np.nan), np.full(shape, np.nan),
            Columns.blank(RETURNS_METRICS, shape, without), Columns.blank(TRADES_METRICS, shape, without), details=details,
        )  # fmt: skip
        self.task.kind = self._kind(kind)
        self.pairs = None if rule is None else Pairs(self.out, rule)
        self.kept = self.out if self.pairs is None else self.pairs.run
        self.task.pairs = self.pairs is not None

    def keep_blocks(self, *, watched: bool) -> None:
        """Keep sums over parts of the bars, whose rows are written where they stay. Those of sets that are not done become NaN at the end;
        where it is `watched` by somebody who reads lines before, they are zeros until then."""
        shape, room = self.kept.final.shape, np.zeros if watched else np.empty
        self.kept.blocks, self.kept.fine = room((*shape, BLOCKS, 4)), room((*shape, FINE_BLOCKS, 2))
        if self.pairs is None:
            self.task.sums = self.kept.blocks, self.kept.fine

    def keep_equity(self) -> None:
        """Keep the curves."""
        shape = (*self.kept.final.shape, self.task.bars.T)
        wanted, free = 8 * math.prod(shape), _free_memory()
        if wanted > free // 2:
            what = f"the equity of {counted(shape[0], 'set')} takes {wanted / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB are free"
            raise ConfigError(f"{what}; sweep fewer sets, or run those of interest again with Sweep.backtest")
        self.kept.equity = np.full(shape, np.nan)
        self.task.equity = True

    @functools.cached_property
    def setups(self) -> SetupTable:
        """The setups of the sets, where these run here."""
        task, firsts = self.task, self._setup_firsts
        places = {name: task.sets.names.index(name) for name in task.rest}
        varied = {name: (task.sets.values[k], task.sets.codes[firsts, k]) for name, k in places.items()}
        return SetupTable(self.out.setup_with, varied, len(firsts), task.bars, task.kind)

    def _kind(self, known: InputKind | None) -> InputKind:
        """What the strategy says: known of a compiled one, or given, else from its rows."""
        task, strategy = self.task, self.task.strategy
        if isinstance(strategy, RuleStrategy):
            if strategy.compiled:
                task.table = RuleTable(strategy, task.bars.for_strategies, task.sets, task.own)
            return strategy.kind
        if known is not None:
            return known
        for first in task.firsts:
            try:
                return evaluate(task.strategy_of(int(first)), task.bars).kind
            except Exception:  # it has its line in the table
                continue
        return InputKind.SIGNALS

    def run(self, progress: Progress | None, keeper: Keeper | None) -> SweepRun:
        """All sets that are not kept already."""
        begun, out = time.perf_counter(), self.kept
        known = np.zeros(len(out.sets), dtype=bool) if keeper is None else keeper.known(out)
        try:
            if self.files is not None:
                self.files.open(out.final.shape)
            report = _Reporter(progress, out, keeper, self.pairs)
            try:
                report.add(int(known.sum()))
                if self.elsewhere is not None:
                    self._send(self.elsewhere, np.flatnonzero(~known), report)
                else:
                    self._run(known if self.pairs is None else self.pairs.skip(known), report)
            except KeyboardInterrupt:
                pass  # what is done is a result; the others are not marked done
            if self.files is not None:
                out.blocks, out.fine = self.files.finish(out.done)
            elif out.blocks is not None and out.fine is not None and not out.done.all():
                out.blocks[~out.done], out.fine[~out.done] = np.nan, np.nan
        finally:
            if self.files is not None:
                self.files.close()
        if self.pairs is not None:
            self.pairs.whole()
        out.errors = dict(sorted(out.errors.items()))
        out.seconds += time.perf_counter() - begun
        return out

    def _send(self, elsewhere: Elsewhere, chosen: NDArray[np.int64], report: _Reporter) -> None:
        """Sets that run somewhere else."""

        def take(numbers: NDArray[np.int64], part: Part) -> None:
            part.put(numbers, self.kept, self.files)
            report.add(report.sets(numbers))

        if len(chosen):
            elsewhere(self.kept, self.task.kind, chosen, take)

    def _run(self, looked_at: NDArray[np.bool_], report: _Reporter) -> None:
        which = self.task.which_setup
        wrong = {u: _message(error) for u, error in self.setups.errors.items()}
        if wrong:
            failed = np.flatnonzero(np.isin(which, list(wrong)) & ~looked_at)
            self.out.errors |= {int(c): wrong[int(which[c])] for c in failed}
            report.finished(failed)
        for group in self.setups.groups:
            chosen = np.flatnonzero((group.numbers[which] >= 0) & ~looked_at)
            if self.task.table is None and isinstance(self.task.strategy, RuleStrategy):
                self._alone(chosen, report)
            else:
                self._together(group, chosen, report)
        if self.setups.alone:
            self._alone(np.flatnonzero(np.isin(which, self.setups.alone) & ~looked_at), report)

    # --- set by set --------------------------------------------------------------------------------------------------

    def _alone(self, chosen: NDArray[np.int64], report: _Reporter) -> None:
        """Runs of their own."""
        for c in chosen:
            try:
                setup = self.setups.setup(int(self.task.which_setup[c]))
                self._measure(int(c), self.task.strategy_of(int(c)), setup)
            except Exception as error:
                self.out.errors[int(c)] = _message(error)
            report.finished(np.array([c]))

    def _measure(self, c: int, strategy: Strategy, setup: Setup) -> None:
        run = simulate(self.task.bars, *aligned_inputs(self.task.bars, strategy), setup, self.out.window_of(c))
        returns, curve = (None, run.equity) if run.flows is None else flow_returns_of(run.equity, run.flows, run.initial)
        self.out.returns[c] = returns_of(curve, run.initial, self.task.params, returns)
        self.out.trades[c] = trades_of(run.trades, self.task.accounts)
        if self.pairs is not None:
            self.pairs.take(c, run.trades)
        self.out.final[c], self.out.initial[c] = run.equity[-1], run.initial
        if self.task.blocks:
            earned = simple_returns_of(run.equity, run.initial) if returns is None else returns
            blocks, fine = np.empty((1, self.task.accounts, BLOCKS, 4)), np.empty((1, self.task.accounts, FINE_BLOCKS, 2))
            for g in range(self.task.accounts):
                sum_blocks(np.ascontiguousarray(earned[:, g]), len(earned), blocks[0, g], fine[0, g])
            self._put_sums(np.array([c]), blocks, fine)
        curves = np.full((1, self.task.accounts, self.task.bars.T), np.nan)
        curves[0, :, slice(*(self.out.window_of(c) or (None,)))] = run.equity.T
        self._put_curves(np.array([c]), curves)
        self.out.done[c] = True

    def _put_sums(self, at: NDArray[np.int64], blocks: NDArray[np.float64], fine: NDArray[np.float64]) -> None:
        """Sums over parts of the bars to where they are kept."""
        if self.pairs is not None:
            mine, at = self.pairs.own(at)
            blocks, fine = blocks[mine], fine[mine]
        if self.files is not None:
            self.files.put(at, blocks, fine)
        elif self.kept.blocks is not None and self.kept.fine is not None:
            lines = lines_of(at)
            self.kept.blocks[lines], self.kept.fine[lines] = blocks, fine

    def _put_curves(self, at: NDArray[np.int64], equity: NDArray[np.float64]) -> None:
        """Curves, where they are kept."""
        if self.kept.equity is None:
            return
        if self.pairs is not None:
            mine, at = self.pairs.own(at)
            equity = equity[mine]
        self.kept.equity[at] = equity

    # --- in compiled chunks ------------------------------------------------------------------------------------------

    def _together(self, group: SetupGroup, chosen: NDArray[np.int64], report: _Reporter) -> None:
        """Chunks of a group, on threads."""
        if not len(chosen):
            return
        chunks = Chunks(self.task, group, self.threads).of(chosen)
        if len(chosen) == 1:  # starting a thread would take longer
            for chunk in chunks:
                self._left_out(chunk, report)
                report.finished(self._take(Seat(self.task, group).run(chunk), chunk))
            return
        free: SimpleQueue[Seat] = SimpleQueue()
        for _ in range(min(self.threads, len(chosen))):
            free.put(Seat(self.task, group))
        waiting: set[Future[tuple[NDArray[np.int64], Chunk]]] = set()

        def work(chunk: Chunk) -> tuple[NDArray[np.int64], Chunk]:
            seat = free.get()
            try:
                return seat.run(chunk, self._ended.is_set), chunk
            finally:
                free.put(seat)

        with ThreadPoolExecutor(self.threads) as pool:
            try:
                for chunk in chunks:
                    self._left_out(chunk, report)
                    waiting.add(pool.submit(work, chunk))
                    if len(waiting) > self.threads or any(future.done() for future in waiting):
                        waiting = self._collect(waiting, report)
                while waiting:
                    waiting = self._collect(waiting, report)
            except BaseException as error:
                self._ended.set()
                started = [future for future in waiting if not future.cancel()]
                if isinstance(error, KeyboardInterrupt):  # what the threads have done by now is a result, too
                    for future in started:
                        report.keep(self._take(*future.result()))
                raise

    def _left_out(self, chunk: Chunk, report: _Reporter) -> None:
        """The sets of a chunk that cannot run."""
        self.out.errors |= {c: _message(error) for c, error in chunk.wrong.items()}
        report.finished(np.array(list(chunk.wrong), dtype=np.int64))

    def _collect(self, waiting: set[Future[Any]], report: _Reporter) -> set[Future[Any]]:
        done, rest = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            state, chunk = future.result()
            report.finished(self._take(state, chunk))
        return rest

    def _take(self, state: NDArray[np.int64], chunk: Chunk) -> NDArray[np.int64]:
        """The lines of a chunk into the table; the numbers of those that ran."""
        fine: Any = state == DONE
        at, out, found, bars = chunk.numbers[fine], self.out, chunk.measures, self.task.bars
        lines, fine = lines_of(at), slice(None) if fine.all() else fine
        out.final[lines], out.returns[lines], out.trades[lines] = found.final[fine], found.returns[fine], found.trades[fine]
        out.initial[lines] = chunk.initial[fine]
        if self.task.blocks and not chunk.in_place:
            self._put_sums(at, found.blocks[fine], found.fine[fine])
        if self.task.equity:
            self._put_curves(at, found.equity[fine])
        if self.pairs is not None:
            self.pairs.put(at, found.fragility[fine])
        out.done[lines] = True
        for k in np.flatnonzero(state == BAD_ANSWER):
            bar, n = divmod(int(found.bad[k, 0]), bars.N)
            answer = float(found.bad[k, 1:2].view(np.float64)[0])
            where = f"at {label_text(int(bars.index[bar]))}, {bars.symbols[n]}"
            out.errors[int(chunk.numbers[k])] = f"the rule answered {answer:g} {where}; that is no answer for {self.task.kind.name.lower()}"
        ran: NDArray[np.int64] = chunk.numbers[state != 0]
        return ran


def _in_kind(sets: Sets, names: tuple[str, ...], strategy: Strategy) -> tuple[Strategy, Sets]:
    """Whole numbers as floats, in all sets and in the strategy as given, where a parameter takes both: a rule is compiled for one kind."""
    values = list(sets.values)
    for name in names:
        k, given = sets.names.index(name), getattr(strategy, name)
        kinds = {type(v) for v in (*values[k], given)}
        domain = strategy.space[name]  # what is declared, it makes of one kind itself
        if kinds == {int, float} and not domain.is_number and domain.choices is None:
            values[k] = tuple(float(v) for v in values[k])
            if type(given) is int:
                strategy = remade(strategy, {name: float(given)})
    return strategy, Sets(sets.names, tuple(values), sets.codes)


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
    """Tells whoever watches how many sets there are, and whoever keeps lines which; of runs in pairs, when both are there."""

    def __init__(self, progress: Progress | None, run: SweepRun, keeper: Keeper | None, pairs: Pairs | None) -> None:
        self._progress, self._run, self._keeper, self._pairs, self._done = progress, run, keeper, pairs, 0

    def keep(self, numbers: NDArray[np.int64]) -> int:
        """The lines of these runs are there; how many sets are."""
        return self.sets(numbers if self._pairs is None else self._pairs.finished(numbers))

    def sets(self, sets: NDArray[np.int64]) -> int:
        """The lines of these sets are there; how many they are."""
        if self._keeper is not None and len(sets):
            self._keeper.keep(self._run, sets)
        return len(sets)

    def finished(self, numbers: NDArray[np.int64]) -> None:
        """The lines of these runs are there, and they count."""
        self.add(self.keep(numbers))

    def add(self, count: int) -> None:
        """So many more sets."""
        self._done += count
        if self._progress is not None and count:
            self._progress(self._done, len(self._run.sets))
