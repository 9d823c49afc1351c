"""The command line as a user meets it: what it prints where, exit codes, no traceback for a mistake."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

import vecbt
from vecbt import cli
from vecbt.errors import AuditError, StateError


def test_version_and_help(vecbt_command: Any) -> None:
    assert vecbt_command("--version") == (0, f"vecbt {vecbt.__version__}\n", "")
    done = vecbt_command("--help")
    assert done.code == 0 and "Exit codes: 0 done; 1 a run failed" in done.out
    for command in ("backtest", "replay", "schema", "init"):
        assert command in done.out
        assert "Exit codes: 0 done; 1 a run failed" in vecbt_command(command, "--help").out
    assert "Usage" in vecbt_command().out + vecbt_command().err


def test_init_writes_an_example_that_runs_and_overwrites_nothing(vecbt_command: Any) -> None:
    done = vecbt_command("init", "example.yaml")
    assert done.code == 0 and done.out == "" and "next: vecbt backtest example.yaml" in done.err
    text = Path("example.yaml").read_text()
    Path("example.yaml").write_text(text + "# mine\n")
    done = vecbt_command("init", "example.yaml")
    assert done.code == 2 and "is there already" in done.err and Path("example.yaml").read_text().endswith("# mine\n")
    assert vecbt_command("init", "example.yaml", "--force").code == 0 and Path("example.yaml").read_text() == text
    assert vecbt_command("init", "no/such/folder.yaml").code == 2
    done = vecbt_command("backtest", "example.yaml")
    assert done.code == 0 and "sharpe" in done.out and done.err == ""


def test_backtest_prints_statistics(vecbt_command: Any) -> None:
    done = vecbt_command("backtest", "run.yaml")
    assert done.code == 0 and done.err == ""
    assert done.out.startswith("SmaCross · AAPL\n")
    rows = dict(line.split(maxsplit=1) for line in done.out.splitlines()[2:])
    assert rows["start"] == "2001-01-02" and rows["end"] == "2001-12-31" and rows["initial"] == "50,000.00"


def test_backtest_prints_json(vecbt_command: Any) -> None:
    done = vecbt_command("backtest", "run.yaml", "--json", "--set", "strategy.parameters.fast=19")
    found = json.loads(done.out, parse_constant=lambda text: pytest.fail(f"{text} is no JSON"))
    assert found["title"] == "SmaCross · AAPL" and found["stats"]["initial"] == 50000.0 and isinstance(found["stats"]["trades"], int)
    assert {"section": "strategy", "name": "fast", "value": "19", "meaning": ""} in found["assumptions"]
    separate = json.loads(
        vecbt_command("backtest", "run.yaml", "--json", "--set", "data.symbols=[AAPL, MSFT]", "--set", "account.accounts=separate").out
    )
    assert set(separate["stats"]) == {"AAPL", "MSFT"}


def test_backtest_writes_report_and_picture(vecbt_command: Any) -> None:
    done = vecbt_command("backtest", "run.yaml", "--report", "r.html", "--plot", "p.png")
    assert done.code == 0 and "report: r.html" in done.err and "plot: p.png" in done.err
    assert Path("r.html").read_text().startswith("<!DOCTYPE html>") or "<html" in Path("r.html").read_text()
    assert Path("p.png").read_bytes().startswith(b"\x89PNG")
    Path("sub").mkdir()
    Path("sub/run.yaml").write_text(Path("run.yaml").read_text() + "output: {report: here.html}\n")
    assert vecbt_command("backtest", "sub/run.yaml").code == 0 and Path("sub/here.html").is_file()


def test_replay_prints_the_certificate(vecbt_command: Any) -> None:
    done = vecbt_command("replay", "run.yaml")
    assert done.code == 0 and "parity" in done.out.lower() and done.err == ""
    found = json.loads(vecbt_command("replay", "run.yaml", "--json", "--set", "audit=true").out)
    assert found["ok"] is True and found["bars"] == 248 and len(found["restarts"]) == 3 and found["difference"] == ""


def test_schema_is_json(vecbt_command: Any) -> None:
    schema = json.loads(vecbt_command("schema").out)
    assert schema["required"] == ["data", "strategy", "costs", "account"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("backtest", "none.yaml"), "error: none.yaml: no such file; `vecbt init none.yaml` writes an example there"),
        (("backtest", "broken.yaml"), "error: broken.yaml, line 3: "),
        (("backtest", "run.yaml", "--set", "costs.slipage_bps=1"), "unknown key 'slipage_bps' in costs; did you mean 'slippage_bps'?"),
        (("backtest", "run.yaml", "--set", "account.initial_capital=-1"), "expected a number greater than 0"),
        (("backtest", "run.yaml", "--set", "nonsense"), "expected KEY=VALUE"),
        (("backtest", "run.yaml", "--set", "data.start=2040-01-01"), "no bar from 2040-01-01"),
        (("backtest", "run.yaml", "--set", "strategy.parameters.fast=50"), "expected fast < slow"),
        (("backtest", "run.yaml", "--set", "stops.hard=20 ticks"), "no tick for every asset"),
        (("backtest", "run.yaml", "--set", "sizing.fixed_fractional={}"), "give stops"),
        (("backtest", "run.yaml", "--set", "band=0.1"), "band"),
        (("backtest", "run.yaml", "--report", "no/such/r.html"), "there is no folder 'no/such'; make it first"),
        (("backtest", "run.yaml", "--plot", "p.xyz"), "p.xyz"),
        (("replay", "none.yaml"), "no such file"),
        (("backtest",), "CONFIG"),
        (("backtest", "run.yaml", "--sett", "a=1"), "--set"),
        (("backtst", "run.yaml"), "backtst"),
    ],
)
def test_a_mistake_is_told_in_words_and_exits_with_2(vecbt_command: Any, arguments: tuple[str, ...], message: str) -> None:
    Path("broken.yaml").write_text("data: 1\nstrategy: [x\ncosts: 1\n")
    done = vecbt_command(*arguments)
    assert done.code == 2 and message in done.err and done.out == "" and "Traceback" not in done.err


def test_a_failed_audit_exits_with_1_and_what_is_unknown_is_raised(vecbt_command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(error: Exception) -> Any:
        def simulate(*_: Any, **__: Any) -> Any:
            raise error

        return simulate

    monkeypatch.setattr("vecbt.api.backtest", fail(AuditError("bar 3: cash is off by 1.0")))
    assert vecbt_command("backtest", "run.yaml") == (1, "", "error: bar 3: cash is off by 1.0\n")
    monkeypatch.setattr("vecbt.api.backtest", fail(StateError("other")))
    assert vecbt_command("backtest", "run.yaml").code == 2
    monkeypatch.setattr("vecbt.api.backtest", fail(ZeroDivisionError("a fault of the strategy")))
    with pytest.raises(ZeroDivisionError):
        vecbt_command("backtest", "run.yaml")


def test_a_replay_that_differs_exits_with_1(vecbt_command: Any, tmp_path: Path) -> None:
    Path("peeks_for_cli_test.py").write_text(
        "import numpy as np\n"
        "from vecbt.engine.inputs import Strengths\n"
        "def rows(bars):\n"
        "    later = np.vstack([bars.close[1:], bars.close[-1:]])\n"
        "    return Strengths((later > bars.close) * 1.0)\n"
    )
    done = vecbt_command("replay", "run.yaml", "--set", "strategy={name: peeks_for_cli_test:rows}")
    assert done.code == 1 and done.out + done.err and "Traceback" not in done.err


def test_a_pipe_that_closes_early_is_no_failure(tmp_path: Path) -> None:
    command = f"'{sys.executable}' -m vecbt.cli schema | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=800)
    assert done.returncode == 0 and done.stderr == ""


def test_a_bar_of_progress_is_drawn_on_terminals_only(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with cli._progress("working") as progress:
        assert progress is None
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with cli._progress("working") as progress:
        assert progress is not None
        progress(3, 10)
    assert capsys.readouterr().out == ""


def test_a_warning_is_one_line_on_stderr(vecbt_command: Any) -> None:
    """Of the file's user, in his words: no place in the package, no source line; other warnings keep theirs."""
    shown = warnings.showwarning
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        done = vecbt_command("backtest", "run.yaml", "--set", "strategy.parameters={fast_period: 5, slow: 20}")
    assert done.code == 0 and done.out.startswith("SmaCross")
    assert done.err.startswith("warning: ") and done.err.count("\n") == 1 and "'fast_period' was read as 'fast'" in done.err
    with pytest.warns(RuntimeWarning, match="of a library"), cli._plain_warnings():
        warnings.warn("of a library", RuntimeWarning, stacklevel=1)
    assert warnings.showwarning is shown
