"""`vb.search`: look for parameters, one sweep a generation, with memory, checkpoints and the trial ledger."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, Unpack

from .._progress import progress_bar
from ..analytics.saved.folder import digest_of
from ..analytics.saved.values import Json
from ..core.identity import identity
from ..core.jit import kernel_sources_hash
from ..core.sets import Where
from ..core.sources import code_hash
from ..data.bars import Bars
from ..engine.inputs import Inputs
from ..engine.keywords import Keywords, explicit
from ..engine.strategy import as_strategy, written
from ..errors import ConfigError, DataError
from .driving import STOPPED, Drive
from .evaluation import Evaluation, declared_by
from .history import Generation, History
from .keeping import Keeper, history_from, written_variables
from .live import LivePlot
from .objective import Objective, as_objectives
from .searched import Search
from .searching import Method
from .variables import Variables

__all__ = ["search"]


@explicit
def search(
    bars: Bars,
    strategy: Any,
    space: Any = None,
    *,
    objective: Any = "sharpe",
    method: Method | None = None,
    where: Where | None = None,
    seed: int = 0,
    max_sets: int | None = None,
    stop: Callable[[Generation], Any] | None = None,
    rf: float = 0.0,
    mar: float = 0.0,
    threads: int | None = None,
    executor: Any = None,
    progress: Callable[[int, int | None], None] | Literal[False] | None = None,
    live: bool = False,
    checkpoint: str | Path | None = None,
    **keywords: Unpack[Keywords],
) -> Search:
    """Look for the parameters that are worth most; each generation is one sweep, and each set in it equals a `backtest` of that set.

    >>> found = vb.search(bars, vb.strategies.SmaCross(20, 100), {"fast": (5, 50), "slow": (20, 200)}, objective="sharpe", costs=costs)
    >>> found.best(), found.evidence(), found.backtest(found.best()["set"]).report()

    Parameters
    ----------
    bars, strategy, **keywords : as for `backtest`; they hold for all that does not vary
    space : mapping, optional
        By name (as for `sweep`, dotted names too) a range `(low, high)`, `Range`, `Choice`, or a list of choices; None: what is declared.
    objective : metric, mapping, objective, function, or list of these
        What is wanted: the name of a metric (lower is better for drawdowns and volatility), `Weighted`, `Penalty`, `Plateau`, `Deflated`,
        a function of metrics that is called once a generation with arrays over its sets, or several in a list: the Pareto front.
    method : optional
        How: `Genetic()` (left out), `RandomSearch`, `SobolSearch`, `GridSearch` or another one.
    where : callable, optional
        From the columns of the parameters, by name, to which sets are wanted. Sets that break it, or constraints of the strategy, are not
        run, and no trials.
    seed : of all that is drawn: the same call gives the same search to the last bit, on any number of threads
    max_sets : stop before more distinct sets than this are evaluated
    stop : callable, optional
        Called after each generation with its `Generation`; the search ends where it answers something true.
    rf, mar : riskless and minimum acceptable return *per bar*
    threads, executor : as for `sweep`; no number depends on them
    progress : callable (sets, total or None), or False, optional
        Called after each generation; the total is `max_sets`. None draws a bar with the best score so far on a terminal when it takes
        longer than a second, False never does.
    live : draw convergence in a notebook while it runs, about once a second
    checkpoint : path of a folder, optional
        Keep all of it there after each generation, at most once a second and at the end. The same call goes on from there, whatever ended
        the last one, to the result of an unbroken search; `max_sets`, `stop`, `threads`, `executor` and `progress` may be others. A folder
        with anything else, or with a search of other data, space, objective, method or kernels, is refused.

    Returns
    -------
    Search
        Every set that was evaluated, the best, the front, generations, plots, evidence. Ctrl-C ends it with what is done (`partial`). All
        sets are in `vb.ledger`; one met again is not run again, and no new trial.

    Raises
    ------
    ConfigError, DataError, InputError
        An argument cannot be used, or the objective is undefined for all of the first hundred sets.
    """
    if not isinstance(bars, Bars):
        raise DataError(f"bars is {type(bars).__name__}; expected Bars: make them with Bars.from_pandas, from_polars, read_csv, …")
    _check(seed, max_sets, stop, progress, live)
    objectives, method = as_objectives(objective), _method(method)
    variables = Variables.of(space, *declared_by(strategy), where)
    options = {"threads": threads} | ({} if executor is None else {"executor": executor})
    moments = any(each.needs_moments for each in objectives)
    if moments and keywords.get("accounts") == "separate":
        raise ConfigError("Deflated judges one account, and accounts='separate' has one for each symbol; search symbol by symbol")
    evaluation = Evaluation(bars, strategy, variables, keywords, float(rf), float(mar), moments, options)
    about = _about(evaluation, objectives, method, seed, where)
    drive = _drive(evaluation, objectives, method, seed, max_sets)
    _run(drive, about, checkpoint, stop=stop, progress=progress, plot=LivePlot(drive) if live else None, total=max_sets)
    return Search(drive, about=about)


def _drive(evaluation: Evaluation, objectives: tuple[Objective, ...], method: Method, seed: int, most: int | None) -> Drive:
    """The search before its first generation."""
    searcher, planned = method.searcher(evaluation.variables, len(objectives), seed), getattr(method, "generations", None)
    return Drive(searcher, evaluation.variables, objectives, evaluation, name=type(method).__name__, most=most, planned=planned)


def _run(
    drive: Drive, about: dict[str, Json], checkpoint: str | Path | None, *, stop: Any, progress: Any, plot: LivePlot | None,
    total: int | None,
) -> None:  # fmt: skip
    """From where it was left to its end."""
    with ExitStack() as stack:
        keeper = None
        if checkpoint is not None:
            hashes = {"data": about["bars"]["hash"], "search": digest_of(about), "kernels": kernel_sources_hash()}
            keeper = stack.enter_context(Keeper(checkpoint, about, hashes))
            _take_up(drive, keeper, stop)
        _go(drive, keeper, _hearing(drive, stack, stop, progress, plot, total))
    if plot is not None:
        plot.draw(last=True)


def _go(drive: Drive, keeper: Keeper | None, heard: Callable[[Generation], Any]) -> None:
    """To the end, kept on the way and at last."""

    def settled() -> None:
        if keeper is not None and keeper.is_due():
            _keep(drive, keeper)

    try:
        drive.go(heard, settled)
    finally:
        if keeper is not None and drive.whole and drive.history.generations:  # else the folder stays as it was a generation before
            _keep(drive, keeper)


def _keep(drive: Drive, keeper: Keeper) -> None:
    ended = "" if drive.partial else drive.ended
    keeper.write(drive.history, drive.searcher.state(), ended=ended, partial=drive.partial, until=drive.sure)


def _take_up(drive: Drive, keeper: Keeper, stop: Callable[[Generation], Any] | None) -> None:
    """Go on from what the folder holds, unless the last generation there was the last of all."""
    if keeper.kept is None:
        return
    old = drive.history
    drive.history = history_from(keeper.kept, old.variables, old.names, len(drive.objectives))
    drive.sure = (len(drive.history), len(drive.history.refusals))
    drive.searcher.restore(keeper.kept.state)
    keeper.took_up(drive.history)
    if stop is not None and drive.history.generations and stop(drive.history.generations[-1]):
        drive.ended = STOPPED


def _about(
    evaluation: Evaluation, objectives: tuple[Objective, ...], method: Method, seed: int, where: Where | None
) -> dict[str, Json]:  # fmt: skip
    """All that the result depends on beside bars and kernels, in words."""
    given, variables = evaluation.strategy, evaluation.variables
    source = None if isinstance(given, Inputs) else as_strategy(given)
    return {
        "strategy": identity(given) if source is None else written(source),
        "name": type(given).__name__ if source is None else source.name,
        "kind": f"{type(given).__module__}.{type(given).__qualname__}",
        "code": code_hash(source, variables.choices, dict(evaluation.keywords), where, objectives, method),
        "space": [list(variables.names), written_variables(variables)["kinds"], identity([
            variables.low, variables.high, variables.logs, variables.choices, variables.rests, variables.depends, variables.rules, where,
        ])],
        "variables": written_variables(variables),
        "objective": [repr(each) for each in objectives],
        "objective values": identity(objectives),
        "method": [_in_words(method), identity(method)],
        "seed": seed,
        "keywords": {name: identity(value) for name, value in sorted(evaluation.keywords.items())},
        "rates": [evaluation.rf, evaluation.mar],
        "columns": list(evaluation.names),
        "bars": {"hash": evaluation.bars.content_hash, "symbols": list(evaluation.bars.symbols), "count": evaluation.bars.T},
    }  # fmt: skip


def _method(given: Method | None) -> Method:
    """A genetic algorithm, where nothing else is said."""
    if given is None:
        from .genetic import Genetic

        return Genetic()
    if isinstance(given, type) or not callable(getattr(given, "searcher", None)):
        name = given.__name__ if isinstance(given, type) else type(given).__name__
        raise ConfigError(f"method is {name}; expected an object such as Genetic(population=200, generations=50) or RandomSearch(1000)")
    return given


def _in_words(method: Any) -> str:
    """A method with what is not as it is where nothing is said."""
    if not dataclasses.is_dataclass(method):
        return type(method).__name__
    values = {f.name: getattr(method, f.name) for f in dataclasses.fields(method) if getattr(method, f.name) != f.default}
    return f"{type(method).__name__}({', '.join(f'{name}={value!r}' for name, value in values.items())})"


def _check(seed: Any, max_sets: Any, stop: Any, progress: Any, live: Any) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ConfigError(f"seed is {seed!r}; expected a whole number of at least 0")
    if max_sets is not None and (isinstance(max_sets, bool) or not isinstance(max_sets, int) or max_sets < 1):
        raise ConfigError(f"max_sets is {max_sets!r}; expected a whole number of at least 1")
    if stop is not None and not callable(stop):
        raise ConfigError(f"stop is {stop!r}; expected a function of a Generation")
    if progress is not None and progress is not False and not callable(progress):
        raise ConfigError(f"progress is {progress!r}; expected a function of (sets, total), None or False")
    if not isinstance(live, bool):
        raise ConfigError(f"live is {live!r}; expected True or False")


def _hearing(
    drive: Drive, stack: ExitStack, stop: Any, progress: Any, plot: LivePlot | None, total: int | None
) -> Callable[[Generation], bool]:  # fmt: skip
    """What is told of each generation: whoever watches, and the condition that ends it."""
    shown = stack.enter_context(progress_bar("search", after=1.0, unit="sets")) if progress is None else (progress or None)
    takes_note = progress is None and shown is not None

    def heard(found: Generation) -> bool:
        count = len(drive.history)
        if shown is not None:
            if takes_note:
                shown(count, total, f"search, generation {found.number}, best {_best(drive.history):.4g}")
            else:
                shown(count, total)
        if plot is not None:
            plot.draw()
        return bool(stop(found)) if stop is not None else False

    return heard


def _best(history: History) -> float:
    """The best score of the first objective so far."""
    return max((each.best[0] for each in history.generations if each.best[0] == each.best[0]), default=float("nan"))
