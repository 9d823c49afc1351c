"""The text that parameters are compared by: the same in every process, and no two values alike."""

from __future__ import annotations

import datetime
import functools
import os
import subprocess
import sys
from enum import IntEnum
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import vecbt as vb
from tests.house.source import ROOT
from vecbt.core.identity import identity


class Held:
    """An object as users write them: its repr is its address."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Slotted:
    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Level(IntEnum):
    LOW = 1


LONG = np.zeros(5000)
CHANGED = LONG.copy()
CHANGED[2500] = 1e-300  # repr shows the ends of a long array only
DAY = datetime.date(2020, 1, 2)

DIFFERENT = [
    None, True, False, 0, 1, 0.1, 0.1 + 2**-56, 2**53 + 1, 2.0**53, np.inf, -np.inf, np.nan, "", "1", "nan", "None", Level.LOW,
    LONG, CHANGED, LONG.astype(np.float32), LONG.reshape(2, -1), np.array(1.0), np.array([True]),
    np.array(["a", None], dtype=object), np.array(["a", "b"], dtype=object),
    np.datetime64("2020-01-02"), DAY, datetime.datetime(2020, 1, 2), pd.Timestamp(2020, 1, 2, tz="UTC"), datetime.time(9, 30),
    pd.Series([1.0]), pd.Series([1.0], index=["a"]), pd.DataFrame({"a": [1.0]}), pd.DataFrame({"b": [1.0]}), pl.DataFrame({"a": [2.0]}),
    (), (1,), ((1,),), (1, 2), {}, {"a": 1}, {"a": 2}, {"a": {"a": 1}}, set(), {1}, b"", b"a", 1j, range(3), Path("a"),
    Held(LONG), Held(CHANGED), Slotted(1), Slotted(2), Held, len, max, np.mean, "a".join, "b".join,
    functools.partial(max, 1), functools.partial(max, 2), functools.partial(max, key=len),
    vb.Pct(5), vb.Ticks(5), vb.Units(5), vb.Notional(5), vb.Stops(hard=0.05), vb.strategies.SmaCross(2, 5), vb.strategies.SmaCross(2, 6),
]  # fmt: skip


def test_no_two_values_are_alike() -> None:
    for one, other in combinations(DIFFERENT, 2):
        assert identity(one) != identity(other), (one, other)


@pytest.mark.parametrize(
    "alike",
    [
        (1, 1.0, np.int64(1), np.float64(1)), (0.1, np.float64(0.1)), (True, np.True_), ([1, 2], (1, 2)), (0.0, -0.0),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}), ({1, 2, 33}, {33, 2, 1}), (LONG, LONG[::-1]), (Held(LONG), Held(LONG.copy())),
        (functools.partial(max, 1), functools.partial(max, 1)), (object(), object()), (np.array([1, 2]), np.array([0, 1, 0, 2])[1::2]),
    ],
)  # fmt: skip
def test_what_means_the_same_is_alike(alike: tuple[Any, ...]) -> None:
    assert len({identity(value) for value in alike}) == 1


def test_what_holds_itself_has_an_end() -> None:
    held, outer = Held(1), Held(1)
    held.value, outer.value = held, held
    assert identity(held) != identity(outer)


def test_it_is_the_same_in_every_process() -> None:
    """Neither addresses nor the order of hashes of this process are in it."""
    code = (
        "import numpy as np, vecbt as vb\nfrom vecbt.core.identity import identity\n"
        "class Held:\n    def __init__(self, v): self.v = v\n"
        "print(identity([Held({'x', 'yy', 'zzz'}), object(), max, np.arange(9), vb.Stops(hard=0.1), lambda: 1, np.random.default_rng(1)]))"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", f"waste = {'[object()] * 9' if seed == '1' else '[]'}\n{code}"],
            env={**os.environ, "PYTHONHASHSEED": seed, "VECBT_ENGINE": "python", "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=800,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1] and "0x" not in said[0]
