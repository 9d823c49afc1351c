"""`vecbt ledger`: what was tried on which data, where that is kept, and whether it is whole."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from ._terminal import FAILED, plain
from ._terminal import show as _print

__all__ = ["ledger_app"]

ledger_app = typer.Typer(
    help="Show the trial ledger: every configuration that was evaluated, by data set.",
    epilog="Exit codes: 0 done; 1 the ledger is damaged; 2 a mistake in the arguments, or a ledger that cannot be read.",
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@ledger_app.callback(invoke_without_command=True)
def show(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the trial ledger: where it is, and for each data set how many configurations were tried, and the best of them."""
    from . import ledger
    from .ledger.place import why_off

    if context.invoked_subcommand is not None:
        return
    if not as_json:
        _print(ledger.show())
        return
    found = [] if why_off() else ledger.summary()
    data = [row | {name: plain(row[name]) for name in ("sharpe", "sharpe_annual")} for row in found]
    report = {"path": str(ledger.path()), "off": why_off(), "head": ledger.head(), "data": data}
    _print(json.dumps(report, indent=2, allow_nan=False))


@ledger_app.command()
def path() -> None:
    """Print where the ledger is, whether it is there yet or not."""
    from . import ledger

    _print(str(ledger.path()))


@ledger_app.command()
def verify(
    head: Annotated[str | None, typer.Option(metavar="HASH", help="The hash a report carries: is what was there then there still?")] = None,
    file: Annotated[Path | None, typer.Option(help="Another ledger than that in force.")] = None,
    as_json: AsJson = False,
) -> None:
    """Read all of the ledger and compare each record with its hash, and with the one before."""
    from . import ledger

    report = ledger.verify(head, file)
    _print(json.dumps(dataclasses.asdict(report), indent=2) if as_json else str(report))
    if not report.ok:
        raise typer.Exit(FAILED)
