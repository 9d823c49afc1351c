"""`vecbt check`: exit codes, text and JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from vecbt import cli

CLEAN = """\
data: {sample: us_daily, symbols: [AAPL], start: 2001-01-01, end: 2001-06-01}
strategy: {name: SmaCross, parameters: {fast: 5, slow: 20}}
costs: {commission_rate: 0.001, slippage_bps: 2}
account: {initial_capital: 50000}
"""


@pytest.mark.parametrize(
    ("settings", "options", "code", "summary"),
    [
        ((), (), 0, "no findings"),
        ((), ("--strict",), 0, "no findings"),
        (("fill=close",), (), 0, "1 warning"),
        (("fill=close",), ("--strict",), 1, "1 warning"),
        (("liquidate_at_end=true",), ("--strict",), 0, "1 note"),
        (("stops.hard=3", "fill=close"), (), 1, "1 error, 1 warning"),
        (("data.sample=none",), (), 1, "1 error"),
        (("data.sample=none",), ("--no-data",), 0, "no findings"),
        (("nonsense",), (), 2, ""),
    ],
)
def test_exit_codes(
    settings: tuple[str, ...],
    options: tuple[str, ...],
    code: int,
    summary: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """0 without errors (with --strict: without warnings), 1 with them, 2 for what cannot be read."""
    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text(CLEAN)
    arguments = [part for setting in settings for part in ("--set", setting)]
    done, out, _ = _call(monkeypatch, capsys, "check", "run.yaml", *arguments, *options)
    assert done == code and (not summary or out.rstrip().endswith(f"run.yaml: {summary}")), out
    done, out, _ = _call(monkeypatch, capsys, "check", "run.yaml", "--json", *arguments, *options)
    assert done == code
    if code != 2:
        found = json.loads(out)
        assert found["ok"] == (code == 0) and sum(found["counts"].values()) == len(found["findings"])


def _call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["vecbt", *arguments])
    capsys.readouterr()
    code = 0
    try:
        cli.main()
    except SystemExit as done:
        code = int(done.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def test_findings_are_printed_with_place_reason_and_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text(CLEAN + "fill: close\n")
    _, out, err = _call(monkeypatch, capsys, "check", "run.yaml")
    assert out.startswith("warning [same-bar-fill] fill (line 5): orders are decided and filled at the same close\n  why: ") and err == ""
    (finding,) = json.loads(_call(monkeypatch, capsys, "check", "run.yaml", "--json")[1])["findings"]
    assert set(finding) == {"id", "severity", "where", "line", "what", "why", "remedy"} and finding["line"] == 5


@pytest.mark.parametrize("text", ["data: [x\n", "", "- 1\n", "a: 1\na: 2\n"])
def test_a_broken_file_exits_with_2(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.yaml").write_text(text)
    for name in ("broken.yaml", "none.yaml"):
        code, out, err = _call(monkeypatch, capsys, "check", name)
        assert code == 2 and out == "" and err.startswith("error: ") and "Traceback" not in err
