"""`vecbt strategies` and `vecbt indicators`: everything that can be named, with its parameters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import vecbt as vb
from vecbt.strategies.naming import BUILT_IN


def test_cfg01_strategies_are_listed_with_parameters_and_a_line_of_description(vecbt_command: Any) -> None:
    done = vecbt_command("strategies")
    assert done.code == 0 and done.err == ""
    lines = done.out.splitlines()
    for name in BUILT_IN:
        assert sum(line.split()[:1] == [name] for line in lines) == 1
    at = next(k for k, line in enumerate(lines) if line.startswith("SmaCross "))
    assert lines[at].endswith("Crossing of two simple moving averages of the close.")
    assert lines[at + 1].strip() == "fast=20, slow=100, direction=long"


def test_cfg01_one_strategy_is_shown_whole(vecbt_command: Any) -> None:
    done = vecbt_command("strategies", "rsi")
    assert done.code == 0 and done.out.startswith("RsiReversion\n  also: rsi\n")
    assert "window      a whole number of at least 1 (default 14)" in done.out
    assert "oversold    a number from 0 to 100, below leave (default 30.0)" in done.out and "Wilder" in done.out
    done = vecbt_command("strategies", "SmaCros")
    assert done.code == 2 and done.out == "" and "did you mean 'SmaCross'" in done.err


def test_catalogs_as_json(vecbt_command: Any) -> None:
    listed = json.loads(vecbt_command("strategies", "--json").out)
    assert {one["name"] for one in listed} >= set(BUILT_IN) and all(one["summary"] for one in listed if one["source"] == "vecbt")
    shown = json.loads(vecbt_command("strategies", "MacdCross", "--json").out)
    assert shown["class"] == "vecbt.strategies.macd:MacdCross" and [p["default"] for p in shown["parameters"]] == [12, 26, 9, "long"]
    assert {one["name"] for one in json.loads(vecbt_command("indicators", "--json").out)} == set(vb.indicators.catalog())


def test_indicators_are_listed_with_what_they_read_and_give(vecbt_command: Any) -> None:
    done = vecbt_command("indicators")
    assert done.code == 0 and done.err == ""
    lines = done.out.splitlines()
    for name in vb.indicators.catalog():
        assert sum(line.split()[:1] == [name] for line in lines if not line.startswith(" ")) == 1
    at = next(k for k, line in enumerate(lines) if line.startswith("macd "))
    assert lines[at + 1].strip() == "values -> macd, signal, histogram; fast=12, slow=26, signal=9"
    shown = vecbt_command("indicators", "macd")
    assert shown.code == 0 and "fast    a whole number of at least 1, below slow (default 12)" in shown.out and "Appel" in shown.out
    assert vecbt_command("indicators", "macdd").code == 2


def test_cfg01_a_package_that_offers_strategies_is_listed_and_not_imported(
    vecbt_command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = tmp_path / "offers-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: offers\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[vecbt.strategies]\nfar = no_such_module_for_test:Far\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "far" in [line.split()[0] for line in vecbt_command("strategies").out.splitlines() if "from the package offers" in line]
    done = vecbt_command("strategies", "far")
    assert done.code == 2 and "cannot be imported" in done.err
