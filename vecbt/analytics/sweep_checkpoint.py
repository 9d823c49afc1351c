"""A sweep that outlives its process: finished lines in a folder, from which the same call goes on.

The folder holds `checkpoint.json`, what the sweep is made of; `lines-HASH.parquet`, lines as `Sweep.save` writes them, each file named by
the hash of its bytes; and block sums, where they go to files. Every file is written aside and then renamed, so none is half-written under
its name, and one that was damaged later is known by its hash: its sets run again. Nothing is pickled.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Table
from ..core.identity import identity
from ..core.jit import kernel_sources_hash
from ..core.sets import Sets
from ..core.sources import code_hash
from ..engine.strategy import Strategy, written
from ..engine.sweep import BLOCKS_UP_TO, SweepRun
from ..engine.sweep_blocks import BLOCK_NAMES, BlockFiles
from ..errors import ConfigError, counted
from .saved.folder import digest_of, write_json
from .saved.keeping import Lock, folder_of, writing
from .saved.values import Json
from .sweep_file import file_columns, measured_in
from .sweep_lines import measured, measured_inside, put_measured

if TYPE_CHECKING:
    from ..data.bars import Bars

__all__ = ["Checkpoint", "blocks_of", "keeping"]

SCHEMA = 1
"""Number of the layout; another one is refused."""

_WHAT = "a checkpoint of a sweep of vecbt"
_ABOUT, _LOCK, _ASIDE = "checkpoint.json", "lock", ".aside-"
_EVERY = 1.0  # seconds: finished pieces that come sooner after each other share a file
_MOST = 2**26  # bytes of curves and sums that a file waits for
_PARTS = {"data": "the bars", "sweep": "strategy, sets or settings", "kernels": "the sources of the kernels"}


def blocks_of(asked: bool | str | Path | None, count: int, checkpoint: str | Path | None) -> bool | BlockFiles:
    """Where block sums of so many sets go: nowhere, to memory, or to files, in the folder that is named or that of the checkpoint."""
    if asked is None or isinstance(asked, bool):
        return count <= BLOCKS_UP_TO if asked is None else asked
    if not isinstance(asked, str | Path):
        raise ConfigError(f"blocks is {asked!r}; expected True, False, None, 'file' or a folder")
    if asked == "file":
        if checkpoint is None:
            raise ConfigError("blocks='file' goes to the folder of the checkpoint, and there is none; give checkpoint or a folder")
        return BlockFiles(Path(checkpoint).expanduser())
    if checkpoint is not None:
        raise ConfigError(f"blocks is {str(asked)!r}, and with a checkpoint they go to its folder; give blocks='file'")
    folder = folder_of(asked, "blocks")
    if folder.is_dir() and any(entry.name not in _partial_names() for entry in folder.iterdir()):
        raise ConfigError(f"blocks is {str(asked)!r}, which holds something already and was left alone; give a new or an empty folder")
    return BlockFiles(folder)


def keeping(
    folder: str | Path | None, bars: Bars, strategy: Strategy, sets: Sets, keywords: Mapping[str, Any], *, settings: Mapping[str, Any],
    sums: bool | BlockFiles,
) -> AbstractContextManager[Checkpoint | None]:  # fmt: skip
    """A checkpoint in this folder for a `with`, or None without one; `sums` is what `blocks_of` gave."""
    if folder is None:
        return nullcontext()
    files = sums if isinstance(sums, BlockFiles) else None
    return Checkpoint(folder, bars, strategy, sets, keywords, settings=settings, files=files)


class Checkpoint:
    """Keeps the lines of a sweep in a folder, and knows those that are there. Used in a `with`, which ends with all of them written.

    Parameters
    ----------
    folder : a new or an empty one, or one that a sweep like this has begun
    bars, strategy, sets, keywords, settings : what the sweep is made of; `settings` whatever else its lines depend on
    files : block sums that go to this folder

    Raises
    ------
    ConfigError
        The folder holds something else, or a sweep of other data, strategy, sets, settings or kernels; or another process is at it.
    """

    def __init__(
        self, folder: str | Path, bars: Bars, strategy: Strategy, sets: Sets, keywords: Mapping[str, Any], *,
        settings: Mapping[str, Any], files: BlockFiles | None,
    ) -> None:  # fmt: skip
        self.folder = folder_of(folder, "checkpoint")
        self._files, self._lock, self._pending = files, Lock(self.folder / _LOCK, "sweep"), list[NDArray[np.int64]]()
        self._run: SweepRun | None = None
        kinds = [[type(value).__name__ for value in values] for values in sets.values]
        about = {
            "strategy": written(strategy),
            "kind": f"{type(strategy).__module__}.{type(strategy).__qualname__}",
            "code": code_hash(strategy, sets.values, keywords),
            "names": list(sets.names),
            "sets": len(sets),
            "space": hashlib.sha256(identity([sets.values, kinds, sets.codes]).encode()).hexdigest(),
            "keywords": {name: identity(value) for name, value in sorted(keywords.items())},
            "settings": {name: identity(value) for name, value in sorted(settings.items())},
        }
        hashes = {"data": bars.content_hash, "sweep": digest_of(about), "kernels": kernel_sources_hash()}
        self._about: dict[str, Json] = {"what": _WHAT, "schema": SCHEMA, "hashes": hashes, "sweep": about}
        self._mark = digest_of(hashes)
        self._begun = self._is_there()

    def _is_there(self) -> bool:
        """Whether the folder holds this sweep; ConfigError where it holds anything else, False where it holds nothing."""
        shown = str(self.folder)
        found = {entry.name for entry in self.folder.iterdir()} if self.folder.is_dir() else set()
        if _ABOUT not in found:
            foreign = sorted(name for name in found if name != _LOCK and not name.startswith(_ASIDE) and name not in _partial_names())
            if foreign:
                what = f"checkpoint is {shown!r}, which holds {foreign[0]!r} and no sweep, and was left alone"
                raise ConfigError(f"{what}; give another folder")
            return False
        try:
            node = json.loads((self.folder / _ABOUT).read_text(encoding="utf-8"))
            if not isinstance(node, dict) or node.get("what") != _WHAT:
                raise ConfigError(f"{_ABOUT} in {shown!r} is not that of a checkpoint; give another folder")
            if node.get("schema") != SCHEMA:
                raise ConfigError(f"{shown!r} was written in layout {node.get('schema')!r}; this version goes on from layout {SCHEMA}")
            if node.pop("sum", None) != digest_of(node):
                raise ConfigError(f"{_ABOUT} in {shown!r} was changed since it was written; give another folder, or delete this one")
        except (OSError, ValueError) as error:
            if isinstance(error, ConfigError):
                raise
            raise ConfigError(f"{_ABOUT} in {shown!r} cannot be read: {error}; give another folder, or delete this one") from error
        self._compare(node)
        return True

    def _compare(self, node: dict[str, Any]) -> None:
        """Refuse a checkpoint of another sweep, with what differs."""
        hashes = self._about["hashes"]
        differ = [name for name in _PARTS if node["hashes"][name] != hashes[name]]
        if not differ:
            return
        said = [f"{_PARTS[name]} differ ({name}: {node['hashes'][name][:16]} there, {hashes[name][:16]} now)" for name in differ]
        mine, theirs = self._about["sweep"], node["sweep"]
        where = [name for name in mine if mine[name] != theirs.get(name)] if "sweep" in differ else []
        for part in [name for name in ("keywords", "settings") if name in where]:
            names = sorted({*mine[part], *theirs[part]})
            where[where.index(part)] = ", ".join(name for name in names if mine[part].get(name) != theirs[part].get(name))
        more = f"; what differs there is: {', '.join(where)}" if where else ""
        what = f"the checkpoint in {str(self.folder)!r} is of another sweep: {' and '.join(said)}{more}"
        raise ConfigError(f"{what}; give another folder, or delete this one to begin anew")

    # --- what the sweep asks -----------------------------------------------------------------------------------------

    def known(self, run: SweepRun) -> NDArray[np.bool_]:
        """Put the lines that are there into `run`; which sets these are."""
        known = np.zeros(len(run.sets), dtype=bool)
        with writing(self.folder):
            self.folder.mkdir(exist_ok=True)
            self._lock.take()
            for left in self.folder.glob(f"{_ASIDE}*"):
                left.unlink()
            if not self._begun:
                self._replace(_ABOUT, lambda path: write_json(path, self._about | {"sum": digest_of(self._about)}))
        if self._files is not None:
            self._files.open(run.final.shape)
        for path in sorted(self.folder.glob("lines-*.parquet")):
            frame = self._read(path)
            if frame is not None:
                known |= self._put(frame, run)
        self._run, self._since = run, time.perf_counter()
        return known

    def keep(self, run: SweepRun, numbers: NDArray[np.int64]) -> None:
        """Lines of these sets are there: written at once, or with the next ones if the last were written just now."""
        self._pending.append(numbers)
        waiting = sum(map(len, self._pending)) * sum(array[0].nbytes for _, array in self._arrays(run))
        if time.perf_counter() - self._since >= _EVERY or waiting >= _MOST:
            self._write(run)

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._run is not None:
                if self._files is not None:
                    self._files.open(self._run.final.shape)  # the sweep has closed them, and lines go by the hash of their rows
                self._write(self._run)
        finally:
            if self._files is not None:
                self._files.close()
            self._lock.give_back()

    # --- files -------------------------------------------------------------------------------------------------------

    def _write(self, run: SweepRun) -> None:
        """All pending lines into a file."""
        if not self._pending:
            return
        now, count = time.perf_counter(), len(self._pending)
        with writing(self.folder):
            frame = self._frame(run, np.unique(np.concatenate(self._pending)), now - self._since)
            self._replace("lines-{}.parquet", lambda path: frame.write_parquet(path, compression="uncompressed"))
        self._since = now
        del self._pending[:count]  # nothing is forgotten before it has its name

    def _frame(self, run: SweepRun, numbers: NDArray[np.int64], seconds: float) -> Table:
        import polars as pl

        accounts = run.final.shape[1]
        number, account = np.repeat(numbers, accounts), np.tile(np.arange(accounts), len(numbers))
        initial, metrics, other = run.initial[numbers].reshape(-1), measured(run, numbers), measured_inside(run, numbers)
        columns = file_columns(number, account, run.done[number], initial, metrics, other)
        frame = pl.DataFrame(columns).with_columns(
            pl.Series("error", [run.errors.get(c) for c in number.tolist()], dtype=pl.String),
            pl.Series("seconds", np.full(len(number), seconds)),
        )
        if self._files is not None:
            frame = frame.with_columns(pl.lit(self._files.digest(numbers[run.done[numbers]])).alias("sums"))
        for name, array in self._arrays(run):
            frame = frame.with_columns(pl.Series(name, array[numbers].reshape(len(number), -1)))
        return frame

    def _arrays(self, run: SweepRun) -> list[tuple[str, NDArray[np.float64]]]:
        """What stands beside the numbers of a line, in memory."""
        kept = (("blocks", run.blocks), ("fine", run.fine), ("equity", run.equity))
        return [(name, array) for name, array in kept if array is not None]

    def _put(self, frame: Table, run: SweepRun) -> NDArray[np.bool_]:
        """The lines of a file into `run`; which sets these are."""
        number, account, done = (frame[name].to_numpy() for name in ("number", "account", "done"))
        found = np.zeros(len(run.sets), dtype=bool)
        at, accounts = number[done], account[done]
        if self._files is not None and frame["sums"][0] != self._files.digest(np.unique(at)):
            self._warn(f"{' or '.join(BLOCK_NAMES)} lost", frame)
            return found
        put_measured(run, at, accounts, *measured_in(frame.filter(frame["done"])))
        for name, array in self._arrays(run):
            array[at, accounts] = frame[name].to_numpy()[done].reshape(len(at), *array.shape[2:])
        run.errors |= {int(c): text for c, text in zip(number.tolist(), frame["error"].to_list(), strict=True) if text is not None}
        run.seconds += frame["seconds"][0]
        run.done[at] = True
        found[number] = True
        return found

    def _read(self, path: Path) -> Table | None:
        """A file of lines; None where its bytes are not those that were written, and it is gone then."""
        import polars as pl

        try:
            data = path.read_bytes()
        except OSError as error:
            raise ConfigError(f"{path.name} in {str(self.folder)!r} cannot be read: {error}") from error
        if path.name == f"lines-{self._hash(BytesIO(data))}.parquet":
            return pl.read_parquet(data)
        self._warn(f"{path.name} was damaged since it was written", None)
        path.unlink()
        return None

    def _hash(self, file: BytesIO | BufferedReader) -> str:
        """Of the bytes of a file, as one of this sweep."""
        return hashlib.file_digest(file, lambda: hashlib.sha256(self._mark.encode())).hexdigest()

    def _warn(self, what: str, frame: Table | None) -> None:
        sets = "" if frame is None else f": {counted(frame['number'].n_unique(), 'set')}"
        warnings.warn(f"checkpoint {str(self.folder)!r}: {what}; its lines are made anew{sets}", stacklevel=3)

    def _replace(self, name: str, write: Callable[[Path], object]) -> None:
        """Write a file aside and give it its name, `{}` in it being its hash."""
        aside = self.folder / f"{_ASIDE}{secrets.token_hex(8)}"
        write(aside)
        if "{}" in name:
            with aside.open("rb") as file:
                name = name.format(self._hash(file))
        os.replace(aside, self.folder / name)


def _partial_names() -> set[str]:
    """What a killed sweep leaves of block sums."""
    return {f"{name}.partial" for name in BLOCK_NAMES}
