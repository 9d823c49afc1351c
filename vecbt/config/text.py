"""YAML, JSON or TOML text to plain values, with the line of every place.

YAML is read by a safe loader with the scalar types of YAML 1.2: only `true` and `false` are booleans (a symbol may be
called `ON` or `NO`), `09:30` is text, `1e5` is a number, `000001` and dates are text (in TOML too). A key that stands twice is refused.
"""

from __future__ import annotations

import datetime
import json
import re
import tomllib
from collections.abc import Callable
from typing import Any, ClassVar, TypeAlias

import yaml

from ..errors import ConfigError

__all__ = ["READERS", "Place", "parse_scalar"]

Place: TypeAlias = tuple[str | int, ...]
Lines: TypeAlias = dict[Place, str]


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


def parse_scalar(text: str) -> Any:
    """The value of one YAML expression. ValueError, with what is wrong, for text that is none."""
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ValueError(_problem(error)) from error


def _problem(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or str(error).splitlines()[0])


def _read_yaml(text: str, name: str) -> tuple[Any, Lines]:
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
    lines: Lines = {}
    if node is not None:
        _note_lines(node, (), lines)
    return tree, lines


def _note_lines(node: Any, place: Place, lines: Lines) -> None:
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


def _read_json(text: str, name: str) -> tuple[Any, Lines]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key, value in pairs:
            if key in out:
                raise ConfigError(f"{name}: the key {key!r} stands twice")
            out[key] = value
        return out

    try:
        tree = json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{name}, line {error.lineno}: {error.msg}") from error
    try:  # JSON is YAML in all that matters here; where it is not (tabs), there are no lines
        return tree, _read_yaml(text, name)[1]
    except ConfigError:
        return tree, {}


def _read_toml(text: str, name: str) -> tuple[Any, Lines]:
    try:
        tree = _with_dates_as_text(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"^(.*) \(at line (\d+), column \d+\)$", str(error), re.DOTALL)
        raise ConfigError(f"{name}, line {found[2]}: {found[1]}" if found else f"{name}: {error}") from error
    return tree, _toml_lines(text, tree)


def _with_dates_as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_dates_as_text(v) for key, v in value.items()}
    if isinstance(value, list):
        return [_with_dates_as_text(v) for v in value]
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else value


_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_TABLE = re.compile(rf"^\s*\[\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*\]\s*(?:#.*)?$")
_ENTRY = re.compile(rf"^\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*=")


def _toml_lines(text: str, tree: Any) -> Lines:
    """Lines of tables and keys, as far as they can be told without a parser of our own: only places that are in the tree."""
    lines: Lines = {}
    table: Place = ()
    for number, line in enumerate(text.splitlines(), 1):
        header, entry = _TABLE.match(line), _ENTRY.match(line)
        if header:
            table = _keys(header[1])
        place = table if header else (*table, *_keys(entry[1])) if entry else ()
        for end in range(1, len(place) + 1):
            if _stands(tree, place[:end]):
                lines.setdefault(place[:end], f"line {number}")
    return lines


def _keys(text: str) -> Place:
    return tuple(part.strip("\"'") for part in re.findall(_KEY, text))


def _stands(tree: Any, place: Place) -> bool:
    for part in place:
        if not isinstance(tree, dict) or part not in tree:
            return False
        tree = tree[part]
    return True


READERS: dict[str, Callable[[str, str], tuple[Any, Lines]]] = {"yaml": _read_yaml, "json": _read_json, "toml": _read_toml}
"""By kind of text: a function of text and name to the tree and its lines. ConfigError, with the line, for broken text."""
