"""Checkpoints of the searches of a walk-forward, and a finished one as a folder. Nothing is pickled, and every file is whole or not there.

A checkpoint holds a folder for each search, as `vb.search` keeps one. What is saved is the account, as `Result.save` writes it, and
`walk_forward.json` beside it.
"""

from __future__ import annotations

import dataclasses
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..analytics.result import Result
from ..analytics.saved.folder import digest_of, replacing, write_json
from ..analytics.saved.keeping import folder_of, writing
from ..analytics.saved.read import load_result
from ..analytics.saved.source import describe_source, found_strategy
from ..analytics.saved.values import Json, decode, encode
from ..core.identity import identity
from ..core.jit import kernel_sources_hash
from ..core.sources import code_hash
from ..engine.strategy import Strategy, written
from ..errors import ConfigError, StateError
from .keeping import Keeper, history_from
from .lockstep import Job
from .walking import FoldFound, Walk

if TYPE_CHECKING:
    from .schedule import Schedule

__all__ = ["Checkpoints", "about_walk", "read_walk", "save_walk", "strategy_in"]

SCHEMA = 1
"""Number of the layout; another one is refused."""

_WHAT, _ABOUT, _ACCOUNT = "a walk-forward of vecbt", "walk_forward.json", "account"
_EVERY = 1.0  # seconds between two writes
_STAGE = re.compile(r"[a-z]+-\d{3}")


def about_walk(walk: Walk, where: Any) -> dict[str, Json]:
    """All that the result depends on beside bars and kernels, in words."""
    variables, runner, split = walk.runner.variables, walk.runner, walk.plan.split
    parts = (variables.low, variables.high, variables.logs, variables.choices, variables.rests, variables.depends, variables.rules, where)
    plan = walk.plan
    return {
        "strategy": written(walk.strategy),
        "name": walk.strategy.name,
        "code": code_hash(walk.strategy, variables.choices, dict(runner.keywords), where, walk.objective, walk.method),
        "space": [list(variables.names), variables.kinds.tolist(), identity(parts)],
        "objective": [repr(walk.objective), identity(walk.objective)],
        "method": [repr(walk.method), identity(walk.method)],
        "windows": {name: repr(getattr(split, name)) for name in ("train", "test", "step", "anchored", "embargo")},
        "purge": "measured" if plan.measured else repr(split.purge),
        "adoption": [plan.horizon, encode(plan.threshold, "threshold"), plan.inner],
        "seed": walk.seed,
        "keywords": {name: identity(value) for name, value in sorted(runner.keywords.items())},
        "rates": [runner.rf, runner.mar],
        "bars": {"hash": walk.bars.content_hash, "symbols": list(walk.bars.symbols), "count": walk.bars.T},
        "periods_per_year": walk.bars.periods_per_year,
    }


class Checkpoints:
    """Keeps searches in a folder. Used in a `with`.

    Parameters
    ----------
    folder : a new or an empty one, or one that a walk-forward like this has begun
    walk : whose searches they are
    about : what `about_walk` gave

    Raises
    ------
    ConfigError
        The folder holds something else, or searches of other data, parameters, windows or kernels; or another process is at it.
    """

    def __init__(self, folder: str | Path, walk: Walk, about: dict[str, Json]) -> None:
        self.folder, self._walk, self._about = folder_of(folder, "checkpoint"), walk, about
        found = sorted(entry.name for entry in self.folder.iterdir()) if self.folder.is_dir() else []
        foreign = [name for name in found if not _STAGE.fullmatch(name)]
        if foreign:
            what = f"checkpoint is {str(folder)!r}, which holds {foreign[0]!r} and no walk-forward, and was left alone"
            raise ConfigError(f"{what}; give another folder")
        self._stack = ExitStack()

    def begin(self, jobs: Sequence[Job], stage: str) -> Callable[[bool], None]:
        """Take up what is kept of these searches; the function that keeps them, with True at their end."""
        with writing(self.folder):
            self.folder.mkdir(exist_ok=True)
        about = self._about | {"stage": stage}
        hashes = {"data": self._walk.bars.content_hash, "kernels": kernel_sources_hash()}
        keepers = []
        for k, job in enumerate(jobs):
            own = about | {"searched": [list(window) for window in job.windows]}
            keeper = Keeper(self.folder / f"{stage}-{k:03d}", own, hashes | {"search": digest_of(own)})
            keepers.append(self._stack.enter_context(keeper))
            if keeper.kept is not None:
                drive = job.drive
                drive.history = history_from(keeper.kept, drive.history.variables, drive.history.names, 1)
                drive.sure = (len(drive.history), len(drive.history.refusals))
                drive.searcher.restore(keeper.kept.state)
                keeper.took_up(drive.history)
        return _keeping(jobs, keepers)

    def __enter__(self) -> Checkpoints:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def _keeping(jobs: Sequence[Job], keepers: Sequence[Keeper]) -> Callable[[bool], None]:
    """Writes all searches that went on, about once a second."""
    last, done = time.perf_counter(), [len(job.drive.history.generations) for job in jobs]

    def keep(end: bool) -> None:
        nonlocal last
        if not end and time.perf_counter() - last < _EVERY:
            return
        for k, (job, keeper) in enumerate(zip(jobs, keepers, strict=True)):
            drive = job.drive
            count = len(drive.history.generations)
            if count > done[k] and drive.whole and drive.sure == (len(drive.history), len(drive.history.refusals)):
                keeper.write(drive.history, drive.searcher.state(), ended=drive.ended, partial=False)
                done[k] = count
        last = time.perf_counter()

    return keep


