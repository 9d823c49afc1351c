"""The command, as the tests of the command line run it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from vecbt import cli

SMALL = """\
data: {sample: us_daily, symbols: [AAPL], start: 2001-01-01, end: 2002-01-01}
strategy: {name: SmaCross, parameters: {fast: 5, slow: 20}}
costs: {commission_rate: 0.001}
account: {initial_capital: 50000}
"""


class Done(NamedTuple):
    """What a call left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def vecbt_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    """The command, run in this process in an empty folder that holds `run.yaml`."""
    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text(SMALL)

    def call(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["vecbt", *arguments])
        capsys.readouterr()
        try:
            cli.main()
            code = 0
        except SystemExit as done:
            code = done.code if isinstance(done.code, int) else 0 if done.code is None else 1
        out, err = capsys.readouterr()
        return Done(code, out, err)

    return call
