"""A search in a folder: as a checkpoint while it runs, from which the same call goes on, and as what `Search.save` leaves.

The folder holds `search.json`, what the search is made of, the state of its method and the names of the other files; and
`sets-HASH.npz`, what was met, a file for each time it was written, each named by the hash of its bytes: `sets`, a row for each gene,
metric and score and one for the generation, a column for each set; `generations`; and what could not be measured, if any. Every file is
written aside and then renamed, `search.json` last, so the folder is whole at any time. Nothing is pickled.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..analytics.saved.folder import digest_of
from ..analytics.saved.keeping import Lock, folder_of, writing
from ..analytics.saved.values import Json, decode, encode
from ..errors import ConfigError, StateError
from .history import Generation, History, Refusal
from .variables import Variables

__all__ = ["Keeper", "Kept", "history_from", "read_folder", "variables_from", "written_variables"]

SCHEMA = 2
"""Number of the layout; another one is refused."""

_WHAT = "a search of vecbt"
_ABOUT, _LOCK, _ASIDE = "search.json", "lock", ".aside-"
_EVERY = 1.0  # seconds between two writes
_PARTS = {"data": "the bars", "search": "strategy, space, objective, method, seed or keywords", "kernels": "the sources of the kernels"}


@dataclass(frozen=True)
class Kept:
    """What a folder holds: `about` its JSON, `parts` the arrays of each of its files in order."""

    about: dict[str, Any]
    parts: list[dict[str, NDArray[Any]]]

    @property
    def state(self) -> dict[str, Any]:
        """That of the method."""
        found: dict[str, Any] = decode(self.about["state"], "the state of the method")
        return found


class Keeper:
    """Keeps a search in a folder. Used in a `with`.

    Parameters
    ----------
    folder : a new or an empty one, or one that a search like this has begun
    about : the search in words, JSON: all that its result depends on
    hashes : of data, search and kernels
    argument : what the folder is called in errors

    Raises
    ------
    ConfigError
        The folder holds something else, or a search of other data, space, objective, method or kernels; or another process is at it.
    """

    def __init__(self, folder: str | Path, about: dict[str, Json], hashes: Mapping[str, str], *, argument: str = "checkpoint") -> None:
        self.folder = folder_of(folder, argument)
        self._about: dict[str, Json] = {"what": _WHAT, "schema": SCHEMA, "hashes": dict(hashes), "search": about}
        self._lock, self._since = Lock(self.folder / _LOCK, "search"), time.perf_counter()
        self._files: list[dict[str, Json]] = []
        self._written = (0, 0, 0)
        self.kept = self._there(argument)

    def _there(self, argument: str) -> Kept | None:
        """What the folder holds of this search; ConfigError where it holds anything else, None where it holds nothing."""
        found = {entry.name for entry in self.folder.iterdir()} if self.folder.is_dir() else set()
        if _ABOUT not in found:
            foreign = sorted(name for name in found if name != _LOCK and not name.startswith((_ASIDE, "sets-")))
            if foreign:
                what = f"{argument} is {str(self.folder)!r}, which holds {foreign[0]!r} and no search, and was left alone"
                raise ConfigError(f"{what}; give another folder")
            return None
        try:
            kept = read_folder(self.folder)
        except StateError as error:
            raise ConfigError(f"{error}; give another folder, or delete this one to begin anew") from error
        self._compare(kept.about)
        self._files = list(kept.about["files"])
        return kept

    def _compare(self, node: dict[str, Any]) -> None:
        """Refuse what is kept of another search, with what differs."""
        hashes = self._about["hashes"]
        differ = [name for name in _PARTS if node["hashes"].get(name) != hashes[name]]
        if not differ:
            return
        said = [f"{_PARTS[name]} differ ({name}: {node['hashes'].get(name, '')[:16]} there, {hashes[name][:16]} now)" for name in differ]
        mine, theirs = self._about["search"], node["search"]
        where = [name for name in mine if mine[name] != theirs.get(name)] if "search" in differ else []
        more = f"; what differs there is: {', '.join(where)}" if where else ""
        what = f"the checkpoint in {str(self.folder)!r} is of another search: {' and '.join(said)}{more}"
        raise ConfigError(f"{what}; give another folder, or delete this one to begin anew")

    def __enter__(self) -> Keeper:
        with writing(self.folder):
            self.folder.mkdir(exist_ok=True)
            self._lock.take()
            listed = {file["name"] for file in self._files}
            for left in (*self.folder.glob(f"{_ASIDE}*"), *self.folder.glob("sets-*.npz")):
                if left.name not in listed:  # of a write that was cut short
                    left.unlink()
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.give_back()

    def took_up(self, history: History) -> None:
        """All of this history is in the folder already."""
        self._written = (len(history), len(history.refusals), len(history.generations))

    def is_due(self) -> bool:
        """Whether the last write was a second ago."""
        return time.perf_counter() - self._since >= _EVERY

    def write(
        self, history: History, state: Mapping[str, Any], *, ended: str, partial: bool, scores: NDArray[np.float64] | None = None,
        until: tuple[int, int] | None = None,
    ) -> None:  # fmt: skip
        """All that came since the last write, and the state; `scores` in place of those that the history has.

        `until` are how many sets, and how many that could not be measured, belong to the state, where that is not all of them.
        """
        reached = (*((len(history), len(history.refusals)) if until is None else until), len(history.generations))
        with writing(self.folder):
            part = _part(history, self._written, reached, scores)
            if part:
                buffer = io.BytesIO()
                np.savez(buffer, allow_pickle=False, **part)
                data = buffer.getbuffer()
                whole = hashlib.sha256(data).hexdigest()
                name = f"sets-{whole[:32]}.npz"
                self._replace(name, data)
                self._files.append({"name": name, "hash": whole})
            self._written = reached
            about = self._about | {
                "files": self._files, "first": history.first, "state": _written_state(state), "ended": ended, "partial": partial,
            }  # fmt: skip
            text = json.dumps(about | {"sum": digest_of(about)}, allow_nan=False)  # on one line: ten times as quick as indented
            self._replace(_ABOUT, f"{text}\n".encode())
        self._since = time.perf_counter()

    def _replace(self, name: str, data: bytes | memoryview) -> None:
        """Write a file aside and give it its name."""
        aside = self.folder / f"{_ASIDE}{secrets.token_hex(8)}"
        aside.write_bytes(data)
        os.replace(aside, self.folder / name)


def _written_state(state: Mapping[str, Any]) -> Json:
    """The state of a method as JSON, with its matrices as bytes: numbers as text would take longer than all else that is written."""
    where = "the state of the method"
    items = []
    for name, value in state.items():
        if isinstance(value, np.ndarray) and value.dtype == np.float64:
            data = base64.b64encode(value.tobytes()).decode("ascii")
            items.append([name, {"type": "array", "dtype": value.dtype.str, "shape": list(value.shape), "bytes": data}])
        else:
            items.append([name, encode(value, where)])
    return {"type": "mapping", "items": items}


def _part(
    history: History, since: tuple[int, int, int], until: tuple[int, int, int], scores: NDArray[np.float64] | None
) -> dict[str, NDArray[Any]]:  # fmt: skip
    """What came between two counts of sets, refusals and generations, as arrays; nothing where nothing did."""
    if since == until:
        return {}
    rows, bad = slice(since[0], until[0]), history.refusals[since[1] : until[1]]
    worth = (history.scores if scores is None else scores)[rows]
    part: dict[str, NDArray[Any]] = {
        "sets": np.concatenate([history.genes[rows].T, history.measured[:, rows], worth.T, history.generation[None, rows]]),
        "generations": np.array([each.numbers() for each in history.generations[since[2] : until[2]]], dtype=np.float64),
    }
    if bad:
        part["refused_genes"] = np.array([refusal.genes for refusal in bad], dtype=np.float64)
        part["refused"] = np.array([[refusal.generation, refusal.refused] for refusal in bad], dtype=np.int64)
        part["errors"] = np.frombuffer(json.dumps([refusal.error for refusal in bad]).encode(), dtype=np.uint8)
    return part


def history_from(kept: Kept, variables: Variables, names: Sequence[str], objectives: int) -> History:
    """The history that a folder holds."""
    history = History(variables, names, objectives)
    width = len(variables)
    for part in kept.parts:
        genes, columns, scores, generation = np.split(part["sets"], np.cumsum([width, len(names), objectives]))
        rows = history.add(genes.T, columns, generation[0].astype(np.int64))
        history.score(rows, scores.T)
        if "errors" in part:
            texts = json.loads(part["errors"].tobytes())
            for bad, (number, refused), text in zip(part["refused_genes"].tolist(), part["refused"].tolist(), texts, strict=True):
                history.refuse([Refusal(tuple(bad), number, bool(refused), text)])
        history.generations += [Generation.of_numbers(row) for row in part["generations"].tolist()]
    history.first = int(kept.about["first"])
    return history


def read_folder(folder: str | Path) -> Kept:
    """What a search left in a folder; StateError where there is none of this layout, or a file was changed."""
    path, shown = Path(folder).expanduser(), str(folder)
    try:
        node = json.loads((path / _ABOUT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StateError(f"{shown!r} holds no {_ABOUT}; expected a folder that Search.save or a checkpoint wrote") from None
    except (OSError, ValueError) as error:
        raise StateError(f"{_ABOUT} in {shown!r} cannot be read: {error}") from error
    if not isinstance(node, dict) or node.get("what") != _WHAT:
        raise StateError(f"{_ABOUT} in {shown!r} is not that of a search")
    if node.get("schema") != SCHEMA:
        raise StateError(f"{shown!r} was written in layout {node.get('schema')!r}; this version reads layout {SCHEMA}")
    if node.pop("sum", None) != digest_of(node):
        raise StateError(f"{_ABOUT} in {shown!r} was changed since it was written")
    parts = []
    for file in node["files"]:
        name = Path(file["name"]).name  # a name from a file never leads out of the folder
        try:
            data = (path / name).read_bytes()
        except OSError as error:
            raise StateError(f"{name} in {shown!r} cannot be read: {error}") from error
        if hashlib.sha256(data).hexdigest() != file["hash"]:
            raise StateError(f"{name} in {shown!r} was changed since it was written")
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            parts.append({key: arrays[key] for key in arrays.files})
    return Kept(node, parts)


# --- what varies, for a table without the strategy -------------------------------------------------------------------------


def written_variables(variables: Variables) -> Json:
    """Variables as JSON: enough to tell what genes are; a choice that only code could make again is kept as its text."""
    return {
        "names": list(variables.names),
        "kinds": variables.kinds.tolist(),
        "low": encode(variables.low, "low"),
        "high": encode(variables.high, "high"),
        "ends": encode(variables.ends, "ends"),
        "logs": variables.logs.tolist(),
        "choices": [[_value(value) for value in values] for values in variables.choices],
    }


def variables_from(node: Json) -> Variables:
    """Variables whose genes can be read, without constraints and conditions."""
    count = len(node["names"])
    return Variables(
        names=tuple(node["names"]), kinds=np.array(node["kinds"], dtype=np.int64), low=decode(node["low"], "low"),
        high=decode(node["high"], "high"), ends=decode(node["ends"], "ends"), logs=np.array(node["logs"], dtype=bool),
        choices=tuple(tuple(_read(value) for value in values) for values in node["choices"]), rests=np.full(count, np.nan),
        depends=(None,) * count,
    )  # fmt: skip


def _value(value: Any) -> Json:
    try:
        return {"value": encode(value, "a choice")}
    except ConfigError:
        return {"text": repr(value)}


def _read(node: Json) -> Any:
    return node["text"] if "text" in node else decode(node["value"], "a choice")
