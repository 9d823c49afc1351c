"""Text to a tree of plain values, with the line of every key, so that an error can point at it.

YAML is read by a safe loader with the scalar types of YAML 1.2: only `true` and `false` are booleans (a symbol may be
called `ON` or `NO`), `09:30` is text, `1e5` is a number, `000001` and dates are text. A key that stands twice is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import yaml

from ..errors import ConfigError

__all__ = ["Source", "read_source", "read_text"]

Place = tuple[str | int, ...]


@dataclass
class Source:
    """A tree of dicts, lists and scalars; `lines` says where each place of it was written."""

    name: str
    tree: dict[str, Any]
    lines: dict[Place, str] = field(default_factory=dict)

    def where(self, place: Place) -> str:
        """`"run.yaml, line 7"` for a place, or for the nearest place around it that was written."""
        for end in range(len(place), 0, -1):
            if place[:end] in self.lines:
                return f"{self.name}, {self.lines[place[:end]]}"
        return self.name

    def find(self, place: Place, message: str) -> Place:
        """The key inside a place that a message speaks of, as in "Stops.trailing is ..."; the place itself if none."""
        for inner in self.lines:
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
                value = yaml.load(text, Loader=_Loader)
            except yaml.YAMLError as error:
                raise ConfigError(f"--set {setting}: the value is no YAML: {_problem(error)}") from error
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
        self.lines[tuple(path)] = f"--set {setting}"


def read_source(path: Path) -> Source:
    """A run file: JSON when it is called so, else YAML. ConfigError when it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; `vecbt init {path}` writes an example there") from None
    except IsADirectoryError:
        raise ConfigError(f"{path} is a folder; expected a run file in YAML or JSON") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no text in UTF-8 (byte {error.start})") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    return read_text(text, str(path), is_json=path.suffix.lower() == ".json")


def read_text(text: str, name: str, *, is_json: bool = False) -> Source:
    """The tree in a text. ConfigError with the line where it is broken."""
    tree, lines = _read_json(text, name) if is_json else _read_yaml(text, name)
    if not isinstance(tree, dict):
        what = "is empty" if tree is None else f"holds {type(tree).__name__}"
        raise ConfigError(f"{name} {what}; expected sections such as data, strategy, costs and account (`vecbt init` writes an example)")
    return Source(name, tree, lines)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader with the scalar types named at the top of this file."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                problem = f"the key {key.value!r} stands twice, first in line {seen[key.value]}"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen[key.value] = key.start_mark.line + 1
        return super().construct_mapping(node, deep)


def _integer(loader: Any, node: Any) -> int:
    return int(loader.construct_scalar(node).replace("_", ""))


_DIGITS = r"[0-9][0-9_]*"
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9_]*)", "-+0123456789"),
    (
        "float",
        rf"[-+]?(?:{_DIGITS}\.[0-9_]*|\.{_DIGITS})(?:[eE][-+]?[0-9]+)?|[-+]?{_DIGITS}[eE][-+]?[0-9]+|[-+]?\.inf|\.nan",
        "-+0123456789.",
    ),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))
_Loader.add_constructor("tag:yaml.org,2002:int", _integer)


def _problem(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or str(error).splitlines()[0])


def _read_yaml(text: str, name: str) -> tuple[Any, dict[Place, str]]:
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            tree = None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name}, line {mark.line + 1}" if mark is not None else name
        hint = "; YAML is indented with blanks, not tabs" if "\t" in text else ""
        raise ConfigError(f"{where}: {_problem(error)}{hint}") from error
    lines: dict[Place, str] = {}
    if node is not None:
        _note_lines(node, (), lines)
    return tree, lines


def _note_lines(node: Any, place: Place, lines: dict[Place, str]) -> None:
    if len(place) > 20:  # no run file is that deep; an anchor may refer to itself
        return
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            lines[(*place, key.value)] = f"line {key.start_mark.line + 1}"
            _note_lines(value, (*place, key.value), lines)
    elif isinstance(node, yaml.SequenceNode):
        for k, value in enumerate(node.value):
            lines[(*place, k)] = f"line {value.start_mark.line + 1}"
            _note_lines(value, (*place, k), lines)


def _read_json(text: str, name: str) -> tuple[Any, dict[Place, str]]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key, value in pairs:
            if key in out:
                raise ConfigError(f"{name}: the key {key!r} stands twice")
            out[key] = value
        return out

    try:
        return json.loads(text, object_pairs_hook=unique), {}
    except json.JSONDecodeError as error:
        raise ConfigError(f"{name}, line {error.lineno}: {error.msg}") from error
