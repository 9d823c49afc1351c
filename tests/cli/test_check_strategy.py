"""`vecbt check-strategy`: what it can be pointed at, exit codes, and mistakes in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

MINE = """\
from dataclasses import dataclass

import vecbt as vb


@dataclass(frozen=True)
class Honest(vb.Strategy):
    window: int = 20

    def rows(self, bars):
        close = bars.to_pandas()["close"]
        return vb.Signals(entries=close > close.rolling(self.window).mean(), exits=close < close.rolling(self.window).mean())


def tomorrow(bars, scale=1.0):
    close = bars.to_pandas()["close"]
    return vb.Weights((close.shift(-1) / close - 1) * scale)


ready = Honest(5)
"""


@pytest.fixture
def mine() -> Path:
    """A file of strategies, and prices, in a folder of their own."""
    folder = Path("own")
    folder.mkdir()
    (folder / "random.py").write_text(MINE)  # called as a module of the standard library: the file wins
    (folder / "one.py").write_text(MINE.partition("def tomorrow")[0])
    (folder / "broken.py").write_text("def rows(bars)\n    return 1\n")
    (folder / "fails.py").write_text("1 / 0\n")
    (folder / "imported_mine.py").write_text(MINE)
    rows = [f"2024-{m:02d}-{d:02d},{100 + d},{105 + d},{99 + d},{100 + (d * 7) % 5 + d},1000" for m in (1, 2, 3) for d in range(1, 29)]
    Path("prices.csv").write_text("\n".join(["date,open,high,low,close,volume", *rows]) + "\n")
    return folder


@pytest.fixture(autouse=True)
def _in_the_folder(vecbt_command: Any) -> None:
    """The command changes into its own folder; other fixtures write there."""


def test_d2_an_honest_strategy_passes(vecbt_command: Any, mine: Path) -> None:
    done = vecbt_command("check-strategy", "own/random.py:Honest", "--data", "prices.csv", "--set", "window=5")
    assert done.code == 0 and done.err == "", done
    assert done.out.startswith("Honest: check passed, 84 bars x 1 column\n") and "parity holds: 84 bars" in done.out
    for target in ("own/one.py", "own/random.py:ready"):
        assert vecbt_command("check-strategy", target, "--data", "prices.csv").code == 0


def test_d2_a_cheat_exits_with_1_and_names_the_bar(vecbt_command: Any, mine: Path) -> None:
    done = vecbt_command("check-strategy", "own/random.py:tomorrow", "--data", "prices.csv", "--thorough", "--set", "scale=0.5")
    assert done.code == 1 and done.err == ""
    assert "bar 0 (2024-01-01), asset: " in done.out and "it looks 1 bar ahead" in done.out
    found = json.loads(vecbt_command("check-strategy", "own/random.py:tomorrow", "--data", "prices.csv", "--json").out)
    assert found["ok"] is False and (found["finding"]["bar"], found["finding"]["ahead"]) == (0, 1) and found["cuts"] == 1


def test_d2_modules_ready_made_strategies_and_run_files(vecbt_command: Any, mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = vecbt_command("check-strategy", "run.yaml", "--set", "strategy.parameters.fast=6")
    assert done.code == 0 and "SmaCross: check passed, 248 bars x 1 column" in done.out
    monkeypatch.chdir(mine)
    done = vecbt_command("check-strategy", "imported_mine:Honest", "--data", "../prices.csv", "--seed", "3")
    assert done.code == 0 and done.out.startswith("Honest: check passed"), done
    monkeypatch.chdir("..")
    done = vecbt_command("check-strategy", "SmaCross", "--set", "fast=5", "--set", "slow=20", "--data", "prices.csv")
    assert done.code == 0 and "SmaCross: check passed, 84 bars x 1 column" in done.out and "declared 20, measured " in done.out


@pytest.mark.slow
def test_d2_where_no_data_are_named_it_is_the_bundled_ones(vecbt_command: Any) -> None:
    done = vecbt_command("check-strategy", "SmaCross", "--set", "fast=5", "--set", "slow=20")
    assert done.code == 0 and "SmaCross: check passed, 3,270 bars x 5 columns" in done.out and "declared 20, measured " in done.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("SmaCros",), "did you mean 'SmaCross'"),
        (("SmaCross", "--set", "fst=5"), "SmaCross has no parameter 'fst'; did you mean 'fast'"),
        (("SmaCross", "--set", "fast"), "expected KEY=VALUE"),
        (("SmaCross", "--data", "us_dayly"), "did you mean 'us_daily'"),
        (("SmaCross", "--data", "none.csv"), "no such CSV file"),
        (("none.yaml",), "none.yaml: no such file"),
        (("run.yaml", "--data", "prices.csv"), "the run file run.yaml names its own"),
        (("own/none.py:Honest",), "own/none.py: no such file"),
        (("own/random.py:Honst",), "did you mean 'Honest'"),
        (("own/fails.py",), "own/fails.py cannot be imported: ZeroDivisionError: division by zero"),
        (("own/broken.py:rows",), "own/broken.py cannot be imported: SyntaxError, line 1: expected ':'"),
        (("own/random.py:tomorrow", "--set", "scal=1"), "takes no parameter 'scal'; did you mean 'scale'"),
        (("own/random.py:vb",), "expected a subclass of Strategy, or a function rows(bars)"),
        (("nowhere.at_all:Name",), "no module 'nowhere.at_all'"),
        ((), "NAME_OR_FILE"),
    ],
)
def test_a_mistake_is_one_line_and_exits_with_2(vecbt_command: Any, mine: Path, arguments: tuple[str, ...], told: str) -> None:
    done = vecbt_command("check-strategy", *arguments)
    assert done.code == 2 and told in done.err and done.out == "" and "Traceback" not in done.err
    assert not arguments or done.err.count("\n") == 1
