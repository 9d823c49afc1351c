"""Threads and processes pass one suite: every line is the same to the last bit, whatever runs it, in whatever pieces, whoever is lost."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import gc
import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.analytics.checkpoints import BARS, Higher, assert_same, breaks, small
from tests.executors.of_tests import Deadly, Telling, long_sweep
from tests.house.source import ROOT
from vecbt.core.sets import Sets
from vecbt.errors import ConfigError, WorkerError
from vecbt.executors import Executor, Processes, Threads, driving, make, pace, processes
from vecbt.strategies import SmaCross

PAIR = vb.synthetic.garch_jumps(T=60, N=2, seed=7)


@pytest.fixture(scope="module")
def two() -> Iterator[Processes]:
    """Two processes that stay."""
    with Processes(2, retries=1) as workers:
        yield workers


@pytest.fixture(params=["threads", "processes"])
def executor(request: pytest.FixtureRequest) -> Executor:
    if request.param == "threads":
        return Threads(2)
    found: Executor = request.getfixturevalue("two")
    return found


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A piece for each set."""
    monkeypatch.setattr(pace, "_MOST_SETS", 1)


def on(executor: Executor, **other: Any) -> Any:
    """The small sweep, elsewhere."""
    return small(**({"threads": None, "executor": executor} | other))


# --- the same lines --------------------------------------------------------------------------------------------------------


def test_lines_curves_sums_and_errors_are_those_of_threads(executor: Executor) -> None:
    heard: list[tuple[int, int]] = []
    assert_same(on(executor, progress=lambda *counts: heard.append(counts)), small())
    assert heard[-1] == (15, 15) and [done for done, _ in heard] == sorted({done for done, _ in heard})


def test_each_set_by_itself_gives_the_same(executor: Executor, pieces: None) -> None:
    """What a set is does not depend on those it is sent with: numbers of one kind, distinct values, the kind of what is said."""
    assert_same(on(executor, space={"window": [2, 3.0, 7], "stops.hard": [0.005, None]}), small(
        space={"window": [2, 3.0, 7], "stops.hard": [0.005, None]}))  # fmt: skip


def test_compiled_strategies_rates_and_setups(executor: Executor) -> None:
    space = {"fast": [2, 3, 5], "slow": [6, 9], "stops.hard": [0.02, 0.05], "fill": ["close", "next_open"]}
    given: dict[str, Any] = {"bars": PAIR, "strategy": SmaCross(2, 9), "space": space, "rf": 1e-4, "mar": 2e-4, "accounts": "shared"}
    assert_same(on(executor, **given), small(**given))


def test_windows_are_run_elsewhere_too(executor: Executor, pieces: None) -> None:
    """Each piece knows all bars before its windows, and where in the bars its account begins."""
    for strategy, space in ((SmaCross(2, 9), {"fast": [2, 3]}), (Higher(), {"window": [2, 6]})):
        given: dict[str, Any] = {"bars": PAIR, "strategy": strategy, "space": {**space, "between": [(12, 30), (30, 60), None]}}
        wanted = small(**given)
        assert wanted.run is not None and wanted.run.done.all() and wanted.run.trades["trades"].sum() > 0
        assert_same(on(executor, **given), wanted)


def test_m8_p5_an_envelope_has_both_ends(executor: Executor, pieces: None) -> None:
    given: dict[str, Any] = {"space": {"window": [2, 3, 5], "stops.hard": [0.005], "stops.take_profit": [0.005]}, "envelope": True}
    wanted = small(**given, intrabar="optimistic")
    assert wanted.run is not None and wanted.run.envelope is not None and np.nanmax(wanted.run.envelope.fragility) > 0.0
    assert_same(on(executor, **given, intrabar="optimistic"), wanted)


def test_what_runs_alone_and_functions_and_given_rows(executor: Executor) -> None:
    """Deposits need a run of their own; rows that were given are a strategy, too."""
    space = {"flows": [None, {str(BARS.datetime_index[5])[:10]: 500.0}], "fill": ["close", "next_open"]}
    for strategy in (functools.partial(breaks, window=2), breaks(BARS)):
        given = {"strategy": strategy, "space": space, "accounts": "shared"}
        assert_same(on(executor, **given), small(**given))


