"""A sweep that was killed goes on, and is the unbroken one to the last bit; whatever else is in a folder is refused, and loses nothing."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import vecbt as vb
from tests.analytics import checkpoints
from tests.analytics.checkpoints import BARS, COSTS, SPACE, Higher, assert_same, breaks, small
from tests.house.source import ROOT
from vecbt.analytics import sweep_checkpoint
from vecbt.analytics.sweep import Sweep
from vecbt.engine import sweep, sweep_chunks
from vecbt.engine.sweep_blocks import BlockFiles
from vecbt.errors import ConfigError, counted


@functools.cache
def unbroken() -> Sweep:
    """The sweep in one go, without a checkpoint."""
    return small()


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file for each piece, and a piece for each set."""
    monkeypatch.setattr(sweep_checkpoint, "_EVERY", 0.0)
    monkeypatch.setattr(sweep_chunks, "_MOST_SETS", 1)


def ended_early(folder: Path, after: int = 10, **other: Any) -> Sweep:
    """The sweep until so many sets are done, then Ctrl-C."""

    def stop(done: int, total: int) -> None:
        if done >= after:
            raise KeyboardInterrupt

    return small(folder, progress=stop, **other)


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("lines-*.parquet"))


def child(*arguments: str) -> subprocess.Popen[str]:
    """A function of `checkpoints` in a process of its own, uncompiled, which gives the same bits."""
    environment = {**os.environ, "VECBT_ENGINE": "python", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", f"from tests.analytics.checkpoints import {arguments[0]} as f; f(*{arguments[1:]!r})"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT)


def wait_for(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    assert process.stdout.readline().strip() == word


# --- killed ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blocks", ["yes", "file"])
def test_a_killed_sweep_goes_on_and_equals_the_unbroken_one(blocks: Any, tmp_path: Path) -> None:
    folder, blocks = tmp_path / "kept", True if blocks == "yes" else blocks
    process = child("killed", str(folder), blocks)
    try:
        wait_for(process, "go")
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL and len(files(folder)) >= 2
    heard: list[int] = []
    found = small(folder, blocks=blocks, progress=lambda done, total: heard.append(done))
    assert heard[0] >= 9 and heard[-1] == 15, "those that were there count at once"
    assert_same(found, unbroken())
    assert found.block_sums == ("file" if blocks == "file" else "memory")


@pytest.mark.parametrize("blocks", [True, "file"])
def test_from_every_state_a_folder_goes_through_the_sweep_ends_the_same(blocks: Any, tmp_path: Path, pieces: None) -> None:
    states: list[Path] = []

    def copy(done: int, total: int) -> None:
        states.append(tmp_path / f"state {done}")
        shutil.copytree(tmp_path / "kept", states[-1])
        (states[-1] / ".aside-of-a-killed-process").write_bytes(b"half")

    assert_same(small(tmp_path / "kept", blocks=blocks, progress=copy, threads=1), unbroken())
    assert len(states) > 6
    for state in states[::4]:
        assert_same(small(state, blocks=blocks, threads=1), unbroken())
        assert not list(state.glob(".aside-*"))


def test_nothing_is_run_again_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(tmp_path / "kept")
    monkeypatch.setattr(sweep, "Seat", None)  # no set can run
    assert_same(small(tmp_path / "kept"), unbroken())


def test_finished_pieces_share_a_file_within_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_chunks, "_MOST_SETS", 1)
    monkeypatch.setattr(sweep_checkpoint, "_EVERY", 3600.0)
    small(tmp_path / "kept")
    assert len(files(tmp_path / "kept")) == 1
    assert pl.read_parquet(files(tmp_path / "kept")[0])["number"].n_unique() == 15
    monkeypatch.setattr(sweep_checkpoint, "_MOST", 1)  # unless curves and sums would take much memory until then
    assert_same(small(tmp_path / "more"), unbroken())
    assert len(files(tmp_path / "more")) > 5


def test_seconds_are_those_of_all_parts(tmp_path: Path) -> None:
    first, second = small(tmp_path / "kept").run, small(tmp_path / "kept").run
    assert first is not None and second is not None and second.seconds > 0.5 * first.seconds


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_metrics_and_the_watcher_may_change(threads: int, tmp_path: Path, pieces: None) -> None:
    early = ended_early(tmp_path / "kept")
    assert early.partial and early.run is not None and 0 < early.run.done.sum() < 10
    found = small(tmp_path / "kept", threads=threads, metrics=["sharpe"])
    assert found.run is not None and unbroken().run is not None and found.metrics == ("sharpe",)
    assert_same(Sweep(found.run), unbroken())


def test_what_runs_alone_and_plain_functions_go_on_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pieces: None) -> None:
    """Deposits need a run of their own; a function is known by its text."""
    flows = {str(BARS.datetime_index[5])[:10]: 500.0}
    space = {"flows": [None, flows], "fill": ["close", "next_open"]}
    given: dict[str, Any] = {"strategy": functools.partial(breaks, window=2), "space": space, "accounts": "shared"}
    ended_early(tmp_path / "kept", after=3, **given)
    assert 0 < len(files(tmp_path / "kept"))
    assert_same(small(tmp_path / "kept", **given), small(**given))


