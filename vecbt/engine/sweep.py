"""Many parameter sets over the same bars: prepared here, run in compiled chunks on several threads, each set measured and forgotten.

A set is a strategy with its parameters and a setup with its own. Compiled strategies share their indicators and are asked by their own
loops; any other is evaluated set by set, and its rows go the same way. What needs an order book, deposits, or a Python rule inside the
simulation runs alone, by the batch driver. All of them take the same step, so every line equals a run of its own.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Records
from ..core.codes import InputKind
from ..core.sets import Sets
from ..data.labels import label_text
from ..errors import ConfigError, VecbtError
from ..metrics.returns import RETURNS_METRICS, flow_returns_of, returns_of, returns_params, simple_returns_of
from ..metrics.trades import TRADES_METRICS, trades_of
from .batch import simulate
from .check import aligned_inputs
from .rule_strategy import RuleStrategy
from .setup import Setup
from .strategy import Strategy, as_strategy, evaluate
from .sweep_chunks import Chunk, Chunks, Seat, Task, blank
from .sweep_names import setup_with, split_names
from .sweep_pairs import Envelope, PairedRuns, halved, own_rule, paired
from .sweep_rules import RuleTable, remade
from .sweep_run import BAD_ANSWER, BLOCKS, DONE, FINE_BLOCKS, sum_blocks
from .sweep_setups import SetupGroup, SetupTable

if TYPE_CHECKING:
    from ..data.bars import Bars

__all__ = ["BLOCKS_UP_TO", "SweepRun", "sweep_sets"]

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
    returns, trades : records (C, A) of RETURNS_METRICS and TRADES_METRICS
    blocks, fine : float64 (C, A, 16, 4) sums of r to r^4 over sixteen equal parts of the bars, (C, A, 64, 2) sums of r and r^2 over 64;
        None where they were not asked for. Part b of B holds the bars from b*T//B to (b + 1)*T//B - 1; r are simple returns (M1)
    equity : float64 (C, A, T), where it was to be kept, else None
    envelope : the sets under the other intrabar rule, where that was asked for, else None
    rf : riskless return per bar, of the Sharpe ratios
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
    envelope: Envelope | None = None
    rf: float = 0.0
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
    blocks: bool | None = None, keep_equity: bool = False, envelope: bool = False, progress: Progress | None = None,
) -> SweepRun:  # fmt: skip
    """Run all sets; Ctrl-C ends it early with what is done.

    Parameters
    ----------
    blocks : whether sums over parts of the bars are kept, 1.5 kB a set; None: up to BLOCKS_UP_TO sets
    keep_equity : whether the curves are kept; ConfigError where they take more than half of the memory that is free
    envelope : whether each set runs under both intrabar rules

    The other ones are those of `vb.sweep`.
    """
    for name, value in (("rf", rf), ("mar", mar)):
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating) or not math.isfinite(value):
            raise ConfigError(f"{name} is {value!r}; expected a return per bar, such as 0.0001")
    strategy = as_strategy(source)
    own = own_rule(keywords, strategy, sets) if envelope else 0
    runs = paired(sets) if envelope else sets
    work = _Sweep(bars, strategy, runs, dict(keywords), returns_params(bars.periods_per_year, rf, mar), threads)
    work.out.rf = float(rf)
    if len(sets) <= BLOCKS_UP_TO if blocks is None else blocks:
        work.keep_blocks()
    if keep_equity:
        work.keep_equity()
    if not envelope:
        return work.run(progress)
    fragility = work.compare_pairs()
    return halved(work.run(progress and _by_pairs(progress)), fragility, own)


class _Sweep:
    """One sweep at work."""

    def __init__(self, bars: Bars, strategy: Strategy, sets: Sets, keywords: dict[str, Any], params: Records, threads: int | None) -> None:
        self.threads = _checked_threads(threads)
        own, rest = split_names(sets.names, strategy.space, keywords)
        if "accounts" in rest:
            raise ConfigError("accounts varies, and a line of the table is an account; sweep each way by itself")
        strategy, sets = _in_kind(sets, own, strategy)
        firsts, which_strategy = sets.distinct(own)
        setup_firsts, which_setup = sets.distinct(rest)
        accounts = bars.N if keywords.get("accounts") == "separate" else 1
        self.task = Task(bars, strategy, sets, own, rest, params, accounts, firsts, which_strategy, which_setup)
        shape = (len(sets), accounts)
        self.out = SweepRun(
            bars, strategy, keywords, sets, np.zeros(len(sets), dtype=bool), np.full(shape, np.nan), np.full(shape, np.nan),
            blank(RETURNS_METRICS, shape), blank(TRADES_METRICS, shape),
        )  # fmt: skip
        self.task.kind = self._kind()
        make: Callable[[int], Setup] = lambda u: setup_with(keywords, self.task.values_of(int(setup_firsts[u]), rest))  # noqa: E731
        self.setups = SetupTable(len(setup_firsts), make, bars, self.task.kind)
        self.fragility: NDArray[np.float64] | None = None
        self.one_by_one = PairedRuns(bars.N, accounts)

    def keep_blocks(self) -> None:
        """Keep sums over parts of the bars."""
        shape = self.out.final.shape
        self.out.blocks, self.out.fine = np.full((*shape, BLOCKS, 4), np.nan), np.full((*shape, FINE_BLOCKS, 2), np.nan)
        self.task.blocks = True

    def keep_equity(self) -> None:
        """Keep the curves."""
        shape = (*self.out.final.shape, self.task.bars.T)
        wanted, free = 8 * math.prod(shape), _free_memory()
        if wanted > free // 2:
            what = f"the equity of {shape[0]:,} sets takes {wanted / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB are free"
            raise ConfigError(f"{what}; sweep fewer sets, or run those of interest again with Sweep.backtest")
        self.out.equity = np.full(shape, np.nan)
        self.task.equity = True

    def compare_pairs(self) -> NDArray[np.float64]:
        """Compare the trades of each second run with those of the one before; where the shares will stand, (C, A)."""
        self.task.pairs, self.fragility = True, np.full(self.out.final.shape, np.nan)
        return self.fragility

    def _kind(self) -> InputKind:
        """What the strategy says: known of a compiled one, else from its rows."""
        task, strategy = self.task, self.task.strategy
        if isinstance(strategy, RuleStrategy):
            if strategy.compiled:
                task.table = RuleTable(strategy, task.bars.for_strategies, task.sets, task.own)
            return strategy.kind
        for first in task.firsts:
            try:
                return evaluate(task.strategy_of(int(first)), task.bars).kind
            except Exception:  # it has its line in the table
                continue
        return InputKind.SIGNALS

    def run(self, progress: Progress | None) -> SweepRun:
        """All sets."""
        begun = time.perf_counter()
        state = np.zeros(len(self.task.sets), dtype=bool)  # looked at, whatever came of it
        for u, setup in enumerate(self.setups.setups):
            if isinstance(setup, VecbtError):
                for c in np.flatnonzero(self.task.which_setup == u):
                    self.out.errors[int(c)] = _message(setup)
                    state[c] = True
        report = _Reporter(progress, len(state))
        try:
            report.add(int(state.sum()))
            for group in self.setups.groups:
                chosen = np.flatnonzero(group.numbers[self.task.which_setup] >= 0)
                if self.task.table is None and isinstance(self.task.strategy, RuleStrategy):
                    self._alone(chosen, report)
                else:
                    self._together(group, chosen, report)
            self._alone(np.flatnonzero(np.isin(self.task.which_setup, self.setups.alone)), report)
        except KeyboardInterrupt:
            pass  # what is done is a result; the others are not marked done
        self.out.seconds = time.perf_counter() - begun
        return self.out

    # --- set by set --------------------------------------------------------------------------------------------------

    def _alone(self, chosen: NDArray[np.int64], report: _Reporter) -> None:
        """Runs of their own."""
        for c in chosen:
            setup = self.setups.setups[self.task.which_setup[c]]
            assert isinstance(setup, Setup)
            try:
                self._measure(int(c), self.task.strategy_of(int(c)), setup)
            except Exception as error:
                self.out.errors[int(c)] = _message(error)
            report.add(1)

    def _measure(self, c: int, strategy: Strategy, setup: Setup) -> None:
        run = simulate(self.task.bars, *aligned_inputs(self.task.bars, strategy), setup)
        returns, curve = (None, run.equity) if run.flows is None else flow_returns_of(run.equity, run.flows, run.initial)
        self.out.returns[c] = returns_of(curve, run.initial, self.task.params, returns)
        self.out.trades[c] = trades_of(run.trades, self.task.accounts)
        if self.fragility is not None:
            self.fragility[c] = self.one_by_one.take(c, run.trades)
        self.out.final[c], self.out.initial[c], self.out.done[c] = run.equity[-1], run.initial, True
        if self.out.blocks is not None and self.out.fine is not None:
            earned = simple_returns_of(run.equity, run.initial) if returns is None else returns
            for g in range(self.task.accounts):
                sum_blocks(np.ascontiguousarray(earned[:, g]), len(earned), self.out.blocks[c, g], self.out.fine[c, g])
        if self.out.equity is not None:
            self.out.equity[c] = run.equity.T

    # --- in compiled chunks ------------------------------------------------------------------------------------------

    def _together(self, group: SetupGroup, chosen: NDArray[np.int64], report: _Reporter) -> None:
        """Chunks of a group, on threads."""
        free: SimpleQueue[Seat] = SimpleQueue()
        for _ in range(self.threads):
            free.put(Seat(self.task, group))
        waiting: set[Future[tuple[NDArray[np.int64], Chunk]]] = set()

        def work(chunk: Chunk) -> tuple[NDArray[np.int64], Chunk]:
            seat = free.get()
            try:
                return seat.run(chunk), chunk
            finally:
                free.put(seat)

        with ThreadPoolExecutor(self.threads) as pool:
            try:
                for chunk in Chunks(self.task, group).of(chosen):
                    self.out.errors |= {c: _message(error) for c, error in chunk.wrong.items()}
                    report.add(len(chunk.wrong))
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

    def _take(self, state: NDArray[np.int64], chunk: Chunk) -> None:
        """The lines of a chunk into the table."""
        fine = state == DONE
        at, out, found, bars = chunk.numbers[fine], self.out, chunk.measures, self.task.bars
        out.final[at], out.returns[at], out.trades[at] = found.final[fine], found.returns[fine], found.trades[fine]
        out.initial[at] = chunk.initial[fine]
        if out.blocks is not None and out.fine is not None:
            out.blocks[at], out.fine[at] = found.blocks[fine], found.fine[fine]
        if out.equity is not None:
            out.equity[at] = found.equity[fine]
        if self.fragility is not None:
            self.fragility[at] = found.fragility[fine]
        out.done[at] = True
        for k in np.flatnonzero(state == BAD_ANSWER):
            bar, n = divmod(int(found.bad[k, 0]), bars.N)
            answer = float(found.bad[k, 1:2].view(np.float64)[0])
            where = f"at {label_text(int(bars.index[bar]))}, {bars.symbols[n]}"
            out.errors[int(chunk.numbers[k])] = f"the rule answered {answer:g} {where}; that is no answer for {self.task.kind.name.lower()}"


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


def _by_pairs(progress: Progress) -> Progress:
    """Progress in sets, where each of them is two runs."""

    def report(done: int, total: int) -> None:
        if done % 2 == 0:
            progress(done // 2, total // 2)

    return report


class _Reporter:
    """Counts sets for whoever watches."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def add(self, count: int) -> None:
        """So many more."""
        self._done += count
        if self._progress is not None and count:
            self._progress(self._done, self._total)