@pytest.mark.parametrize("blocks", [True, "file"])
def test_ended_by_ctrl_c_and_gone_on_with_elsewhere(
    executor: Executor, blocks: Any, tmp_path: Path, two: Processes, pieces: None
) -> None:  # fmt: skip
    """A checkpoint does not ask where its lines come from."""

    def stop(done: int, total: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    early = on(executor, checkpoint=tmp_path / "kept", blocks=blocks, progress=stop)
    assert early.partial and early.run is not None and 4 <= early.run.done.sum() + len(early.errors) < 15
    other = Threads(1) if isinstance(executor, Processes) else two
    assert_same(on(other, checkpoint=tmp_path / "kept", blocks=blocks), small())
    assert_same(on(executor, checkpoint=tmp_path / "kept", blocks=blocks), small())


def test_an_error_of_whoever_watches_ends_it_and_the_next_sweep_is_right(executor: Executor, pieces: None) -> None:
    def fail(done: int, total: int) -> None:
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        on(executor, progress=fail)
    assert_same(on(executor), small())


# --- processes -------------------------------------------------------------------------------------------------------------


def test_processes_stay_for_the_next_sweep_and_bars_stand_in_shared_memory_once(two: Processes) -> None:
    given = {"strategy": Telling(os.getpid()), "space": {"number": range(4)}, "accounts": "shared", "keep": ()}
    found, before = on(two, **given), two.pids
    told = "RuntimeError: threads 1, writeable False, in ['/memfd:vecbt-bars']"
    assert set(found.errors.values()) == {told} and len(found.errors) == 4
    on(two)
    assert set(before) <= set(two.pids) and 1 <= len(two.pids) <= 2
    assert all(Path(f"/proc/{pid}").exists() for pid in two.pids)


def test_a_killed_process_changes_nothing(pieces: None) -> None:
    killed: list[int] = []
    with Processes(2, retries=2) as workers:  # both kills may meet one set: the first process at it, and the one that takes it up

        def kill(done: int, total: int) -> None:
            if len(killed) < 2 and workers.pids:
                killed.append(workers.pids[-1])
                os.kill(killed[-1], signal.SIGKILL)

        assert_same(on(workers, progress=kill), small())
        assert len(killed) == 2 and not set(killed) & set(workers.pids)


def test_sets_that_end_their_process_once_run_again_and_those_that_always_do_are_named(
    two: Processes, tmp_path: Path, pieces: None
) -> None:  # fmt: skip
    mark = tmp_path / "mark"
    mark.touch()
    given: dict[str, Any] = {"strategy": Deadly(os.getpid(), file=str(mark)), "accounts": "shared", "keep": ()}
    found = on(two, space={"window": [2, 3, 6]}, **given)
    assert not mark.exists() and found.run is not None and found.run.done.all()
    assert_same(found, small(space={"window": [2, 3, 6]}, **given))
    words = r"2 workers, one after the other, ended over set 1 \(1 set, the first is \{'window': 4\}\): .*SIGKILL"
    with pytest.raises(WorkerError, match=words):
        on(two, space={"window": [2, 4]}, **given)
    assert_same(on(two), small())


def test_shared_memory_and_processes_are_gone_when_it_is_closed() -> None:
    before = _shared_here()
    workers = Processes(1)
    on(workers, space={"window": [2]})
    first = workers.pids
    assert _shared_here() == before + 1 and Path(f"/proc/{first[0]}").exists()
    workers.close()
    assert workers.pids == () and _shared_here() == before and _gone(list(first))


def _shared_here() -> int:
    """How many bars this process shares."""
    found = 0
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found += "vecbt-bars" in os.readlink(f"/proc/self/fd/{name}")
    return found


def _driver(folder: Path, sets: int) -> tuple[subprocess.Popen[str], list[int]]:
    environment = {**os.environ, "VECBT_ENGINE": "python", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", f"from tests.executors.of_tests import driver; driver({str(folder)!r}, {sets})"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT)
    assert process.stdout is not None
    word, *pids = process.stdout.readline().split()
    assert word == "go"
    return process, [int(pid) for pid in pids]


def _gone(pids: list[int]) -> bool:
    for _ in range(100):
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.1)
    return False


def test_ctrl_c_in_another_process_is_answered_with_what_is_done_and_no_process_is_left(tmp_path: Path) -> None:
    process, pids = _driver(tmp_path / "kept", 5000)
    try:
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    end, partial, done, total = said.split("\n")[-2].split()
    assert process.returncode == 0 and (end, partial, total) == ("end", "True", "5000") and 3 <= int(done) < 2000
    assert time.monotonic() - begun < 30.0 and _gone(pids)


def test_a_killed_driver_leaves_no_process_and_goes_on_from_its_checkpoint(two: Processes, tmp_path: Path) -> None:
    process, pids = _driver(tmp_path / "kept", 40)
    process.kill()
    process.communicate()
    assert _gone(pids)
    heard: list[int] = []
    found = long_sweep(tmp_path / "kept", 40, executor=two, progress=lambda done, total: heard.append(done))
    assert 3 <= heard[0] < 40 and not found.partial
    assert_same(found, long_sweep(None, 40))


# --- refused ---------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class _InTheScript(vb.Strategy):
    """As if it stood in a notebook."""

    window: int = 3


_InTheScript.__module__ = "__main__"


def _here(bars: vb.Bars) -> Any:
    return breaks(bars)


def unsendable() -> dict[str, tuple[Any, str]]:
    """What stands where no other process can find it, and how it is called."""

    @dataclasses.dataclass(frozen=True)
    class Inside(vb.Strategy):
        """As if a test had made it up."""

    here = type(_here)(_here.__code__, globals(), "cell")
    here.__module__ = "__main__"
    return {
        "cell": (_InTheScript(), "strategy _InTheScript .* class _InTheScript, which stands in a notebook or in the script that runs"),
        "function": (here, "strategy cell .* function .*_here, which stands in a notebook"),
        "lambda": (lambda bars: breaks(bars), "strategy <lambda> .* a lambda"),
        "partial": (functools.partial(lambda bars, a: breaks(bars), a=1), "a lambda"),
        "inside": (Inside(), "strategy Inside .* class unsendable.Inside, which stands inside a function"),
    }


@pytest.mark.parametrize("name", ["cell", "function", "lambda", "partial", "inside"])
def test_a_strategy_that_cannot_be_sent_is_named_before_anything_starts(name: str, tmp_path: Path) -> None:
    strategy, words = unsendable()[name]
    with Processes(2) as workers:
        with pytest.raises(ConfigError, match=f"{words}.*put it in a module that the workers can import"):
            on(workers, strategy=strategy, space={"stops.hard": [None, 0.1]}, checkpoint=tmp_path / "kept")
        assert workers.pids == () and not (tmp_path / "kept").exists()


def test_values_and_keywords_that_cannot_be_sent_are_named() -> None:
    class Mine(vb.Pct):
        """Percent of my own."""

    with Processes(1) as workers:
        with pytest.raises(ConfigError, match=r"a value of stops.hard cannot be sent .*Mine, which stands inside a function"):
            on(workers, space={"stops.hard": [Mine(1.0)]})
        with pytest.raises(ConfigError, match=r"stops=.* cannot be sent .*Mine"):
            on(workers, space={"window": [2]}, stops=vb.Stops(hard=Mine(1.0)))
        assert workers.pids == ()


def test_a_module_that_workers_cannot_import_is_told(two: Processes) -> None:
    made = ModuleType("made_up_module")
    exec("def rows(bars):\n    from tests.analytics.checkpoints import breaks\n    return breaks(bars)", made.__dict__)
    sys.modules["made_up_module"] = made
    try:
        with pytest.raises(ConfigError, match="a worker process cannot import what the sweep is made of: No module named 'made_up_module'"):
            on(two, strategy=made.__dict__["rows"], space={"stops.hard": [None]})
    finally:
        del sys.modules["made_up_module"]


def test_a_worker_with_other_kernels_or_packages_is_refused_with_both(monkeypatch: pytest.MonkeyPatch) -> None:
    real = processes.own_mark()
    monkeypatch.setattr(processes, "own_mark", lambda: {**real, "kernels": "0123456789abcdef", "numba": "0.1"})
    with Processes(1) as workers:
        words = rf"a worker process is refused.*kernels 0123456789abcdef here, {real['kernels']} there; numba 0\.1 here, {real['numba']} "
        with pytest.raises(ConfigError, match=words):
            on(workers)
        assert workers.pids == ()


def test_edited_code_is_imported_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    text = "import tests.analytics.checkpoints as c\ndef rows(bars):\n    return c.breaks(bars, {})\n"
    (tmp_path / "edited_rows.py").write_text(text.format(2))
    module = importlib.import_module("edited_rows")
    workers, before = Processes(1), _shared_here()
    try:
        given: dict[str, Any] = {"space": {"stops.hard": [None, 0.01]}}
        first, pids = on(workers, strategy=module.rows, **given), workers.pids
        assert_same(first, small(strategy=module.rows, **given))
        (tmp_path / "edited_rows.py").write_text(text.format(6))
        importlib.reload(module)
        second = on(workers, strategy=module.rows, **given)
        assert_same(second, small(strategy=module.rows, **given))
        assert not second.table.equals(first.table) and _gone(list(pids))
        pids = workers.pids
        del workers
        gc.collect()
        assert _gone(list(pids)) and _shared_here() == before, "gone with their executor, closed or not"
    finally:
        del sys.modules["edited_rows"]


# --- names -----------------------------------------------------------------------------------------------------------------


def test_executors_by_name_and_what_is_none() -> None:
    assert make("threads", workers=3).threads == 3 and make("processes", workers=3, retries=0).workers == 3  # type: ignore[attr-defined]
    assert make("ray", address="auto").address == "auto"  # type: ignore[attr-defined]
    assert "ray" not in sys.modules, "nothing is imported before it is used"
    assert repr(make("threads")) == "Threads()" and repr(Processes(2)) == "Processes(2)"
    assert_same(small(threads=None, executor="threads"), small())
    for call, words in (
        (lambda: make("process"), "executor is 'process'; did you mean 'processes'"),
        (lambda: make("processes", worker=3), "Processes has no argument 'worker'; did you mean 'workers'"),
        (lambda: Processes(0), "workers is 0; expected a whole number of at least 1"),
        (lambda: Processes(1, retries=-1), "retries is -1; expected a whole number of at least 0"),
        (lambda: Threads(True), "threads is True"),
        (lambda: make("ray", cpus=0), "cpus is 0; expected a number above 0"),
        (lambda: make("ray", address=3), "address is 3"),
        (lambda: make("ray", options=[]), r"options is \[\]"),
        (lambda: small(executor="threads"), "threads is 2, and there is an executor; give one of both"),
        (lambda: small(threads=None, executor=3), "executor is 3; expected"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=words):
            call()


def test_pieces_take_their_time_and_end_together() -> None:
    """The first ones are small where nothing is known; then as many sets as take long enough, fewer towards the end, never below that."""
    known = pace.Pace(100, compiled=False)
    assert known.size(1000, 2, 8) == 4 and known.size(9, 4, 8) == 1
    known.learn(4, 0.004)
    assert known.size(10**6, 2, 8) == 32, "no more than eight times as many"
    known.learn(32, 0.032)
    assert known.size(10**6, 2, 8) == 256, "nor the next time"
    known.learn(256, 0.256)
    assert known.size(10**6, 2, 8) == 500 and known.size(400, 2, 8) == 100 and known.size(60, 2, 8) == 50 and known.size(20, 2, 8) == 20
    known.learn(500, 500.0)
    assert 1 <= known.size(10**6, 2, 8) <= 63
    slow = pace.Pace(100, compiled=False)
    slow.learn(4, 40.0)
    assert slow.size(1000, 2, 8) == 1
    assert pace.Pace(100, compiled=True).size(10**6, 2, 2**25) == 2, "lines of much memory come back in few"


def test_sets_are_sent_with_no_more_values_than_they_have() -> None:
    sets = Sets(("a", "b"), (tuple(range(100)), (None, "x", 2.0)), np.array([[7, 2], [99, 0], [7, 0]]))
    small_ones = driving.used_sets(sets)
    assert small_ones.values == ((7, 99), (None, 2.0)) and [small_ones.at(c) for c in range(3)] == [sets.at(c) for c in range(3)]