ENDS: dict[str, Any] = {"space": {"window": [2, 3, 5, 6], "stops.hard": [0.005, -1.0], "stops.take_profit": [0.005]}, "envelope": True}
"""Eight sets, each under both intrabar rules, of which three run."""


@pytest.mark.parametrize("alone", [False, True], ids=["together", "alone"])
@pytest.mark.parametrize("blocks", [True, "file"])
def test_m8_p5_an_envelope_goes_on_and_is_that_of_the_unbroken_sweep(blocks: Any, alone: bool, tmp_path: Path, pieces: None) -> None:
    """Lines of the other rule and fragility too; sums and curves are of the rule of the setup, and a pair is kept when both are there."""
    wanted = small(**ENDS, intrabar="optimistic", **_alone(alone))
    assert wanted.run is not None and wanted.run.envelope is not None and wanted.run.done.sum() == 3
    assert np.nanmax(wanted.run.envelope.fragility) > 0.0 and wanted.errors
    states: list[Path] = []

    def copy(done: int, total: int) -> None:
        assert total == 8
        states.append(tmp_path / f"state {done}")
        shutil.copytree(tmp_path / "kept", states[-1])

    given = {**ENDS, "intrabar": "optimistic", "blocks": blocks, "threads": 1, **_alone(alone)}
    assert_same(small(tmp_path / "kept", progress=copy, **given), wanted)
    assert len(states) >= 3
    for state in states:
        assert_same(small(state, **given), wanted)
    early = ended_early(tmp_path / "early", after=6, **given)
    assert early.partial and early.run is not None
    assert_same(small(tmp_path / "early", **given), wanted)
    assert_same(early.append(small(**given)) if blocks is True else wanted, wanted)


def _alone(alone: bool) -> dict[str, Any]:
    """Deposits, with which sets run one by one."""
    return {"flows": {str(BARS.datetime_index[5])[:10]: 500.0}, "accounts": "shared"} if alone else {}


def test_m8_what_an_envelope_kept_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = small(tmp_path / "kept", **ENDS)
    monkeypatch.setattr(sweep, "Seat", None)  # no set can run
    assert_same(small(tmp_path / "kept", **ENDS), wanted)


def test_ctrl_c_in_another_process_is_answered_with_what_is_done(tmp_path: Path) -> None:
    """Twenty thousand sets, uncompiled, would take an hour."""
    process = child("interrupted", str(tmp_path / "kept"))
    try:
        wait_for(process, "go")
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    partial, done, sets = said.split()[-3:]
    assert process.returncode == 0 and (partial, sets) == ("True", "20000") and 0 < int(done) < 2000
    assert sum(len(pl.read_parquet(path)) for path in files(tmp_path / "kept")) == int(done)
    assert time.monotonic() - begun < 30.0, "2 s on a machine of its own"


