"""`Market`: what it takes, what it refuses."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from vecbt.data import Market
from vecbt.errors import ConfigError


def test_per_asset_numbers_in_three_forms() -> None:
    market = Market(symbols=["ES", "CL"], multiplier={"ES": 50.0, "CL": 1000.0}, lot=1, tick=(0.25, 0.01), allow_negative={"CL": True})
    assert market.multiplier.tolist() == [50.0, 1000.0] and market.lot.tolist() == [1.0, 1.0]
    assert market.allow_negative.tolist() == [False, True] and market.tick.dtype == np.float64
    assert not market.tick.flags.writeable and market.N == 2
    assert Market(symbols=("ES", "CL"), multiplier={"ES": 50.0}).multiplier.tolist() == [50.0, 1.0]


def test_it_goes_through_json() -> None:
    market = Market(symbols=("A", "B"), tick=0.01, calendar="XNYS", time_zone="America/New_York", bar_ns=60, periods_per_year=252)
    again = Market.from_dict(json.loads(json.dumps(market.to_dict())))
    assert again == market and hash(again) == hash(market) and again != Market(symbols=("A", "B"))
    with pytest.raises(ConfigError, match="did you mean 'tick'"):
        Market.from_dict({"symbols": ["A"], "tik": 1.0})
    with pytest.raises(ConfigError, match="needs 'symbols'"):
        Market.from_dict({})


def test_a_subset_takes_the_numbers_along() -> None:
    market = Market(symbols=("A", "B", "C"), lot=(1, 2, 3), allow_negative=(True, False, False))
    part = market.subset(("C", "A"))
    assert part.symbols == ("C", "A") and part.lot.tolist() == [3.0, 1.0] and part.allow_negative.tolist() == [False, True]
    assert market.column("B") == 1


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"symbols": ()}, "at least one"),
        ({"symbols": "AAPL"}, "sequence of names"),
        ({"symbols": ("A", "A")}, "more than once: A"),
        ({"symbols": ("A", "")}, "non-empty"),
        ({"symbols": ("A", 3)}, "non-empty"),
        ({"asset_class": "stock"}, "asset_class is 'stock'"),
        ({"time_zone": "Mars"}, "time_zone is 'Mars'"),
        ({"time_zone": None}, "IANA"),
        ({"session_start": "9:30"}, "wall clock"),
        ({"session_start": "25:00"}, "wall clock"),
        ({"calendar": ""}, "XNYS"),
        ({"periods_per_year": 0}, "periods_per_year is 0"),
        ({"periods_per_year": float("nan")}, "finite"),
        ({"bar_ns": 1.5}, "whole number"),
        ({"bar_ns": True}, "bar_ns is True"),
        ({"multiplier": 0.0}, "multiplier of A is 0.0"),
        ({"tick": -0.01}, "tick of A is -0.01"),
        ({"lot": (1.0, float("inf"))}, "lot of B is inf"),
        ({"lot": (1.0, 2.0, 3.0)}, "one number, or 2"),
        ({"lot": {"C": 1.0}}, "lot names 'C'"),
        ({"lot": "many"}, "expected a number"),
        ({"allow_negative": 0.5}, "True or False"),
    ],
)
def test_what_it_refuses(keywords: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Market(**({"symbols": ("A", "B")} | keywords))


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(TypeError):
        Market(symbols=("A",), ticksize=1.0)  # type: ignore[call-arg]
