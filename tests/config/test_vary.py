"""What `--vary` means, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

import vecbt as vb
from vecbt.config.vary import space_of
from vecbt.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("fast=5:20:5", [5, 10, 15, 20]),
        ("fast=5:21:5", [5, 10, 15, 20]),
        ("fast=3:5", [3, 4, 5]),
        ("fast=7:7", [7]),
        ("band=0.1:0.3:0.1", [0.1, 0.2, 0.3]),
        ("costs.commission_rate=0:0.002:0.001", [0.0, 0.001, 0.002]),
        ("slow=20, 50,100", [20, 50, 100]),
        ("stops.hard=5%,0.1,2 atr", [vb.Pct(5), 0.1, vb.Atr(2)]),
        ("fill=close,next_open", ["close", "next_open"]),
        ("liquidate_at_end=true,false", [True, False]),
        ("stops.trailing=null,3%", [None, vb.Pct(3)]),
    ],
)
def test_values(text: str, values: list[Any]) -> None:
    name, _, _ = text.partition("=")
    found = space_of([text])
    assert found == {name: values} and [type(v) for v in found[name]] == [type(v) for v in values]


def test_several_and_none() -> None:
    assert space_of(["fast=1:2", "slow=5"]) == {"fast": [1, 2], "slow": [5]}
    assert space_of([]) is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["fast"], "expected NAME=FIRST:LAST"),
        (["=3"], "expected NAME=FIRST:LAST"),
        (["fast="], "expected NAME=FIRST:LAST"),
        (["fast=1:2", "fast=3"], "names fast twice"),
        (["fast=9:2"], "a larger last one"),
        (["fast=1:9:0"], "a step above 0"),
        (["fast=1:x"], "'x' is no number"),
        (["fast=1:9000000"], "9,000,000 values"),
        (["fast=[1"], "is no value"),
        (["stops.hard=5"], "the unit as well"),
        (["stops.hard=5 miles"], "expected '3%'"),
    ],
)
def test_refusals(given: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        space_of(given)
