"""`vecbt walk-forward`: what it prints and writes, and mistakes before any work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from vecbt.optimize.walk_result import WalkForward

SECTION = """\
optimize:
  space: {fast: [2, 4], slow: '9:11'}
  objective: total_return
  threads: 1
"""
WINDOWS = ("--train", "60", "--test", "40D", "--purge", "3")


@pytest.fixture
def walk(vecbt_command: Any) -> Any:
    """The command on a run file with a section."""
    with Path("run.yaml").open("a", encoding="utf-8") as file:
        file.write(SECTION)
    return lambda *arguments: vecbt_command("walk-forward", "run.yaml", *arguments)


def test_opt02_folds_are_printed_and_files_written(walk: Any) -> None:
    done = walk(*WINDOWS, "--table", "folds.csv", "--plot", "equity.png", "--report", "account.html", "--save", "kept")
    assert done.code == 0, done.err
    assert done.out.startswith("WalkForward: SmaCross")
    head = next(line for line in done.out.splitlines() if "tested from" in line).split()
    assert head[:7] == ["fold", "tested", "from", "to", "purge", "fast", "slow"]
    assert head[7:] == ["adopted", "in_sample", "out_of_sample", "out_return", "trades"]
    table, kept = pl.read_csv("folds.csv"), WalkForward.load("kept")
    assert len(table) == len(kept) > 1
    assert set(table["fast"]) <= {2, 4}
    assert set(table["slow"]) <= {9, 10, 11}
    assert Path("equity.png").stat().st_size > 5_000
    assert "<html" in Path("account.html").read_text(encoding="utf-8")[:200].lower()
    rows = json.loads(walk(*WINDOWS, "--json").out)
    assert [row["in_sample"] for row in rows] == kept.folds["in_sample"].to_list()


def test_opt02_mistakes_are_told_with_exit_code_2(walk: Any) -> None:
    for arguments, said in (
        (("--train", "100000", "--test", "40"), "need 100,040 bars"),
        (("--train", "60", "--test", "40", "--step", "20"), "test windows would overlap"),
        (("--train", "60 dogs", "--test", "40"), "expected bars (252), or a time"),
        ((*WINDOWS, "--min-observations", "1000"), "min_observations is 1,000"),
        ((*WINDOWS, "--set", "optimize.max_sets=5"), "max_sets ends one search"),
        ((*WINDOWS, "--plot", "equity.txt"), "equity.txt"),
    ):
        done = walk(*arguments)
        assert done.code == 2, done.out
        assert said in " ".join(done.err.split()), done.err
