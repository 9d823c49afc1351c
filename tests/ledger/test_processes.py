"""Several processes at once, and processes that are killed while they write."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import vecbt as vb
from tests.house.source import ROOT
from tests.ledger.ledgers import days, run

WRITERS = 4


def _writer(what: str, name: int, count: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", f"tests.ledger.{what}", str(name), str(count)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def _said_by_all(what: str, count: int) -> list[str]:
    writers = [_writer(what, name, count) for name in range(WRITERS)]
    said = []
    for writer in writers:
        lines, _ = writer.communicate(timeout=300)
        assert writer.returncode == 0
        said += lines.split()
    return said


def test_four_writers_at_once_lose_nothing() -> None:
    """Each record has a number of its own, none is missing, and the chain goes through all of them."""
    numbers = sorted(map(int, _said_by_all("records", 25)))
    report = vb.ledger.verify()
    assert numbers == list(range(1, 101)) and report.ok and report.records == 100, report


@pytest.mark.slow
def test_backtests_in_four_processes_at_once_are_all_counted() -> None:
    said = _said_by_all("ledgers", 15)
    assert said[::2] == ["True"] * 60 and all(vb.ledger.verify(head).ok for head in said[1::20])
    assert vb.ledger.trials(days("AAPL")[:60]).count == 60 and vb.ledger.verify().records == 61


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_writers_that_are_killed_leave_a_whole_ledger() -> None:
    """Each is killed at another moment of a write; what it said was recorded is there, and the next one goes on behind it."""
    last = 0
    for name in range(6):
        writer = _writer("records", name, 100_000)
        assert writer.stdout is not None
        said = [int(writer.stdout.readline()) for _ in range(2)]
        time.sleep(0.0037 * name)
        writer.send_signal(signal.SIGKILL)
        said += [int(line) for line in writer.stdout.read().split("\n")[:-1]]
        writer.wait(timeout=60)
        writer.stdout.close()
        report = vb.ledger.verify()
        assert report.ok, report
        assert said[0] == last + 1 and said[-1] <= report.records <= said[-1] + 1
        last = report.records
    assert run(days("AAPL")[:60]).trials.recorded and vb.ledger.verify().records == last + 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_records_by_itself(folder: Path) -> None:
    bars = days("AAPL")[:60]
    run(bars, 2)
    child = os.fork()
    if child == 0:
        try:
            ok = run(bars, 4).trials.count == 2
        finally:
            os._exit(0 if ok else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert run(bars, 6).trials.count == 3 and vb.ledger.verify().ok
