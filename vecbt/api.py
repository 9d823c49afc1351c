"""The few functions that bind the engine and the analytics, and the checks of strategies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

from ._progress import progress_bar
from .analytics.sweep import Sweep
from .analytics.sweep_checkpoint import blocks_of, keeping
from .analytics.sweep_lines import ENVELOPE, METRICS, checked_metrics
from .core.sets import Sets, Where, sets_of
from .data.bars import Bars
from .engine.batch import simulate
from .engine.check import ParityReport, aligned_inputs, replay
from .engine.inputs import Inputs
from .engine.keywords import Keywords, explicit
from .engine.setup import Setup
from .engine.strategy import as_strategy
from .engine.sweep import SweepRun
from .engine.sweep_blocks import BlockFiles
from .engine.sweep_run import DETAILS
from .engine.window import window_of
from .errors import ConfigError, DataError
from .executors.base import Executor, Threads
from .executors.making import make
from .executors.sending import as_given
from .ledger.recording import record_run, record_sweep

if TYPE_CHECKING:
    from .analytics.result import Result
    from .engine.causality import StrategyReport

__all__ = ["backtest", "check_causal", "check_parity", "check_strategy", "sweep"]


@explicit
def backtest(
    bars: Bars, strategy: Any, *, between: tuple[Any, Any] | None = None, audit: bool = False, **keywords: Unpack[Keywords]
) -> Result:  # fmt: skip
    """Run a strategy, or its inputs, over all bars.

    Parameters
    ----------
    bars : Bars
        Prices, `T` bars of `N` assets.
    strategy : Strategy, function `rows(bars)`, Signals, Strengths, Weights or Quantities
        What decides at each bar (S1).
    between : (start, stop), optional
        Run the account over these bars alone, positions or times, None for an end: it begins flat at `start`, while the strategy and the
        setup have seen the bars before (D6). The result is of these bars, and its source what was said in them.
    audit : bool
        Work the accounts out again from the fills and compare (F3).
    **keywords
        costs (required), sizing, stops, risk, initial_capital, fill, direction, accumulate, weights_of, band, intrabar,
        trade_through, accounts, positions, liquidate_at_end: see `Setup`, which explains each.

    Returns
    -------
    Result
        Statistics, curves, orders, fills, trades, plots and reports. The run is in the trial ledger (`vb.ledger`), see `Result.trials`.

    Raises
    ------
    ConfigError, DataError, InputError, StrategyError
        An argument, the bars, the inputs or the strategy cannot be used; the message says why and what to do.
    AuditError
        The books do not add up, which is a fault of vecbt.
    """
    from .analytics.result import Result  # a sweep is ready without it

    setup = Setup.of(**keywords)
    given, inputs = aligned_inputs(_checked(bars), strategy)
    run = simulate(bars, given, inputs, setup, None if between is None else window_of(between, bars))
    if audit:
        from .engine.audit import audit as audit_run

        audit_run(run)
    return Result(run, entry=record_run(run, given))


@explicit
def check_parity(
    bars: Bars,
    strategy: Any,
    *,
    restarts: int = 3,
    seed: int = 0,
    progress: Any = None,
    **keywords: Unpack[Keywords],
) -> ParityReport:
    """Replay a run bar by bar, with save, kill and restore at random bars, and demand equal bytes at each bar (D1, D3).

    Parameters
    ----------
    bars, strategy, **keywords
        As for `backtest`.
    restarts, seed : int
        How often, and at which random bars, the stream is restored from its save.
    progress : callable (done, total), optional
        Called after each bar.
    """
    return replay(_checked(bars), strategy, Setup.of(**keywords), restarts=restarts, seed=seed, progress=progress)


def check_strategy(
    strategy: Any,
    bars: Bars,
    *,
    thorough: bool | None = None,
    cuts: int = 12,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> StrategyReport:
    """Show that a strategy uses no later bar (D2), and that it streams, restores, and changes nothing it is given.

    The rows up to a bar must be the same, to the last bit, when all bars after it are removed, and when they are replaced by noise,
    mirrored moves, no market, and prices 1000 times as large and as small. Where they are not, the report names the first bar, the asset,
    and how far ahead it looks. Further: a second run says the same; bars and parameters are left as they were; rows fit the bars; how many
    bars are silent, against the declared warm-up; whether rows change when all times are shifted (information: a calendar rule may); a
    declared `lookback` against all bars, row by row; and `check_parity` on the first bars (on all with `thorough`).

    Parameters
    ----------
    strategy : Strategy, function `rows(bars)`, or functools.partial of one
    bars : Bars
        What it is tried on. A peek that these bars do not provoke is not found.
    thorough : bool, optional
        Cut after every bar instead of `cuts` bars: time grows with the square of the number of bars. Left out, that is done for compiled
        strategies (a class attribute `compiled = True`) on up to 20,000 bars.
    cuts : int
        How many cuts the quick check makes: the last bars, just after the warm-up, and random ones.
    seed : int
        Of those cuts, of the noise, and of the bars after which the stream is restored.
    settings : mapping, optional
        Keywords of `backtest` for the replay; without costs it is free of them.
    progress : callable (done, total), optional
        Called after each cut, and after each bar of the replay.

    Returns
    -------
    StrategyReport
        `print` it; `ok` is False where a part failed. A strategy that fails on few bars passes the cuts where its `warmup` is as long, but
        the default feed begins with one bar: it cannot be streamed before it answers silent rows there.

    Raises
    ------
    ConfigError, DataError, StrategyError
        The arguments cannot be used. What the strategy itself raises is in the report.
    """
    from .engine.causality import check_strategy as check_rows

    return check_rows(strategy, _checked(bars), thorough=thorough, cuts=cuts, seed=seed, settings=settings, progress=progress)


def check_causal(
    function: Callable[[Any], Any],
    data: Any,
    *,
    warmup: int = 0,
    thorough: bool = False,
    cuts: int = 12,
    seed: int = 0,
    tolerance: float = 0.0,
    progress: Callable[[int, int], None] | None = None,
) -> StrategyReport:
    """Show that a function of bars or of a table (features, a scaler, a model's predictions) uses no later row.

    The same cuts and futures as `check_strategy`, on anything that has a row for each bar. A fitted object is checked by fitting it inside
    the function: `lambda bars: fit(bars[:500]).predict(features(bars))`, with `warmup=500`, since the rows it was fitted on have seen each
    other. An object that is fitted outside is a constant of the function, and no cut can tell on what it was fitted.

    Parameters
    ----------
    function : callable
        From data to an array (T, ...), a Series or frame of pandas or polars, a mapping of them, or inputs such as Signals.
    data : Bars, array (T, ...), or frame
        Time along the rows. Bars are given as strategies read them (T9).
    warmup : int
        Rows at the start that are not compared, and on which alone the function may fail.
    thorough, cuts, seed, progress
        As for `check_strategy`.
    tolerance : float
        Relative difference of numbers that counts as equal; 0 demands equal bits. Products of matrices may round otherwise for another
        number of rows.

    Returns
    -------
    StrategyReport
        As for `check_strategy`; `parity` and `lookback` are None.
    """
    from .engine.causality import check_function

    return check_function(function, data, thorough=thorough, cuts=cuts, seed=seed, warmup=warmup, tolerance=tolerance, progress=progress)


@explicit
def sweep(
    bars: Bars, strategy: Any, space: Any = None, *, where: Where | None = None, max_sets: int | None = None,
    metrics: Sequence[str] | None = None, rf: float = 0.0, mar: float = 0.0, threads: int | None = None,
    blocks: bool | str | Path | None = None, keep: Sequence[str] = (), envelope: bool = False,
    progress: Callable[[int, int], None] | Literal[False] | None = None, checkpoint: str | Path | None = None,
    executor: Executor | str | None = None, **keywords: Unpack[Keywords],
) -> Sweep:  # fmt: skip
    """Run a strategy with many parameter sets over the same bars; each line equals a `backtest` of that set, to the last bit.

    >>> found = vb.sweep(bars, vb.strategies.SmaCross(20, 100), {"fast": range(5, 50, 5), "slow": range(20, 200, 10)}, costs=costs)
    >>> found.top(), found.heatmap("fast", "slow"), found.backtest(found.best()["set"]).report()

    Parameters
    ----------
    bars, strategy, **keywords
        As for `backtest`. They hold for all that does not vary.
    space : mapping, sequence of mappings, frame, RandomSets, Sobol, optional
        A mapping of names to values is all combinations of them, a sequence of mappings or a frame of pandas or polars the sets
        themselves, `RandomSets(500, ranges)` and `Sobol(512, ranges)` draw. None: all combinations of what the strategy declares.
        A name is a parameter of the strategy, a field of `Setup` (`fill`, `intrabar`, `sizing`), or with a dot a part of one
        (`stops.hard`, `costs.commission_rate`, `risk.zones.liquidate_at`); `between` is that of `backtest`, so sets may run over parts of
        the bars. Stops that are off are made of the parts that vary; a cost that varies down to 0 may be the last one (`Costs.free()`, no
        carry).
    where : callable, optional
        From the columns of the parameters, by name, to which sets are wanted: `lambda p: p["fast"] * 2 < p["slow"]`. Sets that the
        strategy itself forbids (`fast` below `slow`) are left out of combinations and samples without it.
    max_sets : int, optional
        Refuse more than this; 200,000 if it is not said.
    metrics : sequence of str, optional
        Columns of the table, `vecbt.analytics.sweep_lines.METRICS`; all if it is not said. Where none is named that takes time of its own
        (the Sortino ratio, the ulcer index, the longest drawdown, what is told of single trades), these are not measured, which saves a
        sixth of the time. With a checkpoint, an envelope or workers in other processes all are.
    rf, mar : float
        Riskless and minimum acceptable return *per bar*, for Sharpe and Sortino ratios.
    threads : int, optional
        As many as there are processors, if it is not said. The numbers do not depend on it.
    blocks : bool, "file" or path of a folder, optional
        Keep sums of powers of the returns over 16 and 64 parts of the bars, 1.5 kB a set: what tests for overfitting need. In memory (True;
        left out, up to 100,000 sets), not at all (False), or in `blocks.npy` and `fine.npy`, written piece by piece, in the folder of the
        checkpoint ("file") or in an empty one (its path). `Sweep.blocks`, `.fine` have them, `.block_sums` says where they are.
    keep : sequence of str
        `("equity",)` keeps the curves, `sweep.run.equity` (sets, accounts, bars); ConfigError where they take half of the memory that is
        free. Nothing else grows with bars times sets.
    envelope : bool
        Run each set under the pessimistic and the optimistic intrabar rule (P5, P8), which takes twice as long. The table has both ends of
        each metric, `sharpe_low` and `sharpe_high`, around that under the setup's own rule, and `fragility`, the share of closed trades
        whose end hangs on the rule (M8): 0 without stops and targets. `blocks` and `keep` are of the own rule, `run.envelope` of the other.
    progress : callable (done, total), or False, optional
        Called as sets are done. None draws a bar on a terminal when it takes longer than a second, False never does.
    checkpoint : path of a folder, optional
        Keep finished lines there, about once a second. The same call goes on from there, whatever ended the last one, to the bits of an
        unbroken sweep; only `threads`, `executor`, `metrics` and `progress` may be others. A folder with anything else, or with another
        sweep, is refused. A strategy is known by its parameters and the text of its code: its own, that of functions and classes it names,
        and the data they close over or find in globals; not what it gets through other packages, whole modules (`helpers.f`) or files.
    executor : Executor or name, optional
        Where the sets run: `vb.executors.Threads(n)`, which is what happens without one, `Processes(n)`, for strategies in plain Python,
        or `Ray(address)`, for more than one machine. The numbers do not depend on it. A name ("processes") is one for this call alone;
        an object keeps its workers for the next.

    Returns
    -------
    Sweep
        Table, best sets, plateaus, plots, a backtest of any set; Ctrl-C ends it with what is done (`partial`). In `vb.ledger` as `trials`.

    Raises
    ------
    ConfigError, DataError, InputError
        A name, a value, the bars or a keyword cannot be used, or `intrabar` varies beside `envelope`. What is wrong with one set is in its
        line (`errors`).
    """
    asked = _check_wishes(metrics, keep, envelope, progress)
    source = as_strategy(as_given(strategy) if isinstance(strategy, Inputs) else strategy)
    sets = sets_of(space, source.space, source.parameters, where=where, max_sets=max_sets)
    settings = {"rf": rf, "mar": mar, "keep": sorted(set(keep)), "envelope": envelope}
    with _executor(executor, threads) as workers:
        run = _run(
            _checked(bars), source, sets, keywords, settings, blocks=blocks, executor=workers, progress=progress, checkpoint=checkpoint,
            details=not DETAILS.isdisjoint(asked),
        )  # fmt: skip
    return Sweep(run, metrics=metrics, entry=record_sweep(run, strategy))


def _executor(given: Any, threads: int | None) -> AbstractContextManager[Executor]:
    """What the sets run on, for a `with`; one that was given is left open."""
    if given is None:
        return Threads(threads)
    if threads is not None:
        raise ConfigError(f"threads is {threads!r}, and there is an executor; give one of both, such as executor=Threads({threads!r})")
    if isinstance(given, str):
        return make(given)
    if not isinstance(given, Executor):
        raise ConfigError(f"executor is {given!r}; expected vb.executors.Threads(), Processes(), Ray(), a name of one, or None")
    return nullcontext(given)


def _run(
    bars: Bars, source: Any, sets: Sets, keywords: Mapping[str, Any], settings: Mapping[str, Any], *, blocks: Any, executor: Executor,
    progress: Any, checkpoint: str | Path | None, details: bool,
) -> SweepRun:  # fmt: skip
    """The sets, watched and kept as it was asked for; `settings` are what else the lines depend on."""
    sums = blocks_of(blocks, len(sets), checkpoint)
    all_settings = {**settings, "blocks": "file" if isinstance(sums, BlockFiles) else sums}
    shown = progress_bar("sweep", after=1.0, unit="sets") if progress is None else nullcontext(progress or None)
    with shown as report, keeping(checkpoint, bars, source, sets, keywords, settings=all_settings, sums=sums) as keeper:
        return executor.sweep(
            bars, source, sets, keywords, rf=settings["rf"], mar=settings["mar"], blocks=sums,
            keep_equity="equity" in settings["keep"], envelope=settings["envelope"], progress=report, keeper=keeper,
            details=details,
        )  # fmt: skip


def _check_wishes(metrics: Any, keep: Any, envelope: Any, progress: Any) -> tuple[str, ...]:
    """What a sweep is asked for beside its sets; ConfigError before any work. The names of the metrics."""
    if not isinstance(envelope, bool):
        raise ConfigError(f"envelope is {envelope!r}; expected True or False")
    asked = checked_metrics(metrics, (*METRICS, *ENVELOPE) if envelope else METRICS)
    if progress is not None and progress is not False and not callable(progress):
        raise ConfigError(f"progress is {progress!r}; expected a function of (done, total), None or False")
    unknown = [keep] if isinstance(keep, str) else [name for name in keep if name != "equity"]
    if unknown:
        raise ConfigError(f"keep is {keep!r}; expected () or ('equity',)")
    return asked


def _checked(bars: Any) -> Bars:
    if not isinstance(bars, Bars):
        raise DataError(f"bars is {type(bars).__name__}; expected Bars: make them with Bars.from_pandas, from_polars, read_csv, …")
    return bars
