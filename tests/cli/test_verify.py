"""`vecbt backtest --save` and `vecbt verify`: what they print where, and their exit codes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

OWN = """\
from dataclasses import dataclass
import numpy as np
import vecbt as vb

@dataclass(frozen=True)
class Own(vb.Strategy):
    every: int = 5

    def rows(self, bars):
        return vb.Signals(entries=np.arange(bars.T) % self.every == 0, exits=np.arange(bars.T) % self.every == 2)
"""


def test_a_run_is_saved_and_verified(vecbt_command: Any) -> None:
    done = vecbt_command("backtest", "run.yaml", "--save", "result")
    assert done.code == 0 and "sharpe" in done.out and done.err == "saved: result; next: vecbt verify result\n"
    done = vecbt_command("verify", "result")
    assert done.code == 0 and done.err == "" and done.out.startswith("verified, equal to the last bit: result (SmaCross · AAPL)\n")
    assert "the rows of SmaCross(fast=5, slow=20, direction='long') are the saved inputs" in done.out
    done = vecbt_command("verify", "result", "--inputs")
    assert done.code == 0 and "no strategy is imported, as asked" in done.out
    found = json.loads(vecbt_command("verify", "result", "--json").out)
    assert found["ok"] is True and found["exact"] is True and found["strategy_checked"] is True and found["difference"] == ""
    assert {check["outcome"] for check in found["checks"]} == {"equal"}


def test_a_result_that_was_changed_exits_with_1(vecbt_command: Any) -> None:
    vecbt_command("backtest", "run.yaml", "--save", "result")
    file = Path("result/statistics.json")
    file.write_text(file.read_text().replace("AAPL", "MSFT", 1))
    done = vecbt_command("verify", "result")
    assert done.code == 1 and done.out.startswith("NOT verified: result") and "statistics.json was changed since it was saved" in done.out
    assert json.loads(vecbt_command("verify", "result", "--json").out)["ok"] is False


def test_a_strategy_beside_its_run_file_is_found_where_it_is_named(vecbt_command: Any) -> None:
    Path("runs").mkdir()
    Path("runs/own_for_verify_test.py").write_text(OWN)
    Path("runs/run.yaml").write_text(
        Path("run.yaml").read_text().replace("{name: SmaCross, parameters: {fast: 5, slow: 20}}", "{name: own_for_verify_test:Own}")
    )
    assert vecbt_command("backtest", "runs/run.yaml", "--save", "result").code == 0
    del sys.modules["own_for_verify_test"]
    done = vecbt_command("verify", "result")
    assert done.code == 0 and "own_for_verify_test:Own cannot be imported here" in done.out and "the saved inputs are used" in done.out
    done = vecbt_command("verify", "result", "--path", "runs")
    assert done.code == 0 and "the rows of Own(every=5) are the saved inputs" in done.out
    del sys.modules["own_for_verify_test"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("verify", "none"), "error: 'none' is no folder; expected one that Result.save wrote"),
        (("verify", "empty"), "holds no manifest.json"),
        (("verify",), "FOLDER"),
        (("backtest", "run.yaml", "--save", "run.yaml"), "which is a file"),
        (("backtest", "run.yaml", "--save", "no/such"), "there is no folder 'no'; make it first"),
        (("backtest", "run.yaml", "--save", "mine"), "is no saved result"),
        (("backtest", "run.yaml", "--save", "mine", "--overwrite"), "is no saved result"),
        (("backtest", "run.yaml", "--save", "result"), "holds a saved result already"),
    ],
)
def test_a_mistake_is_told_in_words_before_the_work_begins(vecbt_command: Any, arguments: tuple[str, ...], message: str) -> None:
    Path("empty").mkdir()
    Path("mine").mkdir()
    Path("mine/precious.txt").write_text("mine")
    vecbt_command("backtest", "run.yaml", "--save", "result")
    done = vecbt_command(*arguments)
    assert done.code == 2 and message in done.err and done.out == "" and "Traceback" not in done.err
    assert Path("mine/precious.txt").read_text() == "mine"
    assert vecbt_command("backtest", "run.yaml", "--save", "result", "--overwrite").code == 0
