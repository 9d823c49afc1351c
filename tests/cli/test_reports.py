"""`vecbt report` and `vecbt compare`: what they print and write of saved results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def saved(vecbt_command: Any) -> Any:
    """The command, with two saved results in `a` and `b`."""
    for name, fast in (("a", 5), ("b", 10)):
        assert vecbt_command("backtest", "run.yaml", "--set", f"strategy.parameters.fast={fast}", "--save", name).code == 0
    return vecbt_command


def test_report_prints_text_or_writes_a_file(saved: Any) -> None:
    done = saved("report", "a")
    assert done.code == 0 and done.err == "" and done.out.startswith("SmaCross · AAPL\n") and "RETURNS BY MONTH, %" in done.out
    done = saved("report", "a", "--out", "a.html", "--symbol", "AAPL", "--log")
    assert done.code == 0 and done.out == "" and "report: a.html" in done.err
    assert "Content-Security-Policy" in Path("a.html").read_text(encoding="utf-8")


def test_compare_prints_a_table_and_writes_files(saved: Any) -> None:
    done = saved("compare", "a", "b", "--out", "c.html", "--plot", "c.png")
    assert done.code == 0 and "report: c.html" in done.err and "plot: c.png" in done.err
    assert done.out.startswith("Compared from 2001-01-02 to 2001-12-31 UTC: all of every run.") and Path("c.png").is_file()
    assert done.out.splitlines()[2].split() == ["a", "b"]
    found = json.loads(saved("compare", "a", "b", "--json", "--name", "x", "--name", "y").out)
    assert set(found["table"]) == {"x", "y"} and found["table"]["x"]["sharpe"] != found["table"]["y"]["sharpe"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("report", "nothing"), "nothing"),
        (("report", "a", "--out", "a.docx"), "a report ends in .html"),
        (("report", "a", "--out", "no/a.html"), "there is no folder"),
        (("report", "a", "--out", "a.html", "--symbol", "AAP"), "did you mean 'AAPL'"),
        (("compare", "a"), "at least two"),
        (("compare", "a", "b", "--name", "x"), "names are 1, results are 2"),
        (("compare", "a", "b", "--plot", "no/c.png"), "there is no folder"),
    ],
)
def test_mistakes_are_one_message(saved: Any, arguments: tuple[str, ...], words: str) -> None:
    done = saved(*arguments)
    assert done.code == 2 and words in done.err and "Traceback" not in done.err


def test_backtest_writes_no_report_of_an_unknown_form(vecbt_command: Any) -> None:
    done = vecbt_command("backtest", "run.yaml", "--report", "r.docx")
    assert done.code == 2 and "ends in .html" in done.err
