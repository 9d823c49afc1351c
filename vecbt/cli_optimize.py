"""Searches on the command line: `vecbt optimize`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._progress import progress_bar
from ._terminal import say, show, writable, writing

if TYPE_CHECKING:
    from .optimize.searched import Search

__all__ = ["add_optimize_commands"]

_PICTURES = (".png", ".svg", ".pdf")
_REPORTS = (".html", ".htm", ".pdf", ".png")
_EPILOG = "Exit codes: 0 done; 2 a mistake in the run file, the data or the arguments, or a folder of another search."


def add_optimize_commands(app: typer.Typer) -> None:
    """Add the command to an app."""

    @app.command(epilog=_EPILOG)
    def optimize(
        config: Annotated[Path, typer.Argument(metavar="CONFIG", help="Run file with a section `optimize`.")],
        settings: Annotated[
            list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Set a key for this run, as in optimize.seed=1. Repeatable.")
        ] = None,
        *,
        top: Annotated[int, typer.Option(min=1, help="How many sets are printed; of several objectives so many of the front.")] = 10,
        seed: Annotated[int | None, typer.Option(min=0, help="Of all that is drawn.")] = None,
        max_sets: Annotated[int | None, typer.Option(min=1, help="Stop before more distinct sets than this are evaluated.")] = None,
        resume: Annotated[
            Path | None,
            typer.Option(
                "--resume", "--checkpoint", metavar="FOLDER", help="Keep the search here; the same command then goes on where it was ended."
            ),
        ] = None,
        table: Annotated[Path | None, typer.Option(help="Write all sets here: csv or parquet.")] = None,
        plot: Annotated[Path | None, typer.Option(help="Draw the scores over generations: png, svg or pdf.")] = None,
        front: Annotated[Path | None, typer.Option(help="Draw two objectives and their front: png, svg or pdf.")] = None,
        report: Annotated[Path | None, typer.Option(help="Write the report of the best set's run: html, pdf or png.")] = None,
        save: Annotated[Path | None, typer.Option(help="Save the search in this folder, for Search.load.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    ) -> None:
        """Search the parameters that the section `optimize` of a run file names, and print the best sets."""
        from .config import load_run
        from .config.optimizing import optimize_of
        from .optimize.search import search

        run = load_run(config, settings or ())
        for path, name, endings in (
            (table, "table", (".csv", ".parquet")), (plot, "plot", _PICTURES), (front, "front", _PICTURES), (report, "report", _REPORTS),
        ):  # fmt: skip
            writable(path, name, endings)
        strategy, keywords = run.strategy(), run.keywords()
        keywords.pop("audit", None)  # of a single run
        given = {"seed": seed, "max_sets": max_sets, "checkpoint": resume}
        wishes = optimize_of(run, strategy, keywords, given)
        with progress_bar("searching", unit="sets") as shown:
            found = search(run.bars(), strategy, progress=shown or False, **wishes, **keywords)
        if found.partial:
            kept = f"; the same command goes on from {wishes['checkpoint']}" if "checkpoint" in wishes else ""
            say(f"ended early{kept}")
        several = found.scores.shape[1] > 1
        best = found.front().head(top) if several else found.top(top)
        show(best.write_json() if as_json else _best(found, best))
        with writing():
            _write(found, table, plot, front, report, save)


def _write(found: Search, table: Path | None, plot: Path | None, front: Path | None, report: Path | None, save: Path | None) -> None:
    """The files that were asked for."""
    if table is not None:
        found.table.write_csv(table) if table.suffix.lower() == ".csv" else found.table.write_parquet(table)
        say(f"table: {table}")
    if plot is not None:
        found.plot_convergence(plot)
        say(f"plot: {plot}")
    if front is not None:
        found.plot_front(path=front)
        say(f"front: {front}")
    if report is not None:
        say(f"report: {found.backtest(found.best()['set']).report(report)}")
    if save is not None:
        say(f"saved: {found.save(save)}")


def _best(found: Search, best: Any) -> str:
    """The best sets as aligned text, under what was searched."""
    from .analytics.statistics import write
    from .analytics.sweep_lines import METRICS, statistic

    shown = ("total_return", "sharpe", "max_drawdown", "trades")
    columns = [*(name for name in best.columns if name not in (*METRICS, "generation")), *shown]
    kinds = {name: statistic(name).kind for name in shown}
    rows = [[_cell(write, kinds.get(name, ""), row[name]) for name in columns] for row in best.to_dicts()]
    widths = [max(len(line[k]) for line in (columns, *rows)) for k in range(len(columns))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in (columns, *rows)]
    return "\n".join([repr(found), "", *lines])


def _cell(write: Any, kind: str, value: Any) -> str:
    if kind:
        return str(write(kind, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)
