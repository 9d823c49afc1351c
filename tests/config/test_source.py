"""Run files as text: YAML 1.2 scalars, line numbers, duplicate keys, overrides."""

from __future__ import annotations

from pathlib import Path

import pytest

from vecbt.config.source import read_source, read_text
from vecbt.errors import ConfigError


def test_scalars_are_those_of_yaml_1_2() -> None:
    text = "{a: [ON, NO, y, off], b: 09:30, c: 10:30, d: 000001, e: 1e5, f: -2.5, g: 1_000, h: true, i: ~, j: .inf, k: 2001-01-01, l: 0x1F}"
    assert read_text(text, "x").tree == {
        "a": ["ON", "NO", "y", "off"], "b": "09:30", "c": "10:30", "d": "000001", "e": 1e5, "f": -2.5, "g": 1000, "h": True, "i": None,
        "j": float("inf"), "k": "2001-01-01", "l": "0x1F",
    }  # fmt: skip


def test_places_know_their_lines() -> None:
    source = read_text("a:\n  b: 1\n  c:\n    - x\n    - {d: 2}\n", "run.yaml")
    assert source.where(("a", "b")) == "run.yaml, line 2"
    assert source.where(("a", "c", 1, "d")) == "run.yaml, line 5"
    assert source.where(("a", "zzz")) == "run.yaml, line 1"
    assert source.where(("zzz",)) == "run.yaml"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", r"run.yaml, line 3: the key 'a' stands twice, first in line 1"),
        ("a:\n  b: 1\n  b: 2\n", r"line 3: the key 'b' stands twice, first in line 2"),
        ("a: [1, 2\nb: 3\n", r"run.yaml, line 2: did not find expected"),
        ("a:\n\tb: 1\n", r"line 2: .*blanks, not tabs"),
        ("a: !!python/object/apply:os.system [echo]\n", r"line 1: could not determine a constructor"),
        ("", "run.yaml is empty; expected sections such as data"),
        ("# only a comment\n", "is empty"),
        ("- a\n- b\n", "holds list; expected sections"),
        ("a: 1\n---\nb: 2\n", "line 2"),
        ("a: \x00\n", "run.yaml"),
    ],
)
def test_broken_text_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_text(text, "run.yaml")


def test_json_is_read_as_json() -> None:
    assert read_text('{"a": {"b": 1e5}}', "x", kind="json").tree == {"a": {"b": 1e5}}
    with pytest.raises(ConfigError, match=r"x, line 2: Expecting"):
        read_text('{"a":\n}', "x", kind="json")
    with pytest.raises(ConfigError, match="'a' stands twice"):
        read_text('{"a": 1, "a": 2}', "x", kind="json")


def test_anchors_and_merges_work() -> None:
    assert read_text("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\n", "x").tree["d"] == {"b": 1, "c": 3}
    read_text("a: &x\n  b: *x\n", "x")  # an anchor in itself does not hang


def test_settings_override_and_make_sections() -> None:
    source = read_text("a: {b: 1}\nstops:\n", "run.yaml")
    source.override(["a.b=2", "a.c=[x, 3]", "stops.hard=3%", "new.deep.key=text with blanks", "off=null", "a.d=1=2"])
    assert source.tree == {
        "a": {"b": 2, "c": ["x", 3], "d": "1=2"},
        "stops": {"hard": "3%"},
        "new": {"deep": {"key": "text with blanks"}},
        "off": None,
    }
    assert source.where(("stops", "hard")) == "run.yaml, --set stops.hard=3%"
    assert source.where(("new",)) == "run.yaml, --set new.deep.key=text with blanks"


@pytest.mark.parametrize("setting", ["a", "=1", "a.=1", ".a=1", "a..b=1"])
def test_a_setting_that_is_none_is_refused(setting: str) -> None:
    with pytest.raises(ConfigError, match="expected KEY=VALUE"):
        read_text("a: 1", "x").override([setting])


def test_settings_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ConfigError, match="a is 1, not a section of keys"):
        read_text("a: 1", "x").override(["a.b=1"])
    with pytest.raises(ConfigError, match="the value is no YAML"):
        read_text("a: 1", "x").override(["a=[1"])


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file; `vecbt init"):
        read_source(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="is a folder"):
        read_source(tmp_path)
    (tmp_path / "x.yaml").write_bytes(b"a: \xff")
    with pytest.raises(ConfigError, match="no text in UTF-8"):
        read_source(tmp_path / "x.yaml")
