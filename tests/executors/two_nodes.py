"""A Ray cluster of two nodes on this machine: each one processor and a small object store, on the loopback, with a token of its own."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.house.source import ROOT

STORE = 100_000_000
"""Bytes of the object store of each node."""

_RAY = "from ray.scripts.scripts import main; main()"


def free_port() -> int:
    """A port that nothing listens at now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Node:
    """One node, and all processes that came of starting it: they are known by a word in their environment."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self.word = secrets.token_hex(12)
        command = [
            sys.executable, "-c", _RAY, "start", "--block", "--node-ip-address=127.0.0.1", "--num-cpus=1", f"--object-store-memory={STORE}",
            "--disable-usage-stats", *arguments,
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command, env={**environment, "VECBT_TEST_NODE": self.word}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip

    def pids(self, what: bytes = b"") -> list[int]:
        """Its processes, those with `what` in their command line."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if self.word.encode() in (entry / "environ").read_bytes() and what in (entry / "cmdline").read_bytes():
                        found.append(int(entry.name))
        return found

    def kill(self) -> None:
        """End all of it at once, and wait until it is gone."""
        while pids := self.pids():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        self.process.wait()


class TwoNodes:
    """Both nodes; used in a `with`."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="vb"))
        self.address = f"127.0.0.1:{free_port()}"
        self.environment = {
            **os.environ, "PYTHONPATH": str(ROOT), "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_USAGE_STATS_ENABLED": "0", "RAY_health_check_period_ms": "500", "RAY_health_check_failure_threshold": "3",
            "VECBT_ENGINE": "python", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        }  # fmt: skip
        self.environment.pop("RAY_ADDRESS", None)
        self.nodes: list[Node] = []

    def __enter__(self) -> TwoNodes:
        try:
            self.head = self._node(
                "--head", f"--port={self.address.rpartition(':')[2]}", "--include-dashboard=false", f"--temp-dir={self.folder}"
            )  # fmt: skip
            self._wait_until_open()
            self.second = self.one_more()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _node(self, *arguments: str, **other: str) -> Node:
        self.nodes.append(Node(self.environment | other, *arguments))
        return self.nodes[-1]

    def one_more(self, **other: str) -> Node:
        """Another node, with `other` in its environment."""
        return self._node(f"--address={self.address}", **other)

    def _wait_until_open(self) -> None:
        host, _, port = self.address.partition(":")
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1.0):
                return
            assert self.head.process.poll() is None, "the head of the cluster ended"
            time.sleep(0.1)
        raise AssertionError("the head of the cluster did not open its port")

    def __exit__(self, *_: object) -> None:
        for node in reversed(self.nodes):
            node.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