# --- a finished one ----------------------------------------------------------------------------------------------------------


def save_walk(
    folder: str | Path, folds: Sequence[FoldFound], spans: Sequence[Mapping[str, Any]], result: Result, schedule: Schedule | None,
    source: Json, about: Mapping[str, Json], notes: Sequence[str], *, overwrite: bool,
) -> Path:  # fmt: skip
    """See `WalkForward.save`."""
    target = folder_of(folder, "folder")
    if target.is_dir() and any(target.iterdir()):
        try:
            _node_of(target)
        except StateError as error:
            raise ConfigError(f"{str(folder)!r} is there already, and is no saved walk-forward: {error}; give another folder") from error
        if not overwrite:
            raise ConfigError(
                f"{str(folder)!r} holds a saved walk-forward already, and was left alone; give another folder, or overwrite=True"
            )
    node = {
        "what": _WHAT,
        "schema": SCHEMA,
        "about": dict(about),
        "folds": [_fold_node(fold) for fold in folds],
        "spans": [encode(dict(span), "a fold") for span in spans],
        "source": source if schedule is None else describe_source(schedule),
        "notes": list(notes),
    }
    with replacing(target) as work:
        result.save(work / _ACCOUNT)
        write_json(work / _ABOUT, node | {"sum": digest_of(node)})
    return target


def _fold_node(fold: FoldFound) -> Json:
    return {f.name: encode(_plain(getattr(fold, f.name)), f.name) for f in dataclasses.fields(fold)}


def _plain(value: Any) -> Any:
    """Values of parameters that only code could make again as their text."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    try:
        encode(value, "a value")
    except ConfigError:
        return repr(value)
    return value


def _node_of(folder: Path) -> dict[str, Any]:
    """What the JSON says; StateError where it is no such folder, or was changed."""
    try:
        node = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StateError(f"{str(folder)!r} holds no {_ABOUT}; expected a folder that WalkForward.save wrote") from None
    except (OSError, ValueError) as error:
        raise StateError(f"{_ABOUT} in {str(folder)!r} cannot be read: {error}") from error
    if not isinstance(node, dict) or node.get("what") != _WHAT:
        raise StateError(f"{_ABOUT} in {str(folder)!r} is not that of a walk-forward")
    if node.get("schema") != SCHEMA:
        raise StateError(f"{str(folder)!r} was saved in layout {node.get('schema')!r}; this version reads layout {SCHEMA}")
    if node.pop("sum", None) != digest_of(node):
        raise StateError(f"{_ABOUT} in {str(folder)!r} was changed since it was saved")
    return node


def read_walk(folder: str | Path) -> tuple[list[FoldFound], list[dict[str, Any]], Result, dict[str, Any]]:
    """Folds, their labels, the account, and the JSON; StateError where a file is missing or was changed."""
    path = Path(folder).expanduser()
    node = _node_of(path)
    known = [f.name for f in dataclasses.fields(FoldFound)]
    folds = [FoldFound(**{name: decode(row[name], name) for name in known}) for row in node["folds"]]
    return folds, [decode(span, "a fold") for span in node["spans"]], load_result(path / _ACCOUNT), node


def strategy_in(source: Json) -> Strategy:
    """The schedule of a saved walk-forward; imports the classes of its members. StateError where they cannot be had here."""
    return found_strategy(source)
