"""Walk-forwards on the command line: `vecbt walk-forward`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._progress import progress_bar
from ._terminal import say, show, writable, writing

if TYPE_CHECKING:
    from .optimize.walk_result import WalkForward

__all__ = ["add_walk_commands"]

_PICTURES = (".png", ".svg", ".pdf")
_REPORTS = (".html", ".htm", ".pdf", ".png")
_EPILOG = "Exit codes: 0 done; 2 a mistake in the run file, the data or the arguments, or windows that do not fit the bars."
_SHOWN = ("adopted", "in_sample", "out_of_sample", "out_return", "trades")
_Window = Annotated[str, typer.Option(metavar="LENGTH", help="Bars, as in 504, or time, as in 90D.")]


def add_walk_commands(app: typer.Typer) -> None:
    """Add the command to an app."""

    @app.command(name="walk-forward", epilog=_EPILOG)
    def walk(
        config: Annotated[Path, typer.Argument(metavar="CONFIG", help="Run file; its section `optimize` has space, objective and method.")],
        train: _Window,
        test: _Window,
        settings: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Set a key for this run.")] = None,
        *,
        step: Annotated[str | None, typer.Option(metavar="LENGTH", help="How far windows move; left out, by a test.")] = None,
        purge: Annotated[str | None, typer.Option(metavar="LENGTH", help="Left out before a test; else holding times say it.")] = None,
        embargo: Annotated[str, typer.Option(metavar="LENGTH", help="Left out beyond the purge.")] = "0",
        anchored: Annotated[bool, typer.Option("--anchored", help="Training always begins at the first bar.")] = False,
        carry: Annotated[bool, typer.Option("--carry", help="Carry positions over joins in place of closing them.")] = False,
        threshold: Annotated[float | None, typer.Option(min=0, help="New parameters must be better by this share, in validation.")] = None,
        min_observations: Annotated[int | None, typer.Option(min=1, help="Refuse training windows of fewer bars.")] = None,
        resume: Annotated[
            Path | None, typer.Option("--resume", "--checkpoint", metavar="FOLDER", help="Keep the searches here, and go on from there.")
        ] = None,
        table: Annotated[Path | None, typer.Option(help="Write the folds here: csv or parquet.")] = None,
        plot: Annotated[Path | None, typer.Option(help="Draw equity with fold marks: png, svg or pdf.")] = None,
        report: Annotated[Path | None, typer.Option(help="Write the report of the stitched account: html, pdf or png.")] = None,
        save: Annotated[Path | None, typer.Option(help="Save in this folder, for WalkForward.load.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print the folds as JSON.")] = False,
    ) -> None:
        """Choose parameters on training windows, trade them on the bars after, and print folds and the stitched account."""
        from .config import load_run
        from .config.optimizing import walk_of
        from .optimize.walk_forward import walk_forward

        run = load_run(config, settings or ())
        for path, name, endings in (
            (table, "table", (".csv", ".parquet")), (plot, "plot", _PICTURES), (report, "report", _REPORTS),
        ):  # fmt: skip
            writable(path, name, endings)
        strategy, keywords = run.strategy(), run.keywords()
        keywords.pop("audit", None)  # of a single run
        wishes = walk_of(run, strategy, keywords, {"checkpoint": resume})
        with progress_bar("walk-forward", unit="sets") as shown:
            found = walk_forward(
                run.bars(), strategy, train=_length(train), test=_length(test), step=_length(step), purge=_length(purge),
                embargo=_length(embargo), anchored=anchored, flatten=not carry, improvement_threshold=threshold,
                min_observations=min_observations, progress=shown or False, **wishes, **keywords,
            )  # fmt: skip
        show(found.folds.write_json() if as_json else _folds(found))
        with writing():
            _write(found, table, plot, report, save)


def _length(given: str | None) -> Any:
    """Bars where it is a number, else a time."""
    return int(given) if given is not None and given.strip().isdigit() else given


def _write(found: WalkForward, table: Path | None, plot: Path | None, report: Path | None, save: Path | None) -> None:
    """The files that were asked for."""
    if table is not None:
        found.folds.write_csv(table) if table.suffix.lower() == ".csv" else found.folds.write_parquet(table)
        say(f"table: {table}")
    if plot is not None:
        found.plot_equity(plot)
        say(f"plot: {plot}")
    if report is not None:
        say(f"report: {found.result.report(report)}")
    if save is not None:
        say(f"saved: {found.save(save)}")


def _folds(found: WalkForward) -> str:
    """The folds as aligned text, under what came of them."""
    columns = ["fold", "tested from", "to", "purge", *found.parameters, *_SHOWN]
    rows = []
    for row in found.folds.to_dicts():
        values = [row[f"parameter.{name}"] if f"parameter.{name}" in row else row[name] for name in found.parameters]
        ends = [f"{row[name]:%Y-%m-%d}" for name in ("test_start", "test_end")]
        rows.append([_cell(v) for v in (row["fold"], *ends, row["purge"], *values, *(row[name] for name in _SHOWN))])
    widths = [max(len(line[k]) for line in (columns, *rows)) for k in range(len(columns))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in (columns, *rows)]
    return "\n".join([repr(found), "", *lines])


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
