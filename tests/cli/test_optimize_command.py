"""`vecbt optimize`: what it prints, what it writes, how it goes on, and mistakes before any work."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import vecbt as vb
from vecbt import cli_optimize

SECTION = """\
optimize:
  space: {fast: '2:8', slow: '9:30'}
  objective: total_return
  population: 6
  generations: 3
  seed: 4
  threads: 1
"""


@pytest.fixture
def optimize(vecbt_command: Any) -> Any:
    """The command on a run file with a section."""
    with Path("run.yaml").open("a", encoding="utf-8") as file:
        file.write(SECTION)
    return lambda *arguments: vecbt_command("optimize", "run.yaml", *arguments)


def test_opt04_the_best_sets_are_printed_and_are_runs(optimize: Any, vecbt_command: Any) -> None:
    done = optimize("--top", "3")
    assert done.code == 0 and done.err == "", done.err
    lines = done.out.splitlines()
    assert lines[0] == "Search: SmaCross · AAPL" and "objective: total_return [fraction]" in done.out
    assert lines[-4].split() == ["set", "fast", "slow", "score", "total_return", "sharpe", "max_drawdown", "trades"]
    best = json.loads(optimize("--top", "1", "--json").out)[0]
    settings = [f"--set=strategy.parameters.{name}={best[name]}" for name in ("fast", "slow")]
    alone = json.loads(vecbt_command("backtest", "run.yaml", "--json", *settings).out)
    assert best["score"] == best["total_return"] == alone["stats"]["total_return"]


def test_opt04_files_are_written(optimize: Any) -> None:
    wanted = ("--table", "sets.csv", "--plot", "scores.png", "--front", "front.svg", "--report", "best.html", "--save", "kept")
    done = optimize(*wanted, "--set", "optimize.objective=[total_return, max_drawdown]")
    assert done.code == 0, done.err
    assert done.err.splitlines() == ["table: sets.csv", "plot: scores.png", "front: front.svg", "report: best.html", "saved: kept"]
    assert Path("scores.png").read_bytes().startswith(b"\x89PNG") and "<svg" in Path("front.svg").read_text()
    assert "<html" in Path("best.html").read_text()
    assert len(pl.read_csv("sets.csv")) == len(vb.Search.load("kept"))


def test_opt01_the_same_command_goes_on_where_it_was_ended(optimize: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = optimize("--json").out

    def pressed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(cli_optimize, "progress_bar", lambda *_, **__: nullcontext(pressed))
        early = optimize("--resume", "kept")
    assert early.code == 0 and early.err == "ended early; the same command goes on from kept\n"
    assert optimize("--resume", "kept", "--json").out == whole
    other = optimize("--resume", "kept", "--seed", "5")
    assert other.code == 2 and other.out == "" and "what differs there is: seed" in other.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--plot", "scores.txt"), "plot is 'scores.txt'"),
        (("--table", "nowhere/sets.csv"), "no folder"),
        (("--set", "optimize.space.fats=2:8"), "optimize.space.fats"),
        (("--set", "optimize.method=genes"), "genes"),
        (("--max-sets", "2"), "the first generation has"),
    ],
)
def test_opt04_mistakes_end_with_two_before_anything_is_written(optimize: Any, arguments: tuple[str, ...], said: str) -> None:
    done = optimize(*arguments)
    assert done.code == 2 and done.out == "" and said in done.err, done.err
