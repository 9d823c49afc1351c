"""The command line; `vecbt --help` lists its commands. Searches are in `cli_optimize`, saved results in `cli_reports`, the
ledger in `cli_ledger`.

Results go to stdout, messages to stderr. Nothing heavy is imported before a command needs it, so help is quick.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from ._progress import progress_bar as _progress
from ._terminal import FAILED, MISTAKE, writable, writing
from ._terminal import plain as _plain
from ._terminal import say as _say
from ._terminal import show as _print
from .cli_ledger import ledger_app
from .cli_optimize import add_optimize_commands
from .cli_reports import add_report_commands
from .cli_walk import add_walk_commands
from .errors import AuditError, ConfigError, ParityError, VecbtError, counted

if TYPE_CHECKING:
    from .analytics.result import Result
    from .analytics.sweep import Sweep
    from .config import RunFile

__all__ = ["app", "main"]

_PICTURES = (".png", ".svg", ".pdf")
_REPORTS = (".html", ".htm", ".pdf", ".png")
_EXIT_CODES = (
    "Exit codes: 0 done; 1 a run failed its audit, a replay its parity, a strategy its check, or a saved result its verification; "
    "2 a mistake in the run file, the data or the arguments."
)

app = typer.Typer(
    help="Vectorized backtesting whose batch run and bar-by-bar replay agree to the last bit.",
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(ledger_app, name="ledger")

RunPath = Annotated[Path, typer.Argument(metavar="CONFIG", help="Run file in YAML, JSON or TOML; `vecbt init` writes an example.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Set a key for this run, as in costs.slippage_bps=5. Repeatable.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def main() -> None:
    """Entry of the `vecbt` command: mistakes of the user become one message and an exit code, anything else is raised."""
    try:
        with _plain_warnings():
            app()
    except (AuditError, ParityError) as error:
        _stop(error, FAILED)
    except VecbtError as error:
        _stop(error, MISTAKE)


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """What a run file's user is told is a line of its own, without the place in this package it comes from."""
    plain = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if category is UserWarning:
            _say(f"warning: {' '.join(str(message).split())}")
        else:
            plain(message, category, *where, **more)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = plain


def _stop(error: Exception, code: int) -> NoReturn:
    _say(f"error: {error}")
    sys.exit(code)


