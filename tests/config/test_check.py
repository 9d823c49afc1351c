"""`vecbt check`: everything that is wrong in one go, with its place, whatever a run would have stopped at first."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

import vecbt.config
from tests.config.checked import CLEAN, findings
from vecbt.config import check_config, run_schema
from vecbt.config.example import EXAMPLE
from vecbt.errors import ConfigError

WRONG = """\
data: {sample: us_daily, symbols: [AAPL, MSFT], start: 2001-01-01, end: 2001-06-01}
strategy:
  name: SmaCross
  parameters: {fast_period: 5, slow: 20, direction: short}
costs: {commission_rate: 0.001, slipage_bps: 5}
account: {initial_capital: 10000}
stops:
  hard: 3
  hard_stop_pct: 0.03
  trailing: {price: 9}
  time_bars: 1000
sizing: {fixed_fractional: {risk_fraction: 2}}
risk:
  zones:
    boundaries: [0.15, 0.10, 0.05]
    factors: [0.5, 1, 0.25, 0.0]
fill: close
direction: long
band: 0.1
"""


def _pairs(found: list[vecbt.config.Finding], *severities: str) -> set[tuple[str, str]]:
    return {(f.id, f.where) for f in found if f.severity in severities}


def test_all_that_is_wrong_is_found_in_one_go(tmp_path: Path) -> None:
    """Schema, objects, combinations and rules: the first does not hide the others."""
    path = tmp_path / "run.yaml"
    path.write_text(WRONG)
    found = check_config(path)
    assert _pairs(found, "error") == {
        ("unknown-key", "costs.slipage_bps"),
        ("no-unit", "stops.hard"),
        ("two-names", "stops.hard_stop_pct"),
        ("refused", "stops.trailing"),
        ("percent-for-fraction", "sizing.fixed_fractional.risk_fraction"),
        ("zones-order", "risk.zones.boundaries"),
        ("zones-order", "risk.zones.factors"),
        ("direction", "direction"),
        ("refused", "band"),
    }
    assert _pairs(found, "warning") == {
        ("other-name", "strategy.parameters"),
        ("no-slippage", "costs"),
        ("time-stop-never", "stops.time_bars"),
        ("same-bar-fill", "fill"),
    }
    lines = {f.where: f.line for f in found}
    assert lines["stops.hard"] == 8 and lines["risk.zones.factors"] == 16 and lines["band"] == 19 and lines["costs.slipage_bps"] == 5
    assert [f.severity for f in found] == sorted((f.severity for f in found), key=("error", "warning", "note").index)


def test_a_finding_says_what_why_and_what_to_do(tmp_path: Path) -> None:
    (finding,) = findings("stops={hard: 3%, trailing: 2%}", data=False)
    assert "trailing stop 2 % is armed at entry and not wider than the hard stop 3 %" in finding.what
    assert "the hard stop is never used" in finding.why and "set stops.activation" in finding.remedy
    text = str(finding)
    assert text.startswith("warning [trail-before-stop] stops.trailing: ") and "\n  why: " in text and "\n  do: " in text
    (tmp_path / "run.yaml").write_text(WRONG)
    assert all(f.what and f.why and f.remedy for f in check_config(tmp_path / "run.yaml"))


def test_objects_are_asked_until_they_have_nothing_more_to_say() -> None:
    found = findings("costs.commission_rate=0.7", "costs.maker_rate=0.8", "costs.maximum_rate=0.9", data=False)
    assert {f.where for f in found if f.id == "refused"} == {"costs.commission_rate", "costs.maker_rate", "costs.maximum_rate"}


def test_what_cannot_stand_together_is_found_with_its_place() -> None:
    cases = [
        (("sizing={fixed_fractional: {}}",), "sizing.fixed_fractional", "give stops"),
        (("sizing={cash: 1}", "costs.volume_share=0.5"), "sizing.cash", "volume_share prices it by its size"),
        (("sizing={cash: 1}", "max_participation=0.1"), "max_participation", "Cash sizes an order at one fill"),
        (("account.flows={2030-01-01: 2000}",), "account.flows", "after the last bar"),
        (("account.flows={soon: 2000}",), "account.flows", "'soon'"),
        (("sizing={cash: 1}", "risk.max_heat=0.1"), "risk", "Cash is sized at the fill"),
        (("carry={borrow_rate: {AAPLE: 0.01}}",), "carry", "did you mean 'AAPL'"),
        (("band=0.1", "weights_of=gross"), "band", "apply to target weights only"),
        (("account.positions={AAPLE: {quantity: 1, price: 9}}",), "account.positions", "did you mean 'AAPL'"),
    ]
    for settings, where, message in cases:
        refused = [f for f in findings(*settings) if f.id == "refused" and f.where == where]
        assert len(refused) == 1 and message in refused[0].what + refused[0].remedy, (settings, refused)


def test_two_combinations_are_both_found() -> None:
    found = findings("sizing={fixed_fractional: {}}", "band=0.1", "account.positions={X: {quantity: 1, price: 9}}")
    assert {"sizing.fixed_fractional", "band", "account.positions"} <= {f.where for f in found if f.severity == "error"}


def test_a_section_that_is_missing_does_not_hide_the_others() -> None:
    found = check_config({"risk": {"zones": {"boundaries": [0.3, 0.2, 0.1]}}, "stops": {"hard": 3}})
    assert _pairs(found, "error") == {
        ("missing-key", "data"),
        ("missing-key", "strategy"),
        ("missing-key", "costs"),
        ("missing-key", "account"),
        ("no-unit", "stops.hard"),
        ("zones-order", "risk.zones.boundaries"),
    }


def test_wrong_types_are_found_once() -> None:
    for tree in (
        {"data": 3},
        {"stops": []},
        {"risk": "x"},
        {"sizing": 5},
        {"account": {"initial_capital": "100k"}},
        {"risk": {"zones": [1]}},
    ):
        found = check_config(CLEAN | tree, data=False)
        assert len(found) == 1 and found[0].severity == "error", found
    assert check_config({"a": {"b": {"c": 1}}, "data": None})


def test_data_and_strategy_that_cannot_be_loaded_are_findings(tmp_path: Path) -> None:
    (tmp_path / "broken_for_check.py").write_text("import a_package_nobody_has\n")
    (tmp_path / "raises_for_check.py").write_text("def rows(bars):\n    raise ZeroDivisionError('inside')\n")
    cases = [
        ({"data": {"path": "none.csv"}}, "data", "no such CSV file"),
        ({"data": {"sample": "us_dayly"}}, "data", "us_daily"),
        ({"strategy": {"name": "SmaCros"}}, "strategy", "did you mean 'SmaCross'"),
        ({"strategy": {"name": "SmaCross", "parameters": {"fast": 150}}}, "strategy", "fast < slow"),
        ({"strategy": {"name": "broken_for_check:X"}}, "strategy", "ModuleNotFoundError"),
        ({"strategy": {"name": "raises_for_check:rows"}}, "strategy", "ZeroDivisionError: inside"),
    ]
    for tree, section, message in cases:
        errors = [f for f in check_config(CLEAN | tree, folder=tmp_path) if f.severity == "error"]
        assert len(errors) == 1 and errors[0].where.startswith(section) and message in errors[0].what + errors[0].remedy, errors
        assert check_config(CLEAN | tree, folder=tmp_path, data=False) == []


def test_lines_are_known_in_yaml_json_and_toml(tmp_path: Path) -> None:
    tree = CLEAN | {"stops": {"hard": 3}}
    (tmp_path / "run.json").write_text(json.dumps(tree, indent=1))
    (tmp_path / "run.toml").write_text(
        'fill = "next_open"\n[data]\nsample = "us_daily"\nstart = 2001-01-01\nend = "2001-06-01"\n'
        '[strategy]\nname = "SmaCross"\nparameters = {fast = 5, slow = 20}\n'
        "[costs]\ncommission_rate = 0.0005\nslippage_bps = 2\n[account]\ninitial_capital = 100000\n[stops]\nhard = 3\n"
    )
    for name, text in (("run.json", "hard"), ("run.toml", "hard =")):
        (finding,) = check_config(tmp_path / name)
        line = next(k for k, row in enumerate((tmp_path / name).read_text().splitlines(), 1) if text in row)
        assert (finding.id, finding.where, finding.line) == ("no-unit", "stops.hard", line)


def test_settings_are_checked_too(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(EXAMPLE)
    (finding,) = check_config(tmp_path / "run.yaml", ["fill=close"])
    assert (finding.id, finding.line) == ("same-bar-fill", None)


def test_the_example_has_no_findings(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(EXAMPLE)
    assert check_config(tmp_path / "run.yaml") == []


def test_what_was_given_is_not_changed() -> None:
    tree: dict[str, Any] = {"initial_capital": 5000, "risk": {"drawdown_zones": {"normal": 0.05, "caution": 0.1, "alert": 0.15}}}
    before = json.dumps(tree)
    check_config(tree, ["fill=close"], data=False)
    assert json.dumps(tree) == before


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("data: [\n")
    for name in ("none.yaml", "broken.yaml"):
        with pytest.raises(ConfigError, match=name):
            check_config(tmp_path / name)


def _keys(node: dict[str, Any], definitions: dict[str, Any], depth: int = 0) -> set[str]:
    """Dotted keys of the schema."""

    def resolved(part: dict[str, Any]) -> dict[str, Any]:
        return definitions[part["$ref"].rsplit("/", 1)[-1]] if "$ref" in part else part

    out = set()
    for part in [resolved(node), *map(resolved, resolved(node).get("anyOf", ()))]:
        for key, inner in part.get("properties", {}).items():
            out |= {key, *(f"{key}.{rest}" for rest in (_keys(inner, definitions, depth + 1) if depth < 4 else ()))}
    return out


VALUES = (
    "null", "0", "-1", "2", "0.5", "0.03", "1e9", "1e308", ".nan", ".inf", "x", "[]", "[1, x]", "[0.1, 0.2, 0.3]", "{}", "{a: 1}", "true",
    "3%", "2 atr", "5 ticks", "{price: 11}", "kelly", "layered", "long", "close", "{2001-02-01: 5}", "{AAPL: 1}",
)  # fmt: skip


def test_whatever_is_written_the_check_ends_without_a_traceback() -> None:
    """Every key of the schema set to values of every type, one by one and together; nothing but findings comes out."""
    schema = run_schema()
    keys = sorted(_keys(schema, schema["$defs"]))
    assert len(keys) > 120
    rng = random.Random(7)
    cases = [[f"{key}={value}"] for key in keys for value in rng.sample(VALUES, 6)]
    cases += [[f"{rng.choice(keys)}={rng.choice(VALUES)}" for _ in range(5)] for _ in range(300)]
    for k, settings in enumerate(cases):
        try:
            found = findings(*settings, data=k % 10 == 0)
        except ConfigError as error:
            assert "not a section of keys" in str(error)
            continue
        assert all(f.what and f.severity in ("error", "warning", "note") for f in found)
