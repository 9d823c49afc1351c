"""A real cluster of two nodes, of which workers, a node and the driver are killed in the middle: the lines stay the same."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.executors.two_nodes import TwoNodes
from tests.house.source import PACKAGE, ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install 'vecbt[distributed]'"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[TwoNodes]:
    with TwoNodes() as found:
        yield found


def started(cluster: TwoNodes, what: str, *arguments: str, **other: str) -> subprocess.Popen[str]:
    """A driver in a process of its own, uncompiled as its nodes are, which gives the same bits."""
    command = [sys.executable, "-c", f"from tests.executors.ray_drivers import {what} as f; f(*{(cluster.address, *arguments)!r})"]
    environment = cluster.environment | other
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=cluster.folder, start_new_session=True
    )  # fmt: skip


def wait_for(driver: subprocess.Popen[str], word: str) -> None:
    assert driver.stdout is not None
    lines = []
    for line in driver.stdout:
        lines.append(line)
        if line.strip() == word:
            return
    raise AssertionError("".join(lines))


def said(driver: subprocess.Popen[str], cluster: TwoNodes) -> list[str]:
    """All that it says until its end; never the token."""
    text, _ = driver.communicate(timeout=300)
    assert driver.returncode == 0, text
    assert cluster.environment["RAY_AUTH_TOKEN"] not in text
    return text.splitlines()


def test_lines_are_those_of_threads_and_bars_are_read_where_they_are(cluster: TwoNodes) -> None:
    lines = said(started(cluster, "same", "2"), cluster)
    (told,) = [line for line in lines if line.startswith("told")]
    assert told.count("threads 1, writeable False, in ['/dev/shm/plasma") == told.count("RuntimeError") >= 1, told
    (nodes,) = [line.split()[1:] for line in lines if line.startswith("nodes")]
    assert nodes == sorted([cluster.head.word, cluster.second.word]), "both work"


def test_a_worker_and_then_a_whole_node_are_killed_in_the_middle(cluster: TwoNodes, tmp_path: Path) -> None:
    driver = started(cluster, "long", str(tmp_path / "kept"))
    try:
        wait_for(driver, "go")
        until = time.monotonic() + 60.0
        while not (workers := cluster.second.pids(b"ray::piece_there")) and time.monotonic() < until:
            time.sleep(0.05)  # its first worker may start after the first piece of the other node is done
        assert workers, "nothing runs on the second node"
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        time.sleep(1.0)
        assert driver.poll() is None and cluster.second.process.poll() is None
        cluster.second.kill()
        assert not cluster.second.pids() and cluster.head.pids()
        lines = said(driver, cluster)
    finally:
        driver.kill()
        driver.communicate()
        cluster.second = cluster.one_more()
    assert lines[-1].split()[0] == "end" and lines[-1].split()[2] == "160", lines


def test_a_killed_driver_goes_on_from_its_checkpoint(cluster: TwoNodes, tmp_path: Path) -> None:
    driver = started(cluster, "long", str(tmp_path / "kept"))
    try:
        wait_for(driver, "go")
    finally:
        driver.kill()
        driver.communicate()
    end, first, last = said(started(cluster, "long", str(tmp_path / "kept")), cluster)[-1].split()
    assert (end, last) == ("end", "160") and 8 <= int(first) < 160


def test_ctrl_c_is_answered_with_what_is_done(cluster: TwoNodes) -> None:
    driver = started(cluster, "interrupted")
    try:
        wait_for(driver, "go")
        begun = time.monotonic()
        driver.send_signal(signal.SIGINT)
        end, partial, done = said(driver, cluster)[-1].split()
    finally:
        driver.kill()
        driver.communicate()
    assert (end, partial) == ("end", "True") and 0 < int(done) < 2000 and time.monotonic() - begun < 60.0


def test_whoever_has_another_token_is_not_let_in(cluster: TwoNodes) -> None:
    other = "0123456789abcdef" * 4
    (line,) = [line for line in said(started(cluster, "refused", RAY_AUTH_TOKEN=other), cluster) if line.startswith(("refused", "taken"))]
    assert line.startswith(f"refused: no connection to the Ray cluster at {cluster.address!r}") and other not in line


def test_a_node_with_other_kernels_is_refused_with_both_before_anything_runs(cluster: TwoNodes, tmp_path: Path) -> None:
    """The node has a copy of the package in which one line is another."""
    for name in ("vecbt", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    kernel = tmp_path / "vecbt" / "engine" / "bar.py"
    kernel.write_text((PACKAGE / "engine" / "bar.py").read_text(encoding="utf-8") + "# edited\n", encoding="utf-8")
    node = cluster.one_more(PYTHONPATH=str(tmp_path))
    try:
        for _ in range(20):  # until the node has joined
            (line,) = [line for line in said(started(cluster, "refused"), cluster) if line.startswith(("refused", "taken"))]
            if line != "taken":
                break
        assert "is refused, because its results might be others: kernels " in line and line.count(" there") == 1, line
    finally:
        node.kill()
