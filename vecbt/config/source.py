"""A configuration as a tree of plain values that knows where each of them was written, so that an error can point at it."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from .text import READERS, Place, parse_scalar

__all__ = ["Place", "Source", "dotted", "places", "read_source", "read_text"]


def dotted(place: Place) -> str:
    """`"risk.zones.boundaries[1]"` for a place."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text


def places(tree: Any, place: Place = ()) -> Iterator[Place]:
    """Every place of a tree, from the outside in, in the order it was written."""
    if len(place) > 20:  # an anchor may refer to itself
        return
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in inner:
        yield (*place, key)
        yield from places(value, (*place, key))


@dataclass
class Source:
    """A tree of dicts, lists and scalars; `lines` says where each place of it was written.

    `moved` has the places that were written under another name, and that name.
    """

    name: str
    tree: dict[str, Any]
    lines: dict[Place, str] = field(default_factory=dict)
    moved: dict[Place, Place] = field(default_factory=dict)

    @classmethod
    def of(cls, tree: Mapping[str, Any], name: str = "configuration") -> Source:
        """From values that are in memory already; they are copied."""
        return cls(name, copy.deepcopy(dict(tree)))

    def where(self, place: Place) -> str:
        """`"run.yaml, line 7"` for a place, or for the nearest place around it that was written."""
        written = self.written(place)
        return f"{self.name}, {written}" if written else self.name

    def written(self, place: Place) -> str:
        """`"line 7"`, or the setting it comes from; empty where that is not known."""
        for end in range(len(place), 0, -1):
            if place[:end] in self.lines:
                return self.lines[place[:end]]
        return ""

    def origin(self, place: Place) -> Place:
        """The place under the name it was written with."""
        for end in range(len(place), 0, -1):
            if place[:end] in self.moved:
                return self.moved[place[:end]] + place[end:]
        return place

    def find(self, place: Place, message: str) -> Place:
        """The key inside a place that a message speaks of, as in "Stops.trailing is ..."; the place itself if none."""
        for inner in places(self.tree):
            named = isinstance(inner[-1], str) and re.search(rf"(?:^|\.){re.escape(inner[-1])}\b", message)
            if len(inner) > len(place) and inner[: len(place)] == place and named:
                return inner
        return place

    def override(self, settings: Iterable[str]) -> None:
        """Apply `a.b=1` settings, values read as YAML. ConfigError for one that is none."""
        for setting in settings:
            key, equals, text = setting.partition("=")
            path = key.strip().split(".")
            if not equals or not all(path):
                raise ConfigError(f"--set {setting}: expected KEY=VALUE with a dotted key, such as costs.slippage_bps=5")
            try:
                value = parse_scalar(text)
            except ValueError as error:
                raise ConfigError(f"--set {setting}: the value is no YAML: {error}") from error
            self._put(path, value, setting)

    def _put(self, path: list[str], value: Any, setting: str) -> None:
        here = self.tree
        for depth, key in enumerate(path[:-1], 1):
            if here.get(key) is None:  # not there, or a section without content, as in `stops:`
                here[key] = {}
                self.lines[tuple(path[:depth])] = f"--set {setting}"
            if not isinstance(here[key], dict):
                raise ConfigError(f"--set {setting}: {'.'.join(path[:depth])} is {here[key]!r}, not a section of keys")
            here = here[key]
        here[path[-1]] = value
        for place in [p for p in self.lines if p[: len(path)] == tuple(path)]:
            del self.lines[place]  # what stood there is gone
        self.lines[tuple(path)] = f"--set {setting}"


def read_source(path: Path) -> Source:
    """A configuration file: JSON or TOML when it is called so, else YAML. ConfigError when it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; `vecbt init {path}` writes an example there") from None
    except IsADirectoryError:
        raise ConfigError(f"{path} is a folder; expected a run file in YAML, JSON or TOML") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no text in UTF-8 (byte {error.start})") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    kind = path.suffix.lower().lstrip(".")
    return read_text(text, str(path), kind=kind if kind in READERS else "yaml")


def read_text(text: str, name: str, *, kind: str = "yaml") -> Source:
    """The tree in a text of a kind: yaml, json or toml. ConfigError with the line where it is broken."""
    tree, lines = READERS[kind](text, name)
    if not isinstance(tree, dict) or not tree:
        what = "is empty" if tree is None or tree == {} else f"holds {type(tree).__name__}"
        raise ConfigError(f"{name} {what}; expected sections such as data, strategy, costs and account (`vecbt init` writes an example)")
    return Source(name, tree, lines)
