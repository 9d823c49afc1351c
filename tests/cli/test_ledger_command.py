"""`vecbt ledger`: shown, located, verified."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import vecbt as vb
from vecbt.ledger import store


@pytest.fixture(autouse=True)
def _own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("VECBT_LEDGER", str(tmp_path / "kept"))
    yield
    while store._open:
        store._open.pop().close()


def test_nothing_is_there_yet(vecbt_command: Any, tmp_path: Path) -> None:
    assert vecbt_command("ledger").out == f"ledger {tmp_path / 'kept' / 'ledger.sqlite'}\n  nothing is recorded\n"
    assert vecbt_command("ledger", "path").out.strip() == str(vb.ledger.path())
    done = vecbt_command("ledger", "verify")
    assert done.code == 0 and "0 records, unbroken" in done.out
    assert json.loads(vecbt_command("ledger", "--json").out)["data"] == []


def test_runs_and_sweeps_of_run_files_are_trials(vecbt_command: Any) -> None:
    assert vecbt_command("backtest", "run.yaml").code == 0
    assert vecbt_command("sweep", "run.yaml", "--vary", "fast=3,5", "--vary", "slow=15,20").code == 0
    done = vecbt_command("ledger")
    assert done.code == 0 and "4 trials; 2 records on it" in done.out and "AAPL" in done.out and "SmaCross(" in done.out
    report = json.loads(vecbt_command("ledger", "--json").out)
    (data,) = report["data"]
    assert data["trials"] == 4 and data["symbols"] == ["AAPL"] and data["parameters"]["fast"] in (3, 5) and report["off"] == ""
    head = report["head"]
    assert vecbt_command("ledger", "verify", "--head", head).code == 0
    assert json.loads(vecbt_command("ledger", "verify", "--json").out) == {
        "ok": True, "where": str(vb.ledger.path()), "records": 3, "head": head, "damage": [],
    }  # fmt: skip


def test_damage_and_a_cut_tail_are_named_with_exit_code_1(vecbt_command: Any) -> None:
    vecbt_command("backtest", "run.yaml")
    head = json.loads(vecbt_command("ledger", "--json").out)["head"]
    while store._open:
        store._open.pop().close()
    with closing(sqlite3.connect(vb.ledger.path())) as connection:
        connection.execute("DELETE FROM records WHERE n=2")
        connection.commit()
    done = vecbt_command("ledger", "verify", "--head", head)
    assert done.code == 1 and "the tail was cut off: record 2 is missing" in done.out and f"no record has the hash {head}" in done.out
    assert vecbt_command("ledger", "verify", "--json").code == 1
    assert vecbt_command("ledger", "verify", "--head", "what").code == 2


def test_off_is_shown(vecbt_command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VECBT_LEDGER", "off")
    assert vecbt_command("backtest", "run.yaml").code == 0
    done = vecbt_command("ledger")
    assert done.code == 0 and "VECBT_LEDGER=off" in done.out and "nothing is recorded" in done.out


def test_a_ledger_that_cannot_be_read_is_a_mistake_in_one_line(vecbt_command: Any) -> None:
    vb.ledger.path().parent.mkdir()
    vb.ledger.path().write_bytes(b"nothing of the kind" * 100)
    done = vecbt_command("ledger")
    assert done.code == 2 and done.err.count("\n") == 1 and "cannot be read" in done.err
