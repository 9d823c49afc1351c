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

WRITERS, RUNS = 4, 15


def _writer(name: int, count: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.ledger.ledgers", str(name), str(count)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def test_four_writers_at_once_lose_nothing() -> None:
    writers = [_writer(name, RUNS) for name in range(WRITERS)]
    heads = []
    for writer in writers:
        said, _ = writer.communicate(timeout=300)
        lines = said.split()
        assert writer.returncode == 0 and lines[::2] == ["True"] * RUNS
        heads += lines[1::2]
    report = vb.ledger.verify()
    assert report.ok and report.records == WRITERS * RUNS + 1, report
    assert vb.ledger.trials(days("AAPL")[:60]).count == WRITERS * RUNS
    assert all(vb.ledger.verify(head).ok for head in heads[::10])


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_writers_that_are_killed_leave_a_whole_ledger() -> None:
    """Each is killed at another moment of its work; what it said was recorded is there, and the next writer goes on."""
    count = 0
    for name in range(4):
        writer = _writer(name, 2_000)
        assert writer.stdout is not None
        said = [writer.stdout.readline().split() for _ in range(3)]
        time.sleep(0.013 * name)
        writer.send_signal(signal.SIGKILL)
        writer.wait(timeout=60)
        writer.stdout.close()
        report = vb.ledger.verify()
        assert report.ok and vb.ledger.verify(said[-1][1]).ok, report
        now = vb.ledger.trials(days("AAPL")[:60]).count
        assert now >= count + 3
        count = now
    assert run(days("AAPL")[:60], 50, 55).trials.count == count + 1
    assert vb.ledger.verify().ok


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
