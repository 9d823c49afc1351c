"""The section `sweep` of a run file: what it means in each format, what it refuses, and what stands in place of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import vecbt as vb
from vecbt.config import check_config, load_run, parse_run, run_schema
from vecbt.config.sweeps import sweep_of
from vecbt.errors import ConfigError

BASE = """\
data: {sample: us_daily, symbols: [AAPL], start: 2001-01-01, end: 2001-06-01}
strategy: {name: SmaCross, parameters: {fast: 5, slow: 20}}
costs: {commission_rate: 0.001}
account: {initial_capital: 50000}
"""
TOML = """\
data = {sample = "us_daily", symbols = ["AAPL"], start = 2001-01-01, end = 2001-06-01}
strategy = {name = "SmaCross", parameters = {fast = 5, slow = 20}}
costs = {commission_rate = 0.001}
account = {initial_capital = 50000}
[sweep.vary]
fast = "3:9:3"
stops.hard = ["5%", "2 atr"]
fill = ["close", "next_open"]
"""
WHOLE = {"fast": [3, 6, 9], "stops.hard": [vb.Pct(5), vb.Atr(2)], "fill": ["close", "next_open"]}


def wishes(text: str, vary: tuple[str, ...] = (), **given: Any) -> dict[str, Any]:
    """What a sweep is asked for."""
    run = parse_run(BASE + text, name="run.yaml", folder="/files")
    return sweep_of(run, run.strategy(), run.keywords(), vary, given)


def test_yaml_json_and_toml_mean_the_same(tmp_path: Path) -> None:
    """TOML makes tables of `stops.hard = ...`; they are the dotted name."""
    yaml = wishes("sweep: {vary: {fast: 3:9:3, stops.hard: [5%, 2 atr], fill: 'close,next_open'}}")
    (tmp_path / "run.toml").write_text(TOML)
    tree = {
        "data": {"sample": "us_daily"}, "strategy": {"name": "SmaCross"}, "costs": {"free": True}, "account": {"initial_capital": 1},
        "sweep": {"vary": {"fast": "3:9:3", "stops.hard": ["5%", "2 atr"], "fill": ["close", "next_open"]}},
    }  # fmt: skip
    (tmp_path / "run.json").write_text(json.dumps(tree))
    for name in ("run.toml", "run.json"):
        section = load_run(tmp_path / name).config.sweep
        assert section is not None and section.vary == WHOLE
    assert yaml == {"space": WHOLE}


def test_every_key_reaches_the_sweep() -> None:
    text = "sweep: {vary: {fast: [3, 5]}, max_sets: 9, metrics: [sharpe, trades], rf: 0.0001, mar: 0.0, blocks: file, envelope: true, "
    found = wishes(text + "checkpoint: kept, threads: 2}")
    assert found == {
        "space": {"fast": [3, 5]}, "max_sets": 9, "metrics": ["sharpe", "trades"], "rf": 0.0001, "mar": 0.0, "blocks": "file",
        "envelope": True, "checkpoint": Path("/files/kept"), "threads": 2,
    }  # fmt: skip
    assert wishes("sweep: {vary: {fast: [3]}, blocks: sums}")["blocks"] == Path("/files/sums")
    assert wishes("sweep: {vary: {fast: [3]}, blocks: false, metrics: sharpe_low}") == {
        "space": {"fast": [3]}, "blocks": False, "metrics": ["sharpe_low"],
    }  # fmt: skip


def test_the_command_line_adds_and_replaces() -> None:
    text = "sweep: {vary: {fast: [3, 5], slow: [20]}, envelope: true, max_sets: 5, checkpoint: kept}"
    found = wishes(text, ("fast=7:9", "band=0"), envelope=False, max_sets=None, checkpoint=Path("here"))
    assert found == {
        "space": {"fast": [7, 8, 9], "slow": [20], "band": [0]}, "envelope": False, "max_sets": 5, "checkpoint": Path("here"),
    }  # fmt: skip
    assert list(found["space"]) == ["fast", "slow", "band"]
    assert wishes("", ("fast=3",)) == {"space": {"fast": [3]}}


@pytest.mark.parametrize("text", ["", "sweep:\n", "sweep: {envelope: true}\n", "sweep: {vary: {}}\n"])
def test_a_sweep_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^run.yaml: nothing varies; give --vary NAME=VALUES, or a section `sweep`"):
        wishes(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{vry: {fast: [3]}}", "unknown key 'vry' in sweep; did you mean 'vary'"),
        ("{checkpiont: x}", "did you mean 'checkpoint'"),
        ("{vary: [3]}", "sweep.vary is [3]; expected keys and values"),
        ("{vary: {fast: 7}}", "sweep.vary.fast: 7 is no list of values; expected [VALUE, ...], or text: FIRST:LAST[:STEP] or VALUE,VALUE"),
        ("{vary: {fast: []}}", "sweep.vary.fast: [] is no list of values"),
        ("{vary: {fast: [[3]]}}", "sweep.vary.fast: [3] is no value; expected numbers, words, true, false or null"),
        (
            "{vary: {fast: 9:1}}",
            "sweep.vary.fast: the range goes from 9 to 1 by 1; expected a first number, a larger last one, and a step above 0",
        ),
        ("{vary: {fast: 1:x}}", "sweep.vary.fast: 'x' is no number"),
        ("{vary: {stops.hard: [5]}}", "sweep.vary.stops.hard: 5: expected the unit as well: '5%'"),
        ("{vary: {stops: {hard: 5 miles}}}", "sweep.vary.stops.hard: '5 miles': expected '3%'"),
        ("{vary: {stops.hard: 3%, stops: {hard: [3%]}}}", "stops.hard is named twice"),
        ("{max_sets: 0}", "sweep.max_sets is 0; expected a number of at least 1"),
        ("{metrics: [sharp]}", "sweep.metrics: 'sharp' is no metric of a sweep; did you mean 'sharpe'"),
        ("{metrics: 3}", "sweep.metrics is 3; expected a list"),
        ("{rf: low}", "sweep.rf is 'low'; expected a number"),
        ("{mar: .inf}", "expected a finite number"),
        ("{blocks: 3}", "sweep.blocks is 3; expected true, false, file or the path of a folder"),
        ("{envelope: 1}", "sweep.envelope is 1; expected true or false"),
        ("{checkpoint: 3}", "sweep.checkpoint is 3; expected text"),
        ("{threads: 1.5}", "sweep.threads is 1.5; expected a whole number"),
    ],
)
def test_what_is_wrong_is_refused_by_every_command_and_found_by_the_check(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_run(f"{BASE}sweep: {text}\n", name="run.yaml")
    assert str(caught.value).startswith("run.yaml, line 5: ") and message in str(caught.value)
    (tmp_path / "run.yaml").write_text(f"{BASE}sweep: {text}\n")
    found = [f for f in check_config(tmp_path / "run.yaml", data=False) if f.severity == "error"]
    assert len(found) == 1 and found[0].where.startswith("sweep")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fats: [3, 5]", "line 7: sweep.vary: nothing is called 'fats'; did you mean 'fast'"),
        ("stops.hrad: [3%]", "line 7: sweep.vary: stops has no 'hrad'; did you mean 'hard'"),
        ("sizing.weight: [0.5]", "line 7: sweep.vary: sizing.weight varies, but sizing is not given"),
    ],
)
def test_names_that_are_not_there_are_told_with_their_line(text: str, message: str, tmp_path: Path) -> None:
    section = f"sweep:\n  vary:\n    {text}\n"
    with pytest.raises(ConfigError, match=r"^run.yaml, ") as caught:
        wishes(section)
    assert message in str(caught.value)
    (tmp_path / "run.yaml").write_text(BASE + section)
    (found,) = [f for f in check_config(tmp_path / "run.yaml") if f.severity == "error"]
    assert found.where == f"sweep.vary.{text.partition(':')[0]}" and "line 7" in str(found)


def test_the_check_takes_a_good_section_and_counts_its_sets(tmp_path: Path) -> None:
    def errors(text: str) -> list[str]:
        (tmp_path / "run.yaml").write_text(f"{BASE}sweep: {text}\n")
        return [str(f) for f in check_config(tmp_path / "run.yaml") if f.severity == "error"]

    assert errors("{vary: {fast: 3:9:3, stops.hard: [5%, 2 atr]}, envelope: true, blocks: file, checkpoint: kept}") == []
    (many,) = errors("{vary: {fast: 2:12}, max_sets: 9}")
    assert "the space has 11 sets, more than 9" in many and "sweep.vary" in many
    (none,) = errors("{vary: {fast: [30, 40]}}")
    assert "exclude" in none


def test_all_else_leaves_the_section_aside() -> None:
    plain, with_it = (parse_run(BASE + more) for more in ("", "sweep: {vary: {fast: [3]}, envelope: true}\n"))
    assert plain.keywords() == with_it.keywords() and plain.strategy() == with_it.strategy()
    override = parse_run(BASE, ["sweep.vary.stops.hard=5%,10%"]).config.sweep
    assert override is not None and override.vary == {"stops.hard": [vb.Pct(5), vb.Pct(10)]}


def test_the_schema_shows_it() -> None:
    shown = run_schema()["$defs"]["SweepSection"]["properties"]
    assert set(shown) == {"vary", "max_sets", "metrics", "rf", "mar", "blocks", "envelope", "checkpoint", "threads"}
    assert shown["envelope"]["default"] is False and shown["max_sets"]["default"] == 200_000
    assert all(part["description"] for part in shown.values())