def _version(wanted: bool) -> None:
    if wanted:
        from . import __version__

        _print(f"vecbt {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Vectorized backtesting whose batch run and bar-by-bar replay agree to the last bit."""


@app.command(epilog=_EXIT_CODES)
def backtest(
    config: RunPath,
    settings: Settings = None,
    report: Annotated[Path | None, typer.Option(help="Write the report here: html, pdf or png.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Write the picture here: png, svg or pdf.")] = None,
    save: Annotated[Path | None, typer.Option(help="Save the result in this folder, for `vecbt verify`.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="With --save: replace a saved result that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Simulate a run file and print its statistics."""
    from .config import load_run

    run = load_run(config, settings or ())
    report, plot = _target(report, run, "report"), _target(plot, run, "plot")
    if save is not None:
        _check_folder(save, overwrite)
    result = _simulate(run)
    _print(json.dumps(_as_json(result), indent=2) if as_json else _table(result))
    with writing():
        if report is not None:
            _say(f"report: {result.report(report)}")
        if plot is not None:
            result.plot(plot)
            _say(f"plot: {plot}")
        if save is not None:
            _say(f"saved: {result.save(save, overwrite=overwrite)}; next: vecbt verify {save}")


@app.command(epilog=_EXIT_CODES)
def sweep(
    config: RunPath,
    vary: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUES", help="fast=5:50:5, slow=20,50,100 or stops.hard=5%,10%. Repeatable; all combinations are run."),
    ] = None,
    settings: Settings = None,
    *,
    metric: Annotated[str, typer.Option(help="What the best sets are chosen by.")] = "sharpe",
    top: Annotated[int, typer.Option(min=1, help="How many are printed.")] = 10,
    max_sets: Annotated[int | None, typer.Option(min=1, help="Refuse more sets than this.")] = None,
    envelope: Annotated[
        bool | None, typer.Option("--envelope/--no-envelope", help="Run each set under both intrabar rules; takes twice as long.")
    ] = None,
    table: Annotated[Path | None, typer.Option(help="Write all lines here: csv or parquet.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the metric over the first two parameters: png, svg or pdf.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the HTML report here.")] = None,
    save: Annotated[Path | None, typer.Option(help="Save the sweep in this folder, for Sweep.load.")] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Keep finished lines here; the same command then goes on where it was ended.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a run file with many parameter sets and print the best: what its section `sweep` and --vary say."""
    from .analytics.sweep_lines import ENVELOPE, METRICS, checked_metrics
    from .api import sweep as run_sweep
    from .config import load_run
    from .config.sweeps import sweep_of

    run = load_run(config, settings or ())
    plot, report = writable(plot, "plot", _PICTURES), writable(report, "report", ())
    table = writable(table, "table", (".csv", ".parquet"))
    strategy, keywords = run.strategy(), run.keywords()
    keywords.pop("audit", None)  # of a single run
    given = {"max_sets": max_sets, "envelope": envelope, "checkpoint": checkpoint}
    wishes = sweep_of(run, strategy, keywords, vary or (), given)
    checked_metrics([metric], (*METRICS, *ENVELOPE) if wishes.get("envelope") else METRICS)
    if metric in METRICS and metric not in (named := wishes.get("metrics") or METRICS):
        wishes["metrics"] = [*named, metric]  # what the lines are ranked by is measured
    with _progress("sweeping", unit="sets") as progress:
        found = run_sweep(run.bars(), strategy, progress=progress or False, **wishes, **keywords)
    if found.partial:
        kept = f"; the same command goes on from {wishes['checkpoint']}" if "checkpoint" in wishes else ""
        _say(f"ended early: lines without numbers were not run{kept}")
    best = found.top(top, metric)
    _print(best.write_json() if as_json else _best(found, best, metric))
    with writing():
        if table is not None:
            found.table.write_csv(table) if table.suffix.lower() == ".csv" else found.table.write_parquet(table)
            _say(f"table: {table}")
        if plot is not None:
            first, *more = found.parameters
            found.heatmap(first, more[0], metric, path=plot) if more else found.slices(metric, path=plot)
            _say(f"plot: {plot}")
        if report is not None:
            _say(f"report: {found.report(report, metric=metric)}")
        if save is not None:
            _say(f"saved: {found.save(save)}")


@app.command(
    epilog="Exit codes: 0 no errors (with --strict: no warnings either); 1 findings that count; 2 a file that cannot be read.",
)
def check(
    config: RunPath,
    settings: Settings = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail too.")] = False,
    without_data: Annotated[bool, typer.Option("--no-data", help="Load neither prices nor the strategy's rows.")] = False,
    as_json: AsJson = False,
) -> None:
    """Find unit mistakes, contradictions and limits that can never bind in a run file, before anything is run."""
    from .config.lint import check_config, counted

    findings = check_config(config, settings or (), data=not without_data)
    counts = counted(findings)
    ok = not (counts["error"] or (strict and counts["warning"]))
    if as_json:
        listed = [finding.to_dict() for finding in findings]
        _print(json.dumps({"file": str(config), "ok": ok, "counts": counts, "findings": listed}, indent=2))
    else:
        summary = ", ".join(f"{n} {name}{'' if n == 1 else 's'}" for name, n in counts.items() if n) or "no findings"
        _print("\n\n".join([*map(str, findings), f"{config}: {summary}"]))
    if not ok:
        raise typer.Exit(FAILED)


@app.command(epilog=_EXIT_CODES)
def replay(config: RunPath, settings: Settings = None, as_json: AsJson = False) -> None:
    """Replay a run file bar by bar, with save, kill and restore, and print the parity certificate."""
    from .api import check_parity
    from .config import load_run

    run = load_run(config, settings or ())
    bars, strategy, keywords = run.bars(), run.strategy(), run.keywords()
    keywords.pop("audit", None)  # of a backtest only: the replay compares all state at each bar
    with _progress("replaying") as progress:
        certificate = check_parity(bars, strategy, progress=progress, **keywords)
    _print(json.dumps(dataclasses.asdict(certificate), indent=2) if as_json else str(certificate))
    if not certificate.ok:
        raise typer.Exit(FAILED)


@app.command(name="check-strategy", epilog=_EXIT_CODES)
def check_strategy(
    target: Annotated[
        str,
        typer.Argument(metavar="NAME_OR_FILE", help="A run file; SmaCross and the like; module:Name; or file.py:Name, whose code is run."),
    ],
    data: Annotated[
        str | None, typer.Option(metavar="FILE", help="Prices: CSV, Parquet or a bundled sample (us_daily). A run file has its own.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A parameter, or a key of the run file. Repeatable.")
    ] = None,
    thorough: Annotated[bool, typer.Option("--thorough", help="Cut after every bar; time grows with the square of their number.")] = False,
    seed: Annotated[int, typer.Option(help="Of the cuts, the noise and the restarts.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Show that a strategy uses no later bar, streams and restores, or name the first bar that looks ahead."""
    from .api import check_strategy as run_check
    from .config.target import load_target

    found = load_target(target, settings or (), data)
    with _progress("checking") as progress:
        report = run_check(
            found.strategy, found.bars, thorough=True if thorough else None, seed=seed, settings=found.settings, progress=progress
        )
    _print(json.dumps(dataclasses.asdict(report), indent=2) if as_json else str(report))
    if not report.ok:
        raise typer.Exit(FAILED)


@app.command(epilog=_EXIT_CODES)
def verify(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What `vecbt backtest --save` or Result.save wrote.")],
    inputs: Annotated[bool, typer.Option("--inputs", help="Import no strategy: run the saved inputs.")] = False,
    path: Annotated[list[Path] | None, typer.Option(help="Look for the strategy's module in this folder first. Repeatable.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run a saved result again and compare every number; the strategy it names is imported, which runs its module."""
    from .analytics.saved import verify as run_again

    with _progress("running it again"):
        found = run_again(folder, inputs_only=inputs, path=path or ())
    _print(json.dumps(dataclasses.asdict(found), indent=2) if as_json else str(found))
    if not found.ok:
        raise typer.Exit(FAILED)


@app.command(epilog=_EXIT_CODES)
def schema() -> None:
    """Print the JSON schema of run files: every key, its type, range, default and meaning."""
    from .config import run_schema

    _print(json.dumps(run_schema(), indent=2))


@app.command(epilog=_EXIT_CODES)
def init(
    file: Annotated[Path, typer.Argument(metavar="[FILE]", help="Where to write it.")] = Path("run.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
) -> None:
    """Write a commented run file that runs as it is, on the bundled prices."""
    from .config.example import EXAMPLE

    if file.exists() and not force:
        raise ConfigError(f"{file} is there already and was left alone; give another name, or --force to overwrite it")
    with writing():
        file.write_text(EXAMPLE, encoding="utf-8")
    _say(f"wrote {file}; next: vecbt backtest {file}")


@app.command(epilog=_EXIT_CODES)
def strategies(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Show this one whole.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the strategies that a run file can name, with their parameters; those of other packages are imported when shown whole."""
    from .config.catalog import describe_strategy, list_strategies

    _print(_listed(list_strategies, describe_strategy, name, as_json))


@app.command(epilog=_EXIT_CODES)
def indicators(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Show this one whole.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the indicators, with what they read, what they give and their parameters."""
    from .config.catalog import describe_indicator, list_indicators

    _print(_listed(list_indicators, describe_indicator, name, as_json))


def _listed(every: Callable[[], list[dict[str, Any]]], one: Callable[[str], dict[str, Any]], name: str | None, as_json: bool) -> str:
    """All entries of a catalog or one of them, as text or JSON."""
    from .config.catalog import summary_text, whole_text

    found = every() if name is None else one(name)
    if as_json:
        return json.dumps(found, indent=2)
    return summary_text(found) if isinstance(found, list) else whole_text(found)


add_optimize_commands(app)
add_walk_commands(app)
add_report_commands(app)


def _simulate(run: RunFile) -> Result:
    from .api import backtest as simulate

    bars, strategy, keywords = run.bars(), run.strategy(), run.keywords()
    with _progress("simulating (a first run compiles for a while)"):  # one compiled call: the bar moves, but cannot know how far the run is
        return simulate(bars, strategy, **keywords)


def _target(given: Path | None, run: RunFile, name: str) -> Path | None:
    """Where a file goes, known to be writable before the work begins: the option wins over the run file."""
    output = getattr(run.config.output, name) if run.config.output is not None else None
    path = given if given is not None else (run.path_of(output) if output is not None else None)
    return writable(path, name, _PICTURES if name == "plot" else _REPORTS)


def _check_folder(folder: Path, overwrite: bool) -> None:
    """Say before the work begins that a result cannot be saved there."""
    from .analytics.saved.folder import check_target

    check_target(folder, overwrite)


def _columns(result: Result) -> dict[str, dict[str, Any]]:
    """Statistics per account: one called `account`, or one per symbol."""
    stats = result.stats()
    return {"account": stats.to_dict()} if stats.ndim == 1 else {str(name): column.to_dict() for name, column in stats.items()}


def _table(result: Result) -> str:
    """Statistics as aligned text, a column per account."""
    from .analytics.statistics import STATISTICS, write

    accounts = _columns(result)
    rows = [
        [row.name, *(_day(v[row.name]) if row.kind == "time" else write(row.kind, v[row.name]) for v in accounts.values())]
        for row in STATISTICS
    ]
    if len(accounts) > 1:
        rows.insert(0, ["", *accounts])
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = ["  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))]) for row in rows]
    return "\n".join([result.title, "", *lines])


def _best(found: Sweep, best: Any, metric: str) -> str:
    """The best lines as aligned text, and what became of the others."""
    from .analytics.statistics import write
    from .analytics.sweep_lines import ENVELOPE, FRAGILITY, METRICS, statistic

    named = [name for name in found.metrics if name in METRICS]
    few = ("total_return", "sharpe", "max_drawdown", "trades") if len(named) == len(METRICS) else named
    shown = [name for name in few if name != metric]
    if FRAGILITY in best.columns:
        ends = (f"{metric}_low", f"{metric}_high")
        shown = [*(name for name in ends if name in best.columns), *shown, *([FRAGILITY] if metric != FRAGILITY else [])]
    columns = [*(name for name in best.columns if name not in (*METRICS, *ENVELOPE, "error")), metric, *shown]
    kinds = {name: statistic(name).kind for name in (metric, *shown)}
    unknown = float("nan")  # of a set that failed
    rows = [
        [write(kinds[c], unknown if row[c] is None else row[c]) if c in kinds else str(row[c]) for c in columns] for row in best.to_dicts()
    ]
    widths = [max(len(line[k]) for line in (columns, *rows)) for k in range(len(columns))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in (columns, *rows)]
    failed = [f"set {c}: {text}" for c, text in sorted(found.errors.items())[:3]]
    more = [f"{counted(len(found.errors), 'set')} failed, the first:", *failed] if failed else []
    return "\n".join([f"{found!r}".splitlines()[0], "", *lines, *(["", *more] if more else [])])


def _day(stamp: Any) -> str:
    from .data.labels import label_text

    return label_text(int(stamp.value))


def _as_json(result: Result) -> dict[str, Any]:
    """Statistics and every assumption in force; undefined statistics are null."""
    accounts = {name: {key: _plain(value) for key, value in column.items()} for name, column in _columns(result).items()}
    return {
        "title": result.title,
        "stats": accounts["account"] if list(accounts) == ["account"] else accounts,
        "assumptions": result.assumptions().to_dict(orient="records"),
    }


if __name__ == "__main__":
    main()
