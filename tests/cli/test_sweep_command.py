"""`vecbt sweep`: the best sets, files, and mistakes before any work."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import vecbt as vb
from vecbt import cli


def test_the_best_sets_are_printed_and_are_runs(vecbt_command: Any) -> None:
    done = vecbt_command("sweep", "run.yaml", "--vary", "fast=3:9:3", "--vary", "stops.hard=5%,10%", "--top", "3")
    assert done.code == 0 and done.err == "", done.err
    lines, columns = done.out.splitlines(), ["set", "fast", "stops.hard", "sharpe", "total_return", "max_drawdown", "trades"]
    assert lines[0] == "Sweep: SmaCross · AAPL" and lines[2].split() == columns and len(lines) == 6
    assert {line.split()[0] for line in lines[3:]} <= set("012345") and {line.split()[1] for line in lines[3:]} <= set("369")
    best = json.loads(vecbt_command("sweep", "run.yaml", "--vary", "fast=3:9:3", "--top", "1", "--json").out)
    alone = json.loads(vecbt_command("backtest", "run.yaml", "--json", "--set", f"strategy.parameters.fast={best[0]['fast']}").out)
    assert best[0]["sharpe"] == alone["stats"]["sharpe"] and best[0]["trades"] == alone["stats"]["trades"]


def test_files_are_written(vecbt_command: Any) -> None:
    done = vecbt_command(
        "sweep", "run.yaml", "--vary", "fast=3,5", "--vary", "slow=15,20", "--table", "lines.csv", "--plot", "map.png", "--save", "kept"
    )  # fmt: skip
    assert done.code == 0 and done.err.splitlines() == ["table: lines.csv", "plot: map.png", "saved: kept"]
    assert len(pl.read_csv("lines.csv")) == 4 and Path("map.png").read_bytes().startswith(b"\x89PNG")
    assert len(vb.Sweep.load("kept")) == 4
    assert vecbt_command("sweep", "run.yaml", "--vary", "fast=3,5", "--plot", "slices.svg", "--table", "lines.parquet").code == 0
    assert len(pl.read_parquet("lines.parquet")) == 2


def test_failed_sets_are_counted_and_named(vecbt_command: Any) -> None:
    done = vecbt_command("sweep", "run.yaml", "--vary", "fast=3,5", "--vary", "costs.commission_rate=0.001,-1")
    assert done.code == 0 and "2 sets failed, the first:" in done.out and "commission_rate" in done.out


def test_the_same_command_goes_on_from_its_checkpoint(vecbt_command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ended by Ctrl-C it prints what there is and says how to go on; then it is whole, and another sweep is refused."""
    vary = ["--vary", "fast=3,5", "--vary", "costs.commission_rate=0.001,-1"]
    whole = vecbt_command("sweep", "run.yaml", *vary, "--json").out

    def pressed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(cli, "_progress", lambda *_, **__: nullcontext(pressed))
        early = vecbt_command("sweep", "run.yaml", *vary, "--checkpoint", "kept")
    assert early.code == 0 and early.err == "ended early: lines without numbers were not run; the same command goes on from kept\n"
    assert vecbt_command("sweep", "run.yaml", *vary, "--checkpoint", "kept", "--json").out == whole
    assert vecbt_command("sweep", "run.yaml", "--vary", "fast=3", "--vary", "costs.commission_rate=-1").out.count("1 set failed") == 1
    other = vecbt_command("sweep", "run.yaml", "--vary", "fast=3,7", "--checkpoint", "kept")
    assert other.code == 2 and other.out == "" and "is of another sweep" in other.err


def test_the_section_of_the_file_is_run_and_the_command_line_goes_before_it(vecbt_command: Any) -> None:
    with Path("run.yaml").open("a") as file:
        file.write("sweep: {vary: {fast: 3:5:2, stops.hard: [5%, 10%]}, envelope: true, metrics: [sharpe], checkpoint: kept}\n")
    done = vecbt_command("sweep", "run.yaml", "--json")
    assert done.code == 0, done.err
    rows = json.loads(done.out)
    assert len(rows) == 4 and "sharpe_low" in rows[0] and Path("kept").is_dir()
    said = vecbt_command("sweep", "run.yaml", "--vary", "stops.hard=5%", "--no-envelope", "--checkpoint", "other", "--json")
    replaced = json.loads(said.out)
    assert len(replaced) == 2 and "sharpe_low" not in replaced[0]
    typed = vecbt_command("sweep", "run.yaml", "--set", "sweep=null", "--vary", "fast=3,5", "--vary", "stops.hard=5%", "--json")
    assert [row["sharpe"] for row in json.loads(typed.out)] == [row["sharpe"] for row in replaced]
    assert vecbt_command("backtest", "run.yaml").code == 0


def test_the_metrics_of_the_file_are_shown_and_what_lines_are_ranked_by_is_measured(vecbt_command: Any) -> None:
    with Path("run.yaml").open("a") as file:
        file.write("sweep: {vary: {fast: 3:5:2}, metrics: [sharpe]}\n")
    done = vecbt_command("sweep", "run.yaml")
    assert done.code == 0 and done.out.splitlines()[2].split() == ["set", "fast", "sharpe"], done.err
    done = vecbt_command("sweep", "run.yaml", "--metric", "ulcer", "--table", "lines.csv")
    assert done.code == 0 and done.out.splitlines()[2].split() == ["set", "fast", "ulcer", "sharpe"], done.err
    assert pl.read_csv("lines.csv").columns == ["set", "fast", "sharpe", "ulcer", "error"]


def test_the_report_is_written(vecbt_command: Any) -> None:
    done = vecbt_command("sweep", "run.yaml", "--vary", "fast=3,5", "--envelope", "--metric", "sharpe_low", "--report", "sweep.html")
    shown = next(line.split() for line in done.out.splitlines() if line.split()[:1] == ["set"])
    assert shown == ["set", "fast", "sharpe_low", "total_return", "sharpe", "max_drawdown", "trades", "fragility"]
    assert done.code == 0 and done.err == "report: sweep.html\n", done.err
    page = Path("sweep.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>") and "Sharpe ratio, low end" in page and "<h2>Envelope</h2>" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "run.yaml: nothing varies; give --vary NAME=VALUES, or a section `sweep`"),
        (["--vary", "fast=3,5", "--metric", "sharpe_low"], "envelope=True"),
        (["--vary", "fast=3,5", "--report", "no/sweep.html"], "there is no folder"),
        (["--vary", "fats=3,5"], "nothing is called 'fats'; did you mean 'fast'"),
        (["--vary", "fast=3,5", "--metric", "sharp"], "did you mean 'sharpe'"),
        (["--vary", "fast=1:9:0"], "a step above 0"),
        (["--vary", "fast=1:19", "--max-sets", "4"], "more than 4"),
        (["--vary", "fast=3,5", "--table", "lines.txt"], r"ends in .csv or .parquet"),
        (["--vary", "fast=3,5", "--plot", "no/map.png"], "there is no folder"),
        (["--vary", "fast=30,50"], "exclude"),
    ],
)
def test_mistakes_are_told_before_any_work(vecbt_command: Any, arguments: list[str], message: str) -> None:
    done = vecbt_command("sweep", "run.yaml", *arguments)
    assert done.code == 2 and done.out == "" and message in done.err, done.err
