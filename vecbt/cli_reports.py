"""Commands on saved results: `vecbt report` and `vecbt compare`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from ._terminal import say, show
from .errors import ConfigError

__all__ = ["add_report_commands"]

_FOLDER = "What `vecbt backtest --save` or Result.save wrote."
_EPILOG = "Exit codes: 0 done; 2 a folder that holds no saved result, or a mistake in the arguments."


def add_report_commands(app: typer.Typer) -> None:
    """Add both commands to an app."""

    @app.command(epilog=_EPILOG)
    def report(
        folder: Annotated[Path, typer.Argument(metavar="FOLDER", help=_FOLDER)],
        file: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write it here: html, pdf or png.")] = None,
        symbol: Annotated[str | None, typer.Option(help="The asset whose prices and fills are drawn.")] = None,
        log: Annotated[bool, typer.Option("--log", help="Equity on a logarithmic axis.")] = False,
    ) -> None:
        """Write the tear sheet of a saved result; without --out print it as text. Nothing is run again."""
        if file is not None:
            _check(file)
        from .analytics.saved import load_result

        result = load_result(folder)
        if file is None:
            show(result.report_text(symbol=symbol).rstrip("\n"))
        else:
            say(f"report: {_written(lambda: result.report(file, log=log, symbol=symbol))}")

    @app.command(epilog=_EPILOG)
    def compare(
        folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help=f"Two and more. {_FOLDER}")],
        name: Annotated[list[str] | None, typer.Option(help="A name for each, in order; else the folders'. Repeatable.")] = None,
        file: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the HTML report here.")] = None,
        plot: Annotated[Path | None, typer.Option(help="Write the picture here: png, svg or pdf.")] = None,
        log: Annotated[bool, typer.Option("--log", help="Growth on a logarithmic axis.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    ) -> None:
        """Print statistics of saved results beside each other, over the dates that all of them have."""
        for path in (file, plot):
            _folder(path)
        from .analytics.comparison import compare as beside
        from .analytics.saved import load_result

        found = beside([load_result(folder) for folder in folders], name or _names(folders))
        if as_json:
            table = {run: {key: None if v != v else v for key, v in column.items()} for run, column in found.table.to_dict().items()}
            show(json.dumps({"note": found.note, "table": table}, indent=2))
        else:
            show(found.to_text())
        if file is not None:
            say(f"report: {_written(lambda: found.report(file, log=log))}")
        if plot is not None:
            _written(lambda: found.plot(plot, log=log))
            say(f"plot: {plot}")


def _check(path: Path) -> None:
    """Refuse what cannot be written, before anything is loaded."""
    from .analytics.sheet_file import report_form

    report_form(path)
    _folder(path)


def _folder(path: Path | None) -> None:
    if path is not None and not path.parent.is_dir():
        raise ConfigError(f"{str(path)!r} is to be written, but there is no folder {str(path.parent)!r}; make it first")


def _names(folders: list[Path]) -> list[str]:
    """The last parts of the folders, where they tell them apart; else the whole."""
    short = [folder.resolve().name for folder in folders]
    return short if len(set(short)) == len(short) else [str(folder) for folder in folders]


def _written(write: Callable[[], Any]) -> Any:
    """A file that cannot be written is the user's to mend."""
    try:
        return write()
    except OSError as error:
        raise ConfigError(f"{error.filename} cannot be written: {error.strerror}") from error
