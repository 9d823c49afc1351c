"""What drives a Ray cluster in tests, in processes of its own: some of them are killed, and Ray stays out of the process of the tests."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import vecbt as vb
from tests.analytics.checkpoints import BARS, assert_same, breaks, small
from tests.executors.of_tests import Telling, long_sweep
from vecbt.analytics import sweep_checkpoint
from vecbt.errors import ConfigError
from vecbt.executors import pace
from vecbt.strategies import SmaCross

SETS = 160


@dataclass(frozen=True)
class Placed(vb.Strategy):
    """Says on which node it runs by what goes wrong with its sets."""

    home: int
    number: int = 0

    def rows(self, bars: vb.Bars) -> Any:
        """The word of the node."""
        if os.getpid() == self.home:
            return breaks(bars)
        time.sleep(0.1)
        raise RuntimeError(os.environ["VECBT_TEST_NODE"])


def _wait_for(nodes: int) -> None:
    import ray

    while sum(node["Alive"] for node in ray.nodes()) < nodes:
        time.sleep(0.1)


def same(address: str, nodes: str) -> None:
    """Sweeps of several kinds are those of threads; says what is known of memory and threads there, and which nodes were at work."""
    given: dict[str, Any] = {"threads": None, "accounts": "shared", "keep": ()}
    with vb.executors.Ray(address) as cluster:
        assert_same(small(executor=cluster, threads=None), small())
        _wait_for(int(nodes))
        assert_same(small(executor=cluster, threads=None, envelope=True), small(envelope=True))
        space = {"fast": [2, 3], "slow": [6, 9], "stops.hard": [0.02, 0.05], "between": [(0, 12), (8, 20)]}
        windows: dict[str, Any] = {"strategy": SmaCross(2, 9), "space": space}
        assert_same(small(executor=cluster, threads=None, **windows), small(**windows))
        assert_same(small(executor=cluster, strategy=breaks(BARS), space={"fill": ["close"]}, threads=None), small(
            strategy=breaks(BARS), space={"fill": ["close"]}))  # fmt: skip
        found = small(executor=cluster, strategy=Telling(os.getpid()), space={"number": range(4)}, **given)
        told = sorted(set(found.errors.values()))
        found = small(executor=cluster, strategy=Placed(os.getpid()), space={"number": range(40)}, **given)
        print("told", told, flush=True)
        print("nodes", *sorted({text.rpartition(" ")[2] for text in found.errors.values()}), flush=True)


def long(address: str, folder: str) -> None:
    """A long sweep, which says when there is something to go on from, and at the end whether it is that of threads."""
    pace.USUAL, sweep_checkpoint._EVERY = 0.3, 0.0
    heard: list[int] = []

    def told(done: int, total: int) -> None:
        heard.append(done)
        if done >= 8:
            print("go", flush=True)

    with vb.executors.Ray(address) as cluster:
        found = long_sweep(Path(folder), SETS, executor=cluster, progress=told)
    assert_same(found, long_sweep(None, SETS))
    print("end", heard[0], heard[-1], flush=True)


def interrupted(address: str) -> None:
    """A sweep with far too much to do, which is answered with what is done; the next one is right."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with vb.executors.Ray(address) as cluster:
        found = long_sweep(None, 5000, executor=cluster, progress=lambda done, total: print("go", flush=True))
        assert found.run is not None
        assert_same(small(executor=cluster, threads=None), small())
        print("end", found.partial, int(found.run.done.sum()), flush=True)


def refused(address: str) -> None:
    """Says why a cluster is not used."""
    try:
        with vb.executors.Ray(address) as cluster:
            small(executor=cluster, threads=None)
    except ConfigError as error:
        print("refused:", str(error).replace("\n", " "), flush=True)
    else:
        print("taken", flush=True)
