"""A saved result on disk: a manifest, the files it lists with their hashes, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from ...errors import ConfigError, StateError
from .values import Json

__all__ = [
    "MANIFEST",
    "SCHEMA",
    "Saved",
    "check_target",
    "digest_of",
    "file_hash",
    "open_saved",
    "replacing",
    "write_json",
    "write_manifest",
]

MANIFEST = "manifest.json"
SCHEMA = 1
"""Number of the layout of the folder; another one is refused."""

_WHAT = "a saved result of vecbt"
_PARTS: dict[str, tuple[str, ...]] = {
    "environment": (),
    "hashes": ("bars", "setup", "inputs", "kernels"),
    "setup": (),
    "source": ("kind", "name"),
    "inputs": ("matrices", "lists", "records", "values"),
    "bars": ("hash", "content", "market", "others"),
    "produced": ("accounts", "curves", "records", "values"),
    "files": (),
}
"""The sections of a manifest and the keys they cannot do without."""


def digest_of(node: Json) -> str:
    """SHA-256 of a JSON value, whatever the order of its keys; hexadecimal."""
    return hashlib.sha256(json.dumps(node, sort_keys=True, allow_nan=False).encode()).hexdigest()


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, node: Json) -> None:
    """Write a value as JSON; only what every reader of JSON understands."""
    path.write_text(json.dumps(node, indent=1, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8")


def write_manifest(folder: Path, parts: dict[str, Json]) -> None:
    """Write the manifest of a folder whose other files are complete: what it is, `parts`, and a hash of every file and of itself."""
    files = {path.name: file_hash(path) for path in sorted(folder.iterdir())}
    manifest = {"what": _WHAT, "schema": SCHEMA, **parts, "files": files}
    write_json(folder / MANIFEST, manifest | {"sum": digest_of(manifest)})


@dataclass(frozen=True)
class Saved:
    """A folder with its manifest read; nothing else is read or checked yet."""

    folder: Path
    manifest: dict[str, Any]

    def damage(self) -> list[str]:
        """A sentence for each file that is missing, or not the one that was saved."""
        rest = {key: value for key, value in self.manifest.items() if key != "sum"}
        found = [] if self.manifest.get("sum") == digest_of(rest) else [f"{MANIFEST} was changed since it was saved"]
        for name, expected in self.manifest["files"].items():
            path = self.folder / Path(name).name  # a name from a file never leads out of the folder
            if not path.is_file():
                found.append(f"{name} is missing")
            elif file_hash(path) != expected:
                found.append(f"{name} was changed since it was saved")
        return found


def open_saved(folder: str | PathLike[str]) -> Saved:
    """The manifest of a folder; StateError where it is no saved result, or one of another layout."""
    path = Path(folder).expanduser()
    if not path.is_dir():
        raise StateError(f"{str(folder)!r} is no folder; expected one that Result.save wrote")
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StateError(f"{str(folder)!r} holds no {MANIFEST}; expected a folder that Result.save wrote") from None
    except (OSError, ValueError) as error:
        raise StateError(f"{MANIFEST} in {str(folder)!r} cannot be read: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("what") != _WHAT:
        raise StateError(f"{MANIFEST} in {str(folder)!r} is not that of a saved result of vecbt")
    if manifest.get("schema") != SCHEMA:
        found = f"layout {manifest.get('schema')!r}, by vecbt {manifest.get('vecbt', 'unknown')}"
        raise StateError(f"{str(folder)!r} was saved in {found}; this version reads layout {SCHEMA}: use the version that saved it")
    _check_parts(manifest, str(folder))
    return Saved(path, manifest)


def _check_parts(manifest: dict[str, Any], folder: str) -> None:
    for name, keys in _PARTS.items():
        part = manifest.get(name)
        missing = next((key for key in keys if not isinstance(part, dict) or key not in part), None)
        if not isinstance(part, dict) or missing is not None:
            raise StateError(f"{MANIFEST} in {folder!r} is damaged: {name} says nothing{f' of {missing}' if missing else ''}")
    if not isinstance(manifest.get("vecbt"), str) or not isinstance(manifest.get("title"), str):
        raise StateError(f"{MANIFEST} in {folder!r} is damaged: it does not say what was saved, and by which version")


def check_target(folder: str | PathLike[str], overwrite: bool = False) -> Path:
    """Where a result may be saved.

    A new or empty folder may be; one that holds a saved result only with `overwrite`; one that holds anything else never, so
    that nothing but a saved result can be lost. ConfigError says why not.
    """
    path = Path(folder).expanduser()
    if path.exists() and not path.is_dir():
        raise ConfigError(f"folder is {str(folder)!r}, which is a file; give the name of a folder")
    if not path.resolve().parent.is_dir():
        raise ConfigError(f"folder is {str(folder)!r}, but there is no folder {str(path.parent)!r}; make it first")
    if not path.is_dir() or not any(path.iterdir()):
        return path
    try:
        ours = {MANIFEST, *open_saved(path).manifest["files"]}
    except StateError as error:
        raise ConfigError(f"{str(folder)!r} is there already, and is no saved result that could be replaced: {error}") from error
    foreign = sorted(entry.name for entry in path.iterdir() if entry.name not in ours)
    if foreign:
        raise ConfigError(f"{str(folder)!r} holds {foreign[0]!r} beside a saved result, and was left alone; give another folder")
    if not overwrite:
        what = f"{str(folder)!r} holds a saved result already, and was left alone"
        raise ConfigError(f"{what}; give another folder, or replace it: overwrite=True, on the command line --overwrite")
    return path


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A new folder beside `target` that takes its place at the end; after an error, nothing has changed."""
    target = target.resolve()
    work = target.parent / f".{target.name}.{secrets.token_hex(8)}"
    work.mkdir()
    try:
        yield work
        _swap(work, target)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def _swap(work: Path, target: Path) -> None:
    if not target.is_dir() or not any(target.iterdir()):
        os.replace(work, target)  # an empty folder gives way
        return
    old = work.with_name(f"{work.name}.old")
    os.replace(target, old)
    try:
        os.replace(work, target)
    except OSError:
        os.replace(old, target)
        raise
    shutil.rmtree(old)