# --- damaged ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["cut", "emptied", "a byte", "of another sweep"])
def test_a_damaged_file_is_known_and_its_sets_run_again(damage: str, tmp_path: Path, pieces: None) -> None:
    folder = tmp_path / "kept"
    ended_early(folder)
    path, before = files(folder)[1], len(files(folder))
    data = path.read_bytes()
    if damage == "of another sweep":
        ended_early(tmp_path / "other", rf=0.5)
        shutil.copy(files(tmp_path / "other")[0], folder)
        path, data = folder / files(tmp_path / "other")[0].name, b""
        assert len(files(folder)) == before + 1
    else:
        path.write_bytes({"cut": data[: len(data) // 2], "emptied": b"", "a byte": data[:40] + b"\xff" + data[41:]}[damage])
    with pytest.warns(UserWarning, match=rf"{path.name} was damaged .* made anew"):
        found = small(folder)
    assert_same(found, unbroken())
    assert not path.exists() or data
    assert_same(small(folder), unbroken())


@pytest.mark.parametrize("name", ["blocks.npy", "fine.npy"])
def test_block_sums_that_were_damaged_run_again(name: str, tmp_path: Path, pieces: None) -> None:
    folder = tmp_path / "kept"
    small(folder, blocks="file")
    np.load(folder / name, mmap_mode="r+")[9, 0, 0, 0] += 1.0
    with pytest.warns(UserWarning, match="lost; its lines are made anew: 1 set"):
        assert_same(small(folder, blocks="file"), unbroken())
    (folder / name).unlink()
    with pytest.warns(UserWarning, match="made anew"):
        assert_same(small(folder, blocks="file"), unbroken())


def test_a_damaged_header_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    small(folder)
    whole = (folder / "checkpoint.json").read_text()
    for text, words in (
        (whole.replace('"schema": 1', '"schema": 9'), "layout 9"), (whole.replace("Higher", "Lower"), "was changed"),
        ("{}", "not that of a checkpoint"), ("{", "cannot be read"),
    ):  # fmt: skip
        (folder / "checkpoint.json").write_text(text)
        with pytest.raises(ConfigError, match=words):
            small(folder)
    (folder / "checkpoint.json").write_text(whole)
    assert_same(small(folder), unbroken())


# --- refused ---------------------------------------------------------------------------------------------------------------

OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "bars": ({"bars": BARS[1:]}, rf"the bars differ \(data: {BARS.content_hash[:16]} there, {BARS[1:].content_hash[:16]} now\); give"),
    "strategy": ({"strategy": Higher(4)}, r"settings differ \(sweep: .{16} there, .{16} now\); what differs there is: strategy;"),
    "function": ({"strategy": breaks, "space": {"stops.hard": [None]}}, "strategy, kind, code, names, sets, space;"),
    "sets": ({"space": {**SPACE, "window": [2, 3]}}, "is: sets, space;"),
    "values": ({"space": {**SPACE, "window": [7, 6, 5, 3, 2]}}, "is: space;"),
    "kind of number": ({"space": {**SPACE, "window": [2.0, 3.0, 5.0, 6.0, 7.0]}}, "is: space;"),
    "keyword": ({"costs": vb.Costs.free(), "band": 0.1}, "is: band, costs;"),
    "rf": ({"rf": 0.1}, "is: rf;"),
    "mar": ({"mar": 0.1}, "is: mar;"),
    "keep": ({"keep": ()}, "is: keep;"),
    "blocks": ({"blocks": False}, "is: blocks;"),
    "envelope": ({"envelope": True}, "is: envelope;"),
}


@functools.cache
def kept(folder: Path) -> Path:
    small(folder / "kept")
    return folder / "kept"


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sweep that is finished."""
    return kept(tmp_path_factory.mktemp("checkpoint"))


@pytest.mark.parametrize("name", OTHERS)
def test_another_sweep_is_refused_with_what_differs(name: str, there: Path) -> None:
    other, words = OTHERS[name]
    before = sorted((path.name, path.stat().st_mtime_ns) for path in there.iterdir())
    with pytest.raises(ConfigError, match=words) as caught:
        small(there, **other)
    assert "is of another sweep" in str(caught.value) and "give another folder, or delete this one" in str(caught.value)
    assert sorted((path.name, path.stat().st_mtime_ns) for path in there.iterdir()) == before


def test_other_kernels_are_refused(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_checkpoint, "kernel_sources_hash", lambda: "0123456789abcdef")
    with pytest.raises(ConfigError, match=r"sources of the kernels differ \(kernels: .{16} there, 0123456789abcdef now\)"):
        small(there)


def test_a_strategy_whose_code_was_edited_is_refused(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the same name: it calls `breaks`, which is another one now."""

    def edited(bars: vb.Bars, window: int = 3) -> Any:
        return vb.Signals(entries=bars.close > 0.0)

    monkeypatch.setattr(checkpoints, "breaks", edited)
    with pytest.raises(ConfigError, match="what differs there is: code;"):
        small(there)


def test_a_folder_with_anything_else_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"holds 'notes.txt' and no sweep, and was left alone"):
        small(folder)
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
    for given, words in (
        (folder / "notes.txt", "is a file"), (tmp_path / "no" / "such", "make it first"),
        ("", "expected the name"), (3, "expected the name"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=f"checkpoint is .*{words}"):
            small(given)  # type: ignore[arg-type]


def test_a_mistake_in_the_call_leaves_no_folder(tmp_path: Path) -> None:
    for other in ({"space": {"widow": [2]}}, {"threads": 0}, {"rf": "a"}, {"blocks": 3}, {"space": {"accounts": ["shared"]}}):
        with pytest.raises(ConfigError):
            small(tmp_path / "kept", **other)
    assert list(tmp_path.iterdir()) == []


def test_two_sweeps_at_once_in_a_folder_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")

    def second(done: int, total: int) -> None:
        with pytest.raises(ConfigError, match="another sweep is at work"):
            small(tmp_path / "kept")

    assert_same(small(tmp_path / "kept", progress=second), unbroken())


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pieces: None) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    ended_early(tmp_path / "kept")
    with monkeypatch.context() as patch:
        patch.setattr(pl.DataFrame, "write_parquet", full)
        with pytest.raises(ConfigError, match=r"cannot be written: .*No space left.*the same call goes on"):
            small(tmp_path / "kept")
    assert_same(small(tmp_path / "kept"), unbroken())


# --- block sums ------------------------------------------------------------------------------------------------------------


def test_block_sums_go_to_files_of_a_folder(tmp_path: Path) -> None:
    """The same numbers as in memory, NaN where nothing was measured; read where they are, and not to be written."""
    found, wanted = small(blocks=tmp_path / "sums"), unbroken()
    assert_same(found, wanted)
    assert sorted(path.name for path in (tmp_path / "sums").iterdir()) == ["blocks.npy", "fine.npy"]
    assert (found.block_sums, wanted.block_sums, small(blocks=False).block_sums) == ("file", "memory", "off")
    assert found.run is not None and found.blocks is not None and found.fine is not None and wanted.blocks is not None
    for array in (found.blocks, found.fine, found.run.blocks):
        assert isinstance(array, np.memmap) and not array.flags.writeable
    assert found.blocks.shape == (30, 16, 4) and found.fine.shape == (30, 64, 2)
    assert np.isnan(found.blocks).all(axis=(1, 2)).tolist() == found.table["error"].is_not_null().to_list()
    assert np.load(tmp_path / "sums" / "blocks.npy").tobytes() == wanted.blocks.tobytes()
    assert "block sums: off" in repr(small(blocks=False)) and small(blocks=False).blocks is None
    with pytest.raises(ConfigError, match="holds something already and was left alone"):
        small(blocks=tmp_path / "sums")


@pytest.mark.parametrize("where", [{}, {"blocks": "file"}], ids=["memory", "file"])
def test_block_sums_of_a_sweep_that_was_ended_are_nan_where_it_did_not_come(tmp_path: Path, pieces: None, where: dict[str, str]) -> None:
    found = ended_early(tmp_path / "kept", **where)
    assert found.run is not None and found.run.blocks is not None and found.run.fine is not None
    for sums in (found.run.blocks, found.run.fine):
        assert np.isnan(sums).all(axis=(1, 2, 3)).tolist() == (~found.run.done).tolist()
    assert_same(small(tmp_path / "kept", **where), unbroken())


def test_the_last_lines_of_a_sweep_that_was_ended_keep_their_sums_in_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They wait for a second when it ends, and are written after the files of the sums were closed."""
    monkeypatch.setattr(sweep_chunks, "_MOST_SETS", 1)
    monkeypatch.setattr(sweep_checkpoint, "_EVERY", 3600.0)
    early = ended_early(tmp_path / "kept", blocks="file")
    assert early.run is not None and 0 < early.run.done.sum() < 10 and len(files(tmp_path / "kept")) == 1
    assert_same(small(tmp_path / "kept", blocks="file"), unbroken())


def test_beyond_a_number_of_sets_sums_are_off_unless_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_checkpoint, "BLOCKS_UP_TO", 14)
    assert small().block_sums == "off" and small(blocks=True).block_sums == "memory"
    assert small(tmp_path / "kept", blocks="file").block_sums == "file"


def test_files_of_sums_are_asked_for_rightly(tmp_path: Path) -> None:
    for given, words in (("file", "there is none; give checkpoint"), (tmp_path / "no" / "such", "make it first"), (3, "blocks is 3")):
        with pytest.raises(ConfigError, match=words):
            small(blocks=given)
    with pytest.raises(ConfigError, match="with a checkpoint they go to its folder; give blocks='file'"):
        small(tmp_path / "kept", blocks=tmp_path / "sums")
    assert list(tmp_path.iterdir()) == []


def test_rows_of_a_file_are_written_anywhere_in_any_order(tmp_path: Path) -> None:
    """Many, in pieces; what lies between two runs of numbers stays as it is."""
    numbers, rng = np.array([7, 8, 9, 2, 3, 12, 0]), np.random.default_rng(3)
    blocks, fine = rng.normal(size=(7, 2, 16, 4)), rng.normal(size=(7, 2, 64, 2))
    sums = BlockFiles(tmp_path / "sums")
    sums.open((13, 2))
    sums.put(numbers[:4], blocks[:4], fine[:4])
    mark = sums.digest(numbers[:4])
    sums.close()
    again = BlockFiles(tmp_path / "sums")
    again.open((13, 2))
    assert again.digest(numbers[:4]) == mark
    again.put(numbers[4:], blocks[4:], fine[4:])
    found = again.finish(np.isin(np.arange(13), numbers))
    for rows, array in zip((blocks, fine), found, strict=True):
        assert array[numbers].tobytes() == rows.tobytes() and np.isnan(np.delete(array, numbers, axis=0)).all()


def test_block_sums_are_saved_and_loaded(tmp_path: Path) -> None:
    """Of filtered lines, too; with bars and strategy the run has them by set and account."""
    few = small(blocks=tmp_path / "sums").filter((pl.col("window") == 3) & (pl.col("symbol") == "S1"))
    loaded = Sweep.load(few.save(tmp_path / "saved"), bars=BARS, strategy=Higher(), costs=COSTS, accounts="separate")
    assert loaded.block_sums == "file" and few.blocks is not None and loaded.blocks is not None and loaded.fine is not None
    assert loaded.blocks.tobytes() == few.blocks.tobytes() and loaded.blocks.shape == (3, 16, 4)
    assert loaded.run is not None and loaded.run.fine is not None and np.isnan(loaded.run.fine[:, 0]).all()
    assert loaded.run.fine[:, 1].tobytes() == loaded.fine.tobytes()
    assert Sweep.load(small(blocks=False).save(tmp_path / "off")).block_sums == "off"
    whole = Sweep.load(unbroken().save(tmp_path / "whole"), bars=BARS, strategy=Higher(), costs=COSTS, accounts="separate")
    assert whole.run is not None and isinstance(whole.run.blocks, np.memmap) and unbroken().run is not None
    assert whole.run.blocks.tobytes() == unbroken().run.blocks.tobytes()  # type: ignore[union-attr]
    data = (tmp_path / "whole" / "fine.npy").read_bytes()
    (tmp_path / "whole" / "fine.npy").write_bytes(data[:-1] + b"x")
    with pytest.raises(vb.errors.StateError, match=r"fine.npy .* was changed"):
        Sweep.load(tmp_path / "whole")


def test_one_is_not_called_many() -> None:
    assert (counted(1, "set"), counted(0, "set"), counted(1200, "bar")) == ("1 set", "0 sets", "1,200 bars")
    one = small(space={"window": [2]})
    assert "  1 set over 20 bars, " in repr(one)
    with pytest.raises(ConfigError, match="the only set is not left: where excludes all of them"):
        small(space={"window": [2]}, where=lambda p: p["window"] > 2)
